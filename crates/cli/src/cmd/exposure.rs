//! `bartizan exposure PATH`.

use super::ask::{Reading, network};
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use bartizan_check::query::{Frame, exposure};
use bartizan_report::exposure as page;
use clap::ValueEnum;

pub(crate) const HELP: &str = "Examples:
  bartizan exposure examples/shop
  bartizan exposure . --back-to-origin waf             a zone with the addresses from which a WAF sends to its origins
  bartizan exposure . --format markdown

Every service that somebody on the Internet reaches: at which address, from where exactly, what protects it, and whether
the origin can be reached around a WAF or Anti-DDoS Proxy. Then what is open in other ways: buckets that anybody may use,
functions, VPN servers, and what is not modelled and may be open.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Pretty,
    Json,
    Markdown,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// Zone or prefix from which WAF and Anti-DDoS Proxy send to their origins
    #[arg(long, value_name = "ZONE")]
    back_to_origin: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.reading, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let ask = || {
        let back = args.back_to_origin.as_deref().map(|z| f.subject(z)).transpose()?;
        exposure(&f, back.as_ref())
    };
    let x = ask().map_err(|d| n.fail(d))?;
    let text = match args.format {
        Format::Pretty => page::pretty(&x, &n.sources, ctx.style(None)),
        Format::Json => page::json(&x, &n.sources),
        Format::Markdown => page::markdown(&x, &n.sources),
    };
    out::write(None, &text)?;
    Ok(Code::Holds)
}
