//! Lints of clauses: contradictions, clauses that say nothing or nothing new, missing reasons.

use crate::area::{Area, Overlap, Regions, is_part};
use crate::intent::{Clause, Intent, SetExpr};
use crate::tree::Verb;
use bartizan_base::Diagnostic;
use bartizan_packet::ServiceSet;

/// What a clause opens or closes: a box of packets between two sets.
struct Reach<'i> {
    clause: &'i Clause,
    from: Area,
    to: Area,
}

impl Reach<'_> {
    /// The services on which both boxes certainly share a packet.
    fn meets(&self, o: &Reach<'_>) -> Option<ServiceSet> {
        let services = self.clause.services.intersect(&o.clause.services);
        let meet = !services.is_empty()
            && self.from.overlap(&o.from) == Overlap::Yes
            && self.to.overlap(&o.to) == Overlap::Yes;
        meet.then_some(services)
    }

    fn is_within(&self, o: &Reach<'_>) -> bool {
        self.clause.services.is_subset(&o.clause.services)
            && same_or_within(&self.clause.from, &self.from, &o.clause.from, &o.from)
            && same_or_within(&self.clause.to, &self.to, &o.clause.to, &o.to)
    }
}

/// A set is within itself, also where nothing else is known about it.
fn same_or_within(a: &SetExpr, area: &Area, b: &SetExpr, other: &Area) -> bool {
    is_part(a, b) || area.is_within(other)
}

pub(super) fn lint(intent: &Intent, regions: &Regions<'_>, out: &mut Vec<Diagnostic>) {
    let (mut opens, mut closes) = (Vec::new(), Vec::new());
    for clause in &intent.clauses {
        let from = regions.area(&clause.from);
        let to = regions.area(&clause.to);
        vacuous(clause, &from, &to, out);
        match clause.kind {
            Verb::Allow | Verb::Must | Verb::MustSome => opens.push(Reach { clause, from, to }),
            Verb::Only => {
                let others = SetExpr::Except(Box::new(SetExpr::Everything), Box::new(clause.from.clone()));
                closes.push(Reach {
                    clause,
                    from: regions.area(&others),
                    to: to.clone(),
                });
                opens.push(Reach { clause, from, to });
            }
            Verb::Never => closes.push(Reach { clause, from, to }),
            Verb::Through | Verb::NotThrough => {}
        }
        reasons(clause, out);
    }
    contradictions(intent, &opens, &closes, out);
    covered(intent, &opens, out);
    let nevers: Vec<Reach<'_>> = closes
        .into_iter()
        .filter(|c| c.clause.kind == Verb::Never)
        .collect();
    covered(intent, &nevers, out);
}

fn vacuous(c: &Clause, from: &Area, to: &Area, out: &mut Vec<Diagnostic>) {
    for (area, span, side) in [(from, c.from_span, "source"), (to, c.to_span, "destination")] {
        if area.is_empty() {
            out.push(
                Diagnostic::warning("INTENT016", format!("`{}` says something about nothing", c.text))
                    .at(span, format!("the {side} is empty"))
                    .help("remove the clause, or correct the set"),
            );
        }
    }
}

fn reasons(c: &Clause, out: &mut Vec<Diagnostic>) {
    let opens = matches!(c.kind, Verb::Allow | Verb::Must | Verb::MustSome | Verb::Only);
    if c.kind == Verb::Allow && c.services.is_any() {
        out.push(
            Diagnostic::warning("INTENT005", format!("`{}` allows every service", c.text))
                .at(c.span, "has no bound")
                .help("name the services that are needed"),
        );
    }
    // The reason of an exception is demanded with its other parts.
    if opens && c.because.is_none() && c.exception.is_none() {
        out.push(
            Diagnostic::note("INTENT006", format!("`{}` does not say why", c.text))
                .at(c.span, "no reason")
                .help("add `because \"...\"`"),
        );
    }
}

/// A path that one clause opens and another one closes. One diagnostic per opening clause.
fn contradictions(intent: &Intent, opens: &[Reach<'_>], closes: &[Reach<'_>], out: &mut Vec<Diagnostic>) {
    for o in opens {
        let mut hits = closes
            .iter()
            .filter(|c| c.clause.id != o.clause.id)
            .filter_map(|c| o.meets(c).map(|services| (c.clause, services)));
        let Some((close, services)) = hits.next() else {
            continue;
        };
        let what = match o.clause.exception.and_then(|e| intent.exceptions.get(e.index())) {
            Some(e) => format!("exception `{}`", e.id),
            None => format!("`{}`", o.clause.text),
        };
        let mut d = Diagnostic::error("INTENT004", format!("{what} opens what `{}` forbids", close.text))
            .at(o.clause.span, format!("opens {services}"))
            .also(close.span, format!("forbidden by `{}`", close.id));
        d = if close.kind == Verb::Only {
            d.help("add the source to the `only`, or narrow one of the two with `except`")
        } else {
            d.help("narrow one of the two with `except`; a `never` has no exceptions")
        };
        if close.included && !o.clause.included {
            d = d.with_note("the forbidding clause is in an included file, which an includer cannot weaken");
        }
        for (more, _) in hits {
            d = d.with_note(format!("`{}` forbids it too", more.id));
        }
        out.push(d);
    }
}

/// Clauses that add nothing to another clause of the same effect.
fn covered(intent: &Intent, reaches: &[Reach<'_>], out: &mut Vec<Diagnostic>) {
    for (i, r) in reaches.iter().enumerate() {
        // `only` also closes, so it always says something of its own.
        if r.clause.kind == Verb::Only {
            continue;
        }
        // Of two that cover each other the later one is superfluous.
        let by = reaches
            .iter()
            .enumerate()
            .find(|&(j, o)| j != i && covers(intent, o, r) && (j < i || !covers(intent, r, o)));
        if let Some((_, o)) = by {
            out.push(
                Diagnostic::warning(
                    "INTENT011",
                    format!("`{}` is covered by `{}`", r.clause.text, o.clause.text),
                )
                .at(r.clause.span, "adds nothing")
                .also(o.clause.span, format!("`{}` says it already", o.clause.id))
                .help("remove it, or narrow the other one"),
            );
        }
    }
}

/// Whether removing `r` would change nothing as long as `o` stays.
fn covers(intent: &Intent, o: &Reach<'_>, r: &Reach<'_>) -> bool {
    let (a, b) = (r.clause, o.clause);
    let kind = match a.kind {
        Verb::Must | Verb::MustSome => b.kind == Verb::Must || b.kind == a.kind,
        Verb::Only => false,
        _ => true,
    };
    // What ends, and what only observes, does not replace what lasts or enforces.
    let lasting = b.exception.is_none() || a.exception == b.exception;
    let strict = intent.mode_of(b) >= intent.mode_of(a) && (b.tls_required || !a.tls_required);
    kind && lasting && strict && r.is_within(o)
}
