//! A fluent way to write inventories down in tests, generators and benchmarks.

mod balancer;
mod firewall;
mod hybrid;
mod inner;
mod inspector;
mod joined;

pub use firewall::Policy;

use crate::text::{PeerText, RuleText, must};
use bartizan_base::{FileId, Span};
use bartizan_model::*;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// The kind of a security group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// Basic, members reach one another.
    BasicAccept,
    /// Basic, members are isolated.
    BasicDrop,
    /// Enterprise.
    Enterprise,
}

/// Internet access of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ipv6Access {
    /// None.
    Private,
    /// Bandwidth.
    Both,
    /// Bandwidth and an egress-only rule.
    EgressOnly,
}

/// Builds an [`Inventory`] in which everything is known. Names are Terraform names: `b.vpc("main", ..)` is
/// `alicloud_vpc.main`. Texts that are not addresses or prefixes panic: they stand in the source.
#[derive(Clone, Debug)]
pub struct InventoryBuilder {
    inv: Inventory,
    groups: BTreeMap<String, SecurityGroupId>,
    lists: BTreeMap<String, PrefixListId>,
}

impl Default for InventoryBuilder {
    fn default() -> Self {
        Self::new()
    }
}

fn id(n: usize) -> u32 {
    must(u32::try_from(n))
}

fn origin(address: String) -> Origin {
    Origin {
        address: address.into(),
        span: Span::file(FileId(0)),
        maybe: None,
    }
}

fn meta(kind: &str, name: &str) -> Meta {
    Meta {
        origin: origin(format!("alicloud_{kind}.{name}")),
        id: None,
        name: Some(Fact::Known(name.into())),
        tags: Fact::Known(BTreeMap::new()),
        region: None,
    }
}

fn net(text: &str) -> IpNet {
    must(text.parse::<IpNet>()).trunc()
}

fn ip(text: &str) -> IpAddr {
    must(text.parse())
}

impl InventoryBuilder {
    /// An empty inventory.
    #[must_use]
    pub fn new() -> Self {
        InventoryBuilder {
            inv: Inventory::empty(SourceKind::Generated),
            groups: BTreeMap::new(),
            lists: BTreeMap::new(),
        }
    }

    /// The inventory.
    #[must_use]
    pub fn build(self) -> Inventory {
        self.inv
    }

    /// The inventory so far.
    #[must_use]
    pub fn typed(&self) -> &Typed {
        &self.inv.typed
    }

    fn t(&mut self) -> &mut Typed {
        &mut self.inv.typed
    }

    /// A VPC with its system table.
    pub fn vpc(&mut self, name: &str, cidr: &str) -> VpcId {
        let vpc = VpcId(id(self.t().vpcs.len()));
        let system_table = RouteTableId(id(self.t().route_tables.len()));
        let m = meta("vpc", name);
        self.t().route_tables.push(RouteTable {
            meta: m.clone(),
            vpc: vpc.into(),
            kind: RouteTableKind::System,
            propagation: true.into(),
        });
        self.t().vpcs.push(Vpc {
            meta: m,
            cidrs: vec![net(cidr).into()],
            user_cidrs: Vec::new(),
            system_table,
        });
        vpc
    }

    /// Another block of a VPC.
    pub fn vpc_cidr(&mut self, vpc: VpcId, cidr: &str) -> &mut Self {
        self.t().vpcs[vpc.index()].cidrs.push(net(cidr).into());
        self
    }

    /// A range that a VPC counts as private (ALIBABA.md §2).
    pub fn user_cidr(&mut self, vpc: VpcId, cidr: &str) -> &mut Self {
        self.t().vpcs[vpc.index()].user_cidrs.push(net(cidr).into());
        self
    }

    /// The system table of a VPC.
    #[must_use]
    pub fn system_table(&self, vpc: VpcId) -> RouteTableId {
        self.inv.typed[vpc].system_table
    }

    /// A vSwitch on the system table and without ACL.
    pub fn vswitch(&mut self, name: &str, vpc: VpcId, cidr: &str) -> VswitchId {
        let table = self.system_table(vpc);
        self.t().vswitches.push(Vswitch {
            meta: meta("vswitch", name),
            vpc: vpc.into(),
            cidr: net(cidr).into(),
            ipv6_cidr: None,
            table: table.into(),
            acl: Fact::Known(None),
        });
        VswitchId(id(self.t().vswitches.len() - 1))
    }

    /// The IPv6 block of a vSwitch.
    pub fn vswitch_ipv6(&mut self, vswitch: VswitchId, cidr: &str) -> &mut Self {
        self.t().vswitches[vswitch.index()].ipv6_cidr = Some(net(cidr).into());
        self
    }

    /// A security group.
    pub fn sg(&mut self, name: &str, vpc: VpcId, kind: GroupKind) -> SecurityGroupId {
        self.t().security_groups.push(SecurityGroup {
            meta: meta("security_group", name),
            vpc: vpc.into(),
            enterprise: (kind == GroupKind::Enterprise).into(),
            inner_accept: (kind == GroupKind::BasicAccept).into(),
        });
        let g = SecurityGroupId(id(self.t().security_groups.len() - 1));
        self.groups.insert(name.to_string(), g);
        g
    }

    /// A prefix list.
    pub fn prefix_list(&mut self, name: &str, entries: &[&str]) -> PrefixListId {
        let entries: Vec<Fact<IpNet>> = entries.iter().map(|e| net(e).into()).collect();
        self.t().prefix_lists.push(PrefixList {
            meta: meta("prefix_list", name),
            entries: entries.into(),
        });
        let p = PrefixListId(id(self.t().prefix_lists.len() - 1));
        self.lists.insert(name.to_string(), p);
        p
    }

    fn peer_net(&self, p: &PeerText) -> NetSpec {
        match p {
            PeerText::Net(n) => NetSpec::Net(n.trunc().into()),
            PeerText::PrefixList(name) => {
                let found = self.lists.get(name).copied();
                NetSpec::PrefixList(must(found.ok_or(format!("no prefix list `{name}`"))).into())
            }
            PeerText::Group(name) => must(Err(format!("`sg:{name}` cannot stand in an ACL entry"))),
        }
    }

    /// A rule of a group. Groups and prefix lists that it names must exist already.
    pub fn rule(&mut self, group: SecurityGroupId, r: RuleText) -> &mut Self {
        let peer = match &r.peer {
            PeerText::Group(name) => Peer::Group(must(
                self.groups.get(name).copied().ok_or(format!("no group `{name}`")),
            )),
            p => Peer::Net(self.peer_net(p)),
        };
        let n = self.t().sg_rules.len();
        self.t().sg_rules.push(SgRule {
            origin: origin(format!("alicloud_security_group_rule.r{n}")),
            group: group.into(),
            direction: r.direction.into(),
            accept: r.accept.into(),
            priority: r.priority.into(),
            services: r.services().into(),
            peer,
        });
        self
    }

    /// A network ACL from entries in order of strength, each with its direction.
    pub fn acl(&mut self, name: &str, vpc: VpcId, entries: &[RuleText]) -> AclId {
        let m = meta("network_acl", name);
        let list = |b: &Self, d: Direction| {
            AclList::Entries(
                entries
                    .iter()
                    .filter(|e| e.direction == d)
                    .map(|e| AclEntry {
                        origin: m.origin.clone(),
                        name: None,
                        accept: e.accept.into(),
                        services: e.services().into(),
                        peer: b.peer_net(&e.peer),
                    })
                    .collect(),
            )
        };
        let (ingress, egress) = (list(self, Direction::Ingress), list(self, Direction::Egress));
        self.t().acls.push(NetworkAcl {
            meta: m,
            vpc: vpc.into(),
            ingress,
            egress,
        });
        AclId(id(self.t().acls.len() - 1))
    }

    /// Binds an ACL to a vSwitch.
    pub fn bind_acl(&mut self, vswitch: VswitchId, acl: AclId) -> &mut Self {
        self.t().vswitches[vswitch.index()].acl = Fact::Known(Some(acl));
        self
    }

    /// A custom route table for vSwitches, or for an IPv4 gateway.
    pub fn table(&mut self, name: &str, vpc: VpcId, kind: RouteTableKind) -> RouteTableId {
        self.t().route_tables.push(RouteTable {
            meta: meta("route_table", name),
            vpc: vpc.into(),
            kind,
            propagation: true.into(),
        });
        RouteTableId(id(self.t().route_tables.len() - 1))
    }

    /// Binds a route table to a vSwitch.
    pub fn attach(&mut self, vswitch: VswitchId, table: RouteTableId) -> &mut Self {
        self.t().vswitches[vswitch.index()].table = table.into();
        self
    }

    fn route_to(&mut self, table: RouteTableId, destination: NetSpec, next_hops: Vec<NextHop>) -> &mut Self {
        let n = self.t().route_entries.len();
        let origin = origin(format!("alicloud_route_entry.e{n}"));
        self.t().route_entries.push(RouteEntry {
            origin,
            table: table.into(),
            destination,
            next_hops,
        });
        self
    }

    /// A custom route.
    pub fn route(&mut self, table: RouteTableId, destination: &str, hop: NextHop) -> &mut Self {
        self.route_to(table, NetSpec::Net(net(destination).into()), vec![hop])
    }

    /// A custom route with several next hops.
    pub fn route_ecmp(&mut self, table: RouteTableId, destination: &str, hops: &[NextHop]) -> &mut Self {
        self.route_to(table, NetSpec::Net(net(destination).into()), hops.to_vec())
    }

    /// A custom route to a prefix list.
    pub fn route_list(&mut self, table: RouteTableId, list: PrefixListId, hop: NextHop) -> &mut Self {
        self.route_to(table, NetSpec::PrefixList(list.into()), vec![hop])
    }

    /// The primary ENI of a new instance with one private address.
    pub fn eni(
        &mut self,
        name: &str,
        vswitch: VswitchId,
        groups: &[SecurityGroupId],
        ip: &str,
    ) -> InterfaceId {
        let m = meta("instance", name);
        self.t().instances.push(Instance { meta: m.clone() });
        let instance = Some(InstanceId(id(self.t().instances.len() - 1)));
        self.push_eni(m, instance, true, vswitch, groups, ip)
    }

    /// A secondary ENI of the instance of `of`.
    pub fn secondary_eni(
        &mut self,
        name: &str,
        of: InterfaceId,
        vswitch: VswitchId,
        groups: &[SecurityGroupId],
        ip: &str,
    ) -> InterfaceId {
        let instance = self.inv.typed[of].instance;
        self.push_eni(
            meta("ecs_network_interface", name),
            instance,
            false,
            vswitch,
            groups,
            ip,
        )
    }

    fn push_eni(
        &mut self,
        meta: Meta,
        instance: Option<InstanceId>,
        primary: bool,
        vswitch: VswitchId,
        groups: &[SecurityGroupId],
        at: &str,
    ) -> InterfaceId {
        let mut groups = groups.to_vec();
        groups.sort_unstable();
        groups.dedup();
        let spec = AddressSpec::Ip(ip(at));
        self.t().interfaces.push(Interface {
            meta,
            instance,
            primary,
            vswitch: vswitch.into(),
            groups: groups.into(),
            foreign_groups: Vec::new(),
            addresses: vec![Address {
                spec,
                kind: AddressKind::Primary,
                ipv6_internet: Ipv6Internet::None,
            }],
            source_dest_check: Fact::Known(None),
            public: Vec::new(),
        });
        InterfaceId(id(self.t().interfaces.len() - 1))
    }

    fn address(&mut self, eni: InterfaceId, spec: AddressSpec, kind: AddressKind, v6: Ipv6Access) -> u32 {
        let here = self.inv.typed[eni].meta.origin.clone();
        let ipv6_internet = match v6 {
            Ipv6Access::Private => Ipv6Internet::None,
            Ipv6Access::Both => Ipv6Internet::Both(here),
            Ipv6Access::EgressOnly => Ipv6Internet::EgressOnly(here),
        };
        let list = &mut self.t().interfaces[eni.index()].addresses;
        list.push(Address {
            spec,
            kind,
            ipv6_internet,
        });
        id(list.len() - 1)
    }

    /// A secondary private address; returns its position.
    pub fn secondary_ip(&mut self, eni: InterfaceId, at: &str) -> u32 {
        self.address(
            eni,
            AddressSpec::Ip(ip(at)),
            AddressKind::Secondary,
            Ipv6Access::Private,
        )
    }

    /// A delegated prefix; returns its position.
    pub fn prefix(&mut self, eni: InterfaceId, block: &str) -> u32 {
        self.address(
            eni,
            AddressSpec::Block(net(block)),
            AddressKind::Prefix,
            Ipv6Access::Private,
        )
    }

    /// An IPv6 address; returns its position.
    pub fn ipv6(&mut self, eni: InterfaceId, at: &str, access: Ipv6Access) -> u32 {
        self.address(eni, AddressSpec::Ip(ip(at)), AddressKind::Ipv6, access)
    }

    /// The source/destination check of an interface.
    pub fn source_dest_check(&mut self, eni: InterfaceId, on: bool) -> &mut Self {
        self.t().interfaces[eni.index()].source_dest_check = Fact::Known(Some(on));
        self
    }

    fn new_eip(&mut self, at: IpAddr, bound: EipTarget) -> EipId {
        let n = self.t().eips.len();
        self.t().eips.push(Eip {
            meta: meta("eip_address", &format!("eip{n}")),
            ip: at.into(),
            bound: vec![bound],
        });
        EipId(id(n))
    }

    fn publish(&mut self, eni: InterfaceId, private: u32, at: &str, kind: PublicKind) -> &mut Self {
        let at = ip(at);
        let eip = (kind != PublicKind::StaticIp).then(|| self.new_eip(at, EipTarget::Interface(eni)));
        let origin = match eip {
            Some(e) => self.inv.typed[e].meta.origin.clone(),
            None => self.inv.typed[eni].meta.origin.clone(),
        };
        let public = PublicAddress {
            origin,
            ip: at.into(),
            eip,
            kind,
            private,
        };
        self.t().interfaces[eni.index()].public.push(public);
        self
    }

    /// An EIP on the private address at position `private`.
    pub fn eip(&mut self, eni: InterfaceId, private: u32, at: &str) -> &mut Self {
        self.publish(eni, private, at, PublicKind::Eip)
    }

    /// An EIP in ENI-visible mode on the primary address.
    pub fn eip_binded(&mut self, eni: InterfaceId, at: &str) -> &mut Self {
        self.publish(eni, 0, at, PublicKind::EipBinded)
    }

    /// A static public address on the primary address.
    pub fn static_ip(&mut self, eni: InterfaceId, at: &str) -> &mut Self {
        self.publish(eni, 0, at, PublicKind::StaticIp)
    }

    /// An Internet NAT gateway.
    pub fn nat(&mut self, name: &str, vpc: VpcId, vswitch: VswitchId) -> NatId {
        self.nat_gateway(name, vpc, vswitch, true)
    }

    fn nat_gateway(&mut self, name: &str, vpc: VpcId, vswitch: VswitchId, internet: bool) -> NatId {
        self.t().nat_gateways.push(NatGateway {
            meta: meta("nat_gateway", name),
            vpc: vpc.into(),
            vswitch: Some(vswitch.into()),
            internet: internet.into(),
            blocks: Vec::new(),
            ips: Vec::new(),
        });
        NatId(id(self.t().nat_gateways.len() - 1))
    }

    /// An EIP bound to a NAT gateway.
    pub fn nat_eip(&mut self, nat: NatId, at: &str) -> EipId {
        self.new_eip(ip(at), EipTarget::Nat(nat))
    }

    /// An SNAT entry.
    pub fn snat(&mut self, nat: NatId, source: SnatSource, eips: &[EipId]) -> &mut Self {
        self.snat_entry(nat, source, eips.iter().map(|e| NatIp::Eip(*e)).collect())
    }

    fn snat_entry(&mut self, nat: NatId, source: SnatSource, ips: Vec<NatIp>) -> &mut Self {
        let n = self.t().snat_entries.len();
        let origin = origin(format!("alicloud_snat_entry.s{n}"));
        self.t().snat_entries.push(SnatEntry {
            origin,
            nat: nat.into(),
            source,
            ips,
        });
        self
    }

    /// A DNAT entry to the address at position `address` of an interface.
    pub fn dnat(
        &mut self,
        nat: NatId,
        eip: EipId,
        protocol: DnatProtocol,
        ports: Option<PortMapping>,
        target: (InterfaceId, u32),
    ) -> &mut Self {
        self.dnat_entry(nat, NatIp::Eip(eip), protocol, ports, target)
    }

    /// The last DNAT entry leads to an address, whoever has it.
    pub fn dnat_to(&mut self, to: &str) -> &mut Self {
        if let Some(d) = self.t().dnat_entries.last_mut() {
            d.target = DnatTarget::Ip(ip(to));
        }
        self
    }

    fn dnat_entry(
        &mut self,
        nat: NatId,
        external: NatIp,
        protocol: DnatProtocol,
        ports: Option<PortMapping>,
        target: (InterfaceId, u32),
    ) -> &mut Self {
        let n = self.t().dnat_entries.len();
        self.t().dnat_entries.push(DnatEntry {
            origin: origin(format!("alicloud_forward_entry.d{n}")),
            nat: nat.into(),
            external,
            protocol: protocol.into(),
            ports: ports.into(),
            target: DnatTarget::Interface(target.0, target.1),
        });
        self
    }

    /// An IPv4 gateway.
    pub fn ipv4_gateway(&mut self, name: &str, vpc: VpcId, enabled: bool) -> Ipv4GatewayId {
        self.t().ipv4_gateways.push(Ipv4Gateway {
            meta: meta("vpc_ipv4_gateway", name),
            vpc: vpc.into(),
            enabled: enabled.into(),
            ingress_table: None,
        });
        Ipv4GatewayId(id(self.t().ipv4_gateways.len() - 1))
    }

    /// Binds a gateway route table to an IPv4 gateway.
    pub fn ingress_table(&mut self, gateway: Ipv4GatewayId, table: RouteTableId) -> &mut Self {
        self.t().ipv4_gateways[gateway.index()].ingress_table = Some(table.into());
        self
    }

    /// An IPv6 gateway.
    pub fn ipv6_gateway(&mut self, name: &str, vpc: VpcId) -> Ipv6GatewayId {
        self.t().ipv6_gateways.push(Ipv6Gateway {
            meta: meta("vpc_ipv6_gateway", name),
            vpc: vpc.into(),
        });
        Ipv6GatewayId(id(self.t().ipv6_gateways.len() - 1))
    }

    /// A high-availability virtual IP with its members.
    pub fn ha_vip(&mut self, name: &str, vswitch: VswitchId, at: &str, members: &[InterfaceId]) -> HaVipId {
        for m in members {
            self.address(
                *m,
                AddressSpec::Ip(ip(at)),
                AddressKind::HaVip,
                Ipv6Access::Private,
            );
        }
        self.t().ha_vips.push(HaVip {
            meta: meta("havip", name),
            vswitch: vswitch.into(),
            ip: ip(at).into(),
            members: members.iter().map(|m| Fact::Known(*m)).collect(),
        });
        HaVipId(id(self.t().ha_vips.len() - 1))
    }
}
