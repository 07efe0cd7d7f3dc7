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
    let lb = json!({"references": ["alicloud_slb_load_balancer.lb.id", "alicloud_slb_load_balancer.lb"]});
    plan()
        .instances(
            2,
            json!({
                "vswitch_id": {"references": S},
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
        )
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
    let text = plan()
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
    let text = of_directory().text();
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
}
