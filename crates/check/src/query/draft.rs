//! A first intent: what the network allows today, in the words of the language, for a person to correct.

use super::{By, Frame, reach, who};
use bartizan_base::{Diagnostic, FileId};
use bartizan_lang::{Date, Intent, format_file, parse_text};
use bartizan_model::{Fact, InterfaceId, Inventory, Meta};
use bartizan_packet::ServiceSet;
use std::collections::{BTreeMap, BTreeSet};

/// Words that are no names of zones.
const KEYWORDS: &[&str] = &[
    "allow",
    "must",
    "only",
    "never",
    "zone",
    "env",
    "service",
    "boundary",
    "exception",
    "test",
    "edition",
    "network",
    "include",
    "everything",
    "outside",
    "unzoned",
    "cidr",
    "host",
    "except",
    "but",
    "any",
    "some",
    "through",
    "not",
    "in",
    "and",
    "or",
    "tag",
    "tf",
    "nat",
    "firewall",
    "internet",
    "governs",
    "because",
    "can",
    "cannot",
    "with",
    "as",
    "of",
    "on",
    "reach",
    "from",
    "to",
];

/// Tag keys by which people tell tiers apart, best first.
const KEYS: &[&str] = &[
    "tier",
    "zone",
    "role",
    "layer",
    "component",
    "app",
    "application",
    "service",
    "Name",
];

/// More tiers than this are no tiers.
const MAX_ZONES: usize = 40;

/// Writes an intent that the network fulfils as it is: zones by tag, by vSwitch or by resource, whichever tells
/// all endpoints apart, one for what is behind each link, and one `allow` for each pair of zones that can talk.
///
/// What is behind a link and in no Terraform is left to a person: the draft says so in a comment.
///
/// # Errors
/// When there is no endpoint to write about.
pub fn draft(inv: &Inventory, name: &str, as_of: Date) -> Result<String, Diagnostic> {
    if inv.typed.interfaces.is_empty() {
        return Err(Diagnostic::error(
            "INPUT001",
            "there is no endpoint in this network: nothing can be said about it",
        )
        .help("`bartizan inventory PATH` lists what was read and what was not understood"));
    }
    for mut zones in [by_tag(inv), by_vswitch(inv), Some(by_resource(inv))]
        .into_iter()
        .flatten()
    {
        let missing = by_link(inv, &mut zones);
        let head = header(name, &zones, &missing);
        let (tree, problems) = parse_text(FileId(0), &head);
        let mut sources = bartizan_base::Sources::default();
        sources.add("draft.btz", head.as_str());
        let (intent, unresolved) = bartizan_lang::resolve(std::slice::from_ref(&tree), &sources);
        if problems.is_empty() && unresolved.is_empty() && told_apart(inv, &intent, as_of) {
            return allows(inv, &intent, as_of, &head, &zones);
        }
    }
    Err(Diagnostic::error(
        "INPUT001",
        "the endpoints of this network cannot be told apart by name",
    )
    .help("give them tags, and run `bartizan draft` again"))
}

/// Whether every endpoint is in exactly one zone.
fn told_apart(inv: &Inventory, intent: &Intent, as_of: Date) -> bool {
    let f = Frame::new(inv, intent, as_of);
    let w = f.world(&[], &[]);
    (0..w.blocks()).all(|b| f.plan.zones.iter().filter(|z| w.in_set(b, z.set)).count() == 1)
}

/// Adds a zone for what is behind each link whose networks are known. Returns what has to be said of the others.
fn by_link(inv: &Inventory, zones: &mut BTreeMap<String, String>) -> Vec<String> {
    let t = &inv.typed;
    let vpn = t.vpn_connections.iter().map(|c| (c.site, "vpn", &c.meta));
    let vbr = t.border_routers.iter().map(|b| (b.site, "vbr", &b.meta));
    let mut missing = Vec::new();
    let mut seen = BTreeSet::new();
    for (site, kind, meta) in vpn.chain(vbr) {
        let name = match &meta.name {
            Some(Fact::Known(n)) => n.to_string(),
            _ => last_name(&meta.origin.address).to_string(),
        };
        // One link of several that lead to one place is enough.
        let Some(text) = quoted(&name).filter(|_| seen.insert(site)) else {
            continue;
        };
        let taken: BTreeSet<String> = zones.keys().cloned().collect();
        let zone = ident(&name, &taken);
        let selector = format!("everything via {kind} {text}");
        if t[site].unknown.is_some() {
            missing.push(format!(
                "# link {zone} = {kind} {text} {{ networks 10.0.0.0/8 }}\n"
            ));
        }
        if !t.networks(site).is_empty() {
            add(zones, &name, selector);
        } else {
            missing.push(format!("# zone {zone} = {selector}\n"));
        }
    }
    missing
}

/// Everything but what is behind links.
fn endpoints(inv: &Inventory) -> impl Iterator<Item = InterfaceId> {
    let all = (0u32..).map(InterfaceId).take(inv.typed.interfaces.len());
    all.filter(|i| inv.typed.site_of(*i).is_none())
}

/// The name of a resource without its type and key.
fn last_name(address: &str) -> &str {
    let block = address.split('[').next().unwrap_or(address);
    block.rsplit('.').next().unwrap_or(block)
}

fn header(name: &str, zones: &BTreeMap<String, String>, missing: &[String]) -> String {
    let mut s = String::from(
        "# A draft: what the network allows today, not what it should allow.\n\
         # Go through it clause by clause: delete what is not meant (the check then shows where it is open),\n\
         # turn what has to work into `must`, and write down what must never be as `never`.\n\
         edition 2027\n",
    );
    s.push_str(&format!(
        "network {}\n\nzone internet = outside\n",
        ident(name, &BTreeSet::new())
    ));
    for (z, selector) in zones {
        s.push_str(&format!("zone {z} = {selector}\n"));
    }
    if !missing.is_empty() {
        s.push_str(
            "\n# Terraform does not say which networks are behind these links. Until a `link` does, what is said below of \
             the VPCs\n# that they join is undecided. Put in the real networks, take the marks away and run `bartizan reach`:\n",
        );
        missing.iter().for_each(|m| s.push_str(m));
    }
    s
}

fn allows(
    inv: &Inventory,
    intent: &Intent,
    as_of: Date,
    head: &str,
    zones: &BTreeMap<String, String>,
) -> Result<String, Diagnostic> {
    let f = Frame::new(inv, intent, as_of);
    let m = reach(&f, None, None, &ServiceSet::any(), By::Zone)?;
    // Sources with the same services to the same zone share a clause.
    let mut by: BTreeMap<(usize, String), BTreeSet<usize>> = BTreeMap::new();
    let internet = m.groups.iter().position(|g| g.members.is_empty());
    let mut known: Vec<String> = Vec::new();
    for e in &m.entries {
        let mut s = e.services.clone();
        if Some(e.from) == internet {
            // A few prefixes are somebody; they get clauses of their own.
            let (everybody, few) = callers(&f, &m.groups[e.to].name, &e.services)?;
            for (cidrs, s) in few {
                known.push(format!(
                    "  allow {cidrs} -> {} : {s} because \"found, not reviewed\"\n",
                    m.groups[e.to].name
                ));
            }
            s = everybody;
        }
        if !s.is_empty() {
            by.entry((e.to, s.to_string())).or_default().insert(e.from);
        }
    }
    let names: Vec<&str> = zones.keys().map(String::as_str).collect();
    // Nobody but what is behind links: there is nothing to govern.
    if names.is_empty() {
        return Ok(head.to_string());
    }
    let mut text = format!(
        "{head}\nboundary found governs {} {{\n  mode enforce\n",
        names.join(", ")
    );
    for ((to, s), from) in by {
        let from: Vec<&str> = from.into_iter().map(|i| m.groups[i].name.as_str()).collect();
        let from = if from.len() == 1 {
            from.concat()
        } else {
            format!("{{{}}}", from.join(", "))
        };
        text.push_str(&format!(
            "  allow {from} -> {} : {s} because \"found, not reviewed\"\n",
            m.groups[to].name
        ));
    }
    known.iter().for_each(|k| text.push_str(k));
    text.push_str("}\n");
    let (tree, problems) = parse_text(FileId(0), &text);
    // INVARIANT (own words): the draft is made of words of the language; show it as it is if it were not.
    Ok(if problems.is_empty() {
        format_file(&tree)
    } else {
        text
    })
}

/// More prefixes than this are everybody.
const MAX_PREFIXES: usize = 6;

/// Who of the Internet reaches a zone: services open to everybody, and those open to a few prefixes only.
fn callers(
    f: &Frame<'_>,
    zone: &str,
    on: &ServiceSet,
) -> Result<(ServiceSet, Vec<(String, ServiceSet)>), Diagnostic> {
    let found = who(f, &f.subject(zone)?, on)?.sources;
    let public = || found.iter().filter(|s| !s.prefixes.is_empty());
    let everybody = public()
        .filter(|s| s.prefixes.len() > MAX_PREFIXES)
        .fold(ServiceSet::empty(), |a, s| a.union(&s.services));
    let few = public()
        .filter(|s| s.prefixes.len() <= MAX_PREFIXES)
        .filter_map(|s| {
            let rest = s.services.subtract(&everybody);
            let list: Vec<String> = s.prefixes.iter().map(|p| format!("cidr {p}")).collect();
            let set = if list.len() == 1 {
                list.concat()
            } else {
                format!("{{{}}}", list.join(", "))
            };
            (!rest.is_empty()).then_some((set, rest))
        });
    Ok((everybody.clone(), few.collect()))
}

/// A name of the language out of any text.
fn ident(text: &str, taken: &BTreeSet<String>) -> String {
    let mut s: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' || c == '-' {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    s = s.trim_matches('-').to_string();
    if s.is_empty() || !s.starts_with(|c: char| c.is_ascii_alphabetic()) || KEYWORDS.contains(&s.as_str()) {
        s = format!("z-{s}").trim_end_matches('-').to_string();
    }
    let base = s.clone();
    let mut n = 2;
    while taken.contains(&s) {
        s = format!("{base}-{n}");
        n += 1;
    }
    s
}

fn quoted(s: &str) -> Option<String> {
    // What needs escapes, or would be a pattern, is no good name for a selector.
    let plain = !s.is_empty()
        && s.chars()
            .all(|c| !c.is_control() && !matches!(c, '"' | '\\' | '*' | '?'));
    plain.then(|| format!("\"{s}\""))
}

fn add(zones: &mut BTreeMap<String, String>, name: &str, selector: String) {
    if zones.values().any(|s| *s == selector) {
        return;
    }
    let taken: BTreeSet<String> = zones.keys().cloned().collect();
    zones.insert(ident(name, &taken), selector);
}

fn by_tag(inv: &Inventory) -> Option<BTreeMap<String, String>> {
    let t = &inv.typed;
    let value = |i: &bartizan_model::Interface, key: &str| -> Option<String> {
        let of = |m: &Meta| m.tags.known()?.get(key)?.known().map(ToString::to_string);
        of(&i.meta).or_else(|| i.instance.and_then(|n| of(&t[n].meta)))
    };
    for key in KEYS {
        let values: Option<BTreeSet<String>> = endpoints(inv).map(|i| value(&t[i], key)).collect();
        let Some(values) = values.filter(|v| (2..=MAX_ZONES).contains(&v.len())) else {
            continue;
        };
        let mut zones = BTreeMap::new();
        for v in &values {
            add(&mut zones, v, format!("tag {key}={}", quoted(v)?));
        }
        return Some(zones);
    }
    None
}

fn by_vswitch(inv: &Inventory) -> Option<BTreeMap<String, String>> {
    let t = &inv.typed;
    let mut zones = BTreeMap::new();
    for i in endpoints(inv) {
        let m = &t[*t[i].vswitch.known()?].meta;
        let name = match &m.name {
            Some(Fact::Known(n)) => n.to_string(),
            Some(Fact::Unknown(_)) => return None,
            None => last_name(&m.origin.address).to_string(),
        };
        add(&mut zones, &name, format!("vswitch {}", quoted(&name)?));
        if zones.len() > MAX_ZONES {
            return None;
        }
    }
    (zones.len() >= 2).then_some(zones)
}

/// What a resource is called, or what it is where its name says nothing.
fn telling(block: &str) -> String {
    let mut parts = block.rsplit('.');
    let name = parts.next().unwrap_or(block);
    let kind = parts.next().and_then(|k| k.strip_prefix("alicloud_"));
    match kind {
        Some(k) if matches!(name, "default" | "this" | "main" | "example") => k.replace('_', "-"),
        _ => name.to_string(),
    }
}

/// One zone per resource block: `count` and `for_each` instances together.
fn by_resource(inv: &Inventory) -> BTreeMap<String, String> {
    let t = &inv.typed;
    let mut zones = BTreeMap::new();
    for id in endpoints(inv) {
        // A selector by address also picks the interfaces of an instance, so they are in its zone.
        let address = match t[id].instance {
            Some(n) => t[n].meta.origin.address.to_string(),
            None => super::resource(inv, id),
        };
        // Instances of one `count` or `for_each` together; `[` is itself in a pattern.
        let block = address.split('[').next().unwrap_or(&address).to_string();
        let pattern = if address.contains('[') {
            format!("{block}[*")
        } else {
            block.clone()
        };
        add(
            &mut zones,
            &telling(&block),
            format!("tf \"{}\"", pattern.replace('"', "?")),
        );
    }
    zones
}
