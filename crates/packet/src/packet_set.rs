//! Sets of packets as unions of boxes.

use crate::{IntervalSet, IpSet, Packet, PortSet, Proto, ServiceSet};
use std::fmt;
use std::net::IpAddr;

/// A box: any source of `src`, any destination of `dst`, any source port of `sport` and any service of
/// `svc`. Source and destination are of the same family; a box over both families stands for its two halves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cube {
    /// Source addresses.
    pub src: IpSet,
    /// Destination addresses.
    pub dst: IpSet,
    /// Source ports (0 stands for "no port" of protocols that have none).
    pub sport: PortSet,
    /// Services.
    pub svc: ServiceSet,
}

impl Cube {
    /// Every packet.
    #[must_use]
    pub fn full() -> Self {
        Cube {
            src: IpSet::full(),
            dst: IpSet::full(),
            sport: IntervalSet::full(),
            svc: ServiceSet::any(),
        }
    }
    /// Whether no packet is in the box.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        (self.src.v4.is_empty() || self.dst.v4.is_empty())
            && (self.src.v6.is_empty() || self.dst.v6.is_empty())
            || self.sport.is_empty()
            || self.svc.is_empty()
    }
    /// Packets in both boxes.
    #[must_use]
    pub fn intersect(&self, o: &Self) -> Self {
        Cube {
            src: self.src.intersect(&o.src),
            dst: self.dst.intersect(&o.dst),
            sport: self.sport.intersect(&o.sport),
            svc: self.svc.intersect(&o.svc),
        }
    }
    /// Packets of `self` that are not in `o`, as at most four disjoint boxes.
    #[must_use]
    pub fn subtract(&self, o: &Self) -> Vec<Cube> {
        let common = self.intersect(o);
        if common.is_empty() {
            return vec![self.clone()];
        }
        let mut rest = self.clone();
        let mut out = Vec::new();
        let mut push = |c: Cube| {
            if !c.is_empty() {
                out.push(c);
            }
        };
        push(Cube {
            svc: rest.svc.subtract(&o.svc),
            ..rest.clone()
        });
        rest.svc = common.svc;
        push(Cube {
            src: rest.src.subtract(&o.src),
            ..rest.clone()
        });
        rest.src = common.src;
        push(Cube {
            dst: rest.dst.subtract(&o.dst),
            ..rest.clone()
        });
        rest.dst = common.dst;
        push(Cube {
            sport: rest.sport.subtract(&o.sport),
            ..rest
        });
        out
    }
    /// Whether a packet is in the box.
    #[must_use]
    pub fn contains(&self, p: &Packet) -> bool {
        self.src.contains(p.src)
            && self.dst.contains(p.dst)
            && self.sport.contains(p.sport)
            && self.svc.contains(p.proto, p.dport)
    }
    /// Some packet of the box.
    #[must_use]
    pub fn first(&self) -> Option<Packet> {
        let pair = |a: Option<IpAddr>, b: Option<IpAddr>| Some((a?, b?));
        let (src, dst) = pair(
            self.src.v4.first().map(|a| IpAddr::V4(a.into())),
            self.dst.v4.first().map(|a| IpAddr::V4(a.into())),
        )
        .or_else(|| {
            pair(
                self.src.v6.first().map(|a| IpAddr::V6(a.into())),
                self.dst.v6.first().map(|a| IpAddr::V6(a.into())),
            )
        })?;
        let (proto, dport) = self.svc.first()?;
        let sport = if proto.has_ports() {
            let high = self.sport.intersect(&IntervalSet::range(32768, 60999));
            high.first().or_else(|| self.sport.first())?
        } else {
            self.sport.first()?
        };
        Some(Packet {
            src,
            dst,
            proto: Proto(proto.0),
            sport,
            dport,
        })
    }
}

/// A set of packets. INVARIANT (disjoint boxes): no two boxes share a packet and none is empty, so the set
/// is empty exactly when it has no box. Tested by `packet_sets_obey_the_laws_of_sets`.
#[derive(Clone, Debug, Default)]
pub struct PacketSet {
    cubes: Vec<Cube>,
}

impl PacketSet {
    /// No packet.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }
    /// Every packet.
    #[must_use]
    pub fn full() -> Self {
        Cube::full().into()
    }
    /// The disjoint boxes.
    #[must_use]
    pub fn cubes(&self) -> &[Cube] {
        &self.cubes
    }
    /// Whether no packet is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cubes.is_empty()
    }
    /// Whether a packet is in the set.
    #[must_use]
    pub fn contains(&self, p: &Packet) -> bool {
        self.cubes.iter().any(|c| c.contains(p))
    }
    /// Removes a box.
    pub fn subtract_cube(&mut self, o: &Cube) {
        self.cubes = self.cubes.iter().flat_map(|c| c.subtract(o)).collect();
    }
    /// Packets of `self` that are not in `o`.
    #[must_use]
    pub fn subtract(&self, o: &Self) -> Self {
        let mut out = self.clone();
        for c in &o.cubes {
            out.subtract_cube(c);
        }
        out
    }
    /// Packets in either set.
    #[must_use]
    pub fn union(&self, o: &Self) -> Self {
        let mut out = self.clone();
        out.cubes.extend(o.subtract(self).cubes);
        out
    }
    /// Packets in both sets.
    #[must_use]
    pub fn intersect(&self, o: &Self) -> Self {
        let mut cubes = Vec::new();
        for a in &self.cubes {
            for b in &o.cubes {
                let c = a.intersect(b);
                if !c.is_empty() {
                    cubes.push(c);
                }
            }
        }
        PacketSet { cubes }
    }
    /// Whether every packet of `self` is in `o`.
    #[must_use]
    pub fn is_subset(&self, o: &Self) -> bool {
        self.subtract(o).is_empty()
    }
    /// Some packet of the set.
    #[must_use]
    pub fn first(&self) -> Option<Packet> {
        self.cubes.first().and_then(Cube::first)
    }
}

impl From<Cube> for PacketSet {
    fn from(c: Cube) -> Self {
        PacketSet {
            cubes: if c.is_empty() { Vec::new() } else { vec![c] },
        }
    }
}

impl PartialEq for PacketSet {
    /// Equality of sets, whatever the boxes. Costs two differences.
    fn eq(&self, o: &Self) -> bool {
        self.is_subset(o) && o.is_subset(self)
    }
}

impl fmt::Display for Cube {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {} {}", self.src, self.dst, self.svc)?;
        if !self.sport.is_full() {
            write!(f, " from source port {}", self.sport)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ips() -> impl Strategy<Value = IpSet> {
        (prop::collection::vec((0u32..6, 0u32..6), 0..3), prop::bool::ANY).prop_map(|(v, six)| {
            let v4 = IntervalSet::from_ranges(v);
            IpSet {
                v6: if six {
                    IntervalSet::range(0, 1)
                } else {
                    IntervalSet::empty()
                },
                v4,
            }
        })
    }
    fn cube() -> impl Strategy<Value = Cube> {
        let small = || prop::collection::vec((0u16..4, 0u16..4), 0..2).prop_map(IntervalSet::from_ranges);
        (ips(), ips(), small(), small(), small()).prop_map(|(src, dst, sport, tcp, udp)| Cube {
            src,
            dst,
            sport,
            svc: ServiceSet {
                tcp,
                udp,
                ..ServiceSet::default()
            },
        })
    }
    fn set() -> impl Strategy<Value = PacketSet> {
        prop::collection::vec(cube(), 0..4)
            .prop_map(|v| v.into_iter().fold(PacketSet::empty(), |s, c| s.union(&c.into())))
    }
    fn universe() -> Vec<Packet> {
        let mut v = Vec::new();
        for s in 0..6u32 {
            for d in 0..6u32 {
                for sport in 0..4 {
                    for dport in 0..4 {
                        for proto in [Proto::TCP, Proto::UDP] {
                            let (src, dst) = (IpAddr::V4(s.into()), IpAddr::V4(d.into()));
                            v.push(Packet {
                                src,
                                dst,
                                proto,
                                sport,
                                dport,
                            });
                        }
                    }
                }
            }
        }
        v
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        // INVARIANT (disjoint boxes)
        #[test]
        fn packet_sets_obey_the_laws_of_sets(a in set(), b in set()) {
            let (u, i, d) = (a.union(&b), a.intersect(&b), a.subtract(&b));
            for p in universe() {
                prop_assert_eq!(u.contains(&p), a.contains(&p) || b.contains(&p));
                prop_assert_eq!(i.contains(&p), a.contains(&p) && b.contains(&p));
                prop_assert_eq!(d.contains(&p), a.contains(&p) && !b.contains(&p));
                prop_assert!(u.cubes().iter().filter(|c| c.contains(&p)).count() <= 1);
            }
            prop_assert!(d.union(&i) == a);
            if let Some(p) = u.first() {
                prop_assert!(u.contains(&p));
            } else {
                prop_assert!(u.is_empty());
            }
        }

        #[test]
        fn interval_sets_obey_the_laws_of_sets(
            a in prop::collection::vec((0u8..=255, 0u8..=255), 0..5).prop_map(IntervalSet::from_ranges),
            b in prop::collection::vec((0u8..=255, 0u8..=255), 0..5).prop_map(IntervalSet::from_ranges),
        ) {
            for v in 0..=255u8 {
                prop_assert_eq!(a.union(&b).contains(v), a.contains(v) || b.contains(v));
                prop_assert_eq!(a.intersect(&b).contains(v), a.contains(v) && b.contains(v));
                prop_assert_eq!(a.subtract(&b).contains(v), a.contains(v) && !b.contains(v));
                prop_assert_eq!(a.complement().contains(v), !a.contains(v));
            }
            prop_assert_eq!(a.is_subset(&b), a.subtract(&b).is_empty());
            prop_assert_eq!(a.intersects(&b), !a.intersect(&b).is_empty());
            prop_assert_eq!(a.complement().complement(), a.clone());
            // INVARIANT (canonical)
            prop_assert!(a.ranges().windows(2).all(|w| w[0].1 < 255 && w[0].1 + 1 < w[1].0));
            prop_assert_eq!(a.size(), (0..=255u8).filter(|&v| a.contains(v)).count() as u128);
        }
    }
}
