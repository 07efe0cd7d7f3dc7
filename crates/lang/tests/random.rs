//! Properties over random intents and random garbage.

use bartizan_base::{FileId, Sources};
use bartizan_lang::{
    Date, File, Lang, exception_sentence, format, format_file, from_json, lint, parse, parse_text, resolve,
    sentence, test_sentences, to_json,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn name() -> impl Strategy<Value = String> {
    select(vec!["web", "app", "db", "a.b-c", "_x", "核心", "Zone9"]).prop_map(str::to_string)
}

fn word() -> impl Strategy<Value = String> {
    select(vec![
        "CHG-1",
        "li.wei",
        "a/b",
        "x*",
        "\"two words\"",
        "\"q\\\"\\\\\"",
        "\"\"",
        "中",
    ])
    .prop_map(str::to_string)
}

fn address() -> impl Strategy<Value = String> {
    select(vec![
        "cidr 10.0.0.0/8",
        "cidr ::/0",
        "host 2001:db8::1",
        "host 10.1.2.3",
        "cidr 2001:db8::/32",
    ])
    .prop_map(str::to_string)
}

/// Blanks where a blank may stand: also none of significance, a comment, or a line break after an operator.
fn gap() -> impl Strategy<Value = String> {
    select(vec![" ", " ", " ", "   ", "\t"]).prop_map(str::to_string)
}

fn expr() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        name(),
        name().prop_map(|n| format!("env {n}")),
        address(),
        select(vec!["everything", "outside", "unzoned"]).prop_map(str::to_string),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 1..4).prop_map(|l| format!("{{{}}}", l.join(", "))),
            vec(inner.clone(), 1..3).prop_map(|l| format!("{{\n {} , }}", l.join(",\n # why\n"))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} except {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} but ({b})")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

fn selector() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        address(),
        select(vec![
            "outside",
            "everything",
            "rds",
            "ecs \"b-*\"",
            "vpc prod-*",
            "tag tier=web",
            "tag a=\"v*\" \"k k\"=\"\" c=d",
            "name \"x\"",
            "tf \"module.web.*\"",
            "lb",
            "sg \"*\" in prod",
            "cidr 10.0.0.0/8 via vpn hq",
            "eni in env prod via vbr \"hq 1\"",
            "via vpn hq",
            "ecs tag tier=db in env prod",
        ])
        .prop_map(str::to_string),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|l| l.join(" and ")),
            vec(inner.clone(), 2..4).prop_map(|l| l.join(" or ")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} except {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("ecs ({a}) ({b}) in prod")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

fn services() -> impl Strategy<Value = String> {
    vec(
        select(vec![
            "https",
            "ssh",
            "tcp/8080",
            "udp/53-60",
            "any",
            "icmp/8",
            "gre",
            "own",
        ]),
        1..4,
    )
    .prop_map(|l| l.join(", "))
}

fn allow() -> impl Strategy<Value = String> {
    (gap(), expr(), expr(), services()).prop_map(|(g, a, b, s)| format!("allow{g}{a} ->{g}{b} : {s}"))
}

fn clause() -> impl Strategy<Value = String> {
    let verb = select(vec!["allow", "must", "must some", "only", "never"]);
    let reason = select(vec![
        "",
        " because \"why\"",
        "\n    because \"a rather long reason that fills the line\"",
    ]);
    let way = select(vec!["through", "not through"]);
    let m = select(vec!["fw", "web", "nat \"n*\"", "firewall \"f\"", "tf \"a.b\""]);
    prop_oneof![
        (verb, expr(), gap(), expr(), services(), reason.clone())
            .prop_map(|(v, a, g, b, s, r)| format!("{v} {a}{g}->{g}{b}{g}:{g}{s}{r}")),
        (expr(), expr(), way, m, reason).prop_map(|(a, b, w, m, r)| format!("{a} -> {b} {w} {m}{r}")),
    ]
}

/// Joins statements with line breaks, `;`, empty lines and comments.
fn lines(item: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let end = select(vec![
        "\n",
        ";",
        " ; \n",
        "\n\n\n",
        "  # end\n",
        "\n# own line\n",
        "\n\n  # far\n\n",
    ]);
    (
        vec((item, end), 0..5),
        select(vec!["", "# first\n", "\n\n"]),
        select(vec!["", "# last\n\n"]),
    )
        .prop_map(|(l, a, z)| {
            let mut out = a.to_string();
            for (item, end) in l {
                out.push_str(&item);
                out.push_str(end);
            }
            out + z
        })
}

fn boundary() -> impl Strategy<Value = String> {
    let attribute = prop_oneof![
        word().prop_map(|w| format!("owner {w}")),
        (1..400u32).prop_map(|n| format!("review every {n}d")),
        select(vec![
            "mode observe",
            "mode warn",
            "mode enforce",
            "expiry at most 30d",
            "approval by a, b"
        ])
        .prop_map(str::to_string),
    ];
    let item = prop_oneof![
        attribute.clone(),
        vec(attribute, 2..5).prop_map(|l| l.join("   ")),
        clause()
    ];
    (name(), vec(expr(), 0..3), lines(item)).prop_map(|(n, g, body)| {
        let g = if g.is_empty() {
            String::new()
        } else {
            format!("governs {}", g.join(", "))
        };
        format!("boundary {n} {g} {{ {body} }}")
    })
}

fn exception() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        allow(),
        word().prop_map(|w| format!("ticket {w} owner {w}")),
        select(vec![
            "because \"x\"",
            "expires 2027-01-31",
            "starts 2026-12-01 expires 2026-12-31",
            "approved by zhang.min (security), kumar",
        ])
        .prop_map(str::to_string),
    ];
    (name(), name(), lines(item)).prop_map(|(i, b, body)| format!("exception {i} in {b} {{\n{body}}}"))
}

fn test_block() -> impl Strategy<Value = String> {
    let verb = select(vec!["can", "cannot", "can not"]);
    let leaf =
        (expr(), verb, expr(), services()).prop_map(|(a, v, b, s)| format!("{a} {v} reach {b} on {s}"));
    let leaf = prop_oneof![
        leaf,
        (expr(), expr()).prop_map(|(a, b)| format!("{a} cannot reach {b}"))
    ];
    let item = leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            lines(inner.clone()).prop_map(|b| format!("with down vbr hq-1, nat \"x y\" {{ {b} }}")),
            lines(inner).prop_map(|b| format!("as of 2027-02-01 {{ {b} }}")),
        ]
    });
    (word(), lines(item)).prop_map(|(n, b)| format!("test \"{}\" {{ {b} }}", n.replace(['"', '\\'], "")))
}

fn file() -> impl Strategy<Value = String> {
    let options = select(vec![
        "",
        " { data pci, pii }",
        " { required; overlaps web }",
        "{ }",
    ]);
    let item = prop_oneof![
        select(vec!["edition 2027", "network shop", "include \"../a b.btz\""]).prop_map(str::to_string),
        (name(), selector(), options).prop_map(|(n, s, o)| format!("zone {n} = {s}{o}")),
        (name(), selector()).prop_map(|(n, s)| format!("env {n} = {s}")),
        (name(), services(), select(vec!["", "{ tls required }"]))
            .prop_map(|(n, s, t)| format!("service {n} = {s} {t}")),
        (
            name(),
            select(vec![
                "vpn \"hq-*\"",
                "vbr dc-1 { }",
                "vpn \"a\" { networks 10.0.0.0/8, 10.1.0.0/16 }",
                "vbr x { networks 10.0.0.0/8   learned 0.0.0.0/0; internet none }",
                "cen x",
                "vpn x { networks 0.0.0.0/0 }",
            ])
        )
            .prop_map(|(n, l)| format!("link {n} = {l}")),
        (name(), vec(name(), 1..3)).prop_map(|(n, l)| format!("site {n} = {}", l.join(", "))),
        vec(name(), 1..3).prop_map(|l| format!("apart {}", l.join(", "))),
        boundary(),
        boundary(),
        exception(),
        test_block(),
        clause(),
    ];
    lines(item)
}

fn tree(text: &str) -> Result<File, TestCaseError> {
    let (file, problems) = parse_text(FileId(0), text);
    prop_assert!(problems.is_empty(), "{text}\n{problems:#?}");
    Ok(file)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn formatting_keeps_the_tree_and_comes_to_rest(text in file()) {
        let before = tree(&text)?;
        let formatted = format(&text).map_err(|d| TestCaseError::fail(format!("{d:?}")))?;
        let after = tree(&formatted)?;
        prop_assert_eq!(to_json(&before), to_json(&after), "{}\n---\n{}", text, formatted);
        prop_assert_eq!(format(&formatted).ok(), Some(formatted));
    }

    #[test]
    fn comments_are_never_lost(text in file()) {
        let formatted = format_file(&tree(&text)?);
        prop_assert_eq!(text.matches('#').count(), formatted.matches('#').count(), "{}\n---\n{}", text, formatted);
    }

    #[test]
    fn json_keeps_everything(text in file()) {
        let before = tree(&text)?;
        let json = to_json(&before);
        let text = serde_json::to_string(&json).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let read = serde_json::from_str(&text).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let back = from_json(FileId(0), &read).map_err(|d| TestCaseError::fail(format!("{d:?}")))?;
        prop_assert_eq!(to_json(&back), json);
        prop_assert_eq!(format_file(&back), format_file(&before));
    }

    #[test]
    fn the_meaning_does_not_depend_on_the_layout(text in file()) {
        let meaning = |text: &str| {
            let mut sources = Sources::default();
            let id = sources.add("a.btz", text);
            let (file, _) = parse(id, &sources);
            let (intent, problems) = resolve(&[file], &sources);
            let Some(day) = Date::new(2026, 11, 23) else { return Vec::new() };
            let mut out: Vec<String> = problems.iter().chain(&lint(&intent, day)).map(|d| format!("{} {}", d.code, d.message)).collect();
            for lang in [Lang::En, Lang::Zh] {
                out.extend(intent.clauses.iter().map(|c| format!("{} {}", c.id, sentence(&intent, c, lang))));
                out.extend(intent.exceptions.iter().map(|e| exception_sentence(&intent, e, lang)));
                out.extend(intent.tests.iter().flat_map(|t| test_sentences(&intent, t, lang)));
            }
            out
        };
        let formatted = format(&text).map_err(|d| TestCaseError::fail(format!("{d:?}")))?;
        prop_assert_eq!(meaning(&text), meaning(&formatted));
    }

    #[test]
    fn garbage_gives_problems_with_places_in_the_text(
        parts in vec(select(vec![
            "zone", "env", "allow", "never", "boundary", "exception", "test", "governs", "a", "b", "->", ":", ",", "{", "}",
            "(", ")", "=", ";", "\n", "\n", "except", "through", "because", "\"x\"", "\"open", "#c", "cidr", "host",
            "10.0.0.0/8", "::", "tcp/22", "in", "via", "with", "down", "as", "of", "can", "reach", "on", "中", "\u{0}", "é", "$",
            "tag", "k=v", "and", "or", "90d", "link", "site", "apart", "vpn", "networks", "internet", "none", "review", "every", "mode", "not",
        ]), 0..60),
        glue in select(vec!["", " "]),
    ) {
        let text = parts.join(glue);
        check_garbage(&text)?;
    }

    #[test]
    fn any_text_gives_problems_with_places_in_the_text(text in "\\PC{0,80}|(.|\n){0,80}") {
        check_garbage(&text)?;
    }

    #[test]
    fn a_damaged_intent_is_survived(text in file(), cut in 0.0..1.0f64, with in "[{}()\"#;=:>-]{0,2}") {
        let mut at = (text.len() as f64 * cut) as usize;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        check_garbage(&format!("{}{with}{}", &text[..at], &text[at..]))?;
        check_garbage(&text[..at])?;
    }
}

fn check_garbage(text: &str) -> Result<(), TestCaseError> {
    let mut sources = Sources::default();
    let id = sources.add("a.btz", text);
    let (file, problems) = parse(id, &sources);
    for d in &problems {
        prop_assert_eq!(d.labels.iter().filter(|l| l.primary).count(), 1, "{:?}", d);
        prop_assert!(!d.message.contains('\n') && !d.message.ends_with('.'), "{:?}", d);
        for l in &d.labels {
            let range = l.span.start as usize..l.span.end as usize;
            prop_assert!(text.get(range).is_some(), "{:?} in {:?}", d, text);
            let at = sources.line_col(id, l.span.start);
            prop_assert_eq!((l.span.line, l.span.column), (at.line, at.column), "{:?}", text);
        }
    }
    let (intent, more) = resolve(std::slice::from_ref(&file), &sources);
    if let Some(day) = Date::new(2026, 11, 23) {
        for d in more.iter().chain(&lint(&intent, day)) {
            prop_assert!(!d.message.contains('\n') && !d.message.ends_with('.'), "{:?}", d);
        }
    }
    if problems.is_empty() {
        let json = to_json(&file);
        let formatted = format_file(&file);
        let (again, none) = parse_text(id, &formatted);
        prop_assert!(none.is_empty(), "{}\n---\n{}\n{:?}", text, formatted, none);
        prop_assert_eq!(to_json(&again), json);
    }
    Ok(())
}
