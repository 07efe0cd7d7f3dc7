//! Elastic IP addresses and what they are bound to (ALIBABA.md §7.4).

use super::attrs::{Attrs, items};
use super::linker::{Entity, Found, Linker, next};
use super::{Handler, Stage, TypeSpec, own, parse};
use crate::json::left_to_cloud;
use bartizan_base::{Diagnostic, Span};
use bartizan_model::*;
use std::collections::BTreeSet;
use std::net::IpAddr;

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
                "status",
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
                "vpc_id",
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
    used(l, i, &a, id);
}

/// What `status` is while an EIP has a holder, or gets or loses one.
const USED: [&str; 3] = ["InUse", "Associating", "Unassociating"];

/// Takes down that a state shows an EIP in use: somebody has it, whether or not that is in the input.
fn used(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, eip: EipId) {
    let Some(Fact::Known(status)) = a.get("status").map(|n| l.text(n)) else {
        return;
    };
    if !USED.iter().any(|u| u.eq_ignore_ascii_case(&status)) {
        return;
    }
    let address = l.origin(i, a.span).address;
    let why = format!("`{address}` is in use (`{status}`), and nothing in the input says by what");
    let u = Unknown::at(why, a.span);
    let mut origin = l.origin(i, a.span);
    origin.doubt(|| u.clone());
    let kinds = modes(l, i, a, Some(eip), &origin);
    let loose = Loose {
        eip: Some(eip),
        only: None,
        // It may be bound to any address of an interface, and to a virtual one.
        at: Some(Fact::Unknown(u)),
        kinds: kinds.into_iter().map(|(k, _)| k).collect(),
        origin,
    };
    l.eips_in_use.push((i, loose));
}

/// What a state shows in use, and nothing in the input holds, anything in the input may hold.
pub(super) fn in_use(l: &mut Linker<'_>) {
    for (i, loose) in std::mem::take(&mut l.eips_in_use) {
        let (Some(id), Some(why)) = (loose.eip, loose.origin.maybe.clone()) else {
            continue;
        };
        let taken = |x: &ByAddress| x.eip == Some(id);
        if !l.typed[id].bound.is_empty() || l.eips_by_address.iter().any(taken) {
            continue;
        }
        l.note(i, format!("`status`: {}", why.why));
        l.diagnostics.push(
            Diagnostic::warning("INPUT004", why.why.to_string())
                .at(loose.origin.span, "declared here")
                .help(
                    "read the configuration or state that binds it too; until then anything here may have it",
                ),
        );
        if let Some(e) = l.typed.eips.get_mut(id.index()) {
            e.bound.push(EipTarget::Unknown(*why));
        }
        l.loose_eips.push(loose);
    }
}

/// Adds the public addresses that a state shows on a virtual IP to those that associations bind.
pub(super) fn shown(l: &mut Linker<'_>) {
    for s in std::mem::take(&mut l.vips_shown) {
        let (i, span, vip) = s.of();
        let Some(n) = s.eips else { continue };
        let all = match items(n) {
            Ok(all) => all,
            Err(u) => {
                l.unknown(i, "associated_eip_addresses", &u);
                let mut origin = l.origin(i, span);
                origin.doubt(|| u.clone());
                holders(l, vip, None, &Fact::Unknown(u.clone()), &origin);
                // It may be one of those here that nothing else binds.
                for e in l.typed.eips.iter_mut().filter(|e| e.bound.is_empty()) {
                    e.bound.push(EipTarget::Unknown(u.clone()));
                }
                continue;
            }
        };
        for n in all {
            on_vip(l, i, n, vip);
        }
    }
}

/// One address that a state shows on a virtual IP.
fn on_vip(l: &mut Linker<'_>, i: usize, n: &Node, vip: HaVipId) {
    let mut origin = l.origin(i, n.span);
    let (eip, ip) = match l.find(n) {
        Found::Unset => return,
        Found::Entity(Entity::Eip(e)) => (Some(e), l.typed[e].ip.clone()),
        _ => {
            let help = "it is an address as the cloud writes it";
            let ip = l.parsed(i, "associated_eip_addresses", n, help, parse::ip);
            (None, ip)
        }
    };
    if let Some(e) = eip {
        let bound = &l.typed[e].bound;
        if bound.contains(&EipTarget::HaVip(vip)) {
            return;
        }
        // It is bound to something else as well, which no EIP is.
        let by_address = |x: &ByAddress| x.eip == Some(e);
        if !bound.is_empty() || l.eips_by_address.iter().any(by_address) {
            let at = |p: usize| l.res.get(p).map_or("?", |r| &r.address);
            let why = format!(
                "`associated_eip_addresses` of `{}` has `{}`, which is, or may be, bound to something else here",
                at(i),
                l.typed[e].meta.origin.address
            );
            let u = Unknown::at(why, n.span);
            l.unknown(i, "associated_eip_addresses", &u);
            origin.doubt(|| u.clone());
            let public = l.typed.interfaces.iter_mut().flat_map(|x| &mut x.public);
            let here = public.filter(|p| p.eip == Some(e)).map(|p| &mut p.origin);
            let mine = l.eips_by_address.iter_mut().filter(|x| x.eip == Some(e));
            let there = mine.flat_map(|x| x.modes.iter_mut().map(|(_, o)| o));
            for o in here.chain(there) {
                o.doubt(|| u.clone());
            }
            if let Some(e) = l.typed.eips.get_mut(e.index()) {
                e.bound = vec![EipTarget::Unknown(u)];
            }
        }
    }
    holders(l, vip, eip, &ip, &origin);
    let target = match origin.maybe {
        Some(u) => EipTarget::Unknown(*u),
        None => EipTarget::HaVip(vip),
    };
    if let Some(e) = eip.and_then(|e| l.typed.eips.get_mut(e.index())) {
        e.bound.push(target);
    }
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
    if let Fact::Unknown(u) = &eip {
        perhaps_ours(l, &a, u.clone(), origin.clone());
    }
    if kind
        .as_deref()
        .is_some_and(|k| k.eq_ignore_ascii_case("IpAddress"))
    {
        return by_address(l, i, &a, eip.known().copied(), origin);
    }
    let mut only = kind.as_deref().and_then(Only::of);
    let target = match found {
        Found::Entity(Entity::Nat(n)) => EipTarget::Nat(n),
        Found::Entity(Entity::HaVip(h)) => {
            let ip = ip_of(l, eip.known().copied(), origin.span);
            holders(l, h, eip.known().copied(), &ip, &origin);
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
                || kind
                    .as_deref()
                    .is_some_and(|k| k.eq_ignore_ascii_case("SlbInstance"));
            let here = l.may_be(Entity::Balancer(BalancerId(0)), &id, a.span);
            if let (true, Some(u)) = (elsewhere, here) {
                only = Some(Only::Clb);
                l.note(i, format!("`instance_id`: {}", u.why));
                EipTarget::Unknown(u)
            } else if elsewhere {
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
        let origin = Origin {
            maybe: Some(Box::new(u.clone())),
            ..origin.clone()
        };
        let eip = eip.known().copied();
        let modes = modes(l, i, &a, eip, &origin);
        let at = private_address(l, i, &a);
        l.loose_eips.push(Loose {
            eip,
            only,
            at,
            kinds: modes.into_iter().map(|(k, _)| k).collect(),
            origin,
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
        Fact::Unknown(_) => {}
    }
}

/// One outside of the inventory; or one of those in it, which must not look unbound then.
fn perhaps_ours(l: &mut Linker<'_>, a: &Attrs<'_>, mut u: Unknown, origin: Origin) {
    if let Some(n) = a.get("allocation_id")
        && let Value::String(id) = &n.value
    {
        match l.may_be(Entity::Eip(EipId(0)), id, n.span) {
            Some(here) => u = here,
            None => return,
        }
    }
    l.loose_eips.push(Loose {
        eip: None,
        only: Some(Only::None),
        at: None,
        kinds: Vec::new(),
        origin: Origin {
            maybe: Some(Box::new(u)),
            ..origin
        },
    });
}

/// Takes down a binding to a private address of a VPC (§7.4). Whose it is is known when every interface is there.
fn by_address(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, eip: Option<EipId>, mut origin: Origin) {
    let vpc = match a.get("vpc_id") {
        Some(_) => l.vpc(i, a).known().copied(),
        None => None,
    };
    let ip = match a.get("instance_id") {
        Some(n) => l.parsed(i, "instance_id", n, "write a private address", parse::ip),
        None => Fact::Unknown(l.invalid(i, "instance_id", a.span, "no target is set", "set `instance_id`")),
    };
    // An EIP of somebody else may be one of those here that are bound to nothing.
    if let (None, None) = (eip, &origin.maybe) {
        origin.maybe = Some(Box::new(Unknown::at("the EIP is not known", a.span)));
    }
    let modes = modes(l, i, a, eip, &origin);
    l.eips_by_address.push(ByAddress {
        i,
        span: a.span,
        eip,
        vpc,
        ip,
        modes,
    });
}

/// A binding of a public address to a private one.
#[derive(Clone, Debug)]
pub(super) struct ByAddress {
    /// The resource, and where it is.
    i: usize,
    span: Span,
    eip: Option<EipId>,
    /// Any VPC, where it is not known.
    vpc: Option<VpcId>,
    ip: Fact<IpAddr>,
    modes: Vec<(PublicKind, Origin)>,
}

/// Gives what is bound by its address to whoever has the address, or may get it.
fn settle_addresses(l: &mut Linker<'_>) {
    for b in std::mem::take(&mut l.eips_by_address) {
        let mut surely = Vec::new();
        let mut perhaps = Vec::new();
        for (x, iface) in (0u32..).map(InterfaceId).zip(&l.typed.interfaces) {
            let vswitch = iface.vswitch.known().map(|v| &l.typed[*v]);
            let home = vswitch.and_then(|v| v.vpc.known().copied());
            if let (Some(a), Some(b)) = (b.vpc, home)
                && a != b
            {
                continue;
            }
            let within = |ip: &IpAddr| match vswitch.map(|v| &v.cidr) {
                Some(Fact::Known(net)) => net.contains(ip),
                _ => true,
            };
            for (n, a) in (0u32..).zip(&iface.addresses) {
                let fits = match (&a.spec, &b.ip) {
                    (_, Fact::Unknown(_)) => a.kind != AddressKind::Ipv6,
                    (AddressSpec::Ip(own), Fact::Known(ip)) => own == ip,
                    (_, Fact::Known(ip)) => a.kind != AddressKind::Ipv6 && within(ip),
                };
                let sure = matches!((&a.spec, &b.ip), (AddressSpec::Ip(_), Fact::Known(_)))
                    && b.vpc.is_some()
                    && b.vpc == home;
                if fits {
                    if sure { &mut surely } else { &mut perhaps }.push((x, n));
                }
            }
        }
        // One of them has it for certain, or it may be that of any.
        let (to, doubt) = match (surely.as_slice(), &b.ip) {
            ([_], _) => (surely, None),
            (_, Fact::Unknown(u)) => (perhaps, Some(u.clone())),
            (_, Fact::Known(_)) => {
                let u = Unknown::at("whose the address is is not known", b.span);
                ([surely, perhaps].concat(), Some(u))
            }
        };
        let target = match (to.first(), &doubt) {
            (None, _) => {
                l.note(b.i, "nobody here has the address that the EIP is bound to");
                EipTarget::Unmodelled("an address of nobody here".into())
            }
            (Some(_), Some(u)) => EipTarget::Unknown(u.clone()),
            (Some((x, _)), None) => EipTarget::Interface(*x),
        };
        let ip = ip_of(l, b.eip, b.span);
        bind(l, to, (b.eip, &ip), &b.modes, doubt.as_ref());
        if let Some(e) = b.eip.and_then(|e| l.typed.eips.get_mut(e.index())) {
            e.bound.push(target);
        }
    }
}

/// How a public address is bound to an interface (§7.4). Where that is not known it may be bound in either way, and in none
/// for certain.
fn modes(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    eip: Option<EipId>,
    origin: &Origin,
) -> Vec<(PublicKind, Origin)> {
    let own = match a.get("mode") {
        Some(n) => Some(l.text(n)),
        None => eip.and_then(|e| {
            let address = l.typed.eips.get(e.index())?.meta.origin.address.clone();
            let r = l.res.get(l.position(&address)?)?;
            let n = r.get("mode")?;
            Some(l.text(n))
        }),
    };
    match own {
        // What a plan says is filled in by the cloud is what nobody has set.
        Some(Fact::Unknown(u)) if !left_to_cloud(&u) => {
            l.unknown(i, "mode", &u);
            let mut origin = origin.clone();
            origin.doubt(|| u);
            vec![(PublicKind::Eip, origin.clone()), (PublicKind::EipBinded, origin)]
        }
        Some(Fact::Known(t)) if t.eq_ignore_ascii_case("BINDED") => {
            vec![(PublicKind::EipBinded, origin.clone())]
        }
        Some(Fact::Known(t)) if t.eq_ignore_ascii_case("MULTI_BINDED") => {
            l.note(
                i,
                "mode MULTI_BINDED is closed to new users: it is read as NAT or BINDED, whichever decides less",
            );
            let mut origin = origin.clone();
            let why = "what mode MULTI_BINDED does to packets is not documented";
            origin
                .maybe
                .get_or_insert_with(|| Box::new(Unknown::at(why, a.span)));
            vec![(PublicKind::Eip, origin.clone()), (PublicKind::EipBinded, origin)]
        }
        _ => vec![(PublicKind::Eip, origin.clone())],
    }
}

/// A binding of a public address to something that is not known.
#[derive(Clone, Debug)]
pub(super) struct Loose {
    eip: Option<EipId>,
    only: Option<Only>,
    /// The private address that it is bound to: the primary one if none is written.
    at: Option<Fact<IpAddr>>,
    kinds: Vec<PublicKind>,
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
    /// Addresses of CLB.
    Clb,
}

impl Only {
    fn of(kind: &str) -> Option<Only> {
        match kind.to_ascii_lowercase().as_str() {
            "ecsinstance" => Some(Only::Primary),
            "nat" => Some(Only::None),
            "slbinstance" => Some(Only::Clb),
            _ => None,
        }
    }
}

/// Puts the public addresses of unknown place onto every interface that may be meant, as ones that may exist.
pub(super) fn settle(l: &mut Linker<'_>) {
    settle_addresses(l);
    let mut all = std::mem::take(&mut l.loose_eips);
    if all.len() > MANY {
        // One of unknown address stands for very many, so that the cost stays linear.
        for only in [None, Some(Only::Primary), Some(Only::Clb)] {
            if let Some(i) = all.iter().position(|x| x.only == only) {
                let mut one = all.swap_remove(i);
                one.eip = None;
                if one.at.is_some() || all.iter().any(|x| x.only == only && x.at.is_some()) {
                    one.at = Some(Fact::Unknown(Unknown::new("many addresses are bound")));
                }
                for x in all.iter().filter(|x| x.only == only) {
                    let more = x.kinds.iter().filter(|k| !one.kinds.contains(k)).copied();
                    one.kinds.extend(more.collect::<Vec<_>>());
                }
                all.retain(|x| x.only != only);
                all.push(one);
            }
        }
    }
    let clb: BTreeSet<InterfaceId> = (l.typed.balancers.iter())
        .filter(|b| b.kind == BalancerKind::Clb)
        .flat_map(|b| b.fronts.iter().copied())
        .collect();
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
        for (id, x) in (0u32..).map(InterfaceId).zip(&mut l.typed.interfaces) {
            let fits = match loose.only {
                None => true,
                Some(Only::Primary) => x.primary && x.instance.is_some(),
                Some(Only::Clb) => clb.contains(&id),
                Some(Only::None) => false,
            };
            if !fits {
                continue;
            }
            let all = (0u32..).zip(&x.addresses);
            let at: Vec<u32> = all
                .filter(|(n, a)| match (&loose.at, &a.spec) {
                    (None, _) => *n == 0,
                    (Some(_), _) if a.kind == AddressKind::Ipv6 => false,
                    (Some(Fact::Known(ip)), AddressSpec::Ip(own)) => ip == own,
                    (Some(_), _) => true,
                })
                .map(|(n, _)| n)
                // §7.4: an address that surely has one takes no other.
                .filter(|n| {
                    let has = |p: &PublicAddress| p.private == *n && p.origin.maybe.is_none();
                    !x.public.iter().any(has)
                })
                .collect();
            for private in at {
                x.public.extend(loose.kinds.iter().map(|kind| PublicAddress {
                    origin: loose.origin.clone(),
                    ip: ip.clone(),
                    eip: loose.eip,
                    kind: *kind,
                    private,
                }));
            }
        }
    }
}

/// The public address of a virtual IP is that of whoever holds it.
fn holders(l: &mut Linker<'_>, h: HaVipId, eip: Option<EipId>, ip: &Fact<IpAddr>, origin: &Origin) {
    let on = l.vip_on.get(&h).cloned().unwrap_or_default();
    let sure = on.len() == 1 && l.typed[h].members.iter().all(|m| m.known().is_some());
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

/// The private address that a public one is bound to, if one is written.
fn private_address(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Option<Fact<IpAddr>> {
    match a.get("private_ip_address") {
        None => None,
        Some(n) => match l.text(n) {
            // The cloud fills in the primary address.
            Fact::Unknown(u) if left_to_cloud(&u) => None,
            Fact::Unknown(u) => {
                l.unknown(i, "private_ip_address", &u);
                Some(Fact::Unknown(u))
            }
            Fact::Known(t) => match parse::ip(&t) {
                Ok(ip) => Some(Fact::Known(ip)),
                Err(why) => Some(Fact::Unknown(l.invalid(
                    i,
                    "private_ip_address",
                    n.span,
                    &why,
                    "write a private address of the interface",
                ))),
            },
        },
    }
}

/// The public address of an interface.
fn public(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, x: InterfaceId, eip: Option<EipId>, origin: Origin) {
    let wanted = private_address(l, i, a);
    let all = l
        .typed
        .interfaces
        .get(x.index())
        .map_or(&[][..], |f| &f.addresses);
    let nowhere = all.is_empty();
    let four = || (0u32..).zip(all).filter(|(_, a)| a.kind != AddressKind::Ipv6);
    // The private addresses that it may map to, and why it is not certain which.
    let (at, doubt): (Vec<u32>, Option<Unknown>) = match wanted {
        None => (vec![0], None),
        Some(Fact::Unknown(u)) => (four().map(|(n, _)| n).collect(), Some(u)),
        Some(Fact::Known(ip)) => match all.iter().position(|a| a.spec == AddressSpec::Ip(ip)) {
            Some(n) => (vec![next(n)], None),
            None => {
                let open = |a: &Address| !matches!(a.spec, AddressSpec::Ip(_));
                let some: Vec<u32> = four().filter(|(_, a)| open(a)).map(|(n, _)| n).collect();
                if some.is_empty() {
                    l.note(
                        i,
                        "`private_ip_address` is not an address of the interface; the primary one is taken",
                    );
                    (vec![0], None)
                } else {
                    let why = "which address of the interface it maps to is not known";
                    (some, Some(Unknown::at(why, a.span)))
                }
            }
        },
    };
    let to = at.into_iter().filter(|_| !nowhere).map(|n| (x, n)).collect();
    // ENI-visible modes switch the private network of the interface off.
    let modes = modes(l, i, a, eip, &origin);
    let ip = ip_of(l, eip, a.span);
    bind(l, to, (eip, &ip), &modes, doubt.as_ref());
}

/// The address of an EIP.
fn ip_of(l: &Linker<'_>, eip: Option<EipId>, span: Span) -> Fact<IpAddr> {
    match eip {
        Some(e) => l.typed[e].ip.clone(),
        None => Fact::Unknown(Unknown::at("the EIP is not known", span)),
    }
}

/// Gives a public address to private ones, in each way that it may be bound.
fn bind(
    l: &mut Linker<'_>,
    to: Vec<(InterfaceId, u32)>,
    (eip, ip): (Option<EipId>, &Fact<IpAddr>),
    modes: &[(PublicKind, Origin)],
    doubt: Option<&Unknown>,
) {
    for (x, private) in to {
        let Some(f) = l.typed.interfaces.get_mut(x.index()) else {
            continue;
        };
        f.public.extend(modes.iter().map(|(kind, origin)| {
            let mut origin = origin.clone();
            if let (None, Some(u)) = (&origin.maybe, doubt) {
                origin.maybe = Some(Box::new(u.clone()));
            }
            PublicAddress {
                origin,
                ip: ip.clone(),
                eip,
                kind: *kind,
                private,
            }
        }));
    }
}
