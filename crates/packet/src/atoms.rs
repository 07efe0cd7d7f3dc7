//! The service dimension cut into the classes that a network can tell apart.

use crate::{IntervalSet, Proto, ServiceSet};

/// A set of atoms of one [`ServiceAtoms`] table, as a bit set of fixed width.
///
/// Sets of different tables must not be mixed; widths then differ and the operations below would be
/// meaningless, so they assert equal width in debug builds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AtomSet {
    words: Box<[u64]>,
}

impl AtomSet {
    /// The words of the bit set, least significant bit first.
    #[must_use]
    pub fn words(&self) -> &[u64] {
        &self.words
    }
    /// A set from words that came from [`AtomSet::words`] of the same table.
    #[must_use]
    pub fn from_words(words: &[u64]) -> Self {
        AtomSet { words: words.into() }
    }
    /// Whether no atom is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&w| w == 0)
    }
    /// Number of atoms in the set.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.words.iter().map(|w| w.count_ones()).sum()
    }
    fn zip(&self, o: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        debug_assert_eq!(self.words.len(), o.words.len());
        AtomSet {
            words: self.words.iter().zip(&o.words).map(|(&a, &b)| f(a, b)).collect(),
        }
    }
    /// Atoms in either set.
    #[must_use]
    pub fn union(&self, o: &Self) -> Self {
        self.zip(o, |a, b| a | b)
    }
    /// Atoms in both sets.
    #[must_use]
    pub fn intersect(&self, o: &Self) -> Self {
        self.zip(o, |a, b| a & b)
    }
    /// Atoms of `self` that are not in `o`.
    #[must_use]
    pub fn subtract(&self, o: &Self) -> Self {
        self.zip(o, |a, b| a & !b)
    }
    /// Adds every atom of `o`.
    pub fn union_with(&mut self, o: &Self) {
        debug_assert_eq!(self.words.len(), o.words.len());
        for (a, &b) in self.words.iter_mut().zip(&o.words) {
            *a |= b;
        }
    }
    /// Keeps only the atoms that are also in `o`.
    pub fn intersect_with(&mut self, o: &Self) {
        debug_assert_eq!(self.words.len(), o.words.len());
        for (a, &b) in self.words.iter_mut().zip(&o.words) {
            *a &= b;
        }
    }
    /// Removes every atom of `o`.
    pub fn subtract_with(&mut self, o: &Self) {
        debug_assert_eq!(self.words.len(), o.words.len());
        for (a, &b) in self.words.iter_mut().zip(&o.words) {
            *a &= !b;
        }
    }
    /// Whether every atom of `self` is in `o`.
    #[must_use]
    pub fn is_subset(&self, o: &Self) -> bool {
        debug_assert_eq!(self.words.len(), o.words.len());
        self.words.iter().zip(&o.words).all(|(&a, &b)| a & !b == 0)
    }
    /// Whether the sets share an atom.
    #[must_use]
    pub fn intersects(&self, o: &Self) -> bool {
        debug_assert_eq!(self.words.len(), o.words.len());
        self.words.iter().zip(&o.words).any(|(&a, &b)| a & b != 0)
    }
    /// Whether atom `i` is in the set.
    #[must_use]
    pub fn contains(&self, i: usize) -> bool {
        self.words.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }
    /// Indexes of the atoms in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(wi, &w)| {
            let mut rest = w;
            std::iter::from_fn(move || {
                if rest == 0 {
                    return None;
                }
                let bit = rest.trailing_zeros() as usize;
                rest &= rest - 1;
                Some(wi * 64 + bit)
            })
        })
    }
}

/// One dimension (a protocol with its ports or types) cut into consecutive intervals.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cuts<T> {
    /// First value of each interval, ascending, starting with the smallest value.
    starts: Vec<T>,
    /// Atom number of the first interval.
    base: usize,
}

/// The coarsest partition of all services in which each given [`ServiceSet`] is a union of classes.
///
/// INVARIANT (partition): atoms are non-empty, disjoint and cover every service, so a set that was given
/// to [`ServiceAtoms::new`] is *exactly* the union of its atoms. Tested by `atoms_partition_services`.
///
/// Cost: O(n log n) for n interval ends; a few hundred atoms in practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAtoms {
    tcp: Cuts<u16>,
    udp: Cuts<u16>,
    icmp: Cuts<u16>,
    icmpv6: Cuts<u16>,
    other: Cuts<u8>,
    len: usize,
}

fn cuts<T: crate::Bound>(sets: &[&IntervalSet<T>], base: &mut usize, forced: &[T]) -> Cuts<T> {
    let mut starts = vec![T::MIN];
    starts.extend_from_slice(forced);
    for s in sets {
        for &(lo, hi) in s.ranges() {
            starts.push(lo);
            if let Some(n) = hi.next() {
                starts.push(n);
            }
        }
    }
    starts.sort_unstable();
    starts.dedup();
    let c = Cuts { starts, base: *base };
    *base += c.starts.len();
    c
}

impl<T: crate::Bound> Cuts<T> {
    fn interval(&self, i: usize) -> (T, T) {
        let lo = self.starts[i];
        let hi = self.starts.get(i + 1).and_then(|n| n.prev()).unwrap_or(T::MAX);
        (lo, hi)
    }
    fn find(&self, v: T) -> usize {
        self.base + self.starts.partition_point(|&s| s <= v) - 1
    }
    fn mark(&self, s: &IntervalSet<T>, exact: bool, words: &mut [u64]) {
        for &(lo, hi) in s.ranges() {
            let (mut a, mut b) = (self.find(lo), self.find(hi));
            if exact {
                // Shrink to the atoms that lie inside as a whole.
                if self.interval(a - self.base).0 < lo {
                    a += 1;
                }
                if self.interval(b - self.base).1 > hi {
                    if b == self.base {
                        continue;
                    }
                    b -= 1;
                }
            }
            for i in a..=b {
                words[i / 64] |= 1 << (i % 64);
            }
        }
    }
    fn collect(&self, set: &AtomSet) -> IntervalSet<T> {
        IntervalSet::from_ranges(
            (0..self.starts.len())
                .filter(|i| set.contains(self.base + i))
                .map(|i| self.interval(i)),
        )
    }
}

impl ServiceAtoms {
    /// The partition that tells the given sets apart.
    #[must_use]
    pub fn new<'a>(sets: impl IntoIterator<Item = &'a ServiceSet>) -> Self {
        let sets: Vec<&ServiceSet> = sets.into_iter().collect();
        let mut len = 0;
        let pick16 = |f: fn(&ServiceSet) -> &IntervalSet<u16>| sets.iter().map(|s| f(s)).collect::<Vec<_>>();
        let tcp = cuts(&pick16(|s| &s.tcp), &mut len, &[]);
        let udp = cuts(&pick16(|s| &s.udp), &mut len, &[]);
        let icmp = cuts(&pick16(|s| &s.icmp), &mut len, &[]);
        let icmpv6 = cuts(&pick16(|s| &s.icmpv6), &mut len, &[]);
        // 1, 6, 17 and 58 have dimensions of their own; their atoms here stay empty.
        let own = [1, 2, 6, 7, 17, 18, 58, 59];
        let other = cuts(&sets.iter().map(|s| &s.other).collect::<Vec<_>>(), &mut len, &own);
        ServiceAtoms {
            tcp,
            udp,
            icmp,
            icmpv6,
            other,
            len,
        }
    }

    /// Number of atoms.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }
    /// Never true: there is at least one atom for each protocol.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Number of 64-bit words of an [`AtomSet`] of this table.
    #[must_use]
    pub fn words(&self) -> usize {
        self.len.div_ceil(64)
    }
    /// No atom.
    #[must_use]
    pub fn none(&self) -> AtomSet {
        AtomSet {
            words: vec![0; self.words()].into(),
        }
    }
    /// Every atom.
    #[must_use]
    pub fn all(&self) -> AtomSet {
        self.touching(&ServiceSet::any())
    }
    fn marked(&self, s: &ServiceSet, exact: bool) -> AtomSet {
        let mut words = vec![0u64; self.words()];
        self.tcp.mark(&s.tcp, exact, &mut words);
        self.udp.mark(&s.udp, exact, &mut words);
        self.icmp.mark(&s.icmp, exact, &mut words);
        self.icmpv6.mark(&s.icmpv6, exact, &mut words);
        self.other.mark(&s.other, exact, &mut words);
        AtomSet { words: words.into() }
    }
    /// The atoms that share a service with `s`: exact when `s` was given to [`ServiceAtoms::new`] or is a
    /// union of such sets, else the smallest set of atoms that contains `s`.
    #[must_use]
    pub fn touching(&self, s: &ServiceSet) -> AtomSet {
        self.marked(s, false)
    }
    /// The atoms that lie inside `s` as a whole.
    #[must_use]
    pub fn inside(&self, s: &ServiceSet) -> AtomSet {
        self.marked(s, true)
    }
    /// The services of a set of atoms.
    #[must_use]
    pub fn services(&self, set: &AtomSet) -> ServiceSet {
        let other = self.other.collect(set);
        ServiceSet {
            tcp: self.tcp.collect(set),
            udp: self.udp.collect(set),
            icmp: self.icmp.collect(set),
            icmpv6: self.icmpv6.collect(set),
            other: other.intersect(&ServiceSet::any().other),
        }
    }
    /// The atom of one service.
    #[must_use]
    pub fn atom_of(&self, p: Proto, port: u16) -> usize {
        match p {
            Proto::TCP => self.tcp.find(port),
            Proto::UDP => self.udp.find(port),
            Proto::ICMP => self.icmp.find(port),
            Proto::ICMPV6 => self.icmpv6.find(port),
            Proto(n) => self.other.find(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn svc() -> impl Strategy<Value = ServiceSet> {
        let ports = || prop::collection::vec((0u16..40, 0u16..40), 0..3).prop_map(IntervalSet::from_ranges);
        (ports(), ports(), ports(), prop::bool::ANY).prop_map(|(tcp, udp, icmp, gre)| {
            let mut s = ServiceSet {
                tcp,
                udp,
                icmp,
                ..ServiceSet::default()
            };
            if gre {
                s = s.union(&ServiceSet::protocol(Proto::GRE));
            }
            s
        })
    }

    proptest! {
        // INVARIANT (partition)
        #[test]
        fn atoms_partition_services(sets in prop::collection::vec(svc(), 1..6)) {
            let t = ServiceAtoms::new(&sets);
            for s in &sets {
                prop_assert_eq!(&t.services(&t.touching(s)), s);
                prop_assert_eq!(t.touching(s), t.inside(s));
            }
            prop_assert!(t.services(&t.all()).is_any());
            for (a, b) in sets.iter().zip(sets.iter().skip(1)) {
                let (x, y) = (t.touching(a), t.touching(b));
                prop_assert_eq!(t.services(&x.intersect(&y)), a.intersect(b));
                prop_assert_eq!(t.services(&x.union(&y)), a.union(b));
                prop_assert_eq!(t.services(&x.subtract(&y)), a.subtract(b));
                prop_assert_eq!(x.is_subset(&y), a.is_subset(b));
                prop_assert_eq!(x.intersects(&y), a.intersects(b));
            }
        }

        #[test]
        fn inside_and_touching_bracket_any_set(sets in prop::collection::vec(svc(), 1..4), q in svc()) {
            let t = ServiceAtoms::new(&sets);
            prop_assert!(t.services(&t.inside(&q)).is_subset(&q));
            prop_assert!(q.is_subset(&t.services(&t.touching(&q))));
        }

        #[test]
        fn services_print_and_parse(s in svc()) {
            prop_assert_eq!(s.to_string().parse::<ServiceSet>().unwrap(), s.clone());
            let c = s.complement();
            prop_assert_eq!(c.to_string().parse::<ServiceSet>().unwrap(), c);
        }
    }
}
