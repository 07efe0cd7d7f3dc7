//! The perimeter: ALIBABA.md §13, docs/decisions/015.

use super::*;
use bartizan_model::{FirewallPeer, FirewallPlace, ProxyKind, ProxyOrigin};

/// One line per policy: direction, order, action, services, source, destination; `?` for what is not known.
fn policies(inv: &Inventory, n: usize) -> Vec<String> {
    let side = |all: &[FirewallPeer]| {
        let one = |p: &FirewallPeer| match p {
            FirewallPeer::Net(n) => n.to_string(),
            FirewallPeer::Eip(e) => inv.typed[*e].meta.origin.address.to_string(),
            FirewallPeer::Elsewhere(t) => format!("`{t}`"),
            FirewallPeer::Unknown(_) => "?".to_string(),
        };
        all.iter().map(one).collect::<Vec<_>>().join("+")
    };
    fn text<T: ToString>(f: &Fact<T>) -> String {
        f.known().map_or_else(|| "?".to_string(), ToString::to_string)
    }
    let f = &inv.typed.firewalls[n];
    f.rules
        .iter()
        .map(|r| {
            let way = match r.inbound {
                Fact::Known(true) => "in",
                Fact::Known(false) => "out",
                Fact::Unknown(_) => "?",
            };
            let verb = match r.pass {
                Fact::Known(true) => "pass",
                Fact::Known(false) => "drop",
                Fact::Unknown(_) => "?",
            };
            let deep = if r.deep == Fact::Known(false) { "" } else { " deep" };
            let six = if r.ipv6 == Fact::Known(true) { " ipv6" } else { "" };
            let active = match r.active {
                Fact::Known(true) => "",
                Fact::Known(false) => " off",
                Fact::Unknown(_) => " sometimes",
            };
            format!(
                "{way} {} {verb} {} {} -> {}{deep}{six}{active}",
                text(&r.order),
                text(&r.services),
                side(&r.source),
                side(&r.destination)
            )
        })
        .collect()
}

const POLICY: &str = r#"
  direction        = "in"
  description      = "p"
  source_type      = "net"
  destination_type = "net"
"#;

#[test]
fn policies_of_the_internet_boundary() {
    let inv = bare(&format!(
        r#"
resource "alicloud_eip_address" "web" {{}}
resource "alicloud_cloud_firewall_instance_v2" "edge" {{
  payment_type = "PayAsYouGo"
  product_code = "cfw"
  product_type = "cfw_elasticity_public_intl"
  spec         = "payg_version"
}}
resource "alicloud_cloud_firewall_policy_advanced_config" "mode" {{ internet_switch = "on" }}
resource "alicloud_cloud_firewall_address_book" "offices" {{
  group_name   = "offices"
  group_type   = "ip"
  description  = "offices"
  address_list = ["198.51.100.0/24", "203.0.113.7/32"]
}}
resource "alicloud_cloud_firewall_address_book" "ports" {{
  group_name   = "web-ports"
  group_type   = "port"
  description  = "ports"
  address_list = ["80/80", "443/443"]
}}
resource "alicloud_cloud_firewall_address_book" "tagged" {{
  group_name  = "tagged"
  group_type  = "tag"
  description = "tagged"
}}
resource "alicloud_cloud_firewall_control_policy" "a" {{
  direction        = "in"
  description      = "p"
  destination_type = "net"
  acl_action       = "accept"
  source           = alicloud_cloud_firewall_address_book.offices.group_name
  source_type      = "group"
  destination      = "${{alicloud_eip_address.web.ip_address}}/32"
  proto            = "TCP"
  dest_port_type   = "group"
  dest_port_group  = "web-ports"
  application_name = "ANY"
}}
resource "alicloud_cloud_firewall_control_policy" "b" {{
  {POLICY}
  acl_action  = "drop"
  source      = "0.0.0.0/0"
  destination = "0.0.0.0/0"
  proto       = "ANY"
  dest_port   = "0/0"
}}
resource "alicloud_cloud_firewall_control_policy" "c" {{
  {POLICY}
  acl_action            = "log"
  source                = "::/0"
  destination           = "2001:db8::/32"
  proto                 = "ICMP"
  ip_version            = "6"
  application_name_list = ["ANY"]
}}
resource "alicloud_cloud_firewall_control_policy" "d" {{
  direction        = "out"
  acl_action       = "accept"
  description      = "updates"
  source           = "tagged"
  source_type      = "group"
  destination      = "*.example.com"
  destination_type = "domain"
  proto            = "TCP"
  dest_port        = "443/443"
  application_name = "HTTPS"
  release          = "false"
}}
resource "alicloud_cloud_firewall_control_policy" "e" {{
  direction        = "out"
  acl_action       = "drop"
  description      = "at night"
  source           = "0.0.0.0/0"
  source_type      = "net"
  destination      = "[\"ZB\"]"
  destination_type = "location"
  proto            = "UDP"
  dest_port        = "53/53"
  repeat_type      = "Daily"
}}
resource "alicloud_cloud_firewall_control_policy_order" "a" {{
  acl_uuid  = alicloud_cloud_firewall_control_policy.a.acl_uuid
  direction = "in"
  order     = 1
}}
"#
    ));
    let f = &inv.typed.firewalls;
    assert_eq!(f.len(), 1);
    assert_eq!(f[0].place, FirewallPlace::Internet);
    assert_eq!(
        &*f[0].meta.origin.address,
        "alicloud_cloud_firewall_instance_v2.edge"
    );
    assert_eq!((&f[0].on, &f[0].strict), (&Fact::Known(true), &Fact::Known(true)));
    assert_eq!(
        policies(&inv, 0),
        [
            "in 1 pass tcp/80, tcp/443 198.51.100.0/24+203.0.113.7/32 -> alicloud_eip_address.web",
            // The only one of IPv4 without an order comes behind.
            "in 2 drop any 0.0.0.0/0 -> 0.0.0.0/0",
            "in 1 pass icmpv6 ::/0 -> 2001:db8::/32 ipv6",
            "out ? pass tcp/443 ? -> `*.example.com` deep off",
            "out ? drop udp/53 0.0.0.0/0 -> `[\"ZB\"]` sometimes",
        ]
    );
}

#[test]
fn policies_without_orders_have_none_unless_they_need_none() {
    let two = |second: &str| {
        bare(&format!(
            r#"
resource "alicloud_cloud_firewall_control_policy" "a" {{
  {POLICY}
  acl_action  = "accept"
  source      = "198.51.100.0/24"
  destination = "0.0.0.0/0"
  proto       = "TCP"
  dest_port   = "443/443"
}}
resource "alicloud_cloud_firewall_control_policy" "b" {{
  {POLICY}
  acl_action  = "{second}"
  source      = "0.0.0.0/0"
  destination = "0.0.0.0/0"
  proto       = "TCP"
  dest_port   = "80/80"
}}
"#
        ))
    };
    let orders = |inv: &Inventory| -> Vec<Option<u32>> {
        let rules = &inv.typed.firewalls[0].rules;
        rules.iter().map(|r| r.order.known().copied()).collect()
    };
    assert_eq!(orders(&two("accept")), [Some(1), Some(2)]);
    assert_eq!(orders(&two("drop")), [None, None]);
}

// A policy of ANY with ports is one of TCP and UDP; whether it is about the rest as well nobody says.
#[test]
fn a_policy_of_any_protocol_matches_its_ports() {
    let any = |ports: &str| {
        let inv = bare(&format!(
            r#"
resource "alicloud_cloud_firewall_control_policy" "a" {{
  {POLICY}
  acl_action  = "drop"
  source      = "0.0.0.0/0"
  destination = "0.0.0.0/0"
  proto       = "ANY"
  {ports}
}}
"#
        ));
        policies(&inv, 0)
    };
    let whole = ["in 1 drop any 0.0.0.0/0 -> 0.0.0.0/0"];
    assert_eq!(any("dest_port = \"0/0\""), whole);
    assert_eq!(any(""), whole);
    let [tcp, rest] = any("dest_port = \"22/22\"").try_into().unwrap();
    assert_eq!(tcp, "in 1 drop tcp/22, udp/22 0.0.0.0/0 -> 0.0.0.0/0");
    assert!(rest.ends_with(" sometimes") && !rest.contains("tcp"), "{rest}");
    let group = any("dest_port_type = \"group\"\n  dest_port_group = \"elsewhere\"");
    assert_eq!(group, ["in 1 drop ? 0.0.0.0/0 -> 0.0.0.0/0"]);
}

#[test]
fn a_mode_that_may_not_be_set_is_not_known() {
    let strict = |count: &str| {
        let inv = bare(&format!(
            r#"
variable "strict" {{ type = bool }}
resource "alicloud_cloud_firewall_instance" "edge" {{}}
resource "alicloud_cloud_firewall_policy_advanced_config" "mode" {{
  {count}
  internet_switch = "on"
}}
resource "alicloud_cloud_firewall_vpc_firewall" "between" {{ status = "open" }}
resource "alicloud_cloud_firewall_vpc_firewall_acl_engine_mode" "mode" {{
  {count}
  vpc_firewall_id = alicloud_cloud_firewall_vpc_firewall.between.vpc_firewall_id
  strict_mode     = 0
}}
"#
        ));
        let known = |f: &bartizan_model::Firewall| f.strict.known().copied();
        inv.typed.firewalls.iter().map(known).collect::<Vec<_>>()
    };
    assert_eq!(strict(""), [Some(true), Some(false)]);
    assert_eq!(strict("count = var.strict ? 1 : 0"), [None, None]);
}

#[test]
fn two_policies_with_one_order_have_none() {
    let inv = |places: [u32; 4]| {
        let mut net = String::new();
        for (n, place) in places.into_iter().enumerate() {
            let action = if n % 2 == 0 { "drop" } else { "accept" };
            net += &format!(
                r#"
resource "alicloud_cloud_firewall_control_policy" "p{n}" {{
  {POLICY}
  acl_action  = "{action}"
  source      = "198.51.100.0/24"
  destination = "0.0.0.0/0"
  proto       = "ANY"
  dest_port   = "443/443"
}}
resource "alicloud_cloud_firewall_control_policy_order" "p{n}" {{
  acl_uuid  = alicloud_cloud_firewall_control_policy.p{n}.acl_uuid
  direction = "in"
  order     = {place}
}}
"#
            );
        }
        let inv = bare(&net);
        let rules = &inv.typed.firewalls[0].rules;
        // Every policy is there twice, once for its ports and once for the rest.
        let order = |r: &[bartizan_model::FirewallRule]| {
            assert_eq!(r[0].order.known(), r[1].order.known());
            r[0].order.known().copied()
        };
        rules.chunks(2).map(order).collect::<Vec<_>>()
    };
    assert_eq!(inv([1, 2, 3, 4]), [Some(1), Some(2), Some(3), Some(4)]);
    // What is behind them may be moved as well.
    assert_eq!(inv([1, 2, 2, 3]), [Some(1), None, None, None]);
}

#[test]
fn a_nat_firewall_with_its_policies() {
    let inv = base(
        r#"
resource "alicloud_nat_gateway" "n" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.b.id
  nat_type   = "Enhanced"
}
resource "alicloud_cloud_firewall_nat_firewall" "f" {
  nat_gateway_id  = alicloud_nat_gateway.n.id
  proxy_name      = "egress"
  region_no       = "cn-hangzhou"
  vpc_id          = alicloud_vpc.v.id
  firewall_switch = "open"
  nat_route_entry_list {
    nexthop_type     = "NatGateway"
    nexthop_id       = alicloud_nat_gateway.n.id
    route_table_id   = alicloud_vpc.v.route_table_id
    destination_cidr = "0.0.0.0/0"
  }
}
resource "alicloud_cloud_firewall_nat_firewall_control_policy" "p" {
  nat_gateway_id        = alicloud_nat_gateway.n.id
  direction             = "out"
  acl_action            = "drop"
  description           = "no smb"
  source                = "10.0.0.0/8"
  source_type           = "net"
  destination           = "0.0.0.0/0"
  destination_type      = "net"
  proto                 = "TCP"
  dest_port             = "445/445"
  application_name_list = ["ANY"]
  new_order             = "1"
}
"#,
    );
    let f = &inv.typed.firewalls[0];
    let FirewallPlace::Nat { nat, routes } = &f.place else {
        panic!("{:?}", f.place)
    };
    assert_eq!((nat.known().map(|n| n.0), routes.len()), (Some(0), 1));
    assert_eq!((&f.on, &f.strict), (&Fact::Known(true), &Fact::Known(false)));
    assert_eq!(policies(&inv, 0), ["out 1 drop tcp/445 10.0.0.0/8 -> 0.0.0.0/0"]);
    assert!(matches!(
        understanding(&inv, "alicloud_cloud_firewall_nat_firewall.f"),
        Understanding::Modelled
    ));
}

/// A policy of a firewall between VPCs.
fn between(name: &str, firewall: &str) -> String {
    format!(
        r#"
resource "alicloud_cloud_firewall_vpc_firewall_control_policy" "{name}" {{
  vpc_firewall_id  = {firewall}
  acl_action       = "drop"
  description      = "{name}"
  source           = "10.0.0.0/8"
  source_type      = "net"
  destination      = "10.0.0.0/8"
  destination_type = "net"
  proto            = "TCP"
  dest_port        = "22/22"
  application_name = "ANY"
}}
"#
    )
}

// §13.1, decision 22, items 2, 5 and 6: policies of a CEN instance are in the list of each of its firewalls.
#[test]
fn firewalls_of_a_cen_instance_share_its_policies() {
    let inv = base(&format!(
        r#"
resource "alicloud_cen_instance" "c" {{}}
resource "alicloud_cen_instance" "d" {{}}
resource "alicloud_cen_transit_router" "r" {{ cen_id = alicloud_cen_instance.c.id }}
resource "alicloud_cloud_firewall_vpc_firewall_cen" "f" {{
  cen_id            = alicloud_cen_instance.c.id
  vpc_firewall_name = "at-one"
  vpc_region        = "cn-hangzhou"
  status            = "close"
  local_vpc {{ network_instance_id = alicloud_vpc.v.id }}
}}
resource "alicloud_cloud_firewall_vpc_cen_tr_firewall" "t" {{
  firewall_name     = "at-the-router"
  cen_id            = alicloud_cen_instance.c.id
  transit_router_id = alicloud_cen_transit_router.r.transit_router_id
  region_no         = "cn-hangzhou"
  route_mode        = "managed"
  firewall_vpc_cidr = "10.250.0.0/24"
}}
resource "alicloud_cloud_firewall_vpc_firewall_acl_engine_mode" "m" {{
  vpc_firewall_id = alicloud_cen_instance.c.id
  strict_mode     = 1
}}
{}{}{}"#,
        between("shared", "alicloud_cen_instance.c.id"),
        between("own", "alicloud_cloud_firewall_vpc_cen_tr_firewall.t.id"),
        between("elsewhere", "alicloud_cen_instance.d.id"),
    ));
    let t = &inv.typed;
    let cen = Fact::Known("alicloud_cen_instance.c".into());
    let at = |name: &str| {
        let f = t
            .firewalls
            .iter()
            .find(|f| f.meta.name == Some(Fact::Known(name.into())));
        f.unwrap()
    };
    let (one, router) = (at("at-one"), at("at-the-router"));
    let vpc = Fact::Known(VpcId(0));
    assert_eq!(one.place, FirewallPlace::Vpc(vec![Boundary::Vpc { vpc, cen }]));
    assert_eq!(
        router.place,
        FirewallPlace::Vpc(vec![Boundary::Router(Fact::Known(RouterId(0)))])
    );
    assert_eq!((&one.on, &router.on), (&Fact::Known(false), &Fact::Known(true)));
    assert_eq!((&one.strict, &router.strict), (&true.into(), &true.into()));
    let rules = |f: &bartizan_model::Firewall| {
        f.rules
            .iter()
            .map(|r| r.origin.address.to_string())
            .collect::<Vec<_>>()
    };
    let policy = |name: &str| format!("alicloud_cloud_firewall_vpc_firewall_control_policy.{name}");
    assert_eq!(rules(one), [policy("shared")]);
    assert_eq!(rules(router), [policy("own"), policy("shared")]);
    // A policy of a firewall that is not here is that of one of which nothing is known.
    let missing = t.firewalls.last().unwrap();
    assert!(matches!(&missing.place, FirewallPlace::Vpc(at) if matches!(at[..], [Boundary::Unknown(_)])));
    assert_eq!(rules(missing), [policy("elsewhere")]);
    for r in &inv.resources {
        assert!(
            !matches!(r.understanding, Understanding::NotUnderstood(_)),
            "{}",
            r.address
        );
    }
}

// §13.1, decision 22, item 4: the routes that are redirected.
#[test]
fn a_firewall_between_two_vpcs_redirects_routes() {
    let net = |peer: &str| {
        bare(&format!(
            r#"
variable "tables" {{}}
resource "alicloud_vpc" "v" {{
  count      = 2
  cidr_block = "10.${{count.index}}.0.0/16"
}}
resource "alicloud_vpc_peer_connection" "p" {{
  vpc_id           = alicloud_vpc.v[0].id
  accepting_vpc_id = alicloud_vpc.v[1].id
}}
resource "alicloud_cloud_firewall_vpc_firewall" "f" {{
  vpc_firewall_name = "between"
  status            = "open"
  local_vpc {{
    vpc_id    = alicloud_vpc.v[0].id
    region_no = "cn-hangzhou"
    local_vpc_cidr_table_list {{
      local_route_table_id = alicloud_vpc.v[0].route_table_id
      local_route_entry_list {{
        local_destination_cidr     = "10.1.0.0/16"
        local_next_hop_instance_id = alicloud_vpc_peer_connection.p.id
      }}
    }}
  }}
  {peer}
}}
"#
        ))
    };
    let place = |inv: &Inventory| match &inv.typed.firewalls[0].place {
        FirewallPlace::Vpc(at) => at.clone(),
        p => panic!("{p:?}"),
    };
    let inv = net("");
    let there = Boundary::Route {
        table: Fact::Known(inv.typed.vpcs[0].system_table),
        destination: Fact::Known("10.1.0.0/16".parse().unwrap()),
        hop: Fact::Known(NextHop::Peering(PeeringId(0))),
    };
    assert_eq!(place(&inv), std::slice::from_ref(&there));
    let unknown = net(r#"dynamic "peer_vpc" {
    for_each = var.tables
    content { vpc_id = peer_vpc.value }
  }"#);
    assert!(matches!(&place(&unknown)[..], [a, Boundary::Unknown(_)] if *a == there));
}

#[test]
fn proxies_and_their_origins() {
    let inv = base(
        r#"
resource "alicloud_eip_address" "web" {}
resource "alicloud_eip_address" "game" { ip_address = "47.1.2.3" }
resource "alicloud_wafv3_domain" "shop" {
  instance_id = "waf-1"
  domain      = "shop.example.com"
  access_type = "share"
  listen {
    http_ports  = [80]
    https_ports = [443, 8443]
  }
  redirect {
    backends    = [alicloud_eip_address.web.ip_address, "origin.example.com"]
    loadbalance = "iphash"
  }
}
resource "alicloud_wafv3_domain" "inside" {
  instance_id = "waf-1"
  domain      = "in.example.com"
  listen { http_ports = [80] }
  redirect {
    backends    = ["10.1.0.10"]
    loadbalance = "iphash"
  }
}
resource "alicloud_ddoscoo_port" "game" {
  instance_id       = "ddoscoo-1"
  frontend_port     = "7001"
  frontend_protocol = "udp"
  real_servers      = ["47.1.2.3"]
}
resource "alicloud_ddosbgp_ip" "game" {
  instance_id = "ddosbgp-1"
  ip          = alicloud_eip_address.game.ip_address
}
"#,
    );
    let p = &inv.typed.proxies;
    assert_eq!(p.len(), 3);
    let of = |domain: &str| {
        let named = |p: &&Proxy| {
            p.meta
                .name
                .as_ref()
                .is_some_and(|n| n.known().is_some_and(|n| &**n == domain))
        };
        p.iter().find(named).unwrap()
    };
    let shop = of("shop.example.com");
    assert_eq!(shop.kind, ProxyKind::Waf);
    assert_eq!(
        shop.services.known().unwrap().to_string(),
        "tcp/80, tcp/443, tcp/8443"
    );
    assert!(matches!(
        shop.origins.as_slice(),
        [ProxyOrigin::Eip(e), ProxyOrigin::Unknown(_)] if &*inv.typed[*e].meta.origin.address == "alicloud_eip_address.web"
    ));
    assert!(matches!(
        understanding(&inv, "alicloud_wafv3_domain.inside"),
        Understanding::NotUnderstood(_)
    ));
    let game = p.iter().find(|p| p.kind == ProxyKind::AntiDdos).unwrap();
    assert_eq!(game.services.known().unwrap().to_string(), "udp/7001");
    assert_eq!(inv.typed.shields.len(), 1);
    assert!(matches!(inv.typed.shields[0].of, ProxyOrigin::Eip(_)));
}

// The switch is one for the account: of two resources that set it otherwise, neither is known to count.
#[test]
fn two_switches_that_disagree_are_not_known() {
    let mode = |first: &str, second: &str| {
        let inv = bare(&format!(
            r#"
resource "alicloud_cloud_firewall_instance" "edge" {{}}
resource "alicloud_cloud_firewall_policy_advanced_config" "a" {{ internet_switch = "{first}" }}
resource "alicloud_cloud_firewall_policy_advanced_config" "b" {{ internet_switch = "{second}" }}
"#
        ));
        let known = inv.typed.firewalls[0].strict.known().copied();
        let b = "alicloud_cloud_firewall_policy_advanced_config.b";
        (known, matches!(understanding(&inv, b), Understanding::Partly(_)))
    };
    assert_eq!(mode("on", "on"), (Some(true), false));
    assert_eq!(mode("on", "off"), (None, true));
    assert_eq!(mode("off", "on"), (None, true));
}

// §13.2: left out, `repeat_type` is for ever; with a time beside it nobody says which counts.
#[test]
fn a_policy_with_a_time_is_not_for_ever() {
    let active = |more: &str| {
        let inv = bare(&format!(
            r#"
resource "alicloud_cloud_firewall_control_policy" "p" {{
  {POLICY}
  acl_action  = "drop"
  source      = "0.0.0.0/0"
  destination = "0.0.0.0/0"
  proto       = "TCP"
  dest_port   = "22/22"
  {more}
}}
"#
        ));
        let list = policies(&inv, 0);
        list[0].ends_with(" sometimes")
    };
    assert!(!active(""));
    assert!(!active("repeat_type = \"Permanent\""));
    assert!(!active("start_time = 0\n  repeat_days = []"));
    assert!(active("start_time = 1700000000\n  end_time = 1800000000"));
    assert!(active("repeat_start_time = \"08:00\""));
    assert!(active("repeat_days = [1, 5]"));
}
