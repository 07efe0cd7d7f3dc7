//! The examples of planted faults: copies of `examples/shop` that differ in one place.

use crate::shell::{Done, current, files, put, root};
use serde::Deserialize;
use std::fmt::Write as _;

/// A planted fault; the acceptance test in `crates/cli/tests` reads the same file.
#[derive(Deserialize)]
struct Fault {
    name: String,
    /// The example that it is a copy of.
    #[serde(default = "shop")]
    base: String,
    title: String,
    file: String,
    find: Option<String>,
    replace: Option<String>,
    append: Option<String>,
    exit: i32,
    code: Option<String>,
    why: String,
}

fn shop() -> String {
    "shop".to_string()
}

pub(crate) fn run(check: bool) -> Done {
    let text = std::fs::read_to_string(root().join("examples/faults.json")).map_err(|e| e.to_string())?;
    let faults: Vec<Fault> = serde_json::from_str(&text).map_err(|e| format!("examples/faults.json: {e}"))?;
    let mut stale = Vec::new();
    for f in &faults {
        for path in &files(&format!("examples/{}", f.base), &[".tf", ".btz"]) {
            let name = path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            let mut text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
            if name == f.file {
                text = edit(f, text)?;
            }
            put(&format!("examples/{}/{name}", f.name), &text, check, &mut stale)?;
        }
        put(
            &format!("examples/{}/README.md", f.name),
            &readme(f),
            check,
            &mut stale,
        )?;
    }
    put("examples/README.md", &index(&faults), check, &mut stale)?;
    current(&stale, check, "examples")
}

fn index(faults: &[Fault]) -> String {
    let mut out = "\
# Examples

`shop` (one VPC with a development VPC beside it) and `enterprise` (five VPCs on a transit router, a firewall between them, load balancers, a WAF and Cloud Firewall before them,
an office and a data centre, PrivateLink, managed databases) are networks with their intent, and every clause of them holds. Each other directory is a copy of one of them, `ent-*` of
`enterprise`, that differs in one place; the README beside it shows the difference and says why it matters. They are written by
`cargo xtask examples` from `faults.json`.

    bartizan check examples/shop
    bartizan check examples/db-eip
    bartizan check examples/enterprise
    bartizan check examples/ent-tr-bypass

| directory | planted | exit | finding |
|---|---|---|---|
"
    .to_string();
    for f in faults {
        let code = f.code.as_ref().map_or("none".to_string(), |c| format!("`{c}`"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| [{0}]({0}/README.md) | {1} | {2} | {code} |",
            f.name, f.title, f.exit
        );
    }
    out
}

fn edit(f: &Fault, text: String) -> Result<String, String> {
    match (&f.find, &f.replace, &f.append) {
        (Some(find), Some(replace), None) if text.matches(find.as_str()).count() == 1 => {
            Ok(text.replacen(find.as_str(), replace, 1))
        }
        (None, None, Some(more)) => Ok(text + more),
        _ => Err(format!(
            "`{}` has to change {} in exactly one place",
            f.name, f.file
        )),
    }
}

fn readme(f: &Fault) -> String {
    let mut out = format!(
        "# {}\n\n{}\n\nThe only difference to `examples/{}`, in `{}`:\n\n```diff\n",
        f.title, f.why, f.base, f.file
    );
    let (gone, new) = match (&f.find, &f.replace, &f.append) {
        (Some(a), Some(b), _) => (a.as_str(), b.as_str()),
        (_, _, Some(b)) => ("", b.as_str()),
        _ => ("", ""),
    };
    for (sign, text) in [('-', gone), ('+', new)] {
        for line in text.trim_matches('\n').lines() {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{sign}{line}");
        }
    }
    let found = match &f.code {
        Some(c) => format!(" with one finding, `{c}`"),
        None => " without a finding".to_string(),
    };
    let _ = writeln!(
        out,
        "```\n\n`bartizan check examples/{}` exits {}{found}.",
        f.name, f.exit
    );
    out
}
