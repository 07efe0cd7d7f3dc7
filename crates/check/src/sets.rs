//! Sets of endpoints, as the questions name them.

use bartizan_model::InterfaceId;
use bartizan_packet::IpSet;
use std::net::IpAddr;

/// A set of endpoints: addresses of interfaces and public addresses of nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Set {
    /// Nothing.
    Nothing,
    /// Every endpoint and every public address.
    Everything,
    /// Public addresses that nobody in the inventory owns.
    Outside,
    /// All addresses of these interfaces, sorted.
    Interfaces(Vec<InterfaceId>),
    /// Every address of an interface, and every public address, in these prefixes.
    Ips(IpSet),
    /// In one of them.
    Or(Vec<Set>),
    /// In all of them.
    And(Vec<Set>),
    /// In the first and not in the second.
    Except(Box<Set>, Box<Set>),
}

impl Set {
    /// Whether an endpoint is in the set. `iface` is `None` for a public address of nobody.
    #[must_use]
    pub fn contains(&self, iface: Option<InterfaceId>, ip: IpAddr) -> bool {
        match self {
            Set::Nothing => false,
            Set::Everything => true,
            Set::Outside => iface.is_none(),
            Set::Interfaces(v) => iface.is_some_and(|i| v.binary_search(&i).is_ok()),
            Set::Ips(s) => s.contains(ip),
            Set::Or(v) => v.iter().any(|s| s.contains(iface, ip)),
            Set::And(v) => v.iter().all(|s| s.contains(iface, ip)),
            Set::Except(a, b) => a.contains(iface, ip) && !b.contains(iface, ip),
        }
    }

    /// Whether it takes in interfaces by name.
    #[must_use]
    pub fn holds_interfaces(&self) -> bool {
        match self {
            Set::Interfaces(v) => !v.is_empty(),
            Set::Or(v) => v.iter().any(Set::holds_interfaces),
            Set::And(v) => v.iter().all(Set::holds_interfaces),
            Set::Except(a, _) => a.holds_interfaces(),
            Set::Nothing | Set::Everything | Set::Outside | Set::Ips(_) => false,
        }
    }

    /// The address sets that it names.
    pub fn ips<'a>(&'a self, out: &mut Vec<&'a IpSet>) {
        match self {
            Set::Ips(s) => out.push(s),
            Set::Or(v) | Set::And(v) => v.iter().for_each(|s| s.ips(out)),
            Set::Except(a, b) => {
                a.ips(out);
                b.ips(out);
            }
            Set::Nothing | Set::Everything | Set::Outside | Set::Interfaces(_) => {}
        }
    }

    /// The public addresses of nobody that can be in the set.
    fn public(&self) -> IpSet {
        match self {
            Set::Nothing | Set::Interfaces(_) => IpSet::empty(),
            Set::Everything | Set::Outside => IpSet::full(),
            Set::Ips(s) => s.clone(),
            Set::Or(v) => v.iter().fold(IpSet::empty(), |a, s| a.union(&s.public())),
            Set::And(v) => v.iter().fold(IpSet::full(), |a, s| a.intersect(&s.public())),
            Set::Except(a, b) => a.public().subtract(&b.public()),
        }
    }

    /// The public addresses that are in the set because a prefix of it says so, and not only as a part of everybody.
    #[must_use]
    pub fn named(&self) -> IpSet {
        match self {
            Set::Nothing | Set::Interfaces(_) | Set::Everything | Set::Outside => IpSet::empty(),
            Set::Ips(s) => s.clone(),
            Set::Or(v) => v.iter().fold(IpSet::empty(), |a, s| a.union(&s.named())),
            Set::And(v) => {
                let any = v.iter().fold(IpSet::empty(), |a, s| a.union(&s.named()));
                any.intersect(&self.public())
            }
            Set::Except(a, b) => a.named().subtract(&b.public()),
        }
    }
}
