//! Certificates: why no service of a set can be delivered between two sets of ends, as data.
//!
//! A certificate is a list of refutations, each a box of packets on one kind of way with the layer that stops
//! them and the rules that decide. It is found here with the arithmetic of `checker`, from the inventory and
//! not from the engine's result, so that a certificate confirms the engine as well as the claim.

use crate::checker::ways;
use crate::checker_facts::{Facts, Judged};
use crate::network::RuleRef;
use crate::point::{Inside, Point};
use crate::reach::Reach;
use crate::trace::{WayTrace, trace};
use bartizan_model::{InterfaceId, Inventory, Readings};
use bartizan_packet::{Cube, IpSet, PortSet, Proto, ServiceSet};
use std::collections::BTreeMap;

/// One end of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The interface and the position of the address; `None` for public addresses of nobody here.
    pub at: Option<(InterfaceId, u32)>,
    /// The addresses, or where one that is not known may be.
    pub ips: IpSet,
}

/// "None of these services is delivered from any of these ends to any of those."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Sources.
    pub from: Vec<End>,
    /// Destinations.
    pub to: Vec<End>,
    /// Services, as delivered.
    pub services: ServiceSet,
    /// What is decided about contested semantics; everything else is read as claims of absence read it.
    pub readings: Readings,
}

impl Claim {
    pub(crate) fn cube(&self, s: &End, d: &End) -> Cube {
        Cube {
            src: s.ips.clone(),
            dst: d.ips.clone(),
            sport: PortSet::full(),
            svc: self.services.clone(),
        }
    }
}

/// A kind of way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WayKind {
    /// Inside one VPC.
    Private,
    /// Out to the Internet.
    Out,
    /// In from the Internet.
    In,
    /// Out to the Internet and in again.
    Hairpin,
}

/// What stops packets on a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The two ends have no way of this kind: they are one, or nothing joins their VPCs.
    Apart,
    /// No public address, NAT, gateway or appliance leads out.
    NoExit,
    /// No public address, DNAT entry or IPv6 bandwidth leads in.
    NoEntry,
    /// Groups of the receiver.
    SgIngress,
    /// Groups of the sender.
    SgEgress,
    /// Network ACL of the receiver's vSwitch.
    AclIngress,
    /// Network ACL of the sender's vSwitch.
    AclEgress,
    /// Custom routes lead elsewhere.
    NoRoute,
    /// The ways that exist do not carry the service.
    NotCarried,
}

/// The order in which reasons are tried on each kind of way: the cheap and telling ones first.
fn reasons(way: WayKind) -> &'static [Reason] {
    use Reason as R;
    match way {
        WayKind::Private => &[
            R::Apart,
            R::SgIngress,
            R::SgEgress,
            R::AclIngress,
            R::AclEgress,
            R::NoRoute,
        ],
        WayKind::Out => &[R::NoExit, R::SgEgress, R::AclEgress, R::NotCarried],
        WayKind::In => &[R::NoEntry, R::SgIngress, R::AclIngress, R::NotCarried],
        WayKind::Hairpin => &[
            R::Apart,
            R::NoEntry,
            R::NoExit,
            R::SgIngress,
            R::AclIngress,
            R::NotCarried,
            R::SgEgress,
        ],
    }
}

/// One layer stops some packets between some of the ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refutation {
    /// The kind of way.
    pub way: WayKind,
    /// Positions in [`Claim::from`].
    pub from: Vec<u32>,
    /// Positions in [`Claim::to`].
    pub to: Vec<u32>,
    /// Source addresses, where they are not all those of the ends.
    pub src: Option<IpSet>,
    /// Destination addresses, where they are not all those of the ends.
    pub dst: Option<IpSet>,
    /// The services.
    pub services: ServiceSet,
    /// The layer.
    pub reason: Reason,
    /// The rules and defaults that drop them.
    pub rules: Vec<RuleRef>,
}

impl Refutation {
    /// The packets that it is about, between two of its ends.
    pub(crate) fn cube(&self, s: &End, d: &End) -> Cube {
        Cube {
            src: self
                .src
                .as_ref()
                .map_or_else(|| s.ips.clone(), |i| i.intersect(&s.ips)),
            dst: self
                .dst
                .as_ref()
                .map_or_else(|| d.ips.clone(), |i| i.intersect(&d.ips)),
            sport: PortSet::full(),
            svc: self.services.clone(),
        }
    }
}

/// A proof of a [`Claim`], checked by `check_certificate`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// The refutations.
    pub refutations: Vec<Refutation>,
}

/// A packet that arrives, with its way, checked by `check_witness`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The sender.
    pub from: Point,
    /// The receiver.
    pub to: Point,
    /// Protocol.
    pub proto: Proto,
    /// The client's port.
    pub source_port: u16,
    /// The port as delivered.
    pub destination_port: u16,
    /// How it arrives.
    pub way: WayTrace,
    /// What is decided about contested semantics.
    pub readings: Readings,
}

/// Why there is no certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Uncertified {
    /// The claim is false: this packet may arrive.
    Delivered(Box<Witness>),
    /// Some packets are stopped, if at all, for a reason that certificates do not know (what lies behind an
    /// appliance or a gateway): positions of the ends, the way, some of the packets.
    Beyond(u32, u32, WayKind, Box<Cube>),
    /// An end that the inventory cannot place.
    Unplaced(String),
}

/// More pieces than this between two ends count as beyond.
const MAX_BOXES: usize = 4096;

/// Boxes of refuted packets with their reasons, for one pair of ends.
type Found = Vec<(
    WayKind,
    Reason,
    Option<IpSet>,
    Option<IpSet>,
    ServiceSet,
    Vec<RuleRef>,
)>;

/// Refutes one kind of way between two ends, or says what is left.
fn refute(
    facts: &Facts<'_>,
    way: WayKind,
    s: &End,
    d: &End,
    whole: Cube,
    out: &mut Found,
) -> Result<(), Box<Cube>> {
    let mut left = vec![whole];
    left.retain(|c| !c.is_empty());
    for &reason in reasons(way) {
        let (mut open, mut closed) = (Vec::new(), BTreeMap::<(IpSet, IpSet), ServiceSet>::new());
        for c in left {
            let Some(Judged {
                open: o, closed: x, ..
            }) = facts.judge(way, reason, s, d, c.clone())
            else {
                open.push(c);
                continue;
            };
            open.extend(o.into_iter().filter(|c| !c.is_empty()));
            for c in x.into_iter().filter(|c| !c.is_empty()) {
                let svc = closed.entry((c.src, c.dst)).or_default();
                *svc = svc.union(&c.svc);
            }
        }
        for ((src, dst), svc) in closed {
            let cube = Cube {
                src: src.clone(),
                dst: dst.clone(),
                sport: PortSet::full(),
                svc: svc.clone(),
            };
            let by = facts
                .judge(way, reason, s, d, cube)
                .map(|j| j.by)
                .unwrap_or_default();
            let part = |p: IpSet, whole: &IpSet| (p != *whole).then_some(p);
            out.push((
                way,
                reason,
                part(src, &s.ips),
                part(dst, &d.ips),
                svc,
                by.into_iter().collect(),
            ));
        }
        left = open;
        if left.is_empty() {
            return Ok(());
        }
        if left.len() > MAX_BOXES {
            break;
        }
    }
    left.into_iter().next().map_or(Ok(()), |c| Err(Box::new(c)))
}

/// Finds a certificate for a claim, from the inventory alone. Cost: pairs of ends times their rules.
///
/// # Errors
/// [`Uncertified::Beyond`] or [`Uncertified::Unplaced`]; nothing is said about whether the claim is true.
pub fn certify_claim(inv: &Inventory, claim: &Claim) -> Result<Certificate, Uncertified> {
    let facts = Facts::new(inv, &claim.readings);
    claim
        .from
        .iter()
        .chain(&claim.to)
        .try_for_each(|e| facts.end(e))
        .map_err(Uncertified::Unplaced)?;
    let mut out: Vec<Refutation> = Vec::new();
    for (i, s) in (0u32..).zip(&claim.from) {
        let mut row: Vec<Refutation> = Vec::new();
        for (j, d) in (0u32..).zip(&claim.to) {
            let mut found = Found::new();
            for &way in ways(s, d) {
                refute(&facts, way, s, d, claim.cube(s, d), &mut found)
                    .map_err(|c| Uncertified::Beyond(i, j, way, c))?;
            }
            for (way, reason, src, dst, services, rules) in found {
                let one = Refutation {
                    way,
                    from: vec![i],
                    to: vec![j],
                    src,
                    dst,
                    services,
                    reason,
                    rules,
                };
                match row.iter_mut().find(|r| alike(r, &one)) {
                    Some(r) => r.to.push(j),
                    None => row.push(one),
                }
            }
        }
        // A source that is stopped as an earlier one is joins it.
        for one in row {
            match out.iter_mut().find(|r| alike(r, &one) && r.to == one.to) {
                Some(r) => r.from.push(i),
                None => out.push(one),
            }
        }
    }
    Ok(Certificate { refutations: out })
}

fn alike(a: &Refutation, b: &Refutation) -> bool {
    (a.way, a.reason, &a.rules) == (b.way, b.reason, &b.rules)
        && (&a.services, &a.src, &a.dst) == (&b.services, &b.src, &b.dst)
}

/// The claim between two blocks. An interface address that is only in part in a block stands as a whole.
#[must_use]
pub fn claim_between(reach: &Reach, from: u32, to: u32, services: &ServiceSet) -> Claim {
    let ends = |block: u32| {
        let mut at: Vec<(InterfaceId, u32)> = reach
            .cells_of(block)
            .flat_map(|c| &c.members)
            .map(|m| (m.iface, m.addr))
            .collect();
        at.sort_unstable();
        at.dedup();
        let region = |(i, a): (InterfaceId, u32)| {
            reach.network().addr_of(Inside {
                iface: i,
                addr: a,
                ip: std::net::Ipv4Addr::UNSPECIFIED.into(),
            })
        };
        let mut out: Vec<End> = at
            .into_iter()
            .filter_map(|k| {
                Some(End {
                    at: Some(k),
                    ips: region(k)?.1.region.clone(),
                })
            })
            .collect();
        let public = reach.outside_of(block);
        if !public.is_empty() {
            out.push(End {
                at: None,
                ips: public,
            });
        }
        out
    };
    Claim {
        from: ends(from),
        to: ends(to),
        services: services.clone(),
        readings: reach.network().readings.clone(),
    }
}

/// Proves that no service of a set is delivered from one block to another, or shows a packet that is.
///
/// `reach` must be widened and have all pairs; `inv` is the inventory that it was compiled from.
///
/// # Errors
/// A witness when the engine delivers something; else why there is no certificate.
pub fn certify(
    reach: &Reach,
    inv: &Inventory,
    from: u32,
    to: u32,
    services: &ServiceSet,
) -> Result<Certificate, Uncertified> {
    let net = reach.network();
    let bad = reach.delivered(from, to).intersect(&net.atoms.touching(services));
    if !bad.is_empty() {
        let mut found = None;
        reach.each_pair(from, to, |s, d, f| {
            let some = net
                .atoms
                .services(&f.delivered.intersect(&bad))
                .intersect(services);
            if let Some((proto, port)) = some.first() {
                let t = trace(net, inv, s, d, proto, 40_000, port);
                found = t.ways.into_iter().find(|w| w.delivered).map(|way| {
                    let (source_port, destination_port) = (40_000, port);
                    Box::new(Witness {
                        from: s,
                        to: d,
                        proto,
                        source_port,
                        destination_port,
                        way,
                        readings: reach.network().readings.clone(),
                    })
                });
            }
            found.is_none()
        });
        if let Some(w) = found {
            return Err(Uncertified::Delivered(w));
        }
    }
    certify_claim(inv, &claim_between(reach, from, to, services))
}
