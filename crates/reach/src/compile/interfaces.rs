//! Interfaces and their addresses, ALIBABA.md §4.

use super::{Ctx, balancers, groups, routes, services};
use crate::network::{Addr, GroupSet, Iface, OwnPublic, RuleList, RuleRef, SOME_GROUP, V6Access, Vsw};
use bartizan_model::{
    AddressKind, AddressSpec, Assumption, Fact, Inspector, InstanceId, InterfaceId, Ipv6Internet, NextHop,
    PublicKind, SecurityGroupId, Typed, Use, VswitchId,
};
use bartizan_packet::{IntervalSet, IpSet};
use ipnet::IpNet;
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Addresses of a vSwitch that the cloud may pick: all but the first, the last three (§2) and those that are
/// given to somebody else by name.
pub(super) fn pickable(c: &Ctx<'_>, vsw: VswitchId, v6: bool, taken: &IpSet) -> IpSet {
    let v = &c.t[vsw];
    let block = if v6 { v.ipv6_cidr.as_ref() } else { Some(&v.cidr) };
    let all = match block {
        Some(Fact::Known(n)) => {
            let whole = IpSet::from(*n);
            match n {
                IpNet::V4(n) if n.prefix_len() <= 29 => {
                    let (lo, hi) = (u32::from(n.network()), u32::from(n.broadcast()));
                    IpSet {
                        v4: IntervalSet::range(lo + 1, hi - 3),
                        v6: IntervalSet::empty(),
                    }
                }
                _ => whole,
            }
        }
        _ => {
            let space = v
                .vpc
                .known()
                .map_or_else(IpSet::full, |vpc| routes::vpc_space(c, *vpc));
            if v6 {
                IpSet {
                    v4: IntervalSet::empty(),
                    v6: IntervalSet::full(),
                }
            } else {
                IpSet {
                    v6: IntervalSet::empty(),
                    ..space
                }
            }
        }
    };
    let free = all.subtract(taken);
    if free.is_empty() { all } else { free }
}

/// Nothing of ours filters at a site (docs/decisions/014, 1).
fn open() -> GroupSet {
    let all = || RuleList {
        rules: Vec::new(),
        default_accept: true,
        default_ref: RuleRef::Site,
    };
    GroupSet {
        groups: Vec::new(),
        ingress: all(),
        egress: all(),
        stateless: false,
    }
}

/// Whether the appliances behind an endpoint pass packets on (docs/decisions/021, 4 and 5).
fn passes(c: &Ctx<'_>, x: &Inspector) -> bool {
    let there = match x.serves.known() {
        Some(yes) => *yes,
        None => c.widen(),
    };
    let certain = c.widen() || x.meta.origin.maybe.is_none();
    there && certain && c.reads(Assumption::Gwlb1) == Use::First
}

/// Compiles group sets and interfaces.
pub(super) fn compile(
    c: &mut Ctx<'_>,
    vswitches: &[Option<Vsw>],
    spaces: &super::internet::Spaces,
) -> (Vec<GroupSet>, Vec<Option<Iface>>) {
    let t = c.t;
    let by = groups::by_group(c);
    let served = services::by_interface(c);
    let fronts = balancers::by_interface(c);
    let inspectors: FxHashMap<InterfaceId, &Inspector> =
        c.t.inspectors.iter().map(|x| (x.interface, x)).collect();
    let mut taken: FxHashMap<VswitchId, Vec<IpNet>> = FxHashMap::default();
    for i in &t.interfaces {
        if let Fact::Known(v) = i.vswitch {
            taken
                .entry(v)
                .or_default()
                .extend(i.addresses.iter().filter_map(|a| match a.spec {
                    AddressSpec::Ip(ip) => Some(IpNet::from(ip)),
                    AddressSpec::Block(n) => Some(n),
                    _ => None,
                }));
        }
    }
    // Groups of everybody who may hold a virtual IP.
    let mut holders: FxHashMap<(VswitchId, IpAddr), Vec<SecurityGroupId>> = FxHashMap::default();
    for i in &t.interfaces {
        for a in i.addresses.iter().filter(|a| a.kind == AddressKind::HaVip) {
            if let (Fact::Known(v), AddressSpec::Ip(ip)) = (&i.vswitch, &a.spec) {
                let g = holders.entry((*v, *ip)).or_default();
                match &i.groups {
                    Fact::Known(gs) => g.extend(gs),
                    Fact::Unknown(_) => g.push(SOME_GROUP),
                }
                g.sort_unstable();
                g.dedup();
            }
        }
    }
    let mut free: FxHashMap<(VswitchId, bool), IpSet> = FxHashMap::default();
    let mut sets: Vec<GroupSet> = Vec::new();
    let mut index: FxHashMap<(Vec<SecurityGroupId>, bool), u32> = FxHashMap::default();
    let mut ifaces = Vec::with_capacity(t.interfaces.len());
    let mut carries: Option<Carriers> = None;
    for (n, i) in t.interfaces.iter().enumerate() {
        let id = InterfaceId(u32::try_from(n).unwrap_or(u32::MAX));
        let vswitch = match i.vswitch {
            Fact::Known(v) if vswitches[v.index()].is_some() => v,
            _ => {
                let why = "the vSwitch of this interface is not known, so it is in no network";
                match carries.get_or_insert_with(|| Carriers::of(t)).may(t, id) {
                    true => c.gap(&i.meta.origin, why, None),
                    // It is an end of what it sends and receives, and of nothing else.
                    false => c.gap_to(&i.meta.origin, why, vec![id], None),
                }
                ifaces.push(None);
                continue;
            }
        };
        let (known, complete) = match &i.groups {
            Fact::Known(g) => (g.clone(), i.foreign_groups.is_empty() && !g.is_empty()),
            Fact::Unknown(_) => (vec![SOME_GROUP], false),
        };
        let service = served.get(&id).copied();
        let balancer = fronts.get(&id).copied();
        let site = t.site_of(id);
        let inspector = inspectors.get(&id).copied();
        let groups = match (service, balancer) {
            _ if site.is_some() || inspector.is_some() => {
                sets.push(open());
                u32::try_from(sets.len() - 1).unwrap_or(u32::MAX)
            }
            (Some(s), _) => {
                sets.push(services::lists(c, s));
                u32::try_from(sets.len() - 1).unwrap_or(u32::MAX)
            }
            (None, Some(b)) => {
                sets.push(balancers::lists(c, &by, b, i));
                u32::try_from(sets.len() - 1).unwrap_or(u32::MAX)
            }
            (None, None) => *index
                .entry((known, complete))
                .or_insert_with_key(|(known, complete)| {
                    sets.push(groups::merge(c, &by, known, *complete));
                    u32::try_from(sets.len() - 1).unwrap_or(u32::MAX)
                }),
        };
        let addrs = i
            .addresses
            .iter()
            .enumerate()
            .map(|(ai, a)| {
                let mut pick = |v6| {
                    free.entry((vswitch, v6))
                        .or_insert_with(|| {
                            let taken = IpSet::from_nets(taken.get(&vswitch).into_iter().flatten().copied());
                            pickable(c, vswitch, v6, &taken)
                        })
                        .clone()
                };
                let (region, choice) = match &a.spec {
                    AddressSpec::Ip(ip) => (IpSet::single(*ip), false),
                    AddressSpec::Block(n) => (IpSet::from(*n), false),
                    AddressSpec::AnyV4(_) => (pick(false), true),
                    AddressSpec::AnyV6(_) if balancer.is_some_and(|b| t[b].detached) => {
                        (spaces.somewhere6.clone(), true)
                    }
                    AddressSpec::AnyV6(_) => (pick(true), true),
                };
                let mut bound = i.public.iter().filter(|p| p.private as usize == ai).peekable();
                let has_own = match bound.peek() {
                    None => Some(false),
                    Some(_) => bound.any(|p| p.origin.maybe.is_none()).then_some(true),
                };
                let own = i
                    .public
                    .iter()
                    .enumerate()
                    .filter(|(_, p)| p.private as usize == ai)
                    // A binding that may not exist takes part in what may happen only.
                    .filter(|(_, p)| c.widen() || p.origin.maybe.is_none())
                    .map(|(pi, p)| OwnPublic {
                        index: u32::try_from(pi).unwrap_or(u32::MAX),
                        ips: match p.ip {
                            Fact::Known(ip) => Arc::new(IpSet::single(ip)),
                            // An EIP that is not here, or of which it is not known which it is.
                            Fact::Unknown(_) if p.eip.is_none() && p.kind != PublicKind::StaticIp => {
                                spaces.anywhere.clone()
                            }
                            Fact::Unknown(_) => spaces.somewhere.clone(),
                        },
                        bypass_acl: p.kind == PublicKind::EipBinded,
                        eip: p.eip,
                    })
                    .collect();
                let v6 = match a.ipv6_internet {
                    Ipv6Internet::None => V6Access {
                        inbound: false,
                        outbound: false,
                    },
                    Ipv6Internet::Both(_) => V6Access {
                        inbound: true,
                        outbound: true,
                    },
                    Ipv6Internet::EgressOnly(_) => V6Access {
                        inbound: false,
                        outbound: true,
                    },
                    Ipv6Internet::Unknown(_) => V6Access {
                        inbound: c.widen(),
                        outbound: c.widen(),
                    },
                };
                let shared_groups = match (a.kind, &a.spec) {
                    (AddressKind::HaVip, AddressSpec::Ip(ip)) => holders.get(&(vswitch, *ip)).cloned(),
                    _ => None,
                };
                Addr {
                    inner: Vec::new(),
                    primary: matches!(a.kind, AddressKind::Primary | AddressKind::Ipv6),
                    region,
                    choice,
                    own,
                    has_own,
                    dnat: Vec::new(),
                    mapped: Vec::new(),
                    v6,
                    shared_groups,
                }
            })
            .collect();
        // A-SDC-1: unset is unknown, so it may forward and cannot be relied on to.
        let forwards = match i.source_dest_check {
            _ if let Some(x) = inspector => passes(c, x),
            _ if service.is_some() || balancer.is_some() => false,
            Fact::Known(Some(checked)) => !checked,
            Fact::Known(None) => c.reads(Assumption::Sdc1) == Use::First,
            Fact::Unknown(_) => c.widen(),
        };
        // §7.4: private networking is off. A binding that may not exist takes it away from what is certain only.
        let mut bound = i.public.iter().filter(|p| p.kind == PublicKind::EipBinded);
        let detached = balancer.is_some_and(|b| t[b].detached);
        let apart = detached || bound.any(|p| !c.widen() || p.origin.maybe.is_none());
        let front = balancer.map(|b| {
            let taken = IpSet::from_nets(taken.get(&vswitch).into_iter().flatten().copied());
            let six = i.addresses.iter().any(|a| a.kind == AddressKind::Ipv6);
            let mut free = pickable(c, vswitch, false, &taken);
            if six {
                free = free.union(&pickable(c, vswitch, true, &taken));
            }
            balancers::front(c, b, six, free)
        });
        ifaces.push(Some(Iface {
            id,
            vswitch,
            groups,
            forwards,
            apart,
            service,
            front,
            site,
            inspects: inspector.is_some(),
            addrs,
        }));
    }
    (sets, ifaces)
}

/// What may pass on packets of others: next hops of routes, fronts of balancers, endpoints of gateway load balancers,
/// sites; and whoever shares an instance with a next hop.
struct Carriers {
    interfaces: FxHashSet<InterfaceId>,
    instances: FxHashSet<InstanceId>,
}

impl Carriers {
    fn of(t: &Typed) -> Carriers {
        let mut interfaces: FxHashSet<InterfaceId> = FxHashSet::default();
        for hop in t.route_entries.iter().flat_map(|r| &r.next_hops) {
            if let NextHop::Interface(i) = hop {
                interfaces.insert(*i);
            }
        }
        let members = t.ha_vips.iter().flat_map(|h| &h.members);
        interfaces.extend(members.filter_map(|m| m.known()));
        let instances = interfaces.iter().filter_map(|i| t[*i].instance).collect();
        interfaces.extend(t.balancers.iter().flat_map(|b| &b.fronts));
        interfaces.extend(t.inspectors.iter().map(|x| x.interface));
        interfaces.extend(t.sites.iter().map(|s| s.interface));
        Carriers {
            interfaces,
            instances,
        }
    }

    fn may(&self, t: &Typed, i: InterfaceId) -> bool {
        self.interfaces.contains(&i) || t[i].instance.is_some_and(|n| self.instances.contains(&n))
    }
}
