//! Route tables as text and as JSON.

use crate::query::document;
use crate::style::{Style, clean, count, wrap};
use bartizan_base::Sources;
use bartizan_check::query::{EndKind, RouteEnd, RouteRow, RouteState, Routes};
use serde_json::{Value, json};

/// `routes`: every table with its entries, the strongest first.
#[must_use]
pub fn routes(r: &Routes, sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    let (mut shadowed, mut nowhere, mut loops) = (0, 0, 0);
    for t in &r.tables {
        if t.rows.is_empty() && r.explained.is_some() {
            continue;
        }
        // Everything that crosses a gateway or a border router goes by its table.
        let crossed = matches!(t.kind, "VPN gateway table" | "border router table");
        let users = if t.users.is_empty() && crossed {
            "used by what comes to it".to_string()
        } else if t.users.is_empty() {
            "used by nothing".to_string()
        } else {
            format!("used by {}", t.users.join(", "))
        };
        out.push_str(&format!(
            "{}  {}\n",
            style.bold(&clean(&t.name)),
            style.dim(&if t.of == t.name {
                t.kind.to_string()
            } else {
                format!("{} of {}", t.kind, clean(&t.of))
            })
        ));
        for line in wrap(&clean(&users), style.width.saturating_sub(2)) {
            out.push_str(&format!("  {}\n", style.dim(&line)));
        }
        let widest = t
            .rows
            .iter()
            .map(|r| r.destination.chars().count())
            .max()
            .unwrap_or(0)
            .min(40);
        for row in &t.rows {
            let place = row
                .span
                .map(|s| format!("{}:{}", clean(sources.name(s.file)), s.line))
                .unwrap_or_default();
            let from = if row.from == "system" {
                String::new()
            } else {
                format!("  {} {place}", clean(&row.from))
            };
            let next = row.next.iter().map(|n| clean(n)).collect::<Vec<_>>().join(" or ");
            out.push_str(&format!(
                "  {:widest$}  {} {next}{}\n",
                row.destination,
                style.arrow(),
                style.dim(from.trim_end())
            ));
            match &row.state {
                RouteState::Used => {}
                RouteState::Shadowed(by) => {
                    shadowed += 1;
                    let verb = if by.len() == 1 { "is" } else { "are" };
                    let text = format!("never decides: {} {verb} stronger", clean(&by.join(", ")));
                    out.push_str(&format!("      {}\n", style.yellow(&text)));
                }
                RouteState::Uncertain => {
                    out.push_str(&format!(
                        "      {}\n",
                        style.yellow("it is not known whether it exists")
                    ));
                }
            }
            let dead = !row.ends.is_empty() && row.ends.iter().all(|e| e.kind == EndKind::Dropped);
            let circle = row.ends.iter().any(|e| e.kind == EndKind::Loop);
            nowhere += usize::from(dead);
            loops += usize::from(circle);
            for e in &row.ends {
                if r.explained.is_none() && !dead && e.kind != EndKind::Loop {
                    continue;
                }
                let said = match e.kind {
                    EndKind::Delivered(_) | EndKind::Site(_) | EndKind::Out => style.green(&clean(&e.text)),
                    EndKind::Unknown => style.yellow(&clean(&e.text)),
                    EndKind::Dropped | EndKind::Loop => style.red(&clean(&e.text)),
                };
                let path: Vec<String> = e.path.iter().map(|p| clean(p)).collect();
                let path = path.join(&format!(" {} ", style.arrow()));
                let join = if path.is_empty() {
                    String::new()
                } else {
                    format!("{path} {} ", style.arrow())
                };
                out.push_str(&format!("      {}{said}\n", style.dim(&join)));
            }
        }
        out.push('\n');
    }
    for o in &r.overlaps {
        let word = match o.effect {
            "harmless" => style.dim("harmless"),
            "ambiguous" => style.yellow("ambiguous"),
            other => style.red(other),
        };
        out.push_str(&format!(
            "overlap  {} {} and {} {}: {word}, {}\n",
            clean(&o.a.0),
            o.a.1,
            clean(&o.b.0),
            o.b.1,
            clean(&o.why)
        ));
    }
    for a in &r.assumes {
        out.push_str(&format!(
            "{}  {}: which of some entries decides follows the reading `{}`; `check` takes both, and `--assume` decides\n",
            style.yellow("assumes"),
            a.info().id,
            a.info().readings.first().map_or("", |r| r.name),
        ));
    }
    for u in &r.uneven {
        let word = match u.effect {
            "leak" => style.red("leak"),
            other => style.yellow(other),
        };
        out.push_str(&format!(
            "{word}  {} {} {} (such as {}): {}\n",
            some(&u.from),
            style.arrow(),
            some(&u.to),
            u.address,
            clean(&u.why)
        ));
    }
    if !r.all_pairs {
        out.push_str("not all pairs of vSwitches were looked at for asymmetric routes: there are too many\n");
    }
    if !r.all_addresses {
        out.push_str("routes tell more addresses of a vSwitch apart, or lead one of them more ways, than were looked at for asymmetric routes\n");
    }
    if !r.all_ends {
        out.push_str("some entry leads to more places than were followed\n");
    }
    if r.explained.is_some() {
        return out;
    }
    let uneven = |effect: &str| r.uneven.iter().filter(|u| u.effect == effect).count();
    let (asymmetric, leaks) = (uneven("asymmetric"), uneven("leak"));
    let entries: usize = r.tables.iter().map(|t| t.rows.len()).sum();
    out.push_str(&format!(
        "{}, {}: {shadowed} shadowed, {nowhere} lead nowhere, {loops} loop; {asymmetric} asymmetric, {leaks} leak; {}\n",
        count(r.tables.len(), "table"),
        if entries == 1 {
            "1 entry".to_string()
        } else {
            format!("{entries} entries")
        },
        count(r.overlaps.len(), "overlap"),
    ));
    out
}

/// The first of some names, and how many there are.
fn some(names: &[String]) -> String {
    let first = names.first().map_or_else(String::new, |n| clean(n));
    match names.len() {
        0 | 1 => first,
        n => format!("{first} and {} more", n - 1),
    }
}

/// `routes` as JSON.
#[must_use]
pub fn routes_json(r: &Routes, sources: &Sources) -> String {
    let end = |e: &RouteEnd| {
        let kind = match e.kind {
            EndKind::Delivered(_) => "delivered",
            EndKind::Site(_) => "site",
            EndKind::Out => "out",
            EndKind::Dropped => "dropped",
            EndKind::Loop => "loop",
            EndKind::Unknown => "unknown",
        };
        json!({"kind": kind, "text": e.text, "path": e.path})
    };
    let row = |x: &RouteRow| {
        let (state, by) = match &x.state {
            RouteState::Used => ("used", Vec::new()),
            RouteState::Shadowed(by) => ("shadowed", by.clone()),
            RouteState::Uncertain => ("uncertain", Vec::new()),
        };
        json!({
            "destination": x.destination, "next": x.next, "from": x.from,
            "location": x.span.map(|s| json!({"file": sources.name(s.file), "line": s.line, "column": s.column})),
            "state": state, "shadowed_by": by,
            "ends": x.ends.iter().map(end).collect::<Vec<_>>(),
        })
    };
    let tables: Vec<Value> = r
        .tables
        .iter()
        .map(|t| {
            json!({"name": t.name, "kind": t.kind, "of": t.of, "users": t.users,
                   "entries": t.rows.iter().map(row).collect::<Vec<_>>()})
        })
        .collect();
    let overlaps: Vec<Value> = r
        .overlaps
        .iter()
        .map(|o| json!({"a": {"vpc": o.a.0, "block": o.a.1.to_string()}, "b": {"vpc": o.b.0, "block": o.b.1.to_string()},
                        "effect": o.effect, "why": o.why}))
        .collect();
    let explained = r.explained.map(|n| n.to_string());
    let uneven: Vec<Value> = r
        .uneven
        .iter()
        .map(|u| json!({"effect": u.effect, "from": u.from, "to": u.to, "address": u.address.to_string(), "why": u.why}))
        .collect();
    document(
        "routes",
        json!({
            "explained": explained, "tables": tables, "overlaps": overlaps, "uneven": uneven,
            "all_pairs_looked_at": r.all_pairs, "all_addresses_looked_at": r.all_addresses, "all_ends_told": r.all_ends,
            "assumes": r.assumes.iter().map(|a| a.info().id).collect::<Vec<_>>(),
        }),
    )
}
