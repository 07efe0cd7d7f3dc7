//! What ways cross, there and back (docs/decisions/025), against the trails of the packet-at-a-time interpreter.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod common;

use bartizan_model::InterfaceId;
use bartizan_oracle::{Options, Oracle};
use bartizan_reach::{CompileOptions, Crossing, Mode, Point, compile};
use bartizan_testkit::{Rng, Universe};
use common::{network, point};
use std::collections::BTreeSet;

/// Those between the ends. The engine names sites, too, which are no appliances to the interpreter.
fn between(v: &[InterfaceId], ends: &[InterfaceId]) -> BTreeSet<InterfaceId> {
    v.iter().copied().filter(|i| !ends.contains(i)).collect()
}

fn end(p: Point) -> Option<InterfaceId> {
    match p {
        Point::Inside(i) => Some(i.iface),
        Point::Outside(_) => None,
    }
}

/// What was compared.
#[derive(Default, Debug)]
struct Seen {
    there: u32,
    back: u32,
    by_somebody: u32,
    asymmetric: u32,
}

fn compare(k: u64, seen: &mut Seen) {
    let inv = network(k);
    let Ok(oracle) = Oracle::new(&inv, Options::normative()) else {
        return;
    };
    let opt = CompileOptions {
        readings: bartizan_model::Readings::chosen(),
        ..CompileOptions::default()
    };
    let net = compile(&inv, Mode::Widen, &opt);
    let sites: Vec<InterfaceId> = inv.typed.sites.iter().map(|s| s.interface).collect();
    let is_front = |i: &InterfaceId| inv.typed.balancers.iter().any(|b| b.fronts.contains(i));
    for q in Universe::new(&inv).sample(&mut Rng::new(k), 200) {
        let o = oracle.deliver(q.src, q.dst, q.proto, q.sport, q.dport);
        let atom = net.atoms.atom_of(q.proto, q.dport);
        let mut all = net.crossings(point(q.src), point(q.dst));
        all.retain(|c| c.delivered.contains(atom));
        let ends: Vec<InterfaceId> = [point(q.src), point(q.dst)].into_iter().filter_map(end).collect();
        let left_out: Vec<InterfaceId> = ends.iter().chain(&sites).copied().collect();
        let set = |v: &[InterfaceId]| between(v, &left_out);
        let has = |back: bool, by: &[InterfaceId]| {
            all.iter()
                .any(|c| c.back == back && set(&c.appliances) == set(by))
        };
        let paths = o.request_paths.iter().filter(|p| p.delivered);
        let trails: Vec<_> = paths.filter_map(|p| p.trails.as_ref()).collect();
        for t in &trails {
            assert!(
                has(false, &t.there),
                "network {k}: {q}: there by {:?}: {all:#?}",
                t.there
            );
            for b in &t.back {
                assert!(has(true, b), "network {k}: {q}: back by {b:?}: {all:#?}");
                seen.back += 1;
                seen.asymmetric += u32::from(set(b) != set(&t.there));
            }
            seen.there += 1;
            seen.by_somebody += u32::from(!t.there.is_empty());
        }
        // The interpreter tells no trails of what balancers hand on or send.
        let told = |c: &&Crossing| !c.back && !c.appliances.iter().any(is_front);
        if ends.iter().any(is_front) {
            continue;
        }
        for c in all.iter().filter(told) {
            assert!(
                trails.iter().any(|t| set(&t.there) == set(&c.appliances)),
                "network {k}: {q}: nobody goes by {c:#?}\n{trails:?}"
            );
        }
    }
}

// ALIBABA.md §1, §3, §7, §8.
#[test]
fn ways_cross_what_packets_pass() {
    let mut seen = Seen::default();
    for k in 40_000..41_500 {
        compare(k, &mut seen);
    }
    assert!(
        seen.there > 20_000 && seen.back > 10_000 && seen.by_somebody > 150 && seen.asymmetric > 150,
        "{seen:?}: the generator no longer makes traffic"
    );
}
