//! Route tables, bindings and entries (ALIBABA.md §3).

use super::attrs::{Attrs, Blocks};
use super::linker::{Entity, Found, Linker, next};
use super::prefix_list::spec;
use super::vswitch::{Binding, Bound};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;
use std::sync::Arc;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_route_table",
            attributes: &[
                "id",
                "tags",
                "route_table_name",
                "name",
                "vpc_id",
                "associate_type",
                "route_propagation_enable",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, declare), (Stage::Fill, fill)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_route_table_attachment",
            attributes: &["route_table_id", "vswitch_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, attach)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_route_entry",
            attributes: &[
                "route_table_id",
                "destination_cidrblock",
                "nexthop_type",
                "nexthop_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| entry(l, i, &a, "destination_cidrblock"))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_route_entry",
            attributes: &[
                "route_table_id",
                "destination_cidr_block",
                "nexthop_type",
                "nexthop_id",
                "next_hops",
                "next_hops.nexthop_type",
                "next_hops.nexthop_id",
                "next_hops.weight",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| entry(l, i, &a, "destination_cidr_block"))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_gateway_route_table_attachment",
            attributes: &["ipv4_gateway_id", "route_table_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, gateway)],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["route_table_name", "name"]);
    let id = RouteTableId(next(l.typed.route_tables.len()));
    let kind = match l.either(i, &a, "associate_type", ("Gateway", "VSwitch"), false) {
        Fact::Known(true) => RouteTableKind::Gateway,
        _ => RouteTableKind::Custom,
    };
    let propagation = l.flag(i, &a, "route_propagation_enable", true);
    l.typed.route_tables.push(RouteTable {
        meta,
        vpc: Fact::Unknown(Unknown::new("not linked")),
        kind,
        propagation,
    });
    l.declare(i, Entity::Table(id));
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Table(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vpc = l.vpc(i, &a);
    if let Some(t) = l.typed.route_tables.get_mut(id.index()) {
        t.vpc = vpc;
    }
}

fn attach(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let table = l.table(i, &a);
    let vsw = l.vswitch(i, &a, &["vswitch_id"]);
    let vpc = table
        .known()
        .and_then(|t| l.typed.route_tables.get(t.index()))
        .and_then(|t| t.vpc.known().copied());
    let maybe = l.origin(i, a.span).maybe.map(|u| *u);
    l.bindings.push(Binding {
        by: (i, "vswitch_id"),
        span: a.span,
        acl: false,
        vswitch: vsw,
        to: table.map(Bound::Table),
        vpc,
        maybe,
    });
}

fn entry(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, destination: &'static str) {
    let table = l.table(i, a);
    let to = match a.get(destination) {
        Some(n) => spec(l, i, destination, n),
        None => NetSpec::Net(Fact::Unknown(Unknown::at("no destination is set", a.span))),
    };
    let mut hops = Vec::new();
    let several = if destination == "destination_cidr_block" {
        a.blocks("next_hops")
    } else {
        Blocks::Absent
    };
    match several {
        Blocks::Unknown(u) => {
            l.unknown(i, "next_hops", &u);
            hops.push(NextHop::Unknown(u));
        }
        Blocks::List(all) if !all.is_empty() && a.get("nexthop_id").is_none() => {
            for b in all {
                let h = hop(l, i, &b);
                hops.push(h);
            }
        }
        Blocks::Absent | Blocks::List(_) => {
            let h = hop(l, i, a);
            hops.push(h);
        }
    }
    let origin = l.origin(i, a.span);
    let gateway = matches!(a.get("nexthop_type").map(|n| l.text(n)), Some(Fact::Known(t)) if t.eq_ignore_ascii_case("Ipv4Gateway"));
    if let ([NextHop::Unknown(u)], true) = (hops.as_slice(), gateway) {
        l.foreign_gateways
            .push((table.clone(), origin.clone(), u.clone()));
    }
    l.typed.route_entries.push(RouteEntry {
        origin,
        table,
        destination: to,
        next_hops: hops,
    });
}

/// A VPC whose table leads to an IPv4 gateway that is not in the input has one: what has a public address there may need
/// the route (§7.2).
pub(super) fn settle(l: &mut Linker<'_>) {
    for (table, origin, why) in std::mem::take(&mut l.foreign_gateways) {
        let vpc = match table {
            Fact::Known(t) => l.typed[t].vpc.clone(),
            Fact::Unknown(u) => Fact::Unknown(u),
        };
        let same = |g: &Ipv4Gateway| vpc.known().is_some() && g.vpc == vpc;
        if l.typed.ipv4_gateways.iter().any(same) {
            continue;
        }
        let mut origin = origin;
        origin.doubt(|| why.clone());
        l.typed.ipv4_gateways.push(Ipv4Gateway {
            meta: Meta::nameless(origin),
            vpc,
            enabled: Fact::Unknown(why),
            ingress_table: None,
        });
    }
}

/// The next hop that a type and an id name (§3.5).
fn hop(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> NextHop {
    let kind: Option<Arc<str>> = match a.get("nexthop_type") {
        Some(n) => match l.text(n) {
            Fact::Known(t) => Some(t),
            Fact::Unknown(u) => {
                l.unknown(i, "nexthop_type", &u);
                return NextHop::Unknown(u);
            }
        },
        None => None,
    };
    let found = match a.get("nexthop_id") {
        Some(n) => l.find(n),
        None => Found::Unset,
    };
    // What this version has no model of is named, whatever the id turns out to be.
    let modelled = [
        "Instance",
        "NetworkInterface",
        "HaVip",
        "NatGateway",
        "Ipv4Gateway",
        "IPv6Gateway",
        "VpcPeer",
        "Attachment",
        "VpnGateway",
        "RouterInterface",
        "Ecr",
        "GatewayLoadBalancerEndpoint",
    ];
    if let Some(k) = kind
        .as_ref()
        .filter(|k| !modelled.iter().any(|m| m.eq_ignore_ascii_case(k)))
    {
        let target: Arc<str> = match found {
            Found::Resource(r) => l.res.get(r).map_or_else(|| "?".into(), |r| r.address.clone()),
            Found::Foreign(id) => id,
            _ => "?".into(),
        };
        l.note(i, format!("`nexthop_type`: `{k}` is not modelled"));
        return NextHop::Unmodelled {
            kind: k.clone(),
            target,
        };
    }
    match found {
        Found::Entity(e) => match e {
            Entity::Instance(_) | Entity::Interface(_) => match l.interface_of(e) {
                Some(x) => NextHop::Interface(x),
                None => NextHop::Unknown(Unknown::at("the interface of the next hop is not known", a.span)),
            },
            Entity::HaVip(h) => NextHop::HaVip(h),
            Entity::Nat(n) => NextHop::Nat(n),
            Entity::Ipv4Gateway(g) => NextHop::Ipv4Gateway(g),
            Entity::Ipv6Gateway(g) => NextHop::Ipv6Gateway(g),
            Entity::Peering(p) => NextHop::Peering(p),
            Entity::Attachment(a) => NextHop::Attachment(a),
            Entity::Vpn(g) => NextHop::Vpn(g),
            Entity::RouterInterface(r) => NextHop::RouterInterface(r),
            Entity::Inspector(x) => NextHop::Interface(l.typed[x].interface),
            _ => {
                let u = l.invalid(
                    i,
                    "nexthop_id",
                    a.span,
                    "it cannot be a next hop",
                    "name an instance, an interface or a gateway",
                );
                NextHop::Unknown(u)
            }
        },
        Found::Resource(r) => {
            let target = l.res.get(r).map_or_else(|| "?".into(), |r| r.address.clone());
            NextHop::Unmodelled {
                kind: kind.unwrap_or_else(|| "?".into()),
                target,
            }
        }
        Found::Foreign(id) => {
            l.dangling(i, "nexthop_id", &id, a.span, "next hop");
            let u = Unknown::at(format!("`{id}` is not in the inventory"), a.span);
            l.unknown(i, "nexthop_id", &u);
            NextHop::Unknown(u)
        }
        Found::Unset => {
            NextHop::Unknown(l.invalid(i, "nexthop_id", a.span, "no next hop is set", "set `nexthop_id`"))
        }
        Found::Unknown(u) => {
            l.unknown(i, "nexthop_id", &u);
            NextHop::Unknown(u)
        }
    }
}

/// The route table of an IPv4 gateway (§3.6).
fn gateway(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let table = l.table(i, &a);
    let maybe = l.origin(i, a.span).maybe.map(|u| *u);
    let table = match maybe {
        Some(u) => Fact::Unknown(u),
        None => table,
    };
    let gw = l.link(i, &a, &["ipv4_gateway_id"], "IPv4 gateway", |e| {
        if let Entity::Ipv4Gateway(g) = e {
            Some(g)
        } else {
            None
        }
    });
    match gw {
        Fact::Known(g) => {
            if let Some(g) = l.typed.ipv4_gateways.get_mut(g.index()) {
                g.ingress_table = Some(table);
            }
        }
        Fact::Unknown(u) => {
            for g in &mut l.typed.ipv4_gateways {
                g.ingress_table = Some(Fact::Unknown(u.clone()));
            }
        }
    }
}
