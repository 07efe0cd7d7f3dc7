//! Route maps of CEN instances, ALIBABA.md §10.5.

use bartizan_model::{CidrMatch, Fact, RouteMap, TrTableId, Typed, VpcId};
use ipnet::IpNet;

/// Whether routes come in or are handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// `RegionIn`.
    In,
    /// `RegionOut`.
    Out,
}

/// `Some` where it is certain.
fn all(parts: impl IntoIterator<Item = Option<bool>>) -> Option<bool> {
    let mut sure = Some(true);
    for p in parts {
        match p {
            Some(false) => return Some(false),
            None => sure = None,
            Some(true) => {}
        }
    }
    sure
}

fn listed(condition: &Option<(Vec<Fact<VpcId>>, bool)>, vpc: Option<VpcId>) -> Option<bool> {
    let Some((vpcs, reverse)) = condition else {
        return Some(true);
    };
    let hit = match vpc {
        None => Some(false),
        Some(v) if vpcs.iter().any(|x| x.known() == Some(&v)) => Some(true),
        Some(_) if vpcs.iter().any(|x| x.known().is_none()) => None,
        Some(_) => Some(false),
    };
    hit.map(|h| h != *reverse)
}

fn prefix(m: &RouteMap, net: IpNet) -> Option<bool> {
    let Some(prefixes) = &m.prefixes else {
        return Some(true);
    };
    let mode = m.match_mode.known()?;
    let fits = |p: &IpNet| match mode {
        CidrMatch::Complete => p.trunc() == net,
        CidrMatch::Include => p.trunc().contains(&net),
    };
    if prefixes.iter().filter_map(|p| p.known()).any(fits) {
        Some(true)
    } else if prefixes.iter().any(|p| p.known().is_none()) {
        None
    } else {
        Some(false)
    }
}

/// Whether all conditions of a map match a route.
fn matches(
    t: &Typed,
    m: &RouteMap,
    table: TrTableId,
    net: IpNet,
    from: Option<VpcId>,
    to: Option<VpcId>,
) -> Option<bool> {
    let router = t[table].router.known();
    let home = || {
        let r = &t[*router?];
        let cen = m.cen.known()?;
        let region = m.region.known()?;
        Some(r.cen.as_ref().is_none_or(|c| c == cen) && r.meta.region.as_ref().is_none_or(|x| x == region))
    };
    let about = match &m.table {
        Some(Fact::Known(x)) => Some(*x == table),
        Some(Fact::Unknown(_)) => None,
        None if t[table].system => home(),
        None => Some(false),
    };
    all([
        about,
        m.unmodelled.is_empty().then_some(true),
        m.origin.maybe.is_none().then_some(true),
        prefix(m, net),
        listed(&m.sources, from),
        listed(&m.destinations, to),
    ])
}

/// Whether the route maps let a route into or out of a table; `None` where that is not known. `from` and `to` are
/// the attached VPCs that it comes from and goes to.
pub(super) fn permits(
    t: &Typed,
    dir: Direction,
    table: TrTableId,
    net: IpNet,
    from: Option<VpcId>,
    to: Option<VpcId>,
) -> Option<bool> {
    let mut maps: Vec<&RouteMap> = Vec::new();
    for m in &t.route_maps {
        match m.receives.known() {
            Some(r) if *r == (dir == Direction::In) => maps.push(m),
            Some(_) => {}
            None => return None,
        }
    }
    if maps.iter().any(|m| m.priority.known().is_none()) {
        return None;
    }
    maps.sort_by_key(|m| m.priority.known().copied());
    let mut at = 0u8;
    // A priority is taken at most once, so this ends.
    for m in maps {
        let p = m.priority.known().copied().unwrap_or(u8::MAX);
        if p < at {
            continue;
        }
        match matches(t, m, table, net, from, to) {
            Some(false) => {}
            None => return None,
            Some(true) => match (m.permit.known()?, &m.next_priority) {
                (false, _) => return Some(false),
                (true, None) => return Some(true),
                (true, Some(next)) => at = *next.known()?,
            },
        }
    }
    Some(true)
}
