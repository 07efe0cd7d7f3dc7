//! Cloud Firewall, ALIBABA.md §13, docs/decisions/015 and 022: policies become first-match lists.

use super::Ctx;
use crate::firewall::{FireList, FireRule, FirewallNet, Perimeter, Side, VpcFirewall};
use bartizan_model::{
    Assumption, Attached, AttachmentId, Boundary, Fact, Firewall, FirewallId, FirewallPeer, FirewallPlace,
    FirewallRule, NatId, NetSpec, NextHop, RouteEntry, RouteTableId, RouterId, Use,
};
use bartizan_packet::{IpSet, ServiceSet};

/// Everything that filters at the perimeter, as far as the mode counts on it.
pub(super) fn compile(c: &mut Ctx<'_>) -> Perimeter {
    let t = c.t;
    let mut p = Perimeter::default();
    for (n, f) in (0u32..).zip(&t.firewalls) {
        let id = FirewallId(n);
        match &f.place {
            FirewallPlace::Internet => {
                p.present = Some(id);
                let protected = c.reads(Assumption::Cfw1) == Use::First;
                if !protected || c.widen() && !stands(f) || f.on.known() == Some(&false) {
                    continue;
                }
                let inbound = list(c, f, true);
                let outbound = list(c, f, false);
                p.internet = Some(FirewallNet::new(id, inbound, outbound));
            }
            FirewallPlace::Nat { nat, routes } => {
                if c.widen() && !stands(f) || f.on.known() == Some(&false) {
                    continue;
                }
                let outbound = list(c, f, false);
                let net = FirewallNet::new(id, FireList::default(), outbound);
                let led = (0u32..)
                    .zip(&t.route_entries)
                    .filter(|(_, e)| routes.iter().any(|(table, to)| names(e, table, to, c.widen())))
                    .map(|(n, _)| n)
                    .collect();
                let at: Vec<NatId> = match nat.known() {
                    Some(n) => vec![*n],
                    None if c.widen() => Vec::new(),
                    None => (0u32..).take(t.nat_gateways.len()).map(NatId).collect(),
                };
                p.nats.push((at, led, net));
            }
            // Decision 22.
            FirewallPlace::Vpc(at) => {
                if c.widen() && !stands(f) || f.on.known() == Some(&false) {
                    continue;
                }
                let outbound = list(c, f, false);
                let mut x = VpcFirewall {
                    net: FirewallNet::new(id, FireList::default(), outbound),
                    routes: Vec::new(),
                    attachments: Vec::new(),
                    routers: Vec::new(),
                    anything: false,
                };
                at.iter().for_each(|b| boundary(c, b, &mut x));
                p.vpcs.push(x);
            }
        }
    }
    p
}

/// Whether a route to a NAT gateway is the one that a firewall there names (decision 15, item 13): certainly when widening,
/// perhaps when narrowing.
fn names(e: &RouteEntry, table: &Fact<RouteTableId>, to: &Fact<ipnet::IpNet>, widen: bool) -> bool {
    fn same<T: PartialEq>(a: &Fact<T>, b: &Fact<T>, widen: bool) -> bool {
        match (a, b) {
            (Fact::Known(a), Fact::Known(b)) => a == b,
            _ => !widen,
        }
    }
    let this = match &e.destination {
        NetSpec::Net(n) => same(n, to, widen),
        NetSpec::PrefixList(_) => false,
    };
    let leads = |h: &NextHop| match h {
        NextHop::Nat(_) => true,
        NextHop::Unknown(_) => !widen,
        _ => false,
    };
    same(&e.table, table, widen) && this && e.next_hops.iter().any(leads)
}

/// Where a firewall between VPCs stands: for certain when widening, perhaps when narrowing (8).
fn boundary(c: &Ctx<'_>, b: &Boundary, x: &mut VpcFirewall) {
    let t = c.t;
    let widen = c.widen();
    // A fact that is not known may be anything when narrowing.
    fn is<T: PartialEq>(f: &Fact<T>, value: &T, widen: bool) -> bool {
        f.known().map_or(!widen, |k| k == value)
    }
    let diverted = c.reads(Assumption::Cfw2) == Use::First;
    match b {
        // 4.
        Boundary::Route {
            table,
            destination,
            hop,
        } => {
            for (n, e) in (0u32..).zip(&t.route_entries) {
                let at = match &e.table {
                    Fact::Known(k) => is(table, k, widen),
                    Fact::Unknown(_) => !widen,
                };
                let to = match &e.destination {
                    NetSpec::Net(Fact::Known(k)) => is(destination, k, widen),
                    NetSpec::Net(Fact::Unknown(_)) => !widen,
                    NetSpec::PrefixList(_) => false,
                };
                if !at || !to {
                    continue;
                }
                for h in &e.next_hops {
                    let (joins, known) = match h {
                        NextHop::RouterInterface(_) | NextHop::Peering(_) => (is(hop, h, widen), true),
                        NextHop::Unknown(_) => (!widen, false),
                        _ => (false, true),
                    };
                    if joins {
                        x.routes.push((n, known.then(|| h.clone())));
                    }
                }
            }
        }
        // 5.
        Boundary::Vpc { vpc, cen } => {
            for (n, a) in (0u32..).zip(&t.attachments) {
                let Attached::Vpc(v) = &a.to else { continue };
                let here = match v {
                    Fact::Known(v) => is(vpc, v, widen),
                    Fact::Unknown(_) => !widen,
                };
                let router = a.router.known().map(|r| &t[*r]);
                let of = match router {
                    Some(r) => r.cen.as_ref().map_or(!widen, |k| is(cen, k, widen)),
                    None => !widen,
                };
                // A router that is not known may be of Basic Edition when narrowing, and not when widening.
                let basic = router.map_or(!widen, |r| r.basic);
                if here && of && (basic || diverted) {
                    x.attachments.push(AttachmentId(n));
                }
            }
        }
        // 6.
        Boundary::Router(r) => {
            if diverted {
                let all = (0u32..).take(t.transit_routers.len());
                x.routers.extend(all.filter(|n| is(r, &RouterId(*n), widen)));
            }
        }
        Boundary::Unknown(_) => x.anything |= !widen,
    }
}

/// Whether a firewall certainly filters.
fn stands(f: &Firewall) -> bool {
    let internet = matches!(f.place, FirewallPlace::Internet);
    f.on.known() == Some(&true) && (internet || f.meta.origin.maybe.is_none())
}

/// The list of one direction in the order of the mode (items 2 and 5).
fn list(c: &mut Ctx<'_>, f: &Firewall, inbound: bool) -> FireList {
    let widen = c.widen();
    let mut ranked: Vec<((u8, u32, u32), FireRule)> = Vec::new();
    for (n, r) in (0u32..).zip(&f.rules) {
        // A rule whose direction is not known is in both lists where it takes part in what is uncertain.
        let here = match r.inbound.known() {
            Some(d) => *d == inbound,
            None => true,
        };
        if !here {
            continue;
        }
        let Some(rule) = rule(c, f, n, r, inbound) else {
            continue;
        };
        let place = match r.order.known() {
            Some(o) => (1, *o, n),
            None if rule.accept == widen => (0, 0, n),
            None => (2, 0, n),
        };
        ranked.push((place, rule));
    }
    // Orders 1 to k come before everything whose order is not known.
    let orders: Vec<u32> = f
        .rules
        .iter()
        .filter(|r| r.inbound.known().is_none_or(|d| *d == inbound))
        .filter_map(|r| r.order.known().copied())
        .collect();
    let k = (1u32..).take_while(|k| orders.contains(k)).last().unwrap_or(0);
    for (place, _) in &mut ranked {
        if place.0 == 1 && place.1 <= k {
            place.0 = 0;
        } else if place.0 == 0 {
            // Behind the orders that are certain.
            place.1 = u32::MAX;
        }
    }
    ranked.sort_by_key(|(place, _)| *place);
    FireList {
        rules: ranked.into_iter().map(|(_, r)| r).collect(),
    }
}

/// What a rule does, from what lets through least to what lets through most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Drops,
    None,
    Passes,
}

/// Whether what is not known takes part in a rule.
#[derive(Clone, Copy)]
struct Uncertain {
    /// Facts that are not known.
    facts: bool,
    /// Addresses of domains and regions.
    elsewhere: bool,
}

fn of(f: &Fact<bool>) -> Vec<bool> {
    f.known().map_or_else(|| vec![true, false], |b| vec![*b])
}

/// Item 4: a rule by content passes or drops all that it meets, or does nothing.
fn effect(pass: bool, deep: bool, strict: bool, may: bool) -> Effect {
    match (deep, may) {
        (true, true) if strict && !pass => Effect::None,
        (true, true) => Effect::Passes,
        (true, false) if pass => Effect::None,
        (true, false) => Effect::Drops,
        (false, _) if pass => Effect::Passes,
        (false, _) => Effect::Drops,
    }
}

/// A rule as the mode reads it; `None` where it does not take part.
fn rule(c: &mut Ctx<'_>, f: &Firewall, n: u32, r: &FirewallRule, inbound: bool) -> Option<FireRule> {
    let widen = c.widen();
    if r.active.known() == Some(&false) {
        return None;
    }
    let may = c.reads(Assumption::Fw1) == Use::First;
    let mut effects = Vec::new();
    for pass in of(&r.pass) {
        for deep in of(&r.deep) {
            for strict in of(&f.strict) {
                effects.push(effect(pass, deep, strict, may));
            }
        }
    }
    let certain = r.origin.maybe.is_none() && r.active.known().is_some() && r.inbound.known().is_some();
    if !certain {
        effects.push(Effect::None);
    }
    let accept = match if widen {
        effects.iter().max()
    } else {
        effects.iter().min()
    } {
        Some(Effect::Passes) => true,
        Some(Effect::Drops) => false,
        Some(Effect::None) | None => return None,
    };
    // What is not known takes part only where the rule lets through (widening) or drops (narrowing); addresses
    // that nobody knows as A-FW-1 is read.
    let unknown = Uncertain {
        facts: accept == widen,
        elsewhere: accept == may,
    };
    let uncertain = unknown.facts;
    let family = match r.ipv6.known() {
        Some(true) => IpSet::all_v6(),
        Some(false) => IpSet::all_v4(),
        None if uncertain => IpSet::full(),
        None => return None,
    };
    let source = side(c, &r.source, unknown, !inbound, &family);
    let destination = side(c, &r.destination, unknown, inbound, &family);
    let services = match r.services.known() {
        Some(s) => s.clone(),
        None if uncertain => ServiceSet::any(),
        None => return None,
    };
    let (services, atoms) = c.pool.service(&c.atoms, &services);
    Some(FireRule {
        index: n,
        accept,
        atoms,
        services,
        source,
        destination,
    })
}

/// The addresses of one side. `near` is the side on which the public addresses of the inventory stand.
fn side(c: &Ctx<'_>, peers: &[FirewallPeer], unknown: Uncertain, near: bool, family: &IpSet) -> Side {
    let mut s = Side::default();
    for p in peers {
        match p {
            FirewallPeer::Net(n) => s.ips = s.ips.union(&IpSet::from(*n)),
            FirewallPeer::Eip(e) => {
                // Item 11.
                if near {
                    s.eips.push(*e);
                }
                match c.t[*e].ip.known() {
                    Some(ip) => s.ips = s.ips.union(&IpSet::single(*ip)),
                    None if !near && unknown.facts => s.ips = IpSet::full(),
                    None => {}
                }
            }
            FirewallPeer::Elsewhere(_) if unknown.elsewhere => s.ips = IpSet::full(),
            FirewallPeer::Unknown(_) if unknown.facts => s.ips = IpSet::full(),
            FirewallPeer::Elsewhere(_) | FirewallPeer::Unknown(_) => {}
        }
    }
    s.ips = s.ips.intersect(family);
    s
}
