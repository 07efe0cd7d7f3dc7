//! All pairs over the public Internet, class by class.
//!
//! A path over the Internet has two halves that do not know each other: what the source may send to a public
//! address, and what the destination lets in from one. Each half is computed once per piece of the address
//! space that it can tell apart, so that sources times destinations is only an intersection of two sets.

use crate::domain::{Cell, distinct};
use crate::flow::{Cuts, representatives};
use crate::network::{Hop, Network};
use crate::point::{Entry, Exit, Inside};
use bartizan_packet::{AtomSet, IpSet};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// One way in from the Internet: an entry of an exposed address.
pub(crate) struct Door<'a> {
    cell: &'a Cell,
    at: Inside,
    entry: Entry,
    public: Arc<IpSet>,
    cuts: Cuts,
    /// Services let in (as delivered) from each piece of the source space; filled on demand.
    inward: Vec<OnceLock<AtomSet>>,
}

impl Door<'_> {
    fn from(&self, net: &Network, x: IpAddr) -> &AtomSet {
        self.inward[self.cuts.piece(x) as usize].get_or_init(|| net.arrive(self.at, x, self.entry))
    }
}

/// Every way in from the Internet.
pub(crate) fn doors<'a>(net: &Network, cells: impl Iterator<Item = &'a Cell>) -> Vec<Door<'a>> {
    let mut out = Vec::new();
    for cell in cells.filter(|c| c.special) {
        for entry in net.doors(cell.rep) {
            let cuts = net.cuts_around(&[cell.rep.iface]);
            let pieces = cuts.v4.len() + cuts.v6.len() + 2;
            out.push(Door {
                cell,
                at: cell.rep,
                entry,
                public: net.public_of(cell.rep, entry),
                cuts,
                inward: std::iter::repeat_with(OnceLock::new).take(pieces).collect(),
            });
        }
    }
    out
}

/// Whether some table or address of a cell leads out at all.
fn may_leave(net: &Network, s: Inside) -> bool {
    let Some((i, a)) = net.addr_of(s) else {
        return false;
    };
    !a.own.is_empty()
        || net.vsw(i.vswitch).is_some_and(|v| {
            v.tables
                .iter()
                .filter_map(|&t| net.tables.get(t as usize))
                .any(|t| {
                    t.routes
                        .iter()
                        .flat_map(|r| &r.hops)
                        .any(|h| !matches!(h, Hop::Local | Hop::Unmodelled))
                })
        })
}

/// Whether some route of a cell leads through an appliance or into another VPC.
fn meets_appliances(net: &Network, s: Inside) -> bool {
    let v = net.addr_of(s).and_then(|(i, _)| net.vsw(i.vswitch));
    let tables = v
        .into_iter()
        .flat_map(|v| &v.tables)
        .filter_map(|&t| net.tables.get(t as usize));
    let mut hops = tables.flat_map(|t| &t.routes).flat_map(|r| &r.hops);
    hops.any(|h| {
        matches!(
            h,
            Hop::Interface(_) | Hop::HaVip(_) | Hop::Attachment(_) | Hop::Peering(..)
        )
    })
}

/// What leaves towards one piece of the public space.
struct Outward {
    exits: Vec<Exit>,
    /// What all of them carry together.
    all: AtomSet,
}

/// The delivered services of one class of cells with every block of the public space and through every door.
pub(crate) fn class(
    net: &Network,
    cells: &[&Cell],
    outside: &BTreeMap<u32, IpSet>,
    doors: &[Door<'_>],
) -> Vec<((u32, u32), AtomSet)> {
    let Some(first) = cells.first() else {
        return Vec::new();
    };
    let leaves = may_leave(net, first.rep);
    if !leaves && !first.special {
        return Vec::new();
    }
    let mut out: FxHashMap<(u32, u32), AtomSet> = FxHashMap::default();
    let mut add = |a: u32, b: u32, s: &AtomSet| {
        if !s.is_empty() {
            out.entry((a, b))
                .or_insert_with(|| net.common.none.clone())
                .union_with(s);
        }
    };
    let cuts = net.cuts_around(&[first.rep.iface]);
    // Cells of a class differ in address only, which matters here through SNAT sources and family.
    let by_source: Vec<&IpSet> = net
        .nats
        .iter()
        .flat_map(|n| &n.snat)
        .filter(|s| s.vswitch.is_none())
        .map(|s| &s.sources)
        .collect();
    let mut seen: Vec<(Vec<bool>, bool, u32, bool)> = Vec::new();
    // The filters of an appliance see the source address, so there every cell is asked for itself.
    let appliances = meets_appliances(net, first.rep);
    for c in cells {
        let key = (
            by_source.iter().map(|s| s.contains(c.rep.ip)).collect(),
            c.rep.ip.is_ipv4(),
            c.slot,
            c.only.is_some(),
        );
        // A cell of one interface stands for itself only: that interface may be the other end.
        let stands = c.only.is_none() || doors.iter().all(|d| d.cell.rep.iface != c.rep.iface);
        if stands && !appliances {
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
        }
        let mut outward: FxHashMap<u32, Outward> = FxHashMap::default();
        for (&b, region) in outside {
            for x in representatives(region, &cuts) {
                if x.is_ipv4() != c.rep.ip.is_ipv4() {
                    continue;
                }
                if leaves {
                    let o = outward
                        .entry(cuts.piece(x))
                        .or_insert_with(|| outward_to(net, c.rep, x));
                    add(c.slot, b, &o.all);
                }
                if c.special {
                    for e in net.doors(c.rep) {
                        add(b, c.slot, &net.arrive(c.rep, x, e));
                    }
                }
            }
        }
        if !leaves {
            continue;
        }
        for d in doors {
            if d.at.ip.is_ipv4() != c.rep.ip.is_ipv4() || distinct(c, d.cell).is_none() {
                continue;
            }
            if d.entry == Entry::V6 && same_vpc(net, c.rep, d.at) {
                continue;
            }
            let mut per_public: Vec<AtomSet> = Vec::new();
            for p in representatives(&d.public, &cuts) {
                let o = outward
                    .entry(cuts.piece(p))
                    .or_insert_with(|| outward_to(net, c.rep, p));
                let mut per_source: Vec<AtomSet> = Vec::new();
                for e in &o.exits {
                    let sent = match d.entry {
                        Entry::Dnat(i) => match net.addr_of(d.at) {
                            Some((_, a)) => net
                                .atoms
                                .touching(&a.dnat[i].translate(&net.atoms.services(&e.atoms))),
                            None => net.common.none.clone(),
                        },
                        _ => e.atoms.clone(),
                    };
                    for x in representatives(&e.src, &d.cuts) {
                        per_source.push(d.from(net, x).intersect(&sent));
                    }
                }
                per_public.push(net.fold(per_source));
            }
            add(c.slot, d.cell.slot, &net.fold(per_public));
        }
    }
    let mut out: Vec<_> = out.into_iter().collect();
    out.sort_unstable_by_key(|(k, _)| *k);
    out
}

fn same_vpc(net: &Network, a: Inside, b: Inside) -> bool {
    match (net.addr_of(a), net.addr_of(b)) {
        (Some((a, _)), Some((b, _))) => net.vpc_of(a) == net.vpc_of(b),
        _ => true,
    }
}

fn outward_to(net: &Network, s: Inside, p: IpAddr) -> Outward {
    let exits = net.exits(s, p);
    let all = net.fold(exits.iter().map(|e| e.atoms.clone()));
    Outward { exits, all }
}
