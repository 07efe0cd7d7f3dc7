//! One inventory, cut into the blocks that a list of questions tells apart, with the engine built over it.

use crate::sets::Set;
use bartizan_model::{InterfaceId, Inventory, Readings};
use bartizan_packet::{AtomSet, IpSet, ServiceSet};
use bartizan_reach::{CompileOptions, Mode, Network, Partition, Reach, compile};
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// Which of the sets an endpoint is in.
type Signature = Box<[u64]>;

/// Blocks by signature: two endpoints are in one block exactly when they are in the same sets.
struct BySignature<'a> {
    sets: &'a [Set],
    cuts: Vec<IpSet>,
    ids: FxHashMap<Signature, u32>,
}

impl BySignature<'_> {
    fn signature(&self, iface: Option<InterfaceId>, ip: IpAddr) -> Signature {
        signature(self.sets, iface, ip)
    }
}

fn signature(sets: &[Set], iface: Option<InterfaceId>, ip: IpAddr) -> Signature {
    let mut w = vec![0u64; sets.len().div_ceil(64)].into_boxed_slice();
    for (i, s) in sets.iter().enumerate() {
        if s.contains(iface, ip) {
            w[i / 64] |= 1 << (i % 64);
        }
    }
    w
}

impl Partition for BySignature<'_> {
    fn blocks(&self) -> usize {
        self.ids.len()
    }
    fn cuts(&self) -> &[IpSet] {
        &self.cuts
    }
    fn block(&self, iface: Option<InterfaceId>, ip: IpAddr) -> u32 {
        // INVARIANT (all signatures): `World::new` has numbered every endpoint that the engine asks about.
        self.ids.get(&self.signature(iface, ip)).copied().unwrap_or(0)
    }
}

/// The engine over one inventory and a list of sets, in both modes.
pub struct World<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The sets, as given.
    pub sets: Vec<Set>,
    signatures: Vec<Signature>,
    /// What may happen.
    pub may: Reach,
    /// What happens for certain.
    pub sure: Reach,
}

impl<'a> World<'a> {
    /// Compiles the inventory and answers all pairs of blocks.
    ///
    /// `services` are those that questions name; sets are told apart exactly, whatever prefixes they use.
    #[must_use]
    pub fn new(
        inventory: &'a Inventory,
        sets: Vec<Set>,
        services: &[ServiceSet],
        readings: &Readings,
    ) -> Self {
        let mut ips = Vec::new();
        sets.iter().for_each(|s| s.ips(&mut ips));
        let addresses: Vec<IpSet> = ips.into_iter().cloned().collect();
        let opt = CompileOptions {
            services: services.to_vec(),
            addresses: addresses.clone(),
            readings: readings.clone(),
        };
        let may = compile(inventory, Mode::Widen, &opt);
        let sure = compile(inventory, Mode::Narrow, &opt);
        let mut part = BySignature {
            sets: &sets,
            cuts: addresses,
            ids: FxHashMap::default(),
        };
        let mut signatures = Vec::new();
        let mut put = |s: Signature| {
            if !part.ids.contains_key(&s) {
                part.ids
                    .insert(s.clone(), u32::try_from(signatures.len()).unwrap_or(u32::MAX));
                signatures.push(s);
            }
        };
        for n in [&may, &sure] {
            endpoints(n, &addresses_of(&sets), |iface, ip| {
                put(signature(&sets, iface, ip))
            });
        }
        let mut may = Reach::new(may, &part);
        may.all_pairs();
        let sure = Reach::new(sure, &part);
        World {
            inventory,
            signatures,
            may,
            sure,
            sets,
        }
    }

    /// The network of everything that may happen.
    #[must_use]
    pub fn network(&self) -> &Network {
        self.may.network()
    }

    /// Number of blocks.
    #[must_use]
    pub fn blocks(&self) -> u32 {
        u32::try_from(self.signatures.len()).unwrap_or(u32::MAX)
    }

    /// Interfaces whose network is not known: no flow of theirs can be computed, and no claim that they may be
    /// part of is proved.
    #[must_use]
    pub fn lost(&self) -> Vec<InterfaceId> {
        (0u32..)
            .zip(&self.inventory.typed.interfaces)
            .map(|(n, _)| InterfaceId(n))
            .filter(|i| self.network().iface(*i).is_none())
            .collect()
    }

    /// Whether a block lies in a set.
    #[must_use]
    pub fn in_set(&self, block: u32, set: usize) -> bool {
        self.signatures
            .get(block as usize)
            .is_some_and(|s| s[set / 64] >> (set % 64) & 1 == 1)
    }

    /// The block that holds the endpoints which `other` (a world over the same sets) has in `block`.
    #[must_use]
    pub fn same_block(&self, other: &World<'_>, block: u32) -> Option<u32> {
        let s = other.signatures.get(block as usize)?;
        self.signatures
            .iter()
            .position(|x| x == s)
            .and_then(|i| u32::try_from(i).ok())
    }

    /// The blocks of a set.
    #[must_use]
    pub fn blocks_of(&self, set: usize) -> Vec<u32> {
        (0..self.blocks()).filter(|&b| self.in_set(b, set)).collect()
    }

    /// The sets that a block lies in.
    pub fn sets_of(&self, block: u32) -> impl Iterator<Item = usize> + '_ {
        (0..self.sets.len()).filter(move |&s| self.in_set(block, s))
    }

    /// The atoms of a set of services that was given to [`World::new`] (else the smallest cover).
    #[must_use]
    pub fn atoms(&self, s: &ServiceSet) -> AtomSet {
        self.network().atoms.touching(s)
    }

    /// The services of a set of atoms.
    #[must_use]
    pub fn services(&self, a: &AtomSet) -> ServiceSet {
        self.network().atoms.services(a)
    }

    /// The interfaces that have an address in a block, sorted.
    #[must_use]
    pub fn interfaces_of(&self, block: u32) -> Vec<InterfaceId> {
        let mut v: Vec<InterfaceId> = self
            .may
            .cells_of(block)
            .flat_map(|c| c.members.iter().map(|m| m.iface))
            .collect();
        v.sort_unstable();
        v.dedup();
        v
    }

    /// Whether a block has any endpoint or public address.
    #[must_use]
    pub fn is_outside(&self, block: u32) -> bool {
        !self.may.outside_of(block).is_empty()
    }
}

fn addresses_of(sets: &[Set]) -> Vec<IpSet> {
    let mut v = Vec::new();
    sets.iter().for_each(|s| s.ips(&mut v));
    v.into_iter().cloned().collect()
}

/// Some address of every piece of every endpoint's region and of the public space.
fn endpoints(net: &Network, cuts: &[IpSet], mut f: impl FnMut(Option<InterfaceId>, IpAddr)) {
    let mut each = |iface: Option<InterfaceId>, region: &IpSet| {
        // The pieces of a region under the cuts, one address of each.
        let mut pieces = vec![region.clone()];
        for c in cuts {
            if !c.intersects(region) {
                continue;
            }
            pieces = pieces
                .into_iter()
                .flat_map(|p| [p.intersect(c), p.subtract(c)])
                .filter(|p| !p.is_empty())
                .collect();
        }
        for p in pieces {
            for part in [
                IpSet {
                    v4: p.v4.clone(),
                    ..IpSet::default()
                },
                IpSet {
                    v6: p.v6.clone(),
                    ..IpSet::default()
                },
            ] {
                if let Some(ip) = part.first() {
                    f(iface, ip);
                }
            }
        }
    };
    for i in net.ifaces.iter().flatten() {
        i.addrs.iter().for_each(|a| each(Some(i.id), &a.region));
    }
    each(None, &net.outside);
}
