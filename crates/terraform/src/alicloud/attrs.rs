//! Reading attributes by declared names.

use super::TypeSpec;
use bartizan_base::Span;
use bartizan_model::{Node, Resource, Unknown, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The attributes of a resource or of one of its nested blocks.
///
/// INVARIANT (declared names): every name asked for is in the [`TypeSpec`]; debug builds check it, so that the
/// comparison of the specs with the provider's schema covers every name the code uses.
#[derive(Clone, Copy)]
pub(super) struct Attrs<'r> {
    map: &'r BTreeMap<Arc<str>, Node>,
    spec: &'static TypeSpec,
    prefix: &'static str,
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
            span: resource.span,
        }
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

    /// A block inside of this one, whose parts are declared by their whole paths.
    pub(super) fn nested(&self, block: &str) -> Option<&'r Node> {
        debug_assert!(
            self.spec.attributes.iter().any(|a| {
                let inner = a.strip_prefix(self.prefix).and_then(|r| r.strip_prefix('.'));
                inner.is_some_and(|r| r.split('.').next() == Some(block))
            }),
            "{}: `{block}` is not declared",
            self.spec.name
        );
        self.map.get(block)
    }

    /// The first of several spellings that is set.
    pub(super) fn first(&self, names: &[&'static str]) -> Option<(&'static str, &'r Node)> {
        names.iter().find_map(|n| self.get(n).map(|v| (*n, v)))
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

/// The members of a list, set or single value; `Err` when the list as a whole is not known.
pub(super) fn items(node: &Node) -> Result<Vec<&Node>, Unknown> {
    match &node.value {
        Value::List(l) => Ok(l.iter().filter(|n| n.value != Value::Null).collect()),
        Value::Null => Ok(Vec::new()),
        Value::Unknown(u) => Err(u.clone()),
        _ => Ok(vec![node]),
    }
}
