//! Rows: for one first-match list, the accepted services of every column at once.
//!
//! A column is a cell, that is, a peer that the lists of one VPC cannot look inside. For each column the rules
//! that match it form a bit mask; columns with the same mask have the same answer, so each distinct mask is
//! folded once. Answers are interned, so a row is one small number per column, and equal rows are one row.

use crate::network::{Match, Network, Rule, RuleList, RuleRef};
use crate::point::{PeerView, ReplyPort};
use bartizan_model::SecurityGroupId;
use bartizan_packet::{AtomSet, IpSet};
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;

/// Interned atom sets as flat words. Id 0 is the empty set.
#[derive(Clone, Debug)]
pub(crate) struct AtomTable {
    words: usize,
    flat: Vec<u64>,
    ids: FxHashMap<Box<[u64]>, u32>,
}

impl AtomTable {
    pub(crate) fn new(words: usize) -> Self {
        let mut t = AtomTable {
            words,
            flat: Vec::new(),
            ids: FxHashMap::default(),
        };
        t.intern(&vec![0; words]);
        t
    }
    pub(crate) fn intern(&mut self, w: &[u64]) -> u32 {
        if let Some(&i) = self.ids.get(w) {
            return i;
        }
        let i = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        self.flat.extend_from_slice(w);
        self.ids.insert(w.into(), i);
        i
    }
    /// Makes room for so many more sets.
    pub(crate) fn reserve(&mut self, more: usize) {
        self.flat.reserve(more * self.words);
        self.ids.reserve(more);
    }
    pub(crate) fn get(&self, id: u32) -> &[u64] {
        let at = id as usize * self.words;
        &self.flat[at..at + self.words]
    }
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }
}

/// Peers that have columns.
pub(crate) trait Peers {
    /// How many.
    fn len(&self) -> usize;
    /// The columns that a peer of a rule matches.
    fn each(&self, m: &Match, f: impl FnMut(usize));
}

/// Columns by the groups of their peers.
#[derive(Clone, Debug, Default)]
pub(crate) struct ByGroup {
    pub(crate) groups: FxHashMap<SecurityGroupId, Vec<u32>>,
    pub(crate) member: FxHashMap<SecurityGroupId, Vec<u32>>,
    pub(crate) primary: FxHashMap<SecurityGroupId, Vec<u32>>,
}

impl ByGroup {
    pub(crate) fn put(&mut self, column: u32, p: &PeerView<'_>) {
        for (by, groups) in [
            (&mut self.groups, p.groups),
            (&mut self.member, p.member),
            (&mut self.primary, p.primary),
        ] {
            groups.iter().for_each(|g| by.entry(*g).or_default().push(column));
        }
    }

    /// The columns that a peer of a rule matches by a group; none where it is no group.
    pub(crate) fn of(&self, m: &Match) -> &[u32] {
        let found = match m {
            Match::Group(g) => self.groups.get(g),
            Match::Member(g) => self.member.get(g),
            Match::Primary(g) => self.primary.get(g),
            Match::Any | Match::Ips(_) => None,
        };
        found.map_or(&[], Vec::as_slice)
    }
}

/// The columns of one VPC, sorted by address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    v4: Vec<u32>,
    v6: Vec<u128>,
    by: ByGroup,
}

impl Columns {
    /// `cells` are peers, IPv4 first, ascending.
    pub(crate) fn new<'a>(cells: impl Iterator<Item = PeerView<'a>>) -> Self {
        let mut c = Columns::default();
        for (i, p) in cells.enumerate() {
            match p.ip {
                IpAddr::V4(a) => c.v4.push(a.into()),
                IpAddr::V6(a) => c.v6.push(a.into()),
            }
            c.by.put(u32::try_from(i).unwrap_or(u32::MAX), &p);
        }
        c
    }
    fn ranges(&self, s: &IpSet, mut f: impl FnMut(usize, usize)) {
        for &(lo, hi) in s.v4.ranges() {
            let a = self.v4.partition_point(|&c| c < lo);
            let b = self.v4.partition_point(|&c| c <= hi);
            if a < b {
                f(a, b);
            }
        }
        let base = self.v4.len();
        for &(lo, hi) in s.v6.ranges() {
            let a = self.v6.partition_point(|&c| c < lo);
            let b = self.v6.partition_point(|&c| c <= hi);
            if a < b {
                f(base + a, base + b);
            }
        }
    }
}

impl Peers for Columns {
    fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }
    fn each(&self, m: &Match, mut f: impl FnMut(usize)) {
        match m {
            Match::Any => (0..self.len()).for_each(f),
            Match::Ips(s) => self.ranges(s, |a, b| (a..b).for_each(&mut f)),
            Match::Group(_) | Match::Member(_) | Match::Primary(_) => {
                self.by.of(m).iter().for_each(|&c| f(c as usize));
            }
        }
    }
}

/// Folds lists into rows; keeps its buffers between lists.
pub(crate) struct RowBuilder<'a, P = Columns> {
    columns: &'a P,
    all: &'a AtomSet,
    mask: Vec<u64>,
    memo: FxHashMap<Box<[u64]>, u32>,
    left: Vec<u64>,
    acc: Vec<u64>,
}

impl<'a, P: Peers> RowBuilder<'a, P> {
    pub(crate) fn new(columns: &'a P, all: &'a AtomSet) -> Self {
        RowBuilder {
            columns,
            all,
            mask: Vec::new(),
            memo: FxHashMap::default(),
            left: Vec::new(),
            acc: Vec::new(),
        }
    }

    /// The id of the accepted services for every column. O(rules x matched columns / 1 + distinct masks x rules).
    pub(crate) fn row(&mut self, list: &RuleList, table: &mut AtomTable) -> Box<[u32]> {
        self.row_where(list, table, None)
    }

    /// As [`RowBuilder::row`], where the row of another list is known: only columns that a rule matches which is in one
    /// of the two alone are folded.
    pub(crate) fn row_like(
        &mut self,
        list: &RuleList,
        table: &mut AtomTable,
        (other, row): (&RuleList, &[u32]),
    ) -> Box<[u32]> {
        let Some(differ) = differ(other, list) else {
            return self.row(list, table);
        };
        let mut told = vec![false; self.columns.len()];
        for r in differ {
            self.columns.each(&r.peer, |c| told[c] = true);
        }
        self.row_where(list, table, Some((&told, row)))
    }

    fn row_where(
        &mut self,
        list: &RuleList,
        table: &mut AtomTable,
        known: Option<(&[bool], &[u32])>,
    ) -> Box<[u32]> {
        let n = self.columns.len();
        let w = list.rules.len().div_ceil(64).max(1);
        self.mask.clear();
        self.mask.resize(n * w, 0);
        for (k, r) in list.rules.iter().enumerate() {
            let (word, bit) = (k / 64, 1u64 << (k % 64));
            let mask = &mut self.mask;
            self.columns.each(&r.peer, |c| mask[c * w + word] |= bit);
        }
        self.memo.clear();
        let mut out = Vec::with_capacity(n);
        let mut last: Option<(usize, u32)> = None;
        for c in 0..n {
            if let Some((told, row)) = known
                && !told[c]
            {
                out.push(row[c]);
                continue;
            }
            let m = &self.mask[c * w..(c + 1) * w];
            if let Some((at, id)) = last
                && self.mask[at * w..(at + 1) * w] == *m
            {
                out.push(id);
                continue;
            }
            let id = match self.memo.get(m) {
                Some(&id) => id,
                None => {
                    let id = fold(list, m, self.all.words(), &mut self.left, &mut self.acc, table);
                    self.memo.insert(m.into(), id);
                    id
                }
            };
            last = Some((c, id));
            out.push(id);
        }
        out.into()
    }
}

/// The rules that are in one of two lists alone; `None` where the rest does not stand in one order, or the lists end
/// differently.
fn differ<'l>(a: &'l RuleList, b: &'l RuleList) -> Option<Vec<&'l Rule>> {
    if a.default_accept != b.default_accept {
        return None;
    }
    let of = |l: &RuleList| -> FxHashSet<RuleRef> { l.rules.iter().map(|r| r.from).collect() };
    let (in_a, in_b) = (of(a), of(b));
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    loop {
        match (a.rules.get(i), b.rules.get(j)) {
            (None, None) => return Some(out),
            (Some(x), _) if !in_b.contains(&x.from) => {
                out.push(x);
                i += 1;
            }
            (_, Some(y)) if !in_a.contains(&y.from) => {
                out.push(y);
                j += 1;
            }
            (Some(x), Some(y))
                if x.from == y.from && x.accept == y.accept && x.peer == y.peer && x.atoms == y.atoms =>
            {
                i += 1;
                j += 1;
            }
            _ => return None,
        }
    }
}

/// The row of an ACL for ingress, whose entries may mean source ports (A-NACL-2): what passes then.
pub(crate) fn by_source(net: Option<&Network>, row: Box<[u32]>, table: &mut AtomTable) -> Box<[u32]> {
    let Some(net) = net.filter(|n| n.says.source_ports) else {
        return row;
    };
    let mut known: FxHashMap<u32, u32> = FxHashMap::default();
    let each = row.iter().map(|&id| {
        *known.entry(id).or_insert_with(|| {
            let accepted = AtomSet::from_words(table.get(id));
            table.intern(net.by_source(&accepted, ReplyPort::Ephemeral).words())
        })
    });
    each.collect()
}

fn fold(
    list: &RuleList,
    mask: &[u64],
    all: &[u64],
    left: &mut Vec<u64>,
    acc: &mut Vec<u64>,
    table: &mut AtomTable,
) -> u32 {
    left.clear();
    left.extend_from_slice(all);
    acc.clear();
    acc.resize(all.len(), 0);
    for (wi, &m) in mask.iter().enumerate() {
        let mut m = m;
        while m != 0 {
            let k = wi * 64 + m.trailing_zeros() as usize;
            m &= m - 1;
            let r = &list.rules[k];
            for ((l, a), &x) in left.iter_mut().zip(acc.iter_mut()).zip(r.atoms.words()) {
                if r.accept {
                    *a |= *l & x;
                }
                *l &= !x;
            }
        }
    }
    if list.default_accept {
        for (a, &l) in acc.iter_mut().zip(left.iter()) {
            *a |= l;
        }
    }
    table.intern(acc)
}

/// The id of what a list accepts from (or to) one peer.
pub(crate) fn fold_one(
    list: &RuleList,
    peer: crate::point::PeerView<'_>,
    all: &[u64],
    left: &mut Vec<u64>,
    acc: &mut Vec<u64>,
    table: &mut AtomTable,
) -> u32 {
    fold_into(list, peer, all, left, acc);
    table.intern(acc)
}

/// What a list accepts from (or to) one peer, into `acc`.
pub(crate) fn fold_into(
    list: &RuleList,
    peer: crate::point::PeerView<'_>,
    all: &[u64],
    left: &mut Vec<u64>,
    acc: &mut Vec<u64>,
) {
    left.clear();
    left.extend_from_slice(all);
    acc.clear();
    acc.resize(all.len(), 0);
    for r in list.rules.iter().filter(|r| r.matches(peer)) {
        for ((l, a), &x) in left.iter_mut().zip(acc.iter_mut()).zip(r.atoms.words()) {
            if r.accept {
                *a |= *l & x;
            }
            *l &= !x;
        }
    }
    if list.default_accept {
        for (a, &l) in acc.iter_mut().zip(left.iter()) {
            *a |= l;
        }
    }
}
