//! Which routes of a table can decide for an address, without a look at all of them.
//!
//! Tables of estates have one route for every vSwitch of every VPC, and every packet looks up a few of them.

use bartizan_packet::IpSet;
use std::net::IpAddr;

/// Tables with fewer routes are gone through.
const MANY: usize = 16;

const NONE: u32 = u32::MAX;

/// For every piece of the IPv4 space the routes that it is in, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// First addresses of the pieces, from 0 on.
    starts: Vec<u32>,
    /// Where the list of each piece begins and ends.
    ends: Vec<(u32, u32)>,
    /// Positions of routes, each with where the list goes on.
    all: Vec<(u32, u32)>,
}

impl Index {
    /// `None` where it would not pay.
    pub(crate) fn new<'a>(routes: impl ExactSizeIterator<Item = &'a IpSet> + Clone) -> Option<Self> {
        if routes.len() < MANY {
            return None;
        }
        let mut starts = vec![0];
        for &(l, h) in routes.clone().flat_map(|r| r.v4.ranges()) {
            starts.push(l);
            starts.extend(h.checked_add(1));
        }
        // Stable: neighbours come one after another.
        starts.sort();
        starts.dedup();
        let mut index = Index {
            ends: vec![(NONE, NONE); starts.len()],
            starts,
            all: Vec::new(),
        };
        let mut at = 0;
        for (n, ips) in (0u32..).zip(routes) {
            for &(l, h) in ips.v4.ranges() {
                let from = seek(&index.starts, at, |s| s < l);
                let to = seek(&index.starts, from, |s| s <= h);
                at = from;
                (from..to).for_each(|p| index.put(p, n));
            }
        }
        Some(index)
    }

    fn put(&mut self, piece: usize, route: u32) {
        let at = small(self.all.len());
        self.all.push((route, NONE));
        let (first, last) = &mut self.ends[piece];
        match self.all.get_mut(*last as usize) {
            Some(before) => before.1 = at,
            None => *first = at,
        }
        *last = at;
    }

    /// A route for a range is new. `stronger` says of another one whether it stands before the new one.
    ///
    /// O(pieces) where it begins or ends inside of a piece, otherwise O(log pieces + those that it is in).
    pub(crate) fn add(&mut self, (l, h): (u32, u32), route: u32, stronger: impl Fn(usize) -> bool) {
        let from = self.split(l);
        let to = match h.checked_add(1) {
            Some(end) => self.split(end),
            None => self.starts.len(),
        };
        for piece in from..to {
            let at = small(self.all.len());
            let (mut next, mut before) = (self.ends[piece].0, NONE);
            while let Some(&(r, then)) = self.all.get(next as usize)
                && stronger(r as usize)
            {
                (before, next) = (next, then);
            }
            self.all.push((route, next));
            match self.all.get_mut(before as usize) {
                Some(b) => b.1 = at,
                None => self.ends[piece].0 = at,
            }
            if next == NONE {
                self.ends[piece].1 = at;
            }
        }
    }

    /// The piece that begins with an address, from now on.
    fn split(&mut self, start: u32) -> usize {
        let piece = self.starts.partition_point(|s| *s < start);
        if self.starts.get(piece) == Some(&start) {
            return piece;
        }
        let all: Vec<usize> = self.of(piece.saturating_sub(1)).collect();
        self.starts.insert(piece, start);
        self.ends.insert(piece, (NONE, NONE));
        all.into_iter().for_each(|n| self.put(piece, small(n)));
        piece
    }

    /// The positions of the routes that an address was in when this was made, in their order.
    pub(crate) fn at(&self, ip: u32) -> impl Iterator<Item = usize> {
        self.of(self.starts.partition_point(|s| *s <= ip).saturating_sub(1))
    }

    /// The positions of the routes of a piece, in their order.
    fn of(&self, piece: usize) -> impl Iterator<Item = usize> {
        let mut next = self.ends.get(piece).map_or(NONE, |e| e.0);
        std::iter::from_fn(move || {
            let &(route, then) = self.all.get(next as usize)?;
            next = then;
            Some(route as usize)
        })
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(NONE)
}

/// As `partition_point`, looked for from a place near which it probably is.
fn seek(all: &[u32], near: usize, before: impl Fn(u32) -> bool) -> usize {
    let is = |n: usize| all.get(n).is_some_and(|x| before(*x));
    if !is(near) {
        let near = near.min(all.len());
        return all[..near].partition_point(|x| before(*x));
    }
    let mut step = 1;
    while is(near + step) {
        step *= 2;
    }
    let (from, to) = (near + step / 2, (near + step).min(all.len()));
    from + all[from..to].partition_point(|x| before(*x))
}

/// The routes that an address may be in, in their order: all of them where there is no index.
pub(crate) fn candidates<'a, T>(
    routes: &'a [T],
    index: Option<&'a Index>,
    ip: IpAddr,
) -> impl Iterator<Item = &'a T> {
    let (indexed, all) = match (index, ip) {
        (Some(index), IpAddr::V4(ip)) => (Some(index.at(ip.into())), None),
        _ => (None, Some(routes)),
    };
    let indexed = indexed.into_iter().flatten().filter_map(|n| routes.get(n));
    indexed.chain(all.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_packet::IntervalSet;

    #[test]
    fn an_index_finds_what_is_there() {
        let mut x = 7u32;
        let mut below = |n: u32| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 8) % n
        };
        for _ in 0..50 {
            // Prefixes at the beginning of the space and at its end, one in another.
            let base = [0, u32::MAX - 127][below(2) as usize];
            let sets: Vec<IpSet> = (0..MANY + 20)
                .map(|_| {
                    let bits = below(8);
                    let lo = base + (below(128) >> bits << bits);
                    let v4 = IntervalSet::range(lo, lo + ((1 << bits) - 1));
                    IpSet {
                        v4,
                        ..IpSet::default()
                    }
                })
                .collect();
            let index = Index::new(sets.iter()).unwrap();
            // The last ones come later, each to a place of its own.
            let mut later = Index::new(sets[..MANY].iter()).unwrap();
            let mut place: Vec<u32> = (0..MANY as u32).map(|n| n * 2).collect();
            for (n, s) in (0u32..).zip(&sets).skip(MANY) {
                let mine = 1 + 2 * below(MANY as u32);
                later.add(s.v4.ranges()[0], n, |m| place[m] <= mine);
                place.push(mine);
            }
            for n in 0..128 {
                let ip = IpAddr::V4((base + n).into());
                let mut there: Vec<usize> = (0..sets.len()).filter(|m| sets[*m].contains(ip)).collect();
                there.sort_by_key(|m| place[*m]);
                assert_eq!(later.at(base + n).collect::<Vec<_>>(), there);
                let found: Vec<&IpSet> = candidates(&sets, Some(&index), ip).collect();
                let there: Vec<&IpSet> = sets.iter().filter(|s| s.contains(ip)).collect();
                assert_eq!(found, there);
            }
            assert!(Index::new(sets[..MANY - 1].iter()).is_none());
        }
    }
}
