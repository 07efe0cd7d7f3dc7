//! Route selection (ALIBABA.md §3.4).

use crate::oracle::GatewayRoutes;
use crate::world::{Hop, Rank, World};
use bartizan_model::Assumption;
use std::net::IpAddr;

/// The entry that the longest-prefix match selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) length: u8,
    /// Every hop is possible (§3.3, ECMP).
    pub(crate) hops: Vec<Hop>,
}

/// How many appliances a packet may pass.
pub(crate) const MAX_APPLIANCES: usize = 4;

impl World {
    /// §3.4: the longest prefix wins; at equal length a custom entry beats a system entry (018, 7), both a
    /// propagated one; without a system entry as 018, 8.
    /// Custom entries of the same prefix cannot exist; should they, all of them are possible.
    pub(crate) fn lookup(&self, table: usize, dst: IpAddr) -> Option<Selected> {
        let routes = &self.tables[table];
        let matching = routes.iter().filter(|r| r.net.contains(&dst));
        let longest = matching.clone().map(|r| r.net.prefix_len()).max()?;
        let system = matching
            .clone()
            .any(|r| r.net.prefix_len() == longest && r.rank == Rank::System);
        let propagated_first = !system && self.second(Assumption::Route2);
        let key = |r: &crate::world::RouteW| {
            let first = propagated_first && r.rank == Rank::Propagated;
            (r.net.prefix_len(), first, r.rank)
        };
        let best = matching.clone().map(key).max()?;
        let hops = matching
            .filter(|r| key(r) == best)
            .flat_map(|r| r.hops.iter().copied())
            .collect();
        Some(Selected { length: best.0, hops })
    }

    /// §7.2, §7.3: whether a vSwitch has a route to a gateway for `dst`, as [`GatewayRoutes`] has it.
    pub(crate) fn leads_to(&self, vswitch: usize, dst: IpAddr, gateway: Hop) -> bool {
        let more = if self.gateway_routes == GatewayRoutes::Direct {
            0
        } else {
            MAX_APPLIANCES
        };
        self.leads_through(vswitch, dst, gateway, more, MAX_APPLIANCES)
    }

    /// A-IGW-2 (018, 27): whether an interface that forwards passes on to an IPv4 gateway as an inspector does.
    pub(crate) fn keeps_source(&self) -> bool {
        self.second(Assumption::Igw2)
    }

    /// A-IGW-1, `any` (018, 25): whether the table of a vSwitch has an entry for a gateway, whatever it is for.
    pub(crate) fn has_route_to(&self, vswitch: usize, gateway: Hop) -> bool {
        let more = if self.gateway_routes == GatewayRoutes::Direct {
            0
        } else {
            MAX_APPLIANCES
        };
        self.has_route_through(vswitch, gateway, more, MAX_APPLIANCES)
    }

    fn has_route_through(&self, vswitch: usize, gateway: Hop, more: usize, inspectors: usize) -> bool {
        let through = |i: usize| {
            let eni = &self.interfaces[i];
            if eni.source_dest_check {
                return false;
            }
            if eni.inspects || self.keeps_source() {
                return eni.vpc == self.vswitches[vswitch].vpc
                    && inspectors > 0
                    && self.has_route_through(eni.vswitch, gateway, more, inspectors - 1);
            }
            more > 0 && self.has_route_through(eni.vswitch, gateway, more - 1, inspectors)
        };
        let routes = &self.tables[self.vswitches[vswitch].table];
        routes.iter().flat_map(|r| &r.hops).any(|h| match *h {
            Hop::Interface(i) => through(i),
            Hop::HaVip(h) => self.ha_vips[h].iter().any(|i| through(*i)),
            other => other == gateway,
        })
    }

    fn leads_through(
        &self,
        vswitch: usize,
        dst: IpAddr,
        gateway: Hop,
        more: usize,
        inspectors: usize,
    ) -> bool {
        let Some(s) = self.lookup(self.vswitches[vswitch].table, dst) else {
            return false;
        };
        let through = |i: usize| {
            let eni = &self.interfaces[i];
            // 021, 6.
            if eni.inspects || dst.is_ipv4() && self.keeps_source() {
                let near = dst.is_ipv4() && eni.vpc == self.vswitches[vswitch].vpc && !eni.source_dest_check;
                return near
                    && inspectors > 0
                    && self.leads_through(eni.vswitch, dst, gateway, more, inspectors - 1);
            }
            // An ENI with the source/destination check passes nothing on.
            more > 0
                && !eni.source_dest_check
                && self.leads_through(eni.vswitch, dst, gateway, more - 1, inspectors)
        };
        s.hops.iter().any(|h| match *h {
            Hop::Interface(i) => through(i),
            Hop::HaVip(h) => self.ha_vips[h].iter().any(|i| through(*i)),
            other => other == gateway,
        })
    }
}
