//! All pairs through load balancers.
//!
//! Who reaches a front is known from the matrix; what the front hands on depends, as a rule, on nothing else, so
//! that a whole block of clients is carried over at once. Where it does (an ACL or a group sees the client's
//! address, or clients and backends are one block) the pairs are asked one by one, until nothing can be added.

use crate::domain::{Cell, Domain, distinct};
use crate::flow::Cuts;
use crate::matrix::Matrix;
use crate::network::{Match, Mode, Network, Relay, RelaySource};
use crate::point::relay::MAX_BALANCERS;
use crate::point::{Inside, Point};
use crate::reach::Reach;
use bartizan_model::InterfaceId;
use bartizan_packet::{AtomSet, IpSet};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

/// Gives every front a row and a column of its own behind those of the blocks; says to which block each belongs.
pub(crate) fn slots(net: &Network, blocks: usize, domains: &mut [Domain]) -> Vec<u32> {
    let mut out: Vec<u32> = (0u32..).take(blocks).collect();
    for c in domains.iter_mut().flat_map(|d| &mut d.cells) {
        if net.is_front(c.rep.iface) {
            c.slot = u32::try_from(out.len()).unwrap_or(u32::MAX);
            out.push(c.block);
        }
    }
    out
}

/// Whether what a relay hands on to a backend is the same for every client.
fn same_for_all(net: &Network, r: &Relay, d: &Cell) -> bool {
    let (between, lists, place) = match seen_by(net, r, d) {
        Some(x) => x,
        None => return false,
    };
    // Of clients of two families the one is seen by its address and the other is not.
    let mixed = r.source != RelaySource::Own && (r.ipv6 || net.has_ipv6(r.front));
    // A front whose address is not known is one front when widening, and has to be reached everywhere else.
    !mixed
        && (net.mode == Mode::Widen || place)
        && (r.source == RelaySource::Own || net.mode == Mode::Widen && !between && !lists)
}

/// Whether nothing but the ACL of a backend's vSwitch tells clients apart.
fn only_acl_sees(net: &Network, r: &Relay, d: &Cell) -> bool {
    let mixed = d.rep.ip.is_ipv6() || net.has_ipv6(r.front);
    net.mode == Mode::Widen && !mixed && seen_by(net, r, d).is_some_and(|(_, lists, _)| !lists)
}

/// What sees the client of a relay behind it: the ACL of the backend's vSwitch, and anything else; and whether the
/// front has one place.
fn seen_by(net: &Network, r: &Relay, d: &Cell) -> Option<(bool, bool, bool)> {
    let (Some(fi), Some(di)) = (net.iface(r.front), net.iface(d.rep.iface)) else {
        return None;
    };
    let front = fi.front.as_ref()?;
    let place = !fi.addrs.iter().any(|a| a.choice);
    let acl = |i: &crate::network::Iface| !i.no_acl() && net.vsw(i.vswitch).is_some_and(|v| v.acl.is_some());
    let between = (fi.vswitch != di.vswitch || fi.no_acl()) && acl(di);
    let lists = !front.exempt || di.front.is_some() || di.service.is_some();
    Some((between, lists || !net.straight(fi, front, di), place))
}

/// What a relay hands on to a cell, for every client or for those of each piece of the address space.
#[derive(PartialEq, Eq)]
pub(crate) enum Legs {
    /// The same for every client.
    Same(AtomSet),
    /// By the address of the client, which the ACL of the backend's vSwitch sees: the pieces, what passes from
    /// each, and what passes from all and from any of them.
    ByClient {
        cuts: Cuts,
        pieces: FxHashMap<u32, AtomSet>,
        all: AtomSet,
        any: AtomSet,
    },
    /// Only the point engine knows.
    Ask,
}

/// What everybody needs to know who hands on to whom.
pub(crate) struct Hands<'r> {
    reach: &'r Reach,
    by_slot: Vec<Vec<&'r Cell>>,
    /// The cells of fronts and backends.
    of: FxHashMap<InterfaceId, Vec<&'r Cell>>,
    /// Slots in which a front is a client.
    fronts: Vec<bool>,
    /// Slots with a cell of this interface alone.
    alone: FxHashMap<InterfaceId, Vec<u32>>,
}

/// A front at work. Relays of one front share its column.
pub(crate) struct Front {
    pub(crate) id: InterfaceId,
    /// Positions in `Network::relays`.
    pub(crate) relays: Vec<u32>,
    /// What was found out about a relay and a cell of its backend.
    legs: FxHashMap<(u32, u32), Legs>,
}

/// What one front adds to a matrix that others read meanwhile.
struct Gains<'m> {
    m: &'m Matrix,
    /// By entry: what is added, and whether the point engine was asked.
    sets: FxHashMap<(u32, u32), (AtomSet, bool)>,
}

impl Gains<'_> {
    fn has(&self, a: u32, b: u32, s: &AtomSet) -> bool {
        match self.sets.get(&(a, b)) {
            None => self.m.has(a, b, s),
            Some((own, _)) => {
                let there = self
                    .m
                    .there(a, b)
                    .unwrap_or(&[])
                    .iter()
                    .chain(std::iter::repeat(&0));
                let mut words = s.words().iter().zip(own.words()).zip(there);
                words.all(|((&x, &own), &there)| x & !own & !there == 0)
            }
        }
    }

    fn put(&mut self, a: u32, b: u32, s: &AtomSet, asked: bool) {
        match self.sets.entry((a, b)) {
            Entry::Occupied(mut e) => {
                e.get_mut().0.union_with(s);
                e.get_mut().1 |= asked;
            }
            Entry::Vacant(e) => {
                e.insert((s.clone(), asked));
            }
        }
    }

    fn add(&mut self, a: u32, b: u32, s: &AtomSet) {
        if !self.has(a, b, s) {
            self.put(a, b, s, false);
        }
    }

    /// As [`Gains::add`] for an answer of the point engine.
    fn add_asked(&mut self, a: u32, b: u32, s: &AtomSet) {
        self.put(a, b, s, true);
    }
}

/// How many fronts work on one state of the matrix: what they add is kept apart until all of them are done.
const AT_ONCE: usize = 64;

/// Adds to the matrix what fronts hand on.
pub(crate) fn hand_on(reach: &Reach, m: &mut Matrix) {
    let net = reach.network();
    if net.relays.is_empty() {
        return;
    }
    let h = Hands::new(reach);
    // What balancers send by themselves.
    for r in &net.relays {
        for v in h.of.get(&r.front).into_iter().flatten() {
            for d in h.targets(r) {
                if let Some((s, d)) = distinct(v, d) {
                    let f = net.sent_by_front(s, d, &[], &|_, f| f);
                    m.add(v.slot, of_slot(&h.of, d.iface, d.ip), &f.delivered);
                }
            }
        }
    }
    let mut fronts = fronts(net);
    for _ in 0..MAX_BALANCERS {
        let mut more = false;
        for some in fronts.chunks_mut(AT_ONCE) {
            let gains: Vec<_> = some.par_iter_mut().map(|f| h.front(m, f)).collect();
            for ((a, b), (set, asked)) in gains.into_iter().flatten() {
                more |= match asked {
                    true => m.add_asked(a, b, &set),
                    false => m.add(a, b, &set),
                };
            }
        }
        if !more {
            break;
        }
    }
}

/// All fronts, with what each of them hands on.
pub(crate) fn fronts(net: &Network) -> Vec<Front> {
    let mut by_front: BTreeMap<InterfaceId, Vec<u32>> = BTreeMap::new();
    for (n, r) in (0u32..).zip(&net.relays) {
        by_front.entry(r.front).or_default().push(n);
    }
    let all = by_front.into_iter().map(|(id, relays)| Front {
        id,
        relays,
        legs: FxHashMap::default(),
    });
    all.collect()
}

/// What a backend takes in of what a relay hands on to it from the balancer's own address.
pub(crate) fn taken_from(net: &Network, r: &Relay, d: Inside) -> AtomSet {
    let ask = crate::point::ReplyPort::Ephemeral;
    let sources = net.sources(r, d, None, &[]).into_iter();
    net.fold(sources.map(|src| net.leg(r, d, src, ask).delivered))
}

/// The slot of an address of a backend.
fn of_slot(of: &FxHashMap<InterfaceId, Vec<&Cell>>, i: InterfaceId, ip: std::net::IpAddr) -> u32 {
    let cells = of.get(&i).into_iter().flatten();
    let here = cells
        .clone()
        .find(|c| c.members.iter().any(|x| x.iface == i && x.ip == ip));
    here.or(cells.clone().next()).map_or(0, |c| c.slot)
}

impl<'r> Hands<'r> {
    pub(crate) fn new(reach: &'r Reach) -> Self {
        let net = reach.network();
        let slots = reach.slots();
        let mut h = Hands {
            reach,
            by_slot: vec![Vec::new(); slots.len()],
            of: FxHashMap::default(),
            fronts: vec![false; slots.len()],
            alone: FxHashMap::default(),
        };
        for c in reach.cells() {
            h.by_slot[c.slot as usize].push(c);
            h.fronts[c.slot as usize] |= net.is_front(c.rep.iface);
            let mut seen = Vec::new();
            for i in c.members.iter().map(|x| x.iface) {
                if !seen.contains(&i) && (net.behind.contains_key(&i) || net.is_front(i)) {
                    h.of.entry(i).or_default().push(c);
                    seen.push(i);
                }
            }
            if let Some(i) = c.only.filter(|i| net.behind.contains_key(i)) {
                h.alone.entry(i).or_default().push(c.slot);
            }
        }
        h
    }

    /// The cells that a relay hands on to.
    fn targets(&self, r: &Relay) -> Vec<&'r Cell> {
        let of = self.of.get(&r.to).into_iter().flatten().copied();
        of.filter(|c| c.members.iter().any(|x| r.reaches(*x))).collect()
    }

    /// Everything that one front hands on and that is new: by slots, with whether the point engine was asked.
    pub(crate) fn front(&self, m: &Matrix, front: &mut Front) -> FxHashMap<(u32, u32), (AtomSet, bool)> {
        let net = self.reach.network();
        let cells: Vec<u32> = self
            .of
            .get(&front.id)
            .into_iter()
            .flatten()
            .map(|c| c.slot)
            .collect();
        let mut clients: Vec<u32> = cells.iter().flat_map(|&v| m.senders(v)).collect();
        clients.sort_unstable();
        clients.dedup();
        let mut taken: FxHashMap<u32, Vec<Taken<'r>>> = FxHashMap::default();
        let mut gains = Gains {
            m,
            sets: FxHashMap::default(),
        };
        for n in &front.relays {
            let Some(r) = net.relays.get(*n as usize) else {
                continue;
            };
            let targets = self.targets(r);
            for &a in &clients {
                let mut all = net.common.none.clone();
                for w in cells.iter().filter_map(|&v| m.get(a, v)) {
                    all.union_with(&AtomSet::from_words(w));
                }
                let on = net.handed_on(r, &all);
                if on.is_empty() {
                    continue;
                }
                for (k, d) in (0u32..).zip(&targets) {
                    if !gains.has(a, d.slot, &on) {
                        let legs = front.legs.entry((*n, k)).or_insert_with(|| legs(net, r, d));
                        self.pass(&mut gains, (legs, r), a, d, &on, &mut taken);
                    }
                }
            }
        }
        gains.sets
    }

    /// What each cell of a slot gets to a front, when widening and no balancer stands before the front.
    fn taken(&self, front: InterfaceId, a: u32) -> Vec<Taken<'r>> {
        let net = self.reach.network();
        let fronts = self.of.get(&front).map_or(&[][..], |v| v);
        let one = |c: &&'r Cell| {
            let mut t = Taken {
                cell: c,
                privately: net.common.none.clone(),
                publicly: net.common.none.clone(),
            };
            for (s, f) in fronts.iter().filter_map(|f| distinct(c, f)) {
                let ask = crate::point::ReplyPort::Ephemeral;
                t.privately.union_with(&net.private_request(s, f));
                let h = net.hairpin(s, f, ask, &[], &|_, f| f, None);
                t.publicly.union_with(&h.delivered);
            }
            t
        };
        self.by_slot[a as usize].iter().map(one).collect()
    }

    /// One slot of clients and one cell of backends.
    fn pass(
        &self,
        m: &mut Gains<'_>,
        (legs, r): (&Legs, &Relay),
        a: u32,
        d: &Cell,
        on: &AtomSet,
        taken: &mut FxHashMap<u32, Vec<Taken<'r>>>,
    ) {
        let net = self.reach.network();
        // An interface is not its own peer, so it is told apart from the other clients.
        let itself = self.alone.get(&r.to).is_some_and(|v| v.contains(&a));
        let whole = a != d.slot && !itself && !self.fronts[a as usize];
        let most = match legs {
            Legs::Same(all) => {
                let most = all.intersect(on);
                if whole {
                    return m.add(a, d.slot, &most);
                }
                most
            }
            Legs::ByClient { all, any, .. } => {
                if whole {
                    m.add(a, d.slot, &all.intersect(on));
                }
                any.intersect(on)
            }
            Legs::Ask => on.clone(),
        };
        if m.has(a, d.slot, &most) {
            return;
        }
        let simple = net.mode == Mode::Widen
            && !net.has_inner()
            && !matches!(legs, Legs::Ask)
            && !self.fronts[a as usize]
            && !net.behind.contains_key(&r.front);
        if simple {
            let all = taken.entry(a).or_insert_with(|| self.taken(r.front, a));
            for t in all
                .iter()
                .filter(|t| !(t.privately.is_empty() && t.publicly.is_empty()))
            {
                let Some((s, _)) = distinct(t.cell, d) else {
                    continue;
                };
                m.add(a, d.slot, &legs.seen(s.ip, &net.handed_on(r, &t.privately)));
                if t.publicly.is_empty() {
                    continue;
                }
                let on = net.handed_on(r, &t.publicly);
                match legs {
                    Legs::Same(all) => m.add(a, d.slot, &all.intersect(&on)),
                    // Over the Internet a client is seen by another address than its own.
                    _ if m.has(a, d.slot, &most.intersect(&on)) => {}
                    _ => {
                        if let Some((s, to)) = distinct(t.cell, d) {
                            m.add_asked(
                                a,
                                d.slot,
                                &net.flow(Point::Inside(s), Point::Inside(to)).delivered,
                            );
                        }
                    }
                }
                if m.has(a, d.slot, &most) {
                    return;
                }
            }
        }
        let mut points: Vec<(Point, Option<&Cell>)> = Vec::new();
        if !simple {
            let by_slot = &self.by_slot[a as usize];
            points.extend(by_slot.iter().map(|c| (Point::Inside(c.rep), Some(*c))));
        }
        if a == self.reach.slots()[a as usize] {
            let outside = self.reach.outside_points(a, d.rep.iface);
            points.extend(outside.into_iter().map(|p| (p, None)));
        }
        for (s, c) in points {
            let (s, to) = match c {
                Some(c) => match distinct(c, d) {
                    Some((s, to)) => (Point::Inside(s), to),
                    None => continue,
                },
                None => (s, d.rep),
            };
            if !net.may_meet(s, Point::Inside(to)) {
                continue;
            }
            m.add_asked(a, d.slot, &net.flow(s, Point::Inside(to)).delivered);
            if m.has(a, d.slot, &most) {
                break;
            }
        }
    }
}

/// What a cell of clients gets to a front.
struct Taken<'r> {
    cell: &'r Cell,
    /// Seen by its own address.
    privately: AtomSet,
    /// Over the Internet.
    publicly: AtomSet,
}

impl Legs {
    /// What of a set goes on for a client that is seen by an address.
    pub(crate) fn seen(&self, ip: std::net::IpAddr, on: &AtomSet) -> AtomSet {
        match self {
            Legs::Same(all) => all.intersect(on),
            Legs::ByClient { cuts, pieces, .. } => match pieces.get(&cuts.piece(ip)) {
                Some(leg) => leg.intersect(on),
                None => AtomSet::from_words(&vec![0; on.words().len()]),
            },
            Legs::Ask => AtomSet::from_words(&vec![0; on.words().len()]),
        }
    }
}

/// The legs of a relay to a cell.
pub(crate) fn legs(net: &Network, r: &Relay, d: &Cell) -> Legs {
    let ask = crate::point::ReplyPort::Ephemeral;
    let mut to = d.rep;
    if let Some(x) = d.members.iter().find(|x| r.reaches(**x)) {
        to = *x;
    }
    let own = || {
        let sources = net.sources(r, to, None, &[]).into_iter();
        net.fold(sources.map(|src| net.leg(r, to, src, ask).delivered))
    };
    // Whose address it is makes no difference here.
    let seen = |ip| {
        let anybody = crate::point::PeerView::public(ip);
        net.leg(r, to, (anybody, true), ask).delivered
    };
    if same_for_all(net, r, d) {
        return Legs::Same(match r.source {
            RelaySource::Client => seen(std::net::Ipv4Addr::UNSPECIFIED.into()),
            _ => own(),
        });
    }
    if !only_acl_sees(net, r, d) {
        return Legs::Ask;
    }
    let mut cuts = Cuts::default();
    let acl = net.iface(d.rep.iface).and_then(|i| net.vsw(i.vswitch)?.acl);
    for rule in acl
        .and_then(|a| net.acls.get(a as usize))
        .into_iter()
        .flat_map(|a| a.ingress.rules.iter().chain(&a.egress.rules))
    {
        if let Match::Ips(s) = &rule.peer {
            cuts.add(s);
        }
    }
    cuts.finish();
    let mut pieces = FxHashMap::default();
    let (mut all, mut any) = (net.common.all.clone(), net.common.none.clone());
    for ip in crate::flow::representatives(&IpSet::all_v4(), &cuts) {
        let mut leg = seen(ip);
        if r.source == RelaySource::Either {
            leg.union_with(&own());
        }
        all.intersect_with(&leg);
        any.union_with(&leg);
        pieces.insert(cuts.piece(ip), leg);
    }
    Legs::ByClient {
        cuts,
        pieces,
        all,
        any,
    }
}
