//! What makes an estate of the generated VPCs: one transit router with several tables, shared services that
//! rules name across VPCs, and a tenth of the endpoints behind load balancers.
//!
//! It adds to a network that is there already, with a generator of its own, so that the networks without it stay
//! as they are.

use crate::Spec;
use crate::generate::{Rng, Shape, id, meta, net, origin};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Backends of one balancer.
const BACKENDS: usize = 10;

/// The VPCs with shared services: everybody may be routed to them.
fn hubs(vpcs: usize) -> usize {
    (vpcs / 10).clamp(1, 5)
}

/// Joins the VPCs of a network.
pub(crate) fn join(t: &mut Typed, spec: &Spec) {
    let mut g = Rng::new(spec.seed ^ 0x0E57_A7E5);
    far_peers(&mut g, t, spec.shape);
    router(t);
    balancers(&mut g, t);
}

fn base(v: usize) -> u32 {
    10 << 24 | id(v) << 16
}

/// A twentieth of the rules by address names something in another VPC, mostly in one with shared services.
fn far_peers(g: &mut Rng, t: &mut Typed, shape: Shape) {
    let vpcs = t.vpcs.len();
    for r in &mut t.sg_rules {
        // The last rule of a group that is closed stays.
        if !matches!(r.peer, Peer::Net(_)) || r.priority == Fact::Known(100) || !g.percent(5) {
            continue;
        }
        let v = if g.percent(70) {
            g.below(hubs(vpcs))
        } else {
            g.below(vpcs)
        };
        let host = base(v) | id(g.below(10)) << 8 | id(g.below(256));
        let length = match shape {
            Shape::Open => *g.pick(&[16, 24, 28]),
            Shape::Tight => *g.pick(&[24, 26, 28, 32]),
        };
        r.peer = Peer::Net(NetSpec::Net(Fact::Known(net(host, length))));
    }
}

/// One router; tables of its own for shared services, production and development. Production and development
/// learn each other's routes nowhere, and development leaves for the Internet by the first VPC.
fn router(t: &mut Typed) {
    let router = RouterId(0);
    let names = ["system", "shared", "production", "development"];
    for (n, name) in names.iter().enumerate() {
        t.tr_tables.push(TrTable {
            meta: meta(format!("alicloud_cen_transit_router_route_table.{name}"), 1 + n),
            router: Fact::Known(router),
            system: n == 0,
        });
    }
    t.transit_routers.push(TransitRouter {
        meta: meta("alicloud_cen_transit_router.hub".into(), 1),
        cen: Some("alicloud_cen_instance.estate".into()),
        basic: false,
        system_table: TrTableId(0),
        bandwidth: None,
    });
    let vpcs = t.vpcs.len();
    let first: Vec<usize> = (0..vpcs)
        .map(|v| {
            let mine = |s: &Vswitch| s.vpc == Fact::Known(VpcId(id(v)));
            t.vswitches.iter().position(mine).unwrap_or(0)
        })
        .collect();
    let table_of = |v: usize| match v {
        v if v < hubs(vpcs) => 1,
        v => 2 + v % 2,
    };
    for (v, first) in first.iter().enumerate() {
        let n = AttachmentId(id(v));
        t.attachments.push(Attachment {
            meta: meta(format!("alicloud_cen_transit_router_vpc_attachment.v{v}"), 1),
            router: Fact::Known(router),
            to: Attached::Vpc(Fact::Known(VpcId(id(v)))),
            vswitches: [first, &(first + 1)]
                .into_iter()
                .filter(|s| {
                    t.vswitches
                        .get(**s)
                        .is_some_and(|s| s.vpc == Fact::Known(VpcId(id(v))))
                })
                .map(|s| Fact::Known(VswitchId(id(*s))))
                .collect(),
            publishes: Fact::Known(true),
            ipv6: Fact::Known(false),
        });
        let link = |list: &mut Vec<TrLink>, what: &str, table: usize| {
            list.push(TrLink {
                origin: origin(
                    format!("alicloud_cen_transit_router_route_table_{what}.v{v}_{table}"),
                    1,
                ),
                attachment: Fact::Known(n),
                table: Fact::Known(TrTableId(id(table))),
            });
        };
        link(&mut t.tr_associations, "association", table_of(v));
        let learners: &[usize] = match table_of(v) {
            1 => &[1, 2, 3],
            2 => &[1, 2],
            _ => &[1, 3],
        };
        for &l in learners {
            link(&mut t.tr_propagations, "propagation", l);
        }
    }
    // What production must not reach, and the way of development to the Internet.
    let mut fixed = |name: &str, table: usize, destination, hop| {
        t.tr_routes.push(TrRoute {
            origin: origin(format!("alicloud_cen_transit_router_route_entry.{name}"), 1),
            table: Fact::Known(TrTableId(id(table))),
            destination: NetSpec::Net(Fact::Known(destination)),
            hop,
        });
    };
    fixed("lab", 2, net(base(0) | 9 << 8, 24), TrHop::Blackhole);
    fixed("out", 3, net(0, 0), TrHop::Attachment(AttachmentId(0)));
    // The zones of the first VPC send it on to the NAT gateway, which translates everybody.
    let system = t.vpcs[0].system_table;
    t.route_entries.push(RouteEntry {
        origin: origin("alicloud_route_entry.out".into(), 1),
        table: Fact::Known(system),
        destination: NetSpec::Net(Fact::Known(net(0, 0))),
        next_hops: vec![NextHop::Nat(NatId(0))],
    });
    t.snat_entries.push(SnatEntry {
        origin: origin("alicloud_snat_entry.out".into(), 1),
        nat: Fact::Known(NatId(0)),
        source: SnatSource::Net(Fact::Known(net(10 << 24, 8))),
        ips: vec![NatIp::Eip(EipId(0))],
    });
}

/// A tenth of the endpoints of every VPC behind balancers of the three kinds; every tenth of these faces the
/// Internet.
fn balancers(g: &mut Rng, t: &mut Typed) {
    let services: Vec<ServiceSet> = {
        let mut v: Vec<ServiceSet> = t
            .sg_rules
            .iter()
            .filter_map(|r| r.services.known().cloned())
            .filter(|s| !s.tcp.is_empty() && s.udp.is_empty() && s.other.is_empty())
            .collect();
        v.sort_unstable();
        v.dedup();
        v
    };
    if services.is_empty() {
        return;
    }
    let mut by_vpc: Vec<Vec<InterfaceId>> = vec![Vec::new(); t.vpcs.len()];
    for (n, i) in t.interfaces.iter().enumerate() {
        if let Fact::Known(v) = i.vswitch
            && let Fact::Known(vpc) = t.vswitches[v.index()].vpc
        {
            by_vpc[vpc.index()].push(InterfaceId(id(n)));
        }
    }
    // The addresses behind those of instances; see `generate`.
    let mut next: BTreeMap<VswitchId, u32> = BTreeMap::new();
    for (v, members) in by_vpc.iter().enumerate() {
        let vswitches: Vec<VswitchId> = (0..t.vswitches.len())
            .filter(|s| t.vswitches[*s].vpc == Fact::Known(VpcId(id(v))))
            .map(|s| VswitchId(id(s)))
            .collect();
        // Backends of one balancer are of one tier: neighbours in the list of their zone.
        let mut tiers: BTreeMap<Arc<str>, Vec<InterfaceId>> = BTreeMap::new();
        for i in members {
            let zone = t.interfaces[i.index()]
                .meta
                .tags
                .known()
                .and_then(|x| x.get("zone")?.known().cloned());
            tiers.entry(zone.unwrap_or_default()).or_default().push(*i);
        }
        let tiers: Vec<(Arc<str>, Vec<InterfaceId>)> = tiers.into_iter().collect();
        let wanted = members.len() / 10;
        let mut served = 0;
        let mut n = 0;
        while served < wanted {
            let (zone, tier) = g.pick(&tiers);
            let start = g.below(tier.len());
            let backends: Vec<InterfaceId> = tier.iter().skip(start).take(BACKENDS).copied().collect();
            served += backends.len();
            balancer(g, t, (v, n), zone, &backends, &vswitches, &mut next, &services);
            n += 1;
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call site; the parts of one VPC under construction"
)]
fn balancer(
    g: &mut Rng,
    t: &mut Typed,
    (v, n): (usize, usize),
    zone: &Arc<str>,
    backends: &[InterfaceId],
    vswitches: &[VswitchId],
    next: &mut BTreeMap<VswitchId, u32>,
    services: &[ServiceSet],
) {
    let kind = [BalancerKind::Clb, BalancerKind::Alb, BalancerKind::Nlb][n % 3];
    let name = kind.name().to_ascii_lowercase();
    let public = g.percent(10);
    let zones = if kind == BalancerKind::Clb { 1 } else { 2 };
    // The groups of the backends stand for those of the balancer: they admit the same clients.
    let groups = match backends.first() {
        Some(b) if kind != BalancerKind::Clb => t.interfaces[b.index()].groups.clone(),
        _ => Fact::Known(Vec::new()),
    };
    let mut fronts = Vec::new();
    for z in 0..zones {
        let vsw = vswitches[(n + z) % vswitches.len()];
        let host = next.entry(vsw).or_insert(242);
        if *host > 252 {
            continue;
        }
        let block = t.vswitches[vsw.index()].cidr.known().map(|c| match c {
            ipnet::IpNet::V4(c) => u32::from(c.network()),
            ipnet::IpNet::V6(_) => 0,
        });
        let ip = IpAddr::V4(Ipv4Addr::from(block.unwrap_or(0) | *host));
        *host += 1;
        let front = InterfaceId(id(t.interfaces.len()));
        let address = format!("alicloud_{name}_load_balancer.v{v}_{n}");
        let mut m = meta(address, 1);
        m.tags = Fact::Known(BTreeMap::from([(Arc::from("zone"), Fact::Known(zone.clone()))]));
        let mut addresses = Vec::new();
        if public {
            let eip = EipId(id(t.eips.len()));
            let at = IpAddr::V4(Ipv4Addr::from(47 << 24 | 128 << 16 | id(t.eips.len())));
            t.eips.push(Eip {
                meta: meta(format!("alicloud_eip_address.v{v}_{name}{n}_{z}"), 1),
                ip: Fact::Known(at),
                bound: vec![EipTarget::Interface(front)],
            });
            addresses.push(PublicAddress {
                origin: origin(format!("alicloud_eip_association.v{v}_{name}{n}_{z}"), 1),
                ip: Fact::Known(at),
                eip: Some(eip),
                kind: PublicKind::Eip,
                private: 0,
            });
        }
        t.interfaces.push(Interface {
            meta: m,
            instance: None,
            primary: true,
            vswitch: Fact::Known(vsw),
            groups: groups.clone(),
            foreign_groups: vec![],
            addresses: vec![Address {
                spec: AddressSpec::Ip(ip),
                kind: AddressKind::Primary,
                ipv6_internet: Ipv6Internet::None,
            }],
            source_dest_check: Fact::Known(Some(true)),
            public: addresses,
        });
        fronts.push(front);
    }
    let listeners = (0..1 + g.below(2))
        .map(|l| {
            let heard = g.pick(services).clone();
            // What arrives is the port of the backends; CLB and NLB pass some on as they come.
            let same = kind != BalancerKind::Alb && g.percent(30);
            let behind = ServiceSet::tcp(PortSet::single(g.pick(services).tcp.first().unwrap_or(80)));
            let preserves = match kind {
                BalancerKind::Clb => true,
                BalancerKind::Alb | BalancerKind::Endpoint => false,
                BalancerKind::Nlb => g.percent(50),
            };
            let filter = (kind == BalancerKind::Clb && g.percent(20)).then(|| ListenerFilter {
                white: Fact::Known(true),
                entries: vec![FilterEntry {
                    origin: origin(format!("alicloud_slb_acl_entry_attachment.v{v}_{n}_{l}"), 1),
                    net: Fact::Known(net(base(v), 16)),
                }],
            });
            Listener {
                origin: origin(format!("alicloud_{name}_listener.v{v}_{n}_{l}"), 1),
                services: Fact::Known(heard),
                filter: Fact::Known(filter),
                forwards: backends
                    .iter()
                    .map(|b| Forward {
                        origin: origin(format!("alicloud_{name}_backend.v{v}_{n}_{l}_{}", b.0), 1),
                        to: Backend::Interface(*b),
                        services: Fact::Known((!same).then(|| behind.clone())),
                        preserves: Fact::Known(preserves),
                    })
                    .collect(),
            }
        })
        .collect();
    t.balancers.push(Balancer {
        meta: meta(format!("alicloud_{name}_load_balancer.v{v}_{n}"), 1),
        kind,
        fronts,
        detached: false,
        listeners,
    });
}
