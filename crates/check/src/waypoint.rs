//! `A -> B through M` and `not through M` (docs/decisions/015, item 17, and 025).
//!
//! Every way counts, that of the requests and that of the replies. The network of what may happen counts a firewall
//! only where it certainly stands, the one of what happens for certain wherever it may stand. A path that the one
//! leads around it and the other through it is in doubt.

use crate::evaluate::{Leak, Outcome, forbid, is_there, leaks, places};
use crate::plan::{Claim, Clause, Waypoint};
use crate::world::World;
use bartizan_base::Verdict;
use bartizan_model::{FirewallPlace, InterfaceId, RouteTableId, TrLink};
use bartizan_packet::{AtomSet, IpSet};
use bartizan_reach::{Crossing, DecidedBy, Layer, Network, Point, trace};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// The port of the client of the packet that shows by which entries replies go.
const CLIENT_PORT: u16 = 32768;

/// How a way is told to go through the waypoint.
struct Passing<'a> {
    w: &'a World<'a>,
    at: &'a Waypoint,
    /// Whether what may be the waypoint counts, where an address of an appliance is not known or is one of several.
    lenient: bool,
}

impl Passing<'_> {
    fn hit(&self, s: Point, c: &Crossing) -> bool {
        self.hits(self.at, s, c)
    }

    fn hits(&self, at: &Waypoint, s: Point, c: &Crossing) -> bool {
        match at {
            Waypoint::Firewalls(list) => c.firewalls.iter().any(|f| list.contains(&f.0)),
            Waypoint::Nats(list) => c.nats.iter().any(|n| list.contains(&n.0)),
            // What begins at the waypoint goes through it.
            Waypoint::Set(n) => {
                matches!(s, Point::Outside(x) if self.w.sets[*n].contains(None, x))
                    || c.appliances.iter().any(|a| {
                        let (may, does) = place(self.w, *n, *a);
                        if self.lenient { may } else { does }
                    })
            }
            Waypoint::Any(all) => all.iter().any(|at| self.hits(at, s, c)),
            Waypoint::Unsupported(_) => false,
        }
    }
}

/// Whether an interface on a way may be in a set, by some address, and whether it is by all of them.
pub(crate) fn place(w: &World<'_>, set: usize, i: InterfaceId) -> (bool, bool) {
    let Some(f) = w.network().iface(i) else {
        return (false, false);
    };
    let set = &w.sets[set];
    let mut cuts = Vec::new();
    set.ips(&mut cuts);
    // The endpoint of a gateway load balancer has no address that anybody sends to.
    let nowhere = IpSet::single(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let mut regions: Vec<&IpSet> = match f.addrs.is_empty() {
        true => vec![&nowhere],
        false => f.addrs.iter().map(|a| &a.region).collect(),
    };
    // By which address packets come to a balancer is no matter of taste; an appliance forwards those of both families.
    if f.front.is_none() {
        let (four, six) = (
            cuts.iter().any(|c| !c.v4.is_empty()),
            cuts.iter().any(|c| !c.v6.is_empty()),
        );
        let told = |r: &&IpSet| if r.v6.is_empty() { four } else { six };
        if regions.iter().any(told) {
            regions.retain(told);
        }
    }
    let (mut some, mut all) = (false, true);
    for region in regions {
        let mut pieces = vec![region.clone()];
        for cut in &cuts {
            pieces = pieces
                .iter()
                .flat_map(|p| [p.intersect(cut), p.subtract(cut)])
                .filter(|p| !p.is_empty())
                .collect();
        }
        for ip in pieces.iter().filter_map(IpSet::first) {
            let is = set.contains(Some(i), ip);
            some |= is;
            all &= is;
        }
    }
    (some, some && all)
}

/// The firewalls of a waypoint, if it is one of them or may be.
fn firewalls_of(at: &Waypoint) -> Option<&Vec<u32>> {
    match at {
        Waypoint::Firewalls(list) => Some(list),
        Waypoint::Any(all) => all.iter().find_map(firewalls_of),
        _ => None,
    }
}

/// Every way of what a leak may be, and whether it is against the clause.
fn each_way(
    w: &World<'_>,
    c: &Clause,
    at: &Waypoint,
    l: &Leak,
    mut with: impl FnMut((Point, Point), &Crossing, bool),
) {
    let through = c.claim == Claim::Through;
    let p = Passing {
        w,
        at,
        lenient: !through,
    };
    w.may.each_pair(l.from, l.to, |s, d, f| {
        if f.delivered.intersects(&l.atoms) {
            for way in w.network().crossings(s, d) {
                with((s, d), &way, p.hit(s, &way) != through);
            }
        }
        true
    });
}

/// Whether some packet of a leak goes against the clause wherever firewalls and unknown values may turn out to be:
/// every alternative of what its client chooses is against it, there or back, at whatever addresses the cloud picks.
fn is_against_for_certain(w: &World<'_>, p: &Passing<'_>, c: &Clause, l: &Leak) -> bool {
    let (mut found, mut tried) = (false, 0);
    w.sure.each_pair(l.from, l.to, |s, d, f| {
        tried += 1;
        let asked = f.delivered.intersect(&l.atoms);
        if !asked.is_empty() && is_there(w, s) && is_there(w, d) {
            found |= is_against_everywhere(w, p, c, (s, d), asked);
        }
        // A bound on effort, as elsewhere: beyond it the claim stays undecided.
        !found && tried < 200_000
    });
    found
}

/// The same of one pair. Where one of its ends may turn out to be in another zone the clause may not be about it.
fn is_against_everywhere(
    w: &World<'_>,
    p: &Passing<'_>,
    c: &Clause,
    (s, d): (Point, Point),
    asked: AtomSet,
) -> bool {
    let net = w.sure.network();
    let want = c.claim == Claim::Through;
    let (sources, targets) = (places(w, s), places(w, d));
    let meant = |all: &[(Option<u32>, Point)], set: usize| {
        all.iter()
            .all(|(block, _)| block.is_none_or(|b| w.in_set(b, set)))
    };
    if !meant(&sources, c.from) || !meant(&targets, c.to) {
        return false;
    }
    let mut common = asked;
    for (_, s) in &sources {
        for (_, d) in &targets {
            let mut left: BTreeMap<(u32, bool), (AtomSet, AtomSet)> = BTreeMap::new();
            for way in net.crossings(*s, *d) {
                let none = || (net.atoms.none(), net.atoms.none());
                let (good, bad) = left.entry((way.choice, way.back)).or_insert_with(none);
                let to = if p.hit(*s, &way) == want { good } else { bad };
                to.union_with(&way.delivered);
            }
            let mut against = net.atoms.none();
            for (good, bad) in left.values() {
                against.union_with(&bad.subtract(good));
            }
            common.intersect_with(&against);
            if common.is_empty() {
                return false;
            }
        }
    }
    true
}

/// Evaluates a clause with a waypoint.
pub(crate) fn evaluate(w: &World<'_>, c: &Clause, from: &[u32], to: &[u32], atoms: &AtomSet) -> Outcome {
    let at = match &c.waypoint {
        Some(Waypoint::Unsupported(what)) => {
            return Outcome::undecided(format!("`{what}` is not modelled by this version"));
        }
        None => return Outcome::undecided("the clause names no waypoint".to_string()),
        Some(at) => at,
    };
    let through = c.claim == Claim::Through;
    let p = Passing {
        w,
        at,
        lenient: through,
    };
    let mut bad = Vec::new();
    let mut doubt = false;
    for l in leaks(w, from, to, atoms) {
        let mut atoms = w.network().atoms.none();
        each_way(w, c, at, &l, |_, way, against| {
            if against {
                atoms.union_with(&way.delivered.intersect(&l.atoms));
            } else if let (Some(list), false) = (firewalls_of(at), through) {
                doubt |= may_cross(w, w.network(), list, way);
            }
        });
        if !atoms.is_empty() {
            bad.push(Leak { atoms, ..l });
        }
    }
    let o = forbid(w, bad);
    let firewalls = firewalls_of(at);
    let certain = || {
        // A firewall that may stand in the way counts as crossed for certain only where it certainly stands.
        o.leaks.iter().any(|l| is_against_for_certain(w, &p, c, l))
    };
    match firewalls {
        _ if o.leaks.is_empty() && !doubt => o,
        _ if certain() => o,
        None => Outcome {
            verdict: Verdict::Undecided,
            reasons: vec![
                "which way packets take depends on a value that is not known or on a contested reading"
                    .to_string(),
            ],
            ..o
        },
        Some(list) => Outcome {
            verdict: Verdict::Undecided,
            reasons: vec![why(w, list)],
            ..o
        },
    }
}

/// What leads replies another way than a clause says.
pub(crate) struct Astray {
    /// Custom routes that they take.
    pub(crate) routes: BTreeSet<u32>,
    /// Static routes of transit routers that they take.
    pub(crate) tr_routes: BTreeSet<u32>,
    /// By which learned routes they go: positions in `Typed::tr_propagations`.
    pub(crate) learned: BTreeSet<u32>,
    /// The tables by which they set out.
    pub(crate) tables: BTreeSet<RouteTableId>,
}

/// Whether all that is against the clause is the way of the replies, and what leads them there.
pub(crate) fn replies_astray(w: &World<'_>, c: &Clause, l: &Leak) -> Option<Astray> {
    let t = &w.inventory.typed;
    let mut found = Astray {
        routes: BTreeSet::new(),
        tr_routes: BTreeSet::new(),
        learned: BTreeSet::new(),
        tables: BTreeSet::new(),
    };
    let (mut there, mut back) = (false, false);
    let mut pair = None;
    each_way(w, c, c.waypoint.as_ref()?, l, |(s, d), way, against| {
        if !against || !way.delivered.intersects(&l.atoms) {
            return;
        }
        there |= !way.back;
        back |= way.back;
        pair = pair.or(way.back.then_some((s, d)));
        found.routes.extend(&way.routes);
        let vswitch = match d {
            Point::Inside(d) => t[d.iface].vswitch.known(),
            Point::Outside(_) => way.nats.first().and_then(|n| t[*n].vswitch.as_ref()?.known()),
        };
        found
            .tables
            .extend(vswitch.and_then(|v| t[*v].table.known()).copied());
    });
    let (s, d) = pair.filter(|_| back && !there)?;
    across_routers(w, l, (s, d), &mut found);
    Some(found)
}

/// By which entries of transit routers the replies of one packet of a leak go.
fn across_routers(w: &World<'_>, l: &Leak, (s, d): (Point, Point), found: &mut Astray) {
    let t = &w.inventory.typed;
    let Some((proto, port)) = w.services(&l.atoms).first() else {
        return;
    };
    let traced = trace(w.network(), w.inventory, s, d, proto, CLIENT_PORT, port);
    let delivered = traced.ways.iter().filter(|w| w.delivered);
    for step in delivered
        .flat_map(|w| &w.reply)
        .filter(|s| s.layer == Layer::TransitRouter)
    {
        match step.from {
            Some(DecidedBy::TrRoute(n)) => {
                found.tr_routes.insert(n);
            }
            Some(DecidedBy::Attachment(a)) => {
                let here = |l: &TrLink| {
                    let table = l.table.known().map(|x| &t[*x].meta.origin.address);
                    l.attachment.known() == Some(&a) && table.is_some_and(|n| **n == *step.at)
                };
                let learned = (0u32..).zip(&t.tr_propagations).filter(|(_, l)| here(l));
                found.learned.extend(learned.map(|(n, _)| n));
            }
            _ => {}
        }
    }
}

/// What is not known of the firewalls.
fn why(w: &World<'_>, list: &[u32]) -> String {
    let t = &w.inventory.typed;
    let mut places = list
        .iter()
        .filter_map(|n| t.firewalls.get(*n as usize))
        .map(|f| &f.place);
    if places.clone().any(|p| t.diverts(p)) {
        return "which packets are led to a firewall at a transit router is not in Terraform; `--assume A-CFW-2=diverted` says that all are".to_string();
    }
    if places.all(|p| matches!(p, FirewallPlace::Vpc(_))) {
        return "whether the firewall judges every way depends on a value that is not known".to_string();
    }
    "whether Cloud Firewall protects a public address is not in Terraform; `--assume A-CFW-1=protected` says that every public address is".to_string()
}

/// Whether a way that is not counted as crossing a firewall may cross one of the list.
fn may_cross(w: &World<'_>, net: &Network, list: &[u32], way: &Crossing) -> bool {
    list.iter().any(|n| {
        let Some(f) = w.inventory.typed.firewalls.get(*n as usize) else {
            return false;
        };
        f.on.known() != Some(&false)
            && match &f.place {
                FirewallPlace::Internet => {
                    let sure = w.sure.network().perimeter.internet.is_some();
                    way.internet && sure && net.perimeter.internet.is_none()
                }
                FirewallPlace::Nat { nat, .. } => match nat.known() {
                    Some(n) => way.nats.contains(n),
                    None => !way.nats.is_empty(),
                },
                FirewallPlace::Vpc(_) => !net.perimeter.stands_alike(&w.sure.network().perimeter, *n),
            }
    })
}
