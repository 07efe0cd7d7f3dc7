//! What is not known until apply, and what of it a plan shows.

use super::*;
use bartizan_model::{AddressKind, Backend, Ipv6Internet};

const WEB: [&str; 2] = ["alicloud_instance.web.id", "alicloud_instance.web"];
const DB: [&str; 2] = ["alicloud_instance.db.id", "alicloud_instance.db"];

fn machines() -> Plan {
    let mut p = plan();
    for name in ["web", "db"] {
        p = p.block(
            "alicloud_instance",
            name,
            json!({"vswitch_id": {"references": S0}}),
            &[(
                "",
                json!({"instance_name": name}),
                json!({"id": true, "vswitch_id": true, "private_ip": true}),
            )],
        );
    }
    p
}

/// The servers of an ALB group, `?` where they are not known: (blocks of the configuration, values, flags).
fn servers(blocks: J, values: J, flags: J) -> Vec<String> {
    let one = |refs: &[&str]| json!({"references": refs});
    let inv = machines()
        .block(
            "alicloud_alb_load_balancer",
            "lb",
            json!({"address_type": {"constant_value": "Internet"}, "vpc_id": {"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]},
                "zone_mappings": [{"vswitch_id": {"references": S0}}]}),
            &[(
                "",
                json!({"address_type": "Internet", "zone_mappings": [{}]}),
                json!({"id": true, "vpc_id": true, "zone_mappings": [{"vswitch_id": true}]}),
            )],
        )
        .block(
            "alicloud_alb_server_group",
            "sg",
            blocks,
            &[("", json!({"protocol": "HTTP", "servers": values}), json!({"id": true, "servers": flags}))],
        )
        .block(
            "alicloud_alb_listener",
            "l",
            json!({
                "load_balancer_id": one(&["alicloud_alb_load_balancer.lb.id", "alicloud_alb_load_balancer.lb"]),
                "default_actions": [{"type": {"constant_value": "ForwardGroup"}, "forward_group_config": [{"server_group_tuples": [{
                    "server_group_id": one(&["alicloud_alb_server_group.sg.id", "alicloud_alb_server_group.sg"]),
                }]}]}],
            }),
            &[(
                "",
                json!({"listener_port": 443, "listener_protocol": "HTTPS", "default_actions": [
                    {"type": "ForwardGroup", "forward_group_config": [{"server_group_tuples": [{}]}]},
                ]}),
                json!({"id": true, "load_balancer_id": true, "default_actions": [
                    {"forward_group_config": [{"server_group_tuples": [{"server_group_id": true}]}]},
                ]}),
            )],
        )
        .read();
    let t = &inv.typed;
    let mut all: Vec<String> = t.balancers[0]
        .listeners
        .iter()
        .flat_map(|l| &l.forwards)
        .map(|f| {
            let to = match &f.to {
                Backend::Interface(i) => t[*i]
                    .meta
                    .origin
                    .address
                    .trim_start_matches("alicloud_instance.")
                    .to_string(),
                _ => "?".to_string(),
            };
            let on = f
                .services
                .known()
                .and_then(|s| s.as_ref())
                .map_or("?".to_string(), ToString::to_string);
            format!("{to} {on}")
        })
        .collect();
    all.sort();
    all
}

/// A block of the configuration: a constant port, or the names of an expression.
fn written(port: J, server: &[&str]) -> J {
    json!({"port": port, "server_type": {"constant_value": "Ecs"}, "server_id": {"references": server}})
}

fn fixed(port: u16) -> J {
    json!({"constant_value": port})
}

fn value(port: J) -> J {
    json!({"port": port, "server_type": "Ecs"})
}

/// The members of a set are in an order of their own in the values.
#[test]
fn blocks_of_a_set_are_joined_by_their_values() {
    let two = json!([value(json!(3306)), value(json!(80))]);
    let unknown = json!([{"server_id": true}, {"server_id": true}]);
    let blocks = |all: &[J]| json!({"servers": all});
    let wrong_way_round = blocks(&[written(fixed(80), &WEB), written(fixed(3306), &DB)]);
    assert_eq!(
        servers(wrong_way_round, two.clone(), unknown.clone()),
        ["db tcp/3306", "web tcp/80"]
    );
    // Providers write numbers as texts at times.
    let texts = json!([value(json!("3306")), value(json!("80"))]);
    let same = blocks(&[written(fixed(80), &WEB), written(fixed(3306), &DB)]);
    assert_eq!(
        servers(same, texts, unknown.clone()),
        ["db tcp/3306", "web tcp/80"]
    );
    // Ports that a plan does not tell apart.
    let port = || json!({"references": ["var.port"]});
    let open = blocks(&[written(port(), &WEB), written(port(), &DB)]);
    assert_eq!(
        servers(open, two.clone(), unknown.clone()),
        ["? tcp/3306", "? tcp/80"]
    );
    // One of them fits both.
    let half = blocks(&[written(port(), &WEB), written(fixed(3306), &DB)]);
    assert_eq!(
        servers(half, two.clone(), unknown.clone()),
        ["? tcp/3306", "? tcp/80"]
    );
    // A constant that became another value.
    let other = blocks(&[written(fixed(8080), &WEB), written(fixed(3306), &DB)]);
    assert_eq!(
        servers(other, two.clone(), unknown.clone()),
        ["? tcp/3306", "? tcp/80"]
    );
    // A `dynamic` block, which the configuration does not show, has made the other.
    let hidden = blocks(&[written(fixed(80), &WEB)]);
    assert_eq!(servers(hidden, two, unknown), ["? tcp/3306", "? tcp/80"]);
    // One can only be the one.
    let one = blocks(&[written(port(), &WEB)]);
    assert_eq!(
        servers(one, json!([value(json!(80))]), json!([{"server_id": true}])),
        ["web tcp/80"]
    );
}

#[test]
fn a_dynamic_block_may_be_there_for_any_type() {
    // No expression, and unknown as a whole: `servers` is never left to the cloud.
    assert_eq!(servers(json!({}), J::Null, json!(true)), ["? ?"]);
    // Static blocks beside it.
    let one = json!({"servers": [written(fixed(80), &WEB)]});
    assert_eq!(servers(one, J::Null, json!(true)), ["? ?"]);
    let clb = |flags: J| {
        machines()
            .block(
                "alicloud_slb_load_balancer",
                "lb",
                json!({"address_type": {"constant_value": "internet"}}),
                &[("", json!({"address_type": "internet"}), json!({"id": true, "address": true}))],
            )
            .block(
                "alicloud_slb_server_group",
                "sg",
                json!({"load_balancer_id": {"references": ["alicloud_slb_load_balancer.lb.id", "alicloud_slb_load_balancer.lb"]}}),
                &[("", json!({}), flags)],
            )
            .block(
                "alicloud_slb_listener",
                "l",
                json!({
                    "load_balancer_id": {"references": ["alicloud_slb_load_balancer.lb.id", "alicloud_slb_load_balancer.lb"]},
                    "server_group_id": {"references": ["alicloud_slb_server_group.sg.id", "alicloud_slb_server_group.sg"]},
                }),
                &[(
                    "",
                    json!({"frontend_port": 443, "protocol": "tcp"}),
                    json!({"id": true, "load_balancer_id": true, "server_group_id": true}),
                )],
            )
            .read()
            .typed
            .balancers[0]
            .listeners
            .iter()
            .flat_map(|l| l.forwards.clone())
            .map(|f| f.to)
            .collect::<Vec<_>>()
    };
    let unknown = clb(json!({"id": true, "load_balancer_id": true, "servers": true}));
    assert!(matches!(unknown.as_slice(), [Backend::Unknown(_)]), "{unknown:?}");
    assert_eq!(clb(json!({"id": true, "load_balancer_id": true})), []);
}

/// The inner policy of a group of which the configuration writes one spelling and the plan has both.
fn inner(expressions: J, values: J, flags: J) -> Fact<bool> {
    let inv = plan()
        .block(
            "alicloud_security_group",
            "x",
            expressions,
            &[("", values, flags)],
        )
        .read();
    let mut all = inv.typed.security_groups.iter();
    all.find(|g| &*g.meta.origin.address == "alicloud_security_group.x")
        .unwrap()
        .inner_accept
        .clone()
}

#[test]
fn a_spelling_that_is_written_comes_before_what_the_cloud_had() {
    let stale = || json!({"inner_access": true, "inner_access_policy": "Drop"});
    let none = json!({});
    let yes = json!({"constant_value": true});
    let var = json!({"references": ["var.flag"]});
    assert_eq!(
        inner(json!({"inner_access": yes}), stale(), none.clone()),
        Fact::Known(true)
    );
    assert_eq!(
        inner(json!({"inner_access": var}), stale(), none.clone()),
        Fact::Known(true)
    );
    assert_eq!(
        inner(json!({"inner_access_policy": var}), stale(), none.clone()),
        Fact::Known(false)
    );
    // Nobody writes either: both are as the cloud says.
    assert_eq!(inner(json!({}), stale(), none.clone()), Fact::Known(false));
    // One of them is null and has what the cloud had.
    let both = json!({"inner_access": var, "inner_access_policy": var});
    assert_eq!(inner(both, stale(), none.clone()).known(), None);
    let null = json!({"inner_access": yes, "inner_access_policy": var});
    assert_eq!(inner(null, stale(), none.clone()), Fact::Known(true));
    let null = json!({"inner_access": {"constant_value": null}, "inner_access_policy": var});
    assert_eq!(inner(null, stale(), none), Fact::Known(false));
}

/// What nobody wrote is left to the cloud; what is written is not.
#[test]
fn what_is_written_and_unknown_is_not_left_to_the_cloud() {
    let open = |e: J| inner(e, json!({}), json!({"id": true, "inner_access_policy": true}));
    assert_eq!(open(json!({})), Fact::Known(true));
    assert_eq!(
        open(json!({"inner_access_policy": {"references": ["local.x"]}})).known(),
        None
    );
    let families = |e: J, values: J, flags: J| {
        let inv = machines()
            .block("alicloud_nlb_load_balancer", "lb", e, &[("", values, flags)])
            .read();
        let of = inv.typed.interfaces.iter();
        let v6 = of
            .flat_map(|i| &i.addresses)
            .find(|a| a.kind == AddressKind::Ipv6);
        v6.map(|a| a.ipv6_internet.clone())
    };
    let zone = || json!([{"vswitch_id": "vsw-1"}]);
    let values =
        json!({"address_type": "Intranet", "address_ip_version": "DualStack", "zone_mappings": zone()});
    let flags = json!({"id": true, "ipv6_address_type": true});
    let dual = || json!({"constant_value": "DualStack"});
    assert_eq!(
        families(
            json!({"address_ip_version": dual()}),
            values.clone(),
            flags.clone()
        ),
        Some(Ipv6Internet::None)
    );
    let written = json!({"address_ip_version": dual(), "ipv6_address_type": {"references": ["local.t"]}});
    assert!(matches!(
        families(written, values, flags),
        Some(Ipv6Internet::Unknown(_))
    ));
}

/// `for_each = { a = x["b"], b = x["a"] }` and `for_each = x` are the same to a plan.
#[test]
fn a_key_of_for_each_need_not_be_that_of_its_value() {
    let rule = |names: &[&str]| {
        let mut p = plan();
        for name in names {
            p = p.block(
                "alicloud_security_group",
                "x",
                json!({"vpc_id": {"references": ["alicloud_vpc.v.id", "alicloud_vpc.v"]}}),
                &[(
                    &format!("[\"{name}\"]"),
                    json!({}),
                    json!({"id": true, "vpc_id": true}),
                )],
            );
        }
        p = p.block(
            "alicloud_security_group_rule",
            "r",
            json!({"security_group_id": {"references": ["each.value.id", "each.value"]}}),
            &[(
                "[\"a\"]",
                json!({"type": "ingress", "ip_protocol": "all", "cidr_ip": "0.0.0.0/0"}),
                json!({"id": true, "security_group_id": true}),
            )],
        );
        for b in &mut p.blocks {
            if b["address"] == "alicloud_security_group_rule.r" {
                b["for_each_expression"] = json!({"references": ["alicloud_security_group.x"]});
            }
        }
        p.read().typed.sg_rules[0].group.known().copied()
    };
    assert_eq!(rule(&["a", "b"]), None);
    assert_eq!(rule(&["a"]), Some(SecurityGroupId(2)));
}
