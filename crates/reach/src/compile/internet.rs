//! The public Internet: EIPs, NAT gateways, IPv4 and IPv6 gateways, ALIBABA.md §7 and §8.

use super::{CompileOptions, Ctx, inner};
use crate::network::{Addr, DnatIn, Hop, Iface, Nat, Snat, Table, VpcNet, Vsw};
use bartizan_model::{
    AddressSpec, AllowPeer, DnatProtocol, DnatTarget, Eip, EipId, EipTarget, Fact, FirewallPeer,
    FirewallPlace, NatId, NatIp, NetSpec, Peer, SnatSource, VpcId,
};
use bartizan_packet::IpSet;
use ipnet::IpNet;
use std::sync::Arc;

/// Public addresses, by what is known of them.
pub(super) struct Spaces {
    /// Those that nobody here owns.
    pub(super) outside: IpSet,
    /// Where one that the cloud has yet to allocate is taken to lie: public, not owned, and in no prefix of /8 or
    /// longer that the configuration or a question names (A-EIP-2).
    pub(super) somewhere: Arc<IpSet>,
    /// The same for IPv6.
    pub(super) somewhere6: IpSet,
    /// Where one may lie that is there already, and is not here or is not known: anybody may name it.
    pub(super) anywhere: Arc<IpSet>,
}

/// Divides the public addresses.
pub(super) fn public_space(c: &Ctx<'_>, opt: &CompileOptions) -> Spaces {
    let t = c.t;
    let mut owned = IpSet::empty();
    let public_ips = t.eips.iter().filter_map(|e| e.ip.known()).chain(
        t.interfaces
            .iter()
            .flat_map(|i| i.public.iter().filter_map(|p| p.ip.known())),
    );
    owned = owned.union(&IpSet::from_nets(public_ips.map(|ip| IpNet::from(*ip))));
    // IPv6 addresses are public and owned by the interface that has them.
    let v6 = t
        .vswitches
        .iter()
        .filter_map(|v| v.ipv6_cidr.as_ref()?.known().copied());
    let v6 = v6.chain(t.vpcs.iter().flat_map(|v| {
        v.cidrs
            .iter()
            .filter_map(|f| f.known().copied())
            .filter(|n| matches!(n, IpNet::V6(_)))
    }));
    owned = owned.union(&IpSet::from_nets(v6));
    // That of a CLB is in no block of a VPC (docs/decisions/024, 3).
    let fronts = t.balancers.iter().filter(|b| b.detached).flat_map(|b| &b.fronts);
    let own = fronts
        .flat_map(|f| &t[*f].addresses)
        .filter_map(|a| match a.spec {
            AddressSpec::Ip(ip) if ip.is_ipv6() => Some(IpNet::from(ip)),
            _ => None,
        });
    owned = owned.union(&IpSet::from_nets(own));
    let outside = IpSet::public().subtract(&owned);

    let mut named: Vec<IpNet> = Vec::new();
    let mut spec = |s: &NetSpec| {
        if let NetSpec::Net(Fact::Known(n)) = s {
            named.push(*n);
        }
    };
    for r in &t.sg_rules {
        if let Peer::Net(n) = &r.peer {
            spec(n);
        }
    }
    for r in &t.route_entries {
        spec(&r.destination);
    }
    for r in &t.tr_routes {
        spec(&r.destination);
    }
    for e in t.data_services.iter().flat_map(|d| &d.allow) {
        if let AllowPeer::Net(n) = e.peer {
            spec(&NetSpec::Net(Fact::Known(n)));
        }
    }
    for r in t.firewalls.iter().flat_map(|f| &f.rules) {
        for p in r.source.iter().chain(&r.destination) {
            if let FirewallPeer::Net(n) = p {
                spec(&NetSpec::Net(Fact::Known(*n)));
            }
        }
    }
    for a in &t.acls {
        for l in [&a.ingress, &a.egress] {
            if let bartizan_model::AclList::Entries(es) = l {
                es.iter().for_each(|e| spec(&e.peer));
            }
        }
    }
    for p in &t.prefix_lists {
        named.extend(
            p.entries
                .known()
                .into_iter()
                .flatten()
                .filter_map(|e| e.known().copied()),
        );
    }
    let user = t.vpcs.iter().flat_map(|v| &v.user_cidrs);
    named.extend(user.filter_map(|f| f.known().copied()));
    for s in &opt.addresses {
        named.extend(s.to_nets());
    }
    let named = IpSet::from_nets(named.into_iter().filter(|n| n.prefix_len() >= 8));
    let v4_outside = IpSet {
        v4: outside.v4.clone(),
        v6: Default::default(),
    };
    let v6_outside = IpSet {
        v4: Default::default(),
        v6: outside.v6.clone(),
    };
    let free = |all: IpSet| {
        let free = all.subtract(&named);
        if free.is_empty() { all } else { free }
    };
    // It may be an EIP of those here of which it is not known whether they are bound.
    let loose = t.eips.iter().filter(|e| {
        let mut bound = e.bound.iter();
        bound.any(|b| matches!(b, EipTarget::Unknown(_)))
    });
    let loose = loose.filter_map(|e| e.ip.known().map(|ip| IpNet::from(*ip)));
    let anywhere = v4_outside.union(&IpSet::from_nets(loose));
    let (v4, v6) = (free(v4_outside), free(v6_outside));
    Spaces {
        outside,
        somewhere: Arc::new(v4),
        somewhere6: v6,
        anywhere: Arc::new(anywhere),
    }
}

pub(super) fn vpcs(c: &mut Ctx<'_>) -> Vec<VpcNet> {
    let mut out: Vec<VpcNet> =
        c.t.vpcs
            .iter()
            .map(|v| VpcNet {
                system_table: v.system_table.0,
                user: IpSet::from_nets(v.user_cidrs.iter().filter_map(|f| f.known().copied())),
                user_open: v.user_cidrs.iter().any(|f| f.known().is_none()),
                ..VpcNet::default()
            })
            .collect();
    for g in &c.t.ipv4_gateways {
        let Fact::Known(vpc) = g.vpc else {
            c.gap_that_takes(&g.meta.origin, "the VPC of this IPv4 gateway is not known", None);
            continue;
        };
        let v = &mut out[vpc.index()];
        // An active gateway takes access away, so an uncertain one is active only when narrowing.
        let certain = g.meta.origin.maybe.is_none();
        let possible = g.enabled.known() != Some(&false);
        let sure = g.enabled.known() == Some(&true) && certain;
        v.ipv4_gateway |= if c.widen() { sure } else { possible };
        v.ipv4_leads |= if c.widen() { possible } else { sure };
        match g.ingress_table {
            Some(Fact::Known(t)) => v.ingress_table = Some(t.0),
            Some(Fact::Unknown(_)) => c.gap_that_takes(
                &g.meta.origin,
                "it is not known whether a table leads what comes from the Internet elsewhere",
                Some(vpc),
            ),
            None => {}
        }
    }
    for g in &c.t.ipv6_gateways {
        let certain = g.meta.origin.maybe.is_none();
        match g.vpc {
            Fact::Known(vpc) => out[vpc.index()].ipv6_gateway |= certain || c.widen(),
            Fact::Unknown(_) => out.iter_mut().for_each(|v| v.ipv6_gateway |= c.widen()),
        }
    }
    out
}

pub(super) fn eip_of(ip: &NatIp) -> Option<EipId> {
    match ip {
        NatIp::Eip(e) => Some(*e),
        NatIp::Ip(_) | NatIp::Unknown(_) => None,
    }
}

/// Where a NAT entry's public address may be; `None` when the entry does not work.
pub(super) fn nat_ip(c: &Ctx<'_>, nat: NatId, ip: &NatIp, spaces: &Spaces) -> Option<Arc<IpSet>> {
    let somewhere = inner::region(c, nat, &spaces.somewhere);
    match ip {
        NatIp::Eip(e) => {
            let eip = &c.t[*e];
            // §8.2: the EIP has to be bound to the gateway.
            bound(eip, nat).unwrap_or(c.widen()).then(|| match eip.ip {
                Fact::Known(ip) => Arc::new(IpSet::single(ip)),
                Fact::Unknown(_) => somewhere.clone(),
            })
        }
        NatIp::Ip(ip) => Some(Arc::new(IpSet::single(*ip))),
        // Where a VPC NAT gateway takes its addresses from is known: any of them when widening, all when narrowing.
        NatIp::Unknown(_) if inner::is(c, nat) => Some(somewhere),
        NatIp::Unknown(_) => c.widen().then(|| spaces.anywhere.clone()),
    }
}

/// Whether an EIP is bound to a NAT gateway; `None` where that is not known.
fn bound(eip: &Eip, nat: NatId) -> Option<bool> {
    if eip.bound.contains(&EipTarget::Nat(nat)) {
        return Some(true);
    }
    let unknown = eip.bound.iter().any(|b| matches!(b, EipTarget::Unknown(_)));
    (!unknown).then_some(false)
}

/// Whether the address of an SNAT entry is not known, or not known to be the gateway's.
pub(super) fn uncertain(c: &Ctx<'_>, nat: NatId, ip: &NatIp) -> bool {
    match ip {
        NatIp::Eip(e) => bound(&c.t[*e], nat).is_none(),
        NatIp::Ip(_) => false,
        NatIp::Unknown(_) => !inner::is(c, nat),
    }
}

/// The destinations that a vSwitch routes to the IPv4 gateway.
fn gateway_region(tables: &[Table], v: &Vsw, widen: bool) -> IpSet {
    let mut out: Option<IpSet> = None;
    for &t in &v.tables {
        let mut left = IpSet::full();
        let mut region = IpSet::empty();
        for r in &tables[t as usize].routes {
            let here = left.intersect(&r.ips);
            let hit = if widen {
                r.hops.contains(&Hop::Ipv4Gateway)
            } else {
                r.hops.iter().all(|h| *h == Hop::Ipv4Gateway)
            };
            // A route that may not exist makes nothing certain.
            if hit && (widen || !r.optional) {
                region = region.union(&here);
            }
            if !r.optional {
                left = left.subtract(&r.ips);
            } else if !hit && !widen {
                // It may divert these; they are not certain any more.
                left = left.subtract(&r.ips);
            }
        }
        out = Some(match out {
            None => region,
            Some(o) if widen => o.union(&region),
            Some(o) => o.intersect(&region),
        });
    }
    out.unwrap_or_default()
}

pub(super) fn nats(
    c: &mut Ctx<'_>,
    vswitches: &[Option<Vsw>],
    tables: &[Table],
    vpcs: &[VpcNet],
    spaces: &Spaces,
) -> Vec<Nat> {
    let t = c.t;
    let mut out: Vec<Nat> = Vec::with_capacity(t.nat_gateways.len());
    for n in &t.nat_gateways {
        let internet =
            n.internet.known().copied().unwrap_or(c.widen()) && (c.widen() || n.meta.origin.maybe.is_none());
        let vpc: Option<VpcId> = n.vpc.known().copied();
        let controlled = vpc.is_none_or(|v| vpcs[v.index()].ipv4_gateway);
        let exit = if !controlled || (vpc.is_none() && c.widen()) {
            IpSet::full()
        } else {
            // §7.2: with an active IPv4 gateway the NAT gateway's own vSwitch needs a route to it.
            match n
                .vswitch
                .as_ref()
                .and_then(|v| v.known())
                .and_then(|v| vswitches[v.index()].as_ref())
            {
                Some(v) => gateway_region(tables, v, c.widen()),
                None if c.widen() => IpSet::full(),
                None => IpSet::empty(),
            }
        };
        out.push(Nat {
            vpc,
            vswitch: n.vswitch.as_ref().and_then(|v| v.known().copied()),
            internet,
            inner: None,
            exit,
            snat: Vec::new(),
        });
    }
    for (i, s) in t.snat_entries.iter().enumerate() {
        if s.nat.known().is_none() {
            let home = match &s.source {
                SnatSource::Vswitch(Fact::Known(v)) => vswitches[v.index()].as_ref().map(|v| v.vpc),
                _ => None,
            };
            c.gap(&s.origin, "the NAT gateway of this SNAT entry is not known", home);
        }
        // An uncertain entry is one alternative, what comes behind it another.
        let mut optional = s.origin.maybe.is_some();
        let targets: Vec<NatId> = match s.nat {
            Fact::Known(n) => vec![n],
            Fact::Unknown(_) => {
                optional = true;
                (0..out.len())
                    .filter_map(|n| u32::try_from(n).ok())
                    .map(NatId)
                    .collect()
            }
        };
        let (sources, vswitch, length) = match &s.source {
            SnatSource::Vswitch(Fact::Known(v)) => {
                let len = t[*v].cidr.known().map_or(0, IpNet::prefix_len);
                (IpSet::all_v4(), Some(*v), len)
            }
            SnatSource::Net(Fact::Known(n)) => (IpSet::from(*n), None, n.prefix_len()),
            SnatSource::Vswitch(Fact::Unknown(_)) | SnatSource::Net(Fact::Unknown(_)) => {
                optional = true;
                (IpSet::all_v4(), None, u8::MAX)
            }
        };
        for nat in targets {
            let mut ips = IpSet::empty();
            let mut each = Vec::new();
            for ip in &s.ips {
                if let Some(r) = nat_ip(c, nat, ip, spaces) {
                    ips = ips.union(&r);
                    // A firewall that sees the translated address may treat them differently.
                    if t.firewalls.iter().any(|f| f.place == FirewallPlace::Internet) {
                        each.push((eip_of(ip), r));
                    }
                }
            }
            // By which address packets leave is not known then: none leaves for certain, and none by a shorter entry.
            if !c.widen() && s.ips.iter().any(|ip| uncertain(c, nat, ip)) {
                ips = IpSet::empty();
                each.clear();
            } else if ips.is_empty() {
                continue;
            }
            out[nat.index()].snat.push(Snat {
                entry: u32::try_from(i).unwrap_or(u32::MAX),
                sources: sources.clone(),
                vswitch,
                optional,
                length,
                ips: Arc::new(ips),
                each,
            });
        }
    }
    for n in &mut out {
        n.snat.sort_by_key(|s| (std::cmp::Reverse(s.length), s.entry));
    }
    out
}

/// Lists a DNAT entry to an address that nobody in the VPC of its gateway has or may get, and somebody elsewhere: whether a
/// gateway sends packets on to other VPCs is not documented (§8.3).
fn beyond(
    c: &mut Ctx<'_>,
    vswitches: &[Option<Vsw>],
    ifaces: &[Option<Iface>],
    (origin, vpc, ip): (&bartizan_model::Origin, Option<VpcId>, std::net::IpAddr),
) {
    let Some(vpc) = vpc else { return };
    let has = |f: &&Iface| f.addrs.iter().any(|a| a.region.contains(ip));
    let homes = ifaces.iter().flatten().filter(has);
    let mut homes: Vec<VpcId> = homes
        .filter_map(|f| vswitches[f.vswitch.index()].as_ref().map(|v| v.vpc))
        .collect();
    homes.sort_unstable();
    homes.dedup();
    if homes.contains(&vpc) {
        return;
    }
    for home in homes {
        let why = "it forwards to an address of another VPC, and whether the NAT gateway sends packets there is not known";
        c.gap(origin, why, Some(home));
    }
}

/// Hangs DNAT entries on the addresses that they lead to.
pub(super) fn dnat(
    c: &mut Ctx<'_>,
    vswitches: &[Option<Vsw>],
    ifaces: &mut [Option<Iface>],
    spaces: &Spaces,
) {
    let t = c.t;
    for (i, d) in t.dnat_entries.iter().enumerate() {
        if d.origin.maybe.is_some() && !c.widen() {
            continue;
        }
        let Fact::Known(nat) = d.nat else {
            c.gap(&d.origin, "the NAT gateway of this DNAT entry is not known", None);
            continue;
        };
        let vpc = t[nat].vpc.known().copied();
        let inner = inner::is(c, nat);
        if !inner && !t[nat].internet.known().copied().unwrap_or(c.widen()) {
            continue;
        }
        let Some(ips) = nat_ip(c, nat, &d.external, spaces) else {
            continue;
        };
        let (ports, tcp, udp) = match (d.protocol.as_ref(), d.ports.as_ref()) {
            (Fact::Known(DnatProtocol::Any), _) => (None, true, true),
            (Fact::Known(p), Fact::Known(Some(m))) => (
                Some((m.external, m.internal)),
                *p == DnatProtocol::Tcp,
                *p == DnatProtocol::Udp,
            ),
            _ if c.widen() => (None, true, true),
            _ => continue,
        };
        let entry = DnatIn {
            entry: u32::try_from(i).unwrap_or(u32::MAX),
            nat,
            ips,
            to: None,
            eip: eip_of(&d.external),
            ports,
            tcp,
            udp,
        };
        let list = |a: &mut Addr, entry| {
            if inner {
                a.inner.push(entry)
            } else {
                a.dnat.push(entry)
            }
        };
        let in_vpc = |f: &Iface| vpc.is_none() || vswitches[f.vswitch.index()].as_ref().map(|v| v.vpc) == vpc;
        match d.target {
            DnatTarget::Interface(id, a) => {
                if let Some(f) = &mut ifaces[id.index()] {
                    list(&mut f.addrs[a as usize], entry);
                }
            }
            DnatTarget::Ip(ip) => {
                if !inner {
                    beyond(c, vswitches, ifaces, (&d.origin, vpc, ip));
                }
                // Somebody whose address is not known yet may turn out to have this one.
                for f in ifaces.iter_mut().flatten().filter(|f| in_vpc(f)) {
                    for a in f.addrs.iter_mut().filter(|a| a.region.contains(ip)) {
                        if !a.choice || c.widen() {
                            let to = a.part(ip);
                            list(a, DnatIn { to, ..entry.clone() });
                        }
                    }
                }
            }
            DnatTarget::Unknown(_) if c.widen() => {
                for f in ifaces.iter_mut().flatten().filter(|f| in_vpc(f)) {
                    for a in &mut f.addrs {
                        list(a, entry.clone());
                    }
                }
            }
            DnatTarget::Unknown(_) => {}
        }
    }
    // §8.3: DNAT to an ECS works only if that ECS has no public address of its own. One that may not exist
    // takes the entry away only from what is certain.
    for f in ifaces.iter_mut().flatten() {
        let public = &t[f.id].public;
        let own = if c.widen() {
            public.iter().any(|p| p.origin.maybe.is_none())
        } else {
            !public.is_empty()
        };
        if own {
            f.addrs.iter_mut().for_each(|a| a.dnat.clear());
        }
    }
}
