//! Turns generic resources into the typed layer.

/// A resource type that the typed layer reads, with every attribute that the code names.
#[derive(Clone, Copy, Debug)]
pub struct TypeSpec {
    /// The type, `alicloud_vpc`.
    pub name: &'static str,
    /// Attribute paths, nested ones as `ingress_acl_entries.policy`.
    pub attributes: &'static [&'static str],
}

/// Every type that the typed layer reads.
#[must_use]
pub fn type_specs() -> Vec<TypeSpec> {
    Vec::new()
}
