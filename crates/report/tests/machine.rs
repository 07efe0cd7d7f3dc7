//! What machines read.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use bartizan_base::{Diagnostic, Finding};
use bartizan_report::{json, sarif};
use common::world;
use serde_json::Value;

fn schema() -> jsonschema::Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/check-1.json");
    let text = std::fs::read_to_string(path).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[test]
fn the_document_obeys_its_schema() {
    let w = world();
    let schema = schema();
    for out in [json::check(&[w.run()]), json::check(&[w.run(), w.run()])] {
        let v: Value = serde_json::from_str(&out).unwrap();
        let errors: Vec<String> = schema
            .iter_errors(&v)
            .map(|e| format!("{} at {}", e, e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

#[test]
fn the_schema_notices_what_is_wrong() {
    let w = world();
    let schema = schema();
    let good: Value = serde_json::from_str(&json::check(&[w.run()])).unwrap();
    let spoil: [fn(&mut Value); 5] = [
        |v| v["version"] = 2.into(),
        |v| v["verdict"] = "fine".into(),
        |v| v["findings"][0]["code"] = "reach1".into(),
        |v| drop(v["findings"][0].as_object_mut().unwrap().remove("witness")),
        |v| drop(v.as_object_mut().unwrap().remove("inventory")),
    ];
    for f in spoil {
        let mut v = good.clone();
        f(&mut v);
        assert!(!schema.is_valid(&v), "{v}");
    }
}

#[test]
fn the_names_of_the_format_are_those_of_its_documentation() {
    let w = world();
    let v: Value = serde_json::from_str(&json::check(&[w.run()])).unwrap();
    let f = &v["findings"][0];
    assert_eq!(v["version"], 1);
    assert_eq!(v["verdict"], "violated");
    assert_eq!(v["as_of"], "2026-11-23");
    assert_eq!(v["inventory"]["resources"], 3);
    assert_eq!(v["inventory"]["not_understood"][0]["address"], "alicloud_slb.x");
    assert_eq!(v["clauses"][0]["location"]["line"], 2);
    assert_eq!(f["witness"]["path"][1]["layer"], "security group ingress");
    assert_eq!(f["witness"]["source_port"], 32768);
    assert_eq!(f["locations"][0]["file"], "prod/network.tf");
    assert_eq!(f["locations"][0]["line"], 3);
    assert_eq!(f["fix"]["safety"], "safe");
    let doc = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/json.md")).unwrap();
    let mut names = Vec::new();
    fn walk(v: &Value, out: &mut Vec<String>) {
        match v {
            Value::Object(m) => m.iter().for_each(|(k, v)| {
                out.push(k.clone());
                walk(v, out);
            }),
            Value::Array(a) => a.iter().for_each(|v| walk(v, out)),
            _ => {}
        }
    }
    walk(&v, &mut names);
    for n in names {
        assert!(
            doc.contains(&format!("`{n}`")),
            "docs/json.md does not describe `{n}`"
        );
    }
}

#[test]
fn sarif_has_rules_places_fingerprints_and_the_path() {
    let w = world();
    let v: Value = serde_json::from_str(&sarif::check(&[w.run()])).unwrap();
    assert_eq!(v["version"], "2.1.0");
    let run = &v["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for r in results {
        let rule = &run["tool"]["driver"]["rules"][r["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], r["ruleId"]);
        assert!(!r["locations"].as_array().unwrap().is_empty());
    }
    let r = &results[0];
    assert_eq!(r["level"], "error");
    assert_eq!(
        r["partialFingerprints"]["bartizan/v1"],
        "00112233445566778899aabbccddeeff"
    );
    let place = &r["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "prod/network.tf");
    assert_eq!(place["region"]["startLine"], 3);
    assert_eq!(place["region"]["endColumn"], 24);
    assert_eq!(
        r["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "prod/intent.btz"
    );
    assert_eq!(r["codeFlows"].as_array().unwrap().len(), 2);
    assert_eq!(
        r["codeFlows"][0]["threadFlows"][0]["locations"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(run["columnKind"], "unicodeCodePoints");
}

/// Code scanning refuses a log in which a result has no place, and shows none without a line.
#[test]
fn every_result_of_sarif_has_a_line() {
    let mut w = world();
    let bare = {
        let mut f = w.report.findings[0].clone();
        f.labels.clear();
        f
    };
    let of_test = Finding {
        clause: Some("test \"checkout\" 2".into()),
        ..bare.clone()
    };
    let of_nothing = Finding {
        clause: None,
        ..bare.clone()
    };
    let mut related = w.report.findings[0].clone();
    related.labels.retain(|l| !l.primary);
    related.labels[0].text.clear();
    w.report.findings = vec![bare, of_test, of_nothing, related];
    w.diagnostics
        .push(Diagnostic::error("INPUT001", "nothing can be read"));
    let places = |w: &common::World| -> Vec<(String, u64)> {
        let v: Value = serde_json::from_str(&sarif::check(&[w.run()])).unwrap();
        let results = v["runs"][0]["results"].as_array().unwrap().clone();
        let place = |r: &Value| {
            let p = &r["locations"][0]["physicalLocation"];
            let uri = p["artifactLocation"]["uri"].as_str().unwrap().to_string();
            (uri, p["region"]["startLine"].as_u64().unwrap())
        };
        results.iter().map(place).collect()
    };
    let line = |id: &str| u64::from(w.report.clauses.iter().find(|c| c.id == id).unwrap().span.line);
    let btz = "prod/intent.btz".to_string();
    let first = line("prod/never-1");
    let got = places(&w);
    assert_eq!(got[0], (btz.clone(), first));
    assert_eq!(got[1], (btz.clone(), u64::from(w.report.tests[0].span.line)));
    assert_eq!(got[2], (btz.clone(), first));
    assert_eq!(got[3].0, btz);
    assert!(
        got.iter().all(|(uri, line)| !uri.is_empty() && *line > 0),
        "{got:?}"
    );
    // Without an intent the path that was checked is left.
    w.report.clauses.clear();
    w.report.tests.clear();
    assert_eq!(places(&w)[0], (w.run().path.to_string(), 1));
}

/// Build servers group cases by class, and some drop what has none.
#[test]
fn every_case_of_junit_has_a_class_and_every_failure_a_type() {
    let mut w = world();
    for c in &mut w.report.clauses {
        c.boundary = None;
    }
    w.report.findings.clear();
    let text = bartizan_report::junit::check(&[w.run()]);
    assert!(!text.contains("classname=\"\""), "{text}");
    assert!(text.contains("classname=\"outside of boundaries\""), "{text}");
    for element in ["<failure ", "<error "] {
        assert!(text.contains(element), "{text}");
        for rest in text.split(element).skip(1) {
            assert!(rest.split('>').next().unwrap().contains(" type=\""), "{text}");
        }
    }
}
