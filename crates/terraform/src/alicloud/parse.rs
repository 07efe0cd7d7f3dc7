//! The small value languages of the provider: prefixes, ports, protocols.

use bartizan_packet::{PortSet, Proto, ServiceSet};
use ipnet::IpNet;
use std::net::IpAddr;

/// A prefix; host bits are masked and a bare address is a host prefix (ALIBABA.md §3.3, §5.2).
pub(super) fn net(s: &str) -> Result<IpNet, String> {
    let t = s.trim();
    if let Ok(n) = t.parse::<IpNet>() {
        return Ok(n.trunc());
    }
    t.parse::<IpAddr>()
        .map(IpNet::from)
        .map_err(|_| format!("`{s}` is not a CIDR block or an address"))
}

/// One address; a host prefix counts as its address.
pub(super) fn ip(s: &str) -> Result<IpAddr, String> {
    match net(s)? {
        n if n.prefix_len() == n.max_prefix_len() => Ok(n.addr()),
        _ => Err(format!("`{s}` is not one address")),
    }
}

/// A port range list: `22/22`, `22/23,443/443`, `80`; `-1/-1` is every port.
///
/// `1/65535` is how the provider spells "every port" for TCP and UDP (ALIBABA.md §5.2), so it is read as the
/// full set, port 0 with it: no intent should turn on a port that nobody can name in a rule.
pub(super) fn ports(s: &str) -> Result<PortSet, String> {
    let bad = || format!("`{s}` is not a port range");
    let mut ranges = Vec::new();
    for part in s.split(',') {
        let (a, b) = part.trim().split_once('/').unwrap_or((part.trim(), part.trim()));
        let (a, b): (i64, i64) = (
            a.trim().parse().map_err(|_| bad())?,
            b.trim().parse().map_err(|_| bad())?,
        );
        if (a, b) == (-1, -1) || (a, b) == (1, 65535) || (a, b) == (0, 65535) {
            return Ok(PortSet::full());
        }
        let (lo, hi) = (
            u16::try_from(a).map_err(|_| bad())?,
            u16::try_from(b).map_err(|_| bad())?,
        );
        if lo > hi {
            return Err(format!("`{s}` is a port range that ends before it begins"));
        }
        ranges.push((lo, hi));
    }
    Ok(PortSet::from_ranges(ranges))
}

/// A protocol name as the provider and the API write it, in any case.
pub(super) enum Protocol {
    /// `all`.
    All,
    /// One protocol.
    One(Proto),
}

/// Parses a protocol name or an IANA number.
pub(super) fn protocol(s: &str) -> Result<Protocol, String> {
    Ok(match s.trim().to_ascii_lowercase().as_str() {
        "all" | "any" => Protocol::All,
        "tcp" => Protocol::One(Proto::TCP),
        "udp" => Protocol::One(Proto::UDP),
        "icmp" => Protocol::One(Proto::ICMP),
        "icmpv6" => Protocol::One(Proto::ICMPV6),
        "gre" => Protocol::One(Proto::GRE),
        n => Protocol::One(Proto(n.parse().map_err(|_| format!("`{s}` is not a protocol"))?)),
    })
}

/// Whether ports have a meaning for the protocol; elsewhere the provider ignores them (ALIBABA.md §19.6).
pub(super) fn has_ports(p: &Protocol) -> bool {
    matches!(p, Protocol::One(p) if p.has_ports())
}

/// Protocol and ports together; no ports means every port.
pub(super) fn services(p: &Protocol, ports: Option<PortSet>) -> ServiceSet {
    match (p, ports) {
        (Protocol::All, _) => ServiceSet::any(),
        (Protocol::One(Proto::TCP), Some(ports)) => ServiceSet::tcp(ports),
        (Protocol::One(Proto::UDP), Some(ports)) => ServiceSet::udp(ports),
        (Protocol::One(p), _) => ServiceSet::protocol(*p),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_masked_and_addresses_are_hosts() {
        assert_eq!(net("10.159.6.18/12").unwrap().to_string(), "10.144.0.0/12");
        assert_eq!(net("10.0.0.1").unwrap().to_string(), "10.0.0.1/32");
        assert_eq!(net("2001:db8::1").unwrap().to_string(), "2001:db8::1/128");
        assert!(net("10.0.0.0/33").is_err());
        assert!(ip("10.0.0.0/24").is_err());
    }

    #[test]
    fn port_lists() {
        assert_eq!(ports("22/23,443/443").unwrap().ranges(), &[(22, 23), (443, 443)]);
        assert!(ports("-1/-1").unwrap().is_full());
        assert!(ports("1/65535").unwrap().is_full());
        assert!(!ports("1/65534").unwrap().contains(0));
        for bad in ["", "90/80", "1/65536", "a/b", "-1/80", "80/"] {
            assert!(ports(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ports_of_port_less_protocols_do_not_matter() {
        let p = protocol("ICMP").unwrap();
        assert!(!has_ports(&p));
        assert_eq!(services(&p, None), ServiceSet::protocol(Proto::ICMP));
        assert!(services(&protocol("ALL").unwrap(), None).is_any());
        assert!(protocol("quic").is_err());
    }
}
