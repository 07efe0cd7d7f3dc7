//! Zones with their members.

use crate::names;
use crate::plan::Plan;
use crate::report::ZoneResult;
use crate::world::World;

/// The zones with their members.
#[must_use]
pub fn zones(w: &World<'_>, plan: &Plan) -> Vec<ZoneResult> {
    let governed = |set: usize| {
        let of = w.blocks_of(set);
        !of.is_empty()
            && of.iter().all(|&b| {
                plan.boundaries
                    .iter()
                    .any(|x| x.governs.iter().any(|&g| w.in_set(b, g)))
            })
    };
    let one = |name: &str, set: usize| {
        let mut members: Vec<String> = w
            .blocks_of(set)
            .into_iter()
            .flat_map(|b| w.interfaces_of(b))
            .map(|i| names::interface(w, i))
            .collect();
        members.sort();
        members.dedup();
        let public = w
            .blocks_of(set)
            .into_iter()
            .fold(bartizan_packet::IpSet::empty(), |s, b| {
                s.union(&w.may.outside_of(b))
            });
        let whole = public == w.network().outside;
        let n = public.to_nets().len();
        let public = match n {
            0 => String::new(),
            _ if whole => "every public address that nobody here owns".to_string(),
            1..=4 => public.to_string(),
            _ => format!("{n} prefixes of public addresses"),
        };
        ZoneResult {
            name: name.to_string(),
            members,
            public,
            governed: governed(set),
        }
    };
    let mut out: Vec<ZoneResult> = plan.zones.iter().map(|z| one(&z.name, z.set)).collect();
    let rest = one("unzoned", plan.unzoned);
    if !rest.members.is_empty() {
        out.push(rest);
    }
    out
}
