//! What firewalls and proxies at the perimeter mean for clauses (ALIBABA.md §13, docs/decisions/015).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict;
use bartizan_check::{CheckOptions, CheckReport, check};

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
    let text = format!(
        "edition 2027\nzone web = tag tier=web\nzone office = cidr 198.51.100.0/24\nzone internet = outside except cidr 198.51.100.0/24\n{clauses}"
    );
    let (inv, intent) = common::read_both(net, &text);
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

/// Two VPCs that a transit router joins, where everything is open, and a firewall at the router.
const ROUTER: &str = r#"
locals { blocks = { dev = "10.1.0.0/16", prod = "10.2.0.0/16" } }
resource "alicloud_vpc" "v" {
  for_each   = local.blocks
  vpc_name   = each.key
  cidr_block = each.value
}
resource "alicloud_vswitch" "v" {
  for_each   = local.blocks
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = each.value
}
resource "alicloud_security_group" "g" {
  for_each            = local.blocks
  vpc_id              = alicloud_vpc.v[each.key].id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "open" {
  for_each          = local.blocks
  security_group_id = alicloud_security_group.g[each.key].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "1/65535"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "h" {
  for_each        = local.blocks
  instance_name   = each.key
  vswitch_id      = alicloud_vswitch.v[each.key].id
  private_ip      = cidrhost(each.value, 10)
  security_groups = [alicloud_security_group.g[each.key].id]
  tags            = { tier = each.key }
}
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "r" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_cen_transit_router_vpc_attachment" "a" {
  for_each                        = local.blocks
  cen_id                          = alicloud_cen_instance.c.id
  transit_router_id               = alicloud_cen_transit_router.r.transit_router_id
  vpc_id                          = alicloud_vpc.v[each.key].id
  route_table_association_enabled = true
  route_table_propagation_enabled = true
  zone_mappings {
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.v[each.key].id
  }
}
resource "alicloud_route_entry" "r" {
  for_each              = local.blocks
  route_table_id        = alicloud_vpc.v[each.key].route_table_id
  destination_cidrblock = "10.0.0.0/8"
  nexthop_type          = "Attachment"
  nexthop_id            = alicloud_cen_transit_router_vpc_attachment.a[each.key].transit_router_attachment_id
}
resource "alicloud_cloud_firewall_vpc_cen_tr_firewall" "f" {
  firewall_name     = "core"
  cen_id            = alicloud_cen_instance.c.id
  transit_router_id = alicloud_cen_transit_router.r.transit_router_id
  region_no         = "cn-hangzhou"
  route_mode        = "managed"
  firewall_vpc_cidr = "10.250.0.0/24"
}
"#;

fn core(name: &str, action: &str, port: &str, order: u32) -> String {
    format!(
        r#"
resource "alicloud_cloud_firewall_vpc_firewall_control_policy" "{name}" {{
  vpc_firewall_id  = alicloud_cen_instance.c.id
  acl_action       = "{action}"
  description      = "{name}"
  source           = "10.1.0.0/16"
  source_type      = "net"
  destination      = "10.2.0.0/16"
  destination_type = "net"
  proto            = "TCP"
  dest_port        = "{port}"
  application_name = "ANY"
  order            = {order}
}}
"#
    )
}

fn between(net: &str, clauses: &str, assume: Option<&str>) -> CheckReport {
    let text = format!("edition 2027\nzone dev = tag tier=dev\nzone prod = tag tier=prod\n{clauses}");
    let (inv, intent) = common::read_both(net, &text);
    let mut opt = CheckOptions::default();
    if let Some(a) = assume {
        opt.readings.decide(a).unwrap();
    }
    check(&inv, &intent, "2026-11-23".parse().unwrap(), &opt)
}

const READ: [Option<&str>; 3] = [None, Some("A-CFW-2=diverted"), Some("A-CFW-2=direct")];

#[track_caller]
fn read_each(net: &str, clause: &str, want: [Verdict; 3]) {
    let got = READ.map(|a| between(net, clause, a).clauses[0].verdict);
    assert_eq!(got, want, "{clause}");
}

// §13.1, decision 22, item 6: what a firewall at a transit router drops is closed only if packets are led to it (A-CFW-2).
#[test]
fn whether_packets_are_led_to_a_firewall_has_to_be_said() {
    let net = format!(
        "{ROUTER}{}{}",
        core("https", "accept", "443/443", 1),
        core("rest", "drop", "0/0", 2)
    );
    read_each(&net, "never dev -> prod : ssh\n", [Undecided, Holds, Violated]);
    read_each(&net, "must dev -> prod : ssh\n", [Undecided, Violated, Holds]);
    read_each(&net, "must dev -> prod : https\n", [Holds, Holds, Holds]);
    read_each(
        &net,
        "never dev -> prod : https\n",
        [Violated, Violated, Violated],
    );
    // The other direction has no policy.
    read_each(&net, "must prod -> dev : ssh\n", [Holds, Holds, Holds]);
    let through = "dev -> prod through firewall \"core\"\n";
    read_each(&net, through, [Undecided, Holds, Violated]);
    read_each(
        &net,
        "dev -> prod not through firewall \"core\"\n",
        [Undecided, Violated, Holds],
    );
    // A route around it is for certain around it.
    let peered = format!(
        r#"{net}
resource "alicloud_vpc_peer_connection" "p" {{
  vpc_id           = alicloud_vpc.v["dev"].id
  accepting_vpc_id = alicloud_vpc.v["prod"].id
}}
resource "alicloud_route_entry" "around" {{
  route_table_id        = alicloud_vpc.v["dev"].route_table_id
  destination_cidrblock = "10.2.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}}
"#
    );
    read_each(&peered, through, [Violated, Violated, Violated]);
    let r = between(&net, "never dev -> prod : ssh\n", None);
    assert!(
        r.clauses[0].assumptions.iter().any(|a| a == "A-CFW-2"),
        "{:?}",
        r.clauses[0].assumptions
    );
}

// A policy that lets pass is to blame like a rule of a group, in whatever list of the CEN instance it stands.
#[test]
fn a_policy_between_vpcs_may_be_to_blame() {
    let net = format!(
        "{ROUTER}{}{}",
        core("oops", "accept", "22/22", 1),
        core("https", "accept", "443/443", 2) + &core("rest", "drop", "0/0", 3)
    );
    let two = format!(
        r#"{net}
resource "alicloud_cloud_firewall_vpc_firewall_cen" "g" {{
  cen_id            = alicloud_cen_instance.c.id
  vpc_firewall_name = "at-dev"
  vpc_region        = "cn-hangzhou"
  status            = "open"
  local_vpc {{ network_instance_id = alicloud_vpc.v["dev"].id }}
}}
"#
    );
    for net in [net, two] {
        let r = between(
            &net,
            "never dev -> prod : ssh\nmust dev -> prod : https\n",
            Some("A-CFW-2=diverted"),
        );
        assert_eq!(r.clauses[0].verdict, Violated);
        let found: Vec<_> = r.findings.iter().filter(|f| f.code == "REACH001").collect();
        let [f] = found.as_slice() else {
            panic!("{:#?}", r.findings)
        };
        let text = format!("{f:?}");
        assert!(
            text.contains("alicloud_cloud_firewall_vpc_firewall_control_policy.oops"),
            "{text}"
        );
    }
}
