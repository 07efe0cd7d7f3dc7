//! Load balancers (ALIBABA.md §9, docs/decisions/011): what CLB, ALB and NLB share.
//!
//! Server groups and access lists are resources of their own that listeners name. They are read first and put
//! into the listeners when everything has been seen ([`settle`]).

mod clb;
mod modern;
mod settle;

pub(super) use settle::settle;
mod rules;

use super::attrs::{Attrs, items};
use super::eni;
use super::linker::{Entity, Found, Linker, next};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};
use std::net::IpAddr;

pub(super) use clb::HANDLERS as CLB;
pub(super) use modern::HANDLERS as MODERN;

/// A server of a group.
#[derive(Clone)]
struct Server {
    origin: Origin,
    to: Vec<Backend>,
    /// Which of the addresses of the interface, where that is said.
    at: Option<Fact<IpAddr>>,
    /// `None` where the listener says it.
    port: Fact<Option<u16>>,
}

/// A server group.
#[derive(Clone)]
struct Group {
    servers: Vec<Server>,
    /// Whether it names addresses instead of interfaces.
    by_address: Fact<bool>,
    /// Whether its servers may be reached at IPv6 addresses.
    dual: Fact<bool>,
    preserves: Fact<bool>,
    /// Whether servers get what was sent, on every port.
    any_port: Fact<bool>,
    /// Why a front may hand on to the servers of its own zone only.
    zonal: Option<Unknown>,
}

/// An access list.
#[derive(Clone, Default)]
struct List {
    entries: Vec<FilterEntry>,
    /// Why there may be more.
    more: Option<Unknown>,
}

/// What a listener names as its servers.
#[derive(Clone)]
enum Target {
    Group(usize),
    /// The servers of the balancer itself (CLB), on a port.
    Own(Fact<u16>),
    Unknown(Unknown),
}

/// A listener on its way into the typed layer.
struct Pending {
    balancer: Fact<BalancerId>,
    listener: Listener,
    targets: Vec<(Origin, Target)>,
    /// Its rules, which may leave nothing to what comes after them.
    rules: Vec<rules::Rule>,
    /// Access lists, whether they admit, and where they are bound.
    lists: Vec<(Fact<usize>, Fact<bool>, Origin)>,
    /// Backends get UDP.
    udp: Fact<bool>,
    /// Whether the listener lets the client's address through at all.
    transparent: Fact<bool>,
    /// Whether PrivateLink does not reach it.
    sealed: Fact<bool>,
}

/// Instances that a scaling group makes.
pub(super) struct Pool {
    pub(super) meta: Meta,
    pub(super) vswitches: Vec<Fact<VswitchId>>,
    pub(super) members: Vec<InterfaceId>,
    /// Why there may be members that are not known.
    pub(super) more: Option<Unknown>,
}

/// What is collected while reading.
#[derive(Default)]
pub(super) struct State {
    /// Scaling groups, whose instances are servers.
    pub(super) pools: Vec<Pool>,
    groups: Vec<Group>,
    lists: Vec<List>,
    listeners: Vec<Pending>,
    /// Balancers that may hand on nothing at all.
    idle: Vec<(BalancerId, Unknown)>,
    /// Balancers whose fronts may hand on to the servers of their own zones only.
    zonal: Vec<(BalancerId, Unknown)>,
    /// Servers of each CLB's own group.
    own: Vec<(Fact<BalancerId>, Server)>,
    /// Rules of CLB listeners: balancer, port, group.
    rules: Vec<(Fact<BalancerId>, Fact<u16>, Origin, Target)>,
    /// What is bound to balancers, listeners and groups that are not here, or may not be.
    loose: Vec<(Origin, Loose, Unknown)>,
}

/// What is bound to something that is not here.
enum Loose {
    Target(Target),
    /// Servers, and what they may get; `None` for anything.
    Servers(Vec<Backend>, Option<ServiceSet>),
}

fn as_balancer(e: Entity) -> Option<BalancerId> {
    if let Entity::Balancer(b) = e {
        Some(b)
    } else {
        None
    }
}
fn as_servers(e: Entity) -> Option<usize> {
    if let Entity::ServerGroup(g) = e {
        Some(g as usize)
    } else {
        None
    }
}
fn as_list(e: Entity) -> Option<usize> {
    if let Entity::AccessList(n) = e {
        Some(n as usize)
    } else {
        None
    }
}
fn as_listener(e: Entity) -> Option<usize> {
    if let Entity::Listener(n) = e {
        Some(n as usize)
    } else {
        None
    }
}

fn this_balancer(l: &Linker<'_>, i: usize) -> Option<BalancerId> {
    l.entity.get(i).copied().flatten().and_then(as_balancer)
}

/// A new balancer without fronts.
pub(super) fn declare(l: &mut Linker<'_>, i: usize, meta: Meta, kind: BalancerKind) -> BalancerId {
    let id = plain(l, meta, kind);
    l.declare(i, Entity::Balancer(id));
    id
}

/// One that no other resource refers to.
pub(super) fn plain(l: &mut Linker<'_>, meta: Meta, kind: BalancerKind) -> BalancerId {
    let id = BalancerId(next(l.typed.balancers.len()));
    l.typed.balancers.push(Balancer {
        meta,
        kind,
        fronts: Vec::new(),
        detached: false,
        listeners: Vec::new(),
    });
    id
}

/// A front of a balancer.
pub(super) fn front(l: &mut Linker<'_>, id: BalancerId) -> InterfaceId {
    let meta = l.typed[id].meta.clone();
    let mut interface = eni::blank(meta, None, true);
    interface.groups = Fact::Known(Vec::new());
    interface.source_dest_check = Fact::Known(Some(true));
    let x = eni::push(l, interface);
    if let Some(b) = l.typed.balancers.get_mut(id.index()) {
        b.fronts.push(x);
    }
    x
}

fn new_group(l: &mut Linker<'_>, i: usize) {
    let n = next(l.balancers.groups.len());
    l.balancers.groups.push(Group {
        servers: Vec::new(),
        by_address: Fact::Known(false),
        dual: Fact::Known(false),
        preserves: Fact::Known(true),
        any_port: Fact::Known(false),
        zonal: None,
    });
    l.declare(i, Entity::ServerGroup(n));
}

fn new_list(l: &mut Linker<'_>, i: usize) {
    let n = next(l.balancers.lists.len());
    l.balancers.lists.push(List::default());
    l.declare(i, Entity::AccessList(n));
}

/// A port; `None` for 0, which stands for "as sent".
fn port(l: &mut Linker<'_>, i: usize, name: &'static str, node: Option<&Node>) -> Fact<Option<u16>> {
    match node {
        None => Fact::Known(None),
        Some(n) => l
            .parsed(i, name, n, "write a port", |s| {
                s.parse::<u16>().map_err(|_| format!("`{s}` is not a port"))
            })
            .map(|p| Some(p).filter(|p| *p != 0)),
    }
}

/// The servers of a group are those of a balancer as well, which may be one that is not here.
fn of_group(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) {
    if a.get("load_balancer_id").is_none() {
        return;
    }
    let balancer = l.link(i, a, &["load_balancer_id"], "load balancer", as_balancer);
    let this = l.entity.get(i).copied().flatten().and_then(as_servers);
    if let (Fact::Unknown(u), Some(g)) = (balancer, this) {
        let origin = l.origin(i, a.span);
        l.balancers
            .loose
            .push((origin, Loose::Target(Target::Group(g)), u));
    }
}

/// Who a server is: an instance, an interface, another balancer, or an address.
fn server(l: &mut Linker<'_>, i: usize, name: &'static str, node: &Node) -> Vec<Backend> {
    let find = l.find(node);
    let unknown = |u: Unknown| vec![Backend::Unknown(u)];
    match find {
        Found::Entity(Entity::Balancer(b)) => {
            let fronts = l.typed[b].fronts.iter();
            fronts.map(|f| Backend::Interface(*f)).collect()
        }
        Found::Entity(e) => match l.interface_of(e) {
            Some(x) => vec![Backend::Interface(x)],
            None => unknown(l.invalid(
                i,
                name,
                node.span,
                "it cannot be a server",
                "name an instance, a network interface, a load balancer or an address",
            )),
        },
        Found::Foreign(id) => match id.parse::<IpAddr>() {
            Ok(ip) => vec![Backend::Ip(ip)],
            Err(_) => {
                l.dangling(i, name, &id, node.span, "server");
                unknown(Unknown::at(format!("`{id}` is not in the inventory"), node.span))
            }
        },
        Found::Unset => unknown(Unknown::at("no server is set", node.span)),
        Found::Unknown(u) => match l.text(node).known().and_then(|t| t.parse::<IpAddr>().ok()) {
            Some(ip) => vec![Backend::Ip(ip)],
            None => {
                l.unknown(i, name, &u);
                unknown(u)
            }
        },
        Found::Resource(r) => {
            let what = l
                .res
                .get(r)
                .map_or_else(|| "?".to_string(), |r| r.address.to_string());
            let u = Unknown::at(format!("`{what}` is not modelled"), node.span);
            l.unknown(i, name, &u);
            unknown(u)
        }
    }
}

/// The members of a scaling group as servers.
fn pooled(l: &Linker<'_>, pool: &Fact<usize>, span: bartizan_base::Span) -> Vec<Backend> {
    match pool {
        Fact::Known(n) => {
            let Some(p) = l.balancers.pools.get(*n) else {
                return Vec::new();
            };
            let all = p.members.iter().map(|x| Backend::Interface(*x));
            all.chain(p.more.iter().map(|u| Backend::Unknown(u.clone())))
                .collect()
        }
        Fact::Unknown(u) => vec![Backend::Unknown(Unknown::at(u.why.clone(), span))],
    }
}

/// The instances of a scaling group join a server group.
pub(super) fn serve(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    group: &'static str,
    on: &'static str,
    pool: Fact<usize>,
) {
    // A server group of another kind of balancer, or none that is read: its listeners say so.
    let group = match a.get(group) {
        Some(n) => l.link_node(i, group, n, "server group", as_servers),
        None => return,
    };
    let port = port(l, i, on, a.get(on));
    let mut origin = l.origin(i, a.span);
    weighed_0(l, &mut origin, a.get("weight"));
    let to = pooled(l, &pool, a.span);
    let at = None;
    clb::into_group(l, group, Server { origin, to, at, port });
}

/// The instances of a scaling group join server groups that are listed at any depth under a key, each with a port and
/// a weight.
pub(super) fn serve_each(l: &mut Linker<'_>, i: usize, node: &Node, key: &'static str, pool: &Fact<usize>) {
    let mut found = Vec::new();
    let all = deep(node, key, &mut found);
    let each = found.into_iter().try_fold(Vec::new(), |mut v, n| {
        v.extend(items(n)?);
        Ok(v)
    });
    let each = match all.and(each) {
        Ok(each) => each,
        Err(u) => {
            l.unknown(i, key, &u);
            l.refused
                .insert(i, "which server groups its members join is not known".into());
            return;
        }
    };
    for n in each {
        let Value::Map(m) = &n.value else {
            l.refused
                .insert(i, "which server groups its members join is not known".into());
            continue;
        };
        let Some(g) = m.get("vserver_group_id") else {
            continue;
        };
        let group = l.link_node(i, "vserver_group_id", g, "server group", as_servers);
        let port = port(l, i, "port", m.get("port"));
        let mut origin = l.origin(i, n.span);
        weighed_0(l, &mut origin, m.get("weight"));
        let to = pooled(l, pool, n.span);
        let at = None;
        clb::into_group(l, group, Server { origin, to, at, port });
    }
}

/// The instances of a scaling group join the servers of CLBs.
pub(super) fn serve_own(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str, pool: usize) {
    let Some(node) = a.get(name) else { return };
    let all = match items(node) {
        Ok(all) => all,
        Err(u) => return loose_pool(l, i, a, name, pool, u),
    };
    for n in all {
        let b = l.link_node(i, name, n, "load balancer", as_balancer);
        let mut origin = l.origin(i, n.span);
        of_any(&b, &mut origin);
        let to = pooled(l, &Fact::Known(pool), n.span);
        let port = Fact::Known(None);
        let at = None;
        l.balancers.own.push((b, Server { origin, to, at, port }));
    }
}

/// The members of a scaling group join something of which is not known what it is.
pub(super) fn loose_pool(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    name: &'static str,
    pool: usize,
    u: Unknown,
) {
    l.unknown(i, name, &u);
    let origin = l.origin(i, a.span);
    let to = pooled(l, &Fact::Known(pool), origin.span);
    l.balancers.loose.push((origin, Loose::Servers(to, None), u));
}

/// As [`weighed`] where no weight is written as 0: in the groups of ALB, and for what scaling groups add to groups.
fn weighed_0(l: &mut Linker<'_>, origin: &mut Origin, node: Option<&Node>) {
    match node {
        Some(_) => weighed(l, origin, node),
        None => {
            let doubt = Unknown::at("its weight is 0 unless one is set", origin.span);
            origin.doubt(|| doubt);
        }
    }
}

/// Decision 11, item 15: a server of weight 0 counts as one that may be there, and so does one whose weight is not known.
fn weighed(l: &mut Linker<'_>, origin: &mut Origin, node: Option<&Node>) {
    let Some(n) = node else { return };
    let doubt = match l.text(n) {
        Fact::Known(t) if t.trim().parse::<f64>().is_ok_and(|w| w > 0.0) => return,
        Fact::Known(t) if t.trim().parse::<f64>().is_ok() => Unknown::at("its weight is 0", n.span),
        Fact::Known(_) => Unknown::at("its weight is no number", n.span),
        Fact::Unknown(u) => u,
    };
    origin.doubt(|| doubt);
}

/// Which of its addresses a server is reached at.
fn address_of(l: &mut Linker<'_>, node: Option<&Node>) -> Option<Fact<IpAddr>> {
    let n = node?;
    Some(match l.text(n) {
        Fact::Known(t) => match t.parse() {
            Ok(ip) => Fact::Known(ip),
            Err(_) => Fact::Unknown(Unknown::at(format!("`{t}` is not an address"), n.span)),
        },
        Fact::Unknown(u) => Fact::Unknown(u),
    })
}

/// Who a server is, given which of its addresses is meant: without that, its primary one (decision 11, item 20). Where a
/// group takes both families and it is not said which is meant, either may be (decision 24, item 13), and why that is so.
fn reached(t: &Typed, s: &Server, dual: bool) -> (Vec<Backend>, Option<Unknown>) {
    let [Backend::Interface(x)] = s.to.as_slice() else {
        return (s.to.clone(), None);
    };
    let all = &t[*x].addresses;
    let six = |a: &Address| a.kind == AddressKind::Ipv6;
    let at = |(n, a): (u32, &Address)| match a.kind {
        AddressKind::Primary => Backend::Interface(*x),
        _ => Backend::At(*x, n),
    };
    let of = |is: &dyn Fn(&Address) -> bool| -> Vec<Backend> {
        let some = (0u32..).zip(all).filter(|(_, a)| is(a));
        some.map(at).collect()
    };
    let unsaid = |why: String| Some(Unknown::at(why, s.origin.span));
    let ip = match &s.at {
        None if dual && all.iter().any(six) => {
            let why = "at which of its addresses it serves is not known".to_string();
            return (vec![Backend::Interface(*x), Backend::Ipv6(*x)], unsaid(why));
        }
        None => return (s.to.clone(), None),
        Some(Fact::Unknown(u)) => {
            // IPv6 addresses are no alternative where a group does not take them.
            let any = of(&|a| dual || !six(a));
            let doubt = (any.len() > 1).then(|| u.clone());
            return (any, doubt);
        }
        Some(Fact::Known(ip)) => *ip,
    };
    let named = |a: &Address| match &a.spec {
        AddressSpec::Ip(x) => *x == ip,
        AddressSpec::Block(n) => n.contains(&ip),
        AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_) => false,
    };
    if let Some(a) = all.iter().find(|a| named(a)) {
        return match a.kind {
            AddressKind::Primary => (s.to.clone(), None),
            _ => (vec![Backend::Ip(ip)], None),
        };
    }
    // The cloud has yet to pick it: this is where it will be.
    let open = of(&|a| match &a.spec {
        AddressSpec::AnyV4(_) => ip.is_ipv4(),
        AddressSpec::AnyV6(_) => ip.is_ipv6(),
        AddressSpec::Ip(_) | AddressSpec::Block(_) => false,
    });
    match open.len() {
        0 => {
            let mut any = of(&|a| six(a) == ip.is_ipv6());
            any.push(Backend::Ip(ip));
            (
                any,
                unsaid(format!("`{ip}` is none of its addresses in the input")),
            )
        }
        1 => (open, None),
        _ => (
            open,
            unsaid(format!("which of its addresses `{ip}` will be is not known")),
        ),
    }
}

/// A server of a balancer that is not known may be one of any.
fn of_any(b: &Fact<BalancerId>, origin: &mut Origin) {
    if let Fact::Unknown(u) = b {
        origin.doubt(|| u.clone());
    }
}

/// Entries of an access list: texts that are prefixes or addresses.
fn entry(l: &mut Linker<'_>, i: usize, name: &'static str, node: &Node) -> FilterEntry {
    let origin = l.origin(i, node.span);
    let net = l.net(i, name, node).map(|n| n.trunc());
    FilterEntry { origin, net }
}

/// Every value under a key, at any depth; `Err` where something on the way is not known.
pub(super) fn deep<'n>(node: &'n Node, key: &str, out: &mut Vec<&'n Node>) -> Result<(), Unknown> {
    match &node.value {
        Value::Map(m) => {
            for (k, n) in m {
                if &**k == key {
                    match &n.value {
                        Value::Null => {}
                        _ => out.push(n),
                    }
                } else {
                    deep(n, key, out)?;
                }
            }
            Ok(())
        }
        Value::List(v) => v.iter().try_for_each(|n| deep(n, key, out)),
        Value::Unknown(u) => Err(u.clone()),
        Value::Ref(_) | Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => Ok(()),
    }
}

/// The groups that an action of a listener or rule names.
fn actions(l: &mut Linker<'_>, i: usize, name: &'static str, node: &Node) -> Vec<(Origin, Target)> {
    let mut found = Vec::new();
    let origin = l.origin(i, node.span);
    if let Err(u) = deep(node, "server_group_id", &mut found) {
        l.unknown(i, name, &u);
        return vec![(origin, Target::Unknown(u))];
    }
    found
        .into_iter()
        .map(|n| {
            let origin = l.origin(i, n.span);
            (origin, group(l, i, name, n))
        })
        .collect()
}

fn group(l: &mut Linker<'_>, i: usize, name: &'static str, node: &Node) -> Target {
    match l.link_node(i, name, node, "server group", as_servers) {
        Fact::Known(g) => Target::Group(g),
        Fact::Unknown(u) => Target::Unknown(u),
    }
}

/// Sets of ids.
fn each(node: &Node) -> Vec<&Node> {
    items(node).unwrap_or_else(|_| vec![node])
}

fn one(udp: bool, port: u16) -> ServiceSet {
    let p = PortSet::single(port);
    if udp {
        ServiceSet::udp(p)
    } else {
        ServiceSet::tcp(p)
    }
}
