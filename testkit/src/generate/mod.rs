//! Random small networks.
//!
//! A tiny universe: few addresses, prefixes that cut vSwitches, few ports, so that rules, entries and
//! routes meet often. What the cloud would refuse (two routes of one prefix in a table, mixed group kinds
//! on an ENI, references to groups in enterprise groups) is not made, as its meaning is not defined.

mod balancers;
mod edges;
mod firewalls;
mod hybrid;
mod inner;
mod joined;
mod open;
mod policy;

use crate::builder::{GroupKind, InventoryBuilder, Ipv6Access};
use crate::rng::Rng;
use bartizan_model::*;
pub use open::open_inventory;
use std::collections::BTreeSet;

/// Which features random networks use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Several VPCs, also with the same blocks.
    pub vpcs: bool,
    /// Blocks of one VPC lie among those of others and have nothing in common with them. Not one of all: such networks have
    /// no VPCs that overlap.
    pub interleaved: bool,
    /// Network ACLs.
    pub acls: bool,
    /// Custom route tables and routes.
    pub routes: bool,
    /// Routes to ENIs that pass packets on.
    pub appliances: bool,
    /// EIPs and static public addresses.
    pub public: bool,
    /// EIPs in ENI-visible mode.
    pub binded: bool,
    /// NAT gateways with SNAT and DNAT entries.
    pub nat: bool,
    /// IPv4 gateways, activated or not, with gateway route tables.
    pub gateways: bool,
    /// IPv6 addresses, gateways and bandwidth.
    pub ipv6: bool,
    /// Secondary ENIs and addresses, delegated prefixes.
    pub secondary: bool,
    /// High-availability virtual IPs.
    pub ha_vips: bool,
    /// Prefix lists.
    pub prefix_lists: bool,
    /// Managed services.
    pub services: bool,
    /// Load balancers.
    pub balancers: bool,
    /// Firewalls at the perimeter.
    pub firewalls: bool,
    /// Firewalls between VPCs.
    pub vpc_firewalls: bool,
    /// Endpoints of PrivateLink.
    pub private_link: bool,
    /// Peering and transit routers.
    pub joined: bool,
    /// Second readings of contested semantics (not part of the networks).
    pub readings: bool,
    /// Sites with VPN gateways and border routers.
    pub hybrid: bool,
    /// VPC NAT gateways.
    pub inner: bool,
    /// Endpoints of gateway load balancers.
    pub inspectors: bool,
    /// IPv6 addresses of load balancers.
    pub dual: bool,
}

impl Features {
    /// Every feature.
    #[must_use]
    pub fn all() -> Self {
        Features {
            vpcs: true,
            interleaved: false,
            acls: true,
            routes: true,
            appliances: true,
            public: true,
            binded: true,
            nat: true,
            gateways: true,
            ipv6: true,
            secondary: true,
            ha_vips: true,
            prefix_lists: true,
            services: true,
            balancers: true,
            firewalls: true,
            vpc_firewalls: true,
            private_link: true,
            joined: true,
            readings: true,
            hybrid: true,
            inner: true,
            inspectors: true,
            dual: true,
        }
    }

    /// Security groups only, in one VPC: the simplest networks.
    #[must_use]
    pub fn groups_only() -> Self {
        Features {
            vpcs: false,
            interleaved: false,
            acls: false,
            routes: false,
            appliances: false,
            public: false,
            binded: false,
            nat: false,
            gateways: false,
            ipv6: false,
            secondary: false,
            ha_vips: false,
            prefix_lists: false,
            services: false,
            balancers: false,
            firewalls: false,
            vpc_firewalls: false,
            private_link: false,
            joined: false,
            readings: false,
            hybrid: false,
            inner: false,
            inspectors: false,
            dual: false,
        }
    }

    /// The feature of this name turned off; `None` when there is none of that name.
    #[must_use]
    pub fn without(mut self, name: &str) -> Option<Self> {
        let flag = match name {
            "vpcs" => &mut self.vpcs,
            "acls" => &mut self.acls,
            "routes" => &mut self.routes,
            "appliances" => &mut self.appliances,
            "public" => &mut self.public,
            "binded" => &mut self.binded,
            "nat" => &mut self.nat,
            "gateways" => &mut self.gateways,
            "ipv6" => &mut self.ipv6,
            "secondary" => &mut self.secondary,
            "ha-vips" => &mut self.ha_vips,
            "prefix-lists" => &mut self.prefix_lists,
            "services" => &mut self.services,
            "balancers" => &mut self.balancers,
            "firewalls" => &mut self.firewalls,
            "vpc-firewalls" => &mut self.vpc_firewalls,
            "private-link" => &mut self.private_link,
            "joined" => &mut self.joined,
            "readings" => &mut self.readings,
            "hybrid" => &mut self.hybrid,
            "inner" => &mut self.inner,
            "inspectors" => &mut self.inspectors,
            "dual" => &mut self.dual,
            _ => return None,
        };
        *flag = false;
        Some(self)
    }
}

/// A VPC as the generator knows it.
struct VpcG {
    id: VpcId,
    /// Second octet of its IPv4 block.
    octet: usize,
    /// Third group of its IPv6 block, its own.
    v6: usize,
    cidr: String,
    vswitches: Vec<VswitchG>,
    groups: Vec<(SecurityGroupId, String, GroupKind)>,
    interfaces: Vec<InterfaceId>,
    gateway4: Option<(Ipv4GatewayId, bool)>,
    gateway6: Option<Ipv6GatewayId>,
    nats: Vec<NatId>,
    inspectors: Vec<InterfaceId>,
}

struct VswitchG {
    id: VswitchId,
    cidr: String,
    /// First three octets.
    base: String,
    /// IPv6 prefix up to `::`, when on.
    v6: Option<String>,
    next_host: usize,
    table: RouteTableId,
}

struct Gen<'r> {
    r: &'r mut Rng,
    f: Features,
    b: InventoryBuilder,
    vpcs: Vec<VpcG>,
    /// Prefix lists of IPv4 and of IPv6.
    lists4: Vec<(PrefixListId, String, Vec<String>)>,
    lists6: Vec<(PrefixListId, String, Vec<String>)>,
    /// Private addresses given out, as text, per family.
    hosts4: Vec<String>,
    hosts6: Vec<String>,
    next_public: usize,
    /// Destinations in use per table.
    taken: BTreeSet<(RouteTableId, String)>,
}

/// Clients on the Internet that rules and routes single out.
pub(crate) const CLIENTS4: [&str; 4] = [
    "198.51.100.1/32",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "198.51.100.0/31",
];
const CLIENTS6: [&str; 3] = ["2001:db8:ffff::1/128", "2001:db8:ffff::/48", "2400::/12"];

/// A random small network. The same generator state gives the same network.
#[must_use]
pub fn random_inventory(r: &mut Rng, f: Features) -> Inventory {
    let mut g = Gen {
        r,
        f,
        b: InventoryBuilder::new(),
        vpcs: Vec::new(),
        lists4: Vec::new(),
        lists6: Vec::new(),
        hosts4: Vec::new(),
        hosts6: Vec::new(),
        next_public: 1,
        taken: BTreeSet::new(),
    };
    g.topology();
    g.interfaces();
    g.prefix_lists();
    g.edges();
    g.services();
    g.balancers();
    g.endpoints();
    g.joined();
    g.inner();
    g.policy();
    g.firewalls();
    g.user_cidrs();
    g.b.build()
}

impl Gen<'_> {
    fn some<T: Clone>(&mut self, list: &[T]) -> Option<T> {
        self.r.pick(list).cloned()
    }

    fn public_ip(&mut self) -> String {
        self.next_public += 1;
        format!("47.0.0.{}", self.next_public)
    }

    /// VPCs, vSwitches and groups.
    fn topology(&mut self) {
        let n = if self.f.interleaved {
            self.r.between(2, 4)
        } else if self.f.vpcs && self.f.joined {
            *self.r.pick(&[1, 1, 2, 2, 3, 4]).unwrap_or(&1)
        } else if self.f.vpcs {
            *self.r.pick(&[1, 1, 1, 2, 2, 3]).unwrap_or(&1)
        } else {
            1
        };
        for i in 0..n {
            // Equal blocks in different VPCs are normal life and must not be confused.
            let same = i > 0 && self.r.chance(40);
            let octet = if same || self.f.interleaved { 0 } else { i };
            let cidr = format!("10.{octet}.0.0/16");
            let id = self.b.vpc(&format!("vpc{i}"), &cidr);
            let mut v = VpcG {
                id,
                octet,
                v6: i,
                cidr,
                vswitches: Vec::new(),
                groups: Vec::new(),
                interfaces: Vec::new(),
                gateway4: None,
                gateway6: None,
                nats: Vec::new(),
                inspectors: Vec::new(),
            };
            for j in 0..self.r.between(1, 3) {
                let third = if self.f.interleaved { 8 * j + i } else { j };
                let base = format!("10.{}.{third}", v.octet);
                let cidr = format!("{base}.0/27");
                let name = format!("v{i}{j}");
                let vsw = self.b.vswitch(&name, id, &cidr);
                let v6 = (self.f.ipv6 && self.r.chance(60)).then(|| format!("2001:db8:{}:{j}::", v.v6));
                if let Some(p) = &v6 {
                    self.b.vswitch_ipv6(vsw, &format!("{p}/64"));
                }
                let table = self.b.system_table(id);
                v.vswitches.push(VswitchG {
                    id: vsw,
                    cidr,
                    base,
                    v6,
                    next_host: 1,
                    table,
                });
            }
            let enterprise = self.r.chance(20);
            for k in 0..self.r.between(1, 3) {
                let kind = match self.r.below(10) {
                    _ if enterprise && k == 0 => GroupKind::Enterprise,
                    0..3 => GroupKind::BasicAccept,
                    3..8 => GroupKind::BasicDrop,
                    _ => GroupKind::Enterprise,
                };
                let name = format!("g{i}{k}");
                v.groups.push((self.b.sg(&name, id, kind), name, kind));
            }
            self.vpcs.push(v);
        }
    }

    /// ENIs and their addresses.
    fn interfaces(&mut self) {
        let total = self.r.between(2, 6);
        for n in 0..total {
            let v = if n < self.vpcs.len() {
                n
            } else {
                self.r.below(self.vpcs.len())
            };
            let s = self.r.below(self.vpcs[v].vswitches.len());
            let groups = self.group_set(v);
            let ip = self.host4(v, s);
            let vsw = self.vpcs[v].vswitches[s].id;
            let first = self.vpcs[v].interfaces.first().copied();
            let eni = match first {
                Some(of) if self.f.secondary && self.r.chance(20) => {
                    self.b.secondary_eni(&format!("eni{n}"), of, vsw, &groups, &ip)
                }
                _ => self.b.eni(&format!("i{n}"), vsw, &groups, &ip),
            };
            self.vpcs[v].interfaces.push(eni);
            if self.f.secondary && self.r.chance(15) {
                let ip = self.host4(v, s);
                self.b.secondary_ip(eni, &ip);
            }
            if self.f.secondary && self.r.chance(6) {
                // In the upper half of the vSwitch, where no single address is given out.
                let block = format!("{}.16/30", self.vpcs[v].vswitches[s].base);
                if !self.hosts4.contains(&block) {
                    self.hosts4.push(block.clone());
                    self.b.prefix(eni, &block);
                }
            }
            let v6 = self.vpcs[v].vswitches[s].v6.clone();
            if let Some(p) = v6.filter(|_| self.r.chance(75)) {
                let ip = format!("{p}{}", 16 + n);
                let access = match self.r.below(5) {
                    0 => Ipv6Access::Private,
                    1 => Ipv6Access::EgressOnly,
                    _ => Ipv6Access::Both,
                };
                self.b.ipv6(eni, &ip, access);
                self.hosts6.push(ip);
            }
            if self.r.chance(25) {
                let on = self.r.chance(40);
                self.b.source_dest_check(eni, on);
            }
        }
        if self.f.ha_vips && self.r.chance(15) {
            self.ha_vip();
        }
    }

    /// One to three groups of one kind.
    fn group_set(&mut self, v: usize) -> Vec<SecurityGroupId> {
        let all = &self.vpcs[v].groups;
        let Some(first) = self.r.pick(all) else {
            return Vec::new();
        };
        let enterprise = first.2 == GroupKind::Enterprise;
        let mut out = vec![first.0];
        for (g, _, k) in all {
            if (*k == GroupKind::Enterprise) == enterprise && self.r.chance(30) {
                out.push(*g);
            }
        }
        out
    }

    /// The next address of a vSwitch.
    fn host4(&mut self, v: usize, s: usize) -> String {
        let sw = &mut self.vpcs[v].vswitches[s];
        let ip = format!("{}.{}", sw.base, sw.next_host);
        // Six ENIs with a secondary address each and a HaVip need 13 of the 15 in the lower half.
        sw.next_host += 1;
        self.hosts4.push(ip.clone());
        ip
    }

    fn ha_vip(&mut self) {
        let v = self.r.below(self.vpcs.len());
        let s = self.r.below(self.vpcs[v].vswitches.len());
        let vsw = self.vpcs[v].vswitches[s].id;
        let here: Vec<InterfaceId> = self.vpcs[v]
            .interfaces
            .iter()
            .copied()
            .filter(|i| self.b.typed()[*i].vswitch.known() == Some(&vsw) && self.b.typed()[*i].primary)
            .take(2)
            .collect();
        if !here.is_empty() {
            let ip = self.host4(v, s);
            self.b.ha_vip("h", vsw, &ip, &here);
        }
    }

    fn prefix_lists(&mut self) {
        if !self.f.prefix_lists {
            return;
        }
        for n in 0..self.r.below(3) {
            let six = self.f.ipv6 && self.r.chance(30);
            let mut entries: Vec<String> = Vec::new();
            for _ in 0..self.r.between(0, 3) {
                let c = if six { self.cidr6() } else { self.cidr4() };
                if !entries.contains(&c) {
                    entries.push(c);
                }
            }
            let refs: Vec<&str> = entries.iter().map(String::as_str).collect();
            let name = format!("pl{n}");
            let id = self.b.prefix_list(&name, &refs);
            let lists = if six { &mut self.lists6 } else { &mut self.lists4 };
            lists.push((id, name, entries));
        }
    }

    /// An IPv4 prefix that is likely to cut something.
    fn cidr4(&mut self) -> String {
        match self.r.below(13) {
            0 | 1 => "0.0.0.0/0".into(),
            2 => self
                .some(&["0.0.0.0/1", "128.0.0.0/1"])
                .unwrap_or("0.0.0.0/1")
                .into(),
            3 => "10.0.0.0/8".into(),
            4 => {
                let v = self.r.below(self.vpcs.len());
                self.vpcs[v].cidr.clone()
            }
            5 | 6 => {
                let v = self.r.below(self.vpcs.len());
                let s = self.r.below(self.vpcs[v].vswitches.len());
                self.vpcs[v].vswitches[s].cidr.clone()
            }
            7 => self.some(&CLIENTS4).unwrap_or(CLIENTS4[0]).into(),
            8 if self.f.public || self.f.nat => self
                .some(&["47.0.0.0/24", "47.0.0.2/32", "47.0.0.2/31", "47.0.0.4/30"])
                .unwrap_or("47.0.0.0/24")
                .into(),
            _ => {
                let hosts = self.hosts4.clone();
                let host = self.some(&hosts).unwrap_or_else(|| "10.0.0.1".into());
                let host = host.split('/').next().unwrap_or("10.0.0.1").to_string();
                let len = self.some(&[32, 32, 31, 30, 29]).unwrap_or(32);
                truncated(&format!("{host}/{len}"))
            }
        }
    }

    /// An IPv6 prefix that is likely to cut something.
    fn cidr6(&mut self) -> String {
        match self.r.below(8) {
            0 | 1 => "::/0".into(),
            2 => "2001:db8::/32".into(),
            3 => self.some(&CLIENTS6).unwrap_or(CLIENTS6[0]).into(),
            4 => {
                let v = self.r.below(self.vpcs.len());
                format!("2001:db8:{}::/48", self.vpcs[v].v6)
            }
            _ => {
                let hosts = self.hosts6.clone();
                let host = self.some(&hosts).unwrap_or_else(|| "2001:db8::1".into());
                let len = self.some(&[128, 128, 127, 124, 64]).unwrap_or(128);
                truncated(&format!("{host}/{len}"))
            }
        }
    }

    /// A prefix of either family.
    fn cidr(&mut self) -> String {
        if self.f.ipv6 && !self.hosts6.is_empty() && self.r.chance(30) {
            self.cidr6()
        } else {
            self.cidr4()
        }
    }
}

fn truncated(cidr: &str) -> String {
    let net: ipnet::IpNet = crate::text::must(cidr.parse());
    net.trunc().to_string()
}
