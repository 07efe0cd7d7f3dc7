//! Traces against flows, and witnesses against the packet-at-a-time interpreter, on random networks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod common;

use bartizan_model::{Inventory, NextHop};
use bartizan_oracle::{Options, Oracle};
use bartizan_reach::{CompileOptions, Decision, Inside, Mode, Point, compile, trace};
use bartizan_testkit::{Rng, Universe};
use common::{blur, network, point};

fn agree(inv: &Inventory, k: u64, mode: Mode, transparent: bool, packets: usize) -> u64 {
    let opt = CompileOptions {
        readings: common::readings(transparent),
        ..CompileOptions::default()
    };
    let net = compile(inv, mode, &opt);
    let mut delivered = 0;
    for q in Universe::new(inv).sample(&mut Rng::new(k), packets) {
        let (s, d) = (point(q.src), point(q.dst));
        let t = trace(&net, inv, s, d, q.proto, q.sport, q.dport);
        let f = net.flow_from_port(s, d, q.sport);
        let atom = net.atoms.atom_of(q.proto, q.dport);
        let context = || {
            format!(
                "network {k}, {mode:?}, transparent {transparent}: {q}\n{:#?}",
                t.ways
            )
        };
        assert_eq!(
            t.delivered,
            f.delivered.contains(atom),
            "delivered: {}",
            context()
        );
        assert_eq!(t.works, f.works.contains(atom), "works: {}", context());
        delivered += u64::from(t.delivered);
        assert!(!t.ways.is_empty() || net.iface(iface(s)).is_none() || net.iface(iface(d)).is_none());
        for w in &t.ways {
            let open = w.request.iter().all(|s| s.open);
            assert_eq!(
                w.delivered,
                open,
                "a way is delivered when no step drops it: {}",
                context()
            );
            assert!(w.request.iter().all(|s| s.open == (s.decision != Decision::Drop)));
            if w.works {
                assert!(w.delivered && w.reply.iter().all(|s| s.open), "{}", context());
            } else if w.delivered {
                assert!(
                    w.reply.iter().any(|s| !s.open),
                    "the reply fails somewhere: {}",
                    context()
                );
            }
        }
    }
    delivered
}

fn iface(p: Point) -> bartizan_model::InterfaceId {
    match p {
        Point::Inside(i) => i.iface,
        Point::Outside(_) => bartizan_model::InterfaceId(u32::MAX),
    }
}

#[test]
fn a_trace_answers_as_the_flow_does() {
    let mut delivered = 0;
    for k in 0..300 {
        let inv = network(k);
        for (mode, transparent) in [(Mode::Widen, true), (Mode::Widen, false), (Mode::Narrow, true)] {
            delivered += agree(&inv, k, mode, transparent, 120);
        }
    }
    assert!(
        delivered > 4_000,
        "only {delivered} packets arrive: the generator no longer makes traffic"
    );
}

#[test]
fn a_trace_answers_as_the_flow_does_where_facts_are_unknown() {
    let mut delivered = 0;
    for k in 1000..1400 {
        let mut inv = network(k);
        blur(&mut inv, &mut Rng::new(k));
        for (mode, transparent) in [(Mode::Widen, false), (Mode::Narrow, false)] {
            delivered += agree(&inv, k, mode, transparent, 80);
        }
    }
    assert!(delivered > 1_000, "only {delivered} packets arrive");
}

#[test]
fn every_witness_replays_in_the_interpreter() {
    let opt = CompileOptions {
        readings: bartizan_model::Readings::chosen(),
        ..CompileOptions::default()
    };
    let mut replayed = 0;
    for k in 2000..2300 {
        let inv = network(k);
        let Ok(oracle) = Oracle::new(&inv, Options::normative()) else {
            continue;
        };
        let net = compile(&inv, Mode::Widen, &opt);
        for q in Universe::new(&inv).sample(&mut Rng::new(k), 150) {
            let t = trace(&net, &inv, point(q.src), point(q.dst), q.proto, q.sport, q.dport);
            let o = oracle.deliver(q.src, q.dst, q.proto, q.sport, q.dport);
            assert_eq!(
                (t.delivered, t.works),
                (o.delivered, o.reply),
                "network {k}: {q}\n{:#?}",
                t.ways
            );
            replayed += u64::from(t.delivered);
        }
    }
    assert!(replayed > 2_000, "only {replayed} witnesses");
}

// Two appliances whose default routes lead to each other: a packet between them ends, whatever they may do.
#[test]
fn appliances_that_default_to_each_other_end() {
    use bartizan_testkit::{GroupKind, InventoryBuilder, rule};
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("main", "10.0.0.0/16");
    let g = b.sg("g", vpc, GroupKind::BasicDrop);
    b.rule(g, rule("in accept all -1/-1 from 0.0.0.0/0"))
        .rule(g, rule("out accept all -1/-1 to 0.0.0.0/0"));
    let mut enis = Vec::new();
    let mut tables = Vec::new();
    for (n, net) in ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"].iter().enumerate() {
        let v = b.vswitch(&format!("v{n}"), vpc, net);
        let t = b.table(&format!("t{n}"), vpc, bartizan_model::RouteTableKind::Custom);
        b.attach(v, t);
        enis.push(b.eni(&format!("e{n}"), v, &[g], &net.replace("0/24", "10")));
        tables.push(t);
    }
    b.source_dest_check(enis[1], false)
        .source_dest_check(enis[2], false);
    b.route(tables[0], "0.0.0.0/0", NextHop::Interface(enis[1]));
    b.route(tables[1], "0.0.0.0/0", NextHop::Interface(enis[2]));
    b.route(tables[2], "0.0.0.0/0", NextHop::Interface(enis[1]));
    let ask = |inv: &Inventory| {
        let net = compile(inv, Mode::Widen, &CompileOptions::default());
        let s = Inside {
            iface: enis[0],
            addr: 0,
            ip: "10.0.1.10".parse().unwrap(),
        };
        let out = Point::Outside("1.2.3.4".parse().unwrap());
        trace(
            &net,
            inv,
            Point::Inside(s),
            out,
            bartizan_packet::Proto::TCP,
            40000,
            443,
        )
    };
    let t = ask(&b.clone().build());
    assert!(!t.delivered);
    let rules: Vec<&str> = t
        .ways
        .iter()
        .flat_map(|w| w.blockers())
        .map(|s| s.rule.as_str())
        .collect();
    assert_eq!(rules, ["the packet has been here already: it loops"]);
    b.eip(enis[2], 0, "8.8.4.4");
    let t = ask(&b.build());
    assert!(
        t.delivered,
        "the second appliance may translate to its own address (A-APPL-1)"
    );
    assert!(
        t.ways[0]
            .request
            .iter()
            .any(|s| s.assumptions.contains(&"A-APPL-1"))
    );
}

// Every blocker is listed, not only the first one.
#[test]
fn all_blockers_are_listed() {
    use bartizan_testkit::{GroupKind, InventoryBuilder, rule};
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("main", "10.0.0.0/16");
    let (web, db) = (
        b.sg("web", vpc, GroupKind::Enterprise),
        b.sg("db", vpc, GroupKind::BasicDrop),
    );
    b.rule(db, rule("in drop tcp 3306/3306 from sg:web prio 7"));
    let (v1, v2) = (
        b.vswitch("v1", vpc, "10.0.1.0/24"),
        b.vswitch("v2", vpc, "10.0.2.0/24"),
    );
    let acl = b.acl(
        "a",
        vpc,
        &[
            rule("in drop tcp 3306/3306 from 10.0.1.0/24"),
            rule("out accept all -1/-1 to 0.0.0.0/0"),
        ],
    );
    b.bind_acl(v2, acl);
    let (s, d) = (
        b.eni("web", v1, &[web], "10.0.1.10"),
        b.eni("db", v2, &[db], "10.0.2.10"),
    );
    let inv = b.build();
    let net = compile(&inv, Mode::Widen, &CompileOptions::default());
    let at = |iface, ip: &str| {
        Point::Inside(Inside {
            iface,
            addr: 0,
            ip: ip.parse().unwrap(),
        })
    };
    let t = trace(
        &net,
        &inv,
        at(s, "10.0.1.10"),
        at(d, "10.0.2.10"),
        bartizan_packet::Proto::TCP,
        40000,
        3306,
    );
    let said: Vec<String> = t.ways[0]
        .blockers()
        .map(|s| format!("{} at {}: {}", s.layer, s.at, s.rule))
        .collect();
    assert_eq!(
        said,
        [
            "security group egress at alicloud_instance.web: default of an enterprise group: drop",
            "network acl ingress at alicloud_vswitch.v2: drop tcp/3306 from 10.0.1.0/24, entry 1",
            "security group ingress at alicloud_instance.db: drop tcp/3306 from members of `alicloud_security_group.web`, priority 7",
        ]
    );
    assert!(t.ways[0].blockers().all(|s| s.origin.is_some()));
}
