//! `bartizan who PATH DST`.

use super::ask::{Common, Format, network};
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use bartizan_check::query::{Frame, who};
use bartizan_report::query;

pub(crate) const HELP: &str = "Examples:
  bartizan who examples/shop db
  bartizan who . alicloud_instance.web --on tcp/22
  bartizan who . 10.0.3.0/24 --format json             every prefix of the source set";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// Who is connected to: a zone, resource, address or prefix
    #[arg(value_name = "DST")]
    destination: String,
    /// Only these services
    #[arg(long, value_name = "SERVICE", default_value = "any")]
    on: String,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.common.reading, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let ask = || who(&f, &f.subject(&args.destination)?, &f.services(&args.on)?);
    let a = ask().map_err(|d| n.fail(d))?;
    let page = match args.common.format {
        Format::Pretty => query::who(&a, ctx.style(None)),
        Format::Json => query::who_json(&a),
    };
    out::write(None, &page)?;
    Ok(Code::Holds)
}
