//! The inventory as the checker reads it: what each layer does with a box of packets.
//!
//! Part of `checker` and, like it, without anything of the engine.

use crate::certificate::{End, Reason, WayKind};
use crate::network::RuleRef;
use bartizan_model::*;
use bartizan_packet::{Cube, IntervalSet, IpSet, PortSet, ServiceSet};
use ipnet::IpNet;
use std::collections::BTreeSet;

/// What a layer does with a box of packets.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) open: Vec<Cube>,
    pub(crate) closed: Vec<Cube>,
    /// What lets pass and what drops.
    pub(crate) by_open: BTreeSet<RuleRef>,
    pub(crate) by: BTreeSet<RuleRef>,
}

impl Judged {
    fn all_open(c: Cube) -> Self {
        Judged {
            open: vec![c],
            ..Judged::default()
        }
    }
    fn all_closed(c: Cube) -> Self {
        Judged {
            closed: vec![c],
            ..Judged::default()
        }
    }
    /// Closed for the services of `c` that no packet of `self` passes with.
    fn on(self, c: Cube) -> Self {
        let open = self.open.iter().fold(ServiceSet::empty(), |a, o| a.union(&o.svc));
        let part = |svc: ServiceSet| {
            Some(Cube { svc, ..c.clone() })
                .into_iter()
                .filter(|c| !c.is_empty())
                .collect()
        };
        Judged {
            open: part(c.svc.intersect(&open)),
            closed: part(c.svc.subtract(&open)),
            ..self
        }
    }
}

/// One rule as it applies to one peer.
struct Entry {
    from: RuleRef,
    accept: bool,
    ips: IpSet,
    svc: ServiceSet,
}

fn first_match(c: Cube, ingress: bool, rules: &[Entry], default: (RuleRef, bool)) -> Judged {
    let mut out = Judged::default();
    let mut left = vec![c];
    let rest = Entry {
        from: default.0,
        accept: default.1,
        ips: IpSet::full(),
        svc: ServiceSet::any(),
    };
    for r in rules.iter().chain([&rest]) {
        let mut hit = Cube {
            svc: r.svc.clone(),
            ..Cube::full()
        };
        *(if ingress { &mut hit.src } else { &mut hit.dst }) = r.ips.clone();
        let mut next = Vec::new();
        for c in left {
            let here = c.intersect(&hit);
            if here.is_empty() {
                next.push(c);
                continue;
            }
            next.extend(c.subtract(&hit));
            let (set, by) = if r.accept {
                (&mut out.open, &mut out.by_open)
            } else {
                (&mut out.closed, &mut out.by)
            };
            set.push(here);
            by.insert(r.from);
        }
        left = next;
        if left.is_empty() {
            break;
        }
    }
    out
}

fn nets(list: &[&str]) -> IpSet {
    IpSet::from_nets(list.iter().filter_map(|s| s.parse::<IpNet>().ok()))
}

pub(crate) fn num(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The typed layer, indexed.
pub(crate) struct Facts<'a> {
    t: &'a Typed,
    rules_of: Vec<Vec<u32>>,
    loose: Vec<u32>,
    /// Which VPCs something may join: equal numbers. `None` where it is not known what joins what.
    joined: Option<Vec<usize>>,
    readings: &'a Readings,
}

/// Numbers VPCs so that those which peering or transit routers may join have one number; `None` where an end of
/// one of them is not known.
fn joined(t: &Typed) -> Option<Vec<usize>> {
    let vpcs = t.vpcs.len();
    let mut at: Vec<usize> = (0..vpcs + t.transit_routers.len()).collect();
    let mut join = |a: usize, b: usize| {
        let (x, y) = (at[a], at[b]);
        at.iter_mut().filter(|n| **n == x).for_each(|n| *n = y);
    };
    for p in &t.peerings {
        join(p.requester.known()?.index(), p.accepter.known()?.index());
    }
    for a in &t.attachments {
        let r = vpcs + a.router.known()?.index();
        match &a.to {
            Attached::Vpc(v) => join(v.known()?.index(), r),
            Attached::Peer(o) => join(vpcs + o.known()?.index(), r),
            Attached::Border(b) => join(t[t[*b.known()?].site].vpc.index(), r),
            Attached::Vpn(x) => join(t[t[*x.known()?].site].vpc.index(), r),
            Attached::Nothing => {}
            Attached::Unmodelled(..) => return None,
        }
    }
    for x in &t.vpn_connections {
        if let VpnEnd::Gateway(g) | VpnEnd::Clients(g) = &x.end {
            join(t[*g.known()?].vpc.known()?.index(), t[x.site].vpc.index());
        }
    }
    let end = |e: &RouterEnd| {
        Some(match e {
            RouterEnd::Vpc(v) => v.known()?.index(),
            RouterEnd::Border(b) => t[t[*b.known()?].site].vpc.index(),
        })
    };
    for i in &t.router_interfaces {
        if let Some(o) = i.opposite.known()? {
            join(end(&i.at)?, end(&t[*o].at)?);
        }
    }
    // Sites may reach one another by ways of their own.
    let sites = || (0u32..).map(SiteId).zip(&t.sites);
    for (n, a) in sites() {
        for (m, b) in sites().take(n.index()) {
            if t.site_forwards(n, m).known() != Some(&false) {
                join(a.vpc.index(), b.vpc.index());
            }
        }
    }
    at.truncate(vpcs);
    Some(at)
}

/// Whether a next hop leads to where only the engine looks.
fn leads_on(h: &NextHop) -> bool {
    matches!(
        h,
        NextHop::Interface(_)
            | NextHop::HaVip(_)
            | NextHop::Peering(_)
            | NextHop::Attachment(_)
            | NextHop::Vpn(_)
            | NextHop::RouterInterface(_)
    )
}

impl<'a> Facts<'a> {
    pub(crate) fn new(inv: &'a Inventory, readings: &'a Readings) -> Self {
        let t = &inv.typed;
        let (mut rules_of, mut loose) = (vec![Vec::new(); t.security_groups.len()], Vec::new());
        for (i, r) in (0u32..).zip(&t.sg_rules) {
            match r.group {
                Fact::Known(g) => rules_of[g.index()].push(i),
                Fact::Unknown(_) => loose.push(i),
            }
        }
        Facts {
            t,
            rules_of,
            loose,
            joined: joined(t),
            readings,
        }
    }

    /// Whether a claim of absence may count on the first reading of a contested question.
    fn first(&self, a: Assumption) -> bool {
        self.readings.absence(a) == Use::First
    }

    fn vswitch(&self, i: InterfaceId) -> Option<VswitchId> {
        self.t.interfaces.get(i.index())?.vswitch.known().copied()
    }
    fn vpc(&self, i: InterfaceId) -> Option<VpcId> {
        self.t[self.vswitch(i)?].vpc.known().copied()
    }

    /// Whether packets with private addresses may get from one VPC to another.
    fn meet(&self, a: VpcId, b: VpcId) -> bool {
        match &self.joined {
            Some(n) => a == b || n[a.index()] == n[b.index()],
            None => true,
        }
    }
    /// Whether a transit router may write routes into the tables of the VPC of an interface.
    fn routed_from_outside(&self, i: InterfaceId) -> bool {
        let vpc = self.vpc(i);
        // A site sends by whatever link takes its packets in; a VPN gateway may write routes.
        let writes = |n: u32, g: &VpnGateway| {
            let route = |r: &VpnRoute| {
                let here = r
                    .gateway
                    .as_ref()
                    .is_some_and(|g| g.known().is_none_or(|g| g.0 == n));
                here && r.publishes.known() != Some(&false)
            };
            let here = g.vpc.known().zip(vpc.as_ref()).is_none_or(|(a, b)| a == b);
            here && (g.propagates.known() != Some(&false) || self.t.vpn_routes.iter().any(route))
        };
        let mut gateways = (0u32..).zip(&self.t.vpn_gateways);
        let link = self.t.site_of(i).is_some() || gateways.any(|(n, g)| writes(n, g));
        link || self.t.attachments.iter().any(|a| match &a.to {
            Attached::Vpc(v) => {
                a.publishes.known() != Some(&false) && v.known().zip(vpc.as_ref()).is_none_or(|(a, b)| a == b)
            }
            _ => false,
        })
    }
    /// Whether a VPC NAT gateway may translate what an end sends (an SNAT entry that may cover it, and a route that may
    /// lead to the gateway) or receives (a DNAT entry that may lead to it).
    fn translated(&self, (i, a): (InterfaceId, u32), ips: &IpSet) -> bool {
        let all = (0u32..).map(NatId).zip(&self.t.nat_gateways);
        all.filter(|(_, n)| n.internet.known() != Some(&true))
            .any(|(id, n)| {
                let near = self
                    .vpc(i)
                    .zip(n.vpc.known())
                    .is_none_or(|(a, b)| self.meet(a, *b));
                let of = |nat: &Fact<NatId>| nat.known().is_none_or(|x| *x == id);
                let leads = |h: &NextHop| match h {
                    NextHop::Nat(x) => *x == id,
                    NextHop::Unknown(_) | NextHop::Unmodelled { .. } => true,
                    _ => false,
                };
                let led = || {
                    let mut hops = self.t.route_entries.iter().flat_map(|r| &r.next_hops);
                    // The cloud may route a custom block to the gateway by itself (A-NAT-2).
                    (hops.any(leads) || !n.blocks.is_empty()) && !self.snat(i, ips, Some(id)).is_empty()
                };
                let entered = || {
                    let mut entries = self.t.dnat_entries.iter().filter(|d| of(&d.nat));
                    entries.any(|d| match d.target {
                        DnatTarget::Interface(f, k) => (f, k) == (i, a),
                        DnatTarget::Ip(ip) => ips.contains(ip),
                        DnatTarget::Unknown(_) => true,
                    })
                };
                near && (led() || entered())
            })
    }
    /// The managed service that answers at an interface.
    fn service(&self, i: InterfaceId) -> Option<(DataServiceId, &'a DataService)> {
        let mut all = (0u32..).map(DataServiceId).zip(&self.t.data_services);
        all.find(|(_, d)| d.interface == i)
    }
    /// The allow list of a managed service judges packets.
    fn allowed(
        &self,
        (id, d): (DataServiceId, &DataService),
        ingress: bool,
        peer: Option<(InterfaceId, u32)>,
        far: bool,
        c: Cube,
    ) -> Judged {
        if !ingress {
            return first_match(c, ingress, &[], (RuleRef::NoClient(id), false));
        }
        let svc = d.services.known();
        let svc = svc.map_or_else(ServiceSet::any, |s| s.union(&d.also));
        let rules: Vec<Entry> = (0u32..)
            .zip(&d.allow)
            .map(|(n, e)| Entry {
                from: RuleRef::Allow(id, n),
                accept: true,
                ips: match &e.peer {
                    AllowPeer::Net(n) => IpSet::from(*n),
                    AllowPeer::Group(g) if peer.is_some_and(|p| self.member(p, *g, true)) => IpSet::full(),
                    AllowPeer::Group(g) if far => self.member_ips(*g),
                    AllowPeer::Group(_) => IpSet::empty(),
                    AllowPeer::ForeignGroup(_) | AllowPeer::Unknown(_) => IpSet::full(),
                },
                svc: svc.clone(),
            })
            .collect();
        first_match(c, ingress, &rules, (RuleRef::AllowEnd(id), false))
    }

    /// Whether the inner policy of some group may join two interfaces.
    fn fellows(&self, a: InterfaceId, b: InterfaceId) -> bool {
        let t = self.t;
        let may = |i: InterfaceId, g: SecurityGroupId| t[i].groups.known().is_none_or(|gs| gs.contains(&g));
        (0u32..)
            .map(SecurityGroupId)
            .take(t.security_groups.len())
            .any(|g| {
                let inner =
                    t[g].enterprise.known() != Some(&true) && t[g].inner_accept.known() != Some(&false);
                inner && may(a, g) && may(b, g)
            })
    }

    /// Whether two interfaces are in different VPCs.
    pub(crate) fn apart(&self, a: InterfaceId, b: InterfaceId) -> bool {
        self.vpc(a) != self.vpc(b)
    }

    /// Addresses that a rule names, for an accept (all that it might be) or a drop (what it certainly is).
    fn named(&self, n: &NetSpec, accept: bool) -> IpSet {
        let unknown = || if accept { IpSet::full() } else { IpSet::empty() };
        match n {
            NetSpec::Net(n) => n.known().map_or_else(unknown, |n| IpSet::from(*n)),
            NetSpec::PrefixList(Fact::Unknown(_)) => unknown(),
            NetSpec::PrefixList(Fact::Known(p)) => match &self.t[*p].entries {
                Fact::Unknown(_) => unknown(),
                Fact::Known(es) if accept && es.iter().any(|e| e.known().is_none()) => unknown(),
                Fact::Known(es) => IpSet::from_nets(es.iter().filter_map(|e| e.known().copied())),
            },
        }
    }

    /// Whether an address is a member of a group, seen by its private address. A virtual IP counts as a member
    /// of the groups of everybody who may hold it.
    fn member(&self, (i, a): (InterfaceId, u32), g: SecurityGroupId, accept: bool) -> bool {
        let f = &self.t[i];
        let belongs = |f: &Interface| f.groups.known().map_or(accept, |gs| gs.contains(&g));
        // A-SG-1: where it is not certain that every address counts, a drop counts for primary ones alone.
        let counts = |k: AddressKind| accept || matches!(k, AddressKind::Primary | AddressKind::Ipv6);
        match f.addresses.get(a as usize) {
            Some(x) if !self.first(Assumption::Sg1) && !counts(x.kind) => false,
            Some(Address {
                kind: AddressKind::HaVip,
                spec,
                ..
            }) => {
                let holds = |h: &&Interface| {
                    h.vswitch.known() == f.vswitch.known()
                        && h.addresses
                            .iter()
                            .any(|x| x.kind == AddressKind::HaVip && x.spec == *spec)
                };
                self.t.interfaces.iter().filter(holds).any(belongs)
            }
            _ => belongs(f),
        }
    }

    /// Every address that a member of a group may have.
    fn member_ips(&self, g: SecurityGroupId) -> IpSet {
        let t = self.t;
        let of = |i: &&Interface| i.groups.known().is_none_or(|gs| gs.contains(&g));
        let one = |a: &Address| match a.spec {
            AddressSpec::Ip(ip) => IpSet::single(ip),
            AddressSpec::Block(n) => IpSet::from(n),
            AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_) => IpSet::full(),
        };
        let all = t.interfaces.iter().filter(of).flat_map(|i| &i.addresses);
        all.fold(IpSet::empty(), |s, a| s.union(&one(a)))
    }

    /// The groups of an interface judge packets; `peer` is the other end where it is seen by a private address.
    fn sg(&self, i: InterfaceId, ingress: bool, peer: Option<(InterfaceId, u32)>, c: Cube) -> Judged {
        let t = self.t;
        let f = &t[i];
        // In another VPC a peer is known by its address only (§5.3).
        let far = peer.filter(|p| self.vpc(p.0) != self.vpc(i));
        let peer = peer.filter(|p| self.vpc(p.0) == self.vpc(i));
        if let Some(service) = self.service(i) {
            return self.allowed(service, ingress, peer, far.is_some(), c);
        }
        let groups = match &f.groups {
            Fact::Known(g) if !g.is_empty() && f.foreign_groups.is_empty() => g,
            _ => return Judged::all_open(c),
        };
        let mut rules = Vec::new();
        let always = |from, ips| Entry {
            from,
            accept: true,
            ips,
            svc: ServiceSet::any(),
        };
        if !ingress {
            rules.push(always(RuleRef::Default, nets(&["100.100.100.200/32"])));
        }
        for &g in groups {
            let inner = t[g].enterprise.known() != Some(&true) && t[g].inner_accept.known() != Some(&false);
            let with = peer.is_some_and(|(p, _)| t[p].groups.known().is_none_or(|gs| gs.contains(&g)));
            if inner && with {
                rules.push(always(RuleRef::Inner(g), IpSet::full()));
            }
        }
        let dir = if ingress {
            Direction::Ingress
        } else {
            Direction::Egress
        };
        let mut placed: Vec<(u8, bool, u32)> = Vec::new();
        for &n in groups
            .iter()
            .flat_map(|g| &self.rules_of[g.index()])
            .chain(&self.loose)
        {
            let r = &t.sg_rules[n as usize];
            let accept = r.accept.known() != Some(&false);
            let certain =
                r.origin.maybe.is_none() && r.group.known().is_some() && r.direction.known().is_some();
            if r.direction.known().is_some_and(|d| *d != dir) || !accept && !certain {
                continue;
            }
            placed.push((
                r.priority
                    .known()
                    .copied()
                    .unwrap_or(if accept { 0 } else { 101 }),
                accept,
                n,
            ));
        }
        placed.sort_unstable();
        for (_, accept, n) in placed {
            let r = &t.sg_rules[n as usize];
            let unknown = || if accept { IpSet::full() } else { IpSet::empty() };
            let ips = match &r.peer {
                Peer::Net(s) => self.named(s, accept),
                Peer::Group(g) if peer.is_some_and(|p| self.member(p, *g, accept)) => IpSet::full(),
                Peer::Group(g) if accept && far.is_some() => self.member_ips(*g),
                Peer::Group(_) => IpSet::empty(),
                Peer::ForeignGroup(_) | Peer::Unknown(_) => unknown(),
            };
            let none = if accept {
                ServiceSet::any()
            } else {
                ServiceSet::empty()
            };
            let svc = r.services.known().cloned().unwrap_or(none);
            rules.push(Entry {
                from: RuleRef::Sg(n),
                accept,
                ips,
                svc,
            });
        }
        let basic = groups.iter().all(|g| t[*g].enterprise.known() != Some(&true));
        first_match(c, ingress, &rules, (RuleRef::Default, !ingress && basic))
    }

    fn acl(&self, v: VswitchId, ingress: bool, c: Cube) -> Judged {
        let Fact::Known(Some(id)) = self.t[v].acl else {
            return Judged::all_open(c);
        };
        let acl = &self.t[id];
        let AclList::Entries(es) = (if ingress { &acl.ingress } else { &acl.egress }) else {
            return Judged::all_open(c);
        };
        let end = RuleRef::AclEnd(id, ingress);
        let service = nets(&["100.100.2.128/28", "100.100.2.112/28", "100.100.100.200/32"]);
        let mut rules = vec![Entry {
            from: end,
            accept: true,
            ips: service,
            svc: ServiceSet::any(),
        }];
        for (n, e) in es.iter().enumerate() {
            let accept = e.accept.known() != Some(&false);
            let none = if accept {
                ServiceSet::any()
            } else {
                ServiceSet::empty()
            };
            if accept || e.origin.maybe.is_none() {
                let svc = e.services.known().cloned().unwrap_or(none);
                let ips = self.named(&e.peer, accept);
                rules.push(Entry {
                    from: RuleRef::Acl(id, ingress, num(n)),
                    accept,
                    ips,
                    svc,
                });
            }
        }
        // A-NACL-1.
        first_match(c, ingress, &rules, (end, !self.first(Assumption::Nacl1)))
    }

    /// The routes that a packet from an interface may meet towards some of `to`.
    fn entries(&self, i: InterfaceId, to: &IpSet) -> Vec<&'a RouteEntry> {
        let Some(v) = self.vswitch(i) else {
            return self.t.route_entries.iter().collect();
        };
        let table = self.t[v].table.known();
        let mine = |e: &&RouteEntry| e.table.known().zip(table).is_none_or(|(a, b)| a == b);
        let towards = |e: &&RouteEntry| self.named(&e.destination, true).intersects(to);
        self.t.route_entries.iter().filter(mine).filter(towards).collect()
    }
    /// Whether no appliance or other VPC is the next hop of a packet from an interface to some of `to`.
    fn direct(&self, i: InterfaceId, to: &IpSet) -> bool {
        let elsewhere = self
            .entries(i, to)
            .iter()
            .any(|e| e.next_hops.iter().any(leads_on));
        !elsewhere && !self.routed_from_outside(i)
    }

    /// Public addresses that the cloud has yet to pick: none that the configuration names (A-EIP-2).
    fn somewhere(&self) -> IpSet {
        let t = self.t;
        let rules = t.sg_rules.iter().filter_map(|r| match &r.peer {
            Peer::Net(n) => Some(n),
            _ => None,
        });
        let acls = t
            .acls
            .iter()
            .flat_map(|a| [&a.ingress, &a.egress])
            .flat_map(|l| match l {
                AclList::Entries(es) => es.as_slice(),
                _ => &[],
            });
        let specs = rules
            .chain(t.route_entries.iter().map(|r| &r.destination))
            .chain(t.tr_routes.iter().map(|r| &r.destination))
            .chain(acls.map(|e| &e.peer));
        let single = specs.filter_map(|s| match s {
            NetSpec::Net(n) => n.known().copied(),
            NetSpec::PrefixList(_) => None,
        });
        let lists = t
            .prefix_lists
            .iter()
            .flat_map(|p| p.entries.known().into_iter().flatten());
        let allowed = t.data_services.iter().flat_map(|d| &d.allow);
        let allowed = allowed.filter_map(|e| match e.peer {
            AllowPeer::Net(n) => Some(n),
            _ => None,
        });
        let named = single
            .chain(allowed)
            .chain(lists.filter_map(|e| e.known().copied()))
            .filter(|n| n.prefix_len() >= 8);
        let (all, named) = (IpSet::public(), IpSet::from_nets(named));
        let free = all.subtract(&named);
        if free.v4.is_empty() {
            all
        } else {
            IpSet {
                v4: free.v4,
                v6: IntervalSet::empty(),
            }
        }
    }
    fn maybe_at(&self, ip: Option<&std::net::IpAddr>) -> IpSet {
        ip.map_or_else(|| self.somewhere(), |ip| IpSet::single(*ip))
    }
    fn own_at(&self, p: &PublicAddress) -> IpSet {
        match p.ip {
            // What is there already may have any address.
            Fact::Unknown(_) if p.eip.is_none() => public_v4(),
            _ => self.maybe_at(p.ip.known()),
        }
    }
    fn nat_ip(&self, ip: &NatIp) -> IpSet {
        match ip {
            NatIp::Eip(e) => self.maybe_at(self.t[*e].ip.known()),
            NatIp::Ip(ip) => IpSet::single(*ip),
            NatIp::Unknown(_) => public_v4(),
        }
    }
    fn own(&self, (i, a): (InterfaceId, u32)) -> impl Iterator<Item = &'a PublicAddress> {
        self.t[i].public.iter().filter(move |p| p.private == a)
    }
    fn binded(&self, i: InterfaceId) -> bool {
        self.t[i].public.iter().any(|p| p.kind == PublicKind::EipBinded)
    }
    fn access(&self, (i, a): (InterfaceId, u32)) -> &'a Ipv6Internet {
        self.t[i]
            .addresses
            .get(a as usize)
            .map_or(&Ipv6Internet::None, |a| &a.ipv6_internet)
    }
    /// DNAT entries that may lead to an address.
    fn dnat(&self, (i, a): (InterfaceId, u32), ips: &IpSet) -> Vec<&'a DnatEntry> {
        if self.t[i].public.iter().any(|p| p.origin.maybe.is_none()) {
            return Vec::new();
        }
        let to = |d: &&DnatEntry| match d.target {
            DnatTarget::Interface(f, n) => (f, n) == (i, a),
            DnatTarget::Ip(ip) => ips.contains(ip),
            DnatTarget::Unknown(_) => true,
        };
        let internet = |d: &&DnatEntry| {
            d.nat
                .known()
                .is_none_or(|n| self.t[*n].internet.known() != Some(&false))
        };
        self.t.dnat_entries.iter().filter(to).filter(internet).collect()
    }
    /// DNAT entries by which what an end sends may leave: IP mappings (A-NAT-3).
    fn mapped(&self, at: (InterfaceId, u32), ips: &IpSet, nat: Option<NatId>) -> Vec<&'a DnatEntry> {
        if self.first(Assumption::Nat3) {
            return Vec::new();
        }
        let of = |d: &&DnatEntry| d.nat.known().zip(nat).is_none_or(|(a, b)| *a == b);
        let whole = |d: &&DnatEntry| d.protocol.known().is_none_or(|p| *p == DnatProtocol::Any);
        let entries = self.dnat(at, ips).into_iter();
        entries.filter(of).filter(whole).collect()
    }
    fn snat(&self, i: InterfaceId, ips: &IpSet, nat: Option<NatId>) -> Vec<&'a SnatEntry> {
        let of = |s: &&SnatEntry| s.nat.known().zip(nat).is_none_or(|(a, b)| *a == b);
        let source = |s: &&SnatEntry| match &s.source {
            SnatSource::Vswitch(v) => v.known().zip(self.vswitch(i)).is_none_or(|(a, b)| *a == b),
            SnatSource::Net(n) => n.known().is_none_or(|n| IpSet::from(*n).intersects(ips)),
        };
        self.t.snat_entries.iter().filter(of).filter(source).collect()
    }

    fn no_exit(&self, at: (InterfaceId, u32), ips: &IpSet, to: &IpSet) -> bool {
        if self.t.site_of(at.0).is_some() {
            // What comes from a site is translated by blocks only, or by an appliance.
            let translates =
                |h: &NextHop| matches!(h, NextHop::Interface(_) | NextHop::HaVip(_) | NextHop::Unknown(_));
            let appliance = self
                .t
                .route_entries
                .iter()
                .flat_map(|e| &e.next_hops)
                .any(translates);
            let covers = |s: &SnatEntry| match &s.source {
                SnatSource::Vswitch(v) => v.known().is_none(),
                SnatSource::Net(n) => n.known().is_none_or(|n| IpSet::from(*n).intersects(ips)),
            };
            let mapped = !self.mapped(at, ips, None).is_empty();
            return !appliance && !mapped && !self.t.snat_entries.iter().any(covers);
        }
        let entries = self.entries(at.0, to);
        let by = |f: &dyn Fn(&NextHop) -> bool| entries.iter().any(|e| e.next_hops.iter().any(f));
        let elsewhere = by(&leads_on) || self.routed_from_outside(at.0);
        if elsewhere && (!matches!(self.access(at), Ipv6Internet::None) || ips.v6.is_empty()) {
            return false;
        }
        let Some(vpc) = self.vpc(at.0) else { return false };
        let here = |v: &Fact<VpcId>| v.known().is_none_or(|v| *v == vpc);
        if ips.v4.is_empty() {
            let gateway = self.t.ipv6_gateways.iter().any(|g| here(&g.vpc));
            return matches!(self.access(at), Ipv6Internet::None)
                || !gateway && !by(&|h| matches!(h, NextHop::Ipv6Gateway(_)));
        }
        let active = |g: &Ipv4Gateway| {
            g.vpc.known() == Some(&vpc) && g.enabled.known() == Some(&true) && g.meta.origin.maybe.is_none()
        };
        let controlled = self.t.ipv4_gateways.iter().any(active);
        let own = self.own(at).next().is_some();
        let nat = |h: &NextHop| {
            matches!(h, NextHop::Nat(n) if self.t[*n].internet.known() != Some(&false)
                && !(self.snat(at.0, ips, Some(*n)).is_empty() && self.mapped(at, ips, Some(*n)).is_empty()))
        };
        ips.v6.is_empty()
            && !by(&nat)
            && (!own || controlled && !by(&|h| matches!(h, NextHop::Ipv4Gateway(_))))
    }

    fn no_entry(&self, at: (InterfaceId, u32), ips: &IpSet) -> bool {
        if ips.v4.is_empty() {
            let gateway = |g: &Ipv6Gateway| g.vpc.known().zip(self.vpc(at.0)).is_none_or(|(a, b)| *a == b);
            return matches!(self.access(at), Ipv6Internet::None | Ipv6Internet::EgressOnly(_))
                || !self.t.ipv6_gateways.iter().any(gateway);
        }
        ips.v6.is_empty() && self.own(at).next().is_none() && self.dnat(at, ips).is_empty()
    }

    /// The public addresses by which an end may be seen after it has gone out.
    pub(crate) fn seen_as(&self, at: (InterfaceId, u32), ips: &IpSet) -> IpSet {
        if ips.v4.is_empty() {
            return ips.clone();
        }
        if !self.direct(at.0, &IpSet::full()) {
            // An appliance may have any public address.
            let t = self.t;
            let known = t
                .interfaces
                .iter()
                .flat_map(|i| &i.public)
                .filter_map(|p| p.ip.known());
            let nat = t
                .snat_entries
                .iter()
                .flat_map(|s| &s.ips)
                .chain(t.dnat_entries.iter().map(|d| &d.external))
                .map(|ip| self.nat_ip(ip));
            return known
                .map(|ip| IpSet::single(*ip))
                .chain(nat)
                .fold(IpSet::public(), |a, b| a.union(&b));
        }
        let own = self.own(at).map(|p| self.own_at(p));
        let nat = self
            .snat(at.0, ips, None)
            .into_iter()
            .flat_map(|s| &s.ips)
            .chain(self.mapped(at, ips, None).into_iter().map(|d| &d.external))
            .map(|ip| self.nat_ip(ip));
        own.chain(nat).fold(IpSet::empty(), |a, b| a.union(&b))
    }

    /// The public addresses at which an end may be reached.
    pub(crate) fn listening(&self, at: (InterfaceId, u32), ips: &IpSet) -> IpSet {
        if ips.v4.is_empty() {
            return ips.clone();
        }
        let own = self.own(at).map(|p| self.own_at(p));
        let dnat = self.dnat(at, ips).into_iter().map(|d| self.nat_ip(&d.external));
        own.chain(dnat).fold(IpSet::empty(), |a, b| a.union(&b))
    }

    /// What the ways in carry, as delivered.
    fn carried_in(&self, at: (InterfaceId, u32), ips: &IpSet) -> ServiceSet {
        let full = PortSet::full();
        let public = ServiceSet {
            tcp: full.clone(),
            udp: full.clone(),
            icmp: full,
            ..ServiceSet::default()
        };
        if ips.v4.is_empty() {
            return ServiceSet::any();
        }
        if self.own(at).next().is_some() {
            return public;
        }
        self.dnat(at, ips).into_iter().fold(ServiceSet::empty(), |a, d| {
            a.union(&match (&d.protocol, &d.ports) {
                (Fact::Known(p @ (DnatProtocol::Tcp | DnatProtocol::Udp)), Fact::Known(Some(m))) => {
                    let ports = PortSet::range(m.internal.0, m.internal.1);
                    if *p == DnatProtocol::Tcp {
                        ServiceSet::tcp(ports)
                    } else {
                        ServiceSet::udp(ports)
                    }
                }
                _ => public.clone(),
            })
        })
    }

    /// Which part of the packets `c` from `s` to `d` on a way is stopped for a reason; `None` where the reason
    /// proves nothing.
    pub(crate) fn judge(&self, way: WayKind, reason: Reason, s: &End, d: &End, c: Cube) -> Option<Judged> {
        use Reason as R;
        use WayKind as W;
        let cond = |yes: bool, c: Cube| yes.then(|| Judged::all_closed(c));
        let lone = |a: &IpSet| a.v4.size() + a.v6.size() == 1;
        Some(match (way, reason, s.at, d.at) {
            (W::Private, R::Apart, Some(a), Some(b)) => {
                let (va, vb) = (self.vpc(a.0)?, self.vpc(b.0)?);
                let one = a.0 == b.0 || lone(&s.ips) && s.ips == d.ips;
                return cond(
                    one || !self.meet(va, vb) || self.binded_for_certain(a.0) || self.binded_for_certain(b.0),
                    c,
                );
            }
            (W::Hairpin, R::Apart, Some(a), Some(b)) => {
                let six = c.src.v4.is_empty() && self.vpc(a.0)? == self.vpc(b.0)?;
                return cond(a.0 == b.0 || six, c);
            }
            (W::Private, R::SgIngress, Some(a), Some(b)) => self.sg(b.0, true, Some(a), c),
            (W::Private, R::SgEgress, Some(a), Some(b)) => self.sg(a.0, false, Some(b), c),
            (W::Private, R::AclIngress | R::AclEgress, Some(a), Some(b)) => {
                let (va, vb) = (self.vswitch(a.0)?, self.vswitch(b.0)?);
                if va == vb || !self.direct(a.0, &c.dst) {
                    return None;
                }
                // A-NACL-2: of source ports a claim says nothing.
                if reason == R::AclIngress && !self.first(Assumption::Nacl2) {
                    return None;
                }
                // §15.3: no ACL applies to a managed service.
                let end = if reason == R::AclIngress { b.0 } else { a.0 };
                if self.service(end).is_some() {
                    return None;
                }
                if reason == R::AclIngress {
                    self.acl(vb, true, c)
                } else {
                    self.acl(va, false, c)
                }
            }
            (W::Private, R::NoRoute, Some(a), Some(_)) => {
                let yes =
                    self.first(Assumption::Route1) && self.direct(a.0, &c.dst) && self.detoured(a.0, &c.dst);
                return cond(yes, c);
            }
            (W::Out, R::SgEgress, Some(a), None) => self.sg(a.0, false, None, c),
            (W::Out, R::AclEgress, Some(a), None)
                if self.direct(a.0, &c.dst) && !self.binded(a.0) && self.service(a.0).is_none() =>
            {
                self.acl(self.vswitch(a.0)?, false, c)
            }
            (W::Out, R::NoExit, Some(a), None) => return cond(self.no_exit(a, &s.ips, &c.dst), c),
            (W::Out, R::NotCarried, Some(_), None) => {
                let mut no = match self.first(Assumption::P25) {
                    true => ServiceSet::tcp(PortSet::single(25)),
                    false => ServiceSet::empty(),
                };
                if c.src.v6.is_empty() {
                    no = ServiceSet {
                        icmpv6: PortSet::full(),
                        other: IntervalSet::full(),
                        ..no
                    };
                }
                let open = Judged::all_open(Cube {
                    svc: c.svc.subtract(&no),
                    ..c.clone()
                });
                open.on(c)
            }
            (W::In, R::SgIngress, None, Some(b)) => self.sg(b.0, true, None, c),
            (W::In | W::Hairpin, R::AclIngress, _, _) if !self.first(Assumption::Nacl2) => return None,
            (W::Hairpin, R::SgIngress | R::SgEgress, Some(a), Some(b))
                if !self.first(Assumption::Sg4) && self.fellows(a.0, b.0) =>
            {
                return None;
            }
            (W::In, R::AclIngress, None, Some(b)) if self.enters_directly(b.0) => {
                self.acl(self.vswitch(b.0)?, true, c)
            }
            (W::In | W::Hairpin, R::NoEntry, _, Some(b)) => return cond(self.no_entry(b, &d.ips), c),
            (W::In | W::Hairpin, R::NotCarried, _, Some(b)) => {
                let svc = self.carried_in(b, &d.ips);
                Judged::all_open(Cube { svc, ..c.clone() }).on(c)
            }
            (W::Hairpin, R::NoExit, Some(a), Some(b)) => {
                return cond(self.no_exit(a, &s.ips, &self.listening(b, &d.ips)), c);
            }
            (W::Hairpin, R::SgIngress, Some(a), Some(b)) => {
                let seen = Cube {
                    src: self.seen_as(a, &s.ips),
                    ..c.clone()
                };
                self.sg(b.0, true, None, seen).on(c)
            }
            (W::Hairpin, R::AclIngress, Some(a), Some(b)) if self.enters_directly(b.0) => {
                let seen = Cube {
                    src: self.seen_as(a, &s.ips),
                    ..c.clone()
                };
                self.acl(self.vswitch(b.0)?, true, seen).on(c)
            }
            (W::Hairpin, R::SgEgress, Some(a), Some(b)) => {
                // DNAT may change the port, so only an egress that lets nothing out counts there.
                let dnat = !self.dnat(b, &d.ips).is_empty();
                let svc = if dnat { ServiceSet::any() } else { c.svc.clone() };
                let j = self.sg(
                    a.0,
                    false,
                    None,
                    Cube {
                        dst: self.listening(b, &d.ips),
                        svc,
                        ..c.clone()
                    },
                );
                if dnat && !j.open.is_empty() {
                    return None;
                }
                j.on(c)
            }
            _ => return None,
        })
    }

    /// Whether a DNAT entry may lead to an end, and change the port on the way.
    pub(crate) fn translates(&self, at: (InterfaceId, u32), ips: &IpSet) -> bool {
        !self.dnat(at, ips).is_empty()
    }

    /// Whether what one interface sends to another is decided by groups and ACLs alone: no custom route is for it,
    /// and neither end is special.
    pub(crate) fn straight(&self, a: InterfaceId, b: InterfaceId, to: &IpSet) -> bool {
        let plain = |i: InterfaceId| !self.binded(i) && !self.behind_balancer(i);
        plain(a) && plain(b) && self.entries(a, to).is_empty() && !self.routed_from_outside(a)
    }

    fn binded_for_certain(&self, i: InterfaceId) -> bool {
        self.t[i]
            .public
            .iter()
            .any(|p| p.kind == PublicKind::EipBinded && p.origin.maybe.is_none())
    }

    /// Whether what enters towards an interface from the Internet meets the ACL of its vSwitch.
    fn enters_directly(&self, i: InterfaceId) -> bool {
        let vpc = self.vpc(i);
        let table = |g: &Ipv4Gateway| {
            g.ingress_table.is_some() && g.vpc.known().zip(vpc.as_ref()).is_none_or(|(a, b)| a == b)
        };
        !self.binded(i) && self.service(i).is_none() && !self.t.ipv4_gateways.iter().any(table)
    }

    /// Whether no local route decides for any of `to`: custom ones beat it, or there is none.
    fn detoured(&self, i: InterfaceId, to: &IpSet) -> bool {
        let (Some(v), Some(vpc)) = (self.vswitch(i), self.vpc(i)) else {
            return false;
        };
        let mine = self
            .t
            .vswitches
            .iter()
            .filter(|v| v.vpc.known().is_none_or(|v| *v == vpc));
        let blocks: Option<Vec<IpNet>> = mine
            .flat_map(|v| std::iter::once(&v.cidr).chain(&v.ipv6_cidr))
            .map(|f| f.known().copied())
            .collect();
        let (Some(blocks), Some(table)) = (blocks, self.t[v].table.known()) else {
            return false;
        };
        let near: Vec<&IpNet> = blocks
            .iter()
            .filter(|b| IpSet::from(**b).intersects(to))
            .collect();
        let longest = near.iter().map(|b| b.prefix_len()).max().unwrap_or(0);
        let certain = |e: &&RouteEntry| e.origin.maybe.is_none() && e.table.known() == Some(table);
        let custom = self
            .t
            .route_entries
            .iter()
            .filter(certain)
            .filter_map(|e| match &e.destination {
                NetSpec::Net(n) => n.known().copied().filter(|n| n.prefix_len() >= longest),
                NetSpec::PrefixList(_) => None,
            });
        IpSet::from_nets(near.into_iter().copied())
            .intersect(to)
            .is_subset(&IpSet::from_nets(custom))
    }

    /// Whether a load balancer is at an interface, or may hand on to it.
    fn behind_balancer(&self, i: InterfaceId) -> bool {
        let has = |ip: &std::net::IpAddr| {
            self.t[i].addresses.iter().any(|a| match &a.spec {
                AddressSpec::Ip(x) => x == ip,
                AddressSpec::Block(n) => n.contains(ip),
                AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_) => true,
            })
        };
        self.t.balancers.iter().any(|b| {
            b.fronts.contains(&i)
                || b.listeners.iter().flat_map(|l| &l.forwards).any(|f| match &f.to {
                    Backend::Interface(x) | Backend::Ipv6(x) | Backend::At(x, _) => *x == i,
                    Backend::Ip(ip) => has(ip),
                    Backend::Unknown(_) => true,
                })
        })
    }

    /// Whether the ends of a claim are what the inventory has.
    pub(crate) fn end(&self, e: &End) -> Result<(), String> {
        let one = e.ips.v4.is_empty() != e.ips.v6.is_empty();
        match e.at {
            None if e.ips.is_subset(&IpSet::public()) => Ok(()),
            None => Err(format!("{} is not public", e.ips)),
            Some((i, a)) => {
                let known = self.vpc(i).is_some() && self.t[i].addresses.len() > a as usize;
                if self.translated((i, a), &e.ips) {
                    Err(format!(
                        "interface {} may be behind a VPC NAT gateway, which certificates do not know",
                        i.0
                    ))
                } else if self.behind_balancer(i) {
                    Err(format!(
                        "interface {} is a load balancer or behind one, which certificates do not know",
                        i.0
                    ))
                } else if known && one {
                    Ok(())
                } else {
                    Err(format!("end {a} of interface {} cannot be placed", i.0))
                }
            }
        }
    }
}

fn public_v4() -> IpSet {
    IpSet {
        v4: IpSet::public().v4,
        v6: IntervalSet::empty(),
    }
}
