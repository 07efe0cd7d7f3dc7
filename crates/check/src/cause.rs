//! Who is to blame: the smallest thing whose removal closes a path and breaks the least.
//!
//! Every path uses several things: rules at both ends, routes, public addresses, NAT entries. Each kind is
//! taken away in turn and the whole intent is asked again. The culprit is the one that closes the path, breaks
//! the fewest required flows and loses the fewest allowed ones. The same run says whether the fix is safe.

use crate::evaluate::Leak;
use crate::plan::{Claim, Plan};
use crate::trial::{narrowed, seen_as, tried};
use crate::world::World;
use bartizan_base::{Span, Verdict};
use bartizan_model::{
    BalancerId, DataServiceId, Fact, FirewallId, InterfaceId, Inventory, Ipv6Internet, ListenerFilter,
    Origin, RouteTableId, SecurityGroupId, TrLink, Typed, VpnConnectionId,
};
use bartizan_packet::{IpSet, ServiceSet};
use bartizan_reach::hybrid::LinkRef;
use bartizan_reach::{RouteRef, RuleRef, Used};
use std::collections::BTreeSet;

/// A kind of thing that a path cannot do without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Culprit {
    /// DNAT entries.
    Dnat(BTreeSet<u32>),
    /// Entries of allow lists of managed services: service and position.
    Allow(BTreeSet<(DataServiceId, u32)>),
    /// Backends of listeners of load balancers: balancer, listener, backend.
    Forwards(BTreeSet<(BalancerId, u32, u32)>),
    /// Entries of white access lists of listeners: balancer, listener, entry.
    Filter(BTreeSet<(BalancerId, u32, u32)>),
    /// Listeners of load balancers.
    Listeners(BTreeSet<(BalancerId, u32)>),
    /// Policies of firewalls that let it pass: firewall and position.
    Policies(BTreeSet<(FirewallId, u32)>),
    /// Static routes of transit routers.
    TrRoutes(BTreeSet<u32>),
    /// Routes of VPN gateways.
    VpnRoutes(BTreeSet<u32>),
    /// VPN connections, by what they carry.
    Connections(BTreeSet<VpnConnectionId>),
    /// Attachments whose routes a table of a transit router learns: positions in `Typed::tr_propagations`.
    Learned(BTreeSet<u32>),
    /// Attachments that a table of a transit router forwards for: positions in `Typed::tr_associations`.
    Associated(BTreeSet<u32>),
    /// Security group rules that let it in.
    Ingress(BTreeSet<u32>),
    /// Public addresses: interface and position.
    Public(BTreeSet<(InterfaceId, u32)>),
    /// Custom routes.
    Routes(BTreeSet<u32>),
    /// SNAT entries.
    Snat(BTreeSet<u32>),
    /// IPv6 Internet bandwidth: interface and address.
    Ipv6(BTreeSet<(InterfaceId, u32)>),
    /// Basic groups whose members reach one another.
    Inner(BTreeSet<SecurityGroupId>),
    /// Security group rules that let it out.
    Egress(BTreeSet<u32>),
    /// Tables by which replies go that should go another way: a route is missing there.
    Replies(BTreeSet<RouteTableId>),
    /// Nothing that is written: a default of the cloud; the groups whose defaults let it pass.
    Default(BTreeSet<SecurityGroupId>),
}

impl Culprit {
    /// Whether two culprits are the same cause.
    #[must_use]
    pub fn same_cause(&self, o: &Culprit) -> bool {
        fn meet<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> bool {
            a.is_empty() && b.is_empty() || a.intersection(b).next().is_some()
        }
        match (self, o) {
            (Culprit::Dnat(a), Culprit::Dnat(b))
            | (Culprit::Ingress(a), Culprit::Ingress(b))
            | (Culprit::Routes(a), Culprit::Routes(b))
            | (Culprit::Snat(a), Culprit::Snat(b))
            | (Culprit::TrRoutes(a), Culprit::TrRoutes(b))
            | (Culprit::VpnRoutes(a), Culprit::VpnRoutes(b))
            | (Culprit::Learned(a), Culprit::Learned(b))
            | (Culprit::Associated(a), Culprit::Associated(b))
            | (Culprit::Egress(a), Culprit::Egress(b)) => meet(a, b),
            (Culprit::Connections(a), Culprit::Connections(b)) => meet(a, b),
            (Culprit::Allow(a), Culprit::Allow(b)) => meet(a, b),
            (Culprit::Forwards(a), Culprit::Forwards(b)) | (Culprit::Filter(a), Culprit::Filter(b)) => {
                meet(a, b)
            }
            (Culprit::Listeners(a), Culprit::Listeners(b)) => meet(a, b),
            (Culprit::Policies(a), Culprit::Policies(b)) => meet(a, b),
            (Culprit::Public(a), Culprit::Public(b)) | (Culprit::Ipv6(a), Culprit::Ipv6(b)) => meet(a, b),
            (Culprit::Replies(a), Culprit::Replies(b)) => meet(a, b),
            (Culprit::Inner(a), Culprit::Inner(b)) | (Culprit::Default(a), Culprit::Default(b)) => meet(a, b),
            _ => false,
        }
    }

    /// Adds what another culprit of the same cause names.
    pub fn merge(&mut self, o: Culprit) {
        match (self, o) {
            (Culprit::Dnat(a), Culprit::Dnat(b))
            | (Culprit::Ingress(a), Culprit::Ingress(b))
            | (Culprit::Routes(a), Culprit::Routes(b))
            | (Culprit::Snat(a), Culprit::Snat(b))
            | (Culprit::TrRoutes(a), Culprit::TrRoutes(b))
            | (Culprit::VpnRoutes(a), Culprit::VpnRoutes(b))
            | (Culprit::Learned(a), Culprit::Learned(b))
            | (Culprit::Associated(a), Culprit::Associated(b))
            | (Culprit::Egress(a), Culprit::Egress(b)) => a.extend(b),
            (Culprit::Connections(a), Culprit::Connections(b)) => a.extend(b),
            (Culprit::Allow(a), Culprit::Allow(b)) => a.extend(b),
            (Culprit::Forwards(a), Culprit::Forwards(b)) | (Culprit::Filter(a), Culprit::Filter(b)) => {
                a.extend(b);
            }
            (Culprit::Listeners(a), Culprit::Listeners(b)) => a.extend(b),
            (Culprit::Policies(a), Culprit::Policies(b)) => a.extend(b),
            (Culprit::Public(a), Culprit::Public(b)) | (Culprit::Ipv6(a), Culprit::Ipv6(b)) => a.extend(b),
            (Culprit::Replies(a), Culprit::Replies(b)) => a.extend(b),
            (Culprit::Inner(a), Culprit::Inner(b)) | (Culprit::Default(a), Culprit::Default(b)) => {
                a.extend(b)
            }
            _ => {}
        }
    }

    /// Where it is written, in the order of the configuration.
    #[must_use]
    pub fn origins(&self, inv: &Inventory) -> Vec<Origin> {
        let t = &inv.typed;
        let mut v: Vec<Origin> = match self {
            Culprit::Dnat(s) => s
                .iter()
                .map(|&i| t.dnat_entries[i as usize].origin.clone())
                .collect(),
            Culprit::Allow(s) => s
                .iter()
                .map(|&(d, k)| t[d].allow[k as usize].origin.clone())
                .collect(),
            Culprit::Forwards(s) => s
                .iter()
                .map(|&(b, l, f)| t[b].listeners[l as usize].forwards[f as usize].origin.clone())
                .collect(),
            Culprit::Filter(s) => s
                .iter()
                .filter_map(|&(b, l, k)| {
                    let f = t[b].listeners[l as usize].filter.known()?.as_ref()?;
                    Some(f.entries.get(k as usize)?.origin.clone())
                })
                .collect(),
            Culprit::Listeners(s) => s
                .iter()
                .map(|&(b, l)| t[b].listeners[l as usize].origin.clone())
                .collect(),
            Culprit::Policies(s) => s
                .iter()
                .map(|&(f, n)| t[f].rules[n as usize].origin.clone())
                .collect(),
            Culprit::TrRoutes(s) => s
                .iter()
                .map(|&i| t.tr_routes[i as usize].origin.clone())
                .collect(),
            Culprit::VpnRoutes(s) => s
                .iter()
                .map(|&i| t.vpn_routes[i as usize].origin.clone())
                .collect(),
            Culprit::Connections(s) => s.iter().map(|&c| t[c].meta.origin.clone()).collect(),
            Culprit::Learned(s) => s
                .iter()
                .map(|&i| t.tr_propagations[i as usize].origin.clone())
                .collect(),
            Culprit::Associated(s) => s
                .iter()
                .map(|&i| t.tr_associations[i as usize].origin.clone())
                .collect(),
            Culprit::Ingress(s) | Culprit::Egress(s) => {
                s.iter().map(|&i| t.sg_rules[i as usize].origin.clone()).collect()
            }
            Culprit::Public(s) => s
                .iter()
                .map(|&(i, k)| t[i].public[k as usize].origin.clone())
                .collect(),
            Culprit::Routes(s) => s
                .iter()
                .map(|&i| t.route_entries[i as usize].origin.clone())
                .collect(),
            Culprit::Snat(s) => s
                .iter()
                .map(|&i| t.snat_entries[i as usize].origin.clone())
                .collect(),
            Culprit::Ipv6(s) => s
                .iter()
                .map(|&(i, a)| match &t[i].addresses[a as usize].ipv6_internet {
                    Ipv6Internet::Both(o) | Ipv6Internet::EgressOnly(o) => o.clone(),
                    _ => t[i].meta.origin.clone(),
                })
                .collect(),
            Culprit::Replies(s) => s.iter().map(|&r| t[r].meta.origin.clone()).collect(),
            Culprit::Inner(s) | Culprit::Default(s) => s.iter().map(|&g| t[g].meta.origin.clone()).collect(),
        };
        v.sort_by_key(|o: &Origin| (key(o.span), o.address.clone()));
        v.dedup();
        v
    }

    /// The same, resource by resource: the entries of one list, or the fronts of one balancer, are of one.
    pub(crate) fn by_resource(&self, inv: &Inventory) -> Vec<Culprit> {
        let mut out: Vec<(Vec<Origin>, Culprit)> = Vec::new();
        for one in singles(self.clone()) {
            let at = one.origins(inv);
            let names = |o: &[Origin]| o.iter().map(|o| o.address.clone()).collect::<Vec<_>>();
            match out.iter_mut().find(|(o, _)| names(o) == names(&at)) {
                Some((_, c)) => c.merge(one),
                None => out.push((at, one)),
            }
        }
        out.into_iter().map(|(_, c)| c).collect()
    }

    /// The inventory without it; `None` for a default.
    pub(crate) fn without(&self, inv: &Inventory) -> Option<Inventory> {
        fn drop_at<T: Clone>(v: &mut Vec<T>, gone: &BTreeSet<u32>) {
            let mut i = 0;
            v.retain(|_| {
                i += 1;
                !gone.contains(&(i - 1))
            });
        }
        let mut out = Inventory {
            typed: inv.typed.clone(),
            ..Inventory::empty(inv.source)
        };
        let t = &mut out.typed;
        match self {
            Culprit::Dnat(s) => drop_at(&mut t.dnat_entries, s),
            Culprit::Ingress(s) | Culprit::Egress(s) => drop_at(&mut t.sg_rules, s),
            Culprit::Routes(s) => drop_at(&mut t.route_entries, s),
            Culprit::TrRoutes(s) => drop_at(&mut t.tr_routes, s),
            Culprit::VpnRoutes(s) => drop_at(&mut t.vpn_routes, s),
            Culprit::Connections(s) => {
                for c in s {
                    let c = &mut t.vpn_connections[c.index()];
                    c.local.clear();
                    c.remote.clear();
                }
            }
            Culprit::Learned(s) => drop_at(&mut t.tr_propagations, s),
            Culprit::Associated(s) => drop_at(&mut t.tr_associations, s),
            Culprit::Allow(s) => {
                for (n, d) in (0u32..).zip(t.data_services.iter_mut()) {
                    let gone: BTreeSet<u32> = s.iter().filter(|(d, _)| d.0 == n).map(|(_, k)| *k).collect();
                    drop_at(&mut d.allow, &gone);
                }
            }
            Culprit::Forwards(s) => {
                for (n, b) in (0u32..).zip(t.balancers.iter_mut()) {
                    for (m, l) in (0u32..).zip(b.listeners.iter_mut()) {
                        let here = s.iter().filter(|(b, l, _)| (b.0, *l) == (n, m));
                        let gone: BTreeSet<u32> = here.map(|(_, _, f)| *f).collect();
                        drop_at(&mut l.forwards, &gone);
                    }
                }
            }
            Culprit::Filter(s) => each_filter(t, |b, l, f| {
                let here = s.iter().filter(|(x, y, _)| (*x, *y) == (b, l));
                let gone: BTreeSet<u32> = here.map(|(_, _, k)| *k).collect();
                drop_at(&mut f.entries, &gone);
            }),
            Culprit::Listeners(s) => {
                for (n, b) in (0u32..).zip(t.balancers.iter_mut()) {
                    let gone: BTreeSet<u32> = s.iter().filter(|(b, _)| b.0 == n).map(|(_, l)| *l).collect();
                    drop_at(&mut b.listeners, &gone);
                }
            }
            Culprit::Policies(s) => {
                // A policy of a CEN instance is in the list of each of its firewalls.
                let rule = |(f, k): &(FirewallId, u32)| t.firewalls.get(f.index())?.rules.get(*k as usize);
                let gone: BTreeSet<_> = s
                    .iter()
                    .filter_map(rule)
                    .map(|r| r.origin.address.clone())
                    .collect();
                for f in &mut t.firewalls {
                    f.rules.retain(|r| !gone.contains(&r.origin.address));
                }
            }
            Culprit::Snat(s) => drop_at(&mut t.snat_entries, s),
            Culprit::Public(s) => {
                for (n, i) in t.interfaces.iter_mut().enumerate() {
                    let id = InterfaceId(u32::try_from(n).unwrap_or(u32::MAX));
                    let mut k = 0;
                    i.public.retain(|_| {
                        k += 1;
                        !s.contains(&(id, k - 1))
                    });
                }
            }
            Culprit::Ipv6(s) => {
                for &(i, a) in s {
                    t.interfaces[i.index()].addresses[a as usize].ipv6_internet = Ipv6Internet::None;
                }
            }
            Culprit::Inner(s) => {
                for g in s {
                    t.security_groups[g.index()].inner_accept = Fact::Known(false);
                }
            }
            Culprit::Replies(_) | Culprit::Default(_) => return None,
        }
        Some(out)
    }
}

/// Every access list that is known and on.
pub(crate) fn each_filter(t: &mut Typed, mut with: impl FnMut(BalancerId, u32, &mut ListenerFilter)) {
    for (n, b) in (0u32..).zip(t.balancers.iter_mut()) {
        for (m, l) in (0u32..).zip(b.listeners.iter_mut()) {
            if let Fact::Known(Some(f)) = &mut l.filter {
                with(BalancerId(n), m, f);
            }
        }
    }
}

/// Entries of the white lists of some listeners that admit an end of a leak. A list that several listeners share is
/// written once.
fn admitting(
    t: &Typed,
    listeners: &BTreeSet<(BalancerId, u32)>,
    who: &IpSet,
) -> BTreeSet<(BalancerId, u32, u32)> {
    let entries = |b: BalancerId, l: u32| {
        let f = t[b].listeners[l as usize].filter.known().and_then(Option::as_ref);
        let f = f.filter(|f| f.white == Fact::Known(true));
        (0u32..).zip(f.map_or(&[][..], |f| &f.entries))
    };
    let mut written = Vec::new();
    for &(b, l) in listeners {
        for (_, e) in entries(b, l) {
            let meets = e
                .net
                .known()
                .is_some_and(|n| !IpSet::from(*n).intersect(who).is_empty());
            if meets && !written.contains(&&e.origin) {
                written.push(&e.origin);
            }
        }
    }
    let all = (0u32..).map(BalancerId).zip(&t.balancers);
    all.flat_map(|(b, x)| (0u32..).zip(&x.listeners).map(move |(l, _)| (b, l)))
        .flat_map(|(b, l)| entries(b, l).map(move |(k, e)| (b, l, k, &e.origin)))
        .filter(|(.., o)| written.contains(o))
        .map(|(b, l, k, _)| (b, l, k))
        .collect()
}

fn key(s: Span) -> (u32, u32, u32) {
    (s.file.0, s.start, s.line)
}

/// A culprit with what taking it away does.
#[derive(Clone, Debug)]
pub struct Blame {
    /// The culprit.
    pub culprit: Culprit,
    /// Whether it is to be narrowed and not taken away: it serves others, too.
    pub narrow: bool,
    /// Whether taking it away was tried and closes the path.
    pub closes: bool,
    /// Ids of clauses that hold now and would not any more.
    pub breaks: Vec<String>,
    /// Number of block pairs that would lose an allowed flow.
    pub loses: usize,
}

/// What the flows of a leak use. Looks at no more than a bounded number of endpoint pairs.
#[must_use]
pub fn used(w: &World<'_>, leak: &Leak) -> Used {
    let mut u = Used::default();
    let mut n = 0;
    w.may.each_pair(leak.from, leak.to, |s, d, f| {
        let x = f.delivered.intersect(&leak.atoms);
        if !x.is_empty() {
            n += 1;
            u.merge(&w.network().used(s, d, &x));
        }
        n < 2_000
    });
    u
}

fn sg(set: &BTreeSet<RuleRef>) -> BTreeSet<u32> {
    set.iter()
        .filter_map(|r| if let RuleRef::Sg(i) = r { Some(*i) } else { None })
        .collect()
}

/// The things whose removal may close the leak, most telling first.
#[must_use]
pub fn candidates(w: &World<'_>, leak: &Leak, u: &Used) -> Vec<Culprit> {
    let inner: BTreeSet<SecurityGroupId> = u
        .ingress
        .iter()
        .chain(&u.egress)
        .filter_map(|r| if let RuleRef::Inner(g) = r { Some(*g) } else { None })
        .collect();
    let routes: BTreeSet<u32> = u
        .routes
        .iter()
        .filter_map(|r| {
            if let RouteRef::Entry(i) = r {
                Some(*i)
            } else {
                None
            }
        })
        .collect();
    let allow: BTreeSet<(DataServiceId, u32)> = u
        .ingress
        .iter()
        .filter_map(|r| match r {
            RuleRef::Allow(d, k) => Some((*d, *k)),
            _ => None,
        })
        .collect();
    let policies: BTreeSet<(FirewallId, u32)> = u
        .firewall
        .iter()
        .filter_map(|r| match r {
            RuleRef::Firewall(f, n) => Some((*f, *n)),
            _ => None,
        })
        .collect();
    let t = &w.inventory.typed;
    // What a front took in, of the leak itself or on the way to a backend.
    let listeners: BTreeSet<(BalancerId, u32)> = u.listening.iter().copied().collect();
    let connections: BTreeSet<VpnConnectionId> = u
        .links
        .iter()
        .filter_map(|l| match l {
            LinkRef::Connection(c) => Some(*c),
            _ => None,
        })
        .collect();
    let links = |all: &[TrLink]| -> BTreeSet<u32> {
        (0u32..)
            .zip(all)
            .filter(|(_, l)| l.attachment.known().is_some_and(|a| u.attachments.contains(a)))
            .map(|(i, _)| i)
            .collect()
    };
    // Each learned route is a reason of its own; the two ends of a path are learned for different reasons.
    let each = |all: BTreeSet<u32>, of: fn(BTreeSet<u32>) -> Culprit| -> Vec<Culprit> {
        all.into_iter().map(|i| of(BTreeSet::from([i]))).collect()
    };
    let mut out = each(links(&t.tr_propagations), Culprit::Learned);
    out.extend(each(links(&t.tr_associations), Culprit::Associated));
    out.extend([
        Culprit::Dnat(u.dnat.clone()),
        Culprit::Allow(allow),
        Culprit::Forwards(u.relays.clone()),
        Culprit::Filter(admitting(t, &listeners, &seen_as(w, leak.from))),
        Culprit::Listeners(listeners),
        Culprit::TrRoutes(u.tr_routes.clone()),
        Culprit::Policies(policies),
        Culprit::VpnRoutes(u.vpn_routes.clone()),
        Culprit::Connections(connections),
        Culprit::Ingress(sg(&u.ingress)),
        // Public addresses of the source and of the destination are different doors.
        Culprit::Routes(routes),
        Culprit::Snat(u.snat.clone()),
        Culprit::Ipv6(u.ipv6.clone()),
        Culprit::Inner(inner),
        Culprit::Egress(sg(&u.egress)),
    ]);
    for block in [leak.from, leak.to] {
        let here = w.interfaces_of(block);
        out.push(Culprit::Public(
            u.public
                .iter()
                .filter(|(i, _)| here.binary_search(i).is_ok())
                .copied()
                .collect(),
        ));
    }
    out.retain(|c| match c {
        Culprit::Dnat(s)
        | Culprit::Ingress(s)
        | Culprit::Routes(s)
        | Culprit::Snat(s)
        | Culprit::TrRoutes(s)
        | Culprit::VpnRoutes(s)
        | Culprit::Learned(s)
        | Culprit::Associated(s)
        | Culprit::Egress(s) => !s.is_empty(),
        Culprit::Connections(s) => !s.is_empty(),
        Culprit::Allow(s) => !s.is_empty(),
        Culprit::Forwards(s) | Culprit::Filter(s) => !s.is_empty(),
        Culprit::Listeners(s) => !s.is_empty(),
        Culprit::Policies(s) => !s.is_empty(),
        Culprit::Public(s) | Culprit::Ipv6(s) => !s.is_empty(),
        Culprit::Replies(s) => !s.is_empty(),
        Culprit::Inner(s) | Culprit::Default(s) => !s.is_empty(),
    });
    out.sort_by_key(rank);
    out.dedup();
    out
}

/// Among equals the thing that was most likely added on purpose for this path comes first.
fn rank(c: &Culprit) -> u8 {
    match c {
        Culprit::Dnat(_) => 0,
        Culprit::Allow(_) => 1,
        Culprit::Filter(_) => 2,
        Culprit::Listeners(_) => 3,
        Culprit::Forwards(_) => 4,
        Culprit::VpnRoutes(_) => 5,
        Culprit::Ingress(_) => 6,
        Culprit::Public(_) => 7,
        Culprit::TrRoutes(_) => 8,
        Culprit::Routes(_) => 9,
        Culprit::Snat(_) => 10,
        Culprit::Ipv6(_) => 11,
        Culprit::Inner(_) => 12,
        Culprit::Connections(_) => 13,
        Culprit::Learned(_) => 14,
        Culprit::Associated(_) => 15,
        Culprit::Egress(_) => 16,
        Culprit::Policies(_) => 17,
        Culprit::Replies(_) => 18,
        Culprit::Default(_) => 19,
    }
}

/// Above this size the intent is not asked again for every candidate; the first one is named, unchecked.
const MAX_INTERFACES: usize = 2_000;

/// What is compared before and after taking something away.
pub struct Baseline {
    pub(crate) holding: Vec<usize>,
    pub(crate) services: Vec<ServiceSet>,
    /// Whether only what leads somewhere is to blame and no filter: a failure opens none (docs/decisions/017).
    pub ways_only: bool,
}

impl Baseline {
    /// The required clauses that hold now.
    #[must_use]
    pub fn new(w: &World<'_>, plan: &Plan, verdicts: &[Verdict]) -> Self {
        let _ = w;
        let holding = plan
            .clauses
            .iter()
            .enumerate()
            .filter(|(i, c)| {
                c.active
                    && matches!(c.claim, Claim::Must | Claim::MustSome)
                    && verdicts.get(*i) == Some(&Verdict::Holds)
            })
            .map(|(i, _)| i)
            .collect();
        let services = plan
            .clauses
            .iter()
            .map(|c| c.services.clone())
            .chain(
                plan.tests
                    .iter()
                    .flat_map(|t| t.statements.iter().map(|s| s.services.clone())),
            )
            .collect();
        Baseline {
            holding,
            services,
            ways_only: false,
        }
    }
}

/// Each member of the sets of rules and routes by itself: around a waypoint, one of them leads past it and the others
/// to it.
fn singly(list: Vec<Culprit>) -> Vec<Culprit> {
    let mut out = Vec::new();
    for c in list {
        out.push(c.clone());
        out.extend(singles(c));
    }
    // Stable: of one kind the whole set first, then its members.
    out.sort_by_key(rank);
    out.dedup();
    out
}

/// The members of a culprit that can be taken away one by one; nothing of others.
fn singles(c: Culprit) -> Vec<Culprit> {
    fn each<T: Ord>(s: BTreeSet<T>, of: fn(BTreeSet<T>) -> Culprit) -> Vec<Culprit> {
        s.into_iter().map(|x| of(BTreeSet::from([x]))).collect()
    }
    match c {
        Culprit::Dnat(s) => each(s, Culprit::Dnat),
        Culprit::Ingress(s) => each(s, Culprit::Ingress),
        Culprit::Egress(s) => each(s, Culprit::Egress),
        Culprit::Routes(s) => each(s, Culprit::Routes),
        Culprit::Snat(s) => each(s, Culprit::Snat),
        Culprit::TrRoutes(s) => each(s, Culprit::TrRoutes),
        Culprit::VpnRoutes(s) => each(s, Culprit::VpnRoutes),
        Culprit::Connections(s) => each(s, Culprit::Connections),
        Culprit::Filter(s) => each(s, Culprit::Filter),
        Culprit::Listeners(s) => each(s, Culprit::Listeners),
        Culprit::Policies(s) => each(s, Culprit::Policies),
        Culprit::Public(s) => each(s, Culprit::Public),
        _ => Vec::new(),
    }
}

/// Finds the culprit of a leak; `around` is the clause with the waypoint that it avoids.
#[must_use]
pub fn blame(w: &World<'_>, plan: &Plan, base: &Baseline, leak: &Leak, around: Option<usize>) -> Blame {
    let u = used(w, leak);
    let mut list = candidates(w, leak, &u);
    let astray = around.and_then(|i| crate::waypoint::replies_astray(w, &plan.clauses[i], leak));
    if let Some(a) = &astray {
        let routes = (!a.routes.is_empty()).then(|| Culprit::Routes(a.routes.clone()));
        let across = (!a.tr_routes.is_empty()).then(|| Culprit::TrRoutes(a.tr_routes.clone()));
        let learned = a.learned.iter().map(|n| Culprit::Learned(BTreeSet::from([*n])));
        list = routes.into_iter().chain(across).chain(learned).collect();
    }
    if around.is_some() || base.ways_only {
        list = singly(list);
    }
    if base.ways_only {
        let filter = |c: &Culprit| {
            matches!(
                c,
                Culprit::Ingress(_)
                    | Culprit::Egress(_)
                    | Culprit::Inner(_)
                    | Culprit::Allow(_)
                    | Culprit::Filter(_)
                    | Culprit::Listeners(_)
                    | Culprit::Default(_)
            )
        };
        let ways: Vec<Culprit> = list.iter().filter(|c| !filter(c)).cloned().collect();
        if !ways.is_empty() {
            list = ways;
        }
    }
    let fallback = || {
        if let Some(a) = astray.as_ref().filter(|a| !a.tables.is_empty()) {
            return Culprit::Replies(a.tables.clone());
        }
        let groups: BTreeSet<SecurityGroupId> = [leak.from, leak.to]
            .into_iter()
            .flat_map(|b| w.interfaces_of(b))
            .flat_map(|i| w.inventory.typed[i].groups.known().cloned().unwrap_or_default())
            .collect();
        Culprit::Default(groups)
    };
    if w.inventory.typed.interfaces.len() > MAX_INTERFACES {
        let culprit = list.into_iter().next().unwrap_or_else(fallback);
        return Blame {
            culprit,
            narrow: false,
            closes: false,
            breaks: Vec::new(),
            loses: 0,
        };
    }
    let mut best: Option<(bool, usize, usize, Blame)> = None;
    for c in list {
        let Some(inv) = c.without(w.inventory) else {
            continue;
        };
        let first = tried(w, plan, base, leak, around, &inv);
        // A route without which the replies are lost leads them nowhere else: what is missing is another one.
        if astray.is_some() && !first.answered {
            continue;
        }
        let mut trials = vec![(false, first)];
        // What others need as well is narrowed and not deleted; and a list whose last entry goes admits everybody.
        let last = matches!(c, Culprit::Filter(_));
        if trials.iter().all(|(_, t)| {
            if t.closes {
                t.loses > 0 || !t.breaks.is_empty()
            } else {
                last
            }
        }) && let Some(inv) = narrowed(&c, w, leak)
        {
            trials.push((true, tried(w, plan, base, leak, around, &inv)));
        }
        for (narrow, t) in trials {
            let key = (!t.closes, t.breaks.len(), t.loses);
            if best.as_ref().is_none_or(|b| key < (b.0, b.1, b.2)) {
                best = Some((
                    key.0,
                    key.1,
                    key.2,
                    Blame {
                        culprit: c.clone(),
                        narrow,
                        closes: t.closes,
                        breaks: t.breaks,
                        loses: t.loses,
                    },
                ));
            }
        }
    }
    match best {
        Some((_, _, _, b)) if b.closes => b,
        // Nothing that is written closes it alone: a default of the cloud lets it pass.
        _ => Blame {
            culprit: fallback(),
            narrow: false,
            closes: false,
            breaks: Vec::new(),
            loses: 0,
        },
    }
}
