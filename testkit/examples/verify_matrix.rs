//! `cargo run --release -p bartizan-testkit --example verify_matrix -- NETWORKS SEED`: the matrix of all pairs
//! against the oracle.

fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1).map(|a| a.parse().unwrap_or(1));
    let (networks, seed) = (args.next().unwrap_or(1000), args.next().unwrap_or(1));
    let report = bartizan_testkit::verify(networks, seed, &bartizan_testkit::MatrixEngine);
    println!("{report}");
    std::process::ExitCode::from(u8::from(report.differing > 0))
}
