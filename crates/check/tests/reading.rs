//! How Terraform is read, end to end: claims that held wrongly once, each with its verdict now. None may hold.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{self, Holds, Undecided, Violated};
use bartizan_check::{CheckOptions, CheckReport, check};

const NET: &str = r#"
provider "alicloud" { region = "cn-hangzhou" }
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "s" {
  vpc_id     = alicloud_vpc.v.id
  zone_id    = "cn-hangzhou-a"
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_security_group_rule" "open" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "web" {
  vswitch_id      = alicloud_vswitch.s.id
  security_groups = [alicloud_security_group.g.id]
  private_ip      = "10.0.1.10"
  tags            = { role = "web" }
}
resource "alicloud_instance" "app" {
  vswitch_id      = alicloud_vswitch.s.id
  security_groups = [alicloud_security_group.g.id]
  private_ip      = "10.0.1.11"
  tags            = { role = "app" }
}
variable "nowhere" {}
"#;

/// An Internet CLB in front of `web`, with what a listener says besides.
fn clb(listener: &str) -> String {
    format!(
        r#"
resource "alicloud_slb_load_balancer" "l" {{
  load_balancer_name = "l"
  address_type       = "internet"
}}
resource "alicloud_slb_server_group" "g" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  servers {{
    server_ids = [alicloud_instance.web.id]
    port       = 80
  }}
}}
resource "alicloud_slb_listener" "l" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  frontend_port    = 443
  server_group_id  = alicloud_slb_server_group.g.id
  {listener}
}}
"#
    )
}

/// An Internet ALB whose listener hands on to `web`, and what else there is.
fn alb(weight: &str, more: &str) -> String {
    format!(
        r#"
resource "alicloud_alb_load_balancer" "l" {{
  load_balancer_name     = "l"
  address_type           = "Internet"
  address_allocated_mode = "Fixed"
  vpc_id                 = alicloud_vpc.v.id
  zone_mappings {{
    zone_id          = "cn-hangzhou-a"
    vswitch_id       = alicloud_vswitch.s.id
    intranet_address = "10.0.1.50"
  }}
}}
resource "alicloud_alb_server_group" "web" {{
  server_group_name = "web"
  vpc_id            = alicloud_vpc.v.id
  servers {{
    server_id   = alicloud_instance.web.id
    server_type = "Ecs"
    port        = 80
    {weight}
  }}
}}
resource "alicloud_alb_server_group" "app" {{
  server_group_name = "app"
  vpc_id            = alicloud_vpc.v.id
  servers {{
    server_id   = alicloud_instance.app.id
    server_type = "Ecs"
    port        = 80
    weight      = 100
  }}
}}
resource "alicloud_alb_listener" "l" {{
  load_balancer_id  = alicloud_alb_load_balancer.l.id
  listener_port     = 80
  listener_protocol = "HTTP"
  default_actions {{
    type = "ForwardGroup"
    forward_group_config {{
      server_group_tuples {{ server_group_id = alicloud_alb_server_group.web.id }}
    }}
  }}
}}
{more}
"#
    )
}

/// A rule of that listener that takes every request.
fn rule(name: &str, priority: u32, to: &str) -> String {
    let action = match to {
        "" => "type = \"FixedResponse\"".to_string(),
        to => format!(
            "type = \"ForwardGroup\"\n forward_group_config {{\n server_group_tuples {{ server_group_id = \
             alicloud_alb_server_group.{to}.id }}\n }}"
        ),
    };
    format!(
        r#"
resource "alicloud_alb_rule" "{name}" {{
  rule_name   = "{name}"
  listener_id = alicloud_alb_listener.l.id
  priority    = {priority}
  rule_conditions {{
    type = "Path"
    path_config {{ values = ["/*"] }}
  }}
  rule_actions {{
    order = 1
    {action}
  }}
}}
"#
    )
}

const ZONES: &str = "edition 2027\nzone web = tag role=web\nzone app = tag role=app\n";

fn report(more: &str, clauses: &str) -> CheckReport {
    let net = format!("{NET}{more}");
    // Not every case has a use for every zone.
    let (inv, _) = common::read_both(&net, "edition 2027\n");
    let intent = common::intent(&format!("{ZONES}{clauses}"));
    inv.typed.check_ids().unwrap();
    check(&inv, &intent, common::today(), &CheckOptions::default())
}

fn verdicts(more: &str, clauses: &str) -> Vec<Verdict> {
    common::verdicts(&report(more, clauses))
}

#[track_caller]
fn of(more: &str, clauses: &str, want: &[Verdict]) {
    let r = report(more, clauses);
    assert_eq!(common::verdicts(&r), want, "{more}\n{clauses}\n{:#?}", r.findings);
}

// §8, §14: a managed cluster makes a NAT gateway unless `new_nat_gateway = false`.
#[test]
fn a_managed_cluster_makes_a_nat_gateway_unless_that_is_turned_off() {
    let cluster = |more: &str| {
        format!(
            r#"
resource "alicloud_cs_managed_kubernetes" "k" {{
  name                 = "k"
  vswitch_ids          = [alicloud_vswitch.s.id]
  security_group_id    = alicloud_security_group.g.id
  slb_internet_enabled = false
  {more}
}}
"#
        )
    };
    let never = "never web -> outside : https\n";
    of(&cluster(""), never, &[Undecided]);
    of(&cluster("new_nat_gateway = false"), never, &[Holds]);
}

// Modules write "" for "not given": a reference to it is to what the cloud decides.
#[test]
fn a_reference_to_the_empty_text_is_to_what_the_cloud_decides() {
    let db = |list: &str| {
        format!(
            r#"
variable "ip" {{ default = "" }}
resource "alicloud_instance" "other" {{
  vswitch_id      = alicloud_vswitch.s.id
  security_groups = [alicloud_security_group.g.id]
  private_ip      = var.ip
  tags            = {{ role = "other" }}
}}
resource "alicloud_db_instance" "d" {{
  instance_name = "d"
  engine        = "MySQL"
  vswitch_id    = alicloud_vswitch.s.id
  security_ips  = {list}
}}
"#
        )
    };
    let never = "zone other = tag role=other\nzone db = rds \"d\"\nnever other -> db : mysql\n";
    of(&db("[alicloud_instance.other.private_ip]"), never, &[Undecided]);
    of(
        &db("[for i in [alicloud_instance.other] : i.private_ip]"),
        never,
        &[Undecided],
    );
    of(
        &db("compact([alicloud_instance.other.private_ip])"),
        never,
        &[Undecided],
    );
    of(&db("[var.ip]"), never, &[Holds]);
}

// Decision 11, item 18.
#[test]
fn only_listeners_of_http_redirect() {
    let never = "never outside -> web : any\n";
    for protocol in ["tcp", "udp", "https"] {
        let l = clb(&format!("protocol = \"{protocol}\"\nlistener_forward = \"on\""));
        of(&l, never, &[Violated]);
    }
    of(
        &clb("protocol = \"http\"\nlistener_forward = \"on\""),
        never,
        &[Holds],
    );
    of(
        &clb("protocol = \"http\"\nlistener_forward = var.nowhere"),
        never,
        &[Undecided],
    );
    of(
        &clb("protocol = var.nowhere\nlistener_forward = \"on\""),
        never,
        &[Undecided],
    );
}

// §15.4 and Appendix A: the provider's default of a public endpoint, whatever the instance listens on.
#[test]
fn a_public_endpoint_of_analyticdb_has_the_port_of_the_provider() {
    let db = |port: &str| {
        format!(
            r#"
resource "alicloud_gpdb_instance" "d" {{
  description      = "d"
  vswitch_id       = alicloud_vswitch.s.id
  security_ip_list = ["0.0.0.0/0"]
}}
resource "alicloud_gpdb_connection" "c" {{
  instance_id       = alicloud_gpdb_instance.d.id
  connection_prefix = "x"
  {port}
}}
"#
        )
    };
    let never = "zone db = managed \"d\"\nnever outside -> db : tcp/3306\n";
    of(&db(""), never, &[Undecided]);
    of(&db("port = 5433"), never, &[Holds]);
}

// §15.4: the port of Redis, what it was changed to, and that Memcache has another.
#[test]
fn the_port_of_a_cache_is_what_it_was_changed_to() {
    let cache = |more: &str| {
        format!(
            r#"
resource "alicloud_kvstore_instance" "c" {{
  db_instance_name = "c"
  vswitch_id       = alicloud_vswitch.s.id
  security_ips     = ["10.0.0.0/8"]
  {more}
}}
"#
        )
    };
    let zone = "zone cache = redis \"c\"\n";
    let both = format!("{zone}never web -> cache : tcp/7000\nmust web -> cache : redis\n");
    of(
        &cache("port = 6379\nprivate_connection_port = \"7000\""),
        &both,
        &[Violated, Violated],
    );
    of(&cache(""), &both, &[Holds, Holds]);
    let memcached = format!("{zone}never web -> cache : memcached\nmust web -> cache : redis\n");
    of(
        &cache("instance_type = \"Memcache\""),
        &memcached,
        &[Undecided, Undecided],
    );
    of(
        &cache("instance_type = var.nowhere"),
        &memcached,
        &[Undecided, Undecided],
    );
}

// Decision 11, item 15.
#[test]
fn a_server_of_an_alb_without_a_weight_gets_nothing_for_certain() {
    let must = "must cidr 198.51.100.0/24 -> web : http\n";
    of(&alb("weight = 100", ""), must, &[Holds]);
    of(&alb("", ""), must, &[Undecided]);
    of(&alb("", ""), "never outside -> web : any\n", &[Undecided]);
}

// Decision 11, item 19.
#[test]
fn rules_that_take_every_request_are_asked_by_their_priority() {
    let must = "must cidr 198.51.100.0/24 -> app : http\n";
    let both = |a, b| alb("weight = 100", &(rule("fix", a, "") + &rule("on", b, "app")));
    of(&both(1, 2), must, &[Undecided]);
    of(&both(2, 1), must, &[Holds]);
    // Whoever comes last in the order of names.
    let named = |a, b| alb("weight = 100", &(rule("z", a, "") + &rule("a", b, "app")));
    of(&named(1, 2), must, &[Undecided]);
    of(&named(2, 1), must, &[Holds]);
    // The listener's own action is last.
    let own = "must cidr 198.51.100.0/24 -> web : http\n";
    of(&both(2, 1), own, &[Undecided]);
}

/// A rule of that listener with some conditions: types and values.
fn asking(name: &str, priority: u32, conditions: &[(&str, &str)], to: &str) -> String {
    let every = "  rule_conditions {\n    type = \"Path\"\n    path_config { values = [\"/*\"] }\n  }\n";
    let asked: String = conditions
        .iter()
        .map(|(kind, values)| {
            let block = match *kind {
                "Host" => "host_config",
                "Path" => "path_config",
                "Method" => "method_config",
                "SourceIp" => "source_ip_config",
                "Header" => "header_config",
                other => panic!("{other}"),
            };
            format!("  rule_conditions {{\n    type = \"{kind}\"\n    {block} {{\n {values}\n }}\n  }}\n")
        })
        .collect();
    rule(name, priority, to).replace(every, &asked)
}

// Decision 11, item 19: what a rule takes is left to no other.
#[test]
fn rules_of_one_condition_leave_nothing_to_the_later_one() {
    let must = "must cidr 198.51.100.0/24 -> app : http\n";
    let host = |v: &str| format!("values = [{v}]");
    let two = |first: &[(&str, &str)], second: &[(&str, &str)]| {
        let rules = asking("first", 1, first, "") + &asking("second", 2, second, "app");
        alb("weight = 100", &rules)
    };
    let (a, b) = (host("\"a.example\""), host("\"b.example\""));
    let (a, b) = (a.as_str(), b.as_str());
    of(&two(&[("Host", a)], &[("Host", a)]), must, &[Undecided]);
    of(&two(&[("Host", b)], &[("Host", a)]), must, &[Holds]);
    // A host is the same in capitals, and among those of a wildcard.
    of(
        &two(&[("Host", &host("\"A.Example\""))], &[("Host", a)]),
        must,
        &[Undecided],
    );
    of(
        &two(&[("Host", &host("\"*.example\""))], &[("Host", a)]),
        must,
        &[Undecided],
    );
    of(
        &two(&[("Host", a)], &[("Host", &host("\"*.example\""))]),
        must,
        &[Holds],
    );
    of(
        &two(
            &[("Host", &host("\"?.example\""))],
            &[("Host", &host("\"*.example\""))],
        ),
        must,
        &[Holds],
    );
    // It asks less, or more.
    let path = host("\"/api/*\"");
    let deep = host("\"/api/v1\"");
    of(
        &two(&[("Host", a)], &[("Host", a), ("Path", &path)]),
        must,
        &[Undecided],
    );
    of(
        &two(&[("Host", a), ("Path", &path)], &[("Host", a)]),
        must,
        &[Holds],
    );
    of(
        &two(&[("Path", &path)], &[("Host", a), ("Path", &deep)]),
        must,
        &[Undecided],
    );
    of(&two(&[("Path", &deep)], &[("Path", &path)]), must, &[Holds]);
    // One of several values is enough, and all of them have to be taken.
    let both = host("\"a.example\", \"b.example\"");
    of(&two(&[("Host", a)], &[("Host", &both)]), must, &[Holds]);
    of(&two(&[("Host", &both)], &[("Host", a)]), must, &[Undecided]);
    let third = two(&[("Host", a)], &[("Host", &both)]) + &asking("third", 2, &[("Host", b)], "");
    of(&third, must, &[Undecided]);
    // Methods and headers.
    let (get, put) = (host("\"GET\""), host("\"PUT\""));
    of(&two(&[("Method", &get)], &[("Method", &get)]), must, &[Undecided]);
    of(&two(&[("Method", &get)], &[("Method", &put)]), must, &[Holds]);
    of(&two(&[("Method", &get)], &[("Host", a)]), must, &[Holds]);
    let header = |k: &str| format!("key = \"{k}\"\n values = [\"1\"]");
    of(
        &two(&[("Header", &header("x"))], &[("Header", &header("x"))]),
        must,
        &[Undecided],
    );
    of(
        &two(&[("Header", &header("x"))], &[("Header", &header("y"))]),
        must,
        &[Holds],
    );
    // Who is meant, and what, may not be known.
    of(
        &two(&[("SourceIp", &host("\"198.51.100.0/24\""))], &[("Host", a)]),
        must,
        &[Undecided],
    );
    of(
        &two(&[("Host", "values = var.nowhere")], &[("Host", a)]),
        must,
        &[Undecided],
    );
    of(
        &two(&[("Host", a)], &[("Host", "values = [var.nowhere]")]),
        must,
        &[Undecided],
    );
    of(
        &two(&[("Path", "values = [var.nowhere]")], &[("Host", a)]),
        must,
        &[Undecided],
    );
    // What it hands on to is reached as far as anybody knows.
    let never = "never outside -> app : any\n";
    of(&two(&[("Host", a)], &[("Host", a)]), never, &[Undecided]);
}

// Decision 11, item 17.
#[test]
fn an_access_list_without_entries_beside_others_is_not_relied_on() {
    let lists = r#"
resource "alicloud_slb_acl" "x" { name = "x" }
resource "alicloud_slb_acl_entry_attachment" "x" {
  acl_id = alicloud_slb_acl.x.id
  entry  = "198.51.100.0/24"
}
resource "alicloud_slb_acl" "y" { name = "y" }
"#;
    let l = |kind: &str, ids: &str| {
        let on = format!("protocol = \"tcp\"\nacl_status = \"on\"\nacl_type = \"{kind}\"\nacl_ids = [{ids}]");
        clb(&on) + lists
    };
    let (x, y) = ("alicloud_slb_acl.x.id", "alicloud_slb_acl.y.id");
    let never = "never outside except cidr 198.51.100.0/24 -> web : any\n";
    of(&l("white", x), never, &[Holds]);
    of(&l("white", &format!("{x}, {y}")), never, &[Undecided]);
    of(&l("white", &format!("{y}, {x}")), never, &[Undecided]);
    let never = "never cidr 198.51.100.0/24 -> web : any\n";
    of(&l("black", x), never, &[Holds]);
    of(&l("black", &format!("{x}, {y}")), never, &[Undecided]);
}

/// What binds `web` to something that is not in the input.
const STRAYS: &[&str] = &[
    r#"resource "alicloud_slb_backend_server" "x" {
  load_balancer_id = "lb-123"
  backend_servers { server_id = alicloud_instance.web.id }
}"#,
    r#"resource "alicloud_slb_backend_server" "x" {
  load_balancer_id = var.nowhere
  backend_servers { server_id = alicloud_instance.web.id }
}"#,
    r#"resource "alicloud_slb_attachment" "x" {
  load_balancer_id = "lb-123"
  instance_ids     = [alicloud_instance.web.id]
}"#,
    // The listeners of that balancer are not here either.
    r#"resource "alicloud_slb_server_group" "x" {
  load_balancer_id = "lb-123"
  servers {
    server_ids = [alicloud_instance.web.id]
    port       = 80
  }
}"#,
    r#"resource "alicloud_slb_master_slave_server_group" "x" {
  load_balancer_id = "lb-123"
  servers {
    server_id   = alicloud_instance.web.id
    port        = 80
    server_type = "Master"
  }
}"#,
    r#"resource "alicloud_slb_server_group_server_attachment" "x" {
  server_group_id = "rsp-123"
  server_id       = alicloud_instance.web.id
  port            = 80
}"#,
    r#"resource "alicloud_nlb_server_group_server_attachment" "x" {
  server_group_id = "sgp-123"
  server_type     = "Ecs"
  server_id       = alicloud_instance.web.id
  port            = 80
}"#,
    r#"resource "alicloud_nlb_server_group_server_attachment" "x" {
  server_group_id = "sgp-123"
  server_type     = "Ip"
  server_id       = "10.0.1.10"
  server_ip       = "10.0.1.10"
  port            = 80
}"#,
    r#"resource "alicloud_alb_server_group" "x" {
  server_group_name = "x"
  vpc_id            = alicloud_vpc.v.id
  servers {
    server_id   = alicloud_instance.web.id
    server_type = "Ecs"
    port        = 80
  }
}
resource "alicloud_alb_listener" "x" {
  load_balancer_id  = "alb-123"
  listener_port     = 80
  listener_protocol = "HTTP"
  default_actions {
    type = "ForwardGroup"
    forward_group_config {
      server_group_tuples { server_group_id = alicloud_alb_server_group.x.id }
    }
  }
}"#,
    r#"resource "alicloud_alb_server_group" "x" {
  server_group_name = "x"
  vpc_id            = alicloud_vpc.v.id
  servers {
    server_id   = alicloud_instance.web.id
    server_type = "Ecs"
    port        = 80
  }
}
resource "alicloud_alb_rule" "x" {
  rule_name   = "x"
  listener_id = "lsn-123"
  priority    = 10
  rule_conditions {
    type = "Host"
    host_config { values = ["x.com"] }
  }
  rule_actions {
    order = 1
    type  = "ForwardGroup"
    forward_group_config {
      server_group_tuples { server_group_id = alicloud_alb_server_group.x.id }
    }
  }
}"#,
    r#"resource "alicloud_nlb_server_group" "x" {
  server_group_name = "x"
  vpc_id            = alicloud_vpc.v.id
}
resource "alicloud_nlb_server_group_server_attachment" "x" {
  server_group_id = alicloud_nlb_server_group.x.id
  server_type     = "Ecs"
  server_id       = alicloud_instance.web.id
  port            = 80
}
resource "alicloud_nlb_listener" "x" {
  load_balancer_id  = var.nowhere
  listener_port     = 80
  listener_protocol = "TCP"
  server_group_id   = alicloud_nlb_server_group.x.id
}"#,
    // A rule on a port that nothing here listens on.
    r#"resource "alicloud_slb_load_balancer" "x" {
  load_balancer_name = "x"
  address_type       = "internet"
}
resource "alicloud_slb_server_group" "x" {
  load_balancer_id = alicloud_slb_load_balancer.x.id
  servers {
    server_ids = [alicloud_instance.web.id]
    port       = 80
  }
}
resource "alicloud_slb_rule" "x" {
  load_balancer_id = alicloud_slb_load_balancer.x.id
  frontend_port    = 443
  domain           = "x.com"
  server_group_id  = alicloud_slb_server_group.x.id
}"#,
];

// Decision 11, item 16.
#[test]
fn a_server_of_a_balancer_that_is_not_here_may_be_reached_by_anybody() {
    for x in STRAYS {
        of(x, "never outside -> web : any\n", &[Undecided]);
        // From the VPC too, and what is required may come that way.
        of(
            &x.replace("never", ""),
            "must outside -> web : tcp/80\n",
            &[Undecided],
        );
        // It is not what the server may reach, and not about its neighbours.
        of(
            x,
            "never web -> outside : any\nnever outside -> app : any\n",
            &[Holds, Holds],
        );
    }
    of("", "never outside -> web : any\n", &[Holds]);
    // What starts in a zone that is governed may end there that way.
    let governed = "boundary b governs app {\n  allow app -> app : any\n  allow app -> web : any\n  allow web -> app : any\n}\n";
    of("", governed, &[Holds; 4]);
    of(STRAYS[0], governed, &[Holds, Holds, Holds, Undecided]);
}

// Decision 11, item 16: what the server is itself in front of.
#[test]
fn what_is_behind_such_a_server_may_be_reached_as_well() {
    let chain = clb("protocol = \"tcp\"").replace(
        "address_type       = \"internet\"",
        "address_type = \"intranet\"\n  vswitch_id = alicloud_vswitch.s.id",
    ) + r#"
resource "alicloud_nlb_server_group_server_attachment" "x" {
  server_group_id = "sgp-123"
  server_type     = "Ecs"
  server_id       = alicloud_slb_load_balancer.l.id
  port            = 443
}
"#;
    of(&chain, "never outside -> web : any\n", &[Undecided]);
    of(&chain, "never outside -> app : any\n", &[Holds]);
}

// Decision 11, item 16, for what a scaling group makes.
#[test]
fn members_of_a_scaling_group_may_serve_a_balancer_that_is_not_here() {
    let pool = |group: &str, more: &str| {
        format!(
            r#"
resource "alicloud_ess_scaling_group" "s" {{
  scaling_group_name = "pool"
  min_size           = 1
  max_size           = 3
  vswitch_ids        = [alicloud_vswitch.s.id]
  {group}
}}
resource "alicloud_ess_scaling_configuration" "s" {{
  scaling_group_id  = alicloud_ess_scaling_group.s.id
  security_group_id = alicloud_security_group.g.id
}}
{more}
"#
        )
    };
    let never = "zone pool = name \"pool\"\nnever outside -> pool : any\n";
    of(&pool("", ""), never, &[Holds]);
    for group in [
        r#"loadbalancer_ids = ["lb-123"]"#,
        "loadbalancer_ids = var.nowhere",
        "alb_server_group {\n alb_server_group_id = \"sgp-123\"\n port = 80\n weight = 10\n }",
        "dynamic \"alb_server_group\" {\n for_each = var.nowhere\n content {\n alb_server_group_id = \
         alb_server_group.value\n port = 80\n }\n }",
    ] {
        of(&pool(group, ""), never, &[Undecided]);
    }
    for attached in [
        r#"
resource "alicloud_ess_server_group_attachment" "s" {
  scaling_group_id = alicloud_ess_scaling_group.s.id
  server_group_id  = "sgp-123"
  port             = 80
  type             = "NLB"
  weight           = 10
}"#,
        r#"
resource "alicloud_ess_alb_server_group_attachment" "s" {
  scaling_group_id    = alicloud_ess_scaling_group.s.id
  alb_server_group_id = "sgp-123"
  port                = 80
  weight              = 10
}"#,
        r#"
resource "alicloud_ess_scalinggroup_vserver_groups" "s" {
  scaling_group_id = alicloud_ess_scaling_group.s.id
  vserver_groups {
    loadbalancer_id = "lb-123"
    vserver_attributes {
      vserver_group_id = "rsp-123"
      port             = "80"
      weight           = "60"
    }
  }
}"#,
    ] {
        of(&pool("", attached), never, &[Undecided]);
    }
}

// Decision 16, item 12: members that are not known may be anybody.
#[test]
fn instances_that_may_join_a_scaling_group_may_be_servers() {
    let joined = |ids: &str| {
        clb("protocol = \"tcp\"").replace("alicloud_instance.web.id", "alicloud_instance.app.id")
            + &format!(
                r#"
resource "alicloud_ess_scaling_group" "s" {{
  scaling_group_name = "pool"
  min_size           = 1
  max_size           = 3
  vswitch_ids        = [alicloud_vswitch.s.id]
}}
resource "alicloud_ess_attachment" "s" {{
  scaling_group_id = alicloud_ess_scaling_group.s.id
  instance_ids     = {ids}
}}
resource "alicloud_ess_scalinggroup_vserver_groups" "s" {{
  scaling_group_id = alicloud_ess_scaling_group.s.id
  vserver_groups {{
    loadbalancer_id = alicloud_slb_load_balancer.l.id
    vserver_attributes {{
      vserver_group_id = alicloud_slb_server_group.g.id
      port             = "80"
      weight           = "60"
    }}
  }}
}}
"#
            )
    };
    let never = "never outside -> web : any\n";
    of(&joined("[alicloud_instance.app.id]"), never, &[Holds]);
    of(&joined("[alicloud_instance.web.id]"), never, &[Violated]);
    for ids in ["var.nowhere", "[var.nowhere]", "[\"i-123\"]"] {
        of(&joined(ids), never, &[Undecided]);
    }
}

/// An NLB in front of `web`, offered by a service, and an endpoint in another VPC.
fn linked(service: &str, endpoint: &str) -> String {
    format!(
        r#"
resource "alicloud_nlb_load_balancer" "n" {{
  load_balancer_name = "n"
  address_type       = "Intranet"
  vpc_id             = alicloud_vpc.v.id
  zone_mappings {{
    zone_id    = "cn-hangzhou-a"
    vswitch_id = alicloud_vswitch.s.id
  }}
}}
resource "alicloud_nlb_server_group" "n" {{
  server_group_name = "n"
  vpc_id            = alicloud_vpc.v.id
}}
resource "alicloud_nlb_server_group_server_attachment" "n" {{
  server_group_id = alicloud_nlb_server_group.n.id
  server_type     = "Ecs"
  server_id       = alicloud_instance.web.id
  port            = 80
}}
resource "alicloud_nlb_listener" "n" {{
  load_balancer_id  = alicloud_nlb_load_balancer.n.id
  listener_port     = 80
  listener_protocol = "TCP"
  server_group_id   = alicloud_nlb_server_group.n.id
}}
resource "alicloud_privatelink_vpc_endpoint_service_resource" "r" {{
  service_id    = {service}
  resource_id   = alicloud_nlb_load_balancer.n.id
  resource_type = "nlb"
}}
resource "alicloud_vpc" "b" {{ cidr_block = "10.1.0.0/16" }}
resource "alicloud_vswitch" "b" {{
  vpc_id     = alicloud_vpc.b.id
  zone_id    = "cn-hangzhou-a"
  cidr_block = "10.1.1.0/24"
}}
resource "alicloud_security_group" "b" {{ vpc_id = alicloud_vpc.b.id }}
resource "alicloud_security_group_rule" "b" {{
  security_group_id = alicloud_security_group.b.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}}
resource "alicloud_instance" "far" {{
  vswitch_id      = alicloud_vswitch.b.id
  security_groups = [alicloud_security_group.b.id]
  private_ip      = "10.1.1.10"
  tags            = {{ role = "far" }}
}}
resource "alicloud_privatelink_vpc_endpoint" "e" {{
  vpc_endpoint_name  = "e"
  vpc_id             = alicloud_vpc.b.id
  security_group_ids = [alicloud_security_group.b.id]
  {endpoint}
}}
resource "alicloud_privatelink_vpc_endpoint_zone" "e" {{
  endpoint_id = alicloud_privatelink_vpc_endpoint.e.id
  vswitch_id  = alicloud_vswitch.b.id
}}
"#
    )
}

// Decision 11, item 16: PrivateLink by a service that is not here.
#[test]
fn an_endpoint_and_a_resource_of_one_service_belong_together_wherever_it_is() {
    let never = "zone far = tag role=far\nnever far -> web : any\n";
    for (service, endpoint, want) in [
        (r#""epsrv-123""#, r#"service_id = "epsrv-123""#, Undecided),
        (
            r#""epsrv-123""#,
            r#"service_name = "com.aliyuncs.privatelink.cn-hangzhou.epsrv-123""#,
            Undecided,
        ),
        (r#""epsrv-123""#, "service_id = var.nowhere", Undecided),
        ("var.nowhere", r#"service_id = "epsrv-123""#, Undecided),
        ("var.nowhere", "service_id = var.nowhere", Undecided),
        // Two services.
        (r#""epsrv-123""#, r#"service_id = "epsrv-9123""#, Holds),
        (
            r#""epsrv-123""#,
            r#"service_name = "com.aliyuncs.privatelink.cn-hangzhou.epsrv-9123""#,
            Holds,
        ),
    ] {
        of(&linked(service, endpoint), never, &[want]);
    }
    // A service that is declared may be the one with that id: in a directory no ids are known.
    let own = "resource \"alicloud_privatelink_vpc_endpoint_service\" \"s\" {\n}\n";
    let here = "alicloud_privatelink_vpc_endpoint_service.s.id";
    let named = r#"service_id = "epsrv-123""#;
    of(&(linked(here, named) + own), never, &[Undecided]);
    of(
        &(linked(r#""epsrv-123""#, &format!("service_id = {here}")) + own),
        never,
        &[Undecided],
    );
    // The connection that is accepted here is certain.
    let accepted = linked(r#""epsrv-123""#, r#"service_id = "epsrv-123""#)
        + r#"
resource "alicloud_privatelink_vpc_endpoint_connection" "c" {
  endpoint_id = alicloud_privatelink_vpc_endpoint.e.id
  service_id  = "epsrv-123"
}
"#;
    of(&accepted, never, &[Violated]);
}

// Terraform's `module_merge_body.go`: blocks of an override replace those of their type, `dynamic` or written.
#[test]
fn an_override_replaces_blocks_by_their_type() {
    let base = |servers: &str| {
        format!(
            r#"{NET}
resource "alicloud_slb_load_balancer" "l" {{
  load_balancer_name = "l"
  address_type       = "internet"
}}
resource "alicloud_slb_server_group" "g" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  {servers}
}}
resource "alicloud_slb_listener" "l" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  frontend_port    = 443
  protocol         = "tcp"
  server_group_id  = alicloud_slb_server_group.g.id
}}
"#
        )
    };
    let written =
        |who: &str| format!("servers {{\n server_ids = [alicloud_instance.{who}.id]\n port = 80\n }}");
    let dynamic = |who: &str| {
        format!(
            "dynamic \"servers\" {{\n for_each = [alicloud_instance.{who}.id]\n content {{\n server_ids = \
             [servers.value]\n port = 80\n }}\n }}"
        )
    };
    let other = "dynamic \"timeouts\" {\n for_each = [1]\n content { create = \"5m\" }\n }".to_string();
    let both = "never outside -> web : any\nnever outside -> app : any\n";
    for (base_block, over, want) in [
        (dynamic("web"), other.clone(), [Violated, Holds]),
        (written("web"), other, [Violated, Holds]),
        (written("web"), dynamic("app"), [Holds, Violated]),
        (dynamic("web"), written("app"), [Holds, Violated]),
        (dynamic("web"), dynamic("app"), [Holds, Violated]),
        (written("web"), written("app"), [Holds, Violated]),
    ] {
        let over = format!("resource \"alicloud_slb_server_group\" \"g\" {{\n{over}\n}}\n");
        let inv = common::inventory(&[("main.tf", &base(&base_block)), ("x_override.tf", &over)]);
        let intent = common::intent(&format!("{ZONES}{both}"));
        let r = check(&inv, &intent, common::today(), &CheckOptions::default());
        assert_eq!(common::verdicts(&r), want, "{base_block}\n{over}");
    }
}

/// §15: which lists of a database count, whether it is public, and where it answers, may not be certain.
#[test]
fn databases_that_are_not_known_for_certain() {
    let polardb = |blocks: &str| {
        format!(
            r#"
resource "alicloud_polardb_cluster" "c" {{
  db_type       = "MySQL"
  db_version    = "8.0"
  db_node_class = "polar.mysql.x4.large"
  vswitch_id    = alicloud_vswitch.s.id
  {blocks}
}}
"#
        )
    };
    let array = |name: &str, mode: &str, ips: &str| {
        format!(
            "db_cluster_ip_array {{\n  db_cluster_ip_array_name = \"{name}\"\n  modify_mode = {mode}\n  security_ips = [\"{ips}\"]\n}}\n"
        )
    };
    let never = "zone db = tf \"alicloud_polardb_cluster.c\"\nnever web -> db : mysql\n";
    let must = "zone db = tf \"alicloud_polardb_cluster.c\"\nmust web -> db : mysql\n";
    let cover = array("default", "\"Cover\"", "10.9.0.0/24");
    of(&polardb(&cover), never, &[Holds]);
    of(
        &polardb(&array("default", "\"Append\"", "10.9.0.0/24")),
        never,
        &[Undecided],
    );
    of(
        &polardb(&array("app", "\"Cover\"", "10.9.0.0/24")),
        never,
        &[Undecided],
    );
    of(
        &polardb(&array("default", "\"Cover\"", "10.0.1.0/24")),
        must,
        &[Holds],
    );
    of(
        &polardb(&array("default", "var.nowhere", "10.0.1.0/24")),
        must,
        &[Undecided],
    );
    let endpoint = r#"
variable "other" {}
resource "alicloud_polardb_endpoint" "e" {
  db_cluster_id = var.nowhere
  endpoint_type = "Custom"
  net_type      = var.other
}
"#;
    let open = array("default", "\"Cover\"", "0.0.0.0/0");
    let outside = "zone db = tf \"alicloud_polardb_cluster.c\"\nnever outside -> db : mysql\n";
    of(&polardb(&open), outside, &[Holds]);
    of(&format!("{}{endpoint}", polardb(&open)), outside, &[Undecided]);

    let mse = |more: &str| {
        format!(
            r#"
resource "alicloud_mse_cluster" "c" {{
  cluster_type          = "Nacos-Ans"
  cluster_version       = "NACOS_2_0_0"
  cluster_specification = "MSE_SC_1_2_60_c"
  instance_count        = 3
  vswitch_id            = alicloud_vswitch.s.id
  acl_entry_list        = ["0.0.0.0/0"]
  {more}
}}
"#
        )
    };
    let outside = "zone mse = tf \"alicloud_mse_cluster.c\"\nnever outside -> mse : any\n";
    of(&mse("net_type = \"privatenet\""), outside, &[Holds]);
    for more in [
        "net_type = \"both\"",
        "net_type = \"privatenet\"\npub_network_flow = \"5\"",
    ] {
        let r = verdicts(&mse(more), outside);
        assert_ne!(r, [Holds], "{more}");
    }

    let rds = |mode: &str| {
        format!(
            r#"
resource "alicloud_db_instance" "d" {{
  engine           = "MySQL"
  engine_version   = "8.0"
  instance_type    = "rds.mysql.s2.large"
  instance_storage = "30"
  vswitch_id       = alicloud_vswitch.s.id
  security_ip_mode = "{mode}"
  security_ips     = ["0.0.0.0/0"]
}}
resource "alicloud_db_connection" "c" {{
  instance_id = alicloud_db_instance.d.id
}}
"#
        )
    };
    let must = "zone db = tf \"alicloud_db_instance.d\"\nmust outside -> db : mysql\n";
    of(&rds("normal"), must, &[Holds]);
    of(&rds("safety"), must, &[Undecided]);
}

/// §9.7, §9.3: the family of an endpoint and whether a listener runs may not be known.
#[test]
fn a_listener_that_may_be_stopped() {
    let nlb = |status: &str| {
        format!(
            r#"
resource "alicloud_nlb_load_balancer" "l" {{
  vpc_id       = alicloud_vpc.v.id
  address_type = "Internet"
  zone_mappings {{
    vswitch_id = alicloud_vswitch.s.id
    zone_id    = "cn-hangzhou-a"
  }}
}}
resource "alicloud_nlb_server_group" "g" {{
  server_group_name = "g"
  vpc_id            = alicloud_vpc.v.id
  protocol          = "TCP"
}}
resource "alicloud_nlb_server_group_server_attachment" "a" {{
  server_group_id = alicloud_nlb_server_group.g.id
  server_type     = "Ecs"
  server_id       = alicloud_instance.web.id
  port            = 80
  weight          = 100
}}
resource "alicloud_nlb_listener" "n" {{
  load_balancer_id  = alicloud_nlb_load_balancer.l.id
  listener_protocol = "TCP"
  listener_port     = 80
  server_group_id   = alicloud_nlb_server_group.g.id
  {status}
}}
"#
        )
    };
    let must = "must outside -> web : http\n";
    of(&nlb(""), must, &[Holds]);
    of(&nlb("status = \"Stopped\""), must, &[Undecided]);
    of(&nlb("status = var.nowhere"), must, &[Undecided]);
}
