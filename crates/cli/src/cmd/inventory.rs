//! `bartizan inventory PATH`.

use crate::app::Context;
use crate::failure::{Failure, Outcome};
use crate::load::{self, Input};
use crate::out::{self, Code};
use bartizan_base::Severity;
use bartizan_report::{InventoryFacts, inventory, json, text};
use clap::ValueEnum;
use rayon::prelude::*;

pub(crate) const HELP: &str = "Examples:
  bartizan inventory examples/shop
  bartizan inventory plan.json --all
  bartizan inventory . --snapshot network.json      writes a snapshot that every command reads
  bartizan inventory */ --summary                   one line for each directory";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Pretty,
    Json,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// One line for every resource, data sources included
    #[arg(long)]
    all: bool,
    /// One line for each path
    #[arg(long, conflicts_with_all = ["all", "format"])]
    summary: bool,
    /// Write the inventory as a snapshot
    #[arg(long, value_name = "FILE")]
    snapshot: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<String>,
    #[command(flatten)]
    input: Input,
}

pub(crate) fn run(ctx: &Context, args: Args) -> Outcome {
    if args.snapshot.is_some() && args.paths.len() > 1 {
        let d = bartizan_base::Diagnostic::error("INPUT001", "`--snapshot` takes one path");
        return Err(Failure::of(d.help("write one snapshot for each path")));
    }
    // In order, and not more at a time than fit in memory together.
    let mut code = Code::Holds;
    let mut page = String::new();
    for chunk in args.paths.chunks(64) {
        let done: Vec<Result<One, Failure>> = chunk.par_iter().map(|p| one(ctx, &args, p)).collect();
        for d in done {
            match d {
                Ok(o) => {
                    eprint!("{}", o.errors);
                    page.push_str(&o.page);
                    code = code.worst(o.code);
                }
                Err(f) => {
                    f.print(ctx.errors());
                    code = Code::Bad;
                }
            }
        }
    }
    out::write(args.output.as_deref(), &page)?;
    Ok(code)
}

struct One {
    page: String,
    errors: String,
    code: Code,
}

fn one(ctx: &Context, args: &Args, path: &str) -> Result<One, Failure> {
    let l = load::load(path, &args.input)?;
    if let Some(file) = &args.snapshot {
        let text = bartizan_model::to_snapshot(&l.inventory, &l.sources)
            .map_err(|e| Failure::of(bartizan_base::Diagnostic::error("INPUT001", e.to_string())))?;
        out::write(Some(file), &format!("{text}\n"))?;
    }
    let bad = l
        .inventory
        .diagnostics
        .iter()
        .any(|d| d.severity == Severity::Error);
    let code = if bad { Code::Bad } else { Code::Holds };
    let facts = InventoryFacts::of(&l.inventory, &l.sources, args.format == Format::Json);
    let style = ctx.style(args.output.as_deref());
    let errors = if args.format == Format::Json || args.summary {
        String::new()
    } else {
        // The list itself says what is not modelled.
        let said = l
            .inventory
            .diagnostics
            .iter()
            .filter(|d| d.code != "INPUT003" || d.severity == Severity::Error);
        text::diagnostics(said, &l.sources, ctx.errors())
    };
    let page = match args.format {
        Format::Json => json::inventory(path, &facts, &l.inventory.diagnostics, &l.sources),
        Format::Pretty if args.summary => {
            let n = l.inventory.diagnostics.len();
            let said = if n > 0 {
                format!(", {n} remarks")
            } else {
                String::new()
            };
            format!("{path}: {}{said}\n", inventory::totals(&facts))
        }
        Format::Pretty => {
            let head = if args.paths.len() > 1 {
                format!("{}\n\n", style.bold(path))
            } else {
                String::new()
            };
            head + &inventory::text(&facts, &l.sources, args.all, style)
        }
    };
    Ok(One { page, errors, code })
}
