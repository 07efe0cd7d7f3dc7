//! Services of the platform that reach into a VPC by interfaces of their own, in a vSwitch and a security group of the
//! customer (docs/decisions/016, item 11): event buses, outbound resolvers, collectors of metrics.
//!
//! When the platform makes them and how many is its own affair, so they may be there and are not for certain.

use super::attrs::{Attrs, Blocks};
use super::compute::{anywhere, groups, vswitches};
use super::linker::Linker;
use super::{Handler, Stage, TypeSpec};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_event_bridge_connection",
            attributes: &[
                "id",
                "connection_name",
                "network_parameters",
                "network_parameters.network_type",
                "network_parameters.vswitche_id",
                "network_parameters.security_group_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, |l, i, a| {
            let names = ("network_type", "vswitche_id", "security_group_id");
            block(l, i, &a, "connection_name", "network_parameters", names);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_event_bridge_event_source_v2",
            attributes: &[
                "id",
                "event_source_name",
                "source_kafka_parameters",
                "source_kafka_parameters.network",
                "source_kafka_parameters.vswitch_ids",
                "source_kafka_parameters.security_group_id",
                "source_rocketmq_parameters",
                "source_rocketmq_parameters.instance_network",
                "source_rocketmq_parameters.instance_vswitch_ids",
                "source_rocketmq_parameters.instance_security_group_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, |l, i, a| {
            let name = "event_source_name";
            let kafka = ("network", "vswitch_ids", "security_group_id");
            block(l, i, &a, name, "source_kafka_parameters", kafka);
            let rocket = (
                "instance_network",
                "instance_vswitch_ids",
                "instance_security_group_id",
            );
            block(l, i, &a, name, "source_rocketmq_parameters", rocket);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_pvtz_endpoint",
            attributes: &[
                "id",
                "endpoint_name",
                "security_group_id",
                "ip_configs",
                "ip_configs.vswitch_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, resolver)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ecs_image_pipeline",
            attributes: &["id", "vswitch_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, |l, i, a| {
            if a.get("vswitch_id").is_some() {
                let why = "builds an image on an instance of its own in a VPC";
                l.refused.insert(i, why.into());
            }
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_arms_prometheus",
            attributes: &["id", "tags", "cluster_name", "vswitch_id", "security_group_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, |l, i, a| {
            if a.get("vswitch_id").is_some() {
                let at = vswitches(l, i, &a, &["vswitch_id"]);
                visit(l, i, &a, "cluster_name", (&a, "security_group_id"), &at);
            }
        })],
    },
];

/// Interfaces that may be in some vSwitches, in the group that a block names.
fn visit(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    name: &'static str,
    (b, group): (&Attrs<'_>, &'static str),
    at: &[Fact<VswitchId>],
) {
    let mut meta = l.meta(i, a, &[name]);
    let why = || Unknown::at("the platform makes its interfaces when it needs them", a.span);
    meta.origin.doubt(why);
    let none = || Fact::Unknown(Unknown::at("no security group is set", b.span));
    let groups = groups(l, i, b, &[group]).unwrap_or_else(|| (none(), Vec::new()));
    for v in at {
        anywhere(l, &meta, None, v, &groups);
        anywhere(l, &meta, None, v, &groups);
    }
}

/// A block that says how the service connects: over the Internet, or by a vSwitch.
fn block(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    name: &'static str,
    block: &'static str,
    (network, vswitch, group): (&'static str, &'static str, &'static str),
) {
    let all = match a.blocks(block) {
        Blocks::Absent => return,
        Blocks::Unknown(u) => {
            l.unknown(i, block, &u);
            l.refused.insert(i, "it may reach into a VPC".into());
            return;
        }
        Blocks::List(all) => all,
    };
    for b in all {
        let public = matches!(b.get(network).map(|n| l.text(n)), Some(Fact::Known(t)) if t.eq_ignore_ascii_case("PublicNetwork"));
        // Some instances are reached by way of the platform, and no vSwitch is named.
        if public || b.get(vswitch).is_none() {
            continue;
        }
        let at = vswitches(l, i, &b, &[vswitch]);
        visit(l, i, a, name, (&b, group), &at);
    }
}

/// An outbound resolver asks name servers in VPCs and elsewhere.
fn resolver(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let at = match a.blocks("ip_configs") {
        Blocks::Absent => Vec::new(),
        Blocks::Unknown(u) => {
            l.unknown(i, "ip_configs", &u);
            vec![Fact::Unknown(u)]
        }
        Blocks::List(all) => {
            let each = all.iter().flat_map(|b| vswitches(l, i, b, &["vswitch_id"]));
            each.collect()
        }
    };
    visit(l, i, &a, "endpoint_name", (&a, "security_group_id"), &at);
}
