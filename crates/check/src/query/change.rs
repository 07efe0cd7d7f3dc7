//! The smallest change that would close what is open: tried, and the whole intent asked again. Its counterpart that opens
//! is in [`super::unblock`].

use super::Frame;
use crate::cause::{Baseline, Blame, Culprit, blame};
use crate::evaluate::{Leak, clause, uncovered};
use crate::plan::{Claim, Plan};
use crate::world::World;
use bartizan_base::Verdict;
use bartizan_packet::ServiceSet;
use bartizan_reach::{Layer, Point, WayTrace};

/// A change of the network, and what it does to the intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whether it opens the packet's way or closes it.
    pub opens: bool,
    /// What is to be done, in words; all of it.
    pub steps: Vec<String>,
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
    let (_, verb) = crate::explain::culprit_text(w, &b.culprit);
    let verb = if b.narrow { "narrow" } else { verb };
    // The flow that is to be closed is not one that is lost.
    let own = crate::evaluate::allowed(w, &f.plan, from, to, None).intersects(&leak.atoms);
    // The fronts of a balancer, and the entries of a list, are of one resource.
    let mut steps: Vec<String> = Vec::new();
    for o in b.culprit.origins(f.inventory) {
        let step = format!("{verb} `{}`", o.address);
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    Some(Change {
        opens: false,
        steps,
        breaks: b.breaks,
        loses: b.loses.saturating_sub(usize::from(own)),
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
