//! A rule was added or removed.

use super::facts::Facts;
use super::index::Side;
use super::touch::Keys;
use super::{Inside, Live, handed, small};
use crate::network::{GroupSet, Match, RuleRef};
use bartizan_model::{SgRule, VpcId};
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
        let ruled = self.parts().rule(r, index, added)?;
        let sets = ruled.sets.clone();
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
                self.parts().forget(s);
                continue;
            };
            let before = self.reach.net.group_sets.get(s as usize).cloned();
            self.parts().patch(s, *first, (index, added));
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
        self.parts().renumber(&ruled, index);
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
}
