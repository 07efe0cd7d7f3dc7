//! What the tests of this crate have in common: a network and an intent, read from text.
#![allow(dead_code, reason = "each test file takes what it needs")]

pub(crate) mod open_host;
pub(crate) mod two_hosts;

use bartizan_base::{Severity, Sources, Verdict};
use bartizan_check::{CheckOptions, CheckReport, check};
use bartizan_lang::{Date, Intent};
use bartizan_model::{Inventory, Readings};
use bartizan_terraform::{FileSet, ReadOptions, read};

/// The inventory of Terraform files.
pub(crate) fn inventory(files: &[(&str, &str)]) -> Inventory {
    let mut sources = Sources::default();
    let mut set = FileSet::default();
    for (name, text) in files {
        set.add(&mut sources, name, *text);
    }
    read(&set, &mut sources, &ReadOptions::default())
}

/// An intent in which nothing is wrong.
pub(crate) fn intent(text: &str) -> Intent {
    let mut sources = Sources::default();
    let file = sources.add("intent.btz", text);
    let (tree, said) = bartizan_lang::parse(file, &sources);
    assert!(said.is_empty(), "{text}\n{said:?}");
    let (intent, said) = bartizan_lang::resolve(&[tree], &sources);
    assert!(
        said.iter().all(|d| d.severity != Severity::Error),
        "{text}\n{said:?}"
    );
    intent
}

/// Both, with the sources that the places in them are about.
pub(crate) fn read_both(net: &str, intent: &str) -> (Inventory, Intent) {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, "main.tf", net);
    let inv = read(&files, &mut sources, &ReadOptions::default());
    let file = sources.add("intent.btz", intent);
    let (tree, said) = bartizan_lang::parse(file, &sources);
    assert!(said.is_empty(), "{said:?}");
    let (intent, said) = bartizan_lang::resolve(&[tree], &sources);
    assert!(said.is_empty(), "{said:?}");
    (inv, intent)
}

/// The date that tests check as of.
pub(crate) fn today() -> Date {
    "2026-11-26".parse().unwrap()
}

/// The configuration of a vector.
pub(crate) fn vector(name: &str) -> String {
    let path = format!("{}/../../testdata/vectors/{name}.md", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let hcl = text.split("```hcl\n").nth(1).unwrap();
    hcl.split("```").next().unwrap().to_string()
}

/// What is said of a network by an intent under some readings.
pub(crate) fn run(net: &str, intent: &str, readings: Readings) -> CheckReport {
    let (inv, intent) = read_both(net, intent);
    check(&inv, &intent, today(), &CheckOptions { readings })
}

/// The same, which has to give these verdicts.
#[track_caller]
pub(crate) fn expect(net: &str, intent: &str, readings: Readings, want: &[Verdict]) -> CheckReport {
    let r = run(net, intent, readings);
    assert_eq!(verdicts(&r), want, "{intent}\n{:#?}", r.findings);
    r
}

/// The verdict of each clause, in order.
pub(crate) fn verdicts(r: &CheckReport) -> Vec<Verdict> {
    r.clauses.iter().map(|c| c.verdict).collect()
}
