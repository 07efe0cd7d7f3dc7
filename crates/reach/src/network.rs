//! An inventory resolved for packets.
//!
//! Nothing in here is Alibaba's: rule lists in order, stateless lists, route tables, interfaces and the exits
//! and entries of the public Internet. What the vendor means by its resources is decided in `compile`.

use crate::lookup::{Index, candidates};
use crate::point::Point;
use bartizan_model::{
    AclId, AttachmentId, BalancerId, DataServiceId, EipId, FirewallId, HaVipId, InterfaceId, NatId,
    PeeringId, Readings, RouteTableId, RouterInterfaceId, SecurityGroupId, SiteId, Use, VpcId, VpnGatewayId,
    VswitchId,
};
use bartizan_packet::{AtomSet, IpSet, PortSet, ServiceAtoms, ServiceSet};
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

/// Which of the possible networks is meant where the inventory is not fully known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The network that lets through everything that *some* completion of the unknowns lets through. A path
    /// that is absent here is absent in every completion: for `never` and `only`.
    Widen,
    /// The network that lets through only what *every* completion lets through: for `must`.
    Narrow,
}

/// Stands for the groups of an interface whose groups are not known: rules that name a group and take part in
/// what is uncertain match it as well.
pub(crate) const SOME_GROUP: SecurityGroupId = SecurityGroupId(u32::MAX);

/// What the peer side of a rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// Addresses.
    Ips(Arc<IpSet>),
    /// Private addresses of members of a group, in the same VPC.
    Group(SecurityGroupId),
    /// As `Group`, the primary addresses and those of IPv6 alone (A-SG-1).
    Primary(SecurityGroupId),
    /// Interfaces that are members of a group themselves: the intra-group policy goes by interface, not by
    /// address (ALIBABA.md §5.5 step 1).
    Member(SecurityGroupId),
    /// Everything.
    Any,
}

/// Where a rule of a list comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleRef {
    /// A security group rule: index into `Typed::sg_rules`.
    Sg(u32),
    /// The intra-group policy of a basic group (ALIBABA.md §5.5 step 1).
    Inner(SecurityGroupId),
    /// The default of the group type (ALIBABA.md §5.5 step 3).
    #[default]
    Default,
    /// A group that is attached but not known; it may hold any rule.
    UnknownGroup,
    /// An entry of a network ACL: the ACL, `true` for ingress, the position.
    Acl(AclId, bool, u32),
    /// The end of a network ACL (A-NACL-1).
    AclEnd(AclId, bool),
    /// A network ACL whose entries are not known.
    AclUnknown(AclId),
    /// An entry of the allow list of a data service: the service, the position.
    Allow(DataServiceId, u32),
    /// The end of an allow list: nobody else may connect.
    AllowEnd(DataServiceId),
    /// A data service opens no connections (A-DB-1).
    NoClient(DataServiceId),
    /// The access list of a listener turns clients away: the balancer, the listener.
    Listener(BalancerId, u32),
    /// No listener of the balancer listens on it.
    NotListening(BalancerId),
    /// A listener takes it in, and nothing in front of it objects.
    Listening(BalancerId),
    /// A balancer opens connections to its backends only.
    BackendsOnly(BalancerId),
    /// A policy of a firewall: the firewall, its position.
    Firewall(FirewallId, u32),
    /// No policy of a firewall matches, which lets pass.
    FirewallEnd(FirewallId),
    /// Nothing of ours filters at a site that is not in the cloud.
    Site,
}

/// One rule of a first-match list.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Where it comes from.
    pub from: RuleRef,
    /// `true` accepts.
    pub accept: bool,
    /// The services, as atoms.
    pub atoms: Arc<AtomSet>,
    /// The services.
    pub services: Arc<ServiceSet>,
    /// The peer.
    pub peer: Match,
    /// Between which IPv4 addresses peers lie that match: known without a look at the set.
    span: (u32, u32),
}

impl Rule {
    /// A rule.
    pub(crate) fn new(
        from: RuleRef,
        accept: bool,
        (services, atoms): (Arc<ServiceSet>, Arc<AtomSet>),
        peer: Match,
    ) -> Self {
        let span = match &peer {
            Match::Ips(s) => match s.v4.ranges() {
                [] => (1, 0),
                all => (all[0].0, all[all.len() - 1].1),
            },
            _ => (0, u32::MAX),
        };
        Rule {
            from,
            accept,
            atoms,
            services,
            peer,
            span,
        }
    }

    /// Whether it matches a peer.
    pub(crate) fn matches(&self, peer: crate::point::PeerView<'_>) -> bool {
        let near = |a: u32| self.span.0 <= a && a <= self.span.1;
        !matches!(peer.ip, IpAddr::V4(a) if !near(a.into())) && crate::point::matches(&self.peer, peer)
    }
}

/// A first-match list: the first rule that matches decides; `default` where none does.
#[derive(Clone, Debug, Default)]
pub struct RuleList {
    /// In order of strength.
    pub rules: Vec<Rule>,
    /// What happens to the rest.
    pub default_accept: bool,
    /// What the default is called.
    pub default_ref: RuleRef,
}

/// Security treatment of an interface: the groups it is in, merged.
#[derive(Clone, Debug, Default)]
pub struct GroupSet {
    /// The groups, sorted. An id of no group of the inventory stands for groups that are not known.
    pub groups: Vec<SecurityGroupId>,
    /// Merged ingress rules.
    pub ingress: RuleList,
    /// Merged egress rules.
    pub egress: RuleList,
    /// Whether replies are judged as well (A-SG-3).
    pub stateless: bool,
}

/// The stateless filter of a vSwitch.
#[derive(Clone, Debug)]
pub struct Acl {
    /// The ACL.
    pub id: AclId,
    /// Packets towards the vSwitch.
    pub ingress: RuleList,
    /// Packets from the vSwitch.
    pub egress: RuleList,
}

/// What a route does with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hop {
    /// Delivered inside the VPC.
    Local,
    /// Handed to an interface that forwards.
    Interface(InterfaceId),
    /// Handed to whichever interface holds the virtual IP.
    HaVip(HaVipId),
    /// To a NAT gateway.
    Nat(NatId),
    /// To the IPv4 gateway.
    Ipv4Gateway,
    /// To the IPv6 gateway.
    Ipv6Gateway,
    /// Into the VPC at the other end of a peering connection.
    Peering(PeeringId, VpcId),
    /// To a transit router, by an attachment.
    Attachment(AttachmentId),
    /// To a VPN gateway.
    Vpn(VpnGatewayId),
    /// To the other end of a router interface.
    RouterInterface(RouterInterfaceId),
    /// To something that is not modelled; treated as a drop and listed as a gap.
    Unmodelled,
}

/// Where a route comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RouteRef {
    /// The system entry of a vSwitch block.
    Local,
    /// The system entry that an IPv6 gateway adds.
    SystemIpv6,
    /// The entry for a custom block of a VPC NAT gateway that the cloud may add (A-NAT-2).
    NatBlock(NatId),
    /// A custom entry: index into `Typed::route_entries`.
    Entry(u32),
    /// Written by a transit router through an attachment.
    Propagated(AttachmentId),
    /// Written by a VPN gateway.
    Published(VpnGatewayId),
}

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// Destination.
    pub ips: IpSet,
    /// Prefix length; the longest wins, custom before local at the same length (A-ROUTE-1).
    pub length: u8,
    /// Next hops; several are ECMP.
    pub hops: Vec<Hop>,
    /// Where it comes from.
    pub from: RouteRef,
    /// Whether it is not known to exist or to match: both outcomes are possible.
    pub optional: bool,
}

/// A route table, strongest route first.
#[derive(Clone, Debug)]
pub struct Table {
    /// The table.
    pub id: RouteTableId,
    /// Longest prefix first, custom before local. Where there is an index, one that came later stands at the end; one for
    /// no address is the place of one that is gone.
    pub routes: Vec<Route>,
    /// Made when the table is complete.
    pub(crate) index: Option<Index>,
}

impl Table {
    /// The table is complete: from now on a lookup does not go through all of it.
    pub(crate) fn complete(&mut self) {
        self.index = Index::new(self.routes.iter().map(|r| &r.ips));
    }

    /// The routes that may decide for `ip`: the strongest match, and after an optional one the next.
    pub fn lookup(&self, ip: IpAddr) -> impl Iterator<Item = &Route> {
        let mut done = false;
        candidates(&self.routes, self.index.as_ref(), ip)
            .filter(move |r| r.ips.contains(ip))
            .take_while(move |r| {
                let take = !done;
                done = !r.optional;
                take
            })
    }
}

/// A vSwitch.
#[derive(Clone, Debug)]
pub struct Vsw {
    /// Its VPC.
    pub vpc: VpcId,
    /// The tables that may forward for it; one unless the binding is unknown.
    pub tables: Vec<u32>,
    /// Index into [`Network::acls`], if filtered.
    pub acl: Option<u32>,
}

/// A public IPv4 address that an interface owns.
#[derive(Clone, Debug)]
pub struct OwnPublic {
    /// Index into `Interface::public` of the model.
    pub index: u32,
    /// The address, or the region where it may be.
    pub ips: Arc<IpSet>,
    /// Whether the network ACL is bypassed (ENI-visible mode).
    pub bypass_acl: bool,
    /// The EIP that it is, if it is one.
    pub eip: Option<EipId>,
}

/// An IP mapping as a way out (docs/decisions/026).
#[derive(Clone, Debug)]
pub struct Mapped {
    /// Index into `Typed::dnat_entries`.
    pub entry: u32,
    /// The NAT gateway.
    pub nat: NatId,
    /// The one address that leaves by it, where that is one of a block.
    pub to: Option<IpAddr>,
    /// Whether SNAT entries may be used in its place.
    pub optional: bool,
    /// The EIP that its address is, if it is one.
    pub eip: Option<EipId>,
    /// The public address, or the region where it may be. Empty only when narrowing: it is not known.
    pub ips: Arc<IpSet>,
}

/// A DNAT entry that leads to an address.
#[derive(Clone, Debug)]
pub struct DnatIn {
    /// Index into `Typed::dnat_entries`.
    pub entry: u32,
    /// The NAT gateway.
    pub nat: NatId,
    /// The public address, or the region where it may be.
    pub ips: Arc<IpSet>,
    /// The one address that it leads to, where that is one of a block.
    pub to: Option<IpAddr>,
    /// The EIP that it is, if it is one.
    pub eip: Option<EipId>,
    /// Ports on the public address and on the private one; `None` maps every service to itself.
    pub ports: Option<((u16, u16), (u16, u16))>,
    /// Protocols.
    pub tcp: bool,
    /// Protocols.
    pub udp: bool,
}

impl DnatIn {
    /// Whether it leads to an address of those that it is listed at.
    #[must_use]
    pub fn leads_to(&self, ip: IpAddr) -> bool {
        self.to.is_none_or(|to| to == ip)
    }
    /// The positions of those that lead to an address.
    pub(crate) fn leading(all: &[DnatIn], ip: IpAddr) -> impl Iterator<Item = usize> {
        let all = all.iter().enumerate();
        all.filter(move |(_, d)| d.leads_to(ip)).map(|(n, _)| n)
    }
    /// The services as delivered.
    #[must_use]
    pub fn internal(&self) -> ServiceSet {
        match self.ports {
            None => ServiceSet::any(),
            Some((_, (lo, hi))) => self.on(PortSet::range(lo, hi)),
        }
    }
    fn on(&self, p: PortSet) -> ServiceSet {
        let mut s = ServiceSet::empty();
        if self.tcp {
            s.tcp = p.clone();
        }
        if self.udp {
            s.udp = p;
        }
        s
    }
    /// The services as sent, of services as delivered.
    #[must_use]
    pub fn sent(&self, delivered: &ServiceSet) -> ServiceSet {
        let Some(((e0, _), (i0, i1))) = self.ports else {
            return delivered.clone();
        };
        let shift = |p: &PortSet| {
            PortSet::from_ranges(
                p.intersect(&PortSet::range(i0, i1))
                    .ranges()
                    .iter()
                    .map(|&(l, h)| (l - i0 + e0, h - i0 + e0)),
            )
        };
        let mut s = ServiceSet::empty();
        if self.tcp {
            s.tcp = shift(&delivered.tcp);
        }
        if self.udp {
            s.udp = shift(&delivered.udp);
        }
        s
    }
    /// The services as delivered, of services as sent.
    #[must_use]
    pub fn translate(&self, sent: &ServiceSet) -> ServiceSet {
        let Some(((e0, e1), (i0, _))) = self.ports else {
            return sent.clone();
        };
        let shift = |p: &PortSet| {
            PortSet::from_ranges(
                p.intersect(&PortSet::range(e0, e1))
                    .ranges()
                    .iter()
                    .map(|&(l, h)| (l - e0 + i0, h - e0 + i0)),
            )
        };
        let mut s = ServiceSet::empty();
        if self.tcp {
            s.tcp = shift(&sent.tcp);
        }
        if self.udp {
            s.udp = shift(&sent.udp);
        }
        s
    }
    /// The port as sent, of a port as delivered.
    #[must_use]
    pub fn external_port(&self, internal: u16) -> Option<u16> {
        match self.ports {
            None => Some(internal),
            Some(((e0, _), (i0, i1))) => (i0..=i1).contains(&internal).then(|| internal - i0 + e0),
        }
    }
}

/// Internet access of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct V6Access {
    /// Connections from the Internet are let in.
    pub inbound: bool,
    /// Connections to the Internet are let out.
    pub outbound: bool,
}

/// An address of an interface.
#[derive(Clone, Debug)]
pub struct Addr {
    /// The address, the delegated block, or every address that it may turn out to be; one family.
    pub region: IpSet,
    /// Whether it is *one unknown address* of the region rather than all of it.
    pub choice: bool,
    /// Public IPv4 addresses that map to it.
    pub own: Vec<OwnPublic>,
    /// Whether it has a public IPv4 address of its own; `None` where the only ones may not exist.
    pub has_own: Option<bool>,
    /// DNAT entries that lead to it.
    pub dnat: Vec<DnatIn>,
    /// IP mappings by which what it sends may leave (A-NAT-3).
    pub mapped: Vec<Mapped>,
    /// Those of VPC NAT gateways.
    pub inner: Vec<DnatIn>,
    /// IPv6 Internet access.
    pub v6: V6Access,
    /// Whether it is the primary IPv4 address or one of IPv6 (A-SG-1).
    pub primary: bool,
    /// The groups by which peers know the address, where they are not those of the interface: a virtual IP
    /// that several interfaces may hold counts as a member of all their groups.
    pub shared_groups: Option<Vec<SecurityGroupId>>,
}

impl Addr {
    /// An address that is one of a block here, of which somebody has every address.
    pub(crate) fn part(&self, ip: IpAddr) -> Option<IpAddr> {
        (!self.choice && self.region != IpSet::single(ip)).then_some(ip)
    }
}

/// An interface.
#[derive(Clone, Debug)]
pub struct Iface {
    /// The interface.
    pub id: InterfaceId,
    /// Its vSwitch.
    pub vswitch: VswitchId,
    /// Index into [`Network::group_sets`].
    pub groups: u32,
    /// Whether it forwards packets that are not its own.
    pub forwards: bool,
    /// Whether it has no private networking: an EIP in ENI-visible mode replaces it (ALIBABA.md §7.4).
    pub apart: bool,
    /// Whether a managed service answers here: no network ACL applies to it, and a public address of it needs
    /// neither route nor gateway (ALIBABA.md §15).
    pub service: Option<DataServiceId>,
    /// Whether a load balancer takes in connections here.
    pub front: Option<Front>,
    /// Whether it stands for a site that is not in the cloud (ALIBABA.md §11).
    pub site: Option<SiteId>,
    /// Whether it is the endpoint of a gateway load balancer: no group filters, IPv4 only (ALIBABA.md §9.6).
    pub inspects: bool,
    /// Its addresses.
    pub addrs: Vec<Addr>,
}

/// What an interface is as the front of a load balancer (ALIBABA.md §9, docs/decisions/011).
#[derive(Clone, Debug)]
pub struct Front {
    /// The balancer.
    pub balancer: BalancerId,
    /// What each listener takes in.
    pub listeners: Vec<Arc<AtomSet>>,
    /// Whether it is in no vSwitch: no ACL applies to it.
    pub detached: bool,
    /// Whether its public address needs neither route nor gateway (A-LB-2).
    pub free: bool,
    /// Where the address is that backends see, when it does not pass the client's on: one unknown address.
    pub back: Arc<IpSet>,
    /// Whether the groups of its backends do not count (A-CLB-1).
    pub exempt: bool,
    /// Whether it is an endpoint of PrivateLink: what it hands on enters another VPC by no route (docs/decisions/016).
    pub link: bool,
    /// Whether nothing is known of the address by which it sends, which belongs to nobody here: that of an endpoint, or
    /// of a CLB with an IPv6 address (A-PL-1, docs/decisions/024, 11).
    pub anyone: bool,
    /// Whether the ACL of the vSwitch that it hands on to filters that (A-PL-1).
    pub link_filtered: bool,
}

/// Whose address a backend sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RelaySource {
    /// The client's.
    Client,
    /// The balancer's own.
    Own,
    /// Not known.
    Either,
}

/// A load balancer hands on what one of its listeners takes in at one front to one backend.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The balancer.
    pub balancer: BalancerId,
    /// Position of the listener.
    pub listener: u32,
    /// Position of the backend in the listener's.
    pub forward: u32,
    /// The front.
    pub front: InterfaceId,
    /// The backend.
    pub to: InterfaceId,
    /// At which of its addresses it is reached, by position (docs/decisions/011, 20).
    pub at: Box<[u32]>,
    /// The one address that is meant, where one of those is a block or not known.
    pub ip: Option<IpAddr>,
    /// What the listener takes in.
    pub listen: Arc<AtomSet>,
    /// What arrives; `None` for what was sent.
    pub delivered: Option<Arc<AtomSet>>,
    /// Whose address the backend sees.
    pub source: RelaySource,
    /// Whether the backend is reached by IPv6 (docs/decisions/024, 9).
    pub ipv6: bool,
}

impl Relay {
    /// Whether it hands on to an address.
    pub(crate) fn reaches(&self, d: crate::point::Inside) -> bool {
        self.to == d.iface
            && self.ipv6 == d.ip.is_ipv6()
            && self.at.contains(&d.addr)
            && self.ip.is_none_or(|ip| ip == d.ip)
    }
}

/// One SNAT entry in force.
#[derive(Clone, Debug)]
pub struct Snat {
    /// Index into `Typed::snat_entries`.
    pub entry: u32,
    /// Private sources that it translates.
    pub sources: IpSet,
    /// Restricted to the interfaces of one vSwitch.
    pub vswitch: Option<VswitchId>,
    /// Whether it is not known to exist or to cover its sources.
    pub optional: bool,
    /// Prefix length of the source; the longest wins (A-NAT-1).
    pub length: u8,
    /// The public addresses it translates to, or the region where they may be.
    pub ips: Arc<IpSet>,
    /// The same one by one, where something tells them apart.
    pub each: Vec<(Option<EipId>, Arc<IpSet>)>,
}

/// A NAT gateway.
#[derive(Clone, Debug, Default)]
pub struct Nat {
    /// Its VPC, where known.
    pub vpc: Option<VpcId>,
    /// The vSwitch that it sits in, where known.
    pub vswitch: Option<VswitchId>,
    /// Whether it leads to the Internet.
    pub internet: bool,
    /// What it is as a VPC NAT gateway, if it is one (docs/decisions/020).
    pub inner: Option<Inner>,
    /// Destinations for which its own way out exists (ALIBABA.md §7.2).
    pub exit: IpSet,
    /// SNAT entries, longest source first.
    pub snat: Vec<Snat>,
}

/// What a VPC NAT gateway knows besides its entries.
#[derive(Clone, Debug)]
pub struct Inner {
    /// Its VPC.
    pub vpc: VpcId,
    /// The vSwitch that it sits in.
    pub zone: VswitchId,
    /// The block of that vSwitch.
    pub zone_block: IpSet,
    /// Its NAT IPs: what is for them is for the gateway itself.
    pub held: IpSet,
    /// The addresses that its VPC knows without a route.
    pub known: IpSet,
}

/// A VPC.
#[derive(Clone, Debug, Default)]
pub struct VpcNet {
    /// Whether an IPv4 gateway is active (ALIBABA.md §7.2).
    pub ipv4_gateway: bool,
    /// Whether the IPv4 gateway passes packets on. Differs from `ipv4_gateway` exactly where it is not known
    /// whether the gateway is active: then what happens with and without it both counts.
    pub ipv4_leads: bool,
    /// Whether it has an IPv6 gateway (ALIBABA.md §7.3).
    pub ipv6_gateway: bool,
    /// Gateway route table, index into [`Network::tables`].
    pub ingress_table: Option<u32>,
    /// The system table, index into [`Network::tables`].
    pub system_table: u32,
    /// Ranges that count as private destinations, whatever they are elsewhere (ALIBABA.md §2).
    pub user: IpSet,
    /// Whether there may be more of them.
    pub user_open: bool,
}

/// Something that the engine could not take into account; claims that touch it are undecided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Terraform address.
    pub address: Arc<str>,
    /// One line.
    pub why: String,
    /// Where it is written.
    pub origin: bartizan_model::Origin,
    /// The VPC that it touches; `None` may touch any.
    pub vpc: Option<VpcId>,
    /// The interfaces that packets may reach by it, where it can do nothing else; empty where it can.
    pub to: Vec<InterfaceId>,
    /// All that they may be reached on by it, if that is known.
    pub services: Option<ServiceSet>,
    /// It may also take away packets that are seen to travel: claims of presence that hold are undecided too.
    pub takes: bool,
}

/// A network, resolved for packets. Immutable.
#[derive(Clone, Debug)]
pub struct Network {
    /// Which of the possible networks this is.
    pub mode: Mode,
    /// The service atoms.
    pub atoms: ServiceAtoms,
    /// Distinct sets of security groups.
    pub group_sets: Vec<GroupSet>,
    /// Network ACLs in use.
    pub acls: Vec<Acl>,
    /// Route tables, by [`RouteTableId`].
    pub tables: Vec<Table>,
    /// vSwitches, by [`VswitchId`]; `None` where the VPC is unknown.
    pub vswitches: Vec<Option<Vsw>>,
    /// VPCs, by [`VpcId`].
    pub vpcs: Vec<VpcNet>,
    /// Interfaces, by [`InterfaceId`]; `None` where the vSwitch is unknown.
    pub ifaces: Vec<Option<Iface>>,
    /// NAT gateways, by [`NatId`].
    pub nats: Vec<Nat>,
    /// Members of each HaVip, by [`HaVipId`].
    pub ha_vips: Vec<Vec<InterfaceId>>,
    /// What joins VPCs.
    pub transit: crate::transit::Transit,
    /// What filters at the perimeter.
    pub perimeter: crate::firewall::Perimeter,
    /// What leads to sites.
    pub hybrid: crate::hybrid::Hybrid,
    /// What load balancers hand on.
    pub relays: Vec<Relay>,
    /// Positions in [`Network::relays`] by backend.
    pub(crate) behind: FxHashMap<InterfaceId, Vec<u32>>,
    /// Whether a front with an IPv6 address hands on: then clients of one family may reach addresses of the other.
    pub(crate) mixes: bool,
    /// By which groups the addresses of a VPC are known, where other VPCs can be reached: known addresses, and
    /// delegated blocks.
    pub(crate) known_as: FxHashMap<(VpcId, IpAddr), Vec<SecurityGroupId>>,
    pub(crate) blocks_known_as: Vec<(VpcId, IpSet, Vec<SecurityGroupId>)>,
    /// Those of primary addresses among them.
    pub(crate) known_primary: FxHashMap<(VpcId, IpAddr), Vec<SecurityGroupId>>,
    /// Public addresses that nobody in the inventory is known to own.
    pub outside: IpSet,
    /// What could not be taken into account.
    pub gaps: Vec<Gap>,
    /// What is decided about contested semantics.
    pub readings: Readings,
    pub(crate) says: Says,
    /// Whether some rule matches the primary addresses of a group alone (A-SG-1).
    pub(crate) primary_counts: bool,
    /// Atom sets that every evaluation needs.
    pub(crate) common: Common,
    /// What transit routers lead to, found when first asked for.
    pub(crate) elsewhere: OnceLock<Arc<crate::flow::Walked>>,
    /// What anything here tells apart, for packets that VPC NAT gateways translate; found when first asked for.
    pub(crate) inner_cuts: OnceLock<Arc<crate::flow::Cuts>>,
}

/// Contested semantics as this network has them (docs/decisions/018).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Says {
    /// An appliance may send on what it forwards from a public address of its own (A-APPL-1).
    pub(crate) translate: bool,
    /// The platform lets tcp/25 out (A-P25).
    pub(crate) smtp: bool,
    /// Any SNAT entry that covers a source may be used (A-NAT-1).
    pub(crate) any_snat: bool,
    /// Whether a public address or the route 0.0.0.0/0 takes what an interface sends (A-EIP-1).
    pub(crate) own: Use,
    /// ACLs of zone vSwitches filter what a router hands over (A-TR-2).
    pub(crate) zone_acls: bool,
    /// The inner policy joins members that see each other by public addresses (A-SG-4).
    pub(crate) public_members: bool,
    /// ACL entries for ingress mean source ports (A-NACL-2).
    pub(crate) source_ports: bool,
    /// Any route to an activated IPv4 gateway lets everybody in (A-IGW-1).
    pub(crate) any_gateway_route: bool,
    /// By interfaces that forward an address keeps its public address on the way to the IPv4 gateway (A-IGW-2).
    pub(crate) forwarded: bool,
}

/// Atom sets that every evaluation needs, made once.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    pub(crate) all: AtomSet,
    pub(crate) none: AtomSet,
    /// tcp/25 (A-P25).
    pub(crate) smtp: AtomSet,
    /// What a public IPv4 address carries (ALIBABA.md §7.4).
    pub(crate) public_v4: AtomSet,
    pub(crate) tcp_ephemeral: AtomSet,
    pub(crate) udp_ephemeral: AtomSet,
}

impl Common {
    pub(crate) fn new(atoms: &ServiceAtoms, eph: PortSet) -> Self {
        Common {
            all: atoms.all(),
            none: atoms.none(),
            smtp: atoms.touching(&ServiceSet::one(bartizan_packet::Proto::TCP, 25)),
            public_v4: atoms.touching(&ServiceSet {
                tcp: PortSet::full(),
                udp: PortSet::full(),
                icmp: PortSet::full(),
                ..ServiceSet::default()
            }),
            tcp_ephemeral: atoms.touching(&ServiceSet::tcp(eph.clone())),
            udp_ephemeral: atoms.touching(&ServiceSet::udp(eph)),
        }
    }
}

impl Iface {
    /// Whether no network ACL applies: a managed service (ALIBABA.md §15.3), a balancer that is in no vSwitch.
    pub(crate) fn no_acl(&self) -> bool {
        self.site.is_some() || self.service.is_some() || self.front.as_ref().is_some_and(|f| f.detached)
    }
    /// Whether its public addresses need neither route nor gateway (ALIBABA.md §15, A-LB-2).
    pub(crate) fn free_public(&self) -> bool {
        self.service.is_some() || self.free_front()
    }
    /// The same of a front, for addresses of both families (docs/decisions/024, 7).
    pub(crate) fn free_front(&self) -> bool {
        self.front.as_ref().is_some_and(|f| f.free)
    }
    /// Whether it is a balancer that is in no VPC: it is met over the Internet only.
    pub(crate) fn detached_front(&self) -> bool {
        self.front.as_ref().is_some_and(|f| f.detached)
    }
}

impl Network {
    /// Whether two points can be two ends of a flow by their families: of two that differ, only where a balancer with
    /// an IPv6 address may stand between them (docs/decisions/024, 14).
    #[must_use]
    pub fn may_meet(&self, s: Point, d: Point) -> bool {
        let behind = || matches!(d, Point::Inside(d) if self.mixes && self.relays_at(d).next().is_some());
        crate::ip_of(s).is_ipv4() == crate::ip_of(d).is_ipv4() || behind()
    }
    /// Whether IPv6 clients have an address to send to if they mean an interface: one of its own, or one of a balancer
    /// that hands on to it.
    #[must_use]
    pub fn takes_ipv6(&self, i: InterfaceId) -> bool {
        let mut seen = vec![i];
        let mut next = 0;
        while let Some(&i) = seen.get(next) {
            if self.has_ipv6(i) {
                return true;
            }
            let fronts = self.relays_to(i).map(|(_, r)| r.front).collect::<Vec<_>>();
            for f in fronts {
                if !seen.contains(&f) {
                    seen.push(f);
                }
            }
            next += 1;
        }
        false
    }
    /// Whether a packet changes its family on every way between two points: a balancer hands it on.
    pub(crate) fn turns(&self, s: Point, d: crate::point::Inside) -> bool {
        let own = matches!(s, Point::Inside(s) if s.iface == d.iface || self.is_front(s.iface));
        let apart = crate::ip_of(s).is_ipv4() != d.ip.is_ipv4();
        apart && !own && self.relays_at(d).next().is_some() && self.mixes
    }
    /// The interface behind an id, if it could be placed.
    #[must_use]
    pub fn iface(&self, id: InterfaceId) -> Option<&Iface> {
        self.ifaces.get(id.index()).and_then(Option::as_ref)
    }
    /// The groups by which an address of a VPC is known in it.
    pub(crate) fn groups_at(&self, vpc: VpcId, ip: IpAddr) -> &[SecurityGroupId] {
        if let Some(g) = self.known_as.get(&(vpc, ip)) {
            return g;
        }
        let mut blocks = self.blocks_known_as.iter();
        let block = blocks.find(|(v, ips, _)| *v == vpc && ips.contains(ip));
        block.map_or(&[], |(_, _, g)| g)
    }
    /// As [`Network::groups_at`], by primary addresses alone.
    pub(crate) fn primary_at(&self, vpc: VpcId, ip: IpAddr) -> &[SecurityGroupId] {
        self.known_primary.get(&(vpc, ip)).map_or(&[], |g| g)
    }
    /// The vSwitch of a placed interface.
    #[must_use]
    pub fn vsw(&self, id: VswitchId) -> Option<&Vsw> {
        self.vswitches.get(id.index()).and_then(Option::as_ref)
    }
    /// The VPC of a placed interface.
    #[must_use]
    pub fn vpc_of(&self, i: &Iface) -> Option<VpcId> {
        self.vsw(i.vswitch).map(|v| v.vpc)
    }
}
