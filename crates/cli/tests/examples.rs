//! The shipped examples: the shop holds, and every planted fault gives exactly the finding that
//! `examples/faults.json` declares, at the place it names.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs `bartizan check` on an example; exit code and report.
fn check(name: &str, format: &str) -> (i32, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_bartizan"))
        .args([
            "check",
            &format!("examples/{name}"),
            "--as-of",
            "2026-11-23",
            "--format",
            format,
        ])
        .current_dir(root())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
}

fn faults() -> Vec<Value> {
    let text = std::fs::read_to_string(root().join("examples/faults.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_clause_of_the_shop_and_the_enterprise_holds() {
    for (name, clauses) in [("shop", 14), ("enterprise", 30)] {
        let (code, out) = check(name, "json");
        let v: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(code, 0, "{out}");
        assert_eq!(v["verdict"], "holds");
        assert_eq!(v["findings"].as_array().unwrap().len(), 0, "{out}");
        assert!(v["clauses"].as_array().unwrap().len() >= clauses, "{out}");
        assert!(
            v["clauses"]
                .as_array()
                .unwrap()
                .iter()
                .all(|c| c["verdict"] == "holds")
        );
        assert_eq!(v["inventory"]["not_understood"].as_array().unwrap().len(), 0);
    }
}

#[test]
fn every_planted_fault_gives_its_one_finding() {
    let faults = faults();
    assert_eq!(faults.len(), 22);
    for f in &faults {
        let name = f["name"].as_str().unwrap();
        let (code, out) = check(name, "json");
        assert_eq!(i64::from(code), f["exit"].as_i64().unwrap(), "{name}: {out}");
        let v: Value = serde_json::from_str(&out).unwrap();
        let findings = v["findings"].as_array().unwrap();
        let Some(want) = f["code"].as_str() else {
            assert!(findings.is_empty(), "{name}: {out}");
            continue;
        };
        assert_eq!(findings.len(), 1, "{name}: {out}");
        let got = &findings[0];
        assert_eq!(got["code"], want, "{name}");
        // What no one place causes is told at the clause.
        let Some(at) = f["at"][0].as_str() else {
            let (_, pretty) = check(name, "pretty");
            let says = f["says"].as_array().into_iter().flatten();
            for s in says.map(|s| s.as_str().unwrap()) {
                assert!(pretty.contains(s), "{name} does not say {s}:\n{pretty}");
            }
            continue;
        };
        let file = format!("examples/{name}/{at}");
        let place = &got["locations"][0];
        assert_eq!(place["file"], file.as_str(), "{name}");
        let text = std::fs::read_to_string(root().join(&file)).unwrap();
        let line = text
            .lines()
            .nth(usize::try_from(place["line"].as_u64().unwrap()).unwrap() - 1)
            .unwrap();
        let want = f["at"][1].as_str().unwrap();
        // An entry of an ACL is named by the line that opens its block; the name is a line inside of it.
        let inside: String = text
            .lines()
            .skip(usize::try_from(place["line"].as_u64().unwrap()).unwrap() - 1)
            .take(2)
            .collect::<Vec<_>>()
            .join("\n");
        assert!(line == want || inside.contains(want), "{name}: line is {line:?}");
        let (_, pretty) = check(name, "pretty");
        for s in f["says"].as_array().into_iter().flatten() {
            assert!(
                pretty.contains(s.as_str().unwrap()),
                "{name} does not say {s}:\n{pretty}"
            );
        }
        // Witness and path come with every violated claim that has one.
        if code == 1 && got["code"] != "REACH006" {
            assert!(
                !got["witness"]["path"].as_array().unwrap().is_empty(),
                "{name}: {got}"
            );
        }
    }
}
