//! What firewalls and proxies at the perimeter mean for clauses (ALIBABA.md §13, docs/decisions/015).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use bartizan_base::{Sources, Verdict};
use bartizan_check::{CheckOptions, CheckReport, check};
use bartizan_terraform::{FileSet, ReadOptions, read};

const NET: &str = r#"
resource "alicloud_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_security_group" "g" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "in" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "80/443"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "web" {
  vswitch_id      = alicloud_vswitch.a.id
  private_ip      = "10.0.1.10"
  security_groups = [alicloud_security_group.g.id]
  tags            = { tier = "web" }
}
resource "alicloud_eip_address" "web" {}
resource "alicloud_eip_association" "web" {
  allocation_id = alicloud_eip_address.web.id
  instance_id   = alicloud_instance.web.id
}
resource "alicloud_cloud_firewall_instance" "edge" {
  payment_type = "PayAsYouGo"
}
"#;

fn policy(name: &str, action: &str, source: &str, port: &str, more: &str) -> String {
    format!(
        r#"
resource "alicloud_cloud_firewall_control_policy" "{name}" {{
  direction        = "in"
  acl_action       = "{action}"
  description      = "{name}"
  source           = "{source}"
  source_type      = "net"
  destination      = "${{alicloud_eip_address.web.ip_address}}/32"
  destination_type = "net"
  proto            = "TCP"
  dest_port        = "{port}"
  {more}
}}
"#
    )
}

fn ordered(name: &str, n: u32) -> String {
    format!(
        r#"
resource "alicloud_cloud_firewall_control_policy_order" "{name}" {{
  acl_uuid  = alicloud_cloud_firewall_control_policy.{name}.acl_uuid
  direction = "in"
  order     = {n}
}}
"#
    )
}

/// https from the office only, in this order.
fn office() -> String {
    format!(
        "{NET}{}{}{}{}",
        policy("office", "accept", "198.51.100.0/24", "443/443", ""),
        policy("rest", "drop", "0.0.0.0/0", "0/0", ""),
        ordered("office", 1),
        ordered("rest", 2)
    )
}

fn run(net: &str, clauses: &str, protected: bool) -> CheckReport {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, "main.tf", net);
    let inv = read(&files, &mut sources, &ReadOptions::default());
    let text = format!(
        "edition 2027\nzone web = tag tier=web\nzone office = cidr 198.51.100.0/24\nzone internet = outside except cidr 198.51.100.0/24\n{clauses}"
    );
    let file = sources.add("intent.btz", text.as_str());
    let (tree, said) = bartizan_lang::parse(file, &sources);
    assert!(said.is_empty(), "{said:?}");
    let (intent, said) = bartizan_lang::resolve(&[tree], &sources);
    assert!(said.is_empty(), "{said:?}");
    let mut opt = CheckOptions::default();
    if protected {
        opt.readings.decide("A-CFW-1=protected").unwrap();
    }
    check(&inv, &intent, "2026-11-23".parse().unwrap(), &opt)
}

#[track_caller]
fn expect(net: &str, clauses: &str, unknown: &[Verdict], protected: &[Verdict]) {
    for (say, want) in [(false, unknown), (true, protected)] {
        let r = run(net, clauses, say);
        let got: Vec<Verdict> = r.clauses.iter().map(|c| c.verdict).collect();
        let why: Vec<_> = r.clauses.iter().map(|c| &c.reasons).collect();
        assert_eq!(got, want, "protected {say}: {clauses}{why:?}\n{:?}", r.findings);
    }
}

use Verdict::{Holds, Undecided, Violated};

// A-CFW-1: what is not known to be protected is neither open nor closed for certain.
#[test]
fn whether_an_address_is_protected_has_to_be_said() {
    expect(&office(), "never internet -> web : any\n", &[Undecided], &[Holds]);
    expect(
        &office(),
        "never office -> web : https\n",
        &[Violated],
        &[Violated],
    );
    expect(&office(), "must office -> web : https\n", &[Holds], &[Holds]);
    expect(
        &office(),
        "must internet -> web : https\n",
        &[Undecided],
        &[Violated],
    );
    // The group alone closes this.
    expect(&office(), "never internet -> web : ssh\n", &[Holds], &[Holds]);
    let r = run(&office(), "never internet -> web : any\n", true);
    assert!(
        r.clauses[0].assumptions.iter().any(|a| a.starts_with("A-CFW-1")),
        "{:?}",
        r.clauses[0].assumptions
    );
}

// §13.2, L9: without a drop nothing is closed.
#[test]
fn what_no_policy_matches_passes() {
    let net = format!("{NET}{}", policy("https", "accept", "0.0.0.0/0", "443/443", ""));
    expect(&net, "never internet -> web : http\n", &[Violated], &[Violated]);
}

// §13.2: the provider appends, so policies of two actions without orders are in no known order.
#[test]
fn policies_without_orders_are_in_doubt() {
    let net = format!(
        "{NET}{}{}",
        policy("office", "accept", "198.51.100.0/24", "443/443", ""),
        policy("rest", "drop", "0.0.0.0/0", "0/0", "")
    );
    // Whoever is first, nobody else gets in; the office may be kept out.
    expect(&net, "never internet -> web : any\n", &[Undecided], &[Holds]);
    expect(&net, "must office -> web : https\n", &[Undecided], &[Undecided]);
}

// A-FW-1, L10.
#[test]
fn what_an_application_is_nobody_knows() {
    let http = |action: &str, strict: &str| {
        format!(
            "{NET}{}{}{}{}{strict}",
            policy(
                "http",
                action,
                "0.0.0.0/0",
                "80/80",
                "application_name = \"HTTP\""
            ),
            policy("rest", "drop", "0.0.0.0/0", "0/0", ""),
            ordered("http", 1),
            ordered("rest", 2)
        )
    };
    let strict = "resource \"alicloud_cloud_firewall_policy_advanced_config\" \"c\" {\n  internet_switch = \"on\"\n}\n";
    let never = "never internet -> web : http\n";
    expect(&http("drop", ""), never, &[Undecided], &[Undecided]);
    expect(&http("accept", ""), never, &[Undecided], &[Undecided]);
    expect(&http("accept", strict), never, &[Undecided], &[Undecided]);
    // Strict mode goes on to the next policy, which drops.
    expect(&http("drop", strict), never, &[Undecided], &[Holds]);
    let must = "must internet -> web : http\n";
    expect(&http("accept", ""), must, &[Undecided], &[Undecided]);
    expect(&http("drop", strict), must, &[Undecided], &[Violated]);
}

// §13.2: the port is one of the things that have to match.
#[test]
fn a_drop_of_any_protocol_closes_its_ports_only() {
    let any = |action: &str| {
        let p = policy("ports", action, "0.0.0.0/0", "443/443", "");
        p.replace("\"TCP\"", "\"ANY\"")
    };
    let drop = format!("{NET}{}", any("drop"));
    expect(&drop, "never internet -> web : http\n", &[Violated], &[Violated]);
    expect(&drop, "never internet -> web : https\n", &[Undecided], &[Holds]);
    // Accepted with its port is not accepted with every port.
    let rest = policy("rest", "drop", "0.0.0.0/0", "0/0", "");
    let accept = format!(
        "{NET}{}{rest}{}{}",
        any("accept"),
        ordered("ports", 1),
        ordered("rest", 2)
    );
    expect(&accept, "must internet -> web : https\n", &[Holds], &[Holds]);
    expect(
        &accept,
        "must internet -> web : http\n",
        &[Undecided],
        &[Violated],
    );
    // Whether it is about ICMP as well is not known.
    let ping = drop.replace("\"tcp\"", "\"icmp\"").replace("80/443", "-1/-1");
    expect(
        &ping,
        "never internet -> web : ping\n",
        &[Undecided],
        &[Undecided],
    );
}

#[test]
fn a_strict_mode_that_may_not_be_set_closes_nothing() {
    let net = format!(
        "{NET}{}{}{}{}{}",
        policy(
            "http",
            "drop",
            "0.0.0.0/0",
            "80/80",
            "application_name = \"HTTP\""
        ),
        policy("rest", "drop", "0.0.0.0/0", "0/0", ""),
        ordered("http", 1),
        ordered("rest", 2),
        "variable \"strict\" {}\nresource \"alicloud_cloud_firewall_policy_advanced_config\" \"c\" {\n  count = var.strict ? 1 : 0\n  internet_switch = \"on\"\n}\n"
    );
    expect(&net, "never internet -> web : http\n", &[Undecided], &[Undecided]);
}

#[test]
fn of_two_policies_with_one_order_either_may_be_first() {
    let net = format!(
        "{NET}{}{}{}{}",
        policy("rest", "drop", "0.0.0.0/0", "0/0", ""),
        policy("http", "accept", "0.0.0.0/0", "80/80", ""),
        ordered("rest", 1),
        ordered("http", 1)
    );
    expect(&net, "never internet -> web : http\n", &[Undecided], &[Undecided]);
    expect(&net, "must internet -> web : http\n", &[Undecided], &[Undecided]);
}

#[test]
fn a_firewall_is_a_waypoint() {
    let through = "internet -> web through firewall \"edge\"\n";
    expect(&office(), through, &[Undecided], &[Holds]);
    let open = format!("{NET}{}", policy("https", "accept", "0.0.0.0/0", "443/443", ""));
    expect(&open, through, &[Undecided], &[Holds]);
    let not = "internet -> web not through firewall \"edge\"\n";
    expect(&open, not, &[Undecided], &[Violated]);
    // A firewall that is nowhere is crossed by nothing, and that is certain.
    let other = "internet -> web through firewall \"other\"\n";
    expect(&open, other, &[Violated], &[Violated]);
}

// Decision 15, item 17: what begins in the addresses of a proxy has come through it.
#[test]
fn the_addresses_of_a_proxy_are_a_waypoint() {
    let waf = r#"
resource "alicloud_wafv3_domain" "shop" {
  instance_id = "waf-1"
  domain      = "shop.example.com"
  listen {
    https_ports = [443]
  }
  redirect {
    backends    = [alicloud_eip_address.web.ip_address]
    loadbalance = "iphash"
  }
}
"#;
    let zone = "zone waf = cidr 203.0.113.0/24 { overlaps internet }\n";
    let through = format!("{zone}internet -> web through waf\n");
    let open = format!("{NET}{waf}");
    expect(&open, &through, &[Violated], &[Violated]);
    let closed = open.replace(
        "cidr_ip           = \"0.0.0.0/0\"",
        "cidr_ip           = \"203.0.113.0/24\"",
    );
    expect(&closed, &through, &[Holds], &[Holds]);
}
