//! Links to other sites (ALIBABA.md §11, §12; the numbers are those of docs/decisions/014).
//!
//! A VPN gateway, an attached connection and a border router are namespaces, each with a cable to the VPC's router, to
//! a transit router or to another border router, and to the site. A site is a namespace that takes everything in which
//! its links bring. Which link it sends by, and what it does with packets for others (A-SITE-1), is up to nobody here:
//! the prober tries all of it (`probe`).

use super::plan::{Pick, Plan, Res, certain, known, unsupported};
use crate::hybrid::Beyond;
use crate::world::World;
use bartizan_model::{Fact, NextHop, RouterEnd, SiteId, Typed, VpnEnd};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A site.
pub(crate) struct Site {
    pub(crate) eni: usize,
    /// Sites that it passes packets on to, by whose links they may leave; itself where it forwards.
    pub(crate) ways: Vec<usize>,
}

/// A cable of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) site: usize,
    to: End,
}

/// What is at the other end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Connection(usize),
    Border(usize),
}

pub(super) struct Connection {
    /// The gateway; `None` where it is attached to a transit router.
    pub(super) gateway: Option<usize>,
    pub(super) clients: bool,
    pub(super) local: Vec<IpNet>,
    pub(super) remote: Vec<IpNet>,
    pub(super) learned: Vec<IpNet>,
    /// Destinations of its own routes, where it is attached.
    pub(super) routes: Vec<IpNet>,
}

/// Where a gateway sends a packet: a connection of it, or nowhere.
pub(super) type Ways = Pick<Option<usize>>;

/// A VPN gateway.
pub(crate) struct Gateway {
    pub(crate) vpc: usize,
    pub(crate) vswitch: Option<usize>,
    /// Pools of clients, the longest first.
    pub(super) pools: Vec<(IpNet, Ways)>,
    /// Policy routes by source and destination, in the order in which they decide.
    pub(super) policy: Vec<(IpNet, IpNet, Ways)>,
    /// Destination routes.
    pub(super) plain: Vec<(IpNet, Ways)>,
    /// What sites announce.
    pub(super) learned: Vec<(IpNet, Ways)>,
    /// What it writes into the tables of the VPC.
    pub(super) writes: Vec<IpNet>,
}

/// Where a border router sends a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Port,
    Interface(usize),
    Attachment(usize),
    Nowhere,
}

pub(super) struct Border {
    pub(super) routes: Vec<(IpNet, Pick<Way>)>,
}

/// Where a router interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Vpc(usize),
    Border(usize),
}

pub(super) struct RouterInterface {
    pub(super) at: At,
    pub(super) opposite: Option<usize>,
}

/// Everything that leads to other networks.
#[derive(Default)]
pub(crate) struct Hybrid {
    pub(crate) sites: Vec<Site>,
    pub(crate) links: Vec<Link>,
    pub(super) connections: Vec<Connection>,
    pub(crate) gateways: Vec<Gateway>,
    pub(super) borders: Vec<Border>,
    pub(super) interfaces: Vec<RouterInterface>,
}

/// A namespace beside those of interfaces and VPCs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Node {
    Gateway(usize),
    Attached(usize),
    Border(usize),
}

/// One end of a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plug {
    Node(Node),
    /// The router of a VPC.
    Vpc(usize),
    /// The interface of a site.
    Eni(usize),
    /// The transit router of an attachment.
    Router(usize),
    /// A transit router by its own number.
    Transit(usize),
    /// A firewall between VPCs.
    Wall(usize),
    /// What is behind an endpoint of a gateway load balancer.
    Appliance(usize),
}

fn blocks(all: &[Fact<IpNet>], what: &str) -> Res<Vec<IpNet>> {
    all.iter().map(|f| Ok(known(f, what)?.trunc())).collect()
}

fn whole(nets: &[IpNet]) -> bool {
    nets.iter().all(|n| n.prefix_len() == 0)
}

fn id(i: usize) -> SiteId {
    SiteId(u32::try_from(i).unwrap_or(u32::MAX))
}

/// A policy route or, without source, a destination route: where to, and whether it is in use beside others.
struct VpnRoute {
    source: Option<IpNet>,
    net: IpNet,
    to: usize,
    active: bool,
}

impl Plan {
    /// Sites, links and gateways; before what routes lead to.
    pub(crate) fn sites(&mut self, t: &Typed) -> Res<()> {
        for (i, s) in t.sites.iter().enumerate() {
            if s.unknown.is_some() {
                return unsupported("the networks of a site are not known");
            }
            let mut ways = Vec::new();
            for j in 0..t.sites.len() {
                let said = t.site_forwards(id(i), id(j));
                if *known(&said, "whether a site passes packets on")? {
                    ways.push(j);
                }
            }
            if t.networks(id(i)).iter().any(|n| n.addr().is_ipv6()) {
                return unsupported("a site with IPv6 addresses");
            }
            let eni = s.interface.index();
            self.hybrid.sites.push(Site { eni, ways });
        }
        let mut routes: Vec<Vec<VpnRoute>> = Vec::new();
        for g in &t.vpn_gateways {
            certain(&g.meta.origin)?;
            let vswitch = match &g.vswitch {
                Some(v) => Some(known(v, "the vSwitch of a VPN gateway")?.index()),
                None => None,
            };
            self.hybrid.gateways.push(Gateway {
                vpc: known(&g.vpc, "the VPC of a VPN gateway")?.index(),
                vswitch,
                pools: Vec::new(),
                policy: Vec::new(),
                plain: Vec::new(),
                learned: Vec::new(),
                writes: Vec::new(),
            });
            routes.push(Vec::new());
        }
        for (i, c) in t.vpn_connections.iter().enumerate() {
            certain(&c.meta.origin)?;
            let (gateway, clients) = match &c.end {
                VpnEnd::Gateway(g) => (Some(known(g, "the gateway of a connection")?.index()), false),
                VpnEnd::Clients(g) => (Some(known(g, "the gateway of a connection")?.index()), true),
                VpnEnd::Attached => (None, false),
            };
            let learned = if *known(&c.bgp, "whether a connection uses BGP")? {
                known(&c.learned, "what a site announces")?.clone()
            } else {
                Vec::new()
            };
            let x = Connection {
                gateway,
                clients,
                local: blocks(&c.local, "a local block of a connection")?,
                remote: blocks(&c.remote, "a remote block of a connection")?,
                learned: learned.iter().map(IpNet::trunc).collect(),
                routes: Vec::new(),
            };
            // 9: a policy route per pair of blocks.
            let makes = *known(&c.configures, "whether a connection makes routes")?;
            if let Some(g) = gateway.filter(|_| makes && !clients && !(whole(&x.local) && whole(&x.remote))) {
                for (s, d) in x
                    .local
                    .iter()
                    .flat_map(|s| x.remote.iter().map(move |d| (*s, *d)))
                {
                    routes[g].push(VpnRoute {
                        source: Some(s),
                        net: d,
                        to: i,
                        active: true,
                    });
                }
            }
            self.hybrid.connections.push(x);
            let site = c.site.index();
            let to = End::Connection(i);
            self.hybrid.links.push(Link { site, to });
        }
        for r in &t.vpn_routes {
            certain(&r.origin)?;
            let net = known(&r.destination, "the destination of a VPN route")?.trunc();
            let to = known(&r.next, "the connection of a VPN route")?.index();
            let Some(g) = &r.gateway else {
                self.hybrid.connections[to].routes.push(net);
                continue;
            };
            let g = known(g, "the gateway of a VPN route")?.index();
            let source = match &r.source {
                Some(s) => Some(known(s, "the source of a VPN route")?.trunc()),
                None => None,
            };
            // 12.
            if *known(&r.publishes, "whether a VPN route is published")? {
                self.hybrid.gateways[g].writes.push(net);
            }
            routes[g].push(VpnRoute {
                source,
                net,
                to,
                active: *known(&r.active, "the weight of a VPN route")?,
            });
        }
        for (g, x) in t.vpn_gateways.iter().enumerate() {
            let propagates = *known(&x.propagates, "whether a gateway publishes")?;
            self.gateway(g, &routes[g], propagates);
        }
        for (i, b) in t.border_routers.iter().enumerate() {
            certain(&b.meta.origin)?;
            let (site, to) = (b.site.index(), End::Border(i));
            self.hybrid.links.push(Link { site, to });
        }
        for i in &t.router_interfaces {
            certain(&i.meta.origin)?;
            let at = match &i.at {
                RouterEnd::Vpc(v) => At::Vpc(known(v, "the VPC of a router interface")?.index()),
                RouterEnd::Border(b) => {
                    At::Border(known(b, "the border router of a router interface")?.index())
                }
            };
            let opposite = *known(&i.opposite, "the other end of a router interface")?;
            let opposite = opposite.map(bartizan_model::RouterInterfaceId::index);
            self.hybrid.interfaces.push(RouterInterface { at, opposite });
        }
        let ends = self.hybrid.interfaces.iter().enumerate();
        let loose = ends
            .filter_map(|(n, i)| Some((n, i.opposite?)))
            .any(|(n, o)| self.hybrid.interfaces.get(o).and_then(|o| o.opposite) != Some(n));
        if loose {
            return unsupported("router interfaces that do not face one another");
        }
        if self.hybrid.links.len() > 250 {
            return unsupported("more than 250 links of sites");
        }
        Ok(())
    }

    /// 8: what a gateway decides by.
    fn gateway(&mut self, g: usize, routes: &[VpnRoute], propagates: bool) {
        let own = |p: &Plan, c: usize| (p.hybrid.connections[c].gateway == Some(g)).then_some(c);
        let here: Vec<usize> = (0..self.hybrid.connections.len())
            .filter(|c| own(self, *c).is_some())
            .collect();
        // Pools are not compared by their lengths: whoever covers the destination may get it.
        let mut pools = BTreeMap::new();
        let mut learned: BTreeMap<IpNet, Vec<Option<usize>>> = BTreeMap::new();
        for &c in &here {
            let x = &self.hybrid.connections[c];
            for n in x.learned.iter() {
                learned.entry(*n).or_default().push(Some(c));
            }
            for n in x.remote.iter().filter(|_| x.clients) {
                pools.insert(*n, Vec::new());
            }
        }
        for (n, to) in &mut pools {
            let covers = |c: &&usize| {
                let x = &self.hybrid.connections[**c];
                x.clients && x.remote.iter().any(|r| r.contains(n))
            };
            to.extend(here.iter().filter(covers).map(|c| Some(*c)));
        }
        let mut policy: BTreeMap<(IpNet, IpNet), Vec<&VpnRoute>> = BTreeMap::new();
        let mut plain: BTreeMap<IpNet, Vec<&VpnRoute>> = BTreeMap::new();
        for r in routes {
            match r.source {
                Some(s) => policy.entry((s, r.net)).or_default().push(r),
                None => plain.entry(r.net).or_default().push(r),
            }
        }
        // A weight above 0 beats the standby; a route to a connection of another gateway drops.
        let to = |p: &Plan, all: Vec<&VpnRoute>| -> Vec<Option<usize>> {
            let active = all.iter().any(|r| r.active);
            let used = all.into_iter().filter(|r| r.active == active);
            used.map(|r| own(p, r.to)).collect()
        };
        let mut writes = std::mem::take(&mut self.hybrid.gateways[g].writes);
        writes.extend(learned.keys().filter(|_| propagates));
        writes.sort_unstable();
        writes.dedup();
        let mut pools: Vec<(IpNet, Ways)> = pools.into_iter().map(|(n, to)| (n, self.pick(to))).collect();
        pools.sort_by_key(|p| std::cmp::Reverse(p.0.prefix_len()));
        let mut ordered = Vec::new();
        for ((s, d), all) in policy {
            let to = to(self, all);
            ordered.push((s, d, self.pick(to)));
        }
        ordered.sort_by_key(|(s, d, _)| std::cmp::Reverse((d.prefix_len(), s.prefix_len())));
        let mut by_length = Vec::new();
        for (n, all) in plain {
            let to = to(self, all);
            by_length.push((n, self.pick(to)));
        }
        let learned = learned.into_iter().map(|(n, to)| (n, self.pick(to))).collect();
        let x = &mut self.hybrid.gateways[g];
        (x.pools, x.policy, x.plain, x.learned, x.writes) = (pools, ordered, by_length, learned, writes);
    }

    /// 15: the tables of border routers.
    pub(crate) fn borders(&mut self, t: &Typed, w: &World) -> Res<()> {
        for (n, b) in t.border_routers.iter().enumerate() {
            // Announcements stand before custom routes, and those before what a transit router publishes.
            let mut found: BTreeMap<IpNet, (u8, Vec<Way>)> = BTreeMap::new();
            let mut note = |net: IpNet, rank: u8, way: Way| {
                let e = found.entry(net).or_insert((rank, Vec::new()));
                if rank > e.0 {
                    *e = (rank, vec![way]);
                } else if rank == e.0 {
                    e.1.push(way);
                }
            };
            for net in known(&b.learned, "what a site announces")? {
                note(net.trunc(), 2, Way::Port);
            }
            for e in &t.route_entries {
                certain(&e.origin)?;
                if known(&e.table, "the table of a route")?.index() != b.table.index() {
                    continue;
                }
                for net in super::plan::nets(t, &e.destination)? {
                    for h in &e.next_hops {
                        let way = match h {
                            NextHop::RouterInterface(i) => self.interface_of(At::Border(n), i.index()),
                            NextHop::Unknown(_) => return unsupported("a next hop is not known"),
                            _ => None,
                        };
                        note(net, 1, way.map_or(Way::Nowhere, Way::Interface));
                    }
                }
            }
            let published = w.hybrid.borders[n].published.iter().copied();
            let published = published.filter(|(_, a)| self.ecr_of(*a).is_none());
            for (net, a) in published.chain(self.heard_by_border(n)) {
                note(net.trunc(), 0, Way::Attachment(a));
            }
            let routes = found.into_iter().map(|(net, (_, to))| (net, self.pick(to)));
            let routes = routes.collect();
            self.hybrid.borders.push(Border { routes });
        }
        Ok(())
    }

    pub(super) fn interface_of(&self, at: At, i: usize) -> Option<usize> {
        let x = self.hybrid.interfaces.get(i)?;
        (x.at == at && x.opposite.is_some()).then_some(i)
    }

    /// The router interface that a route of a VPC names, if it is one of the VPC and leads somewhere.
    pub(crate) fn vpc_interface(&self, vpc: usize, i: usize) -> Option<usize> {
        self.interface_of(At::Vpc(vpc), i)
    }

    /// 12: what the gateways of a VPC write into its tables.
    pub(crate) fn written(&self, vpc: usize) -> Vec<(IpNet, usize)> {
        let here = self.hybrid.gateways.iter().enumerate();
        let here = here.filter(|(_, g)| g.vpc == vpc);
        here.flat_map(|(n, g)| g.writes.iter().map(move |net| (*net, n)))
            .collect()
    }

    /// What links tell addresses apart by.
    pub(crate) fn linked(&self) -> Vec<IpNet> {
        let mut out = Vec::new();
        for c in &self.hybrid.connections {
            out.extend(c.local.iter().chain(&c.remote).chain(&c.learned).chain(&c.routes));
        }
        for g in &self.hybrid.gateways {
            out.extend(g.policy.iter().flat_map(|(s, d, _)| [*s, *d]));
            out.extend(g.plain.iter().map(|r| r.0));
        }
        out.extend(
            self.hybrid
                .borders
                .iter()
                .flat_map(|b| b.routes.iter().map(|r| r.0)),
        );
        out
    }

    /// The site that an interface stands for.
    pub(crate) fn site_of(&self, eni: usize) -> Option<usize> {
        self.hybrid.sites.iter().position(|s| s.eni == eni)
    }

    /// The networks of all sites.
    pub(crate) fn site_nets(&self) -> impl Iterator<Item = IpNet> + '_ {
        let enis = self.hybrid.sites.iter().map(|s| &self.enis[s.eni]);
        enis.flat_map(|e| e.addresses.iter().map(|a| a.net))
    }

    /// Links of some sites.
    pub(crate) fn links_of(&self, sites: &[usize]) -> Vec<usize> {
        let all = self.hybrid.links.iter().enumerate();
        all.filter(|(_, l)| sites.contains(&l.site))
            .map(|(n, _)| n)
            .collect()
    }

    /// The links by which a site sends (2).
    pub(crate) fn links_out(&self, site: usize) -> Vec<usize> {
        let mut by = vec![site];
        by.extend(self.hybrid.sites[site].ways.iter().filter(|s| **s != site));
        self.links_of(&by)
    }

    /// The blocks of a VPC.
    pub(super) fn blocks_of(&self, vpc: usize) -> Vec<IpNet> {
        let here = self.vswitches.iter().filter(|v| v.vpc == vpc);
        let nets = here.flat_map(|v| v.nets.iter().copied());
        nets.filter(|n| n.addr().is_ipv4()).collect()
    }

    /// The devices that lead from the router of a VPC to links, with the vSwitch that what comes from there is handed
    /// over in.
    pub(crate) fn handing(&self, vpc: usize) -> Vec<(String, Option<usize>)> {
        let mut out = Vec::new();
        for (n, g) in self
            .hybrid
            .gateways
            .iter()
            .enumerate()
            .filter(|(_, g)| g.vpc == vpc)
        {
            out.push((format!("v{n}"), g.vswitch));
        }
        for (n, _) in self.hybrid.interfaces.iter().enumerate() {
            if self.vpc_interface(vpc, n).is_some() {
                out.push((format!("r{n}"), None));
            }
        }
        out.extend(
            self.crossed(vpc, false)
                .into_iter()
                .map(|k| (format!("g{k}"), None)),
        );
        out
    }

    /// The namespaces that links need.
    pub(crate) fn nodes(&self) -> Vec<Node> {
        let mut out: Vec<Node> = (0..self.hybrid.gateways.len()).map(Node::Gateway).collect();
        let all = self.hybrid.connections.iter().enumerate();
        out.extend(
            all.filter(|(_, c)| c.gateway.is_none())
                .map(|(n, _)| Node::Attached(n)),
        );
        out.extend((0..self.hybrid.borders.len()).map(Node::Border));
        out
    }

    /// The cables between them and everything else.
    pub(crate) fn plugs(&self) -> Vec<[(Plug, String); 2]> {
        let mut out = Vec::new();
        for (n, g) in self.hybrid.gateways.iter().enumerate() {
            let node = Plug::Node(Node::Gateway(n));
            out.push([(Plug::Vpc(g.vpc), format!("v{n}")), (node, "lan".into())]);
        }
        for (n, l) in self.hybrid.links.iter().enumerate() {
            let node = match l.to {
                End::Connection(c) => match self.hybrid.connections[c].gateway {
                    Some(g) => Node::Gateway(g),
                    None => Node::Attached(c),
                },
                End::Border(b) => Node::Border(b),
            };
            let eni = Plug::Eni(self.hybrid.sites[l.site].eni);
            out.push([(eni, format!("k{n}")), (Plug::Node(node), self.port(n))]);
        }
        let place = |i: &RouterInterface| match i.at {
            At::Vpc(v) => Plug::Vpc(v),
            At::Border(b) => Plug::Node(Node::Border(b)),
        };
        for (n, i) in self.hybrid.interfaces.iter().enumerate() {
            if let Some(o) = i.opposite.filter(|o| n < *o) {
                let far = &self.hybrid.interfaces[o];
                out.push([(place(i), format!("r{n}")), (place(far), format!("r{o}"))]);
            }
        }
        for (n, a) in self.attachments.iter().enumerate() {
            let node = match a.beyond {
                Some(Beyond::Border(b)) => Node::Border(b),
                Some(Beyond::Connection(c)) => Node::Attached(c),
                None => continue,
            };
            out.push([
                (Plug::Router(n), format!("a{n}")),
                (Plug::Node(node), format!("a{n}")),
            ]);
        }
        out.extend(self.crossing_plugs());
        for (i, _) in self.served() {
            out.push([(Plug::Eni(i), "gwlb".into()), (Plug::Appliance(i), "eth0".into())]);
        }
        out
    }

    /// The device at the cloud's end of a link.
    fn port(&self, link: usize) -> String {
        match self.hybrid.links[link].to {
            End::Connection(c) => format!("c{c}"),
            End::Border(_) => "port".into(),
        }
    }
}

/// Whether an address is one of a site.
pub(crate) fn owns(p: &Plan, site: usize, ip: IpAddr) -> bool {
    let e = &p.enis[p.hybrid.sites[site].eni];
    e.addresses.iter().any(|a| a.net.contains(&ip))
}

/// The mark of what a site sends by a link.
pub(crate) fn link_mark(link: usize) -> u32 {
    // There are at most 250 links.
    (link as u32 + 1) << 16
}
