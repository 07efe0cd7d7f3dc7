//! `bartizan generate`: completions and manual pages, for packagers.

use crate::app::Cli;
use crate::failure::{Failure, Outcome};
use crate::out::{self, Code};
use clap::CommandFactory;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Completions for a shell, on standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page, on standard output; with a command, that of the command
    Man {
        /// The command
        command: Option<String>,
    },
}

pub(crate) fn run(args: &Args) -> Outcome {
    let mut command = Cli::command();
    let mut bytes = Vec::new();
    match &args.what {
        What::Completions { shell } => clap_complete::generate(*shell, &mut command, "bartizan", &mut bytes),
        What::Man { command: name } => {
            command.build();
            let page = match name {
                None => command,
                Some(n) => match command.find_subcommand(n) {
                    Some(c) => c.clone(),
                    None => {
                        let d = bartizan_base::Diagnostic::error(
                            "INTENT002",
                            format!("there is no command `{n}`"),
                        );
                        return Err(Failure::of(d.help("`bartizan --help` lists every command")));
                    }
                },
            };
            clap_mangen::Man::new(page)
                .render(&mut bytes)
                .map_err(|e| Failure::io("write", "the manual page", &e))?;
        }
    }
    out::write(None, &String::from_utf8_lossy(&bytes))?;
    Ok(Code::Holds)
}
