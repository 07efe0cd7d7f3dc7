//! ECS instances: the primary interface, secondary ones, the static public IP (ALIBABA.md §4, §7.1, §19.8).

use super::attrs::{Attrs, Blocks};
use super::eni::{blank, check, groups, ipv6, primary, push, secondary, somewhere};
use super::linker::{Entity, Found, Linker, next};
use super::{Handler, Identity, Role, Stage, TypeSpec, own, parse};
use crate::json::left_to_cloud;
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[Handler {
    spec: TypeSpec {
        name: "alicloud_instance",
        attributes: &[
            "id",
            "tags",
            "instance_name",
            "vswitch_id",
            "subnet_id",
            "security_groups",
            "private_ip",
            "primary_ip_address",
            "secondary_private_ips",
            "secondary_private_ip_address_count",
            "ipv6_addresses",
            "ipv6_address_count",
            "internet_max_bandwidth_out",
            "public_ip",
            "source_dest_check",
            "launch_template_id",
            "launch_template_name",
            "network_interface_id",
            "network_interfaces",
            "network_interfaces.network_interface_id",
            "network_interfaces.vswitch_id",
            "network_interfaces.security_group_ids",
            "network_interfaces.source_dest_check",
        ],
    },
    aliases: &[],
    identities: &[
        own("id"),
        Identity {
            attribute: "private_ip",
            role: Role::PrimaryInterface,
            literal: false,
        },
        Identity {
            attribute: "primary_ip_address",
            role: Role::PrimaryInterface,
            literal: false,
        },
        Identity {
            attribute: "network_interface_id",
            role: Role::PrimaryInterface,
            literal: false,
        },
    ],
    steps: &[
        (Stage::Declare, declare),
        (Stage::Own, own_interface),
        (Stage::Fill, fill),
    ],
}];

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["instance_name"]);
    let id = InstanceId(next(l.typed.instances.len()));
    l.typed.instances.push(Instance { meta });
    l.primary.push(None);
    l.declare(i, Entity::Instance(id));
}

/// The primary interface is a declared one where the instance names it, else the instance brings its own.
fn own_interface(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Instance(id))) = l.entity.get(i).copied() else {
        return;
    };
    let named = match a.get("network_interface_id") {
        Some(n) => l.find(n),
        None => Found::Unset,
    };
    let primary = match named {
        Found::Entity(Entity::Interface(x)) => {
            let maybe = l.typed[id].meta.origin.maybe.clone();
            if let Some(e) = l.typed.interfaces.get_mut(x.index()) {
                e.instance = Some(id);
                e.primary = true;
                e.meta.origin.maybe = e.meta.origin.maybe.take().or(maybe);
            }
            x
        }
        _ => {
            let meta = l.typed[id].meta.clone();
            let x = push(l, blank(meta, Some(id), true));
            // One that is named before the instance is there is another's.
            if let Some(Value::String(s)) = a.get("network_interface_id").map(|n| &n.value)
                && there(&a)
            {
                l.declare_id(s, Entity::Interface(x));
            }
            x
        }
    };
    if let Some(slot) = l.primary.get_mut(id.index()) {
        *slot = Some(primary);
    }
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Instance(id))) = l.entity.get(i).copied() else {
        return;
    };
    let Some(x) = l.primary.get(id.index()).copied().flatten() else {
        return;
    };
    // An interface that is declared by itself has its own settings.
    let own = l
        .res
        .get(i)
        .is_some_and(|r| l.typed[x].meta.origin.address == r.address);
    if own {
        let vswitch = l.vswitch(i, &a, &["vswitch_id", "subnet_id"]);
        let (groups, foreign) = groups(l, i, &a, &["security_groups"]);
        let mut addresses = vec![primary(l, i, &a, &["private_ip", "primary_ip_address"])];
        secondary(
            l,
            i,
            &a,
            &["secondary_private_ips"],
            &["secondary_private_ip_address_count"],
            &mut addresses,
        );
        let check = check(l, i, &a);
        // A primary interface that is not here brings its own place and groups.
        let (vswitch, groups) = match elsewhere(l, i, &a, &a) {
            Some(u) => (Fact::Unknown(u.clone()), Fact::Unknown(u)),
            None => (vswitch, groups),
        };
        if let Some(e) = l.typed.interfaces.get_mut(x.index()) {
            e.vswitch = vswitch;
            e.groups = groups;
            e.foreign_groups = foreign;
            e.addresses = addresses;
            e.source_dest_check = check;
        }
        ipv6(l, i, &a, x);
    }
    public(l, i, &a, x);
    more_interfaces(l, i, &a, id);
}

/// Whether the cloud has the instance and shows what it has: it has an id.
fn there(a: &Attrs<'_>) -> bool {
    matches!(a.get("id").map(|n| &n.value), Some(Value::String(_)))
}

/// Why nothing is known of the interface that an instance, or a block of it, names.
fn elsewhere(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, named: &Attrs<'_>) -> Option<Unknown> {
    let n = named.get("network_interface_id")?;
    let u = match l.find(n) {
        Found::Unset | Found::Entity(Entity::Interface(_)) => return None,
        Found::Foreign(_) if there(a) => return None,
        Found::Foreign(id) => {
            l.dangling(i, "network_interface_id", &id, n.span, "network interface");
            Unknown::at(format!("`{id}` is not in the inventory"), n.span)
        }
        // Nobody wrote it: the interface is made with the instance.
        Found::Unknown(u) if left_to_cloud(&u) => return None,
        Found::Unknown(u) => u,
        Found::Entity(_) | Found::Resource(_) => Unknown::at("it is not the id of an interface", n.span),
    };
    l.unknown(i, "network_interface_id", &u);
    Some(u)
}

/// Whether a launch template that an instance names is in the input.
fn template_is_here(l: &mut Linker<'_>, a: &Attrs<'_>) -> bool {
    if let Some(n) = a.get("launch_template_id") {
        return matches!(l.find(n), Found::Entity(Entity::Template(_)));
    }
    let Some(n) = a.get("launch_template_name") else {
        return true;
    };
    let Fact::Known(name) = l.text(n) else {
        // By reference.
        return match &n.value {
            Value::Ref(r) => {
                let at = l.position(&r.address).and_then(|i| l.entity.get(i));
                matches!(at, Some(Some(Entity::Template(_))))
            }
            _ => false,
        };
    };
    l.res.iter().zip(&l.entity).any(|(r, e)| {
        let called = |k| matches!(r.get(k).map(|n| &n.value), Some(Value::String(s)) if *s == name);
        matches!(e, Some(Entity::Template(_))) && (called("launch_template_name") || called("name"))
    })
}

/// `internet_max_bandwidth_out` above 0 gives a static public IP; `allocate_public_ip` is dead (§19.8).
fn public(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, x: InterfaceId) {
    let mut origin = l.origin(i, a.get("internet_max_bandwidth_out").map_or(a.span, |n| n.span));
    // What is not written is taken from the launch template, if there is one.
    let template = a.first(&["launch_template_id", "launch_template_name"]);
    match (l.count(i, a, "internet_max_bandwidth_out"), template) {
        (Fact::Known(0), Some((name, n))) if a.get("internet_max_bandwidth_out").is_none() => {
            let u = Unknown::at("a launch template may give it", n.span);
            l.unknown(i, name, &u);
            origin.maybe = Some(Box::new(u));
        }
        (f, _) => match f {
            // What a state shows is there, whatever the bandwidth is: it may be of another kind of network, or not written.
            Fact::Known(0) => match a.get("public_ip").filter(|_| there(a)) {
                Some(n) if !matches!(&n.value, Value::Unknown(u) if left_to_cloud(u)) => {
                    let why = "it has a `public_ip`, and no bandwidth (`internet_max_bandwidth_out`)";
                    let u = Unknown::at(why, n.span);
                    l.unknown(i, "public_ip", &u);
                    origin.maybe = Some(Box::new(u));
                }
                _ => return,
            },
            Fact::Known(_) => {}
            Fact::Unknown(u) => origin.maybe = Some(Box::new(u)),
        },
    }
    let ip = match a.get("public_ip").map(|n| (l.text(n), n.span)) {
        Some((Fact::Known(t), span)) => {
            parse::ip(&t).map_or_else(|w| Fact::Unknown(Unknown::at(w, span)), Fact::Known)
        }
        Some((Fact::Unknown(u), _)) => Fact::Unknown(u),
        None => Fact::Unknown(Unknown::at("the cloud picks the address", a.span)),
    };
    if let Some(e) = l.typed.interfaces.get_mut(x.index()) {
        e.public.push(PublicAddress {
            origin,
            ip,
            eip: None,
            kind: PublicKind::StaticIp,
            private: 0,
        });
    }
}

/// Secondary interfaces that the instance names or makes.
fn more_interfaces(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, id: InstanceId) {
    let all = match a.blocks("network_interfaces") {
        // A template that is not here may bring more, and more addresses. What is there shows what it has.
        Blocks::Absent => {
            let named = a.first(&["launch_template_id", "launch_template_name"]);
            let Some((name, n)) = named.filter(|_| !there(a)) else {
                return;
            };
            if !template_is_here(l, a) {
                let why = "a launch template that is not in the inventory may give it more interfaces";
                perhaps(l, i, id, name, &Unknown::at(why, n.span));
            }
            return;
        }
        Blocks::Unknown(u) => return perhaps(l, i, id, "network_interfaces", &u),
        Blocks::List(all) => all,
    };
    for b in all {
        let named = match b.get("network_interface_id") {
            Some(n) => l.find(n),
            None => Found::Unset,
        };
        if let Found::Entity(Entity::Interface(x)) = named {
            let maybe = l.typed[id].meta.origin.maybe.clone();
            if let Some(e) = l.typed.interfaces.get_mut(x.index()) {
                e.instance = Some(id);
                e.meta.origin.maybe = e.meta.origin.maybe.take().or(maybe);
            }
            continue;
        }
        let away = elsewhere(l, i, a, &b);
        let mut meta = l.typed[id].meta.clone();
        meta.origin = l.origin(i, b.span);
        let x = push(l, blank(meta, Some(id), false));
        if let Found::Foreign(s) = &named {
            l.declare_id(s, Entity::Interface(x));
        }
        // Without a vSwitch of its own one that is made with the instance is in that of the instance; one that is not here is
        // where it is.
        let fixed = away.is_some();
        let strange = away.or_else(|| {
            let why = "the interface that it names is not in the inventory";
            let Found::Foreign(_) = named else { return None };
            Some(Unknown::at(why, b.span))
        });
        let vswitch = match (b.get("vswitch_id").filter(|_| !fixed), &strange) {
            (Some(_), _) => l.vswitch(i, &b, &["vswitch_id"]),
            (None, Some(u)) => Fact::Unknown(u.clone()),
            (None, None) => l.vswitch(i, a, &["vswitch_id", "subnet_id"]),
        };
        let (groups, foreign) = match (b.get("security_group_ids").filter(|_| !fixed), &strange) {
            (Some(_), _) => groups(l, i, &b, &["security_group_ids"]),
            (None, Some(u)) => (Fact::Unknown(u.clone()), Vec::new()),
            (None, None) => groups(l, i, a, &["security_groups"]),
        };
        let check = check(l, i, &b);
        let address = any(Unknown::at("the cloud picks the address", b.span));
        if let Some(e) = l.typed.interfaces.get_mut(x.index()) {
            e.vswitch = vswitch;
            e.groups = groups;
            e.foreign_groups = foreign;
            e.source_dest_check = check;
            e.addresses = vec![address];
        }
    }
}

/// How many interfaces there are is not known; one that may be anywhere stands for them.
fn perhaps(l: &mut Linker<'_>, i: usize, id: InstanceId, name: &str, u: &Unknown) {
    l.unknown(i, name, u);
    let mut meta = l.typed[id].meta.clone();
    meta.origin.maybe = Some(Box::new(u.clone()));
    somewhere(l, meta, id, u);
}

fn any(u: Unknown) -> Address {
    Address {
        spec: AddressSpec::AnyV4(u),
        kind: AddressKind::Primary,
        ipv6_internet: Ipv6Internet::None,
    }
}
