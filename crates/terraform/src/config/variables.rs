//! Where values of the root module's variables come from.

use super::eval::{Fault, fault};
use super::module::World;
use super::source::{Expr, Item, parse_file};
use super::types::Ty;
use super::value::V;
use super::{Assignment, EvalOptions};
use bartizan_base::{Diagnostic, FileId, Span};
use std::collections::BTreeMap;

/// What was given, by name; later sources replace earlier ones.
#[derive(Default)]
pub(crate) struct Given(BTreeMap<String, Source>);

enum Source {
    /// Text of the command line or the environment.
    Text(String),
    /// An expression in a file.
    Expr(Expr),
}

impl Given {
    /// In Terraform's order: environment, `terraform.tfvars`, `terraform.tfvars.json`, `*.auto.tfvars` by name, then the
    /// command line as it stands.
    pub(crate) fn collect(w: &World<'_>, options: &EvalOptions) -> Given {
        let mut out = BTreeMap::new();
        for (k, v) in &options.env {
            out.insert(k.clone(), Source::Text(v.clone()));
        }
        for name in ["terraform.tfvars", "terraform.tfvars.json"] {
            if let Some(f) = w.files.files.get(name) {
                read(w, name, *f, &mut out);
            }
        }
        for (path, f) in &w.files.files {
            if !path.contains('/') && (path.ends_with(".auto.tfvars") || path.ends_with(".auto.tfvars.json"))
            {
                read(w, path, *f, &mut out);
            }
        }
        for a in &options.given {
            match a {
                Assignment::Var(k, v) => {
                    out.insert(k.clone(), Source::Text(v.clone()));
                }
                Assignment::File(path) => match w.files.files.get(path) {
                    Some(f) => read(w, path, *f, &mut out),
                    None => w.say(
                        Diagnostic::error("INPUT001", format!("variable file `{path}` is not there"))
                            .help("paths of `--var-file` are relative to where you are"),
                    ),
                },
            }
        }
        Given(out)
    }

    /// The value given for a variable, with its place.
    pub(crate) fn value(
        &self,
        w: &World<'_>,
        name: &str,
        ty: &Ty,
    ) -> Result<Option<(V, Option<Span>)>, Fault> {
        let scope = w.scope(0);
        Ok(match self.0.get(name) {
            None => None,
            Some(Source::Expr(e)) => Some((w.expr(e, &scope)?, Some(e.span))),
            Some(Source::Text(t)) if ty.primitive() || matches!(ty, Ty::Any) && !looks_structured(t) => {
                Some((V::str(t.as_str()), None))
            }
            Some(Source::Text(t)) => match hcl_edit::parser::parse_expr(t) {
                Ok(e) => Some((w.eval(&e, &scope).map_err(|f| Fault { span: None, ..f })?, None)),
                Err(_) => {
                    return fault(format!(
                        "the value given for variable `{name}` is not an expression"
                    ));
                }
            },
        })
    }
}

/// Takes the values of a file.
fn read(w: &World<'_>, path: &str, file: FileId, out: &mut BTreeMap<String, Source>) {
    let items = if path.ends_with(".json") {
        super::json::tfvars(file, w.sources)
    } else {
        parse_file(file, w.sources, false)
    };
    match items {
        Ok(items) => {
            for i in items {
                match i {
                    Item::Attr(k, e) => {
                        out.insert(k, Source::Expr(e));
                    }
                    Item::Block(b) => w.say(
                        Diagnostic::warning("INPUT003", format!("block `{}` in a variable file", b.ident))
                            .at(b.span, "not read")
                            .help("variable files hold only `name = value`"),
                    ),
                }
            }
        }
        Err(d) => w.say(d),
    }
}

fn looks_structured(t: &str) -> bool {
    matches!(t.trim_start().as_bytes().first(), Some(b'[' | b'{'))
}
