//! Every test of the repository.

use crate::shell::{self, Done};
use std::process::Command;

/// Runs them all. Nothing but the Rust toolchain is needed; what is skipped for lack of something is said.
pub(crate) fn run(networks: u64) -> Done {
    println!(
        "cargo fetches the crates of Cargo.lock. Of other programs `ip` and `nft` are used where they are allowed to work."
    );
    let kernel = kernel_tools();
    solver();
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
    crate::schema::run(None, false)?;
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
    println!("\nthe matrix of all pairs against the interpreter, and kept up to date against built again");
    let mut all: Vec<&str> = verify.to_vec();
    all.extend(["--matrix", "--networks", "8000", "--packets", "100"]);
    shell::run("cargo", &all)?;
    let mut all: Vec<&str> = verify.to_vec();
    all.extend(["--incremental", "--sequences", "300"]);
    shell::run("cargo", &all)?;
    println!("\nengine against the Linux kernel");
    match kernel {
        Err(why) => println!("SKIPPED: {why}; no packets are sent. Everything else ran."),
        Ok(()) => {
            let mut all: Vec<&str> = verify.to_vec();
            all.extend(["--kernel", "--networks", "400", "--packets", "300"]);
            shell::run("cargo", &all)?;
        }
    }
    println!("\nall tests passed");
    Ok(())
}

/// Sees that networks can be built: root, `ip` and `nft`, which are installed on Debian where they are missing.
fn kernel_tools() -> Result<(), String> {
    let root = Command::new("id").arg("-u").output();
    if !root.is_ok_and(|o| o.stdout.trim_ascii() == b"0") {
        return Err("network namespaces need root".to_string());
    }
    if started("ip", "-V") && started("nft", "-v") {
        return works();
    }
    if !started("apt-get", "--version") {
        return Err("`ip` or `nft` is missing (packages iproute2 and nftables)".to_string());
    }
    println!(
        "Installs the Debian packages iproute2 and nftables: real packets are sent through network namespaces."
    );
    // An index that cannot be renewed may still be good enough.
    let _ = shell::run("apt-get", &["update", "-qq"]);
    shell::run(
        "apt-get",
        &[
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "iproute2",
            "nftables",
        ],
    )
    .map_err(|e| format!("iproute2 and nftables cannot be installed ({e})"))?;
    works()
}

#[cfg(target_os = "linux")]
fn works() -> Result<(), String> {
    bartizan_testkit::kernel_usable().map_err(|e| format!("this machine cannot build networks ({e})"))
}

#[cfg(not(target_os = "linux"))]
fn works() -> Result<(), String> {
    Err("networks are built on Linux only".to_string())
}

/// Z3 confirms certificates in `crates/reach/tests/smt.rs`; it is installed on Debian where it is missing.
fn solver() {
    if started("z3", "--version") {
        return;
    }
    let root = Command::new("id").arg("-u").output();
    if root.is_ok_and(|o| o.stdout.trim_ascii() == b"0") && started("apt-get", "--version") {
        println!("Installs the Debian package z3: it checks certificates.");
        let _ = shell::run("apt-get", &["update", "-qq"]);
        let _ = shell::run(
            "apt-get",
            &["install", "-y", "-qq", "--no-install-recommends", "z3"],
        );
    }
    if !started("z3", "--version") {
        println!(
            "SKIPPED: `z3` is not installed, so no certificate goes through a solver (crates/reach/tests/smt.rs)."
        );
    }
}

fn started(program: &str, argument: &str) -> bool {
    Command::new(program)
        .arg(argument)
        .output()
        .is_ok_and(|o| o.status.success())
}

fn has(program: &str) -> bool {
    Command::new(program)
        .arg("version")
        .output()
        .is_ok_and(|o| o.status.success())
}
