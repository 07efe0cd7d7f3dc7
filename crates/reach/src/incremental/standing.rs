//! A network without its matrix, kept up to date (docs/decisions/019, 15).
//!
//! What happens for certain is asked point by point, and of few points. Then lists, tables, addresses and relays have to
//! be those of the inventory as it is, and nothing has to be added up.

use super::change::Step;
use super::facts::Facts;
use super::handed::free_in;
use super::parts::{self, Parts};
use super::{Change, Nothing};
use crate::compile::again::Again;
use crate::compile::{CompileOptions, compile};
use crate::domain::{Cell, Domain, Partition};
use crate::matrix::Added;
use crate::network::{Hop, Mode, Route, RouteRef, Table};
use crate::reach::Reach;
use bartizan_model::{
    AddressKind, AttachmentId, BalancerId, Fact, InterfaceId, Inventory, PublishedRoute, RouteEntry, SgRule,
    SourceKind, TrLink, TrTableId, VpcId, VswitchId,
};
use bartizan_packet::IpSet;
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// A cell, by the position of its VPC and its number there.
type At = (usize, u32);

/// A change that was followed, or why it was not.
type Followed = Result<(), &'static str>;

/// An inventory with its network and cells, kept up to date under changes; no pair of blocks is answered.
///
/// Every flow is as [`Reach::new`] over the inventory as it is now says. Atoms may be finer.
pub struct Standing {
    inv: Inventory,
    mode: Mode,
    options: CompileOptions,
    part: Box<dyn Partition + Send>,
    reach: Reach,
    again: Again,
    facts: Facts,
    by_ip: FxHashMap<IpAddr, Vec<At>>,
    by_iface: FxHashMap<InterfaceId, Vec<At>>,
    /// The relays of listeners.
    relays: FxHashMap<(BalancerId, u32), Vec<u32>>,
    /// The fronts whose own address may be any that nobody in a vSwitch has.
    free_in: FxHashMap<VswitchId, Vec<InterfaceId>>,
}

impl Standing {
    /// Builds the network. Every address is a cell of its own.
    #[must_use]
    pub fn new(inv: Inventory, mode: Mode, options: CompileOptions, part: Box<dyn Partition + Send>) -> Self {
        let reach = Reach::with_cells(compile(&inv, mode, &options), &*part, true);
        let net = reach.network();
        let mut by_ip: FxHashMap<IpAddr, Vec<At>> = FxHashMap::default();
        let mut by_iface: FxHashMap<InterfaceId, Vec<At>> = FxHashMap::default();
        for (k, d) in reach.domains.iter().enumerate() {
            for (c, cell) in (0u32..).zip(&d.cells) {
                by_ip.entry(cell.rep.ip).or_default().push((k, c));
                by_iface.entry(cell.rep.iface).or_default().push((k, c));
            }
        }
        let mut relays: FxHashMap<(BalancerId, u32), Vec<u32>> = FxHashMap::default();
        for (n, r) in (0u32..).zip(&net.relays) {
            relays.entry((r.balancer, r.listener)).or_default().push(n);
        }
        // A front without a backend may get one.
        let mut free: FxHashMap<VswitchId, Vec<InterfaceId>> = FxHashMap::default();
        for f in net.ifaces.iter().flatten().filter(|f| f.front.is_some()) {
            if let Some(v) = free_in(net, &inv, f.id) {
                free.entry(v).or_default().push(f.id);
            }
        }
        let facts = Facts::new(&inv, &reach, &Added::default(), true);
        let again = Again::new(&inv, net);
        Standing {
            inv,
            mode,
            options,
            part,
            reach,
            again,
            facts,
            by_ip,
            by_iface,
            relays,
            free_in: free,
        }
    }

    /// The engine over the inventory as it is now. Its pairs of blocks are empty.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Applies a change; says why everything was built again, if it was.
    pub fn apply(&mut self, change: &Change) -> Option<&'static str> {
        let done = match change.make(&mut self.inv) {
            Step::Rule(r, i, added) => self.rule(&r, i, added),
            Step::Groups(i, _) => self.membership(i),
            Step::Address(i, n, old, new) => self.address(i, n, (old, new)),
            Step::Route(r) => self.route(&r),
            Step::BackendAdded(b, l) => self.backend_added(b, l),
            Step::BackendRemoved(at, _) => self.backend_removed(at),
            Step::Associated(a, before) => self.associated(a, &before),
            Step::Rewired(a, vpcs) => self.rewired(a, &vpcs),
            Step::Nothing => Ok(()),
            Step::Unknown(why) => Err(why),
        };
        let why = self.facts.everywhere.map_or(done, Err).err();
        if why.is_some() {
            self.build_again();
        }
        why
    }

    /// Builds everything again.
    pub fn build_again(&mut self) {
        let inv = std::mem::replace(&mut self.inv, Inventory::empty(SourceKind::Generated));
        let part = std::mem::replace(&mut self.part, Box::new(Nothing));
        *self = Standing::new(inv, self.mode, self.options.clone(), part);
    }

    fn parts(&mut self) -> Parts<'_> {
        Parts {
            inv: &self.inv,
            net: &mut self.reach.net,
            again: &mut self.again,
            facts: &mut self.facts,
        }
    }

    fn vpc_of(&self, i: InterfaceId) -> Option<VpcId> {
        let net = &self.reach.net;
        net.iface(i).and_then(|f| net.vpc_of(f))
    }

    fn rule(&mut self, r: &SgRule, index: u32, added: bool) -> Followed {
        let mut parts = self.parts();
        let ruled = parts.rule(r, index, added)?;
        for &s in &ruled.sets {
            // What a managed service takes in is not its groups alone.
            if parts.users(s).iter().any(|i| parts.facts.bound(*i)) {
                return Err("the rule filters at a managed service");
            }
            match parts.users(s).first() {
                Some(user) => parts.patch(s, *user, (index, added)),
                None => parts.forget(s),
            }
        }
        parts.renumber(&ruled, index);
        Ok(())
    }

    fn membership(&mut self, i: InterfaceId) -> Followed {
        let Some(vpc) = self.vpc_of(i) else {
            return Ok(());
        };
        let here = &self.inv.typed.interfaces[i.index()];
        let Fact::Known(now) = here.groups.clone() else {
            return Err("the groups of the interface are not known");
        };
        let complete = here.foreign_groups.is_empty() && !now.is_empty();
        let virtual_ip = here.addresses.iter().any(|a| a.kind == AddressKind::HaVip);
        if virtual_ip || self.facts.bound(i) || self.reach.net.is_front(i) {
            return Err("the groups count at a balancer, a service or a virtual address");
        }
        if self.reach.net.says.public_members {
            return Err("the groups count outside of the VPC");
        }
        let set = self.parts().set_of(&now, complete)?;
        let Some(f) = self.reach.net.ifaces[i.index()].as_mut() else {
            return Ok(());
        };
        let old = std::mem::replace(&mut f.groups, set);
        self.parts().join(i, (old, set));
        for (k, c) in self.by_iface.get(&i).cloned().unwrap_or_default() {
            let cell = &mut self.reach.domains[k].cells[c as usize];
            cell.set = set;
            let ip = cell.rep.ip;
            self.know(vpc, k, ip);
        }
        Ok(())
    }

    /// As [`parts::know`].
    fn know(&mut self, vpc: VpcId, k: usize, ip: IpAddr) {
        let of = |d: &[Domain], c: u32| -> Option<Cell> { d.get(k)?.cells.get(c as usize).cloned() };
        let there = self.by_ip.get(&ip).into_iter().flatten().filter(|at| at.0 == k);
        let there: Vec<Cell> = there.filter_map(|at| of(&self.reach.domains, at.1)).collect();
        parts::know(&mut self.reach.net, vpc, ip, there.iter());
    }

    fn address(&mut self, i: InterfaceId, n: u32, (old, new): (IpAddr, IpAddr)) -> Followed {
        let Some(vpc) = self.vpc_of(i) else {
            return Ok(());
        };
        self.parts().address(i, (old, new))?;
        let mine: Vec<At> = self.by_ip.get(&old).cloned().unwrap_or_default();
        let cell = |at: &At| &self.reach.domains[at.0].cells[at.1 as usize];
        let mut here = mine.iter().filter(|at| self.reach.domains[at.0].vpc == vpc);
        let own = here.next().copied().filter(|_| here.next().is_none());
        if self.by_ip.get(&new).is_some_and(|all| !all.is_empty()) {
            return Err("somebody else has the address");
        }
        let Some(at) = own.filter(|at| (cell(at).rep.iface, cell(at).rep.addr) == (i, n)) else {
            return Err("the address is not a cell of its own");
        };
        if cell(&at).block != self.part.block(Some(i), new) {
            return Err("the interface is in another block");
        }
        let region = self.reach.net.ifaces[i.index()].as_mut();
        if let Some(a) = region.and_then(|f| f.addrs.get_mut(n as usize)) {
            a.region = IpSet::single(new);
        }
        let cell = &mut self.reach.domains[at.0].cells[at.1 as usize];
        cell.rep.ip = new;
        cell.members.iter_mut().for_each(|m| m.ip = new);
        let vswitch = cell.vswitch;
        if let Some(all) = self.by_ip.get_mut(&old) {
            all.retain(|x| *x != at);
        }
        self.by_ip.entry(new).or_default().push(at);
        self.know(vpc, at.0, old);
        self.know(vpc, at.0, new);
        self.refreed(at.0, vswitch, (old, new));
        Ok(())
    }

    /// An address of a vSwitch is free and another one is no longer: where balancers of it may send from.
    fn refreed(&mut self, k: usize, vswitch: VswitchId, (old, new): (IpAddr, IpAddr)) {
        let Some(mine) = self.free_in.get(&vswitch) else {
            return;
        };
        let there = || {
            let cells = self.reach.domains[k].cells.iter();
            let here = cells.filter(|c| c.vswitch == vswitch);
            here.map(|c| c.rep.iface).collect()
        };
        let at = (vswitch, mine.as_slice());
        parts::refree(&self.inv, &mut self.reach.net, &self.facts, at, (old, new), there);
    }

    fn route(&mut self, e: &RouteEntry) -> Followed {
        let (vpc, _, made) = self.parts().route(e)?;
        let net = &self.reach.net;
        let published = |p: &PublishedRoute| p.table.known().is_none_or(|t| *t == made.id);
        let learned = !net.hybrid.is_empty() || self.inv.typed.published_routes.iter().any(published);
        if net.has_neighbours(vpc) && learned {
            return Err("the route counts outside of its VPC");
        }
        self.parts().put_tables(vec![made]);
        Ok(())
    }

    fn associated(&mut self, a: AttachmentId, before: &[TrLink]) -> Followed {
        let mut parts = self.parts();
        let Some(x) = parts.association(a, before)? else {
            return Ok(());
        };
        let made = parts.forward_by(&x);
        if let Some(vpc) = x.vpc {
            self.put_tables(vpc, made);
        }
        Ok(())
    }

    fn rewired(&mut self, a: (AttachmentId, Option<TrTableId>), vpcs: &[VpcId]) -> Followed {
        let made = {
            let mut parts = self.parts();
            let rewiring = parts.rewiring(a, vpcs)?;
            if !parts.facts.private(&rewiring.to) {
                return Err("the router leads to the Internet");
            }
            parts.rewire(rewiring, vpcs)
        };
        for (vpc, tables) in made {
            self.put_tables(vpc, tables);
        }
        Ok(())
    }

    /// The tables of a VPC are others, because routers lead elsewhere.
    fn put_tables(&mut self, vpc: VpcId, made: Vec<Table>) {
        let parts = self.parts();
        // Somebody else may have to do with the Internet from now on.
        let public =
            |r: &Route, hop: fn(&Hop) -> bool| r.hops.iter().any(hop) && !parts.facts.private(&r.ips);
        let router = |h: &Hop| matches!(h, Hop::Attachment(_));
        let leaves = made.iter().flat_map(|t| &t.routes).any(|r| public(r, router));
        let appliance = |h: &Hop| !matches!(h, Hop::Attachment(_) | Hop::Local | Hop::Nat(_));
        // Most routes are none that lead to an appliance, which is seen without a look at where they lead.
        let all = parts.net.tables.iter().flat_map(|t| &t.routes);
        let mut all = all.filter(|r| !matches!(r.from, RouteRef::Propagated(_) | RouteRef::Local));
        let bent = leaves && all.any(|r| public(r, appliance));
        if leaves {
            let domain = self.reach.domains.iter().find(|d| d.vpc == vpc);
            let all = domain.into_iter().flat_map(|d| &d.cells).map(|c| c.rep.iface);
            self.facts.may_leave(vpc, all, bent);
        }
        self.parts().put_tables(made);
    }

    fn backend_added(&mut self, b: BalancerId, listener: u32) -> Followed {
        let Some((position, to)) = self.parts().last_backend((b, listener))? else {
            return Ok(());
        };
        let made = self.parts().relays_to((b, listener), position, to);
        self.relays.entry((b, listener)).or_default().extend(made);
        Ok(())
    }

    fn backend_removed(&mut self, (b, listener, position): (BalancerId, u32, u32)) -> Followed {
        let nothing = Arc::new(self.reach.net.common.none.clone());
        for n in self.relays.get(&(b, listener)).cloned().unwrap_or_default() {
            let mut parts = self.parts();
            if parts.vacate(n, (b, listener, position), &nothing)
                && let Some(all) = self.relays.get_mut(&(b, listener))
            {
                all.retain(|x| *x != n);
            }
        }
        Ok(())
    }
}
