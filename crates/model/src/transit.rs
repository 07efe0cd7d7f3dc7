//! What joins VPCs: peering connections and transit routers (ALIBABA.md §10).

use crate::{
    AttachmentId, BorderRouterId, Fact, Meta, NetSpec, Origin, RouteTableId, RouterId, TrTableId, Unknown,
    VpcId, VpnConnectionId, VswitchId,
};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A VPC peering connection (ALIBABA.md §10.6): it adds no routes and passes nothing on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peering {
    /// Identity.
    pub meta: Meta,
    /// The VPC that asks.
    pub requester: Fact<VpcId>,
    /// The VPC that is asked.
    pub accepter: Fact<VpcId>,
}

/// A transit router: of Enterprise Edition, or the region of a CEN instance with Basic Edition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransitRouter {
    /// Identity; of Basic Edition that of its CEN instance.
    pub meta: Meta,
    /// The CEN instance, by Terraform address or id, where known.
    pub cen: Option<Arc<str>>,
    /// Basic Edition: one table for everything that is attached (ALIBABA.md §10.1).
    pub basic: bool,
    /// The table that always exists.
    pub system_table: TrTableId,
    /// Basic Edition: regions between which bandwidth is bought for certain, set by set; `None` where it is between all
    /// (ALIBABA.md §10.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Vec<Vec<Arc<str>>>>,
}

impl TransitRouter {
    /// Whether it stands for an Express Connect router, which is in no CEN instance but its own (docs/decisions/023).
    #[must_use]
    pub fn is_express(&self) -> bool {
        !self.basic && self.cen.as_ref() == Some(&self.meta.origin.address)
    }
}

/// A route table of a transit router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrTable {
    /// Identity; the system table carries that of its router.
    pub meta: Meta,
    /// Its router.
    pub router: Fact<RouterId>,
    /// Whether it is the one that always exists.
    pub system: bool,
}

/// What is attached to a transit router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attached {
    /// A VPC.
    Vpc(Fact<VpcId>),
    /// Another transit router; the one attachment is seen from both ends.
    Peer(Fact<RouterId>),
    /// A virtual border router.
    Border(Fact<BorderRouterId>),
    /// An IPsec connection.
    Vpn(Fact<VpnConnectionId>),
    /// Something that is not modelled yet (an Express Connect router): kind and target.
    Unmodelled(Arc<str>, Arc<str>),
    /// Nothing, or nothing any more: it carries nothing, and no table learns from it.
    Nothing,
}

/// An attachment of a transit router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Identity.
    pub meta: Meta,
    /// The router.
    pub router: Fact<RouterId>,
    /// What is attached.
    pub to: Attached,
    /// The vSwitches of a VPC that hold the interfaces of the router. Empty where the router has none
    /// (Basic Edition).
    pub vswitches: Vec<Fact<VswitchId>>,
    /// Whether routes of the associated table are written into the VPC's tables, or into the peer router's
    /// table (`auto_publish_route_enabled`).
    pub publishes: Fact<bool>,
    /// Whether it carries IPv6 (`ipv6_support`).
    pub ipv6: Fact<bool>,
}

/// Which table of a router forwards what comes from an attachment (*association*), or learns its routes
/// (*propagation*).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrLink {
    /// Where it comes from.
    pub origin: Origin,
    /// The attachment.
    pub attachment: Fact<AttachmentId>,
    /// The table. Of a peering attachment it says which of the two routers this is about.
    pub table: Fact<TrTableId>,
}

impl TrLink {
    /// Whether it joins an attachment and a table, for all that is known.
    #[must_use]
    pub fn joins(&self, a: AttachmentId, table: TrTableId) -> bool {
        self.attachment.known() == Some(&a) && self.table.known() == Some(&table)
    }
}

/// Where a static route of a transit router leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrHop {
    /// An attachment.
    Attachment(AttachmentId),
    /// Nowhere: what matches is dropped.
    Blackhole,
    /// Not known.
    Unknown(Unknown),
}

/// A static route of a transit router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrRoute {
    /// Where it comes from.
    pub origin: Origin,
    /// The table.
    pub table: Fact<TrTableId>,
    /// The destination.
    pub destination: NetSpec,
    /// Where it leads.
    pub hop: TrHop,
}

/// A custom route of a VPC's system table that is published to the transit router (`alicloud_cen_route_entry`,
/// ALIBABA.md §10.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedRoute {
    /// Where it comes from.
    pub origin: Origin,
    /// The table that holds it.
    pub table: Fact<RouteTableId>,
    /// Its destination.
    pub destination: Fact<IpNet>,
}

/// Whether prefixes of a route have to be equal to a condition's or may lie inside (ALIBABA.md §10.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CidrMatch {
    /// Inside one of the prefixes.
    Include,
    /// Equal to one of the prefixes.
    Complete,
}

/// A route map of a CEN instance (ALIBABA.md §10.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteMap {
    /// Where it comes from.
    pub origin: Origin,
    /// The CEN instance, by Terraform address or id.
    pub cen: Fact<Arc<str>>,
    /// The region.
    pub region: Fact<Arc<str>>,
    /// The table; the router's system table where `None`.
    pub table: Option<Fact<TrTableId>>,
    /// `true` for routes that the table receives (`RegionIn`), `false` for routes that it advertises.
    pub receives: Fact<bool>,
    /// 1 comes first.
    pub priority: Fact<u8>,
    /// `true` permits.
    pub permit: Fact<bool>,
    /// Where to go on after a permit.
    pub next_priority: Option<Fact<u8>>,
    /// Prefixes of the routes; `None` for all.
    pub prefixes: Option<Vec<Fact<IpNet>>>,
    /// How prefixes match.
    pub match_mode: Fact<CidrMatch>,
    /// Attached VPCs that the routes come from, and whether the list is negated; `None` for all.
    pub sources: Option<(Vec<Fact<VpcId>>, bool)>,
    /// Attached VPCs that the routes go to, and whether the list is negated; `None` for all.
    pub destinations: Option<(Vec<Fact<VpcId>>, bool)>,
    /// Conditions that are not modelled (communities, AS paths, route types, ...), by name.
    pub unmodelled: Vec<Arc<str>>,
}
