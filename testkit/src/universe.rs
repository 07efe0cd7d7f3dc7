//! The packets that a network can tell apart.

use crate::rng::Rng;
use bartizan_model::*;
use bartizan_oracle::Endpoint;
use bartizan_packet::{IpSet, Packet, PortSet, Proto, ServiceSet};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

/// One question: does a first packet from `src` to reach `dst` arrive, and does the reply get back?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Query {
    /// Who begins.
    pub src: Endpoint,
    /// Who is meant.
    pub dst: Endpoint,
    /// Protocol.
    pub proto: Proto,
    /// Source port; 0 for protocols without ports.
    pub sport: u16,
    /// Destination port as delivered, or `type * 256 + code`; 0 for protocols without.
    pub dport: u16,
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ip = |e: &Endpoint| match e {
            Endpoint::Address { ip, .. } | Endpoint::Outside(ip) => *ip,
        };
        let (src, dst) = (ip(&self.src), ip(&self.dst));
        let p = Packet {
            src,
            dst,
            proto: self.proto,
            sport: self.sport,
            dport: self.dport,
        };
        write!(f, "{p} ({} -> {})", self.src, self.dst)
    }
}

/// Representatives of every class of packets that a network can tell apart: of each elementary interval of
/// addresses and of ports one member. Exhaustive for what the interpreter looks at: two packets with the
/// same representatives have the same fate.
#[derive(Clone, Debug)]
pub struct Universe {
    inside: Vec<Endpoint>,
    outside: Vec<Endpoint>,
    /// Interfaces that clients of the other family may reach: those behind a load balancer with an IPv6 address.
    mixed: BTreeSet<InterfaceId>,
    /// Protocol, source port and destination port.
    services4: Vec<(Proto, u16, u16)>,
    services6: Vec<(Proto, u16, u16)>,
}

fn is_v4(e: &Endpoint) -> bool {
    match e {
        Endpoint::Address { ip, .. } | Endpoint::Outside(ip) => ip.is_ipv4(),
    }
}

fn same_interface(a: &Endpoint, b: &Endpoint) -> bool {
    match (a, b) {
        (Endpoint::Address { interface: a, .. }, Endpoint::Address { interface: b, .. }) => a == b,
        (Endpoint::Outside(_), Endpoint::Outside(_)) => true,
        _ => false,
    }
}

impl Universe {
    /// The universe of an inventory in which everything is known; unknown parts contribute nothing.
    #[must_use]
    pub fn new(inv: &Inventory) -> Self {
        let t = &inv.typed;
        let nets = nets(t);
        let ports = port_classes(t);
        let mut services4 = Vec::new();
        for p in [Proto::TCP, Proto::UDP] {
            for &s in &ports {
                services4.extend(ports.iter().map(|d| (p, s, *d)));
            }
        }
        services4.extend([(Proto::GRE, 0, 0), (Proto(50), 0, 0)]);
        let mut services6 = services4.clone();
        services4.push((Proto::ICMP, 0, 8 << 8));
        services6.push((Proto::ICMPV6, 0, 128 << 8));
        Universe {
            inside: inside(t, &nets),
            outside: outside(t, &nets),
            mixed: mixed(t),
            services4,
            services6,
        }
    }

    /// Endpoints inside, then outside.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint> + '_ {
        self.inside.iter().chain(&self.outside).copied()
    }

    fn services(&self, src: &Endpoint) -> &[(Proto, u16, u16)] {
        if is_v4(src) {
            &self.services4
        } else {
            &self.services6
        }
    }

    fn pairs(&self) -> Vec<(Endpoint, Endpoint)> {
        let mut out = Vec::new();
        for s in self.endpoints() {
            for d in self.endpoints() {
                let mixed =
                    matches!(d, Endpoint::Address { interface, .. } if self.mixed.contains(&interface));
                if (is_v4(&s) == is_v4(&d) || mixed) && !same_interface(&s, &d) {
                    out.push((s, d));
                }
            }
        }
        out
    }

    /// Every packet, in a fixed order.
    #[must_use]
    pub fn all(&self) -> Vec<Query> {
        let mut out = Vec::new();
        for (src, dst) in self.pairs() {
            for &(proto, sport, dport) in self.services(&src) {
                out.push(Query {
                    src,
                    dst,
                    proto,
                    sport,
                    dport,
                });
            }
        }
        out
    }

    /// Every packet when there are at most `limit`, else that many chosen at random, half of them between
    /// endpoints inside.
    pub fn sample(&self, r: &mut Rng, limit: usize) -> Vec<Query> {
        let pairs = self.pairs();
        let total: usize = pairs.iter().map(|(s, _)| self.services(s).len()).sum();
        if total <= limit {
            return self.all();
        }
        let inside =
            |p: &(Endpoint, Endpoint)| matches!(p, (Endpoint::Address { .. }, Endpoint::Address { .. }));
        let (near, far): (Vec<_>, Vec<_>) = pairs.iter().copied().partition(inside);
        let mut out = Vec::with_capacity(limit);
        for i in 0..limit {
            let list = if (i % 2 == 0 && !near.is_empty()) || far.is_empty() {
                &near
            } else {
                &far
            };
            let Some(&(src, dst)) = r.pick(list) else { break };
            let Some(&(proto, sport, dport)) = r.pick(self.services(&src)) else {
                break;
            };
            out.push(Query {
                src,
                dst,
                proto,
                sport,
                dport,
            });
        }
        out
    }
}

/// Interfaces that some load balancer hands on to, if one of them has an IPv6 address.
fn mixed(t: &Typed) -> BTreeSet<InterfaceId> {
    let six = |i: InterfaceId| t[i].addresses.iter().any(|a| a.kind == AddressKind::Ipv6);
    if !t.balancers.iter().flat_map(|b| &b.fronts).any(|f| six(*f)) {
        return BTreeSet::new();
    }
    let mut out = BTreeSet::new();
    for f in t
        .balancers
        .iter()
        .flat_map(|b| &b.listeners)
        .flat_map(|l| &l.forwards)
    {
        match &f.to {
            Backend::Interface(i) | Backend::Ipv6(i) | Backend::At(i, _) => drop(out.insert(*i)),
            Backend::Ip(ip) => {
                let has = |i: &Interface| {
                    i.addresses.iter().any(|a| match &a.spec {
                        AddressSpec::Ip(x) => x == ip,
                        AddressSpec::Block(n) => n.contains(ip),
                        _ => false,
                    })
                };
                let all = (0u32..).map(InterfaceId).zip(&t.interfaces);
                out.extend(all.filter(|(_, i)| has(i)).map(|(n, _)| n));
            }
            Backend::Unknown(_) => {}
        }
    }
    out
}

/// Every prefix that something compares addresses with.
fn nets(t: &Typed) -> Vec<IpNet> {
    let mut out = Vec::new();
    let mut spec = |n: &NetSpec| match n {
        NetSpec::Net(n) => out.extend(n.known().copied()),
        NetSpec::PrefixList(p) => {
            if let Some(es) = p.known().and_then(|p| t[*p].entries.known()) {
                out.extend(es.iter().filter_map(|e| e.known().copied()));
            }
        }
    };
    for r in &t.sg_rules {
        if let Peer::Net(n) = &r.peer {
            spec(n);
        }
    }
    for e in &t.route_entries {
        spec(&e.destination);
    }
    for r in &t.tr_routes {
        spec(&r.destination);
    }
    for e in t.data_services.iter().flat_map(|d| &d.allow) {
        if let AllowPeer::Net(n) = e.peer {
            spec(&NetSpec::Net(Fact::Known(n)));
        }
    }
    for l in t.balancers.iter().flat_map(|b| &b.listeners) {
        // Of a delegated block one address may be a backend.
        for f in &l.forwards {
            if let Backend::Ip(ip) = f.to {
                spec(&NetSpec::Net(Fact::Known(ip.into())));
            }
        }
        if let Fact::Known(Some(f)) = &l.filter {
            f.entries.iter().for_each(|e| spec(&NetSpec::Net(e.net.clone())));
        }
    }
    for l in t.acls.iter().flat_map(|a| [&a.ingress, &a.egress]) {
        if let AclList::Entries(es) = l {
            es.iter().for_each(|e| spec(&e.peer));
        }
    }
    for f in &t.firewalls {
        if let FirewallPlace::Nat { routes, .. } = &f.place {
            out.extend(routes.iter().filter_map(|(_, n)| n.known().copied()));
        }
    }
    for r in t.firewalls.iter().flat_map(|f| &f.rules) {
        for p in r.source.iter().chain(&r.destination) {
            if let FirewallPeer::Net(n) = p {
                out.push(*n);
            }
        }
    }
    for s in &t.snat_entries {
        if let SnatSource::Net(n) = &s.source {
            out.extend(n.known().copied());
        }
    }
    out.extend(t.vpn_routes.iter().filter_map(|r| r.destination.known().copied()));
    out.extend(
        t.vpn_routes
            .iter()
            .filter_map(|r| r.source.as_ref()?.known().copied()),
    );
    for c in &t.vpn_connections {
        out.extend(c.local.iter().chain(&c.remote).filter_map(|n| n.known().copied()));
        out.extend(c.learned.known().into_iter().flatten());
    }
    out.extend(
        t.border_routers
            .iter()
            .flat_map(|b| b.learned.known().into_iter().flatten()),
    );
    for v in &t.vpcs {
        out.extend(
            v.cidrs
                .iter()
                .chain(&v.user_cidrs)
                .filter_map(|c| c.known().copied()),
        );
    }
    for v in &t.vswitches {
        out.extend(v.cidr.known().copied());
        out.extend(v.ipv6_cidr.iter().filter_map(|c| c.known().copied()));
    }
    out
}

/// One address of each elementary interval that the prefixes cut `set` into.
fn classes(set: &IpSet, nets: &[IpNet]) -> Vec<IpAddr> {
    let mut parts = vec![set.clone()];
    for n in nets {
        let n = IpSet::from(*n);
        let mut next = Vec::with_capacity(parts.len() + 1);
        for p in parts {
            let (a, b) = (p.intersect(&n), p.subtract(&n));
            next.extend([a, b].into_iter().filter(|s| !s.is_empty()));
        }
        parts = next;
    }
    let mut out: Vec<IpAddr> = parts.iter().filter_map(IpSet::first).collect();
    out.sort_unstable();
    out
}

fn inside(t: &Typed, nets: &[IpNet]) -> Vec<Endpoint> {
    let mut out = Vec::new();
    for (i, eni) in t.interfaces.iter().enumerate() {
        for (a, address) in eni.addresses.iter().enumerate() {
            let (Ok(i), Ok(a)) = (u32::try_from(i), u32::try_from(a)) else {
                continue;
            };
            let ips = match &address.spec {
                AddressSpec::Ip(ip) => vec![*ip],
                AddressSpec::Block(n) => classes(&IpSet::from(*n), nets),
                AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_) => Vec::new(),
            };
            let one = |ip| Endpoint::Address {
                interface: InterfaceId(i),
                address: a,
                ip,
            };
            out.extend(ips.into_iter().map(one));
        }
    }
    out
}

fn outside(t: &Typed, nets: &[IpNet]) -> Vec<Endpoint> {
    let mut owned: Vec<IpAddr> = t.eips.iter().filter_map(|e| e.ip.known().copied()).collect();
    let mut set = IpSet::public();
    for i in &t.interfaces {
        owned.extend(i.public.iter().filter_map(|p| p.ip.known().copied()));
        for a in &i.addresses {
            match &a.spec {
                AddressSpec::Ip(ip) if ip.is_ipv6() => owned.push(*ip),
                AddressSpec::Block(n @ IpNet::V6(_)) => set = set.subtract(&IpSet::from(*n)),
                _ => {}
            }
        }
    }
    let nat_ips = t
        .snat_entries
        .iter()
        .flat_map(|s| &s.ips)
        .chain(t.dnat_entries.iter().map(|d| &d.external));
    owned.extend(nat_ips.filter_map(|n| if let NatIp::Ip(ip) = n { Some(*ip) } else { None }));
    for ip in owned {
        set = set.subtract(&IpSet::single(ip));
    }
    // IPv6 clients matter only where there is IPv6.
    let six = t.vswitches.iter().any(|v| v.ipv6_cidr.is_some());
    // An address of a VPC's own block is nobody's on the Internet.
    let mut own = IpSet::empty();
    for v in &t.vswitches {
        for c in v.ipv6_cidr.iter().filter_map(|c| c.known()) {
            own = own.union(&IpSet::from(*c));
        }
    }
    let set = set.subtract(&own);
    classes(&set, nets)
        .into_iter()
        .filter(|ip| six || ip.is_ipv4())
        .map(Endpoint::Outside)
        .collect()
}

/// One port of each elementary interval of ports, over TCP and UDP together.
fn port_classes(t: &Typed) -> Vec<u16> {
    let mut sets: Vec<ServiceSet> = t
        .sg_rules
        .iter()
        .filter_map(|r| r.services.known().cloned())
        .collect();
    for l in t.acls.iter().flat_map(|a| [&a.ingress, &a.egress]) {
        if let AclList::Entries(es) = l {
            sets.extend(es.iter().filter_map(|e| e.services.known().cloned()));
        }
    }
    sets.extend(t.data_services.iter().filter_map(|d| d.services.known().cloned()));
    for l in t.balancers.iter().flat_map(|b| &b.listeners) {
        sets.extend(l.services.known().cloned());
        sets.extend(
            l.forwards
                .iter()
                .filter_map(|f| f.services.known().cloned().flatten()),
        );
    }
    let policies = t.firewalls.iter().flat_map(|f| &f.rules);
    sets.extend(policies.filter_map(|r| r.services.known().cloned()));
    // A-P25.
    sets.push(ServiceSet::one(Proto::TCP, 25));
    let maps: Vec<PortMapping> = t
        .dnat_entries
        .iter()
        .filter_map(|d| d.ports.known().copied().flatten())
        .collect();
    sets.extend(
        maps.iter()
            .map(|m| ServiceSet::tcp(PortSet::range(m.internal.0, m.internal.1))),
    );
    let mut starts: BTreeSet<u16> = BTreeSet::from([1]);
    let cut = |starts: &mut BTreeSet<u16>, l: u16, h: u16| {
        starts.insert(l.max(1));
        starts.extend(h.checked_add(1));
    };
    for s in &sets {
        for &(l, h) in s.tcp.ranges().iter().chain(s.udp.ranges()) {
            cut(&mut starts, l, h);
        }
    }
    // A client's own filters see the external port: a border there is a border of the internal ports.
    let outer: Vec<u16> = starts.iter().copied().collect();
    for m in &maps {
        for o in outer
            .iter()
            .filter(|o| m.external.0 <= **o && **o <= m.external.1)
        {
            starts.insert(m.internal.0 + (o - m.external.0));
        }
    }
    starts.into_iter().collect()
}
