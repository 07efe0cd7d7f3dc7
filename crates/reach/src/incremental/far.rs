//! What travels from one VPC to another, cell by cell, as changes need it (docs/decisions/019, 17 to 19).
//!
//! Where no two joined VPCs have addresses in common a list sees somebody of another VPC by the address alone. Few
//! lists accept anything from or to other VPCs, so that the first question, whether one may, is answered from the
//! few sets of addresses that it accepts there. Nothing else is kept: the rest is folded when it is asked for.

use super::Live;
use super::facts::meets;
use super::index::Side;
use super::inside::Kept;
use super::touch::Keys;
use crate::cross::{Way, way};
use crate::domain::{Cell, Domain, distinct};
use crate::flow::Cuts;
use crate::network::{Hop, Match, Network, RuleList};
use crate::point::{PeerView, ReplyPort};
use crate::rows::fold_into;
use bartizan_model::{Fact, Inventory, VswitchId};
use bartizan_packet::{AtomSet, IntervalSet, IpSet};
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A cell, by the position of its VPC and its number there.
pub(super) type At = (usize, u32);

/// From or to which addresses of other VPCs a list may accept anything.
#[derive(Default)]
struct Seen {
    /// Whether from all, by family.
    any: [bool; 2],
    sets: Vec<Arc<IpSet>>,
}

impl Seen {
    /// `beyond` says of which addresses it is asked.
    fn new(list: &RuleList, beyond: impl Fn(&IpSet) -> bool) -> Self {
        let mut seen = Seen::default();
        // Behind a rule that drops everything nothing counts.
        let mut open = [true; 2];
        for r in &list.rules {
            let whole = |s: &IpSet| [IpSet::all_v4().is_subset(s), IpSet::all_v6().is_subset(s)];
            match &r.peer {
                Match::Any if r.accept => seen.any.iter_mut().zip(open).for_each(|(a, o)| *a |= o),
                Match::Ips(s) if r.accept => {
                    let counts = open[0] && !s.v4.is_empty() || open[1] && !s.v6.is_empty();
                    if counts && beyond(s) {
                        seen.sets.push(s.clone());
                    }
                }
                Match::Any if r.services.is_any() => open = [false; 2],
                Match::Ips(s) if r.services.is_any() => {
                    open.iter_mut().zip(whole(s)).for_each(|(o, w)| *o &= !w);
                }
                _ => {}
            }
        }
        if list.default_accept {
            seen.any.iter_mut().zip(open).for_each(|(a, o)| *a |= o);
        }
        seen
    }

    fn may(&self, ip: IpAddr) -> bool {
        self.any[usize::from(ip.is_ipv6())] || self.sets.iter().any(|s| s.contains(ip))
    }
}

/// Buffers.
#[derive(Default)]
pub(super) struct Scratch {
    left: Vec<u64>,
    a: Vec<u64>,
    b: Vec<u64>,
}

/// By what a way is known: the VPC and vSwitch of the source, the VPC of the destination, the piece of the address space
/// and the vSwitch in which it lies.
type Whence = (u32, u32, u32, u32, VswitchId);

/// The VPCs that something joins with others, if no two of them have addresses in common.
pub(super) struct Far {
    /// The VPCs that each VPC is joined with.
    pub(super) peers: Vec<Vec<usize>>,
    /// Between which addresses those of a VPC and the blocks of its vSwitches lie, and those of all it is joined with.
    hulls: Vec<IpSet>,
    beyond: Vec<IpSet>,
    /// By VPC and list: ingress and egress.
    seen: Vec<Vec<[Seen; 2]>>,
    families: [Arc<IpSet>; 2],
    /// VPCs with a site: it sends by whatever link takes its packets in.
    sites: Vec<bool>,
    /// What routes tell apart, and by VPC and vSwitch the first vSwitch with the same tables.
    routes: Cuts,
    alike: Vec<Vec<u32>>,
    ways: Mutex<FxHashMap<Whence, Way>>,
    /// One vSwitch for each set of tables of a VPC.
    lines: Vec<Vec<VswitchId>>,
    /// The vSwitches of each VPC, by their numbers there, and between which addresses theirs lie.
    spans: Vec<Vec<(VswitchId, IpSet)>>,
    /// What [`Far::pieces`] said of each VPC.
    pieces: Vec<OnceLock<Vec<(IpAddr, VswitchId)>>>,
    /// Where routes lead through appliances, or did.
    bent: Arc<IpSet>,
    /// By VPC and list: whether it may accept anything towards public addresses.
    loud: Vec<Vec<bool>>,
    public: IpSet,
}

fn number(side: Side) -> usize {
    match side {
        Side::Ingress => 0,
        Side::Egress => 1,
    }
}

fn other(side: Side) -> Side {
    match side {
        Side::Ingress => Side::Egress,
        Side::Egress => Side::Ingress,
    }
}

/// Between which addresses somebody of a VPC has one, or may get one of its vSwitches.
fn hull(inv: &Inventory, d: &Domain) -> IpSet {
    fn wider<T: Ord + Copy>(all: &mut Option<(T, T)>, (l, h): (T, T)) {
        *all = Some(all.map_or((l, h), |(a, b)| (a.min(l), b.max(h))));
    }
    let (mut v4, mut v6) = (None, None);
    let mine = inv
        .typed
        .vswitches
        .iter()
        .filter(|v| v.vpc.known() == Some(&d.vpc));
    let blocks = mine.flat_map(|v| std::iter::once(&v.cidr).chain(v.ipv6_cidr.as_ref()));
    for net in blocks.filter_map(Fact::known) {
        match net {
            IpNet::V4(n) => wider(&mut v4, (u32::from(n.network()), u32::from(n.broadcast()))),
            IpNet::V6(n) => wider(&mut v6, (u128::from(n.network()), u128::from(n.broadcast()))),
        }
    }
    for c in &d.cells {
        match c.rep.ip {
            IpAddr::V4(a) => wider(&mut v4, (u32::from(a), u32::from(a))),
            IpAddr::V6(a) => wider(&mut v6, (u128::from(a), u128::from(a))),
        }
    }
    IpSet {
        v4: IntervalSet::from_ranges(v4),
        v6: IntervalSet::from_ranges(v6),
    }
}

/// What the routes of all VPCs and routers tell apart.
fn routes(net: &Network) -> Cuts {
    let mut cuts = Cuts::default();
    let of_vpcs = net.tables.iter().flat_map(|t| &t.routes).map(|r| &r.ips);
    let of_routers = net.transit.tables.iter().flatten().map(|w| &w.ips);
    of_vpcs.chain(of_routers).for_each(|s| cuts.add(s));
    cuts.finish();
    cuts
}

/// For every vSwitch of a VPC the first one with the same tables.
fn alike(net: &Network, d: &Domain) -> Vec<u32> {
    let mut tables: Vec<&[u32]> = vec![&[]; d.acls.len()];
    for c in &d.cells {
        if let Some(v) = net.vsw(c.vswitch) {
            tables[c.vsw as usize] = &v.tables;
        }
    }
    let first = |t: &&[u32]| tables.iter().position(|x| x == t).map_or(u32::MAX, small);
    tables.iter().map(first).collect()
}

/// One vSwitch of a VPC for each set of tables.
fn lines(net: &Network, d: &Domain) -> Vec<VswitchId> {
    let mut out: Vec<VswitchId> = Vec::new();
    let tables = |v: VswitchId| net.vsw(v).map(|v| &v.tables);
    for c in &d.cells {
        if !out.iter().any(|v| tables(*v) == tables(c.vswitch)) {
            out.push(c.vswitch);
        }
    }
    out
}

/// The vSwitches of a VPC, and between which addresses theirs lie.
fn spans(inv: &Inventory, d: &Domain) -> Vec<(VswitchId, IpSet)> {
    let mut out: Vec<(VswitchId, IpSet)> = vec![(VswitchId(u32::MAX), IpSet::empty()); d.acls.len()];
    let mut v4: Vec<Vec<(u32, u32)>> = vec![Vec::new(); out.len()];
    let mut v6: Vec<Vec<(u128, u128)>> = vec![Vec::new(); out.len()];
    for c in &d.cells {
        let at = c.vsw as usize;
        out[at].0 = c.vswitch;
        match c.rep.ip {
            IpAddr::V4(a) => v4[at].push((a.into(), a.into())),
            IpAddr::V6(a) => v6[at].push((a.into(), a.into())),
        }
    }
    for ((v, span), (v4, v6)) in out.iter_mut().zip(v4.into_iter().zip(v6)) {
        let own = IpSet {
            v4: IntervalSet::from_ranges(v4),
            v6: IntervalSet::from_ranges(v6),
        };
        let block = inv.typed.vswitches.get(v.index()).and_then(|v| v.cidr.known());
        let block = block.map_or_else(IpSet::empty, |n| IpSet::from(*n));
        *span = around(own.union(&block));
    }
    out
}

/// The ranges between the first and the last address of a set.
fn around(all: IpSet) -> IpSet {
    let v4 = all.v4.ranges();
    let v6 = all.v6.ranges();
    let v4 = v4.first().zip(v4.last()).map(|(a, b)| (a.0, b.1));
    let v6 = v6.first().zip(v6.last()).map(|(a, b)| (a.0, b.1));
    IpSet {
        v4: IntervalSet::from_ranges(v4),
        v6: IntervalSet::from_ranges(v6),
    }
}

/// Where routes of VPCs lead through something that is not a filter of one of the two ends.
fn bent(net: &Network) -> Arc<IpSet> {
    let through = |h: &Hop| {
        matches!(
            h,
            Hop::Interface(_) | Hop::HaVip(_) | Hop::Vpn(_) | Hop::RouterInterface(_)
        )
    };
    let routes = net.tables.iter().flat_map(|t| &t.routes);
    let led = routes.filter(|r| r.hops.iter().any(through));
    Arc::new(IpSet::union_all(led.map(|r| &r.ips)))
}

fn small(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Far {
    pub(super) fn new(inv: &Inventory, net: &Network, domains: &[Domain]) -> Self {
        let meets = |a: &Domain, b: &Domain| a.vpc != b.vpc && net.joined(a.vpc, b.vpc);
        let all = || 0..domains.len();
        let peers: Vec<Vec<usize>> = all()
            .map(|i| all().filter(|j| meets(&domains[i], &domains[*j])).collect())
            .collect();
        let hulls: Vec<IpSet> = domains.iter().map(|d| hull(inv, d)).collect();
        let beyond = peers
            .iter()
            .map(|p| IpSet::union_all(p.iter().map(|j| &hulls[*j])));
        let site = |c: &Cell| net.iface(c.rep.iface).is_some_and(|i| i.site.is_some());
        let mut far = Far {
            beyond: beyond.collect(),
            seen: Vec::new(),
            families: [Arc::new(IpSet::all_v4()), Arc::new(IpSet::all_v6())],
            sites: domains.iter().map(|d| d.cells.iter().any(site)).collect(),
            routes: routes(net),
            alike: domains.iter().map(|d| alike(net, d)).collect(),
            lines: domains.iter().map(|d| lines(net, d)).collect(),
            spans: domains.iter().map(|d| spans(inv, d)).collect(),
            pieces: vec![OnceLock::new(); domains.len()],
            bent: bent(net),
            loud: Vec::new(),
            public: crate::public::addresses(net),
            ways: Mutex::default(),
            peers,
            hulls,
        };
        far.seen = all()
            .map(|i| {
                let lists = domains[i].sets.iter();
                lists.map(|s| far.look(net, i, *s)).collect()
            })
            .collect();
        let loud = |(i, d): (usize, &Domain)| d.sets.iter().map(|s| far.loud(net, i, *s)).collect();
        far.loud = domains.iter().enumerate().map(loud).collect();
        far
    }

    fn look(&self, net: &Network, i: usize, set: u32) -> [Seen; 2] {
        match net.group_sets.get(set as usize) {
            Some(g) if !self.peers[i].is_empty() => {
                // Where somebody of another VPC may be.
                let beyond = |s: &IpSet| s.intersects(&self.beyond[i]);
                [&g.ingress, &g.egress].map(|l| Seen::new(l, beyond))
            }
            _ => Default::default(),
        }
    }

    /// A list is another one, or is new.
    pub(super) fn renew(&mut self, net: &Network, d: &Domain, i: usize, gs: u32) {
        let Some(set) = d.sets.get(gs as usize) else {
            return;
        };
        let seen = self.look(net, i, *set);
        let loud = self.loud(net, i, *set);
        match (
            self.seen[i].get_mut(gs as usize),
            self.loud[i].get_mut(gs as usize),
        ) {
            (Some(s), Some(l)) => (*s, *l) = (seen, loud),
            _ => {
                self.seen[i].push(seen);
                self.loud[i].push(loud);
            }
        }
    }

    /// Whether a list may accept anything towards public addresses.
    fn loud(&self, net: &Network, i: usize, set: u32) -> bool {
        // Whoever has no IPv6 address sends nothing to one.
        let six = !self.hulls[i].v6.is_empty();
        let public = |s: &IpSet| !s.v6.is_empty() || meets(self.public.v4.ranges(), s.v4.ranges());
        let list = net.group_sets.get(set as usize).map(|g| &g.egress);
        list.is_none_or(|l| {
            let seen = Seen::new(l, public);
            seen.any[0] || seen.any[1] && six || !seen.sets.is_empty()
        })
    }

    /// Whether nobody with one of some lists of a VPC may send anything to public addresses.
    pub(super) fn silent(&self, i: usize, mut lists: impl Iterator<Item = usize>) -> bool {
        lists.all(|gs| self.loud[i].get(gs) == Some(&false))
    }

    /// Between which addresses those of a VPC may be; others may lie there, too.
    pub(super) fn hull(&self, i: usize) -> &IpSet {
        &self.hulls[i]
    }

    /// Where those of a VPC are, vSwitch by vSwitch.
    pub(super) fn own(&self, i: usize) -> IpSet {
        IpSet::union_all(self.spans[i].iter().map(|(_, span)| span))
    }

    /// Where routes lead through appliances, or did.
    pub(super) fn bent(&self) -> &Arc<IpSet> {
        &self.bent
    }

    /// An address of a vSwitch is somebody's.
    pub(super) fn stretch(&mut self, i: usize, vsw: u32, ip: IpAddr) {
        if let Some((_, span)) = self.spans[i].get_mut(vsw as usize)
            && !span.contains(ip)
        {
            *span = around(span.union(&IpSet::single(ip)));
            self.pieces[i] = OnceLock::new();
        }
    }

    /// For each piece that routes tell apart of the vSwitches of a VPC an address in it.
    pub(super) fn pieces(&self, i: usize) -> &[(IpAddr, VswitchId)] {
        let all = || {
            let mut out = Vec::new();
            for (v, span) in &self.spans[i] {
                crate::flow::each_representative(span, &self.routes, |ip| out.push((ip, *v)));
            }
            out
        };
        self.pieces[i].get_or_init(all)
    }

    /// How packets get from one VPC to another, if that is so for everybody in the two and nothing but their filters
    /// counts.
    pub(super) fn uniform(&self, net: &Network, ds: &[Domain], i: usize, j: usize) -> Option<Way> {
        if self.sites[i] {
            return None;
        }
        let to = self.pieces(j);
        let mut found = None;
        for v in &self.lines[i] {
            let tables = net.vsw(*v).map_or(&[][..], |v| v.tables.as_slice());
            for d in to {
                let w = way(net, ds[i].vpc, tables, ds[j].vpc, *d);
                if w == Way::Ask || found.is_some_and(|f| f != w) {
                    return None;
                }
                found = Some(w);
            }
        }
        Some(found.unwrap_or(Way::Never))
    }

    /// Routes to some addresses may lead elsewhere.
    pub(super) fn reroute(&mut self, to: &IpSet) {
        self.cut(std::iter::once(to));
        if !to.is_subset(&self.bent) {
            self.bent = Arc::new(self.bent.union(to));
        }
        self.renewed();
    }

    /// Routes tell more addresses apart.
    pub(super) fn cut<'s>(&mut self, new: impl Iterator<Item = &'s IpSet>) {
        for s in new {
            self.routes.add(s);
            let here = |(hull, _): &(&IpSet, &mut _)| s.intersects(hull);
            let touched = self.hulls.iter().zip(&mut self.pieces).filter(here);
            touched.for_each(|(_, known)| *known = OnceLock::new());
        }
        self.routes.finish();
    }

    /// Routers may lead elsewhere.
    pub(super) fn renewed(&self) {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether an address lies where those of its VPC may be.
    pub(super) fn covers(&self, i: usize, ip: IpAddr) -> bool {
        self.hulls[i].contains(ip)
    }

    fn may(&self, i: usize, c: &Cell, side: Side, ip: IpAddr) -> bool {
        self.seen[i][c.gs as usize][number(side)].may(ip)
    }

    fn way(&self, net: &Network, ds: &[Domain], (i, s): At, (j, t): At) -> Way {
        if self.sites[i] {
            return Way::Ask;
        }
        let (a, b) = (&ds[i], &ds[j]);
        let (sc, tc) = (&a.cells[s as usize], &b.cells[t as usize]);
        let alike = self.alike[i].get(sc.vsw as usize).copied().unwrap_or(sc.vsw);
        let key = (
            small(i),
            alike,
            small(j),
            self.routes.piece(tc.rep.ip),
            tc.vswitch,
        );
        let known = || self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(w) = known().get(&key) {
            return *w;
        }
        let tables = net.vsw(sc.vswitch).map_or(&[][..], |v| v.tables.as_slice());
        let w = way(net, a.vpc, tables, b.vpc, (tc.rep.ip, tc.vswitch));
        known().insert(key, w);
        w
    }

    /// What travels privately from a cell to one of another VPC; `false` where nothing does. As `cross` for one pair.
    /// What the filters of the two let through whatever way leads there is added to `allowed`, if that is asked for.
    pub(super) fn pair(
        &self,
        net: &Network,
        ds: &[Domain],
        ((i, s), (j, t)): (At, At),
        x: &mut Scratch,
        allowed: Option<&mut [u64]>,
        out: &mut [u64],
    ) -> bool {
        let (sc, tc) = (&ds[i].cells[s as usize], &ds[j].cells[t as usize]);
        if sc.apart
            || tc.apart
            || sc.rep.ip.is_ipv4() != tc.rep.ip.is_ipv4()
            || !self.may(i, sc, Side::Egress, tc.rep.ip)
            || !self.may(j, tc, Side::Ingress, sc.rep.ip)
            || !self.peers[i].contains(&j)
        {
            return false;
        }
        let (Some(from), Some(to)) = (
            net.group_sets.get(sc.set as usize),
            net.group_sets.get(tc.set as usize),
        ) else {
            return false;
        };
        let all = net.common.all.words();
        let seen = PeerView::public;
        fold_into(&from.egress, seen(tc.rep.ip), all, &mut x.left, &mut x.a);
        fold_into(&to.ingress, seen(sc.rep.ip), all, &mut x.left, &mut x.b);
        and(&mut x.a, &x.b);
        if x.a.iter().all(|&w| w == 0) {
            return false;
        }
        let way = self.way(net, ds, (i, s), (j, t));
        if way == Way::Plain || allowed.is_some() {
            let acl = |c: &Cell| {
                let acl = net.vsw(c.vswitch).filter(|_| !c.no_acl).and_then(|v| v.acl);
                acl.and_then(|a| net.acls.get(a as usize))
            };
            if let Some(acl) = acl(sc) {
                fold_into(&acl.egress, seen(tc.rep.ip), all, &mut x.left, &mut x.b);
                and(&mut x.a, &x.b);
            }
            if let Some(acl) = acl(tc) {
                fold_into(&acl.ingress, seen(sc.rep.ip), all, &mut x.left, &mut x.b);
                if net.says.source_ports {
                    let passes = net.by_source(&AtomSet::from_words(&x.b), ReplyPort::Ephemeral);
                    and(&mut x.a, passes.words());
                } else {
                    and(&mut x.a, &x.b);
                }
            }
            if let Some(allowed) = allowed {
                allowed.iter_mut().zip(&x.a).for_each(|(o, &w)| *o |= w);
            }
        }
        match way {
            Way::Never => return false,
            Way::Ask => {
                let Some((s, t)) = distinct(sc, tc) else {
                    return false;
                };
                out.copy_from_slice(net.private_request(s, t).words());
            }
            Way::Plain => out.copy_from_slice(&x.a),
        }
        out.iter().any(|&w| w != 0)
    }

    /// The cells of other VPCs, if they are `wanted`, that some lists may accept anything from or to.
    fn cells<'s>(
        &self,
        kept: &[Kept],
        (i, wanted): (usize, &dyn Fn(usize) -> bool),
        lists: impl Iterator<Item = &'s Seen>,
    ) -> Vec<At> {
        let mut out: Vec<At> = Vec::new();
        for seen in lists {
            for &j in self.peers[i].iter().filter(|j| wanted(**j)) {
                let mut put = |s: &Arc<IpSet>| {
                    if s.intersects(&self.hulls[j]) {
                        kept[j].each(&Match::Ips(s.clone()), |c| out.push((j, c)));
                    }
                };
                let whole = self.families.iter().zip(seen.any).filter(|(_, any)| *any);
                whole.for_each(|(s, _)| put(s));
                seen.sets.iter().for_each(&mut put);
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }
}

fn and(a: &mut [u64], b: &[u64]) {
    a.iter_mut().zip(b).for_each(|(x, &y)| *x &= y);
}

/// Whether two lists accept the same from an address of another VPC.
fn same(net: &Network, a: &RuleList, b: &RuleList, ip: IpAddr, x: &mut Scratch) -> bool {
    let all = net.common.all.words();
    fold_into(a, PeerView::public(ip), all, &mut x.left, &mut x.a);
    fold_into(b, PeerView::public(ip), all, &mut x.left, &mut x.b);
    x.a == x.b
}

impl Live {
    /// Whether a cell of another VPC may have something to do with one, seen from `side` of the list of that one.
    fn sees(&self, far: &Far, (k, c): At, side: Side, (j, t): At) -> bool {
        let ds = &self.reach.domains;
        far.may(
            j,
            &ds[j].cells[t as usize],
            other(side),
            ds[k].cells[c as usize].rep.ip,
        )
    }

    /// Takes down a pair of cells of which one is in another VPC: what `side` of the first accepts has changed.
    fn between(&self, (k, c): At, side: Side, (j, t): At, keys: &mut Keys) {
        let ds = &self.reach.domains;
        let (here, there) = (&ds[k].cells[c as usize], &ds[j].cells[t as usize]);
        match side {
            Side::Ingress => keys.whole((j, k), there, here),
            Side::Egress => keys.whole((k, j), here, there),
        }
    }

    /// A list of a VPC accepts something else than before of what a peer matches.
    pub(super) fn far_list(
        &self,
        (k, gs, side): (usize, u32, Side),
        m: &Match,
        (before, now): (&RuleList, &RuleList),
        keys: &mut Keys,
    ) {
        let Some(far) = &self.far else { return };
        let ips = match m {
            Match::Any => None,
            Match::Ips(s) => Some(s),
            // Somebody of another VPC is in no group.
            Match::Group(_) | Match::Primary(_) | Match::Member(_) => return,
        };
        let mut x = Scratch::default();
        for &j in &far.peers[k] {
            if ips.is_some_and(|s| !s.intersects(&far.hulls[j])) {
                continue;
            }
            self.kept[j].each(m, |t| {
                // Most of them have nothing to do with anybody here, and that is known sooner.
                let sees = |c: &&u32| self.sees(far, (k, **c), side, (j, t));
                let mut mine = self.kept[k].with_list(gs).iter().filter(sees).peekable();
                let there = &self.reach.domains[j].cells[t as usize];
                if mine.peek().is_some() && !same(&self.reach.net, before, now, there.rep.ip, &mut x) {
                    mine.for_each(|c| self.between((k, *c), side, (j, t), keys));
                }
            });
        }
    }

    /// A cell has other lists than before.
    pub(super) fn far_lists(&self, (k, c): At, old: u32, new: u32, keys: &mut Keys) {
        let Some(far) = &self.far else { return };
        let net = &self.reach.net;
        let d = &self.reach.domains[k];
        let of = |gs: u32| net.group_sets.get(d.sets[gs as usize] as usize);
        let (Some(was), Some(is)) = (of(old), of(new)) else {
            return;
        };
        let mut x = Scratch::default();
        for (side, a, b) in [
            (Side::Ingress, &was.ingress, &is.ingress),
            (Side::Egress, &was.egress, &is.egress),
        ] {
            let seen = [old, new].map(|gs| &far.seen[k][gs as usize][number(side)]);
            for (j, t) in far.cells(&self.kept, (k, &|_| true), seen.into_iter()) {
                let ip = self.reach.domains[j].cells[t as usize].rep.ip;
                if self.sees(far, (k, c), side, (j, t)) && !same(net, a, b, ip, &mut x) {
                    self.between((k, c), side, (j, t), keys);
                }
            }
        }
    }

    /// A cell has another address than before.
    pub(super) fn far_place(&self, at: At, before: IpAddr, sides: &[Side], keys: &mut Keys) {
        self.far_between(at, before, sides, &|_| true, keys);
    }

    /// Other routes than before lead to a cell from some VPCs.
    pub(super) fn far_routed(&self, (k, c): At, from: &dyn Fn(usize) -> bool, keys: &mut Keys) {
        let ip = self.reach.domains[k].cells[c as usize].rep.ip;
        self.far_between((k, c), ip, &[Side::Ingress], from, keys);
    }

    fn far_between(
        &self,
        (k, c): At,
        before: IpAddr,
        sides: &[Side],
        with: &dyn Fn(usize) -> bool,
        keys: &mut Keys,
    ) {
        let Some(far) = &self.far else { return };
        let ds = &self.reach.domains;
        let here = &ds[k].cells[c as usize];
        for &side in sides {
            let seen = &far.seen[k][here.gs as usize][number(side)];
            for (j, t) in far.cells(&self.kept, (k, with), std::iter::once(seen)) {
                let there = &ds[j].cells[t as usize];
                let sees = |ip| far.may(j, there, other(side), ip);
                if !sees(here.rep.ip) && !sees(before) {
                    continue;
                }
                match side {
                    Side::Ingress => keys.whole((j, k), there, here),
                    Side::Egress => keys.whole((k, j), here, there),
                }
            }
        }
    }
}
