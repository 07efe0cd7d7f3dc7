//! Where packets end behind links to sites.

use super::routes::{At, EndKind, Overlap, RouteEnd, RouteRow, RouteState, TableRows, View};
use super::routes_walk::put;
use bartizan_model::{
    BorderRouterId, Fact, RouteTableId, RouterInterfaceId, SiteId, VpcId, VpnConnectionId, VpnGatewayId,
};
use bartizan_packet::IpSet;
use bartizan_reach::hybrid::{BorderSide, BorderWay, InterfaceEnd, VpnRouteRef, VpnWay};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Where a packet comes to a border router from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    /// By a router interface.
    Over(RouterInterfaceId),
    /// From a transit router.
    Router,
    /// It does not matter: what an entry does with what it is for.
    Anywhere,
}

impl View<'_> {
    /// Into a site by a connection.
    pub(super) fn at_site(&self, c: VpnConnectionId, path: &[String], ends: &mut BTreeSet<RouteEnd>) {
        let t = &self.f.inventory.typed;
        let by = &t[c].meta.origin.address;
        put(
            ends,
            path,
            EndKind::Site(t[c].site),
            self.site_text(t[c].site, by),
        );
    }

    /// At a site, by a link. The address of one that an intent declares says that it is one.
    fn site_text(&self, site: SiteId, by: &str) -> String {
        let name = &self.f.inventory.typed[site].meta.origin.address;
        match name.strip_prefix("site ") {
            Some(own) => format!("to the site {own} by {by}"),
            None => format!("to the site {name} by {by}"),
        }
    }

    /// By a VPN gateway, whatever the source.
    pub(super) fn by_gateway(
        &self,
        g: VpnGatewayId,
        ip: IpAddr,
        path: &[String],
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let name = &self.f.inventory.typed[g].meta.origin.address;
        let gw = &self.net.hybrid.gateways[g.index()];
        // Policy routes tell sources apart: each kind of source goes its way.
        let mut sources: Vec<IpAddr> = Vec::new();
        for r in gw.routes.iter().filter(|r| r.ips.0.contains(ip)) {
            let own = r.source.0.intersect(&gw.blocks);
            let some = [own.first(), r.source.0.first()].into_iter().flatten();
            sources.extend(some.filter(|x| x.is_ipv4() == ip.is_ipv4()));
        }
        sources.sort_unstable();
        sources.dedup();
        let picked = sources.iter().flat_map(|src| self.net.hybrid.pick(g, *src, ip).0);
        let to: BTreeSet<VpnConnectionId> = picked
            .map(|(c, _)| c)
            .filter(|c| self.net.hybrid.connections[c.index()].remote.contains(ip))
            .collect();
        if gw.blocks.contains(ip) {
            put(
                ends,
                path,
                EndKind::Dropped,
                format!("dropped: {name} does not send back into its VPC"),
            );
        } else if to.is_empty() {
            put(
                ends,
                path,
                EndKind::Dropped,
                format!("dropped: {name} has no connection for it"),
            );
        }
        for c in to {
            self.at_site(c, path, ends);
        }
    }

    /// To the other end of a router interface.
    pub(super) fn over(
        &self,
        i: RouterInterfaceId,
        ip: IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let h = &self.net.hybrid.interfaces;
        let far = h[i.index()].opposite.map(|o| (o, h[o.index()].at));
        match far {
            Some((_, InterfaceEnd::Vpc(v))) => {
                let table = RouteTableId(self.net.vpcs[v.index()].system_table);
                self.follow(At::Vpc(table), ip, seen, path, ends);
            }
            Some((o, InterfaceEnd::Border(b))) => self.at_border(b, Some(o), ip, seen, path, ends),
            _ => {
                let name = &self.f.inventory.typed[i].meta.origin.address;
                put(
                    ends,
                    path,
                    EndKind::Dropped,
                    format!("dropped: nothing is connected to {name}"),
                );
            }
        }
    }

    /// At a border router, which a packet entered by a router interface or from a transit router.
    pub(super) fn at_border(
        &self,
        b: BorderRouterId,
        from: Option<RouterInterfaceId>,
        ip: IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let t = &self.f.inventory.typed;
        let name = t[b].meta.origin.address.to_string();
        if path.contains(&name) {
            return put(ends, path, EndKind::Loop, format!("loops: {name} again"));
        }
        path.push(name.clone());
        let (ways, decided) = self.net.hybrid.borders[b.index()].lookup(ip);
        if !decided {
            put(
                ends,
                path,
                EndKind::Dropped,
                format!("dropped: {name} has no certain route to it"),
            );
        }
        let came = from.map_or(Came::Router, Came::Over);
        for w in ways {
            self.by_border(b, w.to, came, ip, seen, path, ends);
        }
        path.pop();
    }

    /// By one entry of a border router.
    #[expect(clippy::too_many_arguments, reason = "one step of a walk")]
    fn by_border(
        &self,
        b: BorderRouterId,
        to: BorderSide,
        came: Came,
        ip: IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let t = &self.f.inventory.typed;
        let name = &t[b].meta.origin.address;
        match to {
            BorderSide::Port => {
                let site = t[b].site;
                put(ends, path, EndKind::Site(site), self.site_text(site, name));
            }
            BorderSide::Interface(i) if came != Came::Over(i) => self.over(i, ip, seen, path, ends),
            BorderSide::Attachment(a) if came != Came::Router => {
                for (_, table) in &self.net.transit.attachments[a.index()].tables {
                    path.push(self.table_name(At::Router(*table)));
                    self.follow(At::Router(*table), ip, seen, path, ends);
                    path.pop();
                }
            }
            _ => put(
                ends,
                path,
                EndKind::Dropped,
                format!("dropped: {name} sends it back or nowhere"),
            ),
        }
    }
}

/// What leads to a site: its own networks, and what is routed to it.
struct Claim {
    site: SiteId,
    net: IpNet,
    by: String,
}

impl View<'_> {
    fn claims(&self) -> Vec<Claim> {
        let t = &self.f.inventory.typed;
        let mut out: Vec<Claim> = Vec::new();
        let mut put = |site: SiteId, net: IpNet, by: String| {
            let net = net.trunc();
            if net.prefix_len() > 0 && !out.iter().any(|c| (c.site, c.net) == (site, net)) {
                out.push(Claim { site, net, by });
            }
        };
        for (n, s) in (0u32..).zip(&t.sites) {
            let own = t.networks(SiteId(n));
            own.into_iter()
                .for_each(|net| put(SiteId(n), net, s.meta.origin.address.to_string()));
        }
        for r in &t.vpn_routes {
            if let (Fact::Known(net), Fact::Known(c)) = (&r.destination, &r.next) {
                put(
                    t[*c].site,
                    *net,
                    format!("{} by {}", t[t[*c].site].meta.origin.address, r.origin.address),
                );
            }
        }
        let learned = t.vpn_connections.iter().map(|c| (c.site, &c.learned, &c.meta));
        let borders = t.border_routers.iter().map(|b| (b.site, &b.learned, &b.meta));
        for (site, nets, meta) in learned.chain(borders) {
            for net in nets.known().into_iter().flatten() {
                put(
                    site,
                    *net,
                    format!("{} by {}", t[site].meta.origin.address, meta.origin.address),
                );
            }
        }
        out
    }

    /// Where the tables of vSwitches lead packets to an address: the table, and every end.
    fn led(&self, near: VpcId, ip: IpAddr) -> Vec<(String, BTreeSet<RouteEnd>)> {
        let t = &self.f.inventory.typed;
        let mut out = Vec::new();
        for (n, rt) in (0u32..).zip(&t.route_tables) {
            let Some(v) = rt
                .vpc
                .known()
                .filter(|v| self.net.joined(**v, near) && t.site_of_vpc(**v).is_none())
            else {
                continue;
            };
            let used = self
                .net
                .vswitches
                .iter()
                .flatten()
                .any(|s| s.vpc == *v && s.tables.contains(&n));
            if used {
                let mut ends = BTreeSet::new();
                self.follow(
                    At::Vpc(RouteTableId(n)),
                    ip,
                    &mut Vec::new(),
                    &mut Vec::new(),
                    &mut ends,
                );
                out.push((self.table_name(At::Vpc(RouteTableId(n))), ends));
            }
        }
        out
    }

    /// Networks of sites, and what is routed to them, that VPCs or other sites have too, by what that does.
    pub(super) fn link_overlaps(&self) -> Vec<Overlap> {
        let t = &self.f.inventory.typed;
        let claims = self.claims();
        let mut out: Vec<Overlap> = Vec::new();
        for v in &t.vswitches {
            let (Fact::Known(vpc), Fact::Known(block)) = (&v.vpc, &v.cidr) else {
                continue;
            };
            if t.site_of_vpc(*vpc).is_some() {
                continue;
            }
            for c in &claims {
                let (x, y) = (block.trunc(), c.net);
                if !(x.contains(&y) || y.contains(&x)) || !self.net.joined(*vpc, t[c.site].vpc) {
                    continue;
                }
                let both = if x.contains(&y) { y } else { x };
                let (effect, why) = self.taken(*vpc, c.site, both.addr());
                let o = Overlap {
                    a: (self.vpc_name(*vpc), x),
                    b: (c.by.clone(), y),
                    effect,
                    why,
                };
                // A claim that lies inside another one with the same effect adds nothing.
                if !out
                    .iter()
                    .any(|p| (&p.a, p.effect, &p.why) == (&o.a, o.effect, &o.why))
                {
                    out.push(o);
                }
            }
        }
        for (n, c) in claims.iter().enumerate() {
            for d in &claims[n + 1..] {
                let meets = c.net.contains(&d.net) || d.net.contains(&c.net);
                if c.site == d.site || !meets || !self.net.joined(t[c.site].vpc, t[d.site].vpc) {
                    continue;
                }
                let both = if c.net.contains(&d.net) { d.net } else { c.net };
                let led = self.led(t[c.site].vpc, both.addr());
                let to = |s: SiteId| {
                    led.iter()
                        .filter(|(_, e)| e.iter().any(|e| e.kind == EndKind::Site(s)))
                        .map(|(table, _)| table.clone())
                        .collect::<Vec<String>>()
                };
                let (a, b) = (to(c.site), to(d.site));
                let (effect, why) = match (a.first(), b.first()) {
                    (Some(a), Some(b)) => ("ambiguous", format!("{a} leads to the one and {b} to the other")),
                    _ => ("harmless", "no two tables lead to both".to_string()),
                };
                out.push(Overlap {
                    a: (c.by.clone(), c.net),
                    b: (d.by.clone(), d.net),
                    effect,
                    why,
                });
            }
        }
        out
    }

    fn taken(&self, vpc: VpcId, site: SiteId, ip: IpAddr) -> (&'static str, String) {
        let t = &self.f.inventory.typed;
        let mut hijack = None;
        for (table, ends) in self.led(vpc, ip) {
            let away = ends.iter().any(|e| e.kind == EndKind::Site(site));
            let home = ends.iter().any(|e| e.kind == EndKind::Delivered(Some(vpc)));
            if away && home {
                return ("ambiguous", format!("{table} leads to both"));
            }
            if away && hijack.is_none() {
                hijack = Some(table);
            }
        }
        match hijack {
            Some(table) => (
                "hijack",
                format!(
                    "{table} leads to {}, which takes these addresses from {}",
                    t[site].meta.origin.address,
                    self.vpc_name(vpc)
                ),
            ),
            None => (
                "harmless",
                "no table of a vSwitch leads to the site for addresses of the VPC".to_string(),
            ),
        }
    }

    /// The tables of VPN gateways and border routers, cut down to some addresses.
    pub(super) fn link_tables(&self, region: Option<&IpSet>) -> Vec<TableRows> {
        let t = &self.f.inventory.typed;
        let asked = |ips: &IpSet| region.is_none_or(|r| r.intersects(ips));
        let text = |ips: &IpSet| {
            let all: Vec<String> = ips.to_nets().iter().map(ToString::to_string).collect();
            if all.is_empty() {
                "any".to_string()
            } else {
                all.join(", ")
            }
        };
        let mut out = Vec::new();
        for (g, gw) in t.vpn_gateways.iter().zip(&self.net.hybrid.gateways) {
            let mut ways: Vec<_> = gw.routes.iter().filter(|w| asked(&w.ips.0)).collect();
            ways.sort_by_key(|w| (w.kind, std::cmp::Reverse((w.ips.1, w.source.1, w.active)), w.from));
            let mut rows = Vec::new();
            for w in &ways {
                let c = &t[w.next].meta.origin;
                // What decides before this one for all that it is about.
                let rank = |w: &VpnWay| (std::cmp::Reverse(w.kind), w.ips.1, w.source.1, w.active);
                let stronger = ways.iter().filter(|x| {
                    rank(x) > rank(w) && w.ips.0.is_subset(&x.ips.0) && w.source.0.is_subset(&x.source.0)
                });
                let by: Vec<String> = stronger
                    .map(|x| format!("{} by {}", text(&x.ips.0), t[x.next].meta.origin.address))
                    .collect();
                let state = match (gw.uncertain, by.is_empty()) {
                    (true, _) => RouteState::Uncertain,
                    (false, true) => RouteState::Used,
                    (false, false) => RouteState::Shadowed(by),
                };
                let mut ends = BTreeSet::new();
                if !matches!(state, RouteState::Shadowed(_)) {
                    self.at_site(w.next, &[], &mut ends);
                }
                let (from, span) = match w.from {
                    VpnRouteRef::Route(i) => {
                        let o = &t.vpn_routes[i as usize].origin;
                        (o.address.to_string(), Some(o.span))
                    }
                    VpnRouteRef::Blocks(_) => (format!("the blocks of {}", c.address), Some(c.span)),
                    VpnRouteRef::Learned(_) => (format!("learned over {}", c.address), Some(c.span)),
                    VpnRouteRef::Pool(_) => (format!("the pool of {}", c.address), Some(c.span)),
                };
                let source = if w.kind == 1 {
                    format!(" from {}", text(&w.source.0))
                } else {
                    String::new()
                };
                rows.push(RouteRow {
                    destination: format!("{}{source}", text(&w.ips.0)),
                    next: vec![c.address.to_string()],
                    from,
                    span,
                    state,
                    ends: ends.into_iter().collect(),
                });
            }
            out.push(TableRows {
                name: g.meta.origin.address.to_string(),
                kind: "VPN gateway table",
                of: gw
                    .vpc
                    .map_or_else(|| "a VPC that is not known".to_string(), |v| self.vpc_name(v)),
                users: Vec::new(),
                rows,
            });
        }
        for ((n, b), x) in (0u32..).zip(&t.border_routers).zip(&self.net.hybrid.borders) {
            let said = |w: &BorderWay| {
                let to = match w.to {
                    BorderSide::Port => "its port".to_string(),
                    BorderSide::Attachment(a) => t[a].meta.origin.address.to_string(),
                    BorderSide::Interface(i) => t[i].meta.origin.address.to_string(),
                    BorderSide::Nowhere => "nowhere".to_string(),
                };
                format!("{} to {to}", text(&w.ips))
            };
            let mut rows = Vec::new();
            for w in x.routes.iter().filter(|w| asked(&w.ips)) {
                let (next, from, span) = match w.to {
                    BorderSide::Port => ("its port".to_string(), "announced by its site".to_string(), None),
                    BorderSide::Attachment(a) => {
                        let o = &t[a].meta.origin;
                        (
                            o.address.to_string(),
                            format!("published by {}", o.address),
                            Some(o.span),
                        )
                    }
                    BorderSide::Interface(i) => {
                        let o = w
                            .entry
                            .and_then(|e| t.route_entries.get(e as usize))
                            .map(|e| &e.origin);
                        let from = o.map_or_else(String::new, |o| o.address.to_string());
                        (t[i].meta.origin.address.to_string(), from, o.map(|o| o.span))
                    }
                    BorderSide::Nowhere => ("nowhere".to_string(), String::new(), None),
                };
                // An address for which no longer entry decides, and what does decide there.
                let longer = x.routes.iter().filter(|o| o.length > w.length && !o.optional);
                let left = longer
                    .clone()
                    .fold(w.ips.clone(), |left, o| left.subtract(&o.ips));
                let asked = region.map_or_else(|| left.clone(), |r| r.intersect(&left));
                let decide = asked.first().map(|ip| (ip, x.lookup(ip).0));
                let by: Vec<String> = match &decide {
                    Some((_, ways)) if ways.iter().any(|o| o.to == w.to) => Vec::new(),
                    Some((_, ways)) => ways.iter().map(|o| said(o)).collect(),
                    None => longer.filter(|o| o.ips.intersects(&w.ips)).map(said).collect(),
                };
                let mut ends = BTreeSet::new();
                if let Some((ip, _)) = decide.filter(|_| by.is_empty()) {
                    let (seen, path) = (&mut Vec::new(), &mut Vec::new());
                    self.by_border(BorderRouterId(n), w.to, Came::Anywhere, ip, seen, path, &mut ends);
                }
                rows.push(RouteRow {
                    destination: text(&w.ips),
                    next: vec![next],
                    from,
                    span,
                    state: match (w.optional || x.uncertain, by.is_empty()) {
                        (true, _) => RouteState::Uncertain,
                        (false, true) => RouteState::Used,
                        (false, false) => RouteState::Shadowed(by),
                    },
                    ends: ends.into_iter().collect(),
                });
            }
            out.push(TableRows {
                name: b.meta.origin.address.to_string(),
                kind: "border router table",
                of: t[b.site].meta.origin.address.to_string(),
                users: Vec::new(),
                rows,
            });
        }
        out
    }
}
