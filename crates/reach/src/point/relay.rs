//! What load balancers hand on to their backends (ALIBABA.md §9.5, docs/decisions/011).

use super::{Branch, End, Inside, Moving, Own, PeerView, Place, ReplyPort, Trail};
use crate::flow::{Cuts, Flow, Then, representatives};
use crate::network::{Addr, Front, Iface, Match, Mode, Network, Relay, RelaySource, Vsw};
use bartizan_model::InterfaceId;
use bartizan_packet::AtomSet;
use std::net::IpAddr;

/// Balancers that one flow may pass.
pub(crate) const MAX_BALANCERS: usize = 4;

impl Network {
    /// What of the services that a listener takes in arrives behind it.
    pub(crate) fn handed_on(&self, r: &Relay, taken: &AtomSet) -> AtomSet {
        let taken = taken.intersect(&r.listen);
        match &r.delivered {
            _ if taken.is_empty() => taken,
            None => taken,
            Some(d) => (**d).clone(),
        }
    }

    /// Everything that a balancer may hand on to an interface.
    pub(crate) fn relays_to(&self, i: InterfaceId) -> impl Iterator<Item = (u32, &Relay)> {
        let all = self.behind.get(&i).map_or(&[][..], |v| v);
        all.iter()
            .filter_map(|&n| Some((n, self.relays.get(n as usize)?)))
    }

    /// Everything that a balancer may hand on to an address.
    pub(crate) fn relays_at(&self, d: Inside) -> impl Iterator<Item = (u32, &Relay)> {
        self.relays_to(d.iface).filter(move |(_, r)| r.reaches(d))
    }

    /// For each address at which clients may find a front, where it may be.
    pub(crate) fn places_of(&self, front: InterfaceId, cuts: &Cuts) -> Vec<Vec<Inside>> {
        let all = self.iface(front).map_or(&[][..], |f| &f.addrs);
        let one = |(addr, a): (u32, &Addr)| {
            let places = representatives(&a.region, cuts).into_iter();
            let iface = front;
            places.map(|ip| Inside { iface, addr, ip }).collect()
        };
        (0u32..).zip(all).map(one).collect()
    }

    /// A balancer's own address, as its backends see it.
    pub(crate) fn own_view(&self, r: &Relay, ip: IpAddr) -> PeerView<'_> {
        // What comes through PrivateLink, or from a CLB with an IPv6 address, is a member of nothing.
        if self.sends_as_anyone(r.front) {
            return PeerView {
                opened: true,
                ..PeerView::public(ip)
            };
        }
        let front = Inside {
            iface: r.front,
            addr: 0,
            ip,
        };
        let seen = self.private_view(front);
        PeerView {
            ip,
            primary: seen.groups,
            opened: true,
            ..seen
        }
    }

    /// Whether a front sends by an address of which nothing is known.
    pub(crate) fn sends_as_anyone(&self, front: InterfaceId) -> bool {
        let front = self.iface(front).and_then(|f| f.front.as_ref());
        front.is_some_and(|f| f.anyone)
    }

    /// Whether an interface has an IPv6 address.
    pub(crate) fn has_ipv6(&self, front: InterfaceId) -> bool {
        let mut all = self.iface(front).into_iter().flat_map(|f| &f.addrs);
        all.any(|a| !a.region.v6.is_empty())
    }

    /// The alternatives of whom a backend sees, for a client seen as `client`, or for the balancer itself. `beyond`
    /// is where it goes from the backend, if that is a balancer: what tells addresses apart there counts as well.
    pub(crate) fn sources<'a>(
        &'a self,
        r: &Relay,
        d: Inside,
        client: Option<PeerView<'a>>,
        beyond: &[InterfaceId],
    ) -> Vec<(PeerView<'a>, bool)> {
        let Some(front) = self.iface(r.front).and_then(|f| f.front.as_ref()) else {
            return Vec::new();
        };
        let mut out: Vec<(PeerView<'a>, bool)> = Vec::new();
        // An address is passed on within its family (docs/decisions/024, 10).
        let client = client.filter(|c| c.ip.is_ipv6() == d.ip.is_ipv6());
        if let Some(c) = client.filter(|_| r.source != RelaySource::Own) {
            out.push((c, true));
        }
        if client.is_none() || r.source != RelaySource::Client {
            let cuts = self.cuts_behind(r, d.iface, beyond);
            let all = representatives(&front.back, &cuts).into_iter();
            let all = all.filter(|ip| ip.is_ipv6() == d.ip.is_ipv6());
            let own: Vec<_> = all.map(|ip| (self.own_view(r, ip), false)).collect();
            // Whose address it is may decide whether it is handed on at all.
            if own.is_empty() && self.mode == Mode::Narrow {
                return own;
            }
            out.extend(own);
        }
        out
    }

    /// What tells the addresses of a balancer apart on the way to a backend.
    fn cuts_behind(&self, r: &Relay, d: InterfaceId, beyond: &[InterfaceId]) -> Cuts {
        let vpc = |i| self.iface(i).and_then(|f| self.vpc_of(f));
        let further = beyond.iter().any(|i| *i != d && *i != r.front);
        if further || vpc(r.front) != vpc(d) {
            let mut near = vec![r.front, d];
            near.extend(beyond);
            return self.cuts_around(&near);
        }
        let mut c = Cuts::default();
        let mut add = |rules: &[crate::network::Rule]| {
            for r in rules {
                if let Match::Ips(s) = &r.peer {
                    c.add(s);
                }
            }
        };
        for f in [r.front, d].into_iter().filter_map(|i| self.iface(i)) {
            if let Some(a) = self
                .vsw(f.vswitch)
                .and_then(|v| v.acl)
                .and_then(|a| self.acls.get(a as usize))
            {
                add(&a.ingress.rules);
                add(&a.egress.rules);
            }
        }
        if let Some((f, g)) = self
            .iface(d)
            .and_then(|f| Some((f, self.group_sets.get(f.groups as usize)?)))
        {
            add(&g.ingress.rules);
            // A-SG-3, `stateless`: the reply is judged again, with the address as its destination.
            if self.keeps_no_state(f) {
                add(&g.egress.rules);
            }
        }
        c.finish();
        c
    }

    /// Whether a balancer reaches a backend by the fabric of its VPC (decision 11, item 10).
    pub(crate) fn straight(&self, fi: &Iface, front: &Front, di: &Iface) -> bool {
        front.detached || front.link || self.vpc_of(fi) == self.vpc_of(di)
    }

    /// The ACLs between a front and a backend, for a packet to the backend or for its reply (`ask` is `None`).
    fn acls_between(
        &self,
        fi: &Iface,
        di: &Iface,
        (peer, d): (PeerView<'_>, Inside),
        ask: Option<ReplyPort>,
    ) -> Trail {
        let mut t = self.start(d);
        let (Some(fv), Some(dv)) = (self.vsw(fi.vswitch), self.vsw(di.vswitch)) else {
            t.atoms = self.common.none.clone();
            return t;
        };
        // A-PL-1: an endpoint is in another VPC, or as good as that.
        let link = fi.front.as_ref().filter(|f| f.link);
        let (near, far) = match link {
            Some(f) => (false, f.link_filtered && !di.no_acl()),
            None => (!fi.no_acl(), !di.no_acl()),
        };
        // A CLB in no vSwitch only stands beside one.
        let beside = di.front.as_ref().is_some_and(|f| f.detached);
        if near && fi.vswitch == di.vswitch && !beside {
            return t;
        }
        let there = Moving {
            src: peer,
            dst: self.private_view(d),
            sessions: &[],
            goal: None,
            sender: None,
            translate: false,
            exempt: None,
            ask,
        };
        let back = Moving {
            src: there.dst,
            dst: there.src,
            ..there
        };
        let mut filter = |v: &Vsw, ingress: bool, m: Moving<'_>| {
            if ingress {
                self.acl_in(&mut t, v, m);
            } else {
                t.atoms.intersect_with(&self.acl(v, false, m.dst.ip));
            }
        };
        let (reply, m) = if ask.is_none() {
            (true, back)
        } else {
            (false, there)
        };
        if near {
            filter(fv, reply, m);
        }
        if far {
            filter(dv, !reply, m);
        }
        t
    }

    /// What a backend takes in when a balancer hands it on from an address, and what of it is answered.
    /// `src.1` says whether that is the address of the client, to whose port replies go; where the client is a balancer
    /// itself, that is any port.
    pub(crate) fn leg(&self, r: &Relay, d: Inside, src: (PeerView<'_>, bool), ask: ReplyPort) -> Flow {
        let none = || self.nothing();
        let (Some(fi), Some((di, _))) = (self.iface(r.front), self.addr_of(d)) else {
            return none();
        };
        let Some(front) = fi.front.as_ref() else {
            return none();
        };
        let (src, client) = src;
        if !r.reaches(d) || src.ip.is_ipv6() != r.ipv6 || di.apart && di.front.is_none() {
            return none();
        }
        let ask = if client && !src.opened {
            ask
        } else {
            ReplyPort::Ephemeral
        };
        if self.straight(fi, front, di) {
            let mut atoms = self.acls_between(fi, di, (src, d), Some(ask)).atoms;
            // What a balancer or a service takes in is not a security group.
            let judged = !front.exempt || di.front.is_some() || di.service.is_some();
            if judged {
                atoms.intersect_with(&self.sg(di, true, src));
            }
            let mut back = self.acls_between(fi, di, (src, d), None);
            if judged && self.keeps_no_state(di) {
                back.atoms.intersect_with(&self.sg(di, false, src));
            }
            let mut home = Vec::new();
            let returned = back.atoms.clone();
            self.end(back, End::Arrived, returned, &mut home);
            let works = self.back(&home, ask).intersect(&atoms);
            return Flow {
                delivered: atoms,
                works,
            };
        }
        if fi.front.as_ref().is_some_and(|f| f.detached) || !self.meet(fi, di) || di.apart {
            return none();
        }
        self.routed_leg(fi, front, d, src, ask)
    }

    /// Whether the groups of a backend in another VPC judge what a front hands on to it.
    fn groups_count(&self, front: &Front, d: Inside) -> bool {
        let own = |i: &Iface| i.front.is_some() || i.service.is_some();
        !front.exempt || self.iface(d.iface).is_some_and(own)
    }

    /// To a backend in another VPC: by the routes of the front's vSwitch.
    pub(super) fn routed_branches(
        &self,
        fi: &Iface,
        front: &Front,
        d: Inside,
        src: PeerView<'_>,
        ask: ReplyPort,
    ) -> Vec<Branch> {
        let there = Moving {
            src,
            dst: self.private_view(d),
            sessions: &[fi.id],
            goal: Some(d.iface),
            sender: None,
            translate: false,
            exempt: (!self.groups_count(front, d)).then_some(d.iface),
            ask: Some(ask),
        };
        let mut out = Vec::new();
        let start = self.start(Inside {
            iface: fi.id,
            addr: 0,
            ip: src.ip,
        });
        if let Some(v) = self.vsw(fi.vswitch) {
            self.forward(there, &start, Place::Iface(fi), Own::No, &v.tables, &mut out);
        }
        out
    }

    /// What travels so, and back by the routes of the backend.
    fn routed_leg(&self, fi: &Iface, front: &Front, d: Inside, src: PeerView<'_>, ask: ReplyPort) -> Flow {
        let out = self.routed_branches(fi, front, d, src, ask);
        let delivered = self.fold(out.iter().map(|b| b.atoms.clone()));
        let works = self.fold(out.iter().map(|b| {
            if b.atoms.is_empty() {
                return b.atoms.clone();
            }
            let home = self.routed_home(fi, front, d, src, b);
            self.back(&home, ask).intersect(&b.atoms)
        }));
        Flow { delivered, works }
    }

    /// The branches of the reply to what came by `b`.
    pub(super) fn routed_home(
        &self,
        fi: &Iface,
        front: &Front,
        d: Inside,
        src: PeerView<'_>,
        b: &Branch,
    ) -> Vec<Branch> {
        let mut sessions = vec![fi.id, d.iface];
        sessions.extend(&b.appliances);
        let back = Moving {
            src: self.private_view(d),
            dst: src,
            sessions: &sessions,
            goal: Some(fi.id),
            sender: None,
            translate: false,
            exempt: (!self.groups_count(front, d)).then_some(d.iface),
            ask: None,
        };
        let mut home = Vec::new();
        if let Some(di) = self.iface(d.iface) {
            self.leave(back, self.start(d), di, true, &mut home);
        }
        home
    }

    /// What a balancer sends by itself: to its backends only (decision 11, items 3 and 14).
    /// `beyond` as for [`Network::sources`].
    pub(crate) fn sent_by_front(
        &self,
        s: Inside,
        d: Inside,
        beyond: &[InterfaceId],
        then: &Then<'_>,
    ) -> Flow {
        let mut total = self.nothing();
        for (_, r) in self.relays_at(d).filter(|(_, r)| r.front == s.iface) {
            let on = self.handed_on(r, &r.listen);
            let (delivered, works) = self
                .sources(r, d, None, beyond)
                .into_iter()
                .map(|src| {
                    let f = self.leg(r, d, src, ReplyPort::Ephemeral);
                    let f = then(
                        src.0,
                        Flow {
                            delivered: f.delivered.intersect(&on),
                            works: f.works.intersect(&on),
                        },
                    );
                    (f.delivered, f.works)
                })
                .unzip::<_, _, Vec<_>, Vec<_>>();
            total.delivered.union_with(&self.fold(delivered));
            total.works.union_with(&self.fold(works));
        }
        total
    }

    /// Whether an interface takes in connections for backends.
    pub(crate) fn is_front(&self, i: InterfaceId) -> bool {
        self.iface(i).is_some_and(|f| f.front.is_some())
    }
}
