//! How much of a tree of real configurations is understood.

use crate::shell::Done;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs `bartizan inventory --format json` on every directory with Terraform files that no other one calls as
/// a module.
pub(crate) fn run(dir: &Path) -> Done {
    if let Some(done) = crate::shell::in_release() {
        return done;
    }
    crate::shell::run(
        "cargo",
        &["build", "--quiet", "--release", "--package", "bartizan-cli"],
    )?;
    let target =
        std::env::var("CARGO_TARGET_DIR").map_or_else(|_| crate::shell::root().join("target"), PathBuf::from);
    let tool = target.join("release/bartizan");
    let mut dirs = Vec::new();
    walk(dir, &mut dirs);
    dirs.sort();
    let (mut whole, mut partly, mut empty, mut failed) = (0, 0, 0, Vec::new());
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let begin = std::time::Instant::now();
    for d in &dirs {
        let out = Command::new(&tool)
            .args(["inventory", "--format", "json"])
            .arg(d)
            .output()
            .map_err(|e| format!("{}: {e}", tool.display()))?;
        let Ok(v) = serde_json::from_slice::<serde_json::Value>(&out.stdout) else {
            failed.push(format!(
                "{}: {}",
                d.display(),
                String::from_utf8_lossy(&out.stderr).lines().next().unwrap_or("")
            ));
            continue;
        };
        let missing: Vec<&serde_json::Value> = v["resources"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|r| r["understanding"] == "not-understood")
            .collect();
        let total = v["resources"].as_array().map_or(0, Vec::len);
        match (total, missing.len()) {
            (0, _) => empty += 1,
            (_, 0) => whole += 1,
            _ => partly += 1,
        }
        for r in missing {
            let kind = r["kind"].as_str().or_else(|| r["type"].as_str()).unwrap_or("?");
            *kinds.entry(kind.to_string()).or_default() += 1;
        }
    }
    let mut by: Vec<(usize, String)> = kinds.into_iter().map(|(k, n)| (n, k)).collect();
    by.sort_by(|a, b| b.cmp(a));
    for (n, k) in by.iter().take(60) {
        println!("{n:6} {k}");
    }
    for f in &failed {
        println!("not read: {f}");
    }
    println!(
        "{} directories in {:.1} s: {whole} understood as a whole, {partly} in part, {empty} without resources, {} not read",
        dirs.len(),
        begin.elapsed().as_secs_f64(),
        failed.len()
    );
    Ok(())
}

fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut here = false;
    for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let p = e.path();
        if p.is_symlink() {
            continue;
        }
        if p.is_dir() {
            walk(&p, out);
        } else if p.extension().is_some_and(|x| x == "tf") {
            here = true;
        }
    }
    if here {
        out.push(dir.to_path_buf());
    }
}
