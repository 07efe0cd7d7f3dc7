//! Values that depend on what is not known: `try`, `can`, sets. A clause holds of them only if it does for every value.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{self, Holds, Undecided, Violated};
use common::two_hosts::{NET, files};

/// Two hosts of which nobody lets anybody in, and a group of which it is not known how many there are.
fn net(more: &str) -> String {
    format!(
        r#"{NET}
variable "n" {{}}
resource "alicloud_security_group" "x" {{
  count               = var.n
  vpc_id              = alicloud_vpc.v.id
  security_group_name = "k"
}}
{more}"#
    )
}

/// A rule that lets everybody in.
fn rule(count: &str, group: &str) -> String {
    format!(
        r#"
resource "alicloud_security_group_rule" "r" {{
  count             = {count}
  security_group_id = {group}
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "22/22"
  cidr_ip           = "10.0.0.0/8"
}}
"#
    )
}

#[track_caller]
fn says(more: &str, want: Verdict) {
    files(&[("main.tf", &net(more))], want);
}

const G: &str = "alicloud_security_group.g.id";

/// `x[0]` of a number that is not known: `try` and `can` do not know whether it is there.
#[test]
fn what_may_fail_is_not_there_for_certain() {
    let x = "alicloud_security_group.x";
    let g = rule("1", G);
    says(&g, Violated);
    for count in [
        format!("try({x}[0].security_group_name, \"none\") == \"none\" ? 1 : 0"),
        format!("try({x}.0.security_group_name, \"none\") == \"none\" ? 1 : 0"),
        format!("can({x}[0]) ? 0 : 1"),
        "can(cidrhost(var.n, 0)) ? 0 : 1".to_string(),
        "can(regex(\"a\", var.n)) ? 0 : 1".to_string(),
        "can(tonumber(var.n)) ? 0 : 1".to_string(),
        "can(keys(var.n)) ? 0 : 1".to_string(),
        "can(var.n.x) ? 0 : 1".to_string(),
        "can(var.n[0]) ? 0 : 1".to_string(),
        "can(data.alicloud_vpcs.d.ids[0]) ? 0 : 1".to_string(),
        "1 - length(try([var.n.b], []))".to_string(),
        "1 - length(try([data.alicloud_vpcs.d.ids[0]], []))".to_string(),
        "1 - length(try({a = var.n.b}, {}))".to_string(),
        "2 - length(try(concat([\"a\"], [var.n.b]), []))".to_string(),
        "1 - length(try(merge({}, {a = var.n.b}), {}))".to_string(),
        "1 - length(try([tonumber(var.n)], []))".to_string(),
        "try(var.n.b != \"x\" || true, false) ? 0 : 1".to_string(),
        "try({a = \"k\", b = var.n.b}.a, \"none\") == \"k\" ? 0 : 1".to_string(),
        "length(try([for i in var.n : i], [1])) == 0 ? 1 : 1 - length(try([\"${var.n}\"], []))".to_string(),
        "can(provider::alicloud::f(\"a\")) ? 0 : 1".to_string(),
    ] {
        let data = "data \"alicloud_vpcs\" \"d\" {}\n";
        says(&format!("{data}{}", rule(&count, G)), Undecided);
    }
    says(&rule("1", &format!("try({x}[0].id, {G})")), Undecided);
    let local = format!("locals {{\n  sg = try({x}[0].id, {G})\n}}\n");
    says(&format!("{local}{}", rule("1", "local.sg")), Undecided);
    // What cannot fail is itself, and what fails for certain is not it.
    says(&rule("1", &format!("try({G}, {x}[0].id)")), Violated);
    says(&rule("1", &format!("try([][0], {G})")), Violated);
    says(&rule(&format!("can({G}) ? 0 : 1"), G), Holds);
    // A side that may not be taken may fail.
    says(&rule("(var.n == 1 ? [][0] : 0) == 0 ? 0 : 1", G), Undecided);
}

/// The same through an output of a module, and of a module whose number is not known.
#[test]
fn modules_that_may_not_be_there() {
    let module = r#"
variable "n" {}
variable "vpc" {}
resource "alicloud_security_group" "x" {
  count  = var.n
  vpc_id = var.vpc
}
output "id" {
  value = try(alicloud_security_group.x[0].id, "")
}
output "o" {
  value = "10.0.0.0/8"
}
"#;
    let call = "module \"m\" {\n  source = \"./m\"\n  n = var.n\n  vpc = alicloud_vpc.v.id\n}\n";
    let many = "module \"m\" {\n  source = \"./m\"\n  count = var.n\n  n = 0\n  vpc = alicloud_vpc.v.id\n}\n";
    let both = |call: &str, rule: &str, want| {
        files(
            &[("main.tf", &net(&format!("{call}{rule}"))), ("m/main.tf", module)],
            want,
        );
    };
    both(
        call,
        &rule("1", &format!("coalesce(module.m.id, {G})")),
        Undecided,
    );
    both(
        many,
        &rule("try(module.m[0].o, \"none\") == \"none\" ? 1 : 0", G),
        Undecided,
    );
}

/// Of a set with members that are not known, neither the number nor the order is.
#[test]
fn sets_of_what_is_not_known() {
    let (a, g) = ("alicloud_security_group.a.id", G);
    let two = "variable \"y\" {}\n";
    for count in [
        "2 - length(distinct([var.n, var.y]))",
        "2 - length(toset([\"a\", var.n]))",
        "4 - length(setproduct([\"a\", \"b\"], toset([var.n, \"a\"])))",
        "distinct([var.n, \"b\", \"a\"])[1] == \"b\" ? 0 : 1",
        "tolist(toset([\"b\", var.n]))[0] == \"b\" ? 0 : 1",
        "length(setsubtract([\"b\"], [alicloud_vpc.v.id])) == 1 ? 0 : 1",
    ] {
        says(&format!("{two}{}", rule(count, g)), Undecided);
    }
    for group in [
        format!("tolist(toset([{g}, {a}]))[0]"),
        format!("[for x in toset([{g}, {a}]) : x][0]"),
        format!("toset([{g}, {a}])[*][0]"),
        format!("flatten([toset([{g}, {a}])])[0]"),
        format!("element(concat(tolist(toset([{g}, {a}])), []), 0)"),
        format!("reverse(tolist(toset([{g}, {a}])))[0]"),
        format!("max(tolist(toset([{g}, {a}]))...)"),
    ] {
        says(&rule("1", &group), Undecided);
    }
    // Ids of two resources are two, whatever they are, and who is in a set is certain.
    says(&rule(&format!("2 - length(toset([{g}, {a}]))"), g), Holds);
    says(&rule(&format!("length(distinct([{g}, {g}]))"), g), Violated);
    let web = net("").replacen(
        "security_groups = [alicloud_security_group.g.id]",
        "security_groups = [for x in distinct([alicloud_security_group.g.id, alicloud_security_group.a.id]) : x]",
        1,
    );
    files(&[("main.tf", &format!("{web}{}", rule("1", a)))], Violated);
    let web = web.replace("distinct(", "toset(");
    files(&[("main.tf", &format!("{web}{}", rule("1", a)))], Violated);
}

/// Entries that a set makes come in an order that nobody knows.
#[test]
fn entries_of_a_set() {
    let acl = |each: &str| {
        format!(
            r#"{}
resource "alicloud_network_acl" "n" {{
  vpc_id = alicloud_vpc.v.id
  dynamic "ingress_acl_entries" {{
    for_each = {each}
    content {{
      policy         = ingress_acl_entries.value == "10.0.0.0/8" ? "drop" : "accept"
      protocol       = "all"
      port           = "-1/-1"
      source_cidr_ip = ingress_acl_entries.value
    }}
  }}
  resources {{
    resource_id   = alicloud_vswitch.s.id
    resource_type = "VSwitch"
  }}
}}
"#,
            rule("1", G)
        )
    };
    says(&acl("[\"10.0.0.0/8\", \"0.0.0.0/0\"]"), Holds);
    says(&acl("toset([\"10.0.0.0/8\", var.n])"), Undecided);
    says(&acl("try([var.n.deny], [\"10.0.0.0/8\"])"), Undecided);
}
