//! Firewalls between VPCs (ALIBABA.md §13.1; the numbers are those of docs/decisions/022).
//!
//! One is a namespace with two devices for everything that it stands at: what comes in by `i0` goes out by `o0`. What
//! the cloud's routes lead to it goes there by a cable of its own and from there where the route leads: to the other end
//! of a peering or of router interfaces, or back into the transit router, which knows by the device where it was going.
//! Several firewalls at one place stand one behind the other. Each keeps state.

use super::filter::{ZONES, answers, only_probes};
use super::hybrid::{At, Node, Plug};
use super::netns::Script;
use super::plan::{Hop, Plan, Res, known, unsupported};
use super::wall::list;
use bartizan_model::{Boundary, NextHop, Typed};
use ipnet::IpNet;

/// How many crossings are built.
const MOST: usize = 200;

/// What a packet crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crossing {
    /// Out of a VPC by a route of one of its tables.
    Route {
        vpc: usize,
        table: usize,
        net: IpNet,
        hop: Hop,
    },
    /// Inside a router, from one attachment to another.
    Router { router: usize, ends: [usize; 2] },
}

/// A crossing with the firewalls that stand there, in their order.
pub(crate) struct Crossed {
    at: Crossing,
    walls: Vec<usize>,
}

impl Plan {
    /// 4 to 6: everything that a firewall stands at.
    pub(super) fn stand(&mut self, t: &Typed, wall: usize, at: &[Boundary]) -> Res<()> {
        let mut found = Vec::new();
        for b in at {
            match b {
                Boundary::Route {
                    table,
                    destination,
                    hop,
                } => {
                    let table = *known(table, "the table of a redirected route")?;
                    let vpc = known(&t[table].vpc, "the VPC of a table")?.index();
                    let net = known(destination, "the destination of a redirected route")?.trunc();
                    let hop = match known(hop, "the next hop of a redirected route")? {
                        NextHop::Peering(p) => Hop::Peering(p.index()),
                        NextHop::RouterInterface(i) => Hop::Interface(i.index()),
                        _ => continue,
                    };
                    let table = table.index();
                    // One that is not there redirects nothing.
                    let mut routes = self.tables[table].routes.iter();
                    if routes.any(|r| r.net == net && r.hops.of.contains(&hop)) {
                        found.push(Crossing::Route { vpc, table, net, hop });
                    }
                }
                Boundary::Vpc { vpc, cen } => {
                    let vpc = known(vpc, "the VPC of a firewall")?.index();
                    let cen = known(cen, "the CEN instance of a firewall")?;
                    let of = t.transit_routers.iter().enumerate();
                    for (r, _) in of.filter(|(_, r)| r.cen.as_ref() == Some(cen)) {
                        let mine = |a: usize| self.attachments[a].vpc.as_ref().is_some_and(|v| v.0 == vpc);
                        found.extend(self.inside(r, mine)?);
                    }
                }
                Boundary::Router(r) => {
                    let r = known(r, "the router of a firewall")?.index();
                    found.extend(self.inside(r, |_| true)?);
                }
                Boundary::Unknown(_) => return unsupported("where a firewall stands is not known"),
            }
        }
        for at in found {
            match self.crossings.iter_mut().find(|c| c.at == at) {
                Some(c) if c.walls.contains(&wall) => {}
                Some(c) => c.walls.push(wall),
                None => {
                    let walls = vec![wall];
                    self.crossings.push(Crossed { at, walls });
                }
            }
        }
        if self.crossings.len() > MOST {
            return unsupported(format!("firewalls between VPCs at more than {MOST} places"));
        }
        Ok(())
    }

    /// 5 to 7: from attachment to attachment inside a router, where one of the two is such a one. A-CFW-2: everything
    /// is led to the firewall.
    fn inside(&self, router: usize, such: impl Fn(usize) -> bool) -> Res<Vec<Crossing>> {
        if self.ecr(router).is_some() {
            return unsupported("a firewall at an Express Connect router");
        }
        let mut out = Vec::new();
        for (a, x) in self.attachments.iter().enumerate() {
            for (_, table) in x.tables.iter().filter(|(r, _)| *r == router) {
                let routes = self.tr_tables[*table].routes.iter();
                let longer = routes.filter(|(net, _)| net.prefix_len() > 0);
                for b in longer.flat_map(|(_, to)| to.of.iter().copied().flatten()) {
                    let at = Crossing::Router { router, ends: [a, b] };
                    if a != b && (such(a) || such(b)) && !out.contains(&at) {
                        out.push(at);
                    }
                }
            }
        }
        Ok(out)
    }

    /// The crossing of a route.
    pub(crate) fn by_route(&self, table: usize, net: &IpNet, hop: Hop) -> Option<usize> {
        self.crossings.iter().position(|c| match c.at {
            Crossing::Route {
                table: t,
                net: n,
                hop: h,
                ..
            } => (t, n, h) == (table, *net, hop),
            Crossing::Router { .. } => false,
        })
    }

    /// The crossing from one attachment of a router to another.
    pub(crate) fn by_router(&self, router: usize, ends: [usize; 2]) -> Option<usize> {
        let at = Crossing::Router { router, ends };
        self.crossings.iter().position(|c| c.at == at)
    }

    /// The crossings inside a router, with the attachment that each leads to.
    pub(crate) fn crossed_in(&self, router: usize) -> Vec<(usize, usize)> {
        let all = self.crossings.iter().enumerate();
        let here = |(k, c): (usize, &Crossed)| match c.at {
            Crossing::Router { router: r, ends } if r == router => Some((k, ends[1])),
            _ => None,
        };
        all.filter_map(here).collect()
    }

    /// The crossings by which packets come into a VPC: over peerings, or over router interfaces.
    pub(crate) fn crossed(&self, vpc: usize, peering: bool) -> Vec<usize> {
        let here = |c: &Crossed| match c.at {
            Crossing::Route { vpc: near, hop, .. } => match hop {
                Hop::Peering(p) => peering && near != vpc && self.peerings[p].vpcs.contains(&vpc),
                Hop::Interface(i) => !peering && self.opposite(i).is_some_and(|o| o.1 == At::Vpc(vpc)),
                _ => false,
            },
            Crossing::Router { .. } => false,
        };
        let all = self.crossings.iter().enumerate();
        all.filter(|(_, c)| here(c)).map(|(k, _)| k).collect()
    }

    /// The crossings by which they leave it.
    pub(crate) fn crossed_from(&self, vpc: usize) -> Vec<usize> {
        let all = self.crossings.iter().enumerate();
        let here = |c: &Crossed| matches!(c.at, Crossing::Route { vpc: near, .. } if near == vpc);
        all.filter(|(_, c)| here(c)).map(|(k, _)| k).collect()
    }

    /// The crossings that end at a border router, with its router interface.
    pub(crate) fn crossed_into(&self, border: usize) -> Vec<(usize, usize)> {
        let all = self.crossings.iter().enumerate();
        let here = |(k, c): (usize, &Crossed)| match c.at {
            Crossing::Route {
                hop: Hop::Interface(i),
                ..
            } => {
                let (o, at) = self.opposite(i)?;
                (at == At::Border(border)).then_some((k, o))
            }
            _ => None,
        };
        all.filter_map(here).collect()
    }

    /// The router interface at the other end, and where that is.
    fn opposite(&self, i: usize) -> Option<(usize, At)> {
        let o = self.hybrid.interfaces.get(i)?.opposite?;
        Some((o, self.hybrid.interfaces.get(o)?.at))
    }

    /// The firewalls that stand somewhere.
    pub(crate) fn between(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.crossings.iter().flat_map(|c| c.walls.clone()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The cables of crossings, from firewall to firewall.
    pub(crate) fn crossing_plugs(&self) -> Vec<[(Plug, String); 2]> {
        let mut out = Vec::new();
        for (k, c) in self.crossings.iter().enumerate() {
            let (first, last) = match c.at {
                Crossing::Route { vpc, hop, .. } => {
                    let far = match hop {
                        Hop::Peering(p) => {
                            let [a, b] = self.peerings[p].vpcs;
                            Some(Plug::Vpc(if a == vpc { b } else { a }))
                        }
                        Hop::Interface(i) => self.opposite(i).map(|o| match o.1 {
                            At::Vpc(v) => Plug::Vpc(v),
                            At::Border(b) => Plug::Node(Node::Border(b)),
                        }),
                        _ => None,
                    };
                    let Some(far) = far else { continue };
                    ((Plug::Vpc(vpc), format!("f{k}")), (far, format!("g{k}")))
                }
                Crossing::Router { router, .. } => (
                    (Plug::Transit(router), format!("x{k}")),
                    (Plug::Transit(router), format!("y{k}")),
                ),
            };
            let mut from = first;
            for w in &c.walls {
                out.push([from, (Plug::Wall(*w), format!("i{k}"))]);
                from = (Plug::Wall(*w), format!("o{k}"));
            }
            out.push([from, last]);
        }
        out
    }
}

/// What is to be done in the namespace of a firewall.
pub(crate) fn wall(p: &Plan, at: usize) -> Res<Script> {
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    let here = p.crossings.iter().enumerate();
    for (k, _) in here.filter(|(_, c)| c.walls.contains(&at)) {
        s.device(&format!("i{k}"));
        s.device(&format!("o{k}"));
        let table = 100 + k;
        for all in ["0.0.0.0/0", "::/0"] {
            s.ip(format!("route add {all} dev o{k} table {table}"));
        }
        let rule = format!("rule add pref {table} iif i{k} lookup {table}");
        s.ip(&rule);
        s.ip6(&rule);
    }
    let mut rules = "ct state established accept\n".to_string();
    // 3: an answer may cross where the request did not.
    rules += &answers("accept");
    rules += &list(&p.walls[at], false)?;
    let quiet = only_probes();
    s.nft(format!(
        "table inet t {{
{quiet}
chain first {{
type filter hook prerouting priority -300; policy accept;
{ZONES}
}}
chain pass {{
type filter hook forward priority 0; policy accept;
{rules}}}
}}"
    ));
    Ok(s)
}
