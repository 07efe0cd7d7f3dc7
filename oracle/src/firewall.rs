//! Cloud Firewall (ALIBABA.md §13; the numbers are those of docs/decisions/015).

use crate::group::Pkt;
use crate::world::{Res, Unsupported, World, exists, known};
use bartizan_model::{Assumption, FirewallPeer, FirewallPlace, Typed};
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
    Vpc,
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

pub(crate) fn read(t: &Typed) -> Res<Vec<FirewallW>> {
    let mut out = Vec::new();
    for f in &t.firewalls {
        let place = match &f.place {
            FirewallPlace::Internet => PlaceW::Internet,
            FirewallPlace::Nat { nat, routes } => {
                exists(&f.meta.origin)?;
                let mut led = Vec::new();
                for (table, net) in routes {
                    led.push((
                        known(table, "a route table of a NAT firewall")?.index(),
                        known(net, "a destination of a NAT firewall")?.trunc(),
                    ));
                }
                PlaceW::Nat {
                    nat: known(nat, "the gateway of a NAT firewall")?.index(),
                    routes: led,
                }
            }
            FirewallPlace::Vpc { .. } => PlaceW::Vpc,
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
        out.push(FirewallW {
            place,
            on: *known(&f.on, "whether a firewall is on")?,
            strict: *known(&f.strict, "the mode of a firewall")?,
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

    /// 12 to 14: the NAT boundary. `direct` says that it met no appliance and no router on the way.
    pub(crate) fn nat_boundary_passes(&self, from: usize, nat: usize, p: &Pkt, direct: bool) -> bool {
        let table = self.vswitches[self.interfaces[from].vswitch].table;
        let h = Header {
            src: p.src.ip,
            dst: p.dst.ip,
            proto: p.proto,
            dport: p.dport,
        };
        self.firewalls.iter().filter(|f| f.on).all(|f| {
            let PlaceW::Nat { nat: at, routes } = &f.place else {
                return true;
            };
            let led = direct && routes.iter().any(|(t, n)| *t == table && n.contains(&p.dst.ip));
            !(*at == nat && led) || f.lets_pass(false, &h, !self.second(Assumption::Fw1))
        })
    }
}
