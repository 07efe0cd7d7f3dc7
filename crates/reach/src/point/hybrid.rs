//! To sites, from them, and through them (docs/decisions/014).

use super::{Branch, Moving, Own, Place, Trail};
use crate::firewall::Across;
use crate::hybrid::{BorderSide, InterfaceEnd, LinkRef, VpnRouteRef};
use crate::network::Network;
use crate::point::End;
use bartizan_model::{
    AttachmentId, BorderRouterId, InterfaceId, RouterInterfaceId, SiteId, VpnConnectionId, VpnGatewayId,
};

fn id(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Network {
    /// `false` where the packet has crossed it before: a loop.
    pub(crate) fn crosses(crossed: &mut Vec<LinkRef>, what: LinkRef) -> bool {
        let first = !crossed.contains(&what);
        crossed.push(what);
        first
    }

    /// The sites that passed a packet on, by the interfaces that stand for them: those that it entered, and those whose
    /// links took it in or out.
    pub(crate) fn sites_of(&self, c: &super::Crossed) -> Vec<InterfaceId> {
        let h = &self.hybrid;
        let site = |l: &LinkRef| match l {
            LinkRef::Site(s) => Some(*s),
            LinkRef::Connection(c) => h.connections.get(c.index()).map(|c| c.site),
            LinkRef::Border(b) => h.borders.get(b.index()).map(|b| b.site),
            LinkRef::Interfaces(_) => None,
        };
        let all = c.links.iter().filter_map(site);
        let mut all: Vec<_> = all
            .filter_map(|s| h.sites.get(s.index()).map(|s| s.interface))
            .collect();
        all.dedup();
        all
    }

    /// A site sends: by its own links and by those of sites that it has a way to.
    pub(super) fn send_from_site(&self, m: Moving<'_>, t: Trail, site: SiteId, out: &mut Vec<Branch>) {
        self.by_links(m, t, &self.senders_for(site), out);
    }

    /// The sites by whose links a site sends.
    pub(crate) fn senders_for(&self, site: SiteId) -> Vec<SiteId> {
        let ways = self.hybrid.sites.get(site.index()).map(|s| s.ways.as_slice());
        let mut by = vec![site];
        by.extend(ways.into_iter().flatten().filter(|s| **s != site));
        by
    }

    /// The connections and border routers of some sites that take a packet in.
    pub(crate) fn links_of(
        &self,
        sites: &[SiteId],
        (src, dst): (std::net::IpAddr, std::net::IpAddr),
        crossed: &[LinkRef],
    ) -> Vec<LinkRef> {
        let h = &self.hybrid;
        let mut out = Vec::new();
        for (i, c) in h.connections.iter().enumerate() {
            let l = LinkRef::Connection(VpnConnectionId(id(i)));
            let carries = dst.is_ipv4() && c.remote.contains(src) && c.local.contains(dst);
            if sites.contains(&c.site) && carries && !crossed.contains(&l) {
                out.push(l);
            }
        }
        for (i, b) in h.borders.iter().enumerate() {
            let l = LinkRef::Border(BorderRouterId(id(i)));
            let leads = || b.lookup(dst).0.iter().any(|w| w.to != BorderSide::Port);
            if sites.contains(&b.site) && !crossed.contains(&l) && leads() {
                out.push(l);
            }
        }
        out
    }

    fn by_links(&self, m: Moving<'_>, mut t: Trail, sites: &[SiteId], out: &mut Vec<Branch>) {
        self.judge(m, &mut t, Across::Link);
        let links = self.links_of(sites, (m.src.ip, m.dst.ip), &t.crossed.links);
        if links.is_empty() {
            return self.dropped(t, out);
        }
        for l in links {
            match l {
                LinkRef::Connection(c) => self.leave_connection(m, t.clone(), c, out),
                LinkRef::Border(b) => self.at_border(m, t.clone(), b, BorderSide::Port, out),
                LinkRef::Interfaces(_) | LinkRef::Site(_) => {}
            }
        }
    }

    /// A packet comes to a site: it is for it, or may go on.
    fn at_site(&self, m: Moving<'_>, mut t: Trail, site: SiteId, out: &mut Vec<Branch>) {
        let Some(s) = self.hybrid.sites.get(site.index()) else {
            return self.dropped(t, out);
        };
        if s.nets.contains(m.dst.ip) {
            return self.at_home(m, t, s.interface, out);
        }
        t.crossed.links.push(LinkRef::Site(site));
        for w in s.ways.iter().filter(|w| **w != site) {
            if let Some(o) = self.hybrid.sites.get(w.index())
                && o.nets.contains(m.dst.ip)
            {
                self.at_home(m, t.clone(), o.interface, out);
            }
        }
        self.by_links(m, t, &s.ways, out);
    }

    fn at_home(&self, m: Moving<'_>, t: Trail, at: InterfaceId, out: &mut Vec<Branch>) {
        if m.goal == Some(at) {
            let atoms = t.atoms.clone();
            self.end(t, End::Arrived, atoms, out);
        } else {
            self.dropped(t, out);
        }
    }

    /// A route of a VPC leads to a VPN gateway.
    pub(super) fn enter_vpn(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        at: Place<'_>,
        g: VpnGatewayId,
        out: &mut Vec<Branch>,
    ) {
        t.atoms.intersect_with(&self.acl_out(at, m.dst.ip));
        let gw = self.hybrid.gateways.get(g.index());
        let here = gw
            .is_some_and(|gw| gw.vpc.is_some() && gw.vpc == self.vpc_at(at) && !gw.blocks.contains(m.dst.ip));
        if !here || m.dst.ip.is_ipv6() || t.atoms.is_empty() {
            return self.dropped(t, out);
        }
        let (picked, certain) = self.hybrid.pick(g, m.src.ip, m.dst.ip);
        if picked.is_empty() || !certain {
            self.dropped(t.clone(), out);
        }
        for (c, r) in picked {
            let mut t = t.clone();
            Self::by_route(&mut t, r);
            self.enter_connection(m, t, Some(g), c, out);
        }
    }

    fn by_route(t: &mut Trail, r: VpnRouteRef) {
        if let VpnRouteRef::Route(i) = r {
            t.crossed.vpn_routes.push(i);
        }
    }

    /// Into a connection from its gateway or, without one, from a transit router.
    fn enter_connection(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        from: Option<VpnGatewayId>,
        c: VpnConnectionId,
        out: &mut Vec<Branch>,
    ) {
        let Some(x) = self.hybrid.connections.get(c.index()) else {
            return self.dropped(t, out);
        };
        let carries = x.gateway == from && x.local.contains(m.src.ip) && x.remote.contains(m.dst.ip);
        if !carries || !Self::crosses(&mut t.crossed.links, LinkRef::Connection(c)) {
            return self.dropped(t, out);
        }
        if x.uncertain {
            self.dropped(t.clone(), out);
        }
        self.at_site(m, t, x.site, out);
    }

    /// Out of a connection, from its site.
    fn leave_connection(&self, m: Moving<'_>, mut t: Trail, c: VpnConnectionId, out: &mut Vec<Branch>) {
        let Some(x) = self.hybrid.connections.get(c.index()) else {
            return self.dropped(t, out);
        };
        if !Self::crosses(&mut t.crossed.links, LinkRef::Connection(c)) {
            return self.dropped(t, out);
        }
        if x.uncertain {
            self.dropped(t.clone(), out);
        }
        let Some(g) = x.gateway else {
            return self.enter_routers(m, t, &x.attachments, out);
        };
        let Some(gw) = self.hybrid.gateways.get(g.index()) else {
            return self.dropped(t, out);
        };
        let inside = gw.blocks.contains(m.dst.ip);
        let (picked, certain) = if inside {
            (Vec::new(), true)
        } else {
            self.hybrid.pick(g, m.src.ip, m.dst.ip)
        };
        if !certain {
            self.dropped(t.clone(), out);
        }
        for (d, r) in &picked {
            let mut t = t.clone();
            Self::by_route(&mut t, *r);
            if *d == c {
                self.dropped(t, out);
            } else {
                self.enter_connection(m, t, Some(g), *d, out);
            }
        }
        if picked.is_empty() || !certain {
            match gw.vpc {
                Some(v) => {
                    let tables = self.tables_of(v, gw.zone);
                    self.forward(m, &t, Place::Router(v, gw.zone), Own::No, &tables, out);
                }
                None => self.dropped(t, out),
            }
        }
    }

    fn enter_routers(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        attachments: &[AttachmentId],
        out: &mut Vec<Branch>,
    ) {
        let mut any = false;
        for a in attachments {
            let Some(net) = self.transit.attachments.get(a.index()) else {
                continue;
            };
            t.crossed.attachments.push(*a);
            for &(_, table) in &net.tables {
                any = true;
                self.across(m, t.clone(), *a, table, out);
            }
        }
        if !any {
            self.dropped(t, out);
        }
    }

    /// A transit router hands a packet to an IPsec connection.
    pub(super) fn to_attached(&self, m: Moving<'_>, t: Trail, c: VpnConnectionId, out: &mut Vec<Branch>) {
        let routed = |c: &crate::hybrid::ConnectionNet| c.routes.contains(m.dst.ip);
        let ok = self.hybrid.connections.get(c.index()).is_some_and(routed);
        if !ok || m.dst.ip.is_ipv6() {
            return self.dropped(t, out);
        }
        self.enter_connection(m, t, None, c, out);
    }

    /// At a border router.
    pub(super) fn at_border(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        b: BorderRouterId,
        from: BorderSide,
        out: &mut Vec<Branch>,
    ) {
        let Some(x) = self.hybrid.borders.get(b.index()) else {
            return self.dropped(t, out);
        };
        if !Self::crosses(&mut t.crossed.links, LinkRef::Border(b)) {
            return self.dropped(t, out);
        }
        let (ways, decided) = x.lookup(m.dst.ip);
        if !decided {
            self.dropped(t.clone(), out);
        }
        for w in ways {
            let mut t = t.clone();
            t.crossed.entries.extend(w.entry);
            match w.to {
                s if s == from => self.dropped(t, out),
                BorderSide::Nowhere => self.dropped(t, out),
                BorderSide::Port => self.at_site(m, t, x.site, out),
                BorderSide::Interface(i) => self.over(m, t, i, out),
                BorderSide::Attachment(a) => self.enter_routers(m, t, &[a], out),
            }
        }
    }

    /// A route of a VPC leads to a router interface.
    pub(super) fn enter_interface(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        at: Place<'_>,
        i: RouterInterfaceId,
        out: &mut Vec<Branch>,
    ) {
        t.atoms.intersect_with(&self.acl_out(at, m.dst.ip));
        let here = self.hybrid.interfaces.get(i.index()).map(|x| x.at);
        let here = matches!(here, Some(InterfaceEnd::Vpc(v)) if Some(v) == self.vpc_at(at));
        if !here || t.atoms.is_empty() {
            return self.dropped(t, out);
        }
        self.over(m, t, i, out);
    }

    /// From a router interface to the opposite one.
    fn over(&self, m: Moving<'_>, mut t: Trail, i: RouterInterfaceId, out: &mut Vec<Branch>) {
        let opposite = self.hybrid.interfaces.get(i.index()).and_then(|x| x.opposite);
        let far = opposite.and_then(|o| Some((o, self.hybrid.interfaces.get(o.index())?.at)));
        let Some((o, at)) = far else {
            return self.dropped(t, out);
        };
        if !Self::crosses(&mut t.crossed.links, LinkRef::Interfaces(i)) {
            return self.dropped(t, out);
        }
        match at {
            InterfaceEnd::Vpc(v) => {
                let tables = self.tables_of(v, None);
                self.forward(m, &t, Place::Router(v, None), Own::No, &tables, out);
            }
            InterfaceEnd::Border(b) => self.at_border(m, t, b, BorderSide::Interface(o), out),
            InterfaceEnd::Unknown => self.dropped(t, out),
        }
    }
}
