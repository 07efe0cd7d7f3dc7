//! Intent files with what they include.

use crate::failure::{Failure, reason};
use bartizan_base::{Diagnostic, FileId, Severity, Sources, Span};
use bartizan_lang::{Date, File, Intent, include_path, lint, parse, resolve};
use std::collections::BTreeSet;
use std::path::Path;

/// An intent larger than this is not one that people read.
const MAX_FILE: u64 = 16 << 20;
/// Included files; more means a loop of links.
const MAX_FILES: usize = 2_000;

/// A parsed and resolved intent with what was said about it.
pub(crate) struct IntentFiles {
    pub(crate) intent: Intent,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The first file that was asked for.
    pub(crate) first: Option<FileId>,
}

impl IntentFiles {
    /// Whether it can be used.
    pub(crate) fn usable(&self) -> bool {
        self.diagnostics.iter().all(|d| d.severity != Severity::Error)
    }
}

/// The `*.btz` files beside a path: in the directory, or in the directory of the file. Sorted.
pub(crate) fn beside(path: &str) -> Vec<String> {
    let p = Path::new(path);
    let dir = if p.is_dir() {
        path.to_string()
    } else {
        p.parent().map_or_else(String::new, |d| d.display().to_string())
    };
    let listed = std::fs::read_dir(if dir.is_empty() { "." } else { &dir });
    let mut out: Vec<String> = listed
        .into_iter()
        .flatten()
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| n.ends_with(".btz") && !n.starts_with('.'))
        .map(|n| match dir.trim_end_matches('/') {
            "" if dir.is_empty() => n,
            d => format!("{d}/{n}"),
        })
        .collect();
    out.sort();
    out
}

/// Reads intent files and everything they include, and judges them as of a date.
///
/// # Errors
/// A named file that cannot be read. Everything else that is wrong is in the diagnostics.
pub(crate) fn intent(paths: &[String], sources: &mut Sources, as_of: Date) -> Result<IntentFiles, Failure> {
    let mut r = Reader {
        sources,
        trees: Vec::new(),
        diagnostics: Vec::new(),
        seen: BTreeSet::new(),
        first: None,
    };
    for p in paths {
        r.file(p, None).map_err(Failure::of)?;
    }
    let Reader {
        trees,
        mut diagnostics,
        first,
        ..
    } = r;
    let (intent, mut said) = resolve(&trees, sources);
    // An `include` that could not be read has been reported with the reason.
    said.retain(|d| {
        !diagnostics
            .iter()
            .any(|e| e.code == "INPUT001" && e.span().is_some() && e.span() == d.span())
    });
    diagnostics.extend(said);
    diagnostics.extend(lint(&intent, as_of));
    Ok(IntentFiles {
        intent,
        diagnostics,
        first,
    })
}

struct Reader<'a> {
    sources: &'a mut Sources,
    trees: Vec<File>,
    diagnostics: Vec<Diagnostic>,
    seen: BTreeSet<String>,
    first: Option<FileId>,
}

impl Reader<'_> {
    /// Reads a file unless it was read already. `from` is the `include` that asks for it.
    fn file(&mut self, path: &str, from: Option<Span>) -> Result<(), Diagnostic> {
        // `include_path` folds `.` and `..`, so that one file has one name.
        let path = include_path("", path);
        if self.seen.len() >= MAX_FILES || !self.seen.insert(path.clone()) {
            return Ok(());
        }
        let id = self.load(&path).map_err(|d| match from {
            Some(span) => d
                .at(span, "included here")
                .help("the path is relative to the directory of this file"),
            None => d,
        })?;
        self.first.get_or_insert(id);
        let (tree, said) = parse(id, self.sources);
        self.diagnostics.extend(said);
        let includes: Vec<(String, Span)> = tree.includes().map(|t| (t.text.clone(), t.span)).collect();
        self.trees.push(tree);
        for (to, span) in includes {
            if let Err(d) = self.file(&include_path(&path, &to), Some(span)) {
                self.diagnostics.push(d);
            }
        }
        Ok(())
    }

    fn load(&mut self, path: &str) -> Result<FileId, Diagnostic> {
        let fail =
            |why: String| Diagnostic::error("INPUT001", format!("cannot read the intent `{path}`: {why}"));
        let meta = std::fs::metadata(path).map_err(|e| fail(reason(&e)))?;
        if meta.is_dir() {
            return Err(fail("it is a directory".to_string()).help("name the `.btz` file in it"));
        }
        if meta.len() > MAX_FILE {
            return Err(fail("it is larger than 16 MB".to_string()));
        }
        let bytes = std::fs::read(path).map_err(|e| fail(reason(&e)))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            fail(format!(
                "byte {} is not valid UTF-8",
                e.utf8_error().valid_up_to()
            ))
        })?;
        Ok(self.sources.add(path, text))
    }
}
