//! States: `terraform show -json`, and the raw file.

use super::value::{Raw, node};
use crate::config::quote;
use bartizan_base::{FileId, Span};
use bartizan_model::{Resource, Understanding};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A module of `values`, `planned_values` or `prior_state.values`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Module {
    pub(super) resources: Vec<Shown>,
    pub(super) child_modules: Vec<Module>,
}

#[derive(Deserialize)]
pub(super) struct Shown {
    pub(super) address: String,
    #[serde(default)]
    mode: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    provider_name: Option<String>,
    #[serde(default)]
    values: Option<BTreeMap<String, Raw>>,
    #[serde(default)]
    deposed_key: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Values {
    pub(super) root_module: Module,
}

#[derive(Deserialize)]
struct Document {
    /// Of raw states.
    #[serde(default)]
    version: Option<serde_json::Value>,
    #[serde(default)]
    format_version: Option<String>,
    #[serde(default)]
    values: Option<Values>,
    #[serde(default)]
    resources: Option<Vec<Stored>>,
}

/// A resource of a raw state, format version 4.
#[derive(Deserialize)]
struct Stored {
    #[serde(default)]
    module: Option<String>,
    #[serde(default)]
    mode: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    instances: Vec<StoredInstance>,
}

#[derive(Deserialize)]
struct StoredInstance {
    #[serde(default)]
    index_key: Option<serde_json::Value>,
    #[serde(default)]
    attributes: Option<BTreeMap<String, Raw>>,
    #[serde(default)]
    deposed: Option<String>,
}

/// Refuses a document of a format that did not exist when this was written.
pub(super) fn known_format(version: Option<&str>) -> Result<(), serde_json::Error> {
    match version {
        Some(v) if !matches!(v.split('.').next(), Some("0" | "1")) => Err(custom(format!(
            "its format `{v}` is later than what this version reads"
        ))),
        _ => Ok(()),
    }
}

fn custom(why: impl std::fmt::Display) -> serde_json::Error {
    serde::de::Error::custom(why)
}

/// An object that was replaced and is still there: it carries packets until it is gone, under an address of
/// its own.
pub(super) fn deposed(address: String, key: Option<String>) -> String {
    match key {
        Some(k) if !k.is_empty() => format!("{address} (deposed object {k})"),
        _ => address,
    }
}

pub(super) fn read(text: &str, file: FileId) -> Result<Vec<Resource>, serde_json::Error> {
    let doc: Document = serde_json::from_str(text)?;
    known_format(doc.format_version.as_deref())?;
    // Older formats keep their resources elsewhere, and a file without any would be an empty network.
    if doc.version.as_ref().is_some_and(|v| v.as_u64() != Some(4))
        || doc.values.is_none() && doc.resources.is_none()
    {
        return Err(custom(
            "it is no state of version 4; a current Terraform writes one with `terraform apply -refresh-only`",
        ));
    }
    let mut out = Vec::new();
    if let Some(v) = doc.values {
        flatten(v.root_module, file, &mut out);
    }
    for r in doc.resources.into_iter().flatten() {
        let data = r.mode.as_deref() == Some("data");
        for i in r.instances {
            let key = match &i.index_key {
                Some(serde_json::Value::String(s)) => format!("[{}]", quote(s)),
                Some(serde_json::Value::Number(n)) => format!("[{n}]"),
                _ => String::new(),
            };
            let module = r.module.as_deref().map(|m| format!("{m}.")).unwrap_or_default();
            let address = format!(
                "{module}{}{}.{}{key}",
                if data { "data." } else { "" },
                r.kind,
                r.name
            );
            if i.attributes.is_none() && !data {
                return Err(custom(format!(
                    "`{address}` has no attributes in this state; `terraform apply -refresh-only` writes them"
                )));
            }
            out.push(resource(
                deposed(address, i.deposed),
                &r.kind,
                r.provider.as_deref(),
                data,
                i.attributes,
                file,
            ));
        }
    }
    Ok(out)
}

/// Every resource of a module and of those below it.
pub(super) fn flatten(m: Module, file: FileId, out: &mut Vec<Resource>) {
    for r in m.resources {
        let data = r.mode.as_deref() == Some("data");
        out.push(resource(
            deposed(r.address, r.deposed_key),
            &r.kind,
            r.provider_name.as_deref(),
            data,
            r.values,
            file,
        ));
    }
    for c in m.child_modules {
        flatten(c, file, out);
    }
}

fn resource(
    address: String,
    kind: &str,
    provider: Option<&str>,
    data: bool,
    values: Option<BTreeMap<String, Raw>>,
    file: FileId,
) -> Resource {
    let span = Span::file(file);
    // `registry.terraform.io/aliyun/alicloud`, or `provider["..."].alias` in raw states.
    let provider = provider.map(|p| p.trim_end_matches("\"]").rsplit('/').next().unwrap_or(p).into());
    Resource {
        address: address.into(),
        kind: kind.into(),
        provider,
        region: None,
        data,
        attributes: values
            .into_iter()
            .flatten()
            .map(|(k, v)| (k.into(), node(v.0, span)))
            .collect(),
        span,
        maybe: None,
        understanding: Understanding::NotUnderstood("not classified".into()),
    }
}
