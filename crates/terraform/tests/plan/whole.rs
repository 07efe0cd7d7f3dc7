//! What a plan says of objects that it does not make: deposed, forgotten, left out.

use super::*;

fn object(kind: &str, name: &str, values: &J) -> J {
    json!({
        "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
        "provider_name": "registry.terraform.io/aliyun/alicloud", "values": values,
    })
}

fn change(kind: &str, name: &str, actions: &[&str]) -> J {
    json!({
        "address": format!("{kind}.{name}"), "mode": "managed", "type": kind, "name": name,
        "change": {"actions": actions, "before": {}, "after": null, "after_unknown": {}},
    })
}

/// The state of an EIP that is bound to an instance, before a plan that has only the EIP and the instance.
fn bound() -> Plan {
    let mut p = plan()
        .block(
            "alicloud_eip_address",
            "e",
            json!({}),
            &[("", json!({"id": "eip-1", "ip_address": "47.1.1.1"}), json!({}))],
        )
        .block(
            "alicloud_instance",
            "web",
            json!({"vswitch_id": {"references": S0}}),
            &[("", json!({"id": "i-web"}), json!({"vswitch_id": true}))],
        );
    p.prior.push(object(
        "alicloud_eip_association",
        "a",
        &json!({"id": "eip-1:i-web", "allocation_id": "eip-1", "instance_id": "i-web"}),
    ));
    p
}

fn bindings(p: Plan) -> usize {
    p.read().typed.eips[0].bound.len()
}

#[test]
fn an_object_that_is_forgotten_stays_in_the_cloud() {
    let mut p = bound();
    p.changes
        .push(change("alicloud_eip_association", "a", &["forget"]));
    assert_eq!(bindings(p), 1);
    let mut p = bound();
    p.changes
        .push(change("alicloud_eip_association", "a", &["delete"]));
    assert_eq!(bindings(p), 0);
    // Moved: it is there under its new address.
    let mut p = bound();
    let mut moved = change("alicloud_eip_association", "b", &["no-op"]);
    moved["previous_address"] = json!("alicloud_eip_association.a");
    p.changes.push(moved);
    p.planned.push(object(
        "alicloud_eip_association",
        "b",
        &json!({"id": "eip-1:i-web", "allocation_id": "eip-1", "instance_id": "i-web"}),
    ));
    assert_eq!(bindings(p), 1);
    // Nothing is said of it, as with `-target`.
    assert_eq!(bindings(bound()), 1);
    // Forgotten and made anew: both are there.
    let mut p = plan().block(
        "alicloud_vpc",
        "w",
        json!({"cidr_block": {"constant_value": "172.16.0.0/12"}}),
        &[("", json!({"cidr_block": "172.16.0.0/12"}), json!({"id": true}))],
    );
    p.prior.push(object(
        "alicloud_vpc",
        "w",
        &json!({"id": "vpc-old", "cidr_block": "172.16.0.0/16"}),
    ));
    for c in &mut p.changes {
        if c["address"] == "alicloud_vpc.w" {
            c["change"]["actions"] = json!(["forget", "create"]);
        }
    }
    let inv = p.read();
    let all: Vec<_> = inv
        .typed
        .vpcs
        .iter()
        .map(|v| v.meta.origin.address.to_string())
        .collect();
    assert_eq!(
        all,
        [
            "alicloud_vpc.v",
            "alicloud_vpc.w",
            "alicloud_vpc.w (forgotten object)"
        ]
    );
}

#[test]
fn a_deposed_object_hides_nothing_of_the_live_one() {
    let mut p = plan().block(
        "alicloud_instance",
        "web",
        json!({"vswitch_id": {"references": S0}, "internet_max_bandwidth_out": {"references": ["terraform_data.b.output", "terraform_data.b"]}}),
        &[(
            "",
            json!({"id": "i-web"}),
            json!({"vswitch_id": true, "internet_max_bandwidth_out": true}),
        )],
    );
    let mut gone = change("alicloud_instance", "web", &["delete"]);
    gone["deposed"] = json!("abcd1234");
    p.changes.push(gone);
    let mut old = object("alicloud_instance", "web", &json!({"id": "i-old"}));
    old["deposed_key"] = json!("abcd1234");
    p.prior.push(old);
    let inv = p.read();
    assert_eq!(inv.typed.interfaces.len(), 1);
    assert_eq!(inv.typed.interfaces[0].public.len(), 1);
    assert_eq!(homes(&inv), ["s[0] ?"]);
}

fn codes(inv: &Inventory) -> Vec<&str> {
    let all = inv.diagnostics.iter().filter(|d| d.severity == Severity::Error);
    all.map(|d| d.code).collect()
}

#[test]
fn a_plan_that_is_not_whole_says_so() {
    let with = |more: Vec<(&'static str, J)>| {
        let mut p = plan();
        p.more = more;
        read_any(&p.text())
    };
    let whole = with(vec![("errored", json!(false)), ("complete", json!(true))]);
    assert_eq!(codes(&whole), [] as [&str; 0]);
    let deferred = json!([{"reason": "instance_count_unknown", "resource_change": {"address": "alicloud_vpc.x[\"*\"]"}}]);
    for more in [
        vec![("errored", json!(true))],
        vec![("complete", json!(false))],
        vec![("deferred_changes", deferred)],
    ] {
        let inv = with(more);
        assert_eq!(codes(&inv), ["INPUT006"]);
        // Claims of absence are undecided as well.
        let open = |r: &&bartizan_model::Resource| {
            matches!(r.understanding, bartizan_model::Understanding::NotUnderstood(_))
        };
        assert_eq!(inv.resources.iter().filter(open).count(), 1);
    }
    // Before `complete` there was nothing that says so, but what is written and not planned.
    let mut p = plan();
    p.changes.push(change("alicloud_vpc", "x", &["forget"]));
    assert_eq!(codes(&read_any(&p.text())), ["INPUT006"]);
    let mut p = plan();
    p.changes.retain(|c| c["address"] != "alicloud_vpc.v");
    assert_eq!(codes(&read_any(&p.text())), ["INPUT006"]);
    let mut p = plan();
    p.planned.clear();
    assert_eq!(codes(&read_any(&p.text())), ["INPUT006"]);
    // What is read while applying need not be there.
    let mut p = plan();
    p.changes
        .push(json!({"address": "data.alicloud_zones.z", "change": {"actions": ["read"]}}));
    assert_eq!(codes(&read_any(&p.text())), [] as [&str; 0]);
    let mut p = plan();
    p.blocks.push(json!({
        "address": "alicloud_vpc.x", "mode": "managed", "type": "alicloud_vpc", "name": "x", "expressions": {},
    }));
    assert_eq!(codes(&read_any(&p.text())), ["INPUT006"]);
    let mut p = plan();
    p.blocks.push(json!({
        "address": "alicloud_vpc.x", "mode": "managed", "type": "alicloud_vpc", "name": "x", "expressions": {},
        "count_expression": {"references": ["var.n"]},
    }));
    assert_eq!(codes(&read_any(&p.text())), [] as [&str; 0]);
}

/// The bindings of a network ACL show on it, as they were before a plan that takes one away.
#[test]
fn what_shows_on_another_resource_is_not_believed_when_it_goes() {
    let bound = |actions: &[&str]| {
        let mut p = plan().block(
            "alicloud_network_acl",
            "n",
            json!({"vpc_id": {"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]}}),
            &[(
                "",
                json!({"id": "nacl-1", "resources": [{"resource_id": "vsw-1", "resource_type": "VSwitch"}]}),
                json!({"vpc_id": true}),
            )],
        );
        for r in &mut p.planned {
            if r["address"] == "alicloud_vswitch.s[0]" {
                r["values"]["id"] = json!("vsw-1");
            }
        }
        if actions == ["no-op"] {
            let same = json!({"id": "x", "network_acl_id": "nacl-1", "resource_id": "vsw-1", "resource_type": "VSwitch"});
            p.planned
                .push(object("alicloud_vpc_network_acl_attachment", "a", &same));
        }
        for c in &mut p.changes {
            if c["address"] == "alicloud_vswitch.s[0]" {
                c["change"]["after_unknown"] = json!({"vpc_id": true});
            }
        }
        p.changes
            .push(change("alicloud_vpc_network_acl_attachment", "a", actions));
        let t = p.read().typed;
        let mut all = t.vswitches.iter();
        all.find(|v| &*v.meta.origin.address == "alicloud_vswitch.s[0]")
            .unwrap()
            .acl
            .clone()
    };
    assert_eq!(bound(&["no-op"]), Fact::Known(Some(AclId(0))));
    assert_eq!(bound(&["delete"]).known(), None);
}

/// An instance that moves to another vSwitch gets another address.
#[test]
fn what_the_cloud_picks_anew_is_not_known() {
    let address = |old: &str, written: bool| {
        let mut e = json!({"vswitch_id": {"references": ["var.x"]}});
        if written {
            e["private_ip"] = json!({"references": ["var.y"]});
        }
        let values = json!({"id": "i-1", "vswitch_id": "vsw-1", "private_ip": "10.1.0.5"});
        let mut p = plan().block("alicloud_instance", "i", e, &[("", values, json!({}))]);
        p.prior.push(object(
            "alicloud_instance",
            "i",
            &json!({"id": "i-1", "vswitch_id": old, "private_ip": "10.1.0.5"}),
        ));
        matches!(p.read().typed.interfaces[0].addresses[0].spec, AddressSpec::Ip(_))
    };
    assert!(address("vsw-1", false));
    assert!(!address("vsw-2", false));
    assert!(address("vsw-2", true));
}

/// The first vSwitch is there already.
fn there(p: &mut Plan) {
    for r in &mut p.planned {
        if r["address"] == "alicloud_vswitch.s[0]" {
            r["values"]["id"] = json!("vsw-1");
        }
    }
    for c in &mut p.changes {
        if c["address"] == "alicloud_vswitch.s[0]" {
            c["change"]["after_unknown"] = json!({"vpc_id": true});
        }
    }
}

/// The virtual IP and the EIP of a state, with what a plan does to the resources that attach and bind them.
fn vip(attachment: &str, association: &str) -> Inventory {
    let vip = json!({"id": "havip-1", "vswitch_id": "vsw-1", "ip_address": "10.1.0.99",
        "associated_instances": ["i-1", "i-2"], "associated_eip_addresses": ["47.1.1.1"]});
    let eip = json!({"id": "eip-1", "ip_address": "47.1.1.1", "status": "InUse"});
    let host = |n: u8| {
        let v = json!({"id": format!("i-{n}"), "vswitch_id": "vsw-1", "private_ip": format!("10.1.0.{n}")});
        (format!("[{n}]"), v)
    };
    let hosts = [host(1), host(2)];
    let hosts: Vec<(&str, J, J)> = hosts
        .iter()
        .map(|(k, v)| (k.as_str(), v.clone(), json!({})))
        .collect();
    let mut p = plan()
        .block("alicloud_vpc_ha_vip", "h", json!({}), &[("", vip, json!({}))])
        .block(
            "alicloud_eip_address",
            "e",
            json!({}),
            &[("", eip.clone(), json!({}))],
        )
        .block("alicloud_instance", "i", json!({}), &hosts);
    there(&mut p);
    p.prior.push(object("alicloud_eip_address", "e", &eip));
    p.prior.push(object(
        "alicloud_havip_attachment",
        "t",
        &json!({"id": "havip-1:i-1", "ha_vip_id": "havip-1", "instance_id": "i-1"}),
    ));
    p.prior.push(object(
        "alicloud_eip_association",
        "a",
        &json!({"id": "eip-1:havip-1", "allocation_id": "eip-1", "instance_id": "havip-1", "instance_type": "HaVip"}),
    ));
    p.changes
        .push(change("alicloud_havip_attachment", "t", &[attachment]));
    p.changes
        .push(change("alicloud_eip_association", "a", &[association]));
    p.read()
}

/// Who holds a virtual IP and an EIP shows on them, without those whom the plan takes away.
#[test]
fn a_plan_takes_from_what_shows_on_a_virtual_ip() {
    let holders = |inv: &Inventory| {
        let h = &inv.typed.ha_vips[0];
        let mut all: Vec<_> = h.members.iter().map(|m| m.known().copied()).collect();
        all.sort_unstable();
        all
    };
    let public = |inv: &Inventory| inv.typed.interfaces.iter().map(|i| i.public.len()).sum::<usize>();
    let inv = vip("forget", "forget");
    assert_eq!(holders(&inv), [Some(InterfaceId(0)), Some(InterfaceId(1))]);
    assert_eq!((public(&inv), inv.typed.eips[0].bound.len()), (2, 1));
    let inv = vip("delete", "forget");
    assert_eq!(holders(&inv), [Some(InterfaceId(1))]);
    assert_eq!(public(&inv), 1);
    // The EIP is free then, whatever its status was.
    let inv = vip("forget", "delete");
    assert_eq!(holders(&inv).len(), 2);
    assert_eq!((public(&inv), inv.typed.eips[0].bound.len()), (0, 0));
}

/// Where the prior state does not show what goes, what it left is not known.
#[test]
fn what_goes_and_is_not_shown_leaves_nothing_certain() {
    let vip = json!({"id": "havip-1", "vswitch_id": "vsw-1", "ip_address": "10.1.0.99", "associated_instances": ["i-1"]});
    let mut p = plan().block("alicloud_vpc_ha_vip", "h", json!({}), &[("", vip, json!({}))]);
    p.changes
        .push(change("alicloud_havip_attachment", "t", &["delete"]));
    let t = p.read().typed;
    assert!(t.ha_vips[0].members.iter().all(|m| m.known().is_none()));
    assert_eq!(t.ha_vips[0].members.len(), 1);
}

/// A vSwitch that moves from one network ACL to another shows on the first as it was.
#[test]
fn a_vswitch_that_moves_to_another_acl_leaves_the_first() {
    let bound = |to: &str| {
        let acl = |id: &str, all: J| json!({"id": id, "resources": all});
        let mine = json!([{"resource_id": "vsw-1", "resource_type": "VSwitch"}]);
        let vpc = json!({"vpc_id": {"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]}});
        let mut written = vpc.clone();
        written["resources"] = json!([{"resource_id": {"constant_value": "vsw-1"}}]);
        let unknown = json!({"vpc_id": true});
        let mut p = plan().block(
            "alicloud_network_acl",
            "a",
            vpc.clone(),
            &[("", acl("nacl-1", mine.clone()), unknown.clone())],
        );
        p = match to {
            "acl" => p.block("alicloud_network_acl", "b", written, &[("", acl("nacl-2", mine), unknown)]),
            _ => p
                .block("alicloud_network_acl", "b", vpc, &[("", acl("nacl-2", json!([])), unknown)])
                .block(
                    "alicloud_vpc_network_acl_attachment",
                    "x",
                    json!({"network_acl_id": {"constant_value": to}, "resource_id": {"constant_value": "vsw-1"}}),
                    &[("", json!({"network_acl_id": to, "resource_id": "vsw-1"}), json!({"id": true}))],
                ),
        };
        there(&mut p);
        let mut all = p.read().typed.vswitches.into_iter();
        all.find(|v| &*v.meta.origin.address == "alicloud_vswitch.s[0]")
            .unwrap()
            .acl
    };
    assert_eq!(bound("acl"), Fact::Known(Some(AclId(1))));
    assert_eq!(bound("nacl-2"), Fact::Known(Some(AclId(1))));
    // The same one again.
    assert_eq!(bound("nacl-1"), Fact::Known(Some(AclId(0))));
}

/// An instance whose bandwidth a plan takes away loses its public address, which shows as it was.
#[test]
fn an_instance_without_bandwidth_loses_its_address() {
    let public = |old: u8, new: u8| {
        let values = |n: u8| json!({"id": "i-1", "vswitch_id": "vsw-1", "public_ip": "47.1.1.1", "internet_max_bandwidth_out": n});
        let e = json!({"internet_max_bandwidth_out": {"references": ["var.n"]}});
        let mut p = plan().block("alicloud_instance", "i", e, &[("", values(new), json!({}))]);
        p.prior.push(object("alicloud_instance", "i", &values(old)));
        let all = p.read().typed.interfaces[0].public.clone();
        all.iter().map(|p| p.origin.maybe.is_some()).collect::<Vec<_>>()
    };
    assert!(public(10, 0).is_empty());
    assert_eq!(public(10, 5), [false]);
    assert_eq!(public(0, 0), [true]);
}
