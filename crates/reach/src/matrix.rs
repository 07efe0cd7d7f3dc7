//! The matrix while it is made: what every block sends to every block and to every front of a load balancer.
//!
//! A front has a column of its own, because what it takes in is handed on. It sends to its backends only, so that
//! its rows are kept apart, entry by entry: thousands of fronts cost no square of their number.

use bartizan_packet::AtomSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

/// Delivered services by slot of the source and of the destination: blocks first, then fronts.
pub(crate) struct Matrix {
    blocks: usize,
    columns: usize,
    w: usize,
    words: Vec<u64>,
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
    /// `words` has `columns` entries for every block.
    pub(crate) fn new(blocks: usize, columns: usize, w: usize, words: Vec<u64>) -> Self {
        Matrix {
            blocks,
            columns,
            w,
            words,
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

    fn at(&self, a: u32, b: u32) -> Option<std::ops::Range<usize>> {
        ((a as usize) < self.blocks).then(|| {
            let at = (a as usize * self.columns + b as usize) * self.w;
            at..at + self.w
        })
    }

    /// What is delivered; `None` where nothing is known to be.
    pub(crate) fn get(&self, a: u32, b: u32) -> Option<&[u64]> {
        match self.at(a, b) {
            Some(r) => Some(&self.words[r]),
            None => self.fronts.get(&(a, b)).map(AtomSet::words),
        }
    }

    /// Whether all of a set is delivered already.
    pub(crate) fn has(&self, a: u32, b: u32, s: &AtomSet) -> bool {
        let there = match &self.added {
            Some(x) => x.sets.get(&(a, b)).map(AtomSet::words),
            None => self.get(a, b),
        };
        match there {
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
        match self.at(a, b) {
            Some(r) => self.words[r]
                .iter_mut()
                .zip(s.words())
                .for_each(|(o, &x)| *o |= x),
            None => match self.fronts.entry((a, b)) {
                std::collections::hash_map::Entry::Occupied(mut e) => e.get_mut().union_with(s),
                std::collections::hash_map::Entry::Vacant(e) => {
                    e.insert(s.clone());
                    self.senders.entry(b).or_default().push(a);
                }
            },
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

    /// The matrix over blocks: fronts count for theirs, which `slots` says.
    pub(crate) fn fold(self, slots: &[u32]) -> Vec<u64> {
        if self.columns == self.blocks && self.fronts.is_empty() {
            return self.words;
        }
        let (blocks, w) = (self.blocks, self.w);
        let mut out = vec![0u64; blocks * blocks * w];
        let rows = self.words.par_chunks_exact(self.columns * w);
        out.par_chunks_exact_mut((blocks * w).max(1))
            .zip(rows)
            .for_each(|(out, row)| {
                for (entry, &b) in row.chunks_exact(w).zip(slots) {
                    let to = b as usize * w;
                    out[to..to + w].iter_mut().zip(entry).for_each(|(o, &x)| *o |= x);
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
