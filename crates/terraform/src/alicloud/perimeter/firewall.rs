//! Firewalls, their modes and address books.

use super::super::attrs::{Attrs, Blocks, items};
use super::super::linker::{Entity, Found, Linker, as_table, next};
use super::super::transit::{as_router, cen};
use super::super::{Handler, Identity, Role, Stage, TypeSpec, own};
use super::{Book, Declared, Owner};
use bartizan_model::*;
use bartizan_packet::PortSet;
use std::sync::Arc;

pub(crate) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_instance",
            attributes: &["id"],
        },
        aliases: &["alicloud_cloud_firewall_instance_v2"],
        identities: &[own("id")],
        steps: &[(Stage::Declare, instance)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_policy_advanced_config",
            attributes: &["internet_switch"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, advanced)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_address_book",
            attributes: &["id", "group_name", "group_type", "address_list"],
        },
        aliases: &[],
        identities: &[
            own("id"),
            // Names are found by the reader itself: they are no ids.
            Identity {
                attribute: "group_name",
                role: Role::Own,
                literal: false,
            },
        ],
        steps: &[(Stage::Declare, book), (Stage::Fill, fill_book)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_nat_firewall",
            attributes: &[
                "id",
                "proxy_name",
                "nat_gateway_id",
                "firewall_switch",
                "status",
                "strict_mode",
                "nat_route_entry_list",
                "nat_route_entry_list.route_table_id",
                "nat_route_entry_list.destination_cidr",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Fill, nat)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_vpc_firewall",
            attributes: &[
                "id",
                "vpc_firewall_id",
                "vpc_firewall_name",
                "status",
                "local_vpc",
                "local_vpc.local_vpc_cidr_table_list",
                "local_vpc.local_vpc_cidr_table_list.local_route_table_id",
                "local_vpc.local_vpc_cidr_table_list.local_route_entry_list",
                "local_vpc.local_vpc_cidr_table_list.local_route_entry_list.local_destination_cidr",
                "local_vpc.local_vpc_cidr_table_list.local_route_entry_list.local_next_hop_instance_id",
                "peer_vpc",
                "peer_vpc.peer_vpc_cidr_table_list",
                "peer_vpc.peer_vpc_cidr_table_list.peer_route_table_id",
                "peer_vpc.peer_vpc_cidr_table_list.peer_route_entry_list",
                "peer_vpc.peer_vpc_cidr_table_list.peer_route_entry_list.peer_destination_cidr",
                "peer_vpc.peer_vpc_cidr_table_list.peer_route_entry_list.peer_next_hop_instance_id",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("vpc_firewall_id")],
        steps: &[(Stage::Declare, between), (Stage::Fill, express)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_vpc_firewall_cen",
            attributes: &[
                "id",
                "vpc_firewall_id",
                "vpc_firewall_name",
                "status",
                "cen_id",
                "local_vpc",
                "local_vpc.network_instance_id",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("vpc_firewall_id")],
        steps: &[(Stage::Declare, between), (Stage::Fill, basic)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_vpc_cen_tr_firewall",
            attributes: &["id", "firewall_name", "cen_id", "transit_router_id"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, between), (Stage::Fill, router)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_vpc_firewall_acl_engine_mode",
            attributes: &["vpc_firewall_id", "strict_mode"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, mode)],
    },
];

fn instance(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &[]);
    l.perimeter.instance.get_or_insert(meta);
}

fn advanced(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let strict = l.either(i, &a, "internet_switch", ("on", "off"), false);
    let strict = if_there(l, i, &a, strict);
    l.perimeter.strict = Some(match l.perimeter.strict.take() {
        // The switch is one for the whole account: two that disagree overwrite one another.
        Some(before) if before != strict => {
            let at = a.get("internet_switch").map_or(a.span, |n| n.span);
            let why = "another `alicloud_cloud_firewall_policy_advanced_config` sets it otherwise";
            let u = Unknown::at(why, at);
            l.unknown(i, "internet_switch", &u);
            Fact::Unknown(u)
        }
        _ => strict,
    });
}

/// What a resource says about another one, which it may not be there to say.
fn if_there(l: &Linker<'_>, i: usize, a: &Attrs<'_>, said: Fact<bool>) -> Fact<bool> {
    match l.origin(i, a.span).maybe {
        Some(u) => Fact::Unknown(*u),
        None => said,
    }
}

fn book(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let n = l.perimeter.books.len();
    if let Some(Fact::Known(name)) = a.get("group_name").map(|n| l.text(n)) {
        let by_name = &mut l.perimeter.by_name;
        let again = by_name.contains_key(&name);
        by_name.insert(name, (!again).then_some(n));
    }
    l.perimeter.books.push(Book {
        peers: Vec::new(),
        ports: None,
    });
    l.declare(i, Entity::Book(next(n)));
}

fn fill_book(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Book(n))) = l.entity.get(i).copied() else {
        return;
    };
    let kind = a.get("group_type").map(|n| l.text(n));
    let kind = kind.and_then(|k| k.known().map(|k| k.to_ascii_lowercase()));
    let list = match a.get("address_list") {
        None => Ok(Vec::new()),
        Some(n) => items(n),
    };
    let (mut peers, mut ports) = (Vec::new(), None);
    match (kind.as_deref(), list) {
        (Some("ip" | "ipv6"), Ok(all)) => {
            peers = all
                .into_iter()
                .map(|n| super::policy::address(l, i, "address_list", n))
                .collect();
        }
        (Some("domain"), Ok(all)) => {
            for n in all {
                peers.push(match l.text(n) {
                    Fact::Known(t) => FirewallPeer::Elsewhere(t),
                    Fact::Unknown(u) => FirewallPeer::Unknown(u),
                });
            }
        }
        (Some("port"), Ok(all)) => {
            let mut set = Fact::Known(PortSet::empty());
            for n in all {
                let one = l.parsed(
                    i,
                    "address_list",
                    n,
                    "write ports as `80/88`",
                    super::policy::ports,
                );
                set = match (set, one) {
                    (Fact::Known(a), Fact::Known(b)) => Fact::Known(a.union(&b)),
                    (Fact::Unknown(u), _) | (_, Fact::Unknown(u)) => Fact::Unknown(u),
                };
            }
            ports = Some(set);
        }
        (_, list) => {
            let u = list.err().unwrap_or_else(|| {
                Unknown::at("the cloud fills this address book from tags or assets", a.span)
            });
            l.unknown(i, "address_list", &u);
            ports = Some(Fact::Unknown(u.clone()));
            peers.push(FirewallPeer::Unknown(u));
        }
    }
    // A book that may not exist holds what is not known.
    if let Some(u) = l.origin(i, a.span).maybe {
        peers = vec![FirewallPeer::Unknown((*u).clone())];
        ports = ports.map(|_| Fact::Unknown(*u));
    }
    if let Some(b) = l.perimeter.books.get_mut(n as usize) {
        (b.peers, b.ports) = (peers, ports);
    }
}

/// `open` and `close` of a switch.
fn switch(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, names: &[&'static str]) -> Fact<bool> {
    let Some((name, n)) = a.first(names) else {
        let u = Unknown::at("the cloud decides whether this firewall is on", a.span);
        l.unknown(i, names.first().copied().unwrap_or("status"), &u);
        return Fact::Unknown(u);
    };
    l.parsed(i, name, n, "write `open` or `close`", |s| {
        match s.to_ascii_lowercase().as_str() {
            "open" | "opened" | "normal" => Ok(true),
            "close" | "closed" => Ok(false),
            _ => Err(format!("`{s}` is neither `open` nor `close`")),
        }
    })
}

fn nat(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["proxy_name"]);
    let nat = l.link(i, &a, &["nat_gateway_id"], "NAT gateway", |e| {
        if let Entity::Nat(n) = e { Some(n) } else { None }
    });
    let on = switch(l, i, &a, &["firewall_switch", "status"]);
    let strict = l.count(i, &a, "strict_mode").map(|n| n == 1);
    let mut routes = Vec::new();
    match a.blocks("nat_route_entry_list") {
        Blocks::Absent => {}
        // What is not known is led past it, as far as anything counts on it.
        Blocks::Unknown(u) => {
            l.unknown(i, "nat_route_entry_list", &u);
            routes.push((Fact::Unknown(u.clone()), Fact::Unknown(u)));
        }
        Blocks::List(all) => {
            for b in &all {
                let table = l.link(i, b, &["route_table_id"], "route table", as_table);
                if let Some(n) = b.get("destination_cidr") {
                    routes.push((table, l.net(i, "destination_cidr", n)));
                }
            }
        }
    }
    let on = match &meta.origin.maybe {
        Some(u) => Fact::Unknown((**u).clone()),
        None => on,
    };
    l.perimeter.nats.push(Declared {
        meta,
        place: FirewallPlace::Nat { nat, routes },
        cen: None,
        on,
        strict,
    });
}

fn between(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let name = ["vpc_firewall_name", "firewall_name"]
        .into_iter()
        .find(|n| a.declared(n));
    let meta = l.meta(i, &a, name.as_slice());
    let n = l.perimeter.between.len();
    l.perimeter.between.push(Declared {
        meta,
        place: FirewallPlace::Vpc(Vec::new()),
        cen: None,
        on: Fact::Known(true),
        strict: Fact::Unknown(Unknown::at(
            "no mode is set: newer firewalls begin in strict mode, older ones in loose mode",
            a.span,
        )),
    });
    l.declare(i, Entity::VpcFirewall(next(n)));
}

/// Where a firewall stands and whether it is on.
fn fill(l: &mut Linker<'_>, i: usize, on: Fact<bool>, at: Vec<Boundary>, cen: Option<Fact<Arc<str>>>) {
    let Some(Some(Entity::VpcFirewall(n))) = l.entity.get(i).copied() else {
        return;
    };
    if let Some(d) = l.perimeter.between.get_mut(n as usize) {
        (d.on, d.place, d.cen) = (on, FirewallPlace::Vpc(at), cen);
    }
}

/// The names of what is in one of the two lists of redirected routes.
struct Side {
    vpc: &'static str,
    tables: &'static str,
    table: &'static str,
    entries: &'static str,
    destination: &'static str,
    hop: &'static str,
}

const SIDES: [Side; 2] = [
    Side {
        vpc: "local_vpc",
        tables: "local_vpc_cidr_table_list",
        table: "local_route_table_id",
        entries: "local_route_entry_list",
        destination: "local_destination_cidr",
        hop: "local_next_hop_instance_id",
    },
    Side {
        vpc: "peer_vpc",
        tables: "peer_vpc_cidr_table_list",
        table: "peer_route_table_id",
        entries: "peer_route_entry_list",
        destination: "peer_destination_cidr",
        hop: "peer_next_hop_instance_id",
    },
];

/// The blocks of a list; what is not known of it becomes a place that is not known.
fn listed<'a>(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'a>,
    name: &'static str,
    at: &mut Vec<Boundary>,
) -> Vec<Attrs<'a>> {
    match a.blocks(name) {
        Blocks::List(all) => all,
        Blocks::Absent => Vec::new(),
        Blocks::Unknown(u) => {
            l.unknown(i, name, &u);
            at.push(Boundary::Unknown(u));
            Vec::new()
        }
    }
}

/// Express Connect: the routes that lead to the other VPC are redirected.
fn express(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let on = switch(l, i, &a, &["status"]);
    let mut at = Vec::new();
    for s in &SIDES {
        for vpc in listed(l, i, &a, s.vpc, &mut at) {
            for t in listed(l, i, &vpc, s.tables, &mut at) {
                let table = l.link(i, &t, &[s.table], "route table", as_table);
                for e in listed(l, i, &t, s.entries, &mut at) {
                    let destination = match e.get(s.destination) {
                        Some(n) => l.net(i, s.destination, n),
                        None => Fact::Unknown(Unknown::at("no destination is set", a.span)),
                    };
                    let hop = l.link(i, &e, &[s.hop], "router interface or peering", |e| match e {
                        Entity::RouterInterface(r) => Some(NextHop::RouterInterface(r)),
                        Entity::Peering(p) => Some(NextHop::Peering(p)),
                        _ => None,
                    });
                    at.push(Boundary::Route {
                        table: table.clone(),
                        destination,
                        hop,
                    });
                }
            }
        }
    }
    fill(l, i, on, at, None);
}

fn cen_of(l: &mut Linker<'_>, a: &Attrs<'_>) -> Fact<Arc<str>> {
    match a.get("cen_id") {
        Some(n) => cen(l, n),
        None => Fact::Unknown(Unknown::at("no CEN instance is set", a.span)),
    }
}

/// CEN: a firewall at one VPC.
fn basic(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let on = switch(l, i, &a, &["status"]);
    let cen = cen_of(l, &a);
    let mut at = Vec::new();
    for b in listed(l, i, &a, "local_vpc", &mut at) {
        let found = b.get("network_instance_id").map(|n| l.find(n));
        at.push(match found {
            Some(Found::Entity(Entity::Vpc(v))) => Boundary::Vpc {
                vpc: Fact::Known(v),
                cen: cen.clone(),
            },
            Some(Found::Unknown(u)) => Boundary::Vpc {
                vpc: Fact::Unknown(u),
                cen: cen.clone(),
            },
            _ => Boundary::Unknown(Unknown::at("it is at no VPC of the inventory", a.span)),
        });
    }
    fill(l, i, on, at, Some(cen));
}

/// A firewall at an Enterprise transit router.
fn router(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let cen = cen_of(l, &a);
    let router = l.link(i, &a, &["transit_router_id"], "transit router", as_router);
    fill(l, i, Fact::Known(true), vec![Boundary::Router(router)], Some(cen));
}

fn mode(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let strict = l.count(i, &a, "strict_mode").map(|n| n == 1);
    let strict = if_there(l, i, &a, strict);
    let Some(n) = a.get("vpc_firewall_id") else { return };
    let owner = super::policy::owner(l, &n.clone());
    let mut found = false;
    for (k, d) in l.perimeter.between.iter_mut().enumerate() {
        let mine = match (&owner, &d.cen) {
            (Owner::Vpc(at), _) => *at == Some(k),
            (Owner::Cen(key), Some(cen)) => cen.known() == Some(key),
            _ => false,
        };
        if mine {
            (d.strict, found) = (strict.clone(), true);
        }
    }
    if !found {
        let ids = l.perimeter.between.iter().all(|d| d.meta.id.is_some());
        if super::policy::may_be_here(l, Some(n), ids) {
            let why = "a mode is set of a firewall between VPCs that is not known";
            l.perimeter.stray_mode = Some(Unknown::at(why, n.span));
        }
        l.note(i, "`vpc_firewall_id`: not a firewall of the inventory");
    }
}
