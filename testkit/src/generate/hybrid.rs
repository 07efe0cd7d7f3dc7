//! Random sites with VPN gateways, border routers and router interfaces.

use super::Gen;
use super::joined::RouterG;
use bartizan_model::*;

/// Networks of sites; some overlap VPCs and one another.
const SITES: [&[&str]; 5] = [
    &["172.16.0.0/24"],
    &["172.16.1.0/24", "10.9.0.0/16"],
    &["172.16.0.0/23"],
    &["10.0.1.0/24"],
    &["172.16.2.0/25", "10.1.0.16/28"],
];

impl Gen<'_> {
    fn somewhere(&mut self, sites: &[SiteId]) -> String {
        match self.r.below(10) {
            0 => "0.0.0.0/0".into(),
            1 | 2 => "10.0.0.0/8".into(),
            3 => "172.16.0.0/12".into(),
            4 | 5 => {
                let v = self.r.below(self.vpcs.len());
                self.vpcs[v].cidr.clone()
            }
            6 => self.cidr4(),
            _ => {
                let site = self.some(sites).unwrap_or(SiteId(0));
                let all = self.b.typed().networks(site);
                let n = self.some(&all).map(|n| n.to_string());
                n.unwrap_or_else(|| "172.16.0.0/24".into())
            }
        }
    }

    fn somewheres(&mut self, sites: &[SiteId]) -> Vec<String> {
        if self.r.chance(45) {
            return vec!["0.0.0.0/0".into()];
        }
        (0..self.r.between(1, 2)).map(|_| self.somewhere(sites)).collect()
    }

    /// What leads to sites; border routers and connections are attached to the transit routers.
    pub(super) fn hybrid(&mut self, routers: &mut [RouterG]) {
        if !self.f.hybrid || !self.r.chance(45) {
            return;
        }
        let mut sites = Vec::new();
        for n in 0..self.r.between(1, 3) {
            let nets = self.some(&SITES).unwrap_or(SITES[0]);
            sites.push(self.b.site(&format!("site{n}"), nets));
        }
        for a in &sites {
            for b in &sites {
                let yes = self.r.chance(35);
                self.b.sites_forward(*a, *b, yes);
            }
        }
        if self.r.chance(70) {
            self.vpn(&sites);
        }
        let mut borders = Vec::new();
        if self.r.chance(60) {
            borders = self.borders(&sites, routers);
        }
        if self.r.chance(25) {
            self.vpc_to_vpc();
        }
        if let Some(n) = (!routers.is_empty() && self.r.chance(40)).then(|| self.r.below(routers.len())) {
            self.attached(&sites, &mut routers[n]);
        }
        if !borders.is_empty() && self.r.chance(50) {
            self.ecr(&borders, &sites, routers);
        }
    }

    /// An Express Connect router with border routers and VPCs, and now and then a transit router.
    fn ecr(&mut self, borders: &[BorderRouterId], sites: &[SiteId], routers: &mut [RouterG]) {
        let ecr = self.b.ecr("ecr");
        for (n, b) in borders.iter().enumerate() {
            if self.r.chance(85) {
                self.b.ecr_border(&format!("eb{n}"), ecr, *b);
            }
        }
        for v in 0..self.vpcs.len() {
            if self.r.chance(60) {
                let a = self.b.ecr_vpc(&format!("ev{v}"), ecr, self.vpcs[v].id);
                if self.r.chance(40) {
                    let t = self.table_of(v);
                    let c = self.somewhere(sites);
                    self.once(t, &c, NextHop::Attachment(a));
                }
            }
        }
        let joined = (0..routers.len())
            .filter(|&n| !routers[n].basic)
            .collect::<Vec<_>>();
        if let Some(n) = self.some(&joined).filter(|_| self.r.chance(45)) {
            let r = &mut routers[n];
            let a = self.b.ecr_transit("et", ecr, r.id);
            r.attachments.push(a);
            let tables = r.tables.clone();
            self.links(a, &tables);
        }
    }

    fn vpn(&mut self, sites: &[SiteId]) {
        for n in 0..self.r.between(1, 2) {
            let v = self.r.below(self.vpcs.len());
            let s = self.r.below(self.vpcs[v].vswitches.len());
            let zone = self.r.chance(70).then_some(self.vpcs[v].vswitches[s].id);
            let g = self.b.vpn_gateway(&format!("vpn{n}"), self.vpcs[v].id, zone);
            let yes = self.r.chance(50);
            self.b.vpn_propagates(g, yes);
            let mut connections = Vec::new();
            for k in 0..self.r.between(1, 3) {
                let Some(site) = self.some(sites) else { return };
                let (local, remote) = (self.somewheres(sites), self.somewheres(sites));
                let local: Vec<&str> = local.iter().map(String::as_str).collect();
                let remote: Vec<&str> = remote.iter().map(String::as_str).collect();
                let clients = self.r.chance(12);
                let end = if clients {
                    VpnEnd::Clients(g.into())
                } else {
                    VpnEnd::Gateway(g.into())
                };
                let c = self
                    .b
                    .vpn_connection(&format!("c{n}{k}"), end, site, &local, &remote);
                connections.push(c);
                let yes = self.r.chance(50);
                self.b.vpn_configures(c, yes);
                if !clients && self.r.chance(35) {
                    let learned = [self.somewhere(sites), self.somewhere(sites)];
                    self.b.vpn_bgp(c, &[&learned[0], &learned[1]]);
                }
            }
            for _ in 0..self.r.below(4) {
                let Some(c) = self.some(&connections) else { return };
                let (source, to) = (self.somewhere(sites), self.somewhere(sites));
                let source = self.r.chance(30).then_some(source.as_str());
                let (active, publishes) = (self.r.chance(75), self.r.chance(60));
                self.b.vpn_route(Some(g), source, &to, c, active, publishes);
                if self.r.chance(15) {
                    let system = self.b.system_table(self.vpcs[v].id);
                    self.b.publish_route(system, &to);
                }
            }
            for _ in 0..self.r.below(3) {
                let table = self.table_of(v);
                let c = self.somewhere(sites);
                self.once(table, &c, NextHop::Vpn(g));
            }
            if self.r.chance(15) {
                // A route to a gateway of another VPC leads nowhere.
                let v = self.r.below(self.vpcs.len());
                let table = self.table_of(v);
                let c = self.somewhere(sites);
                self.once(table, &c, NextHop::Vpn(g));
            }
        }
    }

    fn borders(&mut self, sites: &[SiteId], routers: &mut [RouterG]) -> Vec<BorderRouterId> {
        let mut all = Vec::new();
        for n in 0..self.r.between(1, 2) {
            let Some(site) = self.some(sites) else { return all };
            let mut learned: Vec<String> = self
                .b
                .typed()
                .networks(site)
                .iter()
                .map(ToString::to_string)
                .collect();
            if self.r.chance(35) {
                learned = vec![self.somewhere(sites)];
            }
            let learned: Vec<&str> = learned.iter().map(String::as_str).collect();
            let b = self.b.border_router(&format!("vbr{n}"), site, &learned);
            all.push(b);
            let table = self.b.typed()[b].table;
            if self.r.chance(65) {
                let v = self.r.below(self.vpcs.len());
                let (vpc, border) = (
                    RouterEnd::Vpc(self.vpcs[v].id.into()),
                    RouterEnd::Border(b.into()),
                );
                let (ri, back) = self.b.router_interfaces(&format!("ri{n}"), vpc, border);
                for _ in 0..self.r.between(1, 2) {
                    let t = self.table_of(v);
                    let c = self.somewhere(sites);
                    self.once(t, &c, NextHop::RouterInterface(ri));
                }
                for _ in 0..self.r.between(1, 2) {
                    let c = self.somewhere(sites);
                    self.once(table, &c, NextHop::RouterInterface(back));
                }
            }
            if let Some(r) = (!routers.is_empty() && self.r.chance(65)).then(|| self.r.below(routers.len())) {
                let r = &mut routers[r];
                let publishes = r.basic || self.r.chance(70);
                let a = self.b.attach_border(&format!("ab{n}"), r.id, b, publishes);
                let six = self.r.chance(50);
                self.b.carries_ipv6(a, six);
                r.attachments.push(a);
                if !r.basic {
                    self.links(a, &r.tables);
                }
            }
        }
        all
    }

    /// Router interfaces between two VPCs.
    fn vpc_to_vpc(&mut self) {
        let (a, b) = (self.r.below(self.vpcs.len()), self.r.below(self.vpcs.len()));
        let end = |v: VpcId| RouterEnd::Vpc(v.into());
        let (x, y) = self
            .b
            .router_interfaces("rv", end(self.vpcs[a].id), end(self.vpcs[b].id));
        for (v, ri) in [(a, x), (b, y)] {
            for _ in 0..self.r.between(1, 2) {
                let t = self.table_of(v);
                let c = self.far();
                self.once(t, &c, NextHop::RouterInterface(ri));
            }
        }
    }

    /// An IPsec connection that is attached to a transit router.
    fn attached(&mut self, sites: &[SiteId], r: &mut RouterG) {
        if r.basic {
            return;
        }
        let Some(site) = self.some(sites) else { return };
        let (local, remote) = (self.somewheres(sites), self.somewheres(sites));
        let local: Vec<&str> = local.iter().map(String::as_str).collect();
        let remote: Vec<&str> = remote.iter().map(String::as_str).collect();
        let c = self
            .b
            .vpn_connection("attached", VpnEnd::Attached, site, &local, &remote);
        if self.r.chance(40) {
            let learned = self.somewhere(sites);
            self.b.vpn_bgp(c, &[&learned]);
        }
        for _ in 0..self.r.below(3) {
            let to = self.somewhere(sites);
            self.b.vpn_route(None, None, &to, c, true, false);
        }
        let a = self.b.attach_vpn("av", r.id, c);
        self.b.carries_ipv6(a, false);
        r.attachments.push(a);
        self.links(a, &r.tables);
    }
}
