//! Values of a plan that nobody wrote and that are as they were before it: the provider fills them in from the cloud,
//! and what else the plan does may change them.

use super::references::Owner;
use bartizan_model::{Node, Resource, Unknown, Value};
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What other resources write shows on the one that they write to: of (type, attribute) from these types.
const COPIES: &[(&str, &str, &[&str])] = &[
    (
        "alicloud_network_acl",
        "resources",
        &[
            "alicloud_vpc_network_acl_attachment",
            "alicloud_network_acl_attachment",
        ],
    ),
    (
        "alicloud_network_acl",
        "ingress_acl_entries",
        &["alicloud_network_acl_entries"],
    ),
    (
        "alicloud_network_acl",
        "egress_acl_entries",
        &["alicloud_network_acl_entries"],
    ),
    (
        "alicloud_slb_server_group",
        "servers",
        &[
            "alicloud_slb_server_group_server_attachment",
            "alicloud_ess_scalinggroup_vserver_groups",
        ],
    ),
    (
        "alicloud_slb_acl",
        "entry_list",
        &["alicloud_slb_acl_entry_attachment"],
    ),
    (
        "alicloud_alb_acl",
        "acl_entries",
        &["alicloud_alb_acl_entry_attachment"],
    ),
    (
        "alicloud_alb_listener",
        "acl_config",
        &["alicloud_alb_listener_acl_attachment"],
    ),
    (
        "alicloud_nlb_load_balancer",
        "security_group_ids",
        &["alicloud_nlb_load_balancer_security_group_attachment"],
    ),
    (
        "alicloud_vpc",
        "secondary_cidr_blocks",
        &["alicloud_vpc_ipv4_cidr_block"],
    ),
    (
        "alicloud_privatelink_vpc_endpoint_service",
        "resource",
        &["alicloud_privatelink_vpc_endpoint_service_resource"],
    ),
];

/// What the cloud picks anew when another attribute changes: of a type, the ones that change and the ones that follow.
const FOLLOWS: &[(&str, &[&str], &[&str])] = &[
    (
        "alicloud_instance",
        &["vswitch_id", "subnet_id"],
        &[
            "private_ip",
            "primary_ip_address",
            "secondary_private_ips",
            "ipv6_addresses",
        ],
    ),
    (
        "alicloud_vswitch",
        &["enable_ipv6", "ipv6_cidr_block_mask"],
        &["ipv6_cidr_block"],
    ),
    ("alicloud_vpc", &["enable_ipv6"], &["ipv6_cidr_block"]),
    ("alicloud_db_instance", &["vswitch_id"], &["private_ip_address"]),
    ("alicloud_kvstore_instance", &["vswitch_id"], &["private_ip"]),
];

/// What of a plan may be stale.
pub(super) struct Stale {
    /// Types of which an object goes or changes.
    changed: BTreeSet<String>,
    /// What follows something that changes, by address.
    follows: FxHashMap<Arc<str>, &'static [&'static str]>,
}

impl Stale {
    /// Compares the values before a plan with those after it.
    pub(super) fn new(changed: BTreeSet<String>, after: &[Resource], before: &[Resource]) -> Self {
        let old: FxHashMap<&str, &Resource> = before.iter().map(|r| (&*r.address, r)).collect();
        let mut follows = FxHashMap::default();
        for r in after {
            let Some(old) = old.get(&*r.address) else { continue };
            let value = |r: &Resource, name: &str| match r.attributes.get(name).map(|n| n.value.clone()) {
                Some(Value::Null) | None => None,
                Some(v) => Some(v),
            };
            let mut all = FOLLOWS.iter().filter(|(kind, ..)| *kind == &*r.kind);
            let hit = all.find(|(_, names, _)| names.iter().any(|n| value(r, n) != value(old, n)));
            if let Some((.., what)) = hit {
                follows.insert(r.address.clone(), *what);
            }
        }
        Stale { changed, follows }
    }

    /// Takes back what nobody wrote of a resource and what may be another after the plan.
    pub(super) fn take(&self, r: &mut Resource, o: Option<&Owner<'_>>, own: Option<&Resource>) {
        let written = |name: &str| match own {
            Some(own) => own.attributes.get(name).is_some_and(|n| n.value != Value::Null),
            None => o.is_some_and(|o| o.block.expressions.get(name).is_some()),
        };
        for name in self.follows.get(&r.address).copied().unwrap_or_default() {
            if !written(name) {
                r.attributes.remove(*name);
            }
        }
        for (kind, name, from) in COPIES {
            if *kind != &*r.kind || written(name) || !from.iter().any(|k| self.changed.contains(*k)) {
                continue;
            }
            if let Some(n) = r.attributes.get_mut(*name) {
                let why = "it is as before the plan, which takes something from it or changes it";
                *n = Node {
                    value: Value::Unknown(Unknown::at(why, n.span)),
                    span: n.span,
                };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alicloud::type_specs;

    /// A name that nothing reads would guard nothing.
    #[test]
    fn every_name_is_one_that_is_read() {
        let specs = type_specs();
        let reads = |kind: &str, name: &str| {
            let spec = specs.iter().find(|s| s.name == kind);
            let inside = format!("{name}.");
            spec.is_some_and(|s| s.attributes.iter().any(|a| *a == name || a.starts_with(&inside)))
        };
        for (kind, name, from) in COPIES {
            assert!(reads(kind, name), "{kind} {name}");
            for k in *from {
                assert!(specs.iter().any(|s| s.name == *k), "{k}");
            }
        }
        for (kind, names, what) in FOLLOWS {
            for name in names.iter().chain(*what) {
                assert!(reads(kind, name), "{kind} {name}");
            }
        }
    }
}
