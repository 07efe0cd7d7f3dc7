//! Random VPC NAT gateways.

use super::Gen;
use bartizan_model::*;

impl Gen<'_> {
    /// VPC NAT gateways, their entries, and routes to them.
    pub(super) fn inner(&mut self) {
        if !self.f.inner || !self.r.chance(40) {
            return;
        }
        let n = self.some(&[1, 1, 2, 3]).unwrap_or(1);
        for k in 0..n {
            let v = self.r.below(self.vpcs.len());
            let s = self.r.below(self.vpcs[v].vswitches.len());
            let (vpc, vsw) = (self.vpcs[v].id, self.vpcs[v].vswitches[s].id);
            let nat = self.b.vpc_nat(&format!("inner{k}"), vpc, vsw);
            let mut ips = Vec::new();
            let mut blocks = Vec::new();
            for i in 0..self.r.between(1, 3) {
                let (ip, block) = self.inner_ip(v, s, k, 4 * k + i);
                if let Some(b) = block.filter(|b| !blocks.contains(b)) {
                    self.b.nat_block(nat, &b);
                    blocks.push(b);
                }
                if !ips.contains(&ip) {
                    self.hosts4.push(ip.clone());
                    ips.push(ip);
                }
            }
            if self.r.chance(20) {
                self.b
                    .nat_ip(nat, &format!("{}.27", self.vpcs[v].vswitches[s].base));
            }
            self.inner_snat(v, nat, &ips);
            self.inner_dnat(v, nat, &ips);
            self.inner_routes(v, nat, &ips, &blocks);
        }
    }

    /// A NAT IP, and the custom block that it is in.
    fn inner_ip(&mut self, v: usize, s: usize, k: usize, i: usize) -> (String, Option<String>) {
        let own = self.vpcs[v].octet;
        let others: Vec<String> = self
            .vpcs
            .iter()
            .filter(|o| o.octet != own)
            .map(|o| format!("10.{}.0.{}", o.octet, 1 + k))
            .collect();
        match self.r.below(10) {
            // An address that somebody has elsewhere.
            0 if !others.is_empty() => {
                let ip = self.some(&others).unwrap_or_default();
                let block = format!("{ip}/32");
                (ip, Some(block))
            }
            1..4 => {
                let net = format!("10.{}.0", 100 + 4 * v + k);
                (format!("{net}.{i}"), Some(format!("{net}.0/28")))
            }
            _ => (format!("{}.{}", self.vpcs[v].vswitches[s].base, 20 + i % 7), None),
        }
    }

    fn inner_snat(&mut self, v: usize, nat: NatId, ips: &[String]) {
        let mut used: Vec<String> = Vec::new();
        for _ in 0..self.r.between(1, 3) {
            let s = self.r.below(self.vpcs[v].vswitches.len());
            let sw = &self.vpcs[v].vswitches[s];
            let (source, key) = if self.r.chance(30) {
                (SnatSource::Vswitch(sw.id.into()), sw.cidr.clone())
            } else {
                let c = match self.r.below(5) {
                    0 => "0.0.0.0/0".to_string(),
                    1 => "172.16.0.0/12".to_string(),
                    2 => self.vpcs[v].cidr.clone(),
                    _ => self.cidr4(),
                };
                let n: ipnet::IpNet = crate::text::must(c.parse());
                (SnatSource::Net(n.into()), c)
            };
            if used.contains(&key) {
                continue;
            }
            used.push(key);
            let some: Vec<&str> = ips
                .iter()
                .map(String::as_str)
                .filter(|_| self.r.chance(60))
                .collect();
            let some = if some.is_empty() {
                vec![ips[0].as_str()]
            } else {
                some
            };
            self.b.snat_to(nat, source, &some);
        }
    }

    fn inner_dnat(&mut self, v: usize, nat: NatId, ips: &[String]) {
        const MAPS: [((u16, u16), (u16, u16)); 4] = [
            ((2200, 2200), (22, 22)),
            ((80, 80), (80, 80)),
            ((8000, 8002), (79, 81)),
            ((65533, 65535), (1022, 1024)),
        ];
        for _ in 0..self.r.below(4) {
            let Some(target) = self.dnat_target(v) else { return };
            let Some(ip) = self.some(ips) else { return };
            let clash = |d: &DnatEntry, any: bool, external: (u16, u16)| {
                let here = matches!(&d.external, NatIp::Ip(x) if x.to_string() == ip);
                let ports = d.ports.known().copied().flatten().map(|p| p.external);
                let apart = ports.is_some_and(|p| !any && (p.1 < external.0 || external.1 < p.0));
                here && d.nat.known() == Some(&nat) && !apart
            };
            let any = self.r.chance(25);
            let Some((external, internal)) = self.some(&MAPS) else {
                return;
            };
            if self
                .b
                .typed()
                .dnat_entries
                .iter()
                .any(|d| clash(d, any, external))
            {
                continue;
            }
            let (protocol, ports) = match any {
                true => (DnatProtocol::Any, None),
                false => (DnatProtocol::Tcp, Some(PortMapping { external, internal })),
            };
            self.b.dnat_at(nat, &ip, protocol, ports, target);
            self.in_block(target.0, ports.is_none_or(|p| p.external.0.is_multiple_of(2)));
        }
    }

    /// Routes to the gateway, and to its NAT IPs from elsewhere.
    fn inner_routes(&mut self, v: usize, nat: NatId, ips: &[String], blocks: &[String]) {
        let system = self.b.system_table(self.vpcs[v].id);
        for _ in 0..self.r.between(1, 4) {
            let table = self.table_of(v);
            let c = match self.r.below(6) {
                0 => "172.16.0.0/12".to_string(),
                1 if !blocks.is_empty() => self.some(blocks).unwrap_or_default(),
                2 => self.cidr4(),
                _ => self.far(),
            };
            if c.contains(':') {
                continue;
            }
            self.once(table, &c, NextHop::Nat(nat));
            if table == system && self.r.chance(40) {
                self.b.publish_route(system, &c);
            }
        }
        // What already leads out of a VPC leads to the NAT IPs as well.
        for o in 0..self.vpcs.len() {
            let leads =
                |h: &NextHop| matches!(h, NextHop::Peering(_) | NextHop::Attachment(_) | NextHop::Vpn(_));
            let t = self.b.typed();
            let vpc = Fact::Known(self.vpcs[o].id);
            let here = |e: &&RouteEntry| e.table.known().is_some_and(|r| t[*r].vpc == vpc);
            let mine = t.route_entries.iter().filter(here);
            let hops: Vec<NextHop> = mine
                .flat_map(|e| &e.next_hops)
                .filter(|h| leads(h))
                .cloned()
                .collect();
            if let Some(hop) = self.some(&hops)
                && self.r.chance(60)
            {
                let table = self.table_of(o);
                let c = match self.some(blocks) {
                    Some(b) if self.r.chance(50) => b,
                    _ => format!("{}/32", self.some(ips).unwrap_or_default()),
                };
                self.once(table, &c, hop);
            }
        }
    }
}
