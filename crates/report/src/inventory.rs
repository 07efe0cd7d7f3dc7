//! `bartizan inventory`: every resource and what became of it.

use crate::run::{InventoryFacts, ResourceLine, What};
use crate::style::{Style, clean, count, wrap};
use bartizan_base::Sources;
use std::collections::BTreeMap;

/// Everything that is not understood or understood in part with its reason, then counts by type.
///
/// With `all` every resource has its line, data sources included.
#[must_use]
pub fn text(inv: &InventoryFacts, sources: &Sources, all: bool, style: Style) -> String {
    let mut out = String::new();
    for what in [What::NotUnderstood, What::Partly, What::Modelled, What::Ignored] {
        let loud = matches!(what, What::NotUnderstood | What::Partly);
        let list: Vec<&ResourceLine> = inv
            .resources
            .iter()
            .filter(|r| r.what == what && (all || !r.data))
            .collect();
        if list.is_empty() {
            continue;
        }
        let head = format!("{} ({})", what.name(), list.len());
        out.push_str(&match what {
            What::NotUnderstood => style.red(&head),
            What::Partly => style.yellow(&head),
            What::Modelled => style.green(&head),
            What::Ignored => style.dim(&head),
        });
        out.push('\n');
        if loud || all {
            list.iter().for_each(|r| line(r, sources, style, &mut out));
        } else {
            by_type(&list, style, &mut out);
        }
        out.push('\n');
    }
    out.push_str(&totals(inv));
    out.push('\n');
    out
}

fn line(r: &ResourceLine, sources: &Sources, style: Style, out: &mut String) {
    out.push_str(&format!(
        "  {}  {}\n",
        clean(&r.address),
        style.dim(&clean(&sources.place(r.span)))
    ));
    let maybe = r
        .maybe
        .iter()
        .map(|m| format!("how many there are is not known: {m}"));
    for w in r.why.iter().cloned().chain(maybe) {
        for l in wrap(&clean(&w), style.width.saturating_sub(6).max(40)) {
            out.push_str(&format!("      {l}\n"));
        }
    }
}

fn by_type(list: &[&ResourceLine], style: Style, out: &mut String) {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for r in list {
        *kinds.entry(&r.kind).or_default() += 1;
    }
    let width = kinds.keys().map(|k| k.chars().count()).max().unwrap_or(0);
    for (k, n) in kinds {
        out.push_str(&format!(
            "  {:<width$}  {}\n",
            clean(k),
            style.dim(&n.to_string())
        ));
    }
}

/// One line of counts.
#[must_use]
pub fn totals(inv: &InventoryFacts) -> String {
    let data = inv.resources.iter().filter(|r| r.data).count();
    let data = if data > 0 {
        format!(", {}", count(data, "data source"))
    } else {
        String::new()
    };
    format!(
        "{}: {} modelled, {} in part, {} with no bearing on packets, {} not understood{data}",
        count(inv.managed().count(), "resource"),
        inv.count(What::Modelled),
        inv.count(What::Partly),
        inv.count(What::Ignored),
        inv.count(What::NotUnderstood),
    )
}
