//! The generator reaches every part of the interpreter: what the steps say is counted over many networks.

use bartizan_model::{ASSUMPTIONS, Readings};
use bartizan_oracle::{Options, Oracle};
use bartizan_testkit::{EngineUnderTest, Features, OracleEngine, Rng, Universe, random_inventory};
use std::collections::BTreeMap;

/// What must be said on some path that arrives, and how often at least.
const ARRIVING: [(&str, usize); 15] = [
    ("intra-group connectivity", 50),
    ("accepted by rule", 500),
    ("accepted by the default of the group", 50),
    ("Local", 100),
    ("passes it on", 20),
    ("leaves as 47.0.0", 50),
    ("out of the VPC: through `alicloud_nat_gateway", 50),
    ("out of the VPC: through the IPv6 gateway", 50),
    ("Gateway4", 20),
    ("sends to 47.0.0", 50),
    ("sends to 2001:db8:", 20),
    ("HaVip", 1),
    ("IPv6 becomes IPv4", 20),
    ("IPv4 becomes IPv6", 10),
    ("an IPv6 client is shown", 5),
];

/// What must be said on some path that is dropped, and how often at least.
const DROPPED: [(&str, usize); 20] = [
    ("dropped by rule", 100),
    ("dropped by the default of the group", 100),
    ("` drops", 100),
    ("no entry of", 20),
    ("no route to", 100),
    ("the address belongs to the VPC", 1),
    ("the source has no public address", 5),
    ("the next hop does not lead there", 5),
    ("loop at", 5),
    ("source/destination check", 5),
    ("has no private networking", 1),
    ("the platform blocks tcp/25", 5),
    ("TCP, UDP and ICMP only", 5),
    ("no Internet bandwidth", 5),
    ("does not translate it", 5),
    ("has no route to the IPv4 gateway", 20),
    ("the NAT gateway has no route to the IPv4 gateway", 5),
    ("the vSwitch has no route to the IPv4 gateway", 5),
    ("has an answer that is lost", 20),
    ("a firewall between VPCs drops it", 20),
];

#[test]
fn every_part_is_exercised() {
    let mut arriving: BTreeMap<&str, usize> = BTreeMap::new();
    let mut dropped: BTreeMap<&str, usize> = BTreeMap::new();
    for index in 0..3000 {
        let mut r = Rng::for_item(11, index);
        let inv = random_inventory(&mut r, Features::all());
        let o = Oracle::new(
            &inv,
            Options {
                explain: true,
                ..Options::normative()
            },
        )
        .unwrap();
        for q in Universe::new(&inv).sample(&mut r, 40) {
            for p in o.deliver(q.src, q.dst, q.proto, q.sport, q.dport).request_paths {
                let mut text = p.steps.join("\n");
                if p.delivered && !p.reply {
                    text.push_str("\nhas an answer that is lost");
                    *dropped.entry("has an answer that is lost").or_default() += 1;
                }
                let (counts, list): (_, &[(&str, usize)]) = if p.delivered {
                    (&mut arriving, &ARRIVING)
                } else {
                    (&mut dropped, &DROPPED)
                };
                for (what, _) in list.iter().filter(|(w, _)| text.contains(w)) {
                    *counts.entry(what).or_default() += 1;
                }
            }
        }
    }
    for (list, counts) in [(&ARRIVING[..], &arriving), (&DROPPED[..], &dropped)] {
        for (what, least) in list {
            let n = counts.get(what).copied().unwrap_or_default();
            println!("{n:7} {what}");
            assert!(n >= *least, "`{what}` was said {n} times, less than {least}");
        }
    }
}

/// docs/decisions/018: each second reading that the interpreter knows changes what happens to some packet, so that a
/// comparison under it compares something.
#[test]
fn every_second_reading_makes_a_difference() {
    let told = |id: &str| id != "A-APPL-1" && id != "A-UNMODELLED";
    let mut open: Vec<usize> = (0..ASSUMPTIONS.len())
        .filter(|&i| ASSUMPTIONS[i].readings.len() == 2 && told(ASSUMPTIONS[i].id))
        .collect();
    // What stands between two ends hides what each reading is about: half of the networks are plain ones.
    let plain = [
        "joined",
        "services",
        "balancers",
        "private-link",
        "firewalls",
        "hybrid",
        "inner",
        "inspectors",
        "dual",
    ]
    .iter()
    .fold(Features::all(), |f, name| f.without(name).unwrap());
    for index in 0..60_000 {
        let mut r = Rng::for_item(23, index);
        let inv = random_inventory(&mut r, if index % 2 == 0 { Features::all() } else { plain });
        let queries = Universe::new(&inv).sample(&mut r, 150);
        let chosen = OracleEngine.check(&inv, &queries);
        open.retain(|&i| OracleEngine.under(&inv, &Readings::chosen().with_second(i), &queries) == chosen);
        if open.is_empty() {
            println!("found by network {index}");
            return;
        }
    }
    let idle: Vec<&str> = open.iter().map(|&i| ASSUMPTIONS[i].id).collect();
    assert!(idle.is_empty(), "no packet depends on {idle:?}");
}

/// ALIBABA.md §8.3; docs/decisions/026: IP mappings occur without an SNAT entry for their host and beside one, and under
/// the second reading what the host sends arrives at ends that let in its address alone.
#[test]
fn random_networks_have_ip_mappings_in_every_place() {
    use bartizan_model::{Assumption, DnatProtocol, DnatTarget, SnatSource};
    use bartizan_oracle::Endpoint;
    let plain = ["joined", "hybrid", "inner", "balancers"];
    let plain = plain
        .iter()
        .fold(Features::all(), |f, name| f.without(name).unwrap());
    let (mut alone, mut beside, mut out, mut within) = (0, 0, 0, 0);
    let both = Readings::chosen().with(Assumption::Nat3, true);
    for index in 0..4_000 {
        let mut r = Rng::for_item(31, index);
        let inv = random_inventory(&mut r, plain);
        let t = &inv.typed;
        let mut hosts = Vec::new();
        for d in &t.dnat_entries {
            let DnatTarget::Interface(i, _) = d.target else {
                continue;
            };
            if d.protocol.known() != Some(&DnatProtocol::Any) || !t[i].public.is_empty() {
                continue;
            }
            let covers = |s: &&bartizan_model::SnatEntry| match &s.source {
                SnatSource::Vswitch(v) => v.known() == t[i].vswitch.known(),
                SnatSource::Net(n) => n.known().is_some_and(|n| n.prefix_len() <= 16),
            };
            match t.snat_entries.iter().filter(|s| s.nat == d.nat).find(covers) {
                Some(_) => beside += 1,
                None => alone += 1,
            }
            hosts.push(i);
        }
        if hosts.is_empty() {
            continue;
        }
        let queries = Universe::new(&inv).sample(&mut r, 300);
        let chosen = OracleEngine.check(&inv, &queries);
        let turned = OracleEngine.under(&inv, &both, &queries);
        for (q, (a, b)) in queries.iter().zip(chosen.iter().zip(&turned)) {
            if a != b {
                match q.dst {
                    Endpoint::Outside(_) => out += 1,
                    Endpoint::Address { .. } => within += 1,
                }
            }
        }
    }
    println!(
        "{alone} alone, {beside} beside SNAT; {out} packets to the Internet and {within} to interfaces turn"
    );
    assert!(alone >= 100 && beside >= 100 && out >= 50 && within >= 5);
}
