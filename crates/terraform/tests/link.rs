//! The typed layer from configurations: what joins what, defaults, and what becomes unknown.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bartizan_base::{Severity, Sources};
use bartizan_model::*;
use bartizan_packet::{PortSet, Proto, ServiceSet};
use bartizan_terraform::{FileSet, ReadOptions, read};

/// A VPC with two vSwitches and one group, which most cases need.
const BASE: &str = r#"
resource "alicloud_vpc" "v" { cidr_block = "10.0.0.0/8" }
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.1.0.0/16"
}
resource "alicloud_vswitch" "b" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.2.0.0/16"
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_instance" "i" {
  vswitch_id      = alicloud_vswitch.a.id
  security_groups = [alicloud_security_group.g.id]
  private_ip      = "10.1.0.10"
}
variable "unknown" {}
"#;

fn bare(text: &str) -> Inventory {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, "main.tf", text);
    let inv = read(&files, &mut sources, &ReadOptions::default());
    inv.typed.check_ids().unwrap();
    inv
}

fn base(text: &str) -> Inventory {
    bare(&format!("{BASE}{text}"))
}

fn codes(inv: &Inventory, severity: Severity) -> Vec<String> {
    inv.diagnostics
        .iter()
        .filter(|d| d.severity == severity)
        .map(|d| format!("{} {}", d.code, d.message))
        .collect()
}

/// Nothing was said and everything is modelled.
fn clean(inv: &Inventory) {
    let said: Vec<_> = inv.diagnostics.iter().map(|d| &d.message).collect();
    assert!(said.is_empty(), "{said:?}");
    for r in &inv.resources {
        assert!(
            matches!(r.understanding, Understanding::Modelled),
            "{}: {:?}",
            r.address,
            r.understanding
        );
    }
}

fn understanding<'a>(inv: &'a Inventory, address: &str) -> &'a Understanding {
    let r = inv.resources.iter().find(|r| &*r.address == address);
    &r.unwrap_or_else(|| panic!("no {address}")).understanding
}

fn at(list: &[impl AsMeta], address: &str) -> usize {
    list.iter()
        .position(|x| &*x.meta().origin.address == address)
        .unwrap_or_else(|| panic!("no {address}"))
}

trait AsMeta {
    fn meta(&self) -> &Meta;
}
macro_rules! metas { ($($t:ty),*) => { $(impl AsMeta for $t { fn meta(&self) -> &Meta { &self.meta } })* } }
metas!(Vswitch, Interface, Eip, NetworkAcl, RouteTable);

fn vswitch<'a>(inv: &'a Inventory, name: &str) -> &'a Vswitch {
    let v = &inv.typed.vswitches;
    &v[at(v, &format!("alicloud_vswitch.{name}"))]
}
fn interface<'a>(inv: &'a Inventory, address: &str) -> &'a Interface {
    let v = &inv.typed.interfaces;
    &v[at(v, address)]
}
fn tables(inv: &Inventory, address: &str) -> Fact<RouteTableId> {
    Fact::Known(RouteTableId(at(&inv.typed.route_tables, address) as u32))
}
fn net(s: &str) -> NetSpec {
    NetSpec::Net(Fact::Known(s.parse().unwrap()))
}
fn maybe_public(i: &Interface) -> Vec<bool> {
    i.public.iter().map(|p| p.origin.maybe.is_some()).collect()
}

#[test]
fn a_small_network_joins() {
    let inv = base("");
    // The variable has no value and nothing uses it.
    clean(&inv);
    let t = &inv.typed;
    let i = interface(&inv, "alicloud_instance.i");
    assert!(i.primary && i.instance == Some(InstanceId(0)));
    assert_eq!(
        t[*i.vswitch.known().unwrap()].meta.origin.address,
        "alicloud_vswitch.a".into()
    );
    assert_eq!(i.groups, Fact::Known(vec![SecurityGroupId(0)]));
    assert_eq!(i.addresses[0].spec, AddressSpec::Ip("10.1.0.10".parse().unwrap()));
    assert!(i.public.is_empty());
    // No binding: the system table and no network ACL.
    assert_eq!(vswitch(&inv, "a").table, Fact::Known(t.vpcs[0].system_table));
    assert_eq!(vswitch(&inv, "a").acl, Fact::Known(None));
    let g = &t.security_groups[0];
    assert_eq!(
        (&g.enterprise, &g.inner_accept),
        (&Fact::Known(false), &Fact::Known(true))
    );
}

#[test]
fn old_spellings_are_read() {
    let inv = bare(
        r#"
resource "alicloud_vpc" "v" {
  name       = "net"
  cidr_block = "10.0.0.0/8"
}
resource "alicloud_subnet" "s" {
  name       = "old"
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.1.0.0/16"
}
resource "alicloud_security_group" "g" {
  name         = "grp"
  vpc_id       = alicloud_vpc.v.id
  inner_access = false
}
resource "alicloud_network_interface" "n" {
  name            = "eni"
  vswitch_id      = alicloud_subnet.s.id
  security_groups = [alicloud_security_group.g.id]
  private_ip      = "10.1.0.9"
  private_ips     = ["10.1.0.11", "10.1.0.12"]
}
resource "alicloud_eip" "e" { name = "pub" }
resource "alicloud_eip_association" "ea" {
  allocation_id = alicloud_eip.e.id
  instance_id   = alicloud_network_interface.n.id
}
resource "alicloud_route_entry" "r" {
  route_table_id        = alicloud_vpc.v.router_table_id
  destination_cidrblock = "172.16.0.0/12"
  nexthop_type          = "NetworkInterface"
  nexthop_id            = alicloud_network_interface.n.id
}
resource "alicloud_havip" "h" {
  havip_name = "vip"
  vswitch_id = alicloud_subnet.s.id
  ip_address = "10.1.0.77"
}
resource "alicloud_instance" "i" {
  subnet_id       = alicloud_subnet.s.id
  security_groups = [alicloud_security_group.g.id]
}
resource "alicloud_havip_attachment" "ha" {
  havip_id    = alicloud_havip.h.id
  instance_id = alicloud_instance.i.id
}"#,
    );
    clean(&inv);
    let t = &inv.typed;
    let named = |m: &Meta| m.name.as_ref().unwrap().known().unwrap().to_string();
    assert_eq!(named(&t.vpcs[0].meta), "net");
    assert_eq!(named(&t.vswitches[0].meta), "old");
    assert_eq!(named(&t.security_groups[0].meta), "grp");
    assert_eq!(named(&t.ha_vips[0].meta), "vip");
    assert_eq!(t.security_groups[0].inner_accept, Fact::Known(false));
    let n = interface(&inv, "alicloud_network_interface.n");
    assert_eq!(named(&n.meta), "eni");
    assert_eq!(n.addresses.len(), 3);
    assert_eq!(n.public.len(), 1);
    assert_eq!(t.route_entries[0].table, Fact::Known(t.vpcs[0].system_table));
    let x = InterfaceId(at(&t.interfaces, "alicloud_network_interface.n") as u32);
    assert_eq!(t.route_entries[0].next_hops, [NextHop::Interface(x)]);
    let i = interface(&inv, "alicloud_instance.i");
    assert_eq!(i.vswitch, Fact::Known(VswitchId(0)));
    assert_eq!(i.addresses[1].kind, AddressKind::HaVip);
    assert_eq!(i.addresses[1].spec, AddressSpec::Ip("10.1.0.77".parse().unwrap()));
}

#[test]
fn rules_have_the_documented_defaults_and_forgive_case() {
    let inv = base(
        r#"
resource "alicloud_security_group_rule" "a" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "tcp"
  cidr_ip           = "10.159.6.18/12"
}
resource "alicloud_security_group_rule" "b" {
  security_group_id        = alicloud_security_group.g.id
  type                     = "egress"
  ip_protocol              = "ALL"
  policy                   = "Drop"
  priority                 = 100
  port_range               = "-1/-1"
  source_security_group_id = alicloud_security_group.g.id
}
resource "alicloud_ecs_prefix_list" "p" {
  address_family   = "IPv4"
  max_entries      = 2
  prefix_list_name = "offices"
  entry { cidr = "192.0.2.0/24" }
  entry { cidr = "198.51.100.7" }
}
resource "alicloud_security_group_rule" "c" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "udp"
  port_range        = "53/53"
  prefix_list_id    = alicloud_ecs_prefix_list.p.id
  priority          = "7"
}
resource "alicloud_security_group_rule" "d" {
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "icmp"
  port_range        = "22/22"
  cidr_ip           = "10.0.0.1"
}"#,
    );
    clean(&inv);
    let [a, b, c, d] = inv.typed.sg_rules.as_slice() else {
        panic!()
    };
    // Host bits are masked; priority 1, accept, every port.
    assert_eq!(a.peer, Peer::Net(net("10.144.0.0/12")));
    assert_eq!((&a.accept, &a.priority), (&Fact::Known(true), &Fact::Known(1)));
    assert_eq!(a.services, Fact::Known(ServiceSet::tcp(PortSet::full())));
    assert_eq!((&b.accept, &b.priority), (&Fact::Known(false), &Fact::Known(100)));
    assert_eq!(
        (&b.direction, &b.peer),
        (&Fact::Known(Direction::Egress), &Peer::Group(SecurityGroupId(0)))
    );
    assert_eq!(b.services, Fact::Known(ServiceSet::any()));
    assert_eq!(
        c.peer,
        Peer::Net(NetSpec::PrefixList(Fact::Known(PrefixListId(0))))
    );
    assert_eq!(
        (&c.priority, &c.services),
        (
            &Fact::Known(7),
            &Fact::Known(ServiceSet::udp(PortSet::single(53)))
        )
    );
    // Ports mean nothing to ICMP.
    assert_eq!(d.services, Fact::Known(ServiceSet::protocol(Proto::ICMP)));
    assert_eq!(d.peer, Peer::Net(net("10.0.0.1/32")));
    let entries = inv.typed.prefix_lists[0].entries.known().unwrap();
    assert_eq!(entries.len(), 2);
    assert!(entries.contains(&Fact::Known("198.51.100.7/32".parse().unwrap())));
}

#[test]
fn peers_that_may_be_null_are_unknown_and_no_error() {
    let inv = base(
        r#"
resource "alicloud_security_group_rule" "a" {
  security_group_id        = alicloud_security_group.g.id
  type                     = "ingress"
  ip_protocol              = "tcp"
  cidr_ip                  = var.unknown
  source_security_group_id = alicloud_security_group.g.id
}
resource "alicloud_security_group_rule" "b" {
  security_group_id        = alicloud_security_group.g.id
  type                     = "ingress"
  ip_protocol              = "tcp"
  cidr_ip                  = "10.0.0.0/8"
  source_security_group_id = alicloud_security_group.g.id
}
resource "alicloud_security_group_rule" "c" {
  security_group_id        = alicloud_security_group.g.id
  type                     = "ingress"
  ip_protocol              = "tcp"
  source_security_group_id = "sg-elsewhere"
}"#,
    );
    let [a, b, c] = inv.typed.sg_rules.as_slice() else {
        panic!()
    };
    assert!(matches!(a.peer, Peer::Unknown(_)));
    assert!(matches!(b.peer, Peer::Unknown(_)));
    assert_eq!(c.peer, Peer::ForeignGroup("sg-elsewhere".into()));
    let errors = codes(&inv, Severity::Error);
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains("INPUT005") && errors[0].contains("rule.b"),
        "{errors:?}"
    );
}

#[test]
fn invalid_values_are_errors_and_never_dropped() {
    for (attribute, bad) in [
        ("type", "\"inward\""),
        ("ip_protocol", "\"quic\""),
        ("priority", "0"),
        ("priority", "101"),
        ("policy", "\"maybe\""),
        ("port_range", "\"90/80\""),
        ("cidr_ip", "\"10.0.0.0/33\""),
    ] {
        let lines = [
            ("type", "\"ingress\""),
            ("ip_protocol", "\"tcp\""),
            ("priority", "1"),
            ("policy", "\"accept\""),
            ("port_range", "\"80/80\""),
            ("cidr_ip", "\"10.0.0.0/8\""),
        ]
        .map(|(k, v)| format!("  {k} = {}\n", if k == attribute { bad } else { v }))
        .concat();
        let inv = base(&format!(
            "resource \"alicloud_security_group_rule\" \"r\" {{\n  security_group_id = alicloud_security_group.g.id\n{lines}}}"
        ));
        let errors = codes(&inv, Severity::Error);
        assert!(
            errors.len() == 1 && errors[0].contains(&format!("`{attribute}`")),
            "{attribute} {bad}: {errors:?}"
        );
        let r = &inv.typed.sg_rules[0];
        let unknown = r.direction.known().is_none()
            || r.services.known().is_none()
            || r.priority.known().is_none()
            || r.accept.known().is_none()
            || r.peer == Peer::Net(NetSpec::Net(Fact::Unknown(Unknown::new(""))))
            || matches!(&r.peer, Peer::Net(NetSpec::Net(Fact::Unknown(_))));
        assert!(unknown, "{attribute} {bad}");
        assert!(matches!(
            understanding(&inv, "alicloud_security_group_rule.r"),
            Understanding::Partly(_)
        ));
    }
}

const TABLES: &str = r#"
resource "alicloud_route_table" "t" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_route_table" "u" { vpc_id = alicloud_vpc.v.id }
"#;

#[test]
fn vswitches_are_bound_to_route_tables_whatever_the_names() {
    // The names put the binding that is not known once before and once after the other.
    for (known, open) in [("a", "z"), ("z", "a")] {
        let inv = base(&format!(
            r#"{TABLES}
resource "alicloud_route_table_attachment" "{known}" {{
  route_table_id = alicloud_route_table.t.id
  vswitch_id     = alicloud_vswitch.a.id
}}
resource "alicloud_route_table_attachment" "{open}" {{
  route_table_id = alicloud_route_table.u.id
  vswitch_id     = var.unknown
}}"#
        ));
        assert_eq!(vswitch(&inv, "a").table, tables(&inv, "alicloud_route_table.t"));
        assert!(
            vswitch(&inv, "b").table.known().is_none(),
            "it may be the one that is meant"
        );
    }
}

#[test]
fn two_route_tables_for_one_vswitch_are_an_error() {
    let inv = base(&format!(
        r#"{TABLES}
resource "alicloud_route_table_attachment" "x" {{
  route_table_id = alicloud_route_table.t.id
  vswitch_id     = alicloud_vswitch.a.id
}}
resource "alicloud_route_table_attachment" "y" {{
  route_table_id = alicloud_route_table.u.id
  vswitch_id     = alicloud_vswitch.a.id
}}"#
    ));
    assert!(vswitch(&inv, "a").table.known().is_none());
    let errors = codes(&inv, Severity::Error);
    assert!(
        errors.len() == 1 && errors[0].contains("attachment.y"),
        "{errors:?}"
    );
}

#[test]
fn a_binding_that_may_not_exist_leaves_the_table_unknown() {
    let inv = base(&format!(
        r#"{TABLES}
resource "alicloud_route_table_attachment" "x" {{
  count          = var.unknown
  route_table_id = alicloud_route_table.t.id
  vswitch_id     = alicloud_vswitch.a.id
}}"#
    ));
    assert!(vswitch(&inv, "a").table.known().is_none());
    assert!(vswitch(&inv, "b").table.known().is_some());
}

#[test]
fn next_hops_of_every_modelled_kind() {
    let inv = base(
        r#"
resource "alicloud_nat_gateway" "n" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.a.id
}
resource "alicloud_vpc_ipv4_gateway" "g4" {
  vpc_id  = alicloud_vpc.v.id
  enabled = true
}
resource "alicloud_vpc_ipv6_gateway" "g6" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_vpc_ha_vip" "h" { vswitch_id = alicloud_vswitch.a.id }
resource "alicloud_route_table" "gw" {
  vpc_id         = alicloud_vpc.v.id
  associate_type = "Gateway"
}
resource "alicloud_vpc_gateway_route_table_attachment" "ga" {
  ipv4_gateway_id = alicloud_vpc_ipv4_gateway.g4.id
  route_table_id  = alicloud_route_table.gw.id
}
resource "alicloud_vpc_prefix_list" "p" {
  prefix_list_name = "far"
  entrys { cidr = "192.168.0.0/16" }
}
locals {
  hops = {
    a = ["NatGateway", alicloud_nat_gateway.n.id]
    b = ["Ipv4Gateway", alicloud_vpc_ipv4_gateway.g4.ipv4_gateway_id]
    c = ["IPv6Gateway", alicloud_vpc_ipv6_gateway.g6.id]
    d = ["HaVip", alicloud_vpc_ha_vip.h.ha_vip_id]
    e = ["Instance", alicloud_instance.i.id]
  }
}
resource "alicloud_route_entry" "r" {
  for_each              = local.hops
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = each.key == "c" ? "::/0" : "192.0.2.0/24"
  nexthop_type          = each.value[0]
  nexthop_id            = each.value[1]
}
resource "alicloud_vpc_route_entry" "list" {
  route_table_id         = alicloud_vpc.v.route_table_id
  destination_cidr_block = alicloud_vpc_prefix_list.p.id
  nexthop_type           = "NatGateway"
  nexthop_id             = alicloud_nat_gateway.n.id
}
resource "alicloud_vpc_route_entry" "ecmp" {
  route_table_id         = alicloud_vpc.v.route_table_id
  destination_cidr_block = "172.16.0.0/12"
  next_hops {
    nexthop_type = "RouterInterface"
    nexthop_id   = "ri-1"
    weight       = 100
  }
  next_hops {
    nexthop_type = "Instance"
    nexthop_id   = alicloud_instance.i.id
  }
}"#,
    );
    assert!(
        codes(&inv, Severity::Error).is_empty(),
        "{:?}",
        codes(&inv, Severity::Error)
    );
    let t = &inv.typed;
    let hops: Vec<_> = t.route_entries.iter().map(|r| r.next_hops.clone()).collect();
    let i = InterfaceId(at(&t.interfaces, "alicloud_instance.i") as u32);
    assert_eq!(hops[0], [NextHop::Nat(NatId(0))]);
    assert_eq!(hops[1], [NextHop::Ipv4Gateway(Ipv4GatewayId(0))]);
    assert_eq!(hops[2], [NextHop::Ipv6Gateway(Ipv6GatewayId(0))]);
    assert_eq!(hops[3], [NextHop::HaVip(HaVipId(0))]);
    assert_eq!(hops[4], [NextHop::Interface(i)]);
    let unmodelled = NextHop::Unmodelled {
        kind: "RouterInterface".into(),
        target: "ri-1".into(),
    };
    assert_eq!(hops[5], [unmodelled, NextHop::Interface(i)]);
    assert!(matches!(
        understanding(&inv, "alicloud_vpc_route_entry.ecmp"),
        Understanding::Partly(_)
    ));
    assert_eq!(
        t.route_entries[6].destination,
        NetSpec::PrefixList(Fact::Known(PrefixListId(0)))
    );
    let gw = tables(&inv, "alicloud_route_table.gw");
    assert_eq!(t[*gw.known().unwrap()].kind, RouteTableKind::Gateway);
    assert_eq!(t.ipv4_gateways[0].ingress_table, Some(gw));
    assert_eq!(t.ipv4_gateways[0].enabled, Fact::Known(true));
}

#[test]
fn network_acls_keep_their_order_and_their_gaps() {
    let inv = base(
        r#"
resource "alicloud_network_acl" "n" {
  vpc_id = alicloud_vpc.v.id
  ingress_acl_entries {
    policy         = "accept"
    protocol       = "TCP"
    port           = "443/443"
    source_cidr_ip = "0.0.0.0/0"
  }
  ingress_acl_entries {
    policy         = "DROP"
    protocol       = "all"
    port           = "-1/-1"
    source_cidr_ip = "10.0.0.1"
  }
  resources {
    resource_id   = alicloud_vswitch.a.id
    resource_type = "VSwitch"
  }
}
resource "alicloud_vpc_network_acl_attachment" "x" {
  network_acl_id = alicloud_network_acl.n.id
  resource_id    = alicloud_vswitch.b.id
  resource_type  = "VSwitch"
}"#,
    );
    clean(&inv);
    let acl = &inv.typed.acls[0];
    let AclList::Entries(es) = &acl.ingress else {
        panic!("{:?}", acl.ingress)
    };
    assert_eq!(es[0].accept, Fact::Known(true));
    assert_eq!(es[0].services, Fact::Known(ServiceSet::tcp(PortSet::single(443))));
    assert_eq!(es[1].accept, Fact::Known(false));
    assert_eq!(es[1].peer, net("10.0.0.1/32"));
    assert_eq!(acl.egress, AclList::Unset);
    for v in ["a", "b"] {
        assert_eq!(vswitch(&inv, v).acl, Fact::Known(Some(AclId(0))));
    }
}

#[test]
fn entries_of_an_acl_may_stand_in_a_resource_of_their_own() {
    let entries = |port: &str| {
        format!(
            r#"
resource "alicloud_network_acl_entries" "e" {{
  network_acl_id = alicloud_network_acl.n.id
  egress {{
    policy              = "accept"
    protocol            = "tcp"
    port                = "{port}"
    destination_cidr_ip = "0.0.0.0/0"
  }}
}}
resource "alicloud_network_acl_attachment" "x" {{
  network_acl_id = alicloud_network_acl.n.id
  resources {{
    resource_id   = alicloud_vswitch.a.id
    resource_type = "VSwitch"
  }}
}}"#
        )
    };
    let bare_acl = "resource \"alicloud_network_acl\" \"n\" { vpc_id = alicloud_vpc.v.id }";
    let inv = base(&(bare_acl.to_string() + &entries("80/80")));
    clean(&inv);
    let AclList::Entries(es) = &inv.typed.acls[0].egress else {
        panic!()
    };
    assert_eq!(es.len(), 1);
    assert_eq!(inv.typed.acls[0].ingress, AclList::Unset);
    assert_eq!(vswitch(&inv, "a").acl, Fact::Known(Some(AclId(0))));
    assert_eq!(vswitch(&inv, "b").acl, Fact::Known(None));
    // Written twice and alike, as a state shows them; and written twice and not alike.
    let inline = r#"
resource "alicloud_network_acl" "n" {
  vpc_id = alicloud_vpc.v.id
  egress_acl_entries {
    policy              = "accept"
    protocol            = "tcp"
    port                = "80/80"
    destination_cidr_ip = "0.0.0.0/0"
  }
}"#;
    let inv = base(&(inline.to_string() + &entries("80/80")));
    assert!(matches!(&inv.typed.acls[0].egress, AclList::Entries(es) if es.len() == 1));
    let inv = base(&(inline.to_string() + &entries("81/81")));
    assert!(matches!(&inv.typed.acls[0].egress, AclList::Unknown(_)));
}

#[test]
fn instances_have_all_their_interfaces_and_addresses() {
    let inv = base(
        r#"
resource "alicloud_security_group" "h" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_ecs_network_interface" "n" {
  vswitch_id         = alicloud_vswitch.b.id
  security_group_ids = [alicloud_security_group.h.id]
  source_dest_check  = false
  ipv4_prefixes      = ["10.2.3.0/28"]
}
resource "alicloud_ecs_network_interface_attachment" "x" {
  network_interface_id = alicloud_ecs_network_interface.n.id
  instance_id          = alicloud_instance.j.id
}
resource "alicloud_instance" "j" {
  vswitch_id                         = alicloud_vswitch.a.id
  security_groups                    = [alicloud_security_group.g.id, alicloud_security_group.h.id, "sg-far"]
  secondary_private_ips              = ["10.1.0.20"]
  secondary_private_ip_address_count = 2
  ipv6_address_count                 = 1
  internet_max_bandwidth_out         = 5
  network_interfaces {
    vswitch_id         = alicloud_vswitch.b.id
    security_group_ids = [alicloud_security_group.h.id]
  }
}"#,
    );
    let t = &inv.typed;
    let of: Vec<_> = t
        .interfaces
        .iter()
        .filter(|x| x.instance == Some(InstanceId(1)))
        .collect();
    assert_eq!(of.len(), 3, "primary, attached, and its own secondary one");
    let j = of.iter().find(|x| x.primary).unwrap();
    assert_eq!(
        j.groups,
        Fact::Known(vec![SecurityGroupId(0), SecurityGroupId(1)])
    );
    assert_eq!(j.foreign_groups, ["sg-far".into()]);
    let kinds: Vec<_> = j.addresses.iter().map(|a| a.kind).collect();
    use AddressKind::*;
    assert_eq!(kinds, [Primary, Secondary, Secondary, Ipv6]);
    assert!(matches!(j.addresses[0].spec, AddressSpec::AnyV4(_)));
    assert!(matches!(j.addresses[3].spec, AddressSpec::AnyV6(_)));
    assert_eq!((j.public.len(), j.public[0].kind), (1, PublicKind::StaticIp));
    assert!(j.public[0].origin.maybe.is_none());
    let n = interface(&inv, "alicloud_ecs_network_interface.n");
    assert_eq!(n.source_dest_check, Fact::Known(Some(false)));
    assert_eq!(
        n.addresses[1].spec,
        AddressSpec::Block("10.2.3.0/28".parse().unwrap())
    );
}

#[test]
fn an_interface_that_is_declared_is_the_primary_one_of_its_instance() {
    let inv = base(
        r#"
resource "alicloud_ecs_network_interface" "n" {
  vswitch_id         = alicloud_vswitch.b.id
  security_group_ids = [alicloud_security_group.g.id]
}
resource "alicloud_instance" "j" { network_interface_id = alicloud_ecs_network_interface.n.id }
resource "alicloud_eip_address" "e" {}
resource "alicloud_eip_association" "x" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_instance.j.id
}"#,
    );
    clean(&inv);
    let n = interface(&inv, "alicloud_ecs_network_interface.n");
    assert!(n.primary && n.instance == Some(InstanceId(1)));
    assert_eq!(inv.typed.interfaces.len(), 2);
    assert_eq!(maybe_public(n), [false]);
}

#[test]
fn interfaces_that_are_not_known_are_not_left_out() {
    let inv = base(
        r#"
resource "alicloud_instance" "j" {
  vswitch_id           = alicloud_vswitch.a.id
  security_groups      = [alicloud_security_group.g.id]
  network_interface_id = var.unknown
}
resource "alicloud_instance" "k" {
  vswitch_id      = alicloud_vswitch.a.id
  security_groups = [alicloud_security_group.g.id]
  network_interfaces = var.unknown
}"#,
    );
    // The named interface brings groups of its own.
    assert!(interface(&inv, "alicloud_instance.j").groups.known().is_none());
    let of_k: Vec<_> = inv
        .typed
        .interfaces
        .iter()
        .filter(|x| x.instance == Some(InstanceId(2)))
        .collect();
    assert_eq!(of_k.len(), 2);
    assert!(
        of_k.iter()
            .any(|x| !x.primary && x.vswitch.known().is_none() && x.groups.known().is_none())
    );
}

#[test]
fn a_launch_template_may_give_a_public_address() {
    let inv = base(
        r#"
resource "alicloud_instance" "t" {
  vswitch_id         = alicloud_vswitch.a.id
  security_groups    = [alicloud_security_group.g.id]
  launch_template_id = "lt-1"
}
resource "alicloud_instance" "u" {
  vswitch_id                 = alicloud_vswitch.a.id
  security_groups            = [alicloud_security_group.g.id]
  launch_template_id         = "lt-1"
  internet_max_bandwidth_out = 0
}"#,
    );
    assert_eq!(maybe_public(interface(&inv, "alicloud_instance.t")), [true]);
    assert!(maybe_public(interface(&inv, "alicloud_instance.u")).is_empty());
}

#[test]
fn eips_are_bound_to_everything_that_takes_one() {
    let inv = base(
        r#"
resource "alicloud_eip_address" "e" { count = 4 }
resource "alicloud_eip_address" "cut" { mode = "BINDED" }
resource "alicloud_ecs_network_interface" "n" {
  vswitch_id           = alicloud_vswitch.b.id
  security_group_ids   = [alicloud_security_group.g.id]
  primary_ip_address   = "10.2.0.10"
  private_ip_addresses = ["10.2.0.11"]
}
resource "alicloud_ecs_network_interface" "m" {
  vswitch_id         = alicloud_vswitch.b.id
  security_group_ids = [alicloud_security_group.g.id]
}
resource "alicloud_nat_gateway" "nat" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.a.id
}
resource "alicloud_slb_load_balancer" "lb" { vswitch_id = alicloud_vswitch.a.id }
resource "alicloud_eip_association" "i" {
  allocation_id = alicloud_eip_address.e[0].id
  instance_id   = alicloud_instance.i.id
}
resource "alicloud_eip_association" "n" {
  allocation_id      = alicloud_eip_address.e[1].id
  instance_id        = alicloud_ecs_network_interface.n.id
  instance_type      = "NetworkInterface"
  private_ip_address = "10.2.0.11"
}
resource "alicloud_eip_association" "nat" {
  allocation_id = alicloud_eip_address.e[2].id
  instance_id   = alicloud_nat_gateway.nat.id
}
resource "alicloud_eip_association" "lb" {
  allocation_id = alicloud_eip_address.e[3].id
  instance_id   = alicloud_slb_load_balancer.lb.id
}
resource "alicloud_eip_association" "cut" {
  allocation_id = alicloud_eip_address.cut.id
  instance_id   = alicloud_ecs_network_interface.m.id
}"#,
    );
    assert!(codes(&inv, Severity::Error).is_empty());
    let t = &inv.typed;
    let bound = |a: &str| t.eips[at(&t.eips, a)].bound.clone();
    assert_eq!(bound("alicloud_eip_address.e[2]"), [EipTarget::Nat(NatId(0))]);
    assert_eq!(
        bound("alicloud_eip_address.e[3]"),
        [EipTarget::Unmodelled("alicloud_slb_load_balancer.lb".into())]
    );
    let i = interface(&inv, "alicloud_instance.i");
    assert_eq!(
        i.public[0].eip,
        Some(EipId(at(&t.eips, "alicloud_eip_address.e[0]") as u32))
    );
    let n = interface(&inv, "alicloud_ecs_network_interface.n");
    assert_eq!(
        (n.public.len(), n.public[0].private, n.public[0].kind),
        (1, 1, PublicKind::Eip)
    );
    assert_eq!(
        interface(&inv, "alicloud_ecs_network_interface.m").public[0].kind,
        PublicKind::EipBinded
    );
}

#[test]
fn an_eip_on_something_unknown_may_be_on_any_interface() {
    let eip = |more: &str| {
        base(&format!(
            r#"
resource "alicloud_ecs_network_interface" "n" {{
  vswitch_id         = alicloud_vswitch.b.id
  security_group_ids = [alicloud_security_group.g.id]
}}
resource "alicloud_eip_address" "e" {{}}
resource "alicloud_eip_association" "x" {{
  allocation_id = alicloud_eip_address.e.id
  instance_id   = var.unknown
  {more}
}}"#
        ))
    };
    let both = |inv: &Inventory| {
        ["alicloud_instance.i", "alicloud_ecs_network_interface.n"].map(|a| maybe_public(interface(inv, a)))
    };
    assert_eq!(both(&eip("")), [vec![true], vec![true]]);
    assert_eq!(
        both(&eip("instance_type = \"EcsInstance\"")),
        [vec![true], vec![]]
    );
    assert_eq!(
        both(&eip("instance_type = \"Nat\"")),
        [Vec::<bool>::new(), vec![]]
    );
}

#[test]
fn an_unknown_eip_may_be_any_that_looks_unbound() {
    let inv = base(
        r#"
resource "alicloud_nat_gateway" "nat" {
  vpc_id     = alicloud_vpc.v.id
  vswitch_id = alicloud_vswitch.a.id
}
resource "alicloud_eip_address" "e" {}
resource "alicloud_eip_association" "x" {
  allocation_id = var.unknown
  instance_id   = alicloud_nat_gateway.nat.id
}"#,
    );
    assert!(matches!(
        inv.typed.eips[0].bound.as_slice(),
        [EipTarget::Unknown(_)]
    ));
}

#[test]
fn the_eip_of_a_virtual_ip_is_on_whoever_holds_it() {
    let vip = |second: &str| {
        base(&format!(
            r#"
resource "alicloud_instance" "j" {{
  vswitch_id      = alicloud_vswitch.a.id
  security_groups = [alicloud_security_group.g.id]
}}
resource "alicloud_vpc_ha_vip" "h" {{
  vswitch_id = alicloud_vswitch.a.id
  ip_address = "10.1.0.100"
}}
resource "alicloud_havip_attachment" "one" {{
  ha_vip_id   = alicloud_vpc_ha_vip.h.id
  instance_id = alicloud_instance.i.id
}}
{second}
resource "alicloud_eip_address" "e" {{}}
resource "alicloud_eip_association" "x" {{
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_vpc_ha_vip.h.id
}}
resource "alicloud_route_entry" "r" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "192.0.2.0/24"
  nexthop_type          = "HaVip"
  nexthop_id            = alicloud_vpc_ha_vip.h.id
}}"#
        ))
    };
    let two = |to: &str| {
        format!(
            "resource \"alicloud_havip_attachment\" \"two\" {{\n  ha_vip_id = alicloud_vpc_ha_vip.h.id\n  instance_id = {to}\n}}"
        )
    };
    let inv = vip("");
    clean(&inv);
    let i = interface(&inv, "alicloud_instance.i");
    assert_eq!((i.public.len(), i.public[0].private), (1, 1));
    assert!(i.public[0].origin.maybe.is_none());
    assert!(interface(&inv, "alicloud_instance.j").public.is_empty());
    // With two holders it is on one of them.
    let inv = vip(&two("alicloud_instance.j.id"));
    for x in ["alicloud_instance.i", "alicloud_instance.j"] {
        assert_eq!(maybe_public(interface(&inv, x)), [true], "{x}");
    }
    assert_eq!(inv.typed.route_entries[0].next_hops, [NextHop::HaVip(HaVipId(0))]);
    // With a holder that is not known anybody in the vSwitch may be it, and so may the next hop.
    let inv = vip(&two("var.unknown"));
    let j = interface(&inv, "alicloud_instance.j");
    assert!(matches!(j.addresses[1].spec, AddressSpec::AnyV4(_)));
    assert_eq!(maybe_public(j), [true]);
    assert!(matches!(
        inv.typed.route_entries[0].next_hops.as_slice(),
        [NextHop::HaVip(_), NextHop::Unknown(_)]
    ));
}

#[test]
fn nat_entries_join_tables_addresses_and_targets() {
    let inv = base(
        r#"
resource "alicloud_nat_gateway" "nat" {
  vpc_id       = alicloud_vpc.v.id
  vswitch_id   = alicloud_vswitch.a.id
  nat_type     = "Enhanced"
}
resource "alicloud_nat_gateway" "inner" {
  vpc_id       = alicloud_vpc.v.id
  vswitch_id   = alicloud_vswitch.a.id
  network_type = "intranet"
}
resource "alicloud_eip_address" "e" {}
resource "alicloud_eip_association" "x" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_nat_gateway.nat.id
}
resource "alicloud_snat_entry" "a" {
  snat_table_id     = alicloud_nat_gateway.nat.snat_table_ids
  source_vswitch_id = alicloud_vswitch.a.id
  snat_ip           = alicloud_eip_address.e.ip_address
}
resource "alicloud_snat_entry" "b" {
  snat_table_id = alicloud_nat_gateway.nat.snat_table_ids
  source_cidr   = "10.2.0.5"
  snat_ip       = "203.0.113.1, 203.0.113.2"
}
resource "alicloud_forward_entry" "a" {
  forward_table_id = alicloud_nat_gateway.nat.forward_table_ids
  external_ip      = alicloud_eip_address.e.ip_address
  external_port    = "10/20"
  ip_protocol      = "TCP"
  internal_ip      = alicloud_instance.i.private_ip
  internal_port    = "80/90"
}
resource "alicloud_forward_entry" "b" {
  forward_table_id = alicloud_nat_gateway.nat.forward_table_ids
  external_ip      = alicloud_eip_address.e.ip_address
  external_port    = "any"
  ip_protocol      = "any"
  internal_ip      = "10.1.0.10"
  internal_port    = "any"
}
resource "alicloud_forward_entry" "c" {
  forward_table_id = alicloud_nat_gateway.nat.forward_table_ids
  external_ip      = alicloud_eip_address.e.ip_address
  external_port    = "443"
  ip_protocol      = "udp"
  internal_ip      = "10.9.9.9"
  internal_port    = "8443"
}"#,
    );
    clean(&inv);
    let t = &inv.typed;
    let internet: Vec<_> = t.nat_gateways.iter().map(|n| n.internet.clone()).collect();
    assert_eq!(internet, [Fact::Known(false), Fact::Known(true)]);
    let nat = Fact::Known(NatId(1));
    assert!(t.snat_entries.iter().all(|s| s.nat == nat) && t.dnat_entries.iter().all(|d| d.nat == nat));
    let a = VswitchId(at(&t.vswitches, "alicloud_vswitch.a") as u32);
    assert_eq!(t.snat_entries[0].source, SnatSource::Vswitch(Fact::Known(a)));
    assert_eq!(t.snat_entries[0].ips, [NatIp::Eip(EipId(0))]);
    assert_eq!(
        t.snat_entries[1].source,
        SnatSource::Net(Fact::Known("10.2.0.5/32".parse().unwrap()))
    );
    assert_eq!(t.snat_entries[1].ips.len(), 2);
    let [d, e, f] = t.dnat_entries.as_slice() else {
        panic!()
    };
    let i = InterfaceId(at(&t.interfaces, "alicloud_instance.i") as u32);
    assert_eq!(
        d.ports,
        Fact::Known(Some(PortMapping {
            external: (10, 20),
            internal: (80, 90)
        }))
    );
    // By reference, by a literal that somebody owns, and by one that nobody owns.
    assert_eq!(
        (&d.target, &e.target),
        (&DnatTarget::Interface(i, 0), &DnatTarget::Interface(i, 0))
    );
    assert_eq!(
        (&e.protocol, &e.ports),
        (&Fact::Known(DnatProtocol::Any), &Fact::Known(None))
    );
    assert_eq!(f.target, DnatTarget::Ip("10.9.9.9".parse().unwrap()));
}

#[test]
fn ipv6_internet_access_is_per_address() {
    let inv = bare(
        r#"
resource "alicloud_vpc" "v" {
  cidr_block      = "10.0.0.0/8"
  enable_ipv6     = true
  ipv6_cidr_block = "2001:db8:0:100::/56"
}
resource "alicloud_vswitch" "a" {
  vpc_id               = alicloud_vpc.v.id
  cidr_block           = "10.1.0.0/16"
  ipv6_cidr_block_mask = 7
}
resource "alicloud_security_group" "g" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_vpc_ipv6_gateway" "gw" { vpc_id = alicloud_vpc.v.id }
resource "alicloud_vpc_ipv6_address" "x" {
  count      = 3
  vswitch_id = alicloud_vswitch.a.id
}
resource "alicloud_instance" "i" {
  count           = 3
  vswitch_id      = alicloud_vswitch.a.id
  security_groups = [alicloud_security_group.g.id]
  ipv6_addresses  = [alicloud_vpc_ipv6_address.x[count.index].ipv6_address]
}
resource "alicloud_vpc_ipv6_internet_bandwidth" "b" {
  count           = 2
  ipv6_address_id = alicloud_vpc_ipv6_address.x[count.index].id
  ipv6_gateway_id = alicloud_vpc_ipv6_gateway.gw.id
  bandwidth       = 10
}
resource "alicloud_vpc_ipv6_egress_rule" "e" {
  instance_id     = alicloud_vpc_ipv6_address.x[1].id
  ipv6_gateway_id = alicloud_vpc_ipv6_gateway.gw.id
}"#,
    );
    clean(&inv);
    let access = |n: u32| {
        interface(&inv, &format!("alicloud_instance.i[{n}]")).addresses[1]
            .ipv6_internet
            .clone()
    };
    assert!(matches!(access(0), Ipv6Internet::Both(_)));
    assert!(matches!(access(1), Ipv6Internet::EgressOnly(_)));
    assert_eq!(access(2), Ipv6Internet::None);
    let block = vswitch(&inv, "a").ipv6_cidr.clone().unwrap();
    assert_eq!(block, Fact::Known("2001:db8:0:107::/64".parse().unwrap()));
}

#[test]
fn a_vpc_with_ipv6_has_a_block_even_if_none_is_written() {
    let v6 = |line: &str| {
        bare(&format!(
            "variable \"u\" {{}}\nresource \"alicloud_vpc\" \"v\" {{\n  cidr_block = \"10.0.0.0/8\"\n  {line}\n}}"
        ))
        .typed
        .vpcs[0]
            .cidrs
            .iter()
            .map(|c| c.known().map(ToString::to_string))
            .collect::<Vec<_>>()
    };
    let four = Some("10.0.0.0/8".to_string());
    let only = vec![four.clone()];
    assert_eq!(v6(""), only);
    assert_eq!(v6("enable_ipv6 = false"), only);
    assert_eq!(v6("enable_ipv6 = true"), [four.clone(), None]);
    assert_eq!(v6("enable_ipv6 = var.u"), [four, None]);
}

#[test]
fn blocks_that_are_added_to_a_vpc() {
    let inv = base(
        r#"
resource "alicloud_vpc_ipv4_cidr_block" "x" {
  vpc_id               = alicloud_vpc.v.id
  secondary_cidr_block = "172.16.0.0/16"
}
resource "alicloud_vpc_ipv4_cidr_block" "y" {
  vpc_id               = var.unknown
  secondary_cidr_block = "172.17.0.0/16"
}"#,
    );
    assert_eq!(inv.typed.vpcs[0].cidrs.len(), 2);
    assert!(matches!(
        understanding(&inv, "alicloud_vpc_ipv4_cidr_block.y"),
        Understanding::NotUnderstood(_)
    ));
}

#[test]
fn references_chain_through_other_resources_and_data_sources_are_unknown() {
    let inv = base(
        r#"
data "alicloud_vswitches" "d" {}
resource "alicloud_eip_address" "e" {}
resource "alicloud_eip_association" "x" {
  allocation_id = alicloud_eip_address.e.id
  instance_id   = alicloud_instance.i.id
}
resource "alicloud_route_entry" "r" {
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "192.0.2.0/24"
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_eip_association.x.instance_id
}
resource "alicloud_instance" "d" {
  vswitch_id      = data.alicloud_vswitches.d.ids[0]
  security_groups = [alicloud_security_group.g.id]
}"#,
    );
    let i = InterfaceId(at(&inv.typed.interfaces, "alicloud_instance.i") as u32);
    assert_eq!(inv.typed.route_entries[0].next_hops, [NextHop::Interface(i)]);
    let d = interface(&inv, "alicloud_instance.d");
    assert!(d.vswitch.unknown().unwrap().why.contains("data source"));
    assert!(matches!(
        understanding(&inv, "alicloud_instance.d"),
        Understanding::Partly(_)
    ));
    assert!(matches!(
        understanding(&inv, "data.alicloud_vswitches.d"),
        Understanding::Ignored(_)
    ));
}

#[test]
fn every_resource_is_accounted_for() {
    let inv = base(
        r#"
resource "alicloud_vswitch" "dry" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.3.0.0/16"
  dry_run    = true
}
resource "alicloud_oss_bucket" "b" {}
resource "alicloud_slb_load_balancer" "lb" { vswitch_id = alicloud_vswitch.a.id }
resource "alicloud_brand_new" "n" {}
resource "aws_instance" "far" {}
resource "random_id" "r" { byte_length = 4 }"#,
    );
    use Understanding as U;
    assert_eq!(inv.typed.vswitches.len(), 2);
    assert!(matches!(understanding(&inv, "alicloud_vswitch.dry"), U::Ignored(w) if w.contains("dry_run")));
    assert!(matches!(
        understanding(&inv, "alicloud_oss_bucket.b"),
        U::Ignored(_)
    ));
    assert!(matches!(understanding(&inv, "random_id.r"), U::Ignored(_)));
    for n in [
        "alicloud_slb_load_balancer.lb",
        "alicloud_brand_new.n",
        "aws_instance.far",
    ] {
        assert!(matches!(understanding(&inv, n), U::NotUnderstood(_)), "{n}");
    }
    let said = codes(&inv, Severity::Warning);
    assert_eq!(
        said.iter().filter(|s| s.starts_with("INPUT003")).count(),
        3,
        "{said:?}"
    );
}

#[test]
fn what_may_not_exist_says_so() {
    let inv = base(
        r#"
resource "alicloud_security_group_rule" "r" {
  count             = var.unknown
  security_group_id = alicloud_security_group.g.id
  type              = "ingress"
  ip_protocol       = "tcp"
  cidr_ip           = "0.0.0.0/0"
}"#,
    );
    assert!(inv.typed.sg_rules[0].origin.maybe.is_some());
    assert_eq!(inv.typed.sg_rules[0].group, Fact::Known(SecurityGroupId(0)));
}

#[test]
fn very_many_bindings_to_something_unknown_stay_linear() {
    let inv = base(
        r#"
resource "alicloud_eip_address" "e" { count = 300 }
resource "alicloud_eip_association" "x" {
  count         = 300
  allocation_id = alicloud_eip_address.e[count.index].id
  instance_id   = var.unknown
}
resource "alicloud_vpc_ha_vip" "h" {
  count      = 300
  vswitch_id = alicloud_vswitch.a.id
}
resource "alicloud_havip_attachment" "h" {
  count       = 300
  ha_vip_id   = alicloud_vpc_ha_vip.h[count.index].id
  instance_id = var.unknown
}"#,
    );
    let i = interface(&inv, "alicloud_instance.i");
    assert_eq!(i.addresses.len(), 2);
    assert_eq!(i.public.len(), 1);
    assert!(
        i.public[0].origin.maybe.is_some() && i.public[0].ip.known().is_none() && i.public[0].eip.is_none()
    );
    // Each of them still says what it is bound to.
    assert!(
        inv.typed
            .eips
            .iter()
            .all(|e| matches!(e.bound.as_slice(), [EipTarget::Unknown(_)]))
    );
}
