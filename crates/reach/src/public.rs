//! All pairs over the public Internet, class by class.
//!
//! A path over the Internet has two halves that do not know each other: what the source may send to a public
//! address, and what the destination lets in from one. Each half is computed once per piece of the address
//! space that it can tell apart, so that sources times destinations is only an intersection of two sets.

use crate::domain::{Cell, distinct};
use crate::flow::{Cuts, each_representative, representatives};
use crate::network::{Hop, Mode, Network};
use crate::point::{Entry, Exit, ExitKind, Inside, PeerView, ReplyPort};
use crate::transit::{Far, TrNext};
use bartizan_model::{AttachmentId, InterfaceId, TrTableId};
use bartizan_packet::{AtomSet, IpSet};
use rayon::prelude::*;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What is let in, by where a set of addresses is.
type ByExit = FxHashMap<usize, (Arc<IpSet>, Option<AtomSet>)>;

/// One way in from the Internet: an entry of an exposed address.
pub(crate) struct Door<'a> {
    cell: &'a Cell,
    at: Inside,
    entry: Entry,
    public: Arc<IpSet>,
    cuts: Cuts,
    /// Services let in (as delivered) from each piece of the source space; filled on demand.
    inward: Vec<OnceLock<AtomSet>>,
    /// The same for all addresses that SNAT gives, by where the set of these is: many exits share it, and it stays
    /// there as long as this refers to it.
    by_exit: Mutex<ByExit>,
}

impl Door<'_> {
    fn from(&self, net: &Network, x: IpAddr) -> &AtomSet {
        self.inward[self.cuts.piece(x) as usize].get_or_init(|| net.arrive(self.at, x, self.entry))
    }

    /// Services let in from each of some addresses, folded; `None` where there is no address.
    fn all_from(&self, net: &Network, src: &IpSet) -> Option<AtomSet> {
        let mut all = None;
        each_representative(src, &self.cuts, |x| {
            net.fold_in(&mut all, self.from(net, x).clone());
        });
        all
    }

    /// Services let in from the addresses of an exit, folded.
    ///
    /// Every class of cells behind an SNAT entry asks this, so its answer is kept. A thread that died while it had
    /// the answers leaves them whole.
    fn exit_from(&self, net: &Network, e: &Exit) -> Option<AtomSet> {
        if !matches!(e.kind, ExitKind::Snat(..)) {
            return self.all_from(net, &e.src);
        }
        let key = Arc::as_ptr(&e.src).addr();
        let known = || self.by_exit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, a)) = known().get(&key) {
            return a.clone();
        }
        let a = self.all_from(net, &e.src);
        known().insert(key, (Arc::clone(&e.src), a.clone()));
        a
    }
}

/// What the tables that forward for an interface lead to, for packets to public addresses.
#[derive(Clone, Default)]
struct Beyond {
    /// What is told apart on the way.
    cuts: Cuts,
    /// Whether anything leads out.
    leaves: bool,
    /// Whether anything leads through an appliance.
    appliances: bool,
}

/// What the ways to and from the Internet have in common.
pub(crate) struct Border<'n> {
    net: &'n Network,
    /// Public addresses of anybody.
    public: IpSet,
    /// By the tables of an interface. Few sets of tables forward for many interfaces.
    beyond: FxHashMap<Vec<u32>, Beyond>,
}

/// Public addresses that anybody has or may have: those outside, and those of the inventory.
pub(crate) fn addresses(net: &Network) -> IpSet {
    let mut ranges: Vec<(u32, u32)> = net.outside.v4.ranges().to_vec();
    for a in net.ifaces.iter().flatten().flat_map(|f| &f.addrs) {
        let own = a.own.iter().map(|o| &o.ips);
        let mapped = a.mapped.iter().map(|m| &m.ips);
        for s in own.chain(a.dnat.iter().map(|d| &d.ips)).chain(mapped) {
            ranges.extend(s.v4.ranges());
        }
    }
    for s in net.nats.iter().flat_map(|n| &n.snat) {
        ranges.extend(s.ips.v4.ranges());
    }
    IpSet {
        v4: bartizan_packet::IntervalSet::from_ranges(ranges),
        v6: IpSet::all_v6().v6,
    }
}

impl<'n> Border<'n> {
    pub(crate) fn new(net: &'n Network, cells: impl Iterator<Item = &'n Cell>) -> Self {
        let public = addresses(net);
        let mut keys: Vec<Vec<u32>> = cells.map(|c| tables(net, c.rep.iface)).collect();
        keys.sort_unstable();
        keys.dedup();
        let beyond = keys.into_par_iter().map(|k| {
            let b = beyond(net, &k, &public);
            (k, b)
        });
        Border {
            beyond: beyond.collect::<Vec<_>>().into_iter().collect(),
            net,
            public,
        }
    }

    /// Whether the tables that forward for an interface lead to the Internet, and whether through an appliance.
    pub(crate) fn leads(&self, i: InterfaceId) -> (bool, bool) {
        let found = self.beyond.get(&tables(self.net, i));
        found.map_or((false, false), |b| (b.leaves, b.appliances))
    }

    fn of(&self, i: InterfaceId) -> Beyond {
        self.beyond.get(&tables(self.net, i)).cloned().unwrap_or_default()
    }

    /// What tells public addresses apart for an interface.
    fn cuts(&self, i: InterfaceId) -> Cuts {
        let mut c = Cuts::default();
        self.net.cuts_at(i, &mut c, &mut Vec::new());
        c.finish();
        let mut c = c.within(&self.public);
        if let Some(b) = self.beyond.get(&tables(self.net, i)) {
            c.add_all(&b.cuts);
        }
        self.net.perimeter.cut(&mut c);
        c.finish();
        c
    }
}

/// The tables that forward for an interface, and that of the gateway in front of it.
fn tables(net: &Network, i: InterfaceId) -> Vec<u32> {
    let mut out = Vec::new();
    let Some(v) = net.iface(i).and_then(|f| net.vsw(f.vswitch)) else {
        return out;
    };
    let gateway = net.vpcs.get(v.vpc.index()).and_then(|n| n.ingress_table);
    for t in v.tables.iter().copied().chain(gateway) {
        if !out.contains(&t) {
            out.push(t);
        }
    }
    out
}

/// Follows the tables, and those of routers and of the VPCs behind them, as packets to public addresses do.
fn beyond(net: &Network, start: &[u32], public: &IpSet) -> Beyond {
    let mut b = Beyond {
        cuts: net.cuts_beyond(start).within(public),
        ..Beyond::default()
    };
    let mut tables: Vec<u32> = start.to_vec();
    let mut routers: Vec<TrTableId> = Vec::new();
    let (mut next, mut asked) = (0, 0);
    loop {
        let mut attachments: Vec<AttachmentId> = Vec::new();
        if let Some(&t) = tables.get(next) {
            next += 1;
            if net.hybrid.tables.contains(&t) {
                b.leaves = true;
                b.appliances = true;
            }
            let routes = net.tables.get(t as usize).into_iter().flat_map(|t| &t.routes);
            for h in routes.filter(|r| r.ips.intersects(public)).flat_map(|r| &r.hops) {
                match h {
                    Hop::Local | Hop::Unmodelled | Hop::Peering(..) => {}
                    Hop::Interface(_) | Hop::HaVip(_) => {
                        b.leaves = true;
                        b.appliances = true;
                    }
                    Hop::Attachment(a) => attachments.push(*a),
                    // Which way is taken from here on depends on who sends.
                    Hop::Vpn(_) | Hop::RouterInterface(_) => {
                        b.leaves = true;
                        b.appliances = true;
                    }
                    _ => b.leaves = true,
                }
            }
            for a in attachments {
                let from = net.transit.attachments.get(a.index());
                push(
                    &mut routers,
                    from.into_iter().flat_map(|a| &a.tables).map(|x| x.1),
                );
            }
        } else if let Some(&r) = routers.get(asked) {
            asked += 1;
            let ways = net.transit.tables.get(r.index()).into_iter().flatten();
            for w in ways.filter(|w| w.ips.intersects(public)) {
                let TrNext::Attachment(a) = w.next else { continue };
                let Some(a) = net.transit.attachments.get(a.index()) else {
                    continue;
                };
                match &a.far {
                    Far::Vpc(v, zones) if zones.is_empty() => {
                        push(&mut tables, net.vpcs.get(v.index()).map(|n| n.system_table));
                    }
                    Far::Vpc(_, zones) => {
                        let zones = zones.iter().filter_map(|z| net.vsw(*z));
                        push(&mut tables, zones.flat_map(|z| z.tables.iter().copied()));
                    }
                    Far::Router => push(&mut routers, a.tables.iter().map(|x| x.1)),
                    Far::Border(_) | Far::Connection(_) => {
                        b.leaves = true;
                        b.appliances = true;
                    }
                    Far::Unmodelled | Far::Nothing => {}
                }
            }
        } else {
            return b;
        }
    }
}

fn push<T: PartialEq>(all: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for x in more {
        if !all.contains(&x) {
            all.push(x);
        }
    }
}

/// Every way in from the Internet.
pub(crate) fn doors<'a>(border: &Border<'_>, cells: impl Iterator<Item = &'a Cell>) -> Vec<Door<'a>> {
    let net = border.net;
    let mut out = Vec::new();
    for cell in cells.filter(|c| c.special) {
        for entry in net.doors(cell.rep) {
            let cuts = border.cuts(cell.rep.iface);
            let pieces = cuts.v4.len() + cuts.v6.len() + 2;
            out.push(Door {
                cell,
                at: cell.rep,
                entry,
                public: net.public_of(cell.rep, entry),
                cuts,
                inward: std::iter::repeat_with(OnceLock::new).take(pieces).collect(),
                by_exit: Mutex::default(),
            });
        }
    }
    out
}

/// What leaves towards one piece of the public space.
struct Outward {
    exits: Vec<Exit>,
    /// What all of them carry together.
    all: AtomSet,
}

/// The delivered services of one class of cells with every block of the public space and through every door.
pub(crate) fn class(
    border: &Border<'_>,
    cells: &[&Cell],
    outside: &BTreeMap<u32, IpSet>,
    doors: &[Door<'_>],
) -> Vec<((u32, u32), AtomSet)> {
    let Some(first) = cells.first() else {
        return Vec::new();
    };
    let net = border.net;
    let Beyond {
        leaves, appliances, ..
    } = border.of(first.rep.iface);
    let own = net.addr_of(first.rep).is_some_and(|(_, a)| !a.own.is_empty());
    let leaves = leaves || own;
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
    let cuts = border.cuts(first.rep.iface);
    // Cells of a class differ in address only, which matters here through SNAT sources, firewalls and family.
    let by_source: Vec<&IpSet> = net
        .nats
        .iter()
        .flat_map(|n| &n.snat)
        .filter(|s| s.vswitch.is_none())
        .map(|s| &s.sources)
        .chain(net.perimeter.by_source())
        .collect();
    // Which pieces there are is the same for all cells of a class.
    let regions: Vec<(u32, Vec<IpAddr>)> = outside
        .iter()
        .map(|(&b, r)| (b, representatives(r, &cuts)))
        .collect();
    let mut seen: Vec<(Vec<bool>, bool, u32, bool)> = Vec::new();
    for c in cells {
        let key = (
            by_source.iter().map(|s| s.contains(c.rep.ip)).collect(),
            c.rep.ip.is_ipv4(),
            c.slot,
            c.only.is_some(),
        );
        // A cell of one interface stands for itself only: that interface may be the other end.
        let stands = c.only.is_none() || doors.iter().all(|d| d.cell.rep.iface != c.rep.iface);
        // An IP mapping is for one address alone (A-NAT-3).
        let mapped = net.addr_of(c.rep).is_some_and(|(_, a)| !a.mapped.is_empty());
        // The filters of an appliance see the source address, so there every cell is asked for itself.
        if stands && !appliances && !mapped {
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
        }
        let mut outward: FxHashMap<u32, Outward> = FxHashMap::default();
        for (b, region) in &regions {
            for &x in region {
                if x.is_ipv4() != c.rep.ip.is_ipv4() {
                    continue;
                }
                if leaves {
                    let o = outward
                        .entry(cuts.piece(x))
                        .or_insert_with(|| outward_to(net, c.rep, x));
                    add(c.slot, *b, &o.all);
                }
                if c.special {
                    for e in net.doors(c.rep) {
                        add(*b, c.slot, &net.arrive(c.rep, x, e));
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
            if d.entry == Entry::V6 && inside_only(net, c.rep, d.at) {
                continue;
            }
            let mut passes: Option<AtomSet> = None;
            each_representative(&d.public, &cuts, |p| {
                // Who is at the other end counts as A-SG-4 is read; then nothing can be asked once for all.
                let alone;
                let o = if net.says.public_members {
                    let owner = matches!(d.entry, Entry::Own(_) | Entry::V6).then_some(d.at);
                    alone = outward_to(net, c.rep, net.public_view(p, owner));
                    &alone
                } else {
                    outward
                        .entry(cuts.piece(p))
                        .or_insert_with(|| outward_to(net, c.rep, p))
                };
                // What sends nothing adds nothing.
                if net.mode == Mode::Widen && o.all.is_empty() {
                    return;
                }
                net.fold_in(&mut passes, through(net, c.rep, o, d));
            });
            if let Some(passes) = passes {
                add(c.slot, d.cell.slot, &passes);
            }
        }
    }
    let mut out: Vec<_> = out.into_iter().collect();
    out.sort_unstable_by_key(|(k, _)| *k);
    out
}

/// What gets through a door of what a cell sends to one piece of the public space.
fn through(net: &Network, s: Inside, o: &Outward, d: &Door<'_>) -> AtomSet {
    let mut all: Option<AtomSet> = None;
    for e in &o.exits {
        let translated;
        let sent = match d.entry {
            Entry::Dnat(i) => {
                translated = match net.addr_of(d.at) {
                    Some((_, a)) => {
                        let to = a.dnat[i].translate(&net.atoms.services(&e.atoms));
                        net.atoms.touching(&to)
                    }
                    None => net.common.none.clone(),
                };
                &translated
            }
            _ => &e.atoms,
        };
        // Both ways to fold let the services that are sent be taken out of the sum.
        let let_in = match e.seen_as_itself(s).filter(|_| net.says.public_members) {
            Some(owner) => {
                let mut let_in = None;
                each_representative(&e.src, &d.cuts, |x| {
                    let x = net.arrive(d.at, net.public_view(x, Some(owner)), d.entry);
                    net.fold_in(&mut let_in, x);
                });
                let_in
            }
            None => d.exit_from(net, e),
        };
        if let Some(a) = let_in {
            net.fold_in(&mut all, a.intersect(sent));
        }
    }
    all.unwrap_or_else(|| net.common.none.clone())
}

fn inside_only(net: &Network, a: Inside, b: Inside) -> bool {
    match (net.addr_of(a), net.addr_of(b)) {
        (Some((s, _)), Some((d, _))) => net.inside_only(s, d, b.ip),
        _ => true,
    }
}

fn outward_to<'p>(net: &Network, s: Inside, p: impl Into<PeerView<'p>>) -> Outward {
    let exits = net.exits(s, p, ReplyPort::Ephemeral);
    let all = net.fold(exits.iter().map(|e| e.atoms.clone()));
    Outward { exits, all }
}
