//! English sentences.

use super::{clauses_of, services};
use crate::intent::{Clause, Exception, Intent, SetExpr, TestStatement, WaypointRef};
use crate::tree::{DownKind, Expect, Verb};
use bartizan_packet::ServiceSet;

/// `a`, `a or b`, `a, b or c`.
fn join(items: &[String], word: &str) -> String {
    match items.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
    }
}

fn set(intent: &Intent, s: &SetExpr, word: &str) -> String {
    match s {
        SetExpr::Zone(z) => intent.zone_name(*z).to_string(),
        SetExpr::Env(e) => format!("the {} environment", intent.env_name(*e)),
        SetExpr::Cidr(n) if n.prefix_len() == n.max_prefix_len() => format!("the address {}", n.addr()),
        SetExpr::Cidr(n) => format!("the addresses {n}"),
        SetExpr::Everything => "anything".to_string(),
        SetExpr::Outside => "the public Internet".to_string(),
        SetExpr::Unzoned => "the endpoints that are in no zone".to_string(),
        SetExpr::Union(items) => {
            let items: Vec<String> = items.iter().map(|s| set(intent, s, word)).collect();
            join(&items, word)
        }
        SetExpr::Except(a, b) => format!("{} (except {})", set(intent, a, word), set(intent, b, "and")),
    }
}

fn on(c: &Clause) -> String {
    if c.services.is_any() {
        "any service".to_string()
    } else {
        services(c, " (", ")", "TLS required")
    }
}

fn upper(s: &str) -> String {
    let mut chars = s.chars();
    match chars.next() {
        // Names keep their case; only our own words begin a sentence with a capital.
        Some(c) if ["anything", "the ", "every "].iter().any(|w| s.starts_with(w)) => {
            c.to_uppercase().chain(chars).collect()
        }
        _ => s.to_string(),
    }
}

fn because(reason: Option<&str>) -> String {
    reason.map_or(String::new(), |r| {
        format!(" Reason: {}.", r.trim_end_matches('.'))
    })
}

fn waypoint(intent: &Intent, w: Option<&WaypointRef>) -> String {
    match w {
        Some(WaypointRef::Zone(z)) => intent.zone_name(*z).to_string(),
        Some(WaypointRef::Named(n)) => n.clone(),
        Some(WaypointRef::Nat(g)) => format!("a NAT gateway named \"{g}\""),
        Some(WaypointRef::Firewall(g)) => format!("a firewall named \"{g}\""),
        Some(WaypointRef::Tf(g)) => format!("the resource {g}"),
        None => "nothing".to_string(),
    }
}

pub(super) fn clause(intent: &Intent, c: &Clause) -> String {
    let from = |word| set(intent, &c.from, word);
    let to = |word| set(intent, &c.to, word);
    let main = match c.kind {
        Verb::Allow => format!("{} may reach {} on {}.", from("or"), to("or"), on(c)),
        Verb::Must => {
            let on = on(c);
            format!(
                "every endpoint of {} must be able to reach every endpoint of {} on {on}.",
                from("and"),
                to("and")
            )
        }
        Verb::MustSome => {
            let on = on(c);
            format!(
                "at least one endpoint of {} must be able to reach an endpoint of {} on {on}.",
                from("and"),
                to("and")
            )
        }
        Verb::Only => {
            format!(
                "only {} may reach {} on {}; nobody else may.",
                from("or"),
                to("or"),
                on(c)
            )
        }
        Verb::Never => {
            format!(
                "nothing in {} may ever reach {} on {}, and no exception can change that.",
                from("or"),
                to("or"),
                on(c)
            )
        }
        Verb::Through | Verb::NotThrough => {
            let which = if c.services.is_any() {
                String::new()
            } else {
                format!(" on {}", on(c))
            };
            let m = waypoint(intent, c.waypoint.as_ref());
            if c.kind == Verb::Through {
                format!(
                    "every path from {} to {}{which} has to pass through {m}.",
                    from("or"),
                    to("or")
                )
            } else {
                format!(
                    "no path from {} to {}{which} may pass through {m}.",
                    from("or"),
                    to("or")
                )
            }
        }
    };
    let main = match c.kind {
        Verb::Allow => upper(&main),
        _ => {
            let mut chars = main.chars();
            chars
                .next()
                .map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
        }
    };
    format!("{main}{}", because(c.because.as_deref()))
}

pub(super) fn exception(intent: &Intent, e: &Exception) -> String {
    let what: Vec<String> = clauses_of(intent, e)
        .map(|c| {
            format!(
                "{} may reach {} on {}",
                set(intent, &c.from, "or"),
                set(intent, &c.to, "or"),
                on(c)
            )
        })
        .collect();
    let boundary = intent
        .boundaries
        .get(e.boundary.index())
        .map_or("?", |b| b.name.as_str());
    let when = match (e.starts, e.expires) {
        (Some(s), Some(x)) => format!("From {s} through {x}"),
        (None, Some(x)) => format!("Through {x}"),
        (_, None) => "Without an expiry date, and so not in force".to_string(),
    };
    let what = if what.is_empty() {
        "nothing more is allowed".to_string()
    } else {
        what.join("; ")
    };
    let mut out = format!("Exception {} in boundary {boundary}. {when}, {what}.", e.id);
    out.push_str(&because(e.because.as_deref()));
    if let Some(t) = &e.ticket {
        out.push_str(&format!(" Ticket: {t}."));
    }
    if let Some(o) = &e.owner {
        out.push_str(&format!(" Owner: {o}."));
    }
    let approvals: Vec<String> = e
        .approvals
        .iter()
        .map(|a| match &a.role {
            Some(r) => format!("{} ({r})", a.by),
            None => a.by.clone(),
        })
        .collect();
    if !approvals.is_empty() {
        out.push_str(&format!(" Approved by {}.", join(&approvals, "and")));
    }
    out
}

pub(super) fn expectation(intent: &Intent, s: &TestStatement) -> String {
    let mut before = String::new();
    if let Some(d) = s.as_of {
        before.push_str(&format!("on {d}, "));
    }
    if !s.down.is_empty() {
        let down: Vec<String> = s
            .down
            .iter()
            .map(|d| format!("{} {}", down_word(d.kind), d.name))
            .collect();
        before.push_str(&format!("while {} is down, ", join(&down, "and")));
    }
    let on = if s.services == ServiceSet::any() {
        "any service"
    } else {
        &s.service_text
    };
    let verb = match s.expect {
        Expect::Can => "can reach",
        Expect::Cannot => "cannot reach",
    };
    let main = format!(
        "{before}{} {verb} {} on {on}.",
        set(intent, &s.from, "or"),
        set(intent, &s.to, "or")
    );
    if before.is_empty() {
        return upper(&main);
    }
    let mut chars = main.chars();
    chars
        .next()
        .map_or(String::new(), |c| c.to_uppercase().chain(chars).collect())
}

fn down_word(k: DownKind) -> &'static str {
    match k {
        DownKind::Vpn => "VPN connection",
        DownKind::Vbr => "virtual border router",
        DownKind::Cen => "CEN attachment",
        DownKind::Tr => "transit router attachment",
        DownKind::Peering => "VPC peering",
        DownKind::Nat => "NAT gateway",
        DownKind::Lb => "load balancer",
        DownKind::Ecs => "ECS instance",
        DownKind::Eni => "network interface",
        DownKind::Vswitch => "vSwitch",
        DownKind::Az => "availability zone",
        DownKind::Tf => "resource",
    }
}
