//! Repository tasks: `cargo xtask help` lists them.

mod bench;
mod examples;
mod generated;
mod schema;
mod shell;
mod test;
mod tidy;
mod verify;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Repository tasks")]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run every test, installing what is missing and saying so.
    Test {
        /// Networks that engine and interpreter are compared on.
        #[arg(long, default_value_t = 200_000)]
        networks: u64,
    },
    /// Check the rules of the repository: which crate may use which, what they may do, sizes of files.
    Tidy,
    /// Write the example of every planted fault from `examples/shop` and `examples/faults.json`.
    Examples {
        /// Only say what is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Write generated files: docs/coverage.md, shell completions, man pages.
    Gen {
        /// Only say what is out of date.
        #[arg(long)]
        check: bool,
    },
    /// Compare every resource type and attribute that the code names with the provider's schema.
    Schema {
        /// The schema; by default the copy beside the repository, where there is one.
        #[arg(long)]
        file: Option<std::path::PathBuf>,
        /// Write the list of types.
        #[arg(long)]
        write: bool,
    },
    /// Compare the engine with the interpreter on random networks.
    Verify {
        #[arg(long, default_value_t = 10_000)]
        networks: u64,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// With `--kernel`: begin at this network of the run, to look at one that was reported.
        #[arg(long, default_value_t = 0, requires = "kernel")]
        first: u64,
        /// Packets per network.
        #[arg(long, default_value_t = 300)]
        packets: usize,
        /// Ask the matrix of all pairs instead of packet by packet; it takes longer.
        #[arg(long)]
        matrix: bool,
        /// Compare with the Linux kernel: the networks are built as network namespaces and real packets sent.
        /// Needs root.
        #[arg(long, conflicts_with = "matrix")]
        kernel: bool,
        /// Compare a matrix that is kept up to date with one that is built again, after every change of random
        /// sequences.
        #[arg(long, conflicts_with_all = ["matrix", "kernel"])]
        incremental: bool,
        /// Sequences of ten changes, each on a random network of its own.
        #[arg(long, default_value_t = 10_000)]
        sequences: u64,
        /// Leave a feature out of the networks: vpcs, acls, routes, nat, joined, services, balancers, ...
        #[arg(long)]
        without: Vec<String>,
    },
    /// Measure.
    Bench {
        #[command(subcommand)]
        what: bench::Bench,
    },
}

fn main() -> ExitCode {
    let done = match Args::parse().task {
        Task::Test { networks } => test::run(networks),
        Task::Tidy => tidy::run(),
        Task::Examples { check } => examples::run(check),
        Task::Gen { check } => generated::run(check),
        Task::Schema { file, write } => schema::run(file.as_deref(), write),
        Task::Verify {
            networks,
            seed,
            first,
            packets,
            matrix,
            kernel,
            incremental,
            sequences,
            without,
        } => verify::run(&verify::Run {
            networks,
            seed,
            first,
            packets,
            matrix,
            kernel,
            sequences: incremental.then_some(sequences),
            without,
        }),
        Task::Bench { what } => bench::run(&what),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("xtask: {e}");
            ExitCode::FAILURE
        }
    }
}
