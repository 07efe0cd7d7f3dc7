//! What the questions share: a network, and the intent beside it if there is one.

use crate::cmd::{date, intent_for, readings};
use crate::failure::Failure;
use crate::load::{self, Input};
use crate::settings;
use bartizan_base::{Diagnostic, Severity, Sources};
use bartizan_lang::{Date, Intent};
use bartizan_model::{Inventory, Readings, Understanding};
use bartizan_report::text;
use clap::ValueEnum;

/// How an answer is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Pretty,
    Json,
}

/// Flags of everything that reads one network.
#[derive(clap::Args)]
pub(crate) struct Reading {
    /// Intent file whose zones may be named (default: every *.btz beside PATH)
    #[arg(long, value_name = "FILE")]
    pub(crate) intent: Vec<String>,
    /// Resolve as of this date (default: today, UTC)
    #[arg(long, value_name = "DATE", value_parser = date)]
    pub(crate) as_of: Option<Date>,
    /// Decide a contested reading, `A-NACL-1=deny` (`bartizan explain` lists them)
    #[arg(long, value_name = "ID=READING")]
    pub(crate) assume: Vec<String>,
    #[command(flatten)]
    pub(crate) input: Input,
}

/// Flags of every question.
#[derive(clap::Args)]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) reading: Reading,
    /// How to print
    #[arg(long, value_enum, default_value = "pretty")]
    pub(crate) format: Format,
}

/// A network to ask about.
pub(crate) struct Network {
    pub(crate) inventory: Inventory,
    pub(crate) intent: Intent,
    pub(crate) sources: Sources,
    pub(crate) as_of: Date,
    pub(crate) readings: Readings,
}

impl Network {
    /// A failure with the network's files.
    pub(crate) fn fail(&self, d: Diagnostic) -> Failure {
        Failure::new(vec![d], self.sources.clone())
    }
}

/// Reads a path and its intent. Errors of reading are said on standard error and make the answer partial, so
/// they end the question; an intent with errors names no zones, so it does, too.
pub(crate) fn network(path: &str, c: &Reading, style: bartizan_report::Style) -> Result<Network, Failure> {
    let as_of = c.as_of.unwrap_or_else(settings::today);
    let readings = readings(&c.assume)?;
    let mut l = load::load(path, &c.input)?;
    let said = std::mem::take(&mut l.inventory.diagnostics);
    let bad = |d: &Diagnostic| d.severity == Severity::Error;
    if said.iter().any(bad) {
        return Err(Failure::new(said.into_iter().filter(bad).collect(), l.sources));
    }
    remarks(path, &said, &l.inventory, &l.sources, style);
    let there = !c.intent.is_empty() || !load::beside(path).is_empty();
    let intent = if there {
        let i = intent_for(path, &c.intent, &mut l.sources, as_of)?;
        if !i.usable() {
            return Err(Failure::new(
                i.diagnostics.into_iter().filter(bad).collect(),
                l.sources,
            ));
        }
        i.intent
    } else {
        Intent::default()
    };
    let (inventory, wrong) = bartizan_check::with_links(&l.inventory, &intent);
    eprint!("{}", text::diagnostics(wrong.iter(), &l.sources, style));
    Ok(Network {
        inventory,
        intent,
        sources: l.sources,
        as_of,
        readings,
    })
}

/// Warnings on standard error; what is not modelled in one line.
pub(crate) fn remarks(
    path: &str,
    said: &[Diagnostic],
    inventory: &Inventory,
    sources: &Sources,
    style: bartizan_report::Style,
) {
    let loud = said
        .iter()
        .filter(|d| d.severity == Severity::Warning && d.code != "INPUT003");
    eprint!("{}", text::diagnostics(loud, sources, style));
    let open = inventory
        .resources
        .iter()
        .filter(|r| !r.data && matches!(r.understanding, Understanding::NotUnderstood(_)))
        .count();
    if open > 0 {
        let s = if open == 1 { " is" } else { "s are" };
        let d = Diagnostic::warning(
            "INPUT003",
            format!("{open} resource{s} not modelled and may carry packets"),
        )
        .help(format!(
            "the answer is as if they were not there; `bartizan inventory {path}` lists them"
        ));
        eprintln!("{}", text::diagnostic(&d, sources, style));
    }
}
