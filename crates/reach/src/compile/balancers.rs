//! Load balancers, ALIBABA.md §9 and docs/decisions/011 and 016: what their fronts take in, and where that goes.

use super::Ctx;
use super::groups::{self, ByGroup};
use crate::network::{Addr, Front, GroupSet, Iface, Match, Relay, RelaySource, Rule, RuleList, RuleRef, Vsw};
use bartizan_model::{
    AddressKind, Assumption, Backend, BalancerId, BalancerKind, Fact, Interface, InterfaceId, Listener,
    ListenerFilter, SecurityGroupId, Use,
};
use bartizan_packet::{IntervalSet, IpSet, PortSet, ServiceSet};
use rustc_hash::FxHashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The balancer of each front.
pub(super) fn by_interface(c: &Ctx<'_>) -> FxHashMap<InterfaceId, BalancerId> {
    let ids = (0u32..).map(BalancerId);
    ids.zip(&c.t.balancers)
        .flat_map(|(id, b)| b.fronts.iter().map(move |f| (*f, id)))
        .collect()
}

/// What a listener may be sent (widening) or is sent for certain (narrowing).
fn heard(c: &Ctx<'_>, l: &Listener) -> ServiceSet {
    match &l.services {
        _ if l.origin.maybe.is_some() && !c.widen() => ServiceSet::empty(),
        Fact::Known(s) => s.clone(),
        Fact::Unknown(_) if c.widen() => ServiceSet {
            tcp: PortSet::full(),
            udp: PortSet::full(),
            ..ServiceSet::default()
        },
        Fact::Unknown(_) => ServiceSet::empty(),
    }
}

/// The clients that the access list of a listener turns away.
fn turned_away(c: &Ctx<'_>, l: &Listener) -> IpSet {
    let unknown = || if c.widen() { IpSet::empty() } else { IpSet::full() };
    let filter: &ListenerFilter = match &l.filter {
        Fact::Known(None) => return IpSet::empty(),
        Fact::Known(Some(f)) => f,
        Fact::Unknown(_) => return unknown(),
    };
    let nobody = c.reads(Assumption::Lb1) == Use::Second;
    // A-LB-1: without entries everybody is admitted.
    if filter.entries.is_empty() && !nobody {
        return IpSet::empty();
    }
    let Fact::Known(white) = filter.white else {
        return unknown();
    };
    let certain = |e: &&bartizan_model::FilterEntry| e.origin.maybe.is_none();
    let nets = |es: &[&bartizan_model::FilterEntry]| {
        IpSet::from_nets(es.iter().filter_map(|e| e.net.known().copied()))
    };
    let all: Vec<_> = filter.entries.iter().collect();
    let sure: Vec<_> = filter.entries.iter().filter(certain).collect();
    let all_known = all.iter().all(|e| e.net.known().is_some());
    // A-LB-3: a list of IPv4 prefixes judges IPv4 clients only.
    let six = |e: &&bartizan_model::FilterEntry| e.net.known().is_none_or(|n| n.addr().is_ipv6());
    let met = if c.widen() { &sure } else { &all };
    let spares = !all.is_empty() && c.reads(Assumption::Lb3) == Use::Second && !met.iter().any(six);
    let spared = if spares { IpSet::all_v6() } else { IpSet::empty() };
    match (white, c.widen()) {
        // The list may turn out to be empty, or to admit anybody.
        (true, true) if sure.is_empty() && !nobody || !all_known => IpSet::empty(),
        (true, true) => IpSet::full().subtract(&nets(&all).union(&spared)),
        (true, false) => IpSet::full().subtract(&nets(&sure).union(&spared)),
        (false, true) => nets(&sure),
        (false, false) if !all_known => IpSet::full(),
        (false, false) => nets(&all),
    }
}

/// What a front takes in (decision 11, items 5 to 7), and that it opens no connections but to backends.
pub(super) fn lists(c: &mut Ctx<'_>, by: &ByGroup, id: BalancerId, i: &Interface) -> GroupSet {
    let t = c.t;
    let b = &t[id];
    let heard: Vec<ServiceSet> = b.listeners.iter().map(|l| heard(c, l)).collect();
    let mut rules = Vec::new();
    for (n, l) in (0u32..).zip(&b.listeners) {
        let mine = &heard[n as usize];
        // Two that may hear the same: what one turns away the other may take in.
        let shared = heard
            .iter()
            .enumerate()
            .any(|(k, s)| k != n as usize && !s.intersect(mine).is_empty());
        let away = turned_away(c, l);
        if away.is_empty() || mine.is_empty() || shared && c.widen() {
            continue;
        }
        let (services, atoms) = c.pool.service(&c.atoms, mine);
        let peer = Match::Ips(Arc::new(away));
        rules.push(Rule::new(
            RuleRef::Listener(id, n),
            false,
            (services, atoms),
            peer,
        ));
    }
    let all = heard.iter().fold(ServiceSet::empty(), |a, s| a.union(s));
    let (services, atoms) = c.pool.service(&c.atoms, &ServiceSet::any().subtract(&all));
    let from = RuleRef::NotListening(id);
    rules.push(Rule::new(from, false, (services, atoms), Match::Any));
    let (known, complete): (Vec<SecurityGroupId>, bool) = match (&i.groups, b.kind) {
        (_, BalancerKind::Clb) => (Vec::new(), true),
        (Fact::Known(g), _) => (g.clone(), i.foreign_groups.is_empty()),
        (Fact::Unknown(_), _) => (vec![crate::network::SOME_GROUP], false),
    };
    if !(known.is_empty() && complete) {
        rules.extend(groups::merge(c, by, &known, complete).ingress.rules);
    }
    // Decision 16, item 3: no managed rule stands behind the groups of an endpoint.
    let managed = b.kind != BalancerKind::Endpoint;
    GroupSet {
        groups: known,
        ingress: RuleList {
            rules,
            // §9.2: the managed rule at priority 100 comes behind every other one.
            default_accept: managed,
            default_ref: if managed {
                RuleRef::Listening(id)
            } else {
                RuleRef::Default
            },
        },
        egress: RuleList {
            rules: Vec::new(),
            default_accept: false,
            default_ref: RuleRef::BackendsOnly(id),
        },
        stateless: false,
    }
}

/// How a front stands in the network. `free` are the addresses of its vSwitch that the cloud may pick, of IPv6 only where
/// it has such an address (`six`).
pub(super) fn front(c: &mut Ctx<'_>, id: BalancerId, six: bool, free: IpSet) -> Front {
    let t = c.t;
    let b = &t[id];
    // Without the part where DNS, metadata and the like answer.
    let ip = |b, c, d| u32::from(Ipv4Addr::new(100, b, c, d));
    let clb = IpSet {
        v4: IntervalSet::from_ranges([
            (ip(64, 0, 0), ip(99, 255, 255)),
            (ip(101, 0, 0), ip(127, 255, 255)),
        ]),
        v6: IntervalSet::empty(),
    };
    let listeners = b.listeners.iter().map(|l| {
        let s = heard(c, l);
        c.pool.service(&c.atoms, &s).1
    });
    let link = b.kind == BalancerKind::Endpoint;
    // A-PL-1, and docs/decisions/024, 11.
    let anyone = link || b.kind == BalancerKind::Clb && six;
    Front {
        balancer: id,
        listeners: listeners.collect(),
        detached: b.detached,
        // A-LB-2.
        free: b.detached || c.reads(Assumption::Lb2) == Use::First,
        back: Arc::new(match b.kind {
            _ if anyone => IpSet {
                v4: IntervalSet::from_ranges([(0, ip(99, 255, 255)), (ip(101, 0, 0), u32::MAX)]),
                v6: IntervalSet::empty(),
            },
            BalancerKind::Clb => clb,
            BalancerKind::Alb | BalancerKind::Nlb | BalancerKind::Endpoint => free,
        }),
        // A-CLB-1.
        exempt: c.reads(Assumption::Clb1) == Use::First && b.kind != BalancerKind::Alb,
        link,
        anyone,
        link_filtered: c.reads(Assumption::Pl1) != Use::First,
    }
}

/// A backend: an interface, the positions of the addresses at which it is reached, and the one that is meant where one
/// of those is more than that.
type Reached = (InterfaceId, Vec<u32>, Option<IpAddr>);

/// The addresses of an interface that are of some kind.
fn of_kind(c: &Ctx<'_>, i: InterfaceId, kind: AddressKind) -> Reached {
    let all = (0u32..).zip(&c.t[i].addresses);
    let at = all.filter(|(_, a)| a.kind == kind).map(|(n, _)| n);
    (i, at.collect(), None)
}

/// Who may be, or is for certain, the backend that an address names.
fn holders(
    c: &Ctx<'_>,
    ifaces: &[Option<Iface>],
    vswitches: &[Option<Vsw>],
    ip: IpAddr,
    near: InterfaceId,
) -> Vec<Reached> {
    let vpc = |f: &Iface| vswitches[f.vswitch.index()].as_ref().map(|v| v.vpc);
    let home = ifaces[near.index()].as_ref().and_then(vpc);
    let holds = |a: &Addr| a.region.contains(ip) && (!a.choice || c.widen());
    let reached = |f: &Iface| {
        let at = || (0u32..).zip(&f.addrs).filter(|(_, a)| holds(a));
        let one = at().all(|(_, a)| a.region == IpSet::single(ip));
        (f.id, at().map(|(n, _)| n).collect(), (!one).then_some(ip))
    };
    let all = ifaces.iter().flatten();
    let all: Vec<&Iface> = all.filter(|f| f.addrs.iter().any(holds)).collect();
    // Where blocks overlap the balancer's own VPC comes first.
    let here = |f: &&&Iface| vpc(f) == home;
    if c.widen() || !all.iter().any(|f| here(&f)) {
        all.into_iter().map(reached).collect()
    } else {
        all.iter().filter(here).map(|f| reached(f)).collect()
    }
}

/// Who may be reached by load balancers that are not here, and by what those may be in front of (decision 11, item 16).
pub(super) fn strays(c: &mut Ctx<'_>, ifaces: &[Option<Iface>], relays: &[Relay]) {
    let t = c.t;
    for s in &t.strays {
        let why = format!(
            "a load balancer that is not here may hand on to it: {}",
            s.why.why
        );
        let mut found: Vec<InterfaceId> = Vec::new();
        let mut open = false;
        for to in &s.to {
            match to {
                Backend::Interface(i) | Backend::Ipv6(i) | Backend::At(i, _) => found.push(*i),
                Backend::Ip(ip) => {
                    let holds = |f: &&Iface| f.addrs.iter().any(|a| a.region.contains(*ip));
                    found.extend(ifaces.iter().flatten().filter(holds).map(|f| f.id));
                }
                Backend::Unknown(_) => open = true,
            }
        }
        if open {
            c.gap(&s.origin, &why, None);
        }
        found.sort_unstable();
        found.dedup();
        let own = found.len();
        let mut k = 0;
        while let Some(&i) = found.get(k) {
            k += 1;
            for r in relays.iter().filter(|r| r.front == i) {
                if !found.contains(&r.to) {
                    found.push(r.to);
                }
            }
        }
        // What those hand on is said by their listeners.
        let mut beyond = found.split_off(own);
        beyond.sort_unstable();
        for (to, services) in [(found, s.services.clone()), (beyond, None)] {
            if !to.is_empty() {
                c.gap_to(&s.origin, why.clone(), to, services);
            }
        }
    }
}

/// Everything that a front hands on (decision 11, item 10); with `only` for one listener.
pub(super) fn relays(
    c: &mut Ctx<'_>,
    ifaces: &[Option<Iface>],
    vswitches: &[Option<Vsw>],
    only: Option<(BalancerId, u32)>,
) -> Vec<Relay> {
    let t = c.t;
    let joined = !(t.peerings.is_empty()
        && t.attachments.is_empty()
        && t.router_interfaces.is_empty()
        && t.vpn_gateways.is_empty());
    let mut out = Vec::new();
    for (id, b) in (0u32..).map(BalancerId).zip(&t.balancers) {
        if only.is_some_and(|o| o.0 != id) {
            continue;
        }
        for (n, l) in (0u32..).zip(&b.listeners) {
            if only.is_some_and(|o| o.1 != n) {
                continue;
            }
            let heard = heard(c, l);
            if heard.is_empty() {
                continue;
            }
            let (_, listen) = c.pool.service(&c.atoms, &heard);
            for (k, f) in (0u32..).zip(&l.forwards) {
                if f.origin.maybe.is_some() && !c.widen() {
                    continue;
                }
                let delivered = match &f.services {
                    Fact::Known(None) => None,
                    Fact::Known(Some(s)) => Some(s.clone()),
                    Fact::Unknown(_) if c.widen() => Some(ServiceSet {
                        tcp: PortSet::full(),
                        udp: PortSet::full(),
                        ..ServiceSet::default()
                    }),
                    Fact::Unknown(_) => Some(ServiceSet::empty()),
                };
                let delivered = delivered.map(|s| c.pool.service(&c.atoms, &s).1);
                let source = match f.preserves {
                    Fact::Known(true) => RelaySource::Client,
                    Fact::Known(false) => RelaySource::Own,
                    Fact::Unknown(_) => RelaySource::Either,
                };
                for &front in b.fronts.iter().filter(|f| ifaces[f.index()].is_some()) {
                    let to = match &f.to {
                        Backend::Interface(i) => vec![of_kind(c, *i, AddressKind::Primary)],
                        Backend::Ipv6(i) => vec![of_kind(c, *i, AddressKind::Ipv6)],
                        Backend::At(i, n) => vec![(*i, vec![*n], None)],
                        Backend::Ip(ip) => holders(c, ifaces, vswitches, *ip, front),
                        Backend::Unknown(u) => {
                            // What an endpoint leads to may be anywhere, and so may what a balancer that takes servers
                            // by their addresses hands on to, where its VPC is joined with others.
                            let near = match b.kind {
                                BalancerKind::Endpoint => false,
                                BalancerKind::Clb => true,
                                BalancerKind::Alb | BalancerKind::Nlb => !joined,
                            };
                            let vpc = ifaces[front.index()]
                                .as_ref()
                                .filter(|_| near)
                                .and_then(|f| vswitches[f.vswitch.index()].as_ref())
                                .map(|v| v.vpc);
                            c.gap(&f.origin, format!("a backend is not known: {}", u.why), vpc);
                            continue;
                        }
                    };
                    let six = |i: InterfaceId, n: u32| {
                        let a = ifaces[i.index()].as_ref().and_then(|f| f.addrs.get(n as usize));
                        a.is_some_and(|a| !a.region.v6.is_empty())
                    };
                    let other = to.into_iter().filter(|(i, at, _)| *i != front && !at.is_empty());
                    out.extend(other.map(|(to, at, ip)| Relay {
                        balancer: id,
                        listener: n,
                        forward: k,
                        front,
                        to,
                        ipv6: at.iter().any(|n| six(to, *n)),
                        at: at.into(),
                        ip,
                        listen: listen.clone(),
                        delivered: delivered.clone(),
                        source,
                    }));
                }
            }
        }
    }
    let placed = |i: InterfaceId| ifaces.get(i.index()).is_some_and(Option::is_some);
    out.retain(|r| placed(r.to));
    out
}
