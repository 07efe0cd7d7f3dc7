//! What a check says.

use bartizan_base::{Diagnostic, Finding, Severity, Span, Verdict};
use bartizan_lang::Date;

/// What became of a clause.
#[derive(Clone, Debug)]
pub struct ClauseResult {
    /// Stable id.
    pub id: String,
    /// As written.
    pub text: String,
    /// As an English sentence.
    pub sentence: String,
    /// Name of its boundary.
    pub boundary: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether it is in force on the date; the clauses of an expired exception are not.
    pub in_force: bool,
    /// Whether something could violate it: an `allow` opens and claims nothing.
    pub claims: bool,
    /// Why it is undecided.
    pub reasons: Vec<String>,
    /// Ids of contested semantics that the verdict leans on.
    pub assumptions: Vec<String>,
    /// Where it is written.
    pub span: Span,
}

/// What became of a test.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// Its name.
    pub name: String,
    /// The verdict over all statements.
    pub verdict: Verdict,
    /// Each statement with its verdict and, where undecided, the reason.
    pub statements: Vec<(String, Verdict, Vec<String>)>,
    /// Where it is written.
    pub span: Span,
}

/// A zone and its members.
#[derive(Clone, Debug)]
pub struct ZoneResult {
    /// Its name; `unzoned` for endpoints in no zone.
    pub name: String,
    /// Terraform addresses of the interfaces in it, sorted.
    pub members: Vec<String>,
    /// Public addresses in it, as text.
    pub public: String,
    /// Whether some boundary governs it.
    pub governed: bool,
}

/// What a check says.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// The verdict over everything that counts as an error.
    pub verdict: Verdict,
    /// The date of the evaluation.
    pub as_of: Date,
    /// Clauses in the order written, and one per boundary for what it governs.
    pub clauses: Vec<ClauseResult>,
    /// Tests in the order written.
    pub tests: Vec<TestResult>,
    /// Zones in the order written, then `unzoned` if it has members.
    pub zones: Vec<ZoneResult>,
    /// Findings, most important first.
    pub findings: Vec<Finding>,
    /// What was said while resolving the intent against the inventory.
    pub diagnostics: Vec<Diagnostic>,
}

/// How bad a verdict is.
pub(crate) fn rank(v: Verdict) -> u8 {
    match v {
        Verdict::Holds => 0,
        Verdict::Undecided => 1,
        Verdict::Violated => 2,
    }
}

/// The verdict of a run: violated when an error is, undecided when an error might be, else holds.
pub(crate) fn overall(findings: &[Finding]) -> Verdict {
    findings
        .iter()
        .filter(|f| f.severity == Severity::Error)
        .map(|f| f.verdict)
        .max_by_key(|v| rank(*v))
        .unwrap_or(Verdict::Holds)
}
