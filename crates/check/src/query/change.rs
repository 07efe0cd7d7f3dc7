//! The smallest change that would open what is blocked, or close what is open: tried, and the whole intent asked again.

use super::Frame;
use crate::cause::{Baseline, Blame, Culprit, blame};
use crate::evaluate::{Leak, clause, uncovered};
use crate::plan::{Claim, Plan};
use crate::world::World;
use bartizan_base::Verdict;
use bartizan_model::{
    AclEntry, AclList, AllowEntry, AllowPeer, DataServiceId, Direction, Fact, Interface, InterfaceId,
    Inventory, NetSpec, Origin, Peer, SecurityGroupId, SgRule,
};
use bartizan_packet::{Proto, ServiceSet};
use bartizan_reach::{CompileOptions, Layer, Mode, Point, Step, WayTrace, compile, trace};
use ipnet::IpNet;
use std::net::IpAddr;

/// A change of the network, and what it does to the intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whether it opens the packet's way or closes it.
    pub opens: bool,
    /// What is to be done, in words; all of it.
    pub steps: Vec<String>,
    /// Ids of clauses that hold now and would not any more.
    pub breaks: Vec<String>,
    /// Flows between other parties that clauses allow and that would be lost.
    pub loses: usize,
}

/// Above this number of interfaces nothing is tried: it would take seconds.
const MAX_INTERFACES: usize = 500;

/// The verdict of every clause, then of every boundary on what no clause covers.
fn verdicts(w: &World<'_>, plan: &Plan) -> Vec<Verdict> {
    let judged = |c: &crate::plan::Clause| {
        if c.active && c.claim != Claim::Allow {
            clause(w, c).verdict
        } else {
            Verdict::Holds
        }
    };
    let governed = |b: &crate::plan::Boundary| {
        if !b.governs.is_empty() && !uncovered(w, plan, b).is_empty() {
            Verdict::Violated
        } else {
            Verdict::Holds
        }
    };
    let clauses = plan.clauses.iter().map(judged);
    clauses.chain(plan.boundaries.iter().map(governed)).collect()
}

/// The smallest thing whose removal closes what is open between two blocks.
pub(super) fn closing(f: &Frame<'_>, ends: (Point, Point), services: &ServiceSet) -> Option<Change> {
    if f.inventory.typed.interfaces.len() > MAX_INTERFACES {
        return None;
    }
    // The blocks of the plan alone: those of a question are not there in the worlds that are tried.
    let asked: Vec<ServiceSet> = std::iter::once(services.clone())
        .chain(f.plan.clauses.iter().map(|c| c.services.clone()))
        .collect();
    let w = &f.world(&[], &asked);
    let block = |p: Point| {
        (0..w.blocks()).find(|&b| match p {
            Point::Inside(i) => w.interfaces_of(b).contains(&i.iface),
            Point::Outside(ip) => w.may.outside_of(b).contains(ip),
        })
    };
    let (from, to) = (block(ends.0)?, block(ends.1)?);
    let atoms = w.may.delivered(from, to).intersect(&w.atoms(services));
    if atoms.is_empty() {
        return None;
    }
    let base = Baseline::new(w, &f.plan, &verdicts(w, &f.plan));
    let leak = Leak { from, to, atoms };
    let b: Blame = blame(w, &f.plan, &base, &leak, None);
    if !b.closes || matches!(b.culprit, Culprit::Replies(_) | Culprit::Default(_)) {
        return None;
    }
    let (_, verb) = crate::explain::culprit_text(w, &b.culprit);
    let verb = if b.narrow { "narrow" } else { verb };
    // The flow that is to be closed is not one that is lost.
    let own = crate::evaluate::allowed(w, &f.plan, from, to, None).intersects(&leak.atoms);
    let steps = b
        .culprit
        .origins(f.inventory)
        .iter()
        .map(|o| format!("{verb} `{}`", o.address))
        .collect();
    Some(Change {
        opens: false,
        steps,
        breaks: b.breaks,
        loses: b.loses.saturating_sub(usize::from(own)),
    })
}

/// The packet whose way is to be opened.
pub(super) struct Wanted<'a> {
    pub(super) from: Point,
    pub(super) to: Point,
    pub(super) proto: Proto,
    pub(super) client_port: u16,
    pub(super) port: u16,
    pub(super) services: &'a ServiceSet,
}

fn ip_of(p: Point) -> IpAddr {
    match p {
        Point::Inside(i) => i.ip,
        Point::Outside(ip) => ip,
    }
}

/// The change that opens the way with the fewest blockers; `None` where no rule would do it.
pub(super) fn opening(f: &Frame<'_>, packet: &Wanted<'_>) -> Option<Change> {
    /// The first round opens the request, the next its reply.
    const ROUNDS: usize = 4;
    if f.inventory.typed.interfaces.len() > MAX_INTERFACES {
        return None;
    }
    let options = CompileOptions {
        services: vec![packet.services.clone()],
        readings: f.plan.readings.clone(),
        ..CompileOptions::default()
    };
    let mut inv = Inventory {
        typed: f.inventory.typed.clone(),
        ..Inventory::empty(f.inventory.source)
    };
    let mut steps = Vec::new();
    // Only what was tried and works is proposed.
    for round in 0.. {
        let net = compile(&inv, Mode::Widen, &options);
        let (from, to) = (packet.from, packet.to);
        let t = trace(
            &net,
            &inv,
            from,
            to,
            packet.proto,
            packet.client_port,
            packet.port,
        );
        if t.ways.iter().any(|w| w.works) {
            break;
        }
        if round == ROUNDS {
            return None;
        }
        let least = t
            .ways
            .iter()
            .filter_map(|w| opened(&inv, w, packet))
            .min_by_key(|x| x.1.len());
        let (next, more) = least?;
        inv = next;
        steps.extend(more);
    }
    let services: Vec<ServiceSet> = f.plan.clauses.iter().map(|c| c.services.clone()).collect();
    let before = verdicts(&f.world(&[], &services), &f.plan);
    let after = World::new(&inv, f.plan.sets.clone(), &services, &f.plan.readings);
    let after = verdicts(&after, &f.plan);
    let ids = f.plan.clauses.iter().map(|c| c.id.clone());
    let governs = f.plan.boundaries.iter().map(|b| format!("{}/governs", b.name));
    let breaks = ids
        .chain(governs)
        .zip(before.iter().zip(&after))
        .filter(|(_, (b, a))| **b == Verdict::Holds && **a != Verdict::Holds)
        .map(|(id, _)| id)
        .collect();
    Some(Change {
        opens: true,
        steps,
        breaks,
        loses: 0,
    })
}

/// The independent layers that block the way which the fewest block: one more mistake has to happen at each of them.
pub(super) fn blocking(ways: &[WayTrace]) -> Vec<String> {
    let kinds = |w: &WayTrace| -> Vec<String> {
        let mut out = Vec::new();
        for s in w.request.iter().filter(|s| !s.open) {
            let kind = match s.layer {
                Layer::SecurityGroupEgress | Layer::SecurityGroupIngress => "security group",
                Layer::AclEgress | Layer::AclIngress => "network ACL",
                Layer::AllowList => "allow list",
                Layer::CloudFirewall => "firewall",
                Layer::Route
                | Layer::TransitRouter
                | Layer::Peering
                | Layer::VpnGateway
                | Layer::BorderRouter
                | Layer::RouterInterface
                | Layer::Site
                | Layer::Appliance => "route",
                Layer::LoadBalancer => "load balancer",
                Layer::Platform => "platform",
                Layer::Nat
                | Layer::Eip
                | Layer::Ipv4Gateway
                | Layer::Ipv6Gateway
                | Layer::Internet
                | Layer::Dnat => "no public way",
            };
            if !out.iter().any(|o| o == kind) {
                out.push(kind.to_string());
            }
        }
        out
    };
    let all = ways.iter().map(kinds).filter(|k| !k.is_empty());
    all.min_by_key(Vec::len).unwrap_or_default()
}

/// The inventory with everything added that a way lacks; `None` where something other than a rule is missing.
fn opened(inv: &Inventory, way: &WayTrace, p: &Wanted<'_>) -> Option<(Inventory, Vec<String>)> {
    let mut out = Inventory {
        typed: inv.typed.clone(),
        ..Inventory::empty(inv.source)
    };
    let mut steps = Vec::new();
    let plain = |s: &Step| !matches!(s.layer, Layer::Nat | Layer::Dnat | Layer::LoadBalancer);
    if !way.request.iter().all(plain) {
        return None;
    }
    for (reply, s) in way
        .request
        .iter()
        .map(|s| (false, s))
        .chain(way.reply.iter().map(|s| (true, s)))
        .filter(|(_, s)| !s.open)
    {
        let (src, dst) = if reply { (p.to, p.from) } else { (p.from, p.to) };
        steps.push(add(&mut out, s, (ip_of(src), ip_of(dst)), reply, p)?);
    }
    (!steps.is_empty()).then_some((out, steps))
}

fn host(ip: IpAddr) -> IpNet {
    IpNet::from(ip)
}

/// Adds what one layer lacks and says it.
fn add(
    inv: &mut Inventory,
    s: &Step,
    (src, dst): (IpAddr, IpAddr),
    reply: bool,
    p: &Wanted<'_>,
) -> Option<String> {
    let t = &mut inv.typed;
    let one = ServiceSet::one(p.proto, p.port);
    let origin: Origin = s
        .origin
        .clone()
        .or_else(|| t.vpcs.first().map(|v| v.meta.origin.clone()))?;
    match s.layer {
        Layer::SecurityGroupEgress | Layer::SecurityGroupIngress => {
            let n = t.interfaces.iter().position(|i| i.meta.origin.address == s.at)?;
            // The group that the fewest share.
            let members = |g: &SecurityGroupId| {
                let has = |i: &&Interface| i.groups.known().is_some_and(|gs| gs.contains(g));
                (t.interfaces.iter().filter(has).count(), *g)
            };
            let own = t[InterfaceId(u32::try_from(n).ok()?)].groups.known()?;
            let group = *own.iter().min_by_key(|g| members(g))?;
            let ingress = s.layer == Layer::SecurityGroupIngress;
            let peer = host(if ingress { src } else { dst });
            t.sg_rules.push(SgRule {
                origin,
                group: Fact::Known(group),
                direction: Fact::Known(if ingress {
                    Direction::Ingress
                } else {
                    Direction::Egress
                }),
                accept: Fact::Known(true),
                priority: Fact::Known(1),
                services: Fact::Known(one.clone()),
                peer: Peer::Net(NetSpec::Net(Fact::Known(peer))),
            });
            let name = &t[group].meta.origin.address;
            let (word, side) = if ingress {
                ("ingress", "from")
            } else {
                ("egress", "to")
            };
            Some(format!(
                "add to `{name}` an {word} rule that accepts {one} {side} {peer}"
            ))
        }
        Layer::AclEgress | Layer::AclIngress => {
            let v = t.vswitches.iter().find(|v| v.meta.origin.address == s.at)?;
            let id = v.acl.known().copied().flatten()?;
            let ingress = s.layer == Layer::AclIngress;
            let peer = host(if ingress { src } else { dst });
            // The reply goes to the port of the client, which may be any of the ephemeral ones.
            let services = if reply && p.proto.has_ports() {
                let ports = bartizan_packet::PortSet::range(1024, u16::MAX);
                if p.proto == Proto::UDP {
                    ServiceSet::udp(ports)
                } else {
                    ServiceSet::tcp(ports)
                }
            } else {
                one
            };
            let acl = &mut t.acls[id.index()];
            let list = if ingress {
                &mut acl.ingress
            } else {
                &mut acl.egress
            };
            let AclList::Entries(entries) = list else {
                return None;
            };
            entries.insert(
                0,
                AclEntry {
                    origin,
                    name: None,
                    accept: Fact::Known(true),
                    services: Fact::Known(services.clone()),
                    peer: NetSpec::Net(Fact::Known(peer)),
                },
            );
            let (word, side) = if ingress {
                ("ingress", "from")
            } else {
                ("egress", "to")
            };
            let name = &acl.meta.origin.address;
            Some(format!(
                "put before the {word} entries of `{name}` one that accepts {services} {side} {peer}"
            ))
        }
        Layer::AllowList => {
            let of = |i: InterfaceId| t[i].meta.origin.address == s.at;
            let n = t
                .data_services
                .iter()
                .position(|d| of(d.interface) || d.meta.origin.address == s.at)?;
            let d = &mut t.data_services[DataServiceId(u32::try_from(n).ok()?).index()];
            d.allow.push(AllowEntry {
                origin,
                peer: AllowPeer::Net(host(src)),
            });
            Some(format!(
                "add {src} to the allow list of `{}`",
                d.meta.origin.address
            ))
        }
        _ => None,
    }
}
