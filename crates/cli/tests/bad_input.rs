//! Bad input ends with code 2 and a message that says what, where and what to do. Never a panic.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::{append, copy, run, run_in};

#[track_caller]
fn bad(o: &common::Output, parts: &[&str]) {
    let all = format!("{}{}", o.out, o.err);
    assert_eq!(o.code, 2, "{all}");
    assert!(
        !all.contains("panicked") && !all.contains("internal error"),
        "{all}"
    );
    for p in parts {
        assert!(all.contains(p), "no `{p}` in\n{all}");
    }
}

#[test]
fn a_path_that_is_not_there() {
    bad(
        &run(&["check", "nope"]),
        &[
            "error[INPUT001]: cannot read `nope`: no such file",
            "help: give a directory",
        ],
    );
}

#[test]
fn a_configuration_beside_a_directory() {
    bad(
        &run(&["check", "holds", "--config", "holds"]),
        &[
            "`--config` goes beside a plan, and `holds` is a directory",
            "help: leave it out",
        ],
    );
}

#[test]
fn a_directory_above_the_configurations() {
    let o = run_in(
        std::path::Path::new(&common::fixture("")).parent().unwrap(),
        &["check", "fixtures"],
    );
    bad(&o, &["no Terraform files in `fixtures`", "try `fixtures/holds`"]);
}

#[test]
fn files_that_are_something_else() {
    bad(
        &run(&["check", "holds/main.tf"]),
        &["one file of a configuration", "give the directory: `holds`"],
    );
    bad(
        &run(&["check", "holds/intent.btz"]),
        &["is an intent, not a network"],
    );
}

#[test]
fn an_intent_that_cannot_be_parsed() {
    let (_keep, dir) = copy("holds");
    append(&dir.join("intent.btz"), "never internet => db : any\n");
    bad(
        &run_in(&dir, &["check", "."]),
        &[
            "error[INTENT001]",
            "intent.btz:21:16",
            "never internet => db",
            "BAD INPUT",
        ],
    );
}

#[test]
fn an_intent_that_is_not_there() {
    let (_keep, dir) = copy("holds");
    std::fs::remove_file(dir.join("intent.btz")).unwrap();
    bad(
        &run_in(&dir, &["check", "."]),
        &["no intent (`*.btz`) beside `.`", "bartizan draft ."],
    );
    bad(
        &run_in(&dir, &["check", ".", "--intent", "x.btz"]),
        &["cannot read the intent `x.btz`"],
    );
}

#[test]
fn an_include_that_is_not_there() {
    let (_keep, dir) = copy("holds");
    append(&dir.join("intent.btz"), "include \"../org/rails.btz\"\n");
    let o = run_in(&dir, &["check", "."]);
    bad(
        &o,
        &[
            "cannot read the intent `../org/rails.btz`",
            "include \"../org/rails.btz\"",
            "included here",
        ],
    );
    assert_eq!(o.out.matches("error[").count(), 1, "said once: {}", o.out);
}

#[test]
fn a_zone_that_is_mistyped() {
    let o = run(&["why", "holds", "internet", "wbe", "tcp/22"]);
    bad(
        &o,
        &[
            "error[INTENT002]: `wbe` is no zone, resource or address",
            "did you mean `web`?",
        ],
    );
    bad(
        &run(&["why", "holds", "internet", "web", "tcpp/22"]),
        &["INTENT017", "`tcpp/22` is not a service"],
    );
    bad(
        &run(&["who", "holds", "10.0.3.99"]),
        &["INTENT009", "has no endpoint"],
    );
}

#[test]
fn a_truncated_plan() {
    let (_keep, dir) = copy("holds");
    std::fs::write(
        dir.join("plan.json"),
        "{\"format_version\":\"1.2\",\"planned_values\":{\"root_mod",
    )
    .unwrap();
    bad(&run_in(&dir, &["check", "plan.json"]), &["INPUT001", "plan.json"]);
    std::fs::write(dir.join("plan.json"), "{\"a\": 1}").unwrap();
    bad(
        &run_in(&dir, &["check", "plan.json"]),
        &["neither a plan, nor a state, nor a snapshot"],
    );
    std::fs::write(dir.join("tfplan"), b"PK\x03\x04\xff\xfe").unwrap();
    bad(
        &run_in(&dir, &["check", "tfplan"]),
        &["not UTF-8", "terraform show -json"],
    );
}

#[test]
fn a_file_that_is_not_utf8() {
    let (_keep, dir) = copy("holds");
    std::fs::write(dir.join("x.tf"), b"# one\n# caf\xe9\n").unwrap();
    bad(
        &run_in(&dir, &["check", "."]),
        &[
            "x.tf`: line 2 is not valid UTF-8",
            "save the file as UTF-8",
            "BAD INPUT",
        ],
    );
}

#[test]
fn a_configuration_that_cannot_be_parsed_is_no_proof() {
    let (_keep, dir) = copy("holds");
    std::fs::write(dir.join("x.tf"), "resource \"alicloud_vpc\" {\n").unwrap();
    bad(
        &run_in(&dir, &["check", "."]),
        &["INPUT001", "x.tf:", "BAD INPUT", "nothing above is a proof"],
    );
    bad(&run_in(&dir, &["who", ".", "db"]), &["INPUT001"]);
}

#[test]
fn usage() {
    bad(&run(&["check"]), &["PATH"]);
    bad(
        &run(&["check", "holds", "--as-of", "soon"]),
        &["expected a date such as 2027-01-31"],
    );
    bad(
        &run(&["check", "holds", "--assume", "A-X=y"]),
        &["there is no assumption `A-X`", "A-NACL-1=deny|allow"],
    );
    bad(
        &run(&["check", "holds", "--assume", "A-NACL-1=maybe"]),
        &["`maybe` is no reading of A-NACL-1", "deny|allow"],
    );
    bad(
        &run(&["who", "holds", "x", "--assume", "A-CW=open"]),
        &["A-CW has one reading only"],
    );
    bad(&run(&["check", "holds", "--var", "x"]), &["expected NAME=VALUE"]);
    bad(
        &run(&["explain", "REACH999"]),
        &["there is no code or assumption `REACH999`", "lists every code"],
    );
    bad(&run(&[]), &["Usage: bartizan"]);
    let help = run(&["check", "--help"]);
    assert!(help.code == 0 && help.out.contains("Examples:"));
}

#[test]
fn unreadable_files_and_loops_of_links() {
    let (_keep, dir) = copy("holds");
    std::os::unix::fs::symlink(".", dir.join("loop")).unwrap();
    std::os::unix::fs::symlink("gone.tf", dir.join("dangling.tf")).unwrap();
    append(&dir.join("main.tf"), "module \"m\" {\n  source = \"./loop\"\n}\n");
    let o = run_in(&dir, &["check", "."]);
    bad(&o, &["dangling.tf`: no such file"]);
}
