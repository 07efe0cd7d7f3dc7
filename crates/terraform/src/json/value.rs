//! JSON straight into values of the model.

use bartizan_base::{FileId, Span};
use bartizan_model::{Node, Value};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// A value without its span; [`node`] adds it. Deserialised without a tree in between, since plans are large.
#[derive(Debug)]
pub(super) struct Raw(pub(super) Value);

/// Every span of these documents is the file; it is set when a resource is built.
fn nowhere() -> Span {
    Span::file(FileId(0))
}

impl<'de> serde::Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Seed.deserialize(d).map(Raw)
    }
}

struct Seed;

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Value, D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Value;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(Value::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(Value::Number(v.to_string().into()))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(Value::Number(v.to_string().into()))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(Value::Number(crate::config::number(v).into()))
    }
    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(Value::String(v.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut a: A) -> Result<Value, A::Error> {
        let mut out = Vec::new();
        while let Some(value) = a.next_element_seed(Seed)? {
            out.push(Node {
                value,
                span: nowhere(),
            });
        }
        Ok(Value::List(out))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut a: A) -> Result<Value, A::Error> {
        let mut out = BTreeMap::new();
        while let Some(k) = a.next_key::<String>()? {
            let value = a.next_value_seed(Seed)?;
            out.insert(
                Arc::from(k),
                Node {
                    value,
                    span: nowhere(),
                },
            );
        }
        Ok(Value::Map(out))
    }
}

/// Gives a value and everything in it a span.
pub(super) fn node(raw: Value, span: Span) -> Node {
    let value = match raw {
        Value::List(v) => Value::List(v.into_iter().map(|n| node(n.value, span)).collect()),
        Value::Map(m) => Value::Map(m.into_iter().map(|(k, n)| (k, node(n.value, span))).collect()),
        v => v,
    };
    Node { value, span }
}
