//! Managed data services: databases, caches and queues with allow lists of their own (ALIBABA.md §15).

use crate::{Fact, InterfaceId, Meta, Origin, SecurityGroupId, Unknown};
use bartizan_packet::ServiceSet;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataServiceKind {
    /// ApsaraDB RDS.
    Rds,
    /// PolarDB.
    Polardb,
    /// Tair and ApsaraDB for Redis.
    Redis,
    /// ApsaraDB for MongoDB.
    Mongodb,
    /// Another service that follows the same pattern (ALIBABA.md §15.6).
    Other,
}

impl DataServiceKind {
    /// The name that people use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DataServiceKind::Rds => "RDS instance",
            DataServiceKind::Polardb => "PolarDB cluster",
            DataServiceKind::Redis => "Redis instance",
            DataServiceKind::Mongodb => "MongoDB instance",
            DataServiceKind::Other => "data service",
        }
    }
}

/// Who an entry of an allow list admits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AllowPeer {
    /// Addresses, as the service sees them.
    Net(IpNet),
    /// Members of a security group, by any of their addresses; the rules of the group do not count
    /// (ALIBABA.md §15.1).
    Group(SecurityGroupId),
    /// A group that is not in the inventory.
    ForeignGroup(Arc<str>),
    /// Not known.
    Unknown(Unknown),
}

/// One entry of an allow list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllowEntry {
    /// Where it comes from.
    pub origin: Origin,
    /// Whom it admits.
    pub peer: AllowPeer,
}

/// A managed data service. It answers at an [`Interface`](crate::Interface) of its own, which is in no
/// security group; network ACLs do not apply to it (ALIBABA.md §15.3), and it opens no connections.
///
/// A public connection string is a public address of the interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataService {
    /// Identity.
    pub meta: Meta,
    /// The product.
    pub kind: DataServiceKind,
    /// Where it answers.
    pub interface: InterfaceId,
    /// What it answers on.
    pub services: Fact<ServiceSet>,
    /// What it may answer on besides: ports of other endpoints of the service, and of proxies in front of it.
    #[serde(default, skip_serializing_if = "ServiceSet::is_empty")]
    pub also: ServiceSet,
    /// Who may connect: any entry admits (ALIBABA.md §15).
    pub allow: Vec<AllowEntry>,
}
