//! Bandwidth between regions of a CEN instance of Basic Edition (ALIBABA.md §10.1; docs/decisions/010, item 9).

use super::attrs::{Attrs, items};
use super::linker::Linker;
use super::transit::cen;
use super::{Handler, Stage, TypeSpec};
use bartizan_model::*;

pub(super) const HANDLER: &[Handler] = &[Handler {
    spec: TypeSpec {
        name: "alicloud_cen_bandwidth_limit",
        attributes: &["instance_id", "region_ids", "bandwidth_limit"],
    },
    aliases: &[],
    identities: &[],
    steps: &[(Stage::Attach, limit)],
}];

/// Two regions that certainly have bandwidth; what is not known of it leaves it uncertain.
fn limit(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let key = match a.get("instance_id") {
        Some(n) => cen(l, n),
        None => Fact::Unknown(Unknown::at("no CEN instance is set", a.span)),
    };
    if let Fact::Unknown(u) = &key {
        l.unknown(i, "instance_id", u);
    }
    let mut regions = Vec::new();
    let all = a.get("region_ids").map(items);
    for n in all.into_iter().flatten().flatten() {
        regions.extend(l.text(n).known().cloned());
    }
    let some = l.count(i, &a, "bandwidth_limit").known().is_some_and(|n| *n > 0);
    let origin = l.origin(i, a.span);
    let Fact::Known(key) = key else { return };
    if !some || origin.maybe.is_some() {
        return;
    }
    for r in &mut l.typed.transit_routers {
        if r.basic && r.cen.as_ref() == Some(&key) {
            r.bandwidth.get_or_insert_default().push(regions.clone());
        }
    }
}
