//! Sending probes and watching where they come out.

use super::KernelError;
use super::balancer::{BACK_BITS, Chain};
use super::filter::PROBE_MARK;
use super::netns::Netns;
use super::packet::{NO_CHAIN, Pkt, can_send};
use super::plan::Plan;
use super::{Probe, Verdict};
use crate::Endpoint;
use bartizan_model::DnatProtocol;
use bartizan_packet::Proto;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::sockopt::{Ipv6RecvPacketInfo, Ipv6RecvTClass};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrIn6, SockaddrStorage, recvfrom, recvmsg, setsockopt,
};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::collections::{BTreeMap, BTreeSet};
use std::io::IoSliceMut;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

/// How many packets are sent before the receivers are read: less than a buffer holds.
const BURST: usize = 64;

const TOO_MANY: &str = "too many packets for one network";
/// Why a way is not tried.
const UNCHAINED: &str = "a backend that is a site or a HaVip";
/// The same.
const OVERLAP: &str = "one end has the address of the other, too (overlapping VPCs)";

/// The sockets of a namespace that sends and receives.
pub(crate) struct Station {
    senders: [Socket; 2],
    receivers: Vec<Receiver>,
}

struct Receiver {
    proto: Proto,
    v6: bool,
    /// Of a site: the link that it listens at.
    link: Option<usize>,
    socket: Socket,
}

/// Of a packet over IPv6 the addresses and the traffic class, which a raw socket gives beside its contents.
type Header = (Ipv6Addr, Ipv6Addr, u8);

impl Receiver {
    /// The next packet: how long it is, and its header where the contents have none.
    fn receive(&self, buffer: &mut [u8]) -> Result<(usize, Option<Header>), Errno> {
        let fd = self.socket.as_raw_fd();
        if !self.v6 {
            return recvfrom::<SockaddrStorage>(fd, buffer).map(|(n, _)| (n, None));
        }
        let mut space = nix::cmsg_space!(nix::libc::in6_pktinfo, i32);
        let mut parts = [IoSliceMut::new(buffer)];
        let got = recvmsg::<SockaddrIn6>(fd, &mut parts, Some(&mut space), MsgFlags::empty())?;
        let (mut to, mut class) = (Ipv6Addr::UNSPECIFIED, 0);
        for c in got.cmsgs()? {
            match c {
                ControlMessageOwned::Ipv6PacketInfo(i) => to = Ipv6Addr::from(i.ipi6_addr.s6_addr),
                // It is one byte.
                ControlMessageOwned::Ipv6TClass(c) => class = c as u8,
                _ => {}
            }
        }
        let from = got.address.map_or(Ipv6Addr::UNSPECIFIED, |a| a.ip());
        Ok((got.bytes, Some((from, to, class))))
    }
}

fn failed(what: &'static str) -> impl FnOnce(std::io::Error) -> KernelError {
    move |e| KernelError::Machine(format!("{what}: {e}"))
}

impl Station {
    /// Opens the sockets that probes of these protocols need.
    pub(crate) fn open(
        ns: &Netns,
        protocols: &[(Proto, bool)],
        links: &[usize],
    ) -> Result<Station, KernelError> {
        let raw = |v6: bool, number: u8| {
            let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
            let s = Socket::new(domain, Type::RAW, Some(Protocol::from(i32::from(number))))?;
            s.set_nonblocking(true)?;
            s.set_mark(PROBE_MARK)?;
            Ok::<Socket, std::io::Error>(s)
        };
        let open = || {
            let (four, six) = (raw(false, 255)?, raw(true, 255)?);
            four.set_header_included_v4(true)?;
            six.set_header_included_v6(true)?;
            let mut receivers = Vec::new();
            let devices: Vec<Option<usize>> = match links {
                [] => vec![None],
                all => all.iter().copied().map(Some).collect(),
            };
            for (&(proto, v6), link) in protocols
                .iter()
                .flat_map(|p| devices.iter().map(move |d| (p, *d)))
            {
                let socket = raw(v6, proto.0)?;
                // The kernel caps it; bursts are sized for the default.
                socket.set_recv_buffer_size(1 << 20)?;
                if v6 {
                    setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
                    setsockopt(&socket, Ipv6RecvTClass, &true)?;
                }
                if let Some(n) = link {
                    socket.bind_device(Some(format!("k{n}").as_bytes()))?;
                }
                receivers.push(Receiver {
                    proto,
                    v6,
                    link,
                    socket,
                });
            }
            Ok(Station {
                senders: [four, six],
                receivers,
            })
        };
        ns.within(open)?.map_err(failed("raw sockets"))
    }

    pub(super) fn send(&self, p: &Pkt) -> Result<(), KernelError> {
        self.send_by(p, 0)
    }

    /// Sends with a mark that says by which link.
    pub(super) fn send_by(&self, p: &Pkt, link: u32) -> Result<(), KernelError> {
        let socket = &self.senders[usize::from(p.dst.is_ipv6())];
        let to = SockAddr::from(SocketAddr::new(p.dst, 0));
        socket
            .set_mark(PROBE_MARK | u32::from(p.choice) << 8 | link)
            .map_err(failed("the mark of a packet"))?;
        match socket.send_to(&p.bytes(), &to) {
            // The filter on the way out has dropped it.
            Err(e) if e.raw_os_error() == Some(Errno::EPERM as i32) => Ok(()),
            Err(e) => Err(KernelError::Machine(format!("{p:?} cannot be sent: {e}"))),
            Ok(_) => Ok(()),
        }
    }
}

/// Chains alike, the choice, and where the packet is sent to.
pub(super) type Alike = (usize, usize, IpAddr, u16);

/// One packet on its way, and what has become of it.
pub(super) struct Attempt {
    pub(super) probe: usize,
    pub(super) packet: Pkt,
    /// Of one that goes through balancers: the same for those that differ in the ports of balancers only.
    pub(super) alike: Option<Alike>,
    pub(super) delivered: bool,
    pub(super) replied: bool,
    /// Fronts that have taken it in to change its protocol, with the packet as they saw it.
    pub(super) changed: Vec<(usize, Pkt)>,
    /// The links by which sites send it on, one after the other; what comes behind is found out on the way.
    pub(super) script: Vec<usize>,
    /// How many of them it has taken.
    pub(super) step: usize,
    /// The links that it has crossed, in both directions: none twice (014, 6).
    pub(super) crossed: Vec<usize>,
    /// The addresses that it had then: another pair is another packet.
    pub(super) seen: (IpAddr, IpAddr),
    /// The same of its answers, by number.
    pub(super) trails: Vec<((IpAddr, IpAddr), Vec<usize>)>,
    /// There were more ways than are tried.
    pub(super) cut: bool,
}

/// The stations of a network: interfaces, then the Internet.
pub(crate) struct Range<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) stations: &'a [Station],
    /// How long nothing has to be heard before all has been heard.
    pub(crate) quiet: Duration,
    /// The number of the last packet that was sent before: numbers are the zones of sessions, which outlive a question.
    pub(crate) before: u16,
}

struct End {
    station: usize,
    ip: IpAddr,
    /// The HaVip that it is, and its holder.
    held: Option<(usize, usize)>,
}

impl Range<'_> {
    fn end(&self, e: Endpoint) -> Result<End, String> {
        match e {
            Endpoint::Outside(ip) if self.plan.owned.contains(&ip) => {
                Err("an outside address that the inventory owns".into())
            }
            Endpoint::Outside(ip) => Ok(End {
                station: self.plan.enis.len(),
                ip,
                held: None,
            }),
            Endpoint::Address {
                interface,
                address,
                ip,
            } => {
                let eni = self.plan.enis.get(interface.index());
                let a = eni.and_then(|e| e.addresses.get(address as usize));
                let a = a.ok_or("an endpoint that does not exist")?;
                Ok(End {
                    station: interface.index(),
                    ip,
                    held: a.ha_vip.map(|h| (h, interface.index())),
                })
            }
        }
    }

    /// Addresses and ports by which an endpoint may be reached, its own first.
    fn doors(&self, e: &End, p: &Probe) -> Vec<(IpAddr, u16)> {
        let mut out = vec![(e.ip, p.dport)];
        let Some(eni) = self.plan.enis.get(e.station) else {
            return out;
        };
        let own = |at: usize| eni.addresses.get(at).is_some_and(|a| a.net.contains(&e.ip));
        out.extend(
            eni.public
                .iter()
                .filter(|(_, at)| own(*at))
                .map(|(ip, _)| (*ip, p.dport)),
        );
        let outside = matches!(p.src, Endpoint::Outside(_));
        // 020: NAT IPs are no addresses of the Internet, and an entry sends on to its own VPC.
        let possible = |n: &&super::nat::Nat| n.internet || !outside && n.vpc == eni.vpc;
        for d in self.plan.nats.iter().filter(possible).flat_map(|n| &n.dnat) {
            let carried = match d.protocol {
                DnatProtocol::Tcp => p.proto == Proto::TCP,
                DnatProtocol::Udp => p.proto == Proto::UDP,
                DnatProtocol::Any => true,
            };
            let port = match d.ports {
                None => Some(p.dport),
                Some(m) if (m.internal.0..=m.internal.1).contains(&p.dport) => {
                    m.external.0.checked_add(p.dport - m.internal.0)
                }
                Some(_) => None,
            };
            if let Some(port) = port.filter(|_| carried && d.target == e.ip) {
                out.push((d.external, port));
            }
        }
        out
    }

    /// Whether who holds a HaVip in a combination is the one that a probe means.
    fn suits(&self, choice: usize, ends: [&End; 2]) -> bool {
        ends.iter().filter_map(|e| e.held).all(|(h, holder)| {
            let held = self.plan.picked(&self.plan.ha_vips[h].holders, choice);
            held == Some(holder)
        })
    }

    /// Whether what a balancer hands on to an address is not among the chains: a site or a HaVip.
    fn unchained(&self, e: &End) -> bool {
        let eni = self.plan.enis.get(e.station);
        let at = eni.and_then(|x| x.addresses.iter().find(|x| x.net.contains(&e.ip)));
        self.plan.site_of(e.station).is_some() || at.is_some_and(|x| x.ha_vip.is_some())
    }

    /// Everything that is to be sent for a probe. Says why, if there are ways that cannot be tried: what arrives by
    /// the others has arrived all the same.
    fn attempts(&self, n: usize, p: &Probe, out: &mut Vec<Attempt>) -> Result<Option<String>, String> {
        let (a, b) = (self.end(p.src)?, self.end(p.dst)?);
        if a.station == b.station {
            return Err("two ends of one interface".into());
        }
        let has = |e: &End, ip: IpAddr| {
            let eni = self.plan.enis.get(e.station);
            eni.is_some_and(|e| e.addresses.iter().any(|a| a.net.contains(&ip)))
        };
        // An operating system sends to itself what has its own address, and takes nothing from it.
        let overlap = has(&a, b.ip) || has(&b, a.ip);
        let mut gap = overlap.then(|| OVERLAP.to_string());
        can_send(p.proto, p.dport, a.ip.is_ipv6())?;
        let outside = a.station == self.plan.enis.len();
        // A balancer opens no connections but those of its chains.
        let front = self.plan.enis.get(a.station).is_some_and(|e| e.front.is_some());
        if !front {
            for (dst, dport) in self.doors(&b, p) {
                // Nobody on the Internet can send to a private address. That of a balancer in no vSwitch is public.
                let public = self.plan.enis.get(b.station).is_some_and(|e| e.detached);
                let own = outside && dst.is_ipv4() && dst == b.ip && !public;
                if dst == a.ip || own || dst.is_ipv6() != a.ip.is_ipv6() {
                    continue;
                }
                let packet = Pkt {
                    id: 0,
                    reply: false,
                    choice: 0,
                    chain: NO_CHAIN,
                    trail: 0,
                    stage: 0,
                    src: a.ip,
                    dst,
                    proto: p.proto,
                    sport: p.sport,
                    dport,
                };
                self.attempt(n, packet, None, [&a, &b], out)?;
            }
        }
        let handed = |f: &super::balancer::Balancer| f.hands_to(b.station, b.ip);
        if self.unchained(&b) && self.plan.balancers.iter().any(handed) {
            gap = Some(UNCHAINED.into());
        }
        let ends = |c: &Chain| {
            let last = c.hands.last();
            last.is_some_and(|h| h.to == b.station && h.sends == p.proto)
        };
        for (number, c) in self.plan.chains.iter().enumerate().filter(|(_, c)| ends(c)) {
            if let Some(why) = self.chain(n, p, (number, c), [&a, &b], out)? {
                gap = Some(why);
            }
        }
        Ok(gap)
    }

    /// The attempts of a probe by one chain.
    fn chain(
        &self,
        n: usize,
        p: &Probe,
        (number, c): (usize, &Chain),
        [a, b]: [&End; 2],
        out: &mut Vec<Attempt>,
    ) -> Result<Option<String>, String> {
        let (Some(first), Some(last)) = (c.hands.first(), c.hands.last()) else {
            return Ok(None);
        };
        let own = first.front == a.station;
        // A balancer is nobody's client but by its own chains.
        let balancer = self.plan.enis.get(a.station).is_some_and(|e| e.front.is_some());
        let passes = c
            .hands
            .iter()
            .skip(usize::from(own))
            .any(|h| h.front == a.station);
        // What a front sends by itself is among what it sends to clients of the backend's family, if it has any.
        let six = first.ip.is_ipv6();
        let twice = first.six != six && self.plan.has_family(first.front, six);
        let alone = first.source.is_some() && !twice;
        let relayed = !balancer && c.relays() && first.six == a.ip.is_ipv6();
        if passes || last.ip != b.ip || (own && !alone) || (!own && !relayed) {
            return Ok(None);
        }
        let same = |h: &super::balancer::Hand| {
            let [f, t] = [h.front, h.to].map(|i| &self.plan.enis[i]);
            f.vpc == t.vpc || !f.detached
        };
        if !c.hands.iter().all(same) {
            return Ok(Some(
                "a balancer in no vSwitch with a backend in another VPC".into(),
            ));
        }
        // Who has an address does not take packets from it.
        let opened = c.hands.iter().filter_map(|h| h.source.map(|ip| (h.front, ip)));
        let met: Vec<usize> = c.hands.iter().flat_map(|h| [h.front, h.to]).collect();
        let has = |e: usize, ip: &IpAddr| {
            let e = &self.plan.enis[e];
            e.own.contains(ip) || e.addresses.iter().any(|x| x.net.contains(ip))
        };
        let taken = opened
            .chain([(a.station, a.ip)])
            .any(|(of, ip)| met.iter().any(|e| *e != of && has(*e, &ip)));
        // Nor does it send to an address of its own.
        let own_front = self.plan.enis[first.front].addresses.iter();
        let client = self.plan.enis.get(a.station).filter(|_| !own);
        let kept = client.is_some() && own_front.map(|x| x.net.addr()).any(|ip| has(a.station, &ip));
        if taken || kept || c.hands.iter().any(|h| has(h.front, &h.ip)) {
            return Ok(Some(OVERLAP.into()));
        }
        let number16 = u16::try_from(number).map_err(|_| "too many ways through balancers")?;
        for port in c.ports(own, p.dport) {
            let mut packet = Pkt {
                id: 0,
                reply: false,
                choice: 0,
                chain: number16,
                trail: 0,
                stage: 0,
                src: a.ip,
                dst: first.ip,
                proto: if own { first.sends } else { first.takes },
                sport: p.sport,
                dport: port,
            };
            if own {
                packet.src = first.source.unwrap_or(a.ip);
                packet.sport = c.sport.unwrap_or(p.sport);
                self.attempt(n, packet, Some(c), [a, b], out)?;
                continue;
            }
            let front = &self.plan.enis[first.front];
            let outside = a.station == self.plan.enis.len();
            let all = front.addresses.iter().map(|x| x.net.addr());
            for ip in all.filter(|ip| ip.is_ipv6() == first.six) {
                let end = End {
                    station: first.front,
                    ip,
                    held: None,
                };
                for (dst, dport) in self.doors(&end, &Probe { dport: port, ..*p }) {
                    let own = outside && dst.is_ipv4() && dst == ip && !front.detached;
                    if dst == a.ip || own {
                        continue;
                    }
                    let packet = Pkt { dst, dport, ..packet };
                    self.attempt(n, packet, Some(c), [a, b], out)?;
                }
            }
        }
        let all = c.hands.iter().any(|h| self.plan.enis[h.front].cannot_show_all);
        Ok(all.then(|| "the one address that an endpoint would have to use is somebody's".to_string()))
    }

    /// One packet in every combination of what the cloud picks.
    fn attempt(
        &self,
        n: usize,
        packet: Pkt,
        chain: Option<&Chain>,
        ends: [&End; 2],
        out: &mut Vec<Attempt>,
    ) -> Result<(), String> {
        // A site sends by any of its links.
        let scripts: Vec<Vec<usize>> = match self.plan.site_of(ends[0].station) {
            None => vec![Vec::new()],
            Some(s) => self.plan.links_out(s).into_iter().map(|l| vec![l]).collect(),
        };
        for choice in (0..self.plan.choices()).filter(|c| self.suits(*c, ends)) {
            for script in &scripts {
                let id = self.number(out.len()).ok_or(TOO_MANY)?;
                out.push(Attempt {
                    probe: n,
                    // There are at most 32 choices.
                    packet: Pkt {
                        id,
                        choice: choice as u8,
                        ..packet
                    },
                    alike: chain.map(|c| (c.alike, choice, packet.dst, packet.dport)),
                    delivered: false,
                    replied: false,
                    changed: Vec::new(),
                    script: script.clone(),
                    step: 0,
                    crossed: Vec::new(),
                    seen: (packet.src, packet.dst),
                    trails: Vec::new(),
                    cut: false,
                });
            }
        }
        Ok(())
    }

    /// The number of the packet behind `sent` others.
    fn number(&self, sent: usize) -> Option<u16> {
        u16::try_from(usize::from(self.before) + sent + 1).ok()
    }

    /// Sends what has not been sent, and reads what comes in every now and then.
    fn send_from(
        &self,
        next: &mut usize,
        probes: &[Probe],
        attempts: &mut Vec<Attempt>,
        sent: &mut u64,
    ) -> Result<(), KernelError> {
        while let Some(a) = attempts.get_mut(*next) {
            *next += 1;
            if let Ok(from) = self.end(probes[a.probe].src) {
                // A site may send by the link of another.
                match a
                    .script
                    .first()
                    .copied()
                    .filter(|_| self.plan.site_of(from.station).is_some())
                {
                    Some(l) => {
                        a.step = 1;
                        a.crossed.push(l);
                        let packet = a.packet;
                        self.send_over(l, &packet)?;
                    }
                    None => self.stations[from.station].send(&a.packet)?,
                }
                *sent += 1;
            }
            if next.is_multiple_of(BURST) {
                self.listen(probes, attempts, sent)?;
            }
        }
        Ok(())
    }

    /// Sends every probe in every way in which it may arrive and says what arrived and what was answered.
    /// Returns the verdicts, the number of packets sent and the number of the last one.
    pub(crate) fn ask(&self, probes: &[Probe]) -> Result<(Vec<Verdict>, u64, u16), KernelError> {
        let mut verdicts = Vec::with_capacity(probes.len());
        let mut attempts = Vec::new();
        let mut gaps = Vec::with_capacity(probes.len());
        for (n, p) in probes.iter().enumerate() {
            let tried = self.attempts(n, p, &mut attempts);
            gaps.push(tried.as_ref().ok().cloned().flatten());
            verdicts.push(match tried {
                Ok(_) => Verdict::Seen {
                    delivered: false,
                    reply: false,
                },
                Err(why) => Verdict::Skipped(why),
            });
        }
        let (mut sent, mut next) = (0, 0);
        self.send_from(&mut next, probes, &mut attempts, &mut sent)?;
        let mut fds: Vec<PollFd<'_>> = Vec::new();
        for s in self.stations {
            let sockets = s.receivers.iter();
            fds.extend(sockets.map(|r| PollFd::new(r.socket.as_fd(), PollFlags::POLLIN)));
        }
        let mut last = Instant::now();
        while last.elapsed() < self.quiet {
            if self.listen(probes, &mut attempts, &mut sent)? {
                self.send_from(&mut next, probes, &mut attempts, &mut sent)?;
                last = Instant::now();
            } else {
                // Interrupted or not: what is there is read above.
                let left = self.quiet.saturating_sub(last.elapsed()).as_millis();
                let left = u16::try_from(left).unwrap_or(u16::MAX);
                let _ = poll(&mut fds, PollTimeout::from(left));
            }
        }
        // Of attempts that differ in the ports of balancers only, all have to be answered, by whatever way through sites.
        let mut by_port: BTreeMap<(usize, Alike, u16), bool> = BTreeMap::new();
        for a in &attempts {
            if a.cut {
                gaps[a.probe] = Some(TOO_MANY.into());
            }
            if let Some(Verdict::Seen { delivered, reply }) = verdicts.get_mut(a.probe) {
                *delivered |= a.delivered;
                match a.alike {
                    None => *reply |= a.replied,
                    Some(k) => *by_port.entry((a.probe, k, a.packet.chain)).or_default() |= a.replied,
                }
            }
        }
        let mut answered: BTreeMap<(usize, Alike), bool> = BTreeMap::new();
        for ((probe, alike, _), yes) in by_port {
            *answered.entry((probe, alike)).or_insert(true) &= yes;
        }
        for ((probe, _), all) in answered {
            if let Some(Verdict::Seen { reply, .. }) = verdicts.get_mut(probe) {
                *reply |= all;
            }
        }
        // What has been seen is seen; what has not might have been by a way that was not tried.
        for (v, gap) in verdicts.iter_mut().zip(gaps) {
            let whole = matches!(
                v,
                Verdict::Seen {
                    delivered: true,
                    reply: true
                }
            );
            if let Some(why) = gap.filter(|_| !whole && matches!(v, Verdict::Seen { .. })) {
                *v = Verdict::Skipped(why);
            }
        }
        let last = attempts.last().map_or(self.before, |a| a.packet.id);
        Ok((verdicts, sent, last))
    }

    /// Reads everything that has come in and answers what has arrived. Whether there was anything.
    fn listen(
        &self,
        probes: &[Probe],
        attempts: &mut Vec<Attempt>,
        sent: &mut u64,
    ) -> Result<bool, KernelError> {
        let mut heard = false;
        let mut buffer = [0u8; 2048];
        for (at, s) in self.stations.iter().enumerate() {
            for r in &s.receivers {
                loop {
                    let (n, header) = match r.receive(&mut buffer) {
                        Ok(got) => got,
                        Err(Errno::EAGAIN) => break,
                        Err(e) => return Err(KernelError::Machine(format!("a raw socket: {e}"))),
                    };
                    heard = true;
                    let data = buffer.get(..n).unwrap_or_default();
                    let Some(seen) = Pkt::read(r.proto, data, header) else {
                        continue;
                    };
                    self.hear(at, r, seen, probes, attempts, sent)?;
                }
            }
        }
        Ok(heard)
    }

    fn hear(
        &self,
        mut at: usize,
        by: &Receiver,
        seen: Pkt,
        probes: &[Probe],
        attempts: &mut Vec<Attempt>,
        sent: &mut u64,
    ) -> Result<(), KernelError> {
        let proto = by.proto;
        let number = usize::from(seen.id).checked_sub(usize::from(self.before) + 1);
        let all = attempts.len();
        let Some(a) = number.and_then(|i| attempts.get_mut(i)) else {
            return Ok(());
        };
        if self.change(at, &seen, a)? {
            *sent += 1;
            return Ok(());
        }
        let probe = &probes[a.probe];
        let (Ok(src), Ok(dst)) = (self.end(probe.src), self.end(probe.dst)) else {
            return Ok(());
        };
        if let Some(link) = by.link {
            let mut more = Vec::new();
            let home = self.at_site(link, &seen, [src.station, dst.station], a, &mut more, sent)?;
            for (n, mut m) in more.into_iter().enumerate() {
                match self.number(all + n) {
                    Some(id) => {
                        m.packet.id = id;
                        attempts.push(m);
                    }
                    None => {
                        if let Some(a) = number.and_then(|i| attempts.get_mut(i)) {
                            a.cut = true;
                        }
                    }
                }
            }
            let Some(home) = home else { return Ok(()) };
            at = home;
        }
        let Some(a) = number.and_then(|i| attempts.get_mut(i)) else {
            return Ok(());
        };
        if seen.reply {
            let of = &a.packet;
            let fits = at == src.station
                && seen.proto == of.proto
                && seen.dst == of.src
                && seen.src == of.dst
                && (!proto.has_ports() || (seen.sport, seen.dport) == (of.dport, of.sport));
            a.replied |= fits && a.delivered;
            return Ok(());
        }
        let arrived = at == dst.station
            && proto == probe.proto
            && seen.dst == dst.ip
            && (!proto.has_ports() || seen.dport == probe.dport);
        if !arrived || a.delivered {
            return Ok(());
        }
        a.delivered = true;
        let via = a.packet.chain;
        let links = self.plan.site_of(at).map(|s| self.plan.links_out(s));
        for choice in (0..self.plan.choices()).filter(|c| self.suits(*c, [&src, &dst])) {
            let answer = Pkt {
                reply: true,
                choice: choice as u8,
                chain: via,
                trail: 0,
                stage: if via == NO_CHAIN { 0 } else { BACK_BITS },
                src: dst.ip,
                dst: seen.src,
                sport: seen.dport,
                dport: seen.sport,
                ..seen
            };
            let Some(links) = &links else {
                self.stations[at].send(&answer)?;
                *sent += 1;
                continue;
            };
            for &l in links {
                if let Some(trail) = self.trail(a, (answer.src, answer.dst), vec![l]) {
                    self.send_over(l, &Pkt { trail, ..answer })?;
                    *sent += 1;
                } else {
                    a.cut = true;
                }
            }
        }
        Ok(())
    }
}

/// The protocols that probes need, by family.
pub(crate) fn protocols(plan: &Plan, probes: &[Probe]) -> Vec<(Proto, bool)> {
    let v6 = |e: &Endpoint| match e {
        Endpoint::Address { ip, .. } | Endpoint::Outside(ip) => ip.is_ipv6(),
    };
    let ends = probes
        .iter()
        .flat_map(|p| [&p.src, &p.dst].map(|e| (p.proto, v6(e))));
    let possible = |(p, six): &(Proto, bool)| *p != if *six { Proto::ICMP } else { Proto::ICMPV6 };
    let mut all: BTreeSet<(Proto, bool)> = ends.filter(possible).collect();
    let hands = plan.chains.iter().flat_map(|c| &c.hands);
    all.extend(hands.flat_map(|h| [(h.takes, h.six), (h.sends, h.ip.is_ipv6())]));
    all.into_iter().collect()
}
