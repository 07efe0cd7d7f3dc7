//! What the cloud makes, buys and picks beside what is written decides no claim.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{self, Holds, Undecided, Violated};
use bartizan_model::Readings;

/// A VPC of a name and a block, with one vSwitch and a group that lets everybody in.
fn vpc(name: &str, net: &str) -> String {
    format!(
        r#"
resource "alicloud_vpc" "{name}" {{
  cidr_block = "{net}.0.0/16"
}}
resource "alicloud_vswitch" "{name}" {{
  vpc_id     = alicloud_vpc.{name}.id
  cidr_block = "{net}.1.0/24"
}}
resource "alicloud_security_group" "{name}" {{
  vpc_id              = alicloud_vpc.{name}.id
  inner_access_policy = "Drop"
}}
resource "alicloud_security_group_rule" "{name}" {{
  security_group_id = alicloud_security_group.{name}.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}}
"#
    )
}

/// An instance in the vSwitch of a VPC.
fn host(name: &str, at: &str, group: &str, address: &str) -> String {
    format!(
        r#"
resource "alicloud_instance" "{name}" {{
  vswitch_id      = alicloud_vswitch.{at}.id
  security_groups = [alicloud_security_group.{group}.id]
  tags            = {{ role = "{name}" }}
  {address}
}}
"#
    )
}

fn at(ip: &str) -> String {
    format!("private_ip = \"{ip}\"")
}

#[track_caller]
fn says(net: &str, intent: &str, want: &[Verdict]) {
    let intent = format!("edition 2027\n{intent}");
    common::expect(net, &intent, Readings::default(), want);
}

/// Decision 16, item 11: services of the platform reach into a VPC by interfaces in a vSwitch and a group of the customer.
#[test]
fn a_service_of_the_platform_may_be_in_a_vswitch() {
    let base = vpc("v", "10.0")
        + &vpc("w", "10.1")
        + &host("web", "v", "v", &at("10.0.1.10"))
        + &host("app", "v", "v", &at("10.0.1.11"));
    let claim = "zone app = tag role=app\nzone web = tag role=web\nonly app -> web : any\n";
    says(&base, claim, &[Holds]);
    let connection = |kind: &str, of: &str| {
        format!(
            r#"
resource "alicloud_event_bridge_connection" "c" {{
  connection_name = "c"
  network_parameters {{
    network_type      = "{kind}"
    vpc_id            = alicloud_vpc.{of}.id
    vswitche_id       = alicloud_vswitch.{of}.id
    security_group_id = alicloud_security_group.{of}.id
  }}
}}
"#
        )
    };
    says(
        &(base.clone() + &connection("PrivateNetwork", "v")),
        claim,
        &[Undecided],
    );
    says(
        &(base.clone() + &connection("PublicNetwork", "v")),
        claim,
        &[Holds],
    );
    says(
        &(base.clone() + &connection("PrivateNetwork", "w")),
        claim,
        &[Holds],
    );
    let public = "\nresource \"alicloud_event_bridge_connection\" \"c\" {\n  connection_name = \"c\"\n  network_parameters {\n    \
                  network_type = \"PublicNetwork\"\n  }\n}\n";
    says(&(base.clone() + public), claim, &[Holds]);
    let others = [
        r#"
resource "alicloud_event_bridge_event_source_v2" "s" {
  event_bus_name    = "b"
  event_source_name = "s"
  source_kafka_parameters {
    network           = "PrivateNetwork"
    vpc_id            = alicloud_vpc.v.id
    vswitch_ids       = alicloud_vswitch.v.id
    security_group_id = alicloud_security_group.v.id
  }
}
"#,
        r#"
resource "alicloud_pvtz_endpoint" "e" {
  endpoint_name     = "e"
  security_group_id = alicloud_security_group.v.id
  vpc_id            = alicloud_vpc.v.id
  vpc_region_id     = "cn-hangzhou"
  ip_configs {
    zone_id    = "cn-hangzhou-a"
    cidr_block = "10.0.1.0/24"
    vswitch_id = alicloud_vswitch.v.id
  }
}
"#,
        r#"
resource "alicloud_arms_prometheus" "p" {
  cluster_type        = "ecs"
  grafana_instance_id = "free"
  vpc_id              = alicloud_vpc.v.id
  vswitch_id          = alicloud_vswitch.v.id
  security_group_id   = alicloud_security_group.v.id
}
"#,
    ];
    for more in others {
        says(&(base.clone() + more), claim, &[Undecided]);
    }
    // It is not there for certain.
    let from = "zone bus = tf \"alicloud_event_bridge_connection.c\"\nzone web = tag role=web\nmust bus -> web : https\n";
    says(&(base + &connection("PrivateNetwork", "v")), from, &[Undecided]);
}

/// §15.6: the port of a node of MongoDB may be another than that of the instance.
#[test]
fn a_port_of_mongodb_may_be_changed() {
    let net = |more: &str| {
        vpc("v", "10.0")
            + &host("app", "v", "v", &at("10.0.1.11"))
            + r#"
resource "alicloud_mongodb_instance" "m" {
  name                = "m"
  engine_version      = "4.4"
  db_instance_class   = "dds.mongo.mid"
  db_instance_storage = 10
  vswitch_id          = alicloud_vswitch.v.id
  security_ip_list    = ["10.0.0.0/16"]
}
"# + more
    };
    let claims = "zone app = tag role=app\nzone m = tf \"alicloud_mongodb_instance.m\"\nmust app -> m : tcp/3717\nnever app -> m : tcp/4717\n";
    let role = |port: &str| {
        net(&format!(
            r#"
resource "alicloud_mongodb_replica_set_role" "r" {{
  db_instance_id = alicloud_mongodb_instance.m.id
  role_id        = "1"
  network_type   = "VPC"
  {port}
}}
variable "open" {{}}
"#
        ))
    };
    says(&net(""), claims, &[Holds, Holds]);
    says(&role("connection_prefix = \"m1\""), claims, &[Holds, Holds]);
    says(&role("connection_port = 3717"), claims, &[Holds, Holds]);
    says(&role("connection_port = 4717"), claims, &[Undecided, Undecided]);
    says(
        &role("connection_port = var.open"),
        claims,
        &[Undecided, Undecided],
    );
}

/// §10.1: between regions a CEN instance of Basic Edition needs bandwidth that is bought.
#[test]
fn regions_of_basic_edition_need_bandwidth() {
    let net = |first: &str, second: &str, more: &str| {
        let attached = |name: &str, region: &str| {
            format!(
                r#"
resource "alicloud_cen_instance_attachment" "{name}" {{
  instance_id              = alicloud_cen_instance.c.id
  child_instance_id        = alicloud_vpc.{name}.id
  child_instance_type      = "VPC"
  child_instance_region_id = {region}
}}
"#
            )
        };
        vpc("v", "10.0")
            + &vpc("w", "10.1")
            + &host("v", "v", "v", &at("10.0.1.10"))
            + &host("w", "w", "w", &at("10.1.1.10"))
            + &attached("v", first)
            + &attached("w", second)
            + "\nresource \"alicloud_cen_instance\" \"c\" {\n}\nresource \"alicloud_cen_instance\" \"d\" {\n}\nvariable \"open\" {}\n"
            + more
    };
    let limit = |cen: &str, regions: &str| {
        format!(
            r#"
resource "alicloud_cen_bandwidth_limit" "l" {{
  instance_id     = {cen}
  region_ids      = [{regions}]
  bandwidth_limit = 10
}}
"#
        )
    };
    let claims = "zone v = tag role=v\nzone w = tag role=w\nmust v -> w : ssh\nnever v -> w : ssh\n";
    let (near, far) = ("\"cn-hangzhou\"", "\"cn-beijing\"");
    let both = format!("{near}, {far}");
    let c = "alicloud_cen_instance.c.id";
    says(&net(near, near, ""), claims, &[Holds, Violated]);
    says(&net(near, far, ""), claims, &[Undecided, Undecided]);
    says(&net(near, far, &limit(c, &both)), claims, &[Holds, Violated]);
    let other = limit("alicloud_cen_instance.d.id", &both);
    says(&net(near, far, &other), claims, &[Undecided, Undecided]);
    let elsewhere = limit(c, "\"cn-hangzhou\", \"cn-shanghai\"");
    says(&net(near, far, &elsewhere), claims, &[Undecided, Undecided]);
    says(
        &net(near, far, &limit(c, "\"cn-hangzhou\", var.open")),
        claims,
        &[Undecided, Undecided],
    );
    says(&net(near, "var.open", ""), claims, &[Undecided, Undecided]);
}

/// §5.3 and A-ADDR-1: groups of another VPC match nobody, but where blocks overlap an address that is yet to be picked may
/// be that of somebody there.
#[test]
fn an_address_that_is_picked_may_be_that_of_somebody_elsewhere() {
    let net = |twin: &str, second: &str| {
        vpc("v", "10.0")
            + &vpc("w", second)
            + &host("app", "v", "v", &at("10.0.1.10"))
            + &host("twin", "w", "w", twin)
            + r#"
resource "alicloud_security_group" "d" {
  vpc_id              = alicloud_vpc.w.id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "d" {
  security_group_id        = alicloud_security_group.d.id
  type                     = "ingress"
  ip_protocol              = "all"
  source_security_group_id = alicloud_security_group.w.id
}
resource "alicloud_vswitch" "far" {
  vpc_id     = alicloud_vpc.w.id
  cidr_block = "10.9.2.0/24"
}
resource "alicloud_vpc_ipv4_cidr_block" "far" {
  vpc_id               = alicloud_vpc.w.id
  secondary_cidr_block = "10.9.0.0/16"
}
resource "alicloud_vpc_peer_connection" "p" {
  vpc_id              = alicloud_vpc.v.id
  accepting_region_id = "cn-hangzhou"
  accepting_vpc_id    = alicloud_vpc.w.id
}
resource "alicloud_route_entry" "p" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "10.9.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}
"# + &host("db", "far", "d", &at("10.9.2.20"))
    };
    let claim = "zone app = tag role=app\nzone db = tag role=db\nnever app -> db : ssh\n";
    says(&net(&at("10.0.1.10"), "10.0"), claim, &[Violated]);
    says(&net(&at("10.0.1.11"), "10.0"), claim, &[Holds]);
    says(&net("", "10.0"), claim, &[Undecided]);
    // Blocks that do not overlap.
    says(&net("", "10.1"), claim, &[Holds]);
}
