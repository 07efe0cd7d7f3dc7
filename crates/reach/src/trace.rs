//! One concrete packet, explained: every way it could take, with the deciding rule of every layer.
//!
//! [`trace`] answers what `Network::flow_from_port` answers, for one packet and with reasons. It walks by
//! itself (`trace_walk`) and goes on behind a blocker, so that all blockers are listed; a property test holds
//! the two together.

use crate::hybrid::LinkRef;
use crate::network::{Mode, Network, RouteRef, RuleRef};
use crate::point::{Inside, Point};
use crate::trace_walk::Tracer;
use bartizan_model::{AttachmentId, BalancerId, InterfaceId, Inventory, Origin};
use bartizan_packet::Proto;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// Where on its way a packet is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Groups of the sending interface (ALIBABA.md §5).
    SecurityGroupEgress,
    /// Network ACL of the vSwitch that the packet leaves (§6).
    AclEgress,
    /// Route table of a vSwitch, or of a gateway (§3).
    Route,
    /// SNAT of a NAT gateway (§8.2).
    Nat,
    /// A public IPv4 address of an interface (§7.4).
    Eip,
    /// The IPv4 gateway (§7.2).
    Ipv4Gateway,
    /// The IPv6 gateway (§7.3).
    Ipv6Gateway,
    /// The public Internet.
    Internet,
    /// DNAT of a NAT gateway (§8.3).
    Dnat,
    /// An interface that forwards packets that are not its own (§4.1).
    Appliance,
    /// Network ACL of the vSwitch that the packet enters (§6).
    AclIngress,
    /// Groups of the receiving interface (§5).
    SecurityGroupIngress,
    /// A table of a transit router (§10).
    TransitRouter,
    /// A VPC peering connection (§10.6).
    Peering,
    /// A VPN gateway or connection (§12).
    VpnGateway,
    /// A virtual border router (§11).
    BorderRouter,
    /// A router interface (§11).
    RouterInterface,
    /// A site that is not in the cloud (§11).
    Site,
    /// The allow list of a managed service (§15).
    AllowList,
    /// A listener of a load balancer (§9).
    LoadBalancer,
    /// A firewall at the perimeter (§13).
    CloudFirewall,
    /// What the cloud does by itself.
    Platform,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Layer::SecurityGroupEgress => "security group egress",
            Layer::AclEgress => "network acl egress",
            Layer::Route => "route",
            Layer::Nat => "nat",
            Layer::Eip => "eip",
            Layer::Ipv4Gateway => "ipv4 gateway",
            Layer::Ipv6Gateway => "ipv6 gateway",
            Layer::Internet => "internet",
            Layer::Dnat => "dnat",
            Layer::Appliance => "appliance",
            Layer::AclIngress => "network acl ingress",
            Layer::SecurityGroupIngress => "security group ingress",
            Layer::TransitRouter => "transit router",
            Layer::Peering => "peering",
            Layer::VpnGateway => "vpn gateway",
            Layer::BorderRouter => "border router",
            Layer::RouterInterface => "router interface",
            Layer::Site => "site",
            Layer::AllowList => "allow list",
            Layer::LoadBalancer => "load balancer",
            Layer::CloudFirewall => "cloud firewall",
            Layer::Platform => "platform",
        })
    }
}

/// What a layer does with the packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Lets it pass.
    Accept,
    /// Drops it.
    Drop,
    /// Sends it on by a route.
    Forward,
    /// Sends it on with another address; the address and port it has from here on.
    Rewrite(String),
}

/// What of the inventory decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedBy {
    /// A rule of a security group or network ACL, or a default.
    Rule(RuleRef),
    /// A route.
    Route(RouteRef),
    /// A static route of a transit router: index into `Typed::tr_routes`.
    TrRoute(u32),
    /// An attachment of a transit router.
    Attachment(AttachmentId),
    /// A route of a VPN gateway: index into `Typed::vpn_routes`.
    VpnRoute(u32),
    /// A link to a site, or a site.
    Link(LinkRef),
    /// An SNAT entry: index into `Typed::snat_entries`.
    Snat(u32),
    /// A DNAT entry: index into `Typed::dnat_entries`.
    Dnat(u32),
    /// A backend of a listener of a load balancer: positions of both.
    Forward(BalancerId, u32, u32),
    /// A public address: the interface and the position in its public addresses.
    Public(InterfaceId, u32),
}

/// One layer on the way of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Terraform address of what the packet is at, or `internet`.
    pub at: Arc<str>,
    /// The layer.
    pub layer: Layer,
    /// The deciding rule in words.
    pub rule: String,
    /// What it does.
    pub decision: Decision,
    /// Whether the packet passes here, whatever happens elsewhere.
    pub open: bool,
    /// Where the deciding rule is written.
    pub origin: Option<Origin>,
    /// What decides.
    pub from: Option<DecidedBy>,
    /// Contested semantics that the decision leans on (ALIBABA.md §20).
    pub assumptions: Vec<&'static str>,
}

/// One way of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WayTrace {
    /// `private`, `out through ...`, `in through ...`.
    pub name: String,
    /// The request, in order.
    pub request: Vec<Step>,
    /// Its reply, in order: one that gets back if any does (of several that all have to, one that does not).
    pub reply: Vec<Step>,
    /// Whether the request arrives.
    pub delivered: bool,
    /// Whether it arrives and the reply gets back.
    pub works: bool,
    /// Whom the receiver sees.
    pub(crate) seen: Option<Seen>,
}

/// Whom the receiver of a packet sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A private address.
    Private(Inside),
    /// A public address.
    Public(IpAddr),
    /// A NAT IP of a VPC NAT gateway.
    Nat(IpAddr),
    /// A balancer by its front, at an address of its own.
    Front(InterfaceId, IpAddr),
}

impl WayTrace {
    /// The steps that drop the request.
    pub fn blockers(&self) -> impl Iterator<Item = &Step> {
        self.request.iter().filter(|s| !s.open)
    }
}

/// The packet of a trace. The port is the one at which it is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedPacket {
    /// The sender.
    pub source: Point,
    /// The receiver.
    pub destination: Point,
    /// The protocol.
    pub proto: Proto,
    /// The client's port, where the protocol has ports.
    pub source_port: u16,
    /// Destination port, or ICMP type and code.
    pub destination_port: u16,
}

/// Every way of one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The packet.
    pub packet: TracedPacket,
    /// The ways; first the one that shows best why the answer is what it is.
    pub ways: Vec<WayTrace>,
    /// Whether the request arrives: equal to [`Network::flow_from_port`].
    pub delivered: bool,
    /// Whether it arrives and the reply gets back: equal to [`Network::flow_from_port`].
    pub works: bool,
}

/// How a set of alternatives folds: any of them when widening, all of them when narrowing.
pub(crate) fn fold(mode: Mode, alternatives: impl IntoIterator<Item = bool>) -> bool {
    let mut it = alternatives.into_iter().peekable();
    match mode {
        Mode::Widen => it.any(|a| a),
        Mode::Narrow => it.peek().is_some() && it.all(|a| a),
    }
}

/// Explains one packet from `s` to `d`. For an ICMP packet `dport` is type and code; `sport` is where replies
/// to TCP and UDP go.
///
/// `inv` must be the inventory that `net` was compiled from; it is read for words and places only.
#[must_use]
pub fn trace(
    net: &Network,
    inv: &Inventory,
    s: Point,
    d: Point,
    proto: Proto,
    sport: u16,
    dport: u16,
) -> Trace {
    let packet = TracedPacket {
        source: s,
        destination: d,
        proto,
        source_port: sport,
        destination_port: dport,
    };
    let (mut ways, delivered, works) = Tracer::new(net, inv, packet).all();
    // First the ways that end as the packet does, those with the fewest blockers before the others.
    ways.sort_by_key(|w| {
        (
            w.delivered != delivered,
            w.works != works,
            w.request.iter().chain(&w.reply).filter(|s| !s.open).count(),
        )
    });
    Trace {
        packet,
        ways,
        delivered,
        works,
    }
}
