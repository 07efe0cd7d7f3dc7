//! `bartizan exposure` (ALIBABA.md §7.5, §13).
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::run_in;
use serde_json::Value;

const NET: &str = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_security_group" "g" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "web" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "443/443"
  cidr_ip           = "SOURCE"
}
resource "alicloud_security_group_rule" "ssh" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "22/22"
  cidr_ip           = "198.51.100.0/24"
}
resource "alicloud_instance" "web" {
  vswitch_id      = alicloud_vswitch.a.id
  private_ip      = "10.0.1.10"
  security_groups = [alicloud_security_group.g.id]
}
resource "alicloud_eip_address" "web" {}
resource "alicloud_eip_association" "web" {
  allocation_id = alicloud_eip_address.web.id
  instance_id   = alicloud_instance.web.id
}
resource "alicloud_wafv3_domain" "shop" {
  instance_id = "waf-1"
  domain      = "shop.example.com"
  listen { https_ports = [443] }
  redirect {
    backends    = [alicloud_eip_address.web.ip_address]
    loadbalance = "iphash"
  }
}
"#;

/// Service, from where, proxies, and whether it is reached around them.
fn rows(source: &str, more: &str, args: &[&str]) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let net = NET.replace("SOURCE", source) + more;
    std::fs::write(dir.path().join("main.tf"), net).unwrap();
    let mut all = vec!["exposure", ".", "--format", "json"];
    all.extend(args);
    let o = run_in(dir.path(), &all);
    assert_eq!(o.code, 0, "{}", o.err);
    let v: Value = serde_json::from_str(&o.out).unwrap();
    let text = |x: &Value| x.as_str().map_or_else(|| x.to_string(), ToString::to_string);
    v["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            format!(
                "{} from {} | {} | {} | {}",
                text(&r["services"]),
                text(&r["sources"]),
                r["proxies"],
                text(&r["around"]),
                text(&r["firewall"])
            )
        })
        .collect()
}

#[test]
fn an_origin_that_anybody_reaches_is_reached_around_its_waf() {
    let ssh = "tcp/22 from 198.51.100.0/24 | [] | null | no";
    assert_eq!(
        rows("0.0.0.0/0", "", &[]),
        [
            ssh,
            "tcp/443 from every public IPv4 address | [\"WAF shop.example.com\"] | yes | no"
        ]
    );
    // A few prefixes may be those of the WAF; only the user knows.
    let some = "tcp/443 from 203.0.113.0/24 | [\"WAF shop.example.com\"] | ";
    assert_eq!(
        rows("203.0.113.0/24", "", &[]),
        [ssh.to_string(), format!("{some}unknown | no")]
    );
    let back = ["--back-to-origin", "203.0.113.0/24"];
    assert_eq!(
        rows("203.0.113.0/24", "", &back),
        [ssh.to_string(), format!("{some}no | no")]
    );
    let other = ["--back-to-origin", "203.0.113.0/25"];
    assert_eq!(
        rows("203.0.113.0/24", "", &other),
        [ssh.to_string(), format!("{some}yes | no")]
    );
}

// A-CFW-1: that a firewall is there does not say that it filters.
#[test]
fn whether_the_firewall_protects_it_is_not_known() {
    let more = r#"
resource "alicloud_cloud_firewall_control_policy" "p" {
  direction        = "in"
  acl_action       = "drop"
  description      = "no ssh"
  source           = "0.0.0.0/0"
  source_type      = "net"
  destination      = "0.0.0.0/0"
  destination_type = "net"
  proto            = "TCP"
  dest_port        = "22/22"
}
"#;
    let all = rows("0.0.0.0/0", more, &[]);
    assert!(all.iter().all(|r| r.ends_with("| unknown")), "{all:?}");
    // Unless somebody says so: then ssh is closed.
    let all = rows("0.0.0.0/0", more, &["--assume", "A-CFW-1=protected"]);
    assert!(all.len() == 1 && all[0].starts_with("tcp/443 "), "{all:?}");
    let all = rows("0.0.0.0/0", more, &["--assume", "A-CFW-1=unprotected"]);
    assert!(
        all.len() == 2 && all.iter().all(|r| r.ends_with("| no")),
        "{all:?}"
    );
}
