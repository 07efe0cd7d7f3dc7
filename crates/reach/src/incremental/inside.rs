//! The rows of one VPC after a change: only the columns that the change can touch are folded again.

use super::index::{Index, Named, Side};
use crate::domain::Domain;
use crate::network::{Match, Network, RuleList};
use crate::rows::{Peers, RowBuilder, fold_one};
use bartizan_model::{InterfaceId, SecurityGroupId};
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// Columns from which on a whole row is cheaper than one column after another.
const MANY: usize = 150;

/// A column of a list that accepts something else than before.
pub(super) struct Column {
    pub(super) at: u32,
    pub(super) old: u32,
    pub(super) new: u32,
}

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
    /// The cells as peers.
    columns: Index,
    /// What the lists name.
    named: Named,
    /// The cells by list, by interface and by vSwitch.
    by_set: Vec<Vec<u32>>,
    by_iface: FxHashMap<InterfaceId, Vec<u32>>,
    by_vsw: Vec<Vec<u32>>,
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Kept {
    pub(super) fn new(net: &Network, at: usize, d: &Domain) -> Self {
        let mut by_block: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        let mut by_iface: FxHashMap<InterfaceId, Vec<u32>> = FxHashMap::default();
        let mut by_set = vec![Vec::new(); d.lists.len()];
        let mut by_vsw = vec![Vec::new(); d.acls.len()];
        for (i, c) in (0u32..).zip(&d.cells) {
            by_block.entry(c.block).or_default().push(i);
            by_iface.entry(c.rep.iface).or_default().push(i);
            by_set[c.gs as usize].push(i);
            by_vsw[c.vsw as usize].push(i);
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
            columns: Index::new(d.cells.iter().map(|c| net.private_view(c.rep))),
            named: Named::default(),
            by_set,
            by_iface,
            by_vsw,
        };
        for gs in 0..d.sets.len() {
            k.note(net, d, gs);
        }
        k
    }

    /// The cells with a list.
    pub(super) fn with_list(&self, gs: u32) -> &[u32] {
        self.by_set.get(gs as usize).map_or(&[], |v| v)
    }

    /// The cells in a vSwitch, by its number here.
    pub(super) fn in_vswitch(&self, v: usize) -> &[u32] {
        self.by_vsw.get(v).map_or(&[], |v| v)
    }

    /// The cells of an interface.
    pub(super) fn cells_of(&self, i: InterfaceId) -> &[u32] {
        self.by_iface.get(&i).map_or(&[], |v| v)
    }

    /// The cells with an address.
    pub(super) fn at_address(&self, ip: IpAddr) -> Vec<u32> {
        self.columns.at(ip)
    }

    /// A cell has another list.
    pub(super) fn relist(&mut self, d: &mut Domain, cell: u32, gs: u32, set: u32) {
        let c = &mut d.cells[cell as usize];
        if let Some(v) = self.by_set.get_mut(c.gs as usize) {
            v.retain(|x| *x != cell);
        }
        self.by_set[gs as usize].push(cell);
        c.gs = gs;
        c.set = set;
    }

    /// A cell has another address.
    pub(super) fn readdress(&mut self, d: &mut Domain, cell: u32, new: IpAddr) {
        let c = &mut d.cells[cell as usize];
        self.columns.readdress(cell, c.rep.ip, new);
        c.rep.ip = new;
        for m in &mut c.members {
            m.ip = new;
        }
    }

    /// Takes down what the lists of a group set name; what they named before may stay.
    pub(super) fn note(&mut self, net: &Network, d: &Domain, gs: usize) {
        if let Some(set) = net.group_sets.get(d.sets[gs] as usize) {
            self.named.note(small(gs), Side::Ingress, &set.ingress);
            self.named.note(small(gs), Side::Egress, &set.egress);
        }
    }

    /// The lists that may name one of some groups.
    pub(super) fn naming(&self, groups: impl Iterator<Item = SecurityGroupId>) -> Vec<(u32, Side)> {
        self.named.groups(groups)
    }

    /// The lists that may tell two addresses apart.
    pub(super) fn telling(&self, a: IpAddr, b: IpAddr) -> Vec<(u32, Side)> {
        self.named.telling(a, b)
    }

    /// A cell has other groups than before.
    pub(super) fn regroup(
        &mut self,
        cell: u32,
        primary: bool,
        old: &[SecurityGroupId],
        new: &[SecurityGroupId],
    ) {
        self.columns.regroup(cell, primary, old, new);
    }

    /// Calls `f` for the columns that a peer matches.
    pub(super) fn each(&self, m: &Match, mut f: impl FnMut(u32)) {
        self.columns.each(m, |n| f(small(n)));
    }

    /// The columns that a peer matches.
    pub(super) fn columns(&self, m: &Match) -> Vec<u32> {
        let mut out: Vec<u32> = Vec::new();
        self.columns.each(m, |n| out.push(small(n)));
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
    ) -> (u32, Vec<Column>) {
        let mut changed: Vec<Column> = Vec::new();
        let was = |d: &Domain, c: u32| d.rows[row as usize][c as usize];
        if columns.len() > MANY {
            // Many columns: those with the same matching rules are folded once.
            let mut b = RowBuilder::new(&self.columns, &net.common.all);
            let ids = b.row(list, &mut d.table);
            for &c in columns {
                let id = ids[c as usize];
                let old = was(d, c);
                if old != id {
                    changed.push(Column { at: c, old, new: id });
                }
            }
        } else {
            for &c in columns {
                let view = net.private_view(d.cells[c as usize].rep);
                let all = net.common.all.words();
                let id = fold_one(list, view, all, &mut self.left, &mut self.acc, &mut d.table);
                let old = was(d, c);
                if old != id {
                    changed.push(Column { at: c, old, new: id });
                }
            }
        }
        if changed.is_empty() {
            return (row, Vec::new());
        }
        let row = self.own_row(d, row);
        for c in &changed {
            d.rows[row as usize][c.at as usize] = c.new;
        }
        (row, changed)
    }

    /// Folds one list of a group set again at some columns; says which of them changed.
    pub(super) fn refold_list(
        &mut self,
        net: &Network,
        d: &mut Domain,
        gs: usize,
        side: Side,
        columns: &[u32],
    ) -> Vec<Column> {
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

    /// The local number of a group set, with rows of its own if it is new. `like` is the list of somebody who gets it.
    pub(super) fn list_of(&mut self, net: &Network, d: &mut Domain, set: u32, like: u32) -> u32 {
        if let Some(at) = d.sets.iter().position(|s| *s == set) {
            return u32::try_from(at).unwrap_or(u32::MAX);
        }
        let Some(lists) = net.group_sets.get(set as usize) else {
            return 0;
        };
        let mut b = RowBuilder::new(&self.columns, &net.common.all);
        // The two have most of their rules in common.
        let other = d
            .sets
            .get(like as usize)
            .and_then(|s| net.group_sets.get(*s as usize));
        let rows = d.lists.get(like as usize).copied();
        let (i, e) = match other.zip(rows) {
            Some((other, (i, e))) => {
                let (i, e) = (&d.rows[i as usize], &d.rows[e as usize]);
                (
                    b.row_like(&lists.ingress, &mut d.table, (&other.ingress, i)),
                    b.row_like(&lists.egress, &mut d.table, (&other.egress, e)),
                )
            }
            None => (
                b.row(&lists.ingress, &mut d.table),
                b.row(&lists.egress, &mut d.table),
            ),
        };
        let i = self.put_row(d, i);
        let e = self.put_row(d, e);
        d.lists.push((i, e));
        d.sets.push(set);
        self.by_set.push(Vec::new());
        let gs = d.sets.len() - 1;
        self.note(net, d, gs);
        small(gs)
    }

    /// Whether routes lead a column elsewhere, seen from a vSwitch, is as said from now on; says whether they do or did.
    pub(super) fn lead(d: &mut Domain, v: usize, column: u32, is: bool) -> bool {
        let n = d.cells.len();
        let flags = &mut d.detours[v];
        let was = flags.as_ref().is_some_and(|f| f[column as usize]);
        if was != is {
            let all = flags.get_or_insert_with(|| vec![false; n].into());
            all[column as usize] = is;
            if !is && !all.contains(&true) {
                *flags = None;
            }
        }
        was || is
    }

    /// Folds the ACLs again at one column; `f` hears of every cell in a filtered vSwitch to which (`true`) or from
    /// which something else passes than before.
    pub(super) fn refold_acls(
        &mut self,
        net: &Network,
        d: &mut Domain,
        column: u32,
        mut f: impl FnMut(&Domain, u32, bool),
    ) {
        for v in 0..d.acls.len() {
            let Some((i, e)) = d.acls[v] else { continue };
            let first = self.in_vswitch(v).first().map(|c| d.cells[*c as usize].vswitch);
            let Some(acl) = first
                .and_then(|v| net.vsw(v)?.acl)
                .and_then(|a| net.acls.get(a as usize))
            else {
                continue;
            };
            let (i, c1) = self.refold(net, d, i, &acl.ingress, &[column]);
            let (e, c2) = self.refold(net, d, e, &acl.egress, &[column]);
            d.acls[v] = Some((i, e));
            for &cell in self.in_vswitch(v) {
                if !c1.is_empty() {
                    f(d, cell, true);
                }
                if !c2.is_empty() {
                    f(d, cell, false);
                }
            }
        }
    }

    /// What the VPC contributes to every pair of blocks, and to the slot of every front.
    pub(super) fn contributions(
        &self,
        net: &Network,
        d: &Domain,
        w: usize,
    ) -> FxHashMap<(u32, u32), Vec<u64>> {
        let mut tmp = vec![0u64; w];
        let mut out: FxHashMap<(u32, u32), Vec<u64>> = FxHashMap::default();
        let mut of_block: Vec<(&u32, &Vec<u32>)> = self.by_block.iter().collect();
        of_block.sort_unstable();
        let full = net.common.all.words();
        for (a, senders) in of_block.iter().map(|(a, v)| (**a, *v)) {
            for (b, takers) in of_block.iter().map(|(b, v)| (**b, *v)) {
                let mut sum = vec![0u64; w];
                for &t in takers {
                    let front = d.cells[t as usize].slot;
                    // What a front takes in is wanted for itself as well.
                    let apart = front != b;
                    let mut own = vec![0u64; if apart { w } else { 0 }];
                    for &s in senders {
                        if !apart && sum == full {
                            break;
                        }
                        if d.pair(net, s as usize, t as usize, &mut tmp) {
                            sum.iter_mut().zip(&tmp).for_each(|(o, &x)| *o |= x);
                            own.iter_mut().zip(&tmp).for_each(|(o, &x)| *o |= x);
                        }
                    }
                    if own.iter().any(|&x| x != 0) {
                        out.insert((a, front), own);
                    }
                }
                if sum.iter().any(|&x| x != 0) {
                    out.insert((a, b), sum);
                }
            }
        }
        out
    }
}
