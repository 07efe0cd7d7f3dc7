//! Sets of integers as sorted, disjoint, non-adjacent intervals.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An integer type that can bound an interval.
pub trait Bound: Copy + Ord + fmt::Debug + fmt::Display + std::hash::Hash {
    /// Smallest value.
    const MIN: Self;
    /// Largest value.
    const MAX: Self;
    /// The next value, none after the largest.
    fn next(self) -> Option<Self>;
    /// The previous value, none before the smallest.
    fn prev(self) -> Option<Self>;
    /// Number of values in `self..=hi`, saturating.
    fn span_to(self, hi: Self) -> u128;
}

macro_rules! bound {
    ($($t:ty),*) => {$(
        impl Bound for $t {
            const MIN: Self = <$t>::MIN;
            const MAX: Self = <$t>::MAX;
            fn next(self) -> Option<Self> { self.checked_add(1) }
            fn prev(self) -> Option<Self> { self.checked_sub(1) }
            fn span_to(self, hi: Self) -> u128 { u128::from(hi - self).saturating_add(1) }
        }
    )*};
}
bound!(u8, u16, u32, u128);

/// A set of integers.
///
/// INVARIANT (canonical): `ranges` are sorted, disjoint and not adjacent, and each has `lo <= hi`; two
/// equal sets are therefore equal values. Every constructor goes through [`IntervalSet::from_ranges`] or
/// keeps the order by construction.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntervalSet<T> {
    ranges: Vec<(T, T)>,
}

impl<T: Bound> Default for IntervalSet<T> {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T: Bound> IntervalSet<T> {
    /// No value.
    #[must_use]
    pub fn empty() -> Self {
        IntervalSet { ranges: Vec::new() }
    }

    /// Every value.
    #[must_use]
    pub fn full() -> Self {
        IntervalSet {
            ranges: vec![(T::MIN, T::MAX)],
        }
    }

    /// One value.
    #[must_use]
    pub fn single(v: T) -> Self {
        IntervalSet { ranges: vec![(v, v)] }
    }

    /// `lo..=hi`, inclusive on both ends; empty when `lo > hi`.
    #[must_use]
    pub fn range(lo: T, hi: T) -> Self {
        if lo > hi {
            Self::empty()
        } else {
            IntervalSet {
                ranges: vec![(lo, hi)],
            }
        }
    }

    /// The union of inclusive ranges in any order; ranges with `lo > hi` are ignored.
    #[must_use]
    pub fn from_ranges(ranges: impl IntoIterator<Item = (T, T)>) -> Self {
        let mut v: Vec<(T, T)> = ranges.into_iter().filter(|(l, h)| l <= h).collect();
        v.sort_unstable();
        let mut out: Vec<(T, T)> = Vec::with_capacity(v.len());
        for (lo, hi) in v {
            match out.last_mut() {
                Some(last) if lo <= last.1 || last.1.next() == Some(lo) => last.1 = last.1.max(hi),
                _ => out.push((lo, hi)),
            }
        }
        IntervalSet { ranges: out }
    }

    /// The intervals, ascending, inclusive on both ends.
    #[must_use]
    pub fn ranges(&self) -> &[(T, T)] {
        &self.ranges
    }

    /// Whether no value is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether every value is in the set.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self.ranges.as_slice(), [(l, h)] if *l == T::MIN && *h == T::MAX)
    }

    /// Number of values, saturating.
    #[must_use]
    pub fn size(&self) -> u128 {
        self.ranges
            .iter()
            .fold(0u128, |n, &(l, h)| n.saturating_add(l.span_to(h)))
    }

    /// The smallest value.
    #[must_use]
    pub fn first(&self) -> Option<T> {
        self.ranges.first().map(|r| r.0)
    }

    /// Whether `v` is in the set. Logarithmic.
    #[must_use]
    pub fn contains(&self, v: T) -> bool {
        // Most sets are one range.
        if let [(lo, hi)] = self.ranges[..] {
            return lo <= v && v <= hi;
        }
        let i = self.ranges.partition_point(|&(_, hi)| hi < v);
        self.ranges.get(i).is_some_and(|&(lo, _)| lo <= v)
    }

    /// Values in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        Self::from_ranges(self.ranges.iter().chain(&other.ranges).copied())
    }

    /// Values in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let (mut i, mut j) = (0, 0);
        let mut out = Vec::new();
        while let (Some(&(al, ah)), Some(&(bl, bh))) = (self.ranges.get(i), other.ranges.get(j)) {
            let (lo, hi) = (al.max(bl), ah.min(bh));
            if lo <= hi {
                out.push((lo, hi));
            }
            if ah < bh { i += 1 } else { j += 1 }
        }
        // Pieces of a canonical set cut by a canonical set stay disjoint and non-adjacent.
        IntervalSet { ranges: out }
    }

    /// Values that are not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        let mut out = Vec::new();
        let mut lo = Some(T::MIN);
        for &(l, h) in &self.ranges {
            if let (Some(from), Some(to)) = (lo, l.prev())
                && from <= to
            {
                out.push((from, to));
            }
            lo = h.next();
        }
        if let Some(from) = lo {
            out.push((from, T::MAX));
        }
        IntervalSet { ranges: out }
    }

    /// Values of `self` that are not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return self.clone();
        }
        self.intersect(&other.complement())
    }

    /// Whether the sets share a value.
    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        let (mut i, mut j) = (0, 0);
        while let (Some(&(al, ah)), Some(&(bl, bh))) = (self.ranges.get(i), other.ranges.get(j)) {
            if al.max(bl) <= ah.min(bh) {
                return true;
            }
            if ah < bh { i += 1 } else { j += 1 }
        }
        false
    }

    /// Whether every value of `self` is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.ranges.iter().all(|&(lo, hi)| {
            let i = other.ranges.partition_point(|&(_, h)| h < lo);
            other.ranges.get(i).is_some_and(|&(l, h)| l <= lo && hi <= h)
        })
    }
}

impl<T: Bound> fmt::Display for IntervalSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (lo, hi)) in self.ranges.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            if lo == hi {
                write!(f, "{lo}")?
            } else {
                write!(f, "{lo}-{hi}")?
            }
        }
        Ok(())
    }
}

impl<T: Bound> fmt::Debug for IntervalSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}
