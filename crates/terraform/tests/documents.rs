//! Plans, states and raw states: values, references, addresses, and documents that are broken.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use bartizan_base::Sources;
use bartizan_model::{Inventory, SourceKind, Value};
use bartizan_terraform::{FileSet, ReadOptions, read};
use proptest::prelude::*;

fn read_text(name: &str, text: &str) -> (Inventory, Vec<String>) {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, name, text);
    let inv = read(&files, &mut sources, &ReadOptions::default());
    let said = inv
        .diagnostics
        .iter()
        .filter(|d| d.code == "INPUT001")
        .map(|d| {
            format!(
                "{} {}",
                d.span().map(|s| sources.place(s)).unwrap_or_default(),
                d.message
            )
        })
        .collect();
    (inv, said)
}

fn show(inv: &Inventory, address: &str, attribute: &str) -> String {
    let r = inv.resources.iter().find(|r| &*r.address == address);
    let r = r.unwrap_or_else(|| {
        panic!(
            "no {address}: {:?}",
            inv.resources.iter().map(|r| &r.address).collect::<Vec<_>>()
        )
    });
    fn text(v: &Value) -> String {
        match v {
            Value::Ref(r) => format!("{}|{}", r.address, r.attribute),
            Value::List(v) => format!(
                "[{}]",
                v.iter().map(|n| text(&n.value)).collect::<Vec<_>>().join(", ")
            ),
            Value::Unknown(_) => "?".into(),
            Value::String(s) | Value::Number(s) => s.to_string(),
            v => format!("{v:?}"),
        }
    }
    text(&r.attributes[attribute].value)
}

const PLAN: &str = include_str!("documents/plan.json");

#[test]
fn unknown_values_of_a_plan_are_what_its_configuration_refers_to() {
    let (inv, said) = read_text("plan.json", PLAN);
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(inv.source, SourceKind::Plan);
    // A plain reference.
    assert_eq!(
        show(&inv, "alicloud_vswitch.plain", "vpc_id"),
        "alicloud_vpc.main|id"
    );
    // `count.index` may be computed, and a list may have more members or fewer than its names.
    assert_eq!(show(&inv, "alicloud_instance.web[1]", "vswitch_id"), "?");
    assert_eq!(show(&inv, "alicloud_instance.web[0]", "security_groups"), "?");
    assert_eq!(show(&inv, "alicloud_instance.db", "security_groups"), "?");
    // Through a variable of a module, and through an output of it.
    assert_eq!(
        show(&inv, "module.net[\"a\"].alicloud_vswitch.v", "vpc_id"),
        "alicloud_vpc.main|id"
    );
    assert_eq!(
        show(&inv, "alicloud_instance.db", "vswitch_id"),
        "module.net[\"a\"].alicloud_vswitch.v|id"
    );
    // Two things that could be meant, and a local.
    assert_eq!(show(&inv, "alicloud_vswitch.either", "vpc_id"), "?");
    assert_eq!(show(&inv, "alicloud_vswitch.local", "vpc_id"), "?");
    // What is left to the cloud is not set.
    assert!(
        !inv.resources
            .iter()
            .any(|r| r.attributes.contains_key("id") && !r.data)
    );
    // Known values stay, numbers keep their form.
    assert_eq!(show(&inv, "alicloud_vpc.main", "cidr_block"), "10.0.0.0/8");
    assert_eq!(
        show(&inv, "alicloud_instance.db", "internet_max_bandwidth_out"),
        "10"
    );
    // Data sources that were read come from the prior state.
    assert_eq!(show(&inv, "data.alicloud_zones.z", "id"), "zones-1");
}

#[test]
fn a_raw_state_gives_the_addresses_that_terraform_shows() {
    let (inv, said) = read_text(
        "terraform.tfstate",
        r#"{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"x","outputs":{},"resources":[
          {"mode":"managed","type":"alicloud_vpc","name":"a","provider":"provider[\"registry.terraform.io/aliyun/alicloud\"]",
           "instances":[{"schema_version":0,"attributes":{"id":"vpc-1","cidr_block":"10.0.0.0/8"}}]},
          {"module":"module.m[\"k\"]","mode":"managed","type":"alicloud_vswitch","name":"v","provider":"p",
           "instances":[{"index_key":0,"attributes":{"id":"vsw-0","vpc_id":"vpc-1"}},{"index_key":"x.y","attributes":{"id":"vsw-1"}}]},
          {"mode":"data","type":"alicloud_zones","name":"z","provider":"p","instances":[{"attributes":{"id":"1"}}]}],
          "check_results":null}"#,
    );
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(inv.source, SourceKind::State);
    assert_eq!(show(&inv, "alicloud_vpc.a", "id"), "vpc-1");
    assert_eq!(
        show(&inv, "module.m[\"k\"].alicloud_vswitch.v[0]", "vpc_id"),
        "vpc-1"
    );
    assert_eq!(
        show(&inv, "module.m[\"k\"].alicloud_vswitch.v[\"x.y\"]", "id"),
        "vsw-1"
    );
    assert_eq!(show(&inv, "data.alicloud_zones.z", "id"), "1");
    assert_eq!(inv.resources[0].provider.as_deref(), Some("alicloud"));
}

#[test]
fn a_shown_state_is_read_with_its_modules() {
    let (inv, said) = read_text(
        "state.json",
        r#"{"format_version":"1.0","terraform_version":"1.11.4","values":{"root_module":{
          "resources":[{"address":"alicloud_vpc.a","mode":"managed","type":"alicloud_vpc","name":"a","values":{"id":"vpc-1"}}],
          "child_modules":[{"address":"module.m","resources":[
            {"address":"module.m.alicloud_vswitch.v[0]","mode":"managed","type":"alicloud_vswitch","name":"v","index":0,"values":{"vpc_id":"vpc-1"}}]}]}}}"#,
    );
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(inv.source, SourceKind::State);
    assert_eq!(inv.resources.len(), 2);
    assert_eq!(show(&inv, "module.m.alicloud_vswitch.v[0]", "vpc_id"), "vpc-1");
}

#[test]
fn broken_documents_are_one_error_with_its_place() {
    for cut in [1, 100, PLAN.len() / 2, PLAN.len() - 3] {
        let (inv, said) = read_text("plan.json", &PLAN[..cut]);
        assert!(inv.resources.is_empty());
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("plan.json:") && said[0].contains("ends too early"),
            "{said:?}"
        );
    }
    for (text, want) in [
        ("[1, 2]", "neither a plan"),
        ("{}", "neither a plan"),
        ("", "ends too early"),
        ("{\"planned_values\": 3}", "not what it seems"),
        (
            "{\"format\":\"bartizan-snapshot/99\",\"files\":[],\"resources\":[],\"typed\":{}}",
            "snapshot",
        ),
    ] {
        let (_, said) = read_text("x.json", text);
        assert!(said.len() == 1 && said[0].contains(want), "{text}: {said:?}");
    }
    let deep = format!(
        "{{\"planned_values\":{}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert_eq!(read_text("x.json", &deep).1.len(), 1);
}

proptest! {
    #[test]
    fn damaged_plans_are_read_without_a_panic(at in 0usize..PLAN.len(), with in ".{0,3}", drop in 0usize..40) {
        let mut text = PLAN.to_string();
        let (mut a, mut b) = (at, (at + drop).min(PLAN.len()));
        while !PLAN.is_char_boundary(a) { a -= 1; }
        while !PLAN.is_char_boundary(b) { b += 1; }
        text.replace_range(a..b, &with);
        let _ = read_text("plan.json", &text);
    }
}
