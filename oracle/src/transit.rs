//! From one VPC into another (ALIBABA.md §10; the numbers are those of docs/decisions/010).

use crate::firewall::Crossing;
use crate::forward::{Spot, Trail, Walk};
use crate::rib::From;
use crate::world::World;
use bartizan_model::Assumption;
use std::net::IpAddr;

impl World {
    /// 2: the routes of a table that are in use for an address, by the attachment they lead to, with their length.
    fn in_use(&self, table: usize, dst: IpAddr) -> Vec<(Option<usize>, u8)> {
        let matching = self.tr_tables[table]
            .routes
            .iter()
            .filter(|r| r.net.contains(&dst));
        // 018, 14.
        let any = self.second(Assumption::Tr1);
        let rank = |r: &&crate::rib::TrRouteW| (r.net.prefix_len(), !any && r.from == From::Static);
        let Some(best) = matching.clone().map(|r| rank(&r)).max() else {
            return Vec::new();
        };
        matching
            .filter(|r| rank(r) == best)
            .map(|r| (r.to, r.net.prefix_len()))
            .collect()
    }
}

impl Walk<'_> {
    /// 1: the packet is handed to a transit router by an attachment of the VPC.
    pub(crate) fn enter_router(&mut self, t: Trail, at: Spot, a: usize) {
        let w = self.w;
        let x = &w.attachments[a];
        if x.vpc.as_ref().map(|v| v.0) != Some(self.vpc_of(at)) {
            return self.dropped(t, || format!("`{}` is an attachment of another VPC", x.name));
        }
        if self.p.dst.ip.is_ipv6() && !x.ipv6 {
            return self.dropped(t, || format!("`{}` does not carry IPv6", x.name));
        }
        if let Some(why) = w.acl_crossing_drop(self.filtered_from(at), None, &self.p) {
            return self.dropped(t, || why);
        }
        if x.tables.is_empty() {
            return self.dropped(t, || format!("no table is associated with `{}`", x.name));
        }
        for &(_, table) in &x.tables {
            self.in_table(t.clone(), a, table);
        }
    }

    /// 2, 5: a table decides.
    pub(crate) fn in_table(&mut self, mut t: Trail, from: usize, table: usize) {
        let w = self.w;
        let name = &w.tr_tables[table].name;
        if t.tr_tables.contains(&table) {
            return self.dropped(t, || format!("the packet has been in `{name}` already"));
        }
        t.tr_tables.push(table);
        let routes = w.in_use(table, self.p.dst.ip);
        if routes.is_empty() {
            return self.dropped(t, || format!("no route in `{name}`"));
        }
        for (to, length) in routes {
            match to {
                None => self.dropped(t.clone(), || format!("a blackhole of `{name}`")),
                Some(a) if a == from => {
                    self.dropped(t.clone(), || format!("back to where it came from by `{name}`"))
                }
                Some(a) if self.judged(Crossing::Router(w.tr_tables[table].router, [from, a], length)) => {
                    self.dropped(t.clone(), || "a firewall between VPCs drops it".into())
                }
                Some(a) => self.out_of_router(t.clone(), a, table),
            }
        }
    }

    /// 3: an attachment hands over.
    fn out_of_router(&mut self, mut t: Trail, a: usize, table: usize) {
        let w = self.w;
        let x = &w.attachments[a];
        if self.p.dst.ip.is_ipv6() && !x.ipv6 {
            return self.dropped(t, || format!("`{}` does not carry IPv6", x.name));
        }
        self.say(&mut t, || format!("out of the router by `{}`", x.name));
        if let Some(b) = x.beyond {
            return self.out_to(t, a, b);
        }
        match &x.vpc {
            Some((vpc, zones)) if zones.is_empty() => {
                self.routed(t, Spot::Handed(*vpc, None), w.vpcs[*vpc].system_table);
            }
            Some((vpc, zones)) => {
                for &z in zones {
                    self.routed(t.clone(), Spot::Handed(*vpc, Some(z)), w.vswitches[z].table);
                }
            }
            None => {
                let here = w.tr_tables[table].router;
                for &(r, other) in &x.tables {
                    if r != here {
                        self.in_table(t.clone(), a, other);
                    }
                }
            }
        }
    }

    /// What a route table of a VPC does with a packet that was handed over there.
    pub(crate) fn routed(&mut self, t: Trail, at: Spot, table: usize) {
        let dst = self.p.dst.ip;
        let Some(s) = self.w.lookup(table, dst) else {
            return self.dropped(t, || format!("no route to {dst}"));
        };
        for hop in s.hops {
            self.by_route(t.clone(), at, table, s.length, hop);
        }
    }
}
