//! The smallest change that opens what is blocked: for every blocker of a way what may let the packet pass, made and
//! traced again, until one way works; then each step is left out again if the way works without it.

use super::Frame;
use super::change::{Change, MAX_INTERFACES, verdicts};
use super::edits::{Edit, Seen, edits};
use crate::world::World;
use bartizan_base::Verdict;
use bartizan_model::{AddressSpec, Inventory, NatIp};
use bartizan_packet::{Proto, ServiceSet};
use bartizan_reach::{
    CompileOptions, DecidedBy, Decision, Layer, Mode, Point, Step, Trace, WayTrace, compile, trace,
};
use std::cmp::Reverse;
use std::net::IpAddr;

/// The packet whose way is to be opened.
pub(super) struct Wanted<'a> {
    pub(super) from: Point,
    pub(super) to: Point,
    pub(super) proto: Proto,
    pub(super) client_port: u16,
    pub(super) port: u16,
    pub(super) services: &'a ServiceSet,
}

fn ip_of(p: Point) -> IpAddr {
    match p {
        Point::Inside(i) => i.ip,
        Point::Outside(ip) => ip,
    }
}

/// The first round opens the request, the next its reply; a router and the VPC behind it are two more.
const ROUNDS: usize = 6;
/// Ways that something may open that are looked at in a round, those with the fewest blockers first.
const WAYS: usize = 4;
/// Networks that are compiled for one question, at most.
const TRIES: usize = 64;

/// The change that opens the packet's way with the fewest steps that were found.
///
/// # Errors
/// Why there is none, in words.
pub(super) fn opening(f: &Frame<'_>, packet: &Wanted<'_>) -> Result<Change, String> {
    if f.inventory.typed.interfaces.len() > MAX_INTERFACES {
        return Err(format!(
            "no change is looked for in a network of more than {MAX_INTERFACES} interfaces"
        ));
    }
    let mut s = Search {
        f,
        packet,
        options: CompileOptions {
            services: vec![packet.services.clone()],
            readings: f.plan.readings.clone(),
            ..CompileOptions::default()
        },
        tries: 0,
    };
    let mut made: Vec<Edit> = Vec::new();
    let (mut inv, mut now) = s.with(&made);
    let mut stuck = None;
    for _ in 0..ROUNDS {
        if works(&now) {
            break;
        }
        let next = s.candidates(&inv, &now, &mut stuck);
        let Some(best) = s.best(&made, next) else { break };
        (made, inv, now) = best;
    }
    if !works(&now) {
        return Err(match stuck {
            Some(why) if made.is_empty() => why,
            None if s.tries == 1 => {
                "there is no way between them that a rule, a route or a list could open".to_string()
            }
            _ => "no change that was tried opens it: rules, lists, and routes to gateways and links that are there"
                .to_string(),
        });
    }
    let made = s.needed(made);
    let services: Vec<ServiceSet> = f.plan.clauses.iter().map(|c| c.services.clone()).collect();
    let before = verdicts(&f.world(&[], &services), &f.plan);
    let inv = s.changed(&made);
    let after = World::new(&inv, f.plan.sets.clone(), &services, &f.plan.readings);
    let after = verdicts(&after, &f.plan);
    let ids = f.plan.clauses.iter().map(|c| c.id.clone());
    let governs = f.plan.boundaries.iter().map(|b| format!("{}/governs", b.name));
    let breaks = ids
        .chain(governs)
        .zip(before.iter().zip(&after))
        .filter(|(_, (b, a))| **b == Verdict::Holds && **a != Verdict::Holds)
        .map(|(id, _)| id)
        .collect();
    Ok(Change {
        opens: true,
        either: false,
        steps: made.into_iter().map(|e| e.text).collect(),
        breaks,
        loses: 0,
    })
}

fn works(t: &Trace) -> bool {
    t.ways.iter().any(|w| w.works)
}

/// What a way is blocked by, there and back.
fn closed(w: &WayTrace) -> impl Iterator<Item = (bool, &Step)> {
    let request = w.request.iter().map(|s| (false, s));
    let reply = w.reply.iter().map(|s| (true, s));
    request.chain(reply).filter(|(_, s)| !s.open)
}

/// The balancer that hands the packet on after a step of its request: its address, where that is known, and what its
/// listener hears.
fn front_after(inv: &Inventory, w: &WayTrace, s: &Step) -> Option<(Option<IpAddr>, (Proto, u16))> {
    let at = w.request.iter().position(|x| std::ptr::eq(x, s))?;
    let (b, l) = w.request[at..].iter().find_map(|x| match x.from {
        Some(DecidedBy::Forward(b, l, _)) => Some((b, l)),
        _ => None,
    })?;
    let balancer = inv.typed.balancers.get(b.index())?;
    let hears = balancer.listeners.get(l as usize)?.services.known()?.first()?;
    let addresses = balancer.fronts.iter().flat_map(|f| &inv.typed[*f].addresses);
    let ip = addresses.into_iter().find_map(|a| match a.spec {
        AddressSpec::Ip(ip) => Some(ip),
        _ => None,
    });
    Some((ip, hears))
}

/// What is to be changed for a packet that is stopped by a step: of one that has been there before, the route that leads it
/// back.
fn led_here<'w>(all: &'w [Step], s: &'w Step) -> &'w Step {
    let before = all.iter().position(|x| std::ptr::eq(x, s));
    let route = before.filter(|_| s.rule.ends_with(": it loops"));
    let route = route.and_then(|n| all[..n].iter().rev().find(|x| x.layer == Layer::Route));
    route.unwrap_or(s)
}

/// Where a step stands between translations, the packet has other addresses there than at its ends.
fn translations(inv: &Inventory, w: &WayTrace, s: &Step, reply: bool, seen: &mut Seen) {
    let to = |x: &Step| match &x.decision {
        Decision::Rewrite(to) => to.parse::<IpAddr>().ok(),
        _ => None,
    };
    let before = |all: &[Step]| all.iter().position(|x| std::ptr::eq(x, s));
    let sources = |all: &[Step]| {
        all.iter()
            .filter(|x| x.layer == Layer::Nat)
            .filter_map(to)
            .next_back()
    };
    if reply {
        // It is for whom the receiver saw, until that is undone.
        let undone = before(&w.reply).is_some_and(|n| w.reply[..n].iter().any(|x| x.layer == Layer::Nat));
        if let Some(ip) = sources(&w.request).filter(|_| !undone) {
            seen.dst = ip;
        }
        return;
    }
    let Some(n) = before(&w.request) else { return };
    if let Some(ip) = sources(&w.request[..n]) {
        seen.src = ip;
    }
    // Before an entry that forwards it, it is for the address of that.
    let next = w.request[n..].iter().find_map(|x| match x.from {
        Some(DecidedBy::Dnat(i)) => inv.typed.dnat_entries.get(i as usize),
        _ => None,
    });
    let address = next.and_then(|e| match &e.external {
        NatIp::Ip(ip) => Some(*ip),
        NatIp::Eip(e) => inv.typed[*e].ip.known().copied(),
        NatIp::Unknown(_) => None,
    });
    if let Some((e, ip)) = next.zip(address) {
        seen.dst = ip;
        if let Some(Some(m)) = e.ports.known() {
            let nth = seen.port.saturating_sub(m.internal.0);
            seen.port = m.external.0.saturating_add(nth);
        }
    }
}

struct Search<'a, 'f> {
    f: &'a Frame<'f>,
    packet: &'a Wanted<'a>,
    options: CompileOptions,
    tries: usize,
}

impl Search<'_, '_> {
    fn changed(&self, made: &[Edit]) -> Inventory {
        let mut inv = Inventory {
            typed: self.f.inventory.typed.clone(),
            ..Inventory::empty(self.f.inventory.source)
        };
        made.iter().for_each(|e| e.make(&mut inv.typed));
        inv
    }

    /// The network after some changes, and what becomes of the packet there.
    fn with(&mut self, made: &[Edit]) -> (Inventory, Trace) {
        self.tries += 1;
        let inv = self.changed(made);
        let net = compile(&inv, Mode::Widen, &self.options);
        let p = self.packet;
        let t = trace(&net, &inv, p.from, p.to, p.proto, p.client_port, p.port);
        (inv, t)
    }

    /// For each blocker of a way what may open it; the blocker that nothing opens, if there is one.
    fn choices<'w>(&self, inv: &Inventory, w: &'w WayTrace) -> Result<Vec<Vec<Edit>>, &'w Step> {
        let p = self.packet;
        closed(w)
            .map(|(reply, s)| {
                let (src, dst) = if reply { (p.to, p.from) } else { (p.from, p.to) };
                let mut seen = Seen {
                    src: ip_of(src),
                    dst: ip_of(dst),
                    proto: p.proto,
                    port: p.port,
                    reply,
                };
                // On its way to a balancer a packet is for the balancer, at the port of the listener.
                translations(inv, w, s, reply, &mut seen);
                if let Some((front, (proto, port))) = front_after(inv, w, s).filter(|_| !reply) {
                    seen.dst = front
                        .filter(|ip| ip.is_ipv4() == seen.src.is_ipv4())
                        .unwrap_or(seen.dst);
                    (seen.proto, seen.port) = (proto, port);
                }
                let at = led_here(if reply { &w.reply } else { &w.request }, s);
                Some(edits(inv, at, seen)).filter(|e| !e.is_empty()).ok_or(s)
            })
            .collect()
    }

    /// What to do next: all that opens the blockers of one way, with each alternative where there are several.
    fn candidates(&self, inv: &Inventory, t: &Trace, stuck: &mut Option<String>) -> Vec<Vec<Edit>> {
        let mut ways: Vec<&WayTrace> = t.ways.iter().collect();
        ways.sort_by_key(|w| closed(w).count());
        let mut out = Vec::new();
        let mut looked = 0;
        for w in ways {
            match self.choices(inv, w) {
                Ok(_) if looked == WAYS => {}
                Ok(all) => {
                    looked += 1;
                    out.extend(combined(all));
                }
                // The private way says more than that there is no public address.
                Err(s) if stuck.is_none() || !matches!(s.layer, Layer::Eip) => {
                    let more = match s.layer {
                        Layer::Route => ", and there is no gateway or link there that a route could lead to",
                        _ => ": a change of that is not tried",
                    };
                    *stuck = Some(format!("{} (`{}`){more}", s.rule, s.at));
                }
                Err(_) => {}
            }
        }
        out
    }

    /// How many blockers are left on the way that has the fewest, of those that can be opened, and how far it gets;
    /// `None` where nothing opens any.
    fn left(&self, inv: &Inventory, t: &Trace) -> Option<(usize, Reverse<usize>)> {
        if works(t) {
            return Some((0, Reverse(0)));
        }
        let open = t.ways.iter().filter(|w| self.choices(inv, w).is_ok());
        open.map(|w| {
            let all = w.request.len() + w.reply.len();
            let blockers = closed(w).count();
            (blockers.max(1), Reverse(all - blockers))
        })
        .min()
    }

    fn best(&mut self, made: &[Edit], next: Vec<Vec<Edit>>) -> Option<(Vec<Edit>, Inventory, Trace)> {
        let mut best: Option<(_, Vec<Edit>, Inventory, Trace)> = None;
        for more in next {
            let new: Vec<Edit> = more
                .into_iter()
                .filter(|e| made.iter().all(|m| m.text != e.text))
                .collect();
            if new.is_empty() || self.tries >= TRIES {
                continue;
            }
            let all: Vec<Edit> = made.iter().cloned().chain(new).collect();
            let (inv, t) = self.with(&all);
            let Some((left, far)) = self.left(&inv, &t) else {
                continue;
            };
            let score = (left, all.len(), far);
            if best.as_ref().is_none_or(|b| score < b.0) {
                best = Some((score, all, inv, t));
            }
        }
        best.map(|b| (b.1, b.2, b.3))
    }

    /// Without the steps that turned out to be of no use.
    fn needed(&mut self, mut made: Vec<Edit>) -> Vec<Edit> {
        let mut n = made.len();
        while n > 0 && made.len() > 1 && self.tries < 2 * TRIES {
            n -= 1;
            let mut less = made.clone();
            less.remove(n);
            if works(&self.with(&less).1) {
                made = less;
            }
        }
        made
    }
}

/// All blockers opened at once: where one has several choices, one candidate for each choice of it. What is left of
/// others that have several is for the next round.
fn combined(all: Vec<Vec<Edit>>) -> Vec<Vec<Edit>> {
    let (one, several): (Vec<_>, Vec<_>) = all.into_iter().partition(|c| c.len() == 1);
    let fixed: Vec<Edit> = one.into_iter().flatten().collect();
    match several.into_iter().next() {
        None if fixed.is_empty() => Vec::new(),
        None => vec![fixed],
        Some(choices) => choices
            .into_iter()
            .map(|c| fixed.iter().cloned().chain([c]).collect())
            .collect(),
    }
}
