//! What verdicts rest on besides flows: what is not modelled, who is meant, where endpoints are.

use super::{CLOUD, Judge};
use crate::evaluate::Outcome;
use crate::ground::Lost;
use crate::names;
use crate::unmodelled::Unmodelled;
use bartizan_base::Verdict;
use bartizan_model::{InterfaceId, VpcId};
use bartizan_packet::ServiceSet;
use std::collections::BTreeSet;

impl Judge<'_> {
    /// The unmodelled things that may carry packets to or from the endpoints of these blocks. Those that packets may only
    /// come from count where a claim is about what arrives `to` whom they reach; `None` is anybody.
    /// `on` are the services that it is about, `None` for all.
    fn touching(&self, blocks: &[u32], to: Option<&[u32]>, on: Option<&ServiceSet>) -> Vec<&Unmodelled> {
        if self.ground.harmless || self.ground.open.is_empty() {
            return Vec::new();
        }
        let t = &self.w.inventory.typed;
        let of = |blocks: &[u32]| -> BTreeSet<InterfaceId> {
            let all = blocks.iter().flat_map(|b| self.w.interfaces_of(*b));
            all.collect()
        };
        let to = to.map(of);
        let vpcs: BTreeSet<VpcId> = of(blocks).iter().filter_map(|i| t.vpc_of(&t[*i])).collect();
        let hit = |u: &&Unmodelled| match u.to.as_slice() {
            [] => u.vpcs.is_empty() || u.vpcs.iter().any(|v| vpcs.contains(v)),
            there => {
                let heard = u.services.as_ref().zip(on);
                heard.is_none_or(|(a, b)| !a.intersect(b).is_empty())
                    && to.as_ref().is_none_or(|to| there.iter().any(|i| to.contains(i)))
            }
        };
        self.ground.open.iter().filter(hit).collect()
    }

    /// Turns `holds` into `undecided` (absence) or `violated` into `undecided` (presence) where something
    /// that is not modelled may carry the packets.
    pub(super) fn temper(
        &self,
        o: &mut Outcome,
        absence: bool,
        blocks: &[u32],
        to: Option<&[u32]>,
        on: Option<&ServiceSet>,
    ) {
        // What is required and works may be taken away, and what does not work may be carried all the same.
        let taken = !absence && o.verdict == Verdict::Holds;
        let shaky = if absence {
            Verdict::Holds
        } else {
            Verdict::Violated
        };
        // Cheap questions first.
        if o.verdict != shaky && !taken || self.ground.harmless || self.ground.open.is_empty() {
            return;
        }
        let nobody = |b: &u32| self.w.interfaces_of(*b).is_empty();
        if blocks.iter().all(nobody) {
            return;
        }
        let mut open = self.touching(blocks, to, on);
        open.retain(|u| !taken || u.takes);
        if let Some(first) = open.first() {
            o.verdict = Verdict::Undecided;
            let more = if open.len() > 1 {
                format!(" and {} more", open.len() - 1)
            } else {
                String::new()
            };
            o.reasons.push(if taken {
                format!("`{}`{more} may take packets away: {}", first.address, first.why)
            } else {
                format!(
                    "`{}`{more} may carry packets and is not modelled: {}",
                    first.address, first.why
                )
            });
        }
    }

    /// A way around a waypoint, or by it, is not for certain the one that packets take where something that is not known
    /// may lead them elsewhere.
    pub(super) fn led_elsewhere(&self, o: &mut Outcome, blocks: &[u32]) {
        if o.verdict != Verdict::Violated {
            return;
        }
        if let Some(first) = self.touching(blocks, None, None).into_iter().find(|u| u.takes) {
            o.verdict = Verdict::Undecided;
            let said = format!("`{}` may lead packets another way: {}", first.address, first.why);
            o.reasons.push(said);
        }
    }

    /// Turns `holds` into `undecided` where it is not certain who is meant, or where some endpoint is; `sets` are the
    /// sides of a claim, `whole` if it is about everybody.
    pub(super) fn doubt(&self, o: &mut Outcome, sets: &[usize], whole: bool) {
        if o.verdict != Verdict::Holds {
            return;
        }
        let lost = self.lost(sets, whole);
        let unclear = || sets.iter().find_map(|s| self.plan.doubts.get(s).cloned());
        if let Some(why) = lost.or_else(unclear) {
            o.verdict = Verdict::Undecided;
            o.reasons.push(why);
        }
    }

    /// Of which endpoint it is not known where it is, if a claim may depend on it: one that may be meant, or that may carry
    /// packets of others.
    pub(super) fn lost(&self, sets: &[usize], whole: bool) -> Option<String> {
        let meant = |l: &&Lost| {
            let mut sides = sets.iter().map(|s| &self.w.sets[*s]);
            whole || l.carries || sides.any(|s| l.may_be_in(self.w, s))
        };
        let mut all = self.ground.lost.iter().filter(meant);
        let first = all.next()?;
        let more = match all.count() {
            0 => String::new(),
            n => format!(" and of {n} more"),
        };
        Some(format!(
            "the network of `{}`{more} is not known: its vSwitch or the VPC of it",
            names::interface(self.w, first.interface)
        ))
    }

    /// Flows of endpoints that may be in another zone than it seems violate nothing for certain.
    pub(super) fn spare(&self, o: &mut Outcome) {
        if self.plan.doubtful.is_empty() || o.leaks.is_empty() {
            return;
        }
        let certain = |b: u32| {
            let all = self.w.interfaces_of(b);
            all.is_empty() || self.w.is_outside(b) || all.iter().any(|i| !self.plan.doubtful.contains(i))
        };
        let before = o.leaks.len();
        o.leaks.retain(|l| certain(l.from) && certain(l.to));
        if o.leaks.is_empty() && before > 0 {
            o.verdict = Verdict::Holds;
        }
    }

    /// A claim about nobody proves nothing while something that is not modelled may be who is meant.
    pub(super) fn nobody(&self, o: &mut Outcome, sets: &[usize]) {
        let Some(s) = sets.iter().find(|s| self.w.blocks_of(**s).is_empty()) else {
            return;
        };
        let name = &self.plan.set_names[*s];
        // What is required of nobody has nothing that shows it; what is violated by packets stays so.
        let required = o.verdict != Verdict::Holds;
        if required && !(o.reasons.is_empty() && o.leaks.is_empty() && o.misses.is_empty()) {
            return;
        }
        let open = self.ground.open.iter().find(|u| u.to.is_empty());
        match open.filter(|_| !self.ground.harmless) {
            Some(first) => {
                o.verdict = Verdict::Undecided;
                o.reasons.push(format!(
                    "nothing that is modelled is in `{name}`, and `{}` is not modelled: {}",
                    first.address, first.why
                ));
            }
            None if required => {
                let lost = self
                    .lost(&[*s], false)
                    .or_else(|| self.plan.doubts.get(s).cloned());
                if lost.is_some() {
                    o.verdict = Verdict::Undecided;
                }
                let nobody = || format!("nobody here is in `{name}`, so there is nothing that works");
                o.reasons.push(lost.unwrap_or_else(nobody));
            }
            None => {}
        }
    }

    /// What is required of somebody who may not be there is not proved.
    pub(super) fn there(&self, o: &mut Outcome, sets: &[usize]) {
        if o.verdict != Verdict::Holds {
            return;
        }
        let w = self.w;
        for s in sets {
            let mut missing = None;
            let certain = w.blocks_of(*s).into_iter().any(|b| {
                let mut all = w.may.cells_of(b).flat_map(|c| c.members.iter());
                w.is_outside(b)
                    || all.any(|m| {
                        let meta = &w.inventory.typed[m.iface].meta;
                        let maybe = meta.origin.maybe.as_deref();
                        missing = missing.or(maybe.map(|u| (meta, u)));
                        maybe.is_none()
                    })
            });
            if let (false, Some((meta, u))) = (certain, missing) {
                o.verdict = Verdict::Undecided;
                o.reasons.push(format!(
                    "whether `{}` is there is not known, and nobody else is in `{}`: {}",
                    meta.origin.address, self.plan.set_names[*s], u.why
                ));
            }
        }
    }

    /// §2: where the cloud's own services answer (names, metadata, health checks) somebody is that no configuration shows.
    pub(super) fn cloud(&self, o: &mut Outcome, sets: &[usize]) {
        if o.verdict != Verdict::Holds {
            return;
        }
        let inside = |s: &&usize| {
            let named = self.w.sets[**s].named().v4;
            named
                .ranges()
                .iter()
                .any(|&(lo, hi)| CLOUD.0 <= lo && hi <= CLOUD.1)
        };
        if let Some(s) = sets.iter().find(inside) {
            o.verdict = Verdict::Undecided;
            o.reasons.push(format!(
                "`{}` is where the cloud's own services answer (100.64.0.0/10), which are not modelled: every instance reaches names and \
                 metadata there",
                self.plan.set_names[*s]
            ));
        }
    }
}
