//! Alibaba Cloud resources as plain data.
//!
//! An [`Inventory`] is what exists, in two layers. The *generic* layer holds every resource with all its
//! attributes as [`Node`]s, which know where they were written and may be unknown or a reference to another
//! resource. The *typed* layer, [`Typed`], holds what matters to packets, with references resolved to ids.
//! It has the same shape from every source (Terraform directory, plan, state, snapshot).
//!
//! Anything that could not be determined is a [`Fact::Unknown`] that says why and where; nothing here
//! guesses. What a value *means* for packets is decided in `reach`, not here.
//!
//! This crate knows nothing of Terraform's syntax, of the intent or of the engine.

mod assumption;
mod balancer;
mod check_ids;
mod data_service;
mod fact;
mod firewall;
mod hybrid;
mod inspector;
mod inventory;
mod transit;
mod typed;
mod value;

pub use assumption::{
    ASSUMPTIONS, Assumption, AssumptionInfo, ReadingError, ReadingInfo, Readings, Use, assumption_info,
};
pub use balancer::*;
pub use data_service::*;
pub use fact::{Fact, Unknown};
pub use firewall::*;
pub use hybrid::*;
pub use inspector::Inspector;
pub use inventory::{
    Inventory, Resource, SNAPSHOT_FORMAT, SnapshotError, SourceKind, Understanding, from_snapshot,
    to_snapshot,
};
pub use transit::*;
pub use typed::*;
pub use value::{Node, Reference, Value};
