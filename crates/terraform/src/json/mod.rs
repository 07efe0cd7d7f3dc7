//! Reads `terraform show -json` and raw state files.
//!
//! A plan knows values but not where they come from; its `configuration` part knows what each unknown value
//! refers to. Together they give what a directory gives: values where they are known, references where only the
//! identity is. Positions in these files mean nothing to people, so every span is the file as a whole.

mod address;
mod beside;
mod blocks;
mod drift;
mod plan;
mod references;
pub(crate) mod shapes;
mod stale;
mod state;
mod value;

use crate::alicloud::Spelt;
use crate::config::{World, evaluate_in};
use crate::{Assignment, EvalOptions, FileSet};
use bartizan_base::{Diagnostic, FileId, Sources};
use bartizan_model::{Resource, Unknown};
use beside::Beside;

/// Why a plan does not know a value that nobody wrote: the cloud fills it in.
pub(crate) const AFTER_APPLY: &str = "known only after apply";

/// Whether a value is one that nobody wrote: the cloud fills it in, as it does where there is no plan.
pub(crate) fn left_to_cloud(u: &Unknown) -> bool {
    u.span.is_none() && &*u.why == AFTER_APPLY
}

/// Why a plan does not know a value that is written, of which its configuration says nothing that could be followed.
const WRITTEN: &str = "it is written, and known only after apply";

/// Why a plan does not know a value that may be written: its configuration does not show where it comes from.
const HIDDEN: &str = "known only after apply, and a plan does not show whether and how it is written";

/// Why a plan does not know which of two spellings counts.
pub(crate) const SPELT_TWICE: &str =
    "two spellings of it are written, and a plan does not show which of them is null";

/// Whether the directory that a plan was made from would show what the plan does not.
pub(crate) fn not_shown(why: &str) -> bool {
    [WRITTEN, HIDDEN, SPELT_TWICE].contains(&why)
}

/// Type and address of what stands for everything that a plan leaves out.
pub(crate) const PARTIAL: &str = "plan";

/// What is read from a document.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) resources: Vec<Resource>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Which spellings the configuration uses; of plans only.
    pub(crate) spelt: Spelt,
}

/// Reads `terraform show -json PLAN`.
///
/// # Errors
/// One `INPUT001` with line and column when the text is not such a document.
pub fn read_plan(file: FileId, sources: &Sources) -> (Vec<Resource>, Vec<Diagnostic>) {
    let r = outcome(
        plan::read(text(file, sources), file, |_, _, _| None),
        file,
        sources,
    );
    (r.resources, r.diagnostics)
}

/// As [`read_plan`], with the directory of the configuration where there is one, and with what the typed layer needs to
/// know beside the values.
pub(crate) fn plan_of(file: FileId, sources: &mut Sources, beside: Option<(&FileSet, &EvalOptions)>) -> Read {
    let text = sources.get(file).map(|f| f.text.clone()).unwrap_or_default();
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let read = plan::read(text, file, |variables, written, format| {
        let (files, options) = beside?;
        Some(directory(files, options, variables, (written, format), sources))
    });
    outcome(read, file, sources)
}

/// Evaluates a directory with the values that the variables have in a plan, and looks whether it is the one that the plan
/// was made from.
fn directory(
    files: &FileSet,
    options: &EvalOptions,
    variables: String,
    (written, format): (&references::Written, Option<&str>),
    sources: &mut Sources,
) -> Beside {
    const NAME: &str = "variables of the plan.tfvars.json";
    let (mut files, mut options) = (files.clone(), options.clone());
    files.files.insert(NAME.into(), sources.add(NAME, variables));
    options.given = vec![Assignment::File(NAME.into())];
    let look = |w: &World<'_>| drift::drift(w, written, format);
    let (all, said, drift) = evaluate_in(&files, sources, &options, true, look);
    Beside::new(all, said, drift.flatten())
}

/// Reads `terraform show -json` of a state, or a raw `terraform.tfstate`.
///
/// # Errors
/// One `INPUT001` with line and column when the text is not such a document.
pub fn read_state(file: FileId, sources: &Sources) -> (Vec<Resource>, Vec<Diagnostic>) {
    let read = state::read(text(file, sources), file).map(|resources| Read {
        resources,
        ..Read::default()
    });
    let r = outcome(read, file, sources);
    (r.resources, r.diagnostics)
}

fn text(file: FileId, sources: &Sources) -> &str {
    sources
        .get(file)
        .map_or("", |f| f.text.strip_prefix('\u{feff}').unwrap_or(&f.text))
}

fn outcome(r: Result<Read, serde_json::Error>, file: FileId, sources: &Sources) -> Read {
    match r {
        Ok(mut r) => {
            r.resources.sort_by(|a, b| a.address.cmp(&b.address));
            r
        }
        Err(e) => Read {
            diagnostics: vec![broken(&e, file, sources)],
            ..Read::default()
        },
    }
}

/// Says where a document is broken.
pub(crate) fn broken(e: &serde_json::Error, file: FileId, sources: &Sources) -> Diagnostic {
    let text = sources.get(file).map_or("", |f| &*f.text);
    let line: usize = text
        .split_inclusive('\n')
        .take(e.line().saturating_sub(1))
        .map(str::len)
        .sum();
    let mut at = (line + e.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let what = if e.is_eof() {
        "this file ends too early"
    } else {
        "this file is not what it seems to be"
    };
    Diagnostic::error("INPUT001", format!("{what}: {e}"))
        .at(sources.span(file, at..at), "cannot be read from here on")
        .help("write it again with `terraform show -json plan.out > plan.json`; nothing was read")
}

/// What kind of document a JSON file is, by its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plan,
    State,
    Snapshot,
    Other,
}

/// Tells documents apart without building anything.
pub(crate) fn kind(text: &str) -> Result<Kind, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Members {
        format: Option<serde::de::IgnoredAny>,
        planned_values: Option<serde::de::IgnoredAny>,
        resource_changes: Option<serde::de::IgnoredAny>,
        values: Option<serde::de::IgnoredAny>,
        terraform_version: Option<serde::de::IgnoredAny>,
        resources: Option<serde::de::IgnoredAny>,
        lineage: Option<serde::de::IgnoredAny>,
    }
    // A list would be taken for the members in order.
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        serde_json::from_str::<serde::de::IgnoredAny>(text.trim_start_matches('\u{feff}'))?;
        return Ok(Kind::Other);
    }
    let m: Members = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text))?;
    Ok(if m.format.is_some() {
        Kind::Snapshot
    } else if m.planned_values.is_some() || m.resource_changes.is_some() {
        Kind::Plan
    } else if m.values.is_some()
        || m.terraform_version.is_some()
        || (m.resources.is_some() && m.lineage.is_some())
    {
        Kind::State
    } else {
        Kind::Other
    })
}
