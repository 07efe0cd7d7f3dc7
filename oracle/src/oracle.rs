//! The question and its answer.

use crate::forward::{Arrival, Exit, Goal, Walk};
use crate::group::{Pkt, Side};
use crate::internet::{Door, DoorKind, Out};
use crate::world::{Unsupported, World};
use bartizan_model::{InterfaceId, Inventory, Readings};
use bartizan_packet::{IpSet, Packet, Proto};
use std::fmt;
use std::net::IpAddr;

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// A private address (or a global IPv6 address) of an interface.
    Address {
        /// The interface.
        interface: InterfaceId,
        /// Position in the interface's list of addresses.
        address: u32,
        /// The address; one of a delegated prefix when the position names a prefix.
        ip: IpAddr,
    },
    /// An address on the Internet that does not belong to the inventory.
    Outside(IpAddr),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Address { interface, ip, .. } => write!(f, "interface {} at {ip}", interface.0),
            Endpoint::Outside(ip) => write!(f, "internet {ip}"),
        }
    }
}

/// Which protocols a public IPv4 address carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicProtocols {
    /// TCP, UDP and ICMP (ALIBABA.md §7.4).
    TcpUdpIcmp,
    /// Every protocol: a reading that only allows more.
    All,
}

impl PublicProtocols {
    pub(crate) fn carries(self, proto: Proto, ip: IpAddr) -> bool {
        self == PublicProtocols::All || ip.is_ipv6() || [Proto::TCP, Proto::UDP, Proto::ICMP].contains(&proto)
    }
}

/// What counts as "the vSwitch has a route to the gateway" (ALIBABA.md §7.2, §7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayRoutes {
    /// Only a route whose next hop is the gateway: the letter of the text.
    Direct,
    /// Also one to an appliance whose own vSwitch has such a route: a reading that only allows more.
    ThroughAppliances,
}

/// How to interpret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether to write down what happens at each hop. Slow; off for comparisons.
    pub explain: bool,
    /// Which protocols a public IPv4 address carries.
    pub public_protocols: PublicProtocols,
    /// What counts as a route to a gateway.
    pub gateway_routes: GatewayRoutes,
    /// What is decided about contested semantics; of everything else the first reading (docs/decisions/018).
    pub readings: Readings,
}

impl Options {
    /// The reading of ALIBABA.md, without explanations.
    #[must_use]
    pub fn normative() -> Self {
        Options {
            explain: false,
            public_protocols: PublicProtocols::TcpUdpIcmp,
            gateway_routes: GatewayRoutes::Direct,
            readings: Readings::chosen(),
        }
    }
}

/// One path that the request may take to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// What happens at each hop; empty unless [`Options::explain`] is set.
    pub steps: Vec<String>,
    /// Whether the request arrives by this path.
    pub delivered: bool,
    /// Whether the reply to it gets back.
    pub reply: bool,
    /// Whom the receiver sees, where it arrives.
    pub(crate) seen: Option<Side>,
    /// Whether it is a balancer that has opened the connection which arrives, from any of its ports.
    pub(crate) opened: bool,
    /// By whom it passes; not told of paths through balancers, and of drops.
    pub trails: Option<Trails>,
}

/// The interfaces that pass packets on: appliances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trails {
    /// Those of the request, in order.
    pub there: Vec<InterfaceId>,
    /// Those of the reply, for each path that it may take.
    pub back: Vec<Vec<InterfaceId>>,
}

/// The trails of packets that arrive.
pub(crate) fn trails_of(arrivals: &[Arrival]) -> Vec<Vec<usize>> {
    arrivals.iter().map(|a| a.appliances.clone()).collect()
}

/// One of each, one after another.
pub(crate) fn joined(a: &[Vec<usize>], b: &[Vec<usize>]) -> Vec<Vec<usize>> {
    a.iter()
        .flat_map(|x| b.iter().map(move |y| [x.as_slice(), y].concat()))
        .collect()
}

/// What becomes of a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the first packet arrives by some path.
    pub delivered: bool,
    /// Whether, of the paths by which it arrives, there is one whose reply gets back.
    pub reply: bool,
    /// The paths; those that end in a drop are listed only when [`Options::explain`] is set.
    pub request_paths: Vec<Path>,
}

/// The interpreter of one inventory.
pub struct Oracle {
    pub(crate) world: World,
    pub(crate) options: Options,
    outside: IpSet,
}

#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) eni: usize,
    pub(crate) address: usize,
    pub(crate) ip: IpAddr,
}

/// Protocol and ports of the question; `dport` is the port as delivered.
#[derive(Clone, Copy)]
pub(crate) struct Flow {
    pub(crate) proto: Proto,
    pub(crate) sport: u16,
    pub(crate) dport: u16,
}

impl Oracle {
    /// Prepares an inventory.
    ///
    /// # Errors
    /// When something that matters is unknown.
    pub fn new(inv: &Inventory, options: Options) -> Result<Oracle, Unsupported> {
        let world = World::new(inv, options.gateway_routes, options.readings.clone())?;
        let mut outside = IpSet::public();
        for ip in &world.owned {
            outside = outside.subtract(&IpSet::single(*ip));
        }
        let v6 = world
            .interfaces
            .iter()
            .flat_map(|i| &i.addresses)
            .filter(|a| a.net.addr().is_ipv6());
        for a in v6 {
            outside = outside.subtract(&IpSet::from(a.net));
        }
        Ok(Oracle {
            world,
            options,
            outside,
        })
    }

    /// The addresses that [`Endpoint::Outside`] may have: public ones that the inventory does not own.
    #[must_use]
    pub fn outside(&self) -> &IpSet {
        &self.outside
    }

    /// Does a first packet sent by `src` to reach `dst` arrive by any possible path, and does the reply get
    /// back? `dport` is the port as delivered to the destination, which differs from the one the client
    /// sends to when a DNAT entry shifts ports; for ICMP it is `type * 256 + code`.
    ///
    /// An endpoint that does not exist, two endpoints of one interface, and two endpoints outside are no
    /// flow and yield nothing delivered.
    #[must_use]
    pub fn deliver(&self, src: Endpoint, dst: Endpoint, proto: Proto, sport: u16, dport: u16) -> Outcome {
        let f = Flow { proto, sport, dport };
        let mut out = Outcome::default();
        match (src, dst) {
            (Endpoint::Outside(s), Endpoint::Address { .. }) => {
                if let Some(b) = self.at(dst).filter(|_| self.outside.contains(s)) {
                    self.towards(None, s, b, f, &[b.eni], &mut out);
                }
            }
            (Endpoint::Address { .. }, Endpoint::Outside(d)) => {
                if let Some(a) = self.at(src).filter(|_| self.outside.contains(d)) {
                    self.outbound(a, d, f, &mut out);
                }
            }
            (Endpoint::Address { .. }, Endpoint::Address { .. }) => {
                if let (Some(a), Some(b)) = (self.at(src), self.at(dst))
                    && a.eni != b.eni
                {
                    self.towards(Some(a), a.ip, b, f, &[b.eni], &mut out);
                }
            }
            (Endpoint::Outside(_), Endpoint::Outside(_)) => {}
        }
        out.delivered = out.request_paths.iter().any(|p| p.delivered);
        out.reply = out.request_paths.iter().any(|p| p.delivered && p.reply);
        out
    }

    /// Every way to an interface: directly, over the Internet, through balancers. `beyond` is where it goes from
    /// there. `outside` is the client's address where it is nobody here.
    pub(crate) fn towards(
        &self,
        src: Option<At>,
        outside: IpAddr,
        b: At,
        f: Flow,
        beyond: &[usize],
        out: &mut Outcome,
    ) {
        match src {
            None => self.inbound(outside, b, f, out),
            Some(a) if self.world.balancer_of(a.eni).is_some() => {
                self.sent_by_front(a.eni, b, f, out);
                self.hairpin(a, b, f, out);
            }
            Some(a) => {
                self.private(a, b, f, out);
                self.translated(a, b, f, out);
                self.hairpin(a, b, f, out);
            }
        }
        self.relayed(src, outside, b, f, beyond, out);
    }

    fn at(&self, e: Endpoint) -> Option<At> {
        let Endpoint::Address {
            interface,
            address,
            ip,
        } = e
        else {
            return None;
        };
        let eni = self.world.interfaces.get(interface.index())?;
        let a = eni.addresses.get(address as usize)?;
        a.net.contains(&ip).then_some(At {
            eni: interface.index(),
            address: address as usize,
            ip,
        })
    }

    pub(crate) fn private_side(at: At) -> Side {
        Side {
            ip: at.ip,
            eni: Some(at.eni),
            owner: None,
            nat: None,
        }
    }

    pub(crate) fn public_side(ip: IpAddr) -> Side {
        Side {
            ip,
            eni: None,
            owner: None,
            nat: None,
        }
    }

    pub(crate) fn packet(f: Flow, src: Side, dst: Side, dport: u16) -> Pkt {
        Pkt {
            src,
            dst,
            proto: f.proto,
            sport: f.sport,
            dport,
        }
    }

    /// The packet that answers `p`, between the same two ends.
    pub(crate) fn answer(p: Pkt) -> Pkt {
        let r = Packet {
            src: p.src.ip,
            dst: p.dst.ip,
            proto: p.proto,
            sport: p.sport,
            dport: p.dport,
        }
        .reply();
        Pkt {
            src: p.dst,
            dst: p.src,
            proto: r.proto,
            sport: r.sport,
            dport: r.dport,
        }
    }

    pub(crate) fn note_drops(out: &mut Outcome, drops: Vec<Vec<String>>) {
        out.request_paths.extend(drops.into_iter().map(|steps| Path {
            steps,
            delivered: false,
            reply: false,
            seen: None,
            opened: false,
            trails: None,
        }));
    }

    fn note_firewall(&self, out: &mut Outcome) {
        if self.options.explain {
            Self::note_drops(
                out,
                vec![vec!["the firewall at the Internet boundary drops it".into()]],
            );
        }
    }

    /// `earlier` are those that passed it on before `path` began, and `back` the ways of its reply: none, and it is lost.
    pub(crate) fn note(
        out: &mut Outcome,
        (before, earlier): (&[String], &[usize]),
        path: &Arrival,
        back: &[Vec<usize>],
        seen: Side,
    ) {
        let steps = before.iter().chain(&path.steps).cloned().collect();
        let id = |i: &usize| InterfaceId(u32::try_from(*i).unwrap_or(u32::MAX));
        let there = earlier.iter().chain(&path.appliances).map(id).collect();
        let trails = Trails {
            there,
            back: back.iter().map(|b| b.iter().map(id).collect()).collect(),
        };
        let reply = !back.is_empty();
        out.request_paths.push(Path {
            steps,
            delivered: true,
            reply,
            seen: Some(seen),
            opened: false,
            trails: Some(trails),
        });
    }

    /// §1: from interface to interface inside a VPC.
    fn private(&self, a: At, b: At, f: Flow, out: &mut Outcome) {
        let w = &self.world;
        let (from, to) = (&w.interfaces[a.eni], &w.interfaces[b.eni]);
        // §7.4: an ENI with an EIP in ENI-visible mode has no private networking.
        let apart = from.binded || to.binded;
        if apart || a.ip == b.ip || a.ip.is_ipv4() != b.ip.is_ipv4() {
            return;
        }
        let p = Self::packet(f, Self::private_side(a), Self::private_side(b), f.dport);
        let mut walk = Walk::new(w, p, Goal::Interface(b.eni), &[], self.options.explain);
        walk.send(a.eni);
        Self::note_drops(out, walk.drops);
        for path in &walk.arrivals {
            let sessions = sessions(&[a.eni, b.eni], &path.appliances);
            let mut back = Walk::new(w, Self::answer(p), Goal::Interface(a.eni), &sessions, false);
            back.send(b.eni);
            Self::note(out, (&[], &[]), path, &trails_of(&back.arrivals), p.src);
        }
    }

    fn doors(&self, b: At, f: Flow) -> Vec<Door> {
        let doors = self.world.doors(b.eni, b.address, b.ip, f.proto, f.dport);
        let carries = |d: &Door| self.options.public_protocols.carries(f.proto, d.ip);
        doors.into_iter().filter(carries).collect()
    }

    /// §7: from the Internet to an interface.
    fn inbound(&self, s: IpAddr, b: At, f: Flow, out: &mut Outcome) {
        let w = &self.world;
        for door in self.doors(b, f).iter().filter(|d| d.ip.is_ipv4() == s.is_ipv4()) {
            let p = Self::packet(f, Self::public_side(s), Self::private_side(b), f.dport);
            // 015, 6.
            if !w.boundary_passes(b.eni, true, (s, door.ip), (f.proto, door.port)) {
                self.note_firewall(out);
                continue;
            }
            let walk = w.enter(b.eni, door.kind, p, &[], self.options.explain);
            Self::note_drops(out, walk.drops);
            for path in &walk.arrivals {
                let sessions = sessions(&[b.eni], &path.appliances);
                let back = w.reply_out(b.eni, b.address, door, Self::answer(p), &sessions);
                Self::note(
                    out,
                    (&[format!("{s} sends to {}", door.ip)], &[]),
                    path,
                    &trails_of(&back),
                    p.src,
                );
            }
        }
    }

    /// §7, §8: from an interface to the Internet.
    fn outbound(&self, a: At, d: IpAddr, f: Flow, out: &mut Outcome) {
        if a.ip.is_ipv4() != d.is_ipv4() {
            return;
        }
        let p = Self::packet(f, Self::private_side(a), Self::public_side(d), f.dport);
        let mut drops = Vec::new();
        for way in self.world.outs(a.eni, a.address, p, &self.options, &mut drops) {
            let sessions = sessions(&[a.eni], &way.path.appliances);
            let reply = self.world.reply_in(a.eni, &way, Self::answer(p), &sessions);
            Self::note(out, (&[], &[]), &way.path, &trails_of(&reply), p.src);
        }
        Self::note_drops(out, drops);
    }

    /// §5.3 (S12), §7, §8: from an interface through the Internet to a public address of another.
    fn hairpin(&self, a: At, b: At, f: Flow, out: &mut Outcome) {
        let w = &self.world;
        for door in self
            .doors(b, f)
            .iter()
            .filter(|d| d.ip.is_ipv4() == a.ip.is_ipv4())
        {
            // 4: it may count who has the public address.
            let itself = matches!(door.kind, DoorKind::Own | DoorKind::Ipv6);
            let to = Side {
                owner: itself.then_some(b.eni),
                ..Self::public_side(door.ip)
            };
            let request = Self::packet(f, Self::private_side(a), to, door.port);
            let mut drops = Vec::new();
            for way in w.outs(a.eni, a.address, request, &self.options, &mut drops) {
                self.hairpin_in(a, b, f, door, &way, request, out);
            }
            Self::note_drops(out, drops);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the two halves of one path")]
    fn hairpin_in(&self, a: At, b: At, f: Flow, door: &Door, way: &Out, request: Pkt, out: &mut Outcome) {
        let w = &self.world;
        // 015, 6: judged by both lists.
        if !w.boundary_passes(b.eni, true, (way.ip, door.ip), (f.proto, door.port)) {
            return self.note_firewall(out);
        }
        let itself = matches!(way.exit, Exit::Own(_) | Exit::Gateway6);
        let from = Side {
            owner: itself.then_some(a.eni),
            ..Self::public_side(way.ip)
        };
        let inner = Self::packet(f, from, Self::private_side(b), f.dport);
        let walk = w.enter(b.eni, door.kind, inner, &[], self.options.explain);
        Self::note_drops(out, walk.drops);
        for path in &walk.arrivals {
            // Each half of the way back is the answer to one half of the way there, with its own addresses.
            let outer = sessions(&[a.eni], &way.path.appliances);
            let inner_sessions = sessions(&[b.eni], &path.appliances);
            let left = w.reply_out(b.eni, b.address, door, Self::answer(inner), &inner_sessions);
            let home = match left.is_empty() {
                true => Vec::new(),
                false => w.reply_in(a.eni, way, Self::answer(request), &outer),
            };
            let back = joined(&trails_of(&left), &trails_of(&home));
            let before = (way.path.steps.as_slice(), way.path.appliances.as_slice());
            Self::note(out, before, path, &back, inner.src);
        }
    }
}

/// §5.6: the interfaces whose groups know the session when the reply comes.
fn sessions(ends: &[usize], appliances: &[usize]) -> Vec<usize> {
    ends.iter().chain(appliances).copied().collect()
}
