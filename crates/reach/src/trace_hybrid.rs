//! The steps of a packet to, from and through sites; follows `point::hybrid` branch by branch.

use crate::firewall::Across;
use crate::hybrid::{BorderSide, BorderWay, InterfaceEnd, LinkRef, VpnRouteRef};
use crate::network::{Network, RouteRef};
use crate::point::{End, Own, Place};
use crate::trace::{DecidedBy, Decision, Layer, Step};
use crate::trace_text::describe_route;
use crate::trace_walk::{Branch, Leg, Tracer, Trail};
use bartizan_model::{
    AttachmentId, BorderRouterId, InterfaceId, Meta, RouterInterfaceId, SiteId, VpnConnectionId, VpnGatewayId,
};

impl Tracer<'_> {
    fn link(&self, meta: &Meta, layer: Layer, text: impl Into<String>, decision: Decision) -> Step {
        Step {
            origin: Some(meta.origin.clone()),
            ..self.step(meta.origin.address.clone(), layer, text, decision)
        }
    }

    fn connection(&self, c: VpnConnectionId, text: impl Into<String>, decision: Decision) -> Step {
        let meta = &self.inv.typed[c].meta;
        Step {
            from: Some(DecidedBy::Link(LinkRef::Connection(c))),
            ..self.link(meta, Layer::VpnGateway, text, decision)
        }
    }

    fn border(&self, b: BorderRouterId, text: impl Into<String>, decision: Decision) -> Step {
        let meta = &self.inv.typed[b].meta;
        Step {
            from: Some(DecidedBy::Link(LinkRef::Border(b))),
            ..self.link(meta, Layer::BorderRouter, text, decision)
        }
    }

    fn gateway(&self, g: VpnGatewayId, text: impl Into<String>, decision: Decision) -> Step {
        self.link(&self.inv.typed[g].meta, Layer::VpnGateway, text, decision)
    }

    fn site(&self, s: SiteId, text: impl Into<String>, decision: Decision) -> Step {
        let t = &self.inv.typed;
        let mut step = Step {
            from: Some(DecidedBy::Link(LinkRef::Site(s))),
            ..self.link(&t[s].meta, Layer::Site, text, decision)
        };
        step.assumptions.push("A-LINK-1");
        step
    }

    pub(crate) fn send_from_site(&self, m: Leg<'_>, t: Trail, site: SiteId, out: &mut Vec<Branch>) {
        self.by_links(m, t, site, &self.net.senders_for(site), out);
    }

    fn by_links(&self, m: Leg<'_>, mut t: Trail, at: SiteId, sites: &[SiteId], out: &mut Vec<Branch>) {
        self.judge(m, &mut t, Across::Link);
        let links = self.net.links_of(sites, (m.src.ip, m.dst.ip), &t.crossed);
        if links.is_empty() {
            let why = if sites.is_empty() {
                format!(
                    "{} is no address of this site, and it does not certainly pass it on",
                    m.dst.ip
                )
            } else {
                format!(
                    "no link of the site takes in a packet from {} to {}",
                    m.src.ip, m.dst.ip
                )
            };
            return self.dropped(t, self.site(at, why, Decision::Drop), out);
        }
        for l in links {
            match l {
                LinkRef::Connection(c) => self.leave_connection(m, t.clone(), c, out),
                LinkRef::Border(b) => self.at_border(m, t.clone(), b, BorderSide::Port, out),
                LinkRef::Interfaces(_) | LinkRef::Site(_) => {}
            }
        }
    }

    fn at_site(&self, m: Leg<'_>, mut t: Trail, site: SiteId, out: &mut Vec<Branch>) {
        let Some(s) = self.net.hybrid.sites.get(site.index()) else {
            return self.end(t, End::Dropped, out);
        };
        if s.nets.contains(m.dst.ip) {
            return self.at_home(m, t, (site, s.interface), out);
        }
        for w in s.ways.iter().filter(|w| **w != site) {
            if let Some(o) = self.net.hybrid.sites.get(w.index())
                && o.nets.contains(m.dst.ip)
            {
                let mut t = t.clone();
                t.push(self.passed_on(site));
                self.at_home(m, t, (*w, o.interface), out);
            }
        }
        t.crossed.push(LinkRef::Site(site));
        if !s.ways.is_empty() {
            t.push(self.passed_on(site));
        }
        self.by_links(m, t, site, &s.ways, out);
    }

    fn passed_on(&self, site: SiteId) -> Step {
        let mut s = self.site(site, "the site may pass it on", Decision::Forward);
        s.assumptions.push("A-SITE-1");
        s
    }

    fn at_home(&self, m: Leg<'_>, mut t: Trail, (site, at): (SiteId, InterfaceId), out: &mut Vec<Branch>) {
        if m.goal == Some(at) {
            t.push(self.site(site, "at its site", Decision::Accept));
            self.end(t, End::Arrived, out);
        } else {
            let why = format!("{} is an address of this site: it goes nowhere else", m.dst.ip);
            self.dropped(t, self.site(site, why, Decision::Drop), out);
        }
    }

    pub(crate) fn enter_vpn(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        at: Place<'_>,
        g: VpnGatewayId,
        out: &mut Vec<Branch>,
    ) {
        t.extend(self.acl_out(at, m));
        let stop = |why: &str| self.gateway(g, why, Decision::Drop);
        let Some(gw) = self.net.hybrid.gateways.get(g.index()) else {
            return self.end(t, End::Dropped, out);
        };
        if gw.vpc.is_none() || gw.vpc != self.net.vpc_at(at) {
            return self.dropped(t, stop("this VPN gateway is not one of this VPC"), out);
        }
        if gw.blocks.contains(m.dst.ip) {
            return self.dropped(t, stop("a VPN gateway does not send back into its VPC"), out);
        }
        if m.dst.ip.is_ipv6() {
            return self.dropped(t, stop("a VPN gateway carries IPv4 only"), out);
        }
        let (picked, certain) = self.net.hybrid.pick(g, m.src.ip, m.dst.ip);
        if picked.is_empty() || !certain {
            let why = if certain {
                format!("no route from {} to {}", m.src.ip, m.dst.ip)
            } else {
                "not everything about this VPN gateway is known".to_string()
            };
            self.dropped(t.clone(), stop(&why), out);
        }
        for (c, r) in picked {
            let mut t = t.clone();
            t.push(self.picked(g, c, r));
            self.enter_connection(m, t, Some(g), c, out);
        }
    }

    fn picked(&self, g: VpnGatewayId, c: VpnConnectionId, r: VpnRouteRef) -> Step {
        let t = &self.inv.typed;
        let to = &t[c].meta.origin.address;
        let text = match r {
            VpnRouteRef::Pool(_) => format!("the pool of clients of `{to}`"),
            VpnRouteRef::Blocks(_) => format!("the blocks of `{to}`"),
            VpnRouteRef::Learned(_) => format!("learned by BGP over `{to}`"),
            VpnRouteRef::Route(i) => {
                let r = &t.vpn_routes[i as usize];
                let text = |f: &bartizan_model::Fact<ipnet::IpNet>| {
                    f.known().map_or_else(|| "?".to_string(), ToString::to_string)
                };
                let from = r
                    .source
                    .as_ref()
                    .map(|s| format!(" from {}", text(s)))
                    .unwrap_or_default();
                format!("route{from} to {} by `{to}`", text(&r.destination))
            }
        };
        let s = self.gateway(g, text, Decision::Forward);
        match r {
            VpnRouteRef::Route(i) => Step {
                origin: t.vpn_routes.get(i as usize).map(|r| r.origin.clone()),
                from: Some(DecidedBy::VpnRoute(i)),
                ..s
            },
            _ => Step {
                from: Some(DecidedBy::Link(LinkRef::Connection(c))),
                ..s
            },
        }
    }

    fn enter_connection(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        from: Option<VpnGatewayId>,
        c: VpnConnectionId,
        out: &mut Vec<Branch>,
    ) {
        let stop = |why: String| self.connection(c, why, Decision::Drop);
        let Some(x) = self.net.hybrid.connections.get(c.index()) else {
            return self.end(t, End::Dropped, out);
        };
        if x.gateway != from {
            return self.dropped(t, stop("it is not a connection of this VPN gateway".into()), out);
        }
        if !x.local.contains(m.src.ip) || !x.remote.contains(m.dst.ip) {
            let why = format!("its blocks do not cover {} to {}", m.src.ip, m.dst.ip);
            return self.dropped(t, stop(why), out);
        }
        if !Network::crosses(&mut t.crossed, LinkRef::Connection(c)) {
            return self.dropped(t, stop("the packet has crossed it already: it loops".into()), out);
        }
        if x.uncertain {
            let why = "not everything about this connection is known".to_string();
            self.dropped(t.clone(), stop(why), out);
        }
        t.push(self.connection(c, "its blocks cover it", Decision::Forward));
        self.at_site(m, t, x.site, out);
    }

    fn leave_connection(&self, m: Leg<'_>, mut t: Trail, c: VpnConnectionId, out: &mut Vec<Branch>) {
        let stop = |why: &str| self.connection(c, why, Decision::Drop);
        let Some(x) = self.net.hybrid.connections.get(c.index()) else {
            return self.end(t, End::Dropped, out);
        };
        if !Network::crosses(&mut t.crossed, LinkRef::Connection(c)) {
            return self.dropped(t, stop("the packet has crossed it already: it loops"), out);
        }
        if x.uncertain {
            self.dropped(
                t.clone(),
                stop("not everything about this connection is known"),
                out,
            );
        }
        t.push(self.connection(c, "its blocks cover it", Decision::Forward));
        let Some(g) = x.gateway else {
            return self.enter_routers(m, t, &x.attachments, out);
        };
        let Some(gw) = self.net.hybrid.gateways.get(g.index()) else {
            return self.end(t, End::Dropped, out);
        };
        let inside = gw.blocks.contains(m.dst.ip);
        let (picked, certain) = if inside {
            (Vec::new(), true)
        } else {
            self.net.hybrid.pick(g, m.src.ip, m.dst.ip)
        };
        if !certain {
            let why = "not everything about this VPN gateway is known";
            self.dropped(t.clone(), self.gateway(g, why, Decision::Drop), out);
        }
        for (d, r) in &picked {
            let mut t = t.clone();
            t.push(self.picked(g, *d, *r));
            if *d == c {
                let why = "the route leads back to where the packet came from";
                self.dropped(t, self.gateway(g, why, Decision::Drop), out);
            } else {
                self.enter_connection(m, t, Some(g), *d, out);
            }
        }
        if picked.is_empty() || !certain {
            match gw.vpc {
                Some(v) => {
                    t.push(self.gateway(g, "into its VPC", Decision::Forward));
                    let tables = self.net.tables_of(v, gw.zone);
                    self.forward(m, &t, Place::Router(v, gw.zone), Own::No, &tables, out);
                }
                None => self.end(t, End::Dropped, out),
            }
        }
    }

    fn enter_routers(&self, m: Leg<'_>, t: Trail, attachments: &[AttachmentId], out: &mut Vec<Branch>) {
        let mut any = false;
        for a in attachments {
            let Some(net) = self.net.transit.attachments.get(a.index()) else {
                continue;
            };
            for &(_, table) in &net.tables {
                any = true;
                self.across(m, t.clone(), *a, table, out);
            }
        }
        if !any {
            let why = "no table of a transit router is associated with it";
            let s = match attachments.first() {
                Some(a) => self.link(
                    &self.inv.typed[*a].meta,
                    Layer::TransitRouter,
                    why,
                    Decision::Drop,
                ),
                None => self.step("transit router".into(), Layer::TransitRouter, why, Decision::Drop),
            };
            self.dropped(t, s, out);
        }
    }

    pub(crate) fn to_attached(&self, m: Leg<'_>, t: Trail, c: VpnConnectionId, out: &mut Vec<Branch>) {
        let x = self.net.hybrid.connections.get(c.index());
        if m.dst.ip.is_ipv6() || !x.is_some_and(|x| x.routes.contains(m.dst.ip)) {
            let why = format!("this connection has no route to {}", m.dst.ip);
            return self.dropped(t, self.connection(c, why, Decision::Drop), out);
        }
        self.enter_connection(m, t, None, c, out);
    }

    fn border_route(&self, b: BorderRouterId, w: &BorderWay) -> Step {
        let t = &self.inv.typed;
        if let Some(n) = w.entry {
            let (text, origin) = describe_route(self.inv, RouteRef::Entry(n));
            return Step {
                origin,
                from: Some(DecidedBy::Route(RouteRef::Entry(n))),
                ..self.border(b, text, Decision::Forward)
            };
        }
        match w.to {
            BorderSide::Attachment(a) => Step {
                from: Some(DecidedBy::Attachment(a)),
                ..self.border(
                    b,
                    format!(
                        "published by the transit router through `{}`",
                        t[a].meta.origin.address
                    ),
                    Decision::Forward,
                )
            },
            _ => self.border(b, "announced by its site", Decision::Forward),
        }
    }

    pub(crate) fn at_border(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        b: BorderRouterId,
        from: BorderSide,
        out: &mut Vec<Branch>,
    ) {
        let stop = |why: String| self.border(b, why, Decision::Drop);
        let Some(x) = self.net.hybrid.borders.get(b.index()) else {
            return self.end(t, End::Dropped, out);
        };
        if !Network::crosses(&mut t.crossed, LinkRef::Border(b)) {
            return self.dropped(t, stop("the packet has been here already: it loops".into()), out);
        }
        let (ways, decided) = x.lookup(m.dst.ip);
        if !decided {
            let why = if x.uncertain {
                "not everything about this border router is known".to_string()
            } else {
                format!("no route to {}", m.dst.ip)
            };
            self.dropped(t.clone(), stop(why), out);
        }
        for w in ways {
            let mut t = t.clone();
            t.push(self.border_route(b, w));
            match w.to {
                s if s == from => {
                    let why = "the route leads back to where the packet came from";
                    self.dropped(t, stop(why.into()), out);
                }
                BorderSide::Nowhere => {
                    let why = "the next hop is none of this border router";
                    self.dropped(t, stop(why.into()), out);
                }
                BorderSide::Port => self.at_site(m, t, x.site, out),
                BorderSide::Interface(i) => self.over(m, t, i, out),
                BorderSide::Attachment(a) => self.enter_routers(m, t, &[a], out),
            }
        }
    }

    fn ri(&self, i: RouterInterfaceId, text: impl Into<String>, decision: Decision) -> Step {
        self.link(&self.inv.typed[i].meta, Layer::RouterInterface, text, decision)
    }

    pub(crate) fn enter_interface(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        at: Place<'_>,
        i: RouterInterfaceId,
        out: &mut Vec<Branch>,
    ) {
        t.extend(self.acl_out(at, m));
        let here = self.net.hybrid.interfaces.get(i.index()).map(|x| x.at);
        if !matches!(here, Some(InterfaceEnd::Vpc(v)) if Some(v) == self.net.vpc_at(at)) {
            let why = "this router interface is not one of this VPC";
            return self.dropped(t, self.ri(i, why, Decision::Drop), out);
        }
        self.over(m, t, i, out);
    }

    fn over(&self, m: Leg<'_>, mut t: Trail, i: RouterInterfaceId, out: &mut Vec<Branch>) {
        let h = &self.net.hybrid.interfaces;
        let opposite = h.get(i.index()).and_then(|x| x.opposite);
        let far = opposite.and_then(|o| Some((o, h.get(o.index())?.at)));
        let Some((o, at)) = far else {
            let why = "nothing is connected to this router interface";
            return self.dropped(t, self.ri(i, why, Decision::Drop), out);
        };
        if !Network::crosses(&mut t.crossed, LinkRef::Interfaces(i)) {
            let why = "the packet has crossed it already: it loops";
            return self.dropped(t, self.ri(i, why, Decision::Drop), out);
        }
        let to = format!("to `{}`", self.inv.typed[o].meta.origin.address);
        t.push(self.ri(i, to, Decision::Forward));
        match at {
            InterfaceEnd::Vpc(v) => {
                let tables = self.net.tables_of(v, None);
                self.forward(m, &t, Place::Router(v, None), Own::No, &tables, out);
            }
            InterfaceEnd::Border(b) => self.at_border(m, t, b, BorderSide::Interface(o), out),
            InterfaceEnd::Unknown => {
                let why = "what this router interface is at is not known";
                self.dropped(t, self.ri(o, why, Decision::Drop), out);
            }
        }
    }
}
