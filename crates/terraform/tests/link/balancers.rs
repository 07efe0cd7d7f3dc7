//! Load balancers: ALIBABA.md §9, docs/decisions/011.

use super::*;
use bartizan_model::{Backend, Balancer, BalancerKind, Fact, Listener};

const BASE: &str = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_vswitch" "b" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.2.0/24"
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_instance" "web" {
  count           = 2
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.1${count.index}"
  security_groups = [alicloud_security_group.g.id]
}
"#;

fn balancer<'i>(inv: &'i Inventory, address: &str) -> &'i Balancer {
    let mut all = inv.typed.balancers.iter();
    all.find(|b| &*b.meta.origin.address == address).unwrap()
}

/// `10.0.2.10 tcp/8080 client` for each backend; `?` for what is not known, `(0)` for one that may be there.
fn backends(inv: &Inventory, l: &Listener) -> Vec<String> {
    let one = |f: &bartizan_model::Forward| {
        let to = match &f.to {
            Backend::Interface(i) => match inv.typed[*i].addresses.first().map(|a| &a.spec) {
                Some(AddressSpec::Ip(ip)) => ip.to_string(),
                _ => inv.typed[*i].meta.origin.address.to_string(),
            },
            Backend::At(i, n) => format!("{n} of {}", inv.typed[*i].meta.origin.address),
            Backend::Ipv6(i) => format!("IPv6 of {}", inv.typed[*i].meta.origin.address),
            Backend::Ip(ip) => format!("ip {ip}"),
            Backend::Unknown(_) => "?".to_string(),
        };
        let on = match &f.services {
            Fact::Known(Some(s)) => s.to_string(),
            Fact::Known(None) => "as sent".to_string(),
            Fact::Unknown(_) => "?".to_string(),
        };
        let who = match f.preserves {
            Fact::Known(true) => "client",
            Fact::Known(false) => "own",
            Fact::Unknown(_) => "?",
        };
        let maybe = if f.origin.maybe.is_some() { " (0)" } else { "" };
        format!("{to} {on} {who}{maybe}")
    };
    l.forwards.iter().map(one).collect()
}

fn listens(l: &Listener) -> String {
    l.services
        .known()
        .map_or_else(|| "?".to_string(), ToString::to_string)
}

// §9.1: a CLB without a vSwitch is on the Internet; its own servers get the listener's port.
#[test]
fn a_clb_without_vswitch_stands_beside_its_servers() {
    let inv = bare(&format!(
        r#"{BASE}
resource "alicloud_slb_load_balancer" "l" {{ load_balancer_name = "l" }}
resource "alicloud_slb_backend_server" "s" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  backend_servers {{
    server_id = alicloud_instance.web[0].id
    weight    = 100
  }}
  backend_servers {{
    server_id = alicloud_instance.web[1].id
    weight    = 0
  }}
}}
resource "alicloud_slb_listener" "tcp" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "tcp"
  frontend_port    = 80
  backend_port     = 8080
}}
resource "alicloud_slb_listener" "redirect" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "http"
  frontend_port    = 8000
  listener_forward = "on"
  forward_port     = 443
}}
"#
    ));
    let b = balancer(&inv, "alicloud_slb_load_balancer.l");
    assert_eq!((b.kind, b.detached, b.fronts.len()), (BalancerKind::Clb, true, 1));
    let front = &inv.typed[b.fronts[0]];
    assert_eq!(front.public.len(), 1);
    assert_eq!(
        front
            .vswitch
            .known()
            .map(|v| inv.typed[*v].meta.origin.address.to_string()),
        Some("alicloud_vswitch.b".to_string())
    );
    let tcp = b.listeners.iter().find(|l| listens(l) == "tcp/80").unwrap();
    assert_eq!(
        backends(&inv, tcp),
        ["10.0.2.10 tcp/8080 client", "10.0.2.11 tcp/8080 client (0)"]
    );
    let redirect = b.listeners.iter().find(|l| listens(l) == "tcp/8000").unwrap();
    assert!(redirect.forwards.is_empty());
}

#[test]
fn groups_rules_and_access_lists_of_a_clb() {
    let inv = bare(&format!(
        r#"{BASE}
resource "alicloud_slb_load_balancer" "l" {{
  address_type = "intranet"
  vswitch_id   = alicloud_vswitch.a.id
}}
resource "alicloud_slb_server_group" "g" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
}}
resource "alicloud_slb_server_group_server_attachment" "s" {{
  server_group_id = alicloud_slb_server_group.g.id
  server_id       = alicloud_instance.web[0].id
  port            = 9000
}}
resource "alicloud_slb_server_group" "images" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  servers {{
    server_ids = alicloud_instance.web[*].id
    port       = 9001
  }}
}}
resource "alicloud_slb_acl" "office" {{
  name = "office"
  entry_list {{
    entry = "198.51.100.0/24"
  }}
}}
resource "alicloud_slb_acl_entry_attachment" "more" {{
  acl_id = alicloud_slb_acl.office.id
  entry  = "203.0.113.7"
}}
resource "alicloud_slb_listener" "https" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "https"
  frontend_port    = 443
  server_group_id  = alicloud_slb_server_group.g.id
  acl_status       = "on"
  acl_type         = "white"
  acl_ids          = [alicloud_slb_acl.office.id]
}}
resource "alicloud_slb_rule" "images" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  frontend_port    = 443
  url              = "/images"
  server_group_id  = alicloud_slb_server_group.images.id
}}
"#
    ));
    let b = balancer(&inv, "alicloud_slb_load_balancer.l");
    assert!(!b.detached);
    let l = &b.listeners[0];
    assert_eq!(
        backends(&inv, l),
        [
            "10.0.2.10 tcp/9000 own",
            "10.0.2.10 tcp/9001 own",
            "10.0.2.11 tcp/9001 own"
        ]
    );
    let filter = l.filter.known().unwrap().as_ref().unwrap();
    let nets: Vec<String> = filter
        .entries
        .iter()
        .map(|e| e.net.known().unwrap().to_string())
        .collect();
    assert_eq!(filter.white, Fact::Known(true));
    assert_eq!(nets, ["198.51.100.0/24", "203.0.113.7/32"]);
}

// §9.2, §9.3: one front for each zone, groups on the balancer, and whom the backends see.
#[test]
fn albs_and_nlbs() {
    let zones = r#"
  zone_mappings {
    zone_id    = "z1"
    vswitch_id = alicloud_vswitch.a.id
  }
  zone_mappings {
    zone_id    = "z2"
    vswitch_id = alicloud_vswitch.b.id
  }"#;
    let inv = bare(&format!(
        r#"{BASE}
resource "alicloud_alb_load_balancer" "l" {{
  vpc_id       = alicloud_vpc.v.id
  address_type = "Internet"{zones}
}}
resource "alicloud_alb_load_balancer_security_group_attachment" "g" {{
  load_balancer_id  = alicloud_alb_load_balancer.l.id
  security_group_id = alicloud_security_group.g.id
}}
resource "alicloud_alb_server_group" "main" {{
  server_group_type = "Instance"
  servers {{
    server_id   = alicloud_instance.web[0].id
    server_type = "Ecs"
    port        = 80
    weight      = 100
  }}
}}
resource "alicloud_alb_server_group" "far" {{
  server_group_type = "Ip"
  servers {{
    server_id         = "10.9.0.1"
    server_type       = "Ip"
    port              = 81
    weight            = 100
    remote_ip_enabled = true
  }}
}}
resource "alicloud_alb_listener" "https" {{
  load_balancer_id  = alicloud_alb_load_balancer.l.id
  listener_protocol = "HTTPS"
  listener_port     = 443
  default_actions {{
    type = "ForwardGroup"
    forward_group_config {{
      server_group_tuples {{
        server_group_id = alicloud_alb_server_group.main.id
      }}
    }}
  }}
}}
resource "alicloud_alb_rule" "far" {{
  listener_id = alicloud_alb_listener.https.id
  rule_name   = "far"
  priority    = 1
  rule_conditions {{
    type = "Host"
    host_config {{
      values = ["far.example"]
    }}
  }}
  rule_actions {{
    order = 1
    type  = "ForwardGroup"
    forward_group_config {{
      server_group_tuples {{
        server_group_id = alicloud_alb_server_group.far.id
      }}
    }}
  }}
}}
resource "alicloud_alb_acl" "office" {{}}
resource "alicloud_alb_listener_acl_attachment" "office" {{
  listener_id = alicloud_alb_listener.https.id
  acl_id      = alicloud_alb_acl.office.id
  acl_type    = "Black"
}}
resource "alicloud_nlb_load_balancer" "n" {{
  vpc_id             = alicloud_vpc.v.id
  address_type       = "Intranet"
  security_group_ids = [alicloud_security_group.g.id]{zones}
}}
resource "alicloud_nlb_server_group" "all" {{
  any_port_enabled = true
}}
resource "alicloud_nlb_server_group_server_attachment" "w" {{
  server_group_id = alicloud_nlb_server_group.all.id
  server_id       = alicloud_instance.web[1].id
  server_type     = "Ecs"
}}
resource "alicloud_nlb_listener" "range" {{
  load_balancer_id  = alicloud_nlb_load_balancer.n.id
  listener_protocol = "UDP"
  listener_port     = 0
  start_port        = 5000
  end_port          = 5010
  server_group_id   = alicloud_nlb_server_group.all.id
}}
resource "alicloud_nlb_listener" "tls" {{
  load_balancer_id  = alicloud_nlb_load_balancer.n.id
  listener_protocol = "TCPSSL"
  listener_port     = 443
  server_group_id   = alicloud_nlb_server_group.all.id
}}
"#
    ));
    let alb = balancer(&inv, "alicloud_alb_load_balancer.l");
    assert_eq!(alb.fronts.len(), 2);
    for f in &alb.fronts {
        assert_eq!(inv.typed[*f].public.len(), 1);
        assert_eq!(inv.typed[*f].groups.known().map(Vec::len), Some(1));
    }
    let l = &alb.listeners[0];
    assert_eq!(listens(l), "tcp/443");
    assert_eq!(
        backends(&inv, l),
        ["10.0.2.10 tcp/80 own", "ip 10.9.0.1 tcp/81 own"]
    );
    let filter = l.filter.known().unwrap().as_ref().unwrap();
    assert_eq!((&filter.white, filter.entries.len()), (&Fact::Known(false), 0));
    let nlb = balancer(&inv, "alicloud_nlb_load_balancer.n");
    assert!(nlb.fronts.iter().all(|f| inv.typed[*f].public.is_empty()));
    let of = |what: &str| nlb.listeners.iter().find(|l| listens(l) == what).unwrap();
    assert_eq!(backends(&inv, of("udp/5000-5010")), ["10.0.2.11 as sent client"]);
    assert_eq!(backends(&inv, of("tcp/443")), ["10.0.2.11 as sent own"]);
}

#[test]
fn what_is_not_known_of_a_balancer_is_said() {
    let inv = bare(&format!(
        r#"{BASE}
variable "port" {{}}
resource "alicloud_slb_load_balancer" "l" {{
  address_type = "intranet"
  vswitch_id   = alicloud_vswitch.a.id
}}
resource "alicloud_slb_listener" "x" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "tcp"
  frontend_port    = var.port
  server_group_id  = "rsp-elsewhere"
}}
resource "alicloud_slb_load_balancer" "six" {{
  address_type       = "intranet"
  vswitch_id         = alicloud_vswitch.a.id
  address_ip_version = "ipv6"
}}
"#
    ));
    let l = &balancer(&inv, "alicloud_slb_load_balancer.l").listeners[0];
    assert_eq!(listens(l), "?");
    assert_eq!(backends(&inv, l), ["? ? ?"]);
    use bartizan_model::Understanding as U;
    assert!(matches!(
        understanding(&inv, "alicloud_slb_listener.x"),
        U::Partly(_)
    ));
    assert!(matches!(
        understanding(&inv, "alicloud_slb_load_balancer.six"),
        U::NotUnderstood(w) if w.contains("IPv6")
    ));
}
