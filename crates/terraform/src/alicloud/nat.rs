//! NAT gateways, SNAT and DNAT entries (ALIBABA.md §8).

use super::attrs::Attrs;
use super::linker::{Entity, Found, Linker, as_vswitch, next};
use super::{Handler, Stage, TypeSpec, own, parse};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_nat_gateway",
            attributes: &[
                "id",
                "tags",
                "nat_gateway_name",
                "name",
                "vpc_id",
                "vswitch_id",
                "network_type",
                "snat_table_ids",
                "forward_table_ids",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("snat_table_ids"), own("forward_table_ids")],
        steps: &[(Stage::Declare, declare), (Stage::Fill, fill)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_nat_ip_cidr",
            attributes: &["nat_gateway_id", "nat_ip_cidr"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, block)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_nat_ip",
            attributes: &["nat_gateway_id", "nat_ip"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, address)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_snat_entry",
            attributes: &["snat_table_id", "source_vswitch_id", "source_cidr", "snat_ip"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, snat)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_forward_entry",
            attributes: &[
                "forward_table_id",
                "external_ip",
                "external_port",
                "ip_protocol",
                "internal_ip",
                "internal_port",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, forward)],
    },
];

/// §8.2, §8.3: the cloud takes an entry only where its EIP is bound to the gateway. One that is in a state is there, so its
/// EIP is bound, even if what binds it is elsewhere.
pub(super) fn entries_bind(l: &mut Linker<'_>) {
    let t = &mut l.typed;
    let sources = t
        .snat_entries
        .iter()
        .flat_map(|e| e.ips.iter().map(move |ip| (&e.nat, ip)));
    let all: Vec<_> = t
        .dnat_entries
        .iter()
        .map(|e| (&e.nat, &e.external))
        .chain(sources)
        .filter_map(|(nat, ip)| match (nat, ip) {
            (Fact::Known(n), NatIp::Eip(e)) => Some((*n, *e)),
            _ => None,
        })
        .collect();
    for (nat, eip) in all {
        if let Some(e) = t.eips.get_mut(eip.index()).filter(|e| e.bound.is_empty()) {
            e.bound.push(EipTarget::Nat(nat));
        }
    }
}

/// The route that the cloud adds for the first Internet NAT gateway of a VPC (§3.2): `0.0.0.0/0` of the system table, unless
/// that has one. It is certain where the VPC has one such gateway and nothing else may have been there first.
pub(super) fn settle(l: &mut Linker<'_>) {
    let t = &l.typed;
    let mut out = Vec::new();
    for (v, vpc) in (0u32..).map(VpcId).zip(&t.vpcs) {
        let here: Vec<(NatId, &NatGateway)> = (0u32..)
            .map(NatId)
            .zip(&t.nat_gateways)
            .filter(|(_, n)| n.internet != Fact::Known(false) && n.vpc.known().is_none_or(|x| *x == v))
            .collect();
        if here.is_empty() {
            continue;
        }
        let table = vpc.system_table;
        let mut taken = false;
        let mut perhaps = false;
        for e in t
            .route_entries
            .iter()
            .filter(|e| e.table.known().is_none_or(|x| *x == table))
        {
            match default_route(t, &e.destination) {
                Some(true) if e.table.known().is_some() && e.origin.maybe.is_none() => taken = true,
                Some(_) => perhaps = true,
                None => {}
            }
        }
        if taken {
            continue;
        }
        let learns = learns_default(t, v);
        for (n, nat) in &here {
            let why = if perhaps {
                Some("the system table may have a default route already")
            } else if here.len() > 1 {
                Some(
                    "the cloud adds a default route for the first NAT gateway of a VPC, and this one has several",
                )
            } else if nat.vpc.known().is_none() || nat.internet.known().is_none() {
                Some("whether the VPC has the NAT gateway is not known")
            } else if learns {
                Some("the VPC may have learned a default route before")
            } else {
                None
            };
            let mut origin = nat.meta.origin.clone();
            if let (None, Some(why)) = (&origin.maybe, why) {
                origin.maybe = Some(Box::new(Unknown::at(why, origin.span)));
            }
            out.push(RouteEntry {
                origin,
                table: Fact::Known(table),
                destination: NetSpec::Net(Fact::Known(ipnet::Ipv4Net::default().into())),
                next_hops: vec![NextHop::Nat(*n)],
            });
        }
    }
    l.typed.route_entries.extend(out);
}

/// Whether a destination is every IPv4 address, as far as one can tell: `None` if it is not.
fn default_route(t: &Typed, d: &NetSpec) -> Option<bool> {
    let of = |n: &Fact<ipnet::IpNet>| match n {
        Fact::Known(n) => (n.prefix_len() == 0 && n.addr().is_ipv4()).then_some(true),
        Fact::Unknown(_) => Some(false),
    };
    match d {
        NetSpec::Net(n) => of(n),
        NetSpec::PrefixList(Fact::Known(list)) => match &t[*list].entries {
            Fact::Known(all) => all.iter().filter_map(of).max(),
            Fact::Unknown(_) => Some(false),
        },
        NetSpec::PrefixList(Fact::Unknown(_)) => Some(false),
    }
}

/// Whether a VPC may learn a default route from what it is attached to.
fn learns_default(t: &Typed, v: VpcId) -> bool {
    let this = |f: &Fact<VpcId>| f.known().is_none_or(|x| *x == v);
    if t.vpn_gateways.iter().any(|g| this(&g.vpc)) {
        return true;
    }
    let attached = t.attachments.iter().any(|a| match &a.to {
        Attached::Vpc(x) => this(x),
        _ => false,
    });
    attached
        && (!t.border_routers.is_empty()
            || !t.vpn_connections.is_empty()
            || t.attachments
                .iter()
                .any(|a| matches!(a.to, Attached::Unmodelled(..)))
            || t.published_routes
                .iter()
                .any(|r| r.destination.known().is_none_or(|n| n.prefix_len() == 0))
            || t.tr_routes
                .iter()
                .any(|r| default_route(t, &r.destination).is_some()))
}

/// Custom NAT blocks and NAT IPs of a VPC NAT gateway (§8.1).
fn owner(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> (Vec<NatId>, bool) {
    let nat = l.link(i, a, &["nat_gateway_id"], "NAT gateway", |e| {
        if let Entity::Nat(n) = e { Some(n) } else { None }
    });
    match nat {
        Fact::Known(n) => (vec![n], true),
        // It may belong to any.
        Fact::Unknown(_) => {
            let all = 0..l.typed.nat_gateways.len();
            (all.map(next).map(NatId).collect(), false)
        }
    }
}

/// A fact of a resource that may not exist is not known.
fn perhaps<T>(l: &Linker<'_>, i: usize, a: &Attrs<'_>, fact: Fact<T>) -> Fact<T> {
    match l.origin(i, a.span).maybe {
        Some(u) => Fact::Unknown(*u),
        None => fact,
    }
}

fn block(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let net = match a.get("nat_ip_cidr") {
        Some(n) => l.net(i, "nat_ip_cidr", n),
        None => Fact::Unknown(l.invalid(i, "nat_ip_cidr", a.span, "no block is set", "set `nat_ip_cidr`")),
    };
    let net = perhaps(l, i, &a, net);
    let (owners, known) = owner(l, i, &a);
    let net = match net {
        Fact::Known(_) if !known => Fact::Unknown(Unknown::at("whose block it is is not known", a.span)),
        net => net,
    };
    for nat in owners {
        let net = net.clone();
        if let Some(n) = l.typed.nat_gateways.get_mut(nat.index()) {
            n.blocks.push(net);
        }
    }
}

fn address(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let ip = match a.get("nat_ip") {
        Some(n) => l.parsed(i, "nat_ip", n, "write a private address", parse::ip),
        // The cloud picks one.
        None => Fact::Unknown(Unknown::at("the cloud picks the address", a.span)),
    };
    let ip = perhaps(l, i, &a, ip);
    let (owners, known) = owner(l, i, &a);
    for nat in owners.into_iter().filter(|_| known) {
        if let Some(n) = l.typed.nat_gateways.get_mut(nat.index()) {
            n.ips.push(ip.clone());
        }
    }
}

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["nat_gateway_name", "name"]);
    let id = NatId(next(l.typed.nat_gateways.len()));
    let vpc = Fact::Unknown(Unknown::new("not linked"));
    l.typed.nat_gateways.push(NatGateway {
        meta,
        vpc,
        vswitch: None,
        internet: Fact::Known(true),
        blocks: Vec::new(),
        ips: Vec::new(),
    });
    l.declare(i, Entity::Nat(id));
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Nat(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vpc = l.vpc(i, &a);
    let vswitch = a
        .get("vswitch_id")
        .map(|n| l.link_node(i, "vswitch_id", n, "vSwitch", as_vswitch));
    // §8.1: an Internet NAT gateway unless it says otherwise.
    let internet = l.either(i, &a, "network_type", ("internet", "intranet"), true);
    let why = match (&internet, &vswitch) {
        (Fact::Known(true), _) => None,
        (Fact::Unknown(_), _) => Some("whether it is a VPC NAT gateway is not known"),
        (Fact::Known(false), None) => {
            Some("a VPC NAT gateway sends packets on by the table of its vSwitch, which is not set")
        }
        (Fact::Known(false), Some(_)) => None,
    };
    if let Some(why) = why {
        l.refused.insert(i, why.into());
    }
    if let Some(n) = l.typed.nat_gateways.get_mut(id.index()) {
        n.vpc = vpc;
        n.vswitch = vswitch;
        n.internet = internet;
    }
}

fn nat(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, table: &'static str) -> Fact<NatId> {
    l.link(i, a, &[table], "NAT gateway's table", |e| {
        if let Entity::Nat(n) = e { Some(n) } else { None }
    })
}

/// An address by reference to an EIP, or as text.
fn nat_ip(l: &mut Linker<'_>, i: usize, nat: Option<NatId>, name: &str, node: &Node) -> NatIp {
    match l.find(node) {
        Found::Entity(Entity::Eip(e)) => NatIp::Eip(e),
        Found::Foreign(t) => match text_ip(l, i, name, node, &t) {
            // §8.2: it works if it is an EIP that is bound to the gateway, and who has this one is not in the input. A
            // VPC NAT gateway has addresses of its own.
            NatIp::Ip(_) if nat.is_none_or(|n| l.typed[n].internet != Fact::Known(false)) => {
                let why = "no resource of the input has this address: whether it is bound to the gateway is not known";
                let u = Unknown::at(why, node.span);
                l.unknown(i, name, &u);
                NatIp::Unknown(u)
            }
            ip => ip,
        },
        Found::Unknown(u) => {
            l.unknown(i, name, &u);
            NatIp::Unknown(u)
        }
        _ => NatIp::Unknown(Unknown::at("it is not an address", node.span)),
    }
}

fn text_ip(l: &mut Linker<'_>, i: usize, name: &str, node: &Node, t: &str) -> NatIp {
    match parse::ip(t) {
        Ok(ip) => NatIp::Ip(ip),
        Err(why) => {
            NatIp::Unknown(l.invalid(i, name, node.span, &why, "write an address of the NAT gateway"))
        }
    }
}

fn snat(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let nat = nat(l, i, &a, "snat_table_id");
    let vswitch = a.get("source_vswitch_id");
    let cidr = a.get("source_cidr");
    // §8.2: exactly one of the two; a plan lists the other as known only after apply.
    let known = |n: &Option<&Node>| n.is_some_and(|n| !matches!(n.value, Value::Unknown(_)));
    let source = match (vswitch, cidr) {
        (Some(n), c) if known(&vswitch) || !known(&c) => {
            SnatSource::Vswitch(l.link_node(i, "source_vswitch_id", n, "vSwitch", as_vswitch))
        }
        (_, Some(n)) => SnatSource::Net(l.net(i, "source_cidr", n)),
        _ => {
            let help = "set `source_vswitch_id` or `source_cidr`";
            SnatSource::Net(Fact::Unknown(l.invalid(
                i,
                "source_cidr",
                a.span,
                "no source is set",
                help,
            )))
        }
    };
    let of = nat.known().copied();
    let ips = match a.get("snat_ip") {
        None => vec![NatIp::Unknown(Unknown::at("no address is set", a.span))],
        Some(n) => match &n.value {
            Value::String(s) if s.contains(',') => s
                .split(',')
                .map(|part| {
                    let one = Node {
                        value: Value::String(part.trim().into()),
                        span: n.span,
                    };
                    nat_ip(l, i, of, "snat_ip", &one)
                })
                .collect(),
            Value::List(all) => all.iter().map(|n| nat_ip(l, i, of, "snat_ip", n)).collect(),
            _ => vec![nat_ip(l, i, of, "snat_ip", n)],
        },
    };
    let origin = l.origin(i, a.span);
    l.typed.snat_entries.push(SnatEntry {
        origin,
        nat,
        source,
        ips,
    });
}

fn forward(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let nat = nat(l, i, &a, "forward_table_id");
    let external = match a.get("external_ip") {
        Some(n) => nat_ip(l, i, nat.known().copied(), "external_ip", n),
        None => NatIp::Unknown(Unknown::at("no address is set", a.span)),
    };
    let protocol = match a.get("ip_protocol") {
        Some(n) => l.parsed(i, "ip_protocol", n, "write `tcp`, `udp` or `any`", |s| {
            match s.to_ascii_lowercase().as_str() {
                "tcp" => Ok(DnatProtocol::Tcp),
                "udp" => Ok(DnatProtocol::Udp),
                "any" => Ok(DnatProtocol::Any),
                _ => Err(format!("`{s}` is not `tcp`, `udp` or `any`")),
            }
        }),
        None => Fact::Unknown(l.invalid(
            i,
            "ip_protocol",
            a.span,
            "no protocol is set",
            "write `tcp`, `udp` or `any`",
        )),
    };
    let ports = if protocol == Fact::Known(DnatProtocol::Any) {
        Fact::Known(None)
    } else {
        ports(l, i, &a)
    };
    let target = target(l, i, &a, nat.known().copied());
    let origin = l.origin(i, a.span);
    l.typed.dnat_entries.push(DnatEntry {
        origin,
        nat,
        external,
        protocol,
        ports,
        target,
    });
}

/// §8.3: `80`, `any`, or equally long ranges `10/20` to `80/90`.
fn ports(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<Option<PortMapping>> {
    let mut one = |name: &'static str| match a.get(name) {
        None => Fact::Unknown(l.invalid(i, name, a.span, "no port is set", "write a port")),
        Some(n) => l.parsed(
            i,
            name,
            n,
            "write a port such as `443` or a range such as `10/20`",
            |s| {
                if s.eq_ignore_ascii_case("any") {
                    return Ok(None);
                }
                let (lo, hi) = s.split_once('/').unwrap_or((s, s));
                match (lo.trim().parse::<u16>(), hi.trim().parse::<u16>()) {
                    (Ok(lo), Ok(hi)) if lo <= hi => Ok(Some((lo, hi))),
                    _ => Err(format!("`{s}` is not a port or a range of ports")),
                }
            },
        ),
    };
    match (one("external_port"), one("internal_port")) {
        (Fact::Known(None), Fact::Known(None)) => Fact::Known(None),
        (Fact::Known(Some(e)), Fact::Known(Some(n))) if e.1 - e.0 == n.1 - n.0 => {
            Fact::Known(Some(PortMapping {
                external: e,
                internal: n,
            }))
        }
        (Fact::Unknown(u), _) | (_, Fact::Unknown(u)) => Fact::Unknown(u),
        _ => Fact::Unknown(l.invalid(
            i,
            "internal_port",
            a.span,
            "the port ranges differ in length",
            "make both ranges equally long",
        )),
    }
}

fn target(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, nat: Option<NatId>) -> DnatTarget {
    let Some(node) = a.get("internal_ip") else {
        return DnatTarget::Unknown(l.invalid(
            i,
            "internal_ip",
            a.span,
            "no address is set",
            "write a private address",
        ));
    };
    match l.find(node) {
        Found::Entity(e) => match l.interface_of(e) {
            Some(x) if !l.typed[x].addresses.is_empty() => DnatTarget::Interface(x, 0),
            _ => {
                let u = Unknown::at("the address is not known", node.span);
                l.unknown(i, "internal_ip", &u);
                DnatTarget::Unknown(u)
            }
        },
        Found::Foreign(t) => match parse::ip(&t) {
            Ok(ip) => {
                let vpc = nat.and_then(|n| l.typed[n].vpc.known().copied());
                let mut owners = l.owners(ip);
                owners.retain(|(x, _)| {
                    let home = l.typed.vpc_of(&l.typed[*x]);
                    vpc.is_none() || home.is_none() || home == vpc
                });
                match owners.as_slice() {
                    [(x, at)] => DnatTarget::Interface(*x, *at),
                    _ => DnatTarget::Ip(ip),
                }
            }
            Err(why) => {
                DnatTarget::Unknown(l.invalid(i, "internal_ip", node.span, &why, "write a private address"))
            }
        },
        Found::Unknown(u) => {
            l.unknown(i, "internal_ip", &u);
            DnatTarget::Unknown(u)
        }
        Found::Unset | Found::Resource(_) => {
            DnatTarget::Unknown(Unknown::at("it is not an address", node.span))
        }
    }
}
