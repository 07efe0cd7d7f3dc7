//! Which pairs of blocks a change touches.
//!
//! What travels from one cell to another passes the egress list of the one and the ingress list of the other. Where
//! the other side lets nothing of it through nothing has changed. Changes are written one after another and every
//! one is held against the lists as they are then, so that two of them cannot hide each other. What a pair of cells
//! gains its blocks gain; what it loses they may have from others, which are looked through for it.

use super::Live;
use super::index::Side;
use super::inside::{Column, Kept};
use crate::domain::{Cell, Domain};
use bartizan_model::VpcId;
use rustc_hash::{FxHashMap, FxHashSet};

/// What a change may have done to what a VPC contributes to a pair of blocks.
#[derive(Default)]
pub(super) struct Delta {
    /// Nothing is known: it has to be added up again.
    pub(super) whole: bool,
    /// What some pair of cells may contribute no more.
    pub(super) lost: Box<[u64]>,
    /// What some pair of cells contributes besides.
    pub(super) gained: Box<[u64]>,
}

/// What a change touches.
#[derive(Default)]
pub(super) struct Keys {
    /// To which slots some VPC may contribute something else than before, from which block and which VPC: the two VPCs
    /// by position, the block and the slot.
    pub(super) pairs: FxHashMap<((usize, usize), u32, u32), Delta>,
    /// Fronts, by slot, with blocks of which some cell sends something else to them than before.
    pub(super) hands: FxHashSet<(u32, u32)>,
    /// Fronts, by slot, that hand on something else by themselves than before.
    pub(super) sends: FxHashSet<u32>,
    /// The blocks of everybody at whose filters or routes the change is made.
    pub(super) blocks: FxHashSet<u32>,
    /// Blocks and slots for which the ledger says something else already.
    pub(super) led: FxHashSet<(u32, u32)>,
}

impl Keys {
    /// Nothing is known of how a pair of cells of two VPCs, or of one, has changed.
    pub(super) fn whole(&mut self, vpcs: (usize, usize), s: &Cell, t: &Cell) {
        self.pairs.entry((vpcs, s.block, t.block)).or_default().whole = true;
        if t.slot != t.block {
            self.pairs.entry((vpcs, s.block, t.slot)).or_default().whole = true;
            self.hands.insert((t.slot, s.block));
        }
    }

    /// The same for two cells of one VPC.
    pub(super) fn whole_inside(&mut self, k: usize, d: &Domain, s: u32, t: u32) {
        self.whole((k, k), &d.cells[s as usize], &d.cells[t as usize]);
    }
}

fn add(to: &mut Box<[u64]>, more: impl ExactSizeIterator<Item = u64>) {
    if to.is_empty() {
        *to = more.collect();
    } else {
        to.iter_mut().zip(more).for_each(|(o, x)| *o |= x);
    }
}

impl Kept {
    /// Whether the lists of both ends let something through from one cell to another.
    pub(super) fn open(d: &Domain, s: u32, t: u32) -> bool {
        let (sc, tc) = (&d.cells[s as usize], &d.cells[t as usize]);
        let i = d.rows[d.lists[tc.gs as usize].0 as usize][s as usize];
        if i == 0 {
            return false;
        }
        let e = d.rows[d.lists[sc.gs as usize].1 as usize][t as usize];
        let (i, e) = (d.table.get(i), d.table.get(e));
        i.iter().zip(e).any(|(x, y)| x & y != 0)
    }
}

impl Live {
    /// Whether what appliances of a VPC forward stays in it, between cells of its own.
    pub(super) fn forwards_inside(&self, vpc: VpcId) -> bool {
        let net = &self.reach.net;
        !net.has_neighbours(vpc) && self.forwards_known()
    }

    /// Whether what appliances forward is known: it does not come from the Internet or go there, and where it is for
    /// fronts or for other VPCs that is kept up to date.
    pub(super) fn forwards_known(&self) -> bool {
        let net = &self.reach.net;
        let joined = self
            .kept
            .iter()
            .any(|k| net.has_neighbours(self.reach.domains[k.at].vpc));
        !self.facts.forwards_public
            && (net.relays.is_empty() || self.fronts.is_some())
            && (!joined || self.far.is_some())
    }

    /// The front at a cell.
    fn front_at(&self, (k, c): (usize, u32)) -> Option<&super::handed::Front> {
        let slot = self.reach.domains[k].cells[c as usize].slot;
        let fronts = self.fronts.as_ref()?;
        fronts.all.get(*fronts.by_slot.get(&slot)? as usize)
    }

    /// Takes down the pairs that changed columns of a list touch; `asked` are all columns that were folded again.
    pub(super) fn touched(
        &self,
        k: usize,
        (gs, side): (u32, Side),
        asked: &[u32],
        changed: &[Column],
        keys: &mut Keys,
    ) -> Result<(), &'static str> {
        let kept = &self.kept[k];
        let d = &self.reach.domains[kept.at];
        let own = kept.with_list(gs);
        let stops = |c: &u32| self.facts.stops.contains(&d.cells[*c as usize].rep.iface);
        if own.iter().any(stops) {
            const AT_ONCE: usize = 64;
            if !self.forwards_known() || !self.forwards_inside(d.vpc) && asked.len() > AT_ONCE {
                return Err("the list filters at an appliance");
            }
            // An appliance sees both ends of what it forwards, and not as it sees its own peers.
            let mut named = vec![false; d.cells.len()];
            asked.iter().for_each(|c| named[*c as usize] = true);
            self.forwarded(k, |s, t| named[s as usize] || named[t as usize], keys);
            keys.blocks.extend(kept.by_block.keys());
            if !self.forwards_inside(d.vpc) {
                for &c in asked {
                    let ip = d.cells[c as usize].rep.ip;
                    self.far_place((k, c), ip, &[Side::Ingress, Side::Egress], keys);
                }
            }
        }
        for f in own.iter().filter_map(|c| self.front_at((k, *c))) {
            keys.blocks.extend(&f.blocks);
        }
        keys.blocks.extend(own.iter().map(|c| d.cells[*c as usize].block));
        for &a in own {
            for c in changed {
                let ends = match side {
                    Side::Ingress => (c.at, a),
                    Side::Egress => (a, c.at),
                };
                self.pair(k, ends, side, (c.old, c.new), keys)?;
            }
        }
        Ok(())
    }

    /// Takes down a pair of cells whose list on one side accepts something else than before.
    pub(super) fn pair(
        &self,
        k: usize,
        (s, t): (u32, u32),
        side: Side,
        (old, new): (u32, u32),
        keys: &mut Keys,
    ) -> Result<(), &'static str> {
        let d = &self.reach.domains[self.kept[k].at];
        let (sc, tc) = (&d.cells[s as usize], &d.cells[t as usize]);
        let other = match side {
            Side::Ingress => d.rows[d.lists[sc.gs as usize].1 as usize][t as usize],
            Side::Egress => d.rows[d.lists[tc.gs as usize].0 as usize][s as usize],
        };
        if other == 0 {
            return Ok(());
        }
        let (old, new, other) = (d.table.get(old), d.table.get(new), d.table.get(other));
        let all = || old.iter().zip(new).zip(other);
        let lost = || all().map(|((o, n), x)| o & !n & x);
        let gained = || all().map(|((o, n), x)| n & !o & x);
        let (loses, gains) = (lost().any(|x| x != 0), gained().any(|x| x != 0));
        if !loses && !gains {
            return Ok(());
        }
        let mut now = vec![0u64; new.len()];
        let more = gains && d.pair(&self.reach.net, s as usize, t as usize, &mut now);
        // A front has a column of its own besides that of its block.
        let slots = [Some(tc.block), Some(tc.slot).filter(|s| *s != tc.block)];
        for slot in slots.into_iter().flatten() {
            let delta = keys.pairs.entry(((k, k), sc.block, slot)).or_default();
            if loses {
                add(&mut delta.lost, lost());
            }
            if more {
                add(&mut delta.gained, gained().zip(&now).map(|(x, y)| x & y));
            }
            if slot != tc.block {
                keys.hands.insert((slot, sc.block));
            }
        }
        Ok(())
    }

    /// Takes down the pairs of cells that routes lead elsewhere, as far as `which` wants them.
    pub(super) fn forwarded(&self, k: usize, which: impl Fn(u32, u32) -> bool, keys: &mut Keys) {
        let kept = &self.kept[k];
        let d = &self.reach.domains[kept.at];
        for (v, flags) in d.detours.iter().enumerate() {
            let Some(flags) = flags else { continue };
            for (t, _) in (0u32..).zip(flags.iter()).filter(|(_, f)| **f) {
                for &s in kept.in_vswitch(v) {
                    if which(s, t) && Kept::open(d, s, t) {
                        keys.whole_inside(k, d, s, t);
                    }
                }
            }
        }
    }
}
