//! On which contested reading an undecided claim depends.
//!
//! A claim is undecided where the two networks disagree. Where that is because of a reading that documents leave open
//! (ALIBABA.md §20), deciding it decides the claim, and the report says so. Each reading that the inventory leans on is
//! tried on its own.

use crate::evaluate::{self, Outcome};
use crate::plan::{Clause, Plan, Statement};
use crate::world::World;
use bartizan_base::Verdict;
use bartizan_model::{ASSUMPTIONS, Inventory, Use};
use bartizan_packet::ServiceSet;

/// Beyond this many interfaces no reading is tried: each costs two more networks.
const MAX_INTERFACES: usize = 2_000;

/// A claim whose verdict may depend on a reading.
pub(crate) enum Asked<'p> {
    Clause(&'p Clause),
    Governs(usize),
    Statement(&'p Statement),
}

impl Asked<'_> {
    fn verdict(&self, w: &World<'_>, plan: &Plan) -> Verdict {
        match self {
            Asked::Clause(c) => evaluate::clause(w, c).verdict,
            Asked::Governs(b) => match plan.boundaries.get(*b) {
                Some(b) => evaluate::forbid(w, evaluate::uncovered(w, plan, b)).verdict,
                None => Verdict::Undecided,
            },
            Asked::Statement(s) => evaluate::statement(w, plan, s).verdict,
        }
    }
}

/// Adds to undecided outcomes which decision would decide them.
pub(crate) fn name<'p>(
    inv: &Inventory,
    plan: &Plan,
    services: &[ServiceSet],
    notes: &[&'static str],
    asked: &mut [(Asked<'p>, &mut Outcome)],
) {
    let open = |o: &Outcome| o.verdict == Verdict::Undecided && !(o.leaks.is_empty() && o.misses.is_empty());
    if inv.typed.interfaces.len() > MAX_INTERFACES || !asked.iter().any(|(_, o)| open(o)) {
        return;
    }
    for (i, a) in ASSUMPTIONS.iter().enumerate() {
        let contested = a.absence != a.presence || a.absence == Use::Either;
        let decided = plan
            .readings
            .overrides()
            .iter()
            .any(|o| o.starts_with(&format!("{}=", a.id)));
        if a.readings.is_empty() || !contested || decided || !notes.contains(&a.id) {
            continue;
        }
        let under = |second: bool| {
            let r = plan.readings.clone();
            let r = if second { r.with_second(i) } else { r.with_first(i) };
            World::new(inv, plan.sets.clone(), services, &r)
        };
        let (first, second) = (under(false), under(true));
        for (q, o) in asked.iter_mut().filter(|(_, o)| open(o)) {
            let said = (q.verdict(&first, plan), q.verdict(&second, plan));
            let text = |v: Verdict| match v {
                Verdict::Holds => "it holds",
                Verdict::Violated => "it is violated",
                Verdict::Undecided => "it stays undecided",
            };
            if said.0 != Verdict::Undecided || said.1 != Verdict::Undecided {
                o.reasons.push(format!(
                    "{}: with `--assume {}={}` {}, with `--assume {}={}` {}",
                    a.question,
                    a.id,
                    a.readings[0].name,
                    text(said.0),
                    a.id,
                    a.readings[1].name,
                    text(said.1)
                ));
            }
        }
    }
}
