//! Spans, diagnostics, findings and the register of stable codes.
//!
//! Everything that reads something a person wrote points back into it through [`Span`]; everything that
//! judges something says so in one currency, the [`Finding`]; everything that cannot be read is a
//! [`Diagnostic`]. This crate knows nothing of networks, Terraform or the intent language, renders
//! nothing and does no I/O: the edge loads files into [`Sources`] and renders what comes back.

mod codes;
mod diagnostic;
mod finding;
mod source;

pub use codes::{CODES, CodeInfo, code_info};
pub use diagnostic::{Diagnostic, Label};
pub use finding::{Finding, Fix, FixSafety, Hop, Severity, Verdict, Witness, WitnessPacket, fingerprint};
pub use source::{FileId, LineCol, SourceFile, Sources, Span};
