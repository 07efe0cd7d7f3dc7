//! Boundaries, clauses, exceptions and tests.

use super::{Name, Resolver, index};
use crate::date::Date;
use crate::format::{clause_text, expectation_text};
use crate::intent::{
    Approval, Boundary, BoundaryId, Clause, DEFAULT_EXPIRY_DAYS, Down, Exception, ExceptionId, SetExpr, Test,
    TestStatement, WaypointRef,
};
use crate::tree::{
    Block, BoundaryItem, ClauseDecl, ExceptionDecl, ExceptionItem, Item, Mode, Stmt, TestItem, Waypoint,
};
use bartizan_base::{Diagnostic, Span};
use bartizan_packet::ServiceSet;
use std::collections::BTreeMap;

/// Where a clause stands.
#[derive(Clone, Copy)]
struct Place {
    boundary: Option<BoundaryId>,
    exception: Option<ExceptionId>,
    included: bool,
}

/// The attributes seen in a block, to find the ones that are written twice.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, Span>);

impl<'t> Resolver<'t> {
    fn once(&mut self, seen: &mut Seen, what: &'static str, span: Span) {
        if let Some(first) = seen.0.insert(what, span) {
            self.report(
                Diagnostic::error("INTENT003", format!("`{what}` is given twice"))
                    .at(span, "given again")
                    .also(first, "first given here")
                    .help("remove one of them"),
            );
        }
    }

    /// Boundaries with their clauses, and clauses outside of any boundary.
    pub(super) fn boundary(&mut self, s: &'t Stmt<Item>, included: bool) {
        let b = match &s.node {
            Item::Boundary(b) => b,
            Item::Clause(c) => {
                self.clause(
                    "",
                    c,
                    s.span,
                    Place {
                        boundary: None,
                        exception: None,
                        included,
                    },
                );
                return;
            }
            _ => return,
        };
        if let Some(&(_, first)) = self.boundaries.get(b.name.text.as_str()) {
            self.duplicate("the boundary", &b.name.text, b.name.span, first);
            return;
        }
        let id = BoundaryId(index(self.intent.boundaries.len()));
        self.boundaries.insert(&b.name.text, (id.index(), b.name.span));
        let mut out = Boundary {
            name: b.name.text.clone(),
            governs: Vec::new(),
            owner: None,
            review_days: None,
            mode: Mode::Enforce,
            expiry_days: DEFAULT_EXPIRY_DAYS,
            approval_roles: Vec::new(),
            included,
            span: s.span,
            name_span: b.name.span,
        };
        for e in &b.governs {
            match self.set(e) {
                None => {}
                Some(set @ (SetExpr::Zone(_) | SetExpr::Env(_) | SetExpr::Everything)) => {
                    out.governs.push(set)
                }
                Some(SetExpr::Union(l))
                    if l.iter()
                        .all(|s| matches!(s, SetExpr::Zone(_) | SetExpr::Env(_) | SetExpr::Everything)) =>
                {
                    out.governs.extend(l);
                }
                Some(_) => self.report(
                    Diagnostic::error("INTENT017", "a boundary governs zones, envs or `everything`")
                        .at(e.span, "none of these")
                        .help("declare a zone for it"),
                ),
            }
        }
        let mut seen = Seen::default();
        for item in &b.body.items {
            match &item.node {
                BoundaryItem::Owner(t) => {
                    self.once(&mut seen, "owner", item.span);
                    out.owner = Some(t.text.clone());
                }
                BoundaryItem::Review(d) => {
                    self.once(&mut seen, "review", item.span);
                    out.review_days = Some(d.days);
                }
                BoundaryItem::Mode(m) => {
                    self.once(&mut seen, "mode", item.span);
                    out.mode = *m;
                }
                BoundaryItem::Expiry(d) => {
                    self.once(&mut seen, "expiry", item.span);
                    out.expiry_days = d.days;
                }
                BoundaryItem::Approval(l) => {
                    self.once(&mut seen, "approval", item.span);
                    out.approval_roles = l.iter().map(|t| t.text.clone()).collect();
                }
                BoundaryItem::Clause(c) => {
                    let place = Place {
                        boundary: Some(id),
                        exception: None,
                        included,
                    };
                    self.clause(&b.name.text, c, item.span, place);
                }
            }
        }
        self.intent.boundaries.push(out);
    }

    /// Exceptions and tests.
    pub(super) fn rest(&mut self, s: &'t Stmt<Item>, included: bool) {
        match &s.node {
            Item::Exception(e) => self.exception(e, s.span, included),
            Item::Test(t) => {
                if let Some(&first) = self.tests.get(t.name.text.as_str()) {
                    self.duplicate("the test", &t.name.text, t.name.span, first);
                    return;
                }
                self.tests.insert(&t.name.text, t.name.span);
                let mut test = Test {
                    name: t.name.text.clone(),
                    statements: Vec::new(),
                    span: s.span,
                };
                self.test_block(&t.body, None, &mut Vec::new(), &mut test);
                self.intent.tests.push(test);
            }
            _ => {}
        }
    }

    fn clause(&mut self, scope: &str, c: &ClauseDecl, span: Span, place: Place) -> Option<usize> {
        let verb = c.verb.id();
        let stem = if scope.is_empty() {
            verb.to_string()
        } else {
            format!("{scope}/{verb}")
        };
        // Numbers count what is written, also what is not understood, so that an error moves no other id.
        let n = self.ids.entry(stem.clone()).or_insert(0);
        *n += 1;
        let id = format!("{stem}-{n}");
        let (from, to) = (self.set(&c.from), self.set(&c.to));
        let (services, tls_required) = if c.services.is_empty() {
            (Some(ServiceSet::any()), false)
        } else {
            self.service_set(&c.services)
        };
        let waypoint = c.waypoint.as_ref().map(|w| match w {
            Waypoint::Name(t) => match self.names.get(t.text.as_str()) {
                Some((Name::Zone(z), _)) => {
                    let z = *z;
                    if let Some(u) = self.intent.used.zones.get_mut(z.index()) {
                        *u = true;
                    }
                    WaypointRef::Zone(z)
                }
                _ => WaypointRef::Named(t.text.clone()),
            },
            Waypoint::Nat(t) => WaypointRef::Nat(t.text.clone()),
            Waypoint::Firewall(t) => WaypointRef::Firewall(t.text.clone()),
            Waypoint::Tf(t) => WaypointRef::Tf(t.text.clone()),
        });
        let texts: Vec<&str> = c.services.iter().map(|t| t.text.as_str()).collect();
        let clause = Clause {
            id,
            kind: c.verb,
            from: from?,
            to: to?,
            services: services?,
            service_text: if texts.is_empty() {
                "any".to_string()
            } else {
                texts.join(", ")
            },
            tls_required,
            waypoint,
            because: c.because.as_ref().map(|t| t.text.clone()),
            boundary: place.boundary,
            exception: place.exception,
            included: place.included,
            text: clause_text(c),
            span,
            from_span: c.from.span,
            to_span: c.to.span,
        };
        self.intent.clauses.push(clause);
        Some(self.intent.clauses.len() - 1)
    }

    fn exception(&mut self, e: &'t ExceptionDecl, span: Span, included: bool) {
        if let Some(&first) = self.exceptions.get(e.id.text.as_str()) {
            self.duplicate("the exception", &e.id.text, e.id.span, first);
            return;
        }
        self.exceptions.insert(&e.id.text, e.id.span);
        let Some(&(boundary, _)) = self.boundaries.get(e.boundary.text.as_str()) else {
            self.unknown(
                "boundary",
                &e.boundary,
                Self::boundary_names,
                "declare it with `boundary NAME { ... }`",
            );
            return;
        };
        let boundary = BoundaryId(index(boundary));
        let id = ExceptionId(index(self.intent.exceptions.len()));
        let mut out = Exception {
            id: e.id.text.clone(),
            boundary,
            clauses: Vec::new(),
            because: None,
            ticket: None,
            owner: None,
            starts: None,
            expires: None,
            approvals: Vec::new(),
            span,
            id_span: e.id.span,
            expires_span: None,
        };
        let mut seen = Seen::default();
        for item in &e.body.items {
            match &item.node {
                ExceptionItem::Clause(c) => {
                    let place = Place {
                        boundary: Some(boundary),
                        exception: Some(id),
                        included,
                    };
                    out.clauses.extend(self.clause(&e.id.text, c, item.span, place));
                }
                ExceptionItem::Because(t) => {
                    self.once(&mut seen, "because", item.span);
                    out.because = Some(t.text.clone());
                }
                ExceptionItem::Ticket(t) => {
                    self.once(&mut seen, "ticket", item.span);
                    out.ticket = Some(t.text.clone());
                }
                ExceptionItem::Owner(t) => {
                    self.once(&mut seen, "owner", item.span);
                    out.owner = Some(t.text.clone());
                }
                ExceptionItem::Starts(t) => {
                    self.once(&mut seen, "starts", item.span);
                    out.starts = self.date(t);
                }
                ExceptionItem::Expires(t) => {
                    self.once(&mut seen, "expires", item.span);
                    out.expires = self.date(t);
                    out.expires_span = Some(t.span);
                }
                ExceptionItem::Approved(l) => out.approvals.extend(l.iter().map(|a| Approval {
                    by: a.by.text.clone(),
                    role: a.role.as_ref().map(|r| r.text.clone()),
                    span: a.by.span,
                })),
            }
        }
        for &i in &out.clauses {
            if let Some(c) = self.intent.clauses.get_mut(i) {
                c.because.clone_from(&out.because);
            }
        }
        self.intent.exceptions.push(out);
    }

    fn test_block(&mut self, b: &Block<TestItem>, as_of: Option<Date>, down: &mut Vec<Down>, out: &mut Test) {
        for s in &b.items {
            match &s.node {
                TestItem::Reach {
                    from,
                    expect,
                    to,
                    services,
                } => {
                    let (from, to) = (self.set(from), self.set(to));
                    let set = if services.is_empty() {
                        Some(ServiceSet::any())
                    } else {
                        self.service_set(services).0
                    };
                    let (Some(from), Some(to), Some(set)) = (from, to, set) else {
                        continue;
                    };
                    let texts: Vec<&str> = services.iter().map(|t| t.text.as_str()).collect();
                    out.statements.push(TestStatement {
                        id: format!("test:{}/{}", out.name, out.statements.len() + 1),
                        from,
                        expect: *expect,
                        to,
                        services: set,
                        service_text: if texts.is_empty() {
                            "any".to_string()
                        } else {
                            texts.join(", ")
                        },
                        as_of,
                        down: down.clone(),
                        text: expectation_text(&s.node),
                        span: s.span,
                    });
                }
                TestItem::Down { targets, body } => {
                    let before = down.len();
                    down.extend(targets.iter().map(|t| Down {
                        kind: t.kind,
                        name: t.name.text.clone(),
                    }));
                    self.test_block(body, as_of, down, out);
                    down.truncate(before);
                }
                TestItem::AsOf { date, body } => {
                    // Without its day the block would ask about another one.
                    if let Some(day) = self.date(date) {
                        self.test_block(body, Some(day), down, out);
                    }
                }
            }
        }
    }
}
