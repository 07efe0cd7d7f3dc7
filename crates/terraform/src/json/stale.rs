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

/// Types that hold an EIP by naming it: when one of them goes, or names another, the EIP is free, whatever its `status`
/// was before.
const HOLDERS: [&str; 4] = [
    "alicloud_eip_association",
    "alicloud_alb_load_balancer",
    "alicloud_nlb_load_balancer",
    "alicloud_eci_container_group",
];

/// Whether the values before a plan are looked at of a type when an object of it goes or changes.
fn lets_go(kind: &str) -> bool {
    kind == "alicloud_havip_attachment" || HOLDERS.contains(&kind)
}

const ACL: &str = "alicloud_network_acl";

/// What of a plan may be stale.
pub(super) struct Stale {
    /// Types of which an object goes or changes.
    changed: BTreeSet<String>,
    /// What follows something that changes, by address.
    follows: FxHashMap<Arc<str>, &'static [&'static str]>,
    /// Objects that go or change, as they were.
    gone: Vec<Resource>,
    /// Addresses of EIPs, by id.
    eips: FxHashMap<Arc<str>, Arc<str>>,
    /// Instances that lose their bandwidth, and their public address with it.
    offline: BTreeSet<Arc<str>>,
    /// The network ACL that a plan binds to a vSwitch, by the id of that: its address, or its id.
    taken: FxHashMap<Arc<str>, Arc<str>>,
}

/// An attribute as text.
fn text<'r>(r: &'r Resource, name: &str) -> Option<&'r Arc<str>> {
    match &r.get(name)?.value {
        Value::String(s) if !s.is_empty() => Some(s),
        _ => None,
    }
}

/// Whether a text is anywhere in a value.
fn mentions(v: &Value, what: &str) -> bool {
    match v {
        Value::String(s) => &**s == what,
        Value::List(all) => all.iter().any(|n| mentions(&n.value, what)),
        Value::Map(all) => all.values().any(|n| mentions(&n.value, what)),
        _ => false,
    }
}

/// The vSwitches that a network ACL lists.
fn vswitches(r: &Resource) -> Vec<&Arc<str>> {
    let Some(Value::List(all)) = r.get("resources").map(|n| &n.value) else {
        return Vec::new();
    };
    let all = all.iter().filter_map(|n| match &n.get("resource_id")?.value {
        Value::String(s) => Some(s),
        _ => None,
    });
    all.collect()
}

/// The vSwitches that network ACLs and their attachments take from other ACLs in a plan: what shows on an ACL as it was
/// before is never new.
fn taken(after: &[Resource], old: &FxHashMap<&str, &Resource>) -> FxHashMap<Arc<str>, Arc<str>> {
    let mut out = FxHashMap::default();
    for r in after {
        let old = old.get(&*r.address);
        if &*r.kind == ACL {
            let had = old.map(|r| vswitches(r)).unwrap_or_default();
            let new = vswitches(r).into_iter().filter(|id| !had.contains(id));
            out.extend(new.map(|id| (id.clone(), r.address.clone())));
        } else if &*r.kind == "alicloud_vpc_network_acl_attachment"
            && old.is_none()
            && let Some(id) = text(r, "resource_id")
        {
            // One that is made with it has no id yet.
            let acl = text(r, "network_acl_id").unwrap_or(&r.address);
            out.insert(id.clone(), acl.clone());
        }
    }
    out
}

impl Stale {
    /// Compares the values before a plan with those after it.
    pub(super) fn new(
        changed: BTreeSet<String>,
        goes: impl Fn(&str) -> bool,
        after: &[Resource],
        before: &[Resource],
    ) -> Self {
        let old: FxHashMap<&str, &Resource> = before.iter().map(|r| (&*r.address, r)).collect();
        let mut follows = FxHashMap::default();
        let mut offline = BTreeSet::new();
        for r in after {
            let Some(old) = old.get(&*r.address) else { continue };
            let value = |r: &Resource, name: &str| match r.attributes.get(name).map(|n| n.value.clone()) {
                Some(Value::Null) | None => None,
                Some(v) => Some(v),
            };
            let bandwidth = |r: &Resource| value(r, "internet_max_bandwidth_out");
            let none = |v: Option<Value>| matches!(v, Some(Value::Number(n)) if &*n == "0");
            if &*r.kind == "alicloud_instance" && none(bandwidth(r)) && !none(bandwidth(old)) {
                offline.insert(r.address.clone());
            }
            let mut all = FOLLOWS.iter().filter(|(kind, ..)| *kind == &*r.kind);
            let hit = all.find(|(_, names, _)| names.iter().any(|n| value(r, n) != value(old, n)));
            if let Some((.., what)) = hit {
                follows.insert(r.address.clone(), *what);
            }
        }
        let gone = before
            .iter()
            .filter(|r| !r.data && lets_go(&r.kind) && goes(&r.address));
        let eips = before
            .iter()
            .filter(|r| matches!(&*r.kind, "alicloud_eip_address" | "alicloud_eip"));
        Stale {
            changed,
            follows,
            gone: gone.cloned().collect(),
            eips: eips
                .filter_map(|r| Some((text(r, "id")?.clone(), text(r, "ip_address")?.clone())))
                .collect(),
            offline,
            taken: taken(after, &old),
        }
    }

    /// The objects of a type that go or change. `None` where the plan does not show how they were.
    fn gone(&self, kind: &str) -> Option<Vec<&Resource>> {
        let all: Vec<&Resource> = self.gone.iter().filter(|r| &*r.kind == kind).collect();
        (!all.is_empty() || !self.changed.contains(kind)).then_some(all)
    }

    /// Who holds a virtual IP, and which addresses are bound to it.
    fn vip(&self, r: &mut Resource) {
        let id = text(r, "id").cloned();
        let instances = self.gone("alicloud_havip_attachment").and_then(|all| {
            let mine = all.into_iter().filter(|g| {
                let vip = text(g, "ha_vip_id").or_else(|| text(g, "havip_id"));
                vip.is_none() || id.is_none() || vip == id.as_ref()
            });
            mine.map(|g| text(g, "instance_id").cloned())
                .collect::<Option<Vec<_>>>()
        });
        let eips = self.gone("alicloud_eip_association").and_then(|all| {
            let mine = all.into_iter().filter(|g| {
                let to = text(g, "instance_id");
                to.is_none() || id.is_none() || to == id.as_ref()
            });
            mine.map(|g| self.eips.get(text(g, "allocation_id")?).cloned())
                .collect::<Option<Vec<_>>>()
        });
        without(r, "associated_instances", instances);
        without(r, "associated_eip_addresses", eips);
    }

    /// Takes back what nobody wrote and other resources of the plan take away.
    fn moved(&self, r: &mut Resource, written: impl Fn(&str) -> bool) {
        match &*r.kind {
            "alicloud_vpc_ha_vip" | "alicloud_havip" => self.vip(r),
            "alicloud_eip_address" | "alicloud_eip" => {
                let Some(id) = text(r, "id").cloned() else { return };
                let held = |g: &Resource| {
                    HOLDERS.contains(&&*g.kind) && g.attributes.values().any(|n| mentions(&n.value, &id))
                };
                if self.gone.iter().any(held) {
                    r.attributes.remove("status");
                }
            }
            "alicloud_instance" if self.offline.contains(&r.address) => {
                r.attributes.remove("public_ip");
            }
            ACL if !written("resources") => {
                let (own, address) = (text(r, "id").cloned(), r.address.clone());
                let other = |n: &Node| {
                    let Some(Value::String(vsw)) = n.get("resource_id").map(|n| &n.value) else {
                        return true;
                    };
                    let by = self.taken.get(vsw);
                    by.is_none_or(|by| *by == address || Some(by) == own.as_ref())
                };
                if let Some(Value::List(all)) = r.attributes.get_mut("resources").map(|n| &mut n.value) {
                    all.retain(other);
                }
            }
            _ => {}
        }
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
        self.moved(r, written);
        for (kind, name, from) in COPIES {
            if *kind != &*r.kind || written(name) || !from.iter().any(|k| self.changed.contains(*k)) {
                continue;
            }
            if let Some(n) = r.attributes.get_mut(*name) {
                *n = Node {
                    value: Value::Unknown(Unknown::at(TAKEN, n.span)),
                    span: n.span,
                };
            }
        }
    }
}

/// Takes members out of a list that nobody wrote; it is not known where it is not known which go.
fn without(r: &mut Resource, name: &str, gone: Option<Vec<Arc<str>>>) {
    let Some(n) = r.attributes.get_mut(name) else {
        return;
    };
    match (&mut n.value, gone) {
        (Value::List(all), Some(gone)) => {
            all.retain(|n| !matches!(&n.value, Value::String(s) if gone.contains(s)));
        }
        (Value::List(all), None) if all.is_empty() => {}
        (v @ Value::List(_), None) => {
            *v = Value::Unknown(Unknown::at(TAKEN, n.span));
        }
        _ => {}
    }
}

/// Why a value that shows what others write is not known after a plan.
const TAKEN: &str = "it is as before the plan, which takes something from it or changes it";

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
