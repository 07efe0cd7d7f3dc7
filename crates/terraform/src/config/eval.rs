//! Evaluating expressions.

mod template;

use super::functions;
use super::module::World;
use super::source::Expr;
use super::value::{Instance, Key, V, apart, order};
use bartizan_base::{Diagnostic, FileId, Span};
use bartizan_model::{Reference, Unknown};
use hcl_edit::Span as _;
use hcl_edit::expr::{
    BinaryOp, BinaryOperator, Conditional, Expression, ForExpr, FuncCall, ObjectKey, Traversal,
    TraversalOperator, UnaryOperator,
};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// Something that Terraform would refuse.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) why: String,
    pub(crate) span: Option<Span>,
    /// Whether an attribute was asked for that is not there.
    pub(crate) missing: bool,
}

pub(crate) type R = Result<V, Fault>;

pub(crate) fn fault<T>(why: impl Into<String>) -> Result<T, Fault> {
    Err(Fault {
        why: why.into(),
        span: None,
        missing: false,
    })
}

/// Where an expression is evaluated.
#[derive(Clone)]
pub(crate) struct Scope {
    /// Index of the module instance.
    pub(crate) module: usize,
    /// `count.index` and `each`.
    pub(crate) key: Key,
    pub(crate) each: Option<V>,
    /// Variables of `for` expressions and `dynamic` blocks, innermost last.
    pub(crate) locals: Rc<Vec<(String, V)>>,
    /// The file, for spans.
    pub(crate) file: FileId,
}

impl Scope {
    pub(crate) fn with(&self, vars: impl IntoIterator<Item = (String, V)>) -> Scope {
        let mut l = (*self.locals).clone();
        l.extend(vars);
        Scope {
            locals: Rc::new(l),
            ..self.clone()
        }
    }
}

/// Calls nest at most this deep; beyond it the value is refused as circular or absurd.
pub(crate) const MAX_DEPTH: usize = 4_000;

/// The parts of a value, and its texts in pieces of 16 bytes, are at most this many; beyond it is unknown.
pub(crate) const MAX_VALUE: usize = 1_000_000;
/// No text that a function makes is longer.
pub(crate) const MAX_TEXT: usize = 8 << 20;

impl World<'_> {
    /// A value that is not made, as it would be too large. That is said once, and it is no failure that `try` could pass
    /// over.
    pub(crate) fn too_large(&self) -> V {
        let why = "a value is larger than what is read (docs/terraform.md, Limits)";
        self.say(
            Diagnostic::warning("INPUT002", format!("{why}: it is taken as unknown"))
                .help("claims that lean on it are undecided; check a plan, which has the values"),
        );
        let u = Unknown::new(why);
        self.doubt(&u);
        V::Unknown(u)
    }

    pub(crate) fn expr(&self, e: &Expr, s: &Scope) -> R {
        let s = Scope {
            file: e.file,
            ..s.clone()
        };
        self.eval(&e.expr, &s)
    }

    pub(crate) fn eval(&self, e: &Expression, s: &Scope) -> R {
        let depth = self.depth.get();
        if depth > MAX_DEPTH {
            return fault("the expression refers to itself or nests too deeply");
        }
        self.depth.set(depth + 1);
        let r = self.eval_inner(e, s);
        self.depth.set(depth);
        // What is made here, and not what is only named, may be larger than all that it is made of.
        let made = matches!(
            e,
            Expression::Array(_)
                | Expression::Object(_)
                | Expression::FuncCall(_)
                | Expression::ForExpr(_)
                | Expression::StringTemplate(_)
                | Expression::HeredocTemplate(_)
        );
        let r = match r {
            Ok(v) if made && v.weight(MAX_VALUE + 1) > MAX_VALUE => Ok(self.too_large()),
            r => r,
        };
        r.map_err(|f| match f.span {
            None => Fault {
                span: e.span().map(|r| self.sources.span(s.file, r)),
                ..f
            },
            Some(_) => f,
        })
    }

    fn eval_inner(&self, e: &Expression, s: &Scope) -> R {
        Ok(match e {
            Expression::Null(_) => V::Null,
            Expression::Bool(b) => V::Bool(*b.value()),
            Expression::Number(n) => V::Num(n.value().as_f64().unwrap_or(f64::NAN)),
            Expression::String(t) => V::str(t.as_str()),
            Expression::Array(a) => V::list(a.iter().map(|e| self.eval(e, s)).collect::<Result<_, _>>()?),
            Expression::Object(o) => {
                let mut m = BTreeMap::new();
                for (k, v) in o.iter() {
                    let key = match k {
                        ObjectKey::Ident(i) => V::str(i.as_str()),
                        ObjectKey::Expression(e) => match e {
                            // A bare name is a literal key, not a reference.
                            Expression::Variable(v) => V::str(v.as_str()),
                            e => self.eval(e, s)?,
                        },
                    };
                    if let Some(u) = key.why_unknown() {
                        return self.may_fail(u);
                    }
                    let Some(key) = key.to_text() else {
                        return fault("an object key has to be a string");
                    };
                    m.insert(key, self.eval(v.expr(), s)?);
                }
                V::map(m)
            }
            Expression::StringTemplate(t) => self.template_elements(t.iter(), s)?,
            Expression::HeredocTemplate(h) => self.heredoc(h, s)?,
            Expression::Parenthesis(p) => self.eval(p.inner(), s)?,
            Expression::Variable(v) => self.root(v.as_str(), &[], s)?,
            Expression::Conditional(c) => self.conditional(c, s)?,
            Expression::FuncCall(f) => self.call(f, s)?,
            Expression::Traversal(t) => self.traversal(t, s)?,
            Expression::UnaryOp(u) => {
                let v = self.eval(&u.expr, s)?;
                if let Some(u) = v.why_unknown() {
                    return self.may_fail(u);
                }
                match u.operator.value() {
                    UnaryOperator::Neg => V::Num(-need_num(&v)?),
                    UnaryOperator::Not => V::Bool(!need_bool(&v)?),
                }
            }
            Expression::BinaryOp(b) => self.binary(b, s)?,
            Expression::ForExpr(f) => self.for_expr(f, s)?,
        })
    }

    fn conditional(&self, c: &Conditional, s: &Scope) -> R {
        let cond = self.eval(&c.cond_expr, s)?;
        if let Some(u) = cond.why_unknown() {
            // Both sides equal means the condition does not matter. A side that fails is perhaps not taken.
            let (a, b) = (self.eval(&c.true_expr, s), self.eval(&c.false_expr, s));
            self.doubt(&u);
            return Ok(match (a, b) {
                (Ok(a), Ok(b)) if a == b => a,
                (Err(f), Err(_)) => return Err(f),
                _ => V::Unknown(u),
            });
        }
        let yes = need_bool(&cond)?;
        let (take, other) = if yes {
            (&c.true_expr, &c.false_expr)
        } else {
            (&c.false_expr, &c.true_expr)
        };
        let v = self.eval(take, s)?;
        // The result has the type that both sides have in common; only scalars are converted.
        if matches!(v, V::Num(_) | V::Bool(_))
            && !matches!(
                other,
                Expression::Number(_) | Expression::Bool(_) | Expression::Null(_)
            )
            && matches!(self.eval(other, s), Ok(V::Str(_)))
            && let Some(t) = v.to_text()
        {
            return Ok(V::Str(t));
        }
        Ok(v)
    }

    fn binary(&self, b: &BinaryOp, s: &Scope) -> R {
        use BinaryOperator as O;
        let op = *b.operator.value();
        // Operands of `==` may be anything; those of the others have to be of a type.
        let asked = |v: &V| {
            if let (false, Some(u)) = (matches!(op, O::Eq | O::NotEq), v.why_unknown()) {
                self.doubt(&u);
            }
        };
        let l = self.eval(&b.lhs_expr, s)?;
        asked(&l);
        let r = self.eval(&b.rhs_expr, s)?;
        asked(&r);
        let unknown = l.why_unknown().or_else(|| r.why_unknown());
        match op {
            O::And | O::Or => {
                // A known side may decide.
                let decisive = |v: &V| v.to_bool() == Some(op == O::Or);
                if decisive(&l) || decisive(&r) {
                    return Ok(V::Bool(op == O::Or));
                }
                if let Some(u) = unknown {
                    return Ok(V::Unknown(u));
                }
                let (l, r) = (need_bool(&l)?, need_bool(&r)?);
                Ok(V::Bool(if op == O::And { l && r } else { l || r }))
            }
            O::Eq | O::NotEq => {
                if let (V::Ref(a), V::Null) | (V::Null, V::Ref(a)) = (&l, &r) {
                    // An id that the cloud gives is never null.
                    let id = &*a.attribute == "id";
                    if id {
                        return Ok(V::Bool(op == O::NotEq));
                    }
                }
                if l == r && matches!(l, V::Ref(_)) {
                    return Ok(V::Bool(op == O::Eq));
                }
                if let Some(u) = unknown.or_else(|| l.deep_unknown()).or_else(|| r.deep_unknown()) {
                    return Ok(V::Unknown(u));
                }
                Ok(V::Bool(equal(&l, &r) == (op == O::Eq)))
            }
            _ => {
                if let Some(u) = unknown {
                    return Ok(V::Unknown(u));
                }
                let (l, r) = (need_num(&l)?, need_num(&r)?);
                Ok(match op {
                    O::Plus => V::Num(l + r),
                    O::Minus => V::Num(l - r),
                    O::Mul => V::Num(l * r),
                    O::Div if r == 0.0 => return fault("division by zero"),
                    O::Div => V::Num(l / r),
                    O::Mod if r == 0.0 => return fault("division by zero"),
                    O::Mod => V::Num(l % r),
                    O::Less => V::Bool(l < r),
                    O::LessEq => V::Bool(l <= r),
                    O::Greater => V::Bool(l > r),
                    O::GreaterEq => V::Bool(l >= r),
                    O::Eq | O::NotEq | O::And | O::Or => return fault("not an arithmetic operator"),
                })
            }
        }
    }

    /// Key and value pairs of anything that can be iterated.
    pub(crate) fn pairs(&self, v: &V) -> Result<Result<Vec<(V, V)>, Unknown>, Fault> {
        let r = self.pairs_of(v);
        if let Ok(Err(u)) = &r {
            self.doubt(u);
        }
        r
    }

    fn pairs_of(&self, v: &V) -> Result<Result<Vec<(V, V)>, Unknown>, Fault> {
        if let Some(u) = v.unsorted() {
            return Ok(Err(u));
        }
        Ok(Ok(match v {
            V::List(v) => v
                .iter()
                .enumerate()
                .map(|(i, v)| (V::Num(i as f64), v.clone()))
                .collect(),
            V::Set(v) => v.iter().map(|v| (v.clone(), v.clone())).collect(),
            V::Map(m) => m.iter().map(|(k, v)| (V::Str(k.clone()), v.clone())).collect(),
            V::Instance(i) if i.key == Key::Any => return Ok(Err(self.how_many(i))),
            V::Instance(i) => self
                .instance_attributes(i)?
                .into_iter()
                .map(|(k, v)| (V::Str(k), v))
                .collect(),
            V::Unknown(_) | V::Ref(_) => {
                return Ok(Err(v.why_unknown().unwrap_or_else(|| Unknown::new("unknown"))));
            }
            V::Null => return fault("a null value cannot be iterated over"),
            v => return fault(format!("a {} cannot be iterated over", v.type_name())),
        }))
    }

    fn for_expr(&self, f: &ForExpr, s: &Scope) -> R {
        let c = self.eval(&f.intro.collection_expr, s)?;
        // Who is in a set of ids is certain, in which order they come is not: a list made of it is as good as a set.
        let unsorted = c.unsorted();
        let each = match &c {
            V::Set(items) if unsorted.is_some() && !f.grouping && apart(items) => V::List(items.clone()),
            c => c.clone(),
        };
        let pairs = match self.pairs(&each)? {
            Ok(p) if unsorted.is_some() => p.into_iter().map(|(_, v)| (v.clone(), v)).collect(),
            Ok(p) => p,
            Err(u) => return Ok(V::Unknown(u)),
        };
        let mut list = Vec::new();
        let mut map: BTreeMap<Arc<str>, V> = BTreeMap::new();
        let mut groups: BTreeMap<Arc<str>, Vec<V>> = BTreeMap::new();
        let mut left = MAX_VALUE;
        for (k, v) in pairs {
            let value = (f.intro.value_var.as_str().to_string(), v);
            let key = f.intro.key_var.as_ref().map(|n| (n.as_str().to_string(), k));
            let inner = s.with(key.into_iter().chain([value]));
            if let Some(cond) = &f.cond {
                let c = self.eval(&cond.expr, &inner)?;
                if let Some(u) = c.why_unknown() {
                    return self.may_fail(u);
                }
                if !need_bool(&c)? {
                    continue;
                }
            }
            let v = self.eval(&f.value_expr, &inner)?;
            if !v.fits(&mut left) {
                return Ok(self.too_large());
            }
            match &f.key_expr {
                None => list.push(v),
                Some(ke) => {
                    let k = self.eval(ke, &inner)?;
                    if let Some(u) = k.why_unknown() {
                        return self.may_fail(u);
                    }
                    let Some(k) = k.to_text() else {
                        return fault("a key has to be a string");
                    };
                    if f.grouping {
                        groups.entry(k).or_default().push(v);
                    } else if map.insert(k.clone(), v).is_some() {
                        return fault(format!(
                            "two elements have the key `{k}`; add `...` to group them"
                        ));
                    }
                }
            }
        }
        if f.key_expr.is_none() {
            return Ok(unsorted_list(list, unsorted));
        }
        if f.grouping {
            map = groups.into_iter().map(|(k, v)| (k, V::list(v))).collect();
        }
        Ok(V::map(map))
    }

    fn call(&self, f: &FuncCall, s: &Scope) -> R {
        let name = f.name.name.as_str();
        if !f.name.namespace.is_empty() && f.name.namespace.first().is_some_and(|n| n.as_str() != "core") {
            return self.may_fail(Unknown::new(format!(
                "function `{name}` of a provider is not known"
            )));
        }
        // These two look at failures instead of passing them on.
        match name {
            "try" => {
                let mut last = None;
                for a in f.args.iter() {
                    match self.doubted(|| self.eval(a, s)) {
                        // It may fail, or not, with what is not known: then another argument counts.
                        (_, Some(u)) => return self.may_fail(u),
                        (Ok(v), None) => return Ok(v),
                        (Err(e), None) => last = Some(e),
                    }
                }
                return Err(last.unwrap_or(Fault {
                    why: "try needs an argument".into(),
                    span: None,
                    missing: false,
                }));
            }
            "can" => {
                let [a] = f.args.iter().collect::<Vec<_>>()[..] else {
                    return fault("`can` takes one argument");
                };
                return Ok(match self.doubted(|| self.eval(a, s)) {
                    (_, Some(u)) => V::Unknown(u),
                    (r, None) => V::Bool(r.is_ok()),
                });
            }
            _ => {}
        }
        let mut args = Vec::new();
        let n = f.args.iter().count();
        for (i, a) in f.args.iter().enumerate() {
            let v = self.eval(a, s)?;
            if f.args.expand_final() && i + 1 == n {
                if let Some(u) = v.unsorted() {
                    return self.may_fail(u);
                }
                match &v {
                    V::List(items) | V::Set(items) => args.extend(items.iter().cloned()),
                    v => match v.why_unknown() {
                        Some(u) => return self.may_fail(u),
                        None => return fault("`...` needs a list"),
                    },
                }
            } else {
                args.push(v);
            }
        }
        // A function may refuse what it will get; but not one that only arranges things whose type is certain.
        let arranges = matches!(
            name,
            "concat"
                | "merge"
                | "length"
                | "keys"
                | "values"
                | "list"
                | "reverse"
                | "tolist"
                | "toset"
                | "sensitive"
                | "nonsensitive"
        ) && args
            .iter()
            .all(|v| v.why_unknown().is_none() && !v.holds_unknown());
        if !arranges && let Some(u) = args.iter().find_map(V::deep_unknown) {
            self.doubt(&u);
        }
        let out = functions::call(self, name, args, s);
        if let Ok(V::Unknown(u)) = &out {
            self.doubt(u);
        }
        out
    }

    /// Notes that what is being evaluated may fail, as it depends on something unknown: `try` and `can` have to know.
    pub(crate) fn doubt(&self, u: &Unknown) {
        self.doubts.borrow_mut().get_or_insert_with(|| u.clone());
    }

    /// As [`World::doubt`], where a part of a value is asked for.
    fn doubt_of(&self, v: &V) {
        if let Some(u) = v.why_unknown() {
            self.doubt(&u);
        }
    }

    /// An unknown value that may be none.
    fn may_fail(&self, u: Unknown) -> R {
        self.doubt(&u);
        Ok(V::Unknown(u))
    }

    /// Evaluates, and says why that may fail with other values of what is unknown.
    pub(crate) fn doubted<T>(&self, make: impl FnOnce() -> T) -> (T, Option<Unknown>) {
        let before = self.doubts.take();
        let r = make();
        (r, self.doubts.replace(before))
    }

    fn traversal(&self, t: &Traversal, s: &Scope) -> R {
        let ops: Vec<&TraversalOperator> = t.operators.iter().map(|o| o.value()).collect();
        match &t.expr {
            Expression::Variable(v) => self.root(v.as_str(), &ops, s),
            e => {
                let v = self.eval(e, s)?;
                self.apply(v, &ops, s)
            }
        }
    }

    /// A reference that begins with a name.
    fn root(&self, name: &str, ops: &[&TraversalOperator], s: &Scope) -> R {
        if let Some((_, v)) = s.locals.iter().rev().find(|(n, _)| n == name) {
            return self.apply(v.clone(), ops, s);
        }
        let attr = |i: usize| match ops.get(i) {
            Some(TraversalOperator::GetAttr(a)) => Some(a.as_str()),
            _ => None,
        };
        match (name, attr(0)) {
            ("var", Some(n)) => {
                let v = self.variable(s.module, n)?;
                self.apply(v, &ops[1..], s)
            }
            ("local", Some(n)) => {
                let v = self.local(s.module, n)?;
                self.apply(v, &ops[1..], s)
            }
            ("module", Some(n)) => self.module_reference(s, n, &ops[1..]),
            ("each", Some("key")) => match &s.key {
                Key::Name(k) => Ok(V::Str(k.clone())),
                _ => Ok(V::unknown("each.key is not known")),
            },
            ("each", Some("value")) => match &s.each {
                Some(v) => self.apply(v.clone(), &ops[1..], s),
                None => Ok(V::unknown("each.value is not known")),
            },
            ("count", Some("index")) => match &s.key {
                Key::Index(i) => Ok(V::Num(*i as f64)),
                _ => Ok(V::unknown("count.index is not known")),
            },
            ("path", Some(which)) => Ok(V::str(match which {
                "module" => self.module_dir(s.module),
                _ => ".".to_string(),
            })),
            ("terraform", Some("workspace")) => Ok(self.workspace()),
            ("self", _) => Ok(V::unknown("`self` is known only after apply")),
            ("data", Some(kind)) => match attr(1) {
                Some(n) => self.resource_reference(s, true, kind, n, &ops[2..]),
                None => fault("a data source reference needs a type and a name"),
            },
            (kind, Some(n)) => self.resource_reference(s, false, kind, n, &ops[1..]),
            (n, None) => fault(format!("`{n}` is not a value")),
        }
    }

    fn resource_reference(
        &self,
        s: &Scope,
        data: bool,
        kind: &str,
        name: &str,
        ops: &[&TraversalOperator],
    ) -> R {
        match self.resource(s.module, data, kind, name)? {
            Some(v) => self.apply(v, ops, s),
            None => {
                let d = if data { "data." } else { "" };
                fault(format!("`{d}{kind}.{name}` is not declared in this module"))
            }
        }
    }

    /// Applies `.a`, `[i]`, `.*` and `[*]`.
    pub(crate) fn apply(&self, v: V, ops: &[&TraversalOperator], s: &Scope) -> R {
        let Some((op, rest)) = ops.split_first() else {
            return Ok(v);
        };
        match op {
            TraversalOperator::GetAttr(a) => {
                let next = self.get_attr(&v, a.as_str())?;
                match (self.apply(next, rest, s), &v) {
                    // Blocks have attributes that only the cloud fills in.
                    (Err(f), V::Instance(i)) if f.missing && self.has_blocks(i, a.as_str()) => {
                        let mut path = a.as_str().to_string();
                        for o in rest {
                            match o {
                                TraversalOperator::GetAttr(a) => path.push_str(&format!(".{}", a.as_str())),
                                TraversalOperator::LegacyIndex(i) => {
                                    path.push_str(&format!("[{}]", i.value()))
                                }
                                TraversalOperator::Index(e) => match self.eval(e, s)?.to_text() {
                                    Some(t) => path.push_str(&format!("[{t}]")),
                                    None => return Err(f),
                                },
                                _ => return Ok(V::unknown(f.why)),
                            }
                        }
                        Ok(V::Ref(Reference {
                            address: self.address(i),
                            attribute: path.into(),
                        }))
                    }
                    (r, _) => r,
                }
            }
            TraversalOperator::LegacyIndex(i) => {
                let v = self.index(&v, &V::Num(*i.value() as f64))?;
                self.apply(v, rest, s)
            }
            TraversalOperator::Index(e) => {
                let k = self.eval(e, s)?;
                let v = self.index(&v, &k)?;
                self.apply(v, rest, s)
            }
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => {
                // `.*` takes only the attributes that follow it; `[*]` takes everything.
                let n = match op {
                    TraversalOperator::AttrSplat(_) => rest
                        .iter()
                        .take_while(|o| matches!(o, TraversalOperator::GetAttr(_)))
                        .count(),
                    _ => rest.len(),
                };
                let (each, after) = rest.split_at(n);
                let out = match &v {
                    V::Null => V::list(Vec::new()),
                    V::List(items) | V::Set(items) => unsorted_list(
                        items
                            .iter()
                            .map(|i| self.apply(i.clone(), each, s))
                            .collect::<Result<_, _>>()?,
                        v.unsorted(),
                    ),
                    V::Unknown(u) => self.may_fail(u.clone())?,
                    V::Instance(i) if i.key == Key::Any => V::Unknown(self.how_many(i)),
                    V::Ref(r) => {
                        // A list attribute that is known only after apply: every element is.
                        self.doubt_of(&v);
                        V::Ref(Reference {
                            address: r.address.clone(),
                            attribute: format!("{}[*]", r.attribute).into(),
                        })
                    }
                    v => V::list(vec![self.apply(v.clone(), each, s)?]),
                };
                self.apply(out, after, s)
            }
        }
    }

    pub(crate) fn get_attr(&self, v: &V, a: &str) -> R {
        match v {
            V::Map(m) => match m.get(a) {
                Some(v) => Ok(v.clone()),
                None => Err(Fault {
                    why: format!("there is no attribute `{a}`"),
                    span: None,
                    missing: true,
                }),
            },
            V::Instance(i) => self.attribute(i, a),
            V::Unknown(u) => self.may_fail(u.clone()),
            V::Ref(r) => {
                self.doubt_of(v);
                Ok(V::Ref(Reference {
                    address: r.address.clone(),
                    attribute: format!("{}.{a}", r.attribute).into(),
                }))
            }
            // `list.attr` of one element was allowed by old versions.
            V::List(items) if items.len() == 1 => self.get_attr(&items[0], a),
            V::Null => fault(format!("null has no attribute `{a}`")),
            v => fault(format!("a {} has no attribute `{a}`", v.type_name())),
        }
    }

    pub(crate) fn index(&self, v: &V, k: &V) -> R {
        // Whether there is such an element depends on what is unknown.
        if let Some(u) = k.why_unknown().or_else(|| v.unsorted()) {
            return self.may_fail(u);
        }
        match v {
            V::Instance(i) if i.key == Key::Any => self.doubt(&self.how_many(i)),
            v => self.doubt_of(v),
        }
        match v {
            V::List(items) | V::Set(items) => {
                let Some(n) = k.to_num() else {
                    return fault("a list index has to be a number");
                };
                match items.get(n as usize) {
                    Some(v) if n >= 0.0 && n.fract() == 0.0 => Ok(v.clone()),
                    _ => fault(format!("there is no element {n} in a list of {}", items.len())),
                }
            }
            V::Map(m) => {
                let Some(t) = k.to_text() else {
                    return fault("a map key has to be a string");
                };
                match m.get(&t) {
                    Some(v) => Ok(v.clone()),
                    None => fault(format!("there is no element `{t}`")),
                }
            }
            // One instance stands for all of them. The first one is it: mostly there is one or none. What is written for
            // another one is not about the same instance.
            V::Instance(i) if i.key == Key::Any => Ok(match k {
                V::Num(n) if *n == 0.0 => v.clone(),
                _ => V::Unknown(self.how_many(i)),
            }),
            V::Instance(i) => match k.to_text() {
                Some(t) => self.attribute(i, &t),
                None => fault("an attribute name has to be a string"),
            },
            V::Ref(r) => {
                let t = k.to_text().unwrap_or_default();
                let t = if k.to_num().is_some() {
                    t.to_string()
                } else {
                    super::value::quote(&t)
                };
                Ok(V::Ref(Reference {
                    address: r.address.clone(),
                    attribute: format!("{}[{t}]", r.attribute).into(),
                }))
            }
            V::Unknown(u) => Ok(V::Unknown(u.clone())),
            v => fault(format!("a {} has no elements", v.type_name())),
        }
    }
}

pub(crate) fn need_num(v: &V) -> Result<f64, Fault> {
    match v.to_num() {
        Some(n) => Ok(n),
        None => fault(format!("a number is needed here, not a {}", v.type_name())),
    }
}

pub(crate) fn need_bool(v: &V) -> Result<bool, Fault> {
    match v.to_bool() {
        Some(b) => Ok(b),
        None => fault(format!("true or false is needed here, not a {}", v.type_name())),
    }
}

/// Terraform's `==`: numbers and strings differ, lists and sets of equal elements do not.
pub(crate) fn equal(a: &V, b: &V) -> bool {
    match (a, b) {
        (V::List(x) | V::Set(x), V::List(y) | V::Set(y)) => {
            x.len() == y.len() && x.iter().zip(y.iter()).all(|(a, b)| equal(a, b))
        }
        _ => order(a, b).is_eq(),
    }
}

/// A list whose order is that of a set, which is not certain if some of its members are unknown.
fn unsorted_list(list: Vec<V>, unsorted: Option<Unknown>) -> V {
    let Some(u) = unsorted else { return V::list(list) };
    if !apart(&list) {
        return V::Unknown(u);
    }
    let n = list.len();
    let set = V::set(list);
    match set.items().is_some_and(|i| i.len() == n) && set.unsorted().is_some() {
        true => set,
        false => V::Unknown(u),
    }
}

/// Names an instance for references.
pub(crate) fn reference(address: Arc<str>, attribute: &str) -> V {
    V::Ref(Reference {
        address,
        attribute: attribute.into(),
    })
}

/// An instance as a value.
pub(crate) fn instance(module: usize, decl: usize, key: Key) -> V {
    V::Instance(Instance { module, decl, key })
}
