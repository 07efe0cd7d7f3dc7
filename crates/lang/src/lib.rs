//! The intent language: who may talk to whom, why, until when, and who agreed.

mod date;
mod format;
mod glob;
mod json;
mod lexer;
mod parse;
mod suggest;
pub mod tree;

pub use date::{Date, ParseDateError};
pub use format::{format, format_file};
pub use glob::{glob_match, globs_are_disjoint};
pub use json::{JSON_VERSION, from_json, to_json};
pub use parse::{parse, parse_text};
