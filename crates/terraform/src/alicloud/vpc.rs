//! VPCs and their address blocks (ALIBABA.md §2).

use super::attrs::{Attrs, items};
use super::linker::{Entity, Linker, next};
use super::{Handler, Identity, Role, Stage, TypeSpec, own};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc",
            attributes: &[
                "id",
                "tags",
                "vpc_name",
                "name",
                "cidr_block",
                "secondary_cidr_blocks",
                "enable_ipv6",
                "ipv6_cidr_block",
                "user_cidrs",
                "system_route_table_route_propagation_enable",
                "route_table_id",
                "router_table_id",
                "router_id",
            ],
        },
        aliases: &[],
        identities: &[
            own("id"),
            own("router_id"),
            Identity {
                attribute: "route_table_id",
                role: Role::SystemTable,
                literal: true,
            },
            Identity {
                attribute: "router_table_id",
                role: Role::SystemTable,
                literal: true,
            },
        ],
        steps: &[(Stage::Declare, declare)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_ipv4_cidr_block",
            attributes: &["vpc_id", "secondary_cidr_block"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Own, |l, i, a| block(l, i, &a, "secondary_cidr_block"))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_ipv6_cidr_block",
            attributes: &["vpc_id", "ipv6_cidr_block"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Own, |l, i, a| block(l, i, &a, "ipv6_cidr_block"))],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["vpc_name", "name"]);
    let id = VpcId(next(l.typed.vpcs.len()));
    let table = RouteTableId(next(l.typed.route_tables.len()));
    let propagation = l.flag(i, &a, "system_route_table_route_propagation_enable", true);
    l.typed.route_tables.push(RouteTable {
        meta: meta.clone(),
        vpc: Fact::Known(id),
        kind: RouteTableKind::System,
        propagation,
    });
    l.typed.vpcs.push(Vpc {
        meta,
        cidrs: Vec::new(),
        user_cidrs: Vec::new(),
        system_table: table,
    });
    l.declare(i, Entity::Vpc(id));
    // Blocks of a VPC are needed before those of its vSwitches.
    let primary = match a.get("cidr_block") {
        Some(n) => Some(l.net(i, "cidr_block", n)),
        // Without one the API picks a block (ALIBABA.md §2).
        None => {
            let u = Unknown::at("the cloud picks the block", a.span);
            l.unknown(i, "cidr_block", &u);
            Some(Fact::Unknown(u))
        }
    };
    let mut cidrs: Vec<Fact<_>> = primary.into_iter().collect();
    for name in ["secondary_cidr_blocks", "ipv6_cidr_block"] {
        if let Some(node) = a.get(name) {
            blocks(l, i, name, node, &mut cidrs);
        }
    }
    // With IPv6 on and no block written there is one all the same; leaving it out would make IPv6 packets
    // between vSwitches look undeliverable.
    if a.get("ipv6_cidr_block").is_none() {
        match l.flag(i, &a, "enable_ipv6", false) {
            Fact::Known(false) => {}
            Fact::Known(true) => cidrs.push(Fact::Unknown(Unknown::at(
                "the cloud picks the IPv6 block",
                a.span,
            ))),
            Fact::Unknown(u) => cidrs.push(Fact::Unknown(u)),
        }
    }
    let mut user = Vec::new();
    if let Some(node) = a.get("user_cidrs") {
        blocks(l, i, "user_cidrs", node, &mut user);
    }
    if let Some(v) = l.typed.vpcs.get_mut(id.index()) {
        v.cidrs = cidrs;
        v.user_cidrs = user;
    }
}

fn blocks(l: &mut Linker<'_>, i: usize, name: &str, node: &Node, out: &mut Vec<Fact<ipnet::IpNet>>) {
    match items(node) {
        Ok(all) => {
            for n in all {
                let f = l.net(i, name, n);
                out.push(f);
            }
        }
        Err(u) => {
            l.unknown(i, name, &u);
            out.push(Fact::Unknown(u));
        }
    }
}

/// A block that is added to a VPC by a resource of its own.
fn block(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str) {
    let vpc = l.vpc(i, a);
    let net = match a.get(name) {
        Some(n) => l.net(i, name, n),
        None => {
            let u = Unknown::at("the cloud picks the block", a.span);
            l.unknown(i, name, &u);
            Fact::Unknown(u)
        }
    };
    match vpc {
        Fact::Known(v) => {
            // A state lists the block on the VPC as well.
            if let Some(v) = l.typed.vpcs.get_mut(v.index())
                && (net.known().is_none() || !v.cidrs.contains(&net))
            {
                v.cidrs.push(net);
            }
        }
        Fact::Unknown(u) => {
            l.refused.insert(
                i,
                format!("it adds addresses to a VPC that is not known: {}", u.why),
            );
        }
    }
}
