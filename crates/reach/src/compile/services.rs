//! Managed data services, ALIBABA.md §15: allow lists take the place of security groups.

use super::Ctx;
use crate::network::{GroupSet, Match, Rule, RuleList, RuleRef, SOME_GROUP};
use bartizan_model::{AllowPeer, DataService, DataServiceId, Fact, InterfaceId};
use bartizan_packet::{IpSet, ServiceSet};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// The service that answers at each interface.
pub(super) fn by_interface(c: &Ctx<'_>) -> FxHashMap<InterfaceId, DataServiceId> {
    let ids = (0u32..).map(DataServiceId);
    ids.zip(&c.t.data_services)
        .map(|(i, d)| (d.interface, i))
        .collect()
}

/// What the service lets in, and that it sends nothing by itself.
pub(super) fn lists(c: &mut Ctx<'_>, id: DataServiceId) -> GroupSet {
    let t = c.t;
    let d: &DataService = &t[id];
    let services = match &d.services {
        Fact::Known(s) if c.widen() => s.union(&d.also),
        Fact::Known(s) => s.clone(),
        Fact::Unknown(_) if c.widen() => ServiceSet::any(),
        Fact::Unknown(_) => ServiceSet::empty(),
    };
    let (services, atoms) = c.pool.service(&c.atoms, &services);
    let open = super::groups::open(t);
    let mut rules = Vec::new();
    for (i, e) in (0u32..).zip(&d.allow) {
        // §15: the union of all entries; one that is not certain counts for what may happen only.
        if e.origin.maybe.is_some() && !c.widen() {
            continue;
        }
        let peers = match &e.peer {
            AllowPeer::Net(n) => vec![Match::Ips(Arc::new(IpSet::from(*n)))],
            AllowPeer::Group(g) if open && c.widen() => vec![Match::Group(*g), Match::Group(SOME_GROUP)],
            AllowPeer::Group(g) => vec![Match::Group(*g)],
            AllowPeer::ForeignGroup(_) | AllowPeer::Unknown(_) if c.widen() => vec![Match::Any],
            AllowPeer::ForeignGroup(_) | AllowPeer::Unknown(_) => Vec::new(),
        };
        let all = || (services.clone(), atoms.clone());
        let peers = peers.into_iter();
        rules.extend(peers.map(|peer| Rule::new(RuleRef::Allow(id, i), true, all(), peer)));
    }
    GroupSet {
        groups: Vec::new(),
        ingress: RuleList {
            rules,
            default_accept: false,
            default_ref: RuleRef::AllowEnd(id),
        },
        egress: RuleList {
            rules: Vec::new(),
            default_accept: false,
            default_ref: RuleRef::NoClient(id),
        },
        stateless: false,
    }
}
