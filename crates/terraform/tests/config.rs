//! Reading configurations: what becomes of values that nobody can know, of references, and of bad input.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use bartizan_base::Sources;
use bartizan_model::{Resource, Value};
use bartizan_terraform::{Assignment, EvalOptions, FileSet, evaluate};
use proptest::prelude::*;

fn read_with(files: &[(&str, &str)], options: &EvalOptions) -> (Vec<Resource>, Vec<String>) {
    let mut sources = Sources::default();
    let mut set = FileSet::default();
    for (name, text) in files {
        set.add(&mut sources, name, *text);
    }
    let (r, d) = evaluate(&set, &sources, options);
    let d = d
        .iter()
        .map(|d| {
            format!(
                "{} {} {}",
                d.code,
                d.span().map(|s| sources.place(s)).unwrap_or_default(),
                d.message
            )
        })
        .collect();
    (r, d)
}

fn read(text: &str) -> (Vec<Resource>, Vec<String>) {
    read_with(&[("main.tf", text)], &EvalOptions::default())
}

fn attribute(rs: &[Resource], address: &str, name: &str) -> Value {
    let r = rs.iter().find(|r| &*r.address == address);
    let r = r.unwrap_or_else(|| {
        panic!(
            "no {address} in {:?}",
            rs.iter().map(|r| &r.address).collect::<Vec<_>>()
        )
    });
    r.attributes
        .get(name)
        .unwrap_or_else(|| panic!("{address} has no {name}"))
        .value
        .clone()
}

fn reference(v: &Value) -> String {
    match v {
        Value::Ref(r) => format!("{}|{}", r.address, r.attribute),
        v => panic!("{v:?} is not a reference"),
    }
}

#[test]
fn references_join_and_configured_attributes_are_values() {
    let (r, d) = read(
        r#"
        resource "alicloud_vpc" "a" { cidr_block = "10.0.0.0/8" }
        resource "alicloud_vswitch" "v" {
          count      = 2
          vpc_id     = alicloud_vpc.a.id
          cidr_block = cidrsubnet(alicloud_vpc.a.cidr_block, 8, count.index)
        }
        resource "alicloud_instance" "i" {
          for_each   = { x = 0, y = 1 }
          vswitch_id = alicloud_vswitch.v[each.value].id
          all        = alicloud_vswitch.v[*].id
          whole      = alicloud_vswitch.v[1]
          template   = "${alicloud_vpc.a.id}"
          joined     = join("", [alicloud_vpc.a.id])
          mixed      = "vpc-${alicloud_vpc.a.id}"
          zones      = data.alicloud_zones.z.zones.0.id
        }
        data "alicloud_zones" "z" {}
        "#,
    );
    assert!(d.is_empty(), "{d:?}");
    let i = "alicloud_instance.i[\"y\"]";
    assert_eq!(
        reference(&attribute(&r, i, "vswitch_id")),
        "alicloud_vswitch.v[1]|id"
    );
    assert_eq!(reference(&attribute(&r, i, "whole")), "alicloud_vswitch.v[1]|id");
    assert_eq!(reference(&attribute(&r, i, "template")), "alicloud_vpc.a|id");
    assert_eq!(reference(&attribute(&r, i, "joined")), "alicloud_vpc.a|id");
    assert_eq!(
        reference(&attribute(&r, i, "zones")),
        "data.alicloud_zones.z|zones[0].id"
    );
    assert!(matches!(attribute(&r, i, "mixed"), Value::Unknown(_)));
    assert_eq!(
        attribute(&r, "alicloud_vswitch.v[1]", "cidr_block"),
        Value::String("10.1.0.0/16".into())
    );
    match attribute(&r, i, "all") {
        Value::List(v) => assert_eq!(reference(&v[0].value), "alicloud_vswitch.v[0]|id"),
        v => panic!("{v:?}"),
    }
}

#[test]
fn the_table_of_a_nat_gateway_survives_split() {
    let (r, d) = read(
        r#"
        resource "alicloud_nat_gateway" "n" {}
        resource "alicloud_snat_entry" "e" {
          snat_table_id = element(split(",", alicloud_nat_gateway.n.snat_table_ids), 0)
        }
        "#,
    );
    assert!(d.is_empty(), "{d:?}");
    let id = attribute(&r, "alicloud_snat_entry.e", "snat_table_id");
    assert_eq!(reference(&id), "alicloud_nat_gateway.n|snat_table_ids");
}

#[test]
fn an_unknown_number_of_instances_is_one_that_may_exist() {
    let (r, d) = read(
        r#"
        variable "on" { type = bool }
        resource "alicloud_vpc" "a" { count = var.on ? 1 : 0 }
        resource "alicloud_vswitch" "v" { vpc_id = alicloud_vpc.a[0].id }
        resource "alicloud_eip" "e" { count = length(alicloud_vpc.a) }
        resource "alicloud_nat_gateway" "n" {
          for_each = alicloud_vpc.a
          vpc_id   = each.value.id
        }
        resource "alicloud_route_table" "t" { ids = alicloud_vpc.a[*].id }
        "#,
    );
    assert!(d.is_empty(), "{d:?}");
    let a = r.iter().find(|r| &*r.address == "alicloud_vpc.a[?]").unwrap();
    assert!(
        a.maybe.as_ref().unwrap().why.contains("`on` has no value"),
        "{:?}",
        a.maybe
    );
    assert_eq!(
        reference(&attribute(&r, "alicloud_vswitch.v", "vpc_id")),
        "alicloud_vpc.a[?]|id"
    );
    assert!(r.iter().any(|r| &*r.address == "alicloud_eip.e[?]"));
    assert_eq!(r.iter().filter(|r| &*r.kind == "alicloud_nat_gateway").count(), 1);
    assert!(r.iter().any(|r| &*r.address == "alicloud_nat_gateway.n[?]"));
    assert!(matches!(
        attribute(&r, "alicloud_route_table.t", "ids"),
        Value::Unknown(_)
    ));
}

#[test]
fn dynamic_blocks_are_blocks() {
    let (r, d) = read(
        r#"
        locals { entries = [{ p = "22", n = ["a"] }, { p = "443", n = [] }] }
        resource "alicloud_network_acl" "a" {
          ingress_acl_entries { port = "1" }
          dynamic "ingress_acl_entries" {
            for_each = local.entries
            iterator = e
            content {
              port = "${e.value.p}/${e.key}"
              dynamic "inner" {
                for_each = e.value.n
                content { name = inner.value }
              }
            }
          }
          dynamic "egress_acl_entries" {
            for_each = var.unset
            content { port = "x" }
          }
        }
        variable "unset" {}
        "#,
    );
    assert!(d.is_empty(), "{d:?}");
    let Value::List(v) = attribute(&r, "alicloud_network_acl.a", "ingress_acl_entries") else {
        panic!()
    };
    let ports: Vec<_> = v.iter().map(|n| n.get("port").unwrap().value.clone()).collect();
    assert_eq!(ports, ["1", "22/0", "443/1"].map(|s| Value::String(s.into())));
    assert!(matches!(&v[1].get("inner").unwrap().value, Value::List(l) if l.len() == 1));
    let Value::List(v) = attribute(&r, "alicloud_network_acl.a", "egress_acl_entries") else {
        panic!()
    };
    assert!(
        matches!(&v[0].value, Value::Unknown(u) if u.why.contains("unset")),
        "{v:?}"
    );
}

#[test]
fn providers_carry_regions_into_modules() {
    let files = [
        (
            "main.tf",
            r#"
            variable "region" { default = "cn-beijing" }
            provider "alicloud" { region = var.region }
            provider "alicloud" {
              alias  = "hz"
              region = "cn-hangzhou"
            }
            resource "alicloud_vpc" "here" {}
            resource "alicloud_vpc" "there" { provider = alicloud.hz }
            module "a" {
              source    = "./m"
              providers = { alicloud = alicloud.hz }
            }
            module "b" { source = "./m" }
            "#,
        ),
        ("m/main.tf", r#"resource "alicloud_vpc" "v" {}"#),
    ];
    let (r, d) = read_with(&files, &EvalOptions::default());
    assert!(d.is_empty(), "{d:?}");
    let region = |a: &str| {
        r.iter()
            .find(|r| &*r.address == a)
            .unwrap()
            .region
            .clone()
            .unwrap()
            .to_string()
    };
    assert_eq!(region("alicloud_vpc.here"), "cn-beijing");
    assert_eq!(region("alicloud_vpc.there"), "cn-hangzhou");
    assert_eq!(region("module.a.alicloud_vpc.v"), "cn-hangzhou");
    assert_eq!(region("module.b.alicloud_vpc.v"), "cn-beijing");
}

#[test]
fn modules_that_are_not_there_are_listed_and_still_join() {
    let (r, d) = read(
        r#"
        module "vpc" { source = "alibaba/vpc/alicloud" }
        resource "alicloud_vswitch" "a" { vpc_id = module.vpc.vpc_id }
        resource "alicloud_vswitch" "b" { vpc_id = module.vpc.vswitch_ids[0] }
        "#,
    );
    assert_eq!(d.len(), 1, "{d:?}");
    assert!(
        d[0].starts_with("INPUT003 main.tf:2:9 module `vpc` is not part of the answer"),
        "{d:?}"
    );
    assert_eq!(
        reference(&attribute(&r, "alicloud_vswitch.a", "vpc_id")),
        "module.vpc|vpc_id"
    );
    assert_eq!(
        reference(&attribute(&r, "alicloud_vswitch.b", "vpc_id")),
        "module.vpc|vswitch_ids[0]"
    );
    assert!(
        r.iter()
            .any(|r| &*r.address == "module.vpc" && &*r.kind == "module")
    );
}

#[test]
fn modules_json_says_where_registry_modules_are() {
    let files = [
        (
            "main.tf",
            "module \"vpc\" { source = \"alibaba/vpc/alicloud\" }\nresource \"alicloud_vswitch\" \"a\" { vpc_id = module.vpc.id }",
        ),
        (
            ".terraform/modules/modules.json",
            r#"{"Modules":[{"Key":"","Dir":"."},{"Key":"vpc","Source":"x","Dir":".terraform/modules/vpc"}]}"#,
        ),
        (
            ".terraform/modules/vpc/main.tf",
            "resource \"alicloud_vpc\" \"v\" {}\noutput \"id\" { value = alicloud_vpc.v.id }",
        ),
    ];
    let (r, d) = read_with(&files, &EvalOptions::default());
    assert!(d.is_empty(), "{d:?}");
    assert_eq!(
        reference(&attribute(&r, "alicloud_vswitch.a", "vpc_id")),
        "module.vpc.alicloud_vpc.v|id"
    );
}

#[test]
fn variables_come_from_the_strongest_source() {
    let files = [
        (
            "main.tf",
            "variable \"a\" { default = \"default\" }\nresource \"alicloud_vpc\" \"v\" { name = var.a }",
        ),
        ("terraform.tfvars", "a = \"tfvars\""),
        ("one.auto.tfvars", "a = \"auto\""),
        ("prod.tfvars", "a = \"file\""),
    ];
    let mut o = EvalOptions::default();
    o.env.insert("a".into(), "env".into());
    let name =
        |n: usize, o: &EvalOptions| match attribute(&read_with(&files[..n], o).0, "alicloud_vpc.v", "name") {
            Value::String(s) => s.to_string(),
            v => panic!("{v:?}"),
        };
    assert_eq!(name(1, &EvalOptions::default()), "default");
    assert_eq!(name(1, &o), "env");
    assert_eq!(name(2, &o), "tfvars");
    assert_eq!(name(3, &o), "auto");
    // The command line counts as it stands.
    let file = || Assignment::File("prod.tfvars".into());
    o.given.push(file());
    assert_eq!(name(4, &o), "file");
    o.given.push(Assignment::Var("a".into(), "flag".into()));
    assert_eq!(name(4, &o), "flag");
    o.given.push(file());
    assert_eq!(name(4, &o), "file");
}

#[test]
fn cycles_are_said_and_end() {
    let (r, d) = read(
        r#"
        locals {
          a = local.b
          b = local.a
        }
        resource "alicloud_vpc" "v" { name = local.a }
        resource "alicloud_vpc" "w" { name = alicloud_vpc.w.name }
        "#,
    );
    assert!(matches!(
        attribute(&r, "alicloud_vpc.v", "name"),
        Value::Unknown(_)
    ));
    assert!(
        d.iter()
            .any(|d| d.contains("local `a` refers to itself") || d.contains("local `b` refers to itself")),
        "{d:?}"
    );
    assert!(
        d.iter()
            .any(|d| d.contains("`alicloud_vpc.w.name` refers to itself")),
        "{d:?}"
    );
}

#[test]
fn a_module_that_calls_itself_ends() {
    let files = [
        ("main.tf", "module \"a\" { source = \"./m\" }"),
        (
            "m/main.tf",
            "module \"again\" { source = \"./\" }\nresource \"alicloud_vpc\" \"v\" {}",
        ),
    ];
    let (r, d) = read_with(&files, &EvalOptions::default());
    assert!(d.iter().any(|d| d.contains("nest more than")), "{d:?}");
    assert!(r.len() > 2 && r.len() < 100, "{}", r.len());
}

#[test]
fn a_broken_file_is_one_error_and_the_others_are_read() {
    let files = [
        ("bad.tf", "resource \"alicloud_vpc\" \"x\" {\n  cidr = = 1\n}"),
        ("good.tf", "resource \"alicloud_vpc\" \"v\" {}"),
    ];
    let (r, d) = read_with(&files, &EvalOptions::default());
    assert_eq!(r.len(), 1);
    assert_eq!(d.len(), 1);
    assert!(d[0].starts_with("INPUT001 bad.tf:2:"), "{d:?}");
}

#[test]
fn absurd_nesting_is_refused() {
    let open = "[".repeat(100_000);
    let not = "!".repeat(100_000);
    let cond = "true ? 1 : ".repeat(100_000);
    for e in [
        open,
        format!("{not}true"),
        format!("{cond} 2"),
        "-".repeat(50_000),
        "(".repeat(50_000),
    ] {
        let (_, d) = read(&format!(
            "locals {{ a = {e} }}\nresource \"alicloud_vpc\" \"v\" {{ name = local.a }}"
        ));
        assert!(!d.is_empty());
    }
    // A long chain of references is no nesting.
    let mut chain = String::from("locals {\n  a0 = \"end\"\n");
    for i in 1..5_000 {
        chain.push_str(&format!("  a{i} = local.a{}\n", i - 1));
    }
    chain.push_str("}\nresource \"alicloud_vpc\" \"v\" { name = local.a4999 }");
    let (r, _) = read(&chain);
    assert!(matches!(
        attribute(&r, "alicloud_vpc.v", "name"),
        Value::Unknown(_) | Value::String(_)
    ));
}

#[test]
fn ten_thousand_resources_are_read() {
    let mut text = String::from("resource \"alicloud_vpc\" \"v\" { cidr_block = \"10.0.0.0/8\" }\n");
    for i in 0..10_000 {
        text.push_str(&format!("resource \"alicloud_security_group\" \"g{i}\" {{\n  vpc_id = alicloud_vpc.v.id\n  name = \"g-{i}\"\n}}\n"));
    }
    let (r, d) = read(&text);
    assert!(d.is_empty());
    assert_eq!(r.len(), 10_001);
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in ".{0,400}") {
        let _ = read(&text);
    }

    #[test]
    fn pieces_of_terraform_are_read_without_a_panic(
        words in prop::collection::vec(prop::sample::select(vec![
            "resource", "\"alicloud_vpc\"", "\"a\"", "{", "}", "[", "]", "(", ")", "=", "\n", "count", "for_each",
            "var.x", "local.a", "each.key", "\"${", "}\"", "for", "in", ":", "=>", "...", "if", "?", "locals", "module",
            "source", "\"./m\"", "1", "-", "!", "*", ".*", "[*]", "0", "true", "null", "merge(", "format(", "\"%d\"",
            "<<EOT\n", "EOT\n", "dynamic", "content", "alicloud_vpc.a", "data", "%{ if", "%{ endif }", "~}", ",", "variable",
            "default", "type", "object({", "})", "optional(", "cidrsubnet(", "\"10.0.0.0/8\"", "provider", "alias", "output",
        ]), 0..60)
    ) {
        let text = words.join(" ");
        let _ = read(&text);
        let _ = read_with(&[("a.tf.json", &text), ("terraform.tfvars", &text)], &EvalOptions::default());
    }
}

/// A file of variables that is a list, or says two things of one, is none.
#[test]
fn a_variable_file_in_json_is_one_object() {
    for (text, bad) in [
        (r#"{"c": "10.0.0.0/8"}"#, false),
        (r#"[{"c": "10.0.0.0/8"}]"#, true),
        (r#"{"c": "10.0.0.0/8", "c": "10.1.0.0/16"}"#, true),
        ("1", true),
    ] {
        let main = "variable \"c\" {\n  default = \"192.168.0.0/16\"\n}\n";
        let (_, d) = read_with(
            &[("main.tf", main), ("terraform.tfvars.json", text)],
            &EvalOptions::default(),
        );
        assert_eq!(d.iter().any(|d| d.starts_with("INPUT001")), bad, "{text} {d:?}");
    }
    let (_, d) = read_with(&[("x.tf.json", "[1]")], &EvalOptions::default());
    assert!(d.iter().any(|d| d.starts_with("INPUT001")), "{d:?}");
}

/// `terraform.workspace` by what the root module says of where its state is, and by what is selected.
#[test]
fn the_workspace_is_the_one_that_is_configured() {
    let of =
        |file: &str, text: &str, more: &[(&str, &str)], workspace: Option<&str>, selected: Option<&str>| {
            let mut sources = Sources::default();
            let mut files = FileSet::default();
            files.add(
                &mut sources,
                "main.tf",
                "resource \"x_y\" \"a\" { name = terraform.workspace }",
            );
            files.add(&mut sources, file, text);
            for (name, text) in more {
                files.add(&mut sources, name, *text);
            }
            let options = EvalOptions {
                workspace: workspace.map(str::to_string),
                selected: selected.map(str::to_string),
                ..EvalOptions::default()
            };
            let (all, _) = evaluate(&files, &sources, &options);
            match &all[0].attributes["name"].value {
                Value::String(s) => s.to_string(),
                Value::Unknown(u) => format!("? {}", u.why),
                v => panic!("{v:?}"),
            }
        };
    let native = |text: &str, w: Option<&str>, s: Option<&str>| of("b.tf", text, &[], w, s);
    let (named, tagged) = (
        "terraform {\n cloud {\n  workspaces {\n   name = \"prod\"\n  }\n }\n}",
        "terraform {\n cloud {\n  workspaces {\n   tags = [\"prod\"]\n  }\n }\n}",
    );
    assert_eq!(native(named, None, None), "prod");
    assert_eq!(native(named, None, Some("dev")), "prod");
    assert_eq!(native(named, Some("dev"), None), "dev");
    assert!(native(tagged, None, None).starts_with("? which workspace"));
    assert_eq!(native(tagged, None, Some("dev")), "dev");
    assert!(native("terraform {\n cloud {}\n}", None, None).starts_with('?'));
    for inner in ["name = \"prod\"", "prefix = \"app-\""] {
        let remote =
            format!("terraform {{\n backend \"remote\" {{\n  workspaces {{\n   {inner}\n  }}\n }}\n}}");
        for selected in [None, Some("dev")] {
            assert!(
                native(&remote, None, selected).contains("local operations"),
                "{remote}"
            );
        }
        assert_eq!(native(&remote, Some("default"), None), "default");
    }
    let oss = "terraform {\n required_version = \">= 1.0\"\n backend \"oss\" {}\n}";
    assert_eq!(native(oss, None, None), "default");
    assert_eq!(native(oss, None, Some("dev")), "dev");
    assert_eq!(native("terraform {}", None, None), "default");
    // An override replaces it.
    assert_eq!(of("b.tf", named, &[("override.tf", oss)], None, None), "default");
    // In JSON.
    let json = |text: &str| of("b.tf.json", text, &[], None, None);
    assert_eq!(
        json(r#"{"terraform": {"cloud": {"workspaces": {"name": "prod"}}}}"#),
        "prod"
    );
    assert_eq!(
        json(r#"{"terraform": [{"cloud": [{"workspaces": [{"name": "prod"}]}]}]}"#),
        "prod"
    );
    assert!(json(r#"{"terraform": {"cloud": {"workspaces": {"project": "p"}}}}"#).starts_with('?'));
    assert!(
        json(r#"{"terraform": {"backend": {"remote": {"workspaces": {"name": "prod"}}}}}"#)
            .contains("local operations")
    );
    assert_eq!(json(r#"{"terraform": {"backend": {"oss": {}}}}"#), "default");
}
