//! Findings and diagnostics for a terminal, in the manner of rustc.

use crate::quote::{Message, render};
use crate::style::{Style, clean, wrap};
use bartizan_base::{Diagnostic, Finding, FixSafety, Hop, Sources, Witness};

/// A diagnostic, with its source quoted. Ends with a line break.
#[must_use]
pub fn diagnostic(d: &Diagnostic, sources: &Sources, style: Style) -> String {
    let mut footers: Vec<(&str, String)> = Vec::new();
    footers.extend(d.help.iter().map(|h| ("help", h.clone())));
    footers.extend(d.notes.iter().map(|n| ("note", n.clone())));
    let m = Message {
        severity: d.severity,
        code: d.code,
        text: &d.message,
        labels: &d.labels,
        footers: &footers,
    };
    let mut out = render(&m, sources, style);
    out.push('\n');
    out
}

/// Several diagnostics, most severe first, each followed by an empty line.
#[must_use]
pub fn diagnostics<'a>(
    list: impl IntoIterator<Item = &'a Diagnostic>,
    sources: &Sources,
    style: Style,
) -> String {
    let mut list: Vec<&Diagnostic> = list.into_iter().collect();
    list.sort_by_key(|d| std::cmp::Reverse(d.severity));
    list.into_iter()
        .map(|d| diagnostic(d, sources, style) + "\n")
        .collect()
}

/// A finding: what, where with the source quoted, the packet's path, the layers, the clause, the fix and what
/// it breaks. Ends with a line break.
#[must_use]
pub fn finding(f: &Finding, sources: &Sources, style: Style) -> String {
    let m = Message {
        severity: f.severity,
        code: f.code,
        text: &f.message,
        labels: &f.labels,
        footers: &[],
    };
    let mut out = render(&m, sources, style);
    out.push('\n');
    for (name, texts) in rows(f, style) {
        for (i, t) in texts.iter().enumerate() {
            let head = if i == 0 {
                style.bold(&format!("{name:<8}"))
            } else {
                " ".repeat(8)
            };
            for (k, line) in wrap(t, style.width.saturating_sub(11).max(40)).iter().enumerate() {
                let head = if k == 0 { head.clone() } else { " ".repeat(10) };
                out.push_str(format!("  {head} {line}").trim_end());
                out.push('\n');
            }
        }
    }
    out
}

/// The named lines below the source.
fn rows(f: &Finding, style: Style) -> Vec<(&'static str, Vec<String>)> {
    let mut rows: Vec<(&'static str, Vec<String>)> = Vec::new();
    if let Some(c) = &f.clause {
        rows.push(("clause", vec![clean(c)]));
    }
    if !f.also.is_empty() {
        rows.push(("also", vec![clean(&some(&f.also, 6, "claims").join(", "))]));
    }
    // A claim that something must work is broken by what blocks; any other by what is open.
    let missing = f.layers.iter().any(|(_, state)| state == "blocked");
    if let Some(w) = &f.witness {
        rows.push(("packet", vec![clean(&packet(w))]));
        rows.push(("path", vec![clean(&path(w, style))]));
        if let Some(h) = w
            .path
            .iter()
            .chain(&w.reply)
            .find(|h| missing && h.decision == "drop")
        {
            rows.push((
                "stops",
                vec![clean(&format!("{}: {}: {}", h.at, h.layer, h.rule))],
            ));
        }
    }
    if !f.layers.is_empty() {
        let sep = style.dot();
        let layers: Vec<String> = f.layers.iter().map(|(l, s)| format!("{l} {s}")).collect();
        rows.push(("layers", vec![clean(&layers.join(sep))]));
    }
    if !f.excess.is_empty() {
        let word = if missing { "missing" } else { "flows" };
        rows.push((
            word,
            some(&f.excess, 8, "flows").iter().map(|e| clean(e)).collect(),
        ));
    }
    if let Some(fix) = &f.fix {
        let mark = match fix.safety {
            FixSafety::Safe => "  [safe: loses no flow that the intent requires]",
            FixSafety::Unsafe => "  [check first]",
            FixSafety::DisplayOnly => "",
        };
        rows.push(("fix", vec![clean(&format!("{}{mark}", fix.text))]));
        if !fix.breaks.is_empty() {
            rows.push((
                "breaks",
                some(&fix.breaks, 6, "flows").iter().map(|b| clean(b)).collect(),
            ));
        }
    }
    if !f.notes.is_empty() {
        rows.push(("note", f.notes.iter().map(|n| clean(n)).collect()));
    }
    if !f.assumptions.is_empty() {
        rows.push(("assumes", vec![clean(&f.assumptions.join(", "))]));
    }
    rows.push(("explain", vec![format!("bartizan explain {}", f.code)]));
    rows
}

/// The first entries and how many more there are.
pub(crate) fn some(list: &[String], max: usize, what: &str) -> Vec<String> {
    let mut out: Vec<String> = list.iter().take(max).cloned().collect();
    if list.len() > max {
        out.push(format!(
            "and {} more {what} (all of them: --format json)",
            list.len() - max
        ));
    }
    out
}

/// The packet on one line: `internet 198.51.100.9:32768 -> alicloud_instance.db 10.1.3.4:3306 tcp`.
#[must_use]
pub fn packet(w: &Witness) -> String {
    let p = &w.packet;
    let end = |name: &str, ip: &str, port: Option<u16>| {
        let at = match (port, ip.contains(':')) {
            (Some(port), true) => format!("[{ip}]:{port}"),
            (Some(port), false) => format!("{ip}:{port}"),
            (None, _) => ip.to_string(),
        };
        // What has a public address only, which is not known.
        let at = if ip.is_empty() {
            format!("its public address{at}")
        } else {
            at
        };
        format!("{name} ({at})")
    };
    format!(
        "{} {} -> {}",
        p.protocol,
        end(&p.source, &p.source_ip, p.source_port),
        end(&p.destination, &p.destination_ip, p.destination_port)
    )
}

/// The resources that the request passes, each once in a row, with the layer where that says more.
fn path(w: &Witness, style: Style) -> String {
    let mut names: Vec<&str> = vec![&w.packet.source];
    for h in &w.path {
        if names.last() != Some(&h.at.as_str()) {
            names.push(&h.at);
        }
    }
    if names.last() != Some(&w.packet.destination.as_str()) && !w.path.iter().any(|h| h.decision == "drop") {
        names.push(&w.packet.destination);
    }
    names.join(&format!(" {} ", style.arrow()))
}

/// The hops of one direction as a table: where, which layer, which rule, what it decides.
#[must_use]
pub fn hops(list: &[Hop], sources: &Sources, style: Style) -> String {
    let w1 = list
        .iter()
        .map(|h| clean(&h.layer).chars().count())
        .max()
        .unwrap_or(0)
        .min(28);
    let word = |h: &Hop| h.decision.split(' ').next().unwrap_or_default().to_string();
    let w2 = list.iter().map(|h| word(h).chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (i, h) in list.iter().enumerate() {
        let pad = |s: &str, n: usize| " ".repeat(n.saturating_sub(s.chars().count()));
        let layer = clean(&h.layer);
        let decision = clean(&word(h));
        let painted = match h.decision.as_str() {
            "drop" => style.red(&decision),
            "accept" => style.green(&decision),
            _ => style.cyan(&decision),
        };
        let place = h
            .span
            .map(|s| format!("  {}", style.dim(&clean(&sources.place(s)))))
            .unwrap_or_default();
        out.push_str(&format!(
            "  {:>2}  {}{}  {}{}  {}\n",
            i + 1,
            painted,
            pad(&decision, w2),
            layer,
            pad(&layer, w1),
            style.bold(&clean(&h.at)),
        ));
        let indent = " ".repeat(8 + w2);
        let rule = match h.decision.split_once(' ') {
            // Who says it already says it once.
            Some((_, to)) if h.rule.ends_with(&format!(" to {to}")) => h.rule.clone(),
            Some((_, to)) => format!("{}, to {to}", h.rule),
            None => h.rule.clone(),
        };
        for (k, l) in wrap(&clean(&rule), style.width.saturating_sub(indent.len()).max(40))
            .iter()
            .enumerate()
        {
            let place = if k == 0 { place.as_str() } else { "" };
            out.push_str(format!("{indent}{l}{place}").trim_end());
            out.push('\n');
        }
    }
    out
}
