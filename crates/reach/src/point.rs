//! One source point against one destination point: every possible way, exactly.
//!
//! A *point* is an address at which nothing the network knows can tell the members apart: a concrete address
//! of an interface, an elementary piece of a region, or a public address. Each function answers for all
//! services at once with an [`AtomSet`]. This is the definition; `domain` computes the same for the common
//! case (both ends in one VPC, local routes) for all pairs at once, and tests hold the two together.

mod border;

mod cross;
mod hybrid;
pub(crate) mod inner;
mod private;
pub(crate) mod relay;
mod replies;
pub(crate) mod trails;

use crate::firewall::Across;
use crate::network::{Addr, Hop, Iface, Match, Mode, Network, RouteRef, RuleList, Vsw};
use bartizan_model::{
    AttachmentId, EipId, FirewallId, InterfaceId, NatId, SecurityGroupId, TrTableId, Use, VpcId, VswitchId,
};
use bartizan_packet::{AtomSet, IpSet};
use std::net::IpAddr;
use std::sync::Arc;

/// An address of an interface of the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inside {
    /// The interface.
    pub iface: InterfaceId,
    /// Position in its addresses.
    pub addr: u32,
    /// The address.
    pub ip: IpAddr,
}

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Point {
    /// An address of an interface.
    Inside(Inside),
    /// An address that belongs to nobody here: the Internet, or the cloud's service range 100.64.0.0/10.
    Outside(IpAddr),
}

/// Which of a client's ports replies have to reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReplyPort {
    /// Every one of [`crate::client_ports`] (A-EPHEMERAL).
    Ephemeral,
    /// This one.
    Port(u16),
}

/// How a rule list sees the other side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerView<'a> {
    pub(crate) ip: IpAddr,
    /// The groups of the peer when it is seen by a private address in the same VPC (ALIBABA.md §5.3).
    pub(crate) groups: &'a [SecurityGroupId],
    /// Those of them that count where only primary addresses do (A-SG-1).
    pub(crate) primary: &'a [SecurityGroupId],
    /// The groups of the peer's interface itself.
    pub(crate) member: &'a [SecurityGroupId],
    /// The VPC in which its groups count.
    pub(crate) home: Option<VpcId>,
    /// Whether it is seen by a private address.
    pub(crate) private: bool,
    /// Whether it is a balancer that has opened the connection, from any of its ports.
    pub(crate) opened: bool,
}

impl From<IpAddr> for PeerView<'_> {
    fn from(ip: IpAddr) -> Self {
        PeerView::public(ip)
    }
}

impl PeerView<'_> {
    /// Seen by a public address: a member of nothing (A-SG-4).
    pub(crate) fn public(ip: IpAddr) -> Self {
        PeerView {
            ip,
            groups: &[],
            primary: &[],
            member: &[],
            home: None,
            private: false,
            opened: false,
        }
    }
}

pub(crate) fn matches(m: &Match, peer: PeerView<'_>) -> bool {
    match m {
        Match::Any => true,
        Match::Ips(s) => s.contains(peer.ip),
        Match::Group(g) => peer.groups.binary_search(g).is_ok(),
        Match::Primary(g) => peer.primary.binary_search(g).is_ok(),
        Match::Member(g) => peer.member.binary_search(g).is_ok(),
    }
}

/// The services that a first-match list accepts from (or to) a peer.
pub(crate) fn accepted(net: &Network, list: &RuleList, peer: PeerView<'_>) -> AtomSet {
    let mut left = net.common.all.clone();
    let mut out = net.common.none.clone();
    for r in list.rules.iter().filter(|r| r.matches(peer)) {
        if r.accept {
            out.union_with(&left.intersect(&r.atoms));
        }
        left.subtract_with(&r.atoms);
        if left.is_empty() {
            return out;
        }
    }
    if list.default_accept {
        out.union_with(&left);
    }
    out
}

/// A way out to the Internet that a request can take.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub(crate) kind: ExitKind,
    /// The source address afterwards.
    pub(crate) src: Arc<IpSet>,
    /// The EIP that it is, if it is one.
    pub(crate) eip: Option<EipId>,
    /// Custom route that led there, if any.
    pub(crate) route: Option<RouteRef>,
    /// The appliances passed on the way.
    pub(crate) appliances: Vec<InterfaceId>,
    /// What of transit routers.
    pub(crate) crossed: Crossed,
    /// The services that get this far.
    pub(crate) atoms: AtomSet,
}

impl Exit {
    /// The sender, where what it sends is seen to come from a public address of its own.
    pub(crate) fn seen_as_itself(&self, s: Inside) -> Option<Inside> {
        matches!(self.kind, ExitKind::Own(_) | ExitKind::V6).then_some(s)
    }
}

/// What gives the address by which a NAT gateway lets a packet out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// An SNAT entry: index into `Nat::snat`.
    Entry(usize),
    /// An IP mapping: index into `Addr::mapped`.
    Mapping(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitKind {
    /// The source's own public address: index into `Addr::own`.
    Own(usize),
    /// The address of a NAT gateway.
    Snat(NatId, By),
    /// The IPv6 gateway.
    V6,
    /// The cloud's own services, 100.64.0.0/10.
    Service,
    /// A public address of the last appliance, which translates (A-APPL-1).
    Appliance(u32, usize),
    /// No way: a branch that drops; kept so that "every branch" can be asked.
    Dropped,
}

/// A way in from the Internet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Own public address.
    Own(usize),
    /// DNAT entry: index into `Addr::dnat`.
    Dnat(usize),
    /// IPv6.
    V6,
    /// A reply that a NAT gateway hands back, or an appliance that translated.
    Back(Option<NatId>),
}

pub(crate) fn is_service_ip(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(a) if a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64)
}

/// Appliances that one packet may pass before it counts as looping.
pub(crate) const MAX_APPLIANCES: usize = 4;

/// A packet on its way, as filters see it.
#[derive(Clone, Copy)]
struct Moving<'a> {
    src: PeerView<'a>,
    dst: PeerView<'a>,
    /// Interfaces whose groups know the session already (ALIBABA.md §5.6).
    sessions: &'a [InterfaceId],
    /// The interface it is meant for; `None` for the Internet.
    goal: Option<InterfaceId>,
    /// The sender and its address, for the Internet.
    sender: Option<Inside>,
    /// Whether an appliance may send it on as its own. Only once: two appliances that default to each other
    /// would otherwise translate without end.
    translate: bool,
    /// An interface whose groups do not count (A-CLB-1).
    exempt: Option<InterfaceId>,
    /// The client's ports, for a request.
    ask: Option<ReplyPort>,
}

/// What takes the packets of an interface with a public address to the Internet (A-EIP-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    /// Routes alone.
    No,
    /// Its address, and routes longer than `0.0.0.0/0`.
    Address,
    /// Routes, and its address where there is none.
    Route,
}

/// Where one branch of a packet's way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Arrived,
    Own,
    Nat(NatId),
    V6,
    Dropped,
    /// A VPC NAT gateway (docs/decisions/020).
    Inner(NatId),
    /// A public address of the appliance: address and index.
    Translated(InterfaceId, u32, usize),
}

/// One branch of a packet's way.
#[derive(Clone, Debug)]
struct Branch {
    end: End,
    atoms: AtomSet,
    /// Of a reply, what passes by the port that the request was for (A-NACL-2); `None` is everything.
    source: Option<AtomSet>,
    appliances: Vec<InterfaceId>,
    route: Option<RouteRef>,
    /// The attachments through which transit routers handed it over, and their static routes.
    crossed: Crossed,
}

/// What a packet used of transit routers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Crossed {
    pub(crate) attachments: Vec<AttachmentId>,
    /// Indices into `Typed::tr_routes`.
    pub(crate) statics: Vec<u32>,
    /// Links to sites, and sites that passed it on.
    pub(crate) links: Vec<crate::hybrid::LinkRef>,
    /// Indices into `Typed::vpn_routes`.
    pub(crate) vpn_routes: Vec<u32>,
    /// Custom routes of border routers.
    pub(crate) entries: Vec<u32>,
    /// Firewalls between VPCs that judged it; of a reply, those that see it.
    pub(crate) firewalls: Vec<FirewallId>,
}

impl Crossed {
    /// Whether a router or a link was among it.
    fn leaves(&self) -> bool {
        !self.attachments.is_empty() || !self.links.is_empty()
    }
}

/// Where a packet is when routes are asked.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// At an interface.
    Iface(&'a Iface),
    /// In a VPC, handed over by a router or gateway in one of its vSwitches, or by one that has none.
    Router(VpcId, Option<VswitchId>),
}

/// The state of one branch on its way.
#[derive(Clone)]
struct Trail {
    visited: Vec<InterfaceId>,
    senders: usize,
    atoms: AtomSet,
    source: Option<AtomSet>,
    route: Option<RouteRef>,
    /// Tables of transit routers that it has been looked up in: a second time is a loop.
    tables: Vec<TrTableId>,
    crossed: Crossed,
    /// Whether it is meant for a VPC NAT gateway, or may meet one.
    aim: inner::Aim,
}

impl Network {
    pub(crate) fn addr_of(&self, p: Inside) -> Option<(&Iface, &Addr)> {
        let i = self.iface(p.iface)?;
        Some((i, i.addrs.get(p.addr as usize)?))
    }

    /// Any of the alternatives when widening, all of them when narrowing.
    pub(crate) fn fold(&self, alternatives: impl IntoIterator<Item = AtomSet>) -> AtomSet {
        let mut acc = None;
        for a in alternatives {
            self.fold_in(&mut acc, a);
        }
        acc.unwrap_or_else(|| self.common.none.clone())
    }

    /// Takes one more alternative into what [`Network::fold`] makes of them.
    pub(crate) fn fold_in(&self, acc: &mut Option<AtomSet>, a: AtomSet) {
        match (acc, self.mode) {
            (Some(acc), Mode::Widen) => acc.union_with(&a),
            (Some(acc), Mode::Narrow) => acc.intersect_with(&a),
            (acc, _) => *acc = Some(a),
        }
    }

    /// The groups by which a private address is known to its peers.
    pub(crate) fn groups_of(&self, p: Inside) -> &[SecurityGroupId] {
        match self.addr_of(p) {
            Some((
                _,
                Addr {
                    shared_groups: Some(g),
                    ..
                },
            )) => g,
            Some((i, _)) => self.group_sets.get(i.groups as usize).map_or(&[], |g| &g.groups),
            None => &[],
        }
    }

    /// The groups of the interface of an address.
    pub(crate) fn member_of(&self, p: Inside) -> &[SecurityGroupId] {
        let set = self
            .iface(p.iface)
            .and_then(|i| self.group_sets.get(i.groups as usize));
        set.map_or(&[], |g| &g.groups)
    }

    pub(crate) fn private_view(&self, p: Inside) -> PeerView<'_> {
        let groups = self.groups_of(p);
        let primary = self.addr_of(p).is_some_and(|(_, a)| a.primary);
        PeerView {
            ip: p.ip,
            groups,
            primary: if primary { groups } else { &[] },
            member: self.member_of(p),
            home: self.iface(p.iface).and_then(|i| self.vpc_of(i)),
            private: true,
            opened: false,
        }
    }

    /// An interface seen by a public address of its own: a member of its groups only as A-SG-4 is read.
    pub(crate) fn public_view(&self, ip: IpAddr, owner: Option<Inside>) -> PeerView<'_> {
        match owner.filter(|_| self.says.public_members) {
            Some(p) => PeerView {
                member: self.member_of(p),
                home: self.iface(p.iface).and_then(|i| self.vpc_of(i)),
                ..PeerView::public(ip)
            },
            None => PeerView::public(ip),
        }
    }

    /// The stateless filter in front of a vSwitch, where the ports that its entries mean are those of the source
    /// as A-NACL-2 is read.
    fn acl_in(&self, t: &mut Trail, v: &Vsw, m: Moving<'_>) {
        let accepted = self.acl(v, true, m.src.ip);
        match m.ask {
            _ if !self.says.source_ports => t.atoms.intersect_with(&accepted),
            Some(ask) => t.atoms.intersect_with(&self.by_source(&accepted, ask)),
            None => {
                let (portless, ported) = self.reply_by_source(&accepted);
                t.atoms.intersect_with(&portless);
                let before = t.source.get_or_insert_with(|| self.common.all.clone());
                before.intersect_with(&ported);
            }
        }
    }

    /// Whether the groups of an interface let pass what belongs to a session (§5.6).
    pub(crate) fn in_session(&self, i: &Iface, sessions: &[InterfaceId]) -> bool {
        sessions.contains(&i.id) && !self.keeps_no_state(i)
    }

    /// Whether the groups of an interface judge replies as well (A-SG-3).
    pub(crate) fn keeps_no_state(&self, i: &Iface) -> bool {
        self.group_sets
            .get(i.groups as usize)
            .is_some_and(|g| g.stateless)
    }

    /// The stateless filter of a vSwitch towards (`ingress`) or from a peer.
    fn acl(&self, v: &Vsw, ingress: bool, peer: IpAddr) -> AtomSet {
        match v.acl.and_then(|a| self.acls.get(a as usize)) {
            None => self.common.all.clone(),
            Some(a) => {
                let list = if ingress { &a.ingress } else { &a.egress };
                accepted(self, list, PeerView::public(peer))
            }
        }
    }

    fn sg(&self, i: &Iface, ingress: bool, peer: PeerView<'_>) -> AtomSet {
        match self.group_sets.get(i.groups as usize) {
            None => self.common.none.clone(),
            Some(g) => {
                let peer = self.seen_by(i, peer);
                accepted(self, if ingress { &g.ingress } else { &g.egress }, peer)
            }
        }
    }

    /// A peer as the groups of an interface see it: groups of another VPC match nobody (§5.3).
    pub(crate) fn seen_by<'a>(&'a self, i: &Iface, peer: PeerView<'a>) -> PeerView<'a> {
        match (peer.home, self.vpc_of(i)) {
            (None, _) => peer,
            (a, b) if a == b => peer,
            // By address: where blocks overlap, somebody here may have the address of the peer.
            (_, b) if peer.private => PeerView {
                groups: b.map_or(&[], |v| self.groups_at(v, peer.ip)),
                primary: b.map_or(&[], |v| self.primary_at(v, peer.ip)),
                ..PeerView::public(peer.ip)
            },
            _ => PeerView::public(peer.ip),
        }
    }

    pub(crate) fn controlled(&self, v: VpcId) -> bool {
        self.vpcs.get(v.index()).is_some_and(|n| n.ipv4_gateway)
    }

    pub(crate) fn binded(&self, i: &Iface) -> bool {
        i.addrs.iter().any(|a| a.own.iter().any(|o| o.bypass_acl))
    }

    fn dropped(&self, t: Trail, out: &mut Vec<Branch>) {
        self.end(t, End::Dropped, self.common.none.clone(), out);
    }

    fn end(&self, t: Trail, end: End, atoms: AtomSet, out: &mut Vec<Branch>) {
        let appliances = t.visited.into_iter().skip(t.senders).collect();
        out.push(Branch {
            end,
            atoms,
            source: t.source,
            appliances,
            route: t.route,
            crossed: t.crossed,
        });
    }

    /// The packet leaves interface `at`, the sender or an appliance: groups, then routes (§1 steps 2 to 5).
    fn leave(&self, m: Moving<'_>, mut t: Trail, at: &Iface, sender: bool, out: &mut Vec<Branch>) {
        if m.exempt != Some(at.id) && !self.in_session(at, m.sessions) {
            t.atoms.intersect_with(&self.sg(at, false, m.dst));
        }
        if let Some(s) = at.site {
            return self.send_from_site(m, t, s, out);
        }
        let Some(v) = self.vsw(at.vswitch) else {
            return self.dropped(t, out);
        };
        if t.atoms.is_empty() {
            return self.dropped(t, out);
        }
        if m.translate && !sender && m.goal.is_none() && self.may_translate() {
            self.translate(&t, at, m, out);
        }
        // §15: the public side of a managed service is none of the VPC's business.
        if at.free_public() && m.goal.is_none() {
            let six = m.dst.ip.is_ipv6();
            let has = |a: &Addr| if six { a.v6.outbound } else { !a.own.is_empty() };
            return if sender && at.addrs.iter().any(has) {
                let end = if six { End::V6 } else { End::Own };
                self.depart(m, t, Place::Iface(at), end, out)
            } else {
                self.dropped(t, out)
            };
        }
        for &own in self.own_first(
            m.goal,
            m.sender.filter(|_| sender),
            v,
            m.dst.ip,
            !m.sessions.is_empty(),
        ) {
            self.forward(m, &t, Place::Iface(at), own, &v.tables, out);
        }
    }

    /// The route tables decide (§3.4). `own` stands for a public address that needs no route.
    fn forward(
        &self,
        m: Moving<'_>,
        t: &Trail,
        at: Place<'_>,
        own: Own,
        tables: &[u32],
        out: &mut Vec<Branch>,
    ) {
        for &table in tables {
            let Some(table) = self.tables.get(table as usize) else {
                continue;
            };
            let mut decided = false;
            for r in table.lookup(m.dst.ip) {
                // §7.1, A-EIP-1: the own public address beats 0/0, a longer route beats the address.
                if own == Own::Address && r.length == 0 {
                    break;
                }
                decided |= !r.optional;
                for h in &r.hops {
                    let mut t = t.clone();
                    if t.route.is_none()
                        && matches!(
                            r.from,
                            RouteRef::Entry(_) | RouteRef::Propagated(_) | RouteRef::Published(_)
                        )
                    {
                        t.route = Some(r.from);
                    }
                    self.judge(m, &mut t, Across::Route(r.from, h));
                    self.hop(m, t, at, h, out);
                }
            }
            if !decided {
                if own == Own::No {
                    self.dropped(t.clone(), out);
                } else {
                    self.depart(m, t.clone(), at, End::Own, out);
                }
            }
        }
    }

    /// Firewalls between VPCs judge the first packet of a connection where they stand (docs/decisions/022).
    fn judge(&self, m: Moving<'_>, t: &mut Trail, at: Across<'_>) {
        if self.perimeter.vpcs.is_empty() {
            return;
        }
        for f in self.met_at(at) {
            if !t.crossed.firewalls.contains(&f.id) {
                // Replies belong to sessions that firewalls know.
                if m.ask.is_some() {
                    t.atoms
                        .intersect_with(&self.passing(&f.meeting(m.src.ip, m.dst.ip)));
                }
                t.crossed.firewalls.push(f.id);
            }
        }
    }

    /// Whether a public address of the sender takes its packets to the Internet without a route (§7.1): both
    /// where it is not known whether the address exists or the IPv4 gateway is active. A reply leaves by the address
    /// that the request came to; what else does is A-EIP-1. What the VPC counts as private follows routes (§2).
    pub(crate) fn own_first(
        &self,
        goal: Option<InterfaceId>,
        sender: Option<Inside>,
        v: &Vsw,
        to: IpAddr,
        reply: bool,
    ) -> &'static [Own] {
        let has = match sender.and_then(|s| self.addr_of(s)) {
            Some((_, a)) if goal.is_none() => a.has_own,
            _ => Some(false),
        };
        let inactive = (self.controlled(v.vpc) == self.leads(v.vpc)).then_some(!self.controlled(v.vpc));
        let free = match self.vpcs.get(v.vpc.index()) {
            Some(n) if n.user.contains(to) => Some(false),
            Some(n) if n.user_open => inactive.filter(|free| !free),
            _ => inactive,
        };
        let says = if reply { Use::First } else { self.says.own };
        match (has, free, says) {
            (Some(false), _, _) | (_, Some(false), _) => &[Own::No],
            (Some(true), Some(true), Use::First) => &[Own::Address],
            (Some(true), Some(true), Use::Second) => &[Own::Route],
            (Some(true), Some(true), Use::Either) => &[Own::Address, Own::Route],
            (_, _, Use::First) => &[Own::Address, Own::No],
            (_, _, Use::Second) => &[Own::Route, Own::No],
            (_, _, Use::Either) => &[Own::Address, Own::Route, Own::No],
        }
    }

    /// Whether the IPv4 gateway of the VPC passes packets on.
    pub(crate) fn leads(&self, v: VpcId) -> bool {
        self.vpcs.get(v.index()).is_some_and(|n| n.ipv4_leads)
    }

    /// §3.5: what each kind of next hop does.
    fn hop(&self, m: Moving<'_>, t: Trail, at: Place<'_>, h: &Hop, out: &mut Vec<Branch>) {
        let Some(vpc) = self.vpc_at(at) else {
            return self.dropped(t, out);
        };
        match (h, m.goal) {
            (Hop::Nat(n), Some(_)) if t.aim.takes(*n) => self.to_inner(m, t, at, *n, out),
            (Hop::Local, Some(_)) if t.aim.by_address().is_some() => self.local_inner(m, t, at, out),
            (Hop::Peering(_, far), Some(_)) if t.aim.by_address().is_some() => {
                self.peered_inner(m, t, at, *far, out);
            }
            (Hop::Local, Some(to)) => self.reach(m, t, Some(at), to, out),
            (Hop::Interface(i), _) => self.reach(m, t, Some(at), *i, out),
            (Hop::HaVip(h), _) => {
                let members = self.ha_vips.get(h.index()).map_or(&[][..], |v| v);
                if members.is_empty() {
                    self.dropped(t.clone(), out);
                }
                for f in members {
                    self.reach(m, t.clone(), Some(at), *f, out);
                }
            }
            (Hop::Nat(n), None)
                if m.dst.ip.is_ipv4()
                    && self
                        .nats
                        .get(n.index())
                        .is_some_and(|n| n.internet && n.vpc == Some(vpc)) =>
            {
                self.depart(m, t, at, End::Nat(*n), out);
            }
            // §7.2: the gateway does no NAT of its own; the source needs a public address.
            (Hop::Ipv4Gateway, None) if m.dst.ip.is_ipv4() && self.leads(vpc) => {
                // Its own vSwitch has to be routed there: what an appliance forwards keeps a private source.
                let own = m
                    .sender
                    .filter(|s| {
                        self.at_home_of(*s, at, &t.visited[t.senders..], t.crossed.leaves())
                            || self.may_translate()
                    })
                    .and_then(|s| self.addr_of(s))
                    .is_some_and(|(_, a)| !a.own.is_empty());
                if own {
                    self.depart(m, t, at, End::Own, out)
                } else {
                    self.dropped(t, out)
                }
            }
            (Hop::Ipv6Gateway, None) if m.dst.ip.is_ipv6() && self.vpc_of_sender(m) == Some(vpc) => {
                self.depart(m, t, at, End::V6, out);
            }
            (Hop::Peering(_, far), Some(to)) => self.peer(m, t, at, *far, to, out),
            (Hop::Attachment(a), _) => self.cross(m, t, at, *a, out),
            (Hop::Vpn(g), _) => self.enter_vpn(m, t, at, *g, out),
            (Hop::RouterInterface(i), _) => self.enter_interface(m, t, at, *i, out),
            _ => self.dropped(t, out),
        }
    }

    /// Whether a packet is at its sender, or has come from there by inspectors of the same VPC alone, which leave its
    /// source as it is (docs/decisions/021, 6), or by any interface that forwards (A-IGW-2).
    pub(crate) fn at_home_of(&self, s: Inside, at: Place<'_>, passed: &[InterfaceId], crossed: bool) -> bool {
        let Place::Iface(i) = at else { return false };
        i.id == s.iface
            || !crossed
                && self.iface(s.iface).and_then(|f| self.vpc_of(f)) == self.vpc_of(i)
                && (self.says.forwarded || passed.iter().all(|v| self.iface(*v).is_some_and(|f| f.inspects)))
    }

    /// The packet leaves the VPC: the ACL of the vSwitch, unless an EIP in ENI-visible mode carries it.
    fn depart(&self, m: Moving<'_>, mut t: Trail, at: Place<'_>, end: End, out: &mut Vec<Branch>) {
        if !matches!(at, Place::Iface(i) if self.binded(i)) {
            t.atoms.intersect_with(&self.acl_out(at, m.dst.ip));
        }
        let atoms = t.atoms.clone();
        self.end(t, end, atoms, out);
    }

    /// The packet comes to interface `to` from interface `from`, or from the Internet: ACLs of the leg,
    /// groups, and then it has arrived or `to` passes it on (§3.5, §4.1).
    fn reach(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        from: Option<Place<'_>>,
        to: InterfaceId,
        out: &mut Vec<Branch>,
    ) {
        let Some(ti) = self.iface(to) else {
            return self.dropped(t, out);
        };
        let Some(tv) = self.vsw(ti.vswitch) else {
            return self.dropped(t, out);
        };
        let goal = m.goal == Some(to);
        if from.is_some_and(|f| self.vpc_at(f) != Some(tv.vpc)) {
            return self.dropped(t, out);
        }
        if !goal
            && (t.visited.contains(&to)
                || t.visited.len() - t.senders >= MAX_APPLIANCES
                || !ti.forwards
                || ti.inspects && m.dst.ip.is_ipv6()
                || ti.apart)
        {
            return self.dropped(t, out);
        }
        // §6: traffic inside one vSwitch is not filtered.
        if !matches!(from, Some(Place::Iface(f)) if f.vswitch == ti.vswitch) {
            if let Some(f) = from
                && !matches!(f, Place::Router(_, Some(z)) if z == ti.vswitch)
            {
                t.atoms.intersect_with(&self.acl_out(f, m.dst.ip));
            }
            // §15.3: no ACL applies to a managed service, nor to a balancer that is in no vSwitch.
            if !ti.no_acl() && (from.is_some() || !self.binded(ti)) {
                self.acl_in(&mut t, tv, m);
            }
        }
        if m.exempt != Some(to) && !self.in_session(ti, m.sessions) {
            t.atoms.intersect_with(&self.sg(ti, true, m.src));
        }
        if t.atoms.is_empty() {
            return self.dropped(t, out);
        }
        if goal {
            let atoms = t.atoms.clone();
            return self.end(t, End::Arrived, atoms, out);
        }
        t.visited.push(to);
        self.leave(m, t, ti, false, out);
    }

    /// What an appliance may do that nobody can see: send on from a public address of its own (A-APPL-1).
    fn translate(&self, t: &Trail, at: &Iface, m: Moving<'_>, out: &mut Vec<Branch>) {
        let dst = m.dst.ip;
        let ask = m.ask.unwrap_or(ReplyPort::Ephemeral);
        for (ai, a) in at.addrs.iter().enumerate() {
            let addr = u32::try_from(ai).unwrap_or(u32::MAX);
            let Some(ip) = a.region.first().filter(|ip| ip.is_ipv4() == dst.is_ipv4()) else {
                continue;
            };
            let own = Inside {
                iface: at.id,
                addr,
                ip,
            };
            for e in self.exits_of(own, m.dst, ask, false) {
                let src = match e.kind {
                    ExitKind::Own(i) => i,
                    _ => usize::MAX,
                };
                let mut t = t.clone();
                t.atoms.intersect_with(&e.atoms);
                let atoms = t.atoms.clone();
                if !atoms.is_empty() {
                    self.end(t, End::Translated(at.id, addr, src), atoms, out);
                }
            }
        }
    }

    fn start(&self, s: Inside) -> Trail {
        Trail {
            visited: vec![s.iface],
            senders: 1,
            atoms: self.common.all.clone(),
            source: None,
            route: None,
            tables: Vec::new(),
            crossed: Crossed::default(),
            aim: inner::Aim::No,
        }
    }

    /// Whether two points are one and the same: one interface, or one address that several may hold. Addresses
    /// that the cloud picks are never equal, though the same address stands for both of them here.
    pub(crate) fn one_end(&self, s: Inside, d: Inside) -> bool {
        let chosen = |p: Inside| self.addr_of(p).is_some_and(|(_, a)| a.choice);
        s.iface == d.iface || s.ip == d.ip && !chosen(s) && !chosen(d)
    }
}
