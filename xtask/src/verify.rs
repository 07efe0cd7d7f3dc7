//! Engine against interpreter, and engine against the Linux kernel.

use crate::shell::{Done, in_release, root};
use bartizan_testkit::{Features, MatrixEngine, PointEngine, verify_incremental, verify_with};

/// What to compare, and on how much.
pub(crate) struct Run {
    pub(crate) networks: u64,
    pub(crate) seed: u64,
    /// The first network of a run in the kernel.
    pub(crate) first: u64,
    pub(crate) packets: usize,
    pub(crate) matrix: bool,
    pub(crate) kernel: bool,
    pub(crate) without: Vec<String>,
    /// Sequences of changes, if incremental updates are to be compared.
    pub(crate) sequences: Option<u64>,
}

pub(crate) fn run(r: &Run) -> Done {
    if let Some(done) = in_release() {
        return done;
    }
    let mut features = Features::all();
    for name in &r.without {
        features = features
            .without(name)
            .ok_or_else(|| format!("there is no feature `{name}`"))?;
    }
    let begin = std::time::Instant::now();
    if r.kernel {
        return kernel(r, features);
    }
    if let Some(sequences) = r.sequences {
        let report = verify_incremental(sequences, r.seed, features, 10);
        println!("{report}");
        for ((kind, why), n) in &report.rebuilt {
            println!("  {n} x {kind}: {why}");
        }
        println!("seed {}, {:.0} s", r.seed, begin.elapsed().as_secs_f64());
        return match report.differing {
            0 => Ok(()),
            n => Err(format!("{n} changes do not equal a rebuild")),
        };
    }
    let report = if r.matrix {
        verify_with(r.networks, r.seed, features, r.packets, &MatrixEngine)
    } else {
        verify_with(r.networks, r.seed, features, r.packets, &PointEngine)
    };
    println!("{report}");
    println!("seed {}, {:.0} s", r.seed, begin.elapsed().as_secs_f64());
    if report.differing > 0 {
        return Err(format!(
            "engine and interpreter differ on {} packets",
            report.differing
        ));
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn kernel(r: &Run, features: Features) -> Done {
    let begin = std::time::Instant::now();
    let vectors =
        bartizan_testkit::load_vectors(&root().join("testdata/vectors")).map_err(|e| e.to_string())?;
    let shown = bartizan_testkit::vectors_in_kernel(&vectors)
        .map_err(|e| format!("this machine cannot build networks: {e}"))?;
    print!("{shown}");
    if !shown.failures.is_empty() {
        return Err("vectors failed in the kernel".to_string());
    }
    let (first, packets) = (r.first, r.packets);
    let report =
        bartizan_testkit::verify_kernel_from(first, r.networks, r.seed, features, packets, &PointEngine)
            .map_err(|e| format!("this machine cannot build networks: {e}"))?;
    println!("{report}");
    println!("seed {}, {:.0} s", r.seed, begin.elapsed().as_secs_f64());
    match (report.failure, report.differing) {
        (Some(e), _) => Err(e),
        (None, 0) => Ok(()),
        (None, n) => Err(format!("engine and kernel differ on {n} questions")),
    }
}

#[cfg(not(target_os = "linux"))]
fn kernel(_: &Run, _: Features) -> Done {
    Err("the kernel is an oracle on Linux only".to_string())
}
