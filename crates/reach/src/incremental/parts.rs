//! The parts of a network that a change makes again, whoever keeps it: with a matrix or without one.

use super::facts::Facts;
use super::small;
use crate::compile::again::{self, Again};
use crate::domain::Cell;
use crate::network::{Hop, Iface, Match, Network, RuleRef, Snat, Table};
use crate::transit::{AttachedNet, Far as End, TrNext, TrWay};
use bartizan_model::{
    AttachmentId, Backend, BalancerId, Fact, Forward, InterfaceId, Inventory, NetSpec, Peer, RouteEntry,
    SecurityGroupId, SgRule, TrLink, TrTableId, VpcId, VswitchId,
};
use bartizan_packet::{AtomSet, IpSet, ServiceSet};
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What a network is made of and what is known of it.
pub(super) struct Parts<'l> {
    pub(super) inv: &'l Inventory,
    pub(super) net: &'l mut Network,
    pub(super) again: &'l mut Again,
    pub(super) facts: &'l mut Facts,
}

/// A rule that was added or removed.
pub(super) struct Ruled {
    /// The sets with its group.
    pub(super) sets: Vec<u32>,
    /// The last rule, which has its position now: of which group, and where it was.
    moved: Option<(SecurityGroupId, u32)>,
}

/// The tables of a transit router that forward for an attachment of a VPC from now on.
pub(super) struct Associated {
    pub(super) attachment: AttachmentId,
    /// What is attached, if something is.
    pub(super) vpc: Option<VpcId>,
    tables: Vec<(u32, TrTableId)>,
}

/// Transit routers lead elsewhere, because of one attachment.
pub(super) struct Rewiring {
    /// To which addresses, besides what the VPC itself sends that is attached or detached.
    pub(super) to: IpSet,
    /// Which routes are others.
    prefixes: again::Prefixes,
    /// Whose tables may be others.
    vpcs: Vec<VpcId>,
    routers: again::Relearned,
}

/// The tables that forward for an attachment, as an inventory has them.
pub(super) fn associated_with(inv: &Inventory, a: AttachmentId) -> Vec<TrLink> {
    let all = inv.typed.tr_associations.iter();
    all.filter(|l| l.attachment.known() == Some(&a))
        .cloned()
        .collect()
}

impl Rewiring {
    /// The addresses of the routes that are others.
    pub(super) fn cuts(&self) -> impl Iterator<Item = &IpSet> {
        self.prefixes.iter().map(|p| &p.1)
    }
}

impl Parts<'_> {
    /// A rule was added at the end or removed from a position: which lists it is in.
    pub(super) fn rule(&mut self, r: &SgRule, index: u32, added: bool) -> Result<Ruled, &'static str> {
        let Fact::Known(group) = r.group else {
            return Err("the group of the rule is not known");
        };
        let net = &*self.net;
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
        let from = small(self.inv.typed.sg_rules.len());
        let group_of_moved = match self.inv.typed.sg_rules.get(index as usize) {
            Some(m) if !added && from != index => match m.group {
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
                self.again.removed(g, from);
                self.again.added(g, index);
            }
        }
        Ok(Ruled {
            sets: self.facts.sets_of.get(&group).cloned().unwrap_or_default(),
            moved: group_of_moved.map(|g| (g, from)),
        })
    }

    /// Who has the lists of a set.
    pub(super) fn users(&self, set: u32) -> Vec<InterfaceId> {
        self.facts.users.get(set as usize).cloned().unwrap_or_default()
    }

    /// The lists of a set of groups, in which `user` is, have one rule more or less.
    pub(super) fn patch(&mut self, set: u32, user: InterfaceId, rule: (u32, bool)) {
        let net = &mut *self.net;
        // Lists of appliances tell addresses elsewhere apart.
        net.elsewhere = std::sync::OnceLock::new();
        match net.iface(user).and_then(|f| f.front.as_ref()).map(|f| f.balancer) {
            Some(b) => {
                if let Some(taken) = self.again.front(self.inv, net, b, user)
                    && let Some(lists) = net.group_sets.get_mut(set as usize)
                {
                    *lists = taken;
                }
            }
            None => self.again.patch(self.inv, net, set, rule),
        }
    }

    /// A set without members is out of date from now on; it is made again when somebody is in it.
    pub(super) fn forget(&mut self, set: u32) {
        self.facts.set.retain(|_, s| *s != set);
        for v in self.facts.sets_of.values_mut() {
            v.retain(|s| *s != set);
        }
    }

    /// The rule that has moved to `to` is known by its new position.
    pub(super) fn renumber(&mut self, ruled: &Ruled, to: u32) {
        let Some((group, from)) = ruled.moved else {
            return;
        };
        for &s in self.facts.sets_of.get(&group).into_iter().flatten() {
            let Some(s) = self.net.group_sets.get_mut(s as usize) else {
                continue;
            };
            for r in s.ingress.rules.iter_mut().chain(&mut s.egress.rules) {
                if r.from == RuleRef::Sg(from) {
                    r.from = RuleRef::Sg(to);
                }
            }
        }
    }

    /// The lists of some groups, merged if nobody had them.
    pub(super) fn set_of(&mut self, groups: &[SecurityGroupId], complete: bool) -> Result<u32, &'static str> {
        let key = (groups.to_vec(), complete);
        if let Some(s) = self.facts.set.get(&key) {
            return Ok(*s);
        }
        let merged = self.again.merge(self.inv, self.net, groups, complete);
        // Nobody had these lists: what they name may cut what is one cell so far.
        let all = merged.ingress.rules.iter().chain(&merged.egress.rules);
        let cuts = |m: &Match| matches!(m, Match::Ips(s) if self.facts.cuts(s));
        if all.map(|r| &r.peer).any(cuts) {
            return Err("groups that nobody was in cut addresses that are not known");
        }
        self.net.group_sets.push(merged);
        let n = small(self.net.group_sets.len() - 1);
        self.facts.set.insert(key, n);
        self.facts.users.push(Vec::new());
        for g in groups {
            self.facts.sets_of.entry(*g).or_default().push(n);
        }
        Ok(n)
    }

    /// An interface is one of those with the lists of another set.
    pub(super) fn join(&mut self, i: InterfaceId, (old, new): (u32, u32)) {
        self.net.elsewhere = std::sync::OnceLock::new();
        if let Some(u) = self.facts.users.get_mut(old as usize) {
            u.retain(|x| *x != i);
        }
        if let Some(u) = self.facts.users.get_mut(new as usize) {
            u.push(i);
        }
    }

    /// Whether the tables that forward for an attachment can be replaced; `None` where there is none.
    pub(super) fn association(
        &self,
        a: AttachmentId,
        before: &[TrLink],
    ) -> Result<Option<Associated>, &'static str> {
        let now = associated_with(self.inv, a);
        let t = &self.inv.typed;
        let Some(x) = t.attachments.get(a.index()) else {
            return Ok(None);
        };
        let router = x.router.known().filter(|r| !t[**r].basic);
        let certain = |l: &TrLink| {
            let of = l.table.known().and_then(|t0| t[*t0].router.known());
            l.origin.maybe.is_none() && of.is_some() && of == router
        };
        if router.is_none() || x.meta.origin.maybe.is_some() || !before.iter().chain(&now).all(certain) {
            return Err("not all is known of the router, the attachment or its tables");
        }
        let net = &*self.net;
        let vpc = match net.transit.attachments.get(a.index()).map(|x| &x.far) {
            Some(End::Vpc(vpc, _)) => Some(*vpc),
            Some(End::Nothing) => None,
            _ => return Err("what is attached is not a VPC"),
        };
        if !net.perimeter.vpcs.is_empty() || !net.hybrid.is_empty() {
            return Err("something filters between VPCs, or sends by links");
        }
        let of = |l: &TrLink| Some((router?.0, *l.table.known()?));
        Ok(Some(Associated {
            attachment: a,
            vpc,
            tables: now.iter().filter_map(of).collect(),
        }))
    }

    /// Other tables forward for an attachment: the tables of its VPC as they are then.
    pub(super) fn forward_by(&mut self, x: &Associated) -> Vec<Table> {
        if let Some(at) = self.net.transit.attachments.get_mut(x.attachment.index()) {
            at.tables.clone_from(&x.tables);
        }
        let of = |v| again::tables_of(self.inv, self.net, v);
        x.vpc.map(of).unwrap_or_default()
    }

    /// A table (`table`) learns from an attachment or no longer does, or something else is attached (`attached`: the VPCs,
    /// before and after).
    pub(super) fn rewiring(
        &self,
        (a, table): (AttachmentId, Option<TrTableId>),
        attached: &[VpcId],
    ) -> Result<Rewiring, &'static str> {
        let net = &*self.net;
        if !net.perimeter.vpcs.is_empty() || !net.hybrid.is_empty() {
            return Err("something filters between VPCs, or sends by links");
        }
        let Some(routers) = again::routers(self.inv, net, (a, table)) else {
            return Err("not all is known of what joins VPCs");
        };
        let transit = &routers.transit;
        // Who was kept apart would have to be looked at as a neighbour from now on.
        let mut kept: FxHashMap<u32, u32> = FxHashMap::default();
        let groups = transit.groups.iter().zip(&net.transit.groups);
        if groups
            .into_iter()
            .any(|(now, before)| *kept.entry(*now).or_insert(*before) != *before)
        {
            return Err("a VPC is joined with others that it was not joined with");
        }
        let mut tables: Vec<TrTableId> = Vec::new();
        let mut prefixes = again::Prefixes::default();
        for &n in &routers.tables {
            let (before, now) = routers.instead(&net.transit, n);
            let before = before.map(|w| (w, net.transit.source(w)));
            let other = differing(before, now.iter().map(|w| (w, transit.source(w))));
            if !other.is_empty() {
                tables.push(n);
            }
            other
                .into_iter()
                .for_each(|w| prefixes.add(w.length, w.ips.clone()));
        }
        if prefixes.iter().any(|p| self.facts.cuts(&p.1)) {
            return Err("routes of the router cut an address that is not known");
        }
        let there = |w: &&TrWay| !attached.is_empty() && w.next == TrNext::Attachment(a);
        let there = routers.all(&net.transit).map(|w| w.1).filter(there);
        let to = IpSet::union_all(prefixes.iter().map(|p| &p.1).chain(there.map(|w| &w.ips)));
        let reads = |x: &AttachedNet| x.tables.iter().any(|(_, t)| tables.contains(t));
        let far = |x: &AttachedNet| match x.far {
            End::Vpc(v, _) => Some(v),
            _ => None,
        };
        let readers = transit.attachments.iter().filter(|x| reads(x)).filter_map(far);
        let mut vpcs: Vec<VpcId> = readers.chain(attached.iter().copied()).collect();
        vpcs.sort_unstable();
        vpcs.dedup();
        Ok(Rewiring {
            to,
            prefixes,
            vpcs,
            routers,
        })
    }

    /// The routers are others from now on, and what they write into the tables of VPCs. For those that are `asked` for
    /// their tables as they are then, which are yet to be put.
    pub(super) fn rewire(&mut self, x: Rewiring, asked: &[VpcId]) -> Vec<(VpcId, Vec<Table>)> {
        x.routers.put(&mut self.net.transit);
        self.net.elsewhere = std::sync::OnceLock::new();
        let (asked, others): (Vec<VpcId>, Vec<VpcId>) = x.vpcs.iter().partition(|v| asked.contains(v));
        for v in again::rewrite(self.inv, self.net, &others, &x.prefixes) {
            let made = again::tables_of(self.inv, self.net, v);
            self.put_tables(made);
        }
        let made = |v| (v, again::tables_of(self.inv, self.net, v));
        asked.into_iter().map(made).collect()
    }

    /// Tables are others from now on.
    pub(super) fn put_tables(&mut self, made: Vec<Table>) {
        for table in made {
            if let Some(old) = self.net.tables.get_mut(table.id.index()) {
                *old = table;
            }
        }
        self.net.elsewhere = std::sync::OnceLock::new();
    }

    /// Whether an address of an interface can be another one: it counts for private traffic alone, and for nobody's
    /// translation.
    pub(super) fn address(&self, i: InterfaceId, (old, new): (IpAddr, IpAddr)) -> Result<(), &'static str> {
        let (net, facts) = (&*self.net, &*self.facts);
        if net.says.source_ports {
            return Err("ACLs see source ports, as A-NACL-2 is decided");
        }
        let mut nats = net.nats.iter().flat_map(|n| &n.snat);
        let translated = |n: &Snat| n.sources.contains(old) != n.sources.contains(new);
        if old.is_ipv4() != new.is_ipv4()
            || facts.bound(i)
            || facts.special(i)
            || facts.outward(i) && net.perimeter.by_source().next().is_some()
            || nats.any(translated)
        {
            return Err("the address counts for more than private traffic");
        }
        if net.is_front(i) || facts.addresses_named {
            return Err("the address counts outside of its VPC");
        }
        if facts.cuts(&IpSet::single(new)) {
            return Err("the address may be that of somebody who has yet to get one");
        }
        Ok(())
    }

    /// A custom route was added or removed: its VPC and destination, and its table made again.
    pub(super) fn route(&self, e: &RouteEntry) -> Result<(VpcId, IpSet, Table), &'static str> {
        let (Fact::Known(table), NetSpec::Net(Fact::Known(to))) = (&e.table, &e.destination) else {
            return Err("the route is not known");
        };
        let Some(vpc) = self.inv.typed[*table].vpc.known().copied() else {
            return Err("the VPC of the table is not known");
        };
        let net = &*self.net;
        let to = IpSet::from(*to);
        if self.facts.cuts(&to) {
            return Err("the route counts outside of its VPC");
        }
        // What the table of an IPv4 gateway leads to an appliance goes on by the routes for private addresses.
        if !self.facts.private(&to) || net.vpcs.iter().any(|v| v.ingress_table.is_some()) {
            return Err("the route may lead to the Internet or from it");
        }
        // Another route may have its position from now on, or be one of them.
        if net.perimeter.names_routes() {
            return Err("firewalls stand at routes");
        }
        let Some(made) = again::table(self.inv, net, *table) else {
            return Err("the table is not there");
        };
        // What is not modelled is a gap, which a change of one table does not list.
        let lost = |t: &Table| t.routes.iter().any(|r| r.hops.contains(&Hop::Unmodelled));
        if net.tables.get(table.index()).is_some_and(lost) || lost(&made) {
            return Err("a route of the table leads to something that is not modelled");
        }
        Ok((vpc, to, made))
    }

    /// The last backend of a listener, of which everything has to be known: its position, and the interface. `None` where
    /// there is none.
    pub(super) fn last_backend(
        &self,
        (b, listener): (BalancerId, u32),
    ) -> Result<Option<(u32, InterfaceId)>, &'static str> {
        let of = self.inv.typed.balancers.get(b.index());
        let listener = of.and_then(|b| b.listeners.get(listener as usize));
        let last = listener.and_then(|l| (0u32..).zip(&l.forwards).last());
        let Some((position, f)) = last else {
            return Ok(None);
        };
        let to = certain(self.net, f).ok_or("the backend is not known for certain")?;
        let plain = |f: &Iface| f.front.is_none() && f.service.is_none() && f.site.is_none();
        if !self.net.iface(to).is_some_and(plain) {
            return Err("the backend is a balancer or a service, or is in no network");
        }
        Ok(Some((position, to)))
    }

    /// The last backend of a listener is new: the relays to it, which are the last ones of the network.
    pub(super) fn relays_to(
        &mut self,
        (b, listener): (BalancerId, u32),
        position: u32,
        to: InterfaceId,
    ) -> Vec<u32> {
        let made = again::relays(self.inv, self.net, (b, listener));
        let mut out = Vec::new();
        for r in made.into_iter().filter(|r| r.forward == position) {
            let n = small(self.net.relays.len());
            self.net.behind.entry(to).or_default().push(n);
            self.net.relays.push(r);
            out.push(n);
        }
        out
    }

    /// A backend was taken from a listener and those behind it have moved up: whether a relay was one to it.
    pub(super) fn vacate(
        &mut self,
        n: u32,
        (b, listener, position): (BalancerId, u32, u32),
        nothing: &Arc<AtomSet>,
    ) -> bool {
        let Some(r) = self.net.relays.get_mut(n as usize) else {
            return false;
        };
        if (r.balancer, r.listener) != (b, listener) || r.forward < position {
            return false;
        }
        if r.forward > position {
            r.forward -= 1;
            return false;
        }
        // Positions of others stay, so that this one hands on nothing from now on.
        r.listen = nothing.clone();
        let to = r.to;
        if let Some(all) = self.net.behind.get_mut(&to) {
            all.retain(|x| *x != n);
        }
        true
    }
}

/// The routes that only one of two tables has, each with the VPC that it was learned from, by which route maps go. One that
/// stands there twice is one.
fn differing<'w>(
    before: impl Iterator<Item = (&'w TrWay, Option<VpcId>)>,
    now: impl Iterator<Item = (&'w TrWay, Option<VpcId>)>,
) -> Vec<&'w TrWay> {
    let key = |(w, of): (&'w TrWay, _)| ((&w.ips, w.length, w.next, w.from, w.optional, of), w);
    let there: FxHashMap<_, _> = before.map(key).collect();
    let here: FxHashMap<_, _> = now.map(key).collect();
    let new = here.iter().filter(|(k, _)| !there.contains_key(*k));
    let gone = there.iter().filter(|(k, _)| !here.contains_key(*k));
    new.chain(gone).map(|(_, w)| *w).collect()
}

/// By which groups an address is known in its VPC, where others can be reached, is found again. `there` are the cells of
/// that VPC with the address.
pub(super) fn know<'c>(net: &mut Network, vpc: VpcId, ip: IpAddr, there: impl Iterator<Item = &'c Cell>) {
    if !net.has_neighbours(vpc) {
        return;
    }
    let (mut known, mut primary) = (Vec::new(), Vec::new());
    let mut somebody = false;
    for c in there {
        let at = c.rep;
        let Some((_, a)) = net.addr_of(at) else { continue };
        if a.choice || a.region != IpSet::single(ip) {
            continue;
        }
        somebody = true;
        known.extend(net.groups_of(at));
        if a.primary {
            primary.extend(net.groups_of(at));
        }
    }
    for (all, mut groups) in [(&mut net.known_as, known), (&mut net.known_primary, primary)] {
        groups.sort_unstable();
        groups.dedup();
        if somebody {
            all.insert((vpc, ip), groups);
        } else {
            all.remove(&(vpc, ip));
        }
    }
}

/// The free addresses of a vSwitch after somebody has changed from one to another; `there` are the interfaces in it.
fn free(
    inv: &Inventory,
    net: &Network,
    facts: &Facts,
    (vswitch, before): (VswitchId, &IpSet),
    (old, new): (IpAddr, IpAddr),
    there: impl FnOnce() -> Vec<InterfaceId>,
) -> IpSet {
    let all = again::all_free(inv, net, vswitch);
    // Where nothing is free all of it stands for that.
    if *before != all && !facts.blocks() {
        let came = if all.contains(old) {
            IpSet::single(old)
        } else {
            IpSet::empty()
        };
        let free = before.union(&came).subtract(&IpSet::single(new));
        return if free.is_empty() { all } else { free };
    }
    again::free(inv, net, vswitch, there().into_iter())
}

/// The interface of a backend of which everything is known, services that are told apart included.
fn certain(net: &Network, f: &Forward) -> Option<InterfaceId> {
    let told = |s: &ServiceSet| net.atoms.touching(s) == net.atoms.inside(s);
    match (&f.to, &f.services, &f.preserves) {
        (Backend::Interface(i), Fact::Known(s), Fact::Known(_))
            if f.origin.maybe.is_none() && s.as_ref().is_none_or(told) =>
        {
            Some(*i)
        }
        _ => None,
    }
}

/// Somebody in a vSwitch has changed from one address to another: the balancers of `mine`, which are in it, may send from
/// other ones. What was free and what is; `None` where there is no such balancer.
pub(super) fn refree(
    inv: &Inventory,
    net: &mut Network,
    facts: &Facts,
    (vswitch, mine): (VswitchId, &[InterfaceId]),
    moved: (IpAddr, IpAddr),
    there: impl FnOnce() -> Vec<InterfaceId>,
) -> Option<(Arc<IpSet>, Arc<IpSet>)> {
    let before = net.iface(*mine.first()?)?.front.as_ref()?.back.clone();
    let free = Arc::new(free(inv, net, facts, (vswitch, &before), moved, there));
    for i in mine {
        let f = net.ifaces.get_mut(i.index()).and_then(Option::as_mut);
        if let Some(front) = f.and_then(|f| f.front.as_mut()) {
            front.back = free.clone();
        }
    }
    Some((before, free))
}
