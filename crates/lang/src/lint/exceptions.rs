//! Lints of exceptions: parts that are missing, ends that are near, approvals.

use super::SOON_DAYS;
use crate::date::Date;
use crate::intent::{Exception, Intent};
use bartizan_base::Diagnostic;

pub(super) fn lint(intent: &Intent, as_of: Date, out: &mut Vec<Diagnostic>) {
    for e in &intent.exceptions {
        incomplete(e, out);
        expiry(intent, e, as_of, out);
        approvals(intent, e, out);
    }
}

fn incomplete(e: &Exception, out: &mut Vec<Diagnostic>) {
    let parts = [
        (
            "an owner",
            "`owner NAME`",
            e.owner.as_deref().unwrap_or("").is_empty(),
        ),
        (
            "a reason",
            "`because \"...\"`",
            e.because.as_deref().unwrap_or("").is_empty(),
        ),
        (
            "a ticket",
            "`ticket ID`",
            e.ticket.as_deref().unwrap_or("").is_empty(),
        ),
        // A date that is there and malformed has been reported where it is written.
        (
            "an expiry",
            "`expires 2027-01-31`",
            e.expires.is_none() && e.expires_span.is_none(),
        ),
        ("an `allow`", "`allow A -> B : SERVICE`", e.clauses.is_empty()),
    ];
    let missing: Vec<&(&str, &str, bool)> = parts.iter().filter(|p| p.2).collect();
    if missing.is_empty() {
        return;
    }
    let words = |i: usize| {
        let words: Vec<&str> = missing.iter().map(|p| if i == 0 { p.0 } else { p.1 }).collect();
        words.join(", ")
    };
    out.push(
        Diagnostic::error("INTENT014", format!("exception `{}` lacks {}", e.id, words(0)))
            .at(e.id_span, "incomplete")
            .help(format!("add {}", words(1))),
    );
}

fn expiry(intent: &Intent, e: &Exception, as_of: Date, out: &mut Vec<Diagnostic>) {
    let Some(expires) = e.expires else { return };
    let span = e.expires_span.unwrap_or(e.id_span);
    let left = as_of.days_until(expires);
    if left < 0 {
        out.push(
            Diagnostic::warning("INTENT012", format!("exception `{}` expired on {expires}", e.id))
                .at(span, format!("{} before {as_of}", days(-left)))
                .help("remove it, or agree on a new date and have it approved again"),
        );
    } else if left <= SOON_DAYS {
        out.push(
            Diagnostic::warning("INTENT013", format!("exception `{}` expires on {expires}", e.id))
                .at(span, format!("{} after {as_of}", days(left)))
                .help("what it allows is a violation on the day after"),
        );
    }
    let Some(b) = intent.boundaries.get(e.boundary.index()) else {
        return;
    };
    // Without a first day it runs since some day before, so what is left is the least that it lasts.
    let lasts = e.starts.map_or(left, |s| s.days_until(expires));
    if e.starts.is_some_and(|s| s > expires) {
        out.push(
            Diagnostic::error("INTENT014", format!("exception `{}` ends before it starts", e.id))
                .at(span, "before its first day")
                .help("correct `starts` or `expires`"),
        );
    } else if lasts > i64::from(b.expiry_days) {
        let limit = days(i64::from(b.expiry_days));
        out.push(
            Diagnostic::error(
                "INTENT014",
                format!("exception `{}` lasts longer than {limit}", e.id),
            )
            .at(
                span,
                format!("{} from {}", days(lasts), e.starts.unwrap_or(as_of)),
            )
            .also(b.name_span, format!("boundary `{}` allows {limit}", b.name))
            .help("choose an earlier day, or make a clause of it if it is to stay"),
        );
    }
}

fn days(n: i64) -> String {
    if n == 1 {
        "1 day".to_string()
    } else {
        format!("{n} days")
    }
}

fn approvals(intent: &Intent, e: &Exception, out: &mut Vec<Diagnostic>) {
    let roles = intent
        .boundaries
        .get(e.boundary.index())
        .map_or(&[][..], |b| &b.approval_roles);
    for role in roles {
        if !e.approvals.iter().any(|a| a.role.as_ref() == Some(role)) {
            out.push(
                Diagnostic::error(
                    "INTENT014",
                    format!("exception `{}` lacks the approval of `{role}`", e.id),
                )
                .at(e.id_span, "not approved")
                .help(format!("add `approved by NAME ({role})`")),
            );
        }
    }
    for a in &e.approvals {
        if e.owner.as_ref() == Some(&a.by) {
            out.push(
                Diagnostic::error(
                    "INTENT014",
                    format!("`{}` approves an exception of their own", a.by),
                )
                .at(a.span, "the owner")
                .help("somebody else has to approve"),
            );
        }
    }
    // Signatures are not read yet, so no approval has one.
    if let Some(first) = e.approvals.first() {
        out.push(
            Diagnostic::note(
                "INTENT015",
                format!("the approvals of exception `{}` are not signed", e.id),
            )
            .at(first.span, "a name, not a signature"),
        );
    }
}
