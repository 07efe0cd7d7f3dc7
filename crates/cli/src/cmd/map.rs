//! `bartizan map PATH`.

use super::ask::{Reading, network};
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use bartizan_check::query::{Frame, map};
use bartizan_report::map as page;
use clap::ValueEnum;

pub(crate) const HELP: &str = "Examples:
  bartizan map examples/enterprise -o network.html         open it in a browser
  bartizan map examples/shop --format svg -o network.svg
  bartizan map . --format mermaid                              for a README
  bartizan map . --format drawio --proved -o network.drawio

Zones of the intent in lanes by VPC, in columns by distance from the outside, with what is proved to flow between them.
Without an intent the vSwitches are drawn, or the VPCs where there are many. The same network gives the same bytes.";

/// What the picture is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Svg,
    Html,
    Dot,
    Mermaid,
    Drawio,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    path: String,
    /// What to write (default: by the ending of --output, else svg)
    #[arg(long, value_enum)]
    format: Option<Kind>,
    /// Leave out flows that depend on a value that is not known
    #[arg(long)]
    proved: bool,
    /// Write to this file and not to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    #[command(flatten)]
    reading: Reading,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.reading, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let mut p = map(&f);
    if args.proved {
        p.flows.retain(|f| f.certain);
    }
    let ending = args
        .output
        .as_deref()
        .and_then(|o| o.rsplit_once('.'))
        .map(|x| x.1);
    let kind = args.format.unwrap_or(match ending {
        Some("html" | "htm") => Kind::Html,
        Some("dot" | "gv") => Kind::Dot,
        Some("mmd" | "mermaid") => Kind::Mermaid,
        Some("drawio") => Kind::Drawio,
        _ => Kind::Svg,
    });
    let text = match kind {
        Kind::Svg => page::svg(&p),
        Kind::Html => page::html(&p),
        Kind::Dot => page::dot(&p),
        Kind::Mermaid => page::mermaid(&p),
        Kind::Drawio => page::drawio(&p),
    };
    out::write(args.output.as_deref(), &text)?;
    Ok(Code::Holds)
}
