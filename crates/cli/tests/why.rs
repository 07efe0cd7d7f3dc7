//! What `why` prints for the shipped examples, word for word (EXPERIENCE.md: explanations worth reading).
//!
//! Each file of `testdata/why` has a command in its first line and below it what that prints. After a change that is
//! meant, `BARTIZAN_REWRITE=1 cargo test -p bartizan-cli --test why` writes them again; read the difference.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::run_in;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn print(command: &str) -> String {
    let args: Vec<&str> = command.split(' ').collect();
    let o = run_in(&root(), &args);
    assert!(o.err.is_empty(), "bartizan {command}: {}", o.err);
    o.out
}

#[test]
fn explanations_read_as_they_did() {
    let rewrite = std::env::var_os("BARTIZAN_REWRITE").is_some();
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("testdata/why"))
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 10, "the questions are gone");
    let mut changed = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (first, before) = text.split_once('\n').unwrap_or((&text, ""));
        let command = first.strip_prefix("$ bartizan ").unwrap();
        let now = print(command);
        if rewrite {
            std::fs::write(&file, format!("{first}\n{now}")).unwrap();
        } else if now != before {
            changed.push(format!("{}\n--- then\n{before}--- now\n{now}", file.display()));
        }
    }
    assert!(changed.is_empty(), "{}", changed.join("\n"));
}
