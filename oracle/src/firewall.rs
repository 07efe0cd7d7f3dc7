//! Cloud Firewall (ALIBABA.md §13; the numbers are those of docs/decisions/015, and of 022
//! where that is said).

use crate::group::Pkt;
use crate::world::{Hop, Res, Unsupported, World, exists, known};
use bartizan_model::{Assumption, Attached, Boundary, FirewallPeer, FirewallPlace, NetSpec, NextHop, Typed};
use bartizan_packet::{Proto, ServiceSet};
use ipnet::IpNet;
use std::net::IpAddr;

/// One side of a policy: prefixes, and whether a value stands for addresses that nobody knows.
struct SideW {
    nets: Vec<IpNet>,
    elsewhere: bool,
}

struct PolicyW {
    inbound: bool,
    ipv6: bool,
    order: u32,
    pass: bool,
    deep: bool,
    source: SideW,
    destination: SideW,
    services: ServiceSet,
}

enum PlaceW {
    Internet,
    Nat { nat: usize, routes: Vec<(usize, IpNet)> },
    Vpc(Vec<BoundaryW>),
}

/// What a firewall between VPCs stands at (022, 4 to 6).
enum BoundaryW {
    /// A route that is there: table, prefix, next hop.
    Route(usize, IpNet, Hop),
    /// Attachments of a VPC to routers of one edition.
    Attachments {
        all: Vec<usize>,
        basic: bool,
    },
    Router(usize),
}

/// What a packet crosses (022).
#[derive(Clone, Copy)]
pub(crate) enum Crossing {
    /// By a route of a table: its length, and the hop that is taken.
    Route(usize, u8, Hop),
    /// Inside a router, from one attachment to another, by a route of this length.
    Router(usize, [usize; 2], u8),
}

pub(crate) struct FirewallW {
    place: PlaceW,
    on: bool,
    strict: bool,
    policies: Vec<PolicyW>,
}

fn side(t: &Typed, peers: &[FirewallPeer]) -> Res<SideW> {
    let mut s = SideW {
        nets: Vec::new(),
        elsewhere: false,
    };
    for p in peers {
        match p {
            FirewallPeer::Net(n) => s.nets.push(n.trunc()),
            FirewallPeer::Eip(e) => s
                .nets
                .push(IpNet::from(*known(&t[*e].ip, "the address of an EIP")?)),
            FirewallPeer::Elsewhere(_) => s.elsewhere = true,
            FirewallPeer::Unknown(u) => {
                return Err(Unsupported(format!(
                    "the addresses of a firewall policy are not known ({})",
                    u.why
                )));
            }
        }
    }
    Ok(s)
}

fn boundary(t: &Typed, b: &Boundary, out: &mut Vec<BoundaryW>) -> Res<()> {
    match b {
        Boundary::Route {
            table,
            destination,
            hop,
        } => {
            let table = *known(table, "the table of a redirected route")?;
            let net = known(destination, "the destination of a redirected route")?.trunc();
            let hop = known(hop, "the next hop of a redirected route")?;
            let to = match hop {
                NextHop::RouterInterface(i) => Hop::Ri(i.index()),
                NextHop::Peering(p) => {
                    let ends = [
                        known(&t[*p].requester, "a VPC of a peering")?,
                        known(&t[*p].accepter, "a VPC of a peering")?,
                    ];
                    let here = known(&t[table].vpc, "the VPC of a table")?;
                    let far = if ends[0] == here { ends[1] } else { ends[0] };
                    Hop::Peering(far.index())
                }
                _ => return Ok(()),
            };
            // One that is not there redirects nothing.
            for e in &t.route_entries {
                let this = e.table.known() == Some(&table) && e.next_hops.contains(hop);
                if let (true, NetSpec::Net(n)) = (this, &e.destination)
                    && known(n, "the destination of a route")?.trunc() == net
                {
                    out.push(BoundaryW::Route(table.index(), net, to));
                }
            }
        }
        Boundary::Vpc { vpc, cen } => {
            let vpc = *known(vpc, "the VPC of a firewall")?;
            let cen = known(cen, "the CEN instance of a firewall")?;
            for basic in [true, false] {
                let mut all = Vec::new();
                for (n, a) in t.attachments.iter().enumerate() {
                    let Attached::Vpc(v) = &a.to else { continue };
                    let router = &t[*known(&a.router, "the router of an attachment")?];
                    let here = *known(v, "the VPC of an attachment")? == vpc;
                    if here && router.cen.as_ref() == Some(cen) && router.basic == basic {
                        all.push(n);
                    }
                }
                out.push(BoundaryW::Attachments { all, basic });
            }
        }
        Boundary::Router(r) => out.push(BoundaryW::Router(known(r, "the router of a firewall")?.index())),
        Boundary::Unknown(u) => {
            return Err(Unsupported(format!(
                "where a firewall stands is not known ({})",
                u.why
            )));
        }
    }
    Ok(())
}

pub(crate) fn read(t: &Typed) -> Res<Vec<FirewallW>> {
    let mut out = Vec::new();
    for f in &t.firewalls {
        let place = match &f.place {
            FirewallPlace::Internet => PlaceW::Internet,
            FirewallPlace::Nat { nat, routes } => {
                exists(&f.meta.origin)?;
                let mut led = Vec::new();
                for (table, net) in routes {
                    let table = *known(table, "a route table of a NAT firewall")?;
                    let net = known(net, "a destination of a NAT firewall")?.trunc();
                    // 13: a route that is there, and no prefix list.
                    for e in &t.route_entries {
                        let here = e.table.known() == Some(&table);
                        let out = e.next_hops.iter().any(|h| matches!(h, NextHop::Nat(_)));
                        if let (true, NetSpec::Net(n)) = (here && out, &e.destination)
                            && known(n, "the destination of a route")?.trunc() == net
                        {
                            led.push((table.index(), net));
                        }
                    }
                }
                PlaceW::Nat {
                    nat: known(nat, "the gateway of a NAT firewall")?.index(),
                    routes: led,
                }
            }
            FirewallPlace::Vpc(at) => {
                exists(&f.meta.origin)?;
                let mut all = Vec::new();
                for b in at {
                    boundary(t, b, &mut all)?;
                }
                PlaceW::Vpc(all)
            }
        };
        let mut policies = Vec::new();
        for r in &f.rules {
            exists(&r.origin)?;
            if !*known(&r.active, "whether a policy takes part")? {
                continue;
            }
            policies.push(PolicyW {
                inbound: *known(&r.inbound, "the direction of a policy")?,
                ipv6: *known(&r.ipv6, "the family of a policy")?,
                order: *known(&r.order, "the order of a policy")?,
                pass: *known(&r.pass, "the action of a policy")?,
                deep: *known(&r.deep, "whether a policy names an application")?,
                source: side(t, &r.source)?,
                destination: side(t, &r.destination)?,
                services: known(&r.services, "the services of a policy")?.clone(),
            });
        }
        // 2: the smallest order decides.
        policies.sort_by_key(|p| p.order);
        // The mode is about policies by application alone.
        let strict = policies.iter().any(|p| p.deep) && *known(&f.strict, "the mode of a firewall")?;
        out.push(FirewallW {
            place,
            on: *known(&f.on, "whether a firewall is on")?,
            strict,
            policies,
        });
    }
    Ok(out)
}

/// What a firewall looks at.
struct Header {
    src: IpAddr,
    dst: IpAddr,
    proto: Proto,
    dport: u16,
}

impl Header {
    fn of(p: &Pkt) -> Self {
        Header {
            src: p.src.ip,
            dst: p.dst.ip,
            proto: p.proto,
            dport: p.dport,
        }
    }
}

impl FirewallW {
    fn lets_pass(&self, inbound: bool, h: &Header, may: bool) -> bool {
        for p in self.policies.iter().filter(|p| p.inbound == inbound) {
            // 4: what the policy does, if it does anything, as it is read.
            let pass = match (p.deep, may) {
                (true, true) if !self.strict => true,
                (true, true) if !p.pass => continue,
                (true, false) if p.pass => continue,
                _ => p.pass,
            };
            // 3: addresses that nobody knows.
            let meets = |s: &SideW, ip: IpAddr| {
                s.nets.iter().any(|n| n.contains(&ip)) || s.elsewhere && (pass == may)
            };
            if p.ipv6 == h.src.is_ipv6()
                && p.services.contains(h.proto, h.dport)
                && meets(&p.source, h.src)
                && meets(&p.destination, h.dst)
            {
                return pass;
            }
        }
        true
    }
}

impl World {
    /// 6 to 9: the Internet boundary. `at` is the interface on this side.
    pub(crate) fn boundary_passes(
        &self,
        at: usize,
        inbound: bool,
        (src, dst): (IpAddr, IpAddr),
        (proto, dport): (Proto, u16),
    ) -> bool {
        let spared = self.interfaces[at].service.is_some();
        if self.second(Assumption::Cfw1) || spared {
            return true;
        }
        let h = Header {
            src,
            dst,
            proto,
            dport,
        };
        self.firewalls
            .iter()
            .filter(|f| f.on && matches!(f.place, PlaceW::Internet))
            .all(|f| f.lets_pass(inbound, &h, !self.second(Assumption::Fw1)))
    }

    /// 022, 4 to 7: the boundary between VPCs, for the first packet of a connection.
    pub(crate) fn vpc_boundary_passes(&self, at: Crossing, p: &Pkt) -> bool {
        let direct = self.second(Assumption::Cfw2);
        let stands = |b: &BoundaryW| match (b, at) {
            (BoundaryW::Route(t, n, h), Crossing::Route(table, length, hop)) => {
                *t == table && n.prefix_len() == length && n.contains(&p.dst.ip) && *h == hop
            }
            (BoundaryW::Attachments { all, basic }, Crossing::Router(_, ends, length)) => {
                length > 0 && (*basic || !direct) && ends.iter().any(|a| all.contains(a))
            }
            (BoundaryW::Router(r), Crossing::Router(router, _, length)) => {
                length > 0 && !direct && *r == router
            }
            _ => false,
        };
        let h = Header::of(p);
        self.firewalls.iter().filter(|f| f.on).all(|f| {
            let here = matches!(&f.place, PlaceW::Vpc(all) if all.iter().any(stands));
            !here || f.lets_pass(false, &h, !self.second(Assumption::Fw1))
        })
    }

    /// Every prefix that a policy names.
    pub(crate) fn named_by_policies(&self) -> impl Iterator<Item = &IpNet> {
        let all = self.firewalls.iter().flat_map(|f| &f.policies);
        all.flat_map(|p| p.source.nets.iter().chain(&p.destination.nets))
    }

    /// 12 to 14: the NAT boundary. `direct` says that it met no appliance and no router on the way.
    pub(crate) fn nat_boundary_passes(&self, from: usize, nat: usize, p: &Pkt, direct: bool) -> bool {
        let table = self.vswitches[self.interfaces[from].vswitch].table;
        let h = Header::of(p);
        self.firewalls.iter().filter(|f| f.on).all(|f| {
            let PlaceW::Nat { nat: at, routes } = &f.place else {
                return true;
            };
            // 13: the route that decides is one that it names.
            let length = self.lookup(table, p.dst.ip).map(|s| s.length);
            let this = |(t, n): &(usize, IpNet)| {
                *t == table && n.contains(&p.dst.ip) && length == Some(n.prefix_len())
            };
            let led = direct && routes.iter().any(this);
            !(*at == nat && led) || f.lets_pass(false, &h, !self.second(Assumption::Fw1))
        })
    }
}
