//! The inventory as plain known values.

mod edge;

use crate::balancer::{self, BalancerW};
use crate::firewall::{self, FirewallW};
use crate::hybrid::{self, HybridW};
use crate::oracle::GatewayRoutes;
use crate::rib::{AttachmentW, TrTableW};
use bartizan_model::{
    AclList, Assumption, Direction, DnatProtocol, Fact, Inventory, NetSpec, NextHop, Origin, Peer,
    PortMapping, Readings, RouteTableKind, Typed, Use, VpcId,
};
use bartizan_packet::ServiceSet;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// Why the oracle cannot interpret an inventory: something in it is unknown or not modelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported(pub String);

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the oracle cannot interpret this inventory: {}", self.0)
    }
}
impl std::error::Error for Unsupported {}

pub(crate) type Res<T> = Result<T, Unsupported>;

pub(crate) struct VpcW {
    /// The activated IPv4 gateway with its ingress table (§7.2); `None` when there is none or it is not
    /// activated ("before activation nothing changes").
    pub(crate) gateway4: Option<(usize, Option<usize>)>,
    /// IPv6 gateways (§7.3).
    pub(crate) gateways6: Vec<usize>,
    /// Ranges that count as private destinations (§2).
    pub(crate) user_cidrs: Vec<IpNet>,
    pub(crate) system_table: usize,
}

pub(crate) struct VswitchW {
    pub(crate) name: String,
    pub(crate) vpc: usize,
    pub(crate) cidr: IpNet,
    pub(crate) cidr6: Option<IpNet>,
    pub(crate) table: usize,
    pub(crate) acl: Option<usize>,
}

/// Where a route sends packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    Local,
    Interface(usize),
    HaVip(usize),
    Nat(usize),
    Gateway4(usize),
    Gateway6(usize),
    /// Into the VPC at the other end of a peering connection (§10.6).
    Peering(usize),
    /// To a transit router (§10).
    Attachment(usize),
    /// To a VPN gateway (§12).
    Vpn(usize),
    /// To the other end of a router interface (§11).
    Ri(usize),
    /// Not modelled: drops here.
    Unmodelled,
}

pub(crate) struct RouteW {
    pub(crate) net: IpNet,
    pub(crate) hops: Vec<Hop>,
    pub(crate) rank: Rank,
}

/// What beats what at the same prefix: custom entries system entries (A-ROUTE-1), both propagated ones (A-ROUTE-2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Propagated,
    System,
    Custom,
}

pub(crate) struct RuleW {
    pub(crate) direction: Direction,
    pub(crate) accept: bool,
    pub(crate) priority: u8,
    pub(crate) services: ServiceSet,
    pub(crate) peer: PeerW,
    pub(crate) name: String,
}

pub(crate) enum PeerW {
    Nets(Vec<IpNet>),
    Group(usize),
}

pub(crate) struct GroupW {
    pub(crate) name: String,
    pub(crate) enterprise: bool,
    pub(crate) inner_accept: bool,
    pub(crate) members: Vec<usize>,
    pub(crate) rules: Vec<RuleW>,
}

pub(crate) struct EntryW {
    pub(crate) accept: bool,
    pub(crate) services: ServiceSet,
    pub(crate) nets: Vec<IpNet>,
}

pub(crate) struct AclW {
    pub(crate) name: String,
    pub(crate) ingress: Vec<EntryW>,
    pub(crate) egress: Vec<EntryW>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum V6 {
    Private,
    Both,
    EgressOnly,
}

pub(crate) struct AddressW {
    /// One address as /32 or /128, or a delegated prefix.
    pub(crate) net: IpNet,
    pub(crate) v6: V6,
    /// Not a secondary address, delegated prefix or HaVip.
    pub(crate) primary: bool,
}

pub(crate) struct PublicW {
    pub(crate) ip: IpAddr,
    /// Position of the private address that it maps to.
    pub(crate) private: usize,
}

/// A managed data service (§15).
pub(crate) struct ServiceW {
    pub(crate) services: ServiceSet,
    pub(crate) nets: Vec<IpNet>,
    pub(crate) groups: Vec<usize>,
}

pub(crate) struct InterfaceW {
    pub(crate) name: String,
    /// Set where a managed service answers.
    pub(crate) service: Option<ServiceW>,
    pub(crate) vpc: usize,
    pub(crate) vswitch: usize,
    pub(crate) groups: Vec<usize>,
    pub(crate) addresses: Vec<AddressW>,
    pub(crate) source_dest_check: bool,
    pub(crate) public: Vec<PublicW>,
    /// Has an EIP in ENI-visible mode (§7.4).
    pub(crate) binded: bool,
    /// Is the endpoint of a gateway load balancer (021).
    pub(crate) inspects: bool,
}

impl InterfaceW {
    /// Whether `ip` is one of its private addresses, delegated prefixes and HaVips included (A-SG-1).
    pub(crate) fn owns(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|a| a.net.contains(&ip))
    }
}

pub(crate) struct SnatW {
    pub(crate) source: IpNet,
    /// Restricted to the interfaces of a vSwitch (§8.2).
    pub(crate) vswitch: Option<usize>,
    pub(crate) ips: Vec<IpAddr>,
}

pub(crate) struct DnatW {
    pub(crate) external: IpAddr,
    pub(crate) protocol: DnatProtocol,
    pub(crate) ports: Option<PortMapping>,
    pub(crate) target: IpAddr,
}

pub(crate) struct NatW {
    pub(crate) name: String,
    pub(crate) vpc: usize,
    pub(crate) vswitch: Option<usize>,
    pub(crate) internet: bool,
    /// NAT IPs of a VPC NAT gateway, and its custom blocks.
    pub(crate) ips: Vec<IpAddr>,
    pub(crate) blocks: Vec<IpNet>,
    pub(crate) snat: Vec<SnatW>,
    pub(crate) dnat: Vec<DnatW>,
}

/// Everything the interpreter looks at; indices are those of the typed layer.
pub(crate) struct World {
    pub(crate) vpcs: Vec<VpcW>,
    pub(crate) vswitches: Vec<VswitchW>,
    /// Routes per table, system entries included.
    pub(crate) tables: Vec<Vec<RouteW>>,
    pub(crate) groups: Vec<GroupW>,
    pub(crate) acls: Vec<AclW>,
    pub(crate) interfaces: Vec<InterfaceW>,
    pub(crate) nats: Vec<NatW>,
    /// Members per HaVip.
    pub(crate) ha_vips: Vec<Vec<usize>>,
    pub(crate) gateway_routes: GatewayRoutes,
    pub(crate) readings: Readings,
    /// Load balancers (§9).
    pub(crate) balancers: Vec<BalancerW>,
    /// Firewalls at the perimeter (§13).
    pub(crate) firewalls: Vec<FirewallW>,
    /// Links to other sites (§11, §12).
    pub(crate) hybrid: HybridW,
    /// Prefixes that rules and ACL entries name.
    pub(crate) mentioned: Vec<IpNet>,
    /// One IPv4 address of every stretch that nothing here tells apart.
    pub(crate) anywhere: Vec<IpAddr>,
    /// Ephemeral ports, one of every stretch that filters may treat alike.
    pub(crate) reply_ports: Vec<u16>,
    pub(crate) attachments: Vec<AttachmentW>,
    pub(crate) tr_tables: Vec<TrTableW>,
    /// Every public address that belongs to the inventory.
    pub(crate) owned: Vec<IpAddr>,
}

pub(crate) fn known<'a, T>(f: &'a Fact<T>, what: &str) -> Res<&'a T> {
    f.known().ok_or_else(|| {
        let why = f.unknown().map(|u| u.why.to_string()).unwrap_or_default();
        Unsupported(format!("{what} is not known ({why})"))
    })
}

pub(crate) fn exists(o: &Origin) -> Res<()> {
    match &o.maybe {
        None => Ok(()),
        Some(u) => Err(Unsupported(format!(
            "it is not known whether `{}` exists ({})",
            o.address, u.why
        ))),
    }
}

pub(crate) fn nets(t: &Typed, n: &NetSpec) -> Res<Vec<IpNet>> {
    match n {
        NetSpec::Net(n) => Ok(vec![known(n, "a prefix")?.trunc()]),
        NetSpec::PrefixList(p) => {
            let list = &t[*known(p, "a prefix list")?];
            exists(&list.meta.origin)?;
            known(&list.entries, "the entries of a prefix list")?
                .iter()
                .map(|e| Ok(known(e, "an entry of a prefix list")?.trunc()))
                .collect()
        }
    }
}

fn host(ip: IpAddr) -> IpNet {
    IpNet::from(ip)
}

impl World {
    /// Whether the second reading of a contested question is taken (docs/decisions/018).
    pub(crate) fn second(&self, a: Assumption) -> bool {
        self.readings.decided(a) == Some(Use::Second)
    }

    pub(crate) fn new(inv: &Inventory, gateway_routes: GatewayRoutes, readings: Readings) -> Res<World> {
        let t = &inv.typed;
        let mut w = World {
            vpcs: Vec::new(),
            vswitches: Vec::new(),
            tables: Vec::new(),
            groups: Vec::new(),
            acls: Vec::new(),
            interfaces: Vec::new(),
            nats: Vec::new(),
            ha_vips: Vec::new(),
            gateway_routes,
            readings,
            balancers: balancer::read(t)?,
            firewalls: firewall::read(t)?,
            hybrid: hybrid::read(t)?,
            mentioned: Vec::new(),
            anywhere: Vec::new(),
            reply_ports: Vec::new(),
            attachments: Vec::new(),
            tr_tables: Vec::new(),
            owned: Vec::new(),
        };
        w.network(t)?;
        w.transit(t)?;
        w.publish_vpn(t)?;
        w.filters(t)?;
        w.remember();
        w.interfaces(t)?;
        w.nats(t)?;
        w.anywhere = w.stretches();
        Ok(w)
    }

    /// Where stretches of IPv6 addresses begin that rules, lists and routes treat alike.
    pub(crate) fn starts6(&self) -> Vec<u128> {
        let mut starts = Vec::new();
        for n in self.compared() {
            if let IpNet::V6(n) = n {
                starts.push(n.network().into());
                starts.extend(u128::from(n.broadcast()).checked_add(1));
            }
        }
        starts
    }

    /// Every prefix that rules, lists and routes compare addresses with.
    fn compared(&self) -> impl Iterator<Item = &IpNet> {
        let filters = self.balancers.iter().flat_map(|b| &b.listeners);
        let filters = filters.filter_map(|l| l.filter.as_ref()).flat_map(|f| &f.1);
        let lists = self.interfaces.iter().filter_map(|i| i.service.as_ref());
        let routes = self.tables.iter().flatten().map(|r| &r.net);
        let learned = self.tr_tables.iter().flat_map(|t| &t.routes).map(|r| &r.net);
        let all = self.mentioned.iter().chain(filters).chain(routes).chain(learned);
        all.chain(lists.flat_map(|s| &s.nets))
            .chain(self.named_by_policies())
    }

    /// One IPv4 address of every stretch that they treat alike.
    fn stretches(&self) -> Vec<IpAddr> {
        // What follows the part of the address space that belongs to the cloud.
        let mut starts = vec![0u32, u32::from_be_bytes([100, 101, 0, 0])];
        for n in self.compared() {
            if let IpNet::V4(n) = n {
                starts.push(n.network().into());
                starts.extend(u32::from(n.broadcast()).checked_add(1));
            }
        }
        starts.sort_unstable();
        starts.dedup();
        starts.into_iter().map(|a| IpAddr::V4(a.into())).collect()
    }

    /// VPCs, gateways, vSwitches and route tables (§2, §3, §7).
    fn network(&mut self, t: &Typed) -> Res<()> {
        for v in &t.vpcs {
            exists(&v.meta.origin)?;
            let user_cidrs = v
                .user_cidrs
                .iter()
                .map(|c| known(c, "a user CIDR").copied())
                .collect::<Res<_>>()?;
            self.vpcs.push(VpcW {
                gateway4: None,
                gateways6: Vec::new(),
                user_cidrs,
                system_table: v.system_table.index(),
            });
        }
        for (i, g) in t.ipv4_gateways.iter().enumerate() {
            exists(&g.meta.origin)?;
            let vpc = known(&g.vpc, "the VPC of an IPv4 gateway")?.index();
            let table = match &g.ingress_table {
                Some(f) => Some(known(f, "the table of an IPv4 gateway")?.index()),
                None => None,
            };
            if *known(&g.enabled, "whether an IPv4 gateway is activated")? {
                self.vpcs[vpc].gateway4 = Some((i, table));
            }
        }
        for (i, g) in t.ipv6_gateways.iter().enumerate() {
            exists(&g.meta.origin)?;
            self.vpcs[known(&g.vpc, "the VPC of an IPv6 gateway")?.index()]
                .gateways6
                .push(i);
        }
        for v in &t.vswitches {
            exists(&v.meta.origin)?;
            let acl = *known(&v.acl, "the ACL of a vSwitch")?;
            self.vswitches.push(VswitchW {
                name: v.meta.origin.address.to_string(),
                vpc: known(&v.vpc, "the VPC of a vSwitch")?.index(),
                cidr: *known(&v.cidr, "the block of a vSwitch")?,
                cidr6: match &v.ipv6_cidr {
                    Some(n) => Some(known(n, "the IPv6 block of a vSwitch")?.trunc()),
                    None => None,
                },
                table: known(&v.table, "the table of a vSwitch")?.index(),
                acl: acl.map(bartizan_model::AclId::index),
            });
        }
        for table in &t.route_tables {
            exists(&table.meta.origin)?;
            let vpc = *known(&table.vpc, "the VPC of a route table")?;
            let mut routes = Vec::new();
            // §3.2: one local entry per vSwitch block of each family, in every table.
            for v in &t.vswitches {
                if v.vpc.known() != Some(&vpc) {
                    continue;
                }
                let mut local = |net: IpNet| {
                    routes.push(RouteW {
                        net,
                        hops: vec![Hop::Local],
                        rank: Rank::System,
                    })
                };
                local(known(&v.cidr, "the block of a vSwitch")?.trunc());
                if let Some(c) = &v.ipv6_cidr {
                    local(known(c, "the IPv6 block of a vSwitch")?.trunc());
                }
            }
            // §7.3: the route to the IPv6 gateway is added by the system.
            if !matches!(table.kind, RouteTableKind::Gateway | RouteTableKind::Border) {
                for &g in &self.vpcs[vpc.index()].gateways6 {
                    let all = IpNet::V6(ipnet::Ipv6Net::default());
                    routes.push(RouteW {
                        net: all,
                        hops: vec![Hop::Gateway6(g)],
                        rank: Rank::System,
                    });
                }
            }
            // 020, 2.
            if matches!(table.kind, RouteTableKind::System | RouteTableKind::Custom)
                && self.second(Assumption::Nat2)
            {
                for (g, n) in t.nat_gateways.iter().enumerate() {
                    if n.internet.known() == Some(&false) && n.vpc.known() == Some(&vpc) {
                        for b in &n.blocks {
                            routes.push(RouteW {
                                net: known(b, "a NAT block")?.trunc(),
                                hops: vec![Hop::Nat(g)],
                                rank: Rank::System,
                            });
                        }
                    }
                }
            }
            self.tables.push(routes);
        }
        for e in &t.route_entries {
            exists(&e.origin)?;
            let table = known(&e.table, "the table of a route")?.index();
            let vpc = t.route_tables[table].vpc.known().copied();
            let hops: Vec<Hop> = e.next_hops.iter().map(|h| hop(t, vpc, h)).collect::<Res<_>>()?;
            let kind = t.route_tables[table].kind;
            let steers = matches!(kind, RouteTableKind::System | RouteTableKind::Custom);
            for net in nets(t, &e.destination)? {
                // 018, 7.
                let mut near = t.vswitches.iter().filter(|v| v.vpc.known() == vpc.as_ref());
                let inside = near.any(|v| {
                    let blocks = std::iter::once(&v.cidr).chain(v.ipv6_cidr.as_ref());
                    blocks.filter_map(|b| b.known()).any(|b| b.contains(&net))
                });
                if steers && inside && self.second(Assumption::Route1) {
                    continue;
                }
                self.tables[table].push(RouteW {
                    net,
                    hops: hops.clone(),
                    rank: Rank::Custom,
                });
            }
        }
        Ok(())
    }

    /// Security groups and network ACLs (§5, §6).
    fn filters(&mut self, t: &Typed) -> Res<()> {
        for g in &t.security_groups {
            exists(&g.meta.origin)?;
            known(&g.vpc, "the VPC of a security group")?;
            self.groups.push(GroupW {
                name: g.meta.origin.address.to_string(),
                enterprise: *known(&g.enterprise, "the type of a security group")?,
                inner_accept: *known(&g.inner_accept, "the intra-group policy of a security group")?,
                members: Vec::new(),
                rules: Vec::new(),
            });
        }
        for r in &t.sg_rules {
            exists(&r.origin)?;
            let peer = match &r.peer {
                Peer::Net(n) => PeerW::Nets(nets(t, n)?),
                Peer::Group(g) => PeerW::Group(g.index()),
                Peer::ForeignGroup(g) => {
                    return Err(Unsupported(format!(
                        "the members of `{g}` are not in the inventory"
                    )));
                }
                Peer::Unknown(u) => {
                    return Err(Unsupported(format!(
                        "the peer of a rule is not known ({})",
                        u.why
                    )));
                }
            };
            self.groups[known(&r.group, "the group of a rule")?.index()]
                .rules
                .push(RuleW {
                    direction: *known(&r.direction, "the direction of a rule")?,
                    accept: *known(&r.accept, "the policy of a rule")?,
                    priority: *known(&r.priority, "the priority of a rule")?,
                    services: known(&r.services, "the services of a rule")?.clone(),
                    peer,
                    name: r.origin.address.to_string(),
                });
        }
        for a in &t.acls {
            exists(&a.meta.origin)?;
            let name = a.meta.origin.address.to_string();
            let list = |l: &AclList| -> Res<Vec<EntryW>> {
                let AclList::Entries(es) = l else {
                    return Err(Unsupported(format!(
                        "the entries of `{name}` are not set or not known"
                    )));
                };
                let one = |e: &bartizan_model::AclEntry| {
                    exists(&e.origin)?;
                    Ok(EntryW {
                        accept: *known(&e.accept, "the policy of an ACL entry")?,
                        services: known(&e.services, "the services of an ACL entry")?.clone(),
                        nets: nets(t, &e.peer)?,
                    })
                };
                es.iter().map(one).collect()
            };
            let (ingress, egress) = (list(&a.ingress)?, list(&a.egress)?);
            self.acls.push(AclW {
                name,
                ingress,
                egress,
            });
        }
        Ok(())
    }

    /// What filters tell apart.
    fn remember(&mut self) {
        // 018, 18.
        let (low, high) = if self.second(Assumption::Ephemeral) {
            (32768, 61000)
        } else {
            (1024, u16::MAX)
        };
        let mut starts = vec![low];
        let mut note = |s: &ServiceSet| {
            for &(l, h) in s.tcp.ranges().iter().chain(s.udp.ranges()) {
                starts.push(l);
                starts.extend(h.checked_add(1));
            }
        };
        for r in self.groups.iter().flat_map(|g| &g.rules) {
            note(&r.services);
            if let PeerW::Nets(n) = &r.peer {
                self.mentioned.extend(n);
            }
        }
        for e in self.acls.iter().flat_map(|a| a.ingress.iter().chain(&a.egress)) {
            note(&e.services);
            self.mentioned.extend(&e.nets);
        }
        starts.retain(|p| (low..=high).contains(p));
        starts.sort_unstable();
        starts.dedup();
        self.reply_ports = starts;
    }
}

fn hop(t: &Typed, vpc: Option<VpcId>, h: &NextHop) -> Res<Hop> {
    Ok(match h {
        NextHop::Interface(i) => Hop::Interface(i.index()),
        NextHop::HaVip(h) => Hop::HaVip(h.index()),
        NextHop::Nat(n) => Hop::Nat(n.index()),
        NextHop::Ipv4Gateway(g) => Hop::Gateway4(g.index()),
        NextHop::Ipv6Gateway(g) => Hop::Gateway6(g.index()),
        NextHop::Attachment(a) => Hop::Attachment(a.index()),
        NextHop::Vpn(g) => Hop::Vpn(g.index()),
        NextHop::RouterInterface(i) => Hop::Ri(i.index()),
        NextHop::Peering(p) => {
            let p = &t[*p];
            exists(&p.meta.origin)?;
            let (a, b) = (
                *known(&p.requester, "an end of a peering connection")?,
                *known(&p.accepter, "an end of a peering connection")?,
            );
            match vpc {
                Some(v) if v == a => Hop::Peering(b.index()),
                Some(v) if v == b => Hop::Peering(a.index()),
                _ => Hop::Unmodelled,
            }
        }
        NextHop::Unmodelled { .. } => Hop::Unmodelled,
        NextHop::Unknown(u) => return Err(Unsupported(format!("a next hop is not known ({})", u.why))),
    })
}
