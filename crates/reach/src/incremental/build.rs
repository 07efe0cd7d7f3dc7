//! Everything from nothing.

use super::facts::{self, Facts};
use super::far::Far;
use super::handed::{Fronts, Row};
use super::inside::Kept;
use super::ledger::Ledger;
use super::{Live, SPARE, small};
use crate::compile::again::Again;
use crate::compile::{CompileOptions, compile};
use crate::cross::Joint;
use crate::domain::Partition;
use crate::matrix::{Added, Arrivals, Entries, Matrix};
use crate::network::Mode;
use crate::reach::Reach;
use crate::relayed::{Hands, fronts, hand_on};
use bartizan_model::Inventory;
use bartizan_packet::AtomSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a front hands on, by block of clients; `None` where only the point engine knows.
type Rows = Vec<(u32, Option<Row>)>;

/// What somebody contributes, by block and slot.
type Contributions = FxHashMap<(u32, u32), Vec<u64>>;

fn or(to: &mut [u64], more: &[u64]) {
    to.iter_mut().zip(more).for_each(|(o, &x)| *o |= x);
}

impl Live {
    pub(super) fn build(
        inv: Inventory,
        mode: Mode,
        options: CompileOptions,
        part: Box<dyn Partition + Send>,
    ) -> Self {
        let net = compile(&inv, mode, &options);
        let mut reach = Reach::with_cells(net, &*part, true);
        reach.build_rows();
        let w = reach.network().atoms.words();
        let joined = reach
            .domains
            .iter()
            .any(|d| reach.network().has_neighbours(d.vpc));
        let far =
            (joined && !facts::overlap(&reach)).then(|| Far::new(&inv, reach.network(), &reach.domains));
        let fronts = Fronts::new(&inv, &reach);
        let mut rest = reach.unrelayed(false, far.is_none());
        let mut added = Added::default();
        if !reach.network().relays.is_empty() && fronts.is_none() {
            let mut all = reach.unrelayed(true, true);
            all.record();
            hand_on(&reach, &mut all);
            added = all.take_added();
            for ((a, b), s) in &added.sets {
                rest.add(*a, *b, s);
            }
        }
        let mut rest_fronts = FxHashMap::default();
        for slot in small(reach.blocks)..small(reach.slots().len()) {
            for a in 0..small(reach.blocks) {
                if let Some(words) = rest.get(a, slot).filter(|w| w.iter().any(|&x| x != 0)) {
                    rest_fronts.insert((a, slot), words.into());
                }
            }
        }
        let rest = rest.fold(reach.slots());
        let kept: Vec<Kept> = reach
            .domains
            .iter()
            .enumerate()
            .map(|(n, d)| Kept::new(reach.network(), n, d))
            .collect();
        let all: Vec<Contributions> = kept
            .par_iter()
            .map(|k| k.contributions(reach.network(), &reach.domains[k.at], w))
            .collect();
        let mut ledger = Ledger::new(w);
        let n = kept.len();
        for (k, of) in all.into_iter().enumerate() {
            for (pair, words) in of {
                ledger.set(pair, small(k * n + k), &words);
            }
        }
        if far.is_some() {
            between(&reach, &mut ledger);
        }
        reach.matrix = rest.clone();
        ledger.each(|(a, b), words| {
            if (b as usize) < reach.blocks {
                let at = (a as usize * reach.blocks + b as usize) * w;
                or(&mut reach.matrix[at..at + w], words);
            }
        });
        // A table that grows costs more than a change may.
        reach.net.group_sets.reserve(SPARE);
        ledger.reserve(SPARE);
        for d in &mut reach.domains {
            d.table.reserve(SPARE / 16);
            d.rows.reserve(SPARE / 16);
            d.lists.reserve(SPARE / 16);
            d.sets.reserve(SPARE / 16);
        }
        let facts = Facts::new(&inv, &reach, &added, fronts.is_some());
        let again = Again::new(&inv, reach.network());
        let mut live = Live {
            inv,
            mode,
            options,
            part,
            reach,
            again,
            facts,
            kept,
            ledger,
            rest,
            rest_fronts,
            far,
            fronts,
        };
        live.hand_on();
        live
    }

    /// What all fronts hand on.
    fn hand_on(&mut self) {
        let Some(mut fronts) = self.fronts.take() else {
            return;
        };
        let blocks = small(self.reach.blocks);
        let numbers = 0..small(fronts.all.len());
        let known: Vec<(u32, Rows)> = numbers
            .into_par_iter()
            .map(|f| (f, (0..blocks).map(|a| (a, self.handed(&fronts, f, a))).collect()))
            .collect();
        let asked: FxHashSet<(u32, u32)> = known
            .iter()
            .flat_map(|(f, rows)| rows.iter().filter(|r| r.1.is_none()).map(|r| (*f, r.0)))
            .collect();
        for (f, rows) in known {
            for (a, row) in rows {
                self.put_row((self.by_front(f), a), &row.unwrap_or_default());
            }
            let own = fronts.sends(&self.reach.net, &self.reach.domains, f);
            let block = fronts.all[f as usize].block;
            self.put_row((self.by_front(f) + 1, block), &own);
        }
        for (f, a, row) in self.ask(&fronts, &asked) {
            self.put_row((self.by_front(f), a), &row);
            self.facts.asked.extend(row.keys().map(|b| (a, *b)));
        }
        fronts.asked = asked;
        self.fronts = Some(fronts);
    }

    /// What fronts hand on where the point engine has to be asked.
    fn ask(&self, known: &Fronts, asked: &FxHashSet<(u32, u32)>) -> Vec<(u32, u32, Row)> {
        if asked.is_empty() {
            return Vec::new();
        }
        let (reach, blocks) = (&self.reach, small(self.reach.blocks));
        let w = reach.net.atoms.words();
        let mut m = Matrix::new(Arrivals::new(reach.blocks, reach.slots().len(), w));
        let mut words = vec![0u64; w];
        for (slot, a) in known
            .by_slot
            .keys()
            .flat_map(|s| (0..blocks).map(move |a| (*s, a)))
        {
            words.fill(0);
            if let Some(rest) = self.rest_fronts.get(&(a, slot)) {
                or(&mut words, rest);
            }
            self.ledger.sum((a, slot), &mut words);
            m.add(a, slot, &AtomSet::from_words(&words));
        }
        // From here on what is added is new to everybody.
        m.record();
        let hands = Hands::new(reach);
        let mut all = fronts(&reach.net);
        let gains: Vec<_> = all
            .par_iter_mut()
            .map(|f| (known.of(f.id), f))
            .filter(|(n, _)| n.is_some_and(|n| asked.iter().any(|x| x.0 == n)))
            .map(|(n, f)| (n, hands.front(&m, f)))
            .collect();
        let mut out: FxHashMap<(u32, u32), Row> = FxHashMap::default();
        for (f, gains) in gains {
            let Some(f) = f else { continue };
            for ((a, slot), (set, _)) in gains {
                if !asked.contains(&(f, a)) {
                    continue;
                }
                let row = out.entry((f, a)).or_default();
                row.entry(reach.slots()[slot as usize])
                    .and_modify(|s| s.union_with(&set))
                    .or_insert(set);
            }
        }
        out.into_iter().map(|((f, a), row)| (f, a, row)).collect()
    }

    fn put_row(&mut self, (by, a): (u32, u32), row: &Row) {
        let w = self.reach.net.atoms.words();
        for (b, set) in row {
            self.ledger.set((a, *b), by, set.words());
            let at = (a as usize * self.reach.blocks + *b as usize) * w;
            or(&mut self.reach.matrix[at..at + w], set.words());
        }
    }
}

/// Above so many entries it is not kept what is allowed between VPCs.
const MUCH: usize = 8_000_000;

/// What travels from VPC to VPC, and what is allowed to, by block and slot.
fn between(reach: &Reach, ledger: &mut Ledger) {
    let net = reach.network();
    let w = net.atoms.words();
    let full = net.common.all.words();
    let joint = Joint::new(net, &reach.domains);
    let n = reach.domains.len();
    let by_slot = |entries: Entries| {
        let mut of = Contributions::default();
        for (a, slot, words) in entries.all.into_inner() {
            let block = reach.slots()[slot as usize];
            let both = [Some(block), Some(slot).filter(|s| *s != block)];
            for slot in both.into_iter().flatten() {
                or(of.entry((a, slot)).or_insert_with(|| vec![0; w]), &words);
            }
        }
        of
    };
    let much = AtomicUsize::new(0);
    let all: Vec<(u32, Contributions, Option<Contributions>)> = joint
        .pairs()
        .into_par_iter()
        .map(|(i, j)| {
            let entries = Entries::new(reach.blocks, w);
            joint.pair((i, j), full, &entries);
            let of = by_slot(entries);
            let apart = !joint.plain((i, j)) && much.load(Ordering::Relaxed) < MUCH;
            let allowed = apart.then(|| {
                let entries = Entries::new(reach.blocks, w);
                joint.allowed((i, j), full, &entries);
                by_slot(entries)
            });
            let more = allowed.as_ref().unwrap_or(&of).len();
            much.fetch_add(more, Ordering::Relaxed);
            (small(i * n + j), of, allowed)
        })
        .collect();
    if much.into_inner() < MUCH {
        ledger.keep(n * n);
    }
    for (by, of, allowed) in all {
        for (pair, words) in &of {
            ledger.set(*pair, by, words);
            let what = match &allowed {
                Some(a) => a.get(pair).cloned().unwrap_or_else(|| vec![0; w]),
                None => words.clone(),
            };
            ledger.allow(by, *pair, &what, true);
        }
        for (pair, words) in allowed.into_iter().flatten().filter(|(p, _)| !of.contains_key(p)) {
            ledger.allow(by, pair, &words, false);
        }
    }
}
