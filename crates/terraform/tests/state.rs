//! States through to the typed layer: everything joins by literal ids, and the computed copies of what other
//! resources say do not count twice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bartizan_base::Sources;
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};
use bartizan_terraform::{FileSet, ReadOptions, read};
use serde_json::{Value as J, json};

fn read_text(name: &str, text: &str) -> Inventory {
    let mut sources = Sources::default();
    let mut files = FileSet::default();
    files.add(&mut sources, name, text);
    let inv = read(&files, &mut sources, &ReadOptions::default());
    inv.typed.check_ids().unwrap();
    inv
}

/// The resources of a small network as the provider stores them: (type, name, attributes).
fn network() -> Vec<(&'static str, &'static str, J)> {
    let entry = json!({"policy": "accept", "protocol": "tcp", "port": "443/443", "source_cidr_ip": "0.0.0.0/0", "entry_type": "custom", "ip_version": "IPV4", "network_acl_entry_name": ""});
    let legacy = json!({"policy": "accept", "protocol": "tcp", "port": "443/443", "source_cidr_ip": "0.0.0.0/0", "entry_type": "custom", "name": ""});
    vec![
        (
            "vpc",
            "v",
            json!({"id": "vpc-1", "cidr_block": "10.0.0.0/8", "route_table_id": "vtb-sys", "router_table_id": "vtb-sys", "secondary_cidr_blocks": ["172.16.0.0/16"], "ipv6_cidr_block": "", "enable_ipv6": null, "user_cidrs": [], "vpc_name": "net", "name": "net"}),
        ),
        (
            "vpc_ipv4_cidr_block",
            "more",
            json!({"id": "vpc-1:172.16.0.0/16", "vpc_id": "vpc-1", "secondary_cidr_block": "172.16.0.0/16"}),
        ),
        (
            "vswitch",
            "a",
            json!({"id": "vsw-a", "vpc_id": "vpc-1", "cidr_block": "10.1.0.0/16", "ipv6_cidr_block": "", "enable_ipv6": null, "ipv6_cidr_block_mask": 0}),
        ),
        (
            "vswitch",
            "b",
            json!({"id": "vsw-b", "vpc_id": "vpc-1", "cidr_block": "10.2.0.0/16", "ipv6_cidr_block": "2001:db8:0:1::/64", "enable_ipv6": true, "ipv6_cidr_block_mask": 1}),
        ),
        (
            "route_table",
            "t",
            json!({"id": "vtb-t", "vpc_id": "vpc-1", "associate_type": "VSwitch"}),
        ),
        (
            "route_table_attachment",
            "x",
            json!({"id": "vtb-t:vsw-b", "route_table_id": "vtb-t", "vswitch_id": "vsw-b"}),
        ),
        (
            "route_entry",
            "r",
            json!({"id": "vtb-t:vrt:0.0.0.0/0:NatGateway:ngw-1", "route_table_id": "vtb-t", "destination_cidrblock": "0.0.0.0/0", "nexthop_type": "NatGateway", "nexthop_id": "ngw-1"}),
        ),
        (
            "security_group",
            "g",
            json!({"id": "sg-1", "vpc_id": "vpc-1", "inner_access_policy": "Drop", "inner_access": false, "security_group_type": "enterprise"}),
        ),
        (
            "security_group_rule",
            "web",
            json!({"id": "sg-1:ingress:tcp:80/80:intranet:0.0.0.0/0:accept:1", "security_group_id": "sg-1", "type": "ingress", "ip_protocol": "tcp", "policy": "accept", "priority": 1, "port_range": "80/80", "cidr_ip": "0.0.0.0/0", "ipv6_cidr_ip": "", "source_security_group_id": "", "prefix_list_id": "", "nic_type": "intranet"}),
        ),
        (
            "network_acl",
            "n",
            json!({"id": "nacl-1", "vpc_id": "vpc-1", "ingress_acl_entries": [entry], "egress_acl_entries": [], "resources": [{"resource_id": "vsw-a", "resource_type": "VSwitch", "status": "BINDED"}], "source_network_acl_id": ""}),
        ),
        (
            "network_acl_entries",
            "n",
            json!({"id": "nacl-1", "network_acl_id": "nacl-1", "ingress": [legacy], "egress": []}),
        ),
        (
            "vpc_network_acl_attachment",
            "n",
            json!({"id": "nacl-1:vsw-a", "network_acl_id": "nacl-1", "resource_id": "vsw-a", "resource_type": "VSwitch"}),
        ),
        (
            "instance",
            "i",
            json!({"id": "i-1", "vswitch_id": "vsw-a", "subnet_id": "vsw-a", "security_groups": ["sg-1"], "private_ip": "10.1.0.10", "primary_ip_address": "10.1.0.10", "secondary_private_ips": [], "secondary_private_ip_address_count": 0, "ipv6_addresses": [], "ipv6_address_count": 0, "internet_max_bandwidth_out": 0, "public_ip": "", "launch_template_id": "lt-1", "network_interface_id": "eni-1", "network_interfaces": [{"network_interface_id": "eni-2", "vswitch_id": "vsw-b", "security_group_ids": ["sg-1"]}]}),
        ),
        (
            "ecs_network_interface",
            "second",
            json!({"id": "eni-2", "vswitch_id": "vsw-b", "security_group_ids": ["sg-1"], "security_groups": ["sg-1"], "primary_ip_address": "10.2.0.9", "private_ip": "10.2.0.9", "private_ip_addresses": [], "private_ips": [], "secondary_private_ip_address_count": 0, "private_ips_count": 0, "ipv6_addresses": ["2001:db8:0:1::5"], "ipv6_address_count": 1, "ipv4_prefixes": [], "ipv4_prefix_count": 0}),
        ),
        (
            "ecs_network_interface_attachment",
            "x",
            json!({"id": "eni-2:i-1", "network_interface_id": "eni-2", "instance_id": "i-1"}),
        ),
        (
            "eip_address",
            "e",
            json!({"id": "eip-1", "allocation_id": "eip-1", "ip_address": "203.0.113.1", "mode": "NAT"}),
        ),
        (
            "eip_address",
            "nat",
            json!({"id": "eip-2", "allocation_id": "eip-2", "ip_address": "203.0.113.2", "mode": "NAT"}),
        ),
        (
            "eip_association",
            "e",
            json!({"id": "eip-1:eni-1", "allocation_id": "eip-1", "instance_id": "eni-1", "instance_type": "NetworkInterface", "mode": "NAT", "private_ip_address": "10.1.0.10"}),
        ),
        (
            "eip_association",
            "nat",
            json!({"id": "eip-2:ngw-1", "allocation_id": "eip-2", "instance_id": "ngw-1", "instance_type": "Nat", "private_ip_address": ""}),
        ),
        (
            "nat_gateway",
            "n",
            json!({"id": "ngw-1", "vpc_id": "vpc-1", "vswitch_id": "vsw-a", "network_type": "internet", "snat_table_ids": "stb-1,stb-2", "forward_table_ids": "ftb-1"}),
        ),
        (
            "snat_entry",
            "s",
            json!({"id": "stb-2:snat-1", "snat_table_id": "stb-2", "source_vswitch_id": "vsw-b", "source_cidr": "10.2.0.0/16", "snat_ip": "203.0.113.2"}),
        ),
        (
            "forward_entry",
            "d",
            json!({"id": "ftb-1:fwd-1", "forward_table_id": "ftb-1", "external_ip": "203.0.113.2", "external_port": "443", "ip_protocol": "tcp", "internal_ip": "10.2.0.9", "internal_port": "8443"}),
        ),
        (
            "vpc_ipv6_gateway",
            "g",
            json!({"id": "ipv6gw-1", "ipv6_gateway_id": "ipv6gw-1", "vpc_id": "vpc-1"}),
        ),
        (
            "vpc_ipv6_address",
            "x",
            json!({"id": "ipv6-1", "vswitch_id": "vsw-b", "ipv6_address": "2001:db8:0:1::5"}),
        ),
        (
            "vpc_ipv6_internet_bandwidth",
            "x",
            json!({"id": "ipv6bw-1", "ipv6_address_id": "ipv6-1", "ipv6_gateway_id": "ipv6gw-1", "bandwidth": 5}),
        ),
        (
            "vpc_ha_vip",
            "h",
            json!({"id": "havip-1", "ha_vip_id": "havip-1", "vswitch_id": "vsw-a", "ip_address": "10.1.0.100"}),
        ),
        (
            "havip_attachment",
            "h",
            json!({"id": "havip-1:i-1", "ha_vip_id": "havip-1", "havip_id": "havip-1", "instance_id": "i-1", "instance_type": "EcsInstance"}),
        ),
    ]
}

fn raw(all: &[(&str, &str, J)]) -> String {
    let resources: Vec<J> = all
        .iter()
        .map(|(t, n, a)| {
            json!({"mode": "managed", "type": format!("alicloud_{t}"), "name": n,
                "provider": "provider[\"registry.terraform.io/aliyun/alicloud\"]",
                "instances": [{"schema_version": 0, "attributes": a, "sensitive_attributes": [], "dependencies": []}]})
        })
        .collect();
    json!({"version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "x", "outputs": {}, "resources": resources})
        .to_string()
}

fn shown(all: &[(&str, &str, J)]) -> String {
    let resources: Vec<J> = all
        .iter()
        .map(|(t, n, a)| {
            json!({"address": format!("alicloud_{t}.{n}"), "mode": "managed", "type": format!("alicloud_{t}"), "name": n,
                "provider_name": "registry.terraform.io/aliyun/alicloud", "values": a})
        })
        .collect();
    json!({"format_version": "1.0", "terraform_version": "1.11.4", "values": {"root_module": {"resources": resources}}}).to_string()
}

fn interface<'a>(inv: &'a Inventory, address: &str) -> &'a Interface {
    let v = &inv.typed.interfaces;
    v.iter().find(|x| &*x.meta.origin.address == address).unwrap()
}

#[test]
fn a_state_joins_by_ids_without_a_word() {
    let inv = read_text("terraform.tfstate", &raw(&network()));
    assert_eq!(inv.source, SourceKind::State);
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
    let t = &inv.typed;
    let b = t
        .vswitches
        .iter()
        .find(|v| v.meta.id.as_deref() == Some("vsw-b"))
        .unwrap();
    let a = t
        .vswitches
        .iter()
        .find(|v| v.meta.id.as_deref() == Some("vsw-a"))
        .unwrap();
    // The secondary block stands on the VPC and in a resource of its own.
    assert_eq!(t.vpcs[0].cidrs.len(), 2);
    assert_eq!(a.table, Fact::Known(t.vpcs[0].system_table));
    assert_eq!(t[*b.table.known().unwrap()].meta.id.as_deref(), Some("vtb-t"));
    assert_eq!((a.ipv6_cidr.is_some(), b.ipv6_cidr.is_some()), (false, true));
    assert_eq!(
        (&a.acl, &b.acl),
        (&Fact::Known(Some(AclId(0))), &Fact::Known(None))
    );
    // So do the entries of the ACL; no entries in a state are no entries.
    let AclList::Entries(es) = &t.acls[0].ingress else {
        panic!("{:?}", t.acls[0].ingress)
    };
    assert_eq!(es[0].services, Fact::Known(ServiceSet::tcp(PortSet::single(443))));
    assert_eq!(t.acls[0].egress, AclList::Entries(vec![]));
    let g = &t.security_groups[0];
    assert_eq!(
        (&g.enterprise, &g.inner_accept),
        (&Fact::Known(true), &Fact::Known(false))
    );
    assert_eq!(t.route_entries[0].next_hops, [NextHop::Nat(NatId(0))]);
    // One instance with two interfaces, neither of them twice.
    assert_eq!(t.interfaces.len(), 2);
    let i = interface(&inv, "alicloud_instance.i");
    let second = interface(&inv, "alicloud_ecs_network_interface.second");
    assert!(i.primary && !second.primary && second.instance == i.instance);
    assert_eq!((i.public.len(), i.public[0].kind), (1, PublicKind::Eip));
    assert_eq!(i.public[0].ip, Fact::Known("203.0.113.1".parse().unwrap()));
    assert_eq!(i.addresses.len(), 2);
    assert_eq!(i.addresses[1].kind, AddressKind::HaVip);
    assert!(matches!(second.addresses[1].ipv6_internet, Ipv6Internet::Both(_)));
    // NAT: the second of its tables, and the vSwitch rather than the block that the API repeats.
    let Fact::Known(nat) = t.snat_entries[0].nat else {
        panic!()
    };
    assert_eq!(nat, NatId(0));
    assert!(matches!(
        t.snat_entries[0].source,
        SnatSource::Vswitch(Fact::Known(_))
    ));
    assert!(matches!(t.snat_entries[0].ips.as_slice(), [NatIp::Eip(_)]));
    let x = t
        .interfaces
        .iter()
        .position(|x| x.meta.id.as_deref() == Some("eni-2"))
        .unwrap();
    assert_eq!(
        t.dnat_entries[0].target,
        DnatTarget::Interface(InterfaceId(x as u32), 0)
    );
}

#[test]
fn a_shown_state_and_a_raw_one_are_the_same() {
    let (a, b) = (
        read_text("a.tfstate", &raw(&network())),
        read_text("b.json", &shown(&network())),
    );
    assert_eq!(a.typed, b.typed);
    assert_eq!(a.resources, b.resources);
}

#[test]
fn ids_outside_of_the_state_are_named_and_unknown() {
    let mut all = network();
    all.retain(|(t, n, _)| {
        !matches!(
            (*t, *n),
            ("vswitch", "a") | ("security_group", _) | ("nat_gateway", _)
        )
    });
    let inv = read_text("terraform.tfstate", &raw(&all));
    let i = interface(&inv, "alicloud_instance.i");
    assert!(i.vswitch.known().is_none());
    assert_eq!(
        (&i.groups, i.foreign_groups.as_slice()),
        (&Fact::Known(vec![]), &["sg-1".into()][..])
    );
    assert!(matches!(
        inv.typed.route_entries[0].next_hops.as_slice(),
        [NextHop::Unknown(_)]
    ));
    assert!(inv.typed.sg_rules[0].group.known().is_none());
    for id in ["vsw-a", "sg-1", "ngw-1"] {
        let n = inv
            .diagnostics
            .iter()
            .filter(|d| d.code == "INPUT004" && d.message.contains(&format!("`{id}`")))
            .count();
        assert_eq!(n, 1, "{id}");
    }
}

#[test]
fn an_object_that_waits_for_its_end_is_still_there() {
    let text = r#"{"version":4,"terraform_version":"1.11.4","serial":3,"lineage":"x","outputs":{},"resources":[
      {"mode":"managed","type":"alicloud_vpc","name":"a","provider":"p","instances":[
        {"attributes":{"id":"vpc-new","cidr_block":"10.0.0.0/8"}},
        {"deposed":"00c0ffee","attributes":{"id":"vpc-old","cidr_block":"172.16.0.0/12"}}]}]}"#;
    let inv = read_text("terraform.tfstate", text);
    let addresses: Vec<_> = inv.resources.iter().map(|r| &*r.address).collect();
    assert_eq!(
        addresses,
        ["alicloud_vpc.a", "alicloud_vpc.a (deposed object 00c0ffee)"]
    );
    assert_eq!(inv.typed.vpcs.len(), 2);
}

/// §19.11: a resource with `dry_run` is never created, but one of a state is there, whatever a later update has set.
#[test]
fn what_is_in_a_state_is_there_though_it_has_dry_run() {
    let read = |id: &str| {
        let text = json!({"version": 4, "terraform_version": "1.11.4", "lineage": "x", "resources": [
            {"mode": "managed", "type": "alicloud_vpc", "name": "v", "provider": "p",
             "instances": [{"attributes": {"id": "vpc-1", "cidr_block": "10.0.0.0/8", "dry_run": true}}]},
            {"mode": "managed", "type": "alicloud_vswitch", "name": "a", "provider": "p",
             "instances": [{"attributes": {"id": id, "vpc_id": "vpc-1", "cidr_block": "10.1.0.0/16", "dry_run": "true"}}]},
        ]});
        read_text("terraform.tfstate", &text.to_string()).typed
    };
    let t = read("vsw-1");
    assert_eq!((t.vpcs.len(), t.vswitches.len()), (1, 1));
    assert_eq!(t.vswitches[0].vpc, Fact::Known(VpcId(0)));
}

#[test]
fn a_state_of_another_format_is_no_empty_network() {
    let said = |text: J| {
        let inv = read_text("terraform.tfstate", &text.to_string());
        let all: Vec<String> = inv
            .diagnostics
            .iter()
            .map(|d| format!("{} {}", d.code, d.message))
            .collect();
        all.join(" ")
    };
    let third = json!({"version": 3, "terraform_version": "0.11.14", "lineage": "x", "modules": [
        {"path": ["root"], "resources": {"alicloud_vpc.v": {"type": "alicloud_vpc", "primary": {"id": "vpc-1"}}}},
    ]});
    assert!(said(third).contains("INPUT001"));
    let later = json!({"format_version": "2.0", "terraform_version": "3.0.0", "values": {"root_module": {}}});
    assert!(said(later).contains("later than"));
    let flat = json!({"version": 4, "terraform_version": "1.11.4", "lineage": "x", "resources": [
        {"mode": "managed", "type": "alicloud_vpc", "name": "v", "provider": "p",
         "instances": [{"attributes_flat": {"id": "vpc-1", "cidr_block": "10.0.0.0/8"}}]},
    ]});
    assert!(said(flat).contains("`alicloud_vpc.v` has no attributes"));
    let empty = json!({"version": 4, "terraform_version": "1.11.4", "lineage": "x", "resources": []});
    assert_eq!(said(empty), "");
}

/// §8.2, §8.3: an entry of a NAT gateway that is there shows that its EIP is bound to the gateway, whoever binds it.
#[test]
fn an_entry_of_a_state_has_its_eip() {
    let read = |more: J| {
        let one = |kind: &str, name: &str, attributes: J| {
            json!({"mode": "managed", "type": format!("alicloud_{kind}"), "name": name, "provider": "p",
                   "instances": [{"attributes": attributes}]})
        };
        let mut all = vec![
            one("vpc", "v", json!({"id": "vpc-1", "cidr_block": "10.0.0.0/8"})),
            one(
                "vswitch",
                "a",
                json!({"id": "vsw-1", "vpc_id": "vpc-1", "cidr_block": "10.1.0.0/16"}),
            ),
            one(
                "nat_gateway",
                "n",
                json!({"id": "ngw-1", "vpc_id": "vpc-1", "vswitch_id": "vsw-1", "nat_type": "Enhanced",
                "network_type": "internet", "forward_table_ids": "ftb-1", "snat_table_ids": "stb-1"}),
            ),
            one(
                "eip_address",
                "e",
                json!({"id": "eip-1", "ip_address": "47.0.0.1", "status": "InUse"}),
            ),
        ];
        all.extend(
            more.as_array()
                .unwrap()
                .iter()
                .map(|r| one(r[0].as_str().unwrap(), "x", r[1].clone())),
        );
        let text = json!({"version": 4, "terraform_version": "1.11.4", "lineage": "x", "resources": all});
        read_text("terraform.tfstate", &text.to_string()).typed.eips[0]
            .bound
            .clone()
    };
    let nat = [EipTarget::Nat(NatId(0))];
    let forward = json!(["forward_entry", {"id": "ftb-1:fwd-1", "forward_table_id": "ftb-1", "external_ip": "47.0.0.1",
        "external_port": "80", "internal_ip": "10.1.0.1", "internal_port": "80", "ip_protocol": "tcp"}]);
    let snat = json!(["snat_entry", {"id": "stb-1:snat-1", "snat_table_id": "stb-1", "source_cidr": "10.1.0.0/16",
        "source_vswitch_id": "", "snat_ip": "47.0.0.1"}]);
    assert_eq!(read(json!([forward])), nat);
    assert_eq!(read(json!([snat])), nat);
    // What is in use and held by nothing here may be held by anything here.
    assert!(matches!(read(json!([])).as_slice(), [EipTarget::Unknown(_)]));
}

/// A raw state with a VPC, a vSwitch, instances i-1 and i-2, and more: (type, name, attributes).
fn with_hosts(more: &[(&str, J)]) -> Inventory {
    let one = |kind: &str, name: &str, attributes: &J| {
        json!({"mode": "managed", "type": format!("alicloud_{kind}"), "name": name, "provider": "p",
               "instances": [{"attributes": attributes}]})
    };
    let mut all = vec![
        one("vpc", "v", &json!({"id": "vpc-1", "cidr_block": "10.0.0.0/8"})),
        one(
            "vswitch",
            "a",
            &json!({"id": "vsw-1", "vpc_id": "vpc-1", "cidr_block": "10.1.0.0/16"}),
        ),
    ];
    for n in 1..=2 {
        let i = json!({"id": format!("i-{n}"), "vswitch_id": "vsw-1", "security_groups": [],
            "private_ip": format!("10.1.0.{n}0"), "network_interface_id": format!("eni-{n}")});
        all.push(one("instance", &format!("i{n}"), &i));
    }
    let more = more.iter().enumerate();
    all.extend(more.map(|(n, (kind, a))| one(kind, &format!("x{n}"), a)));
    let text = json!({"version": 4, "terraform_version": "1.11.4", "lineage": "x", "resources": all});
    read_text("terraform.tfstate", &text.to_string())
}

fn vip(instances: J, eips: J) -> (&'static str, J) {
    let vip = json!({"id": "havip-1", "vswitch_id": "vsw-1", "ip_address": "10.1.0.99",
        "associated_instances": instances, "associated_eip_addresses": eips});
    ("vpc_ha_vip", vip)
}

/// The addresses of virtual IPs and the public ones of instance `n`, as far as they are certain.
fn surely(inv: &Inventory, n: u8) -> (Vec<String>, Vec<String>) {
    let i = interface(inv, &format!("alicloud_instance.i{n}"));
    let vips = i.addresses.iter().filter(|a| a.kind == AddressKind::HaVip);
    let text = |a: &Address| match &a.spec {
        AddressSpec::Ip(ip) => ip.to_string(),
        _ => "?".into(),
    };
    let public = i.public.iter().map(|p| match (&p.ip, &p.origin.maybe) {
        (Fact::Known(ip), None) => format!("{ip}"),
        (Fact::Known(ip), Some(_)) => format!("{ip}?"),
        _ => "?".into(),
    });
    (vips.map(text).collect(), public.collect())
}

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

/// §4.1, §7.4: a state shows on a HaVip who holds it and which addresses are bound to it, whoever attaches and binds them.
#[test]
fn a_state_shows_who_holds_a_virtual_ip() {
    let eip = || {
        let e = json!({"id": "eip-1", "ip_address": "47.0.0.1", "status": "InUse"});
        ("eip_address", e)
    };
    let inv = with_hosts(&[vip(json!(["i-1"]), json!(["47.0.0.1"])), eip()]);
    assert_eq!(inv.typed.ha_vips[0].members.len(), 1);
    assert_eq!(surely(&inv, 1), (strings(&["10.1.0.99"]), strings(&["47.0.0.1"])));
    assert_eq!(surely(&inv, 2), (vec![], vec![]));
    assert_eq!(inv.typed.eips[0].bound, [EipTarget::HaVip(HaVipId(0))]);
    assert!(inv.diagnostics.is_empty(), "{:?}", inv.diagnostics);
    // The EIP is in another state.
    let inv = with_hosts(&[vip(json!(["eni-2"]), json!(["47.0.0.1"]))]);
    assert_eq!(surely(&inv, 2), (strings(&["10.1.0.99"]), strings(&["47.0.0.1"])));
    // What attaches and binds it here as well counts once.
    let here = [
        vip(json!(["i-1"]), json!(["47.0.0.1"])),
        eip(),
        (
            "havip_attachment",
            json!({"id": "havip-1:i-1", "ha_vip_id": "havip-1", "instance_id": "i-1"}),
        ),
        (
            "eip_association",
            json!({"id": "eip-1:havip-1", "allocation_id": "eip-1", "instance_id": "havip-1", "instance_type": "HaVip"}),
        ),
    ];
    let inv = with_hosts(&here);
    assert_eq!(surely(&inv, 1), (strings(&["10.1.0.99"]), strings(&["47.0.0.1"])));
    assert_eq!(inv.typed.ha_vips[0].members.len(), 1);
    assert_eq!(inv.typed.eips[0].bound.len(), 1);
    // The lists are as they were before it was attached.
    let mut before = here.to_vec();
    before[0] = vip(json!([]), json!([]));
    let inv = with_hosts(&before);
    assert_eq!(surely(&inv, 1), (strings(&["10.1.0.99"]), strings(&["47.0.0.1"])));
}

/// Where a HaVip and what attaches or binds it say different things, neither is certain.
#[test]
fn a_state_that_contradicts_itself_decides_nothing() {
    let attach = |i: &str| {
        let a = json!({"id": format!("havip-1:{i}"), "ha_vip_id": "havip-1", "instance_id": i});
        ("havip_attachment", a)
    };
    let inv = with_hosts(&[vip(json!(["i-1"]), json!([])), attach("i-2")]);
    assert_eq!(
        (surely(&inv, 1).0, surely(&inv, 2).0),
        (strings(&["?"]), strings(&["?"]))
    );
    assert!(inv.typed.ha_vips[0].members.iter().any(|m| m.known().is_none()));
    let said = &inv.diagnostics[0].message;
    assert!(
        said.contains("associated_instances") && said.contains("`alicloud_instance.i2`"),
        "{said}"
    );
    // Somebody who is not here: any interface of the vSwitch may be meant.
    let inv = with_hosts(&[vip(json!(["i-9"]), json!([]))]);
    assert_eq!(
        (surely(&inv, 1).0, surely(&inv, 2).0),
        (strings(&["?"]), strings(&["?"]))
    );
    // What is behind a VPN connection has no address of the cloud.
    let inv = with_hosts(&[
        vip(json!(["i-9"]), json!(["47.0.0.1"])),
        (
            "vpn_gateway",
            json!({"id": "vpn-1", "vpc_id": "vpc-1", "vswitch_id": "vsw-1", "enable_ipsec": true}),
        ),
        (
            "vpn_connection",
            json!({"id": "vco-1", "vpn_gateway_id": "vpn-1", "customer_gateway_id": "cgw-1",
            "local_subnet": ["10.0.0.0/8"], "remote_subnet": ["192.168.0.0/16"]}),
        ),
    ]);
    let site = &inv.typed[inv.typed.sites[0].interface];
    assert!(site.public.is_empty() && site.addresses.iter().all(|a| a.kind != AddressKind::HaVip));
    // An EIP is bound to one thing.
    let bind = json!({"id": "eip-1:i-2", "allocation_id": "eip-1", "instance_id": "i-2", "instance_type": "EcsInstance"});
    let by_address = json!({"id": "x", "allocation_id": "eip-1", "instance_id": "10.1.0.20", "instance_type": "IpAddress",
        "vpc_id": "vpc-1"});
    for bind in [bind, by_address] {
        let inv = with_hosts(&[
            vip(json!(["i-1"]), json!(["47.0.0.1"])),
            ("eip_address", json!({"id": "eip-1", "ip_address": "47.0.0.1"})),
            ("eip_association", bind),
        ]);
        assert_eq!(surely(&inv, 1).1, strings(&["47.0.0.1?"]));
        assert_eq!(surely(&inv, 2).1, strings(&["47.0.0.1?"]));
        assert!(matches!(inv.typed.eips[0].bound[0], EipTarget::Unknown(_)));
    }
}

/// §7.4: an EIP of a state that is in use has a holder, which may be here though nothing says so.
#[test]
fn an_eip_in_use_is_somebodys() {
    let eip = |status: &str, id: &str| {
        let e =
            json!({"id": id, "ip_address": "47.0.0.1", "allocation_id": id, "mode": "NAT", "status": status});
        ("eip_address", e)
    };
    for status in ["InUse", "Associating"] {
        let inv = with_hosts(&[eip(status, "eip-1")]);
        assert_eq!(
            (surely(&inv, 1).1, surely(&inv, 2).1),
            (strings(&["47.0.0.1?"]), strings(&["47.0.0.1?"]))
        );
        assert!(
            inv.diagnostics[0]
                .message
                .contains("nothing in the input says by what")
        );
    }
    let inv = with_hosts(&[eip("Available", "eip-1")]);
    assert_eq!(surely(&inv, 1).1, strings(&[]));
    assert!(inv.diagnostics.is_empty());
    // A zone of a load balancer that faces the Internet holds one.
    let nlb = json!({"id": "nlb-1", "vpc_id": "vpc-1", "address_type": "Internet", "zone_mappings": [
        {"zone_id": "z", "vswitch_id": "vsw-1", "allocation_id": "eip-1"}]});
    let inv = with_hosts(&[eip("InUse", "eip-1"), ("nlb_load_balancer", nlb)]);
    assert_eq!(surely(&inv, 1).1, strings(&[]));
}

/// §7.1, §19.8: an address that a state shows may be there without bandwidth; what a directory does not give is not.
#[test]
fn a_public_address_without_bandwidth_may_be_there() {
    let public = |bandwidth: J, ip: &str| {
        let i = json!({"id": "i-3", "vswitch_id": "vsw-1", "security_groups": [], "private_ip": "10.1.0.30",
            "internet_max_bandwidth_out": bandwidth, "public_ip": ip});
        let inv = with_hosts(&[("instance", i)]);
        let all = &interface(&inv, "alicloud_instance.x0").public;
        all.iter()
            .map(|p| (p.ip.clone(), p.origin.maybe.is_some()))
            .collect::<Vec<_>>()
    };
    let ip = Fact::Known("47.0.0.3".parse().unwrap());
    assert_eq!(public(json!(0), "47.0.0.3"), [(ip.clone(), true)]);
    assert_eq!(public(J::Null, "47.0.0.3"), [(ip.clone(), true)]);
    assert_eq!(public(json!(5), "47.0.0.3"), [(ip, false)]);
    assert_eq!(public(json!(0), ""), []);
}
