//! Networks of any size from a seed, shaped like real ones.

use bartizan_base::{FileId, Span};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};
use ipnet::{IpNet, Ipv4Net};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::sync::Arc;

/// How permissive a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Wide prefixes, half of the groups with open egress: nearly every pair of zones is connected.
    Open,
    /// Default deny in both directions, narrow peers: few pairs are connected.
    Tight,
}

impl FromStr for Shape {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "open" => Ok(Shape::Open),
            "tight" => Ok(Shape::Tight),
            _ => Err(format!("`{s}` is not a shape; use `open` or `tight`")),
        }
    }
}

/// How VPCs hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estate {
    /// VPCs that nothing joins, endpoints without load balancers.
    Islands,
    /// Every VPC on one transit router with several tables, a tenth of the endpoints behind load balancers.
    Joined,
}

impl FromStr for Estate {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "islands" => Ok(Estate::Islands),
            "joined" => Ok(Estate::Joined),
            _ => Err(format!("`{s}` is not an estate; use `islands` or `joined`")),
        }
    }
}

/// What to generate.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Interfaces.
    pub enis: usize,
    /// Permissiveness.
    pub shape: Shape,
    /// How VPCs hang together.
    pub estate: Estate,
    /// Seed; equal seeds give equal networks.
    pub seed: u64,
}

impl Spec {
    /// Number of zones: 400 at 100,000 interfaces, fewer below.
    #[must_use]
    pub fn zones(&self) -> usize {
        (self.enis / 250).clamp(4, 400)
    }
}

/// SplitMix64: tiny, seedable, good enough to shape networks.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Rng(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).unwrap_or(0)
    }
    pub(crate) fn percent(&mut self, p: usize) -> bool {
        self.below(100) < p
    }
    pub(crate) fn pick<'a, T>(&mut self, v: &'a [T]) -> &'a T {
        &v[self.below(v.len())]
    }
}

fn span(line: usize) -> Span {
    let line = u32::try_from(line).unwrap_or(u32::MAX);
    Span {
        file: FileId(0),
        start: 0,
        end: 0,
        line,
        column: 1,
    }
}

pub(crate) fn origin(address: String, line: usize) -> Origin {
    Origin {
        address: address.into(),
        span: span(line),
        maybe: None,
    }
}

pub(crate) fn meta(address: String, line: usize) -> Meta {
    Meta {
        origin: origin(address, line),
        id: None,
        name: None,
        tags: Fact::Known(BTreeMap::new()),
        region: None,
    }
}

pub(crate) fn id(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

pub(crate) fn net(a: u32, len: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new(Ipv4Addr::from(a), len).unwrap_or_default()).trunc()
}

/// Makes a network. The zone of an interface is its tag `zone`.
#[must_use]
pub fn generate(spec: &Spec) -> Inventory {
    let mut g = Rng(spec.seed ^ 0xBA27_12A4);
    let mut t = Typed::default();
    let ports: Vec<(u16, u16)> = (0..180)
        .map(|i| {
            let lo = 20 + id(i * 37 + g.below(30)) as u16;
            (
                lo,
                if g.percent(15) {
                    lo + g.below(400) as u16
                } else {
                    lo
                },
            )
        })
        .collect();
    let services: Vec<ServiceSet> = ports
        .iter()
        .flat_map(|&(l, h)| {
            let p = PortSet::range(l, h);
            [ServiceSet::tcp(p.clone()), ServiceSet::udp(p)]
        })
        .collect();
    let per_vpc = 2000.min(spec.enis.max(1));
    let vpcs = spec.enis.div_ceil(per_vpc);
    let zones = spec.zones();
    let groups_per_vpc = (per_vpc / 5).max(4);
    let templates_per_vpc = (per_vpc * 3 / 20).max(4);
    let vsws_per_vpc = per_vpc.div_ceil(200);
    let mut line = 0;
    let mut next_line = || {
        line += 1;
        line
    };
    for v in 0..vpcs {
        let base = 10 << 24 | id(v) << 16;
        let vpc = VpcId(id(v));
        let system = RouteTableId(id(t.route_tables.len()));
        t.vpcs.push(Vpc {
            meta: meta(format!("alicloud_vpc.v{v}"), next_line()),
            cidrs: vec![Fact::Known(net(base, 16))],
            user_cidrs: vec![],
            system_table: system,
        });
        for (kind, name) in [
            (RouteTableKind::System, "system"),
            (RouteTableKind::Custom, "nat"),
        ] {
            t.route_tables.push(RouteTable {
                meta: meta(format!("alicloud_route_table.v{v}_{name}"), next_line()),
                vpc: Fact::Known(vpc),
                kind,
                propagation: Fact::Known(true),
            });
        }
        let nat_table = RouteTableId(system.0 + 1);
        // Every other vSwitch is filtered by one of two ACLs; every fifth has the NAT table.
        let mut acls = Vec::new();
        for a in 0..2 {
            acls.push(AclId(id(t.acls.len())));
            t.acls.push(acl(
                &mut g,
                vpc,
                base,
                &services,
                format!("alicloud_network_acl.v{v}_{a}"),
                next_line(),
            ));
        }
        let vsw0 = t.vswitches.len();
        for s in 0..vsws_per_vpc {
            t.vswitches.push(Vswitch {
                meta: meta(format!("alicloud_vswitch.v{v}_{s}"), next_line()),
                vpc: Fact::Known(vpc),
                cidr: Fact::Known(net(base | id(s) << 8, 24)),
                ipv6_cidr: None,
                table: Fact::Known(if s % 5 == 4 { nat_table } else { system }),
                acl: Fact::Known((s % 2 == 1).then(|| acls[(s / 2) % 2])),
            });
        }
        let nat = NatId(id(t.nat_gateways.len()));
        t.nat_gateways.push(NatGateway {
            meta: meta(format!("alicloud_nat_gateway.v{v}"), next_line()),
            vpc: Fact::Known(vpc),
            vswitch: Some(Fact::Known(VswitchId(id(vsw0)))),
            internet: Fact::Known(true),
            blocks: Vec::new(),
            ips: Vec::new(),
        });
        let nat_eip = EipId(id(t.eips.len()));
        t.eips.push(Eip {
            meta: meta(format!("alicloud_eip_address.nat{v}"), next_line()),
            ip: Fact::Known(IpAddr::V4(Ipv4Addr::from(47 << 24 | id(v) << 8 | 1))),
            bound: vec![EipTarget::Nat(nat)],
        });
        t.route_entries.push(RouteEntry {
            origin: origin(format!("alicloud_route_entry.v{v}_nat"), next_line()),
            table: Fact::Known(nat_table),
            destination: NetSpec::Net(Fact::Known(net(0, 0))),
            next_hops: vec![NextHop::Nat(nat)],
        });
        for s in (0..vsws_per_vpc).filter(|s| s % 5 == 4) {
            t.snat_entries.push(SnatEntry {
                origin: origin(format!("alicloud_snat_entry.v{v}_{s}"), next_line()),
                nat: Fact::Known(nat),
                source: SnatSource::Vswitch(Fact::Known(VswitchId(id(vsw0 + s)))),
                ips: vec![NatIp::Eip(nat_eip)],
            });
        }
        let sg0 = t.security_groups.len();
        for s in 0..groups_per_vpc {
            let sg = SecurityGroupId(id(t.security_groups.len()));
            t.security_groups.push(SecurityGroup {
                meta: meta(format!("alicloud_security_group.v{v}_{s}"), next_line()),
                vpc: Fact::Known(vpc),
                enterprise: Fact::Known(false),
                inner_accept: Fact::Known(spec.shape == Shape::Open && g.percent(20)),
            });
            rules(
                &mut g,
                &mut t,
                spec.shape,
                sg,
                (sg0, groups_per_vpc),
                base,
                &services,
                &mut next_line,
            );
        }
        let mut templates: Vec<(Vec<SecurityGroupId>, usize, usize)> = Vec::new();
        for _ in 0..templates_per_vpc {
            let mut set: Vec<SecurityGroupId> = (0..1 + g.below(3))
                .map(|_| SecurityGroupId(id(sg0 + g.below(groups_per_vpc))))
                .collect();
            set.sort_unstable();
            set.dedup();
            templates.push((set, g.below(zones), g.below(vsws_per_vpc)));
        }
        let mut used = vec![0u32; vsws_per_vpc];
        for e in 0..per_vpc.min(spec.enis - v * per_vpc) {
            let (set, zone, home) = g.pick(&templates).clone();
            // A tier lives in a home vSwitch and one for failover; a full one overflows to the next.
            let mut vsw = if g.percent(70) {
                home
            } else {
                (home + 1) % vsws_per_vpc
            };
            while used[vsw] >= 240 {
                vsw = (vsw + 1) % vsws_per_vpc;
            }
            used[vsw] += 1;
            let ip = IpAddr::V4(Ipv4Addr::from(base | id(vsw) << 8 | (used[vsw] + 1)));
            let address = format!("alicloud_instance.v{v}_{e}");
            let mut m = meta(address.clone(), next_line());
            let zone: Arc<str> = format!("z{zone}").into();
            m.tags = Fact::Known(BTreeMap::from([(Arc::from("zone"), Fact::Known(zone))]));
            let mut public = Vec::new();
            if g.percent(1) && g.percent(40) {
                let eip = EipId(id(t.eips.len()));
                let addr = IpAddr::V4(Ipv4Addr::from(47 << 24 | 128 << 16 | id(t.eips.len())));
                t.eips.push(Eip {
                    meta: meta(format!("alicloud_eip_address.v{v}_{e}"), next_line()),
                    ip: Fact::Known(addr),
                    bound: vec![EipTarget::Interface(InterfaceId(id(t.interfaces.len())))],
                });
                public.push(PublicAddress {
                    origin: origin(format!("alicloud_eip_association.v{v}_{e}"), next_line()),
                    ip: Fact::Known(addr),
                    eip: Some(eip),
                    kind: PublicKind::Eip,
                    private: 0,
                });
            }
            let instance = InstanceId(id(t.instances.len()));
            t.instances.push(Instance { meta: m.clone() });
            t.interfaces.push(Interface {
                meta: m,
                instance: Some(instance),
                primary: true,
                vswitch: Fact::Known(VswitchId(id(vsw0 + vsw))),
                groups: Fact::Known(set),
                foreign_groups: vec![],
                addresses: vec![Address {
                    spec: AddressSpec::Ip(ip),
                    kind: AddressKind::Primary,
                    ipv6_internet: Ipv6Internet::None,
                }],
                source_dest_check: Fact::Known(Some(true)),
                public,
            });
        }
    }
    if spec.estate == Estate::Joined {
        crate::joined::join(&mut t, spec);
    }
    Inventory {
        typed: t,
        ..Inventory::empty(SourceKind::Generated)
    }
}

fn peer_net(g: &mut Rng, shape: Shape, base: u32) -> IpNet {
    let host = base | id(g.below(10)) << 8 | id(g.below(256));
    match shape {
        Shape::Open => match g.below(5) {
            0 => net(0, 0),
            1 => net(10 << 24, 8),
            2 => net(base, 16),
            3 => net(host, 24),
            _ => net(host, 28),
        },
        Shape::Tight => net(host, *g.pick(&[24, 26, 28, 28, 30, 32])),
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one call site; the parts of one VPC under construction"
)]
fn rules(
    g: &mut Rng,
    t: &mut Typed,
    shape: Shape,
    sg: SecurityGroupId,
    (sg0, groups): (usize, usize),
    base: u32,
    services: &[ServiceSet],
    next_line: &mut dyn FnMut() -> usize,
) {
    let closed_egress = shape == Shape::Tight || g.percent(50);
    for dir in [Direction::Ingress, Direction::Egress] {
        for k in 0..25 {
            let last = k == 24 && dir == Direction::Egress && closed_egress;
            let accept = !(last || g.percent(5));
            let priority = if last {
                100
            } else {
                1 + id(g.below(if accept { 98 } else { 20 })) as u8
            };
            let services = if last || (shape == Shape::Open && g.percent(5)) {
                ServiceSet::any()
            } else {
                g.pick(services).clone()
            };
            let peer = if last {
                Peer::Net(NetSpec::Net(Fact::Known(net(0, 0))))
            } else if g.percent(50) {
                Peer::Group(SecurityGroupId(id(sg0 + g.below(groups))))
            } else {
                Peer::Net(NetSpec::Net(Fact::Known(peer_net(g, shape, base))))
            };
            t.sg_rules.push(SgRule {
                origin: origin(
                    format!("alicloud_security_group_rule.r{}", t.sg_rules.len()),
                    next_line(),
                ),
                group: Fact::Known(sg),
                direction: Fact::Known(dir),
                accept: Fact::Known(accept),
                priority: Fact::Known(priority),
                services: Fact::Known(services),
                peer,
            });
        }
    }
}

fn acl(
    g: &mut Rng,
    vpc: VpcId,
    base: u32,
    services: &[ServiceSet],
    address: String,
    line: usize,
) -> NetworkAcl {
    let mut list = |name: &str| {
        let mut es = Vec::new();
        for i in 0..8 {
            let (accept, services, peer) = match i {
                6 => (true, ServiceSet::tcp(PortSet::range(1024, 65535)), net(base, 16)),
                7 => (true, ServiceSet::any(), net(10 << 24, 8)),
                _ => (
                    g.percent(50),
                    g.pick(services).clone(),
                    net(base | id(g.below(10)) << 8, 24),
                ),
            };
            es.push(AclEntry {
                origin: origin(format!("{address}.{name}[{i}]"), line),
                name: None,
                accept: Fact::Known(accept),
                services: Fact::Known(services),
                peer: NetSpec::Net(Fact::Known(peer)),
            });
        }
        AclList::Entries(es)
    };
    let (ingress, egress) = (list("ingress"), list("egress"));
    NetworkAcl {
        meta: meta(address.clone(), line),
        vpc: Fact::Known(vpc),
        ingress,
        egress,
    }
}
