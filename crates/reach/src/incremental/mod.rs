//! A matrix that is kept up to date (docs/decisions/019).
//!
//! Most changes touch the private traffic of one VPC: then the rows of the lists that change are folded again at the
//! columns that the change can touch, and only pairs of blocks with such columns are added up again. Whatever is
//! not certain to stay there is answered by building everything again, and [`Affected`] says so.

mod change;
mod facts;
mod inside;
mod ledger;

use crate::compile::again::{self, Again};
use crate::compile::{CompileOptions, compile};
use crate::domain::Partition;
use crate::network::{GroupSet, Match, Mode, RuleRef};
use crate::reach::Reach;
use bartizan_model::{
    AddressKind, AddressSpec, Fact, InterfaceId, Inventory, NetSpec, Peer, RouteEntry, SecurityGroupId,
    SgRule, VpcId,
};
use bartizan_packet::IpSet;
pub use change::Change;
use facts::Facts;
use inside::{Kept, Side};
use ledger::Ledger;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;

/// What a change did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// The ordered pairs of blocks between which other services are delivered than before, sorted.
    pub pairs: Vec<(u32, u32)>,
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
type Inside = Result<FxHashSet<(usize, u32, u32)>, &'static str>;

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
                None => Ok(FxHashSet::default()),
            },
            Change::SetGroups(i, _) => {
                let before = self.inv.typed.interfaces.get(i.index()).map(|i| i.groups.clone());
                change.apply(&mut self.inv);
                match before {
                    Some(Fact::Known(before)) => self.membership(*i, &before),
                    Some(Fact::Unknown(_)) => Err("the groups of the interface were not known"),
                    None => Ok(FxHashSet::default()),
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
                    None => Ok(FxHashSet::default()),
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
                None => Ok(FxHashSet::default()),
            },
            Change::Associate(..) => {
                change.apply(&mut self.inv);
                Err("transit routers are resolved as a whole")
            }
        };
        match done.and_then(|keys| self.settle(&keys)) {
            Ok(pairs) => Affected { pairs, rebuilt: None },
            Err(why) => self.rebuild(why),
        }
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
            rebuilt: Some(why),
        }
    }

    /// Adds up pairs of blocks again: what changed.
    fn settle(&mut self, keys: &FxHashSet<(usize, u32, u32)>) -> Result<Vec<(u32, u32)>, &'static str> {
        if keys.iter().any(|&(_, a, b)| self.facts.asked((a, b))) {
            return Err("a pair depends on what a balancer hands on");
        }
        let w = self.reach.net.atoms.words();
        let (mut tmp, mut sum) = (vec![0u64; w], vec![0u64; w]);
        let mut out = Vec::new();
        for &(k, a, b) in keys {
            let kept = &self.kept[k];
            let d = &self.reach.domains[kept.at];
            kept.contribution(&self.reach.net, d, (a, b), &mut tmp, &mut sum);
            if !self.ledger.set((a, b), small(k), &sum) {
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

    fn vpc_of(&self, i: InterfaceId) -> Option<VpcId> {
        let net = &self.reach.net;
        net.iface(i).and_then(|f| net.vpc_of(f))
    }

    /// The kept VPC of an interface.
    fn kept_of(&self, vpc: VpcId) -> Option<usize> {
        self.kept.iter().position(|k| self.reach.domains[k.at].vpc == vpc)
    }

    /// The places of a rule in a group set: sides and peers.
    fn places(&self, set: u32, rule: u32, out: &mut Vec<(Side, Match)>) {
        let Some(s) = self.reach.net.group_sets.get(set as usize) else {
            return;
        };
        for (side, l) in [(Side::Ingress, &s.ingress), (Side::Egress, &s.egress)] {
            let here = l.rules.iter().filter(|r| r.from == RuleRef::Sg(rule));
            out.extend(here.map(|r| (side, r.peer.clone())));
        }
    }

    /// A rule was added at the end or removed from a position.
    fn rule(&mut self, r: &SgRule, index: u32, added: bool) -> Inside {
        let Fact::Known(group) = r.group else {
            return Err("the group of the rule is not known");
        };
        let net = &self.reach.net;
        if net.says.public_members {
            return Err("groups count for public addresses, as A-SG-4 is decided");
        }
        if let Fact::Known(s) = &r.services
            && net.atoms.touching(s) != net.atoms.inside(s)
        {
            return Err("the rule names services that were not told apart");
        }
        if added && let Peer::Net(spec) = &r.peer {
            match spec {
                NetSpec::Net(Fact::Known(n)) if !self.facts.cuts(&IpSet::from(*n)) => {}
                _ => return Err("the addresses of the rule cut one that is not known"),
            }
        }
        if !added && self.facts.cuts(&IpSet::empty()) {
            return Err("where a public address may be depends on every prefix");
        }
        // The last rule has moved to the free position.
        let moved = small(self.inv.typed.sg_rules.len());
        let group_of_moved = match self.inv.typed.sg_rules.get(index as usize) {
            Some(m) if !added && moved != index => match m.group {
                Fact::Known(g) => Some(g),
                Fact::Unknown(_) => return Err("a rule of no known group has moved"),
            },
            _ => None,
        };
        if added {
            self.again.added(group, index);
        } else {
            self.again.removed(group, index);
            if let Some(g) = group_of_moved {
                self.again.removed(g, moved);
                self.again.added(g, index);
            }
        }
        let sets: Vec<u32> = self.facts.sets_of.get(&group).cloned().unwrap_or_default();
        let users = |f: &Facts, s: u32| f.users.get(s as usize).cloned().unwrap_or_default();
        for &s in &sets {
            if !users(&self.facts, s).iter().all(|i| self.facts.plain(*i)) {
                return Err("the rule filters at an appliance or a balancer");
            }
        }
        let mut keys = FxHashSet::default();
        for s in sets {
            let users = users(&self.facts, s);
            let mut places = Vec::new();
            self.places(s, index, &mut places);
            let Some(first) = users.first() else {
                // Nobody is in it any more; it is made again when somebody is.
                self.forget(s);
                continue;
            };
            let before = self.merge(s, *first);
            if added {
                self.places(s, index, &mut places);
            }
            if places.iter().any(|(_, m)| self.facts.meets_public(&users, m)) {
                let net = &self.reach.net;
                let now = net.group_sets.get(s as usize);
                let same = |(a, b): (&GroupSet, &GroupSet)| self.facts.same_in_public(net, a, b);
                if !before.as_ref().zip(now).is_some_and(same) {
                    return Err("the rule is about public addresses");
                }
            }
            let vpcs: FxHashSet<VpcId> = users.iter().filter_map(|i| self.vpc_of(*i)).collect();
            for vpc in vpcs {
                let Some(k) = self.kept_of(vpc) else { continue };
                let net = &self.reach.net;
                if !places.iter().all(|(_, m)| self.facts.near(net, vpc, m)) {
                    return Err("the rule is about addresses outside of its VPC");
                }
                let kept = &mut self.kept[k];
                let d = &mut self.reach.domains[kept.at];
                let Some(gs) = d.sets.iter().position(|x| *x == s) else {
                    continue;
                };
                kept.note(&self.reach.net, d, gs);
                for (side, m) in &places {
                    let kept = &mut self.kept[k];
                    let d = &mut self.reach.domains[kept.at];
                    let columns = kept.columns(m);
                    let changed = kept.refold_list(&self.reach.net, d, gs, *side, &columns);
                    self.touched(k, small(gs), *side, &changed, &mut keys)?;
                }
            }
        }
        if let Some(g) = group_of_moved {
            self.renumber(g, moved, index);
        }
        Ok(keys)
    }

    /// Merges a set of groups again; the lists as they were.
    fn merge(&mut self, set: u32, user: InterfaceId) -> Option<GroupSet> {
        let net = &mut self.reach.net;
        let groups = net.group_sets.get(set as usize).map(|s| s.groups.clone())?;
        let complete =
            self.inv.typed.interfaces.get(user.index()).is_some_and(|i| {
                i.foreign_groups.is_empty() && i.groups.known().is_some_and(|g| !g.is_empty())
            });
        let merged = self.again.merge(&self.inv, net, &groups, complete);
        Some(std::mem::replace(&mut net.group_sets[set as usize], merged))
    }

    /// A set without members is out of date from now on.
    fn forget(&mut self, set: u32) {
        self.facts.set.retain(|_, s| *s != set);
        for v in self.facts.sets_of.values_mut() {
            v.retain(|s| *s != set);
        }
    }

    /// A rule has another position.
    fn renumber(&mut self, group: SecurityGroupId, from: u32, to: u32) {
        for &s in self.facts.sets_of.get(&group).into_iter().flatten() {
            let Some(s) = self.reach.net.group_sets.get_mut(s as usize) else {
                continue;
            };
            for r in s.ingress.rules.iter_mut().chain(&mut s.egress.rules) {
                if r.from == RuleRef::Sg(from) {
                    r.from = RuleRef::Sg(to);
                }
            }
        }
    }

    /// The pairs of blocks that changed columns of a list touch.
    fn touched(
        &self,
        k: usize,
        gs: u32,
        side: Side,
        changed: &[u32],
        keys: &mut FxHashSet<(usize, u32, u32)>,
    ) -> Result<(), &'static str> {
        if changed.is_empty() {
            return Ok(());
        }
        let d = &self.reach.domains[self.kept[k].at];
        let own: Vec<u32> = (0u32..)
            .zip(&d.cells)
            .filter(|(_, c)| c.gs == gs)
            .map(|(i, _)| i)
            .collect();
        let interfaces = |cells: &[u32]| {
            let all = cells.iter().map(|&c| d.cells[c as usize].rep.iface);
            all.collect::<Vec<_>>()
        };
        if interfaces(&own).iter().any(|i| self.facts.stops.contains(i)) {
            return Err("the list filters at an appliance");
        }
        let targets = if side == Side::Ingress { &own[..] } else { changed };
        if interfaces(targets).iter().any(|i| self.reach.net.is_front(*i)) {
            return Err("what reaches a balancer has changed");
        }
        let (own, others) = (Kept::blocks(d, &own), Kept::blocks(d, changed));
        for &a in &own {
            for &b in &others {
                keys.insert(if side == Side::Ingress {
                    (k, b, a)
                } else {
                    (k, a, b)
                });
            }
        }
        Ok(())
    }

    /// The groups of an interface were others before.
    fn membership(&mut self, i: InterfaceId, before: &[SecurityGroupId]) -> Inside {
        let Some(vpc) = self.vpc_of(i) else {
            return Ok(FxHashSet::default());
        };
        let here = &self.inv.typed.interfaces[i.index()];
        let Fact::Known(now) = here.groups.clone() else {
            return Err("the groups of the interface are not known");
        };
        let complete = here.foreign_groups.is_empty() && !now.is_empty();
        let virtual_ip = here.addresses.iter().any(|a| a.kind == AddressKind::HaVip);
        if virtual_ip || !self.facts.plain(i) {
            return Err("the groups count at an appliance, a balancer or a virtual address");
        }
        let public = self.reach.net.says.public_members;
        if public || self.facts.relays_see_groups || self.reach.net.has_neighbours(vpc) {
            return Err("the groups count outside of the VPC");
        }
        let Some(k) = self.kept_of(vpc) else {
            return Ok(FxHashSet::default());
        };
        let set = match self.facts.set.get(&(now.clone(), complete)) {
            Some(s) => *s,
            None => {
                let merged = self.again.merge(&self.inv, &self.reach.net, &now, complete);
                self.reach.net.group_sets.push(merged);
                let n = small(self.reach.net.group_sets.len() - 1);
                self.facts.set.insert((now.clone(), complete), n);
                self.facts.users.push(Vec::new());
                for g in &now {
                    self.facts.sets_of.entry(*g).or_default().push(n);
                }
                n
            }
        };
        let Some(f) = self.reach.net.ifaces[i.index()].as_mut() else {
            return Ok(FxHashSet::default());
        };
        let old = std::mem::replace(&mut f.groups, set);
        if self.facts.outward(i) {
            let net = &self.reach.net;
            let of = |s: u32| net.group_sets.get(s as usize);
            let same = |(a, b): (&GroupSet, &GroupSet)| self.facts.same_in_public(net, a, b);
            if !of(old).zip(of(set)).is_some_and(same) {
                return Err("the groups count for public addresses");
            }
        }
        if let Some(u) = self.facts.users.get_mut(old as usize) {
            u.retain(|x| *x != i);
        }
        if let Some(u) = self.facts.users.get_mut(set as usize) {
            u.push(i);
        }
        let mut keys = FxHashSet::default();
        // As a peer: lists that name a group which it has joined or left.
        let (joined, left) = (
            now.iter().filter(|g| before.binary_search(g).is_err()),
            before.iter().filter(|g| now.binary_search(g).is_err()),
        );
        let cells: Vec<u32> = self.cells_of(k, i);
        for &c in &cells {
            let at = self.reach.domains[self.kept[k].at].cells[c as usize].rep;
            let primary = self.reach.net.addr_of(at).is_some_and(|(_, a)| a.primary);
            self.kept[k].regroup(c, primary, before, &now);
        }
        for (gs, side) in self.kept[k].naming(joined.chain(left).copied()) {
            let kept = &mut self.kept[k];
            let d = &mut self.reach.domains[kept.at];
            let changed = kept.refold_list(&self.reach.net, d, gs as usize, side, &cells);
            self.touched(k, gs, side, &changed, &mut keys)?;
        }
        // As itself: where its new lists say something else than the old ones.
        let kept = &mut self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        let gs = kept.list_of(&self.reach.net, d, set);
        for &c in &cells {
            let (i_new, e_new) = d.lists[gs as usize];
            let (i_old, e_old) = d.lists[d.cells[c as usize].gs as usize];
            let block = d.cells[c as usize].block;
            d.cells[c as usize].gs = gs;
            d.cells[c as usize].set = set;
            for (n, x) in d.cells.iter().enumerate() {
                if d.rows[i_new as usize][n] != d.rows[i_old as usize][n] {
                    keys.insert((k, x.block, block));
                }
                if d.rows[e_new as usize][n] != d.rows[e_old as usize][n] {
                    if self.reach.net.is_front(x.rep.iface) {
                        return Err("what reaches a balancer has changed");
                    }
                    keys.insert((k, block, x.block));
                }
            }
        }
        Ok(keys)
    }

    fn cells_of(&self, k: usize, i: InterfaceId) -> Vec<u32> {
        let d = &self.reach.domains[self.kept[k].at];
        let all = (0u32..).zip(&d.cells).filter(|(_, c)| c.rep.iface == i);
        all.map(|(n, _)| n).collect()
    }

    /// An address of an interface was another one before.
    fn address(&mut self, i: InterfaceId, n: u32, old: IpAddr, new: IpAddr) -> Inside {
        let Some(vpc) = self.vpc_of(i) else {
            return Ok(FxHashSet::default());
        };
        let net = &self.reach.net;
        if net.says.source_ports {
            return Err("ACLs see source ports, as A-NACL-2 is decided");
        }
        let nats = net.nats.iter().flat_map(|n| &n.snat);
        let translated = |n: &crate::network::Snat| n.sources.contains(old) != n.sources.contains(new);
        if old.is_ipv4() != new.is_ipv4()
            || !self.facts.plain(i)
            || self.facts.special(i)
            || self.facts.outward(i) && !net.perimeter.nats.is_empty()
            || nats.into_iter().any(translated)
        {
            return Err("the address counts for more than private traffic");
        }
        if net.has_neighbours(vpc) || !net.relays.is_empty() || self.facts.addresses_named {
            return Err("the address counts outside of its VPC");
        }
        if self.facts.cuts(&IpSet::single(new)) {
            return Err("the address may be that of somebody who has yet to get one");
        }
        let Some(k) = self.kept_of(vpc) else {
            return Ok(FxHashSet::default());
        };
        let d = &self.reach.domains[self.kept[k].at];
        if d.cells.iter().any(|c| c.rep.ip == new) || d.cells.iter().filter(|c| c.rep.ip == old).count() != 1
        {
            return Err("somebody else has the address");
        }
        let Some(c) = d.cells.iter().position(|c| c.rep.iface == i && c.rep.addr == n) else {
            return Err("the address is not a cell of its own");
        };
        if d.cells[c].block != self.part.block(Some(i), new) {
            return Err("the interface is in another block");
        }
        let flagged = |d: &crate::domain::Domain| d.detours.iter().flatten().any(|f| f[c]);
        if flagged(d) {
            return Err("routes lead elsewhere");
        }
        for v in net.vswitches.iter().flatten().filter(|v| v.vpc == vpc) {
            if crate::domain::detour(net, &v.tables, new) {
                return Err("routes lead elsewhere");
            }
        }
        if let Some(a) = self.reach.net.ifaces[i.index()]
            .as_mut()
            .and_then(|f| f.addrs.get_mut(n as usize))
        {
            a.region = IpSet::single(new);
        }
        let kept = &mut self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        d.cells[c].rep.ip = new;
        for m in &mut d.cells[c].members {
            m.ip = new;
        }
        kept.sort(&self.reach.net, d);
        let mut keys = FxHashSet::default();
        for (gs, side) in self.kept[k].telling(old, new) {
            let kept = &mut self.kept[k];
            let d = &mut self.reach.domains[kept.at];
            let changed = kept.refold_list(&self.reach.net, d, gs as usize, side, &[small(c)]);
            self.touched(k, gs, side, &changed, &mut keys)?;
        }
        let kept = &mut self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        kept.refold_acls(&self.reach.net, d, small(c), |v, ingress, b| {
            keys.insert(if ingress { (k, v, b) } else { (k, b, v) });
        });
        Ok(keys)
    }

    /// A custom route was added or removed.
    fn route(&mut self, e: &RouteEntry) -> Inside {
        let t = &self.inv.typed;
        let (Fact::Known(table), NetSpec::Net(Fact::Known(to))) = (&e.table, &e.destination) else {
            return Err("the route is not known");
        };
        let Some(vpc) = t[*table].vpc.known().copied() else {
            return Err("the VPC of the table is not known");
        };
        let net = &self.reach.net;
        let to = IpSet::from(*to);
        let Some(k) = self.kept_of(vpc) else {
            return Err("nobody is in the VPC");
        };
        if net.has_neighbours(vpc) || !net.relays.is_empty() || self.facts.cuts(&to) {
            return Err("the route counts outside of its VPC");
        }
        if !self.facts.private(&to) || net.vpcs.iter().any(|v| v.ingress_table == Some(table.0)) {
            return Err("the route may lead to the Internet or from it");
        }
        let Some(made) = again::table(&self.inv, net, *table) else {
            return Err("the table is not there");
        };
        for h in made.routes.iter().flat_map(|r| &r.hops) {
            facts::stops_of(net, h, &mut self.facts.stops);
        }
        self.reach.net.tables[table.index()] = made;
        self.reach.net.elsewhere = std::sync::OnceLock::new();
        let net = &self.reach.net;
        let kept = &self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        let mut keys = FxHashSet::default();
        let columns = kept.columns(&Match::Ips(std::sync::Arc::new(to)));
        for v in 0..d.detours.len() {
            let Some(cell) = d.cells.iter().find(|c| c.vsw as usize == v) else {
                continue;
            };
            let Some(vsw) = net.vsw(cell.vswitch) else {
                continue;
            };
            // What is sent to an appliance goes on from there by the appliance's table.
            let here = vsw.tables.contains(&table.0);
            if !here && d.detours[v].is_none() {
                continue;
            }
            let senders: Vec<u32> = (0u32..)
                .zip(&d.cells)
                .filter(|(_, c)| c.vsw as usize == v)
                .map(|(n, _)| n)
                .collect();
            let mut touched = Vec::new();
            let mut flags: Box<[bool]> = match &d.detours[v] {
                Some(f) => f.clone(),
                None => vec![false; d.cells.len()].into(),
            };
            for &c in &columns {
                let is = crate::domain::detour(net, &vsw.tables, d.cells[c as usize].rep.ip);
                if is || flags[c as usize] {
                    touched.push(c);
                }
                flags[c as usize] = is;
            }
            d.detours[v] = flags.iter().any(|&f| f).then_some(flags);
            let (from, to) = (Kept::blocks(d, &senders), Kept::blocks(d, &touched));
            for &a in &from {
                keys.extend(to.iter().map(|&b| (k, a, b)));
            }
        }
        Ok(keys)
    }
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

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
    let facts = Facts::new(inv, &reach, &added);
    let again = Again::new(inv, reach.network());
    (reach, again, facts, kept, ledger, rest)
}
