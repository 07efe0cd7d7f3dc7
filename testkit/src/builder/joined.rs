//! Managed services, peering and transit routers.

use super::{InventoryBuilder, id, ip, meta, net, origin};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

impl InventoryBuilder {
    /// A managed data service that answers on one TCP port; nobody may connect yet.
    pub fn data_service(
        &mut self,
        name: &str,
        vswitch: VswitchId,
        address: &str,
        port: u16,
    ) -> DataServiceId {
        let interface = InterfaceId(id(self.t().interfaces.len()));
        let m = meta("db_instance", name);
        self.t().interfaces.push(Interface {
            meta: m.clone(),
            instance: None,
            primary: true,
            vswitch: vswitch.into(),
            groups: Fact::Known(Vec::new()),
            foreign_groups: Vec::new(),
            addresses: vec![Address {
                spec: AddressSpec::Ip(ip(address)),
                kind: AddressKind::Primary,
                ipv6_internet: Ipv6Internet::None,
            }],
            source_dest_check: Fact::Known(Some(true)),
            public: Vec::new(),
        });
        self.t().data_services.push(DataService {
            meta: m,
            kind: DataServiceKind::Rds,
            interface,
            services: Fact::Known(ServiceSet::tcp(PortSet::single(port))),
            also: ServiceSet::default(),
            allow: Vec::new(),
        });
        DataServiceId(id(self.t().data_services.len() - 1))
    }

    /// Admits somebody to a data service.
    pub fn admit(&mut self, service: DataServiceId, peer: AllowPeer) -> &mut Self {
        let d = &mut self.t().data_services[service.index()];
        let origin = d.meta.origin.clone();
        d.allow.push(AllowEntry { origin, peer });
        self
    }

    /// Admits a prefix to a data service.
    pub fn admit_net(&mut self, service: DataServiceId, cidr: &str) -> &mut Self {
        self.admit(service, AllowPeer::Net(net(cidr)))
    }

    /// A peering connection.
    pub fn peering(&mut self, name: &str, a: VpcId, b: VpcId) -> PeeringId {
        self.t().peerings.push(Peering {
            meta: meta("vpc_peer_connection", name),
            requester: a.into(),
            accepter: b.into(),
        });
        PeeringId(id(self.t().peerings.len() - 1))
    }

    /// A transit router with its system table.
    pub fn router(&mut self, name: &str, basic: bool) -> RouterId {
        let router = RouterId(id(self.t().transit_routers.len()));
        let system_table = TrTableId(id(self.t().tr_tables.len()));
        let m = meta("cen_transit_router", name);
        self.t().tr_tables.push(TrTable {
            meta: m.clone(),
            router: router.into(),
            system: true,
        });
        self.t().transit_routers.push(TransitRouter {
            meta: m,
            cen: Some("cen".into()),
            basic,
            system_table,
            bandwidth: None,
        });
        router
    }

    /// A custom table of a router.
    pub fn tr_table(&mut self, name: &str, router: RouterId) -> TrTableId {
        self.t().tr_tables.push(TrTable {
            meta: meta("cen_transit_router_route_table", name),
            router: router.into(),
            system: false,
        });
        TrTableId(id(self.t().tr_tables.len() - 1))
    }

    /// Nothing is behind an attachment any more.
    pub fn detach(&mut self, a: AttachmentId) -> &mut Self {
        let x = &mut self.t().attachments[a.index()];
        x.to = Attached::Nothing;
        x.vswitches.clear();
        self
    }

    /// Attaches a VPC in some of its vSwitches.
    pub fn attach_vpc(
        &mut self,
        name: &str,
        router: RouterId,
        vpc: VpcId,
        zones: &[VswitchId],
        publishes: bool,
    ) -> AttachmentId {
        self.attachment(
            name,
            router,
            Attached::Vpc(vpc.into()),
            zones.iter().map(|z| (*z).into()).collect(),
            publishes,
        )
    }

    /// Joins two routers.
    pub fn attach_router(&mut self, name: &str, a: RouterId, b: RouterId, publishes: bool) -> AttachmentId {
        self.attachment(name, a, Attached::Peer(b.into()), Vec::new(), publishes)
    }

    pub(super) fn attachment(
        &mut self,
        name: &str,
        router: RouterId,
        to: Attached,
        vswitches: Vec<Fact<VswitchId>>,
        publishes: bool,
    ) -> AttachmentId {
        self.t().attachments.push(Attachment {
            meta: meta("cen_transit_router_vpc_attachment", name),
            router: router.into(),
            to,
            vswitches,
            publishes: publishes.into(),
            ipv6: true.into(),
        });
        AttachmentId(id(self.t().attachments.len() - 1))
    }

    /// Whether an attachment carries IPv6.
    pub fn carries_ipv6(&mut self, a: AttachmentId, yes: bool) -> &mut Self {
        self.t().attachments[a.index()].ipv6 = yes.into();
        self
    }

    /// The table forwards for the attachment.
    pub fn associate(&mut self, a: AttachmentId, table: TrTableId) -> &mut Self {
        let link = Self::tr_link(a, table);
        self.t().tr_associations.push(link);
        self
    }

    /// The table learns from the attachment.
    pub fn propagate(&mut self, a: AttachmentId, table: TrTableId) -> &mut Self {
        let link = Self::tr_link(a, table);
        self.t().tr_propagations.push(link);
        self
    }

    fn tr_link(a: AttachmentId, table: TrTableId) -> TrLink {
        TrLink {
            origin: origin("alicloud_cen_transit_router_route_table_association.x".to_string()),
            attachment: a.into(),
            table: table.into(),
        }
    }

    /// A static route of a router; `None` is a blackhole.
    pub fn tr_route(&mut self, table: TrTableId, cidr: &str, to: Option<AttachmentId>) -> &mut Self {
        let n = self.t().tr_routes.len();
        self.t().tr_routes.push(TrRoute {
            origin: origin(format!("alicloud_cen_transit_router_route_entry.r{n}")),
            table: table.into(),
            destination: NetSpec::Net(net(cidr).into()),
            hop: to.map_or(TrHop::Blackhole, TrHop::Attachment),
        });
        self
    }

    /// Publishes a custom route of a system table.
    pub fn publish_route(&mut self, table: RouteTableId, cidr: &str) -> &mut Self {
        self.t().published_routes.push(PublishedRoute {
            origin: origin("alicloud_cen_route_entry.x".to_string()),
            table: table.into(),
            destination: net(cidr).into(),
        });
        self
    }

    /// Whether a route table takes propagated routes.
    pub fn takes_propagated(&mut self, table: RouteTableId, yes: bool) -> &mut Self {
        self.t().route_tables[table.index()].propagation = yes.into();
        self
    }

    /// A route map.
    pub fn route_map(&mut self, map: RouteMap) -> &mut Self {
        self.t().route_maps.push(map);
        self
    }
}
