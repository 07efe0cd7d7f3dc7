//! What goes with each kind of thing; the numbers are those of docs/decisions/017.

use super::{Thing, ids};
use bartizan_model::{
    Attached, AttachmentId, BorderRouterId, DnatTarget, Eip, Fact, HaVipId, Interface, InterfaceId,
    Inventory, Ipv6Internet, Meta, NatId, NextHop, Origin, Resource, RouterEnd, RouterId, RouterInterfaceId,
    TrHop, TrTable, TrTableId, TransitRouter, Typed, Unknown, Value, VpcId, VpnConnectionId, VpnEnd,
    VpnGatewayId, VpnRoute, VswitchId,
};

fn num(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Takes a thing of `inv` down in `out`.
pub(super) fn apply(out: &mut Inventory, thing: &Thing) {
    let t = &mut out.typed;
    match thing {
        Thing::Attachment(a) => attachment(t, *a),
        // 2.
        Thing::Router(r) => router(t, *r),
        // 3.
        Thing::Peering(p) => lead_nowhere(t, |h| *h == NextHop::Peering(*p)),
        Thing::Nat(n) => nat(t, *n),
        // 5. The VPC stays under central control: the gateway is there, and nothing leads to it.
        Thing::Ipv4Gateway(g) => lead_nowhere(t, |h| *h == NextHop::Ipv4Gateway(*g)),
        Thing::Ipv6Gateway(g) => {
            if let Fact::Known(vpc) = t[*g].vpc {
                lead_nowhere(t, |h| *h == NextHop::Ipv6Gateway(*g));
                no_ipv6_internet(t, vpc);
            }
        }
        // 7.
        Thing::Balancer(b) => {
            for front in t[*b].fronts.clone() {
                interface(t, front);
            }
        }
        Thing::VpnGateway(g) => vpn_gateway(t, *g),
        Thing::Vpn(c) => vpn(t, *c),
        Thing::Border(b) => border(t, *b),
        // 12.
        Thing::RouterInterface(i) => router_interfaces(t, &[*i]),
        Thing::Instance(i) => {
            let of: Vec<InterfaceId> = ids(&t.interfaces, InterfaceId)
                .filter(|(_, f)| f.instance == Some(*i))
                .map(|(f, _)| f)
                .collect();
            of.into_iter().for_each(|f| interface(t, f));
        }
        Thing::Interface(i) => interface(t, *i),
        // Together: what is in two of them goes with both.
        Thing::Vswitch(_) | Thing::Zone(_) => {}
    }
}

/// Item 8: takes down what is in the vSwitches and zones among some things.
pub(super) fn apply_places(inv: &Inventory, out: &mut Inventory, things: &[Thing]) {
    let here = |v: VswitchId, thing: &Thing| match thing {
        Thing::Vswitch(x) => *x == v,
        Thing::Zone(z) => zone_of(inv, v).is_some_and(|x| x.as_ref() == Ok(z)),
        _ => false,
    };
    let all: Vec<VswitchId> = ids(&inv.typed.vswitches, VswitchId)
        .map(|(v, _)| v)
        .filter(|v| things.iter().any(|t| here(*v, t)))
        .collect();
    if !all.is_empty() {
        vswitches(inv, &mut out.typed, &all);
    }
}

/// The availability zone of a vSwitch as it is written; `None` where nothing is.
pub(super) fn zone_of(inv: &Inventory, v: VswitchId) -> Option<Result<String, String>> {
    let r = resource(inv, &inv.typed[v].meta)?;
    let node = r.get("zone_id").or_else(|| r.get("availability_zone"))?;
    Some(match &node.value {
        Value::String(s) => Ok(s.to_string()),
        Value::Unknown(u) => Err(u.why.to_string()),
        _ => Err("it is no text".to_string()),
    })
}

/// What was written.
fn resource<'a>(inv: &'a Inventory, of: &Meta) -> Option<&'a Resource> {
    let address = &of.origin.address;
    inv.resources
        .binary_search_by(|r| r.address.cmp(address))
        .ok()
        .and_then(|i| inv.resources.get(i))
        .or_else(|| inv.resources.iter().find(|r| r.address == *address))
}

/// Whether a NAT gateway may go on from another zone. What is not there at all was never written.
fn moves(inv: &Inventory, n: NatId) -> bool {
    resource(inv, &inv.typed[n].meta).is_some_and(|r| match r.get("availability_mode").map(|m| &m.value) {
        Some(Value::String(s)) => !s.eq_ignore_ascii_case("SingleAZ"),
        _ => true,
    })
}

/// A router that knows no way, for what is cut off from its own.
fn nowhere(t: &mut Typed, like: RouterId) -> RouterId {
    let id = RouterId(num(t.transit_routers.len()));
    let table = TrTableId(num(t.tr_tables.len()));
    let meta = t[like].meta.clone();
    t.tr_tables.push(TrTable {
        meta: meta.clone(),
        router: Fact::Known(id),
        system: true,
    });
    t.transit_routers.push(TransitRouter {
        meta,
        cen: None,
        basic: false,
        system_table: table,
        bandwidth: None,
    });
    id
}

/// Item 1: Nothing forwards what comes from it, nothing is learned from it or written through it; static routes to it are
/// blackholes in the tables of routers, and drop in those of VPCs.
fn attachment(t: &mut Typed, a: AttachmentId) {
    let Fact::Known(router) = t[a].router else { return };
    let of = |f: &Fact<AttachmentId>| f.known() == Some(&a);
    t.tr_associations.retain(|l| !of(&l.attachment));
    t.tr_propagations.retain(|l| !of(&l.attachment));
    for r in &mut t.tr_routes {
        if r.hop == TrHop::Attachment(a) {
            r.hop = TrHop::Blackhole;
        }
    }
    let alone = nowhere(t, router);
    if let Some(x) = t.attachments.get_mut(a.index()) {
        x.router = Fact::Known(alone);
        x.publishes = Fact::Known(false);
    }
    several(t, |h| *h == NextHop::Attachment(a));
}

fn router(t: &mut Typed, r: RouterId) {
    let of = |a: &bartizan_model::Attachment| {
        a.router.known() == Some(&r) || matches!(&a.to, Attached::Peer(Fact::Known(o)) if *o == r)
    };
    let all: Vec<AttachmentId> = ids(&t.attachments, AttachmentId)
        .filter(|(_, a)| of(a))
        .map(|(i, _)| i)
        .collect();
    all.into_iter().for_each(|a| attachment(t, a));
}

/// Item 4.
fn nat(t: &mut Typed, n: NatId) {
    t.snat_entries.retain(|s| s.nat.known() != Some(&n));
    t.dnat_entries.retain(|d| d.nat.known() != Some(&n));
    if let Some(x) = t.nat_gateways.get_mut(n.index()) {
        x.ips.clear();
    }
    several(t, |h| *h == NextHop::Nat(n));
}

/// The connections that end at a gateway.
fn connections(t: &Typed, g: VpnGatewayId) -> Vec<VpnConnectionId> {
    let of = |e: &VpnEnd| match e {
        VpnEnd::Gateway(x) | VpnEnd::Clients(x) => x.known() == Some(&g),
        VpnEnd::Attached => false,
    };
    ids(&t.vpn_connections, VpnConnectionId)
        .filter(|(_, c)| of(&c.end))
        .map(|(c, _)| c)
        .collect()
}

fn vpn_gateway(t: &mut Typed, g: VpnGatewayId) {
    let all = connections(t, g);
    all.into_iter().for_each(|c| vpn(t, c));
}

/// Item 8: it may work or not, and so may its connections.
fn vpn_gateway_perhaps(t: &mut Typed, g: VpnGatewayId) {
    let why = "one of its two vSwitches is down, and whether the tunnel in the other works is not known";
    let doubt = || Some(Box::new(Unknown::new(why)));
    for c in connections(t, g) {
        if let Some(x) = t.vpn_connections.get_mut(c.index()) {
            x.meta.origin.maybe = doubt();
        }
    }
    if let Some(x) = t.vpn_gateways.get_mut(g.index()) {
        x.meta.origin.maybe = doubt();
    }
}

/// Item 10. It carries nothing and announces nothing. A route to it gives way to another of its prefix (§12: the
/// standby), and stays where there is none.
fn vpn(t: &mut Typed, c: VpnConnectionId) {
    if let Some(x) = t.vpn_connections.get_mut(c.index()) {
        x.local.clear();
        x.remote.clear();
        x.configures = Fact::Known(false);
        x.learned = Fact::Known(Vec::new());
    }
    let to = |r: &VpnRoute| r.next.known() == Some(&c);
    let others: Vec<VpnRoute> = t.vpn_routes.iter().filter(|r| !to(r)).cloned().collect();
    t.vpn_routes.retain(|r| {
        let stands_in =
            |o: &VpnRoute| o.gateway == r.gateway && o.source == r.source && o.destination == r.destination;
        !to(r) || !others.iter().any(stands_in)
    });
    attached(t, |a| matches!(a, Attached::Vpn(Fact::Known(x)) if *x == c));
}

/// Item 11. Its site announces nothing, its router interfaces lead nowhere.
fn border(t: &mut Typed, b: BorderRouterId) {
    let table = t[b].table;
    if let Some(x) = t.border_routers.get_mut(b.index()) {
        x.learned = Fact::Known(Vec::new());
    }
    t.route_entries.retain(|r| r.table.known() != Some(&table));
    let here = |e: &RouterEnd| matches!(e, RouterEnd::Border(Fact::Known(x)) if *x == b);
    let ends: Vec<RouterInterfaceId> = ids(&t.router_interfaces, RouterInterfaceId)
        .filter(|(_, i)| here(&i.at))
        .map(|(n, _)| n)
        .collect();
    router_interfaces(t, &ends);
    attached(t, |a| matches!(a, Attached::Border(Fact::Known(x)) if *x == b));
}

/// Item 12. Both ends of a link lead nowhere. Where it is not known what is at the other end, that may work without it.
fn router_interfaces(t: &mut Typed, down: &[RouterInterfaceId]) {
    let mut gone = down.to_vec();
    for (n, i) in ids(&t.router_interfaces, RouterInterfaceId) {
        let far = i.opposite.known().copied().flatten();
        if down.contains(&n) {
            gone.extend(far);
        } else if far.is_some_and(|o| down.contains(&o)) {
            gone.push(n);
        }
    }
    for n in &gone {
        if let Some(i) = t.router_interfaces.get_mut(n.index()) {
            i.opposite = Fact::Known(None);
        }
    }
    several(
        t,
        |h| matches!(h, NextHop::RouterInterface(i) if gone.contains(i)),
    );
}

/// The attachments of something that is down.
fn attached(t: &mut Typed, is_down: impl Fn(&Attached) -> bool) {
    let all: Vec<AttachmentId> = ids(&t.attachments, AttachmentId)
        .filter(|(_, a)| is_down(&a.to))
        .map(|(a, _)| a)
        .collect();
    all.into_iter().for_each(|a| attachment(t, a));
}

/// §3.3: of several next hops those that are down are not used.
fn several(t: &mut Typed, is_down: impl Fn(&NextHop) -> bool) {
    for r in &mut t.route_entries {
        if r.next_hops.len() > 1 && !r.next_hops.iter().all(&is_down) {
            r.next_hops.retain(|h| !is_down(h));
        }
    }
}

/// Routes to something that is down stay and drop: they lead to an interface that takes nothing in.
fn lead_nowhere(t: &mut Typed, is_down: impl Fn(&NextHop) -> bool) {
    several(t, &is_down);
    let mut dead: Vec<(VpcId, InterfaceId)> = Vec::new();
    for n in 0..t.route_entries.len() {
        let Some(r) = t
            .route_entries
            .get(n)
            .filter(|r| r.next_hops.iter().any(&is_down))
        else {
            continue;
        };
        let origin = r.origin.clone();
        let vpc = r.table.known().and_then(|x| t[*x].vpc.known().copied());
        // Without a vSwitch there is nobody whose packets the table could forward.
        let hop = vpc.and_then(|v| {
            let known = dead.iter().find(|d| d.0 == v).map(|d| d.1);
            let i = known.or_else(|| trap(t, v, &origin))?;
            dead.push((v, i));
            Some(NextHop::Interface(i))
        });
        if let (Some(hop), Some(r)) = (hop, t.route_entries.get_mut(n)) {
            r.next_hops = vec![hop];
        }
    }
}

/// An interface without addresses that forwards nothing.
fn trap(t: &mut Typed, vpc: VpcId, origin: &Origin) -> Option<InterfaceId> {
    let mut here = ids(&t.vswitches, VswitchId).filter(|(_, v)| v.vpc.known() == Some(&vpc));
    let (vswitch, v) = here.next()?;
    let group = ids(&t.security_groups, bartizan_model::SecurityGroupId)
        .find(|(_, g)| g.vpc.known() == Some(&vpc))
        .map(|(g, _)| g);
    let id = InterfaceId(num(t.interfaces.len()));
    let interface = Interface {
        meta: bartizan_model::Meta {
            origin: origin.clone(),
            id: None,
            name: None,
            tags: Fact::Known(Default::default()),
            region: v.meta.region.clone(),
        },
        instance: None,
        primary: false,
        vswitch: Fact::Known(vswitch),
        groups: Fact::Known(group.into_iter().collect()),
        foreign_groups: Vec::new(),
        addresses: Vec::new(),
        source_dest_check: Fact::Known(Some(true)),
        public: Vec::new(),
    };
    t.interfaces.push(interface);
    Some(id)
}

fn no_ipv6_internet(t: &mut Typed, vpc: VpcId) {
    let inside: Vec<bool> = t
        .interfaces
        .iter()
        .map(|i| i.vswitch.known().is_some_and(|v| t[*v].vpc.known() == Some(&vpc)))
        .collect();
    for (i, _) in t.interfaces.iter_mut().zip(inside).filter(|(_, here)| *here) {
        for a in &mut i.addresses {
            a.ipv6_internet = Ipv6Internet::None;
        }
    }
}

/// Item 6: It has no address and passes nothing on. Who else may hold its virtual addresses does.
fn interface(t: &mut Typed, i: InterfaceId) {
    if let Some(x) = t.interfaces.get_mut(i.index()) {
        // A public address that came with the instance is nobody else's either.
        let own = x.public.iter().filter(|p| p.eip.is_none());
        t.eips.extend(own.map(|p| Eip {
            meta: x.meta.clone(),
            ip: p.ip.clone(),
            bound: Vec::new(),
        }));
        x.addresses.clear();
        x.public.clear();
        x.source_dest_check = Fact::Known(Some(true));
    }
    // The endpoint of a gateway load balancer has no addresses to lose: what is led to it is dropped.
    for x in t.inspectors.iter_mut().filter(|x| x.interface == i) {
        x.serves = Fact::Known(false);
    }
    t.dnat_entries
        .retain(|d| !matches!(&d.target, DnatTarget::Interface(f, _) if *f == i));
    let mut gone: Vec<HaVipId> = Vec::new();
    for (n, h) in (0u32..).map(HaVipId).zip(&mut t.ha_vips) {
        h.members.retain(|m| m.known() != Some(&i));
        if h.members.is_empty() {
            gone.push(n);
        }
    }
    several(t, |h| {
        *h == NextHop::Interface(i) || matches!(h, NextHop::HaVip(v) if gone.contains(v))
    });
}

/// Item 8: it may work or not.
fn nat_perhaps(t: &mut Typed, n: NatId) {
    let why = "its zone is down, and whether it goes on from another (`availability_mode`) is not known";
    let doubt = || Some(Box::new(Unknown::new(why)));
    let of = |f: &Fact<NatId>| f.known() == Some(&n);
    for s in t.snat_entries.iter_mut().filter(|s| of(&s.nat)) {
        s.origin.maybe = doubt();
    }
    for d in t.dnat_entries.iter_mut().filter(|d| of(&d.nat)) {
        d.origin.maybe = doubt();
    }
    if let Some(x) = t.nat_gateways.get_mut(n.index()) {
        x.meta.origin.maybe = doubt();
    }
}

/// Item 8.
fn vswitches(inv: &Inventory, t: &mut Typed, down: &[VswitchId]) {
    let is_down = |f: &Fact<VswitchId>| f.known().is_some_and(|v| down.contains(v));
    let inside: Vec<InterfaceId> = ids(&t.interfaces, InterfaceId)
        .filter(|(_, i)| is_down(&i.vswitch))
        .map(|(i, _)| i)
        .collect();
    inside.into_iter().for_each(|i| interface(t, i));
    let gateways: Vec<NatId> = ids(&t.nat_gateways, NatId)
        .filter(|(_, n)| n.vswitch.as_ref().is_some_and(is_down))
        .map(|(n, _)| n)
        .collect();
    for n in gateways {
        if moves(inv, n) {
            nat_perhaps(t, n);
        } else {
            nat(t, n);
        }
    }
    // With both of its vSwitches it is down, with the first it may go on by the tunnel in the other.
    let mut links: Vec<(VpnGatewayId, bool)> = Vec::new();
    for (n, g) in ids(&t.vpn_gateways, VpnGatewayId) {
        let one = g.vswitch.as_slice();
        let tunnels = if g.tunnels.is_empty() { one } else { &g.tunnels };
        if tunnels.first().is_some_and(is_down) {
            links.push((n, tunnels.iter().all(is_down)));
        }
    }
    for (g, all) in links {
        if all {
            vpn_gateway(t, g);
        } else {
            vpn_gateway_perhaps(t, g);
        }
    }
    let mut cut: Vec<AttachmentId> = Vec::new();
    for (n, a) in (0u32..).map(AttachmentId).zip(&mut t.attachments) {
        let before = a.vswitches.len();
        let left: Vec<_> = a.vswitches.iter().filter(|v| !is_down(v)).cloned().collect();
        if left.is_empty() && before > 0 {
            cut.push(n);
        } else {
            a.vswitches = left;
        }
    }
    cut.into_iter().for_each(|a| attachment(t, a));
}
