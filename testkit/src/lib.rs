//! Generators, fixtures and the harness that runs testdata on every engine.
//!
//! - [`InventoryBuilder`] and [`rule`] write inventories down in a few lines.
//! - [`random_inventory`] makes small random networks that exercise every feature of the model.
//! - [`Universe`] lists the packets that a network can tell apart.
//! - [`verify`] compares an engine with the oracle on random networks and shrinks what differs.
//! - [`load_vectors`] reads the test vectors under `testdata/vectors`.
//!
//! For tests and `xtask` only. Everything but the two adapters of the engine ([`PointEngine`],
//! [`MatrixEngine`]) knows nothing of any engine: engines come in as [`EngineUnderTest`].

mod builder;
mod changes;
mod describe;
mod engine;
mod generate;
#[cfg(target_os = "linux")]
mod kernel;
pub mod properties;
mod rng;
mod shrink;
mod text;
#[cfg(target_os = "linux")]
mod tries;
mod universe;
mod vectors;
mod verify;

#[cfg(target_os = "linux")]
pub use bartizan_oracle::kernel::usable as kernel_usable;
pub use builder::{GroupKind, InventoryBuilder, Ipv6Access, Policy};
pub use changes::{IncrementalReport, random_change, verify_incremental};
pub use engine::{MatrixEngine, PointEngine};
pub use generate::{Features, open_inventory, random_inventory};
#[cfg(target_os = "linux")]
pub use kernel::{
    KernelDisagreement, KernelReport, KernelVectors, compare_with_kernel, compare_with_kernel_under,
    vectors_in_kernel, verify_kernel, verify_kernel_from,
};
pub use rng::Rng;
pub use shrink::shrink;
pub use text::{ParseRuleError, PeerText, PortsText, RuleText, rule};
pub use universe::{Query, Universe};
pub use vectors::{
    Expectation, Probe, ProbeEnd, Vector, VectorError, ground, load_vectors, parse_vector, run,
};
pub use verify::{
    Answer, Disagreement, EngineUnderTest, OracleEngine, Report, random_readings, verify, verify_with,
};
