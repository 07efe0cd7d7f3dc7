//! JUnit XML, as build servers read it: one test case per clause and one per expectation of a test.

use crate::run::Run;
use crate::style::Style;
use crate::text;
use bartizan_base::{Severity, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The report of the runs of one `check`: one suite per boundary and test of each path.
///
/// Violated claims are failures; undecided ones and unusable input are errors; claims that are not in force
/// are skipped.
#[must_use]
pub fn check(runs: &[Run<'_>]) -> String {
    let mut report = Report::new("bartizan");
    for run in runs {
        suites(run, &mut report);
    }
    // INVARIANT (valid names): quick-junit replaces what XML cannot hold.
    report.to_string().unwrap_or_default()
}

fn suites(run: &Run<'_>, report: &mut Report) {
    let mut groups: Vec<(String, TestSuite)> = Vec::new();
    let mut add = |name: String, case: TestCase| match groups.iter_mut().find(|g| g.0 == name) {
        Some((_, s)) => {
            s.add_test_case(case);
        }
        None => {
            let mut s = TestSuite::new(name.clone());
            s.add_test_case(case);
            groups.push((name, s));
        }
    };
    for c in &run.report.clauses {
        let suite = format!("{}: {}", run.path, c.boundary.as_deref().unwrap_or("outside of boundaries"));
        let status = if c.in_force {
            status(run, c.verdict, &c.id, &c.reasons)
        } else {
            let mut s = TestCaseStatus::skipped();
            s.set_message("not in force on this day");
            s
        };
        let mut case = TestCase::new(format!("{}: {}", c.id, c.text), status);
        case.set_classname(c.boundary.clone().unwrap_or_default());
        add(suite, case);
    }
    for t in &run.report.tests {
        for (i, (text, verdict, reasons)) in t.statements.iter().enumerate() {
            let id = format!("test \"{}\" {}", t.name, i + 1);
            let mut case = TestCase::new(text.clone(), status(run, *verdict, &id, reasons));
            case.set_classname(format!("test {}", t.name));
            add(format!("{}: test {}", run.path, t.name), case);
        }
    }
    // A finding that belongs to no claim, and input that cannot be used, must not vanish.
    let plain = Style { color: false, unicode: true, width: 100 };
    for f in run.report.findings.iter().filter(|f| f.clause.is_none() && f.severity == Severity::Error) {
        let mut s = TestCaseStatus::non_success(NonSuccessKind::Failure);
        s.set_message(f.message.clone()).set_type(f.code).set_description(text::finding(f, run.sources, plain));
        add(format!("{}: network", run.path), TestCase::new(format!("{}: {}", f.code, f.subject), s));
    }
    for d in run.all_diagnostics().filter(|d| d.severity == Severity::Error) {
        let mut s = TestCaseStatus::non_success(NonSuccessKind::Error);
        s.set_message(d.message.clone()).set_type(d.code).set_description(text::diagnostic(d, run.sources, plain));
        add(format!("{}: input", run.path), TestCase::new(format!("{}: {}", d.code, d.message), s));
    }
    for (_, s) in groups {
        report.add_test_suite(s);
    }
}

fn status(run: &Run<'_>, verdict: Verdict, id: &str, reasons: &[String]) -> TestCaseStatus {
    let kind = match verdict {
        Verdict::Holds => return TestCaseStatus::success(),
        Verdict::Violated => NonSuccessKind::Failure,
        Verdict::Undecided => NonSuccessKind::Error,
    };
    let plain = Style { color: false, unicode: true, width: 100 };
    let about = run.report.findings.iter().filter(|f| f.clause.iter().chain(&f.also).any(|c| c == id));
    let mut code = "";
    let mut message = reasons.first().cloned().unwrap_or_else(|| verdict.to_string());
    let mut body = String::new();
    for (i, f) in about.enumerate() {
        if i == 0 {
            code = f.code;
            message.clone_from(&f.message);
        }
        body.push_str(&text::finding(f, run.sources, plain));
        body.push('\n');
    }
    let mut s = TestCaseStatus::non_success(kind);
    s.set_message(message).set_type(if code.is_empty() { "REACH007" } else { code });
    if !body.is_empty() {
        s.set_description(body);
    }
    s
}
