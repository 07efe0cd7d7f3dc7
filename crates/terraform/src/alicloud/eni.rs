//! Elastic network interfaces, and how addresses of any interface are read (ALIBABA.md §4).

use super::attrs::{Attrs, items};
use super::linker::{Entity, Found, Linker, as_group, next};
use super::{Handler, Identity, Role, Stage, TypeSpec, own, parse};
use bartizan_base::Span;
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_ecs_network_interface",
            attributes: &[
                "id",
                "tags",
                "network_interface_name",
                "name",
                "vswitch_id",
                "security_group_ids",
                "security_groups",
                "primary_ip_address",
                "private_ip",
                "private_ip_addresses",
                "private_ips",
                "secondary_private_ip_address_count",
                "private_ips_count",
                "ipv4_prefixes",
                "ipv4_prefix_count",
                "ipv6_addresses",
                "ipv6_address_count",
                "source_dest_check",
                "status",
            ],
        },
        aliases: &["alicloud_network_interface"],
        identities: &[
            own("id"),
            Identity {
                attribute: "primary_ip_address",
                role: Role::Own,
                literal: false,
            },
            Identity {
                attribute: "private_ip",
                role: Role::Own,
                literal: false,
            },
        ],
        steps: &[
            (Stage::Declare, declare),
            (Stage::Fill, fill),
            (Stage::Settle, lone),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ecs_network_interface_attachment",
            attributes: &["network_interface_id", "instance_id"],
        },
        aliases: &["alicloud_network_interface_attachment"],
        identities: &[],
        steps: &[(Stage::Attach, attach), (Stage::Bind, attach_any)],
    },
];

/// An interface of which nothing is known yet.
pub(super) fn blank(meta: Meta, instance: Option<InstanceId>, primary: bool) -> Interface {
    let u = || Fact::Unknown(Unknown::new("not linked"));
    Interface {
        meta,
        instance,
        primary,
        vswitch: Fact::Unknown(Unknown::new("not linked")),
        groups: u(),
        foreign_groups: Vec::new(),
        addresses: Vec::new(),
        source_dest_check: Fact::Known(None),
        public: Vec::new(),
    }
}

pub(super) fn push(l: &mut Linker<'_>, i: Interface) -> InterfaceId {
    let id = InterfaceId(next(l.typed.interfaces.len()));
    l.typed.interfaces.push(i);
    id
}

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["network_interface_name", "name"]);
    let id = push(l, blank(meta, None, false));
    l.declare(i, Entity::Interface(id));
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Interface(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vswitch = l.vswitch(i, &a, &["vswitch_id"]);
    let (groups, foreign) = groups(l, i, &a, &["security_group_ids", "security_groups"]);
    let primary = primary(l, i, &a, &["primary_ip_address", "private_ip"]);
    let mut addresses = vec![primary];
    secondary(
        l,
        i,
        &a,
        &["private_ip_addresses", "private_ips"],
        &["secondary_private_ip_address_count", "private_ips_count"],
        &mut addresses,
    );
    prefixes(l, i, &a, &mut addresses);
    let check = check(l, i, &a);
    if let Some(x) = l.typed.interfaces.get_mut(id.index()) {
        x.vswitch = vswitch;
        x.groups = groups;
        x.foreign_groups = foreign;
        x.addresses = addresses;
        x.source_dest_check = check;
    }
    ipv6(l, i, &a, id);
}

/// `source_dest_check`; not set is not known to be off (A-SDC-1).
pub(super) fn check(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<Option<bool>> {
    match a.get("source_dest_check") {
        None => Fact::Known(None),
        Some(_) => l.flag(i, a, "source_dest_check", false).map(Some),
    }
}

/// The attached security groups, sorted; those outside of the inventory apart.
pub(super) fn groups(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    names: &[&'static str],
) -> (Fact<Vec<SecurityGroupId>>, Vec<std::sync::Arc<str>>) {
    let Some((name, node)) = a.first(names) else {
        let u = Unknown::at("no security group is set", a.span);
        l.unknown(i, names.first().copied().unwrap_or("security_groups"), &u);
        return (Fact::Unknown(u), Vec::new());
    };
    match l.links(i, name, node, "security group", as_group) {
        Ok((mut known, foreign)) => {
            let like = Entity::Group(SecurityGroupId(0));
            if let Some(u) = foreign.first().and_then(|id| l.may_be(like, id, node.span)) {
                l.note(i, format!("`{name}`: {}", u.why));
                return (Fact::Unknown(u), Vec::new());
            }
            known.sort_unstable();
            known.dedup();
            (Fact::Known(known), foreign)
        }
        Err(u) => (Fact::Unknown(u), Vec::new()),
    }
}

fn address(spec: AddressSpec, kind: AddressKind) -> Address {
    Address {
        spec,
        kind,
        ipv6_internet: Ipv6Internet::None,
    }
}

/// The primary private address, or any of the vSwitch.
pub(super) fn primary(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, names: &[&'static str]) -> Address {
    let spec = match a.first(names) {
        None => AddressSpec::AnyV4(Unknown::at("the cloud picks the address", a.span)),
        Some((name, n)) => one(l, i, name, n),
    };
    address(spec, AddressKind::Primary)
}

/// One IPv4 address; unknown ones are any of the vSwitch and that is no cause for a warning.
fn one(l: &mut Linker<'_>, i: usize, name: &str, n: &Node) -> AddressSpec {
    match l.text(n) {
        Fact::Known(t) => match parse::ip(&t) {
            Ok(ip) => AddressSpec::Ip(ip),
            Err(why) => {
                AddressSpec::AnyV4(l.invalid(i, name, n.span, &why, "write an address of the vSwitch"))
            }
        },
        Fact::Unknown(u) => AddressSpec::AnyV4(u),
    }
}

/// One IPv6 address; unknown ones are any of the vSwitch and that is no cause for a warning.
pub(super) fn one_ipv6(l: &mut Linker<'_>, i: usize, name: &str, n: &Node) -> AddressSpec {
    match l.text(n) {
        Fact::Known(t) => match parse::ip(&t).ok().filter(std::net::IpAddr::is_ipv6) {
            Some(ip) => AddressSpec::Ip(ip),
            None => {
                let why = format!("`{t}` is not an IPv6 address");
                AddressSpec::AnyV6(l.invalid(i, name, n.span, &why, "write an IPv6 address"))
            }
        },
        Fact::Unknown(u) => AddressSpec::AnyV6(u),
    }
}

/// Secondary private addresses: listed, or only counted.
pub(super) fn secondary(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    lists: &[&'static str],
    counts: &[&'static str],
    out: &mut Vec<Address>,
) {
    let mut listed = 0;
    if let Some((name, node)) = a.first(lists) {
        match items(node) {
            Ok(all) => {
                for n in all {
                    let spec = one(l, i, name, n);
                    out.push(address(spec, AddressKind::Secondary));
                    listed += 1;
                }
            }
            // How many there are is not known; one that may be anywhere stands for them.
            Err(u) => {
                l.note(i, format!("`{name}`: {}", u.why));
                out.push(address(AddressSpec::AnyV4(u), AddressKind::Secondary));
                return;
            }
        }
    }
    let Some((name, node)) = a.first(counts) else {
        return;
    };
    counted(
        l,
        i,
        name,
        node,
        listed,
        |u| address(AddressSpec::AnyV4(u), AddressKind::Secondary),
        out,
    );
}

/// As many addresses as are counted beyond those listed.
fn counted(
    l: &mut Linker<'_>,
    i: usize,
    name: &str,
    node: &Node,
    listed: usize,
    make: impl Fn(Unknown) -> Address,
    out: &mut Vec<Address>,
) {
    let span: Span = node.span;
    match l.text(node) {
        Fact::Known(t) => match t.parse::<usize>() {
            Ok(n) if n <= 100 => {
                for _ in listed..n {
                    out.push(make(Unknown::at("the cloud picks the address", span)));
                }
            }
            _ => {
                l.invalid(
                    i,
                    name,
                    span,
                    &format!("`{t}` is not a number of addresses"),
                    "write a whole number",
                );
            }
        },
        Fact::Unknown(u) => {
            if listed == 0 {
                l.note(i, format!("`{name}`: {}", u.why));
                out.push(make(u));
            }
        }
    }
}

/// Delegated prefixes.
fn prefixes(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, out: &mut Vec<Address>) {
    let mut listed = 0;
    if let Some(node) = a.get("ipv4_prefixes") {
        match items(node) {
            Ok(all) => {
                for n in all {
                    let spec = match l.net(i, "ipv4_prefixes", n) {
                        Fact::Known(n) => AddressSpec::Block(n),
                        Fact::Unknown(u) => AddressSpec::AnyV4(u),
                    };
                    out.push(address(spec, AddressKind::Prefix));
                    listed += 1;
                }
            }
            Err(u) => {
                l.note(i, format!("`ipv4_prefixes`: {}", u.why));
                out.push(address(AddressSpec::AnyV4(u), AddressKind::Prefix));
                return;
            }
        }
    }
    if let Some(node) = a.get("ipv4_prefix_count") {
        let make = |u| address(AddressSpec::AnyV4(u), AddressKind::Prefix);
        counted(l, i, "ipv4_prefix_count", node, listed, make, out);
    }
}

/// IPv6 addresses, with the `alicloud_vpc_ipv6_address` that each comes from.
pub(super) fn ipv6(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, id: InterfaceId) {
    let mut found: Vec<(Address, Option<usize>)> = Vec::new();
    if let Some(node) = a.get("ipv6_addresses") {
        match items(node) {
            Ok(all) => {
                for n in all {
                    let mut from = match l.find(n) {
                        Found::Entity(Entity::Ipv6Address(r)) => Some(r),
                        _ => None,
                    };
                    let spec = match l.text(n) {
                        Fact::Known(t) => match parse::ip(&t) {
                            Ok(ip) => {
                                // However it is written.
                                from = from.or_else(|| super::ipv6::resource_of(l, ip));
                                AddressSpec::Ip(ip)
                            }
                            Err(why) => AddressSpec::AnyV6(l.invalid(
                                i,
                                "ipv6_addresses",
                                n.span,
                                &why,
                                "write an IPv6 address",
                            )),
                        },
                        Fact::Unknown(u) => AddressSpec::AnyV6(u),
                    };
                    found.push((address(spec, AddressKind::Ipv6), from));
                }
            }
            Err(u) if a.get("ipv6_address_count").is_none() => {
                l.note(i, format!("`ipv6_addresses`: {}", u.why));
                found.push((address(AddressSpec::AnyV6(u), AddressKind::Ipv6), None));
            }
            Err(_) => {}
        }
    }
    if let Some(node) = a.get("ipv6_address_count") {
        let mut more = Vec::new();
        let make = |u| address(AddressSpec::AnyV6(u), AddressKind::Ipv6);
        counted(l, i, "ipv6_address_count", node, found.len(), make, &mut more);
        found.extend(more.into_iter().map(|x| (x, None)));
    }
    for (x, from) in found {
        let Some(iface) = l.typed.interfaces.get_mut(id.index()) else {
            return;
        };
        let at = next(iface.addresses.len());
        iface.addresses.push(x);
        if let Some(r) = from {
            l.ipv6_from.insert((id.0, at), r);
        }
    }
}

/// An interface of which nothing is known but whose it is: it may be anywhere, in any groups, at any address.
pub(super) fn somewhere(l: &mut Linker<'_>, meta: Meta, instance: InstanceId, u: &Unknown) {
    let mut one = blank(meta, Some(instance), false);
    one.vswitch = Fact::Unknown(u.clone());
    one.groups = Fact::Unknown(u.clone());
    one.addresses = vec![address(AddressSpec::AnyV4(u.clone()), AddressKind::Primary)];
    push(l, one);
}

/// The instance of an interface where nobody can tell which it is: it has any name and any tags, so that the interface
/// may be in whatever selects by them.
fn of_somebody(l: &mut Linker<'_>, mut origin: Origin, x: InterfaceId, u: &Unknown) {
    origin.doubt(|| u.clone());
    let meta = Meta {
        origin,
        id: None,
        name: Some(Fact::Unknown(u.clone())),
        tags: Fact::Unknown(u.clone()),
        region: None,
    };
    let n = InstanceId(next(l.typed.instances.len()));
    l.typed.instances.push(Instance { meta });
    l.primary.push(None);
    if let Some(x) = l.typed.interfaces.get_mut(x.index()) {
        x.instance = Some(n);
    }
}

fn attach(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let eni = l.link(i, &a, &["network_interface_id"], "network interface", |e| {
        if let Entity::Interface(x) = e {
            Some(x)
        } else {
            None
        }
    });
    let instance = l.link(i, &a, &["instance_id"], "instance", |e| {
        if let Entity::Instance(x) = e {
            Some(x)
        } else {
            None
        }
    });
    let origin = l.origin(i, a.span);
    match (eni, instance) {
        (Fact::Known(x), Fact::Known(n)) => {
            if l.typed[x].instance.is_some_and(|before| before != n) {
                let u = Unknown::at("it is attached to two instances", a.span);
                return of_somebody(l, origin, x, &u);
            }
            let maybe = origin.maybe.or_else(|| l.typed[n].meta.origin.maybe.clone());
            if let Some(x) = l.typed.interfaces.get_mut(x.index()) {
                x.instance = Some(n);
                // What is attached to nothing is in no network.
                x.meta.origin.maybe = x.meta.origin.maybe.take().or(maybe);
            }
        }
        (Fact::Known(x), Fact::Unknown(u)) => of_somebody(l, origin, x, &u),
        (Fact::Unknown(u), Fact::Known(n)) => {
            let meta = Meta {
                origin,
                ..l.typed[n].meta.clone()
            };
            somewhere(l, meta, n, &u);
        }
        // When it is known what is attached to nothing.
        (Fact::Unknown(_), Fact::Unknown(_)) => {}
    }
}

/// An attachment of which neither end is known may be that of any interface that is attached to nothing, to any instance.
fn attach_any(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let end = |l: &mut Linker<'_>, name| a.get(name).map_or(Found::Unset, |n| l.find(n));
    let eni = end(l, "network_interface_id");
    let instance = end(l, "instance_id");
    if matches!(eni, Found::Entity(Entity::Interface(_)))
        || matches!(instance, Found::Entity(Entity::Instance(_)))
    {
        return;
    }
    let u = Unknown::at(
        "which interface is attached to which instance is not known",
        a.span,
    );
    let all: Vec<InterfaceId> = declared(l).filter(|x| l.typed[*x].instance.is_none()).collect();
    for x in all {
        let origin = l.origin(i, a.span);
        of_somebody(l, origin, x, &u);
        if let Some(x) = l.typed.interfaces.get_mut(x.index()) {
            x.meta.origin.doubt(|| u.clone());
        }
    }
}

/// The interfaces that are resources of their own.
fn declared(l: &Linker<'_>) -> impl Iterator<Item = InterfaceId> {
    l.entity.iter().flatten().filter_map(|e| match e {
        Entity::Interface(x) => Some(*x),
        _ => None,
    })
}

/// §4: an interface that is attached to nothing is in no network, and whether something else attaches it is not known.
fn lone(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Interface(id))) = l.entity.get(i).copied() else {
        return;
    };
    // A state says so.
    let used = match a.get("status").map(|n| l.text(n)) {
        Some(Fact::Known(s)) => s.eq_ignore_ascii_case("InUse"),
        _ => false,
    };
    if let Some(x) = l.typed.interfaces.get_mut(id.index())
        && x.instance.is_none()
        && !used
    {
        let u = || Box::new(Unknown::at("it is attached to nothing here", a.span));
        x.meta.origin.maybe.get_or_insert_with(u);
    }
}
