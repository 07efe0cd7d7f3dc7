//! What is worth saying about an inventory and an intent together, whatever the verdicts.

use crate::plan::{Plan, Waypoint};
use crate::world::World;
use bartizan_base::{Finding, Fix, FixSafety, Label, Severity, Verdict, fingerprint};
use bartizan_model::{Fact, NextHop};
use bartizan_reach::{RuleRef, Shadow, ShadowKind, dead_references, describe, shadowed};

/// All lints, in no particular order.
#[must_use]
pub(crate) fn all(w: &World<'_>, plan: &Plan, _notes: &[String]) -> Vec<Finding> {
    let mut out = Vec::new();
    out.extend(overlaps(w, plan));
    out.extend(empty(w, plan));
    out.extend(shadowed(w.inventory).iter().map(|s| shadow(w, s)));
    out.extend(dead(w));
    out.extend(dropped(w));
    out.extend(nowhere(w, plan));
    out
}

/// Routes to interfaces that drop what is not their own.
fn dropped(w: &World<'_>) -> Vec<Finding> {
    let t = &w.inventory.typed;
    let mut out = Vec::new();
    for r in &t.route_entries {
        for h in &r.next_hops {
            let NextHop::Interface(i) = h else { continue };
            if t[*i].source_dest_check != Fact::Known(Some(true)) {
                continue;
            }
            let to = &t[*i].meta.origin;
            out.push(lint(
                "ROUTE001",
                "appliance-drops",
                Severity::Warning,
                format!(
                    "`{}` routes to `{}`, which drops what is not its own",
                    r.origin.address, to.address
                ),
                &r.origin.address,
                vec![
                    Label::primary(r.origin.span, "routes to it"),
                    Label::secondary(to.span, "its source/destination check is on"),
                ],
            ));
        }
    }
    out
}

fn is_nothing(w: &World<'_>, at: &Waypoint) -> bool {
    match at {
        Waypoint::Nats(v) | Waypoint::Firewalls(v) => v.is_empty(),
        // Addresses on the Internet are a waypoint too: those of a proxy.
        Waypoint::Set(s) => {
            let inspectors = &w.inventory.typed.inspectors;
            let is_one = inspectors
                .iter()
                .any(|x| crate::waypoint::place(w, *s, x.interface).0);
            !is_one && w.blocks_of(*s).is_empty()
        }
        Waypoint::Any(all) => all.iter().all(|at| is_nothing(w, at)),
        Waypoint::Unsupported(_) => false,
    }
}

/// Waypoints that match nothing: a path avoids them all.
fn nowhere(w: &World<'_>, plan: &Plan) -> Vec<Finding> {
    let mut out = Vec::new();
    for (n, c) in plan.clauses.iter().enumerate() {
        let empty = c.waypoint.as_ref().is_some_and(|at| is_nothing(w, at));
        if empty && !plan.waypoint_doubts.contains_key(&n) {
            out.push(lint(
                "INTENT009",
                "empty-selector",
                Severity::Warning,
                format!("the waypoint of `{}` matches nothing in this inventory", c.text),
                &c.id,
                vec![Label::primary(c.span, "nothing can pass through it")],
            ));
        }
    }
    out
}

/// A finding that is about the intent or the configuration and not about a packet.
pub(crate) fn lint(
    code: &'static str,
    name: &'static str,
    severity: Severity,
    message: String,
    subject: &str,
    labels: Vec<Label>,
) -> Finding {
    Finding {
        code,
        name,
        severity,
        verdict: if severity == Severity::Error {
            Verdict::Violated
        } else {
            Verdict::Holds
        },
        fingerprint: fingerprint([code, subject, &message]),
        message,
        clause: None,
        also: Vec::new(),
        subject: subject.to_string(),
        witness: None,
        excess: Vec::new(),
        labels,
        layers: Vec::new(),
        fix: None,
        assumptions: Vec::new(),
        notes: Vec::new(),
    }
}

/// Endpoints in two zones that are not declared to overlap.
fn overlaps(w: &World<'_>, plan: &Plan) -> Vec<Finding> {
    let mut out = Vec::new();
    for (i, a) in plan.zones.iter().enumerate() {
        for b in plan.zones.iter().skip(i + 1) {
            if a.overlaps.contains(&b.name) || b.overlaps.contains(&a.name) {
                continue;
            }
            let Some(shared) = (0..w.blocks()).find(|&x| w.in_set(x, a.set) && w.in_set(x, b.set)) else {
                continue;
            };
            let who = w.interfaces_of(shared).first().map_or_else(
                || {
                    w.may
                        .outside_of(shared)
                        .first()
                        .map(|ip| ip.to_string())
                        .unwrap_or_default()
                },
                |&f| crate::names::interface(w, f),
            );
            let mut f = lint(
                "INTENT008",
                "zones-overlap",
                Severity::Error,
                format!("`{who}` is in zone `{}` and in zone `{}`", a.name, b.name),
                &a.name,
                vec![
                    Label::primary(a.span, "selected here"),
                    Label::secondary(
                        b.span,
                        "and here; a clause about one zone would silently speak of the other",
                    ),
                ],
            );
            f.notes.push(format!(
                "narrow one selector, or say `{{ overlaps {} }}` after zone `{}` if it is meant",
                b.name, a.name
            ));
            out.push(f);
        }
    }
    out
}

/// Deciding rules that are shown in a finding; more are counted.
const MAX_SHOWN: usize = 3;

/// A rule that can never decide anything.
fn shadow(w: &World<'_>, s: &Shadow) -> Finding {
    let (code, name) = match s.rule {
        RuleRef::Acl(..) => ("ACL001", "shadowed-acl-entry"),
        RuleRef::Firewall(..) => ("CFW001", "shadowed-firewall-policy"),
        _ => ("SG001", "shadowed-rule"),
    };
    let (text, origin) = describe(w.inventory, s.rule);
    let at = origin.as_ref().map(|o| o.address.to_string()).unwrap_or_default();
    // Superfluous is untidy; to ask for something and not get it is a mistake.
    let severity = if s.contradicted {
        Severity::Warning
    } else {
        Severity::Note
    };
    let why = match (s.kind, s.contradicted) {
        (ShadowKind::Duplicate, _) => "the same rule is written before it",
        (ShadowKind::Shadowed, true) => "stronger rules match all that it does, and not all of them agree",
        (ShadowKind::Shadowed, false) => "stronger rules match all that it does",
    };
    let mut labels: Vec<Label> = origin
        .iter()
        .map(|o| Label::primary(o.span, text.clone()))
        .collect();
    for &r in s.by.iter().take(MAX_SHOWN) {
        let (text, origin) = describe(w.inventory, r);
        labels.extend(origin.map(|o| Label::secondary(o.span, format!("decides before it: {text}"))));
    }
    let message = format!("`{at}` can never decide anything: {why}");
    // The text tells several rules of one resource apart.
    let subject = format!("{at}: {text}");
    let mut f = lint(code, name, severity, message, &subject, labels);
    f.subject = at;
    if s.by.len() > MAX_SHOWN {
        f.notes.push(format!("{} rules decide in its place", s.by.len()));
    }
    f.fix = Some(Fix {
        text: if s.contradicted {
            "move it before the rules that decide, or delete it".to_string()
        } else {
            "delete it; nothing changes".to_string()
        },
        breaks: Vec::new(),
        safety: if s.contradicted {
            FixSafety::DisplayOnly
        } else {
            FixSafety::Safe
        },
    });
    f
}

/// Rules that name a group of another VPC.
fn dead(w: &World<'_>) -> Vec<Finding> {
    let t = &w.inventory.typed;
    dead_references(w.inventory)
        .into_iter()
        .map(|d| {
            let (text, _) = describe(w.inventory, RuleRef::Sg(d.rule));
            let origin = &t.sg_rules[d.rule as usize].origin;
            let names = &t[d.names].meta.origin;
            let mut f = lint(
                "SG002",
                "dead-cross-vpc-reference",
                Severity::Warning,
                format!(
                    "`{}` matches nothing: `{}` is in another VPC",
                    origin.address, names.address
                ),
                &format!("{}: {text}", origin.address),
                vec![
                    Label::primary(origin.span, text),
                    Label::secondary(t[d.group].meta.origin.span, "in one VPC"),
                    Label::secondary(names.span, "in another"),
                ],
            );
            f.subject = origin.address.to_string();
            f.notes
                .push("a reference to a security group matches members in the same VPC only".to_string());
            f.fix = Some(Fix {
                text: "name the addresses of the other VPC instead, or delete the rule".to_string(),
                breaks: Vec::new(),
                safety: FixSafety::DisplayOnly,
            });
            f
        })
        .collect()
}

/// Zones that match nothing.
fn empty(w: &World<'_>, plan: &Plan) -> Vec<Finding> {
    plan.zones
        .iter()
        .filter(|z| w.blocks_of(z.set).is_empty())
        // Who may be in it is another question, and claims about it are undecided.
        .filter(|z| !plan.doubts.contains_key(&z.set) && w.lost().is_empty())
        .filter(|z| !matches!(w.sets[z.set], crate::Set::Ips(_)))
        .map(|z| {
            let severity = if z.required {
                Severity::Error
            } else {
                Severity::Warning
            };
            let mut f = lint(
                "INTENT009",
                "empty-selector",
                severity,
                format!("zone `{}` matches nothing in this inventory", z.name),
                &z.name,
                vec![Label::primary(z.span, "no endpoint is selected here")],
            );
            f.notes
                .push("what is forbidden to it holds because there is nobody to break it; that it reaches anything is not proved".to_string());
            f
        })
        .collect()
}
