//! A rule was added or removed.

use super::facts::Facts;
use super::index::Side;
use super::touch::Keys;
use super::{Inside, Live, handed, small};
use crate::network::{GroupSet, Match, RuleRef};
use bartizan_model::{Fact, InterfaceId, NetSpec, Peer, SecurityGroupId, SgRule, VpcId};
use bartizan_packet::IpSet;
use rustc_hash::FxHashSet;

impl Live {
    /// The places of a rule in a group set: sides and peers.
    fn places(&self, set: u32, rule: u32, out: &mut Vec<(Side, Match)>) {
        let Some(s) = self.reach.net.group_sets.get(set as usize) else {
            return;
        };
        for (side, l) in [(Side::Ingress, &s.ingress), (Side::Egress, &s.egress)] {
            let here = l.rules.iter().filter(|r| r.from == RuleRef::Sg(rule));
            out.extend(here.map(|r| (side, r.peer.clone())));
        }
    }

    /// A rule was added at the end or removed from a position.
    pub(super) fn rule(&mut self, r: &SgRule, index: u32, added: bool) -> Inside {
        let Fact::Known(group) = r.group else {
            return Err("the group of the rule is not known");
        };
        let net = &self.reach.net;
        if net.says.public_members {
            return Err("groups count for public addresses, as A-SG-4 is decided");
        }
        if let Fact::Known(s) = &r.services
            && net.atoms.touching(s) != net.atoms.inside(s)
        {
            return Err("the rule names services that were not told apart");
        }
        if added && let Peer::Net(spec) = &r.peer {
            match spec {
                NetSpec::Net(Fact::Known(n)) if !self.facts.cuts(&IpSet::from(*n)) => {}
                _ => return Err("the addresses of the rule cut one that is not known"),
            }
        }
        if !added && self.facts.cuts(&IpSet::empty()) {
            return Err("where a public address may be depends on every prefix");
        }
        // The last rule has moved to the free position.
        let moved = small(self.inv.typed.sg_rules.len());
        let group_of_moved = match self.inv.typed.sg_rules.get(index as usize) {
            Some(m) if !added && moved != index => match m.group {
                Fact::Known(g) => Some(g),
                Fact::Unknown(_) => return Err("a rule of no known group has moved"),
            },
            _ => None,
        };
        if added {
            self.again.added(group, index);
        } else {
            self.again.removed(group, index);
            if let Some(g) = group_of_moved {
                self.again.removed(g, moved);
                self.again.added(g, index);
            }
        }
        let sets: Vec<u32> = self.facts.sets_of.get(&group).cloned().unwrap_or_default();
        let users = |f: &Facts, s: u32| f.users.get(s as usize).cloned().unwrap_or_default();
        for &s in &sets {
            for i in users(&self.facts, s) {
                let stop = self.facts.stops.contains(&i) && !self.forwards_known();
                if self.facts.bound(i) || stop {
                    return Err("the rule filters at an appliance or a balancer");
                }
            }
        }
        let mut keys = Keys::default();
        for s in sets {
            let users = users(&self.facts, s);
            let mut places = Vec::new();
            self.places(s, index, &mut places);
            let Some(first) = users.first() else {
                // Nobody is in it any more; it is made again when somebody is.
                self.forget(s);
                continue;
            };
            let before = self.merge(s, *first);
            if added {
                self.places(s, index, &mut places);
            }
            if places.iter().any(|(_, m)| self.facts.meets_public(&users, m)) {
                let net = &self.reach.net;
                let now = net.group_sets.get(s as usize);
                let same = |(a, b): (&GroupSet, &GroupSet)| self.facts.same_in_public(net, a, b);
                if !before.as_ref().zip(now).is_some_and(same) {
                    return Err("the rule is about public addresses");
                }
            }
            let vpcs: FxHashSet<VpcId> = users.iter().filter_map(|i| self.vpc_of(*i)).collect();
            for vpc in vpcs {
                let Some(k) = self.kept_of(vpc) else { continue };
                let net = &self.reach.net;
                if self.far.is_none() && !places.iter().all(|(_, m)| self.facts.near(net, vpc, m)) {
                    return Err("the rule is about addresses outside of its VPC");
                }
                let stops = users.iter().any(|i| self.facts.stops.contains(i));
                if stops && places.iter().any(|(_, m)| self.meets_others(k, m)) {
                    return Err(
                        "the rule filters at an appliance, and is about addresses outside of its VPC",
                    );
                }
                let kept = &mut self.kept[k];
                let d = &mut self.reach.domains[kept.at];
                let Some(gs) = d.sets.iter().position(|x| *x == s) else {
                    continue;
                };
                kept.note(&self.reach.net, d, gs);
                if let Some(far) = &mut self.far {
                    far.renew(&self.reach.net, d, k, small(gs));
                }
                let users = kept.with_list(small(gs)).iter();
                keys.blocks.extend(users.map(|c| d.cells[*c as usize].block));
                for (side, m) in &places {
                    let kept = &mut self.kept[k];
                    let d = &mut self.reach.domains[kept.at];
                    let columns = kept.columns(m);
                    let changed = kept.refold_list(&self.reach.net, d, gs, *side, &columns);
                    self.touched(k, (small(gs), *side), &columns, &changed, &mut keys)?;
                    if let (Some(was), Some(is)) = (&before, self.reach.net.group_sets.get(s as usize)) {
                        let lists = match side {
                            Side::Ingress => (&was.ingress, &is.ingress),
                            Side::Egress => (&was.egress, &is.egress),
                        };
                        self.far_list((k, small(gs), *side), m, lists, &mut keys);
                    }
                }
            }
            for i in users {
                self.relegged(i, &handed::At::Peers(&places), &mut keys);
            }
        }
        if let Some(g) = group_of_moved {
            self.renumber(g, moved, index);
        }
        Ok(keys)
    }

    /// Whether a peer is somebody of another VPC that a VPC is joined with.
    fn meets_others(&self, k: usize, m: &Match) -> bool {
        let mut any = false;
        let peers = self.far.iter().flat_map(|f| &f.peers[k]);
        for &j in peers.filter(|_| matches!(m, Match::Any | Match::Ips(_))) {
            self.kept[j].each(m, |_| any = true);
        }
        any
    }

    /// Merges a set of groups again; the lists as they were.
    fn merge(&mut self, set: u32, user: InterfaceId) -> Option<GroupSet> {
        let net = &mut self.reach.net;
        let groups = net.group_sets.get(set as usize).map(|s| s.groups.clone())?;
        if let Some(b) = net.iface(user).and_then(|f| f.front.as_ref()).map(|f| f.balancer) {
            let taken = self.again.front(&self.inv, net, b, user)?;
            return Some(std::mem::replace(&mut net.group_sets[set as usize], taken));
        }
        let complete =
            self.inv.typed.interfaces.get(user.index()).is_some_and(|i| {
                i.foreign_groups.is_empty() && i.groups.known().is_some_and(|g| !g.is_empty())
            });
        let merged = self.again.merge(&self.inv, net, &groups, complete);
        Some(std::mem::replace(&mut net.group_sets[set as usize], merged))
    }

    /// A set without members is out of date from now on.
    fn forget(&mut self, set: u32) {
        self.facts.set.retain(|_, s| *s != set);
        for v in self.facts.sets_of.values_mut() {
            v.retain(|s| *s != set);
        }
    }

    /// A rule has another position.
    fn renumber(&mut self, group: SecurityGroupId, from: u32, to: u32) {
        for &s in self.facts.sets_of.get(&group).into_iter().flatten() {
            let Some(s) = self.reach.net.group_sets.get_mut(s as usize) else {
                continue;
            };
            for r in s.ingress.rules.iter_mut().chain(&mut s.egress.rules) {
                if r.from == RuleRef::Sg(from) {
                    r.from = RuleRef::Sg(to);
                }
            }
        }
    }
}
