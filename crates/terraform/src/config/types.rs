//! Type constraints of variables, and conversion of values to them.

use super::eval::{Fault, R, fault};
use super::module::World;
use super::source::Expr;
use super::value::V;
use hcl_edit::expr::{Expression, ObjectKey};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A type constraint.
#[derive(Clone, Debug)]
pub(crate) enum Ty {
    Any,
    Str,
    Num,
    Bool,
    List(Box<Ty>),
    Set(Box<Ty>),
    Map(Box<Ty>),
    Tuple(Vec<Ty>),
    /// Attribute -> (type, optional, default).
    Object(BTreeMap<Arc<str>, (Ty, bool, Option<Expression>)>),
}

impl Ty {
    /// Whether a value of it given on the command line is a text and not an expression.
    pub(crate) fn primitive(&self) -> bool {
        matches!(self, Ty::Str | Ty::Num | Ty::Bool)
    }

    pub(crate) fn parse(e: &Expression) -> Result<Ty, Fault> {
        match e {
            Expression::Variable(v) => Ty::word(v.as_str()),
            Expression::Parenthesis(p) => Ty::parse(p.inner()),
            // In JSON, and before 0.12, types are strings.
            Expression::String(s) => match hcl_edit::parser::parse_expr(s.as_str()) {
                Ok(e) if !matches!(e, Expression::String(_)) => Ty::parse(&e),
                _ => fault(format!("`{}` is not a type", s.as_str())),
            },
            Expression::FuncCall(f) => {
                let arg = f.args.iter().next();
                let inner = || match arg {
                    Some(a) => Ty::parse(a).map(Box::new),
                    None => Ok(Box::new(Ty::Any)),
                };
                match (f.name.name.as_str(), arg) {
                    ("list", _) => Ok(Ty::List(inner()?)),
                    ("set", _) => Ok(Ty::Set(inner()?)),
                    ("map", _) => Ok(Ty::Map(inner()?)),
                    ("tuple", Some(Expression::Array(a))) => {
                        Ok(Ty::Tuple(a.iter().map(Ty::parse).collect::<Result<_, _>>()?))
                    }
                    ("object", Some(Expression::Object(o))) => {
                        let mut m = BTreeMap::new();
                        for (k, v) in o.iter() {
                            let name: Arc<str> = match k {
                                ObjectKey::Ident(i) => i.as_str().into(),
                                ObjectKey::Expression(Expression::Variable(v)) => v.as_str().into(),
                                ObjectKey::Expression(Expression::String(s)) => s.as_str().into(),
                                ObjectKey::Expression(_) => {
                                    return fault("an attribute name of a type is not a name");
                                }
                            };
                            let (ty, optional, default) = match v.expr() {
                                Expression::FuncCall(f) if f.name.name.as_str() == "optional" => {
                                    let mut args = f.args.iter();
                                    let ty = args.next().map_or(Ok(Ty::Any), Ty::parse)?;
                                    (ty, true, args.next().cloned())
                                }
                                e => (Ty::parse(e)?, false, None),
                            };
                            m.insert(name, (ty, optional, default));
                        }
                        Ok(Ty::Object(m))
                    }
                    (other, _) => fault(format!("`{other}` is not a type")),
                }
            }
            _ => fault("this is not a type"),
        }
    }

    fn word(w: &str) -> Result<Ty, Fault> {
        Ok(match w {
            "any" => Ty::Any,
            "string" => Ty::Str,
            "number" => Ty::Num,
            "bool" => Ty::Bool,
            "list" => Ty::List(Box::new(Ty::Any)),
            "set" => Ty::Set(Box::new(Ty::Any)),
            "map" => Ty::Map(Box::new(Ty::Any)),
            other => return fault(format!("`{other}` is not a type")),
        })
    }
}

impl World<'_> {
    /// The type constraint of a variable.
    pub(crate) fn type_of(&self, e: Option<&Expr>) -> Result<Ty, Fault> {
        match e {
            None => Ok(Ty::Any),
            Some(e) => Ty::parse(&e.expr).map_err(|f| Fault {
                span: f.span.or(Some(e.span)),
                ..f
            }),
        }
    }

    /// Converts a value as an assignment to a variable of this type does.
    pub(crate) fn convert(&self, v: V, ty: &Ty, scope: &super::eval::Scope) -> R {
        if v.why_unknown().is_some() || v == V::Null {
            return Ok(v);
        }
        let wrong = |v: &V, want: &str| fault(format!("a {} is not a {want}", v.type_name()));
        Ok(match ty {
            Ty::Any => v,
            Ty::Str => match v.to_text() {
                Some(t) => V::Str(t),
                None => return wrong(&v, "string"),
            },
            Ty::Num => match v.to_num() {
                Some(n) => V::Num(n),
                None => return wrong(&v, "number"),
            },
            Ty::Bool => match v.to_bool() {
                Some(b) => V::Bool(b),
                None => return wrong(&v, "bool"),
            },
            Ty::List(t) | Ty::Set(t) => {
                let Some(items) = v.items() else {
                    return wrong(&v, "list");
                };
                let mut out = items
                    .iter()
                    .map(|i| self.convert(i.clone(), t, scope))
                    .collect::<Result<Vec<_>, _>>()?;
                if matches!(**t, Ty::Any) {
                    unify(&mut out);
                }
                // What is made of a set whose order is not certain has none either.
                if matches!(ty, Ty::Set(_)) || v.unsorted().is_some() {
                    V::set(out)
                } else {
                    V::list(out)
                }
            }
            Ty::Tuple(ts) => {
                if let Some(u) = v.unsorted() {
                    return Ok(V::Unknown(u));
                }
                let Some(items) = v.items().filter(|i| i.len() == ts.len()) else {
                    return wrong(&v, "tuple");
                };
                V::list(
                    items
                        .iter()
                        .zip(ts)
                        .map(|(i, t)| self.convert(i.clone(), t, scope))
                        .collect::<Result<_, _>>()?,
                )
            }
            Ty::Map(t) => {
                let m = self.object(&v)?;
                let (keys, mut vals): (Vec<_>, Vec<_>) = m.into_iter().unzip();
                for v in &mut vals {
                    *v = self.convert(v.clone(), t, scope)?;
                }
                if matches!(**t, Ty::Any) {
                    unify(&mut vals);
                }
                V::map(keys.into_iter().zip(vals).collect())
            }
            Ty::Object(attrs) => {
                let m = self.object(&v)?;
                let mut out = BTreeMap::new();
                for (k, (t, optional, default)) in attrs {
                    let given = m.get(k).filter(|v| **v != V::Null);
                    let value = match (given, default) {
                        (Some(v), _) => self.convert(v.clone(), t, scope)?,
                        (None, Some(d)) => {
                            let d = self.eval(d, scope)?;
                            self.convert(d, t, scope)?
                        }
                        (None, None) if *optional || m.contains_key(k) => V::Null,
                        (None, None) => return fault(format!("attribute `{k}` is required")),
                    };
                    out.insert(k.clone(), value);
                }
                V::map(out)
            }
        })
    }

    /// The members of a map or of a resource as an object.
    fn object(&self, v: &V) -> Result<BTreeMap<Arc<str>, V>, Fault> {
        match v {
            V::Map(m) => Ok((**m).clone()),
            V::Instance(i) => self.instance_attributes(i),
            v => fault(format!("a {} is not an object", v.type_name())),
        }
    }
}

/// Elements of one collection have one type: numbers and booleans beside strings become strings.
pub(crate) fn unify(items: &mut [V]) {
    if items.iter().any(|v| matches!(v, V::Str(_))) {
        for v in items {
            if let (V::Num(_) | V::Bool(_), Some(t)) = (&*v, v.to_text()) {
                *v = V::Str(t);
            }
        }
    }
}
