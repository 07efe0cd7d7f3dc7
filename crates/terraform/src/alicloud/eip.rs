//! Elastic IP addresses and what they are bound to (ALIBABA.md §7.4).

use super::attrs::Attrs;
use super::linker::{Entity, Found, Linker, next};
use super::{Handler, Stage, TypeSpec, own, parse};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_eip_address",
            attributes: &[
                "id",
                "tags",
                "address_name",
                "name",
                "allocation_id",
                "ip_address",
                "mode",
            ],
        },
        aliases: &["alicloud_eip"],
        identities: &[own("id"), own("allocation_id"), own("ip_address")],
        steps: &[(Stage::Declare, declare)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_eip_association",
            attributes: &[
                "allocation_id",
                "instance_id",
                "instance_type",
                "mode",
                "private_ip_address",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, associate)],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["address_name", "name"]);
    let ip = match a.get("ip_address") {
        None => Fact::Unknown(Unknown::at("the cloud picks the address", a.span)),
        Some(n) => match l.text(n) {
            Fact::Known(t) => match parse::ip(&t) {
                Ok(ip) => Fact::Known(ip),
                Err(why) => Fact::Unknown(l.invalid(i, "ip_address", n.span, &why, "write an address")),
            },
            Fact::Unknown(u) => Fact::Unknown(u),
        },
    };
    let id = EipId(next(l.typed.eips.len()));
    l.typed.eips.push(Eip {
        meta,
        ip,
        bound: Vec::new(),
    });
    l.declare(i, Entity::Eip(id));
}

fn associate(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let eip = l.link(i, &a, &["allocation_id"], "EIP", |e| {
        if let Entity::Eip(x) = e { Some(x) } else { None }
    });
    let found = match a.get("instance_id") {
        Some(n) => l.find(n),
        None => Found::Unset,
    };
    let kind = match a.get("instance_type").map(|n| l.text(n)) {
        Some(Fact::Known(t)) => Some(t),
        _ => None,
    };
    let origin = l.origin(i, a.span);
    let target = match found {
        Found::Entity(Entity::Nat(n)) => EipTarget::Nat(n),
        Found::Entity(Entity::HaVip(h)) => {
            holders(l, h, eip.known().copied(), &origin);
            EipTarget::HaVip(h)
        }
        Found::Entity(e) => match l.interface_of(e) {
            Some(x) => {
                public(l, i, &a, x, eip.known().copied(), origin.clone());
                EipTarget::Interface(x)
            }
            None => {
                let u = l.invalid(
                    i,
                    "instance_id",
                    a.span,
                    "an EIP cannot be bound to it",
                    "name an instance, an interface, a NAT gateway or a HaVip",
                );
                EipTarget::Unknown(u)
            }
        },
        Found::Resource(r) => {
            EipTarget::Unmodelled(l.res.get(r).map_or_else(|| "?".into(), |r| r.address.clone()))
        }
        Found::Foreign(id) => {
            // What the id or the type says is not modelled is bound to nothing that is.
            let elsewhere = id.starts_with("lb-")
                || kind.as_deref().is_some_and(|k| {
                    k.eq_ignore_ascii_case("SlbInstance") || k.eq_ignore_ascii_case("IpAddress")
                });
            if elsewhere {
                EipTarget::Unmodelled(id)
            } else {
                l.dangling(i, "instance_id", &id, a.span, "target of an EIP");
                let u = Unknown::at(format!("`{id}` is not in the inventory"), a.span);
                l.unknown(i, "instance_id", &u);
                EipTarget::Unknown(u)
            }
        }
        Found::Unset => {
            EipTarget::Unknown(l.invalid(i, "instance_id", a.span, "no target is set", "set `instance_id`"))
        }
        Found::Unknown(u) => {
            l.unknown(i, "instance_id", &u);
            EipTarget::Unknown(u)
        }
    };
    // Whose module is not here is not understood as a whole; its insides are not in the inventory.
    let inside = a.get("instance_id").is_some_and(|n| l.of_unloaded_module(n));
    if let (EipTarget::Unknown(u), false) = (&target, inside) {
        l.loose_eips.push(Loose {
            eip: eip.known().copied(),
            only: kind.as_deref().and_then(Only::of),
            origin: Origin {
                maybe: Some(Box::new(u.clone())),
                ..origin.clone()
            },
        });
    }
    // Whether it is bound at all may be unknown; the interface keeps that in the origin of its public address.
    let target = match (&origin.maybe, target) {
        (Some(u), EipTarget::Nat(_) | EipTarget::HaVip(_)) => EipTarget::Unknown((**u).clone()),
        (_, t) => t,
    };
    match eip {
        Fact::Known(e) => {
            if let Some(e) = l.typed.eips.get_mut(e.index()) {
                e.bound.push(target);
            }
        }
        // One outside of the inventory; or one of those in it, which must not look unbound then.
        Fact::Unknown(u)
            if !a
                .get("allocation_id")
                .is_some_and(|n| matches!(n.value, Value::String(_))) =>
        {
            l.loose_eips.push(Loose {
                eip: None,
                only: Some(Only::None),
                origin: Origin {
                    maybe: Some(Box::new(u)),
                    ..origin
                },
            });
        }
        Fact::Unknown(_) => {}
    }
}

/// A binding of a public address to something that is not known.
#[derive(Clone, Debug)]
pub(super) struct Loose {
    eip: Option<EipId>,
    only: Option<Only>,
    /// With the reason in `maybe`.
    origin: Origin,
}

/// More bindings than this to things that are not known are put together.
const MANY: usize = 16;

/// What the type of a binding leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Only {
    /// No interface of the inventory.
    None,
    /// Primary interfaces of instances.
    Primary,
}

impl Only {
    fn of(kind: &str) -> Option<Only> {
        match kind.to_ascii_lowercase().as_str() {
            "ecsinstance" => Some(Only::Primary),
            "nat" | "slbinstance" | "ipaddress" => Some(Only::None),
            _ => None,
        }
    }
}

/// Puts the public addresses of unknown place onto every interface that may be meant, as ones that may exist.
pub(super) fn settle(l: &mut Linker<'_>) {
    let mut all = std::mem::take(&mut l.loose_eips);
    if all.len() > MANY {
        // One of unknown address stands for very many, so that the cost stays linear.
        for only in [None, Some(Only::Primary)] {
            if let Some(i) = all.iter().position(|x| x.only == only) {
                let mut one = all.swap_remove(i);
                one.eip = None;
                all.retain(|x| x.only != only);
                all.push(one);
            }
        }
    }
    for loose in all {
        let ip = match loose.eip {
            Some(e) => l.typed[e].ip.clone(),
            None => Fact::Unknown(Unknown::new("the EIP is not known")),
        };
        if let (None, Some(u)) = (loose.eip, &loose.origin.maybe) {
            for e in l.typed.eips.iter_mut().filter(|e| e.bound.is_empty()) {
                e.bound.push(EipTarget::Unknown((**u).clone()));
            }
        }
        if loose.only == Some(Only::None) {
            continue;
        }
        for x in &mut l.typed.interfaces {
            let fits = loose.only.is_none() || (x.primary && x.instance.is_some());
            // §7.4: an address that surely has one takes no other.
            let has = x
                .public
                .iter()
                .any(|p| p.private == 0 && p.origin.maybe.is_none());
            if !fits || has || x.addresses.is_empty() {
                continue;
            }
            x.public.push(PublicAddress {
                origin: loose.origin.clone(),
                ip: ip.clone(),
                eip: loose.eip,
                kind: PublicKind::Eip,
                private: 0,
            });
        }
    }
}

/// The public address of a virtual IP is that of whoever holds it.
fn holders(l: &mut Linker<'_>, h: HaVipId, eip: Option<EipId>, origin: &Origin) {
    let on = l.vip_on.get(&h).cloned().unwrap_or_default();
    let sure = on.len() == 1 && l.typed[h].members.iter().all(|m| m.known().is_some());
    let ip = match eip {
        Some(e) => l.typed[e].ip.clone(),
        None => Fact::Unknown(Unknown::at("the EIP is not known", origin.span)),
    };
    for (x, private) in on {
        let mut origin = origin.clone();
        if !sure && origin.maybe.is_none() {
            let why = "one of several interfaces holds the virtual IP";
            origin.maybe = Some(Box::new(Unknown::at(why, origin.span)));
        }
        if let Some(x) = l.typed.interfaces.get_mut(x.index()) {
            x.public.push(PublicAddress {
                origin,
                ip: ip.clone(),
                eip,
                kind: PublicKind::Eip,
                private,
            });
        }
    }
}

/// The public address of an interface.
fn public(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, x: InterfaceId, eip: Option<EipId>, origin: Origin) {
    let wanted = match a.get("private_ip_address").map(|n| l.text(n)) {
        Some(Fact::Known(t)) => parse::ip(&t).ok(),
        _ => None,
    };
    let private = wanted.and_then(|ip| {
        let all = &l.typed.interfaces.get(x.index())?.addresses;
        all.iter().position(|a| a.spec == AddressSpec::Ip(ip))
    });
    if wanted.is_some() && private.is_none() {
        l.note(
            i,
            "`private_ip_address` is not an address of the interface; the primary one is taken",
        );
    }
    let private = private.unwrap_or(0);
    let own = match a.get("mode") {
        Some(n) => l.text(n).known().cloned(),
        None => eip.and_then(|e| {
            let address = l.typed.eips.get(e.index())?.meta.origin.address.clone();
            let r = l.res.get(l.position(&address)?)?;
            let n = r.get("mode")?;
            l.text(n).known().cloned()
        }),
    };
    // §7.4: ENI-visible modes switch the private network of the interface off.
    let kind = match own.as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("BINDED") => PublicKind::EipBinded,
        Some("MULTI_BINDED") => {
            l.note(i, "mode MULTI_BINDED is closed to new users and read as NAT");
            PublicKind::Eip
        }
        _ => PublicKind::Eip,
    };
    let ip = match eip.and_then(|e| l.typed.eips.get(e.index())) {
        Some(e) => e.ip.clone(),
        None => Fact::Unknown(Unknown::at("the EIP is not known", a.span)),
    };
    if let Some(e) = l.typed.interfaces.get_mut(x.index())
        && !e.addresses.is_empty()
    {
        e.public.push(PublicAddress {
            origin,
            ip,
            eip,
            kind,
            private: next(private),
        });
    }
}
