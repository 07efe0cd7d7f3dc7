//! What Alibaba Cloud's resources mean for packets: an inventory becomes a [`Network`].
//!
//! One file per part of ALIBABA.md: `groups` §5, `acl` §6, `routes` §3, `internet` §7 and §8, `interfaces` §4,
//! `balancers` §9, `transit` §10, `firewalls` §13, `services` §15.
//! Every unknown is resolved here by the [`Mode`]: towards more traffic when widening, towards less when
//! narrowing, so that the rest of the crate works on a fully known network.

mod acl;
pub(crate) mod again;
mod balancers;
mod firewalls;
mod groups;
mod hybrid;
mod inner;
mod inspectors;
mod interfaces;
mod internet;
mod mappings;
mod route_maps;
mod routes;
mod services;
mod transit;

use crate::network::{Common, Gap, Match, Mode, Network, Says};
use bartizan_model::{
    Assumption, Fact, InterfaceId, Inventory, NetSpec, Origin, Readings, Typed, Use, VpcId,
};
use bartizan_packet::{AtomSet, IpSet, PortSet, ServiceAtoms, ServiceSet};
use ipnet::IpNet;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the caller knows beyond the inventory.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// Services that questions will be asked about; they become unions of atoms.
    pub services: Vec<ServiceSet>,
    /// Address sets that questions will be asked about.
    pub addresses: Vec<IpSet>,
    /// What is decided about contested semantics (docs/decisions/018).
    pub readings: Readings,
}

/// Interns sets, so that a million rules share a few hundred of them.
#[derive(Default)]
pub(crate) struct Pool {
    services: FxHashMap<ServiceSet, (Arc<ServiceSet>, Arc<AtomSet>)>,
    ips: FxHashMap<IpNet, Arc<IpSet>>,
}

impl Pool {
    pub(crate) fn service(
        &mut self,
        atoms: &ServiceAtoms,
        s: &ServiceSet,
    ) -> (Arc<ServiceSet>, Arc<AtomSet>) {
        if let Some(v) = self.services.get(s) {
            return v.clone();
        }
        let v = (Arc::new(s.clone()), Arc::new(atoms.touching(s)));
        self.services.insert(s.clone(), v.clone());
        v
    }
    pub(crate) fn net(&mut self, n: IpNet) -> Arc<IpSet> {
        self.ips
            .entry(n.trunc())
            .or_insert_with(|| Arc::new(n.into()))
            .clone()
    }
}

pub(crate) struct Ctx<'a> {
    pub(crate) t: &'a Typed,
    pub(crate) mode: Mode,
    pub(crate) readings: &'a Readings,
    pub(crate) atoms: ServiceAtoms,
    pub(crate) pool: Pool,
    pub(crate) gaps: Vec<Gap>,
}

impl Ctx<'_> {
    pub(crate) fn widen(&self) -> bool {
        self.mode == Mode::Widen
    }
    /// The reading of a contested question for this mode.
    pub(crate) fn reads(&self, a: Assumption) -> Use {
        if self.widen() {
            self.readings.absence(a)
        } else {
            self.readings.presence(a)
        }
    }
    pub(crate) fn gap(&mut self, origin: &Origin, why: impl Into<String>, vpc: Option<VpcId>) {
        let why = why.into();
        self.lists(origin, |g| Gap { why, vpc, ..g });
    }
    /// As [`Ctx::gap`] for something that packets may only come from, of these services if that is known.
    pub(crate) fn gap_to(
        &mut self,
        origin: &Origin,
        why: impl Into<String>,
        to: Vec<InterfaceId>,
        services: Option<ServiceSet>,
    ) {
        let why = why.into();
        self.lists(origin, |g| Gap {
            why,
            to,
            services,
            ..g
        });
    }
    /// As [`Ctx::gap`] for something that may lead packets elsewhere, or may not be there to carry them.
    pub(crate) fn gap_that_takes(&mut self, origin: &Origin, why: impl Into<String>, vpc: Option<VpcId>) {
        let (why, takes) = (why.into(), true);
        self.lists(origin, |g| Gap { why, vpc, takes, ..g });
    }
    fn lists(&mut self, origin: &Origin, what: impl FnOnce(Gap) -> Gap) {
        self.gaps.push(what(Gap {
            address: origin.address.clone(),
            why: String::new(),
            origin: origin.clone(),
            vpc: None,
            to: Vec::new(),
            services: None,
            takes: false,
        }));
    }
    /// Whether an uncertain accept (or drop) takes part: an accept does when widening, a drop when narrowing.
    pub(crate) fn takes_part(&self, accept: bool) -> bool {
        accept == self.widen()
    }
    /// The addresses of a rule's peer, or `None` when the rule does not take part.
    pub(crate) fn peer(&mut self, spec: &NetSpec, accept: bool) -> Option<Match> {
        let uncertain = |c: &Self| c.takes_part(accept).then_some(Match::Any);
        match spec {
            NetSpec::Net(Fact::Known(n)) => Some(Match::Ips(self.pool.net(*n))),
            NetSpec::Net(Fact::Unknown(_)) | NetSpec::PrefixList(Fact::Unknown(_)) => uncertain(self),
            NetSpec::PrefixList(Fact::Known(p)) => match &self.t[*p].entries {
                Fact::Unknown(_) => uncertain(self),
                Fact::Known(es) => {
                    let all_known = es.iter().all(|e| e.known().is_some());
                    if !all_known && self.takes_part(accept) {
                        return Some(Match::Any);
                    }
                    Some(Match::Ips(Arc::new(IpSet::from_nets(
                        es.iter().filter_map(|e| e.known().copied()),
                    ))))
                }
            },
        }
    }
}

fn all_services(t: &Typed, opt: &CompileOptions) -> ServiceAtoms {
    let mut own: Vec<ServiceSet> = opt.services.clone();
    // Replies to TCP and UDP come to the client's ephemeral port; A-P25 singles out tcp/25.
    for r in [Use::First, Use::Second] {
        own.push(ServiceSet::tcp(crate::client_ports(r)));
        own.push(ServiceSet::udp(crate::client_ports(r)));
    }
    own.push(ServiceSet::tcp(PortSet::single(25)));
    let mut seen: rustc_hash::FxHashSet<&ServiceSet> = rustc_hash::FxHashSet::default();
    for r in &t.sg_rules {
        seen.extend(r.services.known());
    }
    for d in &t.data_services {
        seen.extend(d.services.known());
        seen.insert(&d.also);
    }
    for l in t.balancers.iter().flat_map(|b| &b.listeners) {
        seen.extend(l.services.known());
        seen.extend(l.forwards.iter().filter_map(|f| f.services.known()?.as_ref()));
    }
    seen.extend(
        t.firewalls
            .iter()
            .flat_map(|f| &f.rules)
            .filter_map(|r| r.services.known()),
    );
    for a in &t.acls {
        for l in [&a.ingress, &a.egress] {
            if let bartizan_model::AclList::Entries(es) = l {
                seen.extend(es.iter().filter_map(|e| e.services.known()));
            }
        }
    }
    own.extend(seen.into_iter().cloned());
    // A DNAT entry carries cuts of its public ports over to the private ones. Private ports are never
    // translated again, so one pass closes the set.
    let mut cut_points: Vec<u16> = Vec::new();
    if !t.dnat_entries.is_empty() {
        for s in &own {
            for &(l, h) in s.tcp.ranges().iter().chain(s.udp.ranges()) {
                cut_points.push(l);
                cut_points.extend(h.checked_add(1));
            }
        }
        cut_points.sort_unstable();
        cut_points.dedup();
    }
    for d in &t.dnat_entries {
        if let Fact::Known(Some(m)) = d.ports {
            let ports = PortSet::range(m.internal.0, m.internal.1);
            own.push(ServiceSet {
                tcp: ports.clone(),
                udp: ports,
                ..ServiceSet::default()
            });
            for &c in cut_points
                .iter()
                .filter(|&&c| m.external.0 < c && c <= m.external.1)
            {
                let p = PortSet::range(m.internal.0, c - 1 - m.external.0 + m.internal.0);
                own.push(ServiceSet {
                    tcp: p.clone(),
                    udp: p,
                    ..ServiceSet::default()
                });
            }
        }
    }
    ServiceAtoms::new(&own)
}

/// Resolves an inventory for packets.
///
/// Pure; cost is linear in the inventory plus, for every distinct set of groups, the rules of its groups.
#[must_use]
pub fn compile(inv: &Inventory, mode: Mode, opt: &CompileOptions) -> Network {
    let t = &inv.typed;
    let mut c = Ctx {
        t,
        mode,
        readings: &opt.readings,
        atoms: all_services(t, opt),
        pool: Pool::default(),
        gaps: Vec::new(),
    };
    let vswitches = routes::vswitches(&mut c);
    let acls = acl::compile(&mut c, &vswitches);
    let vswitches = acl::bind(&c, vswitches, &acls);
    let mut tables = routes::tables(&mut c);
    inner::routes(&mut c, &mut tables);
    let (transit, hybrid) = transit::compile(&mut c, &vswitches, &mut tables);
    let spaces = internet::public_space(&c, opt);
    let ha_vips = t
        .ha_vips
        .iter()
        .map(|h| h.members.iter().filter_map(|m| m.known().copied()).collect());
    let ha_vips = ha_vips.collect();
    let vpcs = internet::vpcs(&mut c);
    let mut nats = internet::nats(&mut c, &vswitches, &tables, &vpcs, &spaces);
    inner::gateways(&mut c, &vswitches, &mut nats);
    let (group_sets, mut ifaces) = interfaces::compile(&mut c, &vswitches, &spaces);
    internet::dnat(&mut c, &vswitches, &mut ifaces, &spaces);
    mappings::add(&c, &vswitches, &mut ifaces, &spaces);
    let perimeter = firewalls::compile(&mut c);
    let relays = balancers::relays(&mut c, &ifaces, &vswitches, None);
    balancers::strays(&mut c, &ifaces, &relays);
    inspectors::gaps(&mut c, &vswitches, &tables, &vpcs);
    inner::gaps(&mut c, &vswitches, &tables, &nats, &ifaces, &relays);
    let mut behind: FxHashMap<bartizan_model::InterfaceId, Vec<u32>> = FxHashMap::default();
    for (n, r) in (0u32..).zip(&relays) {
        behind.entry(r.to).or_default().push(n);
    }
    let six = |r: &crate::network::Relay| {
        let front = ifaces.get(r.front.index()).and_then(Option::as_ref);
        front.is_some_and(|f| f.addrs.iter().any(|a| !a.region.v6.is_empty()))
    };
    let mut net = Network {
        perimeter,
        mixes: relays.iter().any(six),
        relays,
        behind,
        known_as: FxHashMap::default(),
        blocks_known_as: Vec::new(),
        mode,
        known_primary: FxHashMap::default(),
        says: says(&c),
        primary_counts: false,
        readings: opt.readings.clone(),
        common: Common::new(&c.atoms, crate::client_ports(c.reads(Assumption::Ephemeral))),
        atoms: c.atoms,
        group_sets,
        acls,
        tables,
        vswitches,
        vpcs,
        ifaces,
        nats,
        ha_vips,
        transit,
        hybrid,
        outside: spaces.outside,
        gaps: c.gaps,
        elsewhere: std::sync::OnceLock::new(),
        inner_cuts: std::sync::OnceLock::new(),
    };
    let primary = |r: &crate::network::Rule| matches!(r.peer, Match::Primary(_));
    net.primary_counts = net
        .group_sets
        .iter()
        .any(|g| g.ingress.rules.iter().chain(&g.egress.rules).any(primary));
    know_addresses(&mut net);
    net
}

/// What the point engine has to know of contested semantics.
fn says(c: &Ctx<'_>) -> Says {
    let second = |a| c.reads(a) == Use::Second;
    Says {
        translate: second(Assumption::Appl1),
        smtp: second(Assumption::P25),
        any_snat: c.reads(Assumption::Nat1) != Use::First,
        own: c.reads(Assumption::Eip1),
        zone_acls: second(Assumption::Tr2),
        public_members: second(Assumption::Sg4),
        source_ports: second(Assumption::Nacl2),
        any_gateway_route: second(Assumption::Igw1),
        forwarded: second(Assumption::Igw2),
    }
}

/// Fills in by which groups addresses are known, for the VPCs that others can reach. An address that the cloud
/// has yet to pick is equal to that of nobody in its VPC (A-ADDR-1), but it may be that of somebody in another one whose
/// blocks overlap.
fn know_addresses(net: &mut Network) {
    let mut known: FxHashMap<(VpcId, std::net::IpAddr), Vec<bartizan_model::SecurityGroupId>> =
        FxHashMap::default();
    let mut primary: FxHashMap<(VpcId, std::net::IpAddr), Vec<bartizan_model::SecurityGroupId>> =
        FxHashMap::default();
    let mut blocks = Vec::new();
    for f in net.ifaces.iter().flatten() {
        let Some(vpc) = net.vpc_of(f).filter(|v| net.has_neighbours(*v)) else {
            continue;
        };
        for (n, a) in (0u32..).zip(&f.addrs) {
            let Some(ip) = a.region.first().filter(|_| !a.choice) else {
                continue;
            };
            let groups = net.groups_of(crate::point::Inside {
                iface: f.id,
                addr: n,
                ip,
            });
            if a.region == IpSet::single(ip) {
                known.entry((vpc, ip)).or_default().extend(groups);
                if a.primary {
                    primary.entry((vpc, ip)).or_default().extend(groups);
                }
            } else {
                blocks.push((vpc, a.region.clone(), groups.to_vec()));
            }
        }
    }
    for g in known.values_mut().chain(primary.values_mut()) {
        g.sort_unstable();
        g.dedup();
    }
    blocks.extend(picked(net));
    net.known_as = known;
    net.known_primary = primary;
    net.blocks_known_as = blocks;
}

/// Where addresses of a VPC have yet to be picked that somebody in another VPC may have, and reach it: in which groups
/// these are is not known then.
fn picked(net: &Network) -> Vec<(VpcId, IpSet, Vec<bartizan_model::SecurityGroupId>)> {
    let mut picked: BTreeMap<bartizan_model::VswitchId, (VpcId, IpSet)> = BTreeMap::new();
    // By where they begin; those of more than one address apart.
    let mut single: Vec<(u32, VpcId)> = Vec::new();
    let mut wide: Vec<(u32, u32, VpcId)> = Vec::new();
    for f in net.ifaces.iter().flatten() {
        let Some(vpc) = net.vpc_of(f).filter(|v| net.has_neighbours(*v)) else {
            continue;
        };
        for a in &f.addrs {
            if a.choice && picked.contains_key(&f.vswitch) {
                continue;
            }
            for &(lo, hi) in a.region.v4.ranges() {
                if lo == hi {
                    single.push((lo, vpc));
                } else {
                    wide.push((lo, hi, vpc));
                }
            }
            if a.choice && !a.region.v4.is_empty() {
                picked.insert(f.vswitch, (vpc, a.region.clone()));
            }
        }
    }
    single.sort_unstable();
    let meets = |vpc: VpcId, (lo, hi): (u32, u32)| {
        let other = |v: VpcId| v != vpc && net.joined(v, vpc);
        let from = single.partition_point(|s| s.0 < lo);
        let inside = single[from..].iter().take_while(|s| s.0 <= hi);
        inside.into_iter().any(|s| other(s.1)) || wide.iter().any(|w| w.0 <= hi && lo <= w.1 && other(w.2))
    };
    let met = picked.into_values().filter(|(vpc, region)| {
        let mut all = region.v4.ranges().iter();
        all.any(|r| meets(*vpc, *r))
    });
    met.map(|(vpc, region)| (vpc, region, vec![crate::network::SOME_GROUP]))
        .collect()
}
