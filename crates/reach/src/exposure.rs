//! What is open to the Internet: every public way in, with the exact sources of every service.

use crate::network::{Network, Relay};
use crate::point::{Entry, Inside};
use bartizan_model::{EipId, InterfaceId};
use bartizan_packet::{AtomSet, IpSet, ServiceSet};
use std::collections::{BTreeMap, BTreeSet};

/// How an address is reached from the Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicDoor {
    /// A public address of the interface: its position in the interface's.
    Own(u32),
    /// A DNAT entry: index into `Typed::dnat_entries`.
    Dnat(u32),
    /// Its IPv6 address.
    Ipv6,
}

/// One public way in.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// The interface.
    pub iface: InterfaceId,
    /// Position in its addresses.
    pub addr: u32,
    /// How.
    pub door: PublicDoor,
    /// The EIP, if it is one.
    pub eip: Option<EipId>,
    /// The public address, or where it may be.
    pub public: IpSet,
    /// What is let in; disjoint services.
    pub open: Vec<Open>,
    /// The services, as clients send them, that policies of Cloud Firewall are about, where this network counts on it.
    /// What no policy is about passes it (docs/decisions/015, 2).
    pub filtered: ServiceSet,
}

/// Services that the same clients reach.
#[derive(Clone, Debug)]
pub struct Open {
    /// As clients send them.
    pub services: ServiceSet,
    /// Everybody on the Internet who is let in.
    pub sources: IpSet,
    /// The backends, where a front takes them in.
    pub handed: Vec<InterfaceId>,
    /// Those to whom these hand on, and so on.
    pub behind: Vec<InterfaceId>,
}

impl Network {
    /// Every public way in through which some service is delivered. Cost: for each, one evaluation per piece of the
    /// public space that filters tell apart.
    #[must_use]
    pub fn exposed(&self) -> Vec<Exposed> {
        let mut out = Vec::new();
        let mut by_front: BTreeMap<InterfaceId, Vec<&Relay>> = BTreeMap::new();
        for r in &self.relays {
            by_front.entry(r.front).or_default().push(r);
        }
        for f in self.ifaces.iter().flatten() {
            for (n, a) in (0u32..).zip(&f.addrs) {
                let Some(ip) = a.region.first() else { continue };
                let d = Inside {
                    iface: f.id,
                    addr: n,
                    ip,
                };
                for e in self.doors(d) {
                    out.extend(self.exposed_by(d, e, &by_front));
                }
            }
        }
        out
    }

    fn exposed_by(&self, d: Inside, e: Entry, by_front: &ByFront<'_>) -> Option<Exposed> {
        let (_, a) = self.addr_of(d)?;
        let cuts = self.cuts_around(&[d.iface]);
        let family = if d.ip.is_ipv4() {
            IpSet::all_v4()
        } else {
            IpSet::all_v6()
        };
        let pieces: Vec<(IpSet, AtomSet)> = cuts
            .split(&self.outside.intersect(&family))
            .into_iter()
            .filter_map(|p| {
                let x = p.first()?;
                let atoms = self.arrive(d, x, e);
                (!atoms.is_empty()).then_some((p, atoms))
            })
            .collect();
        let (door, eip) = match e {
            Entry::Own(i) => (PublicDoor::Own(a.own[i].index), a.own[i].eip),
            Entry::Dnat(i) => (PublicDoor::Dnat(a.dnat[i].entry), a.dnat[i].eip),
            Entry::V6 => (PublicDoor::Ipv6, None),
            Entry::Back(_) => return None,
        };
        // Services with the same sources, that are handed on to the same backends, are one line.
        let mut groups: Vec<(IpSet, Handed, AtomSet)> = Vec::new();
        for n in 0..self.atoms.len() {
            let here = pieces.iter().filter(|(_, atoms)| atoms.contains(n));
            let sources = here.fold(IpSet::empty(), |all, (p, _)| all.union(p));
            if sources.is_empty() {
                continue;
            }
            let mut words = vec![0u64; self.atoms.words()];
            words[n / 64] |= 1 << (n % 64);
            let one = AtomSet::from_words(&words);
            let handed = backends(self, by_front, d.iface, &one);
            match groups.iter_mut().find(|(s, h, _)| *s == sources && *h == handed) {
                Some((_, _, atoms)) => atoms.union_with(&one),
                None => groups.push((sources, handed, one)),
            }
        }
        let open: Vec<Open> = groups
            .into_iter()
            .map(|(sources, (handed, behind), atoms)| {
                let inside = self.atoms.services(&atoms);
                let services = match e {
                    Entry::Dnat(i) => a.dnat[i].sent(&inside),
                    _ => inside,
                };
                Open {
                    services,
                    sources,
                    handed,
                    behind,
                }
            })
            .collect();
        (!open.is_empty()).then(|| Exposed {
            iface: d.iface,
            addr: d.addr,
            door,
            eip,
            // An IPv6 address that the cloud has yet to pick is none of those where it may be.
            public: match e {
                Entry::V6 => a.region.clone(),
                _ => (*self.public_of(d, e)).clone(),
            },
            open,
            filtered: self
                .met_inbound(d, d.ip, e)
                .map_or_else(ServiceSet::empty, |m| m.judged(&self.outside)),
        })
    }
}

/// The relays of each front.
type ByFront<'n> = BTreeMap<InterfaceId, Vec<&'n Relay>>;
/// Backends, and those behind them.
type Handed = (Vec<InterfaceId>, Vec<InterfaceId>);

/// The backends to which a front hands on some services, and those to whom they hand on in turn.
fn backends(net: &Network, by_front: &ByFront<'_>, front: InterfaceId, atoms: &AtomSet) -> Handed {
    let mut known: BTreeMap<InterfaceId, AtomSet> = BTreeMap::new();
    let mut next = vec![(front, atoms.clone())];
    let mut direct: BTreeSet<InterfaceId> = BTreeSet::new();
    let mut behind: BTreeSet<InterfaceId> = BTreeSet::new();
    while let Some((at, atoms)) = next.pop() {
        let here = by_front.get(&at).map_or(&[][..], |v| v);
        for r in here.iter().filter(|r| r.listen.intersects(&atoms)) {
            let side = if at == front { &mut direct } else { &mut behind };
            side.insert(r.to);
            let mut more = net.handed_on(r, &atoms);
            if let Some(k) = known.get(&r.to) {
                more = more.subtract(k);
            }
            if more.is_empty() {
                continue;
            }
            let all = known.entry(r.to).or_insert_with(|| more.clone());
            all.union_with(&more);
            next.push((r.to, more));
        }
    }
    let behind = behind.difference(&direct).copied().collect();
    (direct.into_iter().collect(), behind)
}
