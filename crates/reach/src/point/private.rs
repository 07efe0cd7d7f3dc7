//! By private addresses: requests, and the replies to them (ALIBABA.md §1).

use super::{Branch, Crossed, Inside, Moving, ReplyPort};
use crate::network::{Network, RouteRef};
use bartizan_model::InterfaceId;
use bartizan_packet::AtomSet;

impl Network {
    /// The branches of a request by private addresses.
    pub(super) fn private_branches(
        &self,
        s: Inside,
        d: Inside,
        sessions: &[InterfaceId],
        ask: Option<ReplyPort>,
    ) -> Vec<Branch> {
        let (Some((si, _)), Some((di, _))) = (self.addr_of(s), self.addr_of(d)) else {
            return Vec::new();
        };
        if self.one_end(s, d)
            || s.ip.is_ipv4() != d.ip.is_ipv4()
            || !self.meet(si, di)
            // §7.4: an EIP in ENI-visible mode replaces the private networking of the interface.
            || si.apart
            || di.apart
        {
            return Vec::new();
        }
        let m = Moving {
            src: self.private_view(s),
            dst: self.private_view(d),
            sessions,
            goal: Some(d.iface),
            sender: None,
            translate: false,
            exempt: None,
            ask,
        };
        let mut out = Vec::new();
        self.leave(m, self.start(s), si, true, &mut out);
        out
    }

    /// Requests that arrive privately, inside one VPC or through what joins two.
    pub(crate) fn private_request(&self, s: Inside, d: Inside) -> AtomSet {
        if self.is_front(s.iface) {
            return self.sent_by_front(s, d, &[], &|_, f| f).delivered;
        }
        let all = self.private_branches(s, d, &[], Some(ReplyPort::Ephemeral));
        self.fold(all.into_iter().map(|b| b.atoms))
    }

    /// Requests that arrive privately, and those whose replies get back. Groups of the two ends and of the
    /// appliances that saw the request are stateful (§5.6); ACLs and routes are evaluated again (§1).
    pub(crate) fn private_flow(&self, s: Inside, d: Inside, ask: ReplyPort) -> (AtomSet, AtomSet) {
        if self.is_front(s.iface) {
            let f = self.sent_by_front(s, d, &[], &|_, f| f);
            return (f.delivered, f.works);
        }
        let branches = self.private_branches(s, d, &[], Some(ask));
        let works = self.fold(branches.iter().map(|b| {
            if b.atoms.is_empty() {
                return b.atoms.clone();
            }
            self.back(&self.private_home(s, d, b), ask).intersect(&b.atoms)
        }));
        (self.fold(branches.into_iter().map(|b| b.atoms)), works)
    }

    /// The branches of the reply to a private request that came by `b`.
    pub(super) fn private_home(&self, s: Inside, d: Inside, b: &Branch) -> Vec<Branch> {
        let mut sessions = vec![s.iface, d.iface];
        sessions.extend(&b.appliances);
        self.private_branches(d, s, &sessions, None)
    }

    /// What every private trail from `s` to `d` uses: custom routes, and what of transit routers.
    pub(crate) fn private_uses(&self, s: Inside, d: Inside) -> Vec<(Option<RouteRef>, Crossed)> {
        if self.is_front(s.iface) {
            return Vec::new();
        }
        let branches = self.private_branches(s, d, &[], Some(ReplyPort::Ephemeral));
        branches
            .into_iter()
            .filter(|b| !b.atoms.is_empty())
            .map(|b| (b.route, b.crossed))
            .collect()
    }
}
