//! Reads `terraform show -json` and raw state files.

use bartizan_base::{Diagnostic, FileId};
use bartizan_model::Resource;

/// Reads `terraform show -json PLAN`.
pub fn read_plan(_text: &str, _file: FileId) -> (Vec<Resource>, Vec<Diagnostic>) {
    (Vec::new(), Vec::new())
}

/// Reads `terraform show -json` of a state, or a raw `terraform.tfstate`.
pub fn read_state(_text: &str, _file: FileId) -> (Vec<Resource>, Vec<Diagnostic>) {
    (Vec::new(), Vec::new())
}
