//! Cloud Firewall, and proxies in front of public addresses (ALIBABA.md §13, docs/decisions/015).

use crate::{
    EipId, Fact, InterfaceId, Meta, NatId, NextHop, Origin, RouteTableId, RouterId, Typed, Unknown, VpcId,
};
use bartizan_packet::ServiceSet;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

/// Where a firewall stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallPlace {
    /// Between public addresses and the Internet.
    Internet,
    /// Before a NAT gateway.
    Nat {
        /// The gateway.
        nat: Fact<NatId>,
        /// The route tables and destinations that are led to it.
        routes: Vec<(Fact<RouteTableId>, Fact<IpNet>)>,
    },
    /// Between VPCs: where it stands; any of them.
    Vpc(Vec<Boundary>),
}

/// What a packet crosses where a firewall between VPCs stands (docs/decisions/022).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boundary {
    /// A custom route that leads to another VPC.
    Route {
        /// Its table.
        table: Fact<RouteTableId>,
        /// Its destination.
        destination: Fact<IpNet>,
        /// Where it leads.
        hop: Fact<NextHop>,
    },
    /// An attachment of a VPC to a transit router of a CEN instance.
    Vpc {
        /// The VPC.
        vpc: Fact<VpcId>,
        /// The CEN instance, as routers name it.
        cen: Fact<Arc<str>>,
    },
    /// A transit router.
    Router(Fact<RouterId>),
    /// Not known: anything between VPCs and sites.
    Unknown(Unknown),
}

/// A firewall with its rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firewall {
    /// Identity.
    pub meta: Meta,
    /// Where it stands.
    pub place: FirewallPlace,
    /// Whether it is switched on. For the Internet boundary this is about the firewall and not about the
    /// public addresses, each of which has a switch that is not in Terraform (A-CFW-1).
    pub on: Fact<bool>,
    /// Whether it is in strict mode (A-FW-1).
    pub strict: Fact<bool>,
    /// Its rules, in no particular order.
    pub rules: Vec<FirewallRule>,
}

impl Typed {
    /// Whether routing policies, which no resource sets, decide what a firewall judges (A-CFW-2).
    #[must_use]
    pub fn diverts(&self, place: &FirewallPlace) -> bool {
        let FirewallPlace::Vpc(all) = place else {
            return false;
        };
        all.iter().any(|b| match b {
            Boundary::Router(_) => true,
            Boundary::Vpc { cen, .. } => {
                let mut of = self.transit_routers.iter().filter(|r| !r.basic);
                of.any(|r| cen.known().is_none() || r.cen.is_none() || r.cen.as_ref() == cen.known())
            }
            Boundary::Route { .. } | Boundary::Unknown(_) => false,
        })
    }
}

/// A policy of a firewall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirewallRule {
    /// Where it comes from.
    pub origin: Origin,
    /// `true` for connections from the Internet; firewalls at other boundaries have one list, which is `false`.
    pub inbound: Fact<bool>,
    /// `true` for IPv6, `false` for IPv4.
    pub ipv6: Fact<bool>,
    /// Its place in the list, smallest first; unknown where the provider appends in an order of its own.
    pub order: Fact<u32>,
    /// `true` for `accept` and `log`, `false` for `drop`.
    pub pass: Fact<bool>,
    /// Whether it takes part: released and permanent.
    pub active: Fact<bool>,
    /// Whose packets; any of them.
    pub source: Vec<FirewallPeer>,
    /// To whom; any of them.
    pub destination: Vec<FirewallPeer>,
    /// Protocol and destination ports.
    pub services: Fact<ServiceSet>,
    /// Whether it is about an application or a domain, which a packet does not show (A-FW-1).
    pub deep: Fact<bool>,
}

/// A value of the source or destination of a firewall rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallPeer {
    /// A prefix.
    Net(IpNet),
    /// The address of an EIP of the inventory.
    Eip(EipId),
    /// A domain or a region, as written: addresses that nobody knows.
    Elsewhere(Arc<str>),
    /// Not known.
    Unknown(Unknown),
}

/// The product of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyKind {
    /// Web Application Firewall in CNAME mode.
    Waf,
    /// Anti-DDoS Proxy.
    AntiDdos,
}

impl ProxyKind {
    /// The name that people use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ProxyKind::Waf => "WAF",
            ProxyKind::AntiDdos => "Anti-DDoS Proxy",
        }
    }
}

/// An address to which a proxy sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyOrigin {
    /// An address.
    Ip(IpAddr),
    /// The address of an EIP of the inventory.
    Eip(EipId),
    /// The public addresses of an interface, a front of a load balancer among others.
    Interface(InterfaceId),
    /// Not known, a domain name among others.
    Unknown(Unknown),
}

/// A reverse proxy on the Internet: it sends to its origins from public addresses that nobody here owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// Identity; the name is the domain.
    pub meta: Meta,
    /// The product.
    pub kind: ProxyKind,
    /// What it listens on.
    pub services: Fact<ServiceSet>,
    /// Where it sends.
    pub origins: Vec<ProxyOrigin>,
}

/// Protection of a public address that filters nothing by policy: Anti-DDoS Origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shield {
    /// Where it comes from.
    pub origin: Origin,
    /// What it protects.
    pub of: ProxyOrigin,
}
