//! To and from the Internet (ALIBABA.md §7, §8).

use crate::forward::{Arrival, Exit, Goal, Spot, Trail, Walk};
use crate::group::Pkt;
use crate::oracle::Options;
use crate::world::{DnatW, Hop, NatW, V6, World};
use bartizan_model::{Assumption, DnatProtocol};
use bartizan_packet::Proto;
use std::net::IpAddr;

/// A way in from the Internet to one private address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Door {
    pub(crate) kind: DoorKind,
    /// The address that the client sends to.
    pub(crate) ip: IpAddr,
    /// The port that the client sends to.
    pub(crate) port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DoorKind {
    /// A public address of its own (§7.1).
    Own,
    /// A DNAT entry of this NAT gateway (§8.3).
    Nat(usize),
    /// Its global IPv6 address (§7.3).
    Ipv6,
}

/// A way out to the Internet that a packet has taken.
#[derive(Clone, Debug)]
pub(crate) struct Out {
    pub(crate) exit: Exit,
    /// The source that the Internet sees.
    pub(crate) ip: IpAddr,
    pub(crate) path: Arrival,
}

impl World {
    /// Every way in to address `address` (`ip`) of interface `at` for a packet that is delivered to `dport`.
    pub(crate) fn doors(&self, at: usize, address: usize, ip: IpAddr, proto: Proto, dport: u16) -> Vec<Door> {
        let eni = &self.interfaces[at];
        let mut out = Vec::new();
        if ip.is_ipv6() {
            // §7.3: gateway and bandwidth; an egress-only rule drops what is begun outside.
            let open = eni.addresses.get(address).is_some_and(|a| a.v6 == V6::Both);
            // 024, 7.
            if open && (!self.vpcs[eni.vpc].gateways6.is_empty() || self.open_front(at)) {
                out.push(Door {
                    kind: DoorKind::Ipv6,
                    ip,
                    port: dport,
                });
            }
            return out;
        }
        for p in eni.public.iter().filter(|p| p.private == address) {
            out.push(Door {
                kind: DoorKind::Own,
                ip: p.ip,
                port: dport,
            });
        }
        // §8.3: DNAT works only towards an interface without a public address of its own.
        if eni.public.is_empty() {
            for (n, nat) in self
                .nats
                .iter()
                .enumerate()
                .filter(|(_, n)| n.internet && n.vpc == eni.vpc)
            {
                for d in nat.dnat.iter().filter(|d| d.target == ip) {
                    if let Some(port) = external_port(d, proto, dport) {
                        out.push(Door {
                            kind: DoorKind::Nat(n),
                            ip: d.external,
                            port,
                        });
                    }
                }
            }
        }
        out
    }

    /// §8.2, A-NAT-1: the addresses that a NAT gateway translates `src` to: those of the entry with the
    /// longest source that covers it (of several equally long, all).
    pub(crate) fn snat(&self, nat: &NatW, src: IpAddr, vswitch: Option<usize>) -> Vec<IpAddr> {
        let covering = nat
            .snat
            .iter()
            .filter(|s| s.source.contains(&src) && (s.vswitch.is_none() || s.vswitch == vswitch));
        let Some(longest) = covering.clone().map(|s| s.source.prefix_len()).max() else {
            return Vec::new();
        };
        // 018, 10.
        let any = self.second(Assumption::Nat1);
        covering
            .filter(|s| any || s.source.prefix_len() == longest)
            .flat_map(|s| s.ips.iter().copied())
            .collect()
    }

    /// A-NAT-3 (026): the addresses of the IP mappings by which interface `from` leaves as `src`, if it does.
    fn mapped(&self, nat: &NatW, from: usize, src: IpAddr) -> Vec<IpAddr> {
        let eni = &self.interfaces[from];
        let out = self.second(Assumption::Nat3) && nat.vpc == eni.vpc && eni.public.is_empty();
        let whole = nat.dnat.iter().filter(|d| d.protocol == DnatProtocol::Any);
        let here = whole.filter(|d| out && d.target == src);
        here.map(|d| d.external).collect()
    }

    /// §7.2: in a VPC with an activated IPv4 gateway a NAT gateway works only if its own vSwitch has a
    /// route to that gateway.
    fn nat_has_internet(&self, nat: &NatW, peer: IpAddr) -> bool {
        let Some((gateway, _)) = self.vpcs[nat.vpc].gateway4 else {
            return true;
        };
        let selected = nat
            .vswitch
            .and_then(|v| self.lookup(self.vswitches[v].table, peer));
        selected.is_some_and(|s| s.hops.contains(&Hop::Gateway4(gateway)))
    }

    /// Every way out for `p`, sent by address `address` of interface `from`.
    pub(crate) fn outs(
        &self,
        from: usize,
        address: usize,
        p: Pkt,
        o: &Options,
        drops: &mut Vec<Vec<String>>,
    ) -> Vec<Out> {
        let mut drop = |why: &str| {
            if o.explain {
                drops.push(vec![why.to_string()]);
            }
            Vec::new()
        };
        // A-P25.
        if p.proto == Proto::TCP && p.dport == 25 && !self.second(Assumption::P25) {
            return drop("the platform blocks tcp/25 to the Internet");
        }
        if !o.public_protocols.carries(p.proto, p.dst.ip) {
            return drop("a public IPv4 address carries TCP, UDP and ICMP only");
        }
        let eni = &self.interfaces[from];
        let bandwidth = eni.addresses.get(address).is_some_and(|a| a.v6 != V6::Private);
        if p.dst.ip.is_ipv6() && !bandwidth {
            return drop("the IPv6 address has no Internet bandwidth");
        }
        let walk = self.walk_out(from, address, p, &[], o.explain);
        drops.extend(walk.drops);
        let mut outs = Vec::new();
        for path in walk.arrivals {
            let sources = match path.exit {
                Exit::Own(ip) => vec![ip],
                Exit::Gateway6 => vec![p.src.ip],
                Exit::Nat(n) if self.nat_has_internet(&self.nats[n], p.dst.ip) => {
                    // 026, 2.
                    match self.mapped(&self.nats[n], from, p.src.ip) {
                        by if by.is_empty() => self.snat(&self.nats[n], p.src.ip, Some(eni.vswitch)),
                        by => by,
                    }
                }
                Exit::Nat(_) | Exit::Arrived | Exit::Inner(_) => Vec::new(),
            };
            if sources.is_empty() && o.explain {
                let mut steps = path.steps.clone();
                steps.push("the NAT gateway does not translate it".into());
                drops.push(steps);
            }
            for ip in sources {
                // 015, 6 and 12: before and after translation.
                let direct = path.appliances.is_empty() && !path.crossed;
                let nat = match path.exit {
                    Exit::Nat(n) => self.nat_boundary_passes(from, n, &p, direct),
                    _ => true,
                };
                if !nat || !self.boundary_passes(from, false, (ip, p.dst.ip), (p.proto, p.dport)) {
                    if o.explain {
                        let mut steps = path.steps.clone();
                        steps.push("a firewall drops it on the way out".into());
                        drops.push(steps);
                    }
                    continue;
                }
                outs.push(Out {
                    exit: path.exit,
                    ip,
                    path: path.clone(),
                });
            }
        }
        outs
    }

    /// Follows a packet from an interface towards the Internet.
    fn walk_out<'a>(
        &'a self,
        from: usize,
        address: usize,
        p: Pkt,
        sessions: &'a [usize],
        explain: bool,
    ) -> Walk<'a> {
        let public = self.interfaces[from]
            .public
            .iter()
            .filter(|a| a.private == address);
        let own = if p.dst.ip.is_ipv4() {
            public.map(|a| a.ip).collect()
        } else {
            Vec::new()
        };
        let mut walk = Walk::new(self, p, Goal::Internet(own), sessions, explain);
        walk.send(from);
        walk
    }

    /// A packet from the Internet that has been translated enters towards interface `to`.
    pub(crate) fn enter<'a>(
        &'a self,
        to: usize,
        kind: DoorKind,
        p: Pkt,
        sessions: &'a [usize],
        explain: bool,
    ) -> Walk<'a> {
        let mut walk = Walk::new(self, p, Goal::Interface(to), sessions, explain);
        let t = Trail::default();
        let eni = &self.interfaces[to];
        match kind {
            DoorKind::Nat(n) if !self.nat_has_internet(&self.nats[n], p.src.ip) => {
                walk.dropped(t, || "the NAT gateway has no route to the IPv4 gateway".into());
            }
            // 11: a NAT gateway of another VPC sends replies by the table of its own vSwitch.
            DoorKind::Nat(n) if self.nats[n].vpc != eni.vpc => {
                let nat = &self.nats[n];
                let table = match nat.vswitch {
                    Some(z) => self.vswitches[z].table,
                    None => self.vpcs[nat.vpc].system_table,
                };
                walk.routed(t, Spot::Handed(nat.vpc, nat.vswitch), table);
            }
            DoorKind::Nat(_) => walk.reach(t, None, to),
            // 024, 7.
            DoorKind::Ipv6 if self.open_front(to) => walk.reach(t, None, to),
            // §7.3: the Internet needs the route, in both directions.
            DoorKind::Ipv6 => {
                let gateways = &self.vpcs[eni.vpc].gateways6;
                if gateways
                    .iter()
                    .any(|g| self.leads_to(eni.vswitch, p.src.ip, Hop::Gateway6(*g)))
                {
                    walk.reach(t, None, to);
                } else {
                    walk.dropped(t, || "the vSwitch has no route to the IPv6 gateway".into());
                }
            }
            // 010, data services 5.
            DoorKind::Own if eni.service.is_some() || self.open_front(to) => walk.reach(t, None, to),
            DoorKind::Own => match self.vpcs[eni.vpc].gateway4 {
                None => walk.reach(t, None, to),
                Some((g, _)) if !self.lets_in(eni.vswitch, p.src.ip, g) => {
                    walk.dropped(t, || "the vSwitch has no route to the IPv4 gateway".into());
                }
                Some((_, None)) => walk.reach(t, None, to),
                Some((_, Some(table))) => self.enter_by_table(&mut walk, table, to),
            },
        }
        walk
    }

    /// §7.2: whether a vSwitch has the route that what comes from `src` by an IPv4 gateway wants (A-IGW-1).
    fn lets_in(&self, vswitch: usize, src: IpAddr, gateway: usize) -> bool {
        let g = Hop::Gateway4(gateway);
        self.leads_to(vswitch, src, g) || self.second(Assumption::Igw1) && self.has_route_to(vswitch, g)
    }

    /// §3.6: the table of the IPv4 gateway may send the packet to an ENI first.
    fn enter_by_table(&self, walk: &mut Walk<'_>, table: usize, to: usize) {
        let t = Trail::default();
        let Some(s) = self.lookup(table, walk.p.dst.ip) else {
            return walk.dropped(t, || "no route in the table of the IPv4 gateway".into());
        };
        for h in s.hops {
            match h {
                Hop::Local => walk.reach(t.clone(), None, to),
                Hop::Interface(i) => walk.reach(t.clone(), None, i),
                Hop::HaVip(h) => {
                    for &m in &self.ha_vips[h] {
                        walk.reach(t.clone(), None, m);
                    }
                }
                _ => walk.dropped(t.clone(), || {
                    "the table of the IPv4 gateway sends it elsewhere".into()
                }),
            }
        }
    }

    /// §8.5, R8: whether a reply leaves the server by the way that the request came in.
    pub(crate) fn reply_out(
        &self,
        from: usize,
        address: usize,
        door: &Door,
        reply: Pkt,
        sessions: &[usize],
    ) -> Vec<Arrival> {
        let same = |e: Exit| match door.kind {
            DoorKind::Own => e == Exit::Own(door.ip),
            DoorKind::Nat(n) => e == Exit::Nat(n),
            DoorKind::Ipv6 => e == Exit::Gateway6,
        };
        let walk = self.walk_out(from, address, reply, sessions, false);
        walk.arrivals.into_iter().filter(|a| same(a.exit)).collect()
    }

    /// How a reply from the Internet comes back in to the client that left by `out`.
    pub(crate) fn reply_in(&self, to: usize, out: &Out, reply: Pkt, sessions: &[usize]) -> Vec<Arrival> {
        let kind = match out.exit {
            Exit::Own(_) | Exit::Arrived | Exit::Inner(_) => DoorKind::Own,
            Exit::Nat(n) => DoorKind::Nat(n),
            Exit::Gateway6 => DoorKind::Ipv6,
        };
        self.enter(to, kind, reply, sessions, false).arrivals
    }
}

/// §8.3: the port on the public address that a DNAT entry maps to `dport`; `None` when it does not map.
pub(crate) fn external_port(d: &DnatW, proto: Proto, dport: u16) -> Option<u16> {
    let protocol = match d.protocol {
        DnatProtocol::Any => true,
        DnatProtocol::Tcp => proto == Proto::TCP,
        DnatProtocol::Udp => proto == Proto::UDP,
    };
    match d.ports {
        _ if !protocol => None,
        None => Some(dport),
        Some(m) => {
            let inside = m.internal.0 <= dport && dport <= m.internal.1;
            let port = u32::from(m.external.0) + u32::from(dport.checked_sub(m.internal.0)?);
            u16::try_from(port).ok().filter(|_| inside)
        }
    }
}
