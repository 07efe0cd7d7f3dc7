//! The groups of an interface were others before.

use super::index::Side;
use super::touch::Keys;
use super::{Inside, Live, handed, parts};
use crate::network::GroupSet;
use bartizan_model::{AddressKind, Fact, InterfaceId, SecurityGroupId, VpcId};
use std::net::IpAddr;

impl Live {
    /// The groups of an interface were others before.
    pub(super) fn membership(&mut self, i: InterfaceId, before: &[SecurityGroupId]) -> Inside {
        let Some(vpc) = self.vpc_of(i) else {
            return Ok(Keys::default());
        };
        let here = &self.inv.typed.interfaces[i.index()];
        let Fact::Known(now) = here.groups.clone() else {
            return Err("the groups of the interface are not known");
        };
        let complete = here.foreign_groups.is_empty() && !now.is_empty();
        let virtual_ip = here.addresses.iter().any(|a| a.kind == AddressKind::HaVip);
        if virtual_ip || !self.plain(i) || self.reach.net.is_front(i) {
            return Err("the groups count at an appliance, a balancer or a virtual address");
        }
        let public = self.reach.net.says.public_members;
        let elsewhere = self.reach.net.has_neighbours(vpc) && self.far.is_none();
        if public || self.facts.relays_see_groups || elsewhere {
            return Err("the groups count outside of the VPC");
        }
        let Some(k) = self.kept_of(vpc) else {
            return Ok(Keys::default());
        };
        let set = self.parts().set_of(&now, complete)?;
        let Some(f) = self.reach.net.ifaces[i.index()].as_mut() else {
            return Ok(Keys::default());
        };
        let old = std::mem::replace(&mut f.groups, set);
        if self.facts.outward(i) {
            let net = &self.reach.net;
            let of = |s: u32| net.group_sets.get(s as usize);
            let same = |(a, b): (&GroupSet, &GroupSet)| self.facts.same_in_public(net, a, b);
            if !of(old).zip(of(set)).is_some_and(same) {
                return Err("the groups count for public addresses");
            }
        }
        self.parts().join(i, (old, set));
        let mut keys = Keys::default();
        // As a peer: lists that name a group which it has joined or left.
        let (joined, left) = (
            now.iter().filter(|g| before.binary_search(g).is_err()),
            before.iter().filter(|g| now.binary_search(g).is_err()),
        );
        let cells: Vec<u32> = self.kept[k].cells_of(i).to_vec();
        let d = &self.reach.domains[self.kept[k].at];
        keys.blocks
            .extend(cells.iter().map(|c| d.cells[*c as usize].block));
        for &c in &cells {
            let at = self.reach.domains[self.kept[k].at].cells[c as usize].rep;
            let primary = self.reach.net.addr_of(at).is_some_and(|(_, a)| a.primary);
            self.kept[k].regroup(c, primary, before, &now);
            self.know(vpc, k, at.ip);
        }
        for (gs, side) in self.kept[k].naming(joined.chain(left).copied()) {
            let kept = &mut self.kept[k];
            let d = &mut self.reach.domains[kept.at];
            let changed = kept.refold_list(&self.reach.net, d, gs as usize, side, &cells);
            self.touched(k, (gs, side), &cells, &changed, &mut keys)?;
        }
        // As itself: where its new lists say something else than the old ones.
        let kept = &mut self.kept[k];
        let d = &mut self.reach.domains[kept.at];
        let like = cells.first().map_or(u32::MAX, |c| d.cells[*c as usize].gs);
        let gs = kept.list_of(&self.reach.net, d, set, like);
        if let Some(far) = &mut self.far {
            far.renew(&self.reach.net, d, k, gs);
        }
        for &c in &cells {
            let kept = &mut self.kept[k];
            let d = &mut self.reach.domains[kept.at];
            let lists = [d.lists[d.cells[c as usize].gs as usize], d.lists[gs as usize]];
            let was = d.cells[c as usize].gs;
            kept.relist(d, c, gs, set);
            self.far_lists((k, c), was, gs, &mut keys);
            let d = &self.reach.domains[self.kept[k].at];
            let differ = |a: u32, b: u32| {
                let (a, b) = (&d.rows[a as usize], &d.rows[b as usize]);
                let both = (0u32..).zip(a.iter().zip(b.iter()));
                both.filter(|(_, (a, b))| a != b).map(|(n, (a, b))| (n, (*a, *b)))
            };
            let [(i_old, e_old), (i_new, e_new)] = lists;
            for (n, ids) in differ(i_old, i_new) {
                self.pair(k, (n, c), Side::Ingress, ids, &mut keys)?;
            }
            for (n, ids) in differ(e_old, e_new) {
                self.pair(k, (c, n), Side::Egress, ids, &mut keys)?;
            }
        }
        self.relegged(i, &handed::At::Lists, &mut keys);
        if self.facts.stops.contains(&i) {
            self.forwarded(k, |_, _| true, &mut keys);
            keys.blocks.extend(self.kept[k].by_block.keys());
        }
        Ok(keys)
    }

    /// By which groups an address is known in its VPC, where others can be reached, is found again.
    pub(super) fn know(&mut self, vpc: VpcId, k: usize, ip: IpAddr) {
        let d = &self.reach.domains[k];
        let there: Vec<u32> = match self.reach.net.has_neighbours(vpc) {
            true => self.kept[k].at_address(ip),
            false => return,
        };
        let there = there.into_iter().map(|c| &d.cells[c as usize]);
        parts::know(&mut self.reach.net, vpc, ip, there);
    }
}
