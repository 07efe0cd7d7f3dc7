//! Statements of tests under `with down`: each is asked of what is left.

use super::{down, find, text};
use crate::evaluate::{self, Outcome};
use crate::explain;
use crate::judge::Judge;
use crate::plan::{Expect, Plan, Statement};
use crate::world::World;
use bartizan_base::{Finding, Verdict};
use bartizan_lang::{Date, Down, Intent};
use bartizan_model::Inventory;
use bartizan_packet::ServiceSet;
use std::collections::BTreeMap;

/// What became of the statements under failures, by test and statement.
pub(crate) struct Failed {
    /// Without the flows: those are flows of another network.
    pub(crate) outcomes: BTreeMap<(usize, usize), Outcome>,
    pub(crate) findings: Vec<Finding>,
}

/// What is left, with the intent resolved against it.
pub(crate) struct Left {
    pub(crate) inventory: Inventory,
    pub(crate) plan: Plan,
    services: Vec<ServiceSet>,
}

impl Left {
    pub(crate) fn new(inventory: Inventory, intent: &Intent, as_of: Date, like: &Plan) -> Self {
        let (mut plan, _) = crate::adapt::plan(intent, &inventory, as_of);
        plan.readings = like.readings.clone();
        let services = plan.services().cloned().collect();
        Left {
            inventory,
            plan,
            services,
        }
    }
    pub(crate) fn world(&self) -> World<'_> {
        let sets = self.plan.sets.clone();
        World::new(&self.inventory, sets, &self.services, &self.plan.readings)
    }
}

/// The side of a claim of which nobody is left, if somebody was there before.
pub(crate) fn gone(
    before: (&World<'_>, &Plan),
    after: (&World<'_>, &Plan),
    sides: [(usize, usize); 2],
) -> Option<String> {
    let empty = |w: &World<'_>, set: usize| w.blocks_of(set).is_empty();
    sides
        .into_iter()
        .find(|(b, a)| !empty(before.0, *b) && empty(after.0, *a))
        .map(|(_, a)| after.1.set_names.get(a).cloned().unwrap_or_default())
}

/// What is down, and what is asked then: test, statement.
type Group<'a> = (&'a [Down], Vec<(usize, usize, &'a Statement)>);

/// Judges every statement that is under a failure.
pub(crate) fn judge(intact: &Judge<'_>, intent: &Intent, as_of: Date) -> Failed {
    let mut out = Failed {
        outcomes: BTreeMap::new(),
        findings: Vec::new(),
    };
    // Statements under the same failure share one network.
    let mut by: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for (t, test) in intact.plan.tests.iter().enumerate() {
        for (k, s) in test
            .statements
            .iter()
            .enumerate()
            .filter(|(_, s)| !s.down.is_empty())
        {
            let group = by.entry(text(&s.down)).or_insert_with(|| (&s.down, Vec::new()));
            group.1.push((t, k, s));
        }
    }
    for (failure, (what, statements)) in by {
        let things: Result<Vec<_>, String> = what.iter().map(|d| find(intact.w.inventory, d)).collect();
        match things {
            Ok(things) => {
                let left = down(intact.w.inventory, &things.concat());
                let left = Left::new(left, intent, as_of, intact.plan);
                of_one(intact, intent, &failure, &left, &statements, &mut out);
            }
            Err(why) => {
                let ids: Vec<String> = statements
                    .iter()
                    .map(|(t, k, _)| id(intact.plan, *t, *k))
                    .collect();
                let span = statements[0].2.span;
                out.findings.push(explain::undecided(&why, &ids, span, None));
                for (t, k, _) in statements {
                    out.outcomes.insert((t, k), Outcome::undecided(why.clone()));
                }
            }
        }
    }
    out
}

fn id(plan: &Plan, t: usize, k: usize) -> String {
    format!("test \"{}\" {}", plan.tests[t].name, k + 1)
}

fn of_one(
    intact: &Judge<'_>,
    intent: &Intent,
    failure: &str,
    left: &Left,
    statements: &[(usize, usize, &Statement)],
    out: &mut Failed,
) {
    let w = left.world();
    let judge = Judge::new(&w, &left.plan, intent).of_the_rest();
    let mut tests: Vec<Vec<Outcome>> = left
        .plan
        .tests
        .iter()
        .map(|t| t.statements.iter().map(|_| evaluate::holds()).collect())
        .collect();
    for &(t, k, before) in statements {
        let Some(s) = left.plan.tests.get(t).and_then(|x| x.statements.get(k)) else {
            continue;
        };
        let sides = [(before.from, s.from), (before.to, s.to)];
        let nobody = gone((intact.w, intact.plan), (&w, &left.plan), sides);
        let o = match nobody.filter(|_| s.expect == Expect::Can) {
            Some(who) => {
                let why = format!("nobody of `{who}` is left with {failure} down");
                let mut f = explain::undecided(&why, &[id(&left.plan, t, k)], s.span, None);
                f.verdict = Verdict::Violated;
                (f.code, f.name) = ("REACH005", "test-failed");
                f.message = why.clone();
                f.notes.clear();
                out.findings.push(f);
                let mut o = Outcome::undecided(why);
                o.verdict = Verdict::Violated;
                o
            }
            None => {
                let o = judge.statement(s);
                tests[t][k] = o.clone();
                Outcome {
                    leaks: Vec::new(),
                    misses: Vec::new(),
                    ..o
                }
            }
        };
        out.outcomes.insert((t, k), o);
    }
    let none = |n: usize| -> Vec<Outcome> { (0..n).map(|_| evaluate::holds()).collect() };
    let (clauses, governs) = (none(left.plan.clauses.len()), none(left.plan.boundaries.len()));
    let mut found = judge.findings(&clauses, &governs, &tests);
    for f in &mut found {
        f.notes.push(format!("with {failure} down"));
    }
    out.findings.extend(found);
}
