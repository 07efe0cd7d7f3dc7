//! One inventory, cut into the blocks that a list of questions tells apart, with the engine built over it.

use crate::sets::Set;
use bartizan_model::{InterfaceId, Inventory, Readings};
use bartizan_packet::{AtomSet, IpSet, ServiceSet};
use bartizan_reach::{CompileOptions, Mode, Network, Partition, Point, Reach, compile};
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

/// Which of the sets an endpoint is in.
pub(crate) type Signature = Box<[u64]>;

/// Who is in which set. Most sets are lists of interfaces, and are not gone through for each endpoint.
struct Members {
    sets: Arc<[Set]>,
    /// The lists that an interface is in.
    listed: FxHashMap<InterfaceId, Vec<u32>>,
    /// The sets that are no lists.
    others: Vec<u32>,
}

impl Members {
    fn new(sets: Arc<[Set]>) -> Self {
        let mut listed: FxHashMap<InterfaceId, Vec<u32>> = FxHashMap::default();
        let mut others = Vec::new();
        for (n, s) in (0u32..).zip(sets.iter()) {
            match s {
                Set::Interfaces(all) => all.iter().for_each(|i| listed.entry(*i).or_default().push(n)),
                _ => others.push(n),
            }
        }
        Members { sets, listed, others }
    }

    /// O(lists that it is in + sets that are no lists).
    fn signature(&self, iface: Option<InterfaceId>, ip: IpAddr) -> Signature {
        let mut w = vec![0u64; self.sets.len().div_ceil(64)].into_boxed_slice();
        let mut put = |n: u32| w[n as usize / 64] |= 1 << (n % 64);
        let listed = iface.and_then(|i| self.listed.get(&i));
        listed.into_iter().flatten().for_each(|n| put(*n));
        let inside = |n: &&u32| self.sets[**n as usize].contains(iface, ip);
        self.others.iter().filter(inside).for_each(|n| put(*n));
        w
    }
}

/// Blocks by signature: two endpoints are in one block exactly when they are in the same sets.
#[derive(Clone)]
pub(crate) struct BySignature {
    members: Arc<Members>,
    pub(crate) cuts: Vec<IpSet>,
    pub(crate) ids: FxHashMap<Signature, u32>,
}

impl BySignature {
    /// Numbers every endpoint of some networks; the signatures by number.
    pub(crate) fn new(sets: Arc<[Set]>, networks: &[&Network]) -> (Self, Arc<[Signature]>) {
        let cuts = addresses_of(&sets);
        let members = Members::new(sets);
        let mut ids: FxHashMap<Signature, u32> = FxHashMap::default();
        let mut signatures = Vec::new();
        for n in networks {
            endpoints(n, &cuts, |iface, ip| {
                let s = members.signature(iface, ip);
                if !ids.contains_key(&s) {
                    ids.insert(s.clone(), u32::try_from(signatures.len()).unwrap_or(u32::MAX));
                    signatures.push(s);
                }
            });
        }
        let members = Arc::new(members);
        (BySignature { members, cuts, ids }, signatures.into())
    }

    /// Whether every endpoint of a network has a number.
    pub(crate) fn knows(&self, net: &Network) -> bool {
        let mut all = true;
        endpoints(net, &self.cuts, |iface, ip| {
            all &= self.ids.contains_key(&self.members.signature(iface, ip));
        });
        all
    }

    /// Whether an interface is in other sets by one address than by another one.
    pub(crate) fn moves(&self, i: InterfaceId, old: IpAddr, new: IpAddr) -> bool {
        let inside = |n: u32, ip| self.members.sets[n as usize].contains(Some(i), ip);
        let mut others = self.members.others.iter();
        others.any(|n| inside(*n, old) != inside(*n, new))
    }
}

impl Partition for BySignature {
    fn blocks(&self) -> usize {
        self.ids.len()
    }
    fn cuts(&self) -> &[IpSet] {
        &self.cuts
    }
    fn block(&self, iface: Option<InterfaceId>, ip: IpAddr) -> u32 {
        // INVARIANT (all signatures): `BySignature::new` has numbered every endpoint that the engine asks about.
        let signature = self.members.signature(iface, ip);
        self.ids.get(&signature).copied().unwrap_or(0)
    }
}

/// An engine of one's own, or one that somebody keeps up to date.
pub enum Engine<'a> {
    /// One's own.
    Own(Box<Reach>),
    /// Somebody's.
    Lent(&'a Reach),
}

impl Deref for Engine<'_> {
    type Target = Reach;
    fn deref(&self) -> &Reach {
        match self {
            Engine::Own(r) => r,
            Engine::Lent(r) => r,
        }
    }
}

/// The engine over one inventory and a list of sets, in both modes.
pub struct World<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The sets, as given.
    pub sets: Arc<[Set]>,
    pub(crate) signatures: Arc<[Signature]>,
    /// What may happen.
    pub may: Engine<'a>,
    /// What happens for certain.
    pub sure: Engine<'a>,
    pub(crate) shown: Arc<Shown>,
}

/// Ends of flows that were seen to happen for certain, by the blocks that they lie in. Who looks for one asks them
/// first; they prove nothing by themselves, since the network may have changed.
#[derive(Default)]
pub(crate) struct Shown(Mutex<FxHashMap<(u32, u32), Vec<Ends>>>);

/// The two ends of a flow.
type Ends = (Point, Point);

impl Shown {
    /// More of one pair of blocks are not kept: services of a few kinds travel between others.
    const KEPT: usize = 8;

    /// The latest first.
    pub(crate) fn of(&self, from: u32, to: u32) -> Vec<Ends> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(from, to))
            .map(|v| v.iter().rev().copied().collect())
            .unwrap_or_default()
    }

    pub(crate) fn put(&self, (from, to): (u32, u32), ends: Ends) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = all.entry((from, to)).or_default();
        of.retain(|x| *x != ends);
        if of.len() >= Shown::KEPT {
            of.remove(0);
        }
        of.push(ends);
    }
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
        let sets: Arc<[Set]> = sets.into();
        let opt = options(&sets, services, readings);
        let may = compile(inventory, Mode::Widen, &opt);
        let sure = compile(inventory, Mode::Narrow, &opt);
        let (part, signatures) = BySignature::new(sets.clone(), &[&may, &sure]);
        let mut may = Reach::new(may, &part);
        may.all_pairs();
        let sure = Reach::new(sure, &part);
        World {
            inventory,
            signatures,
            may: Engine::Own(Box::new(may)),
            sure: Engine::Own(Box::new(sure)),
            sets,
            shown: Arc::default(),
        }
    }

    /// Answers all pairs of blocks in the network of what happens for certain as well.
    pub fn answer_sure(&mut self) {
        // Somebody who keeps an engine up to date keeps its matrix.
        if let Engine::Own(r) = &mut self.sure {
            r.all_pairs();
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

/// What a network has to tell apart for questions about some sets and services.
pub(crate) fn options(sets: &[Set], services: &[ServiceSet], readings: &Readings) -> CompileOptions {
    CompileOptions {
        services: services.to_vec(),
        addresses: addresses_of(sets),
        readings: readings.clone(),
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
