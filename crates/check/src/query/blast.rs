//! How far a source gets, hop by hop.

use super::{Cells, Frame, Subject};
use crate::names;
use bartizan_base::Diagnostic;
use bartizan_packet::{AtomSet, ServiceSet};
use bartizan_reach::Point;
use std::collections::{BTreeMap, BTreeSet};

/// A resource that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlastStep {
    /// Terraform address.
    pub resource: String,
    /// Its zone, or `unzoned`.
    pub zone: String,
    /// Number of hops from the source, from 1.
    pub depth: usize,
    /// The resource (or `internet`) of the hop before.
    pub via: String,
    /// The services of that hop.
    pub services: ServiceSet,
}

/// A way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Terraform address.
    pub resource: String,
    /// The zone of the public addresses, or `internet`.
    pub to: String,
    /// The services.
    pub services: ServiceSet,
}

/// The answer to `blast`.
#[derive(Clone, Debug)]
pub struct Blast {
    /// The source, as asked.
    pub source: String,
    /// The resources in it, sorted.
    pub start: Vec<String>,
    /// What can be reached, nearest first.
    pub steps: Vec<BlastStep>,
    /// Which of all these reach public addresses. The closure does not go on from there.
    pub exits: Vec<Exit>,
    /// Whether some pairs were left out to bound the effort: then there may be more.
    pub truncated: bool,
}

const MAX_PAIRS: usize = 2_000_000;

/// Everything that can be reached from a source by way of what it can reach: each hop opens a connection of its
/// own.
///
/// # Errors
/// When the source has no endpoint.
pub fn blast(f: &Frame<'_>, from: &Subject) -> Result<Blast, Diagnostic> {
    let w = f.world(&[from], &[]);
    let start = f.inhabited(&w, f.plan.sets.len(), from)?;
    let cells = Cells::of(&w);
    // Edges between cells; what comes from public addresses of the source starts at `None`.
    let mut edges: BTreeMap<(Option<usize>, usize), AtomSet> = BTreeMap::new();
    let mut out: BTreeMap<(usize, u32), AtomSet> = BTreeMap::new();
    let mut pairs = 0;
    for a in 0..w.blocks() {
        for b in 0..w.blocks() {
            w.may.each_pair(a, b, |s, d, flow| {
                pairs += 1;
                if flow.delivered.is_empty() {
                    return pairs < MAX_PAIRS;
                }
                let add = |e: &mut AtomSet| e.union_with(&flow.delivered);
                match (s, d) {
                    (Point::Inside(s), Point::Inside(d)) => {
                        if let (Some(&s), Some(&d)) = (cells.by.get(&s), cells.by.get(&d)) {
                            edges
                                .entry((Some(s), d))
                                .and_modify(add)
                                .or_insert_with(|| flow.delivered.clone());
                        }
                    }
                    (Point::Outside(_), Point::Inside(d)) if start.contains(&a) => {
                        if let Some(&d) = cells.by.get(&d) {
                            edges
                                .entry((None, d))
                                .and_modify(add)
                                .or_insert_with(|| flow.delivered.clone());
                        }
                    }
                    (Point::Inside(s), Point::Outside(_)) => {
                        if let Some(&s) = cells.by.get(&s) {
                            out.entry((s, b))
                                .and_modify(add)
                                .or_insert_with(|| flow.delivered.clone());
                        }
                    }
                    _ => {}
                }
                pairs < MAX_PAIRS
            });
        }
    }
    let name = |c: Option<usize>| {
        c.and_then(|c| cells.members[c].first()).map_or_else(
            || "internet".to_string(),
            |m| super::resource(f.inventory, m.iface),
        )
    };
    let resources = |c: usize| -> BTreeSet<String> {
        cells.members[c]
            .iter()
            .map(|m| super::resource(f.inventory, m.iface))
            .collect()
    };
    let begin: BTreeSet<usize> = (0..cells.blocks.len())
        .filter(|&c| start.contains(&cells.blocks[c]))
        .collect();
    let starting: BTreeSet<String> = begin.iter().flat_map(|&c| resources(c)).collect();
    let mut seen: BTreeSet<usize> = begin.clone();
    let mut frontier: Vec<Option<usize>> = begin.iter().copied().map(Some).collect();
    frontier.push(None);
    let mut steps: BTreeMap<String, BlastStep> = BTreeMap::new();
    let mut depth = 0;
    while !frontier.is_empty() {
        depth += 1;
        let mut next: Vec<Option<usize>> = Vec::new();
        for &s in &frontier {
            for ((_, d), atoms) in edges.range((s, 0)..=(s, usize::MAX)) {
                if !seen.insert(*d) {
                    continue;
                }
                next.push(Some(*d));
                let zone = names::block(&w, &f.plan, cells.blocks[*d]);
                for r in resources(*d).into_iter().filter(|r| !starting.contains(r)) {
                    steps.entry(r.clone()).or_insert_with(|| BlastStep {
                        resource: r,
                        zone: zone.clone(),
                        depth,
                        via: name(s),
                        services: w.services(atoms),
                    });
                }
            }
        }
        frontier = next;
    }
    let mut exits: BTreeMap<(String, String), AtomSet> = BTreeMap::new();
    for ((c, b), atoms) in &out {
        if seen.contains(c) {
            for r in resources(*c) {
                let key = (r, names::block(&w, &f.plan, *b));
                exits
                    .entry(key)
                    .and_modify(|e| e.union_with(atoms))
                    .or_insert_with(|| atoms.clone());
            }
        }
    }
    let mut steps: Vec<BlastStep> = steps.into_values().collect();
    steps.sort_by(|a, b| (a.depth, &a.zone, &a.resource).cmp(&(b.depth, &b.zone, &b.resource)));
    Ok(Blast {
        source: from.name.clone(),
        start: starting.into_iter().collect(),
        steps,
        exits: exits
            .into_iter()
            .map(|((resource, to), a)| Exit {
                resource,
                to,
                services: w.services(&a),
            })
            .collect(),
        truncated: pairs >= MAX_PAIRS,
    })
}
