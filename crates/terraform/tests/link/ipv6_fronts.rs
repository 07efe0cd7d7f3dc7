//! IPv6 addresses of load balancers: ALIBABA.md §7.5 and §9, docs/decisions/024.

use super::*;
use bartizan_model::{Backend, Balancer, Fact, Ipv6Internet, Understanding};

const BASE: &str = r#"
resource "alicloud_vpc" "v" {
  cidr_block      = "10.0.0.0/16"
  enable_ipv6     = true
  ipv6_cidr_block = "2001:db8:0:100::/56"
}
resource "alicloud_vswitch" "a" {
  vpc_id               = alicloud_vpc.v.id
  cidr_block           = "10.0.1.0/24"
  ipv6_cidr_block_mask = 1
}
resource "alicloud_vswitch" "b" {
  vpc_id               = alicloud_vpc.v.id
  cidr_block           = "10.0.2.0/24"
  ipv6_cidr_block_mask = 2
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_instance" "old" {
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.10"
  security_groups = [alicloud_security_group.g.id]
}
resource "alicloud_instance" "new" {
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.11"
  ipv6_addresses  = ["2001:db8:0:102::11"]
  security_groups = [alicloud_security_group.g.id]
}
"#;

fn balancer<'i>(inv: &'i Inventory, address: &str) -> &'i Balancer {
    let mut all = inv.typed.balancers.iter();
    all.find(|b| &*b.meta.origin.address == address).unwrap()
}

/// The addresses of the first front: `10.0.1.100`, `? v6`, each with what the Internet does to it.
fn addresses(inv: &Inventory, b: &Balancer) -> Vec<String> {
    let front = &inv.typed[b.fronts[0]];
    let one = |a: &bartizan_model::Address| {
        let at = match &a.spec {
            AddressSpec::Ip(ip) => ip.to_string(),
            AddressSpec::Block(n) => n.to_string(),
            AddressSpec::AnyV4(_) => "any v4".to_string(),
            AddressSpec::AnyV6(_) => "any v6".to_string(),
        };
        let open = match &a.ipv6_internet {
            Ipv6Internet::None => "",
            Ipv6Internet::Both(_) => " open",
            Ipv6Internet::EgressOnly(_) => " out",
            Ipv6Internet::Unknown(_) => " ?",
        };
        format!("{at}{open}")
    };
    front.addresses.iter().map(one).collect()
}

fn nlb(of: &str) -> String {
    format!(
        r#"{BASE}
resource "alicloud_nlb_load_balancer" "l" {{
  address_type = "Internet"
  vpc_id       = alicloud_vpc.v.id
  {of}
}}
"#
    )
}

// §7.5, item 2: public only where it says so, whatever `address_type` says.
#[test]
fn an_ipv6_address_is_private_unless_it_says_otherwise() {
    let zone = "zone_mappings {\n vswitch_id = alicloud_vswitch.a.id\n zone_id = \"z\"\n private_ipv4_address = \"10.0.1.100\"\n %\n}";
    let with = |more: &str, zone_more: &str| {
        let inv = bare(&nlb(&format!("{more}\n{}", zone.replace('%', zone_more))));
        addresses(&inv, balancer(&inv, "alicloud_nlb_load_balancer.l"))
    };
    assert_eq!(with("", ""), ["10.0.1.100"]);
    assert_eq!(with("address_ip_version = \"Ipv4\"", ""), ["10.0.1.100"]);
    let dual = "address_ip_version = \"DualStack\"";
    assert_eq!(with(dual, ""), ["10.0.1.100", "any v6"]);
    let said = "ipv6_address = \"2001:db8:0:101::80\"";
    assert_eq!(with(dual, said), ["10.0.1.100", "2001:db8:0:101::80"]);
    let open = format!("{dual}\nipv6_address_type = \"Internet\"");
    assert_eq!(with(&open, said), ["10.0.1.100", "2001:db8:0:101::80 open"]);
    let maybe = format!("{dual}\nipv6_address_type = var.unknown");
    assert_eq!(with(&maybe, said), ["10.0.1.100", "2001:db8:0:101::80 ?"]);
}

// Whether it has IPv6 addresses at all has to be known.
#[test]
fn a_family_that_is_not_known_is_not_understood() {
    let inv = bare(&nlb(
        "address_ip_version = var.unknown\nzone_mappings {\n vswitch_id = alicloud_vswitch.a.id\n zone_id = \"z\"\n}",
    ));
    assert!(matches!(
        understanding(&inv, "alicloud_nlb_load_balancer.l"),
        Understanding::NotUnderstood(w) if w.contains("address_ip_version")
    ));
}

// §9.1, item 3: a CLB of IPv6 is for the Internet and in no vSwitch.
#[test]
fn a_clb_has_one_family() {
    let with = |more: &str| {
        bare(&format!(
            "{BASE}resource \"alicloud_slb_load_balancer\" \"l\" {{\n address_ip_version = \"ipv6\"\n {more}\n}}"
        ))
    };
    let inv = with("address_type = \"internet\"\n address = \"2408:4000::80\"");
    let b = balancer(&inv, "alicloud_slb_load_balancer.l");
    assert!(b.detached);
    assert_eq!(addresses(&inv, b), ["2408:4000::80 open"]);
    assert!(inv.typed[b.fronts[0]].public.is_empty());
    let inv = with("address_type = \"internet\"");
    assert_eq!(
        addresses(&inv, balancer(&inv, "alicloud_slb_load_balancer.l")),
        ["any v6 open"]
    );
    let inv = with("address_type = \"intranet\"\n vswitch_id = alicloud_vswitch.a.id");
    assert!(matches!(
        understanding(&inv, "alicloud_slb_load_balancer.l"),
        Understanding::NotUnderstood(w) if w.contains("IPv6")
    ));
}

/// Backends of the NLB's listener: `v4 old`, `v6 new`, `2001:...`; `(0)` for what may be.
fn backends(group: &str, servers: &str) -> Vec<String> {
    let inv = bare(&nlb(&format!(
        r#"address_ip_version = "DualStack"
  zone_mappings {{
    vswitch_id = alicloud_vswitch.a.id
    zone_id    = "z"
  }}
}}
resource "alicloud_nlb_server_group" "s" {{
  server_group_name = "s"
  vpc_id            = alicloud_vpc.v.id
  {group}
}}
{servers}
resource "alicloud_nlb_listener" "x" {{
  load_balancer_id  = alicloud_nlb_load_balancer.l.id
  server_group_id   = alicloud_nlb_server_group.s.id
  listener_protocol = "TCP"
  listener_port     = 80
"#
    )));
    let b = balancer(&inv, "alicloud_nlb_load_balancer.l");
    let one = |f: &bartizan_model::Forward| {
        let who = |i: bartizan_model::InterfaceId| inv.typed[i].meta.origin.address.to_string();
        let to = match &f.to {
            Backend::Interface(i) => format!("v4 {}", who(*i)),
            Backend::Ipv6(i) => format!("v6 {}", who(*i)),
            Backend::At(i, n) => format!("#{n} {}", who(*i)),
            Backend::Ip(ip) => ip.to_string(),
            Backend::Unknown(_) => "?".to_string(),
        };
        let doubt = if f.origin.maybe.is_some() { " (0)" } else { "" };
        assert!(matches!(f.preserves, Fact::Known(_)));
        format!("{}{doubt}", to.replace("alicloud_instance.", ""))
    };
    b.listeners[0].forwards.iter().map(one).collect()
}

// Items 9 and 13: at which address a server serves decides about the family.
#[test]
fn a_server_is_reached_at_one_family() {
    let server = |name: &str, more: &str| {
        format!(
            r#"resource "alicloud_nlb_server_group_server_attachment" "{name}" {{
  server_group_id = alicloud_nlb_server_group.s.id
  server_type     = "Ecs"
  server_id       = alicloud_instance.{name}.id
  port            = 8080
  {more}
}}
"#
        )
    };
    let dual = "address_ip_version = \"DualStack\"";
    assert_eq!(backends("", &server("new", "")), ["v4 new"]);
    assert_eq!(backends(dual, &server("old", "")), ["v4 old"]);
    assert_eq!(backends(dual, &server("new", "")), ["v4 new (0)", "v6 new (0)"]);
    let at = "server_ip = \"2001:db8:0:102::11\"";
    assert_eq!(backends(dual, &server("new", at)), ["2001:db8:0:102::11"]);
    let at = "server_ip = \"10.0.2.11\"";
    assert_eq!(backends(dual, &server("new", at)), ["v4 new"]);
    let at = "server_ip = var.unknown";
    assert_eq!(backends(dual, &server("new", at)), ["v4 new (0)", "#1 new (0)"]);
    let at = "server_ip = \"2001:db8:0:102::99\"";
    let none = ["#1 new (0)", "2001:db8:0:102::99 (0)"];
    assert_eq!(backends(dual, &server("new", at)), none);
}
