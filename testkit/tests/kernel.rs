//! The comparison with the Linux kernel notices what it should. `cargo xtask verify --kernel` makes it large.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail the test"
)]

use bartizan_model::{Backend, BalancerKind, InterfaceId, Inventory, Readings};
use bartizan_oracle::Endpoint;
use bartizan_packet::{PortSet, Proto, ServiceSet};
use bartizan_testkit::{
    Answer, EngineUnderTest, Features, GroupKind, InventoryBuilder, OracleEngine, PointEngine, Query, Rng,
    Universe, compare_with_kernel, kernel_usable, rule, verify_kernel,
};

/// Takes every network ACL away: stateful rules alone decide.
struct NoAcls;

impl EngineUnderTest for NoAcls {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let mut inv = inv.clone();
        for v in &mut inv.typed.vswitches {
            v.acl = bartizan_model::Fact::Known(None);
        }
        PointEngine.under(&inv, readings, queries)
    }
}

fn features() -> Features {
    // Neither of the two is built.
    let some = Features::all().without("firewalls");
    some.and_then(|f| f.without("private-link")?.without("hybrid"))
        .unwrap()
}

#[test]
fn engine_interpreter_and_kernel_agree() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    for engine in [&PointEngine as &dyn EngineUnderTest, &OracleEngine] {
        let r = verify_kernel(10, 77, features(), 200, engine).unwrap();
        assert_eq!(
            (r.networks, r.differing, r.failure.as_deref()),
            (10, 0, None),
            "{r}"
        );
        assert!(r.delivered > 0 && r.replied > 0 && r.packets > r.probes, "{r}");
    }
}

#[test]
fn a_fault_of_an_engine_is_seen_in_the_kernel() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    // Which networks show it depends on what else the generator makes: a few are enough, not always the same few.
    let r = (0..25)
        .map(|i| verify_kernel(4, 77 + i, features(), 200, &NoAcls).unwrap())
        .find(|r| r.differing > 0)
        .expect("a hundred networks show an engine without ACLs");
    let d = &r.disagreements[0];
    assert_ne!(d.kernel, d.engine);
    assert!(d.inventory.typed.interfaces.len() <= 4, "{d:?}");
}

#[test]
fn a_balancer_behind_a_balancer_is_reached_wherever_it_stands() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("main", "10.1.0.0/16");
    let (near, far) = (
        b.vswitch("near", vpc, "10.1.0.0/27"),
        b.vswitch("far", vpc, "10.1.1.0/27"),
    );
    let group = b.sg("hosts", vpc, GroupKind::BasicDrop);
    let acl = [
        "in accept all -1/-1 from 0.0.0.0/0",
        "out accept tcp 444/444 to 0.0.0.0/0",
        "out accept tcp 1024/32767 to 0.0.0.0/0",
    ];
    let acl = b.acl("most", vpc, &acl.map(rule));
    b.bind_acl(near, acl);
    let host = b.eni("host", near, &[group], "10.1.0.1");
    let inner = b.detached_balancer("inner", far, "47.0.0.5");
    let outer = b.balancer("outer", BalancerKind::Alb, &[(far, "10.1.1.1")], &[]);
    let port = |p| ServiceSet::tcp(PortSet::single(p));
    let l = b.listener(inner, port(80));
    b.backend(inner, l, Backend::Interface(host), Some(port(22)), true);
    let fronts = [inner, outer].map(|x| b.typed()[x].fronts[0]);
    let l = b.listener(outer, port(79));
    b.backend(outer, l, Backend::Interface(fronts[0]), Some(port(80)), false);
    let inv = b.build();
    let mut all = Universe::new(&inv).sample(&mut Rng::new(1), 400);
    let at = |i: InterfaceId, ip: &str| Endpoint::Address {
        interface: i,
        address: 0,
        ip: ip.parse().unwrap(),
    };
    let through_both = Query {
        src: at(fronts[1], "10.1.1.1"),
        dst: at(host, "10.1.0.1"),
        proto: Proto::TCP,
        sport: 444,
        dport: 22,
    };
    // Not to port 444 goes the reply but to whichever the outer one has opened: the ACL does not let all of them back.
    let said = PointEngine.check(&inv, &[through_both]);
    assert!(said[0].delivered && !said[0].reply);
    all.push(through_both);
    let (seen, differing) = compare_with_kernel(&inv, &all, &PointEngine).unwrap();
    assert!(seen > 100, "{seen}");
    assert_eq!(differing, Vec::<String>::new());
}
