//! VPCs, vSwitches, routes, groups, network ACLs, and what becomes of every resource.

use super::*;
use bartizan_packet::{PortSet, Proto, ServiceSet};

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
    nexthop_type = "RouteTargetGroup"
    nexthop_id   = "ecr-1"
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
        kind: "RouteTargetGroup".into(),
        target: "ecr-1".into(),
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
resource "alicloud_some_future_gateway" "lb" { vpc_id = alicloud_vpc.v.id }
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
        "alicloud_some_future_gateway.lb",
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
