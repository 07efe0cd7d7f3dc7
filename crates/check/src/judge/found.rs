//! Findings: one per cause of what is violated, of what does not work, and of what is undecided.

use super::{Against, Judge, governs_id};
use crate::cause::{Baseline, Blame, blame};
use crate::evaluate::{Leak, Miss, Outcome};
use crate::explain::Subject;
use crate::plan::Claim;
use crate::{evaluate, explain, names};
use bartizan_base::{Finding, Severity, Span, Verdict};
use bartizan_lang::Date;
use bartizan_packet::ServiceSet;
use std::collections::{BTreeMap, BTreeSet};

/// A cause with everything it breaks.
struct Cause {
    blame: Blame,
    against: BTreeSet<Against>,
    leaks: Vec<Leak>,
    sure: bool,
}

impl Judge<'_> {
    /// Endpoints in no zone, with whatever they can talk to.
    pub(super) fn unzoned(&self, governs: &[Outcome], _as_of: Date) -> (Vec<Finding>, BTreeSet<u32>) {
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

    pub(super) fn leak_findings(
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

    pub(super) fn miss_findings(&self, outcomes: &[Outcome], tests: &[Vec<Outcome>]) -> Vec<Finding> {
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
    pub(super) fn undecided(
        &self,
        outcomes: &[Outcome],
        governs: &[Outcome],
        tests: &[Vec<Outcome>],
    ) -> Vec<Finding> {
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
}
