//! Seeded large networks and the reach benchmark.
//!
//! Nothing here is a test: figures are printed, never asserted. `cargo xtask bench reach` runs [`reach`].

mod generate;
mod joined;
mod run;

pub use generate::{Estate, Shape, Spec, generate};
pub use run::{Figures, reach};
