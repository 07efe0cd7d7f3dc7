//! Paths of packets as the engine's trace tells them, in the shape of findings.

use crate::names;
use crate::plan::Plan;
use crate::world::World;
use bartizan_base::{Hop, Witness, WitnessPacket};
use bartizan_model::{Fact, Inventory, NetSpec, Peer};
use bartizan_packet::Proto;
use bartizan_reach::{Decision, Point, Step, trace};

fn hop(s: &Step) -> Hop {
    Hop {
        at: s.at.to_string(),
        layer: s.layer.to_string(),
        rule: s.rule.clone(),
        decision: match &s.decision {
            Decision::Accept => "accept".to_string(),
            Decision::Drop => "drop".to_string(),
            Decision::Forward => "forward".to_string(),
            Decision::Rewrite(to) => format!("rewrite {to}"),
        },
        span: s.origin.as_ref().map(|o| o.span),
    }
}

/// Whether a hop stops the packet.
#[must_use]
pub(crate) fn blocks(h: &Hop) -> bool {
    h.decision == "drop"
}

/// One packet with the hops of the way that gets furthest.
#[must_use]
pub(crate) fn witness(
    w: &World<'_>,
    plan: &Plan,
    s: Point,
    d: Point,
    proto: Proto,
    sport: u16,
    dport: u16,
) -> Witness {
    let t = trace(w.network(), w.inventory, s, d, proto, sport, dport);
    let (source, source_ip) = names::point(w, plan, s);
    let (destination, destination_ip) = names::point(w, plan, d);
    let way = t.ways.first();
    Witness {
        packet: WitnessPacket {
            source,
            source_ip,
            destination,
            destination_ip,
            protocol: proto.to_string(),
            source_port: proto.has_ports().then_some(sport),
            destination_port: proto.has_ports().then_some(dport),
        },
        path: way
            .map(|w| w.request.iter().map(hop).collect())
            .unwrap_or_default(),
        reply: way.map(|w| w.reply.iter().map(hop).collect()).unwrap_or_default(),
    }
}

/// Each layer once, in order, with what the path meets there.
#[must_use]
pub(crate) fn layers(hops: &[Hop]) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for h in hops {
        let state = if blocks(h) { "blocked" } else { "open" };
        match out.iter_mut().find(|(l, _)| *l == h.layer) {
            Some((_, s)) if state == "blocked" => *s = state.to_string(),
            Some(_) => {}
            None => out.push((h.layer.clone(), state.to_string())),
        }
    }
    out
}

/// `from 0.0.0.0/0`, `to security group ...`.
#[must_use]
pub(crate) fn peer_text(inv: &Inventory, p: &Peer, direction: &str) -> String {
    let word = if direction == "egress" { "to" } else { "from" };
    let what = match p {
        Peer::Net(NetSpec::Net(Fact::Known(n))) => n.to_string(),
        Peer::Net(NetSpec::PrefixList(Fact::Known(l))) => {
            format!("prefix list `{}`", inv.typed[*l].meta.origin.address)
        }
        Peer::Net(_) => "addresses that are not known".to_string(),
        Peer::Group(g) => format!("members of `{}`", inv.typed[*g].meta.origin.address),
        Peer::ForeignGroup(g) => format!("members of `{g}`, which is not in the inventory"),
        Peer::Unknown(_) => "a peer that is not known".to_string(),
    };
    format!("{word} {what}")
}
