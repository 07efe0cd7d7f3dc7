//! Links to networks that are not in the cloud: VPN gateways, border routers, router interfaces, and the sites
//! behind them (ALIBABA.md §11, §12; docs/decisions/014).

use crate::{
    Address, AddressKind, AddressSpec, BorderRouterId, Fact, Interface, InterfaceId, Ipv6Internet, Meta,
    Origin, RouteTable, RouteTableId, RouteTableKind, RouterInterfaceId, SiteId, Typed, Unknown, Vpc, VpcId,
    VpnConnectionId, VpnGatewayId, Vswitch, VswitchId,
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// What is behind one or several links. It has a network of its own in the typed layer (a VPC that is none, with one
/// vSwitch and one interface), so that it is an endpoint like others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Identity: that of its link, or of the declaration in the intent.
    pub meta: Meta,
    /// Its network.
    pub vpc: VpcId,
    /// The interface that owns all of its addresses.
    pub interface: InterfaceId,
    /// Why its networks are not all known.
    pub unknown: Option<Unknown>,
    /// Whether what comes by one of its links may go on by another (A-SITE-1).
    pub forwards: Fact<bool>,
    /// Whether it may pass packets for the Internet on to it.
    pub internet: Fact<bool>,
}

/// Whether two sites have a way to one another that is not in the cloud (A-SITE-1). Of pairs that are not listed it
/// is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SitePair {
    /// One site.
    pub a: SiteId,
    /// The other.
    pub b: SiteId,
    /// Whether packets may go from one to the other.
    pub forwards: Fact<bool>,
}

/// A VPN gateway (ALIBABA.md §12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpnGateway {
    /// Identity.
    pub meta: Meta,
    /// Its VPC.
    pub vpc: Fact<VpcId>,
    /// The vSwitch that it sits in.
    pub vswitch: Option<Fact<VswitchId>>,
    /// The vSwitches of its tunnels as written, where there are two: the first, and the one for disaster recovery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tunnels: Vec<Fact<VswitchId>>,
    /// Whether routes that it learns by BGP are published to the VPC (`auto_propagate`).
    pub propagates: Fact<bool>,
}

/// Where a VPN connection ends in the cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VpnEnd {
    /// At a VPN gateway.
    Gateway(Fact<VpnGatewayId>),
    /// At a VPN gateway, for clients whose addresses come from a pool (SSL-VPN, IPsec server).
    Clients(Fact<VpnGatewayId>),
    /// At a transit router, by an attachment of it.
    Attached,
}

/// A VPN connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpnConnection {
    /// Identity.
    pub meta: Meta,
    /// Where it ends in the cloud.
    pub end: VpnEnd,
    /// The customer gateways of its tunnels, where they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub customers: Vec<Meta>,
    /// What is at the other end.
    pub site: SiteId,
    /// Blocks of the cloud's side that it carries; nothing else.
    pub local: Vec<Fact<IpNet>>,
    /// Blocks of the site's side that it carries; nothing else.
    pub remote: Vec<Fact<IpNet>>,
    /// Whether its blocks become policy routes of the gateway (`auto_config_route`).
    pub configures: Fact<bool>,
    /// Whether routes are exchanged by BGP.
    pub bgp: Fact<bool>,
    /// What the site announces by BGP.
    pub learned: Fact<Vec<IpNet>>,
}

/// A route of a VPN gateway, or of a connection that is attached to a transit router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VpnRoute {
    /// Where it comes from.
    pub origin: Origin,
    /// The gateway; `None` for the route of an attached connection.
    pub gateway: Option<Fact<VpnGatewayId>>,
    /// The source that a policy route is for; `None` for a destination route.
    pub source: Option<Fact<IpNet>>,
    /// The destination.
    pub destination: Fact<IpNet>,
    /// The connection.
    pub next: Fact<VpnConnectionId>,
    /// Whether it is in use while others of its prefix are (`weight` above 0).
    pub active: Fact<bool>,
    /// Whether it is written into the tables of the VPC.
    pub publishes: Fact<bool>,
}

/// A virtual border router (ALIBABA.md §11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BorderRouter {
    /// Identity.
    pub meta: Meta,
    /// What is behind its port.
    pub site: SiteId,
    /// Its route table.
    pub table: RouteTableId,
    /// What the site announces.
    pub learned: Fact<Vec<IpNet>>,
}

/// Where a router interface is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouterEnd {
    /// At a VPC.
    Vpc(Fact<VpcId>),
    /// At a border router.
    Border(Fact<BorderRouterId>),
}

/// One end of a router-interface connection (ALIBABA.md §3.5, §10.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterInterface {
    /// Identity.
    pub meta: Meta,
    /// Where it is.
    pub at: RouterEnd,
    /// The other end; `Known(None)` where nothing is connected.
    pub opposite: Fact<Option<RouterInterfaceId>>,
}

impl Typed {
    /// Adds a site that owns some networks, with the network that stands for it.
    pub fn add_site(&mut self, meta: Meta, networks: &[IpNet], unknown: Option<Unknown>) -> SiteId {
        let n = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let vpc = VpcId(n(self.vpcs.len()));
        let table = RouteTableId(n(self.route_tables.len()));
        let vswitch = VswitchId(n(self.vswitches.len()));
        let interface = InterfaceId(n(self.interfaces.len()));
        self.route_tables.push(RouteTable {
            meta: meta.clone(),
            vpc: Fact::Known(vpc),
            kind: RouteTableKind::System,
            propagation: Fact::Known(false),
        });
        self.vpcs.push(Vpc {
            meta: meta.clone(),
            cidrs: networks.iter().copied().map(Fact::Known).collect(),
            user_cidrs: Vec::new(),
            system_table: table,
        });
        self.vswitches.push(Vswitch {
            meta: meta.clone(),
            vpc: Fact::Known(vpc),
            cidr: Fact::Known(IpNet::V4(ipnet::Ipv4Net::default())),
            ipv6_cidr: None,
            table: Fact::Known(table),
            acl: Fact::Known(None),
        });
        self.interfaces.push(Interface {
            meta: meta.clone(),
            instance: None,
            primary: true,
            vswitch: Fact::Known(vswitch),
            groups: Fact::Known(Vec::new()),
            foreign_groups: Vec::new(),
            addresses: networks.iter().copied().map(site_address).collect(),
            source_dest_check: Fact::Known(Some(true)),
            public: Vec::new(),
        });
        let id = SiteId(n(self.sites.len()));
        self.sites.push(Site {
            meta,
            vpc,
            interface,
            unknown,
            forwards: Fact::Unknown(Unknown::new(
                "nobody said what this site does with what is not for it",
            )),
            internet: Fact::Unknown(Unknown::new(
                "nobody said whether this site leads to the Internet",
            )),
        });
        id
    }

    /// Says which networks a site owns.
    pub fn set_networks(&mut self, site: SiteId, networks: &[IpNet]) {
        let (vpc, interface) = (self[site].vpc, self[site].interface);
        if let Some(v) = self.vpcs.get_mut(vpc.index()) {
            v.cidrs = networks.iter().copied().map(Fact::Known).collect();
        }
        if let Some(i) = self.interfaces.get_mut(interface.index()) {
            i.addresses = networks.iter().copied().map(site_address).collect();
        }
    }

    /// Gives a site another identity.
    pub fn name_site(&mut self, site: SiteId, meta: &Meta) {
        let (vpc, interface) = (self[site].vpc, self[site].interface);
        let vswitch = self[interface].vswitch.known().copied();
        let places = [
            self.sites.get_mut(site.index()).map(|s| &mut s.meta),
            self.vpcs.get_mut(vpc.index()).map(|v| &mut v.meta),
            self.interfaces.get_mut(interface.index()).map(|i| &mut i.meta),
            vswitch
                .and_then(|v| self.vswitches.get_mut(v.index()))
                .map(|v| &mut v.meta),
        ];
        for place in places.into_iter().flatten() {
            *place = meta.clone();
        }
    }

    /// The networks of a site, as far as they are known.
    #[must_use]
    pub fn networks(&self, site: SiteId) -> Vec<IpNet> {
        let all = self[self[site].interface].addresses.iter();
        all.filter_map(|a| match a.spec {
            AddressSpec::Block(n) => Some(n),
            _ => None,
        })
        .collect()
    }

    /// Whether packets may go from one site to another, or within one from link to link, without the cloud (A-SITE-1).
    #[must_use]
    pub fn site_forwards(&self, a: SiteId, b: SiteId) -> Fact<bool> {
        if a == b {
            return self[a].forwards.clone();
        }
        let said = self
            .site_pairs
            .iter()
            .find(|p| (p.a, p.b) == (a, b) || (p.a, p.b) == (b, a));
        said.map_or_else(
            || Fact::Unknown(Unknown::new("nobody said whether these sites are apart")),
            |p| p.forwards.clone(),
        )
    }

    /// The site whose network a VPC stands for.
    #[must_use]
    pub fn site_of_vpc(&self, v: VpcId) -> Option<SiteId> {
        let n = self.sites.iter().position(|s| s.vpc == v)?;
        u32::try_from(n).ok().map(SiteId)
    }

    /// The site whose addresses an interface stands for.
    #[must_use]
    pub fn site_of(&self, i: InterfaceId) -> Option<SiteId> {
        let n = self.sites.iter().position(|s| s.interface == i)?;
        u32::try_from(n).ok().map(SiteId)
    }
}

fn site_address(n: IpNet) -> Address {
    Address {
        spec: AddressSpec::Block(n.trunc()),
        kind: AddressKind::Prefix,
        ipv6_internet: Ipv6Internet::None,
    }
}
