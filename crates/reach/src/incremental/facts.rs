//! What has to be known of a network to tell whether a change stays inside one VPC.

use crate::domain::{Cell, Domain};
use crate::flow::Cuts;
use crate::matrix::Added;
use crate::network::{GroupSet, Hop, Match, Network, OwnPublic, RelaySource, Rule, RuleList};
use crate::point::PeerView;
use crate::public::{self, Border};
use crate::reach::Reach;
use bartizan_model::{
    Backend, DnatTarget, Fact, InterfaceId, Inventory, NatIp, SecurityGroupId, Typed, VpcId,
};
use bartizan_packet::IpSet;
use rustc_hash::{FxHashMap, FxHashSet};

/// Found once per rebuild. Where a fact is hard to find, it errs towards a rebuild.
pub(super) struct Facts {
    /// Interfaces through which routes lead.
    pub(super) stops: FxHashSet<InterfaceId>,
    /// Managed services; also fronts, and backends whose groups filter what balancers hand on, where that is not kept up
    /// to date by itself.
    bound: FxHashSet<InterfaceId>,
    /// Interfaces that have anything to do with the Internet.
    outward: FxHashSet<InterfaceId>,
    /// Of these, those whose private address counts there: all that are reached from there, unless it is by a public
    /// IPv4 address of their own, and those that go there through an appliance.
    special: FxHashSet<InterfaceId>,
    /// VPCs of which everybody is among these, and whether among the latter.
    leaving: FxHashSet<(VpcId, bool)>,
    /// Whether appliances may forward what travels to the Internet or from it.
    pub(super) forwards_public: bool,
    /// Public addresses of anybody.
    public: IpSet,
    /// The addresses of each VPC; those that are not single addresses apart.
    regions: Vec<(VpcId, IpSet)>,
    wide: Vec<IpSet>,
    /// Whether VPCs that something joins have addresses in common.
    overlap: bool,
    /// Whether what a balancer hands on depends on the groups of the client.
    pub(super) relays_see_groups: bool,
    /// Whether some address stands for what is not known, or is named where it is not an address of an interface.
    pub(super) addresses_named: bool,
    /// Why every change counts for more than what it is about, if it does.
    pub(super) everywhere: Option<&'static str>,
    /// Whether some public address is not known: where it may be depends on every prefix (A-EIP-2).
    unknown_public: bool,
    /// Pairs of blocks that the point engine was asked for.
    pub(super) asked: FxHashSet<(u32, u32)>,
    /// Group sets by group, and by the groups that make them.
    pub(super) sets_of: FxHashMap<SecurityGroupId, Vec<u32>>,
    pub(super) set: FxHashMap<(Vec<SecurityGroupId>, bool), u32>,
    pub(super) users: Vec<Vec<InterfaceId>>,
}

impl Facts {
    /// `fronts` says whether what balancers hand on is kept up to date by itself.
    pub(super) fn new(inv: &Inventory, reach: &Reach, added: &Added, fronts: bool) -> Self {
        let net = reach.network();
        let t = &inv.typed;
        let mut stops = FxHashSet::default();
        for h in net.tables.iter().flat_map(|t| &t.routes).flat_map(|r| &r.hops) {
            stops_of(net, h, &mut stops);
        }
        let mut bound = FxHashSet::default();
        let mut relays_see_groups = false;
        for r in net.relays.iter().filter(|_| !fronts) {
            let exempt = net
                .iface(r.front)
                .and_then(|f| f.front.as_ref())
                .is_some_and(|f| f.exempt);
            let plain = net
                .iface(r.to)
                .is_some_and(|i| i.front.is_none() && i.service.is_none());
            if !exempt || !plain {
                bound.insert(r.to);
                relays_see_groups |= r.source != RelaySource::Own;
            }
        }
        let border = Border::new(net, reach.cells());
        let mut outward: FxHashSet<InterfaceId> = FxHashSet::default();
        let mut special: FxHashSet<InterfaceId> = FxHashSet::default();
        let mut forwards_public = net.vpcs.iter().any(|v| v.ingress_table.is_some());
        let mut wide = Vec::new();
        let mut users = vec![Vec::new(); net.group_sets.len()];
        let mut set = FxHashMap::default();
        for f in net.ifaces.iter().flatten() {
            if f.front.is_some() || f.service.is_some() {
                if f.service.is_some() || !fronts {
                    bound.insert(f.id);
                }
            } else if let Some(i) = t.interfaces.get(f.id.index())
                && let Fact::Known(g) = &i.groups
            {
                set.insert(
                    (g.clone(), i.foreign_groups.is_empty() && !g.is_empty()),
                    f.groups,
                );
            }
            if let Some(u) = users.get_mut(f.groups as usize) {
                u.push(f.id);
            }
            for a in f
                .addrs
                .iter()
                .filter(|a| a.choice || a.region.first().map(IpSet::single).as_ref() != Some(&a.region))
            {
                wide.push(a.region.clone());
            }
        }
        for d in &reach.domains {
            for c in &d.cells {
                let (leaves, appliances) = border.leads(c.rep.iface);
                if c.special || leaves {
                    outward.insert(c.rep.iface);
                }
                if c.special && !exposed(net, c) || appliances {
                    special.insert(c.rep.iface);
                }
                forwards_public |= appliances;
            }
        }
        let regions = regions(reach);
        let overlap = overlap(reach);
        let mut sets_of: FxHashMap<SecurityGroupId, Vec<u32>> = FxHashMap::default();
        for (n, s) in (0u32..).zip(&net.group_sets) {
            for g in &s.groups {
                sets_of.entry(*g).or_default().push(n);
            }
        }
        let nat_unknown = |ip: &NatIp| matches!(ip, NatIp::Unknown(_));
        let unknown_public = t.eips.iter().any(|e| e.ip.known().is_none())
            || t.interfaces
                .iter()
                .flat_map(|i| &i.public)
                .any(|p| p.ip.known().is_none())
            || t.snat_entries.iter().flat_map(|s| &s.ips).any(nat_unknown)
            || t.dnat_entries.iter().any(|d| nat_unknown(&d.external));
        let everywhere = if net.has_inner() {
            Some("VPC NAT gateways translate, so a change may count in any VPC")
        } else if net.ifaces.iter().flatten().any(|f| f.inspects) {
            Some("what is led past the endpoint of a gateway load balancer is found as a whole")
        } else if stray_fronts(t) {
            Some("who is behind a server of a balancer that is not here is found as a whole")
        } else {
            None
        };
        let addresses_named = net
            .ifaces
            .iter()
            .flatten()
            .flat_map(|f| &f.addrs)
            .any(|a| a.choice)
            || t.dnat_entries
                .iter()
                .any(|d| !matches!(d.target, DnatTarget::Interface(..)))
            || t.balancers
                .iter()
                .flat_map(|b| &b.listeners)
                .flat_map(|l| &l.forwards)
                .any(|f| !matches!(f.to, Backend::Interface(_)))
            || t.strays
                .iter()
                .flat_map(|s| &s.to)
                .any(|to| !matches!(to, Backend::Interface(_)));
        // A table that grows costs more than a change may.
        set.reserve(super::SPARE);
        users.reserve(super::SPARE);
        let slots = reach.slots();
        let block = |s: &u32| slots.get(*s as usize).copied().unwrap_or(0);
        Facts {
            stops,
            bound,
            outward,
            special,
            leaving: FxHashSet::default(),
            forwards_public,
            public: public::addresses(net),
            regions,
            wide,
            overlap,
            relays_see_groups,
            addresses_named,
            everywhere,
            unknown_public,
            asked: added.asked.iter().map(|(a, b)| (block(a), block(b))).collect(),
            sets_of,
            set,
            users,
        }
    }

    /// Whether the lists of an interface count where changes are not followed.
    pub(super) fn bound(&self, i: InterfaceId) -> bool {
        self.bound.contains(&i)
    }

    /// Whether an interface has anything to do with the Internet.
    pub(super) fn outward(&self, i: InterfaceId) -> bool {
        self.outward.contains(&i)
    }

    /// Some interfaces may have to do with the Internet from now on, by way of `appliances` or not.
    pub(super) fn may_leave(&mut self, vpc: VpcId, all: impl Iterator<Item = InterfaceId>, appliances: bool) {
        if !self.leaving.insert((vpc, appliances)) {
            return;
        }
        for i in all {
            self.outward.insert(i);
            if appliances {
                self.special.insert(i);
            }
        }
        self.forwards_public |= appliances;
    }

    /// Whether the private address of an interface counts for what travels to the Internet or from it.
    pub(super) fn special(&self, i: InterfaceId) -> bool {
        self.special.contains(&i)
    }

    /// Whether no public address is in a set.
    pub(super) fn private(&self, ips: &IpSet) -> bool {
        !ips.intersects(&self.public)
    }

    /// Whether a pair of blocks holds an answer of the point engine that may contain anything.
    pub(super) fn asked(&self, pair: (u32, u32)) -> bool {
        self.asked.contains(&pair)
    }

    /// Whether two group sets treat every public address alike: then what travels to the Internet and from it stays
    /// as it was.
    pub(super) fn same_in_public(&self, net: &Network, a: &GroupSet, b: &GroupSet) -> bool {
        let counts = |r: &&Rule| match &r.peer {
            Match::Any => true,
            Match::Ips(s) => !s.v6.is_empty() || meets(self.public.v4.ranges(), s.v4.ranges()),
            Match::Group(_) | Match::Member(_) | Match::Primary(_) => net.says.public_members,
        };
        let alike = |a: &RuleList, b: &RuleList| {
            let (a, b) = (a.rules.iter().filter(counts), b.rules.iter().filter(counts));
            a.map(|r| (r.accept, &r.atoms, &r.peer))
                .eq(b.map(|r| (r.accept, &r.atoms, &r.peer)))
        };
        [(&a.ingress, &b.ingress), (&a.egress, &b.egress)]
            .into_iter()
            .all(|(a, b)| {
                if a.default_accept == b.default_accept && alike(a, b) {
                    return true;
                }
                let mut cuts = Cuts::default();
                for r in a.rules.iter().chain(&b.rules) {
                    if let Match::Ips(s) = &r.peer {
                        cuts.add(s);
                    }
                }
                cuts.finish();
                let all = crate::flow::representatives(&self.public, &cuts.within(&self.public));
                let at = |l, ip| crate::point::accepted(net, l, PeerView::public(ip));
                let mut seen = FxHashSet::default();
                all.into_iter()
                    .filter(|ip| seen.insert(cuts.piece(*ip)))
                    .all(|ip| at(a, ip) == at(b, ip))
            })
    }

    /// Whether a rule with this peer can touch what travels to the Internet or from it.
    pub(super) fn meets_public(&self, users: &[InterfaceId], m: &Match) -> bool {
        let ips = match m {
            Match::Group(_) | Match::Member(_) | Match::Primary(_) => return false,
            Match::Any => return users.iter().any(|i| self.outward(*i)),
            Match::Ips(s) => s,
        };
        ips.intersects(&self.public) && users.iter().any(|i| self.outward(*i))
    }

    /// Whether a rule with this peer can matter inside the VPC and towards the Internet only.
    pub(super) fn near(&self, net: &Network, vpc: VpcId, m: &Match) -> bool {
        let everything = IpSet::full();
        let ips = match m {
            Match::Group(_) | Match::Member(_) | Match::Primary(_) => {
                return !(self.overlap && net.has_neighbours(vpc));
            }
            Match::Any => &everything,
            Match::Ips(s) => s,
        };
        let mut others = self.regions.iter();
        !net.has_neighbours(vpc)
            || !others.any(|(v, r)| *v != vpc && net.joined(*v, vpc) && r.intersects(ips))
    }

    /// Whether somebody has a block of addresses, or one that is not known.
    pub(super) fn blocks(&self) -> bool {
        !self.wide.is_empty()
    }

    /// Whether a set of addresses cuts an address that is not a single one, or moves what is not known.
    pub(super) fn cuts(&self, ips: &IpSet) -> bool {
        self.unknown_public || self.wide.iter().any(|w| w.intersects(ips) && !w.is_subset(ips))
    }
}

/// Whether a cell is reached from the Internet by public IPv4 addresses of its own alone, where nothing looks at the
/// private address behind them.
fn exposed(net: &Network, c: &Cell) -> bool {
    let Some((f, a)) = net.addr_of(c.rep) else {
        return false;
    };
    let binded = |o: &OwnPublic| o.bypass_acl;
    let plain = f.front.is_none() && f.service.is_none() && f.site.is_none() && !f.apart;
    plain
        && a.has_own == Some(true)
        && a.dnat.is_empty()
        && a.mapped.is_empty()
        && a.inner.is_empty()
        && !(a.v6.inbound || a.v6.outbound)
        && a.shared_groups.is_none()
        && !f.addrs.iter().flat_map(|a| &a.own).any(binded)
        && net.perimeter.internet.is_none()
        && net.perimeter.by_source().next().is_none()
        && net
            .vpcs
            .iter()
            .all(|v| v.ingress_table.is_none() && v.user.is_empty() && !v.user_open)
        && net.hybrid.is_empty()
}

/// Whether some sorted ranges meet few others.
pub(super) fn meets(all: &[(u32, u32)], few: &[(u32, u32)]) -> bool {
    few.iter().any(|&(lo, hi)| {
        let at = all.partition_point(|r| r.1 < lo);
        all.get(at).is_some_and(|r| r.0 <= hi)
    })
}

/// Whether a server of a balancer that is not here is the front of one that is.
fn stray_fronts(t: &Typed) -> bool {
    let front = |to: &Backend| match to {
        Backend::Interface(i) | Backend::Ipv6(i) | Backend::At(i, _) => {
            t.balancers.iter().any(|b| b.fronts.contains(i))
        }
        Backend::Ip(_) => !t.balancers.is_empty(),
        Backend::Unknown(_) => false,
    };
    t.strays.iter().flat_map(|s| &s.to).any(front)
}

/// The addresses of each VPC, sorted by VPC.
fn regions(reach: &Reach) -> Vec<(VpcId, IpSet)> {
    let net = reach.network();
    let of = |d: &Domain| {
        let addresses = d
            .cells
            .iter()
            .filter_map(|c| net.iface(c.rep.iface))
            .flat_map(|f| &f.addrs);
        (d.vpc, IpSet::union_all(addresses.map(|a| &a.region)))
    };
    let mut out: Vec<(VpcId, IpSet)> = reach.domains.iter().map(of).collect();
    out.sort_unstable_by_key(|r| r.0);
    out
}

/// Whether VPCs that something joins have addresses in common.
pub(super) fn overlap(reach: &Reach) -> bool {
    let regions = regions(reach);
    let net = reach.network();
    let meet =
        |a: &(VpcId, IpSet), b: &(VpcId, IpSet)| a.0 != b.0 && net.joined(a.0, b.0) && a.1.intersects(&b.1);
    regions.iter().any(|a| regions.iter().any(|b| meet(a, b)))
}

/// Adds the interfaces that a hop leads to.
pub(super) fn stops_of(net: &Network, h: &Hop, out: &mut FxHashSet<InterfaceId>) {
    match h {
        Hop::Interface(i) => {
            out.insert(*i);
        }
        Hop::HaVip(h) => out.extend(net.ha_vips.get(h.index()).into_iter().flatten()),
        _ => {}
    }
}
