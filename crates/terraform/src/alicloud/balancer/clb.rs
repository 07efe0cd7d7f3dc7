//! CLB, `alicloud_slb_*` (ALIBABA.md §9.1).

use super::super::attrs::{Attrs, Blocks};
use super::super::linker::{Linker, next};
use super::super::{Handler, Identity, Role, Stage, TypeSpec, eni, own, parse};
use super::{
    Entity, Loose, Pending, Server, Target, as_balancer, as_list, as_servers, declare, each, entry, front,
    group, new_group, new_list, of_any, port, server, this_balancer, weighed,
};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

const ADDRESS: Identity = Identity {
    attribute: "address",
    role: Role::Own,
    literal: false,
};

pub(in super::super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_load_balancer",
            attributes: &[
                "id",
                "tags",
                "load_balancer_name",
                "name",
                "internet",
                "address",
                "address_ip_version",
                "address_type",
                "vswitch_id",
                "status",
            ],
        },
        aliases: &["alicloud_slb"],
        identities: &[own("id"), ADDRESS],
        steps: &[(Stage::Declare, balancer), (Stage::Fill, fill)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_listener",
            attributes: &[
                "load_balancer_id",
                "frontend_port",
                "lb_port",
                "backend_port",
                "instance_port",
                "protocol",
                "lb_protocol",
                "server_group_id",
                "master_slave_server_group_id",
                "acl_status",
                "acl_type",
                "acl_ids",
                "acl_id",
                "listener_forward",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, listener)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_server_group",
            attributes: &[
                "id",
                "load_balancer_id",
                "servers",
                "servers.server_ids",
                "servers.port",
                "servers.weight",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, _| new_group(l, i)),
            (Stage::Fill, servers),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_master_slave_server_group",
            attributes: &[
                "id",
                "load_balancer_id",
                "servers",
                "servers.server_id",
                "servers.port",
                "servers.server_type",
                "servers.weight",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, _| new_group(l, i)),
            (Stage::Fill, master_slave),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_server_group_server_attachment",
            attributes: &["server_group_id", "server_id", "port", "weight"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, attach)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_backend_server",
            attributes: &[
                "load_balancer_id",
                "backend_servers",
                "backend_servers.server_id",
                "backend_servers.server_ip",
                "backend_servers.weight",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, own_servers)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_attachment",
            attributes: &["load_balancer_id", "instance_ids", "weight"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, own_instances)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_rule",
            attributes: &["load_balancer_id", "frontend_port", "server_group_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, rule)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_acl",
            attributes: &["id", "entry_list", "entry_list.entry"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, |l, i, _| new_list(l, i)), (Stage::Fill, list)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_slb_acl_entry_attachment",
            attributes: &["acl_id", "entry"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| list_entry(l, i, &a))],
    },
];

fn balancer(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["load_balancer_name", "name"]);
    let id = declare(l, i, meta, BalancerKind::Clb);
    front(l, id);
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this_balancer(l, i) else { return };
    let Some(&x) = l.typed[id].fronts.first() else {
        return;
    };
    let six = match a.get("address_ip_version") {
        Some(_) => l.either(i, &a, "address_ip_version", ("ipv6", "ipv4"), false),
        None => Fact::Known(false),
    };
    if six.known().is_none() {
        let why = "of which family its address is (`address_ip_version`) is not known";
        l.refused.insert(i, why.into());
    }
    if let Some(n) = a.get("status") {
        let idle = match l.text(n) {
            Fact::Known(s) if s.eq_ignore_ascii_case("active") => None,
            Fact::Known(s) => Some(Unknown::at(format!("its status is `{s}`"), n.span)),
            Fact::Unknown(u) => Some(u),
        };
        l.balancers.idle.extend(idle.map(|u| (id, u)));
    }
    // §9.1: unset is intranet in a vSwitch and Internet without one.
    let placed = a.get("vswitch_id").is_some();
    let internet = match a.get("address_type") {
        Some(_) => l.either(i, &a, "address_type", ("internet", "intranet"), !placed),
        None if a.get("internet").is_some() => l.flag(i, &a, "internet", !placed),
        None => Fact::Known(!placed),
    };
    if six == Fact::Known(true) {
        // Decision 24, item 3: it is for the Internet, and in no vSwitch.
        if internet != Fact::Known(true) {
            let why =
                "an IPv6 load balancer that is not for the Internet is refused by the cloud and not modelled";
            l.refused.insert(i, why.into());
        }
        return public_ipv6(l, i, &a, id, x);
    }
    let address = a.get("address").map(|n| l.text(n));
    let ip = address.and_then(|t| t.known().and_then(|t| parse::ip(t).ok()));
    let public = |l: &mut Linker<'_>, maybe: Option<Unknown>| {
        let mut origin = l.origin(i, a.span);
        if let Some(u) = maybe {
            origin.maybe = Some(Box::new(u));
        }
        PublicAddress {
            origin,
            ip: match ip {
                Some(ip) => Fact::Known(ip),
                None => Fact::Unknown(Unknown::at("the cloud picks the address", a.span)),
            },
            eip: None,
            kind: PublicKind::StaticIp,
            private: 0,
        }
    };
    let mut publics = Vec::new();
    let detached = match &internet {
        Fact::Known(true) => {
            publics.push(public(l, None));
            true
        }
        Fact::Known(false) => false,
        Fact::Unknown(u) => {
            publics.push(public(l, Some(u.clone())));
            !placed
        }
    };
    let vswitch = if placed {
        l.vswitch(i, &a, &["vswitch_id"])
    } else {
        // `place` puts it beside a backend.
        Fact::Unknown(Unknown::at("it is in no vSwitch", a.span))
    };
    let address = eni::primary(l, i, &a, &["address"]);
    if let Some(b) = l.typed.balancers.get_mut(id.index()) {
        b.detached = detached;
    }
    if let Some(f) = l.typed.interfaces.get_mut(x.index()) {
        f.vswitch = vswitch;
        f.addresses = vec![address];
        f.public = publics;
    }
}

/// The front of a CLB with a public IPv6 address (decision 24, item 3).
fn public_ipv6(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, id: BalancerId, x: InterfaceId) {
    let spec = match a.get("address") {
        Some(n) => eni::one_ipv6(l, i, "address", n),
        None => AddressSpec::AnyV6(Unknown::at("the cloud picks the address", a.span)),
    };
    let origin = l.origin(i, a.span);
    if let Some(b) = l.typed.balancers.get_mut(id.index()) {
        b.detached = true;
    }
    if let Some(f) = l.typed.interfaces.get_mut(x.index()) {
        f.vswitch = Fact::Unknown(Unknown::at("it is in no vSwitch", a.span));
        f.addresses = vec![Address {
            spec,
            kind: AddressKind::Ipv6,
            ipv6_internet: Ipv6Internet::Both(origin),
        }];
    }
}

/// Where a balancer that is in no vSwitch stands: beside its first backend, or anywhere.
pub(super) fn place(l: &mut Linker<'_>) {
    for n in 0..l.typed.balancers.len() {
        let b = &l.typed.balancers[n];
        let Some(&x) = b.fronts.first().filter(|_| b.detached) else {
            continue;
        };
        let place = |i: InterfaceId| l.typed[i].vswitch.known().copied();
        let mut backends = b.listeners.iter().flat_map(|l| &l.forwards);
        let beside = backends.find_map(|f| match f.to {
            Backend::Interface(i) | Backend::Ipv6(i) | Backend::At(i, _) => place(i),
            Backend::Ip(_) | Backend::Unknown(_) => None,
        });
        let unknown = b
            .listeners
            .iter()
            .flat_map(|l| &l.forwards)
            .any(|f| matches!(f.to, Backend::Unknown(_)));
        let anywhere = || {
            let first = l.typed.vswitches.iter().position(|v| v.vpc.known().is_some());
            first.map(|v| VswitchId(next(v)))
        };
        let beside = beside.or_else(|| if unknown { None } else { anywhere() });
        if let (Some(v), Some(f)) = (beside, l.typed.interfaces.get_mut(x.index())) {
            f.vswitch = Fact::Known(v);
        }
    }
}

fn frontend(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, names: &[&'static str]) -> Fact<u16> {
    match a.first(names) {
        None => Fact::Unknown(Unknown::at("no port is set", a.span)),
        Some((name, n)) => port(l, i, name, Some(n)).map(|p| p.unwrap_or(0)),
    }
}

fn listener(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let balancer = l.link(i, &a, &["load_balancer_id"], "load balancer", as_balancer);
    let frontend = frontend(l, i, &a, &["frontend_port", "lb_port"]);
    let protocol = match a.first(&["protocol", "lb_protocol"]) {
        Some((name, n)) => l.parsed(i, name, n, "write tcp, udp, http or https", |s| {
            match s.to_ascii_lowercase().as_str() {
                "tcp" => Ok((false, true, false)),
                "udp" => Ok((true, true, false)),
                "http" => Ok((false, false, true)),
                "https" => Ok((false, false, false)),
                _ => Err(format!("`{s}` is not a protocol of a listener")),
            }
        }),
        None => Fact::Unknown(Unknown::at("no protocol is set", a.span)),
    };
    let udp = protocol.clone().map(|p| p.0);
    let services = match (&frontend, &udp) {
        (Fact::Known(p), Fact::Known(udp)) => Fact::Known(super::one(*udp, *p)),
        (Fact::Known(p), Fact::Unknown(_)) => Fact::Known(ServiceSet {
            tcp: PortSet::single(*p),
            udp: PortSet::single(*p),
            ..ServiceSet::default()
        }),
        (Fact::Unknown(u), _) => Fact::Unknown(u.clone()),
    };
    let origin = l.origin(i, a.span);
    let redirects = l.either(i, &a, "listener_forward", ("on", "off"), false);
    // Only those of HTTP can: the provider passes it over with other protocols.
    let redirects = match (redirects, protocol.clone().map(|p| p.2)) {
        (Fact::Known(false), _) | (_, Fact::Known(false)) => Fact::Known(false),
        (on, Fact::Known(true)) => on,
        (_, Fact::Unknown(u)) => Fact::Unknown(u),
    };
    let mut targets = Vec::new();
    // One that redirects has no servers.
    if redirects != Fact::Known(true) {
        match a.first(&["server_group_id", "master_slave_server_group_id"]) {
            Some((name, n)) => targets.push((l.origin(i, n.span), group(l, i, name, n))),
            None => {
                let port = self::frontend(l, i, &a, &["backend_port", "instance_port"]);
                targets.push((origin.clone(), Target::Own(port)));
            }
        }
    }
    if let Fact::Unknown(u) = &redirects {
        for (o, _) in &mut targets {
            o.doubt(|| u.clone());
        }
    }
    let mut lists = Vec::new();
    let mut filter = Fact::Known(None);
    match l.either(i, &a, "acl_status", ("on", "off"), false) {
        Fact::Known(false) => {}
        Fact::Known(true) => {
            let white = match a.get("acl_type") {
                Some(_) => l.either(i, &a, "acl_type", ("white", "black"), true),
                None => Fact::Unknown(Unknown::at("no type of access list is set", a.span)),
            };
            match a.first(&["acl_ids", "acl_id"]) {
                Some((name, n)) => {
                    for n in each(n) {
                        let id = l.link_node(i, name, n, "access list", as_list);
                        lists.push((id, white.clone(), l.origin(i, n.span)));
                    }
                }
                None => {
                    filter = Fact::Known(Some(ListenerFilter {
                        white,
                        entries: Vec::new(),
                    }));
                }
            }
        }
        Fact::Unknown(u) => filter = Fact::Unknown(u),
    }
    l.balancers.listeners.push(Pending {
        balancer,
        listener: Listener {
            origin,
            services,
            filter,
            forwards: Vec::new(),
        },
        targets,
        rules: Vec::new(),
        lists,
        udp,
        transparent: protocol.map(|p| p.1),
        sealed: Fact::Known(false),
    });
}

/// Adds servers to the group that a resource is.
fn add(l: &mut Linker<'_>, i: usize, all: Vec<Server>) {
    let g = l.entity.get(i).copied().flatten().and_then(as_servers);
    if let Some(g) = g.and_then(|g| l.balancers.groups.get_mut(g)) {
        g.servers.extend(all);
    }
}

fn doubtful(
    l: &mut Linker<'_>,
    i: usize,
    name: &'static str,
    u: Unknown,
    span: bartizan_base::Span,
) -> Server {
    l.unknown(i, name, &u);
    Server {
        origin: l.origin(i, span),
        to: vec![Backend::Unknown(u.clone())],
        at: None,
        port: Fact::Unknown(u),
    }
}

fn servers(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    super::of_group(l, i, &a);
    let all = match a.blocks("servers") {
        Blocks::Absent => Vec::new(),
        Blocks::Unknown(u) => vec![doubtful(l, i, "servers", u, a.span)],
        Blocks::List(all) => {
            let mut out = Vec::new();
            for b in all {
                let port = port(l, i, "port", b.get("port"));
                let Some(ids) = b.get("server_ids") else { continue };
                for n in each(ids) {
                    let mut origin = l.origin(i, n.span);
                    weighed(l, &mut origin, b.get("weight"));
                    let to = server(l, i, "server_ids", n);
                    let port = port.clone();
                    let at = None;
                    out.push(Server { origin, to, at, port });
                }
            }
            out
        }
    };
    add(l, i, all);
}

fn master_slave(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    super::of_group(l, i, &a);
    let all = match a.blocks("servers") {
        Blocks::Absent => Vec::new(),
        Blocks::Unknown(u) => vec![doubtful(l, i, "servers", u, a.span)],
        Blocks::List(all) => {
            let mut out = Vec::new();
            for b in all {
                let port = port(l, i, "port", b.get("port"));
                if let Some(n) = b.get("server_id") {
                    let mut origin = l.origin(i, b.span);
                    weighed(l, &mut origin, b.get("weight"));
                    // The second one gets nothing while the first one works.
                    let first = match b.get("server_type").map(|n| l.text(n)) {
                        Some(Fact::Known(t)) => t.eq_ignore_ascii_case("master"),
                        _ => false,
                    };
                    if !first {
                        let u = Unknown::at("it serves only while the master does not", b.span);
                        origin.doubt(|| u);
                    }
                    let to = server(l, i, "server_id", n);
                    let at = None;
                    out.push(Server { origin, to, at, port });
                }
            }
            out
        }
    };
    add(l, i, all);
}

fn attach(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let group = l.link(i, &a, &["server_group_id"], "server group", as_servers);
    let port = port(l, i, "port", a.get("port"));
    let mut origin = l.origin(i, a.span);
    weighed(l, &mut origin, a.get("weight"));
    let to = match a.get("server_id") {
        Some(n) => server(l, i, "server_id", n),
        None => vec![Backend::Unknown(Unknown::at("no server is set", a.span))],
    };
    let at = None;
    into_group(l, group, Server { origin, to, at, port });
}

/// Adds a server to a group, or to every one where it is not known which.
pub(super) fn into_group(l: &mut Linker<'_>, group: Fact<usize>, mut s: Server) {
    match group {
        Fact::Known(g) => {
            if let Some(g) = l.balancers.groups.get_mut(g) {
                g.servers.push(s);
            }
        }
        Fact::Unknown(u) => {
            // Which group it is, and so whether its listener says the port, is not known.
            let loose = Loose::Servers(s.to.clone(), None);
            l.balancers.loose.push((s.origin.clone(), loose, u.clone()));
            s.origin.maybe = Some(Box::new(u));
            for g in &mut l.balancers.groups {
                g.servers.push(s.clone());
            }
        }
    }
}

fn own_servers(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let b = l.link(i, &a, &["load_balancer_id"], "load balancer", as_balancer);
    let all = match a.blocks("backend_servers") {
        Blocks::Absent => Vec::new(),
        Blocks::Unknown(u) => vec![doubtful(l, i, "backend_servers", u, a.span)],
        Blocks::List(all) => {
            let mut out = Vec::new();
            for s in all {
                if let Some(n) = s.get("server_id") {
                    let mut origin = l.origin(i, s.span);
                    weighed(l, &mut origin, s.get("weight"));
                    let to = server(l, i, "backend_servers", n);
                    let at = super::address_of(l, s.get("server_ip"));
                    let port = Fact::Known(None);
                    out.push(Server { origin, to, at, port });
                }
            }
            out
        }
    };
    for mut s in all {
        of_any(&b, &mut s.origin);
        l.balancers.own.push((b.clone(), s));
    }
}

fn own_instances(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let b = l.link(i, &a, &["load_balancer_id"], "load balancer", as_balancer);
    let Some(ids) = a.get("instance_ids") else { return };
    for n in each(ids) {
        let mut origin = l.origin(i, n.span);
        weighed(l, &mut origin, a.get("weight"));
        of_any(&b, &mut origin);
        let to = server(l, i, "instance_ids", n);
        let (at, port) = (None, Fact::Known(None));
        l.balancers.own.push((b.clone(), Server { origin, to, at, port }));
    }
}

fn rule(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let b = l.link(i, &a, &["load_balancer_id"], "load balancer", as_balancer);
    let port = frontend(l, i, &a, &["frontend_port"]);
    let origin = l.origin(i, a.span);
    let target = match a.get("server_group_id") {
        Some(n) => group(l, i, "server_group_id", n),
        None => Target::Unknown(Unknown::at("no server group is set", a.span)),
    };
    l.balancers.rules.push((b, port, origin, target));
}

/// The list that a resource is.
fn this_list<'l>(l: &'l mut Linker<'_>, i: usize) -> Option<&'l mut super::List> {
    match l.entity.get(i).copied().flatten() {
        Some(Entity::AccessList(n)) => l.balancers.lists.get_mut(n as usize),
        _ => None,
    }
}

fn list(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    inline(l, i, &a, "entry_list");
}

/// Entries that are written in the list itself.
pub(super) fn inline(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, blocks: &'static str) {
    match a.blocks(blocks) {
        Blocks::Absent => {}
        Blocks::Unknown(u) => {
            l.unknown(i, blocks, &u);
            if let Some(x) = this_list(l, i) {
                x.more = Some(u);
            }
        }
        Blocks::List(all) => {
            for b in all {
                let Some(n) = b.get("entry") else { continue };
                let e = entry(l, i, "entry", n);
                if let Some(x) = this_list(l, i) {
                    x.entries.push(e);
                }
            }
        }
    }
}

/// An entry that is a resource of its own.
pub(super) fn list_entry(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) {
    let list = l.link(i, a, &["acl_id"], "access list", as_list);
    let Some(n) = a.get("entry") else { return };
    let mut e = entry(l, i, "entry", n);
    match list {
        Fact::Known(n) => {
            if let Some(x) = l.balancers.lists.get_mut(n) {
                x.entries.push(e);
            }
        }
        Fact::Unknown(u) => {
            e.origin.maybe = Some(Box::new(u));
            for x in &mut l.balancers.lists {
                x.entries.push(e.clone());
            }
        }
    }
}
