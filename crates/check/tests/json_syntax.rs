//! Configurations in JSON mean what they mean in native syntax.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{self, Holds, Violated};
use common::two_hosts::{NET, files};

/// A rule as JSON.
fn rule(more: &str) -> String {
    format!(
        r#"{{"security_group_id": "${{alicloud_security_group.g.id}}", "type": "ingress", "ip_protocol": "tcp", "port_range": "22/22", {more}}}"#
    )
}

const OPEN: &str = r#""cidr_ip": "10.0.0.0/8""#;
const OTHER: &str = r#""cidr_ip": "192.168.0.0/16""#;

#[test]
fn a_list_of_objects_and_names_twice() {
    let (open, other) = (rule(OPEN), rule(OTHER));
    let kind = r#""alicloud_security_group_rule""#;
    let says = |text: &str, want| files(&[("main.tf", NET), ("x.tf.json", text)], want);
    says(&format!(r#"{{"resource": {{{kind}: {{"r": {other}}}}}}}"#), Holds);
    for text in [
        format!(r#"[{{"resource": {{{kind}: {{"r": {open}}}}}}}, {{}}]"#),
        format!(r#"{{"resource": {{{kind}: {{"a": {open}}}}}, "resource": {{{kind}: {{"b": {other}}}}}}}"#),
        format!(r#"{{"resource": {{{kind}: {{"a": {open}}}, {kind}: {{"b": {other}}}}}}}"#),
        format!(
            r#"{{"resource": {{{kind}: {{"a": {}}}}}}}"#,
            rule(&format!(
                r#""lifecycle": {{"ignore_changes": ["cidr_ip"]}}, {OPEN}"#
            ))
        ),
    ] {
        says(&text, Violated);
    }
    let base = format!(
        "{NET}resource \"alicloud_security_group_rule\" \"r\" {{\n  security_group_id = alicloud_security_group.g.id\n  type = \"ingress\"\n  ip_protocol = \"tcp\"\n  port_range = \"22/22\"\n  cidr_ip = \"192.168.0.0/16\"\n}}\n"
    );
    let over = format!(r#"[{{"resource": {{{kind}: {{"r": {{{OPEN}}}}}}}}}]"#);
    files(&[("main.tf", &base), ("x_override.tf.json", &over)], Violated);
}

#[test]
fn names_of_members_and_types() {
    let net = |rule: &str| {
        format!(
            "{NET}resource \"alicloud_security_group_rule\" \"r\" {{\n  security_group_id = alicloud_security_group.g.id\n  type = \"ingress\"\n  ip_protocol = \"tcp\"\n  port_range = \"22/22\"\n  {rule}\n}}\n"
        )
    };
    let says = |rule: &str, json: &str| files(&[("main.tf", &net(rule)), ("x.tf.json", json)], Violated);
    says(
        "cidr_ip = lookup(local.c, \"z\", \"192.168.0.0/16\")",
        r#"{"locals": {"k": "z", "c": {"${local.k}": "10.0.0.0/8"}}}"#,
    );
    let all = "cidr_ip = \"10.0.0.0/8\"\n  count =";
    says(
        &format!("{all} contains(var.c, \"1\") ? 1 : 0"),
        r#"{"variable": {"c": {"type": "list(string)", "default": [1]}}}"#,
    );
    says(
        &format!("{all} length(var.c) == 1 ? 1 : 0"),
        r#"{"variable": {"c": {"type": "set(string)", "default": ["a", "a"]}}}"#,
    );
    says(
        "cidr_ip = var.c.a",
        r#"{"variable": {"c": {"type": "object({a = optional(string, \"10.0.0.0/8\")})", "default": {}}}}"#,
    );
    // A type that nobody knows: the value is not as it is written.
    files(
        &[
            ("main.tf", &net("cidr_ip = var.c")),
            (
                "x.tf.json",
                r#"{"variable": {"c": {"type": "text", "default": "192.168.0.0/16"}}}"#,
            ),
        ],
        Verdict::Undecided,
    );
}

#[test]
fn nested_blocks() {
    let everybody = r#""policy": "accept", "protocol": "all", "port": "-1/-1", "source_cidr_ip""#;
    let group = format!(
        r#"{{"resource": {{"alicloud_security_group_rule": {{"r": {}}}}}}}"#,
        rule(OPEN)
    );
    let out = r#""policy": "accept", "protocol": "all", "port": "-1/-1", "destination_cidr_ip": "0.0.0.0/0""#;
    let acl = |entries: &str| {
        format!(
            r#"{{"resource": {{"alicloud_network_acl": {{"a": {{"vpc_id": "${{alicloud_vpc.v.id}}",
              "resources": [{{"resource_id": "${{alicloud_vswitch.s.id}}", "resource_type": "VSwitch"}}],
              "egress_acl_entries": [{{{out}}}], {entries}}}}}}}}}"#
        )
    };
    let drop = r#"{"policy": "drop", "protocol": "all", "port": "-1/-1", "source_cidr_ip": "10.0.2.0/24"}"#;
    let accept = format!(r#"{{{everybody}: "0.0.0.0/0"}}"#);
    let says = |entries: &str, want| {
        files(
            &[
                ("main.tf", NET),
                ("g.tf.json", &group),
                ("x.tf.json", &acl(entries)),
            ],
            want,
        );
    };
    let made = format!(
        r#"{{"for_each": ["0.0.0.0/0"], "content": {{{everybody}: "${{ingress_acl_entries.value}}"}}}}"#
    );
    for (entries, want) in [
        (format!(r#""ingress_acl_entries": [{accept}]"#), Violated),
        (
            format!(r#""ingress_acl_entries": {drop}, "ingress_acl_entries": {accept}"#),
            Holds,
        ),
        (
            format!(r#""ingress_acl_entries": {accept}, "ingress_acl_entries": {drop}"#),
            Violated,
        ),
        (
            format!(r#""dynamic": {{"ingress_acl_entries": {made}}}"#),
            Violated,
        ),
        (
            format!(r#""dynamic": [{{"ingress_acl_entries": [{made}]}}]"#),
            Violated,
        ),
        (
            format!(r#""ingress_acl_entries": {drop}, "dynamic": {{"ingress_acl_entries": {made}}}"#),
            Holds,
        ),
        (
            format!(r#""dynamic": {{"ingress_acl_entries": {made}}}, "ingress_acl_entries": [{drop}]"#),
            Violated,
        ),
    ] {
        says(&entries, want);
    }
    // An override replaces the blocks of its type, in whichever syntax either is.
    let base = acl(&format!(r#""ingress_acl_entries": [{drop}]"#));
    for over in [
        format!(r#""ingress_acl_entries": [{accept}]"#),
        format!(r#""dynamic": {{"ingress_acl_entries": {made}}}"#),
    ] {
        let over = format!(r#"{{"resource": {{"alicloud_network_acl": {{"a": {{{over}}}}}}}}}"#);
        files(
            &[
                ("main.tf", NET),
                ("g.tf.json", &group),
                ("x.tf.json", &base),
                ("x_override.tf.json", &over),
            ],
            Violated,
        );
        let native = format!(
            "{NET}resource \"alicloud_network_acl\" \"a\" {{\n  vpc_id = alicloud_vpc.v.id\n  resources {{\n    resource_id = alicloud_vswitch.s.id\n    resource_type = \"VSwitch\"\n  }}\n  egress_acl_entries {{\n    policy = \"accept\"\n    protocol = \"all\"\n    port = \"-1/-1\"\n    destination_cidr_ip = \"0.0.0.0/0\"\n  }}\n  ingress_acl_entries {{\n    policy = \"drop\"\n    protocol = \"all\"\n    port = \"-1/-1\"\n    source_cidr_ip = \"10.0.2.0/24\"\n  }}\n}}\n"
        );
        files(&[("main.tf", &native), ("g.tf.json", &group)], Holds);
        files(
            &[
                ("main.tf", &native),
                ("g.tf.json", &group),
                ("x_override.tf.json", &over),
            ],
            Violated,
        );
    }
}
