//! Route maps of CEN instances (ALIBABA.md §10.5).

use super::attrs::{Attrs, items};
use super::linker::Linker;
use super::transit::{as_tr_table, cen, vpcs};
use super::{Handler, Stage, TypeSpec};
use bartizan_model::*;
use std::sync::Arc;

pub(super) const HANDLER: Handler = Handler {
    spec: TypeSpec {
        name: "alicloud_cen_route_map",
        attributes: &[
            "cen_id",
            "cen_region_id",
            "transit_router_route_table_id",
            "transmit_direction",
            "priority",
            "map_result",
            "next_priority",
            "destination_cidr_blocks",
            "cidr_match_mode",
            "source_instance_ids",
            "source_instance_ids_reverse_match",
            "destination_instance_ids",
            "destination_instance_ids_reverse_match",
            "source_child_instance_types",
            "destination_child_instance_types",
            "source_region_ids",
            "source_route_table_ids",
            "destination_route_table_ids",
            "route_types",
            "match_asns",
            "match_community_set",
        ],
    },
    aliases: &[],
    identities: &[],
    steps: &[(Stage::Attach, route_map)],
};

/// Conditions that need what is not modelled.
const UNMODELLED: [&str; 8] = [
    "source_child_instance_types",
    "destination_child_instance_types",
    "source_region_ids",
    "source_route_table_ids",
    "destination_route_table_ids",
    "route_types",
    "match_asns",
    "match_community_set",
];

fn number(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str) -> Option<Fact<u8>> {
    let n = a.get(name)?;
    Some(l.parsed(i, name, n, "write a number from 1 to 100", |s| {
        s.parse::<u8>()
            .ok()
            .filter(|p| (1..=100).contains(p))
            .ok_or_else(|| format!("`{s}` is not a number from 1 to 100"))
    }))
}

fn from_vpcs(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    name: &'static str,
    reverse: &'static str,
) -> Option<(Vec<Fact<VpcId>>, bool)> {
    let node = a.get(name)?;
    if items(node).is_ok_and(|v| v.is_empty()) {
        return None;
    }
    let mut list = vpcs(l, i, name, node);
    let reversed = match l.flag(i, a, reverse, false) {
        Fact::Known(r) => r,
        Fact::Unknown(u) => {
            list = vec![Fact::Unknown(u)];
            false
        }
    };
    Some((list, reversed))
}

fn route_map(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let unset = |what: &str| Unknown::at(format!("no {what} is set"), a.span);
    let cen = match a.get("cen_id") {
        Some(n) => cen(l, n),
        None => Fact::Unknown(unset("CEN instance")),
    };
    let region = match a.get("cen_region_id") {
        Some(n) => l.text(n),
        None => Fact::Unknown(unset("region")),
    };
    let table = a.get("transit_router_route_table_id").map(|n| {
        l.link_node(
            i,
            "transit_router_route_table_id",
            n,
            "table of a transit router",
            as_tr_table,
        )
    });
    let receives = l.either(i, &a, "transmit_direction", ("RegionIn", "RegionOut"), true);
    let permit = l.either(i, &a, "map_result", ("Permit", "Deny"), true);
    let priority = number(l, i, &a, "priority").unwrap_or_else(|| Fact::Unknown(unset("priority")));
    let next_priority = number(l, i, &a, "next_priority");
    let prefixes = match a.get("destination_cidr_blocks") {
        None => None,
        Some(n) => match items(n) {
            Ok(all) if all.is_empty() => None,
            Ok(all) => Some(
                all.into_iter()
                    .map(|n| l.net(i, "destination_cidr_blocks", n))
                    .collect(),
            ),
            Err(u) => {
                l.unknown(i, "destination_cidr_blocks", &u);
                Some(vec![Fact::Unknown(u)])
            }
        },
    };
    let complete = l.either(i, &a, "cidr_match_mode", ("Complete", "Include"), false);
    let match_mode = complete.map(|c| {
        if c {
            CidrMatch::Complete
        } else {
            CidrMatch::Include
        }
    });
    let sources = from_vpcs(
        l,
        i,
        &a,
        "source_instance_ids",
        "source_instance_ids_reverse_match",
    );
    let destinations = from_vpcs(
        l,
        i,
        &a,
        "destination_instance_ids",
        "destination_instance_ids_reverse_match",
    );
    let mut unmodelled: Vec<Arc<str>> = Vec::new();
    for name in UNMODELLED {
        let set = a.get(name).is_some_and(|n| !items(n).is_ok_and(|v| v.is_empty()));
        if set {
            l.note(i, format!("`{name}`: this condition is not modelled"));
            unmodelled.push(name.into());
        }
    }
    let origin = l.origin(i, a.span);
    l.typed.route_maps.push(RouteMap {
        origin,
        cen,
        region,
        table,
        receives,
        priority,
        permit,
        next_priority,
        prefixes,
        match_mode,
        sources,
        destinations,
        unmodelled,
    });
}
