//! ECS instances: the primary interface, secondary ones, the static public IP (ALIBABA.md §4, §7.1, §19.8).

use super::attrs::{Attrs, Blocks};
use super::eni::{blank, check, groups, ipv6, primary, push, secondary};
use super::linker::{Entity, Found, Linker, next};
use super::{Handler, Identity, Role, Stage, TypeSpec, own, parse};
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
            if let Some(e) = l.typed.interfaces.get_mut(x.index()) {
                e.instance = Some(id);
                e.primary = true;
            }
            x
        }
        _ => {
            let meta = l.typed[id].meta.clone();
            let x = push(l, blank(meta, Some(id), true));
            if let Some(Value::String(s)) = a.get("network_interface_id").map(|n| &n.value) {
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
        // A primary interface that is not known brings its own groups.
        let named = a.get("network_interface_id").map(|n| l.find(n));
        let groups = match named {
            Some(Found::Unknown(u)) => {
                l.unknown(i, "network_interface_id", &u);
                Fact::Unknown(u)
            }
            _ => groups,
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
            Fact::Known(0) => return,
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
        Blocks::Absent => return,
        Blocks::Unknown(u) => {
            l.unknown(i, "network_interfaces", &u);
            // How many there are is not known; one that may be anywhere stands for them.
            let mut meta = l.typed[id].meta.clone();
            meta.origin.maybe = Some(Box::new(u.clone()));
            let mut one = blank(meta, Some(id), false);
            one.vswitch = Fact::Unknown(u.clone());
            one.groups = Fact::Unknown(u.clone());
            one.addresses = vec![any(u)];
            push(l, one);
            return;
        }
        Blocks::List(all) => all,
    };
    for b in all {
        let named = match b.get("network_interface_id") {
            Some(n) => l.find(n),
            None => Found::Unset,
        };
        if let Found::Entity(Entity::Interface(x)) = named {
            if let Some(e) = l.typed.interfaces.get_mut(x.index()) {
                e.instance = Some(id);
            }
            continue;
        }
        let mut meta = l.typed[id].meta.clone();
        meta.origin = l.origin(i, b.span);
        let x = push(l, blank(meta, Some(id), false));
        if let Found::Foreign(s) = &named {
            l.declare_id(s, Entity::Interface(x));
        }
        // Without a vSwitch of its own it is in that of the instance.
        let vswitch = match b.get("vswitch_id") {
            Some(_) => l.vswitch(i, &b, &["vswitch_id"]),
            None => l.vswitch(i, a, &["vswitch_id", "subnet_id"]),
        };
        let (groups, foreign) = match b.get("security_group_ids") {
            Some(_) => groups(l, i, &b, &["security_group_ids"]),
            None => groups(l, i, a, &["security_groups"]),
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

fn any(u: Unknown) -> Address {
    Address {
        spec: AddressSpec::AnyV4(u),
        kind: AddressKind::Primary,
        ipv6_internet: Ipv6Internet::None,
    }
}
