//! From files to an inventory.

use crate::alicloud::{link, link_spelt};
use crate::json::{Kind, broken, kind, plan_of};
use crate::{EvalOptions, FileSet, evaluate, read_state};
use bartizan_base::{Diagnostic, FileId, Sources, Span};
use bartizan_model::{Inventory, SourceKind, from_snapshot};

/// What the user gives beside the files.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// For directories.
    pub eval: EvalOptions,
    /// The directory that a plan was made from: what the plan does not show is read there.
    pub configuration: Option<FileSet>,
}

/// Reads a file set. A set of one `.json` or `.tfstate` file is a plan, a state or a snapshot, told apart by
/// its content; anything else is a directory of Terraform files.
///
/// What cannot be read is a diagnostic of the inventory with severity error, and the inventory is then what
/// could be read of the rest.
pub fn read(files: &FileSet, sources: &mut Sources, options: &ReadOptions) -> Inventory {
    if let Some(file) = document(files) {
        return read_document(file, sources, options);
    }
    let (resources, diagnostics) = evaluate(files, sources, &options.eval);
    link(resources, SourceKind::Directory, diagnostics)
}

/// The one file of a set that is a document and not a directory.
fn document(files: &FileSet) -> Option<FileId> {
    let mut it = files.files.iter();
    let (Some((path, file)), None) = (it.next(), it.next()) else {
        return None;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let configuration = [".tf", ".tf.json", ".tfvars", ".tfvars.json"]
        .iter()
        .any(|e| name.ends_with(e));
    (!configuration).then_some(*file)
}

fn read_document(file: FileId, sources: &mut Sources, options: &ReadOptions) -> Inventory {
    let failed = |d: Diagnostic, source: SourceKind| {
        let mut inv = Inventory::empty(source);
        inv.diagnostics.push(d);
        inv
    };
    let text = sources.get(file).map(|f| f.text.clone()).unwrap_or_default();
    match kind(&text) {
        Err(e) => failed(broken(&e, file, sources), SourceKind::Plan),
        Ok(Kind::Plan) => {
            let beside = options.configuration.as_ref().map(|f| (f, &options.eval));
            let read = plan_of(file, sources, beside);
            link_spelt(read.resources, SourceKind::Plan, read.diagnostics, &read.spelt)
        }
        Ok(Kind::State) => {
            let (resources, diagnostics) = read_state(file, sources);
            link(resources, SourceKind::State, diagnostics)
        }
        Ok(Kind::Snapshot) => {
            // A snapshot brings its own file names; they replace the table.
            let mut own = Sources::default();
            match from_snapshot(&text, &mut own) {
                Ok(inv) => {
                    *sources = own;
                    inv
                }
                Err(e) => failed(
                    Diagnostic::error("INPUT001", e.to_string())
                        .at(Span::file(file), "not read")
                        .help("write it again with `bartizan inventory PATH --snapshot FILE`"),
                    SourceKind::Snapshot,
                ),
            }
        }
        Ok(Kind::Other) => failed(
            Diagnostic::error(
                "INPUT001",
                "this JSON file is neither a plan, nor a state, nor a snapshot",
            )
            .at(Span::file(file), "not read")
            .help("a plan is what `terraform show -json plan.out` prints; a directory is given by its path"),
            SourceKind::Plan,
        ),
    }
}
