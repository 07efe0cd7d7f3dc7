//! The end of `check`: every clause with its verdict, the tests, the network and one line that says it all.

use crate::run::{Run, What};
use crate::style::{Mark, Style, clean, count, wrap};
use bartizan_base::{Severity, Verdict};
use bartizan_check::ClauseResult;
use std::collections::BTreeMap;

/// Renders everything that `check` has to say: diagnostics, findings, then the summary.
#[must_use]
pub fn check(run: &Run<'_>, style: Style) -> String {
    // Notes are for whoever works on the input; here they would bury what matters.
    // What is not modelled is counted at the end, named by findings where it decides, and listed by `inventory`.
    let loud = run
        .all_diagnostics()
        .filter(|d| d.severity == Severity::Error || d.severity == Severity::Warning && d.code != "INPUT003");
    let mut out = crate::text::diagnostics(loud, run.sources, style);
    for f in &run.report.findings {
        out.push_str(&crate::text::finding(f, run.sources, style));
        out.push('\n');
    }
    if run.bad_input() && run.report.clauses.is_empty() {
        // Nothing was judged; a table of nothing would look like a result.
        out.push_str(&verdict(run, style));
        out.push('\n');
        return out;
    }
    out.push_str(&summary(run, style));
    out
}

/// The summary alone.
#[must_use]
pub fn summary(run: &Run<'_>, style: Style) -> String {
    let mut out = String::new();
    let name = run
        .network
        .filter(|n| *n != run.path)
        .map(|n| format!("{}  ", style.bold(&clean(n))))
        .unwrap_or_default();
    let path = if name.is_empty() {
        style.bold(&clean(run.path))
    } else {
        clean(run.path)
    };
    out.push_str(&format!(
        "{name}{path}  {}\n\n",
        style.dim(&format!("as of {}", run.report.as_of))
    ));
    clauses(run, style, &mut out);
    tests(run, style, &mut out);
    row(&mut out, style, "zones", &zones(run, style));
    row(&mut out, style, "network", &network(run));
    row(&mut out, style, "findings", &findings(run));
    if vouched(run) {
        row(
            &mut out,
            style,
            "vouched",
            "what is not modelled is taken to carry no packets (A-UNMODELLED=harmless)",
        );
    }
    let mut assumed: Vec<&str> = Vec::new();
    for a in run.report.clauses.iter().flat_map(|c| &c.assumptions) {
        if !assumed.contains(&a.as_str()) {
            assumed.push(a);
        }
    }
    if !assumed.is_empty() {
        let text = format!("{} (bartizan explain ID)", clean(&assumed.join(", ")));
        row(&mut out, style, "assumes", &text);
    }
    let notes = run
        .all_diagnostics()
        .filter(|d| d.severity == Severity::Note)
        .count();
    if notes > 0 {
        let text = format!("{notes} about the input, not shown (bartizan intent lint, bartizan inventory)");
        row(&mut out, style, "notes", &text);
    }
    out.push('\n');
    out.push_str(&verdict(run, style));
    out.push('\n');
    out
}

/// Whether the user has vouched for what is not modelled, and there is any.
pub(crate) fn vouched(run: &Run<'_>) -> bool {
    run.report
        .clauses
        .iter()
        .any(|c| c.assumptions.iter().any(|a| a.starts_with("A-UNMODELLED")))
}

fn row(out: &mut String, style: Style, name: &str, text: &str) {
    for (i, l) in wrap(text, style.width.saturating_sub(10).max(40))
        .iter()
        .enumerate()
    {
        let head = if i == 0 {
            style.bold(&format!("{name:<9}"))
        } else {
            " ".repeat(9)
        };
        out.push_str(&format!("{head} {l}\n"));
    }
}

/// Codes of the findings by the id of a clause or test that they are about.
fn codes<'a>(run: &'a Run<'_>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut out: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for f in &run.report.findings {
        for id in f.clause.iter().chain(&f.also) {
            let v = out.entry(id).or_default();
            if !v.contains(&f.code) {
                v.push(f.code);
            }
        }
    }
    out
}

fn clauses(run: &Run<'_>, style: Style, out: &mut String) {
    let codes = codes(run);
    let mut groups: Vec<(Option<&str>, Vec<&ClauseResult>)> = Vec::new();
    for c in &run.report.clauses {
        let b = c.boundary.as_deref();
        match groups.iter_mut().find(|g| g.0 == b) {
            Some(g) => g.1.push(c),
            None => groups.push((b, vec![c])),
        }
    }
    for (boundary, list) in groups {
        let head = boundary.map_or_else(
            || "outside of boundaries".to_string(),
            |b| format!("boundary {}", clean(b)),
        );
        let in_force = list.iter().filter(|c| c.in_force).count();
        let good = list
            .iter()
            .filter(|c| c.in_force && c.verdict == Verdict::Holds)
            .count();
        let claims = list.iter().any(|c| c.in_force && c.claims);
        let tally = if !claims && in_force > 0 {
            "nothing is claimed".to_string()
        } else if good == in_force {
            format!("all {in_force} hold")
        } else {
            format!("{good} of {in_force} hold")
        };
        out.push_str(&format!("{}  {}\n", style.bold(&head), style.dim(&tally)));
        for c in list {
            out.push_str(&clause(c, codes.get(c.id.as_str()).map_or(&[][..], |v| v), style));
        }
        out.push('\n');
    }
}

fn clause(c: &ClauseResult, codes: &[&str], style: Style) -> String {
    let mark = if c.in_force {
        Mark::Of(c.verdict)
    } else {
        Mark::NotInForce
    };
    let mut text = clean(&c.text);
    // The id of an exception's clause begins with the exception.
    if let Some((owner, _)) = c.id.split_once('/')
        && c.boundary.as_deref() != Some(owner)
        && c.boundary.is_some()
    {
        text = format!("{}: {text}", clean(owner));
    }
    let mut out = String::new();
    let tail = if !c.in_force {
        style.dim("  not in force on this day")
    } else if c.verdict == Verdict::Holds {
        String::new()
    } else {
        let codes = if codes.is_empty() {
            String::new()
        } else {
            format!("  {}", codes.join(" "))
        };
        style.verdict(c.verdict, &format!("  {}{codes}", c.verdict))
    };
    let lines = wrap(&text, style.width.saturating_sub(30).max(40));
    for (i, l) in lines.iter().enumerate() {
        let l = if c.in_force { l.clone() } else { style.dim(l) };
        let end = if i + 1 == lines.len() { tail.as_str() } else { "" };
        let head = if i == 0 {
            format!("  {} ", style.mark(mark))
        } else {
            " ".repeat(6)
        };
        out.push_str(&format!("{head}{l}{end}\n"));
    }
    if c.in_force && c.verdict == Verdict::Undecided {
        for r in c.reasons.iter().take(2) {
            for (i, l) in wrap(&clean(r), style.width.saturating_sub(8).max(40))
                .iter()
                .enumerate()
            {
                let head = if i == 0 { "      " } else { "        " };
                out.push_str(&format!("{head}{}\n", style.dim(l)));
            }
        }
    }
    out
}

fn tests(run: &Run<'_>, style: Style, out: &mut String) {
    if run.report.tests.is_empty() {
        return;
    }
    let good = run.tests(Verdict::Holds);
    let n = run.report.tests.len();
    let tally = if good == n {
        format!("all {n} pass")
    } else {
        format!("{good} of {n} pass")
    };
    out.push_str(&format!("{}  {}\n", style.bold("tests"), style.dim(&tally)));
    for t in &run.report.tests {
        let held = t.statements.iter().filter(|s| s.1 == Verdict::Holds).count();
        let note = style.dim(&format!(
            "  {held} of {}",
            count(t.statements.len(), "expectation")
        ));
        out.push_str(&format!(
            "  {} {}{note}\n",
            style.mark(Mark::Of(t.verdict)),
            clean(&t.name)
        ));
        for (text, v, why) in t.statements.iter().filter(|s| s.1 != Verdict::Holds) {
            out.push_str(&format!("      {} {}\n", style.mark(Mark::Of(*v)), clean(text)));
            for r in why.iter().take(1) {
                out.push_str(&format!("        {}\n", style.dim(&clean(r))));
            }
        }
    }
    out.push('\n');
}

fn zones(run: &Run<'_>, style: Style) -> String {
    let one = |z: &bartizan_check::ZoneResult| {
        let n = z.members.len();
        match (n, z.public.is_empty()) {
            (0, false) => clean(&z.name),
            (n, _) => format!("{} {n}", clean(&z.name)),
        }
    };
    let list: Vec<String> = run.report.zones.iter().map(one).collect();
    if list.is_empty() {
        "none declared".to_string()
    } else {
        list.join(style.dot())
    }
}

fn network(run: &Run<'_>) -> String {
    let inv = run.inventory;
    let n = |w: What| inv.count(w);
    let mut parts = vec![format!("{} modelled", n(What::Modelled))];
    if n(What::Partly) > 0 {
        parts.push(format!("{} modelled in part", n(What::Partly)));
    }
    if n(What::Ignored) > 0 {
        parts.push(format!("{} with no bearing on packets", n(What::Ignored)));
    }
    if n(What::NotUnderstood) > 0 {
        parts.push(format!(
            "{} not understood (bartizan inventory)",
            n(What::NotUnderstood)
        ));
    }
    format!(
        "{}: {}",
        count(inv.managed().count(), "resource"),
        parts.join(", ")
    )
}

fn findings(run: &Run<'_>) -> String {
    let f = &run.report.findings;
    if f.is_empty() {
        return "none".to_string();
    }
    let n = |s: Severity| f.iter().filter(|x| x.severity == s).count();
    let mut parts = Vec::new();
    for (s, word) in [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Note, "note"),
    ] {
        if n(s) > 0 {
            parts.push(count(n(s), word));
        }
    }
    parts.join(", ")
}

/// The last line: the verdict and the counts behind it.
#[must_use]
pub fn verdict(run: &Run<'_>, style: Style) -> String {
    let v = run.report.verdict;
    if run.claims_nothing() {
        return format!(
            "{}  the intent claims nothing that this network could violate (INTENT019)",
            style.red("NOTHING CHECKED")
        );
    }
    if run.bad_input() {
        let n = run
            .all_diagnostics()
            .filter(|d| d.severity == Severity::Error)
            .count();
        return format!(
            "{}  {} in the input; nothing above is a proof until they are gone",
            style.red("BAD INPUT"),
            count(n, "error")
        );
    }
    let (h, x, u) = (
        run.clauses(Verdict::Holds),
        run.clauses(Verdict::Violated),
        run.clauses(Verdict::Undecided),
    );
    let mut parts = vec![format!("{h} of {} proved", count(h + x + u, "clause"))];
    if x > 0 {
        parts.push(format!("{x} violated"));
    }
    if u > 0 {
        parts.push(format!("{u} undecided"));
    }
    if !run.report.tests.is_empty() {
        parts.push(format!(
            "{} of {} passed",
            run.tests(Verdict::Holds),
            count(run.report.tests.len(), "test")
        ));
    }
    let word = match v {
        Verdict::Holds => "HOLDS",
        Verdict::Violated => "VIOLATED",
        Verdict::Undecided => "UNDECIDED",
    };
    format!(
        "{}  {}",
        style.verdict(v, &style.bold(word)),
        parts.join(style.dot())
    )
}
