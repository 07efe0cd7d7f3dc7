//! Evaluates a directory of Terraform files.

use crate::FileSet;
use bartizan_base::{Diagnostic, Sources};
use bartizan_model::Resource;
use std::collections::BTreeMap;

/// What the user gives beside the files.
#[derive(Clone, Debug, Default)]
pub struct EvalOptions {
    /// `--var name=value`, in order; strongest.
    pub vars: Vec<(String, String)>,
    /// Files of `--var-file`, paths of the [`FileSet`], in order.
    pub var_files: Vec<String>,
    /// `TF_VAR_*` of the environment, without the prefix; weakest.
    pub env: BTreeMap<String, String>,
    /// `terraform.workspace`; `default` when not given.
    pub workspace: Option<String>,
}

/// Evaluates the root module and everything below it.
pub fn evaluate(
    _files: &FileSet,
    _sources: &Sources,
    _options: &EvalOptions,
) -> (Vec<Resource>, Vec<Diagnostic>) {
    (Vec::new(), Vec::new())
}
