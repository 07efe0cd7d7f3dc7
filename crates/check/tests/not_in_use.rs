//! What is listed as not understood because it may not be in use, or may be of another type, carries nothing for certain.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{self, Holds, Undecided, Violated};
use bartizan_model::Readings;

/// Two VPCs with a host each that anybody may reach.
const NET: &str = r#"
variable "open" {}
resource "alicloud_vpc" "a" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.a.id
  zone_id    = "cn-hangzhou-a"
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_vpc" "b" {
  cidr_block = "10.1.0.0/16"
}
resource "alicloud_vswitch" "b" {
  vpc_id     = alicloud_vpc.b.id
  zone_id    = "cn-hangzhou-a"
  cidr_block = "10.1.1.0/24"
}
resource "alicloud_security_group" "a" {
  vpc_id = alicloud_vpc.a.id
}
resource "alicloud_security_group" "b" {
  vpc_id = alicloud_vpc.b.id
}
resource "alicloud_security_group_rule" "a" {
  security_group_id = alicloud_security_group.a.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_security_group_rule" "b" {
  security_group_id = alicloud_security_group.b.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "h" {
  instance_name   = "h"
  vswitch_id      = alicloud_vswitch.a.id
  security_groups = [alicloud_security_group.a.id]
  private_ip      = "10.0.1.10"
}
resource "alicloud_instance" "far" {
  instance_name   = "far"
  vswitch_id      = alicloud_vswitch.b.id
  security_groups = [alicloud_security_group.b.id]
  private_ip      = "10.1.1.10"
}
"#;

/// With what is harmless the claims are decided; with each of the others they are not.
#[track_caller]
fn case(net: &str, intent: &str, decided: &[Verdict], harmless: &str, others: &[&str]) {
    let says = |with: &str, want: &[Verdict]| {
        let net = format!("{NET}{}", net.replace("WITH", with));
        let intent = format!("edition 2027\nzone h = ecs \"h\"\n{intent}");
        common::expect(&net, &intent, Readings::default(), want);
    };
    says(harmless, decided);
    let open = vec![Undecided; decided.len()];
    for other in others {
        says(other, &open);
    }
}

/// §11: the status of router interfaces.
#[test]
fn a_router_interface_that_is_not_active() {
    let net = r#"
resource "alicloud_express_connect_router_interface" "a" {
  opposite_region_id    = "cn-hangzhou"
  role                  = "InitiatingSide"
  router_id             = alicloud_vpc.a.router_id
  router_type           = "VRouter"
  spec                  = "Mini.2"
  opposite_interface_id = alicloud_express_connect_router_interface.b.id
  opposite_router_type  = "VRouter"
  opposite_router_id    = alicloud_vpc.b.router_id
  WITH
}
resource "alicloud_express_connect_router_interface" "b" {
  opposite_region_id   = "cn-hangzhou"
  role                 = "AcceptingSide"
  router_id            = alicloud_vpc.b.router_id
  router_type          = "VRouter"
  spec                 = "Negative"
  opposite_router_type = "VRouter"
  opposite_router_id   = alicloud_vpc.a.router_id
}
resource "alicloud_route_entry" "a" {
  route_table_id        = alicloud_vpc.a.route_table_id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_express_connect_router_interface.a.id
}
resource "alicloud_route_entry" "b" {
  route_table_id        = alicloud_vpc.b.route_table_id
  destination_cidrblock = "10.0.0.0/16"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_express_connect_router_interface.b.id
}
"#;
    let claims = "zone far = ecs \"far\"\nnever h -> far : https\n";
    let others = ["status = \"Inactive\"", "status = var.open"];
    case(net, claims, &[Violated], "status = \"Active\"", &others);
}

/// §11: the status of border routers.
#[test]
fn a_border_router_that_is_not_active() {
    let net = r#"
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "t" {
  cen_id = alicloud_cen_instance.c.id
}
resource "alicloud_cen_transit_router_vpc_attachment" "a" {
  cen_id                     = alicloud_cen_instance.c.id
  transit_router_id          = alicloud_cen_transit_router.t.transit_router_id
  vpc_id                     = alicloud_vpc.a.id
  auto_publish_route_enabled = true
  zone_mappings {
    zone_id    = "cn-hangzhou-a"
    vswitch_id = alicloud_vswitch.a.id
  }
}
resource "alicloud_cen_transit_router_vbr_attachment" "v" {
  cen_id                     = alicloud_cen_instance.c.id
  transit_router_id          = alicloud_cen_transit_router.t.transit_router_id
  vbr_id                     = alicloud_express_connect_virtual_border_router.v.id
  auto_publish_route_enabled = true
}
resource "alicloud_cen_transit_router_route_table" "x" {
  transit_router_id = alicloud_cen_transit_router.t.transit_router_id
}
locals {
  attached = {
    a = alicloud_cen_transit_router_vpc_attachment.a.transit_router_attachment_id
    v = alicloud_cen_transit_router_vbr_attachment.v.transit_router_attachment_id
  }
}
resource "alicloud_cen_transit_router_route_table_association" "x" {
  for_each                      = local.attached
  transit_router_attachment_id  = each.value
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.x.transit_router_route_table_id
}
resource "alicloud_cen_transit_router_route_table_propagation" "x" {
  for_each                      = local.attached
  transit_router_attachment_id  = each.value
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.x.transit_router_route_table_id
}
resource "alicloud_express_connect_virtual_border_router" "v" {
  virtual_border_router_name = "v"
  physical_connection_id     = "pc-1"
  vlan_id                    = 10
  local_gateway_ip           = "10.255.0.1"
  peer_gateway_ip            = "10.255.0.2"
  peering_subnet_mask        = "255.255.255.252"
  WITH
}
"#;
    let claims = "link dc = vbr \"v\" {\n  networks 10.50.0.0/16\n  internet none\n}\nzone dc1 = via vbr dc\nmust h -> dc1 : https\nmust dc1 -> h : https\nnever dc1 -> h : https\n";
    let others = ["status = \"terminated\"", "status = var.open"];
    case(
        net,
        claims,
        &[Holds, Holds, Violated],
        "status = \"active\"",
        &others,
    );
}

/// §9.7: a reverse endpoint goes the other way.
#[test]
fn an_endpoint_of_another_type() {
    let net = r#"
resource "alicloud_nlb_load_balancer" "n" {
  load_balancer_name = "n"
  address_type       = "Intranet"
  vpc_id             = alicloud_vpc.a.id
  zone_mappings {
    zone_id    = "cn-hangzhou-a"
    vswitch_id = alicloud_vswitch.a.id
  }
}
resource "alicloud_nlb_server_group" "g" {
  server_group_type = "Instance"
  vpc_id            = alicloud_vpc.a.id
}
resource "alicloud_nlb_server_group_server_attachment" "g" {
  server_group_id = alicloud_nlb_server_group.g.id
  server_type     = "Ecs"
  server_id       = alicloud_instance.h.id
  port            = 8080
}
resource "alicloud_nlb_listener" "l" {
  load_balancer_id  = alicloud_nlb_load_balancer.n.id
  listener_port     = 80
  listener_protocol = "TCP"
  server_group_id   = alicloud_nlb_server_group.g.id
}
resource "alicloud_privatelink_vpc_endpoint_service" "s" {
  auto_accept_connection = true
}
resource "alicloud_privatelink_vpc_endpoint_service_resource" "r" {
  service_id    = alicloud_privatelink_vpc_endpoint_service.s.id
  resource_id   = alicloud_nlb_load_balancer.n.id
  resource_type = "nlb"
  zone_id       = "cn-hangzhou-a"
}
resource "alicloud_privatelink_vpc_endpoint" "e" {
  service_id         = alicloud_privatelink_vpc_endpoint_service.s.id
  vpc_id             = alicloud_vpc.b.id
  security_group_ids = [alicloud_security_group.b.id]
  WITH
}
resource "alicloud_privatelink_vpc_endpoint_zone" "e" {
  endpoint_id = alicloud_privatelink_vpc_endpoint.e.id
  vswitch_id  = alicloud_vswitch.b.id
  zone_id     = "cn-hangzhou-a"
}
"#;
    let claims = "zone far = ecs \"far\"\nmust far -> h : tcp/8080\nnever far -> h : tcp/8080\n";
    let others = ["endpoint_type = \"Reverse\"", "endpoint_type = var.open"];
    case(
        net,
        claims,
        &[Holds, Violated],
        "endpoint_type = \"Interface\"",
        &others,
    );
}

/// §15.6: lists of the classic network, and instances in it.
#[test]
fn a_database_of_the_classic_network() {
    let rds = r#"
resource "alicloud_db_instance" "db" {
  instance_name      = "db"
  engine             = "MySQL"
  engine_version     = "8.0"
  vswitch_id         = alicloud_vswitch.a.id
  private_ip_address = "10.0.1.200"
  security_ips       = ["0.0.0.0/0"]
  WITH
}
"#;
    let claims = "zone db = rds \"db\"\nmust h -> db : mysql\n";
    let others = [
        "whitelist_network_type = \"Classic\"",
        "whitelist_network_type = var.open",
    ];
    case(rds, claims, &[Holds], "whitelist_network_type = \"MIX\"", &others);
    let mongo = r#"
resource "alicloud_mongodb_instance" "db" {
  name             = "db"
  engine_version   = "4.2"
  vswitch_id       = alicloud_vswitch.a.id
  security_ip_list = ["0.0.0.0/0"]
  WITH
}
"#;
    let claims = "zone db = managed \"db\"\nmust h -> db : tcp/3717\n";
    let others = ["network_type = \"Classic\"", "network_type = var.open"];
    case(mongo, claims, &[Holds], "network_type = \"VPC\"", &others);
}

/// §15.6: an instance whose allow list another one replaces admits nobody for certain.
#[test]
fn a_database_whose_list_is_replaced() {
    let net = r#"
resource "alicloud_db_instance" "main" {
  instance_name  = "main"
  engine         = "MySQL"
  engine_version = "8.0"
  vswitch_id     = alicloud_vswitch.a.id
  security_ips   = ["192.168.0.1"]
  WITH
}
resource "alicloud_db_readonly_instance" "copy" {
  instance_name         = "copy"
  master_db_instance_id = alicloud_db_instance.main.id
  engine_version        = "8.0"
  vswitch_id            = alicloud_vswitch.a.id
  security_ips          = ["0.0.0.0/0"]
}
"#;
    let claims = "zone copy = rds \"copy\"\nmust h -> copy : mysql\n";
    let others = [
        "fresh_white_list_readins = [alicloud_db_readonly_instance.copy.id]",
        "fresh_white_list_readins = [\"rr-123\"]",
        "fresh_white_list_readins = var.open",
    ];
    case(net, claims, &[Holds], "", &others);
}

/// §8.1: a NAT gateway that is reached by PrivateLink.
#[test]
fn a_nat_gateway_behind_private_link() {
    let net = r#"
resource "alicloud_nat_gateway" "n" {
  vpc_id     = alicloud_vpc.a.id
  vswitch_id = alicloud_vswitch.a.id
  nat_type   = "Enhanced"
  WITH
}
resource "alicloud_eip_address" "e" {
  ip_address = "47.1.1.9"
}
resource "alicloud_eip_association" "e" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_nat_gateway.n.id
  instance_type = "Nat"
}
resource "alicloud_route_entry" "d" {
  route_table_id        = alicloud_vpc.a.route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.n.id
}
resource "alicloud_snat_entry" "s" {
  snat_table_id     = alicloud_nat_gateway.n.snat_table_ids
  source_vswitch_id = alicloud_vswitch.a.id
  snat_ip           = alicloud_eip_address.e.ip_address
}
"#;
    let claims = "zone world = cidr 8.8.8.8/32\nmust h -> world : https\n";
    let others = ["private_link_enabled = true", "private_link_enabled = var.open"];
    case(net, claims, &[Holds], "private_link_enabled = false", &others);
}
