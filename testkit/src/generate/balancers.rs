//! Random load balancers and endpoints of PrivateLink.

use super::Gen;
use crate::builder::Ipv6Access;
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};
use ipnet::Ipv4Net;
use std::net::IpAddr;

/// Addresses of a vSwitch that the generator gives out one by one end here.
const LAST_HOST: usize = 14;

impl Gen<'_> {
    /// Load balancers in front of interfaces, of services and of one another.
    pub(super) fn balancers(&mut self) {
        if !self.f.balancers {
            return;
        }
        let mut fronts: Vec<InterfaceId> = Vec::new();
        for v in 0..self.vpcs.len() {
            for n in 0..self.some(&[0, 0, 1, 1, 2]).unwrap_or(0) {
                let kind = self
                    .some(&[BalancerKind::Clb, BalancerKind::Alb, BalancerKind::Nlb])
                    .unwrap_or(BalancerKind::Clb);
                if let Some(b) = self.balancer(v, n, kind) {
                    self.listeners(v, b, kind, &fronts);
                    fronts.extend(&self.b.typed()[b].fronts.clone());
                }
            }
        }
    }

    /// Endpoints, in any VPC, for balancers that are in a vSwitch.
    pub(super) fn endpoints(&mut self) {
        if !self.f.balancers || !self.f.private_link {
            return;
        }
        let all = (0u32..).zip(&self.b.typed().balancers);
        let offered = all.filter(|(_, b)| !b.detached).map(|(n, _)| BalancerId(n));
        let offered: Vec<BalancerId> = offered.collect();
        for n in 0..self.some(&[0, 0, 1, 1, 2]).unwrap_or(0) {
            let Some(service) = self.some(&offered) else {
                return;
            };
            let v = self.r.below(self.vpcs.len());
            let at = self.zones(v);
            let at: Vec<(VswitchId, &str)> = at.iter().map(|(v, a)| (*v, a.as_str())).collect();
            if !at.is_empty() {
                let groups = self.group_set(v);
                self.b.endpoint(&format!("ep{n}"), service, &at, &groups);
            }
        }
    }

    /// One or two vSwitches of a VPC, with a free address of each.
    fn zones(&mut self, v: usize) -> Vec<(VswitchId, String)> {
        let mut at: Vec<(VswitchId, String)> = Vec::new();
        for _ in 0..2 {
            let s = self.r.below(self.vpcs[v].vswitches.len());
            let free = self.vpcs[v].vswitches[s].next_host <= LAST_HOST;
            let id = self.vpcs[v].vswitches[s].id;
            let again = at.iter().any(|(z, _)| *z == id);
            if free && !again && (at.is_empty() || self.r.chance(40)) {
                let ip = self.host4(v, s);
                at.push((id, ip));
            }
        }
        at
    }

    fn balancer(&mut self, v: usize, n: usize, kind: BalancerKind) -> Option<BalancerId> {
        let name = format!("lb{v}{n}");
        let s = self.r.below(self.vpcs[v].vswitches.len());
        if kind == BalancerKind::Clb && self.f.dual && self.f.ipv6 && self.r.chance(25) {
            let beside = self.vpcs[v].vswitches[s].id;
            return Some(
                self.b
                    .detached_ipv6_balancer(&name, beside, &format!("2408:4000::{v}{n}")),
            );
        }
        if kind == BalancerKind::Clb && self.f.public && self.r.chance(35) {
            let public = self.public_ip();
            let beside = self.vpcs[v].vswitches[s].id;
            return Some(self.b.detached_balancer(&name, beside, &public));
        }
        let mut at: Vec<(VswitchId, String)> = Vec::new();
        for s in [s, self.r.below(self.vpcs[v].vswitches.len())] {
            let free = self.vpcs[v].vswitches[s].next_host <= LAST_HOST;
            let id = self.vpcs[v].vswitches[s].id;
            let again = at.iter().any(|(z, _)| *z == id);
            if free && !again && (at.is_empty() || self.r.chance(40)) {
                let ip = self.host4(v, s);
                at.push((id, ip));
            }
        }
        if at.is_empty() {
            return None;
        }
        let at: Vec<(VswitchId, &str)> = at.iter().map(|(v, a)| (*v, a.as_str())).collect();
        let groups: Vec<SecurityGroupId> = self.vpcs[v].groups.iter().map(|g| g.0).collect();
        let groups: Vec<SecurityGroupId> = if kind != BalancerKind::Clb && self.r.chance(50) {
            self.some(&groups).into_iter().collect()
        } else {
            Vec::new()
        };
        let b = self.b.balancer(&name, kind, &at, &groups);
        if self.f.public && self.r.chance(40) {
            for f in self.b.typed()[b].fronts.clone() {
                let ip = self.public_ip();
                self.b.static_ip(f, &ip);
            }
        }
        if kind != BalancerKind::Clb && self.f.dual && self.r.chance(90) {
            self.dual_stack(v, b, n);
        }
        Some(b)
    }

    /// Gives the fronts of a balancer IPv6 addresses, where all of its vSwitches have a block.
    fn dual_stack(&mut self, v: usize, b: BalancerId, n: usize) {
        let fronts = self.b.typed()[b].fronts.clone();
        let block = |g: &Self, f: &InterfaceId| {
            let at = g.b.typed()[*f].vswitch.known().copied()?;
            let here = g.vpcs[v].vswitches.iter().find(|s| s.id == at)?;
            here.v6.clone()
        };
        let blocks: Option<Vec<String>> = fronts.iter().map(|f| block(self, f)).collect();
        let access = if self.r.chance(60) {
            Ipv6Access::Both
        } else {
            Ipv6Access::Private
        };
        for (f, p) in fronts.iter().zip(blocks.into_iter().flatten()) {
            let ip = format!("{p}80{n}");
            self.b.ipv6(*f, &ip, access);
            self.hosts6.push(ip);
        }
    }

    fn listeners(&mut self, v: usize, b: BalancerId, kind: BalancerKind, fronts: &[InterfaceId]) {
        let six = |i: &InterfaceId| {
            let mut all = self.b.typed()[*i].addresses.iter();
            all.any(|a| a.kind == AddressKind::Ipv6)
        };
        let six = self.b.typed()[b].fronts.iter().any(six);
        // Two listeners of one port are refused.
        let mut ports = vec![(80u16, 80u16), (22, 22), (443, 443), (3306, 3310), (79, 79)];
        for _ in 0..self.r.between(1, 3) {
            let (lo, hi) = ports.remove(self.r.below(ports.len()));
            let set = PortSet::range(lo, hi);
            let udp = self.r.chance(20);
            let l = self.b.listener(
                b,
                if udp {
                    ServiceSet::udp(set)
                } else {
                    ServiceSet::tcp(set)
                },
            );
            if self.r.chance(40) {
                let white = self.r.chance(60);
                let cidrs: Vec<String> = (0..self.r.below(3))
                    .map(|_| if six { self.cidr() } else { self.cidr4() })
                    .collect();
                let cidrs: Vec<&str> = cidrs.iter().map(String::as_str).collect();
                self.b.access_list(b, l, white, &cidrs);
            }
            for _ in 0..self.r.between(1, 3) {
                let to = self.backend(v, fronts, six);
                let Some(to) = to else { continue };
                let port = self.some(&[80u16, 22, 3306, 8080]).unwrap_or(80);
                let services = if self.r.chance(25) {
                    None
                } else if udp && self.r.chance(60) {
                    Some(ServiceSet::udp(PortSet::single(port)))
                } else {
                    Some(ServiceSet::tcp(PortSet::single(port)))
                };
                let preserves = kind != BalancerKind::Alb && self.r.chance(60);
                self.b.backend(b, l, to, services, preserves);
            }
        }
    }

    /// `six` says whether the balancer has IPv6 addresses; without them it reaches none.
    fn backend(&mut self, v: usize, fronts: &[InterfaceId], six: bool) -> Option<Backend> {
        let own = self.vpcs[v].interfaces.clone();
        if self.f.dual && self.r.chance(if six { 60 } else { 5 }) {
            let six = |g: &Self, i: &InterfaceId| {
                let mut all = g.b.typed()[*i].addresses.iter();
                all.any(|a| a.kind == AddressKind::Ipv6)
            };
            let all: Vec<InterfaceId> = own
                .iter()
                .chain(fronts)
                .copied()
                .filter(|i| six(self, i))
                .collect();
            let hosts = self.hosts6.clone();
            return match self.r.chance(30) {
                true => self.some(&hosts)?.parse().ok().map(Backend::Ip),
                false => self.some(&all).map(Backend::Ipv6),
            };
        }
        match self.r.below(10) {
            0 | 1 => {
                let hosts = self.hosts4.clone();
                let at = self.some(&hosts)?;
                let one = at.parse().ok();
                // Or one address of a delegated block.
                let within = at.parse::<Ipv4Net>().ok();
                let within = within.and_then(|n| n.hosts().nth(self.r.below(2)));
                one.or(within.map(IpAddr::V4)).map(Backend::Ip)
            }
            2 => self.some(fronts).map(Backend::Interface),
            3 => {
                let all = &self.b.typed().data_services;
                let all: Vec<InterfaceId> = all.iter().map(|d| d.interface).collect();
                self.some(&all).map(Backend::Interface)
            }
            4 => {
                let i = self.some(&own)?;
                let all = self.b.typed()[i].addresses.len();
                let at = u32::try_from(self.r.below(all)).ok()?;
                Some(Backend::At(i, at))
            }
            _ => self.some(&own).map(Backend::Interface),
        }
    }
}
