//! Where to look after a change: the cells of a VPC as peers of rules, and what its lists name.

use crate::network::{Match, RuleList};
use crate::point::PeerView;
use crate::rows::{ByGroup, Peers};
use bartizan_model::SecurityGroupId;
use bartizan_packet::IpSet;
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Which list of a group set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Side {
    Ingress,
    Egress,
}

/// Cells by address and by group. Cells keep their numbers when their address changes.
#[derive(Default)]
pub(super) struct Index {
    v4: Vec<(u32, u32)>,
    v6: Vec<(u128, u32)>,
    by: ByGroup,
}

impl Index {
    pub(super) fn new<'a>(cells: impl Iterator<Item = PeerView<'a>>) -> Self {
        let mut x = Index::default();
        for (n, p) in (0u32..).zip(cells) {
            match p.ip {
                IpAddr::V4(a) => x.v4.push((a.into(), n)),
                IpAddr::V6(a) => x.v6.push((a.into(), n)),
            }
            x.by.put(n, &p);
        }
        x.v4.sort_unstable();
        x.v6.sort_unstable();
        x
    }

    /// The cells with an address.
    pub(super) fn at(&self, ip: IpAddr) -> Vec<u32> {
        fn equal<T: Ord + Copy>(all: &[(T, u32)], x: T) -> Vec<u32> {
            let from = all.partition_point(|c| c.0 < x);
            let here = all[from..].iter().take_while(|c| c.0 == x);
            here.map(|c| c.1).collect()
        }
        match ip {
            IpAddr::V4(a) => equal(&self.v4, a.into()),
            IpAddr::V6(a) => equal(&self.v6, a.into()),
        }
    }

    /// A cell has another address.
    pub(super) fn readdress(&mut self, cell: u32, old: IpAddr, new: IpAddr) {
        fn drop<T: Ord + Copy>(all: &mut Vec<(T, u32)>, x: (T, u32)) {
            if let Ok(at) = all.binary_search(&x) {
                all.remove(at);
            }
        }
        fn put<T: Ord + Copy>(all: &mut Vec<(T, u32)>, x: (T, u32)) {
            let at = all.partition_point(|c| *c < x);
            all.insert(at, x);
        }
        match old {
            IpAddr::V4(a) => drop(&mut self.v4, (a.into(), cell)),
            IpAddr::V6(a) => drop(&mut self.v6, (a.into(), cell)),
        }
        match new {
            IpAddr::V4(a) => put(&mut self.v4, (a.into(), cell)),
            IpAddr::V6(a) => put(&mut self.v6, (a.into(), cell)),
        }
    }

    /// A cell has other groups, by address and by interface, than before; `primary` says whether as a primary address.
    pub(super) fn regroup(
        &mut self,
        cell: u32,
        primary: bool,
        old: &[SecurityGroupId],
        new: &[SecurityGroupId],
    ) {
        let mut all = vec![&mut self.by.groups, &mut self.by.member];
        all.extend(primary.then_some(&mut self.by.primary));
        for by in all {
            for g in old {
                if let Some(v) = by.get_mut(g) {
                    v.retain(|c| *c != cell);
                }
            }
            for g in new {
                by.entry(*g).or_default().push(cell);
            }
        }
    }
}

impl Peers for Index {
    fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }
    fn each(&self, m: &Match, mut f: impl FnMut(usize)) {
        fn between<T: Ord + Copy>(all: &[(T, u32)], ranges: &[(T, T)], f: &mut impl FnMut(usize)) {
            for &(lo, hi) in ranges {
                let a = all.partition_point(|c| c.0 < lo);
                let b = all.partition_point(|c| c.0 <= hi);
                all[a..b.max(a)].iter().for_each(|c| f(c.1 as usize));
            }
        }
        match m {
            Match::Any => (0..self.len()).for_each(f),
            Match::Ips(s) => {
                between(&self.v4, s.v4.ranges(), &mut f);
                between(&self.v6, s.v6.ranges(), &mut f);
            }
            Match::Group(_) | Match::Member(_) | Match::Primary(_) => {
                self.by.of(m).iter().for_each(|&c| f(c as usize));
            }
        }
    }
}

/// What the lists of a VPC name. What a list named before may stay.
#[derive(Default)]
pub(super) struct Named {
    groups: FxHashMap<SecurityGroupId, FxHashSet<(u32, Side)>>,
    sets: FxHashMap<Arc<IpSet>, u32>,
    /// The same sets, those of one IPv4 range apart because most are, with their numbers.
    ranges: Vec<(u32, u32, u32)>,
    others: Vec<(Arc<IpSet>, u32)>,
    lists: Vec<FxHashSet<(u32, Side)>>,
}

impl Named {
    /// Takes down what a list names.
    pub(super) fn note(&mut self, gs: u32, side: Side, list: &RuleList) {
        for r in &list.rules {
            match &r.peer {
                Match::Group(g) | Match::Member(g) | Match::Primary(g) => {
                    self.groups.entry(*g).or_default().insert((gs, side));
                }
                Match::Ips(s) => {
                    let at = self.number(s) as usize;
                    self.lists[at].insert((gs, side));
                }
                Match::Any => {}
            }
        }
    }

    fn number(&mut self, s: &Arc<IpSet>) -> u32 {
        if let Some(n) = self.sets.get(s) {
            return *n;
        }
        let n = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        self.lists.push(FxHashSet::default());
        match s.v4.ranges() {
            [(l, h)] if s.v6.is_empty() => self.ranges.push((*l, *h, n)),
            _ => self.others.push((s.clone(), n)),
        }
        self.sets.insert(s.clone(), n);
        n
    }

    /// The lists that may name one of some groups.
    pub(super) fn groups(&self, groups: impl Iterator<Item = SecurityGroupId>) -> Vec<(u32, Side)> {
        let mut out: Vec<(u32, Side)> = groups
            .filter_map(|g| self.groups.get(&g))
            .flatten()
            .copied()
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// The lists that may name one of two addresses and not the other.
    pub(super) fn telling(&self, a: IpAddr, b: IpAddr) -> Vec<(u32, Side)> {
        let mut out = Vec::new();
        let mut found = |n: u32| out.extend(self.lists.get(n as usize).into_iter().flatten().copied());
        match (a, b) {
            (IpAddr::V4(x), IpAddr::V4(y)) => {
                let (x, y) = (u32::from(x), u32::from(y));
                for &(l, h, n) in &self.ranges {
                    if (l <= x && x <= h) != (l <= y && y <= h) {
                        found(n);
                    }
                }
            }
            // Sets of IPv4 addresses name neither.
            (IpAddr::V6(_), IpAddr::V6(_)) => {}
            _ => self.ranges.iter().for_each(|r| found(r.2)),
        }
        for (s, n) in &self.others {
            if s.contains(a) != s.contains(b) {
                found(*n);
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}
