//! `bartizan why PATH SRC DST SERVICE`.

use super::ask::{Common, Format, network};
use crate::app::Context;
use crate::failure::Outcome;
use crate::out::{self, Code};
use bartizan_check::query::{Frame, certificate, why};
use bartizan_report::query;

pub(crate) const HELP: &str = "Examples:
  bartizan why examples/shop internet db tcp/3306
  bartizan why . web app orders                        a service of the intent
  bartizan why . 203.0.113.9 alicloud_instance.web tcp/22
  bartizan why . dev prod any --smt proof.smt2         a proof that another program can check

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
    /// Write the proof that nothing gets through as SMT-LIB 2 to this file (`-` for standard output), to be
    /// checked by a solver: `z3 FILE` answers `unsat` to every question
    #[arg(long, value_name = "FILE")]
    smt: Option<String>,
    #[command(flatten)]
    common: Common,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Outcome {
    let n = network(&args.path, &args.common.reading, ctx.errors())?;
    let f = Frame::new(&n.inventory, &n.intent, n.as_of).under(&n.readings);
    let ask = || {
        let (from, to) = (f.subject(&args.source)?, f.subject(&args.destination)?);
        why(&f, &from, &to, &f.services(&args.service)?)
    };
    let y = ask().map_err(|d| n.fail(d))?;
    if let Some(file) = &args.smt {
        let prove = || {
            let (from, to) = (f.subject(&args.source)?, f.subject(&args.destination)?);
            certificate(&f, &from, &to, &f.services(&args.service)?)
        };
        let script = prove().map_err(|d| n.fail(d))?;
        out::write(Some(file), &script.text)?;
        if file != "-" {
            let page = format!(
                "{file}: {} questions about packets, {} statements about structure; `z3 {file}` answers `unsat` to each question\n",
                script.questions, script.structural
            );
            out::write(None, &page)?;
        }
        return Ok(Code::Holds);
    }
    let page = match args.common.format {
        Format::Pretty => query::why(&y, &n.sources, ctx.style(None)),
        Format::Json => query::why_json(&y, &n.sources),
    };
    out::write(None, &page)?;
    Ok(Code::Holds)
}
