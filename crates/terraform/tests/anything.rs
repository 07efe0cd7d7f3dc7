//! Linking whatever a reader may give: no panic, no id that leads nowhere, nothing unaccounted for, and the same
//! result in whatever order the resources come.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use bartizan_base::{FileId, Sources, Span};
use bartizan_model::*;
use bartizan_terraform::{FileSet, ReadOptions, TypeSpec, link, read, type_specs};
use proptest::prelude::*;
use proptest::sample::select;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Texts that mean something somewhere.
const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "10.0.0.0/8",
    "10.0.0.1",
    "2001:db8::/56",
    "2001:db8::1",
    "::/0",
    "0.0.0.0/0",
    "80/80",
    "-1/-1",
    "80",
    "10/20",
    "90/80",
    "1/65535",
    "any",
    "tcp",
    "UDP",
    "all",
    "icmp",
    "ingress",
    "Egress",
    "accept",
    "drop",
    "Accept",
    "enterprise",
    "normal",
    "internet",
    "intranet",
    "Gateway",
    "true",
    "false",
    "0",
    "1",
    "7",
    "99999999999",
    "-1",
    "1.5",
    "NatGateway",
    "HaVip",
    "Instance",
    "NetworkInterface",
    "IPv6Gateway",
    "VpcPeer",
    "Nat",
    "EcsInstance",
    "BINDED",
    "lb-1",
    "pl-1",
    "eip-1,eip-2",
    "203.0.113.1, 203.0.113.2",
    "\u{0}",
    "é",
    "]",
    "[\"",
];

fn node(value: Value) -> Node {
    Node {
        value,
        span: Span::file(FileId(0)),
    }
}

/// Names of the instances that references lead to.
fn address(types: Vec<TypeSpec>) -> impl Strategy<Value = String> {
    (select(types), 0..3u8, 0..3u8).prop_map(|(t, n, key)| {
        let key = ["", "[0]", "[?]"][key as usize];
        format!("{}.x{n}{key}", t.name)
    })
}

fn value(types: Vec<TypeSpec>) -> impl Strategy<Value = Value> {
    let attribute = select(vec![
        "id",
        "route_table_id",
        "snat_table_ids",
        "ip_address",
        "private_ip",
        "network_interface_id",
        "ipv6_address",
        "vpc_id",
        "instance_id",
        "tags[\"a\"].b",
        "ids[0]",
        "",
        "[",
        "ha_vip_id",
    ]);
    let reference = (address(types), attribute).prop_map(|(address, attribute)| {
        Value::Ref(Reference {
            address: address.into(),
            attribute: attribute.into(),
        })
    });
    let leaf = prop_oneof![
        4 => reference,
        4 => select(TEXTS).prop_map(|s| Value::String(s.into())),
        1 => select(TEXTS).prop_map(|s| Value::Number(s.into())),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
        1 => Just(Value::Unknown(Unknown::new("not known"))),
    ];
    leaf.prop_recursive(2, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|v| Value::List(v.into_iter().map(node).collect())),
            prop::collection::btree_map(select(TEXTS).prop_map(Arc::from), inner.prop_map(node), 0..4)
                .prop_map(Value::Map),
        ]
    })
}

/// A resource of a type that is read, with some of the attributes that are read; blocks have their own.
fn resource() -> impl Strategy<Value = Resource> {
    let types = type_specs();
    let all = types.clone();
    (
        select(types),
        0..3u8,
        0..3u8,
        any::<u64>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_flat_map(move |(t, n, key, pick, maybe, data)| {
            let set: Vec<&'static str> = t
                .attributes
                .iter()
                .enumerate()
                .filter(|(i, _)| pick >> (i % 60) & 1 == 1)
                .map(|(_, a)| *a)
                .collect();
            let values = prop::collection::vec(value(all.clone()), set.len());
            let key = ["", "[0]", "[?]"][key as usize];
            let address = format!(
                "{}{}.x{n}{key}",
                if data && n == 2 { "data." } else { "" },
                t.name
            );
            values.prop_map(move |values| {
                let mut attributes: BTreeMap<Arc<str>, Node> = BTreeMap::new();
                for (name, v) in set.iter().zip(values) {
                    match name.split_once('.') {
                        // One block of the kind, beside whatever the whole attribute was given.
                        Some((block, inner)) => {
                            let slot = attributes
                                .entry(block.into())
                                .or_insert_with(|| node(Value::List(Vec::new())));
                            if let Value::List(l) = &mut slot.value {
                                if l.is_empty() {
                                    l.push(node(Value::Map(BTreeMap::new())));
                                }
                                if let Some(Value::Map(m)) = l.first_mut().map(|n| &mut n.value) {
                                    m.insert(inner.into(), node(v));
                                }
                            }
                        }
                        None => {
                            attributes.entry((*name).into()).or_insert_with(|| node(v));
                        }
                    }
                }
                Resource {
                    address: address.clone().into(),
                    kind: t.name.into(),
                    provider: None,
                    region: None,
                    data: data && n == 2,
                    attributes,
                    span: Span::file(FileId(0)),
                    maybe: maybe.then(|| Unknown::new("the count is not known")),
                    understanding: Understanding::NotUnderstood("not classified".into()),
                }
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_resources_link(mut all in prop::collection::vec(resource(), 0..24)) {
        // Readers give every address once.
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|r| seen.insert(r.address.clone()));
        let n = all.len();
        let mut turned = all.clone();
        turned.reverse();
        let a = link(all, SourceKind::Directory, Vec::new());
        prop_assert_eq!(a.typed.check_ids(), Ok(()));
        prop_assert_eq!(a.resources.len(), n);
        for r in &a.resources {
            let left = Understanding::NotUnderstood("not classified".into());
            prop_assert!(r.understanding != left, "{} is not classified", r.address);
        }
        // Every table entry comes from a resource that is there and is not a data source.
        let real: std::collections::BTreeSet<_> = a.resources.iter().filter(|r| !r.data).map(|r| &r.address).collect();
        let t = &a.typed;
        let origins = t.sg_rules.iter().map(|r| &r.origin)
            .chain(t.route_entries.iter().map(|r| &r.origin))
            .chain(t.snat_entries.iter().map(|r| &r.origin))
            .chain(t.dnat_entries.iter().map(|r| &r.origin))
            .chain(t.tr_routes.iter().map(|r| &r.origin))
            .chain(t.tr_associations.iter().map(|r| &r.origin))
            .chain(t.tr_propagations.iter().map(|r| &r.origin))
            .chain(t.data_services.iter().flat_map(|d| d.allow.iter().map(|e| &e.origin)))
            .chain(t.interfaces.iter().flat_map(|i| i.public.iter().map(|p| &p.origin)))
            .chain(t.interfaces.iter().map(|i| &i.meta.origin));
        for o in origins {
            prop_assert!(real.contains(&o.address), "{}", o.address);
        }
        // A rule or entry per resource: nothing that decides on packets is dropped.
        let of = |k: &str| a.resources.iter().filter(|r| &*r.kind == k && !matches!(r.understanding, Understanding::Ignored(_))).count();
        prop_assert_eq!(of("alicloud_security_group_rule"), t.sg_rules.len());
        prop_assert_eq!(of("alicloud_snat_entry"), t.snat_entries.len());
        prop_assert_eq!(of("alicloud_forward_entry"), t.dnat_entries.len());
        let routes = ["alicloud_route_entry", "alicloud_vpc_route_entry", "alicloud_cen_child_instance_route_entry_to_attachment"];
        // The cloud adds routes for NAT gateways, and tables that are not here have some.
        let added = |e: &&bartizan_model::RouteEntry| ["alicloud_nat_gateway.", "alicloud_route_table_attachment."]
            .iter()
            .any(|k| e.origin.address.contains(k));
        let written = t.route_entries.iter().filter(|e| !added(e)).count();
        prop_assert_eq!(routes.map(of).iter().sum::<usize>(), written);
        let routes = ["alicloud_cen_transit_router_route_entry", "alicloud_cen_transit_router_prefix_list_association"];
        prop_assert_eq!(routes.map(of).iter().sum::<usize>(), t.tr_routes.len());
        prop_assert_eq!(of("alicloud_cen_route_map"), t.route_maps.len());
        let b = link(turned, SourceKind::Directory, Vec::new());
        prop_assert_eq!(&a.typed, &b.typed);
        prop_assert_eq!(&a.resources, &b.resources);
        prop_assert_eq!(a.diagnostics, b.diagnostics);
    }

    #[test]
    fn any_json_is_read_without_a_panic(text in json(), name in select(vec!["plan.json", "terraform.tfstate"])) {
        let mut sources = Sources::default();
        let mut files = FileSet::default();
        files.add(&mut sources, name, text.to_string());
        let inv = read(&files, &mut sources, &ReadOptions::default());
        prop_assert_eq!(inv.typed.check_ids(), Ok(()));
    }
}

/// JSON with the members that plans and states have, in places where they may not belong.
fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value as J;
    const NAMES: &[&str] = &[
        "planned_values",
        "root_module",
        "resources",
        "child_modules",
        "resource_changes",
        "change",
        "after_unknown",
        "configuration",
        "expressions",
        "references",
        "module_calls",
        "module",
        "outputs",
        "expression",
        "variables",
        "prior_state",
        "values",
        "address",
        "type",
        "mode",
        "name",
        "index",
        "version",
        "lineage",
        "instances",
        "attributes",
        "index_key",
        "deposed",
        "format",
        "terraform_version",
        "provider_config",
        "for_each_expression",
        "vpc_id",
        "vswitch_id",
        "security_groups",
        "cidr_block",
        "id",
    ];
    let leaf = prop_oneof![
        Just(J::Null),
        any::<bool>().prop_map(J::Bool),
        any::<i64>().prop_map(J::from),
        select(TEXTS).prop_map(J::from),
        select(vec![
            "alicloud_vpc.v",
            "alicloud_vpc",
            "module.m.alicloud_vpc.v[0]",
            "var.x",
            "count.index",
            "each.value.id",
            "module.m[0].o",
            "alicloud_vswitch.a[\"k\"].id",
            "data.alicloud_vpcs.d",
            "[",
            "a.[",
            "managed",
            "module."
        ])
        .prop_map(J::from),
    ];
    leaf.prop_recursive(8, 96, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(J::Array),
            prop::collection::btree_map(select(NAMES).prop_map(str::to_string), inner, 0..8)
                .prop_map(|m| J::Object(m.into_iter().collect())),
        ]
    })
}
