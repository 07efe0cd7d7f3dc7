//! Unknown facts: whatever they turn out to be, what happens lies between the narrowed and the widened network.
//!
//! A known network is the completion of itself with facts forgotten. The interpreter runs the known one, the
//! engine (and the search for certificates) sees the other.

mod common;

use bartizan_model::{
    AclList, AllowPeer, EipTarget, Fact, FirewallPeer, Inventory, Ipv6Internet, NatIp, NetSpec, Origin, Peer,
    Readings, SnatSource,
};
use bartizan_oracle::{Options, Oracle};
use bartizan_packet::ServiceSet;
use bartizan_reach::{Claim, CompileOptions, End, Mode, Point, certify_claim, check_certificate, compile};
use bartizan_testkit::{Query, Rng, Universe, properties, random_readings};
use common::{network, point, why};

/// Forgets facts of `known`; what may not exist is gone from `known` in half of the cases.
fn forget(known: &mut Inventory, r: &mut Rng) -> Inventory {
    let mut blurred = known.clone();
    let (k, b) = (&mut known.typed, &mut blurred.typed);
    let exists = |r: &mut Rng, o: &mut Origin| -> bool {
        if r.chance(8) {
            o.maybe = Some(Box::new(why()));
            return r.chance(50);
        }
        true
    };
    let keep: Vec<bool> = b.sg_rules.iter_mut().map(|x| exists(r, &mut x.origin)).collect();
    let mut it = keep.iter();
    k.sg_rules.retain(|_| it.next() == Some(&true));
    let keep: Vec<bool> = b
        .route_entries
        .iter_mut()
        .map(|x| exists(r, &mut x.origin))
        .collect();
    let mut it = keep.iter();
    k.route_entries.retain(|_| it.next() == Some(&true));
    let keep: Vec<bool> = b.tr_routes.iter_mut().map(|x| exists(r, &mut x.origin)).collect();
    let mut it = keep.iter();
    k.tr_routes.retain(|_| it.next() == Some(&true));
    let keep: Vec<bool> = b
        .published_routes
        .iter_mut()
        .map(|x| exists(r, &mut x.origin))
        .collect();
    let mut it = keep.iter();
    k.published_routes.retain(|_| it.next() == Some(&true));
    for (x, y) in b.data_services.iter_mut().zip(&mut k.data_services) {
        let keep: Vec<bool> = x.allow.iter_mut().map(|e| exists(r, &mut e.origin)).collect();
        let mut it = keep.iter();
        y.allow.retain(|_| it.next() == Some(&true));
        for e in &mut x.allow {
            if r.chance(8) {
                e.peer = AllowPeer::Unknown(why());
            }
        }
        if r.chance(8) {
            x.services = Fact::Unknown(why());
        }
    }
    for (x, y) in b.balancers.iter_mut().zip(&mut k.balancers) {
        for (l, m) in x.listeners.iter_mut().zip(&mut y.listeners) {
            let keep: Vec<bool> = l.forwards.iter_mut().map(|f| exists(r, &mut f.origin)).collect();
            let mut it = keep.iter();
            m.forwards.retain(|_| it.next() == Some(&true));
            for f in &mut l.forwards {
                match r.below(10) {
                    0 => f.services = Fact::Unknown(why()),
                    1 => f.preserves = Fact::Unknown(why()),
                    _ => {}
                }
            }
            if let (Fact::Known(Some(f)), Fact::Known(Some(g))) = (&mut l.filter, &mut m.filter) {
                let keep: Vec<bool> = f.entries.iter_mut().map(|e| exists(r, &mut e.origin)).collect();
                let mut it = keep.iter();
                g.entries.retain(|_| it.next() == Some(&true));
                for e in &mut f.entries {
                    if r.chance(10) {
                        e.net = Fact::Unknown(why());
                    }
                }
                if r.chance(10) {
                    f.white = Fact::Unknown(why());
                }
            }
            match r.below(12) {
                0 => l.services = Fact::Unknown(why()),
                1 => l.filter = Fact::Unknown(why()),
                _ => {}
            }
        }
        let keep: Vec<bool> = x.listeners.iter_mut().map(|l| exists(r, &mut l.origin)).collect();
        let mut it = keep.iter();
        y.listeners.retain(|_| it.next() == Some(&true));
    }
    for x in &mut b.tr_routes {
        if r.chance(8) {
            x.destination = NetSpec::Net(Fact::Unknown(why()));
        }
    }
    for x in &mut b.attachments {
        if r.chance(10) {
            x.publishes = Fact::Unknown(why());
        }
    }
    for x in &mut b.route_tables {
        if r.chance(8) {
            x.propagation = Fact::Unknown(why());
        }
    }
    for x in &mut b.route_maps {
        match r.below(10) {
            0 => x.permit = Fact::Unknown(why()),
            1 => x.priority = Fact::Unknown(why()),
            2 => x.prefixes = Some(vec![Fact::Unknown(why())]),
            3 => x.receives = Fact::Unknown(why()),
            _ => {}
        }
    }
    let keep: Vec<bool> = b
        .vpn_routes
        .iter_mut()
        .map(|x| exists(r, &mut x.origin))
        .collect();
    let mut it = keep.iter();
    k.vpn_routes.retain(|_| it.next() == Some(&true));
    for x in &mut b.vpn_routes {
        match r.below(12) {
            0 => x.destination = Fact::Unknown(why()),
            1 => x.next = Fact::Unknown(why()),
            2 => x.publishes = Fact::Unknown(why()),
            3 => x.active = Fact::Unknown(why()),
            4 if x.source.is_some() => x.source = Some(Fact::Unknown(why())),
            _ => {}
        }
    }
    for x in &mut b.vpn_connections {
        match r.below(14) {
            0 => x.local = vec![Fact::Unknown(why())],
            1 => x.remote = vec![Fact::Unknown(why())],
            2 => x.configures = Fact::Unknown(why()),
            3 => x.learned = Fact::Unknown(why()),
            4 => x.bgp = Fact::Unknown(why()),
            _ => {}
        }
    }
    for x in &mut b.border_routers {
        if r.chance(10) {
            x.learned = Fact::Unknown(why());
        }
    }
    for x in &mut b.vpn_gateways {
        if r.chance(10) {
            x.propagates = Fact::Unknown(why());
        }
    }
    for x in &mut b.sites {
        if r.chance(15) {
            x.forwards = Fact::Unknown(why());
        }
    }
    for x in &mut b.site_pairs {
        if r.chance(20) {
            x.forwards = Fact::Unknown(why());
        }
    }
    for x in &mut b.sg_rules {
        match r.below(30) {
            0 => x.accept = Fact::Unknown(why()),
            1 => x.services = Fact::Unknown(why()),
            2 => x.priority = Fact::Unknown(why()),
            3 => x.peer = Peer::Unknown(why()),
            4 => x.direction = Fact::Unknown(why()),
            5 => x.group = Fact::Unknown(why()),
            6 => x.peer = Peer::Net(NetSpec::Net(Fact::Unknown(why()))),
            _ => {}
        }
    }
    for x in &mut b.security_groups {
        match r.below(8) {
            0 => x.enterprise = Fact::Unknown(why()),
            1 => x.inner_accept = Fact::Unknown(why()),
            _ => {}
        }
    }
    for x in &mut b.prefix_lists {
        match (r.below(8), &mut x.entries) {
            (0, e) => *e = Fact::Unknown(why()),
            (1, Fact::Known(es)) if !es.is_empty() => es[0] = Fact::Unknown(why()),
            _ => {}
        }
    }
    for l in b.acls.iter_mut().flat_map(|a| [&mut a.ingress, &mut a.egress]) {
        if r.chance(8) {
            *l = AclList::Unknown(why());
        } else if let AclList::Entries(es) = l {
            for e in es {
                match r.below(16) {
                    0 => e.accept = Fact::Unknown(why()),
                    1 => e.services = Fact::Unknown(why()),
                    2 => e.peer = NetSpec::Net(Fact::Unknown(why())),
                    _ => {}
                }
            }
        }
    }
    for (x, y) in b.firewalls.iter_mut().zip(&mut k.firewalls) {
        let keep: Vec<bool> = x.rules.iter_mut().map(|p| exists(r, &mut p.origin)).collect();
        let mut it = keep.iter();
        y.rules.retain(|_| it.next() == Some(&true));
        if r.chance(10) {
            x.strict = Fact::Unknown(why());
        }
        for p in &mut x.rules {
            match r.below(20) {
                0 => p.order = Fact::Unknown(why()),
                1 => p.pass = Fact::Unknown(why()),
                2 => p.active = Fact::Unknown(why()),
                3 => p.deep = Fact::Unknown(why()),
                4 => p.services = Fact::Unknown(why()),
                5 => p.source.push(FirewallPeer::Unknown(why())),
                6 => p.destination = vec![FirewallPeer::Unknown(why())],
                7 => p.inbound = Fact::Unknown(why()),
                8 => p.ipv6 = Fact::Unknown(why()),
                _ => {}
            }
        }
    }
    for x in &mut b.route_entries {
        match r.below(10) {
            0 => x.destination = NetSpec::Net(Fact::Unknown(why())),
            1 => x.table = Fact::Unknown(why()),
            _ => {}
        }
    }
    for x in &mut b.vswitches {
        match r.below(8) {
            0 => x.acl = Fact::Unknown(why()),
            1 => x.table = Fact::Unknown(why()),
            _ => {}
        }
    }
    for x in &mut b.interfaces {
        match r.below(8) {
            0 => x.groups = Fact::Unknown(why()),
            1 => x.source_dest_check = Fact::Unknown(why()),
            _ => {}
        }
        for a in &mut x.addresses {
            if !matches!(a.ipv6_internet, Ipv6Internet::None) && r.chance(20) {
                a.ipv6_internet = Ipv6Internet::Unknown(why());
            }
        }
    }
    for (x, y) in b.interfaces.iter_mut().zip(&mut k.interfaces) {
        let keep: Vec<bool> = x.public.iter_mut().map(|p| exists(r, &mut p.origin)).collect();
        let mut it = keep.iter();
        y.public.retain(|_| it.next() == Some(&true));
    }
    // An EIP that is somebody's, and which one is not known.
    for x in b.interfaces.iter_mut().flat_map(|i| &mut i.public) {
        if let Some(e) = x.eip
            && r.chance(10)
        {
            (x.ip, x.eip) = (Fact::Unknown(why()), None);
            b.eips[e.index()].bound.push(EipTarget::Unknown(why()));
        }
    }
    for ip in b.snat_entries.iter_mut().flat_map(|s| &mut s.ips) {
        if let NatIp::Eip(e) = *ip
            && r.chance(10)
        {
            *ip = NatIp::Unknown(why());
            b.eips[e.index()].bound.push(EipTarget::Unknown(why()));
        }
    }
    for c in b.vpcs.iter_mut().flat_map(|v| &mut v.user_cidrs) {
        if r.chance(20) {
            *c = Fact::Unknown(why());
        }
    }
    for x in &mut b.ipv4_gateways {
        if r.chance(20) {
            x.enabled = Fact::Unknown(why());
        }
    }
    for x in &mut b.dnat_entries {
        if r.chance(10) {
            x.ports = Fact::Unknown(why());
        }
    }
    for x in &mut b.snat_entries {
        if r.chance(10) {
            x.source = SnatSource::Net(Fact::Unknown(why()));
        }
    }
    blurred
}

fn claim(q: &Query, readings: &Readings) -> Claim {
    let end = |p: Point| match p {
        Point::Inside(i) => End {
            at: Some((i.iface, i.addr)),
            ips: bartizan_packet::IpSet::single(i.ip),
        },
        Point::Outside(ip) => End {
            at: None,
            ips: bartizan_packet::IpSet::single(ip),
        },
    };
    let services = ServiceSet::one(q.proto, q.dport);
    Claim {
        from: vec![end(point(q.src))],
        to: vec![end(point(q.dst))],
        services,
        readings: readings.clone(),
    }
}

#[test]
fn what_happens_lies_between_narrow_and_wide() {
    let (mut sure, mut may, mut certified, mut packets) = (0, 0, 0, 0);
    // 8194: what a router learns is not known, and another router learns it from that one. 12,917: a balancer that has
    // no address of its own in the family of a backend, and may or may not pass the client's on.
    for k in (3000..3600).chain([8194, 12_917]) {
        let mut known = network(k);
        let blurred = forget(&mut known, &mut Rng::new(k));
        // Decided as §20 chose, undecided, or decided somehow.
        let some = random_readings(&mut Rng::new(k));
        let (readings, truth) = match k % 3 {
            0 => (Readings::chosen(), Readings::chosen()),
            1 => (properties::undecided(), properties::one_of_the_open(some)),
            _ => (some.clone(), some),
        };
        let opt = CompileOptions {
            readings: readings.clone(),
            ..CompileOptions::default()
        };
        let options = Options {
            readings: truth,
            ..Options::normative()
        };
        let Ok(oracle) = Oracle::new(&known, options) else {
            continue;
        };
        let wide = compile(&blurred, Mode::Widen, &opt);
        let narrow = compile(&blurred, Mode::Narrow, &opt);
        for q in Universe::new(&known).sample(&mut Rng::new(k), 100) {
            let (s, d) = (point(q.src), point(q.dst));
            let o = oracle.deliver(q.src, q.dst, q.proto, q.sport, q.dport);
            let w = wide.flow_from_port(s, d, q.sport);
            let n = narrow.flow_from_port(s, d, q.sport);
            let (wa, na) = (
                wide.atoms.atom_of(q.proto, q.dport),
                narrow.atoms.atom_of(q.proto, q.dport),
            );
            let context = || {
                let t = bartizan_reach::trace(&wide, &blurred, s, d, q.proto, q.sport, q.dport);
                format!("network {k}: {q}: {:#?}\n{:#?}", o, t.ways)
            };
            assert!(
                !o.delivered || w.delivered.contains(wa),
                "wide misses {}",
                context()
            );
            assert!(
                !o.reply || w.works.contains(wa),
                "wide misses the reply of {}",
                context()
            );
            assert!(
                o.delivered || !n.delivered.contains(na),
                "narrow promises {}",
                context()
            );
            assert!(
                o.reply || !n.works.contains(na),
                "narrow promises the reply of {}",
                context()
            );
            packets += 1;
            sure += u32::from(n.delivered.contains(na));
            may += u32::from(w.delivered.contains(wa));
            let c = claim(&q, &readings);
            if let Ok(cert) = certify_claim(&blurred, &c) {
                assert_eq!(check_certificate(&blurred, &c, &cert), Ok(()));
                assert!(!o.delivered, "certified and delivered: {}\n{cert:#?}", context());
                certified += 1;
            }
        }
    }
    // Neither bound is idle.
    assert!(
        sure > 1_000 && may < packets && certified > 9_000,
        "{packets}: {sure} {may} {certified}"
    );
}
