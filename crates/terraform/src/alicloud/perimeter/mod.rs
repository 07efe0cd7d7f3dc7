//! The perimeter: Cloud Firewall, WAF and Anti-DDoS (ALIBABA.md §13, docs/decisions/015).
//!
//! Policies, their orders and address books are resources of their own. They are collected and put together
//! when everything has been seen ([`settle`]).

mod firewall;
mod policy;
mod proxy;

use super::linker::{Entity, Linker};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};
use std::sync::Arc;

pub(super) use firewall::HANDLERS as FIREWALLS;
pub(super) use policy::HANDLERS as POLICIES;
pub(super) use proxy::HANDLERS as PROXIES;

/// An address book.
struct Book {
    /// Addresses; unknown where the cloud fills it.
    peers: Vec<FirewallPeer>,
    /// Ports, if it is a book of ports.
    ports: Option<Fact<PortSet>>,
}

/// Which firewall a policy belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Internet,
    Nat(Fact<NatId>),
    /// By the position in [`State::between`], where it is known.
    Vpc(Option<usize>),
    /// Every firewall of a CEN instance.
    Cen(Arc<str>),
}

/// A policy on its way into the typed layer.
struct Slot {
    owner: Owner,
    /// Identity for a firewall that nothing else names.
    meta: Meta,
    rule: Option<FirewallRule>,
    /// Whether it may match every protocol without ports as well.
    portless: bool,
    order: Option<Fact<u32>>,
    /// Whether it may be of any firewall of its kind that is declared.
    stray: bool,
}

/// A firewall before a NAT gateway, or between VPCs.
struct Declared {
    meta: Meta,
    place: FirewallPlace,
    /// The CEN instance whose policies are its own.
    cen: Option<Fact<Arc<str>>>,
    on: Fact<bool>,
    strict: Fact<bool>,
}

/// What a proxy names as its origin.
enum Target {
    Done(ProxyOrigin),
    /// The public addresses of it, once they are known.
    Of(Entity),
}

struct PendingProxy {
    proxy: Proxy,
    origins: Vec<Target>,
}

/// What is collected while reading.
#[derive(Default)]
pub(super) struct State {
    books: Vec<Book>,
    /// Books by name; `None` where two have it.
    by_name: std::collections::BTreeMap<std::sync::Arc<str>, Option<usize>>,
    slots: Vec<Slot>,
    /// Orders: the position of a policy, where known, and its place.
    orders: Vec<(Option<usize>, Fact<u32>)>,
    instance: Option<Meta>,
    /// Strict mode of the Internet boundary.
    strict: Option<Fact<bool>>,
    nats: Vec<Declared>,
    between: Vec<Declared>,
    /// A mode that may be that of any firewall between VPCs.
    stray_mode: Option<Unknown>,
    proxies: Vec<PendingProxy>,
    shields: Vec<(Origin, Target)>,
}

/// Puts policies into their firewalls.
pub(super) fn settle(l: &mut Linker<'_>) {
    let mut s = std::mem::take(&mut l.perimeter);
    // An order whose policy is not known may be that of any.
    let loose = s.orders.iter().any(|(p, _)| p.is_none());
    for (slot, order) in std::mem::take(&mut s.orders) {
        if let Some(slot) = slot.and_then(|n| s.slots.get_mut(n)) {
            slot.order = Some(order);
        }
    }
    let mut all: Vec<(Owner, Firewall)> = Vec::new();
    if let Some(meta) = s.instance.take() {
        let strict = s.strict.clone().unwrap_or(Fact::Known(false));
        all.push((Owner::Internet, boundary(meta, strict)));
    }
    for d in s.nats {
        let nat = match &d.place {
            FirewallPlace::Nat { nat, .. } => nat.clone(),
            _ => Fact::Unknown(Unknown::new("not a NAT gateway")),
        };
        all.push((Owner::Nat(nat), of(d)));
    }
    let mut cens: Vec<(usize, Fact<Arc<str>>)> = Vec::new();
    for (n, mut d) in s.between.into_iter().enumerate() {
        if let Some(u) = &s.stray_mode {
            d.strict = Fact::Unknown(u.clone());
        }
        cens.extend(d.cen.clone().map(|c| (all.len(), c)));
        all.push((Owner::Vpc(Some(n)), of(d)));
    }
    let declared = all.len();
    let mut strays: Vec<(bool, FirewallRule)> = Vec::new();
    for slot in s.slots {
        let Some(mut rule) = slot.rule else { continue };
        rule.order = match slot.order {
            Some(o) => o,
            None => Fact::Unknown(Unknown::at(
                "the provider appends policies in an order of its own",
                rule.origin.span,
            )),
        };
        if loose {
            rule.order = Fact::Unknown(Unknown::new("the policy of some order is not known"));
        }
        let rest = slot.portless.then(|| portless(&rule));
        let rules = [rule].into_iter().chain(rest);
        if slot.stray {
            let nat = matches!(slot.owner, Owner::Nat(_));
            strays.extend(rules.clone().map(|r| (nat, r)));
        }
        if let Owner::Cen(key) = &slot.owner {
            let rules: Vec<FirewallRule> = rules.clone().collect();
            let mut found = false;
            for (n, cen) in cens.iter().filter(|(_, c)| c.known().is_none_or(|c| c == key)) {
                found |= cen.known().is_some();
                let perhaps = |r: &FirewallRule| FirewallRule {
                    active: match (&r.active, cen) {
                        (Fact::Known(true), Fact::Unknown(u)) => Fact::Unknown(u.clone()),
                        (a, _) => a.clone(),
                    },
                    ..r.clone()
                };
                if let Some((_, f)) = all.get_mut(*n) {
                    f.rules.extend(rules.iter().map(perhaps));
                }
            }
            if found {
                continue;
            }
        }
        match all.iter_mut().find(|(o, _)| same(o, &slot.owner)) {
            Some((_, f)) => f.rules.extend(rules),
            None => {
                let mut f = missing(&slot.owner, slot.meta, s.strict.clone());
                f.rules.extend(rules);
                all.push((slot.owner, f));
            }
        }
    }
    for (o, f) in all.iter_mut().take(declared) {
        let nat = matches!(o, Owner::Nat(_));
        if !matches!(o, Owner::Internet) {
            join(f, strays.iter().filter(|(n, _)| *n == nat).map(|(_, r)| r));
        }
    }
    for (_, mut f) in all {
        settle_orders(&mut f.rules);
        l.typed.firewalls.push(f);
    }
    for p in s.proxies {
        let mut proxy = p.proxy;
        for o in p.origins {
            proxy.origins.extend(resolve(l, o));
        }
        l.typed.proxies.push(proxy);
    }
    for (origin, of) in s.shields {
        for of in resolve(l, of) {
            l.typed.shields.push(Shield {
                origin: origin.clone(),
                of,
            });
        }
    }
}

/// Adds policies of which it is not known whether they are of this firewall. One may stand before any other.
fn join<'a>(f: &mut Firewall, strays: impl Iterator<Item = &'a FirewallRule>) {
    let why = "the firewall of this policy is not known, and it may be this one";
    let before = f.rules.len();
    f.rules.extend(strays.map(|r| FirewallRule {
        active: match &r.active {
            Fact::Known(true) => Fact::Unknown(Unknown::at(why, r.origin.span)),
            a => a.clone(),
        },
        ..r.clone()
    }));
    if f.rules.len() > before {
        for r in &mut f.rules {
            let why = "a policy of some firewall of this kind may stand before it";
            r.order = Fact::Unknown(Unknown::at(why, r.origin.span));
        }
    }
}

fn of(d: Declared) -> Firewall {
    Firewall {
        meta: d.meta,
        place: d.place,
        on: d.on,
        strict: d.strict,
        rules: Vec::new(),
    }
}

fn boundary(meta: Meta, strict: Fact<bool>) -> Firewall {
    Firewall {
        meta,
        place: FirewallPlace::Internet,
        on: Fact::Known(true),
        strict,
        rules: Vec::new(),
    }
}

/// Whether a policy belongs to a firewall. What is not known belongs to one of its own.
fn same(a: &Owner, b: &Owner) -> bool {
    match (a, b) {
        (Owner::Internet, Owner::Internet) => true,
        (Owner::Nat(a), Owner::Nat(b)) => a.known().is_some() && a.known() == b.known(),
        (Owner::Vpc(a), Owner::Vpc(b)) => a.is_some() && a == b,
        (Owner::Cen(a), Owner::Cen(b)) => a == b,
        _ => false,
    }
}

/// The firewall of a policy that no other resource makes.
fn missing(owner: &Owner, meta: Meta, strict: Option<Fact<bool>>) -> Firewall {
    let absent = || {
        Unknown::at(
            "the firewall of this policy is not in the inventory",
            meta.origin.span,
        )
    };
    let (on, unknown) = (Fact::Unknown(absent()), Fact::Unknown(absent()));
    match owner {
        Owner::Internet => boundary(meta, strict.unwrap_or(Fact::Known(false))),
        Owner::Nat(nat) => Firewall {
            place: FirewallPlace::Nat {
                nat: nat.clone(),
                routes: Vec::new(),
            },
            meta,
            on,
            strict: unknown,
            rules: Vec::new(),
        },
        Owner::Vpc(_) | Owner::Cen(_) => Firewall {
            place: FirewallPlace::Vpc(vec![Boundary::Unknown(absent())]),
            meta,
            on,
            strict: unknown,
            rules: Vec::new(),
        },
    }
}

/// What a policy of `ANY` with ports may do to protocols that have none.
fn portless(rule: &FirewallRule) -> FirewallRule {
    let mut rest = rule.clone();
    rest.services = rest.services.map(|_| ServiceSet {
        tcp: PortSet::empty(),
        udp: PortSet::empty(),
        ..ServiceSet::any()
    });
    if rest.active == Fact::Known(true) {
        rest.active = Fact::Unknown(Unknown::at(
            "it names ports, so it may not be about protocols that have none",
            rule.origin.span,
        ));
    }
    rest
}

/// Whether two rules are of different policies with one order.
fn clash(a: &FirewallRule, b: &FirewallRule) -> bool {
    a.order.known().is_some() && a.order.known() == b.order.known() && a.origin.address != b.origin.address
}

/// Decision 15, item 5: gives orders to policies that need none of their own.
fn settle_orders(rules: &mut [FirewallRule]) {
    for (inbound, ipv6) in [(true, false), (true, true), (false, false), (false, true)] {
        let here = |r: &FirewallRule| {
            r.inbound.known().is_none_or(|d| *d == inbound) && r.ipv6.known().is_none_or(|s| *s == ipv6)
        };
        // Of two policies with one order the one that is written last comes first and moves all behind it.
        let twice = rules
            .iter()
            .filter(|a| here(a) && rules.iter().any(|b| here(b) && clash(a, b)))
            .filter_map(|r| r.order.known().copied())
            .min();
        if let Some(first) = twice {
            for r in rules.iter_mut().filter(|r| here(r)) {
                if r.order.known().is_some_and(|o| *o >= first) {
                    let why = format!("two policies have order {first}");
                    r.order = Fact::Unknown(Unknown::at(why, r.origin.span));
                }
            }
        }
        let orders: Vec<u32> = rules
            .iter()
            .filter(|r| here(r))
            .filter_map(|r| r.order.known().copied())
            .collect();
        let k = (1u32..).take_while(|k| orders.contains(k)).last().unwrap_or(0);
        let certain = |r: &FirewallRule| r.inbound.known().is_some() && r.ipv6.known().is_some();
        if orders.iter().any(|o| *o > k) || !rules.iter().filter(|r| here(r)).all(certain) {
            continue;
        }
        let open: Vec<usize> = (0..rules.len())
            .filter(|&n| here(&rules[n]) && rules[n].order.known().is_none())
            .collect();
        let mut actions: Vec<Option<bool>> = open.iter().map(|&n| rules[n].pass.known().copied()).collect();
        actions.dedup();
        // In loose mode a policy by content may do what its action does not say.
        let deep = open.iter().any(|&n| rules[n].deep.known() != Some(&false));
        if open.len() == 1 || actions.len() == 1 && actions[0].is_some() && !deep {
            for (at, n) in (k + 1..).zip(open) {
                rules[n].order = Fact::Known(at);
            }
        }
    }
}

/// Whom an origin of a proxy means.
fn resolve(l: &Linker<'_>, o: Target) -> Vec<ProxyOrigin> {
    let e = match o {
        Target::Done(o) => return vec![o],
        Target::Of(e) => e,
    };
    let found = match e {
        Entity::Eip(e) => return vec![ProxyOrigin::Eip(e)],
        Entity::Balancer(b) => l.typed[b].fronts.clone(),
        e => l.interface_of(e).into_iter().collect(),
    };
    if found.is_empty() {
        return vec![ProxyOrigin::Unknown(Unknown::new(
            "it has no public address of its own",
        ))];
    }
    found.into_iter().map(ProxyOrigin::Interface).collect()
}
