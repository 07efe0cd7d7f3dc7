//! A comment on a change: at most 60,000 characters, most important first, and it says what it left out.

use crate::run::{Run, What};
use crate::style::count;
use crate::text;
use bartizan_base::{Diagnostic, Finding, FixSafety, Severity, Sources, Verdict};

/// GitHub refuses comments of more than 65,536 characters.
pub const MAX_CHARS: usize = 60_000;

/// Room that is kept for the note about what was left out and for closing tags.
const RESERVE: usize = 600;

/// Text of a user inside Markdown: no markup, no mention, one line.
fn plain(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            '@' => out.push_str("@\u{200b}"),
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A message: parts in backticks stay code, the rest is plain.
fn message(s: &str) -> String {
    let parts: Vec<&str> = s.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return plain(s);
    }
    let each = parts
        .iter()
        .enumerate()
        .map(|(i, p)| if i % 2 == 1 { code(p) } else { plain(p) });
    each.collect()
}

/// Text of a user as code.
fn code(s: &str) -> String {
    let s: String = s
        .chars()
        .map(|c| if c == '`' || c.is_control() { '\'' } else { c })
        .collect();
    format!("`{s}`")
}

/// Text of a user inside HTML, where Markdown is not read.
fn html(s: &str) -> String {
    let s = s
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('@', "@\u{200b}");
    s.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Text of a user as code in a table cell.
fn cell(s: &str) -> String {
    code(s).replace('|', "\\|")
}

fn word(v: Verdict) -> &'static str {
    match v {
        Verdict::Holds => "holds",
        Verdict::Undecided => "**undecided**",
        Verdict::Violated => "**violated**",
    }
}

/// Blocks in order of importance; what no longer fits is counted.
struct Page {
    text: String,
    chars: usize,
    left_out: Vec<(String, usize)>,
}

impl Page {
    fn push(&mut self, what: &str, block: &str) -> bool {
        let n = block.chars().count();
        if self.chars + n + RESERVE > MAX_CHARS {
            match self.left_out.iter_mut().find(|l| l.0 == what) {
                Some(l) => l.1 += 1,
                None => self.left_out.push((what.to_string(), 1)),
            }
            return false;
        }
        self.text.push_str(block);
        self.chars += n;
        true
    }
}

/// The comment for the runs of one `check`.
#[must_use]
pub fn check(runs: &[Run<'_>]) -> String {
    let mut page = Page {
        text: String::new(),
        chars: 0,
        left_out: Vec::new(),
    };
    // The marker lets a bot find its own comment and edit it in place.
    page.push("headers", "<!-- bartizan:check -->\n");
    for run in runs {
        page.push("headers", &head(run));
    }
    for run in runs {
        for d in run.all_diagnostics().filter(|d| d.severity == Severity::Error) {
            page.push("errors in the input", &diagnostic(d, run.sources));
        }
    }
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for run in runs {
            for f in run.report.findings.iter().filter(|f| f.severity == severity) {
                page.push("findings", &finding(f, run.sources));
            }
        }
    }
    for run in runs {
        claims(run, &mut page);
        for d in run.all_diagnostics().filter(|d| d.severity != Severity::Error) {
            page.push("remarks", &diagnostic(d, run.sources));
        }
        not_understood(run, &mut page);
    }
    if !page.left_out.is_empty() {
        let list: Vec<String> = page
            .left_out
            .iter()
            .map(|(what, n)| format!("{n} {what}"))
            .collect();
        page.text.push_str(&format!(
            "\n> **Truncated** to {MAX_CHARS} characters; left out: {}. `bartizan check --format json` has everything.\n",
            list.join(", ")
        ));
    }
    page.text
}

fn head(run: &Run<'_>) -> String {
    let mark = match run.report.verdict {
        _ if run.claims_nothing() => "⚠️ Nothing checked",
        _ if run.bad_input() => "⚠️ Bad input",
        Verdict::Holds => "✅ Holds",
        Verdict::Undecided => "❔ Undecided",
        Verdict::Violated => "❌ Violated",
    };
    let (h, x, u) = (
        run.clauses(Verdict::Holds),
        run.clauses(Verdict::Violated),
        run.clauses(Verdict::Undecided),
    );
    let tests = if run.report.tests.is_empty() {
        String::new()
    } else {
        format!(
            ", {} of {} passed",
            run.tests(Verdict::Holds),
            count(run.report.tests.len(), "test")
        )
    };
    let name = run.network.map(|n| format!("{} ", plain(n))).unwrap_or_default();
    format!(
        "### {mark}: {name}{}\n\n{h} of {} proved, {x} violated, {u} undecided{tests}; {}; as of {}. Inventory {}{}\n\n",
        code(run.path),
        count(h + x + u, "clause"),
        count(run.report.findings.len(), "finding"),
        run.report.as_of,
        if run.inventory.sha256.is_empty() {
            "not hashed.".to_string()
        } else {
            format!("`{}`.", run.inventory.sha256)
        },
        if crate::summary::vouched(run) {
            " What is not modelled is taken to carry no packets (`A-UNMODELLED=harmless`)."
        } else {
            ""
        },
    )
}

fn places(labels: &[bartizan_base::Label], sources: &Sources) -> String {
    let (a, b): (Vec<_>, Vec<_>) = labels.iter().partition(|l| l.primary);
    let line = |l: &bartizan_base::Label| {
        let text = if l.text.is_empty() {
            String::new()
        } else {
            format!(": {}", message(&l.text))
        };
        format!("- {}{text}\n", code(&sources.place(l.span)))
    };
    a.into_iter().chain(b).take(6).map(line).collect()
}

fn diagnostic(d: &Diagnostic, sources: &Sources) -> String {
    let help = d.help.iter().map(|h| format!("- help: {}\n", message(h)));
    let notes = d.notes.iter().map(|n| format!("- note: {}\n", message(n)));
    let rest: String = help.chain(notes).collect();
    format!(
        "**{} {}** {}\n\n{}{rest}\n",
        d.severity,
        d.code,
        message(&d.message),
        places(&d.labels, sources)
    )
}

fn finding(f: &Finding, sources: &Sources) -> String {
    let mut out = format!("#### {} {}: {}\n\n", f.severity, f.code, message(&f.message));
    out.push_str(&places(&f.labels, sources));
    if let Some(c) = &f.clause {
        let also = if f.also.is_empty() {
            String::new()
        } else {
            format!(
                "; also {}",
                text::some(&f.also, 6, "claims")
                    .iter()
                    .map(|a| code(a))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        };
        out.push_str(&format!("- clause: {}{also}\n", code(c)));
    }
    for e in text::some(&f.excess, 12, "flows") {
        out.push_str(&format!("- flow: {}\n", code(&e)));
    }
    if let Some(fix) = &f.fix {
        let mark = match fix.safety {
            FixSafety::Safe => " (safe: loses no flow that the intent requires)",
            FixSafety::Unsafe => " (check first)",
            FixSafety::DisplayOnly => "",
        };
        out.push_str(&format!("- fix: {}{mark}\n", message(&fix.text)));
        for b in text::some(&fix.breaks, 6, "flows") {
            out.push_str(&format!("  - breaks: {}\n", message(&b)));
        }
    }
    for n in &f.notes {
        out.push_str(&format!("- note: {}\n", message(n)));
    }
    if let Some(w) = &f.witness {
        out.push_str(&format!(
            "\n<details><summary>Packet: {}</summary>\n\n",
            html(&text::packet(w))
        ));
        for (title, hops) in [("request", &w.path), ("reply", &w.reply)] {
            if hops.is_empty() {
                continue;
            }
            out.push_str(&format!(
                "| {title}: at | layer | rule | decision |\n|---|---|---|---|\n"
            ));
            for h in hops {
                out.push_str(&format!(
                    "| {} | {} | {} | {} |\n",
                    cell(&h.at),
                    plain(&h.layer),
                    cell(&h.rule),
                    plain(&h.decision)
                ));
            }
            out.push('\n');
        }
        out.push_str("</details>\n");
    }
    out.push('\n');
    out
}

/// Broken and undecided claims first; the rest folded away.
fn claims(run: &Run<'_>, page: &mut Page) {
    let row = |id: &str, text: &str, v: &str| format!("| {} | {} | {v} |\n", cell(id), cell(text));
    let mut loud = Vec::new();
    let mut quiet = Vec::new();
    for c in &run.report.clauses {
        let v = if c.in_force {
            word(c.verdict)
        } else {
            "not in force"
        };
        let r = row(&c.id, &c.text, v);
        if c.in_force && c.verdict != Verdict::Holds {
            loud.push(r)
        } else {
            quiet.push(r)
        }
    }
    for t in &run.report.tests {
        for (i, (text, v, _)) in t.statements.iter().enumerate() {
            let r = row(&format!("test {} {}", t.name, i + 1), text, word(*v));
            if *v == Verdict::Holds {
                quiet.push(r)
            } else {
                loud.push(r)
            }
        }
    }
    if loud.len() + quiet.len() == 0 {
        return;
    }
    let title = format!(
        "<details><summary>{} of {}</summary>\n\n| id | claim | verdict |\n|---|---|---|\n",
        count(loud.len() + quiet.len(), "claim"),
        html(run.path)
    );
    if !page.push("tables of claims", &title) {
        return;
    }
    for r in loud.iter().chain(&quiet) {
        page.push("claims", r);
    }
    // Fits: the reserve is there for it.
    page.text.push_str("\n</details>\n\n");
    page.chars += 13;
}

fn not_understood(run: &Run<'_>, page: &mut Page) {
    let list: Vec<_> = run
        .inventory
        .managed()
        .filter(|r| r.what == What::NotUnderstood)
        .collect();
    if list.is_empty() {
        return;
    }
    let title = format!(
        "<details><summary>{} not understood</summary>\n\n",
        count(list.len(), "resource")
    );
    if !page.push("lists of resources that are not understood", &title) {
        return;
    }
    for r in list {
        let why = r.why.first().map_or("", String::as_str);
        page.push(
            "resources that are not understood",
            &format!("- {}: {}\n", code(&r.address), message(why)),
        );
    }
    page.text.push_str("\n</details>\n\n");
    page.chars += 13;
}
