//! The syntax tree: what was written, with its places and comments, names not looked up.
//!
//! The tree is also the canonical JSON form: `serde` writes and reads everything but the spans.

use bartizan_base::{FileId, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn nowhere() -> Span {
    Span::file(FileId(0))
}

fn no_file() -> FileId {
    FileId(0)
}

/// A word or quoted text with its place. In JSON it is just the text.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text, without quotes and with escapes resolved.
    pub text: String,
    /// Where it is written.
    pub span: Span,
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d).map(|text| Text {
            text,
            span: nowhere(),
        })
    }
}

/// A file of the intent language.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Which file; 0 for a tree that came from JSON.
    #[serde(skip, default = "no_file")]
    pub id: FileId,
    /// Everything in it.
    pub body: Block<Item>,
}

impl File {
    /// The files that this one includes, as written: relative to the directory of this file.
    pub fn includes(&self) -> impl Iterator<Item = &Text> {
        self.body.items.iter().filter_map(|s| match &s.node {
            Item::Include { path } => Some(path),
            _ => None,
        })
    }
}

/// A sequence of statements, and the comments after the last one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block<T> {
    /// The statements in order.
    pub items: Vec<Stmt<T>>,
    /// Comment lines after the last statement; `""` is an empty line.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub tail: Vec<String>,
}

/// A statement with the comments that belong to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stmt<T> {
    /// Comment lines before it, with their `#`; `""` is an empty line.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    pub lead: Vec<String>,
    /// The statement.
    pub node: T,
    /// The comment at the end of its last line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<String>,
    /// From its first to its last token.
    #[serde(skip, default = "nowhere")]
    pub span: Span,
}

/// A statement of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Item {
    /// `edition 2027`
    Edition {
        /// The year.
        year: Text,
    },
    /// `network shop`
    Network {
        /// What the intent is about.
        name: Text,
    },
    /// `include "../org/guardrails.btz"`
    Include {
        /// Relative to the directory of this file.
        path: Text,
    },
    /// `zone NAME = SELECTOR { OPTIONS }`
    Zone(ZoneDecl),
    /// `env NAME = SELECTOR`
    Env(EnvDecl),
    /// `link NAME = vpn "PATTERN" { OPTIONS }`
    Link(LinkDecl),
    /// `site NAME = LINK, LINK`
    Site(SiteDecl),
    /// `apart LINK, LINK`
    Apart {
        /// The links.
        links: Vec<Text>,
    },
    /// `service NAME = SERVICES { tls required }`
    Service(ServiceDecl),
    /// `boundary NAME governs ZONES { ... }`
    Boundary(BoundaryDecl),
    /// `exception ID in BOUNDARY { ... }`
    Exception(ExceptionDecl),
    /// `test "name" { ... }`
    Test(TestDecl),
    /// A clause outside of any boundary.
    Clause(ClauseDecl),
}

/// A named set of endpoints.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneDecl {
    /// Its name.
    pub name: Text,
    /// What is in it.
    pub selector: SelectorExpr,
    /// What stands in its braces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ZoneOption>,
}

/// What is said about a zone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZoneOption {
    /// `data pci, pii`: the classes of data it holds.
    Data(Vec<Text>),
    /// `required`: matching nothing is an error.
    Required,
    /// `overlaps Y, Z`: endpoints may be in these zones too.
    Overlaps(Vec<Text>),
}

/// A named part of the estate, such as production.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvDecl {
    /// Its name.
    pub name: Text,
    /// What is in it.
    pub selector: SelectorExpr,
}

/// A link to a network that is not in the cloud, with what is behind it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkDecl {
    /// Its name.
    pub name: Text,
    /// The kind of link.
    pub kind: LinkKind,
    /// The name of the resource, a pattern.
    pub resource: Text,
    /// What stands in its braces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<LinkOption>,
}

/// What is said about a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkOption {
    /// `networks 10.200.0.0/16, 10.201.0.0/16`: whose addresses are behind it.
    Networks(Vec<Text>),
    /// `learned 10.0.0.0/8`: the routes that it announces.
    Learned(Vec<Text>),
    /// `internet none`: it does not pass packets on to the Internet.
    NoInternet,
}

/// Links that lead to one site, which forwards between them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteDecl {
    /// Its name.
    pub name: Text,
    /// The links.
    pub links: Vec<Text>,
}

/// A named set of services.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceDecl {
    /// Its name.
    pub name: Text,
    /// Literals such as `tcp/443`, or names of other services.
    pub services: Vec<Text>,
    /// `{ tls required }`
    #[serde(default, skip_serializing_if = "is_false")]
    pub tls_required: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_false(b: &bool) -> bool {
    !*b
}

/// A boundary: who may talk to whom, under one owner.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundaryDecl {
    /// Its name.
    pub name: Text,
    /// The sets it governs; empty: only its clauses are checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub governs: Vec<Expr>,
    /// Attributes and clauses.
    pub body: Block<BoundaryItem>,
}

/// A statement of a boundary.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoundaryItem {
    /// `owner net-sec`
    Owner(Text),
    /// `review every 180d`
    Review(Days),
    /// `mode observe`
    Mode(Mode),
    /// `expiry at most 90d`: the longest that an exception may last.
    Expiry(Days),
    /// `approval by security, platform`: the roles that must approve an exception.
    Approval(Vec<Text>),
    /// A clause.
    Clause(Box<ClauseDecl>),
}

/// A number of days, written `180d`. In JSON it is just the number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Days {
    /// How many.
    pub days: u32,
    /// Where it is written.
    #[serde(skip, default = "nowhere")]
    pub span: Span,
}

/// How severe a violation of a boundary is. Ordered: `Observe < Warn < Enforce`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A note.
    Observe,
    /// A warning.
    Warn,
    /// An error.
    Enforce,
}

/// What a clause says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    /// `allow A -> B : s`: may.
    Allow,
    /// `must A -> B : s`: may, and has to work for every pair of endpoints.
    Must,
    /// `must some A -> B : s`: may, and has to work for at least one pair.
    MustSome,
    /// `only A -> B : s`: A may, nobody else may.
    Only,
    /// `never A -> B : s`: nobody may, whatever else is written.
    Never,
    /// `A -> B through M`: every path crosses M.
    Through,
    /// `A -> B not through M`: no path crosses M.
    NotThrough,
}

impl Verb {
    /// The word used in ids of clauses: `allow`, `must-some`, `not-through`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Verb::Allow => "allow",
            Verb::Must => "must",
            Verb::MustSome => "must-some",
            Verb::Only => "only",
            Verb::Never => "never",
            Verb::Through => "through",
            Verb::NotThrough => "not-through",
        }
    }
}

/// A clause.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClauseDecl {
    /// What it says.
    pub verb: Verb,
    /// The side that opens the connection.
    pub from: Expr,
    /// The side that is connected to.
    pub to: Expr,
    /// Literals and names; empty only for `through`, where it means every service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Text>,
    /// What is to be crossed; present exactly for `through` and `not through`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waypoint: Option<Waypoint>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<Text>,
}

/// What a path crosses.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waypoint {
    /// A zone, or else an appliance of that name.
    Name(Text),
    /// `nat "egress-*"`: NAT gateways by name.
    Nat(Text),
    /// `firewall "fw-*"`: firewalls by name.
    Firewall(Text),
    /// `tf "module.fw.*"`: resources by Terraform address.
    Tf(Text),
}

/// A set of endpoints in a clause.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is written.
    #[serde(skip, default = "nowhere")]
    pub span: Span,
}

/// The forms of [`Expr`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ExprKind {
    /// A zone, or else an env.
    Name(Text),
    /// `env prod`
    Env(Text),
    /// All endpoints and `outside`.
    Everything,
    /// All public addresses that the inventory does not own.
    Outside,
    /// The endpoints that are in no zone.
    Unzoned,
    /// `cidr 10.0.0.0/8`
    Cidr(Text),
    /// `host 10.0.0.1`
    Host(Text),
    /// `{a, b}`
    Set(Vec<Expr>),
    /// `a except b except c`
    Except {
        /// What is taken from.
        base: Box<Expr>,
        /// What is taken away; never empty.
        minus: Vec<Expr>,
    },
}

/// What selects endpoints of an inventory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SelectorExpr {
    /// What it is.
    pub kind: SelectorExprKind,
    /// Where it is written.
    #[serde(skip, default = "nowhere")]
    pub span: Span,
}

/// The forms of [`SelectorExpr`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SelectorExprKind {
    /// All endpoints and `outside`.
    Everything,
    /// All public addresses that the inventory does not own.
    Outside,
    /// `tag k=v k2="v*"`: all of them.
    Tag(Vec<TagTerm>),
    /// `ecs` or `ecs "bastion-*"`.
    Resource {
        /// The kind of resource.
        of: ResourceKind,
        /// A pattern for its name or id; none: all of the kind.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        glob: Option<Text>,
    },
    /// `name "web-*"`: resources of any kind by name.
    Name(Text),
    /// `tf "module.web.*"`: by Terraform address.
    Tf(Text),
    /// `cidr 10.0.0.0/8`
    Cidr(Text),
    /// `host 10.0.0.1`
    Host(Text),
    /// `ecs tag tier=db in env prod via vpn hq`: all of the parts and all of the qualifiers.
    Term {
        /// What stands side by side; never empty.
        parts: Vec<SelectorExpr>,
        /// `in` and `via`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        quals: Vec<Qualifier>,
    },
    /// `a and b`
    And(Vec<SelectorExpr>),
    /// `a or b`
    Or(Vec<SelectorExpr>),
    /// `a except b except c`
    Except {
        /// What is taken from.
        base: Box<SelectorExpr>,
        /// What is taken away; never empty.
        minus: Vec<SelectorExpr>,
    },
}

/// `key=value` of a tag.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagTerm {
    /// The key, exact.
    pub key: Text,
    /// A pattern for the value.
    pub value: Text,
}

/// What narrows a selector.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Qualifier {
    /// `in prod` or `in env prod`
    In(Text),
    /// `via vpn hq`
    Via {
        /// The kind of link.
        link: LinkKind,
        /// Its name.
        name: Text,
    },
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }
        impl $name {
            /// Every kind, in the order of the reference.
            pub const ALL: &[$name] = &[$($name::$variant),*];
            /// The word of the language.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word),* }
            }
            /// The kind behind a word of the language.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|k| k.word() == word)
            }
        }
    };
}

words! {
    /// A kind of resource that endpoints are selected by.
    ResourceKind {
        /// Endpoints in a VPC.
        Vpc = "vpc",
        /// Endpoints in a vSwitch.
        Vswitch = "vswitch",
        /// Members of a security group.
        Sg = "sg",
        /// ECS instances.
        Ecs = "ecs",
        /// Elastic network interfaces.
        Eni = "eni",
        /// ApsaraDB RDS instances.
        Rds = "rds",
        /// Redis (Tair) instances.
        Redis = "redis",
        /// Load balancers.
        Lb = "lb",
        /// Endpoints of PrivateLink.
        Endpoint = "endpoint",
        /// Managed services of any kind.
        Managed = "managed",
    }
}

words! {
    /// A kind of link to another network.
    LinkKind {
        /// IPsec VPN connection.
        Vpn = "vpn",
        /// Virtual border router of Express Connect.
        Vbr = "vbr",
        /// CEN attachment.
        Cen = "cen",
        /// Transit router attachment.
        Tr = "tr",
        /// VPC peering connection.
        Peering = "peering",
        /// Smart Access Gateway.
        Sag = "sag",
    }
}

words! {
    /// A kind of thing that a test may take down.
    DownKind {
        /// IPsec VPN connection.
        Vpn = "vpn",
        /// Virtual border router.
        Vbr = "vbr",
        /// CEN attachment.
        Cen = "cen",
        /// Transit router attachment.
        Tr = "tr",
        /// VPC peering connection.
        Peering = "peering",
        /// NAT gateway.
        Nat = "nat",
        /// Load balancer.
        Lb = "lb",
        /// ECS instance.
        Ecs = "ecs",
        /// Elastic network interface.
        Eni = "eni",
        /// Everything in a vSwitch.
        Vswitch = "vswitch",
        /// Everything in an availability zone.
        Az = "az",
        /// A resource by Terraform address.
        Tf = "tf",
    }
}

/// A dated permission.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExceptionDecl {
    /// Its id, such as `EX-2026-014`.
    pub id: Text,
    /// The boundary that it widens.
    pub boundary: Text,
    /// Clauses and attributes.
    pub body: Block<ExceptionItem>,
}

/// A statement of an exception.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionItem {
    /// An `allow`.
    Clause(Box<ClauseDecl>),
    /// `because "..."`
    Because(Text),
    /// `ticket CHG-8812`
    Ticket(Text),
    /// `owner li.wei`
    Owner(Text),
    /// `starts 2026-12-01`: the first day.
    Starts(Text),
    /// `expires 2027-01-31`: the last day.
    Expires(Text),
    /// `approved by zhang.min (security), kumar (platform)`
    Approved(Vec<ApprovalDecl>),
}

/// Who approved, in which role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalDecl {
    /// Who.
    pub by: Text,
    /// In which role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Text>,
}

/// Expectations that are checked like clauses but open nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestDecl {
    /// Its name.
    pub name: Text,
    /// Expectations.
    pub body: Block<TestItem>,
}

/// A statement of a test.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TestItem {
    /// `A can reach B on S`, `A cannot reach B`
    Reach {
        /// The side that opens the connection.
        from: Expr,
        /// Can or cannot.
        expect: Expect,
        /// The side that is connected to.
        to: Expr,
        /// Literals and names; empty means every service.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        services: Vec<Text>,
    },
    /// `with down vbr hq-1 { ... }`
    Down {
        /// What is down.
        targets: Vec<DownTarget>,
        /// What is expected then.
        body: Block<TestItem>,
    },
    /// `as of 2027-02-01 { ... }`
    AsOf {
        /// The day.
        date: Text,
        /// What is expected then.
        body: Block<TestItem>,
    },
}

/// What a test expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// The request is delivered and the reply returns.
    Can,
    /// The request is not delivered.
    Cannot,
}

/// A thing that a test takes down.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownTarget {
    /// What kind of thing.
    pub kind: DownKind,
    /// Its name; a pattern.
    pub name: Text,
}
