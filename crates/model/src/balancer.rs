//! Load balancers: CLB, ALB and NLB (ALIBABA.md §9.1-§9.5, docs/decisions/011), and the endpoints of PrivateLink
//! that hand on to them (§9.7, docs/decisions/016).

use crate::{Fact, InterfaceId, Meta, Origin, Unknown};
use bartizan_packet::ServiceSet;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BalancerKind {
    /// Classic Load Balancer (`alicloud_slb_*`).
    Clb,
    /// Application Load Balancer.
    Alb,
    /// Network Load Balancer.
    Nlb,
    /// An interface endpoint of PrivateLink: it hands on to the balancers of a service (ALIBABA.md §9.7,
    /// docs/decisions/016).
    Endpoint,
}

impl BalancerKind {
    /// The name that people use.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BalancerKind::Clb => "CLB",
            BalancerKind::Alb => "ALB",
            BalancerKind::Nlb => "NLB",
            BalancerKind::Endpoint => "PrivateLink endpoint",
        }
    }
}

/// A load balancer.
///
/// Clients reach it at its fronts, interfaces of their own on whose addresses it listens: one, or an IPv4 and an IPv6
/// address (docs/decisions/024).
/// [`Interface::groups`](crate::Interface::groups) of a front are the security groups on the balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// Identity.
    pub meta: Meta,
    /// The product.
    pub kind: BalancerKind,
    /// Its fronts, one for each zone.
    pub fronts: Vec<InterfaceId>,
    /// Whether it is in no vSwitch (a CLB for the Internet): its front has a public address only, and stands in
    /// the vSwitch of a backend for want of another.
    pub detached: bool,
    /// What it listens on.
    pub listeners: Vec<Listener>,
}

/// Something that a balancer listens on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// Where it comes from.
    pub origin: Origin,
    /// What clients send to it.
    pub services: Fact<ServiceSet>,
    /// Its access list, if one is on.
    pub filter: Fact<Option<ListenerFilter>>,
    /// Where it sends what it takes in.
    pub forwards: Vec<Forward>,
}

/// The access list of a listener (ALIBABA.md §9.1, §9.2). Without entries it admits everybody (A-LB-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerFilter {
    /// Whether it admits its entries only; otherwise it turns them away.
    pub white: Fact<bool>,
    /// Its entries.
    pub entries: Vec<FilterEntry>,
}

/// An entry of an access list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterEntry {
    /// Where it comes from.
    pub origin: Origin,
    /// The addresses of clients.
    pub net: Fact<IpNet>,
}

/// One backend of a listener.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forward {
    /// Where it comes from.
    pub origin: Origin,
    /// The backend.
    pub to: Backend,
    /// What arrives there; `None` for the port that the client sent to.
    pub services: Fact<Option<ServiceSet>>,
    /// Whether the backend sees the client's address.
    pub preserves: Fact<bool>,
}

/// Servers of a load balancer that is not in the inventory, or may not be: whoever it listens to may reach them
/// (docs/decisions/011, item 16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stray {
    /// What binds them to it.
    pub origin: Origin,
    /// Who they are.
    pub to: Vec<Backend>,
    /// What they may get by it; `None` for anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<ServiceSet>,
    /// What is not there.
    pub why: Unknown,
}

/// A backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// An interface, at its primary private IPv4 address (docs/decisions/011, 20).
    Interface(InterfaceId),
    /// An interface, at its IPv6 addresses (docs/decisions/024, 9).
    Ipv6(InterfaceId),
    /// An interface, at one of its addresses, by position.
    At(InterfaceId, u32),
    /// Whoever has this address, there.
    Ip(IpAddr),
    /// Not known.
    Unknown(Unknown),
}
