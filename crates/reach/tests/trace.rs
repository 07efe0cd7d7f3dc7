//! Traces against flows, and witnesses against the packet-at-a-time interpreter, on random networks.

use bartizan_model::{Fact, Inventory, NetSpec, NextHop, Peer, Unknown};
use bartizan_oracle::{Endpoint, Options, Oracle};
use bartizan_reach::{CompileOptions, Decision, Inside, Mode, Point, compile, trace};
use bartizan_testkit::{Features, Rng, Universe, random_inventory};

fn point(e: Endpoint) -> Point {
    match e {
        Endpoint::Address { interface, address, ip } => {
            Point::Inside(Inside { iface: interface, addr: address, ip })
        }
        Endpoint::Outside(ip) => Point::Outside(ip),
    }
}

fn network(k: u64) -> Inventory {
    random_inventory(&mut Rng::new(k.wrapping_mul(0x9E37_79B9)), Features::all())
}

fn why() -> Unknown {
    Unknown::new("not known in this test")
}

/// Forgets facts here and there.
fn blur(inv: &mut Inventory, r: &mut Rng) {
    let t = &mut inv.typed;
    for g in &mut t.sg_rules {
        match r.below(40) {
            0 => g.accept = Fact::Unknown(why()),
            1 => g.services = Fact::Unknown(why()),
            2 => g.priority = Fact::Unknown(why()),
            3 => g.peer = Peer::Unknown(why()),
            4 => g.origin.maybe = Some(Box::new(why())),
            5 => g.direction = Fact::Unknown(why()),
            6 => g.group = Fact::Unknown(why()),
            _ => {}
        }
    }
    for g in &mut t.security_groups {
        match r.below(12) {
            0 => g.enterprise = Fact::Unknown(why()),
            1 => g.inner_accept = Fact::Unknown(why()),
            _ => {}
        }
    }
    for e in &mut t.route_entries {
        match r.below(12) {
            0 => e.origin.maybe = Some(Box::new(why())),
            1 => e.next_hops = vec![NextHop::Unknown(why())],
            2 => e.destination = NetSpec::Net(Fact::Unknown(why())),
            3 => e.table = Fact::Unknown(why()),
            _ => {}
        }
    }
    for v in &mut t.vswitches {
        match r.below(10) {
            0 => v.acl = Fact::Unknown(why()),
            1 => v.table = Fact::Unknown(why()),
            _ => {}
        }
    }
    for i in &mut t.interfaces {
        match r.below(14) {
            0 => i.groups = Fact::Unknown(why()),
            1 => i.source_dest_check = Fact::Unknown(why()),
            2 => i.foreign_groups.push("sg-elsewhere".into()),
            _ => {}
        }
        for p in &mut i.public {
            match r.below(8) {
                0 => p.ip = Fact::Unknown(why()),
                1 => p.origin.maybe = Some(Box::new(why())),
                _ => {}
            }
        }
    }
    for g in &mut t.ipv4_gateways {
        if r.chance(15) {
            g.enabled = Fact::Unknown(why());
        }
    }
    for d in &mut t.dnat_entries {
        if r.chance(10) {
            d.ports = Fact::Unknown(why());
        }
    }
}

fn agree(inv: &Inventory, k: u64, mode: Mode, transparent: bool, packets: usize) -> u64 {
    let opt = CompileOptions { transparent_appliances: transparent, ..CompileOptions::default() };
    let net = compile(inv, mode, &opt);
    let mut delivered = 0;
    for q in Universe::new(inv).sample(&mut Rng::new(k), packets) {
        let (s, d) = (point(q.src), point(q.dst));
        let t = trace(&net, inv, s, d, q.proto, q.sport, q.dport);
        let f = net.flow_from_port(s, d, q.sport);
        let atom = net.atoms.atom_of(q.proto, q.dport);
        let context = || format!("network {k}, {mode:?}, transparent {transparent}: {q}\n{:#?}", t.ways);
        assert_eq!(t.delivered, f.delivered.contains(atom), "delivered: {}", context());
        assert_eq!(t.works, f.works.contains(atom), "works: {}", context());
        delivered += u64::from(t.delivered);
        assert!(!t.ways.is_empty() || net.iface(iface(s)).is_none() || net.iface(iface(d)).is_none());
        for w in &t.ways {
            let open = w.request.iter().all(|s| s.open);
            assert_eq!(w.delivered, open, "a way is delivered when no step drops it: {}", context());
            assert!(w.request.iter().all(|s| s.open == (s.decision != Decision::Drop)));
            if w.works {
                assert!(w.delivered && w.reply.iter().all(|s| s.open), "{}", context());
            } else if w.delivered {
                assert!(w.reply.iter().any(|s| !s.open), "the reply fails somewhere: {}", context());
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
    assert!(delivered > 4_000, "only {delivered} packets arrive: the generator no longer makes traffic");
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
    let opt = CompileOptions { transparent_appliances: true, ..CompileOptions::default() };
    let mut replayed = 0;
    for k in 2000..2300 {
        let inv = network(k);
        let Ok(oracle) = Oracle::new(&inv, Options::normative()) else { continue };
        let net = compile(&inv, Mode::Widen, &opt);
        for q in Universe::new(&inv).sample(&mut Rng::new(k), 150) {
            let t = trace(&net, &inv, point(q.src), point(q.dst), q.proto, q.sport, q.dport);
            let o = oracle.deliver(q.src, q.dst, q.proto, q.sport, q.dport);
            assert_eq!((t.delivered, t.works), (o.delivered, o.reply), "network {k}: {q}\n{:#?}", t.ways);
            replayed += u64::from(t.delivered);
        }
    }
    assert!(replayed > 2_000, "only {replayed} witnesses");
}
