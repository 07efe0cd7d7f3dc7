//! Ways through a load balancer: to its front, and handed on (ALIBABA.md §9.5, docs/decisions/011).
//!
//! Whether such a way delivers is asked of the flow; the steps show one packet of it.

use super::{Answer, ip_port, refused};
use crate::network::{Front, Iface, Relay};
use crate::point::relay::MAX_BALANCERS;
use crate::point::{Inside, Own, PeerView, Place, Point, ReplyPort};
use crate::trace::{DecidedBy, Decision, Layer, Seen, Step, TracedPacket, WayTrace};
use crate::trace_walk::{Branch, Leg, Tracer, Trail};
use bartizan_model::{AddressSpec, InterfaceId};
use bartizan_packet::Proto;

/// One address that a backend may see (and whether it is the client's), and what becomes of it.
struct Shown<'a> {
    src: (PeerView<'a>, bool),
    leg: Answer,
}

/// A way to a front and what is handed on from there: how it ends, what is sent to the front, the way, the rest.
type Found<'a> = (Answer, (Proto, u16), &'a WayTrace, Shown<'a>);

/// Ways through balancers that are told in full.
const MAX_RELAYS: usize = 4;

/// Addresses that a balancer may show to another one behind it, of which each is tried.
const MAX_SOURCES: usize = 256;

impl Tracer<'_> {
    /// Whether a listener hands on the service that is asked about.
    fn carries(&self, r: &Relay) -> bool {
        self.net.handed_on(r, &r.listen).contains(self.atom())
    }

    /// All ways through balancers.
    pub(super) fn relayed(&self, s: Point, d: Inside) -> (Vec<WayTrace>, Answer) {
        let from = match s {
            Point::Inside(s) => Some(s.iface),
            Point::Outside(_) => None,
        };
        let mut ways = Vec::new();
        let mut answer = (false, false);
        for (n, r) in self.net.relays_at(d) {
            let again = from == Some(r.front) || self.beyond.contains(&r.front);
            if again || self.beyond.len() > MAX_BALANCERS || from == Some(d.iface) || !self.carries(r) {
                continue;
            }
            let mut beyond = self.beyond.clone();
            beyond.push(r.front);
            let flow = self
                .net
                .relay_flow(s, n, d, ReplyPort::Port(self.packet.source_port), &beyond);
            let here = (
                flow.delivered.contains(self.atom()),
                flow.works.contains(self.atom()),
            );
            answer = (answer.0 || here.0, answer.1 || here.1);
            ways.extend(self.relay_way(s, r, d, here, beyond));
        }
        ways.sort_by_key(|w: &WayTrace| (!w.works, !w.delivered));
        ways.truncate(self.most());
        (ways, answer)
    }

    /// How many ways are told: of those to a balancer on the way, as many as may end differently behind it.
    fn most(&self) -> usize {
        if self.beyond.len() > 1 {
            MAX_SOURCES
        } else {
            MAX_RELAYS
        }
    }

    /// One packet through one balancer; several, with other addresses, where another balancer comes next.
    fn relay_way(
        &self,
        s: Point,
        r: &Relay,
        d: Inside,
        here: Answer,
        beyond: Vec<InterfaceId>,
    ) -> Vec<WayTrace> {
        self.relay_ways(s, r, d, here, beyond).unwrap_or_default()
    }

    fn relay_ways(
        &self,
        s: Point,
        r: &Relay,
        d: Inside,
        here: Answer,
        beyond: Vec<InterfaceId>,
    ) -> Option<Vec<WayTrace>> {
        let (fi, front) = self
            .net
            .iface(r.front)
            .and_then(|f| Some((f, f.front.as_ref()?)))?;
        // What gets to each address of the front: the port there, and every way.
        let mut all: Vec<((Proto, u16), Vec<WayTrace>)> = Vec::new();
        // Where nothing gets through the address of the client's family tells why.
        let six = crate::ip_of(s).is_ipv6();
        let mut addresses: Vec<_> = (0u32..).zip(&fi.addrs).collect();
        addresses.sort_by_key(|(_, a)| a.region.v6.is_empty() == six);
        for (addr, a) in addresses {
            let Some(ip) = a.region.first() else { continue };
            let iface = r.front;
            all.extend(self.ways_to(s, r, Inside { iface, addr, ip }, &beyond));
        }
        let ask = ReplyPort::Port(self.packet.source_port);
        // Every way to the front with every address that the backend may see: the one that ends as the flow does.
        let mut found: Vec<Found<'_>> = Vec::new();
        for (sent, w) in all
            .iter()
            .flat_map(|(sent, ways)| ways.iter().map(move |w| (*sent, w)))
        {
            for src in self.net.sources(r, d, Some(self.view(s, w.seen)), &self.beyond) {
                let leg = self.net.leg(r, d, src, ask);
                let at = self.atom();
                let got = (
                    w.delivered && leg.delivered.contains(at),
                    w.works && leg.works.contains(at),
                );
                let leg = (leg.delivered.contains(at), leg.works.contains(at));
                let shown = Shown { src, leg };
                found.push((got, sent, w, shown));
            }
        }
        // Of those that end alike the one whose client gets to the front comes first.
        found.sort_by_key(|f| (f.0 != here, !f.2.works, !f.2.delivered));
        let next = self.beyond.len() > 1;
        if next {
            found.truncate(MAX_SOURCES);
        } else {
            // Where nothing gets there every way may be the one that is meant; where something does one tells it.
            // A balancer opens no connections but to its backends, so none of its ways here is meant.
            let sends = !matches!(s, Point::Inside(s) if self.net.is_front(s.iface));
            let shut = !here.0 && sends;
            let mut names: Vec<&str> = Vec::new();
            found.retain(|f| {
                // That a front has no public address says nothing where it is asked for from inside.
                let public =
                    f.2.request
                        .first()
                        .is_some_and(|s| s.layer == Layer::Eip && !s.open);
                let new = names.is_empty() || shut && !public && !names.contains(&f.2.name.as_str());
                if new {
                    names.push(&f.2.name);
                }
                new
            });
            found.truncate(MAX_RELAYS);
        }
        let told = found.iter().map(|(got, sent, first, shown)| {
            let via = (r, fi, front, d);
            self.told(via, *sent, *got, first, shown)
        });
        Some(told.collect())
    }

    /// The ways to one address of a front, with the port that is sent there.
    fn ways_to(
        &self,
        s: Point,
        r: &Relay,
        at: Inside,
        beyond: &[InterfaceId],
    ) -> Option<((Proto, u16), Vec<WayTrace>)> {
        // A port of the listener that gets there, or any.
        let got = self.net.flow(s, Point::Inside(at)).delivered.intersect(&r.listen);
        let wanted = if r.delivered.is_none() {
            Some((self.packet.proto, self.packet.destination_port))
        } else {
            let set = if got.is_empty() { &*r.listen } else { &got };
            self.net.atoms.services(set).first()
        };
        let (proto, port) = wanted?;
        let packet = TracedPacket {
            source: s,
            destination: Point::Inside(at),
            proto,
            source_port: self.packet.source_port,
            destination_port: port,
        };
        let to_front = Tracer {
            packet,
            beyond: beyond.to_vec(),
            ..Tracer::new(self.net, self.inv, packet)
        };
        let (mut ways, ..) = to_front.all();
        ways.sort_by_key(|w| (!w.works, !w.delivered));
        Some(((proto, port), ways))
    }

    /// The steps of one way through one balancer.
    fn told(
        &self,
        (r, fi, front, d): (&Relay, &Iface, &Front, Inside),
        (proto, port): (Proto, u16),
        got: Answer,
        first: &WayTrace,
        shown: &Shown<'_>,
    ) -> WayTrace {
        let mut request = first.request.clone();
        request.push(self.hand_on(r, d, shown.src, (proto, port)));
        request.extend(self.leg_steps(r, fi, front, d, shown));
        let mut reply = Vec::new();
        if got.0 {
            reply.extend(self.leg_reply(fi, front, d, shown));
            reply.extend(first.reply.clone());
        }
        WayTrace {
            name: format!("{}, through `{}`", first.name, self.iface_at(r.front)),
            request,
            reply,
            delivered: got.0,
            works: got.1,
            seen: Some(match (shown.src.1, first.seen) {
                (true, Some(seen)) => seen,
                _ => Seen::Front(r.front, shown.src.0.ip),
            }),
        }
    }

    /// How filters see whom a way shows.
    fn view(&self, s: Point, seen: Option<Seen>) -> PeerView<'_> {
        match (seen, s) {
            (Some(Seen::Private(p)), _) | (None, Point::Inside(p)) => self.net.private_view(p),
            (Some(Seen::Nat(x)), _) => crate::point::inner::nat_view(x),
            (Some(Seen::Public(x)), _) | (None, Point::Outside(x)) => PeerView::public(x),
            // A-PL-1.
            (Some(Seen::Front(i, ip)), _) if self.net.sends_as_anyone(i) => PeerView {
                opened: true,
                ..PeerView::public(ip)
            },
            (Some(Seen::Front(i, ip)), _) => {
                let seen = self.net.private_view(Inside {
                    iface: i,
                    addr: 0,
                    ip,
                });
                PeerView {
                    ip,
                    primary: seen.groups,
                    opened: true,
                    ..seen
                }
            }
        }
    }

    fn hand_on(&self, r: &Relay, d: Inside, src: (PeerView<'_>, bool), sent: (Proto, u16)) -> Step {
        let b = &self.inv.typed[r.balancer];
        let origin = b
            .listeners
            .get(r.listener as usize)
            .and_then(|l| l.forwards.get(r.forward as usize))
            .map(|f| f.origin.clone());
        let who = if src.1 {
            "the client's address".to_string()
        } else if src.0.ip.is_unspecified() {
            // What comes through PrivateLink comes from an address that nothing shows.
            "an address that is not known".to_string()
        } else {
            src.0.ip.to_string()
        };
        let text = format!(
            "the listener on {}/{} hands on to `{}`",
            sent.0,
            sent.1,
            self.iface_at(d.iface)
        );
        // An address that the cloud picks is none that anybody could look for.
        let spec = self.inv.typed[d.iface]
            .addresses
            .get(d.addr as usize)
            .map(|a| &a.spec);
        let to = match spec {
            Some(AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_)) if self.packet.proto.has_ports() => {
                format!("port {}", self.packet.destination_port)
            }
            _ => ip_port(d.ip, self.packet.proto, self.packet.destination_port),
        };
        let link = self
            .net
            .iface(r.front)
            .and_then(|f| f.front.as_ref())
            .is_some_and(|f| f.link);
        Step {
            assumptions: if link { vec!["A-PL-1"] } else { Vec::new() },
            origin,
            from: Some(DecidedBy::Forward(r.balancer, r.listener, r.forward)),
            ..self.step(
                self.iface_at(r.front),
                Layer::LoadBalancer,
                text,
                Decision::Rewrite(format!("{to} from {who}")),
            )
        }
    }

    fn to_backend<'a>(
        &'a self,
        d: Inside,
        src: PeerView<'a>,
        sessions: &'a [InterfaceId],
        goal: InterfaceId,
        atom: usize,
        reply: bool,
    ) -> Leg<'a> {
        let dst = self.net.private_view(d);
        Leg {
            src: if reply { dst } else { src },
            dst: if reply { src } else { dst },
            sessions,
            goal: Some(goal),
            sender: None,
            translate: false,
            exempt: None,
            atom,
            first: !reply,
        }
    }

    /// From the front to the backend.
    fn leg_steps(&self, r: &Relay, fi: &Iface, front: &Front, d: Inside, shown: &Shown<'_>) -> Vec<Step> {
        let mut t = Trail::from(r.front);
        let src = shown.src.0;
        let Some((di, _)) = self.net.addr_of(d) else {
            return t.steps;
        };
        if !self.net.straight(fi, front, di) {
            return self.routed(fi, front, d, shown);
        }
        if di.apart && di.front.is_none() {
            let why = "an EIP in ENI-visible mode replaces the private networking of its interface";
            t.push(self.step(self.iface_at(d.iface), Layer::Platform, why, Decision::Drop));
            return t.steps;
        }
        let leg = self.to_backend(d, src, &[], d.iface, self.atom(), false);
        self.between(fi, di, leg, false, &mut t);
        if front.exempt && di.front.is_none() && di.service.is_none() {
            let why = "groups of a backend are not taken to filter what its balancer forwards";
            let s = self.step(
                self.iface_at(d.iface),
                Layer::SecurityGroupIngress,
                why,
                Decision::Accept,
            );
            t.push(Step {
                assumptions: vec!["A-CLB-1"],
                ..s
            });
        } else {
            t.push(self.sg(di, true, leg));
        }
        t.steps
    }

    fn between(&self, fi: &Iface, di: &Iface, leg: Leg<'_>, reply: bool, t: &mut Trail) {
        let front = fi.front.as_ref().filter(|f| f.link);
        let link = front.is_some();
        // A CLB in no vSwitch only stands beside one.
        let beside = di.front.as_ref().is_some_and(|f| f.detached);
        if fi.vswitch == di.vswitch && !fi.no_acl() && !link && !beside {
            return;
        }
        let near = (!fi.no_acl() && !link)
            .then(|| self.acl(fi.vswitch, reply, leg))
            .flatten();
        // A-PL-1.
        let far = (!di.no_acl() && front.is_none_or(|f| f.link_filtered))
            .then(|| self.acl(di.vswitch, !reply, leg))
            .flatten();
        let order = if reply { [far, near] } else { [near, far] };
        order.into_iter().flatten().for_each(|s| t.push(s));
    }

    fn routed(&self, fi: &Iface, front: &Front, d: Inside, shown: &Shown<'_>) -> Vec<Step> {
        let why = "the backend is in another VPC, and nothing leads there";
        let nowhere = || vec![self.step(self.iface_at(fi.id), Layer::Platform, why, Decision::Drop)];
        let (Some((di, _)), Some(v)) = (self.net.addr_of(d), self.net.vsw(fi.vswitch)) else {
            return nowhere();
        };
        if !self.net.meet(fi, di) || di.apart {
            return nowhere();
        }
        let known = [fi.id];
        let own = di.front.is_some() || di.service.is_some();
        let mut out = Vec::new();
        let mut leg = self.to_backend(d, shown.src.0, &known, d.iface, self.atom(), false);
        leg.exempt = (front.exempt && !own).then_some(d.iface);
        let start = Trail::from(fi.id);
        self.forward(leg, &start, Place::Iface(fi), Own::No, &v.tables, &mut out);
        pick(out, shown.leg.0).unwrap_or_else(nowhere)
    }

    /// From the backend to the front: to the port of a connection of the balancer's own that fails, if one does.
    fn leg_reply(&self, fi: &Iface, front: &Front, d: Inside, shown: &Shown<'_>) -> Vec<Step> {
        let ports = match self.packet.proto {
            Proto::TCP => &self.net.common.tcp_ephemeral,
            Proto::UDP => &self.net.common.udp_ephemeral,
            _ => &self.net.common.none,
        };
        let usual = self.reply_atom();
        if shown.src.1 || ports.is_empty() {
            return self.leg_answer(fi, front, d, shown, usual);
        }
        let all = ports.iter().map(|a| self.leg_answer(fi, front, d, shown, a));
        let mut all: Vec<Vec<Step>> = all.collect();
        let fails = all.iter().position(|s| s.iter().any(|s| !s.open));
        all.swap_remove(fails.unwrap_or(0))
    }

    fn leg_answer(&self, fi: &Iface, front: &Front, d: Inside, shown: &Shown<'_>, atom: usize) -> Vec<Step> {
        let Some((di, _)) = self.net.addr_of(d) else {
            return Vec::new();
        };
        let mut t = Trail::from(d.iface);
        let sessions = [fi.id, d.iface];
        let mut leg = self.to_backend(d, shown.src.0, &sessions, fi.id, atom, true);
        let own = di.front.is_some() || di.service.is_some();
        leg.exempt = (front.exempt && !own).then_some(d.iface);
        if self.net.straight(fi, front, di) {
            t.push(self.sg(di, false, leg));
            self.between(fi, di, leg, true, &mut t);
            return t.steps;
        }
        let mut out = Vec::new();
        self.leave(leg, Trail::from(d.iface), di, true, &mut out);
        pick(out, shown.leg.1).unwrap_or_default()
    }

    /// What a balancer sends by itself.
    pub(super) fn handed(&self, s: Inside, d: Inside) -> (Vec<WayTrace>, Answer) {
        let mut ways = Vec::new();
        let mut answer = (false, false);
        let mine = self
            .net
            .relays_at(d)
            .filter(|(_, r)| r.front == s.iface && self.carries(r));
        for (_, r) in mine {
            let Some((fi, front)) = self.net.iface(r.front).and_then(|f| Some((f, f.front.as_ref()?))) else {
                continue;
            };
            let sources = self.net.sources(r, d, None, &self.beyond);
            let legs: Vec<Answer> = sources
                .iter()
                .map(|src| {
                    let leg = self.net.leg(r, d, *src, ReplyPort::Ephemeral);
                    (
                        leg.delivered.contains(self.atom()),
                        leg.works.contains(self.atom()),
                    )
                })
                .collect();
            let here = (
                self.fold(legs.iter().map(|a| a.0)),
                self.fold(legs.iter().map(|a| a.1)),
            );
            answer = (answer.0 || here.0, answer.1 || here.1);
            let picked = legs.iter().position(|a| *a == here).unwrap_or(0);
            // Another balancer behind this one may tell addresses apart that this leg does not.
            let told: Vec<usize> = if self.beyond.len() > 1 {
                (0..legs.len()).collect()
            } else {
                vec![picked]
            };
            let Some((proto, port)) = self.net.atoms.services(&r.listen).first() else {
                continue;
            };
            for (src, leg) in told
                .iter()
                .filter_map(|&k| Some((*sources.get(k)?, *legs.get(k)?)))
            {
                let mut request = vec![self.hand_on(r, d, src, (proto, port))];
                let shown = Shown { src, leg };
                request.extend(self.leg_steps(r, fi, front, d, &shown));
                let reply = if leg.0 {
                    self.leg_reply(fi, front, d, &shown)
                } else {
                    Vec::new()
                };
                ways.push(WayTrace {
                    name: "private".to_string(),
                    request,
                    reply,
                    delivered: leg.0,
                    works: leg.1,
                    seen: Some(Seen::Front(s.iface, src.0.ip)),
                });
            }
        }
        if ways.is_empty() {
            let why = "a balancer opens connections to its backends only";
            let stop = self.step(self.iface_at(s.iface), Layer::LoadBalancer, why, Decision::Drop);
            let stop = Step {
                origin: Some(self.inv.typed[s.iface].meta.origin.clone()),
                ..stop
            };
            ways.push(refused("private", vec![stop]));
        }
        ways.sort_by_key(|w| (!w.works, !w.delivered));
        ways.truncate(self.most());
        (ways, answer)
    }
}

/// A branch that is open, or one that is not.
fn pick(all: Vec<Branch>, open: bool) -> Option<Vec<Step>> {
    let best = all.into_iter().min_by_key(|b| b.open != open);
    best.map(|b| b.steps)
}
