//! PrivateLink: ALIBABA.md §9.7, docs/decisions/016.

use super::*;
use bartizan_model::{Backend, Balancer, BalancerKind, Fact, Understanding};

const BASE: &str = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_nlb_load_balancer" "l" {
  load_balancer_name = "l"
  address_type       = "Intranet"
  vpc_id             = alicloud_vpc.v.id
  zone_mappings {
    vswitch_id           = alicloud_vswitch.a.id
    private_ipv4_address = "10.0.1.100"
  }
}
resource "alicloud_nlb_listener" "tcp" {
  load_balancer_id  = alicloud_nlb_load_balancer.l.id
  listener_protocol = "TCP"
  listener_port     = 80
}
resource "alicloud_nlb_listener" "tls" {
  load_balancer_id  = alicloud_nlb_load_balancer.l.id
  listener_protocol = "TCPSSL"
  listener_port     = 443
}
resource "alicloud_privatelink_vpc_endpoint" "e" {
  vpc_endpoint_name  = "e"
  vpc_id             = alicloud_vpc.v.id
  security_group_ids = [alicloud_security_group.g.id]
  service_name       = local.service
}
resource "alicloud_privatelink_vpc_endpoint_zone" "z" {
  endpoint_id = alicloud_privatelink_vpc_endpoint.e.id
  vswitch_id  = alicloud_vswitch.a.id
  eni_ip      = "10.0.1.50"
}
"#;

const SERVICE: &str = r#"
locals { service = alicloud_privatelink_vpc_endpoint_service.s.vpc_endpoint_service_name }
resource "alicloud_privatelink_vpc_endpoint_service_resource" "r" {
  service_id    = alicloud_privatelink_vpc_endpoint_service.s.id
  resource_id   = alicloud_nlb_load_balancer.l.id
  resource_type = "nlb"
}
"#;

fn endpoint(inv: &Inventory) -> &Balancer {
    let mut all = inv.typed.balancers.iter();
    all.find(|b| b.kind == BalancerKind::Endpoint).unwrap()
}

/// `tcp/80 -> alicloud_x.y` for each listener, with `?` where it may not be there.
fn leads(inv: &Inventory) -> Vec<String> {
    let to = |b: &Backend| match b {
        Backend::Interface(i) | Backend::Ipv6(i) | Backend::At(i, _) => {
            inv.typed[*i].meta.origin.address.to_string()
        }
        Backend::Ip(ip) => ip.to_string(),
        Backend::Unknown(_) => "unknown".to_string(),
    };
    let all = endpoint(inv).listeners.iter();
    all.map(|l| {
        let on = l.services.known().map_or("?".to_string(), ToString::to_string);
        let to: Vec<String> = l.forwards.iter().map(|f| to(&f.to)).collect();
        let maybe = if l.origin.maybe.is_some() { " ?" } else { "" };
        format!("{on} -> {}{maybe}", to.join(" "))
    })
    .collect()
}

// 016, items 1 to 3: a front per zone with the groups of the endpoint; the listeners of the service but TCPSSL.
#[test]
fn an_endpoint_listens_as_the_balancers_of_its_service_do() {
    let inv = bare(&format!(
        r#"{BASE}{SERVICE}
resource "alicloud_privatelink_vpc_endpoint_service" "s" {{ auto_accept_connection = true }}
"#
    ));
    assert_eq!(leads(&inv), ["tcp/80 -> alicloud_nlb_load_balancer.l"]);
    let e = endpoint(&inv);
    let [front] = e.fronts[..] else { panic!("{e:?}") };
    let front = &inv.typed[front];
    assert_eq!(
        front.addresses[0].spec,
        AddressSpec::Ip("10.0.1.50".parse().unwrap())
    );
    assert_eq!(front.groups, Fact::Known(vec![SecurityGroupId(0)]));
    assert!(front.vswitch.known().is_some() && front.public.is_empty());
}

// 016, item 8 (A-PL-2): nothing accepts the connection, so it may be there and cannot be relied on.
#[test]
fn a_connection_that_nobody_accepts_may_be_there() {
    let service = format!(
        r#"{BASE}{SERVICE}
resource "alicloud_privatelink_vpc_endpoint_service" "s" {{}}
"#
    );
    assert_eq!(
        leads(&bare(&service)),
        ["tcp/80 -> alicloud_nlb_load_balancer.l ?"]
    );
    let accepted = format!(
        r#"{service}
resource "alicloud_privatelink_vpc_endpoint_connection" "c" {{
  endpoint_id = alicloud_privatelink_vpc_endpoint.e.id
  service_id  = alicloud_privatelink_vpc_endpoint_service.s.id
}}
"#
    );
    assert_eq!(
        leads(&bare(&accepted)),
        ["tcp/80 -> alicloud_nlb_load_balancer.l"]
    );
}

// 016, item 9: a service that is not here is somebody else's.
#[test]
fn a_service_of_somebody_else_leads_to_nobody_here() {
    let inv = bare(&format!(
        r#"{BASE}
locals {{ service = "com.aliyuncs.privatelink.cn-hangzhou.epsrv-1" }}
"#
    ));
    assert_eq!(leads(&inv), ["tcp, udp -> "]);
    let open = inv
        .resources
        .iter()
        .filter(|r| matches!(r.understanding, Understanding::NotUnderstood(_)));
    assert_eq!(open.count(), 0);
}

// A resource that cannot be told makes the far side unknown, not absent.
#[test]
fn a_resource_that_is_not_known_is_a_backend_that_is_not_known() {
    let inv = bare(&format!(
        r#"{BASE}
variable "lb" {{}}
locals {{ service = alicloud_privatelink_vpc_endpoint_service.s.vpc_endpoint_service_name }}
resource "alicloud_privatelink_vpc_endpoint_service" "s" {{ auto_accept_connection = true }}
resource "alicloud_privatelink_vpc_endpoint_service_resource" "r" {{
  service_id    = alicloud_privatelink_vpc_endpoint_service.s.id
  resource_id   = var.lb
  resource_type = "nlb"
}}
"#
    ));
    assert_eq!(leads(&inv), ["? -> unknown"]);
}

#[test]
fn endpoints_of_other_kinds_are_not_understood() {
    for (attribute, value) in [("endpoint_type", "Another"), ("address_ip_version", "DualStack")] {
        let inv = bare(&format!(
            r#"
resource "alicloud_privatelink_vpc_endpoint" "e" {{
  vpc_id       = "vpc-1"
  service_name = "com.aliyuncs.x"
  {attribute} = "{value}"
}}
"#
        ));
        let u = &inv.resources[0].understanding;
        assert!(matches!(u, Understanding::NotUnderstood(_)), "{attribute}: {u:?}");
    }
}
