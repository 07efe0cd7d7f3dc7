//! Load balancers and PrivateLink (ALIBABA.md §9; the numbers are those of docs/decisions/011, and 016 or 024 where it
//! says so).

use crate::forward::{Goal, Spot, Trail, Walk};
use crate::group::{Pkt, Side};
use crate::oracle::{At, Flow, Oracle, Outcome, Path};
use crate::world::{Res, Unsupported, World, exists, known};
use bartizan_model::{
    Address, AddressKind, AddressSpec, Assumption, Backend, BalancerKind, Direction, InterfaceId, Typed,
};
use bartizan_packet::{PortSet, Proto, ServiceSet};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr};

/// 20: an address at which a backend is reached.
pub(crate) struct PlaceW {
    eni: usize,
    address: usize,
    /// Of a delegated block the one address that is the backend.
    only: Option<IpAddr>,
}

pub(crate) struct ForwardW {
    /// Everybody who has the backend's address.
    to: Vec<PlaceW>,
    /// What arrives; `None` for what was sent.
    pub(crate) services: Option<ServiceSet>,
    pub(crate) preserves: bool,
    /// 024, 9: whether they are reached by IPv6.
    pub(crate) six: bool,
}

impl ForwardW {
    fn leads_to(&self, b: At) -> bool {
        let here =
            |p: &PlaceW| p.eni == b.eni && p.address == b.address && p.only.is_none_or(|ip| ip == b.ip);
        self.six == b.ip.is_ipv6() && self.to.iter().any(here)
    }
}

pub(crate) struct ListenerW {
    pub(crate) services: ServiceSet,
    /// White or black, and the entries.
    pub(crate) filter: Option<(bool, Vec<IpNet>)>,
    pub(crate) forwards: Vec<ForwardW>,
}

pub(crate) struct BalancerW {
    pub(crate) kind: BalancerKind,
    pub(crate) fronts: Vec<usize>,
    pub(crate) detached: bool,
    pub(crate) listeners: Vec<ListenerW>,
}

/// Balancers that one flow may pass.
const MAX_BALANCERS: usize = 4;

/// 20: the addresses of everybody that are a backend, by what `is` says of an interface and an address of it.
fn places(t: &Typed, is: impl Fn(usize, usize, &Address) -> bool, only: Option<IpAddr>) -> Vec<PlaceW> {
    let mut out = Vec::new();
    for (eni, i) in t.interfaces.iter().enumerate() {
        for (address, a) in i.addresses.iter().enumerate() {
            if is(eni, address, a) {
                out.push(PlaceW { eni, address, only });
            }
        }
    }
    out
}

fn backend(t: &Typed, to: &Backend) -> Res<(Vec<PlaceW>, bool)> {
    let of = |i: &InterfaceId, kind: AddressKind| {
        let i = i.index();
        places(t, move |eni, _, a| eni == i && a.kind == kind, None)
    };
    Ok(match to {
        Backend::Interface(i) => (of(i, AddressKind::Primary), false),
        Backend::Ipv6(i) => (of(i, AddressKind::Ipv6), true),
        Backend::At(i, n) => {
            let (i, n) = (i.index(), *n as usize);
            let six = t.interfaces[i].addresses.get(n);
            let six = six.is_some_and(|a| a.kind == AddressKind::Ipv6);
            (places(t, |eni, address, _| (eni, address) == (i, n), None), six)
        }
        Backend::Ip(ip) => {
            let is = |_, _, a: &Address| match &a.spec {
                AddressSpec::Ip(x) => x == ip,
                AddressSpec::Block(n) => n.contains(ip),
                _ => false,
            };
            (places(t, is, Some(*ip)), ip.is_ipv6())
        }
        Backend::Unknown(u) => {
            return Err(Unsupported(format!("a backend is not known ({})", u.why)));
        }
    })
}

pub(crate) fn read(t: &Typed) -> Res<Vec<BalancerW>> {
    let mut out = Vec::new();
    for b in &t.balancers {
        exists(&b.meta.origin)?;
        let mut listeners = Vec::new();
        for l in &b.listeners {
            exists(&l.origin)?;
            let filter = match known(&l.filter, "the access list of a listener")? {
                None => None,
                Some(f) => {
                    let mut nets = Vec::new();
                    for e in &f.entries {
                        exists(&e.origin)?;
                        nets.push(known(&e.net, "an entry of an access list")?.trunc());
                    }
                    Some((*known(&f.white, "the type of an access list")?, nets))
                }
            };
            let mut forwards = Vec::new();
            for f in &l.forwards {
                exists(&f.origin)?;
                let (to, six) = backend(t, &f.to)?;
                forwards.push(ForwardW {
                    to,
                    services: known(&f.services, "the port of a backend")?.clone(),
                    preserves: *known(&f.preserves, "whose address a backend sees")?,
                    six,
                });
            }
            listeners.push(ListenerW {
                services: known(&l.services, "the port of a listener")?.clone(),
                filter,
                forwards,
            });
        }
        out.push(BalancerW {
            kind: b.kind,
            fronts: b.fronts.iter().map(|f| f.index()).collect(),
            detached: b.detached,
            listeners,
        });
    }
    Ok(out)
}

/// 024, 6: whether a list holds IPv4 prefixes alone.
fn spares_ipv6(nets: &[IpNet]) -> bool {
    !nets.is_empty() && nets.iter().all(|n| n.addr().is_ipv4())
}

fn ports(set: &PortSet) -> impl Iterator<Item = u16> + '_ {
    set.ranges().iter().flat_map(|&(l, h)| l..=h)
}

impl World {
    pub(crate) fn balancer_of(&self, eni: usize) -> Option<&BalancerW> {
        self.balancers.iter().find(|b| b.fronts.contains(&eni))
    }

    pub(crate) fn detached(&self, eni: usize) -> bool {
        self.balancer_of(eni).is_some_and(|b| b.detached)
    }

    /// 9: whether the public address of a front needs neither route nor gateway (018, 13).
    pub(crate) fn open_front(&self, eni: usize) -> bool {
        let free = |b: &BalancerW| b.detached || !self.second(Assumption::Lb2);
        self.balancer_of(eni).is_some_and(free)
    }

    /// 5, 6, 7: what a front takes in.
    pub(crate) fn front_takes_in(&self, at: usize, b: &BalancerW, peer: Side, p: &Pkt) -> (bool, String) {
        let mut hears = b
            .listeners
            .iter()
            .filter(|l| l.services.contains(p.proto, p.dport))
            .peekable();
        if hears.peek().is_none() {
            return (false, "no listener".into());
        }
        let admits = |l: &ListenerW| match &l.filter {
            None => true,
            // 018, 12.
            Some((_, nets)) if nets.is_empty() && !self.second(Assumption::Lb1) => true,
            // 024, 6.
            Some((_, nets)) if peer.ip.is_ipv6() && self.second(Assumption::Lb3) && spares_ipv6(nets) => true,
            Some((white, nets)) => nets.iter().any(|n| n.contains(&peer.ip)) == *white,
        };
        if !hears.any(admits) {
            return (false, "the access list of the listener".into());
        }
        if b.kind == BalancerKind::Clb {
            return (true, "a listener".into());
        }
        match self.rules_say(at, Direction::Ingress, p) {
            Some((ok, why)) => (ok, why),
            // 016, 3.
            None if b.kind == BalancerKind::Endpoint => (false, "the default of the group".into()),
            None => (true, "the managed rule behind all others".into()),
        }
    }

    /// Whether a front has an IPv6 address.
    fn has_ipv6(&self, front: usize) -> bool {
        let mut all = self.interfaces[front].addresses.iter();
        all.any(|a| a.net.addr().is_ipv6())
    }

    /// Whether nobody knows by which address a front sends: 016, 7, and 024, 11.
    fn sends_as_anyone(&self, front: usize, kind: BalancerKind) -> bool {
        kind == BalancerKind::Endpoint || kind == BalancerKind::Clb && self.has_ipv6(front)
    }

    /// 024, 10: IPv6 addresses of a front's vSwitch that nobody else has, one of every stretch that is treated alike.
    fn own_ipv6(&self, front: usize) -> Vec<IpAddr> {
        let vswitch = self.interfaces[front].vswitch;
        let Some(IpNet::V6(block)) = self.vswitches[vswitch].cidr6 else {
            return Vec::new();
        };
        if !self.has_ipv6(front) {
            return Vec::new();
        }
        let here: Vec<&crate::world::InterfaceW> =
            self.interfaces.iter().filter(|i| i.vswitch == vswitch).collect();
        let taken = here
            .iter()
            .flat_map(|i| &i.addresses)
            .filter_map(|a| match a.net {
                IpNet::V6(n) => Some(u128::from(n.broadcast())),
                IpNet::V4(_) => None,
            });
        let mut starts = vec![u128::from(block.network())];
        starts.extend(taken.filter_map(|last| last.checked_add(1)));
        starts.extend(self.starts6());
        starts.sort_unstable();
        starts.dedup();
        let all = starts.into_iter().map(std::net::Ipv6Addr::from);
        let free = |ip: &IpAddr| !here.iter().any(|i| i.owns(*ip));
        all.filter(|a| block.contains(a))
            .map(IpAddr::V6)
            .filter(free)
            .collect()
    }

    /// 11: where the balancer's own address may be, of the family of the backend's.
    fn own_addresses(&self, front: usize, kind: BalancerKind, six: bool) -> Vec<IpAddr> {
        if six {
            return match kind {
                BalancerKind::Alb | BalancerKind::Nlb => self.own_ipv6(front),
                BalancerKind::Clb | BalancerKind::Endpoint => Vec::new(),
            };
        }
        // 016, 7: any address at all comes out of an endpoint.
        if self.sends_as_anyone(front, kind) {
            let own = |a: &IpAddr| matches!(a, IpAddr::V4(a) if a.octets()[..2] == [100, 100]);
            return self.anywhere.iter().copied().filter(|a| !own(a)).collect();
        }
        if kind == BalancerKind::Clb {
            let all = ipnet::Ipv4Net::new(Ipv4Addr::new(100, 64, 0, 0), 10).unwrap_or_default();
            let within = |a: &IpAddr| matches!(a, IpAddr::V4(a) if all.contains(a));
            let rest = self.anywhere.iter().copied().filter(within);
            return std::iter::once(all.network().into()).chain(rest).collect();
        }
        // The cloud keeps the first address and the last three; others are somebody's.
        let v = &self.vswitches[self.interfaces[front].vswitch];
        let IpNet::V4(block) = v.cidr else {
            return Vec::new();
        };
        let (lo, hi) = (u32::from(block.network()), u32::from(block.broadcast()));
        let here = |i: &crate::world::InterfaceW| i.vswitch == self.interfaces[front].vswitch;
        (lo + 1..=hi - 3)
            .map(|a| IpAddr::V4(a.into()))
            .filter(|a| !self.interfaces.iter().any(|i| here(i) && i.owns(*a)))
            .collect()
    }
}

impl Oracle {
    /// 2: what gets to `b` through balancers.
    pub(crate) fn relayed(
        &self,
        src: Option<At>,
        outside: IpAddr,
        b: At,
        f: Flow,
        beyond: &[usize],
        out: &mut Outcome,
    ) {
        if beyond.len() > MAX_BALANCERS || src.is_some_and(|s| s.eni == b.eni) {
            return;
        }
        for bal in &self.world.balancers {
            for l in &bal.listeners {
                for fw in l.forwards.iter().filter(|fw| fw.leads_to(b)) {
                    for &front in &bal.fronts {
                        let again = beyond.contains(&front) || src.is_some_and(|s| s.eni == front);
                        if !again && front != b.eni {
                            self.by(src, outside, b, f, beyond, (bal, l, fw, front), out);
                        }
                    }
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one way through one balancer")]
    fn by(
        &self,
        src: Option<At>,
        outside: IpAddr,
        b: At,
        f: Flow,
        beyond: &[usize],
        (bal, l, fw, front): (&BalancerW, &ListenerW, &ForwardW, usize),
        out: &mut Outcome,
    ) {
        let sent: Vec<(Proto, u16)> = match &fw.services {
            None if l.services.contains(f.proto, f.dport) => vec![(f.proto, f.dport)],
            Some(s) if s.contains(f.proto, f.dport) => {
                let tcp = ports(&l.services.tcp).map(|p| (Proto::TCP, p));
                tcp.chain(ports(&l.services.udp).map(|p| (Proto::UDP, p)))
                    .collect()
            }
            _ => Vec::new(),
        };
        let addresses = self.world.interfaces[front].addresses.iter().enumerate();
        let places: Vec<At> = addresses
            .map(|(address, a)| At {
                eni: front,
                address,
                ip: a.net.addr(),
            })
            .collect();
        let mut beyond = beyond.to_vec();
        beyond.push(front);
        for (proto, dport) in sent {
            let first = Flow {
                proto,
                sport: f.sport,
                dport,
            };
            let mut sub = Outcome::default();
            for &at in &places {
                self.towards(src, outside, at, first, &beyond, &mut sub);
            }
            for p in sub.request_paths.into_iter().filter(|p| p.delivered) {
                self.hand_on(bal, fw, front, b, f, &p, out);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one way through one balancer")]
    fn hand_on(
        &self,
        bal: &BalancerW,
        fw: &ForwardW,
        front: usize,
        b: At,
        f: Flow,
        first: &Path,
        out: &mut Outcome,
    ) {
        // 024, 10: within one family.
        let client = first.seen.filter(|s| fw.preserves && s.ip.is_ipv6() == fw.six);
        let sources: Vec<(Side, bool)> = match client {
            // 016, 1: also where the balancer before it is an endpoint, whose address is nobody's.
            Some(s) => vec![(s, !first.opened)],
            None => self.own(front, bal.kind, fw.six),
        };
        for (side, is_client) in sources {
            if let Some(reply) = self.leg(bal, front, b, f, side, is_client) {
                let mut steps = first.steps.clone();
                if self.options.explain {
                    steps.push(format!(
                        "handed on by `{}` from {}",
                        self.world.interfaces[front].name, side.ip
                    ));
                    match (first.seen.is_some_and(|s| s.ip.is_ipv6()), fw.six) {
                        (true, false) => steps.push("IPv6 becomes IPv4".into()),
                        (false, true) => steps.push("IPv4 becomes IPv6".into()),
                        (true, true) if is_client => steps.push("an IPv6 client is shown".into()),
                        _ => {}
                    }
                }
                out.request_paths.push(Path {
                    steps,
                    delivered: true,
                    reply: first.reply && reply,
                    seen: Some(side),
                    opened: !is_client,
                    trails: None,
                });
            }
        }
    }

    fn own(&self, front: usize, kind: BalancerKind, six: bool) -> Vec<(Side, bool)> {
        let all = self.world.own_addresses(front, kind, six).into_iter();
        all.map(|ip| {
            // 016, 7, and 024, 11: it is a member of nothing.
            let eni = (!self.world.sends_as_anyone(front, kind)).then_some(front);
            let side = Side {
                eni,
                ..Self::public_side(ip)
            };
            (side, false)
        })
        .collect()
    }

    /// 3, 14: what a balancer sends by itself.
    pub(crate) fn sent_by_front(&self, front: usize, b: At, f: Flow, out: &mut Outcome) {
        let Some(bal) = self.world.balancer_of(front) else {
            return;
        };
        for l in &bal.listeners {
            for fw in l.forwards.iter().filter(|fw| fw.leads_to(b)) {
                let arrives = fw.services.as_ref().unwrap_or(&l.services);
                if !arrives.contains(f.proto, f.dport) {
                    continue;
                }
                for (side, _) in self.own(front, bal.kind, fw.six) {
                    if let Some(reply) = self.leg(bal, front, b, f, side, false) {
                        out.request_paths.push(Path {
                            steps: vec![format!("sent by the balancer from {}", side.ip)],
                            delivered: true,
                            reply,
                            seen: Some(side),
                            opened: true,
                            trails: None,
                        });
                    }
                }
            }
        }
    }

    /// 10, 12, 13: from a front to a backend. `None` where it does not arrive, else whether all replies get back.
    /// `client` says that `src` has opened the connection, and is no balancer.
    fn leg(&self, bal: &BalancerW, front: usize, b: At, f: Flow, src: Side, client: bool) -> Option<bool> {
        let w = &self.world;
        let (fe, be) = (&w.interfaces[front], &w.interfaces[b.eni]);
        let own_kind = w.balancer_of(b.eni).is_some();
        if src.ip.is_ipv4() != b.ip.is_ipv4() || be.binded && !own_kind {
            return None;
        }
        let p = Pkt {
            src,
            dst: Self::private_side(b),
            proto: f.proto,
            sport: f.sport,
            dport: f.dport,
        };
        // 018, 11.
        let groups =
            bal.kind == BalancerKind::Alb || own_kind || be.service.is_some() || w.second(Assumption::Clb1);
        // Replies of a connection that a balancer opens come to any port of it, also where the next one passes its
        // address on.
        let ports: Vec<u16> = if client || !f.proto.has_ports() {
            vec![f.sport]
        } else {
            w.reply_ports.clone()
        };
        // 018, 6: only then does it matter from which port a connection comes; any that arrives counts.
        let asked = match w.second(Assumption::Nacl2) {
            true => ports.as_slice(),
            false => &ports[..1],
        };
        let requests = || asked.iter().map(|&sport| Pkt { sport, ..p });
        let answers =
            |ok: &dyn Fn(Pkt) -> bool| ports.iter().all(|&sport| ok(Self::answer(Pkt { sport, ..p })));
        let link = bal.kind == BalancerKind::Endpoint;
        if bal.detached || link || fe.vpc == be.vpc {
            let near = (!bal.detached && !link).then_some(fe.vswitch);
            // 016, 7: whether the ACL of a balancer behind an endpoint counts is contested.
            let counted = !link || w.second(Assumption::Pl1);
            let far = (be.service.is_none() && !w.detached(b.eni) && counted).then_some(be.vswitch);
            let crosses = |p: Pkt| w.acl_crossing_drop(near, far, &p).is_none();
            // A CLB in no vSwitch is in no vSwitch with anybody.
            let same = near == Some(be.vswitch) && !w.detached(b.eni);
            if !same && !requests().any(crosses) {
                return None;
            }
            if groups && !w.group_verdict(b.eni, Direction::Ingress, &p).0 {
                return None;
            }
            // 018, 3.
            let judged = groups && !w.keeps_state(b.eni);
            return Some(answers(&|r| {
                if judged && !w.group_verdict(b.eni, Direction::Egress, &r).0 {
                    return false;
                }
                same || w.acl_crossing_drop(far, near, &r).is_none()
            }));
        }
        if be.binded {
            return None;
        }
        let exempt = (!groups).then_some(b.eni);
        let mut arrivals = Vec::new();
        let known = [front];
        for p in requests() {
            let mut walk = Walk::new(w, p, Goal::Interface(b.eni), &known, false);
            walk.first = true;
            walk.exempt = exempt;
            let start = Trail {
                visited: src.eni.map(|_| front).into_iter().collect(),
                ..Trail::default()
            };
            let table = w.vswitches[fe.vswitch].table;
            walk.routed(start, Spot::At(front), table);
            arrivals.append(&mut walk.arrivals);
        }
        let replies = arrivals.iter().map(|path| {
            let mut sessions = vec![front, b.eni];
            sessions.extend(&path.appliances);
            answers(&|r| {
                let mut back = Walk::new(w, r, Goal::Interface(front), &sessions, false);
                back.exempt = exempt;
                back.send(b.eni);
                !back.arrivals.is_empty()
            })
        });
        let replies: Vec<bool> = replies.collect();
        if replies.is_empty() {
            None
        } else {
            Some(replies.into_iter().any(|r| r))
        }
    }
}
