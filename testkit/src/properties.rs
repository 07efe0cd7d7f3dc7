//! Properties that tie the engine's different views together, and to the oracle, on one random network.

use crate::universe::{Query, Universe};
use bartizan_model::{ASSUMPTIONS, Assumption, InterfaceId, Inventory, Readings, Use};
use bartizan_oracle::{Endpoint, Options, Oracle};
use bartizan_packet::IpSet;
use bartizan_reach::{CompileOptions, Inside, Mode, Partition, Point, Reach, compile};
use std::net::IpAddr;

fn options(readings: &Readings) -> CompileOptions {
    CompileOptions {
        readings: readings.clone(),
        ..CompileOptions::default()
    }
}

fn oracle(inv: &Inventory, readings: &Readings) -> Option<Oracle> {
    let options = Options {
        readings: readings.clone(),
        ..Options::normative()
    };
    Oracle::new(inv, options).ok()
}

/// What a user who decides nothing gets, with appliances as the interpreter knows them.
#[must_use]
pub fn undecided() -> Readings {
    Readings::default().with(Assumption::Appl1, false)
}

/// One of the decisions that [`undecided`] leaves open, from a decision about everything: what is documented is
/// as documented.
#[must_use]
pub fn one_of_the_open(readings: Readings) -> Readings {
    let documented = |a: &bartizan_model::AssumptionInfo| a.absence == Use::First && a.presence == Use::First;
    let all = ASSUMPTIONS.iter().enumerate().filter(|(_, a)| documented(a));
    all.fold(readings, |r, (i, _)| r.with_first(i))
}

fn point(e: Endpoint) -> Point {
    match e {
        Endpoint::Address {
            interface,
            address,
            ip,
        } => Point::Inside(Inside {
            iface: interface,
            addr: address,
            ip,
        }),
        Endpoint::Outside(ip) => Point::Outside(ip),
    }
}

/// A few coarse blocks: interfaces by number, public addresses by halves that no rule knows of.
struct Coarse {
    cut: IpSet,
}

impl Coarse {
    fn new() -> Self {
        let half: Option<ipnet::IpNet> = "128.0.0.0/2".parse().ok();
        Coarse {
            cut: IpSet::from_nets(half),
        }
    }
}

impl Partition for Coarse {
    fn blocks(&self) -> usize {
        5
    }
    fn cuts(&self) -> &[IpSet] {
        std::slice::from_ref(&self.cut)
    }
    fn block(&self, iface: Option<InterfaceId>, ip: IpAddr) -> u32 {
        match iface {
            Some(i) => i.0 % 3,
            None if self.cut.contains(ip) => 3,
            None => 4,
        }
    }
}

/// The matrix over coarse blocks contains everything that the oracle delivers between their members, and
/// nothing that no pair of points delivers. `truth` is a decision within `readings`. Returns the first contradiction.
///
/// # Errors
/// A text that names the flow.
pub fn coarse_blocks_are_unions(
    inv: &Inventory,
    readings: &Readings,
    truth: &Readings,
    queries: &[Query],
) -> Result<(), String> {
    let Some(oracle) = oracle(inv, truth) else {
        return Ok(());
    };
    let part = Coarse::new();
    let mut r = Reach::new(compile(inv, Mode::Widen, &options(readings)), &part);
    r.all_pairs();
    let block = |e: Endpoint| match e {
        Endpoint::Address { interface, ip, .. } => part.block(Some(interface), ip),
        Endpoint::Outside(ip) => part.block(None, ip),
    };
    for q in queries {
        if oracle.deliver(q.src, q.dst, q.proto, q.sport, q.dport).delivered {
            let atom = r.network().atoms.atom_of(q.proto, q.dport);
            if !r.delivered(block(q.src), block(q.dst)).contains(atom) {
                return Err(format!("the matrix misses {q}"));
            }
        }
    }
    for a in 0..5 {
        for b in 0..5 {
            let mut union = r.network().atoms.none();
            r.each_pair(a, b, |_, _, f| {
                union.union_with(&f.delivered);
                true
            });
            if union != r.delivered(a, b) {
                return Err(format!(
                    "blocks {a} -> {b}: matrix {:?}, pairs {:?}",
                    r.network().atoms.services(&r.delivered(a, b)),
                    r.network().atoms.services(&union)
                ));
            }
        }
    }
    Ok(())
}

/// Where nothing is decided about contested semantics: what the narrowed network delivers the oracle delivers under
/// one of the open decisions, and what it says works has a reply from every client port; what the oracle delivers
/// the widened network delivers, with the reply. Returns the first contradiction.
///
/// # Errors
/// A text that names the flow.
pub fn open_readings_hold_all(inv: &Inventory, truth: &Readings, queries: &[Query]) -> Result<(), String> {
    let Some(oracle) = oracle(inv, truth) else {
        return Ok(());
    };
    let low = match truth.presence(Assumption::Ephemeral) {
        Use::Second => 32768..=61000,
        _ => 1024..=u16::MAX,
    };
    let sure = compile(inv, Mode::Narrow, &options(&undecided()));
    let may = compile(inv, Mode::Widen, &options(&undecided()));
    for q in queries {
        let f = sure.flow(point(q.src), point(q.dst));
        let g = may.flow(point(q.src), point(q.dst));
        let atom = sure.atoms.atom_of(q.proto, q.dport);
        if !f.delivered.is_subset(&g.delivered) || !f.works.is_subset(&f.delivered) {
            return Err(format!("narrow exceeds wide for {q}"));
        }
        let o = oracle.deliver(q.src, q.dst, q.proto, q.sport, q.dport);
        if f.delivered.contains(atom) && !o.delivered {
            return Err(format!("narrow delivers {q} and the oracle does not"));
        }
        let client = !q.proto.has_ports() || low.contains(&q.sport);
        let wide = may.flow_from_port(point(q.src), point(q.dst), q.sport);
        if o.delivered && !wide.delivered.contains(atom) || o.reply && !wide.works.contains(atom) {
            return Err(format!("the oracle exceeds wide for {q}: {o:?}"));
        }
        if f.works.contains(atom) && client && !o.reply {
            return Err(format!("narrow answers {q} and the oracle does not"));
        }
    }
    Ok(())
}

/// A sample of the universe of a network.
#[must_use]
pub fn sample(inv: &Inventory, seed: u64, limit: usize) -> Vec<Query> {
    Universe::new(inv).sample(&mut crate::Rng::new(seed), limit)
}
