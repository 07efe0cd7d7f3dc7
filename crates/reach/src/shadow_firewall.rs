//! Policies of firewalls that can never decide anything (ALIBABA.md §13.2).
//!
//! INVARIANT (shadows): as for other rules, a policy is reported only when policies that certainly come before it match
//! everything that it may match. Policies by application or domain never stand before others here, as nobody knows
//! what they match (A-FW-1).

use crate::network::RuleRef;
use crate::shadow::{Shadow, ShadowKind};
use bartizan_model::{FirewallId, FirewallPeer, FirewallRule, Inventory, Typed};
use bartizan_packet::{IpSet, ServiceSet};

/// A box of packets.
#[derive(Clone, PartialEq, Eq)]
struct Space {
    source: IpSet,
    destination: IpSet,
    services: ServiceSet,
}

impl Space {
    fn is_empty(&self) -> bool {
        self.source.is_empty() || self.destination.is_empty() || self.services.is_empty()
    }
    /// What is left without another.
    fn without(&self, o: &Space) -> Vec<Space> {
        let both = self.source.intersect(&o.source);
        let there = self.destination.intersect(&o.destination);
        if both.is_empty() || there.is_empty() || !self.services.intersects(&o.services) {
            return vec![self.clone()];
        }
        let parts = [
            Space {
                source: self.source.subtract(&o.source),
                ..self.clone()
            },
            Space {
                source: both.clone(),
                destination: self.destination.subtract(&o.destination),
                services: self.services.clone(),
            },
            Space {
                source: both,
                destination: there,
                services: self.services.subtract(&o.services),
            },
        ];
        parts.into_iter().filter(|p| !p.is_empty()).collect()
    }
}

/// The addresses of one side: all that it may match, or what it matches for certain.
fn side(t: &Typed, peers: &[FirewallPeer], six: bool, certain: bool) -> IpSet {
    let family = if six { IpSet::all_v6() } else { IpSet::all_v4() };
    let mut out = IpSet::empty();
    for p in peers {
        match p {
            FirewallPeer::Net(n) => out = out.union(&IpSet::from(*n)),
            FirewallPeer::Eip(e) => match t[*e].ip.known() {
                Some(ip) => out = out.union(&IpSet::single(*ip)),
                None if certain => {}
                None => return family,
            },
            FirewallPeer::Elsewhere(_) | FirewallPeer::Unknown(_) if certain => {}
            FirewallPeer::Elsewhere(_) | FirewallPeer::Unknown(_) => return family,
        }
    }
    out.intersect(&family)
}

fn space(t: &Typed, r: &FirewallRule, certain: bool) -> Option<Space> {
    let six = *r.ipv6.known()?;
    if certain && (r.deep.known() != Some(&false) || r.active.known() != Some(&true)) {
        return None;
    }
    Some(Space {
        source: side(t, &r.source, six, certain),
        destination: side(t, &r.destination, six, certain),
        services: r.services.known()?.clone(),
    })
}

/// Adds the policies that can never decide.
pub(crate) fn shadowed(inv: &Inventory, out: &mut Vec<Shadow>) {
    let t = &inv.typed;
    for (n, f) in (0u32..).zip(&t.firewalls) {
        for inbound in [true, false] {
            // Only what has a certain place takes part.
            let mut list: Vec<(u32, u32, &FirewallRule)> = (0u32..)
                .zip(&f.rules)
                .filter(|(_, r)| r.inbound.known() == Some(&inbound) && r.origin.maybe.is_none())
                .filter_map(|(k, r)| Some((*r.order.known()?, k, r)))
                .collect();
            list.sort_by_key(|(o, k, _)| (*o, *k));
            // A policy of `ANY` with ports is more than one rule, none of which tells about the whole.
            let parts = |r: &FirewallRule| {
                let of = |b: &&FirewallRule| b.origin.address == r.origin.address;
                f.rules.iter().filter(of).count()
            };
            for (at, (order, k, r)) in list.iter().enumerate().filter(|(_, (_, _, r))| parts(r) == 1) {
                let Some(whole) = space(t, r, false).filter(|s| !s.is_empty()) else {
                    continue;
                };
                let mut left = vec![whole];
                let mut by: Vec<(u32, bool)> = Vec::new();
                for (o, j, b) in &list[..at] {
                    let Some(taken) = space(t, b, true).filter(|_| o < order) else {
                        continue;
                    };
                    let next: Vec<Space> = left.iter().flat_map(|s| s.without(&taken)).collect();
                    if next != left {
                        by.push((*j, b.pass != r.pass || b.pass.known().is_none()));
                        left = next;
                    }
                    if left.is_empty() {
                        break;
                    }
                }
                if left.is_empty() {
                    let id = FirewallId(n);
                    out.push(Shadow {
                        rule: RuleRef::Firewall(id, *k),
                        contradicted: by.iter().any(|(_, other)| *other),
                        by: by.into_iter().map(|(j, _)| RuleRef::Firewall(id, j)).collect(),
                        kind: ShadowKind::Shadowed,
                    });
                }
            }
        }
    }
}
