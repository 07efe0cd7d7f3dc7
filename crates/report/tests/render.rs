//! What people read.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use bartizan_base::{Diagnostic, Severity};
use bartizan_report::{Style, inventory, junit, markdown, summary, text};
use common::world;

#[test]
fn a_finding_quotes_its_source_and_says_what_to_do() {
    let w = world();
    let out = text::finding(
        &w.report.findings[0],
        &w.sources,
        Style {
            unicode: false,
            ..Style::default()
        },
    );
    println!("{out}");
    for part in [
        "error[REACH001]: internet can reach app on tcp/22",
        " --> prod/network.tf:3:3",
        "3 |   cidr_ip = \"0.0.0.0/1\"",
        "^^^^^^^^^^^^^^^^^^^^^ accepts ingress tcp/22 from 0.0.0.0/1",
        "prod/intent.btz:2:3",
        "against `never internet -> app : any`",
        "  clause   prod/never-1",
        "  path     internet -> alicloud_eip.web -> alicloud_instance.app",
        "  packet   tcp internet (1.0.0.0:32768) -> alicloud_instance.app (10.20.1.7:22)",
        "  fix      delete `alicloud_security_group_rule.tmp_ssh`  [safe",
        "  explain  bartizan explain REACH001",
    ] {
        assert!(out.contains(part), "no `{part}` in\n{out}");
    }
    assert!(!out.contains('\x1b'));
}

#[test]
fn a_place_without_text_is_still_named() {
    let w = world();
    let out = text::finding(&w.report.findings[1], &w.sources, Style::default());
    assert!(out.contains("--> plan.json"), "{out}");
}

#[test]
fn colours_only_where_asked_for() {
    let w = world();
    let out = summary::check(
        &w.run(),
        Style {
            color: true,
            ..Style::default()
        },
    );
    assert!(out.contains('\x1b'));
    assert!(!summary::check(&w.run(), Style::default()).contains('\x1b'));
}

#[test]
fn the_summary_marks_every_claim() {
    let w = world();
    let out = summary::summary(&w.run(), Style::default());
    println!("{out}");
    for part in [
        "  ✗ never internet -> app : any  violated  REACH001",
        "  ✓ allow app -> db : mysql\n",
        "  – EX-1: allow app -> db : ssh  not in force on this day",
        "  ? prod governs app  undecided  REACH001 REACH007",
        "boundary prod  1 of 3 hold",
        "  ✗ checkout  1 of 2 expectations",
        "3 resources: 1 modelled, 1 with no bearing on packets, 1 not understood",
        "VIOLATED  1 of 3 clauses proved · 1 violated · 1 undecided · 0 of 1 test passed",
    ] {
        assert!(out.contains(part), "no `{part}` in\n{out}");
    }
}

#[test]
fn errors_in_the_input_take_the_last_word() {
    let mut w = world();
    w.diagnostics
        .push(Diagnostic::error("INPUT001", "`x.tf` is not valid HCL"));
    let out = summary::check(&w.run(), Style::default());
    assert!(
        out.trim_end()
            .ends_with("BAD INPUT  1 error in the input; nothing above is a proof until they are gone")
    );
}

#[test]
fn the_inventory_names_what_is_not_understood() {
    let w = world();
    let out = inventory::text(&w.inventory, &w.sources, false, Style::default());
    assert!(
        out.contains("not understood (1)\n  alicloud_slb.x  prod/network.tf:1:1\n      load balancers"),
        "{out}"
    );
    assert!(
        !out.contains("alicloud_oss_bucket.b"),
        "one line for each only with --all: {out}"
    );
    let all = inventory::text(&w.inventory, &w.sources, true, Style::default());
    assert!(all.contains("alicloud_oss_bucket.b"));
}

#[test]
fn markdown_is_bounded_and_says_what_it_left_out() {
    let mut w = world();
    let small = markdown::check(&[w.run()]);
    assert!(
        small.contains("❌ Violated")
            && small.contains("#### error REACH001")
            && !small.contains("Truncated")
    );
    assert!(
        small.contains(r"accept tcp/22 \| 0.0.0.0/1"),
        "a bar would end the cell: {small}"
    );
    let one = w.report.findings[0].clone();
    w.report.findings = (0..500).map(|_| one.clone()).collect();
    let note = {
        let mut f = one;
        f.severity = Severity::Note;
        f.code = "SG001";
        f
    };
    w.report.findings.insert(0, note);
    let out = markdown::check(&[w.run()]);
    assert!(
        out.chars().count() <= markdown::MAX_CHARS,
        "{}",
        out.chars().count()
    );
    assert!(out.contains("**Truncated**") && out.contains("findings"));
    assert_eq!(
        out.matches("<details>").count(),
        out.matches("</details>").count()
    );
    assert!(!out.contains("SG001"), "notes come after errors");
}

#[test]
fn markup_of_users_is_shown_as_text() {
    let mut w = world();
    w.report.findings[0].message = "zone `a`|<script> @team **x**".into();
    let out = markdown::check(&[w.run()]);
    assert!(
        out.contains(r"zone `a`\|\<script\> @") && !out.contains("@team") && !out.contains("**x**"),
        "{out}"
    );
}

#[test]
fn junit_has_a_case_for_every_claim() {
    let w = world();
    let out = junit::check(&[w.run()]);
    println!("{out}");
    assert!(
        out.contains(r#"<testsuites name="bartizan" tests="6" failures="2" errors="1">"#),
        "{out}"
    );
    assert_eq!(out.matches(r#" skipped="1">"#).count(), 1, "{out}");
    assert_eq!(out.matches("<skipped").count(), 1);
    assert!(
        out.contains("tcp internet (1.0.0.0:32768) -&gt; "),
        "text is escaped"
    );
    assert!(out.contains(r#"type="REACH001""#) && out.contains("internet can reach app on tcp/22"));
}
