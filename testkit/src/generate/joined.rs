//! Random managed services, peering and transit routers.

use super::Gen;
use bartizan_base::{FileId, Span};
use bartizan_model::*;
use std::collections::BTreeSet;

/// A router as the generator knows it.
pub(super) struct RouterG {
    pub(super) id: RouterId,
    pub(super) basic: bool,
    pub(super) tables: Vec<TrTableId>,
    pub(super) attachments: Vec<AttachmentId>,
}

impl Gen<'_> {
    /// Databases with allow lists.
    pub(super) fn services(&mut self) {
        if !self.f.services {
            return;
        }
        for v in 0..self.vpcs.len() {
            if !self.r.chance(30) {
                continue;
            }
            let s = self.r.below(self.vpcs[v].vswitches.len());
            let ip = self.host4(v, s);
            let vsw = self.vpcs[v].vswitches[s].id;
            let port = self.some(&[3306, 80, 22]).unwrap_or(3306);
            let d = self.b.data_service(&format!("db{v}"), vsw, &ip, port);
            for _ in 0..self.r.below(4) {
                match self.r.below(5) {
                    0 => {
                        let g = self.vpcs[v].groups.first().map(|g| g.0);
                        if let Some(g) = g {
                            self.b.admit(d, AllowPeer::Group(g));
                        }
                    }
                    1 => {
                        self.b.admit_net(d, "127.0.0.1/32");
                    }
                    _ => {
                        let c = self.cidr4();
                        self.b.admit_net(d, &c);
                    }
                }
            }
            if self.f.public && self.r.chance(30) {
                let ip = self.public_ip();
                let eni = self.b.typed()[d].interface;
                self.b.static_ip(eni, &ip);
            }
        }
    }

    /// What joins VPCs.
    pub(super) fn joined(&mut self) {
        if !self.f.joined || self.vpcs.len() < 2 {
            self.hybrid(&mut []);
            return;
        }
        if self.r.chance(45) {
            self.peerings();
        }
        if self.r.chance(75) {
            self.routers();
        } else {
            self.hybrid(&mut []);
        }
    }

    /// A destination of a route between VPCs.
    pub(super) fn far(&mut self) -> String {
        let v = self.r.below(self.vpcs.len());
        match self.r.below(8) {
            0 => "0.0.0.0/0".into(),
            1 | 2 => "10.0.0.0/8".into(),
            n if n == 3 || self.f.interleaved && n > 4 => {
                let s = self.r.below(self.vpcs[v].vswitches.len());
                self.vpcs[v].vswitches[s].cidr.clone()
            }
            4 => self.cidr4(),
            5 if self.f.ipv6 => format!("2001:db8:{}::/48", self.vpcs[v].v6),
            _ => self.vpcs[v].cidr.clone(),
        }
    }

    /// A route unless the table has one of this prefix.
    pub(super) fn once(&mut self, table: RouteTableId, cidr: &str, hop: NextHop) {
        if self.taken.insert((table, cidr.to_string())) {
            self.b.route(table, cidr, hop);
        }
    }

    pub(super) fn table_of(&mut self, v: usize) -> RouteTableId {
        if self.r.chance(40) {
            return self.b.system_table(self.vpcs[v].id);
        }
        let s = self.r.below(self.vpcs[v].vswitches.len());
        self.vpcs[v].vswitches[s].table
    }

    fn peerings(&mut self) {
        for n in 0..self.r.between(1, 2) {
            let a = self.r.below(self.vpcs.len());
            let b = self.r.below(self.vpcs.len());
            if a == b {
                continue;
            }
            let p = self.b.peering(&format!("p{n}"), self.vpcs[a].id, self.vpcs[b].id);
            for (from, to) in [(a, b), (b, a)] {
                for _ in 0..self.r.between(0, 2) {
                    let table = self.table_of(from);
                    let c = if self.r.chance(60) {
                        self.vpcs[to].cidr.clone()
                    } else {
                        self.far()
                    };
                    self.once(table, &c, NextHop::Peering(p));
                }
            }
        }
    }

    fn routers(&mut self) {
        let mut routers: Vec<RouterG> = Vec::new();
        for n in 0..self.r.between(1, 2) {
            let basic = self.r.chance(15);
            let id = self.b.router(&format!("tr{n}"), basic);
            let mut tables = vec![self.b.typed()[id].system_table];
            if !basic {
                for k in 0..self.r.below(3) {
                    tables.push(self.b.tr_table(&format!("trt{n}{k}"), id));
                }
            }
            routers.push(RouterG {
                id,
                basic,
                tables,
                attachments: Vec::new(),
            });
        }
        for v in 0..self.vpcs.len() {
            if self.r.chance(88) {
                let n = self.r.below(routers.len());
                self.attach_to(v, n, &mut routers);
            }
        }
        if let [a, b] = routers.as_mut_slice()
            && !a.basic
            && !b.basic
            && self.r.chance(80)
        {
            let publishes = self.r.chance(80);
            let p = self.b.attach_router("peer", a.id, b.id, publishes);
            for r in [a, b] {
                r.attachments.push(p);
                self.links(p, &r.tables);
            }
        }
        self.hybrid(&mut routers);
        for r in &routers {
            self.statics(r);
        }
        if self.r.chance(20) {
            self.maps(&routers);
        }
        for t in 0..self.b.typed().route_tables.len() {
            if self.r.chance(12) {
                let id = RouteTableId(u32::try_from(t).unwrap_or(u32::MAX));
                self.b.takes_propagated(id, false);
            }
        }
    }

    pub(super) fn links(&mut self, a: AttachmentId, tables: &[TrTableId]) {
        if self.r.chance(90)
            && let Some(t) = self.some(tables)
        {
            self.b.associate(a, t);
        }
        for t in tables {
            if self.r.chance(65) {
                self.b.propagate(a, *t);
            }
        }
    }

    fn attach_to(&mut self, v: usize, n: usize, routers: &mut [RouterG]) {
        let (vpc, router, basic) = (self.vpcs[v].id, routers[n].id, routers[n].basic);
        let mut zones: BTreeSet<VswitchId> = BTreeSet::new();
        if !basic {
            for _ in 0..self.r.between(1, 2) {
                let s = self.r.below(self.vpcs[v].vswitches.len());
                zones.insert(self.vpcs[v].vswitches[s].id);
            }
        }
        let zones: Vec<VswitchId> = zones.into_iter().collect();
        let publishes = basic || self.r.chance(60);
        let a = self
            .b
            .attach_vpc(&format!("a{v}"), router, vpc, &zones, publishes);
        let six = self.r.chance(60);
        self.b.carries_ipv6(a, six);
        routers[n].attachments.push(a);
        if !basic {
            let tables = routers[n].tables.clone();
            self.links(a, &tables);
        }
        for _ in 0..self.r.below(3) {
            let table = self.table_of(v);
            let c = self.far();
            self.once(table, &c, NextHop::Attachment(a));
        }
        if self.r.chance(20) {
            self.publish(v);
        }
        if self.r.chance(3) {
            self.b.detach(a);
        }
    }

    /// Publishes a custom route of the system table.
    fn publish(&mut self, v: usize) {
        let system = self.b.system_table(self.vpcs[v].id);
        let mine: Vec<String> = self
            .b
            .typed()
            .route_entries
            .iter()
            .filter(|e| e.table.known() == Some(&system))
            .filter_map(|e| match &e.destination {
                NetSpec::Net(Fact::Known(n)) => Some(n.to_string()),
                _ => None,
            })
            .collect();
        if let Some(c) = self.some(&mine) {
            self.b.publish_route(system, &c);
        }
    }

    /// One table leads what is for a vSwitch through another VPC, from where a second table leads it on.
    fn through(&mut self, r: &RouterG, used: &mut BTreeSet<(TrTableId, String)>) {
        let of = |a: &AttachmentId| match self.b.typed()[*a].to {
            Attached::Vpc(Fact::Known(v)) => self.vpcs.iter().position(|x| x.id == v).map(|n| (*a, n)),
            _ => None,
        };
        let all: Vec<(AttachmentId, usize)> = r.attachments.iter().filter_map(of).collect();
        let ([before, .., behind], true) = (r.tables.as_slice(), all.len() > 2) else {
            return;
        };
        let n = self.r.below(all.len());
        let ((by, through), (to, there)) = (all[n], all[(n + 1) % all.len()]);
        let s = self.r.below(self.vpcs[there].vswitches.len());
        let c = self.vpcs[there].vswitches[s].cidr.clone();
        for (table, next) in [(*before, by), (*behind, to)] {
            self.b.tr_route(table, &c, Some(next));
            used.insert((table, c.clone()));
        }
        let own = self.b.system_table(self.vpcs[through].id);
        self.once(own, &c, NextHop::Attachment(by));
    }

    fn statics(&mut self, r: &RouterG) {
        let mut used: BTreeSet<(TrTableId, String)> = BTreeSet::new();
        if self.f.interleaved {
            self.through(r, &mut used);
        }
        for _ in 0..self.r.below(4) {
            let Some(table) = self.some(&r.tables) else { return };
            let c = self.far();
            let to = if self.r.chance(20) {
                None
            } else {
                self.some(&r.attachments)
            };
            if used.insert((table, c.clone())) {
                self.b.tr_route(table, &c, to);
            }
        }
    }

    fn maps(&mut self, routers: &[RouterG]) {
        for n in 0..self.r.between(1, 3) {
            let r = self.r.below(routers.len());
            let Some(table) = self.some(&routers[r].tables) else {
                return;
            };
            let prefixes = self.r.chance(70).then(|| vec![Fact::Known(self.far_net())]);
            let v = self.r.below(self.vpcs.len());
            let vpc = self.vpcs[v].id;
            let reverse = self.r.chance(30);
            let sources = self.r.chance(30).then(|| (vec![vpc.into()], reverse));
            let destinations = self.r.chance(25).then(|| (vec![vpc.into()], reverse));
            let complete = self.r.chance(50);
            self.b.route_map(RouteMap {
                origin: Origin {
                    address: format!("alicloud_cen_route_map.m{n}").into(),
                    span: Span::file(FileId(0)),
                    maybe: None,
                },
                cen: Fact::Known("cen".into()),
                region: Fact::Known("cn-hangzhou".into()),
                table: self.r.chance(80).then_some(Fact::Known(table)),
                receives: self.r.chance(60).into(),
                priority: Fact::Known(10 * (u8::try_from(n).unwrap_or(0) + 1)),
                permit: self.r.chance(40).into(),
                next_priority: self.r.chance(40).then_some(Fact::Known(30)),
                prefixes,
                match_mode: Fact::Known(if complete {
                    CidrMatch::Complete
                } else {
                    CidrMatch::Include
                }),
                sources,
                destinations,
                unmodelled: Vec::new(),
            });
        }
    }

    fn far_net(&mut self) -> ipnet::IpNet {
        let c = self.far();
        crate::text::must(c.parse::<ipnet::IpNet>()).trunc()
    }
}
