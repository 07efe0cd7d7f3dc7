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

// §13: a public balancer before the origin is a way around the WAF, whoever reaches the origin's own address.
#[test]
fn a_balancer_leads_around_a_waf() {
    let front = r#"
resource "alicloud_slb_load_balancer" "l" {
  address_type       = "internet"
  load_balancer_name = "l"
}
resource "alicloud_slb_backend_server" "b" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  backend_servers {
    server_id = alicloud_instance.web.id
    weight    = 100
  }
}
resource "alicloud_slb_listener" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  frontend_port    = 80
  backend_port     = 443
  protocol         = "tcp"
  bandwidth        = -1
}
"#;
    let back = ["--back-to-origin", "203.0.113.0/24"];
    let origin = "tcp/443 from 203.0.113.0/24 | [\"WAF shop.example.com\"] | ";
    let all = rows("203.0.113.0/24", "", &back);
    assert!(all.contains(&format!("{origin}no | no")), "{all:?}");
    let all = rows("203.0.113.0/24", front, &back);
    assert!(all.contains(&format!("{origin}yes | no")), "{all:?}");
    // Nobody knows which addresses are those of the WAF, but none sends from everywhere.
    let all = rows("203.0.113.0/24", front, &[]);
    assert!(all.contains(&format!("{origin}yes | no")), "{all:?}");
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
    // Only of what some policy is about: the rest passes it.
    let all = rows("0.0.0.0/0", more, &[]);
    let firewall = |r: &String| r.rsplit("| ").next().unwrap_or_default().to_string();
    assert_eq!(
        all.iter().map(firewall).collect::<Vec<_>>(),
        ["unknown", "no"],
        "{all:?}"
    );
    // Unless somebody says so: then ssh is closed.
    let all = rows("0.0.0.0/0", more, &["--assume", "A-CFW-1=protected"]);
    assert!(all.len() == 1 && all[0].starts_with("tcp/443 "), "{all:?}");
    let all = rows("0.0.0.0/0", more, &["--assume", "A-CFW-1=unprotected"]);
    assert!(
        all.len() == 2 && all.iter().all(|r| r.ends_with("| no")),
        "{all:?}"
    );
}

// §13.2, L9: what no inbound policy is about passes, so a firewall with outbound ones alone protects nothing.
#[test]
fn a_firewall_that_judges_only_what_leaves_protects_nothing() {
    let policy = |direction: &str, source: &str| {
        format!(
            r#"
resource "alicloud_cloud_firewall_control_policy" "p" {{
  direction        = "{direction}"
  acl_action       = "drop"
  description      = "no mail"
  source           = "{source}"
  source_type      = "net"
  destination      = "0.0.0.0/0"
  destination_type = "net"
  proto            = "TCP"
  dest_port        = "443/443"
}}
"#
        )
    };
    for assume in ["A-CFW-1=protected", "A-CFW-1=unprotected"] {
        let all = rows("0.0.0.0/0", &policy("out", "0.0.0.0/0"), &["--assume", assume]);
        assert!(
            all.len() == 2 && all.iter().all(|r| r.ends_with("| no")),
            "{all:?}"
        );
    }
    let all = rows("0.0.0.0/0", &policy("out", "0.0.0.0/0"), &[]);
    assert!(
        all.len() == 2 && all.iter().all(|r| r.ends_with("| no")),
        "{all:?}"
    );
    // One that turns some away judges all who come to that port, and nobody who comes to another.
    let some = policy("in", "203.0.113.0/24");
    let all = rows("0.0.0.0/0", &some, &["--assume", "A-CFW-1=protected"]);
    let of = |port: &str| all.iter().find(|r| r.starts_with(port)).cloned().unwrap();
    assert!(of("tcp/443 ").ends_with("| yes"), "{all:?}");
    assert!(of("tcp/22 ").ends_with("| no"), "{all:?}");
}

// A proxy sends from public addresses: a zone of hosts says nothing about them.
#[test]
fn back_to_origin_is_a_set_of_public_addresses() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.tf"), NET.replace("SOURCE", "0.0.0.0/0")).unwrap();
    let intent = "edition 2027\nzone hosts = tf \"alicloud_instance.web\"\nzone both = tf \"alicloud_instance.web\" or cidr 203.0.113.0/24\n\
                  zone waf = cidr 203.0.113.0/24 except cidr 203.0.113.128/25\n";
    std::fs::write(dir.path().join("x.btz"), intent).unwrap();
    let ask = |zone: &str| {
        let args = ["exposure", ".", "--back-to-origin", zone, "--format", "json"];
        run_in(dir.path(), &args)
    };
    for (zone, why) in [
        ("hosts", "`hosts` names no public addresses"),
        ("10.0.0.0/8", "`10.0.0.0/8` names no public addresses"),
        ("internet", "`internet` names no public addresses"),
        (
            "both",
            "`both` names endpoints of this network beside public addresses",
        ),
    ] {
        let o = ask(zone);
        assert!(o.code == 2 && o.out.is_empty(), "{zone}: {} {}", o.code, o.out);
        assert!(
            o.err.contains(why) && o.err.contains("INTENT009") && o.err.contains("help"),
            "{}",
            o.err
        );
    }
    let o = ask("waf");
    assert_eq!(o.code, 0, "{}", o.err);
}

// §9.5: what an NLB hands to an ALB goes on to the servers behind that.
#[test]
fn exposure_goes_through_one_balancer_after_another() {
    let net = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "s" {
  count      = 2
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.${count.index}.0/24"
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_security_group_rule" "in" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "h" {
  for_each        = { web = "10.0.0.10", admin = "10.0.0.11", other = "10.0.0.12" }
  vswitch_id      = alicloud_vswitch.s[0].id
  private_ip      = each.value
  security_groups = [alicloud_security_group.g.id]
}
resource "alicloud_nlb_load_balancer" "n" {
  vpc_id       = alicloud_vpc.v.id
  address_type = "Internet"
  zone_mappings {
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.s[0].id
  }
  zone_mappings {
    zone_id    = "z-2"
    vswitch_id = alicloud_vswitch.s[1].id
  }
}
resource "alicloud_nlb_listener" "n" {
  for_each          = { alb = 443, other = 8443 }
  load_balancer_id  = alicloud_nlb_load_balancer.n.id
  listener_protocol = "TCP"
  listener_port     = each.value
  server_group_id   = alicloud_nlb_server_group.n[each.key].id
}
resource "alicloud_nlb_server_group" "n" {
  for_each          = toset(["alb", "other"])
  server_group_name = each.key
  vpc_id            = alicloud_vpc.v.id
  server_group_type = each.key == "alb" ? "Alb" : "Instance"
}
resource "alicloud_nlb_server_group_server_attachment" "alb" {
  server_group_id = alicloud_nlb_server_group.n["alb"].id
  server_type     = "Alb"
  server_id       = alicloud_alb_load_balancer.a.id
  port            = 443
}
resource "alicloud_nlb_server_group_server_attachment" "other" {
  server_group_id = alicloud_nlb_server_group.n["other"].id
  server_type     = "Ecs"
  server_id       = alicloud_instance.h["other"].id
  port            = 8443
}
resource "alicloud_alb_load_balancer" "a" {
  vpc_id       = alicloud_vpc.v.id
  address_type = "Intranet"
  zone_mappings { vswitch_id = alicloud_vswitch.s[0].id }
  zone_mappings { vswitch_id = alicloud_vswitch.s[1].id }
}
resource "alicloud_alb_listener" "a" {
  for_each          = { web = 443, admin = 9443 }
  load_balancer_id  = alicloud_alb_load_balancer.a.id
  listener_protocol = "HTTPS"
  listener_port     = each.value
  default_actions {
    type = "ForwardGroup"
    forward_group_config {
      server_group_tuples { server_group_id = alicloud_alb_server_group.a[each.key].id }
    }
  }
}
resource "alicloud_alb_server_group" "a" {
  for_each          = toset(["web", "admin"])
  server_group_name = each.key
  vpc_id            = alicloud_vpc.v.id
  servers {
    server_type = "Ecs"
    server_id   = alicloud_instance.h[each.key].id
    port        = 8080
  }
}
"#;
    let v = document(net);
    let rows = v["services"].as_array().unwrap();
    let of = |port: &str| rows.iter().find(|r| r["services"] == port).unwrap();
    let (alb, other) = (of("tcp/443"), of("tcp/8443"));
    assert_eq!(
        alb["backends"],
        serde_json::json!(["alicloud_alb_load_balancer.a"])
    );
    assert_eq!(alb["behind"], serde_json::json!(["alicloud_instance.h[\"web\"]"]));
    assert_eq!(
        other["backends"],
        serde_json::json!(["alicloud_instance.h[\"other\"]"])
    );
    assert_eq!(other["behind"], serde_json::json!([]));
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.tf"), net).unwrap();
    let said = "alicloud_alb_load_balancer.a, and from there to alicloud_instance.h[\"web\"]";
    let text = run_in(dir.path(), &["exposure", "."]).out;
    assert!(text.contains(&format!("handed to {said}")), "{text}");
    let page = run_in(dir.path(), &["exposure", ".", "--format", "markdown"]).out;
    assert!(
        page.contains("handed to `alicloud_alb_load_balancer.a`, and from there to"),
        "{page}"
    );
}

fn document(text: &str) -> Value {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.tf"), text).unwrap();
    let o = run_in(dir.path(), &["exposure", ".", "--format", "json"]);
    assert_eq!(o.code, 0, "{}", o.err);
    serde_json::from_str(&o.out).unwrap()
}

/// Resource, way, what; `?` for what is not certain; and the line.
fn openings(text: &str) -> Vec<String> {
    let v = document(text);
    let one = |o: &Value| {
        let sure = if o["certain"] == true { "" } else { "?" };
        let text = |k: &str| o[k].as_str().unwrap().to_string();
        format!(
            "{} {} {}{sure} :{}",
            text("resource"),
            text("way"),
            text("what"),
            o["line"]
        )
    };
    v["openings"].as_array().unwrap().iter().map(one).collect()
}

// The fronts of one balancer are one entry, with its listeners, and their addresses are the balancer's.
#[test]
fn the_fronts_of_a_balancer_are_one_entry() {
    let v = document(
        r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "s" {
  count      = 2
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.${count.index}.0/24"
}
resource "alicloud_nlb_load_balancer" "l" {
  vpc_id       = alicloud_vpc.v.id
  address_type = "Internet"
  zone_mappings {
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.s[0].id
  }
  zone_mappings {
    zone_id    = "z-2"
    vswitch_id = alicloud_vswitch.s[1].id
  }
}
resource "alicloud_nlb_listener" "web" {
  load_balancer_id  = alicloud_nlb_load_balancer.l.id
  listener_protocol = "TCP"
  listener_port     = 443
  server_group_id   = alicloud_nlb_server_group.g.id
}
resource "alicloud_nlb_server_group" "g" {
  server_group_name = "g"
  vpc_id            = alicloud_vpc.v.id
}
"#,
    );
    let rows = v["services"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["addresses"].as_array().unwrap().len(), 2);
    assert_eq!(rows[0]["by"], "address of the load balancer");
    assert_eq!(
        rows[0]["listeners"],
        serde_json::json!(["alicloud_nlb_listener.web"])
    );
}

// §7.5: an IPv6 address of a balancer is a public one of its own; one that the cloud has yet to pick is not told.
#[test]
fn an_ipv6_address_of_a_balancer_is_listed() {
    let clb = |address: &str| {
        let v = document(&format!(
            r#"
resource "alicloud_vpc" "v" {{ cidr_block = "10.0.0.0/16" }}
resource "alicloud_vswitch" "s" {{
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.0.0/24"
}}
resource "alicloud_slb_load_balancer" "l" {{
  address_type       = "internet"
  address_ip_version = "ipv6"
  {address}
}}
resource "alicloud_slb_listener" "web" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "tcp"
  frontend_port    = 443
  backend_port     = 443
}}
"#
        ));
        let rows = v["services"].as_array().unwrap().clone();
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(rows[0]["by"], "IPv6 address of the load balancer");
        assert_eq!(rows[0]["addresses"].as_array().map(Vec::len), Some(1));
        rows[0]["addresses"][0]["address"].clone()
    };
    assert_eq!(clb("address = \"2408:4000::80\""), "2408:4000::80");
    // One that the cloud has yet to pick is not the first of those where it may be.
    assert_ne!(clb(""), "2000::");
}

// §15.5: by ACL or policy, unless public access is blocked for the bucket or the account.
#[test]
fn buckets_that_anybody_may_use_are_listed() {
    let bucket = r#"resource "alicloud_oss_bucket" "b" { bucket = "site" }
resource "alicloud_oss_bucket_acl" "b" {
  bucket = alicloud_oss_bucket.b.bucket
  acl    = "public-read"
}
resource "alicloud_oss_bucket_policy" "b" {
  bucket = "site"
  policy = jsonencode({
    Version = "1"
    Statement = [
      { Effect = "Allow", Principal = ["*"], Action = ["oss:GetObject"], Resource = ["*"] },
      { Effect = "Allow", Principal = ["*"], Action = "oss:PutObject", Resource = ["*"],
        Condition = { IpAddress = { "acs:SourceIp" = ["10.0.0.0/8"] } } },
      { Effect = "Allow", Principal = ["20214760404935"], Action = ["oss:*"], Resource = ["*"] },
      { Effect = "Deny", Principal = ["*"], Action = ["oss:DeleteObject"], Resource = ["*"] },
    ]
  })
}
"#;
    let open = [
        "alicloud_oss_bucket.b in anybody may oss:GetObject :8",
        "alicloud_oss_bucket.b in anybody may read the bucket :4",
        "alicloud_oss_bucket.b in anybody who meets its conditions may oss:PutObject? :8",
    ];
    assert_eq!(openings(bucket), open);
    let block = |value: &str| {
        format!(
            "{bucket}variable \"u\" {{}}\nresource \"alicloud_oss_bucket_public_access_block\" \"b\" {{\n  bucket = alicloud_oss_bucket.b.id\n  block_public_access = {value}\n}}\n"
        )
    };
    assert_eq!(openings(&block("true")), Vec::<String>::new());
    assert_eq!(openings(&block("false")), open);
    assert!(openings(&block("var.u")).iter().all(|o| o.contains('?')));
    let account = format!(
        "{bucket}resource \"alicloud_oss_account_public_access_block\" \"a\" {{ block_public_access = true }}\n"
    );
    assert_eq!(openings(&account), Vec::<String>::new());
    let other = format!(
        "{bucket}resource \"alicloud_oss_bucket_public_access_block\" \"o\" {{\n  bucket = \"another\"\n  block_public_access = true\n}}\n"
    );
    assert_eq!(openings(&other), open);
    let private = "resource \"alicloud_oss_bucket\" \"p\" {\n  bucket = \"p\"\n  acl = \"private\"\n}\n";
    assert_eq!(openings(private), Vec::<String>::new());
    let unread = "variable \"u\" {}\nresource \"alicloud_oss_bucket_policy\" \"p\" {\n  bucket = \"p\"\n  policy = var.u\n}\n";
    assert_eq!(
        openings(unread),
        ["p in whom the policy of the bucket admits is not known? :4"]
    );
}

// §7.5, item by item: what has no endpoint with a public address is a row all the same, or is said not to be known.
#[test]
fn every_other_way_to_the_internet_is_listed() {
    let text = r#"
resource "alicloud_vpn_gateway" "g" {}
resource "alicloud_vpn_gateway" "inner" { network_type = "private" }
resource "alicloud_ssl_vpn_server" "s" {}
resource "alicloud_fcv3_function" "f" {}
resource "alicloud_fcv3_function" "quiet" { internet_access = false }
resource "alicloud_fcv3_trigger" "t" { trigger_type = "http" }
resource "alicloud_fcv3_trigger" "timer" { trigger_type = "timer" }
resource "alicloud_bastionhost_instance" "b" { enable_public_access = true }
resource "alicloud_bastionhost_instance" "c" {}
resource "alicloud_bastionhost_instance" "d" { enable_public_access = false }
resource "alicloud_cs_managed_kubernetes" "k" {}
resource "alicloud_eipanycast_anycast_eip_address" "a" {}
resource "alicloud_ga_accelerator" "a" {}
resource "alicloud_api_gateway_instance" "a" {}
resource "alicloud_slb_attachment" "x" {
  load_balancer_id = "lb-1"
  instance_ids     = ["i-1"]
}
"#;
    let all = openings(text);
    let short: Vec<String> = all
        .iter()
        .map(|o| {
            let mut words = o.split(' ');
            let (resource, way) = (words.next().unwrap(), words.next().unwrap());
            let sure = if o.contains('?') { " ?" } else { "" };
            format!("{} {way}{sure}", resource.trim_start_matches("alicloud_"))
        })
        .collect();
    assert_eq!(
        short,
        [
            "api_gateway_instance.a in ?",
            "bastionhost_instance.b in",
            "bastionhost_instance.c in ?",
            "cs_managed_kubernetes.k in ?",
            "eipanycast_anycast_eip_address.a in ?",
            "fcv3_trigger.t in",
            "ga_accelerator.a in ?",
            "slb_attachment.x in ?",
            "ssl_vpn_server.s in",
            "vpn_gateway.g in",
            "fcv3_function.f out",
        ]
    );
}
