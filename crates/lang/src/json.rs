//! The canonical JSON form of the syntax tree, both ways.

use crate::format::format_file;
use crate::parse::parse_text;
use crate::tree::{Block, File};
use bartizan_base::{Diagnostic, FileId};
use serde_json::{Map, Value};

/// The version of the JSON form. A change of its meaning raises it.
pub const JSON_VERSION: u64 = 1;

/// The canonical JSON form of a file: `{"version": 1, "body": {...}}`. It holds everything of the tree but
/// the places: two trees say the same, comments included, exactly when their JSON is equal.
#[must_use]
pub fn to_json(file: &File) -> Value {
    let mut out = Map::new();
    out.insert("version".to_string(), Value::from(JSON_VERSION));
    // The tree holds nothing that JSON cannot: no maps with other keys than text and no floats.
    out.insert(
        "body".to_string(),
        serde_json::to_value(&file.body).unwrap_or(Value::Null),
    );
    Value::Object(out)
}

/// The file that a canonical JSON form describes. Its spans point into the text that [`format_file`] makes
/// of it, as file `id`.
///
/// # Errors
/// One diagnostic that says what is wrong: another version, a shape that is not the canonical one, or values
/// that the language cannot express (a name with a blank in it, a comment without `#`).
pub fn from_json(id: FileId, value: &Value) -> Result<File, Diagnostic> {
    let bad = |why: String| {
        Diagnostic::error(
            "INTENT017",
            format!("the JSON form of an intent is malformed: {why}"),
        )
        .help("`bartizan intent json` prints the canonical form of a file")
    };
    let version = value.get("version").and_then(Value::as_u64);
    if version != Some(JSON_VERSION) {
        return Err(bad(format!("`version` is not {JSON_VERSION}")));
    }
    if let Some(key) = value
        .as_object()
        .and_then(|o| o.keys().find(|k| !matches!(k.as_str(), "version" | "body")))
    {
        return Err(bad(format!("unknown field `{key}`")));
    }
    let Some(body) = value.get("body") else {
        return Err(bad("`body` is missing".to_string()));
    };
    if deeper_than(body, 400) {
        return Err(bad("it is nested too deep".to_string()));
    }
    let body: Block<crate::tree::Item> =
        serde_json::from_value(body.clone()).map_err(|e| bad(e.to_string().replace('\n', " ")))?;
    let tree = File { id, body };
    // What the text form cannot say is not an intent: read back what would be written.
    let (read, problems) = parse_text(id, &format_file(&tree));
    if let Some(p) = problems.first() {
        return Err(bad(p.message.clone()));
    }
    let (want, got) = (to_json(&tree), to_json(&read));
    match first_difference("body", want.get("body"), got.get("body")) {
        None => Ok(read),
        Some(at) => Err(bad(format!(
            "the value at `{at}` cannot be written in the language"
        ))),
    }
}

/// Without recursion: the value may come from anywhere.
fn deeper_than(value: &Value, limit: usize) -> bool {
    let mut todo = vec![(value, 0)];
    while let Some((v, depth)) = todo.pop() {
        if depth > limit {
            return true;
        }
        match v {
            Value::Array(a) => todo.extend(a.iter().map(|v| (v, depth + 1))),
            Value::Object(o) => todo.extend(o.values().map(|v| (v, depth + 1))),
            _ => {}
        }
    }
    false
}

fn first_difference(path: &str, a: Option<&Value>, b: Option<&Value>) -> Option<String> {
    match (a, b) {
        (Some(Value::Array(x)), Some(Value::Array(y))) if x.len() == y.len() => x
            .iter()
            .zip(y)
            .enumerate()
            .find_map(|(i, (x, y))| first_difference(&format!("{path}[{i}]"), Some(x), Some(y))),
        (Some(Value::Object(x)), Some(Value::Object(y))) if x.len() == y.len() => x
            .iter()
            .find_map(|(k, x)| first_difference(&format!("{path}.{k}"), Some(x), y.get(k))),
        _ => (a != b).then(|| path.to_string()),
    }
}
