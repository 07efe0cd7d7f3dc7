//! Turns generic resources into the typed layer.
//!
//! One file per family of resource types. A family lists its [`Handler`]s: the type and its aliases, every
//! attribute that the code names, the attributes that other resources use to refer to it, and the steps that
//! read it. To add a type, write a handler and put it into [`families`]; remove its rule in `coverage`.
//!
//! Linking runs in [`Stage`]s over all resources in address order, so no step depends on the order in which
//! resources were declared.

mod acl;
mod attrs;
mod balancer;
mod cen_bandwidth;
mod cluster;
mod compute;
mod coverage;
mod data_service;
mod ecr;
mod eip;
mod eni;
mod gateway;
mod gwlb;
mod havip;
mod hybrid;
mod instance;
mod ipv6;
mod linker;
mod managed;
mod managed_nested;
mod nat;
mod parse;
mod perimeter;
mod platform;
mod prefix_list;
mod private_link;
mod refused;
mod route;
mod route_map;
mod router_interface;
mod security_group;
mod silent;
mod synced;
mod transit;
mod twins;
mod vpc;
mod vswitch;

use attrs::Attrs;
pub(crate) use attrs::Spelt;
use bartizan_base::Diagnostic;
use bartizan_model::{Inventory, Resource, SourceKind, Understanding, Unknown, Value};
use linker::Linker;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;

pub use coverage::{Bearing, bearing, coverage_markdown};
pub use silent::{Argument, argument, argument_meets, argument_patterns};

/// A resource type that the typed layer reads, with every attribute that the code names.
#[derive(Clone, Copy, Debug)]
pub struct TypeSpec {
    /// The type, `alicloud_vpc`.
    pub name: &'static str,
    /// Attribute paths, nested ones as `ingress_acl_entries.policy`.
    pub attributes: &'static [&'static str],
}

/// When a step runs. Later stages may use what earlier ones filled in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    /// Make the things that others refer to.
    Declare,
    /// Decide which interface is the primary one of each instance.
    Own,
    /// Fill in own attributes and links to other things.
    Fill,
    /// Rules, entries and attachments between things.
    Attach,
    /// Bindings that need the addresses of interfaces.
    Bind,
    /// What is left without what may have been attached to it.
    Settle,
}

const STAGES: [Stage; 6] = [
    Stage::Declare,
    Stage::Own,
    Stage::Fill,
    Stage::Attach,
    Stage::Bind,
    Stage::Settle,
];

/// What an attribute of a resource identifies.
#[derive(Clone, Copy, Debug)]
enum Role {
    /// The resource itself.
    Own,
    /// The system route table of a VPC.
    SystemTable,
    /// The primary interface of an instance.
    PrimaryInterface,
}

/// An attribute that other resources use to refer to this one.
#[derive(Clone, Copy, Debug)]
struct Identity {
    attribute: &'static str,
    role: Role,
    /// Whether its value is unique, so that a literal in a state joins (private addresses are not).
    literal: bool,
}

const fn own(attribute: &'static str) -> Identity {
    Identity {
        attribute,
        role: Role::Own,
        literal: true,
    }
}

type Step = for<'a, 'r> fn(&'a mut Linker<'r>, usize, Attrs<'r>);

/// How one resource type is read.
struct Handler {
    spec: TypeSpec,
    /// Other names of the same resource (ALIBABA.md §19.3).
    aliases: &'static [&'static str],
    identities: &'static [Identity],
    steps: &'static [(Stage, Step)],
}

fn families() -> [&'static [Handler]; 30] {
    [
        vpc::HANDLERS,
        vswitch::HANDLERS,
        route::HANDLERS,
        security_group::HANDLERS,
        prefix_list::HANDLERS,
        acl::HANDLERS,
        eni::HANDLERS,
        instance::HANDLERS,
        eip::HANDLERS,
        nat::HANDLERS,
        gateway::HANDLERS,
        ipv6::HANDLERS,
        havip::HANDLERS,
        data_service::HANDLERS,
        transit::HANDLERS,
        cen_bandwidth::HANDLER,
        hybrid::HANDLERS,
        ecr::HANDLERS,
        balancer::CLB,
        balancer::MODERN,
        perimeter::FIREWALLS,
        perimeter::POLICIES,
        perimeter::PROXIES,
        private_link::HANDLERS,
        gwlb::HANDLERS,
        compute::HANDLERS,
        cluster::HANDLERS,
        managed::HANDLERS,
        platform::HANDLERS,
        managed_nested::HANDLERS,
    ]
}

fn handlers() -> impl Iterator<Item = &'static Handler> {
    families().into_iter().flatten()
}

/// Every type that the typed layer reads, aliases included, sorted by name.
#[must_use]
pub fn type_specs() -> Vec<TypeSpec> {
    let mut v: Vec<TypeSpec> = handlers()
        .flat_map(|h| {
            std::iter::once(h.spec).chain(h.aliases.iter().map(|a| TypeSpec {
                name: a,
                attributes: h.spec.attributes,
            }))
        })
        .collect();
    v.sort_by_key(|s| s.name);
    v
}

/// Whether an attribute of a type identifies it, so that other resources refer to it by that.
pub(crate) fn identifies(kind: &str, attribute: &str) -> bool {
    handlers()
        .filter(|h| h.spec.name == kind || h.aliases.contains(&kind))
        .any(|h| h.identities.iter().any(|i| i.attribute == attribute))
}

/// Whether the typed layer reads a type.
pub(crate) fn handled(kind: &str) -> bool {
    handlers().any(|h| h.spec.name == kind || h.aliases.contains(&kind))
}

/// Whether the typed layer reads parts of an argument of a type.
pub(crate) fn nests(kind: &str, path: &str) -> bool {
    let inside = |a: &&str| a.strip_prefix(path).is_some_and(|r| r.starts_with('.'));
    handlers()
        .filter(|h| h.spec.name == kind || h.aliases.contains(&kind))
        .any(|h| h.spec.attributes.iter().any(inside))
}

/// Links generic resources: fills the typed layer and says of every resource what became of it.
///
/// The resources are sorted by address; the diagnostics given are kept and come first.
#[must_use]
pub fn link(resources: Vec<Resource>, source: SourceKind, diagnostics: Vec<Diagnostic>) -> Inventory {
    link_spelt(resources, source, diagnostics, &Spelt::default())
}

/// As [`link`], where the values have computed ones among them and the configuration tells which are written.
pub(crate) fn link_spelt(
    mut resources: Vec<Resource>,
    source: SourceKind,
    diagnostics: Vec<Diagnostic>,
    spelt: &Spelt,
) -> Inventory {
    resources.sort_by(|a, b| a.address.cmp(&b.address));
    let mut by_kind: FxHashMap<&'static str, &'static Handler> = FxHashMap::default();
    let mut identities: FxHashMap<&'static str, &'static [Identity]> = FxHashMap::default();
    for h in handlers() {
        for name in std::iter::once(&h.spec.name).chain(h.aliases) {
            by_kind.insert(name, h);
            identities.insert(name, h.identities);
        }
    }
    // A resource with `dry_run = true` is never created (ALIBABA.md §19.11). One that has an id is there: a state may
    // have the flag of a later update.
    let dry = |r: &Resource| match r.get("dry_run").map(|n| &n.value) {
        _ if source == SourceKind::State
            || matches!(r.get("id").map(|n| &n.value), Some(Value::String(_))) =>
        {
            false
        }
        Some(Value::Bool(b)) => *b,
        Some(Value::String(s)) => &**s == "true",
        _ => false,
    };
    for r in &mut resources {
        let there =
            source == SourceKind::State || matches!(r.get("id").map(|n| &n.value), Some(Value::String(_)));
        let Some(n) = r.get("dry_run").filter(|_| !there) else {
            continue;
        };
        if let Value::Unknown(_) | Value::Ref(_) = n.value {
            let u = Unknown::at(
                "with `dry_run` it is never created, and whether that is set is not known",
                n.span,
            );
            r.maybe.get_or_insert(u);
        }
    }
    for (i, u) in synced::doubts(&resources) {
        if let Some(r) = resources.get_mut(i) {
            r.maybe.get_or_insert(u);
        }
    }
    // What may not do what is read of it is as what may not be there.
    let mut doubts: FxHashMap<&'static str, bool> = FxHashMap::default();
    for r in resources.iter_mut().filter(|r| !r.data) {
        let Some(h) = by_kind.get(&*r.kind) else { continue };
        let may = doubts
            .entry(h.spec.name)
            .or_insert_with(|| silent::may_be_doubted(h));
        if *may && let Some(why) = silent::doubt(h, r, source) {
            r.maybe.get_or_insert(Unknown::at(why, r.span));
        }
    }
    let handled: Vec<Option<&'static Handler>> = resources
        .iter()
        .map(|r| {
            if r.data || dry(r) {
                None
            } else {
                by_kind.get(&*r.kind).copied()
            }
        })
        .collect();
    let mut linker = Linker::new(&resources, identities);
    linker.directory = source == SourceKind::Directory;
    for stage in STAGES {
        for (i, h) in handled.iter().enumerate() {
            let (Some(h), Some(r)) = (h, resources.get(i)) else {
                continue;
            };
            for (_, step) in h.steps.iter().filter(|(s, _)| *s == stage) {
                step(
                    &mut linker,
                    i,
                    Attrs::new(r, &h.spec).spelt(spelt.get(&r.address)),
                );
            }
        }
        if stage == Stage::Fill {
            // Everything has its VPC now: bindings that are not written down take their default.
            vswitch::default_bindings(&mut linker);
        }
        if stage == Stage::Attach {
            vswitch::settle(&mut linker);
            havip::shown(&mut linker);
        }
        if stage == Stage::Bind {
            eip::shown(&mut linker);
        }
    }
    data_service::settle(&mut linker);
    balancer::settle(&mut linker);
    private_link::settle(&mut linker);
    hybrid::settle(&mut linker);
    router_interface::settle(&mut linker);
    if source == SourceKind::State {
        nat::entries_bind(&mut linker);
    }
    eip::in_use(&mut linker);
    nat::settle(&mut linker);
    route::settle(&mut linker);
    transit::settle(&mut linker);
    eip::settle(&mut linker);
    havip::settle(&mut linker);
    ipv6::settle(&mut linker);
    data_service::settle_members(&mut linker);
    twins::settle(&mut linker);
    perimeter::settle(&mut linker);
    refused::settle(&mut linker);
    let mut notices = silent::Notices::default();
    for (i, h) in handled.iter().enumerate() {
        if let (Some(h), Some(r)) = (h, linker.res.get(i))
            && let Some(why) = notices.of(h, r, source)
        {
            linker.refused.entry(i).or_insert(why);
        }
    }
    let (typed, partly, refused, mut said) =
        (linker.typed, linker.partly, linker.refused, linker.diagnostics);
    let mut missing: BTreeMap<String, (String, Vec<usize>)> = BTreeMap::new();
    for (i, (parts, h)) in partly.into_iter().zip(&handled).enumerate() {
        let Some(r) = resources.get_mut(i) else { continue };
        r.understanding = if &*r.kind == "module" {
            // The evaluator lists modules that are not there as resources of this kind, and has said so.
            let why = match r.get("why").map(|n| &n.value) {
                Some(Value::String(s)) => s.to_string(),
                _ => "its files are not here".to_string(),
            };
            Understanding::NotUnderstood(format!("the module is not loaded: {why}"))
        } else if &*r.kind == crate::json::PARTIAL {
            // The reader of plans has said so; nobody knows what is missing.
            Understanding::NotUnderstood("the plan is not whole".into())
        } else if dry(r) && by_kind.contains_key(&*r.kind) {
            Understanding::Ignored("`dry_run` is set: it is never created".into())
        } else if let Some(why) = refused.get(&i) {
            Understanding::NotUnderstood(why.clone())
        } else if h.is_some() {
            if parts.is_empty() {
                Understanding::Modelled
            } else {
                Understanding::Partly(parts)
            }
        } else {
            match bearing(&r.kind, r.data) {
                Bearing::None(why) => Understanding::Ignored(why.into()),
                Bearing::Modelled => Understanding::Modelled,
                Bearing::Some(why) => {
                    let key = if r.data {
                        format!("data.{}", r.kind)
                    } else {
                        r.kind.to_string()
                    };
                    missing
                        .entry(key)
                        .or_insert_with(|| (why.to_string(), Vec::new()))
                        .1
                        .push(i);
                    Understanding::NotUnderstood(why.into())
                }
            }
        };
    }
    for (kind, (why, at)) in missing {
        let Some(first) = at.first().and_then(|i| resources.get(*i)) else {
            continue;
        };
        let times = if at.len() == 1 {
            String::new()
        } else {
            format!(" ({} of them)", at.len())
        };
        said.push(
            Diagnostic::warning("INPUT003", format!("`{kind}`{times} is not modelled: {why}"))
                .at(first.span, "declared here")
                .help("claims about the VPCs that it touches are undecided; docs/coverage.md lists what is modelled"),
        );
    }
    let mut all = diagnostics;
    all.append(&mut said);
    Inventory {
        source,
        resources,
        typed,
        diagnostics: all,
    }
}
