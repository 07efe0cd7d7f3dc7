//! Links to sites that are not in the cloud, resolved for packets (docs/decisions/014).

use crate::network::{Network, RouteRef};
use bartizan_model::{
    AttachmentId, BorderRouterId, InterfaceId, RouterInterfaceId, SiteId, VpcId, VpnConnectionId,
    VpnGatewayId, VswitchId,
};
use bartizan_packet::IpSet;
use std::net::IpAddr;

/// A site.
#[derive(Clone, Debug)]
pub struct SiteNet {
    /// The interface that stands for it.
    pub interface: InterfaceId,
    /// Its addresses.
    pub nets: IpSet,
    /// The sites that it passes packets on to, or by whose links they leave; itself where it forwards.
    pub ways: Vec<SiteId>,
}

/// Where a route of a VPN gateway comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VpnRouteRef {
    /// The pool of clients.
    Pool(VpnConnectionId),
    /// A route: index into `Typed::vpn_routes`.
    Route(u32),
    /// The blocks of a connection (`auto_config_route`).
    Blocks(VpnConnectionId),
    /// What a site announces by BGP.
    Learned(VpnConnectionId),
}

/// A route of a VPN gateway.
#[derive(Clone, Debug)]
pub struct VpnWay {
    /// Sources, and the length of the prefix.
    pub source: (IpSet, u8),
    /// Destinations, and the length of the prefix.
    pub ips: (IpSet, u8),
    /// Pools first, then policy routes, destination routes, announcements.
    pub kind: u8,
    /// Whether it is in use while others of its prefixes are.
    pub active: bool,
    /// The connection.
    pub next: VpnConnectionId,
    /// Where it comes from.
    pub from: VpnRouteRef,
}

/// A VPN gateway.
#[derive(Clone, Debug, Default)]
pub struct GatewayNet {
    /// Its VPC.
    pub vpc: Option<VpcId>,
    /// Its vSwitch.
    pub zone: Option<VswitchId>,
    /// The vSwitch blocks of its VPC.
    pub blocks: IpSet,
    /// Its routes.
    pub routes: Vec<VpnWay>,
    /// Whether something about it is not known: then nothing is certain of what it carries.
    pub uncertain: bool,
}

/// A VPN connection.
#[derive(Clone, Debug)]
pub struct ConnectionNet {
    /// Its gateway; `None` where it is attached to a transit router, or where that is not known.
    pub gateway: Option<VpnGatewayId>,
    /// Attachments of transit routers that lead to it.
    pub attachments: Vec<AttachmentId>,
    /// Its site.
    pub site: SiteId,
    /// What it carries on the side of the cloud.
    pub local: IpSet,
    /// What it carries on the side of the site.
    pub remote: IpSet,
    /// Destinations of its own routes and of announcements, where it is attached to a router.
    pub routes: IpSet,
    /// Whether something about it is not known.
    pub uncertain: bool,
}

/// Where a border router sends a packet, or where one comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BorderSide {
    /// The port to its site.
    Port,
    /// A router interface.
    Interface(RouterInterfaceId),
    /// A transit router.
    Attachment(AttachmentId),
    /// A next hop that is none of it.
    Nowhere,
}

/// A route of a border router.
#[derive(Clone, Debug)]
pub struct BorderWay {
    /// Destinations.
    pub ips: IpSet,
    /// Prefix length.
    pub length: u8,
    /// 2 for announcements of the site, 1 for custom routes, 0 for what a transit router publishes.
    pub rank: u8,
    /// Where it leads.
    pub to: BorderSide,
    /// The custom route.
    pub entry: Option<u32>,
    /// Whether it is not known to exist: both outcomes are possible.
    pub optional: bool,
}

/// A border router.
#[derive(Clone, Debug)]
pub struct BorderNet {
    /// Its site.
    pub site: SiteId,
    /// Its routes, strongest first.
    pub routes: Vec<BorderWay>,
    /// Whether something about it is not known.
    pub uncertain: bool,
}

impl BorderNet {
    /// The routes that may decide for an address, and whether they certainly do.
    #[must_use]
    pub fn lookup(&self, ip: IpAddr) -> (Vec<&BorderWay>, bool) {
        let mut out: Vec<&BorderWay> = Vec::new();
        let mut decided: Option<(u8, u8)> = None;
        for w in self.routes.iter().filter(|w| w.ips.contains(ip)) {
            let rank = (w.length, w.rank);
            if decided.is_some_and(|d| d != rank) {
                break;
            }
            if !w.optional {
                decided = Some(rank);
            }
            if !out.iter().any(|o| o.to == w.to) {
                out.push(w);
            }
        }
        (out, decided.is_some() && !self.uncertain)
    }
}

/// Where a router interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceEnd {
    /// At a VPC.
    Vpc(VpcId),
    /// At a border router.
    Border(BorderRouterId),
    /// Not known.
    Unknown,
}

/// A router interface.
#[derive(Clone, Debug)]
pub struct InterfaceNet {
    /// Where it is.
    pub at: InterfaceEnd,
    /// The other end.
    pub opposite: Option<RouterInterfaceId>,
}

/// Everything that leads to sites.
#[derive(Clone, Debug, Default)]
pub struct Hybrid {
    /// The tables of sites, which forward nothing: what leaves a site leaves by its links.
    pub tables: Vec<u32>,
    /// By [`SiteId`].
    pub sites: Vec<SiteNet>,
    /// By [`VpnGatewayId`].
    pub gateways: Vec<GatewayNet>,
    /// By [`VpnConnectionId`].
    pub connections: Vec<ConnectionNet>,
    /// By [`BorderRouterId`].
    pub borders: Vec<BorderNet>,
    /// By [`RouterInterfaceId`].
    pub interfaces: Vec<InterfaceNet>,
}

/// A thing that a packet crosses between the cloud and a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkRef {
    /// A VPN connection.
    Connection(VpnConnectionId),
    /// A border router.
    Border(BorderRouterId),
    /// A pair of router interfaces, by the one that the packet leaves by: there and back again is no loop.
    Interfaces(RouterInterfaceId),
    /// A site that passed it on.
    Site(SiteId),
}

impl Hybrid {
    /// Whether there is nothing of the kind.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty() && self.interfaces.is_empty() && self.gateways.is_empty()
    }

    /// The connections that a gateway picks for a packet, with the route; and whether that is certain.
    #[must_use]
    pub fn pick(
        &self,
        g: VpnGatewayId,
        src: IpAddr,
        dst: IpAddr,
    ) -> (Vec<(VpnConnectionId, VpnRouteRef)>, bool) {
        let Some(gw) = self.gateways.get(g.index()) else {
            return (Vec::new(), false);
        };
        let fits = |w: &&VpnWay| w.ips.0.contains(dst) && w.source.0.contains(src);
        let rank = |w: &VpnWay| (std::cmp::Reverse(w.kind), w.ips.1, w.source.1, w.active);
        let all = gw.routes.iter().filter(fits);
        let best = all.clone().map(rank).max();
        let mut out: Vec<(VpnConnectionId, VpnRouteRef)> = Vec::new();
        for w in all.filter(|w| gw.uncertain || Some(rank(w)) == best) {
            if !out.iter().any(|(c, _)| *c == w.next) {
                out.push((w.next, w.from));
            }
        }
        (out, !gw.uncertain)
    }

    /// Every prefix that anything here compares addresses with.
    pub(crate) fn each_set(&self, mut f: impl FnMut(&IpSet)) {
        for s in &self.sites {
            f(&s.nets);
        }
        for g in &self.gateways {
            f(&g.blocks);
            for r in &g.routes {
                f(&r.source.0);
                f(&r.ips.0);
            }
        }
        for c in &self.connections {
            [&c.local, &c.remote, &c.routes].into_iter().for_each(&mut f);
        }
        for b in &self.borders {
            b.routes.iter().for_each(|r| f(&r.ips));
        }
    }
}

impl Network {
    /// The site that an interface stands for.
    #[must_use]
    pub fn site_at(&self, i: InterfaceId) -> Option<SiteId> {
        let n = self.hybrid.sites.iter().position(|s| s.interface == i)?;
        u32::try_from(n).ok().map(SiteId)
    }
}

/// Whether a route was written by a VPN gateway or a transit router.
pub(crate) fn propagated(r: RouteRef) -> bool {
    matches!(r, RouteRef::Propagated(_) | RouteRef::Published(_))
}
