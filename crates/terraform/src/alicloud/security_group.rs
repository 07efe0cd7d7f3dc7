//! Security groups and their rules (ALIBABA.md §5).

use super::attrs::Attrs;
use super::linker::{Entity, Found, Linker, as_group, next};
use super::prefix_list::as_list;
use super::{Handler, Stage, TypeSpec, own, parse};
use bartizan_model::*;
use bartizan_packet::ServiceSet;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_security_group",
            attributes: &[
                "id",
                "tags",
                "security_group_name",
                "name",
                "vpc_id",
                "security_group_type",
                "inner_access_policy",
                "inner_access",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, declare), (Stage::Fill, fill)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_security_group_rule",
            attributes: &[
                "security_group_id",
                "type",
                "ip_protocol",
                "policy",
                "priority",
                "cidr_ip",
                "ipv6_cidr_ip",
                "source_security_group_id",
                "prefix_list_id",
                "port_range",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, rule)],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["security_group_name", "name"]);
    let id = SecurityGroupId(next(l.typed.security_groups.len()));
    l.typed.security_groups.push(SecurityGroup {
        meta,
        vpc: Fact::Unknown(Unknown::new("not linked")),
        enterprise: Fact::Known(false),
        inner_accept: Fact::Known(true),
    });
    l.declare(i, Entity::Group(id));
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Group(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vpc = l.vpc(i, &a);
    // Defaults of §5.1: a basic group whose members reach one another.
    let enterprise = l.either(i, &a, "security_group_type", ("enterprise", "normal"), false);
    let inner = match a.first(&["inner_access_policy", "inner_access"]) {
        Some((_, n)) => l.parsed(
            i,
            "inner_access_policy",
            n,
            "write `Accept` or `Drop`",
            |s| match s.to_ascii_lowercase().as_str() {
                "accept" | "true" => Ok(true),
                "drop" | "false" => Ok(false),
                _ => Err(format!("`{s}` is neither `Accept` nor `Drop`")),
            },
        ),
        None => Fact::Known(true),
    };
    if let Some(g) = l.typed.security_groups.get_mut(id.index()) {
        g.vpc = vpc;
        g.enterprise = enterprise;
        g.inner_accept = inner;
    }
}

fn rule(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let group = l.link(i, &a, &["security_group_id"], "security group", as_group);
    let direction = match a.get("type") {
        Some(n) => l.parsed(i, "type", n, "write `ingress` or `egress`", |s| {
            match s.to_ascii_lowercase().as_str() {
                "ingress" => Ok(Direction::Ingress),
                "egress" => Ok(Direction::Egress),
                _ => Err(format!("`{s}` is neither `ingress` nor `egress`")),
            }
        }),
        None => Fact::Unknown(l.invalid(
            i,
            "type",
            a.span,
            "no direction is set",
            "write `ingress` or `egress`",
        )),
    };
    let accept = l.either(i, &a, "policy", ("accept", "drop"), true);
    // §5.2: 1 is strongest and the default.
    let priority = match a.get("priority") {
        None => Fact::Known(1),
        Some(n) => l.parsed(i, "priority", n, "write a number from 1 to 100", |s| {
            match s.parse::<u8>() {
                Ok(p) if (1..=100).contains(&p) => Ok(p),
                _ => Err(format!("`{s}` is not a number from 1 to 100")),
            }
        }),
    };
    let services = services(l, i, &a, "ip_protocol", "port_range");
    let peer = peer(l, i, &a);
    let origin = l.origin(i, a.span);
    l.typed.sg_rules.push(SgRule {
        origin,
        group,
        direction,
        accept,
        priority,
        services,
        peer,
    });
}

/// Protocol and ports of a rule or entry; ports count only where the protocol has them (§19.6).
pub(super) fn services(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    protocol: &'static str,
    port: &'static str,
) -> Fact<ServiceSet> {
    let proto = match a.get(protocol) {
        Some(n) => l.parsed(i, protocol, n, "write tcp, udp, icmp, icmpv6, gre or all", |s| {
            parse::protocol(s).map(|p| {
                (
                    parse::has_ports(&p),
                    parse::services(&p, None),
                    s.to_ascii_lowercase(),
                )
            })
        }),
        None => Fact::Unknown(l.invalid(
            i,
            protocol,
            a.span,
            "no protocol is set",
            "write tcp, udp, icmp, icmpv6, gre or all",
        )),
    };
    match proto {
        Fact::Unknown(u) => Fact::Unknown(u),
        Fact::Known((false, all, _)) => Fact::Known(all),
        Fact::Known((true, all, name)) => match a.get(port) {
            None => Fact::Known(all),
            Some(n) => l
                .parsed(i, port, n, "write `80/80`, `8000/8999` or `-1/-1`", parse::ports)
                .map(|p| {
                    if name.trim() == "udp" {
                        ServiceSet::udp(p)
                    } else {
                        ServiceSet::tcp(p)
                    }
                }),
        },
    }
}

/// The other side of a rule (§5.2): exactly one of four attributes.
fn peer(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Peer {
    // A plan lists `prefix_list_id` as known only after apply when it is not set.
    let names = [
        "cidr_ip",
        "ipv6_cidr_ip",
        "source_security_group_id",
        "prefix_list_id",
    ];
    let mut set: Vec<_> = names
        .into_iter()
        .filter_map(|n| a.get(n).map(|v| (n, v)))
        .collect();
    if set.len() > 1 {
        set.retain(|(n, v)| *n != "prefix_list_id" || !matches!(v.value, Value::Unknown(_)));
    }
    // Several of which some may turn out to be null: which one it is, is not known.
    if set.len() > 1
        && let Some(u) = set.iter().find_map(|(_, v)| match &v.value {
            Value::Unknown(u) => Some(u.clone()),
            _ => None,
        })
    {
        l.unknown(i, "cidr_ip", &u);
        return Peer::Unknown(u);
    }
    let [(name, node)] = set.as_slice() else {
        // Of several that are set the second is one too many.
        let (name, span, why) = match set.get(1) {
            Some((name, v)) => (*name, v.span, "more than one peer is set"),
            None => ("cidr_ip", a.span, "no peer is set"),
        };
        let help = "set one of cidr_ip, ipv6_cidr_ip, source_security_group_id, prefix_list_id";
        return Peer::Unknown(l.invalid(i, name, span, why, help));
    };
    match *name {
        "source_security_group_id" => match l.find(node) {
            Found::Entity(Entity::Group(g)) => Peer::Group(g),
            Found::Foreign(id) => {
                l.dangling(i, name, &id, node.span, "security group");
                Peer::ForeignGroup(id)
            }
            Found::Unknown(u) => {
                l.unknown(i, name, &u);
                Peer::Unknown(u)
            }
            Found::Unset | Found::Entity(_) | Found::Resource(_) => Peer::Unknown(l.invalid(
                i,
                name,
                node.span,
                "it is not the id of a security group",
                "name a security group",
            )),
        },
        "prefix_list_id" => Peer::Net(NetSpec::PrefixList(l.link_node(
            i,
            name,
            node,
            "prefix list",
            as_list,
        ))),
        _ => Peer::Net(NetSpec::Net(l.net(i, name, node))),
    }
}
