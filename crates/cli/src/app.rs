//! Flags, and which command they start.

use crate::cmd;
use crate::failure::Outcome;
use crate::settings::{self, Color};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Proves or disproves who may talk to whom in an Alibaba Cloud network.
///
/// Bartizan reads Terraform (a directory, a plan or a state, without credentials), works out exactly which packets
/// the network delivers, and compares that with an intent: a short file that says who may talk to whom.
#[derive(Parser)]
#[command(
    name = "bartizan",
    version,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Start with:  bartizan draft DIR > DIR/intent.btz   then  bartizan check DIR\n\nExit codes: 0 it holds (or the question is answered), 1 violated, 2 bad input or usage, 3 undecided."
)]
pub(crate) struct Cli {
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a network against its intent
    #[command(after_help = cmd::check::HELP)]
    Check(cmd::check::Args),
    /// Explain hop by hop why a packet gets through, or everything that stops it
    #[command(after_help = cmd::why::HELP)]
    Why(cmd::why::Args),
    /// Print who can reach whom on which services
    #[command(after_help = cmd::reach::HELP)]
    Reach(cmd::reach::Args),
    /// Print everyone who can reach a destination
    #[command(after_help = cmd::who::HELP)]
    Who(cmd::who::Args),
    /// Print everything that a source can reach, hop after hop
    #[command(after_help = cmd::blast::HELP)]
    Blast(cmd::blast::Args),
    /// Print every service that is open to the Internet, and what protects it
    #[command(after_help = cmd::exposure::HELP)]
    Exposure(cmd::exposure::Args),
    /// Print route tables as they are in effect
    #[command(after_help = cmd::routes::HELP)]
    Routes(cmd::routes::Args),
    /// Take one thing after another down: what breaks, what leaks
    #[command(after_help = cmd::failover::HELP)]
    Failover(cmd::failover::Args),
    /// Draw the network: zones, VPCs and what is proved to flow between them
    #[command(after_help = cmd::map::HELP)]
    Map(cmd::map::Args),
    /// Print the zones of the intent with their members
    #[command(after_help = cmd::zones::HELP)]
    Zones(cmd::zones::Args),
    /// Write a first intent from the network as it is
    #[command(after_help = cmd::draft::HELP)]
    Draft(cmd::draft::Args),
    /// List every resource and what became of it
    #[command(after_help = cmd::inventory::HELP)]
    Inventory(cmd::inventory::Args),
    /// Work on intent files: lint, fmt, read, json
    #[command(subcommand_required = true, arg_required_else_help = true)]
    Intent(cmd::intent::Args),
    /// Say what a code means and what to do
    #[command(after_help = cmd::explain::HELP)]
    Explain(cmd::explain::Args),
    /// Write shell completions or manual pages
    #[command(hide = true)]
    Generate(cmd::generate::Args),
}

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(c) => c,
        Err(e) => {
            // Help and version are answers; everything else is usage.
            let code = if e.use_stderr() { 2 } else { 0 };
            // A closed pipe leaves nobody to tell.
            let _ = e.print();
            return ExitCode::from(code);
        }
    };
    let ctx = Context { color: cli.color };
    let outcome: Outcome = match cli.command {
        Command::Check(a) => cmd::check::run(&ctx, a),
        Command::Why(a) => cmd::why::run(&ctx, &a),
        Command::Reach(a) => cmd::reach::run(&ctx, &a),
        Command::Who(a) => cmd::who::run(&ctx, &a),
        Command::Blast(a) => cmd::blast::run(&ctx, &a),
        Command::Exposure(a) => cmd::exposure::run(&ctx, &a),
        Command::Routes(a) => cmd::routes::run(&ctx, &a),
        Command::Failover(a) => cmd::failover::run(&ctx, &a),
        Command::Map(a) => cmd::map::run(&ctx, &a),
        Command::Zones(a) => cmd::zones::run(&ctx, &a),
        Command::Draft(a) => cmd::draft::run(&ctx, &a),
        Command::Inventory(a) => cmd::inventory::run(&ctx, a),
        Command::Intent(a) => cmd::intent::run(&ctx, a),
        Command::Explain(a) => cmd::explain::run(&ctx, &a),
        Command::Generate(a) => cmd::generate::run(&a),
    };
    match outcome {
        Ok(code) => code.into(),
        Err(f) => {
            f.print(settings::stderr_style(cli.color));
            ExitCode::from(2)
        }
    }
}

/// What every command may ask for.
pub(crate) struct Context {
    pub(crate) color: Color,
}

impl Context {
    /// The style of what is written to standard output, or to the file.
    pub(crate) fn style(&self, output: Option<&str>) -> bartizan_report::Style {
        settings::stdout_style(self.color, output.is_some_and(|o| o != "-"))
    }
    /// The style of what is written to standard error.
    pub(crate) fn errors(&self) -> bartizan_report::Style {
        settings::stderr_style(self.color)
    }
}
