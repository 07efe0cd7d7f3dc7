//! Ways that are not straight: by translation, in a circle, back by another way; in `routes`, `why`, `check`, `failover`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::run_in;
use serde_json::Value;

fn run(net: &str, intent: &str, args: &[&str]) -> (i32, String) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.tf"), net).unwrap();
    std::fs::write(dir.path().join("x.btz"), format!("edition 2027\n{intent}")).unwrap();
    let o = run_in(dir.path(), args);
    (o.code, o.out + &o.err)
}

fn entry<'v>(v: &'v Value, table: &str, to: &str) -> &'v Value {
    let tables = v["tables"].as_array().unwrap();
    let t = tables.iter().find(|t| t["name"] == table).unwrap();
    let mut all = t["entries"].as_array().unwrap().iter();
    all.find(|e| e["next"][0] == to).unwrap()
}

fn ends(e: &Value) -> Vec<String> {
    let all = e["ends"].as_array().unwrap().iter();
    all.map(|x| x["text"].as_str().unwrap().to_string()).collect()
}

/// A group that lets everything in, in each of `local.nets`.
const GROUPS: &str = r#"
resource "alicloud_security_group" "g" {
  for_each = local.nets
  vpc_id   = alicloud_vpc.v[each.key].id
}
resource "alicloud_security_group_rule" "in" {
  for_each          = local.nets
  security_group_id = alicloud_security_group.g[each.key].id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
"#;

/// Two VPCs with the same addresses, and a VPC NAT gateway in each, joined by a transit router.
const TWINS: &str = r#"
locals { nets = { a = "172.17", b = "172.16" } }
resource "alicloud_vpc" "v" {
  for_each   = local.nets
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vpc_ipv4_cidr_block" "x" {
  for_each             = local.nets
  vpc_id               = alicloud_vpc.v[each.key].id
  secondary_cidr_block = "${each.value}.0.0/16"
}
resource "alicloud_vswitch" "s" {
  for_each   = local.nets
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = "10.0.1.0/24"
  zone_id    = "z-1"
}
resource "alicloud_vswitch" "x" {
  for_each   = local.nets
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = "${each.value}.1.0/24"
  zone_id    = "z-1"
}
resource "alicloud_instance" "h" {
  for_each        = local.nets
  instance_name   = each.key
  vswitch_id      = alicloud_vswitch.s[each.key].id
  private_ip      = "10.0.1.10"
  security_groups = [alicloud_security_group.g[each.key].id]
}
resource "alicloud_nat_gateway" "n" {
  for_each     = local.nets
  vpc_id       = alicloud_vpc.v[each.key].id
  vswitch_id   = alicloud_vswitch.x[each.key].id
  nat_type     = "Enhanced"
  network_type = "intranet"
}
resource "alicloud_vpc_nat_ip" "i" {
  for_each       = local.nets
  nat_gateway_id = alicloud_nat_gateway.n[each.key].id
  nat_ip         = "${each.value}.1.50"
  nat_ip_cidr    = "${each.value}.1.0/24"
}
resource "alicloud_snat_entry" "s" {
  snat_table_id     = alicloud_nat_gateway.n["a"].snat_table_ids
  source_vswitch_id = alicloud_vswitch.s["a"].id
  snat_ip           = "172.17.1.50"
}
resource "alicloud_forward_entry" "f" {
  forward_table_id = alicloud_nat_gateway.n["b"].forward_table_ids
  external_ip      = "172.16.1.50"
  external_port    = "80"
  ip_protocol      = "tcp"
  internal_ip      = "10.0.1.10"
  internal_port    = "8080"
}
resource "alicloud_route_entry" "there" {
  route_table_id        = alicloud_vpc.v["a"].route_table_id
  destination_cidrblock = "172.16.1.0/24"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.n["a"].id
}
resource "alicloud_route_table" "x" {
  for_each = local.nets
  vpc_id   = alicloud_vpc.v[each.key].id
}
resource "alicloud_route_table_attachment" "x" {
  for_each       = local.nets
  route_table_id = alicloud_route_table.x[each.key].id
  vswitch_id     = alicloud_vswitch.x[each.key].id
}
resource "alicloud_route_entry" "x" {
  for_each              = { a = "172.16.1.0/24", b = "172.17.1.0/24" }
  route_table_id        = alicloud_route_table.x[each.key].id
  destination_cidrblock = each.value
  nexthop_type          = "Attachment"
  nexthop_id            = alicloud_cen_transit_router_vpc_attachment.v[each.key].transit_router_attachment_id
}
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "t" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_cen_transit_router_route_table" "t" {
  transit_router_id = alicloud_cen_transit_router.t.transit_router_id
}
resource "alicloud_cen_transit_router_vpc_attachment" "v" {
  for_each                   = local.nets
  cen_id                     = alicloud_cen_instance.c.id
  transit_router_id          = alicloud_cen_transit_router.t.transit_router_id
  vpc_id                     = alicloud_vpc.v[each.key].id
  auto_publish_route_enabled = false
  zone_mappings {
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.x[each.key].id
  }
}
resource "alicloud_cen_transit_router_route_table_association" "v" {
  for_each                      = local.nets
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.v[each.key].transit_router_attachment_id
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.t.transit_router_route_table_id
}
resource "alicloud_cen_transit_router_route_entry" "t" {
  for_each                                          = { a = "172.17.1.0/24", b = "172.16.1.0/24" }
  transit_router_route_table_id                     = alicloud_cen_transit_router_route_table.t.transit_router_route_table_id
  transit_router_route_entry_destination_cidr_block = each.value
  transit_router_route_entry_next_hop_type          = "Attachment"
  transit_router_route_entry_next_hop_id            = alicloud_cen_transit_router_vpc_attachment.v[each.key].transit_router_attachment_id
}
"#;

fn twins(more: &str) -> String {
    format!("{GROUPS}{TWINS}{more}")
}

// §8.5: the reply has to come back to the gateway that translated the request.
#[test]
fn the_reply_to_a_nat_gateway_gets_its_route() {
    let zones = "zone a = ecs \"a\"\nzone b = ecs \"b\"\n";
    let ask = ["why", ".", "a", "b", "tcp/8080"];
    let (_, text) = run(&twins(""), zones, &ask);
    assert!(text.contains("HALF"), "{text}");
    let (_, j) = run(&twins(""), zones, &[&ask[..], &["--format", "json"]].concat());
    let v: Value = serde_json::from_str(&j).unwrap();
    assert_eq!(
        v["cases"][0]["change"]["steps"],
        serde_json::json!([
            "add to the system table of `alicloud_vpc.v[\"b\"]` a route for 172.17.1.0/24 to `alicloud_nat_gateway.n[\"b\"]`"
        ]),
        "{text}"
    );
    // The other ways say what stops them here.
    assert!(
        text.contains("both ends have the same address") && text.contains("one of a VPC NAT gateway"),
        "{text}"
    );
    let made = r#"
resource "alicloud_route_entry" "back" {
  route_table_id        = alicloud_vpc.v["b"].route_table_id
  destination_cidrblock = "172.17.1.0/24"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.n["b"].id
}
"#;
    let (_, text) = run(&twins(made), zones, &ask);
    assert!(text.contains("YES"), "{text}");
}

// 020, 4 to 8: a route to a VPC NAT gateway is followed through it.
#[test]
fn routes_are_followed_through_vpc_nat_gateways() {
    let (code, j) = run(
        &twins(""),
        "",
        &["routes", ".", "--explain", "172.16.1.50", "--format", "json"],
    );
    assert_eq!(code, 0, "{j}");
    let v: Value = serde_json::from_str(&j).unwrap();
    let e = entry(&v, "alicloud_vpc.v[\"a\"]", "alicloud_nat_gateway.n[\"a\"]");
    let there =
        "sent on by alicloud_nat_gateway.n[\"b\"] to alicloud_instance.h[\"b\"] in alicloud_vpc.v[\"b\"]";
    assert_eq!(ends(e), [there]);
    // The prefix is the one that is written, though the question is about one address.
    assert_eq!(e["destination"], "172.16.1.0/24");
    let local = entry(&v, "alicloud_vpc.v[\"b\"]", "local");
    assert_eq!(ends(local), [there]);
    // What is translated does not leave the cloud.
    let (_, text) = run(&twins(""), "", &["routes", "."]);
    assert!(text.contains("0 leak"), "{text}");
}

/// Two VPCs and one with an appliance, on a router; requests and replies go by the appliance.
const BY_APPLIANCE: &str = r#"
locals { nets = { a = "10.0", b = "10.1", c = "10.2" } }
resource "alicloud_vpc" "v" {
  for_each   = local.nets
  cidr_block = "${each.value}.0.0/16"
}
resource "alicloud_vswitch" "s" {
  for_each   = local.nets
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = "${each.value}.1.0/24"
  zone_id    = "z-1"
}
resource "alicloud_vswitch" "fw" {
  vpc_id     = alicloud_vpc.v["c"].id
  cidr_block = "10.2.2.0/24"
  zone_id    = "z-1"
}
resource "alicloud_instance" "h" {
  for_each        = { a = "10.0.1.10", b = "10.1.1.10" }
  instance_name   = each.key
  vswitch_id      = alicloud_vswitch.s[each.key].id
  private_ip      = each.value
  security_groups = [alicloud_security_group.g[each.key].id]
}
resource "alicloud_instance" "fw" {
  instance_name   = "fw"
  vswitch_id      = alicloud_vswitch.fw.id
  private_ip      = "10.2.2.9"
  security_groups = [alicloud_security_group.g["c"].id]
}
resource "alicloud_ecs_network_interface" "fe" {
  vswitch_id         = alicloud_vswitch.fw.id
  security_group_ids = [alicloud_security_group.g["c"].id]
  primary_ip_address = "10.2.2.10"
  source_dest_check  = false
}
resource "alicloud_ecs_network_interface_attachment" "fe" {
  instance_id          = alicloud_instance.fw.id
  network_interface_id = alicloud_ecs_network_interface.fe.id
}
resource "alicloud_route_table" "c" { vpc_id = alicloud_vpc.v["c"].id }
resource "alicloud_route_table_attachment" "c" {
  route_table_id = alicloud_route_table.c.id
  vswitch_id     = alicloud_vswitch.s["c"].id
}
resource "alicloud_route_entry" "in" {
  route_table_id        = alicloud_route_table.c.id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "NetworkInterface"
  nexthop_id            = alicloud_ecs_network_interface.fe.id
}
resource "alicloud_route_entry" "out" {
  route_table_id        = alicloud_vpc.v["c"].route_table_id
  destination_cidrblock = "10.0.0.0/8"
  nexthop_type          = "Attachment"
  nexthop_id            = alicloud_cen_transit_router_vpc_attachment.v["c"].transit_router_attachment_id
}
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "t" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_cen_transit_router_route_table" "t" {
  for_each          = toset(["x", "y"])
  transit_router_id = alicloud_cen_transit_router.t.transit_router_id
}
resource "alicloud_cen_transit_router_vpc_attachment" "v" {
  for_each                   = local.nets
  cen_id                     = alicloud_cen_instance.c.id
  transit_router_id          = alicloud_cen_transit_router.t.transit_router_id
  vpc_id                     = alicloud_vpc.v[each.key].id
  auto_publish_route_enabled = each.key != "c"
  zone_mappings {
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.s[each.key].id
  }
}
resource "alicloud_cen_transit_router_route_table_association" "v" {
  for_each                      = { a = "x", b = "x", c = "y" }
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.v[each.key].transit_router_attachment_id
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.t[each.value].transit_router_route_table_id
}
resource "alicloud_cen_transit_router_route_table_propagation" "v" {
  for_each                      = toset(["a", "b"])
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.v[each.key].transit_router_attachment_id
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.t["y"].transit_router_route_table_id
}
resource "alicloud_cen_transit_router_route_entry" "all" {
  transit_router_route_table_id                     = alicloud_cen_transit_router_route_table.t["x"].transit_router_route_table_id
  transit_router_route_entry_destination_cidr_block = "0.0.0.0/0"
  transit_router_route_entry_next_hop_type          = "Attachment"
  transit_router_route_entry_next_hop_id            = alicloud_cen_transit_router_vpc_attachment.v["c"].transit_router_attachment_id
}
"#;

fn by_appliance(more: &str) -> String {
    format!("{GROUPS}{BY_APPLIANCE}{more}")
}

const THROUGH: &str = "zone a = ecs \"a\"\nzone b = ecs \"b\"\nzone fw = ecs \"fw\"\n\
                       must a -> b : tcp/443\na -> b through fw\n";

// 025: the entry of the router that leads replies past the appliance is named, and not the VPC that they set out from.
#[test]
fn what_leads_replies_around_is_the_entry_of_the_router() {
    let (code, text) = run(&by_appliance(""), THROUGH, &["check", "."]);
    assert_eq!(code, 0, "{text}");
    let around = r#"
resource "alicloud_cen_transit_router_route_entry" "around" {
  transit_router_route_table_id                     = alicloud_cen_transit_router_route_table.t["x"].transit_router_route_table_id
  transit_router_route_entry_destination_cidr_block = "10.0.1.0/24"
  transit_router_route_entry_next_hop_type          = "Attachment"
  transit_router_route_entry_next_hop_id            = alicloud_cen_transit_router_vpc_attachment.v["a"].transit_router_attachment_id
}
"#;
    let (code, text) = run(&by_appliance(around), THROUGH, &["check", "."]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("REACH009")
            && text.contains("leads the replies another way")
            && text.contains("delete `alicloud_cen_transit_router_route_entry.around`"),
        "{text}"
    );
    // A learned route does the same.
    let learned = r#"
resource "alicloud_cen_transit_router_route_table_propagation" "around" {
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.v["a"].transit_router_attachment_id
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.t["x"].transit_router_route_table_id
}
"#;
    let (code, text) = run(&by_appliance(learned), THROUGH, &["check", "."]);
    assert_eq!(code, 1, "{text}");
    assert!(
        text.contains("delete `alicloud_cen_transit_router_route_table_propagation.around`"),
        "{text}"
    );
}

// §10.2, A-TR-1: what is told under an entry is what that entry does.
#[test]
fn an_entry_that_does_not_decide_says_so() {
    let hole = r#"
resource "alicloud_cen_transit_router_route_entry" "hole" {
  transit_router_route_table_id                     = alicloud_cen_transit_router_route_table.t["y"].transit_router_route_table_id
  transit_router_route_entry_destination_cidr_block = "10.1.1.0/24"
  transit_router_route_entry_next_hop_type          = "BlackHole"
}
"#;
    let (_, j) = run(
        &by_appliance(hole),
        "",
        &["routes", ".", "--explain", "10.1.1.10", "--format", "json"],
    );
    let v: Value = serde_json::from_str(&j).unwrap();
    let table = "alicloud_cen_transit_router_route_table.t[\"y\"]";
    let e = entry(&v, table, "alicloud_cen_transit_router_vpc_attachment.v[\"b\"]");
    assert_eq!(e["state"], "shadowed", "{e:#}");
    assert!(ends(e).is_empty(), "{e:#}");
    let hole = entry(&v, table, "blackhole");
    assert_eq!(ends(hole), [format!("dropped: a blackhole of {table}")]);
    assert_eq!(v["assumes"], serde_json::json!(["A-TR-1"]));
}

/// Two border routers of one site on a router.
const BORDERS: &str = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "s" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
  zone_id    = "z-1"
}
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "t" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_cen_transit_router_route_table" "t" {
  transit_router_id = alicloud_cen_transit_router.t.transit_router_id
}
resource "alicloud_cen_transit_router_vpc_attachment" "v" {
  cen_id                     = alicloud_cen_instance.c.id
  transit_router_id          = alicloud_cen_transit_router.t.transit_router_id
  vpc_id                     = alicloud_vpc.v.id
  auto_publish_route_enabled = true
  zone_mappings {
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.s.id
  }
}
resource "alicloud_express_connect_virtual_border_router" "b" {
  for_each                   = { one = 100, two = 101 }
  physical_connection_id     = "pc-1"
  virtual_border_router_name = each.key
  vlan_id                    = each.value
  local_gateway_ip           = "10.9.0.1"
  peer_gateway_ip            = "10.9.0.2"
  peering_subnet_mask        = "255.255.255.252"
}
resource "alicloud_cen_transit_router_vbr_attachment" "b" {
  for_each                   = alicloud_express_connect_virtual_border_router.b
  cen_id                     = alicloud_cen_instance.c.id
  transit_router_id          = alicloud_cen_transit_router.t.transit_router_id
  vbr_id                     = each.value.id
  auto_publish_route_enabled = true
}
locals {
  all = merge(
    { v = alicloud_cen_transit_router_vpc_attachment.v.transit_router_attachment_id },
    { for k, x in alicloud_cen_transit_router_vbr_attachment.b : k => x.transit_router_attachment_id },
  )
}
resource "alicloud_cen_transit_router_route_table_association" "t" {
  for_each                      = toset(["v", "one", "two"])
  transit_router_attachment_id  = local.all[each.key]
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.t.transit_router_route_table_id
}
resource "alicloud_cen_transit_router_route_table_propagation" "t" {
  for_each                      = toset(["v", "one", "two"])
  transit_router_attachment_id  = local.all[each.key]
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.t.transit_router_route_table_id
}
"#;

// 014, 15: what a border router leads to the transit router is for what comes from its port.
#[test]
fn entries_of_border_routers_lead_somewhere() {
    let links = "link one = vbr \"one\" { networks 172.16.0.0/16 }\n\
                 link two = vbr \"two\" { networks 172.16.0.0/16 }\n\
                 site dc = one, two\n";
    let (code, text) = run(BORDERS, links, &["routes", "."]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("0 lead nowhere") && !text.contains("sends it back"),
        "{text}"
    );
    let (_, j) = run(BORDERS, links, &["routes", ".", "--format", "json"]);
    let v: Value = serde_json::from_str(&j).unwrap();
    let (b, a) = (
        "alicloud_express_connect_virtual_border_router.b[\"one\"]",
        "alicloud_cen_transit_router_vbr_attachment.b[\"one\"]",
    );
    let e = entry(&v, b, a);
    assert_eq!(ends(e), ["delivered in alicloud_vpc.v"], "{e:#}");
    let port = entry(&v, b, "its port");
    assert_eq!(
        (port["ends"][0]["kind"].as_str(), ends(port)),
        (Some("site"), vec![format!("to the site dc by {b}")])
    );
    // The announcement of a router's own site beats what the other one's is published as.
    let tables = v["tables"].as_array().unwrap();
    let table = tables.iter().find(|t| t["name"] == b).unwrap();
    let mut twice = table["entries"].as_array().unwrap().iter();
    let shadowed = twice.find(|e| e["destination"] == "172.16.0.0/16" && e["next"][0] == a);
    assert_eq!(shadowed.unwrap()["state"], "shadowed", "{table:#}");
}

/// A host, an appliance in the same table as the vSwitch behind it, and another VPC.
const CIRCLE: &str = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "s" {
  for_each   = { h = "10.0.1.0/24", f = "10.0.2.0/24" }
  vpc_id     = alicloud_vpc.v.id
  cidr_block = each.value
}
resource "alicloud_vpc" "w" { cidr_block = "10.1.0.0/16" }
resource "alicloud_vswitch" "w" {
  vpc_id     = alicloud_vpc.w.id
  cidr_block = "10.1.1.0/24"
}
resource "alicloud_security_group" "v" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_security_group" "w" { vpc_id = alicloud_vpc.w.id }
resource "alicloud_security_group_rule" "in" {
  for_each          = { v = alicloud_security_group.v.id, w = alicloud_security_group.w.id }
  security_group_id = each.value
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "h" {
  instance_name   = "h"
  vswitch_id      = alicloud_vswitch.s["h"].id
  private_ip      = "10.0.1.10"
  security_groups = [alicloud_security_group.v.id]
}
resource "alicloud_instance" "f" {
  instance_name   = "f"
  vswitch_id      = alicloud_vswitch.s["f"].id
  private_ip      = "10.0.2.10"
  security_groups = [alicloud_security_group.v.id]
}
resource "alicloud_ecs_network_interface" "fe" {
  vswitch_id         = alicloud_vswitch.s["f"].id
  security_group_ids = [alicloud_security_group.v.id]
  primary_ip_address = "10.0.2.11"
  source_dest_check  = false
}
resource "alicloud_ecs_network_interface_attachment" "fe" {
  instance_id          = alicloud_instance.f.id
  network_interface_id = alicloud_ecs_network_interface.fe.id
}
resource "alicloud_instance" "w" {
  instance_name   = "w"
  vswitch_id      = alicloud_vswitch.w.id
  private_ip      = "10.1.1.10"
  security_groups = [alicloud_security_group.w.id]
}
resource "alicloud_vpc_peer_connection" "p" {
  vpc_id              = alicloud_vpc.v.id
  accepting_vpc_id    = alicloud_vpc.w.id
  accepting_region_id = "cn-hangzhou"
}
resource "alicloud_vpc_peer_connection_accepter" "p" { instance_id = alicloud_vpc_peer_connection.p.id }
resource "alicloud_route_entry" "f" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "10.1.1.0/24"
  nexthop_type          = "NetworkInterface"
  nexthop_id            = alicloud_ecs_network_interface.fe.id
}
resource "alicloud_route_entry" "back" {
  route_table_id        = alicloud_vpc.w.route_table_id
  destination_cidrblock = "10.0.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}
"#;

// §3.5: the appliance lets everything pass; the table of its vSwitch leads back to it.
#[test]
fn a_circle_is_opened_at_the_route_that_closes_it() {
    let intent = "zone h = ecs \"h\"\nzone w = ecs \"w\"\nmust h -> w : ssh\n";
    let (code, text) = run(CIRCLE, intent, &["check", "."]);
    assert_eq!(code, 1, "{text}");
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("lead it elsewhere at `alicloud_vswitch.s[\"f\"]`")
            && flat.contains("goes back to `alicloud_ecs_network_interface.fe`"),
        "{text}"
    );
    // A route that is there may lead elsewhere, past the appliance.
    let (_, text) = run(CIRCLE, intent, &["why", ".", "h", "w", "tcp/22"]);
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("- let `alicloud_route_entry.f` lead to `alicloud_vpc_peer_connection.p`"),
        "{text}"
    );
}

// §13.1: a route that a NAT firewall names leads past it, another one to the same gateway does not.
#[test]
fn routes_name_the_firewall_before_a_nat_gateway() {
    let net = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "s" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_nat_gateway" "g" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.s.id
  nat_type   = "Enhanced"
}
resource "alicloud_route_entry" "out" {
  for_each              = { all = "0.0.0.0/0", some = "8.0.0.0/8" }
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = each.value
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.g.id
}
resource "alicloud_cloud_firewall_nat_firewall" "f" {
  nat_gateway_id  = alicloud_nat_gateway.g.id
  vpc_id          = alicloud_vpc.v.id
  firewall_switch = "open"
  status          = "open"
  strict_mode     = 0
  proxy_name      = "f"
  region_no       = "cn-hangzhou"
  nat_route_entry_list {
    nexthop_id       = alicloud_nat_gateway.g.id
    nexthop_type     = "NatGateway"
    destination_cidr = "0.0.0.0/0"
    route_table_id   = alicloud_vpc.v.route_table_id
  }
}
"#;
    let past = ", past the firewall alicloud_cloud_firewall_nat_firewall.f";
    for (ip, named) in [("9.9.9.9", true), ("8.8.8.8", false)] {
        let (_, text) = run(net, "", &["routes", ".", "--explain", ip]);
        assert!(text.contains("out by alicloud_nat_gateway.g"), "{text}");
        assert_eq!(text.contains(past), named, "{text}");
    }
}

// More than is looked at is said, and not taken for all.
#[test]
fn addresses_that_are_not_looked_at_are_said() {
    let net = |n: u32| {
        format!(
            r#"
locals {{ nets = {{ a = "10.0", b = "10.1" }} }}
resource "alicloud_vpc" "v" {{
  for_each   = local.nets
  cidr_block = "${{each.value}}.0.0/16"
}}
resource "alicloud_vswitch" "s" {{
  for_each   = local.nets
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = "${{each.value}}.1.0/24"
}}
resource "alicloud_vpc_peer_connection" "p" {{
  vpc_id              = alicloud_vpc.v["a"].id
  accepting_vpc_id    = alicloud_vpc.v["b"].id
  accepting_region_id = "cn-hangzhou"
}}
resource "alicloud_vpc_peer_connection_accepter" "p" {{ instance_id = alicloud_vpc_peer_connection.p.id }}
resource "alicloud_route_entry" "r" {{
  count                 = {n}
  route_table_id        = alicloud_vpc.v["a"].route_table_id
  destination_cidrblock = "10.1.1.${{count.index * 8}}/29"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}}
"#
        )
    };
    for (n, cut) in [(4, false), (30, true)] {
        let (_, text) = run(&net(n), "", &["routes", "."]);
        let said = text.contains("than were looked at for asymmetric routes");
        assert_eq!(said, cut, "{text}");
        let (_, j) = run(&net(n), "", &["routes", ".", "--format", "json"]);
        let v: Value = serde_json::from_str(&j).unwrap();
        assert_eq!(
            (&v["all_addresses_looked_at"], &v["all_pairs_looked_at"]),
            (&(!cut).into(), &true.into())
        );
    }
}

/// A failure that breaks something says what stops the ways that are left, and not only where.
#[test]
fn what_is_left_of_a_failure_is_told_in_words() {
    let root = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let o = run_in(root, &["failover", "examples/enterprise"]);
    assert_eq!(o.code, 0, "{}", o.out);
    assert!(o.out.contains("without it: "), "{}", o.out);
    assert!(!o.out.contains("             by "), "{}", o.out);
}
