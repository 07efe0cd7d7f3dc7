//! The typed layer: what matters to packets, with references resolved.

use crate::{
    Attachment, Balancer, BorderRouter, DataService, Fact, Firewall, Inspector, Peering, Proxy,
    PublishedRoute, RouteMap, RouterInterface, Shield, Site, SitePair, TrLink, TrRoute, TrTable,
    TransitRouter, Unknown, VpnConnection, VpnGateway, VpnRoute,
};
use bartizan_base::Span;
use bartizan_packet::ServiceSet;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident -> $field:ident : $ty:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $id(pub u32);

            impl $id {
                /// The position in its table.
                #[must_use]
                pub fn index(self) -> usize {
                    self.0 as usize
                }
            }

            impl std::ops::Index<$id> for Typed {
                type Output = $ty;
                fn index(&self, id: $id) -> &$ty {
                    // INVARIANT (typed ids): ids are made by `Typed::push_*` or checked by `check_ids`.
                    &self.$field[id.index()]
                }
            }
        )*
    };
}

ids! {
    /// Index into [`Typed::vpcs`].
    VpcId -> vpcs: Vpc;
    /// Index into [`Typed::vswitches`].
    VswitchId -> vswitches: Vswitch;
    /// Index into [`Typed::route_tables`].
    RouteTableId -> route_tables: RouteTable;
    /// Index into [`Typed::security_groups`].
    SecurityGroupId -> security_groups: SecurityGroup;
    /// Index into [`Typed::prefix_lists`].
    PrefixListId -> prefix_lists: PrefixList;
    /// Index into [`Typed::acls`].
    AclId -> acls: NetworkAcl;
    /// Index into [`Typed::instances`].
    InstanceId -> instances: Instance;
    /// Index into [`Typed::interfaces`].
    InterfaceId -> interfaces: Interface;
    /// Index into [`Typed::eips`].
    EipId -> eips: Eip;
    /// Index into [`Typed::nat_gateways`].
    NatId -> nat_gateways: NatGateway;
    /// Index into [`Typed::ipv4_gateways`].
    Ipv4GatewayId -> ipv4_gateways: Ipv4Gateway;
    /// Index into [`Typed::ipv6_gateways`].
    Ipv6GatewayId -> ipv6_gateways: Ipv6Gateway;
    /// Index into [`Typed::ha_vips`].
    HaVipId -> ha_vips: HaVip;
    /// Index into [`Typed::data_services`].
    DataServiceId -> data_services: DataService;
    /// Index into [`Typed::balancers`].
    BalancerId -> balancers: Balancer;
    /// Index into [`Typed::inspectors`].
    InspectorId -> inspectors: Inspector;
    /// Index into [`Typed::firewalls`].
    FirewallId -> firewalls: Firewall;
    /// Index into [`Typed::peerings`].
    PeeringId -> peerings: Peering;
    /// Index into [`Typed::transit_routers`].
    RouterId -> transit_routers: TransitRouter;
    /// Index into [`Typed::tr_tables`].
    TrTableId -> tr_tables: TrTable;
    /// Index into [`Typed::attachments`].
    AttachmentId -> attachments: Attachment;
    /// Index into [`Typed::sites`].
    SiteId -> sites: Site;
    /// Index into [`Typed::vpn_gateways`].
    VpnGatewayId -> vpn_gateways: VpnGateway;
    /// Index into [`Typed::vpn_connections`].
    VpnConnectionId -> vpn_connections: VpnConnection;
    /// Index into [`Typed::border_routers`].
    BorderRouterId -> border_routers: BorderRouter;
    /// Index into [`Typed::router_interfaces`].
    RouterInterfaceId -> router_interfaces: RouterInterface;
}

/// Where a fact comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Origin {
    /// Terraform address of the resource.
    pub address: Arc<str>,
    /// The block or entry that says it.
    pub span: Span,
    /// Set when it is not known whether it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maybe: Option<Box<Unknown>>,
}

impl Origin {
    /// It may not be there. What has been said of that before stays.
    pub fn doubt(&mut self, why: impl FnOnce() -> Unknown) {
        self.maybe.get_or_insert_with(|| Box::new(why()));
    }
}

/// Identity of a resource that people select by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Where it comes from.
    pub origin: Origin,
    /// Cloud id (`vpc-...`), where known.
    pub id: Option<Arc<str>>,
    /// Display name, where set.
    pub name: Option<Fact<Arc<str>>>,
    /// Tags; `Unknown` when the map as a whole is unknown.
    pub tags: Fact<BTreeMap<Arc<str>, Fact<Arc<str>>>>,
    /// Region, where known.
    pub region: Option<Arc<str>>,
}

impl Meta {
    /// Of something that is seen where something else names it: nobody selects by its name or its tags.
    #[must_use]
    pub fn nameless(origin: Origin) -> Self {
        Meta {
            origin,
            id: None,
            name: None,
            tags: Fact::Known(BTreeMap::new()),
            region: None,
        }
    }
}

/// A VPC (ALIBABA.md §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// Identity.
    pub meta: Meta,
    /// Primary and secondary blocks of both families.
    pub cidrs: Vec<Fact<IpNet>>,
    /// Ranges outside RFC 1918 that count as private destinations.
    pub user_cidrs: Vec<Fact<IpNet>>,
    /// The system route table, which always exists.
    pub system_table: RouteTableId,
}

/// A vSwitch (ALIBABA.md §2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vswitch {
    /// Identity.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Fact<VpcId>,
    /// IPv4 block.
    pub cidr: Fact<IpNet>,
    /// IPv6 block, when IPv6 is on.
    pub ipv6_cidr: Option<Fact<IpNet>>,
    /// The one route table that forwards for it (ALIBABA.md §3.1).
    pub table: Fact<RouteTableId>,
    /// The network ACL bound to it, if any.
    pub acl: Fact<Option<AclId>>,
}

/// What a route table is bound to (ALIBABA.md §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RouteTableKind {
    /// The table of a VPC that serves every vSwitch without a binding.
    System,
    /// A custom table for vSwitches.
    Custom,
    /// A table for an IPv4 or IPv6 gateway.
    Gateway,
    /// The table of a virtual border router.
    Border,
}

/// A route table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteTable {
    /// Identity; the system table carries that of its VPC.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Fact<VpcId>,
    /// What it is bound to.
    pub kind: RouteTableKind,
    /// Whether it takes routes that are propagated to its VPC (ALIBABA.md §3.2; the default).
    #[serde(default = "propagates")]
    pub propagation: Fact<bool>,
}

fn propagates() -> Fact<bool> {
    Fact::Known(true)
}

/// Addresses that a rule, entry or route names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetSpec {
    /// A prefix; host bits are already masked (ALIBABA.md §5.2).
    Net(Fact<IpNet>),
    /// A prefix list.
    PrefixList(Fact<PrefixListId>),
}

/// Where a route sends packets (ALIBABA.md §3.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NextHop {
    /// An ENI; an `Instance` next hop is its primary ENI.
    Interface(InterfaceId),
    /// A high-availability virtual IP.
    HaVip(HaVipId),
    /// A NAT gateway.
    Nat(NatId),
    /// The IPv4 gateway.
    Ipv4Gateway(Ipv4GatewayId),
    /// The IPv6 gateway.
    Ipv6Gateway(Ipv6GatewayId),
    /// The VPC at the other end of a peering connection.
    Peering(PeeringId),
    /// A transit router, by the attachment of the VPC.
    Attachment(AttachmentId),
    /// A VPN gateway.
    Vpn(VpnGatewayId),
    /// A router interface.
    RouterInterface(RouterInterfaceId),
    /// A next hop of a kind that is not modelled yet (an Express Connect router, ...).
    Unmodelled {
        /// The `nexthop_type`.
        kind: Arc<str>,
        /// The target as written.
        target: Arc<str>,
    },
    /// Not known.
    Unknown(Unknown),
}

/// A custom route entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteEntry {
    /// Where it comes from.
    pub origin: Origin,
    /// The table.
    pub table: Fact<RouteTableId>,
    /// The destination.
    pub destination: NetSpec,
    /// The next hops; several are ECMP (ALIBABA.md §3.3).
    pub next_hops: Vec<NextHop>,
}

/// A security group (ALIBABA.md §5.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// Identity.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Fact<VpcId>,
    /// `true` for an enterprise (advanced) group, `false` for a basic one.
    pub enterprise: Fact<bool>,
    /// `true` when members of a basic group reach one another (`inner_access_policy = Accept`, the default).
    pub inner_accept: Fact<bool>,
}

/// Direction of a rule, seen from the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Towards the interface.
    Ingress,
    /// From the interface.
    Egress,
}

/// The peer object of a security group rule (ALIBABA.md §5.2, §5.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// A prefix or a prefix list.
    Net(NetSpec),
    /// Private addresses of the members of a group.
    Group(SecurityGroupId),
    /// A group that is not in the inventory (another account, or not in this configuration).
    ForeignGroup(Arc<str>),
    /// Not known, not even its kind.
    Unknown(Unknown),
}

/// A security group rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SgRule {
    /// Where it comes from.
    pub origin: Origin,
    /// The group.
    pub group: Fact<SecurityGroupId>,
    /// The direction.
    pub direction: Fact<Direction>,
    /// `true` accepts, `false` drops.
    pub accept: Fact<bool>,
    /// 1 is strongest, 100 weakest.
    pub priority: Fact<u8>,
    /// Protocol and destination ports.
    pub services: Fact<ServiceSet>,
    /// The other side.
    pub peer: Peer,
}

/// A prefix list (ALIBABA.md §5.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefixList {
    /// Identity.
    pub meta: Meta,
    /// The entries; `Unknown` when the set as a whole is unknown.
    pub entries: Fact<Vec<Fact<IpNet>>>,
}

/// One entry of a network ACL; the port is the destination port in both directions (ALIBABA.md §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AclEntry {
    /// Where it comes from.
    pub origin: Origin,
    /// The entry's name, where set.
    pub name: Option<Arc<str>>,
    /// `true` accepts, `false` drops.
    pub accept: Fact<bool>,
    /// Protocol and destination ports.
    pub services: Fact<ServiceSet>,
    /// Source of an ingress entry, destination of an egress entry.
    pub peer: NetSpec,
}

/// The entries of one direction of a network ACL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AclList {
    /// In order of strength; no match means deny (A-NACL-1).
    Entries(Vec<AclEntry>),
    /// The configuration does not set this direction: the cloud's default, which the sources contradict each
    /// other about (ALIBABA.md §6).
    Unset,
    /// Not known.
    Unknown(Unknown),
}

/// A network ACL (ALIBABA.md §6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkAcl {
    /// Identity.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Fact<VpcId>,
    /// Packets towards the vSwitch.
    pub ingress: AclList,
    /// Packets from the vSwitch.
    pub egress: AclList,
}

/// An ECS instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Identity.
    pub meta: Meta,
}

/// What is known of an address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressSpec {
    /// One address.
    Ip(IpAddr),
    /// A delegated prefix; every address of it.
    Block(IpNet),
    /// One address of the vSwitch's IPv4 block, which the cloud picks.
    AnyV4(Unknown),
    /// One address of the vSwitch's IPv6 block, which the cloud picks.
    AnyV6(Unknown),
}

/// The role of an address on its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AddressKind {
    /// The primary private IPv4 address.
    Primary,
    /// A secondary private IPv4 address.
    Secondary,
    /// A delegated prefix.
    Prefix,
    /// An IPv6 address.
    Ipv6,
    /// The address of a high-availability virtual IP that is bound here.
    HaVip,
}

/// Internet access of an IPv6 address (ALIBABA.md §7.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ipv6Internet {
    /// No bandwidth: private.
    None,
    /// Bandwidth: both directions.
    Both(Origin),
    /// Bandwidth and an egress-only rule: outbound only.
    EgressOnly(Origin),
    /// Not known.
    Unknown(Unknown),
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// What is known of it.
    pub spec: AddressSpec,
    /// Its role.
    pub kind: AddressKind,
    /// For IPv6 addresses: Internet access. `None` for IPv4.
    pub ipv6_internet: Ipv6Internet,
}

/// How a public address is bound (ALIBABA.md §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublicKind {
    /// A static public IP of the instance (`internet_max_bandwidth_out > 0`).
    StaticIp,
    /// An EIP with 1:1 NAT.
    Eip,
    /// An EIP in ENI-visible mode: private networking of the ENI is off and the network ACL is bypassed.
    EipBinded,
}

/// A public IPv4 address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAddress {
    /// Where the binding is written.
    pub origin: Origin,
    /// The address.
    pub ip: Fact<IpAddr>,
    /// The EIP, unless it is a static public IP.
    pub eip: Option<EipId>,
    /// How it is bound.
    pub kind: PublicKind,
    /// Position in [`Interface::addresses`] of the private address that it maps to.
    pub private: u32,
}

/// An elastic network interface, primary or secondary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Identity; the primary ENI carries that of its instance.
    pub meta: Meta,
    /// The instance it is attached to.
    pub instance: Option<InstanceId>,
    /// Whether it is the instance's primary ENI.
    pub primary: bool,
    /// The vSwitch it lives in.
    pub vswitch: Fact<VswitchId>,
    /// The security groups attached to it, sorted.
    pub groups: Fact<Vec<SecurityGroupId>>,
    /// Attached groups that are not in the inventory: their rules are unknown.
    pub foreign_groups: Vec<Arc<str>>,
    /// Its addresses, primary first.
    pub addresses: Vec<Address>,
    /// The source/destination check; `Known(None)` when not set (A-SDC-1).
    pub source_dest_check: Fact<Option<bool>>,
    /// Its public addresses.
    pub public: Vec<PublicAddress>,
}

impl Typed {
    /// The VPC of an interface, where it is known.
    #[must_use]
    pub fn vpc_of(&self, i: &Interface) -> Option<VpcId> {
        self[*i.vswitch.known()?].vpc.known().copied()
    }
}

/// What an EIP is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EipTarget {
    /// An interface (also listed in [`Interface::public`]).
    Interface(InterfaceId),
    /// A NAT gateway.
    Nat(NatId),
    /// A high-availability virtual IP.
    HaVip(HaVipId),
    /// Something that is not modelled yet (a load balancer); as written.
    Unmodelled(Arc<str>),
    /// Not known.
    Unknown(Unknown),
}

/// An elastic IP address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eip {
    /// Identity.
    pub meta: Meta,
    /// The address.
    pub ip: Fact<IpAddr>,
    /// Bindings; more than one only in configurations that cannot be applied.
    pub bound: Vec<EipTarget>,
}

/// A NAT gateway (ALIBABA.md §8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatGateway {
    /// Identity.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Fact<VpcId>,
    /// The vSwitch that it sits in.
    pub vswitch: Option<Fact<VswitchId>>,
    /// `true` for an Internet NAT gateway, `false` for a VPC NAT gateway.
    pub internet: Fact<bool>,
    /// Custom NAT blocks of a VPC NAT gateway; that of its vSwitch is one by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Fact<IpNet>>,
    /// NAT IPs of a VPC NAT gateway, besides those that entries name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ips: Vec<Fact<IpAddr>>,
}

/// A public (or NAT) address that a NAT entry names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NatIp {
    /// An EIP of the inventory.
    Eip(EipId),
    /// An address that is no EIP of the inventory.
    Ip(IpAddr),
    /// Not known.
    Unknown(Unknown),
}

/// What an SNAT entry translates (ALIBABA.md §8.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SnatSource {
    /// Every address of a vSwitch.
    Vswitch(Fact<VswitchId>),
    /// A block.
    Net(Fact<IpNet>),
}

/// An SNAT entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnatEntry {
    /// Where it comes from.
    pub origin: Origin,
    /// The NAT gateway.
    pub nat: Fact<NatId>,
    /// What it translates.
    pub source: SnatSource,
    /// The addresses it translates to.
    pub ips: Vec<NatIp>,
}

/// Protocol of a DNAT entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DnatProtocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// Every protocol and port.
    Any,
}

/// Ports of a DNAT entry: equally long inclusive ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortMapping {
    /// Ports on the public address.
    pub external: (u16, u16),
    /// Ports on the private address.
    pub internal: (u16, u16),
}

/// What a DNAT entry forwards to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DnatTarget {
    /// An address of an interface: position in [`Interface::addresses`].
    Interface(InterfaceId, u32),
    /// An address that no interface of the inventory is known to own.
    Ip(IpAddr),
    /// Not known.
    Unknown(Unknown),
}

/// A DNAT (forward) entry (ALIBABA.md §8.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnatEntry {
    /// Where it comes from.
    pub origin: Origin,
    /// The NAT gateway.
    pub nat: Fact<NatId>,
    /// The public address.
    pub external: NatIp,
    /// The protocol.
    pub protocol: Fact<DnatProtocol>,
    /// The ports; `Known(None)` for `any`.
    pub ports: Fact<Option<PortMapping>>,
    /// What it forwards to.
    pub target: DnatTarget,
}

/// An IPv4 gateway (ALIBABA.md §7.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipv4Gateway {
    /// Identity.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Fact<VpcId>,
    /// Whether it is activated.
    pub enabled: Fact<bool>,
    /// The gateway route table bound to it (ALIBABA.md §3.6).
    pub ingress_table: Option<Fact<RouteTableId>>,
}

/// An IPv6 gateway (ALIBABA.md §7.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ipv6Gateway {
    /// Identity.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Fact<VpcId>,
}

/// A high-availability virtual IP; its address is listed on every interface that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaVip {
    /// Identity.
    pub meta: Meta,
    /// Its vSwitch.
    pub vswitch: Fact<VswitchId>,
    /// Its address.
    pub ip: Fact<IpAddr>,
    /// The interfaces that may hold it.
    pub members: Vec<Fact<InterfaceId>>,
}

/// What matters to packets. Tables are filled by a reader and never shrink.
///
/// INVARIANT (typed ids): every id stored in a table is a valid index of the table it names. Readers keep it
/// by construction; [`Typed::check_ids`] checks a deserialised value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Typed {
    /// VPCs.
    pub vpcs: Vec<Vpc>,
    /// vSwitches.
    pub vswitches: Vec<Vswitch>,
    /// Route tables, the system tables among them.
    pub route_tables: Vec<RouteTable>,
    /// Custom route entries.
    pub route_entries: Vec<RouteEntry>,
    /// Security groups.
    pub security_groups: Vec<SecurityGroup>,
    /// Security group rules.
    pub sg_rules: Vec<SgRule>,
    /// Prefix lists of both products.
    pub prefix_lists: Vec<PrefixList>,
    /// Network ACLs.
    pub acls: Vec<NetworkAcl>,
    /// ECS instances.
    pub instances: Vec<Instance>,
    /// Interfaces.
    pub interfaces: Vec<Interface>,
    /// EIPs.
    pub eips: Vec<Eip>,
    /// NAT gateways.
    pub nat_gateways: Vec<NatGateway>,
    /// SNAT entries.
    pub snat_entries: Vec<SnatEntry>,
    /// DNAT entries.
    pub dnat_entries: Vec<DnatEntry>,
    /// IPv4 gateways.
    pub ipv4_gateways: Vec<Ipv4Gateway>,
    /// IPv6 gateways.
    pub ipv6_gateways: Vec<Ipv6Gateway>,
    /// High-availability virtual IPs.
    pub ha_vips: Vec<HaVip>,
    /// Managed data services.
    pub data_services: Vec<DataService>,
    /// Load balancers.
    pub balancers: Vec<Balancer>,
    /// Servers of load balancers that are not here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strays: Vec<crate::Stray>,
    /// Endpoints of gateway load balancers.
    pub inspectors: Vec<Inspector>,
    /// Firewalls at the perimeter.
    pub firewalls: Vec<Firewall>,
    /// Proxies in front of public addresses.
    pub proxies: Vec<Proxy>,
    /// Anti-DDoS protection of public addresses.
    pub shields: Vec<Shield>,
    /// VPC peering connections.
    pub peerings: Vec<Peering>,
    /// Transit routers.
    pub transit_routers: Vec<TransitRouter>,
    /// Their route tables.
    pub tr_tables: Vec<TrTable>,
    /// Their attachments.
    pub attachments: Vec<Attachment>,
    /// Which table forwards for an attachment.
    pub tr_associations: Vec<TrLink>,
    /// Which tables learn the routes of an attachment.
    pub tr_propagations: Vec<TrLink>,
    /// Their static routes.
    pub tr_routes: Vec<TrRoute>,
    /// Custom routes that are published to them.
    pub published_routes: Vec<PublishedRoute>,
    /// Route maps.
    pub route_maps: Vec<RouteMap>,
    /// What is behind links to other networks.
    pub sites: Vec<Site>,
    /// Which sites have ways to one another that are not in the cloud.
    pub site_pairs: Vec<SitePair>,
    /// VPN gateways.
    pub vpn_gateways: Vec<VpnGateway>,
    /// VPN connections.
    pub vpn_connections: Vec<VpnConnection>,
    /// Routes of VPN gateways and connections.
    pub vpn_routes: Vec<VpnRoute>,
    /// Virtual border routers.
    pub border_routers: Vec<BorderRouter>,
    /// Router interfaces.
    pub router_interfaces: Vec<RouterInterface>,
}
