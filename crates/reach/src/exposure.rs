//! What is open to the Internet: every public way in, with the exact sources of every service.

use crate::network::Network;
use crate::point::{Entry, Inside};
use bartizan_model::{EipId, InterfaceId};
use bartizan_packet::{AtomSet, IpSet, ServiceSet};

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
    /// Services as clients send them, with everybody on the Internet who is let in; disjoint services.
    pub open: Vec<(ServiceSet, IpSet)>,
    /// Whether this network counts on Cloud Firewall here.
    pub filtered: bool,
}

impl Network {
    /// Every public way in through which some service is delivered. Cost: for each, one evaluation per piece of the
    /// public space that filters tell apart.
    #[must_use]
    pub fn exposed(&self) -> Vec<Exposed> {
        let mut out = Vec::new();
        for f in self.ifaces.iter().flatten() {
            for (n, a) in (0u32..).zip(&f.addrs) {
                let Some(ip) = a.region.first() else { continue };
                let d = Inside {
                    iface: f.id,
                    addr: n,
                    ip,
                };
                for e in self.doors(d) {
                    out.extend(self.exposed_by(d, e));
                }
            }
        }
        out
    }

    fn exposed_by(&self, d: Inside, e: Entry) -> Option<Exposed> {
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
        // Services with the same sources are one line.
        let mut groups: Vec<(IpSet, AtomSet)> = Vec::new();
        for n in 0..self.atoms.len() {
            let here = pieces.iter().filter(|(_, atoms)| atoms.contains(n));
            let sources = here.fold(IpSet::empty(), |all, (p, _)| all.union(p));
            if sources.is_empty() {
                continue;
            }
            let mut words = vec![0u64; self.atoms.words()];
            words[n / 64] |= 1 << (n % 64);
            let one = AtomSet::from_words(&words);
            match groups.iter_mut().find(|(s, _)| *s == sources) {
                Some((_, atoms)) => atoms.union_with(&one),
                None => groups.push((sources, one)),
            }
        }
        let open: Vec<(ServiceSet, IpSet)> = groups
            .into_iter()
            .map(|(s, atoms)| {
                let inside = self.atoms.services(&atoms);
                let sent = match e {
                    Entry::Dnat(i) => a.dnat[i].sent(&inside),
                    _ => inside,
                };
                (sent, s)
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
            filtered: self.met_inbound(d, d.ip, e).is_some(),
        })
    }

    /// The backends to which a front hands on.
    #[must_use]
    pub fn handed_to(&self, front: InterfaceId) -> Vec<InterfaceId> {
        let all = self.relays.iter().filter(|r| r.front == front);
        let mut out: Vec<InterfaceId> = all.map(|r| r.to).collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}
