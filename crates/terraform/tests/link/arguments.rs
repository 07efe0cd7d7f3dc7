//! Arguments that open or close traffic and are easily overlooked: each is read, or makes the resource not understood.

use super::*;
use bartizan_model::{AllowPeer, Backend, Balancer, DataService, Fact, Understanding};
use bartizan_packet::{PortSet, ServiceSet};

fn tcp(ports: &[u16]) -> ServiceSet {
    ServiceSet::tcp(PortSet::from_ranges(ports.iter().map(|&p| (p, p))))
}

fn service<'i>(inv: &'i Inventory, address: &str) -> &'i DataService {
    let mut all = inv.typed.data_services.iter();
    all.find(|d| &*d.meta.origin.address == address).unwrap()
}

fn balancer<'i>(inv: &'i Inventory, address: &str) -> &'i Balancer {
    let mut all = inv.typed.balancers.iter();
    all.find(|b| &*b.meta.origin.address == address).unwrap()
}

/// Whether each thing that listeners hand on is certain.
fn certain(b: &Balancer) -> Vec<bool> {
    let all = b.listeners.iter().flat_map(|l| &l.forwards);
    all.map(|f| f.origin.maybe.is_none()).collect()
}

fn why(inv: &Inventory, address: &str) -> String {
    match understanding(inv, address) {
        Understanding::NotUnderstood(w) => w.clone(),
        other => panic!("{address} is {other:?}"),
    }
}

// §15.4: the public endpoint has a port of its own, and so have Babelfish and PgBouncer: a claim about that port shall
// not hold because the instance itself listens elsewhere.
#[test]
fn a_database_may_answer_on_the_ports_of_all_its_endpoints() {
    let inv = base(
        r#"
resource "alicloud_db_instance" "d" {
  engine             = "PostgreSQL"
  vswitch_id         = alicloud_vswitch.a.id
  security_ips       = ["10.1.0.0/16"]
  pg_bouncer_enabled = true
  babelfish_config {
    babelfish_enabled    = true
    migration_mode       = "single-db"
    master_username      = "u"
    master_user_password = "p"
  }
}
resource "alicloud_db_connection" "c" { instance_id = alicloud_db_instance.d.id }
resource "alicloud_db_readonly_instance" "r" {
  master_db_instance_id = alicloud_db_instance.d.id
  vswitch_id            = alicloud_vswitch.a.id
}
resource "alicloud_kvstore_instance" "k" {
  vswitch_id   = alicloud_vswitch.a.id
  security_ips = ["10.1.0.1"]
}
resource "alicloud_kvstore_connection" "k" {
  instance_id              = alicloud_kvstore_instance.k.id
  connection_string_prefix = "k"
  port                     = "6380"
}
resource "alicloud_polardb_cluster" "p" {
  db_type    = "MySQL"
  vswitch_id = alicloud_vswitch.a.id
}
resource "alicloud_polardb_endpoint" "p" {
  db_cluster_id = alicloud_polardb_cluster.p.id
  port          = var.unknown
}
"#,
    );
    let d = service(&inv, "alicloud_db_instance.d");
    assert_eq!(d.services, Fact::Known(tcp(&[5432])));
    // Appendix A7: the public port is 3306 where it is not written.
    assert_eq!(d.also, tcp(&[1433, 3306, 6432]));
    let r = service(&inv, "alicloud_db_readonly_instance.r");
    assert!(tcp(&[1433, 6432]).is_subset(&r.also));
    assert_eq!(service(&inv, "alicloud_kvstore_instance.k").also, tcp(&[6380]));
    let p = service(&inv, "alicloud_polardb_cluster.p");
    // It is not known which: any but the one that is certain.
    assert_eq!(p.also, ServiceSet::tcp(PortSet::full()).subtract(&tcp(&[3306])));
}

// Entries that are added to, or taken out of, a list that is not here leave one that is not known.
#[test]
fn a_list_that_is_edited_is_not_known() {
    let inv = base(
        r#"
resource "alicloud_db_instance" "more" {
  engine       = "MySQL"
  vswitch_id   = alicloud_vswitch.a.id
  security_ips = ["10.1.0.0/16"]
  modify_mode  = "Append"
}
resource "alicloud_kvstore_instance" "less" {
  vswitch_id   = alicloud_vswitch.a.id
  security_ips = ["10.1.0.0/16"]
  modify_mode  = "2"
}
resource "alicloud_db_instance" "whole" {
  engine       = "MySQL"
  vswitch_id   = alicloud_vswitch.a.id
  security_ips = ["10.1.0.0/16"]
  modify_mode  = "Cover"
}
"#,
    );
    let kinds = |a: &str| -> Vec<bool> {
        let all = service(&inv, a).allow.iter();
        all.map(|e| matches!(e.peer, AllowPeer::Unknown(_))).collect()
    };
    assert_eq!(kinds("alicloud_db_instance.more"), [false, true]);
    assert_eq!(kinds("alicloud_kvstore_instance.less"), [true]);
    assert_eq!(kinds("alicloud_db_instance.whole"), [false]);
}

const ALB: &str = r#"
resource "alicloud_alb_load_balancer" "l" {
  vpc_id                 = alicloud_vpc.v.id
  address_type           = "Intranet"
  address_allocated_mode = "Fixed"
  zone_mappings {
    zone_id          = "z1"
    vswitch_id       = alicloud_vswitch.a.id
    intranet_address = "10.1.0.77"
  }
  zone_mappings {
    zone_id    = "z2"
    vswitch_id = alicloud_vswitch.b.id
  }
}
resource "alicloud_alb_listener" "l" {
  load_balancer_id  = alicloud_alb_load_balancer.l.id
  listener_protocol = "HTTP"
  listener_port     = 80
  default_actions {
    type = "ForwardGroup"
    forward_group_config {
      server_group_tuples { server_group_id = alicloud_alb_server_group.g.id }
    }
  }
}
resource "alicloud_alb_server_group" "g" {
  server_group_name = "g"
  servers {
    server_id   = alicloud_instance.i.id
    server_type = "Ecs"
    port        = 8080
    weight      = 100
  }
}
"#;

fn rule(conditions: &str) -> String {
    format!(
        r#"{ALB}
resource "alicloud_alb_server_group" "other" {{
  server_group_name = "other"
  servers {{
    server_id   = alicloud_instance.i.id
    server_type = "Ecs"
    port        = 9090
    weight      = 100
  }}
}}
resource "alicloud_alb_rule" "r" {{
  listener_id = alicloud_alb_listener.l.id
  rule_name   = "r"
  priority    = 1
  {conditions}
  rule_actions {{
    order = 1
    type  = "ForwardGroup"
    forward_group_config {{
      server_group_tuples {{ server_group_id = alicloud_alb_server_group.other.id }}
    }}
  }}
}}
"#
    )
}

// §9.2, decision 11: what a rule asks of a client's address narrows it for certain; one that asks nothing leaves
// nothing for the others.
#[test]
fn a_rule_for_some_clients_is_not_certain_for_others() {
    let of = |conditions: &str| {
        let inv = base(&rule(conditions));
        certain(balancer(&inv, "alicloud_alb_load_balancer.l"))
    };
    let source = r#"rule_conditions {
    type = "SourceIp"
    source_ip_config { values = ["10.9.0.0/16"] }
  }"#;
    let host = r#"rule_conditions {
    type = "Host"
    host_config { values = ["a.example"] }
  }"#;
    let every = r#"rule_conditions {
    type = "Path"
    path_config { values = ["/*"] }
  }"#;
    // The default of the listener, then the rule.
    assert_eq!(of(host), [true, true]);
    // Whom a rule for some clients takes gets nothing from what comes after it.
    assert_eq!(of(source), [false, false]);
    assert_eq!(of(every), [false, true]);
}

// A copy of the requests is traffic to whoever gets it.
#[test]
fn a_mirror_is_handed_what_it_mirrors() {
    let text = rule(
        r#"rule_conditions {
    type = "Host"
    host_config { values = ["a.example"] }
  }"#,
    )
    .replace(
        r#"    type  = "ForwardGroup"
    forward_group_config {
      server_group_tuples { server_group_id = alicloud_alb_server_group.other.id }
    }"#,
        r#"    type  = "TrafficMirror"
    traffic_mirror_config {
      target_type = "ForwardGroupMirror"
      mirror_group_config {
        server_group_tuples { server_group_id = alicloud_alb_server_group.other.id }
      }
    }"#,
    );
    let inv = base(&text);
    let l = &balancer(&inv, "alicloud_alb_load_balancer.l").listeners[0];
    let ports: Vec<_> = l.forwards.iter().map(|f| f.services.clone()).collect();
    assert_eq!(
        ports,
        [Fact::Known(Some(tcp(&[8080]))), Fact::Known(Some(tcp(&[9090])))]
    );
}

// A front hands on to its own zone only, a listener is stopped, a balancer is off, a standby waits: possible, and not
// certain.
#[test]
fn what_may_not_be_handed_on_is_not_certain() {
    let alb = |from: &str, to: &str| base(&ALB.replace(from, to));
    let inv = alb(
        "server_group_name = \"g\"",
        "server_group_name = \"g\"\n  cross_zone_enabled = false",
    );
    assert_eq!(certain(balancer(&inv, "alicloud_alb_load_balancer.l")), [false]);
    let inv = alb(
        "listener_port     = 80",
        "listener_port     = 80\n  status = \"Stopped\"",
    );
    let l = &balancer(&inv, "alicloud_alb_load_balancer.l").listeners[0];
    assert!(l.origin.maybe.is_some());
    let inv = alb("\"Fixed\"", "\"Dynamic\"");
    let front = balancer(&inv, "alicloud_alb_load_balancer.l").fronts[0];
    assert!(matches!(
        inv.typed[front].addresses[0].spec,
        AddressSpec::AnyV4(_)
    ));
    let inv = base(
        r#"
resource "alicloud_slb_load_balancer" "l" {
  address_type = "intranet"
  vswitch_id   = alicloud_vswitch.a.id
  status       = "inactive"
}
resource "alicloud_slb_listener" "l" {
  load_balancer_id             = alicloud_slb_load_balancer.l.id
  protocol                     = "tcp"
  frontend_port                = 80
  master_slave_server_group_id = alicloud_slb_master_slave_server_group.g.id
}
resource "alicloud_slb_master_slave_server_group" "g" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  servers {
    server_id   = alicloud_instance.i.id
    port        = 80
    server_type = "Master"
  }
  servers {
    server_id   = alicloud_instance.i.id
    port        = 81
    server_type = "Slave"
  }
}
"#,
    );
    let b = balancer(&inv, "alicloud_slb_load_balancer.l");
    assert_eq!(certain(b), [true, false]);
    assert!(b.listeners[0].origin.maybe.is_some());
}

// Of the addresses of an interface one is the server, and it need not be the first.
#[test]
fn a_server_is_the_address_that_is_named() {
    let inv = base(
        &ALB.replace("alicloud_instance.i.id", "alicloud_ecs_network_interface.x.id")
            .replace("\"Ecs\"", "\"Eni\"\n    server_ip = \"10.1.0.31\"")
            .replace(
                "resource \"alicloud_alb_server_group\"",
                r#"resource "alicloud_ecs_network_interface" "x" {
  vswitch_id           = alicloud_vswitch.a.id
  security_group_ids   = [alicloud_security_group.g.id]
  primary_ip_address   = "10.1.0.30"
  private_ip_addresses = ["10.1.0.31"]
}
resource "alicloud_alb_server_group""#,
            ),
    );
    let l = &balancer(&inv, "alicloud_alb_load_balancer.l").listeners[0];
    let to: Vec<_> = l.forwards.iter().map(|f| f.to.clone()).collect();
    assert_eq!(to, [Backend::Ip("10.1.0.31".parse().unwrap())]);
}

// Decision 11, item 20: where it is not known which address is meant, or it is none that the interface has, any may be.
#[test]
fn a_server_whose_address_is_not_known_may_be_any_of_them() {
    let servers = |at: &str, more: &str| {
        let inv = base(
            &ALB.replace("alicloud_instance.i.id", "alicloud_ecs_network_interface.x.id")
                .replace("\"Ecs\"", &format!("\"Eni\"\n    server_ip = {at}"))
                .replace(
                    "resource \"alicloud_alb_server_group\"",
                    &format!(
                        r#"variable "x" {{}}
resource "alicloud_ecs_network_interface" "x" {{
  vswitch_id           = alicloud_vswitch.a.id
  security_group_ids   = [alicloud_security_group.g.id]
  primary_ip_address   = "10.1.0.30"
  {more}
}}
resource "alicloud_alb_server_group""#
                    ),
                ),
        );
        let l = &balancer(&inv, "alicloud_alb_load_balancer.l").listeners[0];
        let one = |f: &bartizan_model::Forward| match &f.to {
            Backend::Interface(_) => ("first".to_string(), f.origin.maybe.is_none()),
            Backend::At(_, n) => (format!("#{n}"), f.origin.maybe.is_none()),
            other => (format!("{other:?}"), f.origin.maybe.is_none()),
        };
        l.forwards.iter().map(one).collect::<Vec<_>>()
    };
    let of = |all: &[(&str, bool)]| -> Vec<(String, bool)> {
        all.iter().map(|(t, sure)| (t.to_string(), *sure)).collect()
    };
    let two = "private_ip_addresses = [\"10.1.0.31\"]";
    let any = [("first", false), ("#1", false)];
    assert_eq!(servers("var.x", two), of(&any));
    assert_eq!(servers("var.x", ""), of(&[("first", true)]));
    assert_eq!(
        servers("\"10.1.0.31\"", "private_ip_addresses = [var.x]"),
        of(&[("#1", true)])
    );
    let unpicked = "secondary_private_ip_address_count = 2";
    assert_eq!(
        servers("\"10.1.0.31\"", unpicked),
        of(&[("#1", false), ("#2", false)])
    );
    let none = [("first", false), ("#1", false), ("Ip(10.1.0.99)", false)];
    assert_eq!(servers("\"10.1.0.99\"", two), of(&none));
    let first = [("first", false), ("Ip(10.1.0.99)", false)];
    assert_eq!(servers("\"10.1.0.99\"", ""), of(&first));
}

// §7.5: nodes that are added by themselves get an EIP each; members of a group have a second interface.
#[test]
fn pools_open_more_than_their_first_interface() {
    let inv = base(
        r#"
resource "alicloud_cs_kubernetes_node_pool" "n" {
  node_pool_name     = "n"
  cluster_id         = "c1"
  vswitch_ids        = [alicloud_vswitch.a.id]
  security_group_ids = [alicloud_security_group.g.id]
  scaling_config {
    is_bond_eip   = true
    eip_bandwidth = 5
  }
}
resource "alicloud_security_group" "open" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_ess_scaling_group" "s" {
  scaling_group_name = "s"
  min_size           = 1
  max_size           = 2
  vswitch_ids        = [alicloud_vswitch.a.id]
}
resource "alicloud_ess_scaling_configuration" "s" {
  scaling_group_id  = alicloud_ess_scaling_group.s.id
  security_group_id = alicloud_security_group.g.id
  network_interfaces {
    instance_type      = "Secondary"
    security_group_ids = [alicloud_security_group.open.id]
  }
}
"#,
    );
    let of = |a: &str| -> Vec<_> {
        let all = inv.typed.interfaces.iter();
        all.filter(|i| &*i.meta.origin.address == a).collect()
    };
    let nodes = of("alicloud_cs_kubernetes_node_pool.n");
    assert_eq!(nodes.len(), 2);
    assert!(nodes.iter().all(|i| i.public.len() == 1));
    let members = of("alicloud_ess_scaling_group.s");
    let groups: Vec<_> = members.iter().map(|i| (i.primary, i.groups.clone())).collect();
    let (g, open) = (
        Fact::Known(vec![SecurityGroupId(0)]),
        Fact::Known(vec![SecurityGroupId(1)]),
    );
    assert_eq!(
        groups,
        [(true, g.clone()), (true, g), (false, open.clone()), (false, open)]
    );
}

// What bears on packets and is not modelled is said where it is written.
#[test]
fn an_argument_that_bears_makes_its_resource_not_understood() {
    let inv = base(
        r#"
resource "alicloud_vpc" "classic" {
  cidr_block           = "172.16.0.0/12"
  classic_link_enabled = true
}
resource "alicloud_cs_kubernetes_node_pool" "n" {
  node_pool_name     = "n"
  cluster_id         = "c1"
  vswitch_ids        = [alicloud_vswitch.a.id]
  security_group_ids = [alicloud_security_group.g.id]
  rds_instances      = ["rm-1"]
}
resource "alicloud_security_group" "later" {
  vpc_id       = alicloud_vpc.v.id
  bypass_rules = true
}
resource "alicloud_db_instance" "r" {
  engine                   = "MySQL"
  vswitch_id               = alicloud_vswitch.a.id
  security_ips             = ["10.1.0.1"]
  whitelist_network_type   = "Classic"
}
resource "alicloud_vpc" "plain" {
  cidr_block           = "192.168.0.0/16"
  classic_link_enabled = false
  description          = "nothing to see"
}
"#,
    );
    assert!(why(&inv, "alicloud_vpc.classic").contains("classic network"));
    assert!(why(&inv, "alicloud_cs_kubernetes_node_pool.n").contains("`rds_instances`"));
    assert_eq!(
        why(&inv, "alicloud_security_group.later"),
        "`bypass_rules` is not an argument that this version knows"
    );
    assert!(why(&inv, "alicloud_db_instance.r").contains("`whitelist_network_type`"));
    assert_eq!(
        understanding(&inv, "alicloud_vpc.plain"),
        &Understanding::Modelled
    );
}

// §10: IPv6 over a transit router, by the older name of the option.
#[test]
fn an_attachment_carries_ipv6_by_either_name() {
    let with = |options: &str| {
        let inv = base(&format!(
            r#"
resource "alicloud_cen_transit_router" "t" {{ cen_id = "cen-1" }}
resource "alicloud_cen_transit_router_vpc_attachment" "a" {{
  transit_router_id = alicloud_cen_transit_router.t.transit_router_id
  vpc_id            = alicloud_vpc.v.id
  zone_mappings {{
    zone_id    = "z1"
    vswitch_id = alicloud_vswitch.a.id
  }}
  {options}
}}
"#
        ));
        inv.typed.attachments[0].ipv6.clone()
    };
    assert_eq!(with(""), Fact::Known(false));
    assert_eq!(
        with("transit_router_vpc_attachment_options = { ipv6Support = \"enable\" }"),
        Fact::Known(true)
    );
    assert!(matches!(
        with("transit_router_vpc_attachment_options = { ipv6Support = var.unknown }"),
        Fact::Unknown(_)
    ));
}

// §9.7: a service may list what it offers itself (provider 1.290).
#[test]
fn a_service_may_list_its_balancers_itself() {
    let inv = base(
        r#"
resource "alicloud_slb_load_balancer" "l" {
  address_type = "intranet"
  vswitch_id   = alicloud_vswitch.a.id
}
resource "alicloud_slb_listener" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "tcp"
  frontend_port    = 80
  backend_port     = 80
}
resource "alicloud_privatelink_vpc_endpoint_service" "s" {
  auto_accept_connection = true
  resource {
    resource_id   = alicloud_slb_load_balancer.l.id
    resource_type = "slb"
  }
}
resource "alicloud_privatelink_vpc_endpoint" "e" {
  vpc_id             = alicloud_vpc.v.id
  security_group_ids = [alicloud_security_group.g.id]
  service_id         = alicloud_privatelink_vpc_endpoint_service.s.id
}
"#,
    );
    let l = &balancer(&inv, "alicloud_privatelink_vpc_endpoint.e").listeners;
    assert_eq!(l.len(), 1);
    let front = balancer(&inv, "alicloud_slb_load_balancer.l").fronts[0];
    assert_eq!(l[0].forwards[0].to, Backend::Interface(front));
}

// ALIBABA.md §15, Appendix A7: other ways to make an instance, and the endpoints that a cluster has by itself.
#[test]
fn copies_of_instances_and_endpoints_of_clusters() {
    let inv = base(
        r#"
resource "alicloud_rds_ddr_instance" "d" {
  engine             = "MySQL"
  vswitch_id         = alicloud_vswitch.a.id
  private_ip_address = "10.1.0.9"
  security_ips       = ["10.1.0.1"]
}
resource "alicloud_rds_upgrade_db_instance" "u" {
  vswitch_id   = alicloud_vswitch.a.id
  security_ips = ["10.1.0.2"]
}
resource "alicloud_polardb_cluster" "p" {
  db_type    = "MySQL"
  vswitch_id = alicloud_vswitch.a.id
}
resource "alicloud_polardb_primary_endpoint" "p" {
  db_cluster_id = alicloud_polardb_cluster.p.id
  net_type      = "Public"
}
resource "alicloud_polardb_cluster_endpoint" "p" {
  db_cluster_id = alicloud_polardb_cluster.p.id
  port          = "3307"
}
"#,
    );
    let d = service(&inv, "alicloud_rds_ddr_instance.d");
    assert_eq!((&d.services, d.allow.len()), (&Fact::Known(tcp(&[3306])), 1));
    let u = service(&inv, "alicloud_rds_upgrade_db_instance.u");
    assert_eq!(u.allow.len(), 1);
    let p = service(&inv, "alicloud_polardb_cluster.p");
    assert_eq!(p.also, tcp(&[3307]));
    assert_eq!(inv.typed[p.interface].public.len(), 1);
    let of = |a: &str| understanding(&inv, a).clone();
    for a in [
        "rds_ddr_instance.d",
        "rds_upgrade_db_instance.u",
        "polardb_primary_endpoint.p",
    ] {
        let u = of(&format!("alicloud_{a}"));
        assert!(!matches!(u, Understanding::NotUnderstood(_)), "{a} is {u:?}");
    }
}
