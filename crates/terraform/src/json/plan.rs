//! Plans.

use super::references::{Configuration, Given, Written};
use super::state::{Values, flatten};
use crate::alicloud::never_left_to_cloud;
use bartizan_base::{Diagnostic, FileId, Span};
use bartizan_model::{Node, Resource, Unknown, Value};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::Value as J;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Deserialize)]
struct Document {
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
    change: Option<Change>,
}

/// `before` and `after` are not read: the planned values say the same.
#[derive(Deserialize)]
struct Change {
    #[serde(default)]
    after_unknown: J,
}

pub(super) fn read(text: &str, file: FileId) -> Result<(Vec<Resource>, Vec<Diagnostic>), serde_json::Error> {
    let doc: Document = serde_json::from_str(text)?;
    let mut out = Vec::new();
    if let Some(v) = doc.planned_values {
        flatten(v.root_module, file, &mut out);
    }
    // Data sources that were read while planning are in the prior state only.
    let mut before = Vec::new();
    if let Some(v) = doc.prior_state.and_then(|p| p.values) {
        flatten(v.root_module, file, &mut before);
    }
    let planned: BTreeSet<Arc<str>> = out.iter().map(|r| r.address.clone()).collect();
    out.extend(
        before
            .into_iter()
            .filter(|r| r.data && !planned.contains(&r.address)),
    );

    let config = Configuration::new(
        doc.configuration,
        doc.variables,
        out.iter().map(|r| r.address.clone()),
    );
    let unknown: FxHashMap<String, J> = doc
        .resource_changes
        .into_iter()
        .filter_map(|c| Some((c.address, c.change?.after_unknown)))
        .collect();
    for r in &mut out {
        r.region = config.region(&r.address);
        let Some(J::Object(after)) = unknown.get(&*r.address) else {
            continue;
        };
        for (name, flags) in after {
            let slot = r.attributes.remove(name.as_str());
            let at = Place {
                address: r.address.clone(),
                path: vec![Part::Name(name.clone())],
                span: r.span,
            };
            // What is not written down and left to the cloud is as in a directory: not set.
            if *flags == J::Bool(true)
                && config.leaves_out(&r.address, name)
                && !never_left_to_cloud(&r.kind, name)
            {
                continue;
            }
            if let Some(n) = overlay(slot, flags, &at, &config) {
                r.attributes.insert(name.as_str().into(), n);
            }
        }
    }
    // The same for every instance, so once.
    let said = config.assumed().into_iter().map(|(reader, argument, target)| {
        Diagnostic::note(
            "INPUT002",
            format!(
                "`{argument}` of `{reader}` is taken to name the instance of `{target}` with the same index"
            ),
        )
        .at(Span::file(file), "a plan does not say how `count.index` is used")
        .help("where an index is computed, read the directory of the configuration instead of its plan")
    });
    Ok((out, said.collect()))
}

/// A part of a path into the arguments of a resource.
#[derive(Clone, Debug)]
pub(super) enum Part {
    Name(String),
    /// A member of a list: its position, and its rank among the members that are unknown as a whole and how
    /// many those are.
    Index {
        at: usize,
        rank: usize,
        of: usize,
    },
}

/// Where a value stands.
pub(super) struct Place {
    pub(super) address: Arc<str>,
    pub(super) path: Vec<Part>,
    pub(super) span: Span,
}

impl Place {
    fn down(&self, p: Part) -> Place {
        let mut path = self.path.clone();
        path.push(p);
        Place {
            address: self.address.clone(),
            path,
            span: self.span,
        }
    }
}

/// Puts what is unknown into a value: references where the configuration says which, unknowns elsewhere.
fn overlay(node: Option<Node>, flags: &J, at: &Place, config: &Configuration) -> Option<Node> {
    match flags {
        J::Bool(true) => Some(Node {
            value: config
                .value_at(at)
                .unwrap_or_else(|| Value::Unknown(Unknown::new(super::AFTER_APPLY))),
            span: at.span,
        }),
        J::Array(flags) if !flags.is_empty() => {
            let mut items = match node.map(|n| n.value) {
                Some(Value::List(v)) => v,
                _ => Vec::new(),
            };
            let of = flags.iter().filter(|f| **f == J::Bool(true)).count();
            let mut rank = 0;
            for (i, f) in flags.iter().enumerate() {
                let part = Part::Index { at: i, rank, of };
                rank += usize::from(*f == J::Bool(true));
                let old = items.get_mut(i).map(|n| std::mem::replace(n, null(at.span)));
                let new = overlay(old, f, &at.down(part), config).unwrap_or_else(|| null(at.span));
                match items.get_mut(i) {
                    Some(slot) => *slot = new,
                    None => items.push(new),
                }
            }
            Some(Node {
                value: Value::List(items),
                span: at.span,
            })
        }
        J::Object(flags) if !flags.is_empty() => {
            let mut m = match node.map(|n| n.value) {
                Some(Value::Map(m)) => m,
                _ => BTreeMap::new(),
            };
            for (k, f) in flags {
                let old = m.remove(k.as_str());
                if let Some(n) = overlay(old, f, &at.down(Part::Name(k.clone())), config) {
                    m.insert(k.as_str().into(), n);
                }
            }
            Some(Node {
                value: Value::Map(m),
                span: at.span,
            })
        }
        _ => node,
    }
}

fn null(span: Span) -> Node {
    Node {
        value: Value::Null,
        span,
    }
}
