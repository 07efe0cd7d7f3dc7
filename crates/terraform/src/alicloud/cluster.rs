//! Clusters, their nodes and pods, as far as a configuration shows them (ALIBABA.md §14; docs/decisions/016, items
//! 15 and 16).

use super::attrs::{Attrs, Blocks};
use super::balancer;
use super::compute::{Groups, anywhere, groups, instances, public, vswitches};
use super::linker::{Entity, Found, Linker, next};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_cs_managed_kubernetes",
            attributes: &[
                "id",
                "tags",
                "name",
                "vswitch_ids",
                "worker_vswitch_ids",
                "pod_vswitch_ids",
                "security_group_id",
                "slb_internet_enabled",
                "new_nat_gateway",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, declare), (Stage::Own, managed)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cs_serverless_kubernetes",
            attributes: &[
                "id",
                "tags",
                "name",
                "vswitch_ids",
                "vswitch_id",
                "security_group_id",
                "endpoint_public_access_enabled",
                "new_nat_gateway",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, declare), (Stage::Own, serverless)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cs_kubernetes_node_pool",
            attributes: &[
                "id",
                "tags",
                "node_pool_name",
                "name",
                "cluster_id",
                "vswitch_ids",
                "security_group_ids",
                "security_group_id",
                "internet_max_bandwidth_out",
                "scaling_config",
                "scaling_config.is_bond_eip",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Fill, node_pool)],
    },
];

/// The port of an API server.
const API: u16 = 6443;

/// What nodes take from their cluster.
pub(super) struct Cluster {
    groups: Groups,
}

fn as_cluster(e: Entity) -> Option<usize> {
    if let Entity::Cluster(n) = e {
        Some(n as usize)
    } else {
        None
    }
}

fn own_group(span: bartizan_base::Span) -> Groups {
    let u = Unknown::at("the cluster makes a security group of its own", span);
    (Fact::Unknown(u), Vec::new())
}

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let n = next(l.clusters.len());
    l.clusters.push(Cluster {
        groups: own_group(a.span),
    });
    l.declare(i, Entity::Cluster(n));
}

fn security(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Groups {
    let groups = groups(l, i, a, &["security_group_id"]).unwrap_or_else(|| {
        let own = own_group(a.span);
        if let Fact::Unknown(u) = &own.0 {
            l.unknown(i, "security_group_id", u);
        }
        own
    });
    let this = l.entity.get(i).copied().flatten().and_then(as_cluster);
    if let Some(c) = this.and_then(|n| l.clusters.get_mut(n)) {
        c.groups = groups.clone();
    }
    groups
}

/// Item 15: the API server answers behind a CLB in the cluster's vSwitches; it reaches nodes from there.
fn api_server(
    l: &mut Linker<'_>,
    meta: &Meta,
    at: &[Fact<VswitchId>],
    groups: &Groups,
    open: &(Origin, Fact<bool>),
) {
    let id = balancer::plain(l, meta.clone(), BalancerKind::Clb);
    let on = || ServiceSet::tcp(PortSet::single(API));
    let mut forwards = Vec::new();
    for v in at {
        let x = balancer::front(l, id);
        if let Some(f) = l.typed.interfaces.get_mut(x.index()) {
            f.vswitch = v.clone();
            f.addresses = vec![Address {
                spec: AddressSpec::AnyV4(Unknown::at("the cloud picks the address", meta.origin.span)),
                kind: AddressKind::Primary,
                ipv6_internet: Ipv6Internet::None,
            }];
        }
        public(l, x, open.0.clone(), &open.1);
        let server = anywhere(l, meta, None, v, groups);
        forwards.push(Forward {
            origin: meta.origin.clone(),
            to: Backend::Interface(server),
            services: Fact::Known(Some(on())),
            preserves: Fact::Known(true),
        });
    }
    if let Some(b) = l.typed.balancers.get_mut(id.index()) {
        b.listeners.push(Listener {
            origin: meta.origin.clone(),
            services: Fact::Known(on()),
            filter: Fact::Known(None),
            forwards,
        });
    }
}

/// Item 16: pods with interfaces of their own, two in each of their vSwitches.
fn pods(l: &mut Linker<'_>, meta: &Meta, at: &[Fact<VswitchId>], groups: &Groups) {
    for v in at {
        anywhere(l, meta, None, v, groups);
        anywhere(l, meta, None, v, groups);
    }
}

fn managed(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["name"]);
    let groups = security(l, i, &a);
    let at = vswitches(l, i, &a, &["vswitch_ids", "worker_vswitch_ids"]);
    // §7.5: open to the Internet unless that is turned off.
    let open = l.flag(i, &a, "slb_internet_enabled", true);
    let origin = l.origin(i, a.get("slb_internet_enabled").map_or(a.span, |n| n.span));
    api_server(l, &meta, &at, &groups, &(origin, open));
    if a.get("pod_vswitch_ids").is_some() {
        let at = vswitches(l, i, &a, &["pod_vswitch_ids"]);
        pods(l, &meta, &at, &groups);
    }
    own_nat(l, i, &a);
}

/// A NAT gateway that a cluster makes gives everybody in its vSwitches a way out. It makes one unless that is turned off.
fn own_nat(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) {
    if l.flag(i, a, "new_nat_gateway", true) != Fact::Known(false) {
        let why = "a cluster that makes a NAT gateway of its own (`new_nat_gateway`)";
        l.refused.insert(i, why.into());
    }
}

fn serverless(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["name"]);
    let groups = security(l, i, &a);
    let at = vswitches(l, i, &a, &["vswitch_ids", "vswitch_id"]);
    let open = l.flag(i, &a, "endpoint_public_access_enabled", false);
    let span = a.get("endpoint_public_access_enabled").map_or(a.span, |n| n.span);
    let origin = l.origin(i, span);
    api_server(l, &meta, &at, &groups, &(origin, open));
    pods(l, &meta, &at, &groups);
    own_nat(l, i, &a);
}

fn node_pool(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["node_pool_name", "name"]);
    // Clusters of another kind are not modelled, and their nodes are somewhere all the same.
    let other = match a.get("cluster_id").map(|n| l.find(n)) {
        Some(Found::Resource(r)) => l.res.get(r).filter(|r| r.kind.starts_with("alicloud_cs_")),
        _ => None,
    };
    let cluster = match other {
        Some(r) => {
            let why = format!("what its nodes get from `{}` is not modelled", r.address);
            let u = Unknown::at(why, a.span);
            l.unknown(i, "cluster_id", &u);
            Fact::Unknown(u)
        }
        None => l.link(i, &a, &["cluster_id"], "cluster", as_cluster),
    };
    let own = groups(l, i, &a, &["security_group_ids", "security_group_id"]);
    let groups = match (own, &cluster) {
        (Some(g), _) => g,
        (None, Fact::Known(c)) => l
            .clusters
            .get(*c)
            .map_or_else(|| own_group(a.span), |c| c.groups.clone()),
        (None, Fact::Unknown(u)) => (Fact::Unknown(u.clone()), Vec::new()),
    };
    let at = a.get("internet_max_bandwidth_out").map_or(a.span, |n| n.span);
    let mut given = l.count(i, &a, "internet_max_bandwidth_out").map(|n| n > 0);
    let mut origin = l.origin(i, at);
    // Nodes that are added by themselves may get an EIP each.
    match a.blocks("scaling_config") {
        Blocks::Absent => {}
        Blocks::Unknown(u) if given == Fact::Known(false) => given = Fact::Unknown(u),
        Blocks::Unknown(_) => {}
        Blocks::List(all) => {
            for b in all {
                let Some(n) = b.get("is_bond_eip") else { continue };
                match (l.flag(i, &b, "is_bond_eip", false), &given) {
                    (Fact::Known(false), _) | (_, Fact::Known(true)) => {}
                    (more, _) => {
                        given = more;
                        origin = l.origin(i, n.span);
                    }
                }
            }
        }
    }
    let at = vswitches(l, i, &a, &["vswitch_ids"]);
    instances(l, &meta, &meta, &at, &groups, &(origin, given));
}
