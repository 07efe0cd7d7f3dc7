//! YAML.

use super::encoding::{from_json, json_text};
use super::{Function, f};
use crate::config::eval::fault;
use crate::config::value::{V, number};

pub(super) const TABLE: &[Function] = &[
    f("yamldecode", 1, 1, |c| {
        let options = serde_saphyr::Options::default();
        match serde_saphyr::from_str_with_options::<serde_json::Value>(&c.a.text(0)?, options) {
            Ok(j) => Ok(from_json(&j)),
            Err(_) => fault("this is not YAML"),
        }
    }),
    f("yamlencode", 1, 1, |c| {
        let mut out = String::new();
        put(c.a.at(0)?, 0, &mut out);
        if !out.ends_with('\n') {
            out.push('\n');
        }
        Ok(V::str(out))
    }),
];

/// Block style with quoted strings, as Terraform writes it.
fn put(v: &V, indent: usize, out: &mut String) {
    let pad = " ".repeat(indent);
    match v {
        V::Map(m) if m.is_empty() => out.push_str("{}"),
        V::List(v) | V::Set(v) if v.is_empty() => out.push_str("[]"),
        V::Map(m) => {
            for (i, (k, v)) in m.iter().enumerate() {
                if i > 0 {
                    out.push_str(&pad);
                }
                out.push_str(&json_text(&V::Str(k.clone())));
                out.push(':');
                nested(v, indent, out);
            }
        }
        V::List(items) | V::Set(items) => {
            for (i, v) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(&pad);
                }
                out.push_str("- ");
                put(v, indent + 2, out);
                end(out);
            }
        }
        V::Num(n) => out.push_str(&number(*n)),
        // Many lines are a block of their own.
        V::Str(s)
            if s.contains('\n')
                && s.chars().all(|c| c == '\n' || !c.is_control())
                && !s.starts_with([' ', '\n']) =>
        {
            out.push_str(match (s.ends_with("\n\n"), s.ends_with('\n')) {
                (true, _) => "|+",
                (_, true) => "|",
                _ => "|-",
            });
            out.push('\n');
            for line in s.strip_suffix('\n').unwrap_or(s).split('\n') {
                if !line.is_empty() {
                    out.push_str(&" ".repeat(indent.max(2)));
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
        v => out.push_str(&json_text(v)),
    }
}

fn nested(v: &V, indent: usize, out: &mut String) {
    let block = match v {
        V::Map(m) => !m.is_empty(),
        V::List(v) | V::Set(v) => !v.is_empty(),
        _ => false,
    };
    if block {
        out.push('\n');
        // Lists stand under their key without indentation.
        let inner = if matches!(v, V::Map(_)) {
            indent + 2
        } else {
            indent
        };
        out.push_str(&" ".repeat(inner));
        put(v, inner, out);
    } else {
        out.push(' ');
        put(v, indent + 2, out);
    }
    end(out);
}

fn end(out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
}
