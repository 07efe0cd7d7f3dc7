//! What single failures do, as text, JSON and Markdown.

use crate::query::document;
use crate::style::{Style, clean, wrap};
use bartizan_base::{Sources, Span};
use bartizan_check::query::{Affected, Effect, Failover, Failure};
use serde_json::{Value, json};

fn place(s: Span, sources: &Sources) -> String {
    format!("{}:{}", clean(sources.name(s.file)), s.line)
}

fn tally(f: &Failover) -> String {
    let of = |e: Effect| {
        let hit = |x: &&Failure| x.affected.iter().any(|a| a.effect == e);
        f.failures.iter().filter(hit).count()
    };
    let quiet = f.failures.iter().filter(|x| x.affected.is_empty()).count();
    let mut out = vec![format!("{quiet} of {} failures change nothing", f.failures.len())];
    for (e, text) in [
        (Effect::Leaks, "open a forbidden path"),
        (Effect::Bypassed, "lead around a waypoint"),
        (Effect::Breaks, "break something required"),
        (Effect::Undecided, "leave something undecided"),
    ] {
        if of(e) > 0 {
            out.push(format!("{} {text}", of(e)));
        }
    }
    out.join(" · ")
}

/// `failover`: the failures that change something, and how many do not.
#[must_use]
pub fn failover(f: &Failover, sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    for x in f.failures.iter().filter(|x| !x.affected.is_empty()) {
        let at = x.span.map(|s| format!("  {}", style.dim(&place(s, sources))));
        out.push_str(&format!(
            "{}{}\n",
            style.bold(&format!("{} {} down", x.kind, clean(&x.name))),
            at.unwrap_or_default()
        ));
        for a in &x.affected {
            out.push_str(&affected(a, sources, style));
        }
        out.push('\n');
    }
    if !f.before.is_empty() {
        let text = format!(
            "not compared, as they do not hold in the intact network: {}",
            f.before.join(", ")
        );
        for line in wrap(&clean(&text), style.width) {
            out.push_str(&format!("{line}\n"));
        }
    }
    out.push_str(&format!(
        "{}\n",
        clean(&format!(
            "{} of {} clauses hold without a failure · {}",
            f.holding.0,
            f.holding.1,
            tally(f)
        ))
    ));
    out
}

fn affected(a: &Affected, sources: &Sources, style: Style) -> String {
    let mut out = format!(
        "  {}  {}  {}\n",
        style.bold(&format!("{:<9}", a.effect.word())),
        clean(&a.text),
        style.dim(&place(a.span, sources))
    );
    for line in wrap(&clean(&a.says), style.width.saturating_sub(13)) {
        out.push_str(&format!("             {line}\n"));
    }
    if !a.path.is_empty() && matches!(a.effect, Effect::Leaks | Effect::Bypassed) {
        let path: Vec<String> = hops(a).iter().map(|p| clean(p)).collect();
        let text = path.join(&format!(" {} ", style.arrow()));
        for line in wrap(&text, style.width.saturating_sub(13)) {
            out.push_str(&format!("             {}\n", style.dim(&line)));
        }
    }
    if let Some(s) = a.at {
        // What is down is named above. This is what lets a packet pass, or what stops it on the ways that are left.
        let word = match a.effect {
            Effect::Breaks => "without it: ",
            _ => "",
        };
        let what = a.what.as_deref().unwrap_or("it is written");
        let text = format!("{word}{} ({})", clean(what), place(s, sources));
        for line in wrap(&text, style.width.saturating_sub(13)) {
            out.push_str(&format!("             {line}\n"));
        }
    }
    out
}

/// The places of a path, each once in a row.
fn hops(a: &Affected) -> Vec<String> {
    let mut out = a.path.clone();
    out.dedup();
    out
}

fn location(s: Option<Span>, sources: &Sources) -> Value {
    match s {
        Some(s) => json!({ "file": sources.name(s.file), "line": s.line }),
        None => Value::Null,
    }
}

/// The same for machines: every failure, also those that change nothing.
#[must_use]
pub fn failover_json(f: &Failover, sources: &Sources) -> String {
    let one = |a: &Affected| {
        json!({
            "effect": a.effect.word(),
            "clause": a.id,
            "text": a.text,
            "location": location(Some(a.span), sources),
            "says": a.says,
            "path": hops(a),
            "by": location(a.at, sources),
            "what": a.what,
        })
    };
    let failures: Vec<Value> = f
        .failures
        .iter()
        .map(|x| {
            json!({
                "kind": x.kind,
                "name": x.name,
                "location": location(x.span, sources),
                "affected": x.affected.iter().map(one).collect::<Vec<_>>(),
            })
        })
        .collect();
    document(
        "failover",
        json!({
            "failures": failures,
            "holding": f.holding.0,
            "clauses": f.holding.1,
            "not_compared": f.before,
        }),
    )
}

/// A table for a comment or a page.
#[must_use]
pub fn failover_markdown(f: &Failover, sources: &Sources) -> String {
    let cell = |t: &str| clean(t).replace('|', "\\|");
    let mut out = String::from("| down | effect | clause | what | by |\n|---|---|---|---|---|\n");
    for x in &f.failures {
        for a in &x.affected {
            let by = a.at.map(|s| place(s, sources)).unwrap_or_default();
            out.push_str(&format!(
                "| {} `{}` | {} | `{}` | {} | {} |\n",
                x.kind,
                cell(&x.name),
                a.effect.word(),
                cell(&a.text),
                cell(&a.says),
                cell(&by)
            ));
        }
    }
    if f.failures.iter().all(|x| x.affected.is_empty()) {
        out = String::new();
    } else {
        out.push('\n');
    }
    out.push_str(&format!("{}\n", tally(f)));
    out
}
