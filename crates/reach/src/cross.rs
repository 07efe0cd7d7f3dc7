//! All pairs of two VPCs that something joins.
//!
//! Which way packets take from a vSwitch to an address does not depend on who sends them, so it is walked once
//! per set of route tables and piece of the routes. Where that way meets no appliance, what passes is the egress
//! row of the source, the ingress row of the destination and the ACLs of the two ends, as inside a VPC.
//!
//! The lists of a VPC name few addresses of another one, so that all its cells fall into few *columns* there. The
//! egress side knows the column of the destination and the ingress side that of the source; for two columns the
//! answer for two blocks is a rectangle: what any source of the one may send, and any destination of the other
//! takes in. Pairs of VPCs with appliances between them, or with addresses in common, are asked cell by cell.

use crate::domain::{Cell, Domain, distinct, lone};
use crate::flow::Cuts;
use crate::matrix::Sink;
use crate::network::{Hop, Match, Mode, Network, RuleList};
use crate::point::PeerView;
use crate::rows::{AtomTable, Columns, RowBuilder, by_source};
use crate::transit::{Far, TrNext};
use bartizan_model::{AttachmentId, SecurityGroupId, TrTableId, VpcId, VswitchId};
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;

/// What becomes of packets on their way to an address of another VPC, filters aside.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
struct Outcome {
    /// Some alternative arrives.
    arrives: bool,
    /// Some alternative drops.
    drops: bool,
    /// Some alternative meets an appliance: only the point engine knows.
    ask: bool,
    /// vSwitches in which a router hands over.
    zones: Vec<VswitchId>,
}

struct Walk<'a> {
    net: &'a Network,
    goal: VpcId,
    ip: IpAddr,
    out: Outcome,
}

impl Walk<'_> {
    fn tables(&mut self, vpc: VpcId, zone: Option<VswitchId>, tables: &[u32], seen: &[TrTableId]) {
        let net = self.net;
        for table in tables.iter().filter_map(|&t| net.tables.get(t as usize)) {
            let mut decided = false;
            for r in table.lookup(self.ip) {
                decided |= !r.optional;
                for h in &r.hops {
                    self.hop(vpc, zone, h, seen);
                }
            }
            self.out.drops |= !decided;
        }
    }
    fn hop(&mut self, vpc: VpcId, zone: Option<VswitchId>, h: &Hop, seen: &[TrTableId]) {
        match h {
            Hop::Interface(_) | Hop::HaVip(_) | Hop::Vpn(_) | Hop::RouterInterface(_) => self.out.ask = true,
            Hop::Local if vpc == self.goal => {
                self.out.arrives = true;
                self.out.zones.extend(zone);
            }
            Hop::Peering(_, far) if *far == self.goal => self.out.arrives = true,
            Hop::Attachment(a) => self.cross(vpc, *a, seen),
            _ => self.out.drops = true,
        }
    }
    fn cross(&mut self, vpc: VpcId, a: AttachmentId, seen: &[TrTableId]) {
        let net = self.net;
        match net.transit.attachments.get(a.index()) {
            Some(x)
                if matches!(x.far, Far::Vpc(v, _) if v == vpc)
                    && (x.ipv6 || self.ip.is_ipv4())
                    && !x.tables.is_empty() =>
            {
                for &(_, t) in &x.tables {
                    self.across(a, t, seen);
                }
            }
            _ => self.out.drops = true,
        }
    }
    fn across(&mut self, from: AttachmentId, table: TrTableId, seen: &[TrTableId]) {
        if seen.contains(&table) {
            self.out.drops = true;
            return;
        }
        let mut seen = seen.to_vec();
        seen.push(table);
        let net = self.net;
        let (ways, decided) = net.transit.lookup(table, self.ip);
        self.out.drops |= !decided;
        for w in ways {
            let to = match w.next {
                TrNext::Attachment(b) if b != from => net.transit.attachments.get(b.index()).map(|x| (b, x)),
                _ => None,
            };
            self.out.drops |= to.is_some_and(|(b, _)| net.transit.narrow.contains(&(from, b)));
            match to {
                Some((_, x)) if !x.ipv6 && self.ip.is_ipv6() => self.out.drops = true,
                Some((b, x)) => match &x.far {
                    Far::Vpc(v, zones) if zones.is_empty() => {
                        let system = net.vpcs.get(v.index()).map_or(u32::MAX, |n| n.system_table);
                        self.tables(*v, None, &[system], &seen);
                    }
                    Far::Vpc(v, zones) => {
                        for &z in zones {
                            match net.vsw(z) {
                                // The zone of the goal itself does not filter what it hands over.
                                Some(zone) => self.tables(*v, Some(z), &zone.tables, &seen),
                                None => self.out.drops = true,
                            }
                        }
                    }
                    Far::Router => {
                        let here = net.transit.routers.get(table.index()).copied().flatten();
                        let mut any = false;
                        for &(_, next) in x.tables.iter().filter(|(r, _)| Some(*r) != here) {
                            any = true;
                            self.across(b, next, &seen);
                        }
                        self.out.drops |= !any;
                    }
                    // Routes of links depend on who sends.
                    Far::Border(_) | Far::Connection(_) => self.out.ask = true,
                    Far::Unmodelled | Far::Nothing => self.out.drops = true,
                },
                None => self.out.drops = true,
            }
        }
    }
}

/// How packets get from one vSwitch to one cell of another VPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    Never,
    /// Past the filters of the two ends only.
    Plain,
    /// Past something else: only the point engine knows.
    Ask,
}

/// How packets get from a VPC with these tables to an address of a vSwitch of another one.
pub(crate) fn way(
    net: &Network,
    vpc: VpcId,
    tables: &[u32],
    to: VpcId,
    (ip, vswitch): (IpAddr, VswitchId),
) -> Way {
    let mut w = Walk {
        net,
        goal: to,
        ip,
        out: Outcome::default(),
    };
    w.tables(vpc, None, tables, &[]);
    let o = w.out;
    match net.mode {
        _ if o.ask || o.arrives && !net.perimeter.vpcs.is_empty() => Way::Ask,
        Mode::Widen if !o.arrives => Way::Never,
        Mode::Narrow if o.drops || !o.arrives => Way::Never,
        // A-TR-2: the ACL of the zone counts.
        _ if net.says.zone_acls
            && o.zones
                .iter()
                .any(|&z| z != vswitch && net.vsw(z).is_some_and(|v| v.acl.is_some())) =>
        {
            Way::Ask
        }
        _ => Way::Plain,
    }
}

/// A VPC as it sees the cells of the others: their columns, and the rows of its own lists over these.
struct Exterior {
    /// For every VPC that may be reached the column of each of its cells; empty for the others.
    columns: Vec<Box<[u32]>>,
    table: AtomTable,
    /// By the number of a list: ingress and egress.
    sets: Vec<[Box<[u32]>; 2]>,
    acls: Vec<[Box<[u32]>; 2]>,
    /// The lists of each cell of its own; no ACL is `u32::MAX`.
    lists: Vec<(u32, u32)>,
}

const NO_ACL: u32 = u32::MAX;
const INGRESS: usize = 0;
const EGRESS: usize = 1;

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Numbers in the order of appearance.
struct Numbered<T>(FxHashMap<T, u32>, Vec<T>);

impl<T: Clone + Eq + std::hash::Hash> Numbered<T> {
    fn new() -> Self {
        Numbered(FxHashMap::default(), Vec::new())
    }
    fn put(&mut self, t: T) -> u32 {
        let Numbered(of, all) = self;
        *of.entry(t).or_insert_with_key(|t| {
            all.push(t.clone());
            small(all.len() - 1)
        })
    }
}

impl Exterior {
    fn new(net: &Network, all: &[Domain], here: usize) -> Self {
        let own = &all[here];
        let (mut sets, mut acls) = (Numbered::new(), Numbered::new());
        let acl_of = |c: &Cell| net.vsw(c.vswitch).and_then(|v| v.acl).filter(|_| !c.no_acl);
        let lists = own.cells.iter().map(|c| {
            let acl = acl_of(c).map_or(NO_ACL, |a| acls.put(a));
            (sets.put(c.set), acl)
        });
        let lists: Vec<(u32, u32)> = lists.collect();
        // Both lists of everything that is used, in one order.
        let of_sets: Vec<[&RuleList; 2]> = sets
            .1
            .iter()
            .filter_map(|s| net.group_sets.get(*s as usize))
            .map(|g| [&g.ingress, &g.egress])
            .collect();
        let of_acls: Vec<[&RuleList; 2]> = acls
            .1
            .iter()
            .filter_map(|a| net.acls.get(*a as usize))
            .map(|g| [&g.ingress, &g.egress])
            .collect();
        let mut cuts = Cuts::default();
        for r in of_sets.iter().chain(&of_acls).flatten().flat_map(|l| &l.rules) {
            if let Match::Ips(s) = &r.peer {
                cuts.add(s);
            }
        }
        cuts.finish();
        // Where blocks overlap, an address of another VPC is known here by the groups of who has it here.
        let known: FxHashSet<IpAddr> = {
            let keys = net.known_as.keys().filter(|(v, _)| *v == own.vpc);
            keys.map(|(_, ip)| *ip).collect()
        };
        let blocks: Vec<_> = net.blocks_known_as.iter().filter(|b| b.0 == own.vpc).collect();
        let groups = |ip: IpAddr| -> [&[SecurityGroupId]; 2] {
            if known.contains(&ip) || blocks.iter().any(|b| b.1.contains(ip)) {
                [net.groups_at(own.vpc, ip), net.primary_at(own.vpc, ip)]
            } else {
                [&[], &[]]
            }
        };
        let mut kinds: Numbered<(u32, [&[SecurityGroupId]; 2])> = Numbered::new();
        let mut first: Vec<IpAddr> = Vec::new();
        let mut columns: Vec<Vec<u32>> = Vec::with_capacity(all.len());
        for (i, d) in all.iter().enumerate() {
            if i == here || !net.joined(own.vpc, d.vpc) {
                columns.push(Vec::new());
                continue;
            }
            let of = d.cells.iter().map(|c| {
                let ip = c.rep.ip;
                let n = kinds.put((cuts.piece(ip), groups(ip)));
                if n as usize == first.len() {
                    first.push(ip);
                }
                n
            });
            columns.push(of.collect());
        }
        // Columns are sorted by address.
        let mut order: Vec<u32> = (0..small(first.len())).collect();
        order.sort_by_key(|&n| first[n as usize]);
        let mut place = vec![0u32; order.len()];
        for (at, &n) in order.iter().enumerate() {
            place[n as usize] = small(at);
        }
        let columns = columns
            .into_iter()
            .map(|c| c.into_iter().map(|n| place[n as usize]).collect())
            .collect();
        let sorted = Columns::new(order.iter().map(|&n| {
            let [groups, primary] = kinds.1[n as usize].1;
            PeerView {
                groups,
                primary,
                ..PeerView::public(first[n as usize])
            }
        }));
        let mut table = AtomTable::new(net.atoms.words());
        let mut b = RowBuilder::new(&sorted, &net.common.all);
        let mut rows = |all: Vec<[&RuleList; 2]>| {
            let of = all.into_iter().map(|l| l.map(|l| b.row(l, &mut table)));
            of.collect::<Vec<_>>()
        };
        let (sets, acls) = (rows(of_sets), rows(of_acls));
        let acls = acls
            .into_iter()
            .map(|[i, e]| [by_source(Some(net), i, &mut table), e])
            .collect();
        Exterior {
            columns,
            table,
            sets,
            acls,
            lists,
        }
    }

    /// What a cell may send to a column, or take in from it, ACL aside.
    fn listed(&self, cell: usize, dir: usize, column: u32) -> u32 {
        self.sets[self.lists[cell].0 as usize][dir][column as usize]
    }

    /// Adds what cells with these lists may send to a column, or take in from it.
    fn add(&self, (set, acl): (u32, u32), dir: usize, column: u32, out: &mut [u64]) {
        let sg = self.sets[set as usize][dir][column as usize];
        if sg == 0 {
            return;
        }
        let sg = self.table.get(sg);
        match self.acls.get(acl as usize) {
            None => out.iter_mut().zip(sg).for_each(|(o, &x)| *o |= x),
            Some(a) => {
                let a = self.table.get(a[dir][column as usize]);
                for ((o, &x), &y) in out.iter_mut().zip(sg).zip(a) {
                    *o |= x & y;
                }
            }
        }
    }

    /// Takes away what the ACL of a cell drops.
    fn filter(&self, cell: usize, dir: usize, column: u32, out: &mut [u64]) {
        if let Some(a) = self.acls.get(self.lists[cell].1 as usize) {
            let a = self.table.get(a[dir][column as usize]);
            out.iter_mut().zip(a).for_each(|(o, &x)| *o &= x);
        }
    }
}

/// Every VPC that something joins with another, ready for pairs.
pub(crate) struct Joint<'a> {
    net: &'a Network,
    domains: &'a [Domain],
    exteriors: Vec<Option<Exterior>>,
    /// What the routes of all these VPCs and routers tell apart.
    routes: Cuts,
}

impl<'a> Joint<'a> {
    pub(crate) fn new(net: &'a Network, domains: &'a [Domain]) -> Self {
        let exteriors: Vec<Option<Exterior>> = (0..domains.len())
            .into_par_iter()
            .map(|i| {
                let meets = |d: &Domain| d.vpc != domains[i].vpc && net.joined(d.vpc, domains[i].vpc);
                let joined = domains.iter().any(meets);
                joined.then(|| Exterior::new(net, domains, i))
            })
            .collect();
        let mut routes = Cuts::default();
        if exteriors.iter().any(Option::is_some) {
            net.tables
                .iter()
                .flat_map(|t| &t.routes)
                .for_each(|r| routes.add(&r.ips));
            net.transit
                .tables
                .iter()
                .flatten()
                .for_each(|w| routes.add(&w.ips));
            routes.finish();
        }
        Joint {
            net,
            domains,
            exteriors,
            routes,
        }
    }

    /// The ordered pairs of VPCs that something joins.
    pub(crate) fn pairs(&self) -> Vec<(usize, usize)> {
        let n = self.domains.len();
        (0..n)
            .filter(|&a| self.exteriors[a].is_some())
            .flat_map(|a| (0..n).map(move |b| (a, b)))
            .filter(|&(a, b)| a != b && self.net.joined(self.domains[a].vpc, self.domains[b].vpc))
            .collect()
    }

    fn of(&self, (a, b): (usize, usize)) -> Option<Pair<'_>> {
        let (Some(from), Some(to)) = (&self.exteriors[a], &self.exteriors[b]) else {
            return None;
        };
        Some(Pair {
            net: self.net,
            a: &self.domains[a],
            b: &self.domains[b],
            from,
            to,
            there: &from.columns[b],
            back: &to.columns[a],
        })
    }

    /// Whether nothing but the filters of the two ends counts, whoever sends and whoever takes in.
    pub(crate) fn plain(&self, pair: (usize, usize)) -> bool {
        let ways = self.of(pair).and_then(|p| p.ways(&self.routes));
        ways.is_some_and(|w| w.kinds.iter().flatten().all(|w| *w == Way::Plain))
    }

    /// Adds what the filters of the two ends let through from cells of one VPC to cells of another, whatever way leads
    /// there. The two have no addresses in common.
    pub(crate) fn allowed(&self, pair: (usize, usize), full: &[u64], out: &impl Sink) {
        let Some(p) = self.of(pair) else { return };
        let ways = Ways {
            tables: vec![0; p.a.cells.len()],
            of: vec![0; p.b.cells.len()],
            kinds: vec![vec![Way::Plain]],
            ask: false,
        };
        p.rectangles(&ways, full, out);
    }

    /// Adds what travels from cells of one VPC to cells of another.
    pub(crate) fn pair(&self, pair: (usize, usize), full: &[u64], out: &impl Sink) {
        let Some(p) = self.of(pair) else { return };
        let Some(ways) = p.ways(&self.routes) else { return };
        if ways.ask || p.addresses_in_common() {
            p.one_by_one(&ways, full, out);
        } else {
            p.rectangles(&ways, full, out);
        }
    }
}

/// How packets get from the vSwitches of one VPC to the cells of another.
struct Ways {
    /// Which set of tables forwards for each cell of the source.
    tables: Vec<u32>,
    /// For each cell of the destination a number of `kinds`.
    of: Vec<u32>,
    /// The way by each set of tables.
    kinds: Vec<Vec<Way>>,
    ask: bool,
}

/// An ordered pair of VPCs.
struct Pair<'a> {
    net: &'a Network,
    a: &'a Domain,
    b: &'a Domain,
    from: &'a Exterior,
    to: &'a Exterior,
    /// Columns of the destination's cells as the source's lists see them.
    there: &'a [u32],
    /// Columns of the source's cells as the destination's lists see them.
    back: &'a [u32],
}

impl Pair<'_> {
    /// `None` where no way leads from one to the other.
    fn ways(&self, routes: &Cuts) -> Option<Ways> {
        let net = self.net;
        let mut sets: Numbered<&[u32]> = Numbered::new();
        let of_vswitch = |v: VswitchId| net.vsw(v).map_or(&[][..], |v| v.tables.as_slice());
        let tables: Vec<u32> = self
            .a
            .cells
            .iter()
            .map(|s| sets.put(of_vswitch(s.vswitch)))
            .collect();
        let mut kinds: Numbered<Vec<Way>> = Numbered::new();
        let mut known: FxHashMap<(u32, VswitchId), u32> = FxHashMap::default();
        let (mut any, mut ask) = (false, false);
        let mut cells = self.a.cells.iter().filter_map(|c| net.iface(c.rep.iface));
        let site = cells.any(|i| i.site.is_some());
        let of = self.b.cells.iter().map(|d| {
            // Which vSwitch it is in matters when narrowing only (A-TR-2).
            *known
                .entry((routes.piece(d.rep.ip), d.vswitch))
                .or_insert_with(|| {
                    let ways = sets.1.iter().map(|t| match site {
                        // A site sends by whatever link takes its packets in.
                        true => Way::Ask,
                        false => way(net, self.a.vpc, t, self.b.vpc, (d.rep.ip, d.vswitch)),
                    });
                    let ways: Vec<Way> = ways.collect();
                    any |= ways.iter().any(|w| *w != Way::Never);
                    ask |= ways.contains(&Way::Ask);
                    kinds.put(ways)
                })
        });
        let of: Vec<u32> = of.collect();
        any.then_some(Ways {
            tables,
            of,
            kinds: kinds.1,
            ask,
        })
    }

    /// Whether somebody of the one has an address that somebody of the other has.
    fn addresses_in_common(&self) -> bool {
        let mut b = self.b.cells.iter().map(|c| c.rep.ip).peekable();
        self.a.cells.iter().any(|c| {
            while b.peek().is_some_and(|x| *x < c.rep.ip) {
                b.next();
            }
            b.peek() == Some(&c.rep.ip)
        })
    }

    fn rectangles(&self, ways: &Ways, full: &[u64], out: &impl Sink) {
        let w = full.len();
        let v4 = |c: &Cell| c.rep.ip.is_ipv4();
        // Destinations that are alike for every source: column and ways; blocks in them with their lists.
        let mut targets: Numbered<(u32, u32, bool)> = Numbered::new();
        let mut takers: FxHashMap<(u32, u32), FxHashSet<(u32, u32)>> = FxHashMap::default();
        for (j, d) in self.b.cells.iter().enumerate().filter(|(_, d)| !d.apart) {
            if ways.kinds[ways.of[j] as usize].iter().all(|w| *w == Way::Never) {
                continue;
            }
            let t = targets.put((self.there[j], ways.of[j], v4(d)));
            takers.entry((t, d.slot)).or_default().insert(self.to.lists[j]);
        }
        // Sources that are alike for every destination.
        let mut sources: Numbered<(u32, u32, bool)> = Numbered::new();
        let mut senders: FxHashMap<(u32, u32), FxHashSet<(u32, u32)>> = FxHashMap::default();
        for (i, s) in self.a.cells.iter().enumerate().filter(|(_, s)| !s.apart) {
            let k = sources.put((self.back[i], ways.tables[i], v4(s)));
            senders.entry((k, s.slot)).or_default().insert(self.from.lists[i]);
        }
        // What each block may send, by kind of source and of destination.
        let n = targets.1.len();
        let mut sent: Vec<Vec<(u32, u32)>> = vec![Vec::new(); n * sources.1.len()];
        let mut flat: Vec<u64> = Vec::new();
        let mut tmp = vec![0u64; w];
        for (&(k, block), lists) in &senders {
            let (_, tables, family) = sources.1[k as usize];
            for (t, &(column, kind, v4)) in targets.1.iter().enumerate() {
                if v4 != family || ways.kinds[kind as usize][tables as usize] != Way::Plain {
                    continue;
                }
                tmp.fill(0);
                for l in lists {
                    self.from.add(*l, EGRESS, column, &mut tmp);
                }
                if tmp.iter().any(|&x| x != 0) {
                    sent[k as usize * n + t].push((block, small(flat.len())));
                    flat.extend_from_slice(&tmp);
                }
            }
        }
        // What each block may send to a kind of destination, whatever kind of source it is.
        let mut any: Vec<Vec<(u32, u32)>> = vec![Vec::new(); n];
        for (t, any) in any.iter_mut().enumerate() {
            let mut at: FxHashMap<u32, usize> = FxHashMap::default();
            for k in 0..sources.1.len() {
                for &(x, from) in &sent[k * n + t] {
                    let from = from as usize..from as usize + w;
                    match at.get(&x) {
                        Some(&to) => {
                            let (old, new) = flat.split_at_mut(to);
                            // The sum of a block lies behind everything that it is made of.
                            new[..w].iter_mut().zip(&old[from]).for_each(|(o, &x)| *o |= x);
                        }
                        None => {
                            at.insert(x, flat.len());
                            any.push((x, small(flat.len())));
                            flat.extend_from_within(from);
                        }
                    }
                }
            }
        }
        // One destination after another: what arrives at one lies together.
        let mut takers: Vec<_> = takers.into_iter().collect();
        takers.sort_unstable_by_key(|((t, block), _)| (*block, *t));
        let mut taken: Vec<(u32, Vec<u64>)> = Vec::new();
        let mut all = full.to_vec();
        for takers in takers.chunk_by(|a, b| a.0.1 == b.0.1) {
            let Some(((_, block), _)) = takers.first() else {
                continue;
            };
            out.row(*block, |row| {
                // Adds what each of some blocks sends as far as this one takes it in.
                let mut add = |from: &[(u32, u32)], taken: &[u64]| {
                    for &(x, at) in from {
                        let sent = &flat[at as usize..at as usize + w];
                        let entry = &mut row[x as usize * w..(x as usize + 1) * w];
                        for ((o, &x), &y) in entry.iter_mut().zip(sent).zip(taken) {
                            *o |= x & y;
                        }
                    }
                };
                for ((t, _), lists) in takers {
                    let t = *t as usize;
                    taken.clear();
                    all.copy_from_slice(full);
                    for (k, &(column, _, _)) in sources.1.iter().enumerate() {
                        if sent[k * n + t].is_empty() {
                            continue;
                        }
                        tmp.fill(0);
                        for l in lists {
                            self.to.add(*l, INGRESS, column, &mut tmp);
                        }
                        and(&mut all, &tmp);
                        if tmp.iter().any(|&x| x != 0) {
                            taken.push((small(k), tmp.clone()));
                        }
                    }
                    // What is taken in from every kind of source, once for all of them, and then what is left.
                    if !taken.is_empty() && all.iter().any(|&x| x != 0) {
                        add(&any[t], &all);
                    }
                    for (k, more) in &mut taken {
                        more.iter_mut().zip(&all).for_each(|(x, &a)| *x &= !a);
                        if more.iter().any(|&x| x != 0) {
                            add(&sent[*k as usize * n + t], more);
                        }
                    }
                }
            });
        }
    }

    fn one_by_one(&self, ways: &Ways, full: &[u64], out: &impl Sink) {
        let w = full.len();
        let mut tmp = vec![0u64; w];
        let mut cells: Vec<(usize, &Cell)> = self
            .b
            .cells
            .iter()
            .enumerate()
            .filter(|(_, d)| !d.apart)
            .collect();
        cells.sort_by_key(|(_, d)| d.slot);
        let mut row = vec![0u64; out.blocks() * w];
        for cells in cells.chunk_by(|a, b| a.1.slot == b.1.slot) {
            row.fill(0);
            for (s, d) in cells
                .iter()
                .flat_map(|d| self.a.cells.iter().enumerate().map(move |s| (s, *d)))
            {
                self.one(s, d, ways, (full, &mut tmp), &mut row);
            }
            if let Some((_, d)) = cells.first() {
                out.row(d.slot, |all| all.iter_mut().zip(&row).for_each(|(o, &x)| *o |= x));
            }
        }
    }

    /// Adds what one cell sends to another to what arrives there.
    fn one(
        &self,
        (i, s): (usize, &Cell),
        (j, d): (usize, &Cell),
        ways: &Ways,
        (full, tmp): (&[u64], &mut [u64]),
        row: &mut [u64],
    ) {
        let (net, w) = (self.net, full.len());
        if s.apart || s.rep.ip.is_ipv4() != d.rep.ip.is_ipv4() {
            return;
        }
        let e = self.from.listed(i, EGRESS, self.there[j]);
        let g = self.to.listed(j, INGRESS, self.back[i]);
        if e == 0 || g == 0 {
            return;
        }
        let acc = &mut row[s.slot as usize * w..(s.slot as usize + 1) * w];
        if *acc == *full {
            return;
        }
        match ways.kinds[ways.of[j] as usize][ways.tables[i] as usize] {
            Way::Plain if !(s.rep.ip == d.rep.ip && lone(net, s, d)) => {
                tmp.copy_from_slice(self.from.table.get(e));
                and(tmp, self.to.table.get(g));
                self.from.filter(i, EGRESS, self.there[j], tmp);
                self.to.filter(j, INGRESS, self.back[i], tmp);
                acc.iter_mut().zip(&*tmp).for_each(|(o, &x)| *o |= x);
            }
            Way::Ask => {
                if let Some((s, d)) = distinct(s, d) {
                    let f = net.private_request(s, d);
                    acc.iter_mut().zip(f.words()).for_each(|(o, x)| *o |= x);
                }
            }
            _ => {}
        }
    }
}

fn and(a: &mut [u64], b: &[u64]) {
    a.iter_mut().zip(b).for_each(|(x, &y)| *x &= y);
}
