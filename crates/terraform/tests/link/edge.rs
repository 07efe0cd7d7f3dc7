//! Interfaces, public addresses, virtual IPs, NAT and IPv6.

use super::*;

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
    // Any of them may be `sg-far`.
    let why = j.groups.unknown().unwrap();
    assert!(why.why.contains("sg-far"), "{why:?}");
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
    // §9.1: an intranet CLB with an EIP is on the Internet.
    let front = inv.typed.balancers[0].fronts[0];
    assert_eq!(bound("alicloud_eip_address.e[3]"), [EipTarget::Interface(front)]);
    assert_eq!(t[front].public.len(), 1);
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

// §8.1.
#[test]
fn a_vpc_nat_gateway_has_blocks_and_nat_ips() {
    let inv = base(
        r#"
resource "alicloud_nat_gateway" "inner" {
  vpc_id       = alicloud_vpc.v.id
  vswitch_id   = alicloud_vswitch.a.id
  network_type = "intranet"
}
resource "alicloud_vpc_nat_ip_cidr" "c" {
  nat_gateway_id   = alicloud_nat_gateway.inner.id
  nat_ip_cidr_name = "c"
  nat_ip_cidr      = "192.168.0.0/24"
}
resource "alicloud_vpc_nat_ip" "n" {
  nat_gateway_id = alicloud_nat_gateway.inner.id
  nat_ip_cidr    = alicloud_vpc_nat_ip_cidr.c.nat_ip_cidr
  nat_ip         = "192.168.0.37"
}
resource "alicloud_vpc_nat_ip" "picked" {
  nat_gateway_id = alicloud_nat_gateway.inner.id
  nat_ip_cidr    = "10.1.0.0/24"
}
resource "alicloud_snat_entry" "s" {
  snat_table_id     = alicloud_nat_gateway.inner.snat_table_ids
  source_vswitch_id = alicloud_vswitch.b.id
  snat_ip           = alicloud_vpc_nat_ip.n.nat_ip
}
resource "alicloud_snat_entry" "p" {
  snat_table_id = alicloud_nat_gateway.inner.snat_table_ids
  source_cidr   = "10.9.0.0/16"
  snat_ip       = alicloud_vpc_nat_ip.picked.nat_ip
}
resource "alicloud_forward_entry" "f" {
  forward_table_id = alicloud_nat_gateway.inner.forward_table_ids
  external_ip      = alicloud_vpc_nat_ip.n.nat_ip
  external_port    = "8080"
  ip_protocol      = "tcp"
  internal_ip      = alicloud_instance.i.private_ip
  internal_port    = "80"
}"#,
    );
    let t = &inv.typed;
    let nat = &t.nat_gateways[0];
    assert_eq!(nat.internet, Fact::Known(false));
    assert_eq!(nat.blocks, [Fact::Known("192.168.0.0/24".parse().unwrap())]);
    let ip = "192.168.0.37".parse().unwrap();
    assert_eq!(nat.ips[0], Fact::Known(ip));
    assert!(nat.ips[1].known().is_none());
    // In the order of their names.
    assert!(matches!(t.snat_entries[0].ips.as_slice(), [NatIp::Unknown(_)]));
    assert_eq!(t.snat_entries[1].ips, [NatIp::Ip(ip)]);
    assert_eq!(t.dnat_entries[0].external, NatIp::Ip(ip));
    let of = |a: &str| inv.resources.iter().find(|r| &*r.address == a).unwrap();
    let modelled = |a: &str| matches!(of(a).understanding, Understanding::Modelled);
    assert!(modelled("alicloud_nat_gateway.inner") && modelled("alicloud_vpc_nat_ip.n"));
}

// §8.1, §8.7.
#[test]
fn a_vpc_nat_gateway_that_is_not_known_well_is_not_understood() {
    for (more, says) in [
        (
            "network_type = var.unknown\n vswitch_id = alicloud_vswitch.a.id",
            "not known",
        ),
        ("network_type = \"intranet\"", "vSwitch"),
        (
            "network_type = \"intranet\"\n vswitch_id = alicloud_vswitch.a.id\n private_link_enabled = true",
            "PrivateLink",
        ),
    ] {
        let inv = base(&format!(
            "resource \"alicloud_nat_gateway\" \"inner\" {{\n vpc_id = alicloud_vpc.v.id\n {more}\n}}"
        ));
        let inner = inv
            .resources
            .iter()
            .find(|r| &*r.address == "alicloud_nat_gateway.inner");
        let why = &inner.unwrap().understanding;
        assert!(
            matches!(why, Understanding::NotUnderstood(why) if why.contains(says)),
            "{why:?}"
        );
    }
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
resource "alicloud_eip_address" "one" {
  ip_address = "203.0.113.1"
}
resource "alicloud_eip_address" "two" {
  ip_address = "203.0.113.2"
}
resource "alicloud_forward_entry" "a" {
  forward_table_id = alicloud_nat_gateway.nat.forward_table_ids
  external_ip      = alicloud_eip_address.e.ip_address
  external_port    = "10/20"
  ip_protocol      = "TCP"
  internal_ip      = alicloud_instance.i.private_ip
  internal_port    = "80/90"
}
resource "alicloud_eip_address" "whole" {
  ip_address = "203.0.113.3"
}
resource "alicloud_forward_entry" "b" {
  forward_table_id = alicloud_nat_gateway.nat.forward_table_ids
  external_ip      = alicloud_eip_address.whole.ip_address
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
    assert_eq!(internet, [Fact::Known(true)]);
    let nat = Fact::Known(NatId(0));
    assert!(t.snat_entries.iter().all(|s| s.nat == nat) && t.dnat_entries.iter().all(|d| d.nat == nat));
    let a = VswitchId(at(&t.vswitches, "alicloud_vswitch.a") as u32);
    assert_eq!(t.snat_entries[0].source, SnatSource::Vswitch(Fact::Known(a)));
    assert_eq!(t.snat_entries[0].ips, [NatIp::Eip(EipId(0))]);
    assert_eq!(
        t.snat_entries[1].source,
        SnatSource::Net(Fact::Known("10.2.0.5/32".parse().unwrap()))
    );
    assert_eq!(
        t.snat_entries[1].ips,
        [NatIp::Eip(EipId(1)), NatIp::Eip(EipId(2))]
    );
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
