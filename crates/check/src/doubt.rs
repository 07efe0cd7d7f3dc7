//! Whether it is certain who is in a selection: a tag, a name or a place that is not known may put an endpoint in
//! a zone or keep it out, and then no claim about the zone is proved.

use crate::adapt::{Resolver, named};
use bartizan_lang::{LinkKind, ResourceKind, Selector, SelectorKind, glob_match};
use bartizan_model::{Fact, Interface, InterfaceId, Meta, Typed};

/// Whether one interface is selected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    Yes,
    No,
    /// Its addresses decide, and they are told apart exactly.
    ByAddress,
    Unknown,
}

/// Interfaces of which something is not known, by what it is: for all others it is certain whether they are selected.
/// Nearly all are certain, and zones times interfaces is more than one wants to look through.
#[derive(Default)]
pub(crate) struct Shaky([Vec<InterfaceId>; 4]);

/// What decides who is selected: tags, names and addresses of an interface or its instance; its place; its groups; what
/// answers at it.
const WHO: usize = 0;
const PLACE: usize = 1;
const GROUPS: usize = 2;
const SERVED: usize = 3;

impl Shaky {
    pub(crate) fn of(t: &Typed) -> Self {
        let mut out = Shaky::default();
        let nameless = |m: &Meta| matches!(m.name, Some(Fact::Unknown(_)));
        let shaky = |m: &Meta| {
            let tags = m.tags.known();
            nameless(m)
                || m.origin.address.contains(ANY_KEY)
                || tags.is_none_or(|t| t.values().any(|v| v.known().is_none()))
        };
        for (n, i) in (0u32..).map(InterfaceId).zip(&t.interfaces) {
            if shaky(&i.meta) || i.instance.is_some_and(|x| shaky(&t[x].meta)) {
                out.0[WHO].push(n);
            }
            let place = i.vswitch.known().and_then(|v| Some((v, t[*v].vpc.known()?)));
            if place.is_none_or(|(v, vpc)| nameless(&t[*v].meta) || nameless(&t[*vpc].meta)) {
                out.0[PLACE].push(n);
            }
            let groups = i.groups.known().filter(|_| i.foreign_groups.is_empty());
            if groups.is_none_or(|g| g.iter().any(|g| nameless(&t[*g].meta))) {
                out.0[GROUPS].push(n);
            }
        }
        let services = t.data_services.iter().filter(|d| nameless(&d.meta));
        out.0[SERVED].extend(services.map(|d| d.interface));
        let balancers = t.balancers.iter().filter(|b| nameless(&b.meta));
        out.0[SERVED].extend(balancers.flat_map(|b| &b.fronts));
        out
    }

    /// The interfaces of which it may not be certain whether they are selected, sorted.
    fn for_selector(&self, r: &Resolver<'_>, s: &Selector) -> Vec<InterfaceId> {
        let mut counts = [false; 4];
        decides(r, s, &mut counts);
        let lists = self.0.iter().zip(counts).filter(|(_, c)| *c);
        let mut out: Vec<InterfaceId> = lists.flat_map(|(l, _)| l).copied().collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// What of [`Shaky`] a selector asks for.
fn decides(r: &Resolver<'_>, s: &Selector, out: &mut [bool; 4]) {
    match &s.kind {
        SelectorKind::Everything
        | SelectorKind::Outside
        | SelectorKind::Cidr(_)
        | SelectorKind::Via { .. } => {}
        SelectorKind::Tag { .. } | SelectorKind::Name(_) | SelectorKind::Tf(_) => out[WHO] = true,
        SelectorKind::In(e) => {
            if let Some(e) = r.intent.envs.get(e.index()) {
                decides(r, &e.selector, out);
            }
        }
        SelectorKind::Resource { of, .. } => {
            let at = match of {
                ResourceKind::Ecs | ResourceKind::Eni => WHO,
                ResourceKind::Vswitch | ResourceKind::Vpc => PLACE,
                ResourceKind::Sg => GROUPS,
                ResourceKind::Rds
                | ResourceKind::Redis
                | ResourceKind::Managed
                | ResourceKind::Lb
                | ResourceKind::Endpoint => SERVED,
            };
            out[at] = true;
        }
        SelectorKind::All(v) | SelectorKind::AnyOf(v) => v.iter().for_each(|s| decides(r, s, out)),
        SelectorKind::Except(a, v) => {
            decides(r, a, out);
            v.iter().for_each(|s| decides(r, s, out));
        }
    }
}

/// Why it is not certain who is selected; `what` names the selection.
pub(crate) fn of(r: &Resolver<'_>, s: &Selector, what: &str) -> Option<String> {
    let doubtful = &r.t[*interfaces(r, s).first()?];
    let address = &doubtful.meta.origin.address;
    let why = match address.contains(ANY_KEY) {
        true => "a tag, a name, the place or the key (`count`, `for_each`) that decides it is unknown",
        false => "a tag, a name or the place that decides it is unknown",
    };
    Some(format!("whether `{address}` is in {what} is not known: {why}"))
}

/// The key of a resource of which it is not known how many there are, in its address.
const ANY_KEY: &str = "[?]";

/// Whether an address is one that a pattern means. One address stands for all of a number that is not known, whatever
/// their keys.
fn addressed(glob: &str, address: &str) -> Is {
    if !address.contains(ANY_KEY) {
        return yes(glob_match(glob, address));
    }
    // No pattern names this character, so only wildcards can stand for a key made of it.
    let keyed = |n: usize| address.replace(ANY_KEY, &format!("[{}]", "\u{1}".repeat(n)));
    if glob_match(glob, &keyed(1)) && glob_match(glob, &keyed(7)) {
        return Is::Yes;
    }
    match keyed_anyhow(address).iter().any(|a| meet(glob, a)) {
        true => Is::Unknown,
        false => Is::No,
    }
}

/// In a pattern for [`meet`], a number.
const NUMBER: char = '\u{2}';

/// Patterns of the addresses that an address without keys may stand for: a key is a number or a text in quotes.
fn keyed_anyhow(address: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    for (n, part) in address.split(ANY_KEY).enumerate() {
        let before: Vec<String> = match n {
            0 => vec![String::new()],
            // Deeper nesting than anybody writes is not told apart.
            1..=6 => vec![format!("[{NUMBER}]"), "[\"*\"]".to_string()],
            _ => vec!["[*]".to_string()],
        };
        all = all
            .iter()
            .flat_map(|a| before.iter().map(move |b| format!("{a}{b}{part}")))
            .collect();
    }
    all
}

/// Whether some text matches two patterns, of which the second has no `?`.
fn meet(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Row by row: whether the rest of `a` from here and the rest of `b` from there have a text in common.
    let mut below = vec![false; b.len() + 1];
    for i in (0..=a.len()).rev() {
        let mut row = vec![false; b.len() + 1];
        for j in (0..=b.len()).rev() {
            let right = j < b.len() && row[j + 1];
            let down = i < a.len() && below[j];
            row[j] = match (a.get(i), b.get(j)) {
                (None, None) => true,
                (Some('*'), _) | (_, Some('*')) => right || down,
                (Some(x), Some(&NUMBER)) => right || down && (*x == '?' || x.is_ascii_digit()),
                (None, Some(&NUMBER)) => right,
                (Some(x), Some(y)) => (*x == '?' || x == y) && below[j + 1],
                _ => false,
            };
        }
        below = row;
    }
    below[0]
}

/// Why it is not certain what a pattern of addresses names, of what a way may cross.
pub(crate) fn addresses(r: &Resolver<'_>, glob: &str) -> Option<String> {
    let t = r.t;
    let all = t.nat_gateways.iter().map(|x| &x.meta);
    let all = all.chain(t.firewalls.iter().map(|x| &x.meta));
    let mut all = all.chain(t.interfaces.iter().flat_map(|i| r.metas(i)));
    let unknown = all.find(|m| addressed(glob, &m.origin.address) == Is::Unknown)?;
    Some(format!(
        "whether `{}` is the waypoint is not known: the key (`count`, `for_each`) that decides it is unknown",
        unknown.origin.address
    ))
}

/// The interfaces of which it is not certain whether they are selected.
pub(crate) fn interfaces(r: &Resolver<'_>, s: &Selector) -> Vec<InterfaceId> {
    let mut all = r.shaky.for_selector(r, s);
    all.retain(|i| is(r, s, &r.t[*i]) == Is::Unknown);
    all
}

fn unnamed<'m>(mut all: impl Iterator<Item = &'m Meta>) -> Option<String> {
    let unknown = all.find(|m| matches!(m.name, Some(Fact::Unknown(_))))?;
    Some(format!(
        "the name of `{}` is not known, so it may be the waypoint",
        unknown.origin.address
    ))
}

/// Why it is not certain which NAT gateways have a name.
pub(crate) fn nats(r: &Resolver<'_>) -> Option<String> {
    unnamed(r.t.nat_gateways.iter().map(|n| &n.meta))
}

/// Why it is not certain which firewalls have a name.
pub(crate) fn firewalls(r: &Resolver<'_>) -> Option<String> {
    unnamed(r.t.firewalls.iter().map(|f| &f.meta))
}

/// Why it is not certain which of the things that a way may cross have a name: NAT gateways, balancers, endpoints of
/// gateway load balancers, and interfaces that may forward.
pub(crate) fn names(r: &Resolver<'_>) -> Option<String> {
    let t = r.t;
    let forward = |i: &&Interface| i.source_dest_check.known() != Some(&Some(true));
    let balancers = unnamed(t.balancers.iter().map(|b| &b.meta));
    nats(r)
        .or(balancers)
        .or_else(|| unnamed(t.inspectors.iter().map(|x| &x.meta)))
        .or_else(|| unnamed(t.interfaces.iter().filter(forward).flat_map(|i| r.metas(i))))
}

fn yes(b: bool) -> Is {
    if b { Is::Yes } else { Is::No }
}

fn any(all: impl Iterator<Item = Is>) -> Is {
    let mut out = Is::No;
    for i in all {
        match (i, out) {
            (Is::Yes, _) => return Is::Yes,
            (Is::Unknown, _) => out = Is::Unknown,
            (Is::ByAddress, Is::No) => out = Is::ByAddress,
            _ => {}
        }
    }
    out
}

fn both(a: Is, b: Is) -> Is {
    match (a, b) {
        (Is::No, _) | (_, Is::No) => Is::No,
        (Is::Unknown, _) | (_, Is::Unknown) => Is::Unknown,
        (Is::ByAddress, _) | (_, Is::ByAddress) => Is::ByAddress,
        (Is::Yes, Is::Yes) => Is::Yes,
    }
}

fn not(a: Is) -> Is {
    match a {
        Is::Yes => Is::No,
        Is::No => Is::Yes,
        a => a,
    }
}

/// Whether it stands for whichever it is: nothing is known of it, and it may not be one of its own.
fn anybody(m: &Meta) -> bool {
    let nameless = matches!(m.name, Some(Fact::Unknown(_))) && matches!(m.tags, Fact::Unknown(_));
    nameless && m.origin.maybe.is_some()
}

fn name(m: &Meta, glob: &str) -> Is {
    match &m.name {
        Some(Fact::Unknown(_)) => Is::Unknown,
        _ => yes(named(m, glob)),
    }
}

fn is(r: &Resolver<'_>, s: &Selector, i: &Interface) -> Is {
    match &s.kind {
        SelectorKind::Everything => Is::Yes,
        SelectorKind::Via { link, name } => via(r, *link, name, i),
        SelectorKind::Outside => Is::No,
        SelectorKind::Cidr(_) => Is::ByAddress,
        SelectorKind::Tag { key, value } => any(r.metas(i).map(|m| match &m.tags {
            Fact::Unknown(_) => Is::Unknown,
            Fact::Known(t) => match t.get(key.as_str()) {
                None => Is::No,
                Some(Fact::Known(v)) => yes(glob_match(value, v)),
                Some(Fact::Unknown(_)) => Is::Unknown,
            },
        })),
        SelectorKind::Name(g) => any(r.metas(i).map(|m| name(m, g))),
        SelectorKind::Tf(g) => any(r.metas(i).map(|m| match addressed(g, &m.origin.address) {
            Is::No if anybody(m) => Is::Unknown,
            is => is,
        })),
        SelectorKind::In(e) => match r.intent.envs.get(e.index()) {
            Some(e) => is(r, &e.selector, i),
            None => Is::No,
        },
        SelectorKind::Resource { of, glob } => resource(r, *of, glob.as_deref().unwrap_or("*"), i),
        SelectorKind::All(v) => v.iter().map(|s| is(r, s, i)).fold(Is::Yes, both),
        SelectorKind::AnyOf(v) => any(v.iter().map(|s| is(r, s, i))),
        SelectorKind::Except(a, v) => both(is(r, a, i), not(any(v.iter().map(|s| is(r, s, i))))),
    }
}

fn via(r: &Resolver<'_>, link: LinkKind, name: &str, i: &Interface) -> Is {
    let (sites, networks) = crate::links::behind(r.intent, r.t, link, name);
    let here = |s: &bartizan_model::SiteId| std::ptr::eq(&r.t[r.t[*s].interface], i);
    match (sites.is_empty(), sites.iter().any(here)) {
        (true, _) => Is::Yes,
        (false, true) if networks.is_some() => Is::ByAddress,
        (false, at) => yes(at),
    }
}

fn resource(r: &Resolver<'_>, of: ResourceKind, glob: &str, i: &Interface) -> Is {
    let t = r.t;
    match of {
        ResourceKind::Ecs => i.instance.map_or(Is::No, |n| name(&t[n].meta, glob)),
        ResourceKind::Eni => name(&i.meta, glob),
        ResourceKind::Vswitch => i.vswitch.known().map_or(Is::Unknown, |v| name(&t[*v].meta, glob)),
        ResourceKind::Vpc => match i.vswitch.known().map(|v| t[*v].vpc.known()) {
            Some(Some(v)) => name(&t[*v].meta, glob),
            _ => Is::Unknown,
        },
        ResourceKind::Sg => match (&i.groups, i.foreign_groups.is_empty()) {
            (Fact::Unknown(_), _) => Is::Unknown,
            (Fact::Known(g), whole) => match any(g.iter().map(|g| name(&t[*g].meta, glob))) {
                Is::No if !whole => Is::Unknown,
                x => x,
            },
        },
        ResourceKind::Rds | ResourceKind::Redis | ResourceKind::Managed => {
            any(r.services(of, i).map(|d| name(&d.meta, glob)))
        }
        ResourceKind::Lb | ResourceKind::Endpoint => any(r.balancers(of, i).map(|b| name(&b.meta, glob))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_known_has_any_key() {
        let web = "module.m.alicloud_instance.web[?]";
        let said = |glob: &str| match addressed(glob, web) {
            Is::Yes => "yes",
            Is::No => "no",
            Is::Unknown | Is::ByAddress => "unknown",
        };
        for all in [
            "*",
            web.replace('?', "*").as_str(),
            "module.m.*",
            "*.web*",
            "*web[*",
        ] {
            assert_eq!(said(all), "yes", "{all}");
        }
        let some = [
            "module.m.alicloud_instance.web[0]",
            "module.m.alicloud_instance.web[\"a\"]",
            "module.m.alicloud_instance.web[?]",
            "module.m.alicloud_instance.web[1*]",
            "*[0]",
            "*.web[??]",
            "*.web[*\"]",
        ];
        for some in some {
            assert_eq!(said(some), "unknown", "{some}");
        }
        for none in [
            "module.m.alicloud_instance.web",
            "*.web",
            "*.app[0]",
            "module.n.*",
            "*[0].x",
        ] {
            assert_eq!(said(none), "no", "{none}");
        }
    }

    #[test]
    fn patterns_meet_where_a_text_matches_both() {
        let all = [
            ("a*", "*b", true),
            ("a*c", "*b", false),
            ("?b", "a*", true),
            ("", "*", true),
            ("", "a", false),
            ("a[0]", "a[*]", true),
            ("a[0]x", "a[*]", false),
            ("*a*b*", "*b*a*", true),
        ];
        for (a, b, want) in all {
            assert_eq!(meet(a, b), want, "{a} {b}");
        }
    }
}
