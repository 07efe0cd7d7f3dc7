//! From text to meaning: names, ids, lints and sentences.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use bartizan_base::{Diagnostic, Severity, Sources};
use bartizan_lang::{
    Date, Intent, Lang, Overlap, SetExpr, Verb, compose, exception_sentence, format_file, include_path, lint,
    overlap, parse, resolve, sentence, test_sentences,
};

const SHOP: &str = include_str!("shop.btz");

fn date(s: &str) -> Date {
    s.parse().unwrap()
}

/// Reads files without a syntax error.
fn read(files: &[(&str, &str)]) -> (Intent, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let ids: Vec<_> = files
        .iter()
        .map(|(name, text)| sources.add(*name, *text))
        .collect();
    let mut trees = Vec::new();
    for id in ids {
        let (tree, problems) = parse(id, &sources);
        assert!(problems.is_empty(), "{problems:#?}");
        trees.push(tree);
    }
    resolve(&trees, &sources)
}

/// Reads a text without a problem.
fn clean(text: &str) -> Intent {
    let (intent, problems) = read(&[("a.btz", text)]);
    assert!(problems.is_empty(), "{problems:#?}");
    intent
}

fn problems(text: &str) -> Vec<(&'static str, String, String)> {
    let (_, d) = read(&[("a.btz", text)]);
    d.into_iter()
        .map(|d| (d.code, d.message, d.help.unwrap_or_default()))
        .collect()
}

/// Codes and messages of the lints of a text, as of a day.
fn lints(text: &str, on: &str) -> Vec<(&'static str, String)> {
    lint(&clean(text), date(on))
        .into_iter()
        .map(|d| (d.code, d.message))
        .collect()
}

fn codes(text: &str) -> Vec<&'static str> {
    lints(text, "2026-11-23")
        .into_iter()
        .map(|(c, _)| c)
        .filter(|c| *c != "INTENT006")
        .collect()
}

const ZONES: &str = r#"
env prod = vpc "prod-*"
env dev = vpc "dev-*"
zone internet = outside
zone office = cidr 10.200.0.0/16
zone web = tag tier=web in env prod
zone app = tag tier=app
zone db = rds { overlaps app }
boundary use governs web, app, db { never office -> env dev : telnet  never internet -> env prod : telnet }
"#;

fn with_zones(clauses: &str) -> String {
    format!("{ZONES}\n{clauses}\n")
}

#[test]
fn the_example_resolves_clean() {
    let i = clean(SHOP);
    let ids: Vec<&str> = i.clauses.iter().map(|c| c.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "prod/allow-1",
            "prod/must-1",
            "prod/must-2",
            "prod/only-1",
            "prod/allow-2",
            "prod/never-1",
            "prod/never-2",
            "prod/through-1",
            "EX-2026-014/allow-1",
        ]
    );
    assert_eq!(
        (i.zones.len(), i.envs.len(), i.tests[0].statements.len()),
        (6, 2, 5)
    );
    assert_eq!(i.boundaries[0].governs.len(), 4);
    assert_eq!(i.boundaries[0].review_days, Some(180));
    assert!(i.clauses[1].tls_required);
    assert_eq!(i.clauses[1].services.to_string(), "tcp/8080");
    let last = &i.tests[0].statements[4];
    assert_eq!(last.as_of, Some(date("2027-02-01")));
    assert_eq!(last.id, "test:checkout/5");
    assert_eq!(i.tests[0].statements[3].down.len(), 1);
    assert_eq!(i.clauses[5].text, "never {internet, office} -> db : any");
}

#[test]
fn the_example_has_no_warnings() {
    let found = lint(&clean(SHOP), date("2026-11-23"));
    let seen: Vec<_> = found.iter().map(|d| (d.code, d.severity)).collect();
    let note = Severity::Note;
    assert_eq!(
        seen,
        [
            ("INTENT006", note),
            ("INTENT006", note),
            ("INTENT006", note),
            ("INTENT015", note)
        ],
        "{found:#?}"
    );
}

#[test]
fn exceptions_count_through_the_end_of_their_last_day() {
    let i = clean(SHOP);
    let c = i.clauses.last().unwrap();
    assert!(i.is_active(c, date("2026-11-23")));
    assert!(i.is_active(c, date("2027-01-31")));
    assert!(!i.is_active(c, date("2027-02-01")));
    let code = |on| {
        lint(&i, date(on))
            .into_iter()
            .find(|d| d.severity == Severity::Warning)
            .map(|d| d.code)
    };
    assert_eq!(code("2027-01-16"), None);
    assert_eq!(code("2027-01-17"), Some("INTENT013"));
    assert_eq!(code("2027-01-31"), Some("INTENT013"));
    assert_eq!(code("2027-02-01"), Some("INTENT012"));
    let early = lint(&i, date("2026-11-01"));
    assert!(
        early
            .iter()
            .any(|d| d.code == "INTENT014" && d.message.contains("longer than 90 days"))
    );
}

#[test]
fn unknown_names_come_with_a_suggestion() {
    let text = with_zones("allow interet -> web : htps\nallow web -> env prd : ssh");
    let found = problems(&text);
    assert_eq!(
        found
            .iter()
            .map(|(c, m, h)| (*c, m.as_str(), h.as_str()))
            .collect::<Vec<_>>(),
        [
            (
                "INTENT002",
                "zone or env `interet` is not declared",
                "did you mean `internet`?"
            ),
            (
                "INTENT002",
                "service `htps` is not declared",
                "did you mean `https`?"
            ),
            ("INTENT002", "env `prd` is not declared", "did you mean `prod`?"),
        ]
    );
}

#[test]
fn names_are_declared_once() {
    for text in [
        "zone a = ecs\nzone a = rds",
        "zone a = ecs\nenv a = ecs",
        "service a = tcp/1\nservice a = tcp/2",
        "boundary a { }\nboundary a { }",
        "boundary a { }\nexception e in a { }\nexception e in a { }",
        "test \"t\" { }\ntest \"t\" { }",
        "boundary a { owner x  owner y }",
    ] {
        let found = problems(text);
        assert_eq!(
            found.iter().map(|f| f.0).collect::<Vec<_>>(),
            ["INTENT003"],
            "{text}: {found:?}"
        );
    }
}

#[test]
fn values_are_checked() {
    for (text, message) in [
        ("zone a = cidr 10.0.0.0/33", "`10.0.0.0/33` is not a prefix"),
        ("zone a = host 10.0.0.0/8", "`10.0.0.0/8` is not an address"),
        (
            "zone a = cidr 10.1.0.0/8",
            "`10.1.0.0/8` has bits set behind its length",
        ),
        (
            "service s = tcp/70000",
            "`70000` is not a port or a port range (0 to 65535)",
        ),
        (
            "service s = tcp/9-8",
            "`9-8` is a port range that ends before it starts",
        ),
        (
            "boundary b { }\nexception e in b { expires 2027-02-30 }",
            "`2027-02-30` is not a day of the calendar",
        ),
        ("edition 1999", "edition `1999` is not known"),
        (
            "boundary b governs outside { }",
            "a boundary governs zones, envs or `everything`",
        ),
    ] {
        let found = problems(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!((found[0].0, found[0].1.as_str()), ("INTENT017", message));
    }
}

#[test]
fn envs_and_services_are_built_from_earlier_ones() {
    assert_eq!(
        problems("env a = vpc in env b\nenv b = vpc in env a")[0].0,
        "INTENT002"
    );
    assert_eq!(problems("service a = b\nservice b = tcp/1")[0].0, "INTENT002");
    let i = clean("service https = https, tcp/8443\nservice b = https, dns");
    assert_eq!(i.services[0].set.to_string(), "tcp/443, tcp/8443");
    assert_eq!(i.services[1].set.to_string(), "tcp/53, tcp/443, tcp/8443, udp/53");
}

#[test]
fn an_id_stays_when_another_clause_is_broken() {
    let (i, _) = read(&[(
        "a.btz",
        "zone a = ecs\nnever nope -> a : ssh\nnever a -> a : ssh\nallow a -> a : any",
    )]);
    assert_eq!(
        i.clauses.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(),
        ["never-2", "allow-1"]
    );
}

#[test]
fn contradictions_are_errors_with_both_places() {
    let text = with_zones("allow internet -> db : ssh\nnever internet -> db : any");
    let found: Vec<_> = lint(&clean(&text), date("2026-11-23"))
        .into_iter()
        .filter(|d| d.code == "INTENT004")
        .collect();
    assert_eq!(found.len(), 1, "{found:#?}");
    let d = &found[0];
    assert_eq!(d.severity, Severity::Error);
    assert_eq!(
        d.message,
        "`allow internet -> db : ssh` opens what `never internet -> db : any` forbids"
    );
    let quoted: Vec<&str> = d
        .labels
        .iter()
        .map(|l| &text[l.span.start as usize..l.span.end as usize])
        .collect();
    assert_eq!(
        quoted,
        ["allow internet -> db : ssh", "never internet -> db : any"]
    );
}

#[test]
fn only_certain_overlaps_are_contradictions() {
    for (clauses, contradict) in [
        ("allow web -> db : ssh\nnever web -> db : ssh", true),
        ("allow web -> db : ssh\nnever web -> db : https", false),
        ("allow web -> db : ssh\nnever app -> db : ssh", false),
        ("allow web -> db : ssh\nnever everything -> db : ssh", true),
        (
            "allow web -> db : ssh\nnever everything except web -> db : ssh",
            false,
        ),
        (
            "allow web -> db : ssh\nnever {office, everything except office} -> db : ssh",
            true,
        ),
        // Declared to overlap: what is in both is meant by both.
        ("must web -> app : ssh\nnever web -> db : ssh", true),
        ("must web -> app except db : ssh\nnever web -> db : ssh", false),
        // `only` closes to all others.
        ("allow office -> web : ssh\nonly app -> web : ssh", true),
        ("allow app -> web : ssh\nonly app -> web : ssh", false),
        ("only office -> web : ssh\nonly app -> web : ssh", true),
        ("allow unzoned -> web : ssh\nonly app -> web : ssh", true),
        (
            "allow cidr 10.1.0.0/16 -> web : ssh\nonly app -> web : ssh",
            false,
        ),
        ("allow cidr 8.8.8.8/32 -> web : ssh\nonly app -> web : ssh", true),
        // Addresses are exact.
        (
            "allow cidr 8.8.8.0/24 -> web : ssh\nnever internet -> web : ssh",
            true,
        ),
        (
            "allow cidr 10.200.1.0/24 -> web : ssh\nnever internet -> web : ssh",
            false,
        ),
        (
            "allow cidr 10.200.1.0/24 -> web : ssh\nnever office -> web : ssh",
            true,
        ),
        (
            "allow host 10.1.1.1 -> web : ssh\nnever cidr 10.1.0.0/16 -> web : ssh",
            true,
        ),
        (
            "allow host 10.1.1.1 -> web : ssh\nnever cidr 10.1.0.0/16 except host 10.1.1.1 -> web : ssh",
            false,
        ),
        (
            "allow cidr 2001:db8::/32 -> web : ssh\nnever outside -> web : ssh",
            true,
        ),
        (
            "allow cidr fd00::/8 -> web : ssh\nnever outside -> web : ssh",
            false,
        ),
        // What an env holds is known where a selector says so.
        ("allow env prod -> app : ssh\nnever web -> app : ssh", true),
        ("allow env dev -> app : ssh\nnever web -> app : ssh", false),
        ("allow env dev -> app : ssh\nnever env dev -> app : ssh", true),
        ("allow env dev -> app : ssh\nnever env prod -> app : ssh", false),
        ("allow env dev -> app : ssh\nnever app -> app : ssh", false),
        (
            "allow env dev except app -> app : ssh\nnever env dev -> app : ssh",
            false,
        ),
        (
            "allow env dev except web -> app : ssh\nnever env dev -> app : ssh",
            true,
        ),
        (
            "boundary b { }\nexception e in b { allow web -> db : ssh }\nnever web -> db : ssh",
            true,
        ),
    ] {
        let found = codes(&with_zones(clauses));
        assert_eq!(found.contains(&"INTENT004"), contradict, "{clauses}: {found:?}");
    }
}

#[test]
fn overlap_is_symmetric_and_total() {
    let i = clean(ZONES);
    let mut sets: Vec<SetExpr> = i
        .clauses
        .iter()
        .flat_map(|c| [c.from.clone(), c.to.clone()])
        .collect();
    sets.extend((0..5).map(|z| SetExpr::Zone(bartizan_lang::ZoneId(z))));
    sets.extend([SetExpr::Everything, SetExpr::Outside, SetExpr::Unzoned]);
    let n = sets.len();
    for k in 0..n {
        sets.push(SetExpr::Except(
            Box::new(SetExpr::Everything),
            Box::new(sets[k].clone()),
        ));
    }
    for a in &sets {
        for b in &sets {
            assert_eq!(
                overlap(&i, a, b),
                overlap(&i, b, a),
                "{} {}",
                i.set_text(a),
                i.set_text(b)
            );
        }
    }
    for a in &sets[..n] {
        assert_eq!(
            overlap(&i, a, &SetExpr::Everything),
            Overlap::Yes,
            "{}",
            i.set_text(a)
        );
        let others = SetExpr::Except(Box::new(SetExpr::Everything), Box::new(a.clone()));
        assert_ne!(overlap(&i, a, &others), Overlap::Yes, "{}", i.set_text(a));
    }
}

#[test]
fn clauses_that_add_nothing_are_told() {
    for (clauses, covered) in [
        ("allow web -> db : ssh\nallow web -> db : ssh", 1),
        (
            "allow web -> db : ssh\nallow {web, office} -> db : {ssh, https}",
            1,
        ),
        ("must web -> db : ssh\nallow web -> db : ssh", 1),
        ("allow web -> db : ssh\nmust web -> db : ssh", 1),
        ("must web -> db : ssh\nmust some web -> db : ssh", 1),
        ("must some web -> db : ssh\nmust web -> db : ssh", 1),
        ("must some web -> db : ssh\nallow web -> db : ssh", 1),
        ("only web -> db : ssh\nallow web -> db : ssh", 1),
        ("never outside -> db : ssh\nnever internet -> db : ssh", 1),
        ("never env dev -> db : ssh\nnever env dev -> db : ssh", 1),
        (
            "allow cidr 10.0.0.0/8 -> db : ssh\nallow host 10.1.1.1 -> db : ssh",
            1,
        ),
        (
            "allow host 10.1.1.1 -> db : ssh\nallow cidr 10.1.1.0/24 -> {db, app} : any",
            1,
        ),
        ("allow web -> db : ssh\nallow web -> app : ssh", 0),
        ("allow web -> db : ssh\nallow web -> db : https", 0),
        ("allow web -> db : ssh\nallow cidr 10.0.0.0/8 -> db : ssh", 0),
        (
            "boundary o { mode observe allow web -> db : ssh }\nallow web -> db : ssh",
            1,
        ),
    ] {
        let found = codes(&with_zones(clauses));
        assert_eq!(
            found.iter().filter(|c| **c == "INTENT011").count(),
            covered,
            "{clauses}: {found:?}"
        );
    }
}

#[test]
fn the_other_lints() {
    for (clauses, code, n) in [
        ("allow web -> db : any", "INTENT005", 1),
        ("must web -> db : any", "INTENT005", 0),
        ("allow web except web -> db : ssh", "INTENT016", 1),
        ("never office except cidr 10.0.0.0/8 -> db : ssh", "INTENT016", 1),
        ("zone idle = ecs", "INTENT007", 1),
        ("env idle = ecs", "INTENT007", 1),
        ("service idle = tcp/1", "INTENT007", 1),
        (
            "service one = tcp/1\nservice two = one\nallow web -> db : two",
            "INTENT007",
            0,
        ),
        ("zone idle = ecs\nallow idle -> db : ssh", "INTENT010", 1),
        (
            "zone far = cidr 192.0.2.0/24\nallow far -> db : ssh",
            "INTENT010",
            0,
        ),
        ("boundary b { }\nexception e in b { }", "INTENT014", 1),
    ] {
        let found = codes(&with_zones(clauses));
        assert_eq!(
            found.iter().filter(|c| **c == code).count(),
            n,
            "{clauses}: {found:?}"
        );
    }
    let message = &lints("boundary b { }\nexception e in b { owner x }", "2026-11-23")[0].1;
    assert_eq!(
        message,
        "exception `e` lacks a reason, a ticket, an expiry, an `allow`"
    );
}

#[test]
fn boundaries_demand_approvals_and_shorter_exceptions() {
    let text = "zone a = ecs\nboundary b governs a { expiry at most 30d\n approval by security, platform }\n\
        exception e in b { allow a -> a : ssh; because \"x\"; ticket T; owner li; expires 2027-01-31\n\
        approved by li (security) }";
    let messages: Vec<String> = lints(text, "2026-11-23")
        .into_iter()
        .filter(|l| l.0 == "INTENT014")
        .map(|l| l.1)
        .collect();
    assert_eq!(
        messages,
        [
            "exception `e` lasts longer than 30 days",
            "exception `e` lacks the approval of `platform`",
            "`li` approves an exception of their own",
        ]
    );
}

#[test]
fn included_clauses_cannot_be_weakened() {
    let org =
        "zone internet = outside\nzone db = rds\nboundary org { mode enforce\n never internet -> db : any }";
    let team = "include \"../org/guard.btz\"\nallow internet -> db : mysql because \"we want it\"";
    let (i, problems) = read(&[("team/a.btz", team), ("org/guard.btz", org)]);
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(i.boundaries[0].included && !i.clauses[0].included && i.clauses[1].included);
    let d = lint(&i, date("2026-11-23"))
        .into_iter()
        .find(|d| d.code == "INTENT004")
        .unwrap();
    assert!(d.notes.iter().any(|n| n.contains("cannot weaken")), "{d:#?}");
    // Neither can a name of it be declared again.
    for again in ["zone db = ecs", "boundary org { mode observe }"] {
        let team = format!("include \"../org/guard.btz\"\n{again}");
        let (_, problems) = read(&[("team/a.btz", &team), ("org/guard.btz", org)]);
        assert_eq!(
            problems.iter().map(|d| d.code).collect::<Vec<_>>(),
            ["INTENT003"],
            "{again}"
        );
    }
    let (_, problems) = read(&[("team/a.btz", team)]);
    assert!(
        problems
            .iter()
            .any(|d| d.message.contains("`org/guard.btz` is not part of this run"))
    );
}

#[test]
fn included_paths_are_relative_to_their_file() {
    for (from, path, want) in [
        ("a.btz", "b.btz", "b.btz"),
        ("x/a.btz", "b.btz", "x/b.btz"),
        ("x/y/a.btz", "../b.btz", "x/b.btz"),
        ("a.btz", "../b.btz", "../b.btz"),
        ("../x/a.btz", "../../b.btz", "../../b.btz"),
        ("/x/a.btz", "../../b.btz", "/b.btz"),
        ("x/a.btz", "/b.btz", "/b.btz"),
        ("./a.btz", "./b.btz", "b.btz"),
    ] {
        assert_eq!(include_path(from, path), want, "{from} {path}");
    }
}

#[test]
fn composed_files_are_one_file() {
    let mut sources = Sources::default();
    let texts = [
        "edition 2027\ninclude \"b.btz\"\nallow a -> a : ssh",
        "edition 2027\nzone a = ecs # all\n",
    ];
    let ids = [sources.add("a.btz", texts[0]), sources.add("b.btz", texts[1])];
    let trees: Vec<_> = ids.iter().map(|&i| parse(i, &sources).0).collect();
    let text = format_file(&compose(&trees));
    assert_eq!(text, "edition 2027\nallow a -> a : ssh\nzone a = ecs  # all\n");
    assert_eq!(clean(&text).clauses.len(), 1);
}

#[test]
fn every_clause_is_a_sentence_in_two_languages() {
    let i = clean(SHOP);
    let get = |id: &str, lang| sentence(&i, i.clauses.iter().find(|c| c.id == id).unwrap(), lang);
    let en = |id| get(id, Lang::En);
    let zh = |id| get(id, Lang::Zh);
    assert_eq!(
        en("prod/allow-1"),
        "internet may reach web on https (tcp/443). Reason: public shop."
    );
    assert_eq!(
        en("prod/must-1"),
        "Every endpoint of web must be able to reach every endpoint of app on orders (tcp/8080, TLS required). \
         Reason: checkout."
    );
    assert_eq!(
        en("prod/only-1"),
        "Only bastion may reach web or app on ssh (tcp/22); nobody else may."
    );
    assert_eq!(
        en("prod/never-1"),
        "Nothing in internet or office may ever reach db on any service, and no exception can change that."
    );
    assert_eq!(
        en("prod/through-1"),
        "Every path from app to internet has to pass through egress_fw."
    );
    assert_eq!(
        zh("prod/allow-1"),
        "允许 internet 区域访问 web 区域的 https（tcp/443）服务。理由：public shop。"
    );
    assert_eq!(
        zh("prod/never-2"),
        "严禁 dev 环境访问 prod 环境的任何服务，任何例外都不能改变这一点。"
    );
    assert_eq!(
        exception_sentence(&i, &i.exceptions[0], Lang::En),
        "Exception EX-2026-014 in boundary prod. Through 2027-01-31, the address 203.0.113.8 may reach app on \
         tcp/8443. Reason: vendor cut-over. Ticket: CHG-8812. Owner: li.wei. Approved by zhang.min (security) and \
         kumar (platform)."
    );
    assert_eq!(
        exception_sentence(&i, &i.exceptions[0], Lang::Zh),
        "边界 prod 的例外 EX-2026-014：至 2027 年 1 月 31 日止，允许地址 203.0.113.8 访问 app 区域的 tcp/8443 服务。\
         理由：vendor cut-over。工单：CHG-8812。负责人：li.wei。批准人：zhang.min（security）、kumar（platform）。"
    );
    let tests = test_sentences(&i, &i.tests[0], Lang::En);
    assert_eq!(
        tests[3],
        "While virtual border router hq-1 is down, app can reach office on https."
    );
    assert_eq!(
        tests[4],
        "On 2027-02-01, the address 203.0.113.8 cannot reach app on tcp/8443."
    );
    assert_eq!(
        test_sentences(&i, &i.tests[0], Lang::Zh)[4],
        "在 2027 年 2 月 1 日，地址 203.0.113.8 不能访问 app 区域的 tcp/8443 服务。"
    );
    let verbs = [
        Verb::Allow,
        Verb::Must,
        Verb::MustSome,
        Verb::Only,
        Verb::Never,
        Verb::Through,
        Verb::NotThrough,
    ];
    let mut seen = std::collections::BTreeSet::new();
    for v in verbs {
        let mut c = i.clauses[7].clone();
        c.kind = v;
        for lang in [Lang::En, Lang::Zh] {
            assert!(
                seen.insert(sentence(&i, &c, lang)),
                "{v:?} reads like another verb"
            );
        }
    }
}

#[test]
fn links_say_what_is_behind_them() {
    let text = "link hq = vpn \"hq-*\" { networks 10.200.0.1/16, 10.201.0.0/16   internet none }\n\
                link dc = vbr dc-1 { networks 10.50.0.0/16   learned 10.0.0.0/8 }\n\
                link dc-2 = vbr \"dc-2\" { networks 10.50.0.0/16 }\n\
                site centre = dc, dc-2\n\
                apart hq, dc\n\
                zone office = via vpn hq\n\
                never office -> cidr 10.0.0.0/8 : any because \"x\"\n";
    let i = clean(text);
    assert_eq!(i.links[0].networks[0].to_string(), "10.200.0.0/16");
    assert!(i.links[0].no_internet && i.links[0].learned.is_none());
    assert_eq!(i.links[1].learned.as_ref().map(Vec::len), Some(1));
    assert_eq!(
        (i.sites[0].name.as_str(), &i.sites[0].links),
        ("centre", &vec![1, 2])
    );
    assert_eq!(i.apart, [vec![0, 1]]);
    let all = bartizan_lang::link_sentences(&i, Lang::En);
    assert_eq!(
        all[0],
        "Link hq is the VPN connection \"hq-*\"; behind it are 10.200.0.0/16, 10.201.0.0/16; it does not lead to the Internet."
    );
    assert_eq!(
        all[3],
        "Links dc and dc-2 lead to one site, centre, which forwards between them."
    );
    let all = bartizan_lang::link_sentences(&i, Lang::Zh);
    assert_eq!(
        all[1],
        "链路 dc 是边界路由器“dc-1”，其后是 10.50.0.0/16，它通告 10.0.0.0/8。"
    );
}

/// A prefix of IPv6 needs no quotes, as behind `cidr`.
#[test]
fn the_networks_of_a_link_may_be_ipv6() {
    let i = clean(
        "link a = vpn x { networks 2001:db8::/32, 10.1.0.0/16, \"2001:db9::/32\" internet none }\n\
         link b = vbr y {\n  networks 2001:dba::/32,\n    10.2.0.0/16\n  learned ::/0; internet none\n}\n",
    );
    let nets = |n: usize| {
        i.links[n]
            .networks
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(nets(0), ["2001:db8::/32", "10.1.0.0/16", "2001:db9::/32"]);
    assert_eq!(nets(1), ["2001:dba::/32", "10.2.0.0/16"]);
    assert!(i.links.iter().all(|l| l.no_internet));
    assert_eq!(
        i.links[1].learned.as_ref().map(|l| l[0].to_string()),
        Some("::/0".into())
    );
}

#[test]
fn what_is_wrong_with_links_is_said_with_its_place() {
    for (text, code) in [
        ("link a = cen x\n", "INTENT017"),
        ("link a = vpn x { networks 10.0.0.0/33 }\n", "INTENT017"),
        ("link a = vpn x { networks 0.0.0.0/0 }\n", "INTENT017"),
        ("link a = vpn x\nlink a = vbr y\n", "INTENT003"),
        ("link a = vpn x\nsite s = a, b\n", "INTENT002"),
        ("link a = vpn x\nsite s = a\nsite r = a\n", "INTENT003"),
        (
            "link a = vpn x\nlink b = vpn y\nsite s = a, b\napart a, b\n",
            "INTENT004",
        ),
    ] {
        let said = problems(text);
        assert!(said.iter().any(|d| d.0 == code), "{text}: {said:#?}");
    }
}

#[test]
fn links_that_share_addresses_are_told_about_unless_they_are_one_site() {
    let links = "link a = vpn x { networks 10.0.0.0/8 }\nlink b = vbr y { networks 10.1.0.0/16   learned 0.0.0.0/0 }\n";
    assert_eq!(codes(links), ["INTENT008", "INTENT005"]);
    assert_eq!(codes(&format!("{links}site s = a, b\n")), ["INTENT005"]);
}
