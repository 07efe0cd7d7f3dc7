//! A plan with the directory that it was made from.

use super::*;

const DIRECTORY: &str = r#"
provider "alicloud" { region = var.region }
variable "region" { type = string }
variable "flag" { type = bool }
variable "none" { type = list(string) }
variable "extra" { type = list(string) }
locals { second = alicloud_vswitch.s[1].id }
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/8" }
resource "alicloud_vswitch" "s" {
  count      = 2
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.${count.index + 1}.0.0/16"
}
resource "alicloud_security_group" "g" {
  count  = 2
  vpc_id = alicloud_vpc.v.id
}
resource "alicloud_instance" "i" {
  count           = 2
  vswitch_id      = element(alicloud_vswitch.s[*].id, count.index + 1)
  security_groups = concat(slice(alicloud_security_group.g[*].id, 0, 1), var.extra)
}
resource "alicloud_slb_load_balancer" "lb" { address_type = "internet" }
resource "alicloud_slb_server_group" "sg" {
  load_balancer_id = alicloud_slb_load_balancer.lb.id
  dynamic "servers" {
    for_each = toset(["a"])
    content {
      server_ids = [alicloud_instance.i[1].id]
      port       = 80
    }
  }
}
"#;

/// The plan of that directory as Terraform shows it.
fn of_directory() -> Plan {
    with_vswitch(json!({"references": S}))
}

/// The same where instances are in another vSwitch.
fn with_vswitch(vswitch: J) -> Plan {
    let lb = json!({"references": ["alicloud_slb_load_balancer.lb.id", "alicloud_slb_load_balancer.lb"]});
    let mut p = plan()
        .instances(
            2,
            json!({
                "vswitch_id": vswitch,
                "security_groups": {"references": ["alicloud_security_group.g", "var.extra"]},
            }),
            json!({"id": true, "vswitch_id": true, "security_groups": true, "private_ip": true, "network_interfaces": true}),
        )
        .block(
            "alicloud_slb_load_balancer",
            "lb",
            json!({"address_type": {"constant_value": "internet"}}),
            &[("", json!({"address_type": "internet"}), json!({"id": true, "address": true}))],
        )
        .block(
            "alicloud_slb_server_group",
            "sg",
            json!({"load_balancer_id": lb}),
            &[("", json!({}), json!({"id": true, "load_balancer_id": true, "servers": true}))],
        );
    for b in &mut p.blocks {
        if [
            "alicloud_vswitch.s",
            "alicloud_security_group.g",
            "alicloud_instance.i",
        ]
        .iter()
        .any(|a| b["address"] == *a)
        {
            b["count_expression"] = json!({"constant_value": 2});
        }
    }
    p
}

/// Homes of the instances.
fn instances(inv: &Inventory) -> Vec<String> {
    let t = &inv.typed;
    let mine = t
        .interfaces
        .iter()
        .map(|i| i.meta.origin.address.starts_with("alicloud_instance."));
    homes(inv)
        .into_iter()
        .zip(mine)
        .filter(|(_, m)| *m)
        .map(|(h, _)| h)
        .collect()
}

fn servers(inv: &Inventory) -> Option<String> {
    let r = inv
        .resources
        .iter()
        .find(|r| &*r.kind == "alicloud_slb_server_group");
    match &r.unwrap().get("servers")?.value {
        Value::List(all) => all.first().and_then(|b| match &b.get("server_ids")?.value {
            Value::List(ids) => match &ids[0].value {
                Value::Ref(r) => Some(r.address.to_string()),
                v => Some(format!("{v:?}")),
            },
            v => Some(format!("{v:?}")),
        }),
        v => Some(format!("{v:?}")),
    }
}

#[test]
fn the_directory_shows_what_a_plan_does_not() {
    let text = of_directory().text();
    let alone = read_text(&text);
    assert!(
        instances(&alone).iter().all(|h| h == "? ?"),
        "{:?}",
        instances(&alone)
    );
    let inv = read_beside(&text, Some(DIRECTORY));
    // `extra` has the value that it has in the plan.
    assert_eq!(instances(&inv), ["s[1] g[0]+sg-far", "s[0] g[0]+sg-far"]);
    assert_eq!(servers(&inv).as_deref(), Some("alicloud_instance.i[1]"));
    assert!(inv.diagnostics.iter().all(|d| d.severity != Severity::Error));
    assert_eq!(inv.source, SourceKind::Plan);
}

#[test]
fn a_directory_that_differs_is_not_believed() {
    let text = of_directory().text();
    let other = DIRECTORY.replace("10.0.0.0/8", "10.0.0.0/9");
    let inv = read_beside(&text, Some(&other));
    let said: Vec<_> = inv
        .diagnostics
        .iter()
        .filter(|d| d.message.contains("another in the directory"))
        .collect();
    assert_eq!(said.len(), 1);
    assert_eq!(instances(&inv)[0], "? ?");
    assert!(
        said[0].message.contains("`cidr_block` of `alicloud_vpc.v`"),
        "{}",
        said[0].message
    );
    // What is known stays known.
    assert_eq!(inv.typed.vpcs[0].cidrs.len(), 1);
    let nothing = read_beside(
        &text,
        Some(r#"resource "alicloud_vpc" "x" { cidr_block = "10.0.0.0/8" }"#),
    );
    assert!(
        nothing
            .diagnostics
            .iter()
            .any(|d| d.severity == Severity::Error && d.message.contains("no resource of the plan"))
    );
    assert_eq!(instances(&nothing)[0], "? ?");
}

/// Of two spellings that are written, the directory knows which is null.
#[test]
fn the_directory_tells_which_spelling_is_null() {
    let group = r#"resource "alicloud_security_group" "x" {
      vpc_id              = alicloud_vpc.v.id
      inner_access        = var.flag ? true : null
      inner_access_policy = var.flag ? null : "Drop"
    }"#;
    let var = || json!({"references": ["var.flag"]});
    let e = json!({"vpc_id": {"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]}, "inner_access": var(), "inner_access_policy": var()});
    let values = json!({"inner_access": true, "inner_access_policy": "Drop"});
    let text = of_directory()
        .block(
            "alicloud_security_group",
            "x",
            e,
            &[("", values, json!({"vpc_id": true}))],
        )
        .text();
    let inner = |inv: Inventory| inv.typed.security_groups[2].inner_accept.known().copied();
    assert_eq!(inner(read_text(&text)), None);
    assert_eq!(
        inner(read_beside(&text, Some(&format!("{DIRECTORY}{group}")))),
        Some(true)
    );
}

/// A plan does not say in which workspace it was made.
#[test]
fn the_workspace_of_a_plan_is_not_known() {
    let one = [
        &["terraform.workspace"][..],
        &S0,
        &[
            "alicloud_vswitch.s[1].id",
            "alicloud_vswitch.s[1]",
            "alicloud_vswitch.s",
        ],
    ];
    let text = with_vswitch(json!({"references": one.concat()})).text();
    let directory = DIRECTORY.replace(
        "element(alicloud_vswitch.s[*].id, count.index + 1)",
        "terraform.workspace == \"prod\" ? alicloud_vswitch.s[0].id : alicloud_vswitch.s[1].id",
    );
    let homes = |workspace| {
        let all = instances(&read_in(&text, Some(&directory), workspace));
        all[0].split(' ').next().unwrap().to_string()
    };
    assert_eq!(homes(None), "?");
    assert_eq!(homes(Some("prod")), "s[0]");
    assert_eq!(homes(Some("default")), "s[1]");
    // A `cloud` block names it.
    let cloud = "terraform {\n cloud {\n  workspaces {\n   name = \"prod\"\n  }\n }\n}";
    let all = instances(&read_in(&text, Some(&format!("{directory}{cloud}")), None));
    assert_eq!(all[0].split(' ').next(), Some("s[0]"));
}

/// What a plan says of a configuration is compared with the directory: what each expression names, and constants. Any
/// change may decide what something else gets, so nothing of a directory that has changed is used.
#[test]
fn a_directory_that_has_changed_since_is_not_used() {
    let text = of_directory().text();
    let read = |directory: &str| {
        let inv = read_beside(&text, Some(directory));
        let said = inv
            .diagnostics
            .iter()
            .find(|d| d.message.contains("in the directory"));
        (instances(&inv)[0] != "? ?", said.map(|d| d.message.clone()))
    };
    assert_eq!(read(DIRECTORY), (true, None));
    // What is not compared: the order of declarations, comments, blocks that are not about what is made.
    let same = format!(
        "# more\n{}",
        DIRECTORY.replace(
            "count  = 2",
            "count  = 1 + 1\n  lifecycle {\n    ignore_changes = [tags]\n  }"
        )
    );
    assert_eq!(read(&same), (true, None));
    for (old, new, what) in [
        (
            "alicloud_vswitch.s[*].id, count.index + 1",
            "alicloud_vswitch.s[*].id, 1",
            "`vswitch_id` of `alicloud_instance.i`",
        ),
        (
            "alicloud_vswitch.s[*].id, count.index",
            "alicloud_vswitch.t[*].id, count.index",
            "`vswitch_id` of `alicloud_instance.i`",
        ),
        (", var.extra)", ")", "`security_groups` of `alicloud_instance.i`"),
        (
            "count  = 2",
            "count  = var.flag ? 2 : 2",
            "`count` of `alicloud_security_group.g`",
        ),
        (
            "count  = 2",
            "count  = 3",
            "`count` of `alicloud_security_group.g`",
        ),
        (
            "count  = 2",
            "for_each = toset([])",
            "`count` of `alicloud_security_group.g`",
        ),
        (
            "\"internet\"",
            "\"intranet\"",
            "`address_type` of `alicloud_slb_load_balancer.lb`",
        ),
        (
            "address_type = \"internet\"",
            "",
            "`address_type` of `alicloud_slb_load_balancer.lb`",
        ),
        (
            "address_type = \"internet\"",
            "\n address_type = \"internet\"\n vswitch_id = alicloud_vswitch.s[0].id\n",
            "`vswitch_id` of `alicloud_slb_load_balancer.lb`",
        ),
        (
            "load_balancer_id = alicloud_slb_load_balancer.lb.id",
            "load_balancer_id = alicloud_slb_load_balancer.lb.id\n servers { server_ids = [] }",
            "`servers` of `alicloud_slb_server_group.sg`",
        ),
        (
            "resource \"alicloud_slb_load_balancer\" \"lb\" { address_type = \"internet\" }",
            "",
            "`alicloud_slb_load_balancer.lb` is in the plan and not in the directory",
        ),
        (
            "variable \"flag\"",
            "data \"alicloud_vpcs\" \"d\" {}\nvariable \"flag\"",
            "`data.alicloud_vpcs.d` is in the directory and not in the plan",
        ),
    ] {
        let changed = DIRECTORY.replace(old, new);
        assert_ne!(changed, DIRECTORY, "{old}");
        let (used, said) = read(&changed);
        assert!(
            !used && said.as_ref().is_some_and(|m| m.contains(what)),
            "{old} -> {new}: {said:?}"
        );
    }
}

/// A plan with one group of a module, in the words of Terraform 1.11.
fn of_module() -> J {
    let rule = json!({"references": ["module.m[0].group", "module.m[0]"]});
    json!({
        "format_version": "1.2", "terraform_version": "1.11.4",
        "planned_values": {"root_module": {
            "resources": [{"address": "alicloud_security_group_rule.r", "mode": "managed", "type": "alicloud_security_group_rule",
                "name": "r", "values": {"type": "ingress", "ip_protocol": "tcp", "port_range": "22/22", "cidr_ip": "10.0.0.0/8"}}],
            "child_modules": [{"address": "module.m[0]", "resources": [
                {"address": "module.m[0].alicloud_security_group.g", "mode": "managed", "type": "alicloud_security_group", "name": "g", "values": {"vpc_id": "vpc-1"}},
                {"address": "module.m[0].alicloud_security_group.h", "mode": "managed", "type": "alicloud_security_group", "name": "h", "values": {"vpc_id": "vpc-1"}},
            ]}],
        }},
        "resource_changes": [
            {"address": "alicloud_security_group_rule.r", "change": {"actions": ["create"], "after_unknown": {"id": true, "security_group_id": true}}},
            {"address": "module.m[0].alicloud_security_group.g", "change": {"actions": ["create"], "after_unknown": {"id": true}}},
            {"address": "module.m[0].alicloud_security_group.h", "change": {"actions": ["create"], "after_unknown": {"id": true}}},
        ],
        "configuration": {"root_module": {
            "resources": [{"address": "alicloud_security_group_rule.r", "mode": "managed", "type": "alicloud_security_group_rule", "name": "r",
                "expressions": {"type": {"constant_value": "ingress"}, "ip_protocol": {"constant_value": "tcp"},
                    "port_range": {"constant_value": "22/22"}, "cidr_ip": {"constant_value": "10.0.0.0/8"}, "security_group_id": rule}}],
            "module_calls": {"m": {
                "source": "./m", "count_expression": {"constant_value": 1}, "expressions": {"vpc": {"constant_value": "vpc-1"}},
                "module": {
                    "outputs": {"group": {"expression": {"references": ["alicloud_security_group.g.id", "alicloud_security_group.g"]}}},
                    "variables": {"vpc": {}, "more": {"default": [1, "a", {"b": true}]}},
                    "resources": [
                        {"address": "alicloud_security_group.g", "mode": "managed", "type": "alicloud_security_group", "name": "g", "expressions": {"vpc_id": {"references": ["var.vpc"]}}},
                        {"address": "alicloud_security_group.h", "mode": "managed", "type": "alicloud_security_group", "name": "h", "expressions": {"vpc_id": {"references": ["var.vpc"]}}},
                    ],
                },
            }},
        }},
    })
}

const CALL: &str = r#"
module "m" {
  source = "./m"
  count  = 1
  vpc    = "vpc-1"
}
resource "alicloud_security_group_rule" "r" {
  security_group_id = module.m[0].group
  type        = "ingress"
  ip_protocol = "tcp"
  port_range  = "22/22"
  cidr_ip     = "10.0.0.0/8"
}
"#;
const MODULE: &str = r#"
variable "vpc" {}
variable "more" { default = [1, "a", { b = true }] }
resource "alicloud_security_group" "g" { vpc_id = var.vpc }
resource "alicloud_security_group" "h" { vpc_id = var.vpc }
output "group" { value = alicloud_security_group.g.id }
"#;

/// The same goes for modules: their arguments, sources, outputs and defaults.
#[test]
fn a_module_that_has_changed_since_is_not_used() {
    let group = |plan: &J, call: &str, module: &str| {
        let mut sources = Sources::default();
        let mut files = FileSet::default();
        files.add(&mut sources, "plan.json", plan.to_string());
        let mut directory = FileSet::default();
        directory.add(&mut sources, "main.tf", call);
        directory.add(&mut sources, "m/main.tf", module);
        directory.add(&mut sources, "n/main.tf", module);
        let options = ReadOptions {
            configuration: Some(directory),
            ..ReadOptions::default()
        };
        let inv = read(&files, &mut sources, &options);
        let said = inv
            .diagnostics
            .iter()
            .find(|d| d.message.contains("in the directory"));
        let g = inv.typed.sg_rules[0].group.known();
        let g = g.map(|g| inv.typed[*g].meta.origin.address.to_string());
        (g, said.map(|d| d.message.clone()))
    };
    let plan = of_module();
    let g = Some("module.m[0].alicloud_security_group.g".to_string());
    assert_eq!(group(&plan, CALL, MODULE), (g.clone(), None));
    for (old, new, what) in [
        (
            "alicloud_security_group.g.id",
            "alicloud_security_group.h.id",
            "output `group` of `module.m`",
        ),
        ("{ b = true }", "{ b = false }", "variable `more` of `module.m`"),
        (
            "vpc_id = var.vpc",
            "vpc_id = \"vpc-1\"",
            "`vpc_id` of `module.m.alicloud_security_group.g`",
        ),
    ] {
        let (to, said) = group(&plan, CALL, &MODULE.replace(old, new));
        assert_ne!(
            to.as_deref(),
            Some("module.m[0].alicloud_security_group.h"),
            "{old}"
        );
        assert!(said.is_some_and(|m| m.contains(what)), "{what}");
    }
    for (old, new, what) in [
        ("\"./m\"", "\"./n\"", "`source` of `module.m`"),
        ("vpc-1", "vpc-2", "`vpc` of `module.m`"),
        (
            "vpc    = \"vpc-1\"",
            "vpc = \"vpc-1\"\n  more = []",
            "`more` of `module.m`",
        ),
        ("count  = 1", "count  = 2", "`count` of `module.m`"),
    ] {
        let (_, said) = group(&plan, &CALL.replace(old, new), MODULE);
        assert!(said.is_some_and(|m| m.contains(what)), "{what}");
    }
    // Before format 1.0 a plan lists things without what of them is meant.
    let mut old = plan.clone();
    old["format_version"] = json!("0.1");
    let root = &mut old["configuration"]["root_module"];
    root["resources"][0]["expressions"]["security_group_id"] = json!({"references": ["module.m[0]"]});
    root["module_calls"]["m"]["module"]["outputs"]["group"]["expression"] =
        json!({"references": ["alicloud_security_group.g"]});
    assert_eq!(group(&old, CALL, MODULE).1, None);
    let h = MODULE.replace("security_group.g.id", "security_group.h.id");
    assert!(group(&old, CALL, &h).1.is_some());
}

/// Values that both know are compared in depth: a literal beside a reference is in no configuration of a plan.
#[test]
fn a_literal_in_a_list_that_has_changed_is_seen() {
    let refs = json!({"references": G0});
    let mut e = json!({"vswitch_id": {"references": S0}});
    e["security_groups"] = refs;
    let plan = || {
        let values = json!({"security_groups": [null, "sg-far"]});
        let unknown =
            json!({"id": true, "vswitch_id": true, "security_groups": [true, false], "private_ip": true});
        let mut p = plan().block("alicloud_instance", "i", e.clone(), &[("", values, unknown)]);
        for b in &mut p.blocks {
            if b["address"] == "alicloud_vswitch.s" || b["address"] == "alicloud_security_group.g" {
                b["count_expression"] = json!({"constant_value": 2});
            }
        }
        p.text()
    };
    let directory = |group: &str| {
        let base = DIRECTORY.split("resource \"alicloud_instance\"").next().unwrap();
        format!(
            "{base}resource \"alicloud_instance\" \"i\" {{\n vswitch_id = alicloud_vswitch.s[0].id\n security_groups = [alicloud_security_group.g[0].id, \"{group}\"]\n}}"
        )
    };
    let same = read_beside(&plan(), Some(&directory("sg-far")));
    assert_eq!(instances(&same), ["s[0] g[0]+sg-far"]);
    let other = read_beside(&plan(), Some(&directory("sg-near")));
    assert!(
        other
            .diagnostics
            .iter()
            .any(|d| d.message.contains("`security_groups` of `alicloud_instance.i`"))
    );
    // From the plan alone.
    assert_eq!(instances(&other), ["s[0] g[0]+sg-far"]);
}
