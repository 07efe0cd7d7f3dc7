//! Everyone who can reach a destination.

use super::{Cells, Frame, Subject, public_text};
use crate::names;
use bartizan_base::Diagnostic;
use bartizan_packet::{AtomSet, IpSet, ServiceSet};
use bartizan_reach::Point;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Sources with the same services.
#[derive(Clone, Debug)]
pub struct Source {
    /// Their zone, `unzoned` or `internet`.
    pub zone: String,
    /// Terraform addresses of the resources, sorted; empty for public addresses.
    pub resources: Vec<String>,
    /// Public addresses in words; empty for resources.
    pub public: String,
    /// The same as prefixes.
    pub prefixes: Vec<String>,
    /// The services that are delivered.
    pub services: ServiceSet,
}

/// The answer to `who`.
#[derive(Clone, Debug)]
pub struct Who {
    /// The destination, as asked.
    pub destination: String,
    /// Sources, those of the Internet first, then by zone.
    pub sources: Vec<Source>,
}

/// The exact set of sources of a destination, by service.
///
/// # Errors
/// When the destination has no endpoint.
pub fn who(f: &Frame<'_>, to: &Subject, on: &ServiceSet) -> Result<Who, Diagnostic> {
    let w = f.world(&[to], std::slice::from_ref(on));
    let targets = f.inhabited(&w, f.plan.sets.len(), to)?;
    let want = w.atoms(on);
    let cells = Cells::of(&w);
    let mut inside: BTreeMap<usize, AtomSet> = BTreeMap::new();
    // Per block: a partition of its public addresses with what each part can reach.
    let mut outside: BTreeMap<u32, Vec<(IpSet, AtomSet)>> = BTreeMap::new();
    for a in 0..w.blocks() {
        for &b in &targets {
            let mut public: BTreeMap<IpAddr, AtomSet> = BTreeMap::new();
            w.may.each_pair(a, b, |s, _, flow| {
                let x = flow.delivered.intersect(&want);
                if x.is_empty() {
                    return true;
                }
                match s {
                    Point::Inside(i) => {
                        if let Some(&c) = cells.by.get(&i) {
                            inside.entry(c).and_modify(|y| y.union_with(&x)).or_insert(x);
                        }
                    }
                    Point::Outside(ip) => {
                        public.entry(ip).and_modify(|y| y.union_with(&x)).or_insert(x);
                    }
                }
                true
            });
            if !public.is_empty() {
                let reps: Vec<IpAddr> = w
                    .may
                    .points(a, b)
                    .into_iter()
                    .filter_map(|(p, _)| {
                        if let Point::Outside(ip) = p {
                            Some(ip)
                        } else {
                            None
                        }
                    })
                    .collect();
                for (ip, piece) in pieces(&w.may.outside_of(a), &reps) {
                    if let Some(x) = public.get(&ip) {
                        overlay(outside.entry(a).or_default(), piece, x);
                    }
                }
            }
        }
    }
    let mut sources: Vec<Source> = Vec::new();
    let mut merged: BTreeMap<(String, String), (IpSet, ServiceSet)> = BTreeMap::new();
    for (b, parts) in outside {
        for (ips, atoms) in parts {
            let s = w.services(&atoms);
            let key = (names::block(&w, &f.plan, b), s.to_string());
            let e = merged.entry(key).or_insert_with(|| (IpSet::empty(), s));
            e.0 = e.0.union(&ips);
        }
    }
    for ((zone, _), (ips, services)) in merged {
        sources.push(Source {
            zone,
            resources: Vec::new(),
            public: public_text(&w, &ips),
            prefixes: ips.to_nets().iter().map(ToString::to_string).collect(),
            services,
        });
    }
    let mut by: BTreeMap<String, (String, AtomSet)> = BTreeMap::new();
    for (c, atoms) in inside {
        let zone = names::block(&w, &f.plan, cells.blocks[c]);
        for m in &cells.members[c] {
            let e = by
                .entry(super::resource(f.inventory, m.iface))
                .or_insert_with(|| (zone.clone(), w.network().atoms.none()));
            e.1.union_with(&atoms);
        }
    }
    let mut groups: BTreeMap<(String, String), (Vec<String>, ServiceSet)> = BTreeMap::new();
    for (name, (zone, atoms)) in by {
        let s = w.services(&atoms);
        groups
            .entry((zone, s.to_string()))
            .or_insert_with(|| (Vec::new(), s))
            .0
            .push(name);
    }
    for ((zone, _), (resources, services)) in groups {
        sources.push(Source {
            zone,
            resources,
            public: String::new(),
            prefixes: Vec::new(),
            services,
        });
    }
    Ok(Who {
        destination: to.name.clone(),
        sources,
    })
}

/// Each representative with the addresses that it stands for: from it up to the next one.
fn pieces(region: &IpSet, reps: &[IpAddr]) -> Vec<(IpAddr, IpSet)> {
    let mut v4: Vec<u32> = Vec::new();
    let mut v6: Vec<u128> = Vec::new();
    for r in reps {
        match r {
            IpAddr::V4(a) => v4.push(u32::from(*a)),
            IpAddr::V6(a) => v6.push(u128::from(*a)),
        }
    }
    v4.sort_unstable();
    v6.sort_unstable();
    let mut out = Vec::new();
    for (i, &lo) in v4.iter().enumerate() {
        let hi = v4.get(i + 1).map_or(u32::MAX, |n| n - 1);
        let all = IpSet {
            v4: bartizan_packet::IntervalSet::range(lo, hi),
            ..IpSet::default()
        };
        out.push((IpAddr::V4(lo.into()), all.intersect(region)));
    }
    for (i, &lo) in v6.iter().enumerate() {
        let hi = v6.get(i + 1).map_or(u128::MAX, |n| n - 1);
        let all = IpSet {
            v6: bartizan_packet::IntervalSet::range(lo, hi),
            ..IpSet::default()
        };
        out.push((IpAddr::V6(lo.into()), all.intersect(region)));
    }
    out
}

/// Adds services to some addresses, cutting the parts that are there.
fn overlay(parts: &mut Vec<(IpSet, AtomSet)>, piece: IpSet, atoms: &AtomSet) {
    let mut rest = piece;
    let mut fresh: Vec<(IpSet, AtomSet)> = Vec::new();
    for (ips, a) in parts.iter_mut() {
        let both = ips.intersect(&rest);
        if both.is_empty()
            || atoms.is_subset(a) && {
                rest = rest.subtract(&both);
                true
            }
        {
            continue;
        }
        rest = rest.subtract(&both);
        *ips = ips.subtract(&both);
        fresh.push((both, a.union(atoms)));
    }
    parts.retain(|p| !p.0.is_empty());
    if !rest.is_empty() {
        fresh.push((rest, atoms.clone()));
    }
    // Parts with the same services are one part.
    for (ips, a) in fresh {
        match parts.iter_mut().find(|p| p.1 == a) {
            Some(p) => p.0 = p.0.union(&ips),
            None => parts.push((ips, a)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_packet::{IntervalSet, ServiceAtoms, ServiceSet};

    fn v4(lo: u32, hi: u32) -> IpSet {
        IpSet {
            v4: IntervalSet::range(lo, hi),
            ..IpSet::default()
        }
    }

    #[test]
    fn pieces_partition_the_region() {
        let region = v4(10, 20).union(&v4(30, 40));
        let got = pieces(&region, &[10, 15, 30].map(|i: u32| IpAddr::V4(i.into())));
        let sets: Vec<IpSet> = got.into_iter().map(|p| p.1).collect();
        assert_eq!(sets, [v4(10, 14), v4(15, 20), v4(30, 40)]);
    }

    #[test]
    fn overlaid_services_add_up_and_parts_stay_disjoint() {
        let (a, b): (ServiceSet, ServiceSet) = ("tcp/22".parse().unwrap(), "tcp/80".parse().unwrap());
        let atoms = ServiceAtoms::new([&a, &b]);
        let (a, b) = (atoms.touching(&a), atoms.touching(&b));
        let mut parts = Vec::new();
        overlay(&mut parts, v4(0, 9), &a);
        overlay(&mut parts, v4(5, 14), &b);
        overlay(&mut parts, v4(5, 6), &a);
        parts.sort_by_key(|p| p.0.first());
        assert_eq!(
            parts,
            [(v4(0, 4), a.clone()), (v4(5, 9), a.union(&b)), (v4(10, 14), b)]
        );
    }
}
