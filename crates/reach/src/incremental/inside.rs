//! The rows of one VPC after a change: only the columns that the change can touch are folded again.

use crate::domain::Domain;
use crate::flow::Cuts;
use crate::network::{Match, Network, RuleList};
use crate::rows::{Columns, RowBuilder, fold_one};
use bartizan_model::SecurityGroupId;
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;

/// Columns from which on a whole row is cheaper than one column after another.
const MANY: usize = 150;

/// A VPC that is kept up to date.
pub(super) struct Kept {
    /// Its position among the domains.
    pub(super) at: usize,
    /// Its cells by block.
    pub(super) by_block: FxHashMap<u32, Vec<u32>>,
    /// How many lists share each row.
    uses: Vec<u32>,
    /// Rows that no list uses any more.
    free: Vec<u32>,
    left: Vec<u64>,
    acc: Vec<u64>,
    /// The cells sorted by address, and which is where.
    columns: Columns,
    order: Vec<u32>,
    place: Vec<u32>,
    /// Which lists name a group, and the ends of the address ranges that each list names.
    naming: FxHashMap<SecurityGroupId, FxHashSet<(u32, Side)>>,
    ends: Vec<[Cuts; 2]>,
}

/// Which list of a group set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Side {
    Ingress,
    Egress,
}

impl Kept {
    pub(super) fn new(net: &Network, at: usize, d: &Domain) -> Self {
        let mut by_block: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for (i, c) in (0u32..).zip(&d.cells) {
            by_block.entry(c.block).or_default().push(i);
        }
        let mut uses = vec![0; d.rows.len()];
        let acls = d.acls.iter().flatten();
        for (a, b) in d.lists.iter().chain(acls) {
            uses[*a as usize] += 1;
            uses[*b as usize] += 1;
        }
        let mut k = Kept {
            at,
            by_block,
            uses,
            free: Vec::new(),
            left: Vec::new(),
            acc: Vec::new(),
            columns: Columns::default(),
            order: Vec::new(),
            place: Vec::new(),
            naming: FxHashMap::default(),
            ends: Vec::new(),
        };
        k.sort(net, d);
        for gs in 0..d.sets.len() {
            k.note(net, d, gs);
        }
        k
    }

    /// Sorts the cells by address.
    pub(super) fn sort(&mut self, net: &Network, d: &Domain) {
        self.order = (0u32..).take(d.cells.len()).collect();
        self.order.sort_by_key(|&c| d.cells[c as usize].rep.ip);
        self.place = vec![0; self.order.len()];
        for (n, &c) in (0u32..).zip(&self.order) {
            self.place[c as usize] = n;
        }
        let cells = self.order.iter().map(|&c| d.cells[c as usize].rep);
        self.columns = Columns::new(cells.map(|p| net.private_view(p)));
    }

    /// Takes down what the lists of a group set name; what they named before may stay.
    pub(super) fn note(&mut self, net: &Network, d: &Domain, gs: usize) {
        let Some(set) = net.group_sets.get(d.sets[gs] as usize) else {
            return;
        };
        let mut ends = [Cuts::default(), Cuts::default()];
        let n = u32::try_from(gs).unwrap_or(u32::MAX);
        for (side, list, c) in [(Side::Ingress, &set.ingress, 0), (Side::Egress, &set.egress, 1)] {
            for r in &list.rules {
                match &r.peer {
                    Match::Ips(s) => ends[c].add(s),
                    Match::Group(g) | Match::Member(g) | Match::Primary(g) => {
                        self.naming.entry(*g).or_default().insert((n, side));
                    }
                    Match::Any => {}
                }
            }
        }
        ends.iter_mut().for_each(Cuts::finish);
        if gs < self.ends.len() {
            self.ends[gs] = ends;
        } else {
            self.ends.push(ends);
        }
    }

    /// The lists that may name one of some groups.
    pub(super) fn naming(&self, groups: impl Iterator<Item = SecurityGroupId>) -> Vec<(u32, Side)> {
        let mut out: Vec<(u32, Side)> = groups
            .filter_map(|g| self.naming.get(&g))
            .flatten()
            .copied()
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The lists that tell two addresses apart, perhaps.
    pub(super) fn telling(&self, a: IpAddr, b: IpAddr) -> Vec<(u32, Side)> {
        let mut out = Vec::new();
        for (n, [i, e]) in (0u32..).zip(&self.ends) {
            for (side, c) in [(Side::Ingress, i), (Side::Egress, e)] {
                if c.piece(a) != c.piece(b) {
                    out.push((n, side));
                }
            }
        }
        out
    }

    /// A cell has other groups than before.
    pub(super) fn regroup(
        &mut self,
        cell: u32,
        primary: bool,
        old: &[SecurityGroupId],
        new: &[SecurityGroupId],
    ) {
        self.columns.regroup(self.place[cell as usize], primary, old, new);
    }

    /// The columns that a peer matches.
    pub(super) fn columns(&self, m: &Match) -> Vec<u32> {
        let mut out: Vec<u32> = Vec::new();
        self.columns.each(m, |n| out.push(self.order[n]));
        out
    }

    /// A row of a list's own, to write to.
    fn own_row(&mut self, d: &mut Domain, row: u32) -> u32 {
        if self.uses[row as usize] <= 1 {
            return row;
        }
        self.uses[row as usize] -= 1;
        let copy = d.rows[row as usize].clone();
        self.put_row(d, copy)
    }

    fn put_row(&mut self, d: &mut Domain, row: Box<[u32]>) -> u32 {
        match self.free.pop() {
            Some(n) => {
                d.rows[n as usize] = row;
                self.uses[n as usize] = 1;
                n
            }
            None => {
                d.rows.push(row);
                self.uses.push(1);
                u32::try_from(d.rows.len() - 1).unwrap_or(u32::MAX)
            }
        }
    }

    /// Folds a list again at some columns; says which of them changed.
    fn refold(
        &mut self,
        net: &Network,
        d: &mut Domain,
        row: u32,
        list: &RuleList,
        columns: &[u32],
    ) -> (u32, Vec<u32>) {
        let mut changed: Vec<(u32, u32)> = Vec::new();
        if columns.len() > MANY {
            // Many columns: those with the same matching rules are folded once.
            let mut b = RowBuilder::new(&self.columns, &net.common.all);
            let ids = b.row(list, &mut d.table);
            for &c in columns {
                let id = ids[self.place[c as usize] as usize];
                if d.rows[row as usize][c as usize] != id {
                    changed.push((c, id));
                }
            }
        } else {
            for &c in columns {
                let view = net.private_view(d.cells[c as usize].rep);
                let all = net.common.all.words();
                let id = fold_one(list, view, all, &mut self.left, &mut self.acc, &mut d.table);
                if d.rows[row as usize][c as usize] != id {
                    changed.push((c, id));
                }
            }
        }
        if changed.is_empty() {
            return (row, Vec::new());
        }
        let row = self.own_row(d, row);
        for &(c, id) in &changed {
            d.rows[row as usize][c as usize] = id;
        }
        (row, changed.into_iter().map(|(c, _)| c).collect())
    }

    /// Folds one list of a group set again at some columns; says which of them changed.
    pub(super) fn refold_list(
        &mut self,
        net: &Network,
        d: &mut Domain,
        gs: usize,
        side: Side,
        columns: &[u32],
    ) -> Vec<u32> {
        let Some(set) = net.group_sets.get(d.sets[gs] as usize) else {
            return Vec::new();
        };
        let (i, e) = d.lists[gs];
        match side {
            Side::Ingress => {
                let (row, changed) = self.refold(net, d, i, &set.ingress, columns);
                d.lists[gs].0 = row;
                changed
            }
            Side::Egress => {
                let (row, changed) = self.refold(net, d, e, &set.egress, columns);
                d.lists[gs].1 = row;
                changed
            }
        }
    }

    /// The local number of a group set, with rows of its own if it is new.
    pub(super) fn list_of(&mut self, net: &Network, d: &mut Domain, set: u32) -> u32 {
        if let Some(at) = d.sets.iter().position(|s| *s == set) {
            return u32::try_from(at).unwrap_or(u32::MAX);
        }
        let n = d.cells.len();
        let empty: Box<[u32]> = vec![0; n].into();
        let i = self.put_row(d, empty.clone());
        let e = self.put_row(d, empty);
        d.lists.push((i, e));
        d.sets.push(set);
        let gs = d.sets.len() - 1;
        self.note(net, d, gs);
        let all: Vec<u32> = (0u32..).take(n).collect();
        self.refold_list(net, d, gs, Side::Ingress, &all);
        self.refold_list(net, d, gs, Side::Egress, &all);
        u32::try_from(gs).unwrap_or(u32::MAX)
    }

    /// The blocks of some cells.
    pub(super) fn blocks(d: &Domain, cells: &[u32]) -> FxHashSet<u32> {
        cells.iter().map(|&c| d.cells[c as usize].block).collect()
    }

    /// What the VPC contributes to a pair of blocks.
    pub(super) fn contribution(
        &self,
        net: &Network,
        d: &Domain,
        (a, b): (u32, u32),
        tmp: &mut [u64],
        out: &mut [u64],
    ) {
        out.fill(0);
        let none: &[u32] = &[];
        let of = |x: u32| self.by_block.get(&x).map_or(none, Vec::as_slice);
        for &t in of(b) {
            for &s in of(a) {
                if d.pair(net, s as usize, t as usize, tmp) {
                    out.iter_mut().zip(tmp.iter()).for_each(|(o, &x)| *o |= x);
                }
            }
        }
    }

    /// Folds the ACLs again at one column; `f` hears of every pair of a block of senders or receivers in a filtered
    /// vSwitch and the block of the column.
    pub(super) fn refold_acls(
        &mut self,
        net: &Network,
        d: &mut Domain,
        column: u32,
        mut f: impl FnMut(u32, bool, u32),
    ) {
        let block = d.cells[column as usize].block;
        for v in 0..d.acls.len() {
            let Some((i, e)) = d.acls[v] else { continue };
            let Some(acl) = d
                .cells
                .iter()
                .find(|c| c.vsw as usize == v)
                .and_then(|c| net.vsw(c.vswitch)?.acl)
                .and_then(|a| net.acls.get(a as usize))
            else {
                continue;
            };
            let (i, c1) = self.refold(net, d, i, &acl.ingress, &[column]);
            let (e, c2) = self.refold(net, d, e, &acl.egress, &[column]);
            d.acls[v] = Some((i, e));
            let blocks: FxHashSet<u32> = {
                let own = d.cells.iter().filter(|c| c.vsw as usize == v);
                own.map(|c| c.block).collect()
            };
            for b in blocks {
                if !c1.is_empty() {
                    f(block, true, b);
                }
                if !c2.is_empty() {
                    f(block, false, b);
                }
            }
        }
    }

    /// What the VPC contributes to every pair of blocks.
    pub(super) fn contributions(
        &self,
        net: &Network,
        d: &Domain,
        w: usize,
    ) -> FxHashMap<(u32, u32), Vec<u64>> {
        let mut blocks: Vec<u32> = self.by_block.keys().copied().collect();
        blocks.sort_unstable();
        let (mut tmp, mut sum) = (vec![0u64; w], vec![0u64; w]);
        let mut out = FxHashMap::default();
        for &a in &blocks {
            for &b in &blocks {
                self.contribution(net, d, (a, b), &mut tmp, &mut sum);
                if sum.iter().any(|&x| x != 0) {
                    out.insert((a, b), sum.clone());
                }
            }
        }
        out
    }
}
