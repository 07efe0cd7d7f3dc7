//! JUnit XML, as build servers read it: one test case per clause and one per expectation of a test.
//!
//! Written by hand: the format is four elements, and a library for it would double what a cold build compiles.

use crate::run::Run;
use crate::style::Style;
use crate::text;
use bartizan_base::{Severity, Verdict};

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Success,
    Skipped,
    Failure,
    Error,
}

struct Case {
    name: String,
    class: String,
    kind: Kind,
    message: String,
    code: String,
    body: String,
}

struct Suite {
    name: String,
    cases: Vec<Case>,
}

impl Suite {
    fn count(&self, kind: Kind) -> usize {
        self.cases.iter().filter(|c| c.kind == kind).count()
    }
}

/// The report of the runs of one `check`: one suite per boundary and test of each path.
///
/// Violated claims are failures; undecided ones and unusable input are errors; claims that are not in force
/// are skipped.
#[must_use]
pub fn check(runs: &[Run<'_>]) -> String {
    let suites: Vec<Suite> = runs.iter().flat_map(suites).collect();
    let counts = |list: &[Suite]| {
        let n = |k| list.iter().map(|s| s.count(k)).sum::<usize>();
        let tests: usize = list.iter().map(|s| s.cases.len()).sum();
        let (failures, errors) = (n(Kind::Failure), n(Kind::Error));
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"")
    };
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!("<testsuites name=\"bartizan\" {}>\n", counts(&suites)));
    for s in &suites {
        out.push_str(&format!(
            "  <testsuite name=\"{}\" {} skipped=\"{}\">\n",
            xml(&s.name),
            counts(std::slice::from_ref(s)),
            // The element around them has no such attribute in the schema that Jenkins checks.
            s.count(Kind::Skipped)
        ));
        s.cases.iter().for_each(|c| case(c, &mut out));
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(c: &Case, out: &mut String) {
    let head = format!(
        "    <testcase name=\"{}\" classname=\"{}\"",
        xml(&c.name),
        xml(&c.class)
    );
    let element = match c.kind {
        Kind::Success => return out.push_str(&format!("{head}/>\n")),
        Kind::Skipped => "skipped",
        Kind::Failure => "failure",
        Kind::Error => "error",
    };
    // Some readers want a type for every failure and error: what has no code is its kind.
    let kind = match (c.code.as_str(), c.kind) {
        ("", Kind::Failure) => "violated",
        ("", Kind::Error) => "undecided",
        (code, _) => code,
    };
    let code = match kind {
        "" => String::new(),
        kind => format!(" type=\"{}\"", xml(kind)),
    };
    let body = if c.body.is_empty() {
        "/>".to_string()
    } else {
        format!(">{}</{element}>", xml(&c.body))
    };
    out.push_str(&format!(
        "{head}>\n      <{element} message=\"{}\"{code}{body}\n    </testcase>\n",
        xml(&c.message)
    ));
}

/// Text inside an element or attribute. What XML 1.0 cannot hold at all becomes a replacement character.
fn xml(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn suites(run: &Run<'_>) -> Vec<Suite> {
    let mut list: Vec<Suite> = Vec::new();
    let mut add = |name: String, case: Case| match list.iter_mut().find(|s| s.name == name) {
        Some(s) => s.cases.push(case),
        None => list.push(Suite {
            name,
            cases: vec![case],
        }),
    };
    for c in &run.report.clauses {
        // Build servers group by class: an empty one is lost, or shown as a blank.
        let class = c.boundary.as_deref().unwrap_or("outside of boundaries");
        let suite = format!("{}: {class}", run.path);
        let mut case = claim(run, c.verdict, &c.id, &c.reasons);
        if !c.in_force {
            case.kind = Kind::Skipped;
            case.message = "not in force on this day".to_string();
        }
        add(
            suite,
            Case {
                name: format!("{}: {}", c.id, c.text),
                class: class.to_string(),
                ..case
            },
        );
    }
    for t in &run.report.tests {
        for (i, (text, verdict, reasons)) in t.statements.iter().enumerate() {
            let id = format!("test \"{}\" {}", t.name, i + 1);
            let case = claim(run, *verdict, &id, reasons);
            let name = format!("test {}", t.name);
            add(
                format!("{}: {name}", run.path),
                Case {
                    name: text.clone(),
                    class: name,
                    ..case
                },
            );
        }
    }
    // A finding that belongs to no claim, and input that cannot be used, must not vanish.
    for f in run
        .report
        .findings
        .iter()
        .filter(|f| f.clause.is_none() && f.severity == Severity::Error)
    {
        let case = Case {
            name: format!("{}: {}", f.code, f.subject),
            class: "network".to_string(),
            kind: Kind::Failure,
            message: f.message.clone(),
            code: f.code.to_string(),
            body: text::finding(f, run.sources, Style::default()),
        };
        add(format!("{}: network", run.path), case);
    }
    for d in run.all_diagnostics().filter(|d| d.severity == Severity::Error) {
        let case = Case {
            name: format!("{}: {}", d.code, d.message),
            class: "input".to_string(),
            kind: Kind::Error,
            message: d.message.clone(),
            code: d.code.to_string(),
            body: text::diagnostic(d, run.sources, Style::default()),
        };
        add(format!("{}: input", run.path), case);
    }
    list
}

/// A claim with everything that was found about it.
fn claim(run: &Run<'_>, verdict: Verdict, id: &str, reasons: &[String]) -> Case {
    let kind = match verdict {
        Verdict::Holds => Kind::Success,
        Verdict::Violated => Kind::Failure,
        Verdict::Undecided => Kind::Error,
    };
    let mut case = Case {
        name: String::new(),
        class: String::new(),
        kind,
        message: reasons.first().cloned().unwrap_or_else(|| verdict.to_string()),
        code: String::new(),
        body: String::new(),
    };
    if kind == Kind::Success {
        return case;
    }
    let about = run
        .report
        .findings
        .iter()
        .filter(|f| f.clause.iter().chain(&f.also).any(|c| c == id));
    for (i, f) in about.enumerate() {
        if i == 0 {
            case.code = f.code.to_string();
            case.message.clone_from(&f.message);
        }
        case.body
            .push_str(&text::finding(f, run.sources, Style::default()));
        case.body.push('\n');
    }
    case
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_users_stays_text() {
        assert_eq!(
            xml("a<b> & \"c\"\x07\n"),
            "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}\n"
        );
    }
}
