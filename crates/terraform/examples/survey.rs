//! Reads every directory with Terraform files below the given one and says how much of it was understood.
//!
//! `cargo run --release -p bartizan-terraform --example survey -- DIR [--say]`
#![allow(clippy::unwrap_used, reason = "a tool for developers")]

use bartizan_base::{Severity, Sources};
use bartizan_model::Understanding;
use bartizan_terraform::{FileSet, ReadOptions, read};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Default)]
struct Tally {
    whole: usize,
    partly: usize,
    not: usize,
    empty: usize,
    errors: usize,
    resources: usize,
    kinds: BTreeMap<String, usize>,
}

fn main() {
    let root = std::env::args().nth(1).unwrap();
    let say = std::env::args().nth(2).is_some();
    let begin = std::time::Instant::now();
    let mut dirs = Vec::new();
    walk(Path::new(&root), &mut dirs);
    dirs.sort();
    let mut t = Tally::default();
    for dir in &dirs {
        one(dir, say, &mut t);
    }
    let mut kinds: Vec<(usize, String)> = t.kinds.into_iter().map(|(k, n)| (n, k)).collect();
    kinds.sort_by(|a, b| b.cmp(a));
    for (n, k) in kinds.iter().take(70) {
        println!("{n:6} {k}");
    }
    println!(
        "{} directories, {} resources in {:.2} s: {} understood as a whole, {} with values that are not known, {} with resources \
         that are not understood, {} without resources; {} with errors",
        dirs.len(),
        t.resources,
        begin.elapsed().as_secs_f64(),
        t.whole,
        t.partly,
        t.not,
        t.empty,
        t.errors
    );
}

fn one(dir: &Path, say: bool, t: &mut Tally) {
    let mut sources = Sources::default();
    let mut set = FileSet {
        root: dir.to_string_lossy().into_owned(),
        ..FileSet::default()
    };
    load(dir, "", 0, &mut set, &mut sources);
    // Modules beside the directory.
    let mut seen = std::collections::BTreeSet::new();
    loop {
        let wanted: Vec<String> = set
            .files
            .iter()
            .filter_map(|(p, f)| {
                Some((
                    p.rsplit_once('/').map_or("", |(d, _)| d).to_string(),
                    sources.get(*f)?.text.clone(),
                ))
            })
            .flat_map(|(d, text)| {
                let lines = text
                    .lines()
                    .filter_map(|l| l.trim().strip_prefix("source"))
                    .map(str::to_string);
                let found: Vec<String> = lines
                    .filter_map(|l| l.split('"').nth(1).map(str::to_string))
                    .filter(|s| s.starts_with("../"))
                    .map(|s| if d.is_empty() { s } else { format!("{d}/{s}") })
                    .collect();
                found
            })
            .map(|p| tidy(&p))
            .filter(|p| p.starts_with("..") && seen.insert(p.clone()))
            .collect();
        if wanted.is_empty() {
            break;
        }
        for w in wanted {
            load(&dir.join(&w), &w, 0, &mut set, &mut sources);
        }
    }
    let inv = read(&set, &mut sources, &ReadOptions::default());
    t.resources += inv.resources.len();
    let not: Vec<_> = inv
        .resources
        .iter()
        .filter(|r| matches!(r.understanding, Understanding::NotUnderstood(_)))
        .collect();
    let partly = inv
        .resources
        .iter()
        .any(|r| matches!(r.understanding, Understanding::Partly(_)));
    match (inv.resources.is_empty(), not.is_empty(), partly) {
        (true, ..) => t.empty += 1,
        (_, false, _) => t.not += 1,
        (_, true, true) => t.partly += 1,
        (_, true, false) => t.whole += 1,
    }
    for r in &not {
        *t.kinds.entry(r.kind.to_string()).or_default() += 1;
    }
    let errors: Vec<_> = inv
        .diagnostics
        .iter()
        .filter(|d| d.severity == Severity::Error)
        .collect();
    t.errors += usize::from(!errors.is_empty());
    if say {
        for d in &inv.diagnostics {
            println!(
                "{} {} {}",
                d.code,
                d.span().map(|s| sources.place(s)).unwrap_or_default(),
                d.message
            );
        }
        if inv.resources.is_empty() && inv.diagnostics.is_empty() {
            println!("empty: {}", dir.display());
        }
    }
}

fn tidy(p: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for part in p.split('/') {
        match part {
            "" | "." => {}
            ".." if out.last().is_some_and(|l| *l != "..") => {
                out.pop();
            }
            x => out.push(x),
        }
    }
    out.join("/")
}

fn load(dir: &Path, at: &str, depth: usize, set: &mut FileSet, sources: &mut Sources) {
    for e in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = e.file_name().to_string_lossy().into_owned();
        let path = if at.is_empty() {
            name.clone()
        } else {
            format!("{at}/{name}")
        };
        let kind = e.file_type().unwrap();
        if kind.is_dir() && depth < 4 && !name.starts_with('.') {
            load(&e.path(), &path, depth + 1, set, sources);
        } else if [
            ".tf", ".tf.json", ".tfvars", ".tpl", ".tftpl", ".json", ".sh", ".yaml", ".yml",
        ]
        .iter()
        .any(|x| name.ends_with(x))
            && e.metadata().is_ok_and(|m| m.len() < 256_000)
            && let Ok(text) = std::fs::read_to_string(e.path())
        {
            set.add(sources, &path, text);
        }
    }
}

fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut here = false;
    for e in std::fs::read_dir(dir).unwrap().flatten() {
        let kind = e.file_type().unwrap();
        if kind.is_dir() {
            walk(&e.path(), out);
        } else if kind.is_file() && e.file_name().to_string_lossy().ends_with(".tf") {
            here = true;
        }
    }
    if here {
        out.push(dir.to_path_buf());
    }
}
