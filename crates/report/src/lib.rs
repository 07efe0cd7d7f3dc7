//! Findings for people and machines.
//!
//! Everything here is a pure function from results to text: [`text`] for terminals, [`json`] with versioned
//! wire types of its own (`docs/json.md`), [`sarif`] and [`junit`] for build servers, [`markdown`] for a
//! comment on a change, and one small module per query. What to print where, colours and widths are decided
//! at the edge, by [`Style`].
//!
//! This crate judges nothing and does no I/O.

pub mod exposure;
pub mod failover;
pub mod inventory;
pub mod json;
pub mod junit;
pub mod map;
pub mod markdown;
pub mod query;
mod quote;
pub mod routes;
mod run;
pub mod sarif;
mod style;
pub mod summary;
pub mod text;

pub use run::{InventoryFacts, ResourceLine, Run, What};
pub use style::{Mark, Style};
