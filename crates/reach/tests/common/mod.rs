//! Random networks for the tests of this crate.
#![allow(dead_code, reason = "each test binary uses its part")]

use bartizan_model::{Fact, Inventory, NetSpec, NextHop, Peer, Unknown};
use bartizan_oracle::Endpoint;
use bartizan_reach::{Inside, Point};
use bartizan_testkit::{Features, Rng, random_inventory};

pub(crate) fn point(e: Endpoint) -> Point {
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

pub(crate) fn network(k: u64) -> Inventory {
    random_inventory(&mut Rng::new(k.wrapping_mul(0x9E37_79B9)), Features::all())
}

/// The same without what certificates do not know, so that there is much to certify.
pub(crate) fn certifiable(k: u64) -> Inventory {
    let f = Features {
        inner: false,
        inspectors: false,
        ..Features::all()
    };
    random_inventory(&mut Rng::new(k.wrapping_mul(0x9E37_79B9)), f)
}

/// The chosen readings, with appliances that forward and no more, or that may do more.
pub(crate) fn readings(transparent: bool) -> bartizan_model::Readings {
    bartizan_model::Readings::chosen().with(bartizan_model::Assumption::Appl1, !transparent)
}

pub(crate) fn why() -> Unknown {
    Unknown::new("not known in this test")
}

/// Forgets facts here and there.
pub(crate) fn blur(inv: &mut Inventory, r: &mut Rng) {
    let t = &mut inv.typed;
    for g in &mut t.sg_rules {
        match r.below(40) {
            0 => g.accept = Fact::Unknown(why()),
            1 => g.services = Fact::Unknown(why()),
            2 => g.priority = Fact::Unknown(why()),
            3 => g.peer = Peer::Unknown(why()),
            4 => g.origin.maybe = Some(Box::new(why())),
            5 => g.direction = Fact::Unknown(why()),
            6 => g.group = Fact::Unknown(why()),
            _ => {}
        }
    }
    for g in &mut t.security_groups {
        match r.below(12) {
            0 => g.enterprise = Fact::Unknown(why()),
            1 => g.inner_accept = Fact::Unknown(why()),
            _ => {}
        }
    }
    for e in &mut t.route_entries {
        match r.below(12) {
            0 => e.origin.maybe = Some(Box::new(why())),
            1 => e.next_hops = vec![NextHop::Unknown(why())],
            2 => e.destination = NetSpec::Net(Fact::Unknown(why())),
            3 => e.table = Fact::Unknown(why()),
            _ => {}
        }
    }
    for v in &mut t.vswitches {
        match r.below(10) {
            0 => v.acl = Fact::Unknown(why()),
            1 => v.table = Fact::Unknown(why()),
            _ => {}
        }
    }
    // The interface of a managed service is in no group, and that is known.
    let served: Vec<usize> = t.data_services.iter().map(|d| d.interface.index()).collect();
    for (n, i) in t.interfaces.iter_mut().enumerate() {
        match r.below(14) {
            0 | 2 if served.contains(&n) => {}
            0 => i.groups = Fact::Unknown(why()),
            1 => i.source_dest_check = Fact::Unknown(why()),
            2 => i.foreign_groups.push("sg-elsewhere".into()),
            _ => {}
        }
        for p in &mut i.public {
            match r.below(8) {
                0 => p.ip = Fact::Unknown(why()),
                1 => p.origin.maybe = Some(Box::new(why())),
                _ => {}
            }
        }
    }
    for g in &mut t.ipv4_gateways {
        if r.chance(15) {
            g.enabled = Fact::Unknown(why());
        }
    }
    for d in &mut t.dnat_entries {
        if r.chance(10) {
            d.ports = Fact::Unknown(why());
        }
    }
}
