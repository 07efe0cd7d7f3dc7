//! Whether a directory is still the one that a plan was made from.
//!
//! A plan lists of every argument, count, module argument and output what its expression names, or its value if that is
//! a constant. Where the directory says something else it has changed since, and nothing that it says of the plan can be
//! relied on: what one resource is may decide what another one gets. Locals and `dynamic` blocks are not in a plan.

use super::references::{Block, Module, Written};
use super::shapes;
use crate::config::{Declared, Expr, World, calls, references};
use bartizan_base::Span;
use bartizan_model::{Node, Value};
use serde_json::Value as J;
use std::collections::BTreeSet;

/// What differs first, and where.
pub(super) type Drift = (String, Span);

/// Arguments of resources that are Terraform's, which a plan lists elsewhere or not at all.
const META: [&str; 4] = ["count", "for_each", "provider", "depends_on"];
const META_BLOCKS: [&str; 4] = ["lifecycle", "provisioner", "connection", "timeouts"];
/// The same of module calls.
const META_CALL: [&str; 6] = [
    "count",
    "for_each",
    "providers",
    "depends_on",
    "source",
    "version",
];

/// Compares the configuration of a plan with a directory.
pub(super) fn drift(w: &World<'_>, written: &Written, format: Option<&str>) -> Option<Drift> {
    // Before format 1.0 a reference was listed without what of the thing is meant.
    let short = !format.is_some_and(|f| f.starts_with("1."));
    Comparison { w, short }.module("", "", "", &written.root_module, 0)
}

/// Modules nest at most this deep.
const MAX_DEPTH: usize = 64;

struct Comparison<'w, 's> {
    w: &'w World<'s>,
    short: bool,
}

impl Comparison<'_, '_> {
    fn module(&self, dir: &str, manifest: &str, path: &str, m: &Module, depth: usize) -> Option<Drift> {
        if depth > MAX_DEPTH {
            return None;
        }
        let c = self.w.config(dir);
        let root = Span::file(bartizan_base::FileId(0));
        for r in m.resources.iter().filter(|r| r.mode != "ephemeral") {
            let what = format!("{path}{}", r.address);
            let Some(own) = c.declared(&r.address) else {
                let first = c.declarations().next().map_or(root, |(_, b)| b.span);
                return Some((format!("`{what}` is in the plan and not in the directory"), first));
            };
            if let Some((name, span)) = self.block(r, own) {
                return Some(other(format!("`{name}` of `{what}`"), span));
            }
        }
        let told: BTreeSet<&str> = m.resources.iter().map(|r| r.address.as_str()).collect();
        let more = c.declarations().find(|(a, _)| !told.contains(a.as_str()));
        if let Some((a, b)) = more {
            return Some((
                format!("`{path}{a}` is in the directory and not in the plan"),
                b.span,
            ));
        }
        let here = path.trim_end_matches('.');
        for (name, o) in &m.outputs {
            // Those of the root are nobody's arguments.
            let Some(own) = c.outputs.get(name).filter(|_| depth > 0) else {
                continue;
            };
            let same = own.attr("value").is_some_and(|e| self.same(&o.expression, e));
            if !same {
                return Some(other(format!("output `{name}` of `{here}`"), own.span));
            }
        }
        for (name, v) in &m.variables {
            let Some(own) = c.variables.get(name).filter(|_| depth > 0) else {
                continue;
            };
            let same = match (&v.default, own.attr("default")) {
                (None, None) => true,
                // What a plan leaves out may be null.
                (d, Some(_)) => {
                    let own = self.w.default_of(own);
                    own.is_some_and(|v| equal(&v, d.as_ref().unwrap_or(&J::Null)))
                }
                (Some(_), None) => false,
            };
            if !same {
                return Some(other(format!("variable `{name}` of `{here}`"), own.span));
            }
        }
        for (name, call) in &m.module_calls {
            let what = format!("{path}module.{name}");
            let Some(own) = c.modules.get(name) else {
                let first = c.modules.values().next().map_or(root, |b| b.span);
                return Some((format!("`{what}` is in the plan and not in the directory"), first));
            };
            let source = own.attr("source").and_then(|e| match self.w.constant(e) {
                Some(Value::String(s)) => Some(s),
                _ => None,
            });
            if let (Some(a), Some(b)) = (&source, &call.source)
                && **a != **b
            {
                return Some(other(format!("`source` of `{what}`"), own.span));
            }
            let changed = self.repeats(call, own).or_else(|| {
                let no = |_: &str| true;
                self.body(&call.expressions, own, &|n| META_CALL.contains(&n), &no, None)
            });
            if let Some((name, span)) = changed {
                return Some(other(format!("`{name}` of `{what}`"), span));
            }
            let key = if manifest.is_empty() {
                name.clone()
            } else {
                format!("{manifest}.{name}")
            };
            // What is not on this machine is not read either.
            let Some(inside) = self.w.directory_of(dir, &key, source.as_deref()) else {
                continue;
            };
            let inner = self.module(&inside, &key, &format!("{what}."), &call.module, depth + 1);
            if inner.is_some() {
                return inner;
            }
        }
        None
    }

    fn block(&self, r: &Block, own: &Declared) -> Option<Drift> {
        let address = r.address.strip_prefix("data.").unwrap_or(&r.address);
        let kind = address.split('.').next().unwrap_or(address);
        self.repeats(r, own).or_else(|| {
            let meta = |n: &str| META.contains(&n);
            let blocks = |n: &str| META_BLOCKS.contains(&n);
            self.body(&r.expressions, own, &meta, &blocks, Some((kind, "")))
        })
    }

    /// How often a block counts.
    fn repeats(&self, r: &Block, own: &Declared) -> Option<Drift> {
        let pairs = [
            ("count", &r.count_expression),
            ("for_each", &r.for_each_expression),
        ];
        pairs.into_iter().find_map(|(name, plan)| {
            let same = match (plan, own.attr(name)) {
                (J::Null, None) => true,
                // What is neither constant nor names anything is left out.
                (J::Null, Some(e)) => calls(&e.expr) && references(&e.expr).is_empty(),
                (_, None) => false,
                (p, Some(e)) => self.same(p, e),
            };
            (!same).then(|| (name.to_string(), own.attr(name).map_or(own.span, |e| e.span)))
        })
    }

    /// The arguments and nested blocks of a block. `at` is the type and the path in it, where a schema knows them.
    fn body(
        &self,
        plan: &J,
        own: &Declared,
        meta: &dyn Fn(&str) -> bool,
        meta_blocks: &dyn Fn(&str) -> bool,
        at: Option<(&str, &str)>,
    ) -> Option<Drift> {
        let empty = serde_json::Map::new();
        let plan = plan.as_object().unwrap_or(&empty);
        let none = |_: &str| false;
        for (name, p) in plan {
            let blocks: Vec<&Declared> = own.blocks_of(name).map(|b| &**b).collect();
            let here = own.attr(name).map_or(own.span, |e| e.span);
            let inside = at.map(|(kind, path)| (kind, inside(path, name)));
            let inside = inside.as_ref().map(|(k, p)| (*k, p.as_str()));
            let same = match (p, own.attr(name)) {
                (J::Object(o), Some(e)) if expression(o) => self.same(p, e),
                // In JSON nested blocks are written as arguments.
                (_, Some(e)) => self.alike(gathered(p), references(&e.expr)),
                (J::Array(all), None) if all.len() == blocks.len() => {
                    let mut pairs = all.iter().zip(&blocks);
                    let inner = pairs.find_map(|(p, b)| self.body(p, b, &none, &none, inside));
                    if inner.is_some() {
                        return inner;
                    }
                    true
                }
                (J::Object(o), None) if !expression(o) && blocks.len() == 1 => {
                    let inner = blocks.iter().find_map(|b| self.body(p, b, &none, &none, inside));
                    if inner.is_some() {
                        return inner;
                    }
                    true
                }
                // Blocks that the provider takes for an argument; `dynamic` ones among them are not shown.
                (J::Object(_), None) if made(own, name) => true,
                (J::Object(o), None) if expression(o) && !blocks.is_empty() => {
                    let all = blocks.iter().flat_map(|b| named(b));
                    self.alike(gathered(p), all.collect())
                }
                _ => false,
            };
            if !same {
                return Some((name.clone(), here));
            }
        }
        let written = own.attrs.iter().find(|(n, _)| !meta(n) && !plan.contains_key(n));
        if let Some((name, e)) = written {
            return Some((name.clone(), e.span));
        }
        let (kind, path) = at?;
        let more = own.blocks.iter().find(|b| {
            let new = b.ident != "dynamic" && !meta_blocks(&b.ident) && !plan.contains_key(&b.ident);
            new && shapes::block(kind, &inside(path, &b.ident))
        });
        more.map(|b| (b.ident.clone(), b.span))
    }

    /// Whether an expression is what a plan says of it.
    fn same(&self, plan: &J, e: &Expr) -> bool {
        self.alike(gathered(plan), references(&e.expr))
            && plan
                .get("constant_value")
                .is_none_or(|c| template(c) || self.equals(e, c))
    }

    fn equals(&self, e: &Expr, constant: &J) -> bool {
        self.w.constant(e).is_some_and(|v| equal(&v, constant))
    }

    /// Whether two lists name the same things.
    fn alike(&self, mut plan: Vec<String>, mut own: Vec<String>) -> bool {
        if self.short {
            for all in [&mut plan, &mut own] {
                for r in all.iter_mut() {
                    *r = head(r);
                }
            }
        }
        plan.sort_unstable();
        own.sort_unstable();
        if self.short {
            plan.dedup();
            own.dedup();
        }
        plan == own
    }
}

/// What is written otherwise in the directory.
fn other(what: String, span: Span) -> Drift {
    (
        format!("{what} is another in the directory than in the plan"),
        span,
    )
}

/// The path of something in a block.
fn inside(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_string()
    } else {
        format!("{path}.{name}")
    }
}

/// Whether what a plan says is of an expression and not of a nested block.
fn expression(o: &serde_json::Map<String, J>) -> bool {
    o.is_empty() || o.contains_key("references") || o.contains_key("constant_value")
}

/// Whether `dynamic` blocks make nested blocks of a name.
fn made(b: &Declared, name: &str) -> bool {
    let mut all = b.blocks_of("dynamic");
    all.any(|d| d.labels.first().is_some_and(|l| l == name))
}

/// Whether a constant has templates in it: of a JSON file a plan shows the text itself.
fn template(c: &J) -> bool {
    let is = |s: &str| s.contains("${") || s.contains("%{");
    match c {
        J::String(s) => is(s),
        J::Array(all) => all.iter().any(template),
        J::Object(all) => all.iter().any(|(k, v)| is(k) || template(v)),
        _ => false,
    }
}

/// Every reference in what a plan says of a block or an expression.
fn gathered(plan: &J) -> Vec<String> {
    match plan {
        J::Object(o) if expression(o) => {
            let all = o.get("references").and_then(J::as_array).into_iter().flatten();
            let all = all.filter_map(J::as_str).filter(|r| !r.starts_with("provider::"));
            all.map(str::to_string).collect()
        }
        J::Object(o) => o.values().flat_map(gathered).collect(),
        J::Array(all) => all.iter().flat_map(gathered).collect(),
        _ => Vec::new(),
    }
}

/// Every reference in a block.
fn named(b: &Declared) -> Vec<String> {
    let own = b.attrs.iter().flat_map(|(_, e)| references(&e.expr));
    own.chain(b.blocks.iter().flat_map(|b| named(b))).collect()
}

/// The thing that a reference names, without its key.
fn head(r: &str) -> String {
    let parts = super::address::split(r);
    let n = match parts.first().map(String::as_str) {
        Some("data" | "ephemeral") => 3,
        _ => 2,
    };
    parts.get(..n.min(parts.len())).unwrap_or_default().join(".")
}

/// Whether a value is a constant of a plan.
fn equal(v: &Value, c: &J) -> bool {
    match (v, c) {
        (Value::Null, J::Null) => true,
        (Value::Bool(a), J::Bool(b)) => a == b,
        (Value::String(a), J::String(b)) => **a == **b,
        (Value::Number(a), J::Number(b)) => a.parse::<f64>().ok() == b.as_f64(),
        (Value::List(a), J::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(&a.value, b))
        }
        (Value::Map(a), J::Object(b)) => {
            let of = |k: &str, n: &Node| b.get(k).is_some_and(|c| equal(&n.value, c));
            a.len() == b.len() && a.iter().all(|(k, n)| of(k, n))
        }
        _ => false,
    }
}
