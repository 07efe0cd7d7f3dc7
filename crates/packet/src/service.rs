//! Sets of services: protocol with destination port, or ICMP type and code, or the protocol as a whole.

use crate::{IntervalSet, PortSet};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// An IP protocol number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Proto(pub u8);

impl Proto {
    /// ICMP for IPv4.
    pub const ICMP: Proto = Proto(1);
    /// TCP.
    pub const TCP: Proto = Proto(6);
    /// UDP.
    pub const UDP: Proto = Proto(17);
    /// GRE.
    pub const GRE: Proto = Proto(47);
    /// ICMP for IPv6.
    pub const ICMPV6: Proto = Proto(58);

    /// Whether the protocol has ports in this model.
    #[must_use]
    pub fn has_ports(self) -> bool {
        self == Proto::TCP || self == Proto::UDP
    }
    /// Whether the protocol has a type and a code.
    #[must_use]
    pub fn has_types(self) -> bool {
        self == Proto::ICMP || self == Proto::ICMPV6
    }
}

impl fmt::Display for Proto {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("icmp"),
            6 => f.write_str("tcp"),
            17 => f.write_str("udp"),
            47 => f.write_str("gre"),
            58 => f.write_str("icmpv6"),
            n => write!(f, "proto-{n}"),
        }
    }
}

impl FromStr for Proto {
    type Err = ParseServiceError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s {
            "icmp" => Proto::ICMP,
            "tcp" => Proto::TCP,
            "udp" => Proto::UDP,
            "gre" => Proto::GRE,
            "icmpv6" => Proto::ICMPV6,
            _ => Proto(
                s.strip_prefix("proto-")
                    .and_then(|n| n.parse().ok())
                    .ok_or_else(|| ParseServiceError(format!("`{s}` is not a protocol")))?,
            ),
        })
    }
}

/// A text that is not a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseServiceError(pub String);

impl fmt::Display for ParseServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for ParseServiceError {}

/// A set of services.
///
/// TCP and UDP are sets of destination ports, ICMP and ICMPv6 sets of `type * 256 + code`, every other
/// protocol is in or out as a whole. Text form: `tcp/22`, `tcp/8000-9000`, `udp`, `icmp/8`, `icmp/3.4`,
/// `gre`, `proto-50`, `any`, joined by `, `.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServiceSet {
    /// Destination ports of TCP.
    pub tcp: PortSet,
    /// Destination ports of UDP.
    pub udp: PortSet,
    /// `type * 256 + code` of ICMP.
    pub icmp: IntervalSet<u16>,
    /// `type * 256 + code` of ICMPv6.
    pub icmpv6: IntervalSet<u16>,
    /// Other protocols by number. INVARIANT (canonical): never contains 1, 6, 17 or 58.
    pub other: IntervalSet<u8>,
}

fn other_protocols() -> IntervalSet<u8> {
    IntervalSet::from_ranges([(0, 0), (2, 5), (7, 16), (18, 57), (59, 255)])
}

impl ServiceSet {
    /// No service.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }
    /// Every service of every protocol.
    #[must_use]
    pub fn any() -> Self {
        ServiceSet {
            tcp: IntervalSet::full(),
            udp: IntervalSet::full(),
            icmp: IntervalSet::full(),
            icmpv6: IntervalSet::full(),
            other: other_protocols(),
        }
    }
    /// TCP with these destination ports.
    #[must_use]
    pub fn tcp(ports: PortSet) -> Self {
        ServiceSet {
            tcp: ports,
            ..Self::default()
        }
    }
    /// UDP with these destination ports.
    #[must_use]
    pub fn udp(ports: PortSet) -> Self {
        ServiceSet {
            udp: ports,
            ..Self::default()
        }
    }
    /// A whole protocol.
    #[must_use]
    pub fn protocol(p: Proto) -> Self {
        let mut s = Self::default();
        match p {
            Proto::TCP => s.tcp = IntervalSet::full(),
            Proto::UDP => s.udp = IntervalSet::full(),
            Proto::ICMP => s.icmp = IntervalSet::full(),
            Proto::ICMPV6 => s.icmpv6 = IntervalSet::full(),
            Proto(n) => s.other = IntervalSet::single(n),
        }
        s
    }
    /// Exactly one service. `port` is the destination port, or `type * 256 + code`; ignored for protocols
    /// that have neither.
    #[must_use]
    pub fn one(p: Proto, port: u16) -> Self {
        let mut s = Self::default();
        match p {
            Proto::TCP => s.tcp = IntervalSet::single(port),
            Proto::UDP => s.udp = IntervalSet::single(port),
            Proto::ICMP => s.icmp = IntervalSet::single(port),
            Proto::ICMPV6 => s.icmpv6 = IntervalSet::single(port),
            Proto(n) => s.other = IntervalSet::single(n),
        }
        s
    }
    /// Whether a service is in the set; `port` as in [`ServiceSet::one`].
    #[must_use]
    pub fn contains(&self, p: Proto, port: u16) -> bool {
        match p {
            Proto::TCP => self.tcp.contains(port),
            Proto::UDP => self.udp.contains(port),
            Proto::ICMP => self.icmp.contains(port),
            Proto::ICMPV6 => self.icmpv6.contains(port),
            Proto(n) => self.other.contains(n),
        }
    }
    fn zip(
        &self,
        o: &Self,
        f16: impl Fn(&IntervalSet<u16>, &IntervalSet<u16>) -> IntervalSet<u16>,
        f8: impl Fn(&IntervalSet<u8>, &IntervalSet<u8>) -> IntervalSet<u8>,
    ) -> Self {
        ServiceSet {
            tcp: f16(&self.tcp, &o.tcp),
            udp: f16(&self.udp, &o.udp),
            icmp: f16(&self.icmp, &o.icmp),
            icmpv6: f16(&self.icmpv6, &o.icmpv6),
            other: f8(&self.other, &o.other),
        }
    }
    /// Services in either set.
    #[must_use]
    pub fn union(&self, o: &Self) -> Self {
        self.zip(o, IntervalSet::union, IntervalSet::union)
    }
    /// Services in both sets.
    #[must_use]
    pub fn intersect(&self, o: &Self) -> Self {
        self.zip(o, IntervalSet::intersect, IntervalSet::intersect)
    }
    /// Services of `self` that are not in `o`.
    #[must_use]
    pub fn subtract(&self, o: &Self) -> Self {
        self.zip(o, IntervalSet::subtract, IntervalSet::subtract)
    }
    /// Services not in the set.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::any().subtract(self)
    }
    /// Whether no service is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tcp.is_empty()
            && self.udp.is_empty()
            && self.icmp.is_empty()
            && self.icmpv6.is_empty()
            && self.other.is_empty()
    }
    /// Whether every service is in the set.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Self::any()
    }
    /// Whether the sets share a service.
    #[must_use]
    pub fn intersects(&self, o: &Self) -> bool {
        !self.intersect(o).is_empty()
    }
    /// Whether every service of `self` is in `o`.
    #[must_use]
    pub fn is_subset(&self, o: &Self) -> bool {
        self.subtract(o).is_empty()
    }
    /// Some service of the set with its port (or type and code), TCP first.
    #[must_use]
    pub fn first(&self) -> Option<(Proto, u16)> {
        // Port 0 is never a real destination; prefer another one when there is one.
        let port = |s: &PortSet| {
            s.intersect(&IntervalSet::range(1, u16::MAX))
                .first()
                .or_else(|| s.first())
        };
        port(&self.tcp)
            .map(|p| (Proto::TCP, p))
            .or_else(|| port(&self.udp).map(|p| (Proto::UDP, p)))
            .or_else(|| {
                let echo = 8 << 8;
                let t = if self.icmp.contains(echo) {
                    Some(echo)
                } else {
                    self.icmp.first()
                };
                t.map(|t| (Proto::ICMP, t))
            })
            .or_else(|| {
                let echo = 128 << 8;
                let t = if self.icmpv6.contains(echo) {
                    Some(echo)
                } else {
                    self.icmpv6.first()
                };
                t.map(|t| (Proto::ICMPV6, t))
            })
            .or_else(|| self.other.first().map(|p| (Proto(p), 0)))
    }
}

impl fmt::Display for ServiceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_any() {
            return f.write_str("any");
        }
        let mut parts: Vec<String> = Vec::new();
        // A set without exactly port 0 is still "all ports" to people.
        let all = |s: &PortSet| s.is_full() || *s == IntervalSet::range(1, u16::MAX);
        for (name, set) in [("tcp", &self.tcp), ("udp", &self.udp)] {
            if all(set) {
                parts.push(if set.is_full() {
                    name.to_string()
                } else {
                    format!("{name}/1-65535")
                });
            } else {
                for &(l, h) in set.ranges() {
                    parts.push(if l == h {
                        format!("{name}/{l}")
                    } else {
                        format!("{name}/{l}-{h}")
                    });
                }
            }
        }
        for (name, set) in [("icmp", &self.icmp), ("icmpv6", &self.icmpv6)] {
            if set.is_full() {
                parts.push(name.to_string());
                continue;
            }
            for &(l, h) in set.ranges() {
                parts.push(if l == h {
                    format!("{name}/{}.{}", l >> 8, l & 255)
                } else if l & 255 == 0 && h & 255 == 255 && l >> 8 == h >> 8 {
                    format!("{name}/{}", l >> 8)
                } else {
                    format!("{name}/{}.{}-{}.{}", l >> 8, l & 255, h >> 8, h & 255)
                });
            }
        }
        if self.other == other_protocols() {
            parts.push("proto-other".to_string());
        } else {
            for &(l, h) in self.other.ranges() {
                parts.push(if l == h {
                    Proto(l).to_string()
                } else {
                    format!("proto-{l}-{h}")
                });
            }
        }
        f.write_str(if parts.is_empty() { "nothing" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Debug for ServiceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{self}}}")
    }
}

impl FromStr for ServiceSet {
    type Err = ParseServiceError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let bad = |why: String| Err(ParseServiceError(why));
        let mut out = Self::empty();
        for part in s.split(',').map(str::trim) {
            let one = match part {
                "any" => Self::any(),
                "nothing" => Self::empty(),
                "proto-other" => ServiceSet {
                    other: other_protocols(),
                    ..Self::default()
                },
                _ => {
                    let (proto, rest) = match part.split_once('/') {
                        Some((p, r)) => (p, Some(r)),
                        None => (part, None),
                    };
                    if rest.is_none()
                        && let Some((l, h)) = proto.strip_prefix("proto-").and_then(|r| r.split_once('-'))
                    {
                        let (Ok(l), Ok(h)) = (l.parse::<u8>(), h.parse::<u8>()) else {
                            return bad(format!("`{part}` is not a range of protocols"));
                        };
                        ServiceSet {
                            other: IntervalSet::range(l, h).intersect(&other_protocols()),
                            ..Self::default()
                        }
                    } else {
                        let p: Proto = proto.parse()?;
                        match rest {
                            None => Self::protocol(p),
                            Some(r) if p.has_ports() => {
                                let (l, h) = r.split_once('-').unwrap_or((r, r));
                                let (Ok(l), Ok(h)) = (l.trim().parse::<u16>(), h.trim().parse::<u16>())
                                else {
                                    return bad(format!("`{r}` is not a port or a port range (0 to 65535)"));
                                };
                                if l > h {
                                    return bad(format!("`{r}` is a port range that ends before it starts"));
                                }
                                let ports = IntervalSet::range(l, h);
                                if p == Proto::TCP {
                                    Self::tcp(ports)
                                } else {
                                    Self::udp(ports)
                                }
                            }
                            Some(r) if p.has_types() => {
                                let Some(set) = icmp_types(r) else {
                                    return bad(format!("`{r}` is not an ICMP type, such as `8` or `3.4`"));
                                };
                                if p == Proto::ICMP {
                                    ServiceSet {
                                        icmp: set,
                                        ..Self::default()
                                    }
                                } else {
                                    ServiceSet {
                                        icmpv6: set,
                                        ..Self::default()
                                    }
                                }
                            }
                            Some(_) => return bad(format!("`{proto}` has no ports")),
                        }
                    }
                }
            };
            out = out.union(&one);
        }
        Ok(out)
    }
}

/// `8`, `3.4` or `3.0-3.9`.
fn icmp_types(r: &str) -> Option<IntervalSet<u16>> {
    let end = |s: &str, code: u8| -> Option<u16> {
        let (t, c) = match s.split_once('.') {
            Some((t, c)) => (t.parse::<u8>().ok()?, c.parse::<u8>().ok()?),
            None => (s.parse::<u8>().ok()?, code),
        };
        Some(u16::from(t) << 8 | u16::from(c))
    };
    let (l, h) = r.split_once('-').unwrap_or((r, r));
    let (l, h) = (end(l, 0)?, end(h, 255)?);
    (l <= h).then(|| IntervalSet::range(l, h))
}
