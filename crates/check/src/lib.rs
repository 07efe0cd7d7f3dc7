//! Intent against reach.
pub mod cause;
pub mod evaluate;
pub mod plan;
mod sets;
mod world;
pub use sets::Set;
pub use world::World;
