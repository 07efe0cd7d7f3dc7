//! What the ways of a flow cross, there and back (docs/decisions/025).

use crate::flow::{Relayed, Way};
use crate::network::{Mode, Network, RelaySource};
use crate::point::trails::{Passed, entry, one_of_each};
use crate::point::{Entry, Exit, ExitKind, Inside, PeerView, Point, ReplyPort};
use bartizan_model::{FirewallId, InterfaceId, NatId};
use bartizan_packet::AtomSet;
use std::net::IpAddr;

/// One way that some services of a flow take, by what it crosses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The services (as delivered): of a reply, those of the requests that it answers.
    pub delivered: AtomSet,
    /// NAT gateways crossed.
    pub nats: Vec<NatId>,
    /// Appliances, sites and fronts of balancers crossed.
    pub appliances: Vec<InterfaceId>,
    /// Firewalls crossed, as far as this network counts on them.
    pub firewalls: Vec<FirewallId>,
    /// Custom routes, the first of each part of the way: indices into `Typed::route_entries`.
    pub routes: Vec<u32>,
    /// Whether it goes over the public Internet.
    pub internet: bool,
    /// Whether it is the way of replies.
    pub back: bool,
    /// Which of the ways in it is, of those among which the client chooses: by which address and which entry. Crossings
    /// of one number and direction are alternatives: one of them happens.
    pub choice: u32,
}

/// What a client chooses.
#[derive(PartialEq, Eq)]
enum Choice {
    Private,
    Out,
    In(Entry),
    Public(IpAddr, Entry),
    Inner(Option<usize>, IpAddr),
    Front(u32, Inside, Box<Choice>),
}

fn choice(way: &Way) -> Choice {
    match way {
        Way::Private => Choice::Private,
        Way::Out(_) => Choice::Out,
        Way::In(e) => Choice::In(*e),
        Way::Hairpin(_, p, e, _) => Choice::Public(*p, *e),
        Way::Inner(j) => Choice::Inner(j.door, j.to),
        Way::Relayed(x) => Choice::Front(x.relay, x.front, Box::new(choice(&x.first))),
    }
}

impl Crossing {
    fn along(mut self, p: &Passed) -> Crossing {
        self.appliances.extend(&p.appliances);
        self.firewalls.extend(&p.firewalls);
        self.routes.extend(&p.routes);
        self
    }

    /// It with each of some trails, and what both carry.
    fn by_each(&self, trails: &[Passed]) -> impl Iterator<Item = Crossing> {
        trails.iter().map(|t| Crossing {
            delivered: self.delivered.intersect(&t.atoms),
            ..self.clone().along(t)
        })
    }
}

impl Network {
    /// Every way of the requests of a flow and of the replies to them, by what it crosses. Where a way has more than
    /// one trail, each is listed with the services that may take it.
    #[must_use]
    pub fn crossings(&self, s: Point, d: Point) -> Vec<Crossing> {
        self.listed(s, d, true)
    }

    /// The same of the requests alone.
    #[must_use]
    pub fn crossings_there(&self, s: Point, d: Point) -> Vec<Crossing> {
        self.listed(s, d, false)
    }

    fn listed(&self, s: Point, d: Point, replies: bool) -> Vec<Crossing> {
        let mut ways = Vec::new();
        self.flow_ways(s, d, ReplyPort::Ephemeral, Some(&mut ways));
        let mut all = Vec::new();
        let mut choices: Vec<Choice> = Vec::new();
        for (way, flow) in ways.iter().filter(|(_, f)| !f.delivered.is_empty()) {
            let chosen = choice(way);
            let n = choices.iter().position(|c| *c == chosen).unwrap_or_else(|| {
                choices.push(chosen);
                choices.len() - 1
            });
            let mut found = self.crossed(way, s, d, &flow.delivered, false);
            // That some client's replies come back some way counts where all that may happen does.
            let answered = match self.mode {
                Mode::Widen => &flow.delivered,
                Mode::Narrow => &flow.works,
            };
            if replies && !answered.is_empty() {
                found.extend(self.crossed(way, s, d, answered, true));
            }
            let number = u32::try_from(n).unwrap_or(u32::MAX);
            all.extend(found.into_iter().map(|c| Crossing { choice: number, ..c }));
        }
        all.retain(|c| !c.delivered.is_empty());
        // A site that is the destination passes nothing on.
        if let Point::Inside(d) = d {
            all.iter_mut()
                .for_each(|c| c.appliances.retain(|i| *i != d.iface));
        }
        all
    }

    /// One way by what it crosses, or the way of the replies to it; `services` are those that are delivered by it, or
    /// that may be answered.
    fn crossed(&self, way: &Way, s: Point, d: Point, services: &AtomSet, back: bool) -> Vec<Crossing> {
        let plain = Crossing {
            delivered: services.clone(),
            nats: Vec::new(),
            appliances: Vec::new(),
            firewalls: Vec::new(),
            routes: Vec::new(),
            internet: true,
            back,
            choice: 0,
        };
        let along = |base: Crossing, trails: &[Passed]| base.by_each(trails).collect();
        match (way, s, d) {
            (Way::Relayed(x), ..) => {
                let first = self.crossed(&x.first, s, Point::Inside(x.front), &x.taken, back);
                self.behind(first, x, (s, d), services, back)
            }
            (Way::Private, Point::Inside(from), Point::Inside(to)) => {
                let plain = Crossing {
                    internet: false,
                    ..plain
                };
                if self.is_front(from.iface) {
                    return self.sent_from_front(from, to, &plain);
                }
                along(plain, &self.private_trails(from, to, back))
            }
            (Way::Inner(j), _, Point::Inside(_)) => {
                let mut c = plain;
                c.nats.extend(j.turns.iter().map(|t| t.nat));
                c.internet = false;
                if back {
                    // Ports change on the way: every trail is taken to carry all that is answered.
                    let all = one_of_each(&j.back);
                    return all.iter().map(|p| c.clone().along(p)).collect();
                }
                c.appliances.extend(&j.appliances);
                c.appliances
                    .extend(j.crossed.iter().flat_map(|c| self.sites_of(c)));
                c.firewalls.extend(j.crossed.iter().flat_map(|c| &c.firewalls));
                c.routes.extend(j.routes.iter().filter_map(entry));
                vec![c]
            }
            (Way::Out(e), _, Point::Outside(p)) if !back => vec![self.out(plain, s, e, p)],
            (Way::Out(e), Point::Inside(from), Point::Outside(p)) => {
                let trails = self.exit_trails_back(from, PeerView::public(p), e);
                along(self.same_doors(plain, s, e, p), &trails)
            }
            (Way::In(e), Point::Outside(x), Point::Inside(to)) => {
                let trails = self.entry_trails(to, PeerView::public(x), *e, back);
                along(self.door(plain, to, x, *e), &trails)
            }
            (Way::Hairpin(e, p, entry, x), Point::Inside(from), Point::Inside(to)) => {
                let entered = self.entry_trails(to, self.seen_from(s, e, *x), *entry, back);
                if !back {
                    return along(self.door(self.out(plain, s, e, *p), to, *x, *entry), &entered);
                }
                let owner = matches!(entry, Entry::Own(_) | Entry::V6).then_some(to);
                let home = self.exit_trails_back(from, self.public_view(*p, owner), e);
                let doors = self.door(self.same_doors(plain, s, e, *p), to, *x, *entry);
                along(doors, &one_of_each(&[entered, home]))
            }
            _ => vec![plain],
        }
    }

    fn seen_from(&self, s: Point, e: &Exit, x: IpAddr) -> PeerView<'_> {
        let owner = match s {
            Point::Inside(s) => e.seen_as_itself(s),
            Point::Outside(_) => None,
        };
        self.public_view(x, owner)
    }

    /// What a request that leaves through an exit crosses.
    fn out(&self, mut c: Crossing, s: Point, e: &Exit, dst: IpAddr) -> Crossing {
        c = self.same_doors(c, s, e, dst);
        c.firewalls.extend(&e.crossed.firewalls);
        c.appliances.extend(&e.appliances);
        c.appliances.extend(self.sites_of(&e.crossed));
        c.routes.extend(e.route.iter().filter_map(entry));
        c
    }

    /// What both directions of it cross: the gateway that translates, and the firewalls at the border.
    fn same_doors(&self, mut c: Crossing, s: Point, e: &Exit, dst: IpAddr) -> Crossing {
        if let Point::Inside(s) = s {
            let met = self.met_at_border(s, e, dst);
            c.firewalls.extend(met.iter().map(|m| m.id));
        }
        c.internet = e.kind != ExitKind::Service;
        if let ExitKind::Snat(n, _) = e.kind {
            c.nats.push(n);
        }
        c
    }

    /// What comes in through a door crosses there, in both directions.
    fn door(&self, mut c: Crossing, d: Inside, x: IpAddr, e: Entry) -> Crossing {
        if let Entry::Dnat(i) = e {
            c.nats.extend(self.addr_of(d).map(|(_, a)| a.dnat[i].nat));
        }
        c.firewalls.extend(self.met_inbound(d, x, e).map(|m| m.id));
        c
    }

    /// The leg behind a front, after whatever leads to it; of a reply, before whatever leads back from it.
    /// `services` are those that the backend sees, where ports are others than at the front.
    fn behind(
        &self,
        first: Vec<Crossing>,
        x: &Relayed,
        (s, d): (Point, Point),
        services: &AtomSet,
        back: bool,
    ) -> Vec<Crossing> {
        let behind = match (self.relays.get(x.relay as usize), d) {
            (Some(r), Point::Inside(d)) => {
                let (client, own) = (x.source.1, !x.source.1 || r.source == RelaySource::Either);
                let mut sources: Vec<PeerView<'_>> = Vec::new();
                sources.extend(client.then(|| self.seen_behind(x, s)));
                if own {
                    sources.extend(self.sources(r, d, None, &[]).into_iter().map(|v| v.0));
                }
                let each = sources.into_iter().map(|src| self.trails_behind(r, d, src, back));
                each.collect::<Option<Vec<_>>>().map(|v| v.concat())
            }
            _ => None,
        };
        let front: InterfaceId = x.front.iface;
        let mut all = Vec::new();
        for mut c in first.into_iter().filter(|c| !c.delivered.is_empty()) {
            c.delivered = services.clone();
            c.appliances.push(front);
            match &behind {
                None => all.push(c),
                Some(trails) => all.extend(c.by_each(trails)),
            }
        }
        all
    }

    /// What a front sends by itself, by what it crosses.
    fn sent_from_front(&self, s: Inside, d: Inside, plain: &Crossing) -> Vec<Crossing> {
        let mut all: Vec<Crossing> = Vec::new();
        for (_, r) in self.relays_at(d).filter(|(_, r)| r.front == s.iface) {
            for (src, _) in self.sources(r, d, None, &[]) {
                match self.trails_behind(r, d, src, plain.back) {
                    None => all.push(plain.clone()),
                    Some(trails) => all.extend(plain.by_each(&trails)),
                }
            }
        }
        all.dedup();
        all
    }
}
