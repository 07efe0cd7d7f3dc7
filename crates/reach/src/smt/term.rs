//! Sets as terms of SMT-LIB.

use bartizan_packet::{IntervalSet, IpSet, ServiceSet};

/// The two widths of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    /// The families in which two sets have something each.
    pub(crate) fn both(a: &IpSet, b: &IpSet) -> Vec<Family> {
        let mut out = Vec::new();
        if !a.v4.is_empty() && !b.v4.is_empty() {
            out.push(Family::V4);
        }
        if !a.v6.is_empty() && !b.v6.is_empty() {
            out.push(Family::V6);
        }
        out
    }
    pub(crate) fn name(self) -> &'static str {
        match self {
            Family::V4 => "v4",
            Family::V6 => "v6",
        }
    }
    pub(crate) fn bits(self) -> usize {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }
    pub(crate) fn src(self) -> String {
        format!("src{}", self.name())
    }
    pub(crate) fn dst(self) -> String {
        format!("dst{}", self.name())
    }
}

/// A disjunction of intervals of a variable of `bits` bits.
fn intervals(var: &str, bits: usize, ranges: impl Iterator<Item = (u128, u128)>) -> String {
    let digits = bits / 4;
    let top = if bits == 128 { u128::MAX } else { (1 << bits) - 1 };
    let one = |(l, h): (u128, u128)| match (l, h) {
        (0, h) if h == top => "true".to_string(),
        (l, h) if l == h => format!("(= {var} #x{l:0digits$x})"),
        (0, h) => format!("(bvule {var} #x{h:0digits$x})"),
        (l, h) if h == top => format!("(bvuge {var} #x{l:0digits$x})"),
        (l, h) => format!("(and (bvuge {var} #x{l:0digits$x}) (bvule {var} #x{h:0digits$x}))"),
    };
    let parts: Vec<String> = ranges.map(one).collect();
    match parts.as_slice() {
        [] => "false".to_string(),
        [one] => one.clone(),
        more => format!("(or {})", more.join(" ")),
    }
}

/// Whether a variable is an address of a set.
pub(crate) fn ips(f: Family, var: &str, set: &IpSet) -> String {
    match f {
        Family::V4 => {
            let ranges = set.v4.ranges().iter().map(|&(l, h)| (l.into(), h.into()));
            intervals(var, 32, ranges)
        }
        Family::V6 => intervals(var, 128, set.v6.ranges().iter().copied()),
    }
}

/// Whether `proto` and `port` are in a set of services.
pub(crate) fn services(s: &ServiceSet) -> String {
    if s.is_any() {
        return "true".to_string();
    }
    let mut parts = Vec::new();
    let sets: [(u8, &IntervalSet<u16>); 4] = [(6, &s.tcp), (17, &s.udp), (1, &s.icmp), (58, &s.icmpv6)];
    for (proto, ports) in sets {
        if !ports.is_empty() {
            let ranges = ports.ranges().iter().map(|&(l, h)| (l.into(), h.into()));
            let ports = intervals("port", 16, ranges);
            parts.push(format!("(and (= proto #x{proto:02x}) {ports})"));
        }
    }
    if !s.other.is_empty() {
        let ranges = s.other.ranges().iter().map(|&(l, h)| (l.into(), h.into()));
        parts.push(intervals("proto", 8, ranges));
    }
    match parts.as_slice() {
        [] => "false".to_string(),
        [one] => one.clone(),
        more => format!("(or {})", more.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_as_intervals() {
        let set = IpSet::from_nets(["10.0.0.0/8".parse().unwrap(), "192.0.2.7/32".parse().unwrap()]);
        assert_eq!(
            ips(Family::V4, "x", &set),
            "(or (and (bvuge x #x0a000000) (bvule x #x0affffff)) (= x #xc0000207))"
        );
        assert_eq!(ips(Family::V6, "x", &set), "false");
        assert_eq!(ips(Family::V6, "x", &IpSet::full()), "true");
        let lower = IpSet::from_nets(["::/1".parse().unwrap()]);
        assert_eq!(
            ips(Family::V6, "x", &lower),
            "(bvule x #x7fffffffffffffffffffffffffffffff)"
        );
    }

    #[test]
    fn services_name_protocol_and_port() {
        let s: ServiceSet = "tcp/22, gre".parse().unwrap();
        assert_eq!(
            services(&s),
            "(or (and (= proto #x06) (= port #x0016)) (= proto #x2f))"
        );
        assert_eq!(services(&ServiceSet::any()), "true");
        assert_eq!(services(&ServiceSet::empty()), "false");
    }
}
