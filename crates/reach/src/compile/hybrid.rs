//! Links to sites, ALIBABA.md §11 and §12; the numbers are those of docs/decisions/014.

use super::Ctx;
use super::transit::Groups;
use crate::hybrid::{
    BorderNet, BorderSide, BorderWay, ConnectionNet, GatewayNet, Hybrid, InterfaceEnd, InterfaceNet, SiteNet,
    VpnRouteRef, VpnWay, propagated,
};
use crate::network::{Hop, Route, RouteRef, Table, Vsw};
use crate::transit::{Far, TrNext, TrRouteRef, Transit};
use bartizan_model::{
    Attached, AttachmentId, BorderRouterId, Fact, NextHop, Origin, RouteTableKind, RouterEnd,
    RouterInterfaceId, SiteId, VpcId, VpnConnectionId, VpnEnd, VpnGatewayId,
};
use bartizan_packet::IpSet;
use ipnet::IpNet;

fn num(i: usize) -> u32 {
    u32::try_from(i).unwrap_or(u32::MAX)
}

/// Nothing is known of a part of a link, so nothing is of the VPCs that it may join.
fn gap(c: &mut Ctx<'_>, groups: &mut Groups, origin: &Origin, why: &str, near: Option<VpcId>) {
    match near {
        Some(v) => {
            for v in groups.around(v.index(), c.t.vpcs.len()) {
                c.gap(origin, why, Some(v));
            }
        }
        None => c.gap(origin, why, None),
    }
}

/// Joins the VPCs and routers that links may carry packets between.
pub(super) fn join(c: &Ctx<'_>, g: &mut Groups) {
    let t = c.t;
    let vpcs = t.vpcs.len();
    let site = |s: SiteId| t[s].vpc.index();
    for x in &t.vpn_connections {
        if let VpnEnd::Gateway(Fact::Known(gw)) | VpnEnd::Clients(Fact::Known(gw)) = &x.end
            && let Fact::Known(v) = t[*gw].vpc
        {
            g.join(v.index(), site(x.site));
        }
    }
    for a in &t.attachments {
        let far = match &a.to {
            Attached::Border(Fact::Known(b)) => t[*b].site,
            Attached::Vpn(Fact::Known(x)) => t[*x].site,
            _ => continue,
        };
        if let Fact::Known(r) = a.router {
            g.join(site(far), vpcs + r.index());
        }
    }
    let end = |e: &RouterEnd| match e {
        RouterEnd::Vpc(Fact::Known(v)) => Some(v.index()),
        RouterEnd::Border(Fact::Known(b)) => Some(site(t[*b].site)),
        _ => None,
    };
    for i in &t.router_interfaces {
        if let Fact::Known(Some(o)) = i.opposite
            && let (Some(a), Some(b)) = (end(&i.at), end(&t[o].at))
        {
            g.join(a, b);
        }
    }
    for a in 0..t.sites.len() {
        for b in 0..a {
            let (a, b) = (SiteId(num(a)), SiteId(num(b)));
            if t.site_forwards(a, b).known() != Some(&false) {
                g.join(site(a), site(b));
            }
        }
    }
}

/// The blocks of a list, and whether all of them are known; everything where they are not.
fn blocks(all: &[Fact<IpNet>]) -> (IpSet, bool) {
    let known: Option<Vec<IpNet>> = all.iter().map(|f| f.known().map(IpNet::trunc)).collect();
    match known {
        Some(n) => (IpSet::from_nets(n), true),
        None => (IpSet::full(), false),
    }
}

struct Builder<'c, 'a, 'g> {
    c: &'c mut Ctx<'a>,
    groups: &'g mut Groups,
    out: Hybrid,
}

impl Builder<'_, '_, '_> {
    fn gap(&mut self, origin: &Origin, why: &str, near: Option<VpcId>) {
        gap(self.c, self.groups, origin, why, near);
    }

    fn sites(&mut self) {
        let t = self.c.t;
        let n = t.sites.len();
        for (i, s) in t.sites.iter().enumerate() {
            if let Some(u) = &s.unknown {
                let why = format!("the networks behind this link are not known: {}", u.why);
                self.gap(&s.meta.origin, &why, Some(s.vpc));
            }
            self.out.tables.push(t[s.vpc].system_table.0);
            let id = SiteId(num(i));
            let passes = |o: &SiteId| match t.site_forwards(id, *o) {
                Fact::Known(yes) => yes,
                Fact::Unknown(_) => self.c.widen(),
            };
            let ways = (0..n).map(|o| SiteId(num(o))).filter(passes).collect();
            self.out.sites.push(SiteNet {
                interface: s.interface,
                nets: IpSet::from_nets(t.networks(id)),
                ways,
            });
        }
    }

    fn gateways(&mut self, vswitches: &[Option<Vsw>]) {
        let t = self.c.t;
        for g in &t.vpn_gateways {
            let vpc = g.vpc.known().copied();
            let mut x = GatewayNet {
                vpc,
                ..GatewayNet::default()
            };
            let placed =
                |z: &bartizan_model::VswitchId| vswitches.get(z.index()).is_some_and(Option::is_some);
            match &g.vswitch {
                None => {}
                Some(Fact::Known(z)) if placed(z) => x.zone = Some(*z),
                Some(_) => {
                    x.uncertain = true;
                    self.gap(
                        &g.meta.origin,
                        "the vSwitch of this VPN gateway is not known",
                        vpc,
                    );
                }
            }
            if vpc.is_none() {
                self.gap(&g.meta.origin, "the VPC of this VPN gateway is not known", None);
            }
            if g.meta.origin.maybe.is_some() {
                x.uncertain = true;
                self.gap(
                    &g.meta.origin,
                    "it is not known whether this VPN gateway exists",
                    vpc,
                );
            }
            let mine = t
                .vswitches
                .iter()
                .filter(|v| v.vpc.known().is_some() && v.vpc.known() == vpc.as_ref());
            let all: Vec<Fact<IpNet>> = mine
                .flat_map(|v| std::iter::once(&v.cidr).chain(v.ipv6_cidr.as_ref()))
                .cloned()
                .collect();
            x.blocks = IpSet::from_nets(all.iter().filter_map(|f| f.known().map(IpNet::trunc)));
            if all.iter().any(|f| f.known().is_none()) {
                x.uncertain = true;
                self.gap(
                    &g.meta.origin,
                    "a block of the VPC of this VPN gateway is not known",
                    vpc,
                );
            }
            self.out.gateways.push(x);
        }
    }

    fn near(&self, g: Option<VpnGatewayId>) -> Option<VpcId> {
        g.and_then(|g| self.out.gateways.get(g.index())?.vpc)
    }

    fn connections(&mut self) {
        let t = self.c.t;
        // What is not known of a gateway is not known of what comes in by it.
        let doubtful: Vec<bool> = self.out.gateways.iter().map(|g| g.uncertain).collect();
        for (i, x) in (0u32..).zip(&t.vpn_connections) {
            let id = VpnConnectionId(i);
            let site = Some(t[x.site].vpc);
            let gateway = match &x.end {
                VpnEnd::Gateway(g) | VpnEnd::Clients(g) => match g {
                    Fact::Known(g) => Some(*g),
                    Fact::Unknown(_) => {
                        self.gap(
                            &x.meta.origin,
                            "the VPN gateway of this connection is not known",
                            None,
                        );
                        None
                    }
                },
                VpnEnd::Attached => None,
            };
            let ((local, a), (remote, b)) = (blocks(&x.local), blocks(&x.remote));
            let mut uncertain = gateway.is_some_and(|g| doubtful.get(g.index()) == Some(&true));
            if !a || !b {
                uncertain = true;
                self.gap(
                    &x.meta.origin,
                    "a block that this connection carries is not known",
                    site,
                );
            }
            if x.meta.origin.maybe.is_some() {
                uncertain = true;
                self.gap(
                    &x.meta.origin,
                    "it is not known whether this connection exists",
                    site,
                );
            }
            let (remote4, local4) = (v4(remote), v4(local));
            let mut ways: Vec<VpnWay> = Vec::new();
            let bgp = x.bgp.known().copied();
            let learned = match (&x.learned, bgp) {
                (_, Some(false)) => Vec::new(),
                (Fact::Known(n), Some(true)) => n.clone(),
                _ => {
                    uncertain = true;
                    self.gap(
                        &x.meta.origin,
                        "what is learned by BGP over this connection is not known",
                        site,
                    );
                    x.learned.known().cloned().unwrap_or_default()
                }
            };
            // Anything may be announced where that is not known.
            let anything = bgp != Some(false) && x.learned.known().is_none();
            let everything = || (IpSet::full(), 0);
            if matches!(x.end, VpnEnd::Clients(_)) {
                ways.push(VpnWay {
                    source: everything(),
                    ips: (remote4.clone(), 32),
                    kind: 0,
                    active: true,
                    next: id,
                    from: VpnRouteRef::Pool(id),
                });
            } else if matches!(x.end, VpnEnd::Gateway(_)) {
                let whole =
                    |all: &[Fact<IpNet>]| all.iter().all(|n| n.known().is_some_and(|n| n.prefix_len() == 0));
                let selectors = !(whole(&x.local) && whole(&x.remote));
                let configures = x.configures.known().copied();
                if configures.is_none() && selectors {
                    uncertain = true;
                    self.gap(
                        &x.meta.origin,
                        "it is not known whether this connection makes routes",
                        site,
                    );
                }
                if selectors && configures != Some(false) {
                    for (s, d) in x.local.iter().flat_map(|s| x.remote.iter().map(move |d| (s, d))) {
                        let part = |n: &Fact<IpNet>| match n {
                            Fact::Known(n) => (IpSet::from(n.trunc()), n.prefix_len()),
                            Fact::Unknown(_) => everything(),
                        };
                        ways.push(VpnWay {
                            source: part(s),
                            ips: part(d),
                            kind: 1,
                            active: true,
                            next: id,
                            from: VpnRouteRef::Blocks(id),
                        });
                    }
                }
                let some = learned.iter().map(|n| (IpSet::from(n.trunc()), n.prefix_len()));
                for ips in some.chain(anything.then(everything)) {
                    ways.push(VpnWay {
                        source: everything(),
                        ips,
                        kind: 3,
                        active: true,
                        next: id,
                        from: VpnRouteRef::Learned(id),
                    });
                }
            }
            if let Some(gw) = gateway.and_then(|g| self.out.gateways.get_mut(g.index())) {
                gw.uncertain |= uncertain;
                gw.routes.append(&mut ways);
            }
            self.out.connections.push(ConnectionNet {
                gateway,
                attachments: Vec::new(),
                site: x.site,
                local: local4,
                remote: remote4,
                routes: if anything {
                    IpSet::full()
                } else {
                    IpSet::from_nets(learned.iter().map(IpNet::trunc))
                },
                uncertain,
            });
        }
        for (i, a) in (0u32..).zip(&t.attachments) {
            match &a.to {
                Attached::Vpn(Fact::Known(x)) => {
                    if let Some(x) = self.out.connections.get_mut(x.index()) {
                        x.attachments.push(AttachmentId(i));
                    }
                }
                Attached::Vpn(Fact::Unknown(_)) => {
                    self.gap(
                        &a.meta.origin,
                        "the connection that is attached is not known",
                        None,
                    );
                }
                _ => {}
            }
        }
    }

    fn routes(&mut self) {
        let t = self.c.t;
        for (i, r) in (0u32..).zip(&t.vpn_routes) {
            let gateway = r.gateway.as_ref().map(|g| g.known().copied());
            let next = r.next.known().copied();
            let near = self
                .near(gateway.flatten())
                .or_else(|| next.map(|n| t[t[n].site].vpc));
            let known = gateway != Some(None)
                && next.is_some()
                && r.destination.known().is_some()
                && r.source.as_ref().is_none_or(|s| s.known().is_some())
                && r.active.known().is_some()
                && r.origin.maybe.is_none();
            if !known {
                self.gap(&r.origin, "this route of a VPN gateway is not fully known", near);
                if let Some(gw) = gateway
                    .flatten()
                    .and_then(|g| self.out.gateways.get_mut(g.index()))
                {
                    gw.uncertain = true;
                }
                if let Some(x) = next.and_then(|n| self.out.connections.get_mut(n.index())) {
                    x.uncertain = true;
                }
            }
            let part = |n: &Fact<IpNet>| match n {
                Fact::Known(n) => (IpSet::from(n.trunc()), n.prefix_len()),
                Fact::Unknown(_) => (IpSet::full(), 0),
            };
            // Where the connection is not known it may be any that ends there.
            let here = |c: &ConnectionNet| {
                next.is_none() && Some(c.gateway) == gateway.map_or(Some(None), |g| g.map(Some))
            };
            let candidates: Vec<VpnConnectionId> = match next {
                Some(n) => vec![n],
                None => (0u32..)
                    .zip(&self.out.connections)
                    .filter(|(_, c)| here(c))
                    .map(|(n, _)| VpnConnectionId(n))
                    .collect(),
            };
            for next in candidates {
                match gateway {
                    None => {
                        if let Some(x) = self.out.connections.get_mut(next.index()) {
                            x.uncertain |= !known;
                            x.routes = x.routes.union(&part(&r.destination).0);
                        }
                    }
                    Some(Some(g)) => {
                        if let Some(gw) = self.out.gateways.get_mut(g.index()) {
                            gw.routes.push(VpnWay {
                                source: r.source.as_ref().map_or((IpSet::full(), 0), part),
                                ips: part(&r.destination),
                                kind: if r.source.is_some() { 1 } else { 2 },
                                active: r.active.known() != Some(&false),
                                next,
                                from: VpnRouteRef::Route(i),
                            });
                        }
                    }
                    Some(None) => {}
                }
            }
        }
    }

    fn interfaces(&mut self) {
        let t = self.c.t;
        for i in &t.router_interfaces {
            let (at, near) = match &i.at {
                RouterEnd::Vpc(Fact::Known(v)) => (InterfaceEnd::Vpc(*v), Some(*v)),
                RouterEnd::Border(Fact::Known(b)) => (InterfaceEnd::Border(*b), Some(t[t[*b].site].vpc)),
                _ => (InterfaceEnd::Unknown, None),
            };
            let certain =
                at != InterfaceEnd::Unknown && i.opposite.known().is_some() && i.meta.origin.maybe.is_none();
            if !certain {
                let why = "it is not known what this router interface connects";
                self.gap(&i.meta.origin, why, near);
            }
            self.out.interfaces.push(InterfaceNet {
                at,
                opposite: i.opposite.known().copied().flatten(),
            });
        }
    }

    fn borders(&mut self, tables: &[Table]) {
        let t = self.c.t;
        for (i, b) in (0u32..).zip(&t.border_routers) {
            let site = Some(t[b.site].vpc);
            let mut x = BorderNet {
                site: b.site,
                routes: Vec::new(),
                uncertain: false,
            };
            if b.meta.origin.maybe.is_some() {
                x.uncertain = true;
                self.gap(
                    &b.meta.origin,
                    "it is not known whether this border router exists",
                    site,
                );
            }
            match &b.learned {
                Fact::Known(nets) => x.routes.extend(nets.iter().map(|n| BorderWay {
                    ips: IpSet::from(n.trunc()),
                    length: n.prefix_len(),
                    rank: 2,
                    to: BorderSide::Port,
                    entry: None,
                    optional: false,
                })),
                Fact::Unknown(u) => {
                    x.uncertain = true;
                    let why = format!("what this border router learns is not known: {}", u.why);
                    self.gap(&b.meta.origin, &why, site);
                    x.routes.push(BorderWay {
                        ips: IpSet::full(),
                        length: u8::MAX,
                        rank: 2,
                        to: BorderSide::Port,
                        entry: None,
                        optional: true,
                    });
                }
            }
            let own = tables.get(b.table.index()).into_iter().flat_map(|t| &t.routes);
            for r in own {
                let RouteRef::Entry(n) = r.from else { continue };
                let unknown = |h: &NextHop| matches!(h, NextHop::Unmodelled { .. } | NextHop::Unknown(_));
                let e = t.route_entries.get(n as usize);
                if let Some(e) = e.filter(|e| e.next_hops.iter().any(unknown)) {
                    x.uncertain = true;
                    let why = "the next hop of this route of a border router is not known; say what is behind its port with `link`";
                    self.gap(&e.origin.clone(), why, site);
                }
                for h in &r.hops {
                    let to = match h {
                        Hop::RouterInterface(k)
                            if self.out.interfaces.get(k.index()).map(|k| k.at)
                                == Some(InterfaceEnd::Border(BorderRouterId(i))) =>
                        {
                            BorderSide::Interface(*k)
                        }
                        Hop::Unmodelled => BorderSide::Port,
                        _ => BorderSide::Nowhere,
                    };
                    x.routes.push(BorderWay {
                        ips: r.ips.clone(),
                        length: r.length,
                        rank: 1,
                        to,
                        entry: Some(n),
                        optional: r.optional,
                    });
                }
            }
            self.out.borders.push(x);
        }
        for a in &t.attachments {
            if let Attached::Border(Fact::Unknown(_)) = a.to {
                self.gap(
                    &a.meta.origin,
                    "the border router that is attached is not known",
                    None,
                );
            }
        }
    }
}

fn v4(s: IpSet) -> IpSet {
    IpSet {
        v4: s.v4,
        ..IpSet::default()
    }
}

/// Resolves links to sites, without what transit routers publish to border routers.
pub(super) fn compile(
    c: &mut Ctx<'_>,
    groups: &mut Groups,
    vswitches: &[Option<Vsw>],
    tables: &[Table],
) -> Hybrid {
    let mut b = Builder {
        c,
        groups,
        out: Hybrid::default(),
    };
    b.sites();
    b.gateways(vswitches);
    b.connections();
    b.routes();
    b.interfaces();
    b.borders(tables);
    b.out
}

/// A prefix that a gateway writes into the tables of its VPC.
pub(super) struct Written {
    pub(super) vpc: VpcId,
    /// `None` where that is not known.
    pub(super) net: Option<IpNet>,
    pub(super) gateway: VpnGatewayId,
    pub(super) optional: bool,
}

/// 12: what gateways write into the tables of their VPCs.
pub(super) fn written(c: &Ctx<'_>) -> Vec<Written> {
    let t = c.t;
    let mut out = Vec::new();
    let mut put = |gateway: VpnGatewayId, net: Option<IpNet>, optional: bool| {
        if let Fact::Known(vpc) = t[gateway].vpc {
            let optional = optional || net.is_none() || t[gateway].meta.origin.maybe.is_some();
            out.push(Written {
                vpc,
                net: net.map(|n| n.trunc()),
                gateway,
                optional,
            });
        }
    };
    for r in &t.vpn_routes {
        if let Some(Fact::Known(g)) = r.gateway
            && r.publishes.known() != Some(&false)
        {
            let net = r.destination.known().copied();
            put(g, net, r.origin.maybe.is_some() || r.publishes.known().is_none());
        }
    }
    for x in &t.vpn_connections {
        if let VpnEnd::Gateway(Fact::Known(g)) = x.end
            && x.bgp.known() != Some(&false)
            && t[g].propagates.known() != Some(&false)
        {
            let sure = x.bgp.known().is_some() && t[g].propagates.known().is_some();
            for n in x.learned.known().into_iter().flatten() {
                put(g, Some(*n), !sure || x.meta.origin.maybe.is_some());
            }
            if x.learned.known().is_none() {
                put(g, None, true);
            }
        }
    }
    out
}

/// Writes them, beside what a transit router wrote for the same prefix.
pub(super) fn publish(c: &Ctx<'_>, written: &[Written], tables: &mut [Table]) {
    for (rt, table) in c.t.route_tables.iter().zip(tables.iter_mut()) {
        let takes = rt.propagation.known().copied();
        if takes == Some(false) || !matches!(rt.kind, RouteTableKind::System | RouteTableKind::Custom) {
            continue;
        }
        for w in written.iter().filter(|w| rt.vpc.known() == Some(&w.vpc)) {
            let ips = w.net.map_or_else(IpSet::full, IpSet::from);
            let (length, hop) = (w.net.map_or(u8::MAX, |n| n.prefix_len()), Hop::Vpn(w.gateway));
            let optional = w.optional || takes.is_none();
            let same = |r: &&mut Route| propagated(r.from) && r.length == length && r.ips == ips;
            match table.routes.iter_mut().find(same) {
                Some(r) => {
                    if !r.hops.contains(&hop) {
                        r.hops.push(hop);
                    }
                    r.optional &= optional;
                }
                None => table.routes.push(Route {
                    ips,
                    length,
                    hops: vec![hop],
                    from: RouteRef::Published(w.gateway),
                    optional,
                }),
            }
        }
    }
}

/// 15: what transit routers publish to border routers.
pub(super) fn to_borders(
    transit: &Transit,
    publishes: impl Fn(AttachmentId) -> Option<bool>,
    mapped: impl Fn(AttachmentId, &crate::transit::TrWay, bartizan_model::TrTableId) -> Option<bool>,
    h: &mut Hybrid,
) {
    for (i, a) in (0u32..).zip(&transit.attachments) {
        let id = AttachmentId(i);
        let (Far::Border(b), yes) = (&a.far, publishes(id)) else {
            continue;
        };
        let Some(border) = h.borders.get_mut(b.index()).filter(|_| yes != Some(false)) else {
            continue;
        };
        for (_, table) in &a.tables {
            for w in transit.tables.get(table.index()).into_iter().flatten() {
                if w.next == TrNext::Blackhole || w.next == TrNext::Attachment(id) {
                    continue;
                }
                let permitted = mapped(id, w, *table);
                if permitted != Some(false) {
                    border.routes.push(BorderWay {
                        ips: w.ips.clone(),
                        length: w.length,
                        rank: 0,
                        to: BorderSide::Attachment(id),
                        entry: None,
                        optional: w.optional || yes.is_none() || permitted.is_none(),
                    });
                }
            }
        }
    }
    for b in &mut h.borders {
        b.routes
            .sort_by_key(|w| (std::cmp::Reverse((w.length, w.rank)), w.to, w.entry));
    }
}

/// What a site does with packets for the Internet is its own business: where routes lead them there, nothing is
/// known of what becomes of them.
pub(super) fn backhaul(
    c: &mut Ctx<'_>,
    groups: &mut Groups,
    transit: &Transit,
    tables: &[Table],
    h: &Hybrid,
) {
    let t = c.t;
    let quiet = t.sites.iter().all(|s| s.internet.known() == Some(&false));
    if quiet {
        return;
    }
    let mut outside = IpSet::public();
    for s in &h.sites {
        outside = outside.subtract(&s.nets);
    }
    let why = "it leads packets for the Internet to a site, which may send them there; say `internet none` of its link if it does not";
    for (rt, table) in t.route_tables.iter().zip(tables) {
        let Some(vpc) = rt.vpc.known().filter(|_| rt.kind != RouteTableKind::Border) else {
            continue;
        };
        for r in table.routes.iter().filter(|r| r.ips.intersects(&outside)) {
            let to_site = |x: &Hop| match x {
                Hop::Vpn(_) => true,
                Hop::RouterInterface(i) => far_is_border(h, *i),
                _ => false,
            };
            if r.hops.iter().any(to_site) {
                let origin = match r.from {
                    RouteRef::Entry(n) => t.route_entries.get(n as usize).map(|e| e.origin.clone()),
                    _ => None,
                };
                let origin = origin.unwrap_or_else(|| rt.meta.origin.clone());
                gap(c, groups, &origin, why, Some(*vpc));
            }
        }
    }
    for (n, table) in transit.tables.iter().enumerate() {
        for w in table.iter().filter(|w| w.ips.intersects(&outside)) {
            let TrNext::Attachment(a) = w.next else { continue };
            let far = transit.attachments.get(a.index()).map(|a| &a.far);
            if matches!(far, Some(Far::Border(_) | Far::Connection(_))) {
                let origin = match w.from {
                    TrRouteRef::Static(i) => t.tr_routes.get(i as usize).map(|r| r.origin.clone()),
                    TrRouteRef::Learned(_) => None,
                };
                let origin = origin.unwrap_or_else(|| t.tr_tables[n].meta.origin.clone());
                let near = match &t[a].to {
                    Attached::Border(Fact::Known(b)) => Some(t[t[*b].site].vpc),
                    Attached::Vpn(Fact::Known(x)) => Some(t[t[*x].site].vpc),
                    _ => None,
                };
                gap(c, groups, &origin, why, near);
            }
        }
    }
}

fn far_is_border(h: &Hybrid, i: RouterInterfaceId) -> bool {
    let far = h.interfaces.get(i.index()).and_then(|x| x.opposite);
    let at = far.and_then(|o| h.interfaces.get(o.index())).map(|o| o.at);
    !matches!(at, Some(InterfaceEnd::Vpc(_)))
}
