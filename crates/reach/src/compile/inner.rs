//! VPC NAT gateways, ALIBABA.md §8 and docs/decisions/020.

use super::Ctx;
use crate::network::{Hop, Iface, Inner, Nat, Relay, Route, RouteRef, Table, Vsw};
use bartizan_model::{
    Assumption, Backend, DnatTarget, Fact, NatId, NatIp, RouteTableId, RouteTableKind, Use, VswitchId,
};
use bartizan_packet::IpSet;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// Whether a gateway is certainly a VPC NAT gateway.
pub(super) fn is(c: &Ctx<'_>, nat: NatId) -> bool {
    c.t[nat].internet.known() == Some(&false)
}

fn zone(c: &Ctx<'_>, nat: NatId) -> Option<VswitchId> {
    c.t[nat].vswitch.as_ref()?.known().copied()
}

/// The block of a vSwitch, anything where it is not known.
pub(super) fn block_of(c: &Ctx<'_>, v: VswitchId) -> IpSet {
    c.t[v]
        .cidr
        .known()
        .map_or_else(IpSet::all_v4, |n| IpSet::from(*n))
}

fn custom(c: &Ctx<'_>, nat: NatId) -> IpSet {
    IpSet::from_nets(c.t[nat].blocks.iter().filter_map(|b| b.known().copied()))
}

/// Where an address lies that the cloud has yet to pick.
pub(super) fn region(c: &Ctx<'_>, nat: NatId, somewhere: &Arc<IpSet>) -> Arc<IpSet> {
    if !is(c, nat) {
        return somewhere.clone();
    }
    let all_known = c.t[nat].blocks.iter().all(|b| b.known().is_some());
    match zone(c, nat) {
        Some(z) if all_known => Arc::new(block_of(c, z).union(&custom(c, nat))),
        _ => Arc::new(IpSet::all_v4()),
    }
}

/// The routes to custom blocks that the cloud may add by itself (A-NAT-2).
pub(super) fn routes(c: &mut Ctx<'_>, tables: &mut [Table]) {
    let t = c.t;
    let effect = c.reads(Assumption::Nat2);
    if effect == Use::First {
        return;
    }
    for (i, n) in (0u32..).map(NatId).zip(&t.nat_gateways) {
        let Some(vpc) = n.vpc.known().filter(|_| is(c, i)) else {
            continue;
        };
        for net in n.blocks.iter().filter_map(|b| b.known()).map(IpNet::trunc) {
            for (rt, table) in (0u32..).map(RouteTableId).zip(tables.iter_mut()) {
                let forwards = matches!(t[rt].kind, RouteTableKind::System | RouteTableKind::Custom);
                if forwards && t[rt].vpc.known() == Some(vpc) {
                    table.routes.push(Route {
                        ips: IpSet::from(net),
                        length: net.prefix_len(),
                        hops: vec![Hop::Nat(i)],
                        from: RouteRef::NatBlock(i),
                        optional: effect == Use::Either || n.meta.origin.maybe.is_some(),
                    });
                }
            }
        }
    }
}

/// What VPC NAT gateways are.
pub(super) fn gateways(c: &mut Ctx<'_>, vswitches: &[Option<Vsw>], nats: &mut [Nat]) {
    let t = c.t;
    for (i, n) in (0u32..).map(NatId).zip(&t.nat_gateways) {
        if n.internet.known().is_none() {
            c.gap(
                &n.meta.origin,
                "it is not known whether this NAT gateway translates to public addresses",
                n.vpc.known().copied(),
            );
        }
        if !is(c, i) {
            continue;
        }
        let placed = zone(c, i).and_then(|z| Some((z, vswitches[z.index()].as_ref()?.vpc)));
        let (Some((zone, vpc)), true) = (placed, n.blocks.iter().all(|b| b.known().is_some())) else {
            let why = "the vSwitch of this VPC NAT gateway, or a NAT block of it, is not known";
            c.gap(&n.meta.origin, why, n.vpc.known().copied());
            continue;
        };
        // What is certain does not count on a gateway that may not exist.
        if n.meta.origin.maybe.is_some() && !c.widen() {
            continue;
        }
        let local = || t.vswitches.iter().filter(|v| v.vpc.known() == Some(&vpc));
        let mut known = IpSet::from_nets(local().filter_map(|v| v.cidr.known().copied()));
        if c.widen() && local().any(|v| v.cidr.known().is_none()) {
            known = IpSet::all_v4();
        }
        let implied = match c.reads(Assumption::Nat2) {
            Use::First => false,
            Use::Second => true,
            Use::Either => c.widen(),
        };
        if implied {
            known = known.union(&custom(c, i));
        }
        nats[i.index()].inner = Some(Inner {
            vpc,
            zone,
            zone_block: block_of(c, zone),
            held: held(c, i),
            known,
        });
    }
}

/// Its NAT IPs: when widening those that certainly are, when narrowing those that may be.
fn held(c: &Ctx<'_>, nat: NatId) -> IpSet {
    let t = c.t;
    let mut out = IpSet::empty();
    let mut add = |ip: Option<IpAddr>, certain: bool| match ip {
        Some(ip) if certain || !c.widen() => out = out.union(&IpSet::single(ip)),
        None if !c.widen() => out = out.union(&region(c, nat, &Arc::new(IpSet::all_v4()))),
        _ => {}
    };
    for ip in &t[nat].ips {
        add(ip.known().copied(), true);
    }
    let text = |ip: &NatIp| match ip {
        NatIp::Ip(ip) => Some(Some(*ip)),
        NatIp::Unknown(_) => Some(None),
        // An EIP cannot be bound to it.
        NatIp::Eip(_) => None,
    };
    for s in t
        .snat_entries
        .iter()
        .filter(|s| s.nat.known().is_none_or(|n| *n == nat))
    {
        let certain = s.nat.known().is_some() && s.origin.maybe.is_none();
        s.ips.iter().filter_map(text).for_each(|ip| add(ip, certain));
    }
    for d in t
        .dnat_entries
        .iter()
        .filter(|d| d.nat.known().is_none_or(|n| *n == nat))
    {
        let certain = d.nat.known().is_some() && d.origin.maybe.is_none();
        text(&d.external).into_iter().for_each(|ip| add(ip, certain));
    }
    out
}

/// Whether a VPC NAT gateway could pass packets for the Internet on, if it did so.
fn passes_public(t: &Table, tables: &[Table], zone: &Vsw, n: NatId) -> bool {
    let public = IpSet::public();
    let to: IpSet = t
        .routes
        .iter()
        .filter(|r| r.hops.contains(&Hop::Nat(n)))
        .fold(IpSet::empty(), |a, r| a.union(&r.ips.intersect(&public)));
    let own = zone.tables.iter().filter_map(|&t| tables.get(t as usize));
    !to.v4.is_empty()
        && own
            .flat_map(|t| &t.routes)
            .any(|r| r.hops.iter().any(|h| *h != Hop::Local && *h != Hop::Nat(n)) && r.ips.intersects(&to))
}

/// What is not modelled about them.
pub(super) fn gaps(
    c: &mut Ctx<'_>,
    vswitches: &[Option<Vsw>],
    tables: &[Table],
    nats: &[Nat],
    ifaces: &[Option<Iface>],
    relays: &[Relay],
) {
    let t = c.t;
    let inner: Vec<(NatId, &Inner)> = (0u32..)
        .map(NatId)
        .zip(nats)
        .filter_map(|(i, n)| Some((i, n.inner.as_ref()?)))
        .collect();
    if inner.is_empty() {
        return;
    }
    for (i, n) in &inner {
        if let Some(zone) = vswitches[n.zone.index()].as_ref()
            && tables.iter().any(|t| passes_public(t, tables, zone, *i))
        {
            let why = "a VPC NAT gateway may pass on packets for the Internet, which is not followed";
            c.gap(&t[*i].meta.origin, why, Some(n.vpc));
        }
    }
    let is_nat_ip = |ip: &IpAddr| inner.iter().any(|(_, n)| n.held.contains(*ip));
    for d in &t.dnat_entries {
        let by = d.nat.known().and_then(|n| inner.iter().find(|(i, _)| i == n));
        match (by, &d.target) {
            (Some((_, n)), DnatTarget::Ip(ip)) => {
                let here = |f: &&Iface| vswitches[f.vswitch.index()].as_ref().map(|v| v.vpc) == Some(n.vpc);
                let owned = ifaces.iter().flatten().filter(here);
                if !owned.flat_map(|f| &f.addrs).any(|a| a.region.contains(*ip)) {
                    let why = "it forwards to what is no interface of the gateway's VPC";
                    c.gap(&d.origin, why, Some(n.vpc));
                }
            }
            (None, DnatTarget::Ip(ip)) if is_nat_ip(ip) => {
                c.gap(&d.origin, "it forwards to the address of a VPC NAT gateway", None);
            }
            _ => {}
        }
    }
    for b in &t.balancers {
        let all = b.listeners.iter().flat_map(|l| &l.forwards);
        for f in all.filter(|f| matches!(&f.to, Backend::Ip(ip) if is_nat_ip(ip))) {
            c.gap(&f.origin, "the backend is the address of a VPC NAT gateway", None);
        }
    }
    // A balancer that sends to another VPC by routes may send through a gateway.
    let vpc = |i: bartizan_model::InterfaceId| {
        let f = ifaces.get(i.index())?.as_ref()?;
        Some((vswitches[f.vswitch.index()].as_ref()?, f))
    };
    let leads = |v: &Vsw| {
        let own = v.tables.iter().filter_map(|&t| tables.get(t as usize));
        let mut hops = own.flat_map(|t| &t.routes).flat_map(|r| &r.hops);
        hops.any(|h| inner.iter().any(|(i, _)| *h == Hop::Nat(*i)))
    };
    let mut told = Vec::new();
    for r in relays {
        let (Some((v, f)), Some((w, _))) = (vpc(r.front), vpc(r.to)) else {
            continue;
        };
        let link = f.front.as_ref().is_some_and(|f| f.link || f.detached);
        if v.vpc != w.vpc && !link && leads(v) && !told.contains(&r.balancer) {
            told.push(r.balancer);
            let why = "it may send to its backends through a VPC NAT gateway, which is not followed";
            c.gap(&t[r.balancer].meta.origin, why, Some(v.vpc));
        }
    }
    for n in t.nat_gateways.iter().filter(|n| n.internet == Fact::Known(false)) {
        for e in t.eips.iter().flat_map(|e| &e.bound) {
            if matches!(e, bartizan_model::EipTarget::Nat(x) if std::ptr::eq(&t[*x], n)) {
                c.gap(
                    &n.meta.origin,
                    "a public address is bound to a VPC NAT gateway",
                    n.vpc.known().copied(),
                );
            }
        }
    }
}
