//! One module per command: load, one call, render, exit code.

mod ask;
pub(crate) mod blast;
pub(crate) mod check;
pub(crate) mod draft;
pub(crate) mod explain;
pub(crate) mod exposure;
pub(crate) mod failover;
pub(crate) mod generate;
pub(crate) mod intent;
pub(crate) mod inventory;
pub(crate) mod map;
pub(crate) mod reach;
pub(crate) mod routes;
pub(crate) mod who;
pub(crate) mod why;
pub(crate) mod zones;

use crate::failure::Failure;
use crate::load::{self, IntentFiles};
use bartizan_base::{Diagnostic, Sources};
use bartizan_lang::Date;
use bartizan_model::{ReadingError, Readings};

/// A date as `--as-of` takes it.
pub(crate) fn date(s: &str) -> Result<Date, String> {
    s.parse()
        .map_err(|_| "expected a date such as 2027-01-31".to_string())
}

/// What `--assume` decides.
///
/// # Errors
/// When an id or a reading does not exist; the help lists those that do.
pub(crate) fn readings(assume: &[String]) -> Result<Readings, Failure> {
    let mut out = Readings::default();
    for text in assume {
        out.decide(text).map_err(|e| {
            let code = match e {
                ReadingError::Id(_) => "INTENT002",
                _ => "INPUT005",
            };
            Failure::of(Diagnostic::error(code, e.to_string()).help(e.help()))
        })?;
    }
    Ok(out)
}

/// The intent named by `--intent`, or the one beside the path.
///
/// # Errors
/// When there is none, or a named file cannot be read.
pub(crate) fn intent_for(
    path: &str,
    named: &[String],
    sources: &mut Sources,
    as_of: Date,
) -> Result<IntentFiles, Failure> {
    let files = if named.is_empty() {
        load::beside(path)
    } else {
        named.to_vec()
    };
    if files.is_empty() {
        let d = Diagnostic::error(
            "INPUT001",
            format!("there is no intent (`*.btz`) beside `{path}`"),
        );
        return Err(Failure::of(d.help(format!(
            "name one with `--intent FILE`, or start from the network as it is: `bartizan draft {path}`"
        ))));
    }
    load::intent(&files, sources, as_of)
}
