//! Seeded large networks and the reach benchmark.
//!
//! Nothing here is a test: figures are printed, never asserted. `cargo xtask bench reach` runs [`reach`].

mod exact;
mod generate;
mod incremental;
mod joined;
mod run;

pub use exact::exact;
pub use generate::{Estate, Shape, Spec, generate};
pub use incremental::incremental;
pub use run::{Figures, reach};
