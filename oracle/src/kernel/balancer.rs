//! Load balancers (ALIBABA.md §9; the numbers are those of docs/decisions/011, or 024 where it says so).
//!
//! A front is a namespace like that of an interface. What it takes in is decided by its listeners, access lists and
//! groups; what it hands on is translated by the kernel: the backend for the front as destination, an address of its own
//! for the client as source where the client's is not passed on.
//!
//! A balancer that changes the protocol, or the family of addresses, cannot be a translation: its front gives such packets
//! to the prober, which opens the connection to the backend as the front and answers the client (`probe`).
//!
//! A balancer is free to choose backend, source and port. Each combination is a *chain*, with a number that the packet
//! carries behind its ports (`packet`), so that a probe can ask for it. Two bits of the header, those of congestion
//! notification, say what stage the packet is in: [`HANDED`] or [`OPENED`] on the way to a backend, [`BACK`] on the
//! way to the front that it came from.

use super::filter::{ZONES, address, group_rules, only_probes, services};
use super::netns::Script;
use super::plan::{ELSEWHERE, Eni, Plan, Res, certain, known, unsupported};
use crate::world::World;
use bartizan_model::{AddressKind, AddressSpec, Backend, BalancerKind, Typed};
use bartizan_packet::{PortSet, Proto, ServiceSet};
use ipnet::{IpNet, Ipv4Net};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

/// Handed on by a CLB or NLB, whose backends' groups do not count (A-CLB-1, item 12).
pub(crate) const HANDED: &str = "ect1";
/// A reply on its way to the front.
pub(crate) const BACK: &str = "ect0";
/// The same as a number.
pub(crate) const BACK_BITS: u8 = 2;
/// Handed on by an ALB, whose backends' groups count.
pub(crate) const OPENED: &str = "ce";

/// Where a packet carries the number of its chain: the window of TCP, a place in the payload of UDP.
pub(crate) const CHAIN: &str = "@th,112,16";

/// The mark of an answer that a front takes itself, and the table for it.
const TAKE: u32 = 1 << 24;
const TAKEN: usize = 77;

/// Fronts that one chain may pass (item 4).
const MOST_FRONTS: usize = 4;
/// How many chains a network may have.
const MOST_CHAINS: usize = 6000;
/// How many ports of a listener are tried.
const MOST_PORTS: usize = 16;

struct Listener {
    services: ServiceSet,
    /// White or black, and the entries.
    filter: Option<(bool, Vec<IpNet>)>,
    forwards: Vec<Forward>,
}

struct Forward {
    /// 20: backends with the addresses at which they are reached.
    to: Vec<(usize, Vec<IpAddr>)>,
    services: Option<ServiceSet>,
    preserves: bool,
    /// 024, 9: whether they are reached by IPv6.
    six: bool,
}

pub(crate) struct Balancer {
    pub(crate) kind: BalancerKind,
    listeners: Vec<Listener>,
}

impl Balancer {
    /// Everybody whom it may hand on to.
    pub(crate) fn backends(&self) -> BTreeSet<usize> {
        let all = self.listeners.iter().flat_map(|l| &l.forwards);
        all.flat_map(|f| &f.to).map(|to| to.0).collect()
    }

    /// Whether it may hand on to an address of somebody.
    pub(crate) fn hands_to(&self, eni: usize, ip: IpAddr) -> bool {
        let all = self.listeners.iter().flat_map(|l| &l.forwards);
        all.flat_map(|f| &f.to)
            .any(|(to, at)| *to == eni && at.contains(&ip))
    }

    /// What its access lists name.
    pub(crate) fn listed(&self) -> impl Iterator<Item = IpNet> + '_ {
        let lists = self.listeners.iter().filter_map(|l| l.filter.as_ref());
        lists.flat_map(|f| f.1.iter().copied())
    }
}

/// One front handing on to one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hand {
    pub(crate) front: usize,
    /// The ports that it listens on.
    pub(crate) hears: PortSet,
    /// What it takes in, TCP or UDP, and what it sends.
    pub(crate) takes: Proto,
    pub(crate) sends: Proto,
    /// Whether clients come to its IPv6 address.
    pub(crate) six: bool,
    /// Whether the backend sees the client (024, 10: who is of its family).
    pub(crate) preserves: bool,
    /// The backend, and its address.
    pub(crate) to: usize,
    pub(crate) ip: IpAddr,
    /// The port there; `None` for the one that was sent to.
    pub(crate) port: Option<u16>,
    /// The source that the backend sees; `None` for the client's.
    pub(crate) source: Option<IpAddr>,
}

impl Hand {
    /// Whether what it sends is another packet than what it takes in, and no translation of it.
    pub(crate) fn changes(&self) -> bool {
        self.takes != self.sends || self.six != self.ip.is_ipv6()
    }
}

/// A way through one or more balancers.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) hands: Vec<Hand>,
    /// The port of what the fronts send as themselves.
    pub(crate) sport: Option<u16>,
    /// The same for chains that differ in [`Chain::sport`] only: a reply counts if it gets back to all of them.
    pub(crate) alike: usize,
}

impl Chain {
    /// Whether clients come in at its first front.
    pub(crate) fn relays(&self) -> bool {
        self.hands
            .first()
            .is_some_and(|h| h.preserves == h.source.is_none())
    }

    /// The hand of a front that changes the protocol or the family.
    pub(crate) fn changes_at(&self, front: usize) -> Option<&Hand> {
        let mut here = self.hands.iter().filter(|h| h.front == front);
        here.find(|h| h.changes())
    }

    /// Ports that can be sent to at the first front, or, if that sends by itself, at its backend, so that the packet
    /// comes out at `dport`.
    pub(crate) fn ports(&self, own: bool, dport: u16) -> Vec<u16> {
        let mut possible = PortSet::full();
        let mut fixed = None;
        for (n, h) in self.hands.iter().enumerate() {
            if own && n == 0 {
                // What it sends by itself is what a backend listens on.
                possible = match h.port {
                    Some(p) => PortSet::single(p),
                    None => h.hears.clone(),
                };
                continue;
            }
            match fixed {
                None => possible = possible.intersect(&h.hears),
                Some(p) if h.hears.contains(p) => {}
                Some(_) => return Vec::new(),
            }
            fixed = h.port.or(fixed);
        }
        match fixed {
            None if possible.contains(dport) => vec![dport],
            Some(p) if p == dport => {
                let all = possible.ranges().iter().flat_map(|&(l, h)| l..=h);
                all.take(MOST_PORTS).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The addresses of an interface that are of some kind.
fn of_kind(i: &bartizan_model::Interface, kind: AddressKind) -> Vec<IpAddr> {
    let all = i.addresses.iter().filter(|a| a.kind == kind);
    let one = all.filter_map(|a| match a.spec {
        AddressSpec::Ip(ip) => Some(ip),
        _ => None,
    });
    one.collect()
}

fn single(p: &PortSet) -> Option<u16> {
    match p.ranges() {
        [(l, h)] if l == h => Some(*l),
        _ => None,
    }
}

impl Plan {
    pub(crate) fn balancers(&mut self, t: &Typed, w: &World) -> Res<()> {
        for (n, b) in t.balancers.iter().enumerate() {
            certain(&b.meta.origin)?;
            match b.kind {
                BalancerKind::Clb | BalancerKind::Alb | BalancerKind::Nlb | BalancerKind::Endpoint => {}
            }
            let mut listeners = Vec::new();
            for l in &b.listeners {
                listeners.push(self.listener(t, l)?);
            }
            let kind = b.kind;
            self.balancers.push(Balancer { kind, listeners });
            for f in &b.fronts {
                let front = &mut self.enis[f.index()];
                front.front = Some(n);
                front.detached = b.detached;
            }
        }
        self.own_addresses(w)?;
        self.links()?;
        self.chains = self.all_chains(w)?;
        Ok(())
    }

    fn listener(&self, t: &Typed, l: &bartizan_model::Listener) -> Res<Listener> {
        certain(&l.origin)?;
        let services = known(&l.services, "the port of a listener")?.clone();
        if !l.forwards.is_empty()
            && services
                .tcp
                .ranges()
                .iter()
                .chain(services.udp.ranges())
                .map(|(l, h)| usize::from(h - l) + 1)
                .sum::<usize>()
                > MOST_PORTS
        {
            return unsupported("a listener on very many ports");
        }
        let filter = match known(&l.filter, "the access list of a listener")? {
            None => None,
            Some(f) => {
                let mut nets = Vec::new();
                for e in &f.entries {
                    certain(&e.origin)?;
                    nets.push(known(&e.net, "an entry of an access list")?.trunc());
                }
                Some((*known(&f.white, "the type of an access list")?, nets))
            }
        };
        let mut forwards = Vec::new();
        for f in &l.forwards {
            certain(&f.origin)?;
            let arrives = known(&f.services, "the port of a backend")?.clone();
            if let Some(s) = &arrives {
                let several = |p: &PortSet| !p.is_empty() && single(p).is_none();
                if several(&s.tcp) || several(&s.udp) {
                    return unsupported("a backend with several ports");
                }
            }
            forwards.push(Forward {
                to: match &f.to {
                    Backend::Interface(i) => vec![(i.index(), of_kind(&t[*i], AddressKind::Primary))],
                    Backend::Ipv6(i) => vec![(i.index(), of_kind(&t[*i], AddressKind::Ipv6))],
                    Backend::At(i, n) => match t[*i].addresses.get(*n as usize).map(|a| &a.spec) {
                        Some(AddressSpec::Ip(ip)) => vec![(i.index(), vec![*ip])],
                        None => Vec::new(),
                        Some(_) => return unsupported("a backend that is a block of addresses"),
                    },
                    Backend::Ip(ip) => {
                        let has = |e: &Eni| e.addresses.iter().any(|a| a.net.contains(ip));
                        let all = self.enis.iter().enumerate().filter(|(_, e)| has(e));
                        all.map(|(i, _)| (i, vec![*ip])).collect()
                    }
                    Backend::Unknown(_) => return unsupported("a backend is not known"),
                },
                services: arrives,
                preserves: *known(&f.preserves, "whose address a backend sees")?,
                six: match f.to {
                    Backend::Ipv6(_) | Backend::Ip(IpAddr::V6(_)) => true,
                    Backend::At(i, n) => {
                        let at = t[i].addresses.get(n as usize);
                        at.is_some_and(|a| a.kind == AddressKind::Ipv6)
                    }
                    _ => false,
                },
            });
        }
        Ok(Listener {
            services,
            filter,
            forwards,
        })
    }

    /// 11: an address of every kind that filters may tell apart, from which a front may send as itself.
    fn own_addresses(&mut self, w: &World) -> Res<()> {
        // What a router of another VPC, a firewall or a listener matches is told apart as well.
        let mut nets: Vec<IpNet> = w.mentioned.clone();
        nets.extend(w.named_by_policies());
        let lists = self.balancers.iter().flat_map(|b| &b.listeners);
        nets.extend(lists.filter_map(|l| l.filter.as_ref()).flat_map(|f| &f.1));
        nets.extend(
            self.enis
                .iter()
                .filter_map(|e| e.service.as_ref())
                .flat_map(|s| &s.nets),
        );
        nets.extend(self.tables.iter().flat_map(|t| t.routes.iter().map(|r| r.net)));
        nets.extend(self.linked());
        let all: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10);
        let fronts: Vec<usize> = (0..self.enis.len())
            .filter(|i| self.enis[*i].front.is_some())
            .collect();
        for (nth, &at) in fronts.iter().enumerate() {
            let kind = self.enis[at].front.map(|b| self.balancers[b].kind);
            // 024, 11: from whatever address (`links`).
            if kind == Some(BalancerKind::Endpoint) || self.sends_as_anyone(&self.enis[at]) {
                continue;
            }
            if kind == Some(BalancerKind::Clb) {
                let mut own = BTreeSet::from([all.network()]);
                for n in &nets {
                    if let IpNet::V4(n) = n
                        && all.contains(n)
                    {
                        own.insert(n.network());
                        let next = u32::from(n.broadcast()).checked_add(1).map(Ipv4Addr::from);
                        own.extend(next.filter(|x| all.contains(x)));
                    }
                }
                // Fronts take different ones where no prefix tells them apart: nobody takes packets from itself.
                let kind = |ip: Ipv4Addr| nets.iter().map(move |n| n.contains(&IpAddr::V4(ip)));
                let beside = |ip: Ipv4Addr| {
                    let other = Ipv4Addr::from(u32::from(ip).checked_add(u32::try_from(nth).ok()?)?);
                    (all.contains(&other) && kind(ip).eq(kind(other))).then_some(other)
                };
                let own = own.into_iter().map(|ip| IpAddr::V4(beside(ip).unwrap_or(ip)));
                self.enis[at].own = own.collect();
                continue;
            }
            let IpNet::V4(block) = self.vswitches[self.enis[at].vswitch].nets[0] else {
                return unsupported("a balancer in a vSwitch without IPv4");
            };
            let (lo, hi) = (u32::from(block.network()), u32::from(block.broadcast()));
            // Classes of addresses that no prefix tells apart, in the order of the first of each.
            let mut classes: Vec<(Vec<bool>, [Vec<IpAddr>; 2])> = Vec::new();
            for x in lo + 1..=hi.saturating_sub(3) {
                let ip = IpAddr::V4(x.into());
                let has = |e: &Eni| e.addresses.iter().any(|a| a.net.contains(&ip));
                if self
                    .enis
                    .iter()
                    .any(|e| e.vswitch == self.enis[at].vswitch && has(e))
                {
                    continue;
                }
                let key: Vec<bool> = nets.iter().map(|n| n.contains(&ip)).collect();
                let i = classes.iter().position(|c| c.0 == key).unwrap_or_else(|| {
                    classes.push((key, [Vec::new(), Vec::new()]));
                    classes.len() - 1
                });
                // One that somebody in another VPC has, or a NAT gateway, is the second choice.
                let taken = self.enis.iter().any(has) || self.nats.iter().any(|n| n.ips.contains(&ip));
                classes[i].1[usize::from(taken)].push(ip);
            }
            // Fronts of one vSwitch take different ones where they can.
            let one = |c: &(Vec<bool>, [Vec<IpAddr>; 2])| {
                let of = c.1.iter().find(|of| !of.is_empty())?;
                of.get(nth % of.len()).copied()
            };
            let mut own: Vec<IpAddr> = classes.iter().filter_map(one).collect();
            own.extend(self.own_ipv6(at, nth, &nets));
            self.enis[at].own = own;
            for &other in fronts.iter().take(nth) {
                let (a, b) = (&self.enis[at], &self.enis[other]);
                if a.groups != b.groups && a.own.iter().any(|ip| b.own.contains(ip)) {
                    return unsupported("two balancers send from one address");
                }
            }
        }
        Ok(())
    }

    fn all_chains(&self, w: &World) -> Res<Vec<Chain>> {
        let mut bare: Vec<Vec<Hand>> = Vec::new();
        for proto in [Proto::TCP, Proto::UDP] {
            for at in 0..self.enis.len() {
                for six in [false, true] {
                    self.extend((proto, six), &[], at, &mut bare)?;
                }
            }
        }
        let mut out = Vec::new();
        for (alike, hands) in bare.into_iter().enumerate() {
            let opens = hands.iter().any(|h| h.source.is_some());
            let ports: Vec<Option<u16>> = if opens {
                w.reply_ports.iter().copied().map(Some).collect()
            } else {
                vec![None]
            };
            for sport in ports {
                out.push(Chain {
                    hands: hands.clone(),
                    sport,
                    alike,
                });
            }
            if out.len() > MOST_CHAINS {
                return unsupported(format!("more than {MOST_CHAINS} ways through balancers"));
            }
        }
        Ok(out)
    }

    /// Every way on from `at`, if it is a front, of what comes to it as `takes`, to its IPv6 address or the other.
    fn extend(
        &self,
        (takes, six): (Proto, bool),
        before: &[Hand],
        at: usize,
        out: &mut Vec<Vec<Hand>>,
    ) -> Res<()> {
        let Some(b) = self.enis[at].front.filter(|_| self.has_family(at, six)) else {
            return Ok(());
        };
        let again = before.iter().any(|h| h.front == at);
        if again || before.len() >= MOST_FRONTS {
            return Ok(());
        }
        fn of(proto: Proto, s: &ServiceSet) -> &PortSet {
            if proto == Proto::TCP { &s.tcp } else { &s.udp }
        }
        for l in &self.balancers[b].listeners {
            let hears = of(takes, &l.services);
            if hears.is_empty() {
                continue;
            }
            for f in &l.forwards {
                let arrives: Vec<(Proto, Option<u16>)> = match &f.services {
                    None => vec![(takes, None)],
                    Some(s) => {
                        let both = [Proto::TCP, Proto::UDP].map(|p| (p, single(of(p, s))));
                        both.into_iter().filter(|(_, port)| port.is_some()).collect()
                    }
                };
                // None twice, and none is its own backend.
                let met = |to: usize| to == at || before.iter().any(|h| h.front == to);
                for ((to, ips), (sends, port)) in
                    f.to.iter()
                        .filter(|to| !met(to.0))
                        .flat_map(|to| arrives.iter().map(move |a| (to, *a)))
                {
                    let to = *to;
                    // 024, 10: within one family.
                    let preserves = f.preserves && six == f.six;
                    for (ip, source) in self.pairs(at, (to, ips), (before.is_empty(), f.six), preserves) {
                        let mut hands = before.to_vec();
                        hands.push(Hand {
                            front: at,
                            hears: hears.clone(),
                            takes,
                            sends,
                            six,
                            preserves,
                            to,
                            ip,
                            port,
                            source,
                        });
                        // The same backend may stand in several groups.
                        if out.contains(&hands) {
                            continue;
                        }
                        out.push(hands.clone());
                        if out.len() > MOST_CHAINS {
                            return unsupported(format!("more than {MOST_CHAINS} ways through balancers"));
                        }
                        self.extend((sends, f.six), &hands, to, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Addresses of a backend, of one family, with the sources that it may see. A first front also sends by itself (item 14).
    fn pairs(
        &self,
        front: usize,
        (to, ips): (usize, &[IpAddr]),
        (first, six): (bool, bool),
        preserves: bool,
    ) -> Vec<(IpAddr, Option<IpAddr>)> {
        // A HaVip moves, and what is handed on to a site goes by links.
        let own = self.enis[to].addresses.iter().filter(|a| a.ha_vip.is_none());
        let site = self.site_of(to).is_some();
        let targets = ips
            .iter()
            .filter(|ip| !site && own.clone().any(|a| a.net.contains(*ip)));
        let mut sources: Vec<Option<IpAddr>> = Vec::new();
        if preserves {
            sources.push(None);
        }
        if !preserves || first {
            let own = self.enis[front].own.iter().copied();
            sources.extend(own.filter(|ip| ip.is_ipv6() == six).map(Some));
        }
        let pair = |ip: IpAddr| sources.iter().map(move |s| (ip, *s)).collect::<Vec<_>>();
        targets.flat_map(|ip| pair(*ip)).collect()
    }

    /// The chains that a hand of some kind occurs in, by number.
    pub(crate) fn chains_with(&self, f: impl Fn(&Hand) -> bool) -> Vec<usize> {
        let all = self.chains.iter().enumerate();
        all.filter(|(_, c)| c.hands.iter().any(&f))
            .map(|(n, _)| n)
            .collect()
    }
}

/// What an address and a port are translated to.
fn translation(ip: IpAddr, port: Option<u16>) -> String {
    match (ip, port) {
        (IpAddr::V4(ip), Some(p)) => format!("ip to {ip}:{p}"),
        (IpAddr::V4(ip), None) => format!("ip to {ip}"),
        (IpAddr::V6(ip), Some(p)) => format!("ip6 to [{ip}]:{p}"),
        (IpAddr::V6(ip), None) => format!("ip6 to {ip}"),
    }
}

/// A match on any of some chains.
pub(crate) fn any_of(chains: &[usize]) -> String {
    let all: Vec<String> = chains.iter().map(ToString::to_string).collect();
    format!("{CHAIN} {{ {} }}", all.join(", "))
}

/// What is to be done in the namespace of a front.
pub(crate) fn front(p: &Plan, at: usize) -> Res<Script> {
    let e = &p.enis[at];
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    s.ip("link set dev lo up");
    s.device("eth0");
    for a in &e.addresses {
        let six = if a.net.addr().is_ipv6() { " nodad" } else { "" };
        s.ip(format!("address add {} dev eth0{six}", a.net));
    }
    // Replies to what it sends by itself end here.
    for ip in &e.own {
        s.ip(format!("route add local {ip} dev lo"));
    }
    // Answers to a client whose address it has used itself, because it changes the protocol, end here as well.
    let taken = format!("rule add pref 30 iif eth0 fwmark {TAKE:#x}/{TAKE:#x} lookup {TAKEN}");
    for all in ["0.0.0.0/0", "::/0"] {
        s.ip(format!("route add {all} dev eth0"));
        s.ip(format!("route add local {all} dev lo table {TAKEN}"));
    }
    s.ip(&taken);
    s.ip6(&taken);
    p.cables(at, &mut s);
    s.nft(ruleset(p, at)?);
    Ok(s)
}

fn ruleset(p: &Plan, at: usize) -> Res<String> {
    let e = &p.enis[at];
    let Some(b) = e.front.map(|b| &p.balancers[b]) else {
        return unsupported("a front without balancer");
    };
    // 7: groups of ALB and NLB, and behind them everything is accepted.
    let admitted = match b.kind {
        BalancerKind::Clb => "accept\n".to_string(),
        // 016, 3: there is no managed rule.
        BalancerKind::Endpoint => group_rules(p, at, true, "accept")? + "drop\n",
        BalancerKind::Alb | BalancerKind::Nlb => group_rules(p, at, true, "accept")? + "accept\n",
    };
    // 5, 6.
    let mut takes_in = String::new();
    for l in &b.listeners {
        let from = match &l.filter {
            Some((white, nets)) if !nets.is_empty() => {
                let lines: Vec<String> = nets.iter().map(|n| address("saddr", n)).collect();
                (*white, lines)
            }
            _ => (true, vec![String::new()]),
        };
        // 024, 6.
        let spared = match &l.filter {
            Some((true, nets)) => p.spares_ipv6(nets),
            _ => false,
        };
        for service in services(&l.services)? {
            if from.0 {
                for line in &from.1 {
                    let _ = writeln!(takes_in, "{service} {line} goto admitted");
                }
                if spared {
                    let _ = writeln!(takes_in, "{service} meta nfproto ipv6 goto admitted");
                }
            } else {
                // Two listeners do not share a port, so nothing behind this one admits what it turns away.
                for line in &from.1 {
                    let _ = writeln!(takes_in, "{service} {line} drop");
                }
                let _ = writeln!(takes_in, "{service} goto admitted");
            }
        }
    }
    let (mut inward, mut outward, mut near) = (String::new(), String::new(), String::new());
    for (n, c) in p.chains.iter().enumerate() {
        for h in c.hands.iter().filter(|h| h.front == at && !h.changes()) {
            let proto = if h.takes == Proto::TCP { "tcp" } else { "udp" };
            let ports: Vec<String> = h.hears.ranges().iter().map(|(l, h)| format!("{l}-{h}")).collect();
            let _ = writeln!(
                inward,
                "{CHAIN} {n} {proto} dport {{ {} }} dnat {}",
                ports.join(", "),
                translation(h.ip, h.port)
            );
            if let (Some(ip), Some(port)) = (h.source, c.sport) {
                let to = translation(ip, Some(port));
                let _ = writeln!(outward, "{CHAIN} {n} meta l4proto {proto} snat {to}");
            }
        }
    }
    // What it sends as itself is from here, wherever its client is.
    let opened = p.chains_with(|h| h.front == at && h.source.is_some());
    if b.kind == BalancerKind::Endpoint || p.sends_as_anyone(e) {
        // 016, 7, and 024, 11: from nobody knows where.
        for c in 0..p.choices() {
            let _ = writeln!(
                near,
                "ct direction original ip dscp {c} ip dscp set {}",
                c | ELSEWHERE
            );
        }
    } else if !opened.is_empty() {
        for c in 0..p.choices() {
            for family in p.families() {
                let _ = writeln!(
                    near,
                    "ct direction original {family} dscp {} {} {family} dscp set {c}",
                    c | ELSEWHERE,
                    any_of(&opened)
                );
            }
        }
    }
    let stage = if b.kind == BalancerKind::Alb {
        OPENED
    } else {
        HANDED
    };
    // As the backend of another front it answers to that one.
    let behind = p.chains_with(|h| h.to == at);
    let mut back = String::new();
    for family in p.families() {
        let _ = writeln!(back, "ct direction reply {family} ecn set not-ect");
        if !behind.is_empty() {
            let of = any_of(&behind);
            let _ = writeln!(back, "ct direction reply {of} {family} ecn set {BACK}");
        }
        let _ = writeln!(back, "ct direction original {family} ecn set {stage}");
    }
    let taken = p.chains_with(|h| h.front == at && h.changes() && h.source.is_none());
    let taken = match taken.as_slice() {
        [] => String::new(),
        all => format!("ct direction reply {} meta mark set {TAKE:#x}\n", any_of(all)),
    };
    let (links_in, links_out) = p.link_rules(at);
    let (joined, answered) = p.joined_rules(at);
    let quiet = only_probes();
    Ok(format!(
        "table inet t {{
chain admitted {{
{admitted}}}
chain takes_in {{
{takes_in}drop
}}
{quiet}
chain zone_in {{
type filter hook prerouting priority -300; policy accept;
{ZONES}
}}
chain zone_out {{
type filter hook output priority -300; policy accept;
{ZONES}
}}
chain listens {{
type filter hook prerouting priority -150; policy accept;
ct state established accept
jump takes_in
}}
chain led {{
type filter hook prerouting priority -140; policy accept;
{taken}{links_in}{joined}}}
chain linked {{
type route hook output priority -150; policy accept;
{links_out}}}
chain inward {{
type nat hook prerouting priority -100; policy accept;
{inward}}}
chain through {{
type filter hook forward priority 0; policy accept;
ct status & dnat != dnat drop
}}
chain outward {{
type nat hook postrouting priority 100; policy accept;
{outward}}}
chain stage {{
type filter hook postrouting priority 200; policy accept;
{back}{near}{answered}}}
}}"
    ))
}
