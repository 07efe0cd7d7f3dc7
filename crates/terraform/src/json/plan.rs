//! Plans.

use super::address::parse;
use super::beside::{self, Beside};
use super::blocks::join;
use super::references::{Configuration, Given, Owner, Written};
use super::stale::Stale;
use super::state::{Values, deposed, flatten, known_format};
use super::{AFTER_APPLY, HIDDEN, PARTIAL, Read, WRITTEN, shapes};
use crate::alicloud::Spelt;
use bartizan_base::{Diagnostic, FileId, Span};
use bartizan_model::{Node, Resource, Understanding, Unknown, Value};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value as J;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    format_version: Option<String>,
    #[serde(default)]
    planned_values: Option<Values>,
    #[serde(default)]
    resource_changes: Vec<Changed>,
    #[serde(default)]
    configuration: Written,
    #[serde(default)]
    variables: BTreeMap<String, Given>,
    #[serde(default)]
    prior_state: Option<Prior>,
    #[serde(default)]
    errored: bool,
    #[serde(default)]
    complete: Option<bool>,
    #[serde(default)]
    deferred_changes: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Prior {
    #[serde(default)]
    values: Option<Values>,
}

#[derive(Deserialize)]
struct Changed {
    address: String,
    #[serde(default)]
    previous_address: Option<String>,
    /// The key of an object that was replaced and is still there; the live one has the same address.
    #[serde(default)]
    deposed: Option<String>,
    #[serde(default)]
    change: Option<Change>,
}

/// `before` and `after` are not read: the prior state and the planned values say the same.
#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    after_unknown: J,
}

impl Change {
    fn does(&self, what: &str) -> bool {
        self.actions.iter().any(|a| a == what)
    }

    /// Whether an object goes or changes.
    fn lets_go(&self) -> bool {
        self.does("delete") || self.does("update")
    }

    /// Whether there is an object afterwards.
    fn leaves(&self) -> bool {
        self.does("create") || !self.actions.is_empty() && !self.does("delete")
    }

    /// Whether the object stays in the cloud and nothing takes its place.
    fn forgets(&self) -> bool {
        self.does("forget") && !self.does("create")
    }
}

/// What happens to the objects of a plan, by address; deposed ones by their own.
struct Changes {
    of: FxHashMap<String, Change>,
    moved: BTreeSet<String>,
}

impl Changes {
    /// Types of which an object goes or changes.
    fn kinds(&self) -> BTreeSet<String> {
        let all = self.of.iter();
        all.filter(|(_, c)| c.lets_go())
            .map(|(a, _)| parse(a).kind().to_string())
            .collect()
    }
}

/// Reads a plan. `configure` evaluates the directory that it was made from with the values of its variables, if there
/// is one.
pub(super) fn read(
    text: &str,
    file: FileId,
    configure: impl FnOnce(String, &Written, Option<&str>) -> Option<Beside>,
) -> Result<Read, serde_json::Error> {
    let doc: Document = serde_json::from_str(text)?;
    known_format(doc.format_version.as_deref())?;
    let variables: BTreeMap<&str, &J> = doc
        .variables
        .iter()
        .map(|(k, v)| (k.as_str(), &v.value))
        .collect();
    let variables = serde_json::to_string(&variables)?;
    let mut beside = configure(variables, &doc.configuration, doc.format_version.as_deref());
    let mut changes = Changes {
        of: FxHashMap::default(),
        moved: BTreeSet::new(),
    };
    for c in doc.resource_changes {
        changes.moved.extend(c.previous_address);
        if let Some(change) = c.change {
            changes.of.insert(deposed(c.address, c.deposed), change);
        }
    }
    let mut out = Vec::new();
    if let Some(v) = doc.planned_values {
        flatten(v.root_module, file, &mut out);
    }
    let mut before = Vec::new();
    if let Some(v) = doc.prior_state.and_then(|p| p.values) {
        flatten(v.root_module, file, &mut before);
    }
    // What is forgotten is among the values, without any.
    out.retain(|r| r.data || !changes.of.get(&*r.address).is_some_and(Change::forgets));
    let untold = out
        .iter()
        .find(|r| !r.data && !changes.of.contains_key(&*r.address));
    let untold = untold.map(|r| format!("`{}` is among its values and not among its changes", r.address));
    let goes = |a: &str| changes.of.get(a).is_some_and(Change::lets_go);
    let stale = Stale::new(changes.kinds(), goes, &out, &before);
    stays(&mut out, before, &changes);
    let untold = untold.or_else(|| {
        let there: BTreeSet<&str> = out.iter().map(|r| &*r.address).collect();
        let mut all = changes.of.iter().filter(|(_, c)| c.leaves());
        let data = |a: &str| parse(a).resource.starts_with("data.");
        let lost = all.find(|(a, _)| !there.contains(a.as_str()) && !data(a))?;
        Some(format!("`{}` is there after it and not among its values", lost.0))
    });

    let partial = if doc.errored {
        Some("planning ended with an error".to_string())
    } else if !doc.deferred_changes.is_empty() {
        Some(format!(
            "{} changes are deferred to a later plan",
            doc.deferred_changes.len()
        ))
    } else if doc.complete == Some(false) {
        Some("it covers a part of the configuration".to_string())
    } else {
        untold
    };
    let config = Configuration::new(
        doc.configuration,
        doc.variables,
        out.iter().map(|r| r.address.clone()),
    );
    let partial = partial.or_else(|| {
        let a = config.missing(changes.of.keys().map(String::as_str))?;
        Some(format!("`{a}` is in its configuration and not in its values"))
    });
    let mut spelt = Spelt::default();
    for r in &mut out {
        r.region = config.region(&r.address);
        let owner = config.owner(&r.address, r.span);
        let empty = serde_json::Map::new();
        let after = changes
            .of
            .get(&*r.address)
            .and_then(|c| c.after_unknown.as_object());
        let own = beside.as_mut().and_then(|b| b.of(r, after.unwrap_or(&empty)));
        if let Some(o) = &owner {
            spelt.insert(r.address.clone(), written(&o.block.expressions, own.as_ref()));
        }
        stale.take(r, owner.as_ref(), own.as_ref());
        unknowns(r, after.unwrap_or(&empty), own.as_ref(), owner.as_ref(), &config);
    }
    let mut said: Vec<Diagnostic> = Vec::new();
    said.extend(partial.map(|why| partly(&why, file, &mut out)));
    said.extend(beside.into_iter().flat_map(Beside::said));
    Ok(Read {
        resources: out,
        diagnostics: said,
        spelt,
    })
}

/// Adds what is there after the plan and is not among its values: data sources that were read while planning, and
/// objects that the plan forgets or does not look at.
fn stays(out: &mut Vec<Resource>, before: Vec<Resource>, changes: &Changes) {
    let planned: BTreeSet<Arc<str>> = out.iter().map(|r| r.address.clone()).collect();
    for mut r in before {
        let change = changes.of.get(&*r.address);
        if planned.contains(&r.address) {
            // What takes its place is another object.
            if r.data || !change.is_some_and(|c| c.does("forget")) {
                continue;
            }
            r.address = format!("{} (forgotten object)", r.address).into();
        } else if !r.data && (change.is_some_and(|c| c.does("delete")) || changes.moved.contains(&*r.address))
        {
            continue;
        }
        out.push(r);
    }
}

/// Says that a plan does not tell of everything that will be there, and keeps claims from resting on it.
fn partly(why: &str, file: FileId, out: &mut Vec<Resource>) -> Diagnostic {
    let span = Span::file(file);
    out.push(Resource {
        address: PARTIAL.into(),
        kind: PARTIAL.into(),
        provider: None,
        region: None,
        data: false,
        attributes: BTreeMap::new(),
        span,
        maybe: None,
        understanding: Understanding::NotUnderstood("not classified".into()),
    });
    Diagnostic::error("INPUT006", format!("this plan is not whole: {why}"))
        .at(span, "what it leaves out is not known")
        .help("plan again without `-target` and until no error and nothing deferred is left, or check the directory")
}

/// Which arguments a configuration writes, and whether they are certainly not null.
fn written(expressions: &J, own: Option<&Resource>) -> BTreeMap<Arc<str>, bool> {
    let all = expressions.as_object().into_iter().flatten();
    all.filter_map(|(name, e)| {
        let sure = match (own, e.get("constant_value")) {
            (_, Some(J::Null)) => return None,
            (_, Some(_)) => true,
            (Some(own), None) => match own.attributes.get(name.as_str()).map(|n| &n.value) {
                None | Some(Value::Null) => return None,
                Some(v) => !matches!(v, Value::Unknown(_)),
            },
            (None, None) => false,
        };
        Some((name.as_str().into(), sure))
    })
    .collect()
}

/// Puts what is unknown into the attributes of a resource.
fn unknowns(
    r: &mut Resource,
    after: &serde_json::Map<String, J>,
    own: Option<&Resource>,
    o: Option<&Owner<'_>>,
    config: &Configuration,
) {
    for (name, flags) in after {
        let slot = r.attributes.remove(name.as_str());
        if let Some(own) = own
            && beside::open(flags)
        {
            if let Some(n) = beside::overlay(slot, flags, own.attributes.get(name.as_str()), r.span) {
                r.attributes.insert(name.as_str().into(), n);
            }
            continue;
        }
        let from = o.map_or(From::Anything, |o| from(&o.block.expressions, o.kind(), name));
        // What is not written down and left to the cloud is as in a directory: not set.
        if *flags == J::Bool(true) && matches!(from, From::Nobody) {
            continue;
        }
        let at = At {
            owner: o,
            path: name.clone(),
            member: None,
            span: r.span,
        };
        if let Some(n) = overlay(slot, flags, from, &at, config) {
            r.attributes.insert(name.as_str().into(), n);
        }
    }
}

/// What the configuration says about where a value comes from.
#[derive(Clone, Copy)]
enum From<'c> {
    /// An expression.
    Expression(&'c J),
    /// Nested blocks.
    Blocks(&'c [J]),
    /// One of them.
    Block(&'c J),
    /// Nobody wrote it.
    Nobody,
    /// There is no configuration, or it does not show this part: a `dynamic` block, or one of several blocks of
    /// which a plan does not say which it is.
    Anything,
}

/// Where an argument of a block comes from. Blocks that are not written may come from a `dynamic` one, which is not
/// shown.
fn from<'c>(block: &'c J, kind: &str, path: &str) -> From<'c> {
    let name = path.rsplit('.').next().unwrap_or(path);
    match block.get(name) {
        Some(J::Array(all)) => From::Blocks(all),
        Some(e) => From::Expression(e),
        None if shapes::block(kind, path) => From::Anything,
        None => From::Nobody,
    }
}

/// Where a value stands.
struct At<'a> {
    owner: Option<&'a Owner<'a>>,
    path: String,
    /// Rank among the unknown members of a list, and how many those are.
    member: Option<(usize, usize)>,
    span: Span,
}

impl<'a> At<'a> {
    fn member(&self, rank: usize, of: usize) -> At<'a> {
        At {
            owner: self.owner,
            path: self.path.clone(),
            member: Some((rank, of)),
            span: self.span,
        }
    }

    fn inside(&self, name: &str) -> At<'a> {
        At {
            owner: self.owner,
            path: format!("{}.{name}", self.path),
            member: None,
            span: self.span,
        }
    }
}

/// Puts what is unknown into a value: references where the configuration says which, unknowns elsewhere.
fn overlay(
    node: Option<Node>,
    flags: &J,
    from: From<'_>,
    at: &At<'_>,
    config: &Configuration,
) -> Option<Node> {
    let value = match flags {
        J::Bool(true) => match (from, at.owner) {
            (From::Expression(e), Some(o)) => config
                .value_of(o, e, &at.path, at.member)
                .unwrap_or_else(|| Value::Unknown(Unknown::new(WRITTEN))),
            (From::Nobody, _) => Value::Unknown(Unknown::new(AFTER_APPLY)),
            _ => Value::Unknown(Unknown::new(HIDDEN)),
        },
        J::Array(flags) if !flags.is_empty() => {
            let mut items = match node.map(|n| n.value) {
                Some(Value::List(v)) => v,
                _ => Vec::new(),
            };
            items.resize_with(items.len().max(flags.len()), || null(at.span));
            let blocks: Vec<From<'_>> = match (from, at.owner) {
                (From::Blocks(all), Some(o)) => join(o.kind(), &at.path, &items, flags, all)
                    .into_iter()
                    .map(|b| b.map_or(From::Anything, From::Block))
                    .collect(),
                _ => Vec::new(),
            };
            let of = flags.iter().filter(|f| **f == J::Bool(true)).count();
            let mut rank = 0;
            for (i, (f, slot)) in flags.iter().zip(&mut items).enumerate() {
                let at = at.member(rank, of);
                rank += usize::from(*f == J::Bool(true));
                let old = std::mem::replace(slot, null(at.span));
                let from = blocks.get(i).copied().unwrap_or(from);
                if let Some(n) = overlay(Some(old), f, from, &at, config) {
                    *slot = n;
                }
            }
            Value::List(items)
        }
        J::Object(flags) if !flags.is_empty() => {
            let mut m = match node.map(|n| n.value) {
                Some(Value::Map(m)) => m,
                _ => BTreeMap::new(),
            };
            for (k, f) in flags {
                let at = at.inside(k);
                let from = match (from, at.owner) {
                    (From::Block(b), Some(o)) => self::from(b, o.kind(), &at.path),
                    (From::Nobody, _) => From::Nobody,
                    _ => From::Anything,
                };
                if let Some(n) = overlay(m.remove(k.as_str()), f, from, &at, config) {
                    m.insert(k.as_str().into(), n);
                }
            }
            Value::Map(m)
        }
        _ => return node,
    };
    Some(Node { value, span: at.span })
}

fn null(span: Span) -> Node {
    Node {
        value: Value::Null,
        span,
    }
}
