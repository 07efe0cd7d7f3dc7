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
        if r.chance(25) {
            let by = zones[r.below(zones.len())].clone();
            let way = ["through", "not through"][r.below(2)];
            text.push_str(&format!("  {a} -> {b} : {service} {way} {by}\n"));
            continue;
        }
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
    for n in 0..110 {
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

/// Two firewalls in a row between `a` and `b`, all of them open to one another: routes change ways and never what arrives.
const ROW: &str = r#"
resource "alicloud_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "v" {
  for_each   = { a = 1, b = 2, f = 3, g = 4 }
  vpc_id     = alicloud_vpc.main.id
  cidr_block = "10.0.${each.value}.0/24"
  zone_id    = "cn-hangzhou-h"
}
resource "alicloud_route_table" "t" {
  for_each = { a = 1, b = 2, f = 3, g = 4 }
  vpc_id   = alicloud_vpc.main.id
}
resource "alicloud_route_table_attachment" "t" {
  for_each       = { a = 1, b = 2, f = 3, g = 4 }
  route_table_id = alicloud_route_table.t[each.key].id
  vswitch_id     = alicloud_vswitch.v[each.key].id
}
resource "alicloud_security_group" "g" {
  security_group_name = "g"
  vpc_id              = alicloud_vpc.main.id
}
resource "alicloud_instance" "i" {
  for_each          = { a = 1, b = 2, f = 3, g = 4 }
  instance_name     = each.key
  vswitch_id        = alicloud_vswitch.v[each.key].id
  security_groups   = [alicloud_security_group.g.id]
  private_ip        = "10.0.${each.value}.10"
  source_dest_check = false
}
resource "alicloud_route_entry" "r" {
  for_each = {
    a = ["10.0.2.0/24", "f"], f = ["10.0.2.0/24", "g"]
    b = ["10.0.1.0/24", "g"], g = ["10.0.1.0/24", "f"]
  }
  route_table_id        = alicloud_route_table.t[each.key].id
  destination_cidrblock = each.value[0]
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.i[each.value[1]].id
}
"#;

// Docs/decisions/019 and 025: a way may change although nothing else arrives, far from both ends of a clause.
#[test]
fn a_route_turns_through_though_the_same_arrives() {
    let text = "edition 2027\nzone a = ecs \"a\"\nzone b = ecs \"b\"\nzone f = ecs \"f\"\nzone g = ecs \"g\"\n\
                a -> b through f\na -> b through g\na -> b not through f\na -> b not through g\n";
    let (inv, intent) = common::read_both(ROW, text);
    let opt = CheckOptions {
        readings: bartizan_model::Readings::default().with(bartizan_model::Assumption::Route1, false),
    };
    let holds =
        |v: &[(String, Verdict)]| -> Vec<bool> { v.iter().map(|(_, v)| *v == Verdict::Holds).collect() };
    let whole = verdicts(&inv, &intent, date(), &opt);
    assert_eq!(holds(&whole), [true, true, false, false]);
    let mut turned = BTreeSet::new();
    for n in 0..u32::try_from(inv.typed.route_entries.len()).unwrap() {
        let mut watch = Watch::new(&inv, &intent, date(), &opt);
        let change = bartizan_reach::Change::RemoveRoute(n);
        let said = watch.apply(&change);
        let mut now = inv.clone();
        change.apply(&mut now);
        let should = verdicts(&now, &intent, date(), &opt);
        assert_eq!(watch.verdicts(), should, "{change:?}, rebuilt {:?}", said.rebuilt);
        turned.insert(holds(&should));
        let mut back = watch;
        let change = bartizan_reach::Change::AddRoute(inv.typed.route_entries[n as usize].clone());
        back.apply(&change);
        assert_eq!(back.verdicts(), whole, "{change:?}");
    }
    // Each of them is a way around one of the two, or both.
    assert!(
        turned.len() >= 2 && turned.iter().all(|t| t.contains(&false)),
        "{turned:?}"
    );
}
