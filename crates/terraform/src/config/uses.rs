//! What an expression refers to, as a plan lists it (`configuration`, `references`).
//!
//! A plan does not show expressions. It lists what each one names, and the parts of that: `a.b[0].c` as `a.b[0].c`,
//! `a.b[0]` and `a.b`. With the same list of what a directory says, two versions of a configuration are told apart.

use super::value::quote;
use hcl_edit::expr::{Expression, ObjectKey, TraversalOperator};
use hcl_edit::template::{Directive, Element};

/// The references of an expression, with their parts and with repetitions.
pub(crate) fn references(e: &Expression) -> Vec<String> {
    let mut f = Finder::default();
    f.expr(e);
    f.out
}

/// Whether a function is called anywhere: a plan says nothing of the value then.
pub(crate) fn calls(e: &Expression) -> bool {
    let mut f = Finder::default();
    f.expr(e);
    f.calls
}

#[derive(Default)]
struct Finder {
    /// Names that a `for` around it has bound.
    bound: Vec<String>,
    out: Vec<String>,
    calls: bool,
}

/// One step of a reference.
#[derive(Clone, PartialEq, Eq)]
enum Step {
    Attr(String),
    /// With its brackets.
    Index(String),
}

impl Step {
    fn text(&self) -> String {
        match self {
            Step::Attr(a) => format!(".{a}"),
            Step::Index(i) => i.clone(),
        }
    }
}

/// An index that is written out.
fn constant(e: &Expression) -> Option<String> {
    match e {
        Expression::String(s) => Some(format!("[{}]", quote(s.as_str()))),
        Expression::Number(n) => Some(format!("[{}]", super::number(n.value().as_f64()?))),
        _ => None,
    }
}

impl Finder {
    fn expr(&mut self, e: &Expression) {
        match e {
            Expression::Null(_) | Expression::Bool(_) | Expression::Number(_) | Expression::String(_) => {}
            Expression::Array(a) => a.iter().for_each(|e| self.expr(e)),
            Expression::Object(o) => {
                for (k, v) in o.iter() {
                    match k {
                        // A bare name is a text.
                        ObjectKey::Ident(_) | ObjectKey::Expression(Expression::Variable(_)) => {}
                        ObjectKey::Expression(e) => self.expr(e),
                    }
                    self.expr(v.expr());
                }
            }
            Expression::StringTemplate(t) => self.elements(t.iter()),
            Expression::HeredocTemplate(h) => self.elements(h.template.iter()),
            Expression::Parenthesis(p) => self.expr(p.inner()),
            Expression::Variable(v) => self.name(v.as_str(), &[]),
            Expression::Conditional(c) => {
                for e in [&c.cond_expr, &c.true_expr, &c.false_expr] {
                    self.expr(e);
                }
            }
            Expression::FuncCall(f) => {
                self.calls = true;
                f.args.iter().for_each(|e| self.expr(e));
            }
            Expression::Traversal(t) => self.traversal(t),
            Expression::UnaryOp(u) => self.expr(&u.expr),
            Expression::BinaryOp(b) => {
                self.expr(&b.lhs_expr);
                self.expr(&b.rhs_expr);
            }
            Expression::ForExpr(f) => {
                self.expr(&f.intro.collection_expr);
                let key = f.intro.key_var.as_ref().map(|k| k.as_str());
                let value = f.intro.value_var.as_str();
                self.within(key, value, |s| {
                    let all = f.key_expr.iter().chain([&f.value_expr]);
                    all.chain(f.cond.iter().map(|c| &c.expr)).for_each(|e| s.expr(e));
                });
            }
        }
    }

    fn within(&mut self, key: Option<&str>, value: &str, look: impl FnOnce(&mut Self)) {
        let before = self.bound.len();
        self.bound.extend(key.map(str::to_string));
        self.bound.push(value.to_string());
        look(self);
        self.bound.truncate(before);
    }

    fn elements<'e>(&mut self, all: impl Iterator<Item = &'e Element>) {
        for e in all {
            match e {
                Element::Literal(_) => {}
                Element::Interpolation(i) => self.expr(&i.expr),
                Element::Directive(d) => match &**d {
                    Directive::If(d) => {
                        self.expr(&d.if_expr.cond_expr);
                        self.elements(d.if_expr.template.iter());
                        if let Some(e) = &d.else_expr {
                            self.elements(e.template.iter());
                        }
                    }
                    Directive::For(d) => {
                        self.expr(&d.for_expr.collection_expr);
                        let key = d.for_expr.key_var.as_ref().map(|k| k.as_str());
                        self.within(key, d.for_expr.value_var.as_str(), |s| {
                            s.elements(d.for_expr.template.iter());
                        });
                    }
                },
            }
        }
    }

    fn traversal(&mut self, t: &hcl_edit::expr::Traversal) {
        let ops = || t.operators.iter().map(|o| o.value());
        // What comes after a splat or a computed index is no part of the name.
        let steps: Vec<Step> = ops()
            .map_while(|o| match o {
                TraversalOperator::GetAttr(a) => Some(Step::Attr(a.as_str().to_string())),
                TraversalOperator::LegacyIndex(n) => Some(Step::Index(format!("[{}]", n.value()))),
                TraversalOperator::Index(e) => constant(e).map(Step::Index),
                TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => None,
            })
            .collect();
        match &t.expr {
            Expression::Variable(v) => self.name(v.as_str(), &steps),
            e => self.expr(e),
        }
        for o in ops() {
            if let TraversalOperator::Index(e) = o {
                self.expr(e);
            }
        }
    }

    /// A name with the steps that follow it: the thing that is meant, and what of it.
    fn name(&mut self, root: &str, steps: &[Step]) {
        if self.bound.iter().any(|b| b == root) {
            return;
        }
        let attr = |n: usize| match steps.get(n) {
            Some(Step::Attr(a)) => Some(a.as_str()),
            _ => None,
        };
        // How many steps name the thing, without its key.
        let (root, steps, named) = match (root, attr(0), attr(1)) {
            ("self", ..) => (root, steps, 0),
            ("data" | "ephemeral", Some(_), Some(_)) => (root, steps, 2),
            ("data" | "ephemeral", ..) => return,
            ("resource", Some(kind), Some(_)) => (kind, steps.get(1..).unwrap_or_default(), 1),
            (_, Some(_), _) => (root, steps, 1),
            _ => return,
        };
        let text = |n: usize| {
            let all = steps.iter().take(n).map(Step::text);
            root.to_string() + &all.collect::<String>()
        };
        let keyed = !matches!(
            root,
            "count" | "each" | "path" | "terraform" | "var" | "local" | "self"
        );
        let key = keyed && matches!(steps.get(named), Some(Step::Index(_)));
        let thing = named + usize::from(key);
        // An output of a module is a thing of its own, and so is the module that has it.
        let output = root == "module" && matches!(steps.get(thing), Some(Step::Attr(_)));
        let least = thing + usize::from(output);
        self.out.extend((least..=steps.len()).rev().map(text));
        if output {
            self.out.push(text(thing));
        } else if key {
            self.out.push(text(named));
        }
    }
}
