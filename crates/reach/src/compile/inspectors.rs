//! What is not followed at endpoints of gateway load balancers (docs/decisions/021).

use super::Ctx;
use super::inner::block_of;
use crate::network::{Hop, Table, VpcNet, Vsw};
use bartizan_model::{Fact, InterfaceId};
use bartizan_packet::IpSet;

/// An inspector between a NAT gateway and the IPv4 gateway: whose packets pass it is not followed.
pub(super) fn gaps(c: &mut Ctx<'_>, vswitches: &[Option<Vsw>], tables: &[Table], vpcs: &[VpcNet]) {
    let t = c.t;
    let inspectors: Vec<InterfaceId> = t.inspectors.iter().map(|x| x.interface).collect();
    if inspectors.is_empty() {
        return;
    }
    let inspects = |h: &Hop| matches!(h, Hop::Interface(i) if inspectors.contains(i));
    let public = IpSet::public();
    for n in &t.nat_gateways {
        let zone = n.vswitch.as_ref().and_then(|v| v.known().copied());
        let placed = zone.and_then(|z| Some((z, vswitches[z.index()].as_ref()?)));
        let Some((z, v)) = placed.filter(|_| n.internet != Fact::Known(false)) else {
            continue;
        };
        let vpc = &vpcs[v.vpc.index()];
        if !vpc.ipv4_gateway && !vpc.ipv4_leads {
            continue;
        }
        let leads = |t: u32, to: &IpSet| {
            let routes = tables.get(t as usize).into_iter().flat_map(|t| &t.routes);
            routes
                .clone()
                .any(|r| r.hops.iter().any(inspects) && r.ips.intersects(to))
        };
        let block = block_of(c, z);
        if v.tables.iter().any(|t| leads(*t, &public)) || vpc.ingress_table.is_some_and(|t| leads(t, &block))
        {
            let why = "what passes between this NAT gateway and the IPv4 gateway goes through a gateway load balancer, which is not followed";
            c.gap(&n.meta.origin, why, Some(v.vpc));
        }
    }
}
