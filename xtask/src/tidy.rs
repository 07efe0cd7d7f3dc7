//! Rules that the compiler does not know.

use crate::shell::{Done, files, root};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

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

/// A file longer than this is to be split. A warning and no error: where to cut is a matter of judgement.
const LONGEST: usize = 800;

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
            println!(
                "warning: {} has {n} lines, more than {LONGEST}; split it",
                short(&p)
            );
        }
    }
    invariants();
    assumptions(&mut wrong);
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

/// The path as seen from the root.
fn short(p: &Path) -> String {
    p.strip_prefix(root()).unwrap_or(p).display().to_string()
}

/// Names in `INVARIANT (name)` comments of a text, with whether they stand in a test.
fn names_in(text: &str, test_file: bool) -> Vec<(String, bool)> {
    let tests_from = text.find("#[cfg(test)]").unwrap_or(text.len());
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(i) = text[at..].find("INVARIANT (") {
        let start = at + i + "INVARIANT (".len();
        let Some(len) = text[start..].find(')') else { break };
        out.push((
            text[start..start + len].to_string(),
            test_file || start > tests_from,
        ));
        at = start + len;
    }
    out
}

/// Warns of named invariants that no test names: nobody would notice when one breaks.
fn invariants() {
    let mut stated: BTreeMap<String, String> = BTreeMap::new();
    let mut tested = BTreeSet::new();
    let dirs = ["crates", "oracle", "testkit", "bench"];
    for p in dirs.iter().flat_map(|d| files(d, &[".rs"])) {
        let Ok(text) = std::fs::read_to_string(&p) else {
            continue;
        };
        let test_file = p.components().any(|c| c.as_os_str() == "tests");
        for (name, in_test) in names_in(&text, test_file) {
            if in_test {
                tested.insert(name);
            } else {
                stated.entry(name).or_insert_with(|| short(&p));
            }
        }
    }
    for (name, file) in stated.iter().filter(|(n, _)| !tested.contains(*n)) {
        println!("warning: {file}: no test names INVARIANT ({name})");
    }
}

/// Ids of assumptions in the string literals of a text: `"A-SG-1"`.
fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    let literals = text.split('"').skip(1).step_by(2);
    literals.filter(|s| {
        s.strip_prefix("A-").is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-')
        })
    })
}

/// Every assumption that a verdict can lean on is explained.
fn assumptions(wrong: &mut Vec<String>) {
    let page = std::fs::read_to_string(root().join("docs/SOUNDNESS.md")).unwrap_or_default();
    let mut missing = BTreeSet::new();
    for p in files("crates", &[".rs"]) {
        // Line by line, so that an odd quote (a character, a raw string) spoils no more than its line.
        let text = std::fs::read_to_string(&p).unwrap_or_default();
        let ids = text.lines().flat_map(ids_in);
        missing.extend(
            ids.filter(|id| !page.contains(&format!("**{id}**")))
                .map(str::to_string),
        );
    }
    for id in missing {
        wrong.push(format!("docs/SOUNDNESS.md does not explain {id}"));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariants_are_told_from_their_tests() {
        let text = "// INVARIANT (one): x\n#[cfg(test)]\nmod tests {\n // INVARIANT (two)\n}";
        let found = names_in(text, false);
        assert_eq!(found, [("one".to_string(), false), ("two".to_string(), true)]);
        assert_eq!(
            names_in("// INVARIANT (three)", true),
            [("three".to_string(), true)]
        );
    }

    #[test]
    fn ids_of_assumptions_are_found_in_literals() {
        let found: Vec<&str> = ids_in(r#"v.extend(["A-SG-2", "A-CW", "A-", "A-b"]); // A-X"#).collect();
        assert_eq!(found, ["A-SG-2", "A-CW"]);
    }

    #[test]
    fn what_a_crate_may_use_is_transitive() {
        let mut may = BTreeSet::new();
        closure("check", &mut may);
        let may: Vec<&str> = may.iter().map(String::as_str).collect();
        assert_eq!(may, ["base", "lang", "model", "packet", "reach"]);
    }
}
