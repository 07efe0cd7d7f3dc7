//! VPN gateways, border routers, router interfaces, and what is behind them (ALIBABA.md §11, §12).

use super::*;

const VPN: &str = r#"
resource "alicloud_vpn_gateway" "g" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.a.id
  bandwidth  = 10
}
resource "alicloud_vpn_customer_gateway" "hq" {
  customer_gateway_name = "hq"
  ip_address            = "203.0.113.1"
}
"#;

/// Nothing was said, and everything with a bearing is modelled.
fn understood(inv: &Inventory) {
    let said: Vec<_> = inv.diagnostics.iter().map(|d| &d.message).collect();
    assert!(said.is_empty(), "{said:#?}");
    for r in &inv.resources {
        let ok = matches!(
            r.understanding,
            Understanding::Modelled | Understanding::Ignored(_)
        );
        assert!(ok, "{}: {:?}", r.address, r.understanding);
    }
}

fn vpn(text: &str) -> Inventory {
    base(&format!("{VPN}{text}"))
}

#[test]
fn connections_know_their_blocks_and_their_site() {
    let inv = vpn(r#"
resource "alicloud_vpn_connection" "one" {
  vpn_gateway_id      = alicloud_vpn_gateway.g.id
  customer_gateway_id = alicloud_vpn_customer_gateway.hq.id
  local_subnet        = ["10.1.0.0/16", "10.2.0.0/16"]
  remote_subnet       = ["10.200.0.0/16"]
}
resource "alicloud_vpn_connection" "two" {
  vpn_gateway_id     = alicloud_vpn_gateway.g.id
  local_subnet       = ["0.0.0.0/0"]
  remote_subnet      = ["0.0.0.0/0"]
  auto_config_route  = false
  tunnel_options_specification {
    customer_gateway_id = alicloud_vpn_customer_gateway.hq.id
  }
}
resource "alicloud_vpn_route_entry" "r" {
  vpn_gateway_id = alicloud_vpn_gateway.g.id
  next_hop       = alicloud_vpn_connection.two.id
  route_dest     = "10.201.0.0/16"
  weight         = 0
  publish_vpc    = true
}
resource "alicloud_vpn_pbr_route_entry" "p" {
  vpn_gateway_id = alicloud_vpn_gateway.g.id
  next_hop       = alicloud_vpn_connection.one.id
  route_source   = "10.1.0.0/16"
  route_dest     = "10.200.0.0/16"
  weight         = 100
  publish_vpc    = false
}
resource "alicloud_route_entry" "to" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "10.200.0.0/13"
  nexthop_type          = "VpnGateway"
  nexthop_id            = alicloud_vpn_gateway.g.id
}"#);
    understood(&inv);
    let t = &inv.typed;
    let Some(Fact::Known(v)) = t.vpn_gateways[0].vswitch else {
        panic!()
    };
    assert_eq!(&*t[v].meta.origin.address, "alicloud_vswitch.a");
    let [one, two] = t.vpn_connections.as_slice() else {
        panic!()
    };
    assert_eq!(one.site, two.site, "one customer gateway is one site");
    assert_eq!(
        (one.configures.clone(), two.configures.clone()),
        (true.into(), false.into())
    );
    assert_eq!(one.local.len(), 2);
    let site = &t[one.site];
    assert_eq!(&*site.meta.origin.address, "alicloud_vpn_customer_gateway.hq");
    let nets: Vec<String> = t.networks(one.site).iter().map(ToString::to_string).collect();
    // What the blocks say, and what is routed to the connection that carries everything.
    assert_eq!(nets, ["10.200.0.0/16", "10.201.0.0/16"]);
    assert_eq!(site.unknown, None);
    assert!(
        site.forwards.known().is_none(),
        "Terraform does not say what a site does"
    );
    let routes: Vec<_> = t
        .vpn_routes
        .iter()
        .map(|r| (r.source.is_some(), r.active.clone(), r.publishes.clone()))
        .collect();
    assert_eq!(
        routes,
        [
            (true, true.into(), false.into()),
            (false, false.into(), true.into())
        ]
    );
    assert_eq!(t.route_entries[0].next_hops, [NextHop::Vpn(VpnGatewayId(0))]);
}

/// §12: tunnels to different customer gateways lead to one site, and either name means it. What was taken for two sites
/// before is one then.
#[test]
fn both_customer_gateways_of_two_tunnels_name_the_site() {
    let inv = vpn(r#"
resource "alicloud_vpn_customer_gateway" "branch" {
  customer_gateway_name = "branch"
  ip_address            = "203.0.113.2"
}
resource "alicloud_vpn_connection" "a" {
  vpn_gateway_id      = alicloud_vpn_gateway.g.id
  customer_gateway_id = alicloud_vpn_customer_gateway.hq.id
  local_subnet        = ["10.1.0.0/16"]
  remote_subnet       = ["10.200.0.0/16"]
}
resource "alicloud_vpn_connection" "b" {
  vpn_gateway_id      = alicloud_vpn_gateway.g.id
  customer_gateway_id = alicloud_vpn_customer_gateway.branch.id
  local_subnet        = ["10.1.0.0/16"]
  remote_subnet       = ["10.201.0.0/16"]
}
resource "alicloud_vpn_connection" "c" {
  vpn_gateway_id    = alicloud_vpn_gateway.g.id
  local_subnet      = ["10.1.0.0/16"]
  remote_subnet     = ["10.202.0.0/16"]
  tunnel_options_specification { customer_gateway_id = alicloud_vpn_customer_gateway.hq.id }
  tunnel_options_specification { customer_gateway_id = alicloud_vpn_customer_gateway.branch.id }
}"#);
    understood(&inv);
    let t = &inv.typed;
    let [a, b, c] = t.vpn_connections.as_slice() else {
        panic!()
    };
    assert_eq!((a.site, b.site), (c.site, c.site));
    let names: Vec<_> = c.customers.iter().map(|m| m.name.clone().unwrap()).collect();
    assert_eq!(names, [Fact::Known("hq".into()), Fact::Known("branch".into())]);
    let nets: Vec<String> = t.networks(c.site).iter().map(ToString::to_string).collect();
    assert_eq!(nets, ["10.200.0.0/16", "10.201.0.0/16", "10.202.0.0/16"]);
    let others = t.sites.iter().filter(|s| s.interface != t[c.site].interface);
    for s in others {
        assert_eq!(t[s.interface].addresses, [], "nothing leads there any more");
    }
}

#[test]
fn a_connection_that_carries_everything_has_unknown_networks_behind_it() {
    let inv = vpn(r#"
resource "alicloud_vpn_connection" "c" {
  vpn_gateway_id      = alicloud_vpn_gateway.g.id
  customer_gateway_id = alicloud_vpn_customer_gateway.hq.id
  local_subnet        = ["0.0.0.0/0"]
  remote_subnet       = ["0.0.0.0/0"]
  bgp_config {
    enable = true
  }
}"#);
    let t = &inv.typed;
    let c = &t.vpn_connections[0];
    assert_eq!(c.bgp, Fact::Known(true));
    assert!(c.learned.known().is_none());
    assert!(t[c.site].unknown.is_some());
}

#[test]
fn clients_have_the_addresses_of_their_pool() {
    let inv = vpn(r#"
resource "alicloud_ssl_vpn_server" "s" {
  vpn_gateway_id = alicloud_vpn_gateway.g.id
  client_ip_pool = "192.168.100.0/24"
  local_subnet   = "10.1.0.0/16,10.2.0.0/16"
}"#);
    understood(&inv);
    let t = &inv.typed;
    let c = &t.vpn_connections[0];
    assert_eq!(c.end, VpnEnd::Clients(Fact::Known(VpnGatewayId(0))));
    assert_eq!((c.local.len(), c.remote.len()), (2, 1));
    assert_eq!(t.networks(c.site)[0].to_string(), "192.168.100.0/24");
    assert_eq!(t[c.site].forwards, Fact::Known(false));
}

#[test]
fn an_attached_connection_ends_at_a_transit_router() {
    let inv = vpn(r#"
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "r" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_vpn_gateway_vpn_attachment" "x" {
  customer_gateway_id = alicloud_vpn_customer_gateway.hq.id
  local_subnet        = "0.0.0.0/0"
  remote_subnet       = "0.0.0.0/0"
}
resource "alicloud_vpn_gateway_vco_route" "v" {
  vpn_connection_id = alicloud_vpn_gateway_vpn_attachment.x.id
  next_hop          = alicloud_vpn_gateway_vpn_attachment.x.id
  route_dest        = "10.200.0.0/16"
  weight            = 100
}
resource "alicloud_cen_transit_router_vpn_attachment" "a" {
  transit_router_id = alicloud_cen_transit_router.r.transit_router_id
  vpn_id            = alicloud_vpn_gateway_vpn_attachment.x.id
  zone { zone_id = "cn-hangzhou-h" }
}"#);
    understood(&inv);
    let t = &inv.typed;
    assert_eq!(t.vpn_connections[0].end, VpnEnd::Attached);
    assert_eq!(
        t.attachments[0].to,
        Attached::Vpn(Fact::Known(VpnConnectionId(0)))
    );
    assert_eq!(t.vpn_routes[0].gateway, None);
    assert_eq!(
        t.networks(t.vpn_connections[0].site)[0].to_string(),
        "10.200.0.0/16"
    );
}

#[test]
fn border_routers_have_a_table_and_interfaces_and_unknown_networks() {
    let inv = base(
        r#"
resource "alicloud_express_connect_physical_connection" "p" {
  access_point_id = "ap"
  line_operator   = "CT"
}
resource "alicloud_express_connect_virtual_border_router" "b" {
  physical_connection_id     = alicloud_express_connect_physical_connection.p.id
  virtual_border_router_name = "dc-1"
  local_gateway_ip           = "10.255.0.1"
  peer_gateway_ip            = "10.255.0.2"
  peering_subnet_mask        = "255.255.255.252"
  vlan_id                    = 10
}
resource "alicloud_router_interface" "v" {
  opposite_region = "cn-hangzhou"
  router_type     = "VRouter"
  router_id       = alicloud_vpc.v.router_id
  role            = "InitiatingSide"
}
resource "alicloud_router_interface" "w" {
  opposite_region = "cn-hangzhou"
  router_type     = "VBR"
  router_id       = alicloud_express_connect_virtual_border_router.b.id
  role            = "AcceptingSide"
}
resource "alicloud_router_interface_connection" "c" {
  interface_id          = alicloud_router_interface.v.id
  opposite_interface_id = alicloud_router_interface.w.id
}
resource "alicloud_route_entry" "to" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "172.16.0.0/12"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_router_interface.v.id
}
resource "alicloud_route_entry" "back" {
  route_table_id        = alicloud_express_connect_virtual_border_router.b.route_table_id
  destination_cidrblock = "10.0.0.0/8"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_router_interface.w.id
}"#,
    );
    understood(&inv);
    let t = &inv.typed;
    let b = &t.border_routers[0];
    assert_eq!(t[b.table].kind, RouteTableKind::Border);
    assert!(t[b.site].unknown.is_some() && b.learned.known().is_none());
    let ends: Vec<_> = t
        .router_interfaces
        .iter()
        .map(|i| (i.at.clone(), i.opposite.clone()))
        .collect();
    assert_eq!(
        ends,
        [
            (
                RouterEnd::Vpc(Fact::Known(VpcId(1))),
                Fact::Known(Some(RouterInterfaceId(1)))
            ),
            (
                RouterEnd::Border(Fact::Known(BorderRouterId(0))),
                Fact::Known(Some(RouterInterfaceId(0)))
            ),
        ]
    );
    let back = t
        .route_entries
        .iter()
        .find(|e| e.table == Fact::Known(b.table))
        .unwrap();
    assert_eq!(back.next_hops, [NextHop::RouterInterface(RouterInterfaceId(1))]);
}

#[test]
fn what_joins_border_routers_is_not_understood() {
    let inv = base(
        r#"
resource "alicloud_express_connect_virtual_border_router" "b" {
  physical_connection_id = "pc-1"
  local_gateway_ip       = "10.255.0.1"
  peer_gateway_ip        = "10.255.0.2"
  peering_subnet_mask    = "255.255.255.252"
  vlan_id                = 10
  sitelink_enable        = true
}
"#,
    );
    let refused: Vec<&str> = inv
        .resources
        .iter()
        .filter(|r| matches!(r.understanding, Understanding::NotUnderstood(_)))
        .map(|r| &*r.address)
        .collect();
    assert_eq!(refused, ["alicloud_express_connect_virtual_border_router.b"]);
}

const ECR: &str = r#"
resource "alicloud_express_connect_router_express_connect_router" "e" {
  ecr_name         = "core"
  alibaba_side_asn = 65001
}
resource "alicloud_express_connect_virtual_border_router" "b" {
  physical_connection_id = "pc-1"
  local_gateway_ip       = "10.255.0.1"
  peer_gateway_ip        = "10.255.0.2"
  peering_subnet_mask    = "255.255.255.252"
  vlan_id                = 10
}
resource "alicloud_express_connect_router_vbr_child_instance" "b" {
  ecr_id                   = alicloud_express_connect_router_express_connect_router.e.id
  child_instance_id        = alicloud_express_connect_virtual_border_router.b.id
  child_instance_region_id = "cn-hangzhou"
  child_instance_type      = "VBR"
}
"#;

fn ecr(prefixes: &str, more: &str) -> Inventory {
    base(&format!(
        r#"{ECR}
resource "alicloud_express_connect_router_vpc_association" "v" {{
  ecr_id                = alicloud_express_connect_router_express_connect_router.e.id
  vpc_id                = alicloud_vpc.v.id
  association_region_id = "cn-hangzhou"
  {prefixes}
}}
{more}"#
    ))
}

fn refused(inv: &Inventory) -> Vec<&str> {
    let all = inv.resources.iter();
    all.filter(|r| matches!(r.understanding, Understanding::NotUnderstood(_)))
        .map(|r| &*r.address)
        .collect()
}

// §11, decision 023, 1 to 3: two tables, between border routers and everything else; routes of type `Ecr`.
#[test]
fn an_express_connect_router_is_two_tables() {
    let inv = ecr(
        "",
        r#"
resource "alicloud_route_entry" "there" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "172.16.0.0/12"
  nexthop_type          = "Ecr"
  nexthop_id            = alicloud_express_connect_router_vpc_association.v.association_id
}
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "t" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_cen_transit_router_ecr_attachment" "t" {
  transit_router_id = alicloud_cen_transit_router.t.transit_router_id
  ecr_id            = alicloud_express_connect_router_express_connect_router.e.id
}
resource "alicloud_express_connect_router_tr_association" "t" {
  ecr_id                = alicloud_express_connect_router_express_connect_router.e.id
  transit_router_id     = alicloud_cen_transit_router.t.transit_router_id
  cen_id                = alicloud_cen_instance.c.id
  association_region_id = "cn-hangzhou"
}
"#,
    );
    assert_eq!(refused(&inv), Vec::<&str>::new());
    let t = &inv.typed;
    let id = |name: &str| {
        let n = t
            .attachments
            .iter()
            .position(|a| a.meta.origin.address.contains(name))
            .unwrap();
        AttachmentId(u32::try_from(n).unwrap())
    };
    let ecr = t
        .transit_routers
        .iter()
        .position(|r| r.meta.name == Some(Fact::Known("core".into())));
    let ecr = RouterId(u32::try_from(ecr.unwrap()).unwrap());
    let cloud = t[ecr].system_table;
    let from = |a: AttachmentId| {
        let l = t.tr_associations.iter().find(|l| l.attachment == Fact::Known(a));
        *l.unwrap().table.known().unwrap()
    };
    let into = |a: AttachmentId| {
        let l = t.tr_propagations.iter().find(|l| l.attachment == Fact::Known(a));
        *l.unwrap().table.known().unwrap()
    };
    let (vpc, border, transit) = (
        id("vpc_association.v"),
        id("vbr_child_instance.b"),
        id("ecr_attachment.t"),
    );
    let port = from(border);
    assert_ne!(port, cloud);
    assert_eq!(t[port].router, Fact::Known(ecr));
    assert_eq!((from(vpc), into(vpc)), (cloud, port));
    assert_eq!((from(transit), into(transit)), (cloud, port));
    assert_eq!(into(border), cloud);
    assert!(t.attachments.iter().all(|a| a.publishes == Fact::Known(true)));
    assert_eq!(t[vpc].ipv6, Fact::Known(false));
    assert_eq!(t.route_entries[0].next_hops, [NextHop::Attachment(vpc)]);
}

// Decision 023, 5 to 7: what is not known well enough is not understood.
#[test]
fn what_an_express_connect_router_leaves_open_is_not_understood() {
    let association = "alicloud_express_connect_router_vpc_association.v";
    let none: Vec<&str> = Vec::new();
    assert_eq!(refused(&ecr("allowed_prefixes = [\"10.0.0.0/8\"]", "")), none);
    assert_eq!(
        refused(&ecr("allowed_prefixes = [\"10.1.0.0/16\"]", "")),
        [association]
    );
    assert_eq!(
        refused(&ecr("allowed_prefixes = [var.unknown]", "")),
        [association]
    );
    // It carries nothing for certain then.
    let sure = |prefixes: &str| {
        let t = ecr(prefixes, "").typed;
        let mine = |a: &&Attachment| a.meta.origin.address.contains("vpc_association");
        let at = t.attachments.iter().position(|a| mine(&a)).unwrap();
        let id = Fact::Known(AttachmentId(u32::try_from(at).unwrap()));
        let links = t.tr_associations.iter().chain(&t.tr_propagations);
        let links = links.filter(|l| l.attachment == id).map(|l| &l.origin);
        let all: Vec<bool> = links
            .chain([&t.attachments[at].meta.origin])
            .map(|o| o.maybe.is_none())
            .collect();
        assert_eq!(all.len(), 3);
        all.iter().all(|s| *s)
    };
    assert!(sure("allowed_prefixes = [\"10.0.0.0/8\"]"));
    assert!(!sure("allowed_prefixes = [\"10.1.0.0/16\"]"));
    assert!(!sure("allowed_prefixes = [var.unknown]"));
    let alone = ecr(
        "",
        r#"
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "t" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_express_connect_router_tr_association" "t" {
  ecr_id                = alicloud_express_connect_router_express_connect_router.e.id
  transit_router_id     = alicloud_cen_transit_router.t.transit_router_id
  association_region_id = "cn-hangzhou"
}
"#,
    );
    assert_eq!(
        refused(&alone),
        ["alicloud_express_connect_router_tr_association.t"]
    );
    let regions = ecr(
        "",
        r#"
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "t" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_cen_transit_router" "u" { cen_id = alicloud_cen_instance.c.id }
resource "alicloud_cen_transit_router_ecr_attachment" "t" {
  transit_router_id = alicloud_cen_transit_router.t.transit_router_id
  ecr_id            = alicloud_express_connect_router_express_connect_router.e.id
}
resource "alicloud_cen_transit_router_peer_attachment" "p" {
  transit_router_id             = alicloud_cen_transit_router.t.transit_router_id
  peer_transit_router_id        = alicloud_cen_transit_router.u.transit_router_id
  peer_transit_router_region_id = "cn-beijing"
}
"#,
    );
    assert_eq!(
        refused(&regions),
        ["alicloud_cen_transit_router_ecr_attachment.t"]
    );
}
