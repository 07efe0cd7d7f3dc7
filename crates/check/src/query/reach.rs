//! The whole of who can reach whom.

use super::{Frame, Subject, resource};
use crate::evaluate::{Leak, is_sure};
use crate::sets::Set;
use crate::world::World;
use bartizan_base::Diagnostic;
use bartizan_model::InterfaceId;
use bartizan_packet::ServiceSet;
use std::collections::BTreeMap;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A zone of the intent.
    Zone,
    /// A resource with interfaces.
    Resource,
}

/// A row or column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Terraform addresses of the interfaces in it, sorted.
    pub members: Vec<String>,
}

/// What travels from a group to a group.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Source: position in [`Matrix::groups`].
    pub from: usize,
    /// Destination.
    pub to: usize,
    /// Services of which some packet may be delivered.
    pub services: ServiceSet,
    /// Whether some packet is delivered whatever the unknown values turn out to be.
    pub certain: bool,
}

/// The answer to `reach`.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// What rows and columns are.
    pub by: By,
    /// Rows and columns.
    pub groups: Vec<Group>,
    /// Pairs that can talk, sorted; pairs that are not here cannot.
    pub entries: Vec<Entry>,
}

/// More resources than this make a matrix that nobody reads and no machine holds.
const MAX_RESOURCES: usize = 2_000;

/// Who can reach whom on which services, exactly.
///
/// # Errors
/// When a side has no endpoint, or there are too many resources for a matrix.
pub fn reach(
    f: &Frame<'_>,
    from: Option<&Subject>,
    to: Option<&Subject>,
    on: &ServiceSet,
    by: By,
) -> Result<Matrix, Diagnostic> {
    let everything = Subject {
        name: "everything".to_string(),
        set: Set::Everything,
    };
    let (from, to) = (from.unwrap_or(&everything), to.unwrap_or(&everything));
    let mut subjects = vec![from.clone(), to.clone()];
    let base = f.plan.sets.len();
    let mut groups: Vec<(String, usize)> = Vec::new();
    if by == By::Resource {
        let mut resources: BTreeMap<String, Vec<InterfaceId>> = BTreeMap::new();
        for i in 0..f.inventory.typed.interfaces.len() {
            let id = InterfaceId(u32::try_from(i).unwrap_or(u32::MAX));
            resources.entry(resource(f.inventory, id)).or_default().push(id);
        }
        if resources.len() > MAX_RESOURCES {
            return Err(Diagnostic::error(
                "INPUT001",
                format!(
                    "{} resources are too many for a matrix (at most {MAX_RESOURCES})",
                    resources.len()
                ),
            )
            .help("ask by zone (`--by zone`), or about one end with `bartizan who` and `bartizan blast`"));
        }
        for (name, ids) in resources {
            groups.push((name.clone(), base + subjects.len()));
            subjects.push(Subject {
                name,
                set: Set::Interfaces(ids),
            });
        }
    }
    let refs: Vec<&Subject> = subjects.iter().collect();
    let mut w = f.world(&refs, std::slice::from_ref(on));
    w.answer_sure();
    f.inhabited(&w, base, from)?;
    f.inhabited(&w, base + 1, to)?;
    if by == By::Zone {
        groups = f.plan.zones.iter().map(|z| (z.name.clone(), z.set)).collect();
        groups.push(("unzoned".to_string(), f.plan.unzoned));
    }
    // Blocks of each group; public addresses are told apart by zone, the rest of them is the Internet.
    let mut blocks: Vec<(String, Vec<u32>)> = groups
        .iter()
        .map(|(n, s)| (n.clone(), w.blocks_of(*s)))
        .filter(|g| !g.1.is_empty())
        .collect();
    if by == By::Resource {
        for z in &f.plan.zones {
            let outside: Vec<u32> = w
                .blocks_of(z.set)
                .into_iter()
                .filter(|&b| w.is_outside(b))
                .collect();
            if !outside.is_empty() {
                blocks.push((z.name.clone(), outside));
            }
        }
    }
    let rest: Vec<u32> = (0..w.blocks())
        .filter(|&b| w.is_outside(b) && !blocks.iter().any(|g| g.1.contains(&b)))
        .collect();
    if !rest.is_empty() {
        blocks.push(("internet".to_string(), rest));
    }
    let mut entries = Vec::new();
    for (i, (_, a)) in blocks.iter().enumerate() {
        for (k, (_, b)) in blocks.iter().enumerate() {
            entries.extend(entry(&w, (i, a), (k, b), base, on));
        }
    }
    let groups = blocks
        .into_iter()
        .map(|(name, bs)| {
            let mut members: Vec<String> = bs
                .iter()
                .flat_map(|&b| w.interfaces_of(b))
                .map(|i| resource(f.inventory, i))
                .collect();
            members.sort();
            members.dedup();
            Group { name, members }
        })
        .collect();
    Ok(Matrix { by, groups, entries })
}

fn entry(
    w: &World<'_>,
    (i, a): (usize, &[u32]),
    (k, b): (usize, &[u32]),
    base: usize,
    on: &ServiceSet,
) -> Option<Entry> {
    let want = w.atoms(on);
    let mut total = w.network().atoms.none();
    let mut certain = false;
    for &x in a.iter().filter(|&&x| w.in_set(x, base)) {
        for &y in b.iter().filter(|&&y| w.in_set(y, base + 1)) {
            let atoms = w.may.delivered(x, y).intersect(&want);
            if atoms.is_empty() {
                continue;
            }
            // The narrow matrix answers most; only where it is silent every pair is looked at.
            let quick = !w.sure.delivered(x, y).intersect(&want).is_empty();
            certain = certain
                || quick
                    && is_sure(
                        w,
                        &Leak {
                            from: x,
                            to: y,
                            atoms: atoms.clone(),
                        },
                    );
            total.union_with(&atoms);
        }
    }
    (!total.is_empty()).then(|| Entry {
        from: i,
        to: k,
        services: w.services(&total),
        certain,
    })
}
