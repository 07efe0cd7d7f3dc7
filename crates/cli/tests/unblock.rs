//! What `why` proposes to open a way, and what it says where it proposes nothing: every proposal is made, and asked again.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::run_in;
use serde_json::Value;

/// Two VPCs with a host each that lets everything in, and a second host beside the first.
const BASE: &str = r#"
locals { nets = { a = "10.0", b = "10.1" } }
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
resource "alicloud_security_group" "g" {
  for_each            = local.nets
  vpc_id              = alicloud_vpc.v[each.key].id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "in" {
  for_each          = local.nets
  security_group_id = alicloud_security_group.g[each.key].id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "h" {
  for_each        = { a = "10.0.1.10", a2 = "10.0.1.11", b = "10.1.1.10" }
  instance_name   = each.key
  vswitch_id      = alicloud_vswitch.s[substr(each.key, 0, 1)].id
  private_ip      = each.value
  security_groups = [alicloud_security_group.g[substr(each.key, 0, 1)].id]
}
"#;

/// A transit router with one table, with which the attachments of `associated` are associated.
fn transit(associated: &str, more: &str) -> String {
    format!(
        r#"
resource "alicloud_cen_instance" "c" {{}}
resource "alicloud_cen_transit_router" "t" {{ cen_id = alicloud_cen_instance.c.id }}
resource "alicloud_cen_transit_router_route_table" "t" {{
  transit_router_id = alicloud_cen_transit_router.t.transit_router_id
}}
resource "alicloud_cen_transit_router_vpc_attachment" "v" {{
  for_each                   = local.nets
  cen_id                     = alicloud_cen_instance.c.id
  transit_router_id          = alicloud_cen_transit_router.t.transit_router_id
  vpc_id                     = alicloud_vpc.v[each.key].id
  auto_publish_route_enabled = true
  zone_mappings {{
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.s[each.key].id
  }}
}}
resource "alicloud_cen_transit_router_route_table_association" "v" {{
  for_each                      = toset({associated})
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.v[each.key].transit_router_attachment_id
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.t.transit_router_route_table_id
}}
resource "alicloud_cen_transit_router_route_table_propagation" "v" {{
  for_each                      = toset(["a", "b"])
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.v[each.key].transit_router_attachment_id
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.t.transit_router_route_table_id
}}
{more}"#
    )
}

const BLACKHOLE: &str = r#"
resource "alicloud_cen_transit_router_route_entry" "bh" {
  transit_router_route_table_id                     = alicloud_cen_transit_router_route_table.t.transit_router_route_table_id
  transit_router_route_entry_destination_cidr_block = "10.1.1.10/32"
  transit_router_route_entry_next_hop_type          = "BlackHole"
}
"#;

/// The first case of an answer, and the text of it.
fn ask(more: &str, from: &str, to: &str, service: &str) -> (Value, String) {
    ask_with(more, from, to, service, &[])
}

fn ask_with(more: &str, from: &str, to: &str, service: &str, args: &[&str]) -> (Value, String) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.tf"), format!("{BASE}{more}")).unwrap();
    let zones = "edition 2027\nzone a = ecs \"a\"\nzone a2 = ecs \"a2\"\nzone b = ecs \"b\"\n";
    std::fs::write(dir.path().join("x.btz"), zones).unwrap();
    let mut all = vec!["why", ".", from, to, service];
    all.extend(args);
    let o = run_in(dir.path(), &all);
    assert_eq!(o.code, 0, "{}", o.err);
    all.extend(["--format", "json"]);
    let j = run_in(dir.path(), &all);
    let v: Value = serde_json::from_str(&j.out).unwrap();
    (v["cases"][0].clone(), o.out)
}

fn steps(case: &Value) -> Vec<String> {
    assert_eq!(case["change"]["opens"], true, "{case:#}");
    assert!(case["no_change"].is_null(), "{case:#}");
    let all = case["change"]["steps"].as_array().unwrap();
    all.iter().map(|s| s.as_str().unwrap().to_string()).collect()
}

// §10.2: a blackhole of a router is a route like others.
#[test]
fn a_blackhole_is_deleted() {
    let (c, text) = ask(&transit("[\"a\", \"b\"]", BLACKHOLE), "a", "b", "tcp/443");
    assert_eq!(c["answer"], "blocked");
    assert_eq!(steps(&c), ["delete `alicloud_cen_transit_router_route_entry.bh`"]);
    assert!(text.contains("to open it, one change is enough"), "{text}");
}

// §10.2: without an association nothing forwards for an attachment, and nothing is written into its VPC.
#[test]
fn a_missing_association_is_made() {
    let table = "`alicloud_cen_transit_router_route_table.t`";
    let (c, _) = ask(&transit("[\"a\"]", ""), "a", "b", "tcp/443");
    assert_eq!(c["answer"], "reply-dropped");
    let want = format!("associate `alicloud_cen_transit_router_vpc_attachment.v[\"b\"]` with {table}");
    assert_eq!(steps(&c), [want]);
    // Both at once, with the blackhole of one: three.
    let (c, _) = ask(&transit("[]", BLACKHOLE), "a", "b", "tcp/443");
    assert_eq!(c["answer"], "blocked");
    let all = steps(&c).join("\n");
    assert_eq!(steps(&c).len(), 3, "{all}");
    assert!(
        all.contains("v[\"a\"]` with") && all.contains("v[\"b\"]` with") && all.contains("delete"),
        "{all}"
    );
}

// §10.6: a peering connection adds no routes.
#[test]
fn routes_that_are_missing_are_added() {
    let peering = r#"
resource "alicloud_vpc_peer_connection" "p" {
  vpc_id             = alicloud_vpc.v["a"].id
  accepting_vpc_id   = alicloud_vpc.v["b"].id
  accepting_region_id = "cn-hangzhou"
}
resource "alicloud_vpc_peer_connection_accepter" "p" {
  instance_id = alicloud_vpc_peer_connection.p.id
}
"#;
    let (c, _) = ask(peering, "a", "b", "tcp/443");
    let all = steps(&c);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(
        all[0].contains("a route for 10.1.1.0/24 to `alicloud_vpc_peer_connection.p`")
            && all[1].contains("a route for 10.0.1.0/24 to `alicloud_vpc_peer_connection.p`"),
        "{all:?}"
    );
}

// §8: what comes in by DNAT has to find its way back to the gateway.
#[test]
fn the_way_back_to_a_nat_gateway_is_a_route() {
    let nat = r#"
resource "alicloud_nat_gateway" "g" {
  vpc_id     = alicloud_vpc.v["a"].id
  vswitch_id = alicloud_vswitch.s["a"].id
  nat_type   = "Enhanced"
}
resource "alicloud_eip_address" "e" {}
resource "alicloud_eip_association" "e" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_nat_gateway.g.id
}
resource "alicloud_forward_entry" "f" {
  forward_table_id = alicloud_nat_gateway.g.forward_table_ids
  external_ip      = alicloud_eip_address.e.ip_address
  external_port    = "22"
  ip_protocol      = "tcp"
  internal_ip      = "10.0.1.10"
  internal_port    = "22"
}
resource "alicloud_route_table" "own" { vpc_id = alicloud_vpc.v["a"].id }
resource "alicloud_route_table_attachment" "own" {
  route_table_id = alicloud_route_table.own.id
  vswitch_id     = alicloud_vswitch.s["a"].id
}
"#;
    let (c, _) = ask(nat, "internet", "a", "tcp/22");
    assert_eq!(c["answer"], "reply-dropped");
    assert_eq!(
        steps(&c),
        ["add to `alicloud_route_table.own` a route for 0.0.0.0/0 to `alicloud_nat_gateway.g`"]
    );
}

// §5.5: of rules with the first priority the dropping one decides, so no rule that is added opens anything.
#[test]
fn a_drop_of_the_first_priority_gives_way() {
    let drops = |port: &str| {
        format!(
            r#"
resource "alicloud_security_group_rule" "d" {{
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "{port}"
  policy            = "drop"
  priority          = 1
  cidr_ip           = "10.0.1.0/24"
  security_group_id = alicloud_security_group.g["a"].id
}}
resource "alicloud_security_group_rule" "e" {{
  type              = "egress"
  ip_protocol       = "tcp"
  port_range        = "1/65535"
  policy            = "drop"
  priority          = 100
  cidr_ip           = "0.0.0.0/0"
  security_group_id = alicloud_security_group.g["a"].id
}}
"#
        )
    };
    let egress =
        "add to `alicloud_security_group.g[\"a\"]` an egress rule that accepts tcp/22 to 10.0.1.10/32";
    let (c, text) = ask(&drops("22/22"), "a2", "a", "tcp/22");
    let delete = "delete `alicloud_security_group_rule.d`, or let it spare this packet";
    assert_eq!(steps(&c), [egress, delete]);
    assert!(text.contains("to open it, 2 changes are needed"), "{text}");
    // One that drops more goes on dropping the rest.
    let (c, _) = ask(&drops("20/30"), "a2", "a", "tcp/22");
    let narrow = "take tcp/22 out of what `alicloud_security_group_rule.d` drops";
    assert_eq!(steps(&c), [egress, narrow]);
}

// §9.1: the list of a listener.
#[test]
fn a_client_is_added_to_the_list_of_a_listener() {
    let clb = r#"
resource "alicloud_slb_load_balancer" "l" { address_type = "internet" }
resource "alicloud_slb_listener" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  frontend_port    = 80
  backend_port     = 8080
  protocol         = "tcp"
  acl_status       = "on"
  acl_type         = "white"
  acl_ids          = [alicloud_slb_acl.x.id]
}
resource "alicloud_slb_backend_server" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  backend_servers { server_id = alicloud_instance.h["a"].id }
}
resource "alicloud_slb_acl" "x" {
  name       = "x"
  ip_version = "ipv4"
}
resource "alicloud_slb_acl_entry_attachment" "x" {
  acl_id = alicloud_slb_acl.x.id
  entry  = "198.51.100.0/24"
}
"#;
    for (to, port) in [("alicloud_slb_load_balancer.l", "tcp/80"), ("a", "tcp/8080")] {
        let (c, _) = ask(clb, "192.0.2.1", to, port);
        assert_eq!(c["answer"], "blocked");
        assert_eq!(
            steps(&c),
            ["add 192.0.2.1 to the access list of `alicloud_slb_listener.l`"]
        );
    }
}

// §8.2: an SNAT entry for the one who asks, to an address of the gateway.
#[test]
fn an_entry_of_a_nat_gateway_is_added() {
    let nat = r#"
resource "alicloud_nat_gateway" "g" {
  vpc_id     = alicloud_vpc.v["a"].id
  vswitch_id = alicloud_vswitch.s["a"].id
  nat_type   = "Enhanced"
}
resource "alicloud_eip_address" "e" {}
resource "alicloud_eip_association" "e" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_nat_gateway.g.id
}
resource "alicloud_route_entry" "out" {
  route_table_id        = alicloud_vpc.v["a"].route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.g.id
}
"#;
    let (c, _) = ask(nat, "a", "internet", "tcp/443");
    assert_eq!(c["answer"], "blocked");
    assert_eq!(
        steps(&c),
        ["add to `alicloud_nat_gateway.g` an SNAT entry for 10.0.1.10/32 to `alicloud_eip_address.e`"]
    );
    // §8.3: an address that an entry for every port uses is taken.
    let mapped = r#"
resource "alicloud_forward_entry" "f" {
  forward_table_id = alicloud_nat_gateway.g.forward_table_ids
  external_ip      = alicloud_eip_address.e.ip_address
  external_port    = "any"
  ip_protocol      = "any"
  internal_ip      = "10.0.1.11"
  internal_port    = "any"
}
"#;
    let (c, _) = ask(&format!("{nat}{mapped}"), "a", "internet", "tcp/443");
    assert!(c["change"].is_null(), "{c:#}");
}

// §13.2: a policy that drops has to leave the service out.
#[test]
fn a_policy_of_cloud_firewall_gives_way() {
    let net = r#"
resource "alicloud_eip_address" "e" { ip_address = "47.1.1.1" }
resource "alicloud_eip_association" "e" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_instance.h["a"].id
}
resource "alicloud_cloud_firewall_control_policy" "p" {
  direction        = "in"
  acl_action       = "drop"
  description      = "no ssh"
  source           = "0.0.0.0/0"
  source_type      = "net"
  destination      = "0.0.0.0/0"
  destination_type = "net"
  proto            = "TCP"
  dest_port        = "20/30"
  application_name = "ANY"
}
"#;
    let (c, _) = ask_with(net, "internet", "a", "tcp/22", &["--assume", "A-CFW-1=protected"]);
    assert_eq!(c["answer"], "blocked", "{c:#}");
    assert_eq!(
        steps(&c),
        ["take tcp/22 out of what `alicloud_cloud_firewall_control_policy.p` drops"]
    );
}

// §4.1: an interface that checks source and destination forwards nothing.
#[test]
fn an_appliance_that_drops_is_set_to_forward() {
    let net = r#"
resource "alicloud_instance" "fw" {
  instance_name   = "fw"
  vswitch_id      = alicloud_vswitch.s["a"].id
  private_ip      = "10.0.1.12"
  source_dest_check = true
  security_groups = [alicloud_security_group.g["a"].id]
}
resource "alicloud_vpc_peer_connection" "p" {
  vpc_id              = alicloud_vpc.v["a"].id
  accepting_vpc_id    = alicloud_vpc.v["b"].id
  accepting_region_id = "cn-hangzhou"
}
resource "alicloud_route_table" "in" { vpc_id = alicloud_vpc.v["a"].id }
resource "alicloud_vswitch" "own" {
  vpc_id     = alicloud_vpc.v["a"].id
  cidr_block = "10.0.2.0/24"
  zone_id    = "z-1"
}
resource "alicloud_route_table_attachment" "in" {
  route_table_id = alicloud_route_table.in.id
  vswitch_id     = alicloud_vswitch.own.id
}
resource "alicloud_instance" "c" {
  instance_name   = "c"
  vswitch_id      = alicloud_vswitch.own.id
  private_ip      = "10.0.2.10"
  security_groups = [alicloud_security_group.g["a"].id]
}
resource "alicloud_route_entry" "in" {
  route_table_id        = alicloud_route_table.in.id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.fw.id
}
resource "alicloud_route_entry" "on" {
  route_table_id        = alicloud_vpc.v["a"].route_table_id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}
resource "alicloud_route_entry" "back" {
  route_table_id        = alicloud_vpc.v["b"].route_table_id
  destination_cidrblock = "10.0.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}
"#;
    let (c, _) = ask(net, "alicloud_instance.c", "b", "tcp/22");
    assert_eq!(c["answer"], "blocked", "{c:#}");
    assert_eq!(
        steps(&c),
        ["set `source_dest_check` of `alicloud_instance.fw` to false"]
    );
}

/// Where nothing is proposed the answer says so, and why.
#[test]
fn nothing_is_proposed_without_a_reason() {
    let (c, text) = ask("", "internet", "a", "tcp/22");
    assert!(c["change"].is_null(), "{c:#}");
    let why = c["no_change"].as_str().unwrap();
    assert!(
        why.contains("no public address and no DNAT entry lead to this address"),
        "{why}"
    );
    assert!(text.contains("to open it, nothing is proposed"), "{text}");
    let (c, _) = ask("", "a", "internet", "tcp/443");
    let why = c["no_change"].as_str().unwrap();
    assert!(
        why.contains("no route to") && why.contains("no gateway or link there that a route could lead to"),
        "{why}"
    );
    let (c, _) = ask("", "a", "b", "tcp/22");
    assert!(c["change"].is_null() && c["no_change"].is_string(), "{c:#}");
    let unknown = r#"
variable "who" { type = string }
resource "alicloud_security_group_rule" "d" {
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "22/22"
  policy            = "drop"
  priority          = 1
  cidr_ip           = var.who
  security_group_id = alicloud_security_group.g["a"].id
}
"#;
    let (c, text) = ask(unknown, "a2", "a", "tcp/22");
    assert_eq!(c["answer"], "unknown");
    assert!(c["change"].is_null() && c["no_change"].is_string(), "{c:#}");
    assert!(text.contains("nothing is proposed"), "{text}");
}

// §9.7: the way by an endpoint is told though the direct way to the balancer behind it is blocked too, and what opens
// it is a rule for the port of the endpoint.
#[test]
fn an_endpoint_before_a_balancer_is_opened_at_its_port() {
    let link = r#"
resource "alicloud_nlb_load_balancer" "n" {
  address_type = "Intranet"
  vpc_id       = alicloud_vpc.v["b"].id
  zone_mappings {
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.s["b"].id
  }
}
resource "alicloud_nlb_server_group" "g" {
  server_group_name = "g"
  server_group_type = "Instance"
  vpc_id            = alicloud_vpc.v["b"].id
  health_check { health_check_enabled = false }
}
resource "alicloud_nlb_server_group_server_attachment" "g" {
  server_group_id = alicloud_nlb_server_group.g.id
  server_type     = "Ecs"
  server_id       = alicloud_instance.h["b"].id
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
  service_resource_type  = "nlb"
}
resource "alicloud_privatelink_vpc_endpoint_service_resource" "r" {
  service_id    = alicloud_privatelink_vpc_endpoint_service.s.id
  resource_id   = alicloud_nlb_load_balancer.n.id
  resource_type = "nlb"
  zone_id       = "z-1"
}
resource "alicloud_security_group" "e" {
  vpc_id              = alicloud_vpc.v["a"].id
  security_group_type = "enterprise"
}
resource "alicloud_privatelink_vpc_endpoint" "e" {
  service_id         = alicloud_privatelink_vpc_endpoint_service.s.id
  vpc_id             = alicloud_vpc.v["a"].id
  security_group_ids = [alicloud_security_group.e.id]
}
resource "alicloud_privatelink_vpc_endpoint_zone" "z" {
  endpoint_id = alicloud_privatelink_vpc_endpoint.e.id
  vswitch_id  = alicloud_vswitch.s["a"].id
  zone_id     = "z-1"
}
"#;
    let (c, text) = ask(link, "a", "b", "tcp/8080");
    assert_eq!(c["answer"], "blocked");
    assert!(
        text.contains("through `alicloud_privatelink_vpc_endpoint.e`"),
        "{text}"
    );
    assert!(!text.contains("0.0.0.0"), "{text}");
    let want = "add to `alicloud_security_group.e` an ingress rule that accepts tcp/80 from 10.0.1.10/32";
    assert_eq!(steps(&c), [want]);
    // Made, two resources carry it, and each is enough to close it. Both zones of the balancer are one way to a reader.
    let made = r#"
resource "alicloud_security_group_rule" "e" {
  security_group_id = alicloud_security_group.e.id
  type              = "ingress"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  cidr_ip           = "10.0.1.10/32"
}
resource "alicloud_vswitch" "second" {
  vpc_id     = alicloud_vpc.v["b"].id
  cidr_block = "10.1.2.0/24"
  zone_id    = "z-2"
}
"#;
    let one =
        "  zone_mappings {\n    zone_id    = \"z-1\"\n    vswitch_id = alicloud_vswitch.s[\"b\"].id\n  }\n";
    let two =
        "  zone_mappings {\n    zone_id    = \"z-2\"\n    vswitch_id = alicloud_vswitch.second.id\n  }\n";
    assert!(link.contains(one));
    let link = link.replace(one, &format!("{one}{two}"));
    let (c, text) = ask(&format!("{link}{made}"), "a", "b", "tcp/8080");
    assert_eq!(
        (&c["answer"], &c["change"]["either"]),
        (&"works".into(), &true.into())
    );
    let closed = ["alicloud_nlb_listener.l", "alicloud_privatelink_vpc_endpoint.e"];
    let said: Vec<String> = closed
        .iter()
        .map(|n| format!("restrict or delete `{n}`"))
        .collect();
    assert_eq!(c["change"]["steps"], Value::from(said));
    assert!(text.contains("to close it, either of these is enough"), "{text}");
    let way = "through `alicloud_privatelink_vpc_endpoint.e`, through `alicloud_nlb_load_balancer.n`: works";
    assert_eq!(text.matches(way).count(), 1, "{text}");
    assert!(text.contains("the same by"), "{text}");
    // The address of the balancer is the cloud's to pick.
    assert!(
        text.contains("`alicloud_nlb_load_balancer.n`, to port 80 from an"),
        "{text}"
    );
}

/// A map shows what joins VPCs and sites: pairs of router interfaces and VPN gateways as well as routers.
#[test]
fn a_map_shows_every_link() {
    let net = r#"
resource "alicloud_express_connect_router_interface" "r" {
  for_each           = { a = "InitiatingSide", b = "AcceptingSide" }
  opposite_region_id = "cn-hangzhou"
  role               = each.value
  router_id          = alicloud_vpc.v[each.key].router_id
  router_type        = "VRouter"
  spec               = "Large.1"
}
resource "alicloud_router_interface_connection" "c" {
  interface_id          = alicloud_express_connect_router_interface.r["a"].id
  opposite_interface_id = alicloud_express_connect_router_interface.r["b"].id
}
resource "alicloud_vpn_gateway" "g" {
  vpn_gateway_name = "edge"
  vpc_id           = alicloud_vpc.v["a"].id
  vswitch_id       = alicloud_vswitch.s["a"].id
}
"#;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.tf"), format!("{BASE}{net}")).unwrap();
    let o = run_in(dir.path(), &["map", ".", "--format", "svg"]);
    assert_eq!(o.code, 0, "{}", o.err);
    let links = o
        .out
        .matches("<title>router interface alicloud_express_connect_router_interface.r[");
    assert_eq!(links.count(), 1, "{}", o.out);
    assert!(o.out.contains("<title>VPN gateway edge</title>"), "{}", o.out);
}
