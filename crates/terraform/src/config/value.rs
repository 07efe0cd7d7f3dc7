//! Values while they are being computed.

use bartizan_base::Span;
use bartizan_model::{Node, Reference, Unknown, Value};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// A resource instance as a value: its attributes are looked up when asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Instance {
    /// Index of the module instance.
    pub(crate) module: usize,
    /// Index of the declaration in the module's configuration.
    pub(crate) decl: usize,
    /// Its key.
    pub(crate) key: Key,
}

/// The key of an instance of a resource or module.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Neither `count` nor `for_each`.
    None,
    /// `count`.
    Index(usize),
    /// `for_each`.
    Name(Arc<str>),
    /// Not known how many there are.
    Any,
}

impl Key {
    /// The suffix in an address, as Terraform writes it.
    pub(crate) fn suffix(&self) -> String {
        match self {
            Key::None => String::new(),
            Key::Index(i) => format!("[{i}]"),
            Key::Name(n) => format!("[{}]", quote(n)),
            Key::Any => "[?]".to_string(),
        }
    }
}

/// A string as HCL writes it.
pub(crate) fn quote(s: &str) -> String {
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A value. Objects and maps, and tuples and lists, are not told apart: conversions between them are
/// implicit everywhere in Terraform that matters here. Sets are, because they are sorted and unique.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum V {
    Null,
    Bool(bool),
    Num(f64),
    Str(Arc<str>),
    List(Rc<Vec<V>>),
    /// Sorted, without duplicates.
    Set(Rc<Vec<V>>),
    Map(Rc<BTreeMap<Arc<str>, V>>),
    /// An attribute of a resource that is not known before it exists.
    Ref(Reference),
    Instance(Instance),
    Unknown(Unknown),
}

/// The shortest decimal form, as Terraform prints numbers.
pub(crate) fn number(n: f64) -> String {
    if n == 0.0 {
        return "0".to_string();
    }
    if n.fract() == 0.0 && n.abs() < 1e21 {
        format!("{n:.0}")
    } else {
        format!("{n}")
    }
}

impl V {
    pub(crate) fn str(s: impl Into<Arc<str>>) -> V {
        V::Str(s.into())
    }
    pub(crate) fn list(v: Vec<V>) -> V {
        V::List(Rc::new(v))
    }
    pub(crate) fn map(m: BTreeMap<Arc<str>, V>) -> V {
        V::Map(Rc::new(m))
    }
    /// A set: sorted and unique. Two members that are not known stay two, even if the same is said of both.
    pub(crate) fn set(mut v: Vec<V>) -> V {
        v.sort_by(order);
        v.dedup_by(|a, b| a == b && !a.holds_unknown());
        V::Set(Rc::new(v))
    }
    /// Whether a part is unknown and not an attribute of something.
    pub(crate) fn holds_unknown(&self) -> bool {
        match self {
            V::List(v) | V::Set(v) => v.iter().any(V::holds_unknown),
            V::Map(m) => m.values().any(V::holds_unknown),
            v => matches!(v, V::Unknown(_)),
        }
    }
    /// Why the order of a set, and how many members it has, is not certain: some are unknown. The members that are listed
    /// may be the same.
    pub(crate) fn unsorted(&self) -> Option<Unknown> {
        match self {
            V::Set(v) if v.len() > 1 => v.iter().find_map(V::deep_unknown),
            _ => None,
        }
    }
    pub(crate) fn unknown(why: impl Into<Arc<str>>) -> V {
        V::Unknown(Unknown::new(why))
    }
    /// Why the value as a whole is not known; references count as unknown.
    pub(crate) fn why_unknown(&self) -> Option<Unknown> {
        match self {
            V::Unknown(u) => Some(u.clone()),
            V::Ref(r) => Some(Unknown::new(format!(
                "{}.{} is known only after apply",
                r.address, r.attribute
            ))),
            _ => None,
        }
    }
    /// As [`V::why_unknown`], looking inside collections.
    pub(crate) fn deep_unknown(&self) -> Option<Unknown> {
        match self {
            V::List(v) | V::Set(v) => v.iter().find_map(V::deep_unknown),
            V::Map(m) => m.values().find_map(V::deep_unknown),
            V::Instance(_) => Some(Unknown::new("a resource as a whole is known only after apply")),
            v => v.why_unknown(),
        }
    }
    /// How large a value is: its parts, and its texts in pieces of 16 bytes; no more than `most` is counted. Parts are
    /// shared, so this may be very much more than what is in memory.
    pub(crate) fn weight(&self, most: usize) -> usize {
        let mut left = most;
        self.weigh(&mut left);
        most - left
    }
    /// Takes the weight of a value from what is left; whether anything is left then.
    pub(crate) fn fits(&self, left: &mut usize) -> bool {
        self.weigh(left);
        *left > 0
    }
    fn weigh(&self, left: &mut usize) {
        let own = match self {
            V::Str(s) => 1 + s.len() / 16,
            _ => 1,
        };
        *left = left.saturating_sub(own);
        let inside: &mut dyn Iterator<Item = &V> = match self {
            V::List(v) | V::Set(v) => &mut v.iter(),
            V::Map(m) => &mut m.values(),
            _ => return,
        };
        for v in inside {
            if *left == 0 {
                return;
            }
            v.weigh(left);
        }
    }
    /// The elements of a list or set.
    pub(crate) fn items(&self) -> Option<&[V]> {
        match self {
            V::List(v) | V::Set(v) => Some(v),
            _ => None,
        }
    }
    /// Conversion to string: strings, numbers and booleans.
    pub(crate) fn to_text(&self) -> Option<Arc<str>> {
        match self {
            V::Str(s) => Some(s.clone()),
            V::Num(n) => Some(number(*n).into()),
            V::Bool(b) => Some(if *b { "true" } else { "false" }.into()),
            _ => None,
        }
    }
    /// Conversion to number.
    pub(crate) fn to_num(&self) -> Option<f64> {
        match self {
            V::Num(n) => Some(*n),
            V::Str(s) => s.trim().parse::<f64>().ok().filter(|n| n.is_finite()),
            _ => None,
        }
    }
    /// Conversion to bool.
    pub(crate) fn to_bool(&self) -> Option<bool> {
        match self {
            V::Bool(b) => Some(*b),
            V::Str(s) if &**s == "true" => Some(true),
            V::Str(s) if &**s == "false" => Some(false),
            _ => None,
        }
    }
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            V::Null => "null",
            V::Bool(_) => "bool",
            V::Num(_) => "number",
            V::Str(_) => "string",
            V::List(_) => "list",
            V::Set(_) => "set",
            V::Map(_) => "object",
            V::Ref(_) | V::Unknown(_) => "dynamic",
            V::Instance(_) => "object",
        }
    }
}

/// Whether two values are the same, where that is certain. Two resources of one type have two ids.
pub(crate) fn same(a: &V, b: &V) -> Option<bool> {
    if a.deep_unknown().is_none() && b.deep_unknown().is_none() {
        return Some(super::eval::equal(a, b));
    }
    match (a, b) {
        (V::Ref(x), V::Ref(y)) if x == y => Some(true),
        (V::Ref(x), V::Ref(y)) if &*x.attribute == "id" && &*y.attribute == "id" => {
            let (x, y) = (made(&x.address)?, made(&y.address)?);
            (x == y).then_some(false)
        }
        _ => None,
    }
}

/// Whether no two values are the same for certain.
pub(crate) fn apart(items: &[V]) -> bool {
    let mut rest = items;
    while let Some((first, others)) = rest.split_first() {
        // Long lists are not worth it.
        if items.len() > 1_000 || others.iter().any(|v| same(first, v) != Some(false)) {
            return false;
        }
        rest = others;
    }
    true
}

/// The type of the one resource that an address names; data sources and what is not loaded have none, and of a number
/// that is not known one address stands for several.
fn made(address: &str) -> Option<String> {
    let (mut plain, mut depth, mut quoted, mut escaped) = (String::new(), 0, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '?' if !quoted => return None,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth -= 1,
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let parts: Vec<&str> = plain.split('.').collect();
    match parts.as_slice() {
        [.., "data", _, _] | [.., "module", _] => None,
        [.., kind, _] => Some((*kind).to_string()),
        _ => None,
    }
}

/// A total order: Terraform sorts strings by bytes; other types only need to be stable.
pub(crate) fn order(a: &V, b: &V) -> std::cmp::Ordering {
    use std::cmp::Ordering::Equal;
    fn rank(v: &V) -> u8 {
        match v {
            V::Null => 0,
            V::Bool(_) => 1,
            V::Num(_) => 2,
            V::Str(_) => 3,
            V::List(_) => 4,
            V::Set(_) => 5,
            V::Map(_) => 6,
            V::Ref(_) => 7,
            V::Instance(_) => 8,
            V::Unknown(_) => 9,
        }
    }
    match (a, b) {
        (V::Bool(a), V::Bool(b)) => a.cmp(b),
        (V::Num(a), V::Num(b)) => a.partial_cmp(b).unwrap_or(Equal),
        (V::Str(a), V::Str(b)) => a.cmp(b),
        (V::List(a), V::List(b)) | (V::Set(a), V::Set(b)) => a
            .iter()
            .zip(b.iter())
            .map(|(x, y)| order(x, y))
            .find(|o| *o != Equal)
            .unwrap_or(a.len().cmp(&b.len())),
        (V::Map(a), V::Map(b)) => {
            let pairs = a.iter().zip(b.iter());
            pairs
                .map(|((ka, va), (kb, vb))| ka.cmp(kb).then_with(|| order(va, vb)))
                .find(|o| *o != Equal)
                .unwrap_or(a.len().cmp(&b.len()))
        }
        (V::Ref(a), V::Ref(b)) => a.cmp(b),
        (V::Instance(a), V::Instance(b)) => a.cmp(b),
        (V::Unknown(a), V::Unknown(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

/// A value as the inventory keeps it. `address` names instances.
pub(crate) fn to_node(v: &V, span: Span, address: &dyn Fn(&Instance) -> Arc<str>) -> Node {
    let list = |v: &[V]| Value::List(v.iter().map(|v| to_node(v, span, address)).collect());
    let value = match v {
        V::Null => Value::Null,
        V::Bool(b) => Value::Bool(*b),
        V::Num(n) => Value::Number(number(*n).into()),
        V::Str(s) => Value::String(s.clone()),
        // Entries in an order that nobody knows; the order of plain members means nothing to a resource.
        V::Set(m) if m.iter().any(|v| matches!(v, V::Map(_))) && v.unsorted().is_some() => {
            Value::Unknown(v.unsorted().unwrap_or_else(|| Unknown::new("unknown")))
        }
        V::List(v) | V::Set(v) => list(v),
        V::Map(m) => Value::Map(
            m.iter()
                .map(|(k, v)| (k.clone(), to_node(v, span, address)))
                .collect(),
        ),
        V::Ref(r) => Value::Ref(r.clone()),
        // A whole resource where a value is wanted stands for its id.
        V::Instance(i) => Value::Ref(Reference {
            address: address(i),
            attribute: "id".into(),
        }),
        V::Unknown(u) => Value::Unknown(Unknown {
            why: u.why.clone(),
            span: u.span.or(Some(span)),
        }),
    };
    Node { value, span }
}
