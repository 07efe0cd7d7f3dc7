//! Policies of firewalls and their orders (ALIBABA.md §13.2).

use super::super::attrs::{Attrs, items};
use super::super::linker::{Entity, Found, Linker, next};
use super::super::transit::cen;
use super::super::{Handler, Stage, TypeSpec, own, parse};
use super::{Owner, Slot};
use bartizan_model::*;
use bartizan_packet::{PortSet, Proto, ServiceSet};

pub(crate) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_control_policy",
            attributes: &[
                "id",
                "acl_uuid",
                "description",
                "direction",
                "acl_action",
                "source",
                "source_type",
                "destination",
                "destination_type",
                "proto",
                "application_name",
                "application_name_list",
                "dest_port",
                "dest_port_type",
                "dest_port_group",
                "ip_version",
                "release",
                "repeat_type",
                "repeat_days",
                "repeat_start_time",
                "repeat_end_time",
                "start_time",
                "end_time",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("acl_uuid")],
        steps: &[
            (Stage::Declare, |l, i, a| declare(l, i, a, Owner::Internet)),
            (Stage::Attach, |l, i, a| fill(l, i, a, None)),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_control_policy_order",
            attributes: &["acl_uuid", "order"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, order)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_nat_firewall_control_policy",
            attributes: &[
                "id",
                "acl_uuid",
                "description",
                "nat_gateway_id",
                "acl_action",
                "source",
                "source_type",
                "destination",
                "destination_type",
                "proto",
                "application_name_list",
                "dest_port",
                "dest_port_type",
                "dest_port_group",
                "ip_version",
                "release",
                "repeat_type",
                "repeat_days",
                "repeat_start_time",
                "repeat_end_time",
                "start_time",
                "end_time",
                "new_order",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("acl_uuid")],
        steps: &[
            (Stage::Declare, |l, i, a| {
                let u = Unknown::at("not linked", a.span);
                declare(l, i, a, Owner::Nat(Fact::Unknown(u)));
            }),
            (Stage::Attach, at_nat),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_nat_firewall_control_policy_order",
            attributes: &["acl_uuid", "order"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, order)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_vpc_firewall_control_policy",
            attributes: &[
                "id",
                "acl_uuid",
                "description",
                "vpc_firewall_id",
                "acl_action",
                "source",
                "source_type",
                "destination",
                "destination_type",
                "proto",
                "application_name",
                "application_name_list",
                "dest_port",
                "dest_port_type",
                "dest_port_group",
                "release",
                "repeat_type",
                "repeat_days",
                "repeat_start_time",
                "repeat_end_time",
                "start_time",
                "end_time",
                "order",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("acl_uuid")],
        steps: &[
            (Stage::Declare, |l, i, a| declare(l, i, a, Owner::Vpc(None))),
            (Stage::Attach, at_vpc),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cloud_firewall_vpc_firewall_control_policy_order",
            attributes: &["acl_uuid", "order"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, order)],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>, owner: Owner) {
    let meta = l.meta(i, &a, &["description"]);
    let n = l.perimeter.slots.len();
    l.perimeter.slots.push(Slot {
        owner,
        meta,
        rule: None,
        portless: false,
        order: None,
        stray: false,
    });
    l.declare(i, Entity::Policy(next(n)));
}

fn slot<'l>(l: &'l mut Linker<'_>, i: usize) -> Option<&'l mut Slot> {
    match l.entity.get(i).copied().flatten() {
        Some(Entity::Policy(n)) => l.perimeter.slots.get_mut(n as usize),
        _ => None,
    }
}

fn at_nat(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let nat = l.link(i, &a, &["nat_gateway_id"], "NAT gateway", |e| {
        if let Entity::Nat(n) = e { Some(n) } else { None }
    });
    let ids = l.typed.nat_gateways.iter().all(|n| n.meta.id.is_some());
    let stray = nat.known().is_none() && may_be_here(l, a.get("nat_gateway_id"), ids);
    if let Some(s) = slot(l, i) {
        (s.owner, s.stray) = (Owner::Nat(nat), stray);
    }
    fill(l, i, a, Some("new_order"));
}

fn at_vpc(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let node = a.get("vpc_firewall_id").cloned();
    let owner = node.map_or(Owner::Vpc(None), |n| owner(l, &n));
    if owner == Owner::Vpc(None) {
        l.note(
            i,
            "`vpc_firewall_id`: not a firewall of the inventory, so it may stand between any VPCs",
        );
    }
    let ids = l.perimeter.between.iter().all(|d| d.meta.id.is_some());
    // The id of a CEN instance means its firewalls.
    let strange = match a.get("vpc_firewall_id").map(|n| l.find(n)) {
        Some(Found::Foreign(id)) => !id.starts_with("cen-"),
        _ => false,
    };
    let stray = (strange || owner == Owner::Vpc(None)) && may_be_here(l, a.get("vpc_firewall_id"), ids);
    if let Some(s) = slot(l, i) {
        (s.owner, s.stray) = (owner, stray);
    }
    fill(l, i, a, Some("order"));
}

/// Whether what a value names and nobody has may be something that is declared: not if it is an id and all of these show theirs.
pub(super) fn may_be_here(l: &mut Linker<'_>, named: Option<&Node>, ids: bool) -> bool {
    !matches!(named.map(|n| l.find(n)), Some(Found::Foreign(_)) if ids)
}

/// The firewall between VPCs that an id names, or the CEN instance whose firewalls share their policies.
pub(super) fn owner(l: &mut Linker<'_>, node: &Node) -> Owner {
    match l.find(node) {
        Found::Entity(Entity::VpcFirewall(n)) => Owner::Vpc(Some(n as usize)),
        Found::Resource(_) | Found::Foreign(_) => match cen(l, node) {
            Fact::Known(key) => Owner::Cen(key),
            Fact::Unknown(_) => Owner::Vpc(None),
        },
        _ => Owner::Vpc(None),
    }
}

fn order(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let policy = l.link(i, &a, &["acl_uuid"], "firewall policy", |e| {
        if let Entity::Policy(n) = e { Some(n) } else { None }
    });
    let mut place = match a.get("order") {
        Some(n) => l.parsed(i, "order", n, "write a whole number from 1", whole),
        None => Fact::Unknown(Unknown::at("no order is set", a.span)),
    };
    if let Some(u) = l.origin(i, a.span).maybe {
        place = Fact::Unknown(*u);
    }
    let policy = policy.known().map(|n| *n as usize);
    l.perimeter.orders.push((policy, place));
}

fn whole(s: &str) -> Result<u32, String> {
    s.trim()
        .parse()
        .ok()
        .filter(|n| *n > 0)
        .ok_or_else(|| format!("`{s}` is not a whole number from 1"))
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>, order: Option<&'static str>) {
    let internet = a.declared("direction");
    let inbound = if internet {
        match a.get("direction") {
            Some(_) => l.either(i, &a, "direction", ("in", "out"), false),
            None => Fact::Unknown(Unknown::at("no direction is set", a.span)),
        }
    } else {
        Fact::Known(false)
    };
    let pass = match a.get("acl_action") {
        Some(n) => l.parsed(i, "acl_action", n, "write `accept`, `log` or `drop`", |s| match s
            .to_ascii_lowercase()
            .as_str()
        {
            "accept" | "log" => Ok(true),
            "drop" => Ok(false),
            _ => Err(format!("`{s}` is neither `accept`, `log` nor `drop`")),
        }),
        None => Fact::Unknown(Unknown::at("no action is set", a.span)),
    };
    let (source, _) = side(l, i, &a, "source", "source_type");
    let (destination, domain) = side(l, i, &a, "destination", "destination_type");
    let ipv6 = family(l, i, &a, &[&source, &destination]);
    let (services, portless) = services(l, i, &a, &ipv6);
    let deep = match application(l, i, &a) {
        _ if domain => Fact::Known(true),
        d => d,
    };
    let active = active(l, i, &a);
    let written = order.and_then(|name| Some((name, a.get(name)?)));
    let place = written.and_then(|(name, n)| {
        // -1 appends, as leaving it out does.
        let appended = l.text(n).known().is_some_and(|t| t.trim() == "-1");
        (!appended).then(|| l.parsed(i, name, n, "write a whole number from 1", whole))
    });
    let origin = l.origin(i, a.span);
    if let Some(s) = slot(l, i) {
        s.rule = Some(FirewallRule {
            origin,
            inbound,
            ipv6,
            order: Fact::Unknown(Unknown::at("not settled", a.span)),
            pass,
            active,
            source,
            destination,
            services,
            deep,
        });
        s.portless = portless;
        s.order = place;
    }
}

/// An address of a policy or of a book: a prefix, or the address of an EIP.
pub(super) fn address(l: &mut Linker<'_>, i: usize, name: &str, node: &Node) -> FirewallPeer {
    if let Found::Entity(Entity::Eip(e)) = l.find(node) {
        return FirewallPeer::Eip(e);
    }
    match l.net(i, name, node) {
        Fact::Known(n) => FirewallPeer::Net(n),
        Fact::Unknown(u) => FirewallPeer::Unknown(u),
    }
}

/// One side of a policy, and whether it is by domain.
fn side(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    name: &'static str,
    kind: &'static str,
) -> (Vec<FirewallPeer>, bool) {
    let unknown = |u: Unknown| (vec![FirewallPeer::Unknown(u)], false);
    let Some(node) = a.get(name) else {
        return unknown(Unknown::at(format!("no {name} is set"), a.span));
    };
    let kind = match a.get(kind).map(|n| l.text(n)) {
        Some(Fact::Known(k)) => k.to_ascii_lowercase(),
        Some(Fact::Unknown(u)) => {
            l.unknown(i, kind, &u);
            return unknown(u);
        }
        None => "net".to_string(),
    };
    match kind.as_str() {
        "net" => {
            // Several prefixes stand in one text.
            if let Fact::Known(t) = l.text(node)
                && t.contains(',')
            {
                let all = t.split(',').map(|part| match parse::net(part) {
                    Ok(n) => FirewallPeer::Net(n),
                    Err(why) => FirewallPeer::Unknown(l.invalid(i, name, node.span, &why, "write a prefix")),
                });
                return (all.collect(), false);
            }
            (vec![address(l, i, name, node)], false)
        }
        "group" => match book(l, node) {
            Some(n) => {
                let peers = l
                    .perimeter
                    .books
                    .get(n)
                    .map(|b| b.peers.clone())
                    .unwrap_or_default();
                let domain = peers.iter().any(|p| matches!(p, FirewallPeer::Elsewhere(_)));
                (peers, domain)
            }
            None => {
                let u = Unknown::at("the address book is not in the inventory", node.span);
                l.unknown(i, name, &u);
                unknown(u)
            }
        },
        "domain" | "location" => match l.text(node) {
            Fact::Known(t) => (vec![FirewallPeer::Elsewhere(t)], kind == "domain"),
            Fact::Unknown(u) => {
                l.unknown(i, name, &u);
                (vec![FirewallPeer::Unknown(u)], kind == "domain")
            }
        },
        other => {
            let why = format!("`{other}` is no kind of address");
            unknown(l.invalid(
                i,
                name,
                node.span,
                &why,
                "write `net`, `group`, `domain` or `location`",
            ))
        }
    }
}

/// The address book that a value names.
fn book(l: &mut Linker<'_>, node: &Node) -> Option<usize> {
    if let Fact::Known(name) = l.text(node) {
        return l.perimeter.by_name.get(&name).copied().flatten();
    }
    match l.find(node) {
        Found::Entity(Entity::Book(n)) => Some(n as usize),
        _ => None,
    }
}

fn family(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, sides: &[&Vec<FirewallPeer>]) -> Fact<bool> {
    let written = if a.declared("ip_version") {
        a.get("ip_version")
    } else {
        None
    };
    if let Some(n) = written {
        return l.parsed(i, "ip_version", n, "write `4` or `6`", |s| match s.trim() {
            "4" => Ok(false),
            "6" => Ok(true),
            _ => Err(format!("`{s}` is neither `4` nor `6`")),
        });
    }
    let six = |p: &FirewallPeer| matches!(p, FirewallPeer::Net(n) if n.addr().is_ipv6());
    Fact::Known(sides.iter().any(|s| s.iter().any(six)))
}

/// Ports as `80/88`; `0/0` is every port.
pub(super) fn ports(s: &str) -> Result<PortSet, String> {
    if s.trim() == "0/0" {
        return Ok(PortSet::full());
    }
    parse::ports(s)
}

/// Protocols and ports, and whether it is not known that the protocols without ports are none of them: a policy of
/// `ANY` matches its ports, and nobody says what it does with packets that have none.
fn services(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, ipv6: &Fact<bool>) -> (Fact<ServiceSet>, bool) {
    let proto = match a.get("proto") {
        Some(n) => l.parsed(i, "proto", n, "write `ANY`, `TCP`, `UDP` or `ICMP`", |s| {
            parse::protocol(s).map(|p| match p {
                parse::Protocol::All => None,
                parse::Protocol::One(p) => Some(p),
            })
        }),
        None => Fact::Unknown(Unknown::at("no protocol is set", a.span)),
    };
    let proto = match proto {
        Fact::Known(Some(Proto::ICMP)) => {
            let icmp = |six| ServiceSet::protocol(if six { Proto::ICMPV6 } else { Proto::ICMP });
            return (ipv6.clone().map(icmp), false);
        }
        Fact::Known(None) if !has_ports(l, a) => return (Fact::Known(ServiceSet::any()), false),
        Fact::Known(p) => p,
        Fact::Unknown(u) => return (Fact::Unknown(u), false),
    };
    match (destination_ports(l, i, a), proto) {
        (Fact::Unknown(u), _) => (Fact::Unknown(u), false),
        (Fact::Known(set), None) if set == PortSet::full() => (Fact::Known(ServiceSet::any()), false),
        (Fact::Known(set), None) => {
            let both = ServiceSet::tcp(set.clone()).union(&ServiceSet::udp(set));
            (Fact::Known(both), true)
        }
        (Fact::Known(set), Some(Proto::TCP)) => (Fact::Known(ServiceSet::tcp(set)), false),
        (Fact::Known(set), Some(Proto::UDP)) => (Fact::Known(ServiceSet::udp(set)), false),
        (Fact::Known(_), Some(p)) => (Fact::Known(ServiceSet::protocol(p)), false),
    }
}

/// Whether ports are written, which a policy of `ANY` does not need.
fn has_ports(l: &mut Linker<'_>, a: &Attrs<'_>) -> bool {
    ["dest_port", "dest_port_group"]
        .into_iter()
        .filter_map(|name| a.get(name))
        .any(|n| l.text(n).known().is_none_or(|t| !t.trim().is_empty()))
}

fn destination_ports(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<PortSet> {
    let by_book = match a.get("dest_port_type").map(|n| l.text(n)) {
        Some(Fact::Known(t)) => t.eq_ignore_ascii_case("group"),
        Some(Fact::Unknown(u)) => return Fact::Unknown(u),
        None => a.get("dest_port").is_none() && a.get("dest_port_group").is_some(),
    };
    if by_book {
        let found = a.get("dest_port_group").and_then(|n| book(l, n));
        let ports = found.and_then(|n| l.perimeter.books.get(n)?.ports.clone());
        return ports.unwrap_or_else(|| {
            let u = Unknown::at("the book of ports is not in the inventory", a.span);
            l.unknown(i, "dest_port_group", &u);
            Fact::Unknown(u)
        });
    }
    match a.get("dest_port") {
        Some(n) => l.parsed(
            i,
            "dest_port",
            n,
            "write ports as `80/88`; `0/0` is every port",
            ports,
        ),
        None => {
            let u = Unknown::at("no destination port is set", a.span);
            l.unknown(i, "dest_port", &u);
            Fact::Unknown(u)
        }
    }
}

/// Whether it names an application.
fn application(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<bool> {
    let mut named = Vec::new();
    for name in ["application_name", "application_name_list"] {
        let Some(n) = (if a.declared(name) { a.get(name) } else { None }) else {
            continue;
        };
        match items(n) {
            Ok(all) => named.extend(all),
            Err(u) => {
                l.unknown(i, name, &u);
                return Fact::Unknown(u);
            }
        }
    }
    let mut deep = false;
    for n in named {
        match l.text(n) {
            Fact::Known(t) => deep |= !t.eq_ignore_ascii_case("any"),
            Fact::Unknown(u) => return Fact::Unknown(u),
        }
    }
    Fact::Known(deep)
}

/// Released, and at all times.
fn active(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<bool> {
    let released = l.flag(i, a, "release", true);
    if released != Fact::Known(true) {
        return released;
    }
    match a.get("repeat_type").map(|n| l.text(n)) {
        // Left out it is for ever, but a time that is written says otherwise, and no document says which counts.
        None => match timed(a) {
            None => released,
            Some(span) => {
                let why = "a time is set and no `repeat_type`: whether it is in force is not known";
                l.note(i, format!("`repeat_type`: {why}"));
                Fact::Unknown(Unknown::at(why, span))
            }
        },
        Some(Fact::Known(t)) if t.eq_ignore_ascii_case("permanent") => released,
        Some(Fact::Known(_)) => {
            let u = Unknown::at("it takes part in a time window only", a.span);
            l.note(
                i,
                "`repeat_type`: it takes part in a time window only, so neither way counts on it",
            );
            Fact::Unknown(u)
        }
        Some(Fact::Unknown(u)) => Fact::Unknown(u),
    }
}

/// Where a policy says when it is in force, if it does; 0 and an empty list are how the cloud says that it does not.
fn timed(a: &Attrs<'_>) -> Option<bartizan_base::Span> {
    let all = [
        "start_time",
        "end_time",
        "repeat_start_time",
        "repeat_end_time",
        "repeat_days",
    ];
    let set = |n: &&Node| match &n.value {
        Value::Number(s) | Value::String(s) => &**s != "0",
        Value::List(l) => !l.is_empty(),
        _ => true,
    };
    all.into_iter().find_map(|n| a.get(n).filter(set)).map(|n| n.span)
}
