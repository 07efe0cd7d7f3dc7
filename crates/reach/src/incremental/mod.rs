//! A matrix that is kept up to date (docs/decisions/019).
//!
//! Most changes touch the private traffic of one VPC: then the rows of the lists that change are folded again at the
//! columns that the change can touch, and only pairs of blocks with such columns are added up again. Whatever is
//! not certain to stay there is answered by building everything again, and [`Affected`] says so.

mod change;
mod facts;
mod index;
mod inside;
mod ledger;
mod membership;
mod place;
mod rule;
mod touch;

use crate::compile::again::Again;
use crate::compile::{CompileOptions, compile};
use crate::domain::Partition;
use crate::network::Mode;
use crate::reach::Reach;
use bartizan_model::{AddressKind, AddressSpec, Fact, InterfaceId, Inventory, VpcId};
pub use change::Change;
use facts::Facts;
use inside::Kept;
use ledger::Ledger;
use rayon::prelude::*;
use rustc_hash::FxHashMap;
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
    /// What does not stay inside one VPC, by pair of blocks.
    rest: Vec<u64>,
}

/// The outcome of a change that stayed inside one VPC, or why it did not.
type Inside = Result<Keys, &'static str>;

impl Live {
    /// Builds everything. As [`Reach::new`] and [`Reach::all_pairs`], with every address a cell of its own.
    #[must_use]
    pub fn new(inv: Inventory, mode: Mode, options: CompileOptions, part: Box<dyn Partition + Send>) -> Self {
        let (reach, again, facts, kept, ledger, rest) = build(&inv, mode, &options, &*part);
        Live {
            inv,
            mode,
            options,
            part,
            reach,
            again,
            facts,
            kept,
            ledger,
            rest,
        }
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

    /// Applies a change.
    pub fn apply(&mut self, change: &Change) -> Affected {
        let done = match change {
            Change::AddRule(r) => {
                change.apply(&mut self.inv);
                let last = self.inv.typed.sg_rules.len().saturating_sub(1);
                self.rule(r, small(last), true)
            }
            Change::RemoveRule(i) => match self.inv.typed.sg_rules.get(*i as usize).cloned() {
                Some(r) => {
                    change.apply(&mut self.inv);
                    self.rule(&r, *i, false)
                }
                None => Ok(Keys::default()),
            },
            Change::SetGroups(i, _) => {
                let before = self.inv.typed.interfaces.get(i.index()).map(|i| i.groups.clone());
                change.apply(&mut self.inv);
                match before {
                    Some(Fact::Known(before)) => self.membership(*i, &before),
                    Some(Fact::Unknown(_)) => Err("the groups of the interface were not known"),
                    None => Ok(Keys::default()),
                }
            }
            Change::SetAddress(i, n, ip) => {
                let address = self.inv.typed.interfaces.get(i.index());
                let before = address.and_then(|x| x.addresses.get(*n as usize)).cloned();
                change.apply(&mut self.inv);
                match before {
                    Some(a) => match (&a.spec, a.kind) {
                        (AddressSpec::Ip(old), AddressKind::Primary | AddressKind::Secondary) => {
                            self.address(*i, *n, *old, *ip)
                        }
                        _ => Err("the address is not one that an interface has for itself"),
                    },
                    None => Ok(Keys::default()),
                }
            }
            Change::AddRoute(r) => {
                change.apply(&mut self.inv);
                self.route(r)
            }
            Change::RemoveRoute(i) => match self.inv.typed.route_entries.get(*i as usize).cloned() {
                Some(r) => {
                    change.apply(&mut self.inv);
                    self.route(&r)
                }
                None => Ok(Keys::default()),
            },
            Change::Associate(..) => {
                change.apply(&mut self.inv);
                Err("transit routers are resolved as a whole")
            }
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
        let (reach, again, facts, kept, ledger, rest) =
            build(&self.inv, self.mode, &self.options, &*self.part);
        let old = std::mem::replace(&mut self.reach, reach);
        self.again = again;
        self.facts = facts;
        self.kept = kept;
        self.ledger = ledger;
        self.rest = rest;
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

    /// Adds up pairs of blocks again: what changed.
    fn settle(&mut self, keys: &Keys) -> Result<Vec<(u32, u32)>, &'static str> {
        if keys.pairs.keys().any(|&(_, a, b)| self.facts.asked((a, b))) {
            return Err("a pair depends on what a balancer hands on");
        }
        let w = self.reach.net.atoms.words();
        let (mut tmp, mut sum) = (vec![0u64; w], vec![0u64; w]);
        let mut next = vec![0u64; w];
        let mut out = Vec::new();
        for (&(k, a, b), delta) in &keys.pairs {
            let kept = &self.kept[k];
            let d = &self.reach.domains[kept.at];
            let net = &self.reach.net;
            if delta.whole {
                let all = net.common.all.words();
                kept.contribution(net, d, (a, b), all, &mut tmp, &mut next);
            } else {
                next.copy_from_slice(self.ledger.get((a, b), small(k)));
                next.iter_mut().zip(&delta.gained).for_each(|(n, g)| *n |= g);
                let need: Vec<u64> = delta.lost.iter().zip(&next).map(|(l, n)| l & n).collect();
                if need.iter().any(|x| *x != 0) {
                    kept.contribution(net, d, (a, b), &need, &mut tmp, &mut sum);
                    for ((n, l), s) in next.iter_mut().zip(&need).zip(&sum) {
                        *n &= !l | s;
                    }
                }
            }
            if !self.ledger.set((a, b), small(k), &next) {
                continue;
            }
            let at = (a as usize * self.reach.blocks + b as usize) * w;
            sum.copy_from_slice(&self.rest[at..at + w]);
            self.ledger.sum((a, b), &mut sum);
            let entry = &mut self.reach.matrix[at..at + w];
            if *entry != *sum {
                entry.copy_from_slice(&sum);
                out.push((a, b));
            }
        }
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    /// Whether the lists of an interface count for nothing but private traffic inside its VPC, its own and what it
    /// forwards, and, where the other side is outside, its own towards the Internet.
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

/// Room for new sets of groups.
const SPARE: usize = 4096;

type Built = (Reach, Again, Facts, Vec<Kept>, Ledger, Vec<u64>);

fn build(inv: &Inventory, mode: Mode, options: &CompileOptions, part: &dyn Partition) -> Built {
    let net = compile(inv, mode, options);
    let mut reach = Reach::with_cells(net, part, true);
    reach.build_rows();
    // What does not stay inside one VPC, and what balancers hand on of all together.
    let mut rest = reach.unrelayed(false);
    let mut added = crate::matrix::Added::default();
    if !reach.network().relays.is_empty() {
        let mut all = reach.unrelayed(true);
        all.record();
        crate::relayed::hand_on(&reach, &mut all);
        added = all.take_added();
        for ((a, b), s) in &added.sets {
            rest.add(*a, *b, s);
        }
    }
    let rest = rest.fold(reach.slots());
    let kept: Vec<Kept> = reach
        .domains
        .iter()
        .enumerate()
        .map(|(n, d)| Kept::new(reach.network(), n, d))
        .collect();
    let w = reach.network().atoms.words();
    let all: Vec<FxHashMap<(u32, u32), Vec<u64>>> = kept
        .par_iter()
        .map(|k| k.contributions(reach.network(), &reach.domains[k.at], w))
        .collect();
    let mut ledger = Ledger::new(w);
    let mut matrix = rest.clone();
    for (n, of) in all.into_iter().enumerate() {
        for ((a, b), words) in of {
            ledger.set((a, b), small(n), &words);
            let at = (a as usize * reach.blocks + b as usize) * w;
            matrix[at..at + w]
                .iter_mut()
                .zip(&words)
                .for_each(|(o, &x)| *o |= x);
        }
    }
    reach.matrix = matrix;
    // A table that grows costs more than a change may.
    reach.net.group_sets.reserve(SPARE);
    for d in &mut reach.domains {
        d.rows.reserve(SPARE / 16);
        d.lists.reserve(SPARE / 16);
        d.sets.reserve(SPARE / 16);
    }
    let facts = Facts::new(inv, &reach, &added);
    let again = Again::new(inv, reach.network());
    (reach, again, facts, kept, ledger, rest)
}
