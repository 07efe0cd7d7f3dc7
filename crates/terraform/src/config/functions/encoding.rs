//! JSON, CSV, base64, URLs.

use super::{Call, Function, f};
use crate::config::eval::{R, fault};
use crate::config::value::{V, number};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const TABLE: &[Function] = &[
    f("base64decode", 1, 1, |c| {
        match STANDARD.decode(c.a.text(0)?.as_bytes()).map(String::from_utf8) {
            Ok(Ok(t)) => Ok(V::str(t)),
            Ok(Err(_)) => fault("the decoded bytes are not UTF-8"),
            Err(_) => fault("this is not base64"),
        }
    }),
    f("base64encode", 1, 1, |c| {
        Ok(V::str(STANDARD.encode(c.a.text(0)?.as_bytes())))
    }),
    // The bytes depend on the compressor.
    f("base64gzip", 1, 1, |_| {
        Ok(V::unknown("compressed bytes differ between compressors"))
    }),
    f("textencodebase64", 2, 2, |c| {
        let t = c.a.text(0)?;
        let bytes: Vec<u8> = match c.a.text(1)?.to_uppercase().as_str() {
            "UTF-8" => t.bytes().collect(),
            "UTF-16LE" => t.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "UTF-16BE" => t.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            e => return Ok(V::unknown(format!("text encoding `{e}` is not known here"))),
        };
        Ok(V::str(STANDARD.encode(bytes)))
    }),
    f("textdecodebase64", 2, 2, |c| {
        let Ok(bytes) = STANDARD.decode(c.a.text(0)?.as_bytes()) else {
            return fault("this is not base64");
        };
        let pairs = |from: fn([u8; 2]) -> u16| {
            let (units, _) = bytes.as_chunks::<2>();
            String::from_utf16(&units.iter().map(|b| from(*b)).collect::<Vec<_>>()).ok()
        };
        let text = match c.a.text(1)?.to_uppercase().as_str() {
            "UTF-8" => String::from_utf8(bytes.clone()).ok(),
            "UTF-16LE" => pairs(u16::from_le_bytes),
            "UTF-16BE" => pairs(u16::from_be_bytes),
            e => return Ok(V::unknown(format!("text encoding `{e}` is not known here"))),
        };
        match text {
            Some(t) => Ok(V::str(t)),
            None => fault("the decoded bytes are not text in this encoding"),
        }
    }),
    f("csvdecode", 1, 1, csvdecode),
    f("jsondecode", 1, 1, |c| {
        match serde_json::from_str::<serde_json::Value>(&c.a.text(0)?) {
            Ok(j) => Ok(from_json(&j)),
            Err(e) => fault(format!("this is not JSON: {e}")),
        }
    }),
    f("jsonencode", 1, 1, |c| match c.a.at(0)? {
        V::Instance(_) => Ok(V::unknown("a resource as a whole is known only after apply")),
        v => Ok(V::str(json_text(v))),
    }),
    f("urlencode", 1, 1, |c| {
        let mut out = String::new();
        for b in c.a.text(0)?.bytes() {
            match b {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    out.push(char::from(b))
                }
                b' ' => out.push('+'),
                b => out.push_str(&format!("%{b:02X}")),
            }
        }
        Ok(V::str(out))
    }),
];

/// A JSON value as Terraform reads it.
pub(super) fn from_json(j: &serde_json::Value) -> V {
    use serde_json::Value as J;
    match j {
        J::Null => V::Null,
        J::Bool(b) => V::Bool(*b),
        J::Number(n) => V::Num(n.as_f64().unwrap_or(f64::NAN)),
        J::String(s) => V::str(s.as_str()),
        J::Array(v) => V::list(v.iter().map(from_json).collect()),
        J::Object(m) => V::map(
            m.iter()
                .map(|(k, v)| (Arc::from(k.as_str()), from_json(v)))
                .collect(),
        ),
    }
}

/// JSON without spaces, with the escapes of Go's encoder.
pub(super) fn json_text(v: &V) -> String {
    fn text(s: &str, out: &mut String) {
        out.push('"');
        for c in s.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", c as u32)),
                c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    fn put(v: &V, out: &mut String) {
        match v {
            V::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            V::Num(n) => out.push_str(&number(*n)),
            V::Str(s) => text(s, out),
            V::List(v) | V::Set(v) => {
                out.push('[');
                for (i, v) in v.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    put(v, out);
                }
                out.push(']');
            }
            V::Map(m) => {
                out.push('{');
                for (i, (k, v)) in m.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    text(k, out);
                    out.push(':');
                    put(v, out);
                }
                out.push('}');
            }
            // Unknown values do not get here.
            V::Null | V::Ref(_) | V::Instance(_) | V::Unknown(_) => out.push_str("null"),
        }
    }
    let mut out = String::new();
    put(v, &mut out);
    out
}

fn csvdecode(c: &Call<'_, '_>) -> R {
    let text = c.a.text(0)?;
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(true)
        .from_reader(text.as_bytes());
    let Ok(head) = reader.headers().cloned() else {
        return fault("this is not CSV");
    };
    let mut rows = Vec::new();
    for r in reader.records() {
        let Ok(r) = r else {
            return fault("a line of the CSV has another number of fields than the first");
        };
        let row: BTreeMap<Arc<str>, V> = head
            .iter()
            .zip(r.iter())
            .map(|(k, v)| (Arc::from(k), V::str(v)))
            .collect();
        rows.push(V::map(row));
    }
    Ok(V::list(rows))
}
