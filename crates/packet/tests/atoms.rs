//! Sets of atoms against plain sets of numbers, and the table of atoms against the services themselves.
#![allow(clippy::unwrap_used, reason = "tests")]

use bartizan_packet::{AtomSet, IntervalSet, Proto, ServiceAtoms, ServiceSet};
use proptest::prelude::*;
use std::collections::BTreeSet;

const ATOMS: usize = 150;

fn set(v: &BTreeSet<usize>) -> AtomSet {
    let mut words = [0u64; 3];
    for i in v {
        words[i / 64] |= 1 << (i % 64);
    }
    AtomSet::from_words(&words)
}

fn plain(s: &AtomSet) -> BTreeSet<usize> {
    (0..192).filter(|i| s.contains(*i)).collect()
}

fn numbers() -> impl Strategy<Value = BTreeSet<usize>> {
    prop::collection::btree_set(0..ATOMS, 0..20)
}

proptest! {
    #[test]
    fn operations_are_those_of_sets(a in numbers(), b in numbers()) {
        let (x, y) = (set(&a), set(&b));
        prop_assert_eq!(plain(&x), a.clone());
        prop_assert_eq!(x.iter().collect::<Vec<_>>(), a.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(AtomSet::from_words(x.words()), x.clone());
        prop_assert_eq!(x.words().len(), 3);
        prop_assert_eq!(x.count() as usize, a.len());
        prop_assert_eq!(x.is_empty(), a.is_empty());
        prop_assert_eq!(plain(&x.union(&y)), &a | &b);
        prop_assert_eq!(plain(&x.intersect(&y)), &a & &b);
        prop_assert_eq!(plain(&x.subtract(&y)), &a - &b);
        prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
        prop_assert!(x.is_subset(&x.union(&y)));
        prop_assert_eq!(x.intersects(&y), !a.is_disjoint(&b));
        let (mut u, mut i, mut s) = (x.clone(), x.clone(), x.clone());
        u.union_with(&y);
        i.intersect_with(&y);
        s.subtract_with(&y);
        prop_assert_eq!(u, x.union(&y));
        prop_assert_eq!(i, x.intersect(&y));
        prop_assert_eq!(s, x.subtract(&y));
    }
}

#[test]
fn a_table_knows_the_atom_of_every_service() {
    let sets = [
        ServiceSet::tcp(IntervalSet::from_ranges([(22, 22), (80, 443)])),
        ServiceSet::udp(IntervalSet::from_ranges([(53, 53)])),
        ServiceSet::one(Proto::ICMP, 8 * 256),
        ServiceSet::protocol(Proto::GRE),
    ];
    let t = ServiceAtoms::new(&sets);
    assert!(!t.is_empty());
    // The numbers of TCP, UDP and ICMP have places among the other protocols that stand for nothing.
    assert_eq!(t.all().count() as usize + 4, t.len());
    assert_eq!(t.services(&t.all()), ServiceSet::any());
    assert!(t.none().is_empty());
    assert_eq!(t.words(), t.all().words().len());
    assert_eq!(t.words(), t.len().div_ceil(64));
    // tcp: 5 pieces; udp: 3; icmp: 3; icmpv6: 1; other: before, gre, after, and what is none of them.
    assert!(t.len() >= 5 + 3 + 3 + 1 + 3, "{}", t.len());
    for (p, port) in [
        (Proto::TCP, 0u16),
        (Proto::TCP, 22),
        (Proto::TCP, 23),
        (Proto::TCP, 443),
        (Proto::TCP, 65535),
        (Proto::UDP, 53),
        (Proto::UDP, 54),
        (Proto::ICMP, 8 * 256),
        (Proto::ICMPV6, 0),
        (Proto::GRE, 0),
        (Proto(50), 0),
    ] {
        let a = t.atom_of(p, port);
        let one = ServiceSet::one(p, port);
        assert_eq!(t.touching(&one).iter().collect::<Vec<_>>(), [a], "{p} {port}");
        let mut only = t.none();
        only.union_with(&t.touching(&one));
        assert!(t.services(&only).contains(p, port), "{p} {port}");
        for s in &sets {
            assert_eq!(t.inside(s).contains(a), s.contains(p, port), "{p} {port} in {s}");
        }
    }
    let many: Vec<ServiceSet> = (0..100)
        .map(|i| ServiceSet::tcp(IntervalSet::from_ranges([(i * 10, i * 10)])))
        .collect();
    let t = ServiceAtoms::new(&many);
    assert!(t.words() >= 3, "{}", t.words());
    for (i, s) in many.iter().enumerate() {
        assert_eq!(t.inside(s).count(), 1, "{i}");
        assert_eq!(t.services(&t.inside(s)), *s);
    }
}

#[test]
fn full_and_empty_are_told() {
    assert!(IntervalSet::<u16>::full().is_full());
    assert!(!IntervalSet::<u16>::empty().is_full());
    assert!(IntervalSet::<u16>::empty().is_empty());
    assert!(!IntervalSet::from_ranges([(0u16, 65534)]).is_full());
    assert!(IntervalSet::from_ranges([(0u16, 100), (101, 65535)]).is_full());
}

proptest! {
    #[test]
    fn two_sets_intersect_when_their_intersection_has_something(
        a in prop::collection::vec((0u16..60, 0u16..60), 0..6),
        b in prop::collection::vec((0u16..60, 0u16..60), 0..6),
    ) {
        let (x, y) = (IntervalSet::from_ranges(a), IntervalSet::from_ranges(b));
        prop_assert_eq!(x.intersects(&y), !x.intersect(&y).is_empty());
        prop_assert_eq!(y.intersects(&x), x.intersects(&y));
        prop_assert_eq!((0u16..60).any(|p| x.contains(p) && y.contains(p)), x.intersects(&y));
    }
}
