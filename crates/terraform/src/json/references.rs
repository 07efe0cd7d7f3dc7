//! What an unknown value of a plan refers to, by the plan's `configuration`.
//!
//! The configuration lists, for each argument, the names that its expression uses, not the expression itself:
//! `a[count.index].id`, `element(a[*].id, count.index + 1)` and `a[var.n].id` leave nearly the same names, and so
//! do `[a.id]` and `[a.id, "sg-1"]`. A reference is given only where the names leave one reading:
//!
//! - an unknown single value whose expression uses exactly one thing that can be unknown is that thing;
//! - the unknown members of a list of which the known ones are shown are the things in order, where each name is
//!   one thing and there are as many of them.
//!
//! Everything else stays unknown: a list that is unknown as a whole may have members that are written beside the
//! names or may leave some of them out, an index may be computed. Locals are not part of plans, so values through
//! locals stay unknown. For types that nothing reads ([`Owner::loose`]) what may be meant is enough, since all that
//! is asked of them is what they touch.

use super::address::{Path, joined, parse, path, split};
use super::shapes;
use crate::alicloud::{handled, identifies};
use bartizan_base::Span;
use bartizan_model::{Node, Reference, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use serde_json::Value as J;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// References chase each other through variables and outputs at most this far.
const MAX_CHASE: usize = 32;

/// A splat over more instances than this says nothing that could be used.
const MAX_SPLAT: usize = 1_000;

/// The `configuration` of a plan as written.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Written {
    pub(super) root_module: Module,
    provider_config: BTreeMap<String, Provider>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Provider {
    expressions: J,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Module {
    pub(super) resources: Vec<Block>,
    pub(super) module_calls: BTreeMap<String, Block>,
    pub(super) outputs: BTreeMap<String, Output>,
    pub(super) variables: BTreeMap<String, Variable>,
    #[serde(skip)]
    index: FxHashMap<String, usize>,
}

/// A resource or a module call.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Block {
    pub(super) address: String,
    /// Of module calls.
    pub(super) source: Option<String>,
    pub(super) mode: String,
    provider_config_key: Option<String>,
    pub(super) expressions: J,
    pub(super) for_each_expression: J,
    pub(super) count_expression: J,
    pub(super) module: Module,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Output {
    pub(super) expression: J,
}

/// A declared variable.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Variable {
    pub(super) default: Option<J>,
}

/// The value of a root variable.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Given {
    pub(super) value: J,
}

impl Module {
    fn index(&mut self) {
        let all = self.resources.iter().enumerate();
        self.index = all.map(|(i, r)| (r.address.clone(), i)).collect();
        self.module_calls.values_mut().for_each(|c| c.module.index());
    }
}

/// The configuration part of a plan.
pub(super) struct Configuration {
    written: Written,
    given: BTreeMap<String, Given>,
    /// Instances by address without index.
    instances: FxHashMap<String, Vec<Arc<str>>>,
    addresses: FxHashSet<Arc<str>>,
    /// Keys of module instances by address without the last index.
    calls: FxHashMap<String, BTreeSet<String>>,
}

/// A resource instance whose values are looked up.
pub(super) struct Owner<'a> {
    module: Path,
    key: String,
    siblings: usize,
    kind: String,
    /// Nothing reads this type.
    loose: bool,
    pub(super) span: Span,
    pub(super) block: &'a Block,
}

impl Owner<'_> {
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }
}

/// What an expression can take an unknown value from.
#[derive(Default)]
struct Sources {
    /// In order of use, with repetitions.
    found: Vec<Reference>,
    /// A name stands for several instances.
    several: bool,
}

/// Where an expression stands.
#[derive(Clone, Copy)]
struct Scope<'a> {
    module: &'a Path,
    /// Key of the resource or module instance that it belongs to, and how many of those there are.
    key: &'a str,
    siblings: usize,
    /// `None` for outputs, which have no `for_each`.
    block: Option<&'a Block>,
    /// The argument that is looked for.
    argument: &'a str,
    loose: bool,
}

impl Configuration {
    pub(super) fn new(
        mut written: Written,
        given: BTreeMap<String, Given>,
        addresses: impl Iterator<Item = Arc<str>>,
    ) -> Self {
        let mut instances: FxHashMap<String, Vec<Arc<str>>> = FxHashMap::default();
        let mut calls: FxHashMap<String, BTreeSet<String>> = FxHashMap::default();
        let mut known = FxHashSet::default();
        let mut last: Path = Path::new();
        for a in addresses {
            known.insert(a.clone());
            let parsed = parse(&a);
            // Addresses of a module stand together, so this is once per module.
            if parsed.module != last {
                for n in 1..=parsed.module.len() {
                    if let Some(([above @ .., (name, key)], _)) = parsed.module.split_at_checked(n) {
                        let call = format!("{}module.{name}", joined(above, ""));
                        calls.entry(call).or_default().insert(key.clone());
                    }
                }
                last.clone_from(&parsed.module);
            }
            let base = joined(&parsed.module, &parsed.resource);
            instances.entry(base).or_default().push(a);
        }
        written.root_module.index();
        Configuration {
            written,
            given,
            instances,
            addresses: known,
            calls,
        }
    }

    /// The configuration of a resource instance, where the plan has it.
    pub(super) fn owner(&self, address: &str, span: Span) -> Option<Owner<'_>> {
        let a = parse(address);
        let block = self.block(&a.module, &a.resource)?;
        let base = joined(&a.module, &a.resource);
        Some(Owner {
            siblings: self.instances.get(&base).map_or(1, Vec::len),
            kind: a.kind().to_string(),
            loose: !handled(a.kind()),
            module: a.module,
            key: a.key,
            span,
            block,
        })
    }

    /// A resource of the configuration that has exactly one instance, which is neither among the values nor among
    /// the changes.
    pub(super) fn missing<'a>(&self, changed: impl Iterator<Item = &'a str>) -> Option<String> {
        let base = |a: &str| {
            let a = parse(a);
            joined(&a.module, &a.resource)
        };
        let changed: FxHashSet<String> = changed.map(base).collect();
        let mut open = vec![(String::new(), &self.written.root_module)];
        while let Some((above, m)) = open.pop() {
            for r in &m.resources {
                let address = format!("{above}{}", r.address);
                let once = r.count_expression.is_null() && r.for_each_expression.is_null();
                let told = self.instances.contains_key(&address) || changed.contains(&address);
                if once && r.mode == "managed" && !told {
                    return Some(address);
                }
            }
            for (name, c) in &m.module_calls {
                if c.count_expression.is_null() && c.for_each_expression.is_null() {
                    open.push((format!("{above}module.{name}."), &c.module));
                }
            }
        }
        None
    }

    /// The region of the provider configuration of a resource, where the plan says it.
    pub(super) fn region(&self, address: &str) -> Option<Arc<str>> {
        let a = parse(address);
        let key = self
            .block(&a.module, &a.resource)?
            .provider_config_key
            .as_deref()?;
        let e = self.written.provider_config.get(key)?.expressions.get("region")?;
        let text = match e.get("constant_value") {
            Some(v) => v.as_str(),
            // `module.x:alicloud` has the variables of that module, which are not looked at here.
            None if key.contains(':') => None,
            None => match e.get("references")?.as_array()?.as_slice() {
                [r] => {
                    let name = r.as_str()?.strip_prefix("var.")?;
                    self.given.get(name)?.value.as_str()
                }
                _ => None,
            },
        };
        text.map(Into::into)
    }

    fn module(&self, path: &[(String, String)]) -> Option<&Module> {
        let mut m = &self.written.root_module;
        for (name, _) in path {
            m = &m.module_calls.get(name)?.module;
        }
        Some(m)
    }

    fn block(&self, module: &Path, resource: &str) -> Option<&Block> {
        let m = self.module(module)?;
        m.resources.get(*m.index.get(resource)?)
    }

    /// The references that an unknown value stands for: that of an argument, or of the member of a list of that
    /// rank among so many that are unknown.
    pub(super) fn value_of(
        &self,
        o: &Owner<'_>,
        e: &J,
        path: &str,
        member: Option<(usize, usize)>,
    ) -> Option<Value> {
        let argument = path.rsplit('.').next().unwrap_or(path);
        let scope = Scope {
            module: &o.module,
            key: &o.key,
            siblings: o.siblings,
            block: Some(o.block),
            argument,
            loose: o.loose,
        };
        let mut s = Sources::default();
        self.chase(e, scope, 0, &mut s)?;
        let mut once = s.found.clone();
        let mut seen = BTreeSet::new();
        once.retain(|r| seen.insert(r.clone()));
        let one = |r: &Reference| Value::Ref(r.clone());
        let list = shapes::collection(&o.kind, path).unwrap_or_else(|| plural(argument));
        match (member, once.as_slice()) {
            (Some((rank, of)), _) if s.found.len() == of && (o.loose || !s.several) => {
                s.found.get(rank).map(one)
            }
            (Some((0, 1)), [r]) => Some(one(r)),
            (Some(_), _) | (None, []) => None,
            (None, [r]) if !list => Some(one(r)),
            (None, many) if o.loose => Some(Value::List(
                many.iter()
                    .map(|r| Node {
                        value: one(r),
                        span: o.span,
                    })
                    .collect(),
            )),
            _ => None,
        }
    }

    /// Collects what an expression can take an unknown value from. `None` when that cannot be told.
    fn chase(&self, e: &J, s: Scope<'_>, depth: usize, out: &mut Sources) -> Option<()> {
        if depth > MAX_CHASE {
            return None;
        }
        let Some(all) = e.get("references").and_then(J::as_array) else {
            // A constant is never unknown.
            e.get("constant_value")?;
            return Some(());
        };
        let all: Vec<Vec<String>> = all.iter().filter_map(J::as_str).map(split).collect();
        // Each use is followed by its prefixes: `a[0].id`, `a[0]`, `a`.
        let prefixes: FxHashSet<&[String]> = all
            .iter()
            .flat_map(|p| (1..p.len()).filter_map(|n| p.get(..n)))
            .collect();
        let mut uses = all.iter().filter(|p| !prefixes.contains(p.as_slice()));
        let whole: Vec<&[String]> = uses.by_ref().map(Vec::as_slice).collect();
        let is = |p: &[String], a: &str, b: &str| p.len() == 2 && p.iter().eq([a, b]);
        let index = whole.iter().any(|p| is(p, "count", "index"));
        let key = index || whole.iter().any(|p| is(p, "each", "key"));
        // With anything else beside them the index may be computed.
        let only_key = key
            && whole.iter().all(|p| {
                is(p, "count", "index")
                    || is(p, "each", "key")
                    || !matches!(
                        p.first().map(String::as_str),
                        Some("var" | "local" | "each" | "path")
                    )
            });
        for p in whole {
            match p.first().map(String::as_str) {
                Some("each") if p.get(1).is_some_and(|p| p == "value") => {
                    self.each_value(p, s, depth, out)?
                }
                Some("count" | "each" | "path" | "terraform" | "self") | None => {}
                // Locals are not in the plan; what a data source gives is known, or read only during apply.
                Some("local" | "data") => return None,
                Some("var") => self.variable(p, s, depth, out)?,
                Some("module") => self.output(p, s, depth, out)?,
                Some(_) => self.resource(p, s, (only_key, index), out)?,
            }
        }
        Some(())
    }

    fn variable(&self, p: &[String], s: Scope<'_>, depth: usize, out: &mut Sources) -> Option<()> {
        let (name, rest) = (p.get(1)?, p.get(2..).unwrap_or_default());
        // A root variable is known.
        let Some(((call, key), above)) = s.module.split_last() else {
            return Some(());
        };
        let above = above.to_vec();
        let block = self.module(&above)?.module_calls.get(call)?;
        match block.expressions.get(name) {
            // Without an argument the default is used, which is known.
            None => Some(()),
            Some(_) if !rest.is_empty() => None,
            Some(e) => {
                let address = format!("{}module.{call}", joined(&above, ""));
                let up = Scope {
                    module: &above,
                    key,
                    siblings: self.calls.get(&address).map_or(1, BTreeSet::len),
                    block: Some(block),
                    ..s
                };
                self.chase(e, up, depth + 1, out)
            }
        }
    }

    fn output(&self, p: &[String], s: Scope<'_>, depth: usize, out: &mut Sources) -> Option<()> {
        let call = p.get(1)?;
        let (key, output, rest) = match p.get(2) {
            Some(k) if k.starts_with('[') => (k.clone(), p.get(3)?, p.get(4..)),
            Some(o) => (String::new(), o, p.get(3..)),
            // Which output it is was lost with an index that is not a constant.
            None => return None,
        };
        // A part of an output may be any part of its value.
        if rest.is_some_and(|r| !r.is_empty()) {
            return None;
        }
        let mut inside = s.module.clone();
        inside.push((call.clone(), key));
        let o = self.module(&inside)?.outputs.get(output)?;
        let scope = Scope {
            module: &inside,
            key: "",
            siblings: 0,
            block: None,
            ..s
        };
        self.chase(&o.expression, scope, depth + 1, out)
    }

    fn resource(
        &self,
        p: &[String],
        s: Scope<'_>,
        (by_key, index): (bool, bool),
        out: &mut Sources,
    ) -> Option<()> {
        let base = joined(s.module, &format!("{}.{}", p.first()?, p.get(1)?));
        let all = self.instances.get(&base)?;
        let (key, rest) = match p.get(2) {
            Some(k) if k.starts_with('[') => (Some(k.as_str()), p.get(3..)),
            _ => (None, p.get(2..)),
        };
        let attribute = match rest {
            Some(r) if !r.is_empty() => path(r),
            // An index that is not a constant takes the attribute with it.
            _ if identifies(p.first()?, s.argument) => s.argument.to_string(),
            _ => "id".to_string(),
        };
        let with = |k: &str| self.addresses.get(format!("{base}{k}").as_str()).cloned();
        let found = &mut out.found;
        let mut push = |a: Arc<str>| {
            found.push(Reference {
                address: a,
                attribute: attribute.as_str().into(),
            });
        };
        match (key, with(s.key)) {
            (Some(k), _) => push(with(k)?),
            (None, Some(same)) if by_key && !s.key.is_empty() => {
                // Which of several it is may be computed from the key: a plan shows only that the key takes part.
                if all.len() > 1 && !(s.loose && (!index || all.len() == s.siblings)) {
                    return None;
                }
                push(same);
            }
            // The name that the key has there is not the one that it has here.
            (None, _) if by_key && all.len() > 1 => return None,
            (None, _) if all.len() > MAX_SPLAT => return None,
            (None, _) => {
                out.several |= all.len() > 1;
                all.iter().cloned().for_each(push);
            }
        }
        Some(())
    }

    /// `each.value.x` of a resource or module whose `for_each` is another resource.
    fn each_value(&self, p: &[String], s: Scope<'_>, depth: usize, out: &mut Sources) -> Option<()> {
        let mut found = Sources::default();
        let scope = Scope { key: "", ..s };
        self.chase(&s.block?.for_each_expression, scope, depth + 1, &mut found)?;
        let rest = p.get(2..).unwrap_or_default();
        // Which of several it is may have nothing to do with its key: `{ a = x["b"], b = x["a"] }`.
        let all: BTreeSet<Reference> = found.found.into_iter().collect();
        let mut mine = all.into_iter().filter(|r| {
            let same = !s.loose || parse(&r.address).key == s.key;
            same && &*r.attribute == "id"
        });
        let (Some(mine), None) = (mine.next(), mine.next()) else {
            return None;
        };
        let attribute = if rest.is_empty() {
            "id".to_string()
        } else {
            path(rest)
        };
        out.found.push(Reference {
            address: mine.address,
            attribute: attribute.into(),
        });
        Some(())
    }
}

/// Whether an argument is a list of ids.
fn plural(argument: &str) -> bool {
    argument.ends_with('s') && !argument.ends_with("address")
}
