//! Intent against reach.
mod adapt;
pub mod cause;
pub mod evaluate;
mod names;
pub mod plan;
mod report;
pub mod unmodelled;
mod sets;
mod world;
pub use adapt::plan as plan_for;
pub use report::{CheckReport, ClauseResult, TestResult, ZoneResult};
pub use sets::Set;
pub use world::World;
