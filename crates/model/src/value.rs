//! The generic layer: attribute values with their places.

use crate::Unknown;
use bartizan_base::Span;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// The value.
    #[serde(rename = "v")]
    pub value: Value,
    /// The expression or block it came from.
    #[serde(rename = "s")]
    pub span: Span,
}

/// An attribute of another resource whose value is not known but whose identity is.
///
/// `alicloud_vpc.a.id` before the first apply is `Reference { address: "alicloud_vpc.a", attribute: "id" }`:
/// it still joins resources.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reference {
    /// Full address of the resource instance, with module path and index: `module.net.alicloud_vpc.a["x"]`.
    pub address: Arc<str>,
    /// The attribute path after it: `id`, `snat_table_ids`, `zone_mappings[0].vswitch_id`.
    pub attribute: Arc<str>,
}

/// A value of Terraform's type system after evaluation; sets are lists in canonical order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// Not set.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number in its shortest decimal form.
    Number(Arc<str>),
    /// A text.
    String(Arc<str>),
    /// A list, set or tuple; also the nested blocks of one type, in order.
    List(Vec<Node>),
    /// A map or object.
    Map(BTreeMap<Arc<str>, Node>),
    /// An attribute of another resource, unknown in value and known in identity.
    Ref(Reference),
    /// Unknown.
    Unknown(Unknown),
}

impl Node {
    /// Member of a map, `None` for other values and for missing or null members.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(m) => m.get(key).filter(|n| n.value != Value::Null),
            _ => None,
        }
    }
}
