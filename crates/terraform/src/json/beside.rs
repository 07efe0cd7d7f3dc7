//! The directory that a plan was made from: it has the expressions that a plan only names.
//!
//! A plan has the values that are known, a directory the form of those that are not. What is unknown in a plan is taken
//! from the resource of the same address, where the two agree in what both know.

use super::blocks::alike;
use super::drift::Drift;
use super::{AFTER_APPLY, WRITTEN};
use bartizan_base::{Diagnostic, Severity, Span};
use bartizan_model::{Node, Resource, Unknown, Value};
use rustc_hash::FxHashMap;
use serde_json::Value as J;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An evaluated directory.
pub(super) struct Beside {
    all: FxHashMap<Arc<str>, Resource>,
    said: Vec<Diagnostic>,
    /// How many resources were found, and what the first that differs is.
    found: usize,
    differs: Option<(String, Span)>,
    /// What has changed since the plan was made: then nothing of it is used.
    drift: Option<Drift>,
}

impl Beside {
    /// What was said of values that are not known is said again of those that are used.
    pub(super) fn new(all: Vec<Resource>, mut said: Vec<Diagnostic>, drift: Option<Drift>) -> Self {
        said.retain(|d| d.severity == Severity::Error);
        Beside {
            all: all.into_iter().map(|r| (r.address.clone(), r)).collect(),
            said,
            found: 0,
            differs: None,
            drift,
        }
    }

    /// The resource of the directory that one of the plan was made from.
    pub(super) fn of(&mut self, r: &Resource, flags: &serde_json::Map<String, J>) -> Option<Resource> {
        let own = self.all.get(&r.address).filter(|d| d.kind == r.kind)?;
        self.found += 1;
        if self.drift.is_some() {
            return None;
        }
        let mut all = own.attributes.iter();
        let other = all.find(|(name, n)| !agree(r.attributes.get(*name), flags.get(&***name), n));
        if let Some((name, n)) = other {
            self.differs
                .get_or_insert_with(|| (format!("`{name}` of `{}`", r.address), n.span));
            return None;
        }
        Some(own.clone())
    }

    /// What there is to say about the directory.
    pub(super) fn said(mut self) -> Vec<Diagnostic> {
        if self.found == 0 {
            self.said.push(
                Diagnostic::error("INPUT001", "the directory has no resource of the plan")
                    .help("give the directory in which `terraform plan` was run"),
            );
        }
        let all = self
            .drift
            .map(|(what, span)| (format!("{what}: what the plan does not know stays unknown"), span));
        let one = self.differs.map(|(what, span)| {
            let why = format!(
                "{what} is another in the directory than in the plan: what the plan does not know of it stays unknown"
            );
            (why, span)
        });
        if let Some((why, span)) = all.or(one)
            && self.found > 0
        {
            self.said.push(
                Diagnostic::warning("INPUT002", why)
                    .at(span, "written here")
                    .help("plan again, or give the directory as it was"),
            );
        }
        self.said
    }
}

/// Whether a value of the directory may be what a plan knows of it, given what it does not know. Sets come in another
/// order, and providers fill in what is not written.
fn agree(plan: Option<&Node>, flags: Option<&J>, own: &Node) -> bool {
    let Some(plan) = plan.filter(|p| p.value != Value::Null && flags != Some(&J::Bool(true))) else {
        return true;
    };
    let text = match &own.value {
        Value::String(s) | Value::Number(s) => s,
        Value::Bool(true) => "true",
        Value::Bool(false) => "false",
        Value::List(mine) => {
            let Value::List(all) = &plan.value else {
                return true;
            };
            let unknown = |n: usize| flags.and_then(|f| f.get(n)) == Some(&J::Bool(true));
            let flag = |n: usize| flags.and_then(|f| f.get(n));
            let bare = |n: &Node| matches!(n.value, Value::Ref(_) | Value::Unknown(_));
            // What is known on both sides has its like on the other one.
            let found = mine.iter().filter(|m| !bare(m)).all(|m| {
                let mut like = all.iter().enumerate().filter(|(n, _)| !unknown(*n));
                like.any(|(n, p)| agree(Some(p), flag(n), m))
            });
            let missing = all.iter().enumerate().filter(|(n, p)| {
                let mut like = mine.iter().filter(|m| !bare(m));
                unknown(*n) || !like.any(|m| agree(Some(p), flag(*n), m))
            });
            // Or is a reference that the plan knows. How many an unknown member stands for is not known.
            let open = mine.iter().any(|m| matches!(m.value, Value::Unknown(_)));
            let wanted = open || missing.count() <= mine.iter().filter(|m| bare(m)).count();
            return found && wanted;
        }
        Value::Map(mine) => {
            let Value::Map(all) = &plan.value else { return true };
            return mine
                .iter()
                .all(|(k, m)| agree(all.get(k), flags.and_then(|f| f.get(&**k)), m));
        }
        Value::Null | Value::Ref(_) | Value::Unknown(_) => return true,
    };
    alike(&plan.value, text)
}

/// Whether anything is unknown.
pub(super) fn open(flags: &J) -> bool {
    match flags {
        J::Bool(b) => *b,
        J::Array(all) => all.iter().any(open),
        J::Object(all) => all.values().any(open),
        _ => false,
    }
}

/// An attribute of which something is unknown in the plan, as the directory has it.
pub(super) fn overlay(node: Option<Node>, flags: &J, own: Option<&Node>, span: Span) -> Option<Node> {
    let own = own.filter(|n| n.value != Value::Null);
    match own {
        Some(n) if foggy(&n.value) => Some(n.clone()),
        // The plan knows better: something changes the value on its way.
        Some(n) if *flags == J::Bool(true) => Some(Node {
            value: Value::Unknown(Unknown::at(WRITTEN, n.span)),
            span: n.span,
        }),
        // Nobody wrote it, so it is as in a directory: not set.
        None if *flags == J::Bool(true) => None,
        _ => Some(filled(node, flags, span)),
    }
}

/// Whether something in a value is not known as a text.
fn foggy(v: &Value) -> bool {
    match v {
        Value::Ref(_) | Value::Unknown(_) => true,
        Value::List(all) => all.iter().any(|n| foggy(&n.value)),
        Value::Map(all) => all.values().any(|n| foggy(&n.value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// A value whose unknown parts are those that nobody wrote.
fn filled(node: Option<Node>, flags: &J, span: Span) -> Node {
    let old = node.map(|n| n.value);
    let value = match (flags, old) {
        (J::Bool(true), _) => Value::Unknown(Unknown::new(AFTER_APPLY)),
        (J::Array(flags), old) if !flags.is_empty() => {
            let old = if let Some(Value::List(v)) = old {
                v
            } else {
                Vec::new()
            };
            let mut old = old.into_iter();
            let mut all: Vec<Node> = flags.iter().map(|f| filled(old.next(), f, span)).collect();
            all.extend(old);
            Value::List(all)
        }
        (J::Object(flags), old) if !flags.is_empty() => {
            let mut m = if let Some(Value::Map(m)) = old {
                m
            } else {
                BTreeMap::new()
            };
            for (k, f) in flags {
                let n = filled(m.remove(k.as_str()), f, span);
                m.insert(k.as_str().into(), n);
            }
            Value::Map(m)
        }
        (_, old) => old.unwrap_or(Value::Null),
    };
    Node { value, span }
}
