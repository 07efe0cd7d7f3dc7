//! The intent language: who may talk to whom, why, until when, and who agreed.
//!
//! Text becomes a [`File`] (the syntax tree, with places and comments) by [`parse`]; the trees of all files
//! become one [`Intent`] (names looked up, values checked, clauses numbered) by [`resolve`]; [`lint`] judges an
//! intent as of a day without looking at any network; [`format()`] gives the one layout, [`to_json`] and
//! [`from_json`] the machine form, [`sentence`] the form that is read aloud. Users' mistakes are
//! [`bartizan_base::Diagnostic`]s beside the result, never panics.
//!
//! This crate knows nothing of inventories, Terraform or reachability, and reads no files: the edge loads them,
//! follows [`File::includes`] with [`include_path`], and says which day it is. The language itself is described
//! in `docs/language.md`.
//!
//! ```
//! use bartizan_base::Sources;
//! use bartizan_lang::{Lang, lint, parse, resolve, sentence};
//!
//! let mut sources = Sources::default();
//! let text = "zone internet = outside\nzone db = rds\nnever internet -> db : any\n";
//! let file = sources.add("intent.btz", text);
//! let (tree, problems) = parse(file, &sources);
//! assert!(problems.is_empty());
//! let (intent, problems) = resolve(&[tree], &sources);
//! assert!(problems.is_empty());
//! assert!(lint(&intent, "2026-11-23".parse().unwrap()).is_empty());
//! assert_eq!(
//!     sentence(&intent, &intent.clauses[0], Lang::En),
//!     "Nothing in internet may ever reach db on any service, and no exception can change that."
//! );
//! ```

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
    Intent, Link, LinkedSite, Selector, SelectorKind, Service, SetExpr, Test, TestStatement, WaypointRef,
    Zone, ZoneId,
};
pub use json::{JSON_VERSION, from_json, to_json};
pub use lint::{SOON_DAYS, lint, overlap};
pub use parse::{parse, parse_text};
pub use resolve::{EDITIONS, compose, include_path, resolve};
pub use sentence::{Lang, exception_sentence, link_sentences, sentence, test_sentences};
pub use services::{PREDEFINED_SERVICES, predefined_service};
pub use tree::{DownKind, Expect, File, LinkKind, Mode, ResourceKind, Verb};
