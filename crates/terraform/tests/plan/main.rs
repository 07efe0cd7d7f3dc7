//! Plans through to the typed layer: what joins, and what stays unknown because a plan does not say it.
//!
//! The shapes of `references` are those that Terraform 1.11 writes for the expression beside them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bartizan_base::{Severity, Sources};
use bartizan_model::*;
use bartizan_terraform::{EvalOptions, FileSet, ReadOptions, read};
use serde_json::{Value as J, json};

mod beside;
mod unknown;
mod whole;

/// A plan that is put together from resource blocks.
#[derive(Default)]
struct Plan {
    planned: Vec<J>,
    changes: Vec<J>,
    blocks: Vec<J>,
    variables: J,
    prior: Vec<J>,
    /// Members of the document.
    more: Vec<(&'static str, J)>,
}

impl Plan {
    /// A block with its instances: (key, known values, unknown values).
    fn block(mut self, kind: &str, name: &str, expressions: J, instances: &[(&str, J, J)]) -> Self {
        self.blocks.push(json!({
            "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
            "provider_config_key": "alicloud", "expressions": expressions, "schema_version": 0,
        }));
        for (key, values, unknown) in instances {
            let address = format!("{kind}.{name}{key}");
            self.planned.push(json!({
                "address": address, "mode": "managed", "type": kind, "name": name,
                "provider_name": "registry.terraform.io/aliyun/alicloud", "values": values,
            }));
            self.changes.push(json!({
                "address": address,
                "change": {"actions": ["create"], "before": null, "after": values, "after_unknown": unknown},
            }));
        }
        self
    }

    fn network(self) -> Self {
        let none = json!({});
        let id = |more: J| {
            let mut m = more;
            m["id"] = json!(true);
            m
        };
        let vsw = |n: u8| {
            let v = json!({"cidr_block": format!("10.{n}.0.0/16")});
            (
                v,
                id(json!({"vpc_id": true, "ipv6_cidr_block": true, "zone_id": true})),
            )
        };
        let (a, b) = (vsw(1), vsw(2));
        self.block(
            "alicloud_vpc",
            "v",
            json!({"cidr_block": {"constant_value": "10.0.0.0/8"}}),
            &[(
                "",
                json!({"cidr_block": "10.0.0.0/8"}),
                id(json!({"route_table_id": true, "secondary_cidr_blocks": true, "user_cidrs": true, "ipv6_cidr_block": true})),
            )],
        )
        .block(
            "alicloud_vswitch",
            "s",
            json!({"vpc_id": {"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]}, "cidr_block": {"references": ["count.index"]}}),
            &[("[0]", a.0, a.1), ("[1]", b.0, b.1)],
        )
        .block(
            "alicloud_security_group",
            "g",
            json!({"vpc_id": {"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]}}),
            &[
                ("[0]", none.clone(), id(json!({"vpc_id": true, "inner_access_policy": true}))),
                ("[1]", none, id(json!({"vpc_id": true, "inner_access_policy": true}))),
            ],
        )
    }

    /// Instances of one block, with the given expressions and everything of them unknown.
    fn instances(self, n: usize, expressions: J, unknown: J) -> Self {
        let keys: Vec<String> = (0..n).map(|i| format!("[{i}]")).collect();
        let all: Vec<(&str, J, J)> = keys
            .iter()
            .map(|k| (k.as_str(), json!({}), unknown.clone()))
            .collect();
        self.block("alicloud_instance", "i", expressions, &all)
    }

    fn text(self) -> String {
        let mut text = json!({
            "format_version": "1.2", "terraform_version": "1.11.4", "variables": self.variables,
            "planned_values": {"root_module": {"resources": self.planned}},
            "resource_changes": self.changes,
            "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": self.prior}}},
            "configuration": {
                "provider_config": {"alicloud": {"name": "alicloud", "expressions": {"region": {"references": ["var.region"]}}}},
                "root_module": {"resources": self.blocks},
            },
        });
        for (name, value) in self.more {
            text[name] = value;
        }
        text.to_string()
    }

    fn read(self) -> Inventory {
        read_text(&self.text())
    }
}

fn plan() -> Plan {
    Plan {
        variables: json!({
            "region": {"value": "cn-hangzhou"}, "flag": {"value": true}, "none": {"value": []},
            "extra": {"value": ["sg-far"]},
        }),
        ..Plan::default()
    }
    .network()
}

fn read_text(text: &str) -> Inventory {
    let inv = read_any(text);
    let errors: Vec<_> = inv
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    inv
}

fn read_any(text: &str) -> Inventory {
    read_beside(text, None)
}

/// Reads a plan, with the text of the directory that it was made from.
fn read_beside(text: &str, directory: Option<&str>) -> Inventory {
    read_in(text, directory, None)
}

/// The same in a workspace.
fn read_in(text: &str, directory: Option<&str>, workspace: Option<&str>) -> Inventory {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, "plan.json", text);
    let configuration = directory.map(|text| {
        let mut files = FileSet::default();
        files.add(&mut sources, "main.tf", text);
        files
    });
    let options = ReadOptions {
        configuration,
        eval: EvalOptions {
            workspace: workspace.map(str::to_string),
            ..EvalOptions::default()
        },
    };
    let inv = read(&files, &mut sources, &options);
    inv.typed.check_ids().unwrap();
    inv
}

/// The vSwitches and the groups that the primary interfaces have, `?` where they are not known.
fn homes(inv: &Inventory) -> Vec<String> {
    let t = &inv.typed;
    let f = |f: &Fact<String>| f.known().cloned().unwrap_or("?".into());
    let short = |a: &str| a.rsplit('.').next().unwrap_or(a).to_string();
    t.interfaces
        .iter()
        .map(|i| {
            let v = i.vswitch.clone().map(|v| short(&t[v].meta.origin.address));
            let g = i.groups.clone().map(|g| {
                let mut all: Vec<String> = g.iter().map(|g| short(&t[*g].meta.origin.address)).collect();
                all.extend(i.foreign_groups.iter().map(ToString::to_string));
                all.join("+")
            });
            format!("{} {}", f(&v), f(&g))
        })
        .collect()
}

const S0: [&str; 3] = [
    "alicloud_vswitch.s[0].id",
    "alicloud_vswitch.s[0]",
    "alicloud_vswitch.s",
];
const S: [&str; 2] = ["alicloud_vswitch.s", "count.index"];
const G0: [&str; 3] = [
    "alicloud_security_group.g[0].id",
    "alicloud_security_group.g[0]",
    "alicloud_security_group.g",
];
const G1: [&str; 3] = [
    "alicloud_security_group.g[1].id",
    "alicloud_security_group.g[1]",
    "alicloud_security_group.g",
];

/// Homes of instances with one member of the list of groups for each name, all of them unknown.
fn with(n: usize, vswitch: &[&str], groups: &[&[&str]]) -> Vec<String> {
    let flags = vec![true; groups.len()];
    let values = vec![J::Null; groups.len()];
    let groups: Vec<&str> = groups.concat();
    let keys: Vec<String> = (0..n).map(|i| format!("[{i}]")).collect();
    let unknown = json!({"id": true, "vswitch_id": true, "security_groups": flags, "private_ip": true});
    let all: Vec<(&str, J, J)> = keys
        .iter()
        .map(|k| (k.as_str(), json!({"security_groups": values}), unknown.clone()))
        .collect();
    let e = json!({"vswitch_id": {"references": vswitch}, "security_groups": {"references": groups}});
    homes(&plan().block("alicloud_instance", "i", e, &all).read())
}

#[test]
fn a_plan_joins_as_its_configuration_does() {
    assert_eq!(with(2, &S0, &[&G0]), ["s[0] g[0]"; 2]);
    let inv = plan()
        .instances(
            2,
            json!({"vswitch_id": {"references": S0}, "security_groups": {"references": G0}}),
            json!({"id": true, "vswitch_id": true, "private_ip": true}),
        )
        .read();
    let t = &inv.typed;
    assert!(
        t.vswitches
            .iter()
            .all(|v| v.vpc == Fact::Known(VpcId(0)) && v.ipv6_cidr.is_none())
    );
    // What the cloud fills in is as if it were not written.
    assert_eq!((t.vpcs[0].cidrs.len(), t.vpcs[0].user_cidrs.len()), (1, 0));
    assert_eq!(t.security_groups[0].inner_accept, Fact::Known(true));
    assert_eq!(inv.resources[0].region.as_deref(), Some("cn-hangzhou"));
    assert_eq!(inv.resources[0].provider.as_deref(), Some("alicloud"));
}

/// `s[count.index].id` and `element(s[*].id, count.index + 1)` are the same to a plan.
#[test]
fn an_index_may_be_computed() {
    assert_eq!(with(2, &S, &[&G0]), ["? g[0]"; 2]);
    assert_eq!(with(4, &S, &[&G0])[1], "? g[0]");
    // `s[count.index + var.shift].id`.
    assert_eq!(
        with(2, &["alicloud_vswitch.s", "count.index", "var.shift"], &[&G0]),
        ["? g[0]"; 2]
    );
    // `s[var.n].id`.
    assert_eq!(with(2, &["alicloud_vswitch.s", "var.n"], &[&G0]), ["? g[0]"; 2]);
    // Of one instance it can only be that.
    let inv = plan()
        .block(
            "alicloud_vswitch",
            "t",
            json!({"vpc_id": {"references": ["alicloud_vpc.v", "count.index"]}}),
            &[(
                "[0]",
                json!({"cidr_block": "10.3.0.0/16"}),
                json!({"id": true, "vpc_id": true}),
            )],
        )
        .read();
    assert!(inv.typed.vswitches.iter().all(|v| v.vpc == Fact::Known(VpcId(0))));
}

/// What is written beside the names, and a function that leaves some of them out, are not in a plan.
#[test]
fn a_list_that_is_unknown_as_a_whole_is_unknown() {
    let groups = |g: &[&[&str]]| {
        let inv = plan()
            .instances(
                1,
                json!({"vswitch_id": {"references": S0}, "security_groups": {"references": g.concat()}}),
                json!({"id": true, "vswitch_id": true, "security_groups": true}),
            )
            .read();
        homes(&inv).remove(0)
    };
    // `[g[0].id]` or `[g[0].id, "sg-lit"]`
    assert_eq!(groups(&[&G0]), "s[0] ?");
    // `[g[0].id, g[1].id]` or `slice([g[0].id, g[1].id], 0, 1)`
    assert_eq!(groups(&[&G0, &G1]), "s[0] ?");
    // `g[*].id`
    assert_eq!(groups(&[&["alicloud_security_group.g"]]), "s[0] ?");
}

#[test]
fn the_unknown_members_of_a_list_are_joined_in_order() {
    let groups = |values: J, flags: J, refs: &[&[&str]]| {
        let inv = plan()
            .block(
                "alicloud_instance",
                "i",
                json!({"vswitch_id": {"references": S0}, "security_groups": {"references": refs.concat()}}),
                &[(
                    "",
                    json!({"security_groups": values}),
                    json!({"id": true, "vswitch_id": true, "security_groups": flags}),
                )],
            )
            .read();
        homes(&inv).remove(0)
    };
    // `["sg-lit", g[1].id]`
    assert_eq!(
        groups(json!(["sg-lit", null]), json!([false, true]), &[&G1]),
        "s[0] g[1]+sg-lit"
    );
    // `["sg-lit", g[0].id, g[1].id]`
    assert_eq!(
        groups(
            json!(["sg-lit", null, null]),
            json!([false, true, true]),
            &[&G0, &G1]
        ),
        "s[0] g[0]+g[1]+sg-lit"
    );
    // `[var.flag ? g[0].id : g[1].id]`
    assert_eq!(
        groups(json!([null]), json!([true]), &[&["var.flag"], &G0, &G1]),
        "s[0] ?"
    );
    // `[for i in [1, 1] : g[i].id]` has as many members as there are instances.
    assert_eq!(
        groups(
            json!([null, null]),
            json!([true, true]),
            &[&["alicloud_security_group.g"]]
        ),
        "s[0] ?"
    );
}

#[test]
fn an_attribute_that_is_lost_with_its_index_is_that_of_the_argument() {
    let inv = plan()
        .block(
            "alicloud_route_entry",
            "r",
            json!({"route_table_id": {"references": ["alicloud_vpc.v"]}, "nexthop_id": {"references": ["alicloud_nat_gateway.n.id", "alicloud_nat_gateway.n"]}}),
            &[(
                "",
                json!({"destination_cidrblock": "0.0.0.0/0", "nexthop_type": "NatGateway"}),
                json!({"id": true, "route_table_id": true, "nexthop_id": true}),
            )],
        )
        .block(
            "alicloud_nat_gateway",
            "n",
            json!({"vpc_id": {"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]}}),
            &[("", json!({}), json!({"id": true, "vpc_id": true, "snat_table_ids": true}))],
        )
        .read();
    let t = &inv.typed;
    assert_eq!(t.route_entries[0].table, Fact::Known(t.vpcs[0].system_table));
    assert_eq!(t.route_entries[0].next_hops, [NextHop::Nat(NatId(0))]);
}

#[test]
fn blocks_that_only_a_dynamic_block_can_leave_out_are_unknown() {
    let list = |unknown: J| {
        plan()
            .block(
                "alicloud_ecs_prefix_list",
                "p",
                json!({"address_family": {"constant_value": "IPv4"}}),
                &[("", json!({"prefix_list_name": "p"}), unknown)],
            )
            .read()
            .typed
            .prefix_lists[0]
            .entries
            .clone()
    };
    assert!(list(json!({"id": true, "entry": true})).known().is_none());
    assert_eq!(list(json!({"id": true})), Fact::Known(vec![]));
}

#[test]
fn a_resource_that_goes_is_not_read() {
    let mut p = plan();
    p.changes.push(json!({
        "address": "alicloud_vpc.gone",
        "change": {"actions": ["delete"], "before": {"cidr_block": "172.16.0.0/12"}, "after": null, "after_unknown": {}},
    }));
    assert_eq!(p.read().typed.vpcs.len(), 1);
}

/// Distinct blocks used to be looked up one by one for every unknown argument.
#[test]
fn very_many_blocks_are_read_in_time() {
    let mut p = plan();
    let n = 20_000;
    for i in 0..n {
        p = p.block(
            "alicloud_security_group_rule",
            &format!("r{i}"),
            json!({"security_group_id": {"references": G0}}),
            &[(
                "",
                json!({"type": "ingress", "ip_protocol": "tcp", "cidr_ip": "10.0.0.0/8"}),
                json!({"id": true, "security_group_id": true, "prefix_list_id": true, "nic_type": true, "security_group_rule_id": true}),
            )],
        );
    }
    let begin = std::time::Instant::now();
    let inv = p.read();
    assert_eq!(inv.typed.sg_rules.len(), n);
    assert!(inv.typed.sg_rules.iter().all(|r| r.group.known().is_some()));
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
}
