//! What can be said about an intent without a network.

mod clauses;
mod exceptions;

use crate::area::{Overlap, Regions};
use crate::date::Date;
use crate::intent::{Intent, Selector, SelectorKind, SetExpr, ZoneId};
use bartizan_base::{Diagnostic, Span};

/// An exception that ends within this many days is told about.
pub const SOON_DAYS: i64 = 14;

/// The lints of an intent on a day, in the order of clauses and declarations. A contradiction and an
/// incomplete exception are errors; the other lints are warnings and notes. Lints that need an inventory
/// (selectors that match nothing, zones that share endpoints) are those of crate `check`.
#[must_use]
pub fn lint(intent: &Intent, as_of: Date) -> Vec<Diagnostic> {
    let regions = Regions::new(intent);
    let mut out = Vec::new();
    clauses::lint(intent, &regions, &mut out);
    exceptions::lint(intent, as_of, &mut out);
    unused(intent, &mut out);
    links(intent, &mut out);
    ungoverned(intent, &regions, &mut out);
    out
}

/// Whether two sets share an endpoint, decided on what is written.
#[must_use]
pub fn overlap(intent: &Intent, a: &SetExpr, b: &SetExpr) -> Overlap {
    let regions = Regions::new(intent);
    regions.area(a).overlap(&regions.area(b))
}

fn unused(intent: &Intent, out: &mut Vec<Diagnostic>) {
    let mut tell = |what: &str, name: &str, span: Span| {
        out.push(
            Diagnostic::warning("INTENT007", format!("{what} `{name}` is never used"))
                .at(span, "declared here")
                .help("use it in a clause, or remove it"),
        );
    };
    for (z, _) in intent
        .zones
        .iter()
        .zip(&intent.used.zones)
        .filter(|(_, used)| !**used)
    {
        tell("zone", &z.name, z.name_span);
    }
    for (e, _) in intent
        .envs
        .iter()
        .zip(&intent.used.envs)
        .filter(|(_, used)| !**used)
    {
        tell("env", &e.name, e.name_span);
    }
    for (s, _) in intent
        .services
        .iter()
        .zip(&intent.used.services)
        .filter(|(_, used)| !**used)
    {
        tell("service", &s.name, s.name_span);
    }
}

/// Whether a selection is behind a link: another network.
fn elsewhere(s: &Selector) -> bool {
    match &s.kind {
        SelectorKind::Via { .. } => true,
        SelectorKind::All(v) => v.iter().any(elsewhere),
        SelectorKind::AnyOf(v) => v.iter().all(elsewhere),
        SelectorKind::Except(a, _) => elsewhere(a),
        _ => false,
    }
}

/// Two links that own the same addresses and are not one site, and default routes that are learned.
fn links(intent: &Intent, out: &mut Vec<Diagnostic>) {
    let together = |a: usize, b: usize| {
        let mut sites = intent.sites.iter();
        sites.any(|s| s.links.contains(&a) && s.links.contains(&b))
    };
    for (n, l) in intent.links.iter().enumerate() {
        for (m, o) in intent.links.iter().enumerate().take(n) {
            let shared = l
                .networks
                .iter()
                .find(|x| o.networks.iter().any(|y| x.contains(y) || y.contains(*x)));
            if let Some(x) = shared.filter(|_| !together(n, m)) {
                out.push(
                    Diagnostic::warning(
                        "INTENT008",
                        format!("links `{}` and `{}` both have `{x}` behind them", o.name, l.name),
                    )
                    .at(l.name_span, "declared here")
                    .also(o.name_span, "and here")
                    .help("if they lead to one place, say so: `site NAME = LINK, LINK`"),
                );
            }
        }
        if l.learned.iter().flatten().any(|n| n.prefix_len() == 0) {
            out.push(
                Diagnostic::warning(
                    "INTENT005",
                    format!("link `{}` announces a default route", l.name),
                )
                .at(l.name_span, "takes every packet that no other route is for")
                .help("let the site announce its own networks only"),
            );
        }
    }
}

/// Zones of endpoints that no boundary governs, as soon as any boundary governs. Zones of addresses are
/// other people's networks: the boundary of what they talk to governs them.
fn ungoverned(intent: &Intent, regions: &Regions<'_>, out: &mut Vec<Diagnostic>) {
    let governs: Vec<&SetExpr> = intent.boundaries.iter().flat_map(|b| &b.governs).collect();
    if governs.is_empty() {
        return;
    }
    for (i, z) in intent.zones.iter().enumerate() {
        let id = ZoneId(u32::try_from(i).unwrap_or(u32::MAX));
        let governed = governs.iter().any(|g| match g {
            SetExpr::Zone(other) => *other == id,
            SetExpr::Env(e) => regions.zone_in_env(id, e.index()) != Overlap::No,
            _ => true,
        });
        if !governed && !regions.is_addresses(id) && !elsewhere(&z.selector) {
            out.push(
                Diagnostic::warning("INTENT010", format!("no boundary governs zone `{}`", z.name))
                    .at(z.name_span, "only clauses that name it are checked")
                    .help(format!("add `{}` to the `governs` of a boundary", z.name)),
            );
        }
    }
}
