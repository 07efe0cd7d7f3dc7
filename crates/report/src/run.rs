//! One run of `check`, as everything here takes it.

use bartizan_base::{Diagnostic, Severity, Sources, Span, Verdict};
use bartizan_check::CheckReport;
use bartizan_model::{Inventory, SourceKind, Understanding};
use sha2::{Digest, Sha256};

/// What became of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Has, or may have, a bearing on packets and is not modelled.
    NotUnderstood,
    /// Modelled but for some parts.
    Partly,
    /// Modelled.
    Modelled,
    /// No bearing on packets.
    Ignored,
}

impl What {
    /// One word or two.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            What::NotUnderstood => "not understood",
            What::Partly => "partly",
            What::Modelled => "modelled",
            What::Ignored => "no bearing",
        }
    }
}

/// One resource in a line.
#[derive(Clone, Debug)]
pub struct ResourceLine {
    /// Terraform address.
    pub address: String,
    /// Resource type.
    pub kind: String,
    /// What became of it.
    pub what: What,
    /// Why, where there is something to say; for `Partly` the parts.
    pub why: Vec<String>,
    /// Where it is written.
    pub span: Span,
    /// Whether it is a data source.
    pub data: bool,
    /// Why it is not known whether or how often it exists.
    pub maybe: Option<String>,
}

/// An inventory as reports speak of it.
#[derive(Clone, Debug)]
pub struct InventoryFacts {
    /// What it was read from.
    pub source: SourceKind,
    /// Every resource and data source, sorted by address.
    pub resources: Vec<ResourceLine>,
    /// SHA-256 of the snapshot of the inventory, in hex; empty where it was not asked for.
    pub sha256: String,
}

impl InventoryFacts {
    /// The facts of an inventory. `sources` must be the table that it was read with; the hash costs one
    /// serialisation of the inventory.
    #[must_use]
    pub fn of(inv: &Inventory, sources: &Sources, hash: bool) -> Self {
        let line = |r: &bartizan_model::Resource| {
            let (what, why) = match &r.understanding {
                Understanding::Modelled => (What::Modelled, Vec::new()),
                Understanding::Partly(parts) => (What::Partly, parts.clone()),
                Understanding::Ignored(w) => (What::Ignored, vec![w.clone()]),
                Understanding::NotUnderstood(w) => (What::NotUnderstood, vec![w.clone()]),
            };
            ResourceLine {
                address: r.address.to_string(),
                kind: r.kind.to_string(),
                what,
                why,
                span: r.span,
                data: r.data,
                maybe: r.maybe.as_ref().map(|u| u.why.to_string()),
            }
        };
        let sha256 = if hash { sha256(inv, sources) } else { String::new() };
        InventoryFacts {
            source: inv.source,
            resources: inv.resources.iter().map(line).collect(),
            sha256,
        }
    }

    /// How many resources (data sources aside) came to this.
    #[must_use]
    pub fn count(&self, what: What) -> usize {
        self.managed().filter(|r| r.what == what).count()
    }

    /// Everything but data sources.
    pub fn managed(&self) -> impl Iterator<Item = &ResourceLine> {
        self.resources.iter().filter(|r| !r.data)
    }
}

/// SHA-256 of the snapshot, in hex; empty if it cannot be serialised.
fn sha256(inv: &Inventory, sources: &Sources) -> String {
    let Ok(text) = bartizan_model::to_snapshot(inv, sources) else {
        return String::new();
    };
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect()
}

/// One run of `check` over one path.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The path as the user typed it.
    pub path: &'a str,
    /// What the intent calls the network.
    pub network: Option<&'a str>,
    /// What was checked.
    pub inventory: &'a InventoryFacts,
    /// What was found.
    pub report: &'a CheckReport,
    /// What was said while reading the inventory and the intent.
    pub diagnostics: &'a [Diagnostic],
    /// The files.
    pub sources: &'a Sources,
}

impl Run<'_> {
    /// Every diagnostic: reading, then resolving.
    pub fn all_diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().chain(&self.report.diagnostics)
    }
    /// Whether some input could not be used.
    #[must_use]
    pub fn bad_input(&self) -> bool {
        self.all_diagnostics().any(|d| d.severity == Severity::Error)
    }
    /// Whether nothing is wrong with the input but that the intent claims nothing.
    #[must_use]
    pub fn claims_nothing(&self) -> bool {
        let mut errors = self.all_diagnostics().filter(|d| d.severity == Severity::Error);
        self.bad_input() && errors.all(|d| d.code == "INTENT019")
    }
    /// Number of clauses in force with this verdict.
    #[must_use]
    pub fn clauses(&self, v: Verdict) -> usize {
        self.report
            .clauses
            .iter()
            .filter(|c| c.in_force && c.verdict == v)
            .count()
    }
    /// Number of tests with this verdict.
    #[must_use]
    pub fn tests(&self, v: Verdict) -> usize {
        self.report.tests.iter().filter(|t| t.verdict == v).count()
    }
}
