//! From text to declarations: what a directory declares, nothing evaluated.

use crate::FileSet;
use bartizan_base::{Diagnostic, FileId, Sources, Span};
use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};
use std::collections::BTreeMap;
use std::rc::Rc;

/// An expression with the file it is in.
#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub(crate) expr: Rc<Expression>,
    pub(crate) file: FileId,
    pub(crate) span: Span,
}

/// A block.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) ident: String,
    pub(crate) labels: Vec<String>,
    pub(crate) span: Span,
    pub(crate) attrs: Vec<(String, Expr)>,
    pub(crate) blocks: Vec<Rc<Block>>,
}

impl Block {
    pub(crate) fn attr(&self, name: &str) -> Option<&Expr> {
        self.attrs.iter().find(|(k, _)| k == name).map(|(_, e)| e)
    }
    pub(crate) fn blocks_of<'a>(&'a self, ident: &'a str) -> impl Iterator<Item = &'a Rc<Block>> {
        self.blocks.iter().filter(move |b| b.ident == ident)
    }
}

/// A resource or data source declaration.
#[derive(Clone, Debug)]
pub(crate) struct Decl {
    pub(crate) data: bool,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) block: Rc<Block>,
}

/// What one directory declares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) decls: Vec<Decl>,
    /// (data, kind, name) -> index.
    pub(crate) by_name: BTreeMap<(bool, String, String), usize>,
    pub(crate) variables: BTreeMap<String, Rc<Block>>,
    pub(crate) locals: BTreeMap<String, Expr>,
    pub(crate) outputs: BTreeMap<String, Rc<Block>>,
    pub(crate) modules: BTreeMap<String, Rc<Block>>,
    pub(crate) providers: Vec<Rc<Block>>,
    /// Settings of Terraform itself.
    pub(crate) terraform: Vec<Rc<Block>>,
}

impl Config {
    /// Every resource and data source: its address in the module, and the block.
    pub(crate) fn declarations(&self) -> impl Iterator<Item = (String, &Block)> {
        self.decls.iter().map(|d| {
            let data = if d.data { "data." } else { "" };
            (format!("{data}{}.{}", d.kind, d.name), &*d.block)
        })
    }

    /// The block of an address in the module.
    pub(crate) fn declared(&self, address: &str) -> Option<&Block> {
        let (data, rest) = match address.strip_prefix("data.") {
            Some(rest) => (true, rest),
            None => (false, address),
        };
        let (kind, name) = rest.split_once('.')?;
        let at = self.by_name.get(&(data, kind.to_string(), name.to_string()))?;
        self.decls.get(*at).map(|d| &*d.block)
    }
}

/// Brackets and templates nested deeper than this are refused: parsing is recursive.
const MAX_NESTING: usize = 120;

/// Whether a text nests too deeply for a recursive parser. Strings are not told apart from code, which only
/// errs for texts with a hundred unbalanced brackets.
pub(crate) fn too_deep(text: &str) -> bool {
    let mut depth = 0usize;
    // Operators nest without brackets: `!!!!x`, `a ? b : c ? d : e`.
    let (mut signs, mut questions) = (0usize, 0usize);
    for b in text.bytes() {
        match b {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'?' => questions += 1,
            b'\n' if depth == 0 => questions = 0,
            _ => {}
        }
        match b {
            b'!' | b'-' => signs += 1,
            b' ' | b'\t' | b'\n' | b'\r' | b'(' => {}
            _ => signs = 0,
        }
        if depth > MAX_NESTING || signs > 1_000 || questions > 1_000 {
            return true;
        }
    }
    false
}

/// Parses one file.
pub(crate) fn parse_file(file: FileId, sources: &Sources, json: bool) -> Result<Vec<Item>, Diagnostic> {
    let Some(f) = sources.get(file) else {
        return Ok(Vec::new());
    };
    let text: &str = f.text.strip_prefix('\u{feff}').unwrap_or(&f.text);
    let shift = f.text.len() - text.len();
    if too_deep(text) {
        return Err(Diagnostic::error(
            "INPUT001",
            format!("`{}` nests more than {MAX_NESTING} levels deep", f.name),
        )
        .at(Span::file(file), "not read")
        .help("split the expression into locals"));
    }
    if json {
        return super::json::parse(text, file, sources);
    }
    match hcl_edit::parser::parse_body(text) {
        Ok(body) => Ok(items(body, &Ctx { file, sources, shift })),
        Err(e) => {
            let at = e.location().offset() + shift;
            let end = (at + 1).min(f.text.len());
            Err(Diagnostic::error(
                "INPUT001",
                format!("this file is not valid HCL: {}", one_line(e.message())),
            )
            .at(sources.span(file, at.min(end)..end), "cannot be parsed here")
            .help("`terraform validate` in this directory says the same; nothing in the file was read"))
        }
    }
}

fn one_line(s: &str) -> String {
    s.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Ctx<'a> {
    file: FileId,
    sources: &'a Sources,
    shift: usize,
}

impl Ctx<'_> {
    fn span(&self, r: Option<std::ops::Range<usize>>) -> Span {
        match r {
            Some(r) => self
                .sources
                .span(self.file, r.start + self.shift..r.end + self.shift),
            None => Span::file(self.file),
        }
    }
}

/// A top-level thing.
pub(crate) enum Item {
    Attr(String, Expr),
    Block(Rc<Block>),
}

fn items(body: Body, c: &Ctx<'_>) -> Vec<Item> {
    body.into_iter()
        .map(|s| match s {
            Structure::Attribute(a) => {
                let span = c.span(a.value.span());
                let key = a.key.as_str().to_string();
                Item::Attr(
                    key,
                    Expr {
                        expr: Rc::new(a.value),
                        file: c.file,
                        span,
                    },
                )
            }
            Structure::Block(b) => Item::Block(Rc::new(block(b, c))),
        })
        .collect()
}

fn block(b: hcl_edit::structure::Block, c: &Ctx<'_>) -> Block {
    // The header is what people look for; the body may be pages long.
    let whole = b.span();
    let head_end = b.labels.last().and_then(|l| match l {
        hcl_edit::structure::BlockLabel::Ident(i) => i.span(),
        hcl_edit::structure::BlockLabel::String(s) => s.span(),
    });
    let head_end = head_end.or_else(|| b.ident.span()).map(|r| r.end);
    let span = c.span(whole.map(|w| w.start..head_end.unwrap_or(w.end)));
    let mut out = Block {
        ident: b.ident.as_str().to_string(),
        labels: b.labels.iter().map(|l| l.as_str().to_string()).collect(),
        span,
        attrs: Vec::new(),
        blocks: Vec::new(),
    };
    for i in items(b.body, c) {
        match i {
            Item::Attr(k, e) => out.attrs.push((k, e)),
            Item::Block(b) => out.blocks.push(b),
        }
    }
    out
}

/// The type of a nested block, whether it is written or made by a `dynamic` one.
fn kind_of(b: &Block) -> &str {
    match (b.ident.as_str(), b.labels.first()) {
        ("dynamic", Some(l)) => l,
        (n, _) => n,
    }
}

/// Applies an override block: attributes replace, nested blocks of the same type replace as a whole, written ones and
/// `dynamic` ones alike.
fn merged(base: &Block, over: &Block) -> Block {
    let mut out = base.clone();
    for (k, e) in &over.attrs {
        // In JSON nested blocks look like arguments. An empty list may be none of them, which replaces nothing, or an
        // argument, which does.
        let before = out.blocks.len();
        out.blocks.retain(|b| kind_of(b) != k);
        let none = matches!(&*e.expr, Expression::Array(a) if a.is_empty());
        let unclear = Expr {
            expr: Rc::new(super::json::nobody_knows()),
            ..e.clone()
        };
        let e = if none && before != out.blocks.len() {
            &unclear
        } else {
            e
        };
        match out.attrs.iter_mut().find(|(n, _)| n == k) {
            Some(slot) => slot.1 = e.clone(),
            None => out.attrs.push((k.clone(), e.clone())),
        }
    }
    let kinds: Vec<&str> = over.blocks.iter().map(|b| kind_of(b)).collect();
    out.blocks.retain(|b| !kinds.contains(&kind_of(b)));
    out.attrs.retain(|(k, _)| !kinds.contains(&k.as_str()));
    out.blocks.extend(over.blocks.iter().cloned());
    out
}

/// Parses every configuration file of one directory (`""` is the root).
pub(crate) fn load(dir: &str, files: &FileSet, sources: &Sources, diags: &mut Vec<Diagnostic>) -> Config {
    let mut normal = Vec::new();
    let mut overrides = Vec::new();
    let prefix = if dir.is_empty() {
        String::new()
    } else {
        format!("{dir}/")
    };
    for (path, &file) in files.files.range(prefix.clone()..) {
        let Some(name) = path.strip_prefix(&prefix) else {
            break;
        };
        if name.contains('/') {
            continue;
        }
        let stem = match (name.strip_suffix(".tf"), name.strip_suffix(".tf.json")) {
            (Some(s), _) => Some((s, false)),
            (_, Some(s)) => Some((s, true)),
            _ => None,
        };
        let Some((stem, json)) = stem else { continue };
        let bucket = if stem == "override" || stem.ends_with("_override") {
            &mut overrides
        } else {
            &mut normal
        };
        match parse_file(file, sources, json) {
            Ok(items) => bucket.extend(items),
            Err(d) => diags.push(d),
        }
    }
    let mut c = Config::default();
    for i in normal {
        if let Item::Block(b) = i {
            add(&mut c, b, false, diags);
        }
    }
    for i in overrides {
        if let Item::Block(b) = i {
            add(&mut c, b, true, diags);
        }
    }
    c
}

fn add(c: &mut Config, b: Rc<Block>, over: bool, diags: &mut Vec<Diagnostic>) {
    let twice = |what: String, span: Span| {
        Diagnostic::error("INPUT001", format!("{what} is declared twice"))
            .at(span, "the second declaration is not read")
            .help("rename one of them")
    };
    // Terraform refuses both at once; `count` is read.
    if matches!(b.ident.as_str(), "resource" | "data" | "module")
        && let (Some(_), Some(e)) = (b.attr("count"), b.attr("for_each"))
    {
        diags.push(
            Diagnostic::error("INPUT001", "`count` and `for_each` are both written")
                .at(e.span, "only one of them may be")
                .help("remove one of them"),
        );
    }
    let one = |map: &mut BTreeMap<String, Rc<Block>>, b: &Rc<Block>, diags: &mut Vec<Diagnostic>| {
        if let Some(name) = b.labels.first() {
            match map.get_mut(name) {
                Some(base) if over => *base = Rc::new(merged(base, b)),
                Some(_) => diags.push(twice(format!("{} `{name}`", b.ident), b.span)),
                None => {
                    map.insert(name.clone(), b.clone());
                }
            }
        }
    };
    match (b.ident.as_str(), b.labels.as_slice()) {
        ("resource" | "data", [kind, name]) => {
            let key = (b.ident == "data", kind.clone(), name.clone());
            match c.by_name.get(&key) {
                Some(&i) if over => c.decls[i].block = Rc::new(merged(&c.decls[i].block, &b)),
                Some(_) => diags.push(twice(format!("`{kind}.{name}`"), b.span)),
                None => {
                    c.by_name.insert(key.clone(), c.decls.len());
                    c.decls.push(Decl {
                        data: key.0,
                        kind: key.1,
                        name: key.2,
                        block: b,
                    });
                }
            }
        }
        ("variable", [_]) => one(&mut c.variables, &b, diags),
        ("output", [_]) => one(&mut c.outputs, &b, diags),
        ("module", [_]) => one(&mut c.modules, &b, diags),
        ("locals", []) => {
            for (k, e) in &b.attrs {
                if !over && c.locals.contains_key(k) {
                    diags.push(twice(format!("local `{k}`"), e.span));
                } else {
                    c.locals.insert(k.clone(), e.clone());
                }
            }
        }
        ("provider", [_]) => c.providers.push(b),
        ("terraform", _) => c.terraform.push(b),
        ("moved" | "import" | "removed" | "check" | "ephemeral" | "action", _) => {}
        (other, _) => diags.push(
            Diagnostic::warning("INPUT003", format!("block `{other}` is not known"))
                .at(b.span, "not read")
                .help("if this is a new kind of block, nothing it says is part of the answer"),
        ),
    }
}
