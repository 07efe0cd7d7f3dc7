//! Packets as bytes. Each carries the number of its probe in the place that the trackers of sessions use for
//! their zone: the identification of IPv4, the lower half of the flow label of IPv6. Probes so never meet in
//! a table of sessions, although many have the same ends and ports.

use bartizan_packet::Proto;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What the payload begins with.
const MAGIC: [u8; 4] = *b"btz1";
/// The number of a chain that none has.
pub(crate) const NO_CHAIN: u16 = 0xffff;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;

/// A packet of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pkt {
    /// Number of the probe, not 0.
    pub(crate) id: u16,
    /// Whether it is the answer.
    pub(crate) reply: bool,
    /// Which of the possible paths it asks for; in the DSCP field.
    pub(crate) choice: u8,
    /// The way through balancers that it asks for, or [`NO_CHAIN`]: the window of TCP, part of the payload of UDP.
    pub(crate) chain: u16,
    /// Which of several answers it is, by the way that it has taken through sites; 0 for the first.
    pub(crate) trail: u16,
    /// The two bits of congestion notification: how far it has come through balancers.
    pub(crate) stage: u8,
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    pub(crate) proto: Proto,
    pub(crate) sport: u16,
    pub(crate) dport: u16,
}

/// Protocols that mean something to the kernel's IP layer itself and cannot be sent as mere payload.
pub(crate) fn can_send(proto: Proto, dport: u16, v6: bool) -> Result<(), String> {
    match proto {
        Proto::TCP | Proto::UDP | Proto::GRE | Proto(50) => Ok(()),
        Proto::ICMP if !v6 && dport == 8 << 8 => Ok(()),
        Proto::ICMPV6 if v6 && dport == 128 << 8 => Ok(()),
        Proto::ICMP | Proto::ICMPV6 => Err("of ICMP only echo requests of the family are sent".into()),
        p => Err(format!("{p} is not sent")),
    }
}

fn sum(mut acc: u32, bytes: &[u8]) -> u32 {
    for pair in bytes.chunks(2) {
        let low = pair.get(1).copied().unwrap_or(0);
        acc += u32::from(u16::from_be_bytes([pair[0], low]));
    }
    acc
}

fn fold(mut acc: u32) -> u16 {
    while acc >> 16 != 0 {
        acc = (acc & 0xffff) + (acc >> 16);
    }
    // The carry is folded in, so it fits.
    !(acc as u16)
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

impl Pkt {
    fn mark(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(self.id.to_be_bytes());
        out.extend(self.chain.to_be_bytes());
        out.push(u8::from(self.reply));
        out.extend(self.trail.to_be_bytes());
        out
    }

    /// Everything behind the IP header.
    fn transport(&self) -> Vec<u8> {
        let ports = [self.sport.to_be_bytes(), self.dport.to_be_bytes()].concat();
        let id = u32::from(self.id);
        let (mut body, at) = match self.proto {
            Proto::TCP => {
                let (seq, ack, flags) = if self.reply {
                    (1_000_000, id + 1, SYN | ACK)
                } else {
                    (id, 0, SYN)
                };
                let mut b = ports;
                b.extend(u32::to_be_bytes(seq));
                b.extend(u32::to_be_bytes(ack));
                b.extend([5 << 4, flags]);
                b.extend(self.chain.to_be_bytes());
                b.extend([0, 0, 0, 0]);
                if self.trail != 0 {
                    b.extend(self.trail.to_be_bytes());
                }
                (b, Some(16))
            }
            Proto::UDP => {
                let mut b = ports;
                let payload = self.mark();
                b.extend((8 + payload.len() as u16).to_be_bytes());
                b.extend([0, 0]);
                b.extend(payload);
                (b, Some(6))
            }
            Proto::ICMP | Proto::ICMPV6 => {
                let kind = match (self.proto, self.reply) {
                    (Proto::ICMP, false) => 8,
                    (Proto::ICMP, true) => 0,
                    (_, false) => 128,
                    (_, true) => 129,
                };
                let [hi, lo] = self.id.to_be_bytes();
                let mut b = vec![kind, 0, 0, 0, hi, lo, 0, 1];
                b.extend(self.mark());
                (b, Some(2))
            }
            Proto::GRE => {
                // Version 0, no options, an experimental EtherType inside.
                let mut b = vec![0, 0, 0x88, 0xb5];
                b.extend(self.mark());
                (b, None)
            }
            _ => (self.mark(), None),
        };
        if let Some(at) = at {
            let mut acc = 0;
            if self.proto != Proto::ICMP {
                acc = sum(acc, &octets(self.src));
                acc = sum(acc, &octets(self.dst));
                acc += u32::from(self.proto.0) + body.len() as u32;
            }
            let checksum = match fold(sum(acc, &body)) {
                0 if self.proto == Proto::UDP => 0xffff,
                c => c,
            };
            body[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
        }
        body
    }

    /// The packet with its IP header. Length and checksum of an IPv4 header are the kernel's to fill in.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let body = self.transport();
        let [hi, lo] = self.id.to_be_bytes();
        let mut out = match (self.src, self.dst) {
            (IpAddr::V4(_), _) => {
                let total = (20 + body.len() as u16).to_be_bytes();
                vec![
                    0x45,
                    self.choice << 2 | self.stage,
                    total[0],
                    total[1],
                    hi,
                    lo,
                    0x40,
                    0,
                    64,
                    self.proto.0,
                    0,
                    0,
                ]
            }
            (IpAddr::V6(_), _) => {
                let class = self.choice << 2 | self.stage;
                let length = (body.len() as u16).to_be_bytes();
                vec![
                    0x60 | class >> 4,
                    (class & 0xf) << 4,
                    hi,
                    lo,
                    length[0],
                    length[1],
                    self.proto.0,
                    64,
                ]
            }
        };
        out.extend(octets(self.src));
        out.extend(octets(self.dst));
        out.extend(body);
        out
    }

    /// Reads what a raw socket for `proto` gave. Sockets of IPv6 give no header: `header` is what they say of it, the
    /// addresses and the traffic class. `None` for what no probe has sent.
    pub(crate) fn read(proto: Proto, data: &[u8], header: Option<(Ipv6Addr, Ipv6Addr, u8)>) -> Option<Pkt> {
        let (src, dst, class, body) = match header {
            Some((s, d, class)) => (IpAddr::V6(s), IpAddr::V6(d), class, data),
            None => {
                let header = usize::from(data.first()? & 0xf) * 4;
                let ip = |at: usize| {
                    let b: [u8; 4] = data.get(at..at + 4)?.try_into().ok()?;
                    Some(IpAddr::V4(Ipv4Addr::from(b)))
                };
                (ip(12)?, ip(16)?, *data.get(1)?, data.get(header..)?)
            }
        };
        let word = |at: usize| Some(u16::from_be_bytes(body.get(at..at + 2)?.try_into().ok()?));
        let mark = |at: usize| {
            let m = body.get(at..at + 11)?;
            let trail = u16::from_be_bytes([m[9], m[10]]);
            (m[..4] == MAGIC).then(|| (m[8] != 0, u16::from_be_bytes([m[4], m[5]]), trail))
        };
        let (mut sport, mut dport) = (0, 0);
        let (reply, id, trail) = match proto {
            Proto::TCP => {
                (sport, dport) = (word(0)?, word(2)?);
                let number = |at| u32::from_be_bytes([body[at], body[at + 1], body[at + 2], body[at + 3]]);
                match *body.get(13)? {
                    SYN => (false, u16::try_from(number(4)).ok()?, 0),
                    f if f == SYN | ACK => {
                        let id = u16::try_from(number(8).checked_sub(1)?).ok()?;
                        (true, id, word(20).unwrap_or(0))
                    }
                    _ => return None,
                }
            }
            Proto::UDP => {
                (sport, dport) = (word(0)?, word(2)?);
                mark(8)?
            }
            Proto::ICMP | Proto::ICMPV6 => {
                let (reply, id, trail) = mark(8)?;
                let answers = matches!(body.first(), Some(0 | 129));
                if reply != answers {
                    return None;
                }
                (reply, id, trail)
            }
            Proto::GRE => mark(4)?,
            _ => mark(0)?,
        };
        Some(Pkt {
            id,
            reply,
            choice: class >> 2,
            chain: NO_CHAIN,
            trail,
            stage: class & 3,
            src,
            dst,
            proto,
            sport,
            dport,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let ends: [(IpAddr, IpAddr); 2] = [
            ("10.0.0.1".parse().unwrap(), "47.0.0.1".parse().unwrap()),
            ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap()),
        ];
        for (src, dst) in ends {
            for proto in [
                Proto::TCP,
                Proto::UDP,
                Proto::ICMP,
                Proto::ICMPV6,
                Proto::GRE,
                Proto(50),
            ] {
                for reply in [false, true] {
                    let (sport, dport) = if proto.has_ports() { (7, 443) } else { (0, 0) };
                    let p = Pkt {
                        id: 4711,
                        reply,
                        choice: 0,
                        chain: NO_CHAIN,
                        trail: if reply { 3 } else { 0 },
                        stage: 0,
                        src,
                        dst,
                        proto,
                        sport,
                        dport,
                    };
                    let bytes = p.bytes();
                    let read = match (src, dst) {
                        (IpAddr::V6(s), IpAddr::V6(d)) => Pkt::read(proto, &bytes[40..], Some((s, d, 0))),
                        _ => Pkt::read(proto, &bytes, None),
                    };
                    assert_eq!(read, Some(p));
                }
            }
        }
    }

    #[test]
    fn checksums_are_those_of_the_books() {
        // The example of RFC 1071: the sum of these words is ddf2.
        let words = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(fold(sum(0, &words)), !0xddf2);
    }
}
