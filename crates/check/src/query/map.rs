//! The network as a picture: who is where, and what is proved to flow between them.

use super::{Frame, Subject, resource};
use crate::evaluate::{Leak, allowed, is_sure};
use crate::sets::Set;
use crate::world::World;
use bartizan_model::{
    Attached, BorderRouterId, Fact, InterfaceId, Meta, RouterEnd, RouterInterfaceId, VpcId, VpnEnd,
    VpnGatewayId, VswitchId,
};
use bartizan_packet::ServiceSet;
use std::collections::{BTreeMap, BTreeSet};

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// Public addresses.
    Outside,
    /// A zone of the intent.
    Zone,
    /// Endpoints in no zone.
    Unzoned,
    /// A vSwitch, where there is no intent.
    Vswitch,
    /// A VPC, where there is no intent and there are too many vSwitches.
    Vpc,
}

/// Something that sends and receives.
#[derive(Clone, Debug)]
pub struct MapNode {
    /// Its name.
    pub name: String,
    /// What it stands for.
    pub kind: MapKind,
    /// The lane that it is in.
    pub lane: usize,
    /// Terraform addresses of its endpoints.
    pub members: Vec<String>,
    /// The vSwitches that they are in.
    pub vswitches: Vec<String>,
}

/// A VPC, or the outside.
#[derive(Clone, Debug)]
pub struct MapLane {
    /// Its name.
    pub name: String,
    /// Its blocks.
    pub blocks: Vec<String>,
    /// Gateways and balancers that stand in it.
    pub gateways: Vec<String>,
}

/// What joins lanes.
#[derive(Clone, Debug)]
pub struct MapJoin {
    /// Its name.
    pub name: String,
    /// The lanes, sorted.
    pub lanes: Vec<usize>,
}

/// What the intent says of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapWord {
    /// A clause allows all of it.
    Allowed,
    /// A boundary governs one end and no clause allows it.
    Against,
    /// Nothing governs it.
    Free,
}

/// A flow between two nodes.
#[derive(Clone, Debug)]
pub struct MapFlow {
    /// Source: position in [`Picture::nodes`].
    pub from: usize,
    /// Destination.
    pub to: usize,
    /// What is delivered.
    pub services: ServiceSet,
    /// Whether some of it is delivered whatever the unknown values turn out to be.
    pub certain: bool,
    /// What the intent says.
    pub word: MapWord,
    /// The load balancers that hand it on, where nothing of it goes another way.
    pub via: Vec<String>,
}

/// The answer to `map`.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The name of the network in the intent, if it has one.
    pub title: String,
    /// The outside first, then VPCs in the order of the configuration.
    pub lanes: Vec<MapLane>,
    /// Nodes, by lane and name.
    pub nodes: Vec<MapNode>,
    /// Flows, by source and destination.
    pub flows: Vec<MapFlow>,
    /// Transit routers and peering connections.
    pub joins: Vec<MapJoin>,
    /// How many resources with interfaces there are.
    pub resources: usize,
}

/// More vSwitches than this are drawn as VPCs.
const MAX_VSWITCHES: usize = 40;

fn label(m: &Meta) -> String {
    match &m.name {
        Some(Fact::Known(n)) if !n.is_empty() => n.to_string(),
        _ => m.origin.address.to_string(),
    }
}

/// Draws a network. Cost: that of the matrix between the nodes.
#[must_use]
pub fn map(f: &Frame<'_>) -> Picture {
    let t = &f.inventory.typed;
    let all: Vec<InterfaceId> = (0..t.interfaces.len())
        .filter_map(|i| u32::try_from(i).ok())
        .map(InterfaceId)
        .collect();
    let mut subjects: Vec<(Subject, MapKind)> = Vec::new();
    if f.plan.zones.is_empty() {
        let mut by: BTreeMap<String, Vec<InterfaceId>> = BTreeMap::new();
        let few = t.vswitches.len() <= MAX_VSWITCHES;
        for &i in &all {
            let name = match t[i].vswitch.known() {
                Some(v) if few => label(&t[*v].meta),
                Some(v) => match t[*v].vpc.known() {
                    Some(v) => label(&t[*v].meta),
                    None => "a VPC that is not known".to_string(),
                },
                None => "a vSwitch that is not known".to_string(),
            };
            by.entry(name).or_default().push(i);
        }
        let kind = if few { MapKind::Vswitch } else { MapKind::Vpc };
        for (name, ids) in by {
            let set = Set::Interfaces(ids);
            subjects.push((Subject { name, set }, kind));
        }
    }
    let refs: Vec<&Subject> = subjects.iter().map(|s| &s.0).collect();
    let services: Vec<ServiceSet> = f.plan.clauses.iter().map(|c| c.services.clone()).collect();
    let mut w = f.world(&refs, &services);
    w.answer_sure();
    let base = f.plan.sets.len();
    let mut groups: Vec<(String, MapKind, Vec<u32>)> = Vec::new();
    if f.plan.zones.is_empty() {
        for (n, (s, kind)) in subjects.iter().enumerate() {
            groups.push((s.name.clone(), *kind, w.blocks_of(base + n)));
        }
    } else {
        for z in &f.plan.zones {
            groups.push((z.name.clone(), MapKind::Zone, w.blocks_of(z.set)));
        }
        let unzoned = w.blocks_of(f.plan.unzoned);
        let inside = unzoned.into_iter().filter(|&b| !w.is_outside(b)).collect();
        groups.push(("unzoned".to_string(), MapKind::Unzoned, inside));
    }
    let rest: Vec<u32> = (0..w.blocks())
        .filter(|&b| w.is_outside(b) && !groups.iter().any(|g| g.2.contains(&b)))
        .collect();
    groups.push(("internet".to_string(), MapKind::Outside, rest));
    groups.retain(|g| !g.2.is_empty());
    for g in &mut groups {
        if g.2.iter().all(|&b| w.is_outside(b)) {
            g.1 = MapKind::Outside;
        }
    }
    let mut p = Picture {
        title: f
            .intent
            .network
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        lanes: lanes(f),
        nodes: Vec::new(),
        flows: Vec::new(),
        joins: joins(f),
        resources: {
            let names: BTreeSet<String> = all.iter().map(|&i| resource(f.inventory, i)).collect();
            names.len()
        },
    };
    let mut placed: Vec<(MapNode, Vec<u32>)> = groups
        .into_iter()
        .map(|(name, kind, blocks)| (node(f, &w, name, kind, &blocks), blocks))
        .collect();
    // Two zones of one name do not exist; a zone and the rest of the Internet may share it.
    placed.sort_by(|a, b| (a.0.lane, &a.0.name).cmp(&(b.0.lane, &b.0.name)));
    for (i, (_, a)) in placed.iter().enumerate() {
        for (k, (_, b)) in placed.iter().enumerate() {
            p.flows.extend(flow(f, &w, (i, a), (k, b)));
        }
    }
    p.nodes = placed.into_iter().map(|x| x.0).collect();
    p
}

fn lanes(f: &Frame<'_>) -> Vec<MapLane> {
    let t = &f.inventory.typed;
    let mut out = vec![MapLane {
        name: "outside".to_string(),
        blocks: Vec::new(),
        gateways: Vec::new(),
    }];
    for v in &t.vpcs {
        out.push(MapLane {
            name: label(&v.meta),
            blocks: v
                .cidrs
                .iter()
                .filter_map(|c| c.known())
                .map(ToString::to_string)
                .collect(),
            gateways: Vec::new(),
        });
    }
    // The first lane is that of no VPC.
    let mut at = |lane: Option<usize>, what: &str, m: &Meta| {
        if let Some(l) = lane.and_then(|n| out.get_mut(n)) {
            l.gateways.push(format!("{what} {}", label(m)));
        }
    };
    for b in t.balancers.iter().filter(|b| b.detached) {
        at(Some(0), b.kind.name(), &b.meta);
    }
    let mut add = |vpc: Option<VpcId>, what: &str, m: &Meta| at(vpc.map(|v| v.index() + 1), what, m);
    for n in &t.nat_gateways {
        let what = match n.internet.known() {
            Some(false) => "VPC NAT",
            _ => "NAT",
        };
        add(n.vpc.known().copied(), what, &n.meta);
    }
    for g in &t.ipv4_gateways {
        add(g.vpc.known().copied(), "IPv4 gateway", &g.meta);
    }
    for g in &t.ipv6_gateways {
        add(g.vpc.known().copied(), "IPv6 gateway", &g.meta);
    }
    for b in t.balancers.iter().filter(|b| !b.detached) {
        let vswitch = b.fronts.first().and_then(|i| t[*i].vswitch.known());
        let vpc = vswitch.and_then(|v| t[*v].vpc.known().copied());
        add(vpc, b.kind.name(), &b.meta);
    }
    out
}

fn joins(f: &Frame<'_>) -> Vec<MapJoin> {
    let t = &f.inventory.typed;
    let mut out = Vec::new();
    for (n, r) in t.transit_routers.iter().enumerate() {
        let mut lanes: Vec<usize> = t
            .attachments
            .iter()
            .filter(|a| a.router.known().is_some_and(|r| r.index() == n))
            .filter_map(|a| match &a.to {
                Attached::Vpc(v) => v.known().map(|v| v.index() + 1),
                Attached::Border(b) => b.known().map(|b| t[t[*b].site].vpc.index() + 1),
                Attached::Vpn(x) => x.known().map(|x| t[t[*x].site].vpc.index() + 1),
                Attached::Peer(_) | Attached::Unmodelled(..) | Attached::Nothing => None,
            })
            .collect();
        lanes.sort_unstable();
        lanes.dedup();
        out.push(MapJoin {
            name: format!("transit router {}", label(&r.meta)),
            lanes,
        });
    }
    for p in &t.peerings {
        let ends = [&p.requester, &p.accepter];
        out.push(MapJoin {
            name: format!("peering {}", label(&p.meta)),
            lanes: sorted(ends.map(|e| e.known().map(|v| v.index() + 1))),
        });
    }
    let border = |b: &BorderRouterId| t[t[*b].site].vpc.index() + 1;
    for (n, i) in (0u32..).map(RouterInterfaceId).zip(&t.router_interfaces) {
        // A pair once.
        let Some(o) = i.opposite.known().copied().flatten().filter(|o| n < *o) else {
            continue;
        };
        let end = |e: &RouterEnd| match e {
            RouterEnd::Vpc(v) => v.known().map(|v| v.index() + 1),
            RouterEnd::Border(b) => b.known().map(border),
        };
        out.push(MapJoin {
            name: format!("router interface {}", label(&i.meta)),
            lanes: sorted([end(&i.at), end(&t[o].at)]),
        });
    }
    for (n, g) in (0u32..).map(VpnGatewayId).zip(&t.vpn_gateways) {
        // A connection that ends at a transit router is among the attachments of that.
        let here = |e: &VpnEnd| match e {
            VpnEnd::Gateway(g) | VpnEnd::Clients(g) => g.known() == Some(&n),
            VpnEnd::Attached => false,
        };
        let all = t.vpn_connections.iter().filter(|c| here(&c.end));
        let sites = all.map(|c| Some(t[c.site].vpc.index() + 1));
        out.push(MapJoin {
            name: format!("VPN gateway {}", label(&g.meta)),
            lanes: sorted(sites.chain([g.vpc.known().map(|v| v.index() + 1)])),
        });
    }
    out.retain(|j| !j.lanes.is_empty());
    out
}

fn sorted(ends: impl IntoIterator<Item = Option<usize>>) -> Vec<usize> {
    let mut lanes: Vec<usize> = ends.into_iter().flatten().collect();
    lanes.sort_unstable();
    lanes.dedup();
    lanes
}

fn node(f: &Frame<'_>, w: &World<'_>, name: String, kind: MapKind, blocks: &[u32]) -> MapNode {
    let t = &f.inventory.typed;
    let mut interfaces: Vec<InterfaceId> = blocks.iter().flat_map(|&b| w.interfaces_of(b)).collect();
    interfaces.sort_unstable();
    interfaces.dedup();
    // A balancer in no vSwitch stands in one for want of another.
    let detached = |i: &InterfaceId| t.balancers.iter().any(|b| b.detached && b.fronts.contains(i));
    let vswitch = |i: &InterfaceId| t[*i].vswitch.known().copied().filter(|_| !detached(i));
    let vswitches: BTreeSet<VswitchId> = interfaces.iter().filter_map(vswitch).collect();
    // The lane with most of its endpoints; of several the first.
    let mut votes: BTreeMap<usize, usize> = BTreeMap::new();
    for i in &interfaces {
        let vpc = vswitch(i).and_then(|v| t[v].vpc.known());
        *votes.entry(vpc.map_or(0, |v| v.index() + 1)).or_default() += 1;
    }
    let lane = votes
        .iter()
        .max_by_key(|(lane, n)| (**n, std::cmp::Reverse(**lane)))
        .map_or(0, |(l, _)| *l);
    let mut members: Vec<String> = interfaces.iter().map(|i| resource(f.inventory, *i)).collect();
    members.sort();
    members.dedup();
    MapNode {
        name,
        kind,
        lane,
        members,
        vswitches: vswitches.iter().map(|v| label(&t[*v].meta)).collect(),
    }
}

/// The balancers by which everything between two nodes goes; none where something goes another way.
fn relays(f: &Frame<'_>, w: &World<'_>, a: &[u32], b: &[u32]) -> Vec<String> {
    /// More pairs than this are not looked at.
    const MOST: usize = 400;
    let t = &f.inventory.typed;
    let (mut names, mut direct, mut pairs) = (BTreeSet::new(), t.balancers.is_empty(), 0);
    for (&x, &y) in a.iter().flat_map(|x| b.iter().map(move |y| (x, y))) {
        if direct {
            break;
        }
        w.may.each_pair(x, y, |s, d, flow| {
            pairs += 1;
            if !flow.delivered.is_empty() {
                for way in w.network().crossings_there(s, d) {
                    let by = t
                        .balancers
                        .iter()
                        .find(|b| b.fronts.iter().any(|i| way.appliances.contains(i)));
                    match by {
                        Some(b) => {
                            names.insert(label(&b.meta));
                        }
                        None => direct |= !way.delivered.is_empty(),
                    }
                }
            }
            direct |= pairs >= MOST;
            !direct
        });
    }
    if direct {
        Vec::new()
    } else {
        names.into_iter().collect()
    }
}

fn flow(f: &Frame<'_>, w: &World<'_>, (i, a): (usize, &[u32]), (k, b): (usize, &[u32])) -> Option<MapFlow> {
    let mut total = w.network().atoms.none();
    let (mut certain, mut against, mut governed) = (false, false, false);
    for &x in a {
        for &y in b {
            let atoms = w.may.delivered(x, y);
            if atoms.is_empty() {
                continue;
            }
            let quick = !w.sure.delivered(x, y).is_empty();
            let leak = || Leak {
                from: x,
                to: y,
                atoms: atoms.clone(),
            };
            certain = certain || quick && is_sure(w, &leak());
            let here = f.plan.boundaries.iter().flat_map(|b| &b.governs);
            if here.clone().any(|&s| w.in_set(x, s) || w.in_set(y, s)) {
                governed = true;
                against |= !atoms.is_subset(&allowed(w, &f.plan, x, y, None));
            }
            total.union_with(&atoms);
        }
    }
    let via = if total.is_empty() {
        Vec::new()
    } else {
        relays(f, w, a, b)
    };
    (!total.is_empty()).then(|| MapFlow {
        via,
        from: i,
        to: k,
        services: w.services(&total),
        certain,
        word: match (governed, against) {
            (true, true) => MapWord::Against,
            (true, false) => MapWord::Allowed,
            (false, _) => MapWord::Free,
        },
    })
}
