//! The comparison with the Linux kernel notices what it should. `cargo xtask verify --kernel` makes it large.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail the test"
)]

use bartizan_model::{Inventory, Readings};
use bartizan_testkit::{
    Answer, EngineUnderTest, Features, OracleEngine, PointEngine, Query, kernel_usable, verify_kernel,
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
    Features::all()
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
