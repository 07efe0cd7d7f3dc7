//! vSwitches (ALIBABA.md §2) and what they are bound to by default (§3.1, §6).

use super::attrs::Attrs;
use super::linker::{Entity, Linker, next};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;
use ipnet::{IpNet, Ipv6Net};

pub(super) const HANDLERS: &[Handler] = &[Handler {
    spec: TypeSpec {
        name: "alicloud_vswitch",
        attributes: &[
            "id",
            "tags",
            "vswitch_name",
            "name",
            "vpc_id",
            "cidr_block",
            "enable_ipv6",
            "ipv6_cidr_block",
            "ipv6_cidr_block_mask",
        ],
    },
    aliases: &["alicloud_subnet"],
    identities: &[own("id")],
    steps: &[(Stage::Declare, declare), (Stage::Fill, fill)],
}];

fn pending() -> Unknown {
    Unknown::new("not linked")
}

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["vswitch_name", "name"]);
    let id = VswitchId(next(l.typed.vswitches.len()));
    l.typed.vswitches.push(Vswitch {
        meta,
        vpc: Fact::Unknown(pending()),
        cidr: Fact::Unknown(pending()),
        ipv6_cidr: None,
        table: Fact::Unknown(pending()),
        acl: Fact::Unknown(pending()),
    });
    l.declare(i, Entity::Vswitch(id));
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Vswitch(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vpc = l.vpc(i, &a);
    let cidr = match a.get("cidr_block") {
        Some(n) => l.net(i, "cidr_block", n),
        None => {
            let u = Unknown::at("the cloud picks the block", a.span);
            l.unknown(i, "cidr_block", &u);
            Fact::Unknown(u)
        }
    };
    let ipv6 = ipv6_block(l, i, &a, vpc.known().copied());
    if let Some(v) = l.typed.vswitches.get_mut(id.index()) {
        v.vpc = vpc;
        v.cidr = cidr;
        v.ipv6_cidr = ipv6;
    }
}

/// The IPv6 block: as given, or the /64 of the VPC's block that the mask picks (§2).
fn ipv6_block(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, vpc: Option<VpcId>) -> Option<Fact<IpNet>> {
    if let Some(n) = a.get("ipv6_cidr_block") {
        let whole = matches!(&n.value, Value::String(s) if s.contains(':'));
        return match (&n.value, whole) {
            (Value::String(_), _) => Some(l.net(i, "ipv6_cidr_block", n)),
            // A plan lists it as known only after apply, whether the vSwitch has IPv6 or not.
            _ if a.get("enable_ipv6").is_none() && a.get("ipv6_cidr_block_mask").is_none() => None,
            _ => Some(l.net(i, "ipv6_cidr_block", n)),
        };
    }
    let enabled = match a.get("enable_ipv6") {
        Some(_) => l.flag(i, a, "enable_ipv6", false),
        None => Fact::Known(a.get("ipv6_cidr_block_mask").is_some()),
    };
    if enabled == Fact::Known(false) {
        return None;
    }
    let why = || Unknown::at("the cloud picks the IPv6 block", a.span);
    let mask = match a.get("ipv6_cidr_block_mask") {
        Some(n) => l.parsed(
            i,
            "ipv6_cidr_block_mask",
            n,
            "write a number from 0 to 255",
            |s| {
                s.parse::<u8>()
                    .map_err(|_| format!("`{s}` is not a number from 0 to 255"))
            },
        ),
        None => Fact::Unknown(why()),
    };
    let blocks: Vec<Ipv6Net> = match vpc.and_then(|v| l.typed.vpcs.get(v.index())) {
        Some(v) => v
            .cidrs
            .iter()
            .filter_map(|c| {
                if let Fact::Known(IpNet::V6(n)) = c {
                    Some(*n)
                } else {
                    None
                }
            })
            .collect(),
        None => Vec::new(),
    };
    Some(match (mask, blocks.as_slice()) {
        (Fact::Known(m), [block]) if block.prefix_len() == 56 => {
            let base = u128::from(block.network()) + (u128::from(m) << 64);
            match Ipv6Net::new(base.into(), 64) {
                Ok(n) => Fact::Known(IpNet::V6(n)),
                Err(_) => Fact::Unknown(why()),
            }
        }
        (Fact::Unknown(u), _) => Fact::Unknown(u),
        _ => Fact::Unknown(why()),
    })
}

/// The system table of its VPC and no network ACL, until an attachment says otherwise.
pub(super) fn default_bindings(l: &mut Linker<'_>) {
    let tables: Vec<RouteTableId> = l.typed.vpcs.iter().map(|v| v.system_table).collect();
    for v in &mut l.typed.vswitches {
        v.table = match &v.vpc {
            Fact::Known(vpc) => match tables.get(vpc.index()) {
                Some(t) => Fact::Known(*t),
                None => Fact::Unknown(pending()),
            },
            Fact::Unknown(u) => Fact::Unknown(u.clone()),
        };
        v.acl = Fact::Known(None);
    }
}

/// Binds a route table or a network ACL: to the vSwitch named, or, when that is not known, to any vSwitch of
/// the VPC that could be meant.
pub(super) fn bind(
    l: &mut Linker<'_>,
    vswitch: Fact<VswitchId>,
    vpc: Option<VpcId>,
    maybe: Option<Unknown>,
    set: impl Fn(&mut Vswitch, Option<&Unknown>),
) {
    match (vswitch, maybe) {
        (Fact::Known(v), maybe) => {
            if let Some(v) = l.typed.vswitches.get_mut(v.index()) {
                set(v, maybe.as_ref());
            }
        }
        (Fact::Unknown(u), _) => {
            for v in &mut l.typed.vswitches {
                let fits = match (vpc, v.vpc.known()) {
                    (Some(a), Some(b)) => a == *b,
                    _ => true,
                };
                if fits {
                    set(v, Some(&u));
                }
            }
        }
    }
}
