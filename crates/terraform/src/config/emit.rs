//! From declarations to resources.

use super::eval::{Fault, MAX_VALUE, R, Scope};
use super::module::{Called, Expansion, World, join, provider_name};
use super::source::{Block, Decl};
use super::value::{Instance, Key, V, to_node};
use bartizan_base::{Diagnostic, Span};
use bartizan_model::{Node, Resource, Understanding, Unknown, Value};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Arguments that are Terraform's and not the provider's.
const META: [&str; 4] = ["count", "for_each", "provider", "depends_on"];
/// Blocks of the same kind; how long a provider waits is not part of what it makes.
const META_BLOCKS: [&str; 4] = ["lifecycle", "provisioner", "connection", "timeouts"];
/// More resources than this in one configuration are taken for a mistake.
const MAX_RESOURCES: usize = 1_000_000;

/// One nested block: its own or that of a `dynamic`.
enum Nested<'b> {
    Block(Rc<Block>, Scope),
    /// It is not known how many there are.
    Unknown(Unknown, &'b Block),
}

impl World<'_> {
    /// Every resource of a module instance and of those below it.
    pub(crate) fn emit(&self, module: usize, out: &mut Vec<Resource>) {
        let Ok(m) = self.module(module) else { return };
        if self.full() {
            return;
        }
        for (i, d) in m.config.decls.iter().enumerate() {
            let keys: Vec<Key> = match self.expansion(module, i) {
                Ok(Expansion::One) => vec![Key::None],
                Ok(Expansion::Count(n)) => (0..n).map(Key::Index).collect(),
                Ok(Expansion::Each(m)) => m.keys().cloned().map(Key::Name).collect(),
                Ok(Expansion::Unknown(_)) => vec![Key::Any],
                Err(f) => {
                    self.say_fault(&f, d.block.span);
                    vec![Key::Any]
                }
            };
            for key in keys {
                if out.len() >= MAX_RESOURCES {
                    self.too_many(d.block.span);
                    return;
                }
                out.push(self.resource_instance(&Instance { module, decl: i, key }, d));
                if self.full() {
                    return;
                }
            }
        }
        for (name, call) in &m.config.modules {
            let instances = match self.called(module, name) {
                Ok(Called::Missing(why)) => {
                    out.push(missing_module(
                        &join(&m.path, &format!("module.{name}")),
                        call,
                        &why,
                    ));
                    Vec::new()
                }
                Ok(Called::One(i)) => vec![i],
                Ok(Called::Count(v)) => (*v).clone(),
                Ok(Called::Each(v)) => v.values().copied().collect(),
                Ok(Called::Unknown(u, i)) => {
                    let first = out.len();
                    self.emit(i, out);
                    for r in &mut out[first..] {
                        r.maybe.get_or_insert_with(|| u.clone());
                    }
                    Vec::new()
                }
                Err(f) => {
                    self.say_fault(&f, call.span);
                    out.push(missing_module(
                        &join(&m.path, &format!("module.{name}")),
                        call,
                        &f.why,
                    ));
                    Vec::new()
                }
            };
            for i in instances {
                self.emit(i, out);
            }
        }
    }

    /// Says why there is nothing: an empty answer must not look like a good one.
    pub(crate) fn nothing(&self) {
        let all = self.modules.borrow().clone();
        let blocks: Vec<Span> = all
            .iter()
            .flat_map(|m| m.config.decls.iter().map(|d| d.block.span))
            .collect();
        let d = match blocks.first() {
            Some(first) => Diagnostic::warning(
                "INPUT003",
                format!(
                    "{} resource blocks are declared and none exists with these values",
                    blocks.len()
                ),
            )
            .at(*first, "`count` or `for_each` is empty here")
            .help("a module is read with its defaults; give the variables that switch its resources on"),
            None => Diagnostic::warning("INPUT003", "no resource is declared here")
                .help("give the directory of a configuration, a plan or a state"),
        };
        self.say(d);
    }

    fn too_many(&self, span: Span) {
        self.say(
            Diagnostic::error("INPUT001", format!("more than {MAX_RESOURCES} resources"))
                .at(span, "reading stops here")
                .help("check parts of the configuration one by one"),
        );
    }

    fn resource_instance(&self, i: &Instance, d: &Decl) -> Resource {
        let span = d.block.span;
        let scope = match self.instance_scope(i) {
            Ok(s) => s,
            // Only the number of instances is unknown then.
            Err(_) => Scope {
                key: i.key.clone(),
                ..self.scope(i.module)
            },
        };
        let provider = match d.block.attr("provider").and_then(|e| provider_name(&e.expr)) {
            Some(p) => p,
            None => d.kind.split('_').next().unwrap_or_default().to_string(),
        };
        let region = match self.region(i.module, &provider) {
            Ok(V::Str(r)) => Some(r),
            _ => None,
        };
        let maybe = match (&i.key, self.expansion(i.module, i.decl)) {
            (Key::Any, Ok(Expansion::Unknown(u))) => Some(u),
            (Key::Any, Err(f)) => Some(Unknown {
                why: f.why.into(),
                span: f.span.or(Some(span)),
            }),
            _ => None,
        };
        Resource {
            address: self.address(i),
            kind: d.kind.as_str().into(),
            provider: Some(provider.into()),
            region,
            data: d.data,
            attributes: self.body(&d.block, &scope, Some(i)),
            span,
            maybe,
            understanding: Understanding::NotUnderstood("not classified".into()),
        }
    }

    fn node(&self, v: &V, span: Span) -> Node {
        self.keep(v);
        let large = (v.weight(MAX_VALUE + 1) > MAX_VALUE).then(|| self.too_large());
        to_node(large.as_ref().unwrap_or(v), span, &|i| self.address(i))
    }

    /// A fault as a value: said once, unknown from here on.
    fn or_unknown(&self, r: R, span: Span) -> V {
        r.unwrap_or_else(|f| {
            self.say_fault(&f, span);
            V::Unknown(Unknown {
                why: f.why.into(),
                span: f.span.or(Some(span)),
            })
        })
    }

    /// Attributes and nested blocks of a block.
    fn body(&self, b: &Block, s: &Scope, instance: Option<&Instance>) -> BTreeMap<Arc<str>, Node> {
        let mut out = BTreeMap::new();
        let top = instance.is_some();
        for (name, e) in &b.attrs {
            if top && META.contains(&name.as_str()) {
                continue;
            }
            // Others may have asked for the same attribute already; what is null is a plain null here.
            let v = self.or_unknown(self.expr(e, s), e.span);
            out.insert(Arc::from(name.as_str()), self.node(&v, e.span));
        }
        let mut lists: BTreeMap<Arc<str>, (Span, Vec<Node>)> = BTreeMap::new();
        for block in &b.blocks {
            let name = match (block.ident.as_str(), block.labels.first()) {
                ("dynamic", Some(l)) => l.as_str(),
                (n, _) => n,
            };
            if top && META_BLOCKS.contains(&name) {
                continue;
            }
            let list = &mut lists
                .entry(Arc::from(name))
                .or_insert_with(|| (block.span, Vec::new()))
                .1;
            match self.nested(block, s) {
                Ok(all) => {
                    for n in all {
                        list.push(match n {
                            Nested::Block(b, s) => Node {
                                value: Value::Map(self.body(&b, &s, None)),
                                span: block.span,
                            },
                            Nested::Unknown(u, at) => Node {
                                value: Value::Unknown(Unknown {
                                    span: u.span.or(Some(at.span)),
                                    ..u
                                }),
                                span: at.span,
                            },
                        });
                    }
                }
                Err(f) => {
                    let v = self.or_unknown(Err(f), block.span);
                    list.push(self.node(&v, block.span));
                }
            }
        }
        for (name, (span, list)) in lists {
            out.insert(
                name,
                Node {
                    value: Value::List(list),
                    span,
                },
            );
        }
        out
    }

    /// What one block in a body stands for: itself, or the blocks that a `dynamic` makes.
    fn nested<'b>(&self, b: &'b Rc<Block>, s: &Scope) -> Result<Vec<Nested<'b>>, Fault> {
        if b.ident != "dynamic" {
            return Ok(vec![Nested::Block(b.clone(), s.clone())]);
        }
        let (Some(label), Some(each)) = (b.labels.first(), b.attr("for_each")) else {
            return Err(Fault {
                why: "a dynamic block needs a label and `for_each`".into(),
                span: Some(b.span),
                missing: false,
            });
        };
        let iterator = b
            .attr("iterator")
            .and_then(|e| provider_name(&e.expr))
            .unwrap_or_else(|| label.clone());
        let Some(content) = b.blocks_of("content").next() else {
            return Err(Fault {
                why: "a dynamic block needs `content`".into(),
                span: Some(b.span),
                missing: false,
            });
        };
        let v = self.expr(each, s)?;
        // Nothing at all is as good as an empty list here.
        if v == V::Null {
            return Ok(Vec::new());
        }
        Ok(
            match self.pairs(&v).map_err(|f| Fault {
                span: f.span.or(Some(each.span)),
                ..f
            })? {
                Err(u) => vec![Nested::Unknown(
                    Unknown {
                        span: u.span.or(Some(each.span)),
                        ..u
                    },
                    b,
                )],
                Ok(pairs) => pairs
                    .into_iter()
                    .map(|(k, v)| {
                        let it = V::map([(Arc::from("key"), k), (Arc::from("value"), v)].into());
                        Nested::Block(content.clone(), s.with([(iterator.clone(), it)]))
                    })
                    .collect(),
            },
        )
    }

    /// The nested blocks of one name as a value, for references to them.
    pub(crate) fn blocks_value(&self, b: &Block, name: &str, s: &Scope) -> R {
        let mut list = Vec::new();
        for block in &b.blocks {
            let own = match (block.ident.as_str(), block.labels.first()) {
                ("dynamic", Some(l)) => l.as_str(),
                (n, _) => n,
            };
            if own != name {
                continue;
            }
            for n in self.nested(block, s)? {
                match n {
                    Nested::Unknown(u, _) => return Ok(V::Unknown(u)),
                    Nested::Block(b, s) => {
                        let mut m = BTreeMap::new();
                        for (k, e) in &b.attrs {
                            // As with attributes of the resource itself: the cloud decides what is left open.
                            let v = match self.expr(e, &s)? {
                                V::Null => V::unknown(format!("`{k}` is not set, so the cloud decides")),
                                v if v == V::str("") => {
                                    V::unknown(format!("`{k}` is empty, so the cloud may decide"))
                                }
                                v => v,
                            };
                            m.insert(Arc::from(k.as_str()), v);
                        }
                        for inner in &b.blocks {
                            let k: Arc<str> = match (inner.ident.as_str(), inner.labels.first()) {
                                ("dynamic", Some(l)) => l.as_str().into(),
                                (n, _) => n.into(),
                            };
                            if let std::collections::btree_map::Entry::Vacant(slot) = m.entry(k) {
                                let v = self.blocks_value(&b, slot.key(), &s)?;
                                slot.insert(v);
                            }
                        }
                        list.push(V::map(m));
                    }
                }
            }
        }
        Ok(V::list(list))
    }
}

/// Stands for a module that could not be loaded, so that it is listed.
fn missing_module(path: &str, call: &Block, why: &str) -> Resource {
    let mut attributes = BTreeMap::new();
    let why_node = Node {
        value: Value::String(why.into()),
        span: call.span,
    };
    attributes.insert(Arc::from("why"), why_node);
    Resource {
        address: path.into(),
        kind: "module".into(),
        provider: None,
        region: None,
        data: false,
        attributes,
        span: call.span,
        maybe: None,
        understanding: Understanding::NotUnderstood(format!("the module is not loaded: {why}")),
    }
}
