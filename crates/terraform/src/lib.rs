//! Reads Terraform directories, plans and states into an [`bartizan_model::Inventory`].
//!
//! Three sources, one result: `config` evaluates a directory of `.tf` files, `json` reads
//! `terraform show -json` of a plan or a state and raw state files; both yield generic
//! [`bartizan_model::Resource`]s. `alicloud` turns those into the typed layer, one small file per family of
//! resource types. The crate does no I/O: the edge loads a [`FileSet`].

mod alicloud;
mod config;
mod files;
mod json;
mod read;

pub use alicloud::{
    Argument, Bearing, TypeSpec, argument, argument_meets, argument_patterns, bearing, coverage_markdown,
    link, type_specs,
};
pub use config::{Assignment, EvalOptions, evaluate};
pub use files::FileSet;
pub use json::{read_plan, read_state};
pub use read::{ReadOptions, read};
