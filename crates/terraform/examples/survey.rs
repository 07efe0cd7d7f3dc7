//! Evaluates every directory with Terraform files below the given one and says what came out.
//!
//! `cargo run --release -p bartizan-terraform --example survey -- DIR`
#![allow(clippy::unwrap_used, reason = "a tool for developers")]

use bartizan_base::Sources;
use bartizan_terraform::{EvalOptions, FileSet, evaluate};
use std::collections::BTreeMap;
use std::path::Path;

fn main() {
    let root = std::env::args().nth(1).unwrap();
    let show = std::env::args().nth(2).is_some();
    let mut dirs: BTreeMap<String, Vec<String>> = BTreeMap::new();
    walk(Path::new(&root), &mut dirs);
    let (mut n, mut resources, mut silent) = (0, 0, 0);
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (dir, files) in &dirs {
        let mut sources = Sources::default();
        let mut set = FileSet {
            root: dir.clone(),
            ..FileSet::default()
        };
        for f in files {
            if let Ok(text) = std::fs::read_to_string(f) {
                set.add(&mut sources, f.rsplit('/').next().unwrap(), text);
            }
        }
        let (r, d) = evaluate(&set, &sources, &EvalOptions::default());
        n += 1;
        resources += r.len();
        if r.is_empty() && d.is_empty() {
            silent += 1;
        }
        if show && !d.is_empty() {
            println!("{dir}");
        }
        for d in d {
            let place = d.span().map(|s| sources.place(s)).unwrap_or_default();
            if show {
                println!("    {} {place}", d.message);
            }
            let m: String = d
                .message
                .split('`')
                .enumerate()
                .map(|(i, p)| if i % 2 == 0 { p } else { "_" })
                .collect();
            *kinds.entry(m).or_default() += 1;
        }
    }
    for (k, n) in kinds {
        println!("{n:6} {k}");
    }
    println!("{n} directories, {resources} resources, {silent} with nothing in them");
}

fn walk(dir: &Path, out: &mut BTreeMap<String, Vec<String>>) {
    let mut entries: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .collect();
    entries.sort();
    for p in entries {
        if p.is_symlink() {
            continue;
        }
        if p.is_dir() {
            walk(&p, out);
        } else if [".tf", ".tf.json", ".tfvars"]
            .iter()
            .any(|e| p.to_string_lossy().ends_with(e))
        {
            out.entry(dir.to_string_lossy().into_owned())
                .or_default()
                .push(p.to_string_lossy().into_owned());
        }
    }
}
