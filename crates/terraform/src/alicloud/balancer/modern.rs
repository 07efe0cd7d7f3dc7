//! ALB and NLB (ALIBABA.md §9.2, §9.3).

use super::super::attrs::{Attrs, Blocks};
use super::super::linker::{Linker, as_group, next};
use super::super::{Handler, Stage, TypeSpec, eni, own, parse};
use super::clb::{inline, into_group, list_entry};
use super::{
    Entity, Loose, Pending, Server, actions, as_balancer, as_list, as_listener, as_servers, declare, front,
    group, new_group, new_list, port, rules, server, this_balancer, weighed, weighed_0,
};
use crate::json::left_to_cloud;
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

pub(in super::super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_alb_load_balancer",
            attributes: &[
                "id",
                "tags",
                "load_balancer_name",
                "address_type",
                "address_ip_version",
                "ipv6_address_type",
                "address_allocated_mode",
                "zone_mappings",
                "zone_mappings.vswitch_id",
                "zone_mappings.intranet_address",
                "zone_mappings.address",
                "zone_mappings.ipv6_address",
                "zone_mappings.allocation_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| balancer(l, i, &a, BalancerKind::Alb)),
            (Stage::Fill, |l, i, a| {
                fill(l, i, &a, &["intranet_address"], "address")
            }),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_nlb_load_balancer",
            attributes: &[
                "id",
                "tags",
                "load_balancer_name",
                "address_type",
                "address_ip_version",
                "ipv6_address_type",
                "security_group_ids",
                "cross_zone_enabled",
                "zone_mappings",
                "zone_mappings.vswitch_id",
                "zone_mappings.private_ipv4_address",
                "zone_mappings.public_ipv4_address",
                "zone_mappings.ipv6_address",
                "zone_mappings.allocation_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| balancer(l, i, &a, BalancerKind::Nlb)),
            (Stage::Fill, nlb),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_alb_load_balancer_security_group_attachment",
            attributes: &["load_balancer_id", "security_group_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, join)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_nlb_load_balancer_security_group_attachment",
            attributes: &["load_balancer_id", "security_group_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, join)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_alb_listener",
            attributes: &[
                "id",
                "load_balancer_id",
                "listener_port",
                "listener_protocol",
                "status",
                "default_actions",
                "default_actions.forward_group_config.server_group_tuples.server_group_id",
                "acl_config",
                "acl_config.acl_type",
                "acl_config.acl_relations",
                "acl_config.acl_relations.acl_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, listener), (Stage::Fill, alb_listener)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_alb_rule",
            attributes: &[
                "listener_id",
                "priority",
                "rule_actions",
                "rule_actions.forward_group_config.server_group_tuples.server_group_id",
                "rule_actions.traffic_mirror_config.mirror_group_config.server_group_tuples.server_group_id",
                "rule_conditions",
                "rule_conditions.type",
                "rule_conditions.host_config.values",
                "rule_conditions.path_config.values",
                "rule_conditions.source_ip_config.values",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, rule)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_alb_listener_acl_attachment",
            attributes: &["listener_id", "acl_id", "acl_type"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, bind_list)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_alb_acl",
            attributes: &["id", "acl_entries", "acl_entries.entry"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, _| new_list(l, i)),
            (Stage::Fill, |l, i, a| inline(l, i, &a, "acl_entries")),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_alb_acl_entry_attachment",
            attributes: &["acl_id", "entry"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| list_entry(l, i, &a))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_alb_server_group",
            attributes: &[
                "id",
                "server_group_type",
                "ipv6_enabled",
                "cross_zone_enabled",
                "servers",
                "servers.server_id",
                "servers.server_ip",
                "servers.server_type",
                "servers.port",
                "servers.weight",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, _| new_group(l, i)),
            (Stage::Fill, alb_group),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_nlb_server_group",
            attributes: &[
                "id",
                "server_group_type",
                "address_ip_version",
                "any_port_enabled",
                "preserve_client_ip_enabled",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, _| new_group(l, i)),
            (Stage::Fill, nlb_group),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_nlb_server_group_server_attachment",
            attributes: &["server_group_id", "server_id", "server_ip", "port", "weight"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, attach)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_nlb_listener",
            attributes: &[
                "id",
                "load_balancer_id",
                "listener_port",
                "start_port",
                "end_port",
                "listener_protocol",
                "server_group_id",
                "status",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, listener), (Stage::Fill, nlb_listener)],
    },
];

/// One front for each zone.
fn balancer(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, kind: BalancerKind) {
    let meta = l.meta(i, a, &["load_balancer_name"]);
    let id = declare(l, i, meta, kind);
    let zones = match a.blocks("zone_mappings") {
        Blocks::List(all) => all.len(),
        Blocks::Absent | Blocks::Unknown(_) => 0,
    };
    for _ in 0..zones.max(1) {
        front(l, id);
    }
}

fn fill(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, private: &[&'static str], public: &'static str) {
    let Some(id) = this_balancer(l, i) else { return };
    let dual = two_families(l, i, a);
    if dual.known().is_none() {
        let why = "whether it has IPv6 addresses (`address_ip_version`) is not known";
        l.refused.insert(i, why.into());
    }
    // Decision 24, item 2: the address is made as a private one, whatever `address_type` says.
    let internet6 = match a
        .get("ipv6_address_type")
        .filter(|_| !after_apply(l, a, "ipv6_address_type"))
    {
        Some(n) => (
            l.either(i, a, "ipv6_address_type", ("Internet", "Intranet"), false),
            n.span,
        ),
        None => (Fact::Known(false), a.span),
    };
    let internet = match a.get("address_type") {
        Some(_) => l.either(i, a, "address_type", ("Internet", "Intranet"), false),
        None => Fact::Unknown(Unknown::at("no `address_type` is set", a.span)),
    };
    let zones = match a.blocks("zone_mappings") {
        Blocks::List(all) => all,
        Blocks::Absent => return,
        Blocks::Unknown(u) => return l.unknown(i, "zone_mappings", &u),
    };
    let stays = l.typed[id].kind != BalancerKind::Alb
        || a.get("address_allocated_mode")
            .is_none_or(|n| matches!(l.text(n), Fact::Known(t) if t.eq_ignore_ascii_case("fixed")));
    for (z, x) in zones.iter().zip(l.typed[id].fronts.clone()) {
        let vswitch = l.vswitch(i, z, &["vswitch_id"]);
        // Addresses that change may be any of the vSwitch.
        let address = eni::primary(l, i, z, if stays { private } else { &[] });
        let eip = match z.get("allocation_id").map(|n| l.find(n)) {
            Some(super::Found::Entity(Entity::Eip(e))) => Some(e),
            _ => None,
        };
        let said = z.get(public).map(|n| l.text(n));
        let said = said.and_then(|t| t.known().and_then(|t| parse::ip(t).ok()));
        let ip = match (said, eip) {
            (Some(ip), _) => Fact::Known(ip),
            (None, Some(e)) => l.typed[e].ip.clone(),
            (None, None) => Fact::Unknown(Unknown::at("the cloud picks the address", z.span)),
        };
        let mut origin = l.origin(i, z.span);
        if let Fact::Unknown(u) = &internet {
            origin.maybe = Some(Box::new(u.clone()));
        }
        let open = internet != Fact::Known(false);
        let mut addresses = vec![address];
        if dual == Fact::Known(true) {
            let said = z.get("ipv6_address").filter(|_| stays);
            let spec = match said {
                Some(n) => eni::one_ipv6(l, i, "ipv6_address", n),
                None => AddressSpec::AnyV6(Unknown::at("the cloud picks the address", z.span)),
            };
            addresses.push(Address {
                spec,
                kind: AddressKind::Ipv6,
                ipv6_internet: match &internet6.0 {
                    Fact::Known(true) => Ipv6Internet::Both(l.origin(i, internet6.1)),
                    Fact::Known(false) => Ipv6Internet::None,
                    Fact::Unknown(u) => Ipv6Internet::Unknown(u.clone()),
                },
            });
        }
        if let Some(e) = eip.filter(|_| open).and_then(|e| l.typed.eips.get_mut(e.index())) {
            e.bound.push(EipTarget::Interface(x));
        }
        if let Some(f) = l.typed.interfaces.get_mut(x.index()) {
            f.vswitch = vswitch;
            f.addresses = addresses;
            if open {
                f.public.push(PublicAddress {
                    origin,
                    ip,
                    eip,
                    kind: PublicKind::Eip,
                    private: 0,
                });
            }
        }
    }
}

/// Whether something has or takes IPv6 addresses beside IPv4 ones.
fn two_families(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<bool> {
    if after_apply(l, a, "address_ip_version") {
        return Fact::Known(false);
    }
    l.either(i, a, "address_ip_version", ("DualStack", "Ipv4"), false)
}

/// Whether a plan lists an attribute as one that the cloud fills in, as it does with those that nobody has set. Then it
/// is as the cloud makes it.
fn after_apply(l: &mut Linker<'_>, a: &Attrs<'_>, name: &'static str) -> bool {
    let said = a.get(name).map(|n| l.text(n));
    matches!(said, Some(Fact::Unknown(u)) if left_to_cloud(&u))
}

fn nlb(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    fill(l, i, &a, &["private_ipv4_address"], "public_ipv4_address");
    if let Some(id) = this_balancer(l, i)
        && let Some(u) = zonal(l, i, &a)
    {
        l.balancers.zonal.push((id, u));
    }
    if a.get("security_group_ids").is_none() {
        return;
    }
    let Some(id) = this_balancer(l, i) else { return };
    let (groups, foreign) = eni::groups(l, i, &a, &["security_group_ids"]);
    for x in l.typed[id].fronts.clone() {
        if let Some(f) = l.typed.interfaces.get_mut(x.index()) {
            f.groups = groups.clone();
            f.foreign_groups.clone_from(&foreign);
        }
    }
}

/// Why a front may hand on to the servers of its own zone only: they count as possible, and not as certain.
fn zonal(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Option<Unknown> {
    let at = a.get("cross_zone_enabled").map_or(a.span, |n| n.span);
    match l.flag(i, a, "cross_zone_enabled", true) {
        Fact::Known(true) => None,
        Fact::Known(false) => Some(Unknown::at(
            "each front hands on to the servers of its own zone only",
            at,
        )),
        Fact::Unknown(u) => Some(u),
    }
}

/// A security group on a balancer.
fn join(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let balancer = l.link(i, &a, &["load_balancer_id"], "load balancer", as_balancer);
    let group = l.link(i, &a, &["security_group_id"], "security group", as_group);
    let maybe = l.origin(i, a.span).maybe.map(|u| *u);
    let fronts: Vec<InterfaceId> = match &balancer {
        Fact::Known(b) => l.typed[*b].fronts.clone(),
        Fact::Unknown(_) => l.typed.balancers.iter().flat_map(|b| b.fronts.clone()).collect(),
    };
    let doubt = balancer.unknown().or(group.unknown()).cloned().or(maybe);
    for x in fronts {
        let Some(f) = l.typed.interfaces.get_mut(x.index()) else {
            continue;
        };
        match (&doubt, &group) {
            (Some(u), _) => f.groups = Fact::Unknown(u.clone()),
            (None, Fact::Known(g)) => {
                if let Fact::Known(all) = &mut f.groups
                    && !all.contains(g)
                {
                    all.push(*g);
                    all.sort_unstable();
                }
            }
            (None, Fact::Unknown(_)) => {}
        }
    }
}

/// Rules and access lists refer to listeners, so there is an empty one to begin with.
fn listener(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let n = next(l.balancers.listeners.len());
    let u = || Unknown::new("not linked");
    let origin = l.origin(i, a.span);
    l.balancers.listeners.push(Pending {
        balancer: Fact::Unknown(u()),
        listener: Listener {
            origin,
            services: Fact::Unknown(u()),
            filter: Fact::Known(None),
            forwards: Vec::new(),
        },
        targets: Vec::new(),
        rules: Vec::new(),
        lists: Vec::new(),
        udp: Fact::Known(false),
        transparent: Fact::Known(false),
        sealed: Fact::Known(false),
    });
    l.declare(i, Entity::Listener(n));
}

fn this_listener<'l>(l: &'l mut Linker<'_>, i: usize) -> Option<&'l mut Pending> {
    match l.entity.get(i).copied().flatten() {
        Some(Entity::Listener(n)) => l.balancers.listeners.get_mut(n as usize),
        _ => None,
    }
}

fn protocol<T>(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, known: impl Fn(&str) -> Option<T>) -> Fact<T> {
    match a.get("listener_protocol") {
        None => Fact::Unknown(Unknown::at("no protocol is set", a.span)),
        Some(n) => l.parsed(
            i,
            "listener_protocol",
            n,
            "write a protocol of the product",
            |s| {
                known(&s.to_ascii_uppercase()).ok_or_else(|| format!("`{s}` is not a protocol of a listener"))
            },
        ),
    }
}

fn on(udp: &Fact<bool>, ports: Fact<PortSet>) -> Fact<ServiceSet> {
    match (udp, ports) {
        (Fact::Known(true), Fact::Known(p)) => Fact::Known(ServiceSet::udp(p)),
        (Fact::Known(false), Fact::Known(p)) => Fact::Known(ServiceSet::tcp(p)),
        (Fact::Unknown(_), Fact::Known(p)) => Fact::Known(ServiceSet {
            tcp: p.clone(),
            udp: p,
            ..ServiceSet::default()
        }),
        (_, Fact::Unknown(u)) => Fact::Unknown(u),
    }
}

fn alb_listener(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let balancer = l.link(i, &a, &["load_balancer_id"], "load balancer", as_balancer);
    let port = port(l, i, "listener_port", a.get("listener_port"));
    let quic = protocol(l, i, &a, |s| match s {
        "HTTP" | "HTTPS" => Some(false),
        "QUIC" => Some(true),
        _ => None,
    });
    let ports = match port {
        Fact::Known(Some(p)) => Fact::Known(PortSet::single(p)),
        Fact::Known(None) => Fact::Unknown(Unknown::at("no port is set", a.span)),
        Fact::Unknown(u) => Fact::Unknown(u),
    };
    let services = on(&quic, ports);
    let targets = match a.get("default_actions") {
        Some(n) => actions(l, i, "default_actions", n),
        None => Vec::new(),
    };
    let mut lists = Vec::new();
    let mut filter = Fact::Known(None);
    match a.blocks("acl_config") {
        Blocks::Absent => {}
        Blocks::Unknown(u) => {
            l.unknown(i, "acl_config", &u);
            filter = Fact::Unknown(u);
        }
        Blocks::List(all) => {
            for b in &all {
                let white = l.either(i, b, "acl_type", ("White", "Black"), true);
                let mut ids = Vec::new();
                if let Some(n) = b.get("acl_relations")
                    && let Err(u) = super::deep(n, "acl_id", &mut ids)
                {
                    l.unknown(i, "acl_config", &u);
                    filter = Fact::Unknown(u);
                }
                for n in ids {
                    let id = l.link_node(i, "acl_config", n, "access list", as_list);
                    lists.push((id, white.clone(), l.origin(i, n.span)));
                }
            }
        }
    }
    let stopped = stopped(l, &a);
    if let Some(p) = this_listener(l, i) {
        p.balancer = balancer;
        p.listener.services = services;
        p.listener.filter = filter;
        p.targets = targets;
        p.lists = lists;
        if let Some(u) = stopped {
            p.listener.origin.maybe = Some(Box::new(u));
        }
    }
}

/// Why a listener may not be listening.
fn stopped(l: &mut Linker<'_>, a: &Attrs<'_>) -> Option<Unknown> {
    match l.text(a.get("status")?) {
        Fact::Known(s) if s.eq_ignore_ascii_case("stopped") => {
            Some(Unknown::at("the listener is stopped", a.span))
        }
        Fact::Unknown(u) if !left_to_cloud(&u) => Some(u),
        _ => None,
    }
}

fn nlb_listener(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let balancer = l.link(i, &a, &["load_balancer_id"], "load balancer", as_balancer);
    let kind = protocol(l, i, &a, |s| match s {
        "TCP" => Some((false, true)),
        "UDP" => Some((true, true)),
        "TCPSSL" => Some((false, false)),
        _ => None,
    });
    let udp = kind.clone().map(|k| k.0);
    let one = port(l, i, "listener_port", a.get("listener_port"));
    let start = port(l, i, "start_port", a.get("start_port"));
    let end = port(l, i, "end_port", a.get("end_port"));
    let ports = match (one, start, end) {
        (Fact::Known(Some(p)), ..) => Fact::Known(PortSet::single(p)),
        (Fact::Known(None), Fact::Known(Some(a)), Fact::Known(Some(b))) if a <= b => {
            Fact::Known(PortSet::range(a, b))
        }
        (Fact::Unknown(u), ..) | (_, Fact::Unknown(u), _) | (_, _, Fact::Unknown(u)) => Fact::Unknown(u),
        _ => Fact::Unknown(Unknown::at("no port is set", a.span)),
    };
    let services = on(&udp, ports);
    let targets = match a.get("server_group_id") {
        Some(n) => vec![(l.origin(i, n.span), group(l, i, "server_group_id", n))],
        None => Vec::new(),
    };
    let stopped = stopped(l, &a);
    if let Some(p) = this_listener(l, i) {
        p.balancer = balancer;
        p.listener.services = services;
        p.targets = targets;
        p.udp = udp;
        // §9.7: a `TCPSSL` listener cannot be used through PrivateLink.
        p.sealed = kind.clone().map(|k| k == (false, false));
        p.transparent = kind.map(|k| k.1);
        if let Some(u) = stopped {
            p.listener.origin.maybe = Some(Box::new(u));
        }
    }
}

fn rule(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let listener = l.link(i, &a, &["listener_id"], "listener", as_listener);
    let Some(n) = a.get("rule_actions") else { return };
    let mut targets = actions(l, i, "rule_actions", n);
    let asks = rules::asks(l, i, &a);
    if let Some(u) = rules::for_some(&asks) {
        for (o, _) in &mut targets {
            o.doubt(|| u.clone());
        }
    }
    let priority = match a.get("priority") {
        Some(_) => l.count(i, &a, "priority"),
        None => Fact::Unknown(Unknown::at("no priority is set", a.span)),
    };
    let rule = rules::Rule {
        origin: l.origin(i, a.span),
        priority,
        asks,
    };
    match listener {
        Fact::Known(n) => {
            if let Some(p) = l.balancers.listeners.get_mut(n) {
                p.targets.extend(targets);
                p.rules.push(rule);
            }
        }
        Fact::Unknown(u) => {
            for (o, t) in &targets {
                let loose = Loose::Target(t.clone());
                l.balancers.loose.push((o.clone(), loose, u.clone()));
            }
            for p in &mut l.balancers.listeners {
                p.rules.push(rule.clone());
                p.targets.extend(targets.iter().cloned().map(|(mut o, t)| {
                    o.maybe = Some(Box::new(u.clone()));
                    (o, t)
                }));
            }
        }
    }
}

fn bind_list(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let listener = l.link(i, &a, &["listener_id"], "listener", as_listener);
    let list = l.link(i, &a, &["acl_id"], "access list", as_list);
    let white = match a.get("acl_type") {
        Some(_) => l.either(i, &a, "acl_type", ("White", "Black"), true),
        None => Fact::Unknown(Unknown::at("no type of access list is set", a.span)),
    };
    let mut origin = l.origin(i, a.span);
    match listener {
        Fact::Known(n) => {
            if let Some(p) = l.balancers.listeners.get_mut(n) {
                p.lists.push((list, white, origin));
            }
        }
        Fact::Unknown(u) => {
            origin.maybe = Some(Box::new(u));
            for p in &mut l.balancers.listeners {
                p.lists.push((list.clone(), white.clone(), origin.clone()));
            }
        }
    }
}

fn by_address(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<bool> {
    match a.get("server_group_type").map(|n| l.text(n)) {
        Some(Fact::Known(t)) => Fact::Known(t.eq_ignore_ascii_case("ip")),
        Some(Fact::Unknown(u)) => {
            l.unknown(i, "server_group_type", &u);
            Fact::Unknown(u)
        }
        None => Fact::Known(false),
    }
}

fn alb_group(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let by_address = by_address(l, i, &a);
    let dual = l.flag(i, &a, "ipv6_enabled", false);
    let zonal = zonal(l, i, &a);
    let mut all = Vec::new();
    match a.blocks("servers") {
        Blocks::Absent => {}
        Blocks::Unknown(u) => {
            l.unknown(i, "servers", &u);
            all.push(Server {
                origin: l.origin(i, a.span),
                to: vec![Backend::Unknown(u.clone())],
                at: None,
                port: Fact::Unknown(u),
            });
        }
        Blocks::List(blocks) => {
            for b in blocks {
                let mut origin = l.origin(i, b.span);
                weighed_0(l, &mut origin, b.get("weight"));
                let at = super::address_of(l, b.get("server_ip"));
                let port = port(l, i, "port", b.get("port"));
                let kind = b.get("server_type").map(|n| l.text(n));
                let to = match (kind, b.get("server_id")) {
                    (Some(Fact::Known(k)), Some(n)) if k.eq_ignore_ascii_case("fc") => {
                        let u = Unknown::at("functions are not modelled", n.span);
                        l.unknown(i, "servers", &u);
                        vec![Backend::Unknown(u)]
                    }
                    (_, Some(n)) => server(l, i, "server_id", n),
                    (_, None) => vec![Backend::Unknown(Unknown::at("no server is set", b.span))],
                };
                all.push(Server { origin, to, at, port });
            }
        }
    }
    if let Some(g) = l
        .entity
        .get(i)
        .copied()
        .flatten()
        .and_then(as_servers)
        .and_then(|g| l.balancers.groups.get_mut(g))
    {
        g.by_address = by_address;
        g.dual = dual;
        g.zonal = zonal;
        g.preserves = Fact::Known(false);
        g.servers.extend(all);
    }
}

fn nlb_group(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let by_address = by_address(l, i, &a);
    let dual = two_families(l, i, &a);
    let any_port = l.flag(i, &a, "any_port_enabled", false);
    // §9.3: on unless it is turned off.
    let preserves = l.flag(i, &a, "preserve_client_ip_enabled", true);
    if let Some(g) = l
        .entity
        .get(i)
        .copied()
        .flatten()
        .and_then(as_servers)
        .and_then(|g| l.balancers.groups.get_mut(g))
    {
        g.by_address = by_address;
        g.dual = dual;
        g.any_port = any_port;
        g.preserves = preserves;
    }
}

fn attach(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let group = l.link(i, &a, &["server_group_id"], "server group", as_servers);
    let port = port(l, i, "port", a.get("port"));
    let mut origin = l.origin(i, a.span);
    weighed(l, &mut origin, a.get("weight"));
    let to = match a.first(&["server_id", "server_ip"]) {
        Some((name, n)) => server(l, i, name, n),
        None => vec![Backend::Unknown(Unknown::at("no server is set", a.span))],
    };
    let at = match a.get("server_id") {
        Some(_) => super::address_of(l, a.get("server_ip")),
        None => None,
    };
    into_group(l, group, Server { origin, to, at, port });
}
