//! What the input leaves open decides no claim: values that are not known, and things that are not in the input.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{self, Holds, Undecided, Violated};
use bartizan_model::{Assumption, Readings};
use common::open_host::{NET, WEB, says};

const NAT: &str = r#"
resource "alicloud_nat_gateway" "n" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.b.id
}
resource "alicloud_eip_association" "n" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_nat_gateway.n.id
}
resource "alicloud_snat_entry" "s" {
  snat_table_id     = alicloud_nat_gateway.n.snat_table_ids
  source_vswitch_id = alicloud_vswitch.a.id
  snat_ip           = alicloud_eip_address.e.ip_address
}
"#;

const OUT: &str = "never web -> outside : https\nmust web -> outside : https\n";

/// §3.2: the cloud adds a default route for the first Internet NAT gateway of a VPC.
#[test]
fn a_nat_gateway_brings_its_route() {
    says(NAT, OUT, &[Violated, Holds]);
}

/// §3.2: a table that has a default route keeps it.
#[test]
fn a_default_route_that_is_there_stays() {
    let more = r#"
resource "alicloud_instance" "router" {
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.10"
  security_groups = [alicloud_security_group.g.id]
}
resource "alicloud_route_entry" "d" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.router.id
}
"#;
    let r = common::run(
        &format!("{NET}{NAT}{more}"),
        &format!("{WEB}must web -> outside : https\n"),
        Readings::default(),
    );
    assert_ne!(common::verdicts(&r), [Holds]);
}

/// §3.2: a vSwitch on a table of its own has no part in it, and of two gateways one was the first.
#[test]
fn whose_route_it_is_may_not_be_known() {
    let own = r#"
resource "alicloud_route_table" "own" {
  vpc_id = alicloud_vpc.v.id
}
resource "alicloud_route_table_attachment" "own" {
  route_table_id = alicloud_route_table.own.id
  vswitch_id     = alicloud_vswitch.a.id
}
"#;
    says(&format!("{NAT}{own}"), OUT, &[Holds, Violated]);
    let second = r#"
resource "alicloud_nat_gateway" "second" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.b.id
}
"#;
    says(&format!("{NAT}{second}"), OUT, &[Undecided, Undecided]);
}

/// §7.4: an EIP may be bound to a private address, whoever has it.
#[test]
fn a_public_address_by_the_private_one() {
    let bound = |to: &str| {
        format!(
            r#"
resource "alicloud_eip_association" "e" {{
  allocation_id = alicloud_eip_address.e.id
  instance_type = "IpAddress"
  instance_id   = {to}
  vpc_id        = alicloud_vpc.v.id
}}
"#
        )
    };
    let claims = "never outside -> web : ssh\nmust outside -> web : ssh\n";
    says(&bound("\"10.0.1.10\""), claims, &[Violated, Holds]);
    says(
        &bound("alicloud_instance.web.private_ip"),
        claims,
        &[Violated, Holds],
    );
    says(&bound("\"10.0.1.12\""), claims, &[Holds, Violated]);
    says(&bound("var.open"), claims, &[Undecided, Undecided]);
}

/// The EIP bound to something, and what else is said of that.
fn bound_to(instance: &str, more: &str) -> String {
    format!(
        r#"
resource "alicloud_eip_association" "e" {{
  allocation_id = alicloud_eip_address.e.id
  instance_id   = {instance}
  {more}
}}
"#
    )
}

/// A network ACL that lets nothing into the vSwitch of the host.
const SHUT: &str = r#"
resource "alicloud_network_acl" "x" {
  vpc_id = alicloud_vpc.v.id
  ingress_acl_entries {
    policy         = "drop"
    protocol       = "all"
    port           = "-1/-1"
    source_cidr_ip = "0.0.0.0/0"
  }
  resources {
    resource_id   = alicloud_vswitch.a.id
    resource_type = "VSwitch"
  }
}
"#;

/// §7.4: how it is bound, and to which address, may not be known.
#[test]
fn how_a_public_address_is_bound_may_not_be_known() {
    let bound = |more: &str| bound_to("alicloud_instance.web.id", more);
    let claim = "never outside -> web : ssh\n";
    says(&(bound("") + SHUT), claim, &[Holds]);
    says(&(bound("mode = \"BINDED\"") + SHUT), claim, &[Violated]);
    says(&(bound("mode = var.open") + SHUT), claim, &[Undecided]);
    let bound = |at: &str| bound(&format!("private_ip_address = {at}"));
    let second = "zone second = host 10.0.1.11 { overlaps web }\nnever outside -> second : ssh\n";
    says(&bound("\"10.0.1.10\""), second, &[Holds]);
    says(&bound("\"10.0.1.11\""), second, &[Violated]);
    says(&bound("var.open"), second, &[Undecided]);
}

/// §7.5: which CLB an EIP is bound to may not be known.
#[test]
fn a_public_address_of_some_balancer() {
    let more = r#"
resource "alicloud_slb_load_balancer" "l" {
  address_type = "intranet"
  vswitch_id   = alicloud_vswitch.b.id
  address      = "10.0.2.20"
}
resource "alicloud_slb_listener" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  frontend_port    = 22
  backend_port     = 22
  protocol         = "tcp"
}
resource "alicloud_slb_backend_server" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  backend_servers {
    server_id = alicloud_instance.web.id
    weight    = 100
  }
}
resource "alicloud_eip_association" "e" {
  allocation_id = alicloud_eip_address.e.id
  instance_type = "SlbInstance"
  instance_id   = var.open
}
"#;
    says(more, "never outside -> web : ssh\n", &[Undecided]);
}

/// §7.3: bandwidth for an address says that its VPC has an IPv6 gateway, and an address that is not known may have it.
#[test]
fn ipv6_bandwidth() {
    let net = |gateway: &str, address: &str| {
        format!(
            r#"
resource "alicloud_vpc" "six" {{
  cidr_block      = "10.6.0.0/16"
  enable_ipv6     = true
  ipv6_cidr_block = "2001:db8:6::/56"
}}
resource "alicloud_vswitch" "six" {{
  vpc_id               = alicloud_vpc.six.id
  cidr_block           = "10.6.1.0/24"
  enable_ipv6          = true
  ipv6_cidr_block_mask = 1
}}
resource "alicloud_security_group" "six" {{
  vpc_id = alicloud_vpc.six.id
}}
resource "alicloud_security_group_rule" "six" {{
  security_group_id = alicloud_security_group.six.id
  type              = "ingress"
  ip_protocol       = "all"
  ipv6_cidr_ip      = "::/0"
}}
resource "alicloud_instance" "six" {{
  vswitch_id      = alicloud_vswitch.six.id
  security_groups = [alicloud_security_group.six.id]
  ipv6_addresses  = [{address}]
  tags            = {{ role = "six" }}
}}
resource "alicloud_vpc_ipv6_gateway" "six" {{
  vpc_id = alicloud_vpc.six.id
}}
resource "alicloud_vpc_ipv6_address" "six" {{
  vswitch_id = alicloud_vswitch.six.id
}}
resource "alicloud_vpc_ipv6_internet_bandwidth" "six" {{
  ipv6_gateway_id = {gateway}
  ipv6_address_id = alicloud_vpc_ipv6_address.six.id
  bandwidth       = 5
}}
"#
        )
    };
    let claim = "zone six = tag role=six\nnever outside -> six : ssh\n";
    let own = "alicloud_vpc_ipv6_address.six.ipv6_address";
    let here = "alicloud_vpc_ipv6_gateway.six.id";
    says(&net(here, own), claim, &[Violated]);
    says(&net(here, "\"2001:db8:6:1::10\""), claim, &[Holds]);
    says(&net(here, "var.open"), claim, &[Undecided]);
    let gone = |net: String| {
        let (before, after) = net.split_once("resource \"alicloud_vpc_ipv6_gateway\"").unwrap();
        format!("{before}{}", after.split_once("}\n").unwrap().1)
    };
    says(&gone(net("\"ipv6gw-elsewhere\"", own)), claim, &[Undecided]);
    says(&gone(net("var.open", own)), claim, &[Undecided]);
}

/// §3.1: of a table that is not in the input no route is known.
#[test]
fn a_table_that_is_not_in_the_input() {
    let bound = |table: &str| {
        format!(
            r#"{NAT}
resource "alicloud_route_table_attachment" "own" {{
  route_table_id = {table}
  vswitch_id     = alicloud_vswitch.a.id
}}
"#
        )
    };
    says(&bound("\"vtb-elsewhere\""), OUT, &[Undecided, Undecided]);
    says(&bound("var.open"), OUT, &[Undecided, Undecided]);
}

/// §7.2: who leads to an IPv4 gateway has one, and what has no route to it may be private.
#[test]
fn an_ipv4_gateway_that_is_not_in_the_input() {
    let more = r#"
resource "alicloud_route_entry" "d" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "Ipv4Gateway"
  nexthop_id            = "ipv4gw-elsewhere"
}
resource "alicloud_route_table" "own" {
  vpc_id = alicloud_vpc.v.id
}
resource "alicloud_route_table_attachment" "own" {
  route_table_id = alicloud_route_table.own.id
  vswitch_id     = alicloud_vswitch.a.id
}
resource "alicloud_eip_association" "e" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_instance.web.id
}
"#;
    says(more, "must outside -> web : ssh\n", &[Undecided]);
}

/// §7.2 and A-IGW-1: whom a route to the gateway lets in that is for some only.
#[test]
fn a_route_to_the_gateway_for_some() {
    let net = format!(
        r#"{NET}
resource "alicloud_vpc_ipv4_gateway" "g" {{
  vpc_id  = alicloud_vpc.v.id
  enabled = true
}}
resource "alicloud_route_entry" "d" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "198.51.100.0/24"
  nexthop_type          = "Ipv4Gateway"
  nexthop_id            = alicloud_vpc_ipv4_gateway.g.id
}}
resource "alicloud_eip_association" "e" {{
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_instance.web.id
}}
"#
    );
    let claims = format!(
        "{WEB}zone near = cidr 198.51.100.0/24\nzone rest = cidr 203.0.113.0/24\nnever near -> web : ssh\nnever rest -> web : ssh\n\
         must near -> web : ssh\nmust rest -> web : ssh\n"
    );
    let said = |second| Readings::default().with(Assumption::Igw1, second);
    common::expect(
        &net,
        &claims,
        Readings::default(),
        &[Violated, Undecided, Holds, Violated],
    );
    common::expect(&net, &claims, said(false), &[Violated, Holds, Holds, Violated]);
    common::expect(&net, &claims, said(true), &[Violated, Violated, Holds, Violated]);
}

/// §15.1: a group on the list of a database admits its members by their public addresses.
#[test]
fn members_are_admitted_by_their_public_addresses() {
    let more = r#"
resource "alicloud_eip_association" "e" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_instance.web.id
}
resource "alicloud_vpc" "other" {
  cidr_block = "10.9.0.0/16"
}
resource "alicloud_vswitch" "other" {
  vpc_id     = alicloud_vpc.other.id
  cidr_block = "10.9.1.0/24"
}
resource "alicloud_kvstore_instance" "r" {
  vswitch_id        = alicloud_vswitch.other.id
  instance_type     = "Redis"
  private_ip        = "10.9.1.10"
  port              = 6379
  security_group_id = alicloud_security_group.g.id
}
resource "alicloud_kvstore_connection" "r" {
  instance_id              = alicloud_kvstore_instance.r.id
  connection_string_prefix = "r"
  port                     = "6379"
}
"#;
    let claims = "zone r = tf \"alicloud_kvstore_instance.r\"\nnever web -> r : redis\n";
    says(more, claims, &[Undecided]);
}

/// Another VPC with a host that lets everybody in, and both at one CEN instance; with what is said of the attachment of
/// the first.
fn at_cen(first: &str) -> String {
    format!(
        r#"
resource "alicloud_vpc" "w" {{
  cidr_block = "10.1.0.0/16"
}}
resource "alicloud_vswitch" "w" {{
  vpc_id     = alicloud_vpc.w.id
  cidr_block = "10.1.1.0/24"
}}
resource "alicloud_security_group" "w" {{
  vpc_id = alicloud_vpc.w.id
}}
resource "alicloud_security_group_rule" "w" {{
  security_group_id = alicloud_security_group.w.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}}
resource "alicloud_instance" "w" {{
  vswitch_id      = alicloud_vswitch.w.id
  private_ip      = "10.1.1.10"
  security_groups = [alicloud_security_group.w.id]
  tags            = {{ role = "w" }}
}}
resource "alicloud_cen_instance" "c" {{
  protection_level = "REDUCED"
}}
resource "alicloud_cen_instance_attachment" "v" {{
  {first}
  instance_id              = alicloud_cen_instance.c.id
  child_instance_id        = alicloud_vpc.v.id
  child_instance_type      = "VPC"
  child_instance_region_id = "cn-hangzhou"
}}
resource "alicloud_cen_instance_attachment" "w" {{
  instance_id              = alicloud_cen_instance.c.id
  child_instance_id        = alicloud_vpc.w.id
  child_instance_type      = "VPC"
  child_instance_region_id = "cn-hangzhou"
}}
"#
    )
}

/// §10.5: a route map is about one region.
#[test]
fn a_route_map_of_another_region() {
    let net = |region: &str| {
        at_cen("")
            + &format!(
                r#"
resource "alicloud_cen_route_map" "deny" {{
  cen_id             = alicloud_cen_instance.c.id
  cen_region_id      = "{region}"
  transmit_direction = "RegionIn"
  priority           = 1
  map_result         = "Deny"
}}
"#
            )
    };
    let claims = "zone w = tag role=w\nnever web -> w : ssh\nmust web -> w : ssh\n";
    says(&net("cn-hangzhou"), claims, &[Holds, Violated]);
    says(&net("cn-shanghai"), claims, &[Undecided, Undecided]);
}

/// §12: without the IPsec feature a VPN gateway has no tunnels.
#[test]
fn a_vpn_gateway_without_ipsec() {
    let net = |flag: &str| {
        format!(
            r#"
resource "alicloud_vpn_gateway" "g" {{
  vpc_id       = alicloud_vpc.v.id
  vswitch_id   = alicloud_vswitch.b.id
  bandwidth    = 10
  enable_ipsec = {flag}
}}
resource "alicloud_vpn_customer_gateway" "o" {{
  ip_address = "198.51.100.1"
}}
resource "alicloud_vpn_connection" "office" {{
  vpn_connection_name = "office"
  vpn_gateway_id      = alicloud_vpn_gateway.g.id
  customer_gateway_id = alicloud_vpn_customer_gateway.o.id
  local_subnet        = ["10.0.0.0/16"]
  remote_subnet       = ["192.168.0.0/16"]
}}
resource "alicloud_route_entry" "o" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "192.168.0.0/16"
  nexthop_type          = "VpnGateway"
  nexthop_id            = alicloud_vpn_gateway.g.id
}}
"#
        )
    };
    let claims = "zone office = everything via vpn \"office\"\nmust web -> office : https\n";
    says(&net("true"), claims, &[Holds]);
    says(&net("false"), claims, &[Undecided]);
}

/// A number of instances that is not known: one stands for all of them, and what is written for different ones is not
/// about one.
#[test]
fn a_number_of_instances_that_is_not_known() {
    let net = |key: &str| {
        format!(
            r#"
variable "n" {{
  type = number
}}
resource "alicloud_security_group" "some" {{
  count               = var.n
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}}
resource "alicloud_security_group_rule" "some" {{
  security_group_id = alicloud_security_group.some[0].id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}}
resource "alicloud_security_group_rule" "none" {{
  security_group_id = alicloud_security_group.some[{key}].id
  type              = "ingress"
  policy            = "drop"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}}
resource "alicloud_instance" "app" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.10"
  security_groups = [alicloud_security_group.some[0].id]
  tags            = {{ role = "app" }}
}}
"#
        )
    };
    let claim = "zone app = tag role=app\nnever web -> app : ssh\n";
    says(&net("0"), claim, &[Holds]);
    says(&net("1"), claim, &[Undecided]);
    let each = r#"
variable "n" {
  type = number
}
resource "alicloud_instance" "pool" {
  count           = var.n
  vswitch_id      = alicloud_vswitch.b.id
  security_groups = [alicloud_security_group.g.id]
  tags            = { role = "pool" }
}
"#;
    let claim = "zone pool = tag role=pool\nnever pool -> pool : ssh\n";
    says(each, claim, &[Undecided]);
    says(
        &each
            .replace("10.0.2", "10.0.3")
            .replace("count           = var.n", "count = 1"),
        claim,
        &[Holds],
    );
}

/// §7.4: to what an EIP is bound, at which address and how, may not be known at once.
#[test]
fn an_eip_of_somebody() {
    let bound = |more: &str| bound_to("var.open", more);
    let claim = "never outside -> web : ssh\n";
    says(&(bound("") + SHUT), claim, &[Holds]);
    says(&(bound("mode = \"BINDED\"") + SHUT), claim, &[Undecided]);
    says(&(bound("mode = \"MULTI_BINDED\"") + SHUT), claim, &[Undecided]);
    let second = "zone second = host 10.0.1.11 { overlaps web }\nzone first = host 10.0.1.10 { overlaps web }\n\
                  never outside -> second : ssh\nnever outside -> first : ssh\n";
    says(
        &bound("private_ip_address = \"10.0.1.11\""),
        second,
        &[Undecided, Holds],
    );
}

/// §8: of an SNAT entry whose gateway is not in the input nothing is known.
#[test]
fn an_snat_entry_of_a_gateway_that_is_not_in_the_input() {
    let more = r#"
resource "alicloud_snat_entry" "s" {
  snat_table_id     = "stb-elsewhere"
  source_vswitch_id = alicloud_vswitch.a.id
  snat_ip           = "47.0.0.1"
}
"#;
    says(more, "never web -> outside : https\n", &[Undecided]);
}

/// §10: what may not be there carries nothing for certain, and what may lead elsewhere takes away what is seen to travel.
#[test]
fn a_transit_router_of_which_a_part_may_not_be_there() {
    let claims = "zone w = tag role=w\nmust web -> w : ssh\n";
    let number = "variable \"n\" {\n  type = number\n}\n";
    says(&at_cen(""), claims, &[Holds]);
    says(&(at_cen("count = var.n") + number), claims, &[Undecided]);
}

/// §3.6: a table that leads what comes from the Internet elsewhere, or may.
#[test]
fn the_table_of_a_gateway_that_may_not_be_there() {
    let net = |bound: &str| {
        format!(
            r#"
variable "n" {{
  type = number
}}
resource "alicloud_vpc_ipv4_gateway" "g" {{
  vpc_id  = alicloud_vpc.v.id
  enabled = true
}}
resource "alicloud_route_entry" "d" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "Ipv4Gateway"
  nexthop_id            = alicloud_vpc_ipv4_gateway.g.id
}}
resource "alicloud_eip_association" "e" {{
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_instance.web.id
}}
{bound}
"#
        )
    };
    let table = r#"
resource "alicloud_route_table" "in" {
  vpc_id         = alicloud_vpc.v.id
  associate_type = "Gateway"
}
resource "alicloud_vpc_gateway_route_table_attachment" "in" {
  count           = var.n
  ipv4_gateway_id = alicloud_vpc_ipv4_gateway.g.id
  route_table_id  = alicloud_route_table.in.id
}
"#;
    says(&net(""), "must outside -> web : ssh\n", &[Holds]);
    says(&net(table), "must outside -> web : ssh\n", &[Undecided]);
}

/// A side of which nobody is there for certain.
#[test]
fn somebody_who_may_not_be_there() {
    let more = r#"
variable "n" {
  type = number
}
resource "alicloud_instance" "some" {
  count           = var.n
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.10"
  security_groups = [alicloud_security_group.g.id]
  tags            = { role = "some" }
}
"#;
    let claim = "zone others = tag role=some\nmust web -> others : ssh\n";
    says(more, claim, &[Undecided]);
    says(&more.replace("var.n\n", "1\n"), claim, &[Holds]);
}

/// A zone that names one of a number that is not known: who that is may be there, so nothing about it is proved.
#[test]
fn one_of_a_number_that_is_not_known() {
    let pool = |n: &str| {
        format!(
            r#"
variable "n" {{
  type = number
}}
resource "alicloud_instance" "pool" {{
  count           = {n}
  vswitch_id      = alicloud_vswitch.b.id
  security_groups = [alicloud_security_group.g.id]
}}
"#
        )
    };
    let zone = "zone first = tf \"alicloud_instance.pool[0]\"\n";
    let claims = format!(
        "{zone}never first -> web : ssh\nnever web -> first : ssh\nmust web -> first : ssh\nonly web -> first : ssh\n\
         boundary b governs first {{\n  allow web -> first : ssh\n}}\n"
    );
    let [u, v, h] = [Undecided, Violated, Holds];
    says(&pool("var.n"), &claims, &[u, u, u, u, h, u]);
    says(&pool("0"), &claims, &[h, h, u, h, h, h]);
    says(&pool("1"), &claims, &[v, v, h, h, h, v]);
    // All of them are whoever they are.
    let all = "zone all = tf \"alicloud_instance.pool[*]\"\nnever outside -> all : ssh\n";
    says(&pool("var.n"), all, &[Holds]);
    let by = |what: &str| format!("web -> outside not through tf \"alicloud_instance.{what}\"\n");
    says(&pool("var.n"), &by("pool[0]"), &[Undecided]);
    says(&pool("var.n"), &by("pool[*]"), &[Holds]);
    // The place is that of the resource.
    let net = format!("{NET}{}", pool("var.n"));
    let r = common::run(
        &net,
        &format!("{WEB}{zone}never web -> first : ssh\n"),
        Readings::default(),
    );
    let at = 1 + net[..net.find("\"alicloud_instance\" \"pool\"").unwrap()]
        .matches('\n')
        .count();
    let f = r.findings.iter().find(|f| f.code == "REACH007").unwrap();
    let primary = f.labels.iter().find(|l| l.primary).unwrap();
    assert_eq!(primary.span.line as usize, at, "{f:#?}");
    assert!(f.message.contains("`alicloud_instance.pool[?]`"), "{}", f.message);
}

/// §4: an interface that may be anywhere is an end of its own packets, and of nobody else's.
#[test]
fn an_interface_that_may_be_anywhere_is_somebody() {
    let net = |more: &str| {
        format!(
            r#"
resource "alicloud_instance" "app" {{
  vswitch_id        = alicloud_vswitch.b.id
  private_ip        = "10.0.2.10"
  security_groups   = [alicloud_security_group.g.id]
  source_dest_check = false
  tags              = {{ role = "app" }}
}}
resource "alicloud_security_group" "shut" {{
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}}
resource "alicloud_instance" "db" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.20"
  security_groups = [alicloud_security_group.shut.id]
  tags            = {{ role = "db" }}
}}
resource "alicloud_instance" "lost" {{
  vswitch_id      = var.open
  security_groups = [alicloud_security_group.g.id]
  tags            = {{ role = "lost" }}
}}
{more}"#
        )
    };
    let zones = "zone app = tag role=app\nzone db = tag role=db\nzone lost = tag role=lost\n";
    let ask =
        |more: &str, claims: &str, want: &[Verdict]| says(&net(more), &format!("{zones}{claims}"), want);
    // Claims about others do not depend on it, whichever way they go.
    let others = "never web -> db : ssh\nmust web -> app : ssh\nnever web -> app : ssh\nmust web -> db : ssh\n\
                  must some web -> db : ssh\nweb -> app not through lost\n";
    ask("", others, &[Holds, Holds, Violated, Violated, Violated, Holds]);
    // Those about it do, and those about everybody.
    let about = "never web -> lost : ssh\nnever lost -> db : ssh\nmust web -> lost : ssh\nmust some web -> lost : ssh\n\
                 only web -> db : ssh\nnever everything -> db : ssh\nnever web -> cidr 10.0.9.0/24 : ssh\n\
                 boundary b governs db {\n  allow db -> everything : any\n}\n";
    let [u, h] = [Undecided, Holds];
    ask("", about, &[u, u, u, u, u, u, u, h, u]);
    let mixed = "zone mixed = (tag role=db or tag role=lost) { overlaps db, lost }\nmust some web -> mixed : ssh\nnever web -> mixed : ssh\n\
                 must web -> mixed : ssh\n";
    ask("", mixed, &[Undecided, Undecided, Violated]);
    // Who may pass packets on may do so between any two.
    let route = r#"
resource "alicloud_route_entry" "by" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "192.168.0.0/16"
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.lost.id
}
"#;
    ask(route, "never web -> db : ssh\n", &[Undecided]);
    let second = r#"
resource "alicloud_ecs_network_interface" "second" {
  vswitch_id         = var.open
  security_group_ids = [alicloud_security_group.g.id]
}
resource "alicloud_ecs_network_interface_attachment" "second" {
  instance_id          = alicloud_instance.app.id
  network_interface_id = alicloud_ecs_network_interface.second.id
}
"#;
    ask(
        second,
        "never web -> db : ssh\nnever db -> app : ssh\n",
        &[Holds, Violated],
    );
    let by_app = route.replace("alicloud_instance.lost", "alicloud_instance.app");
    ask(
        &format!("{second}{by_app}"),
        "never web -> db : ssh\n",
        &[Undecided],
    );
}

/// §4: a launch template that is not in the input may give an instance more interfaces, which are that instance's.
#[test]
fn what_a_launch_template_may_bring_is_the_instance_s() {
    let more = r#"
resource "alicloud_instance" "app" {
  vswitch_id         = alicloud_vswitch.b.id
  private_ip         = "10.0.2.10"
  security_groups    = [alicloud_security_group.g.id]
  launch_template_id = "lt-elsewhere"
  tags               = { role = "app" }
}
resource "alicloud_security_group" "shut" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_instance" "db" {
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.20"
  security_groups = [alicloud_security_group.shut.id]
  tags            = { role = "db" }
}
"#;
    let claims = "zone app = tag role=app\nzone db = tag role=db\nnever web -> db : ssh\nnever web -> app : ssh\nmust web -> app : ssh\n\
                  never app -> db : ssh\nnever db -> app : ssh\nmust web -> db : ssh\n";
    says(
        more,
        claims,
        &[Holds, Violated, Undecided, Undecided, Violated, Violated],
    );
}

/// Decision 11, 16: what a balancer that is not in the input may hand on gets to its servers on their ports.
#[test]
fn a_balancer_that_is_not_here_reaches_servers_on_their_ports() {
    let net = |more: &str, port: &str| {
        format!(
            r#"
resource "alicloud_security_group" "shut" {{
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}}
resource "alicloud_instance" "db" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.20"
  security_groups = [alicloud_security_group.shut.id]
  tags            = {{ role = "db" }}
}}
resource "alicloud_instance" "aside" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.30"
  security_groups = [alicloud_security_group.shut.id]
  tags            = {{ role = "aside" }}
}}
resource "alicloud_nlb_server_group" "s" {{
  server_group_name = "s"
  server_group_type = "Instance"
  vpc_id            = alicloud_vpc.v.id
  protocol          = "TCP"
  {more}
}}
resource "alicloud_nlb_server_group_server_attachment" "db" {{
  server_group_id = alicloud_nlb_server_group.s.id
  server_id       = alicloud_instance.db.id
  server_type     = "Ecs"
  port            = {port}
}}
resource "alicloud_nlb_listener" "tcp" {{
  load_balancer_id  = "nlb-elsewhere"
  listener_protocol = "TCP"
  listener_port     = 80
  server_group_id   = alicloud_nlb_server_group.s.id
}}
"#
        )
    };
    let zones = "zone db = tag role=db\nzone aside = tag role=aside\n";
    let claims = format!(
        "{zones}never web -> db : tcp/8080\nnever web -> db : tcp/22\nnever web -> db : any\nmust web -> db : tcp/8080\n\
         must web -> db : tcp/22\nnever web -> aside : any\n"
    );
    let [u, v, h] = [Undecided, Violated, Holds];
    says(&net("", "8080"), &claims, &[u, h, u, u, v, h]);
    says(&net("", "22"), &claims, &[h, u, u, v, u, h]);
    // Nobody knows which port it is.
    says(&net("any_port_enabled = true", "0"), &claims, &[u, u, u, u, u, h]);
    says(&net("", "tonumber(var.open)"), &claims, &[u, u, u, u, u, h]);
    // Everybody's flows are covered or not.
    let closed = format!("{zones}boundary b governs db {{\n  allow db -> everything : any\n}}\n");
    says(&net("", "8080"), &closed, &[h, u]);
}
