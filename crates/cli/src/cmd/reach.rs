//! `bartizan reach PATH`.

use super::ask::{Common, Format, network};
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use bartizan_check::query::{By, Frame, reach};
use bartizan_report::query;
use clap::ValueEnum;

pub(crate) const HELP: &str = "Examples:
  bartizan reach examples/shop
  bartizan reach . --on tcp/22
  bartizan reach . --from internet --by resource
  bartizan reach . --markdown > matrix.md";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Rows {
    Zone,
    Resource,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// Only these sources: a zone, resource, address or prefix
    #[arg(long, value_name = "X")]
    from: Option<String>,
    /// Only these destinations
    #[arg(long, value_name = "Y")]
    to: Option<String>,
    /// Only these services
    #[arg(long, value_name = "SERVICE", default_value = "any")]
    on: String,
    /// What a row is (default: zones if the intent has any, else resources)
    #[arg(long, value_enum)]
    by: Option<Rows>,
    /// Print a Markdown table
    #[arg(long, conflicts_with = "format")]
    markdown: bool,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.common.reading, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let by = match args.by {
        Some(Rows::Zone) => By::Zone,
        Some(Rows::Resource) => By::Resource,
        None if f.plan.zones.is_empty() => By::Resource,
        None => By::Zone,
    };
    let ask = || {
        let from = args.from.as_deref().map(|s| f.subject(s)).transpose()?;
        let to = args.to.as_deref().map(|s| f.subject(s)).transpose()?;
        reach(&f, from.as_ref(), to.as_ref(), &f.services(&args.on)?, by)
    };
    let m = ask().map_err(|d| n.fail(d))?;
    let page = match args.common.format {
        _ if args.markdown => query::matrix_markdown(&m),
        Format::Pretty => query::matrix(&m, ctx.style(None)),
        Format::Json => query::matrix_json(&m),
    };
    out::write(None, &page)?;
    Ok(Code::Holds)
}
