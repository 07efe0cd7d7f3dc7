//! The machine form of a run: wire types of their own, so that a change inside the program is never a change
//! of the format. `docs/json.md` describes every field; `docs/schema/check-1.json` is its JSON Schema.

use crate::run::{InventoryFacts, ResourceLine, Run, What};
use bartizan_base::{
    Diagnostic, Finding, Fix, FixSafety, Hop, Label, Severity, Sources, Span, Verdict, Witness,
};
use bartizan_model::SourceKind;
use serde::Serialize;

/// Version of the format. Fields may be added within a version; a changed or removed one raises it.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    verdict: Verdict,
    as_of: String,
    #[serde(flatten)]
    run: RunOut<'a>,
}

#[derive(Serialize)]
struct Several<'a> {
    version: u32,
    verdict: Verdict,
    as_of: String,
    runs: Vec<VerdictRun<'a>>,
}

#[derive(Serialize)]
struct VerdictRun<'a> {
    verdict: Verdict,
    #[serde(flatten)]
    run: RunOut<'a>,
}

#[derive(Serialize)]
struct RunOut<'a> {
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    network: Option<&'a str>,
    inventory: InventoryOut<'a>,
    clauses: Vec<ClauseOut<'a>>,
    tests: Vec<TestOut<'a>>,
    zones: Vec<ZoneOut<'a>>,
    findings: Vec<FindingOut<'a>>,
    diagnostics: Vec<DiagnosticOut<'a>>,
}

#[derive(Serialize)]
struct InventoryOut<'a> {
    sha256: &'a str,
    source: SourceKind,
    resources: usize,
    modelled: usize,
    partly: usize,
    ignored: usize,
    data_sources: usize,
    not_understood: Vec<NotUnderstood<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<Vec<ResourceOut<'a>>>,
}

#[derive(Serialize)]
struct NotUnderstood<'a> {
    address: &'a str,
    r#type: &'a str,
    why: &'a str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct ResourceOut<'a> {
    address: &'a str,
    r#type: &'a str,
    status: &'static str,
    why: &'a [String],
    data: bool,
    maybe: Option<&'a str>,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    file: &'a str,
    /// 0 for the file as a whole.
    line: u32,
    column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
}

#[derive(Serialize)]
struct ClauseOut<'a> {
    id: &'a str,
    text: &'a str,
    sentence: &'a str,
    boundary: Option<&'a str>,
    verdict: Verdict,
    in_force: bool,
    reasons: &'a [String],
    assumptions: &'a [String],
    location: Location<'a>,
}

#[derive(Serialize)]
struct TestOut<'a> {
    name: &'a str,
    verdict: Verdict,
    statements: Vec<StatementOut<'a>>,
    location: Location<'a>,
}

#[derive(Serialize)]
struct StatementOut<'a> {
    text: &'a str,
    verdict: Verdict,
    reasons: &'a [String],
}

#[derive(Serialize)]
struct ZoneOut<'a> {
    name: &'a str,
    members: &'a [String],
    public: &'a str,
    governed: bool,
}

/// A finding on the wire.
#[derive(Serialize)]
pub(crate) struct FindingOut<'a> {
    code: &'a str,
    name: &'a str,
    severity: Severity,
    verdict: Verdict,
    message: &'a str,
    clause: Option<&'a str>,
    also: &'a [String],
    subject: &'a str,
    witness: Option<WitnessOut<'a>>,
    excess: &'a [String],
    layers: Vec<LayerOut<'a>>,
    locations: Vec<Location<'a>>,
    fix: Option<FixOut<'a>>,
    assumptions: &'a [String],
    notes: &'a [String],
    fingerprint: &'a str,
}

#[derive(Serialize)]
struct LayerOut<'a> {
    layer: &'a str,
    state: &'a str,
}

#[derive(Serialize)]
struct FixOut<'a> {
    text: &'a str,
    safety: FixSafety,
    breaks: &'a [String],
}

/// A witness on the wire.
#[derive(Serialize)]
pub(crate) struct WitnessOut<'a> {
    source: &'a str,
    source_ip: &'a str,
    destination: &'a str,
    destination_ip: &'a str,
    protocol: &'a str,
    source_port: Option<u16>,
    destination_port: Option<u16>,
    path: Vec<HopOut<'a>>,
    reply: Vec<HopOut<'a>>,
}

#[derive(Serialize)]
struct HopOut<'a> {
    at: &'a str,
    layer: &'a str,
    rule: &'a str,
    decision: &'a str,
    location: Option<Location<'a>>,
}

#[derive(Serialize)]
struct DiagnosticOut<'a> {
    code: &'a str,
    severity: Severity,
    message: &'a str,
    locations: Vec<Location<'a>>,
    help: Option<&'a str>,
    notes: &'a [String],
}

fn location<'a>(span: Span, sources: &'a Sources) -> Location<'a> {
    Location {
        file: sources.name(span.file),
        line: span.line,
        column: span.column,
        label: None,
    }
}

/// The primary label first, then the others in order.
fn locations<'a>(labels: &'a [Label], sources: &'a Sources) -> Vec<Location<'a>> {
    let primary = labels.iter().filter(|l| l.primary);
    primary
        .chain(labels.iter().filter(|l| !l.primary))
        .map(|l| Location {
            label: Some(l.text.as_str()).filter(|t| !t.is_empty()),
            ..location(l.span, sources)
        })
        .collect()
}

fn hop<'a>(h: &'a Hop, sources: &'a Sources) -> HopOut<'a> {
    HopOut {
        at: &h.at,
        layer: &h.layer,
        rule: &h.rule,
        decision: &h.decision,
        location: h.span.map(|s| location(s, sources)),
    }
}

pub(crate) fn witness<'a>(w: &'a Witness, sources: &'a Sources) -> WitnessOut<'a> {
    WitnessOut {
        source: &w.packet.source,
        source_ip: &w.packet.source_ip,
        destination: &w.packet.destination,
        destination_ip: &w.packet.destination_ip,
        protocol: &w.packet.protocol,
        source_port: w.packet.source_port,
        destination_port: w.packet.destination_port,
        path: w.path.iter().map(|h| hop(h, sources)).collect(),
        reply: w.reply.iter().map(|h| hop(h, sources)).collect(),
    }
}

pub(crate) fn finding<'a>(f: &'a Finding, sources: &'a Sources) -> FindingOut<'a> {
    let fix = |x: &'a Fix| FixOut {
        text: &x.text,
        safety: x.safety,
        breaks: &x.breaks,
    };
    FindingOut {
        code: f.code,
        name: f.name,
        severity: f.severity,
        verdict: f.verdict,
        message: &f.message,
        clause: f.clause.as_deref(),
        also: &f.also,
        subject: &f.subject,
        witness: f.witness.as_ref().map(|w| witness(w, sources)),
        excess: &f.excess,
        layers: f
            .layers
            .iter()
            .map(|(layer, state)| LayerOut { layer, state })
            .collect(),
        locations: locations(&f.labels, sources),
        fix: f.fix.as_ref().map(fix),
        assumptions: &f.assumptions,
        notes: &f.notes,
        fingerprint: &f.fingerprint,
    }
}

fn diagnostic<'a>(d: &'a Diagnostic, sources: &'a Sources) -> DiagnosticOut<'a> {
    DiagnosticOut {
        code: d.code,
        severity: d.severity,
        message: &d.message,
        locations: locations(&d.labels, sources),
        help: d.help.as_deref(),
        notes: &d.notes,
    }
}

fn inventory_out<'a>(inv: &'a InventoryFacts, sources: &'a Sources, all: bool) -> InventoryOut<'a> {
    let resource = |r: &'a ResourceLine| ResourceOut {
        address: &r.address,
        r#type: &r.kind,
        status: match r.what {
            What::Modelled => "modelled",
            What::Partly => "partly",
            What::Ignored => "ignored",
            What::NotUnderstood => "not-understood",
        },
        why: &r.why,
        data: r.data,
        maybe: r.maybe.as_deref(),
        location: location(r.span, sources),
    };
    InventoryOut {
        sha256: &inv.sha256,
        source: inv.source,
        resources: inv.managed().count(),
        modelled: inv.count(What::Modelled),
        partly: inv.count(What::Partly),
        ignored: inv.count(What::Ignored),
        data_sources: inv.resources.iter().filter(|r| r.data).count(),
        not_understood: inv
            .managed()
            .filter(|r| r.what == What::NotUnderstood)
            .map(|r| NotUnderstood {
                address: &r.address,
                r#type: &r.kind,
                why: r.why.first().map_or("", String::as_str),
                location: location(r.span, sources),
            })
            .collect(),
        all: all.then(|| inv.resources.iter().map(resource).collect()),
    }
}

fn run_out<'a>(run: &'a Run<'_>) -> RunOut<'a> {
    let s = run.sources;
    RunOut {
        path: run.path,
        network: run.network,
        inventory: inventory_out(run.inventory, s, false),
        clauses: run
            .report
            .clauses
            .iter()
            .map(|c| ClauseOut {
                id: &c.id,
                text: &c.text,
                sentence: &c.sentence,
                boundary: c.boundary.as_deref(),
                verdict: c.verdict,
                in_force: c.in_force,
                reasons: &c.reasons,
                assumptions: &c.assumptions,
                location: location(c.span, s),
            })
            .collect(),
        tests: run
            .report
            .tests
            .iter()
            .map(|t| TestOut {
                name: &t.name,
                verdict: t.verdict,
                statements: t
                    .statements
                    .iter()
                    .map(|(text, verdict, reasons)| StatementOut {
                        text,
                        verdict: *verdict,
                        reasons,
                    })
                    .collect(),
                location: location(t.span, s),
            })
            .collect(),
        zones: run
            .report
            .zones
            .iter()
            .map(|z| ZoneOut {
                name: &z.name,
                members: &z.members,
                public: &z.public,
                governed: z.governed,
            })
            .collect(),
        findings: run.report.findings.iter().map(|f| finding(f, s)).collect(),
        diagnostics: run.all_diagnostics().map(|d| diagnostic(d, s)).collect(),
    }
}

/// The worst of several verdicts: violated, then undecided, then holds.
#[must_use]
pub fn worst(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    verdicts.into_iter().max().unwrap_or(Verdict::Holds)
}

fn pretty(v: &impl Serialize) -> String {
    // INVARIANT (serialisable): the wire types hold text, numbers and lists only.
    serde_json::to_string_pretty(v).unwrap_or_default() + "\n"
}

/// The document for the runs of one `check`: one run is the document itself, several are listed in `runs`.
#[must_use]
pub fn check(runs: &[Run<'_>]) -> String {
    let as_of = runs
        .first()
        .map(|r| r.report.as_of.to_string())
        .unwrap_or_default();
    match runs {
        [run] => pretty(&Document {
            version: VERSION,
            verdict: run.report.verdict,
            as_of,
            run: run_out(run),
        }),
        _ => pretty(&Several {
            version: VERSION,
            verdict: worst(runs.iter().map(|r| r.report.verdict)),
            as_of,
            runs: runs
                .iter()
                .map(|r| VerdictRun {
                    verdict: r.report.verdict,
                    run: run_out(r),
                })
                .collect(),
        }),
    }
}

/// `{"version", "path", "inventory": {... "all": [...]}, "diagnostics"}`.
#[must_use]
pub fn inventory(path: &str, inv: &InventoryFacts, diagnostics: &[Diagnostic], sources: &Sources) -> String {
    #[derive(Serialize)]
    struct Out<'a> {
        version: u32,
        path: &'a str,
        inventory: InventoryOut<'a>,
        diagnostics: Vec<DiagnosticOut<'a>>,
    }
    pretty(&Out {
        version: VERSION,
        path,
        inventory: inventory_out(inv, sources, true),
        diagnostics: diagnostics.iter().map(|d| diagnostic(d, sources)).collect(),
    })
}
