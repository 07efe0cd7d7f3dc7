//! `bartizan why PATH SRC DST SERVICE`.

use super::ask::{Common, Format, network};
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use bartizan_check::query::{Frame, why};
use bartizan_report::query;

pub(crate) const HELP: &str = "Examples:
  bartizan why examples/shop internet db tcp/3306
  bartizan why . web app orders                        a service of the intent
  bartizan why . 203.0.113.9 alicloud_instance.web tcp/22

SRC and DST are zones, `internet`, `everything`, addresses or prefixes, or resources by Terraform address,
cloud id or display name. Every hop is shown with the rule that decides; behind a blocker it goes on, so that
all blockers are listed.";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// Who opens the connection
    #[arg(value_name = "SRC")]
    source: String,
    /// Who is connected to
    #[arg(value_name = "DST")]
    destination: String,
    /// On what: `tcp/3306`, `icmp`, `https`, `any`
    #[arg(value_name = "SERVICE")]
    service: String,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.common, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of);
    let ask = || {
        let (from, to) = (f.subject(&args.source)?, f.subject(&args.destination)?);
        why(&f, &from, &to, &f.services(&args.service)?)
    };
    let y = ask().map_err(|d| n.fail(d))?;
    let page = match args.common.format {
        Format::Pretty => query::why(&y, &n.sources, ctx.style(None)),
        Format::Json => query::why_json(&y, &n.sources),
    };
    out::write(None, &page)?;
    Ok(Code::Holds)
}
