//! Security groups, allow lists and network ACLs as chains of `ite`, straight from the inventory (ALIBABA.md §5, §6,
//! §15). What is not known lets pass, as in certificates.

use super::term::{Family, ips, services};
use bartizan_model::*;
use bartizan_packet::{IpSet, ServiceSet};

/// A condition on packets and what happens to those that meet it.
struct Arm {
    when: String,
    pass: bool,
}

/// `(ite c1 v1 (ite c2 v2 ... last))`.
fn chain(arms: &[Arm], last: bool) -> String {
    let mut out = String::new();
    for a in arms {
        out.push_str("(ite ");
        out.push_str(&a.when);
        out.push_str(if a.pass { " true " } else { " false " });
    }
    out.push_str(if last { "true" } else { "false" });
    out.push_str(&")".repeat(arms.len()));
    out
}

pub(super) struct Layers<'a> {
    t: &'a Typed,
    readings: &'a Readings,
}

impl<'a> Layers<'a> {
    pub(super) fn new(inv: &'a Inventory, readings: &'a Readings) -> Self {
        Layers {
            t: &inv.typed,
            readings,
        }
    }

    /// Whether a rule of a group that accepts (or drops) is about this kind of address of a member (A-SG-1).
    fn about(&self, k: AddressKind, pass: bool) -> bool {
        let primary = matches!(k, AddressKind::Primary | AddressKind::Ipv6);
        match self.readings.absence(Assumption::Sg1) {
            Use::First => true,
            Use::Second => primary,
            Use::Either => pass || primary,
        }
    }

    fn vpc(&self, i: InterfaceId) -> Option<VpcId> {
        let v = self.t[i].vswitch.known()?;
        self.t[*v].vpc.known().copied()
    }

    /// Addresses that a rule names; `None` where that is not known.
    fn named(&self, n: &NetSpec) -> Option<IpSet> {
        match n {
            NetSpec::Net(n) => Some(IpSet::from(*n.known()?)),
            NetSpec::PrefixList(p) => {
                let entries = self.t[*p.known()?].entries.known()?;
                let all: Option<Vec<_>> = entries.iter().map(|e| e.known().copied()).collect();
                Some(IpSet::from_nets(all?))
            }
        }
    }

    /// The certain part of what a list names: enough for a rule that drops.
    fn certainly(&self, n: &NetSpec) -> IpSet {
        match n {
            NetSpec::Net(_) => self.named(n).unwrap_or_default(),
            NetSpec::PrefixList(p) => {
                let entries = p.known().and_then(|p| self.t[*p].entries.known());
                let all = entries.into_iter().flatten();
                IpSet::from_nets(all.filter_map(|e| e.known().copied()))
            }
        }
    }

    /// Everybody who may hold an address: the interface, or all that share a HaVip.
    fn holders(&self, (i, a): (InterfaceId, u32)) -> Vec<&'a Interface> {
        let own = &self.t[i];
        match own.addresses.get(a as usize) {
            Some(x) if x.kind == AddressKind::HaVip => {
                let shares = |o: &&Interface| {
                    o.vswitch.known() == own.vswitch.known()
                        && o.addresses
                            .iter()
                            .any(|y| y.kind == AddressKind::HaVip && y.spec == x.spec)
                };
                self.t.interfaces.iter().filter(shares).collect()
            }
            _ => vec![own],
        }
    }

    /// Whether a rule that names a group is about the peer (§5.3): by membership in one VPC, by address from another.
    fn is_member(
        &self,
        at: InterfaceId,
        peer: Option<(InterfaceId, u32)>,
        g: SecurityGroupId,
        pass: bool,
    ) -> Option<IpSet> {
        let (other, a) = peer?;
        let belongs = |i: &Interface| i.groups.known().map_or(pass, |gs| gs.contains(&g));
        if self.vpc(other) == self.vpc(at) {
            return self
                .holders((other, a))
                .into_iter()
                .any(belongs)
                .then(IpSet::full);
        }
        if !pass {
            return None;
        }
        let mut set = IpSet::empty();
        for i in self.t.interfaces.iter().filter(|i| belongs(i)) {
            for x in &i.addresses {
                set = set.union(&match &x.spec {
                    AddressSpec::Ip(ip) => IpSet::single(*ip),
                    AddressSpec::Block(n) => IpSet::from(*n),
                    AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_) => IpSet::full(),
                });
            }
        }
        Some(set)
    }

    fn arm(f: Family, ingress: bool, peers: &IpSet, svc: &ServiceSet, pass: bool) -> Arm {
        let var = if ingress { f.src() } else { f.dst() };
        Arm {
            when: format!("(and {} {})", ips(f, &var, peers), services(svc)),
            pass,
        }
    }

    /// What the groups of an interface, or the allow list of a managed service there, let pass.
    pub(super) fn groups(
        &self,
        at: InterfaceId,
        ingress: bool,
        peer: Option<(InterfaceId, u32)>,
        f: Family,
    ) -> String {
        let t = self.t;
        if let Some(d) = t.data_services.iter().find(|d| d.interface == at) {
            return self.allow_list(d, at, ingress, peer, f);
        }
        let own = &t[at];
        let groups = match &own.groups {
            Fact::Known(gs) if !gs.is_empty() && own.foreign_groups.is_empty() => gs,
            _ => return "true".to_string(),
        };
        let mut arms = Vec::new();
        if !ingress {
            // §5.7: activation of the operating system is never filtered.
            let service = IpSet::single(std::net::Ipv4Addr::new(100, 100, 100, 200).into());
            arms.push(Self::arm(f, ingress, &service, &ServiceSet::any(), true));
        }
        // §5.5: members of a basic group reach one another unless its policy is Drop.
        // A-SG-2.
        let early = ingress || self.readings.absence(Assumption::Sg2) != Use::Second;
        let inner = early
            && groups.iter().any(|g| {
                t[*g].enterprise.known() != Some(&true)
                    && t[*g].inner_accept.known() != Some(&false)
                    && peer.is_some_and(|(p, _)| {
                        self.vpc(p) == self.vpc(at) && t[p].groups.known().is_none_or(|gs| gs.contains(g))
                    })
            });
        if inner {
            arms.push(Self::arm(f, ingress, &IpSet::full(), &ServiceSet::any(), true));
        }
        let mut ordered: Vec<(u8, bool, usize)> = Vec::new();
        for (n, r) in t.sg_rules.iter().enumerate() {
            let wanted = if ingress {
                Direction::Ingress
            } else {
                Direction::Egress
            };
            if r.group.known().is_some_and(|g| !groups.contains(g))
                || r.direction.known().is_some_and(|d| *d != wanted)
            {
                continue;
            }
            let pass = r.accept.known() != Some(&false);
            let exists =
                r.origin.maybe.is_none() && r.group.known().is_some() && r.direction.known().is_some();
            if !pass && !exists {
                continue;
            }
            // Where the priority is not known, what accepts goes first and what drops last.
            let place = r
                .priority
                .known()
                .copied()
                .unwrap_or(if pass { 0 } else { u8::MAX });
            ordered.push((place, pass, n));
        }
        // §5.5: lower numbers first; at the same number what drops.
        ordered.sort_unstable();
        let plain = peer
            .and_then(|(i, a)| t[i].addresses.get(a as usize))
            .map(|a| a.kind);
        for (_, pass, n) in ordered {
            let r = &t.sg_rules[n];
            let peers = match &r.peer {
                Peer::Net(n) if pass => self.named(n).unwrap_or_else(IpSet::full),
                Peer::Net(n) => self.certainly(n),
                // From another VPC any address may be somebody's here.
                Peer::Group(_)
                    if peer.is_some_and(|(p, _)| self.vpc(p) == self.vpc(at))
                        && !plain.is_some_and(|k| self.about(k, pass)) =>
                {
                    IpSet::empty()
                }
                Peer::Group(g) => self.is_member(at, peer, *g, pass).unwrap_or_default(),
                Peer::ForeignGroup(_) | Peer::Unknown(_) if pass => IpSet::full(),
                Peer::ForeignGroup(_) | Peer::Unknown(_) => IpSet::empty(),
            };
            let svc = r.services.known().cloned().unwrap_or_else(|| unknown(pass));
            arms.push(Self::arm(f, ingress, &peers, &svc, pass));
        }
        // §5.1: basic groups let everything out, and nobody anything in.
        let basic = groups.iter().all(|g| t[*g].enterprise.known() != Some(&true));
        chain(&arms, !ingress && basic)
    }

    /// §15: any entry admits, on the service's own ports; it opens nothing itself.
    fn allow_list(
        &self,
        d: &DataService,
        at: InterfaceId,
        ingress: bool,
        peer: Option<(InterfaceId, u32)>,
        f: Family,
    ) -> String {
        if !ingress {
            return "false".to_string();
        }
        let svc = d.services.known();
        let svc = svc.map_or_else(ServiceSet::any, |s| s.union(&d.also));
        let entry = |e: &AllowEntry| {
            let peers = match &e.peer {
                AllowPeer::Net(n) => IpSet::from(*n),
                AllowPeer::Group(g) => self.is_member(at, peer, *g, true).unwrap_or_default(),
                AllowPeer::ForeignGroup(_) | AllowPeer::Unknown(_) => IpSet::full(),
            };
            Self::arm(f, ingress, &peers, &svc, true)
        };
        let arms: Vec<Arm> = d.allow.iter().map(entry).collect();
        chain(&arms, false)
    }

    /// What the ACL of the interface's vSwitch lets pass; everything where there is none, where it is not known, or
    /// at a managed service (§15.3).
    pub(super) fn acl(&self, at: InterfaceId, ingress: bool, f: Family) -> String {
        let open = || "true".to_string();
        if self.t.data_services.iter().any(|d| d.interface == at) {
            return open();
        }
        let Some(v) = self.t[at].vswitch.known() else {
            return open();
        };
        let Fact::Known(Some(id)) = self.t[*v].acl else {
            return open();
        };
        let list = if ingress {
            &self.t[id].ingress
        } else {
            &self.t[id].egress
        };
        let AclList::Entries(entries) = list else {
            return open();
        };
        let mut arms = Vec::new();
        // §6: the cloud's own services are never filtered.
        let cloud = ["100.100.2.128/28", "100.100.2.112/28", "100.100.100.200/32"];
        let cloud = IpSet::from_nets(cloud.iter().filter_map(|n| n.parse().ok()));
        arms.push(Self::arm(f, ingress, &cloud, &ServiceSet::any(), true));
        for e in entries {
            let pass = e.accept.known() != Some(&false);
            if !pass && e.origin.maybe.is_some() {
                continue;
            }
            let peers = if pass {
                self.named(&e.peer).unwrap_or_else(IpSet::full)
            } else {
                self.certainly(&e.peer)
            };
            let svc = e.services.known().cloned().unwrap_or_else(|| unknown(pass));
            arms.push(Self::arm(f, ingress, &peers, &svc, pass));
        }
        // A-NACL-1.
        chain(&arms, self.readings.absence(Assumption::Nacl1) == Use::Second)
    }
}

/// Services that are not known, in a rule that accepts or drops.
fn unknown(pass: bool) -> ServiceSet {
    if pass {
        ServiceSet::any()
    } else {
        ServiceSet::empty()
    }
}
