//! What exists.

use crate::{Node, Typed, Unknown};
use bartizan_base::{Diagnostic, Sources, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What an inventory was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A directory of Terraform files, without provider or credentials.
    Directory,
    /// `terraform show -json` of a plan.
    Plan,
    /// `terraform show -json` of a state, or a raw `terraform.tfstate`.
    State,
    /// A snapshot written by Bartizan.
    Snapshot,
    /// Made by a generator.
    Generated,
}

/// What became of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Understanding {
    /// In the typed layer.
    Modelled,
    /// In the typed layer, with parts that were not understood; each is named.
    Partly(Vec<String>),
    /// No bearing on packets; the reason.
    Ignored(String),
    /// Has, or may have, a bearing on packets and is not modelled; the reason.
    NotUnderstood(String),
}

/// One resource (or data source) instance with all its attributes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// Full Terraform address, `module.net["a"].alicloud_vswitch.v[0]`; `[?]` where the number of instances
    /// is unknown; data sources start with `data.` after the module path.
    pub address: Arc<str>,
    /// The resource type, `alicloud_vswitch`.
    pub kind: Arc<str>,
    /// The provider configuration (`alicloud`, `alicloud.hz`).
    pub provider: Option<Arc<str>>,
    /// The region of the provider configuration, where known.
    pub region: Option<Arc<str>>,
    /// Whether this is a data source.
    pub data: bool,
    /// Every attribute and nested block; nested blocks of one type are a list of maps.
    pub attributes: BTreeMap<Arc<str>, Node>,
    /// The block that declares it.
    pub span: Span,
    /// Set when it is not known whether (or how often) it exists: an unknown `count` or `for_each`.
    pub maybe: Option<Unknown>,
    /// What became of it.
    pub understanding: Understanding,
}

impl Resource {
    /// An attribute that is present and not null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.attributes
            .get(name)
            .filter(|n| n.value != crate::Value::Null)
    }
}

/// What exists: every resource, and what matters to packets.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// What it was read from.
    pub source: SourceKind,
    /// Every resource and data source, sorted by address.
    pub resources: Vec<Resource>,
    /// What matters to packets.
    pub typed: Typed,
    /// What was said while reading.
    pub diagnostics: Vec<Diagnostic>,
}

impl Inventory {
    /// An inventory without anything in it.
    #[must_use]
    pub fn empty(source: SourceKind) -> Self {
        Inventory {
            source,
            resources: Vec::new(),
            typed: Typed::default(),
            diagnostics: Vec::new(),
        }
    }
}

/// Name and version of the snapshot format.
pub const SNAPSHOT_FORMAT: &str = "bartizan-snapshot/1";

#[derive(Serialize)]
struct SnapshotOut<'a> {
    format: &'a str,
    files: Vec<&'a str>,
    resources: &'a [Resource],
    typed: &'a Typed,
}

#[derive(Deserialize)]
struct SnapshotIn {
    format: String,
    files: Vec<String>,
    resources: Vec<Resource>,
    typed: Typed,
}

/// Why a snapshot could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Not JSON, or not of our shape.
    Json(serde_json::Error),
    /// Another format or version; the text found.
    Format(String),
    /// An id in it points nowhere; the text says which.
    Broken(String),
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SnapshotError::Json(e) => write!(f, "the snapshot is not readable: {e}"),
            SnapshotError::Format(s) => write!(
                f,
                "`{s}` is not a snapshot format that this version reads ({SNAPSHOT_FORMAT})"
            ),
            SnapshotError::Broken(s) => write!(f, "the snapshot contradicts itself: {s}"),
        }
    }
}
impl std::error::Error for SnapshotError {}

/// Writes an inventory as a snapshot: one line of JSON, the same bytes for the same inventory.
///
/// # Errors
/// Only when serialisation itself fails, which it does not for this type.
pub fn to_snapshot(inv: &Inventory, sources: &Sources) -> Result<String, SnapshotError> {
    let files = sources.iter().map(|(_, f)| &*f.name).collect();
    let out = SnapshotOut {
        format: SNAPSHOT_FORMAT,
        files,
        resources: &inv.resources,
        typed: &inv.typed,
    };
    serde_json::to_string(&out).map_err(SnapshotError::Json)
}

/// Reads a snapshot. `sources` must be empty: the snapshot brings its own file names.
///
/// # Errors
/// When the text is not a snapshot of a known version or an id in it points nowhere.
pub fn from_snapshot(text: &str, sources: &mut Sources) -> Result<Inventory, SnapshotError> {
    let snap: SnapshotIn = serde_json::from_str(text).map_err(SnapshotError::Json)?;
    if snap.format != SNAPSHOT_FORMAT {
        return Err(SnapshotError::Format(snap.format));
    }
    snap.typed.check_ids().map_err(SnapshotError::Broken)?;
    for f in snap.files {
        sources.add(f, "");
    }
    Ok(Inventory {
        source: SourceKind::Snapshot,
        resources: snap.resources,
        typed: snap.typed,
        diagnostics: Vec::new(),
    })
}
