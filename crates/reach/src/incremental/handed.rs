//! What balancers hand on, front by front and block by block of clients (docs/decisions/019, 20 to 22).
//!
//! What a front hands on from a block follows from its column, that is, what each block sends to it, and from what its
//! backends take in. Where it depends on which cell of the block sends, the cells are looked at one by one.

use super::Live;
use super::far::At;
use crate::domain::{Cell, Domain, distinct};
use crate::network::{Mode, Network};
use crate::reach::Reach;
use crate::relayed::{Legs, fronts, legs, sent};
use bartizan_model::InterfaceId;
use bartizan_packet::AtomSet;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;

/// A front.
pub(super) struct Front {
    /// Its cells and their slots.
    pub(super) cells: Vec<At>,
    slots: Vec<u32>,
    pub(super) block: u32,
    /// Positions in `Network::relays`, and the cells of the backend of each.
    relays: Vec<(u32, Vec<At>)>,
    /// The blocks of its backends.
    pub(super) blocks: Vec<u32>,
}

/// What a relay passes on to a cell, for clients and for what its front sends by itself.
struct Leg {
    legs: Legs,
    own: AtomSet,
}

/// Fronts, where none of them stands behind another and none needs the point engine.
pub(super) struct Fronts {
    pub(super) all: Vec<Front>,
    pub(super) by_slot: FxHashMap<u32, u32>,
    by_iface: FxHashMap<InterfaceId, u32>,
    legs: FxHashMap<(u32, u32), Leg>,
    /// Fronts and blocks of clients for which the point engine was asked.
    pub(super) asked: FxHashSet<(u32, u32)>,
}

/// What a front hands on from one block: by block of its backends.
pub(super) type Row = FxHashMap<u32, AtomSet>;

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn leg(net: &Network, domains: &[Domain], n: u32, (j, t): At) -> Option<Leg> {
    let r = net.relays.get(n as usize)?;
    let cell = &domains[j].cells[t as usize];
    Some(Leg {
        legs: legs(net, r, cell),
        own: sent(net, r, cell.rep),
    })
}

impl Fronts {
    /// `None` where a change of one front may count at another, or where only the point engine knows.
    pub(super) fn new(reach: &Reach) -> Option<Self> {
        let net = reach.network();
        let behind = |i: InterfaceId| {
            let f = net.iface(i);
            f.is_none_or(|f| f.front.is_some() || f.service.is_some() || f.site.is_some())
        };
        if net.relays.is_empty() || net.has_inner() || net.relays.iter().any(|r| behind(r.to)) {
            return None;
        }
        let mut of: FxHashMap<InterfaceId, Vec<At>> = FxHashMap::default();
        for (k, d) in reach.domains.iter().enumerate() {
            for (c, cell) in (0u32..).zip(&d.cells) {
                of.entry(cell.rep.iface).or_default().push((k, c));
            }
        }
        let cell = |(k, c): &At| &reach.domains[*k].cells[*c as usize];
        let mut out = Fronts {
            all: Vec::new(),
            by_slot: FxHashMap::default(),
            by_iface: FxHashMap::default(),
            legs: FxHashMap::default(),
            asked: FxHashSet::default(),
        };
        for f in fronts(net) {
            let cells = of.get(&f.id).cloned().unwrap_or_default();
            let block = cells.first().map(|c| cell(c).block)?;
            let relays: Vec<(u32, Vec<At>)> = f
                .relays
                .iter()
                .filter_map(|n| Some((*n, of.get(&net.relays.get(*n as usize)?.to)?.clone())))
                .collect();
            let mut blocks: Vec<u32> = relays.iter().flat_map(|r| &r.1).map(|c| cell(c).block).collect();
            blocks.sort_unstable();
            blocks.dedup();
            let slots: Vec<u32> = cells.iter().map(|c| cell(c).slot).collect();
            let n = small(out.all.len());
            out.by_slot.extend(slots.iter().map(|s| (*s, n)));
            out.by_iface.insert(f.id, n);
            out.all.push(Front {
                cells,
                slots,
                block,
                relays,
                blocks,
            });
        }
        let wanted: Vec<(u32, u32, At)> = out
            .all
            .iter()
            .flat_map(|f| &f.relays)
            .flat_map(|(n, to)| (0u32..).zip(to).map(|(k, c)| (*n, k, *c)))
            .collect();
        let legs: Vec<_> = wanted
            .into_par_iter()
            .filter_map(|(n, k, c)| Some(((n, k), leg(net, &reach.domains, n, c)?)))
            .collect();
        out.legs = legs.into_iter().collect();
        let ask = |l: &Leg| matches!(l.legs, Legs::Ask);
        (!out.legs.values().any(ask)).then_some(out)
    }

    pub(super) fn of(&self, i: InterfaceId) -> Option<u32> {
        self.by_iface.get(&i).copied()
    }

    /// What a front sends by itself.
    pub(super) fn sends(&self, net: &Network, domains: &[Domain], f: u32) -> Row {
        let mut out = Row::default();
        for (n, to) in &self.all[f as usize].relays {
            for (k, (j, t)) in (0u32..).zip(to) {
                if let Some(leg) = self.legs.get(&(*n, k)) {
                    let block = domains[*j].cells[*t as usize].block;
                    let all = out.entry(block).or_insert_with(|| net.common.none.clone());
                    all.union_with(&leg.own);
                }
            }
        }
        out
    }

    /// What a front hands on of what a block sends to it. `column` is that, `publicly` says whether something of it may
    /// have come over the Internet, and `private` is what one cell of the block sends.
    fn row(
        &self,
        net: &Network,
        domains: &[Domain],
        (f, a): (u32, u32),
        (column, publicly): (&AtomSet, bool),
        cells: &dyn Fn() -> Vec<(At, AtomSet)>,
    ) -> Option<Row> {
        let mut out = Row::default();
        let mut senders: Option<Vec<(At, AtomSet)>> = None;
        let cell = |(k, c): At| -> &Cell { &domains[k].cells[c as usize] };
        for (n, to) in &self.all[f as usize].relays {
            let r = net.relays.get(*n as usize)?;
            let on = net.handed_on(r, column);
            if on.is_empty() {
                continue;
            }
            // An interface is not its own peer, so it is told apart from the other clients.
            let itself = to.iter().any(|c| cell(*c).slot == a);
            for (k, c) in (0u32..).zip(to) {
                let d = cell(*c);
                let legs = &self.legs.get(&(*n, k))?.legs;
                let sum = out.entry(d.block).or_insert_with(|| net.common.none.clone());
                let whole = !itself && a != d.slot;
                let most = match legs {
                    Legs::Same(all) if whole => {
                        sum.union_with(&all.intersect(&on));
                        continue;
                    }
                    Legs::Same(all) => all.intersect(&on),
                    Legs::ByClient { all, any, .. } => {
                        if whole {
                            sum.union_with(&all.intersect(&on));
                        }
                        any.intersect(&on)
                    }
                    Legs::Ask => return None,
                };
                if most.is_subset(sum) {
                    continue;
                }
                if net.mode != Mode::Widen || publicly {
                    return None;
                }
                for (s, sent) in senders.get_or_insert_with(cells) {
                    let Some((s, _)) = distinct(cell(*s), d) else {
                        continue;
                    };
                    sum.union_with(&legs.seen(s.ip, &net.handed_on(r, sent)));
                    if most.is_subset(sum) {
                        break;
                    }
                }
            }
        }
        Some(out)
    }
}

impl Live {
    /// What a front hands on from a block; `None` where only the point engine knows.
    pub(super) fn handed(&self, fronts: &Fronts, f: u32, a: u32) -> Option<Row> {
        let net = &self.reach.net;
        let front = &fronts.all[f as usize];
        let w = net.atoms.words();
        let mut words = vec![0u64; w];
        let mut publicly = false;
        for slot in &front.slots {
            if let Some(rest) = self.rest_fronts.get(&(a, *slot)) {
                publicly = true;
                words.iter_mut().zip(&**rest).for_each(|(o, &x)| *o |= x);
            }
            self.ledger.sum((a, *slot), &mut words);
        }
        let column = AtomSet::from_words(&words);
        if column.is_empty() {
            return Some(Row::default());
        }
        let cells = || {
            let mut out = Vec::new();
            let mut x = super::far::Scratch::default();
            let mut tmp = vec![0u64; w];
            for (i, kept) in self.kept.iter().enumerate() {
                for &s in kept.by_block.get(&a).into_iter().flatten() {
                    let mut sum = vec![0u64; w];
                    for to in &front.cells {
                        if self.cell_pair((i, s), *to, &mut x, &mut tmp) {
                            sum.iter_mut().zip(&tmp).for_each(|(o, &x)| *o |= x);
                        }
                    }
                    if sum.iter().any(|&x| x != 0) {
                        out.push(((i, s), AtomSet::from_words(&sum)));
                    }
                }
            }
            out
        };
        fronts.row(net, &self.reach.domains, (f, a), (&column, publicly), &cells)
    }

    /// The backend of some relays has other lists or another address: whether that makes a difference to what is handed
    /// on to it. `always` says that also balancers may see it that do not count its groups.
    pub(super) fn relegged(&mut self, i: InterfaceId, always: bool, keys: &mut super::touch::Keys) {
        let Some(fronts) = &mut self.fronts else { return };
        let net = &self.reach.net;
        let Some(behind) = net.behind.get(&i) else { return };
        for &n in behind {
            let Some(r) = net.relays.get(n as usize) else {
                continue;
            };
            let exempt = net
                .iface(r.front)
                .and_then(|f| f.front.as_ref())
                .is_some_and(|f| f.exempt);
            if exempt && !always {
                continue;
            }
            let Some(&f) = fronts.by_iface.get(&r.front) else {
                continue;
            };
            let front = &fronts.all[f as usize];
            let Some((_, to)) = front.relays.iter().find(|x| x.0 == n) else {
                continue;
            };
            for (k, c) in (0u32..).zip(to) {
                let Some(new) = leg(net, &self.reach.domains, n, *c) else {
                    continue;
                };
                let old = fronts.legs.get(&(n, k));
                let slot = front.slots.first().copied().unwrap_or(0);
                if old.is_none_or(|o| o.own != new.own) {
                    keys.sends.insert(slot);
                }
                if old.is_none_or(|o| o.legs != new.legs) {
                    for a in 0..small(self.reach.blocks) {
                        let sent =
                            |s: &u32| self.rest_fronts.contains_key(&(a, *s)) || self.ledger.any((a, *s));
                        if front.slots.iter().any(sent) {
                            keys.hands.insert((slot, a));
                        }
                    }
                }
                fronts.legs.insert((n, k), new);
            }
        }
    }

    /// An address of a client was another one before: fronts that pass it on, where the two are told apart.
    pub(super) fn reseen(&self, (a, old, new): (u32, IpAddr, IpAddr), keys: &mut super::touch::Keys) {
        let Some(fronts) = &self.fronts else { return };
        let tells = |l: &Leg| match &l.legs {
            Legs::ByClient { cuts, .. } => cuts.piece(old) != cuts.piece(new),
            Legs::Same(_) | Legs::Ask => false,
        };
        for front in &fronts.all {
            let mut legs = front.relays.iter().flat_map(|(n, to)| {
                let all = (0u32..).zip(to).map(move |(k, _)| (*n, k));
                all.filter_map(|k| fronts.legs.get(&k))
            });
            if legs.any(tells) {
                keys.hands.extend(front.slots.first().map(|s| (*s, a)));
            }
        }
    }
}
