//! What the branches of a way pass by, there and back: the facts that `through` is about (docs/decisions/025).

use super::{Branch, Entry, Exit, Inside, PeerView, ReplyPort};
use crate::network::{Mode, Network, Relay, RouteRef};
use bartizan_model::{FirewallId, InterfaceId};
use bartizan_packet::AtomSet;

/// What one branch passes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passed {
    /// Appliances and sites that passed it on.
    pub(crate) appliances: Vec<InterfaceId>,
    /// Firewalls between VPCs that stand on it.
    pub(crate) firewalls: Vec<FirewallId>,
    /// Custom routes, the first of each part: indices into `Typed::route_entries`.
    pub(crate) routes: Vec<u32>,
    /// The services that it carries; of a reply, the services of the requests that it answers.
    pub(crate) atoms: AtomSet,
}

impl Passed {
    /// One trail after another: what both pass by, and the services of the first.
    fn then(&self, o: &Passed) -> Passed {
        let mut all = self.clone();
        all.appliances.extend(&o.appliances);
        all.firewalls.extend(&o.firewalls);
        all.routes.extend(&o.routes);
        all
    }
}

/// Every choice of one trail of each list, as one trail.
pub(crate) fn one_of_each(lists: &[Vec<Passed>]) -> Vec<Passed> {
    let Some((first, rest)) = lists.split_first() else {
        return Vec::new();
    };
    let mut all = first.clone();
    for list in rest {
        all = all
            .iter()
            .flat_map(|a| list.iter().map(move |b| a.then(b)))
            .collect();
    }
    all
}

/// The custom entry that a route is.
pub(crate) fn entry(r: &RouteRef) -> Option<u32> {
    match r {
        RouteRef::Entry(n) => Some(*n),
        _ => None,
    }
}

impl Network {
    fn trail(&self, b: &Branch, atoms: AtomSet) -> Passed {
        let mut appliances = b.appliances.clone();
        appliances.extend(self.sites_of(&b.crossed));
        Passed {
            appliances,
            firewalls: b.crossed.firewalls.clone(),
            routes: b.route.iter().filter_map(entry).collect(),
            atoms,
        }
    }

    /// The trails of requests.
    fn gone(&self, branches: &[Branch]) -> Vec<Passed> {
        let open = branches.iter().filter(|b| !b.atoms.is_empty());
        open.map(|b| self.trail(b, b.atoms.clone())).collect()
    }

    /// The trails of replies.
    pub(super) fn come_back(&self, branches: &[Branch]) -> Vec<Passed> {
        let each = branches.iter().map(|b| {
            let atoms = match self.mode {
                Mode::Widen => self.some_come_back(b),
                Mode::Narrow => self.back(std::slice::from_ref(b), ReplyPort::Ephemeral),
            };
            self.trail(b, atoms)
        });
        each.filter(|p| !p.atoms.is_empty()).collect()
    }

    /// The services some of whose replies come back by a branch, from whatever port the client sends.
    fn some_come_back(&self, b: &Branch) -> AtomSet {
        if b.atoms.is_empty() {
            return b.atoms.clone();
        }
        let to = self.atoms.services(&b.atoms);
        let mut a = super::replies::answered(self, &b.atoms, (!to.tcp.is_empty(), !to.udp.is_empty()));
        if let Some(s) = b.source.as_ref().filter(|_| self.says.source_ports) {
            a.intersect_with(s);
        }
        a
    }

    /// The trails of the replies to whatever comes by some branches.
    fn answered(&self, branches: &[Branch], home: impl Fn(&Branch) -> Vec<Branch>) -> Vec<Passed> {
        let mut all = Vec::new();
        for b in branches.iter().filter(|b| !b.atoms.is_empty()) {
            for mut p in self.come_back(&home(b)) {
                p.atoms.intersect_with(&b.atoms);
                if !p.atoms.is_empty() && !all.contains(&p) {
                    all.push(p);
                }
            }
        }
        all
    }

    /// By private addresses from `s` to `d`, or those of the replies.
    pub(crate) fn private_trails(&self, s: Inside, d: Inside, back: bool) -> Vec<Passed> {
        let there = self.private_branches(s, d, &[], Some(ReplyPort::Ephemeral));
        match back {
            false => self.gone(&there),
            true => self.answered(&there, |b| self.private_home(s, d, b)),
        }
    }

    /// From a public source through a door to `d`, or those of the replies.
    pub(crate) fn entry_trails(&self, d: Inside, from: PeerView<'_>, e: Entry, back: bool) -> Vec<Passed> {
        let there = self.enter(d, from, e, &[], Some(ReplyPort::Ephemeral));
        match back {
            false => self.gone(&there),
            true => self.answered(&there, |b| self.answers(d, from, e, b)),
        }
    }

    /// The replies to what left `s` through an exit. An appliance that translated sees them first.
    pub(crate) fn exit_trails_back(&self, s: Inside, to: PeerView<'_>, e: &Exit) -> Vec<Passed> {
        let mut all = self.come_back(&self.exit_home(s, to, e));
        if matches!(e.kind, super::ExitKind::Appliance(..)) {
            for p in &mut all {
                p.appliances.extend(e.appliances.last());
            }
        }
        all
    }

    /// Behind a balancer, from it to a backend, or those of the replies. `None` where nothing but the fabric of one VPC
    /// lies between the two.
    pub(crate) fn trails_behind(
        &self,
        r: &Relay,
        d: Inside,
        src: PeerView<'_>,
        back: bool,
    ) -> Option<Vec<Passed>> {
        let (fi, (di, _)) = (self.iface(r.front)?, self.addr_of(d)?);
        let front = fi.front.as_ref().filter(|f| !self.straight(fi, f, di))?;
        let there = self.routed_branches(fi, front, d, src, ReplyPort::Ephemeral);
        Some(match back {
            false => self.gone(&there),
            true => self.answered(&there, |b| self.routed_home(fi, front, d, src, b)),
        })
    }
}
