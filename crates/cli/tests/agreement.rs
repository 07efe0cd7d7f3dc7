//! The questions are answered by different walks over the engine; on the examples they must agree.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::run_in;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

fn ask(args: &[&str]) -> Value {
    let examples = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let mut all = args.to_vec();
    all.extend(["--as-of", "2026-11-23", "--format", "json"]);
    let o = run_in(&examples, &all);
    assert_eq!(o.code, 0, "{args:?}: {}", o.err);
    serde_json::from_str(&o.out).unwrap()
}

fn text(v: &Value) -> String {
    v.as_str().unwrap_or_default().to_string()
}

const EXAMPLES: &[&str] = &[
    "shop",
    "db-eip",
    "db-nat-route",
    "dev-to-prod",
    "ipv6-open",
    "inner-access-between-tiers",
];

#[test]
fn the_matrix_who_and_blast_tell_the_same() {
    for example in EXAMPLES {
        let m = ask(&["reach", example, "--by", "resource"]);
        let mut into: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut out_of: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for e in m["entries"].as_array().unwrap() {
            let (a, b, s) = (text(&e["from"]), text(&e["to"]), text(&e["services"]));
            into.entry(b.clone()).or_default().insert(a.clone(), s.clone());
            out_of.entry(a).or_default().insert(b, s);
        }
        let resources: Vec<String> = m["groups"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|g| !g["members"].as_array().unwrap().is_empty())
            .map(|g| text(&g["name"]))
            .collect();
        assert!(resources.len() > 5, "{example}");
        for r in &resources {
            let mut sources = BTreeMap::new();
            let mut public = false;
            for s in ask(&["who", example, r])["sources"].as_array().unwrap() {
                public |= s["public"] != "";
                for name in s["resources"].as_array().unwrap() {
                    sources.insert(text(name), text(&s["services"]));
                }
            }
            let mut expected = into.get(r).cloned().unwrap_or_default();
            let all = expected.len();
            expected.retain(|k, _| resources.contains(k));
            assert_eq!(sources, expected, "{example}: who {r}");
            assert_eq!(
                public,
                all > expected.len(),
                "{example}: who of the Internet reaches {r}"
            );
        }
        let start = &resources[0];
        let b = ask(&["blast", example, start]);
        let first: BTreeMap<String, String> = b["steps"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|s| s["depth"] == 1)
            .map(|s| (text(&s["resource"]), text(&s["services"])))
            .collect();
        let mut expected = out_of.get(start).cloned().unwrap_or_default();
        expected.retain(|k, _| resources.contains(k) && k != start);
        assert_eq!(first, expected, "{example}: blast {start}");
    }
}

#[test]
fn why_answers_as_the_matrix_says() {
    for example in EXAMPLES {
        let m = ask(&["reach", example]);
        let names: Vec<String> = m["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|g| text(&g["name"]))
            .collect();
        for (a, b) in [
            ("web", "app"),
            ("app", "db"),
            ("web", "db"),
            ("devbox", "db"),
            ("internet", "bastion"),
        ] {
            if !names.iter().any(|n| n == a) {
                continue;
            }
            let entry = m["entries"]
                .as_array()
                .unwrap()
                .iter()
                .find(|e| e["from"] == a && e["to"] == b);
            let y = ask(&["why", example, a, b, "any"]);
            let delivered = y["cases"]
                .as_array()
                .unwrap()
                .iter()
                .any(|c| c["answer"] != "blocked");
            // `internet` is a zone of the examples: what is left of the public addresses beside the others.
            assert_eq!(delivered, entry.is_some(), "{example}: {a} -> {b}\n{y:#}");
            for c in y["cases"].as_array().unwrap() {
                let way = c["ways"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|w| w["delivered"] == true);
                assert_eq!(
                    way,
                    c["answer"] != "blocked",
                    "{example}: {a} -> {b} is traced as it is answered"
                );
            }
        }
    }
}
