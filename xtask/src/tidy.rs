//! Rules that the compiler does not know.

use crate::shell::{Done, files, root};
use std::collections::{BTreeMap, BTreeSet};

/// Which crate may use which, directly; what those may use is allowed too (docs/ARCHITECTURE.md).
const ARROWS: [(&str, &[&str]); 9] = [
    ("base", &[]),
    ("packet", &[]),
    ("model", &["base", "packet"]),
    ("terraform", &["base", "model"]),
    ("lang", &["base", "packet"]),
    ("reach", &["packet", "model"]),
    ("check", &["lang", "reach"]),
    ("report", &["check", "terraform"]),
    ("cli", &["report"]),
];

/// Crates that compute and nothing else: date and data come in as arguments.
const PURE: [&str; 8] = [
    "base",
    "packet",
    "model",
    "terraform",
    "lang",
    "reach",
    "check",
    "report",
];

/// What a pure crate does not touch.
const IMPURE: [&str; 8] = [
    "std::fs",
    "std::env",
    "std::net::Tcp",
    "std::net::Udp",
    "std::process::Command",
    "SystemTime::now",
    "Instant::now",
    "println!(",
];

/// A file longer than this is to be split.
const LONGEST: usize = 1_000;

pub(crate) fn run() -> Done {
    let mut wrong = Vec::new();
    arrows(&mut wrong)?;
    pure(&mut wrong);
    for p in files("", &[".rs"]) {
        let Ok(text) = std::fs::read_to_string(&p) else {
            continue;
        };
        let n = text.lines().count();
        if n > LONGEST {
            wrong.push(format!("{} has {n} lines; split it", p.display()));
        }
    }
    for c in bartizan_base::CODES {
        if !root().join(format!("crates/base/codes/{}.md", c.code)).exists() {
            wrong.push(format!("{} has no explanation", c.code));
        }
    }
    if wrong.is_empty() {
        println!("tidy: arrows between crates, purity, sizes and codes are in order");
        return Ok(());
    }
    Err(wrong.join("\n"))
}

fn closure(name: &str, out: &mut BTreeSet<String>) {
    for to in ARROWS
        .iter()
        .filter(|(n, _)| *n == name)
        .flat_map(|(_, v)| v.iter())
    {
        if out.insert((*to).to_string()) {
            closure(to, out);
        }
    }
}

fn arrows(wrong: &mut Vec<String>) -> Done {
    let mut crates: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for e in std::fs::read_dir(root().join("crates"))
        .map_err(|e| e.to_string())?
        .flatten()
    {
        let Ok(manifest) = std::fs::read_to_string(e.path().join("Cargo.toml")) else {
            continue;
        };
        let name = e.file_name().to_string_lossy().into_owned();
        let uses = crates.entry(name).or_default();
        let mut section = "";
        for line in manifest.lines() {
            if line.starts_with('[') {
                section = line.trim();
            } else if section == "[dependencies]"
                && let Some(rest) = line.strip_prefix("bartizan-")
            {
                let dep = rest.split(['.', ' ', '=']).next().unwrap_or_default();
                uses.push(dep.to_string());
            }
        }
    }
    for (name, uses) in crates {
        if !ARROWS.iter().any(|(n, _)| *n == name) {
            wrong.push(format!("crate `{name}` has no place in the table of arrows"));
        }
        let mut may = BTreeSet::new();
        closure(&name, &mut may);
        for u in uses.iter().filter(|u| !may.contains(*u)) {
            wrong.push(format!("crate `{name}` may not use `{u}`"));
        }
    }
    Ok(())
}

fn pure(wrong: &mut Vec<String>) {
    for name in PURE {
        for p in files(&format!("crates/{name}/src"), &[".rs"]) {
            let Ok(text) = std::fs::read_to_string(&p) else {
                continue;
            };
            for (i, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                if let Some(bad) = IMPURE.iter().find(|b| code.contains(**b)) {
                    wrong.push(format!(
                        "{}:{}: `{bad}` in a crate that only computes",
                        p.display(),
                        i + 1
                    ));
                }
            }
        }
    }
}
