//! Random firewalls at the perimeter.

use super::{CLIENTS4, CLIENTS6, Gen};
use crate::builder::Policy;
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

impl Gen<'_> {
    /// Cloud Firewall at the Internet boundary and at NAT gateways.
    pub(super) fn firewalls(&mut self) {
        if !self.f.firewalls {
            return;
        }
        if self.f.public && self.r.chance(40) {
            let strict = self.r.chance(40);
            let f = self.b.firewall("internet", FirewallPlace::Internet, strict);
            for inbound in [true, false] {
                self.policies(f, inbound, true);
            }
        }
        let nats: Vec<(NatId, usize)> = (0..self.vpcs.len())
            .flat_map(|v| self.vpcs[v].nats.iter().map(move |n| (*n, v)))
            .collect();
        for (nat, v) in nats {
            if !self.r.chance(35) {
                continue;
            }
            let mut tables: Vec<RouteTableId> = self.vpcs[v].vswitches.iter().map(|s| s.table).collect();
            tables.dedup();
            let mut routes = Vec::new();
            for t in tables {
                // A longer route to the same gateway, which the firewall may name or not.
                if self.r.chance(40) {
                    let narrow = self
                        .some(&["198.51.100.0/24", "198.51.100.0/25", "198.51.0.0/16"])
                        .unwrap_or("198.51.100.0/24");
                    self.once(t, narrow, NextHop::Nat(nat));
                }
                for net in ["0.0.0.0/0", "198.51.100.0/24", "198.51.0.0/16"] {
                    if self.r.chance(if net == "0.0.0.0/0" { 70 } else { 15 }) {
                        routes.push((t.into(), Fact::Known(crate::text::must(net.parse()))));
                    }
                }
            }
            let strict = self.r.chance(40);
            let place = FirewallPlace::Nat {
                nat: nat.into(),
                routes,
            };
            let f = self.b.firewall(&format!("nat{}", nat.0), place, strict);
            self.policies(f, false, false);
        }
        if self.f.vpc_firewalls && self.vpcs.len() > 1 {
            self.between();
        }
    }

    /// Firewalls between VPCs.
    fn between(&mut self) {
        for n in 0..self.r.below(3) {
            let at: Vec<Boundary> = (0..self.r.between(1, 2))
                .filter_map(|_| self.boundary())
                .collect();
            if at.is_empty() {
                continue;
            }
            let strict = self.r.chance(40);
            let f = self
                .b
                .firewall(&format!("vpc{n}"), FirewallPlace::Vpc(at), strict);
            self.policies_between(f);
        }
    }

    fn boundary(&mut self) -> Option<Boundary> {
        let t = self.b.typed();
        let routers: Vec<RouterId> = (0u32..).take(t.transit_routers.len()).map(RouterId).collect();
        let joining: Vec<(RouteTableId, ipnet::IpNet, NextHop)> = t
            .route_entries
            .iter()
            .filter_map(|e| {
                let hop = e.next_hops.first()?;
                let joins = matches!(hop, NextHop::RouterInterface(_) | NextHop::Peering(_));
                match (&e.destination, e.table.known()) {
                    (NetSpec::Net(Fact::Known(n)), Some(t)) if joins => Some((*t, *n, hop.clone())),
                    _ => None,
                }
            })
            .collect();
        let cens: Vec<std::sync::Arc<str>> = t.transit_routers.iter().filter_map(|r| r.cen.clone()).collect();
        match self.r.below(4) {
            0 | 1 if !joining.is_empty() => {
                let (table, net, hop) = self.some(&joining)?;
                // Now and then one that is not there.
                let destination = if self.r.chance(10) {
                    crate::text::must("10.77.0.0/16".parse())
                } else {
                    net
                };
                Some(Boundary::Route {
                    table: table.into(),
                    destination: Fact::Known(destination),
                    hop: Fact::Known(hop),
                })
            }
            2 if !cens.is_empty() => {
                let v = self.r.below(self.vpcs.len());
                Some(Boundary::Vpc {
                    vpc: self.vpcs[v].id.into(),
                    cen: Fact::Known(self.some(&cens)?),
                })
            }
            _ => Some(Boundary::Router(Fact::Known(self.some(&routers)?))),
        }
    }

    fn policies_between(&mut self, f: FirewallId) {
        for order in 1..=self.r.between(1, 4) {
            let deep = self.r.chance(15);
            let (source, destination) = (self.near(false, false), self.far_side());
            let (source, destination): (Vec<&str>, Vec<&str>) = (
                source.iter().map(String::as_str).collect(),
                destination.iter().map(String::as_str).collect(),
            );
            let swap = self.r.chance(50);
            let p = Policy {
                inbound: false,
                order: u32::try_from(order).unwrap_or(0),
                pass: self.r.chance(45),
                deep,
                source: if swap { &destination } else { &source },
                destination: if swap { &source } else { &destination },
            };
            let services = self.firewall_services(false);
            self.b.policy(f, p, services);
        }
    }

    fn far_side(&mut self) -> Vec<String> {
        match self.r.below(4) {
            0 => vec!["0.0.0.0/0".into()],
            1 => vec!["172.16.0.0/23".into(), self.cidr4()],
            _ => {
                let v = self.r.below(self.vpcs.len());
                vec![self.vpcs[v].cidr.clone()]
            }
        }
    }

    fn policies(&mut self, f: FirewallId, inbound: bool, public: bool) {
        for order in 1..=self.r.below(5) {
            let six = public && self.f.ipv6 && self.r.chance(20);
            let near = self.near(six, public);
            let far = self.clients(six);
            let (near, far): (Vec<&str>, Vec<&str>) = (
                near.iter().map(String::as_str).collect(),
                far.iter().map(String::as_str).collect(),
            );
            let deep = self.r.chance(20);
            let unknown = !six && self.r.chance(if deep { 30 } else { 10 });
            let far = if unknown { Vec::new() } else { far };
            let (source, destination) = if inbound { (&far, &near) } else { (&near, &far) };
            let p = Policy {
                inbound,
                order: u32::try_from(order).unwrap_or(0),
                pass: self.r.chance(50),
                deep,
                source,
                destination,
            };
            let services = self.firewall_services(six);
            self.b.policy(f, p, services);
        }
    }

    /// Addresses on this side.
    fn near(&mut self, six: bool, public: bool) -> Vec<String> {
        let any = if six { "::/0" } else { "0.0.0.0/0" }.to_string();
        if self.r.chance(35) {
            return vec![any];
        }
        if six {
            return vec![self.cidr6()];
        }
        if !public {
            return vec![self.cidr4()];
        }
        let n = self.r.between(1, self.next_public.max(1));
        let one = format!("47.0.0.{n}/32");
        self.some(&[vec![one.clone()], vec![one], vec!["47.0.0.0/29".to_string()]])
            .unwrap_or_default()
    }

    fn clients(&mut self, six: bool) -> Vec<String> {
        let all: Vec<String> = if six {
            CLIENTS6.iter().map(ToString::to_string).collect()
        } else {
            CLIENTS4.iter().map(ToString::to_string).collect()
        };
        let any = if six { "::/0" } else { "0.0.0.0/0" }.to_string();
        let mut out: Vec<String> = (0..self.r.between(1, 2))
            .filter_map(|_| self.some(&all))
            .collect();
        if !six && self.r.chance(20) {
            out.push("47.0.0.0/28".to_string());
        }
        if self.r.chance(40) {
            out = vec![any];
        }
        out
    }

    fn firewall_services(&mut self, six: bool) -> ServiceSet {
        let ports = self
            .some(&[
                (80u16, 80u16),
                (443, 443),
                (22, 22),
                (1, 65535),
                (3306, 3310),
                (8001, 8001),
            ])
            .unwrap_or((80, 80));
        let set = PortSet::range(ports.0, ports.1);
        match self.r.below(10) {
            0..6 => ServiceSet::tcp(set),
            6 => ServiceSet::udp(set),
            7 if six => ServiceSet {
                icmpv6: PortSet::full(),
                ..ServiceSet::default()
            },
            7 => ServiceSet {
                icmp: PortSet::full(),
                ..ServiceSet::default()
            },
            _ => ServiceSet::any(),
        }
    }
}
