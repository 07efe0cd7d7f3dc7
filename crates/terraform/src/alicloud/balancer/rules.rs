//! Which requests rules of ALB listeners take, and what they leave to those that come after them (docs/decisions/011,
//! item 19).

use super::super::attrs::{Attrs, Blocks};
use super::super::linker::Linker;
use bartizan_model::{Fact, Node, Origin, Unknown, Value};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A rule of an ALB listener.
#[derive(Clone)]
pub(super) struct Rule {
    pub(super) origin: Origin,
    /// The smaller, the earlier.
    pub(super) priority: Fact<u32>,
    /// All of them have to be met.
    pub(super) asks: Vec<Condition>,
}

/// What a rule asks of a request.
#[derive(Clone)]
pub(super) enum Condition {
    /// One of some hosts, paths or the like, which a client can write as it likes (decision 11).
    Content(Kind, BTreeSet<Arc<str>>),
    /// Some content, not known which.
    Some(Kind),
    /// Where it comes from, so that the rule is not for everybody; or what is not known.
    Source(Unknown),
}

/// What a condition looks at.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Host,
    Path,
    /// Something else, by its type and what it names.
    Other(Arc<str>),
}

/// How many combinations of the values of one rule are looked at.
const MANY: usize = 256;

/// The conditions of a rule.
pub(super) fn asks(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Vec<Condition> {
    let all = match a.blocks("rule_conditions") {
        Blocks::Absent => return Vec::new(),
        Blocks::Unknown(u) => {
            l.unknown(i, "rule_conditions", &u);
            return vec![Condition::Source(u)];
        }
        Blocks::List(all) => all,
    };
    all.iter().map(|b| condition(l, b)).collect()
}

fn condition(l: &mut Linker<'_>, b: &Attrs<'_>) -> Condition {
    let kind = match b.get("type").map(|n| (l.text(n), n.span)) {
        Some((Fact::Known(t), span)) => match &*t.to_ascii_lowercase() {
            "sourceip" => {
                return Condition::Source(Unknown::at("the rule is for some clients only", span));
            }
            "host" => Kind::Host,
            "path" => Kind::Path,
            other => Kind::Other(other.into()),
        },
        Some((Fact::Unknown(u), _)) => return Condition::Source(u),
        None => return Condition::Source(Unknown::at("no type of condition is set", b.span)),
    };
    values(l, b, kind)
}

/// What a condition of a kind accepts: its `values`; what else it says belongs to the kind, such as the name of a header.
fn values(l: &mut Linker<'_>, b: &Attrs<'_>, mut kind: Kind) -> Condition {
    let mut values = BTreeSet::new();
    let mut open = false;
    let configs = b.whole().iter().filter(|(k, _)| &***k != "type");
    for n in configs.flat_map(|(_, n)| super::each(n)) {
        let Value::Map(m) = &n.value else {
            open |= n.value != Value::Null;
            continue;
        };
        for (k, n) in m {
            let whole = |l: &mut Linker<'_>, n: &Node| match &n.value {
                // A name and a value, as of cookies.
                Value::Map(m) => m.iter().try_fold(String::new(), |s, (k, n)| match l.text(n) {
                    Fact::Known(t) => Some(format!("{s}{k}={t}\n")),
                    Fact::Unknown(_) => None,
                }),
                _ => l.text(n).known().map(ToString::to_string),
            };
            if &**k == "values" {
                for n in super::each(n) {
                    let said = whole(l, n);
                    open |= said.is_none();
                    values.extend(said.map(|s| match kind {
                        Kind::Host => s.to_ascii_lowercase().into(),
                        _ => s.into(),
                    }));
                }
            } else if let (Kind::Other(name), false) = (&kind, n.value == Value::Null) {
                match whole(l, n) {
                    Some(s) => kind = Kind::Other(format!("{name} {k}={s}").into()),
                    None => return Condition::Source(Unknown::at("what the rule asks is not known", n.span)),
                }
            }
        }
    }
    if open || values.is_empty() {
        Condition::Some(kind)
    } else {
        Condition::Content(kind, values)
    }
}

/// Why a rule is not for everybody, if it is not.
pub(super) fn for_some(asks: &[Condition]) -> Option<&Unknown> {
    asks.iter().find_map(|c| match c {
        Condition::Source(u) => Some(u),
        Condition::Content(..) | Condition::Some(_) => None,
    })
}

/// A rule that may leave nothing to what a listener hands on to by `address`, and whether it takes every request: a
/// rule, or the listener itself, which comes after all of them.
pub(super) fn left_nothing<'p>(rules: &'p [Rule], address: &str) -> Option<(&'p Rule, bool)> {
    let own = rules.iter().find(|r| &*r.origin.address == address);
    let earlier = |r: &&Rule| match (&r.priority, own.map(|o| &o.priority)) {
        (Fact::Known(a), Some(Fact::Known(b))) => a <= b,
        _ => true,
    };
    let others = rules.iter().filter(|r| &*r.origin.address != address);
    let earlier: Vec<&Rule> = others.filter(earlier).collect();
    let asks = own.map_or(&[][..], |o| &o.asks);
    // Each combination of values is a kind of request; one that no rule takes before is enough.
    let mut last = None;
    for request in combinations(asks) {
        match earlier.iter().find(|r| r.asks.iter().all(|c| met(c, &request))) {
            Some(r) => last = Some((*r, r.asks.iter().all(|c| met(c, &[])))),
            None => return None,
        }
    }
    last
}

/// One value of each condition; what is not known is `None`.
type Request<'c> = Vec<(Option<&'c Kind>, Option<&'c str>)>;

fn combinations(asks: &[Condition]) -> Vec<Request<'_>> {
    let mut all: Vec<Request<'_>> = vec![Vec::new()];
    for c in asks {
        let choices: Request<'_> = match c {
            Condition::Content(k, values) => values.iter().map(|v| (Some(k), Some(&**v))).collect(),
            Condition::Some(k) => vec![(Some(k), None)],
            Condition::Source(_) => vec![(None, None)],
        };
        let longer = all
            .iter()
            .flat_map(|r| choices.iter().map(|c| [r.as_slice(), &[*c]].concat()));
        all = longer.take(MANY).collect();
    }
    all
}

/// Whether every request of some kind may meet a condition.
fn met(c: &Condition, request: &[(Option<&Kind>, Option<&str>)]) -> bool {
    match c {
        // Who sends it may be one of those that are meant.
        Condition::Source(_) | Condition::Some(_) => true,
        Condition::Content(kind, values) => {
            values.iter().any(|v| everything(kind, v))
                || request.iter().any(|(k, w)| match (k, w) {
                    (None, _) => true,
                    (Some(k), _) if *k != kind => false,
                    (Some(_), None) => true,
                    (Some(_), Some(w)) => values.iter().any(|v| covers(kind, v, w)),
                })
        }
    }
}

/// Whether a value meets everything.
fn everything(kind: &Kind, v: &str) -> bool {
    match kind {
        Kind::Host => v == "*",
        Kind::Path => v == "/*",
        Kind::Other(_) => false,
    }
}

/// Whether what a pattern `w` means is all meant by `v`. Regular expressions (`~`) are equal or not.
fn covers(kind: &Kind, v: &str, w: &str) -> bool {
    let plain = |s: &str| !s.starts_with('~') && !matches!(kind, Kind::Other(_));
    v == w || plain(v) && plain(w) && glob(v.as_bytes(), w.as_bytes())
}

/// `*` stands for any text and `?` for one character; those of the text are characters like others, but that `?` is
/// not for `*`.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                back = Some((p + 1, t));
                p += 1;
            }
            Some(b'?') if text[t] != b'*' => (p, t) = (p + 1, t + 1),
            Some(c) if *c == text[t] => (p, t) = (p + 1, t + 1),
            _ => match back {
                Some((after, from)) => {
                    back = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}
