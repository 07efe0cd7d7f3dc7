//! What an unknown value of a plan refers to, by the plan's `configuration`.
//!
//! The configuration lists, for each argument, the names that its expression uses, not the expression itself.
//! An unknown value whose expression uses exactly one thing that can be unknown is taken to be that thing;
//! with more than one it stays unknown. Locals are not part of plans, so values through locals stay unknown.

use super::plan::{Part, Place};
use bartizan_model::{Node, Reference, Value};
use rustc_hash::FxHashSet;
use serde_json::Value as J;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// References chase each other through variables and outputs at most this far.
const MAX_CHASE: usize = 32;

/// The configuration part of a plan.
pub(super) struct Configuration {
    root: J,
    /// Instances by address without index.
    instances: BTreeMap<String, Vec<Arc<str>>>,
    addresses: FxHashSet<Arc<str>>,
}

/// A module instance as a path of calls with their keys (`[0]`, `["a"]`, or nothing).
type Path = Vec<(String, String)>;

/// An address in parts.
struct Address {
    module: Path,
    resource: String,
    key: String,
}

impl Configuration {
    pub(super) fn new(config: Option<J>, addresses: impl Iterator<Item = Arc<str>>) -> Self {
        let mut instances: BTreeMap<String, Vec<Arc<str>>> = BTreeMap::new();
        let mut known = FxHashSet::default();
        for a in addresses {
            known.insert(a.clone());
            let parsed = parse(&a);
            let base = joined(&parsed.module, &parsed.resource);
            instances.entry(base).or_default().push(a);
        }
        let root = match config {
            Some(J::Object(mut m)) => m.remove("root_module").unwrap_or(J::Null),
            _ => J::Null,
        };
        Configuration {
            root,
            instances,
            addresses: known,
        }
    }

    /// Whether the configuration of a resource is there and does not set an argument.
    pub(super) fn leaves_out(&self, address: &str, argument: &str) -> bool {
        let a = parse(address);
        self.declaration(&a)
            .is_some_and(|d| d["expressions"].get(argument).is_none())
    }

    fn declaration(&self, a: &Address) -> Option<&J> {
        let module = self.module(&a.module)?;
        module["resources"]
            .as_array()?
            .iter()
            .find(|r| r["address"].as_str() == Some(&a.resource))
    }

    /// The references that an unknown value stands for.
    pub(super) fn value_at(&self, at: &Place) -> Option<Value> {
        let a = parse(&at.address);
        let decl = self.declaration(&a)?;
        let mut e = &decl["expressions"];
        let mut plural = false;
        let mut element = None;
        for p in &at.path {
            match p {
                Part::Name(n) => {
                    e = e.get(n)?;
                    plural = n.ends_with('s') && !n.ends_with("address");
                }
                Part::Index(i) => match e {
                    J::Array(v) => e = v.get(*i)?,
                    // One expression for the whole list.
                    _ => element = Some(*i),
                },
            }
        }
        let mut found = Vec::new();
        let scope = Scope {
            module: &a.module,
            key: &a.key,
            decl,
        };
        self.chase(e, &scope, 0, &mut found)?;
        let mut seen = BTreeSet::new();
        found.retain(|r| seen.insert(r.clone()));
        match (found.as_slice(), element) {
            ([one], None | Some(0)) => Some(Value::Ref(one.clone())),
            (many, Some(i)) => many.get(i).map(|r| Value::Ref(r.clone())),
            (many, None) if plural && !many.is_empty() => {
                let span = at.span;
                Some(Value::List(
                    many.iter()
                        .map(|r| Node {
                            value: Value::Ref(r.clone()),
                            span,
                        })
                        .collect(),
                ))
            }
            _ => None,
        }
    }

    fn module(&self, path: &Path) -> Option<&J> {
        let mut m = &self.root;
        for (name, _) in path {
            m = m["module_calls"].get(name)?.get("module")?;
        }
        Some(m)
    }

    /// Collects what an expression can take an unknown value from. `None` when that cannot be told.
    fn chase(&self, e: &J, s: &Scope<'_>, depth: usize, out: &mut Vec<Reference>) -> Option<()> {
        if depth > MAX_CHASE {
            return None;
        }
        let Some(all) = e["references"].as_array() else {
            // A constant is never unknown.
            return e.get("constant_value").map(|_| ());
        };
        let all: Vec<&str> = all.iter().filter_map(J::as_str).collect();
        let longest = all.iter().filter(|r| {
            !all.iter()
                .any(|o| o.len() > r.len() && o.starts_with(**r) && o[r.len()..].starts_with(['.', '[']))
        });
        let by_key = all
            .iter()
            .any(|r| ["count.index", "each.key"].contains(r) || r.starts_with("each.value"));
        for r in longest {
            let parts = split(r);
            match parts.first().map(String::as_str) {
                Some("each") if parts.get(1).is_some_and(|p| p == "value") => {
                    self.each_value(&parts, s, depth, out)?;
                }
                Some("each" | "count" | "path" | "terraform" | "self") => {}
                Some("local") => return None,
                Some("var") => {
                    let (name, rest) = (parts.get(1)?, parts.get(2..).unwrap_or_default());
                    let Some(((call, key), above)) = s.module.split_last() else {
                        continue;
                    };
                    let above = above.to_vec();
                    let caller = self.module(&above)?;
                    let decl = caller["module_calls"].get(call)?;
                    // Without an argument the default is used, which is known.
                    let Some(e) = decl["expressions"].get(name) else {
                        continue;
                    };
                    if !rest.is_empty() {
                        return None;
                    }
                    self.chase(
                        e,
                        &Scope {
                            module: &above,
                            key,
                            decl,
                        },
                        depth + 1,
                        out,
                    )?;
                }
                Some("module") => {
                    let call = parts.get(1)?;
                    let (key, output) = match parts.get(2) {
                        Some(k) if k.starts_with('[') => (k.clone(), parts.get(3)?),
                        Some(o) => (String::new(), o),
                        // Which output it is was lost with an index that is not a constant.
                        None => return None,
                    };
                    let mut inside = s.module.clone();
                    inside.push((call.clone(), key));
                    let m = self.module(&inside)?;
                    let o = m["outputs"].get(output)?;
                    let scope = Scope {
                        module: &inside,
                        key: "",
                        decl: o,
                    };
                    self.chase(&o["expression"], &scope, depth + 1, out)?;
                }
                // What a data source gives is known, or read only during apply.
                Some("data") => return None,
                Some(_) => {
                    let base = joined(s.module, &format!("{}.{}", parts.first()?, parts.get(1)?));
                    let all = self.instances.get(&base)?;
                    let (key, rest) = match parts.get(2) {
                        Some(k) if k.starts_with('[') => (Some(k.as_str()), &parts[3..]),
                        _ => (None, parts.get(2..).unwrap_or_default()),
                    };
                    let attribute = if rest.is_empty() {
                        "id".to_string()
                    } else {
                        path(rest)
                    };
                    let with = |k: &str| self.addresses.get(format!("{base}{k}").as_str()).cloned();
                    let mut push = |a: Arc<str>| {
                        out.push(Reference {
                            address: a,
                            attribute: attribute.as_str().into(),
                        })
                    };
                    match key {
                        Some(k) => push(with(k)?),
                        None if by_key && !s.key.is_empty() && with(s.key).is_some() => push(with(s.key)?),
                        // A splat over very many says nothing that could be used.
                        None if all.len() > 1_000 => return None,
                        None => all.iter().cloned().for_each(push),
                    }
                }
                None => {}
            }
        }
        Some(())
    }

    /// `each.value.x` of a resource or module whose `for_each` is another resource.
    fn each_value(
        &self,
        parts: &[String],
        s: &Scope<'_>,
        depth: usize,
        out: &mut Vec<Reference>,
    ) -> Option<()> {
        let mut found = Vec::new();
        let scope = Scope {
            module: s.module,
            key: "",
            decl: s.decl,
        };
        self.chase(&s.decl["for_each_expression"], &scope, depth + 1, &mut found)?;
        let rest = parts.get(2..).unwrap_or_default();
        let mine = found
            .into_iter()
            .find(|r| r.address.ends_with(s.key) && &*r.attribute == "id")?;
        let attribute = if rest.is_empty() {
            "id".to_string()
        } else {
            path(rest)
        };
        out.push(Reference {
            address: mine.address,
            attribute: attribute.into(),
        });
        Some(())
    }
}

/// Where an expression stands.
struct Scope<'a> {
    module: &'a Path,
    /// Key of the resource or module instance that it belongs to.
    key: &'a str,
    decl: &'a J,
}

/// Splits `a.b[0].c["x.y"]` into `a`, `b`, `[0]`, `c`, `["x.y"]`.
fn split(address: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut cur = String::new();
    let (mut quoted, mut escaped, mut bracket) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '.' if !bracket => {
                if !cur.is_empty() {
                    out.push(std::mem::take(&mut cur));
                }
                continue;
            }
            '[' => {
                if !cur.is_empty() {
                    out.push(std::mem::take(&mut cur));
                }
                bracket = true;
            }
            ']' => bracket = false,
            _ => {}
        }
        cur.push(c);
    }
    if !cur.is_empty() {
        out.push(cur);
    }
    out
}

fn path(parts: &[String]) -> String {
    let mut out = String::new();
    for p in parts {
        if !out.is_empty() && !p.starts_with('[') {
            out.push('.');
        }
        out.push_str(p);
    }
    out
}

fn parse(address: &str) -> Address {
    let parts = split(address);
    let mut it = parts.into_iter().peekable();
    let mut module = Vec::new();
    while it.next_if(|p| p == "module").is_some() {
        let name = it.next().unwrap_or_default();
        let key = it.next_if(|p| p.starts_with('[')).unwrap_or_default();
        module.push((name, key));
    }
    let mut rest: Vec<String> = it.collect();
    let key = match rest.last() {
        Some(k) if k.starts_with('[') => rest.pop().unwrap_or_default(),
        _ => String::new(),
    };
    Address {
        module,
        resource: rest.join("."),
        key,
    }
}

fn joined(module: &Path, resource: &str) -> String {
    let mut out = String::new();
    for (name, key) in module {
        out.push_str(&format!("module.{name}{key}."));
    }
    out + resource
}
