//! The evaluator against Terraform itself: the same configurations, made of the built-in `terraform_data`,
//! through `terraform plan`. Runs where a `terraform` or `tofu` binary is present and says so where not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use bartizan_base::Sources;
use bartizan_model::{Node, Value};
use bartizan_terraform::{Assignment, EvalOptions, FileSet, ReadOptions, evaluate, read};
use serde_json::Value as J;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn binary() -> Option<&'static str> {
    ["terraform", "tofu"].into_iter().find(|b| {
        Command::new(b)
            .arg("version")
            .output()
            .is_ok_and(|o| o.status.success())
    })
}

/// What Terraform plans: address -> `input`.
fn planned(bin: &str, files: &[(&str, String)], vars: &[&str]) -> BTreeMap<String, J> {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let p = dir.path().join(name);
        std::fs::create_dir_all(p.parent().unwrap()).unwrap();
        std::fs::write(p, text).unwrap();
    }
    let run = |args: &[&str]| {
        let out = Command::new(bin)
            .args(args)
            .current_dir(dir.path())
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_CLI_CONFIG_FILE", Path::new("/dev/null"))
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(out.status.success(), "{bin} {args:?} failed:\n{err}");
        out.stdout
    };
    run(&["init", "-input=false", "-no-color"]);
    let mut plan = vec!["plan", "-input=false", "-no-color", "-refresh=false", "-out=p"];
    plan.extend(vars);
    run(&plan);
    let shown: J = serde_json::from_slice(&run(&["show", "-json", "p"])).unwrap();
    let changed = changed(&shown, files);
    assert!(changed.is_empty(), "{changed:?}");
    let mut out = BTreeMap::new();
    collect(&shown["planned_values"]["root_module"], &mut out);
    out
}

/// What is said to have changed in a directory since a plan was made from it.
fn changed(plan: &J, files: &[(&str, String)]) -> Vec<String> {
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
    let said = said.iter().filter(|d| d.message.contains("in the directory"));
    said.map(|d| d.message.clone()).collect()
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

fn ours(files: &[(&str, String)], vars: &[(&str, &str)]) -> (BTreeMap<String, J>, Vec<String>) {
    let mut sources = Sources::default();
    let mut set = FileSet::default();
    for (name, text) in files {
        set.add(&mut sources, name, text.clone());
    }
    let given = vars
        .iter()
        .map(|(k, v)| Assignment::Var(k.to_string(), v.to_string()));
    let (resources, diags) = evaluate(
        &set,
        &sources,
        &EvalOptions {
            given: given.collect(),
            ..EvalOptions::default()
        },
    );
    let said = diags
        .iter()
        .map(|d| {
            format!(
                "{} {}",
                d.span().map(|s| sources.place(s)).unwrap_or_default(),
                d.message
            )
        })
        .collect();
    let all = resources
        .iter()
        .map(|r| {
            (
                r.address.to_string(),
                r.attributes.get("input").map_or(J::Null, json),
            )
        })
        .collect();
    (all, said)
}

fn json(n: &Node) -> J {
    match &n.value {
        Value::Null => J::Null,
        Value::Bool(b) => J::Bool(*b),
        Value::Number(n) => serde_json::from_str(n).unwrap(),
        Value::String(s) => J::String(s.to_string()),
        Value::List(v) => J::Array(v.iter().map(json).collect()),
        Value::Map(m) => J::Object(m.iter().map(|(k, v)| (k.to_string(), json(v))).collect()),
        Value::Ref(r) => J::String(format!("<{}.{}>", r.address, r.attribute)),
        Value::Unknown(u) => J::String(format!("<unknown: {}>", u.why)),
    }
}

fn same(a: &J, b: &J) -> bool {
    match (a, b) {
        (J::Number(a), J::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= a.abs().max(b.abs()) * 1e-12
        }
        (J::Array(a), J::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (J::Object(a), J::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (a, b) => a == b,
    }
}

fn compare(files: &[(&str, String)], vars: &[(&str, &str)], describe: impl Fn(&str) -> String) {
    let Some(bin) = binary() else {
        println!("SKIPPED: neither `terraform` nor `tofu` is installed; nothing was compared");
        return;
    };
    let flags: Vec<String> = vars.iter().map(|(k, v)| format!("-var={k}={v}")).collect();
    let theirs = planned(bin, files, &flags.iter().map(String::as_str).collect::<Vec<_>>());
    let (ours, said) = ours(files, vars);
    let mut wrong = Vec::new();
    for (address, want) in &theirs {
        match ours.get(address) {
            None => wrong.push(format!("{address}: missing here")),
            Some(got) if !same(got, want) => {
                wrong.push(format!(
                    "{address}: {}\n   theirs {want}\n   ours   {got}",
                    describe(address)
                ));
            }
            Some(_) => {}
        }
    }
    for a in ours.keys().filter(|a| !theirs.contains_key(*a)) {
        wrong.push(format!("{a}: not in their plan"));
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}\nsaid:\n{}",
        wrong.len(),
        theirs.len(),
        wrong.join("\n"),
        said.join("\n")
    );
    println!("{} resources agree with {bin}", theirs.len());
}

/// One resource per expression.
fn of_expressions(all: &[String]) -> String {
    let mut out = String::new();
    for (i, e) in all.iter().enumerate() {
        out.push_str(&format!(
            "resource \"terraform_data\" \"e{i}\" {{\n  input = {e}\n}}\n"
        ));
    }
    out
}

fn compare_expressions(all: &[String], extra: &str) {
    let files = [("main.tf", of_expressions(all) + extra)];
    compare(&files, &[], |address| {
        let i: usize = address
            .rsplit_once(".e")
            .and_then(|(_, n)| n.parse().ok())
            .unwrap_or(0);
        all.get(i).cloned().unwrap_or_default()
    });
}

#[test]
fn expressions_and_functions_agree_with_terraform() {
    let all: Vec<String> = include_str!("expressions.txt")
        .split("\n\n")
        .flat_map(|p| {
            p.lines()
                .filter(|l| !l.trim().is_empty() && !l.starts_with('#'))
                .map(String::from)
        })
        .collect();
    assert!(all.len() > 200, "only {} expressions", all.len());
    compare_expressions(&all, include_str!("expressions.tf"));
}

/// A small generator: numbers, strings, lists and maps combined by operators, `for`, conditionals, templates
/// and functions. Wrapped in `try`, so that what one side refuses the other has to refuse too.
struct Gen(u64);

impl Gen {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
    fn num(&mut self, d: u32) -> String {
        match self.below(if d == 0 { 2 } else { 9 }) {
            0 => self.below(20).to_string(),
            1 => format!("\"{}\"", self.below(9)),
            2 => format!("({} + {})", self.num(d - 1), self.num(d - 1)),
            3 => format!("({} - {} * 2)", self.num(d - 1), self.num(d - 1)),
            4 => format!("({} % 7)", self.num(d - 1)),
            5 => format!("length({})", self.list(d - 1)),
            6 => format!("max({}, {})", self.num(d - 1), self.num(d - 1)),
            7 => format!(
                "({} ? {} : {})",
                self.boolean(d - 1),
                self.num(d - 1),
                self.num(d - 1)
            ),
            _ => format!("{}[{}]", self.numbers(d - 1), self.below(3)),
        }
    }
    fn boolean(&mut self, d: u32) -> String {
        match self.below(if d == 0 { 2 } else { 7 }) {
            0 => "true".into(),
            1 => "false".into(),
            2 => format!("({} < {})", self.num(d - 1), self.num(d - 1)),
            3 => format!("({} == {})", self.text(d - 1), self.text(d - 1)),
            4 => format!("({} && !{})", self.boolean(d - 1), self.boolean(d - 1)),
            5 => format!("contains({}, {})", self.list(d - 1), self.text(d - 1)),
            _ => format!("startswith({}, \"a\")", self.text(d - 1)),
        }
    }
    fn text(&mut self, d: u32) -> String {
        match self.below(if d == 0 { 2 } else { 9 }) {
            0 => format!(
                "\"{}\"",
                ["a", "b", "ab", "", "x y", "10.0.0.0/16"][self.below(6) as usize]
            ),
            1 => "\"a\"".into(),
            2 => format!("\"${{{}}}-${{{}}}\"", self.text(d - 1), self.num(d - 1)),
            3 => format!("upper({})", self.text(d - 1)),
            4 => format!("join(\",\", {})", self.list(d - 1)),
            5 => format!("format(\"%s/%d\", {}, {})", self.text(d - 1), self.num(d - 1)),
            6 => format!("\"%{{ if {} }}y%{{ else }}n%{{ endif }}\"", self.boolean(d - 1)),
            // What Terraform makes of negative network numbers is no prefix of the given one.
            7 => format!("cidrsubnet(\"10.0.0.0/8\", 8, abs({}))", self.num(d - 1)),
            _ => format!(
                "({} ? {} : {})",
                self.boolean(d - 1),
                self.text(d - 1),
                self.text(d - 1)
            ),
        }
    }
    fn numbers(&mut self, d: u32) -> String {
        format!("[{}, {}]", self.num(d), self.num(d))
    }
    fn list(&mut self, d: u32) -> String {
        match self.below(if d == 0 { 2 } else { 9 }) {
            0 => format!("[{}, {}]", self.text(0), self.text(0)),
            1 => "[]".into(),
            2 => format!("concat({}, {})", self.list(d - 1), self.list(d - 1)),
            3 => format!("[for x in {} : \"${{x}}!\" if x != \"\"]", self.list(d - 1)),
            4 => format!("sort({})", self.list(d - 1)),
            5 => format!("distinct({})", self.list(d - 1)),
            6 => format!("keys({})", self.map(d - 1)),
            7 => format!("[for k, v in {} : \"${{k}}=${{v}}\"]", self.map(d - 1)),
            _ => format!("[{}, {}]", self.text(d - 1), self.text(d - 1)),
        }
    }
    fn map(&mut self, d: u32) -> String {
        match self.below(if d == 0 { 2 } else { 5 }) {
            0 => format!("{{ a = {}, b = {} }}", self.text(0), self.text(0)),
            1 => format!("{{ (\"k${{{}}}\") = \"v\" }}", self.num(0)),
            2 => format!("merge({}, {})", self.map(d - 1), self.map(d - 1)),
            3 => format!("{{ for i, x in {} : \"${{i}}${{x}}\" => x }}", self.list(d - 1)),
            _ => format!("zipmap(distinct({0}), distinct({0}))", self.list(d - 1)),
        }
    }
}

#[test]
fn generated_expressions_agree_with_terraform() {
    let mut g = Gen(0x9e37_79b9_7f4a_7c15);
    let all: Vec<String> = (0..600)
        .map(|i| {
            let e = match i % 4 {
                0 => g.num(3),
                1 => g.text(3),
                2 => g.list(3),
                _ => g.map(3),
            };
            format!("try({e}, \"refused\")")
        })
        .collect();
    compare_expressions(&all, "");
}

#[test]
fn modules_counts_and_keys_agree_with_terraform() {
    let files = [
        ("main.tf", include_str!("modules/main.tf").to_string()),
        (
            "extra_override.tf",
            include_str!("modules/extra_override.tf").to_string(),
        ),
        ("more.tf.json", include_str!("modules/more.tf.json").to_string()),
        (
            "terraform.tfvars",
            include_str!("modules/terraform.tfvars").to_string(),
        ),
        ("z.auto.tfvars", include_str!("modules/z.auto.tfvars").to_string()),
        ("user.tftpl", include_str!("modules/user.tftpl").to_string()),
        ("net/main.tf", include_str!("modules/net/main.tf").to_string()),
        (
            "net/sub/main.tf",
            include_str!("modules/net/sub/main.tf").to_string(),
        ),
    ];
    compare(
        &files,
        &[("given", "from-the-command-line"), ("listed", "[1,2]")],
        str::to_string,
    );
}
