//! vSwitches (ALIBABA.md §2) and what they are bound to by default (§3.1, §6).

use super::attrs::Attrs;
use super::linker::{Entity, Linker, next};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_base::Span;
use bartizan_model::*;
use ipnet::{IpNet, Ipv6Net};
use rustc_hash::FxHashMap;

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
            "vpc_ipv6_cidr_block",
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
    if a.empty("ipv6_cidr_block") {
        return None;
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
    let said = match a.get("vpc_ipv6_cidr_block") {
        None => None,
        Some(n) => match l.net(i, "vpc_ipv6_cidr_block", n) {
            Fact::Known(IpNet::V6(n)) => Some(vec![n]),
            _ => Some(Vec::new()),
        },
    };
    let blocks: Vec<Ipv6Net> = match vpc.and_then(|v| l.typed.vpcs.get(v.index())) {
        _ if said.is_some() => said.unwrap_or_default(),
        // It may be in a block that is not known; the first one is of IPv4.
        Some(v) if v.cidrs.iter().skip(1).any(|c| c.known().is_none()) => Vec::new(),
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

/// What a vSwitch is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    Table(RouteTableId),
    Acl(AclId),
}

/// A binding as written.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    /// The resource that says it, and its attribute for the vSwitch.
    pub(super) by: (usize, &'static str),
    pub(super) span: Span,
    /// Whether a network ACL is bound and not a route table.
    pub(super) acl: bool,
    pub(super) vswitch: Fact<VswitchId>,
    pub(super) to: Fact<Bound>,
    /// The VPC of what is bound, where known.
    pub(super) vpc: Option<VpcId>,
    /// Set when it is not known whether the binding exists.
    pub(super) maybe: Option<Unknown>,
}

/// Decides what every vSwitch is bound to, whatever the order of the bindings.
///
/// A binding that names the vSwitch and surely exists decides. Without one, a binding that may exist, or one
/// whose vSwitch is not known, makes every vSwitch of the VPC unknown that could be meant. Two bindings that
/// contradict each other cannot be applied.
pub(super) fn settle(l: &mut Linker<'_>) {
    let all = std::mem::take(&mut l.bindings);
    for acl in [false, true] {
        let of: Vec<&Binding> = all.iter().filter(|b| b.acl == acl).collect();
        if of.is_empty() {
            continue;
        }
        let mut sure: FxHashMap<VswitchId, Vec<&Binding>> = FxHashMap::default();
        let mut maybe: FxHashMap<VswitchId, &Unknown> = FxHashMap::default();
        let mut loose: Vec<(&Binding, &Unknown)> = Vec::new();
        let vague: Vec<&Binding> = (of.iter().copied())
            .filter(|b| b.to.known().is_none() && (b.maybe.is_some() || b.vswitch.known().is_none()))
            .collect();
        for b in of {
            match (&b.vswitch, &b.maybe) {
                (Fact::Known(v), None) => sure.entry(*v).or_default().push(b),
                (Fact::Known(v), Some(u)) => {
                    maybe.entry(*v).or_insert(u);
                }
                (Fact::Unknown(u), _) => loose.push((b, u)),
            }
        }
        for (n, home) in (0u32..).zip(
            l.typed
                .vswitches
                .iter()
                .map(|v| v.vpc.clone())
                .collect::<Vec<_>>(),
        ) {
            let id = VswitchId(n);
            let could_be = |b: &Binding| match (b.vpc, home.known()) {
                (Some(a), Some(v)) => a == *v,
                _ => true,
            };
            // A table that may be one which is not in the input: nothing is known of its routes.
            let elsewhere = |b: &&Binding| b.to.known().is_none();
            let beyond = sure
                .get(&id)
                .and_then(|all| all.iter().copied().find(elsewhere))
                .or_else(|| {
                    vague
                        .iter()
                        .copied()
                        .find(|b| b.vswitch.known().is_none_or(|v| *v == id) && could_be(b))
                })
                .filter(|_| !acl);
            let beyond = beyond.and_then(|b| Some((b.by.0, b.span, b.to.unknown()?.clone())));
            let to = match sure.get(&id).map(Vec::as_slice) {
                Some([first, rest @ ..]) => match rest.iter().find(|b| b.to.known() != first.to.known()) {
                    None => first.to.clone(),
                    Some(other) => {
                        let what = if acl { "network ACL" } else { "route table" };
                        Fact::Unknown(l.invalid(
                            other.by.0,
                            other.by.1,
                            other.span,
                            &format!("the vSwitch is bound to another {what} already"),
                            &format!("bind a vSwitch to one {what} only"),
                        ))
                    }
                },
                _ => match maybe
                    .get(&id)
                    .copied()
                    .or_else(|| loose.iter().find(|(b, _)| could_be(b)).map(|(_, u)| *u))
                {
                    Some(u) => Fact::Unknown(u.clone()),
                    None => continue,
                },
            };
            if let (Some((by, span, why)), Some(vpc), true) = (beyond, home.known(), to.known().is_none()) {
                strange_table(l, by, span, *vpc, &why);
            }
            let Some(v) = l.typed.vswitches.get_mut(id.index()) else {
                continue;
            };
            match to {
                Fact::Known(Bound::Table(t)) => v.table = Fact::Known(t),
                Fact::Known(Bound::Acl(a)) => v.acl = Fact::Known(Some(a)),
                Fact::Unknown(u) if acl => v.acl = Fact::Unknown(u),
                Fact::Unknown(u) => v.table = Fact::Unknown(u),
            }
        }
    }
}

/// A table of a VPC that is not in the input: it may have any route. One stands for all of them.
fn strange_table(l: &mut Linker<'_>, by: usize, span: Span, vpc: VpcId, why: &Unknown) {
    if !l.strange_tables.insert(vpc) {
        return;
    }
    let origin = l.origin(by, span);
    let id = RouteTableId(next(l.typed.route_tables.len()));
    l.typed.route_tables.push(RouteTable {
        meta: Meta::nameless(origin.clone()),
        vpc: Fact::Known(vpc),
        kind: RouteTableKind::Custom,
        propagation: Fact::Unknown(why.clone()),
    });
    l.typed.route_entries.push(RouteEntry {
        origin,
        table: Fact::Known(id),
        destination: NetSpec::Net(Fact::Unknown(why.clone())),
        next_hops: vec![NextHop::Unknown(why.clone())],
    });
}
