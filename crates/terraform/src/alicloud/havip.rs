//! High-availability virtual IPs (ALIBABA.md §4).

use super::attrs::Attrs;
use super::linker::{Entity, Linker, next};
use super::{Handler, Identity, Role, Stage, TypeSpec, own, parse};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_ha_vip",
            attributes: &[
                "id",
                "tags",
                "ha_vip_name",
                "havip_name",
                "ha_vip_id",
                "vswitch_id",
                "ip_address",
            ],
        },
        aliases: &["alicloud_havip"],
        identities: &[
            own("id"),
            own("ha_vip_id"),
            Identity {
                attribute: "ip_address",
                role: Role::Own,
                literal: false,
            },
        ],
        steps: &[(Stage::Declare, declare), (Stage::Fill, fill)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_havip_attachment",
            attributes: &["ha_vip_id", "havip_id", "instance_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, attach)],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["ha_vip_name", "havip_name"]);
    let id = HaVipId(next(l.typed.ha_vips.len()));
    let u = || Unknown::new("not linked");
    l.typed.ha_vips.push(HaVip {
        meta,
        vswitch: Fact::Unknown(u()),
        ip: Fact::Unknown(u()),
        members: Vec::new(),
    });
    l.declare(i, Entity::HaVip(id));
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::HaVip(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vswitch = l.vswitch(i, &a, &["vswitch_id"]);
    let ip = match a.get("ip_address") {
        None => Fact::Unknown(Unknown::at("the cloud picks the address", a.span)),
        Some(n) => match l.text(n) {
            Fact::Known(t) => match parse::ip(&t) {
                Ok(ip) => Fact::Known(ip),
                Err(why) => {
                    Fact::Unknown(l.invalid(i, "ip_address", n.span, &why, "write an address of the vSwitch"))
                }
            },
            Fact::Unknown(u) => Fact::Unknown(u),
        },
    };
    if let Some(h) = l.typed.ha_vips.get_mut(id.index()) {
        h.vswitch = vswitch;
        h.ip = ip;
    }
}

fn attach(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let vip = l.link(i, &a, &["ha_vip_id", "havip_id"], "HaVip", |e| {
        if let Entity::HaVip(h) = e { Some(h) } else { None }
    });
    let member = match a.get("instance_id") {
        Some(n) => match l.find(n) {
            super::linker::Found::Entity(e) => l.interface_of(e),
            _ => None,
        },
        None => None,
    };
    let maybe = l.origin(i, a.span).maybe.map(|u| *u);
    let fact = match (member, maybe) {
        (Some(x), None) => Fact::Known(x),
        (_, Some(u)) => Fact::Unknown(u),
        (None, None) => {
            let u = Unknown::at("the interface that may hold the address is not known", a.span);
            l.unknown(i, "instance_id", &u);
            Fact::Unknown(u)
        }
    };
    let Fact::Known(h) = vip else { return };
    let Some(vip) = l.typed.ha_vips.get_mut(h.index()) else {
        return;
    };
    let spec = match &vip.ip {
        Fact::Known(ip) => AddressSpec::Ip(*ip),
        Fact::Unknown(u) => AddressSpec::AnyV4(u.clone()),
    };
    if let Fact::Known(x) = fact
        && let Some(e) = l.typed.interfaces.get_mut(x.index())
    {
        e.addresses.push(Address {
            spec,
            kind: AddressKind::HaVip,
            ipv6_internet: Ipv6Internet::None,
        });
    }
    vip.members.push(fact);
}
