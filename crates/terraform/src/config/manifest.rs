//! `.terraform/modules/modules.json`: where `terraform init` put the modules.

use crate::FileSet;
use bartizan_base::Sources;
use serde_json::Value;
use std::collections::BTreeMap;

/// Module key (`a.b`) -> directory relative to the root. A manifest that cannot be read is as if it were
/// not there: every module that it would have named is then said to be missing.
pub(crate) fn read(files: &FileSet, sources: &Sources) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let Some(f) = files
        .files
        .get(".terraform/modules/modules.json")
        .and_then(|f| sources.get(*f))
    else {
        return out;
    };
    let Ok(v) = serde_json::from_str::<Value>(&f.text) else {
        return out;
    };
    for m in v.get("Modules").and_then(Value::as_array).into_iter().flatten() {
        if let (Some(k), Some(d)) = (
            m.get("Key").and_then(Value::as_str),
            m.get("Dir").and_then(Value::as_str),
        ) && !k.is_empty()
        {
            out.insert(k.to_string(), d.to_string());
        }
    }
    out
}
