//! High-availability virtual IPs (ALIBABA.md §4).

use super::attrs::{Attrs, items};
use super::linker::{Entity, Found, Linker, next};
use super::{Handler, Identity, Role, Stage, TypeSpec, own, parse};
use crate::json::left_to_cloud;
use bartizan_base::Span;
use bartizan_model::*;
use std::collections::BTreeSet;

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
                "associated_instances",
                "associated_eip_addresses",
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
            attributes: &["id", "ha_vip_id", "havip_id", "instance_id"],
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

/// What a state shows of a virtual IP beside what attaches and associates: who held it, and which addresses were bound
/// to it, when it was read.
#[derive(Clone)]
pub(super) struct Shown<'r> {
    i: usize,
    span: Span,
    vip: HaVipId,
    instances: Option<&'r Node>,
    pub(super) eips: Option<&'r Node>,
}

impl Shown<'_> {
    /// The resource, where it is, and what it became.
    pub(super) fn of(&self) -> (usize, Span, HaVipId) {
        (self.i, self.span, self.vip)
    }
}

fn fill<'r>(l: &mut Linker<'r>, i: usize, a: Attrs<'r>) {
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
    // What a plan leaves open here belongs to a virtual IP that it makes: nobody holds that yet.
    let there = |n: &&Node| !matches!(&n.value, Value::Unknown(u) if left_to_cloud(u));
    l.vips_shown.push(Shown {
        i,
        span: a.span,
        vip: id,
        instances: a.get("associated_instances").filter(there),
        eips: a.get("associated_eip_addresses").filter(there),
    });
}

fn attach(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let vip = l.link(i, &a, &["ha_vip_id", "havip_id"], "HaVip", |e| {
        if let Entity::HaVip(h) = e { Some(h) } else { None }
    });
    let member = match a.get("instance_id") {
        Some(n) => match l.find(n) {
            Found::Entity(e) => l.interface_of(e),
            _ => None,
        },
        None => None,
    };
    let doubt = match (member, l.origin(i, a.span).maybe) {
        (_, Some(u)) => Some(*u),
        (Some(_), None) => None,
        (None, None) => {
            let u = Unknown::at("the interface that may hold the address is not known", a.span);
            l.unknown(i, "instance_id", &u);
            Some(u)
        }
    };
    let h = match vip {
        Fact::Known(h) => h,
        Fact::Unknown(u) => {
            match member {
                Some(x) => {
                    let at = list(l, x, AddressSpec::AnyV4(u.clone()));
                    // It may be any of them, with what is bound to it.
                    let home = l
                        .typed
                        .interfaces
                        .get(x.index())
                        .and_then(|f| f.vswitch.known().copied());
                    for n in 0..l.typed.ha_vips.len() {
                        let h = HaVipId(next(n));
                        let there = l.typed[h].vswitch.known().copied();
                        if there.zip(home).is_some_and(|(a, b)| a != b) {
                            continue;
                        }
                        l.vip_on.entry(h).or_default().extend(at.map(|at| (x, at)));
                        if let Some(v) = l.typed.ha_vips.get_mut(n) {
                            v.members.push(Fact::Unknown(u.clone()));
                        }
                    }
                    at
                }
                None => {
                    let why = "neither the virtual IP nor the interface that may hold it is known";
                    l.refused.insert(i, why.into());
                    None
                }
            };
            return;
        }
    };
    // Of one that a plan makes the cloud has shown nothing yet.
    if let (Some(x), Some(Value::String(_))) = (member, a.get("id").map(|n| &n.value)) {
        l.vips_attached.entry(h).or_default().push((i, x));
    }
    hold(l, h, member, doubt);
}

/// Gives a virtual IP to an interface that may be its holder, or to any that may be, where it is not known which.
fn hold(l: &mut Linker<'_>, h: HaVipId, member: Option<InterfaceId>, doubt: Option<Unknown>) {
    let vip = &l.typed[h];
    let (ip, home) = (vip.ip.clone(), vip.vswitch.clone());
    // What is behind a link holds nothing of the cloud.
    let sites: BTreeSet<InterfaceId> = l.typed.sites.iter().map(|s| s.interface).collect();
    let holders: Vec<InterfaceId> = match member {
        Some(x) => vec![x],
        // Any interface of the vSwitch may be meant.
        None => (0u32..)
            .zip(&l.typed.interfaces)
            .filter(|(n, _)| !sites.contains(&InterfaceId(*n)))
            .filter(|(_, x)| match (home.known(), x.vswitch.known()) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            })
            .map(|(n, _)| InterfaceId(n))
            .collect(),
    };
    let spec = match (&doubt, ip) {
        (None, Fact::Known(ip)) => AddressSpec::Ip(ip),
        // Where it may be is not where it is: an address that the cloud picks stands for it.
        (Some(u), _) => AddressSpec::AnyV4(u.clone()),
        (None, Fact::Unknown(u)) => AddressSpec::AnyV4(u),
    };
    for x in holders {
        if let Some(at) = list(l, x, spec.clone()) {
            l.vip_on.entry(h).or_default().push((x, at));
        }
    }
    if let Some(vip) = l.typed.ha_vips.get_mut(h.index()) {
        vip.members.push(match (member, doubt) {
            (Some(x), None) => Fact::Known(x),
            (_, Some(u)) => Fact::Unknown(u),
            (None, None) => return,
        });
    }
}

/// Lists the address of a virtual IP on an interface; gives its position.
fn list(l: &mut Linker<'_>, x: InterfaceId, spec: AddressSpec) -> Option<u32> {
    let e = l.typed.interfaces.get_mut(x.index())?;
    // One that may be anywhere stands for all of them.
    if matches!(spec, AddressSpec::AnyV4(_)) {
        let any = |a: &Address| a.kind == AddressKind::HaVip && matches!(a.spec, AddressSpec::AnyV4(_));
        if let Some(at) = e.addresses.iter().position(any) {
            return u32::try_from(at).ok();
        }
    }
    let at = next(e.addresses.len());
    e.addresses.push(Address {
        spec,
        kind: AddressKind::HaVip,
        ipv6_internet: Ipv6Internet::None,
    });
    Some(at)
}

/// Adds the holders that a state shows on the virtual IP itself to those that attachments name. Both come from the cloud,
/// at different times: where attachments name somebody who is not in a list that has others, who holds it is not known.
pub(super) fn shown(l: &mut Linker<'_>) {
    for s in l.vips_shown.clone() {
        let Some(n) = s.instances else { continue };
        let all = match items(n) {
            Ok(all) => all,
            Err(u) => {
                l.unknown(s.i, "associated_instances", &u);
                hold(l, s.vip, None, Some(u));
                continue;
            }
        };
        let attached = l.vips_attached.get(&s.vip).cloned().unwrap_or_default();
        let mut listed = Vec::new();
        let mut strange = false;
        for n in &all {
            let u = match l.find(n) {
                Found::Unset => continue,
                Found::Entity(e) if let Some(x) = l.interface_of(e) => {
                    listed.push(x);
                    continue;
                }
                Found::Foreign(id) => {
                    l.dangling(s.i, "associated_instances", &id, n.span, "holder of a HaVip");
                    Unknown::at(format!("`{id}` is not in the inventory"), n.span)
                }
                Found::Unknown(u) => u,
                Found::Entity(_) | Found::Resource(_) => {
                    Unknown::at("it is not the id of an interface", n.span)
                }
            };
            strange = true;
            l.unknown(s.i, "associated_instances", &u);
            hold(l, s.vip, None, Some(u));
        }
        let other = attached.iter().find(|(_, x)| !listed.contains(x));
        let other = other.filter(|_| !listed.is_empty() || strange).copied();
        for x in listed {
            if !l.typed[s.vip].members.contains(&Fact::Known(x)) {
                hold(l, s.vip, Some(x), None);
            }
        }
        if let Some((by, x)) = other {
            let address = |i: usize| l.res.get(i).map_or("?", |r| &r.address);
            let holder = l.typed[x].meta.origin.address.clone();
            let why = format!(
                "`{}` attaches `{holder}`, and `associated_instances` of `{}` has others",
                address(by),
                address(s.i)
            );
            let u = Unknown::at(why, s.span);
            l.unknown(s.i, "associated_instances", &u);
            perhaps(l, s.vip, u);
        }
    }
}

/// Who holds a virtual IP is not known: nobody who may does so for certain.
fn perhaps(l: &mut Linker<'_>, h: HaVipId, u: Unknown) {
    for (x, at) in l.vip_on.get(&h).cloned().unwrap_or_default() {
        let i = l.typed.interfaces.get_mut(x.index());
        if let Some(a) = i.and_then(|i| i.addresses.get_mut(at as usize)) {
            a.spec = AddressSpec::AnyV4(u.clone());
        }
    }
    if let Some(v) = l.typed.ha_vips.get_mut(h.index()) {
        v.members.push(Fact::Unknown(u));
    }
}

/// A route to a virtual IP that somebody unknown may hold leads to somebody unknown, too.
pub(super) fn settle(l: &mut Linker<'_>) {
    let vips = &l.typed.ha_vips;
    for e in &mut l.typed.route_entries {
        let unknown: Vec<Unknown> = e
            .next_hops
            .iter()
            .filter_map(|h| match h {
                NextHop::HaVip(h) => vips
                    .get(h.index())?
                    .members
                    .iter()
                    .find_map(Fact::unknown)
                    .cloned(),
                _ => None,
            })
            .collect();
        e.next_hops.extend(unknown.into_iter().map(NextHop::Unknown));
    }
}
