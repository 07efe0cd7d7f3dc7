//! The `bartizan` command.

mod app;
mod cmd;
mod failure;
mod load;
mod out;
mod progress;
mod settings;

use std::process::ExitCode;

/// Recursion over what users write is bounded everywhere; this leaves room for the bounds.
const STACK: usize = 64 << 20;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        eprintln!("internal error: {info}");
        eprintln!(
            "This is a bug in Bartizan, and no verdict was reached. Please report it with the line above."
        );
    }));
    let run = std::thread::Builder::new().stack_size(STACK).spawn(app::run);
    match run.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // The hook has said why.
        Ok(Err(_)) => ExitCode::from(2),
        Err(e) => {
            eprintln!("error: the program cannot start a thread: {e}");
            ExitCode::from(2)
        }
    }
}
