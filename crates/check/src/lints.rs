//! What is worth saying about an inventory and an intent together, whatever the verdicts.

use crate::plan::Plan;
use crate::world::World;
use bartizan_base::{Finding, Label, Severity, Verdict, fingerprint};

/// All lints, in no particular order.
#[must_use]
pub(crate) fn all(w: &World<'_>, plan: &Plan, _notes: &[&'static str]) -> Vec<Finding> {
    let mut out = Vec::new();
    out.extend(overlaps(w, plan));
    out.extend(empty(w, plan));
    out
}

/// A finding that is about the intent or the configuration and not about a packet.
pub(crate) fn lint(
    code: &'static str,
    name: &'static str,
    severity: Severity,
    message: String,
    subject: &str,
    labels: Vec<Label>,
) -> Finding {
    Finding {
        code,
        name,
        severity,
        verdict: if severity == Severity::Error { Verdict::Violated } else { Verdict::Holds },
        fingerprint: fingerprint([code, subject, &message]),
        message,
        clause: None,
        also: Vec::new(),
        subject: subject.to_string(),
        witness: None,
        excess: Vec::new(),
        labels,
        layers: Vec::new(),
        fix: None,
        assumptions: Vec::new(),
        notes: Vec::new(),
    }
}

/// Endpoints in two zones that are not declared to overlap.
fn overlaps(w: &World<'_>, plan: &Plan) -> Vec<Finding> {
    let mut out = Vec::new();
    for (i, a) in plan.zones.iter().enumerate() {
        for b in plan.zones.iter().skip(i + 1) {
            if a.overlaps.contains(&b.name) || b.overlaps.contains(&a.name) {
                continue;
            }
            let Some(shared) = (0..w.blocks()).find(|&x| w.in_set(x, a.set) && w.in_set(x, b.set)) else {
                continue;
            };
            let who = w.interfaces_of(shared).first().map_or_else(
                || w.may.outside_of(shared).first().map(|ip| ip.to_string()).unwrap_or_default(),
                |&f| crate::names::interface(w, f),
            );
            let mut f = lint(
                "INTENT008",
                "zones-overlap",
                Severity::Error,
                format!("`{who}` is in zone `{}` and in zone `{}`", a.name, b.name),
                &a.name,
                vec![
                    Label::primary(a.span, "selected here"),
                    Label::secondary(b.span, "and here; a clause about one zone would silently speak of the other"),
                ],
            );
            f.notes.push(format!(
                "narrow one selector, or say `{{ overlaps {} }}` after zone `{}` if it is meant",
                b.name, a.name
            ));
            out.push(f);
        }
    }
    out
}

/// Zones that match nothing.
fn empty(w: &World<'_>, plan: &Plan) -> Vec<Finding> {
    plan.zones
        .iter()
        .filter(|z| w.blocks_of(z.set).is_empty())
        .filter(|z| !matches!(w.sets[z.set], crate::Set::Ips(_)))
        .map(|z| {
            let severity = if z.required { Severity::Error } else { Severity::Warning };
            let mut f = lint(
                "INTENT009",
                "empty-selector",
                severity,
                format!("zone `{}` matches nothing in this inventory", z.name),
                &z.name,
                vec![Label::primary(z.span, "no endpoint is selected here")],
            );
            f.notes.push("clauses about it hold because there is nobody to break them".to_string());
            f
        })
        .collect()
}
