//! Questions about one network: why, who, where from, how far.
//!
//! Every question names its ends in words ([`Frame::subject`]): zones of the intent if there is one, resources,
//! addresses, `internet`. Answers are about everything that may happen; what depends on a value that is not
//! known says so.

mod blast;
mod certificate;
mod change;
mod draft;
mod edits;
mod exposure;
mod failover;
mod map;
mod openings;
mod reach;
mod routes;
mod routes_hybrid;
mod routes_pairs;
mod routes_walk;
mod unblock;
mod who;
mod why;

pub use blast::{Blast, BlastStep, Exit, blast};
pub use certificate::certificate;
pub use change::Change;
pub use draft::draft;
pub use exposure::{Exposure, ExposurePlace, ExposureRow, Sure, exposure};
pub use failover::{Affected, Effect, Failover, Failure, failover};
pub use map::{MapFlow, MapJoin, MapKind, MapLane, MapNode, MapWord, Picture, map};
pub use openings::{Opening, Way as OpeningWay, opening_names};
pub use reach::{By, Entry, Group, Matrix, reach};
pub use routes::{EndKind, Overlap, RouteEnd, RouteRow, RouteState, Routes, TableRows, routes};
pub use routes_pairs::Uneven;
pub use who::{Source, Who, who};
pub use why::{Answer, Case, Claim, Step, Way, Why, why};

use crate::plan::Plan;
use crate::sets::Set;
use crate::world::World;
use bartizan_base::Diagnostic;
use bartizan_lang::{Date, Intent, glob_match, predefined_service};
use bartizan_model::{Fact, InterfaceId, Inventory, Meta, Readings};
use bartizan_packet::{IpSet, ServiceSet};
use bartizan_reach::Inside;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// An inventory with the names that an intent gives to its parts.
pub struct Frame<'a> {
    /// The inventory.
    pub inventory: &'a Inventory,
    /// The intent; an empty one where there is none.
    pub intent: &'a Intent,
    /// The intent, resolved.
    pub plan: Plan,
}

/// One end of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// As asked.
    pub name: String,
    /// What it stands for.
    pub set: Set,
}

impl<'a> Frame<'a> {
    /// Resolves the intent against the inventory as of a date.
    #[must_use]
    pub fn new(inventory: &'a Inventory, intent: &'a Intent, as_of: Date) -> Self {
        let (plan, _) = crate::plan_for(intent, inventory, as_of);
        Frame {
            inventory,
            intent,
            plan,
        }
    }

    /// The same under decisions about contested semantics.
    #[must_use]
    pub fn under(mut self, readings: &Readings) -> Self {
        self.plan.readings = readings.clone();
        self
    }

    /// What a text stands for: a zone, an env, `internet`, `everything`, `unzoned`, an address or prefix, or
    /// resources by Terraform address (with `*`), cloud id or display name.
    ///
    /// # Errors
    /// `INTENT002` when it is nothing of that; the help names what is near.
    pub fn subject(&self, text: &str) -> Result<Subject, Diagnostic> {
        let found = |set: Set| {
            Ok(Subject {
                name: text.to_string(),
                set,
            })
        };
        if let Some(z) = self.plan.zones.iter().find(|z| z.name == text) {
            return found(self.plan.sets[z.set].clone());
        }
        if let Some(e) = self.intent.find_env(text) {
            let name = self.intent.env_name(e);
            if let Some(i) = self
                .plan
                .set_names
                .iter()
                .position(|n| *n == format!("env {name}"))
            {
                return found(self.plan.sets[i].clone());
            }
        }
        match text {
            "internet" | "outside" => return found(Set::Outside),
            "everything" => return found(Set::Everything),
            "unzoned" => return found(self.plan.sets[self.plan.unzoned].clone()),
            _ => {}
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return found(Set::Ips(IpSet::single(ip)));
        }
        if let Ok(net) = text.parse::<ipnet::IpNet>() {
            return found(Set::Ips(IpSet::from(net.trunc())));
        }
        let interfaces = self.interfaces(text);
        if interfaces.is_empty() {
            Err(self.unknown(text))
        } else {
            found(Set::Interfaces(interfaces))
        }
    }

    /// The interfaces that a resource has, is or holds.
    fn interfaces(&self, text: &str) -> Vec<InterfaceId> {
        let t = &self.inventory.typed;
        let is = |m: &Meta| {
            let name = matches!(&m.name, Some(Fact::Known(n)) if **n == *text);
            glob_match(text, &m.origin.address) || m.id.as_deref() == Some(text) || name
        };
        let ids = (0..t.interfaces.len())
            .filter_map(|i| u32::try_from(i).ok())
            .map(InterfaceId);
        let all: Vec<InterfaceId> = ids.collect();
        let some = |f: &dyn Fn(InterfaceId) -> bool| -> Vec<InterfaceId> {
            all.iter().copied().filter(|&i| f(i)).collect()
        };
        // An endpoint of that name goes before a network of that name.
        let direct = some(&|i| is(&t[i].meta) || t[i].instance.is_some_and(|n| is(&t[n].meta)));
        if !direct.is_empty() {
            return direct;
        }
        some(&|i| {
            let f = &t[i];
            let vswitch = f.vswitch.known();
            let vpc = vswitch.and_then(|v| t[*v].vpc.known());
            vswitch.is_some_and(|v| is(&t[*v].meta))
                || vpc.is_some_and(|v| is(&t[*v].meta))
                || f.groups
                    .known()
                    .is_some_and(|g| g.iter().any(|g| is(&t[*g].meta)))
        })
    }

    fn unknown(&self, text: &str) -> Diagnostic {
        let t = &self.inventory.typed;
        let mut known: Vec<String> = self.plan.zones.iter().map(|z| z.name.clone()).collect();
        known.extend(["internet", "unzoned"].map(String::from));
        let mut seen = std::collections::BTreeSet::new();
        known.retain(|k| seen.insert(k.clone()));
        let zones = known.len();
        known.extend(t.interfaces.iter().map(|i| i.meta.origin.address.to_string()));
        known.extend(t.vswitches.iter().map(|i| i.meta.origin.address.to_string()));
        let d = Diagnostic::error(
            "INTENT002",
            format!("`{text}` is no zone, resource or address of this network"),
        );
        match nearest(text, &known) {
            Some(n) => d.help(format!("did you mean `{n}`?")),
            None => d.help(format!(
                "zones: {}; resources are named by Terraform address (`bartizan zones PATH` lists both)",
                known[..zones].join(", ")
            )),
        }
    }

    /// Services as written on the command line: literals, predefined names and those of the intent.
    ///
    /// # Errors
    /// `INTENT017` with the reason.
    pub fn services(&self, text: &str) -> Result<ServiceSet, Diagnostic> {
        let mut out = ServiceSet::empty();
        for part in text.split(',').map(str::trim) {
            let declared = self
                .intent
                .services
                .iter()
                .find(|s| s.name == part)
                .map(|s| s.set.clone());
            let one = match declared.or_else(|| predefined_service(part)) {
                Some(s) => s,
                None => part.parse().map_err(|e| {
                    Diagnostic::error("INTENT017", format!("`{part}` is not a service: {e}"))
                        .help("write `tcp/3306`, `udp/53`, `icmp`, `any`, or a service of the intent")
                })?,
            };
            out = out.union(&one);
        }
        Ok(out)
    }

    /// The engine over the sets of the intent and these; their positions follow those of the plan.
    #[must_use]
    pub fn world(&self, subjects: &[&Subject], services: &[ServiceSet]) -> World<'a> {
        let mut sets = self.plan.sets.clone();
        sets.extend(subjects.iter().map(|s| s.set.clone()));
        World::new(self.inventory, sets, services, &self.plan.readings)
    }

    /// An error when a subject has no endpoint at all.
    fn inhabited(&self, w: &World<'_>, set: usize, subject: &Subject) -> Result<Vec<u32>, Diagnostic> {
        let blocks = w.blocks_of(set);
        if blocks.is_empty() {
            return Err(Diagnostic::error(
                "INTENT009",
                format!("`{}` has no endpoint in this network", subject.name),
            )
            .help("an address must be one of an interface, or a public one of nobody here"));
        }
        Ok(blocks)
    }
}

/// Terraform address of an interface; with its address where the resource has several interfaces.
fn resource(inv: &Inventory, i: InterfaceId) -> String {
    inv.typed[i].meta.origin.address.to_string()
}

/// Cells by member: what the answer for one point says about others.
struct Cells {
    by: BTreeMap<Inside, usize>,
    members: Vec<Vec<Inside>>,
    blocks: Vec<u32>,
}

impl Cells {
    fn of(w: &World<'_>) -> Self {
        let mut c = Cells {
            by: BTreeMap::new(),
            members: Vec::new(),
            blocks: Vec::new(),
        };
        for b in 0..w.blocks() {
            for cell in w.may.cells_of(b) {
                let n = c.members.len();
                c.by.insert(cell.rep, n);
                for m in &cell.members {
                    c.by.insert(*m, n);
                }
                c.members.push(cell.members.clone());
                c.blocks.push(b);
            }
        }
        c
    }
}

/// Public addresses in words: by exception where that is shorter, and never twenty prefixes.
fn public_text(w: &World<'_>, set: &IpSet) -> String {
    let all = &w.network().outside;
    if set == all {
        return "every public address".to_string();
    }
    let v4 = |s: &IpSet| IpSet {
        v4: s.v4.clone(),
        ..IpSet::default()
    };
    let v6 = |s: &IpSet| IpSet {
        v6: s.v6.clone(),
        ..IpSet::default()
    };
    let parts = [
        family("IPv4", &v4(set), &v4(all)),
        family("IPv6", &v6(set), &v6(all)),
    ];
    parts
        .into_iter()
        .filter(|p| !p.is_empty())
        .collect::<Vec<_>>()
        .join("; ")
}

fn family(name: &str, set: &IpSet, all: &IpSet) -> String {
    let nets = |s: &IpSet| s.to_nets().iter().map(ToString::to_string).collect::<Vec<_>>();
    let every = format!("every public {name} address");
    if set.is_empty() {
        return String::new();
    }
    let (own, rest) = (nets(set), nets(&all.subtract(set)));
    match (own.len(), rest.len()) {
        (_, 0) => every,
        (n, m) if n <= 6 && n <= m + 2 => own.join(", "),
        (_, m) if m <= 6 => format!("{every} except {}", rest.join(", ")),
        (n, _) => format!(
            "{} and {} more prefixes",
            own[..4.min(n)].join(", "),
            n.saturating_sub(4)
        ),
    }
}

/// The candidate that a mistyped text most likely means: few edits, or the only one that contains it.
pub(crate) fn nearest<'n>(text: &str, candidates: &'n [String]) -> Option<&'n str> {
    let limit = match text.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        n => 3 + n / 12,
    };
    let best = candidates
        .iter()
        .map(|c| (distance(text, c), c))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d);
    if let Some((_, c)) = best {
        return Some(c);
    }
    let mut inside = candidates.iter().filter(|c| text.len() >= 2 && c.contains(text));
    match (inside.next(), inside.next()) {
        (Some(c), None) => Some(c),
        _ => None,
    }
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > 40 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut diagonal = i;
        for (j, y) in b.iter().enumerate() {
            let up = row[j + 1];
            let here = if x == *y {
                diagonal
            } else {
                1 + diagonal.min(up).min(left)
            };
            row[j] = left;
            diagonal = up;
            left = here;
        }
        if let Some(l) = row.last_mut() {
            *l = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (a, b, d) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("kitten", "sitting", 3),
            ("web", "wbe", 2),
        ] {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }

    #[test]
    fn a_mistyped_name_is_recognised() {
        let known = ["web", "bastion", "alicloud_instance.db"].map(String::from);
        assert_eq!(nearest("bastoin", &known), Some("bastion"));
        assert_eq!(nearest("wbe", &known), Some("web"));
        assert_eq!(nearest("instance.db", &known), Some("alicloud_instance.db"));
        assert_eq!(nearest("zzzzzz", &known), None);
    }
}
