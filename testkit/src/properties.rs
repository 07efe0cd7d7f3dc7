//! Properties that tie the engine's different views together, and to the oracle, on one random network.

use crate::universe::{Query, Universe};
use bartizan_model::{InterfaceId, Inventory};
use bartizan_oracle::{Endpoint, Options, Oracle};
use bartizan_packet::IpSet;
use bartizan_reach::{CompileOptions, Inside, Mode, Partition, Point, Reach, compile};
use std::net::IpAddr;

fn options() -> CompileOptions {
    CompileOptions {
        transparent_appliances: true,
        ..CompileOptions::default()
    }
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
/// nothing that no pair of points delivers. Returns the first contradiction.
///
/// # Errors
/// A text that names the flow.
pub fn coarse_blocks_are_unions(inv: &Inventory, queries: &[Query]) -> Result<(), String> {
    let Ok(oracle) = Oracle::new(inv, Options::normative()) else {
        return Ok(());
    };
    let part = Coarse::new();
    let mut r = Reach::new(compile(inv, Mode::Widen, &options()), &part);
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

/// What the narrowed network delivers the oracle delivers, and what it says works has a reply from every
/// client port. Returns the first contradiction.
///
/// # Errors
/// A text that names the flow.
pub fn narrow_is_below_the_oracle(inv: &Inventory, queries: &[Query]) -> Result<(), String> {
    let Ok(oracle) = Oracle::new(inv, Options::normative()) else {
        return Ok(());
    };
    let sure = compile(inv, Mode::Narrow, &options());
    let may = compile(inv, Mode::Widen, &options());
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
        let client = !q.proto.has_ports() || q.sport >= 1024;
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
