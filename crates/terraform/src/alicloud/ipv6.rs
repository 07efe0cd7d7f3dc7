//! Internet access of IPv6 addresses (ALIBABA.md §7.3): bandwidth is bought for one address, and an egress-only
//! rule takes the inbound direction away again.

use super::attrs::Attrs;
use super::linker::{Entity, Found, Linker};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_ipv6_address",
            attributes: &["id", "vswitch_id", "ipv6_address"],
        },
        aliases: &[],
        identities: &[own("id"), own("ipv6_address")],
        steps: &[(Stage::Declare, |l, i, _| l.declare(i, Entity::Ipv6Address(i)))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_ipv6_internet_bandwidth",
            attributes: &["ipv6_address_id", "ipv6_gateway_id", "bandwidth"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, bandwidth)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_ipv6_egress_rule",
            attributes: &["instance_id", "ipv6_gateway_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, egress)],
    },
];

/// What is said about the Internet access of IPv6 addresses.
#[derive(Debug, Default)]
pub(super) struct Ipv6Access {
    /// Bandwidth, by the resource that is the address.
    bandwidth: BTreeMap<usize, Origin>,
    /// Egress-only rules, by the resource that is the address.
    egress_only: BTreeMap<usize, Origin>,
    /// Bandwidth or rules for an address that is not known, with the VPC of the gateway.
    loose: Vec<(Option<VpcId>, Unknown)>,
    /// Gateways that bandwidth is bought at and that are not in the input: which resource names one, and for which
    /// resource that is an address.
    beyond: Vec<(Origin, Option<usize>, Unknown)>,
    /// The resources that are addresses, by address; found when they are asked for.
    by_ip: Option<BTreeMap<IpAddr, usize>>,
}

/// Why an IPv6 gateway is not one of the input, if it is not. Nobody buys bandwidth at a gateway that is not there.
fn beyond(l: &mut Linker<'_>, a: &Attrs<'_>) -> Option<Unknown> {
    let n = a.get("ipv6_gateway_id")?;
    match l.find(n) {
        Found::Entity(_) | Found::Unset => None,
        Found::Foreign(id) => Some(Unknown::at(
            format!("the gateway `{id}` is not in the inventory"),
            n.span,
        )),
        Found::Unknown(u) => Some(u),
        Found::Resource(_) => Some(Unknown::at("the gateway is not known", n.span)),
    }
}

/// The resource that is an IPv6 address, in whatever spelling.
pub(super) fn resource_of(l: &mut Linker<'_>, ip: IpAddr) -> Option<usize> {
    if l.ipv6.by_ip.is_none() {
        let mut all = BTreeMap::new();
        for (i, r) in l.res.iter().enumerate() {
            if &*r.kind == "alicloud_vpc_ipv6_address"
                && !r.data
                && let Some(n) = r.get("ipv6_address")
                && let Fact::Known(t) = l.text(n)
                && let Ok(ip) = super::parse::ip(&t)
            {
                all.entry(ip).or_insert(i);
            }
        }
        l.ipv6.by_ip = Some(all);
    }
    l.ipv6.by_ip.as_ref()?.get(&ip).copied()
}

fn gateway_vpc(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Option<VpcId> {
    let g = l.link(i, a, &["ipv6_gateway_id"], "IPv6 gateway", |e| {
        if let Entity::Ipv6Gateway(g) = e {
            Some(g)
        } else {
            None
        }
    });
    g.known().and_then(|g| l.typed[*g].vpc.known().copied())
}

fn address(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str) -> Result<usize, Unknown> {
    let found = match a.get(name) {
        Some(n) => l.find(n),
        None => Found::Unset,
    };
    let u = match found {
        Found::Entity(Entity::Ipv6Address(r)) => return Ok(r),
        Found::Unknown(u) => u,
        Found::Foreign(id) => Unknown::at(format!("`{id}` is not in the inventory"), a.span),
        Found::Unset | Found::Entity(_) | Found::Resource(_) => l.invalid(
            i,
            name,
            a.span,
            "it is not the id of an IPv6 address",
            "name an `alicloud_vpc_ipv6_address`",
        ),
    };
    l.unknown(i, name, &u);
    Err(u)
}

fn bandwidth(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let vpc = gateway_vpc(l, i, &a);
    // 0 Mbit/s makes the address private again.
    let amount = l.count(i, &a, "bandwidth");
    if amount == Fact::Known(0) && a.get("bandwidth").is_some() {
        return;
    }
    let mut origin = l.origin(i, a.span);
    if let Fact::Unknown(u) = amount {
        origin.maybe = Some(Box::new(u));
    }
    let beyond = beyond(l, &a);
    let address = address(l, i, &a, "ipv6_address_id");
    if let Some(u) = beyond {
        l.ipv6
            .beyond
            .push((origin.clone(), address.as_ref().ok().copied(), u));
    }
    match address {
        Ok(r) => {
            l.ipv6.bandwidth.insert(r, origin);
        }
        Err(u) => l.ipv6.loose.push((vpc, u)),
    }
}

fn egress(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let vpc = gateway_vpc(l, i, &a);
    let origin = l.origin(i, a.span);
    match address(l, i, &a, "instance_id") {
        Ok(r) => {
            l.ipv6.egress_only.insert(r, origin);
        }
        Err(u) => l.ipv6.loose.push((vpc, u)),
    }
}

/// Decides the access of every address once everything is linked.
pub(super) fn settle(l: &mut Linker<'_>) {
    let vpcs: Vec<Option<VpcId>> = l.typed.interfaces.iter().map(|x| l.typed.vpc_of(x)).collect();
    let access = std::mem::take(&mut l.ipv6);
    gateways(l, &access, &vpcs);
    // Bandwidth for an address that nobody here is seen to have.
    let matched: BTreeSet<usize> = l.ipv6_from.values().copied().collect();
    let strays: Vec<(Option<VswitchId>, Unknown)> = access
        .bandwidth
        .iter()
        .filter(|(r, _)| !matched.contains(r))
        .map(|(r, o)| {
            let node = l.res.get(*r).and_then(|r| r.get("vswitch_id"));
            let vswitch = match node.map(|n| l.find(n)) {
                Some(Found::Entity(Entity::Vswitch(v))) => Some(v),
                _ => None,
            };
            (
                vswitch,
                Unknown::at("bandwidth is bought for an address that may be this one", o.span),
            )
        })
        .collect();
    for ((x, home), iface) in (0u32..).zip(&vpcs).zip(&mut l.typed.interfaces) {
        for (at, address) in (0u32..).zip(&mut iface.addresses) {
            // What a load balancer says of its own address is said.
            let said = !matches!(address.ipv6_internet, Ipv6Internet::None);
            if address.kind != AddressKind::Ipv6 || said {
                continue;
            }
            let from = l.ipv6_from.get(&(x, at));
            let (band, only) = match from {
                Some(r) => (access.bandwidth.get(r), access.egress_only.get(r)),
                None => (None, None),
            };
            let open = !matches!(address.spec, AddressSpec::Ip(_));
            let stray = strays
                .iter()
                .filter(|_| open)
                .find(|(v, _)| match (v, iface.vswitch.known()) {
                    (Some(a), Some(b)) => a == b,
                    _ => true,
                });
            let loose = access.loose.iter().find(|(vpc, _)| match (vpc, home) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            });
            // Bandwidth for an unknown address may be for this one, unless this one is accounted for.
            address.ipv6_internet = match (band, only, loose) {
                (Some(o), _, _) if o.maybe.is_some() => Ipv6Internet::Unknown(unknown(o)),
                (Some(_), Some(e), _) if e.maybe.is_some() => Ipv6Internet::Unknown(unknown(e)),
                (Some(_), Some(e), _) => Ipv6Internet::EgressOnly(e.clone()),
                (Some(o), None, None) => Ipv6Internet::Both(o.clone()),
                (_, _, Some((_, u))) => Ipv6Internet::Unknown(u.clone()),
                (None, _, None) => {
                    stray.map_or(Ipv6Internet::None, |(_, u)| Ipv6Internet::Unknown(u.clone()))
                }
            };
        }
    }
}

/// Adds the gateways that are not in the input, as ones that may be in the VPCs of the addresses.
fn gateways(l: &mut Linker<'_>, access: &Ipv6Access, vpcs: &[Option<VpcId>]) {
    let mut out: Vec<Ipv6Gateway> = Vec::new();
    for (origin, address, why) in &access.beyond {
        let owners = l.ipv6_from.iter().filter(|(_, r)| Some(**r) == *address);
        let homes: BTreeSet<Option<VpcId>> = owners
            .map(|((x, _), _)| vpcs.get(*x as usize).copied().flatten())
            .collect();
        // Whose address it is is not known: it may be in any VPC.
        let homes = if homes.is_empty() {
            BTreeSet::from([None])
        } else {
            homes
        };
        for home in homes {
            let vpc = match home {
                Some(v) => Fact::Known(v),
                None => Fact::Unknown(why.clone()),
            };
            let known = |g: &Ipv6Gateway| g.vpc.known() == home.as_ref() && g.meta.origin.maybe.is_none();
            if l.typed.ipv6_gateways.iter().any(known) || out.iter().any(|g| g.vpc == vpc) {
                continue;
            }
            let mut origin = origin.clone();
            origin.doubt(|| why.clone());
            out.push(Ipv6Gateway {
                meta: Meta::nameless(origin),
                vpc,
            });
        }
    }
    l.typed.ipv6_gateways.extend(out);
}

fn unknown(o: &Origin) -> Unknown {
    o.maybe
        .as_deref()
        .cloned()
        .unwrap_or_else(|| Unknown::new("not known"))
}
