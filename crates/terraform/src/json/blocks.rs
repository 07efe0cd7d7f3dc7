//! Which block of the configuration a block of the values is.
//!
//! Terraform lists the blocks of a set in an order of its own, and does not show `dynamic` blocks in the
//! configuration. So blocks are joined by position only where they are a list and there are as many of them, and by
//! their known values where exactly one of each fits the other.

use super::shapes::{self, Shape};
use bartizan_model::{Node, Value};
use serde_json::Value as J;

/// For each block of the values the one of the configuration that it certainly is.
pub(super) fn join<'c>(
    kind: &str,
    path: &str,
    items: &[Node],
    flags: &[J],
    blocks: &'c [J],
) -> Vec<Option<&'c J>> {
    let none = || vec![None; items.len()];
    // There is a `dynamic` block, or blocks of a set that are the same.
    if items.len() != blocks.len() || flags.len() != items.len() {
        return none();
    }
    if items.len() == 1 || shapes::shape(kind, path) == Some(Shape::ListOfBlocks) {
        return blocks.iter().map(Some).collect();
    }
    let mut out = none();
    for b in blocks {
        let mut fit = items
            .iter()
            .zip(flags)
            .zip(&mut out)
            .filter(|((n, f), _)| fits(n, f, b));
        let (Some((_, slot)), None) = (fit.next(), fit.next()) else {
            return none();
        };
        if slot.replace(b).is_some() {
            return none();
        }
    }
    out
}

/// Whether a block may have been written so: what it writes as constants is what the value has.
fn fits(item: &Node, flags: &J, block: &J) -> bool {
    let mut all = block.as_object().into_iter().flatten();
    all.all(|(name, e)| {
        let Some(constant) = e.get("constant_value") else {
            return true;
        };
        if flags.get(name) == Some(&J::Bool(true)) {
            return false;
        }
        match &item.value {
            Value::Map(m) => same(m.get(name.as_str()).map_or(&Value::Null, |n| &n.value), constant),
            _ => false,
        }
    })
}

/// Whether a constant may have become a value. Providers write texts in their own case, numbers as texts, and leave
/// out what is empty.
fn same(value: &Value, constant: &J) -> bool {
    let text = match constant {
        J::Null => return true,
        J::Array(_) | J::Object(_) => return true,
        J::Bool(b) => b.to_string(),
        J::Number(n) => n.to_string(),
        J::String(s) => s.to_string(),
    };
    alike(value, &text)
}

/// Whether a text may have become a value.
pub(super) fn alike(value: &Value, text: &str) -> bool {
    match value {
        Value::Null => matches!(text, "" | "0" | "false"),
        Value::Bool(b) => text.eq_ignore_ascii_case(if *b { "true" } else { "false" }),
        Value::String(s) | Value::Number(s) => s.trim().eq_ignore_ascii_case(text.trim()),
        _ => true,
    }
}
