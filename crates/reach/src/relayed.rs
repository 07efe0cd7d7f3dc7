//! All pairs through load balancers.
//!
//! Who reaches a front is known from the matrix; what the front hands on depends, as a rule, on nothing else, so
//! that a whole block of clients is carried over at once. Where it does (an ACL or a group sees the client's
//! address, or clients and backends are one block) the pairs are asked one by one, until nothing can be added.

use crate::domain::{Cell, Domain, distinct};
use crate::network::{Mode, Network, Relay, RelaySource};
use crate::point::Point;
use crate::point::relay::MAX_BALANCERS;
use crate::reach::Reach;
use bartizan_model::InterfaceId;
use bartizan_packet::AtomSet;
use rustc_hash::FxHashMap;

/// Gives every front a row and a column of its own behind those of the blocks; says to which block each belongs.
pub(crate) fn slots(net: &Network, blocks: usize, domains: &mut [Domain]) -> Vec<u32> {
    let mut out: Vec<u32> = (0u32..).take(blocks).collect();
    for c in domains.iter_mut().flat_map(|d| &mut d.cells) {
        if net.is_front(c.rep.iface) {
            c.slot = u32::try_from(out.len()).unwrap_or(u32::MAX);
            out.push(c.block);
        }
    }
    out
}

/// The matrix over blocks of one over slots.
pub(crate) fn fold(m: &[u64], slots: &[u32], blocks: usize, w: usize) -> Vec<u64> {
    let n = slots.len();
    let mut out = vec![0u64; blocks * blocks * w];
    for (i, &a) in slots.iter().enumerate() {
        for (j, &b) in slots.iter().enumerate() {
            let from = (i * n + j) * w;
            let to = (a as usize * blocks + b as usize) * w;
            for k in 0..w {
                out[to + k] |= m[from + k];
            }
        }
    }
    out
}

struct Matrix<'m> {
    words: &'m mut [u64],
    slots: usize,
    w: usize,
}

impl Matrix<'_> {
    fn at(&self, a: u32, b: u32) -> usize {
        (a as usize * self.slots + b as usize) * self.w
    }
    fn get(&self, a: u32, b: u32) -> AtomSet {
        let at = self.at(a, b);
        AtomSet::from_words(&self.words[at..at + self.w])
    }
    /// Whether something was added.
    fn add(&mut self, a: u32, b: u32, s: &AtomSet) -> bool {
        let at = self.at(a, b);
        let mut more = false;
        for (o, x) in self.words[at..at + self.w].iter_mut().zip(s.words()) {
            more |= *x & !*o != 0;
            *o |= x;
        }
        more
    }
}

/// Whether what a relay hands on to a backend is the same for every client.
fn same_for_all(net: &Network, r: &Relay, d: &Cell) -> bool {
    let (Some(fi), Some(di)) = (net.iface(r.front), net.iface(d.rep.iface)) else {
        return false;
    };
    let Some(front) = &fi.front else { return false };
    let place = fi.addrs.first().is_some_and(|a| !a.choice);
    let acl = |i: &crate::network::Iface| !i.no_acl() && net.vsw(i.vswitch).is_some_and(|v| v.acl.is_some());
    let between = (fi.vswitch != di.vswitch || fi.no_acl()) && acl(di);
    let lists = !front.exempt || di.front.is_some() || di.service.is_some();
    let seen = between || lists || !net.straight(fi, front, di);
    // A front whose address is not known is one front when widening, and has to be reached everywhere else.
    (net.mode == Mode::Widen || place) && (r.source == RelaySource::Own || net.mode == Mode::Widen && !seen)
}

/// Adds to the matrix what fronts hand on.
pub(crate) fn hand_on(reach: &Reach, words: &mut [u64]) {
    let net = reach.network();
    let slots = reach.slots();
    let mut m = Matrix {
        words,
        slots: slots.len(),
        w: net.atoms.words(),
    };
    let mut by_slot: Vec<Vec<&Cell>> = vec![Vec::new(); slots.len()];
    let mut of: FxHashMap<InterfaceId, Vec<&Cell>> = FxHashMap::default();
    for c in reach.cells() {
        by_slot[c.slot as usize].push(c);
        let mut seen = Vec::new();
        for i in c.members.iter().map(|x| x.iface) {
            if !seen.contains(&i) && (net.behind.contains_key(&i) || net.is_front(i)) {
                of.entry(i).or_default().push(c);
                seen.push(i);
            }
        }
    }
    // What balancers send by themselves.
    for r in &net.relays {
        for v in of.get(&r.front).into_iter().flatten() {
            for d in of.get(&r.to).into_iter().flatten() {
                if let Some((s, d)) = distinct(v, d) {
                    let f = net.sent_by_front(s, d, &|_, f| f);
                    m.add(v.slot, of_slot(&of, d.iface, d.ip), &f.delivered);
                }
            }
        }
    }
    for _ in 0..MAX_BALANCERS {
        let mut more = false;
        for r in &net.relays {
            let targets: Vec<&Cell> = of.get(&r.to).into_iter().flatten().copied().collect();
            let fronts: Vec<u32> = of.get(&r.front).into_iter().flatten().map(|c| c.slot).collect();
            for a in (0u32..).take(slots.len()) {
                let mut taken = net.common.none.clone();
                for &v in &fronts {
                    taken.union_with(&m.get(a, v));
                }
                let on = net.handed_on(r, &taken);
                if on.is_empty() {
                    continue;
                }
                for d in &targets {
                    more |= pass(reach, &by_slot, &mut m, r, a, d, &on);
                }
            }
        }
        if !more {
            break;
        }
    }
}

/// The slot of an address of a backend.
fn of_slot(of: &FxHashMap<InterfaceId, Vec<&Cell>>, i: InterfaceId, ip: std::net::IpAddr) -> u32 {
    let cells = of.get(&i).into_iter().flatten();
    let here = cells
        .clone()
        .find(|c| c.members.iter().any(|x| x.iface == i && x.ip == ip));
    here.or(cells.clone().next()).map_or(0, |c| c.slot)
}

/// One slot of clients and one cell of backends.
fn pass(
    reach: &Reach,
    by_slot: &[Vec<&Cell>],
    m: &mut Matrix<'_>,
    r: &Relay,
    a: u32,
    d: &Cell,
    on: &AtomSet,
) -> bool {
    let net = reach.network();
    let block = reach.slots()[a as usize];
    if on.is_subset(&m.get(a, d.slot)) {
        return false;
    }
    let front_as_client = by_slot[a as usize].iter().any(|c| net.is_front(c.rep.iface));
    // An interface is not its own peer, so it is told apart from the other clients.
    let itself = by_slot[a as usize].iter().any(|c| c.only == Some(r.to));
    if a != d.slot && !itself && !front_as_client && same_for_all(net, r, d) {
        let mut to = d.rep;
        if let Some(x) = d.members.iter().find(|x| x.iface == r.to) {
            to = *x;
        }
        let all: Vec<AtomSet> = match r.source {
            // Whose address it is makes no difference here.
            RelaySource::Client => {
                let anybody = crate::point::PeerView::public(std::net::Ipv4Addr::UNSPECIFIED.into());
                let ask = crate::point::ReplyPort::Ephemeral;
                vec![net.leg(r, to, (anybody, true), ask).delivered]
            }
            _ => net
                .sources(r, to, None)
                .into_iter()
                .map(|src| net.leg(r, to, src, crate::point::ReplyPort::Ephemeral).delivered)
                .collect(),
        };
        return m.add(a, d.slot, &net.fold(all).intersect(on));
    }
    let mut points: Vec<(Point, Option<&Cell>)> = by_slot[a as usize]
        .iter()
        .map(|c| (Point::Inside(c.rep), Some(*c)))
        .collect();
    if a == block {
        points.extend(
            reach
                .points(block, d.block)
                .into_iter()
                .filter(|(p, _)| matches!(p, Point::Outside(_))),
        );
    }
    let mut more = false;
    for (s, c) in points {
        let (s, to) = match c {
            Some(c) => match distinct(c, d) {
                Some((s, to)) => (Point::Inside(s), to),
                None => continue,
            },
            None => (s, d.rep),
        };
        let ip = crate::reach::ip_of(s);
        if ip.is_ipv4() != to.ip.is_ipv4() {
            continue;
        }
        more |= m.add(a, d.slot, &net.flow(s, Point::Inside(to)).delivered);
        if on.is_subset(&m.get(a, d.slot)) {
            break;
        }
    }
    more
}
