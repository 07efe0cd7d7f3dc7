//! Ways through VPC NAT gateways, part by part; follows `point::inner` (docs/decisions/020).

use super::{Answer, ip_port};
use crate::network::DnatIn;
use crate::point::inner::{Aim, NOBODY, nat_view};
use crate::point::{End, Inside, Own, PeerView, Place, ReplyPort};
use crate::trace::{DecidedBy, Decision, Layer, Seen, Step, TracedPacket, WayTrace};
use crate::trace_text::dnat_text;
use crate::trace_walk::{Branch, Leg, Tracer, Trail};
use bartizan_model::{InterfaceId, NatId, PeeringId, VpcId, VswitchId};
use bartizan_packet::IpSet;

/// Ways that are told in full.
const MAX_INNER: usize = 4;
/// Alternatives that are looked at one by one; beyond them the engine answers.
const MAX_LEAVES: usize = 256;

/// A part that has been walked, up to a gateway.
#[derive(Clone)]
struct Part<'a> {
    steps: Vec<Step>,
    appliances: Vec<InterfaceId>,
    nat: NatId,
    snat: bool,
    src: PeerView<'a>,
    dst: PeerView<'a>,
}

/// A packet as it leaves its sender or a gateway.
#[derive(Clone, Copy)]
struct Out<'a> {
    src: PeerView<'a>,
    dst: PeerView<'a>,
    of: Option<VswitchId>,
    aim: Aim,
}

/// What is asked for: the ends, the DNAT entry, and the packet before it.
struct Errand<'e> {
    s: Inside,
    d: Inside,
    door: Option<usize>,
    before: &'e Tracer<'e>,
}

/// One alternative.
struct Leaf {
    answer: Answer,
    way: Option<WayTrace>,
}

impl Leaf {
    fn nothing() -> Self {
        Leaf {
            answer: (false, false),
            way: None,
        }
    }
}

impl Tracer<'_> {
    /// The packet comes to a gateway by a route.
    pub(crate) fn to_inner(&self, m: Leg<'_>, mut t: Trail, at: Place<'_>, n: NatId, out: &mut Vec<Branch>) {
        let origin = self.inv.typed[n].meta.origin.clone();
        let here = self
            .net
            .inner_of(n)
            .filter(|x| self.net.vpc_at(at) == Some(x.vpc) && m.dst.ip.is_ipv4());
        let Some(x) = here else {
            let why = "it is no VPC NAT gateway of this VPC";
            let s = self.step(origin.address.clone(), Layer::Nat, why, Decision::Drop);
            return self.dropped(
                t,
                Step {
                    origin: Some(origin),
                    ..s
                },
                out,
            );
        };
        let same = match at {
            Place::Iface(i) => i.vswitch == x.zone,
            Place::Router(_, z) => z == Some(x.zone),
        };
        if !same {
            t.extend(self.acl_out(at, m));
            let counted = self
                .net
                .says
                .zone_acls
                .then(|| self.acl(x.zone, true, m))
                .flatten();
            t.extend(counted.map(|mut s| {
                s.assumptions.push("A-TR-2");
                s
            }));
        }
        self.end(t, End::Inner(n), out);
    }

    /// A local route delivers to a NAT IP.
    pub(crate) fn local_inner(&self, m: Leg<'_>, t: Trail, at: Place<'_>, out: &mut Vec<Branch>) {
        if let Some(n) = t.aim.by_address() {
            self.to_inner(m, t, at, n, out);
        }
    }

    /// A peering delivers to a NAT IP that its VPC knows.
    pub(crate) fn peered_inner(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        at: Place<'_>,
        (p, far): (PeeringId, VpcId),
        out: &mut Vec<Branch>,
    ) {
        t.extend(self.acl_out(at, m));
        let origin = self.inv.typed[p].meta.origin.clone();
        let there = |n: &NatId| {
            let x = self.net.inner_of(*n);
            x.is_some_and(|x| x.vpc == far && x.known.contains(m.dst.ip))
        };
        let to = t.aim.by_address().filter(there);
        let name = &self.inv.typed[far].meta.origin.address;
        let (text, decision) = match to {
            Some(_) => (format!("into `{name}`"), Decision::Forward),
            None => (format!("`{name}` does not know {}", m.dst.ip), Decision::Drop),
        };
        let s = self.step(origin.address.clone(), Layer::Peering, text, decision);
        let s = Step {
            origin: Some(origin),
            ..s
        };
        match to {
            Some(n) => {
                t.push(s);
                self.to_inner(m, t, Place::Router(far, None), n, out);
            }
            None => self.dropped(t, s, out),
        }
    }

    fn on_from_inner(&self, m: Leg<'_>, t: &Trail, n: NatId) -> Vec<Branch> {
        let mut out = Vec::new();
        if let Some(x) = self.net.inner_of(n) {
            let tables = self.net.tables_of(x.vpc, Some(x.zone));
            let at = Place::Router(x.vpc, Some(x.zone));
            self.forward(m, t, at, Own::No, &tables, &mut out);
        }
        out
    }

    /// All ways through VPC NAT gateways.
    pub(super) fn inner(&self, s: Inside, d: Inside) -> (Vec<WayTrace>, Answer) {
        let ends = self.net.ends_of_inner(s, d);
        let Some((si, da)) = ends.filter(|_| !self.net.is_front(s.iface)) else {
            return (Vec::new(), (false, false));
        };
        let k = &self.packet;
        let direct = (!self.net.one_end(s, d)).then_some(None);
        let (mut ways, mut total) = (Vec::new(), (false, false));
        let doors = DnatIn::leading(&da.inner, d.ip);
        for door in direct.into_iter().chain(doors.map(Some)) {
            let (places, aim, port) = match door {
                None => (vec![d.ip], Aim::Through, Some(k.destination_port)),
                Some(n) => {
                    let e = &da.inner[n];
                    let here = e.internal().contains(k.proto, k.destination_port);
                    let port = match k.proto.has_ports() {
                        true => e.external_port(k.destination_port),
                        false => Some(k.destination_port),
                    };
                    (
                        self.net.each_nat_ip(&e.ips),
                        Aim::Door(e.nat),
                        port.filter(|_| here),
                    )
                }
            };
            let Some(port) = port else { continue };
            let before = Tracer {
                packet: TracedPacket {
                    destination_port: port,
                    ..*k
                },
                beyond: self.beyond.clone(),
                ..*self
            };
            let e = Errand {
                s,
                d,
                door,
                before: &before,
            };
            let mut per_place = Vec::new();
            for to in places {
                let first = Out {
                    src: self.net.private_view(s),
                    dst: match door {
                        None => self.net.private_view(d),
                        Some(_) => nat_view(to),
                    },
                    of: Some(si.vswitch),
                    aim,
                };
                let mut leaves = Vec::new();
                self.onward(&e, first, &[], &mut leaves);
                per_place.push((
                    self.fold(leaves.iter().map(|l| l.answer.0)),
                    self.fold(leaves.iter().map(|l| l.answer.1)),
                ));
                ways.extend(leaves.into_iter().filter_map(|l| l.way));
                if ways.len() > MAX_LEAVES {
                    let ask = ReplyPort::Port(k.source_port);
                    let f = self.net.inner_flow(s, d, ask, &|_, f| f, None);
                    let at = self.atom();
                    let answer = (f.delivered.contains(at), f.works.contains(at));
                    return (first_of(ways, answer), answer);
                }
            }
            total.0 |= self.fold(per_place.iter().map(|a| a.0));
            total.1 |= self.fold(per_place.iter().map(|a| a.1));
        }
        (first_of(ways, total), total)
    }

    fn onward<'a>(&'a self, e: &Errand<'_>, p: Out<'a>, parts: &[Part<'a>], leaves: &mut Vec<Leaf>) {
        if leaves.len() > MAX_LEAVES {
            return;
        }
        let by = match p.aim {
            Aim::Door(_) => e.before,
            _ => self,
        };
        let m = Leg {
            src: p.src,
            dst: p.dst,
            sessions: &[],
            goal: Some(if p.aim == Aim::Through { e.d.iface } else { NOBODY }),
            sender: None,
            translate: false,
            exempt: None,
            atom: by.atom(),
            first: true,
        };
        let branches = match (parts.last(), self.net.iface(e.s.iface)) {
            (None, Some(si)) => {
                let t = Trail {
                    aim: p.aim,
                    ..Trail::from(e.s.iface)
                };
                let mut out = Vec::new();
                by.leave(m, t, si, true, &mut out);
                out
            }
            (None, None) => Vec::new(),
            (Some(last), _) => {
                let t = Trail {
                    aim: p.aim,
                    ..Trail::default()
                };
                by.on_from_inner(m, &t, last.nat)
            }
        };
        for b in branches {
            match b.end {
                End::Arrived if !parts.is_empty() => leaves.push(self.arrived(e, p, b, parts)),
                End::Inner(n) if b.open => self.at_inner(e, p, &b, n, parts, leaves),
                // What meets no gateway is told among the private ways.
                _ if parts.is_empty() && e.door.is_none() => leaves.push(Leaf::nothing()),
                _ => leaves.push(self.refused_at(parts, b.steps)),
            }
        }
    }

    /// What a gateway does with a packet.
    fn at_inner<'a>(
        &'a self,
        e: &Errand<'_>,
        p: Out<'a>,
        b: &Branch,
        n: NatId,
        parts: &[Part<'a>],
        leaves: &mut Vec<Leaf>,
    ) {
        let origin = self.inv.typed[n].meta.origin.clone();
        let stop = |why: String| Step {
            origin: Some(origin.clone()),
            ..self.step(origin.address.clone(), Layer::Nat, why, Decision::Drop)
        };
        let with = |last: Step| {
            let mut steps = b.steps.clone();
            steps.push(last);
            steps
        };
        let Some((nat, x)) = self
            .net
            .nats
            .get(n.index())
            .and_then(|n| Some((n, n.inner.as_ref()?)))
        else {
            return leaves.push(Leaf::nothing());
        };
        if parts.iter().any(|x| x.nat == n) {
            let s = stop("the packet has been here already: it loops".into());
            return leaves.push(self.refused_at(parts, with(s)));
        }
        let mut go = |snat: bool, step: Step, next: Out<'a>| {
            let mut parts = parts.to_vec();
            parts.push(Part {
                steps: with(step),
                appliances: b.appliances.clone(),
                nat: n,
                snat,
                src: p.src,
                dst: p.dst,
            });
            self.onward(e, next, &parts, leaves);
        };
        if let (Aim::Door(m), Some(k)) = (p.aim, e.door)
            && m == n
        {
            let entry = self
                .net
                .addr_of(e.d)
                .and_then(|(_, a)| a.inner.get(k))
                .map(|d| d.entry);
            let (rule, from) = entry.map_or_else(|| ("DNAT".into(), None), |i| dnat_text(self.inv, i));
            let to = ip_port(e.d.ip, self.packet.proto, self.packet.destination_port);
            let step = Step {
                origin: from,
                from: entry.map(DecidedBy::Dnat),
                ..self.step(origin.address.clone(), Layer::Dnat, rule, Decision::Rewrite(to))
            };
            let next = Out {
                dst: self.net.private_view(e.d),
                aim: Aim::Through,
                ..p
            };
            return go(false, step, next);
        }
        if x.held.contains(p.dst.ip) {
            let s = stop(format!("no DNAT entry of {} is for this", p.dst.ip));
            return leaves.push(self.refused_at(parts, with(s)));
        }
        let found = self.net.snat_from(nat, p.of, p.src.ip);
        if found.is_empty() {
            let s = stop(format!("no SNAT entry covers {}", p.src.ip));
            return leaves.push(self.refused_at(parts, with(s)));
        }
        for (i, _, ips) in found {
            for ip in self.net.each_nat_ip(&ips) {
                let step = Step {
                    decision: Decision::Rewrite(ip.to_string()),
                    ..self.snat_step(n, i, &IpSet::single(ip))
                };
                let next = Out {
                    src: nat_view(ip),
                    of: x.zone_block.contains(ip).then_some(x.zone),
                    ..p
                };
                go(true, step, next);
            }
        }
    }

    fn name_of(&self, parts: &[Part<'_>], appliances: &[InterfaceId]) -> String {
        let names: Vec<String> = parts
            .iter()
            .map(|x| format!("`{}`", self.inv.typed[x.nat].meta.origin.address))
            .collect();
        let mut all: Vec<InterfaceId> = parts.iter().flat_map(|x| x.appliances.clone()).collect();
        all.extend(appliances);
        let by = if names.is_empty() {
            "to a NAT IP".to_string()
        } else {
            format!("by {}", names.join(", "))
        };
        format!("private {by}{}", self.through(&all))
    }

    fn refused_at(&self, parts: &[Part<'_>], last: Vec<Step>) -> Leaf {
        let mut request: Vec<Step> = parts.iter().flat_map(|x| x.steps.clone()).collect();
        request.extend(last);
        let name = self.name_of(parts, &[]);
        Leaf {
            answer: (false, false),
            way: Some(super::refused(&name, request)),
        }
    }

    fn arrived(&self, e: &Errand<'_>, p: Out<'_>, b: Branch, parts: &[Part<'_>]) -> Leaf {
        let (works, reply) = if b.open {
            self.inner_replies(e, p.src, &b, parts)
        } else {
            (false, Vec::new())
        };
        let mut request: Vec<Step> = parts.iter().flat_map(|x| x.steps.clone()).collect();
        let name = self.name_of(parts, &b.appliances);
        let delivered = b.open;
        request.extend(b.steps);
        let seen = if parts.iter().any(|x| x.snat) {
            Seen::Nat(p.src.ip)
        } else {
            Seen::Private(e.s)
        };
        Leaf {
            answer: (delivered, works),
            way: Some(WayTrace {
                name,
                request,
                reply,
                delivered,
                works,
                seen: Some(seen),
            }),
        }
    }

    /// Whether the reply gets back, gateway by gateway.
    fn inner_replies(
        &self,
        e: &Errand<'_>,
        seen: PeerView<'_>,
        last: &Branch,
        parts: &[Part<'_>],
    ) -> (bool, Vec<Step>) {
        let leg = |by: &Tracer<'_>,
                   src,
                   dst,
                   sessions: &[InterfaceId],
                   from: Option<NatId>,
                   to: Option<&Part<'_>>| {
            let (goal, aim) = match to {
                None => (e.s.iface, Aim::No),
                Some(x) if x.snat => (NOBODY, Aim::Back(x.nat)),
                Some(x) => (NOBODY, Aim::Met(x.nat)),
            };
            let m = Leg {
                src,
                dst,
                sessions,
                goal: Some(goal),
                sender: None,
                translate: false,
                exempt: None,
                atom: by.reply_atom(),
                first: false,
            };
            let home = match (from, self.net.iface(e.d.iface)) {
                (None, Some(di)) => {
                    let t = Trail {
                        aim,
                        ..Trail::from(e.d.iface)
                    };
                    let mut home = Vec::new();
                    by.leave(m, t, di, true, &mut home);
                    home
                }
                (None, None) => Vec::new(),
                (Some(n), _) => {
                    let t = Trail {
                        aim,
                        ..Trail::default()
                    };
                    by.on_from_inner(m, &t, n)
                }
            };
            let ok = by.fold(home.iter().map(|b| b.open));
            (
                ok,
                by.shown(home.into_iter().map(|b| (b.open, b.steps)).collect()),
            )
        };
        let mut sessions = vec![e.d.iface];
        sessions.extend(&last.appliances);
        let first = leg(
            self,
            self.net.private_view(e.d),
            seen,
            &sessions,
            None,
            parts.last(),
        );
        let (mut works, mut steps) = first;
        for (i, x) in parts.iter().enumerate().rev() {
            if !works {
                break;
            }
            let origin = self.inv.typed[x.nat].meta.origin.clone();
            let back = if x.snat { x.src.ip } else { x.dst.ip };
            let what = if x.snat { "to" } else { "from" };
            let undone = format!("the session is known: {what} {back} again");
            steps.push(Step {
                origin: Some(origin.clone()),
                ..self.step(
                    origin.address,
                    Layer::Nat,
                    undone,
                    Decision::Rewrite(back.to_string()),
                )
            });
            let mut sessions = x.appliances.clone();
            let before = i.checked_sub(1).and_then(|i| parts.get(i));
            if before.is_none() {
                sessions.push(e.s.iface);
            }
            let by = match parts[i..].iter().any(|x| !x.snat) {
                true => e.before,
                false => self,
            };
            let next = leg(by, x.dst, x.src, &sessions, Some(x.nat), before);
            works = next.0;
            steps.extend(next.1);
        }
        (works, steps)
    }
}

/// Those that tell the answer first.
fn first_of(mut ways: Vec<WayTrace>, answer: Answer) -> Vec<WayTrace> {
    ways.sort_by_key(|w| (w.delivered != answer.0, w.works != answer.1, !w.delivered));
    ways.truncate(MAX_INNER);
    ways
}
