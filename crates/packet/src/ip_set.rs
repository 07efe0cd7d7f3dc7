//! Sets of IPv4 and IPv6 addresses.

use crate::IntervalSet;
use ipnet::{IpNet, Ipv4Net, Ipv4Subnets, Ipv6Net, Ipv6Subnets};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A set of addresses. The two families never mix: an IPv4 prefix contains no IPv6 address (ALIBABA.md §2,
/// "IPv4 and IPv6 stacks are independent").
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IpSet {
    /// IPv4 addresses as integers.
    pub v4: IntervalSet<u32>,
    /// IPv6 addresses as integers.
    pub v6: IntervalSet<u128>,
}

impl IpSet {
    /// No address.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }
    /// Every address of both families.
    #[must_use]
    pub fn full() -> Self {
        IpSet {
            v4: IntervalSet::full(),
            v6: IntervalSet::full(),
        }
    }
    /// Every IPv4 address.
    #[must_use]
    pub fn all_v4() -> Self {
        IpSet {
            v4: IntervalSet::full(),
            v6: IntervalSet::empty(),
        }
    }
    /// Every IPv6 address.
    #[must_use]
    pub fn all_v6() -> Self {
        IpSet {
            v4: IntervalSet::empty(),
            v6: IntervalSet::full(),
        }
    }
    /// One address.
    #[must_use]
    pub fn single(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(a) => IpSet {
                v4: IntervalSet::single(a.into()),
                v6: IntervalSet::empty(),
            },
            IpAddr::V6(a) => IpSet {
                v4: IntervalSet::empty(),
                v6: IntervalSet::single(a.into()),
            },
        }
    }
    /// Union of prefixes; host bits are ignored (ALIBABA.md §5.2, vector S14).
    #[must_use]
    pub fn from_nets(nets: impl IntoIterator<Item = IpNet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for n in nets {
            match n {
                IpNet::V4(n) => v4.push((u32::from(n.network()), u32::from(n.broadcast()))),
                IpNet::V6(n) => v6.push((u128::from(n.network()), u128::from(n.broadcast()))),
            }
        }
        IpSet {
            v4: IntervalSet::from_ranges(v4),
            v6: IntervalSet::from_ranges(v6),
        }
    }
    /// Addresses in any of the sets; O(n log n) in their ranges.
    #[must_use]
    pub fn union_all<'s>(sets: impl IntoIterator<Item = &'s IpSet>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for s in sets {
            v4.extend(s.v4.ranges());
            v6.extend(s.v6.ranges());
        }
        IpSet {
            v4: IntervalSet::from_ranges(v4),
            v6: IntervalSet::from_ranges(v6),
        }
    }
    /// The shortest list of prefixes that covers exactly this set, IPv4 first, ascending.
    #[must_use]
    pub fn to_nets(&self) -> Vec<IpNet> {
        let mut out = Vec::new();
        for &(l, h) in self.v4.ranges() {
            out.extend(Ipv4Subnets::new(Ipv4Addr::from(l), Ipv4Addr::from(h), 0).map(IpNet::V4));
        }
        for &(l, h) in self.v6.ranges() {
            out.extend(Ipv6Subnets::new(Ipv6Addr::from(l), Ipv6Addr::from(h), 0).map(IpNet::V6));
        }
        out
    }
    /// Whether no address is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
    /// Whether `ip` is in the set.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(a) => self.v4.contains(a.into()),
            IpAddr::V6(a) => self.v6.contains(a.into()),
        }
    }
    /// Addresses in either set.
    #[must_use]
    pub fn union(&self, o: &Self) -> Self {
        IpSet {
            v4: self.v4.union(&o.v4),
            v6: self.v6.union(&o.v6),
        }
    }
    /// Addresses in both sets.
    #[must_use]
    pub fn intersect(&self, o: &Self) -> Self {
        IpSet {
            v4: self.v4.intersect(&o.v4),
            v6: self.v6.intersect(&o.v6),
        }
    }
    /// Addresses of `self` that are not in `o`.
    #[must_use]
    pub fn subtract(&self, o: &Self) -> Self {
        IpSet {
            v4: self.v4.subtract(&o.v4),
            v6: self.v6.subtract(&o.v6),
        }
    }
    /// Addresses not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        IpSet {
            v4: self.v4.complement(),
            v6: self.v6.complement(),
        }
    }
    /// Whether the sets share an address.
    #[must_use]
    pub fn intersects(&self, o: &Self) -> bool {
        self.v4.intersects(&o.v4) || self.v6.intersects(&o.v6)
    }
    /// Whether every address of `self` is in `o`.
    #[must_use]
    pub fn is_subset(&self, o: &Self) -> bool {
        self.v4.is_subset(&o.v4) && self.v6.is_subset(&o.v6)
    }
    /// The smallest address, IPv4 before IPv6.
    #[must_use]
    pub fn first(&self) -> Option<IpAddr> {
        self.v4
            .first()
            .map(|a| IpAddr::V4(a.into()))
            .or_else(|| self.v6.first().map(|a| IpAddr::V6(a.into())))
    }
    /// Public unicast space: everything but the private, shared, loopback, link-local, multicast and
    /// reserved blocks, and for IPv6 the global unicast block 2000::/3.
    #[must_use]
    pub fn public() -> Self {
        let v4 = |s: &str| s.parse::<Ipv4Net>().ok().map(IpNet::V4);
        let v6 = |s: &str| s.parse::<Ipv6Net>().ok().map(IpNet::V6);
        let not_public = IpSet::from_nets(
            [
                "0.0.0.0/8",
                "10.0.0.0/8",
                "100.64.0.0/10",
                "127.0.0.0/8",
                "169.254.0.0/16",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "224.0.0.0/3",
            ]
            .into_iter()
            .filter_map(v4),
        );
        let global6 = IpSet::from_nets(v6("2000::/3"));
        IpSet {
            v4: not_public.v4.complement(),
            v6: global6.v6,
        }
    }
}

impl From<IpNet> for IpSet {
    fn from(n: IpNet) -> Self {
        IpSet::from_nets([n])
    }
}

impl fmt::Display for IpSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, n) in self.to_nets().iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            let host = matches!(n, IpNet::V4(n) if n.prefix_len() == 32)
                || matches!(n, IpNet::V6(n) if n.prefix_len() == 128);
            if host {
                write!(f, "{}", n.addr())?
            } else {
                write!(f, "{n}")?
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_at_once_is_one_after_another() {
        let of = |t: &str| IpSet::from_nets(t.parse::<IpNet>());
        let all = [
            "10.0.0.0/9",
            "10.64.0.0/10",
            "10.128.0.0/9",
            "fd00::/8",
            "192.0.2.1/32",
        ]
        .map(of);
        let by_one = all.iter().fold(IpSet::empty(), |a, b| a.union(b));
        assert_eq!(IpSet::union_all(&all), by_one);
        assert_eq!(IpSet::union_all([]), IpSet::empty());
    }
}
