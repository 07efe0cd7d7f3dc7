//! `bartizan zones PATH`.

use super::ask::{Common, Format, network};
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use bartizan_check::query::Frame;
use bartizan_report::query;

pub(crate) const HELP: &str = "Examples:
  bartizan zones examples/shop
  bartizan zones plan.json --intent intent.btz --format json";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.common.reading, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let list = bartizan_check::zones(&f.world(&[], &[]), &f.plan);
    let page = match args.common.format {
        Format::Pretty => query::zones(&list, ctx.style(None)),
        Format::Json => query::zones_json(&list),
    };
    out::write(None, &page)?;
    Ok(Code::Holds)
}
