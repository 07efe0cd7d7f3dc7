//! Whole flows between two points: every way there, and whether replies get back.

use crate::hybrid::InterfaceEnd;
use crate::network::{Hop, Iface, Match, Network, RuleList, Vsw};
use crate::point::relay::MAX_BALANCERS;
use crate::point::{Entry, Exit, Inside, PeerView, Point, ReplyPort};
use crate::transit::Far;
use bartizan_model::{InterfaceId, VpcId};
use bartizan_packet::{AtomSet, IpSet};
use std::net::IpAddr;

/// What travels between two points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Services whose request is delivered.
    pub delivered: AtomSet,
    /// Services whose request is delivered and all of whose replies get back.
    pub works: AtomSet,
}

/// How two points can talk.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// Inside one VPC.
    Private,
    /// Out to the Internet.
    Out(Exit),
    /// In from the Internet.
    In(Entry),
    /// Out to the Internet and in again: exit, public address used, entry, source address seen.
    Hairpin(Exit, IpAddr, Entry, IpAddr),
    /// Through VPC NAT gateways.
    Inner(Box<crate::point::inner::Journey>),
    /// To the front of a load balancer, and handed on.
    Relayed(Box<Relayed>),
}

/// A way through a load balancer.
#[derive(Clone, Debug)]
pub(crate) struct Relayed {
    /// Position in `Network::relays`.
    pub(crate) relay: u32,
    /// The address of the front that the client sends to.
    pub(crate) front: Inside,
    /// How the client gets there.
    pub(crate) first: Way,
    /// What gets there.
    pub(crate) taken: AtomSet,
    /// The address that the backend sees, and whether it is the client's.
    pub(crate) source: (IpAddr, bool),
}

/// What becomes of one alternative of a flow, for a source that the destination sees so.
pub(crate) type Then<'f> = dyn Fn(PeerView<'_>, Flow) -> Flow + 'f;

/// Representatives of a set of addresses for the pieces on which a property is constant.
///
/// `cuts` are the boundaries; the representatives are the first addresses of the elementary pieces.
pub(crate) fn representatives(set: &IpSet, cuts: &Cuts) -> Vec<IpAddr> {
    let mut out = Vec::new();
    each_representative(set, cuts, |ip| out.push(ip));
    out
}

/// As [`representatives`], one after another.
pub(crate) fn each_representative(set: &IpSet, cuts: &Cuts, mut f: impl FnMut(IpAddr)) {
    for &(lo, hi) in set.v4.ranges() {
        f(IpAddr::V4(lo.into()));
        let a = cuts.v4.partition_point(|&c| c <= lo);
        let b = a + cuts.v4[a..].partition_point(|&c| c <= hi);
        cuts.v4[a..b].iter().for_each(|&c| f(IpAddr::V4(c.into())));
    }
    for &(lo, hi) in set.v6.ranges() {
        f(IpAddr::V6(lo.into()));
        let a = cuts.v6.partition_point(|&c| c <= lo);
        let b = a + cuts.v6[a..].partition_point(|&c| c <= hi);
        cuts.v6[a..b].iter().for_each(|&c| f(IpAddr::V6(c.into())));
    }
}

/// First addresses of elementary pieces, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cuts {
    pub(crate) v4: Vec<u32>,
    pub(crate) v6: Vec<u128>,
}

impl Cuts {
    pub(crate) fn add(&mut self, s: &IpSet) {
        for &(l, h) in s.v4.ranges() {
            self.v4.push(l);
            self.v4.extend(h.checked_add(1));
        }
        for &(l, h) in s.v6.ranges() {
            self.v6.push(l);
            self.v6.extend(h.checked_add(1));
        }
    }
    fn add_lists(&mut self, a: &RuleList, b: &RuleList) {
        for r in a.rules.iter().chain(&b.rules) {
            if let Match::Ips(s) = &r.peer {
                self.add(s);
            }
        }
    }
    pub(crate) fn finish(&mut self) {
        // Stable: most of it is sorted runs.
        self.v4.sort();
        self.v4.dedup();
        self.v6.sort();
        self.v6.dedup();
    }
    /// Splits a set at the cuts.
    pub(crate) fn split(&self, set: &IpSet) -> Vec<IpSet> {
        use bartizan_packet::IntervalSet as I;
        let mut out = Vec::new();
        for &(lo, hi) in set.v4.ranges() {
            let mut from = lo;
            let a = self.v4.partition_point(|&c| c <= lo);
            let b = self.v4.partition_point(|&c| c <= hi);
            for &c in &self.v4[a..b] {
                out.push(IpSet {
                    v4: I::range(from, c - 1),
                    v6: I::empty(),
                });
                from = c;
            }
            out.push(IpSet {
                v4: I::range(from, hi),
                v6: I::empty(),
            });
        }
        for &(lo, hi) in set.v6.ranges() {
            let mut from = lo;
            let a = self.v6.partition_point(|&c| c <= lo);
            let b = self.v6.partition_point(|&c| c <= hi);
            for &c in &self.v6[a..b] {
                out.push(IpSet {
                    v4: I::empty(),
                    v6: I::range(from, c - 1),
                });
                from = c;
            }
            out.push(IpSet {
                v4: I::empty(),
                v6: I::range(from, hi),
            });
        }
        out
    }
    /// Those that tell addresses of a set apart; addresses elsewhere may fall into one piece.
    pub(crate) fn within(&self, set: &IpSet) -> Cuts {
        fn keep<T: Copy + Ord>(cuts: &[T], ranges: &[(T, T)]) -> Vec<T> {
            let mut out: Vec<T> = Vec::new();
            for &(l, h) in ranges {
                // The last one up to the range stands for all between it and the range before.
                let a = cuts.partition_point(|&c| c <= l);
                let b = cuts.partition_point(|&c| c <= h);
                out.extend(&cuts[a.saturating_sub(1)..b]);
            }
            out.dedup();
            out
        }
        Cuts {
            v4: keep(&self.v4, set.v4.ranges()),
            v6: keep(&self.v6, set.v6.ranges()),
        }
    }
    pub(crate) fn add_all(&mut self, o: &Cuts) {
        self.v4.extend(&o.v4);
        self.v6.extend(&o.v6);
    }
    /// Position of an address among the pieces: equal for two addresses exactly when no cut is between them.
    pub(crate) fn piece(&self, ip: IpAddr) -> u32 {
        let n = match ip {
            IpAddr::V4(a) => self.v4.partition_point(|&c| c <= u32::from(a)),
            IpAddr::V6(a) => self.v4.len() + 1 + self.v6.partition_point(|&c| c <= u128::from(a)),
        };
        u32::try_from(n).unwrap_or(u32::MAX)
    }
}

/// What has been followed in search of cuts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Walked {
    cuts: Cuts,
    near: Vec<InterfaceId>,
    tables: Vec<u32>,
    /// Whether some table leads to a transit router.
    elsewhere: bool,
}

impl Network {
    /// The cuts that the filters and routes around some interfaces make in the address space: their own, and
    /// those of every appliance and every other VPC that their routes may lead through.
    pub(crate) fn cuts_around(&self, ifaces: &[InterfaceId]) -> Cuts {
        self.cuts_from(ifaces.to_vec(), Vec::new())
    }

    /// As [`Network::cuts_around`] for whatever these tables lead to.
    pub(crate) fn cuts_beyond(&self, tables: &[u32]) -> Cuts {
        self.cuts_from(Vec::new(), tables.to_vec())
    }

    fn cuts_from(&self, near: Vec<InterfaceId>, tables: Vec<u32>) -> Cuts {
        let mut w = Walked {
            near,
            tables,
            ..Walked::default()
        };
        self.follow(&mut w, true);
        let mut c = w.cuts;
        if w.elsewhere {
            c.add_all(&self.elsewhere().cuts);
        }
        self.perimeter.cut(&mut c);
        c.finish();
        c
    }

    /// What routers and the VPCs at them lead to, the same wherever one comes from.
    fn elsewhere(&self) -> &Walked {
        self.elsewhere.get_or_init(|| {
            let mut w = Walked::default();
            self.transit
                .tables
                .iter()
                .flatten()
                .for_each(|x| w.cuts.add(&x.ips));
            self.links_elsewhere(&mut w);
            for a in &self.transit.attachments {
                let Far::Vpc(v, zones) = &a.far else { continue };
                let system = self.vpcs.get(v.index()).map(|n| n.system_table);
                for t in system.into_iter().filter(|_| zones.is_empty()) {
                    if !w.tables.contains(&t) {
                        w.tables.push(t);
                    }
                }
                for z in zones.iter().filter_map(|z| self.vsw(*z)) {
                    self.cuts_of_vswitch(z, &mut w.cuts, &mut w.tables);
                }
            }
            self.follow(&mut w, false);
            w.cuts.finish();
            std::sync::Arc::new(w)
        })
    }

    /// What links to sites tell apart, and the tables by which gateways and router interfaces hand over.
    fn links_elsewhere(&self, w: &mut Walked) {
        self.hybrid.each_set(|s| w.cuts.add(s));
        let mut by_system: Vec<VpcId> = Vec::new();
        for g in &self.hybrid.gateways {
            match g.zone.and_then(|z| self.vsw(z)) {
                Some(z) => self.cuts_of_vswitch(z, &mut w.cuts, &mut w.tables),
                None => by_system.extend(g.vpc),
            }
        }
        by_system.extend(self.hybrid.interfaces.iter().filter_map(|i| match i.at {
            InterfaceEnd::Vpc(v) => Some(v),
            _ => None,
        }));
        for v in by_system {
            let system = self.vpcs.get(v.index()).map(|n| n.system_table);
            w.tables.extend(system.filter(|t| !w.tables.contains(t)));
        }
    }

    /// Follows interfaces and tables to the end. `known` says that what is elsewhere need not be followed again.
    fn follow(&self, w: &mut Walked, known: bool) {
        let (mut next, mut asked) = (0, 0);
        loop {
            if let Some(&i) = w.near.get(next) {
                next += 1;
                self.cuts_at(i, &mut w.cuts, &mut w.tables);
                // What it may be reached through.
                for (_, r) in self.relays_to(i) {
                    r.ip.iter().for_each(|ip| w.cuts.add(&IpSet::single(*ip)));
                    if !w.near.contains(&r.front) {
                        w.near.push(r.front);
                    }
                }
            } else if let Some(&t) = w.tables.get(asked) {
                asked += 1;
                // What the table of a VPC at a router says is known where a table leads to routers.
                if known && w.elsewhere && self.elsewhere().tables.contains(&t) {
                    continue;
                }
                self.cuts_of_table(t, w);
            } else {
                break;
            }
        }
    }

    /// The filters of an interface and its vSwitch, and which tables forward for it.
    pub(crate) fn cuts_at(&self, i: InterfaceId, c: &mut Cuts, tables: &mut Vec<u32>) {
        let Some(f) = self.iface(i) else { return };
        if let Some(g) = self.group_sets.get(f.groups as usize) {
            c.add_lists(&g.ingress, &g.egress);
        }
        for n in f.addrs.iter().flat_map(|a| &a.dnat) {
            if let Some(n) = self.nats.get(n.nat.index()) {
                c.add(&n.exit);
            }
        }
        if let Some(v) = self.vsw(f.vswitch) {
            self.cuts_of_vswitch(v, c, tables);
        }
    }

    fn cuts_of_vswitch(&self, v: &Vsw, c: &mut Cuts, tables: &mut Vec<u32>) {
        if let Some(a) = v.acl.and_then(|a| self.acls.get(a as usize)) {
            c.add_lists(&a.ingress, &a.egress);
        }
        let vpc = self.vpcs.get(v.vpc.index());
        if let Some(n) = vpc {
            c.add(&n.user);
        }
        for t in v.tables.iter().copied().chain(vpc.and_then(|n| n.ingress_table)) {
            if !tables.contains(&t) {
                tables.push(t);
            }
        }
    }

    fn cuts_of_table(&self, t: u32, w: &mut Walked) {
        let Some(table) = self.tables.get(t as usize) else {
            return;
        };
        let Walked {
            near,
            cuts,
            elsewhere,
            ..
        } = w;
        let mut meet = |f: InterfaceId| {
            if !near.contains(&f) {
                near.push(f);
            }
        };
        let mut gateways = Vec::new();
        // A site sends by whatever link takes its packets in.
        *elsewhere |= self.hybrid.tables.contains(&t);
        for r in &table.routes {
            cuts.add(&r.ips);
            for h in &r.hops {
                match h {
                    Hop::Nat(n) => {
                        if let Some(n) = self.nats.get(n.index()) {
                            cuts.add(&n.exit);
                            n.snat
                                .iter()
                                .filter(|_| n.inner.is_some())
                                .for_each(|s| cuts.add(&s.sources));
                            gateways.extend(n.inner.as_ref().map(|i| i.zone));
                        }
                    }
                    Hop::Interface(f) => meet(*f),
                    Hop::HaVip(h) => {
                        let members = self.ha_vips.get(h.index()).map_or(&[][..], |v| v);
                        members.iter().for_each(|f| meet(*f));
                    }
                    Hop::Attachment(_) | Hop::Vpn(_) | Hop::RouterInterface(_) => *elsewhere = true,
                    _ => {}
                }
            }
        }
        for v in gateways.into_iter().filter_map(|z| self.vsw(z)) {
            self.cuts_of_vswitch(v, &mut w.cuts, &mut w.tables);
        }
    }

    /// The public addresses through which `d` is entered: the set each entry listens on.
    pub(crate) fn public_of(&self, d: Inside, e: Entry) -> std::sync::Arc<IpSet> {
        match (self.addr_of(d), e) {
            (Some((_, a)), Entry::Own(i)) => a.own[i].ips.clone(),
            (Some((_, a)), Entry::Dnat(i)) => a.dnat[i].ips.clone(),
            _ => std::sync::Arc::new(IpSet::single(d.ip)),
        }
    }

    /// Whether two interfaces meet by an IPv6 address inside their VPC and not over the Internet.
    pub(crate) fn inside_only(&self, si: &Iface, di: &Iface, ip: IpAddr) -> bool {
        ip.is_ipv6() && !di.detached_front() && self.vpc_of(si) == self.vpc_of(di)
    }

    /// Requests that leave `s` for the Internet and come in again at `d` (and those whose replies do too).
    pub(crate) fn hairpin(
        &self,
        s: Inside,
        d: Inside,
        ask: ReplyPort,
        beyond: &[InterfaceId],
        then: &Then<'_>,
        mut ways: Option<&mut Vec<(Way, Flow)>>,
    ) -> Flow {
        let none = || self.nothing();
        let (Some((si, _)), Some((di, da))) = (self.addr_of(s), self.addr_of(d)) else {
            return none();
        };
        if s.iface == d.iface || s.ip.is_ipv4() != d.ip.is_ipv4() {
            return none();
        }
        let doors = self.doors(d);
        // Inside one VPC the local route of an IPv6 address is always longer.
        if doors.is_empty() || self.inside_only(si, di, d.ip) {
            return none();
        }
        let mut near = vec![s.iface, d.iface];
        near.extend(beyond);
        let cuts = self.cuts_around(&near);
        let mut total = none();
        for k in doors {
            let public = self.public_of(d, k);
            let mut per_public: Vec<Flow> = Vec::new();
            for p in representatives(&public, &cuts) {
                let mut alternatives: Vec<Flow> = Vec::new();
                let owner = matches!(k, Entry::Own(_) | Entry::V6).then_some(d);
                let to = self.public_view(p, owner);
                for e in &self.exits(s, to, ask) {
                    let translate = |a: &AtomSet| match k {
                        Entry::Dnat(i) => self
                            .atoms
                            .touching(&da.dnat[i].translate(&self.atoms.services(a))),
                        _ => a.clone(),
                    };
                    let sent = translate(&e.atoms);
                    let sent_back = translate(&self.exit_replies(s, to, e, ask));
                    for x in representatives(&e.src, &cuts) {
                        let seen = self.public_view(x, e.seen_as_itself(s));
                        let (delivered, works) = self.arrive_flow(d, seen, k, ask);
                        let f = then(
                            seen,
                            Flow {
                                delivered: delivered.intersect(&sent),
                                works: works.intersect(&sent_back),
                            },
                        );
                        if let Some(w) = ways.as_deref_mut()
                            && !f.delivered.is_empty()
                        {
                            w.push((Way::Hairpin(e.clone(), p, k, x), f.clone()));
                        }
                        alternatives.push(f);
                    }
                }
                per_public.push(Flow {
                    delivered: self.fold(alternatives.iter().map(|f| f.delivered.clone())),
                    works: self.fold(alternatives.into_iter().map(|f| f.works)),
                });
            }
            // Different entries are different doors: any of them counts, in both modes.
            total
                .delivered
                .union_with(&self.fold(per_public.iter().map(|f| f.delivered.clone())));
            total
                .works
                .union_with(&self.fold(per_public.into_iter().map(|f| f.works)));
        }
        total
    }

    /// Everything that travels from `s` to `d`, by any way.
    #[must_use]
    pub fn flow(&self, s: Point, d: Point) -> Flow {
        self.flow_ways(s, d, ReplyPort::Ephemeral, None)
    }

    /// Whether any of some services travels from `s` to `d`, by any way: known sooner than which ones do and whether their
    /// replies get back.
    #[must_use]
    pub fn delivers(&self, s: Point, d: Point, services: &AtomSet) -> bool {
        let private = match (s, d) {
            (Point::Inside(s), Point::Inside(d)) => self.private_request(s, d).intersects(services),
            _ => false,
        };
        private || self.flow(s, d).delivered.intersects(services)
    }

    /// As [`Network::flow`] for a client that sends from one port.
    #[must_use]
    pub fn flow_from_port(&self, s: Point, d: Point, sport: u16) -> Flow {
        self.flow_ways(s, d, ReplyPort::Port(sport), None)
    }

    pub(crate) fn flow_ways(
        &self,
        s: Point,
        d: Point,
        ask: ReplyPort,
        ways: Option<&mut Vec<(Way, Flow)>>,
    ) -> Flow {
        match (s, d) {
            (_, Point::Inside(d)) => self.arriving(s, d, ask, &[d.iface], &|_, f| f, ways),
            (Point::Inside(s), Point::Outside(p)) => {
                let flows: Vec<(Exit, Flow)> = self
                    .exits(s, p, ask)
                    .into_iter()
                    .map(|e| {
                        let works = self.exit_replies(s, p, &e, ask);
                        let f = Flow {
                            delivered: e.atoms.clone(),
                            works,
                        };
                        (e, f)
                    })
                    .collect();
                let delivered = self.fold(flows.iter().map(|(_, f)| f.delivered.clone()));
                let works = self.fold(flows.iter().map(|(_, f)| f.works.clone()));
                if let Some(w) = ways {
                    w.extend(flows.into_iter().map(|(e, f)| (Way::Out(e), f)));
                }
                Flow { delivered, works }
            }
            (Point::Outside(_), Point::Outside(_)) => self.nothing(),
        }
    }

    pub(crate) fn nothing(&self) -> Flow {
        Flow {
            delivered: self.common.none.clone(),
            works: self.common.none.clone(),
        }
    }

    /// Everything that travels from `s` to an interface, by any way. What becomes of each alternative behind it is
    /// said by `then`, before alternatives are put together. `beyond` is where it goes from there: the last
    /// destination, and the balancers before it.
    fn arriving(
        &self,
        s: Point,
        d: Inside,
        ask: ReplyPort,
        beyond: &[InterfaceId],
        then: &Then<'_>,
        mut ways: Option<&mut Vec<(Way, Flow)>>,
    ) -> Flow {
        let mut total = self.nothing();
        let mut add = |f: &Flow| {
            total.delivered.union_with(&f.delivered);
            total.works.union_with(&f.works);
        };
        match s {
            Point::Inside(s) => {
                let f = if self.is_front(s.iface) {
                    self.sent_by_front(s, d, beyond, then)
                } else {
                    let (delivered, works) = self.private_flow(s, d, ask);
                    then(self.private_view(s), Flow { delivered, works })
                };
                add(&f);
                if let Some(w) = ways.as_deref_mut()
                    && !f.delivered.is_empty()
                {
                    w.push((Way::Private, f));
                }
                add(&self.inner_flow(s, d, ask, then, ways.as_deref_mut()));
                add(&self.hairpin(s, d, ask, beyond, then, ways.as_deref_mut()));
            }
            Point::Outside(x) => {
                for e in self.doors(d) {
                    let (delivered, works) = self.arrive_flow(d, x, e, ask);
                    let f = then(PeerView::public(x), Flow { delivered, works });
                    add(&f);
                    if let Some(w) = ways.as_deref_mut() {
                        w.push((Way::In(e), f));
                    }
                }
            }
        }
        let from = match s {
            Point::Inside(s) => Some(s.iface),
            Point::Outside(_) => None,
        };
        for (n, r) in self.relays_at(d) {
            // Balancers that this one stands behind are passed once.
            if from == Some(r.front) || beyond.contains(&r.front) || beyond.len() > MAX_BALANCERS {
                continue;
            }
            let mut beyond = beyond.to_vec();
            beyond.push(r.front);
            add(&self.relayed(s, (n, r), d, ask, &beyond, then, ways.as_deref_mut()));
        }
        total
    }

    /// What gets to the front of one balancer and is handed on from there.
    #[expect(clippy::too_many_arguments, reason = "one step of `arriving`")]
    fn relayed(
        &self,
        s: Point,
        (n, r): (u32, &crate::network::Relay),
        d: Inside,
        ask: ReplyPort,
        beyond: &[InterfaceId],
        then: &Then<'_>,
        mut ways: Option<&mut Vec<(Way, Flow)>>,
    ) -> Flow {
        let near: Vec<InterfaceId> = match s {
            // An interface is not its own peer.
            Point::Inside(s) if s.iface == d.iface => return self.nothing(),
            Point::Inside(s) => vec![s.iface, r.front],
            Point::Outside(_) => vec![r.front],
        };
        let some = self
            .iface(r.front)
            .is_some_and(|f| f.addrs.iter().any(|a| a.choice));
        let cuts = if some {
            self.cuts_around(&near)
        } else {
            Cuts::default()
        };
        // Of the places of one address that is not known any may be it; of two addresses each is one.
        let mut total = self.nothing();
        for places in self.places_of(r.front, &cuts) {
            let mut alternatives: Vec<Flow> = Vec::new();
            for front in places {
                let through = |seen: PeerView<'_>, f: Flow| {
                    let taken = Flow {
                        delivered: self.handed_on(r, &f.delivered),
                        works: self.handed_on(r, &f.works),
                    };
                    if taken.delivered.is_empty() {
                        return self.nothing();
                    }
                    let all: Vec<Flow> = self
                        .sources(r, d, Some(seen), beyond)
                        .into_iter()
                        .map(|src| {
                            let leg = self.leg(r, d, src, ask);
                            then(
                                src.0,
                                Flow {
                                    delivered: leg.delivered.intersect(&taken.delivered),
                                    works: leg.works.intersect(&taken.works),
                                },
                            )
                        })
                        .collect();
                    Flow {
                        delivered: self.fold(all.iter().map(|f| f.delivered.clone())),
                        works: self.fold(all.into_iter().map(|f| f.works)),
                    }
                };
                let mut found = ways.is_some().then(Vec::new);
                let f = self.arriving(s, front, ask, beyond, &through, found.as_mut());
                for (first, flow) in found
                    .into_iter()
                    .flatten()
                    .filter(|(_, f)| !f.delivered.is_empty())
                {
                    if let Some(w) = ways.as_deref_mut() {
                        let way = self.relayed_way(n, r, front, d, s, first);
                        w.push((Way::Relayed(Box::new(way)), flow));
                    }
                }
                alternatives.push(f);
            }
            let delivered = self.fold(alternatives.iter().map(|f| f.delivered.clone()));
            total.delivered.union_with(&delivered);
            let works = self.fold(alternatives.into_iter().map(|f| f.works));
            total.works.union_with(&works);
        }
        total
    }

    /// What travels by one relay from `s` to the interface behind it; `beyond` as for `arriving`, with the front.
    pub(crate) fn relay_flow(
        &self,
        s: Point,
        n: u32,
        d: Inside,
        ask: ReplyPort,
        beyond: &[InterfaceId],
    ) -> Flow {
        match self.relays.get(n as usize) {
            Some(r) if !matches!(s, Point::Inside(s) if s.iface == r.front) => {
                self.relayed(s, (n, r), d, ask, beyond, &|_, f| f, None)
            }
            _ => self.nothing(),
        }
    }

    /// One way through a balancer, in the shape that explanations need.
    fn relayed_way(
        &self,
        n: u32,
        r: &crate::network::Relay,
        front: Inside,
        d: Inside,
        s: Point,
        first: Way,
    ) -> Relayed {
        let client = match (&first, s) {
            (Way::Hairpin(_, _, _, x), _) => *x,
            (Way::Relayed(w), _) => w.source.0,
            (Way::Inner(j), _) => j.seen,
            (_, Point::Inside(s)) => s.ip,
            (_, Point::Outside(x)) => x,
        };
        let view = PeerView::public(client);
        let source = self
            .sources(r, d, Some(view), &[])
            .first()
            .map_or((client, true), |(v, c)| (v.ip, *c));
        Relayed {
            relay: n,
            front,
            first,
            taken: (*r.listen).clone(),
            source,
        }
    }
}
