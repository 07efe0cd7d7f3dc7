//! `.tf.json`: the JSON syntax of configurations.

use super::source::{Block, Expr, Item};
use bartizan_base::{Diagnostic, FileId, Sources, Span};
use hcl_edit::expr::{Array, Expression, Object, ObjectKey, ObjectValue};
use hcl_edit::template::{StringTemplate, Template};
use serde_json::Value as J;
use std::rc::Rc;

/// Parses a JSON configuration file into the same items as native syntax.
pub(crate) fn parse(text: &str, file: FileId, sources: &Sources) -> Result<Vec<Item>, Diagnostic> {
    let root: J = serde_json::from_str(text).map_err(|e| not_json(&e, text, file, sources))?;
    let mut out = Vec::new();
    let J::Object(top) = root else { return Ok(out) };
    for (ident, body) in &top {
        let depth = match ident.as_str() {
            "resource" | "data" => 2,
            "variable" | "output" | "module" | "provider" => 1,
            "locals" | "terraform" => 0,
            _ => continue,
        };
        nest(ident, depth, &[], body, file, &mut out);
    }
    Ok(out)
}

/// Parses a `.tfvars.json` file.
pub(crate) fn tfvars(file: FileId, sources: &Sources) -> Result<Vec<Item>, Diagnostic> {
    let Some(f) = sources.get(file) else {
        return Ok(Vec::new());
    };
    let root: J = serde_json::from_str(&f.text).map_err(|e| not_json(&e, &f.text, file, sources))?;
    let J::Object(top) = root else {
        return Ok(Vec::new());
    };
    let span = Span::file(file);
    Ok(top
        .iter()
        .map(|(k, v)| {
            Item::Attr(
                k.clone(),
                Expr {
                    expr: Rc::new(expression(v)),
                    file,
                    span,
                },
            )
        })
        .collect())
}

fn not_json(e: &serde_json::Error, text: &str, file: FileId, sources: &Sources) -> Diagnostic {
    let line = text
        .split_inclusive('\n')
        .take(e.line().saturating_sub(1))
        .map(str::len)
        .sum::<usize>();
    let at = (line + e.column().saturating_sub(1)).min(text.len());
    Diagnostic::error("INPUT001", format!("this file is not valid JSON: {e}"))
        .at(sources.span(file, at..at), "cannot be parsed here")
        .help("nothing in the file was read")
}

fn nest(ident: &str, depth: usize, labels: &[String], body: &J, file: FileId, out: &mut Vec<Item>) {
    match body {
        J::Array(v) => v.iter().for_each(|b| nest(ident, depth, labels, b, file, out)),
        J::Object(m) if depth > 0 => {
            for (k, v) in m {
                let mut l = labels.to_vec();
                l.push(k.clone());
                nest(ident, depth - 1, &l, v, file, out);
            }
        }
        J::Object(m) => {
            let span = Span::file(file);
            let attrs = m
                .iter()
                .filter(|(k, _)| *k != "//")
                .map(|(k, v)| {
                    (
                        k.clone(),
                        Expr {
                            expr: Rc::new(expression(v)),
                            file,
                            span,
                        },
                    )
                })
                .collect();
            let b = Block {
                ident: ident.to_string(),
                labels: labels.to_vec(),
                span,
                attrs,
                blocks: Vec::new(),
            };
            out.push(Item::Block(Rc::new(b)));
        }
        _ => {}
    }
}

fn expression(v: &J) -> Expression {
    match v {
        J::Null => Expression::null(),
        J::Bool(b) => Expression::from(*b),
        J::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(i), _) => Expression::from(i),
            (None, Some(f)) => {
                hcl_edit::parser::parse_expr(&super::value::number(f)).unwrap_or_else(|_| Expression::null())
            }
            _ => Expression::null(),
        },
        // Strings are templates.
        J::String(s) if s.contains("${") || s.contains("%{") => match s.parse::<Template>() {
            Ok(t) => Expression::StringTemplate(t.into_iter().collect::<StringTemplate>()),
            // The text is kept; that it is no template shows where it is used.
            Err(_) => Expression::from(s.as_str()),
        },
        J::String(s) => Expression::from(s.as_str()),
        J::Array(v) => Expression::Array(v.iter().map(expression).collect::<Array>()),
        J::Object(m) => {
            let mut o = Object::new();
            for (k, v) in m {
                o.insert(
                    ObjectKey::Expression(Expression::from(k.as_str())),
                    ObjectValue::new(expression(v)),
                );
            }
            Expression::Object(o)
        }
    }
}
