//! A small checker of certificates that shares nothing with the engine.
//!
//! It reads `Inventory::typed` itself, orders rules itself and reasons with sets of packets only. What it does
//! not know it takes to let everything through, so an accepted certificate holds in every completion of the
//! unknowns. It knows fewer reasons than the engine (nothing of what happens behind an appliance): not every
//! true claim has a certificate.

use crate::certificate::{Certificate, Claim, End, Reason, Refutation, WayKind, Witness};
use crate::checker_facts::{Facts, num};
use crate::point::Point;
use crate::trace::{DecidedBy, Decision, Layer};
use bartizan_model::{InterfaceId, Inventory};
use bartizan_packet::{Cube, IpSet, PortSet, ServiceSet};
use rustc_hash::FxHashMap;
use std::fmt;

/// Why a certificate (or witness) proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckError {
    /// An end of the claim is not where the inventory says.
    End(String),
    /// A refutation does not hold: its position, and why.
    Refutation(usize, String),
    /// Packets that no refutation covers: positions of the ends, the way, some of the packets.
    Uncovered(u32, u32, WayKind, Box<Cube>),
    /// A witness does not replay.
    Witness(String),
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CheckError::End(s) | CheckError::Witness(s) => f.write_str(s),
            CheckError::Refutation(i, s) => write!(f, "refutation {i} does not hold: {s}"),
            CheckError::Uncovered(i, j, way, c) => {
                write!(
                    f,
                    "nothing refutes {} from {} (end {i}) to {} (end {j}), {way:?}",
                    c.svc, c.src, c.dst
                )
            }
        }
    }
}
impl std::error::Error for CheckError {}

/// The ways that packets between two ends could take at all.
pub(crate) fn ways(s: &End, d: &End) -> &'static [WayKind] {
    match (s.at, d.at) {
        (Some(_), Some(_)) => &[WayKind::Private, WayKind::Hairpin],
        (Some(_), None) => &[WayKind::Out],
        (None, Some(_)) => &[WayKind::In],
        (None, None) => &[],
    }
}

/// Verifies a certificate: every refutation holds, and together they cover the whole claim.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_certificate(inv: &Inventory, claim: &Claim, cert: &Certificate) -> Result<(), CheckError> {
    let facts = Facts::new(inv, &claim.readings);
    claim
        .from
        .iter()
        .chain(&claim.to)
        .try_for_each(|e| facts.end(e))
        .map_err(CheckError::End)?;
    let mut by_pair: FxHashMap<(u32, u32, WayKind), Vec<&Refutation>> = FxHashMap::default();
    for (n, r) in cert.refutations.iter().enumerate() {
        let fail = |why: &str| Err(CheckError::Refutation(n, why.to_string()));
        for (&i, &j) in r.from.iter().flat_map(|i| r.to.iter().map(move |j| (i, j))) {
            let (Some(s), Some(d)) = (claim.from.get(i as usize), claim.to.get(j as usize)) else {
                return fail("it names an end that the claim does not have");
            };
            let c = r.cube(s, d);
            let Some(judged) = facts.judge(r.way, r.reason, s, d, c) else {
                return fail("this reason does not apply here");
            };
            if judged.open.iter().any(|c| !c.is_empty()) {
                return fail("something passes");
            }
            if !judged.by.iter().eq(&r.rules) {
                return fail("other rules decide");
            }
            by_pair.entry((i, j, r.way)).or_default().push(r);
        }
    }
    for (i, s) in claim.from.iter().enumerate() {
        for (j, d) in claim.to.iter().enumerate() {
            for &way in ways(s, d) {
                let mut left = vec![claim.cube(s, d)];
                for r in by_pair.get(&(num(i), num(j), way)).into_iter().flatten() {
                    let c = r.cube(s, d);
                    left = left.iter().flat_map(|l| l.subtract(&c)).collect();
                }
                if let Some(c) = left.into_iter().find(|c| !c.is_empty()) {
                    return Err(CheckError::Uncovered(num(i), num(j), way, Box::new(c)));
                }
            }
        }
    }
    Ok(())
}

/// Verifies that a witness's packet passes every group and ACL that its way names, by the rules that it names,
/// and that the ends are joined as it says.
///
/// # Errors
/// The first step that does not replay.
pub fn check_witness(inv: &Inventory, w: &Witness) -> Result<(), CheckError> {
    let facts = Facts::new(inv, &w.readings);
    let end = |p: Point| match p {
        Point::Inside(i) => End {
            at: Some((i.iface, i.addr)),
            ips: IpSet::single(i.ip),
        },
        Point::Outside(ip) => End {
            at: None,
            ips: IpSet::single(ip),
        },
    };
    let (s, d) = (end(w.from), end(w.to));
    let fail = |why: String| Err(CheckError::Witness(why));
    let svc = ServiceSet::one(w.proto, w.destination_port);
    let cube = Cube {
        src: s.ips.clone(),
        dst: d.ips.clone(),
        sport: PortSet::full(),
        svc,
    };
    if let Some(step) = w
        .way
        .request
        .iter()
        .find(|s| !s.open || s.decision == Decision::Drop)
    {
        return fail(format!("a step drops it: {} at {}", step.layer, step.at));
    }
    if w.way.request.iter().any(|s| s.layer == Layer::LoadBalancer) {
        return fail("it passes a load balancer, which this checker does not know".to_string());
    }
    let inner = |n: &bartizan_model::NatGateway| n.internet.known() != Some(&true);
    let mut inner = inv.typed.nat_gateways.iter().filter(|n| inner(n));
    if inner.any(|n| w.way.request.iter().any(|s| s.at == n.meta.origin.address)) {
        return fail("it passes a VPC NAT gateway, which this checker does not know".to_string());
    }
    let public = w.way.request.iter().any(|s| {
        matches!(
            s.layer,
            Layer::Internet | Layer::Eip | Layer::Nat | Layer::Dnat | Layer::Ipv6Gateway
        )
    });
    let way = match (s.at, d.at) {
        (Some(_), Some(_)) if public => WayKind::Hairpin,
        (Some(_), Some(_)) => WayKind::Private,
        (Some(_), None) => WayKind::Out,
        (None, Some(_)) => WayKind::In,
        (None, None) => return fail("neither end is in the inventory".to_string()),
    };
    let served = |i: InterfaceId| inv.typed.data_services.iter().any(|d| d.interface == i);
    let cited = |layer: Layer, at: InterfaceId| {
        let layer = if served(at) { Layer::AllowList } else { layer };
        let name = &inv.typed[at].meta.origin.address;
        let mut hits = w.way.request.iter().filter(|s| s.layer == layer && s.at == *name);
        if matches!(layer, Layer::SecurityGroupIngress | Layer::AllowList) {
            hits.next_back()
        } else {
            hits.next()
        }
    };
    // Structural reasons must not apply, and each end's groups must let it pass by the rule that is cited.
    for reason in [Reason::Apart, Reason::NoExit, Reason::NoEntry, Reason::NotCarried] {
        if facts
            .judge(way, reason, &s, &d, cube.clone())
            .is_some_and(|j| j.open.is_empty())
        {
            return fail(format!("{reason:?} stops it"));
        }
    }
    let ends = [
        (Reason::SgEgress, Layer::SecurityGroupEgress, s.at),
        (Reason::SgIngress, Layer::SecurityGroupIngress, d.at),
    ];
    for (reason, layer, at) in ends {
        // Nothing of ours filters at a site.
        let Some((i, _)) = at.filter(|a| inv.typed.site_of(a.0).is_none()) else {
            continue;
        };
        let Some(step) = cited(layer, i) else {
            return fail(format!("{layer} is missing"));
        };
        let Some(DecidedBy::Rule(rule)) = step.from else {
            return fail(format!("{layer} names no rule"));
        };
        // By way of the Internet the other side is seen by an address that the checker knows as a set only.
        let Some(j) = facts.judge(way, reason, &s, &d, cube.clone()) else {
            continue;
        };
        // Groups that are not all known let pass by no rule in particular.
        // So it is for a peer of another VPC, who may have the address of a member of a group.
        let far = matches!((s.at, d.at), (Some(a), Some(b)) if facts.apart(a.0, b.0));
        let named = j.by_open.is_empty() || way == WayKind::Hairpin || far || j.by_open.contains(&rule);
        if j.open.is_empty() || !named {
            return fail(format!("{layer} does not let it pass by the rule that is named"));
        }
    }
    for (reason, layer) in [
        (Reason::AclEgress, Layer::AclEgress),
        (Reason::AclIngress, Layer::AclIngress),
    ] {
        if facts
            .judge(way, reason, &s, &d, cube.clone())
            .is_some_and(|j| j.open.is_empty())
        {
            return fail(format!("{layer} stops it"));
        }
    }
    Ok(())
}
