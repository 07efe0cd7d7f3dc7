//! Transit routers lead elsewhere, because of one attachment (docs/decisions/019, 24 to 28).
//!
//! Nothing changes but the ways that packets take: those out of the VPC, and those that lead through it. What the
//! filters of two VPCs let through whatever way leads from one to the other is known, so that most pairs of VPCs get all
//! of it or lose all of it.

use super::far::Far;
use super::touch::Keys;
use super::{Inside, Live, small};
use crate::cross::Way;
use crate::network::{Hop, Match, Table};
use crate::transit::{AttachedNet, Far as End, TrNext};
use bartizan_model::{AttachmentId, TrLink, TrTableId, VpcId};
use bartizan_packet::IpSet;
use rustc_hash::FxHashSet;
use std::sync::Arc;

/// Addresses behind appliances that are looked at one by one.
const AT_ONCE: usize = 4096;

/// Whether a hop leads out of the VPC to another one.
fn crosses(h: &Hop) -> bool {
    matches!(h, Hop::Attachment(_) | Hop::Peering(..))
}

impl Live {
    /// The tables that forward for an attachment were others before.
    pub(super) fn associated(&mut self, a: AttachmentId, before: &[TrLink]) -> Inside {
        let Some(associated) = self.parts().association(a, before)? else {
            return Ok(Keys::default());
        };
        let Some(vpc) = associated.vpc else {
            self.parts().forward_by(&associated);
            return Ok(Keys::default());
        };
        let Some(k) = self.kept_of(vpc) else {
            return Err("nobody is in the VPC");
        };
        self.keeps_ways()?;
        let made = self.parts().forward_by(&associated);
        self.led_home(k, made.iter())?;
        let public = self.led_out(k, vpc, &made)?;
        self.parts().put_tables(made);
        self.led(&[k], &[], public)
    }

    /// A table (`a.1`) learns from an attachment, or no longer does, or other VPCs are attached: `vpcs` are those that were
    /// before or are now.
    pub(super) fn rewired(&mut self, a: (AttachmentId, Option<TrTableId>), vpcs: &[VpcId]) -> Inside {
        let at: Option<Vec<usize>> = vpcs.iter().map(|v| self.kept_of(*v)).collect();
        let Some(at) = at else {
            return Err("nobody is in the VPC");
        };
        self.keeps_ways()?;
        let rewiring = self.parts().rewiring(a, vpcs)?;
        let to = rewiring.to.clone();
        if !self.facts.private(&to) {
            return Err("the router leads to the Internet");
        }
        if let Some(far) = &mut self.far {
            far.cut(rewiring.cuts());
        }
        // Whose addresses routers lead elsewhere.
        let far = self.far.as_ref();
        let aims = (0..self.kept.len()).filter(|j| far.is_some_and(|f| f.hull(*j).intersects(&to)));
        let aims: Vec<usize> = aims.collect();
        let of = |k: &usize| self.reach.domains[self.kept[*k].at].vpc;
        let asked: Vec<VpcId> = vpcs.iter().copied().chain(aims.iter().map(of)).collect();
        let made = self.parts().rewire(rewiring, &asked);
        self.keeps_ways()?;
        for &k in at.iter().chain(&aims) {
            let vpc = self.reach.domains[self.kept[k].at].vpc;
            match made.iter().find(|m| m.0 == vpc) {
                Some((_, tables)) => self.led_home(k, tables.iter())?,
                None => {
                    let mine = |t: &&Table| self.inv.typed[t.id].vpc.known() == Some(&vpc);
                    self.led_home(k, self.reach.net.tables.iter().filter(mine))?;
                }
            }
        }
        let mut public = false;
        for (&k, vpc) in at.iter().zip(vpcs) {
            let mine = made.iter().find(|m| m.0 == *vpc);
            public |= self.led_out(k, *vpc, mine.map_or(&[], |m| m.1.as_slice()))?;
        }
        for (_, tables) in made {
            self.parts().put_tables(tables);
        }
        self.led(&at, &aims, public)
    }

    /// What some VPCs send (`at`) may go another way than before, and what anybody sends to some (`aims`). `public` says that
    /// it may be so for what others send to the Internet, too.
    fn led(&mut self, at: &[usize], aims: &[usize], public: bool) -> Inside {
        let Some(far) = &self.far else {
            return Ok(Keys::default());
        };
        far.renewed();
        let mut keys = Keys::default();
        let vpc_of = |k: usize| self.reach.domains[self.kept[k].at].vpc;
        let mut pairs: FxHashSet<(usize, usize)> = FxHashSet::default();
        // What goes through a VPC, its replies included, is that of others.
        let mut everybody = public;
        for k in at.iter().filter(|k| self.leads_through(far, vpc_of(**k), **k)) {
            everybody = true;
            let others = || far.peers[*k].iter().copied();
            pairs.extend(others().flat_map(|i| others().filter(move |j| *j != i).map(move |j| (i, j))));
        }
        let of = |j: usize| self.kept[j].by_block.keys();
        let both = || at.iter().chain(aims);
        for &k in both() {
            keys.blocks.extend(of(k));
            if everybody {
                keys.blocks.extend(far.peers[k].iter().flat_map(|j| of(*j)));
            }
        }
        pairs.extend(at.iter().flat_map(|k| far.peers[*k].iter().map(|j| (*k, *j))));
        pairs.extend(aims.iter().flat_map(|j| far.peers[*j].iter().map(|i| (*i, *j))));
        let first = both().next().copied();
        let alone = first.filter(|k| !everybody && both().all(|x| x == k)).map(vpc_of);
        self.lead(&pairs, &mut keys)?;
        // A packet that leaves another VPC and does not come to these or through them goes as it went before.
        if everybody || first.is_some() {
            self.relegged_across(alone, &mut keys);
        }
        Ok(keys)
    }

    /// Whether the ways between VPCs can be others without everything being found again.
    fn keeps_ways(&self) -> Result<(), &'static str> {
        let net = &self.reach.net;
        let zone = |x: &AttachedNet| match &x.far {
            End::Vpc(_, zones) => zones.iter().any(|z| net.vsw(*z).is_some_and(|v| v.acl.is_some())),
            _ => false,
        };
        if net.says.zone_acls && net.transit.attachments.iter().any(zone) {
            return Err("ACLs filter where routers hand packets over");
        }
        if self.far.is_none() || !self.ledger.keeps() || !net.relays.is_empty() && self.fronts.is_none() {
            return Err("what travels between VPCs is found as a whole");
        }
        Ok(())
    }

    /// Packets to addresses of the VPC itself go as they went before, and not by routers, so that nothing changes inside
    /// it or for what comes from others.
    fn led_home<'t>(
        &self,
        k: usize,
        made: impl Iterator<Item = &'t Table> + Clone,
    ) -> Result<(), &'static str> {
        let Some(far) = &self.far else { return Ok(()) };
        for &(ip, _) in far.pieces(k) {
            for table in made.clone() {
                let of = |t: &Table| -> Vec<(Vec<Hop>, bool)> {
                    t.lookup(ip).map(|r| (r.hops.clone(), r.optional)).collect()
                };
                let now = of(table);
                // A-ROUTE-1: a route inside a vSwitch may lead out of the VPC what is for it.
                if now.iter().any(|(hops, _)| hops.iter().any(crosses)) {
                    return Err("a VPC sends to itself by the router");
                }
                let before = self.reach.net.tables.get(table.id.index());
                if before.map(of) != Some(now) {
                    return Err("the router leads what is for the VPC itself elsewhere");
                }
            }
        }
        Ok(())
    }

    /// Packets to the Internet: whether the router may have to do with those of others that come through the VPC. Those
    /// of the VPC itself are followed where nobody in it sends any.
    fn led_out(&mut self, k: usize, vpc: VpcId, made: &[Table]) -> Result<bool, &'static str> {
        let net = &self.reach.net;
        let public = |s: &IpSet| !self.facts.private(s);
        let mut ways = net.transit.tables.iter().flatten();
        let comes = ways.any(|w| {
            let to = match w.next {
                TrNext::Attachment(b) => net.transit.attachments.get(b.index()),
                TrNext::Blackhole => None,
            };
            to.is_some_and(|x| matches!(x.far, End::Vpc(v, _) if v == vpc)) && public(&w.ips)
        });
        let before = made.iter().filter_map(|t| net.tables.get(t.id.index()));
        let mut routes = before.chain(made).flat_map(|t| &t.routes);
        if !routes.any(|r| r.hops.iter().any(|h| matches!(h, Hop::Attachment(_))) && public(&r.ips)) {
            return Ok(comes);
        }
        let gateways = net.vpcs.get(vpc.index());
        let gateways = gateways.is_none_or(|v| v.ipv4_gateway || v.ipv4_leads || v.ipv6_gateway);
        let lists =
            (0..self.reach.domains[k].sets.len()).filter(|gs| !self.kept[k].with_list(small(*gs)).is_empty());
        let silent = self.far.as_ref().is_some_and(|f| f.silent(k, lists));
        if comes || gateways || !silent {
            return Err("the router leads to the Internet");
        }
        // From now on they may leave; what is asked of them then is asked of everybody who may.
        let bent = self.far.as_ref().is_none_or(|f| public(f.bent()));
        let all = self.reach.domains[k].cells.iter().map(|c| c.rep.iface);
        self.facts.may_leave(vpc, all, bent);
        Ok(false)
    }

    /// Whether routers hand packets for other VPCs over to a VPC.
    fn leads_through(&self, far: &Far, vpc: VpcId, k: usize) -> bool {
        let transit = &self.reach.net.transit;
        let mine = |n: TrNext| match n {
            TrNext::Attachment(b) => {
                let x = transit.attachments.get(b.index());
                x.is_some_and(|x| matches!(x.far, End::Vpc(v, _) if v == vpc))
            }
            TrNext::Blackhole => false,
        };
        let ways = transit.tables.iter().flatten().filter(|w| mine(w.next));
        // Others may lie between the blocks of its vSwitches.
        let own = far.own(k);
        let mut others = ways.filter(|w| !w.ips.is_subset(&own));
        others.any(|w| far.peers[k].iter().any(|j| w.ips.intersects(far.hull(*j))))
    }

    /// The ways between some VPCs may be others than before.
    fn lead(&mut self, pairs: &FxHashSet<(usize, usize)>, keys: &mut Keys) -> Result<(), &'static str> {
        let Some(far) = &self.far else { return Ok(()) };
        let n = self.kept.len();
        let mut there: Vec<usize> = pairs.iter().map(|p| p.1).collect();
        there.sort_unstable();
        there.dedup();
        // Behind an appliance more may be let through than the filters of the two ends say together.
        let mut cells: Vec<(usize, u32)> = Vec::new();
        for &j in &there {
            let bent = far.bent().intersect(far.hull(j));
            if !bent.is_empty() {
                self.kept[j].each(&Match::Ips(Arc::new(bent)), |c| cells.push((j, c)));
            }
            if cells.len() > AT_ONCE {
                return Err("routes to many lead through appliances");
            }
        }
        for (j, c) in cells {
            self.far_routed((j, c), &|i| pairs.contains(&(i, j)), keys);
        }
        let slots = small(self.reach.blocks);
        for &(i, j) in pairs {
            let by = small(i * n + j);
            if !self.ledger.allows(by) {
                continue;
            }
            let way = far.uniform(&self.reach.net, &self.reach.domains, i, j);
            // Who of a block sends something to a front may count behind it.
            for ((a, b), some) in self.ledger.allowed(by) {
                if b >= slots && some {
                    keys.hands.insert((b, a));
                }
                if way.is_none() {
                    keys.pairs.entry(((i, j), a, b)).or_default().whole = true;
                    if b >= slots {
                        keys.hands.insert((b, a));
                    }
                }
            }
            if let Some(way) = way {
                self.ledger.lead(by, way == Way::Plain, |pair| {
                    keys.led.insert(pair);
                    if pair.1 >= slots {
                        keys.hands.insert((pair.1, pair.0));
                    }
                });
            }
        }
        Ok(())
    }
}
