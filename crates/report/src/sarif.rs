//! SARIF 2.1.0, as code-scanning services read it: one rule per code, one result per finding, the witness as
//! a code flow.

use crate::run::Run;
use crate::text;
use bartizan_base::{CodeInfo, Diagnostic, Finding, Hop, Label, Severity, Sources, Span, Verdict, code_info};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<RunOut>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunOut {
    tool: Tool,
    invocations: Vec<Value>,
    results: Vec<ResultOut>,
    column_kind: &'static str,
    automation_details: Value,
    properties: Value,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: &'static str,
    short_description: Value,
    full_description: Value,
    help: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultOut {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    kind: &'static str,
    message: Value,
    locations: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    partial_fingerprints: Map<String, Value>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    properties: Map<String, Value>,
}

fn level(s: Severity) -> &'static str {
    match s {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// A path as a URI reference: what is not allowed there is percent-encoded.
fn uri(path: &str) -> String {
    let mut out = String::new();
    let path = path.strip_prefix("./").unwrap_or(path);
    for b in path.bytes() {
        match b {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'/'
            | b'@'
            | b'+'
            | b','
            | b'=' => {
                out.push(char::from(b));
            }
            b'\\' => out.push('/'),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    if path.starts_with('/') {
        format!("file://{out}")
    } else {
        out
    }
}

/// A place. One that is a file as a whole is its first line: code scanning shows no result without a line.
fn physical(span: Span, sources: &Sources) -> Value {
    let mut p = json!({"artifactLocation": {"uri": uri(sources.name(span.file))}});
    let mut region = json!({"startLine": span.line.max(1), "startColumn": span.column.max(1)});
    if span.line > 0 {
        let has_text = sources.get(span.file).is_some_and(|f| !f.text.is_empty());
        if has_text && span.end > span.start {
            let end = sources.line_col(span.file, span.end);
            region["endLine"] = json!(end.line);
            region["endColumn"] = json!(end.column);
        }
    }
    p["region"] = region;
    p
}

fn location(l: &Label, sources: &Sources) -> Value {
    let mut v = json!({"physicalLocation": physical(l.span, sources)});
    if !l.text.is_empty() {
        v["message"] = json!({"text": l.text});
    }
    v
}

/// The places of a result and what else belongs to it. Code scanning refuses a log in which a result has no place, so one
/// that has none is shown at the first of the others, or else where `home` says.
fn places(labels: &[Label], sources: &Sources, home: &Home<'_>) -> (Vec<Value>, Vec<Value>) {
    let (mut primary, mut related): (Vec<&Label>, Vec<&Label>) = labels.iter().partition(|l| l.primary);
    if primary.is_empty() && !related.is_empty() {
        primary.push(related.remove(0));
    }
    let mut first: Vec<Value> = primary.iter().map(|l| location(l, sources)).collect();
    if first.is_empty() {
        first.push(match home {
            Home::At(span) => json!({"physicalLocation": physical(*span, sources)}),
            Home::Path(path) => json!({"physicalLocation": {
                "artifactLocation": {"uri": uri(path)},
                "region": {"startLine": 1, "startColumn": 1}
            }}),
        });
    }
    let related = related.iter().map(|l| {
        let mut v = location(l, sources);
        if l.text.is_empty() {
            v["message"] = json!({"text": "see here"});
        }
        v
    });
    (first, related.collect())
}

/// Where a result is shown that has no place of its own.
enum Home<'a> {
    /// Where the claim stands in the intent.
    At(Span),
    /// The path that was checked.
    Path(&'a str),
}

/// The place of a claim by its id, or that of the first one: somebody has to read it somewhere.
fn home<'a>(run: &Run<'a>, id: Option<&str>) -> Home<'a> {
    let (clauses, tests) = (&run.report.clauses, &run.report.tests);
    let claim = |id: &str| {
        let clause = clauses.iter().find(|c| c.id == id).map(|c| c.span);
        let test = |name: &str| id.starts_with(&format!("test \"{name}\" "));
        clause.or_else(|| tests.iter().find(|t| test(&t.name)).map(|t| t.span))
    };
    let any = || clauses.first().map(|c| c.span).or(tests.first().map(|t| t.span));
    match id.and_then(claim).or_else(any) {
        Some(span) => Home::At(span),
        None => Home::Path(run.path),
    }
}

fn flow(title: &str, hops: &[Hop], sources: &Sources) -> Option<Value> {
    let list: Vec<Value> = hops
        .iter()
        .map(|h| {
            let text = format!("{}: {}: {} ({})", h.at, h.layer, h.rule, h.decision);
            let mut l = json!({"message": {"text": text}});
            match h.span {
                Some(s) => l["physicalLocation"] = physical(s, sources),
                None => l["logicalLocations"] = json!([{"fullyQualifiedName": h.at}]),
            }
            json!({"location": l, "importance": if h.decision == "drop" {"essential"} else {"important"}})
        })
        .collect();
    (!list.is_empty()).then(|| json!({"message": {"text": title}, "threadFlows": [{"locations": list}]}))
}

fn result(f: &Finding, rules: &[&'static str], run: &Run<'_>) -> ResultOut {
    let sources = run.sources;
    let (locations, related_locations) = places(&f.labels, sources, &home(run, f.clause.as_deref()));
    let mut message = vec![f.message.clone()];
    if let Some(w) = &f.witness {
        message.push(format!("packet: {}", text::packet(w)));
    }
    message.extend(
        text::some(&f.excess, 8, "flows")
            .into_iter()
            .map(|e| format!("flow: {e}")),
    );
    if let Some(fix) = &f.fix {
        message.push(format!("fix: {}", fix.text));
        message.extend(fix.breaks.iter().map(|b| format!("it would break: {b}")));
    }
    let mut properties = Map::new();
    properties.insert("verdict".to_string(), json!(f.verdict));
    properties.insert("subject".to_string(), json!(f.subject));
    if let Some(c) = &f.clause {
        properties.insert("clause".to_string(), json!(c));
    }
    if !f.assumptions.is_empty() {
        properties.insert("assumptions".to_string(), json!(f.assumptions));
    }
    let mut fingerprints = Map::new();
    fingerprints.insert("bartizan/v1".to_string(), json!(f.fingerprint));
    ResultOut {
        rule_id: f.code,
        rule_index: rules.iter().position(|r| *r == f.code),
        level: if f.verdict == Verdict::Undecided {
            "warning"
        } else {
            level(f.severity)
        },
        kind: "fail",
        message: json!({"text": message.join("\n")}),
        locations,
        related_locations,
        code_flows: f
            .witness
            .iter()
            .flat_map(|w| {
                [
                    flow("the request", &w.path, sources),
                    flow("the reply", &w.reply, sources),
                ]
            })
            .flatten()
            .collect(),
        partial_fingerprints: fingerprints,
        properties,
    }
}

fn of_diagnostic(d: &Diagnostic, rules: &[&'static str], run: &Run<'_>) -> ResultOut {
    let (locations, related_locations) = places(&d.labels, run.sources, &home(run, None));
    let help = d.help.iter().map(|h| format!("help: {h}"));
    let message: Vec<String> = std::iter::once(d.message.clone()).chain(help).collect();
    ResultOut {
        rule_id: d.code,
        rule_index: rules.iter().position(|r| *r == d.code),
        level: level(d.severity),
        kind: "fail",
        message: json!({"text": message.join("\n")}),
        locations,
        related_locations,
        code_flows: Vec::new(),
        partial_fingerprints: Map::new(),
        properties: Map::new(),
    }
}

fn rule(c: &CodeInfo) -> Rule {
    Rule {
        id: c.code,
        name: c.name,
        short_description: json!({"text": c.title}),
        full_description: json!({"text": c.title}),
        help: json!({"text": c.explain, "markdown": c.explain}),
    }
}

/// The SARIF log of the runs of one `check`: one SARIF run per path.
#[must_use]
pub fn check(runs: &[Run<'_>]) -> String {
    let one = |run: &Run<'_>| {
        let codes: BTreeSet<&'static str> = run
            .report
            .findings
            .iter()
            .map(|f| f.code)
            .chain(run.all_diagnostics().map(|d| d.code))
            .collect();
        let infos: Vec<&CodeInfo> = codes.iter().filter_map(|c| code_info(c)).collect();
        let rules: Vec<&'static str> = infos.iter().map(|c| c.code).collect();
        let findings = run.report.findings.iter().map(|f| result(f, &rules, run));
        let results = findings
            .chain(run.all_diagnostics().map(|d| of_diagnostic(d, &rules, run)))
            .collect();
        RunOut {
            tool: Tool {
                driver: Driver {
                    name: "Bartizan",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: infos.into_iter().map(rule).collect(),
                },
            },
            invocations: vec![json!({"executionSuccessful": !run.bad_input()})],
            results,
            column_kind: "unicodeCodePoints",
            automation_details: json!({"id": format!("bartizan/{}", run.path)}),
            properties: json!({"verdict": run.report.verdict, "asOf": run.report.as_of.to_string()}),
        }
    };
    let log = Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: runs.iter().map(one).collect(),
    };
    // INVARIANT (serialisable): the wire types hold text, numbers and lists only.
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}
