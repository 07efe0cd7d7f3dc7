//! The whole check: clauses, boundaries, zones and tests, and one finding per cause.

use crate::cause::{Baseline, Blame, blame};
use crate::contested::{self, Asked};
use crate::evaluate::{self, Leak, Miss, Outcome};
use crate::explain::{self, Subject};
use crate::ground::{Ground, Lost};
use crate::names;
use crate::plan::{Boundary, Claim, Plan, Statement};
use crate::report::{CheckReport, ClauseResult, TestResult, overall, rank};
use crate::unmodelled::Unmodelled;
use crate::world::World;
use crate::{assumptions, lints};
use bartizan_base::{Diagnostic, Finding, Severity, Span, Verdict};
use bartizan_lang::{Date, Intent};
use bartizan_model::{InterfaceId, Inventory, Readings, VpcId};
use bartizan_packet::ServiceSet;
use std::collections::{BTreeMap, BTreeSet};
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

/// A cause with everything it breaks.
struct Cause {
    blame: Blame,
    against: BTreeSet<Against>,
    leaks: Vec<Leak>,
    sure: bool,
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

    /// The unmodelled things that may carry packets to or from the endpoints of these blocks. Those that packets may only
    /// come from count where a claim is about what arrives `to` whom they reach; `None` is anybody.
    /// `on` are the services that it is about, `None` for all.
    fn touching(&self, blocks: &[u32], to: Option<&[u32]>, on: Option<&ServiceSet>) -> Vec<&Unmodelled> {
        if self.ground.harmless || self.ground.open.is_empty() {
            return Vec::new();
        }
        let t = &self.w.inventory.typed;
        let of = |blocks: &[u32]| -> BTreeSet<InterfaceId> {
            let all = blocks.iter().flat_map(|b| self.w.interfaces_of(*b));
            all.collect()
        };
        let to = to.map(of);
        let vpcs: BTreeSet<VpcId> = of(blocks)
            .iter()
            .filter_map(|i| t[*i].vswitch.known().and_then(|v| t[*v].vpc.known().copied()))
            .collect();
        let hit = |u: &&Unmodelled| match u.to.as_slice() {
            [] => u.vpcs.is_empty() || u.vpcs.iter().any(|v| vpcs.contains(v)),
            there => {
                let heard = u.services.as_ref().zip(on);
                heard.is_none_or(|(a, b)| !a.intersect(b).is_empty())
                    && to.as_ref().is_none_or(|to| there.iter().any(|i| to.contains(i)))
            }
        };
        self.ground.open.iter().filter(hit).collect()
    }

    /// Turns `holds` into `undecided` (absence) or `violated` into `undecided` (presence) where something
    /// that is not modelled may carry the packets.
    fn temper(
        &self,
        o: &mut Outcome,
        absence: bool,
        blocks: &[u32],
        to: Option<&[u32]>,
        on: Option<&ServiceSet>,
    ) {
        // What is required and works may be taken away, and what does not work may be carried all the same.
        let taken = !absence && o.verdict == Verdict::Holds;
        let shaky = if absence {
            Verdict::Holds
        } else {
            Verdict::Violated
        };
        // Cheap questions first.
        if o.verdict != shaky && !taken || self.ground.harmless || self.ground.open.is_empty() {
            return;
        }
        let nobody = |b: &u32| self.w.interfaces_of(*b).is_empty();
        if blocks.iter().all(nobody) {
            return;
        }
        let mut open = self.touching(blocks, to, on);
        open.retain(|u| !taken || u.takes);
        if let Some(first) = open.first() {
            o.verdict = Verdict::Undecided;
            let more = if open.len() > 1 {
                format!(" and {} more", open.len() - 1)
            } else {
                String::new()
            };
            o.reasons.push(if taken {
                format!("`{}`{more} may take packets away: {}", first.address, first.why)
            } else {
                format!(
                    "`{}`{more} may carry packets and is not modelled: {}",
                    first.address, first.why
                )
            });
        }
    }

    /// A way around a waypoint, or by it, is not for certain the one that packets take where something that is not known
    /// may lead them elsewhere.
    fn led_elsewhere(&self, o: &mut Outcome, blocks: &[u32]) {
        if o.verdict != Verdict::Violated {
            return;
        }
        if let Some(first) = self.touching(blocks, None, None).into_iter().find(|u| u.takes) {
            o.verdict = Verdict::Undecided;
            let said = format!("`{}` may lead packets another way: {}", first.address, first.why);
            o.reasons.push(said);
        }
    }

    /// Turns `holds` into `undecided` where it is not certain who is meant, or where some endpoint is; `sets` are the
    /// sides of a claim, `whole` if it is about everybody.
    fn doubt(&self, o: &mut Outcome, sets: &[usize], whole: bool) {
        if o.verdict != Verdict::Holds {
            return;
        }
        let lost = self.lost(sets, whole);
        let unclear = || sets.iter().find_map(|s| self.plan.doubts.get(s).cloned());
        if let Some(why) = lost.or_else(unclear) {
            o.verdict = Verdict::Undecided;
            o.reasons.push(why);
        }
    }

    /// Of which endpoint it is not known where it is, if a claim may depend on it: one that may be meant, or that may carry
    /// packets of others.
    fn lost(&self, sets: &[usize], whole: bool) -> Option<String> {
        let meant = |l: &&Lost| {
            let mut sides = sets.iter().map(|s| &self.w.sets[*s]);
            whole || l.carries || sides.any(|s| l.may_be_in(self.w, s))
        };
        let mut all = self.ground.lost.iter().filter(meant);
        let first = all.next()?;
        let more = match all.count() {
            0 => String::new(),
            n => format!(" and of {n} more"),
        };
        Some(format!(
            "the network of `{}`{more} is not known: its vSwitch or the VPC of it",
            names::interface(self.w, first.interface)
        ))
    }

    /// Flows of endpoints that may be in another zone than it seems violate nothing for certain.
    fn spare(&self, o: &mut Outcome) {
        if self.plan.doubtful.is_empty() || o.leaks.is_empty() {
            return;
        }
        let certain = |b: u32| {
            let all = self.w.interfaces_of(b);
            all.is_empty() || self.w.is_outside(b) || all.iter().any(|i| !self.plan.doubtful.contains(i))
        };
        let before = o.leaks.len();
        o.leaks.retain(|l| certain(l.from) && certain(l.to));
        if o.leaks.is_empty() && before > 0 {
            o.verdict = Verdict::Holds;
        }
    }

    /// A claim about nobody proves nothing while something that is not modelled may be who is meant.
    fn nobody(&self, o: &mut Outcome, sets: &[usize]) {
        let Some(s) = sets.iter().find(|s| self.w.blocks_of(**s).is_empty()) else {
            return;
        };
        let name = &self.plan.set_names[*s];
        // What is required of nobody has nothing that shows it; what is violated by packets stays so.
        let required = o.verdict != Verdict::Holds;
        if required && !(o.reasons.is_empty() && o.leaks.is_empty() && o.misses.is_empty()) {
            return;
        }
        let open = self.ground.open.iter().find(|u| u.to.is_empty());
        match open.filter(|_| !self.ground.harmless) {
            Some(first) => {
                o.verdict = Verdict::Undecided;
                o.reasons.push(format!(
                    "nothing that is modelled is in `{name}`, and `{}` is not modelled: {}",
                    first.address, first.why
                ));
            }
            None if required => {
                let lost = self
                    .lost(&[*s], false)
                    .or_else(|| self.plan.doubts.get(s).cloned());
                if lost.is_some() {
                    o.verdict = Verdict::Undecided;
                }
                let nobody = || format!("nobody here is in `{name}`, so there is nothing that works");
                o.reasons.push(lost.unwrap_or_else(nobody));
            }
            None => {}
        }
    }

    /// What is required of somebody who may not be there is not proved.
    fn there(&self, o: &mut Outcome, sets: &[usize]) {
        if o.verdict != Verdict::Holds {
            return;
        }
        let w = self.w;
        for s in sets {
            let mut missing = None;
            let certain = w.blocks_of(*s).into_iter().any(|b| {
                let mut all = w.may.cells_of(b).flat_map(|c| c.members.iter());
                w.is_outside(b)
                    || all.any(|m| {
                        let meta = &w.inventory.typed[m.iface].meta;
                        let maybe = meta.origin.maybe.as_deref();
                        missing = missing.or(maybe.map(|u| (meta, u)));
                        maybe.is_none()
                    })
            });
            if let (false, Some((meta, u))) = (certain, missing) {
                o.verdict = Verdict::Undecided;
                o.reasons.push(format!(
                    "whether `{}` is there is not known, and nobody else is in `{}`: {}",
                    meta.origin.address, self.plan.set_names[*s], u.why
                ));
            }
        }
    }

    /// §2: where the cloud's own services answer (names, metadata, health checks) somebody is that no configuration shows.
    fn cloud(&self, o: &mut Outcome, sets: &[usize]) {
        if o.verdict != Verdict::Holds {
            return;
        }
        let inside = |s: &&usize| {
            let named = self.w.sets[**s].named().v4;
            named
                .ranges()
                .iter()
                .any(|&(lo, hi)| CLOUD.0 <= lo && hi <= CLOUD.1)
        };
        if let Some(s) = sets.iter().find(inside) {
            o.verdict = Verdict::Undecided;
            o.reasons.push(format!(
                "`{}` is where the cloud's own services answer (100.64.0.0/10), which are not modelled: every instance reaches names and \
                 metadata there",
                self.plan.set_names[*s]
            ));
        }
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

    /// Endpoints in no zone, with whatever they can talk to.
    fn unzoned(&self, governs: &[Outcome], _as_of: Date) -> (Vec<Finding>, BTreeSet<u32>) {
        let blocks: BTreeSet<u32> = self
            .w
            .blocks_of(self.plan.unzoned)
            .into_iter()
            .filter(|&b| !self.w.interfaces_of(b).is_empty())
            .collect();
        if self.plan.boundaries.iter().all(|b| b.governs.is_empty()) || blocks.is_empty() {
            return (Vec::new(), BTreeSet::new());
        }
        let mut interfaces: Vec<_> = blocks.iter().flat_map(|&b| self.w.interfaces_of(b)).collect();
        // Who may be in a zone after all is undecided, which the boundary says.
        interfaces.retain(|i| !self.plan.doubtful.contains(i));
        interfaces.sort_unstable();
        interfaces.dedup();
        let flows: Vec<(String, String, ServiceSet)> = governs
            .iter()
            .flat_map(|o| &o.leaks)
            .filter(|l| blocks.contains(&l.from) || blocks.contains(&l.to))
            .map(|l| self.flow_text(l))
            .collect();
        // One finding per resource, instances of one `count` or `for_each` together.
        let mut by: BTreeMap<Span, Vec<_>> = BTreeMap::new();
        for i in interfaces {
            by.entry(self.w.inventory.typed[i].meta.origin.span)
                .or_default()
                .push(i);
        }
        let found = by
            .into_values()
            .map(|v| explain::unzoned(self.w, self.plan, &v, names::boxes(&flows)));
        (found.collect(), blocks)
    }

    fn flow_text(&self, l: &Leak) -> (String, String, ServiceSet) {
        (
            names::block(self.w, self.plan, l.from),
            names::block(self.w, self.plan, l.to),
            self.w.services(&l.atoms),
        )
    }

    fn leak_findings(
        &self,
        outcomes: &[Outcome],
        governs: &[Outcome],
        tests: &[Vec<Outcome>],
        base: &Baseline,
        unzoned: &BTreeSet<u32>,
    ) -> Vec<Finding> {
        // Every leak once, under the strongest claim it violates; weaker claims are named beside it.
        let mut all: Vec<(Against, &Leak)> = Vec::new();
        for (i, (c, o)) in self.plan.clauses.iter().zip(outcomes).enumerate() {
            let a = match c.claim {
                Claim::Only => Against::Only(i),
                Claim::Through | Claim::NotThrough => Against::Waypoint(i),
                _ => Against::Never(i),
            };
            all.extend(o.leaks.iter().map(|l| (a, l)));
        }
        for (b, o) in governs.iter().enumerate() {
            let mine = o
                .leaks
                .iter()
                .filter(|l| !unzoned.contains(&l.from) && !unzoned.contains(&l.to));
            all.extend(mine.map(|l| (Against::Governs(b), l)));
        }
        for (t, each) in tests.iter().enumerate() {
            for (s, o) in each.iter().enumerate() {
                all.extend(o.leaks.iter().map(|l| (Against::Test(t, s), l)));
            }
        }
        all.sort_by_key(|(a, l)| (*a, l.from, l.to));
        let mut pieces: Vec<(BTreeSet<Against>, Leak)> = Vec::new();
        for (a, l) in all {
            // Cut the leak along what is known of the same pair already.
            let mut rest = l.atoms.clone();
            let mut fresh = Vec::new();
            for (who, p) in pieces
                .iter_mut()
                .filter(|(_, p)| p.from == l.from && p.to == l.to)
            {
                let both = p.atoms.intersect(&rest);
                if both.is_empty() {
                    continue;
                }
                rest.subtract_with(&both);
                if both == p.atoms {
                    who.insert(a);
                } else {
                    p.atoms.subtract_with(&both);
                    let mut w2 = who.clone();
                    w2.insert(a);
                    fresh.push((
                        w2,
                        Leak {
                            from: l.from,
                            to: l.to,
                            atoms: both,
                        },
                    ));
                }
            }
            pieces.extend(fresh);
            if !rest.is_empty() {
                pieces.push((
                    BTreeSet::from([a]),
                    Leak {
                        from: l.from,
                        to: l.to,
                        atoms: rest,
                    },
                ));
            }
        }
        let mut causes: Vec<Cause> = Vec::new();
        for (against, leak) in pieces {
            let around = match against.first() {
                Some(Against::Waypoint(i)) => Some(*i),
                _ => None,
            };
            let b = blame(self.w, self.plan, base, &leak, around);
            // Around a waypoint it is not enough that it arrives.
            let decided = |a: &Against| match a {
                Against::Waypoint(i) => outcomes[*i].verdict == Verdict::Violated,
                _ => true,
            };
            let sure = against.iter().any(decided) && evaluate::is_sure(self.w, &leak);
            match causes.iter_mut().find(|c| c.blame.culprit.same_cause(&b.culprit)) {
                Some(c) => {
                    c.blame.culprit.merge(b.culprit);
                    c.blame.closes &= b.closes;
                    c.blame.narrow |= b.narrow;
                    c.blame.breaks.extend(b.breaks);
                    c.blame.loses = c.blame.loses.max(b.loses);
                    c.against.extend(against);
                    c.leaks.push(leak);
                    c.sure |= sure;
                }
                None => causes.push(Cause {
                    blame: b,
                    against,
                    leaks: vec![leak],
                    sure,
                }),
            }
        }
        causes.into_iter().map(|c| self.cause_finding(c)).collect()
    }

    fn cause_finding(&self, mut c: Cause) -> Finding {
        c.blame.breaks.sort();
        c.blame.breaks.dedup();
        let strongest = c.against.first().copied().unwrap_or(Against::Governs(0));
        let (code, name) = match strongest {
            Against::Never(_) => ("REACH001", "never-violated"),
            Against::Only(_) => ("REACH002", "only-violated"),
            Against::Governs(_) => ("REACH003", "uncovered-path"),
            Against::Waypoint(_) => ("REACH009", "waypoint-bypassed"),
            Against::Test(..) => ("REACH005", "test-failed"),
        };
        let severity = c
            .against
            .iter()
            .map(|a| self.severity(*a))
            .max()
            .unwrap_or(Severity::Error);
        let flows: Vec<(String, String, ServiceSet)> = c.leaks.iter().map(|l| self.flow_text(l)).collect();
        let clause_span = match strongest {
            Against::Never(i) | Against::Only(i) | Against::Waypoint(i) => self.plan.clauses[i].span,
            Against::Governs(b) => self.plan.boundaries[b].span,
            Against::Test(t, s) => self.plan.tests[t].statements[s].span,
        };
        let clause_text = match strongest {
            Against::Never(i) | Against::Only(i) | Against::Waypoint(i) => self.plan.clauses[i].text.clone(),
            Against::Governs(b) => format!("no clause of `{}` covers this", self.plan.boundaries[b].name),
            Against::Test(t, s) => self.plan.tests[t].statements[s].text.clone(),
        };
        let replies = match strongest {
            Against::Waypoint(i) => Some(&self.plan.clauses[i]).filter(|k| {
                c.leaks
                    .iter()
                    .all(|l| crate::waypoint::replies_astray(self.w, k, l).is_some())
            }),
            _ => None,
        };
        explain::leak(
            self.w,
            self.plan,
            self.intent,
            Subject {
                code,
                name,
                severity,
                clause: self.id(strongest),
                clause_text,
                clause_span,
            },
            c.against.iter().skip(1).map(|a| self.id(*a)).collect(),
            &c.leaks,
            &flows,
            &c.blame,
            if c.sure {
                Verdict::Violated
            } else {
                Verdict::Undecided
            },
            replies,
            &self.ground.notes,
        )
    }

    fn miss_findings(&self, outcomes: &[Outcome], tests: &[Vec<Outcome>]) -> Vec<Finding> {
        // What does not work, by the pair of endpoints; a test that asks the same is the same cause.
        struct Broken<'b> {
            ids: Vec<String>,
            severity: Severity,
            span: Span,
            text: String,
            verdict: Verdict,
            misses: &'b [Miss],
            test: bool,
            reasons: &'b [String],
        }
        let mut list: Vec<Broken<'_>> = Vec::new();
        for (c, o) in self.plan.clauses.iter().zip(outcomes) {
            if o.misses.is_empty() {
                continue;
            }
            let severity = evaluate::severity(c.boundary.and_then(|b| self.plan.boundaries.get(b)));
            list.push(Broken {
                ids: vec![c.id.clone()],
                severity,
                span: c.span,
                text: c.text.clone(),
                verdict: o.verdict,
                misses: &o.misses,
                test: false,
                reasons: &o.reasons,
            });
        }
        for (t, each) in self.plan.tests.iter().zip(tests) {
            for (k, (s, o)) in t.statements.iter().zip(each).enumerate() {
                if o.misses.is_empty() {
                    continue;
                }
                let id = format!("test \"{}\" {}", t.name, k + 1);
                let covered = list.iter_mut().find(|b| {
                    o.misses.iter().all(|m| {
                        b.misses
                            .iter()
                            .any(|n| n.from == m.from && n.to == m.to && m.atoms.intersects(&n.atoms))
                    })
                });
                match covered {
                    Some(b) => b.ids.push(id),
                    None => list.push(Broken {
                        ids: vec![id],
                        severity: Severity::Error,
                        span: s.span,
                        text: s.text.clone(),
                        verdict: o.verdict,
                        misses: &o.misses,
                        test: true,
                        reasons: &o.reasons,
                    }),
                }
            }
        }
        list.into_iter()
            .map(|b| {
                let reply = b.misses.iter().all(|m| m.atoms == m.delivered);
                let (code, name) = match (reply, b.test) {
                    (true, _) => ("REACH008", "reply-dropped"),
                    (false, true) => ("REACH005", "test-failed"),
                    (false, false) => ("REACH004", "must-violated"),
                };
                let mut ids = b.ids.into_iter();
                let clause = ids.next().unwrap_or_default();
                explain::miss(
                    self.w,
                    self.plan,
                    Subject {
                        code,
                        name,
                        severity: b.severity,
                        clause,
                        clause_text: b.text,
                        clause_span: b.span,
                    },
                    ids.collect(),
                    b.misses,
                    b.verdict,
                    b.reasons,
                    &self.ground.notes,
                )
            })
            .collect()
    }

    /// Claims that are undecided, or violated, for a reason that is not a packet: one finding per reason.
    fn undecided(&self, outcomes: &[Outcome], governs: &[Outcome], tests: &[Vec<Outcome>]) -> Vec<Finding> {
        let mut by: BTreeMap<(bool, String), (Vec<String>, Span)> = BTreeMap::new();
        let mut add = |id: String, span: Span, o: &Outcome| {
            if o.verdict != Verdict::Holds && o.leaks.is_empty() && o.misses.is_empty() {
                for r in &o.reasons {
                    by.entry((o.verdict == Verdict::Violated, r.clone()))
                        .or_insert_with(|| (Vec::new(), span))
                        .0
                        .push(id.clone());
                }
            }
        };
        for (c, o) in self.plan.clauses.iter().zip(outcomes) {
            add(c.id.clone(), c.span, o);
        }
        for (b, o) in self.plan.boundaries.iter().zip(governs) {
            add(governs_id(&b.name), b.span, o);
        }
        for (t, each) in self.plan.tests.iter().zip(tests) {
            for (k, (s, o)) in t.statements.iter().zip(each).enumerate() {
                add(format!("test \"{}\" {}", t.name, k + 1), s.span, o);
            }
        }
        by.into_iter()
            .map(|((violated, why), (ids, span))| {
                if violated {
                    return explain::cannot_work(&why, &ids, span);
                }
                let named = |address: &str| why.contains(&format!("`{address}`"));
                let open = self.ground.open.iter().find(|u| named(&u.address));
                let place = open.map(|u| (u.span, "not modelled")).or_else(|| {
                    let all = &self.w.inventory.typed.interfaces;
                    let one = all.iter().find(|i| named(&i.meta.origin.address))?;
                    Some((one.meta.origin.span, "this is not known for certain"))
                });
                explain::undecided(&why, &ids, span, place)
            })
            .collect()
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
