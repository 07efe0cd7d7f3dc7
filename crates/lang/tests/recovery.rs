//! What is said about files that cannot be read, and what is read of them all the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use bartizan_base::FileId;
use bartizan_lang::tree::Item;
use bartizan_lang::{format, from_json, parse_text, to_json};
use std::time::{Duration, Instant};

/// `line:column message | help` of every problem.
fn said(text: &str) -> Vec<String> {
    let (_, problems) = parse_text(FileId(0), text);
    problems
        .iter()
        .map(|d| {
            let at = d.span().unwrap();
            let help = d.help.as_deref().map_or(String::new(), |h| format!(" | {h}"));
            format!("{}:{} {}{help}", at.line, at.column, d.message)
        })
        .collect()
}

fn one(text: &str) -> String {
    let all = said(text);
    assert_eq!(all.len(), 1, "{text}: {all:#?}");
    all.into_iter().next().unwrap()
}

#[test]
fn every_problem_of_a_file_is_told_in_one_run() {
    let text = "zoen web = ecs\nzone app = esc \"x\"\nboundary prod governs web app {\n  alow web -> app : ssh\n  \
                allow web => app : ssh\n  allow web -> app\n  mode warning\n  never web -> app : ssh\n}\n\
                exception e in prod { never web -> app : ssh; expires }\ntest t { web can reech app on ssh }\n";
    assert_eq!(
        said(text),
        [
            "1:1 expected a statement of a file, found `zoen` | did you mean `zone`?",
            "2:12 expected a selector, found `esc` | did you mean `ecs`?",
            "3:27 expected `governs` or `{`, found `app`",
            "10:23 expected `allow`, found `never` | an exception only widens: write `allow`, and put other clauses into a boundary",
            "10:55 expected a date such as `2027-01-31`, found `}`",
            "11:6 expected the name of the test, found `t` | write it in double quotes",
        ]
    );
}

/// What is wrong between the braces of a declaration is one problem, and what follows it is read.
#[test]
fn a_bad_option_costs_only_its_declaration() {
    let none =
        "write `internet none`: nothing goes to the Internet by this link; without it that is not known";
    for (text, message) in [
        (
            "link a = vpn x { internet yes }",
            format!("1:27 expected `none`, found `yes` | {none}"),
        ),
        (
            "link a = vpn x {\n  internet none\n  netwroks 10.0.0.0/8\n  learned 10.0.0.0/8\n}",
            "3:3 expected a statement of a link, found `netwroks` | did you mean `networks`?".into(),
        ),
        (
            "link a = vpn x { networks }",
            "1:27 expected a prefix, found `}`".into(),
        ),
        (
            "link a = vpn x { networks 10.0.0.0/8, ; internet none }",
            "1:39 expected a prefix, found `;`".into(),
        ),
        (
            "link a = vpn x { internet yes",
            format!("1:27 expected `none`, found `yes` | {none}"),
        ),
        (
            "zone a = ecs { requird }",
            "1:16 expected a statement of a zone, found `requird` | did you mean `required`?".into(),
        ),
        (
            "service s = tcp/1 { tls requird }",
            "1:25 expected `required`, found `requird`".into(),
        ),
    ] {
        assert_eq!(one(text), message);
        for next in ["zone b = ecs", "never b -> b : any"] {
            let text = format!("{text}\n{next}\n");
            let (file, problems) = parse_text(FileId(0), &text);
            assert_eq!(
                (file.body.items.len(), problems.len()),
                (1, 1),
                "{text}: {problems:#?}"
            );
        }
    }
}

#[test]
fn a_bad_statement_costs_only_itself() {
    let text = "boundary prod governs web, , app {\n  alow web -> app : ssh\n  allow web => app : ssh\n  \
                allow web -> app\n  mode warning\n  never web -> app : ssh\n  web -> app : ssh\n}\nzone a = ecs\n";
    assert_eq!(
        said(text),
        [
            "1:28 expected a set of endpoints, found `,`",
            "2:3 expected a statement of a boundary, found `alow` | did you mean `allow`?",
            "3:13 expected `->`, found `=` | an arrow is written `->`",
            "4:3 a clause names no service | add `: https`, `: tcp/8080`, or `: any`",
            "5:8 expected a mode, found `warning` | did you mean `warn`?",
            "7:3 a clause does not say what it is | begin it with `allow`, `must`, `only` or `never`, or add `through NAME`",
        ]
    );
    let (file, _) = parse_text(FileId(0), text);
    let Item::Boundary(b) = &file.body.items[0].node else {
        panic!("no boundary")
    };
    assert_eq!(b.body.items.len(), 1);
    assert_eq!(file.body.items.len(), 2);
}

#[test]
fn messages_say_what_to_do() {
    for (text, want) in [
        (
            "zone zone = ecs",
            "1:6 `zone` is a word of the language, not a name | choose another name, such as `zone-1`",
        ),
        (
            "zone a = ecs \"x",
            "1:14 a text has no closing quote on its line | add `\"`; a line break inside of a text is written `\\n`",
        ),
        (
            "zone a = name \"\\q\"",
            "1:15 `\\q` is not an escape | escapes are `\\\"`, `\\\\`, `\\n`, `\\r` and `\\t`",
        ),
        (
            "allow any -> a : ssh",
            "1:7 expected a set of endpoints, found `any` | the set of all endpoints is called `everything`",
        ),
        (
            "allow 10.0.0.0/8 -> a : ssh",
            "1:7 expected a set of endpoints, found `10.0.0.0/8` | write `cidr 10.0.0.0/8`",
        ),
        (
            "allow 10.0.0.1 -> a : ssh",
            "1:7 expected a set of endpoints, found `10.0.0.1` | write `host 10.0.0.1`",
        ),
        (
            "allow ecs \"b\" -> a : ssh",
            "1:7 expected a set of endpoints, found `ecs` | declare a zone for it: `zone NAME = ecs ...`",
        ),
        (
            "must a -> b through c",
            "1:1 `must` and `through` in one clause | write two clauses: one with the verb, and one `A -> B through M`",
        ),
        ("}", "1:1 `}` closes nothing | remove it"),
        (
            "boundary b {\n  mode warn\nzone a = ecs",
            "1:12 a block is never closed | add `}`",
        ),
        (
            "boundary b { review every 90 }",
            "1:27 expected a number of days, found `90` | write a number of days, such as `90d`",
        ),
        (
            "zone a = ecs zone b = rds",
            "1:14 expected the end of the statement, found `zone` | a statement ends at the end of its line or at `;`",
        ),
        (
            "test \"t\" { a can reach b }",
            "1:12 an expectation names no service | add `on https`, `on tcp/8080`, or `on any`",
        ),
        (
            "zone a = cidr\nzone b = ecs",
            "2:1 expected a prefix such as `10.0.0.0/8`, found `zone`",
        ),
    ] {
        assert_eq!(one(text), want);
    }
}

#[test]
fn nesting_is_bounded() {
    for text in [
        format!("allow {}a{} -> b : ssh", "(".repeat(100_000), ")".repeat(100_000)),
        format!("allow {} -> b : ssh", "{".repeat(100_000)),
        format!("zone a = {}ecs", "(".repeat(100_000)),
        format!("test \"t\" {{ {}", "as of 2027-01-01 {".repeat(100_000)),
    ] {
        let all = said(&text);
        assert!(
            all.iter().any(|m| m.contains("nested deeper than 48 levels")),
            "{all:?}"
        );
        assert!(all.len() < 5, "{all:?}");
    }
    // Long is not deep.
    let text = format!("allow a{} -> b : ssh", " except b".repeat(50_000));
    assert!(format(&text).is_ok());
    let text = format!("zone a = ecs{}", " in prod".repeat(50_000));
    assert!(format(&text).is_ok());
}

#[test]
fn ten_megabytes_of_anything_do_not_hang() {
    let fill = |part: &str, megabytes: usize| part.repeat((megabytes << 20) / part.len());
    // What is read to its end at full size; what soon ends the reading, or resembles another one, smaller.
    let long = ["#\n", "a ", "zone ", "->", "(", "\n"];
    let short = [
        "{",
        "}",
        "\"",
        "\"\n",
        "#",
        "a",
        "a\n",
        "zone\n",
        "allow a -> ",
        "-",
        "\u{0}",
        "中",
        "boundary b {\n",
        "cidr :",
        ";",
        "test \"x\" {",
        "as of 2027-01-01 {",
        "\r",
        "a;",
    ];
    let texts = long
        .iter()
        .map(|p| fill(p, 10))
        .chain(short.iter().map(|p| fill(p, 1)));
    for text in texts {
        let start = Instant::now();
        let (_, problems) = parse_text(FileId(0), &text);
        assert!(problems.len() <= 110, "{}", problems.len());
        // Unoptimised and on a busy machine; quadratic would be hours.
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{:?} {:?}",
            &text[..8],
            start.elapsed()
        );
    }
}

#[test]
fn broken_json_is_told() {
    let (file, _) = parse_text(FileId(0), "zone a = ecs\nnever a -> a : ssh # no\n");
    let good = to_json(&file);
    assert!(from_json(FileId(0), &good).is_ok());
    let edit = |path: &str, to: serde_json::Value| {
        let mut v = good.clone();
        *v.pointer_mut(path).unwrap_or_else(|| panic!("{path} in {good}")) = to;
        from_json(FileId(0), &v)
            .map(|_| ())
            .map_err(|d| d.message)
            .unwrap_err()
    };
    assert!(edit("/version", 2.into()).contains("`version` is not 1"));
    assert!(edit("/body/items/0/node/zone/name", "two words".into()).contains("malformed"));
    assert!(edit("/body/items/1/trail", "no hash".into()).contains("malformed"));
    assert!(edit("/body/items/1/trail", "# a\nzone b = ecs".into()).contains("malformed"));
    assert!(edit("/body/items/1/node/clause/verb", "nevr".into()).contains("unknown variant `nevr`"));
    assert!(edit("/body/items/1/node/clause/services", serde_json::json!([])).contains("names no service"));
    assert!(edit("/body/items/1/node/clause/to", serde_json::json!({"set": []})).contains("malformed"));
    assert!(edit("/body/items/1", serde_json::json!({"node": {}, "x": 1})).contains("malformed"));
    let mut more = good.clone();
    more["extra"] = 1.into();
    assert!(
        from_json(FileId(0), &more)
            .unwrap_err()
            .message
            .contains("unknown field `extra`")
    );
    let mut deep = serde_json::json!("x");
    for _ in 0..100_000 {
        deep = serde_json::Value::Array(vec![deep]);
    }
    // Not with `json!`, which copies by recursion.
    let mut value = serde_json::json!({"version": 1});
    value["body"] = deep;
    assert!(
        from_json(FileId(0), &value)
            .unwrap_err()
            .message
            .contains("nested too deep")
    );
    // `Value` itself is dropped by recursion; that is not ours to test.
    std::mem::forget(value);
}
