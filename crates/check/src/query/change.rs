//! The smallest change that would close what is open: tried, and the whole intent asked again. Its counterpart that opens
//! is in [`super::unblock`].

use super::Frame;
use crate::cause::{Baseline, Blame, Culprit, blame};
use crate::evaluate::{Leak, clause, uncovered};
use crate::plan::{Claim, Plan};
use crate::trial::{Trial, narrowed, tried};
use crate::world::World;
use bartizan_base::Verdict;
use bartizan_packet::ServiceSet;
use bartizan_reach::{Layer, Point, WayTrace};

/// A change of the network, and what it does to the intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whether it opens the packet's way or closes it.
    pub opens: bool,
    /// What is to be done, in words; all of it, or any of it (`either`).
    pub steps: Vec<String>,
    /// Whether each step is enough alone.
    pub either: bool,
    /// Ids of clauses that hold now and would not any more.
    pub breaks: Vec<String>,
    /// Flows between other parties that clauses allow and that would be lost.
    pub loses: usize,
}

/// Above this number of interfaces nothing is tried: it would take seconds.
pub(super) const MAX_INTERFACES: usize = 500;

/// The verdict of every clause, then of every boundary on what no clause covers.
pub(super) fn verdicts(w: &World<'_>, plan: &Plan) -> Vec<Verdict> {
    let judged = |c: &crate::plan::Clause| {
        if c.active && c.claim != Claim::Allow {
            clause(w, c).verdict
        } else {
            Verdict::Holds
        }
    };
    let governed = |b: &crate::plan::Boundary| {
        if !b.governs.is_empty() && !uncovered(w, plan, b).is_empty() {
            Verdict::Violated
        } else {
            Verdict::Holds
        }
    };
    let clauses = plan.clauses.iter().map(judged);
    clauses.chain(plan.boundaries.iter().map(governed)).collect()
}

/// The smallest thing whose removal closes what is open between two blocks.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn closing(f: &Frame<'_>, ends: (Point, Point), services: &ServiceSet) -> Result<Change, String> {
    if f.inventory.typed.interfaces.len() > MAX_INTERFACES {
        return Err(format!(
            "no change is looked for in a network of more than {MAX_INTERFACES} interfaces"
        ));
    }
    closed(f, ends, services)
        .ok_or_else(|| "no single rule, route, list or address was found whose removal closes it".to_string())
}

fn closed(f: &Frame<'_>, ends: (Point, Point), services: &ServiceSet) -> Option<Change> {
    // The blocks of the plan alone: those of a question are not there in the worlds that are tried.
    let asked: Vec<ServiceSet> = std::iter::once(services.clone())
        .chain(f.plan.clauses.iter().map(|c| c.services.clone()))
        .collect();
    let w = &f.world(&[], &asked);
    let block = |p: Point| {
        (0..w.blocks()).find(|&b| match p {
            Point::Inside(i) => w.interfaces_of(b).contains(&i.iface),
            Point::Outside(ip) => w.may.outside_of(b).contains(ip),
        })
    };
    let (from, to) = (block(ends.0)?, block(ends.1)?);
    let atoms = w.may.delivered(from, to).intersect(&w.atoms(services));
    if atoms.is_empty() {
        return None;
    }
    let base = Baseline::new(w, &f.plan, &verdicts(w, &f.plan));
    let leak = Leak { from, to, atoms };
    let b: Blame = blame(w, &f.plan, &base, &leak, None);
    if !b.closes || matches!(b.culprit, Culprit::Replies(_) | Culprit::Default(_)) {
        return None;
    }
    // The flow that is to be closed is not one that is lost.
    let own = crate::evaluate::allowed(w, &f.plan, from, to, None).intersects(&leak.atoms);
    let all = || Smallest {
        parts: vec![b.culprit.clone()],
        either: false,
        breaks: b.breaks.clone(),
        loses: b.loses,
    };
    let found = smallest(w, &f.plan, &base, &leak, (&b.culprit, b.narrow)).unwrap_or_else(all);
    let mut steps: Vec<String> = Vec::new();
    for c in &found.parts {
        let (_, verb) = crate::explain::culprit_text(w, c);
        let verb = if b.narrow { "narrow" } else { verb };
        for o in c.origins(f.inventory) {
            let step = format!("{verb} `{}`", o.address);
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    Some(Change {
        opens: false,
        either: found.either && steps.len() > 1,
        steps,
        breaks: found.breaks,
        loses: found.loses.saturating_sub(usize::from(own)),
    })
}

/// What is enough to close a leak.
struct Smallest {
    parts: Vec<Culprit>,
    /// Whether each part is enough alone.
    either: bool,
    breaks: Vec<String>,
    loses: usize,
}

/// Resources of a culprit that are tried one by one.
const MOST_PARTS: usize = 8;

/// Of a culprit that is written in several resources those that close the leak alone and break the least; where none does,
/// those that cannot be spared. `None` where there is nothing to choose among.
fn smallest(
    w: &World<'_>,
    plan: &Plan,
    base: &Baseline,
    leak: &Leak,
    (of, narrow): (&Culprit, bool),
) -> Option<Smallest> {
    let mut parts = of.by_resource(w.inventory);
    if !(2..=MOST_PARTS).contains(&parts.len()) {
        return None;
    }
    let trial = |c: &Culprit| {
        let inv = match narrow {
            true => narrowed(c, w, leak)?,
            false => c.without(w.inventory)?,
        };
        Some(tried(w, plan, base, leak, None, &inv))
    };
    let mut alone: Vec<(Culprit, Trial)> = Vec::new();
    for c in &parts {
        let t = trial(c)?;
        if t.closes {
            alone.push((c.clone(), t));
        }
    }
    let harm = |t: &Trial| (t.breaks.len(), t.loses);
    if let Some(least) = alone.iter().map(|(_, t)| harm(t)).min() {
        alone.retain(|(_, t)| harm(t) == least);
        let breaks = alone.first().map(|(_, t)| t.breaks.clone()).unwrap_or_default();
        // What each of them breaks has to be the same to be said of all.
        alone.retain(|(_, t)| t.breaks == breaks);
        return Some(Smallest {
            either: alone.len() > 1,
            parts: alone.into_iter().map(|(c, _)| c).collect(),
            breaks,
            loses: least.1,
        });
    }
    let joined = |all: &[Culprit]| {
        let mut all = all.iter().cloned();
        let first = all.next()?;
        Some(all.fold(first, |mut a, c| {
            a.merge(c);
            a
        }))
    };
    let mut n = parts.len();
    let mut last = None;
    while n > 0 && parts.len() > 1 {
        n -= 1;
        let mut less = parts.clone();
        less.remove(n);
        let t = trial(&joined(&less)?)?;
        if t.closes {
            parts = less;
            last = Some(t);
        }
    }
    let t = last?;
    Some(Smallest {
        parts,
        either: false,
        breaks: t.breaks,
        loses: t.loses,
    })
}

/// The independent layers that block the way which the fewest block: one more mistake has to happen at each of them.
pub(super) fn blocking(ways: &[WayTrace]) -> Vec<String> {
    let kinds = |w: &WayTrace| -> Vec<String> {
        let mut out = Vec::new();
        for s in w.request.iter().filter(|s| !s.open) {
            let kind = match s.layer {
                Layer::SecurityGroupEgress | Layer::SecurityGroupIngress => "security group",
                Layer::AclEgress | Layer::AclIngress => "network ACL",
                Layer::AllowList => "allow list",
                Layer::CloudFirewall => "firewall",
                Layer::Route
                | Layer::TransitRouter
                | Layer::Peering
                | Layer::VpnGateway
                | Layer::BorderRouter
                | Layer::RouterInterface
                | Layer::Site
                | Layer::Appliance => "route",
                Layer::LoadBalancer => "load balancer",
                Layer::Platform => "platform",
                Layer::Nat
                | Layer::Eip
                | Layer::Ipv4Gateway
                | Layer::Ipv6Gateway
                | Layer::Internet
                | Layer::Dnat => "no public way",
            };
            if !out.iter().any(|o| o == kind) {
                out.push(kind.to_string());
            }
        }
        out
    };
    let all = ways.iter().map(kinds).filter(|k| !k.is_empty());
    // Without a public address nothing is looked at behind it: such a way tells the least.
    let public = |k: &Vec<String>| k.iter().any(|k| k == "no public way");
    all.min_by_key(|k| (public(k), k.len())).unwrap_or_default()
}
