//! Sites, VPN gateways, border routers and router interfaces.

use super::{InventoryBuilder, id, meta, net, origin};
use bartizan_model::*;

fn nets(all: &[&str]) -> Vec<Fact<ipnet::IpNet>> {
    all.iter().map(|c| net(c).into()).collect()
}

impl InventoryBuilder {
    /// A site that owns some networks. It passes nothing on.
    pub fn site(&mut self, name: &str, networks: &[&str]) -> SiteId {
        let all: Vec<ipnet::IpNet> = networks.iter().map(|c| net(c)).collect();
        let m = meta("vpn_customer_gateway", name);
        let site = self.t().add_site(m, &all, None);
        let s = &mut self.t().sites[site.index()];
        s.forwards = false.into();
        s.internet = false.into();
        for other in 0..site.0 {
            self.t().site_pairs.push(SitePair {
                a: SiteId(other),
                b: site,
                forwards: false.into(),
            });
        }
        site
    }

    /// Whether two sites reach one another by themselves; of one site, whether it passes on what is not for it.
    pub fn sites_forward(&mut self, a: SiteId, b: SiteId, yes: bool) -> &mut Self {
        if a == b {
            self.t().sites[a.index()].forwards = yes.into();
        }
        for p in &mut self.t().site_pairs {
            if (p.a, p.b) == (a, b) || (p.a, p.b) == (b, a) {
                p.forwards = yes.into();
            }
        }
        self
    }

    /// Says which networks a site owns.
    pub fn set_site_networks(&mut self, site: SiteId, networks: &[ipnet::IpNet]) -> &mut Self {
        self.t().set_networks(site, networks);
        self
    }

    /// A VPN gateway.
    pub fn vpn_gateway(&mut self, name: &str, vpc: VpcId, vswitch: Option<VswitchId>) -> VpnGatewayId {
        self.t().vpn_gateways.push(VpnGateway {
            meta: meta("vpn_gateway", name),
            vpc: vpc.into(),
            vswitch: vswitch.map(Into::into),
            tunnels: Vec::new(),
            propagates: false.into(),
        });
        VpnGatewayId(id(self.t().vpn_gateways.len() - 1))
    }

    /// Whether a gateway publishes what it learns by BGP.
    pub fn vpn_propagates(&mut self, g: VpnGatewayId, yes: bool) -> &mut Self {
        self.t().vpn_gateways[g.index()].propagates = yes.into();
        self
    }

    /// A connection; it makes no routes by itself.
    pub fn vpn_connection(
        &mut self,
        name: &str,
        end: VpnEnd,
        site: SiteId,
        local: &[&str],
        remote: &[&str],
    ) -> VpnConnectionId {
        self.t().vpn_connections.push(VpnConnection {
            meta: meta("vpn_connection", name),
            end,
            customers: Vec::new(),
            site,
            local: nets(local),
            remote: nets(remote),
            configures: false.into(),
            bgp: false.into(),
            learned: Vec::new().into(),
        });
        VpnConnectionId(id(self.t().vpn_connections.len() - 1))
    }

    /// Whether the blocks of a connection become policy routes.
    pub fn vpn_configures(&mut self, c: VpnConnectionId, yes: bool) -> &mut Self {
        self.t().vpn_connections[c.index()].configures = yes.into();
        self
    }

    /// A connection with BGP, and what its site announces.
    pub fn vpn_bgp(&mut self, c: VpnConnectionId, learned: &[&str]) -> &mut Self {
        let x = &mut self.t().vpn_connections[c.index()];
        x.bgp = true.into();
        x.learned = learned.iter().map(|c| net(c)).collect::<Vec<_>>().into();
        self
    }

    /// A route of a gateway, or of an attached connection; a policy route where it has a source.
    pub fn vpn_route(
        &mut self,
        gateway: Option<VpnGatewayId>,
        source: Option<&str>,
        destination: &str,
        next: VpnConnectionId,
        active: bool,
        publishes: bool,
    ) -> &mut Self {
        let n = self.t().vpn_routes.len();
        self.t().vpn_routes.push(VpnRoute {
            origin: origin(format!("alicloud_vpn_route_entry.r{n}")),
            gateway: gateway.map(Into::into),
            source: source.map(|s| net(s).into()),
            destination: net(destination).into(),
            next: next.into(),
            active: active.into(),
            publishes: publishes.into(),
        });
        self
    }

    /// A border router with its table.
    pub fn border_router(&mut self, name: &str, site: SiteId, learned: &[&str]) -> BorderRouterId {
        let m = meta("express_connect_virtual_border_router", name);
        let table = RouteTableId(id(self.t().route_tables.len()));
        let vpc = self.t().sites[site.index()].vpc;
        self.t().route_tables.push(RouteTable {
            meta: m.clone(),
            vpc: vpc.into(),
            kind: RouteTableKind::Border,
            propagation: false.into(),
        });
        self.t().border_routers.push(BorderRouter {
            meta: m,
            site,
            table,
            learned: learned.iter().map(|c| net(c)).collect::<Vec<_>>().into(),
        });
        BorderRouterId(id(self.t().border_routers.len() - 1))
    }

    /// Two router interfaces that are connected.
    pub fn router_interfaces(
        &mut self,
        name: &str,
        a: RouterEnd,
        b: RouterEnd,
    ) -> (RouterInterfaceId, RouterInterfaceId) {
        let first = RouterInterfaceId(id(self.t().router_interfaces.len()));
        let second = RouterInterfaceId(first.0 + 1);
        for (at, opposite, n) in [(a, second, "a"), (b, first, "b")] {
            self.t().router_interfaces.push(RouterInterface {
                meta: meta("router_interface", &format!("{name}{n}")),
                at,
                opposite: Some(opposite).into(),
            });
        }
        (first, second)
    }

    /// Attaches a border router to a transit router.
    pub fn attach_border(
        &mut self,
        name: &str,
        router: RouterId,
        b: BorderRouterId,
        publishes: bool,
    ) -> AttachmentId {
        self.attachment(name, router, Attached::Border(b.into()), Vec::new(), publishes)
    }

    /// Attaches a connection to a transit router.
    pub fn attach_vpn(&mut self, name: &str, router: RouterId, c: VpnConnectionId) -> AttachmentId {
        self.attachment(name, router, Attached::Vpn(c.into()), Vec::new(), true)
    }

    /// An Express Connect router as docs/decisions/023 has it: the router, and its tables *cloud* and *port*.
    pub fn ecr(&mut self, name: &str) -> (RouterId, TrTableId, TrTableId) {
        let r = self.router(name, false);
        let own = self.t().transit_routers[r.index()].meta.origin.address.clone();
        self.t().transit_routers[r.index()].cen = Some(own);
        let cloud = self.t().transit_routers[r.index()].system_table;
        let port = self.tr_table(&format!("{name}-port"), r);
        (r, cloud, port)
    }

    /// Joins a VPC to an Express Connect router.
    pub fn ecr_vpc(
        &mut self,
        name: &str,
        (r, cloud, port): (RouterId, TrTableId, TrTableId),
        vpc: VpcId,
    ) -> AttachmentId {
        let a = self.attach_vpc(name, r, vpc, &[], true);
        self.carries_ipv6(a, false);
        self.associate(a, cloud);
        self.propagate(a, port);
        a
    }

    /// Joins a border router to an Express Connect router.
    pub fn ecr_border(
        &mut self,
        name: &str,
        (r, cloud, port): (RouterId, TrTableId, TrTableId),
        b: BorderRouterId,
    ) -> AttachmentId {
        let a = self.attach_border(name, r, b, true);
        self.associate(a, port);
        self.propagate(a, cloud);
        a
    }

    /// Joins a transit router to an Express Connect router; what the transit router does with it is said by others.
    pub fn ecr_transit(
        &mut self,
        name: &str,
        (r, cloud, port): (RouterId, TrTableId, TrTableId),
        router: RouterId,
    ) -> AttachmentId {
        let a = self.attach_router(name, router, r, true);
        self.associate(a, cloud);
        self.propagate(a, port);
        a
    }
}
