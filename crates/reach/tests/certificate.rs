//! Certificates against the engine and the interpreter, and the checker against altered certificates.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod common;

use bartizan_model::{InterfaceId, Inventory};
use bartizan_oracle::{Endpoint, Options, Oracle};
use bartizan_packet::{IpSet, ServiceSet};
use bartizan_reach::{
    Certificate, CheckError, Claim, CompileOptions, Layer, Mode, Partition, Point, Reach, Reason,
    Uncertified, certify, certify_claim, check_certificate, check_witness, claim_between, compile,
};
use bartizan_testkit::{GroupKind, InventoryBuilder, Rng, Universe, rule};
use common::{blur, certifiable, network};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Every interface is a block; the public addresses are two more.
struct Each(u32, IpSet);

impl Each {
    fn new(inv: &Inventory) -> Self {
        Each(
            inv.typed.interfaces.len() as u32,
            IpSet::from_nets(["203.0.113.0/24".parse().unwrap()]),
        )
    }
}

impl Partition for Each {
    fn blocks(&self) -> usize {
        self.0 as usize + 2
    }
    fn cuts(&self) -> &[IpSet] {
        std::slice::from_ref(&self.1)
    }
    fn block(&self, iface: Option<InterfaceId>, ip: IpAddr) -> u32 {
        iface.map_or(self.0 + u32::from(self.1.contains(ip)), |i| i.0)
    }
}

fn built(inv: &Inventory, transparent: bool, asked: &[ServiceSet]) -> Reach {
    let part = Each::new(inv);
    let opt = CompileOptions {
        readings: common::readings(transparent),
        services: asked.to_vec(),
        addresses: part.cuts().to_vec(),
    };
    let mut r = Reach::new(compile(inv, Mode::Widen, &opt), &part);
    r.all_pairs();
    r
}

fn asked() -> Vec<ServiceSet> {
    ["any", "tcp/22", "tcp/443", "udp/53", "icmp", "tcp/8000-9000"]
        .iter()
        .map(|s| s.parse().unwrap())
        .collect()
}

#[derive(Debug, Default)]
struct Count {
    empty: u32,
    certified: u32,
    witnesses: u32,
}

/// Every claim between two blocks of a network: a certificate that checks, a witness that replays, or neither.
fn examine(k: u64, inv: &Inventory, transparent: bool, n: &mut Count) {
    let services = asked();
    let r = built(inv, transparent, &services);
    let blocks = Each::new(inv).0 + 2;
    for (a, b) in (0..blocks).flat_map(|a| (0..blocks).map(move |b| (a, b))) {
        let mut union = r.network().atoms.none();
        r.each_pair(a, b, |_, _, f| {
            union.union_with(&f.delivered);
            true
        });
        assert_eq!(
            union,
            r.delivered(a, b),
            "network {k}: {a} -> {b}: the matrix differs from its pairs"
        );
        for s in &services {
            let net = r.network();
            let delivered = r.delivered(a, b).intersects(&net.atoms.touching(s));
            let claim = claim_between(&r, a, b, s);
            let alone = certify_claim(inv, &claim);
            if let Ok(c) = &alone {
                assert!(
                    !delivered,
                    "network {k}: {a} -> {b} {s} is delivered and certified: {c:#?}"
                );
                assert_eq!(
                    check_certificate(inv, &claim, c),
                    Ok(()),
                    "network {k}: {a} -> {b} {s}"
                );
            }
            match certify(&r, inv, a, b, s) {
                Ok(c) => assert_eq!(Ok(c), alone),
                Err(Uncertified::Delivered(w)) => {
                    assert!(delivered);
                    n.witnesses += 1;
                    // What passes a load balancer is beyond the checker, which says so.
                    let relayed = w.way.request.iter().any(|s| s.layer == Layer::LoadBalancer);
                    if let Err(e) = check_witness(inv, &w)
                        && !(relayed && e.to_string().contains("load balancer"))
                        && !e.to_string().contains("VPC NAT")
                    {
                        panic!("network {k}: {a} -> {b} {s}: {e}\n{w:#?}");
                    }
                }
                Err(e) => assert!(!delivered, "network {k}: no witness: {e:?}"),
            }
            // Certificates do not know load balancers and VPC NAT gateways.
            let beyond = |why: &str| why.contains("load balancer") || why.contains("VPC NAT");
            let known = !matches!(&alone, Err(Uncertified::Unplaced(why)) if beyond(why));
            // Nor what links to sites do with packets: nothing is refuted there but where nothing joins the ends.
            let site = |e: &bartizan_reach::End| e.at.is_some_and(|(i, _)| inv.typed.site_of(i).is_some());
            let known = known && !claim.from.iter().chain(&claim.to).any(site);
            if !delivered && known && !claim.from.is_empty() && !claim.to.is_empty() {
                n.empty += 1;
                n.certified += u32::from(alone.is_ok());
            }
        }
    }
}

#[test]
fn certificates_agree_with_the_engine() {
    let mut n = Count::default();
    // The last one has an appliance that tells two addresses of one interface apart.
    for k in (0..60).chain([60_509]) {
        examine(k, &certifiable(k), k % 2 == 0, &mut n);
    }
    assert!(n.witnesses > 1_000, "{n:?}");
    assert!(
        n.certified * 100 > n.empty * 90,
        "too few of the empty claims have a certificate: {n:?}"
    );
}

#[test]
fn certificates_agree_with_the_engine_where_facts_are_unknown() {
    let mut n = Count::default();
    for k in (500..550).chain([70_166]) {
        let mut inv = certifiable(k);
        blur(&mut inv, &mut Rng::new(k));
        examine(k, &inv, false, &mut n);
    }
    assert!(n.certified > 1_000 && n.witnesses > 500, "{n:?}");
}

/// A checker that accepts less and less would still never contradict the engine: every reason has to be found on every
/// kind of way that it is about.
#[test]
fn every_reason_is_found_on_every_kind_of_way() {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for k in 2_000..2_080 {
        let inv = certifiable(k);
        let services = asked();
        let r = built(&inv, true, &services);
        let blocks = Each::new(&inv).0 + 2;
        for (a, b) in (0..blocks).flat_map(|a| (0..blocks).map(move |b| (a, b))) {
            for s in &services {
                if let Ok(c) = certify_claim(&inv, &claim_between(&r, a, b, s)) {
                    for x in c.refutations {
                        *seen.entry(format!("{:?} {:?}", x.way, x.reason)).or_default() += 1;
                    }
                }
            }
        }
    }
    let rare: Vec<&str> = [
        "Private Apart",
        "Private SgIngress",
        "Private SgEgress",
        "Private AclIngress",
        "Private AclEgress",
        "Private NoRoute",
        "Out NoExit",
        "Out SgEgress",
        "Out AclEgress",
        "Out NotCarried",
        "In NoEntry",
        "In SgIngress",
        "In AclIngress",
        "In NotCarried",
        "Hairpin Apart",
        "Hairpin NoEntry",
        "Hairpin NoExit",
        "Hairpin SgIngress",
        "Hairpin AclIngress",
        "Hairpin NotCarried",
        "Hairpin SgEgress",
    ]
    .into_iter()
    .filter(|k| !seen.contains_key(*k))
    .collect();
    assert!(rare.is_empty(), "never found: {rare:?}; found: {seen:?}");
}

// The interpreter delivers nothing that is certified, and every witness.
#[test]
fn certificates_and_witnesses_agree_with_the_interpreter() {
    let (mut silent, mut replayed) = (0, 0);
    for k in 900..980 {
        let inv = network(k);
        let Ok(oracle) = Oracle::new(&inv, Options::normative()) else {
            continue;
        };
        let services = asked();
        let r = built(&inv, true, &services);
        let part = Each::new(&inv);
        let block = |e: Endpoint| match e {
            Endpoint::Address { interface, ip, .. } => part.block(Some(interface), ip),
            Endpoint::Outside(ip) => part.block(None, ip),
        };
        for q in Universe::new(&inv).sample(&mut Rng::new(k), 60) {
            let s = ServiceSet::one(q.proto, q.dport);
            let claim = claim_between(&r, block(q.src), block(q.dst), &s);
            if certify_claim(&inv, &claim).is_ok() {
                let o = oracle.deliver(q.src, q.dst, q.proto, q.sport, q.dport);
                assert!(!o.delivered, "network {k}: {q} is certified and arrives");
                silent += 1;
            }
            if let Err(Uncertified::Delivered(w)) = certify(&r, &inv, block(q.src), block(q.dst), &s) {
                let end = |p: Point| match p {
                    Point::Inside(i) => Endpoint::Address {
                        interface: i.iface,
                        address: i.addr,
                        ip: i.ip,
                    },
                    Point::Outside(ip) => Endpoint::Outside(ip),
                };
                let o = oracle.deliver(end(w.from), end(w.to), w.proto, w.source_port, w.destination_port);
                assert!(
                    o.delivered,
                    "network {k}: the witness for {q} does not arrive: {w:#?}"
                );
                replayed += 1;
            }
        }
    }
    assert!(
        silent > 500 && replayed > 500,
        "{silent} certified, {replayed} witnesses"
    );
}

fn shop() -> (Inventory, Claim, Certificate) {
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("main", "10.0.0.0/16");
    let (web, db) = (
        b.sg("web", vpc, GroupKind::BasicDrop),
        b.sg("db", vpc, GroupKind::BasicDrop),
    );
    b.rule(db, rule("in accept tcp 3306/3306 from sg:web prio 5"));
    b.rule(db, rule("in drop tcp 1/3000 from 10.0.0.0/16 prio 1"));
    b.rule(db, rule("in accept tcp 1/65535 from 10.0.1.0/24 prio 10"));
    let (v1, v2) = (
        b.vswitch("v1", vpc, "10.0.1.0/24"),
        b.vswitch("v2", vpc, "10.0.2.0/24"),
    );
    let acl = b.acl(
        "a",
        vpc,
        &[
            rule("in drop tcp 3001/4000 from 10.0.1.0/24"),
            rule("in accept all -1/-1 from 0.0.0.0/0"),
        ],
    );
    b.bind_acl(v2, acl);
    b.eni("web1", v1, &[web], "10.0.1.10");
    b.eni("web2", v1, &[web], "10.0.1.11");
    b.eni("db", v2, &[db], "10.0.2.10");
    let inv = b.build();
    let r = built(&inv, false, &[]);
    let mut claim = claim_between(&r, 0, 2, &"tcp/1-4000".parse().unwrap());
    claim.from.extend(claim_between(&r, 1, 2, &claim.services).from);
    let cert = certify_claim(&inv, &claim).unwrap();
    assert_eq!(check_certificate(&inv, &claim, &cert), Ok(()));
    (inv, claim, cert)
}

#[test]
fn a_certificate_names_the_layers_and_rules() {
    let (_, _, cert) = shop();
    let said: Vec<String> = cert
        .refutations
        .iter()
        .map(|r| {
            format!(
                "{:?} {:?} {} {:?} from {:?}",
                r.way, r.reason, r.services, r.rules, r.from
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "Private SgIngress tcp/1-3000 [Sg(1)] from [0, 1]",
            "Private AclIngress tcp/3001-4000 [Acl(AclId(0), true, 0)] from [0, 1]",
            "Hairpin NoEntry tcp/1-4000 [] from [0, 1]",
        ]
    );
}

/// Every alteration of a certificate is rejected.
#[test]
fn altered_certificates_are_rejected() {
    let (inv, claim, cert) = shop();
    let check = |c: &Certificate| check_certificate(&inv, &claim, c);
    for i in 0..cert.refutations.len() {
        let alter = |f: &dyn Fn(&mut Certificate)| {
            let mut c = cert.clone();
            f(&mut c);
            check(&c)
        };
        let uncovered =
            |r: Result<(), CheckError>| assert!(matches!(r, Err(CheckError::Uncovered(..))), "{i}: {r:?}");
        let refuted = |r: Result<(), CheckError>| {
            assert!(
                matches!(r, Err(CheckError::Refutation(n, _)) if n == i),
                "{i}: {r:?}"
            )
        };
        uncovered(alter(&|c| {
            c.refutations.remove(i);
        }));
        uncovered(alter(&|c| {
            c.refutations[i].from.pop();
        }));
        uncovered(alter(&|c| {
            c.refutations[i].to.pop();
        }));
        let less: ServiceSet = "tcp/7".parse().unwrap();
        uncovered(alter(&|c| {
            c.refutations[i].services = c.refutations[i]
                .services
                .subtract(&less.union(&"tcp/3500".parse().unwrap()))
        }));
        assert!(
            alter(&|c| c.refutations[i].src = Some(IpSet::from_nets(["10.0.1.10/32".parse().unwrap()])))
                .is_err()
        );
        refuted(alter(&|c| {
            c.refutations[i].rules.push(bartizan_reach::RuleRef::Sg(0))
        }));
        refuted(alter(&|c| c.refutations[i].to.push(9)));
        if !cert.refutations[i].rules.is_empty() {
            refuted(alter(&|c| {
                c.refutations[i].rules[0] = bartizan_reach::RuleRef::Sg(2)
            }));
            refuted(alter(&|c| c.refutations[i].rules.clear()));
            refuted(alter(&|c| {
                c.refutations[i].services = "tcp/1-65535".parse().unwrap()
            }));
        }
        for reason in [
            Reason::Apart,
            Reason::NoRoute,
            Reason::NotCarried,
            Reason::SgEgress,
            Reason::AclEgress,
        ] {
            // Where no way in exists, it carries nothing either, and nobody's groups let anything out to it.
            let true_too = matches!(reason, Reason::NotCarried | Reason::SgEgress);
            if !(true_too && cert.refutations[i].reason == Reason::NoEntry) {
                refuted(alter(&|c| c.refutations[i].reason = reason));
            }
        }
    }
    let wider = Claim {
        services: "tcp/1-4001".parse().unwrap(),
        ..claim.clone()
    };
    assert!(matches!(
        check_certificate(&inv, &wider, &cert),
        Err(CheckError::Uncovered(..))
    ));
}

#[test]
fn a_certificate_does_not_outlive_its_rule() {
    let (inv, claim, cert) = shop();
    let mut open = inv.clone();
    open.typed.sg_rules[1].accept = bartizan_model::Fact::Known(true);
    assert!(matches!(
        check_certificate(&open, &claim, &cert),
        Err(CheckError::Refutation(0, _))
    ));
    let mut routed = inv.clone();
    routed.typed.vswitches[1].acl = bartizan_model::Fact::Unknown(common::why());
    assert!(matches!(
        check_certificate(&routed, &claim, &cert),
        Err(CheckError::Refutation(1, _))
    ));
}

#[test]
fn altered_witnesses_are_rejected() {
    let (inv, _, _) = shop();
    let r = built(&inv, false, &[]);
    let Err(Uncertified::Delivered(w)) = certify(&r, &inv, 0, 2, &"tcp/5000".parse().unwrap()) else {
        panic!("tcp/5000 arrives");
    };
    assert_eq!(check_witness(&inv, &w), Ok(()));
    let mut other = w.clone();
    other.destination_port = 80;
    assert!(check_witness(&inv, &other).is_err(), "tcp/80 is dropped");
    let mut other = w.clone();
    other.way.request.pop();
    assert!(
        check_witness(&inv, &other).is_err(),
        "the receiver's groups have not been asked"
    );
    let mut other = w.clone();
    if let Some(s) = other.way.request.last_mut() {
        s.from = Some(bartizan_reach::DecidedBy::Rule(bartizan_reach::RuleRef::Sg(0)));
    }
    assert!(check_witness(&inv, &other).is_err(), "another rule decides");
}
