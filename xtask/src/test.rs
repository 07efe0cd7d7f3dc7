//! Every test of the repository.

use crate::shell::{self, Done};
use std::process::Command;

/// Runs them all. Nothing but the Rust toolchain is needed; what is skipped for lack of something is said.
pub(crate) fn run(networks: u64) -> Done {
    println!("Installs nothing: cargo fetches the crates of Cargo.lock, and no other program is needed.");
    if !has("terraform") && !has("tofu") {
        println!(
            "SKIPPED: neither `terraform` nor `tofu` is installed, so the evaluator is not compared with it \
             (crates/terraform/tests/differential.rs). Everything else runs."
        );
    }
    shell::run("cargo", &["test", "--workspace", "--quiet"])?;
    println!("\nrules of the repository");
    crate::tidy::run()?;
    crate::examples::run(true)?;
    crate::generated::run(true)?;
    crate::schema::run(None)?;
    println!("\nengine against interpreter");
    let n = networks.to_string();
    let verify = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "xtask",
        "--",
        "verify",
        "--seed",
        "20261123",
    ];
    let mut all: Vec<&str> = verify.to_vec();
    all.extend(["--networks", &n, "--packets", "100"]);
    shell::run("cargo", &all)?;
    println!("\nall tests passed");
    Ok(())
}

fn has(program: &str) -> bool {
    Command::new(program)
        .arg("version")
        .output()
        .is_ok_and(|o| o.status.success())
}
