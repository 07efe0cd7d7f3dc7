//! Real configurations through Terraform and through the evaluator, without any provider.
//!
//! Every resource is rewritten to the built-in `terraform_data` (its arguments become `input`, what the cloud
//! would compute becomes an unknown value), so that `terraform plan` runs offline; then addresses, keys and
//! values of both sides are compared. Directories that Terraform itself refuses are counted, not compared.
//!
//! `cargo run --release -p bartizan-terraform --example against_terraform -- DIR [EVERY [OFFSET]]`
#![allow(clippy::unwrap_used, reason = "a tool for developers")]

use bartizan_base::Sources;
use bartizan_model::{Node, Value};
use bartizan_terraform::{EvalOptions, FileSet, ReadOptions, evaluate, read};
use hcl_edit::Ident;
use hcl_edit::expr::{Expression, Object, ObjectKey, ObjectValue, Traversal, TraversalOperator};
use hcl_edit::structure::{Attribute, Block, Body, Structure};
use hcl_edit::visit_mut::{VisitMut, visit_body_mut, visit_traversal_mut};
use serde_json::Value as J;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

fn main() {
    let root = std::env::args().nth(1).unwrap();
    let every: usize = std::env::args().nth(2).map_or(1, |n| n.parse().unwrap());
    let offset: usize = std::env::args().nth(3).map_or(0, |n| n.parse().unwrap());
    let mut dirs = BTreeSet::new();
    walk(Path::new(&root), &mut dirs);
    let (mut compared, mut resources, mut values, mut weaker, mut wrong) = (0, 0, 0, 0, 0);
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for dir in dirs.iter().skip(offset).step_by(every) {
        match compare(Path::new(dir)) {
            Ok(c) => {
                compared += 1;
                resources += c.resources;
                values += c.values;
                weaker += c.weaker;
                wrong += c.wrong.len();
                for w in c.wrong {
                    println!("{dir}: {w}");
                }
            }
            Err(why) => *refused.entry(why).or_default() += 1,
        }
    }
    for (why, n) in refused {
        println!("not compared, {n}: {why}");
    }
    println!(
        "{compared} configurations, {resources} resources, {values} values compared: {wrong} differ, {weaker} known only to Terraform"
    );
}

fn walk(dir: &Path, out: &mut BTreeSet<String>) {
    for p in std::fs::read_dir(dir).unwrap().flatten().map(|e| e.path()) {
        if p.is_symlink() {
            continue;
        }
        if p.is_dir() {
            walk(&p, out);
        } else if p.extension().is_some_and(|e| e == "tf") {
            out.insert(dir.to_string_lossy().into_owned());
        }
    }
}

#[derive(Default)]
struct Outcome {
    resources: usize,
    values: usize,
    weaker: usize,
    wrong: Vec<String>,
}

/// (kind, name, data) -> configured arguments.
type Declared = BTreeMap<(String, String, bool), BTreeSet<String>>;

struct Rewrite<'d>(&'d Declared);

impl VisitMut for Rewrite<'_> {
    fn visit_traversal_mut(&mut self, t: &mut Traversal) {
        visit_traversal_mut(self, t);
        let Expression::Variable(first) = &t.expr else {
            return;
        };
        let attr = |i: usize| match t.operators.get(i).map(|o| o.value()) {
            Some(TraversalOperator::GetAttr(a)) => Some(a.as_str().to_string()),
            _ => None,
        };
        let (data, kind, name) = match (first.as_str(), attr(0), attr(1)) {
            ("data", Some(k), Some(n)) => (true, k, n),
            (k, Some(n), _) => (false, k.to_string(), n),
            _ => return,
        };
        let Some(known) = self.0.get(&(kind.clone(), name.clone(), data)) else {
            return;
        };
        let from = if data { 2 } else { 1 };
        let mut ops: Vec<_> = t.operators.drain(..).skip(from).collect();
        let at = ops
            .iter()
            .position(|o| matches!(o.value(), TraversalOperator::GetAttr(_)));
        if let Some(at) = at {
            let TraversalOperator::GetAttr(a) = ops[at].value() else {
                return;
            };
            let via = if known.contains(a.as_str()) {
                "input"
            } else {
                "triggers_replace"
            };
            ops.insert(at, TraversalOperator::GetAttr(Ident::new(via).into()).into());
        }
        let new = renamed(&kind, &name, data);
        let mut all = vec![TraversalOperator::GetAttr(Ident::new(new).into()).into()];
        all.append(&mut ops);
        *t = Traversal::new(Expression::Variable(Ident::new("terraform_data").into()), all);
    }
    fn visit_body_mut(&mut self, b: &mut Body) {
        visit_body_mut(self, b);
    }
}

fn renamed(kind: &str, name: &str, data: bool) -> String {
    format!("{}{kind}__{name}", if data { "data__" } else { "" })
}

const META: [&str; 4] = ["count", "for_each", "provider", "depends_on"];

fn rewrite(body: Body, declared: &Declared, root: bool) -> Body {
    let mut out = Body::new();
    for s in body {
        let Structure::Block(b) = s else { continue };
        match (b.ident.as_str(), b.labels.len()) {
            ("resource" | "data", 2) => {
                let data = b.ident.as_str() == "data";
                let (kind, name) = (b.labels[0].as_str().to_string(), b.labels[1].as_str().to_string());
                let mut new = Block::builder(Ident::new("resource"))
                    .labels(["terraform_data".to_string(), renamed(&kind, &name, data)]);
                let mut input = Object::new();
                for a in b.body.attributes() {
                    match a.key.as_str() {
                        "count" | "for_each" => new = new.attribute(a.clone()),
                        k if META.contains(&k) => {}
                        k => {
                            let mut v = a.value.clone();
                            v.decor_clear();
                            input.insert(ObjectKey::Expression(Expression::from(k)), ObjectValue::new(v));
                        }
                    }
                }
                let unknown: Expression = "jsondecode(timestamp())".parse().unwrap();
                new = new.attribute(Attribute::new(Ident::new("input"), Expression::Object(input)));
                new = new.attribute(Attribute::new(Ident::new("triggers_replace"), unknown));
                out.push(new.build());
            }
            ("output", _) if root => {}
            ("variable" | "locals" | "output", _) => out.push(b),
            ("module", _) => {
                let mut b = b;
                b.body
                    .retain_attributes(|a| !["providers", "version", "depends_on"].contains(&a.key.as_str()));
                out.push(b);
            }
            _ => {}
        }
    }
    Rewrite(declared).visit_body_mut(&mut out);
    out
}

trait Clear {
    fn decor_clear(&mut self);
}
impl Clear for Expression {
    fn decor_clear(&mut self) {
        use hcl_edit::Decorate as _;
        self.decor_mut().clear();
    }
}
trait Retain {
    fn retain_attributes(&mut self, keep: impl Fn(&Attribute) -> bool);
}
impl Retain for Body {
    fn retain_attributes(&mut self, keep: impl Fn(&Attribute) -> bool) {
        let old = std::mem::take(self);
        for s in old {
            if s.as_attribute().is_none_or(&keep) {
                self.push(s);
            }
        }
    }
}

/// Rewrites a directory and those of its local modules; file path -> text.
fn gather(dir: &Path, at: &str, depth: usize, out: &mut BTreeMap<String, String>) -> Result<(), String> {
    if depth > 8 {
        return Err("modules nest too deeply for this comparison".into());
    }
    let mut bodies = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .map_err(|_| "a module is missing".to_string())?
        .flatten()
        .collect();
    files.sort_by_key(std::fs::DirEntry::path);
    for f in files {
        let name = f.file_name().to_string_lossy().into_owned();
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}/{name}")
        };
        if f.path().is_dir() {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(f.path()) else {
            continue;
        };
        if name.ends_with(".tf") {
            let body = hcl_edit::parser::parse_body(&text).map_err(|_| "does not parse".to_string())?;
            bodies.push((path, body));
        } else if !name.ends_with(".tf.json") && text.len() < 300_000 {
            out.insert(path, text);
        }
    }
    let mut declared = Declared::new();
    for (_, body) in &bodies {
        for b in body
            .blocks()
            .filter(|b| ["resource", "data"].contains(&b.ident.as_str()) && b.labels.len() == 2)
        {
            let key = (
                b.labels[0].as_str().to_string(),
                b.labels[1].as_str().to_string(),
                b.ident.as_str() == "data",
            );
            let args = b.body.attributes().map(|a| a.key.as_str().to_string()).collect();
            declared.insert(key, args);
        }
        for b in body.blocks().filter(|b| b.ident.as_str() == "module") {
            let source = b
                .body
                .get_attribute("source")
                .and_then(|a| a.value.as_str().map(str::to_string));
            match source {
                Some(s) if s.starts_with('.') => {
                    let sub = if at.is_empty() {
                        s.clone()
                    } else {
                        format!("{at}/{s}")
                    };
                    let sub = sub.trim_start_matches("./").replace("/./", "/");
                    if sub.contains("..") {
                        return Err("a module outside of the directory".into());
                    }
                    gather(&dir.join(&s), sub.trim_end_matches('/'), depth + 1, out)?;
                }
                _ => return Err("a module that is not local".into()),
            }
        }
    }
    for (path, body) in bodies {
        out.insert(path, rewrite(body, &declared, at.is_empty()).to_string());
    }
    Ok(())
}

fn compare(dir: &Path) -> Result<Outcome, String> {
    let mut files = BTreeMap::new();
    gather(dir, "", 0, &mut files)?;
    let tmp = tempfile::tempdir().unwrap();
    for (name, text) in &files {
        let p = tmp.path().join(name);
        std::fs::create_dir_all(p.parent().unwrap()).unwrap();
        std::fs::write(p, text).unwrap();
    }
    let run = |args: &[&str]| {
        let out = Command::new("terraform")
            .args(args)
            .current_dir(tmp.path())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&out.stderr).into_owned();
        if out.status.success() {
            return Ok(out.stdout);
        }
        let line = err
            .lines()
            .find(|l| l.contains("Error: "))
            .unwrap_or("fails")
            .trim_start_matches(['│', ' ']);
        Err(format!("Terraform refuses it: {line}"))
    };
    run(&["init", "-input=false", "-no-color"])?;
    run(&["plan", "-input=false", "-no-color", "-refresh=false", "-out=p"])?;
    let shown: J = serde_json::from_slice(&run(&["show", "-json", "p"])?).unwrap();
    if let Some(what) = changed(&shown, &files) {
        println!("{}: {what}", dir.display());
    }
    let mut theirs = BTreeMap::new();
    collect(&shown["planned_values"]["root_module"], &mut theirs);

    let mut sources = Sources::default();
    let mut set = FileSet::default();
    for (name, text) in &files {
        set.add(&mut sources, name, text.clone());
    }
    let (ours, said) = evaluate(&set, &sources, &EvalOptions::default());
    let ours: BTreeMap<String, &bartizan_model::Resource> =
        ours.iter().map(|r| (r.address.to_string(), r)).collect();
    let mut out = Outcome {
        resources: theirs.len(),
        ..Outcome::default()
    };
    for (a, want) in &theirs {
        match ours.get(a) {
            None => out.wrong.push(format!(
                "{a} is missing here; said {:?}",
                said.first().map(|d| &d.message)
            )),
            Some(r) => diff(a, want, r.attributes.get("input"), &mut out),
        }
    }
    for a in ours.keys().filter(|a| !theirs.contains_key(*a)) {
        out.wrong.push(format!("{a} is not in their plan"));
    }
    Ok(out)
}

/// What is said to have changed in a directory since a plan was made from it, which is nothing.
fn changed(plan: &J, files: &BTreeMap<String, String>) -> Option<String> {
    let mut sources = Sources::default();
    let mut document = FileSet::default();
    document.add(&mut sources, "plan.json", plan.to_string());
    let mut directory = FileSet::default();
    for (name, text) in files {
        directory.add(&mut sources, name, text.clone());
    }
    let options = ReadOptions {
        configuration: Some(directory),
        ..ReadOptions::default()
    };
    let said = read(&document, &mut sources, &options).diagnostics;
    let changed = said.iter().find(|d| d.message.contains("in the directory"));
    changed.map(|d| d.message.clone())
}

fn collect(module: &J, out: &mut BTreeMap<String, J>) {
    for r in module["resources"].as_array().into_iter().flatten() {
        out.insert(
            r["address"].as_str().unwrap().to_string(),
            r["values"]["input"].clone(),
        );
    }
    for m in module["child_modules"].as_array().into_iter().flatten() {
        collect(m, out);
    }
}

fn diff(at: &str, theirs: &J, ours: Option<&Node>, out: &mut Outcome) {
    let Some(ours) = ours else { return };
    let agree = match (theirs, &ours.value) {
        (J::Null, Value::Unknown(_) | Value::Ref(_) | Value::Null) => true,
        (_, Value::Unknown(_) | Value::Ref(_)) => {
            out.weaker += 1;
            true
        }
        (J::Object(t), Value::Map(o)) => {
            for (k, v) in o {
                diff(
                    &format!("{at}.{k}"),
                    t.get(&**k).unwrap_or(&J::Null),
                    Some(v),
                    out,
                );
            }
            t.keys().all(|k| o.contains_key(k.as_str()))
        }
        (J::Array(t), Value::List(o)) => {
            for (i, (t, v)) in t.iter().zip(o).enumerate() {
                diff(&format!("{at}[{i}]"), t, Some(v), out);
            }
            t.len() == o.len()
        }
        (J::String(t), Value::String(o)) => **t == **o,
        (J::Bool(t), Value::Bool(o)) => t == o,
        (J::Number(t), Value::Number(o)) => t.as_f64() == o.parse().ok(),
        // A list or an object of nothing but unknown values.
        (J::Null, Value::List(v)) => v
            .iter()
            .all(|n| matches!(n.value, Value::Unknown(_) | Value::Ref(_))),
        (J::Null, Value::Map(v)) => v
            .values()
            .all(|n| matches!(n.value, Value::Unknown(_) | Value::Ref(_))),
        _ => false,
    };
    out.values += 1;
    if !agree {
        out.wrong
            .push(format!("{at}: theirs {theirs}, ours {:?}", ours.value));
    }
}
