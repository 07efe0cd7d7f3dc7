//! What ends a command before it has an answer.

use crate::out::Code;
use bartizan_base::{Diagnostic, Severity, Sources};
use bartizan_report::{Style, text};

/// Diagnostics with the files that they point into. Boxed: it is the rare case.
#[derive(Debug)]
pub(crate) struct Failure(Box<(Vec<Diagnostic>, Sources)>);

/// What a command returns.
pub(crate) type Outcome = Result<Code, Failure>;

impl Failure {
    pub(crate) fn new(diagnostics: Vec<Diagnostic>, sources: Sources) -> Self {
        Failure(Box::new((diagnostics, sources)))
    }
    /// One message about input that has no place in a file.
    pub(crate) fn of(d: Diagnostic) -> Self {
        Failure::new(vec![d], Sources::default())
    }
    /// A file that cannot be read or written.
    pub(crate) fn io(doing: &str, path: &str, e: &std::io::Error) -> Self {
        Failure::of(Diagnostic::error(
            "INPUT001",
            format!("cannot {doing} `{path}`: {}", reason(e)),
        ))
    }
    /// Whether the reader has gone away, which is not an error of ours.
    pub(crate) fn print(&self, style: Style) {
        let (list, sources) = &*self.0;
        eprint!("{}", text::diagnostics(list, sources, style));
        let n = list.iter().filter(|d| d.severity == Severity::Error).count();
        if n > 1 {
            eprintln!("{n} errors");
        }
    }
}

/// The words of the system, in our manner: lower case, without the number.
pub(crate) fn reason(e: &std::io::Error) -> String {
    let s = e.to_string();
    let s = s.split(" (os error").next().unwrap_or(&s).to_string();
    let mut c = s.chars();
    c.next()
        .map(|f| f.to_lowercase().chain(c).collect())
        .unwrap_or_default()
}
