//! What is tried to find out who is to blame ([`crate::cause`]): something is taken away or cut down, and the whole intent
//! asked again.

use crate::cause::{Baseline, Culprit, each_filter};
use crate::evaluate::{Leak, allowed, clause};
use crate::plan::Plan;
use crate::world::World;
use bartizan_base::Verdict;
use bartizan_model::{
    AddressSpec, AllowEntry, AllowPeer, DataServiceId, Fact, FilterEntry, Inventory, ListenerFilter, NetSpec,
    Peer,
};
use bartizan_packet::{IpSet, ServiceSet};
use ipnet::IpNet;

/// The addresses of a block.
fn addresses(w: &World<'_>, block: u32) -> IpSet {
    let inside = w
        .interfaces_of(block)
        .into_iter()
        .flat_map(|i| &w.inventory.typed[i].addresses);
    inside.fold(w.may.outside_of(block), |s, a| {
        s.union(&match &a.spec {
            AddressSpec::Ip(ip) => IpSet::single(*ip),
            AddressSpec::Block(n) => IpSet::from(*n),
            AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_) => IpSet::empty(),
        })
    })
}

/// The addresses by which a block may be seen: its own, and its public ones.
pub(crate) fn seen_as(w: &World<'_>, block: u32) -> IpSet {
    let inside = w.interfaces_of(block).into_iter();
    let public = inside.flat_map(|i| &w.inventory.typed[i].public);
    public
        .filter_map(|p| p.ip.known().copied())
        .fold(addresses(w, block), |s, ip| s.union(&IpSet::single(ip)))
}

/// The inventory with what a culprit admits cut down to leave out the other end of a leak; `None` for what has no
/// addresses to cut.
pub(crate) fn narrowed(c: &Culprit, w: &World<'_>, leak: &Leak) -> Option<Inventory> {
    let mut out = Inventory {
        typed: w.inventory.typed.clone(),
        ..Inventory::empty(w.inventory.source)
    };
    let t = &mut out.typed;
    let other = |egress: bool| addresses(w, if egress { leak.to } else { leak.from });
    let cut = |n: &IpNet, gone: &IpSet| IpSet::from(*n).subtract(gone).to_nets();
    match c {
        Culprit::Ingress(s) | Culprit::Egress(s) => {
            let gone = other(matches!(c, Culprit::Egress(_)));
            let mut more = Vec::new();
            for &i in s {
                let Peer::Net(NetSpec::Net(Fact::Known(n))) = t.sg_rules[i as usize].peer.clone() else {
                    return None;
                };
                let mut parts = cut(&n, &gone).into_iter();
                let first = parts.next()?;
                let with = |n: IpNet| Peer::Net(NetSpec::Net(Fact::Known(n)));
                for n in parts {
                    let mut r = t.sg_rules[i as usize].clone();
                    r.peer = with(n);
                    more.push(r);
                }
                t.sg_rules[i as usize].peer = with(first);
            }
            t.sg_rules.extend(more);
        }
        Culprit::Allow(s) => {
            let gone = other(false);
            for (n, d) in (0u32..).zip(t.data_services.iter_mut()) {
                let mut allow = Vec::new();
                for (k, e) in (0u32..).zip(std::mem::take(&mut d.allow)) {
                    match e.peer {
                        AllowPeer::Net(net) if s.contains(&(DataServiceId(n), k)) => {
                            allow.extend(cut(&net, &gone).into_iter().map(|n| AllowEntry {
                                peer: AllowPeer::Net(n),
                                ..e.clone()
                            }));
                        }
                        _ if s.contains(&(DataServiceId(n), k)) => return None,
                        _ => allow.push(e),
                    }
                }
                d.allow = allow;
            }
        }
        Culprit::Filter(s) => {
            let gone = seen_as(w, leak.from);
            let mut empty = false;
            each_filter(t, |b, l, f| {
                let mut kept = Vec::new();
                for (k, e) in (0u32..).zip(std::mem::take(&mut f.entries)) {
                    match e.net {
                        Fact::Known(n) if s.contains(&(b, l, k)) => {
                            kept.extend(cut(&n, &gone).into_iter().map(|n| FilterEntry {
                                net: Fact::Known(n),
                                ..e.clone()
                            }));
                        }
                        _ => kept.push(e),
                    }
                }
                // A list without entries admits everybody.
                empty |= kept.is_empty();
                f.entries = kept;
            });
            if empty {
                return None;
            }
        }
        Culprit::Listeners(s) => {
            let gone = other(false);
            for &(b, l) in s {
                let l = &mut t.balancers[b.index()].listeners[l as usize];
                let empty = matches!(&l.filter, Fact::Known(Some(f)) if f.entries.is_empty());
                if !empty && l.filter != Fact::Known(None) {
                    return None;
                }
                let entry = |net: IpNet| FilterEntry {
                    origin: l.origin.clone(),
                    net: Fact::Known(net),
                };
                l.filter = Fact::Known(Some(ListenerFilter {
                    white: Fact::Known(false),
                    entries: gone.to_nets().into_iter().map(entry).collect(),
                }));
            }
        }
        _ => return None,
    }
    Some(out)
}

/// What becomes of a leak once something was taken away.
pub(crate) struct Trial {
    pub(crate) closes: bool,
    pub(crate) breaks: Vec<String>,
    pub(crate) loses: usize,
    /// Whether something of the leak still works, there and back.
    pub(crate) answered: bool,
}

/// Asks the intent again. A leak around a waypoint is closed when nothing goes around it any more, though packets
/// may still arrive by it.
pub(crate) fn tried(
    w: &World<'_>,
    plan: &Plan,
    base: &Baseline,
    leak: &Leak,
    around: Option<usize>,
    inv: &Inventory,
) -> Trial {
    let after = World::new(inv, plan.sets.clone(), &base.services, &plan.readings);
    let bad = w.services(&leak.atoms);
    let ends = (after.same_block(w, leak.from), after.same_block(w, leak.to));
    let mut answered = false;
    if let (Some(a), Some(b)) = ends {
        let want = after.atoms(&bad);
        after.may.each_pair(a, b, |_, _, f| {
            answered |= f.works.intersects(&want);
            !answered
        });
    }
    let closes = match ends {
        (Some(a), Some(b)) => match around {
            None => !after.services(&after.may.delivered(a, b)).intersects(&bad),
            Some(i) => !clause(&after, &plan.clauses[i])
                .leaks
                .iter()
                .any(|l| (l.from, l.to) == (a, b) && after.services(&l.atoms).intersects(&bad)),
        },
        _ => true,
    };
    let breaks: Vec<String> = base
        .holding
        .iter()
        .map(|&i| &plan.clauses[i])
        .filter(|k| clause(&after, k).verdict != Verdict::Holds)
        .map(|k| k.id.clone())
        .collect();
    let mut loses = 0;
    for a in 0..w.blocks() {
        for b in 0..w.blocks() {
            let wanted = w.may.delivered(a, b).intersect(&allowed(w, plan, a, b, None));
            if wanted.is_empty() {
                continue;
            }
            let now = match (after.same_block(w, a), after.same_block(w, b)) {
                (Some(a), Some(b)) => after.services(&after.may.delivered(a, b)),
                _ => ServiceSet::empty(),
            };
            loses += usize::from(!w.services(&wanted).is_subset(&now));
        }
    }
    Trial {
        closes,
        breaks,
        loses,
        answered,
    }
}
