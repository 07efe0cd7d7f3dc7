//! Random rules and ACL entries.

use super::Gen;
use crate::builder::GroupKind;
use crate::text::{PeerText, PortsText, RuleText, must};
use bartizan_model::{Direction, SecurityGroupId};
use bartizan_packet::Proto;

/// Ports at whose borders something may go wrong.
const PORTS: [(u16, u16); 12] = [
    (22, 22),
    (80, 80),
    (443, 443),
    (1, 65535),
    (1, 65535),
    (22, 80),
    (21, 22),
    (23, 443),
    (1024, 65535),
    (65535, 65535),
    (1, 1023),
    (443, 1024),
];

impl Gen<'_> {
    pub(super) fn policy(&mut self) {
        self.group_rules();
        if self.f.acls {
            self.acls();
        }
    }

    fn group_rules(&mut self) {
        let all: Vec<(usize, SecurityGroupId, GroupKind)> = (0..self.vpcs.len())
            .flat_map(|v| self.vpcs[v].groups.iter().map(move |g| (v, g.0, g.2)))
            .collect();
        for (v, g, kind) in all {
            for _ in 0..self.r.between(1, 5) {
                let mut r = self.line(kind != GroupKind::Enterprise, Some(v));
                // Without egress accepts an enterprise group says nothing but no.
                if kind == GroupKind::Enterprise && self.r.chance(40) {
                    r.accept = true;
                }
                self.b.rule(g, r);
            }
            // Something must get through, or networks would differ in their reasons for silence only.
            for _ in 0..self.r.below(3) {
                let mut r = self.line(false, None);
                r.accept = true;
                r.protocol = None;
                r.ports = PortsText::All;
                r.priority = if self.r.chance(50) { 100 } else { 1 };
                self.b.rule(g, r);
            }
        }
    }

    fn acls(&mut self) {
        for v in 0..self.vpcs.len() {
            for n in 0..self.r.below(3) {
                let mut entries = Vec::new();
                for _ in 0..self.r.between(1, 6) {
                    entries.push(self.line(false, None));
                }
                for direction in [Direction::Ingress, Direction::Egress] {
                    if self.r.chance(75) {
                        let accept = self.r.chance(85);
                        let six = self.f.ipv6 && self.r.chance(60);
                        for net in ["0.0.0.0/0", "::/0"].iter().take(1 + usize::from(six)) {
                            let peer = PeerText::Net(must(net.parse()));
                            let ports = PortsText::All;
                            entries.push(RuleText {
                                direction,
                                accept,
                                protocol: None,
                                ports,
                                peer,
                                priority: 1,
                            });
                        }
                    }
                }
                let id = self.vpcs[v].id;
                let acl = self.b.acl(&format!("acl{v}{n}"), id, &entries);
                let s = self.r.below(self.vpcs[v].vswitches.len());
                let vsw = self.vpcs[v].vswitches[s].id;
                self.b.bind_acl(vsw, acl);
            }
        }
    }

    /// A rule or an entry; with a group of any VPC as its peer if `groups`.
    fn line(&mut self, groups: bool, vpc: Option<usize>) -> RuleText {
        let direction = if self.r.chance(60) {
            Direction::Ingress
        } else {
            Direction::Egress
        };
        let protocol = match self.r.below(12) {
            0..5 => Some(Proto::TCP),
            5..7 => Some(Proto::UDP),
            7 => Some(Proto::ICMP),
            8 if self.f.ipv6 => Some(Proto::ICMPV6),
            9 => Some(Proto::GRE),
            _ => None,
        };
        let ports = match protocol {
            Some(Proto::TCP | Proto::UDP) => {
                let (l, h) = self.some(&PORTS).unwrap_or((22, 22));
                PortsText::Range(l, h)
            }
            _ => PortsText::All,
        };
        let list = if self.r.chance(15) {
            let names: Vec<String> = self
                .lists4
                .iter()
                .chain(&self.lists6)
                .map(|l| l.1.clone())
                .collect();
            self.some(&names)
        } else {
            None
        };
        let group = if groups && self.r.chance(25) {
            self.peer_group(vpc)
        } else {
            None
        };
        let peer = match (list, group) {
            (_, Some(g)) => PeerText::Group(g),
            (Some(l), None) => PeerText::PrefixList(l),
            (None, None) => {
                let c = self.cidr();
                PeerText::Net(must(c.parse()))
            }
        };
        let priority = self.some(&[1, 1, 1, 2, 5, 100]).unwrap_or(1);
        RuleText {
            direction,
            accept: self.r.chance(70),
            protocol,
            ports,
            peer,
            priority,
        }
    }

    /// A basic group, mostly of the same VPC; a reference to another VPC's group never matches (S13).
    fn peer_group(&mut self, vpc: Option<usize>) -> Option<String> {
        let same = self.r.chance(80);
        let names: Vec<String> = self
            .vpcs
            .iter()
            .enumerate()
            .filter(|(v, _)| !same || Some(*v) == vpc)
            .flat_map(|(_, v)| {
                v.groups
                    .iter()
                    .filter(|g| g.2 != GroupKind::Enterprise)
                    .map(|g| g.1.clone())
            })
            .collect();
        self.some(&names)
    }
}
