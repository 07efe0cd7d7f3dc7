//! The engine as an [`EngineUnderTest`].

use crate::universe::Query;
use crate::verify::{Answer, EngineUnderTest};
use bartizan_model::{Assumption, InterfaceId, Inventory, Readings};
use bartizan_oracle::Endpoint;
use bartizan_packet::IpSet;
use bartizan_reach::{CompileOptions, Inside, Mode, Network, Partition, Point, Reach, compile};
use std::collections::BTreeMap;
use std::net::IpAddr;

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

fn options(readings: &Readings) -> CompileOptions {
    CompileOptions {
        readings: readings.clone(),
        ..CompileOptions::default()
    }
}

/// Asks point by point: `Network::flow_from_port`.
pub struct PointEngine;

impl EngineUnderTest for PointEngine {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let net = compile(inv, Mode::Widen, &options(readings));
        queries.iter().map(|q| answer(&net, q)).collect()
    }
}

fn answer(net: &Network, q: &Query) -> Answer {
    let f = net.flow_from_port(point(q.src), point(q.dst), q.sport);
    let atom = net.atoms.atom_of(q.proto, q.dport);
    Answer {
        delivered: f.delivered.contains(atom),
        reply: f.works.contains(atom),
    }
}

/// Every endpoint of the questions is a block of its own.
struct Singletons {
    ids: BTreeMap<(Option<InterfaceId>, IpAddr), u32>,
    cuts: Vec<IpSet>,
}

impl Singletons {
    fn new(queries: &[Query]) -> Self {
        let mut ids = BTreeMap::new();
        let mut cuts = Vec::new();
        for e in queries.iter().flat_map(|q| [q.src, q.dst]) {
            let key = match e {
                Endpoint::Address { interface, ip, .. } => (Some(interface), ip),
                Endpoint::Outside(ip) => (None, ip),
            };
            let next = u32::try_from(ids.len() + 1).unwrap_or(u32::MAX);
            ids.entry(key).or_insert(next);
            cuts.push(IpSet::single(key.1));
        }
        Singletons { ids, cuts }
    }
}

impl Partition for Singletons {
    fn blocks(&self) -> usize {
        self.ids.len() + 1
    }
    fn cuts(&self) -> &[IpSet] {
        &self.cuts
    }
    fn block(&self, iface: Option<InterfaceId>, ip: IpAddr) -> u32 {
        self.ids.get(&(iface, ip)).copied().unwrap_or(0)
    }
}

/// Asks the matrix of all pairs of blocks for what is delivered, and point by point for replies.
pub struct MatrixEngine;

impl EngineUnderTest for MatrixEngine {
    /// Its matrix is for clients of every port, where the port of the client counts.
    fn able(&self, readings: Readings) -> Readings {
        readings.with(Assumption::Nacl2, false)
    }

    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let part = Singletons::new(queries);
        let mut r = Reach::new(compile(inv, Mode::Widen, &options(readings)), &part);
        r.all_pairs();
        queries
            .iter()
            .map(|q| {
                let key = |e: Endpoint| match e {
                    Endpoint::Address { interface, ip, .. } => part.block(Some(interface), ip),
                    Endpoint::Outside(ip) => part.block(None, ip),
                };
                let atom = r.network().atoms.atom_of(q.proto, q.dport);
                let delivered = r.delivered(key(q.src), key(q.dst)).contains(atom);
                Answer {
                    delivered,
                    reply: answer(r.network(), q).reply,
                }
            })
            .collect()
    }
}
