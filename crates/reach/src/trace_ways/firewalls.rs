//! What firewalls at the perimeter do with one packet (docs/decisions/015 and 022).

use crate::firewall::{Across, Meeting, Seen};
use crate::network::RuleRef;
use crate::point::{Entry, Inside};
use crate::trace::{DecidedBy, Decision, Layer, Step};
use crate::trace_text::describe;
use crate::trace_walk::{Leg, Tracer, Trail};
use bartizan_model::{FirewallPlace, FirewallRule};
use std::net::IpAddr;

impl Tracer<'_> {
    pub(super) fn firewalls(&self, met: &[Meeting<'_>], atom: usize) -> Vec<Step> {
        met.iter().map(|m| self.firewall(m, atom)).collect()
    }

    /// Firewalls between VPCs judge the first packet of a connection where they stand (docs/decisions/022).
    pub(crate) fn judge(&self, m: Leg<'_>, t: &mut Trail, at: Across<'_>) {
        if !m.first {
            return;
        }
        for f in self.net.met_at(at) {
            if !t.judged.contains(&f.id) {
                t.judged.push(f.id);
                t.push(self.firewall(&f.meeting(m.src.ip, m.dst.ip), m.atom));
            }
        }
    }

    /// One firewall, for the port that it sees.
    pub(super) fn firewall(&self, m: &Meeting<'_>, atom: usize) -> Step {
        let open = self.net.passing(m).contains(atom);
        self.judged(m, atom, open)
    }

    /// The Internet boundary, for a packet that comes in; `atom` is the service as delivered.
    pub(super) fn boundary_step(&self, d: Inside, x: IpAddr, e: Entry, atom: usize) -> Option<Step> {
        let m = self.net.met_inbound(d, x, e)?;
        let open = self.net.boundary_in(d, x, e)?.contains(atom);
        let p = &self.packet;
        let sent = match (e, self.net.addr_of(d)) {
            (Entry::Dnat(i), Some((_, a))) if p.proto.has_ports() => {
                // An entry for other ports: the firewall is not what stops it.
                let port = a.dnat[i].external_port(p.destination_port)?;
                self.net.atoms.atom_of(p.proto, port)
            }
            _ => atom,
        };
        Some(self.judged(&m, sent, open))
    }

    /// The step of a firewall, with the rule that decides for one of those whom it may see.
    fn judged(&self, m: &Meeting<'_>, atom: usize, open: bool) -> Step {
        let decides = |(s, d): &(Seen, Seen)| m.list.decides(*s, *d, atom);
        let shown = m
            .seen
            .iter()
            .find(|p| decides(p).is_none_or(|r| r.accept) == open)
            .and_then(decides);
        let from = match shown {
            Some(r) => RuleRef::Firewall(m.id, r.index),
            None => RuleRef::FirewallEnd(m.id),
        };
        let (rule, origin) = describe(self.inv, from);
        let f = &self.inv.typed[m.id];
        let mut assumptions = Vec::new();
        if f.place == FirewallPlace::Internet {
            assumptions.push("A-CFW-1");
        }
        if self.inv.typed.diverts(&f.place) {
            assumptions.push("A-CFW-2");
        }
        let deep = |r: &FirewallRule| r.deep.known() != Some(&false);
        if shown.is_some_and(|r| f.rules.get(r.index as usize).is_some_and(deep)) {
            assumptions.push("A-FW-1");
        }
        let decision = if open { Decision::Accept } else { Decision::Drop };
        Step {
            origin,
            from: Some(DecidedBy::Rule(from)),
            assumptions,
            ..self.step(
                f.meta.origin.address.clone(),
                Layer::CloudFirewall,
                rule,
                decision,
            )
        }
    }
}
