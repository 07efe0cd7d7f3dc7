//! `bartizan failover PATH`.

use super::ask::{Reading, network};
use super::intent_for;
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use crate::progress::Progress;
use bartizan_check::query::{Effect, Frame, failover};
use bartizan_report::failover as page;
use clap::ValueEnum;

pub(crate) const HELP: &str = "Examples:
  bartizan failover examples/enterprise
  bartizan failover examples/enterprise --format markdown --output failover.md

Takes every attachment, transit router, peering, gateway, NAT gateway, load balancer, availability zone and every
instance that a route leads to down, one at a time, and judges the intent each time: which `must` break, which
`never` leak, which `through` are bypassed. Needs an intent.
Exit codes: 0 no failure leaks or leads around a waypoint (what breaks is told), 1 one does, 3 undecided.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Pretty,
    Json,
    Markdown,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// How to print
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.reading, ctx.errors())?;
    if n.intent.clauses.is_empty() {
        // Without an intent there is nothing that a failure could change.
        let mut sources = n.sources.clone();
        intent_for(&args.path, &args.reading.intent, &mut sources, n.as_of)?;
    }
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let progress = Progress::start(format!("failing one thing after another in {}", args.path));
    let r = failover(&f, n.as_of, |done, all| progress.say(done, all));
    drop(progress);
    let page = match args.format {
        Format::Pretty => page::failover(&r, &n.sources, ctx.style(args.output.as_deref())),
        Format::Json => page::failover_json(&r, &n.sources),
        Format::Markdown => page::failover_markdown(&r, &n.sources),
    };
    out::write(args.output.as_deref(), &page)?;
    Ok(if r.any(Effect::Leaks) || r.any(Effect::Bypassed) {
        Code::Violated
    } else if r.any(Effect::Undecided) {
        Code::Undecided
    } else {
        Code::Holds
    })
}
