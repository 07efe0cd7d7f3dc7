//! Literal ids in a directory, where nobody's id is known: what they name may be declared beside them (docs/SOUNDNESS.md, 3).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{Holds, Undecided, Violated};
use common::open_host::says;

/// §5.3: in a directory nobody's id is known, so a literal id of a group may be that of a group declared there.
#[test]
fn a_group_by_its_id_may_be_any_that_is_declared() {
    let net = |groups: &str| {
        format!(
            r#"
resource "alicloud_security_group" "d" {{
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}}
resource "alicloud_security_group_rule" "d" {{
  security_group_id        = alicloud_security_group.d.id
  type                     = "ingress"
  ip_protocol              = "all"
  source_security_group_id = alicloud_security_group.g.id
}}
resource "alicloud_security_group" "h" {{
  vpc_id = alicloud_vpc.v.id
}}
resource "alicloud_instance" "db" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.20"
  security_groups = [alicloud_security_group.d.id]
  tags            = {{ role = "db" }}
}}
resource "alicloud_instance" "app" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.21"
  security_groups = [{groups}]
  tags            = {{ role = "app" }}
}}
"#
        )
    };
    let claims =
        "zone app = tag role=app\nzone db = tag role=db\nnever app -> db : ssh\nmust app -> db : ssh\n";
    says(&net("alicloud_security_group.h.id"), claims, &[Holds, Violated]);
    says(&net("alicloud_security_group.g.id"), claims, &[Violated, Holds]);
    says(&net("\"sg-bp123\""), claims, &[Undecided, Undecided]);
    says(
        &net("alicloud_security_group.h.id, \"sg-bp123\""),
        claims,
        &[Undecided, Undecided],
    );
}

/// §7.5: a balancer by its id may be one that is declared.
#[test]
fn a_balancer_by_its_id_may_be_any_that_is_declared() {
    let net = |to: &str| {
        format!(
            r#"
resource "alicloud_slb_load_balancer" "l" {{
  address_type = "intranet"
  vswitch_id   = alicloud_vswitch.b.id
  address      = "10.0.2.20"
}}
resource "alicloud_slb_listener" "l" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  frontend_port    = 22
  backend_port     = 22
  protocol         = "tcp"
}}
resource "alicloud_slb_backend_server" "l" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  backend_servers {{
    server_id = alicloud_instance.web.id
    weight    = 100
  }}
}}
resource "alicloud_eip_association" "e" {{
  allocation_id = alicloud_eip_address.e.id
  {to}
}}
"#
        )
    };
    let claim = "never outside -> web : ssh\n";
    let here = "instance_id = alicloud_slb_load_balancer.l.id";
    says(&net(here), claim, &[Violated]);
    says(&net("instance_id = \"lb-bp123\""), claim, &[Undecided]);
    let kind = "instance_type = \"SlbInstance\"\n  instance_id = \"bp123\"";
    says(&net(kind), claim, &[Undecided]);
}

/// §7.4: which EIP is bound may not be known, nor whether it is one of those that are declared.
#[test]
fn an_eip_by_its_id_may_be_any_that_is_declared() {
    let net = |eip: &str| {
        format!(
            r#"
resource "alicloud_eip_association" "app" {{
  allocation_id = {eip}
  instance_id   = alicloud_instance.app.id
}}
resource "alicloud_instance" "app" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.21"
  security_groups = [alicloud_security_group.g.id]
  tags            = {{ role = "app" }}
}}
resource "alicloud_vpc" "w" {{
  cidr_block = "10.1.0.0/16"
}}
resource "alicloud_vswitch" "w" {{
  vpc_id     = alicloud_vpc.w.id
  cidr_block = "10.1.1.0/24"
}}
resource "alicloud_security_group" "w" {{
  vpc_id = alicloud_vpc.w.id
}}
resource "alicloud_security_group_rule" "w" {{
  security_group_id = alicloud_security_group.w.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "47.0.0.1/32"
}}
resource "alicloud_instance" "w" {{
  vswitch_id                 = alicloud_vswitch.w.id
  private_ip                 = "10.1.1.10"
  internet_max_bandwidth_out = 5
  security_groups            = [alicloud_security_group.w.id]
  tags                       = {{ role = "w" }}
}}
"#
        )
    };
    let claim = "zone app = tag role=app\nzone w = tag role=w\nnever app -> w : ssh\n";
    says(&net("alicloud_eip_address.e.id"), claim, &[Violated]);
    says(&net("var.open"), claim, &[Undecided]);
    says(&net("\"eip-bp123\""), claim, &[Undecided]);
}
