//! Links to other sites (ALIBABA.md §11, §12; the numbers are those of docs/decisions/014).

use crate::forward::{Exit, Goal, Spot, Trail, Walk};
use crate::world::{Hop, Rank, Res, RouteW, Unsupported, World, exists, known};
use bartizan_model::{Attached, Fact, RouteTableKind, RouterEnd, SiteId, Typed, VpnEnd};
use ipnet::IpNet;
use std::net::IpAddr;

/// A site.
pub(crate) struct SiteW {
    pub(crate) eni: usize,
    /// Sites that it passes packets on to, by whose links they may leave; itself where it forwards.
    pub(crate) ways: Vec<usize>,
}

pub(crate) struct VpnRouteW {
    source: Option<IpNet>,
    net: IpNet,
    to: usize,
    active: bool,
}

pub(crate) struct VpnW {
    name: String,
    vpc: usize,
    vswitch: Option<usize>,
    routes: Vec<VpnRouteW>,
}

pub(crate) struct ConnectionW {
    name: String,
    gateway: Option<usize>,
    clients: bool,
    site: usize,
    local: Vec<IpNet>,
    remote: Vec<IpNet>,
    /// What its site announces by BGP.
    learned: Vec<IpNet>,
    /// Destinations of its own routes, where it is attached to a router.
    routes: Vec<IpNet>,
}

pub(crate) struct BorderW {
    name: String,
    site: usize,
    table: usize,
    learned: Vec<IpNet>,
    /// What transit routers write: the prefix and the attachment.
    pub(crate) published: Vec<(IpNet, usize)>,
}

#[derive(Clone, Copy)]
enum EndW {
    Vpc(usize),
    Border(usize),
}

pub(crate) struct RouterInterfaceW {
    name: String,
    at: EndW,
    opposite: Option<usize>,
}

/// What is attached to a transit router that is neither a VPC nor a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beyond {
    Border(usize),
    Connection(usize),
}

/// What a packet crosses once (6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Once {
    Connection(usize),
    Border(usize),
    /// A pair of router interfaces, by the one that it leaves by.
    Interfaces(usize),
}

/// From where a packet comes to a border router, or where it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Port,
    Interface(usize),
    Attachment(usize),
}

#[derive(Default)]
pub(crate) struct HybridW {
    pub(crate) sites: Vec<SiteW>,
    vpns: Vec<VpnW>,
    connections: Vec<ConnectionW>,
    pub(crate) borders: Vec<BorderW>,
    interfaces: Vec<RouterInterfaceW>,
    /// Blocks of the vSwitches per VPC.
    blocks: Vec<Vec<IpNet>>,
}

fn facts(all: &[Fact<IpNet>], what: &str) -> Res<Vec<IpNet>> {
    all.iter().map(|f| Ok(known(f, what)?.trunc())).collect()
}

fn number(i: usize) -> SiteId {
    SiteId(u32::try_from(i).unwrap_or(u32::MAX))
}

pub(crate) fn read(t: &Typed) -> Res<HybridW> {
    let mut h = HybridW {
        blocks: vec![Vec::new(); t.vpcs.len()],
        ..HybridW::default()
    };
    for v in &t.vswitches {
        let vpc = known(&v.vpc, "the VPC of a vSwitch")?.index();
        h.blocks[vpc].push(known(&v.cidr, "the block of a vSwitch")?.trunc());
        if let Some(c) = &v.ipv6_cidr {
            h.blocks[vpc].push(known(c, "the IPv6 block of a vSwitch")?.trunc());
        }
    }
    for (i, s) in t.sites.iter().enumerate() {
        if let Some(u) = &s.unknown {
            let name = &s.meta.origin.address;
            return Err(Unsupported(format!(
                "the networks of `{name}` are not known ({})",
                u.why
            )));
        }
        let mut ways = Vec::new();
        for j in 0..t.sites.len() {
            let said = t.site_forwards(number(i), number(j));
            if *known(&said, "whether a site passes packets on")? {
                ways.push(j);
            }
        }
        h.sites.push(SiteW {
            eni: s.interface.index(),
            ways,
        });
    }
    for g in &t.vpn_gateways {
        exists(&g.meta.origin)?;
        let vswitch = match &g.vswitch {
            Some(v) => Some(known(v, "the vSwitch of a VPN gateway")?.index()),
            None => None,
        };
        h.vpns.push(VpnW {
            name: g.meta.origin.address.to_string(),
            vpc: known(&g.vpc, "the VPC of a VPN gateway")?.index(),
            vswitch,
            routes: Vec::new(),
        });
    }
    for c in &t.vpn_connections {
        exists(&c.meta.origin)?;
        let (gateway, clients) = match &c.end {
            VpnEnd::Gateway(g) => (Some(known(g, "the gateway of a connection")?.index()), false),
            VpnEnd::Clients(g) => (Some(known(g, "the gateway of a connection")?.index()), true),
            VpnEnd::Attached => (None, false),
        };
        let bgp = *known(&c.bgp, "whether a connection uses BGP")?;
        let learned = if bgp {
            known(&c.learned, "what a site announces")?.clone()
        } else {
            Vec::new()
        };
        h.connections.push(ConnectionW {
            name: c.meta.origin.address.to_string(),
            gateway,
            clients,
            site: c.site.index(),
            local: facts(&c.local, "a local block of a connection")?,
            remote: facts(&c.remote, "a remote block of a connection")?,
            learned,
            routes: Vec::new(),
        });
    }
    h.vpn_routes(t)?;
    for b in &t.border_routers {
        exists(&b.meta.origin)?;
        h.borders.push(BorderW {
            name: b.meta.origin.address.to_string(),
            site: b.site.index(),
            table: b.table.index(),
            learned: known(&b.learned, "what a site announces")?.clone(),
            published: Vec::new(),
        });
    }
    for i in &t.router_interfaces {
        exists(&i.meta.origin)?;
        let at = match &i.at {
            RouterEnd::Vpc(v) => EndW::Vpc(known(v, "the VPC of a router interface")?.index()),
            RouterEnd::Border(b) => {
                EndW::Border(known(b, "the border router of a router interface")?.index())
            }
        };
        let opposite = *known(&i.opposite, "the other end of a router interface")?;
        h.interfaces.push(RouterInterfaceW {
            name: i.meta.origin.address.to_string(),
            at,
            opposite: opposite.map(bartizan_model::RouterInterfaceId::index),
        });
    }
    Ok(h)
}

impl HybridW {
    /// Routes as written, and those that connections make (9).
    fn vpn_routes(&mut self, t: &Typed) -> Res<()> {
        for r in &t.vpn_routes {
            exists(&r.origin)?;
            let net = known(&r.destination, "the destination of a VPN route")?.trunc();
            let to = known(&r.next, "the connection of a VPN route")?.index();
            let source = match &r.source {
                Some(s) => Some(known(s, "the source of a VPN route")?.trunc()),
                None => None,
            };
            let active = *known(&r.active, "the weight of a VPN route")?;
            match &r.gateway {
                Some(g) => self.vpns[known(g, "the gateway of a VPN route")?.index()]
                    .routes
                    .push(VpnRouteW {
                        source,
                        net,
                        to,
                        active,
                    }),
                None => self.connections[to].routes.push(net),
            }
        }
        for (i, c) in t.vpn_connections.iter().enumerate() {
            let w = &self.connections[i];
            let whole = |nets: &[IpNet]| nets.iter().all(|n| n.prefix_len() == 0);
            let Some(g) = w.gateway.filter(|_| !w.clients) else {
                continue;
            };
            if !*known(&c.configures, "whether a connection makes routes")?
                || whole(&w.local) && whole(&w.remote)
            {
                continue;
            }
            for s in &w.local {
                for d in &w.remote {
                    self.vpns[g].routes.push(VpnRouteW {
                        source: Some(*s),
                        net: *d,
                        to: i,
                        active: true,
                    });
                }
            }
        }
        Ok(())
    }

    /// 8: the connections that a gateway picks.
    fn pick(&self, g: usize, src: IpAddr, dst: IpAddr) -> Vec<usize> {
        let here = |c: usize| self.connections[c].gateway == Some(g);
        let clients: Vec<usize> = (0..self.connections.len())
            .filter(|&c| here(c) && self.connections[c].clients && covers(&self.connections[c].remote, dst))
            .collect();
        if !clients.is_empty() {
            return clients;
        }
        let routes = &self.vpns[g].routes;
        let fits = |r: &&VpnRouteW| r.net.contains(&dst) && r.source.is_none_or(|s| s.contains(&src));
        let policy = routes.iter().filter(|r| r.source.is_some()).filter(fits);
        let rank = |r: &VpnRouteW| {
            let source = r.source.map_or(0, |s| s.prefix_len());
            (r.net.prefix_len(), source, r.active)
        };
        if let Some(best) = policy.clone().map(rank).max() {
            return distinct(policy.filter(|r| rank(r) == best).map(|r| r.to));
        }
        let plain = routes.iter().filter(|r| r.source.is_none()).filter(fits);
        if let Some(best) = plain.clone().map(rank).max() {
            return distinct(plain.filter(|r| rank(r) == best).map(|r| r.to));
        }
        let announced = |c: &usize| {
            let nets = self.connections[*c].learned.iter().filter(|n| n.contains(&dst));
            nets.map(|n| n.prefix_len()).max()
        };
        let all = (0..self.connections.len()).filter(|&c| here(c));
        match all.clone().filter_map(|c| announced(&c)).max() {
            Some(best) => all.filter(|c| announced(c) == Some(best)).collect(),
            None => Vec::new(),
        }
    }
}

fn distinct(all: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut v: Vec<usize> = all.collect();
    v.sort_unstable();
    v.dedup();
    v
}

fn covers(nets: &[IpNet], ip: IpAddr) -> bool {
    nets.iter().any(|n| n.contains(&ip))
}

/// What is attached, if it is a link to a site.
pub(crate) fn beyond(a: &Attached) -> Res<Option<Beyond>> {
    Ok(match a {
        Attached::Border(b) => Some(Beyond::Border(
            known(b, "the border router of an attachment")?.index(),
        )),
        Attached::Vpn(v) => Some(Beyond::Connection(
            known(v, "the connection of an attachment")?.index(),
        )),
        _ => None,
    })
}

impl World {
    /// The site that an interface stands for.
    pub(crate) fn site_of(&self, eni: usize) -> Option<usize> {
        self.hybrid.sites.iter().position(|s| s.eni == eni)
    }

    /// 13, 18: what a table learns from an attached link.
    pub(crate) fn announced(&self, b: Beyond) -> Vec<IpNet> {
        match b {
            Beyond::Border(b) => self.hybrid.borders[b].learned.clone(),
            Beyond::Connection(c) => {
                let c = &self.hybrid.connections[c];
                c.routes.iter().chain(&c.learned).copied().collect()
            }
        }
    }

    /// 12: what the gateways of a VPC write into its tables, with the gateway.
    pub(crate) fn written(&self, t: &Typed, vpc: usize) -> Res<Vec<(IpNet, usize)>> {
        let mut out = Vec::new();
        for r in &t.vpn_routes {
            let Some(g) = &r.gateway else { continue };
            let g = known(g, "the gateway of a VPN route")?.index();
            if self.hybrid.vpns[g].vpc == vpc && *known(&r.publishes, "whether a VPN route is published")? {
                out.push((
                    known(&r.destination, "the destination of a VPN route")?.trunc(),
                    g,
                ));
            }
        }
        for (g, x) in t.vpn_gateways.iter().enumerate() {
            if self.hybrid.vpns[g].vpc != vpc || !*known(&x.propagates, "whether a gateway publishes")? {
                continue;
            }
            let mine = self.hybrid.connections.iter().filter(|c| c.gateway == Some(g));
            out.extend(mine.flat_map(|c| &c.learned).map(|n| (n.trunc(), g)));
        }
        out.sort_unstable();
        out.dedup();
        Ok(out)
    }

    /// 12: into every vSwitch table of the VPC that takes propagated routes.
    pub(crate) fn publish_vpn(&mut self, t: &Typed) -> Res<()> {
        for (table, rt) in t.route_tables.iter().enumerate() {
            let takes = *known(&rt.propagation, "whether a table takes propagated routes")?;
            let kind = matches!(rt.kind, RouteTableKind::System | RouteTableKind::Custom);
            let Some(vpc) = rt.vpc.known().filter(|_| takes && kind) else {
                continue;
            };
            for (net, g) in self.written(t, vpc.index())? {
                self.tables[table].push(RouteW {
                    net,
                    hops: vec![Hop::Vpn(g)],
                    rank: Rank::Propagated,
                });
            }
        }
        Ok(())
    }

    /// 15: where a border router sends a packet.
    fn border_ways(&self, b: usize, dst: IpAddr) -> Vec<Option<Side>> {
        let x = &self.hybrid.borders[b];
        let mut all: Vec<((u8, u8), Option<Side>)> = Vec::new();
        for n in x.learned.iter().filter(|n| n.contains(&dst)) {
            all.push(((n.prefix_len(), 2), Some(Side::Port)));
        }
        for r in self.tables[x.table]
            .iter()
            .filter(|r| r.rank == Rank::Custom && r.net.contains(&dst))
        {
            for h in &r.hops {
                let to = match h {
                    Hop::Ri(i) if matches!(self.hybrid.interfaces[*i].at, EndW::Border(y) if y == b) => {
                        Some(Side::Interface(*i))
                    }
                    _ => None,
                };
                all.push(((r.net.prefix_len(), 1), to));
            }
        }
        for (n, a) in x.published.iter().filter(|(n, _)| n.contains(&dst)) {
            all.push(((n.prefix_len(), 0), Some(Side::Attachment(*a))));
        }
        let best = all.iter().map(|(k, _)| *k).max();
        let mut out: Vec<Option<Side>> = Vec::new();
        for (_, s) in all.into_iter().filter(|(k, _)| Some(*k) == best) {
            if !out.contains(&s) {
                out.push(s);
            }
        }
        out
    }
}

impl Walk<'_> {
    /// 6: `false` for a loop.
    fn once(&self, t: &mut Trail, what: Once) -> bool {
        let first = !t.once.contains(&what);
        t.once.push(what);
        first
    }

    /// 2: a site sends, by its own links and by those of sites that it has a way to.
    pub(crate) fn send_from_site(&mut self, t: Trail, site: usize) {
        let mut by = vec![site];
        by.extend(self.w.hybrid.sites[site].ways.iter().filter(|s| **s != site));
        self.by_links(t, &by);
    }

    /// 2, 4, 21: out by every link of some sites that takes the packet in.
    fn by_links(&mut self, t: Trail, sites: &[usize]) {
        let w = self.w;
        let (src, dst) = (self.p.src.ip, self.p.dst.ip);
        let mut any = false;
        for (i, c) in w.hybrid.connections.iter().enumerate() {
            let carries = dst.is_ipv4() && covers(&c.remote, src) && covers(&c.local, dst);
            if sites.contains(&c.site) && carries && !t.once.contains(&Once::Connection(i)) {
                any = true;
                self.leave_connection(t.clone(), i);
            }
        }
        for (i, b) in w.hybrid.borders.iter().enumerate() {
            let leads = w.border_ways(i, dst).iter().any(|s| *s != Some(Side::Port));
            if sites.contains(&b.site) && leads && !t.once.contains(&Once::Border(i)) {
                any = true;
                self.at_border(t.clone(), i, Side::Port);
            }
        }
        if !any {
            self.dropped(t, || "no link of the site takes it in".into());
        }
    }

    /// 4, 5: a packet comes to a site.
    fn at_site(&mut self, mut t: Trail, site: usize) {
        let w = self.w;
        let dst = self.p.dst.ip;
        let here = &w.hybrid.sites[site];
        let name = &w.interfaces[here.eni].name;
        self.say(&mut t, || format!("at the site `{name}`"));
        if w.interfaces[here.eni].owns(dst) {
            return self.at_home(t, here.eni);
        }
        for s in here.ways.iter().filter(|s| **s != site) {
            let eni = w.hybrid.sites[*s].eni;
            if w.interfaces[eni].owns(dst) {
                self.at_home(t.clone(), eni);
            }
        }
        self.by_links(t, &here.ways);
    }

    fn at_home(&mut self, t: Trail, eni: usize) {
        if self.goal == Goal::Interface(eni) {
            self.arrived(t, Exit::Arrived);
        } else {
            self.dropped(t, || "the address is the site's".into());
        }
    }

    /// 7, 8: a route of a VPC leads to a VPN gateway.
    pub(crate) fn enter_vpn(&mut self, t: Trail, at: Spot, g: usize) {
        let w = self.w;
        let gw = &w.hybrid.vpns[g];
        let (src, dst) = (self.p.src.ip, self.p.dst.ip);
        if gw.vpc != self.vpc_of(at) {
            return self.dropped(t, || format!("`{}` is in another VPC", gw.name));
        }
        if dst.is_ipv6() {
            return self.dropped(t, || format!("`{}` carries IPv4 only", gw.name));
        }
        if let Some(why) = w.acl_crossing_drop(self.filtered_from(at), None, &self.p) {
            return self.dropped(t, || why);
        }
        if covers(&w.hybrid.blocks[gw.vpc], dst) {
            return self.dropped(t, || format!("`{}` does not send back into its VPC", gw.name));
        }
        let picked = w.hybrid.pick(g, src, dst);
        if picked.is_empty() {
            return self.dropped(t, || format!("`{}` has no route to {dst}", gw.name));
        }
        for c in picked {
            self.enter_connection(t.clone(), Some(g), c);
        }
    }

    /// 10: into a connection, from its gateway or a transit router.
    fn enter_connection(&mut self, mut t: Trail, from: Option<usize>, c: usize) {
        let x = &self.w.hybrid.connections[c];
        let name = &x.name;
        if x.gateway != from {
            return self.dropped(t, || format!("`{name}` is not a connection of this gateway"));
        }
        if !covers(&x.local, self.p.src.ip) || !covers(&x.remote, self.p.dst.ip) {
            return self.dropped(t, || format!("`{name}` does not carry it"));
        }
        if !self.once(&mut t, Once::Connection(c)) {
            return self.dropped(t, || format!("a loop at `{name}`"));
        }
        self.say(&mut t, || format!("by `{name}`"));
        self.at_site(t, x.site);
    }

    /// 11, 13: out of a connection, from its site. Its blocks have been looked at.
    fn leave_connection(&mut self, mut t: Trail, c: usize) {
        let w = self.w;
        let x = &w.hybrid.connections[c];
        if !self.once(&mut t, Once::Connection(c)) {
            return self.dropped(t, || format!("a loop at `{}`", x.name));
        }
        self.say(&mut t, || format!("by `{}`", x.name));
        let dst = self.p.dst.ip;
        let Some(g) = x.gateway else {
            let attached = |a: &crate::rib::AttachmentW| a.beyond == Some(Beyond::Connection(c));
            let all: Vec<usize> = (0..w.attachments.len())
                .filter(|a| attached(&w.attachments[*a]))
                .collect();
            return self.enter_routers(t, &all);
        };
        let gw = &w.hybrid.vpns[g];
        let picked = if covers(&w.hybrid.blocks[gw.vpc], dst) {
            Vec::new()
        } else {
            w.hybrid.pick(g, self.p.src.ip, dst)
        };
        for d in &picked {
            if *d == c {
                self.dropped(t.clone(), || "back to where it came from".into());
            } else {
                self.enter_connection(t.clone(), Some(g), *d);
            }
        }
        if picked.is_empty() {
            let table = match gw.vswitch {
                Some(v) => w.vswitches[v].table,
                None => w.vpcs[gw.vpc].system_table,
            };
            self.routed(t, Spot::Handed(gw.vpc, gw.vswitch), table);
        }
    }

    /// Into transit routers by some attachments.
    fn enter_routers(&mut self, t: Trail, attachments: &[usize]) {
        let w = self.w;
        let mut any = false;
        for &a in attachments {
            for &(_, table) in &w.attachments[a].tables {
                any = true;
                self.in_table(t.clone(), a, table);
            }
        }
        if !any {
            self.dropped(t, || "no table of a router is associated".into());
        }
    }

    /// 13, 15: a transit router hands a packet to a link.
    pub(crate) fn out_to(&mut self, t: Trail, a: usize, b: Beyond) {
        match b {
            Beyond::Border(b) => self.at_border(t, b, Side::Attachment(a)),
            Beyond::Connection(c) => {
                let dst = self.p.dst.ip;
                let x = &self.w.hybrid.connections[c];
                if dst.is_ipv6() {
                    return self.dropped(t, || format!("`{}` carries IPv4 only", x.name));
                }
                if !covers(&x.routes, dst) && !covers(&x.learned, dst) {
                    return self.dropped(t, || format!("`{}` has no route to {dst}", x.name));
                }
                self.enter_connection(t, None, c);
            }
        }
    }

    /// 15, 17: a border router.
    fn at_border(&mut self, mut t: Trail, b: usize, from: Side) {
        let w = self.w;
        let x = &w.hybrid.borders[b];
        if !self.once(&mut t, Once::Border(b)) {
            return self.dropped(t, || format!("a loop at `{}`", x.name));
        }
        self.say(&mut t, || format!("at `{}`", x.name));
        let ways = w.border_ways(b, self.p.dst.ip);
        if ways.is_empty() {
            return self.dropped(t.clone(), || format!("`{}` has no route", x.name));
        }
        for to in ways {
            let t = t.clone();
            match to {
                None => self.dropped(t, || "the next hop is not one of this border router".into()),
                Some(s) if s == from => self.dropped(t, || "back to where it came from".into()),
                Some(Side::Port) => self.at_site(t, x.site),
                Some(Side::Interface(i)) => self.over(t, i),
                Some(Side::Attachment(a)) => self.enter_routers(t, &[a]),
            }
        }
    }

    /// 19: a route of a VPC leads to a router interface.
    pub(crate) fn enter_interface(&mut self, t: Trail, at: Spot, i: usize) {
        let x = &self.w.hybrid.interfaces[i];
        if !matches!(x.at, EndW::Vpc(v) if v == self.vpc_of(at)) {
            return self.dropped(t, || format!("`{}` is not one of this VPC", x.name));
        }
        if let Some(why) = self.w.acl_crossing_drop(self.filtered_from(at), None, &self.p) {
            return self.dropped(t, || why);
        }
        self.over(t, i);
    }

    /// From a router interface to the opposite one.
    fn over(&mut self, mut t: Trail, i: usize) {
        let w = self.w;
        let x = &w.hybrid.interfaces[i];
        let Some(o) = x.opposite else {
            return self.dropped(t, || format!("`{}` has no other end", x.name));
        };
        if !self.once(&mut t, Once::Interfaces(i)) {
            return self.dropped(t, || format!("a loop at `{}`", x.name));
        }
        match w.hybrid.interfaces[o].at {
            EndW::Vpc(v) => self.routed(t, Spot::Handed(v, None), w.vpcs[v].system_table),
            EndW::Border(b) => self.at_border(t, b, Side::Interface(o)),
        }
    }
}
