//! The examples and tables of `docs/language.md` say what the code does.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use bartizan_base::FileId;
use bartizan_lang::{PREDEFINED_SERVICES, format, parse_text};

const REFERENCE: &str = include_str!("../../../docs/language.md");

/// The unmarked code blocks of the reference.
fn examples() -> Vec<&'static str> {
    let mut out = Vec::new();
    for (i, part) in REFERENCE.split("```").enumerate() {
        if i % 2 == 1 && part.starts_with('\n') {
            out.push(&part[1..]);
        }
    }
    out
}

#[test]
fn every_example_parses_and_is_in_canonical_layout() {
    let all = examples();
    assert_eq!(all.len(), 5);
    for text in &all {
        let (_, problems) = parse_text(FileId(0), text);
        assert!(problems.is_empty(), "{text}\n{problems:#?}");
    }
    assert_eq!(format(all[0]).unwrap(), all[0]);
}

#[test]
fn every_predefined_service_is_listed() {
    for (name, meaning) in PREDEFINED_SERVICES {
        let meaning = if *name == "any" { "everything" } else { meaning };
        assert!(
            REFERENCE.contains(&format!("| `{name}` | {meaning} |")),
            "{name} is not listed"
        );
    }
}
