//! `bartizan blast PATH SRC`.

use super::ask::{Common, Format, network};
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use bartizan_check::query::{Frame, blast};
use bartizan_report::query;

pub(crate) const HELP: &str = "Examples:
  bartizan blast examples/shop internet
  bartizan blast . alicloud_instance.web

Each hop opens a connection of its own from what was reached before. The Internet is where it may start, not
where it goes on.";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// Where it starts: a zone, resource, address or prefix
    #[arg(value_name = "SRC")]
    source: String,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.common.reading, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let b = f
        .subject(&args.source)
        .and_then(|s| blast(&f, &s))
        .map_err(|d| n.fail(d))?;
    let page = match args.common.format {
        Format::Pretty => query::blast(&b, ctx.style(None)),
        Format::Json => query::blast_json(&b),
    };
    out::write(None, &page)?;
    Ok(Code::Holds)
}
