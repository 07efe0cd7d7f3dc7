//! Arguments of modelled types that are not read, and why each of them need not be.
//!
//! An argument that nobody reads lets a claim hold wrongly if it opens or closes traffic. So every argument that the
//! provider takes for a type that the typed layer reads is in one of three places: the handler's [`TypeSpec`](super::TypeSpec), which
//! reads it; [`WATCHED`], which calls the resource not understood where it is set to anything that bears on packets;
//! or [`SILENT`], which says why it has no bearing. A test holds the three against the provider's arguments.
//!
//! A pattern is a type without `alicloud_` and the path of an argument, in both of which `*` stands for any text.

mod reasons;
mod watched;

use super::{Handler, handlers};
use bartizan_model::{Node, Resource, SourceKind, Value};
use reasons::SILENT;
use rustc_hash::FxHashMap;
use watched::{DOUBTED, WATCHED, Watched};

/// Where an argument of a type has its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument {
    /// The typed layer reads it.
    Read,
    /// The resource is not understood where it is set to something that bears on packets.
    Watched(&'static str),
    /// It has no bearing, for this reason.
    Silent(&'static str),
    /// Nobody said.
    Unknown,
}

/// What becomes of an argument of a modelled type; nested ones as `zone_mappings.zone_id`.
#[must_use]
pub fn argument(kind: &str, path: &str) -> Argument {
    let of = handlers().find(|h| h.spec.name == kind || h.aliases.contains(&kind));
    let Some(h) = of else { return Argument::Unknown };
    if h.spec.attributes.contains(&path) {
        return Argument::Read;
    }
    let kind = h.spec.name.trim_start_matches("alicloud_");
    let watched = WATCHED
        .iter()
        .find(|w| meets(w.kind, kind) && meets(w.argument, path));
    if let Some(w) = watched {
        return Argument::Watched(w.why);
    }
    for (why, patterns) in SILENT {
        for p in patterns.split(", ") {
            let (k, a) = p.split_once(' ').unwrap_or((p, ""));
            if meets(k, kind) && meets(a, path) && (k != "*" || careful(a, path, why)) {
                return Argument::Silent(why);
            }
        }
    }
    Argument::Unknown
}

/// Every pattern of both tables, for the test that none is left over.
#[must_use]
pub fn argument_patterns() -> Vec<(&'static str, &'static str)> {
    let silent = SILENT.iter().flat_map(|(_, all)| all.split(", "));
    let watched = WATCHED.iter().map(|w| (w.kind, w.argument));
    silent.filter_map(|p| p.split_once(' ')).chain(watched).collect()
}

/// Whether a pattern meets an argument of a type, given without `alicloud_`.
#[must_use]
pub fn argument_meets(pattern: (&str, &str), kind: &str, path: &str) -> bool {
    meets(pattern.0, kind) && meets(pattern.1, path)
}

/// Words that speak of traffic: a pattern for every type does not reach an argument that has one, unless it has the
/// same word itself or is about names.
const TRAFFIC: [&str; 24] = [
    "acl",
    "address",
    "addresses",
    "cidr",
    "direction",
    "eip",
    "group",
    "groups",
    "internet",
    "ip",
    "ips",
    "ipv4",
    "ipv6",
    "list",
    "lists",
    "network",
    "peer",
    "port",
    "ports",
    "public",
    "route",
    "routes",
    "vswitch",
    "white",
];

fn careful(pattern: &str, path: &str, why: &str) -> bool {
    if pattern.contains('.') || why == SILENT.first().map_or("", |(w, _)| w) {
        return true;
    }
    let said: Vec<&str> = pattern.split(['_', '*', ' ']).collect();
    let leaf = path.rsplit('.').next().unwrap_or(path);
    leaf.split('_')
        .all(|w| !TRAFFIC.contains(&w) || said.contains(&w))
}

/// Whether a text is what a pattern says, in which `*` stands for any text.
fn meets(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|t| {
            t.char_indices()
                .map(|(i, _)| i)
                .chain([t.len()])
                .any(|i| t.get(i..).is_some_and(|t| meets(rest, t)))
        }),
    }
}

/// Whether [`doubt`] may say something of resources of a type.
pub(super) fn may_be_doubted(h: &'static Handler) -> bool {
    let kind = h.spec.name.trim_start_matches("alicloud_");
    let mut all = DOUBTED.iter().chain(WATCHED.iter().filter(|w| w.doubt));
    all.any(|w| meets(w.kind, kind))
}

/// Whether a resource of a type may not do what is read of it, and why: then nothing is certain by way of it.
pub(super) fn doubt(h: &'static Handler, r: &Resource, source: SourceKind) -> Option<&'static str> {
    let kind = h.spec.name.trim_start_matches("alicloud_");
    let mut all = DOUBTED.iter().chain(WATCHED.iter().filter(|w| w.doubt));
    let bad = all.find(|w| {
        meets(w.kind, kind)
            && r.attributes
                .iter()
                .any(|(name, n)| bears(w, name, n, w.argument, source))
    });
    bad.map(|w| w.why)
}

/// Says of resources that are read why they are not understood all the same. Types and their arguments recur, so
/// what is found out about one is kept.
#[derive(Default)]
pub(super) struct Notices {
    kinds: FxHashMap<&'static str, Notice>,
}

#[derive(Default)]
struct Notice {
    watched: Vec<&'static Watched>,
    known: FxHashMap<String, bool>,
}

impl Notices {
    /// An argument that is watched has another value than the harmless ones, or one is written that nobody has a place
    /// for: of a later version of the provider.
    pub(super) fn of(&mut self, h: &'static Handler, r: &Resource, source: SourceKind) -> Option<String> {
        let name = h.spec.name;
        let notice = self.kinds.entry(name).or_insert_with(|| {
            let kind = name.trim_start_matches("alicloud_");
            let mine = WATCHED.iter().filter(|w| meets(w.kind, kind));
            Notice {
                // What a handler reads it judges itself.
                watched: mine
                    .filter(|w| !h.spec.attributes.contains(&w.argument))
                    .collect(),
                known: FxHashMap::default(),
            }
        });
        let bad = notice.watched.iter().find(|w| {
            let mut all = r.attributes.iter();
            all.any(|(name, n)| bears(w, name, n, w.argument, source))
        });
        if let Some(w) = bad {
            return Some(w.why.to_string());
        }
        // A plan and a state list everything that the cloud says back as well.
        if source != SourceKind::Directory {
            return None;
        }
        let mut all = r.attributes.iter();
        let what = all.find_map(|(k, n)| notice.strange(name, k, n))?;
        Some(format!("`{what}` is not an argument that this version knows"))
    }
}

impl Notice {
    fn strange(&mut self, kind: &str, path: &str, n: &Node) -> Option<String> {
        let known = match self.known.get(path) {
            Some(k) => *k,
            None => {
                let k = argument(kind, path) != Argument::Unknown;
                self.known.insert(path.to_string(), k);
                k
            }
        };
        if known {
            return None;
        }
        match &n.value {
            Value::Map(m) => m
                .iter()
                .find_map(|(k, n)| self.strange(kind, &format!("{path}.{k}"), n)),
            Value::List(all)
                if all
                    .iter()
                    .all(|n| matches!(n.value, Value::Map(_) | Value::List(_))) =>
            {
                all.iter().find_map(|n| self.strange(kind, path, n))
            }
            Value::Null => None,
            _ => Some(path.to_string()),
        }
    }
}

/// Whether something under a name is what is watched and not harmless.
fn bears(w: &Watched, name: &str, n: &Node, pattern: &str, source: SourceKind) -> bool {
    let Some((head, rest)) = pattern.split_once('.') else {
        return meets(pattern, name) && set(w, n, source);
    };
    if head != name {
        return false;
    }
    match &n.value {
        Value::List(all) => all.iter().any(|n| bears(w, name, n, pattern, source)),
        Value::Map(m) => m.iter().any(|(k, n)| bears(w, k, n, rest, source)),
        Value::Unknown(_) => set(w, n, source),
        _ => false,
    }
}

fn set(w: &Watched, n: &Node, source: SourceKind) -> bool {
    match &n.value {
        Value::Null => false,
        Value::String(s) if s.is_empty() => false,
        Value::String(s) | Value::Number(s) => !w.harmless.iter().any(|h| h.eq_ignore_ascii_case(s)),
        Value::Bool(b) => !w.harmless.contains(&if *b { "true" } else { "false" }),
        Value::List(all) => all.iter().any(|n| set(w, n, source)),
        Value::Map(m) => m.values().any(|n| set(w, n, source)),
        Value::Unknown(_) => !(w.filled && source == SourceKind::Plan),
        Value::Ref(_) => true,
    }
}
