//! `bartizan draft PATH`.

use crate::app::Context;
use crate::cmd::ask::remarks;
use crate::failure::{Failure, Outcome};
use crate::load::{self, Input};
use crate::out::{self, Code};
use crate::settings;
use bartizan_base::Severity;

pub(crate) const HELP: &str = "Examples:
  bartizan draft . > intent.btz
  bartizan draft plan.json --output intent.btz && bartizan check plan.json

The draft says what the network allows today. It holds by construction; what is not meant has to be deleted. What Terraform
does not say (the networks behind a border router) it leaves to you, in a comment, and claims about it are undecided.";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<String>,
    #[command(flatten)]
    input: Input,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let mut l = load::load(&args.path, &args.input)?;
    let said = std::mem::take(&mut l.inventory.diagnostics);
    if said.iter().any(|d| d.severity == Severity::Error) {
        return Err(Failure::new(said, l.sources));
    }
    remarks(&args.path, &said, &l.inventory, &l.sources, ctx.errors());
    // The last part of the path that is a name: `.` has none until it is looked up.
    let full = std::fs::canonicalize(&args.path).ok();
    let name = full
        .as_deref()
        .and_then(|p| p.file_stem())
        .map(|n| n.to_string_lossy().into_owned());
    let page = bartizan_check::query::draft(
        &l.inventory,
        name.as_deref().unwrap_or("network"),
        settings::today(),
    )
    .map_err(Failure::of)?;
    out::write(args.output.as_deref(), &page)?;
    Ok(Code::Holds)
}
