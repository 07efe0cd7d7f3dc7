//! Intent against reach: clauses and tests become findings.
//!
//! [`check`] is the whole of it: the intent is resolved against one inventory ([`plan_for`]), endpoints are cut
//! into the blocks that its sets tell apart ([`World`]), clauses are evaluated block by block ([`evaluate`]),
//! and what is wrong is said once per cause ([`cause`]). Everything is a pure function of inventory, intent and
//! date.
//!
//! This crate knows nothing of files, terminals or formats, and nothing of Terraform's syntax.

mod adapt;
mod assumptions;

pub mod cause;
mod contested;
mod doubt;
pub mod evaluate;
mod explain;
pub mod failure;
mod ground;
mod judge;
mod links;
mod lints;
pub mod names;
mod path;
pub mod plan;
pub mod query;
mod report;
mod sets;
mod trial;
pub mod unmodelled;
mod watch;
mod waypoint;
mod world;
mod zones;

pub use adapt::plan as plan_for;
pub use assumptions::of as assumptions_of;
pub use judge::{CheckOptions, check};
pub use links::with_links;
pub use report::{CheckReport, ClauseResult, TestResult, ZoneResult};
pub use sets::Set;
pub use watch::{Recheck, Watch, verdicts};
pub use world::{Engine, World};
pub use zones::zones;
