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
                if self.r.chance(75) {
                    let all = if self.r.chance(85) {
                        "0.0.0.0/0"
                    } else {
                        "198.51.100.0/24"
                    };
                    routes.push((t.into(), Fact::Known(crate::text::must(all.parse()))));
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
