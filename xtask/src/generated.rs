//! Files that are made from the code.

use crate::shell::{Done, current, put, root};
use std::process::Command;

pub(crate) fn run(check: bool) -> Done {
    let mut stale = Vec::new();
    let list = std::fs::read_to_string(root().join(crate::schema::NAMES)).map_err(|e| e.to_string())?;
    let types: Vec<&str> = list.lines().filter(|l| !l.starts_with('#')).collect();
    put(
        "docs/coverage.md",
        &bartizan_terraform::coverage_markdown(&types),
        check,
        &mut stale,
    )?;
    for shell in ["bash", "zsh", "fish"] {
        let text = bartizan(&["generate", "completions", shell])?;
        put(
            &format!("docs/completions/bartizan.{shell}"),
            &text,
            check,
            &mut stale,
        )?;
    }
    let man = bartizan(&["generate", "man"])?;
    put("docs/man/bartizan.1", &man, check, &mut stale)?;
    current(&stale, check, "gen")
}

/// What the tool itself prints.
fn bartizan(args: &[&str]) -> Result<String, String> {
    let mut all = vec!["run", "--quiet", "--package", "bartizan-cli", "--"];
    all.extend(args);
    let out = Command::new("cargo")
        .args(&all)
        .current_dir(root())
        .output()
        .map_err(|e| format!("`cargo` cannot be started: {e}"))?;
    if !out.status.success() {
        return Err(format!(
            "bartizan {}: {}",
            args.join(" "),
            String::from_utf8_lossy(&out.stderr)
        ));
    }
    String::from_utf8(out.stdout).map_err(|e| e.to_string())
}
