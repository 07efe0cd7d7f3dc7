//! The edge: paths to file tables, and those to inventories and intents.

mod directory;
mod given;
mod intent;
mod scan;

pub(crate) use intent::{IntentFiles, beside, intent};

use crate::failure::{Failure, reason};
use crate::progress::Progress;
use crate::settings;
use bartizan_base::{Diagnostic, Severity, Sources};
use bartizan_model::Inventory;
use bartizan_terraform::{EvalOptions, FileSet, ReadOptions};
use std::io::Read;
use std::path::Path;

/// A plan, state or snapshot larger than this is refused rather than read for minutes.
const MAX_DOCUMENT: u64 = 1 << 30;

/// What the user gives beside a path.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Input {
    #[command(flatten)]
    pub(crate) given: given::Given,
    /// Directory that a plan was made from: it shows what the plan does not
    #[arg(long = "config", value_name = "DIR", help_heading = "Reading Terraform")]
    pub(crate) config: Option<String>,
    /// Terraform workspace (default: the one that a `cloud` block names, else $TF_WORKSPACE, else the one selected in the directory, else `default`)
    #[arg(long, value_name = "NAME", help_heading = "Reading Terraform")]
    pub(crate) workspace: Option<String>,
}

/// An inventory with the files that it was read from.
pub(crate) struct Loaded {
    pub(crate) inventory: Inventory,
    pub(crate) sources: Sources,
}

/// Reads a directory, plan, state or snapshot.
pub(crate) fn load(path: &str, input: &Input) -> Result<Loaded, Failure> {
    let _progress = Progress::start(format!("reading {path}"));
    if path == "-" {
        return standard_input(input);
    }
    let meta = std::fs::metadata(path).map_err(|e| missing(path, &e))?;
    let mut sources = Sources::default();
    let mut early = Vec::new();
    let mut files;
    if meta.is_dir() {
        files = FileSet {
            root: path.to_string(),
            ..FileSet::default()
        };
        directory::read(Path::new(path), &mut files, &mut sources, &mut early)?;
    } else {
        files = FileSet::default();
        document(path, meta.len(), &mut files, &mut sources)?;
    }
    let mut eval = EvalOptions {
        env: settings::terraform_variables(),
        workspace: input.workspace.clone(),
        selected: settings::terraform_workspace()
            .or_else(|| settings::selected_workspace(Path::new(path)).filter(|_| meta.is_dir())),
        ..EvalOptions::default()
    };
    if meta.is_dir() {
        eval.given = given::collect(&input.given, path, &mut files, &mut sources, &mut early)?;
    }
    let configuration = match &input.config {
        Some(_) if meta.is_dir() => {
            let why = format!("`--config` goes beside a plan, and `{path}` is a directory");
            let d = Diagnostic::error("INPUT001", why);
            return Err(Failure::of(
                d.help("leave it out, or give the plan that was made from it"),
            ));
        }
        Some(dir) => Some(beside_plan(dir, &mut sources, &mut early)?),
        None => None,
    };
    let options = ReadOptions { eval, configuration };
    let mut inventory = bartizan_terraform::read(&files, &mut sources, &options);
    early.append(&mut inventory.diagnostics);
    inventory.diagnostics = early;
    let failed = !meta.is_dir()
        && inventory
            .diagnostics
            .iter()
            .any(|d| d.severity == Severity::Error);
    if failed && inventory.resources.is_empty() {
        return Err(Failure::new(inventory.diagnostics, sources));
    }
    Ok(Loaded { inventory, sources })
}

/// A plan, state or snapshot from a pipe.
fn standard_input(input: &Input) -> Result<Loaded, Failure> {
    let text = std::io::read_to_string(std::io::stdin().take(MAX_DOCUMENT))
        .map_err(|e| Failure::io("read", "standard input", &e))?;
    let (mut files, mut sources) = (FileSet::default(), Sources::default());
    files.add(&mut sources, "<stdin>", text);
    let mut early = Vec::new();
    let configuration = match &input.config {
        Some(dir) => Some(beside_plan(dir, &mut sources, &mut early)?),
        None => None,
    };
    let options = ReadOptions {
        eval: EvalOptions {
            env: settings::terraform_variables(),
            workspace: input.workspace.clone(),
            selected: settings::terraform_workspace(),
            ..EvalOptions::default()
        },
        configuration,
    };
    let mut inventory = bartizan_terraform::read(&files, &mut sources, &options);
    early.append(&mut inventory.diagnostics);
    inventory.diagnostics = early;
    if inventory.resources.is_empty()
        && inventory
            .diagnostics
            .iter()
            .any(|d| d.severity == Severity::Error)
    {
        return Err(Failure::new(inventory.diagnostics, sources));
    }
    Ok(Loaded { inventory, sources })
}

/// The directory that a plan was made from.
fn beside_plan(dir: &str, sources: &mut Sources, early: &mut Vec<Diagnostic>) -> Result<FileSet, Failure> {
    let mut files = FileSet {
        root: dir.to_string(),
        ..FileSet::default()
    };
    directory::read(Path::new(dir), &mut files, sources, early)?;
    Ok(files)
}

fn missing(path: &str, e: &std::io::Error) -> Failure {
    let d = Diagnostic::error("INPUT001", format!("cannot read `{path}`: {}", reason(e)));
    Failure::of(
        d.help(
            "give a directory of Terraform files, a plan or state (`terraform show -json`), or a snapshot",
        ),
    )
}

fn document(path: &str, len: u64, files: &mut FileSet, sources: &mut Sources) -> Result<(), Failure> {
    if path.ends_with(".btz") {
        let d = Diagnostic::error("INPUT001", format!("`{path}` is an intent, not a network"));
        return Err(Failure::of(
            d.help("give the network first: `bartizan check PATH --intent FILE`"),
        ));
    }
    if path.ends_with(".tf") || path.ends_with(".tf.json") {
        let dir = Path::new(path)
            .parent()
            .map(|p| p.display().to_string())
            .filter(|p| !p.is_empty());
        let d = Diagnostic::error("INPUT001", format!("`{path}` is one file of a configuration"));
        let dir = dir.unwrap_or_else(|| ".".to_string());
        return Err(Failure::of(d.help(format!("give the directory: `{dir}`"))));
    }
    if len > MAX_DOCUMENT {
        let d = Diagnostic::error(
            "INPUT001",
            format!("`{path}` has {} MB, more than 1024 MB", len >> 20),
        );
        return Err(Failure::of(d.help(
            "`bartizan inventory PATH --snapshot FILE` makes a smaller file of parts of it",
        )));
    }
    let bytes = std::fs::read(path).map_err(|e| missing(path, &e))?;
    match String::from_utf8(bytes) {
        Ok(text) => {
            files.add(sources, path, text);
            Ok(())
        }
        Err(e) => {
            let at = e.utf8_error().valid_up_to();
            let d = Diagnostic::error("INPUT001", format!("`{path}` is not UTF-8 text (byte {at})"));
            let binary = e.as_bytes().starts_with(b"PK");
            Err(Failure::of(d.help(if binary {
                "a saved plan is binary: give the output of `terraform show -json PLAN`"
            } else {
                "give the output of `terraform show -json`, a state or a snapshot"
            })))
        }
    }
}
