//! A directory of Terraform files, with what it refers to: local modules (also outside of it), modules that
//! `terraform init` fetched, and files that functions read.
//!
//! Only the root directory and directories of modules are listed, so that a repository with a thousand
//! configurations costs no more than the one that was asked for.

use super::scan::{Mentions, mentions};
use crate::failure::{Failure, reason};
use bartizan_base::{Diagnostic, Sources};
use bartizan_terraform::FileSet;
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

/// A file of a configuration larger than this is not one that people write.
const MAX_FILE: u64 = 32 << 20;
/// Files that functions read are text of people, too.
const MAX_MENTIONED: u64 = 256 << 10;
/// Directories of modules; more means a loop of links.
const MAX_DIRECTORIES: usize = 20_000;
/// Files that are loaded because a function computes a name.
const MAX_GUESSED: usize = 5_000;
/// Their size together.
const MAX_GUESSED_BYTES: usize = 64 << 20;
/// Depth of directories below a module.
const MAX_DEPTH: usize = 12;
/// What functions read.
const GUESSED: &[&str] = &[
    "tpl", "tftpl", "json", "yaml", "yml", "txt", "csv", "sh", "cfg", "conf", "pem", "pub",
];

const MANIFEST: &str = ".terraform/modules/modules.json";

struct Reader<'a> {
    root: &'a Path,
    files: &'a mut FileSet,
    sources: &'a mut Sources,
    problems: &'a mut Vec<Diagnostic>,
    queue: VecDeque<String>,
    seen: BTreeSet<String>,
    guessed: usize,
    guessed_bytes: usize,
}

/// Loads a directory. Files that cannot be read are diagnostics; a directory without any configuration is a
/// failure, because nothing could ever be wrong with it.
pub(super) fn read(
    root: &Path,
    files: &mut FileSet,
    sources: &mut Sources,
    problems: &mut Vec<Diagnostic>,
) -> Result<(), Failure> {
    let mut r = Reader {
        root,
        files,
        sources,
        problems,
        queue: VecDeque::new(),
        seen: BTreeSet::new(),
        guessed: 0,
        guessed_bytes: 0,
    };
    let entries = list(root).map_err(|e| Failure::io("read", &root.display().to_string(), &e))?;
    let found = entries.iter().any(|e| configuration(e));
    if !found {
        return Err(Failure::of(nothing_here(root)));
    }
    r.seen.insert(String::new());
    r.directory("", &entries);
    r.manifest();
    while let Some(dir) = r.queue.pop_front() {
        // A source that is not a directory is said by the evaluator, with its place.
        if let Ok(entries) = list(&root.join(&dir)) {
            r.directory(&dir, &entries);
        }
    }
    Ok(())
}

/// Names of the files in a directory, sorted; hidden files and those of editors aside, as Terraform does, which reads
/// `.auto.tfvars` though.
fn list(dir: &Path) -> std::io::Result<Vec<String>> {
    let mut out: Vec<String> = std::fs::read_dir(dir)?
        .filter_map(|e| e.ok()?.file_name().into_string().ok())
        .filter(|n| !ignored(n) || variables(n))
        .collect();
    out.sort();
    Ok(out)
}

fn ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || name.starts_with('#') && name.ends_with('#')
}

fn configuration(name: &str) -> bool {
    name.ends_with(".tf") || name.ends_with(".tf.json")
}

fn variables(name: &str) -> bool {
    matches!(name, "terraform.tfvars" | "terraform.tfvars.json")
        || name.ends_with(".auto.tfvars")
        || name.ends_with(".auto.tfvars.json")
}

fn nothing_here(root: &Path) -> Diagnostic {
    let shown = root.display();
    let d = Diagnostic::error("INPUT001", format!("there are no Terraform files in `{shown}`"));
    let mut below: Vec<String> = list(root).unwrap_or_default();
    below.retain(|n| list(&root.join(n)).is_ok_and(|l| l.iter().any(|f| configuration(f))));
    match below.as_slice() {
        [] => d.help("give the directory of the root module, a plan, a state or a snapshot"),
        [first, ..] => d.help(format!(
            "{} below it {}: try `{}`",
            if below.len() == 1 {
                "one directory".to_string()
            } else {
                format!("{} directories", below.len())
            },
            if below.len() == 1 { "has some" } else { "have some" },
            root.join(first).display()
        )),
    }
}

fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_string()
    } else {
        format!("{dir}/{name}")
    }
}

/// Without `.`, empty parts and `x/..`; what leads out of the root begins with `..`.
fn normal(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    for p in path.split('/') {
        match p {
            "" | "." => {}
            ".." if out.last().is_some_and(|l| *l != "..") => {
                out.pop();
            }
            p => out.push(p),
        }
    }
    out.join("/")
}

impl Reader<'_> {
    /// Adds a file under its path; in messages `../mod/main.tf` of `envs/prod` is `envs/mod/main.tf`.
    fn add(&mut self, path: &str, text: String) {
        let root = self.root.display().to_string();
        let name = format!("{}/{path}", root.trim_end_matches('/'));
        let name = if name.starts_with('/') {
            format!("/{}", normal(&name))
        } else {
            normal(&name)
        };
        let id = self.sources.add(name, text);
        self.files.files.insert(path.to_string(), id);
    }

    fn problem(&mut self, path: &str, why: &str, help: &str) {
        let name = self.root.join(path).display().to_string();
        self.problems
            .push(Diagnostic::error("INPUT001", format!("cannot read `{name}`: {why}")).help(help));
    }

    /// Loads the configuration of one directory and queues what it refers to.
    fn directory(&mut self, dir: &str, entries: &[String]) {
        for name in entries
            .iter()
            .filter(|n| configuration(n) || dir.is_empty() && variables(n))
        {
            let path = join(dir, name);
            let Some(text) = self.text(&path) else { continue };
            let m = mentions(&text);
            self.add(&path, text);
            self.follow(dir, &m);
        }
    }

    fn follow(&mut self, dir: &str, m: &Mentions) {
        for s in &m.modules {
            self.enqueue(&join(dir, s));
        }
        for (root, f) in &m.files {
            let path = normal(&if *root { f.clone() } else { join(dir, f) });
            if !path.is_empty() && !f.starts_with("~") {
                self.mentioned(&path);
            }
        }
        if m.computed || m.listed {
            self.guess(dir, 0, m.listed);
        }
    }

    fn enqueue(&mut self, dir: &str) {
        let dir = normal(dir);
        let deep = dir.split('/').count() > 200;
        if !deep && self.seen.len() < MAX_DIRECTORIES && self.seen.insert(dir.clone()) {
            self.queue.push_back(dir);
        }
    }

    /// The modules that `terraform init` fetched.
    fn manifest(&mut self) {
        let Ok(text) = std::fs::read_to_string(self.root.join(MANIFEST)) else {
            return;
        };
        let parsed: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        self.add(MANIFEST, text);
        let list = parsed
            .as_ref()
            .and_then(|v| v.get("Modules"))
            .and_then(serde_json::Value::as_array);
        for d in list.into_iter().flatten().filter_map(|m| m.get("Dir")?.as_str()) {
            if !d.starts_with('/') {
                self.enqueue(d);
            }
        }
    }

    /// The text of a file of the configuration; what is wrong with it is said.
    fn text(&mut self, path: &str) -> Option<String> {
        let full = self.root.join(path);
        match std::fs::metadata(&full) {
            Ok(m) if !m.is_file() => return None,
            Ok(m) if m.len() > MAX_FILE => {
                self.problem(
                    path,
                    "it is larger than 32 MB",
                    "nothing in it was read; split the file",
                );
                return None;
            }
            Ok(_) => {}
            Err(e) => {
                self.problem(path, &reason(&e), "nothing in it was read");
                return None;
            }
        }
        match std::fs::read(&full).map(String::from_utf8) {
            Ok(Ok(text)) => Some(text),
            Ok(Err(e)) => {
                let at = e.utf8_error().valid_up_to();
                let line = e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count() + 1;
                self.problem(
                    path,
                    &format!("line {line} is not valid UTF-8"),
                    "nothing in it was read; save the file as UTF-8, which Terraform requires",
                );
                None
            }
            Err(e) => {
                self.problem(path, &reason(&e), "nothing in it was read");
                None
            }
        }
    }

    /// Loads a file that a function reads. One that is not there, is large or is no text stays an unknown
    /// value, which the evaluator says where it matters.
    fn mentioned(&mut self, path: &str) -> bool {
        if self.files.files.contains_key(path) {
            return true;
        }
        let full = self.root.join(path);
        if !std::fs::metadata(&full).is_ok_and(|m| m.is_file() && m.len() <= MAX_MENTIONED) {
            return false;
        }
        let text = std::fs::read_to_string(&full);
        if let Ok(text) = text {
            self.guessed_bytes += text.len();
            self.add(path, text);
            return true;
        }
        false
    }

    /// Loads whatever functions are likely to read below a directory, because a name is computed; every text
    /// file where files are listed, because a list that lacks some would be wrong without saying so.
    fn guess(&mut self, dir: &str, depth: usize, every: bool) {
        if depth == 0 && !self.seen.insert(format!("guessed:{every}:{dir}")) || depth > MAX_DEPTH {
            return;
        }
        let Ok(entries) = std::fs::read_dir(self.root.join(dir)) else {
            return;
        };
        let mut entries: Vec<(String, bool)> = entries
            .filter_map(|e| {
                let e = e.ok()?;
                Some((e.file_name().into_string().ok()?, e.file_type().ok()?.is_dir()))
            })
            .collect();
        entries.sort();
        for (name, is_dir) in entries {
            let path = join(dir, &name);
            if is_dir {
                if !name.starts_with('.') && name != "node_modules" {
                    self.guess(&path, depth + 1, every);
                }
                continue;
            }
            let known =
                name.rsplit_once('.').is_some_and(|(_, e)| GUESSED.contains(&e)) && !configuration(&name);
            if !known && (!every || configuration(&name)) || self.files.files.contains_key(&path) {
                continue;
            }
            if self.guessed < MAX_GUESSED && self.guessed_bytes < MAX_GUESSED_BYTES && self.mentioned(&path) {
                self.guessed += 1;
            } else if every {
                let shown = self.root.join(&path).display().to_string();
                self.problems.push(
                    Diagnostic::note("INPUT002", format!("`{shown}` is not in what `fileset` lists here"))
                        .help("only text files of at most 256 KB are listed; a pattern that selects others gives less than in Terraform"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_variable_file_without_a_name_is_no_hidden_file() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".auto.tfvars", ".hidden.tf", "main.tf", "main.tf~"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(super::list(dir.path()).unwrap(), [".auto.tfvars", "main.tf"]);
    }
}
