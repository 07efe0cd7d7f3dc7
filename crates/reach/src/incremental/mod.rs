//! A matrix that is kept up to date (docs/decisions/019).
//!
//! Most changes touch the private traffic of one VPC: then the rows of the lists that change are folded again at the
//! columns that the change can touch, and only pairs of blocks with such columns are added up again. Whatever is
//! not certain to stay there is answered by building everything again, and [`Affected`] says so.

mod attached;
mod backend;
mod build;
mod change;
mod facts;
mod far;
mod handed;
mod index;
mod inside;
mod ledger;
mod membership;
mod parts;
mod place;
mod rule;
mod settle;
mod standing;
mod touch;

use crate::compile::CompileOptions;
use crate::compile::again::Again;
use crate::domain::Partition;
use crate::network::Mode;
use crate::reach::Reach;
use bartizan_model::{InterfaceId, Inventory, SourceKind, VpcId};
use bartizan_packet::IpSet;
pub use change::Change;
use change::Step;
use facts::Facts;
use far::Far;
use handed::Fronts;
use inside::Kept;
use ledger::Ledger;
use rustc_hash::FxHashMap;
pub use standing::Standing;
use std::net::IpAddr;
use touch::Keys;

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// The ordered pairs of blocks between which other services are delivered than before, sorted.
    pub pairs: Vec<(u32, u32)>,
    /// The blocks of everybody at whose filters, routes or address the change was made, sorted. A flow between two
    /// other blocks is as it was before, its replies and the ways that it takes included. Says nothing where
    /// everything was built again.
    pub blocks: Vec<u32>,
    /// Why everything was built again, if it was.
    pub rebuilt: Option<&'static str>,
}

/// An inventory with its matrix, kept up to date under changes.
///
/// What it delivers is always what [`Reach`] says about the inventory as it is now; the atoms of its network may be
/// finer.
pub struct Live {
    inv: Inventory,
    mode: Mode,
    options: CompileOptions,
    part: Box<dyn Partition + Send>,
    reach: Reach,
    again: Again,
    facts: Facts,
    kept: Vec<Kept>,
    ledger: Ledger,
    /// What is not kept by VPC, by pair of VPCs or by front, by pair of blocks.
    rest: Vec<u64>,
    /// The same for what blocks send to the slots of fronts; nothing where there is nothing.
    rest_fronts: FxHashMap<(u32, u32), Box<[u64]>>,
    /// What travels from VPC to VPC, where it can be kept up to date.
    far: Option<Far>,
    /// What balancers hand on, where it can be kept up to date.
    fronts: Option<Fronts>,
}

/// The outcome of a change that stayed inside one VPC, or why it did not.
type Inside = Result<Keys, &'static str>;

impl Live {
    /// Builds everything. As [`Reach::new`] and [`Reach::all_pairs`], with every address a cell of its own.
    #[must_use]
    pub fn new(inv: Inventory, mode: Mode, options: CompileOptions, part: Box<dyn Partition + Send>) -> Self {
        Live::build(inv, mode, options, part)
    }

    /// The engine over the inventory as it is now.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// The inventory as it is now.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inv
    }

    /// Whether what travels between VPCs, and what balancers hand on, is there and is kept up to date by itself. What is
    /// not is built again when a change may touch it.
    #[must_use]
    pub fn keeps(&self) -> (bool, bool) {
        (self.far.is_some(), self.fronts.is_some())
    }

    /// Applies a change.
    pub fn apply(&mut self, change: &Change) -> Affected {
        let done = match change.make(&mut self.inv) {
            Step::Rule(r, i, added) => self.rule(&r, i, added),
            Step::Groups(i, before) => self.membership(i, &before),
            Step::Address(i, n, old, new) => self.address(i, n, old, new),
            Step::Route(r) => self.route(&r),
            Step::BackendAdded(b, l) => self.backend_added(b, l),
            Step::BackendRemoved(at, f) => self.backend_removed(at, &f),
            Step::Associated(a, before) => self.associated(a, &before),
            Step::Rewired(a, vpcs) => self.rewired(a, &vpcs),
            Step::Nothing => Ok(Keys::default()),
            Step::Unknown(why) => Err(why),
        };
        let done = self.facts.everywhere.map_or(done, Err);
        match done.and_then(|keys| Ok((self.settle(&keys)?, keys))) {
            Ok((pairs, keys)) => {
                let mut blocks: Vec<u32> = keys.blocks.into_iter().collect();
                blocks.sort_unstable();
                Affected {
                    pairs,
                    blocks,
                    rebuilt: None,
                }
            }
            Err(why) => self.rebuild(why),
        }
    }

    /// Builds everything again; what it delivers stays, its atoms may be others.
    pub fn build_again(&mut self) {
        self.rebuild("asked for");
    }

    /// Builds everything again.
    fn rebuild(&mut self, why: &'static str) -> Affected {
        let inv = std::mem::replace(&mut self.inv, Inventory::empty(SourceKind::Generated));
        let part = std::mem::replace(&mut self.part, Box::new(Nothing));
        let new = Live::build(inv, self.mode, self.options.clone(), part);
        let old = std::mem::replace(self, new).reach;
        let blocks = small(self.reach.blocks);
        let (was, is) = (old.network(), self.reach.network());
        let same_atoms = was.atoms.len() == is.atoms.len();
        let differs = |a: u32, b: u32| {
            let (x, y) = (old.delivered(a, b), self.reach.delivered(a, b));
            if x.is_empty() && y.is_empty() || same_atoms && x == y && x.is_empty() {
                return false;
            }
            was.atoms.services(&x) != is.atoms.services(&y)
        };
        let all = (0..blocks).flat_map(|a| (0..blocks).map(move |b| (a, b)));
        Affected {
            pairs: all.filter(|&(a, b)| differs(a, b)).collect(),
            blocks: Vec::new(),
            rebuilt: Some(why),
        }
    }

    fn parts(&mut self) -> parts::Parts<'_> {
        parts::Parts {
            inv: &self.inv,
            net: &mut self.reach.net,
            again: &mut self.again,
            facts: &mut self.facts,
        }
    }

    /// Whether what the lists of an interface filter is known, its own and what it forwards.
    fn plain(&self, i: InterfaceId) -> bool {
        let here = || self.vpc_of(i).is_some_and(|v| self.forwards_inside(v));
        !self.facts.bound(i) && (!self.facts.stops.contains(&i) || here())
    }

    fn vpc_of(&self, i: InterfaceId) -> Option<VpcId> {
        let net = &self.reach.net;
        net.iface(i).and_then(|f| net.vpc_of(f))
    }

    /// The kept VPC of an interface.
    fn kept_of(&self, vpc: VpcId) -> Option<usize> {
        self.kept.iter().position(|k| self.reach.domains[k.at].vpc == vpc)
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Nobody is anywhere.
struct Nothing;

impl Partition for Nothing {
    fn blocks(&self) -> usize {
        0
    }
    fn cuts(&self) -> &[IpSet] {
        &[]
    }
    fn block(&self, _: Option<InterfaceId>, _: IpAddr) -> u32 {
        0
    }
}

/// Room for new sets of groups.
const SPARE: usize = 4096;
