//! `cargo run --release -p bartizan-bench --example reach -- 100000 tight 1`
use bartizan_bench::{Estate, Spec, reach};

fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let spec = Spec {
        estate: Estate::Islands,
        enis: a.first().and_then(|s| s.parse().ok()).unwrap_or(1000),
        shape: a
            .get(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(bartizan_bench::Shape::Tight),
        seed: a.get(2).and_then(|s| s.parse().ok()).unwrap_or(1),
    };
    match reach(&spec) {
        Ok(f) => eprintln!("{}", f.to_json()),
        Err(e) => eprintln!("{e}"),
    }
}
