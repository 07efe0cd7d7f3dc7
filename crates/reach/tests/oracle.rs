//! The engine against the packet-at-a-time interpreter, on random networks (ALIBABA.md §1-§8).
//!
//! `cargo xtask verify` runs the same for hundreds of thousands of networks; these few run in every test.

use bartizan_model::{Assumption, Readings};
use bartizan_testkit::{
    Features, MatrixEngine, PointEngine, Rng, properties, random_inventory, random_readings, verify,
};

#[test]
fn points_agree_with_the_oracle() {
    let r = verify(400, 20_261_123, &PointEngine);
    assert!(r.delivered > 10_000, "the generator no longer makes traffic: {r}");
    assert_eq!(r.differing, 0, "{r}");
}

#[test]
fn the_matrix_agrees_with_the_oracle() {
    let r = verify(300, 7, &MatrixEngine);
    assert_eq!(r.differing, 0, "{r}");
}

fn networks(n: u64) -> impl Iterator<Item = (u64, bartizan_model::Inventory)> {
    (0..n).map(|k| {
        (
            k,
            random_inventory(&mut Rng::new(k.wrapping_mul(0x9E37_79B9)), Features::all()),
        )
    })
}

// INVARIANT (cells): a cell never joins what some prefix tells apart, so coarse blocks are exact unions.
#[test]
fn coarse_blocks_are_unions_of_points() {
    for (k, inv) in networks(150) {
        let q = properties::sample(&inv, k, 400);
        let all = random_readings(&mut Rng::new(k));
        let source = all.clone().with(Assumption::Nacl2, false);
        let within = properties::one_of_the_open(all);
        for (engine, truth) in [
            (Readings::chosen(), Readings::chosen()),
            (source.clone(), source),
            (properties::undecided(), within),
        ] {
            properties::coarse_blocks_are_unions(&inv, &engine, &truth, &q)
                .unwrap_or_else(|e| panic!("network {k}, {:?}: {e}", truth.overrides()));
        }
    }
}

// docs/decisions/018: what is undecided lies between all readings.
#[test]
fn open_readings_hold_all() {
    for (k, inv) in networks(200) {
        let q = properties::sample(&inv, k, 400);
        let truth = properties::one_of_the_open(random_readings(&mut Rng::new(k)));
        properties::open_readings_hold_all(&inv, &truth, &q)
            .unwrap_or_else(|e| panic!("network {k}, {:?}: {e}", truth.overrides()));
    }
}
