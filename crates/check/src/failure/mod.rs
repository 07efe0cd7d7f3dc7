//! Failures: what is left of an inventory when something is down (docs/decisions/017).
//!
//! A failure makes another inventory, which is judged from the beginning. [`down`] applies one, [`everything`] lists
//! what can fail, [`find`] says what a `with down` means. Nothing else in this crate, and nothing in the engine, knows
//! about failures.

mod kinds;
pub(crate) mod tests;

use bartizan_lang::{Down, DownKind, glob_match};
use bartizan_model::{
    AttachmentId, BalancerId, BalancerKind, BorderRouterId, Fact, InstanceId, InterfaceId, Inventory,
    Ipv4GatewayId, Ipv6GatewayId, Meta, NatId, NextHop, PeeringId, RouterId, RouterInterfaceId,
    VpnConnectionId, VpnGatewayId, VswitchId,
};
use std::collections::BTreeSet;

/// A thing that can be down.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// An attachment of a transit router.
    Attachment(AttachmentId),
    /// A transit router with all its attachments.
    Router(RouterId),
    /// A peering connection.
    Peering(PeeringId),
    /// A NAT gateway.
    Nat(NatId),
    /// An IPv4 gateway.
    Ipv4Gateway(Ipv4GatewayId),
    /// An IPv6 gateway.
    Ipv6Gateway(Ipv6GatewayId),
    /// A load balancer.
    Balancer(BalancerId),
    /// A VPN gateway with all its connections.
    VpnGateway(VpnGatewayId),
    /// A VPN connection.
    Vpn(VpnConnectionId),
    /// A virtual border router.
    Border(BorderRouterId),
    /// A router interface, and with it the one at the other end.
    RouterInterface(RouterInterfaceId),
    /// An instance with all its interfaces.
    Instance(InstanceId),
    /// An interface.
    Interface(InterfaceId),
    /// A vSwitch with everything in it.
    Vswitch(VswitchId),
    /// An availability zone, by id.
    Zone(String),
}

fn ids<T, I>(all: &[T], id: fn(u32) -> I) -> impl Iterator<Item = (I, &T)> {
    (0u32..).map(id).zip(all)
}

impl Thing {
    /// Its kind in words.
    #[must_use]
    pub fn kind(&self, inv: &Inventory) -> &'static str {
        match self {
            Thing::Attachment(_) => "attachment",
            Thing::Router(r) if inv.typed[*r].is_express() => "Express Connect router",
            Thing::Router(_) => "transit router",
            Thing::Peering(_) => "peering",
            Thing::Nat(_) => "NAT gateway",
            Thing::Ipv4Gateway(_) => "IPv4 gateway",
            Thing::Ipv6Gateway(_) => "IPv6 gateway",
            Thing::Balancer(b) if inv.typed[*b].kind == BalancerKind::Endpoint => "PrivateLink endpoint",
            Thing::Balancer(_) => "load balancer",
            Thing::VpnGateway(_) => "VPN gateway",
            Thing::Vpn(_) => "VPN connection",
            Thing::Border(_) => "border router",
            Thing::RouterInterface(_) => "router interface",
            Thing::Instance(_) => "instance",
            Thing::Interface(_) => "interface",
            Thing::Vswitch(_) => "vSwitch",
            Thing::Zone(_) => "availability zone",
        }
    }

    /// What it is called: the Terraform address, or the id of a zone.
    #[must_use]
    pub fn name(&self, inv: &Inventory) -> String {
        match self.meta(inv) {
            Some(m) => m.origin.address.to_string(),
            None => match self {
                Thing::Zone(z) => z.clone(),
                _ => String::new(),
            },
        }
    }

    /// The resource.
    #[must_use]
    pub fn meta<'a>(&self, inv: &'a Inventory) -> Option<&'a Meta> {
        let t = &inv.typed;
        Some(match self {
            Thing::Attachment(i) => &t[*i].meta,
            Thing::Router(i) => &t[*i].meta,
            Thing::Peering(i) => &t[*i].meta,
            Thing::Nat(i) => &t[*i].meta,
            Thing::Ipv4Gateway(i) => &t[*i].meta,
            Thing::Ipv6Gateway(i) => &t[*i].meta,
            Thing::Balancer(i) => &t[*i].meta,
            Thing::VpnGateway(i) => &t[*i].meta,
            Thing::Vpn(i) => &t[*i].meta,
            Thing::Border(i) => &t[*i].meta,
            Thing::RouterInterface(i) => &t[*i].meta,
            Thing::Instance(i) => &t[*i].meta,
            Thing::Interface(i) => &t[*i].meta,
            Thing::Vswitch(i) => &t[*i].meta,
            Thing::Zone(_) => return None,
        })
    }
}

/// What is down, as written.
#[must_use]
pub fn text(down: &[Down]) -> String {
    let all: Vec<String> = down
        .iter()
        .map(|d| format!("{} {}", d.kind.word(), d.name))
        .collect();
    all.join(", ")
}

/// The inventory that is left when these things are down.
#[must_use]
pub fn down(inv: &Inventory, things: &[Thing]) -> Inventory {
    let mut out = inv.clone();
    for thing in things {
        kinds::apply(&mut out, thing);
    }
    kinds::apply_places(inv, &mut out, things);
    out
}

/// Everything that fails on its own: what packets go through, one at a time, and every availability zone. An instance
/// is something that packets go through when a route leads to it.
#[must_use]
pub fn everything(inv: &Inventory) -> Vec<Thing> {
    let t = &inv.typed;
    let mut out: Vec<Thing> = Vec::new();
    out.extend(ids(&t.attachments, AttachmentId).map(|(i, _)| Thing::Attachment(i)));
    out.extend(ids(&t.transit_routers, RouterId).map(|(i, _)| Thing::Router(i)));
    out.extend(ids(&t.peerings, PeeringId).map(|(i, _)| Thing::Peering(i)));
    out.extend(ids(&t.nat_gateways, NatId).map(|(i, _)| Thing::Nat(i)));
    out.extend(ids(&t.ipv4_gateways, Ipv4GatewayId).map(|(i, _)| Thing::Ipv4Gateway(i)));
    out.extend(ids(&t.ipv6_gateways, Ipv6GatewayId).map(|(i, _)| Thing::Ipv6Gateway(i)));
    out.extend(ids(&t.balancers, BalancerId).map(|(i, _)| Thing::Balancer(i)));
    out.extend(ids(&t.vpn_gateways, VpnGatewayId).map(|(i, _)| Thing::VpnGateway(i)));
    out.extend(ids(&t.vpn_connections, VpnConnectionId).map(|(i, _)| Thing::Vpn(i)));
    out.extend(ids(&t.border_routers, BorderRouterId).map(|(i, _)| Thing::Border(i)));
    // Two that are connected are one link.
    let second = |i: RouterInterfaceId| {
        let o = t[i].opposite.known().copied().flatten();
        o.is_some_and(|o| o < i && t[o].opposite.known() == Some(&Some(i)))
    };
    out.extend(
        ids(&t.router_interfaces, RouterInterfaceId)
            .filter(|(i, _)| !second(*i))
            .map(|(i, _)| Thing::RouterInterface(i)),
    );
    let mut hops: BTreeSet<InterfaceId> = BTreeSet::new();
    for h in t.route_entries.iter().flat_map(|r| &r.next_hops) {
        match h {
            NextHop::Interface(i) => drop(hops.insert(*i)),
            NextHop::HaVip(h) => hops.extend(t[*h].members.iter().filter_map(|m| m.known().copied())),
            _ => {}
        }
    }
    let appliances: BTreeSet<Thing> = hops
        .into_iter()
        .map(|i| t[i].instance.map_or(Thing::Interface(i), Thing::Instance))
        .collect();
    out.extend(appliances);
    let zones: BTreeSet<String> = ids(&t.vswitches, VswitchId)
        .filter_map(|(v, _)| kinds::zone_of(inv, v)?.ok())
        .collect();
    out.extend(zones.into_iter().map(Thing::Zone));
    out
}

/// What a `with down` names.
///
/// # Errors
/// Why that is not certain: nothing has the name, or a name or zone is not known.
pub fn find(inv: &Inventory, d: &Down) -> Result<Vec<Thing>, String> {
    let mut known: Vec<String> = Vec::new();
    let mut found: Vec<Thing> = Vec::new();
    if d.kind == DownKind::Az {
        for (v, m) in ids(&inv.typed.vswitches, VswitchId) {
            match kinds::zone_of(inv, v) {
                Some(Ok(z)) => known.push(z),
                Some(Err(why)) => {
                    return Err(format!(
                        "the zone of `{}` is not known: {why}",
                        m.meta.origin.address
                    ));
                }
                None => {}
            }
        }
        known.sort();
        known.dedup();
        found.extend(
            known
                .iter()
                .filter(|z| glob_match(&d.name, z))
                .cloned()
                .map(Thing::Zone),
        );
    } else {
        for thing in of_kind(inv, d.kind) {
            let Some(m) = thing.meta(inv) else { continue };
            let name = match &m.name {
                Some(Fact::Unknown(u)) if d.kind != DownKind::Tf => {
                    return Err(format!(
                        "the name of `{}` is not known: {}",
                        m.origin.address, u.why
                    ));
                }
                Some(Fact::Known(n)) => Some(n.to_string()),
                _ => None,
            };
            let address = m.origin.address.to_string();
            let last = address.rsplit('.').next().unwrap_or(&address);
            let bare = last.split('[').next().unwrap_or(last);
            // A link is called by what is at its other end as well, as `link` does.
            let far = match &thing {
                Thing::Vpn(c) => inv.typed[*c].customers.as_slice(),
                _ => &[],
            };
            let mut far = far.iter().filter_map(|m| m.name.as_ref()?.known());
            let matches = match d.kind {
                DownKind::Tf => glob_match(&d.name, &address),
                _ if far.any(|n| glob_match(&d.name, n)) => true,
                _ => match &name {
                    Some(n) => glob_match(&d.name, n),
                    None => glob_match(&d.name, bare),
                },
            };
            if matches {
                found.push(thing);
            } else {
                known.push(match (d.kind, name) {
                    (DownKind::Tf, _) | (_, None) if d.kind == DownKind::Tf => address,
                    (_, Some(n)) => n,
                    _ => bare.to_string(),
                });
            }
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let what = d.kind.word();
    if known.is_empty() {
        return Err(format!("nothing can be `{what} {}`: there is none", d.name));
    }
    known.sort();
    known.dedup();
    known.truncate(8);
    Err(format!(
        "no `{what}` is called `{}`; there are {}",
        d.name,
        known.join(", ")
    ))
}

/// Everything that a kind of `with down` may mean.
fn of_kind(inv: &Inventory, kind: DownKind) -> Vec<Thing> {
    let t = &inv.typed;
    let attachments = || ids(&t.attachments, AttachmentId).map(|(i, _)| Thing::Attachment(i));
    match kind {
        // Attachments of a router, and the router as a whole.
        DownKind::Tr | DownKind::Cen => attachments()
            .chain(ids(&t.transit_routers, RouterId).map(|(i, _)| Thing::Router(i)))
            .collect(),
        DownKind::Peering => ids(&t.peerings, PeeringId)
            .map(|(i, _)| Thing::Peering(i))
            .collect(),
        DownKind::Nat => ids(&t.nat_gateways, NatId).map(|(i, _)| Thing::Nat(i)).collect(),
        DownKind::Lb => ids(&t.balancers, BalancerId)
            .map(|(i, _)| Thing::Balancer(i))
            .collect(),
        DownKind::Ecs => ids(&t.instances, InstanceId)
            .map(|(i, _)| Thing::Instance(i))
            .collect(),
        DownKind::Eni => ids(&t.interfaces, InterfaceId)
            .map(|(i, _)| Thing::Interface(i))
            .collect(),
        DownKind::Vswitch => ids(&t.vswitches, VswitchId)
            .map(|(i, _)| Thing::Vswitch(i))
            .collect(),
        DownKind::Tf => {
            let mut all = everything(inv);
            all.extend(ids(&t.instances, InstanceId).map(|(i, _)| Thing::Instance(i)));
            all.extend(ids(&t.vswitches, VswitchId).map(|(i, _)| Thing::Vswitch(i)));
            all.extend(ids(&t.router_interfaces, RouterInterfaceId).map(|(i, _)| Thing::RouterInterface(i)));
            let lone = ids(&t.interfaces, InterfaceId).filter(|(_, i)| i.instance.is_none());
            all.extend(lone.map(|(i, _)| Thing::Interface(i)));
            all.sort();
            all.dedup();
            all
        }
        // Connections, and gateways as a whole.
        DownKind::Vpn => ids(&t.vpn_connections, VpnConnectionId)
            .map(|(i, _)| Thing::Vpn(i))
            .chain(ids(&t.vpn_gateways, VpnGatewayId).map(|(i, _)| Thing::VpnGateway(i)))
            .collect(),
        DownKind::Vbr => ids(&t.border_routers, BorderRouterId)
            .map(|(i, _)| Thing::Border(i))
            .collect(),
        DownKind::Az => Vec::new(),
    }
}
