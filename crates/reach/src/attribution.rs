//! What a flow uses: every rule, route and binding without which some of it would not arrive as it does.

use crate::firewall::Meeting;
use crate::flow::{Relayed, Way};
use crate::hybrid::LinkRef;
use crate::network::{Hop, Network, Relay, RouteRef, RuleList, RuleRef};
use crate::point::inner::{Journey, nat_view};
use crate::point::{By, Crossed, Entry, Exit, ExitKind, Inside, PeerView, Point, ReplyPort};
use bartizan_model::{AttachmentId, BalancerId, InterfaceId, NatId};
use bartizan_packet::AtomSet;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What a flow uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    /// Accepting entries of ingress lists of the destination.
    pub ingress: BTreeSet<RuleRef>,
    /// Accepting entries of egress lists of the source.
    pub egress: BTreeSet<RuleRef>,
    /// Accepting entries of network ACLs.
    pub acl: BTreeSet<RuleRef>,
    /// Custom routes.
    pub routes: BTreeSet<RouteRef>,
    /// Public addresses: interface and position in its public addresses.
    pub public: BTreeSet<(InterfaceId, u32)>,
    /// DNAT entries.
    pub dnat: BTreeSet<u32>,
    /// SNAT entries.
    pub snat: BTreeSet<u32>,
    /// NAT gateways.
    pub nats: BTreeSet<NatId>,
    /// Appliances that forward.
    pub appliances: BTreeSet<InterfaceId>,
    /// IPv6 addresses with Internet access: interface and position in its addresses.
    pub ipv6: BTreeSet<(InterfaceId, u32)>,
    /// Attachments of transit routers.
    pub attachments: BTreeSet<AttachmentId>,
    /// Static routes of transit routers: indices into `Typed::tr_routes`.
    pub tr_routes: BTreeSet<u32>,
    /// Links to sites, and sites that passed it on.
    pub links: BTreeSet<LinkRef>,
    /// Routes of VPN gateways: indices into `Typed::vpn_routes`.
    pub vpn_routes: BTreeSet<u32>,
    /// Backends of listeners of load balancers: balancer, listener, backend.
    pub relays: BTreeSet<(BalancerId, u32, u32)>,
    /// Listeners of load balancers that took it in.
    pub listening: BTreeSet<(BalancerId, u32)>,
    /// Policies of firewalls that let it pass, and firewalls none of whose policies matches.
    pub firewall: BTreeSet<RuleRef>,
    /// Whether some of it goes over the public Internet.
    pub internet: bool,
}

impl Used {
    /// Adds what another flow uses.
    pub fn merge(&mut self, o: &Used) {
        self.ingress.extend(&o.ingress);
        self.egress.extend(&o.egress);
        self.acl.extend(&o.acl);
        self.routes.extend(&o.routes);
        self.public.extend(&o.public);
        self.dnat.extend(&o.dnat);
        self.snat.extend(&o.snat);
        self.nats.extend(&o.nats);
        self.appliances.extend(&o.appliances);
        self.ipv6.extend(&o.ipv6);
        self.attachments.extend(&o.attachments);
        self.tr_routes.extend(&o.tr_routes);
        self.links.extend(&o.links);
        self.vpn_routes.extend(&o.vpn_routes);
        self.relays.extend(&o.relays);
        self.listening.extend(&o.listening);
        self.firewall.extend(&o.firewall);
        self.internet |= o.internet;
    }
}

fn use_crossed(c: &Crossed, u: &mut Used) {
    u.attachments.extend(&c.attachments);
    u.tr_routes.extend(&c.statics);
    u.links.extend(&c.links);
    u.vpn_routes.extend(&c.vpn_routes);
    u.routes.extend(c.entries.iter().map(|e| RouteRef::Entry(*e)));
}

fn accepting(list: &RuleList, peer: PeerView<'_>, want: &AtomSet, out: &mut BTreeSet<RuleRef>) {
    let mut left = want.clone();
    for r in list.rules.iter().filter(|r| r.matches(peer)) {
        if r.accept && left.intersects(&r.atoms) {
            out.insert(r.from);
        }
        left.subtract_with(&r.atoms);
        if left.is_empty() {
            return;
        }
    }
    if list.default_accept {
        out.insert(list.default_ref);
    }
}

impl Network {
    fn use_sg(
        &self,
        at: Inside,
        ingress: bool,
        peer: PeerView<'_>,
        want: &AtomSet,
        out: &mut BTreeSet<RuleRef>,
    ) {
        if let Some(g) = self
            .iface(at.iface)
            .and_then(|i| Some((i, self.group_sets.get(i.groups as usize)?)))
        {
            let (i, g) = g;
            let peer = self.seen_by(i, peer);
            accepting(if ingress { &g.ingress } else { &g.egress }, peer, want, out);
        }
    }

    fn use_acl(&self, at: Inside, ingress: bool, peer: IpAddr, want: &AtomSet, out: &mut BTreeSet<RuleRef>) {
        let acl = self.iface(at.iface).and_then(|i| self.vsw(i.vswitch)?.acl);
        if let Some(a) = acl.and_then(|a| self.acls.get(a as usize)) {
            let list = if ingress { &a.ingress } else { &a.egress };
            accepting(list, PeerView::public(peer), want, out);
        }
    }

    fn use_transit(&self, s: Inside, d: Inside, w: &AtomSet, u: &mut Used) {
        for (route, crossed) in self.private_uses(s, d) {
            use_crossed(&crossed, u);
            for m in crossed
                .firewalls
                .iter()
                .filter_map(|f| self.meeting(*f, s.ip, d.ip))
            {
                self.use_firewall(&m, w, u);
            }
            u.routes.extend(route.filter(|r| matches!(r, RouteRef::Entry(_))));
        }
    }

    /// What of a firewall lets some services pass; as it sees them.
    fn use_firewall(&self, m: &Meeting<'_>, want: &AtomSet, u: &mut Used) {
        for (s, d) in &m.seen {
            m.list.accepting(want, *s, *d, |rule| {
                u.firewall.insert(match rule {
                    Some(r) => RuleRef::Firewall(m.id, r.index),
                    None => RuleRef::FirewallEnd(m.id),
                });
            });
        }
    }

    /// The firewalls that what takes an exit meets.
    fn met_at_exit(&self, s: Inside, e: &Exit, dst: IpAddr) -> Vec<Meeting<'_>> {
        let between = e.crossed.firewalls.iter();
        let mut all: Vec<_> = between.filter_map(|f| self.meeting(*f, s.ip, dst)).collect();
        all.extend(self.met_at_border(s, e, dst));
        all
    }

    /// The firewalls at the border of the cloud and at a NAT gateway that an exit leads through.
    pub(crate) fn met_at_border(&self, s: Inside, e: &Exit, dst: IpAddr) -> Vec<Meeting<'_>> {
        let crossed = !e.crossed.attachments.is_empty();
        let mut all = Vec::new();
        if let ExitKind::Snat(n, _) = e.kind {
            all.extend(self.met_nat(s, n, dst, e.appliances.is_empty() && !crossed));
        }
        if !matches!(e.kind, ExitKind::Service | ExitKind::Dropped) {
            all.extend(self.met_outbound(s, &e.src, e.eip, dst));
        }
        all
    }

    fn use_exit(&self, s: Inside, e: &Exit, dst: IpAddr, w: &AtomSet, u: &mut Used) {
        u.internet = true;
        for m in self.met_at_exit(s, e, dst) {
            self.use_firewall(&m, w, u);
        }
        u.routes
            .extend(e.route.filter(|r| matches!(r, RouteRef::Entry(_))));
        u.appliances.extend(&e.appliances);
        use_crossed(&e.crossed, u);
        match e.kind {
            ExitKind::Own(i) => {
                let own = self.addr_of(s).and_then(|(_, a)| a.own.get(i));
                u.public.extend(own.map(|o| (s.iface, o.index)));
            }
            ExitKind::Appliance(addr, i) => {
                if let Some(f) = e.appliances.last() {
                    let own = self
                        .iface(*f)
                        .and_then(|f| f.addrs.get(addr as usize))
                        .and_then(|a| a.own.get(i));
                    u.public.extend(own.map(|o| (*f, o.index)));
                }
            }
            ExitKind::Dropped => {}
            ExitKind::Snat(n, By::Mapping(i)) => {
                u.nats.insert(n);
                let mapped = self.addr_of(s).and_then(|(_, a)| a.mapped.get(i));
                u.dnat.extend(mapped.map(|m| m.entry));
            }
            ExitKind::Snat(n, By::Entry(i)) => {
                u.nats.insert(n);
                u.snat.extend(
                    self.nats
                        .get(n.index())
                        .and_then(|n| n.snat.get(i))
                        .map(|s| s.entry),
                );
            }
            ExitKind::V6 => {
                u.ipv6.insert((s.iface, s.addr));
            }
            ExitKind::Service => u.internet = false,
        }
    }

    fn use_entry(&self, d: Inside, e: Entry, x: IpAddr, w: &AtomSet, u: &mut Used) {
        u.internet = true;
        let Some((_, a)) = self.addr_of(d) else { return };
        if let Some(m) = self.met_inbound(d, x, e) {
            // Behind DNAT the firewall has seen other ports: all that the entry maps.
            let sent = match e {
                Entry::Dnat(_) => &self.common.all,
                _ => w,
            };
            self.use_firewall(&m, sent, u);
        }
        match e {
            Entry::Own(i) => {
                u.public.insert((d.iface, a.own[i].index));
            }
            Entry::Dnat(i) => {
                u.dnat.insert(a.dnat[i].entry);
                u.nats.insert(a.dnat[i].nat);
            }
            Entry::V6 => {
                u.ipv6.insert((d.iface, d.addr));
            }
            Entry::Back(_) => {}
        }
    }

    /// What the services `want` of a flow use. Services as delivered.
    #[must_use]
    pub fn used(&self, s: Point, d: Point, want: &AtomSet) -> Used {
        let mut u = Used::default();
        let mut ways = Vec::new();
        self.flow_ways(s, d, ReplyPort::Ephemeral, Some(&mut ways));
        for (way, flow) in ways {
            let w = flow.delivered.intersect(want);
            if !w.is_empty() {
                self.use_listener(d, &w, &mut u);
                self.use_way(&way, s, d, &w, &mut u);
            }
        }
        u
    }

    /// What some services use of one way.
    fn use_way(&self, way: &Way, s: Point, d: Point, w: &AtomSet, u: &mut Used) {
        match (way, s, d) {
            (Way::Relayed(x), _, Point::Inside(d)) => {
                let Some(r) = self.relays.get(x.relay as usize) else {
                    return;
                };
                self.use_way(&x.first, s, Point::Inside(x.front), &x.taken, u);
                u.relays.insert((r.balancer, r.listener, r.forward));
                u.listening.insert((r.balancer, r.listener));
                self.use_leg(r, x, (s, d), w, u);
            }
            (Way::Private, Point::Inside(s), Point::Inside(d)) if self.is_front(s.iface) => {
                for (_, r) in self.relays_at(d).filter(|(_, r)| r.front == s.iface) {
                    if self.handed_on(r, &r.listen).intersects(w) {
                        u.relays.insert((r.balancer, r.listener, r.forward));
                        for src in self.sources(r, d, None, &[]) {
                            self.use_sg(d, true, src.0, w, &mut u.ingress);
                            self.use_acl(d, true, src.0.ip, w, &mut u.acl);
                        }
                    }
                }
            }
            (Way::Private, Point::Inside(s), Point::Inside(d)) => {
                self.use_sg(s, false, self.private_view(d), w, &mut u.egress);
                self.use_sg(d, true, self.private_view(s), w, &mut u.ingress);
                self.use_transit(s, d, w, u);
                let vsw = |p: Inside| self.iface(p.iface).map(|i| i.vswitch);
                if vsw(s) != vsw(d) {
                    self.use_acl(s, false, d.ip, w, &mut u.acl);
                    self.use_acl(d, true, s.ip, w, &mut u.acl);
                }
                let tables = self
                    .iface(s.iface)
                    .and_then(|i| self.vsw(i.vswitch))
                    .map(|v| &v.tables);
                for t in tables
                    .into_iter()
                    .flatten()
                    .filter_map(|&t| self.tables.get(t as usize))
                {
                    for r in t.lookup(d.ip).filter(|r| matches!(r.from, RouteRef::Entry(_))) {
                        u.routes.insert(r.from);
                        u.appliances.extend(r.hops.iter().filter_map(|h| match h {
                            Hop::Interface(f) => Some(*f),
                            _ => None,
                        }));
                    }
                }
            }
            (Way::Inner(j), Point::Inside(s), Point::Inside(d)) => self.use_inner(j, s, d, w, u),
            (Way::Out(e), Point::Inside(s), Point::Outside(p)) => {
                self.use_sg(s, false, PeerView::public(p), w, &mut u.egress);
                self.use_acl(s, false, p, w, &mut u.acl);
                self.use_exit(s, e, p, w, u);
            }
            (Way::In(e), Point::Outside(x), Point::Inside(d)) => {
                self.use_sg(d, true, PeerView::public(x), w, &mut u.ingress);
                self.use_acl(d, true, x, w, &mut u.acl);
                self.use_entry(d, *e, x, w, u);
            }
            (Way::Hairpin(exit, p, entry, x), Point::Inside(s), Point::Inside(d)) => {
                self.use_sg(s, false, PeerView::public(*p), &self.common.all, &mut u.egress);
                self.use_sg(d, true, PeerView::public(*x), w, &mut u.ingress);
                self.use_acl(s, false, *p, &self.common.all, &mut u.acl);
                self.use_acl(d, true, *x, w, &mut u.acl);
                self.use_exit(s, exit, *p, &self.common.all, u);
                self.use_entry(d, *entry, *x, w, u);
            }
            _ => {}
        }
    }

    /// What some services use of a way through VPC NAT gateways.
    fn use_inner(&self, j: &Journey, s: Inside, d: Inside, w: &AtomSet, u: &mut Used) {
        let (first, sent) = match j.door {
            None => (self.private_view(d), w),
            Some(_) => (nat_view(j.to), &self.common.all),
        };
        let last = if j.seen == s.ip {
            self.private_view(s)
        } else {
            nat_view(j.seen)
        };
        self.use_sg(s, false, first, sent, &mut u.egress);
        self.use_sg(d, true, last, w, &mut u.ingress);
        self.use_acl(s, false, j.to, sent, &mut u.acl);
        self.use_acl(d, true, j.seen, w, &mut u.acl);
        let entries = |r: &&RouteRef| matches!(r, RouteRef::Entry(_));
        u.routes.extend(j.routes.iter().filter(entries));
        u.appliances.extend(&j.appliances);
        j.crossed.iter().for_each(|c| use_crossed(c, u));
        for t in &j.turns {
            u.nats.insert(t.nat);
            let entry = t.snat.and_then(|i| self.nats.get(t.nat.index())?.snat.get(i));
            u.snat.extend(entry.map(|e| e.entry));
        }
        let door = j.door.and_then(|k| self.addr_of(d)?.1.inner.get(k));
        u.dnat.extend(door.map(|e| e.entry));
    }

    /// The listeners of a front that take some services in.
    fn use_listener(&self, d: Point, w: &AtomSet, u: &mut Used) {
        let Point::Inside(d) = d else { return };
        let Some(front) = self.iface(d.iface).and_then(|f| f.front.as_ref()) else {
            return;
        };
        for (n, listen) in (0u32..).zip(&front.listeners) {
            if listen.intersects(w) {
                u.listening.insert((front.balancer, n));
            }
        }
    }

    /// Whom a backend sees.
    pub(crate) fn seen_behind<'a>(&'a self, x: &'a Relayed, s: Point) -> PeerView<'a> {
        let (ip, client) = x.source;
        let front = self.private_view(x.front);
        match (&x.first, s) {
            (Way::Private, Point::Inside(s)) if client => self.private_view(s),
            (Way::Inner(j), _) if client && j.seen == ip => nat_view(ip),
            _ if client => PeerView::public(ip),
            _ => PeerView { ip, ..front },
        }
    }

    /// What a balancer's way to a backend uses.
    fn use_leg(&self, r: &Relay, x: &Relayed, (s, d): (Point, Inside), w: &AtomSet, u: &mut Used) {
        let (ip, _) = x.source;
        let src = self.seen_behind(x, s);
        let trails = self.trails_behind(r, d, src, false).unwrap_or_default();
        for id in trails.iter().flat_map(|t| &t.firewalls) {
            if let Some(m) = self.meeting(*id, ip, d.ip) {
                self.use_firewall(&m, w, u);
            }
        }
        let by = self.iface(r.front).and_then(|f| f.front.as_ref());
        let link = by.is_some_and(|f| f.link);
        let own = self
            .iface(d.iface)
            .is_some_and(|i| i.front.is_some() || i.service.is_some());
        if own || !by.is_some_and(|f| f.exempt) {
            self.use_sg(d, true, src, w, &mut u.ingress);
        }
        let vsw = |i: InterfaceId| self.iface(i).map(|i| i.vswitch);
        // A-PL-1.
        if link {
            if by.is_some_and(|f| f.link_filtered) {
                self.use_acl(d, true, ip, w, &mut u.acl);
            }
        } else if vsw(r.front) != vsw(d.iface) {
            self.use_acl(x.front, false, d.ip, w, &mut u.acl);
            self.use_acl(d, true, ip, w, &mut u.acl);
        }
    }
}
