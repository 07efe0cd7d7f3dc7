//! Transit routers and peering, ALIBABA.md §10; the numbers are those of docs/decisions/010.

use super::route_maps::{Direction, permits};
use super::{Ctx, hybrid, routes};
use crate::hybrid::{Hybrid, propagated};
use crate::network::{Hop, Route, RouteRef, Table, Vsw};
use crate::transit::{AttachedNet, Far, TrNext, TrRouteRef, TrWay, Transit};
use bartizan_model::{
    Assumption, Attached, AttachmentId, Fact, NetSpec, NextHop, Origin, RouteEntry, RouteTableKind, RouterId,
    TrHop, TrLink, TrTableId, Typed, Use, VpcId,
};
use bartizan_packet::IpSet;
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use std::net::IpAddr;

/// Joins sets of VPCs.
pub(super) struct Groups(Vec<usize>);

impl Groups {
    fn find(&mut self, mut i: usize) -> usize {
        while self.0[i] != i {
            self.0[i] = self.0[self.0[i]];
            i = self.0[i];
        }
        i
    }
    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.find(a), self.find(b));
        self.0[a.max(b)] = a.min(b);
    }
    /// The VPCs (the first `vpcs` members) that something joins with a member.
    pub(super) fn around(&mut self, i: usize, vpcs: usize) -> Vec<VpcId> {
        let root = self.find(i);
        (0..vpcs)
            .filter(|&v| self.find(v) == root)
            .map(|v| VpcId(num(v)))
            .collect()
    }
}

fn num(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

/// VPCs 0.. and behind them the routers, in groups of what anything joins.
fn groups(c: &Ctx<'_>) -> Groups {
    let t = c.t;
    let vpcs = t.vpcs.len();
    let mut g = Groups((0..vpcs + t.transit_routers.len()).collect());
    for p in &t.peerings {
        if let (Fact::Known(a), Fact::Known(b)) = (&p.requester, &p.accepter) {
            g.join(a.index(), b.index());
        }
    }
    for a in &t.attachments {
        let Fact::Known(r) = a.router else { continue };
        match &a.to {
            Attached::Vpc(Fact::Known(v)) => g.join(v.index(), vpcs + r.index()),
            Attached::Peer(Fact::Known(o)) => g.join(vpcs + o.index(), vpcs + r.index()),
            _ => {}
        }
    }
    hybrid::join(c, &mut g);
    g
}

/// Some tables, and if something then nothing but what they learn from one attachment.
type Only<'c> = (&'c [TrTableId], Option<AttachmentId>);

struct Builder<'c, 'a> {
    c: &'c mut Ctx<'a>,
    groups: Groups,
    written: Vec<hybrid::Written>,
    /// The tables that are wanted, if not all are, and the one attachment of which their routes are wanted.
    only: Option<Only<'c>>,
    out: Transit,
}

impl Builder<'_, '_> {
    /// The VPCs that a router may carry packets between.
    fn around(&mut self, router: Option<RouterId>) -> Vec<VpcId> {
        let n = self.c.t.vpcs.len();
        let Some(r) = router else { return Vec::new() };
        self.groups.around(n + r.index(), n)
    }

    /// Nothing is known of what a part of a router does, so nothing is of the VPCs that it joins.
    fn gap(&mut self, origin: &Origin, why: &str, router: Option<RouterId>) {
        match router {
            // A router that joins nothing yet cannot carry anything either.
            Some(_) => {
                for v in self.around(router) {
                    self.c.gap_that_takes(origin, why, Some(v));
                }
            }
            None => self.c.gap_that_takes(origin, why, None),
        }
    }

    fn router_of(&self, a: AttachmentId) -> Option<RouterId> {
        self.c.t[a].router.known().copied()
    }

    fn attachments(&mut self, vswitches: &[Option<Vsw>]) {
        let t = self.c.t;
        for a in &t.attachments {
            let router = a.router.known().copied();
            if a.meta.origin.maybe.is_some() {
                self.gap(
                    &a.meta.origin,
                    "it is not known whether this attachment exists",
                    router,
                );
            }
            if router.is_none() {
                self.gap(
                    &a.meta.origin,
                    "the transit router of this attachment is not known",
                    None,
                );
            }
            let far = match &a.to {
                Attached::Vpc(Fact::Known(v)) => {
                    let mut zones = Vec::new();
                    for z in &a.vswitches {
                        match z {
                            Fact::Known(z) if vswitches.get(z.index()).is_some_and(Option::is_some) => {
                                zones.push(*z);
                            }
                            _ => {
                                let why =
                                    "a vSwitch in which the transit router hands packets over is not known";
                                self.c.gap_that_takes(&a.meta.origin, why, Some(*v));
                            }
                        }
                    }
                    zones.sort_unstable();
                    zones.dedup();
                    Far::Vpc(*v, zones)
                }
                Attached::Vpc(Fact::Unknown(_)) => {
                    self.gap(&a.meta.origin, "the VPC of this attachment is not known", router);
                    Far::Unmodelled
                }
                Attached::Peer(Fact::Known(_)) => Far::Router,
                Attached::Peer(Fact::Unknown(_)) => {
                    let why = "the transit router at the other end is not known";
                    self.gap(&a.meta.origin, why, router);
                    Far::Unmodelled
                }
                Attached::Border(Fact::Known(b)) => Far::Border(*b),
                Attached::Vpn(Fact::Known(x)) => Far::Connection(*x),
                Attached::Border(Fact::Unknown(_)) | Attached::Vpn(Fact::Unknown(_)) => Far::Unmodelled,
                Attached::Nothing => Far::Nothing,
                Attached::Unmodelled(kind, _) => {
                    let why = format!("what is attached is not modelled: {kind}");
                    self.gap(&a.meta.origin, &why, router);
                    Far::Unmodelled
                }
            };
            if matches!(far, Far::Vpc(..) | Far::Border(_)) && a.ipv6.known().is_none() {
                self.gap(
                    &a.meta.origin,
                    "it is not known whether this attachment carries IPv6",
                    router,
                );
            }
            let mut tables = Vec::new();
            // 9: one table for everything.
            if let Some(r) = router.filter(|r| t[*r].basic) {
                tables.push((r.0, t[r].system_table));
            }
            self.out.attachments.push(AttachedNet {
                far,
                tables,
                ipv6: a.ipv6.known().copied().unwrap_or(self.c.widen()),
            });
        }
    }

    /// Regions of Basic Edition are joined for certain where bandwidth is bought (§10.1).
    fn regions(&mut self) {
        let t = self.c.t;
        let mut all = Vec::new();
        for (n, a) in (0u32..).map(AttachmentId).zip(&t.attachments) {
            if let Fact::Known(r) = a.router
                && let Some(bought) = &t[r].bandwidth
            {
                all.push((n, r, bought, a.meta.region.as_ref()));
            }
        }
        for &(a, r, bought, here) in &all {
            for &(b, s, _, there) in all.iter().filter(|(b, ..)| a != *b) {
                let sure = here.zip(there).is_some_and(|(x, y)| {
                    x == y || bought.iter().any(|all| all.contains(x) && all.contains(y))
                });
                if r == s && !sure {
                    self.out.narrow.insert((a, b));
                }
            }
        }
    }

    /// Both ends of an association or propagation, or a gap.
    fn link(&mut self, l: &TrLink, what: &str) -> Option<(AttachmentId, TrTableId)> {
        let t = self.c.t;
        let known = (l.attachment.known().copied(), l.table.known().copied());
        let router = match known {
            (Some(a), _) => self.router_of(a),
            (None, Some(t0)) => t[t0].router.known().copied(),
            _ => None,
        };
        match known {
            (Some(a), Some(t0)) if t[t0].router.known().is_some() => {
                if l.origin.maybe.is_some() {
                    self.gap(
                        &l.origin,
                        &format!("it is not known whether this {what} exists"),
                        router,
                    );
                }
                Some((a, t0))
            }
            _ => {
                self.gap(
                    &l.origin,
                    &format!("the two ends of this {what} are not both known"),
                    router,
                );
                None
            }
        }
    }

    fn associations(&mut self) {
        let t = self.c.t;
        for l in &t.tr_associations {
            if let Some((a, table)) = self.link(l, "association")
                && let Fact::Known(r) = t[table].router
            {
                self.out.attachments[a.index()].tables.push((r.0, table));
            }
        }
    }

    fn push(&mut self, table: TrTableId, net: Option<IpNet>, next: TrNext, from: TrRouteRef, optional: bool) {
        if !self.wanted(table, from) {
            return;
        }
        self.out.tables[table.index()].push(TrWay {
            ips: net.map_or_else(IpSet::full, IpSet::from),
            length: net.map_or(u8::MAX, |n| n.prefix_len()),
            next,
            from,
            optional,
        });
    }

    fn statics(&mut self) {
        let t = self.c.t;
        for (i, r) in (0u32..).zip(&t.tr_routes) {
            let Fact::Known(table) = r.table else {
                self.gap(&r.origin, "the table of this route is not known", None);
                continue;
            };
            let next = match &r.hop {
                TrHop::Attachment(a) => TrNext::Attachment(*a),
                TrHop::Blackhole => TrNext::Blackhole,
                TrHop::Unknown(_) => {
                    let router = t[table].router.known().copied();
                    self.gap(&r.origin, "the next hop of this route is not known", router);
                    continue;
                }
            };
            if !self.wanted(table, TrRouteRef::Static(i)) {
                continue;
            }
            for (net, known) in routes::destinations(self.c, &r.destination) {
                let optional = r.origin.maybe.is_some() || !known;
                self.push(table, net, next, TrRouteRef::Static(i), optional);
            }
        }
    }

    /// Whether a VPN gateway wrote a prefix into the system table of a VPC, and whether certainly.
    fn by_vpn(&self, vpc: VpcId, net: IpNet) -> Option<bool> {
        let t = self.c.t;
        let takes = t[t[vpc].system_table].propagation.known().copied();
        let mut all = self
            .written
            .iter()
            .filter(|w| w.vpc == vpc && w.net.is_none_or(|n| n == net.trunc()))
            .peekable();
        if takes == Some(false) || all.peek().is_none() {
            return None;
        }
        Some(takes.is_some() && all.any(|w| !w.optional && w.net.is_some()))
    }

    /// 6: the prefixes that a VPC advertises, and whether each is certain.
    fn advertised(&mut self, a: AttachmentId, vpc: VpcId) -> Vec<(IpNet, bool)> {
        let t = self.c.t;
        let mut out = Vec::new();
        let mut unknown = false;
        let carries6 = self.out.attachments[a.index()].ipv6;
        for v in t.vswitches.iter().filter(|v| v.vpc.known() == Some(&vpc)) {
            for f in std::iter::once(&v.cidr).chain(v.ipv6_cidr.as_ref()) {
                match f {
                    Fact::Known(n) if carries6 || matches!(n, IpNet::V4(_)) => {
                        out.push((n.trunc(), v.meta.origin.maybe.is_none()));
                    }
                    Fact::Known(_) => {}
                    Fact::Unknown(_) => unknown = true,
                }
            }
        }
        if unknown {
            let why = "a block that its VPC advertises is not known";
            let router = self.router_of(a);
            self.gap(&t[a].meta.origin, why, router);
        }
        // 023, 2: what is published is published to a CEN instance, of which no Express Connect router is one.
        if t[a].router.known().is_some_and(|r| t[*r].is_express()) {
            return out;
        }
        let system = t[vpc].system_table;
        // §10.3: what may be published, and never what transits, custom tables or prefix lists.
        for p in t
            .published_routes
            .iter()
            .filter(|p| p.table.known() == Some(&system))
        {
            let Fact::Known(net) = p.destination else {
                let router = self.router_of(a);
                self.gap(&p.origin, "the published route is not known", router);
                continue;
            };
            let here = |e: &&RouteEntry| e.table.known().is_none_or(|t| *t == system);
            let entry = t
                .route_entries
                .iter()
                .filter(here)
                .find(|e| e.table.known().is_some() && e.destination == NetSpec::Net(Fact::Known(net)));
            let never = |h: &NextHop| match h {
                NextHop::Peering(_) | NextHop::Attachment(_) | NextHop::RouterInterface(_) => true,
                NextHop::Unmodelled { kind, .. } => ["Ecr", "GatewayLoadBalancerEndpoint"]
                    .iter()
                    .any(|k| kind.eq_ignore_ascii_case(k)),
                _ => false,
            };
            // Some entry that is not fully known may turn out to be this one.
            let perhaps = |e: &RouteEntry| {
                let net = match &e.destination {
                    NetSpec::Net(n) => n.known().is_none_or(|n| n.trunc() == net.trunc()),
                    NetSpec::PrefixList(_) => false,
                };
                net && !e.next_hops.iter().any(never)
            };
            match entry {
                Some(e) if !e.next_hops.iter().any(never) => {
                    out.push((net.trunc(), p.origin.maybe.is_none() && e.origin.maybe.is_none()));
                }
                // 014, 12: what a VPN gateway wrote there.
                None if self.by_vpn(vpc, net).is_some() => {
                    let certain = self.by_vpn(vpc, net) == Some(true) && p.origin.maybe.is_none();
                    out.push((net.trunc(), certain));
                }
                None if t.route_entries.iter().filter(here).any(perhaps) => {
                    out.push((net.trunc(), false));
                }
                _ => {}
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Whether the route maps let a route into (or out of) a table; `None` where that is not known.
    fn mapped(
        &self,
        dir: Direction,
        table: TrTableId,
        net: IpNet,
        from: Option<VpcId>,
        to: Option<VpcId>,
    ) -> Option<bool> {
        permits(self.c.t, dir, table, net, from, to)
    }

    fn wanted(&self, table: TrTableId, from: TrRouteRef) -> bool {
        let learned = |a| from == TrRouteRef::Learned(a);
        self.only
            .is_none_or(|(tables, a)| tables.contains(&table) && a.is_none_or(learned))
    }

    fn learn(&mut self, a: AttachmentId, table: TrTableId) {
        let Far::Vpc(vpc, _) = self.out.attachments[a.index()].far else {
            return;
        };
        for (net, certain) in self.advertised(a, vpc) {
            let permitted = self.mapped(Direction::In, table, net, Some(vpc), None);
            if permitted != Some(false) {
                let optional = !certain || permitted.is_none();
                self.push(
                    table,
                    Some(net),
                    TrNext::Attachment(a),
                    TrRouteRef::Learned(a),
                    optional,
                );
            }
        }
    }

    /// 6: a table learns from the router at the other end of a peering attachment.
    fn learn_from_peer(&mut self, p: AttachmentId, table: TrTableId) {
        let t = self.c.t;
        let publishes = t[p].publishes.known().copied();
        if publishes == Some(false) {
            return;
        }
        let here = t[table].router.known().map(|r| r.0);
        let other: Vec<TrTableId> = self.out.attachments[p.index()]
            .tables
            .iter()
            .filter(|(r, _)| Some(*r) != here)
            .map(|(_, t)| *t)
            .collect();
        for o in other {
            let routes: Vec<TrWay> = self.out.tables[o.index()].clone();
            for w in routes {
                let source = match w.from {
                    TrRouteRef::Learned(a) => match &self.out.attachments[a.index()].far {
                        Far::Vpc(v, _) => Some(*v),
                        Far::Border(_) | Far::Connection(_) => None,
                        // No third region (§10.6).
                        Far::Router | Far::Unmodelled | Far::Nothing => continue,
                    },
                    TrRouteRef::Static(_) => None,
                };
                if w.next == TrNext::Attachment(p) {
                    continue;
                }
                for net in prefixes(&w) {
                    let map = |dir, table| net.and_then(|n| self.mapped(dir, table, n, source, None));
                    let (out, inward) = (map(Direction::Out, o), map(Direction::In, table));
                    if out == Some(false) || inward == Some(false) {
                        continue;
                    }
                    let optional = w.optional || publishes.is_none() || out.is_none() || inward.is_none();
                    self.push(
                        table,
                        net,
                        TrNext::Attachment(p),
                        TrRouteRef::Learned(p),
                        optional,
                    );
                }
            }
        }
    }

    /// 014, 13 and 18: what a table learns from an attached link.
    fn learn_site(&mut self, a: AttachmentId, table: TrTableId) {
        let t = self.c.t;
        let mut nets: Vec<(Option<IpNet>, bool)> = Vec::new();
        let announced = |f: &Fact<Vec<IpNet>>, sure: bool, nets: &mut Vec<(Option<IpNet>, bool)>| match f {
            Fact::Known(all) => nets.extend(all.iter().map(|n| (Some(n.trunc()), sure))),
            Fact::Unknown(_) => nets.push((None, false)),
        };
        match self.out.attachments[a.index()].far {
            Far::Border(b) => announced(&t[b].learned, t[b].meta.origin.maybe.is_none(), &mut nets),
            Far::Connection(x) => {
                let sure = t[x].meta.origin.maybe.is_none();
                if t[x].bgp.known() != Some(&false) {
                    announced(&t[x].learned, sure && t[x].bgp.known().is_some(), &mut nets);
                }
                let mine = |r: &&bartizan_model::VpnRoute| {
                    r.gateway.is_none() && r.next.known().is_none_or(|n| *n == x)
                };
                for r in t.vpn_routes.iter().filter(mine) {
                    let sure = sure && r.origin.maybe.is_none() && r.next.known().is_some();
                    let net = r.destination.known().map(IpNet::trunc);
                    nets.push((net, sure && net.is_some()));
                }
            }
            _ => return,
        }
        let carries6 = self.out.attachments[a.index()].ipv6;
        for (net, sure) in nets {
            if matches!(net, Some(IpNet::V6(_))) && !carries6 {
                continue;
            }
            let permitted = net.and_then(|n| self.mapped(Direction::In, table, n, None, None));
            if permitted != Some(false) {
                let optional = !sure || permitted.is_none();
                self.push(
                    table,
                    net,
                    TrNext::Attachment(a),
                    TrRouteRef::Learned(a),
                    optional,
                );
            }
        }
    }

    fn propagations(&mut self) {
        let t = self.c.t;
        let mut all: Vec<(AttachmentId, TrTableId)> = Vec::new();
        for l in &t.tr_propagations {
            all.extend(self.link(l, "propagation"));
        }
        for (i, a) in (0u32..).zip(&t.attachments) {
            if let Some(r) = a.router.known().filter(|r| t[**r].basic) {
                all.push((AttachmentId(i), t[*r].system_table));
            }
        }
        all.sort_unstable();
        all.dedup();
        all.retain(|(a, table)| self.wanted(*table, TrRouteRef::Learned(*a)));
        for &(a, table) in &all {
            self.learn(a, table);
            self.learn_site(a, table);
        }
        for &(a, table) in &all {
            if self.out.attachments[a.index()].far == Far::Router {
                self.learn_from_peer(a, table);
            }
        }
    }
}

/// 7: routes of the associated tables (`ways`: all of them, or some) are written into the tables of VPCs; with `only` into
/// those of one.
pub(super) fn sync(
    t: &Typed,
    (out, ways): (&Transit, &[Vec<TrWay>]),
    only: Option<VpcId>,
    tables: &mut [Table],
) {
    // Where the route of a prefix was written, by table.
    let mut known: FxHashMap<(usize, u8, Option<IpAddr>), usize> = FxHashMap::default();
    for (n, table) in tables.iter().enumerate() {
        for (at, r) in table
            .routes
            .iter()
            .enumerate()
            .filter(|(_, r)| propagated(r.from))
        {
            known.entry((n, r.length, r.ips.first())).or_insert(at);
        }
    }
    for (i, a) in (0u32..).zip(&out.attachments) {
        let id = AttachmentId(i);
        let Far::Vpc(vpc, _) = a.far else { continue };
        let publishes = t[id].publishes.known().copied();
        if publishes == Some(false) || only.is_some_and(|v| v != vpc) {
            continue;
        }
        let mine = |n: &usize| {
            let rt = &t[tables[*n].id];
            rt.vpc.known() == Some(&vpc)
                && rt.kind != RouteTableKind::Gateway
                && rt.propagation.known() != Some(&false)
        };
        let mine: Vec<usize> = (0..tables.len()).filter(mine).collect();
        for (_, table) in &a.tables {
            for w in &ways[table.index()] {
                if w.next == TrNext::Blackhole || w.next == TrNext::Attachment(id) {
                    continue;
                }
                let source = out.source(w);
                let permitted = prefixes(w).first().map_or(Some(true), |n| {
                    n.and_then(|n| permits(t, Direction::Out, *table, n, source, Some(vpc)))
                });
                if permitted == Some(false) {
                    continue;
                }
                for &n in &mine {
                    let takes = t[tables[n].id].propagation.known();
                    let optional =
                        w.optional || publishes.is_none() || permitted.is_none() || takes.is_none();
                    let place = known.entry((n, w.length, w.ips.first())).or_insert(usize::MAX);
                    write(&mut tables[n], w, id, optional, place);
                }
            }
        }
    }
}

/// The prefixes of a route; `None` for one that is not known, which is stronger or weaker than any other.
fn prefixes(w: &TrWay) -> Vec<Option<IpNet>> {
    match w.length {
        u8::MAX => vec![None],
        _ => w.ips.to_nets().into_iter().map(Some).collect(),
    }
}

/// Writes a propagated route into a table, beside one of the same prefix if there is one: `place` says where one that
/// begins alike is.
fn write(table: &mut Table, w: &TrWay, id: AttachmentId, optional: bool, place: &mut usize) {
    let here = |r: &&mut Route| propagated(r.from) && r.length == w.length && r.ips == w.ips;
    let same = match table.routes.get(*place) {
        None => None,
        Some(r) if r.ips == w.ips => table.routes.get_mut(*place),
        Some(_) => table.routes.iter_mut().find(here),
    };
    match same {
        Some(r) => {
            if !r.hops.contains(&Hop::Attachment(id)) {
                r.hops.push(Hop::Attachment(id));
            }
            r.optional &= optional;
        }
        None => {
            *place = table.routes.len();
            table.routes.push(Route {
                ips: w.ips.clone(),
                length: w.length,
                hops: vec![Hop::Attachment(id)],
                from: RouteRef::Propagated(id),
                optional,
            });
        }
    }
}

/// The transit routers with their tables, or with some of them.
fn routers<'c, 'a>(
    c: &'c mut Ctx<'a>,
    groups: Groups,
    vswitches: &[Option<Vsw>],
    only: Option<Only<'c>>,
) -> Builder<'c, 'a> {
    let t = c.t;
    let written = hybrid::written(c);
    let routers = t.tr_tables.iter().map(|t| t.router.known().map(|r| r.0));
    let mut b = Builder {
        groups,
        written,
        only,
        out: Transit {
            tables: vec![Vec::new(); t.tr_tables.len()],
            routers: routers.collect(),
            ..Transit::default()
        },
        c,
    };
    b.attachments(vswitches);
    b.regions();
    b.associations();
    b.statics();
    b.propagations();
    b.out.tables.iter_mut().for_each(|ways| sort(ways));
    b
}

/// Strongest route first.
pub(super) fn sort(ways: &mut [TrWay]) {
    ways.sort_by_key(|w| {
        let learned = !matches!(w.from, TrRouteRef::Static(_));
        (std::cmp::Reverse(w.length), learned, w.from)
    });
}

/// The transit routers of an inventory without links, with some of their routes.
pub(super) fn again(c: &mut Ctx<'_>, vswitches: &[Option<Vsw>], only: Only<'_>) -> Transit {
    let groups = groups(c);
    let b = routers(c, groups, vswitches, Some(only));
    finish(b.c, b.groups, b.out)
}

/// Which VPCs anything joins, and how routes of one prefix are taken.
fn finish(c: &Ctx<'_>, mut groups: Groups, mut out: Transit) -> Transit {
    out.any_of_prefix = c.reads(Assumption::Tr1) != Use::First;
    out.groups = (0..c.t.vpcs.len()).map(|v| num(groups.find(v))).collect();
    out
}

/// Resolves what joins VPCs, and writes propagated routes into the tables of the VPCs.
pub(super) fn compile(c: &mut Ctx<'_>, vswitches: &[Option<Vsw>], tables: &mut [Table]) -> (Transit, Hybrid) {
    let t = c.t;
    for p in &t.peerings {
        let known = (p.requester.known().copied(), p.accepter.known().copied());
        if p.meta.origin.maybe.is_some() || known.0.is_none() || known.1.is_none() {
            let why = "it is not known between which VPCs this peering connection is, or whether it exists";
            for v in [known.0, known.1].into_iter().flatten() {
                c.gap_that_takes(&p.meta.origin, why, Some(v));
            }
            if known == (None, None) {
                c.gap_that_takes(&p.meta.origin, why, None);
            }
        }
    }
    let mut groups = groups(c);
    let mut links = hybrid::compile(c, &mut groups, vswitches, tables);
    let mut b = routers(c, groups, vswitches, None);
    sync(b.c.t, (&b.out, &b.out.tables), None, tables);
    hybrid::publish(b.c, &b.written, tables);
    let t = b.c.t;
    hybrid::to_borders(
        &b.out,
        |a| t[a].publishes.known().copied(),
        |_, w, table| {
            let first = prefixes(w).first().copied();
            first.map_or(Some(true), |n| {
                n.and_then(|n| permits(t, Direction::Out, table, n, b.out.source(w), None))
            })
        },
        &mut links,
    );
    hybrid::backhaul(b.c, &mut b.groups, &b.out, tables, &links);
    let wins = b.c.reads(Assumption::Route2);
    tables.iter_mut().for_each(|t| routes::sort(t, wins));
    tables.iter_mut().for_each(Table::complete);
    b.out.complete_all();
    (finish(b.c, b.groups, b.out), links)
}
