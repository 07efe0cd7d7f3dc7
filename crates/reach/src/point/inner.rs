//! Through VPC NAT gateways (docs/decisions/020, where the items are numbered).
//!
//! A way is cut at its gateways. Each part is walked as a packet of its own by the functions that know routes,
//! appliances, routers and links; here they are put together, and the reply goes back part by part.

use super::trails::Passed;
use super::{Branch, Crossed, End, Inside, Moving, Own, PeerView, Place, ReplyPort, Trail};
use crate::domain::{Domain, distinct};
use crate::flow::{Cuts, Flow, Then, Way, representatives};
use crate::network::{Addr, DnatIn, Hop, Iface, Inner, Match, Network, RouteRef};
use bartizan_model::{InterfaceId, NatId, VpcId, VswitchId};
use bartizan_packet::{AtomSet, IpSet};
use rayon::prelude::*;
use std::net::IpAddr;
use std::sync::Arc;

/// What a packet has to do with VPC NAT gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Aim {
    /// Nothing: where it meets one it drops.
    #[default]
    No,
    /// It is for an interface, and any may translate it.
    Through,
    /// It is for a NAT IP of this one, and any may translate it before.
    Door(NatId),
    /// A reply to a NAT IP of this one.
    Back(NatId),
    /// A reply that has to meet this one by its route.
    Met(NatId),
}

impl Aim {
    /// Whether a gateway that a route leads to takes the packet in.
    pub(crate) fn takes(self, n: NatId) -> bool {
        match self {
            Aim::No => false,
            Aim::Through | Aim::Door(_) => true,
            Aim::Back(m) | Aim::Met(m) => m == n,
        }
    }

    /// The gateway whose NAT IP is the destination.
    pub(crate) fn by_address(self) -> Option<NatId> {
        match self {
            Aim::Door(n) | Aim::Back(n) => Some(n),
            Aim::No | Aim::Through | Aim::Met(_) => None,
        }
    }
}

/// The interface that a packet for a gateway is meant for: none.
pub(crate) const NOBODY: InterfaceId = InterfaceId(u32::MAX);

/// The VPC in which a NAT IP is a member of a group: none.
const NO_VPC: VpcId = VpcId(u32::MAX);

/// What one gateway did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The gateway.
    pub(crate) nat: NatId,
    /// For SNAT, the position of its entry; `None` for DNAT.
    pub(crate) snat: Option<usize>,
    /// The NAT IP.
    pub(crate) ip: IpAddr,
}

/// A way through VPC NAT gateways.
#[derive(Clone, Debug)]
pub(crate) struct Journey {
    /// The gateways, in order.
    pub(crate) turns: Vec<Turn>,
    /// The DNAT entry that leads to the destination: position in `Addr::inner`.
    pub(crate) door: Option<usize>,
    /// The address that the client sends to.
    pub(crate) to: IpAddr,
    /// The address that the destination sees.
    pub(crate) seen: IpAddr,
    /// Custom routes that it uses first in each part.
    pub(crate) routes: Vec<RouteRef>,
    /// Appliances that it passes.
    pub(crate) appliances: Vec<InterfaceId>,
    /// What it crosses in each part.
    pub(crate) crossed: Vec<Crossed>,
    /// What the reply passes by, part by part: the trails between two gateways.
    pub(crate) back: Vec<Vec<Passed>>,
}

/// A part of a way that has been walked, up to a gateway.
struct Part<'a> {
    branch: Branch,
    turn: Turn,
    src: PeerView<'a>,
    dst: PeerView<'a>,
}

/// What is asked for.
struct Errand<'e, 't> {
    s: Inside,
    d: Inside,
    ask: ReplyPort,
    door: Option<usize>,
    to: IpAddr,
    then: &'e Then<'t>,
}

/// A packet as it leaves its sender or a gateway.
#[derive(Clone, Copy)]
struct Out<'a> {
    src: PeerView<'a>,
    dst: PeerView<'a>,
    /// The vSwitch that its source belongs to (item 5).
    of: Option<VswitchId>,
    aim: Aim,
}

/// A NAT IP as filters see it: a member of nothing, compared by address elsewhere.
pub(crate) fn nat_view(ip: IpAddr) -> PeerView<'static> {
    PeerView {
        home: Some(NO_VPC),
        private: true,
        ..PeerView::public(ip)
    }
}

impl Network {
    /// Whether any VPC NAT gateway is there.
    pub(crate) fn has_inner(&self) -> bool {
        self.nats.iter().any(|n| n.inner.is_some())
    }

    pub(crate) fn inner_of(&self, n: NatId) -> Option<&Inner> {
        self.nats.get(n.index()).and_then(|n| n.inner.as_ref())
    }

    /// The interface of one end and the address of the other, where VPC NAT gateways may lie between the two.
    pub(crate) fn ends_of_inner(&self, s: Inside, d: Inside) -> Option<(&Iface, &Addr)> {
        let ((si, _), (di, da)) = (self.addr_of(s)?, self.addr_of(d)?);
        let may = self.has_inner()
            && s.ip.is_ipv4()
            && d.ip.is_ipv4()
            && s.iface != d.iface
            && !si.apart
            && !di.apart
            && self.meet(si, di);
        may.then_some((si, da))
    }

    /// What anything in the network tells apart.
    pub(crate) fn inner_cuts(&self) -> Arc<Cuts> {
        let all = self.inner_cuts.get_or_init(|| {
            let mut c = Cuts::default();
            let sets = self.group_sets.iter().flat_map(|g| [&g.ingress, &g.egress]);
            let acls = self.acls.iter().flat_map(|a| [&a.ingress, &a.egress]);
            for r in sets.chain(acls).flat_map(|l| &l.rules) {
                if let Match::Ips(s) = &r.peer {
                    c.add(s);
                }
            }
            self.tables
                .iter()
                .flat_map(|t| &t.routes)
                .for_each(|r| c.add(&r.ips));
            self.transit.tables.iter().flatten().for_each(|w| c.add(&w.ips));
            self.hybrid.each_set(|s| c.add(s));
            for n in &self.nats {
                n.snat.iter().for_each(|s| c.add(&s.sources));
                if let Some(i) = &n.inner {
                    [&i.held, &i.known, &i.zone_block]
                        .into_iter()
                        .for_each(|s| c.add(s));
                }
            }
            self.known_as
                .keys()
                .for_each(|(_, ip)| c.add(&IpSet::single(*ip)));
            self.blocks_known_as.iter().for_each(|(_, s, _)| c.add(s));
            self.perimeter.cut(&mut c);
            c.finish();
            Arc::new(c)
        });
        all.clone()
    }

    /// The addresses of a set that something tells apart.
    pub(crate) fn each_nat_ip(&self, ips: &IpSet) -> Vec<IpAddr> {
        match ips.first() {
            Some(ip) if *ips == IpSet::single(ip) => vec![ip],
            _ => representatives(ips, &self.inner_cuts()),
        }
    }

    /// Item 3: a packet comes to a gateway by a route.
    pub(super) fn to_inner(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        at: Place<'_>,
        n: NatId,
        out: &mut Vec<Branch>,
    ) {
        let Some(x) = self.inner_of(n) else {
            return self.dropped(t, out);
        };
        if self.vpc_at(at) != Some(x.vpc) || !m.dst.ip.is_ipv4() {
            return self.dropped(t, out);
        }
        let same = match at {
            Place::Iface(i) => i.vswitch == x.zone,
            Place::Router(_, z) => z == Some(x.zone),
        };
        if !same {
            t.atoms.intersect_with(&self.acl_out(at, m.dst.ip));
            // A-TR-2.
            if let Some(v) = self.vsw(x.zone).filter(|_| self.says.zone_acls) {
                self.acl_in(&mut t, v, m);
            }
        }
        if t.atoms.is_empty() {
            return self.dropped(t, out);
        }
        let atoms = t.atoms.clone();
        self.end(t, End::Inner(n), atoms, out);
    }

    /// Item 2: a local route delivers to a NAT IP.
    pub(super) fn local_inner(&self, m: Moving<'_>, t: Trail, at: Place<'_>, out: &mut Vec<Branch>) {
        match t.aim.by_address() {
            Some(n) => self.to_inner(m, t, at, n, out),
            None => self.dropped(t, out),
        }
    }

    /// Item 2: a peering delivers to a NAT IP that its VPC knows.
    pub(super) fn peered_inner(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        at: Place<'_>,
        far: VpcId,
        out: &mut Vec<Branch>,
    ) {
        t.atoms.intersect_with(&self.acl_out(at, m.dst.ip));
        let to = t.aim.by_address();
        let there = |n: &NatId| {
            self.inner_of(*n)
                .is_some_and(|x| x.vpc == far && x.known.contains(m.dst.ip))
        };
        match to.filter(there) {
            Some(n) => self.to_inner(m, t, Place::Router(far, None), n, out),
            None => self.dropped(t, out),
        }
    }

    /// Item 7: a packet goes on from a gateway.
    fn on_from_inner(&self, m: Moving<'_>, t: &Trail, n: NatId) -> Vec<Branch> {
        let mut out = Vec::new();
        match self.inner_of(n) {
            Some(x) => {
                let tables = self.tables_of(x.vpc, Some(x.zone));
                let at = Place::Router(x.vpc, Some(x.zone));
                self.forward(m, t, at, Own::No, &tables, &mut out);
            }
            None => self.dropped(t.clone(), &mut out),
        }
        out
    }

    /// Everything that travels from `s` to `d` through VPC NAT gateways (item 13).
    pub(crate) fn inner_flow(
        &self,
        s: Inside,
        d: Inside,
        ask: ReplyPort,
        then: &Then<'_>,
        mut ways: Option<&mut Vec<(Way, Flow)>>,
    ) -> Flow {
        let mut total = self.nothing();
        let Some((si, da)) = self.ends_of_inner(s, d) else {
            return total;
        };
        let direct = (!self.one_end(s, d)).then_some(None);
        // Item 14: different doors, any of which counts.
        let doors = DnatIn::leading(&da.inner, d.ip);
        for door in direct.into_iter().chain(doors.map(Some)) {
            let (places, aim) = match door {
                None => (vec![d.ip], Aim::Through),
                Some(k) => (self.each_nat_ip(&da.inner[k].ips), Aim::Door(da.inner[k].nat)),
            };
            let mut per_place = Vec::new();
            for to in places {
                let e = Errand {
                    s,
                    d,
                    ask,
                    door,
                    to,
                    then,
                };
                let first = Out {
                    src: self.private_view(s),
                    dst: if door.is_none() {
                        self.private_view(d)
                    } else {
                        nat_view(to)
                    },
                    of: Some(si.vswitch),
                    aim,
                };
                let mut leaves = Vec::new();
                let all = self.common.all.clone();
                self.onward(&e, first, all, &mut Vec::new(), &mut leaves, ways.as_deref_mut());
                per_place.push(self.fold_flows(leaves));
            }
            let f = self.fold_flows(per_place);
            total.delivered.union_with(&f.delivered);
            total.works.union_with(&f.works);
        }
        total
    }

    fn fold_flows(&self, all: Vec<Flow>) -> Flow {
        Flow {
            delivered: self.fold(all.iter().map(|f| f.delivered.clone())),
            works: self.fold(all.into_iter().map(|f| f.works)),
        }
    }

    /// One part of a way, and what comes behind it.
    fn onward<'a>(
        &'a self,
        e: &Errand<'_, '_>,
        p: Out<'a>,
        atoms: AtomSet,
        parts: &mut Vec<Part<'a>>,
        leaves: &mut Vec<Flow>,
        mut ways: Option<&mut Vec<(Way, Flow)>>,
    ) {
        let m = Moving {
            src: p.src,
            dst: p.dst,
            sessions: &[],
            goal: Some(if p.aim == Aim::Through { e.d.iface } else { NOBODY }),
            sender: None,
            translate: false,
            exempt: None,
            ask: Some(e.ask),
        };
        let mut t = Trail {
            atoms,
            aim: p.aim,
            ..self.start(e.s)
        };
        let mut branches = Vec::new();
        match parts.last() {
            None => {
                if let Some(si) = self.iface(e.s.iface) {
                    self.leave(m, t, si, true, &mut branches);
                }
            }
            Some(last) => {
                t.visited.clear();
                t.senders = 0;
                branches = self.on_from_inner(m, &t, last.turn.nat);
            }
        }
        for b in branches {
            let before = leaves.len();
            match b.end {
                _ if b.atoms.is_empty() => {}
                End::Arrived if !parts.is_empty() => {
                    let mut back = ways.is_some().then(Vec::new);
                    let works = self
                        .inner_back(e, p.src, &b, parts, back.as_mut())
                        .intersect(&b.atoms);
                    let delivered = b.atoms.clone();
                    let f = (e.then)(p.src, Flow { delivered, works });
                    if let Some(w) = ways.as_deref_mut()
                        && !f.delivered.is_empty()
                    {
                        let back = back.unwrap_or_default();
                        w.push((
                            Way::Inner(Box::new(Self::journey(e, p, &b, parts, back))),
                            f.clone(),
                        ));
                    }
                    leaves.push(f);
                }
                End::Inner(n) => self.at_inner(e, p, b, n, parts, leaves, ways.as_deref_mut()),
                _ => {}
            }
            if leaves.len() == before {
                leaves.push(self.nothing());
            }
        }
    }

    /// Items 4, 5, 6: what a gateway does with a packet.
    #[expect(clippy::too_many_arguments, reason = "one step of `onward`")]
    fn at_inner<'a>(
        &'a self,
        e: &Errand<'_, '_>,
        p: Out<'a>,
        b: Branch,
        n: NatId,
        parts: &mut Vec<Part<'a>>,
        leaves: &mut Vec<Flow>,
        mut ways: Option<&mut Vec<(Way, Flow)>>,
    ) {
        let Some((nat, x)) = self
            .nats
            .get(n.index())
            .and_then(|n| Some((n, n.inner.as_ref()?)))
        else {
            return;
        };
        if parts.iter().any(|x| x.turn.nat == n) {
            return;
        }
        let mut go = |turn: Turn, next: Out<'a>, atoms: AtomSet| {
            parts.push(Part {
                branch: b.clone(),
                turn,
                src: p.src,
                dst: p.dst,
            });
            self.onward(e, next, atoms, parts, leaves, ways.as_deref_mut());
            parts.pop();
        };
        if p.aim == Aim::Door(n) {
            let turn = Turn {
                nat: n,
                snat: None,
                ip: p.dst.ip,
            };
            let next = Out {
                dst: self.private_view(e.d),
                aim: Aim::Through,
                ..p
            };
            go(turn, next, self.through_door(e, &b.atoms));
            return;
        }
        if x.held.contains(p.dst.ip) {
            return;
        }
        for (i, _, ips) in self.snat_from(nat, p.of, p.src.ip) {
            for ip in self.each_nat_ip(&ips) {
                let turn = Turn {
                    nat: n,
                    snat: Some(i),
                    ip,
                };
                let next = Out {
                    src: nat_view(ip),
                    of: x.zone_block.contains(ip).then_some(x.zone),
                    ..p
                };
                go(turn, next, b.atoms.clone());
            }
        }
    }

    /// The services behind the DNAT entry, of those before it.
    fn through_door(&self, e: &Errand<'_, '_>, sent: &AtomSet) -> AtomSet {
        match (e.door, self.addr_of(e.d)) {
            (Some(k), Some((_, a))) => self
                .atoms
                .touching(&a.inner[k].translate(&self.atoms.services(sent))),
            _ => sent.clone(),
        }
    }

    /// Items 10 to 12: the services, as delivered, all of whose replies get back.
    fn inner_back(
        &self,
        e: &Errand<'_, '_>,
        seen: PeerView<'_>,
        last: &Branch,
        parts: &[Part<'_>],
        mut seen_by: Option<&mut Vec<Vec<Passed>>>,
    ) -> AtomSet {
        let towards = |x: Option<&Part<'_>>| match x {
            None => (Some(e.s.iface), Aim::No),
            Some(x) if x.turn.snat.is_some() => (Some(NOBODY), Aim::Back(x.turn.nat)),
            Some(x) => (Some(NOBODY), Aim::Met(x.turn.nat)),
        };
        let mut leg = |src, dst, sessions: &[InterfaceId], from: Option<NatId>, to: Option<&Part<'_>>| {
            let (goal, aim) = towards(to);
            let m = Moving {
                src,
                dst,
                sessions,
                goal,
                sender: None,
                translate: false,
                exempt: None,
                ask: None,
            };
            let mut t = Trail {
                aim,
                ..self.start(e.d)
            };
            let home = match (from, self.iface(e.d.iface)) {
                (None, Some(di)) => {
                    let mut home = Vec::new();
                    self.leave(m, t, di, true, &mut home);
                    home
                }
                (None, None) => Vec::new(),
                (Some(n), _) => {
                    t.visited.clear();
                    t.senders = 0;
                    self.on_from_inner(m, &t, n)
                }
            };
            if let Some(all) = seen_by.as_deref_mut() {
                all.push(self.come_back(&home));
            }
            self.back(&home, e.ask)
        };
        let mut sessions = vec![e.d.iface];
        sessions.extend(&last.appliances);
        let mut works = leg(self.private_view(e.d), seen, &sessions, None, parts.last());
        for (i, x) in parts.iter().enumerate().rev() {
            let mut sessions = x.branch.appliances.clone();
            let before = i.checked_sub(1).and_then(|i| parts.get(i));
            if before.is_none() {
                sessions.push(e.s.iface);
            }
            let mut back = leg(x.dst, x.src, &sessions, Some(x.turn.nat), before);
            // Before DNAT the services are those of the NAT IP.
            if parts[i..].iter().any(|x| x.turn.snat.is_none()) {
                back = self.through_door(e, &back);
            }
            works.intersect_with(&back);
        }
        works
    }

    fn journey(
        e: &Errand<'_, '_>,
        p: Out<'_>,
        last: &Branch,
        parts: &[Part<'_>],
        back: Vec<Vec<Passed>>,
    ) -> Journey {
        let branches = || parts.iter().map(|x| &x.branch).chain([last]);
        let mut appliances = Vec::new();
        for b in branches() {
            appliances.extend(&b.appliances);
        }
        Journey {
            turns: parts.iter().map(|x| x.turn.clone()).collect(),
            door: e.door,
            to: e.to,
            seen: p.src.ip,
            routes: branches().filter_map(|b| b.route).collect(),
            appliances,
            crossed: branches().map(|b| b.crossed.clone()).collect(),
            back,
        }
    }
}

/// Delivered services of every ordered pair of cells between which VPC NAT gateways may translate.
///
/// Pairs are asked one by one: those whose destination has a NAT IP, and those whose destination some route leads to a
/// gateway for and whose source an SNAT entry of it may cover.
pub(crate) fn pairs(net: &Network, domains: &[Domain]) -> Vec<((u32, u32), AtomSet)> {
    if !net.has_inner() {
        return Vec::new();
    }
    let mut ways: Vec<(IpSet, IpSet)> = Vec::new();
    for (i, n) in (0u32..)
        .map(NatId)
        .zip(&net.nats)
        .filter(|(_, n)| n.inner.is_some())
    {
        let routes = net.tables.iter().flat_map(|t| &t.routes);
        let led = routes.filter(|r| r.hops.contains(&Hop::Nat(i)));
        let to = led.fold(IpSet::empty(), |a, r| a.union(&r.ips));
        let from = n.snat.iter().fold(IpSet::empty(), |a, s| a.union(&s.sources));
        ways.push((from, to));
    }
    // A source that is translated twice is covered by the first.
    let led = ways.iter().fold(IpSet::empty(), |a, w| a.union(&w.1));
    let covered = ways.iter().fold(IpSet::empty(), |a, w| a.union(&w.0));
    let cells = || {
        domains
            .iter()
            .flat_map(|d| d.cells.iter().map(move |c| (d.vpc, c)))
    };
    let able = |ip: IpAddr, apart: bool| ip.is_ipv4() && !apart;
    let sources: Vec<_> = cells()
        .filter(|(_, c)| able(c.rep.ip, c.apart) && !net.is_front(c.rep.iface))
        .collect();
    let targets: Vec<_> = cells().filter(|(_, c)| able(c.rep.ip, c.apart)).collect();
    sources
        .par_iter()
        .flat_map_iter(|&(a, s)| {
            let may = covered.contains(s.rep.ip);
            let (led, targets) = (&led, &targets);
            targets.iter().filter_map(move |&(b, d)| {
                let door = net.addr_of(d.rep).is_some_and(|(_, x)| !x.inner.is_empty());
                if !(door || may && led.contains(d.rep.ip)) || !net.joined(a, b) {
                    return None;
                }
                let (s1, d1) = distinct(s, d)?;
                let f = net.inner_flow(s1, d1, ReplyPort::Ephemeral, &|_, f| f, None);
                (!f.delivered.is_empty()).then_some(((s.slot, d.slot), f.delivered))
            })
        })
        .collect()
}
