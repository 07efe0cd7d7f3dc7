//! VPN gateways, border routers and router interfaces (ALIBABA.md §11, §12).

use super::attrs::{Attrs, Blocks, items};
use super::linker::{Entity, Found, Linker, next};
use super::router_interface::{connect, connect_any, interface, interface_fill, opposite};
use super::{Handler, Identity, Role, Stage, TypeSpec, own};
use bartizan_model::*;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of sites while linking.
#[derive(Default)]
pub(super) struct State {
    /// Connections to one customer gateway have one site.
    by_gateway: BTreeMap<Arc<str>, SiteId>,
    /// Gateways that may not let SSL-VPN clients in, and why.
    no_ssl: BTreeMap<VpnGatewayId, Unknown>,
}

const CONNECTION: &[&str] = &[
    "id",
    "tags",
    "vpn_connection_name",
    "name",
    "vpn_gateway_id",
    "customer_gateway_id",
    "local_subnet",
    "remote_subnet",
    "auto_config_route",
    "enable_tunnels_bgp",
    "bgp_config",
    "bgp_config.enable",
    "tunnel_options_specification",
    "tunnel_options_specification.customer_gateway_id",
];

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpn_gateway",
            attributes: &[
                "id",
                "tags",
                "vpn_gateway_name",
                "name",
                "vpc_id",
                "vswitch_id",
                "disaster_recovery_vswitch_id",
                "auto_propagate",
                "enable_ipsec",
                "enable_ssl",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, gateway),
            (Stage::Fill, gateway_fill),
            (Stage::Bind, standby),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpn_connection",
            attributes: CONNECTION,
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| connection(l, i, &a)),
            (Stage::Fill, connection_fill),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpn_gateway_vpn_attachment",
            attributes: &[
                "id",
                "tags",
                "vpn_attachment_name",
                "customer_gateway_id",
                "local_subnet",
                "remote_subnet",
                "enable_tunnels_bgp",
                "bgp_config",
                "bgp_config.enable",
                "tunnel_options_specification",
                "tunnel_options_specification.customer_gateway_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| connection(l, i, &a)),
            (Stage::Fill, connection_fill),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ssl_vpn_server",
            attributes: &["id", "name", "vpn_gateway_id", "client_ip_pool", "local_subnet"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, clients),
            (Stage::Fill, clients_fill),
            (Stage::Attach, ssl),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpn_ipsec_server",
            attributes: &[
                "id",
                "ipsec_server_name",
                "vpn_gateway_id",
                "client_ip_pool",
                "local_subnet",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, clients), (Stage::Fill, clients_fill)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpn_route_entry",
            attributes: &[
                "vpn_gateway_id",
                "next_hop",
                "route_dest",
                "weight",
                "publish_vpc",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| route(l, i, &a, false))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpn_pbr_route_entry",
            attributes: &[
                "vpn_gateway_id",
                "next_hop",
                "route_source",
                "route_dest",
                "weight",
                "publish_vpc",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| route(l, i, &a, true))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpn_gateway_vco_route",
            attributes: &["vpn_connection_id", "next_hop", "route_dest", "weight"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, vco_route)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_express_connect_virtual_border_router",
            attributes: &[
                "id",
                "tags",
                "virtual_border_router_name",
                "route_table_id",
                "sitelink_enable",
            ],
        },
        aliases: &[],
        identities: &[
            own("id"),
            Identity {
                attribute: "route_table_id",
                role: Role::SystemTable,
                literal: true,
            },
        ],
        steps: &[(Stage::Declare, border)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_express_connect_router_interface",
            attributes: &[
                "id",
                "tags",
                "router_interface_id",
                "router_interface_name",
                "router_type",
                "router_id",
                "opposite_interface_id",
                "opposite_router_id",
            ],
        },
        aliases: &[],
        identities: &[own("router_interface_id"), own("id")],
        steps: &[
            (Stage::Declare, interface),
            (Stage::Fill, interface_fill),
            (Stage::Attach, opposite),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_router_interface",
            attributes: &["id", "name", "router_type", "router_id", "opposite_interface_id"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, interface),
            (Stage::Fill, interface_fill),
            (Stage::Attach, opposite),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_router_interface_connection",
            attributes: &["interface_id", "opposite_interface_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, connect), (Stage::Bind, connect_any)],
    },
];

pub(super) fn unlinked() -> Unknown {
    Unknown::new("not linked")
}

fn as_gateway(e: Entity) -> Option<VpnGatewayId> {
    if let Entity::Vpn(g) = e { Some(g) } else { None }
}
pub(super) fn as_connection(e: Entity) -> Option<VpnConnectionId> {
    if let Entity::Connection(c) = e {
        Some(c)
    } else {
        None
    }
}
pub(super) fn as_border(e: Entity) -> Option<BorderRouterId> {
    if let Entity::Border(b) = e { Some(b) } else { None }
}

/// The names of those that the type has.
pub(super) fn named(a: &Attrs<'_>, names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|n| a.declared(n)).collect()
}

fn gateway(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["vpn_gateway_name", "name"]);
    let id = VpnGatewayId(next(l.typed.vpn_gateways.len()));
    l.typed.vpn_gateways.push(VpnGateway {
        meta,
        vpc: Fact::Unknown(unlinked()),
        vswitch: None,
        tunnels: Vec::new(),
        propagates: Fact::Known(false),
    });
    l.declare(i, Entity::Vpn(id));
}

fn gateway_fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = l.entity.get(i).copied().flatten().and_then(as_gateway) else {
        return;
    };
    let vpc = l.vpc(i, &a);
    let vswitch = match a.get("vswitch_id") {
        Some(_) => Some(l.vswitch(i, &a, &["vswitch_id"])),
        // The cloud picks one.
        None => Some(Fact::Unknown(Unknown::at(
            "no vSwitch is set: the cloud picks one",
            a.span,
        ))),
    };
    let propagates = l.flag(i, &a, "auto_propagate", false);
    // Without the feature there are no tunnels, whatever else is written.
    let off = match l.flag(i, &a, "enable_ipsec", true) {
        Fact::Known(true) => None,
        Fact::Known(false) => {
            let at = a.get("enable_ipsec").map_or(a.span, |n| n.span);
            Some(Unknown::at("IPsec is turned off", at))
        }
        Fact::Unknown(u) => Some(u),
    };
    let at = a.get("enable_ssl").map_or(a.span, |n| n.span);
    let no_ssl = match l.flag(i, &a, "enable_ssl", false) {
        Fact::Known(true) => None,
        Fact::Known(false) => Some(Unknown::at("SSL-VPN is turned off (`enable_ssl`)", at)),
        Fact::Unknown(u) => Some(u),
    };
    l.sites.no_ssl.extend(no_ssl.map(|u| (id, u)));
    if let (Some(u), Some(g)) = (off, l.typed.vpn_gateways.get_mut(id.index())) {
        g.meta.origin.doubt(|| u);
    }
    if let Some(g) = l.typed.vpn_gateways.get_mut(id.index()) {
        g.vpc = vpc;
        g.vswitch = vswitch;
        g.propagates = propagates;
    }
}

/// §12: with two tunnels a gateway hands over in either of two vSwitches. One is modelled, so the other must not differ
/// from it: the same table, and no ACL, as there is none between a gateway and its own vSwitch.
fn standby(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Entity::Vpn(id)) = l.entity.get(i).copied().flatten() else {
        return;
    };
    if a.get("disaster_recovery_vswitch_id").is_none() {
        return;
    }
    let second = l.vswitch(i, &a, &["disaster_recovery_vswitch_id"]);
    if let Some(g) = l.typed.vpn_gateways.get_mut(id.index()) {
        g.tunnels = g.vswitch.iter().chain([&second]).cloned().collect();
    }
    let g = &l.typed[id];
    let Some(Fact::Known(first)) = g.vswitch else {
        // That alone makes claims undecided.
        return;
    };
    let (first_is, vpc) = (&l.typed[first], &g.vpc);
    let same = |v: &Vswitch| {
        first_is.table.known().is_some()
            && v.table == first_is.table
            && (&v.acl, &first_is.acl) == (&Fact::Known(None), &Fact::Known(None))
    };
    let alike = match second {
        Fact::Known(v) => v == first || same(&l.typed[v]),
        // The cloud picks one of the VPC.
        Fact::Unknown(_) => vpc.known().is_some_and(|vpc| {
            let mut here = l.typed.vswitches.iter();
            here.all(|v| v.vpc.known().is_some_and(|x| x != vpc) || same(v))
        }),
    };
    if !alike {
        let why = "`disaster_recovery_vswitch_id` is another vSwitch with a route table or network ACL of its own, \
                   and packets may come out in either, which is not modelled";
        l.refused.insert(i, why.to_string());
        // Nor is anything certain: what is not understood only adds.
        if let Some(g) = l.typed.vpn_gateways.get_mut(id.index()) {
            g.vswitch = Some(Fact::Unknown(Unknown::at(why, a.span)));
        }
    }
}

/// The site behind the customer gateways of a connection, or one of its own; and these gateways. Tunnels to different
/// customer gateways lead to one site.
fn site(l: &mut Linker<'_>, a: &Attrs<'_>, meta: &Meta) -> (SiteId, Vec<Meta>) {
    let mut named: Vec<Node> = a.get("customer_gateway_id").cloned().into_iter().collect();
    if let Blocks::List(all) = a.blocks("tunnel_options_specification") {
        let tunnels = all.iter().filter_map(|b| b.get("customer_gateway_id").cloned());
        named.extend(tunnels);
    }
    let mut customers: Vec<Meta> = Vec::new();
    let mut keys: Vec<(Arc<str>, Meta)> = Vec::new();
    for n in &named {
        let found = match l.find(n) {
            Found::Resource(r) => l.res.get(r).map(|res| {
                let name = res.get("customer_gateway_name").or_else(|| res.get("name"));
                let customer = Meta {
                    origin: l.origin(r, res.span),
                    id: None,
                    name: name.cloned().map(|n| l.text(&n)),
                    tags: Fact::Known(BTreeMap::new()),
                    region: res.region.clone(),
                };
                (res.address.clone(), customer, true)
            }),
            Found::Foreign(id) => Some((id, meta.clone(), false)),
            _ => None,
        };
        if let Some((key, of, here)) = found
            && keys.iter().all(|(k, _)| *k != key)
        {
            customers.extend(here.then(|| of.clone()));
            keys.push((key, of));
        }
    }
    if keys.is_empty() {
        keys.push((meta.origin.address.clone(), meta.clone()));
    }
    let mut known: Vec<SiteId> = keys
        .iter()
        .filter_map(|(k, _)| l.sites.by_gateway.get(k).copied())
        .collect();
    known.sort_unstable();
    let s = match (known.first(), keys.first()) {
        (Some(s), _) => *s,
        (None, Some((_, m))) => l.typed.add_site(m.clone(), &[], None),
        (None, None) => l.typed.add_site(meta.clone(), &[], None),
    };
    // What was taken for different sites is one: the first keeps its place.
    for other in known.into_iter().filter(|o| *o != s) {
        for x in &mut l.typed.vpn_connections {
            if x.site == other {
                x.site = s;
            }
        }
        l.sites
            .by_gateway
            .values_mut()
            .filter(|v| **v == other)
            .for_each(|v| *v = s);
    }
    for (key, _) in keys {
        l.sites.by_gateway.insert(key, s);
    }
    (s, customers)
}

fn blank(meta: Meta, end: VpnEnd, site: SiteId) -> VpnConnection {
    VpnConnection {
        meta,
        end,
        customers: Vec::new(),
        site,
        local: Vec::new(),
        remote: Vec::new(),
        configures: Fact::Known(false),
        bgp: Fact::Known(false),
        learned: Fact::Known(Vec::new()),
    }
}

fn push(l: &mut Linker<'_>, i: usize, c: VpnConnection) {
    let id = VpnConnectionId(next(l.typed.vpn_connections.len()));
    l.typed.vpn_connections.push(c);
    l.declare(i, Entity::Connection(id));
}

fn connection(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) {
    let names = named(a, &["vpn_connection_name", "vpn_attachment_name", "name"]);
    let meta = l.meta(i, a, &names);
    let (s, customers) = site(l, a, &meta);
    let end = if a.declared("vpn_gateway_id") {
        VpnEnd::Gateway(Fact::Unknown(unlinked()))
    } else {
        VpnEnd::Attached
    };
    let c = VpnConnection {
        customers,
        ..blank(meta, end, s)
    };
    push(l, i, c);
}

/// Blocks in a list, or in one text with commas between them.
fn subnets(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str) -> Vec<Fact<IpNet>> {
    let Some(node) = a.get(name) else {
        let u = Unknown::at("no block is set", a.span);
        l.unknown(i, name, &u);
        return vec![Fact::Unknown(u)];
    };
    let all = match items(node) {
        Ok(all) => all,
        Err(u) => {
            l.unknown(i, name, &u);
            return vec![Fact::Unknown(u)];
        }
    };
    let mut out = Vec::new();
    for n in all {
        match l.text(n) {
            Fact::Known(t) => {
                for part in t.split(',').map(str::trim).filter(|p| !p.is_empty()) {
                    let node = Node {
                        value: Value::String(part.into()),
                        ..n.clone()
                    };
                    out.push(l.net(i, name, &node));
                }
            }
            Fact::Unknown(u) => {
                l.unknown(i, name, &u);
                out.push(Fact::Unknown(u));
            }
        }
    }
    out
}

/// Whether routes are exchanged by BGP.
fn bgp(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<bool> {
    let tunnels = l.flag(i, a, "enable_tunnels_bgp", false);
    let config = match a.blocks("bgp_config") {
        Blocks::Absent => Fact::Known(false),
        Blocks::Unknown(u) => {
            l.unknown(i, "bgp_config", &u);
            Fact::Unknown(u)
        }
        Blocks::List(all) => match all.first() {
            Some(b) => l.flag(i, b, "enable", false),
            None => Fact::Known(false),
        },
    };
    match (tunnels, config) {
        (Fact::Known(true), _) | (_, Fact::Known(true)) => Fact::Known(true),
        (Fact::Unknown(u), _) | (_, Fact::Unknown(u)) => Fact::Unknown(u),
        _ => Fact::Known(false),
    }
}

fn connection_fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = l.entity.get(i).copied().flatten().and_then(as_connection) else {
        return;
    };
    let end = if a.declared("vpn_gateway_id") {
        VpnEnd::Gateway(l.link(i, &a, &["vpn_gateway_id"], "VPN gateway", as_gateway))
    } else {
        VpnEnd::Attached
    };
    let local = subnets(l, i, &a, "local_subnet");
    let remote = subnets(l, i, &a, "remote_subnet");
    // The API makes routes of the blocks unless it is told not to.
    let configures = if a.declared("auto_config_route") {
        l.flag(i, &a, "auto_config_route", true)
    } else {
        Fact::Known(false)
    };
    let bgp = bgp(l, i, &a);
    let learned = match &bgp {
        Fact::Known(false) => Fact::Known(Vec::new()),
        _ => Fact::Unknown(Unknown::at(
            "Terraform does not say what is announced by BGP: say `learned` in a `link`",
            a.span,
        )),
    };
    if let Some(c) = l.typed.vpn_connections.get_mut(id.index()) {
        c.end = end;
        c.local = local;
        c.remote = remote;
        c.configures = configures;
        c.bgp = bgp;
        c.learned = learned;
    }
}

fn clients(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let names = named(&a, &["name", "ipsec_server_name"]);
    let meta = l.meta(i, &a, &names);
    let s = l.typed.add_site(meta.clone(), &[], None);
    // Clients pass nothing on.
    if let Some(s) = l.typed.sites.get_mut(s.index()) {
        s.forwards = Fact::Known(false);
        s.internet = Fact::Known(false);
    }
    for other in 0..s.0 {
        l.typed.site_pairs.push(SitePair {
            a: SiteId(other),
            b: s,
            forwards: Fact::Known(false),
        });
    }
    push(l, i, blank(meta, VpnEnd::Clients(Fact::Unknown(unlinked())), s));
}

fn clients_fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = l.entity.get(i).copied().flatten().and_then(as_connection) else {
        return;
    };
    let gateway = l.link(i, &a, &["vpn_gateway_id"], "VPN gateway", as_gateway);
    let local = subnets(l, i, &a, "local_subnet");
    let remote = subnets(l, i, &a, "client_ip_pool");
    if let Some(c) = l.typed.vpn_connections.get_mut(id.index()) {
        c.end = VpnEnd::Clients(gateway);
        c.local = local;
        c.remote = remote;
    }
}

/// SSL-VPN is off unless the gateway says that it is on; then the server is there and lets nobody in.
fn ssl(l: &mut Linker<'_>, i: usize, _: Attrs<'_>) {
    let Some(id) = l.entity.get(i).copied().flatten().and_then(as_connection) else {
        return;
    };
    let VpnEnd::Clients(Fact::Known(g)) = l.typed[id].end else {
        return;
    };
    if let Some(u) = l.sites.no_ssl.get(&g).cloned()
        && let Some(c) = l.typed.vpn_connections.get_mut(id.index())
    {
        c.meta.origin.doubt(|| u);
    }
}

fn prefix(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str) -> Fact<IpNet> {
    match a.get(name) {
        Some(n) => l.net(i, name, n),
        None => Fact::Unknown(Unknown::at("no block is set", a.span)),
    }
}

fn route(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, policy: bool) {
    let gateway = l.link(i, a, &["vpn_gateway_id"], "VPN gateway", as_gateway);
    let next = l.link(i, a, &["next_hop"], "VPN connection", as_connection);
    let destination = prefix(l, i, a, "route_dest");
    let source = policy.then(|| prefix(l, i, a, "route_source"));
    let active = l.count(i, a, "weight").map(|w| w > 0);
    let publishes = l.flag(i, a, "publish_vpc", false);
    let origin = l.origin(i, a.span);
    l.typed.vpn_routes.push(VpnRoute {
        origin,
        gateway: Some(gateway),
        source,
        destination,
        next,
        active,
        publishes,
    });
}

fn vco_route(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let next = l.link(
        i,
        &a,
        &["vpn_connection_id", "next_hop"],
        "VPN connection",
        as_connection,
    );
    let destination = prefix(l, i, &a, "route_dest");
    let active = l.count(i, &a, "weight").map(|w| w > 0);
    let origin = l.origin(i, a.span);
    l.typed.vpn_routes.push(VpnRoute {
        origin,
        gateway: None,
        source: None,
        destination,
        next,
        active,
        publishes: Fact::Known(false),
    });
}

fn border(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["virtual_border_router_name"]);
    let why = Unknown::at(
        "Terraform does not say what is behind it: say so with a `link`",
        a.span,
    );
    let s = l.typed.add_site(meta.clone(), &[], Some(why.clone()));
    let table = RouteTableId(next(l.typed.route_tables.len()));
    let vpc = l.typed[s].vpc;
    l.typed.route_tables.push(RouteTable {
        meta: meta.clone(),
        vpc: Fact::Known(vpc),
        kind: RouteTableKind::Border,
        propagation: Fact::Known(false),
    });
    let id = BorderRouterId(next(l.typed.border_routers.len()));
    l.typed.border_routers.push(BorderRouter {
        meta,
        site: s,
        table,
        learned: Fact::Unknown(why),
    });
    l.declare(i, Entity::Border(id));
    if l.flag(i, &a, "sitelink_enable", false) != Fact::Known(false) {
        let why =
            "`sitelink_enable` may join its site with those of other border routers, which is not modelled";
        l.refused.insert(i, why.to_string());
    }
}

/// What Terraform says of the networks of sites: what connections carry and what is routed to them.
pub(super) fn settle(l: &mut Linker<'_>) {
    for s in 0..l.typed.sites.len() {
        let id = SiteId(next(s));
        if l.typed.border_routers.iter().any(|b| b.site == id) {
            continue;
        }
        let mut nets: Vec<IpNet> = Vec::new();
        let mut unknown: Option<Unknown> = None;
        for (c, x) in (0u32..).zip(&l.typed.vpn_connections) {
            if x.site != id {
                continue;
            }
            let mut open = false;
            for n in &x.remote {
                match n {
                    Fact::Known(n) if n.prefix_len() > 0 => nets.push(n.trunc()),
                    Fact::Known(_) => open = true,
                    Fact::Unknown(u) => unknown = Some(u.clone()),
                }
            }
            // A connection that carries everything has behind it what is routed there.
            let routed = l
                .typed
                .vpn_routes
                .iter()
                .filter(|r| r.next == Fact::Known(VpnConnectionId(c)));
            let before = nets.len();
            for r in routed.filter(|_| open) {
                match &r.destination {
                    Fact::Known(n) if n.prefix_len() > 0 => nets.push(n.trunc()),
                    Fact::Known(_) => {}
                    Fact::Unknown(u) => unknown = Some(u.clone()),
                }
            }
            if open && (nets.len() == before || x.bgp != Fact::Known(false)) {
                unknown = Some(Unknown::at(
                    "the connection carries everything: say what is behind it with a `link`",
                    x.meta.origin.span,
                ));
            }
        }
        // Blocks inside others add nothing.
        nets.sort_by_key(|n| (n.prefix_len(), *n));
        let mut kept: Vec<IpNet> = Vec::new();
        for n in nets {
            if !kept.iter().any(|k| k.contains(&n)) {
                kept.push(n);
            }
        }
        kept.sort_unstable();
        l.typed.set_networks(id, &kept);
        if let Some(x) = l.typed.sites.get_mut(s) {
            x.unknown = unknown;
        }
    }
}
