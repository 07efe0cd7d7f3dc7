//! What can be said about an intent without a network.

mod clauses;
mod exceptions;

use crate::area::{Overlap, Regions};
use crate::date::Date;
use crate::intent::{Intent, SetExpr, ZoneId};
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
        if !governed && !regions.is_addresses(id) {
            out.push(
                Diagnostic::warning("INTENT010", format!("no boundary governs zone `{}`", z.name))
                    .at(z.name_span, "only clauses that name it are checked")
                    .help(format!("add `{}` to the `governs` of a boundary", z.name)),
            );
        }
    }
}
