//! Findings in words.

use crate::cause::{Blame, Culprit};
use crate::evaluate::{Leak, Miss};
use crate::names;
use crate::plan::{Claim, Clause, Plan};
use crate::world::World;
use bartizan_base::{Finding, Fix, FixSafety, Label, Severity, Span, Verdict, Witness, fingerprint};
use bartizan_lang::Intent;
use bartizan_model::{AllowPeer, BalancerId, Direction, Fact, InterfaceId, NatId, Typed};
use bartizan_packet::{AtomSet, Proto, ServiceSet};
use bartizan_reach::Point;

/// What a finding is filed under.
pub(crate) struct Subject {
    /// Code.
    pub code: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Severity.
    pub severity: Severity,
    /// Id of the strongest claim.
    pub clause: String,
    /// The claim as written.
    pub clause_text: String,
    /// Where the claim is written.
    pub clause_span: Span,
}

/// A client port for witnesses: the first of the ports that Linux uses.
const CLIENT_PORT: u16 = 32768;

/// Some pair of points of a leak, with the services between them; one that is certain if there is one.
fn pair_of(w: &World<'_>, leak: &Leak) -> Option<(Point, Point, AtomSet)> {
    let mut found = None;
    for r in [&w.sure, &w.may] {
        r.each_pair(leak.from, leak.to, |s, d, f| {
            let x = f.delivered.intersect(&leak.atoms);
            if !x.is_empty() {
                found = Some((s, d, x));
            }
            found.is_none()
        });
        if found.is_some() {
            break;
        }
    }
    found
}

/// The witness of a flow: one packet and its hops.
#[must_use]
pub(crate) fn witness(
    w: &World<'_>,
    plan: &Plan,
    s: Point,
    d: Point,
    services: &ServiceSet,
) -> Option<Witness> {
    let (proto, port) = services.first()?;
    Some(crate::path::witness(w, plan, s, d, proto, CLIENT_PORT, port))
}

/// The witness of something that does not work: with a client port for which it does not.
fn failing(w: &World<'_>, plan: &Plan, m: &Miss) -> Option<Witness> {
    let (proto, port) = w.services(&m.atoms).first()?;
    let at = |client: u16| crate::path::witness(w, plan, m.from, m.to, proto, client, port);
    let fails = |x: &Witness| x.path.iter().chain(&x.reply).any(crate::path::blocks);
    let usual = at(CLIENT_PORT);
    if fails(&usual) || !proto.has_ports() {
        return Some(usual);
    }
    // Entries cut the client ports into a few ranges; their ends are where it can fail.
    let t = &w.inventory.typed;
    let entries = t
        .acls
        .iter()
        .flat_map(|a| [&a.ingress, &a.egress])
        .filter_map(|l| match l {
            bartizan_model::AclList::Entries(e) => Some(e),
            _ => None,
        });
    let mut ports: Vec<u16> = entries
        .flatten()
        .filter_map(|e| e.services.known())
        .flat_map(|s| {
            if proto == Proto::UDP {
                s.udp.ranges().to_vec()
            } else {
                s.tcp.ranges().to_vec()
            }
        })
        .flat_map(|(lo, hi)| [lo.saturating_sub(1), lo, hi, hi.saturating_add(1)])
        .chain([1024, u16::MAX])
        .filter(|p| *p >= 1024)
        .collect();
    ports.sort_unstable();
    ports.dedup();
    Some(ports.into_iter().map(at).find(fails).unwrap_or(usual))
}

fn primary(labels: &mut Vec<Label>, spans: &[(Span, String)]) {
    for (i, (span, text)) in spans.iter().enumerate() {
        labels.push(Label {
            span: *span,
            text: text.clone(),
            primary: i == 0,
        });
    }
}

pub(crate) fn culprit_text(w: &World<'_>, c: &Culprit) -> (String, &'static str) {
    let t = &w.inventory.typed;
    let n = |k: usize, one: &str, many: &str| {
        if k == 1 {
            one.to_string()
        } else {
            format!("{k} {many}")
        }
    };
    match c {
        Culprit::Dnat(s) => (n(s.len(), "a DNAT entry", "DNAT entries"), "delete"),
        Culprit::Ingress(s) => (
            n(
                s.len(),
                "an ingress rule",
                "ingress rules that together let it in",
            ),
            "delete",
        ),
        Culprit::Egress(s) => (
            n(s.len(), "an egress rule", "egress rules that together let it out"),
            "delete",
        ),
        Culprit::Public(s) => {
            let owner = s
                .first()
                .map(|&(i, _)| t[i].meta.origin.address.to_string())
                .unwrap_or_default();
            (format!("a public address of `{owner}`"), "remove")
        }
        Culprit::Routes(s) => (n(s.len(), "a route", "routes"), "delete"),
        Culprit::Allow(s) => (
            n(s.len(), "an entry of an allow list", "entries of an allow list"),
            "take it out of",
        ),
        Culprit::Forwards(s) => (
            n(
                s.len(),
                "a backend of a load balancer",
                "backends of load balancers",
            ),
            "take it out of",
        ),
        Culprit::Filter(s) => (
            n(
                s.len(),
                "an entry of the access list of a listener",
                "entries of access lists of listeners",
            ),
            "take it out of",
        ),
        Culprit::Listeners(s) => (
            n(
                s.len(),
                "a listener of a load balancer",
                "listeners of load balancers",
            ),
            "restrict or delete",
        ),
        Culprit::Policies(s) => (
            n(s.len(), "a policy of a firewall", "policies of firewalls"),
            "delete",
        ),
        Culprit::TrRoutes(s) => (
            n(
                s.len(),
                "a static route of a transit router",
                "static routes of transit routers",
            ),
            "delete",
        ),
        Culprit::VpnRoutes(s) => (
            n(s.len(), "a route of a VPN gateway", "routes of VPN gateways"),
            "delete",
        ),
        Culprit::Connections(s) => (
            n(
                s.len(),
                "what a VPN connection carries",
                "what VPN connections carry",
            ),
            "restrict or delete",
        ),
        Culprit::Learned(_) => (
            "that a table of the transit router learns these routes".to_string(),
            "delete",
        ),
        Culprit::Associated(_) => (
            "that a table of the transit router forwards for this attachment".to_string(),
            "delete",
        ),
        Culprit::Snat(s) => (n(s.len(), "an SNAT entry", "SNAT entries"), "delete"),
        Culprit::Ipv6(_) => ("IPv6 Internet bandwidth".to_string(), "remove"),
        Culprit::Inner(_) => ("`inner_access_policy` Accept".to_string(), "set to Drop on"),
        Culprit::Replies(_) => (
            "that the replies have a way of their own".to_string(),
            "lead the replies through the waypoint by a route in",
        ),
        Culprit::Default(_) => (
            "a default of the security group type".to_string(),
            "close by an explicit drop in",
        ),
    }
}

/// What a listener takes in, and whether its access list keeps anybody out.
fn listener_text(w: &World<'_>, of: Option<(BalancerId, u32)>) -> String {
    let Some((b, n)) = of else { return String::new() };
    let l = &w.inventory.typed[b].listeners[n as usize];
    let services = l
        .services
        .known()
        .map_or_else(|| "services that are not known".to_string(), ToString::to_string);
    match &l.filter {
        Fact::Known(Some(f)) if f.entries.is_empty() => {
            format!("takes in {services} from everybody: its access list has no entries (A-LB-1)")
        }
        Fact::Known(None) => format!("takes in {services}, without an access list"),
        _ => format!("takes in {services}"),
    }
}

fn label_text(w: &World<'_>, c: &Culprit, i: usize, replies: bool) -> String {
    let t = &w.inventory.typed;
    let rule = |id: u32| {
        let r = &t.sg_rules[id as usize];
        let verb = if r.accept.known() == Some(&false) {
            "drops"
        } else {
            "accepts"
        };
        let dir = match r.direction.known() {
            Some(Direction::Egress) => "egress",
            _ => "ingress",
        };
        let svc = r
            .services
            .known()
            .map_or_else(|| "unknown services".to_string(), ToString::to_string);
        format!(
            "{verb} {dir} {svc} {}",
            crate::path::peer_text(w.inventory, &r.peer, dir)
        )
    };
    match c {
        Culprit::Ingress(s) | Culprit::Egress(s) => {
            let many = s.len();
            let text = s.iter().nth(i).map(|&r| rule(r)).unwrap_or_default();
            if many > 1 && i == 0 {
                format!("{text}; one of {many} rules that do it together")
            } else {
                text
            }
        }
        Culprit::Dnat(s) if s.iter().any(|d| is_inner(t, &t.dnat_entries[*d as usize].nat)) => {
            "forwards from a NAT IP".to_string()
        }
        Culprit::Dnat(_) => "forwards from the Internet".to_string(),
        Culprit::Public(_) => "gives it a public address".to_string(),
        Culprit::Routes(_) | Culprit::TrRoutes(_) | Culprit::Learned(_) if replies => {
            "leads the replies another way".to_string()
        }
        Culprit::Routes(_) => "routes it out".to_string(),
        Culprit::Allow(s) => {
            let entry = s.iter().nth(i).map(|&(d, k)| &t[d].allow[k as usize].peer);
            match entry {
                Some(AllowPeer::Net(n)) => format!("admits {n}"),
                Some(AllowPeer::Group(g)) => {
                    format!("admits members of `{}`", t[*g].meta.origin.address)
                }
                Some(AllowPeer::ForeignGroup(id)) => format!("admits members of `{id}`"),
                Some(AllowPeer::Unknown(_)) | None => "admits somebody who is not known".to_string(),
            }
        }
        Culprit::Forwards(_) => "hands it on to this backend".to_string(),
        Culprit::Filter(s) => {
            let entry = s.iter().nth(i).and_then(|&(b, l, k)| {
                let f = t[b].listeners[l as usize].filter.known()?.as_ref()?;
                f.entries.get(k as usize)?.net.known().copied()
            });
            match entry {
                Some(n) => format!("admits {n}"),
                None => "admits somebody who is not known".to_string(),
            }
        }
        Culprit::Listeners(s) => listener_text(w, s.iter().nth(i).copied()),
        Culprit::Policies(_) => "lets it pass the firewall".to_string(),
        Culprit::TrRoutes(_) => "leads it across the transit router".to_string(),
        Culprit::VpnRoutes(_) => "leads it into this VPN connection".to_string(),
        Culprit::Connections(_) => "carries it".to_string(),
        Culprit::Learned(_) => "makes the router know the way".to_string(),
        Culprit::Associated(_) => "lets its packets into this table".to_string(),
        Culprit::Snat(s) if s.iter().any(|d| is_inner(t, &t.snat_entries[*d as usize].nat)) => {
            "translates it to a NAT IP".to_string()
        }
        Culprit::Snat(_) => "translates it to a public address".to_string(),
        Culprit::Ipv6(_) => "opens the Internet to its IPv6 address".to_string(),
        Culprit::Inner(_) => "members of this group reach one another on every port".to_string(),
        Culprit::Replies(_) => "by this table the replies go around it".to_string(),
        Culprit::Default(_) => "no rule of this group forbids it".to_string(),
    }
}

/// Whether an entry is one of a VPC NAT gateway.
fn is_inner(t: &Typed, nat: &Fact<NatId>) -> bool {
    nat.known().is_some_and(|n| t[*n].internet == Fact::Known(false))
}

/// A finding about flows that should not exist. `replies` is the clause with a waypoint that only their replies are
/// against.
#[expect(clippy::too_many_arguments, reason = "the parts of one finding")]
#[must_use]
pub(crate) fn leak(
    w: &World<'_>,
    plan: &Plan,
    intent: &Intent,
    subject: Subject,
    also: Vec<String>,
    leaks: &[Leak],
    flows: &[(String, String, ServiceSet)],
    blame: &Blame,
    verdict: Verdict,
    replies: Option<&Clause>,
    notes: &[String],
) -> Finding {
    let excess = names::boxes(flows);
    let shown = leaks.iter().find_map(|l| pair_of(w, l).map(|p| (l, p)));
    let witness = shown
        .as_ref()
        .and_then(|(_, (s, d, x))| witness(w, plan, *s, *d, &w.services(x)));
    let (from, to, svc) = names::leading(flows).cloned().unwrap_or_default();
    let can = if verdict == Verdict::Violated {
        "can"
    } else {
        "may be able to"
    };
    let rest = match (excess.len(), flows.len()) {
        (0 | 1, _) | (_, 0 | 1) => String::new(),
        (n, _) => format!(" (and {} more)", n - 1),
    };
    let message = match replies.map(|c| c.claim) {
        Some(Claim::Through) => {
            format!("{from} {can} reach {to} on {svc}{rest}, and the replies go around the waypoint")
        }
        Some(_) => format!("{from} {can} reach {to} on {svc}{rest}, and the replies go through the waypoint"),
        None => format!("{from} {can} reach {to} on {svc}{rest}"),
    };
    let origins = blame.culprit.origins(w.inventory);
    let spans: Vec<(Span, String)> = origins
        .iter()
        .enumerate()
        .map(|(i, o)| (o.span, label_text(w, &blame.culprit, i, replies.is_some())))
        .collect();
    let mut labels = Vec::new();
    primary(&mut labels, &spans);
    labels.push(Label::secondary(
        subject.clause_span,
        if subject.clause_text.contains('`') {
            subject.clause_text.clone()
        } else {
            format!("against `{}`", subject.clause_text)
        },
    ));
    let mut more = Vec::new();
    // An exception that covered it and has ended explains itself.
    for c in plan.clauses.iter().filter(|c| !c.active && c.exception.is_some()) {
        let covers = leaks.iter().any(|l| {
            w.in_set(l.from, c.from) && w.in_set(l.to, c.to) && w.atoms(&c.services).intersects(&l.atoms)
        });
        if covers {
            let id = c.exception.clone().unwrap_or_default();
            let e = intent.exceptions.iter().find(|e| e.id == id);
            let when = e
                .and_then(|e| e.expires)
                .map(|d| format!(" on {d}"))
                .unwrap_or_default();
            labels.push(Label::secondary(
                c.span,
                format!("exception {id} allowed it and ended{when}"),
            ));
            more.push(format!("exception {id} ended{when}: renew it or close the path"));
        }
    }
    let (what, verb) = culprit_text(w, &blame.culprit);
    let names: Vec<String> = origins.iter().map(|o| format!("`{}`", o.address)).collect();
    let keep_whole = !blame.narrow && blame.breaks.is_empty() && blame.loses == 0;
    let fix_text = match (&blame.culprit, keep_whole) {
        (Culprit::Allow(_) | Culprit::Filter(_), false) if blame.narrow => {
            format!(
                "narrow what {} admits, so that {from} is not among it",
                names::list(&names)
            )
        }
        (Culprit::Listeners(_), false) if blame.narrow => {
            format!(
                "give {} an access list that leaves {from} out",
                names::list(&names)
            )
        }
        (Culprit::Ingress(s) | Culprit::Egress(s), false) if s.len() == 1 => {
            let rule = &w.inventory.typed.sg_rules[*s.first().unwrap_or(&0) as usize];
            let bad = leaks
                .iter()
                .fold(ServiceSet::empty(), |a, l| a.union(&w.services(&l.atoms)));
            let keep = rule
                .services
                .known()
                .map(|s| s.subtract(&bad))
                .filter(|k| !k.is_empty());
            match keep {
                Some(k) => format!("narrow {} to {k}", names::list(&names)),
                None => format!("narrow the peer of {}", names::list(&names)),
            }
        }
        _ => format!("{verb} {}", names::list(&names)),
    };
    let safe = blame.closes && blame.breaks.is_empty();
    let fix = Fix {
        text: fix_text,
        breaks: blame.breaks.clone(),
        safety: if safe {
            FixSafety::Safe
        } else if blame.closes {
            FixSafety::Unsafe
        } else {
            FixSafety::DisplayOnly
        },
    };
    let layers = witness
        .as_ref()
        .map(|x| crate::path::layers(&x.path))
        .unwrap_or_default();
    let cause: Vec<&str> = origins.iter().map(|o| &*o.address).collect();
    let print = fingerprint(
        [subject.code, &subject.clause]
            .into_iter()
            .chain(cause.iter().copied()),
    );
    more.insert(0, format!("the cause is {what}"));
    if replies.is_some()
        && let Some(x) = &witness
    {
        let mut at: Vec<&str> = x.reply.iter().map(|h| h.at.as_str()).collect();
        at.dedup();
        more.push(format!("the replies pass {}", at.join(" → ")));
    }
    if matches!(blame.culprit, Culprit::Forwards(_)) {
        more.push(
            "a balancer hands it on; where that is meant, allow it from the client to the backend, and demand `through` the balancer"
                .to_string(),
        );
    }
    Finding {
        code: subject.code,
        name: subject.name,
        severity: subject.severity,
        verdict,
        message,
        clause: Some(subject.clause),
        also,
        subject: to,
        witness,
        excess,
        labels,
        layers,
        fix: Some(fix),
        assumptions: notes.to_vec(),
        notes: more,
        fingerprint: print,
    }
}

/// A finding about something required that does not work.
#[expect(clippy::too_many_arguments, reason = "the parts of one finding")]
#[must_use]
pub(crate) fn miss(
    w: &World<'_>,
    plan: &Plan,
    subject: Subject,
    also: Vec<String>,
    misses: &[Miss],
    verdict: Verdict,
    reasons: &[String],
    notes: &[String],
) -> Finding {
    let flows: Vec<(String, String, ServiceSet)> = misses
        .iter()
        .map(|m| {
            let name = |p: Point| names::point(w, plan, p).0;
            (name(m.from), name(m.to), w.services(&m.atoms))
        })
        .collect();
    let excess = names::boxes(&flows);
    let first = misses.first();
    let witness = first.and_then(|m| failing(w, plan, m));
    let (from, to, svc) = flows.first().cloned().unwrap_or_default();
    let reply = subject.code == "REACH008";
    let message = match (verdict, reply) {
        (Verdict::Undecided, _) => format!("it is not certain that {from} can reach {to} on {svc}"),
        (_, true) => format!("{from} reaches {to} on {svc} and the reply is dropped"),
        _ => format!("{from} cannot reach {to} on {svc}"),
    };
    let mut labels = Vec::new();
    let hops = witness.iter().flat_map(|x| x.path.iter().chain(&x.reply));
    let blockers: Vec<_> = hops.filter(|h| crate::path::blocks(h)).cloned().collect();
    for (i, h) in blockers.iter().filter(|h| h.span.is_some()).enumerate() {
        if let Some(span) = h.span {
            labels.push(Label {
                span,
                text: format!("{}: {}", h.layer, h.rule),
                primary: i == 0,
            });
        }
    }
    labels.push(Label {
        span: subject.clause_span,
        text: format!("required by `{}`", subject.clause_text),
        primary: labels.is_empty(),
    });
    let in_reply = |h: &bartizan_base::Hop| {
        witness
            .as_ref()
            .is_some_and(|x| x.reply.iter().any(|r| r == h) && !x.path.iter().any(|r| r == h))
    };
    let fix = blockers.first().map(|h| Fix {
        text: if in_reply(h) {
            format!(
                "let replies to client ports 1024-65535 pass at the {} of `{}`",
                h.layer, h.at
            )
        } else if let Some(before) = circle(witness.as_ref(), h) {
            format!(
                "lead it elsewhere at `{before}`, by another route or another table: what comes there goes back to `{}`",
                h.at
            )
        } else if ["vpn gateway", "border router", "router interface", "site"].contains(&h.layer.as_str()) {
            format!("look at the routes that lead {svc} to `{}`", h.at)
        } else {
            format!("let {} pass at the {} of `{}`", svc, h.layer, h.at)
        },
        breaks: Vec::new(),
        safety: FixSafety::DisplayOnly,
    });
    let layers = witness
        .as_ref()
        .map(|x| crate::path::layers(&x.path.iter().chain(&x.reply).cloned().collect::<Vec<_>>()))
        .unwrap_or_default();
    let at: Vec<&str> = blockers.iter().map(|h| h.at.as_str()).collect();
    let print = fingerprint([subject.code, &subject.clause].into_iter().chain(at));
    Finding {
        code: subject.code,
        name: subject.name,
        severity: subject.severity,
        verdict,
        message,
        clause: Some(subject.clause),
        also,
        subject: to,
        witness,
        excess,
        labels,
        layers,
        fix,
        assumptions: notes.to_vec(),
        notes: reasons.to_vec(),
        fingerprint: print,
    }
}

/// A finding about endpoints in no zone.
#[must_use]
pub(crate) fn unzoned(w: &World<'_>, plan: &Plan, interfaces: &[InterfaceId], flows: Vec<String>) -> Finding {
    let t = &w.inventory.typed;
    let names: Vec<String> = interfaces
        .iter()
        .map(|&i| format!("`{}`", names::interface(w, i)))
        .collect();
    let span = interfaces.first().map(|&i| t[i].meta.origin.span);
    let mut f = crate::lints::lint(
        "REACH006",
        "unzoned-endpoint",
        Severity::Error,
        format!("{} belongs to no zone", names::list(&names)),
        &names.first().cloned().unwrap_or_default(),
        span.into_iter()
            .map(|s| Label::primary(s, "no zone selects it, so no clause speaks of it"))
            .collect(),
    );
    f.excess = flows;
    let zones: Vec<String> = plan.zones.iter().map(|z| z.name.clone()).collect();
    f.fix = Some(Fix {
        text: format!(
            "give it the tags that one of the zones selects ({}), or declare a zone for it",
            zones.join(", ")
        ),
        breaks: Vec::new(),
        safety: FixSafety::DisplayOnly,
    });
    f.notes
        .push("in a governed network an endpoint without a zone may talk to nobody".to_string());
    f
}

/// A finding about claims that could not be decided.
#[must_use]
pub(crate) fn undecided(
    why: &str,
    ids: &[String],
    clause: Span,
    at: Option<(Span, &'static str)>,
) -> Finding {
    let mut labels = Vec::new();
    if let Some((s, what)) = at {
        labels.push(Label::primary(s, what));
    }
    labels.push(Label {
        span: clause,
        text: "cannot be decided".to_string(),
        primary: labels.is_empty(),
    });
    let mut f = crate::lints::lint(
        "REACH007",
        "undecided",
        Severity::Error,
        format!("undecided: {why}"),
        ids.first().map_or("", String::as_str),
        labels,
    );
    f.verdict = Verdict::Undecided;
    f.clause = ids.first().cloned();
    f.also = ids.iter().skip(1).cloned().collect();
    f.notes
        .push("undecided never counts as a pass (exit code 3)".to_string());
    f
}

/// A finding about required flows that no packet can show.
#[must_use]
pub(crate) fn cannot_work(why: &str, ids: &[String], clause: Span) -> Finding {
    let mut f = crate::lints::lint(
        "REACH004",
        "must-violated",
        Severity::Error,
        why.to_string(),
        ids.first().map_or("", String::as_str),
        vec![Label::primary(clause, "does not work")],
    );
    f.verdict = Verdict::Violated;
    f.clause = ids.first().cloned();
    f.also = ids.iter().skip(1).cloned().collect();
    f
}

/// Of a packet that goes in a circle where the route is that leads it back.
fn circle(witness: Option<&bartizan_base::Witness>, h: &bartizan_base::Hop) -> Option<String> {
    let path = &witness.filter(|_| h.rule.ends_with(": it loops"))?.path;
    let at = path.iter().rposition(|x| x == h)?;
    let before = path[..at].iter().rev().find(|x| x.layer == "route");
    before.map(|x| x.at.clone())
}
