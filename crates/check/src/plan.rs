//! The intent, resolved against one inventory and one date: sets by number, services as sets.

use crate::sets::Set;
use bartizan_base::Span;
use bartizan_packet::ServiceSet;

/// What a clause claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Claim {
    /// These flows may exist.
    Allow,
    /// Every pair can, request and reply; these flows may exist.
    Must,
    /// Some pair can, request and reply; these flows may exist.
    MustSome,
    /// These flows may exist, and nobody else may use these services of the destination.
    Only,
    /// No request is delivered.
    Never,
    /// Every path crosses the waypoint.
    Through,
    /// No path crosses the waypoint.
    NotThrough,
}

/// What `through` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waypoint {
    /// Interfaces of a set: appliances.
    Set(usize),
    /// NAT gateways, by position in `Typed::nat_gateways`.
    Nats(Vec<u32>),
    /// Firewalls, by position in `Typed::firewalls`.
    Firewalls(Vec<u32>),
    /// Any of them: a name or pattern that things of several kinds have.
    Any(Vec<Waypoint>),
    /// Something that this version does not model; as written.
    Unsupported(String),
}

/// A clause.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Stable id.
    pub id: String,
    /// As written, on one line.
    pub text: String,
    /// As an English sentence.
    pub sentence: String,
    /// What it claims.
    pub claim: Claim,
    /// Sources: position in [`Plan::sets`].
    pub from: usize,
    /// Destinations.
    pub to: usize,
    /// Services.
    pub services: ServiceSet,
    /// For `through` and `not through`.
    pub waypoint: Option<Waypoint>,
    /// Position in [`Plan::boundaries`]; `None` for a clause outside boundaries.
    pub boundary: Option<usize>,
    /// Id of the exception it belongs to.
    pub exception: Option<String>,
    /// Whether it is in force on the date: an exception that has not begun or has expired is not.
    pub active: bool,
    /// Where it is written.
    pub span: Span,
}

/// How hard a boundary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Findings are notes.
    Observe,
    /// Findings are warnings.
    Warn,
    /// Findings are errors.
    Enforce,
}

/// A boundary.
#[derive(Clone, Debug)]
pub struct Boundary {
    /// Name.
    pub name: String,
    /// Sets whose flows must all be covered.
    pub governs: Vec<usize>,
    /// How hard.
    pub mode: Mode,
    /// Where it is written.
    pub span: Span,
}

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Name.
    pub name: String,
    /// Position in [`Plan::sets`].
    pub set: usize,
    /// Zones that it may share endpoints with, by name.
    pub overlaps: Vec<String>,
    /// Whether an empty zone is an error.
    pub required: bool,
    /// The selector as written.
    pub selector: String,
    /// Where it is written.
    pub span: Span,
}

/// What a test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Request delivered and reply returned, for every pair.
    Can,
    /// No request delivered.
    Cannot,
}

/// One statement of a test.
#[derive(Clone, Debug)]
pub struct Statement {
    /// As written.
    pub text: String,
    /// Sources.
    pub from: usize,
    /// Destinations.
    pub to: usize,
    /// Services.
    pub services: ServiceSet,
    /// Expectation.
    pub expect: Expect,
    /// The clauses in force on the date of `as of`: positions in [`Plan::clauses`]. `None` outside `as of`.
    pub allowed_by: Option<Vec<usize>>,
    /// What is down when it is asked; the question is then about another inventory (docs/decisions/017).
    pub down: Vec<bartizan_lang::Down>,
    /// Where it is written.
    pub span: Span,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Name.
    pub name: String,
    /// Statements.
    pub statements: Vec<Statement>,
    /// Where it is written.
    pub span: Span,
}

/// The intent, resolved.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Sets that the questions name.
    pub sets: Vec<Set>,
    /// A name for people for each set.
    pub set_names: Vec<String>,
    /// Zones.
    pub zones: Vec<Zone>,
    /// Boundaries.
    pub boundaries: Vec<Boundary>,
    /// Clauses, in the order written.
    pub clauses: Vec<Clause>,
    /// Tests.
    pub tests: Vec<Test>,
    /// Position of the set of endpoints in no zone.
    pub unzoned: usize,
    /// Position of the set of public addresses.
    pub outside: usize,
    /// Why it is not certain who is in a set, by its position.
    pub doubts: std::collections::BTreeMap<usize, String>,
    /// Interfaces of which it is not certain in which zones they are.
    pub doubtful: std::collections::BTreeSet<bartizan_model::InterfaceId>,
    /// Why it is not certain what the waypoint of a clause is, by the position of the clause.
    pub waypoint_doubts: std::collections::BTreeMap<usize, String>,
    /// What is decided about contested semantics.
    pub readings: bartizan_model::Readings,
}

impl Plan {
    /// The services that clauses and statements name.
    pub fn services(&self) -> impl Iterator<Item = &ServiceSet> {
        let tests = self.tests.iter().flat_map(|t| &t.statements);
        let clauses = self.clauses.iter().map(|c| &c.services);
        clauses.chain(tests.map(|s| &s.services))
    }

    /// Adds a set under a name, or finds it again.
    pub fn set(&mut self, set: Set, name: &str) -> usize {
        if let Some(i) = self
            .sets
            .iter()
            .zip(&self.set_names)
            .position(|(s, n)| *s == set && n == name)
        {
            return i;
        }
        self.sets.push(set);
        self.set_names.push(name.to_string());
        self.sets.len() - 1
    }
}
