//! What a change touched is added up again.

use super::far::{At, Scratch};
use super::handed::Row;
use super::touch::Keys;
use super::{Live, small};
use rustc_hash::FxHashSet;

impl Live {
    /// By which number the ledger knows what a front hands on; the next one is what it sends by itself.
    pub(super) fn by_front(&self, f: u32) -> u32 {
        small(self.kept.len() * self.kept.len()) + 2 * f
    }

    /// What travels privately from one cell to another.
    pub(super) fn cell_pair(
        &self,
        ((i, s), (j, t)): (At, At),
        x: &mut Scratch,
        allowed: Option<&mut [u64]>,
        tmp: &mut [u64],
    ) -> bool {
        let (net, ds) = (&self.reach.net, &self.reach.domains);
        match &self.far {
            _ if i == j => ds[i].pair(net, s as usize, t as usize, tmp),
            Some(far) => far.pair(net, ds, ((i, s), (j, t)), x, allowed, tmp),
            None => false,
        }
    }

    /// What travels from the cells of a block in one VPC to those of a slot in another one, or the same; stops where
    /// all of `need` is found. What is allowed between the two VPCs goes to `allowed`, if that is asked for; then all of it is
    /// looked for.
    fn contribution(
        &self,
        ((i, j), a, b): ((usize, usize), u32, u32),
        need: &[u64],
        (x, tmp): (&mut Scratch, &mut [u64]),
        mut allowed: Option<&mut [u64]>,
        out: &mut [u64],
    ) {
        out.fill(0);
        if let Some(a) = &mut allowed {
            a.fill(0);
        }
        let mut front = Vec::new();
        let takers: &[u32] = if (b as usize) < self.reach.blocks {
            self.kept[j].by_block.get(&b).map_or(&[], Vec::as_slice)
        } else {
            let fronts = self.fronts.as_ref();
            let cells = fronts.and_then(|f| Some(&f.all[*f.by_slot.get(&b)? as usize].cells));
            let here = |(k, c): &At| *k == j && self.reach.domains[j].cells[*c as usize].slot == b;
            front.extend(cells.into_iter().flatten().filter(|c| here(c)).map(|c| c.1));
            &front
        };
        let senders = self.kept[i].by_block.get(&a).map_or(&[][..], Vec::as_slice);
        for &t in takers {
            for &s in senders {
                if self.cell_pair(((i, s), (j, t)), x, allowed.as_deref_mut(), tmp) {
                    out.iter_mut().zip(tmp.iter()).for_each(|(o, &x)| *o |= x);
                    let done = |found: &[u64]| need.iter().zip(found).all(|(n, f)| n & !f == 0);
                    if allowed.as_deref().is_none_or(done)
                        && need.iter().zip(out.iter()).all(|(n, o)| n & !o == 0)
                    {
                        return;
                    }
                }
            }
        }
    }

    /// Adds up pairs of blocks again: what changed.
    pub(super) fn settle(&mut self, keys: &Keys) -> Result<Vec<(u32, u32)>, &'static str> {
        const ASKED: &str = "a pair depends on what a balancer hands on";
        let slots = self.reach.slots();
        let of = |b: u32| slots.get(b as usize).copied().unwrap_or(0);
        let touched = keys
            .pairs
            .keys()
            .map(|k| (k.1, k.2))
            .chain(keys.led.iter().copied());
        if touched.into_iter().any(|(a, b)| self.facts.asked((a, of(b)))) {
            return Err(ASKED);
        }
        if !(keys.hands.is_empty() && keys.sends.is_empty()) && self.fronts.is_none() {
            return Err("what reaches a balancer has changed");
        }
        let w = self.reach.net.atoms.words();
        let n = self.kept.len();
        let (mut tmp, mut sum) = (vec![0u64; w], vec![0u64; w]);
        let mut next = vec![0u64; w];
        let mut x = Scratch::default();
        let mut dirty: FxHashSet<(u32, u32)> = FxHashSet::default();
        let inside = |(_, b): &&(u32, u32)| (*b as usize) < self.reach.blocks;
        dirty.extend(keys.led.iter().filter(inside));
        let keeps = self.ledger.keeps();
        for (&(vpcs, a, b), delta) in &keys.pairs {
            let by = small(vpcs.0 * n + vpcs.1);
            if delta.whole {
                let all = self.reach.net.common.all.words();
                let between = keeps && vpcs.0 != vpcs.1;
                let allowed = between.then_some(&mut sum[..]);
                self.contribution((vpcs, a, b), all, (&mut x, &mut tmp), allowed, &mut next);
                if between {
                    let counts = next.iter().any(|x| *x != 0);
                    self.ledger.allow(by, (a, b), &sum, counts);
                }
            } else {
                next.copy_from_slice(self.ledger.get((a, b), by));
                next.iter_mut().zip(&delta.gained).for_each(|(n, g)| *n |= g);
                let need: Vec<u64> = delta.lost.iter().zip(&next).map(|(l, n)| l & n).collect();
                if need.iter().any(|x| *x != 0) {
                    self.contribution((vpcs, a, b), &need, (&mut x, &mut tmp), None, &mut sum);
                    for ((n, l), s) in next.iter_mut().zip(&need).zip(&sum) {
                        *n &= !l | s;
                    }
                }
            }
            if self.ledger.set((a, b), by, &next) && (b as usize) < self.reach.blocks {
                dirty.insert((a, b));
            }
        }
        for ((by, a), row, blocks) in self.rows(keys)? {
            for b in blocks {
                next.fill(0);
                if let Some(s) = row.get(&b) {
                    next.copy_from_slice(s.words());
                }
                if self.ledger.set((a, b), by, &next) {
                    if self.facts.asked((a, b)) {
                        return Err(ASKED);
                    }
                    dirty.insert((a, b));
                }
            }
        }
        let mut out = Vec::new();
        for (a, b) in dirty {
            let at = (a as usize * self.reach.blocks + b as usize) * w;
            sum.copy_from_slice(&self.rest[at..at + w]);
            self.ledger.sum((a, b), &mut sum);
            let entry = &mut self.reach.matrix[at..at + w];
            if *entry != *sum {
                entry.copy_from_slice(&sum);
                out.push((a, b));
            }
        }
        out.sort_unstable();
        Ok(out)
    }

    /// What fronts hand on now: by whom and from which block, what, and to which blocks it may have been something.
    #[expect(clippy::type_complexity, reason = "one call site, taken apart there")]
    fn rows(&self, keys: &Keys) -> Result<Vec<((u32, u32), Row, Vec<u32>)>, &'static str> {
        let Some(fronts) = &self.fronts else {
            return Ok(Vec::new());
        };
        let of = |slot: &u32| fronts.by_slot.get(slot).copied();
        let hands: FxHashSet<(u32, u32)> = keys
            .hands
            .iter()
            .filter_map(|(s, a)| Some((of(s)?, *a)))
            .collect();
        let mut out = Vec::new();
        for (f, a) in hands {
            let known = || self.handed(fronts, f, a);
            let row = (!fronts.asked.contains(&(f, a))).then(known).flatten();
            let Some(row) = row else {
                return Err("only the point engine knows what a balancer hands on");
            };
            out.push(((self.by_front(f), a), row, fronts.all[f as usize].blocks.clone()));
        }
        for f in keys.sends.iter().filter_map(of) {
            let own = fronts.sends(&self.reach.net, &self.reach.domains, f);
            let front = &fronts.all[f as usize];
            out.push(((self.by_front(f) + 1, front.block), own, front.blocks.clone()));
        }
        Ok(out)
    }
}
