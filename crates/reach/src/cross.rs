//! All pairs of two VPCs that something joins.
//!
//! Which way packets take from a vSwitch to an address does not depend on who sends them, so it is walked once
//! per set of route tables and destination cell. Where that way meets no appliance, what passes is the egress
//! row of the source, the ingress row of the destination and the ACLs of the two ends, as inside a VPC; other
//! pairs are asked one by one.

use crate::domain::{Cell, Domain, distinct, lone};
use crate::network::{Hop, Mode, Network, RuleList};
use crate::rows::{AtomTable, Columns, RowBuilder};
use crate::transit::{Far, TrNext};
use bartizan_model::{AttachmentId, TrTableId, VpcId, VswitchId};
use rustc_hash::FxHashMap;
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
            Hop::Interface(_) | Hop::HaVip(_) => self.out.ask = true,
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
                    Far::Unmodelled => self.out.drops = true,
                },
                None => self.out.drops = true,
            }
        }
    }
}

/// How packets get from one vSwitch to one cell of another VPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Never,
    /// Past the filters of the two ends only.
    Plain,
    Ask,
}

fn way(net: &Network, vpc: VpcId, tables: &[u32], to: VpcId, d: &Cell) -> Way {
    let mut w = Walk {
        net,
        goal: to,
        ip: d.rep.ip,
        out: Outcome::default(),
    };
    w.tables(vpc, None, tables, &[]);
    let o = w.out;
    match net.mode {
        _ if o.ask => Way::Ask,
        Mode::Widen if o.arrives => Way::Plain,
        Mode::Widen => Way::Never,
        Mode::Narrow if o.drops || !o.arrives => Way::Never,
        // A-TR-2: the ACL of the zone counts.
        Mode::Narrow
            if o.zones
                .iter()
                .any(|&z| z != d.vswitch && net.vsw(z).is_some_and(|v| v.acl.is_some())) =>
        {
            Way::Ask
        }
        Mode::Narrow => Way::Plain,
    }
}

/// The cells of one side as the other VPC knows them: by address (§5.3).
fn columns(net: &Network, d: &Domain, by: VpcId) -> Columns {
    let cells = d.cells.iter();
    Columns::new(cells.map(|c| (c.rep.ip, net.groups_at(by, c.rep.ip), &[][..])))
}

/// Rows of the lists that the cells of one side use, over the cells of the other.
struct Rows {
    of: FxHashMap<u32, Box<[u32]>>,
}

impl Rows {
    fn new<'n>(
        b: &mut RowBuilder<'_>,
        table: &mut AtomTable,
        keys: impl Iterator<Item = u32>,
        list: impl Fn(u32) -> Option<&'n RuleList>,
    ) -> Self {
        let mut of = FxHashMap::default();
        for k in keys {
            if let Some(l) = list(k).filter(|_| !of.contains_key(&k)) {
                of.insert(k, b.row(l, table));
            }
        }
        Rows { of }
    }
    fn get(&self, k: u32) -> Option<&[u32]> {
        self.of.get(&k).map(|r| &**r)
    }
}

/// Adds what travels from cells of `a` to cells of `b`, two VPCs that something joins.
pub(crate) fn pairs(net: &Network, a: &Domain, b: &Domain, blocks: usize, full: &[u64], out: &mut [u64]) {
    let w = net.atoms.words();
    let mut known: FxHashMap<(&[u32], u32), Way> = FxHashMap::default();
    let mut any = false;
    let tables_of = |v: VswitchId| net.vsw(v).map_or(&[][..], |v| v.tables.as_slice());
    for s in &a.cells {
        let tables = tables_of(s.vswitch);
        for (j, d) in (0u32..).zip(&b.cells) {
            if known.contains_key(&(tables, j)) {
                continue;
            }
            let way = way(net, a.vpc, tables, b.vpc, d);
            any |= way != Way::Never;
            known.insert((tables, j), way);
        }
    }
    if !any {
        return;
    }
    let mut table = AtomTable::new(w);
    let (from, to) = (columns(net, a, b.vpc), columns(net, b, a.vpc));
    let acl_of = |v: VswitchId| net.vsw(v).and_then(|v| v.acl);
    let (mut over_to, mut over_from) = (
        RowBuilder::new(&to, &net.common.all),
        RowBuilder::new(&from, &net.common.all),
    );
    let group = |ingress: bool| {
        move |k: u32| {
            net.group_sets
                .get(k as usize)
                .map(|g| if ingress { &g.ingress } else { &g.egress })
        }
    };
    let acl = |ingress: bool| {
        move |k: u32| {
            net.acls
                .get(k as usize)
                .map(|g| if ingress { &g.ingress } else { &g.egress })
        }
    };
    let out_sg = Rows::new(
        &mut over_to,
        &mut table,
        a.cells.iter().map(|c| c.set),
        group(false),
    );
    let out_acl = Rows::new(
        &mut over_to,
        &mut table,
        a.cells.iter().filter_map(|c| acl_of(c.vswitch)),
        acl(false),
    );
    let in_sg = Rows::new(
        &mut over_from,
        &mut table,
        b.cells.iter().map(|c| c.set),
        group(true),
    );
    let in_acl = Rows::new(
        &mut over_from,
        &mut table,
        b.cells.iter().filter_map(|c| acl_of(c.vswitch)),
        acl(true),
    );
    let mut tmp = vec![0u64; w];
    for (i, s) in a.cells.iter().enumerate() {
        if s.apart {
            continue;
        }
        let tables = tables_of(s.vswitch);
        let Some(egress) = out_sg.get(s.set) else { continue };
        let acl_out = acl_of(s.vswitch)
            .filter(|_| !s.no_acl)
            .and_then(|k| out_acl.get(k));
        for (j, d) in b.cells.iter().enumerate() {
            let e = egress[j];
            if e == 0 || d.apart || s.rep.ip.is_ipv4() != d.rep.ip.is_ipv4() {
                continue;
            }
            let Some(g) = in_sg.get(d.set).map(|r| r[i]).filter(|&g| g != 0) else {
                continue;
            };
            let at = (s.slot as usize * blocks + d.slot as usize) * w;
            let acc = &mut out[at..at + w];
            if *acc == *full {
                continue;
            }
            match known.get(&(tables, u32::try_from(j).unwrap_or(u32::MAX))) {
                Some(Way::Plain) if !(s.rep.ip == d.rep.ip && lone(net, s, d)) => {
                    tmp.copy_from_slice(table.get(e));
                    and(&mut tmp, table.get(g));
                    if let Some(r) = acl_out {
                        and(&mut tmp, table.get(r[j]));
                    }
                    let filter = acl_of(d.vswitch).filter(|_| !d.no_acl);
                    if let Some(r) = filter.and_then(|k| in_acl.get(k)) {
                        and(&mut tmp, table.get(r[i]));
                    }
                    acc.iter_mut().zip(&tmp).for_each(|(o, &x)| *o |= x);
                }
                Some(Way::Ask) => {
                    if let Some((s, d)) = distinct(s, d) {
                        let f = net.private_request(s, d);
                        acc.iter_mut().zip(f.words()).for_each(|(o, x)| *o |= x);
                    }
                }
                _ => {}
            }
        }
    }
}

fn and(a: &mut [u64], b: &[u64]) {
    a.iter_mut().zip(b).for_each(|(x, &y)| *x &= y);
}
