//! The matrix while it is made: what every block sends to every block and to every front of a load balancer.
//!
//! A front has a column of its own, because what it takes in is handed on. It sends to its backends only, so that
//! its rows are kept apart, entry by entry: thousands of fronts cost no square of their number.

use bartizan_packet::AtomSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Rows of the folded matrix that are made together.
const SOURCES_AT_ONCE: usize = 16;

/// What blocks send to each slot, while several threads add to it.
///
/// It lies together by destination: whoever adds stays with one destination until it is done with it.
pub(crate) struct Arrivals {
    blocks: usize,
    w: usize,
    by_slot: Vec<Mutex<Vec<u64>>>,
}

/// Takes in what arrives at slots.
pub(crate) trait Sink {
    /// How many blocks send.
    fn blocks(&self) -> usize;
    /// Lets `f` add to what a slot gets: one entry for every block.
    fn row(&self, slot: u32, f: impl FnOnce(&mut [u64]));
}

impl Sink for Arrivals {
    fn blocks(&self) -> usize {
        self.blocks
    }
    fn row(&self, slot: u32, f: impl FnOnce(&mut [u64])) {
        f(&mut self.at(slot));
    }
}

/// Block, slot and what it gets.
type Entry = (u32, u32, Box<[u64]>);

/// What arrives, entry by entry, for a matrix that is nearly empty.
pub(crate) struct Entries {
    w: usize,
    row: std::cell::RefCell<Vec<u64>>,
    /// A slot may come several times.
    pub(crate) all: std::cell::RefCell<Vec<Entry>>,
}

impl Entries {
    pub(crate) fn new(blocks: usize, w: usize) -> Self {
        Entries {
            w,
            row: vec![0; blocks * w].into(),
            all: Vec::new().into(),
        }
    }
}

impl Sink for Entries {
    fn blocks(&self) -> usize {
        self.row.borrow().len() / self.w.max(1)
    }
    fn row(&self, slot: u32, f: impl FnOnce(&mut [u64])) {
        let mut row = self.row.borrow_mut();
        f(&mut row);
        let mut all = self.all.borrow_mut();
        for (a, entry) in (0u32..).zip(row.chunks_exact_mut(self.w.max(1))) {
            if entry.iter().any(|&x| x != 0) {
                all.push((a, slot, (&*entry).into()));
                entry.fill(0);
            }
        }
    }
}

impl Arrivals {
    /// For so many blocks and slots, entries of `w` words; nothing is delivered yet.
    pub(crate) fn new(blocks: usize, slots: usize, w: usize) -> Self {
        let row = || Mutex::new(vec![0; blocks * w]);
        Arrivals {
            blocks,
            w,
            by_slot: std::iter::repeat_with(row).take(slots).collect(),
        }
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// Words of an entry.
    pub(crate) fn words(&self) -> usize {
        self.w
    }

    /// What a slot gets: one entry for every block. A thread that panicked while it had this leaves a part of what
    /// it wanted to add, and its panic ends everything else as well.
    pub(crate) fn at(&self, slot: u32) -> MutexGuard<'_, Vec<u64>> {
        let row = self.by_slot[slot as usize].lock();
        row.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Delivered services by slot of the source and of the destination: blocks first, then fronts.
pub(crate) struct Matrix {
    blocks: usize,
    w: usize,
    /// By destination, and there one entry for every block.
    arrivals: Vec<Vec<u64>>,
    /// Rows of fronts.
    fronts: FxHashMap<(u32, u32), AtomSet>,
    /// The fronts that have something in a column.
    senders: FxHashMap<u32, Vec<u32>>,
    /// What is added from now on, apart from what was there, if that is wanted.
    added: Option<Added>,
}

/// What was added to a matrix.
#[derive(Default)]
pub(crate) struct Added {
    pub(crate) sets: FxHashMap<(u32, u32), AtomSet>,
    /// Entries that the point engine was asked for: they hold whole flows.
    pub(crate) asked: FxHashSet<(u32, u32)>,
}

impl Matrix {
    pub(crate) fn new(arrivals: Arrivals) -> Self {
        let own = |r: Mutex<Vec<u64>>| r.into_inner().unwrap_or_else(PoisonError::into_inner);
        Matrix {
            blocks: arrivals.blocks,
            w: arrivals.w,
            arrivals: arrivals.by_slot.into_iter().map(own).collect(),
            fronts: FxHashMap::default(),
            senders: FxHashMap::default(),
            added: None,
        }
    }

    /// From now on additions are kept apart as well, also of what is there already.
    pub(crate) fn record(&mut self) {
        self.added = Some(Added::default());
    }

    /// What was added since [`Matrix::record`].
    pub(crate) fn take_added(&mut self) -> Added {
        self.added.take().unwrap_or_default()
    }

    /// As [`Matrix::add`] for an answer of the point engine.
    pub(crate) fn add_asked(&mut self, a: u32, b: u32, s: &AtomSet) -> bool {
        if let Some(x) = &mut self.added {
            x.asked.insert((a, b));
        }
        self.add(a, b, s)
    }

    /// What is delivered; `None` where nothing is known to be.
    pub(crate) fn get(&self, a: u32, b: u32) -> Option<&[u64]> {
        if (a as usize) < self.blocks {
            let row = self.arrivals.get(b as usize)?;
            row.get(a as usize * self.w..(a as usize + 1) * self.w)
        } else {
            self.fronts.get(&(a, b)).map(AtomSet::words)
        }
    }

    /// What counts as delivered already when something is added.
    pub(crate) fn there(&self, a: u32, b: u32) -> Option<&[u64]> {
        match &self.added {
            Some(x) => x.sets.get(&(a, b)).map(AtomSet::words),
            None => self.get(a, b),
        }
    }

    /// Whether all of a set is delivered already.
    pub(crate) fn has(&self, a: u32, b: u32, s: &AtomSet) -> bool {
        match self.there(a, b) {
            Some(w) => w.iter().zip(s.words()).all(|(&h, &x)| x & !h == 0),
            None => s.is_empty(),
        }
    }

    /// Adds to an entry; says whether something is new.
    pub(crate) fn add(&mut self, a: u32, b: u32, s: &AtomSet) -> bool {
        if self.has(a, b, s) {
            return false;
        }
        if let Some(x) = &mut self.added {
            x.sets
                .entry((a, b))
                .and_modify(|o| o.union_with(s))
                .or_insert_with(|| s.clone());
        }
        let w = self.w;
        if (a as usize) < self.blocks {
            self.arrivals[b as usize][a as usize * w..(a as usize + 1) * w]
                .iter_mut()
                .zip(s.words())
                .for_each(|(o, &x)| *o |= x);
        } else {
            match self.fronts.entry((a, b)) {
                std::collections::hash_map::Entry::Occupied(mut e) => e.get_mut().union_with(s),
                std::collections::hash_map::Entry::Vacant(e) => {
                    e.insert(s.clone());
                    self.senders.entry(b).or_default().push(a);
                }
            }
        }
        true
    }

    /// The slots that send something to one.
    pub(crate) fn senders(&self, b: u32) -> Vec<u32> {
        let mut out: Vec<u32> = (0u32..)
            .take(self.blocks)
            .filter(|&a| self.get(a, b).is_some_and(|w| w.iter().any(|&x| x != 0)))
            .collect();
        let fronts = self.senders.get(&b);
        out.extend(fronts.into_iter().flatten());
        out
    }

    /// The matrix over blocks, in one: fronts count for theirs, which `slots` says.
    pub(crate) fn fold(self, slots: &[u32]) -> Vec<u64> {
        let (blocks, w) = (self.blocks, self.w);
        let mut out = vec![0u64; blocks * blocks * w];
        // Several sources at a time, because they lie together in what arrives.
        let chunks = out.par_chunks_mut((SOURCES_AT_ONCE * blocks * w).max(1));
        chunks.enumerate().for_each(|(n, out)| {
            let first = n * SOURCES_AT_ONCE * w;
            for (row, &b) in self.arrivals.iter().zip(slots) {
                let entries = row[first..].chunks_exact(w);
                for (out, entry) in out.chunks_exact_mut(blocks * w).zip(entries) {
                    let to = b as usize * w;
                    out[to..to + w].iter_mut().zip(entry).for_each(|(o, &x)| *o |= x);
                }
            }
        });
        for ((a, b), s) in &self.fronts {
            let to = (slots[*a as usize] as usize * blocks + slots[*b as usize] as usize) * w;
            out[to..to + w]
                .iter_mut()
                .zip(s.words())
                .for_each(|(o, &x)| *o |= x);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two blocks and two fronts of the second one; 70 services.
    fn matrix() -> Matrix {
        let all = Arrivals::new(2, 4, 2);
        all.at(0)[2..4].copy_from_slice(&[1, 0]);
        all.at(2)[0..2].copy_from_slice(&[2, 1]);
        Matrix::new(all)
    }

    fn set(words: [u64; 2]) -> AtomSet {
        AtomSet::from_words(&words)
    }

    #[test]
    fn an_entry_is_of_its_source_and_its_destination() {
        let mut m = matrix();
        assert_eq!(m.get(1, 0), Some(&[1, 0][..]));
        assert_eq!(m.get(0, 2), Some(&[2, 1][..]));
        assert_eq!(m.get(0, 1), Some(&[0, 0][..]));
        assert_eq!(m.get(2, 1), None);
        assert!(m.add(2, 1, &set([4, 0])));
        assert!(!m.add(2, 1, &set([4, 0])));
        assert!(m.add(1, 1, &set([0, 8])));
        assert_eq!(m.get(2, 1), Some(&[4, 0][..]));
        assert_eq!(m.get(1, 1), Some(&[0, 8][..]));
        assert!(m.has(1, 1, &set([0, 8])) && !m.has(1, 1, &set([1, 8])));
        assert_eq!(m.senders(1), [1, 2]);
    }

    #[test]
    fn a_front_counts_for_its_block() {
        let mut m = matrix();
        m.add(2, 0, &set([16, 0]));
        m.add(3, 2, &set([0, 32]));
        let slots = [0, 1, 1, 1];
        // Block 0 sends to a front of block 1; block 1 to block 0, as do its fronts, one of which sends to the other.
        assert_eq!(m.fold(&slots), [0, 0, 2, 1, 17, 0, 0, 32]);
    }

    #[test]
    fn what_is_recorded_is_what_is_added() {
        let mut m = matrix();
        m.record();
        assert!(m.add(1, 0, &set([1, 0])), "what was there before does not count");
        assert!(!m.add(1, 0, &set([1, 0])));
        assert!(m.add_asked(0, 1, &set([2, 0])));
        let added = m.take_added();
        assert_eq!(added.sets.len(), 2);
        assert_eq!(added.asked.into_iter().collect::<Vec<_>>(), [(0, 1)]);
    }
}
