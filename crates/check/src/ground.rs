//! What verdicts rest on besides flows: the same for every clause.

use crate::assumptions;
use crate::plan::Plan;
use crate::sets::Set;
use crate::unmodelled::{Unmodelled, unmodelled};
use crate::world::World;
use bartizan_model::{AddressSpec, Assumption, InterfaceId, Use};
use std::collections::BTreeSet;

/// What verdicts rest on besides flows.
pub(crate) struct Ground {
    pub(crate) open: Vec<Unmodelled>,
    pub(crate) harmless: bool,
    pub(crate) notes: Vec<String>,
    /// Endpoints that are in no network.
    pub(crate) lost: Vec<Lost>,
}

/// An endpoint that is in no network, as its vSwitch or the VPC of it is not known.
pub(crate) struct Lost {
    pub(crate) interface: InterfaceId,
    /// Whether it may carry packets of others, so that claims about anybody may depend on it.
    pub(crate) carries: bool,
}

impl Lost {
    /// Whether it may be in a set, wherever it is.
    pub(crate) fn may_be_in(&self, w: &World<'_>, set: &Set) -> bool {
        let i = &w.inventory.typed[self.interface];
        match set {
            Set::Nothing | Set::Outside => false,
            Set::Everything => true,
            Set::Interfaces(v) => v.contains(&self.interface),
            Set::Ips(s) => {
                let private = i.addresses.iter().map(|a| match a.spec {
                    AddressSpec::Ip(ip) => Some(ip),
                    _ => None,
                });
                let public = i.public.iter().map(|p| p.ip.known().copied());
                i.addresses.is_empty() || private.chain(public).any(|ip| ip.is_none_or(|ip| s.contains(ip)))
            }
            Set::Or(v) => v.iter().any(|s| self.may_be_in(w, s)),
            Set::And(v) => v.iter().all(|s| self.may_be_in(w, s)),
            Set::Except(a, b) => self.may_be_in(w, a) && !self.is_in(b),
        }
    }

    /// Whether it is in a set, wherever it is.
    fn is_in(&self, set: &Set) -> bool {
        match set {
            Set::Everything => true,
            Set::Interfaces(v) => v.contains(&self.interface),
            Set::Or(v) => v.iter().any(|s| self.is_in(s)),
            Set::And(v) => v.iter().all(|s| self.is_in(s)),
            Set::Nothing | Set::Outside | Set::Ips(_) | Set::Except(..) => false,
        }
    }
}

impl Ground {
    pub(crate) fn new(w: &World<'_>, plan: &Plan) -> Self {
        let open = unmodelled(w.inventory, &w.network().gaps);
        let mut notes = assumptions::of(w.inventory);
        // Where such routes do not take effect nothing is led elsewhere.
        let local = |u| u == Use::Second;
        if local(plan.readings.absence(Assumption::Route1))
            && local(plan.readings.presence(Assumption::Route1))
        {
            notes.retain(|id| *id != "A-LB-4");
        }
        let harmless = plan.readings.absence(Assumption::Unmodelled) == Use::Second;
        if harmless && !open.is_empty() {
            notes.push("A-UNMODELLED");
        }
        let notes = notes.iter().map(|id| plan.readings.label(id)).collect();
        // What carries nothing of others is said to be reached by nothing but itself.
        let alone = w.network().gaps.iter().filter_map(|g| match g.to.as_slice() {
            [one] => Some(*one),
            _ => None,
        });
        let alone: BTreeSet<InterfaceId> = alone.collect();
        let lost = w.lost().into_iter().map(|interface| Lost {
            carries: !alone.contains(&interface),
            interface,
        });
        let lost = lost.collect();
        Ground {
            open,
            harmless,
            notes,
            lost,
        }
    }
}
