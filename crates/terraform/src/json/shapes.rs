//! Which arguments are blocks, which are collections, and which spellings are old ones: from the provider's schema.
//!
//! `shapes.txt` is written by `cargo xtask schema --write`: a type and its marked paths on each line.

use crate::alicloud::nests;
use rustc_hash::FxHashMap;
use std::sync::OnceLock;

/// What an argument is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// Nested blocks in the order in which they are written.
    ListOfBlocks,
    /// Nested blocks in no order.
    SetOfBlocks,
    /// A list or set of values.
    Collection,
}

struct Kind {
    shapes: FxHashMap<&'static str, Shape>,
    deprecated: Vec<&'static str>,
}

fn table() -> &'static FxHashMap<&'static str, Kind> {
    static TABLE: OnceLock<FxHashMap<&'static str, Kind>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let lines = include_str!("shapes.txt").lines().filter(|l| !l.starts_with('#'));
        lines
            .filter_map(|line| {
                let mut words = line.split(' ');
                let kind = words.next()?;
                let mut k = Kind {
                    shapes: FxHashMap::default(),
                    deprecated: Vec::new(),
                };
                for (mark, path) in words.filter_map(|w| w.split_once(':')) {
                    match mark {
                        "L" => drop(k.shapes.insert(path, Shape::ListOfBlocks)),
                        "S" => drop(k.shapes.insert(path, Shape::SetOfBlocks)),
                        "d" => k.deprecated.push(path),
                        _ => drop(k.shapes.insert(path, Shape::Collection)),
                    }
                }
                Some((kind, k))
            })
            .collect()
    })
}

/// What an argument of a type is; `None` for plain values and for what the schema does not know.
pub(super) fn shape(kind: &str, path: &str) -> Option<Shape> {
    table().get(kind)?.shapes.get(path).copied()
}

/// Whether an argument is written as nested blocks.
pub(super) fn block(kind: &str, path: &str) -> bool {
    match shape(kind, path) {
        Some(s) => s != Shape::Collection,
        // Of a later version of the provider than the schema.
        None => nests(kind, path),
    }
}

/// Whether an argument is a list or set of values; `None` for types that the schema does not know.
pub(super) fn collection(kind: &str, path: &str) -> Option<bool> {
    let k = table().get(kind)?;
    Some(k.shapes.contains_key(path))
}

/// Whether an argument is an old spelling of another one.
pub(crate) fn deprecated(kind: &str, path: &str) -> bool {
    table().get(kind).is_some_and(|k| k.deprecated.contains(&path))
}
