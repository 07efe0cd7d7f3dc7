//! Cells, and all pairs of one VPC at once.
//!
//! INVARIANT (cells): two addresses are in one cell only if they have the same group set, vSwitch, block and
//! Internet access, and no prefix of any rule, ACL entry, route or question that the VPC knows separates them.
//! The answer for one member is therefore the answer for all, and a prefix that cuts a cell has split it.

use crate::flow::Cuts;
use crate::matrix::Arrivals;
use crate::network::{Hop, Match, Network, Relay, RelaySource};
use crate::point::Inside;
use crate::rows::{AtomTable, Columns, RowBuilder, by_source};
use bartizan_model::{InterfaceId, VpcId, VswitchId};
use bartizan_packet::{AtomSet, IpSet};
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;

/// How endpoints are grouped into the blocks that questions are asked about.
///
/// Blocks partition interfaces' addresses and the public addresses.
pub trait Partition: Sync {
    /// Number of blocks.
    fn blocks(&self) -> usize;
    /// Address sets at whose boundaries the block may change.
    fn cuts(&self) -> &[IpSet];
    /// The block of an address of an interface, or of a public address of nobody.
    fn block(&self, iface: Option<InterfaceId>, ip: IpAddr) -> u32;
}

/// Endpoints that nothing tells apart.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The block.
    pub block: u32,
    /// Its row and column in the matrix: the block, or for a front of a load balancer one of its own.
    pub(crate) slot: u32,
    /// Some member.
    pub rep: Inside,
    /// All members; of an address that is not known yet, one entry for each place where it may be.
    pub members: Vec<Inside>,
    /// The only interface in it, if there is only one.
    pub only: Option<InterfaceId>,
    /// Whether a member has Internet access of its own (public address, DNAT, IPv6).
    pub(crate) special: bool,
    /// Whether its interface has no private networking (an EIP in ENI-visible mode, §7.4).
    pub(crate) apart: bool,
    /// Positions in the lists and vSwitches of the domain, once rows are built.
    pub(crate) gs: u32,
    pub(crate) vsw: u32,
    /// Index into `Network::group_sets`.
    pub(crate) set: u32,
    /// The vSwitch.
    pub(crate) vswitch: VswitchId,
    /// Whether no network ACL applies (a managed service, §15.3).
    pub(crate) no_acl: bool,
}

/// A VPC with its cells and rows.
#[derive(Clone, Debug)]
pub(crate) struct Domain {
    pub(crate) vpc: VpcId,
    pub(crate) cells: Vec<Cell>,
    /// Cells as before, grouped by (group set, vSwitch, special).
    pub(crate) classes: Vec<Vec<u32>>,
    pub(crate) table: AtomTable,
    pub(crate) rows: Vec<Box<[u32]>>,
    /// Per local group set: row numbers of ingress and egress.
    pub(crate) lists: Vec<(u32, u32)>,
    /// Per local group set its number in the network.
    pub(crate) sets: Vec<u32>,
    /// Per local vSwitch: row numbers of ACL ingress and egress, if filtered.
    pub(crate) acls: Vec<Option<(u32, u32)>>,
    /// Per local vSwitch: columns that custom routes take elsewhere.
    pub(crate) detours: Vec<Option<Box<[bool]>>>,
}

/// What a balancer hands on, and from where.
#[derive(PartialEq, Eq, Hash)]
struct Handed<'a>(InterfaceId, &'a AtomSet, Option<&'a AtomSet>, RelaySource, bool);

impl<'a> From<&'a Relay> for Handed<'a> {
    fn from(r: &'a Relay) -> Self {
        Handed(r.front, &r.listen, r.delivered.as_deref(), r.source, r.ipv6)
    }
}

/// The cuts that the lists and tables around some interfaces make.
fn cuts_of(net: &Network, ifaces: impl Iterator<Item = InterfaceId>, c: &mut Cuts) {
    let mut gs: Vec<u32> = Vec::new();
    let mut vsw: Vec<u32> = Vec::new();
    for f in ifaces.filter_map(|i| net.iface(i)) {
        gs.push(f.groups);
        vsw.push(f.vswitch.0);
    }
    for v in [&mut gs, &mut vsw] {
        v.sort_unstable();
        v.dedup();
    }
    let mut ips = |m: &Match| {
        if let Match::Ips(s) = m {
            c.add(s);
        }
    };
    for g in gs {
        let g = &net.group_sets[g as usize];
        g.ingress
            .rules
            .iter()
            .chain(&g.egress.rules)
            .for_each(|r| ips(&r.peer));
    }
    let mut tables: Vec<u32> = Vec::new();
    for v in vsw.iter().filter_map(|&v| net.vswitches[v as usize].as_ref()) {
        if let Some(a) = v.acl.and_then(|a| net.acls.get(a as usize)) {
            a.ingress
                .rules
                .iter()
                .chain(&a.egress.rules)
                .for_each(|r| ips(&r.peer));
        }
        tables.extend(&v.tables);
        // §3.6: by the table of the gateway addresses that are not known yet are told apart.
        tables.extend(net.vpcs.get(v.vpc.index()).and_then(|n| n.ingress_table));
    }
    tables.sort_unstable();
    tables.dedup();
    for r in tables
        .iter()
        .filter_map(|&t| net.tables.get(t as usize))
        .flat_map(|t| &t.routes)
    {
        c.add(&r.ips);
        for h in &r.hops {
            if let Hop::Nat(n) = h {
                for s in &net.nats[n.index()].snat {
                    c.add(&s.sources);
                }
            }
        }
    }
}

/// What VPCs that something joins tell apart, all together: the filters of every one of them, and the routers'
/// routes. By the number of their group (`Transit::groups`).
pub(crate) fn shared_cuts(net: &Network, by_vpc: &[(VpcId, Vec<InterfaceId>)]) -> FxHashMap<u32, Cuts> {
    let mut out: FxHashMap<u32, Cuts> = FxHashMap::default();
    for (v, ifaces) in by_vpc {
        if !net.has_neighbours(*v) {
            continue;
        }
        let Some(group) = net.transit.groups.get(v.index()) else {
            continue;
        };
        let c = out.entry(*group).or_default();
        cuts_of(net, ifaces.iter().copied(), c);
        // Prefixes repeat a great deal.
        c.finish();
    }
    for c in out.values_mut() {
        net.transit.tables.iter().flatten().for_each(|w| c.add(&w.ips));
        if !net.hybrid.is_empty() {
            net.hybrid.each_set(|s| c.add(s));
            // Gateways hand over by tables that may serve no interface.
            net.tables
                .iter()
                .flat_map(|t| &t.routes)
                .for_each(|r| c.add(&r.ips));
        }
        c.finish();
    }
    out
}

/// The smallest and the greatest value.
type Span<T> = Option<(T, T)>;

/// The smallest and the greatest address of some interfaces, by family.
fn hull(net: &Network, own: &[InterfaceId]) -> (Span<u32>, Span<u128>) {
    fn wider<T: Ord + Copy>(all: &mut Span<T>, ranges: &[(T, T)]) {
        for &(l, h) in ranges {
            *all = Some(all.map_or((l, h), |(a, b)| (a.min(l), b.max(h))));
        }
    }
    let (mut v4, mut v6) = (None, None);
    for a in own.iter().filter_map(|i| net.iface(*i)).flat_map(|f| &f.addrs) {
        wider(&mut v4, a.region.v4.ranges());
        wider(&mut v6, a.region.v6.ranges());
    }
    (v4, v6)
}

fn vpc_cuts(
    net: &Network,
    vpc: VpcId,
    own: &[InterfaceId],
    shared: &FxHashMap<u32, Cuts>,
    questions: &[IpSet],
) -> Cuts {
    let mut c = Cuts::default();
    // Where other VPCs can be reached, their filters and the routers' routes may tell addresses apart as well.
    let group = net.transit.groups.get(vpc.index());
    match group.and_then(|g| shared.get(g)) {
        None => cuts_of(net, own.iter().copied(), &mut c),
        Some(all) => {
            // A cut that lies beyond every address of the VPC separates none of them.
            let (v4, v6) = hull(net, own);
            if let Some((l, h)) = v4 {
                let at = |x| all.v4.partition_point(|&c| c <= x);
                c.v4.extend(&all.v4[at(l)..at(h)]);
            }
            if let Some((l, h)) = v6 {
                let at = |x| all.v6.partition_point(|&c| c <= x);
                c.v6.extend(&all.v6[at(l)..at(h)]);
            }
            let here = |ip: IpAddr| match ip {
                IpAddr::V4(a) => v4.is_some_and(|(l, h)| l <= a.into() && u32::from(a) <= h),
                IpAddr::V6(a) => v6.is_some_and(|(l, h)| l <= a.into() && u128::from(a) <= h),
            };
            // Addresses that somebody has elsewhere are known there by other groups.
            for (v, ip) in net.known_as.keys().filter(|(v, ip)| *v != vpc && here(*ip)) {
                if net.joined(*v, vpc) {
                    c.add(&IpSet::single(*ip));
                }
            }
            for (v, ips, _) in &net.blocks_known_as {
                if *v != vpc && net.joined(*v, vpc) {
                    c.add(ips);
                }
            }
        }
    }
    if net.has_inner() {
        c.add_all(&net.inner_cuts());
    }
    // Of a block that somebody has one address may be a backend.
    if !net.relays.is_empty() {
        let of = |i: &InterfaceId| net.relays_to(*i).filter_map(|(_, r)| r.ip);
        own.iter().flat_map(of).for_each(|ip| c.add(&IpSet::single(ip)));
    }
    // And to one address of it a DNAT entry may lead.
    let ifaces = own.iter().filter_map(|i| net.iface(*i));
    for a in ifaces.flat_map(|f| &f.addrs) {
        let entries = a.dnat.iter().chain(&a.inner).filter_map(|n| n.to);
        let mapped = a.mapped.iter().filter_map(|m| m.to);
        entries.chain(mapped).for_each(|ip| c.add(&IpSet::single(ip)));
    }
    net.perimeter.cut(&mut c);
    questions.iter().for_each(|q| c.add(q));
    c.finish();
    c
}

impl Domain {
    /// Builds the cells of one VPC.
    ///
    /// `shared` is what [`shared_cuts`] says. With `alone` every address is a cell of its own, which no change can
    /// cut.
    pub(crate) fn new(
        net: &Network,
        vpc: VpcId,
        ifaces: &[InterfaceId],
        shared: &FxHashMap<u32, Cuts>,
        part: &dyn Partition,
        alone: bool,
    ) -> Self {
        let cuts = vpc_cuts(net, vpc, ifaces, shared, part.cuts());
        // What an appliance sends itself does not pass it, so it is not like its neighbours.
        let mut stops: FxHashSet<InterfaceId> = FxHashSet::default();
        for h in net.tables.iter().flat_map(|t| &t.routes).flat_map(|r| &r.hops) {
            match h {
                Hop::Interface(i) => {
                    stops.insert(*i);
                }
                Hop::HaVip(h) => stops.extend(net.ha_vips.get(h.index()).into_iter().flatten()),
                _ => {}
            }
        }
        let mut index: FxHashMap<(u32, u32, u32, u32, u64, bool), usize> = FxHashMap::default();
        let mut cells: Vec<Cell> = Vec::new();
        // Which balancers hand on to it tells two addresses apart.
        let mut served: FxHashMap<Vec<Handed<'_>>, u64> = FxHashMap::default();
        for f in ifaces.iter().filter_map(|&i| net.iface(i)) {
            let backend = net.relays_to(f.id).next().is_some();
            for (ai, a) in f.addrs.iter().enumerate() {
                let addr = u32::try_from(ai).unwrap_or(u32::MAX);
                let special = !a.own.is_empty()
                    || !a.dnat.is_empty()
                    || !a.mapped.is_empty()
                    || !a.inner.is_empty()
                    || a.v6.inbound
                    || a.v6.outbound
                    || a.shared_groups.is_some()
                    || a.has_own.is_none()
                    || f.apart
                    || f.front.is_some()
                    || f.addrs.iter().any(|a| a.own.iter().any(|o| o.bypass_acl));
                let mut put = |ip: IpAddr| {
                    let block = part.block(Some(f.id), ip);
                    let member = Inside {
                        iface: f.id,
                        addr,
                        ip,
                    };
                    let by: Vec<Handed<'_>> = match backend {
                        true => net.relays_at(member).map(|(_, r)| r.into()).collect(),
                        false => Vec::new(),
                    };
                    let own = if special || alone || stops.contains(&f.id) {
                        u64::from(f.id.0) << 32 | u64::from(addr) | 1 << 63
                    } else if by.is_empty() {
                        0
                    } else {
                        let n = served.len() as u64 + 1;
                        *served.entry(by).or_insert(n)
                    };
                    // Only rules that name primary addresses tell them apart (A-SG-1).
                    let primary = a.primary || !net.primary_counts;
                    let key = (f.groups, f.vswitch.0, cuts.piece(ip), block, own, primary);
                    match index.get(&key) {
                        Some(&i) => {
                            let c = &mut cells[i];
                            if c.only != Some(f.id) {
                                c.only = None;
                            }
                            c.members.push(member);
                        }
                        None => {
                            index.insert(key, cells.len());
                            cells.push(Cell {
                                block,
                                slot: block,
                                rep: member,
                                members: vec![member],
                                only: Some(f.id),
                                special,
                                apart: f.apart,
                                gs: f.groups,
                                vsw: f.vswitch.0,
                                set: f.groups,
                                vswitch: f.vswitch,
                                no_acl: f.no_acl(),
                            });
                        }
                    }
                };
                match a.region.v4.ranges() {
                    [(l, h)] if l == h && a.region.v6.is_empty() => put(IpAddr::V4((*l).into())),
                    _ => cuts
                        .split(&a.region)
                        .iter()
                        .filter_map(IpSet::first)
                        .for_each(&mut put),
                }
            }
        }
        cells.sort_by_key(|c| (c.rep.ip, c.rep));
        let mut d = Domain {
            vpc,
            cells,
            classes: Vec::new(),
            table: AtomTable::new(net.atoms.words()),
            rows: Vec::new(),
            lists: Vec::new(),
            sets: Vec::new(),
            acls: Vec::new(),
            detours: Vec::new(),
        };
        let mut classes: FxHashMap<(u32, u32, u64), usize> = FxHashMap::default();
        for (i, c) in d.cells.iter().enumerate() {
            let own = if c.special { 1 + i as u64 } else { 0 };
            let k = *classes.entry((c.gs, c.vsw, own)).or_insert_with(|| {
                d.classes.push(Vec::new());
                d.classes.len() - 1
            });
            d.classes[k].push(u32::try_from(i).unwrap_or(u32::MAX));
        }
        d
    }

    /// Computes the rows. Must run before [`Domain::pairs`].
    pub(crate) fn build_rows(&mut self, net: &Network) {
        let columns = Columns::new(self.cells.iter().map(|c| net.private_view(c.rep)));
        let mut gs: Vec<u32> = self.cells.iter().map(|c| c.gs).collect();
        let mut vsw: Vec<u32> = self.cells.iter().map(|c| c.vsw).collect();
        for v in [&mut gs, &mut vsw] {
            v.sort_unstable();
            v.dedup();
        }
        let mut b = RowBuilder::new(&columns, &net.common.all);
        let mut known: FxHashMap<Box<[u32]>, u32> = FxHashMap::default();
        let mut put = |row: Box<[u32]>, rows: &mut Vec<Box<[u32]>>| {
            *known.entry(row).or_insert_with_key(|r| {
                rows.push(r.clone());
                u32::try_from(rows.len() - 1).unwrap_or(u32::MAX)
            })
        };
        for &g in &gs {
            let set = &net.group_sets[g as usize];
            let i = b.row(&set.ingress, &mut self.table);
            let i = put(i, &mut self.rows);
            let e = b.row(&set.egress, &mut self.table);
            let e = put(e, &mut self.rows);
            self.lists.push((i, e));
        }
        self.sets.clone_from(&gs);
        let mut acl_rows: FxHashMap<u32, (u32, u32)> = FxHashMap::default();
        let mut detours: FxHashMap<Vec<u32>, Option<Box<[bool]>>> = FxHashMap::default();
        for &v in &vsw {
            let Some(v) = &net.vswitches[v as usize] else {
                self.acls.push(None);
                self.detours.push(None);
                continue;
            };
            self.acls.push(v.acl.map(|a| {
                *acl_rows.entry(a).or_insert_with(|| {
                    let acl = &net.acls[a as usize];
                    let i = b.row(&acl.ingress, &mut self.table);
                    let i = by_source(Some(net), i, &mut self.table);
                    let e = b.row(&acl.egress, &mut self.table);
                    (put(i, &mut self.rows), put(e, &mut self.rows))
                })
            }));
            let cells = &self.cells;
            let d = detours.entry(v.tables.clone()).or_insert_with(|| {
                let flags: Box<[bool]> = cells.iter().map(|c| detour(net, &v.tables, c.rep.ip)).collect();
                flags.iter().any(|&f| f).then_some(flags)
            });
            self.detours.push(d.clone());
        }
        for c in &mut self.cells {
            c.gs = u32::try_from(gs.partition_point(|&g| g < c.gs)).unwrap_or(u32::MAX);
            c.vsw = u32::try_from(vsw.partition_point(|&v| v < c.vsw)).unwrap_or(u32::MAX);
        }
    }

    /// Number of distinct rows and of distinct atom sets, for statistics.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        (self.cells.len(), self.rows.len(), self.table.len())
    }

    /// Adds the privately delivered services of every ordered pair of cells to the matrix of blocks.
    ///
    /// Pairs that custom routes take elsewhere are asked one by one.
    pub(crate) fn pairs(&self, net: &Network, full: &[u64], out: &Arrivals) {
        let w = out.words();
        let v4 = self.cells.partition_point(|c| c.rep.ip.is_ipv4());
        let halves = [(0, v4), (v4, self.cells.len())];
        let mut egress: Vec<u32> = vec![0; self.lists.len()];
        let mut tmp: Vec<u64> = vec![0; w];
        // Blocks from which nothing can be added to the slot at hand.
        let mut done = vec![false; out.blocks()];
        for (from, to) in halves {
            let mut by_slot: Vec<usize> = (from..to).collect();
            by_slot.sort_by_key(|&d| self.cells[d].slot);
            let mut slot = None;
            for d in by_slot {
                let dc = &self.cells[d];
                if dc.apart {
                    continue;
                }
                if slot.replace(dc.slot) != Some(dc.slot) {
                    done.fill(false);
                }
                let ingress = &self.rows[self.lists[dc.gs as usize].0 as usize];
                for (e, l) in egress.iter_mut().zip(&self.lists) {
                    *e = self.rows[l.1 as usize][d];
                }
                let acl_in = self.acls[dc.vsw as usize]
                    .filter(|_| !dc.no_acl)
                    .map(|a| &self.rows[a.0 as usize]);
                let mut row = out.at(dc.slot);
                for s in from..to {
                    let sc = &self.cells[s];
                    let (i, e) = (ingress[s], egress[sc.gs as usize]);
                    if i == 0 || e == 0 {
                        continue;
                    }
                    if sc.apart
                        || sc.only.is_some() && sc.only == dc.only
                        || sc.rep.ip == dc.rep.ip && lone(net, sc, dc)
                    {
                        continue;
                    }
                    let done = &mut done[sc.slot as usize];
                    if *done {
                        continue;
                    }
                    let acc = &mut row[sc.slot as usize * w..(sc.slot as usize + 1) * w];
                    if self.detours[sc.vsw as usize].as_ref().is_some_and(|f| f[d]) {
                        // The members of a cell pair are alike, except that an interface is not its own peer.
                        if let Some((a, b)) = distinct(sc, dc) {
                            let f = net.private_request(a, b);
                            acc.iter_mut().zip(f.words()).for_each(|(o, x)| *o |= x);
                        }
                        *done = *acc == *full;
                        continue;
                    }
                    tmp.copy_from_slice(self.table.get(i));
                    for (t, &x) in tmp.iter_mut().zip(self.table.get(e)) {
                        *t &= x;
                    }
                    if sc.vsw != dc.vsw {
                        if let Some(r) = acl_in {
                            for (t, &x) in tmp.iter_mut().zip(self.table.get(r[s])) {
                                *t &= x;
                            }
                        }
                        if let Some(a) = self.acls[sc.vsw as usize].filter(|_| !sc.no_acl) {
                            let r = &self.rows[a.1 as usize];
                            for (t, &x) in tmp.iter_mut().zip(self.table.get(r[d])) {
                                *t &= x;
                            }
                        }
                    }
                    let mut missing = 0;
                    for ((o, &x), &f) in acc.iter_mut().zip(&tmp).zip(full) {
                        *o |= x;
                        missing |= f & !*o;
                    }
                    *done = missing == 0;
                }
            }
        }
    }
}

/// Whether tables may take packets to an address elsewhere than straight to it: local, unless some route says
/// otherwise or none says so.
pub(crate) fn detour(net: &Network, tables: &[u32], ip: IpAddr) -> bool {
    tables.len() != 1
        || tables.iter().any(|&t| {
            let mut n = 0;
            let local = net.tables[t as usize].lookup(ip).all(|r| {
                n += 1;
                r.hops.as_slice() == [Hop::Local]
            });
            !local || n != 1
        })
}

impl Domain {
    /// What travels privately from one cell to another; `false` where nothing does. As [`Domain::pairs`] for one pair.
    pub(crate) fn pair(&self, net: &Network, s: usize, d: usize, tmp: &mut [u64]) -> bool {
        let (sc, dc) = (&self.cells[s], &self.cells[d]);
        let i = self.rows[self.lists[dc.gs as usize].0 as usize][s];
        let e = self.rows[self.lists[sc.gs as usize].1 as usize][d];
        if i == 0
            || e == 0
            || sc.apart
            || dc.apart
            || sc.rep.ip.is_ipv4() != dc.rep.ip.is_ipv4()
            || sc.only.is_some() && sc.only == dc.only
            || sc.rep.ip == dc.rep.ip && lone(net, sc, dc)
        {
            return false;
        }
        if self.detours[sc.vsw as usize].as_ref().is_some_and(|f| f[d]) {
            // Whatever is on the way, the lists of both ends count.
            let (i, e) = (self.table.get(i), self.table.get(e));
            if i.iter().zip(e).all(|(x, y)| x & y == 0) {
                return false;
            }
            let Some((a, b)) = distinct(sc, dc) else {
                return false;
            };
            tmp.copy_from_slice(net.private_request(a, b).words());
            return tmp.iter().any(|&x| x != 0);
        }
        tmp.fill(u64::MAX);
        let mut and = |id: u32| {
            for (t, &x) in tmp.iter_mut().zip(self.table.get(id)) {
                *t &= x;
            }
        };
        and(i);
        and(e);
        if sc.vsw != dc.vsw {
            if let Some(a) = self.acls[dc.vsw as usize].filter(|_| !dc.no_acl) {
                and(self.rows[a.0 as usize][s]);
            }
            if let Some(a) = self.acls[sc.vsw as usize].filter(|_| !sc.no_acl) {
                and(self.rows[a.1 as usize][d]);
            }
        }
        tmp.iter().any(|&x| x != 0)
    }
}

/// Whether two cells have one address between them (a virtual IP that several interfaces may hold).
pub(crate) fn lone(net: &Network, a: &Cell, b: &Cell) -> bool {
    let mut all = a.members.iter().chain(&b.members);
    all.all(|m| m.ip == a.rep.ip && net.addr_of(*m).is_some_and(|(_, x)| !x.choice))
}

/// Members of two cells that are on different interfaces.
pub(crate) fn distinct(a: &Cell, b: &Cell) -> Option<(Inside, Inside)> {
    if a.rep.iface != b.rep.iface {
        return Some((a.rep, b.rep));
    }
    if let Some(m) = b.members.iter().find(|m| m.iface != a.rep.iface) {
        return Some((a.rep, *m));
    }
    a.members
        .iter()
        .find(|m| m.iface != b.rep.iface)
        .map(|m| (*m, b.rep))
}
