//! The typed layer as plain values, and what cannot be built from it.

use super::KernelError;
use super::balancer::{Balancer, Chain};
use super::between::Crossed;
use super::ecr::Ecr;
use super::hybrid::Hybrid;
use super::joined::{Attachment, Peering, TrTable};
use super::nat::Nat;
use super::wall::Wall;
use crate::oracle::GatewayRoutes;
use crate::world::World;
use bartizan_model::{
    AclList, AddressKind, AddressSpec, AllowPeer, Assumption, Direction, EipTarget, Fact, Inventory,
    Ipv6Internet, NetSpec, NextHop, Origin, Peer as ModelPeer, PublicKind, Readings, RouteEntry,
    RouteTableKind, Typed,
};
use bartizan_packet::ServiceSet;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(crate) type Res<T> = Result<T, KernelError>;

/// How many combinations of what the cloud is free to choose are tried.
const MOST_CHOICES: usize = 32;

/// The bit of the DSCP field that says: this packet has come from another VPC. Below it is the choice.
pub(crate) const ELSEWHERE: usize = MOST_CHOICES;

/// Where a route sends packets. What leads nowhere is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    Local,
    Eni(usize),
    Nat(usize),
    Gateway4,
    Gateway6,
    /// Over a peering to the VPC at the other end.
    Peering(usize),
    /// By an attachment to a transit router.
    Attachment(usize),
    /// To a VPN gateway.
    Vpn(usize),
    /// Over a router interface.
    Interface(usize),
    Nowhere,
}

/// Something of which the cloud picks one.
#[derive(Clone, Debug)]
pub(crate) struct Pick<T> {
    pub(crate) of: Vec<T>,
    /// Position in [`Plan::picks`]; `None` when there is nothing to choose.
    digit: Option<usize>,
}

impl<T> Pick<T> {
    /// Where there is nothing to choose.
    pub(crate) fn one(x: T) -> Self {
        Pick {
            of: vec![x],
            digit: None,
        }
    }
}

pub(crate) struct Route {
    pub(crate) net: IpNet,
    pub(crate) hops: Pick<Hop>,
}

/// One entry per prefix.
#[derive(Default)]
pub(crate) struct Table {
    pub(crate) routes: Vec<Route>,
}

impl Table {
    /// Whether something in it is up to the cloud.
    pub(crate) fn varies(&self) -> bool {
        self.routes.iter().any(|r| r.hops.digit.is_some())
    }
}

pub(crate) enum Peer {
    Nets(Vec<IpNet>),
    Members(usize),
}

pub(crate) struct Rule {
    pub(crate) group: usize,
    pub(crate) ingress: bool,
    pub(crate) accept: bool,
    pub(crate) priority: u8,
    pub(crate) services: ServiceSet,
    pub(crate) peer: Peer,
}

pub(crate) struct Group {
    pub(crate) basic: bool,
    pub(crate) inner_accept: bool,
}

pub(crate) struct Entry {
    pub(crate) accept: bool,
    pub(crate) services: ServiceSet,
    pub(crate) nets: Vec<IpNet>,
}

pub(crate) struct Acl {
    pub(crate) ingress: Vec<Entry>,
    pub(crate) egress: Vec<Entry>,
}

pub(crate) struct Vswitch {
    pub(crate) vpc: usize,
    pub(crate) nets: Vec<IpNet>,
    pub(crate) table: usize,
    pub(crate) acl: Option<usize>,
}

#[derive(Default)]
pub(crate) struct Vpc {
    /// Whether its IPv4 gateway is activated, with the table of the gateway.
    pub(crate) gateway4: Option<Option<usize>>,
    pub(crate) gateway6: bool,
    pub(crate) user_nets: Vec<IpNet>,
    pub(crate) system_table: usize,
    /// It stands for the network of a site, and is none.
    pub(crate) site: bool,
}

/// An address of an interface.
pub(crate) struct Address {
    pub(crate) net: IpNet,
    /// Which HaVip it is.
    pub(crate) ha_vip: Option<usize>,
    /// May send to the Internet by the IPv6 gateway.
    pub(crate) out6: bool,
    /// May be reached from the Internet by the IPv6 gateway.
    pub(crate) in6: bool,
}

pub(crate) struct Eni {
    pub(crate) vpc: usize,
    pub(crate) vswitch: usize,
    pub(crate) groups: Vec<usize>,
    pub(crate) addresses: Vec<Address>,
    /// Public address and position of the private one.
    pub(crate) public: Vec<(IpAddr, usize)>,
    pub(crate) checked: bool,
    /// Its EIP is in ENI-visible mode.
    pub(crate) visible: bool,
    /// Set where a managed service answers.
    pub(crate) service: Option<Service>,
    /// Of an endpoint of a gateway load balancer: whether appliances are behind it.
    pub(crate) inspects: Option<bool>,
    /// The load balancer that it is a front of.
    pub(crate) front: Option<usize>,
    /// Of a front: it stands beside its vSwitch and not in it.
    pub(crate) detached: bool,
    /// Of a front: addresses that it may send from as itself, one of every kind.
    pub(crate) own: Vec<IpAddr>,
    /// Of an endpoint of PrivateLink: there are kinds of which none can be shown.
    pub(crate) cannot_show_all: bool,
}

impl Eni {
    /// Whether its public side needs no route and no gateway (§15; A-LB-2).
    pub(crate) fn managed(&self) -> bool {
        self.service.is_some() || self.front.is_some()
    }
}

/// A managed data service: its ports and its allow list.
pub(crate) struct Service {
    pub(crate) services: ServiceSet,
    pub(crate) nets: Vec<IpNet>,
    pub(crate) groups: Vec<usize>,
}

/// A HaVip: who may hold it.
pub(crate) struct HaVip {
    pub(crate) holders: Pick<usize>,
}

/// A network that can be built.
#[derive(Default)]
pub(crate) struct Plan {
    pub(crate) vpcs: Vec<Vpc>,
    pub(crate) vswitches: Vec<Vswitch>,
    pub(crate) tables: Vec<Table>,
    pub(crate) groups: Vec<Group>,
    /// The strongest first, drops before accepts.
    pub(crate) rules: Vec<Rule>,
    pub(crate) acls: Vec<Acl>,
    pub(crate) enis: Vec<Eni>,
    pub(crate) ha_vips: Vec<HaVip>,
    pub(crate) nats: Vec<Nat>,
    pub(crate) peerings: Vec<Peering>,
    /// How many transit routers there are.
    pub(crate) routers: usize,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) tr_tables: Vec<TrTable>,
    pub(crate) balancers: Vec<Balancer>,
    pub(crate) chains: Vec<Chain>,
    /// Fronts of endpoints of PrivateLink with the fronts that they hand on to.
    pub(crate) links: Vec<[usize; 2]>,
    pub(crate) walls: Vec<Wall>,
    /// What firewalls between VPCs stand at.
    pub(crate) crossings: Vec<Crossed>,
    /// Express Connect routers.
    pub(crate) ecrs: Vec<Ecr>,
    pub(crate) hybrid: Hybrid,
    /// Every public address of the inventory.
    pub(crate) owned: BTreeSet<IpAddr>,
    /// A-LB-3: whether a white list of IPv4 prefixes judges IPv4 clients only.
    pub(crate) lists_judge_ipv4: bool,
    /// A-NAT-3: whether a host leaves by the address of its IP mapping.
    pub(crate) mappings_let_out: bool,
    /// How many possibilities there are for each thing that the cloud picks.
    picks: Vec<usize>,
}

pub(crate) fn unsupported<T>(why: impl Into<String>) -> Res<T> {
    Err(KernelError::Unsupported(why.into()))
}

pub(crate) fn known<'a, T>(f: &'a Fact<T>, what: &str) -> Res<&'a T> {
    match f {
        Fact::Known(v) => Ok(v),
        Fact::Unknown(_) => unsupported(format!("{what} is not known")),
    }
}

pub(crate) fn certain(o: &Origin) -> Res<()> {
    match &o.maybe {
        None => Ok(()),
        Some(_) => unsupported("it is not known whether something exists"),
    }
}

pub(crate) fn nets(t: &Typed, n: &NetSpec) -> Res<Vec<IpNet>> {
    Ok(match n {
        NetSpec::Net(n) => vec![known(n, "a prefix")?.trunc()],
        NetSpec::PrefixList(p) => {
            let entries = known(&t[*known(p, "a prefix list")?].entries, "a prefix list")?;
            let one = |e: &Fact<IpNet>| known(e, "an entry of a prefix list").map(IpNet::trunc);
            entries.iter().map(one).collect::<Res<_>>()?
        }
    })
}

impl Plan {
    pub(crate) fn new(inv: &Inventory, readings: &Readings) -> Res<Plan> {
        let t = &inv.typed;
        everything(t);
        let second = |a| readings.decided(a) == Some(bartizan_model::Use::Second);
        let lists_judge_ipv4 = second(Assumption::Lb3);
        let mappings_let_out = second(Assumption::Nat3);
        let built = Readings::chosen()
            .with(Assumption::Lb3, lists_judge_ipv4)
            .with(Assumption::Nat3, mappings_let_out);
        if *readings != built {
            return unsupported("second readings of something else than A-LB-3 and A-NAT-3");
        }
        // For what the control plane decides; see `joined`.
        let world = World::new(inv, GatewayRoutes::Direct, Readings::chosen())
            .map_err(|e| KernelError::Unsupported(e.0))?;
        let mut p = Plan {
            lists_judge_ipv4,
            mappings_let_out,
            ..Plan::default()
        };
        p.places(t)?;
        p.interfaces(t)?;
        p.peerings(t)?;
        p.join_express(t)?;
        p.transit(t, &world)?;
        p.sites(t)?;
        p.express(t, &world)?;
        p.borders(t, &world)?;
        p.routes(t, &world)?;
        p.filters(t)?;
        p.translations(t)?;
        p.balancers(t, &world)?;
        p.firewalls(t)?;
        p.inspected()?;
        if p.choices() > MOST_CHOICES {
            return unsupported(format!(
                "more than {MOST_CHOICES} combinations of ECMP, HaVip holders and SNAT addresses"
            ));
        }
        Ok(p)
    }

    /// How many combinations there are of what the cloud picks.
    pub(crate) fn choices(&self) -> usize {
        self.picks.iter().fold(1, |n, p| n.saturating_mul(*p))
    }

    pub(crate) fn pick<T: PartialEq>(&mut self, mut of: Vec<T>) -> Pick<T> {
        let mut distinct = Vec::with_capacity(of.len());
        for x in of.drain(..) {
            if !distinct.contains(&x) {
                distinct.push(x);
            }
        }
        let digit = (distinct.len() > 1).then(|| {
            self.picks.push(distinct.len());
            self.picks.len() - 1
        });
        Pick { of: distinct, digit }
    }

    /// What is picked in combination `choice`.
    pub(crate) fn picked<T: Copy>(&self, p: &Pick<T>, choice: usize) -> Option<T> {
        let at = match p.digit {
            None => 0,
            Some(d) => {
                let below: usize = self.picks[..d].iter().product();
                choice / below % self.picks[d]
            }
        };
        p.of.get(at).copied()
    }

    fn places(&mut self, t: &Typed) -> Res<()> {
        for (at, v) in t.vpcs.iter().enumerate() {
            certain(&v.meta.origin)?;
            let user = v
                .user_cidrs
                .iter()
                .map(|c| known(c, "a user block").map(IpNet::trunc));
            self.vpcs.push(Vpc {
                user_nets: once(user.collect::<Res<_>>()?),
                system_table: v.system_table.index(),
                site: t.sites.iter().any(|s| s.vpc.index() == at),
                ..Vpc::default()
            });
        }
        for g in &t.ipv4_gateways {
            certain(&g.meta.origin)?;
            if *known(&g.enabled, "whether an IPv4 gateway is activated")? {
                let table = match &g.ingress_table {
                    Some(f) => Some(known(f, "the table of an IPv4 gateway")?.index()),
                    None => None,
                };
                let vpc = &mut self.vpcs[known(&g.vpc, "the VPC of a gateway")?.index()];
                if vpc.gateway4.replace(table).is_some() {
                    return unsupported("a VPC has two IPv4 gateways");
                }
            }
        }
        for g in &t.ipv6_gateways {
            certain(&g.meta.origin)?;
            let vpc = &mut self.vpcs[known(&g.vpc, "the VPC of a gateway")?.index()];
            if std::mem::replace(&mut vpc.gateway6, true) {
                return unsupported("a VPC has two IPv6 gateways");
            }
        }
        for v in &t.vswitches {
            certain(&v.meta.origin)?;
            let mut all = vec![known(&v.cidr, "the block of a vSwitch")?.trunc()];
            if let Some(six) = &v.ipv6_cidr {
                all.push(known(six, "the IPv6 block of a vSwitch")?.trunc());
            }
            let vpc = known(&v.vpc, "the VPC of a vSwitch")?.index();
            if self.vpcs[vpc].site {
                all.clear();
            }
            self.vswitches.push(Vswitch {
                vpc,
                nets: all,
                table: known(&v.table, "the table of a vSwitch")?.index(),
                acl: known(&v.acl, "the ACL of a vSwitch")?.map(|a| a.index()),
            });
        }
        Ok(())
    }

    fn interfaces(&mut self, t: &Typed) -> Res<()> {
        for h in &t.ha_vips {
            certain(&h.meta.origin)?;
            let members = h.members.iter();
            let members = members.map(|m| Ok(known(m, "a member of a HaVip")?.index()));
            let holders = members.collect::<Res<Vec<_>>>()?;
            let holders = self.pick(holders);
            self.ha_vips.push(HaVip { holders });
        }
        let mut taken: BTreeSet<(usize, IpNet)> = BTreeSet::new();
        for (at, e) in t.interfaces.iter().enumerate() {
            certain(&e.meta.origin)?;
            let vswitch = known(&e.vswitch, "the vSwitch of an interface")?.index();
            let vpc = self.vswitches[vswitch].vpc;
            let groups = known(&e.groups, "the groups of an interface")?;
            let service = service(t, at)?;
            let front = t
                .balancers
                .iter()
                .any(|b| b.fronts.iter().any(|f| f.index() == at));
            let inspects = match t.inspectors.iter().find(|x| x.interface.index() == at) {
                None => None,
                Some(x) => {
                    certain(&x.meta.origin)?;
                    Some(*known(&x.serves, "whether appliances are behind an endpoint")?)
                }
            };
            let nobody = service.is_none() && !front && !self.vpcs[vpc].site && inspects.is_none();
            if groups.is_empty() && nobody || !e.foreign_groups.is_empty() {
                return unsupported("an interface has no group, or one that is not in the inventory");
            }
            let mut addresses = Vec::new();
            for a in &e.addresses {
                let net = match &a.spec {
                    AddressSpec::Ip(ip) => IpNet::from(*ip),
                    AddressSpec::Block(n) => n.trunc(),
                    AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_) => {
                        return unsupported("an address is not known");
                    }
                };
                let (out6, in6) = match &a.ipv6_internet {
                    Ipv6Internet::None => (false, false),
                    Ipv6Internet::Both(o) => certain(o).map(|()| (true, true))?,
                    Ipv6Internet::EgressOnly(o) => certain(o).map(|()| (true, false))?,
                    Ipv6Internet::Unknown(_) => return unsupported("IPv6 bandwidth is not known"),
                };
                let holds = |h: &bartizan_model::HaVip| {
                    h.ip.known() == Some(&net.addr()) && h.members.iter().any(|m| is(m, at))
                };
                let ha_vip = match a.kind {
                    AddressKind::HaVip => t.ha_vips.iter().position(holds),
                    _ => None,
                };
                if ha_vip.is_none() && !taken.insert((vpc, net)) {
                    return unsupported("an address is on two interfaces");
                }
                addresses.push(Address {
                    net,
                    ha_vip,
                    out6,
                    in6,
                });
            }
            let mut public = Vec::new();
            for p in &e.public {
                certain(&p.origin)?;
                public.push((*known(&p.ip, "a public address")?, p.private as usize));
            }
            self.owned.extend(public.iter().map(|p| p.0));
            self.enis.push(Eni {
                vpc,
                vswitch,
                groups: groups.iter().map(|g| g.index()).collect(),
                addresses,
                public,
                checked: known(&e.source_dest_check, "a source/destination check")?.unwrap_or(false),
                visible: e.public.iter().any(|p| p.kind == PublicKind::EipBinded),
                service,
                inspects,
                front: None,
                detached: false,
                own: Vec::new(),
                cannot_show_all: false,
            });
        }
        for e in &t.eips {
            certain(&e.meta.origin)?;
            let ip = *known(&e.ip, "the address of an EIP")?;
            self.owned.insert(ip);
            for b in &e.bound {
                match b {
                    EipTarget::Unknown(_) => return unsupported("the binding of an EIP is not known"),
                    EipTarget::HaVip(h) => self.ha_vip_eip(h.index(), ip),
                    EipTarget::Interface(_) | EipTarget::Nat(_) | EipTarget::Unmodelled(_) => {}
                }
            }
        }
        Ok(())
    }

    fn ha_vip_eip(&mut self, h: usize, ip: IpAddr) {
        for e in &mut self.enis {
            let at = e.addresses.iter().position(|a| a.ha_vip == Some(h));
            if let Some(at) = at.filter(|_| e.public.iter().all(|p| p.0 != ip)) {
                e.public.push((ip, at));
            }
        }
    }

    fn routes(&mut self, t: &Typed, w: &World) -> Res<()> {
        for (at, table) in t.route_tables.iter().enumerate() {
            certain(&table.meta.origin)?;
            let vpc = known(&table.vpc, "the VPC of a route table")?.index();
            if table.kind == RouteTableKind::Border {
                // It is that of a border router (`hybrid`).
                self.tables.push(Table::default());
                continue;
            }
            let mut found: Vec<(IpNet, bool, Vec<Hop>)> = Vec::new();
            for v in self.vswitches.iter().filter(|v| v.vpc == vpc) {
                found.extend(v.nets.iter().map(|n| (*n, false, vec![Hop::Local])));
            }
            if self.vpcs[vpc].gateway6 && table.kind != RouteTableKind::Gateway {
                found.push((IpNet::V6(ipnet::Ipv6Net::default()), false, vec![Hop::Gateway6]));
            }
            for e in &t.route_entries {
                certain(&e.origin)?;
                if known(&e.table, "the table of a route")?.index() == at {
                    for net in nets(t, &e.destination)? {
                        let hops = self.hops(t, vpc, e, &net)?;
                        match found.iter_mut().find(|f| f.0 == net) {
                            Some((_, true, old)) => old.extend(hops),
                            Some(f) => *f = (net, true, hops),
                            None => found.push((net, true, hops)),
                        }
                    }
                }
            }
            // What is published stands behind everything else.
            let mut published: Vec<(IpNet, Vec<Hop>)> = Vec::new();
            let mut all: Vec<(IpNet, Hop)> = Plan::published(w, at)
                .into_iter()
                .filter(|(_, a)| self.ecr_of(*a).is_none())
                .map(|(net, a)| (net, Hop::Attachment(a)))
                .collect();
            let takes = *known(&table.propagation, "whether a table takes propagated routes")?;
            if takes && matches!(table.kind, RouteTableKind::System | RouteTableKind::Custom) {
                let written = self.written(vpc).into_iter();
                all.extend(written.map(|(net, g)| (net, Hop::Vpn(g))));
                let heard = self.heard_by_vpc(vpc).into_iter();
                all.extend(heard.map(|(net, a)| (net, Hop::Attachment(a))));
            }
            for (net, hop) in all {
                if found.iter().any(|f| f.0 == net) {
                    continue;
                }
                match published.iter_mut().find(|f| f.0 == net) {
                    Some(f) => f.1.push(hop),
                    None => published.push((net, vec![hop])),
                }
            }
            found.extend(published.into_iter().map(|(net, hops)| (net, false, hops)));
            let mut routes = Vec::new();
            for (net, _, hops) in found {
                let hops = self.pick(hops);
                routes.push(Route { net, hops });
            }
            self.tables.push(Table { routes });
        }
        Ok(())
    }

    fn hops(&self, t: &Typed, vpc: usize, e: &RouteEntry, net: &IpNet) -> Res<Vec<Hop>> {
        let v4 = matches!(net, IpNet::V4(_));
        let mut out = Vec::new();
        for h in &e.next_hops {
            let eni = |i: usize| {
                if self.enis[i].vpc == vpc {
                    Hop::Eni(i)
                } else {
                    Hop::Nowhere
                }
            };
            match h {
                NextHop::Interface(i) => out.push(eni(i.index())),
                NextHop::HaVip(h) => {
                    out.extend(self.ha_vips[h.index()].holders.of.iter().map(|i| eni(*i)));
                }
                NextHop::Nat(n) if v4 => {
                    let here = is(&t[*n].vpc, vpc);
                    out.push(if here { Hop::Nat(n.index()) } else { Hop::Nowhere });
                }
                NextHop::Ipv4Gateway(g) if v4 => {
                    let on = is(&t[*g].vpc, vpc) && t[*g].enabled == Fact::Known(true);
                    out.push(if on { Hop::Gateway4 } else { Hop::Nowhere });
                }
                NextHop::Ipv6Gateway(g) if !v4 && is(&t[*g].vpc, vpc) => out.push(Hop::Gateway6),
                NextHop::Peering(p) if self.peerings[p.index()].vpcs.contains(&vpc) => {
                    out.push(Hop::Peering(p.index()));
                }
                NextHop::Attachment(a) => {
                    let here = self.attachments[a.index()].vpc.as_ref().map(|v| v.0) == Some(vpc);
                    out.push(if here {
                        Hop::Attachment(a.index())
                    } else {
                        Hop::Nowhere
                    });
                }
                NextHop::Vpn(g) if v4 && self.hybrid.gateways[g.index()].vpc == vpc => {
                    out.push(Hop::Vpn(g.index()));
                }
                NextHop::RouterInterface(i) => {
                    let here = self.vpc_interface(vpc, i.index());
                    out.push(here.map_or(Hop::Nowhere, Hop::Interface));
                }
                NextHop::Unknown(_) => return unsupported("a next hop is not known"),
                // What is of another VPC or family, and what nobody models, leads nowhere.
                NextHop::Nat(_)
                | NextHop::Ipv4Gateway(_)
                | NextHop::Ipv6Gateway(_)
                | NextHop::Peering(_)
                | NextHop::Vpn(_)
                | NextHop::Unmodelled { .. } => out.push(Hop::Nowhere),
            }
        }
        Ok(out)
    }

    fn filters(&mut self, t: &Typed) -> Res<()> {
        for g in &t.security_groups {
            certain(&g.meta.origin)?;
            self.groups.push(Group {
                basic: !*known(&g.enterprise, "the type of a group")?,
                inner_accept: *known(&g.inner_accept, "the policy of a group")?,
            });
        }
        for e in &self.enis {
            if e.groups
                .iter()
                .any(|g| Some(self.groups[*g].basic) != e.groups.first().map(|f| self.groups[*f].basic))
            {
                return unsupported("an interface has groups of both types");
            }
        }
        for r in &t.sg_rules {
            certain(&r.origin)?;
            let peer = match &r.peer {
                ModelPeer::Net(n) => Peer::Nets(nets(t, n)?),
                ModelPeer::Group(g) => Peer::Members(g.index()),
                ModelPeer::ForeignGroup(_) | ModelPeer::Unknown(_) => {
                    return unsupported("the peer of a rule is not known");
                }
            };
            self.rules.push(Rule {
                group: known(&r.group, "the group of a rule")?.index(),
                ingress: *known(&r.direction, "the direction of a rule")? == Direction::Ingress,
                accept: *known(&r.accept, "the policy of a rule")?,
                priority: *known(&r.priority, "the priority of a rule")?,
                services: known(&r.services, "the services of a rule")?.clone(),
                peer,
            });
        }
        self.rules.sort_by_key(|r| (r.priority, r.accept));
        for a in &t.acls {
            certain(&a.meta.origin)?;
            let list = |l: &AclList| {
                let AclList::Entries(es) = l else {
                    return unsupported("the entries of an ACL are not set or not known");
                };
                let entry = |e: &bartizan_model::AclEntry| {
                    certain(&e.origin)?;
                    Ok(Entry {
                        accept: *known(&e.accept, "the policy of an ACL entry")?,
                        services: known(&e.services, "the services of an ACL entry")?.clone(),
                        nets: nets(t, &e.peer)?,
                    })
                };
                es.iter().map(entry).collect::<Res<Vec<_>>>()
            };
            let (ingress, egress) = (list(&a.ingress)?, list(&a.egress)?);
            self.acls.push(Acl { ingress, egress });
        }
        Ok(())
    }
}

/// Names every kind of thing that an inventory may have: a new kind has to be built here or refused, and does not
/// compile until somebody has decided which.
fn everything(t: &Typed) {
    let Typed {
        vpcs: _,
        vswitches: _,
        route_tables: _,
        route_entries: _,
        security_groups: _,
        sg_rules: _,
        prefix_lists: _,
        acls: _,
        instances: _,
        interfaces: _,
        eips: _,
        nat_gateways: _,
        snat_entries: _,
        dnat_entries: _,
        ipv4_gateways: _,
        ipv6_gateways: _,
        ha_vips: _,
        data_services: _,
        balancers: _,
        // Servers of what is not there: nobody sends to them (011, 16).
        strays: _,
        inspectors: _,
        firewalls: _,
        // Proxies are on the Internet and shields filter nothing (015, 16 and 18).
        proxies: _,
        shields: _,
        peerings: _,
        // What the control plane decides is taken from the interpreter (`joined`).
        transit_routers: _,
        tr_tables: _,
        attachments: _,
        tr_associations: _,
        tr_propagations: _,
        tr_routes: _,
        published_routes: _,
        route_maps: _,
        sites: _,
        site_pairs: _,
        vpn_gateways: _,
        vpn_connections: _,
        vpn_routes: _,
        border_routers: _,
        router_interfaces: _,
    } = t;
}

/// The managed service that answers at an interface (§15).
fn service(t: &Typed, interface: usize) -> Res<Option<Service>> {
    let Some(d) = t.data_services.iter().find(|d| d.interface.index() == interface) else {
        return Ok(None);
    };
    let mut s = Service {
        services: known(&d.services, "the port of a data service")?.clone(),
        nets: Vec::new(),
        groups: Vec::new(),
    };
    for e in &d.allow {
        certain(&e.origin)?;
        match &e.peer {
            AllowPeer::Net(n) => s.nets.push(n.trunc()),
            AllowPeer::Group(g) => s.groups.push(g.index()),
            AllowPeer::ForeignGroup(_) | AllowPeer::Unknown(_) => {
                return unsupported("an entry of an allow list is not known");
            }
        }
    }
    Ok(Some(s))
}

/// Whether a fact is the id of this position.
fn is<T: Position>(f: &Fact<T>, at: usize) -> bool {
    f.known().is_some_and(|v| v.position() == at)
}

trait Position {
    fn position(&self) -> usize;
}
impl Position for bartizan_model::VpcId {
    fn position(&self) -> usize {
        self.index()
    }
}
impl Position for bartizan_model::InterfaceId {
    fn position(&self) -> usize {
        self.index()
    }
}

/// Each block once: written twice it says no more, and the kernel takes a rule once.
fn once(mut all: Vec<IpNet>) -> Vec<IpNet> {
    all.sort_unstable();
    all.dedup();
    all
}
