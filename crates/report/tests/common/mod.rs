//! A hand-made run with one of everything.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests, each used by some"
)]

use bartizan_base::*;
use bartizan_check::{CheckReport, ClauseResult, TestResult, ZoneResult};
use bartizan_model::SourceKind;
use bartizan_report::{InventoryFacts, ResourceLine, Run, What};

pub struct World {
    pub sources: Sources,
    pub inventory: InventoryFacts,
    pub report: CheckReport,
    pub diagnostics: Vec<Diagnostic>,
}

const TF: &str = "resource \"alicloud_security_group_rule\" \"tmp_ssh\" {\n  type    = \"ingress\"\n  cidr_ip = \"0.0.0.0/1\"\n}\n";
const BTZ: &str =
    "boundary prod governs app {\n  never internet -> app : any\n  allow app -> db : mysql\n}\n";

fn span(s: &Sources, f: FileId, text: &str, part: &str) -> Span {
    let at = text.find(part).unwrap();
    s.span(f, at..at + part.len())
}

pub fn world() -> World {
    let mut sources = Sources::default();
    let tf = sources.add("prod/network.tf", TF);
    let btz = sources.add("prod/intent.btz", BTZ);
    let plan = sources.add("plan.json", "");
    let rule = span(&sources, tf, TF, "cidr_ip = \"0.0.0.0/1\"");
    let head = span(&sources, tf, TF, TF);
    let never = span(&sources, btz, BTZ, "never internet -> app : any");
    let allow = span(&sources, btz, BTZ, "allow app -> db : mysql");
    let clause = |id: &str, text: &str, verdict, span| ClauseResult {
        id: id.into(),
        text: text.into(),
        sentence: format!("{text} in words"),
        boundary: Some("prod".into()),
        verdict,
        in_force: true,
        claims: true,
        reasons: Vec::new(),
        assumptions: vec!["A-CW".into()],
        span,
    };
    let hop = |at: &str, layer: &str, rule: &str, decision: &str, span| Hop {
        at: at.into(),
        layer: layer.into(),
        rule: rule.into(),
        decision: decision.into(),
        span,
    };
    let witness = Witness {
        packet: WitnessPacket {
            source: "internet".into(),
            source_ip: "1.0.0.0".into(),
            destination: "alicloud_instance.app".into(),
            destination_ip: "10.20.1.7".into(),
            protocol: "tcp".into(),
            source_port: Some(32768),
            destination_port: Some(22),
        },
        path: vec![
            hop(
                "alicloud_eip.web",
                "eip",
                "bound to `alicloud_instance.app`",
                "rewrite 10.20.1.7",
                None,
            ),
            hop(
                "alicloud_instance.app",
                "security group ingress",
                "tmp_ssh: accept tcp/22 | 0.0.0.0/1",
                "accept",
                Some(rule),
            ),
        ],
        reply: vec![hop(
            "alicloud_instance.app",
            "security group session",
            "known session",
            "accept",
            None,
        )],
    };
    let base = Finding {
        code: "REACH001",
        name: "never-violated",
        severity: Severity::Error,
        verdict: Verdict::Violated,
        message: "internet can reach app on tcp/22".into(),
        clause: Some("prod/never-1".into()),
        also: vec!["prod/governs".into()],
        subject: "app".into(),
        witness: Some(witness),
        excess: vec!["internet -> app: tcp/22".into()],
        labels: vec![
            Label::primary(rule, "accepts ingress tcp/22 from 0.0.0.0/1"),
            Label::secondary(never, "against `never internet -> app : any`"),
        ],
        layers: vec![
            ("eip".into(), "open".into()),
            ("security group".into(), "open".into()),
        ],
        fix: Some(Fix {
            text: "delete `alicloud_security_group_rule.tmp_ssh`".into(),
            breaks: Vec::new(),
            safety: FixSafety::Safe,
        }),
        assumptions: vec!["A-CW".into()],
        notes: vec!["one of 2 rules that together cover all of IPv4".into()],
        fingerprint: "00112233445566778899aabbccddeeff".into(),
    };
    let undecided = Finding {
        code: "REACH007",
        name: "undecided",
        verdict: Verdict::Undecided,
        message: "undecided: `alicloud_slb.x` may carry packets and is not modelled".into(),
        clause: Some("prod/governs".into()),
        also: Vec::new(),
        witness: None,
        excess: Vec::new(),
        labels: vec![Label::primary(Span::file(plan), "not modelled")],
        layers: Vec::new(),
        fix: None,
        fingerprint: "ff112233445566778899aabbccddeeff".into(),
        ..base.clone()
    };
    let report = CheckReport {
        verdict: Verdict::Violated,
        as_of: "2026-11-23".parse().unwrap(),
        clauses: vec![
            clause(
                "prod/never-1",
                "never internet -> app : any",
                Verdict::Violated,
                never,
            ),
            clause("prod/allow-1", "allow app -> db : mysql", Verdict::Holds, allow),
            ClauseResult {
                in_force: false,
                ..clause("EX-1/allow-1", "allow app -> db : ssh", Verdict::Holds, allow)
            },
            ClauseResult {
                reasons: vec!["`alicloud_slb.x` may carry packets and is not modelled".into()],
                ..clause("prod/governs", "prod governs app", Verdict::Undecided, head)
            },
        ],
        tests: vec![TestResult {
            name: "checkout".into(),
            verdict: Verdict::Violated,
            statements: vec![
                ("app can reach db on tcp/3306".into(), Verdict::Holds, Vec::new()),
                ("internet cannot reach app".into(), Verdict::Violated, Vec::new()),
            ],
            span: allow,
        }],
        zones: vec![
            ZoneResult {
                name: "internet".into(),
                members: Vec::new(),
                public: "1.0.0.0/8".into(),
                governed: false,
            },
            ZoneResult {
                name: "app".into(),
                members: vec!["alicloud_instance.app".into()],
                public: String::new(),
                governed: true,
            },
        ],
        findings: vec![base, undecided],
        diagnostics: Vec::new(),
    };
    let resource = |address: &str, what, why: &[&str]| ResourceLine {
        address: address.into(),
        kind: address.split('.').next().unwrap().into(),
        what,
        why: why.iter().map(|s| (*s).to_string()).collect(),
        span: head,
        data: address.starts_with("data"),
        maybe: None,
    };
    World {
        inventory: InventoryFacts {
            source: SourceKind::Directory,
            resources: vec![
                resource("alicloud_instance.app", What::Modelled, &[]),
                resource("alicloud_oss_bucket.b", What::Ignored, &["stores objects"]),
                resource(
                    "alicloud_slb.x",
                    What::NotUnderstood,
                    &["load balancers are not modelled yet"],
                ),
            ],
            sha256: "ab".repeat(32),
        },
        sources,
        report,
        diagnostics: vec![
            Diagnostic::warning("INPUT002", "`var.x` has no value")
                .at(rule, "unknown")
                .help("give it with `--var x=...`"),
        ],
    }
}

impl World {
    pub fn run(&self) -> Run<'_> {
        Run {
            path: "prod",
            network: Some("shop"),
            inventory: &self.inventory,
            report: &self.report,
            diagnostics: &self.diagnostics,
            sources: &self.sources,
        }
    }
}
