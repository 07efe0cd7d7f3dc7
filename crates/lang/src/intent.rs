//! The checked meaning of an intent: names looked up, values parsed, clauses numbered.

use crate::date::Date;
use crate::tree::{DownKind, Expect, LinkKind, Mode, ResourceKind, Verb};
use bartizan_base::Span;
use bartizan_packet::ServiceSet;
use ipnet::IpNet;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
        impl $name {
            /// The position in the list of the intent.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// Index into [`Intent::zones`].
    ZoneId;
    /// Index into [`Intent::envs`].
    EnvId;
    /// Index into [`Intent::boundaries`].
    BoundaryId;
    /// Index into [`Intent::exceptions`].
    ExceptionId;
}

/// A whole intent: what all of its files say together.
///
/// INVARIANT (ids in range): every id that occurs in an intent made by [`crate::resolve`] is a position of
/// the list that it indexes.
#[derive(Clone, Debug, Default)]
pub struct Intent {
    /// What it is about; the first file that says so.
    pub network: Option<String>,
    /// Zones in the order they are declared.
    pub zones: Vec<Zone>,
    /// Envs in the order they are declared; an env refers only to earlier ones.
    pub envs: Vec<Env>,
    /// Links to networks that are not in the cloud, in order.
    pub links: Vec<Link>,
    /// Links that lead to one site.
    pub sites: Vec<LinkedSite>,
    /// Links whose sites have no way to one another: positions in [`Intent::links`].
    pub apart: Vec<Vec<usize>>,
    /// Declared services in order; predefined ones are not listed.
    pub services: Vec<Service>,
    /// Boundaries in order.
    pub boundaries: Vec<Boundary>,
    /// Every clause: of boundaries, of exceptions and of files, in order.
    pub clauses: Vec<Clause>,
    /// Exceptions in order.
    pub exceptions: Vec<Exception>,
    /// Tests in order.
    pub tests: Vec<Test>,
    /// Declared names that something refers to, for the lint of unused ones.
    pub(crate) used: Used,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Used {
    pub(crate) zones: Vec<bool>,
    pub(crate) envs: Vec<bool>,
    pub(crate) services: Vec<bool>,
}

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub selector: Selector,
    /// The classes of data it holds.
    pub data: Vec<String>,
    /// Whether matching nothing is an error.
    pub required: bool,
    /// Zones that may share endpoints with it; symmetric, ascending, without itself.
    pub overlaps: Vec<ZoneId>,
    /// The declaration.
    pub span: Span,
    /// The name in the declaration.
    pub name_span: Span,
}

/// A part of the estate.
#[derive(Clone, Debug)]
pub struct Env {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub selector: Selector,
    /// The declaration.
    pub span: Span,
    /// The name in the declaration.
    pub name_span: Span,
}

/// A link to a network that is not in the cloud.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// The kind of link.
    pub kind: LinkKind,
    /// The name of its resource, a pattern.
    pub resource: String,
    /// The networks behind it; host bits are cleared.
    pub networks: Vec<IpNet>,
    /// The routes that it announces, where that is said.
    pub learned: Option<Vec<IpNet>>,
    /// Whether it is said that it does not lead to the Internet.
    pub no_internet: bool,
    /// The declaration.
    pub span: Span,
    /// The name in the declaration.
    pub name_span: Span,
}

/// Links that lead to one site, which forwards between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedSite {
    /// Its name.
    pub name: String,
    /// Positions in [`Intent::links`].
    pub links: Vec<usize>,
    /// The declaration.
    pub span: Span,
}

/// A declared service.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What it is.
    pub set: ServiceSet,
    /// Whether it has to be encrypted.
    pub tls_required: bool,
    /// The declaration.
    pub span: Span,
    /// The name in the declaration.
    pub name_span: Span,
}

/// What picks endpoints out of an inventory: a boolean tree.
#[derive(Clone, Debug)]
pub struct Selector {
    /// What it is.
    pub kind: SelectorKind,
    /// Where it is written.
    pub span: Span,
}

/// The forms of [`Selector`]. Patterns are those of [`crate::glob_match`].
#[derive(Clone, Debug)]
pub enum SelectorKind {
    /// All endpoints and `outside`.
    Everything,
    /// All public addresses that the inventory does not own.
    Outside,
    /// Endpoints with this tag.
    Tag {
        /// The key, exact.
        key: String,
        /// A pattern for the value.
        value: String,
    },
    /// Endpoints that are of, or belong to, a resource of a kind.
    Resource {
        /// The kind.
        of: ResourceKind,
        /// A pattern for its name or id; none: all of the kind.
        glob: Option<String>,
    },
    /// Endpoints of resources of any kind with this name.
    Name(String),
    /// Endpoints of resources with this Terraform address.
    Tf(String),
    /// Addresses; host bits are cleared.
    Cidr(IpNet),
    /// Endpoints of an env.
    In(EnvId),
    /// What is reached over a link.
    Via {
        /// The kind of link.
        link: LinkKind,
        /// Its name, a pattern.
        name: String,
    },
    /// In all of them; never empty.
    All(Vec<Selector>),
    /// In one of them; never empty.
    AnyOf(Vec<Selector>),
    /// In the first and in none of the others.
    Except(Box<Selector>, Vec<Selector>),
}

/// A set of endpoints in a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetExpr {
    /// A zone.
    Zone(ZoneId),
    /// An env.
    Env(EnvId),
    /// Addresses; host bits are cleared.
    Cidr(IpNet),
    /// All endpoints and `outside`.
    Everything,
    /// All public addresses that the inventory does not own.
    Outside,
    /// The endpoints that are in no zone.
    Unzoned,
    /// In one of them; never empty.
    Union(Vec<SetExpr>),
    /// In the first and not in the second.
    Except(Box<SetExpr>, Box<SetExpr>),
}

/// A boundary.
#[derive(Clone, Debug)]
pub struct Boundary {
    /// Its name.
    pub name: String,
    /// Zones, envs or `everything`; empty: only its clauses are checked.
    pub governs: Vec<SetExpr>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// How often it has to be reviewed, in days.
    pub review_days: Option<u32>,
    /// How severe a violation is.
    pub mode: Mode,
    /// The longest that an exception may last, in days.
    pub expiry_days: u32,
    /// The roles that must approve an exception.
    pub approval_roles: Vec<String>,
    /// Whether its file is included by another one.
    pub included: bool,
    /// The declaration.
    pub span: Span,
    /// The name in the declaration.
    pub name_span: Span,
}

/// The longest that an exception may last where its boundary does not say.
pub const DEFAULT_EXPIRY_DAYS: u32 = 90;

/// A clause.
#[derive(Clone, Debug)]
pub struct Clause {
    /// `BOUNDARY/VERB-N`, such as `prod/never-2`: the second `never` of boundary `prod`. In an exception
    /// `EX-1/allow-1`, outside of any boundary `never-1`.
    pub id: String,
    /// What it says.
    pub kind: Verb,
    /// The side that opens the connection.
    pub from: SetExpr,
    /// The side that is connected to.
    pub to: SetExpr,
    /// On what.
    pub services: ServiceSet,
    /// The services as they are written: `https, tcp/8443`.
    pub service_text: String,
    /// Whether a service of it has to be encrypted.
    pub tls_required: bool,
    /// What is to be crossed; present exactly for `through` and `not through`.
    pub waypoint: Option<WaypointRef>,
    /// The reason; that of the exception for its clauses.
    pub because: Option<String>,
    /// Its boundary; that of the exception for its clauses; none for a clause outside of any boundary.
    pub boundary: Option<BoundaryId>,
    /// Its exception.
    pub exception: Option<ExceptionId>,
    /// Whether its file is included by another one.
    pub included: bool,
    /// The clause in canonical layout, without its reason.
    pub text: String,
    /// Where it is written.
    pub span: Span,
    /// Where its first side is written.
    pub from_span: Span,
    /// Where its second side is written.
    pub to_span: Span,
}

/// What a path crosses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaypointRef {
    /// A zone.
    Zone(ZoneId),
    /// An appliance of this name, which the inventory knows or does not know.
    Named(String),
    /// NAT gateways by name, a pattern.
    Nat(String),
    /// Firewalls by name, a pattern.
    Firewall(String),
    /// Resources by Terraform address, a pattern.
    Tf(String),
}

/// An exception.
#[derive(Clone, Debug)]
pub struct Exception {
    /// Its id.
    pub id: String,
    /// The boundary that it widens.
    pub boundary: BoundaryId,
    /// Positions of its clauses in [`Intent::clauses`].
    pub clauses: Vec<usize>,
    /// The reason.
    pub because: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
    /// Who asked for it.
    pub owner: Option<String>,
    /// The first day.
    pub starts: Option<Date>,
    /// The last day.
    pub expires: Option<Date>,
    /// Who approved.
    pub approvals: Vec<Approval>,
    /// The declaration.
    pub span: Span,
    /// The id in the declaration.
    pub id_span: Span,
    /// The last day in the declaration.
    pub expires_span: Option<Span>,
}

impl Exception {
    /// Whether it counts on a day: from its first through the end of its last. One without a last day never
    /// counts.
    #[must_use]
    pub fn is_active(&self, on: Date) -> bool {
        self.expires.is_some_and(|last| on <= last) && self.starts.is_none_or(|first| first <= on)
    }
}

/// Who approved an exception.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// In which role.
    pub role: Option<String>,
    /// Where it is written.
    pub span: Span,
}

/// A test.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// What it expects, in order, blocks opened up.
    pub statements: Vec<TestStatement>,
    /// The declaration.
    pub span: Span,
}

/// One expectation of a test.
#[derive(Clone, Debug)]
pub struct TestStatement {
    /// `test:NAME/N`.
    pub id: String,
    /// The side that opens the connection.
    pub from: SetExpr,
    /// Can or cannot.
    pub expect: Expect,
    /// The side that is connected to.
    pub to: SetExpr,
    /// On what.
    pub services: ServiceSet,
    /// The services as they are written; `any` where none is.
    pub service_text: String,
    /// The day to ask about; none: the day of the run.
    pub as_of: Option<Date>,
    /// What is down.
    pub down: Vec<Down>,
    /// The expectation in canonical layout.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

/// A thing that is down in a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// What kind of thing.
    pub kind: DownKind,
    /// Its name, a pattern.
    pub name: String,
}

impl Intent {
    /// The name of a zone, or `?` for an id of another intent.
    #[must_use]
    pub fn zone_name(&self, id: ZoneId) -> &str {
        self.zones.get(id.index()).map_or("?", |z| &z.name)
    }

    /// The name of an env, or `?` for an id of another intent.
    #[must_use]
    pub fn env_name(&self, id: EnvId) -> &str {
        self.envs.get(id.index()).map_or("?", |e| &e.name)
    }

    /// The zone of that name.
    #[must_use]
    pub fn find_zone(&self, name: &str) -> Option<ZoneId> {
        let i = self.zones.iter().position(|z| z.name == name)?;
        u32::try_from(i).ok().map(ZoneId)
    }

    /// The env of that name.
    #[must_use]
    pub fn find_env(&self, name: &str) -> Option<EnvId> {
        let i = self.envs.iter().position(|e| e.name == name)?;
        u32::try_from(i).ok().map(EnvId)
    }

    /// The boundary of a clause; none for a clause outside of any boundary.
    #[must_use]
    pub fn boundary_of(&self, clause: &Clause) -> Option<&Boundary> {
        self.boundaries.get(clause.boundary?.index())
    }

    /// How severe a violation of a clause is: what its boundary says, else `enforce`.
    #[must_use]
    pub fn mode_of(&self, clause: &Clause) -> Mode {
        self.boundary_of(clause).map_or(Mode::Enforce, |b| b.mode)
    }

    /// Whether a clause counts on a day: always, but for clauses of exceptions.
    #[must_use]
    pub fn is_active(&self, clause: &Clause, on: Date) -> bool {
        match clause.exception {
            Some(e) => self.exceptions.get(e.index()).is_some_and(|e| e.is_active(on)),
            None => true,
        }
    }

    /// A set in the words of the language.
    #[must_use]
    pub fn set_text(&self, set: &SetExpr) -> String {
        let part = |s: &SetExpr| match s {
            SetExpr::Except(..) => format!("({})", self.set_text(s)),
            _ => self.set_text(s),
        };
        match set {
            SetExpr::Zone(z) => self.zone_name(*z).to_string(),
            SetExpr::Env(e) => format!("env {}", self.env_name(*e)),
            SetExpr::Cidr(n) if n.prefix_len() == n.max_prefix_len() => format!("host {}", n.addr()),
            SetExpr::Cidr(n) => format!("cidr {n}"),
            SetExpr::Everything => "everything".to_string(),
            SetExpr::Outside => "outside".to_string(),
            SetExpr::Unzoned => "unzoned".to_string(),
            SetExpr::Union(items) => {
                let items: Vec<String> = items.iter().map(|s| self.set_text(s)).collect();
                format!("{{{}}}", items.join(", "))
            }
            SetExpr::Except(a, b) => format!("{} except {}", part(a), part(b)),
        }
    }
}
