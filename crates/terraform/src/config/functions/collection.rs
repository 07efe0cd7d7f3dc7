//! Lists, sets and maps.

use super::{Call, Function, MANY, f, unknown};
use crate::config::eval::{MAX_VALUE, R, equal, fault, need_bool};
use crate::config::types::unify;
use crate::config::value::{V, apart, order, same};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const TABLE: &[Function] = &[
    f("alltrue", 1, 1, |c| all(c, true)),
    f("anytrue", 1, 1, |c| all(c, false)),
    f("chunklist", 2, 2, |c| {
        let items = c.a.list(0)?;
        match c.a.int(1)? {
            0 => Ok(V::list(if items.is_empty() {
                vec![]
            } else {
                vec![V::list(items.to_vec())]
            })),
            n if n > 0 => Ok(V::list(
                items.chunks(n as usize).map(|x| V::list(x.to_vec())).collect(),
            )),
            _ => fault("the size of a chunk cannot be negative"),
        }
    }),
    f("coalesce", 1, MANY, coalesce),
    f("coalescelist", 1, MANY, |c| {
        for v in &c.a.all {
            if v.items().is_some_and(|v| !v.is_empty()) {
                return Ok(v.clone());
            }
        }
        fault("every list of `coalescelist` is empty")
    }),
    f("compact", 1, 1, |c| {
        let mut out = Vec::new();
        for v in c.a.list(0)? {
            match v {
                V::Null => {}
                V::Str(s) if s.is_empty() => {}
                // An id is never empty; other unknowns may be.
                V::Ref(r) if &*r.attribute == "id" => out.push(v.clone()),
                v => match v.why_unknown() {
                    Some(u) => return unknown(u),
                    None => out.push(v.to_text().map_or_else(|| v.clone(), V::Str)),
                },
            }
        }
        Ok(V::list(out))
    }),
    f("concat", 1, MANY, |c| {
        let mut out = Vec::new();
        for i in 0..c.a.len() {
            out.extend_from_slice(c.a.list(i)?);
        }
        Ok(V::list(out))
    }),
    f("contains", 2, 2, |c| {
        if let Some(u) = c.a.at(0)?.why_unknown() {
            return unknown(u);
        }
        let want = c.a.at(1)?;
        let mut doubt = want.deep_unknown();
        for v in c.a.list(0)? {
            if v == want && matches!(v, V::Ref(_)) {
                return Ok(V::Bool(true));
            }
            match v.deep_unknown() {
                Some(u) => doubt = doubt.or(Some(u)),
                None if doubt.is_none() && equal(v, want) => return Ok(V::Bool(true)),
                None => {}
            }
        }
        match doubt {
            Some(u) => unknown(u),
            None => Ok(V::Bool(false)),
        }
    }),
    f("distinct", 1, 1, |c| {
        let items = c.a.list(0)?;
        let known = items.iter().all(|v| v.deep_unknown().is_none());
        if known || apart(items) {
            return Ok(V::list(distinct(items)));
        }
        // Which of them are the same is not known: who is in it is, as in a set.
        Ok(match distinct(items) {
            one if one.len() == 1 && !one.iter().any(V::holds_unknown) => V::list(one),
            _ if items.len() == 1 => V::list(items.to_vec()),
            _ => V::set(items.to_vec()),
        })
    }),
    f("element", 2, 2, |c| {
        let items = c.a.list(0)?;
        if items.is_empty() {
            return fault("`element` of an empty list");
        }
        let i = c.a.int(1)?.rem_euclid(items.len() as i64);
        Ok(items[i as usize].clone())
    }),
    f("flatten", 1, 1, |c| {
        let mut out = Vec::new();
        match flatten(c.a.list(0)?, &mut out) {
            Some(u) => unknown(u),
            None if unsorted(c.a.at(0)?) => Ok(V::set(out)),
            None => Ok(V::list(out)),
        }
    }),
    f("index", 2, 2, |c| {
        let want = c.a.at(1)?;
        for (i, v) in c.a.list(0)?.iter().enumerate() {
            if let Some(u) = v.deep_unknown().filter(|_| v != want) {
                return unknown(u);
            }
            if v == want || equal(v, want) {
                return Ok(V::Num(i as f64));
            }
        }
        fault("`index` does not find the value")
    }),
    f("keys", 1, 1, |c| match c.a.at(0)? {
        V::Map(m) => Ok(V::list(m.keys().cloned().map(V::Str).collect())),
        V::Instance(i) => Ok(V::list(
            c.w.instance_attributes(i)?.into_keys().map(V::Str).collect(),
        )),
        _ => c.a.wrong(0, "map"),
    }),
    f("length", 1, 1, |c| match c.a.at(0)? {
        V::List(v) | V::Set(v) => Ok(V::Num(v.len() as f64)),
        V::Map(m) => Ok(V::Num(m.len() as f64)),
        V::Str(s) => Ok(V::Num(s.chars().count() as f64)),
        _ => c.a.wrong(0, "list, map or string"),
    }),
    f("list", 0, MANY, |c| Ok(V::list(c.a.all.clone()))),
    f("lookup", 2, 3, lookup),
    f("map", 0, MANY, |c| {
        let mut m = BTreeMap::new();
        for i in (0..c.a.len()).step_by(2) {
            m.insert(c.a.text(i)?, c.a.at(i + 1)?.clone());
        }
        Ok(V::map(m))
    }),
    f("matchkeys", 3, 3, |c| {
        let (values, keys, wanted) = (c.a.list(0)?, c.a.list(1)?, c.a.list(2)?);
        if values.len() != keys.len() {
            return fault("the lists of `matchkeys` differ in length");
        }
        if let Some(u) = keys.iter().chain(wanted).find_map(V::deep_unknown) {
            return unknown(u);
        }
        let hit = |k: &V| wanted.iter().any(|w| like(k, w));
        Ok(V::list(
            values
                .iter()
                .zip(keys)
                .filter(|(_, k)| hit(k))
                .map(|(v, _)| v.clone())
                .collect(),
        ))
    }),
    f("merge", 0, MANY, |c| {
        let mut out = BTreeMap::new();
        for (i, v) in c.a.all.iter().enumerate() {
            match v {
                V::Null => {}
                V::Instance(r) => out.extend(c.w.instance_attributes(r)?),
                _ => out.extend(c.a.map(i)?.iter().map(|(k, v)| (k.clone(), v.clone()))),
            }
        }
        Ok(V::map(out))
    }),
    f("one", 1, 1, |c| match c.a.list(0)? {
        [] => Ok(V::Null),
        [v] => Ok(v.clone()),
        v => fault(format!("`one` of {} elements", v.len())),
    }),
    f("reverse", 1, 1, |c| {
        Ok(V::list(c.a.list(0)?.iter().rev().cloned().collect()))
    }),
    f("setintersection", 1, MANY, |c| {
        sets(c, true, |a, b| a.retain(|v| b.contains(v)))
    }),
    f("setsubtract", 2, 2, |c| {
        sets(c, true, |a, b| a.retain(|v| !b.contains(v)))
    }),
    f("setunion", 1, MANY, |c| {
        sets(c, false, |a, b| a.extend_from_slice(b))
    }),
    f("setproduct", 1, MANY, |c| {
        let mut out: Vec<Vec<V>> = vec![Vec::new()];
        for i in 0..c.a.len() {
            let items = c.a.list(i)?;
            let parts = out.len().saturating_mul(items.len()).saturating_mul(i + 1);
            if parts > MAX_VALUE {
                return Ok(c.w.too_large());
            }
            out = out
                .iter()
                .flat_map(|p| {
                    items
                        .iter()
                        .map(move |v| p.iter().cloned().chain([v.clone()]).collect())
                })
                .collect();
        }
        let sets = c.a.all.iter().all(|v| matches!(v, V::Set(_)));
        let lists = out.into_iter().map(V::list).collect();
        Ok(if sets { V::set(lists) } else { V::list(lists) })
    }),
    f("slice", 3, 3, |c| {
        let items = c.a.list(0)?;
        let (from, to) = (c.a.int(1)?, c.a.int(2)?);
        match items
            .get(usize::try_from(from).unwrap_or(usize::MAX)..usize::try_from(to).unwrap_or(usize::MAX))
        {
            Some(v) if from <= to => Ok(V::list(v.to_vec())),
            _ => fault(format!(
                "`slice` from {from} to {to} of a list of {}",
                items.len()
            )),
        }
    }),
    f("sort", 1, 1, |c| {
        let mut v = c.a.texts(0)?;
        v.sort();
        Ok(V::list(v.into_iter().map(V::Str).collect()))
    }),
    f("transpose", 1, 1, |c| {
        let mut out: BTreeMap<Arc<str>, Vec<V>> = BTreeMap::new();
        for (k, v) in c.a.map(0)? {
            let Some(items) = v.items() else {
                return fault("`transpose` needs a map of lists");
            };
            for i in items {
                match (i.to_text(), i.why_unknown()) {
                    (Some(t), _) => out.entry(t).or_default().push(V::Str(k.clone())),
                    (None, Some(u)) => return unknown(u),
                    _ => return fault("`transpose` needs a map of lists of strings"),
                }
            }
        }
        Ok(V::map(out.into_iter().map(|(k, v)| (k, V::list(v))).collect()))
    }),
    f("values", 1, 1, |c| match c.a.at(0)? {
        V::Map(m) => Ok(V::list(m.values().cloned().collect())),
        V::Instance(i) => Ok(V::list(c.w.instance_attributes(i)?.into_values().collect())),
        _ => c.a.wrong(0, "map"),
    }),
    f("zipmap", 2, 2, |c| {
        let (keys, values) = (c.a.list(0)?, c.a.list(1)?);
        if let Some(u) = keys.iter().find_map(V::why_unknown) {
            return unknown(u);
        }
        if keys.len() != values.len() {
            return fault("the lists of `zipmap` differ in length");
        }
        Ok(V::map(
            c.a.texts(0)?.into_iter().zip(values.iter().cloned()).collect(),
        ))
    }),
    f("tobool", 1, 1, |c| {
        scalar(c, "bool", |v| v.to_bool().map(V::Bool))
    }),
    f("tonumber", 1, 1, |c| {
        scalar(c, "number", |v| v.to_num().map(V::Num))
    }),
    f("tostring", 1, 1, |c| {
        scalar(c, "string", |v| v.to_text().map(V::Str))
    }),
    f("tolist", 1, 1, |c| match c.a.at(0)? {
        V::Null => Ok(V::Null),
        _ => {
            let mut v = c.a.list(0)?.to_vec();
            unify(&mut v);
            Ok(V::list(v))
        }
    }),
    f("toset", 1, 1, |c| match c.a.at(0)? {
        V::Null => Ok(V::Null),
        _ => {
            let mut v = c.a.list(0)?.to_vec();
            unify(&mut v);
            Ok(V::set(v))
        }
    }),
    f("tomap", 1, 1, |c| match c.a.at(0)? {
        V::Null => Ok(V::Null),
        V::Instance(i) => Ok(V::map(c.w.instance_attributes(i)?)),
        _ => {
            let (k, mut v): (Vec<_>, Vec<_>) = c.a.map(0)?.clone().into_iter().unzip();
            unify(&mut v);
            Ok(V::map(k.into_iter().zip(v).collect()))
        }
    }),
    // Whether a value is secret makes no difference to packets.
    f("sensitive", 1, 1, |c| Ok(c.a.at(0)?.clone())),
    f("nonsensitive", 1, 1, |c| Ok(c.a.at(0)?.clone())),
    f("ephemeralasnull", 1, 1, |c| Ok(c.a.at(0)?.clone())),
    f("issensitive", 1, 1, |_| Ok(V::unknown("secrecy is not followed"))),
];

/// Equal after the conversion that a list of both would bring.
fn like(a: &V, b: &V) -> bool {
    if equal(a, b) {
        return true;
    }
    match (a, b) {
        (V::Str(_), V::Num(_) | V::Bool(_)) | (V::Num(_) | V::Bool(_), V::Str(_)) => {
            a.to_text() == b.to_text()
        }
        _ => false,
    }
}

fn distinct(items: &[V]) -> Vec<V> {
    let mut seen: std::collections::BTreeSet<Ordered> = std::collections::BTreeSet::new();
    items
        .iter()
        .filter(|v| seen.insert(Ordered((*v).clone())))
        .cloned()
        .collect()
}

struct Ordered(V);
impl PartialEq for Ordered {
    fn eq(&self, o: &Self) -> bool {
        order(&self.0, &o.0).is_eq()
    }
}
impl Eq for Ordered {}
impl PartialOrd for Ordered {
    fn partial_cmp(&self, o: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(o))
    }
}
impl Ord for Ordered {
    fn cmp(&self, o: &Self) -> std::cmp::Ordering {
        order(&self.0, &o.0)
    }
}

fn all(c: &Call<'_, '_>, want: bool) -> R {
    for v in c.a.list(0)? {
        if *v == V::Null || need_bool(v)? != want {
            return Ok(V::Bool(!want));
        }
    }
    Ok(V::Bool(want))
}

fn coalesce(c: &Call<'_, '_>) -> R {
    let text = c.a.all.iter().any(|v| matches!(v, V::Str(_)));
    for v in &c.a.all {
        match v {
            V::Null => {}
            V::Str(s) if s.is_empty() => {}
            V::Ref(r) if &*r.attribute == "id" => return Ok(v.clone()),
            V::Num(_) | V::Bool(_) if text => return Ok(v.to_text().map_or(V::Null, V::Str)),
            v => return Ok(v.why_unknown().map_or_else(|| v.clone(), V::Unknown)),
        }
    }
    fault("every argument of `coalesce` is null or empty")
}

fn flatten(items: &[V], out: &mut Vec<V>) -> Option<bartizan_model::Unknown> {
    for v in items {
        match v {
            V::List(i) | V::Set(i) => {
                if let Some(u) = flatten(i, out) {
                    return Some(u);
                }
            }
            // It could be a list of any length. References to single attributes are not lists in practice,
            // except where they are: those end in a plural or in `[*]`.
            V::Unknown(u) => return Some(u.clone()),
            V::Ref(r) if plural(&r.attribute) => return v.why_unknown(),
            v => out.push(v.clone()),
        }
    }
    None
}

/// Whether the order of something in lists of lists is not certain.
fn unsorted(v: &V) -> bool {
    v.unsorted().is_some() || v.items().is_some_and(|i| i.iter().any(unsorted))
}

fn plural(attribute: &str) -> bool {
    attribute.ends_with("[*]")
        || (attribute.ends_with('s') && !attribute.ends_with("address") && !attribute.ends_with("status"))
}

fn lookup(c: &Call<'_, '_>) -> R {
    let m = c.a.at(0)?;
    let k = c.a.at(1)?;
    if let Some(u) = k.why_unknown() {
        return unknown(u);
    }
    let key = c.a.text(1)?;
    let found = match m {
        V::Map(m) => m.get(&key).cloned(),
        V::Instance(i) => Some(c.w.attribute(i, &key)?),
        V::Null => return fault("`lookup` in null"),
        _ => match m.why_unknown() {
            Some(u) => return unknown(u),
            None => return c.a.wrong(0, "map"),
        },
    };
    match (found, c.a.all.get(2)) {
        (Some(v), _) => Ok(v),
        (None, Some(d)) => Ok(d.clone()),
        (None, None) => fault(format!("`lookup` does not find `{key}`")),
    }
}

/// `compared`: the result depends on which members are the same.
fn sets(c: &Call<'_, '_>, compared: bool, op: fn(&mut Vec<V>, &[V])) -> R {
    let mut acc = c.a.list(0)?.to_vec();
    let unknown_in = |items: &[V]| items.iter().find_map(V::deep_unknown);
    for i in 1..c.a.len() {
        let other = c.a.list(i)?;
        let sure = |a: &V| other.iter().all(|b| same(a, b).is_some());
        if let Some(u) = unknown_in(&acc).or_else(|| unknown_in(other))
            && compared
            && !acc.iter().all(sure)
        {
            return unknown(u);
        }
    }
    if let Some(u) = c.a.all.iter().find_map(|v| {
        v.items()?.iter().find_map(|v| match v {
            V::Unknown(u) => Some(u.clone()),
            _ => None,
        })
    }) {
        return unknown(u);
    }
    for i in 1..c.a.len() {
        op(&mut acc, c.a.list(i)?);
    }
    unify(&mut acc);
    Ok(V::set(acc))
}

fn scalar(c: &Call<'_, '_>, what: &str, to: fn(&V) -> Option<V>) -> R {
    match c.a.at(0)? {
        V::Null => Ok(V::Null),
        v => match to(v) {
            Some(v) => Ok(v),
            None => c.a.wrong(0, what),
        },
    }
}
