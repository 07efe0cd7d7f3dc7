//! Hosts of which nobody knows how many there are (`count` or `for_each` without a value).
//!
//! One instance, `x[?]`, stands for all of them. What any of them does to somebody else it does as well; what one of them
//! does to another it does not, as nothing is asked to reach itself. So there are two of them, as two members stand for a
//! scaling group (docs/decisions/016, 11).

use super::linker::{Linker, next};
use bartizan_model::*;
use rustc_hash::FxHashMap;

/// The types whose instances open connections and may be several.
const HOSTS: [&str; 4] = [
    "alicloud_instance",
    "alicloud_ecs_network_interface",
    "alicloud_network_interface",
    "alicloud_eci_container_group",
];

/// Gives every interface of which there may be several a twin.
pub(super) fn settle(l: &mut Linker<'_>) {
    let several = |address: &str| address.contains("[?]");
    let mut instances: FxHashMap<InstanceId, InstanceId> = FxHashMap::default();
    let mut twins: FxHashMap<InterfaceId, InterfaceId> = FxHashMap::default();
    for n in 0..l.typed.interfaces.len() {
        let id = InterfaceId(next(n));
        let i = &l.typed[id];
        let address = i.meta.origin.address.clone();
        let host = |kind: &str| HOSTS.contains(&kind);
        let kind = l
            .position(&address)
            .and_then(|p| l.res.get(p))
            .map(|r| r.kind.clone());
        // A written address is that of one host, so there is one at most.
        let one = matches!(
            i.addresses.first().map(|a| &a.spec),
            Some(AddressSpec::Ip(_)) | None
        );
        if !several(&address) || !kind.is_some_and(|k| host(&k)) || one {
            continue;
        }
        let mut twin = i.clone();
        if let Some(of) = twin.instance {
            let other = *instances.entry(of).or_insert_with(|| {
                let other = InstanceId(next(l.typed.instances.len()));
                let copy = l.typed[of].clone();
                l.typed.instances.push(copy);
                other
            });
            twin.instance = Some(other);
        }
        for p in &mut twin.public {
            let why = Unknown::at(
                "how many there are is not known, and which public address each has",
                p.origin.span,
            );
            p.ip = Fact::Unknown(why.clone());
            p.eip = None;
            p.origin.doubt(|| why);
        }
        twins.insert(id, InterfaceId(next(l.typed.interfaces.len())));
        l.typed.interfaces.push(twin);
    }
    if twins.is_empty() {
        return;
    }
    for b in &mut l.typed.balancers {
        for listener in &mut b.listeners {
            let more: Vec<Forward> = listener
                .forwards
                .iter()
                .filter_map(|f| {
                    let to = match &f.to {
                        Backend::Interface(x) => Backend::Interface(*twins.get(x)?),
                        Backend::Ipv6(x) => Backend::Ipv6(*twins.get(x)?),
                        Backend::At(x, n) => Backend::At(*twins.get(x)?, *n),
                        Backend::Ip(_) | Backend::Unknown(_) => return None,
                    };
                    Some(Forward { to, ..f.clone() })
                })
                .collect();
            listener.forwards.extend(more);
        }
    }
}
