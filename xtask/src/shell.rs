//! Running other programs, and where the repository is.

use std::path::PathBuf;
use std::process::Command;

/// What every task gives.
pub(crate) type Done = Result<(), String>;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

/// Runs a program in the root and waits for it.
pub(crate) fn run(program: &str, args: &[&str]) -> Done {
    println!("+ {program} {}", args.join(" "));
    let status = Command::new(program)
        .args(args)
        .current_dir(root())
        .status()
        .map_err(|e| format!("`{program}` cannot be started: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("`{program} {}` failed", args.join(" ")))
    }
}

/// Runs this task again in a release build: figures of a development build mean nothing.
pub(crate) fn in_release() -> Option<Done> {
    if !cfg!(debug_assertions) {
        return None;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut all = vec!["run", "--quiet", "--release", "--package", "xtask", "--"];
    all.extend(args.iter().map(String::as_str));
    let status = Command::new("cargo").args(&all).current_dir(root()).status();
    Some(match status {
        Ok(s) if s.success() => Ok(()),
        Ok(_) => Err("the task failed".to_string()),
        Err(e) => Err(format!("`cargo` cannot be started: {e}")),
    })
}

/// Every file below a directory with one of these endings, sorted; build output is left out.
pub(crate) fn files(dir: &str, endings: &[&str]) -> Vec<PathBuf> {
    fn walk(dir: &std::path::Path, endings: &[&str], out: &mut Vec<PathBuf>) {
        for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let p = e.path();
            let name = e.file_name().to_string_lossy().into_owned();
            if p.is_dir() {
                if name != "target" && name != ".git" {
                    walk(&p, endings, out);
                }
            } else if endings.iter().any(|x| name.ends_with(x)) {
                out.push(p);
            }
        }
    }
    let mut out = Vec::new();
    walk(&root().join(dir), endings, &mut out);
    out.sort();
    out
}

/// Writes a file if it differs; with `check`, only says that it does.
pub(crate) fn put(path: &str, text: &str, check: bool, stale: &mut Vec<String>) -> Done {
    let full = root().join(path);
    if std::fs::read_to_string(&full).is_ok_and(|old| old == text) {
        return Ok(());
    }
    stale.push(path.to_string());
    if check {
        return Ok(());
    }
    let failed = |e: std::io::Error| format!("{path}: {e}");
    if let Some(dir) = full.parent() {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    std::fs::write(&full, text).map_err(failed)?;
    println!("wrote {path}");
    Ok(())
}

/// An error that lists what is out of date.
pub(crate) fn current(stale: &[String], check: bool, command: &str) -> Done {
    if check && !stale.is_empty() {
        return Err(format!(
            "out of date: {}; run `cargo xtask {command}`",
            stale.join(", ")
        ));
    }
    Ok(())
}
