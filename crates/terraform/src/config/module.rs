//! Modules: instances of them, and the values that expressions refer to.

mod instances;

use super::EvalOptions;
use super::eval::{Fault, MAX_VALUE, R, Scope, fault};
use super::source::{Block, Config, Expr, load};
use super::value::{Instance, Key, V, to_node};
use super::variables::Given;
use super::workspace::workspace;
use crate::FileSet;
use bartizan_base::{Diagnostic, FileId, Sources, Span};
use bartizan_model::{Reference, Unknown, Value};
use hcl_edit::expr::{Expression, TraversalOperator};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Modules nest at most this deep; a module that calls itself has no end.
const MAX_MODULE_DEPTH: usize = 40;
/// More parts than this in all values that are kept end the reading.
const MAX_TOTAL: usize = 50_000_000;
/// More instances of modules than this are taken for a mistake.
const MAX_MODULES: usize = 200_000;
/// More instances than this of one block are taken for a mistake.
const MAX_INSTANCES: usize = 200_000;

/// One instance of a module.
pub(crate) struct ModuleInst {
    /// Directory relative to the root; empty for the root.
    pub(crate) dir: String,
    pub(crate) config: Rc<Config>,
    /// `module.a[0].module.b`; empty for the root.
    pub(crate) path: String,
    /// Key of the module in `modules.json`: `a.b`.
    manifest: String,
    depth: usize,
    /// The module that calls it, the call, and where it stands.
    pub(crate) call: Option<(usize, Rc<Block>, Scope)>,
}

/// How many instances a block has.
#[derive(Clone, Debug)]
pub(crate) enum Expansion {
    One,
    Count(usize),
    Each(Rc<BTreeMap<Arc<str>, V>>),
    Unknown(Unknown),
}

/// The instances of a module call.
#[derive(Clone, Debug)]
pub(crate) enum Called {
    /// The module is not there; why.
    Missing(Arc<str>),
    One(usize),
    Count(Rc<Vec<usize>>),
    Each(Rc<BTreeMap<Arc<str>, usize>>),
    /// It is not known how often it exists; one stands for all.
    Unknown(Unknown, usize),
}

enum Memo<T> {
    Busy,
    Done(Result<T, Fault>),
}

/// A cache that notices when a value needs itself.
struct Cache<K, T>(RefCell<FxHashMap<K, Memo<T>>>);

impl<K: std::hash::Hash + Eq + Clone, T: Clone> Cache<K, T> {
    fn new() -> Self {
        Cache(RefCell::new(FxHashMap::default()))
    }
    fn get(
        &self,
        key: K,
        what: impl FnOnce() -> String,
        make: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        match self.0.borrow().get(&key) {
            Some(Memo::Done(r)) => return r.clone(),
            Some(Memo::Busy) => return fault(format!("{} refers to itself", what())),
            None => {}
        }
        self.0.borrow_mut().insert(key.clone(), Memo::Busy);
        let r = make();
        self.0.borrow_mut().insert(key, Memo::Done(r.clone()));
        r
    }
}

/// Everything that evaluation needs.
pub(crate) struct World<'a> {
    pub(crate) files: &'a FileSet,
    pub(crate) sources: &'a Sources,
    pub(crate) depth: Cell<usize>,
    /// Why what is being evaluated may fail, see [`World::doubt`].
    pub(crate) doubts: RefCell<Option<Unknown>>,
    pub(crate) diagnostics: RefCell<Vec<Diagnostic>>,
    pub(crate) modules: RefCell<Vec<Rc<ModuleInst>>>,
    /// Parts of all values that are kept, see [`World::keep`].
    spent: Cell<usize>,
    /// Or why it is not known.
    workspace: Result<String, &'static str>,
    given: Given,
    manifest: BTreeMap<String, String>,
    configs: RefCell<FxHashMap<String, Rc<Config>>>,
    variables: Cache<(usize, String), V>,
    locals: Cache<(usize, String), V>,
    outputs: Cache<(usize, String), V>,
    expansions: Cache<(usize, usize), Expansion>,
    attributes: Cache<(Instance, String), V>,
    calls: Cache<(usize, String), Called>,
    regions: Cache<(usize, String), V>,
}

type Ops<'o> = [&'o TraversalOperator];

impl<'a> World<'a> {
    pub(crate) fn new(files: &'a FileSet, sources: &'a Sources) -> Self {
        let w = World {
            files,
            sources,
            depth: Cell::new(0),
            doubts: RefCell::default(),
            diagnostics: RefCell::default(),
            modules: RefCell::default(),
            spent: Cell::new(0),
            workspace: Ok("default".to_string()),
            given: Given::default(),
            manifest: super::manifest::read(files, sources),
            configs: RefCell::default(),
            variables: Cache::new(),
            locals: Cache::new(),
            outputs: Cache::new(),
            expansions: Cache::new(),
            attributes: Cache::new(),
            calls: Cache::new(),
            regions: Cache::new(),
        };
        let root = ModuleInst {
            dir: String::new(),
            config: w.config(""),
            path: String::new(),
            manifest: String::new(),
            depth: 0,
            call: None,
        };
        w.modules.borrow_mut().push(Rc::new(root));
        w
    }

    /// From a cache. What may fail in a local, an output or a resource fails there, and is not what a `try` around it sees.
    fn remembered<K: std::hash::Hash + Eq + Clone, T: Clone>(
        &self,
        cache: &Cache<K, T>,
        key: K,
        what: impl FnOnce() -> String,
        make: impl FnOnce() -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.doubted(|| cache.get(key, what, make)).0
    }

    /// Counts a value that stays in memory.
    pub(crate) fn keep(&self, v: &V) {
        let before = self.spent.get();
        let after = before.saturating_add(v.weight(MAX_VALUE));
        self.spent.set(after);
        if before <= MAX_TOTAL && after > MAX_TOTAL {
            let why = format!("the values have more than {MAX_TOTAL} parts in all");
            self.say(
                Diagnostic::error("INPUT001", why)
                    .help("reading stops; check parts of the configuration one by one"),
            );
        }
    }

    /// Whether there are more values than are read.
    pub(crate) fn full(&self) -> bool {
        self.spent.get() > MAX_TOTAL
    }

    fn kept(&self, r: R) -> R {
        if self.full() {
            return fault("there are too many values");
        }
        if let Ok(v) = &r {
            self.keep(v);
        }
        r
    }

    /// Values for the variables of the root module.
    pub(crate) fn give(&mut self, given: Given) {
        self.given = given;
    }

    pub(crate) fn say(&self, d: Diagnostic) {
        self.diagnostics.borrow_mut().push(d);
    }

    /// `terraform.workspace`.
    pub(crate) fn workspace(&self) -> V {
        match &self.workspace {
            Ok(w) => V::str(w.as_str()),
            Err(why) => V::unknown(*why),
        }
    }

    /// Settles which workspace it is, by the options and by what the root module says.
    pub(crate) fn in_workspace(&mut self, options: &EvalOptions, plan: bool) {
        self.workspace = workspace(&self.config(""), options, plan);
    }

    pub(crate) fn module(&self, i: usize) -> Result<Rc<ModuleInst>, Fault> {
        match self.modules.borrow().get(i) {
            Some(m) => Ok(m.clone()),
            None => fault("a module is missing"),
        }
    }

    /// `path.module`.
    pub(crate) fn module_dir(&self, i: usize) -> String {
        match self.module(i) {
            Ok(m) if !m.dir.is_empty() => m.dir.clone(),
            _ => ".".to_string(),
        }
    }

    /// A scope in which nothing but the module is there.
    pub(crate) fn scope(&self, module: usize) -> Scope {
        Scope {
            module,
            key: Key::None,
            each: None,
            locals: Rc::default(),
            file: FileId(0),
        }
    }

    /// The value of an expression that names nothing.
    pub(crate) fn constant(&self, e: &Expr) -> Option<Value> {
        let v = self.doubted(|| self.expr(e, &self.scope(0))).0.ok()?;
        Some(to_node(&v, e.span, &|i| self.address(i)).value)
    }

    /// The default of a variable, as its type makes it.
    pub(crate) fn default_of(&self, decl: &Block) -> Option<Value> {
        let (scope, e) = (self.scope(0), decl.attr("default")?);
        let ty = self.type_of(decl.attr("type")).ok()?;
        let of = || self.convert(self.expr(e, &scope)?, &ty, &scope);
        let v = self.doubted(of).0.ok()?;
        Some(to_node(&v, e.span, &|i| self.address(i)).value)
    }

    /// Where a module is that is called in a directory, if it is on this machine.
    pub(crate) fn directory_of(&self, dir: &str, manifest: &str, source: Option<&str>) -> Option<String> {
        let local = source.filter(|s| s.starts_with("./") || s.starts_with("../") || *s == "." || *s == "..");
        match (local, self.manifest.get(manifest)) {
            (Some(s), _) => Some(normal(&join_dir(dir, s))),
            (None, Some(d)) => Some(normal(d)),
            (None, None) => None,
        }
    }

    /// What a directory declares.
    pub(crate) fn config(&self, dir: &str) -> Rc<Config> {
        if let Some(c) = self.configs.borrow().get(dir) {
            return c.clone();
        }
        let mut diags = Vec::new();
        let c = Rc::new(load(dir, self.files, self.sources, &mut diags));
        self.diagnostics.borrow_mut().append(&mut diags);
        self.configs.borrow_mut().insert(dir.to_string(), c.clone());
        c
    }

    pub(crate) fn variable(&self, module: usize, name: &str) -> R {
        let m = self.module(module)?;
        let Some(decl) = m.config.variables.get(name).cloned() else {
            return fault(format!("variable `{name}` is not declared in this module"));
        };
        self.remembered(
            &self.variables,
            (module, name.to_string()),
            || format!("variable `{name}`"),
            || self.kept(self.variable_value(module, &m, name, &decl)),
        )
    }

    fn variable_value(&self, module: usize, m: &ModuleInst, name: &str, decl: &Block) -> R {
        let scope = self.scope(module);
        let ty = match self.type_of(decl.attr("type")) {
            Ok(t) => t,
            Err(f) => {
                self.say_fault(&f, decl.span);
                return Ok(V::Unknown(Unknown::at(
                    format!("the type of variable `{name}` is not understood"),
                    f.span.unwrap_or(decl.span),
                )));
            }
        };
        let given = match &m.call {
            Some((caller, call, at)) => match call.attr(name) {
                Some(e) => Some((
                    self.expr(
                        e,
                        &Scope {
                            module: *caller,
                            ..at.clone()
                        },
                    )?,
                    Some(e.span),
                )),
                None => None,
            },
            None => self.given.value(self, name, &ty)?,
        };
        let nullable = match decl.attr("nullable") {
            Some(e) => self.expr(e, &scope)?.to_bool() != Some(false),
            None => true,
        };
        let (v, span) = match given {
            Some((V::Null, _)) if !nullable => (None, None),
            Some((v, span)) => (Some(v), span),
            None => (None, None),
        };
        let (v, span) = match (v, decl.attr("default")) {
            (Some(v), _) => (v, span),
            (None, Some(d)) => (self.expr(d, &scope)?, Some(d.span)),
            (None, None) => {
                let why = format!("variable `{name}` has no value");
                return Ok(V::Unknown(Unknown::at(why, decl.span)));
            }
        };
        let scope = Scope {
            file: decl.attrs.first().map_or(scope.file, |(_, e)| e.file),
            ..scope
        };
        self.convert(v, &ty, &scope).map_err(|f| Fault {
            why: format!("the value of variable `{name}` does not fit its type: {}", f.why),
            span: f.span.or(span).or(Some(decl.span)),
            missing: false,
        })
    }

    pub(crate) fn local(&self, module: usize, name: &str) -> R {
        let m = self.module(module)?;
        let Some(e) = m.config.locals.get(name) else {
            return fault(format!("local `{name}` is not declared in this module"));
        };
        self.remembered(
            &self.locals,
            (module, name.to_string()),
            || format!("local `{name}`"),
            || self.kept(self.expr(e, &self.scope(module))),
        )
    }

    fn output(&self, module: usize, name: &str) -> R {
        let m = self.module(module)?;
        let Some(b) = m.config.outputs.get(name) else {
            return fault(format!("`{}` has no output `{name}`", m.path));
        };
        self.remembered(
            &self.outputs,
            (module, name.to_string()),
            || format!("output `{name}` of `{}`", m.path),
            || match b.attr("value") {
                Some(e) => self.kept(self.expr(e, &self.scope(module))),
                None => Ok(V::Null),
            },
        )
    }

    fn all_outputs(&self, module: usize) -> R {
        let m = self.module(module)?;
        let mut out = BTreeMap::new();
        for name in m.config.outputs.keys() {
            out.insert(Arc::from(name.as_str()), self.output(module, name)?);
        }
        Ok(V::map(out))
    }

    /// `module.NAME` with what follows; outputs are evaluated only when asked for, since two modules may
    /// legally use outputs of each other.
    pub(crate) fn module_reference(&self, s: &Scope, name: &str, ops: &Ops<'_>) -> R {
        let attr = |i: usize| match ops.get(i) {
            Some(TraversalOperator::GetAttr(a)) => Some(a.as_str()),
            _ => None,
        };
        match self.called(s.module, name)? {
            Called::Missing(why) => {
                let m = self.module(s.module)?;
                let address = join(&m.path, &format!("module.{name}"));
                match attr(0) {
                    Some(a) => {
                        // Whether it has such an output is not known.
                        self.doubt(&Unknown::new(why));
                        let r = V::Ref(Reference {
                            address: address.into(),
                            attribute: a.into(),
                        });
                        self.apply(r, &ops[1..], s)
                    }
                    None => Ok(V::unknown(why)),
                }
            }
            Called::One(i) => match attr(0) {
                Some(a) => {
                    let v = self.output(i, a)?;
                    self.apply(v, &ops[1..], s)
                }
                None => {
                    let v = self.all_outputs(i)?;
                    self.apply(v, ops, s)
                }
            },
            Called::Unknown(u, i) => {
                // One instance stands for all of them, as in `x[?]`, and is the first one if one of them is meant.
                self.doubt(&u);
                let first = match ops.first() {
                    Some(TraversalOperator::Index(e)) => {
                        matches!(self.eval(e, s)?, V::Num(n) if n == 0.0)
                    }
                    Some(TraversalOperator::LegacyIndex(n)) => *n.value() == 0,
                    _ => false,
                };
                match attr(1).filter(|_| first) {
                    Some(a) => {
                        let v = self.output(i, a)?;
                        self.apply(v, &ops[2..], s)
                    }
                    None => Ok(V::Unknown(u)),
                }
            }
            Called::Count(is) => {
                let indexed = match ops.first() {
                    Some(TraversalOperator::Index(e)) => Some(self.eval(e, s)?),
                    Some(TraversalOperator::LegacyIndex(n)) => Some(V::Num(*n.value() as f64)),
                    _ => None,
                };
                match (indexed, attr(1)) {
                    (Some(k), Some(a)) if k.to_num().is_some() => {
                        let n = k.to_num().unwrap_or(-1.0);
                        match is.get(n as usize).filter(|_| n >= 0.0) {
                            Some(&i) => {
                                let v = self.output(i, a)?;
                                self.apply(v, &ops[2..], s)
                            }
                            None => fault(format!("there is no element {n} of `module.{name}`")),
                        }
                    }
                    _ => {
                        let all = is
                            .iter()
                            .map(|&i| self.lazily(i, ops))
                            .collect::<Result<_, _>>()?;
                        self.apply(V::list(all), ops, s)
                    }
                }
            }
            Called::Each(is) => {
                let indexed = match ops.first() {
                    Some(TraversalOperator::Index(e)) => Some(self.eval(e, s)?),
                    _ => None,
                };
                match (indexed, attr(1)) {
                    (Some(k), Some(a)) if k.to_text().is_some() => {
                        let k = k.to_text().unwrap_or_default();
                        match is.get(&k) {
                            Some(&i) => {
                                let v = self.output(i, a)?;
                                self.apply(v, &ops[2..], s)
                            }
                            None => fault(format!("there is no element `{k}` of `module.{name}`")),
                        }
                    }
                    _ => {
                        let mut all = BTreeMap::new();
                        for (k, &i) in is.iter() {
                            all.insert(k.clone(), self.all_outputs(i)?);
                        }
                        self.apply(V::map(all), ops, s)
                    }
                }
            }
        }
    }

    /// The outputs of an instance, only the one needed where a splat says which.
    fn lazily(&self, module: usize, ops: &Ops<'_>) -> R {
        match ops {
            [
                TraversalOperator::FullSplat(_) | TraversalOperator::AttrSplat(_),
                TraversalOperator::GetAttr(a),
                ..,
            ] => {
                let v = self.output(module, a.as_str())?;
                Ok(V::map([(Arc::from(a.as_str()), v)].into()))
            }
            _ => self.all_outputs(module),
        }
    }

    /// The instances of a module call.
    pub(crate) fn called(&self, caller: usize, name: &str) -> Result<Called, Fault> {
        let m = self.module(caller)?;
        let Some(call) = m.config.modules.get(name).cloned() else {
            return fault(format!("module `{name}` is not called in this module"));
        };
        self.remembered(
            &self.calls,
            (caller, name.to_string()),
            || format!("module `{name}`"),
            || self.call_module(caller, &m, name, &call),
        )
    }

    fn call_module(
        &self,
        caller: usize,
        m: &ModuleInst,
        name: &str,
        call: &Rc<Block>,
    ) -> Result<Called, Fault> {
        let manifest = if m.manifest.is_empty() {
            name.to_string()
        } else {
            format!("{}.{name}", m.manifest)
        };
        let source = match call.attr("source") {
            Some(e) => self.expr(e, &self.scope(caller))?.to_text(),
            None => None,
        };
        let missing = |why: String, help: &str| {
            self.say(
                Diagnostic::warning(
                    "INPUT003",
                    format!("module `{name}` is not part of the answer: {why}"),
                )
                .at(call.span, "called here")
                .help(help),
            );
            Ok(Called::Missing(why.into()))
        };
        if m.depth >= MAX_MODULE_DEPTH {
            return missing(
                format!("modules nest more than {MAX_MODULE_DEPTH} deep here"),
                "a module that calls itself has no end",
            );
        }
        let Some(dir) = self.directory_of(&m.dir, &manifest, source.as_deref()) else {
            let what = source.map_or("its source is not known".to_string(), |s| {
                format!("`{s}` is not on this machine")
            });
            return missing(
                what,
                "run `terraform init` (or `terraform get`) so that the module is in .terraform/modules, or check a plan instead",
            );
        };
        let config = self.config(&dir);
        let nothing = config.decls.is_empty() && config.modules.is_empty() && config.outputs.is_empty();
        if nothing && config.variables.is_empty() && config.locals.is_empty() {
            return missing(
                format!("directory `{dir}` has no Terraform files"),
                "check the `source` of the call",
            );
        }
        let expansion = self.expand(call, &self.scope(caller))?;
        let many = match &expansion {
            Expansion::Count(n) => *n,
            Expansion::Each(m) => m.len(),
            Expansion::One | Expansion::Unknown(_) => 1,
        };
        if self.modules.borrow().len() + many > MAX_MODULES {
            return missing(
                format!("there are more than {MAX_MODULES} instances of modules"),
                "check parts of the configuration one by one",
            );
        }
        let make = |key: Key, each: Option<V>| {
            let path = join(&m.path, &format!("module.{name}{}", key.suffix()));
            let at = Scope {
                key,
                each,
                ..self.scope(caller)
            };
            let inst = ModuleInst {
                dir: dir.clone(),
                config: config.clone(),
                path,
                manifest: manifest.clone(),
                depth: m.depth + 1,
                call: Some((caller, call.clone(), at)),
            };
            let mut all = self.modules.borrow_mut();
            all.push(Rc::new(inst));
            all.len() - 1
        };
        Ok(match expansion {
            Expansion::One => Called::One(make(Key::None, None)),
            Expansion::Count(n) => {
                Called::Count(Rc::new((0..n).map(|i| make(Key::Index(i), None)).collect()))
            }
            Expansion::Each(m) => Called::Each(Rc::new(
                m.iter()
                    .map(|(k, v)| (k.clone(), make(Key::Name(k.clone()), Some(v.clone()))))
                    .collect(),
            )),
            Expansion::Unknown(u) => Called::Unknown(u, make(Key::Any, None)),
        })
    }

    /// How many instances a block has by its `count` or `for_each`.
    fn expand(&self, b: &Block, s: &Scope) -> Result<Expansion, Fault> {
        let too_many = |n: usize, e: &Expr| Fault {
            why: format!("{n} instances are more than the {MAX_INSTANCES} that are read"),
            span: Some(e.span),
            missing: false,
        };
        if let Some(e) = b.attr("count") {
            let v = self.expr(e, s)?;
            if let Some(u) = v.why_unknown() {
                return Ok(Expansion::Unknown(Unknown {
                    span: u.span.or(Some(e.span)),
                    ..u
                }));
            }
            return match v.to_num() {
                Some(n) if n >= 0.0 && n.fract() == 0.0 => {
                    if n > MAX_INSTANCES as f64 {
                        return Err(too_many(n as usize, e));
                    }
                    Ok(Expansion::Count(n as usize))
                }
                _ => Err(Fault {
                    why: "`count` has to be a whole number".into(),
                    span: Some(e.span),
                    missing: false,
                }),
            };
        }
        if let Some(e) = b.attr("for_each") {
            let v = self.expr(e, s)?;
            let pairs = match self.pairs(&v).map_err(|f| Fault {
                span: f.span.or(Some(e.span)),
                ..f
            })? {
                Ok(p) => p,
                Err(u) => {
                    return Ok(Expansion::Unknown(Unknown {
                        span: u.span.or(Some(e.span)),
                        ..u
                    }));
                }
            };
            if pairs.len() > MAX_INSTANCES {
                return Err(too_many(pairs.len(), e));
            }
            let list = matches!(v, V::List(_));
            let mut out = BTreeMap::new();
            for (k, v) in pairs {
                // Terraform refuses lists; their elements are what people meant.
                let k = if list { v.clone() } else { k };
                match (k.to_text(), k.why_unknown()) {
                    (Some(t), _) => {
                        out.insert(t, v);
                    }
                    (None, Some(u)) => {
                        return Ok(Expansion::Unknown(Unknown {
                            span: u.span.or(Some(e.span)),
                            ..u
                        }));
                    }
                    (None, None) => {
                        let why = format!("a key of `for_each` has to be a string, not a {}", k.type_name());
                        return Err(Fault {
                            why,
                            span: Some(e.span),
                            missing: false,
                        });
                    }
                }
            }
            return Ok(Expansion::Each(Rc::new(out)));
        }
        Ok(Expansion::One)
    }

    /// Says that something could not be evaluated.
    pub(crate) fn say_fault(&self, f: &Fault, span: Span) {
        self.say(
            Diagnostic::warning("INPUT002", format!("cannot be evaluated: {}", f.why))
                .at(f.span.unwrap_or(span), "its value is taken as unknown")
                .help("`terraform validate` or `terraform plan` says more; claims that lean on it are undecided"),
        );
    }
}

/// `alicloud.hz` of an expression.
pub(crate) fn provider_name(e: &Expression) -> Option<String> {
    match e {
        Expression::Variable(v) => Some(v.as_str().to_string()),
        Expression::String(s) => Some(s.as_str().to_string()),
        Expression::Traversal(t) => match (&t.expr, t.operators.first().map(|o| o.value())) {
            (Expression::Variable(v), Some(TraversalOperator::GetAttr(a))) => {
                Some(format!("{}.{}", v.as_str(), a.as_str()))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A module path and what is in it.
pub(crate) fn join(path: &str, rest: &str) -> String {
    if path.is_empty() {
        rest.to_string()
    } else {
        format!("{path}.{rest}")
    }
}

/// A directory and a path relative to it.
pub(crate) fn join_dir(dir: &str, rest: &str) -> String {
    if dir.is_empty() {
        rest.to_string()
    } else {
        format!("{dir}/{rest}")
    }
}

/// A path without `.`, empty parts and `x/..`.
pub(crate) fn normal(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for p in path.split('/') {
        match p {
            "" | "." => {}
            ".." if out.last().is_some_and(|l| *l != "..") => {
                out.pop();
            }
            p => out.push(p),
        }
    }
    out.join("/")
}
