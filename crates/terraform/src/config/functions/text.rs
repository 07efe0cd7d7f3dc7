//! Strings.

use super::{Call, Function, MANY, f, strings, unknown};
use crate::config::eval::{MAX_TEXT, MAX_VALUE, R, fault};
use crate::config::value::V;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const TABLE: &[Function] = &[
    f("chomp", 1, 1, |c| {
        Ok(V::str(c.a.text(0)?.trim_end_matches(['\n', '\r'])))
    }),
    f("endswith", 2, 2, |c| {
        Ok(V::Bool(c.a.text(0)?.ends_with(&*c.a.text(1)?)))
    }),
    f("startswith", 2, 2, |c| {
        Ok(V::Bool(c.a.text(0)?.starts_with(&*c.a.text(1)?)))
    }),
    f("strcontains", 2, 2, |c| {
        Ok(V::Bool(c.a.text(0)?.contains(&*c.a.text(1)?)))
    }),
    f("indent", 2, 2, |c| {
        let pad = " ".repeat(usize::try_from(c.a.int(0)?).unwrap_or(0).min(10_000));
        let t = c.a.text(1)?;
        let lines = t.matches('\n').count();
        c.long(t.len() + lines * pad.len(), || {
            t.replace('\n', &format!("\n{pad}"))
        })
    }),
    f("join", 1, MANY, join),
    f("lower", 1, 1, |c| Ok(V::str(c.a.text(0)?.to_lowercase()))),
    f("upper", 1, 1, |c| {
        Ok(V::str(c.a.text(0)?.chars().map(upper).collect::<String>()))
    }),
    f("title", 1, 1, |c| {
        let mut out = String::new();
        let mut start = true;
        for ch in c.a.text(0)?.chars() {
            out.push(if start { upper(ch) } else { ch });
            start = !(ch.is_alphanumeric() || ch == '_');
        }
        Ok(V::str(out))
    }),
    f("strrev", 1, 1, |c| {
        Ok(V::str(c.a.text(0)?.chars().rev().collect::<String>()))
    }),
    f("substr", 3, 3, |c| {
        let t: Vec<char> = c.a.text(0)?.chars().collect();
        let n = t.len() as i64;
        let (at, len) = (c.a.int(1)?, c.a.int(2)?);
        let at = if at < 0 { (n + at).max(0) } else { at.min(n) };
        let end = if len < 0 { n } else { (at + len).min(n) };
        Ok(V::str(
            t.get(at as usize..end as usize)
                .unwrap_or_default()
                .iter()
                .collect::<String>(),
        ))
    }),
    f("trim", 2, 2, |c| {
        let cut = c.a.text(1)?;
        Ok(V::str(c.a.text(0)?.trim_matches(|ch| cut.contains(ch))))
    }),
    f("trimprefix", 2, 2, |c| {
        let t = c.a.text(0)?;
        Ok(V::str(t.strip_prefix(&*c.a.text(1)?).unwrap_or(&t)))
    }),
    f("trimsuffix", 2, 2, |c| {
        let t = c.a.text(0)?;
        Ok(V::str(t.strip_suffix(&*c.a.text(1)?).unwrap_or(&t)))
    }),
    f("trimspace", 1, 1, |c| Ok(V::str(c.a.text(0)?.trim()))),
    f("split", 2, 2, |c| {
        let (sep, t) = (c.a.text(0)?, c.a.text(1)?);
        if t.is_empty() {
            return Ok(strings([String::new()]));
        }
        if sep.is_empty() {
            return Ok(strings(t.chars().map(String::from)));
        }
        Ok(strings(t.split(&*sep).map(String::from)))
    }),
    f("replace", 3, 3, |c| {
        let (t, from, to) = (c.a.text(0)?, c.a.text(1)?, c.a.text(2)?);
        if from.len() > 1 && from.starts_with('/') && from.ends_with('/') {
            let re = compile(&from[1..from.len() - 1])?;
            // Groups lie apart, so each `$` of the replacement brings the text once at most.
            let groups = to.matches('$').count();
            let len =
                (re.find_iter(&t).count() * to.len()).saturating_add(t.len().saturating_mul(groups + 1));
            // Go reads `$1a` as the group named `1a`, as the crate does.
            return c.long(len, || re.replace_all(&t, &*to).into_owned());
        }
        let len = t
            .len()
            .saturating_add(t.matches(&*from).count().saturating_mul(to.len()));
        c.long(len, || t.replace(&*from, &to))
    }),
    f("regex", 2, 2, |c| {
        let re = compile(&c.a.text(0)?)?;
        match re.captures(&c.a.text(1)?) {
            Some(m) => Ok(captured(&re, &m)),
            None => fault("the pattern of `regex` does not match"),
        }
    }),
    f("regexall", 2, 2, |c| {
        let re = compile(&c.a.text(0)?)?;
        let t = c.a.text(1)?;
        if re.find_iter(&t).count().saturating_mul(re.captures_len()) > MAX_VALUE {
            return Ok(c.w.too_large());
        }
        Ok(V::list(re.captures_iter(&t).map(|m| captured(&re, &m)).collect()))
    }),
];

/// One character for one, as Go maps them.
fn upper(c: char) -> char {
    let mut up = c.to_uppercase();
    match (up.next(), up.next()) {
        (Some(u), None) => u,
        _ => c,
    }
}

fn compile(p: &str) -> Result<Regex, crate::config::eval::Fault> {
    match regex::RegexBuilder::new(p).size_limit(1 << 20).build() {
        Ok(r) => Ok(r),
        Err(_) => fault(format!("`{p}` is not a regular expression that can be used here")),
    }
}

/// The whole match, or the groups as a list, or by name.
fn captured(re: &Regex, m: &regex::Captures<'_>) -> V {
    let text = |m: Option<regex::Match<'_>>| m.map_or(V::Null, |m| V::str(m.as_str()));
    if re.captures_len() == 1 {
        return text(m.get(0));
    }
    if re.capture_names().any(|n| n.is_some()) {
        let named: BTreeMap<Arc<str>, V> = re
            .capture_names()
            .flatten()
            .map(|n| (Arc::from(n), text(m.name(n))))
            .collect();
        return V::map(named);
    }
    V::list((1..re.captures_len()).map(|i| text(m.get(i))).collect())
}

fn join(c: &Call<'_, '_>) -> R {
    if let Some(u) = c.a.all.iter().find_map(V::why_unknown) {
        return unknown(u);
    }
    let sep = c.a.text(0)?;
    let mut all = Vec::new();
    for i in 1..c.a.len() {
        all.extend_from_slice(c.a.list(i)?);
    }
    // One string joined is itself, known or not: older modules write `join("", x.*.id)`.
    if let [one @ V::Ref(_)] = all.as_slice() {
        return Ok(one.clone());
    }
    let mut out = String::new();
    for (i, v) in all.iter().enumerate() {
        if i > 0 {
            out.push_str(&sep);
        }
        if out.len() > MAX_TEXT {
            return Ok(c.w.too_large());
        }
        match (v.to_text(), v.why_unknown()) {
            (Some(t), _) => out.push_str(&t),
            (None, Some(u)) => return unknown(u),
            (None, None) => return fault(format!("`join` needs strings, not a {}", v.type_name())),
        }
    }
    Ok(V::str(out))
}
