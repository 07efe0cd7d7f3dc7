//! An intent that stays evaluated while its network changes (docs/decisions/019, items 13 to 16).
//!
//! After a change only the clauses are evaluated again that it can have touched. What happens for certain is asked
//! only of what is required or leaks, so that network is brought up to date when it is asked.

use crate::evaluate::{self, Outcome};
use crate::ground::Ground;
use crate::judge::{CheckOptions, Judge, governs_id};
use crate::plan::{Claim, Plan};
use crate::sets::Set;
use crate::world::{BySignature, Engine, Shown, Signature, World, options};
use bartizan_base::Verdict;
use bartizan_lang::{Date, Intent};
use bartizan_model::{AddressSpec, Fact, Inventory, Unknown};
use bartizan_packet::{AtomSet, ServiceSet};
use bartizan_reach::{Affected, Change, Live, Mode, Standing, compile};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which clauses and boundaries a change made to be evaluated again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recheck {
    /// Positions in [`Plan::clauses`].
    pub clauses: Vec<usize>,
    /// Positions in [`Plan::boundaries`].
    pub boundaries: Vec<usize>,
    /// The pairs of blocks that changed, where nothing was built again.
    pub pairs: usize,
    /// Why everything was built and evaluated again, if it was.
    pub rebuilt: Option<&'static str>,
}

/// The blocks that a clause is about.
struct Scope {
    from: Vec<bool>,
    to: Vec<bool>,
}

impl Scope {
    fn hit(&self, a: &Affected) -> bool {
        a.pairs
            .iter()
            .any(|&(x, y)| self.from[x as usize] && self.to[y as usize])
    }
    fn near(&self, a: &Affected) -> bool {
        a.blocks
            .iter()
            .any(|&b| self.from[b as usize] || self.to[b as usize])
    }
}

/// The closed world of a boundary.
struct Closed {
    governed: Vec<bool>,
    uncovered: BTreeMap<(u32, u32), AtomSet>,
    outcome: Outcome,
}

/// An intent, evaluated against an inventory that changes.
///
/// Its verdicts are always those that a check of the inventory as it is would give to clauses and boundaries.
pub struct Watch<'i> {
    intent: &'i Intent,
    as_of: Date,
    opt: CheckOptions,
    plan: Plan,
    sets: Arc<[Set]>,
    signatures: Arc<[Signature]>,
    part: BySignature,
    may: Live,
    /// Asked point by point, so that its pairs of blocks are not kept.
    sure: Standing,
    /// Changes that `sure` has not seen yet.
    pending: Vec<Change>,
    ground: Arc<Ground>,
    /// Whether the groups of an interface count for the sets that it is in.
    by_groups: bool,
    scopes: Vec<Scope>,
    clauses: Vec<Outcome>,
    closed: Vec<Closed>,
    shown: Arc<Shown>,
    /// The leak by which a clause is violated for certain, by its blocks, where that was seen after the clause was
    /// evaluated.
    shown_by: Vec<Option<(u32, u32)>>,
}

/// The verdicts of all clauses and boundaries of an intent, as [`crate::check`] gives them, without findings.
#[must_use]
pub fn verdicts(inv: &Inventory, intent: &Intent, as_of: Date, opt: &CheckOptions) -> Vec<(String, Verdict)> {
    let (inv, _) = crate::links::with_links(inv, intent);
    let inv = &inv;
    let (mut plan, _) = crate::adapt::plan(intent, inv, as_of);
    plan.readings = opt.readings.clone();
    let services: Vec<ServiceSet> = plan.services().cloned().collect();
    let w = World::new(inv, plan.sets.clone(), &services, &plan.readings);
    let judge = Judge::new(&w, &plan, intent);
    let clauses = plan.clauses.iter().enumerate();
    let clauses = clauses.map(|(i, c)| (c.id.clone(), judge.clause(i).verdict));
    let bounds = plan.boundaries.iter().filter(|b| !b.governs.is_empty());
    let bounds = bounds.map(|b| (governs_id(&b.name), judge.governed(b).verdict));
    clauses.chain(bounds).collect()
}

impl<'i> Watch<'i> {
    /// Builds both networks and evaluates everything.
    #[must_use]
    pub fn new(inv: &Inventory, intent: &'i Intent, as_of: Date, opt: &CheckOptions) -> Self {
        let (inv, _) = crate::links::with_links(inv, intent);
        Watch::linked(inv.clone(), intent, as_of, opt.clone())
    }

    /// As [`Watch::new`] for an inventory that holds the links of the intent.
    fn linked(inv: Inventory, intent: &'i Intent, as_of: Date, opt: CheckOptions) -> Self {
        let (mut plan, _) = crate::adapt::plan(intent, &inv, as_of);
        plan.readings = opt.readings.clone();
        let services: Vec<ServiceSet> = plan.services().cloned().collect();
        let sets: Arc<[Set]> = plan.sets.clone().into();
        let options = options(&sets, &services, &plan.readings);
        let (part, signatures) = {
            let may = compile(&inv, Mode::Widen, &options);
            let sure = compile(&inv, Mode::Narrow, &options);
            BySignature::new(sets.clone(), &[&may, &sure])
        };
        let by_groups = counts_groups(&inv, intent, as_of, &plan);
        let may = Live::new(inv.clone(), Mode::Widen, options.clone(), Box::new(part.clone()));
        let sure = Standing::new(inv, Mode::Narrow, options, Box::new(part.clone()));
        let ground = {
            let w = view((&may, &sure), &sets, &signatures, &Arc::default());
            Arc::new(Ground::new(&w, &plan))
        };
        let mut watch = Watch {
            intent,
            as_of,
            opt,
            plan,
            sets,
            signatures,
            part,
            may,
            sure,
            pending: Vec::new(),
            ground,
            by_groups,
            scopes: Vec::new(),
            clauses: Vec::new(),
            closed: Vec::new(),
            shown: Arc::default(),
            shown_by: Vec::new(),
        };
        watch.everything();
        watch
    }

    /// The intent as it is resolved.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The inventory as it is now, with the links of the intent.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        self.may.inventory()
    }

    /// What became of a clause.
    #[must_use]
    pub fn clause(&self, i: usize) -> Option<&Outcome> {
        self.clauses.get(i)
    }

    /// The verdicts of clauses, and of boundaries that govern something.
    #[must_use]
    pub fn verdicts(&self) -> Vec<(String, Verdict)> {
        let clauses = self.plan.clauses.iter().zip(&self.clauses);
        let bounds = self.plan.boundaries.iter().zip(&self.closed);
        let bounds = bounds.filter(|(b, _)| !b.governs.is_empty());
        clauses
            .map(|(c, o)| (c.id.clone(), o.verdict))
            .chain(bounds.map(|(b, c)| (governs_id(&b.name), c.outcome.verdict)))
            .collect()
    }

    /// Applies a change and evaluates again what it can have touched.
    pub fn apply(&mut self, change: &Change) -> Recheck {
        if self.moves(change) {
            let mut inv = self.inventory().clone();
            change.apply(&mut inv);
            return self.begin_again(inv, "who is in a zone may be others");
        }
        let affected = self.may.apply(change);
        self.pending.push(change.clone());
        match affected.rebuilt {
            Some(why) => self.again(why),
            None => self.partly(&affected),
        }
    }

    /// Whether a change may move an endpoint from one set to another.
    fn moves(&self, change: &Change) -> bool {
        match change {
            Change::SetGroups(..) => self.by_groups,
            Change::SetAddress(i, n, ip) => {
                let all = &self.inventory().typed.interfaces;
                let address = all.get(i.index()).and_then(|x| x.addresses.get(*n as usize));
                match address.map(|a| &a.spec) {
                    Some(AddressSpec::Ip(old)) => self.part.moves(*i, *old, *ip),
                    Some(_) => true,
                    None => false,
                }
            }
            _ => false,
        }
    }

    fn begin_again(&mut self, inv: Inventory, why: &'static str) -> Recheck {
        *self = Watch::linked(inv, self.intent, self.as_of, self.opt.clone());
        self.all(why)
    }

    fn all(&self, why: &'static str) -> Recheck {
        Recheck {
            clauses: (0..self.clauses.len()).collect(),
            boundaries: (0..self.closed.len()).collect(),
            pairs: 0,
            rebuilt: Some(why),
        }
    }

    /// The network of what may happen was built again.
    fn again(&mut self, why: &'static str) -> Recheck {
        self.catch_up();
        // Endpoints whose address is not known may be elsewhere now.
        if !self.part.knows(self.may.reach().network()) || !self.part.knows(self.sure.reach().network()) {
            return self.begin_again(self.inventory().clone(), why);
        }
        self.everything();
        self.all(why)
    }

    /// Brings what happens for certain up to date; says whether the other network is as it was.
    fn catch_up(&mut self) -> bool {
        let mut built = false;
        for c in std::mem::take(&mut self.pending) {
            built |= self.sure.apply(&c).is_some();
        }
        // Both have to tell the same services apart.
        let same = |a: &Live, b: &Standing| a.reach().network().atoms == b.reach().network().atoms;
        if !same(&self.may, &self.sure) {
            self.sure.build_again();
            if !same(&self.may, &self.sure) {
                self.may.build_again();
            }
            return false;
        }
        !built
    }

    /// Evaluates everything.
    fn everything(&mut self) {
        let w = view((&self.may, &self.sure), &self.sets, &self.signatures, &self.shown);
        self.ground = Arc::new(Ground::new(&w, &self.plan));
        let judge = Judge::on(self.ground.clone(), &w, &self.plan, self.intent);
        let plan = &self.plan;
        self.clauses = (0..plan.clauses.len()).map(|i| judge.clause(i)).collect();
        self.shown_by = vec![None; plan.clauses.len()];
        let inside = |set| -> Vec<bool> { (0..w.blocks()).map(|b| w.in_set(b, set)).collect() };
        let scope = |c: &crate::plan::Clause| {
            let mut from = inside(c.from);
            if c.claim == Claim::Only {
                from.iter_mut().for_each(|x| *x = !*x);
            }
            Scope {
                from,
                to: inside(c.to),
            }
        };
        self.scopes = plan.clauses.iter().map(scope).collect();
        let closed = |b: &crate::plan::Boundary| {
            let leaks = match b.governs.is_empty() {
                true => Vec::new(),
                false => evaluate::uncovered(&w, plan, b),
            };
            let uncovered = leaks.iter().map(|l| ((l.from, l.to), l.atoms.clone()));
            Closed {
                governed: evaluate::governed(&w, plan, b),
                uncovered: uncovered.collect(),
                outcome: match b.governs.is_empty() {
                    true => evaluate::holds(),
                    false => judge.covered(b, leaks),
                },
            }
        };
        self.closed = plan.boundaries.iter().map(closed).collect();
    }

    /// Evaluates again what a change can have touched.
    fn partly(&mut self, affected: &Affected) -> Recheck {
        let (clauses, shaken, boundaries, sure) = {
            let w = view((&self.may, &self.sure), &self.sets, &self.signatures, &self.shown);
            let plan = &self.plan;
            let mut sure = false;
            let mut clauses = Vec::new();
            let mut shaken = Vec::new();
            for (i, (c, s)) in plan.clauses.iter().zip(&self.scopes).enumerate() {
                if !c.active || c.claim == Claim::Allow {
                    continue;
                }
                let forbids = matches!(c.claim, Claim::Never | Claim::Only);
                // What leaks is as it was; whether it does for certain may be otherwise.
                if forbids && !s.hit(affected) {
                    if !self.clauses[i].leaks.is_empty() && s.near(affected) {
                        shaken.push(i);
                        sure = true;
                    }
                    continue;
                }
                // Of what is required replies and ways count.
                if forbids || s.hit(affected) || s.near(affected) {
                    clauses.push(i);
                    sure |= !forbids || leaks(&w, s, &w.atoms(&c.services));
                }
            }
            let mut boundaries = Vec::new();
            for (n, (b, c)) in plan.boundaries.iter().zip(&mut self.closed).enumerate() {
                if b.governs.is_empty() {
                    continue;
                }
                let mut changed = false;
                for &(x, y) in &affected.pairs {
                    if !c.governed[x as usize] && !c.governed[y as usize] {
                        continue;
                    }
                    let now = evaluate::uncovered_between(&w, plan, x, y).map(|l| l.atoms);
                    let before = match &now {
                        Some(a) => c.uncovered.insert((x, y), a.clone()),
                        None => c.uncovered.remove(&(x, y)),
                    };
                    changed |= before != now;
                }
                let near = |(x, y): &(u32, u32)| affected.blocks.iter().any(|b| b == x || b == y);
                if changed || c.uncovered.keys().any(near) {
                    boundaries.push(n);
                    sure |= !c.uncovered.is_empty();
                }
            }
            (clauses, shaken, boundaries, sure)
        };
        if sure && !self.catch_up() {
            return self.again("what happens for certain was built again");
        }
        let w = view((&self.may, &self.sure), &self.sets, &self.signatures, &self.shown);
        let judge = Judge::on(self.ground.clone(), &w, &self.plan, self.intent);
        for &i in &clauses {
            self.clauses[i] = judge.clause(i);
            self.shown_by[i] = None;
        }
        // A flow between blocks at which nothing was changed is as it was.
        let far = |b: u32| affected.blocks.binary_search(&b).is_err();
        for &i in &shaken {
            if self.shown_by[i].is_some_and(|(a, b)| far(a) && far(b)) {
                continue;
            }
            let was = &self.clauses[i];
            let mut leaks = was.leaks.iter().filter(|_| was.verdict == Verdict::Violated);
            self.shown_by[i] = leaks.find(|l| evaluate::is_shown(&w, l)).map(|l| (l.from, l.to));
            if self.shown_by[i].is_none() {
                self.clauses[i] = judge.clause(i);
            }
        }
        let clauses = [clauses, shaken].concat();
        for &n in &boundaries {
            let c = &mut self.closed[n];
            let leaks = c.uncovered.iter().map(|(&(from, to), atoms)| evaluate::Leak {
                from,
                to,
                atoms: atoms.clone(),
            });
            c.outcome = judge.covered(&self.plan.boundaries[n], leaks.collect());
        }
        Recheck {
            clauses,
            boundaries,
            pairs: affected.pairs.len(),
            rebuilt: None,
        }
    }
}

/// Whether anything of some services gets from one side of a scope to the other.
fn leaks(w: &World<'_>, s: &Scope, atoms: &AtomSet) -> bool {
    let all = |side: &[bool]| -> Vec<u32> {
        let blocks = (0u32..).zip(side).filter(|(_, x)| **x);
        blocks.map(|(b, _)| b).collect()
    };
    let to = all(&s.to);
    let mut from = all(&s.from).into_iter();
    from.any(|a| to.iter().any(|&b| w.may.delivered(a, b).intersects(atoms)))
}

fn view<'w>(
    (may, sure): (&'w Live, &'w Standing),
    sets: &Arc<[Set]>,
    signatures: &Arc<[Signature]>,
    shown: &Arc<Shown>,
) -> World<'w> {
    World {
        inventory: may.inventory(),
        sets: sets.clone(),
        signatures: signatures.clone(),
        may: Engine::Lent(may.reach()),
        sure: Engine::Lent(sure.reach()),
        shown: shown.clone(),
    }
}

/// Whether the groups of interfaces count for who is in a set: the intent is resolved once more as if no groups were
/// known, and then somebody else is in it or it is not certain who is.
fn counts_groups(inv: &Inventory, intent: &Intent, as_of: Date, plan: &Plan) -> bool {
    let mut blind = inv.clone();
    for i in &mut blind.typed.interfaces {
        i.groups = Fact::Unknown(Unknown::new("not looked at"));
    }
    let (seen, _) = crate::adapt::plan(intent, &blind, as_of);
    seen.sets != plan.sets
        || seen.doubts != plan.doubts
        || seen.doubtful != plan.doubtful
        || seen.waypoint_doubts != plan.waypoint_doubts
}
