//! What the cloud refuses carries nothing for certain, and may be there (ALIBABA.md §5.1, §8.3, §9.2, §9.3, §10.6).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{self, Holds, Undecided, Violated};
use bartizan_model::Readings;
use common::{expect, inventory};

/// Two VPCs with a host each; `h1` sends, the others let everybody in.
const NET: &str = r#"
provider "alicloud" {
  region = "cn-hangzhou"
}
resource "alicloud_vpc" "v" {
  for_each   = toset(["0", "1"])
  cidr_block = "10.${each.key}.0.0/16"
}
resource "alicloud_vswitch" "s" {
  for_each   = toset(["0", "1"])
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = "10.${each.key}.1.0/24"
  zone_id    = "cn-hangzhou-a"
}
resource "alicloud_vswitch" "t" {
  vpc_id     = alicloud_vpc.v["0"].id
  cidr_block = "10.0.2.0/24"
  zone_id    = "cn-hangzhou-b"
}
resource "alicloud_security_group" "open" {
  for_each            = toset(["0", "1"])
  vpc_id              = alicloud_vpc.v[each.key].id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "in" {
  for_each          = toset(["0", "1"])
  type              = "ingress"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  security_group_id = alicloud_security_group.open[each.key].id
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_security_group" "big" {
  for_each            = toset(["a", "b"])
  vpc_id              = alicloud_vpc.v["0"].id
  security_group_type = "enterprise"
}
resource "alicloud_instance" "h1" {
  instance_name   = "h1"
  vswitch_id      = alicloud_vswitch.s["0"].id
  private_ip      = "10.0.1.10"
  security_groups = [alicloud_security_group.FROM.id]
}
resource "alicloud_instance" "h2" {
  instance_name   = "h2"
  vswitch_id      = alicloud_vswitch.t.id
  private_ip      = "10.0.2.10"
  security_groups = [TO]
}
resource "alicloud_instance" "far" {
  instance_name   = "far"
  vswitch_id      = alicloud_vswitch.s["1"].id
  private_ip      = "10.1.1.10"
  security_groups = [alicloud_security_group.open["1"].id]
}
"#;

const ZONES: &str =
    "zone h1 = ecs \"h1\"\nzone h2 = ecs \"h2\"\nzone far = ecs \"far\"\nzone inet = outside\n";

const OPEN: &str = "alicloud_security_group.open[\"0\"].id";

fn net(from: &str, to: &str, more: &str) -> String {
    NET.replace("FROM", from).replace("TO", to) + more
}

/// The verdicts, and the resources that a warning says are refused.
fn judged(net: &str, clauses: &str, want: &[Verdict], refused: &[&str]) {
    expect(net, &format!("{ZONES}{clauses}"), Readings::default(), want);
    let said = inventory(&[("main.tf", net)]).diagnostics;
    let mut found: Vec<String> = said
        .iter()
        .filter(|d| d.code == "INPUT007")
        .map(|d| d.message.clone())
        .collect();
    found.sort();
    assert_eq!(found.len(), refused.len(), "{found:?}");
    for (text, name) in found.iter().zip(refused) {
        assert!(text.starts_with(&format!("the cloud refuses `{name}`")), "{text}");
    }
    assert!(said.iter().all(|d| d.code != "INPUT005"), "{said:?}");
}

// §5.1: no groups as source or destination of rules of enterprise groups.
#[test]
fn a_rule_of_an_enterprise_group_names_no_group() {
    let rules = |by: &str| {
        let rule = |name: &str, kind: &str, of: &str, peer: &str, block: &str| {
            let peer = match by {
                "group" => format!("source_security_group_id = alicloud_security_group.big[\"{peer}\"].id"),
                _ => format!("cidr_ip = \"{block}\""),
            };
            format!(
                "resource \"alicloud_security_group_rule\" \"{name}\" {{\n  type = \"{kind}\"\n  ip_protocol = \"tcp\"\n  port_range = \"22/22\"\n  \
                 security_group_id = alicloud_security_group.big[\"{of}\"].id\n  {peer}\n}}\n"
            )
        };
        rule("out", "egress", "a", "b", "10.0.2.0/24") + &rule("into", "ingress", "b", "a", "10.0.1.0/24")
    };
    let of = |by: &str| net("big[\"a\"]", "alicloud_security_group.big[\"b\"].id", &rules(by));
    let clauses = "must h1 -> h2 : ssh\nnever h1 -> h2 : ssh\nnever h1 -> h2 : tcp/80\n";
    let both = [
        "alicloud_security_group_rule.into",
        "alicloud_security_group_rule.out",
    ];
    judged(&of("group"), clauses, &[Undecided, Undecided, Holds], &both);
    judged(&of("block"), clauses, &[Holds, Violated, Holds], &[]);
}

// §5.1: the groups of an interface are of one type.
#[test]
fn groups_of_both_types_are_not_on_one_interface() {
    let clauses = "must h1 -> h2 : ssh\nnever h1 -> h2 : ssh\n";
    let both = format!("{OPEN}, alicloud_security_group.big[\"a\"].id");
    let refused = ["alicloud_instance.h2"];
    judged(
        &net("open[\"0\"]", &both, ""),
        clauses,
        &[Undecided, Undecided],
        &refused,
    );
    judged(&net("open[\"0\"]", OPEN, ""), clauses, &[Holds, Violated], &[]);
}

/// Peering of the two VPCs in a region.
fn peering(region: &str) -> String {
    format!(
        r#"
resource "alicloud_vpc_peer_connection" "p" {{
  vpc_id              = alicloud_vpc.v["0"].id
  accepting_vpc_id    = alicloud_vpc.v["1"].id
  accepting_region_id = "{region}"
}}
resource "alicloud_vpc_route_entry" "p" {{
  for_each               = {{ "0" = "10.1.0.0/16", "1" = "10.0.0.0/16" }}
  route_table_id         = alicloud_vpc.v[each.key].route_table_id
  destination_cidr_block = each.value
  nexthop_type           = "VpcPeer"
  nexthop_id             = alicloud_vpc_peer_connection.p.id
}}
"#
    )
}

// §10.6.
#[test]
fn a_peering_ends_in_the_region_of_its_vpc() {
    let clauses = "must h1 -> far : ssh\nnever h1 -> far : ssh\n";
    let of = |region: &str| net("open[\"0\"]", OPEN, &peering(region));
    judged(
        &of("cn-beijing"),
        clauses,
        &[Undecided, Undecided],
        &["alicloud_vpc_peer_connection.p"],
    );
    judged(&of("cn-hangzhou"), clauses, &[Holds, Violated], &[]);
}

// §9.3.
#[test]
fn servers_that_are_instances_are_in_the_vpc_of_the_balancer() {
    let nlb = |kind: &str, server: &str| {
        format!(
            r#"
resource "alicloud_nlb_load_balancer" "n" {{
  load_balancer_name = "n"
  address_type       = "Intranet"
  vpc_id             = alicloud_vpc.v["0"].id
  zone_mappings {{
    zone_id    = "cn-hangzhou-a"
    vswitch_id = alicloud_vswitch.s["0"].id
  }}
  zone_mappings {{
    zone_id    = "cn-hangzhou-b"
    vswitch_id = alicloud_vswitch.t.id
  }}
}}
resource "alicloud_nlb_server_group" "g" {{
  server_group_name          = "g"
  server_group_type          = "{kind}"
  vpc_id                     = alicloud_vpc.v["0"].id
  preserve_client_ip_enabled = false
  health_check {{
    health_check_enabled = false
  }}
}}
resource "alicloud_nlb_server_group_server_attachment" "g" {{
  server_group_id = alicloud_nlb_server_group.g.id
  {server}
  port            = 8080
}}
resource "alicloud_nlb_listener" "l" {{
  load_balancer_id  = alicloud_nlb_load_balancer.n.id
  listener_port     = 80
  listener_protocol = "TCP"
  server_group_id   = alicloud_nlb_server_group.g.id
}}
"#
        )
    };
    let of = |kind: &str, server: &str| {
        net(
            "open[\"0\"]",
            OPEN,
            &(peering("cn-hangzhou") + &nlb(kind, server)),
        )
    };
    let ecs = |host: &str| format!("server_type = \"Ecs\"\n  server_id = alicloud_instance.{host}.id");
    let far = ["alicloud_nlb_server_group_server_attachment.g"];
    let clauses = "zone n = lb \"n\"\nh1 -> far not through n\n";
    judged(&of("Instance", &ecs("far")), clauses, &[Undecided], &far);
    judged(&of("Instance", &ecs("h2")), clauses, &[Holds], &[]);
    let ip = "server_type = \"Ip\"\n  server_id = \"10.1.1.10\"\n  server_ip = \"10.1.1.10\"";
    judged(&of("Ip", ip), clauses, &[Violated], &[]);
}

// §8.3.
#[test]
fn the_address_of_an_ip_mapping_is_in_no_other_entry() {
    let nat = |snat: &str| {
        format!(
            r#"
resource "alicloud_nat_gateway" "g" {{
  vpc_id     = alicloud_vpc.v["0"].id
  vswitch_id = alicloud_vswitch.t.id
  nat_type   = "Enhanced"
}}
resource "alicloud_eip_address" "e" {{
  for_each   = toset(["8", "9"])
  ip_address = "47.1.1.${{each.key}}"
}}
resource "alicloud_eip_association" "e" {{
  for_each      = toset(["8", "9"])
  allocation_id = alicloud_eip_address.e[each.key].id
  instance_id   = alicloud_nat_gateway.g.id
}}
resource "alicloud_forward_entry" "f" {{
  forward_table_id = alicloud_nat_gateway.g.forward_table_ids
  external_ip      = "47.1.1.9"
  external_port    = "any"
  ip_protocol      = "any"
  internal_ip      = "10.0.2.10"
  internal_port    = "any"
}}
resource "alicloud_snat_entry" "s" {{
  snat_table_id     = alicloud_nat_gateway.g.snat_table_ids
  source_vswitch_id = alicloud_vswitch.s["0"].id
  snat_ip           = "{snat}"
}}
"#
        )
    };
    let of = |snat: &str| net("open[\"0\"]", OPEN, &nat(snat));
    let clauses = "must h1 -> inet : https\nnever h1 -> inet : https\nmust inet -> h2 : https\nnever inet -> h2 : https\n";
    let both = ["alicloud_forward_entry.f", "alicloud_snat_entry.s"];
    judged(&of("47.1.1.9"), clauses, &[Undecided; 4], &both);
    judged(&of("47.1.1.8"), clauses, &[Holds, Violated, Holds, Violated], &[]);
}
