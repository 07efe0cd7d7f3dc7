//! One packet, hop by hop, in words. Goes on behind a blocker, so that every blocker is seen.
//!
//! This follows `point` branch by branch: the same order of layers and the same alternatives, for one atom.

use crate::firewall::Across;
use crate::hybrid::LinkRef;
use crate::network::{Acl, Addr, Hop, Iface, Mode, Network, Route, RouteRef, RuleList, RuleRef, Table, Vsw};
use crate::point::inner::{Aim, NOBODY};
use crate::point::{End, Inside, MAX_APPLIANCES, Own, PeerView, Place};
use crate::trace::{DecidedBy, Decision, Layer, Step, TracedPacket};
use crate::trace_text::{describe, describe_route};
use bartizan_model::{
    BalancerId, Fact, FirewallId, InterfaceId, Inventory, Origin, Peer, SecurityGroupId, TrTableId, VswitchId,
};
use std::net::IpAddr;
use std::sync::Arc;

/// What a first-match list does with one service of one peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deciding {
    /// The rule.
    pub(crate) from: RuleRef,
    /// What it does.
    pub(crate) accept: bool,
    /// Whether no rule matched.
    pub(crate) default: bool,
}

/// The rule that decides: the first that matches, or the default.
pub(crate) fn deciding(list: &RuleList, peer: PeerView<'_>, atom: usize) -> Deciding {
    match list
        .rules
        .iter()
        .find(|r| r.matches(peer) && r.atoms.contains(atom))
    {
        Some(r) => Deciding {
            from: r.from,
            accept: r.accept,
            default: false,
        },
        None => Deciding {
            from: list.default_ref,
            accept: list.default_accept,
            default: true,
        },
    }
}

/// A packet on one leg of its way.
#[derive(Clone, Copy)]
pub(crate) struct Leg<'a> {
    pub(crate) src: PeerView<'a>,
    pub(crate) dst: PeerView<'a>,
    /// Interfaces whose groups know the session; not empty exactly for replies.
    pub(crate) sessions: &'a [InterfaceId],
    /// The interface it is meant for; `None` for the Internet.
    pub(crate) goal: Option<InterfaceId>,
    /// The sender and its address, for the Internet.
    pub(crate) sender: Option<Inside>,
    /// Whether an appliance may send it on from an address of its own (A-APPL-1).
    pub(crate) translate: bool,
    /// An interface whose groups do not count (A-CLB-1).
    pub(crate) exempt: Option<InterfaceId>,
    /// The service.
    pub(crate) atom: usize,
    /// Whether it is the first packet of a connection, which firewalls judge.
    pub(crate) first: bool,
}

/// One branch on its way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    pub(crate) visited: Vec<InterfaceId>,
    pub(crate) senders: usize,
    pub(crate) steps: Vec<Step>,
    pub(crate) closed: bool,
    /// Tables of transit routers that it has been looked up in.
    pub(crate) tables: Vec<TrTableId>,
    /// Links that it has crossed.
    pub(crate) crossed: Vec<LinkRef>,
    /// Firewalls between VPCs that judged it.
    pub(crate) judged: Vec<FirewallId>,
    /// Whether it is meant for a VPC NAT gateway, or may meet one.
    pub(crate) aim: Aim,
}

impl Trail {
    pub(crate) fn from(sender: InterfaceId) -> Self {
        Trail {
            visited: vec![sender],
            senders: 1,
            ..Trail::default()
        }
    }
    pub(crate) fn push(&mut self, s: Step) {
        self.closed |= !s.open;
        self.steps.push(s);
    }
}

/// One branch at its end.
#[derive(Clone, Debug)]
pub(crate) struct Branch {
    pub(crate) end: End,
    pub(crate) steps: Vec<Step>,
    /// Whether every layer lets it pass. Never for [`End::Dropped`].
    pub(crate) open: bool,
    pub(crate) appliances: Vec<InterfaceId>,
}

/// Branches behind a blocker are for explanation only; no more than so many of them are followed.
const MAX_BLOCKED: usize = 24;

pub(crate) struct Tracer<'a> {
    pub(crate) net: &'a Network,
    pub(crate) inv: &'a Inventory,
    pub(crate) packet: TracedPacket,
    /// Where it goes from its destination: the last one, and the balancers before it.
    pub(crate) beyond: Vec<InterfaceId>,
}

impl<'a> Tracer<'a> {
    pub(crate) fn new(net: &'a Network, inv: &'a Inventory, packet: TracedPacket) -> Self {
        let beyond = match packet.destination {
            crate::point::Point::Inside(d) => vec![d.iface],
            crate::point::Point::Outside(_) => Vec::new(),
        };
        Tracer {
            net,
            inv,
            packet,
            beyond,
        }
    }

    pub(crate) fn iface_at(&self, i: InterfaceId) -> Arc<str> {
        self.inv.typed[i].meta.origin.address.clone()
    }

    pub(crate) fn vsw_at(&self, v: VswitchId) -> Arc<str> {
        self.inv.typed[v].meta.origin.address.clone()
    }

    pub(crate) fn step(
        &self,
        at: Arc<str>,
        layer: Layer,
        rule: impl Into<String>,
        decision: Decision,
    ) -> Step {
        let open = decision != Decision::Drop;
        Step {
            at,
            layer,
            rule: rule.into(),
            decision,
            open,
            origin: None,
            from: None,
            assumptions: Vec::new(),
        }
    }

    /// The groups of an interface judge the packet.
    pub(crate) fn sg(&self, i: &Iface, ingress: bool, leg: Leg<'_>) -> Step {
        let layer = match (i.service, ingress) {
            (Some(_), _) => Layer::AllowList,
            (None, true) => Layer::SecurityGroupIngress,
            (None, false) => Layer::SecurityGroupEgress,
        };
        let at = self.iface_at(i.id);
        let t = &self.inv.typed;
        let Some(set) = self.net.group_sets.get(i.groups as usize) else {
            return self.step(at, layer, "no security group", Decision::Drop);
        };
        let enterprise = |g: &&SecurityGroupId| {
            t.security_groups
                .get(g.index())
                .is_some_and(|g| g.enterprise.known() != Some(&false))
        };
        if leg.exempt == Some(i.id) {
            let why = "groups of a backend are not taken to filter what its balancer forwards";
            return Step {
                assumptions: vec!["A-CLB-1"],
                ..self.step(at, layer, why, Decision::Accept)
            };
        }
        if self.net.in_session(i, leg.sessions) {
            let mut s = self.step(at, layer, "established session", Decision::Accept);
            if set.groups.iter().any(|g| enterprise(&g)) {
                s.assumptions.push("A-SG-3");
            }
            return s;
        }
        let (list, peer) = if ingress {
            (&set.ingress, leg.src)
        } else {
            (&set.egress, leg.dst)
        };
        let d = deciding(list, self.net.seen_by(i, peer), leg.atom);
        let decision = if d.accept {
            Decision::Accept
        } else {
            Decision::Drop
        };
        let (mut rule, mut origin) = describe(self.inv, d.from);
        let mut assumptions = Vec::new();
        if leg.sessions.contains(&i.id) {
            assumptions.push("A-SG-3");
        }
        match d.from {
            RuleRef::NoClient(_) => assumptions.push("A-DB-1"),
            RuleRef::Listening(b) if self.empty_list(b, leg.atom) => assumptions.push("A-LB-1"),
            RuleRef::Default if !d.default => rule = "the metadata service is never blocked".to_string(),
            RuleRef::Default => {
                // The group whose type makes the difference: an enterprise group closes egress for all.
                let g = set.groups.iter().find(enterprise).or(set.groups.first());
                origin = g
                    .and_then(|g| t.security_groups.get(g.index()))
                    .map(|g| g.meta.origin.clone());
                let kind = match g {
                    Some(g) if enterprise(&g) => "an enterprise group",
                    Some(_) => "a basic group",
                    None => "groups that are not known",
                };
                rule = format!("default of {kind}: {}", if d.accept { "accept" } else { "drop" });
            }
            RuleRef::Sg(r) if matches!(t.sg_rules[r as usize].peer, Peer::Group(_)) => {
                assumptions.push("A-SG-1")
            }
            RuleRef::Inner(_) => assumptions.extend(["A-SG-2", "A-SG-4"]),
            RuleRef::UnknownGroup => rule = format!("{rule}: {}", if d.accept { "accept" } else { "drop" }),
            _ => {}
        }
        let from = Some(DecidedBy::Rule(d.from));
        let own = matches!(
            d.from,
            RuleRef::Listener(..)
                | RuleRef::NotListening(_)
                | RuleRef::Listening(_)
                | RuleRef::BackendsOnly(_)
        );
        let layer = if own { Layer::LoadBalancer } else { layer };
        Step {
            origin,
            from,
            assumptions,
            ..self.step(at, layer, rule, decision)
        }
    }

    /// Whether a listener for a service has an access list without entries (A-LB-1).
    fn empty_list(&self, b: BalancerId, atom: usize) -> bool {
        let all = self.inv.typed.balancers.get(b.index()).map(|b| &b.listeners);
        all.into_iter().flatten().any(|l| {
            let hears = l
                .services
                .known()
                .is_some_and(|s| self.net.atoms.touching(s).contains(atom));
            let empty = matches!(&l.filter, Fact::Known(Some(f)) if f.entries.is_empty());
            hears && empty
        })
    }

    /// The network ACL of a vSwitch judges the packet; `None` without one.
    pub(crate) fn acl(&self, id: VswitchId, ingress: bool, leg: Leg<'_>) -> Option<Step> {
        let v = self.net.vsw(id)?;
        let acl: &Acl = self.net.acls.get(v.acl? as usize)?;
        let layer = if ingress {
            Layer::AclIngress
        } else {
            Layer::AclEgress
        };
        let (list, peer) = if ingress {
            (&acl.ingress, leg.src.ip)
        } else {
            (&acl.egress, leg.dst.ip)
        };
        // A-NACL-2: of a reply the source port is the one that the request was for.
        let (proto, source) = match leg.sessions.is_empty() {
            true => (self.packet.proto, self.packet.source_port),
            false => (self.packet.proto, self.packet.destination_port),
        };
        let atom = if ingress && self.net.says.source_ports && proto.has_ports() {
            self.net.atoms.atom_of(proto, source)
        } else {
            leg.atom
        };
        let d = deciding(list, PeerView::public(peer), atom);
        let (mut rule, mut origin) = describe(self.inv, d.from);
        let mut assumptions = Vec::new();
        match d.from {
            RuleRef::AclEnd(..) if !d.default => rule = "DNS and metadata are always allowed".to_string(),
            RuleRef::AclEnd(..) if origin.is_none() => {
                rule = "the network ACL of this vSwitch is not known".to_string();
                origin = Some(self.inv.typed[id].meta.origin.clone());
            }
            RuleRef::AclEnd(..) => {
                rule.push_str(if d.accept { ": allow" } else { ": deny" });
                assumptions.push("A-NACL-1");
            }
            RuleRef::AclUnknown(_) => rule.push_str(if d.accept { ": accept" } else { ": drop" }),
            _ if ingress => assumptions.push("A-NACL-2"),
            _ => {}
        }
        if !leg.sessions.is_empty() && self.packet.proto.has_ports() {
            assumptions.push("A-EPHEMERAL");
        }
        let decision = if d.accept {
            Decision::Accept
        } else {
            Decision::Drop
        };
        let from = Some(DecidedBy::Rule(d.from));
        Some(Step {
            origin,
            from,
            assumptions,
            ..self.step(self.vsw_at(id), layer, rule, decision)
        })
    }

    fn route(&self, at: Place<'_>, table: &Table, r: &Route) -> Step {
        let (rule, origin) = describe_route(self.inv, r.from);
        let inside = |l: &Route| l.from == RouteRef::Local && r.ips.is_subset(&l.ips);
        let steers = |e: &Route| matches!(e.from, RouteRef::Entry(_)) && e.ips.is_subset(&r.ips);
        let propagated =
            |l: &Route| crate::hybrid::propagated(l.from) && l.length == r.length && l.ips == r.ips;
        let assumptions = match r.from {
            RouteRef::Entry(_) if table.routes.iter().any(inside) => vec!["A-ROUTE-1"],
            RouteRef::Local if table.routes.iter().any(steers) => vec!["A-ROUTE-1"],
            RouteRef::Entry(_) if table.routes.iter().any(propagated) => vec!["A-ROUTE-2"],
            _ => Vec::new(),
        };
        let origin = origin.or_else(|| self.table_origin(table));
        let from = Some(DecidedBy::Route(r.from));
        Step {
            origin,
            from,
            assumptions,
            ..self.step(self.place_at(at), Layer::Route, rule, Decision::Forward)
        }
    }

    pub(crate) fn table_origin(&self, table: &Table) -> Option<Origin> {
        self.inv
            .typed
            .route_tables
            .get(table.id.index())
            .map(|t| t.meta.origin.clone())
    }

    /// Ends a branch that goes no further, for a reason.
    pub(crate) fn dropped(&self, mut t: Trail, why: Step, out: &mut Vec<Branch>) {
        t.push(why);
        self.end(t, End::Dropped, out);
    }

    pub(crate) fn end(&self, t: Trail, end: End, out: &mut Vec<Branch>) {
        let appliances = t.visited.into_iter().skip(t.senders).collect();
        out.push(Branch {
            end,
            open: !t.closed && end != End::Dropped,
            steps: t.steps,
            appliances,
        });
    }

    fn no_route(&self, at: Place<'_>, table: Option<&Table>, ip: IpAddr) -> Step {
        let s = self.step(
            self.place_at(at),
            Layer::Route,
            format!("no route to {ip}"),
            Decision::Drop,
        );
        Step {
            origin: table.and_then(|t| self.table_origin(t)),
            ..s
        }
    }

    /// The packet leaves interface `at`, the sender or an appliance: groups, then routes.
    pub(crate) fn leave(&self, m: Leg<'_>, mut t: Trail, at: &Iface, sender: bool, out: &mut Vec<Branch>) {
        if !at.inspects {
            t.push(self.sg(at, false, m));
        }
        if let Some(s) = at.site {
            return self.send_from_site(m, t, s, out);
        }
        let Some(v) = self.net.vsw(at.vswitch) else {
            return self.dropped(t, self.no_route(Place::Iface(at), None, m.dst.ip), out);
        };
        if t.closed && out.len() >= MAX_BLOCKED {
            return self.end(t, End::Dropped, out);
        }
        let before = out.len();
        if m.translate && !sender && m.goal.is_none() && !t.closed && self.net.may_translate() {
            self.translate(m, &t, at, out);
        }
        if at.free_public() && m.goal.is_none() {
            let here = |text, decision| self.step(self.iface_at(at.id), Layer::Platform, text, decision);
            let six = m.dst.ip.is_ipv6();
            let has = |a: &Addr| if six { a.v6.outbound } else { !a.own.is_empty() };
            if !sender || !at.addrs.iter().any(has) {
                return self.dropped(t, here("it has no public address", Decision::Drop), out);
            }
            let mut s = here("its public side needs no route", Decision::Forward);
            if at.front.as_ref().is_some_and(|f| !f.detached) {
                s.assumptions.push("A-LB-2");
            }
            t.push(s);
            let end = if six { End::V6 } else { End::Own };
            return self.depart(m, t, Place::Iface(at), end, out);
        }
        let sends = m.sender.filter(|_| sender);
        for &own in self
            .net
            .own_first(m.goal, sends, v, m.dst.ip, !m.sessions.is_empty())
        {
            self.forward(m, &t, Place::Iface(at), own, &v.tables, out);
        }
        if t.closed && out.len() == before {
            self.end(t, End::Dropped, out);
        }
    }

    /// The route tables decide.
    pub(crate) fn forward(
        &self,
        m: Leg<'_>,
        t: &Trail,
        at: Place<'_>,
        own: Own,
        tables: &[u32],
        out: &mut Vec<Branch>,
    ) {
        for &table in tables {
            let Some(table) = self.net.tables.get(table as usize) else {
                continue;
            };
            let mut decided = false;
            for r in table.lookup(m.dst.ip) {
                if own == Own::Address && r.length == 0 {
                    break;
                }
                decided |= !r.optional;
                for h in &r.hops {
                    let mut t = t.clone();
                    let mut step = self.route(at, table, r);
                    if own == Own::Route && r.length == 0 {
                        step.assumptions.push("A-EIP-1");
                    }
                    t.push(step);
                    self.judge(m, &mut t, Across::Route(r.from, h));
                    self.hop(m, t, at, table, h, out);
                }
            }
            if !decided && own != Own::No {
                let mut t = t.clone();
                let text = "a public address of its own needs no route";
                let s = self.step(self.place_at(at), Layer::Route, text, Decision::Forward);
                let origin = self.table_origin(table);
                t.push(Step {
                    assumptions: vec!["A-EIP-1"],
                    origin,
                    ..s
                });
                self.depart(m, t, at, End::Own, out);
            } else if !decided {
                self.dropped(t.clone(), self.no_route(at, Some(table), m.dst.ip), out);
            }
        }
    }

    fn hop(&self, m: Leg<'_>, t: Trail, at: Place<'_>, table: &Table, h: &Hop, out: &mut Vec<Branch>) {
        let stop = |layer, why: String| {
            let s = self.step(self.place_at(at), layer, why, Decision::Drop);
            Step {
                origin: t
                    .steps
                    .last()
                    .and_then(|s| s.origin.clone())
                    .or_else(|| self.table_origin(table)),
                ..s
            }
        };
        let Some(vpc) = self.net.vpc_at(at) else {
            let s = self.no_route(at, Some(table), m.dst.ip);
            return self.dropped(t, s, out);
        };
        let name = |o: &Origin| format!("`{}`", o.address);
        match (h, m.goal) {
            (Hop::Nat(n), Some(_)) if t.aim.takes(*n) => self.to_inner(m, t, at, *n, out),
            (Hop::Local, Some(_)) if t.aim.by_address().is_some() => self.local_inner(m, t, at, out),
            (Hop::Peering(p, far), Some(_)) if t.aim.by_address().is_some() => {
                self.peered_inner(m, t, at, (*p, *far), out);
            }
            (Hop::Local | Hop::Peering(..), Some(NOBODY)) => {
                let s = stop(Layer::Route, "it goes past the VPC NAT gateway".to_string());
                self.dropped(t, s, out);
            }
            (Hop::Nat(n), Some(_)) if self.net.inner_of(*n).is_some() => {
                let s = stop(
                    Layer::Nat,
                    "the VPC NAT gateway knows no such session".to_string(),
                );
                self.dropped(t, s, out);
            }
            (Hop::Local, Some(to)) => self.reach(m, t, Some(at), to, out),
            (Hop::Interface(i), _) => self.reach(m, t, Some(at), *i, out),
            (Hop::HaVip(h), _) => {
                let members = self.net.ha_vips.get(h.index()).map_or(&[][..], |v| v);
                if members.is_empty() {
                    let s = stop(Layer::Route, "nobody holds the virtual IP".to_string());
                    self.dropped(t.clone(), s, out);
                }
                for f in members {
                    self.reach(m, t.clone(), Some(at), *f, out);
                }
            }
            (Hop::Nat(n), None) if m.dst.ip.is_ipv4() => {
                match self
                    .net
                    .nats
                    .get(n.index())
                    .filter(|n| n.internet && n.vpc == Some(vpc))
                {
                    Some(_) => self.depart(m, t, at, End::Nat(*n), out),
                    None => {
                        let gw = name(&self.inv.typed[*n].meta.origin);
                        let s = stop(Layer::Nat, format!("{gw} is no Internet NAT gateway of this VPC"));
                        self.dropped(t, s, out);
                    }
                }
            }
            (Hop::Ipv4Gateway, None) if m.dst.ip.is_ipv4() && self.net.leads(vpc) => {
                let own = m
                    .sender
                    .filter(|s| {
                        let crossed = !t.tables.is_empty() || !t.crossed.is_empty();
                        self.net.at_home_of(*s, at, &t.visited[t.senders..], crossed)
                            || self.net.may_translate()
                    })
                    .and_then(|s| self.net.addr_of(s))
                    .is_some_and(|(_, a)| !a.own.is_empty());
                if own {
                    self.depart(m, t, at, End::Own, out);
                } else {
                    let why = "the IPv4 gateway does not translate and the sender has no public address here";
                    let own = |s: Inside| self.net.addr_of(s).is_some_and(|(_, a)| !a.own.is_empty());
                    let s = Step {
                        assumptions: match m.sender.is_some_and(own) {
                            true => vec!["A-IGW-2"],
                            false => Vec::new(),
                        },
                        ..stop(Layer::Ipv4Gateway, why.to_string())
                    };
                    self.dropped(t, s, out);
                }
            }
            (Hop::Ipv6Gateway, None) if m.dst.ip.is_ipv6() && self.home(m) == Some(vpc) => {
                self.depart(m, t, at, End::V6, out);
            }
            (Hop::Peering(p, far), Some(to)) => self.peer(m, t, at, (*p, *far), to, out),
            (Hop::Attachment(a), _) => self.cross(m, t, at, *a, out),
            (Hop::Vpn(g), _) => self.enter_vpn(m, t, at, *g, out),
            (Hop::RouterInterface(i), _) => self.enter_interface(m, t, at, *i, out),
            (h, _) => {
                let (layer, why) = match h {
                    Hop::Local => (Layer::Route, "nobody in the VPC has this address"),
                    Hop::Ipv4Gateway if m.goal.is_none() => {
                        (Layer::Ipv4Gateway, "the IPv4 gateway is not active")
                    }
                    Hop::Peering(..) => (Layer::Peering, "a peering connection leads into its VPC only"),
                    Hop::Ipv6Gateway if m.goal.is_none() => (
                        Layer::Ipv6Gateway,
                        "the IPv6 gateway is not one of the sender's VPC",
                    ),
                    Hop::Nat(_) | Hop::Ipv4Gateway | Hop::Ipv6Gateway => (
                        Layer::Route,
                        "a gateway to the Internet does not lead to addresses inside",
                    ),
                    _ => (Layer::Route, "the next hop is not modelled"),
                };
                let s = stop(layer, why.to_string());
                self.dropped(t, s, out);
            }
        }
    }

    fn bypass(&self, v: VswitchId, ingress: bool) -> Step {
        let layer = if ingress {
            Layer::AclIngress
        } else {
            Layer::AclEgress
        };
        let text = "bypassed by an EIP in ENI-visible mode";
        Step {
            assumptions: vec!["A-EIP-3"],
            ..self.step(self.vsw_at(v), layer, text, Decision::Accept)
        }
    }

    /// The packet leaves the VPC.
    fn depart(&self, m: Leg<'_>, mut t: Trail, at: Place<'_>, end: End, out: &mut Vec<Branch>) {
        if let Some(s) = self.acl_out(at, m) {
            t.push(match at {
                Place::Iface(i) if self.net.binded(i) => self.bypass(i.vswitch, false),
                _ => s,
            });
        }
        self.end(t, end, out);
    }

    /// The packet comes to interface `to` from interface `from`, or from the Internet.
    pub(crate) fn reach(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        from: Option<Place<'_>>,
        to: InterfaceId,
        out: &mut Vec<Branch>,
    ) {
        let refuse = |why: &str| self.step(self.iface_at(to), Layer::Appliance, why, Decision::Drop);
        let placed = self
            .net
            .iface(to)
            .and_then(|i| Some((i, self.net.vsw(i.vswitch)?)));
        let Some((ti, tv)): Option<(&Iface, &Vsw)> = placed else {
            return self.dropped(t, refuse("it is not known where this interface is"), out);
        };
        let goal = m.goal == Some(to);
        if from.is_some_and(|f| self.net.vpc_at(f) != Some(tv.vpc)) {
            let why = if goal {
                "the route leads to another VPC than this one"
            } else {
                "this next hop is in another VPC"
            };
            return self.dropped(t, refuse(why), out);
        }
        if !goal {
            if t.visited.contains(&to) {
                return self.dropped(t, refuse("the packet has been here already: it loops"), out);
            }
            if t.visited.len() - t.senders >= MAX_APPLIANCES {
                return self.dropped(
                    t,
                    refuse("too many appliances in a row: it counts as a loop"),
                    out,
                );
            }
            if t.closed && out.len() >= MAX_BLOCKED {
                return self.end(t, End::Dropped, out);
            }
            if ti.apart {
                return self.dropped(
                    t,
                    refuse("an EIP in ENI-visible mode replaces its private networking"),
                    out,
                );
            }
            if ti.inspects && m.dst.ip.is_ipv6() {
                return self.dropped(t, refuse("a gateway load balancer takes IPv4 only"), out);
            }
            t.push(self.appliance(ti));
        }
        if !matches!(from, Some(Place::Iface(f)) if f.vswitch == ti.vswitch) {
            if let Some(f) = from
                && !matches!(f, Place::Router(_, Some(z)) if z == ti.vswitch)
            {
                t.extend(self.acl_out(f, m));
            }
            if let Some(s) = self.acl(ti.vswitch, true, m).filter(|_| !ti.no_acl()) {
                t.push(if from.is_none() && self.net.binded(ti) {
                    self.bypass(ti.vswitch, true)
                } else {
                    s
                });
            }
        }
        if !ti.inspects {
            t.push(self.sg(ti, true, m));
        }
        if goal {
            return self.end(t, End::Arrived, out);
        }
        t.visited.push(to);
        self.leave(m, t, ti, false, out);
    }

    fn appliance(&self, i: &Iface) -> Step {
        if i.inspects {
            let (rule, decision) = match i.forwards {
                true => (
                    "the appliances behind it pass packets on unchanged",
                    Decision::Forward,
                ),
                false => (
                    "the appliances behind it may drop it, or none are there",
                    Decision::Drop,
                ),
            };
            let s = self.step(self.iface_at(i.id), Layer::Appliance, rule, decision);
            return Step {
                origin: Some(self.inv.typed[i.id].meta.origin.clone()),
                assumptions: vec!["A-GWLB-1"],
                ..s
            };
        }
        let unset = self.inv.typed[i.id].source_dest_check.known() == Some(&None);
        let (rule, decision) = match (i.forwards, unset) {
            (true, true) => ("source_dest_check is not set: it may forward", Decision::Forward),
            (true, false) => ("source_dest_check is off: it forwards", Decision::Forward),
            (false, true) => (
                "source_dest_check is not set: it may drop what is not its own",
                Decision::Drop,
            ),
            (false, false) => (
                "source_dest_check is on: it drops what is not its own",
                Decision::Drop,
            ),
        };
        let mut s = self.step(self.iface_at(i.id), Layer::Appliance, rule, decision);
        s.origin = Some(self.inv.typed[i.id].meta.origin.clone());
        s.assumptions.push("A-APPL-1");
        if unset {
            s.assumptions.push("A-SDC-1");
        }
        s
    }

    /// An appliance sends on from a public address of its own (A-APPL-1).
    fn translate(&self, m: Leg<'_>, t: &Trail, at: &Iface, out: &mut Vec<Branch>) {
        for (ai, a) in at.addrs.iter().enumerate() {
            let addr = u32::try_from(ai).unwrap_or(u32::MAX);
            let Some(ip) = a.region.first().filter(|ip| ip.is_ipv4() == m.dst.ip.is_ipv4()) else {
                continue;
            };
            let own = Inside {
                iface: at.id,
                addr,
                ip,
            };
            for e in self
                .exits(own, m.dst, m.atom, false)
                .into_iter()
                .filter(|e| e.open)
            {
                let src = e.own.unwrap_or(usize::MAX);
                let mut t = t.clone();
                let s = self.step(
                    self.iface_at(at.id),
                    Layer::Appliance,
                    "may send on as its own",
                    Decision::Forward,
                );
                t.push(Step {
                    assumptions: vec!["A-APPL-1"],
                    ..s
                });
                e.steps.into_iter().for_each(|s| t.push(s));
                self.end(t, End::Translated(at.id, addr, src), out);
            }
        }
    }

    pub(crate) fn fold(&self, alternatives: impl IntoIterator<Item = bool>) -> bool {
        crate::trace::fold(self.net.mode, alternatives)
    }

    /// Of several replies, the one to show: one that gets back if any has to, one that does not if all have to.
    pub(crate) fn shown(&self, branches: Vec<(bool, Vec<Step>)>) -> Vec<Step> {
        let wanted = self.net.mode == Mode::Widen;
        let blockers = |s: &[Step]| s.iter().filter(|s| !s.open).count();
        let best = branches
            .into_iter()
            .min_by_key(|(open, s)| (*open != wanted, blockers(s)));
        best.map(|(_, s)| s).unwrap_or_default()
    }
}

impl Extend<Step> for Trail {
    fn extend<T: IntoIterator<Item = Step>>(&mut self, steps: T) {
        steps.into_iter().for_each(|s| self.push(s));
    }
}
