//! Engine against interpreter.

use crate::shell::{Done, in_release};
use bartizan_testkit::{Features, MatrixEngine, PointEngine, verify_with};

pub(crate) fn run(networks: u64, seed: u64, packets: usize, matrix: bool) -> Done {
    if let Some(done) = in_release() {
        return done;
    }
    let begin = std::time::Instant::now();
    let report = if matrix {
        verify_with(networks, seed, Features::all(), packets, &MatrixEngine)
    } else {
        verify_with(networks, seed, Features::all(), packets, &PointEngine)
    };
    println!("{report}");
    println!("seed {seed}, {:.0} s", begin.elapsed().as_secs_f64());
    if report.differing > 0 {
        return Err(format!(
            "engine and interpreter differ on {} packets",
            report.differing
        ));
    }
    Ok(())
}
