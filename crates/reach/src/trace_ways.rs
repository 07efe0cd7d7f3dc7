//! The ways of one packet: private, out to the Internet, in from it, and out and in again.

mod exits;
mod firewalls;
mod inner;
mod relay;

use crate::flow::{Way, representatives};
use crate::network::Hop;
use crate::point::{End, Entry, Exit, ExitKind, Inside, Own, PeerView, Place, Point, ReplyPort};
use crate::trace::{DecidedBy, Decision, Layer, Seen, Step, WayTrace};
use crate::trace_text::{describe_route, dnat_text};
use crate::trace_walk::{Branch, Leg, Tracer, Trail};
use bartizan_model::{DnatTarget, InterfaceId};
use bartizan_packet::Proto;
use std::net::IpAddr;
use std::sync::Arc;

/// One way in.
struct Arrival {
    request: Vec<Step>,
    reply: Vec<Step>,
    delivered: bool,
    works: bool,
}

/// Delivered and works.
type Answer = (bool, bool);

/// Ways over the Internet and back that are told in full.
const MAX_HAIRPINS: usize = 4;

pub(crate) fn ip_port(ip: IpAddr, proto: Proto, port: u16) -> String {
    match ip {
        _ if !proto.has_ports() => ip.to_string(),
        IpAddr::V4(a) => format!("{a}:{port}"),
        IpAddr::V6(a) => format!("[{a}]:{port}"),
    }
}

impl Tracer<'_> {
    fn atom(&self) -> usize {
        self.net
            .atoms
            .atom_of(self.packet.proto, self.packet.destination_port)
    }

    /// What a reply is, to the filters: TCP and UDP go to the client's port, echo gets an echo reply.
    fn reply_atom(&self) -> usize {
        let p = &self.packet;
        let port = match (p.proto, p.destination_port >> 8) {
            (Proto::TCP | Proto::UDP, _) => p.source_port,
            (Proto::ICMP, 8) => 0,
            (Proto::ICMPV6, 128) => 129 << 8,
            _ => p.destination_port,
        };
        self.net.atoms.atom_of(p.proto, port)
    }

    /// All ways, and the answer over all of them.
    pub(crate) fn all(&self) -> (Vec<WayTrace>, bool, bool) {
        let (ways, (delivered, works)) = match (self.packet.source, self.packet.destination) {
            // From one family to the other there are only balancers.
            (s, Point::Inside(d)) if self.net.turns(s, d) => match self.relayed(s, d) {
                (ways, _) if ways.is_empty() => {
                    let why = "one address is IPv4 and the other is IPv6";
                    let stop = self.step(self.iface_at(d.iface), Layer::Platform, why, Decision::Drop);
                    (vec![refused("none", vec![stop])], (false, false))
                }
                found => found,
            },
            (Point::Inside(s), Point::Inside(d)) => {
                let (mut ways, mut a) = self.private(s, d);
                let (more, b) = self.inner(s, d);
                ways.extend(more);
                a = (a.0 || b.0, a.1 || b.1);
                let (more, b) = self.hairpin(s, d);
                ways.extend(more);
                let (more, c) = self.relayed(Point::Inside(s), d);
                ways.extend(more);
                (ways, (a.0 || b.0 || c.0, a.1 || b.1 || c.1))
            }
            (Point::Inside(s), Point::Outside(p)) => self.outward(s, p),
            (Point::Outside(x), Point::Inside(d)) => {
                let (mut ways, a) = self.inward(x, d);
                let (more, b) = self.relayed(Point::Outside(x), d);
                ways.extend(more);
                (ways, (a.0 || b.0, a.1 || b.1))
            }
            (Point::Outside(_), Point::Outside(_)) => {
                let why = "neither end is in the inventory";
                let s = self.step("internet".into(), Layer::Platform, why, Decision::Drop);
                (vec![refused("none", vec![s])], (false, false))
            }
        };
        (ways, delivered, works)
    }

    fn private_leg<'a>(&'a self, s: Inside, d: Inside, sessions: &'a [InterfaceId], atom: usize) -> Leg<'a> {
        Leg {
            src: self.net.private_view(s),
            dst: self.net.private_view(d),
            sessions,
            goal: Some(d.iface),
            sender: None,
            translate: false,
            exempt: None,
            atom,
            first: sessions.is_empty(),
        }
    }

    /// Why two addresses have no private path at all, whatever the filters say.
    fn apart(&self, s: Inside, d: Inside) -> Option<&'static str> {
        let (Some((si, _)), Some((di, _))) = (self.net.addr_of(s), self.net.addr_of(d)) else {
            return Some("it is not known where one of the two is");
        };
        if s.iface == d.iface {
            return Some("the two ends are one");
        }
        if self.net.one_end(s, d) {
            return Some("both ends have the same address, which each VPC keeps for its own");
        }
        if s.ip.is_ipv4() != d.ip.is_ipv4() {
            return Some("one address is IPv4 and the other is IPv6");
        }
        if !self.net.meet(si, di) {
            return Some("the two are in different VPCs and nothing joins them");
        }
        if si.apart || di.apart {
            return Some("an EIP in ENI-visible mode replaces the private networking of its interface");
        }
        None
    }

    fn private_branches(&self, s: Inside, d: Inside, sessions: &[InterfaceId], atom: usize) -> Vec<Branch> {
        let mut out = Vec::new();
        if self.apart(s, d).is_none()
            && let Some((si, _)) = self.net.addr_of(s)
        {
            self.leave(
                self.private_leg(s, d, sessions, atom),
                Trail::from(s.iface),
                si,
                true,
                &mut out,
            );
        }
        out
    }

    fn private(&self, s: Inside, d: Inside) -> (Vec<WayTrace>, Answer) {
        if self.net.is_front(s.iface) {
            return self.handed(s, d);
        }
        if let Some(why) = self.apart(s, d) {
            let stop = Step {
                origin: Some(self.inv.typed[d.iface].meta.origin.clone()),
                assumptions: if self.bound(s) || self.bound(d) {
                    vec!["A-EIP-3"]
                } else {
                    Vec::new()
                },
                ..self.step(self.iface_at(s.iface), Layer::Platform, why, Decision::Drop)
            };
            return (vec![refused("private", vec![stop])], (false, false));
        }
        let mut ways = Vec::new();
        for b in self.private_branches(s, d, &[], self.atom()) {
            let mut sessions = vec![s.iface, d.iface];
            sessions.extend(&b.appliances);
            let back = self.private_branches(d, s, &sessions, self.reply_atom());
            let works = b.open && self.fold(back.iter().map(|b| b.open));
            let reply = if b.open {
                self.shown(back.into_iter().map(|b| (b.open, b.steps)).collect())
            } else {
                Vec::new()
            };
            let name = format!("private{}", self.through(&b.appliances));
            ways.push(WayTrace {
                name,
                request: b.steps,
                reply,
                delivered: b.open,
                works,
                seen: Some(Seen::Private(s)),
            });
        }
        let answer = self.answer(&ways);
        (ways, answer)
    }

    fn bound(&self, p: Inside) -> bool {
        self.net.iface(p.iface).is_some_and(|i| i.apart)
    }

    fn answer(&self, ways: &[WayTrace]) -> Answer {
        (
            self.fold(ways.iter().map(|w| w.delivered)),
            self.fold(ways.iter().map(|w| w.works)),
        )
    }

    fn through(&self, appliances: &[InterfaceId]) -> String {
        let names: Vec<String> = appliances
            .iter()
            .map(|&i| format!("`{}`", self.iface_at(i)))
            .collect();
        if names.is_empty() {
            String::new()
        } else {
            format!(" through {}", names.join(", "))
        }
    }

    fn outward(&self, s: Inside, p: IpAddr) -> (Vec<WayTrace>, Answer) {
        let mut ways = Vec::new();
        for e in self.exits(s, p, self.atom(), true) {
            let (works, reply) = self.exit_replies(s, p, &e);
            let name = format!("out {}", e.name);
            ways.push(WayTrace {
                name,
                request: e.steps,
                reply,
                delivered: e.open,
                works,
                seen: None,
            });
        }
        if ways.is_empty() {
            let why = "one address is IPv4 and the other is IPv6";
            let stop = self.step(self.iface_at(s.iface), Layer::Platform, why, Decision::Drop);
            ways.push(refused("none", vec![stop]));
        }
        let answer = self.answer(&ways);
        (ways, answer)
    }

    /// The branches of a packet from a public source that enters towards `d`, after `steps`.
    fn enter(
        &self,
        d: Inside,
        from: PeerView<'_>,
        e: Entry,
        sessions: &[InterfaceId],
        atom: usize,
        steps: Vec<Step>,
    ) -> Vec<Branch> {
        let x = from.ip;
        let Some((di, da)) = self.net.addr_of(d).filter(|_| d.ip.is_ipv4() == x.is_ipv4()) else {
            return Vec::new();
        };
        let Some(v) = self.net.vsw(di.vswitch) else {
            return Vec::new();
        };
        let m = Leg {
            src: from,
            dst: self.net.private_view(d),
            sessions,
            goal: Some(d.iface),
            sender: None,
            translate: false,
            exempt: None,
            atom,
            first: sessions.is_empty(),
        };
        let mut t = Trail::default();
        t.extend(steps);
        let mut out = Vec::new();
        let at = self.inv.typed[di.vswitch].meta.origin.clone();
        let stop = |layer, why: String| Step {
            origin: Some(at.clone()),
            ..self.step(at.address.clone(), layer, why, Decision::Drop)
        };
        match e {
            Entry::Own(_) if di.free_public() => {}
            Entry::V6 if di.free_front() => {}
            Entry::Back(Some(n)) if self.net.nat_elsewhere(n, v).is_some() => {
                if let Some((vpc, z)) = self.net.nat_elsewhere(n, v) {
                    let tables = self.net.tables_of(vpc, z);
                    self.forward(m, &t, Place::Router(vpc, z), Own::No, &tables, &mut out);
                }
                return out;
            }
            Entry::Dnat(i)
                if !self
                    .net
                    .nats
                    .get(da.dnat[i].nat.index())
                    .is_some_and(|n| n.exit.contains(x)) =>
            {
                let why = "the NAT gateway's own vSwitch has no route to the IPv4 gateway";
                t.push(stop(Layer::Nat, why.to_string()));
            }
            Entry::V6 if !self.net.routes_to(v, x, &Hop::Ipv6Gateway) => {
                t.push(stop(
                    Layer::Ipv6Gateway,
                    format!("no route for {x} to the IPv6 gateway"),
                ));
            }
            Entry::Own(_) if self.net.controlled(v.vpc) || self.net.leads(v.vpc) => {
                if self.net.controlled(v.vpc) != self.net.leads(v.vpc) {
                    self.reach(m, t.clone(), None, d.iface, &mut out);
                }
                if !self.net.gateway_answers(v, x) {
                    let by = self.net.routes_to_appliance(v, x);
                    t.push(Step {
                        assumptions: if by { vec!["A-IGW-2"] } else { Vec::new() },
                        ..stop(
                            Layer::Ipv4Gateway,
                            format!("no route for {x} to the active IPv4 gateway"),
                        )
                    });
                } else if let Some(table) = self
                    .net
                    .vpcs
                    .get(v.vpc.index())
                    .and_then(|n| n.ingress_table)
                    .and_then(|t| self.net.tables.get(t as usize))
                {
                    let mut decided = false;
                    let origin = self
                        .inv
                        .typed
                        .route_tables
                        .get(table.id.index())
                        .map(|t| t.meta.origin.clone());
                    let place = || {
                        origin
                            .as_ref()
                            .map_or_else(|| at.address.clone(), |o| o.address.clone())
                    };
                    for r in table.lookup(d.ip) {
                        decided |= !r.optional;
                        let (rule, from) = describe_route(self.inv, r.from);
                        let mut t = t.clone();
                        t.push(Step {
                            origin: from.or(origin.clone()),
                            from: Some(DecidedBy::Route(r.from)),
                            ..self.step(place(), Layer::Route, rule, Decision::Forward)
                        });
                        for h in &r.hops {
                            match h {
                                Hop::Local => self.reach(m, t.clone(), None, d.iface, &mut out),
                                Hop::Interface(i) => self.reach(m, t.clone(), None, *i, &mut out),
                                Hop::HaVip(h) => {
                                    for f in self.net.ha_vips.get(h.index()).map_or(&[][..], |v| v) {
                                        self.reach(m, t.clone(), None, *f, &mut out);
                                    }
                                }
                                _ => {
                                    let why = "the gateway route table leads elsewhere".to_string();
                                    self.dropped(t.clone(), stop(Layer::Route, why), &mut out);
                                }
                            }
                        }
                    }
                    if !decided {
                        let why = format!("the gateway route table has no route to {}", d.ip);
                        self.dropped(t, stop(Layer::Route, why), &mut out);
                    }
                    return out;
                }
            }
            _ => {}
        }
        self.reach(m, t, None, d.iface, &mut out);
        out
    }

    /// What an entry does with the packet before it is inside.
    fn door_steps(&self, d: Inside, e: Entry, atom: usize) -> (Vec<Step>, String) {
        let p = &self.packet;
        let to = ip_port(d.ip, p.proto, p.destination_port);
        let open = self.net.door_atoms(d, e).contains(atom);
        let Some((_, a)) = self.net.addr_of(d) else {
            return (Vec::new(), String::new());
        };
        let (mut step, name) = match e {
            Entry::Own(i) => {
                let mut s = self.public_step(d.iface, a.own[i].index, to);
                // A balancer in no vSwitch has no other address that this one could stand for.
                if self.net.iface(d.iface).is_some_and(|i| i.detached_front()) {
                    s.rule = "public address of the load balancer".to_string();
                    s.decision = Decision::Accept;
                }
                let name = format!("by `{}`", s.at);
                (s, name)
            }
            Entry::Dnat(i) => {
                let n = &a.dnat[i];
                let (rule, origin) = dnat_text(self.inv, n.entry);
                let at = self.inv.typed[n.nat].meta.origin.address.clone();
                let name = format!("by DNAT of `{at}`");
                let s = self.step(at, Layer::Dnat, rule, Decision::Rewrite(to));
                (
                    Step {
                        origin,
                        from: Some(DecidedBy::Dnat(n.entry)),
                        ..s
                    },
                    name,
                )
            }
            Entry::Back(_) => return (Vec::new(), String::new()),
            Entry::V6 => {
                let front = self.net.is_front(d.iface);
                let text = match front {
                    true => "its IPv6 address is public",
                    false => "IPv6 Internet bandwidth lets connections in",
                };
                let at = self.net.iface(d.iface);
                let free = at.is_some_and(|i| i.free_front() && !i.detached_front());
                let s = self.step(self.iface_at(d.iface), Layer::Ipv6Gateway, text, Decision::Accept);
                (
                    Step {
                        assumptions: if free { vec!["A-LB-2"] } else { Vec::new() },
                        ..s
                    },
                    match front {
                        true => "by its IPv6 address".to_string(),
                        false => "by the IPv6 gateway".to_string(),
                    },
                )
            }
        };
        if open {
            return (vec![step], name);
        }
        if matches!(e, Entry::Dnat(_)) {
            // An entry for other ports is no way for this packet.
            step.rule = format!("{}: not this service", step.rule);
            step.decision = Decision::Drop;
            step.open = false;
            return (vec![step], name);
        }
        let more = self.not_carried_in(&step.at);
        (vec![step, more], name)
    }

    fn not_carried_in(&self, at: &Arc<str>) -> Step {
        let why = "a public IPv4 address carries TCP, UDP and ICMP only";
        self.step(at.clone(), Layer::Platform, why, Decision::Drop)
    }

    /// A packet from a public address that comes in by one entry: one arrival per branch.
    fn arrivals<'p>(&self, d: Inside, from: impl Into<PeerView<'p>>, e: Entry) -> (Vec<Arrival>, String) {
        let from: PeerView<'p> = from.into();
        let atom = self.atom();
        let (steps, name) = self.door_steps(d, e, atom);
        let mut all: Vec<Step> = self.boundary_step(d, from.ip, e, atom).into_iter().collect();
        all.extend(steps);
        let mut out = Vec::new();
        for b in self.enter(d, from, e, &[], atom, all) {
            if !b.open {
                out.push(Arrival {
                    request: b.steps,
                    reply: Vec::new(),
                    delivered: false,
                    works: false,
                });
                continue;
            }
            let mut sessions = vec![d.iface];
            sessions.extend(&b.appliances);
            let mut back = Vec::new();
            for mut r in self.out_branches(d, from, &sessions, self.reply_atom(), false) {
                let same = match (e, r.end) {
                    (Entry::Own(_), End::Own) | (Entry::V6, End::V6) => true,
                    (Entry::Dnat(i), End::Nat(n)) => {
                        self.net.addr_of(d).is_some_and(|(_, a)| a.dnat[i].nat == n)
                    }
                    _ => false,
                };
                if r.open && !same {
                    let why = "the reply does not leave the way the request came in";
                    r.steps.push(Step {
                        origin: r.steps.last().and_then(|s| s.origin.clone()),
                        ..self.step(self.iface_at(d.iface), Layer::Route, why, Decision::Drop)
                    });
                }
                back.push((r.open && same, r.steps));
            }
            let works = self.fold(back.iter().map(|b| b.0));
            out.push(Arrival {
                request: b.steps,
                reply: self.shown(back),
                delivered: true,
                works,
            });
        }
        (out, name)
    }

    fn inward(&self, x: IpAddr, d: Inside) -> (Vec<WayTrace>, Answer) {
        let (mut ways, mut total) = (Vec::new(), (false, false));
        for e in self.net.doors(d) {
            let (list, name) = self.arrivals(d, x, e);
            total.0 |= self.fold(list.iter().map(|a| a.delivered));
            total.1 |= self.fold(list.iter().map(|a| a.works));
            ways.extend(list.into_iter().map(|a| WayTrace {
                name: format!("in {name}"),
                request: a.request,
                reply: a.reply,
                delivered: a.delivered,
                works: a.works,
                seen: Some(Seen::Public(x)),
            }));
        }
        let closed = self.closed_doors(d);
        if ways.is_empty() || closed.iter().any(|s| s.layer == Layer::Dnat) {
            for stop in closed {
                for b in self.enter(d, x.into(), Entry::Back(None), &[], self.atom(), vec![stop]) {
                    ways.push(refused("in", b.steps));
                }
            }
        }
        if ways.is_empty() {
            let why = "one address is IPv4 and the other is IPv6";
            ways.push(refused(
                "none",
                vec![self.step(self.iface_at(d.iface), Layer::Platform, why, Decision::Drop)],
            ));
        }
        (ways, total)
    }

    /// What leads to an address from the Internet only by the look of it, or that nothing does.
    fn closed_doors(&self, d: Inside) -> Vec<Step> {
        let Some((di, da)) = self.net.addr_of(d) else {
            return Vec::new();
        };
        let t = &self.inv.typed;
        let origin = Some(t[d.iface].meta.origin.clone());
        let stop = |layer, why: &str| Step {
            origin: origin.clone(),
            ..self.step(self.iface_at(d.iface), layer, why, Decision::Drop)
        };
        if d.ip.is_ipv6() {
            let gateway = self
                .net
                .vpc_of(di)
                .and_then(|v| self.net.vpcs.get(v.index()))
                .is_some_and(|v| v.ipv6_gateway);
            return match (gateway || di.free_front(), da.v6.inbound) {
                (false, _) => vec![stop(Layer::Ipv6Gateway, "the VPC has no IPv6 gateway")],
                (true, false) => {
                    vec![stop(
                        Layer::Ipv6Gateway,
                        "no IPv6 Internet bandwidth lets connections in to this address",
                    )]
                }
                (true, true) => Vec::new(),
            };
        }
        let mut out = Vec::new();
        let own = di.addrs.iter().any(|a| !a.own.is_empty());
        for (i, n) in t.dnat_entries.iter().enumerate() {
            let i = u32::try_from(i).unwrap_or(u32::MAX);
            let here = match n.target {
                DnatTarget::Interface(f, a) => f == d.iface && a == d.addr,
                DnatTarget::Ip(ip) => ip == d.ip,
                DnatTarget::Unknown(_) => false,
            };
            if !here || da.dnat.iter().any(|n| n.entry == i) {
                continue;
            }
            let inner =
                |n: &bartizan_model::NatId| self.net.nats.get(n.index()).is_some_and(|g| g.inner.is_some());
            let why = if n.nat.known().is_some_and(inner) {
                "this entry is one of a VPC NAT gateway: nothing comes to it from the Internet"
            } else if own {
                "DNAT does not work for an interface that has a public address of its own"
            } else {
                "this entry is not in force: its address is not one of the gateway, or that is not certain"
            };
            let at = n
                .nat
                .known()
                .map_or_else(|| n.origin.address.clone(), |n| t[*n].meta.origin.address.clone());
            out.push(Step {
                origin: Some(n.origin.clone()),
                from: Some(DecidedBy::Dnat(i)),
                ..self.step(at, Layer::Dnat, why, Decision::Drop)
            });
        }
        if out.is_empty() && da.own.is_empty() && !da.dnat.iter().any(|n| n.leads_to(d.ip)) {
            out.push(stop(
                Layer::Eip,
                "no public address and no DNAT entry lead to this address",
            ));
        }
        out
    }

    /// Out to the Internet and in again.
    fn hairpin(&self, s: Inside, d: Inside) -> (Vec<WayTrace>, Answer) {
        let none = (Vec::new(), (false, false));
        let (Some((si, _)), Some((di, _))) = (self.net.addr_of(s), self.net.addr_of(d)) else {
            return none;
        };
        let one_vpc = self.net.vpc_of(si) == self.net.vpc_of(di);
        let apart = s.iface == d.iface || s.ip.is_ipv4() != d.ip.is_ipv4();
        if apart || self.net.inside_only(si, di, d.ip) {
            return none;
        }
        let doors = self.net.doors(d);
        if doors.is_empty() {
            // Two VPCs could only talk this way, so it is worth saying that they do not.
            let closed = if one_vpc { Vec::new() } else { self.closed_doors(d) };
            return (
                closed
                    .into_iter()
                    .map(|s| refused("over the Internet", vec![s]))
                    .collect(),
                (false, false),
            );
        }
        let cuts = self.net.cuts_around(&[s.iface, d.iface]);
        let (mut ways, mut total) = (Vec::new(), (false, false));
        for e in doors {
            let publics = representatives(&self.net.public_of(d, e), &cuts);
            let (mut per_public, mut cost) = (Vec::new(), 0);
            for p in publics {
                let (more, answer, n) = self.hairpin_by(s, d, e, p, &cuts);
                ways.extend(more);
                per_public.push(answer);
                cost += n;
                if cost > 512 {
                    break;
                }
            }
            if cost > 512 {
                // Too many places for addresses that are not known: the engine answers, a few are told.
                return (self.examples(s, d, ways), self.engine(s, d));
            }
            total.0 |= self.fold(per_public.iter().map(|a| a.0));
            total.1 |= self.fold(per_public.iter().map(|a| a.1));
        }
        ways.sort_by_key(|w| (w.delivered != total.0, w.works != total.1));
        ways.truncate(MAX_HAIRPINS);
        (ways, total)
    }

    fn engine(&self, s: Inside, d: Inside) -> Answer {
        let f = self.net.hairpin(
            s,
            d,
            ReplyPort::Port(self.packet.source_port),
            &[],
            &|_, f| f,
            None,
        );
        (f.delivered.contains(self.atom()), f.works.contains(self.atom()))
    }

    /// Ways that the engine knows to deliver, told in full, before those at hand.
    fn examples(&self, s: Inside, d: Inside, at_hand: Vec<WayTrace>) -> Vec<WayTrace> {
        let mut found = Vec::new();
        self.net.hairpin(
            s,
            d,
            ReplyPort::Port(self.packet.source_port),
            &[],
            &|_, f| f,
            Some(&mut found),
        );
        let mut ways = Vec::new();
        let cuts = self.net.cuts_around(&[s.iface, d.iface]);
        for (way, flow) in found {
            let Way::Hairpin(Exit { .. }, p, e, _) = way else {
                continue;
            };
            if flow.delivered.contains(self.atom()) && ways.len() < MAX_HAIRPINS {
                ways.extend(self.hairpin_by(s, d, e, p, &cuts).0);
            }
        }
        ways.extend(at_hand);
        ways.sort_by_key(|w| (!w.works, !w.delivered));
        ways.truncate(MAX_HAIRPINS);
        ways
    }

    /// By one entry at one public address: the ways, the answer, and how many were looked at.
    fn hairpin_by(
        &self,
        s: Inside,
        d: Inside,
        e: Entry,
        p: IpAddr,
        cuts: &crate::flow::Cuts,
    ) -> (Vec<WayTrace>, Answer, usize) {
        let k = &self.packet;
        // The port as sent: the one before DNAT.
        let sent = match (e, self.net.addr_of(d)) {
            (Entry::Dnat(i), Some((_, a))) if a.dnat[i].ports.is_some() => a.dnat[i]
                .external_port(k.destination_port)
                .filter(|_| k.proto.has_ports()),
            _ => Some(k.destination_port),
        };
        let Some(sent) = sent else {
            let (steps, name) = self.door_steps(d, e, self.atom());
            return (
                vec![refused(&format!("over the Internet, in {name}"), steps)],
                (false, false),
                1,
            );
        };
        let (mut ways, mut alternatives) = (Vec::new(), Vec::new());
        let owner = matches!(e, Entry::Own(_) | Entry::V6).then_some(d);
        let to = self.net.public_view(p, owner);
        for exit in self.exits(s, to, self.net.atoms.atom_of(k.proto, sent), true) {
            let (back, back_steps) = self.exit_replies(s, to, &exit);
            for x in representatives(&exit.src, cuts) {
                let own = matches!(exit.kind, ExitKind::Own(_) | ExitKind::V6).then_some(s);
                let (list, name) = self.arrivals(d, self.net.public_view(x, own), e);
                let delivered = exit.open && self.fold(list.iter().map(|a| a.delivered));
                let works = back && self.fold(list.iter().map(|a| a.works));
                alternatives.push((delivered, works));
                let shown = list
                    .into_iter()
                    .min_by_key(|a| (a.delivered != delivered, a.works != works));
                let mut request = exit.steps.clone();
                let text = format!("from {x} to {}", ip_port(p, k.proto, sent));
                request.push(self.step("internet".into(), Layer::Internet, text, Decision::Forward));
                let mut reply = Vec::new();
                if let Some(a) = shown {
                    request.extend(a.request);
                    if delivered {
                        reply.extend(a.reply);
                        reply.extend(back_steps.clone());
                    }
                }
                let name = format!("over the Internet, out {}, in {name}", exit.name);
                ways.push(WayTrace {
                    name,
                    request,
                    reply,
                    delivered,
                    works,
                    seen: Some(Seen::Public(x)),
                });
            }
        }
        let answer = (
            self.fold(alternatives.iter().map(|a| a.0)),
            self.fold(alternatives.iter().map(|a| a.1)),
        );
        (ways, answer, alternatives.len())
    }
}

fn refused(name: &str, request: Vec<Step>) -> WayTrace {
    WayTrace {
        name: name.to_string(),
        request,
        reply: Vec::new(),
        delivered: false,
        works: false,
        seen: None,
    }
}
