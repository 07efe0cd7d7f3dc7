//! Rules and ACL entries in one line of text.

use bartizan_model::Direction;
use bartizan_packet::{IntervalSet, Proto, ServiceSet};
use ipnet::IpNet;
use std::fmt;
use std::str::FromStr;

/// The peer of a rule in text form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerText {
    /// A prefix, host bits as written.
    Net(IpNet),
    /// A security group by name: `sg:web`.
    Group(String),
    /// A prefix list by name: `pl:office`.
    PrefixList(String),
}

/// Ports as Alibaba writes them: `22/22`, or `-1/-1` for protocols without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortsText {
    /// `-1/-1`.
    All,
    /// First and last port.
    Range(u16, u16),
}

/// A security group rule or ACL entry in text form: `in accept tcp 22/22 from 0.0.0.0/0 prio 1`.
///
/// The direction is `in` or `out`, followed by `from` or `to`; `prio` is left out for ACL entries and is
/// then 1. Protocols are those of Alibaba (`tcp udp icmp icmpv6 gre all`). Text and value round-trip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// The direction.
    pub direction: Direction,
    /// `true` accepts.
    pub accept: bool,
    /// The protocol; `None` is `all`.
    pub protocol: Option<Proto>,
    /// The ports.
    pub ports: PortsText,
    /// The other side.
    pub peer: PeerText,
    /// 1 is strongest.
    pub priority: u8,
}

/// A text that is no rule; says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseRuleError(pub String);

impl fmt::Display for ParseRuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for ParseRuleError {}

impl RuleText {
    /// The services that it matches (ALIBABA.md §5.2).
    #[must_use]
    pub fn services(&self) -> ServiceSet {
        let ports = match self.ports {
            PortsText::All => IntervalSet::full(),
            PortsText::Range(l, h) => IntervalSet::range(l, h),
        };
        match self.protocol {
            None => ServiceSet::any(),
            Some(Proto::TCP) => ServiceSet::tcp(ports),
            Some(Proto::UDP) => ServiceSet::udp(ports),
            Some(p) => ServiceSet::protocol(p),
        }
    }
}

impl FromStr for RuleText {
    type Err = ParseRuleError;
    fn from_str(s: &str) -> Result<Self, ParseRuleError> {
        let bad = |what: &str, word: &str| ParseRuleError(format!("`{word}` is not {what} in `{s}`"));
        let words: Vec<&str> = s.split_whitespace().collect();
        let (head, priority) = match words.as_slice() {
            [head @ .., "prio", n] => (head, n.parse().map_err(|_| bad("a priority", n))?),
            head => (head, 1),
        };
        let [dir, policy, proto, ports, prep, peer] = head else {
            return Err(ParseRuleError(format!(
                "`{s}` is not a rule such as `in accept tcp 22/22 from 0.0.0.0/0 prio 1`"
            )));
        };
        let direction = match (*dir, *prep) {
            ("in", "from") => Direction::Ingress,
            ("out", "to") => Direction::Egress,
            _ => return Err(bad("a direction (`in ... from`, `out ... to`)", dir)),
        };
        let accept = match *policy {
            "accept" => true,
            "drop" => false,
            _ => return Err(bad("`accept` or `drop`", policy)),
        };
        let protocol = match *proto {
            "all" => None,
            p => Some(p.parse().map_err(|_| bad("a protocol", p))?),
        };
        let ports = match ports.split_once('/') {
            Some(("-1", "-1")) => PortsText::All,
            Some((l, h)) => {
                let n = |t: &str| t.parse().map_err(|_| bad("a port", t));
                PortsText::Range(n(l)?, n(h)?)
            }
            None => return Err(bad("a port range such as `22/22`", ports)),
        };
        let peer = match peer.split_once(':') {
            Some(("sg", name)) => PeerText::Group(name.to_string()),
            Some(("pl", name)) => PeerText::PrefixList(name.to_string()),
            _ => PeerText::Net(peer.parse().map_err(|_| bad("a peer", peer))?),
        };
        Ok(RuleText {
            direction,
            accept,
            protocol,
            ports,
            peer,
            priority,
        })
    }
}

impl fmt::Display for RuleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dir, prep) = match self.direction {
            Direction::Ingress => ("in", "from"),
            Direction::Egress => ("out", "to"),
        };
        let policy = if self.accept { "accept" } else { "drop" };
        let proto = self.protocol.map_or_else(|| "all".to_string(), |p| p.to_string());
        let ports = match self.ports {
            PortsText::All => "-1/-1".to_string(),
            PortsText::Range(l, h) => format!("{l}/{h}"),
        };
        let peer = match &self.peer {
            PeerText::Net(n) => n.to_string(),
            PeerText::Group(g) => format!("sg:{g}"),
            PeerText::PrefixList(p) => format!("pl:{p}"),
        };
        write!(
            f,
            "{dir} {policy} {proto} {ports} {prep} {peer} prio {}",
            self.priority
        )
    }
}

/// Reads a rule or an ACL entry.
///
/// # Panics
/// When the text is not one: this is for texts in the source of tests.
#[must_use]
pub fn rule(text: &str) -> RuleText {
    must(text.parse())
}

/// The value of a text that stands in the source of a test or generator.
#[expect(clippy::panic, reason = "a wrong literal in a test is a bug of the test")]
pub(crate) fn must<T, E: fmt::Display>(r: Result<T, E>) -> T {
    match r {
        Ok(v) => v,
        Err(e) => panic!("{e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_round_trip() {
        for t in [
            "in accept tcp 22/22 from 0.0.0.0/0 prio 1",
            "out drop all -1/-1 to ::/0 prio 100",
            "in drop icmpv6 -1/-1 from pl:office prio 7",
            "in accept udp 1/65535 from sg:web prio 2",
            "out accept gre -1/-1 to 10.0.1.77/12 prio 1",
        ] {
            assert_eq!(rule(t).to_string(), t);
        }
        assert_eq!(rule("in accept all -1/-1 from 10.0.0.0/8").priority, 1);
    }

    #[test]
    fn what_is_no_rule_says_why() {
        for (t, why) in [
            ("in accept tcp 22/22 to 0.0.0.0/0", "direction"),
            ("in allow tcp 22/22 from 0.0.0.0/0", "accept"),
            ("in accept tcp 22 from 0.0.0.0/0", "port range"),
            ("in accept tcp 22/22 from here", "peer"),
            ("in accept", "such as"),
        ] {
            let e = t.parse::<RuleText>().unwrap_err();
            assert!(e.0.contains(why), "{e}");
        }
    }

    #[test]
    fn services_are_destination_ports() {
        assert_eq!(
            rule("in accept tcp 22/22 from 0.0.0.0/0").services().to_string(),
            "tcp/22"
        );
        assert_eq!(
            rule("in accept all -1/-1 from 0.0.0.0/0").services().to_string(),
            "any"
        );
        assert_eq!(
            rule("in accept icmp -1/-1 from 0.0.0.0/0").services().to_string(),
            "icmp"
        );
    }
}
