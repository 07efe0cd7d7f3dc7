//! One source point against one destination point: every possible way, exactly.
//!
//! A *point* is an address at which nothing the network knows can tell the members apart: a concrete address
//! of an interface, an elementary piece of a region, or a public address. Each function answers for all
//! services at once with an [`AtomSet`]. This is the definition; `domain` computes the same for the common
//! case (both ends in one VPC, local routes) for all pairs at once, and tests hold the two together.

use crate::network::{Addr, Hop, Iface, Match, Mode, Network, RouteRef, RuleList, Vsw};
use bartizan_model::{InterfaceId, NatId, SecurityGroupId};
use bartizan_packet::{AtomSet, IpSet, PortSet, Proto, ServiceSet};
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
    /// Every one of [`crate::ephemeral_ports`] (A-EPHEMERAL).
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
    /// The groups of the peer's interface itself.
    pub(crate) member: &'a [SecurityGroupId],
}

impl PeerView<'_> {
    /// Seen by a public address: a member of nothing (A-SG-4).
    pub(crate) fn public(ip: IpAddr) -> Self {
        PeerView {
            ip,
            groups: &[],
            member: &[],
        }
    }
}

pub(crate) fn matches(m: &Match, peer: PeerView<'_>) -> bool {
    match m {
        Match::Any => true,
        Match::Ips(s) => s.contains(peer.ip),
        Match::Group(g) => peer.groups.binary_search(g).is_ok(),
        Match::Member(g) => peer.member.binary_search(g).is_ok(),
    }
}

/// The services that a first-match list accepts from (or to) a peer.
pub(crate) fn accepted(net: &Network, list: &RuleList, peer: PeerView<'_>) -> AtomSet {
    let mut left = net.common.all.clone();
    let mut out = net.common.none.clone();
    for r in list.rules.iter().filter(|r| matches(&r.peer, peer)) {
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

/// What happens to the services of a request when its replies have to pass a stateless filter that accepts
/// `accepted` (as destination ports of the replies): those all of whose replies pass.
///
/// The reply to a TCP or UDP request goes to the client's port, which is what `ask` says; that to an ICMP echo request is an echo reply; other protocols
/// answer in kind.
pub(crate) fn replies(net: &Network, accepted: &AtomSet, ask: ReplyPort) -> AtomSet {
    if *accepted == net.common.all {
        return accepted.clone();
    }
    let mut ok = ServiceSet::empty();
    let (tcp, udp) = match ask {
        ReplyPort::Ephemeral => (
            net.common.tcp_ephemeral.is_subset(accepted),
            net.common.udp_ephemeral.is_subset(accepted),
        ),
        ReplyPort::Port(p) => (
            accepted.contains(net.atoms.atom_of(Proto::TCP, p)),
            accepted.contains(net.atoms.atom_of(Proto::UDP, p)),
        ),
    };
    if tcp {
        ok.tcp = PortSet::full();
    }
    if udp {
        ok.udp = PortSet::full();
    }
    let a = net.atoms.services(accepted);
    let echo = |set: &PortSet, request: u16, reply: u16| {
        let request = PortSet::range(request << 8, request << 8 | 255);
        let back = set.contains(reply << 8);
        let rest = set.subtract(&request);
        if back { rest.union(&request) } else { rest }
    };
    ok.icmp = echo(&a.icmp, 8, 0);
    ok.icmpv6 = echo(&a.icmpv6, 128, 129);
    ok.other = a.other;
    net.atoms.inside(&ok)
}

/// A way out to the Internet that a request can take.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub(crate) kind: ExitKind,
    /// The source address afterwards.
    pub(crate) src: Arc<IpSet>,
    /// Custom route that led there, if any.
    pub(crate) route: Option<RouteRef>,
    /// The appliances passed on the way.
    pub(crate) appliances: Vec<InterfaceId>,
    /// The services that get this far.
    pub(crate) atoms: AtomSet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitKind {
    /// The source's own public address: index into `Addr::own`.
    Own(usize),
    /// An SNAT entry of a NAT gateway: index into `Nat::snat`.
    Snat(NatId, usize),
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
}

/// Where one branch of a packet's way ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Arrived,
    Own,
    Nat(NatId),
    V6,
    Dropped,
    /// A public address of the appliance: address and index.
    Translated(InterfaceId, u32, usize),
}

/// One branch of a packet's way.
#[derive(Clone, Debug)]
struct Branch {
    end: End,
    atoms: AtomSet,
    appliances: Vec<InterfaceId>,
    route: Option<RouteRef>,
}

/// The state of one branch on its way.
#[derive(Clone)]
struct Trail {
    visited: Vec<InterfaceId>,
    senders: usize,
    atoms: AtomSet,
    route: Option<RouteRef>,
}

impl Network {
    pub(crate) fn addr_of(&self, p: Inside) -> Option<(&Iface, &Addr)> {
        let i = self.iface(p.iface)?;
        Some((i, i.addrs.get(p.addr as usize)?))
    }

    /// Any of the alternatives when widening, all of them when narrowing.
    pub(crate) fn fold(&self, alternatives: impl IntoIterator<Item = AtomSet>) -> AtomSet {
        let mut it = alternatives.into_iter();
        let Some(mut acc) = it.next() else {
            return self.common.none.clone();
        };
        for a in it {
            match self.mode {
                Mode::Widen => acc.union_with(&a),
                Mode::Narrow => acc.intersect_with(&a),
            }
        }
        acc
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
        PeerView {
            ip: p.ip,
            groups: self.groups_of(p),
            member: self.member_of(p),
        }
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
            Some(g) => accepted(self, if ingress { &g.ingress } else { &g.egress }, peer),
        }
    }

    pub(crate) fn controlled(&self, v: &Vsw) -> bool {
        self.vpcs.get(v.vpc.index()).is_some_and(|n| n.ipv4_gateway)
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
            appliances,
            route: t.route,
        });
    }

    /// The packet leaves interface `at`, the sender or an appliance: groups, then routes (§1 steps 2 to 5).
    fn leave(&self, m: Moving<'_>, mut t: Trail, at: &Iface, sender: bool, out: &mut Vec<Branch>) {
        if !m.sessions.contains(&at.id) {
            t.atoms.intersect_with(&self.sg(at, false, m.dst));
        }
        let Some(v) = self.vsw(at.vswitch) else {
            return self.dropped(t, out);
        };
        if t.atoms.is_empty() {
            return self.dropped(t, out);
        }
        if m.translate && !sender && m.goal.is_none() && self.may_translate() {
            self.translate(&t, at, m.dst.ip, out);
        }
        for &own in self.own_first(m.goal, m.sender.filter(|_| sender), v) {
            for &table in &v.tables {
                let Some(table) = self.tables.get(table as usize) else {
                    continue;
                };
                let mut decided = false;
                for r in table.lookup(m.dst.ip) {
                    // §7.1, A-EIP-1: the own public address beats 0/0, a longer route beats the address.
                    if own && r.length == 0 {
                        break;
                    }
                    decided |= !r.optional;
                    for h in &r.hops {
                        let mut t = t.clone();
                        if t.route.is_none() && matches!(r.from, RouteRef::Entry(_)) {
                            t.route = Some(r.from);
                        }
                        self.hop(m, t, at, h, out);
                    }
                }
                if !decided {
                    if own {
                        self.depart(m, t.clone(), at, End::Own, out);
                    } else {
                        self.dropped(t.clone(), out);
                    }
                }
            }
        }
    }

    /// Whether a public address of the sender takes its packets to the Internet without a route (§7.1): both
    /// where it is not known whether the address exists or the IPv4 gateway is active.
    pub(crate) fn own_first(&self, goal: Option<InterfaceId>, sender: Option<Inside>, v: &Vsw) -> &'static [bool] {
        let has = match sender.and_then(|s| self.addr_of(s)) {
            Some((_, a)) if goal.is_none() => a.has_own,
            _ => Some(false),
        };
        let inactive = (self.controlled(v) == self.leads(v)).then_some(!self.controlled(v));
        match (has, inactive) {
            (Some(false), _) | (_, Some(false)) => &[false],
            (Some(true), Some(true)) => &[true],
            _ => &[true, false],
        }
    }

    /// Whether the IPv4 gateway of the VPC passes packets on.
    pub(crate) fn leads(&self, v: &Vsw) -> bool {
        self.vpcs.get(v.vpc.index()).is_some_and(|n| n.ipv4_leads)
    }

    /// §3.5: what each kind of next hop does.
    fn hop(&self, m: Moving<'_>, t: Trail, at: &Iface, h: &Hop, out: &mut Vec<Branch>) {
        let Some(v) = self.vsw(at.vswitch) else {
            return self.dropped(t, out);
        };
        match (h, m.goal) {
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
                        .is_some_and(|n| n.internet && n.vpc == Some(v.vpc)) =>
            {
                self.depart(m, t, at, End::Nat(*n), out);
            }
            // §7.2: the gateway does no NAT of its own; the source needs a public address.
            (Hop::Ipv4Gateway, None) if m.dst.ip.is_ipv4() && self.leads(v) => {
                // Its own vSwitch has to be routed there: what an appliance forwards keeps a private source.
                let own = m
                    .sender
                    .filter(|s| s.iface == at.id || self.may_translate())
                    .and_then(|s| self.addr_of(s))
                    .is_some_and(|(_, a)| !a.own.is_empty());
                if own {
                    self.depart(m, t, at, End::Own, out)
                } else {
                    self.dropped(t, out)
                }
            }
            (Hop::Ipv6Gateway, None) if m.dst.ip.is_ipv6() => self.depart(m, t, at, End::V6, out),
            _ => self.dropped(t, out),
        }
    }

    /// The packet leaves the VPC: the ACL of the vSwitch, unless an EIP in ENI-visible mode carries it.
    fn depart(&self, m: Moving<'_>, mut t: Trail, at: &Iface, end: End, out: &mut Vec<Branch>) {
        if !self.binded(at)
            && let Some(v) = self.vsw(at.vswitch)
        {
            t.atoms.intersect_with(&self.acl(v, false, m.dst.ip));
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
        from: Option<&Iface>,
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
        let fv = from.and_then(|f| self.vsw(f.vswitch));
        if fv.is_some_and(|v| v.vpc != tv.vpc) {
            return self.dropped(t, out);
        }
        if !goal
            && (t.visited.contains(&to)
                || t.visited.len() - t.senders >= MAX_APPLIANCES
                || !ti.forwards
                || ti.apart)
        {
            return self.dropped(t, out);
        }
        // §6: traffic inside one vSwitch is not filtered.
        if from.is_none_or(|f| f.vswitch != ti.vswitch) {
            if let Some(v) = fv {
                t.atoms.intersect_with(&self.acl(v, false, m.dst.ip));
            }
            if from.is_some() || !self.binded(ti) {
                t.atoms.intersect_with(&self.acl(tv, true, m.src.ip));
            }
        }
        if !m.sessions.contains(&to) {
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
    fn translate(&self, t: &Trail, at: &Iface, dst: IpAddr, out: &mut Vec<Branch>) {
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
            for e in self.exits_of(own, dst, false) {
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
            route: None,
        }
    }

    /// The branches of a request inside one VPC.
    fn private_branches(&self, s: Inside, d: Inside, sessions: &[InterfaceId]) -> Vec<Branch> {
        let (Some((si, _)), Some((di, _))) = (self.addr_of(s), self.addr_of(d)) else {
            return Vec::new();
        };
        if s.iface == d.iface
            || s.ip == d.ip
            || s.ip.is_ipv4() != d.ip.is_ipv4()
            || self.vpc_of(si) != self.vpc_of(di)
            // §7.4: an EIP in ENI-visible mode replaces the private networking of the interface.
            || si.apart
            || di.apart
        {
            return Vec::new();
        }
        let m = Moving {
            src: self.private_view(s),
            dst: self.private_view(d),
            sessions,
            goal: Some(d.iface),
            sender: None,
            translate: false,
        };
        let mut out = Vec::new();
        self.leave(m, self.start(s), si, true, &mut out);
        out
    }

    /// Requests that arrive privately, inside one VPC.
    pub(crate) fn private_request(&self, s: Inside, d: Inside) -> AtomSet {
        self.fold(self.private_branches(s, d, &[]).into_iter().map(|b| b.atoms))
    }

    /// Requests that arrive privately, and those whose replies get back. Groups of the two ends and of the
    /// appliances that saw the request are stateful (§5.6); ACLs and routes are evaluated again (§1).
    pub(crate) fn private_flow(&self, s: Inside, d: Inside, ask: ReplyPort) -> (AtomSet, AtomSet) {
        let branches = self.private_branches(s, d, &[]);
        let works = self.fold(branches.iter().map(|b| {
            if b.atoms.is_empty() {
                return b.atoms.clone();
            }
            let mut sessions = vec![s.iface, d.iface];
            sessions.extend(&b.appliances);
            let back = self.fold(
                self.private_branches(d, s, &sessions)
                    .into_iter()
                    .map(|b| b.atoms),
            );
            replies(self, &back, ask).intersect(&b.atoms)
        }));
        (self.fold(branches.into_iter().map(|b| b.atoms)), works)
    }

    /// The appliances of every private trail from `s` to `d`.
    pub(crate) fn private_trails(&self, s: Inside, d: Inside) -> Vec<Vec<InterfaceId>> {
        let branches = self.private_branches(s, d, &[]);
        branches
            .into_iter()
            .filter(|b| !b.atoms.is_empty())
            .map(|b| b.appliances)
            .collect()
    }

    /// What the platform and the kind of address let through to the Internet at all.
    pub(crate) fn public_carrier(&self, dst: IpAddr, request: bool) -> AtomSet {
        let mut a = self.common.all.clone();
        if request {
            // A-P25.
            a.subtract_with(&self.common.smtp);
        }
        if dst.is_ipv4() {
            // §7.4: a public IPv4 address carries TCP, UDP and ICMP only.
            a.intersect_with(&self.common.public_v4);
        }
        a
    }

    fn out_branches(&self, s: Inside, dst: IpAddr, sessions: &[InterfaceId], translate: bool) -> Vec<Branch> {
        let Some((si, sa)) = self.addr_of(s) else {
            return Vec::new();
        };
        if s.ip.is_ipv4() != dst.is_ipv4() || s.ip.is_ipv6() && !sa.v6.outbound {
            return Vec::new();
        }
        let m = Moving {
            src: self.private_view(s),
            dst: PeerView::public(dst),
            sessions,
            goal: None,
            sender: Some(s),
            translate,
        };
        let mut out = Vec::new();
        self.leave(m, self.start(s), si, true, &mut out);
        out
    }

    /// Every way out to a public address `dst` (or to the service range), with the services that take it.
    /// When narrowing, branches that drop are listed too.
    pub(crate) fn exits(&self, s: Inside, dst: IpAddr) -> Vec<Exit> {
        self.exits_of(s, dst, true)
    }

    fn exits_of(&self, s: Inside, dst: IpAddr, translate: bool) -> Vec<Exit> {
        let Some((si, sa)) = self.addr_of(s) else {
            return Vec::new();
        };
        let here = || Arc::new(IpSet::single(s.ip));
        if is_service_ip(dst) {
            let mut atoms = self.sg(si, false, PeerView::public(dst));
            if let Some(v) = self.vsw(si.vswitch) {
                atoms.intersect_with(&self.acl(v, false, dst));
            }
            let kind = ExitKind::Service;
            return vec![Exit {
                kind,
                src: here(),
                route: None,
                appliances: Vec::new(),
                atoms,
            }];
        }
        let carrier = self.public_carrier(dst, true);
        let mut out = Vec::new();
        for b in self.out_branches(s, dst, &[], translate) {
            let atoms = b.atoms.intersect(&carrier);
            let exit = |kind, src| Exit {
                kind,
                src,
                route: b.route,
                appliances: b.appliances.clone(),
                atoms: atoms.clone(),
            };
            match b.end {
                // A public address that may not exist takes no packet for certain.
                End::Own if sa.own.is_empty() => out.push(exit(ExitKind::Dropped, here())),
                End::Own => {
                    out.extend(
                        sa.own
                            .iter()
                            .enumerate()
                            .map(|(i, o)| exit(ExitKind::Own(i), o.ips.clone())),
                    );
                }
                End::V6 => out.push(exit(ExitKind::V6, here())),
                End::Nat(n) => {
                    let found = self.snat_of(n, si, s.ip, dst);
                    if found.is_empty() {
                        out.push(exit(ExitKind::Dropped, here()));
                    }
                    out.extend(found.into_iter().map(|(i, ips)| exit(ExitKind::Snat(n, i), ips)));
                }
                End::Translated(f, addr, i) if translate => {
                    let src = self.appliance_source(f, addr, i, dst);
                    out.push(exit(ExitKind::Appliance(addr, i), src));
                }
                End::Dropped | End::Arrived | End::Translated(..) => {
                    out.push(exit(ExitKind::Dropped, here()));
                }
            }
        }
        for e in out.iter_mut().filter(|e| e.kind == ExitKind::Dropped) {
            e.atoms = self.common.none.clone();
        }
        if self.mode == Mode::Widen {
            out.retain(|e| !e.atoms.is_empty());
        }
        out
    }

    /// The address with which an appliance sends on what it translates: its own, or anybody's where a NAT
    /// gateway translates again.
    pub(crate) fn appliance_source(&self, f: InterfaceId, addr: u32, own: usize, dst: IpAddr) -> Arc<IpSet> {
        match self.iface(f).and_then(|f| f.addrs.get(addr as usize)) {
            Some(a) if dst.is_ipv6() => Arc::new(a.region.clone()),
            Some(a) if own < a.own.len() => a.own[own].ips.clone(),
            _ => Arc::new(self.outside_v4()),
        }
    }

    fn outside_v4(&self) -> IpSet {
        IpSet {
            v4: self.outside.v4.clone(),
            ..IpSet::default()
        }
    }

    /// A-NAT-1: the entries with the longest source that covers it, and behind one that may not exist the next.
    pub(crate) fn snat_of(
        &self,
        n: NatId,
        si: &Iface,
        src: IpAddr,
        dst: IpAddr,
    ) -> Vec<(usize, Arc<IpSet>)> {
        let Some(nat) = self.nats.get(n.index()).filter(|n| n.exit.contains(dst)) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        let mut certain: Option<u8> = None;
        // INVARIANT (SNAT order): the entries of a gateway are sorted, longest source first.
        for (i, e) in nat.snat.iter().enumerate() {
            if certain.is_some_and(|l| e.length < l) {
                break;
            }
            if e.sources.contains(src) && e.vswitch.is_none_or(|w| w == si.vswitch) {
                out.push((i, e.ips.clone()));
                certain = certain.or((!e.optional).then_some(e.length));
            }
        }
        if certain.is_none() && self.mode == Mode::Narrow {
            out.clear();
        }
        out
    }

    /// Requests that leave through `e` towards `dst` whose replies come back in to the source.
    pub(crate) fn exit_replies(&self, s: Inside, dst: IpAddr, e: &Exit, ask: ReplyPort) -> AtomSet {
        let entry = match e.kind {
            ExitKind::Own(i) => Entry::Own(i),
            ExitKind::Snat(..) | ExitKind::Appliance(..) => Entry::Dnat(usize::MAX),
            ExitKind::V6 => Entry::V6,
            ExitKind::Service => {
                let Some(v) = self.addr_of(s).and_then(|(i, _)| self.vsw(i.vswitch)) else {
                    return self.common.none.clone();
                };
                return replies(self, &self.acl(v, true, dst), ask).intersect(&e.atoms);
            }
            ExitKind::Dropped => return self.common.none.clone(),
        };
        let mut sessions = vec![s.iface];
        sessions.extend(&e.appliances);
        let back = self.fold(self.enter(s, dst, entry, &sessions).into_iter().map(|b| b.atoms));
        replies(self, &back, ask).intersect(&e.atoms)
    }

    /// The ways in to an address.
    pub(crate) fn doors(&self, d: Inside) -> Vec<Entry> {
        let Some((di, da)) = self.addr_of(d) else {
            return Vec::new();
        };
        if d.ip.is_ipv6() {
            // §7.3: gateway and bandwidth.
            let gateway = self
                .vpc_of(di)
                .and_then(|v| self.vpcs.get(v.index()))
                .is_some_and(|v| v.ipv6_gateway);
            return if da.v6.inbound && gateway {
                vec![Entry::V6]
            } else {
                Vec::new()
            };
        }
        (0..da.own.len())
            .map(Entry::Own)
            .chain((0..da.dnat.len()).map(Entry::Dnat))
            .collect()
    }

    /// The branches of a packet from a public source that enters towards `d`. `Entry::Dnat(usize::MAX)`
    /// stands for a reply that a NAT gateway hands back.
    fn enter(&self, d: Inside, x: IpAddr, e: Entry, sessions: &[InterfaceId]) -> Vec<Branch> {
        let Some((di, da)) = self.addr_of(d) else {
            return Vec::new();
        };
        let Some(v) = self.vsw(di.vswitch) else {
            return Vec::new();
        };
        if d.ip.is_ipv4() != x.is_ipv4() {
            return Vec::new();
        }
        let m = Moving {
            src: PeerView::public(x),
            dst: self.private_view(d),
            sessions,
            goal: Some(d.iface),
            sender: None,
            translate: false,
        };
        let t = Trail {
            visited: Vec::new(),
            senders: 0,
            atoms: self.common.all.clone(),
            route: None,
        };
        let mut out = Vec::new();
        match e {
            Entry::Dnat(i)
                if i != usize::MAX
                    && !self
                        .nats
                        .get(da.dnat[i].nat.index())
                        .is_some_and(|n| n.exit.contains(x)) =>
            {
                self.dropped(t, &mut out);
            }
            Entry::V6 if !self.routes_to(v, x, &Hop::Ipv6Gateway) => self.dropped(t, &mut out),
            Entry::Own(_) if self.controlled(v) || self.leads(v) => {
                // Where it is not known whether the gateway is active, both happen.
                if self.controlled(v) != self.leads(v) {
                    self.reach(m, t.clone(), None, d.iface, &mut out);
                }
                if !self.routes_to(v, x, &Hop::Ipv4Gateway)
                    && !(self.may_translate() && self.routes_to_appliance(v, x))
                {
                    self.dropped(t, &mut out);
                } else if let Some(table) = self
                    .vpcs
                    .get(v.vpc.index())
                    .and_then(|n| n.ingress_table)
                    .and_then(|t| self.tables.get(t as usize))
                {
                    // §3.6: the table of the IPv4 gateway may send the packet to an ENI first.
                    let mut decided = false;
                    for r in table.lookup(d.ip) {
                        decided |= !r.optional;
                        for h in &r.hops {
                            match h {
                                Hop::Local => self.reach(m, t.clone(), None, d.iface, &mut out),
                                Hop::Interface(i) => self.reach(m, t.clone(), None, *i, &mut out),
                                Hop::HaVip(h) => {
                                    for f in self.ha_vips.get(h.index()).map_or(&[][..], |v| v) {
                                        self.reach(m, t.clone(), None, *f, &mut out);
                                    }
                                }
                                _ => self.dropped(t.clone(), &mut out),
                            }
                        }
                    }
                    if !decided {
                        self.dropped(t, &mut out);
                    }
                } else {
                    self.reach(m, t, None, d.iface, &mut out);
                }
            }
            _ => self.reach(m, t, None, d.iface, &mut out),
        }
        out
    }

    /// Whether the tables of a vSwitch send `ip` straight to a gateway (§7.2, §7.3): by some branch when
    /// widening, by every branch when narrowing.
    pub(crate) fn routes_to(&self, v: &Vsw, ip: IpAddr, gateway: &Hop) -> bool {
        let (mut any, mut all) = (false, true);
        for table in v.tables.iter().filter_map(|&t| self.tables.get(t as usize)) {
            let mut decided = false;
            for r in table.lookup(ip) {
                decided |= !r.optional;
                any |= r.hops.contains(gateway);
                all &= r.hops.iter().all(|h| h == gateway);
            }
            all &= decided;
        }
        match self.mode {
            Mode::Widen => any,
            Mode::Narrow => any && all,
        }
    }

    /// Whether an appliance is taken to do more than forward unchanged (A-APPL-1).
    pub(crate) fn may_translate(&self) -> bool {
        self.mode == Mode::Widen && self.appliances_translate
    }

    pub(crate) fn routes_to_appliance(&self, v: &Vsw, ip: IpAddr) -> bool {
        let tables = v.tables.iter().filter_map(|&t| self.tables.get(t as usize));
        tables
            .flat_map(|t| t.lookup(ip))
            .flat_map(|r| &r.hops)
            .any(|h| matches!(h, Hop::Interface(_) | Hop::HaVip(_)))
    }

    /// What an entry lets in by itself: the ports of a DNAT entry and the protocols of a public address.
    pub(crate) fn door_atoms(&self, d: Inside, e: Entry) -> AtomSet {
        let mut a = match (self.addr_of(d), e) {
            (Some((_, a)), Entry::Dnat(i)) => self.atoms.touching(&a.dnat[i].internal()),
            _ => self.common.all.clone(),
        };
        if e != Entry::V6 {
            a.intersect_with(&self.common.public_v4);
        }
        a
    }

    /// Services (as delivered) that come in through an entry from a public source `x`.
    pub(crate) fn arrive(&self, d: Inside, x: IpAddr, e: Entry) -> AtomSet {
        let a = self.fold(self.enter(d, x, e, &[]).into_iter().map(|b| b.atoms));
        a.intersect(&self.door_atoms(d, e))
    }

    /// As [`Network::arrive`], with those whose replies get back the same way (§8.5, R8).
    pub(crate) fn arrive_flow(&self, d: Inside, x: IpAddr, e: Entry, ask: ReplyPort) -> (AtomSet, AtomSet) {
        let door = self.door_atoms(d, e);
        let branches = self.enter(d, x, e, &[]);
        let works = self.fold(branches.iter().map(|b| {
            if b.atoms.is_empty() {
                return b.atoms.clone();
            }
            let mut sessions = vec![d.iface];
            sessions.extend(&b.appliances);
            let same = |b: &Branch| match (e, b.end) {
                (Entry::Own(_), End::Own) | (Entry::V6, End::V6) => true,
                (Entry::Dnat(i), End::Nat(n)) => self.addr_of(d).is_some_and(|(_, a)| a.dnat[i].nat == n),
                _ => false,
            };
            let back = self.reply_branches(d, x, e, &sessions);
            let back = self.fold(back.iter().map(|b| {
                if same(b) {
                    b.atoms.clone()
                } else {
                    self.common.none.clone()
                }
            }));
            replies(self, &back, ask).intersect(&b.atoms)
        }));
        let delivered = self.fold(branches.into_iter().map(|b| b.atoms));
        (delivered.intersect(&door), works.intersect(&door))
    }

    /// The branches of a reply to a public client: an egress-only IPv6 address may answer, a private one not.
    fn reply_branches(&self, d: Inside, x: IpAddr, _e: Entry, sessions: &[InterfaceId]) -> Vec<Branch> {
        self.out_branches(d, x, sessions, false)
    }
}
