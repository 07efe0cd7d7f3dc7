//! Measurements.

use crate::shell::{Done, in_release};
use bartizan_bench::{Estate, Shape, Spec, exact, incremental, reach};
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Load, build, all zone pairs and `why` on a generated network; prints one line of JSON.
    Reach {
        #[arg(long, default_value_t = 100_000)]
        enis: usize,
        /// `tight` (default deny) or `open` (permissive).
        #[arg(long, default_value = "tight")]
        shape: String,
        /// `islands` (VPCs that nothing joins) or `joined` (a transit router and load balancers).
        #[arg(long, default_value = "islands")]
        estate: String,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Point engine and matrix on a generated network, for endpoints drawn from all of it.
    Exact {
        #[arg(long, default_value_t = 10_000)]
        enis: usize,
        /// `tight` (default deny) or `open` (permissive).
        #[arg(long, default_value = "tight")]
        shape: String,
        /// `islands` (VPCs that nothing joins) or `joined` (a transit router and load balancers).
        #[arg(long, default_value = "joined")]
        estate: String,
        /// Endpoints to draw; every ordered pair of them is compared.
        #[arg(long, default_value_t = 300)]
        sample: usize,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Single changes of a generated network, each timed; prints one line of JSON.
    Incremental {
        #[arg(long, default_value_t = 100_000)]
        enis: usize,
        #[arg(long, default_value_t = 20_000)]
        changes: usize,
        /// Keep an intent of so many clauses evaluated as well.
        #[arg(long, default_value_t = 0)]
        clauses: usize,
        /// `tight` (default deny) or `open` (permissive).
        #[arg(long, default_value = "tight")]
        shape: String,
        /// `islands` (VPCs that nothing joins) or `joined` (a transit router and load balancers).
        #[arg(long, default_value = "islands")]
        estate: String,
        /// Stop after so many seconds.
        #[arg(long, default_value_t = 600.0)]
        seconds: f64,
        /// Make changes of one kind alone, such as `address`.
        #[arg(long)]
        only: Option<String>,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
}

pub(crate) fn run(what: &Bench) -> Done {
    if let Some(done) = in_release() {
        return done;
    }
    match what {
        Bench::Reach {
            enis,
            shape,
            estate,
            seed,
        } => {
            let shape: Shape = shape
                .parse()
                .map_err(|_| format!("`{shape}` is neither `tight` nor `open`"))?;
            let estate: Estate = estate.parse()?;
            let figures = reach(&Spec {
                enis: *enis,
                shape,
                estate,
                seed: *seed,
            })?;
            println!("{}", figures.to_json());
            Ok(())
        }
        Bench::Exact {
            enis,
            shape,
            estate,
            sample,
            seed,
        } => {
            let spec = Spec {
                enis: *enis,
                shape: shape.parse()?,
                estate: estate.parse()?,
                seed: *seed,
            };
            println!("{}", exact(&spec, *sample)?);
            Ok(())
        }
        Bench::Incremental {
            enis,
            changes,
            clauses,
            shape,
            estate,
            seconds,
            only,
            seed,
        } => {
            let spec = Spec {
                enis: *enis,
                shape: shape.parse()?,
                estate: estate.parse()?,
                seed: *seed,
            };
            println!(
                "{}",
                incremental(&spec, *changes, *seconds, *clauses, only.as_deref())?
            );
            Ok(())
        }
    }
}
