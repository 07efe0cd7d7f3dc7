//! Random routes, gateways, NAT and public addresses.

use super::{CLIENTS4, Gen};
use bartizan_model::*;
use ipnet::IpNet;

impl Gen<'_> {
    pub(super) fn edges(&mut self) {
        for v in 0..self.vpcs.len() {
            self.inspectors(v);
            self.gateways(v);
            if self.f.routes {
                self.tables(v);
            }
            if self.f.public {
                self.publics(v);
            }
            if self.f.nat && self.r.chance(50) {
                self.nat(v);
            }
            self.default_routes(v);
            if self.f.routes {
                self.routes(v);
            }
        }
    }

    /// Endpoints of gateway load balancers; what is behind some of them is nothing.
    fn inspectors(&mut self, v: usize) {
        if !self.f.inspectors || !self.f.routes || !self.r.chance(30) {
            return;
        }
        for n in 0..self.r.between(1, 2) {
            let s = self.r.below(self.vpcs[v].vswitches.len());
            let x = self
                .b
                .inspector(&format!("gwlbe{v}{n}"), self.vpcs[v].vswitches[s].id);
            self.vpcs[v].inspectors.push(x);
        }
    }

    fn gateways(&mut self, v: usize) {
        let id = self.vpcs[v].id;
        if self.f.gateways && self.r.chance(30) {
            let enabled = self.r.chance(75);
            let g = self.b.ipv4_gateway(&format!("gw{v}"), id, enabled);
            self.vpcs[v].gateway4 = Some((g, enabled));
            let inspected = !self.vpcs[v].inspectors.is_empty() && self.r.chance(50);
            if enabled && (inspected || self.f.appliances && self.r.chance(35)) {
                let table = self.b.table(&format!("gwt{v}"), id, RouteTableKind::Gateway);
                self.b.ingress_table(g, table);
                let cidrs: Vec<String> = self.vpcs[v].vswitches.iter().map(|s| s.cidr.clone()).collect();
                let mut enis = self.vpcs[v].interfaces.clone();
                if !self.f.appliances || inspected {
                    enis.clone_from(&self.vpcs[v].inspectors);
                }
                for c in cidrs {
                    if self.r.chance(60)
                        && let Some(eni) = self.some(&enis)
                    {
                        self.b.route(table, &c, NextHop::Interface(eni));
                    }
                }
            }
        }
        let six = self.vpcs[v].vswitches.iter().any(|s| s.v6.is_some());
        if six && self.r.chance(70) {
            self.vpcs[v].gateway6 = Some(self.b.ipv6_gateway(&format!("gw6{v}"), id));
        }
    }

    /// Custom tables; about half of the vSwitches stay on the system table.
    fn tables(&mut self, v: usize) {
        for s in 0..self.vpcs[v].vswitches.len() {
            if self.r.chance(40) {
                let table = self
                    .b
                    .table(&format!("t{v}{s}"), self.vpcs[v].id, RouteTableKind::Custom);
                let vsw = self.vpcs[v].vswitches[s].id;
                self.b.attach(vsw, table);
                self.vpcs[v].vswitches[s].table = table;
            }
        }
    }

    /// Ranges of the Internet that a VPC counts as private: only who has a public address sees the difference.
    pub(super) fn user_cidrs(&mut self) {
        if !self.f.public {
            return;
        }
        for v in 0..self.vpcs.len() {
            if self.r.chance(15) {
                let ours = ["47.0.0.0/24", "47.0.0.2/31", "47.0.0.4/30"];
                let all: Vec<&str> = CLIENTS4.iter().chain(&ours).copied().collect();
                for _ in 0..self.r.between(1, 2) {
                    let cidr = self.some(&all).unwrap_or(CLIENTS4[0]);
                    self.b.user_cidr(self.vpcs[v].id, cidr);
                }
            }
        }
    }

    fn publics(&mut self, v: usize) {
        let gateway = self.vpcs[v].gateway4.is_some_and(|g| g.1);
        for eni in self.vpcs[v].interfaces.clone() {
            let i = &self.b.typed()[eni];
            let primary = i.primary;
            let single = i.addresses.len() == 1;
            let secondary = i.addresses.iter().position(|a| a.kind == AddressKind::Secondary);
            let ha_vip = i.addresses.iter().any(|a| a.kind == AddressKind::HaVip);
            if self.f.binded && !primary && single && !gateway && !ha_vip && self.r.chance(40) {
                let ip = self.public_ip();
                self.b.eip_binded(eni, &ip);
            } else if self.r.chance(40) {
                let ip = self.public_ip();
                if primary && self.r.chance(25) {
                    self.b.static_ip(eni, &ip);
                } else {
                    self.b.eip(eni, 0, &ip);
                }
            }
            if let Some(at) = secondary.and_then(|a| u32::try_from(a).ok())
                && !primary
                && self.r.chance(40)
            {
                let ip = self.public_ip();
                self.b.eip(eni, at, &ip);
            }
        }
    }

    fn nat(&mut self, v: usize) {
        let s = self.r.below(self.vpcs[v].vswitches.len());
        let (vpc, vsw) = (self.vpcs[v].id, self.vpcs[v].vswitches[s].id);
        let nat = self.b.nat(&format!("nat{v}"), vpc, vsw);
        self.vpcs[v].nats.push(nat);
        let mut eips = Vec::new();
        for _ in 0..self.r.between(1, 2) {
            let ip = self.public_ip();
            eips.push(self.b.nat_eip(nat, &ip));
        }
        self.snat(v, nat, &eips);
        self.dnat(v, nat, &eips);
    }

    fn snat(&mut self, v: usize, nat: NatId, eips: &[EipId]) {
        let mut used: Vec<String> = Vec::new();
        for _ in 0..self.r.below(4) {
            let s = self.r.below(self.vpcs[v].vswitches.len());
            let sw = &self.vpcs[v].vswitches[s];
            let (source, key) = if self.r.chance(50) {
                (SnatSource::Vswitch(sw.id.into()), sw.cidr.clone())
            } else {
                let base = sw.base.clone();
                let vpc = self.vpcs[v].cidr.clone();
                let c = self
                    .some(&[
                        format!("{base}.0/29"),
                        format!("{base}.2/31"),
                        format!("{base}.1/32"),
                        vpc,
                    ])
                    .unwrap_or(base);
                let n: IpNet = crate::text::must(c.parse());
                (SnatSource::Net(n.into()), c)
            };
            // A vSwitch or block stands in one entry only.
            if used.contains(&key) {
                continue;
            }
            used.push(key);
            let some: Vec<EipId> = eips.iter().copied().filter(|_| self.r.chance(60)).collect();
            let some = if some.is_empty() { eips[..1].to_vec() } else { some };
            self.b.snat(nat, source, &some);
        }
    }

    fn dnat(&mut self, v: usize, nat: NatId, eips: &[EipId]) {
        const MAPS: [((u16, u16), (u16, u16)); 6] = [
            ((2200, 2200), (22, 22)),
            ((80, 80), (80, 80)),
            ((8000, 8002), (79, 81)),
            ((442, 444), (442, 444)),
            ((65533, 65535), (1022, 1024)),
            ((25, 25), (443, 443)),
        ];
        let mut used: Vec<(EipId, DnatProtocol, (u16, u16))> = Vec::new();
        for _ in 0..self.r.below(4) {
            let Some((eni, address)) = self.dnat_target(v) else {
                return;
            };
            if self.r.chance(15) {
                // An address that forwards everything can do nothing else (§8.3).
                let ip = self.public_ip();
                let own = self.b.nat_eip(nat, &ip);
                self.b.dnat(nat, own, DnatProtocol::Any, None, (eni, address));
                self.in_block(eni, own.0.is_multiple_of(2));
                continue;
            }
            let Some(&eip) = self.r.pick(eips) else { return };
            let protocol = if self.r.chance(70) {
                DnatProtocol::Tcp
            } else {
                DnatProtocol::Udp
            };
            let Some((external, internal)) = self.some(&MAPS) else {
                return;
            };
            let clash = |u: &(EipId, DnatProtocol, (u16, u16))| {
                u.0 == eip && u.1 == protocol && u.2.0 <= external.1 && external.0 <= u.2.1
            };
            if !used.iter().any(clash) {
                used.push((eip, protocol, external));
                self.b.dnat(
                    nat,
                    eip,
                    protocol,
                    Some(PortMapping { external, internal }),
                    (eni, address),
                );
                self.in_block(eni, external.0.is_multiple_of(2));
            }
        }
    }

    /// The last DNAT entry leads to one address of a block that the interface has, if it has one and this is wanted. Nothing
    /// is drawn for it, so that seeds mean what they meant.
    pub(super) fn in_block(&mut self, eni: InterfaceId, wanted: bool) {
        let host = |a: &Address| match a.spec {
            AddressSpec::Block(IpNet::V4(n)) => n.hosts().next(),
            _ => None,
        };
        let to = self.b.typed()[eni].addresses.iter().find_map(host);
        if let Some(to) = to.filter(|_| wanted) {
            self.b.dnat_to(&to.to_string());
        }
    }

    /// An IPv4 address that is no HaVip and no prefix.
    pub(super) fn dnat_target(&mut self, v: usize) -> Option<(InterfaceId, u32)> {
        let all: Vec<(InterfaceId, u32)> = self.vpcs[v]
            .interfaces
            .iter()
            .flat_map(|i| {
                let addresses = self.b.typed()[*i].addresses.iter().enumerate();
                addresses
                    .filter(|(_, a)| matches!(a.kind, AddressKind::Primary | AddressKind::Secondary))
                    .map(move |(n, _)| (*i, u32::try_from(n).unwrap_or(0)))
            })
            .collect();
        self.some(&all)
    }

    fn add_route(&mut self, table: RouteTableId, cidr: &str, hop: NextHop) {
        if self.taken.insert((table, cidr.to_string())) {
            self.b.route(table, cidr, hop);
        }
    }

    fn tables_of(&self, v: usize) -> Vec<RouteTableId> {
        let mut out: Vec<RouteTableId> = self.vpcs[v].vswitches.iter().map(|s| s.table).collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Default routes, most of them to something that works.
    fn default_routes(&mut self, v: usize) {
        for table in self.tables_of(v) {
            let mut hops = Vec::new();
            hops.extend(
                self.vpcs[v]
                    .nats
                    .iter()
                    .flat_map(|n| [NextHop::Nat(*n), NextHop::Nat(*n)]),
            );
            // A route to a gateway that is not activated waits for its activation (§7.2).
            hops.extend(self.vpcs[v].gateway4.iter().flat_map(|g| {
                let hop = NextHop::Ipv4Gateway(g.0);
                [hop.clone(), hop.clone(), hop]
            }));
            if self.f.appliances && self.r.chance(20) {
                hops.extend(self.appliances(v, table));
            }
            let inspectors = self.vpcs[v].inspectors.iter();
            hops.extend(inspectors.map(|i| NextHop::Interface(*i)));
            if self.r.chance(75)
                && let Some(hop) = self.some(&hops)
            {
                self.add_route(table, "0.0.0.0/0", hop);
            }
        }
    }

    /// Routes that are longer than the default, also into vSwitches.
    fn routes(&mut self, v: usize) {
        for table in self.tables_of(v) {
            for _ in 0..self.r.below(3) {
                let Some(hop) = self.long_hop(v, table) else {
                    return;
                };
                let six = matches!(hop, NextHop::Ipv6Gateway(_)) || (self.f.ipv6 && self.r.chance(15));
                let six =
                    six && !matches!(hop, NextHop::Nat(_) | NextHop::Ipv4Gateway(_) | NextHop::HaVip(_));
                let lists = if six { &self.lists6 } else { &self.lists4 };
                let lists: Vec<(PrefixListId, Vec<String>)> =
                    lists.iter().map(|l| (l.0, l.2.clone())).collect();
                if self.r.chance(12)
                    && let Some((list, entries)) = self.some(&lists)
                {
                    let free = entries.iter().all(|e| !self.taken.contains(&(table, e.clone())));
                    let default = entries.iter().any(|e| e.ends_with("/0"));
                    if free && !default && !entries.iter().any(|e| self.returns(v, e, &hop)) {
                        self.taken.extend(entries.into_iter().map(|e| (table, e)));
                        self.b.route_list(table, list, hop);
                    }
                    continue;
                }
                let cidr = match self.r.below(4) {
                    _ if six => self.cidr6(),
                    0 => self.some(&CLIENTS4).unwrap_or(CLIENTS4[0]).to_string(),
                    _ => self.cidr4(),
                };
                // A longer route to a gateway that is not activated has no meaning of its own.
                let idle = self.vpcs[v].gateway4.is_some_and(|g| !g.1);
                let idle = idle && matches!(hop, NextHop::Ipv4Gateway(_));
                if !idle && !self.returns(v, &cidr, &hop) {
                    if self.f.appliances && self.r.chance(8) {
                        self.add_ecmp(v, table, &cidr, hop);
                    } else {
                        self.add_route(table, &cidr, hop);
                    }
                }
            }
        }
    }

    /// Whether a route would send packets for a vSwitch of the VPC to the IPv6 gateway of the VPC. Nothing
    /// says what the gateway does with them (§3.3 says that there is no such route).
    fn returns(&self, v: usize, cidr: &str, hop: &NextHop) -> bool {
        let net: IpNet = crate::text::must(cidr.parse());
        let own = |s: &super::VswitchG| {
            s.v6.as_ref().is_some_and(|p| {
                let block: IpNet = crate::text::must(format!("{p}/64").parse());
                block.contains(&net)
            })
        };
        matches!(hop, NextHop::Ipv6Gateway(_)) && self.vpcs[v].vswitches.iter().any(own)
    }

    fn add_ecmp(&mut self, v: usize, table: RouteTableId, cidr: &str, hop: NextHop) {
        let Some(other) = self.long_hop(v, table) else {
            return;
        };
        let interfaces = [&hop, &other].iter().all(|h| matches!(h, NextHop::Interface(_)));
        if interfaces && hop != other && self.taken.insert((table, cidr.to_string())) {
            self.b.route_ecmp(table, cidr, &[hop, other]);
        }
    }

    /// ENIs to send packets through. One on the same table mostly sends them back to itself, so ENIs on
    /// other tables come first.
    fn appliances(&mut self, v: usize, table: RouteTableId) -> Vec<NextHop> {
        let all = self.vpcs[v].interfaces.clone();
        let t = self.b.typed();
        let apart = |i: &InterfaceId| {
            let vsw = t[*i].vswitch.known();
            vsw.is_some_and(|s| t[*s].table.known() != Some(&table))
        };
        let other: Vec<InterfaceId> = all.iter().copied().filter(apart).collect();
        let list = if other.is_empty() || self.r.chance(15) {
            all
        } else {
            other
        };
        list.into_iter().map(NextHop::Interface).collect()
    }

    fn long_hop(&mut self, v: usize, table: RouteTableId) -> Option<NextHop> {
        let mut hops: Vec<NextHop> = Vec::new();
        if self.f.appliances {
            hops.extend(self.appliances(v, table));
            let vpc = self.vpcs[v].id;
            let here = |h: &HaVip| {
                let vsw = h.vswitch.known().map(|s| self.b.typed()[*s].vpc.clone());
                vsw.and_then(|f| f.known().copied()) == Some(vpc)
            };
            let n = self.b.typed().ha_vips.iter().filter(|h| here(h)).count();
            // There is at most one HaVip, so its id is 0.
            hops.extend((0..n).map(|_| NextHop::HaVip(HaVipId(0))));
        }
        let inspectors = self.vpcs[v].inspectors.iter();
        hops.extend(inspectors.flat_map(|i| [NextHop::Interface(*i), NextHop::Interface(*i)]));
        hops.extend(self.vpcs[v].nats.iter().map(|n| NextHop::Nat(*n)));
        hops.extend(self.vpcs[v].gateway4.iter().map(|g| NextHop::Ipv4Gateway(g.0)));
        hops.extend(self.vpcs[v].gateway6.iter().map(|g| NextHop::Ipv6Gateway(*g)));
        self.some(&hops)
    }
}
