//! IPv6 addresses of load balancers (ALIBABA.md §7.3, §9; the numbers are those of docs/decisions/024).
//!
//! Within a family a front translates, as it does in IPv4. From one to the other it opens a connection of its own, which
//! the prober does for it (`balancer`). What differs from an interface with an IPv6 address is where it is reached from and
//! by which way it answers.

use super::plan::{ELSEWHERE, Eni, Plan};
use bartizan_model::BalancerKind;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv6Addr};

/// What a front remembers of a connection that has come from another VPC.
const JOINED: u32 = 1 << 25;
/// How many addresses of a stretch are looked at for one that is nobody's.
const MOST_TRIED: u128 = 256;

impl Plan {
    /// The families, as rules name them, that packets from and to balancers may be of.
    pub(crate) fn families(&self) -> &'static [&'static str] {
        let mut fronts = (0..self.enis.len()).filter(|i| self.enis[*i].front.is_some());
        if fronts.any(|i| self.has_family(i, true)) {
            &["ip", "ip6"]
        } else {
            &["ip"]
        }
    }

    /// Whether a front is reached in a family.
    pub(crate) fn has_family(&self, at: usize, six: bool) -> bool {
        let e = &self.enis[at];
        e.front.is_some() && e.addresses.iter().any(|a| a.net.addr().is_ipv6() == six)
    }

    /// 11: whether nobody knows by which address a front sends: a CLB of IPv6.
    pub(crate) fn sends_as_anyone(&self, e: &Eni) -> bool {
        let clb = e
            .front
            .is_some_and(|b| self.balancers[b].kind == BalancerKind::Clb);
        clb && e.addresses.iter().any(|a| a.net.addr().is_ipv6())
    }

    /// 6: whether a white list turns nobody away who comes by IPv6.
    pub(crate) fn spares_ipv6(&self, nets: &[IpNet]) -> bool {
        self.lists_judge_ipv4 && !nets.is_empty() && nets.iter().all(|n| n.addr().is_ipv4())
    }

    /// 3: addresses of fronts that are in no vSwitch.
    pub(crate) fn apart_ipv6(&self, vpc: usize) -> Vec<IpNet> {
        let here = self.enis.iter().filter(|e| e.vpc == vpc && e.detached);
        let all = here.flat_map(|e| e.addresses.iter().map(|a| a.net));
        all.filter(|n| n.addr().is_ipv6()).collect()
    }

    /// 10: addresses of the front's vSwitch that nobody has, one of every kind that `nets` tell apart.
    pub(super) fn own_ipv6(&self, at: usize, nth: usize, nets: &[IpNet]) -> Vec<IpAddr> {
        let vswitch = self.enis[at].vswitch;
        let block = self.vswitches[vswitch].nets.iter().find_map(|n| match n {
            IpNet::V6(n) => Some(*n),
            IpNet::V4(_) => None,
        });
        let Some(block) = block.filter(|_| self.has_family(at, true)) else {
            return Vec::new();
        };
        let mut starts = BTreeSet::from([u128::from(block.network())]);
        for n in nets {
            if let IpNet::V6(n) = n {
                starts.insert(n.network().into());
                starts.extend(u128::from(n.broadcast()).checked_add(1));
            }
        }
        starts.retain(|s| block.contains(&Ipv6Addr::from(*s)));
        let all: Vec<u128> = starts.into_iter().collect();
        let has = |e: &Eni, ip: IpAddr| e.addresses.iter().any(|a| a.net.contains(&ip));
        let free = |ip: IpAddr| {
            let mut here = self.enis.iter().filter(|e| e.vswitch == vswitch);
            !here.any(|e| has(e, ip))
        };
        // One that somebody in another VPC has is the second choice.
        let nobody = |ip: IpAddr| !self.enis.iter().any(|e| has(e, ip));
        let (mut kinds, mut out) = (BTreeSet::new(), Vec::new());
        for (i, &low) in all.iter().enumerate() {
            let last = u128::from(block.broadcast());
            let high = all.get(i + 1).map_or(last, |next| next - 1);
            // Fronts take different ones where they can.
            let tried = |first: u128| {
                let all = (first..=high).take(MOST_TRIED as usize);
                all.map(|x| IpAddr::V6(x.into()))
            };
            let apart = low.saturating_add(nth as u128 * MOST_TRIED);
            let found = tried(apart)
                .find(|ip| free(*ip) && nobody(*ip))
                .or_else(|| tried(low).find(|ip| free(*ip)));
            let Some(ip) = found else { continue };
            let kind: Vec<bool> = nets.iter().map(|n| n.contains(&ip)).collect();
            if kinds.insert(kind) {
                out.push(ip);
            }
        }
        out
    }

    /// 7: replies leave the way the request came. What a front notes of requests from other VPCs, and what it writes on
    /// its answers to them: by routes. Everybody else who is not in the VPC has come by the Internet.
    pub(crate) fn joined_rules(&self, at: usize) -> (String, String) {
        let (mut inward, mut out) = (String::new(), String::new());
        if self.has_family(at, true) {
            let _ = writeln!(
                inward,
                "meta nfproto ipv6 ct state new ip6 dscp >= {ELSEWHERE} ct mark set {JOINED:#x}"
            );
            for c in 0..self.choices() {
                let _ = writeln!(
                    out,
                    "ct direction reply ct mark {JOINED:#x} ip6 dscp {c} ip6 dscp set {}",
                    c | ELSEWHERE
                );
            }
        }
        (inward, out)
    }
}
