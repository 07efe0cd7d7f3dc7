//! What can be said about sets of endpoints before any inventory is looked at.
//!
//! The world is cut into regions: one per zone, one per pair of zones that are declared to overlap, one per
//! env, the endpoints without a zone, and the addresses that no zone names. Zones made only of addresses, and
//! the rest, are sets of addresses; the other regions are opaque. An [`Area`] bounds a set from below (`low`,
//! certainly in it) and from above (`high`, possibly in it) in each region, so an answer is "yes", "no" or
//! "that depends on the inventory", and never a guess.

use crate::glob::globs_are_disjoint;
use crate::intent::{EnvId, Intent, Selector, SelectorKind, SetExpr, ZoneId};
use crate::tree::ResourceKind;
use bartizan_packet::IpSet;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};

/// The answer to "do these sets share an endpoint".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// In every inventory in which the zones that they name are not empty.
    Yes,
    /// That depends on the inventory.
    Unknown,
    /// In no inventory in which zones overlap only where it is declared.
    No,
}

/// Bounds of a set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Area {
    /// Regions of addresses: lower and upper bound.
    ips: BTreeMap<usize, (IpSet, IpSet)>,
    /// Opaque regions that are certainly in it as a whole.
    low: BTreeSet<usize>,
    /// Opaque regions of which something may be in it.
    high: BTreeSet<usize>,
}

impl Area {
    fn add(&mut self, o: &Area) {
        for (r, (low, high)) in &o.ips {
            let e = self.ips.entry(*r).or_default();
            *e = (e.0.union(low), e.1.union(high));
        }
        self.low.extend(&o.low);
        self.high.extend(&o.high);
    }

    pub(crate) fn overlap(&self, o: &Area) -> Overlap {
        let mut maybe = false;
        for (r, (low, high)) in &self.ips {
            let Some((l, h)) = o.ips.get(r) else { continue };
            if !low.intersect(l).is_empty() {
                return Overlap::Yes;
            }
            maybe |= !high.intersect(h).is_empty();
        }
        if self.low.intersection(&o.low).next().is_some() {
            return Overlap::Yes;
        }
        maybe |= self.high.intersection(&o.high).next().is_some();
        if maybe { Overlap::Unknown } else { Overlap::No }
    }

    /// Whether it is in `o` for certain.
    pub(crate) fn is_within(&self, o: &Area) -> bool {
        self.high.is_subset(&o.low)
            && self.ips.iter().all(|(r, (_, high))| match o.ips.get(r) {
                Some((low, _)) => high.subtract(low).is_empty(),
                None => high.is_empty(),
            })
    }

    /// Whether it is empty for certain.
    pub(crate) fn is_empty(&self) -> bool {
        self.high.is_empty() && self.ips.values().all(|(_, high)| high.is_empty())
    }
}

/// The regions of an intent.
pub(crate) struct Regions<'i> {
    intent: &'i Intent,
    /// Addresses per zone that is made of addresses only.
    zone_ips: Vec<Option<IpSet>>,
    /// Pairs of zones that are declared to overlap, first below second.
    pairs: Vec<(ZoneId, ZoneId)>,
    rest: IpSet,
    public: IpSet,
    private: IpSet,
}

impl<'i> Regions<'i> {
    pub(crate) fn new(intent: &'i Intent) -> Self {
        let private = private();
        let public = IpSet::full().subtract(&private);
        let zone_ips: Vec<Option<IpSet>> = intent
            .zones
            .iter()
            .map(|z| addresses(&z.selector, &public))
            .collect();
        let mut rest = IpSet::full();
        for ips in zone_ips.iter().flatten() {
            rest = rest.subtract(ips);
        }
        let pairs = (0..intent.zones.len())
            .filter_map(|i| Some((ZoneId(u32::try_from(i).ok()?), intent.zones.get(i)?)))
            .flat_map(|(a, z)| z.overlaps.iter().filter(move |&&b| a < b).map(move |&b| (a, b)))
            .collect();
        Regions {
            intent,
            zone_ips,
            pairs,
            rest,
            public,
            private,
        }
    }

    // Regions are numbered: zones, the rest, the unzoned, envs, pairs.
    fn rest_region(&self) -> usize {
        self.zone_ips.len()
    }
    fn unzoned_region(&self) -> usize {
        self.rest_region() + 1
    }
    fn env_region(&self, env: usize) -> usize {
        self.unzoned_region() + 1 + env
    }
    fn pair_region(&self, pair: usize) -> usize {
        self.env_region(self.intent.envs.len()) + pair
    }

    /// Whether a zone is made of addresses only.
    pub(crate) fn is_addresses(&self, z: ZoneId) -> bool {
        self.zone_ips.get(z.index()).is_some_and(Option::is_some)
    }

    pub(crate) fn area(&self, set: &SetExpr) -> Area {
        let mut out = Area::default();
        match set {
            SetExpr::Zone(z) => {
                match self.zone_ips.get(z.index()) {
                    Some(Some(ips)) => {
                        out.ips.insert(z.index(), (ips.clone(), ips.clone()));
                    }
                    _ => {
                        out.low.insert(z.index());
                    }
                }
                for (i, &(a, b)) in self.pairs.iter().enumerate() {
                    if a == *z || b == *z {
                        out.low.insert(self.pair_region(i));
                    }
                }
                out.high.clone_from(&out.low);
            }
            SetExpr::Env(e) => self.env(*e, &mut out),
            SetExpr::Cidr(net) => self.cidr(*net, &mut out),
            SetExpr::Everything => {
                for (i, ips) in self.zone_ips.iter().enumerate() {
                    match ips {
                        Some(ips) => {
                            out.ips.insert(i, (ips.clone(), ips.clone()));
                        }
                        None => {
                            out.low.insert(i);
                        }
                    }
                }
                out.ips
                    .insert(self.rest_region(), (self.rest.clone(), self.rest.clone()));
                out.low
                    .extend(self.unzoned_region()..self.pair_region(self.pairs.len()));
                out.high.clone_from(&out.low);
            }
            SetExpr::Outside => {
                for (i, ips) in self.zone_ips.iter().enumerate() {
                    if let Some(ips) = ips {
                        let part = ips.intersect(&self.public);
                        out.ips.insert(i, (part.clone(), part));
                    }
                }
                let part = self.rest.intersect(&self.public);
                out.ips.insert(self.rest_region(), (part.clone(), part));
                out.high
                    .extend((0..self.pairs.len()).map(|p| self.pair_region(p)));
            }
            SetExpr::Unzoned => {
                out.low.insert(self.unzoned_region());
                out.high.extend(self.unzoned_region()..self.pair_region(0));
                let part = self.rest.intersect(&self.private);
                out.ips.insert(self.rest_region(), (IpSet::empty(), part));
            }
            SetExpr::Union(items) => items.iter().for_each(|s| out.add(&self.area(s))),
            SetExpr::Except(a, b) if is_part(a, b) => {}
            SetExpr::Except(a, b) => {
                let b = self.area(b);
                out = self.area(a);
                // Private addresses of the rest may belong to endpoints of what is taken away.
                let taken = if b.high.is_empty() {
                    IpSet::empty()
                } else {
                    self.private.clone()
                };
                for (r, (low, high)) in &mut out.ips {
                    if let Some((l, h)) = b.ips.get(r) {
                        (*low, *high) = (low.subtract(h), high.subtract(l));
                    }
                    if *r == self.rest_region() {
                        *low = low.subtract(&taken);
                    }
                }
                out.low.retain(|r| !b.high.contains(r));
                // An env is a region of its own and also shows in those of its zones.
                for e in 0..self.intent.envs.len() {
                    let mut env = Area::default();
                    self.env(EnvId(u32::try_from(e).unwrap_or(u32::MAX)), &mut env);
                    if out.low.contains(&self.env_region(e)) && env.overlap(&b) != Overlap::No {
                        out.low.remove(&self.env_region(e));
                    }
                }
                out.high.retain(|r| !b.low.contains(r));
            }
        }
        out
    }

    fn env(&self, e: EnvId, out: &mut Area) {
        for (i, ips) in self.zone_ips.iter().enumerate() {
            let zone = ZoneId(u32::try_from(i).unwrap_or(u32::MAX));
            match (ips, self.zone_in_env(zone, e.index())) {
                (_, Overlap::No) => {}
                (Some(ips), _) => {
                    out.ips.insert(i, (IpSet::empty(), ips.clone()));
                }
                (None, Overlap::Yes) => {
                    out.low.insert(i);
                    out.high.insert(i);
                }
                (None, Overlap::Unknown) => {
                    out.high.insert(i);
                }
            }
        }
        out.low.insert(self.env_region(e.index()));
        out.high.extend(self.env_region(0)..self.pair_region(0));
        out.high.insert(self.unzoned_region());
        for (i, &(a, b)) in self.pairs.iter().enumerate() {
            let inside = [a, b]
                .iter()
                .any(|z| self.zone_in_env(*z, e.index()) == Overlap::Yes);
            if inside {
                out.low.insert(self.pair_region(i));
            }
            out.high.insert(self.pair_region(i));
        }
        let part = self.rest.intersect(&self.private);
        out.ips.insert(self.rest_region(), (IpSet::empty(), part));
    }

    fn cidr(&self, net: IpNet, out: &mut Area) {
        let set = IpSet::from_nets([net]);
        for (i, ips) in self.zone_ips.iter().enumerate() {
            match ips {
                Some(ips) => {
                    let part = ips.intersect(&set);
                    if !part.is_empty() {
                        out.ips.insert(i, (part.clone(), part));
                    }
                }
                None => {
                    out.high.insert(i);
                }
            }
        }
        let part = self.rest.intersect(&set);
        if !part.is_empty() {
            out.ips.insert(self.rest_region(), (part.clone(), part));
        }
        out.high
            .extend(self.unzoned_region()..self.pair_region(self.pairs.len()));
    }

    /// Whether a zone lies in an env: `Yes` for "as a whole", `No` for "shares nothing".
    pub(crate) fn zone_in_env(&self, z: ZoneId, e: usize) -> Overlap {
        let (Some(zone), Some(env)) = (self.intent.zones.get(z.index()), self.intent.envs.get(e)) else {
            return Overlap::Unknown;
        };
        if let Some(Some(ips)) = self.zone_ips.get(z.index())
            && ips.intersect(&self.private).is_empty()
        {
            return Overlap::No;
        }
        let own = self.conjuncts(&zone.selector);
        if own
            .iter()
            .any(|s| matches!(s.kind, SelectorKind::In(i) if i.index() == e))
        {
            return Overlap::Yes;
        }
        let other = self.conjuncts(&env.selector);
        if own.iter().any(|a| other.iter().any(|b| are_disjoint(a, b))) {
            Overlap::No
        } else {
            Overlap::Unknown
        }
    }

    /// What must all be true, envs replaced by what they are made of (beside themselves).
    fn conjuncts(&self, s: &'i Selector) -> Vec<&'i Selector> {
        let mut out = Vec::new();
        let mut todo = vec![s];
        while let Some(s) = todo.pop() {
            match &s.kind {
                SelectorKind::All(l) => todo.extend(l),
                SelectorKind::In(e) => {
                    out.push(s);
                    todo.extend(self.intent.envs.get(e.index()).map(|e| &e.selector));
                }
                SelectorKind::Except(base, _) => todo.push(base),
                _ => out.push(s),
            }
            // A long chain of envs is not worth following: less is known, nothing is wrong.
            if out.len() > 32 {
                break;
            }
        }
        out
    }
}

/// Whether every part of `a` is a part of `b` as written, or a prefix inside of one.
pub(crate) fn is_part(a: &SetExpr, b: &SetExpr) -> bool {
    fn parts(s: &SetExpr) -> &[SetExpr] {
        match s {
            SetExpr::Union(l) => l,
            s => std::slice::from_ref(s),
        }
    }
    let holds = |s: &SetExpr, o: &SetExpr| match (s, o) {
        (SetExpr::Cidr(inner), SetExpr::Cidr(outer)) => outer.contains(inner),
        (s, o) => s == o,
    };
    parts(a).iter().all(|s| parts(b).iter().any(|o| holds(s, o)))
}

/// Whether no endpoint can be selected by both. An endpoint has one VPC, one vSwitch, and one value per tag.
fn are_disjoint(a: &Selector, b: &Selector) -> bool {
    match (&a.kind, &b.kind) {
        (SelectorKind::Tag { key: k, value: v }, SelectorKind::Tag { key: l, value: w }) => {
            k == l && globs_are_disjoint(v, w)
        }
        (
            SelectorKind::Resource { of: k, glob: Some(v) },
            SelectorKind::Resource { of: l, glob: Some(w) },
        ) => {
            let single = matches!(k, ResourceKind::Vpc | ResourceKind::Vswitch);
            // One may mean the name and the other the id of the same thing.
            let is_id = |s: &str| s.starts_with("vpc-") || s.starts_with("vsw-");
            k == l && single && is_id(v) == is_id(w) && globs_are_disjoint(v, w)
        }
        _ => false,
    }
}

/// The addresses of a selector that says nothing but addresses and the links they come by.
fn addresses(s: &Selector, public: &IpSet) -> Option<IpSet> {
    match &s.kind {
        SelectorKind::Cidr(net) => Some(IpSet::from_nets([*net])),
        SelectorKind::Outside => Some(public.clone()),
        SelectorKind::All(l) => {
            let mut out: Option<IpSet> = None;
            for s in l.iter().filter(|s| !matches!(s.kind, SelectorKind::Via { .. })) {
                let ips = addresses(s, public)?;
                out = Some(out.map_or_else(|| ips.clone(), |o| o.intersect(&ips)));
            }
            out
        }
        SelectorKind::AnyOf(l) => {
            let mut out = IpSet::empty();
            for s in l {
                out = out.union(&addresses(s, public)?);
            }
            Some(out)
        }
        SelectorKind::Except(base, minus) => {
            let mut out = addresses(base, public)?;
            for s in minus {
                out = out.subtract(&addresses(s, public)?);
            }
            Some(out)
        }
        _ => None,
    }
}

/// Addresses that are never outside: private, shared, link-local, loopback and reserved ones.
fn private() -> IpSet {
    const NETS: &[&str] = &[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/3",
        "::/8",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    ];
    IpSet::from_nets(NETS.iter().filter_map(|n| n.parse().ok()))
}
