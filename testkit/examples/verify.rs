//! `cargo run --release -p bartizan-testkit --example verify -- NETWORKS SEED [matrix]`
fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let n = a.first().and_then(|s| s.parse().ok()).unwrap_or(1000);
    let seed = a.get(1).and_then(|s| s.parse().ok()).unwrap_or(1);
    let report = if a.get(2).is_some_and(|s| s == "matrix") {
        bartizan_testkit::verify(n, seed, &bartizan_testkit::MatrixEngine)
    } else {
        bartizan_testkit::verify(n, seed, &bartizan_testkit::PointEngine)
    };
    eprintln!("{report}");
}
