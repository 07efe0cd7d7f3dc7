//! Random networks in which most packets arrive: few hosts, open groups, and routes that lead through what stands
//! between VPCs. In the others most questions are settled by a group before anything else is asked.

use super::Features;
use crate::builder::{GroupKind, InventoryBuilder, Policy};
use crate::rng::Rng;
use crate::text::rule;
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};
use std::collections::BTreeSet;

struct Place {
    vpc: VpcId,
    block: String,
    octet: usize,
    /// The table of the hosts, and that of the vSwitch where gateways are.
    tables: [RouteTableId; 2],
    edge: VswitchId,
    hosts: Vec<InterfaceId>,
}

struct Open<'r> {
    r: &'r mut Rng,
    b: InventoryBuilder,
    places: Vec<Place>,
    taken: BTreeSet<(RouteTableId, String)>,
}

fn net(text: &str) -> ipnet::IpNet {
    crate::text::must(text.parse())
}

/// By the attachments of some VPCs from each to each.
fn pairs(all: &[AttachmentId]) -> Vec<(usize, usize, NextHop)> {
    let of = |(i, a): (usize, &AttachmentId)| {
        let a = *a;
        let others = (0..all.len()).filter(move |j| *j != i);
        others.map(move |j| (i, j, NextHop::Attachment(a)))
    };
    all.iter().enumerate().flat_map(of).collect()
}

/// A random small network of this kind. The same generator state gives the same network.
#[must_use]
pub fn open_inventory(r: &mut Rng, f: Features) -> Inventory {
    let mut o = Open {
        r,
        b: InventoryBuilder::new(),
        places: Vec::new(),
        taken: BTreeSet::new(),
    };
    let n = o.r.between(2, 3);
    for i in 0..n {
        o.place(i);
    }
    let by = o.join(f);
    for i in 0..n {
        match o.r.below(3) {
            0 if f.inner => o.nat(i, &by),
            1 if f.inspectors => o.inspector(i, &by),
            _ => {}
        }
    }
    for (a, b, hop) in &by {
        let far = o.places[*b].block.clone();
        for t in o.places[*a].tables {
            if o.r.chance(90) {
                o.once(t, &far, hop.clone());
            }
        }
    }
    if f.vpc_firewalls {
        o.firewalls();
    }
    o.b.build()
}

impl Open<'_> {
    fn once(&mut self, t: RouteTableId, destination: &str, hop: NextHop) {
        if self.taken.insert((t, destination.to_string())) {
            self.b.route(t, destination, hop);
        }
    }

    fn place(&mut self, i: usize) {
        let octet = if i > 0 && self.r.chance(20) { 0 } else { i };
        let block = format!("10.{octet}.0.0/16");
        let vpc = self.b.vpc(&format!("vpc{i}"), &block);
        let hosts = self
            .b
            .vswitch(&format!("hosts{i}"), vpc, &format!("10.{octet}.0.0/27"));
        let edge = self
            .b
            .vswitch(&format!("edge{i}"), vpc, &format!("10.{octet}.9.0/27"));
        let table = self.b.table(&format!("edge{i}"), vpc, RouteTableKind::Custom);
        self.b.attach(edge, table);
        let group = self.b.sg(&format!("g{i}"), vpc, GroupKind::BasicDrop);
        self.b
            .rule(group, rule("in accept all -1/-1 from 0.0.0.0/0 prio 2"));
        if self.r.chance(30) {
            let from = self.r.below(3);
            let line = format!("in drop tcp 22/22 from 10.{from}.0.0/24 prio 1");
            self.b.rule(group, rule(&line));
        }
        let mut all = Vec::new();
        // Twins of one address are normal life, but they would stand in the way of most questions here.
        for k in 0..self.r.between(1, 2) {
            let vsw = if k > 0 && self.r.chance(30) { edge } else { hosts };
            let third = if vsw == edge { 9 } else { 0 };
            let host = 1 + 3 * i + k;
            let at = format!("10.{octet}.{third}.{host}");
            all.push(self.b.eni(&format!("h{i}{k}"), vsw, &[group], &at));
        }
        self.places.push(Place {
            vpc,
            block,
            octet,
            tables: [self.b.system_table(vpc), table],
            edge,
            hosts: all,
        });
    }

    /// What joins the VPCs: from one to another, and by which next hop.
    fn join(&mut self, f: Features) -> Vec<(usize, usize, NextHop)> {
        let mut by = Vec::new();
        let n = self.places.len();
        let kind = self.r.below(if f.hybrid { 4 } else { 2 });
        if kind == 0 {
            let basic = self.r.chance(30);
            let router = self.b.router("tr", basic);
            let table = self.b.typed()[router].system_table;
            let mut all = Vec::new();
            for i in 0..n {
                let zones = if basic { vec![] } else { vec![self.places[i].edge] };
                let yes = self.r.chance(50);
                let a = self
                    .b
                    .attach_vpc(&format!("a{i}"), router, self.places[i].vpc, &zones, yes);
                if !basic {
                    self.b.associate(a, table);
                    self.b.propagate(a, table);
                }
                all.push(a);
            }
            return pairs(&all);
        }
        if kind == 3 {
            return self.express();
        }
        for (i, j) in (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j))) {
            let [a, b] = [i, j].map(|x| self.places[x].vpc);
            if kind == 1 {
                let p = self.b.peering(&format!("p{i}{j}"), a, b);
                by.push((i, j, NextHop::Peering(p)));
                by.push((j, i, NextHop::Peering(p)));
            } else {
                let ends = [a, b].map(|v| RouterEnd::Vpc(v.into()));
                let [a, b] = ends;
                let (x, y) = self.b.router_interfaces(&format!("ri{i}{j}"), a, b);
                by.push((i, j, NextHop::RouterInterface(x)));
                by.push((j, i, NextHop::RouterInterface(y)));
            }
        }
        by
    }

    /// An Express Connect router with one or two sites, and a transit router now and then.
    fn express(&mut self) -> Vec<(usize, usize, NextHop)> {
        let ecr = self.b.ecr("ecr");
        for (n, nets) in [&["172.16.0.0/24"][..], &["172.16.1.0/24", "172.17.0.0/24"]]
            .iter()
            .enumerate()
        {
            let site = self.b.site(&format!("site{n}"), nets);
            let said = if self.r.chance(75) { nets } else { &nets[..1] };
            let border = self.b.border_router(&format!("vbr{n}"), site, said);
            if self.r.chance(85) {
                self.b.ecr_border(&format!("eb{n}"), ecr, border);
            }
        }
        let transit = self.r.chance(50).then(|| self.b.router("tr", false));
        let mut own = Vec::new();
        for i in 0..self.places.len() {
            let vpc = self.places[i].vpc;
            match transit.filter(|_| self.r.chance(50)) {
                Some(tr) => {
                    let table = self.b.typed()[tr].system_table;
                    let a = self.b.attach_vpc(&format!("a{i}"), tr, vpc, &[], true);
                    self.b.associate(a, table);
                    self.b.propagate(a, table);
                    own.push(a);
                }
                None => own.push(self.b.ecr_vpc(&format!("ev{i}"), ecr, vpc)),
            }
            if self.r.chance(20) {
                let table = self.places[i].tables[0];
                self.b.takes_propagated(table, false);
                self.once(table, "172.16.0.0/12", NextHop::Attachment(own[i]));
            }
        }
        if let Some(tr) = transit {
            let table = self.b.typed()[tr].system_table;
            let a = self.b.ecr_transit("et", ecr, tr);
            self.b.associate(a, table);
            if self.r.chance(85) {
                self.b.propagate(a, table);
            }
        }
        pairs(&own)
    }

    /// A VPC NAT gateway before what leads to the others.
    fn nat(&mut self, i: usize, by: &[(usize, usize, NextHop)]) {
        let p = &self.places[i];
        let (vpc, edge, octet, tables) = (p.vpc, p.edge, p.octet, p.tables);
        let hosts = p.hosts.clone();
        let nat = self.b.vpc_nat(&format!("nat{i}"), vpc, edge);
        let ips = [20, 21].map(|k| format!("10.{octet}.9.{k}"));
        for source in [
            format!("10.{octet}.0.0/27"),
            "0.0.0.0/0".into(),
            "172.16.0.0/12".into(),
        ] {
            if self.r.chance(60) {
                let ips: Vec<&str> = ips
                    .iter()
                    .map(String::as_str)
                    .take(self.r.between(1, 2))
                    .collect();
                self.b
                    .snat_to(nat, SnatSource::Net(Fact::Known(net(&source))), &ips);
            }
        }
        if let Some(host) = self.r.pick(&hosts).copied() {
            let map = PortMapping {
                external: (2200, 2200),
                internal: (22, 22),
            };
            let (protocol, ports) = match self.r.chance(50) {
                true => (DnatProtocol::Any, None),
                false => (DnatProtocol::Tcp, Some(map)),
            };
            self.b.dnat_at(nat, &ips[1], protocol, ports, (host, 0));
        }
        for (_, j, hop) in by.iter().filter(|(a, _, _)| *a == i) {
            let far = self.places[*j].block.clone();
            if self.r.chance(70) {
                self.once(tables[0], &far, NextHop::Nat(nat));
                self.once(tables[1], &far, hop.clone());
            }
        }
        // The NAT IPs of others are found by what leads there.
        if self.r.chance(40) {
            self.once(tables[0], "172.16.0.0/12", NextHop::Nat(nat));
        }
    }

    /// An endpoint of a gateway load balancer before what leads to the others, or to the Internet.
    fn inspector(&mut self, i: usize, by: &[(usize, usize, NextHop)]) {
        let p = &self.places[i];
        let (vpc, edge, octet, tables) = (p.vpc, p.edge, p.octet, p.tables);
        let hosts = p.hosts.clone();
        let x = self.b.inspector(&format!("gwlbe{i}"), edge);
        for (_, j, hop) in by.iter().filter(|(a, _, _)| *a == i) {
            let far = self.places[*j].block.clone();
            if self.r.chance(70) {
                self.once(tables[0], &far, NextHop::Interface(x));
                self.once(tables[1], &far, hop.clone());
            }
        }
        if self.r.chance(60) {
            let g = self.b.ipv4_gateway(&format!("gw{i}"), vpc, true);
            self.b.eip(hosts[0], 0, &format!("47.0.0.{}", i + 2));
            self.once(tables[0], "0.0.0.0/0", NextHop::Interface(x));
            if self.r.chance(80) {
                self.once(tables[1], "0.0.0.0/0", NextHop::Ipv4Gateway(g));
            }
            if self.r.chance(60) {
                let table = self.b.table(&format!("in{i}"), vpc, RouteTableKind::Gateway);
                self.b.ingress_table(g, table);
                self.once(table, &format!("10.{octet}.0.0/27"), NextHop::Interface(x));
            }
        }
    }

    /// Firewalls at what joins the VPCs.
    fn firewalls(&mut self) {
        let t = self.b.typed();
        let mut at: Vec<Boundary> = Vec::new();
        for e in &t.route_entries {
            for hop in &e.next_hops {
                if let (NextHop::Peering(_) | NextHop::RouterInterface(_), NetSpec::Net(n)) =
                    (hop, &e.destination)
                {
                    at.push(Boundary::Route {
                        table: e.table.clone(),
                        destination: n.clone(),
                        hop: Fact::Known(hop.clone()),
                    });
                }
            }
        }
        for (r, x) in (0u32..).map(RouterId).zip(&t.transit_routers) {
            // None stands at an Express Connect router, which is in no CEN instance but its own.
            if x.cen.as_ref() != Some(&x.meta.origin.address) {
                at.push(Boundary::Router(r.into()));
                for p in &self.places {
                    at.push(Boundary::Vpc {
                        vpc: p.vpc.into(),
                        cen: x
                            .cen
                            .clone()
                            .map_or_else(|| Fact::Known("cen".into()), Fact::Known),
                    });
                }
            }
        }
        for n in 0..self.r.below(3) {
            let some: Vec<Boundary> = at.iter().filter(|_| self.r.chance(40)).cloned().collect();
            let f = self.b.firewall(&format!("f{n}"), FirewallPlace::Vpc(some), false);
            for order in 1..=self.r.between(1, 3) {
                let sides = ["0.0.0.0/0", "10.0.0.0/16", "10.1.0.0/16", "10.0.9.20/31"];
                let mut side = || [*self.r.pick(&sides).unwrap_or(&sides[0])];
                let (source, destination) = (side(), side());
                let p = Policy {
                    inbound: false,
                    order: u32::try_from(order).unwrap_or(0),
                    pass: self.r.chance(40),
                    deep: false,
                    source: &source,
                    destination: &destination,
                };
                let services = match self.r.below(3) {
                    0 => ServiceSet::any(),
                    1 => ServiceSet::tcp(PortSet::single(22)),
                    _ => ServiceSet::tcp(PortSet::full()),
                };
                self.b.policy(f, p, services);
            }
        }
    }
}
