//! Whole flows between two points: every way there, and whether replies get back.

use crate::network::{Hop, Match, Network, RuleList, Vsw};
use crate::point::{Entry, Exit, Inside, Point, ReplyPort};
use crate::transit::Far;
use bartizan_model::{InterfaceId, VpcId};
use bartizan_packet::{AtomSet, IpSet};
use std::net::IpAddr;

/// What travels between two points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Services whose request is delivered.
    pub delivered: AtomSet,
    /// Services whose request is delivered and all of whose replies get back.
    pub works: AtomSet,
}

/// How two points can talk.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// Inside one VPC.
    Private,
    /// Out to the Internet.
    Out(Exit),
    /// In from the Internet.
    In(Entry),
    /// Out to the Internet and in again: exit, public address used, entry, source address seen.
    Hairpin(Exit, IpAddr, Entry, IpAddr),
}

/// Representatives of a set of addresses for the pieces on which a property is constant.
///
/// `cuts` are the boundaries; the representatives are the first addresses of the elementary pieces.
pub(crate) fn representatives(set: &IpSet, cuts: &Cuts) -> Vec<IpAddr> {
    let mut out = Vec::new();
    for &(lo, hi) in set.v4.ranges() {
        out.push(IpAddr::V4(lo.into()));
        let a = cuts.v4.partition_point(|&c| c <= lo);
        let b = cuts.v4.partition_point(|&c| c <= hi);
        out.extend(cuts.v4[a..b].iter().map(|&c| IpAddr::V4(c.into())));
    }
    for &(lo, hi) in set.v6.ranges() {
        out.push(IpAddr::V6(lo.into()));
        let a = cuts.v6.partition_point(|&c| c <= lo);
        let b = cuts.v6.partition_point(|&c| c <= hi);
        out.extend(cuts.v6[a..b].iter().map(|&c| IpAddr::V6(c.into())));
    }
    out
}

/// First addresses of elementary pieces, sorted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cuts {
    pub(crate) v4: Vec<u32>,
    pub(crate) v6: Vec<u128>,
}

impl Cuts {
    pub(crate) fn add(&mut self, s: &IpSet) {
        for &(l, h) in s.v4.ranges() {
            self.v4.push(l);
            self.v4.extend(h.checked_add(1));
        }
        for &(l, h) in s.v6.ranges() {
            self.v6.push(l);
            self.v6.extend(h.checked_add(1));
        }
    }
    fn add_lists(&mut self, a: &RuleList, b: &RuleList) {
        for r in a.rules.iter().chain(&b.rules) {
            if let Match::Ips(s) = &r.peer {
                self.add(s);
            }
        }
    }
    pub(crate) fn finish(&mut self) {
        self.v4.sort_unstable();
        self.v4.dedup();
        self.v6.sort_unstable();
        self.v6.dedup();
    }
    /// Splits a set at the cuts.
    pub(crate) fn split(&self, set: &IpSet) -> Vec<IpSet> {
        use bartizan_packet::IntervalSet as I;
        let mut out = Vec::new();
        for &(lo, hi) in set.v4.ranges() {
            let mut from = lo;
            let a = self.v4.partition_point(|&c| c <= lo);
            let b = self.v4.partition_point(|&c| c <= hi);
            for &c in &self.v4[a..b] {
                out.push(IpSet {
                    v4: I::range(from, c - 1),
                    v6: I::empty(),
                });
                from = c;
            }
            out.push(IpSet {
                v4: I::range(from, hi),
                v6: I::empty(),
            });
        }
        for &(lo, hi) in set.v6.ranges() {
            let mut from = lo;
            let a = self.v6.partition_point(|&c| c <= lo);
            let b = self.v6.partition_point(|&c| c <= hi);
            for &c in &self.v6[a..b] {
                out.push(IpSet {
                    v4: I::empty(),
                    v6: I::range(from, c - 1),
                });
                from = c;
            }
            out.push(IpSet {
                v4: I::empty(),
                v6: I::range(from, hi),
            });
        }
        out
    }
    /// Position of an address among the pieces: equal for two addresses exactly when no cut is between them.
    pub(crate) fn piece(&self, ip: IpAddr) -> u32 {
        let n = match ip {
            IpAddr::V4(a) => self.v4.partition_point(|&c| c <= u32::from(a)),
            IpAddr::V6(a) => self.v4.len() + 1 + self.v6.partition_point(|&c| c <= u128::from(a)),
        };
        u32::try_from(n).unwrap_or(u32::MAX)
    }
}

impl Network {
    /// The cuts that the filters and routes around some interfaces make in the address space: their own, and
    /// those of every appliance and every other VPC that their routes may lead through.
    pub(crate) fn cuts_around(&self, ifaces: &[InterfaceId]) -> Cuts {
        let mut c = Cuts::default();
        let mut near: Vec<InterfaceId> = ifaces.to_vec();
        let mut tables: Vec<u32> = Vec::new();
        let mut vpcs: Vec<VpcId> = Vec::new();
        let mut next = 0;
        let mut asked = 0;
        loop {
            if let Some(&i) = near.get(next) {
                next += 1;
                self.cuts_at(i, &mut c, &mut tables);
            } else if let Some(&t) = tables.get(asked) {
                asked += 1;
                self.cuts_of_table(t, &mut c, &mut near, &mut tables, &mut vpcs);
            } else {
                break;
            }
        }
        c.finish();
        c
    }

    /// The filters of an interface and its vSwitch, and which tables forward for it.
    fn cuts_at(&self, i: InterfaceId, c: &mut Cuts, tables: &mut Vec<u32>) {
        let Some(f) = self.iface(i) else { return };
        if let Some(g) = self.group_sets.get(f.groups as usize) {
            c.add_lists(&g.ingress, &g.egress);
        }
        for n in f.addrs.iter().flat_map(|a| &a.dnat) {
            if let Some(n) = self.nats.get(n.nat.index()) {
                c.add(&n.exit);
            }
        }
        if let Some(v) = self.vsw(f.vswitch) {
            self.cuts_of_vswitch(v, c, tables);
        }
    }

    fn cuts_of_vswitch(&self, v: &Vsw, c: &mut Cuts, tables: &mut Vec<u32>) {
        if let Some(a) = v.acl.and_then(|a| self.acls.get(a as usize)) {
            c.add_lists(&a.ingress, &a.egress);
        }
        let gateway = self.vpcs.get(v.vpc.index()).and_then(|n| n.ingress_table);
        for t in v.tables.iter().copied().chain(gateway) {
            if !tables.contains(&t) {
                tables.push(t);
            }
        }
    }

    fn cuts_of_table(
        &self,
        t: u32,
        c: &mut Cuts,
        near: &mut Vec<InterfaceId>,
        tables: &mut Vec<u32>,
        vpcs: &mut Vec<VpcId>,
    ) {
        let Some(table) = self.tables.get(t as usize) else {
            return;
        };
        let mut meet = |f: InterfaceId| {
            if !near.contains(&f) {
                near.push(f);
            }
        };
        let mut elsewhere = false;
        for r in &table.routes {
            c.add(&r.ips);
            for h in &r.hops {
                match h {
                    Hop::Nat(n) => {
                        if let Some(n) = self.nats.get(n.index()) {
                            c.add(&n.exit);
                        }
                    }
                    Hop::Interface(f) => meet(*f),
                    Hop::HaVip(h) => {
                        let members = self.ha_vips.get(h.index()).map_or(&[][..], |v| v);
                        members.iter().for_each(|f| meet(*f));
                    }
                    Hop::Attachment(_) => elsewhere = true,
                    _ => {}
                }
            }
        }
        if elsewhere {
            self.transit.tables.iter().flatten().for_each(|w| c.add(&w.ips));
            for a in &self.transit.attachments {
                if let Far::Vpc(v, zones) = &a.far
                    && !vpcs.contains(v)
                {
                    vpcs.push(*v);
                    let system = self.vpcs.get(v.index()).map(|n| n.system_table);
                    for t in system.into_iter().filter(|_| zones.is_empty()) {
                        if !tables.contains(&t) {
                            tables.push(t);
                        }
                    }
                    for z in zones.iter().filter_map(|z| self.vsw(*z)) {
                        self.cuts_of_vswitch(z, c, tables);
                    }
                }
            }
        }
    }

    /// The public addresses through which `d` is entered: the set each entry listens on.
    pub(crate) fn public_of(&self, d: Inside, e: Entry) -> std::sync::Arc<IpSet> {
        match (self.addr_of(d), e) {
            (Some((_, a)), Entry::Own(i)) => a.own[i].ips.clone(),
            (Some((_, a)), Entry::Dnat(i)) => a.dnat[i].ips.clone(),
            _ => std::sync::Arc::new(IpSet::single(d.ip)),
        }
    }

    /// Requests that leave `s` for the Internet and come in again at `d` (and those whose replies do too).
    pub(crate) fn hairpin(
        &self,
        s: Inside,
        d: Inside,
        ask: ReplyPort,
        mut ways: Option<&mut Vec<(Way, Flow)>>,
    ) -> Flow {
        let none = || Flow {
            delivered: self.common.none.clone(),
            works: self.common.none.clone(),
        };
        let (Some((si, _)), Some((di, da))) = (self.addr_of(s), self.addr_of(d)) else {
            return none();
        };
        if s.iface == d.iface || s.ip.is_ipv4() != d.ip.is_ipv4() {
            return none();
        }
        let doors = self.doors(d);
        // Inside one VPC the local route of an IPv6 address is always longer.
        if doors.is_empty() || d.ip.is_ipv6() && self.vpc_of(si) == self.vpc_of(di) {
            return none();
        }
        let cuts = self.cuts_around(&[s.iface, d.iface]);
        let mut total = none();
        for k in doors {
            let public = self.public_of(d, k);
            let mut per_public: Vec<Flow> = Vec::new();
            for p in representatives(&public, &cuts) {
                let mut alternatives: Vec<Flow> = Vec::new();
                for e in &self.exits(s, p) {
                    let translate = |a: &AtomSet| match k {
                        Entry::Dnat(i) => self
                            .atoms
                            .touching(&da.dnat[i].translate(&self.atoms.services(a))),
                        _ => a.clone(),
                    };
                    let sent = translate(&e.atoms);
                    let sent_back = translate(&self.exit_replies(s, p, e, ask));
                    for x in representatives(&e.src, &cuts) {
                        let (delivered, works) = self.arrive_flow(d, x, k, ask);
                        let f = Flow {
                            delivered: delivered.intersect(&sent),
                            works: works.intersect(&sent_back),
                        };
                        if let Some(w) = ways.as_deref_mut()
                            && !f.delivered.is_empty()
                        {
                            w.push((Way::Hairpin(e.clone(), p, k, x), f.clone()));
                        }
                        alternatives.push(f);
                    }
                }
                per_public.push(Flow {
                    delivered: self.fold(alternatives.iter().map(|f| f.delivered.clone())),
                    works: self.fold(alternatives.into_iter().map(|f| f.works)),
                });
            }
            // Different entries are different doors: any of them counts, in both modes.
            total
                .delivered
                .union_with(&self.fold(per_public.iter().map(|f| f.delivered.clone())));
            total
                .works
                .union_with(&self.fold(per_public.into_iter().map(|f| f.works)));
        }
        total
    }

    /// Everything that travels from `s` to `d`, by any way.
    #[must_use]
    pub fn flow(&self, s: Point, d: Point) -> Flow {
        self.flow_ways(s, d, ReplyPort::Ephemeral, None)
    }

    /// As [`Network::flow`] for a client that sends from one port.
    #[must_use]
    pub fn flow_from_port(&self, s: Point, d: Point, sport: u16) -> Flow {
        self.flow_ways(s, d, ReplyPort::Port(sport), None)
    }

    pub(crate) fn flow_ways(
        &self,
        s: Point,
        d: Point,
        ask: ReplyPort,
        mut ways: Option<&mut Vec<(Way, Flow)>>,
    ) -> Flow {
        let none = self.common.none.clone();
        match (s, d) {
            (Point::Inside(s), Point::Inside(d)) => {
                let (delivered, works) = self.private_flow(s, d, ask);
                if let Some(w) = ways.as_deref_mut()
                    && !delivered.is_empty()
                {
                    w.push((
                        Way::Private,
                        Flow {
                            delivered: delivered.clone(),
                            works: works.clone(),
                        },
                    ));
                }
                let h = self.hairpin(s, d, ask, ways);
                Flow {
                    delivered: delivered.union(&h.delivered),
                    works: works.union(&h.works),
                }
            }
            (Point::Inside(s), Point::Outside(p)) => {
                let flows: Vec<(Exit, Flow)> = self
                    .exits(s, p)
                    .into_iter()
                    .map(|e| {
                        let works = self.exit_replies(s, p, &e, ask);
                        let f = Flow {
                            delivered: e.atoms.clone(),
                            works,
                        };
                        (e, f)
                    })
                    .collect();
                let delivered = self.fold(flows.iter().map(|(_, f)| f.delivered.clone()));
                let works = self.fold(flows.iter().map(|(_, f)| f.works.clone()));
                if let Some(w) = ways {
                    w.extend(flows.into_iter().map(|(e, f)| (Way::Out(e), f)));
                }
                Flow { delivered, works }
            }
            (Point::Outside(x), Point::Inside(d)) => {
                let mut total = Flow {
                    delivered: none.clone(),
                    works: none,
                };
                for e in self.doors(d) {
                    let (delivered, works) = self.arrive_flow(d, x, e, ask);
                    total.delivered.union_with(&delivered);
                    total.works.union_with(&works);
                    if let Some(w) = ways.as_deref_mut() {
                        w.push((Way::In(e), Flow { delivered, works }));
                    }
                }
                total
            }
            (Point::Outside(_), Point::Outside(_)) => Flow {
                delivered: none.clone(),
                works: none,
            },
        }
    }
}
