//! IPv4 and IPv6 gateways (ALIBABA.md §7.2, §7.3).

use super::attrs::Attrs;
use super::linker::{Entity, Linker, next};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_ipv4_gateway",
            attributes: &[
                "id",
                "tags",
                "ipv4_gateway_name",
                "ipv4_gateway_id",
                "vpc_id",
                "enabled",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("ipv4_gateway_id")],
        steps: &[(Stage::Declare, declare4), (Stage::Fill, fill4)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_ipv6_gateway",
            attributes: &["id", "tags", "ipv6_gateway_name", "ipv6_gateway_id", "vpc_id"],
        },
        aliases: &[],
        identities: &[own("id"), own("ipv6_gateway_id")],
        steps: &[(Stage::Declare, declare6), (Stage::Fill, fill6)],
    },
];

fn declare4(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["ipv4_gateway_name"]);
    let id = Ipv4GatewayId(next(l.typed.ipv4_gateways.len()));
    let vpc = Fact::Unknown(Unknown::new("not linked"));
    l.typed.ipv4_gateways.push(Ipv4Gateway {
        meta,
        vpc,
        enabled: Fact::Known(false),
        ingress_table: None,
    });
    l.declare(i, Entity::Ipv4Gateway(id));
}

fn fill4(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Ipv4Gateway(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vpc = l.vpc(i, &a);
    // §7.2: before it is activated nothing changes.
    let enabled = l.flag(i, &a, "enabled", false);
    if let Some(g) = l.typed.ipv4_gateways.get_mut(id.index()) {
        g.vpc = vpc;
        g.enabled = enabled;
    }
}

fn declare6(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["ipv6_gateway_name"]);
    let id = Ipv6GatewayId(next(l.typed.ipv6_gateways.len()));
    l.typed.ipv6_gateways.push(Ipv6Gateway {
        meta,
        vpc: Fact::Unknown(Unknown::new("not linked")),
    });
    l.declare(i, Entity::Ipv6Gateway(id));
}

fn fill6(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Ipv6Gateway(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vpc = l.vpc(i, &a);
    if let Some(g) = l.typed.ipv6_gateways.get_mut(id.index()) {
        g.vpc = vpc;
    }
}
