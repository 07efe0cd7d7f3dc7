//! `bartizan check PATH...`.

use crate::app::Context;
use crate::cmd::{date, intent_for, readings};
use crate::failure::{Failure, Outcome};
use crate::load::{self, Input, IntentFiles};
use crate::out::{self, Code};
use crate::progress::Progress;
use crate::settings;
use bartizan_base::{Diagnostic, Severity, Sources, Span, Verdict};
use bartizan_check::{CheckOptions, CheckReport};
use bartizan_lang::Date;
use bartizan_model::Readings;
use bartizan_report::{InventoryFacts, Run, json, junit, markdown, sarif, summary};
use clap::ValueEnum;
use rayon::prelude::*;

pub(crate) const HELP: &str = "Examples:
  bartizan check examples/shop
  bartizan check plan.json --intent intent.btz
  bartizan check . --as-of 2027-02-01                  what holds on another day
  bartizan check . --format sarif --output bartizan.sarif
  bartizan check . --assume A-UNMODELLED=harmless      what is not modelled carries no packets
  bartizan check . --assume A-NACL-1=deny              decides what documents leave open (bartizan explain A-NACL-1)
  bartizan check . --assume A-CFW-1=protected          Cloud Firewall protects every public address

The intent is every *.btz beside PATH unless --intent names files.
Exit codes: 0 everything holds, 1 violated, 2 bad input or usage, 3 undecided.";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Pretty,
    Json,
    Sarif,
    Junit,
    Markdown,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    Error,
    Warning,
    Note,
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Directory of Terraform files, plan, state or snapshot
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<String>,
    /// Intent file (default: every *.btz beside PATH)
    #[arg(long, value_name = "FILE")]
    intent: Vec<String>,
    /// Judge as of this date (default: today, UTC)
    #[arg(long, value_name = "DATE", value_parser = date)]
    as_of: Option<Date>,
    /// How to print
    #[arg(long, value_enum, default_value = "pretty")]
    format: Format,
    /// The lowest severity that makes the command fail
    #[arg(long, value_enum, default_value = "error", value_name = "LEVEL")]
    fail_on: Level,
    /// Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)
    #[arg(long, value_name = "ID=READING")]
    assume: Vec<String>,
    /// Write to a file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<String>,
    #[command(flatten)]
    input: Input,
}

/// One path, judged.
struct Judged {
    path: String,
    network: Option<String>,
    facts: InventoryFacts,
    report: CheckReport,
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
}

impl Judged {
    fn run(&self) -> Run<'_> {
        Run {
            path: &self.path,
            network: self.network.as_deref(),
            inventory: &self.facts,
            report: &self.report,
            diagnostics: &self.diagnostics,
            sources: &self.sources,
        }
    }
}

pub(crate) fn run(ctx: &Context, args: Args) -> Outcome {
    let as_of = args.as_of.unwrap_or_else(settings::today);
    let readings = readings(&args.assume)?;
    let mut judged = Vec::new();
    let mut code = Code::Holds;
    let done: Vec<Result<Judged, Failure>> = args
        .paths
        .par_iter()
        .map(|p| judge(&args, p, as_of, &readings))
        .collect();
    for d in done {
        match d {
            Ok(j) => judged.push(j),
            Err(f) if args.paths.len() == 1 => return Err(f),
            Err(f) => {
                f.print(ctx.errors());
                code = Code::Bad;
            }
        }
    }
    let runs: Vec<Run<'_>> = judged.iter().map(Judged::run).collect();
    for r in &runs {
        code = code.worst(code_of(r, args.fail_on));
    }
    let style = ctx.style(args.output.as_deref());
    let page = match args.format {
        Format::Pretty => runs
            .iter()
            .map(|r| summary::check(r, style))
            .collect::<Vec<_>>()
            .join("\n"),
        Format::Json => json::check(&runs),
        Format::Sarif => sarif::check(&runs),
        Format::Junit => junit::check(&runs),
        Format::Markdown => markdown::check(&runs),
    };
    out::write(args.output.as_deref(), &page)?;
    Ok(code)
}

fn judge(args: &Args, path: &str, as_of: Date, readings: &Readings) -> Result<Judged, Failure> {
    let mut l = load::load(path, &args.input)?;
    let hash = matches!(args.format, Format::Json | Format::Markdown);
    let facts = InventoryFacts::of(&l.inventory, &l.sources, hash);
    let files = intent_for(path, &args.intent, &mut l.sources, as_of)?;
    let mut diagnostics = std::mem::take(&mut l.inventory.diagnostics);
    let nothing = CheckReport {
        verdict: Verdict::Undecided,
        as_of,
        clauses: Vec::new(),
        tests: Vec::new(),
        zones: Vec::new(),
        findings: Vec::new(),
        diagnostics: Vec::new(),
    };
    let mut report = if files.usable() {
        let opt = CheckOptions {
            readings: readings.clone(),
        };
        let _progress = Progress::start(format!("checking {path}"));
        bartizan_check::check(&l.inventory, &files.intent, as_of, &opt)
    } else {
        // An intent with errors says something else than was meant: nothing is judged by it.
        nothing
    };
    if files.usable()
        && let Some(d) = empty(&report, &files, path)
    {
        report.verdict = Verdict::Undecided;
        diagnostics.push(d);
    }
    diagnostics.extend(files.diagnostics);
    Ok(Judged {
        path: path.to_string(),
        network: files.intent.network,
        facts,
        report,
        diagnostics,
        sources: l.sources,
    })
}

/// What is wrong with an intent of which nothing is judged: the network would pass whatever it looks like.
fn empty(report: &CheckReport, files: &IntentFiles, path: &str) -> Option<Diagnostic> {
    if !report.tests.is_empty() || report.clauses.iter().any(|c| c.in_force && c.claims) {
        return None;
    }
    let in_force = report.clauses.iter().any(|c| c.in_force);
    let text = match (report.clauses.is_empty(), in_force) {
        (true, _) => "the intent has no clause and no test: nothing is checked".to_string(),
        (false, false) => format!(
            "no clause of the intent is in force on {}: nothing is checked",
            report.as_of
        ),
        (false, true) => {
            "every clause of the intent is an `allow`, which nothing can violate: nothing is checked"
                .to_string()
        }
    };
    let d = Diagnostic::error("INTENT019", text).help(if in_force {
        "write `governs ZONE, ...` at the boundary: then what no clause allows is a violation; or say what has to work \
         and what must not (`must`, `never`, `only`, tests)"
            .to_string()
    } else {
        format!(
            "say what has to hold, include the file that does or name it with `--intent`; `bartizan draft {path}` writes \
             a first intent"
        )
    });
    let first = report.clauses.iter().find(|c| c.in_force);
    Some(match (first, files.first) {
        (Some(c), _) => d.at(c.span, "this only opens"),
        (None, Some(f)) => d.at(Span::file(f), ""),
        (None, None) => d,
    })
}

fn code_of(run: &Run<'_>, fail_on: Level) -> Code {
    if run.bad_input() {
        return Code::Bad;
    }
    let least = match fail_on {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
        Level::Note => Severity::Note,
    };
    match run.report.verdict {
        Verdict::Violated => Code::Violated,
        Verdict::Undecided => Code::Undecided,
        Verdict::Holds => {
            let worst = run
                .report
                .findings
                .iter()
                .map(|f| f.severity)
                .chain(run.all_diagnostics().map(|d| d.severity))
                .max();
            if fail_on != Level::Error && worst.is_some_and(|w| w >= least) {
                Code::Violated
            } else {
                Code::Holds
            }
        }
    }
}
