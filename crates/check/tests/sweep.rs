//! What is attached to, connected with or copied from something that is not known decides no claim.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict::{self, Holds, Undecided, Violated};
use bartizan_model::Readings;

/// A VPC with a host that anybody may reach, and one that nobody may.
const NET: &str = r#"
resource "alicloud_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_vswitch" "b" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.2.0/24"
}
resource "alicloud_security_group" "open" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "open" {
  security_group_id = alicloud_security_group.open.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_security_group" "shut" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_instance" "h" {
  vswitch_id      = alicloud_vswitch.a.id
  private_ip      = "10.0.1.10"
  security_groups = [alicloud_security_group.open.id]
}
variable "open" {}
"#;

const EDITION: &str = "edition 2027\nzone h = ecs \"h\"\n";

#[track_caller]
fn says(more: &str, intent: &str, want: &[Verdict]) {
    let net = format!("{NET}{more}");
    common::expect(&net, &format!("{EDITION}{intent}"), Readings::default(), want);
}

fn web(more: &str) -> String {
    format!(
        r#"
resource "alicloud_instance" "web" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.30"
  security_groups = [alicloud_security_group.shut.id]
  {more}
}}
"#
    )
}

const ENI: &str = r#"
resource "alicloud_ecs_network_interface" "e" {
  vswitch_id         = alicloud_vswitch.b.id
  security_group_ids = [alicloud_security_group.open.id]
  primary_ip_address = "10.0.2.20"
}
"#;

/// §4: an interface has groups and a vSwitch of its own, whichever the instance has.
#[test]
fn an_interface_that_is_not_here_has_what_it_has() {
    let claim = "zone web = ecs \"web\"\nnever h -> web : ssh\n";
    let with = |id: &str| {
        web(&format!(
            "network_interfaces {{\n network_interface_id = {id}\n}}"
        ))
    };
    says(&web(""), claim, &[Holds]);
    says(&with("var.open"), claim, &[Undecided]);
    says(&with("\"eni-123\""), claim, &[Undecided]);
    says(
        &format!(
            "data \"alicloud_ecs_network_interfaces\" \"d\" {{}}\n{}",
            with("data.alicloud_ecs_network_interfaces.d.ids[0]")
        ),
        claim,
        &[Undecided],
    );
    let known = with("alicloud_ecs_network_interface.e.id");
    says(&format!("{ENI}{known}"), claim, &[Violated]);
    // One that is made with the instance has what the instance has.
    says(
        &web("network_interfaces {\n network_card_index = 0\n}"),
        claim,
        &[Holds],
    );
    // The primary one.
    says(&web("network_interface_id = \"eni-123\""), claim, &[Undecided]);
    says(&web("network_interface_id = var.open"), claim, &[Undecided]);
}

/// §4: what is attached to what may not be known.
#[test]
fn an_attachment_of_which_an_end_is_not_known() {
    let attached = |eni: &str, to: &str, more: &str| {
        format!(
            r#"{ENI}{}
resource "alicloud_ecs_network_interface_attachment" "x" {{
  network_interface_id = {eni}
  instance_id          = {to}
  {more}
}}
"#,
            web("tags = { role = \"web\" }")
        )
    };
    let (e, w) = ("alicloud_ecs_network_interface.e.id", "alicloud_instance.web.id");
    for zone in [
        "ecs \"web\"",
        "tag role=web",
        "name \"web\"",
        "tf \"alicloud_instance.web\"",
    ] {
        let claim = format!("zone web = {zone}\nnever h -> web : ssh\n");
        says(&attached(e, w, ""), &claim, &[Violated]);
        says(&attached("var.open", w, ""), &claim, &[Undecided]);
        says(&attached("\"eni-123\"", w, ""), &claim, &[Undecided]);
        says(&attached(e, "var.open", ""), &claim, &[Undecided]);
        says(&attached(e, "\"i-123\"", ""), &claim, &[Undecided]);
        says(&attached("var.open", "var.open", ""), &claim, &[Undecided]);
        says(&attached(e, w, "count = var.open"), &claim, &[Undecided]);
    }
}

/// §4: an interface that is attached to nothing is in no network.
#[test]
fn an_interface_that_may_be_attached_to_nothing() {
    let to = |count: &str| {
        format!(
            r#"{ENI}
resource "alicloud_ecs_network_interface_attachment" "x" {{
  network_interface_id = alicloud_ecs_network_interface.e.id
  instance_id          = alicloud_instance.h.id
  {count}
}}
"#
        )
    };
    let sender = web("");
    let claims =
        "zone web = ecs \"web\"\nmust web -> host 10.0.2.20 : ssh\nnever web -> host 10.0.2.20 : ssh\n";
    says(&format!("{sender}{}", to("")), claims, &[Holds, Violated]);
    says(
        &format!("{sender}{}", to("count = var.open")),
        claims,
        &[Undecided, Undecided],
    );
    says(
        &format!("{sender}{}", to("count = 0")),
        claims,
        &[Undecided, Undecided],
    );
    // A state says that it is attached.
    let used = ENI.replace("primary_ip", "status = \"InUse\"\n  primary_ip");
    says(&format!("{sender}{used}"), claims, &[Holds, Violated]);
}

/// §14: a launch template brings what is not written on the instance.
#[test]
fn a_launch_template_that_is_not_here_may_bring_an_interface() {
    let claim = "zone web = ecs \"web\"\nnever h -> web : ssh\n";
    says(&web("launch_template_id = \"lt-123\""), claim, &[Undecided]);
    says(&web("launch_template_name = \"far\""), claim, &[Undecided]);
    let here = r#"
resource "alicloud_ecs_launch_template" "t" {
  launch_template_name = "near"
}
"#;
    for by in [
        "launch_template_id = alicloud_ecs_launch_template.t.id",
        "launch_template_name = \"near\"",
        "launch_template_name = alicloud_ecs_launch_template.t.launch_template_name",
    ] {
        says(&format!("{here}{}", web(by)), claim, &[Holds]);
    }
}

/// §19, item 11: what is only tried is not made.
#[test]
fn whether_it_is_only_tried_may_not_be_known() {
    let more = |dry: &str| {
        format!(
            r#"
resource "alicloud_instance" "web" {{
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.30"
  security_groups = [alicloud_security_group.open.id]
  dry_run         = {dry}
}}
"#
        )
    };
    let claims = "zone web = ecs \"web\"\nmust h -> web : ssh\nnever h -> web : ssh\n";
    says(&more("false"), claims, &[Holds, Violated]);
    says(&more("var.open"), claims, &[Undecided, Undecided]);
}

/// §6: entries that are copied from another network ACL take the place of those that are written.
#[test]
fn entries_that_are_copied() {
    let acl = |copied: &str, policy: &str| {
        format!(
            r#"{}
resource "alicloud_network_acl" "n" {{
  vpc_id = alicloud_vpc.v.id
  {copied}
  ingress_acl_entries {{
    policy         = "{policy}"
    protocol       = "all"
    port           = "-1/-1"
    source_cidr_ip = "0.0.0.0/0"
  }}
  egress_acl_entries {{
    policy              = "{policy}"
    protocol            = "all"
    port                = "-1/-1"
    destination_cidr_ip = "0.0.0.0/0"
  }}
  resources {{
    resource_id   = alicloud_vswitch.a.id
    resource_type = "VSwitch"
  }}
}}
"#,
            web("")
        )
    };
    let claims = "zone web = ecs \"web\"\nnever web -> h : ssh\nmust web -> h : ssh\n";
    let copied = "source_network_acl_id = \"nacl-123\"";
    says(&acl("", "drop"), claims, &[Holds, Violated]);
    says(&acl("", "accept"), claims, &[Violated, Holds]);
    says(&acl(copied, "drop"), claims, &[Undecided, Undecided]);
    says(&acl(copied, "accept"), claims, &[Undecided, Undecided]);
}

/// A second VPC, with a host that anybody may reach.
const FAR: &str = r#"
resource "alicloud_vpc" "w" {
  cidr_block = "10.1.0.0/16"
}
resource "alicloud_vswitch" "w" {
  vpc_id     = alicloud_vpc.w.id
  cidr_block = "10.1.1.0/24"
}
resource "alicloud_security_group" "w" {
  vpc_id = alicloud_vpc.w.id
}
resource "alicloud_security_group_rule" "w" {
  security_group_id = alicloud_security_group.w.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "far" {
  vswitch_id      = alicloud_vswitch.w.id
  private_ip      = "10.1.1.10"
  security_groups = [alicloud_security_group.w.id]
}
"#;

/// §11: which router interfaces are connected may not be known.
#[test]
fn a_connection_of_some_router_interfaces() {
    let more = |near: &str, far: &str| {
        format!(
            r#"{FAR}
resource "alicloud_router_interface" "a" {{
  router_type = "VRouter"
  router_id   = alicloud_vpc.v.router_id
}}
resource "alicloud_router_interface" "b" {{
  router_type = "VRouter"
  router_id   = alicloud_vpc.w.router_id
}}
resource "alicloud_router_interface_connection" "c" {{
  interface_id          = {near}
  opposite_interface_id = {far}
}}
resource "alicloud_route_entry" "ab" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_router_interface.a.id
}}
resource "alicloud_route_entry" "ba" {{
  route_table_id        = alicloud_vpc.w.route_table_id
  destination_cidrblock = "10.0.0.0/16"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_router_interface.b.id
}}
"#
        )
    };
    let claim = "zone far = ecs \"far\"\nnever h -> far : ssh\n";
    let (a, b) = ("alicloud_router_interface.a.id", "alicloud_router_interface.b.id");
    says(&more(a, b), claim, &[Violated]);
    says(&more(a, "var.open"), claim, &[Undecided]);
    says(&more("var.open", b), claim, &[Undecided]);
    says(&more("var.open", "var.open"), claim, &[Undecided]);
    says(&more("\"ri-1\"", "\"ri-2\""), claim, &[Undecided]);
}

/// §12: SSL-VPN is off unless it is turned on.
#[test]
fn clients_of_a_gateway_that_lets_none_in() {
    let more = |ssl: &str| {
        format!(
            r#"
resource "alicloud_vpn_gateway" "g" {{
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.b.id
  {ssl}
}}
resource "alicloud_ssl_vpn_server" "s" {{
  name           = "s"
  vpn_gateway_id = alicloud_vpn_gateway.g.id
  client_ip_pool = "192.168.100.0/24"
  local_subnet   = "10.0.0.0/16"
}}
resource "alicloud_route_entry" "back" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "192.168.100.0/24"
  nexthop_type          = "VpnGateway"
  nexthop_id            = alicloud_vpn_gateway.g.id
}}
"#
        )
    };
    let claims = "zone clients = via vpn \"s\"\nmust clients -> h : ssh\n";
    says(&more("enable_ssl = true"), claims, &[Holds]);
    says(&more(""), claims, &[Undecided]);
    says(&more("enable_ssl = var.open"), claims, &[Undecided]);
}

fn policy(kind: &str, at: &str, action: &str, order: &str) -> String {
    format!(
        r#"
resource "alicloud_cloud_firewall_{kind}_control_policy" "{action}" {{
  {at}
  acl_action       = "{action}"
  source           = "0.0.0.0/0"
  source_type      = "net"
  destination      = "0.0.0.0/0"
  destination_type = "net"
  proto            = "ANY"
  {order}
}}
"#
    )
}

/// §13: a policy of a firewall that is not known may be one of any firewall of its kind, before all others.
#[test]
fn a_policy_of_some_nat_firewall() {
    let net = r#"
resource "alicloud_nat_gateway" "n" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.b.id
}
resource "alicloud_eip_address" "e" {}
resource "alicloud_eip_association" "n" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_nat_gateway.n.id
}
resource "alicloud_snat_entry" "s" {
  snat_table_id = alicloud_nat_gateway.n.snat_table_ids
  source_cidr   = "10.0.0.0/16"
  snat_ip       = alicloud_eip_address.e.ip_address
}
resource "alicloud_cloud_firewall_nat_firewall" "f" {
  vpc_id          = alicloud_vpc.v.id
  nat_gateway_id  = alicloud_nat_gateway.n.id
  firewall_switch = "open"
  strict_mode     = 1
  nat_route_entry_list {
    nexthop_id       = alicloud_nat_gateway.n.id
    destination_cidr = "0.0.0.0/0"
    nexthop_type     = "NatGateway"
    route_table_id   = alicloud_vpc.v.route_table_id
  }
}
"#;
    let at = |id: &str| {
        format!(
            "nat_gateway_id = {id}\n  direction = \"out\"\n  ip_version = \"4\"\n  application_name_list = [\"ANY\"]"
        )
    };
    let one = |id: &str, action: &str, order: u32| {
        policy(
            "nat_firewall",
            &at(id),
            action,
            &format!("new_order = \"{order}\""),
        )
    };
    let here = "alicloud_nat_gateway.n.id";
    let claims = "never h -> outside : https\nmust h -> outside : https\n";
    let drop = one(here, "drop", 2);
    says(&format!("{net}{drop}"), claims, &[Holds, Violated]);
    says(
        &format!("{net}{drop}{}", one(here, "accept", 1)),
        claims,
        &[Violated, Holds],
    );
    for id in ["var.open", "\"ngw-123\""] {
        says(
            &format!("{net}{drop}{}", one(id, "accept", 1)),
            claims,
            &[Undecided, Undecided],
        );
        let accept = one(here, "accept", 2);
        says(
            &format!("{net}{accept}{}", one(id, "drop", 1)),
            claims,
            &[Undecided, Undecided],
        );
    }
}

/// §13: the same between VPCs.
#[test]
fn a_policy_of_some_firewall_between_vpcs() {
    let net = format!(
        r#"{FAR}
resource "alicloud_vpc_peer_connection" "p" {{
  vpc_id           = alicloud_vpc.v.id
  accepting_ali_uid = "1"
  accepting_vpc_id = alicloud_vpc.w.id
}}
resource "alicloud_route_entry" "ab" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}}
resource "alicloud_route_entry" "ba" {{
  route_table_id        = alicloud_vpc.w.route_table_id
  destination_cidrblock = "10.0.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}}
resource "alicloud_cloud_firewall_vpc_firewall" "f" {{
  vpc_firewall_name = "f"
  status            = "open"
  local_vpc {{
    vpc_id = alicloud_vpc.v.id
    local_vpc_cidr_table_list {{
      local_route_table_id = alicloud_vpc.v.route_table_id
      local_route_entry_list {{
        local_next_hop_instance_id = alicloud_vpc_peer_connection.p.id
        local_destination_cidr     = "10.1.0.0/16"
      }}
    }}
  }}
  peer_vpc {{
    vpc_id = alicloud_vpc.w.id
    peer_vpc_cidr_table_list {{
      peer_route_table_id = alicloud_vpc.w.route_table_id
      peer_route_entry_list {{
        peer_next_hop_instance_id = alicloud_vpc_peer_connection.p.id
        peer_destination_cidr     = "10.0.0.0/16"
      }}
    }}
  }}
}}
"#
    );
    let one = |id: &str, action: &str, order: u32| {
        let at = format!("vpc_firewall_id = {id}\n  application_name = \"ANY\"");
        policy("vpc_firewall", &at, action, &format!("order = \"{order}\""))
    };
    let here = "alicloud_cloud_firewall_vpc_firewall.f.vpc_firewall_id";
    let claim = "zone far = ecs \"far\"\nnever h -> far : ssh\n";
    let drop = one(here, "drop", 2);
    says(&format!("{net}{drop}"), claim, &[Holds]);
    says(
        &format!("{net}{drop}{}", one(here, "accept", 1)),
        claim,
        &[Violated],
    );
    for id in ["var.open", "\"vfw-123\""] {
        says(
            &format!("{net}{drop}{}", one(id, "accept", 1)),
            claim,
            &[Undecided],
        );
    }
}

/// §13.1, §3.4 (decision 15, item 13): a NAT firewall filters what the route decides that it names, and no longer one.
#[test]
fn a_longer_route_leads_past_a_nat_firewall() {
    let net = |routes: &str| {
        let more = r#"
resource "alicloud_nat_gateway" "n" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.b.id
}
resource "alicloud_eip_address" "e" {}
resource "alicloud_eip_association" "n" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_nat_gateway.n.id
}
resource "alicloud_snat_entry" "s" {
  snat_table_id = alicloud_nat_gateway.n.snat_table_ids
  source_cidr   = "10.0.0.0/16"
  snat_ip       = alicloud_eip_address.e.ip_address
}
resource "alicloud_route_entry" "narrow" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "8.0.0.0/8"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.n.id
}
"#;
        let at = "nat_gateway_id = alicloud_nat_gateway.n.id\n  direction = \"out\"\n  ip_version = \"4\"\n  application_name_list = [\"ANY\"]";
        let drop = policy("nat_firewall", at, "drop", "new_order = \"1\"");
        let led: String = routes
            .split(' ')
            .map(|to| {
                format!(
                    r#"
  nat_route_entry_list {{
    nexthop_id       = alicloud_nat_gateway.n.id
    destination_cidr = "{to}"
    nexthop_type     = "NatGateway"
    route_table_id   = alicloud_vpc.v.route_table_id
  }}"#
                )
            })
            .collect();
        format!(
            r#"{more}{drop}
resource "alicloud_cloud_firewall_nat_firewall" "f" {{
  vpc_id          = alicloud_vpc.v.id
  nat_gateway_id  = alicloud_nat_gateway.n.id
  firewall_switch = "open"
  strict_mode     = 1
  {led}
}}
"#
        )
    };
    let claims = "zone dns = cidr 8.0.0.0/8\nzone far = cidr 9.0.0.0/8\nnever h -> dns : https\nnever h -> far : https\n";
    says(&net("0.0.0.0/0"), claims, &[Violated, Holds]);
    says(&net("0.0.0.0/0 8.0.0.0/8"), claims, &[Holds, Holds]);
    // A destination without a route of its own names nothing.
    says(&net("0.0.0.0/0 8.8.0.0/16"), claims, &[Violated, Holds]);
}

/// What is not understood because it may not be in use, or may be of another type, decides nothing by way of it.
#[test]
fn what_may_not_be_in_use_is_not_relied_on() {
    let peer = |more: &str| {
        format!(
            r#"
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
resource "alicloud_instance" "far" {{
  vswitch_id      = alicloud_vswitch.w.id
  private_ip      = "10.1.1.10"
  security_groups = [alicloud_security_group.w.id]
}}
resource "alicloud_vpc_peer_connection" "p" {{
  vpc_id           = alicloud_vpc.w.id
  accepting_vpc_id = alicloud_vpc.v.id
  {more}
}}
resource "alicloud_route_entry" "out" {{
  route_table_id        = alicloud_vpc.w.route_table_id
  destination_cidrblock = "10.0.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}}
resource "alicloud_route_entry" "back" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "VpcPeer"
  nexthop_id            = alicloud_vpc_peer_connection.p.id
}}
"#
        )
    };
    let claims = "zone far = ecs \"far\"\nmust far -> h : https\nnever far -> h : https\n";
    says(&peer(""), claims, &[Holds, Violated]);
    for status in ["\"Rejected\"", "\"Expired\"", "var.open"] {
        says(
            &peer(&format!("status = {status}")),
            claims,
            &[Undecided, Undecided],
        );
    }
    let mount = |more: &str| {
        format!(
            r#"
resource "alicloud_nas_access_group" "a" {{
  access_group_name = "a"
  access_group_type = "Vpc"
}}
resource "alicloud_nas_access_rule" "a" {{
  access_group_name = alicloud_nas_access_group.a.access_group_name
  source_cidr_ip    = "10.0.0.0/16"
}}
resource "alicloud_nas_file_system" "f" {{
  protocol_type = "NFS"
  storage_type  = "Capacity"
}}
resource "alicloud_nas_mount_target" "m" {{
  file_system_id    = alicloud_nas_file_system.f.id
  access_group_name = alicloud_nas_access_group.a.access_group_name
  vswitch_id        = alicloud_vswitch.b.id
  {more}
}}
"#
        )
    };
    let claims = "zone files = tf \"alicloud_nas_mount_target.m\"\nmust h -> files : tcp/2049\n";
    says(&mount("status = \"Active\""), claims, &[Holds]);
    for not in [
        "status = \"Inactive\"",
        "network_type = \"Classic\"",
        "status = var.open",
    ] {
        says(&mount(not), claims, &[Undecided]);
    }
}

const NAT: &str = r#"
resource "alicloud_nat_gateway" "n" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.b.id
}
resource "alicloud_eip_address" "e" {
  ip_address = "47.0.0.1"
}
resource "alicloud_eip_association" "n" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_nat_gateway.n.id
}
"#;

/// §8.2, §8.3: an address that no resource of the input has may be bound to the gateway by somebody else.
#[test]
fn nat_entries_at_an_address_of_nobody() {
    let entries = |ip: &str| {
        format!(
            r#"{NAT}
resource "alicloud_snat_entry" "s" {{
  snat_table_id = alicloud_nat_gateway.n.snat_table_ids
  source_cidr   = "10.0.0.0/16"
  snat_ip       = "{ip}"
}}
resource "alicloud_forward_entry" "d" {{
  forward_table_id = alicloud_nat_gateway.n.forward_table_ids
  external_ip      = "{ip}"
  external_port    = "80"
  ip_protocol      = "tcp"
  internal_ip      = "10.0.1.10"
  internal_port    = "80"
}}
"#
        )
    };
    let claims = "must h -> outside : https\nnever h -> outside : https\nmust outside -> h : http\nnever outside -> h : http\n";
    says(&entries("47.0.0.1"), claims, &[Holds, Violated, Holds, Violated]);
    says(&entries("47.9.9.9"), claims, &[Undecided; 4]);
}
