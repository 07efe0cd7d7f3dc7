//! Reading attributes by declared names.

use super::TypeSpec;
use crate::json::shapes::deprecated;
use bartizan_base::{FileId, Span};
use bartizan_model::{Node, Resource, Unknown, Value};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Which arguments the configuration of a resource writes, by address, and whether as a constant: a plan has values
/// that the cloud has filled in beside those that are written.
pub(crate) type Spelt = FxHashMap<Arc<str>, BTreeMap<Arc<str>, bool>>;

/// The attributes of a resource or of one of its nested blocks.
///
/// INVARIANT (declared names): every name asked for is in the [`TypeSpec`]; debug builds check it, so that the
/// comparison of the specs with the provider's schema covers every name the code uses.
#[derive(Clone, Copy)]
pub(super) struct Attrs<'r> {
    map: &'r BTreeMap<Arc<str>, Node>,
    spec: &'static TypeSpec,
    prefix: &'static str,
    /// What the configuration writes, where that is known.
    written: Option<&'r BTreeMap<Arc<str>, bool>>,
    /// The block that was read.
    pub(super) span: Span,
}

/// Nested blocks of one type.
pub(super) enum Blocks<'r> {
    /// Not set.
    Absent,
    /// Not known how many or which.
    Unknown(Unknown),
    /// In order.
    List(Vec<Attrs<'r>>),
}

impl<'r> Attrs<'r> {
    pub(super) fn new(resource: &'r Resource, spec: &'static TypeSpec) -> Self {
        Attrs {
            map: &resource.attributes,
            spec,
            prefix: "",
            written: None,
            span: resource.span,
        }
    }

    /// With what the configuration writes.
    pub(super) fn spelt(self, written: Option<&'r BTreeMap<Arc<str>, bool>>) -> Self {
        Attrs { written, ..self }
    }

    /// Whether the code reads an attribute of this type.
    pub(super) fn declared(&self, name: &str) -> bool {
        self.spec.attributes.iter().any(|a| {
            if self.prefix.is_empty() {
                *a == name
            } else {
                a.strip_prefix(self.prefix).and_then(|r| r.strip_prefix('.')) == Some(name)
            }
        })
    }

    /// An attribute that is set; null and the empty string are not (modules pass `""` for "not given").
    pub(super) fn get(&self, name: &'static str) -> Option<&'r Node> {
        debug_assert!(
            self.declared(name),
            "{}: `{name}` is not declared in its TypeSpec",
            self.spec.name
        );
        self.map.get(name).filter(|n| match &n.value {
            Value::Null => false,
            Value::String(s) => !s.is_empty(),
            _ => true,
        })
    }

    /// Whether a text is there and empty: for what only the cloud sets, that says that it has none.
    pub(super) fn empty(&self, name: &'static str) -> bool {
        debug_assert!(
            self.declared(name),
            "{}: `{name}` is not declared",
            self.spec.name
        );
        matches!(self.map.get(name).map(|n| &n.value), Some(Value::String(s)) if s.is_empty())
    }

    /// Everything in the block, for what is only compared.
    pub(super) fn whole(&self) -> &'r BTreeMap<Arc<str>, Node> {
        self.map
    }

    /// The first of several spellings that is set. One that is written comes before one that is not: that is as the
    /// cloud had it before the plan.
    pub(super) fn first(&self, names: &[&'static str]) -> Option<(&'static str, &'r Node)> {
        let mut set = names.iter().filter_map(|n| self.get(n).map(|v| (*n, v)));
        let Some(written) = self.written else {
            return set.next();
        };
        let set: Vec<_> = set.collect();
        let said = |n: &&str| written.get(*n).copied();
        let mut said: Vec<_> = set.iter().filter(|(n, _)| said(n).is_some()).collect();
        // Two spellings of one thing are never both set, so what is no constant is null and as the cloud had it.
        let twins = said.iter().any(|(n, _)| deprecated(self.spec.name, n));
        if let [_, _, ..] = said.as_slice()
            && twins
        {
            let constant = |(n, _): &&(&'static str, &Node)| written.get(*n) == Some(&true);
            match said.iter().copied().find(|s| constant(s)) {
                Some(one) => said = vec![one],
                None if said
                    .windows(2)
                    .all(|w| matches!(w, [a, b] if a.1.value == b.1.value)) => {}
                None => return said.first().map(|(n, _)| (*n, open())),
            }
        }
        said.first().map(|s| **s).or_else(|| set.first().copied())
    }

    /// Nested blocks.
    pub(super) fn blocks(&self, name: &'static str) -> Blocks<'r> {
        let Some(node) = self.get(name) else {
            return Blocks::Absent;
        };
        let (spec, span) = (self.spec, node.span);
        // Blocks in blocks are declared by their whole path.
        let nested = |a: &&str| {
            let rest = a.strip_prefix(self.prefix).and_then(|r| r.strip_prefix('.'));
            !self.prefix.is_empty() && rest == Some(name)
        };
        let prefix = spec.attributes.iter().copied().find(nested).unwrap_or(name);
        let one = |n: &'r Node| match &n.value {
            Value::Map(m) => Ok(Attrs {
                map: m,
                spec,
                prefix,
                written: None,
                span: n.span,
            }),
            Value::Unknown(u) => Err(u.clone()),
            Value::Ref(r) => Err(Unknown::at(
                format!("`{}.{}` is not known yet", r.address, r.attribute),
                n.span,
            )),
            _ => Err(Unknown::at(format!("`{name}` is not a block"), n.span)),
        };
        match &node.value {
            Value::List(items) => match items.iter().map(one).collect() {
                Ok(list) => Blocks::List(list),
                Err(u) => Blocks::Unknown(u),
            },
            Value::Map(_) => match one(node) {
                Ok(a) => Blocks::List(vec![a]),
                Err(u) => Blocks::Unknown(u),
            },
            _ => Blocks::Unknown(match one(node) {
                Err(u) => u,
                Ok(_) => Unknown::at(format!("`{name}` is not a block"), span),
            }),
        }
    }
}

/// A value that either of two spellings may have.
fn open() -> &'static Node {
    static OPEN: OnceLock<Node> = OnceLock::new();
    OPEN.get_or_init(|| Node {
        value: Value::Unknown(Unknown::new(crate::json::SPELT_TWICE)),
        span: Span::file(FileId(0)),
    })
}

/// The members of a list, set or single value; `Err` when the list as a whole is not known.
pub(super) fn items(node: &Node) -> Result<Vec<&Node>, Unknown> {
    match &node.value {
        Value::List(l) => Ok(l.iter().filter(|n| n.value != Value::Null).collect()),
        Value::Null => Ok(Vec::new()),
        Value::Unknown(u) => Err(u.clone()),
        _ => Ok(vec![node]),
    }
}
