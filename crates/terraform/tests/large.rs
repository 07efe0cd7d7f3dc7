//! Small texts that mean very large values: they end, with a remark, and are unknown.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use bartizan_base::{Diagnostic, Severity, Sources};
use bartizan_model::{Resource, Value};
use bartizan_terraform::{EvalOptions, FileSet, evaluate};
use std::fmt::Write as _;

fn read(files: &[(&str, &str)]) -> (Vec<Resource>, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let mut set = FileSet::default();
    for (name, text) in files {
        set.add(&mut sources, name, *text);
    }
    evaluate(&set, &sources, &EvalOptions::default())
}

/// Whether something in a value is unknown.
fn open(v: &Value) -> bool {
    match v {
        Value::List(all) => all.iter().any(|n| open(&n.value)),
        Value::Map(all) => all.values().any(|n| open(&n.value)),
        v => matches!(v, Value::Unknown(_)),
    }
}

/// Forty locals, each twice the next: `make` says how.
fn doubling(make: impl Fn(&str) -> String, end: &str) -> String {
    let mut out = String::from("locals {\n");
    for n in 0..40 {
        writeln!(out, "  a{n} = {}", make(&format!("local.a{}", n + 1))).unwrap();
    }
    writeln!(out, "  a40 = {end}\n}}").unwrap();
    out
}

#[test]
fn values_are_not_larger_than_is_read() {
    let lists = doubling(|n| format!("[{n}, {n}]"), "[1]");
    let texts = doubling(|n| format!("\"${{{n}}}${{{n}}}\""), "\"ab\"");
    let both = |f: &str| doubling(|n| format!("{f}({n}, {n})"), "[1]");
    let thousand = "locals { r = range(1000) }\n";
    let long = "locals {\n  s = join(\"\", [for i in range(1000) : join(\"\", [for j in range(1000) : \"abcdefghij\"])])\n  t = join(\"\", [for i in range(1000) : \"aaaaaaaaaa\"])\n}\n";
    for (text, value) in [
        (lists.clone(), "length(flatten(local.a0))"),
        (lists.clone(), "try(length(flatten(local.a0)), 0)"),
        (lists, "local.a0"),
        (texts, "local.a0"),
        (both("concat"), "length(local.a0)"),
        (
            doubling(|n| format!("format(\"%s%s\", {n}, {n})"), "\"ab\""),
            "local.a0",
        ),
        (
            doubling(|n| format!("join(\"\", [{n}, {n}])"), "\"ab\""),
            "local.a0",
        ),
        (
            doubling(|n| format!("{{ a = {n}, b = {n} }}"), "{}"),
            "jsonencode(local.a0)",
        ),
        (doubling(|n| format!("[for x in [1, 2] : {n}]"), "1"), "local.a0"),
        (
            doubling(|n| format!("replace({n}, \"a\", \"aa\")"), "\"a\""),
            "local.a0",
        ),
        (
            doubling(|n| format!("replace({n}, \"/a/\", \"aa\")"), "\"a\""),
            "local.a0",
        ),
        (thousand.into(), "length(setproduct(local.r, local.r, local.r))"),
        (
            thousand.into(),
            "length(flatten([for b in local.r : [for c in local.r : c]]))",
        ),
        (
            thousand.into(),
            "join(\",\", [for b in local.r : format(\"%09999d\", b)])",
        ),
        (long.into(), "local.s"),
        (long.into(), "replace(local.t, \"a\", local.t)"),
        (
            long.into(),
            "formatlist(\"%s\", [for i in range(1000) : local.t])",
        ),
        (long.into(), "indent(9999, replace(local.t, \"a\", \"\\n\"))"),
        (long.into(), "\"%{ for i in range(1000) }${local.t}%{ endfor }\""),
    ] {
        let (all, said) = read(&[(
            "main.tf",
            &format!("{text}resource \"x_y\" \"z\" {{ v = {value} }}"),
        )]);
        let v = &all[0].attributes["v"].value;
        assert!(open(v), "{value}");
        let large = said
            .iter()
            .filter(|d| d.message.contains("larger than what is read"));
        assert_eq!(large.count(), 1, "{value}");
    }
    // What is large and not too large has its value.
    let text = format!(
        "{thousand}resource \"x_y\" \"z\" {{ v = length(flatten([for a in local.r : range(500)])) }}"
    );
    let (all, said) = read(&[("main.tf", &text)]);
    assert_eq!(all[0].attributes["v"].value, Value::Number("500000".into()));
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn all_values_together_are_bounded() {
    let mut text = String::from("locals {\n  big = flatten([for a in range(900) : range(1000)])\n");
    for n in 0..80 {
        writeln!(text, "  l{n} = concat(local.big, [{n}])").unwrap();
    }
    text.push_str("}\n");
    for n in 0..80 {
        writeln!(text, "resource \"x_y\" \"z{n}\" {{ v = length(local.l{n}) }}").unwrap();
    }
    let (all, said) = read(&[("main.tf", &text)]);
    assert!(all.len() < 80, "{}", all.len());
    let errors: Vec<_> = said.iter().filter(|d| d.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].message.contains("parts in all"),
        "{}",
        errors[0].message
    );
}

/// A module that calls another one twice, which calls another one twice, and so on.
#[test]
fn modules_are_bounded() {
    let mut files = Vec::new();
    for n in 0..30 {
        let call = |name: &str| format!("module \"{name}\" {{ source = \"../m{}\" }}\n", n + 1);
        files.push((format!("m{n}/main.tf"), format!("{}{}", call("a"), call("b"))));
    }
    files.push(("m30/main.tf".into(), "resource \"x_y\" \"z\" {}\n".into()));
    files.push(("main.tf".into(), "module \"m\" { source = \"./m0\" }\n".into()));
    let files: Vec<(&str, &str)> = files.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let (_, said) = read(&files);
    assert!(said.iter().any(|d| d.message.contains("instances of modules")));
}

/// What Terraform refuses is an error, and the first declaration is read.
#[test]
fn what_is_declared_twice_is_an_error() {
    let errors = |files: &[(&str, &str)]| -> Vec<String> {
        let (_, said) = read(files);
        let said = said.iter().filter(|d| d.severity == Severity::Error);
        said.map(|d| d.message.clone()).collect()
    };
    let x = "resource \"x_y\" \"z\" { v = local.a }\n";
    for (text, what) in [
        (
            "locals { a = 1 }\nlocals { a = 2 }",
            "local `a` is declared twice",
        ),
        (
            "locals { a = 1 }\nvariable \"v\" {}\nvariable \"v\" {}",
            "variable `v` is declared twice",
        ),
        (
            "locals { a = 1 }\noutput \"v\" { value = 1 }\noutput \"v\" { value = 2 }",
            "output `v` is declared twice",
        ),
        (
            "locals { a = 1 }\nmodule \"v\" { source = \"./m\" }\nmodule \"v\" { source = \"./m\" }",
            "module `v` is declared twice",
        ),
        (
            "locals { a = 1 }\nresource \"x_y\" \"w\" {\n  count = 1\n  for_each = toset([])\n}",
            "`count` and `for_each` are both written",
        ),
    ] {
        let files = [("main.tf", x), ("b.tf", text), ("m/main.tf", "locals { b = 1 }")];
        assert_eq!(errors(&files), [what]);
    }
    // An override is no second declaration.
    let files = [
        ("main.tf", x),
        ("b.tf", "locals { a = 1 }\nvariable \"v\" {}"),
        ("override.tf", "locals { a = 2 }\nvariable \"v\" { default = 1 }"),
    ];
    assert!(errors(&files).is_empty());
    assert_eq!(read(&files).0[0].attributes["v"].value, Value::Number("2".into()));
}
