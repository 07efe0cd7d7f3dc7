//! Security groups (ALIBABA.md §5).

use crate::world::{GroupW, InterfaceW, PeerW, RuleW, ServiceW, World};
use bartizan_model::{Assumption, Direction};
use bartizan_packet::Proto;
use std::net::IpAddr;

/// One end of a packet as an interface sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) ip: IpAddr,
    /// The interface that sends or is meant by its private address; `None` for an address on the Internet.
    /// It is the path that tells, not the number.
    pub(crate) eni: Option<usize>,
    /// Where it is seen by a public address of its own: whose that is.
    pub(crate) owner: Option<usize>,
    /// Where it is a NAT IP: of which VPC NAT gateway (020).
    pub(crate) nat: Option<usize>,
}

impl Side {
    /// Whether it is seen by a private address.
    fn private(&self) -> bool {
        self.eni.is_some() || self.nat.is_some()
    }
}

/// A packet as it is at some place of its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pkt {
    pub(crate) src: Side,
    pub(crate) dst: Side,
    pub(crate) proto: Proto,
    pub(crate) sport: u16,
    pub(crate) dport: u16,
}

impl World {
    /// §5.5, the whole evaluation. Returns the verdict and what decided it.
    pub(crate) fn group_verdict(&self, at: usize, direction: Direction, p: &Pkt) -> (bool, String) {
        let eni = &self.interfaces[at];
        let peer = match direction {
            Direction::Ingress => p.src,
            Direction::Egress => p.dst,
        };
        if let Some(s) = &eni.service {
            let ok = direction == Direction::Ingress && self.admits(eni, s, peer, p);
            return (ok, "the allow list".to_string());
        }
        if eni.inspects {
            return (true, "nothing filters at an inspector".to_string());
        }
        // 014, 1.
        if self.site_of(at).is_some() {
            return (true, "nothing filters at a site".to_string());
        }
        if let Some(b) = self.balancer_of(at) {
            return match direction {
                Direction::Ingress => self.front_takes_in(at, b, peer, p),
                Direction::Egress => (false, "a balancer opens no connections of its own".into()),
            };
        }
        if let Some(said) = self.rules_say(at, direction, p) {
            return said;
        }
        // §5.1: a basic group accepts egress by default; everything else is dropped.
        let enterprise = eni.groups.iter().any(|g| self.groups[*g].enterprise);
        (
            direction == Direction::Egress && !enterprise,
            "the default of the group".to_string(),
        )
    }

    /// §5.5 without the default: what policies and rules say, if they say anything.
    pub(crate) fn rules_say(&self, at: usize, direction: Direction, p: &Pkt) -> Option<(bool, String)> {
        let eni = &self.interfaces[at];
        let peer = match direction {
            Direction::Ingress => p.src,
            Direction::Egress => p.dst,
        };
        // 018, 2.
        let early = direction == Direction::Ingress || !self.second(Assumption::Sg2);
        if let Some(g) = self.intra_group(eni, peer).filter(|_| early) {
            return Some((true, format!("intra-group connectivity of `{}`", g.name)));
        }
        let mut strongest: Option<&RuleW> = None;
        for r in eni.groups.iter().flat_map(|g| &self.groups[*g].rules) {
            if r.direction != direction || !self.rule_matches(eni, r, peer, p) {
                continue;
            }
            // At equal priority a drop beats an accept, whichever group it is in.
            let beats = match strongest {
                None => true,
                Some(s) => (r.priority, r.accept) < (s.priority, s.accept),
            };
            if beats {
                strongest = Some(r);
            }
        }
        strongest.map(|r| (r.accept, format!("rule `{}` of priority {}", r.name, r.priority)))
    }

    /// §15: any entry admits, a block by address, a group by membership of the sender (010: 1, 2, 3).
    fn admits(&self, eni: &InterfaceW, s: &ServiceW, peer: Side, p: &Pkt) -> bool {
        let member = |g: &usize| {
            peer.private() && self.is_member_address(&self.groups[*g], eni.vpc, peer.ip)
                || self.is_balancer_of(*g, eni.vpc, peer)
        };
        s.services.contains(p.proto, p.dport)
            && (s.nets.iter().any(|n| n.contains(&peer.ip)) || s.groups.iter().any(member))
    }

    /// Whether the groups of an interface keep state (018, 3).
    pub(crate) fn keeps_state(&self, at: usize) -> bool {
        let eni = &self.interfaces[at];
        !self.second(Assumption::Sg3)
            || self.balancer_of(at).is_some()
            || !eni.groups.iter().any(|g| self.groups[*g].enterprise)
    }

    /// §5.5 step 1: members of a basic group with the Accept policy reach one another, before any rule
    /// (S2) and in both directions (A-SG-2), by private addresses only (A-SG-4). It is the ENIs that share
    /// the group, so of two holders of a HaVip only the one at the other end counts.
    fn intra_group(&self, eni: &InterfaceW, peer: Side) -> Option<&GroupW> {
        // 018, 4.
        let public = peer.owner.filter(|_| self.second(Assumption::Sg4));
        let peer = &self.interfaces[peer.eni.or(public)?];
        let shared = eni
            .groups
            .iter()
            .filter(|g| peer.vpc == eni.vpc && peer.groups.contains(g));
        shared
            .map(|g| &self.groups[*g])
            .find(|g| !g.enterprise && g.inner_accept)
    }

    /// §5.3, A-SG-1: whether `ip` is a private address of a member in the VPC, of any kind.
    fn is_member_address(&self, g: &GroupW, vpc: usize, ip: IpAddr) -> bool {
        g.members
            .iter()
            .map(|m| &self.interfaces[*m])
            .any(|m| m.vpc == vpc && m.owns(ip))
    }

    /// 018, 1: whether a rule that names a group means `ip`.
    fn is_named(&self, g: &GroupW, vpc: usize, ip: IpAddr) -> bool {
        if !self.second(Assumption::Sg1) {
            return self.is_member_address(g, vpc, ip);
        }
        let mut members = g.members.iter().map(|m| &self.interfaces[*m]);
        members.any(|m| m.vpc == vpc && m.addresses.iter().any(|a| a.primary && a.net.contains(&ip)))
    }

    /// 011, 11: a balancer's own address counts as a member of its groups.
    fn is_balancer_of(&self, g: usize, vpc: usize, peer: Side) -> bool {
        peer.eni.is_some_and(|e| {
            let f = &self.interfaces[e];
            self.balancer_of(e).is_some() && f.vpc == vpc && f.groups.contains(&g)
        })
    }

    /// §5.2: the peer and the destination port; §5.3 for references.
    fn rule_matches(&self, eni: &InterfaceW, r: &RuleW, peer: Side, p: &Pkt) -> bool {
        r.services.contains(p.proto, p.dport)
            && match &r.peer {
                PeerW::Nets(nets) => nets.iter().any(|n| n.contains(&peer.ip)),
                PeerW::Group(g) => {
                    peer.private() && self.is_named(&self.groups[*g], eni.vpc, peer.ip)
                        || self.is_balancer_of(*g, eni.vpc, peer)
                }
            }
    }
}
