//! The names in the code against the provider's schema.

use crate::shell::{Done, put, root};
use bartizan_terraform::{Bearing, bearing, type_specs};
use serde_json::Value;
use std::io::Read as _;
use std::path::Path;

/// Attributes of later versions of the provider than the schema, as the survey of 1.290 has them (ALIBABA.md,
/// appendix A).
const LATER: [(&str, &str); 18] = [
    ("alicloud_mongodb_instance", "security_ip_groups"),
    ("alicloud_mongodb_instance", "security_ip_groups.security_ip_list"),
    (
        "alicloud_mongodb_instance",
        "security_ip_groups.security_ip_group_attribute",
    ),
    (
        "alicloud_mongodb_instance",
        "security_ip_groups.security_ip_group_name",
    ),
    ("alicloud_security_group_rule", "source_group_owner_id"),
    ("alicloud_nat_gateway", "availability_mode"),
    ("alicloud_privatelink_vpc_endpoint_service", "resource"),
    (
        "alicloud_privatelink_vpc_endpoint_service",
        "resource.resource_id",
    ),
    (
        "alicloud_privatelink_vpc_endpoint_service",
        "resource.resource_type",
    ),
    ("alicloud_privatelink_vpc_endpoint_service", "resource.zone_id"),
    ("alicloud_vpn_gateway_vpn_attachment", "tunnel_bandwidth"),
    ("alicloud_cloud_firewall_address_book", "asset_member_uids"),
    (
        "alicloud_cs_managed_kubernetes",
        "control_plane_endpoints_config.load_balancers_config.load_balancer_id",
    ),
    (
        "alicloud_cs_managed_kubernetes",
        "control_plane_endpoints_config.load_balancers_config.endpoint_type",
    ),
    (
        "alicloud_cs_managed_kubernetes",
        "control_plane_endpoints_config.internal_dns_config.bind_vpcs",
    ),
    (
        "alicloud_cs_managed_kubernetes",
        "control_plane_endpoints_config.internal_dns_config.enabled",
    ),
    ("alicloud_instance", "source_dest_check"),
    ("alicloud_instance", "network_interfaces.source_dest_check"),
];

/// Names of the types of the provider.
pub(crate) const NAMES: &str = "testdata/provider-types.txt";
const NAMES_HEAD: &str = "# Resource types of the Terraform provider aliyun/alicloud 1.283.0; `cargo xtask schema --write` writes them.\n";

/// Arguments of the types that are read.
const ARGUMENTS: &str = "testdata/provider-arguments.txt";
const ARGUMENTS_HEAD: &str = "# What the Terraform provider aliyun/alicloud 1.283.0 takes for the types that are read, nested blocks with dots; `cargo xtask schema --write` writes it.\n";

/// Blocks, collections and old spellings of the types that are read.
const SHAPES: &str = "crates/terraform/src/json/shapes.txt";
const SHAPES_HEAD: &str = "# Of the Terraform provider aliyun/alicloud 1.283.0: L lists and S sets of blocks, c other collections, d deprecated; `cargo xtask schema --write` writes it.\n";

pub(crate) fn run(file: Option<&Path>, write: bool) -> Done {
    let beside = root().join("../shared/data/alicloud-provider-schema-1.283.0.json.gz");
    let path = file.map_or(beside, Path::to_path_buf);
    let Ok(bytes) = std::fs::read(&path) else {
        println!(
            "SKIPPED: no provider schema at {}; names are not compared",
            path.display()
        );
        return Ok(());
    };
    let mut text = String::new();
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text)
    } else {
        bytes.as_slice().read_to_string(&mut text)
    }
    .map_err(|e| format!("{}: {e}", path.display()))?;
    let schema: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    // Either the condensed form, or what `terraform providers schema -json` prints.
    let full = schema.get("provider_schemas").and_then(Value::as_object);
    let types = match full.and_then(|p| p.values().find_map(|v| v.get("resource_schemas"))) {
        Some(t) => t,
        None => &schema,
    };
    let mut wrong = Vec::new();
    // The names alone are in the repository, for the test that every one of them has a place in the tables.
    let mut all: Vec<&str> = types
        .as_object()
        .into_iter()
        .flat_map(|m| m.keys().map(String::as_str))
        .collect();
    all.sort_unstable();
    let list = format!("{NAMES_HEAD}{}\n", all.join("\n"));
    current(NAMES, &list, write, &mut wrong)?;
    // So are the arguments of the types that are read, for the test that every one of them has a place.
    let mut lines = String::from(ARGUMENTS_HEAD);
    for spec in type_specs() {
        let mut all = Vec::new();
        if let Some(t) = types.get(spec.name) {
            arguments(t.get("block").unwrap_or(t), "", &mut all);
        }
        all.extend(
            LATER
                .iter()
                .filter(|(kind, _)| *kind == spec.name)
                .map(|(_, a)| (*a).to_string()),
        );
        line(spec.name, all, &mut lines);
    }
    current(ARGUMENTS, &lines, write, &mut wrong)?;
    let mut lines = String::from(SHAPES_HEAD);
    for spec in type_specs() {
        if let Some(t) = types.get(spec.name) {
            let mut all = Vec::new();
            shapes(t.get("block").unwrap_or(t), "", &mut all);
            line(spec.name, all, &mut lines);
        }
    }
    current(SHAPES, &lines, write, &mut wrong)?;
    let mut names = 0;
    for spec in type_specs() {
        let Some(t) = types.get(spec.name) else {
            wrong.push(format!("{}: no such type", spec.name));
            continue;
        };
        for a in spec.attributes {
            names += 1;
            if !has(t, a) && !LATER.contains(&(spec.name, a)) {
                wrong.push(format!("{}: no attribute `{a}`", spec.name));
            }
        }
    }
    // What `exposure` reads of resources as written.
    for (kind, argument) in bartizan_check::query::opening_names() {
        let known = types.get(kind);
        if known.is_none_or(|t| argument.is_some_and(|a| !has(t, a))) {
            wrong.push(format!("{kind}: {}", argument.unwrap_or("no such type")));
        }
    }
    let known = type_specs();
    let mut unclassified = Vec::new();
    for name in types.as_object().into_iter().flat_map(|m| m.keys()) {
        let handled = known.iter().any(|s| s.name == name);
        if !handled && matches!(bearing(name, false), Bearing::Some(why) if why.contains("not known")) {
            unclassified.push(name.as_str());
        }
    }
    if !unclassified.is_empty() {
        wrong.push(format!(
            "types that no rule classifies: {}",
            unclassified.join(", ")
        ));
    }
    if !wrong.is_empty() {
        return Err(format!(
            "the code and the schema disagree:\n  {}",
            wrong.join("\n  ")
        ));
    }
    println!(
        "{} types and {names} attributes agree with {}",
        known.len(),
        path.display()
    );
    Ok(())
}

/// Whether a type has an attribute or nested block at a dotted path, in either form of schema.
fn has(t: &Value, path: &str) -> bool {
    let mut at = t.get("block").unwrap_or(t);
    let mut parts = path.split('.').peekable();
    while let Some(p) = parts.next() {
        let attribute = at
            .get("a")
            .or_else(|| at.get("attributes"))
            .and_then(|a| a.get(p));
        let block = at
            .get("b")
            .or_else(|| at.get("block_types"))
            .and_then(|b| b.get(p));
        match (attribute, block) {
            (_, Some(b)) => at = b.get("block").unwrap_or(b),
            // Attributes of object type list their members in a form that differs by version.
            (Some(_), None) => return true,
            (None, None) => return false,
        }
        if parts.peek().is_none() {
            return true;
        }
    }
    false
}

/// Writes what is said of a type as a line.
fn line(name: &str, mut all: Vec<String>, out: &mut String) {
    all.sort_unstable();
    out.push_str(name);
    for a in all {
        out.push(' ');
        out.push_str(&a);
    }
    out.push('\n');
}

/// Writes a generated file, or says that it is not current.
fn current(path: &str, text: &str, write: bool, wrong: &mut Vec<String>) -> Done {
    let mut stale = Vec::new();
    put(path, text, !write, &mut stale)?;
    if !write && !stale.is_empty() {
        wrong.push(format!("{path} is not current: run `cargo xtask schema --write`"));
    }
    Ok(())
}

/// Every attribute of a block that a configuration may set, at any depth.
fn arguments(block: &Value, prefix: &str, out: &mut Vec<String>) {
    let of = |short: &str, long: &str| {
        block
            .get(short)
            .or_else(|| block.get(long))
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    for (name, a) in of("a", "attributes") {
        let set = |short: &str, long: &str| {
            let v = a.get(short).or_else(|| a.get(long));
            v.is_some_and(|v| v.as_bool() == Some(true) || v.as_u64() == Some(1))
        };
        if set("o", "optional") || set("r", "required") {
            out.push(format!("{prefix}{name}"));
        }
    }
    for (name, b) in of("b", "block_types") {
        arguments(b.get("block").unwrap_or(b), &format!("{prefix}{name}."), out);
    }
}

/// The paths of a block that are blocks, collections or deprecated, with their marks.
fn shapes(block: &Value, prefix: &str, out: &mut Vec<String>) {
    let of = |short: &str, long: &str| {
        block
            .get(short)
            .or_else(|| block.get(long))
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
    };
    for (name, a) in of("a", "attributes") {
        let head = a.get("t").or_else(|| a.get("type")).and_then(|t| t.get(0));
        if matches!(head.and_then(Value::as_str), Some("list" | "set")) {
            out.push(format!("c:{prefix}{name}"));
        }
        let old = a.get("d").or_else(|| a.get("deprecated"));
        if old.is_some_and(|v| v.as_bool() == Some(true) || v.as_u64() == Some(1)) && prefix.is_empty() {
            out.push(format!("d:{name}"));
        }
    }
    for (name, b) in of("b", "block_types") {
        match b
            .get("n")
            .or_else(|| b.get("nesting_mode"))
            .and_then(Value::as_str)
        {
            Some("list") => out.push(format!("L:{prefix}{name}")),
            Some("set") => out.push(format!("S:{prefix}{name}")),
            _ => {}
        }
        shapes(b.get("block").unwrap_or(b), &format!("{prefix}{name}."), out);
    }
}
