//! What balancers hand on, front by front and block by block of clients (docs/decisions/019, 20 to 22).
//!
//! What a front hands on from a block follows from its column, that is, what each block sends to it, and from what its
//! backends take in. Where it depends on which cell of the block sends, the cells are looked at one by one.

use super::Live;
use super::far;
use super::index::Side;
use super::parts;
use super::touch::Keys;
use crate::domain::{Cell, Domain, distinct};
use crate::flow::Cuts;
use crate::network::{Match, Mode, Network, RelaySource, Rule};
use crate::point::{Inside, accepted};
use crate::reach::Reach;
use crate::relayed::{Legs, fronts, legs, taken_from};
use bartizan_model::{BalancerKind, InterfaceId, Inventory, VpcId, VswitchId};
use bartizan_packet::{AtomSet, IpSet};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A front.
pub(super) struct Front {
    /// Its cells and their slots.
    pub(super) cells: Vec<far::At>,
    slots: Vec<u32>,
    pub(super) block: u32,
    /// Positions in `Network::relays`, and the cells of the backend of each.
    relays: Vec<(u32, Behind)>,
    /// The blocks of its backends.
    pub(super) blocks: Vec<u32>,
    /// The ACLs behind it that see the client.
    acls: Vec<u32>,
}

/// The cells of a backend.
type Behind = Vec<far::At>;

/// What has changed at the backend of relays.
pub(super) enum At<'p> {
    /// What its lists say to some peers.
    Peers(&'p [(Side, Match)]),
    /// Its lists.
    Lists,
    /// Its address, which was the first of two.
    Address(IpAddr, IpAddr),
    /// How routes lead to it.
    Routes,
}

/// What a relay passes on to a cell.
struct Leg {
    /// For clients.
    legs: Legs,
    /// What the cell takes in from the address of the balancer.
    taken: AtomSet,
    /// What of that the front sends by itself.
    own: AtomSet,
}

/// A free address has become another one.
struct Moved {
    came: Vec<IpAddr>,
    gone: Vec<IpAddr>,
    /// Free addresses beside them that stay.
    near: Vec<IpAddr>,
    /// All that are free now.
    free: Arc<IpSet>,
}

/// Fronts, where none of them stands behind another and none needs the point engine.
pub(super) struct Fronts {
    pub(super) all: Vec<Front>,
    pub(super) by_slot: FxHashMap<u32, u32>,
    by_iface: FxHashMap<InterfaceId, u32>,
    legs: FxHashMap<(u32, u32), Leg>,
    /// Fronts and blocks of clients for which the point engine was asked.
    pub(super) asked: FxHashSet<(u32, u32)>,
    /// The fronts whose own address may be any that nobody in a vSwitch has.
    free_in: FxHashMap<VswitchId, Vec<InterfaceId>>,
    /// What ACLs tell apart.
    told: Cuts,
    /// The relays from a front in one VPC to a backend in another one, and the two VPCs. They are few, and looking
    /// through all relays for them would cost more than a change may.
    across: Vec<(u32, [Option<VpcId>; 2])>,
}

/// The VPCs of a relay's front and backend, if they are two.
fn across(net: &Network, n: u32) -> Option<(u32, [Option<VpcId>; 2])> {
    let r = net.relays.get(n as usize)?;
    let of = |i| net.iface(i).and_then(|f| net.vpc_of(f));
    let (front, back) = (of(r.front), of(r.to));
    (front != back).then_some((n, [front, back]))
}

/// The vSwitch of whose free addresses one is that of a balancer, as its backends see it.
pub(super) fn free_in(net: &Network, inv: &Inventory, i: InterfaceId) -> Option<VswitchId> {
    let f = net.iface(i)?;
    let b = inv.typed.balancers.get(f.front.as_ref()?.balancer.index())?;
    matches!(b.kind, BalancerKind::Alb | BalancerKind::Nlb).then_some(f.vswitch)
}

/// What a front hands on from one block: by block of its backends.
pub(super) type Row = FxHashMap<u32, AtomSet>;

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn leg(net: &Network, domains: &[Domain], n: u32, (j, t): far::At) -> Option<Leg> {
    let r = net.relays.get(n as usize)?;
    let cell = &domains[j].cells[t as usize];
    let taken = taken_from(net, r, cell.rep);
    Some(Leg {
        legs: legs(net, r, cell),
        own: taken.intersect(&net.handed_on(r, &r.listen)),
        taken,
    })
}

/// What ACLs tell apart.
fn acls(net: &Network) -> Cuts {
    let mut cuts = Cuts::default();
    let rules = net
        .acls
        .iter()
        .flat_map(|a| a.ingress.rules.iter().chain(&a.egress.rules));
    for r in rules {
        if let Match::Ips(s) = &r.peer {
            cuts.add(s);
        }
    }
    cuts.finish();
    cuts
}

impl Fronts {
    /// `None` where a change of one front may count at another, or where only the point engine knows.
    pub(super) fn new(inv: &Inventory, reach: &Reach) -> Option<Self> {
        let net = reach.network();
        let behind = |i: InterfaceId| {
            let f = net.iface(i);
            f.is_none_or(|f| f.front.is_some() || f.service.is_some() || f.site.is_some())
        };
        // What turns IPv6 into IPv4 shows some clients as themselves and others not.
        let turns = net.mixes || net.relays.iter().any(|r| r.ipv6);
        if net.relays.is_empty() || net.has_inner() || turns || net.relays.iter().any(|r| behind(r.to)) {
            return None;
        }
        let mut of: FxHashMap<InterfaceId, Vec<far::At>> = FxHashMap::default();
        for (k, d) in reach.domains.iter().enumerate() {
            for (c, cell) in (0u32..).zip(&d.cells) {
                of.entry(cell.rep.iface).or_default().push((k, c));
            }
        }
        let cell = |(k, c): &far::At| &reach.domains[*k].cells[*c as usize];
        let mut out = Fronts {
            all: Vec::new(),
            by_slot: FxHashMap::default(),
            by_iface: FxHashMap::default(),
            legs: FxHashMap::default(),
            asked: FxHashSet::default(),
            free_in: FxHashMap::default(),
            told: acls(net),
            across: Vec::new(),
        };
        for f in fronts(net) {
            let cells = of.get(&f.id).cloned().unwrap_or_default();
            let block = cells.first().map(|c| cell(c).block)?;
            let relays: Vec<(u32, Vec<far::At>)> = f
                .relays
                .iter()
                .filter_map(|n| {
                    let r = net.relays.get(*n as usize)?;
                    let all = of.get(&r.to)?.iter().copied();
                    Some((*n, all.filter(|c| r.reaches(cell(c).rep)).collect()))
                })
                .collect();
            let mut blocks: Vec<u32> = relays.iter().flat_map(|r| &r.1).map(|c| cell(c).block).collect();
            blocks.sort_unstable();
            blocks.dedup();
            let slots: Vec<u32> = cells.iter().map(|c| cell(c).slot).collect();
            let n = small(out.all.len());
            out.by_slot.extend(slots.iter().map(|s| (*s, n)));
            out.by_iface.insert(f.id, n);
            out.all.push(Front {
                cells,
                slots,
                block,
                relays,
                blocks,
                acls: Vec::new(),
            });
            if let Some(v) = free_in(net, inv, f.id) {
                out.free_in.entry(v).or_default().push(f.id);
            }
        }
        let wanted: Vec<(u32, u32, far::At)> = out
            .all
            .iter()
            .flat_map(|f| &f.relays)
            .flat_map(|(n, to)| (0u32..).zip(to).map(|(k, c)| (*n, k, *c)))
            .collect();
        let legs: Vec<_> = wanted
            .into_par_iter()
            .filter_map(|(n, k, c)| Some(((n, k), leg(net, &reach.domains, n, c)?)))
            .collect();
        out.legs = legs.into_iter().collect();
        let relays = out.all.iter().flat_map(|f| &f.relays);
        out.across = relays.filter_map(|r| across(net, r.0)).collect();
        for front in &mut out.all {
            let legs = &out.legs;
            let sees = |(n, k): &(u32, u32)| matches!(legs.get(&(*n, *k)), Some(l) if matches!(l.legs, Legs::ByClient { .. }));
            let acl = |c: &far::At| net.vsw(cell(c).vswitch).and_then(|v| v.acl);
            let behind = front
                .relays
                .iter()
                .flat_map(|(n, to)| (0u32..).zip(to).map(|(k, c)| ((*n, k), c)));
            let mut acls: Vec<u32> = behind
                .filter(|(k, _)| sees(k))
                .filter_map(|(_, c)| acl(c))
                .collect();
            acls.sort_unstable();
            acls.dedup();
            front.acls = acls;
        }
        let ask = |l: &Leg| matches!(l.legs, Legs::Ask);
        (!out.legs.values().any(ask)).then_some(out)
    }

    /// Whether some ACL may tell two addresses apart.
    fn may_tell(&self, x: IpAddr, y: IpAddr) -> bool {
        self.told.piece(x) != self.told.piece(y)
    }

    pub(super) fn of(&self, i: InterfaceId) -> Option<u32> {
        self.by_iface.get(&i).copied()
    }

    /// The relays of a front.
    pub(super) fn relays_of(&self, i: InterfaceId) -> Vec<u32> {
        let front = self.of(i).and_then(|f| self.all.get(f as usize));
        front.into_iter().flat_map(|f| &f.relays).map(|r| r.0).collect()
    }

    /// A front hands on to one more backend; `false` where that cannot be followed.
    pub(super) fn add(&mut self, reach: &Reach, i: InterfaceId, (n, to): (u32, &[far::At])) -> bool {
        let (net, domains) = (&reach.net, &reach.domains);
        let f = self.of(i);
        let Some(front) = f.and_then(|f| self.all.get_mut(f as usize)) else {
            return false;
        };
        for (k, &(j, t)) in (0u32..).zip(to) {
            let cell = &domains[j].cells[t as usize];
            let Some(leg) = leg(net, domains, n, (j, t)) else {
                return false;
            };
            match &leg.legs {
                Legs::Ask => return false,
                Legs::Same(_) => {}
                Legs::ByClient { .. } => front.acls.extend(net.vsw(cell.vswitch).and_then(|v| v.acl)),
            }
            if !front.blocks.contains(&cell.block) {
                front.blocks.push(cell.block);
            }
            self.legs.insert((n, k), leg);
        }
        front.relays.push((n, to.to_vec()));
        self.across.extend(across(net, n));
        true
    }

    /// A front hands on to one backend less. The blocks that it hands on to are looked at as before.
    pub(super) fn remove(&mut self, i: InterfaceId, n: u32) {
        self.across.retain(|r| r.0 != n);
        let f = self.of(i);
        if let Some(front) = f.and_then(|f| self.all.get_mut(f as usize)) {
            for (_, to) in front.relays.extract_if(.., |r| r.0 == n) {
                for k in 0..small(to.len()) {
                    self.legs.remove(&(n, k));
                }
            }
        }
    }

    /// What a front sends by itself.
    pub(super) fn sends(&self, net: &Network, domains: &[Domain], f: u32) -> Row {
        let mut out = Row::default();
        for (n, to) in &self.all[f as usize].relays {
            for (k, (j, t)) in (0u32..).zip(to) {
                if let Some(leg) = self.legs.get(&(*n, k)) {
                    let block = domains[*j].cells[*t as usize].block;
                    let all = out.entry(block).or_insert_with(|| net.common.none.clone());
                    all.union_with(&leg.own);
                }
            }
        }
        out
    }

    /// What a front hands on of what a block sends to it. `column` is that, `publicly` says whether something of it may
    /// have come over the Internet, and `private` is what one cell of the block sends.
    fn row(
        &self,
        net: &Network,
        domains: &[Domain],
        (f, a): (u32, u32),
        (column, publicly): (&AtomSet, bool),
        cells: &dyn Fn() -> Vec<(far::At, AtomSet)>,
    ) -> Option<Row> {
        let mut out = Row::default();
        let mut senders: Option<Vec<(far::At, AtomSet)>> = None;
        let cell = |(k, c): far::At| -> &Cell { &domains[k].cells[c as usize] };
        for (n, to) in &self.all[f as usize].relays {
            let r = net.relays.get(*n as usize)?;
            let on = net.handed_on(r, column);
            if on.is_empty() {
                continue;
            }
            // An interface is not its own peer, so it is told apart from the other clients.
            let itself = to.iter().any(|c| cell(*c).slot == a);
            for (k, c) in (0u32..).zip(to) {
                let d = cell(*c);
                let legs = &self.legs.get(&(*n, k))?.legs;
                let sum = out.entry(d.block).or_insert_with(|| net.common.none.clone());
                let whole = !itself && a != d.slot;
                let most = match legs {
                    Legs::Same(all) if whole => {
                        sum.union_with(&all.intersect(&on));
                        continue;
                    }
                    Legs::Same(all) => all.intersect(&on),
                    Legs::ByClient { all, any, .. } => {
                        if whole {
                            sum.union_with(&all.intersect(&on));
                        }
                        any.intersect(&on)
                    }
                    Legs::Ask => return None,
                };
                if most.is_subset(sum) {
                    continue;
                }
                if net.mode != Mode::Widen || publicly {
                    return None;
                }
                for (s, sent) in senders.get_or_insert_with(cells) {
                    let Some((s, _)) = distinct(cell(*s), d) else {
                        continue;
                    };
                    sum.union_with(&legs.seen(s.ip, &net.handed_on(r, sent)));
                    if most.is_subset(sum) {
                        break;
                    }
                }
            }
        }
        Some(out)
    }
}

impl Live {
    /// What a front hands on from a block; `None` where only the point engine knows.
    pub(super) fn handed(&self, fronts: &Fronts, f: u32, a: u32) -> Option<Row> {
        let net = &self.reach.net;
        let front = &fronts.all[f as usize];
        let w = net.atoms.words();
        let mut words = vec![0u64; w];
        let mut publicly = false;
        for slot in &front.slots {
            if let Some(rest) = self.rest_fronts.get(&(a, *slot)) {
                publicly = true;
                words.iter_mut().zip(&**rest).for_each(|(o, &x)| *o |= x);
            }
            self.ledger.sum((a, *slot), &mut words);
        }
        let column = AtomSet::from_words(&words);
        if column.is_empty() {
            return Some(Row::default());
        }
        let cells = || {
            let mut out = Vec::new();
            let mut x = far::Scratch::default();
            let mut tmp = vec![0u64; w];
            for (i, kept) in self.kept.iter().enumerate() {
                for &s in kept.by_block.get(&a).into_iter().flatten() {
                    let mut sum = vec![0u64; w];
                    for to in &front.cells {
                        if self.cell_pair(((i, s), *to), &mut x, None, &mut tmp) {
                            sum.iter_mut().zip(&tmp).for_each(|(o, &x)| *o |= x);
                        }
                    }
                    if sum.iter().any(|&x| x != 0) {
                        out.push(((i, s), AtomSet::from_words(&sum)));
                    }
                }
            }
            out
        };
        fronts.row(net, &self.reach.domains, (f, a), (&column, publicly), &cells)
    }

    /// Something has changed at the backend of some relays: whether that makes a difference to what is handed on to it.
    pub(super) fn relegged(&mut self, i: InterfaceId, what: &At<'_>, keys: &mut Keys) {
        let Some(behind) = self.reach.net.behind.get(&i).cloned() else {
            return;
        };
        for n in behind {
            let net = &self.reach.net;
            let Some(r) = net.relays.get(n as usize) else {
                continue;
            };
            let Some(front) = net.iface(r.front).and_then(|f| f.front.as_ref()) else {
                continue;
            };
            let groups = net.member_of(Inside {
                iface: r.front,
                addr: 0,
                ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            });
            let sees = |m: &Match| match m {
                Match::Any => true,
                Match::Ips(s) => s.intersects(&front.back),
                Match::Group(g) | Match::Member(g) | Match::Primary(g) => groups.contains(g),
            };
            let touched = match what {
                At::Peers(peers) => !front.exempt && peers.iter().any(|(_, m)| sees(m)),
                At::Lists => !front.exempt,
                // In one VPC nothing but the ACL of the front's vSwitch looks at it.
                At::Address(x, y) => {
                    let of = |i| net.iface(i).and_then(|f| net.vsw(f.vswitch));
                    let (near, there) = (of(r.front), of(i));
                    let one_vpc = near.map(|v| v.vpc) == there.map(|v| v.vpc);
                    let acl = near.and_then(|v| v.acl);
                    !one_vpc || acl.is_some_and(|a| self.acl_tells(a, *x, *y))
                }
                At::Routes => true,
            };
            if touched {
                self.releg(n, (|_| true, None), keys);
            }
        }
    }

    /// Routes between VPCs have changed, those of `vpc` alone if that is said: what is handed on by them.
    pub(super) fn relegged_across(&mut self, vpc: Option<VpcId>, keys: &mut Keys) {
        let of = self.fronts.iter().flat_map(|f| &f.across);
        let here = of.filter(|(_, ends)| vpc.is_none() || ends.contains(&vpc));
        let relays: Vec<u32> = here.map(|r| r.0).collect();
        for n in relays {
            self.releg(n, (|_| true, None), keys);
        }
    }

    /// Finds out again what a relay hands on to the cells of its backend that are wanted.
    fn releg(
        &mut self,
        n: u32,
        (wanted, moved): (impl Fn(far::At) -> bool, Option<&Moved>),
        keys: &mut Keys,
    ) {
        let net = &self.reach.net;
        let Some(fronts) = &self.fronts else { return };
        let of = net
            .relays
            .get(n as usize)
            .and_then(|r| fronts.by_iface.get(&r.front));
        let Some(front) = of.and_then(|f| fronts.all.get(*f as usize)) else {
            return;
        };
        let to = front.relays.iter().find(|x| x.0 == n);
        let mut found: Vec<((u32, u32), Leg)> = Vec::new();
        for (k, &(j, t)) in (0u32..).zip(to.into_iter().flat_map(|x| &x.1)) {
            if !wanted((j, t)) {
                continue;
            }
            let quick = moved.and_then(|m| self.refreed_leg((n, k), (j, t), m));
            let Some(new) = quick.or_else(|| leg(net, &self.reach.domains, n, (j, t))) else {
                continue;
            };
            // Its replies may be others, too.
            keys.blocks.insert(self.reach.domains[j].cells[t as usize].block);
            let old = fronts.legs.get(&(n, k));
            let slot = front.slots.first().copied().unwrap_or(0);
            if old.is_none_or(|o| o.own != new.own) {
                keys.sends.insert(slot);
            }
            if old.is_none_or(|o| o.legs != new.legs) {
                for a in 0..small(self.reach.blocks) {
                    let sent = |s: &u32| self.rest_fronts.contains_key(&(a, *s)) || self.ledger.any((a, *s));
                    if front.slots.iter().any(sent) {
                        keys.hands.insert((slot, a));
                    }
                }
            }
            found.push(((n, k), new));
        }
        if let Some(fronts) = &mut self.fronts {
            fronts.legs.extend(found);
        }
    }

    /// The leg of a relay to a cell of its backend after a free address has become another one (`moved`), where that is
    /// known without asking for every free address again.
    fn refreed_leg(&self, (n, k): (u32, u32), (j, t): far::At, moved: &Moved) -> Option<Leg> {
        let net = &self.reach.net;
        let r = net.relays.get(n as usize)?;
        let old = self.fronts.as_ref()?.legs.get(&(n, k))?;
        let d = self.reach.domains[j].cells[t as usize].rep;
        let (fi, (di, _)) = (net.iface(r.front)?, net.addr_of(d)?);
        let one_vpc = net.vpc_of(fi) == net.vpc_of(di);
        let same = matches!(old.legs, Legs::Same(_));
        if net.mode != Mode::Widen || !one_vpc || !same {
            return None;
        }
        let ask = crate::point::ReplyPort::Ephemeral;
        let from = |ip| net.leg(r, d, (net.own_view(r, ip), false), ask).delivered;
        // By which of all free addresses it sends is not known: what one adds counts, and what one took along is lost
        // where no other one has it.
        let mut taken = old.taken.clone();
        for x in &moved.came {
            taken.union_with(&from(*x));
        }
        for x in &moved.gone {
            let mut lost = from(*x);
            for y in &moved.near {
                lost.subtract_with(&from(*y));
            }
            if lost.is_empty() {
                continue;
            }
            taken.subtract_with(&lost);
            let mut cuts = Cuts::default();
            let of = |v| net.vsw(v)?.acl.and_then(|a| net.acls.get(a as usize));
            let acls = [fi.vswitch, di.vswitch].into_iter().filter_map(of);
            let group = net.group_sets.get(di.groups as usize).into_iter();
            let lists = acls.map(|a| [&a.ingress, &a.egress]);
            let lists = lists.chain(group.map(|g| [&g.ingress, &g.egress]));
            // Rules about nothing that is lost tell nothing apart that counts here.
            let rules = lists.flatten().flat_map(|l| &l.rules);
            for rule in rules.filter(|r| r.atoms.intersects(&lost)) {
                if let Match::Ips(s) = &rule.peer {
                    cuts.add(s);
                }
            }
            cuts.finish();
            for y in crate::flow::representatives(&moved.free, &cuts) {
                let more = from(y).intersect(&lost);
                taken.union_with(&more);
                lost.subtract_with(&more);
                if lost.is_empty() {
                    break;
                }
            }
        }
        let legs = match &old.legs {
            Legs::Same(all) if r.source == RelaySource::Client => all.clone(),
            _ => taken.clone(),
        };
        Some(Leg {
            legs: Legs::Same(legs),
            own: taken.intersect(&net.handed_on(r, &r.listen)),
            taken,
        })
    }

    /// What a front hands on has to be found again for everybody who sends something to it.
    pub(super) fn everybody(&self, front: &Front, keys: &mut Keys) {
        let slot = front.slots.first().copied().unwrap_or(0);
        keys.sends.insert(slot);
        for a in 0..small(self.reach.blocks) {
            let sent = |s: &u32| self.rest_fronts.contains_key(&(a, *s)) || self.ledger.any((a, *s));
            if front.slots.iter().any(sent) {
                keys.hands.insert((slot, a));
            }
        }
    }

    /// An address of a client was another one before: fronts that pass it on, where the two are told apart.
    pub(super) fn reseen(&self, (a, old, new): (u32, IpAddr, IpAddr), keys: &mut Keys) {
        let Some(fronts) = self.fronts.as_ref().filter(|f| f.may_tell(old, new)) else {
            return;
        };
        for front in &fronts.all {
            if front.acls.iter().any(|x| self.acl_tells(*x, old, new)) {
                keys.hands.extend(front.slots.first().map(|s| (*s, a)));
            }
        }
    }

    /// Whether an ACL tells two addresses apart.
    fn acl_tells(&self, acl: u32, x: IpAddr, y: IpAddr) -> bool {
        let tells = |r: &Rule| matches!(&r.peer, Match::Ips(s) if s.contains(x) != s.contains(y));
        let acl = self.reach.net.acls.get(acl as usize);
        acl.is_none_or(|a| a.ingress.rules.iter().chain(&a.egress.rules).any(tells))
    }

    /// An address of a vSwitch is free and another one is no longer: where balancers of it may send from.
    pub(super) fn refreed(
        &mut self,
        k: usize,
        vswitch: VswitchId,
        (old, new): (IpAddr, IpAddr),
        keys: &mut Keys,
    ) {
        let Some(mine) = self.fronts.as_ref().and_then(|f| f.free_in.get(&vswitch)) else {
            return;
        };
        let there = || {
            let cells = &self.reach.domains[k].cells;
            let local = cells.iter().find(|c| c.vswitch == vswitch).map_or(0, |c| c.vsw);
            let there = self.kept[k].in_vswitch(local as usize).iter();
            there.map(|c| cells[*c as usize].rep.iface).collect()
        };
        let at = (vswitch, mine.as_slice());
        let moved = parts::refree(&self.inv, &mut self.reach.net, &self.facts, at, (old, new), there);
        let Some((before, free)) = moved else {
            return;
        };
        // Where another free address is treated as the one that came, and another one as the one that went, nothing has
        // changed.
        let both = free.intersect(&before);
        let both = both.subtract(&IpSet::single(old)).subtract(&IpSet::single(new));
        let changed = [old, new]
            .into_iter()
            .filter(|x| free.contains(*x) != before.contains(*x));
        let like: Vec<(IpAddr, Option<IpAddr>)> = changed.map(|x| (x, nearest(&both, x))).collect();
        let wanted = self.told_from(vswitch, &like);
        let (came, gone) = like.iter().map(|x| x.0).partition(|x| free.contains(*x));
        let moved = Moved {
            came,
            gone,
            near: like.iter().filter_map(|x| x.1).collect(),
            free,
        };
        for (n, cells) in wanted {
            self.releg(n, (|at| cells.contains(&at), Some(&moved)), keys);
        }
    }

    /// The relays of a vSwitch's balancers, and cells behind them, that tell an address from the one beside it.
    fn told_from(&self, vswitch: VswitchId, like: &[(IpAddr, Option<IpAddr>)]) -> Vec<(u32, Vec<far::At>)> {
        let net = &self.reach.net;
        let Some(fronts) = &self.fronts else {
            return Vec::new();
        };
        let may = like.iter().any(|(x, y)| y.is_none_or(|y| fronts.may_tell(*x, y)));
        let acl = |v: VswitchId| -> bool {
            let Some(acl) = net.vsw(v).and_then(|v| v.acl).filter(|_| may) else {
                return false;
            };
            like.iter()
                .any(|(x, y)| y.is_none_or(|y| self.acl_tells(acl, *x, y)))
        };
        let here = acl(vswitch);
        // Lists of each VPC that may tell them apart; most do not.
        let mut lists: Vec<(usize, FxHashSet<u32>)> = Vec::new();
        let mut may_list = |(j, gs): (usize, u32)| -> bool {
            if like.iter().any(|l| l.1.is_none()) {
                return true;
            }
            let known = lists.iter().position(|x| x.0 == j);
            let at = known.unwrap_or_else(|| {
                let pairs = like.iter().filter_map(|(x, y)| Some((*x, (*y)?)));
                let all = pairs.flat_map(|(x, y)| self.kept[j].telling(x, y));
                lists.push((j, all.map(|l| l.0).collect()));
                lists.len() - 1
            });
            lists[at].1.contains(&gs)
        };
        let mut out = Vec::new();
        let mine = fronts.free_in.get(&vswitch).into_iter().flatten();
        for front in mine.filter_map(|i| fronts.all.get(fronts.of(*i)? as usize)) {
            for (n, to) in &front.relays {
                let Some(r) = net.relays.get(*n as usize) else {
                    continue;
                };
                let f = net.iface(r.front).and_then(|f| f.front.as_ref());
                let exempt = f.is_some_and(|f| f.exempt);
                let differs = |c: &Cell| {
                    let lists = net.group_sets.get(c.set as usize);
                    lists.is_none_or(|l| {
                        let told = |(x, like): &(IpAddr, Option<IpAddr>)| {
                            like.is_none_or(|like| {
                                let both = [*x, like].map(|ip| net.own_view(r, ip));
                                let tells = |l| {
                                    let [a, b] = both.map(|v| accepted(net, l, v));
                                    a != b
                                };
                                tells(&l.ingress) || l.stateless && tells(&l.egress)
                            })
                        };
                        like.iter().any(told)
                    })
                };
                let mut cells = Vec::new();
                for &(j, t) in to {
                    let c = &self.reach.domains[j].cells[t as usize];
                    let by_lists = !exempt && may_list((j, c.gs)) && differs(c);
                    if here || by_lists || acl(c.vswitch) {
                        cells.push((j, t));
                    }
                }
                if !cells.is_empty() {
                    out.push((*n, cells));
                }
            }
        }
        out
    }
}

/// An address of a set near another one.
fn nearest(all: &IpSet, ip: IpAddr) -> Option<IpAddr> {
    let IpAddr::V4(x) = ip else { return all.first() };
    let x = u32::from(x);
    let near = |&(l, h): &(u32, u32)| x.clamp(l, h);
    let at = all.v4.ranges().iter().map(near).min_by_key(|y| y.abs_diff(x));
    at.map(|a| IpAddr::V4(a.into()))
}
