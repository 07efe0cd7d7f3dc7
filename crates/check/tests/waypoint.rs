//! `through` and `not through`: every way counts, that of the requests and that of the replies (ALIBABA.md §1, §3;
//! docs/decisions/025).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict;
use bartizan_check::CheckReport;
use bartizan_model::{Assumption, Readings};
use common::vector;

use Verdict::{Holds, Undecided, Violated};

const ZONES: &str = "edition 2027\nzone a = ecs \"a\"\nzone b = ecs \"b\"\nzone fw = ecs \"fw\"\nzone internet = outside\nzone inspector = tf \"*endpoint.inspect\"\n";

/// Routes to the prefix of a vSwitch decide (A-ROUTE-1).
#[track_caller]
fn expect(net: &str, clauses: &str, want: &[Verdict]) -> CheckReport {
    let readings = Readings::default().with(Assumption::Route1, false);
    expect_with(net, clauses, readings, want)
}

#[track_caller]
fn expect_with(net: &str, clauses: &str, readings: Readings, want: &[Verdict]) -> CheckReport {
    common::expect(net, &format!("{ZONES}{clauses}"), readings, want)
}

/// One VPC, `a` and `b` and a firewall `fw` in a vSwitch each, all of them open to one another.
const ONE: &str = r#"
resource "alicloud_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "v" {
  for_each   = { a = 1, b = 2, fw = 3 }
  vpc_id     = alicloud_vpc.main.id
  cidr_block = "10.0.${each.value}.0/24"
  zone_id    = "cn-hangzhou-h"
}
resource "alicloud_route_table" "t" {
  for_each = { a = 1, b = 2 }
  vpc_id   = alicloud_vpc.main.id
}
resource "alicloud_route_table_attachment" "t" {
  for_each       = { a = 1, b = 2 }
  route_table_id = alicloud_route_table.t[each.key].id
  vswitch_id     = alicloud_vswitch.v[each.key].id
}
resource "alicloud_security_group" "g" {
  security_group_name = "g"
  vpc_id              = alicloud_vpc.main.id
}
resource "alicloud_security_group_rule" "open" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "i" {
  for_each          = { a = 1, b = 2, fw = 3 }
  instance_name     = each.key
  vswitch_id        = alicloud_vswitch.v[each.key].id
  security_groups   = [alicloud_security_group.g.id]
  private_ip        = "10.0.${each.value}.10"
  source_dest_check = false
}
"#;

/// A route of the table of one vSwitch to the firewall.
fn to_firewall(table: &str, block: &str) -> String {
    let block_name = block.replace(['.', '/'], "_");
    format!(
        r#"
resource "alicloud_route_entry" "{table}_{block_name}" {{
  route_table_id        = alicloud_route_table.t["{table}"].id
  destination_cidrblock = "{block}"
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.i["fw"].id
}}
"#
    )
}

const BOTH: &str = "a -> b through fw\na -> b not through fw\n";

// §1, §3.4: routes of the two directions are two questions.
#[test]
fn a_reply_that_goes_around_is_against_through() {
    let there = format!("{ONE}{}", to_firewall("a", "10.0.2.0/24"));
    let r = expect(&there, BOTH, &[Violated, Violated]);
    let said: Vec<&str> = r.findings.iter().map(|f| f.message.as_str()).collect();
    assert!(
        said.iter()
            .any(|m| m.ends_with("and the replies go around the waypoint")),
        "{said:?}"
    );
    // Where a route is missing.
    let fix = r.findings[0].fix.as_ref().map(|f| f.text.as_str());
    let table = "lead the replies through the waypoint by a route in `alicloud_route_table.t[\"b\"]`";
    assert_eq!(fix, Some(table));
    let both = format!("{there}{}", to_firewall("b", "10.0.1.0/24"));
    expect(&both, BOTH, &[Holds, Violated]);
    // A-ROUTE-1: a route that may not decide is an alternative, and nothing is certain of alternatives that differ.
    expect_with(&both, BOTH, Readings::default(), &[Undecided, Undecided]);
}

// §1, §3.4.
#[test]
fn a_reply_that_goes_through_is_against_not_through() {
    let back = format!("{ONE}{}", to_firewall("b", "10.0.1.0/24"));
    expect(&back, BOTH, &[Violated, Violated]);
    let r = expect(&back, "a -> b not through fw\n", &[Violated]);
    let said: Vec<&str> = r.findings.iter().map(|f| f.message.as_str()).collect();
    assert!(
        said.iter()
            .any(|m| m.ends_with("and the replies go through the waypoint")),
        "{said:?}"
    );
    // The route that leads them there, which nobody needs.
    let fix = r.findings[0].fix.as_ref().map(|f| f.text.as_str());
    assert_eq!(fix, Some("delete `alicloud_route_entry.b_10_0_1_0_24`"));
    expect(ONE, BOTH, &[Violated, Holds]);
}

// §5: what nobody answers has one direction only.
#[test]
fn a_reply_that_is_lost_goes_nowhere() {
    let lost = format!(
        "{ONE}{}{}",
        to_firewall("a", "10.0.2.0/24"),
        r#"
resource "alicloud_network_acl" "x" {
  vpc_id = alicloud_vpc.main.id
  resources {
    resource_id   = alicloud_vswitch.v["b"].id
    resource_type = "VSwitch"
  }
  ingress_acl_entries {
    network_acl_entry_name = "in"
    policy                 = "accept"
    protocol               = "all"
    port                   = "-1/-1"
    source_cidr_ip         = "0.0.0.0/0"
  }
  egress_acl_entries {
    network_acl_entry_name = "out"
    policy                 = "drop"
    protocol               = "all"
    port                   = "-1/-1"
    destination_cidr_ip    = "0.0.0.0/0"
  }
}
"#
    );
    expect(&lost, BOTH, &[Holds, Violated]);
}

/// A public address for `a`, an IPv4 gateway, and its table, which leads to the firewall first.
fn entering(leaving: bool) -> String {
    let out = if leaving {
        to_firewall("a", "0.0.0.0/0")
    } else {
        r#"
resource "alicloud_route_entry" "out" {
  route_table_id        = alicloud_route_table.t["a"].id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "Ipv4Gateway"
  nexthop_id            = alicloud_vpc_ipv4_gateway.gw.id
}
"#
        .to_string()
    };
    format!(
        r#"{ONE}
resource "alicloud_eip_address" "a" {{
  ip_address = "47.0.0.10"
}}
resource "alicloud_eip_association" "a" {{
  allocation_id = alicloud_eip_address.a.id
  instance_id   = alicloud_instance.i["a"].id
}}
resource "alicloud_vpc_ipv4_gateway" "gw" {{
  vpc_id  = alicloud_vpc.main.id
  enabled = true
}}
resource "alicloud_route_table" "gw" {{
  vpc_id         = alicloud_vpc.main.id
  associate_type = "Gateway"
}}
resource "alicloud_vpc_gateway_route_table_attachment" "gw" {{
  ipv4_gateway_id = alicloud_vpc_ipv4_gateway.gw.id
  route_table_id  = alicloud_route_table.gw.id
}}
resource "alicloud_route_entry" "entering" {{
  route_table_id        = alicloud_route_table.gw.id
  destination_cidrblock = "10.0.1.0/24"
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.i["fw"].id
}}
{out}"#
    )
}

// §3.6: what the table of the IPv4 gateway leads to a firewall goes through it.
#[test]
fn what_enters_by_a_firewall_goes_through_it() {
    let clauses = "internet -> a through fw\ninternet -> a not through fw\n";
    expect(&entering(false), clauses, &[Violated, Violated]);
    let without = entering(false).replace("\"10.0.1.0/24\"\n  nexthop", "\"10.0.2.0/24\"\n  nexthop");
    expect(&without, clauses, &[Violated, Holds]);
}

// §9.6, A-GWLB-1: the endpoint of a gateway load balancer, by its name or as a zone.
#[test]
fn the_endpoint_of_a_gateway_load_balancer_is_a_waypoint() {
    let net = vector("L11");
    let clauses = "internet -> a through inspect\ninternet -> a through inspector\ninternet -> a not through inspect\ninternet -> a through tf \"*endpoint.inspect\"\n";
    let said = |second| Readings::default().with(Assumption::Gwlb1, second);
    expect_with(&net, clauses, said(false), &[Holds, Holds, Violated, Holds]);
    // Nothing is certain to get through, so nothing is certain to be against it.
    expect_with(
        &net,
        clauses,
        Readings::default(),
        &[Holds, Holds, Undecided, Holds],
    );
    let around = net.replace(
        "destination_cidrblock = \"10.0.1.0/24\"",
        "destination_cidrblock = \"10.0.8.0/24\"",
    );
    expect_with(
        &around,
        "internet -> a through inspect\n",
        said(false),
        &[Violated],
    );
}

/// Behind a balancer with a backend in another VPC, whose route leads to the firewall.
const BEHIND: &str = r#"
resource "alicloud_vpc" "far" {
  cidr_block = "10.2.0.0/16"
}
resource "alicloud_vswitch" "far" {
  vpc_id     = alicloud_vpc.far.id
  cidr_block = "10.2.0.0/24"
  zone_id    = "cn-hangzhou-h"
}
resource "alicloud_security_group" "far" {
  security_group_name = "far"
  vpc_id              = alicloud_vpc.far.id
}
resource "alicloud_security_group_rule" "far" {
  security_group_id = alicloud_security_group.far.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "8080/8080"
  cidr_ip           = "10.0.0.0/16"
}
resource "alicloud_instance" "far" {
  instance_name   = "far"
  vswitch_id      = alicloud_vswitch.far.id
  security_groups = [alicloud_security_group.far.id]
  private_ip      = "10.2.0.10"
}
resource "alicloud_vpc_peer_connection" "p" {
  vpc_id              = alicloud_vpc.main.id
  accepting_vpc_id    = alicloud_vpc.far.id
  accepting_region_id = "cn-hangzhou"
}
resource "alicloud_route_entry" "far" {
  route_table_id        = alicloud_vpc.main.route_table_id
  destination_cidrblock = "10.2.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}
resource "alicloud_route_entry" "home" {
  route_table_id        = alicloud_vpc.far.route_table_id
  destination_cidrblock = "10.0.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}
resource "alicloud_nlb_load_balancer" "lb" {
  load_balancer_name = "lb"
  load_balancer_type = "Network"
  address_type       = "Intranet"
  vpc_id             = alicloud_vpc.main.id
  zone_mappings {
    zone_id              = "cn-hangzhou-h"
    vswitch_id           = alicloud_vswitch.v["a"].id
    private_ipv4_address = "10.0.1.100"
  }
}
resource "alicloud_nlb_server_group" "s" {
  server_group_name          = "s"
  server_group_type          = "Ip"
  vpc_id                     = alicloud_vpc.main.id
  protocol                   = "TCP"
  preserve_client_ip_enabled = false
  health_check {
    health_check_enabled = false
  }
}
resource "alicloud_nlb_server_group_server_attachment" "far" {
  server_group_id = alicloud_nlb_server_group.s.id
  server_id       = "10.2.0.10"
  server_ip       = "10.2.0.10"
  server_type     = "Ip"
  port            = 8080
}
resource "alicloud_nlb_listener" "tcp" {
  load_balancer_id  = alicloud_nlb_load_balancer.lb.id
  listener_protocol = "TCP"
  listener_port     = 80
  server_group_id   = alicloud_nlb_server_group.s.id
}
"#;

// §9.5: what a balancer hands on to another VPC takes the routes of its vSwitch, and whatever they lead through.
#[test]
fn what_a_balancer_hands_on_by_way_of_a_firewall_goes_through_it() {
    let clauses = "zone far = ecs \"far\"\nmust b -> far : tcp/8080\nb -> far : tcp/8080 through fw\nb -> far : tcp/8080 not through fw\nb -> far : tcp/8080 through lb\n";
    let net = format!("{ONE}{BEHIND}{}", to_firewall("a", "10.2.0.0/16"));
    // Back it goes by the peering alone.
    expect(&net, clauses, &[Holds, Violated, Violated, Holds]);
    let direct = format!("{ONE}{BEHIND}").replace(
        "route_table_id        = alicloud_vpc.main.route_table_id",
        "route_table_id        = alicloud_route_table.t[\"a\"].id",
    );
    expect(&direct, clauses, &[Holds, Violated, Holds, Holds]);
}

// §9.5, A-LB-4: that no route is asked between a balancer and a server of its VPC is something to lean on where one leads
// that elsewhere.
#[test]
fn the_way_from_a_balancer_to_its_server_leans_on_an_assumption() {
    let clause = "b -> far : tcp/8080 not through fw\n";
    let behind = format!("{ONE}{BEHIND}").replace("\"10.2.0.10\"", "\"10.0.2.10\"");
    let leans = |net: &str, route1: Option<bool>| {
        let readings = route1.map_or(Readings::default(), |second| {
            Readings::default().with(Assumption::Route1, second)
        });
        let r = common::run(net, &format!("{ZONES}zone far = ecs \"far\"\n{clause}"), readings);
        r.clauses[0].assumptions.iter().any(|a| a == "A-LB-4")
    };
    let steered = format!("{behind}{}", to_firewall("a", "10.0.2.0/24"));
    assert!(leans(&steered, None) && leans(&steered, Some(false)));
    assert!(!leans(&steered, Some(true)), "such routes do not take effect");
    assert!(!leans(&behind, None), "no route leads elsewhere");
    let alone = format!("{ONE}{}", to_firewall("a", "10.0.2.0/24"));
    let far = BEHIND
        .split("resource \"alicloud_nlb_load_balancer\"")
        .next()
        .unwrap();
    assert!(!leans(&format!("{alone}{far}"), None), "no balancer");
    let elsewhere = "vpc_id             = alicloud_vpc.main.id\n  zone_mappings {\n    zone_id              = \"cn-hangzhou-h\"\n    vswitch_id           = alicloud_vswitch.v[\"a\"].id";
    assert!(steered.contains(elsewhere));
    let other = "vpc_id             = alicloud_vpc.far.id\n  zone_mappings {\n    zone_id              = \"cn-hangzhou-h\"\n    vswitch_id           = alicloud_vswitch.far.id";
    let other = steered
        .replace(elsewhere, other)
        .replace("\"10.0.1.100\"", "\"10.2.0.100\"");
    assert!(!leans(&other, None), "the balancer is in another VPC");
}

// A name is that of all who have it: an instance, a NAT gateway, a balancer.
#[test]
fn a_name_hides_nothing_else_of_that_name() {
    let nat = r#"
resource "alicloud_nat_gateway" "other" {
  nat_gateway_name = "fw"
  vpc_id           = alicloud_vpc.main.id
  vswitch_id       = alicloud_vswitch.v["fw"].id
}
"#;
    let net = format!(
        "{ONE}{nat}{}{}",
        to_firewall("a", "10.0.2.0/24"),
        to_firewall("b", "10.0.1.0/24")
    );
    let clauses =
        "a -> b not through fw\na -> b through tf \"alicloud_*\"\na -> b not through tf \"alicloud_*\"\n";
    let zones = ZONES.replace("zone fw = ecs \"fw\"\n", "");
    let readings = Readings::default().with(Assumption::Route1, false);
    common::expect(
        &net,
        &format!("{zones}{clauses}"),
        readings,
        &[Violated, Holds, Violated],
    );
}

// Names that are not known may be the one that is meant; what joins networks is nothing that ways are told by.
#[test]
fn what_is_not_known_to_be_the_waypoint_is_undecided() {
    let zones = ZONES.replace("zone fw = ecs \"fw\"\n", "");
    let ask = |net: &str, clause: &str| {
        let intent = format!("{zones}zone far = ecs \"far\"\n{clause}");
        common::expect(net, &intent, Readings::default(), &[Undecided]);
    };
    let behind = format!("{ONE}{BEHIND}");
    ask(
        &behind,
        "b -> far not through tf \"alicloud_vpc_peer_connection.p\"\n",
    );
    let unnamed = behind.replace("load_balancer_name = \"lb\"", "load_balancer_name = var.unknown");
    let unnamed = format!("variable \"unknown\" {{}}\n{unnamed}");
    ask(&unnamed, "b -> far : tcp/8080 not through lb\n");
}

// §4: by one of its addresses an appliance may be meant, by all of them it is.
#[test]
fn an_appliance_that_is_in_a_zone_by_one_address_may_be_the_waypoint() {
    let both = format!(
        "{ONE}{}{}",
        to_firewall("a", "10.0.2.0/24"),
        to_firewall("b", "10.0.1.0/24")
    );
    let zones = "zone first = cidr 10.0.3.0/25\n";
    let clauses = format!("{zones}a -> b through first\na -> b not through first\n");
    expect(&both, &clauses, &[Holds, Violated]);
    // One that the cloud picks may be outside of it.
    let picked = both.replace("  private_ip        = \"10.0.${each.value}.10\"\n", "");
    expect(&picked, &clauses, &[Undecided, Undecided]);
}

/// `a` has the address that the cloud picks.
fn picked(net: &str) -> String {
    let written = "private_ip        = \"10.0.${each.value}.10\"";
    let picked = "private_ip        = each.key == \"a\" ? null : \"10.0.${each.value}.10\"";
    assert!(net.contains(written));
    net.replace(written, picked)
}

// §2, §3.4, A-ADDR-1: a route for a part of the addresses that the cloud may pick.
#[test]
fn a_route_for_half_of_the_addresses_that_may_be_picked_decides_nothing() {
    let back = |block: &str| {
        let net = format!(
            "{ONE}{}{}",
            to_firewall("a", "10.0.2.0/24"),
            to_firewall("b", block)
        );
        picked(&net)
    };
    expect(&back("10.0.1.0/25"), BOTH, &[Undecided, Violated]);
    expect(&back("10.0.1.0/24"), BOTH, &[Holds, Violated]);
    expect(&back("10.0.3.0/25"), BOTH, &[Violated, Violated]);
    let alone = picked(&format!("{ONE}{}", to_firewall("b", "10.0.1.0/25")));
    expect(&alone, BOTH, &[Violated, Undecided]);
    // §3.6: that of the gateway as well.
    let enters = |block: &str| {
        let net = picked(&entering(false))
            .replace("\"10.0.1.0/24\"\n  nexthop", &format!("\"{block}\"\n  nexthop"));
        assert!(net.contains(&format!("= \"{block}\"\n  nexthop")));
        net
    };
    let clause = "internet -> a not through fw\n";
    expect(&enters("10.0.1.0/24"), clause, &[Violated]);
    expect(&enters("10.0.1.0/25"), clause, &[Undecided]);
    expect(&enters("10.0.2.0/24"), clause, &[Holds]);
}

// A zone of addresses may be somebody's or not: then nothing is certain about it.
#[test]
fn who_may_have_an_address_in_a_zone_violates_nothing_for_certain() {
    let zones = "zone low = cidr 10.0.1.0/25 { overlaps a }\n";
    let ask = |net: &str, want| {
        expect(net, &format!("{zones}low -> b through fw\n"), &[want]);
    };
    ask(ONE, Violated);
    ask(&picked(ONE), Undecided);
    let elsewhere = ONE.replace("10.0.${each.value}.10", "10.0.${each.value}.200");
    ask(&elsewhere, Holds);
}

// §3.6: a table that may lead what comes in to the firewall.
#[test]
fn the_table_of_a_gateway_that_may_be_bound_decides_nothing() {
    // A-IGW-1: a route for some lets the others in as well, and these are answered by the default route.
    let some = r#"
resource "alicloud_route_entry" "some" {
  route_table_id        = alicloud_route_table.t["a"].id
  destination_cidrblock = "198.51.100.0/24"
  nexthop_type          = "Ipv4Gateway"
  nexthop_id            = alicloud_vpc_ipv4_gateway.gw.id
}
resource "alicloud_route_entry" "on" {
  route_table_id        = alicloud_vpc.main.route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "Ipv4Gateway"
  nexthop_id            = alicloud_vpc_ipv4_gateway.gw.id
}
"#;
    let readings = Readings::default()
        .with(Assumption::Route1, false)
        .with(Assumption::Igw1, true);
    let head = "resource \"alicloud_vpc_gateway_route_table_attachment\" \"gw\" {\n";
    let counted = |n: &str| {
        let net = entering(true);
        assert!(net.contains(head));
        let net = net.replace(head, &format!("{head}  count           = {n}\n"));
        format!("variable \"n\" {{\n  type = number\n}}\n{net}{some}")
    };
    let clauses = "zone rest = cidr 203.0.113.0/24\nrest -> a through fw\nrest -> a not through fw\n";
    let ask = |n: &str, want: [Verdict; 2]| expect_with(&counted(n), clauses, readings.clone(), &want);
    ask("1", [Holds, Violated]);
    ask("0", [Violated, Undecided]);
    let r = ask("var.n", [Undecided, Undecided]);
    let said = &r.clauses[0].reasons;
    assert!(
        said.iter().any(|m| m.contains("`alicloud_vpc_ipv4_gateway.gw`")),
        "{said:?}"
    );
}

// §3.6, A-ADDR-1: where the table of the gateway leads one half of the addresses to somebody who passes nothing on.
#[test]
fn what_the_gateway_leads_away_for_half_of_the_addresses_is_not_closed() {
    let net = picked(&entering(false)).replace("source_dest_check = false", "source_dest_check = true");
    let ask = |block: &str, want| {
        let net = net.replace("\"10.0.1.0/24\"\n  nexthop", &format!("\"{block}\"\n  nexthop"));
        expect(&net, "never internet -> a : any\n", &[want]);
    };
    ask("10.0.1.0/24", Holds);
    ask("10.0.1.0/25", Undecided);
    ask("10.0.2.0/24", Violated);
}

// Who may not be there goes no way for certain.
#[test]
fn somebody_who_may_not_be_there_violates_nothing_for_certain() {
    let net = ONE.replace(
        "for_each          = { a = 1, b = 2, fw = 3 }",
        "for_each          = { b = 2, fw = 3 }",
    );
    let maybe = r#"
variable "n" {
  type = number
}
resource "alicloud_instance" "a" {
  count           = var.n
  instance_name   = "a"
  vswitch_id      = alicloud_vswitch.v["a"].id
  security_groups = [alicloud_security_group.g.id]
  private_ip      = "10.0.1.10"
}
"#;
    expect(&format!("{net}{maybe}"), "a -> b through fw\n", &[Undecided]);
    let there = maybe.replace("var.n\n", "1\n");
    expect(&format!("{net}{there}"), "a -> b through fw\n", &[Violated]);
}
