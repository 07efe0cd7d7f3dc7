//! Who contributes what to an entry of the matrix.
//!
//! An entry is the union of what every VPC, every pair of VPCs and every front contributes, and of the rest.
//! Contributions are kept one by one, so that one can shrink without the others being computed again.

use crate::rows::AtomTable;
use rustc_hash::FxHashMap;

/// Contributions by ordered pair of a block and a slot.
pub(super) struct Ledger {
    table: AtomTable,
    /// By whom (a number) and what; nobody contributes nothing.
    of: FxHashMap<(u32, u32), Vec<(u32, u32)>>,
    /// What the filters of the two ends let through from VPC to VPC, whatever way leads there, by pair of VPCs. Nothing
    /// at all where that is not kept; an entry for everything that one contributes.
    allowed: Vec<FxHashMap<(u32, u32), u32>>,
}

impl Ledger {
    pub(super) fn new(words: usize) -> Self {
        Ledger {
            table: AtomTable::new(words),
            of: FxHashMap::default(),
            allowed: Vec::new(),
        }
    }

    /// Makes room for so many more contributions.
    pub(super) fn reserve(&mut self, more: usize) {
        self.table.reserve(more);
        self.of.reserve(more);
    }

    /// From now on it is kept what is allowed between so many pairs of VPCs.
    pub(super) fn keep(&mut self, pairs: usize) {
        self.allowed = vec![FxHashMap::default(); pairs];
    }

    /// Whether it is kept what is allowed between VPCs.
    pub(super) fn keeps(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// Sets what is allowed from VPC to VPC; `counts` says whether they contribute something, whether allowed or not.
    pub(super) fn allow(&mut self, by: u32, pair: (u32, u32), what: &[u64], counts: bool) {
        let id = self.table.intern(what);
        let Some(all) = self.allowed.get_mut(by as usize) else {
            return;
        };
        if id != 0 || counts {
            all.insert(pair, id);
        } else {
            all.remove(&pair);
        }
    }

    /// Whether anything is allowed from VPC to VPC.
    pub(super) fn allows(&self, by: u32) -> bool {
        self.allowed.get(by as usize).is_some_and(|all| !all.is_empty())
    }

    /// What is allowed from VPC to VPC, and whether it is something.
    pub(super) fn allowed(&self, by: u32) -> impl Iterator<Item = ((u32, u32), bool)> {
        let all = self.allowed.get(by as usize).into_iter().flatten();
        all.map(|(pair, id)| (*pair, *id != 0))
    }

    /// From now on VPC to VPC contributes all that is allowed, or nothing; calls `f` for what is something else than
    /// before.
    pub(super) fn lead(&mut self, by: u32, all: bool, mut f: impl FnMut((u32, u32))) {
        let Some(allowed) = self.allowed.get_mut(by as usize) else {
            return;
        };
        let allowed = std::mem::take(allowed);
        for (&pair, &id) in &allowed {
            if self.put(pair, by, if all { id } else { 0 }) {
                f(pair);
            }
        }
        self.allowed[by as usize] = allowed;
    }

    /// Sets what one contributes; says whether that is something else than before.
    pub(super) fn set(&mut self, pair: (u32, u32), by: u32, what: &[u64]) -> bool {
        let id = self.table.intern(what);
        self.put(pair, by, id)
    }

    fn put(&mut self, pair: (u32, u32), by: u32, id: u32) -> bool {
        let Some(all) = self.of.get_mut(&pair) else {
            if id != 0 {
                self.of.insert(pair, vec![(by, id)]);
            }
            return id != 0;
        };
        match all.iter().position(|(b, _)| *b == by) {
            Some(at) if all[at].1 == id => false,
            Some(at) if id == 0 => {
                all.swap_remove(at);
                true
            }
            Some(at) => {
                all[at].1 = id;
                true
            }
            None if id == 0 => false,
            None => {
                all.push((by, id));
                true
            }
        }
    }

    /// What one contributes.
    pub(super) fn get(&self, pair: (u32, u32), by: u32) -> &[u64] {
        let all = self.of.get(&pair).into_iter().flatten();
        let id = all.into_iter().find(|(b, _)| *b == by).map_or(0, |(_, id)| *id);
        self.table.get(id)
    }

    /// Whether anybody contributes anything.
    pub(super) fn any(&self, pair: (u32, u32)) -> bool {
        self.of.get(&pair).is_some_and(|all| !all.is_empty())
    }

    /// Everything that anybody contributes to anything.
    pub(super) fn each(&self, mut f: impl FnMut((u32, u32), &[u64])) {
        for (pair, all) in &self.of {
            all.iter().for_each(|(_, id)| f(*pair, self.table.get(*id)));
        }
    }

    /// Adds what everybody contributes.
    pub(super) fn sum(&self, pair: (u32, u32), out: &mut [u64]) {
        for (_, id) in self.of.get(&pair).into_iter().flatten() {
            out.iter_mut()
                .zip(self.table.get(*id))
                .for_each(|(o, &x)| *o |= x);
        }
    }
}
