//! Through VPC NAT gateways (ALIBABA.md §8; the numbers are those of docs/decisions/020).

use crate::forward::{Exit, Goal, Spot, Trail, Walk};
use crate::group::{Pkt, Side};
use crate::internet::external_port;
use crate::oracle::{At, Flow, Oracle, Outcome, joined, trails_of};
use crate::world::{DnatW, World};
use bartizan_model::Assumption;
use std::net::IpAddr;

/// A part of a way: the packet up to a gateway, and what it met.
#[derive(Clone)]
struct Part {
    p: Pkt,
    appliances: Vec<usize>,
    gateway: usize,
    /// Whether the gateway translated the source.
    snat: bool,
    steps: Vec<String>,
}

/// A NAT IP that leads to the destination, and by which entry.
type Door<'w> = Option<(usize, &'w DnatW)>;

impl World {
    /// 2: whether an address is one that a VPC knows without routes.
    fn known_in(&self, vpc: usize, nat: usize, ip: IpAddr) -> bool {
        let block = |v: &crate::world::VswitchW| v.vpc == vpc && v.cidr.contains(&ip);
        let implied = self.second(Assumption::Nat2) && self.nats[nat].blocks.iter().any(|b| b.contains(&ip));
        self.vswitches.iter().any(block) || implied
    }

    /// 5: the vSwitch to which the source of a packet belongs, as SNAT entries ask for it.
    fn source_vswitch(&self, s: Side) -> Option<usize> {
        match (s.eni, s.nat) {
            (Some(e), _) => Some(self.interfaces[e].vswitch),
            (None, Some(n)) => {
                let v = self.nats[n].vswitch;
                v.filter(|v| self.vswitches[*v].cidr.contains(&s.ip))
            }
            (None, None) => None,
        }
    }

    /// 7: a packet goes on from a gateway.
    fn go_on(&self, walk: &mut Walk<'_>, gateway: usize) {
        let nat = &self.nats[gateway];
        walk.handed = true;
        match nat.vswitch {
            Some(z) => walk.routed(
                Trail::default(),
                Spot::Handed(nat.vpc, Some(z)),
                self.vswitches[z].table,
            ),
            None => walk.dropped(Trail::default(), || "the gateway is in no vSwitch".into()),
        }
    }
}

impl Walk<'_> {
    /// 3: a packet comes to a gateway.
    pub(crate) fn at_gateway(&mut self, mut t: Trail, at: Spot, n: usize) {
        let w = self.w;
        let zone = w.nats[n].vswitch;
        let out = self.filtered_from(at);
        let into = zone.filter(|_| w.second(Assumption::Tr2));
        let same = match at {
            Spot::At(i) => Some(w.interfaces[i].vswitch) == zone,
            Spot::Handed(_, z) => z.is_some() && z == zone,
        };
        if !same && let Some(why) = w.acl_crossing_drop(out, into, &self.p) {
            return self.dropped(t, || why);
        }
        self.say(&mut t, || format!("comes to `{}`", w.nats[n].name));
        self.arrived(t, Exit::Inner(n));
    }

    /// 2: a peering delivers to a NAT IP that its VPC knows.
    pub(crate) fn peered_gateway(&mut self, t: Trail, at: Spot, far: usize, n: usize) {
        let w = self.w;
        if w.nats[n].vpc != far || !w.known_in(far, n, self.p.dst.ip) {
            return self.dropped(t, || "the VPC at the other end does not know the address".into());
        }
        match w.acl_crossing_drop(self.filtered_from(at), None, &self.p) {
            Some(why) => self.dropped(t, || why),
            None => self.at_gateway(t, Spot::Handed(far, None), n),
        }
    }
}

impl Oracle {
    /// 13: from interface to interface by VPC NAT gateways.
    pub(crate) fn translated(&self, a: At, b: At, f: Flow, out: &mut Outcome) {
        let w = &self.world;
        let apart = w.interfaces[a.eni].binded || w.interfaces[b.eni].binded;
        if apart || !a.ip.is_ipv4() || !b.ip.is_ipv4() || w.nats.iter().all(|n| n.internet) {
            return;
        }
        let (src, dst) = (Self::private_side(a), Self::private_side(b));
        if a.ip != b.ip {
            let p = Self::packet(f, src, dst, f.dport);
            self.onward((a, b, f), None, p, Goal::Interface(b.eni), &[], out);
        }
        // 14.
        for (n, nat) in w.nats.iter().enumerate().filter(|(_, n)| !n.internet) {
            let here = nat.vpc == w.interfaces[b.eni].vpc;
            for d in nat.dnat.iter().filter(|d| here && d.target == b.ip) {
                if let Some(port) = external_port(d, f.proto, f.dport) {
                    let nat_ip = Side {
                        nat: Some(n),
                        ..Self::public_side(d.external)
                    };
                    let p = Self::packet(f, src, nat_ip, port);
                    self.onward((a, b, f), Some((n, d)), p, Goal::Gateway(n, true), &[], out);
                }
            }
        }
    }

    /// The packet leaves its sender, or the last gateway that translated it.
    fn onward(
        &self,
        ends: (At, At, Flow),
        door: Door<'_>,
        p: Pkt,
        goal: Goal,
        parts: &[Part],
        out: &mut Outcome,
    ) {
        let w = &self.world;
        let (a, b, f) = ends;
        let mut walk = Walk::new(w, p, goal.clone(), &[], self.options.explain);
        walk.inner = true;
        match parts.last() {
            None => walk.send(a.eni),
            Some(last) => w.go_on(&mut walk, last.gateway),
        }
        if !parts.is_empty() {
            Self::note_drops(out, walk.drops);
        }
        for path in walk.arrivals {
            let Exit::Inner(n) = path.exit else {
                if path.exit == Exit::Arrived && !parts.is_empty() {
                    let back = self.answered(a, b, p, &path.appliances, parts);
                    let before: Vec<String> = parts.iter().flat_map(|p| p.steps.clone()).collect();
                    let earlier: Vec<usize> = parts.iter().flat_map(|p| p.appliances.clone()).collect();
                    Self::note(out, (&before, &earlier), &path, &back, p.src);
                }
                continue;
            };
            // 6.
            if parts.iter().any(|x| x.gateway == n) {
                continue;
            }
            let part = |snat| Part {
                p,
                appliances: path.appliances.clone(),
                gateway: n,
                snat,
                steps: path.steps.clone(),
            };
            let mut next = parts.to_vec();
            // 4.
            if w.nats[n].ips.contains(&p.dst.ip) {
                if let Some((m, d)) = door
                    && (m, d.external) == (n, p.dst.ip)
                    && goal == Goal::Gateway(n, true)
                {
                    next.push(part(false));
                    let p = Pkt {
                        dst: Self::private_side(b),
                        dport: f.dport,
                        ..p
                    };
                    self.onward(ends, None, p, Goal::Interface(b.eni), &next, out);
                }
                continue;
            }
            // 5.
            next.push(part(true));
            let mut all = w.snat(&w.nats[n], p.src.ip, w.source_vswitch(p.src));
            all.sort_unstable();
            all.dedup();
            for ip in all {
                let nat_ip = Side {
                    nat: Some(n),
                    ..Self::public_side(ip)
                };
                self.onward(ends, door, Pkt { src: nat_ip, ..p }, goal.clone(), &next, out);
            }
        }
    }

    /// 10, 11, 12: how the reply gets back, gateway by gateway.
    fn answered(&self, a: At, b: At, last: Pkt, appliances: &[usize], parts: &[Part]) -> Vec<Vec<usize>> {
        let w = &self.world;
        let goal = |n: Option<&Part>| match n {
            Some(x) => Goal::Gateway(x.gateway, x.snat),
            None => Goal::Interface(a.eni),
        };
        let mut known = vec![b.eni];
        known.extend(appliances);
        let mut back = Walk::new(w, Self::answer(last), goal(parts.last()), &known, false);
        back.first = false;
        back.send(b.eni);
        let mut all = trails_of(&back.arrivals);
        for i in (0..parts.len()).rev() {
            let x = &parts[i];
            let mut known = x.appliances.clone();
            let before = i.checked_sub(1).and_then(|i| parts.get(i));
            if before.is_none() {
                known.push(a.eni);
            }
            let mut back = Walk::new(w, Self::answer(x.p), goal(before), &known, false);
            back.first = false;
            w.go_on(&mut back, x.gateway);
            all = joined(&all, &trails_of(&back.arrivals));
        }
        all
    }
}
