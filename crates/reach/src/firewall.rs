//! Firewalls at the perimeter and between VPCs, resolved for packets (docs/decisions/015 and 022).

use crate::flow::{Cuts, representatives};
use crate::network::{Hop, Network, Route, RouteRef};
use crate::point::{Entry, Inside};
use bartizan_model::{AttachmentId, EipId, FirewallId, NatId, NextHop};
use bartizan_packet::{AtomSet, IpSet, ServiceSet};
use std::net::IpAddr;
use std::sync::Arc;

/// The addresses of one side of a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Addresses.
    pub ips: IpSet,
    /// Public addresses of the inventory that are not known yet, told by identity.
    pub eips: Vec<EipId>,
}

impl Side {
    fn matches(&self, s: Seen) -> bool {
        self.ips.contains(s.ip) || s.eip.is_some_and(|e| self.eips.contains(&e))
    }
}

/// A rule of a firewall.
#[derive(Clone, Debug)]
pub struct FireRule {
    /// Position in the rules of the firewall.
    pub index: u32,
    /// Whether it lets pass.
    pub accept: bool,
    /// The services, as atoms.
    pub atoms: Arc<AtomSet>,
    /// The services.
    pub services: Arc<ServiceSet>,
    /// Whose packets.
    pub source: Side,
    /// To whom.
    pub destination: Side,
}

/// A first-match list; what no rule matches passes.
#[derive(Clone, Debug, Default)]
pub struct FireList {
    /// In order of strength.
    pub rules: Vec<FireRule>,
}

/// A firewall.
#[derive(Clone, Debug)]
pub struct FirewallNet {
    /// The firewall.
    pub id: FirewallId,
    /// Connections from the Internet.
    pub inbound: FireList,
    /// Connections to the Internet, or the only list.
    pub outbound: FireList,
    pub(crate) cuts: Cuts,
}

impl FirewallNet {
    pub(crate) fn new(id: FirewallId, inbound: FireList, outbound: FireList) -> Self {
        let mut cuts = Cuts::default();
        for r in inbound.rules.iter().chain(&outbound.rules) {
            cuts.add(&r.source.ips);
            cuts.add(&r.destination.ips);
        }
        cuts.finish();
        FirewallNet {
            id,
            inbound,
            outbound,
            cuts,
        }
    }

    /// What it sees of a packet that it meets between VPCs.
    pub(crate) fn meeting(&self, src: IpAddr, dst: IpAddr) -> Meeting<'_> {
        Meeting {
            id: self.id,
            list: &self.outbound,
            seen: vec![(Seen::at(src), Seen::at(dst))],
            dnat: None,
        }
    }
}

/// A firewall at NAT gateways: the gateways, the custom routes that lead to it (positions in `Typed::route_entries`),
/// and its list.
pub type NatFirewall = (Vec<NatId>, Vec<u32>, FirewallNet);

/// Everything that filters at the perimeter.
#[derive(Clone, Debug, Default)]
pub struct Perimeter {
    /// The firewall at the Internet boundary, whether this network counts on it or not.
    pub present: Option<FirewallId>,
    /// The firewall at the Internet boundary, where this network counts on it.
    pub internet: Option<FirewallNet>,
    /// Firewalls at NAT gateways.
    pub nats: Vec<NatFirewall>,
    /// Firewalls between VPCs, with what they stand at.
    pub vpcs: Vec<VpcFirewall>,
}

/// A firewall between VPCs, and the crossings where it judges (docs/decisions/022).
#[derive(Clone, Debug)]
pub struct VpcFirewall {
    /// Its list.
    pub net: FirewallNet,
    /// Custom routes, by position in `Typed::route_entries`, and where they lead; `None` is any next hop.
    pub routes: Vec<(u32, Option<NextHop>)>,
    /// Attachments of VPCs: what goes from one of these to another, or from another to it.
    pub attachments: Vec<AttachmentId>,
    /// Routers: what goes from one attachment to another.
    pub routers: Vec<u32>,
    /// Whether it may stand at anything that joins VPCs and sites.
    pub anything: bool,
}

impl Perimeter {
    /// Whether some firewall may stand at routes, which it knows by their positions.
    pub(crate) fn names_routes(&self) -> bool {
        !self.nats.is_empty() || !self.vpcs.is_empty()
    }
}

/// What a packet crosses on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Across<'a> {
    /// A route of a VPC leads it out: where the route comes from, and the next hop.
    Route(RouteRef, &'a Hop),
    /// From one attachment to another inside a router, by a route of this length.
    Router(u32, [AttachmentId; 2], u8),
    /// A link, from its site.
    Link,
}

impl VpcFirewall {
    fn stands(&self, at: Across<'_>) -> bool {
        match at {
            Across::Route(from, hop) => {
                let joins = matches!(
                    hop,
                    Hop::Peering(..) | Hop::Attachment(_) | Hop::Vpn(_) | Hop::RouterInterface(_)
                );
                let named = |n: &NextHop| match (n, hop) {
                    (NextHop::Peering(p), Hop::Peering(h, _)) => p == h,
                    (NextHop::RouterInterface(i), Hop::RouterInterface(h)) => i == h,
                    _ => false,
                };
                let this = |(n, to): &(u32, Option<NextHop>)| {
                    from == RouteRef::Entry(*n) && to.as_ref().map_or(joins, named)
                };
                self.anything && joins || self.routes.iter().any(this)
            }
            // 7: not what goes by a default route.
            Across::Router(router, ends, length) => {
                let here =
                    self.routers.contains(&router) || ends.iter().any(|a| self.attachments.contains(a));
                self.anything || length > 0 && here
            }
            Across::Link => self.anything,
        }
    }
}

impl Perimeter {
    /// Whether a firewall between VPCs stands at the same things in another network, so that nothing of it is in doubt.
    #[must_use]
    pub fn stands_alike(&self, other: &Perimeter, id: u32) -> bool {
        let at = |p: &Perimeter| {
            let f = p.vpcs.iter().find(|f| f.net.id.0 == id)?;
            let VpcFirewall {
                routes,
                attachments,
                routers,
                anything,
                ..
            } = f.clone();
            Some((routes, attachments, routers, anything))
        };
        at(self) == at(other)
    }

    /// By which private addresses firewalls on the way to the Internet may know a sender.
    pub(crate) fn by_source(&self) -> impl Iterator<Item = &IpSet> {
        let nats = self.nats.iter().map(|(_, _, f)| f);
        let all = nats.chain(self.vpcs.iter().map(|f| &f.net));
        all.flat_map(|f| &f.outbound.rules).map(|r| &r.source.ips)
    }

    pub(crate) fn nets(&self) -> impl Iterator<Item = &FirewallNet> {
        let nats = self.nats.iter().map(|(_, _, n)| n);
        self.internet
            .iter()
            .chain(nats)
            .chain(self.vpcs.iter().map(|f| &f.net))
    }
    /// Where its rules cut the address space.
    pub(crate) fn cut(&self, c: &mut Cuts) {
        for r in self
            .nets()
            .flat_map(|n| n.inbound.rules.iter().chain(&n.outbound.rules))
        {
            c.add(&r.source.ips);
            c.add(&r.destination.ips);
        }
    }
}

/// An address as a firewall sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) ip: IpAddr,
    pub(crate) eip: Option<EipId>,
}

impl Seen {
    pub(crate) fn at(ip: IpAddr) -> Self {
        Seen { ip, eip: None }
    }
}

impl FireList {
    /// The services that pass from one address to another.
    pub(crate) fn passing(&self, all: &AtomSet, src: Seen, dst: Seen) -> AtomSet {
        let mut left = all.clone();
        let mut dropped: Option<AtomSet> = None;
        for r in &self.rules {
            if !r.source.matches(src) || !r.destination.matches(dst) {
                continue;
            }
            if !r.accept {
                let d = left.intersect(&r.atoms);
                match &mut dropped {
                    Some(x) => x.union_with(&d),
                    None => dropped = Some(d),
                }
            }
            left.subtract_with(&r.atoms);
            if left.is_empty() {
                break;
            }
        }
        match dropped {
            Some(d) => all.subtract(&d),
            None => all.clone(),
        }
    }

    /// Calls `f` with every rule that lets some of `want` pass, and with `None` where the end of the list does.
    pub(crate) fn accepting(
        &self,
        want: &AtomSet,
        src: Seen,
        dst: Seen,
        mut f: impl FnMut(Option<&FireRule>),
    ) {
        let mut left = want.clone();
        for r in &self.rules {
            if !r.source.matches(src) || !r.destination.matches(dst) {
                continue;
            }
            if r.accept && left.intersects(&r.atoms) {
                f(Some(r));
            }
            left.subtract_with(&r.atoms);
            if left.is_empty() {
                return;
            }
        }
        f(None);
    }

    /// The rule that decides for a service; `None` where none matches, which passes.
    pub(crate) fn decides(&self, src: Seen, dst: Seen, atom: usize) -> Option<&FireRule> {
        self.rules
            .iter()
            .find(|r| r.source.matches(src) && r.destination.matches(dst) && r.atoms.contains(atom))
    }
}

/// Where a packet meets a firewall: the firewall, its list, and the alternatives of whom it sees.
pub(crate) struct Meeting<'n> {
    pub(crate) id: FirewallId,
    pub(crate) list: &'n FireList,
    pub(crate) seen: Vec<(Seen, Seen)>,
    /// The DNAT entry behind it: ports are translated after it.
    pub(crate) dnat: Option<usize>,
}

impl Meeting<'_> {
    /// The services that some policy is about, whoever on the Internet sends them.
    pub(crate) fn judged(&self, outside: &IpSet) -> ServiceSet {
        let to = |r: &&FireRule| self.seen.iter().any(|(_, d)| r.destination.matches(*d));
        let from = |r: &&FireRule| !r.source.ips.intersect(outside).is_empty();
        let all = self.list.rules.iter().filter(to).filter(from);
        all.fold(ServiceSet::empty(), |a, r| a.union(&r.services))
    }
}

impl Network {
    /// What leaves to the Internet as one of some public addresses meets the Internet boundary.
    pub(crate) fn met_outbound(
        &self,
        s: Inside,
        src: &IpSet,
        eip: Option<EipId>,
        dst: IpAddr,
    ) -> Option<Meeting<'_>> {
        let f = self.perimeter.internet.as_ref().filter(|_| !self.spared(s))?;
        let all = representatives(src, &f.cuts).into_iter();
        let mut seen: Vec<(Seen, Seen)> = all
            .filter(|x| x.is_ipv4() == dst.is_ipv4())
            .map(|ip| (Seen { ip, eip }, Seen::at(dst)))
            .collect();
        seen.dedup();
        Some(Meeting {
            id: f.id,
            list: &f.outbound,
            seen,
            dnat: None,
        })
    }

    /// What comes from the Internet to an address by an entry meets the Internet boundary.
    pub(crate) fn met_inbound(&self, d: Inside, x: IpAddr, e: Entry) -> Option<Meeting<'_>> {
        let f = self.perimeter.internet.as_ref().filter(|_| !self.spared(d))?;
        let (_, a) = self.addr_of(d)?;
        let eip = match e {
            Entry::Own(i) => a.own[i].eip,
            Entry::Dnat(i) => a.dnat[i].eip,
            Entry::V6 => None,
            // A reply to what went out: the session is known.
            Entry::Back(_) => return None,
        };
        let public = self.public_of(d, e);
        let all = representatives(&public, &f.cuts).into_iter();
        let seen = all.map(|ip| (Seen::at(x), Seen { ip, eip })).collect();
        Some(Meeting {
            id: f.id,
            list: &f.inbound,
            seen,
            dnat: match e {
                Entry::Dnat(i) => Some(i),
                _ => None,
            },
        })
    }

    /// Whether a public address is no asset of the Internet firewall (decision 15, item 9).
    fn spared(&self, p: Inside) -> bool {
        self.mode == crate::network::Mode::Widen && self.iface(p.iface).is_some_and(|i| i.service.is_some())
    }

    /// The firewalls before a NAT gateway that a packet certainly meets (widening) or may meet (narrowing).
    pub(crate) fn met_nat(&self, s: Inside, n: NatId, dst: IpAddr, direct: bool) -> Vec<Meeting<'_>> {
        let mut out = Vec::new();
        let widen = self.mode == crate::network::Mode::Widen;
        let tables = self
            .iface(s.iface)
            .and_then(|i| self.vsw(i.vswitch))
            .map_or(&[][..], |v| &v.tables);
        for (nats, routes, f) in &self.perimeter.nats {
            // Decision 15, item 13: whichever route may have led here is one that it names.
            let named = |r: &Route| matches!(r.from, RouteRef::Entry(n) if routes.contains(&n));
            let all = tables.iter().filter_map(|t| self.tables.get(*t as usize));
            let led = all
                .flat_map(|t| t.lookup(dst))
                .filter(|r| r.hops.contains(&Hop::Nat(n)));
            let led: Vec<bool> = led.map(named).collect();
            // What no route of its own led here has come by something else.
            let met = if !direct || led.is_empty() {
                !widen
            } else if widen {
                led.iter().all(|x| *x)
            } else {
                led.contains(&true)
            };
            if nats.contains(&n) && met {
                out.push(Meeting {
                    id: f.id,
                    list: &f.outbound,
                    seen: vec![(Seen::at(s.ip), Seen::at(dst))],
                    dnat: None,
                });
            }
        }
        out
    }

    /// The firewalls between VPCs that judge what crosses something.
    pub(crate) fn met_at(&self, at: Across<'_>) -> impl Iterator<Item = &FirewallNet> {
        let all = self.perimeter.vpcs.iter();
        all.filter(move |f| f.stands(at)).map(|f| &f.net)
    }

    /// A firewall between VPCs, as it meets a packet.
    pub(crate) fn meeting(&self, id: FirewallId, src: IpAddr, dst: IpAddr) -> Option<Meeting<'_>> {
        let f = self.perimeter.vpcs.iter().find(|f| f.net.id == id)?;
        Some(f.net.meeting(src, dst))
    }

    /// What of all services passes a firewall: by some alternative when widening, by all when narrowing.
    pub(crate) fn passing(&self, m: &Meeting<'_>) -> AtomSet {
        let all = &self.common.all;
        self.fold(m.seen.iter().map(|(s, d)| m.list.passing(all, *s, *d)))
    }

    /// The services, as delivered, that an entry lets in past the Internet boundary.
    pub(crate) fn boundary_in(&self, d: Inside, x: IpAddr, e: Entry) -> Option<AtomSet> {
        let m = self.met_inbound(d, x, e)?;
        let sent = self.passing(&m);
        Some(match (m.dnat, self.addr_of(d)) {
            (Some(i), Some((_, a))) => self
                .atoms
                .touching(&a.dnat[i].translate(&self.atoms.services(&sent))),
            _ => sent,
        })
    }
}
