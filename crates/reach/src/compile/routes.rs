//! vSwitches and route tables, ALIBABA.md §2 and §3.

use super::Ctx;
use super::again::Prefixes;
use crate::network::{Hop, Mode, Route, RouteRef, Table, Vsw};
use bartizan_model::{Assumption, Fact, NetSpec, NextHop, RouteTableId, RouteTableKind, Typed, Use, VpcId};
use bartizan_packet::IpSet;
use ipnet::IpNet;

/// Places the vSwitches in their VPCs.
pub(super) fn vswitches(c: &mut Ctx<'_>) -> Vec<Option<Vsw>> {
    let t = c.t;
    let mut out = Vec::with_capacity(t.vswitches.len());
    for v in &t.vswitches {
        let Fact::Known(vpc) = v.vpc else {
            c.gap(
                &v.meta.origin,
                "its VPC is not known, so it is in no network",
                None,
            );
            out.push(None);
            continue;
        };
        let tables = match v.table {
            Fact::Known(id) => vec![id.0],
            // Any vSwitch table of the VPC may be bound.
            Fact::Unknown(_) => t
                .route_tables
                .iter()
                .enumerate()
                .filter(|(_, rt)| rt.vpc.known() == Some(&vpc) && rt.kind != RouteTableKind::Gateway)
                .filter_map(|(i, _)| u32::try_from(i).ok())
                .collect(),
        };
        out.push(Some(Vsw {
            vpc,
            tables,
            acl: None,
        }));
    }
    out
}

/// The IPv4 and IPv6 blocks that are local to a VPC: one system entry per vSwitch block (§3.2).
fn local_blocks(c: &Ctx<'_>, vpc: VpcId) -> (Vec<IpNet>, bool) {
    let mut nets = Vec::new();
    let mut all_known = true;
    for v in c.t.vswitches.iter().filter(|v| v.vpc.known() == Some(&vpc)) {
        for f in std::iter::once(&v.cidr).chain(v.ipv6_cidr.as_ref()) {
            match f {
                Fact::Known(n) => nets.push(n.trunc()),
                Fact::Unknown(_) => all_known = false,
            }
        }
    }
    nets.sort_unstable();
    nets.dedup();
    (nets, all_known)
}

/// Every address that may be inside a VPC.
pub(super) fn vpc_space(c: &Ctx<'_>, vpc: VpcId) -> IpSet {
    let cidrs = &c.t[vpc].cidrs;
    if cidrs.is_empty() || cidrs.iter().any(|f| f.known().is_none()) {
        return IpSet::full();
    }
    IpSet::from_nets(cidrs.iter().filter_map(|f| f.known().copied()))
}

/// Compiles every route table; their routes are yet to be sorted.
pub(super) fn tables(c: &mut Ctx<'_>) -> Vec<Table> {
    of(c, &|_| true)
}

/// Compiles one route table as [`tables`] does.
pub(super) fn table(c: &mut Ctx<'_>, id: RouteTableId) -> Option<Table> {
    of(c, &|n| n == id.index()).into_iter().nth(id.index())
}

/// Compiles the tables of one VPC; the others have no routes.
pub(super) fn of_vpc(c: &mut Ctx<'_>, vpc: VpcId) -> Vec<Table> {
    let t = c.t;
    of(c, &|n| t.route_tables[n].vpc.known() == Some(&vpc))
}

/// The tables that are wanted; the others have no routes.
fn of(c: &mut Ctx<'_>, wanted: &dyn Fn(usize) -> bool) -> Vec<Table> {
    let t = c.t;
    let mut out: Vec<Table> = Vec::with_capacity(t.route_tables.len());
    let mut locals: Vec<Option<Vec<Route>>> = vec![None; t.vpcs.len()];
    let mut locals_of: Vec<Option<(Vec<IpNet>, bool)>> = vec![None; t.vpcs.len()];
    for (i, rt) in t.route_tables.iter().enumerate() {
        let id = RouteTableId(u32::try_from(i).unwrap_or(u32::MAX));
        let mut routes = Vec::new();
        match rt.vpc {
            _ if !wanted(i) => {}
            Fact::Known(vpc) => {
                if locals[vpc.index()].is_none() {
                    locals[vpc.index()] = Some(system_routes(c, vpc));
                }
                routes.extend(locals[vpc.index()].iter().flatten().cloned());
            }
            Fact::Unknown(_) => {
                c.gap(&rt.meta.origin, "the VPC of this route table is not known", None);
            }
        }
        out.push(Table {
            id,
            routes,
            index: None,
        });
    }
    for (i, e) in t.route_entries.iter().enumerate() {
        let i = u32::try_from(i).unwrap_or(u32::MAX);
        if e.table.known().is_some_and(|rt| !wanted(rt.index())) {
            continue;
        }
        let vpc = e.table.known().and_then(|rt| t[*rt].vpc.known().copied());
        let hops = |vpc| -> Vec<Hop> { e.next_hops.iter().map(|h| hop(t, vpc, h)).collect() };
        // A peering that may not be there carries nothing for certain.
        let widen = c.widen();
        let drops = |h: &Hop| matches!(h, Hop::Peering(p, _) if !widen && t[*p].meta.origin.maybe.is_some());
        let carried = |vpc| -> Vec<Hop> {
            let all = hops(vpc).into_iter();
            all.map(|h| if drops(&h) { Hop::Unmodelled } else { h }).collect()
        };
        let unmodelled = match vpc {
            Some(_) => hops(vpc).contains(&Hop::Unmodelled),
            // A peering connection counts in the tables of its two VPCs only.
            None => {
                let lost = |h: &NextHop| matches!(h, NextHop::Unmodelled { .. } | NextHop::Unknown(_));
                e.next_hops.iter().any(lost)
            }
        };
        if unmodelled {
            c.gap(
                &e.origin,
                "its next hop is not modelled, so nothing is known of what lies behind it",
                vpc,
            );
        }
        let maybe = e.origin.maybe.is_some();
        let (targets, table_known): (Vec<usize>, bool) = match e.table {
            Fact::Known(rt) => (vec![rt.index()], true),
            Fact::Unknown(_) => ((0..out.len()).filter(|n| wanted(*n)).collect(), false),
        };
        for (net, known) in destinations(c, &e.destination) {
            let route = Route {
                ips: net.map_or_else(IpSet::full, IpSet::from),
                length: net.map_or(u8::MAX, |n| n.prefix_len()),
                hops: Vec::new(),
                from: RouteRef::Entry(i),
                optional: maybe || !known || !table_known,
            };
            for &rt in &targets {
                let vpc = t.route_tables[rt].vpc.known().copied();
                let kind = t.route_tables[rt].kind;
                let steers = matches!(kind, RouteTableKind::System | RouteTableKind::Custom);
                // A-ROUTE-1: a route inside a vSwitch of the VPC.
                let inside = vpc.filter(|_| steers).map(|v| {
                    let (blocks, all_known) = locals_of[v.index()].get_or_insert_with(|| local_blocks(c, v));
                    let sure = net.is_some_and(|n| blocks.iter().any(|b| b.contains(&n)));
                    (sure, sure || !*all_known || net.is_none())
                });
                let effect = c.reads(Assumption::Route1);
                let optional = match (inside, effect) {
                    (Some((true, _)), Use::Second) => continue,
                    (Some((_, true)), Use::Second | Use::Either) => true,
                    _ => route.optional,
                };
                out[rt].routes.push(Route {
                    hops: carried(vpc),
                    optional,
                    ..route.clone()
                });
            }
        }
    }
    out
}

/// Longest prefix first; at the same length custom before local (A-ROUTE-1) before propagated. A custom and a
/// propagated route of one prefix, without a local one, stand as A-ROUTE-2 is read.
pub(super) fn sort(t: &mut Table, wins: Use) {
    let system = |f: RouteRef| matches!(f, RouteRef::Local | RouteRef::SystemIpv6 | RouteRef::NatBlock(_));
    let local = |r: &Route| system(r.from) && !r.optional;
    let propagated = |r: &Route| crate::hybrid::propagated(r.from);
    let key = |r: &Route| (r.length, r.ips.clone());
    let system: Vec<_> = t.routes.iter().filter(|r| local(r)).map(key).collect();
    // A propagated route of this prefix, if there is one, is not beside a local one.
    let contested = |r: &Route| !system.iter().any(|(l, ips)| *l == r.length && *ips == r.ips);
    if wins == Use::Either {
        let entry = |r: &&Route| matches!(r.from, RouteRef::Entry(_)) && contested(r);
        let beside = |r: &Route| {
            let same = |p: &Route| propagated(p) && p.length == r.length && p.ips == r.ips;
            t.routes.iter().any(same)
        };
        let all = t.routes.iter().enumerate();
        let all = all.filter(|(_, r)| entry(r) && beside(r)).map(|(n, _)| n);
        for n in all.collect::<Vec<_>>() {
            t.routes[n].optional = true;
        }
    }
    let first = |r: &Route| propagated(r) && wins == Use::Second && contested(r);
    t.routes.sort_by_cached_key(|r| {
        if first(r) {
            (strength(r).0, 0, r.from)
        } else {
            strength(r)
        }
    });
}

/// Where a route stands in its table.
fn strength(r: &Route) -> (std::cmp::Reverse<u8>, u8, RouteRef) {
    let rank = match r.from {
        RouteRef::Entry(_) => 1,
        RouteRef::Local | RouteRef::SystemIpv6 | RouteRef::NatBlock(_) => 2,
        RouteRef::Propagated(_) | RouteRef::Published(_) => 3,
    };
    (std::cmp::Reverse(r.length), rank, r.from)
}

/// Other routes of some prefixes are propagated into a sorted table; says whether that could be done in place. It cannot
/// where a custom route has one of the prefixes, or may have.
///
/// A route that is gone leaves its place, which the next one of the prefix takes, so that the others stay where they are.
/// Where the answer is no some may be gone already: the whole table has to be made again.
pub(super) fn replace(t: &mut Table, prefixes: &Prefixes, new: &[Route], wins: Use) -> bool {
    if wins == Use::Second {
        return false;
    }
    match exchange(t, prefixes, new) {
        Some(done) => done,
        None => insert(t, prefixes, new),
    }
}

/// As [`replace`], by the index of the table: what is new stands at the end of the table, and where it has to in the index.
/// `None` where one of the prefixes has to be looked for. Some routes may have been replaced already, then.
fn exchange(t: &mut Table, prefixes: &Prefixes, new: &[Route]) -> Option<bool> {
    let index = t.index.as_mut()?;
    for (length, ips) in prefixes.iter() {
        for n in index.at(range(*length, ips)?.0) {
            let r = &mut t.routes[n];
            if r.length != *length || r.ips != *ips {
                continue;
            }
            match r.from {
                RouteRef::Entry(_) | RouteRef::Published(_) => return Some(false),
                RouteRef::Propagated(_) => (r.ips, r.hops) = (IpSet::empty(), Vec::new()),
                RouteRef::Local | RouteRef::SystemIpv6 | RouteRef::NatBlock(_) => {}
            }
        }
    }
    for r in new {
        let range = range(r.length, &r.ips)?;
        // Prefixes of one length are apart from each other: what was here is one that began alike.
        let free = |n: &usize| {
            let x = &t.routes[*n];
            x.length == r.length && x.from == r.from && x.ips.is_empty()
        };
        let place = index.at(range.0).find(free);
        match place {
            Some(n) => t.routes[n] = r.clone(),
            None => {
                let n = u32::try_from(t.routes.len()).ok()?;
                index.add(range, n, |m| strength(&t.routes[m]) <= strength(r));
                t.routes.push(r.clone());
            }
        }
    }
    Some(true)
}

/// The addresses of an IPv4 prefix.
fn range(length: u8, ips: &IpSet) -> Option<(u32, u32)> {
    match (ips.v4.ranges(), ips.v6.is_empty()) {
        ([range], true) if length <= 32 => Some(*range),
        _ => None,
    }
}

/// As [`replace`], by looking at all of the table.
fn insert(t: &mut Table, prefixes: &Prefixes, new: &[Route]) -> bool {
    let gone = |r: &Route| prefixes.has(r.length, &r.ips);
    let custom = |r: &Route| matches!(r.from, RouteRef::Entry(_) | RouteRef::Published(_)) && gone(r);
    if t.routes.iter().any(custom) {
        return false;
    }
    t.routes.retain(|r| {
        let other = !matches!(r.from, RouteRef::Propagated(_)) || !gone(r);
        other && !r.ips.is_empty()
    });
    t.routes.extend(new.iter().cloned());
    t.routes.sort_by_key(strength);
    t.complete();
    true
}

fn system_routes(c: &mut Ctx<'_>, vpc: VpcId) -> Vec<Route> {
    let t = c.t;
    let (nets, all_known) = local_blocks(c, vpc);
    let mut routes: Vec<Route> = nets
        .into_iter()
        .map(|n| Route {
            ips: n.into(),
            length: n.prefix_len(),
            hops: vec![Hop::Local],
            from: RouteRef::Local,
            optional: false,
        })
        .collect();
    if !all_known && c.mode == Mode::Widen {
        // Some vSwitch block is not known: any address of the VPC may be local.
        routes.push(Route {
            ips: vpc_space(c, vpc),
            length: 1,
            hops: vec![Hop::Local],
            from: RouteRef::Local,
            optional: true,
        });
    }
    // §7.3: the IPv6 gateway adds ::/0.
    if t.ipv6_gateways.iter().any(|g| match g.vpc {
        Fact::Known(v) => v == vpc && (c.widen() || g.meta.origin.maybe.is_none()),
        Fact::Unknown(_) => c.widen(),
    }) {
        routes.push(Route {
            ips: IpSet::all_v6(),
            length: 0,
            hops: vec![Hop::Ipv6Gateway],
            from: RouteRef::SystemIpv6,
            optional: false,
        });
    }
    routes
}

fn hop(t: &Typed, vpc: Option<VpcId>, h: &NextHop) -> Hop {
    match h {
        NextHop::Interface(i) => Hop::Interface(*i),
        NextHop::HaVip(h) => Hop::HaVip(*h),
        NextHop::Nat(n) => Hop::Nat(*n),
        NextHop::Ipv4Gateway(_) => Hop::Ipv4Gateway,
        NextHop::Ipv6Gateway(_) => Hop::Ipv6Gateway,
        NextHop::Attachment(a) => Hop::Attachment(*a),
        NextHop::Vpn(g) => Hop::Vpn(*g),
        NextHop::RouterInterface(i) => Hop::RouterInterface(*i),
        NextHop::Peering(p) => {
            let p0 = &t[*p];
            match (vpc, p0.requester.known(), p0.accepter.known()) {
                (Some(v), Some(a), Some(b)) if v == *a => Hop::Peering(*p, *b),
                (Some(v), Some(a), Some(b)) if v == *b => Hop::Peering(*p, *a),
                _ => Hop::Unmodelled,
            }
        }
        NextHop::Unmodelled { .. } | NextHop::Unknown(_) => Hop::Unmodelled,
    }
}

/// The destinations of an entry; `None` stands for one that is not known.
pub(super) fn destinations(c: &Ctx<'_>, spec: &NetSpec) -> Vec<(Option<IpNet>, bool)> {
    match spec {
        NetSpec::Net(Fact::Known(n)) => vec![(Some(n.trunc()), true)],
        NetSpec::Net(Fact::Unknown(_)) | NetSpec::PrefixList(Fact::Unknown(_)) => vec![(None, false)],
        NetSpec::PrefixList(Fact::Known(p)) => match &c.t[*p].entries {
            Fact::Unknown(_) => vec![(None, false)],
            Fact::Known(es) => es
                .iter()
                .map(|e| match e {
                    Fact::Known(n) => (Some(n.trunc()), true),
                    Fact::Unknown(_) => (None, false),
                })
                .collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_model::AttachmentId;
    use std::net::IpAddr;

    fn learned(net: &str, by: u32) -> Route {
        let net: IpNet = net.parse().unwrap();
        Route {
            ips: net.into(),
            length: net.prefix_len(),
            hops: vec![Hop::Attachment(AttachmentId(by))],
            from: RouteRef::Propagated(AttachmentId(0)),
            optional: false,
        }
    }

    /// What a lookup says, without where the routes lie.
    fn said(t: &Table, ip: IpAddr) -> Vec<(u8, RouteRef, Vec<Hop>)> {
        t.lookup(ip).map(|r| (r.length, r.from, r.hops.clone())).collect()
    }

    #[test]
    fn routes_replaced_by_the_index_are_those_of_a_table_made_again() {
        let mut x = 11u32;
        let mut below = |n: u32| {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 8) % n
        };
        let own = |net: &str, from| Route {
            from,
            hops: vec![Hop::Local],
            ..learned(net, 0)
        };
        let nets = |n: u32| match n {
            0 => "0.0.0.0/0".to_string(),
            1 => "10.0.0.0/8".to_string(),
            n if n < 10 => format!("10.{n}.0.0/16"),
            n => format!("10.{}.{}.0/24", n % 8, n % 5),
        };
        let mut table = Table {
            id: RouteTableId(0),
            routes: (0..20)
                .map(|n| own(&format!("10.200.{n}.0/24"), RouteRef::Local))
                .collect(),
            index: None,
        };
        // One that is custom, beside which nothing can be replaced, and one that is only near to some.
        table.routes.push(own("10.3.0.0/16", RouteRef::Entry(0)));
        table.routes.push(own("10.4.0.0/17", RouteRef::Entry(1)));
        sort(&mut table, Use::First);
        table.complete();
        assert!(table.index.is_some());
        let mut again = table.clone();
        let (mut done, mut refused) = (0, 0);
        for step in 0..400 {
            let mut prefixes = Prefixes::default();
            let mut new: Vec<Route> = Vec::new();
            for _ in 0..=below(3) {
                let r = learned(&nets(below(40)), step);
                prefixes.add(r.length, r.ips.clone());
                if below(3) > 0 && !new.iter().any(|o| o.ips == r.ips) {
                    new.push(r);
                }
            }
            let custom = prefixes
                .iter()
                .any(|(l, ips)| *l == 16 && ips.contains([10, 3, 0, 1].into()));
            let kept = table.clone();
            assert_eq!(replace(&mut table, &prefixes, &new, Use::First), !custom);
            if custom {
                // The caller makes the whole table again.
                table = kept;
                refused += 1;
                continue;
            }
            done += 1;
            assert!(insert(&mut again, &prefixes, &new));
            for b in 0..8u8 {
                for c in 0..6u8 {
                    let ip = IpAddr::from([10, b, c, 9]);
                    assert_eq!(said(&table, ip), said(&again, ip), "{ip} after {step}");
                }
            }
            let outside = IpAddr::from([8, 8, 8, 8]);
            assert_eq!(said(&table, outside), said(&again, outside));
        }
        assert!(done > 200 && refused > 5, "{done} {refused}");
        assert!(!replace(&mut table, &Prefixes::default(), &[], Use::Second));
    }
}
