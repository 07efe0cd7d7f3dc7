//! Clauses and tests against the engine.

use crate::plan::{Boundary, Claim, Clause, Expect, Mode, Plan, Statement};
use crate::world::World;
use bartizan_base::{Severity, Verdict};
use bartizan_model::InterfaceId;
use bartizan_packet::{AtomSet, IpSet};
use bartizan_reach::{Cell, Inside, Point};
use std::collections::{BTreeMap, BTreeSet};

/// Services that travel between two blocks and should not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// Source block.
    pub from: u32,
    /// Destination block.
    pub to: u32,
    /// The services, as delivered.
    pub atoms: AtomSet,
}

/// A pair for which something required does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// Source.
    pub from: Point,
    /// Destination.
    pub to: Point,
    /// The services that do not work.
    pub atoms: AtomSet,
    /// Those of them whose request is delivered all the same.
    pub delivered: AtomSet,
}

/// What became of a claim.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// For forbidden flows.
    pub leaks: Vec<Leak>,
    /// For required flows.
    pub misses: Vec<Miss>,
    /// Why it is undecided, or what it rests on.
    pub reasons: Vec<String>,
}

/// A claim that holds.
#[must_use]
pub fn holds() -> Outcome {
    Outcome::holds()
}

impl Outcome {
    fn holds() -> Self {
        Outcome {
            verdict: Verdict::Holds,
            leaks: Vec::new(),
            misses: Vec::new(),
            reasons: Vec::new(),
        }
    }
    /// What is said of a flow that is required where one side is nobody. Whose it is is said by who knows the names.
    fn nothing(verdict: Verdict) -> Self {
        Outcome {
            verdict,
            ..Outcome::holds()
        }
    }
    pub(crate) fn undecided(why: String) -> Self {
        Outcome {
            verdict: Verdict::Undecided,
            reasons: vec![why],
            ..Outcome::holds()
        }
    }
}

/// Severity of a violation of a boundary's clause.
#[must_use]
pub fn severity(boundary: Option<&Boundary>) -> Severity {
    match boundary.map_or(Mode::Enforce, |b| b.mode) {
        Mode::Observe => Severity::Note,
        Mode::Warn => Severity::Warning,
        Mode::Enforce => Severity::Error,
    }
}

/// Everything delivered from a set to a set within some services.
#[must_use]
pub fn leaks(w: &World<'_>, from: &[u32], to: &[u32], atoms: &AtomSet) -> Vec<Leak> {
    let mut out = Vec::new();
    for &a in from {
        for &b in to {
            let x = w.may.delivered(a, b).intersect(atoms);
            if !x.is_empty() {
                out.push(Leak {
                    from: a,
                    to: b,
                    atoms: x,
                });
            }
        }
    }
    out
}

/// Whether some packet of a leak is delivered for certain, whatever the unknowns turn out to be.
#[must_use]
pub fn is_sure(w: &World<'_>, leak: &Leak) -> bool {
    if is_shown(w, leak) {
        return true;
    }
    // Most pairs of two blocks have nothing to do with each other; those that do in their VPC are found fast.
    let mut found = None;
    let mut tried = 0;
    w.may.neighbours(leak.from, leak.to, &leak.atoms, |s, d| {
        tried += 1;
        if shows(w, leak, (s, d)) {
            found = Some((s, d));
        }
        found.is_none() && tried < 1_000
    });
    if found.is_none() {
        tried = 0;
        w.sure.each_pair(leak.from, leak.to, |s, d, f| {
            tried += 1;
            if f.delivered.intersects(&leak.atoms) && certain(w, s, d, &leak.atoms) {
                found = Some((s, d));
            }
            // A bound on effort: beyond it the claim stays undecided, which is the safe answer.
            found.is_none() && tried < 200_000
        });
    }
    if let Some(ends) = found {
        w.shown.put((leak.from, leak.to), ends);
    }
    found.is_some()
}

/// Whether who showed a leak to be certain shows it still: a quick yes, and no answer otherwise.
#[must_use]
pub(crate) fn is_shown(w: &World<'_>, leak: &Leak) -> bool {
    let known = w.shown.of(leak.from, leak.to);
    known.into_iter().any(|ends| shows(w, leak, ends))
}

/// Whether two ends show that a leak is certain.
fn shows(w: &World<'_>, leak: &Leak, (s, d): (Point, Point)) -> bool {
    let net = w.sure.network();
    let here = |p: &Point| match p {
        Point::Inside(i) => stands(w, i),
        Point::Outside(_) => true,
    };
    here(&s) && here(&d) && net.may_meet(s, d) && certain(w, s, d, &leak.atoms)
}

/// Whether somebody has this one address in the network of what happens for certain.
fn stands(w: &World<'_>, i: &Inside) -> bool {
    let at = w.sure.network().iface(i.iface);
    at.and_then(|f| f.addrs.get(i.addr as usize))
        .is_some_and(|a| !a.choice && a.region.contains(i.ip))
}

/// Whether services of `atoms` travel between the interfaces of two points wherever addresses that are not
/// known yet turn out to be.
fn certain(w: &World<'_>, s: Point, d: Point, atoms: &AtomSet) -> bool {
    let net = w.sure.network();
    if !is_there(w, s) || !is_there(w, d) {
        return false;
    }
    let (from, to) = (places(w, s), places(w, d));
    if let ([(_, a)], [(_, b)]) = (from.as_slice(), to.as_slice()) {
        return net.delivers(*a, *b, atoms);
    }
    let mut common = atoms.clone();
    for &(_, a) in &from {
        for &(_, b) in &to {
            common.intersect_with(&net.flow(a, b).delivered);
        }
    }
    !common.is_empty()
}

/// Whether somebody is there whatever the unknowns turn out to be.
pub(crate) fn is_there(w: &World<'_>, p: Point) -> bool {
    match p {
        Point::Inside(i) => w.inventory.typed[i.iface].meta.origin.maybe.is_none(),
        Point::Outside(_) => true,
    }
}

/// Where a point of the network of what is certain may turn out to be, each place with its block where that is looked
/// up: an address that the cloud has yet to pick is one of several.
pub(crate) fn places(w: &World<'_>, p: Point) -> Vec<(Option<u32>, Point)> {
    let Point::Inside(i) = p else {
        return vec![(None, p)];
    };
    let f = w.sure.network().iface(i.iface);
    if !f
        .and_then(|f| f.addrs.get(i.addr as usize))
        .is_some_and(|a| a.choice)
    {
        return vec![(None, p)];
    }
    let cells = (0..w.blocks()).flat_map(|b| w.sure.cells_of(b).map(move |c| (b, c)));
    let mut all: Vec<(Option<u32>, Point)> = cells
        .flat_map(|(b, c)| c.members.iter().map(move |m| (b, m)))
        .filter(|(_, m)| m.iface == i.iface && m.addr == i.addr)
        .map(|(b, m)| (Some(b), Point::Inside(*m)))
        .collect();
    all.sort_unstable();
    all
}

/// A forbidden set of flows.
#[must_use]
pub fn forbid(w: &World<'_>, leaks: Vec<Leak>) -> Outcome {
    if leaks.is_empty() {
        return Outcome::holds();
    }
    let verdict = if leaks.iter().any(|l| is_sure(w, l)) {
        Verdict::Violated
    } else {
        Verdict::Undecided
    };
    let reasons = if verdict == Verdict::Undecided {
        vec![
            "whether a packet gets through depends on a value that is not known or on a contested reading"
                .to_string(),
        ]
    } else {
        Vec::new()
    };
    Outcome {
        verdict,
        leaks,
        misses: Vec::new(),
        reasons,
    }
}

fn interface_of(p: Point) -> Option<InterfaceId> {
    match p {
        Point::Inside(i) => Some(i.iface),
        Point::Outside(_) => None,
    }
}

/// What the addresses of a public side have in common: they are asked together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Public {
    /// IPv4.
    Four,
    /// IPv6, as a part of everybody.
    Six,
    /// IPv6 that the side names by a prefix.
    SixByName,
}

/// Key of the two ends of a required flow: interfaces, or what the public side is.
type Ends = (Option<InterfaceId>, Option<InterfaceId>, Option<Public>);

/// The blocks of a set, each with whether the set names public IPv6 addresses of it by a prefix.
fn side(w: &World<'_>, set: usize) -> Vec<(u32, bool)> {
    let named = w.sets[set].named().v6;
    let by_name = |b| !w.may.outside_of(b).v6.intersect(&named).is_empty();
    let blocks = w.blocks_of(set).into_iter();
    blocks.map(|b| (b, !named.is_empty() && by_name(b))).collect()
}

/// A required set of flows between two sets: request and reply for every pair of interfaces (or for some).
#[must_use]
pub fn require(w: &World<'_>, from: usize, to: usize, atoms: &AtomSet, some: bool) -> Outcome {
    let (from, to) = (side(w, from), side(w, to));
    let (from, to) = (from.as_slice(), to.as_slice());
    let sure = attempt(w, true, from, to, atoms, some);
    if sure.is_empty() {
        return Outcome::holds();
    }
    let may = attempt(w, false, from, to, atoms, some);
    if may.is_empty() {
        return Outcome {
            verdict: Verdict::Undecided,
            misses: sure,
            reasons: vec![
                "whether it works depends on a value that is not known or on a contested reading".to_string(),
            ],
            leaks: Vec::new(),
        };
    }
    Outcome {
        verdict: Verdict::Violated,
        leaks: Vec::new(),
        misses: may,
        reasons: Vec::new(),
    }
}

/// What works between two addresses of a pair of interfaces, and what to say when it does not suffice.
type Candidates = BTreeMap<(u32, u32), (AtomSet, Miss)>;

/// The pairs for which it does not work; with `some`, empty as soon as one pair works.
fn attempt(
    w: &World<'_>,
    sure: bool,
    from: &[(u32, bool)],
    to: &[(u32, bool)],
    atoms: &AtomSet,
    some: bool,
) -> Vec<Miss> {
    let r = if sure { &w.sure } else { &w.may };
    // Per pair of interfaces and of their addresses: what works wherever unknown addresses turn out to be.
    let mut best: BTreeMap<Ends, Candidates> = BTreeMap::new();
    let mut works_somewhere = false;
    // Pairs of interfaces of which some addresses cannot talk at all: of one family here and of the other there.
    let mut unmet: BTreeMap<(Option<InterfaceId>, Option<InterfaceId>), Miss> = BTreeMap::new();
    for &(a, names_a) in from {
        for &(b, names_b) in to {
            let sources = r.points(a, b);
            let targets = r.points(b, a);
            for (s, sc) in &sources {
                for (d, dc) in &targets {
                    if !r.network().may_meet(*s, *d) {
                        strangers(w, (*s, *sc), (*d, *dc), atoms, &mut unmet);
                        continue;
                    }
                    pair(
                        r.network(),
                        (*s, *sc),
                        (*d, *dc),
                        atoms,
                        &mut |s, d, works, delivered| {
                            if atoms.is_subset(works) {
                                works_somewhere = true;
                            }
                            let by_name = match (s, d) {
                                (Point::Outside(_), _) => Some(names_a),
                                (_, Point::Outside(_)) => Some(names_b),
                                _ => None,
                            };
                            let public = by_name.map(|by_name| match bartizan_reach::ip_of(s).is_ipv4() {
                                true => Public::Four,
                                false if by_name => Public::SixByName,
                                false => Public::Six,
                            });
                            let key: Ends = (interface_of(s), interface_of(d), public);
                            let addr = |p: Point| if let Point::Inside(i) = p { i.addr } else { 0 };
                            let lacking = atoms.subtract(works);
                            let entry = best.entry(key).or_default();
                            let miss = || Miss {
                                from: s,
                                to: d,
                                delivered: lacking.intersect(delivered),
                                atoms: lacking.clone(),
                            };
                            match entry.get_mut(&(addr(s), addr(d))) {
                                None => {
                                    entry.insert((addr(s), addr(d)), (works.clone(), miss()));
                                }
                                Some((w, m)) => {
                                    if !lacking.is_empty() && m.atoms.is_empty() {
                                        *m = miss();
                                    }
                                    w.intersect_with(works);
                                }
                            }
                        },
                    );
                }
            }
        }
    }
    if some && works_somewhere {
        return Vec::new();
    }
    let mut out = Vec::new();
    for (ends, pairs) in &best {
        if pairs.values().any(|(works, _)| atoms.is_subset(works)) {
            continue;
        }
        // Everybody on the Internet has IPv4, which decides where the other end has it. IPv6 addresses that a side
        // names have to find their way by IPv6, if the other end takes any.
        let by_ipv4 = best.contains_key(&(ends.0, ends.1, Some(Public::Four)));
        let excused = match ends.2 {
            None | Some(Public::Four) => false,
            Some(Public::Six) => true,
            // What may turn out to take IPv6 is asked in both networks.
            Some(Public::SixByName) => ends.1.is_some_and(|d| !w.network().takes_ipv6(d)),
        };
        if by_ipv4 && excused {
            continue;
        }
        // The primary address speaks for the pair.
        if let Some((_, m)) = pairs.values().find(|(_, m)| !m.atoms.is_empty()) {
            out.push(m.clone());
        }
    }
    let asked: BTreeSet<_> = best.keys().map(|k| (k.0, k.1)).collect();
    let unmet = unmet.into_iter().filter(|(ends, _)| !asked.contains(ends));
    out.extend(unmet.map(|(_, m)| m));
    out
}

fn members(p: Point, c: Option<&Cell>) -> Vec<Point> {
    match c {
        Some(c) => c.members.iter().map(|m: &Inside| Point::Inside(*m)).collect(),
        None => vec![p],
    }
}

/// Notes the pairs of interfaces of two points that no packet can go between, as their families differ.
fn strangers(
    w: &World<'_>,
    (s, sc): (Point, Option<&Cell>),
    (d, dc): (Point, Option<&Cell>),
    atoms: &AtomSet,
    unmet: &mut BTreeMap<(Option<InterfaceId>, Option<InterfaceId>), Miss>,
) {
    let targets = members(d, dc);
    for s in members(s, sc) {
        for &d in &targets {
            let ends = (interface_of(s), interface_of(d));
            if ends.0.is_some() && ends.0 == ends.1 {
                continue;
            }
            unmet.entry(ends).or_insert_with(|| Miss {
                from: s,
                to: d,
                delivered: w.network().atoms.none(),
                atoms: atoms.clone(),
            });
        }
    }
}

/// Calls `f` for the pairs of interfaces that two points stand for. Points of cells stand for all pairs of
/// members; when the cell pair works one call is enough, else each pair of interfaces is its own.
fn pair(
    net: &bartizan_reach::Network,
    (s, sc): (Point, Option<&Cell>),
    (d, dc): (Point, Option<&Cell>),
    atoms: &AtomSet,
    f: &mut dyn FnMut(Point, Point, &AtomSet, &AtomSet),
) {
    let (ss, ds) = (members(s, sc), members(d, dc));
    // All members are alike, except that an interface is not its own peer; one evaluation serves them all.
    let Some((a, b)) = ss
        .iter()
        .flat_map(|a| ds.iter().map(move |b| (*a, *b)))
        .find(|(a, b)| interface_of(*a).is_none() || interface_of(*a) != interface_of(*b))
    else {
        return;
    };
    let flow = net.flow(a, b);
    if atoms.is_subset(&flow.works) && ss.len() * ds.len() > 4096 {
        f(a, b, &flow.works, &flow.delivered);
        return;
    }
    for a in &ss {
        for b in &ds {
            if interface_of(*a).is_none() || interface_of(*a) != interface_of(*b) {
                f(*a, *b, &flow.works, &flow.delivered);
            }
        }
    }
}

/// What the active clauses that allow something allow from one block to another.
#[must_use]
pub fn allowed(w: &World<'_>, plan: &Plan, from: u32, to: u32, only: Option<&[usize]>) -> AtomSet {
    let mut out = w.atoms(&bartizan_packet::ServiceSet::empty());
    for (i, c) in plan.clauses.iter().enumerate() {
        let in_force = match only {
            Some(v) => v.contains(&i),
            None => c.active,
        };
        let allows = matches!(
            c.claim,
            Claim::Allow | Claim::Must | Claim::MustSome | Claim::Only
        );
        if in_force && allows && w.in_set(from, c.from) && w.in_set(to, c.to) {
            out.union_with(&w.atoms(&c.services));
        }
    }
    out
}

/// Evaluates one clause.
#[must_use]
pub fn clause(w: &World<'_>, c: &Clause) -> Outcome {
    let (from, to) = (w.blocks_of(c.from), w.blocks_of(c.to));
    let atoms = w.atoms(&c.services);
    match c.claim {
        Claim::Allow => Outcome::holds(),
        // Of every pair a claim about nobody is true, and proves nothing; of some pair it is false.
        Claim::Must if from.is_empty() || to.is_empty() => Outcome::nothing(Verdict::Undecided),
        Claim::MustSome if from.is_empty() || to.is_empty() => Outcome::nothing(Verdict::Violated),
        Claim::Must | Claim::MustSome => require(w, c.from, c.to, &atoms, c.claim == Claim::MustSome),
        Claim::Never => forbid(w, leaks(w, &from, &to, &atoms)),
        Claim::Only => {
            let others: Vec<u32> = (0..w.blocks()).filter(|&b| !w.in_set(b, c.from)).collect();
            forbid(w, leaks(w, &others, &to, &atoms))
        }
        Claim::Through | Claim::NotThrough => crate::waypoint::evaluate(w, c, &from, &to, &atoms),
    }
}

/// Whether a boundary governs each block.
#[must_use]
pub fn governed(w: &World<'_>, plan: &Plan, b: &Boundary) -> Vec<bool> {
    (0..w.blocks())
        .map(|x| b.governs.iter().any(|&s| w.in_set(x, s)) || w.in_set(x, plan.unzoned))
        .collect()
}

/// What no clause covers of what travels between two blocks.
#[must_use]
pub fn uncovered_between(w: &World<'_>, plan: &Plan, from: u32, to: u32) -> Option<Leak> {
    let d = w.may.delivered(from, to);
    if d.is_empty() {
        return None;
    }
    let atoms = d.subtract(&allowed(w, plan, from, to, None));
    (!atoms.is_empty()).then_some(Leak { from, to, atoms })
}

/// Flows that start or end in a governed set and that no clause covers, for one boundary.
#[must_use]
pub fn uncovered(w: &World<'_>, plan: &Plan, b: &Boundary) -> Vec<Leak> {
    let governed = governed(w, plan, b);
    let mut out = Vec::new();
    for from in 0..w.blocks() {
        for to in 0..w.blocks() {
            if governed[from as usize] || governed[to as usize] {
                out.extend(uncovered_between(w, plan, from, to));
            }
        }
    }
    out
}

/// Evaluates one statement of a test; one under `with down` over what is left.
#[must_use]
pub fn statement(w: &World<'_>, plan: &Plan, s: &Statement) -> Outcome {
    let (from, to) = (w.blocks_of(s.from), w.blocks_of(s.to));
    let atoms = w.atoms(&s.services);
    match (s.expect, &s.allowed_by) {
        (Expect::Cannot, None) => forbid(w, leaks(w, &from, &to, &atoms)),
        (Expect::Can, _) if from.is_empty() || to.is_empty() => Outcome::nothing(Verdict::Violated),
        (Expect::Can, None) => require(w, s.from, s.to, &atoms, false),
        // Under a date the question is what the intent lets the network do on that day.
        (Expect::Cannot, Some(clauses)) => {
            let mut found = leaks(w, &from, &to, &atoms);
            for l in &mut found {
                l.atoms
                    .intersect_with(&allowed(w, plan, l.from, l.to, Some(clauses)));
            }
            found.retain(|l| !l.atoms.is_empty());
            forbid(w, found)
        }
        (Expect::Can, Some(clauses)) => {
            let covered = from.iter().all(|&a| {
                to.iter()
                    .all(|&b| atoms.is_subset(&allowed(w, plan, a, b, Some(clauses))))
            });
            if !covered {
                let mut o = Outcome::undecided("no clause allows it on that date".to_string());
                o.verdict = Verdict::Violated;
                return o;
            }
            require(w, s.from, s.to, &atoms, false)
        }
    }
}

/// The public addresses of a block, for naming.
#[must_use]
pub fn outside_of(w: &World<'_>, block: u32) -> IpSet {
    w.may.outside_of(block)
}
