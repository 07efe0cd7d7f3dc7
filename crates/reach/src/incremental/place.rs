//! An address was another one before, or a custom route was added or removed.

use super::index::Side;
use super::inside::Kept;
use super::touch::Keys;
use super::{Inside, Live, facts, handed};
use crate::network::Match;
use bartizan_model::{InterfaceId, PublishedRoute, RouteEntry, RouteTableId, VpcId};
use bartizan_packet::IpSet;
use std::net::IpAddr;

impl Live {
    /// An address of an interface was another one before.
    pub(super) fn address(&mut self, i: InterfaceId, n: u32, old: IpAddr, new: IpAddr) -> Inside {
        let Some(vpc) = self.vpc_of(i) else {
            return Ok(Keys::default());
        };
        self.parts().address(i, (old, new))?;
        if self.facts.stops.contains(&i) {
            return Err("the address counts for more than private traffic");
        }
        let net = &self.reach.net;
        let elsewhere = net.has_neighbours(vpc) && self.far.is_none();
        let relayed = !net.relays.is_empty() && self.fronts.is_none();
        if elsewhere || relayed {
            return Err("the address counts outside of its VPC");
        }
        let Some(k) = self.kept_of(vpc) else {
            return Ok(Keys::default());
        };
        let kept = &self.kept[k];
        let d = &self.reach.domains[kept.at];
        if !kept.at_address(new).is_empty() || kept.at_address(old).len() != 1 {
            return Err("somebody else has the address");
        }
        if let Some(far) = self.far.as_ref().filter(|f| !f.peers[k].is_empty()) {
            let there = |j: &usize| !self.kept[*j].at_address(new).is_empty();
            if !far.covers(k, new) || far.peers[k].iter().any(there) {
                return Err("the address is not among those of its VPC");
            }
        }
        let own = kept.cells_of(i).iter().copied();
        let Some(c) = own.into_iter().find(|c| d.cells[*c as usize].rep.addr == n) else {
            return Err("the address is not a cell of its own");
        };
        if d.cells[c as usize].block != self.part.block(Some(i), new) {
            return Err("the interface is in another block");
        }
        if let Some(a) = self.reach.net.ifaces[i.index()]
            .as_mut()
            .and_then(|f| f.addrs.get_mut(n as usize))
        {
            a.region = IpSet::single(new);
        }
        let kept = &mut self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        kept.readdress(d, c, new);
        if let Some(far) = &mut self.far {
            far.stretch(k, d.cells[c as usize].vsw, new);
        }
        let mut keys = Keys::default();
        let block = d.cells[c as usize].block;
        keys.blocks.insert(block);
        self.know(vpc, k, old);
        self.know(vpc, k, new);
        let kept = &mut self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        let mut led = false;
        // Most vSwitches have the same tables.
        let mut found: Vec<(&Vec<u32>, bool)> = Vec::new();
        for v in 0..d.detours.len() {
            let Some(&some) = kept.in_vswitch(v).first() else {
                continue;
            };
            let Some(vsw) = self.reach.net.vsw(d.cells[some as usize].vswitch) else {
                continue;
            };
            let known = found.iter().find(|(t, _)| **t == vsw.tables).map(|x| x.1);
            let is = known.unwrap_or_else(|| crate::domain::detour(&self.reach.net, &vsw.tables, new));
            if known.is_none() {
                found.push((&vsw.tables, is));
            }
            led |= Kept::lead(d, v, c, is);
        }
        for (gs, side) in self.kept[k].telling(old, new) {
            let kept = &mut self.kept[k];
            let d = &mut self.reach.domains[kept.at];
            let changed = kept.refold_list(&self.reach.net, d, gs as usize, side, &[c]);
            self.touched(k, (gs, side), &[c], &changed, &mut keys)?;
        }
        let kept = &mut self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        kept.refold_acls(&self.reach.net, d, c, |d, x, ingress| {
            let (s, t) = if ingress { (c, x) } else { (x, c) };
            if Kept::open(d, s, t) {
                keys.whole_inside(k, d, s, t);
            }
        });
        // What routes lead elsewhere passes filters on the way, and the routes to the two addresses may differ.
        let d = &self.reach.domains[self.kept[k].at];
        if led || d.detours.iter().any(Option::is_some) {
            if !self.forwards_known() {
                return Err("routes lead elsewhere");
            }
            self.forwarded(k, |s, t| s == c || t == c, &mut keys);
            if led {
                for s in (0u32..).take(d.cells.len()).filter(|s| Kept::open(d, *s, c)) {
                    keys.whole_inside(k, d, s, c);
                }
            }
        }
        self.far_place((k, c), old, &[Side::Ingress, Side::Egress], &mut keys);
        let vswitch = self.reach.domains[k].cells[c as usize].vswitch;
        self.refreed(k, vswitch, (old, new), &mut keys);
        self.relegged(i, &handed::At::Address(old, new), &mut keys);
        self.reseen((block, old, new), &mut keys);
        Ok(keys)
    }

    /// A custom route was added or removed.
    pub(super) fn route(&mut self, e: &RouteEntry) -> Inside {
        let (vpc, to, made) = self.parts().route(e)?;
        let table = made.id;
        let net = &self.reach.net;
        let Some(k) = self.kept_of(vpc) else {
            return Err("nobody is in the VPC");
        };
        let relayed = !net.relays.is_empty() && self.fronts.is_none();
        if self.goes_elsewhere(vpc, k, (table, &to)) || relayed {
            return Err("the route counts outside of its VPC");
        }
        for h in made.routes.iter().flat_map(|r| &r.hops) {
            facts::stops_of(net, h, &mut self.facts.stops);
        }
        // A route for private addresses may let in what comes by the IPv4 gateway from anywhere (A-IGW-1).
        let gates = |net: &crate::network::Network| -> Vec<bool> {
            let gateway = net.controlled(vpc) || net.leads(vpc);
            let here = net.vswitches.iter().flatten().filter(|v| gateway && v.vpc == vpc);
            here.map(|v| net.lets_anybody_in(v)).collect()
        };
        let gates_before = gates(&self.reach.net);
        self.parts().put_tables(vec![made]);
        if gates(&self.reach.net) != gates_before {
            return Err("the route lets in what comes by the IPv4 gateway, or did");
        }
        if let Some(far) = &mut self.far {
            far.reroute(&to);
        }
        let net = &self.reach.net;
        let kept = &self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        let mut keys = Keys::default();
        let columns = kept.columns(&Match::Ips(std::sync::Arc::new(to)));
        keys.blocks.extend(kept.by_block.keys());
        for v in 0..d.detours.len() {
            let senders = kept.in_vswitch(v);
            let Some(&some) = senders.first() else { continue };
            let Some(vsw) = net.vsw(d.cells[some as usize].vswitch) else {
                continue;
            };
            // What is sent to an appliance goes on from there by the appliance's table.
            if !vsw.tables.contains(&table.0) && d.detours[v].is_none() {
                continue;
            }
            for &c in &columns {
                let is = crate::domain::detour(net, &vsw.tables, d.cells[c as usize].rep.ip);
                if Kept::lead(d, v, c, is) {
                    for &s in senders.iter().filter(|s| Kept::open(d, **s, c)) {
                        keys.whole_inside(k, d, s, c);
                    }
                }
            }
        }
        // What comes from other VPCs is handed over by the tables of this one.
        for c in columns {
            let cell = &self.reach.domains[self.kept[k].at].cells[c as usize];
            let backends: Vec<_> = cell.members.iter().map(|m| m.iface).collect();
            self.far_routed((k, c), &|_| true, &mut keys);
            // So is what balancers of other VPCs hand on.
            for i in backends {
                self.relegged(i, &handed::At::Routes, &mut keys);
            }
        }
        Ok(keys)
    }

    /// Whether a route of a VPC may count elsewhere: others learn it, or are its destination.
    fn goes_elsewhere(&self, vpc: VpcId, k: usize, (table, to): (RouteTableId, &IpSet)) -> bool {
        let net = &self.reach.net;
        if !net.has_neighbours(vpc) {
            return false;
        }
        let Some(far) = &self.far else { return true };
        let published = |p: &PublishedRoute| p.table.known().is_none_or(|t| *t == table);
        let m = Match::Ips(std::sync::Arc::new(to.clone()));
        let there = |j: &usize| !self.kept[*j].columns(&m).is_empty();
        !net.hybrid.is_empty()
            || self.inv.typed.published_routes.iter().any(published)
            || far.peers[k].iter().any(there)
    }
}
