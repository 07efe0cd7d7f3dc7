//! The intent language: who may talk to whom, why, until when, and who agreed.

mod area;
mod date;
mod format;
mod glob;
mod intent;
mod json;
mod lexer;
mod lint;
mod parse;
mod resolve;
mod sentence;
mod services;
mod suggest;
pub mod tree;

pub use area::Overlap;
pub use date::{Date, ParseDateError};
pub use format::{format, format_file};
pub use glob::{glob_match, globs_are_disjoint};
pub use intent::{
    Approval, Boundary, BoundaryId, Clause, DEFAULT_EXPIRY_DAYS, Down, Env, EnvId, Exception, ExceptionId,
    Intent, Selector, SelectorKind, Service, SetExpr, Test, TestStatement, WaypointRef, Zone, ZoneId,
};
pub use json::{JSON_VERSION, from_json, to_json};
pub use lint::{SOON_DAYS, lint, overlap};
pub use parse::{parse, parse_text};
pub use resolve::{EDITIONS, compose, include_path, resolve};
pub use sentence::{Lang, exception_sentence, sentence, test_sentences};
pub use services::{PREDEFINED_SERVICES, predefined_service};
pub use tree::{DownKind, Expect, File, LinkKind, Mode, ResourceKind, Verb};
