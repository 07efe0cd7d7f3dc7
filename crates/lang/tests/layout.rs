//! Formatting and JSON of written examples.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking"
)]

use bartizan_base::FileId;
use bartizan_lang::{format, format_file, from_json, parse_text, to_json};

const SHOP: &str = include_str!("shop.btz");

#[test]
fn the_example_parses_clean() {
    let (file, problems) = parse_text(FileId(0), SHOP);
    assert!(problems.is_empty(), "{problems:#?}");
    assert_eq!(file.body.items.len(), 16);
}

#[test]
fn the_example_in_canonical_layout() {
    let want = include_str!("shop.formatted.btz");
    let got = format(SHOP).unwrap();
    assert_eq!(got, want, "\n{got}");
    assert_eq!(format(&got).unwrap(), got);
    let tree = |s: &str| to_json(&parse_text(FileId(0), s).0);
    assert_eq!(tree(&got), tree(SHOP));
}

#[test]
fn the_example_survives_json() {
    let (file, _) = parse_text(FileId(0), SHOP);
    let json = to_json(&file);
    let back = from_json(FileId(0), &json).unwrap();
    assert_eq!(to_json(&back), json);
    assert_eq!(format_file(&back), format(SHOP).unwrap());
}
