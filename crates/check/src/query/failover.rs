//! What breaks and what leaks when one thing fails.

use super::Frame;
use crate::evaluate::{self, Outcome};
use crate::failure::tests::{Left, gone};
use crate::failure::{Thing, down, everything};
use crate::judge::Judge;
use crate::plan::Claim;
use bartizan_base::{Finding, Span, Verdict};
use bartizan_lang::Date;

/// What a failure does to a clause that holds in the intact network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// A forbidden path exists.
    Leaks,
    /// A path avoids (or takes) a waypoint.
    Bypassed,
    /// Something required does not work.
    Breaks,
    /// It is not certain any more.
    Undecided,
}

impl Effect {
    /// In one word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Effect::Leaks => "leaks",
            Effect::Bypassed => "bypassed",
            Effect::Breaks => "breaks",
            Effect::Undecided => "undecided",
        }
    }
}

/// A clause that does not hold under a failure and does without.
#[derive(Clone, Debug)]
pub struct Affected {
    /// What happens to it.
    pub effect: Effect,
    /// Its id.
    pub id: String,
    /// As written.
    pub text: String,
    /// Where it is written.
    pub span: Span,
    /// Who can reach whom, or cannot.
    pub says: String,
    /// The path of an example packet; empty where none arrives.
    pub path: Vec<String>,
    /// Where what leads there is written; of what breaks, what stops what is left.
    pub at: Option<Span>,
    /// What that does, in words.
    pub what: Option<String>,
}

/// One failure.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The kind of thing in words.
    pub kind: &'static str,
    /// What is down: a Terraform address or the id of a zone.
    pub name: String,
    /// Where it is written.
    pub span: Option<Span>,
    /// What changes, worst first.
    pub affected: Vec<Affected>,
}

/// Every single failure.
#[derive(Clone, Debug)]
pub struct Failover {
    /// In the order of kinds, then as written.
    pub failures: Vec<Failure>,
    /// Clauses that hold in the intact network, and all that are in force.
    pub holding: (usize, usize),
    /// The clauses that do not hold in the intact network, which failures say nothing about.
    pub before: Vec<String>,
}

impl Failover {
    /// Whether some failure has an effect.
    #[must_use]
    pub fn any(&self, effect: Effect) -> bool {
        self.failures
            .iter()
            .any(|f| f.affected.iter().any(|a| a.effect == effect))
    }
}

/// Takes everything down that can fail, one at a time, and judges the intent each time from the beginning.
///
/// `each` is told how many of how many are done. Cost: one check per failure.
#[must_use]
pub fn failover(f: &Frame<'_>, as_of: Date, mut each: impl FnMut(usize, usize)) -> Failover {
    let services: Vec<_> = f.plan.services().cloned().collect();
    let w = f.world(&[], &services);
    let intact = Judge::new(&w, &f.plan, f.intent);
    let clauses: Vec<Outcome> = (0..f.plan.clauses.len()).map(|i| intact.clause(i)).collect();
    let governs: Vec<Outcome> = f.plan.boundaries.iter().map(|b| intact.governed(b)).collect();
    let holds = |o: &Outcome| o.verdict == Verdict::Holds;
    let asked = |i: usize| f.plan.clauses[i].active && f.plan.clauses[i].claim != Claim::Allow;
    let closed = |b: usize| !f.plan.boundaries[b].governs.is_empty();
    let ids = (0..clauses.len())
        .filter(|i| asked(*i))
        .map(|i| (f.plan.clauses[i].id.clone(), holds(&clauses[i])))
        .chain((0..governs.len()).filter(|b| closed(*b)).map(|b| {
            (
                format!("{}/governs", f.plan.boundaries[b].name),
                holds(&governs[b]),
            )
        }));
    let ids: Vec<(String, bool)> = ids.collect();
    let things = everything(f.inventory);
    let mut failures = Vec::new();
    for (n, thing) in things.iter().enumerate() {
        each(n, things.len());
        let left = Left::new(
            down(f.inventory, std::slice::from_ref(thing)),
            f.intent,
            as_of,
            &f.plan,
        );
        failures.push(Failure {
            kind: thing.kind(f.inventory),
            name: thing.name(f.inventory),
            span: thing.meta(f.inventory).map(|m| m.origin.span),
            affected: affected(f, &intact, &left, thing, (&clauses, &governs)),
        });
    }
    Failover {
        failures,
        holding: (ids.iter().filter(|i| i.1).count(), ids.len()),
        before: ids.into_iter().filter(|i| !i.1).map(|i| i.0).collect(),
    }
}

fn affected(
    f: &Frame<'_>,
    intact: &Judge<'_>,
    left: &Left,
    thing: &Thing,
    (clauses, governs): (&[Outcome], &[Outcome]),
) -> Vec<Affected> {
    let w = left.world();
    let plan = &left.plan;
    let judge = Judge::new(&w, plan, f.intent).of_the_rest();
    let none = |n: usize| -> Vec<Outcome> { (0..n).map(|_| evaluate::holds()).collect() };
    let mut out = Vec::new();
    let mut add = |effect, id: String, text: String, span, finding: Option<&Finding>, why: Option<String>| {
        let witness = finding.and_then(|f| f.witness.as_ref());
        let label = finding.and_then(|f| f.labels.iter().find(|l| l.primary));
        out.push(Affected {
            effect,
            id,
            text,
            span,
            says: why
                .or_else(|| finding.map(|f| f.message.clone()))
                .unwrap_or_default(),
            path: witness.map_or_else(Vec::new, |w| w.path.iter().map(|h| h.at.clone()).collect()),
            at: label.map(|l| l.span).filter(|s| *s != span),
            what: label.filter(|l| l.span != span).map(|l| l.text.clone()),
        });
    };
    for (i, (before, c)) in clauses.iter().zip(&plan.clauses).enumerate() {
        if before.verdict != Verdict::Holds || !c.active || c.claim == Claim::Allow {
            continue;
        }
        let required = matches!(c.claim, Claim::Must | Claim::MustSome);
        let was = &f.plan.clauses[i];
        let sides = [(was.from, c.from), (was.to, c.to)];
        let nobody = gone((intact.w, intact.plan), (&w, plan), sides).filter(|_| required);
        if let Some(who) = nobody {
            let why = format!("nobody of `{who}` is left without {}", thing.name(f.inventory));
            add(
                Effect::Breaks,
                c.id.clone(),
                c.text.clone(),
                c.span,
                None,
                Some(why),
            );
            continue;
        }
        let o = judge.clause(i);
        let effect = match (o.verdict, c.claim) {
            (Verdict::Holds, _) => continue,
            (Verdict::Undecided, _) => Effect::Undecided,
            (Verdict::Violated, _) if required => Effect::Breaks,
            (Verdict::Violated, Claim::Through | Claim::NotThrough) => Effect::Bypassed,
            (Verdict::Violated, _) => Effect::Leaks,
        };
        let mut all = none(plan.clauses.len());
        all[i] = o;
        let found = judge.findings(&all, &none(plan.boundaries.len()), &[]);
        add(effect, c.id.clone(), c.text.clone(), c.span, found.first(), None);
    }
    for (i, (before, b)) in governs.iter().zip(&plan.boundaries).enumerate() {
        if before.verdict != Verdict::Holds || b.governs.is_empty() {
            continue;
        }
        let o = judge.governed(b);
        let effect = match o.verdict {
            Verdict::Holds => continue,
            Verdict::Undecided => Effect::Undecided,
            Verdict::Violated => Effect::Leaks,
        };
        let mut all = none(plan.boundaries.len());
        all[i] = o;
        let found = judge.findings(&none(plan.clauses.len()), &all, &[]);
        let id = format!("{}/governs", b.name);
        add(effect, id, "governs".to_string(), b.span, found.first(), None);
    }
    out.sort_by_key(|a| a.effect);
    out
}
