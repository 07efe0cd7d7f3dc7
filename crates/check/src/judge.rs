//! The whole check: clauses, boundaries, zones and tests, and one finding per cause.

mod found;
mod rests;

use crate::cause::Baseline;
use crate::contested::{self, Asked};
use crate::evaluate::{self, Leak, Outcome};
use crate::ground::Ground;
use crate::names;
use crate::plan::{Boundary, Claim, Plan, Statement};
use crate::report::{CheckReport, ClauseResult, TestResult, overall, rank};
use crate::world::World;
use crate::{assumptions, lints};
use bartizan_base::{Diagnostic, Finding, Severity, Span, Verdict};
use bartizan_lang::{Date, Intent};
use bartizan_model::{Inventory, Readings};
use bartizan_packet::ServiceSet;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the user decides about a check.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// What is decided about contested semantics (`--assume A-NACL-1=deny`).
    pub readings: Readings,
}

/// Evaluates an intent against an inventory as of a date.
///
/// Pure: the same arguments give the same report. Cost: one compilation and all pairs of blocks, and, for each
/// cause of a violation in a network of up to 2,000 interfaces, as much again per candidate.
#[must_use]
pub fn check(inv: &Inventory, intent: &Intent, as_of: Date, opt: &CheckOptions) -> CheckReport {
    let (inv, mut diagnostics) = crate::links::with_links(inv, intent);
    let inv = &inv;
    let (mut plan, said) = crate::adapt::plan(intent, inv, as_of);
    diagnostics.extend(said);
    plan.readings = opt.readings.clone();
    let services: Vec<ServiceSet> = plan.services().cloned().collect();
    let w = World::new(inv, plan.sets.clone(), &services, &plan.readings);
    Judge::new(&w, &plan, intent).run(as_of, diagnostics)
}

/// Whose claim a leak violates; ordered by strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Against {
    Never(usize),
    Only(usize),
    Waypoint(usize),
    Governs(usize),
    Test(usize, usize),
}

pub(crate) struct Judge<'a> {
    pub(crate) w: &'a World<'a>,
    pub(crate) plan: &'a Plan,
    intent: &'a Intent,
    ground: Arc<Ground>,
    /// Whether this is what is left after a failure.
    failed: bool,
}

/// 100.64.0.0/10, in which no VPC may have addresses (ALIBABA.md §2).
const CLOUD: (u32, u32) = (0x6440_0000, 0x647f_ffff);

impl<'a> Judge<'a> {
    pub(crate) fn new(w: &'a World<'a>, plan: &'a Plan, intent: &'a Intent) -> Self {
        Judge::on(Arc::new(Ground::new(w, plan)), w, plan, intent)
    }

    /// As [`Judge::new`] where it is known what verdicts rest on.
    pub(crate) fn on(ground: Arc<Ground>, w: &'a World<'a>, plan: &'a Plan, intent: &'a Intent) -> Self {
        Judge {
            w,
            plan,
            intent,
            ground,
            failed: false,
        }
    }

    /// The same over what is left after a failure.
    pub(crate) fn of_the_rest(self) -> Self {
        Judge { failed: true, ..self }
    }

    fn id(&self, a: Against) -> String {
        match a {
            Against::Never(i) | Against::Only(i) | Against::Waypoint(i) => self.plan.clauses[i].id.clone(),
            Against::Governs(b) => governs_id(&self.plan.boundaries[b].name),
            Against::Test(t, s) => format!("test \"{}\" {}", self.plan.tests[t].name, s + 1),
        }
    }

    fn severity(&self, a: Against) -> Severity {
        let b = match a {
            Against::Never(i) | Against::Only(i) | Against::Waypoint(i) => self.plan.clauses[i].boundary,
            Against::Governs(b) => Some(b),
            Against::Test(..) => None,
        };
        evaluate::severity(b.and_then(|b| self.plan.boundaries.get(b)))
    }

    fn run(&self, as_of: Date, diagnostics: Vec<Diagnostic>) -> CheckReport {
        let (w, plan) = (self.w, self.plan);
        let mut outcomes: Vec<Outcome> = (0..plan.clauses.len()).map(|i| self.clause(i)).collect();
        let verdicts: Vec<Verdict> = outcomes.iter().map(|o| o.verdict).collect();
        let base = Baseline::new(w, plan, &verdicts);
        let mut governs: Vec<Outcome> = plan.boundaries.iter().map(|b| self.governed(b)).collect();
        // What is asked of the network as it is not is judged elsewhere.
        let failed = crate::failure::tests::judge(self, self.intent, as_of);
        let mut tests: Vec<Vec<Outcome>> = Vec::new();
        for (t, test) in plan.tests.iter().enumerate() {
            let each = test.statements.iter().enumerate();
            let each = each.map(|(k, s)| match failed.outcomes.get(&(t, k)) {
                Some(_) => evaluate::holds(),
                None => self.statement(s),
            });
            tests.push(each.collect());
        }
        self.contested(&mut outcomes, &mut governs, &mut tests);
        let mut findings = Vec::new();
        let (unzoned, unzoned_blocks) = self.unzoned(&governs, as_of);
        findings.extend(unzoned);
        findings.extend(self.leak_findings(&outcomes, &governs, &tests, &base, &unzoned_blocks));
        findings.extend(self.miss_findings(&outcomes, &tests));
        findings.extend(self.undecided(&outcomes, &governs, &tests));
        // One finding per cause: what is to blame without a failure needs no second one with it.
        for f in failed.findings {
            let known = findings.iter_mut().find(|o: &&mut Finding| {
                f.code.starts_with("REACH") && o.verdict == f.verdict && place(o) == place(&f)
            });
            match known {
                Some(o) => o.also.extend(f.clause.into_iter().chain(f.also)),
                None => findings.push(f),
            }
        }
        for ((t, k), o) in failed.outcomes {
            if let Some(x) = tests.get_mut(t).and_then(|t| t.get_mut(k)) {
                *x = o;
            }
        }
        findings.extend(lints::all(w, plan, &self.ground.notes));
        findings.sort_by(|a, b| {
            (
                std::cmp::Reverse(a.severity),
                std::cmp::Reverse(a.verdict),
                a.code,
                place(a),
                &a.fingerprint,
            )
                .cmp(&(
                    std::cmp::Reverse(b.severity),
                    std::cmp::Reverse(b.verdict),
                    b.code,
                    place(b),
                    &b.fingerprint,
                ))
        });

        let clauses = self.clause_results(&outcomes, &governs);
        let tests = self.test_results(&tests);
        CheckReport {
            verdict: overall(&findings),
            as_of,
            clauses,
            tests,
            zones: crate::zones::zones(w, plan),
            findings,
            diagnostics,
        }
    }

    /// What becomes of a clause.
    pub(crate) fn clause(&self, i: usize) -> Outcome {
        let (w, plan) = (self.w, self.plan);
        let c = &plan.clauses[i];
        if !c.active || c.claim == Claim::Allow {
            return evaluate::holds();
        }
        let mut o = evaluate::clause(w, c);
        let (from, to) = (w.blocks_of(c.from), w.blocks_of(c.to));
        let vacuous = from.is_empty() || to.is_empty();
        let absence = matches!(
            c.claim,
            Claim::Never | Claim::Only | Claim::Through | Claim::NotThrough
        );
        if !vacuous {
            let both = [from, to.clone()].concat();
            self.temper(&mut o, absence, &both, Some(&to), Some(&c.services));
            if matches!(c.claim, Claim::Through | Claim::NotThrough) {
                self.led_elsewhere(&mut o, &both);
            }
        }
        if c.claim == Claim::Only {
            self.spare(&mut o);
        }
        // What only some may do is about everybody else.
        self.doubt(&mut o, &[c.from, c.to], c.claim == Claim::Only);
        if c.claim == Claim::MustSome && o.verdict == Verdict::Violated {
            // Who is not seen may be the one that can.
            if let Some(why) = self.lost(&[c.from, c.to], false) {
                o.verdict = Verdict::Undecided;
                o.reasons.push(why);
            }
        }
        self.nobody(&mut o, &[c.from, c.to]);
        if !absence {
            self.there(&mut o, &[c.from, c.to]);
        }
        match c.claim {
            Claim::Only => self.cloud(&mut o, &[c.to]),
            _ => self.cloud(&mut o, &[c.from, c.to]),
        }
        if let Some(why) = plan.waypoint_doubts.get(&i) {
            o = Outcome {
                verdict: Verdict::Undecided,
                reasons: vec![why.clone()],
                ..evaluate::holds()
            };
        }
        o
    }

    /// What becomes of the closed world of a boundary.
    pub(crate) fn governed(&self, b: &Boundary) -> Outcome {
        if b.governs.is_empty() {
            return evaluate::holds();
        }
        self.covered(b, evaluate::uncovered(self.w, self.plan, b))
    }

    /// The same where it is known what no clause covers.
    pub(crate) fn covered(&self, b: &Boundary, leaks: Vec<Leak>) -> Outcome {
        let mut o = evaluate::forbid(self.w, leaks);
        self.spare(&mut o);
        let blocks: Vec<u32> = b.governs.iter().flat_map(|&s| self.w.blocks_of(s)).collect();
        // What starts in a governed zone may end in any other.
        self.temper(&mut o, true, &blocks, None, None);
        // Which clause covers a flow depends on every zone, not only on those that are governed.
        let all: Vec<usize> = self.plan.doubts.keys().copied().collect();
        self.doubt(&mut o, &all, true);
        o
    }

    /// What becomes of a statement of a test in this network.
    pub(crate) fn statement(&self, s: &Statement) -> Outcome {
        let w = self.w;
        let mut o = evaluate::statement(w, self.plan, s);
        let (from, to) = (w.blocks_of(s.from), w.blocks_of(s.to));
        self.temper(
            &mut o,
            s.expect == crate::plan::Expect::Cannot,
            &[from, to.clone()].concat(),
            Some(&to),
            Some(&s.services),
        );
        self.doubt(&mut o, &[s.from, s.to], false);
        self.nobody(&mut o, &[s.from, s.to]);
        if s.expect == crate::plan::Expect::Can {
            self.there(&mut o, &[s.from, s.to]);
        }
        self.cloud(&mut o, &[s.from, s.to]);
        o
    }

    /// One finding per cause for what does not hold; what is asked nowhere else is `holds`.
    pub(crate) fn findings(
        &self,
        outcomes: &[Outcome],
        governs: &[Outcome],
        tests: &[Vec<Outcome>],
    ) -> Vec<Finding> {
        // Which required flows hold is asked only where something is to blame.
        let leaks = |o: &Outcome| !o.leaks.is_empty();
        let any = outcomes
            .iter()
            .chain(governs)
            .chain(tests.iter().flatten())
            .any(leaks);
        let verdicts: Vec<Verdict> = match any {
            true => (0..self.plan.clauses.len())
                .map(|i| self.clause(i).verdict)
                .collect(),
            false => Vec::new(),
        };
        let mut base = Baseline::new(self.w, self.plan, &verdicts);
        base.ways_only = self.failed;
        let mut out = self.leak_findings(outcomes, governs, tests, &base, &BTreeSet::new());
        out.extend(self.miss_findings(outcomes, tests));
        out.extend(self.undecided(outcomes, governs, tests));
        out
    }

    /// Says of what is undecided which contested reading it depends on.
    fn contested(&self, outcomes: &mut [Outcome], governs: &mut [Outcome], tests: &mut [Vec<Outcome>]) {
        let plan = self.plan;
        let mut asked: Vec<(Asked<'_>, &mut Outcome)> = Vec::new();
        asked.extend(plan.clauses.iter().map(Asked::Clause).zip(outcomes));
        asked.extend((0..plan.boundaries.len()).map(Asked::Governs).zip(governs));
        for (t, each) in plan.tests.iter().zip(tests) {
            asked.extend(t.statements.iter().map(Asked::Statement).zip(each));
        }
        let services: Vec<ServiceSet> = plan.services().cloned().collect();
        let notes = assumptions::of(self.w.inventory);
        contested::name(self.w.inventory, plan, &services, &notes, &mut asked);
    }

    fn clause_results(&self, outcomes: &[Outcome], governs: &[Outcome]) -> Vec<ClauseResult> {
        let boundary = |b: Option<usize>| {
            b.and_then(|b| self.plan.boundaries.get(b))
                .map(|b| b.name.clone())
        };
        let notes = || self.ground.notes.clone();
        let mut out: Vec<ClauseResult> = self
            .plan
            .clauses
            .iter()
            .zip(outcomes)
            .map(|(c, o)| ClauseResult {
                id: c.id.clone(),
                text: c.text.clone(),
                sentence: c.sentence.clone(),
                boundary: boundary(c.boundary),
                verdict: o.verdict,
                in_force: c.active,
                claims: c.claim != Claim::Allow,
                reasons: o.reasons.clone(),
                assumptions: notes(),
                span: c.span,
            })
            .collect();
        for (b, o) in self
            .plan
            .boundaries
            .iter()
            .zip(governs)
            .filter(|(b, _)| !b.governs.is_empty())
        {
            let zones: Vec<String> = b
                .governs
                .iter()
                .map(|&s| self.plan.set_names[s].clone())
                .collect();
            // An endpoint in no zone is part of what a boundary governs.
            out.push(ClauseResult {
                id: governs_id(&b.name),
                text: format!("governs {}", zones.join(", ")),
                sentence: format!(
                    "Every flow that starts or ends in {} is covered by a clause.",
                    names::list(&zones)
                ),
                boundary: Some(b.name.clone()),
                verdict: o.verdict,
                in_force: true,
                claims: true,
                reasons: o.reasons.clone(),
                assumptions: notes(),
                span: b.span,
            });
        }
        out
    }

    fn test_results(&self, tests: &[Vec<Outcome>]) -> Vec<TestResult> {
        let worst = |v: &[Outcome]| {
            v.iter()
                .map(|o| o.verdict)
                .max_by_key(|v| rank(*v))
                .unwrap_or(Verdict::Holds)
        };
        self.plan
            .tests
            .iter()
            .zip(tests)
            .map(|(t, each)| TestResult {
                name: t.name.clone(),
                verdict: worst(each),
                statements: t
                    .statements
                    .iter()
                    .zip(each)
                    .map(|(s, o)| (s.text.clone(), o.verdict, o.reasons.clone()))
                    .collect(),
                span: t.span,
            })
            .collect()
    }
}

/// The id of the claim that a boundary makes by governing zones.
pub(crate) fn governs_id(boundary: &str) -> String {
    format!("{boundary}/governs")
}

fn place(f: &Finding) -> Option<Span> {
    f.labels.iter().find(|l| l.primary).map(|l| l.span)
}
