//! An intent that stays evaluated says what a check from the beginning says, after every change (docs/decisions/019).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict;
use bartizan_check::{CheckOptions, Recheck, Watch, check, verdicts};
use bartizan_lang::{Date, Intent};
use bartizan_model::{Fact, Inventory};
use bartizan_testkit::{Features, Rng, random_change, random_inventory};
use std::collections::BTreeSet;
use std::path::Path;

fn date() -> Date {
    "2026-08-01".parse().unwrap()
}

fn example(name: &str) -> (Inventory, Intent) {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name);
    let mut files: Vec<(String, String)> = Vec::new();
    let mut intents: Vec<(String, String)> = Vec::new();
    for f in std::fs::read_dir(&dir).unwrap() {
        let path = f.unwrap().path();
        let of = match path.extension().and_then(|e| e.to_str()) {
            Some("tf" | "tfvars") => &mut files,
            Some("btz") => &mut intents,
            _ => continue,
        };
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        of.push((name, std::fs::read_to_string(&path).unwrap()));
    }
    files.sort();
    intents.sort();
    let files: Vec<(&str, &str)> = files.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    let inv = common::inventory(&files);
    let text: String = intents.into_iter().map(|(_, text)| text).collect();
    (inv, common::intent(&text))
}

/// What a run of changes did.
#[derive(Default)]
struct Seen {
    changes: usize,
    partly: usize,
    evaluated: usize,
    clauses: usize,
    turned: usize,
    verdicts: BTreeSet<Verdict>,
}

fn follow(inv: &Inventory, intent: &Intent, r: &mut Rng, steps: usize, seen: &mut Seen) {
    let opt = CheckOptions::default();
    let mut watch = Watch::new(inv, intent, date(), &opt);
    let mut now = inv.clone();
    let mut before = verdicts(&now, intent, date(), &opt);
    assert_eq!(watch.verdicts(), before);
    for step in 0..steps {
        let Some(change) = random_change(r, &now) else {
            continue;
        };
        let Recheck { clauses, rebuilt, .. } = watch.apply(&change);
        change.apply(&mut now);
        let should = verdicts(&now, intent, date(), &opt);
        assert_eq!(
            watch.verdicts(),
            should,
            "step {step}: {change:?}, rebuilt {rebuilt:?}"
        );
        seen.changes += 1;
        seen.turned += usize::from(before != should);
        if rebuilt.is_none() {
            seen.partly += 1;
            seen.evaluated += clauses.len();
            seen.clauses += watch.plan().clauses.len();
        }
        seen.verdicts.extend(should.iter().map(|(_, v)| *v));
        before = should;
    }
    let report = check(&now, intent, date(), &opt);
    let all = report.clauses.iter().map(|c| (c.id.clone(), c.verdict));
    assert_eq!(all.collect::<Vec<_>>(), before);
}

#[test]
fn the_shop_stays_evaluated() {
    let (inv, intent) = example("shop");
    let mut seen = Seen::default();
    for seed in 0..6 {
        follow(&inv, &intent, &mut Rng::for_item(11, seed), 12, &mut seen);
    }
    assert!(seen.partly > 8, "{} of {}", seen.partly, seen.changes);
    assert!(
        seen.evaluated * 2 < seen.clauses,
        "{} of {}",
        seen.evaluated,
        seen.clauses
    );
    assert!(seen.turned > 3, "the changes no longer do anything");
}

#[test]
fn the_enterprise_stays_evaluated() {
    let (inv, intent) = example("enterprise");
    let mut seen = Seen::default();
    follow(&inv, &intent, &mut Rng::for_item(12, 0), 6, &mut seen);
    assert!(seen.changes > 3);
}

/// Zones by block, and one by group so that who is in it changes; random clauses between them.
fn random_intent(r: &mut Rng, inv: &Inventory) -> Intent {
    let t = &inv.typed;
    let blocks: BTreeSet<String> = t
        .vswitches
        .iter()
        .filter_map(|v| v.cidr.known().map(ToString::to_string))
        .collect();
    let mut zones: Vec<String> = Vec::new();
    let mut text = "edition 2027\n".to_string();
    for (n, b) in blocks.iter().take(4).enumerate() {
        text.push_str(&format!("zone z{n} = cidr {b}\n"));
        zones.push(format!("z{n}"));
    }
    let group = t.security_groups.first().and_then(|g| g.meta.name.clone());
    if let (Some(Fact::Known(g)), true) = (group, r.chance(30)) {
        text.push_str(&format!("zone grouped = sg \"{g}\"\n"));
        zones.push("grouped".to_string());
    }
    text.push_str(&format!("boundary all governs {} {{\n", zones.join(", ")));
    zones.push("outside".to_string());
    for n in 0..6 + r.below(6) {
        let a = zones[r.below(zones.len())].clone();
        let b = zones[r.below(zones.len())].clone();
        let verb = ["never", "never", "only", "must", "allow"][r.below(5)];
        let service = ["any", "tcp/80", "tcp/443", "tcp/1-1024", "udp/53", "icmp"][r.below(6)];
        text.push_str(&format!(
            "  {verb} {a} -> {b} : {service} because \"clause {n}\"\n"
        ));
    }
    text.push_str("}\n");
    common::intent(&text)
}

#[test]
fn random_intents_stay_evaluated() {
    let mut seen = Seen::default();
    for n in 0..80 {
        let mut r = Rng::for_item(20_261_126, n);
        let mut features = Features::all();
        for f in [
            "balancers",
            "joined",
            "hybrid",
            "services",
            "firewalls",
            "private-link",
            "inner",
            "inspectors",
            "nat",
            "public",
        ] {
            if n % 3 != 0 && r.chance(60) {
                features = features.without(f).unwrap();
            }
        }
        let inv = random_inventory(&mut r, features);
        let intent = random_intent(&mut r, &inv);
        follow(&inv, &intent, &mut r, 8, &mut seen);
    }
    assert!(seen.partly > 50, "{} of {}", seen.partly, seen.changes);
    assert!(
        seen.evaluated < seen.clauses,
        "{} of {}",
        seen.evaluated,
        seen.clauses
    );
    assert!(
        seen.turned > 8,
        "the changes no longer do anything: {}",
        seen.turned
    );
    let all = [Verdict::Holds, Verdict::Violated, Verdict::Undecided];
    assert!(
        all.iter().all(|v| seen.verdicts.contains(v)),
        "{:?}",
        seen.verdicts
    );
}
