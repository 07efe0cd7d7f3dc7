//! One concrete packet.

use crate::Proto;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// One concrete packet, the first of a flow unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Packet {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// Protocol.
    pub proto: Proto,
    /// Source port; 0 for protocols without ports.
    pub sport: u16,
    /// Destination port, or `type * 256 + code` of ICMP; 0 for other protocols.
    pub dport: u16,
}

impl Packet {
    /// The packet that answers this one: addresses and ports swapped. An ICMP echo request is answered by
    /// an echo reply; other ICMP messages keep their type, as nothing in this model tells types apart.
    #[must_use]
    pub fn reply(self) -> Packet {
        let (sport, dport) = match self.proto {
            Proto::ICMP => (0, if self.dport >> 8 == 8 { 0 } else { self.dport }),
            Proto::ICMPV6 => (
                0,
                if self.dport >> 8 == 128 {
                    129 << 8
                } else {
                    self.dport
                },
            ),
            _ => (self.dport, self.sport),
        };
        Packet {
            src: self.dst,
            dst: self.src,
            proto: self.proto,
            sport,
            dport,
        }
    }
}

impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.src)?;
        if self.sport != 0 {
            write!(f, ":{}", self.sport)?;
        }
        write!(f, " > {} {}", self.dst, self.proto)?;
        match self.proto {
            p if p.has_ports() => write!(f, "/{}", self.dport),
            p if p.has_types() => write!(f, "/{}.{}", self.dport >> 8, self.dport & 255),
            _ => Ok(()),
        }
    }
}

/// A text that is not a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsePacketError(pub String);

impl fmt::Display for ParsePacketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for ParsePacketError {}

impl FromStr for Packet {
    type Err = ParsePacketError;

    /// Reads `SRC[:SPORT] > DST PROTO[/DPORT]`, as `1.2.3.4:40000 > 10.0.1.5 tcp/22`. Ports of IPv6
    /// sources are written `[2001:db8::1]:40000`.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let bad = || {
            ParsePacketError(format!(
                "`{s}` is not a packet such as `1.2.3.4 > 10.0.1.5 tcp/22`"
            ))
        };
        let (src, rest) = s.split_once('>').ok_or_else(bad)?;
        let (src, rest) = (src.trim(), rest.trim());
        let (dst, svc) = rest.split_once(' ').ok_or_else(bad)?;
        let (src, sport) = match src.parse::<IpAddr>() {
            Ok(ip) => (ip, 0),
            Err(_) => {
                let sa: std::net::SocketAddr = src.parse().map_err(|_| bad())?;
                (sa.ip(), sa.port())
            }
        };
        let svc: crate::ServiceSet = svc.trim().parse().map_err(|_| bad())?;
        let (proto, dport) = svc.first().ok_or_else(bad)?;
        Ok(Packet {
            src,
            dst: dst.parse().map_err(|_| bad())?,
            proto,
            sport,
            dport,
        })
    }
}
