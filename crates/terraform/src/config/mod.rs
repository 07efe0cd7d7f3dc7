//! Evaluates a directory of Terraform files.
//!
//! `source` parses files into declarations, `module` instantiates modules and answers what names stand for,
//! `eval` evaluates expressions on demand, `functions` are Terraform's, `emit` turns declarations into
//! resources. Values are computed when they are asked for and remembered, so the order of declarations does
//! not matter and a value that needs itself is noticed.

mod emit;
mod eval;
mod functions;
mod json;
mod manifest;
mod module;
mod source;
mod types;
mod uses;
mod value;
mod variables;
mod workspace;

pub(crate) use module::World;
pub(crate) use source::{Block as Declared, Expr};
pub(crate) use uses::{calls, references};
pub(crate) use value::{number, quote};

use crate::FileSet;
use bartizan_base::{Diagnostic, Sources};
use bartizan_model::Resource;
use std::collections::BTreeMap;

/// A value, or a file of values, that is given for variables of the root module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// `--var name=value`.
    Var(String, String),
    /// `--var-file`, by its path in the [`FileSet`].
    File(String),
}

/// What the user gives beside the files.
#[derive(Clone, Debug, Default)]
pub struct EvalOptions {
    /// `--var` and `--var-file` in the order of the command line; the last one counts. Stronger than everything else.
    pub given: Vec<Assignment>,
    /// `TF_VAR_*` of the environment, without the prefix; weakest.
    pub env: BTreeMap<String, String>,
    /// `terraform.workspace`, whatever the configuration says.
    pub workspace: Option<String>,
    /// The workspace that is selected, if one is; it counts where the configuration names none.
    pub selected: Option<String>,
}

/// Evaluation is recursive; this much stack is enough for [`eval::MAX_DEPTH`] and for the deepest file that
/// [`source`] accepts. It is reserved, not used.
const STACK: usize = 512 << 20;

/// Evaluates the root module and everything below it.
///
/// Resources come sorted by address. What Terraform would refuse becomes a diagnostic and an unknown value;
/// everything else is still read.
///
/// # Complexity
/// Every expression is evaluated once per instance that it belongs to.
pub fn evaluate(
    files: &FileSet,
    sources: &Sources,
    options: &EvalOptions,
) -> (Vec<Resource>, Vec<Diagnostic>) {
    let (all, said, _) = evaluate_in(files, sources, options, false, |_| ());
    (all, said)
}

/// As [`evaluate`], for a directory or for a plan that was made from one, with a look at the configuration itself.
pub(crate) fn evaluate_in<T: Send>(
    files: &FileSet,
    sources: &Sources,
    options: &EvalOptions,
    plan: bool,
    look: impl FnOnce(&World<'_>) -> T + Send,
) -> (Vec<Resource>, Vec<Diagnostic>, Option<T>) {
    let run = || {
        let mut w = module::World::new(files, sources);
        w.in_workspace(options, plan);
        let given = variables::Given::collect(&w, options);
        w.give(given);
        let mut out = Vec::new();
        w.emit(0, &mut out);
        out.sort_by(|a, b| a.address.cmp(&b.address));
        if out.is_empty() {
            w.nothing();
        }
        let mut diags = w.diagnostics.take();
        // One fault shows up in every instance and in everything that uses it: say it once.
        let mut seen = std::collections::BTreeSet::new();
        diags.retain(|d| seen.insert((d.code, d.message.clone(), d.labels.first().map(|l| l.span))));
        let seen = look(&w);
        (out, diags, Some(seen))
    };
    std::thread::scope(|s| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(s, run);
        match thread.map(std::thread::ScopedJoinHandle::join) {
            Ok(Ok(r)) => r,
            Ok(Err(_)) => (
                Vec::new(),
                vec![internal("reading the configuration failed inside Bartizan")],
                None,
            ),
            Err(_) => (
                Vec::new(),
                vec![internal("there is not enough memory to read the configuration")],
                None,
            ),
        }
    })
}

fn internal(what: &str) -> Diagnostic {
    Diagnostic::error("INPUT001", what)
        .help("nothing was read; please report the configuration that does this")
}
