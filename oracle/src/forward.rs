//! Forwarding inside a VPC (ALIBABA.md §1, §3.5, §4.1, §6).

use crate::firewall::Crossing;
use crate::group::Pkt;
use crate::hybrid::Once;
use crate::oracle::GatewayRoutes;
use crate::route::MAX_APPLIANCES;
use crate::world::{Hop, World};
use bartizan_model::{Assumption, Direction};
use std::net::IpAddr;

/// What a packet that leaves an interface is meant to reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// An interface of the same VPC by its private address.
    Interface(usize),
    /// The Internet; the public addresses that map to the packet's private source.
    Internet(Vec<IpAddr>),
    /// A VPC NAT gateway: by a NAT IP of it, or by a route to it alone.
    Gateway(usize, bool),
}

/// Where a packet has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The interface it was meant for.
    Arrived,
    /// The Internet, as this public address of its own.
    Own(IpAddr),
    /// A NAT gateway.
    Nat(usize),
    /// An IPv6 gateway.
    Gateway6,
    /// A VPC NAT gateway (020).
    Inner(usize),
}

/// A path that a packet may take.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) exit: Exit,
    pub(crate) appliances: Vec<usize>,
    /// Whether it went through a transit router.
    pub(crate) crossed: bool,
    pub(crate) steps: Vec<String>,
}

/// Where a packet is when a route is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// At an interface.
    At(usize),
    /// Handed over in a VPC, in one of its vSwitches if the router or gateway has one.
    Handed(usize, Option<usize>),
}

/// One packet on its way.
pub(crate) struct Walk<'a> {
    pub(crate) w: &'a World,
    pub(crate) p: Pkt,
    pub(crate) goal: Goal,
    /// Interfaces whose groups know the session already (§5.6).
    pub(crate) sessions: &'a [usize],
    /// An interface whose groups do not count (011, 12).
    pub(crate) exempt: Option<usize>,
    /// Whether VPC NAT gateways take it in.
    pub(crate) inner: bool,
    /// Whether it comes from a gateway: whoever sent it stands at the head of no trail.
    pub(crate) handed: bool,
    pub(crate) explain: bool,
    /// Whether it is the first packet of a connection.
    pub(crate) first: bool,
    /// Paths that end where they should.
    pub(crate) arrivals: Vec<Arrival>,
    /// Paths that end in a drop, when explaining.
    pub(crate) drops: Vec<Vec<String>>,
}

/// The trail of one path: where it has been and what was said there.
#[derive(Clone, Default)]
pub(crate) struct Trail {
    pub(crate) visited: Vec<usize>,
    /// Tables of transit routers.
    pub(crate) tr_tables: Vec<usize>,
    /// Links to sites that it has crossed.
    pub(crate) once: Vec<Once>,
    pub(crate) steps: Vec<String>,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(w: &'a World, p: Pkt, goal: Goal, sessions: &'a [usize], explain: bool) -> Self {
        Walk {
            w,
            p,
            goal,
            sessions,
            exempt: None,
            inner: false,
            handed: false,
            explain,
            first: sessions.is_empty(),
            arrivals: Vec::new(),
            drops: Vec::new(),
        }
    }

    pub(crate) fn say(&self, t: &mut Trail, text: impl FnOnce() -> String) {
        if self.explain {
            t.steps.push(text());
        }
    }

    pub(crate) fn dropped(&mut self, mut t: Trail, why: impl FnOnce() -> String) {
        if self.explain {
            t.steps.push(why());
            self.drops.push(t.steps);
        }
    }

    pub(crate) fn arrived(&mut self, t: Trail, exit: Exit) {
        let appliances = t.visited.iter().skip(self.senders()).copied().collect();
        self.arrivals.push(Arrival {
            exit,
            appliances,
            crossed: !t.tr_tables.is_empty(),
            steps: t.steps,
        });
    }

    /// §5.5 at one interface; `false` when it drops the packet.
    pub(crate) fn group(&self, t: &mut Trail, at: usize, d: Direction) -> bool {
        let name = &self.w.interfaces[at].name;
        if self.exempt == Some(at) {
            self.say(t, || format!("{d:?} of `{name}`: not asked"));
            return true;
        }
        if self.sessions.contains(&at) && self.w.keeps_state(at) {
            self.say(t, || format!("{d:?} of `{name}`: part of a session"));
            return true;
        }
        let (ok, why) = self.w.group_verdict(at, d, &self.p);
        self.say(t, || {
            format!(
                "{d:?} of `{name}`: {} by {why}",
                if ok { "accepted" } else { "dropped" }
            )
        });
        ok
    }

    /// The sender emits the packet.
    pub(crate) fn send(&mut self, from: usize) {
        self.leave(
            Trail {
                visited: vec![from],
                ..Trail::default()
            },
            from,
            true,
        );
    }

    /// The packet leaves interface `at`, the sender or an appliance: group, then route (§1 steps 2 to 5).
    fn leave(&mut self, mut t: Trail, at: usize, sender: bool) {
        if !self.group(&mut t, at, Direction::Egress) {
            return self.dropped(t, || "dropped".into());
        }
        if let Some(s) = self.w.site_of(at) {
            return self.send_from_site(t, s);
        }
        let eni = &self.w.interfaces[at];
        // 010, data services 5: its public side needs no route.
        // 011, 9: nor does that of a balancer.
        if (eni.service.is_some() || self.w.open_front(at))
            && let Goal::Internet(own) = &self.goal
        {
            // 024, 7.
            if self.p.dst.ip.is_ipv6() && self.w.open_front(at) {
                return self.depart(t, Spot::At(at), Exit::Gateway6);
            }
            return match own.first().copied() {
                Some(ip) => self.depart(t, Spot::At(at), Exit::Own(ip)),
                None => self.dropped(t, || "it has no public address".into()),
            };
        }
        let vsw = &self.w.vswitches[eni.vswitch];
        let dst = self.p.dst.ip;
        let selected = self.w.lookup(vsw.table, dst);
        if sender && let Some(ip) = self.own_exit(at, selected.as_ref()) {
            self.say(&mut t, || {
                format!("leaves as {ip}, the public address of `{}`", eni.name)
            });
            return self.depart(t, Spot::At(at), Exit::Own(ip));
        }
        let Some(selected) = selected else {
            return self.dropped(t, || format!("no route to {dst} from `{}`", vsw.name));
        };
        for hop in selected.hops {
            let mut t = t.clone();
            self.say(&mut t, || {
                format!("route of `{}`, /{}: {hop:?}", vsw.name, selected.length)
            });
            self.by_route(t, Spot::At(at), vsw.table, selected.length, hop);
        }
    }

    /// 022: firewalls between VPCs judge the first packet of a connection; then the next hop of a route.
    pub(crate) fn by_route(&mut self, t: Trail, at: Spot, table: usize, length: u8, hop: Hop) {
        if self.judged(Crossing::Route(table, length, hop)) {
            return self.dropped(t, || "a firewall between VPCs drops it".into());
        }
        self.hop(t, at, hop);
    }

    /// Whether a firewall drops the packet here.
    pub(crate) fn judged(&self, at: Crossing) -> bool {
        self.first && !self.w.vpc_boundary_passes(at, &self.p)
    }

    pub(crate) fn vpc_of(&self, at: Spot) -> usize {
        match at {
            Spot::At(i) => self.w.interfaces[i].vpc,
            Spot::Handed(v, _) => v,
        }
    }

    /// The vSwitch whose ACL filters what leaves a place: none for a managed service (§15.3), that of a router's
    /// zone as A-TR-2 is read.
    pub(crate) fn filtered_from(&self, at: Spot) -> Option<usize> {
        match at {
            Spot::At(i) if self.w.interfaces[i].service.is_some() || self.w.detached(i) => None,
            Spot::At(i) => Some(self.w.interfaces[i].vswitch),
            Spot::Handed(_, z) => z.filter(|_| self.w.second(Assumption::Tr2)),
        }
    }

    /// §7.1, A-EIP-1: without an activated IPv4 gateway an address with its own public address needs no
    /// route, and only a custom route longer than /0 takes the packet elsewhere. Declared private ranges
    /// (§2, `user_cidrs`) and addresses of the VPC itself follow routes.
    fn own_exit(&self, at: usize, selected: Option<&crate::route::Selected>) -> Option<IpAddr> {
        let Goal::Internet(own) = &self.goal else {
            return None;
        };
        let vpc = &self.w.vpcs[self.w.interfaces[at].vpc];
        // 018, 9: a reply leaves by the address that the request came to.
        let by_route = self.sessions.is_empty() && self.w.second(Assumption::Eip1);
        let elsewhere = selected.is_some_and(|s| s.length > 0 || by_route)
            || vpc.gateway4.is_some()
            || vpc.user_cidrs.iter().any(|c| c.contains(&self.p.dst.ip));
        if elsewhere { None } else { own.first().copied() }
    }

    /// §3.5: what each kind of next hop does.
    pub(crate) fn hop(&mut self, t: Trail, at: Spot, hop: Hop) {
        let w = self.w;
        let vpc = self.vpc_of(at);
        let sender = matches!(at, Spot::At(_)) && t.visited.len() == self.senders();
        let direct = sender || self.inspected(&t, at) || w.gateway_routes == GatewayRoutes::ThroughAppliances;
        match (hop, self.goal.clone()) {
            (Hop::Local, Goal::Interface(to)) => self.reach(t, Some(at), to),
            (Hop::Local, Goal::Gateway(n, true)) if w.nats[n].vpc == vpc => self.at_gateway(t, at, n),
            (Hop::Peering(far), Goal::Gateway(n, true)) => self.peered_gateway(t, at, far, n),
            (Hop::Nat(n), goal @ (Goal::Gateway(..) | Goal::Interface(_)))
                if !w.nats[n].internet && w.nats[n].vpc == vpc && self.p.dst.ip.is_ipv4() =>
            {
                if self.inner || matches!(goal, Goal::Gateway(g, _) if g == n) {
                    self.at_gateway(t, at, n);
                } else {
                    self.dropped(t, || "a VPC NAT gateway that knows nothing of it".into());
                }
            }
            (Hop::Local, Goal::Internet(_)) => self.dropped(t, || "the address belongs to the VPC".into()),
            (Hop::Interface(i), _) => self.reach(t, Some(at), i),
            (Hop::HaVip(h), _) => {
                for &m in &w.ha_vips[h] {
                    self.reach(t.clone(), Some(at), m);
                }
            }
            (Hop::Nat(n), Goal::Internet(_)) if w.nats[n].internet && w.nats[n].vpc == vpc => {
                self.depart(t, at, Exit::Nat(n));
            }
            // §7.2: the gateway does no NAT of its own; the source needs a public address.
            (Hop::Gateway4(g), Goal::Internet(own))
                if direct && w.vpcs[vpc].gateway4.is_some_and(|(e, _)| e == g) =>
            {
                match own.first() {
                    Some(ip) => self.depart(t, at, Exit::Own(*ip)),
                    None => self.dropped(t, || "the source has no public address".into()),
                }
            }
            // 010: into the VPC at the other end and no further.
            (Hop::Peering(far), Goal::Interface(to)) => {
                match w.acl_crossing_drop(self.filtered_from(at), None, &self.p) {
                    Some(why) => self.dropped(t, || why),
                    None => self.reach(t, Some(Spot::Handed(far, None)), to),
                }
            }
            (Hop::Attachment(a), _) => self.enter_router(t, at, a),
            (Hop::Vpn(g), _) => self.enter_vpn(t, at, g),
            (Hop::Ri(i), _) => self.enter_interface(t, at, i),
            (Hop::Gateway6(g), Goal::Internet(_))
                if w.vpcs[vpc].gateways6.contains(&g)
                    && self.p.src.eni.is_some_and(|s| w.interfaces[s].vpc == vpc) =>
            {
                self.depart(t, at, Exit::Gateway6);
            }
            _ => self.dropped(t, || "the next hop does not lead there".into()),
        }
    }

    /// 021, 6: whether it has come from its sender by inspectors of the sender's VPC alone; 018, 27: or by interfaces of it
    /// that forward.
    fn inspected(&self, t: &Trail, at: Spot) -> bool {
        let w = self.w;
        let Some(s) = self.p.src.eni.filter(|_| !self.handed) else {
            return false;
        };
        let by = t.visited.iter().skip(1);
        matches!(at, Spot::At(i) if w.interfaces[i].vpc == w.interfaces[s].vpc)
            && t.tr_tables.is_empty()
            && t.once.is_empty()
            && (w.keeps_source() || by.clone().all(|i| w.interfaces[*i].inspects))
    }

    /// The packet leaves the VPC: the ACL of the vSwitch, unless an EIP in ENI-visible mode carries it.
    fn depart(&mut self, mut t: Trail, at: Spot, exit: Exit) {
        let binded = matches!(at, Spot::At(i) if self.w.interfaces[i].binded);
        if !binded && let Some(why) = self.w.acl_crossing_drop(self.filtered_from(at), None, &self.p) {
            return self.dropped(t, || why);
        }
        self.say(&mut t, || format!("out of the VPC: {}", self.exit_name(exit)));
        self.arrived(t, exit);
    }

    fn exit_name(&self, e: Exit) -> String {
        match e {
            Exit::Arrived => "arrived".into(),
            Exit::Own(ip) => format!("as {ip}"),
            Exit::Nat(n) => format!("through `{}`", self.w.nats[n].name),
            Exit::Gateway6 => "through the IPv6 gateway".into(),
            Exit::Inner(n) => format!("at `{}`", self.w.nats[n].name),
        }
    }

    /// The packet comes to interface `to` from interface `from`, or from the Internet (`None`): ACLs of the
    /// leg, group, and then either it has arrived or `to` is an appliance that passes it on (§3.5, §4.1).
    pub(crate) fn reach(&mut self, mut t: Trail, from: Option<Spot>, to: usize) {
        let w = self.w;
        let eni = &w.interfaces[to];
        let goal = self.goal == Goal::Interface(to);
        if from.is_some_and(|f| self.vpc_of(f) != eni.vpc) {
            return self.dropped(t, || format!("`{}` is in another VPC", eni.name));
        }
        if !goal {
            if t.visited.contains(&to) {
                return self.dropped(t, || format!("loop at `{}`", eni.name));
            }
            if t.visited.len() - self.senders() >= MAX_APPLIANCES {
                return self.dropped(t, || "too many appliances".into());
            }
            if eni.source_dest_check {
                return self.dropped(t, || format!("source/destination check of `{}`", eni.name));
            }
            if eni.binded {
                return self.dropped(t, || format!("`{}` has no private networking", eni.name));
            }
            if eni.inspects && self.p.dst.ip.is_ipv6() {
                return self.dropped(t, || format!("`{}` takes IPv4 only", eni.name));
            }
        }
        let same = match from {
            Some(Spot::At(f)) => w.interfaces[f].vswitch == eni.vswitch,
            _ => false,
        };
        // What a router hands over in the vSwitch of the destination comes into it all the same.
        let out = match from {
            Some(Spot::Handed(_, Some(z))) if z == eni.vswitch => None,
            Some(f) => self.filtered_from(f),
            None => None,
        };
        let filtered = eni.service.is_none() && !w.detached(to);
        let into = (filtered && (from.is_some() || !eni.binded)).then_some(eni.vswitch);
        if !same && let Some(why) = w.acl_crossing_drop(out, into, &self.p) {
            return self.dropped(t, || why);
        }
        if !self.group(&mut t, to, Direction::Ingress) {
            return self.dropped(t, || "dropped".into());
        }
        if goal {
            self.say(&mut t, || format!("arrives at `{}`", eni.name));
            return self.arrived(t, Exit::Arrived);
        }
        self.say(&mut t, || format!("`{}` passes it on", eni.name));
        t.visited.push(to);
        self.leave(t, to, false);
    }

    /// How many senders stand at the head of a trail: none when the packet came in from the Internet.
    fn senders(&self) -> usize {
        usize::from(self.p.src.eni.is_some() && !self.handed)
    }
}
