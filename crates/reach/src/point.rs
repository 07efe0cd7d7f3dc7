//! One source point against one destination point: every possible way, exactly.
//!
//! A *point* is an address at which nothing the network knows can tell the members apart: a concrete address
//! of an interface, an elementary piece of a region, or a public address. Each function answers for all
//! services at once with an [`AtomSet`]. This is the definition; `domain` computes the same for the common
//! case (both ends in one VPC, local routes) for all pairs at once, and tests hold the two together.

use crate::network::{Addr, Hop, Iface, Match, Mode, Network, Route, RuleList, Vsw};
use bartizan_model::{InterfaceId, NatId, SecurityGroupId};
use bartizan_packet::{AtomSet, IpSet, PortSet, ServiceSet};
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

/// How a rule list sees the other side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerView<'a> {
    pub(crate) ip: IpAddr,
    /// The groups of the peer when it is seen by a private address in the same VPC (ALIBABA.md §5.3).
    pub(crate) groups: &'a [SecurityGroupId],
}

pub(crate) fn matches(m: &Match, peer: PeerView<'_>) -> bool {
    match m {
        Match::Any => true,
        Match::Ips(s) => s.contains(peer.ip),
        Match::Group(g) => peer.groups.binary_search(g).is_ok(),
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
/// The reply to a TCP or UDP request goes to the client's port, which may be any of
/// [`crate::ephemeral_ports`] (A-EPHEMERAL); that to an ICMP echo request is an echo reply; other protocols
/// answer in kind.
pub(crate) fn replies(net: &Network, accepted: &AtomSet) -> AtomSet {
    if *accepted == net.common.all {
        return accepted.clone();
    }
    let mut ok = ServiceSet::empty();
    if net.common.tcp_ephemeral.is_subset(accepted) {
        ok.tcp = PortSet::full();
    }
    if net.common.udp_ephemeral.is_subset(accepted) {
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

/// Where a packet goes that leaves the cloud network for the Internet.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub(crate) kind: ExitKind,
    /// The source address afterwards.
    pub(crate) src: Arc<IpSet>,
    /// Route that led there, if any.
    pub(crate) route: Option<crate::network::RouteRef>,
    /// The appliance that forwards on the way, and the services that it lets pass.
    pub(crate) appliance: Option<(InterfaceId, AtomSet)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitKind {
    /// The interface's own public address: index into `Iface::addrs[..].own`.
    Own(usize),
    /// An SNAT entry of a NAT gateway: index into `Nat::snat`.
    Snat(NatId, usize),
    /// The IPv6 gateway.
    V6,
    /// The cloud's own services, 100.64.0.0/10.
    Service,
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
const MAX_APPLIANCES: usize = 4;

impl Network {
    pub(crate) fn addr_of(&self, p: Inside) -> Option<(&Iface, &Addr)> {
        let i = self.iface(p.iface)?;
        Some((i, i.addrs.get(p.addr as usize)?))
    }

    fn merge(&self, alternatives: impl IntoIterator<Item = AtomSet>) -> AtomSet {
        let mut it = alternatives.into_iter();
        let Some(mut acc) = it.next() else { return self.common.none.clone() };
        for a in it {
            match self.mode {
                Mode::Widen => acc.union_with(&a),
                Mode::Narrow => acc.intersect_with(&a),
            }
        }
        acc
    }

    fn groups_of(&self, i: &Iface) -> &[SecurityGroupId] {
        self.group_sets.get(i.groups as usize).map_or(&[], |g| &g.groups)
    }

    /// The stateless filter of a vSwitch towards (`ingress`) or from a peer.
    pub(crate) fn acl(&self, v: &Vsw, ingress: bool, peer: IpAddr) -> AtomSet {
        match v.acl.and_then(|a| self.acls.get(a as usize)) {
            None => self.common.all.clone(),
            Some(a) => {
                let list = if ingress { &a.ingress } else { &a.egress };
                accepted(self, list, PeerView { ip: peer, groups: &[] })
            }
        }
    }

    pub(crate) fn sg(&self, i: &Iface, ingress: bool, peer: PeerView<'_>) -> AtomSet {
        match self.group_sets.get(i.groups as usize) {
            None => self.common.none.clone(),
            Some(g) => accepted(self, if ingress { &g.ingress } else { &g.egress }, peer),
        }
    }

    /// Services that travel from the vSwitch of `at` to `d` inside the VPC: routing, the ACLs of both sides
    /// and the filters of appliances on the way, but not those of the two ends.
    ///
    /// `reply` asks for packets that an established session allows: appliances then let them pass when
    /// `seen` says that they saw the request.
    fn carry(
        &self,
        at: &Iface,
        s: (IpAddr, &[SecurityGroupId]),
        d: Inside,
        seen: Option<&[InterfaceId]>,
        trail: &mut Vec<InterfaceId>,
        trails: &mut Vec<Vec<InterfaceId>>,
    ) -> AtomSet {
        let Some((di, _)) = self.addr_of(d) else { return self.common.none.clone() };
        let (Some(v), Some(dv)) = (self.vsw(at.vswitch), self.vsw(di.vswitch)) else { return self.common.none.clone() };
        if v.vpc != dv.vpc {
            return self.common.none.clone();
        }
        let mut alternatives = Vec::new();
        for &t in &v.tables {
            let Some(table) = self.tables.get(t as usize) else { continue };
            let mut any = false;
            for r in table.lookup(d.ip) {
                any = any || !r.optional;
                for h in &r.hops {
                    match h {
                        Hop::Local => {
                            let mut a = self.common.all.clone();
                            if at.vswitch != di.vswitch {
                                a.intersect_with(&self.acl(v, false, d.ip));
                                a.intersect_with(&self.acl(dv, true, s.0));
                            }
                            trails.push(trail.clone());
                            alternatives.push(a);
                        }
                        Hop::Interface(f) => alternatives.push(self.through(at, *f, s, d, seen, trail, trails)),
                        Hop::HaVip(h) => {
                            let members = self.ha_vips.get(h.index()).map_or(&[][..], |m| m);
                            if members.is_empty() {
                                alternatives.push(self.common.none.clone());
                            }
                            for f in members {
                                alternatives.push(self.through(at, *f, s, d, seen, trail, trails));
                            }
                        }
                        Hop::Nat(_) | Hop::Ipv4Gateway | Hop::Ipv6Gateway | Hop::Unmodelled => {
                            alternatives.push(self.common.none.clone());
                        }
                    }
                }
            }
            if !any {
                alternatives.push(self.common.none.clone());
            }
        }
        self.merge(alternatives)
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the recursion of `carry`")]
    fn through(
        &self,
        at: &Iface,
        f: InterfaceId,
        s: (IpAddr, &[SecurityGroupId]),
        d: Inside,
        seen: Option<&[InterfaceId]>,
        trail: &mut Vec<InterfaceId>,
        trails: &mut Vec<Vec<InterfaceId>>,
    ) -> AtomSet {
        let none = self.common.none.clone();
        let Some(fi) = self.iface(f) else { return none };
        // §4.1: with the check on, the interface accepts only packets addressed to it.
        if !fi.forwards || trail.len() >= MAX_APPLIANCES || trail.contains(&f) {
            return none;
        }
        let (Some(v), Some(fv)) = (self.vsw(at.vswitch), self.vsw(fi.vswitch)) else { return none };
        if v.vpc != fv.vpc {
            return none;
        }
        let mut a = self.common.all.clone();
        if at.vswitch != fi.vswitch {
            a.intersect_with(&self.acl(v, false, d.ip));
            a.intersect_with(&self.acl(fv, true, s.0));
        }
        if !seen.is_some_and(|seen| seen.contains(&f)) {
            let dg = self.addr_of(d).map_or(&[][..], |(di, _)| self.groups_of(di));
            a.intersect_with(&self.sg(fi, true, PeerView { ip: s.0, groups: s.1 }));
            a.intersect_with(&self.sg(fi, false, PeerView { ip: d.ip, groups: dg }));
        }
        if a.is_empty() {
            return a;
        }
        trail.push(f);
        a.intersect_with(&self.carry(fi, s, d, seen, trail, trails));
        trail.pop();
        a
    }

    /// Requests that arrive privately, inside one VPC.
    pub(crate) fn private_request(&self, s: Inside, d: Inside) -> AtomSet {
        self.private_request_via(s, d).0
    }

    /// The appliances of every private trail from `s` to `d`.
    pub(crate) fn private_trails(&self, s: Inside, d: Inside) -> Vec<Vec<InterfaceId>> {
        self.private_request_via(s, d).1
    }

    fn private_request_via(&self, s: Inside, d: Inside) -> (AtomSet, Vec<Vec<InterfaceId>>) {
        let none = || (self.common.none.clone(), Vec::new());
        let (Some((si, _)), Some((di, _))) = (self.addr_of(s), self.addr_of(d)) else { return none() };
        if s.iface == d.iface || s.ip.is_ipv4() != d.ip.is_ipv4() || self.vpc_of(si) != self.vpc_of(di) {
            return none();
        }
        let (sg, dg) = (self.groups_of(si), self.groups_of(di));
        let mut a = self.sg(si, false, PeerView { ip: d.ip, groups: dg });
        a.intersect_with(&self.sg(di, true, PeerView { ip: s.ip, groups: sg }));
        if a.is_empty() {
            return (a, Vec::new());
        }
        let mut trails = Vec::new();
        a.intersect_with(&self.carry(si, (s.ip, sg), d, None, &mut Vec::new(), &mut trails));
        (a, trails)
    }

    /// Requests whose replies get back privately. The groups of the two ends are stateful (§5.6); ACLs and
    /// routes are evaluated again from scratch (§1).
    pub(crate) fn private_replies(&self, s: Inside, d: Inside) -> AtomSet {
        let (Some((si, _)), Some((di, _))) = (self.addr_of(s), self.addr_of(d)) else { return self.common.none.clone() };
        let (_, trails) = self.private_request_via(s, d);
        // An appliance lets the reply of a session pass only if the request came through it.
        let seen: Vec<InterfaceId> = match self.mode {
            Mode::Widen => trails.into_iter().flatten().collect(),
            Mode::Narrow => {
                let mut it = trails.into_iter();
                let first = it.next().unwrap_or_default();
                it.fold(first, |acc, t| acc.into_iter().filter(|f| t.contains(f)).collect())
            }
        };
        let _ = si;
        let back = self.carry(
            di,
            (d.ip, self.groups_of(di)),
            s,
            Some(&seen),
            &mut Vec::new(),
            &mut Vec::new(),
        );
        replies(self, &back)
    }

    /// Every way out to a public address `dst` (or to the service range), with the address it leaves with.
    pub(crate) fn exits(&self, s: Inside, dst: IpAddr) -> Vec<Exit> {
        let Some((si, sa)) = self.addr_of(s) else { return Vec::new() };
        let Some(v) = self.vsw(si.vswitch) else { return Vec::new() };
        if s.ip.is_ipv4() != dst.is_ipv4() {
            return Vec::new();
        }
        let own_src = || Arc::new(IpSet::single(s.ip));
        if is_service_ip(dst) {
            return vec![Exit { kind: ExitKind::Service, src: own_src(), route: None, appliance: None }];
        }
        let controlled = self.vpcs.get(v.vpc.index()).is_some_and(|n| n.ipv4_gateway);
        let own = |route| -> Vec<Exit> {
            sa.own
                .iter()
                .enumerate()
                .map(|(i, o)| Exit { kind: ExitKind::Own(i), src: o.ips.clone(), route, appliance: None })
                .collect()
        };
        let mut out: Vec<Exit> = Vec::new();
        let mut first = true;
        for &t in &v.tables {
            let Some(table) = self.tables.get(t as usize) else { continue };
            let mut found: Vec<Exit> = Vec::new();
            let mut all = true;
            let mut decided = false;
            for r in table.lookup(dst) {
                // §7.1, A-EIP-1: the own public address beats 0/0, a longer route beats the address.
                if s.ip.is_ipv4() && !controlled && r.length == 0 && !sa.own.is_empty() {
                    break;
                }
                decided = decided || !r.optional;
                for h in &r.hops {
                    let e = match h {
                        Hop::Interface(f) => self.exit_through(*f, r, s, si, v, dst),
                        Hop::HaVip(hv) => {
                            let members = self.ha_vips.get(hv.index()).map_or(&[][..], |m| m);
                            members.iter().flat_map(|f| self.exit_through(*f, r, s, si, v, dst)).collect()
                        }
                        _ => self.exit_by(h, r, s, si, dst, controlled, &own),
                    };
                    all &= !e.is_empty();
                    found.extend(e);
                }
            }
            if !decided {
                if s.ip.is_ipv4() && !controlled {
                    let e = own(None);
                    all &= !e.is_empty();
                    found.extend(e);
                } else {
                    all = false;
                }
            }
            match self.mode {
                Mode::Widen => out.extend(found),
                Mode::Narrow if !all => return Vec::new(),
                Mode::Narrow if first => out = found,
                Mode::Narrow => {}
            }
            first = false;
        }
        out
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `exits`")]
    fn exit_by(
        &self,
        h: &Hop,
        r: &Route,
        s: Inside,
        si: &Iface,
        dst: IpAddr,
        controlled: bool,
        own: &dyn Fn(Option<crate::network::RouteRef>) -> Vec<Exit>,
    ) -> Vec<Exit> {
        match h {
            Hop::Nat(n) if s.ip.is_ipv4() => {
                let Some(nat) = self.nats.get(n.index()) else { return Vec::new() };
                if !nat.internet || !nat.exit.contains(dst) {
                    return Vec::new();
                }
                // A-NAT-1: the longest source wins.
                nat.snat
                    .iter()
                    .position(|e| e.sources.contains(s.ip) && e.vswitch.is_none_or(|w| w == si.vswitch))
                    .map(|i| Exit {
                        kind: ExitKind::Snat(*n, i),
                        src: nat.snat[i].ips.clone(),
                        route: Some(r.from),
                        appliance: None,
                    })
                    .into_iter()
                    .collect()
            }
            Hop::Ipv4Gateway if s.ip.is_ipv4() && controlled => own(Some(r.from)),
            Hop::Ipv6Gateway if s.ip.is_ipv6() => match self.addr_of(s) {
                Some((_, a)) if a.v6.outbound => vec![Exit {
                    kind: ExitKind::V6,
                    src: Arc::new(IpSet::single(s.ip)),
                    route: Some(r.from),
                    appliance: None,
                }],
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    /// Exits behind an appliance: it may forward the packet unchanged through a NAT gateway that it is routed
    /// to, and, as nobody can see inside, translate it to an address of its own (widening only).
    fn exit_through(
        &self,
        f: InterfaceId,
        r: &Route,
        s: Inside,
        si: &Iface,
        v: &Vsw,
        dst: IpAddr,
    ) -> Vec<Exit> {
        let Some(fi) = self.iface(f) else { return Vec::new() };
        let Some(fv) = self.vsw(fi.vswitch) else { return Vec::new() };
        if !fi.forwards || f == s.iface || fv.vpc != v.vpc {
            return Vec::new();
        }
        let mut pass = self.common.all.clone();
        if si.vswitch != fi.vswitch {
            pass.intersect_with(&self.acl(v, false, dst));
            pass.intersect_with(&self.acl(fv, true, s.ip));
        }
        pass.intersect_with(&self.sg(fi, true, PeerView { ip: s.ip, groups: self.groups_of(si) }));
        pass.intersect_with(&self.sg(fi, false, PeerView { ip: dst, groups: &[] }));
        pass.intersect_with(&self.acl(fv, false, dst));
        let mut out = Vec::new();
        for &t in &fv.tables {
            for r2 in self.tables.get(t as usize).into_iter().flat_map(|t| t.lookup(dst)) {
                for h in r2.hops.iter().filter(|h| matches!(h, Hop::Nat(_) | Hop::Ipv6Gateway)) {
                    out.extend(self.exit_by(h, r2, s, si, dst, false, &|_| Vec::new()));
                }
            }
        }
        if self.mode == Mode::Widen {
            for (ai, a) in fi.addrs.iter().enumerate() {
                let Some(ip) = a.region.first() else { continue };
                let own = Inside { iface: f, addr: u32::try_from(ai).unwrap_or(u32::MAX), ip };
                out.extend(self.exits_plain(own, dst));
            }
        }
        for e in &mut out {
            e.route = Some(r.from);
            e.appliance = Some((f, pass.clone()));
        }
        out
    }

    /// The exits of an interface without further appliances.
    fn exits_plain(&self, s: Inside, dst: IpAddr) -> Vec<Exit> {
        let Some((si, sa)) = self.addr_of(s) else { return Vec::new() };
        let Some(v) = self.vsw(si.vswitch) else { return Vec::new() };
        let controlled = self.vpcs.get(v.vpc.index()).is_some_and(|n| n.ipv4_gateway);
        let own = |route| -> Vec<Exit> {
            let src = |o: &crate::network::OwnPublic| o.ips.clone();
            let exit = |(i, o)| Exit { kind: ExitKind::Own(i), src: src(o), route, appliance: None };
            sa.own.iter().enumerate().map(exit).collect()
        };
        if s.ip.is_ipv4() != dst.is_ipv4() {
            return Vec::new();
        }
        let mut out = Vec::new();
        if s.ip.is_ipv4() && !controlled {
            out.extend(own(None));
        }
        for &t in &v.tables {
            for r in self.tables.get(t as usize).into_iter().flat_map(|t| t.lookup(dst)) {
                for h in &r.hops {
                    out.extend(self.exit_by(h, r, s, si, dst, controlled, &own));
                }
            }
        }
        out
    }

    /// Services that leave through some exit towards `dst`: groups and ACL of the source, without A-P25.
    pub(crate) fn leave(&self, s: Inside, dst: IpAddr) -> AtomSet {
        let Some((si, _)) = self.addr_of(s) else { return self.common.none.clone() };
        let Some(v) = self.vsw(si.vswitch) else { return self.common.none.clone() };
        let mut a = self.sg(si, false, PeerView { ip: dst, groups: &[] });
        a.intersect_with(&self.acl(v, false, dst));
        if !is_service_ip(dst) {
            a.subtract_with(&self.common.smtp);
        }
        a
    }

    /// The ways in from a public source `x`.
    pub(crate) fn entries(&self, d: Inside, x: IpAddr) -> Vec<Entry> {
        let Some((di, da)) = self.addr_of(d) else { return Vec::new() };
        let Some(v) = self.vsw(di.vswitch) else { return Vec::new() };
        if d.ip.is_ipv4() != x.is_ipv4() {
            return Vec::new();
        }
        let mut out = Vec::new();
        if d.ip.is_ipv6() {
            // §7.3: an IPv6 gateway with a route, and bandwidth for the address.
            if da.v6.inbound && self.routes_to(v, x, |h| *h == Hop::Ipv6Gateway) {
                out.push(Entry::V6);
            }
            return out;
        }
        let controlled = self.vpcs.get(v.vpc.index()).is_some_and(|n| n.ipv4_gateway);
        if !controlled || self.routes_to(v, x, |h| *h == Hop::Ipv4Gateway) {
            out.extend((0..da.own.len()).map(Entry::Own));
        }
        for (i, n) in da.dnat.iter().enumerate() {
            if self.nats.get(n.nat.index()).is_some_and(|nat| nat.exit.contains(x)) {
                out.push(Entry::Dnat(i));
            }
        }
        out
    }

    /// Whether the tables of a vSwitch send `ip` to a hop: some of them when widening, all when narrowing.
    fn routes_to(&self, v: &Vsw, ip: IpAddr, hit: impl Fn(&Hop) -> bool) -> bool {
        let mut any = false;
        let mut all = true;
        for &t in &v.tables {
            let Some(table) = self.tables.get(t as usize) else { continue };
            let mut decided = false;
            for r in table.lookup(ip) {
                decided = decided || !r.optional;
                for h in &r.hops {
                    any |= hit(h);
                    all &= hit(h);
                }
            }
            all &= decided;
        }
        match self.mode {
            Mode::Widen => any,
            Mode::Narrow => any && all,
        }
    }

    /// Services (as delivered) that come in through an entry from a public source `x`.
    pub(crate) fn arrive(&self, d: Inside, x: IpAddr, e: Entry) -> AtomSet {
        let Some((di, da)) = self.addr_of(d) else { return self.common.none.clone() };
        let Some(v) = self.vsw(di.vswitch) else { return self.common.none.clone() };
        let mut a = self.sg(di, true, PeerView { ip: x, groups: &[] });
        let bypass = matches!(e, Entry::Own(i) if da.own[i].bypass_acl);
        if !bypass {
            a.intersect_with(&self.acl(v, true, x));
        }
        if let Entry::Dnat(i) = e {
            a.intersect_with(&self.atoms.touching(&da.dnat[i].internal()));
        }
        // §3.6: a gateway route table may hand the packet to an appliance first.
        if let Some(t) = self.vpcs.get(v.vpc.index()).and_then(|n| n.ingress_table)
            && matches!(e, Entry::Own(_))
            && let Some(table) = self.tables.get(t as usize)
        {
            let mut alternatives = Vec::new();
            for r in table.lookup(d.ip) {
                for h in &r.hops {
                    alternatives.push(match h {
                        Hop::Local => self.common.all.clone(),
                        Hop::Interface(f) => self.ingress_appliance(*f, x, d),
                        _ => self.common.none.clone(),
                    });
                }
            }
            if !alternatives.is_empty() {
                a.intersect_with(&self.merge(alternatives));
            }
        }
        a
    }

    fn ingress_appliance(&self, f: InterfaceId, x: IpAddr, d: Inside) -> AtomSet {
        let none = self.common.none.clone();
        let Some(fi) = self.iface(f) else { return none };
        if !fi.forwards || f == d.iface {
            return if f == d.iface { self.common.all.clone() } else { none };
        }
        let Some(fv) = self.vsw(fi.vswitch) else { return none };
        let dg = self.addr_of(d).map_or(&[][..], |(di, _)| self.groups_of(di));
        let mut a = self.sg(fi, true, PeerView { ip: x, groups: &[] });
        a.intersect_with(&self.acl(fv, true, x));
        a.intersect_with(&self.sg(fi, false, PeerView { ip: d.ip, groups: dg }));
        a.intersect_with(&self.carry(fi, (x, &[]), d, None, &mut vec![f], &mut Vec::new()));
        a
    }

    /// Requests from a public source through an entry whose replies get back the same way.
    pub(crate) fn arrive_replies(&self, d: Inside, x: IpAddr, e: Entry) -> AtomSet {
        let Some((di, da)) = self.addr_of(d) else { return self.common.none.clone() };
        let Some(v) = self.vsw(di.vswitch) else { return self.common.none.clone() };
        let back = match e {
            Entry::V6 => self.routes_to(v, x, |h| *h == Hop::Ipv6Gateway),
            // §8.5: the reply must match the NAT gateway by longest prefix.
            Entry::Dnat(i) => {
                let nat = da.dnat[i].nat;
                self.routes_to(v, x, |h| *h == Hop::Nat(nat))
            }
            Entry::Own(_) => {
                let controlled = self.vpcs.get(v.vpc.index()).is_some_and(|n| n.ipv4_gateway);
                if controlled {
                    self.routes_to(v, x, |h| *h == Hop::Ipv4Gateway)
                } else {
                    // A-EIP-1: a route longer than 0/0 carries the reply elsewhere.
                    let detour = v.tables.iter().filter_map(|&t| self.tables.get(t as usize)).any(|t| {
                        t.lookup(x).any(|r| r.length > 0 && (self.mode == Mode::Narrow || !r.optional))
                    });
                    !detour
                }
            }
        };
        if !back {
            return self.common.none.clone();
        }
        if matches!(e, Entry::Own(i) if da.own[i].bypass_acl) {
            return self.common.all.clone();
        }
        replies(self, &self.acl(v, false, x))
    }

    /// Requests to a public destination whose replies get back in: only the source's ACL is in the way.
    pub(crate) fn leave_replies(&self, s: Inside, dst: IpAddr, e: &Exit) -> AtomSet {
        let Some((si, sa)) = self.addr_of(s) else { return self.common.none.clone() };
        let Some(v) = self.vsw(si.vswitch) else { return self.common.none.clone() };
        if matches!(e.kind, ExitKind::Own(i) if sa.own[i].bypass_acl) {
            return self.common.all.clone();
        }
        replies(self, &self.acl(v, true, dst))
    }
}
