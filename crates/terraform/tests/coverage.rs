//! What becomes of every type: the page for users is current, and the tables do not contradict each other.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use bartizan_terraform::{
    Argument, Bearing, argument, argument_meets, argument_patterns, bearing, coverage_markdown, type_specs,
};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn the_page_of_coverage_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/coverage.md");
    let text = std::fs::read_to_string(page).unwrap();
    assert!(
        text == coverage_markdown(&types(&provider_types())),
        "docs/coverage.md is not current: run `cargo xtask gen`"
    );
}

#[test]
fn types_and_attributes_are_named_once() {
    let mut types = BTreeSet::new();
    for s in type_specs() {
        assert!(types.insert(s.name), "{} has two handlers", s.name);
        let mut seen = BTreeSet::new();
        for a in s.attributes {
            assert!(seen.insert(a), "{}: {a} twice", s.name);
            // An attribute of a block is read through the block.
            if let Some((block, _)) = a.split_once('.') {
                assert!(s.attributes.contains(&block), "{}: {a} without {block}", s.name);
            }
        }
    }
    // Appendix A1 and A2 of the survey of the provider, aliases included.
    for t in [
        "vpc",
        "vpc_ipv4_cidr_block",
        "vpc_ipv6_cidr_block",
        "vswitch",
        "subnet",
        "route_table",
        "route_table_attachment",
        "route_entry",
        "vpc_route_entry",
        "vpc_gateway_route_table_attachment",
        "security_group",
        "security_group_rule",
        "ecs_prefix_list",
        "vpc_prefix_list",
        "network_acl",
        "network_acl_entries",
        "network_acl_attachment",
        "vpc_network_acl_attachment",
        "instance",
        "ecs_network_interface",
        "network_interface",
        "ecs_network_interface_attachment",
        "network_interface_attachment",
        "eip_address",
        "eip",
        "eip_association",
        "nat_gateway",
        "snat_entry",
        "forward_entry",
        "vpc_ipv4_gateway",
        "vpc_ipv6_gateway",
        "vpc_ipv6_address",
        "vpc_ipv6_internet_bandwidth",
        "vpc_ipv6_egress_rule",
        "vpc_ha_vip",
        "havip",
        "havip_attachment",
    ] {
        assert!(
            types.contains(format!("alicloud_{t}").as_str()),
            "alicloud_{t} is not read"
        );
    }
}

#[test]
fn no_type_with_a_handler_is_called_ignored_by_accident() {
    // A type that is read must not be able to fall back to a rule that ignores it when its handler goes.
    for s in type_specs() {
        assert!(
            !matches!(bearing(s.name, false), Bearing::None(_)) || KNOWN.contains(&s.name),
            "{} would be ignored without its handler",
            s.name
        );
    }
}

fn provider_types() -> String {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/provider-types.txt");
    std::fs::read_to_string(list).unwrap()
}

fn types(text: &str) -> Vec<&str> {
    text.lines().filter(|l| !l.starts_with('#')).collect()
}

/// Every resource type of the provider is read, or stands in the tables with the reason why it is not.
#[test]
fn every_type_of_the_provider_has_a_place() {
    let text = provider_types();
    let names = types(&text);
    assert!(names.len() > 900, "{} types", names.len());
    let handled: BTreeSet<&str> = type_specs().iter().map(|s| s.name).collect();
    let lost: Vec<&&str> = names
        .iter()
        .filter(|n| {
            !handled.contains(**n)
                && matches!(bearing(n, false), Bearing::Some(why) if why.contains("not known"))
        })
        .collect();
    assert!(lost.is_empty(), "in no table: {lost:?}");
    let gone: Vec<&&str> = handled.iter().filter(|n| !names.contains(n)).collect();
    assert!(gone.is_empty(), "read, and no type of the provider: {gone:?}");
}

/// Types whose prefix is that of things without a bearing (disks and images of ECS).
const KNOWN: &[&str] = &[
    "alicloud_ecs_network_interface",
    "alicloud_ecs_network_interface_attachment",
    "alicloud_ecs_prefix_list",
];

/// The arguments of every type that is read, as the provider has them.
fn provider_arguments() -> Vec<(String, Vec<String>)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/provider-arguments.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|l| !l.starts_with('#'));
    lines
        .map(|l| {
            let mut words = l.split(' ').map(str::to_string);
            (words.next().unwrap(), words.collect())
        })
        .collect()
}

// An argument that nobody reads lets a claim hold wrongly if it opens or closes traffic: each is read, or watched, or
// has a reason why it has no bearing.
#[test]
fn every_argument_of_a_type_that_is_read_has_a_place() {
    let all = provider_arguments();
    let types: BTreeSet<&str> = all.iter().map(|(t, _)| &**t).collect();
    for s in type_specs() {
        assert!(
            types.contains(s.name),
            "{}: not in testdata/provider-arguments.txt, run `cargo xtask schema --write`",
            s.name
        );
    }
    let mut open = Vec::new();
    for (kind, args) in &all {
        for a in args {
            if argument(kind, a) == Argument::Unknown {
                open.push(format!("{kind} {a}"));
            }
        }
    }
    assert!(
        open.is_empty(),
        "read these, or say in crates/terraform/src/alicloud/silent why they have no bearing:\n{}",
        open.join("\n")
    );
}

#[test]
fn no_reason_is_left_over() {
    let all = provider_arguments();
    for p in argument_patterns() {
        let met = all.iter().any(|(kind, args)| {
            let kind = kind.trim_start_matches("alicloud_");
            args.iter().any(|a| argument_meets(p, kind, a))
        });
        assert!(met, "`{} {}` is about no argument of the provider", p.0, p.1);
    }
}

// A pattern for every type must not swallow what a later type brings.
#[test]
fn words_of_traffic_need_a_line_of_their_own() {
    for a in [
        "security_ips",
        "public_port_count",
        "acl_id",
        "whitelist_group_key",
        "route_table_mode",
        "backend_port",
    ] {
        assert_eq!(argument("alicloud_vpc", a), Argument::Unknown, "{a}");
    }
    assert!(matches!(
        argument("alicloud_vpc", "deletion_protection"),
        Argument::Silent(_)
    ));
    assert!(matches!(
        argument("alicloud_vpc", "classic_link_enabled"),
        Argument::Watched(_)
    ));
    assert_eq!(argument("alicloud_vpc", "cidr_block"), Argument::Read);
}
