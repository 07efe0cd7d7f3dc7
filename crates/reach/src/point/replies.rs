//! What comes back: replies through filters that keep no state (ALIBABA.md §4, §5.6; A-NACL-2).

use super::{Branch, ReplyPort};
use crate::network::{Mode, Network};
use bartizan_packet::{AtomSet, PortSet, Proto, ServiceSet};

/// What happens to the services of a request when its replies have to pass a stateless filter that accepts
/// `accepted` (as destination ports of the replies): those all of whose replies pass.
///
/// The reply to a TCP or UDP request goes to the client's port, which is what `ask` says; that to an ICMP echo request is an echo reply; other protocols
/// answer in kind.
fn replies(net: &Network, accepted: &AtomSet, ask: ReplyPort) -> AtomSet {
    if *accepted == net.common.all {
        return accepted.clone();
    }
    let ports = match ask {
        ReplyPort::Ephemeral => (
            net.common.tcp_ephemeral.is_subset(accepted),
            net.common.udp_ephemeral.is_subset(accepted),
        ),
        ReplyPort::Port(p) => (
            accepted.contains(net.atoms.atom_of(Proto::TCP, p)),
            accepted.contains(net.atoms.atom_of(Proto::UDP, p)),
        ),
    };
    answered(net, accepted, ports)
}

/// The services whose replies a stateless filter lets pass, where it does so or not for those of TCP and of UDP.
pub(super) fn answered(net: &Network, accepted: &AtomSet, (tcp, udp): (bool, bool)) -> AtomSet {
    let mut ok = ServiceSet::empty();
    if tcp {
        ok.tcp = PortSet::full();
    }
    if udp {
        ok.udp = PortSet::full();
    }
    let a = net.atoms.services(accepted);
    let echo = |set: &PortSet, request: u16, reply: u16| {
        let request = PortSet::range(request << 8, request << 8 | 255);
        let back = set.contains(reply << 8);
        let rest = set.subtract(&request);
        if back { rest.union(&request) } else { rest }
    };
    ok.icmp = echo(&a.icmp, 8, 0);
    ok.icmpv6 = echo(&a.icmpv6, 128, 129);
    ok.other = a.other;
    net.atoms.inside(&ok)
}

impl Network {
    /// What passes an ACL for ingress whose entries mean source ports, of what it accepts as such (A-NACL-2): for a
    /// client that sends from the ports that `ask` says.
    pub(crate) fn by_source(&self, accepted: &AtomSet, ask: ReplyPort) -> AtomSet {
        let sent = |ephemeral: &AtomSet, proto| match ask {
            ReplyPort::Ephemeral if self.mode == Mode::Widen => accepted.intersects(ephemeral),
            ReplyPort::Ephemeral => ephemeral.is_subset(accepted),
            ReplyPort::Port(p) => accepted.contains(self.atoms.atom_of(proto, p)),
        };
        let ports = |ok| if ok { PortSet::full() } else { PortSet::empty() };
        let a = self.atoms.services(accepted);
        self.atoms.inside(&ServiceSet {
            tcp: ports(sent(&self.common.tcp_ephemeral, Proto::TCP)),
            udp: ports(sent(&self.common.udp_ephemeral, Proto::UDP)),
            ..a
        })
    }

    /// The same for a reply: what passes whatever the port, and what passes as the port that the request was for.
    pub(super) fn reply_by_source(&self, accepted: &AtomSet) -> (AtomSet, AtomSet) {
        let a = self.atoms.services(accepted);
        let portless = ServiceSet {
            tcp: PortSet::full(),
            udp: PortSet::full(),
            ..a.clone()
        };
        let ported = ServiceSet {
            tcp: a.tcp,
            udp: a.udp,
            ..ServiceSet::any()
        };
        (self.atoms.inside(&portless), self.atoms.inside(&ported))
    }

    /// The services all of whose replies get back by the branches of a reply.
    pub(super) fn back(&self, branches: &[Branch], ask: ReplyPort) -> AtomSet {
        let each = || branches.iter().map(|b| b.atoms.clone());
        if !self.says.source_ports {
            return replies(self, &self.fold(each()), ask);
        }
        let source = |b: &Branch| b.source.clone().unwrap_or_else(|| self.common.all.clone());
        if ask == ReplyPort::Ephemeral && self.mode == Mode::Widen {
            // Different ports may come back by different branches, each of which lets some services back at all.
            let mut kinds = vec![(self.common.all.clone(), Vec::new())];
            for b in branches.iter().filter(|b| !b.atoms.is_empty()) {
                let lets = source(b);
                let mut next = Vec::new();
                for (of, by) in kinds {
                    let (yes, no) = (of.intersect(&lets), of.subtract(&lets));
                    if !yes.is_empty() {
                        let mut by: Vec<AtomSet> = by.clone();
                        by.push(b.atoms.clone());
                        next.push((yes, by));
                    }
                    if !no.is_empty() {
                        next.push((no, by));
                    }
                }
                kinds = next;
            }
            let each = kinds.into_iter();
            return self.fold(each.map(|(of, by)| replies(self, &self.fold(by), ask).intersect(&of)));
        }
        self.fold(
            branches
                .iter()
                .map(|b| replies(self, &b.atoms, ask).intersect(&source(b))),
        )
    }
}
