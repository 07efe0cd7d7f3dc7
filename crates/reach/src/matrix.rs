//! The matrix while it is made: what every block sends to every block and to every front of a load balancer.
//!
//! A front has a column of its own, because what it takes in is handed on. It sends to its backends only, so that
//! its rows are kept apart, entry by entry: thousands of fronts cost no square of their number.

use bartizan_packet::AtomSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::{Mutex, PoisonError};

/// The rows of blocks, while several threads add to them.
pub(crate) struct Rows {
    w: usize,
    rows: Vec<Mutex<Vec<u64>>>,
}

impl Rows {
    /// `columns` entries for every block, each of `w` words; nothing is delivered yet.
    pub(crate) fn new(blocks: usize, columns: usize, w: usize) -> Self {
        let row = || Mutex::new(vec![0; columns * w]);
        Rows {
            w,
            rows: std::iter::repeat_with(row).take(blocks).collect(),
        }
    }

    pub(crate) fn words(&self) -> usize {
        self.w
    }
}

/// What travels between a few slots, while it is summed up.
///
/// A VPC, or a pair of them, touches few rows of the whole matrix, far from each other, and each of them many times;
/// here they lie together.
pub(crate) struct Sum {
    w: usize,
    from: Vec<u32>,
    to: Vec<u32>,
    /// By destination, then by source.
    words: Vec<u64>,
}

impl Sum {
    /// For some sources and destinations, which are slots.
    pub(crate) fn new(from: Vec<u32>, to: Vec<u32>, w: usize) -> Self {
        Sum {
            w,
            words: vec![0; from.len() * to.len() * w],
            from,
            to,
        }
    }

    /// The entry of the source and the destination at two places.
    pub(crate) fn entry(&mut self, from: usize, to: usize) -> &mut [u64] {
        let at = (to * self.from.len() + from) * self.w;
        &mut self.words[at..at + self.w]
    }

    /// Adds all of it to the rows. A thread that died while it did leaves a part of it, and its panic ends
    /// everything else as well.
    pub(crate) fn write(&self, out: &Rows) {
        let w = self.w;
        for (i, &x) in self.from.iter().enumerate() {
            let mut row = None;
            for (j, &y) in self.to.iter().enumerate() {
                let at = (j * self.from.len() + i) * w;
                let sum = &self.words[at..at + w];
                if sum.iter().any(|&x| x != 0) {
                    let row = row.get_or_insert_with(|| {
                        let row = out.rows[x as usize].lock();
                        row.unwrap_or_else(PoisonError::into_inner)
                    });
                    let to = y as usize * w;
                    row[to..to + w].iter_mut().zip(sum).for_each(|(o, &x)| *o |= x);
                }
            }
        }
    }
}

/// The different ones of some slots, in order.
pub(crate) fn different(slots: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut all: Vec<u32> = slots.collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Delivered services by slot of the source and of the destination: blocks first, then fronts.
pub(crate) struct Matrix {
    blocks: usize,
    w: usize,
    rows: Vec<Vec<u64>>,
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
    pub(crate) fn new(rows: Rows) -> Self {
        let own = |r: Mutex<Vec<u64>>| r.into_inner().unwrap_or_else(PoisonError::into_inner);
        Matrix {
            blocks: rows.rows.len(),
            w: rows.w,
            rows: rows.rows.into_iter().map(own).collect(),
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
        match self.rows.get(a as usize) {
            Some(row) => row.get(b as usize * self.w..(b as usize + 1) * self.w),
            None => self.fronts.get(&(a, b)).map(AtomSet::words),
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
        match self.rows.get_mut(a as usize) {
            Some(row) => row[b as usize * w..(b as usize + 1) * w]
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

    /// The matrix over blocks, in one: fronts count for theirs, which `slots` says.
    pub(crate) fn fold(self, slots: &[u32]) -> Vec<u64> {
        let (blocks, w) = (self.blocks, self.w);
        let mut out = vec![0u64; blocks * blocks * w];
        let rows = out.par_chunks_exact_mut((blocks * w).max(1));
        // A row is given back as soon as it is read: the matrix is large.
        rows.zip(self.rows).for_each(|(out, row)| {
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
