//! PrivateLink (ALIBABA.md §9.7, docs/decisions/016).
//!
//! An endpoint is a front (`balancer`) with a cable to each front of the balancers that its service offers: no route
//! table is asked on the way, and the blocks of the two VPCs may be the same. The address that the service's side sees
//! may be any (A-PL-1), so one of every kind that something there tells apart is tried. None is anybody's: an operating
//! system takes nothing from its own address, and an address of a member would make the endpoint a member.

use super::balancer::{Hand, any_of};
use super::netns::Script;
use super::plan::{Eni, Peer, Plan, Res, unsupported};
use bartizan_model::BalancerKind;
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

/// The first of the tables that lead into cables.
const CABLE: usize = 100;

/// The mark of what goes into a cable.
fn mark(link: usize) -> usize {
    (link + 1) << 16
}

/// Addresses from which an IPv4 packet may come.
fn may_send(ip: Ipv4Addr) -> bool {
    let first = ip.octets()[0];
    (1..224).contains(&first) && first != 127 && ip.octets()[..2] != [100, 100]
}

impl Plan {
    /// Whether a front is that of an endpoint.
    pub(crate) fn is_endpoint(&self, e: &Eni) -> bool {
        e.front
            .is_some_and(|b| self.balancers[b].kind == BalancerKind::Endpoint)
    }

    /// Whether a hand goes from an endpoint to its service.
    pub(crate) fn is_link(&self, h: &Hand) -> bool {
        self.is_endpoint(&self.enis[h.front])
    }

    /// The addresses from which an interface sends as itself: an endpoint is nobody on the other side (016, 7), nor is
    /// a CLB of IPv6 (024, 11).
    pub(crate) fn own<'a>(&self, e: &'a Eni) -> &'a [IpAddr] {
        if self.is_endpoint(e) || self.sends_as_anyone(e) {
            &[]
        } else {
            &e.own
        }
    }

    /// Cables of endpoints, and whom their services see.
    pub(crate) fn links(&mut self) -> Res<()> {
        let endpoints: Vec<usize> = (0..self.enis.len())
            .filter(|i| self.is_endpoint(&self.enis[*i]))
            .collect();
        for at in endpoints {
            let behind = self.backends(at);
            for &to in &behind {
                if self.enis[to].front.is_none() || self.is_endpoint(&self.enis[to]) {
                    return unsupported("an endpoint that hands on to something else than a balancer");
                }
                self.links.push([at, to]);
            }
            if self.links.len() > 250 {
                return unsupported("more than 250 pairs of fronts of PrivateLink");
            }
            let (own, all) = self.anybody(&behind);
            self.enis[at].own = own;
            self.enis[at].cannot_show_all = !all;
        }
        let anyone: Vec<usize> = (0..self.enis.len())
            .filter(|i| self.sends_as_anyone(&self.enis[*i]))
            .collect();
        for at in anyone {
            let (own, all) = self.anybody(&self.backends(at));
            self.enis[at].own = own;
            self.enis[at].cannot_show_all = !all;
        }
        Ok(())
    }

    fn backends(&self, at: usize) -> Vec<usize> {
        let of = self.enis[at].front.map(|b| &self.balancers[b]);
        let all = of.map(super::balancer::Balancer::backends).unwrap_or_default();
        all.into_iter().collect()
    }

    /// An address of every kind that is told apart behind some fronts, and whether that is every kind.
    fn anybody(&self, fronts: &[usize]) -> (Vec<IpAddr>, bool) {
        // Everything that what comes in there may come to.
        let mut behind: BTreeSet<usize> = fronts.iter().copied().collect();
        let mut next = fronts.to_vec();
        while let Some(at) = next.pop() {
            next.extend(self.backends(at).into_iter().filter(|to| behind.insert(*to)));
        }
        let mut nets: BTreeSet<IpNet> = BTreeSet::new();
        let vpcs: BTreeSet<usize> = behind.iter().map(|i| self.enis[*i].vpc).collect();
        for e in behind.iter().map(|i| &self.enis[*i]) {
            if let Some(b) = e.front {
                nets.extend(self.balancers[b].listed());
                for r in self.rules.iter().filter(|r| e.groups.contains(&r.group)) {
                    if let Peer::Nets(n) = &r.peer {
                        nets.extend(n);
                    }
                }
            }
            nets.extend(e.service.iter().flat_map(|s| &s.nets));
            let acl = self.vswitches[e.vswitch].acl.map(|a| &self.acls[a]);
            let entries = acl.iter().flat_map(|a| a.ingress.iter().chain(&a.egress));
            nets.extend(entries.flat_map(|e| &e.nets));
        }
        if vpcs.len() > 1 {
            // Replies to a balancer in another VPC go by routes.
            nets.extend(self.tables.iter().flat_map(|t| t.routes.iter().map(|r| r.net)));
            nets.extend(self.linked());
        }
        let (mut starts, mut kinds) = (BTreeSet::from([0u32]), BTreeSet::new());
        for n in &nets {
            if let IpNet::V4(n) = n {
                starts.insert(n.network().into());
                starts.extend(u32::from(n.broadcast()).checked_add(1));
            }
        }
        let kind = |ip: IpAddr| -> Vec<bool> { nets.iter().map(|n| n.contains(&ip)).collect() };
        let all: Vec<u32> = starts.iter().copied().collect();
        let (mut found, mut missing) = (Vec::new(), BTreeSet::new());
        for (i, &low) in all.iter().enumerate() {
            let high = all.get(i + 1).map_or(u32::MAX, |next| next - 1);
            let k = kind(IpAddr::V4(low.into()));
            if kinds.contains(&k) {
                continue;
            }
            let near = (0..64u32).map(|n| low.checked_add(n));
            let far = (1..256u32).flat_map(|n| [12, 16, 20, 24].map(|b| low.checked_add(n << b)));
            let mut tried = near
                .chain(far)
                .flatten()
                .filter(|x| *x <= high)
                .map(Ipv4Addr::from);
            match tried.find(|ip| may_send(*ip) && self.is_free(IpAddr::V4(*ip))) {
                Some(ip) => {
                    missing.remove(&k);
                    kinds.insert(k);
                    found.push(IpAddr::V4(ip));
                }
                // The cloud's own addresses and those that nobody sends from make no kind.
                None if (low..=high).take(256).any(|x| may_send(x.into())) => {
                    missing.insert(k);
                }
                None => {}
            }
        }
        (found, missing.is_empty())
    }

    /// Whether nobody has an address or sends from it.
    fn is_free(&self, ip: IpAddr) -> bool {
        let has = |e: &Eni| {
            let own = e.addresses.iter().any(|a| a.net.contains(&ip));
            own || self.own(e).contains(&ip)
        };
        !self.owned.contains(&ip) && !self.enis.iter().any(has)
    }

    /// The devices of the cables of a front.
    pub(crate) fn cables(&self, at: usize, s: &mut Script) {
        for (n, _) in self.links.iter().enumerate().filter(|(_, l)| l.contains(&at)) {
            let (mark, table) = (mark(n), CABLE + n);
            s.device(&format!("l{n}"));
            s.ip(format!("route add 0.0.0.0/0 dev l{n} table {table}"));
            s.ip(format!(
                "rule add pref 20 fwmark {mark:#x}/0xff0000 lookup {table}"
            ));
        }
    }

    /// What leads packets into cables: of those that come to a front, and of those that it sends itself.
    pub(crate) fn link_rules(&self, at: usize) -> (String, String) {
        let (mut inward, mut out) = (String::new(), String::new());
        for (n, [from, to]) in self.links.iter().enumerate() {
            let mark = mark(n);
            if *from == at {
                let by = self.chains_with(|h| h.front == at && h.to == *to);
                if by.is_empty() {
                    continue;
                }
                let by = format!("ct direction original {}", any_of(&by));
                let _ = writeln!(inward, "iifname \"eth0\" {by} meta mark set {mark:#x}");
                let _ = writeln!(out, "{by} meta mark set meta mark | {mark:#x}");
            } else if *to == at {
                // What has come by a cable is answered by it.
                let back = format!("ct direction reply ct mark {mark:#x}");
                let _ = writeln!(inward, "iifname \"l{n}\" ct mark set {mark:#x}");
                let _ = writeln!(inward, "{back} meta mark set meta mark | {mark:#x}");
                let _ = writeln!(out, "{back} meta mark set meta mark | {mark:#x}");
            }
        }
        (inward, out)
    }
}
