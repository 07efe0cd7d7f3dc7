//! What the ways of a flow cross, there and back (docs/decisions/025).

use crate::flow::{Relayed, Way};
use crate::network::{Mode, Network, Relay, RelaySource};
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
}

impl Network {
    /// Every way of the requests of a flow and of the replies to them, by what it crosses. Where a way has more than
    /// one trail, each is listed with the services that may take it.
    #[must_use]
    pub fn crossings(&self, s: Point, d: Point) -> Vec<Crossing> {
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
            let mut found = self.there(way, s, d, &flow.delivered);
            // That some client's replies come back some way counts where all that may happen does.
            let answered = match self.mode {
                Mode::Widen => &flow.delivered,
                Mode::Narrow => &flow.works,
            };
            if !answered.is_empty() {
                found.extend(self.back_again(way, s, d, answered));
            }
            let number = u32::try_from(n).unwrap_or(u32::MAX);
            all.extend(found.into_iter().map(|c| Crossing { choice: number, ..c }));
        }
        all.retain(|c| !c.delivered.is_empty());
        all
    }

    fn there(&self, way: &Way, s: Point, d: Point, delivered: &AtomSet) -> Vec<Crossing> {
        let plain = Crossing {
            delivered: delivered.clone(),
            nats: Vec::new(),
            appliances: Vec::new(),
            firewalls: Vec::new(),
            routes: Vec::new(),
            internet: true,
            back: false,
            choice: 0,
        };
        let carried = |p: &Passed| Crossing {
            delivered: delivered.intersect(&p.atoms),
            ..plain.clone()
        };
        match (way, d) {
            (Way::Relayed(x), _) => {
                let first = self.there(&x.first, s, Point::Inside(x.front), &x.taken);
                self.behind(first, x, (s, d), delivered, false)
            }
            (Way::Private, Point::Inside(to)) => {
                let Point::Inside(from) = s else {
                    return Vec::new();
                };
                if self.is_front(from.iface) {
                    return self.sent_from_front(from, to, &plain, false);
                }
                let trails = self.private_trails(from, to);
                let each = trails.iter().map(|p| carried(p).along(p));
                each.map(|c| Crossing { internet: false, ..c }).collect()
            }
            (Way::Inner(j), Point::Inside(_)) => {
                let mut c = plain;
                c.nats.extend(j.turns.iter().map(|t| t.nat));
                c.appliances.extend(&j.appliances);
                c.appliances
                    .extend(j.crossed.iter().flat_map(|c| self.sites_of(c)));
                c.firewalls.extend(j.crossed.iter().flat_map(|c| &c.firewalls));
                c.routes.extend(j.routes.iter().filter_map(entry));
                c.internet = false;
                vec![c]
            }
            (Way::Out(e), Point::Outside(p)) => vec![self.out(plain, s, e, p)],
            (Way::In(e), Point::Inside(to)) => {
                let Point::Outside(x) = s else { return vec![plain] };
                let trails = self.entry_trails(to, PeerView::public(x), *e);
                let each = trails.iter().map(|p| self.door(carried(p), to, x, *e).along(p));
                each.collect()
            }
            (Way::Hairpin(e, p, entry, x), Point::Inside(to)) => {
                let out = self.out(plain.clone(), s, e, *p);
                let trails = self.entry_trails(to, self.seen_from(s, e, *x), *entry);
                let each = trails.iter().map(|t| {
                    let c = Crossing {
                        delivered: delivered.intersect(&t.atoms),
                        ..out.clone()
                    };
                    self.door(c, to, *x, *entry).along(t)
                });
                each.collect()
            }
            (Way::Out(_) | Way::In(_) | Way::Hairpin(..) | Way::Private | Way::Inner(_), _) => vec![plain],
        }
    }

    /// The ways of the replies; `works` are the services that may be answered.
    fn back_again(&self, way: &Way, s: Point, d: Point, works: &AtomSet) -> Vec<Crossing> {
        let plain = Crossing {
            delivered: works.clone(),
            nats: Vec::new(),
            appliances: Vec::new(),
            firewalls: Vec::new(),
            routes: Vec::new(),
            internet: true,
            back: true,
            choice: 0,
        };
        let carried = |p: &Passed| Crossing {
            delivered: works.intersect(&p.atoms),
            ..plain.clone()
        };
        match (way, d) {
            (Way::Relayed(x), _) => {
                let first = self.back_again(&x.first, s, Point::Inside(x.front), &x.taken);
                self.behind(first, x, (s, d), works, true)
            }
            (Way::Private, Point::Inside(to)) => {
                let Point::Inside(from) = s else {
                    return Vec::new();
                };
                if self.is_front(from.iface) {
                    return self.sent_from_front(from, to, &plain, true);
                }
                let trails = self.private_trails_back(from, to);
                let each = trails.iter().map(|p| carried(p).along(p));
                each.map(|c| Crossing { internet: false, ..c }).collect()
            }
            (Way::Inner(j), Point::Inside(_)) => {
                // Ports change on the way: every trail is taken to carry all that is answered.
                let mut c = plain;
                c.nats.extend(j.turns.iter().map(|t| t.nat));
                c.internet = false;
                one_of_each(&j.back).iter().map(|p| c.clone().along(p)).collect()
            }
            (Way::Out(e), Point::Outside(p)) => {
                let Point::Inside(from) = s else {
                    return vec![plain];
                };
                let mut out = self.same_doors(plain.clone(), s, e, p);
                let trails = self.exit_trails_back(from, PeerView::public(p), e);
                out.delivered = works.clone();
                let each = trails.iter().map(|t| {
                    let c = Crossing {
                        delivered: works.intersect(&t.atoms),
                        ..out.clone()
                    };
                    c.along(t)
                });
                each.collect()
            }
            (Way::In(e), Point::Inside(to)) => {
                let Point::Outside(x) = s else { return vec![plain] };
                let trails = self.entry_trails_back(to, PeerView::public(x), *e);
                let each = trails.iter().map(|p| self.door(carried(p), to, x, *e).along(p));
                each.collect()
            }
            (Way::Hairpin(e, p, entry, x), Point::Inside(to)) => {
                let Point::Inside(from) = s else {
                    return vec![plain];
                };
                let out = self.door(self.same_doors(plain, s, e, *p), to, *x, *entry);
                let owner = matches!(entry, Entry::Own(_) | Entry::V6).then_some(to);
                let trails = one_of_each(&[
                    self.entry_trails_back(to, self.seen_from(s, e, *x), *entry),
                    self.exit_trails_back(from, self.public_view(*p, owner), e),
                ]);
                let each = trails.iter().map(|t| {
                    let c = Crossing {
                        delivered: works.intersect(&t.atoms),
                        ..out.clone()
                    };
                    c.along(t)
                });
                each.collect()
            }
            (Way::Out(_) | Way::In(_) | Way::Hairpin(..) | Way::Private | Way::Inner(_), _) => vec![plain],
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
                let each = sources.into_iter().map(|src| self.legs(r, d, src, back));
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
                Some(trails) => all.extend(trails.iter().map(|t| {
                    let c = c.clone().along(t);
                    Crossing {
                        delivered: c.delivered.intersect(&t.atoms),
                        ..c
                    }
                })),
            }
        }
        all
    }

    fn legs(&self, r: &Relay, d: Inside, src: PeerView<'_>, back: bool) -> Option<Vec<Passed>> {
        if back {
            self.trails_from_behind(r, d, src)
        } else {
            self.trails_behind(r, d, src)
        }
    }

    /// What a front sends by itself, by what it crosses.
    fn sent_from_front(&self, s: Inside, d: Inside, plain: &Crossing, back: bool) -> Vec<Crossing> {
        let plain = Crossing {
            internet: false,
            ..plain.clone()
        };
        let mut all: Vec<Crossing> = Vec::new();
        for (_, r) in self.relays_at(d).filter(|(_, r)| r.front == s.iface) {
            for (src, _) in self.sources(r, d, None, &[]) {
                let found = match self.legs(r, d, src, back) {
                    None => vec![plain.clone()],
                    Some(trails) => trails
                        .iter()
                        .map(|t| {
                            let c = plain.clone().along(t);
                            Crossing {
                                delivered: c.delivered.intersect(&t.atoms),
                                ..c
                            }
                        })
                        .collect(),
                };
                for c in found {
                    if !all.contains(&c) {
                        all.push(c);
                    }
                }
            }
        }
        all
    }
}
