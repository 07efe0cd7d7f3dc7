//! `.tf.json`: the JSON syntax of configurations.

use super::source::{Block, Expr, Item};
use bartizan_base::{Diagnostic, FileId, Sources, Span};
use hcl_edit::expr::{Array, Expression, Object, ObjectKey, ObjectValue};
use hcl_edit::template::{StringTemplate, Template};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A JSON value that keeps the members of objects in order and those of the same name: every one of them counts.
enum J {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(String),
    Array(Vec<J>),
    Object(Vec<(String, J)>),
}

impl<'de> Deserialize<'de> for J {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<J, D::Error> {
        d.deserialize_any(AnyValue)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = J;
    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<J, E> {
        Ok(J::Null)
    }
    fn visit_bool<E>(self, b: bool) -> Result<J, E> {
        Ok(J::Bool(b))
    }
    fn visit_i64<E>(self, n: i64) -> Result<J, E> {
        Ok(J::Int(n))
    }
    fn visit_u64<E>(self, n: u64) -> Result<J, E> {
        Ok(i64::try_from(n).map_or(J::Float(n as f64), J::Int))
    }
    fn visit_f64<E>(self, n: f64) -> Result<J, E> {
        Ok(J::Float(n))
    }
    fn visit_str<E>(self, s: &str) -> Result<J, E> {
        Ok(J::String(s.to_string()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut a: A) -> Result<J, A::Error> {
        let mut out = Vec::new();
        while let Some(v) = a.next_element()? {
            out.push(v);
        }
        Ok(J::Array(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut a: A) -> Result<J, A::Error> {
        let mut out = Vec::new();
        while let Some(m) = a.next_entry()? {
            out.push(m);
        }
        Ok(J::Object(out))
    }
}

impl J {
    fn object(&self) -> Option<&[(String, J)]> {
        match self {
            J::Object(m) => Some(m),
            _ => None,
        }
    }
    /// Itself, or what is in it if it is a list: a block may be written as either.
    fn each(&self) -> &[J] {
        match self {
            J::Array(v) => v,
            v => std::slice::from_ref(v),
        }
    }
    /// Whether it may be blocks.
    fn blocks(&self) -> bool {
        self.each().iter().all(|b| b.object().is_some())
    }
    /// Whether there is a `dynamic` block in it.
    fn dynamic(&self) -> bool {
        let made = |v: &J| {
            let bodies = v.object().into_iter().flatten().flat_map(|(_, v)| v.each());
            let mut members = bodies.filter_map(J::object).flatten();
            members.any(|(k, _)| k == "for_each")
        };
        self.each()
            .iter()
            .filter_map(J::object)
            .flatten()
            .any(|(k, v)| (k == "dynamic" && v.each().iter().any(made)) || v.dynamic())
    }
}

/// Blocks of a resource that are not the provider's.
const META_BLOCKS: [&str; 3] = ["lifecycle", "provisioner", "connection"];

/// Parses a JSON configuration file into the same items as native syntax.
pub(crate) fn parse(text: &str, file: FileId, sources: &Sources) -> Result<Vec<Item>, Diagnostic> {
    let root: J = serde_json::from_str(text).map_err(|e| not_json(&e, text, file, sources))?;
    let mut out = Vec::new();
    // One object, or several in a list, which is the way to write blocks between others.
    for top in root.each() {
        let Some(top) = top.object() else {
            return Err(not_an_object(file, "an object, or a list of objects"));
        };
        for (ident, body) in top {
            let depth = match ident.as_str() {
                "//" => continue,
                "resource" | "data" | "ephemeral" => 2,
                "variable" | "output" | "module" | "provider" | "check" => 1,
                _ => 0,
            };
            nest(ident, depth, &[], body, file, &mut out);
        }
    }
    Ok(out)
}

/// Parses a `.tfvars.json` file.
pub(crate) fn tfvars(file: FileId, sources: &Sources) -> Result<Vec<Item>, Diagnostic> {
    let Some(f) = sources.get(file) else {
        return Ok(Vec::new());
    };
    let root: J = serde_json::from_str(&f.text).map_err(|e| not_json(&e, &f.text, file, sources))?;
    let Some(top) = root.object() else {
        return Err(not_an_object(file, "an object"));
    };
    let mut seen = BTreeSet::new();
    if let Some((twice, _)) = top.iter().find(|(k, _)| !seen.insert(k.as_str())) {
        return Err(Diagnostic::error(
            "INPUT001",
            format!("variable `{twice}` has two values in one file"),
        )
        .at(Span::file(file), "not read")
        .help("remove one of them"));
    }
    Ok(top
        .iter()
        .map(|(k, v)| Item::Attr(k.clone(), value(v, file)))
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

fn not_an_object(file: FileId, what: &str) -> Diagnostic {
    Diagnostic::error("INPUT001", format!("this file has to be {what}"))
        .at(Span::file(file), "it is something else")
        .help("nothing in the file was read")
}

fn value(v: &J, file: FileId) -> Expr {
    Expr {
        expr: Rc::new(expression(v)),
        file,
        span: Span::file(file),
    }
}

fn nest(ident: &str, depth: usize, labels: &[String], body: &J, file: FileId, out: &mut Vec<Item>) {
    match body {
        J::Array(v) => v.iter().for_each(|b| nest(ident, depth, labels, b, file, out)),
        J::Object(m) if depth > 0 => {
            for (k, v) in m.iter().filter(|(k, _)| k != "//") {
                let mut l = labels.to_vec();
                l.push(k.clone());
                nest(ident, depth - 1, &l, v, file, out);
            }
        }
        J::Object(m) => out.push(Item::Block(Rc::new(block(ident, labels, m, file)))),
        _ => {}
    }
}

/// A block with what is in it. Only the schema of a provider could tell whether a member is an argument or nested blocks:
/// it is an argument here, a list of objects, unless only blocks can be meant.
fn block(ident: &str, labels: &[String], members: &[(String, J)], file: FileId) -> Block {
    let mut b = Block {
        ident: ident.to_string(),
        labels: labels.to_vec(),
        span: Span::file(file),
        attrs: Vec::new(),
        blocks: Vec::new(),
    };
    let resource = matches!(ident, "resource" | "data");
    let inner = resource || ident == "content";
    // Names that `dynamic` blocks make blocks of: those that are written beside them are blocks too.
    let made: BTreeSet<&str> = members
        .iter()
        .filter(|(k, _)| inner && k == "dynamic")
        .flat_map(|(_, v)| v.each().iter().filter_map(J::object).flatten())
        .map(|(k, _)| k.as_str())
        .collect();
    let mut attrs: Vec<(String, &J)> = Vec::new();
    for (k, v) in members.iter().filter(|(k, _)| k != "//") {
        if resource && META_BLOCKS.contains(&k.as_str()) {
            b.blocks.push(Rc::new(block(k, &[], &[], file)));
        } else if inner && k == "dynamic" && v.blocks() {
            let labelled = v.each().iter().filter_map(J::object).flatten();
            for (label, bodies) in labelled.filter(|(k, _)| k != "//") {
                for m in bodies.each().iter().filter_map(J::object) {
                    b.blocks.push(Rc::new(dynamic(label, m, file)));
                }
            }
        } else if inner && v.blocks() && (made.contains(k.as_str()) || v.dynamic()) {
            for m in v.each().iter().filter_map(J::object) {
                b.blocks.push(Rc::new(nested(k, m, file)));
            }
        } else {
            attrs.push((k.clone(), v));
        }
    }
    for (k, all) in grouped(attrs.iter().map(|(k, v)| (k.as_str(), *v))) {
        let expr = Expr {
            expr: Rc::new(together(&all)),
            ..value(&J::Null, file)
        };
        b.attrs.push((k.to_string(), expr));
    }
    b
}

/// A nested block that is written out.
fn nested(ident: &str, members: &[(String, J)], file: FileId) -> Block {
    let mut b = block("content", &[], members, file);
    b.ident = ident.to_string();
    b
}

fn dynamic(label: &str, members: &[(String, J)], file: FileId) -> Block {
    let mut b = Block {
        ident: "dynamic".to_string(),
        labels: vec![label.to_string()],
        span: Span::file(file),
        attrs: Vec::new(),
        blocks: Vec::new(),
    };
    for (k, v) in members {
        match (k.as_str(), v.each()) {
            // More than one is refused where it is used, as none is.
            ("content", [J::Object(m)]) if b.blocks.is_empty() => {
                b.blocks.push(Rc::new(block("content", &[], m, file)));
            }
            ("content", _) => b.blocks.clear(),
            _ => b.attrs.push((k.clone(), value(v, file))),
        }
    }
    b
}

/// Members by name, in order of the first of each.
fn grouped<'j>(members: impl Iterator<Item = (&'j str, &'j J)>) -> Vec<(&'j str, Vec<&'j J>)> {
    let mut out: Vec<(&str, Vec<&J>)> = Vec::new();
    let mut at: BTreeMap<&str, usize> = BTreeMap::new();
    for (k, v) in members {
        let i = *at.entry(k).or_insert(out.len());
        match out.get_mut(i) {
            Some((_, all)) => all.push(v),
            None => out.push((k, vec![v])),
        }
    }
    out
}

/// What members of the same name are together: blocks one after the other. Nothing else may be written twice.
fn together(all: &[&J]) -> Expression {
    match all {
        [v] => expression(v),
        all if all.iter().all(|v| v.blocks()) => Expression::Array(
            all.iter()
                .flat_map(|v| v.each())
                .map(expression)
                .collect::<Array>(),
        ),
        _ => nobody_knows(),
    }
}

/// An expression without a value that is known.
pub(crate) fn nobody_knows() -> Expression {
    Expression::from(hcl_edit::Ident::new("self"))
}

fn text(s: &str) -> Expression {
    if !s.contains("${") && !s.contains("%{") {
        return Expression::from(s);
    }
    match s.parse::<Template>() {
        Ok(t) => Expression::StringTemplate(t.into_iter().collect::<StringTemplate>()),
        // The text is kept; that it is no template shows where it is used.
        Err(_) => Expression::from(s),
    }
}

fn expression(v: &J) -> Expression {
    match v {
        J::Null => Expression::null(),
        J::Bool(b) => Expression::from(*b),
        J::Int(n) => Expression::from(*n),
        J::Float(f) => {
            hcl_edit::parser::parse_expr(&super::value::number(*f)).unwrap_or_else(|_| Expression::null())
        }
        // Strings are templates, and so are the names of members.
        J::String(s) => text(s),
        J::Array(v) => Expression::Array(v.iter().map(expression).collect::<Array>()),
        J::Object(m) => {
            let mut o = Object::new();
            for (k, all) in grouped(m.iter().map(|(k, v)| (k.as_str(), v))) {
                o.insert(ObjectKey::Expression(text(k)), ObjectValue::new(together(&all)));
            }
            Expression::Object(o)
        }
    }
}
