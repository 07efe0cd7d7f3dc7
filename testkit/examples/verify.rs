//! `cargo run -p bartizan-testkit --example verify -- NETWORKS SEED [FEATURE-TO-LEAVE-OUT]...`: compares the
//! engine with the oracle and prints the report. Exits 1 when they differ.
#![allow(
    clippy::unwrap_used,
    reason = "an example for developers; a wrong argument ends it"
)]

use bartizan_testkit::{Features, PointEngine, verify_with};

fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1);
    let mut number = |default: u64| args.next().map_or(default, |a| a.parse().unwrap());
    let (networks, seed) = (number(1000), number(1));
    let features = args
        .try_fold(Features::all(), |f, name| f.without(&name))
        .unwrap();
    let report = verify_with(networks, seed, features, 600, &PointEngine);
    println!("{report}");
    std::process::ExitCode::from(u8::from(report.differing > 0))
}
