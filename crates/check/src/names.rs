//! Names for people: blocks, points, services.

use crate::plan::Plan;
use crate::world::World;
use bartizan_model::InterfaceId;
use bartizan_packet::ServiceSet;
use bartizan_reach::Point;
use std::collections::BTreeSet;

/// The zone of a block, or `unzoned`, `internet`.
#[must_use]
pub fn block(w: &World<'_>, plan: &Plan, b: u32) -> String {
    if let Some(z) = plan.zones.iter().find(|z| w.in_set(b, z.set)) {
        // A literal inside a zone is worth naming on its own.
        if w.is_outside(b)
            && let Some(s) = w
                .sets_of(b)
                .find(|&s| matches!(w.sets[s], crate::Set::Ips(_)) && s != z.set)
        {
            return format!("{} ({})", plan.set_names[s], z.name);
        }
        return z.name.clone();
    }
    if w.is_outside(b) {
        if let Some(s) = w.sets_of(b).find(|&s| matches!(w.sets[s], crate::Set::Ips(_))) {
            return plan.set_names[s].clone();
        }
        return "internet".to_string();
    }
    "unzoned".to_string()
}

/// The set that people would name first: a whole zone before a part of one.
#[must_use]
pub fn leading(flows: &[(String, String, ServiceSet)]) -> Option<&(String, String, ServiceSet)> {
    let part = |n: &str| n.ends_with(')');
    flows
        .iter()
        .min_by_key(|(a, b, _)| (part(a), part(b), a != "internet"))
}

/// Terraform address of an interface's resource.
#[must_use]
pub fn interface(w: &World<'_>, i: InterfaceId) -> String {
    w.inventory.typed[i].meta.origin.address.to_string()
}

/// A point: the interface and its address, or the public address. The address of what has a public address only, which
/// the cloud has yet to pick, is empty.
#[must_use]
pub fn point(w: &World<'_>, plan: &Plan, p: Point) -> (String, String) {
    match p {
        Point::Inside(i) => {
            let t = &w.inventory.typed;
            let detached = t
                .balancers
                .iter()
                .any(|b| b.detached && b.fronts.contains(&i.iface));
            let known = t[i.iface].public.iter().find_map(|p| p.ip.known());
            let ip = match (detached, known) {
                (false, _) => i.ip.to_string(),
                (true, Some(ip)) => ip.to_string(),
                (true, None) => String::new(),
            };
            (interface(w, i.iface), ip)
        }
        Point::Outside(ip) => {
            let zone = plan.zones.iter().find(|z| w.sets[z.set].contains(None, ip));
            (
                zone.map_or_else(|| "internet".to_string(), |z| z.name.clone()),
                ip.to_string(),
            )
        }
    }
}

/// `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [a] => a.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// `a -> b: services` for each group of flows with equal services, sources merged.
#[must_use]
pub fn boxes(flows: &[(String, String, ServiceSet)]) -> Vec<String> {
    let mut by: std::collections::BTreeMap<(String, String), ServiceSet> = std::collections::BTreeMap::new();
    for (a, b, s) in flows {
        let e = by.entry((a.clone(), b.clone())).or_default();
        *e = e.union(s);
    }
    let mut merged: Vec<(BTreeSet<String>, BTreeSet<String>, ServiceSet)> = Vec::new();
    // First merge sources with the same destination and services, then destinations.
    for ((a, b), s) in by {
        match merged
            .iter_mut()
            .find(|m| m.1.len() == 1 && m.1.contains(&b) && m.2 == s)
        {
            Some(m) => {
                m.0.insert(a);
            }
            None => merged.push((BTreeSet::from([a]), BTreeSet::from([b]), s)),
        }
    }
    let mut out: Vec<(BTreeSet<String>, BTreeSet<String>, ServiceSet)> = Vec::new();
    for (a, b, s) in merged {
        match out.iter_mut().find(|m| m.0 == a && m.2 == s) {
            Some(m) => m.1.extend(b),
            None => out.push((a, b, s)),
        }
    }
    let side = |s: BTreeSet<String>| {
        // `host 203.0.113.8 (partner)` beside `partner` says nothing more.
        let v: Vec<String> = s
            .iter()
            .filter(|n| !s.iter().any(|z| n.ends_with(&format!("({z})"))))
            .cloned()
            .collect();
        if v.len() == 1 {
            v.concat()
        } else {
            format!("{{{}}}", v.join(", "))
        }
    };
    out.into_iter()
        .map(|(a, b, s)| format!("{} -> {}: {s}", side(a), side(b)))
        .collect()
}
