//! Certificates as SMT-LIB 2, for a solver that knows nothing of this program.
//!
//! [`smt_certificate`] writes what a certificate claims as a series of questions in the logic `QF_BV`, each to be
//! answered `unsat`:
//!
//! - *cover*: a packet of the claim, on one kind of way between two ends, that no refutation is about;
//! - *layer*: a packet that a refutation is about and that the security groups or the network ACL named by it let
//!   pass. The rules are written as a chain of `ite` in their order, straight from the inventory.
//!
//! [`smt_exact`] asks whether groups and ACLs between two addresses let pass exactly a set of services.
//!
//! **What it does not say.** Reasons about structure (two VPCs that nothing joins, no public address, routes that
//! lead elsewhere) are written down as comments: they are statements about the inventory and not about packets. The
//! checker (`check_certificate`) verifies them.
//!
//! INVARIANT (smt alone): the formulas of layers use nothing of the engine and nothing of the checker's arithmetic,
//! so that a mistake there shows as `sat`.
//!
//! Cost: pairs of ends times the rules of their groups and ACLs, in time and in bytes.

mod layers;
mod term;

use crate::certificate::{Certificate, Claim, End, Reason, WayKind};
use crate::checker::ways;
use crate::checker_facts::Facts;
use bartizan_model::{Assumption, InterfaceId, Inventory, Readings, Use};
use bartizan_packet::{IpSet, ServiceSet};
use layers::Layers;
use std::fmt::Write as _;
use term::{Family, ips, services};

/// A script and how many questions it asks; every one is to be answered `unsat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtScript {
    /// SMT-LIB 2.6.
    pub text: String,
    /// Questions (`check-sat`), in order.
    pub questions: usize,
    /// Refutations that are about structure and only written down.
    pub structural: usize,
}

struct Writer<'a> {
    layers: Layers<'a>,
    out: SmtScript,
}

fn name(inv: &Inventory, e: &End) -> String {
    match e.at {
        None => "public addresses of nobody here".to_string(),
        Some((i, a)) => {
            // A comment ends with its line.
            let name = inv.typed[i].meta.origin.address.replace(['\n', '\r'], " ");
            format!("{name}, address {a}")
        }
    }
}

impl<'a> Writer<'a> {
    fn new(inv: &'a Inventory, readings: &'a Readings, title: &str) -> Self {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "; {title}\n; Every question is to be answered `unsat`.\n(set-logic QF_BV)\n\
             ; proto is the protocol number; port the destination port as delivered, or type * 256 + code of ICMP\n\
             (declare-const proto (_ BitVec 8))\n(declare-const port (_ BitVec 16))"
        );
        for f in [Family::V4, Family::V6] {
            let (n, bits) = (f.name(), f.bits());
            let _ = writeln!(
                text,
                "(declare-const src{n} (_ BitVec {bits}))\n(declare-const dst{n} (_ BitVec {bits}))"
            );
        }
        Writer {
            layers: Layers::new(inv, readings),
            out: SmtScript {
                text,
                questions: 0,
                structural: 0,
            },
        }
    }

    fn comment(&mut self, text: &str) {
        let _ = writeln!(self.out.text, "; {text}");
    }

    /// Asks whether a formula can be met.
    fn ask(&mut self, formula: &str) {
        self.out.questions += 1;
        let _ = writeln!(
            self.out.text,
            "(push 1)\n(assert {formula})\n(check-sat)\n(pop 1)"
        );
    }
}

/// A box of packets.
fn cube(f: Family, src: &IpSet, dst: &IpSet, svc: &ServiceSet) -> String {
    format!(
        "(and {} {} {})",
        ips(f, &f.src(), src),
        ips(f, &f.dst(), dst),
        services(svc)
    )
}

/// The part of a set that is meant where only some of it is named.
fn part<'s>(some: Option<&'s IpSet>, all: &'s IpSet) -> IpSet {
    some.map_or_else(|| all.clone(), |s| s.intersect(all))
}

/// A certificate as SMT-LIB 2.
#[must_use]
pub fn smt_certificate(inv: &Inventory, claim: &Claim, cert: &Certificate) -> SmtScript {
    let facts = Facts::new(inv, &claim.readings);
    let mut w = Writer::new(
        inv,
        &claim.readings,
        &format!(
            "Nothing of {} is delivered from any of {} addresses to any of {}.",
            claim.services,
            claim.from.len(),
            claim.to.len()
        ),
    );
    for (i, s) in (0u32..).zip(&claim.from) {
        for (j, d) in (0u32..).zip(&claim.to) {
            let (from, to) = (name(inv, s), name(inv, d));
            for &way in ways(s, d) {
                let here = |r: &&crate::certificate::Refutation| {
                    r.way == way && r.from.contains(&i) && r.to.contains(&j)
                };
                for f in Family::both(&s.ips, &d.ips) {
                    w.comment(&format!(
                        "{way:?}, IP{}, from {from} to {to}: every packet is refuted",
                        f.name()
                    ));
                    let boxes: Vec<String> = cert
                        .refutations
                        .iter()
                        .filter(here)
                        .map(|r| {
                            let (src, dst) = (part(r.src.as_ref(), &s.ips), part(r.dst.as_ref(), &d.ips));
                            cube(f, &src, &dst, &r.services)
                        })
                        .collect();
                    let whole = cube(f, &s.ips, &d.ips, &claim.services);
                    w.ask(&format!("(and {whole} (not (or false {})))", boxes.join(" ")));
                }
                for r in cert.refutations.iter().filter(here) {
                    let (src, dst) = (part(r.src.as_ref(), &s.ips), part(r.dst.as_ref(), &d.ips));
                    w.refutation(&facts, (way, r.reason), (s, d), (&src, &dst), &r.services);
                }
            }
        }
    }
    w.out
}

impl Writer<'_> {
    /// Asks whether the layer that a refutation names lets something of it pass.
    fn refutation(
        &mut self,
        facts: &Facts<'_>,
        (way, reason): (WayKind, Reason),
        (s, d): (&End, &End),
        (src, dst): (&IpSet, &IpSet),
        svc: &ServiceSet,
    ) {
        let layer = |end: &End, ingress: bool| end.at.map(|(i, _)| (i, ingress));
        let (at, groups) = match reason {
            Reason::SgIngress => (layer(d, true), true),
            Reason::SgEgress => (layer(s, false), true),
            Reason::AclIngress => (layer(d, true), false),
            Reason::AclEgress => (layer(s, false), false),
            _ => (None, false),
        };
        let Some((at, ingress)) = at else {
            self.out.structural += 1;
            self.comment(&format!("{way:?} {reason:?}: {svc}: by structure"));
            return;
        };
        // By way of the Internet the other side is seen by a public address.
        let hairpin = way == WayKind::Hairpin;
        let peer = match (way, ingress) {
            (WayKind::Private, true) => s.at,
            (WayKind::Private, false) => d.at,
            _ => None,
        };
        let (mut src, mut dst, mut svc) = (src.clone(), dst.clone(), svc.clone());
        if let (true, Some(a), Some(b)) = (hairpin, s.at, d.at) {
            if ingress {
                src = facts.seen_as(a, &s.ips);
            } else {
                dst = facts.listening(b, &d.ips);
                if facts.translates(b, &d.ips) {
                    svc = ServiceSet::any();
                }
            }
        }
        for f in Family::both(&src, &dst) {
            let pass = if groups {
                self.layers.groups(at, ingress, peer, f)
            } else {
                self.layers.acl(at, ingress, f)
            };
            self.comment(&format!(
                "{way:?} {reason:?}, IP{}: nothing of this passes",
                f.name()
            ));
            self.ask(&format!("(and {} {pass})", cube(f, &src, &dst, &svc)));
        }
    }
}

/// Whether groups and ACLs on the private way between two addresses let pass exactly `passes`: two questions, one
/// for what passes and is not in the set, one for what is in the set and does not pass. `None` where the two are not
/// in one VPC, are not known, or where routes may lead the packet elsewhere.
#[must_use]
pub fn smt_exact(
    inv: &Inventory,
    readings: &Readings,
    from: (InterfaceId, u32, std::net::IpAddr),
    to: (InterfaceId, u32, std::net::IpAddr),
    passes: &ServiceSet,
) -> Option<SmtScript> {
    let facts = Facts::new(inv, readings);
    let (src, dst) = (IpSet::single(from.2), IpSet::single(to.2));
    if from.2.is_ipv4() != to.2.is_ipv4()
        || from.0 == to.0
        || readings.absence(Assumption::Nacl2) != Use::First
        || facts.apart(from.0, to.0)
        || !facts.straight(from.0, to.0, &dst)
    {
        return None;
    }
    let f = if from.2.is_ipv4() { Family::V4 } else { Family::V6 };
    let mut w = Writer::new(inv, readings, "Groups and ACLs let pass exactly this.");
    let mut layers = vec![
        w.layers.groups(from.0, false, Some((to.0, to.1)), f),
        w.layers.groups(to.0, true, Some((from.0, from.1)), f),
    ];
    if inv.typed[from.0].vswitch != inv.typed[to.0].vswitch {
        layers.push(w.layers.acl(from.0, false, f));
        layers.push(w.layers.acl(to.0, true, f));
    }
    let whole = cube(f, &src, &dst, &ServiceSet::any());
    let (pass, said) = (format!("(and {})", layers.join(" ")), services(passes));
    // Protocols without ports are one service whatever the field holds.
    w.ask(&format!("(and {whole} {pass} (not {said}))"));
    w.ask(&format!("(and {whole} {said} (not {pass}))"));
    Some(w.out)
}
