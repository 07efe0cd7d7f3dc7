//! The comparison with the Linux kernel notices what it should. `cargo xtask verify --kernel` makes it large.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail the test"
)]

use bartizan_model::{
    Backend, BalancerKind, Boundary, DnatProtocol, FirewallPlace, InterfaceId, Inventory, NextHop, Readings,
    RouteTableId, RouteTableKind, RouterEnd, SnatSource, VpcId, VpnEnd,
};
use bartizan_oracle::Endpoint;
use bartizan_packet::{PortSet, Proto, ServiceSet};
use bartizan_testkit::{
    Answer, EngineUnderTest, Features, GroupKind, InventoryBuilder, OracleEngine, PointEngine, Policy, Query,
    Rng, Universe, compare_with_kernel, kernel_usable, load_vectors, rule, vectors_in_kernel, verify_kernel,
};
use std::path::Path;

/// Takes every network ACL away: stateful rules alone decide.
struct NoAcls;

impl EngineUnderTest for NoAcls {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let mut inv = inv.clone();
        for v in &mut inv.typed.vswitches {
            v.acl = bartizan_model::Fact::Known(None);
        }
        PointEngine.under(&inv, readings, queries)
    }
}

/// Takes an Express Connect router for a transit router with one table.
struct OneTable;

impl EngineUnderTest for OneTable {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let mut inv = inv.clone();
        let t = &mut inv.typed;
        for r in t.transit_routers.clone() {
            let own = |x: &bartizan_model::AttachmentId| {
                let of = t.attachments[x.index()].router.known();
                of.is_some_and(|of| t.transit_routers[of.index()].meta == r.meta)
            };
            let all = t.tr_associations.iter_mut().chain(&mut t.tr_propagations);
            for l in all.filter(|l| l.attachment.known().is_some_and(own)) {
                l.table = r.system_table.into();
            }
        }
        PointEngine.under(&inv, readings, queries)
    }
}

/// Takes every firewall away.
struct NoFirewalls;

impl EngineUnderTest for NoFirewalls {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let mut inv = inv.clone();
        inv.typed.firewalls.clear();
        PointEngine.under(&inv, readings, queries)
    }
}

#[test]
fn engine_interpreter_and_kernel_agree() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    for engine in [&PointEngine as &dyn EngineUnderTest, &OracleEngine] {
        let r = verify_kernel(10, 77, Features::all(), 200, engine).unwrap();
        assert_eq!(
            (r.networks, r.differing, r.failure.as_deref()),
            (10, 0, None),
            "{r}"
        );
        assert!(r.delivered > 0 && r.replied > 0 && r.packets > r.probes, "{r}");
    }
}

/// §21: of no vector is anything left out.
#[test]
fn every_vector_is_seen_as_packets() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors");
    let all = load_vectors(&all).unwrap();
    let r = vectors_in_kernel(&all).unwrap();
    assert_eq!((r.failures.len(), r.skipped.len()), (0, 0), "{r}");
    assert_eq!(r.shown.len(), all.len());
}

#[test]
fn a_fault_of_an_engine_is_seen_in_the_kernel() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    // Which networks show it depends on what else the generator makes: a few are enough, not always the same few.
    let r = (0..25)
        .map(|i| verify_kernel(4, 77 + i, Features::all(), 200, &NoAcls).unwrap())
        .find(|r| r.differing > 0)
        .expect("a hundred networks show an engine without ACLs");
    let d = &r.disagreements[0];
    assert_ne!(d.kernel, d.engine);
    // Sites stay, because links name them.
    let t = &d.inventory.typed;
    assert!(t.interfaces.len() - t.sites.len() <= 4, "{d:?}");
}

/// §13.1, §13.2: both boundaries, by order, without a packet for what nobody protects.
#[test]
fn firewalls_filter_at_their_boundaries() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("main", "10.0.0.0/16");
    let vsw = b.vswitch("main", vpc, "10.0.0.0/27");
    let group = b.sg("hosts", vpc, GroupKind::BasicDrop);
    b.rule(group, rule("in accept all -1/-1 from 0.0.0.0/0 prio 1"));
    let (public, private) = (
        b.eni("public", vsw, &[group], "10.0.0.1"),
        b.eni("private", vsw, &[group], "10.0.0.2"),
    );
    b.static_ip(public, "47.0.0.2");
    let nat = b.nat("nat", vpc, vsw);
    let eip = b.nat_eip(nat, "47.0.0.3");
    b.snat(nat, SnatSource::Vswitch(vsw.into()), &[eip]);
    let table = b.system_table(vpc);
    b.route(table, "0.0.0.0/0", NextHop::Nat(nat));
    b.route(table, "198.51.100.0/24", NextHop::Nat(nat));
    let edge = b.firewall("internet", FirewallPlace::Internet, false);
    let nat = FirewallPlace::Nat {
        nat: nat.into(),
        routes: vec![(
            table.into(),
            "198.51.100.0/24".parse::<ipnet::IpNet>().unwrap().into(),
        )],
    };
    let before = b.firewall("nat", nat, false);
    let p = Policy {
        inbound: true,
        order: 1,
        pass: true,
        deep: false,
        source: &["0.0.0.0/0"],
        destination: &["47.0.0.2/32"],
    };
    b.policy(edge, p, port(22));
    let all = ["0.0.0.0/0"].as_slice();
    let rest = Policy {
        order: 2,
        pass: false,
        destination: all,
        ..p
    };
    b.policy(edge, rest, ServiceSet::any());
    let outward = Policy {
        inbound: false,
        ..rest
    };
    b.policy(before, outward, port(22));
    let ask = |src, dst, dport| Query {
        src,
        dst,
        proto: Proto::TCP,
        sport: 2000,
        dport,
    };
    let outside = |ip: &str| Endpoint::Outside(ip.parse().unwrap());
    let (led, not_led) = (outside("198.51.100.1"), outside("203.0.113.1"));
    let queries = [
        // Replies to what the longer route leads to the NAT gateway would go there.
        ask(not_led, at(public, "10.0.0.1"), 22),
        ask(not_led, at(public, "10.0.0.1"), 80),
        ask(at(private, "10.0.0.2"), led, 22),
        ask(at(private, "10.0.0.2"), led, 80),
        ask(at(private, "10.0.0.2"), not_led, 22),
    ];
    let inv = b.build();

    let said: Vec<bool> = PointEngine
        .check(&inv, &queries)
        .iter()
        .map(|a| a.reply)
        .collect();
    assert_eq!(said, [true, false, false, true, true]);
    let (_, differing) = compare_with_kernel(&inv, &queries, &PointEngine).unwrap();
    assert_eq!(differing, Vec::<String>::new());
    let (_, differing) = compare_with_kernel(&inv, &queries, &NoFirewalls).unwrap();
    assert_eq!(differing.len(), 2, "{differing:?}");
}

#[test]
fn a_balancer_behind_a_balancer_is_reached_wherever_it_stands() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("main", "10.1.0.0/16");
    let (near, far) = (
        b.vswitch("near", vpc, "10.1.0.0/27"),
        b.vswitch("far", vpc, "10.1.1.0/27"),
    );
    let group = b.sg("hosts", vpc, GroupKind::BasicDrop);
    let acl = [
        "in accept all -1/-1 from 0.0.0.0/0",
        "out accept tcp 444/444 to 0.0.0.0/0",
        "out accept tcp 1024/32767 to 0.0.0.0/0",
    ];
    let acl = b.acl("most", vpc, &acl.map(rule));
    b.bind_acl(near, acl);
    let host = b.eni("host", near, &[group], "10.1.0.1");
    let inner = b.detached_balancer("inner", far, "47.0.0.5");
    let outer = b.balancer("outer", BalancerKind::Alb, &[(far, "10.1.1.1")], &[]);
    let port = |p| ServiceSet::tcp(PortSet::single(p));
    let l = b.listener(inner, port(80));
    b.backend(inner, l, Backend::Interface(host), Some(port(22)), true);
    let fronts = [inner, outer].map(|x| b.typed()[x].fronts[0]);
    let l = b.listener(outer, port(79));
    b.backend(outer, l, Backend::Interface(fronts[0]), Some(port(80)), false);
    let inv = b.build();
    let mut all = Universe::new(&inv).sample(&mut Rng::new(1), 400);
    let at = |i: InterfaceId, ip: &str| Endpoint::Address {
        interface: i,
        address: 0,
        ip: ip.parse().unwrap(),
    };
    let through_both = Query {
        src: at(fronts[1], "10.1.1.1"),
        dst: at(host, "10.1.0.1"),
        proto: Proto::TCP,
        sport: 444,
        dport: 22,
    };
    // Not to port 444 goes the reply but to whichever the outer one has opened: the ACL does not let all of them back.
    let said = PointEngine.check(&inv, &[through_both]);
    assert!(said[0].delivered && !said[0].reply);
    all.push(through_both);
    let (seen, differing) = compare_with_kernel(&inv, &all, &PointEngine).unwrap();
    assert!(seen > 100, "{seen}");
    assert_eq!(differing, Vec::<String>::new());
}

fn at(i: InterfaceId, ip: &str) -> Endpoint {
    Endpoint::Address {
        interface: i,
        address: 0,
        ip: ip.parse().unwrap(),
    }
}

/// Asks engine, interpreter and kernel the same; what the engine says.
fn all_three(b: InventoryBuilder, of: &[Query]) -> Vec<Answer> {
    let inv = b.build();
    let said = PointEngine.check(&inv, of);
    assert_eq!(said, OracleEngine.check(&inv, of));
    let mut all = Universe::new(&inv).sample(&mut Rng::new(1), 300);
    all.extend(of);
    let (seen, differing) = compare_with_kernel(&inv, &all, &PointEngine).unwrap();
    assert!(seen > 100, "{seen}");
    assert_eq!(differing, Vec::<String>::new());
    let (_, differing) = compare_with_kernel(&inv, of, &PointEngine).unwrap();
    assert_eq!(differing, Vec::<String>::new());
    said
}

fn port(p: u16) -> ServiceSet {
    ServiceSet::tcp(PortSet::single(p))
}

/// A client with an endpoint, and a server with the same address behind an NLB that passes the client's address on.
fn over_an_endpoint(entries: &[&str]) -> (InventoryBuilder, Query) {
    let mut b = InventoryBuilder::new();
    let mut ends = Vec::new();
    for name in ["consumer", "provider"] {
        let vpc = b.vpc(name, "10.0.0.0/16");
        let vsw = b.vswitch(name, vpc, "10.0.0.0/27");
        let group = b.sg(name, vpc, GroupKind::BasicAccept);
        let host = b.eni(&format!("{name}_host"), vsw, &[group], "10.0.0.1");
        ends.push((vpc, vsw, group, host));
    }
    let (vpc, vsw, _, server) = ends[1];
    let beside = b.vswitch("beside", vpc, "10.0.1.0/27");
    let entries: Vec<_> = entries.iter().map(|e| rule(e)).collect();
    let acl = b.acl("some", vpc, &entries);
    b.bind_acl(vsw, acl);
    let nlb = b.balancer("nlb", BalancerKind::Nlb, &[(beside, "10.0.1.2")], &[]);
    let l = b.listener(nlb, port(80));
    b.backend(nlb, l, Backend::Interface(server), Some(port(22)), true);
    b.endpoint("endpoint", nlb, &[(ends[0].1, "10.0.0.2")], &[ends[0].2]);
    let query = Query {
        src: at(ends[0].3, "10.0.0.1"),
        dst: at(server, "10.0.0.1"),
        proto: Proto::TCP,
        sport: 444,
        dport: 22,
    };
    (b, query)
}

/// §6, §9.3: what an NLB hands on leaves its vSwitch if the CLB behind it is in none, wherever that stands.
#[test]
fn a_balancer_in_no_vswitch_is_in_none_with_the_one_before_it() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    for (entry, passes) in [
        ("out drop tcp 80/80 to 0.0.0.0/0", false),
        ("out drop tcp 81/81 to 0.0.0.0/0", true),
    ] {
        let mut b = InventoryBuilder::new();
        let vpc = b.vpc("main", "10.1.0.0/16");
        let (near, far) = (
            b.vswitch("near", vpc, "10.1.0.0/27"),
            b.vswitch("far", vpc, "10.1.1.0/27"),
        );
        let entries = [
            "in accept all -1/-1 from 0.0.0.0/0",
            entry,
            "out accept all -1/-1 to 0.0.0.0/0",
        ];
        let acl = b.acl("most", vpc, &entries.map(rule));
        b.bind_acl(near, acl);
        let group = b.sg("hosts", vpc, GroupKind::BasicDrop);
        let host = b.eni("host", far, &[group], "10.1.1.1");
        let inner = b.detached_balancer("inner", near, "47.0.0.5");
        let outer = b.balancer("outer", BalancerKind::Nlb, &[(near, "10.1.0.1")], &[]);
        let l = b.listener(inner, port(80));
        b.backend(inner, l, Backend::Interface(host), Some(port(22)), true);
        let fronts = [inner, outer].map(|x| b.typed()[x].fronts[0]);
        let l = b.listener(outer, port(79));
        b.backend(outer, l, Backend::Interface(fronts[0]), Some(port(80)), false);
        let ask = |dst, dport| Query {
            src: at(fronts[1], "10.1.0.1"),
            dst,
            proto: Proto::TCP,
            sport: 2000,
            dport,
        };
        let to = [ask(at(fronts[0], "47.0.0.5"), 80), ask(at(host, "10.1.1.1"), 22)];
        let said = all_three(b, &to);
        let said: Vec<bool> = said.iter().map(|a| a.delivered && a.reply).collect();
        assert_eq!(said, [passes, passes], "{entry}");
    }
}

/// §9.7: blocks may overlap.
#[test]
fn an_endpoint_leads_to_a_server_with_the_address_of_its_client() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let (b, query) = over_an_endpoint(&[
        "in accept all -1/-1 from 0.0.0.0/0",
        "out accept all -1/-1 to 0.0.0.0/0",
    ]);
    let said = all_three(b, &[query]);
    assert!(said[0].delivered && said[0].reply);
}

/// §9.5, §9.7: an endpoint opens a connection of its own, so replies come to any port of it, also where the balancer
/// behind it passes on the address that it sees.
#[test]
fn replies_to_an_endpoint_come_to_any_port() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let (b, query) = over_an_endpoint(&[
        "in accept all -1/-1 from 0.0.0.0/0",
        "out accept tcp 444/444 to 0.0.0.0/0",
        "out accept tcp 1024/32767 to 0.0.0.0/0",
    ]);
    let said = all_three(b, &[query]);
    assert!(said[0].delivered && !said[0].reply);
}

/// §9.2, §9.3: from QUIC to TCP, with the balancer's address and with the client's.
#[test]
fn a_balancer_that_changes_the_protocol_opens_another_connection() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    for (kind, preserves) in [(BalancerKind::Alb, false), (BalancerKind::Nlb, true)] {
        let mut b = InventoryBuilder::new();
        let vpc = b.vpc("main", "10.0.0.0/16");
        let (front, back) = (
            b.vswitch("front", vpc, "10.0.0.0/27"),
            b.vswitch("back", vpc, "10.0.1.0/27"),
        );
        let group = b.sg("hosts", vpc, GroupKind::BasicDrop);
        let (client, server) = (
            b.eni("client", front, &[group], "10.0.0.1"),
            b.eni("server", back, &[group], "10.0.1.1"),
        );
        if !preserves {
            b.rule(group, rule("in accept tcp 8080/8080 from 10.0.0.4/30 prio 1"));
        }
        let lb = b.balancer("lb", kind, &[(front, "10.0.0.2")], &[]);
        let l = b.listener(lb, ServiceSet::udp(PortSet::single(443)));
        b.backend(lb, l, Backend::Interface(server), Some(port(8080)), preserves);
        let ask = |proto, dport| Query {
            src: at(client, "10.0.0.1"),
            dst: at(server, "10.0.1.1"),
            proto,
            sport: 2000,
            dport,
        };
        let said = all_three(b, &[ask(Proto::TCP, 8080), ask(Proto::UDP, 443)]);
        assert!(said[0].delivered && said[0].reply, "{kind:?}");
    }
}

/// §11, §12, A-SITE-1: from one VPC through a site into another, by a VPN connection and a border router.
#[test]
fn a_site_that_forwards_joins_what_its_links_lead_to() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    for forwards in [true, false] {
        let mut b = InventoryBuilder::new();
        let mut hosts = Vec::new();
        for (n, name) in ["dev", "prod"].into_iter().enumerate() {
            let vpc = b.vpc(name, &format!("10.{n}.0.0/16"));
            let vsw = b.vswitch(name, vpc, &format!("10.{n}.0.0/27"));
            let group = b.sg(name, vpc, GroupKind::BasicDrop);
            b.rule(group, rule("in accept tcp 22/22 from 0.0.0.0/0 prio 1"));
            hosts.push((
                vpc,
                vsw,
                b.eni(&format!("{name}_host"), vsw, &[group], &format!("10.{n}.0.1")),
            ));
        }
        let [(dev, zone, from), (prod, _, to)] = [hosts[0], hosts[1]];
        let site = b.site("office", &["172.16.0.0/24"]);
        b.sites_forward(site, site, forwards);
        let gateway = b.vpn_gateway("vpn", dev, Some(zone));
        let (local, remote) = (["10.0.0.0/16"], ["10.1.0.0/16", "172.16.0.0/24"]);
        let connection = b.vpn_connection("c", VpnEnd::Gateway(gateway.into()), site, &local, &remote);
        b.vpn_configures(connection, true);
        let border = b.border_router("vbr", site, &["172.16.0.0/24", "10.0.0.0/16"]);
        let (near, far) = b.router_interfaces(
            "ri",
            RouterEnd::Vpc(prod.into()),
            RouterEnd::Border(border.into()),
        );
        let (dev, prod) = (b.system_table(dev), b.system_table(prod));
        for net in remote {
            b.route(dev, net, NextHop::Vpn(gateway));
        }
        for net in ["10.0.0.0/16", "172.16.0.0/24"] {
            b.route(prod, net, NextHop::RouterInterface(near));
        }
        let table = b.typed()[border].table;
        b.route(table, "10.1.0.0/16", NextHop::RouterInterface(far));
        let office = b.typed()[site].interface;
        let ask = |src, dst| Query {
            src,
            dst,
            proto: Proto::TCP,
            sport: 2000,
            dport: 22,
        };
        let (a, z, o) = (at(from, "10.0.0.1"), at(to, "10.1.0.1"), at(office, "172.16.0.9"));
        let said = all_three(b, &[ask(a, z), ask(a, o), ask(o, a), ask(o, z), ask(z, a)]);
        let said: Vec<bool> = said.iter().map(|a| a.delivered && a.reply).collect();
        assert_eq!(said, [forwards, true, true, true, forwards]);
    }
}

/// §10.6: router interfaces are a point-to-point link. What the table of a vSwitch sends over one comes back over the
/// other and is delivered by the system table; it is not in a loop.
#[test]
fn there_and_back_over_router_interfaces_is_no_loop() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let mut b = InventoryBuilder::new();
    let (near, far) = (b.vpc("near", "10.0.0.0/16"), b.vpc("far", "10.1.0.0/16"));
    let (here, there) = (
        b.vswitch("here", near, "10.0.0.0/27"),
        b.vswitch("there", near, "10.0.1.0/27"),
    );
    let group = b.sg("hosts", near, GroupKind::BasicDrop);
    b.rule(group, rule("in accept tcp 22/22 from 0.0.0.0/0 prio 1"));
    let (from, to) = (
        b.eni("from", here, &[group], "10.0.0.1"),
        b.eni("to", there, &[group], "10.0.1.1"),
    );
    let (out, back) = b.router_interfaces("ri", RouterEnd::Vpc(near.into()), RouterEnd::Vpc(far.into()));
    let custom = b.table("custom", near, RouteTableKind::Custom);
    b.attach(here, custom);
    b.route(custom, "10.0.1.0/27", NextHop::RouterInterface(out));
    let system = b.system_table(far);
    b.route(system, "10.0.0.0/16", NextHop::RouterInterface(back));
    let ask = |src, dst| Query {
        src,
        dst,
        proto: Proto::TCP,
        sport: 2000,
        dport: 22,
    };
    let (a, z) = (at(from, "10.0.0.1"), at(to, "10.0.1.1"));
    let said = all_three(b, &[ask(a, z), ask(z, a)]);
    let said: Vec<bool> = said.iter().map(|a| a.delivered && a.reply).collect();
    assert_eq!(said, [true, true]);
}

fn hosts(b: &mut InventoryBuilder, n: usize) -> Vec<(VpcId, InterfaceId)> {
    let one = |n: usize| {
        let vpc = b.vpc(&format!("v{n}"), &format!("10.{n}.0.0/16"));
        let vsw = b.vswitch(&format!("v{n}"), vpc, &format!("10.{n}.0.0/27"));
        let group = b.sg(&format!("v{n}"), vpc, GroupKind::BasicDrop);
        b.rule(group, rule("in accept all -1/-1 from 0.0.0.0/0 prio 1"));
        (
            vpc,
            b.eni(&format!("h{n}"), vsw, &[group], &format!("10.{n}.0.1")),
        )
    };
    (0..n).map(one).collect()
}

fn tcp(src: Endpoint, dst: Endpoint, dport: u16) -> Query {
    Query {
        src,
        dst,
        proto: Proto::TCP,
        sport: 2000,
        dport,
    }
}

/// §13.1, §13.2, decision 22: at a route over a peering and inside a transit router, by the first packet of a connection.
#[test]
fn firewalls_between_vpcs_judge_what_crosses_them() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let mut b = InventoryBuilder::new();
    let h = hosts(&mut b, 3);
    let peering = b.peering("p", h[0].0, h[1].0);
    let tables: Vec<RouteTableId> = h.iter().map(|(v, _)| b.system_table(*v)).collect();
    b.route(tables[0], "10.1.0.0/16", NextHop::Peering(peering));
    b.route(tables[1], "10.0.0.0/16", NextHop::Peering(peering));
    let tr = b.router("tr", false);
    let table = b.typed()[tr].system_table;
    for (n, v) in [(1, h[1].0), (2, h[2].0)] {
        let a = b.attach_vpc(&format!("a{n}"), tr, v, &[], true);
        b.associate(a, table);
        b.propagate(a, table);
    }
    let on_the_way = |hop| {
        FirewallPlace::Vpc(vec![Boundary::Route {
            table: tables[0].into(),
            destination: "10.1.0.0/16".parse::<ipnet::IpNet>().unwrap().into(),
            hop: bartizan_model::Fact::Known(hop),
        }])
    };
    let all = ["0.0.0.0/0"].as_slice();
    let p = Policy {
        inbound: false,
        order: 1,
        pass: false,
        deep: false,
        source: all,
        destination: all,
    };
    // Two at one place, one behind the other.
    for (name, closed) in [("first", 22), ("second", 23)] {
        let f = b.firewall(name, on_the_way(NextHop::Peering(peering)), false);
        b.policy(f, p, port(closed));
    }
    let inside = FirewallPlace::Vpc(vec![Boundary::Router(tr.into())]);
    let f = b.firewall("inside", inside, false);
    let ssh = Policy {
        source: &["10.1.0.0/16"],
        ..p
    };
    b.policy(f, ssh, port(24));
    let ends: Vec<Endpoint> = (0..3).map(|n| at(h[n].1, &format!("10.{n}.0.1"))).collect();
    let queries = [
        tcp(ends[0], ends[1], 22),
        tcp(ends[0], ends[1], 23),
        tcp(ends[0], ends[1], 24),
        tcp(ends[1], ends[0], 22),
        tcp(ends[1], ends[2], 24),
        tcp(ends[1], ends[2], 22),
        tcp(ends[2], ends[1], 24),
    ];
    let inv = b.clone().build();
    let (_, differing) = compare_with_kernel(&inv, &queries, &NoFirewalls).unwrap();
    assert_eq!(differing.len(), 3, "{differing:?}");
    let said: Vec<bool> = all_three(b, &queries).iter().map(|a| a.reply).collect();
    assert_eq!(said, [false, false, true, true, false, true, true]);
}

/// §11, decision 23: the kernel makes an Express Connect router from what is joined to it, engine and interpreter from the
/// two tables that are written for it. Others would not do.
#[test]
fn an_express_connect_router_is_what_its_two_tables_say() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let mut b = InventoryBuilder::new();
    let h = hosts(&mut b, 2);
    let site = b.site("office", &["172.16.0.0/24"]);
    let border = b.border_router("vbr", site, &["172.16.0.0/24"]);
    let ecr = b.ecr("ecr");
    b.ecr_border("eb", ecr, border);
    for (n, (v, _)) in h.iter().enumerate() {
        let a = b.ecr_vpc(&format!("ev{n}"), ecr, *v);
        let table = b.system_table(*v);
        b.route(table, "10.0.0.0/8", NextHop::Attachment(a));
    }
    let office = at(b.typed()[site].interface, "172.16.0.9");
    let (x, y) = (at(h[0].1, "10.0.0.1"), at(h[1].1, "10.1.0.1"));
    let queries = [
        tcp(x, office, 22),
        tcp(office, y, 22),
        tcp(x, y, 22),
        tcp(y, x, 22),
    ];
    let inv = b.clone().build();
    let (_, differing) = compare_with_kernel(&inv, &queries, &OneTable).unwrap();
    assert_eq!(differing.len(), 2, "{differing:?}");
    let said: Vec<bool> = all_three(b, &queries).iter().map(|a| a.reply).collect();
    assert_eq!(said, [true, true, false, false]);
}

/// §8, decision 20: an address of one VPC for those of two others that are the same, and the way back.
#[test]
fn a_vpc_nat_gateway_stands_for_what_overlaps() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    let mut b = InventoryBuilder::new();
    let mut ends = Vec::new();
    for (n, name) in ["one", "two"].into_iter().enumerate() {
        let vpc = b.vpc(name, "10.0.0.0/8");
        let vsw = b.vswitch(name, vpc, "10.0.0.0/27");
        let zone = b.vswitch(&format!("{name}_nat"), vpc, &format!("10.{}.0.0/27", n + 1));
        let group = b.sg(name, vpc, GroupKind::BasicDrop);
        b.rule(group, rule("in accept tcp 22/22 from 10.1.0.0/27 prio 1"));
        let host = b.eni(
            &format!("{name}_host"),
            vsw,
            &[group],
            &format!("10.0.0.{}", n + 1),
        );
        let nat = b.vpc_nat(&format!("{name}_nat"), vpc, zone);
        ends.push((vpc, zone, host, nat));
    }
    let peering = b.peering("p", ends[0].0, ends[1].0);
    b.snat_to(
        ends[0].3,
        SnatSource::Net("10.0.0.0/27".parse::<ipnet::IpNet>().unwrap().into()),
        &["10.1.0.9"],
    );
    b.dnat_at(ends[1].3, "10.2.0.9", DnatProtocol::Any, None, (ends[1].2, 0));
    for (n, (vpc, zone, _, nat)) in ends.iter().enumerate() {
        let system = b.system_table(*vpc);
        let far = format!("10.{}.0.0/27", 2 - n);
        b.route(system, &far, NextHop::Nat(*nat));
        let table = b.table(&format!("t{n}"), *vpc, RouteTableKind::Custom);
        b.attach(*zone, table);
        b.route(table, &far, NextHop::Peering(peering));
    }
    let (x, y) = (at(ends[0].2, "10.0.0.1"), at(ends[1].2, "10.0.0.2"));
    let queries = [tcp(x, y, 22), tcp(x, y, 23), tcp(y, x, 22)];
    let said: Vec<bool> = all_three(b, &queries)
        .iter()
        .map(|a| a.delivered && a.reply)
        .collect();
    assert_eq!(said, [true, false, false]);
}

/// Decisions 14 and 20: what a site takes in may go on as well, and what comes back to it translated is answered for
/// itself. Only that answer finds the gateway in which it belongs to something.
#[test]
fn what_a_site_passes_on_is_answered_where_it_comes_back_translated() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    for (carried, comes_back) in [("10.0.0.0/16", true), ("10.9.0.0/16", false)] {
        let mut b = InventoryBuilder::new();
        let vpc = b.vpc("main", "10.0.0.0/16");
        let (near, far) = (
            b.vswitch("near", vpc, "10.0.0.0/27"),
            b.vswitch("far", vpc, "10.0.1.0/27"),
        );
        let group = b.sg("hosts", vpc, GroupKind::BasicDrop);
        let host = b.eni("host", near, &[group], "10.0.0.2");
        let (office, lab) = (
            b.site("office", &["172.16.0.0/24"]),
            b.site("lab", &["172.16.2.0/24"]),
        );
        b.sites_forward(office, lab, true);
        let (out, back) = (
            b.vpn_gateway("out", vpc, Some(far)),
            b.vpn_gateway("back", vpc, Some(far)),
        );
        let first = VpnEnd::Gateway(out.into());
        let c = b.vpn_connection("c0", first, office, &["10.0.0.0/8"], &["0.0.0.0/0"]);
        b.vpn_route(Some(out), None, "172.16.0.0/12", c, true, false);
        b.vpn_connection(
            "c1",
            VpnEnd::Gateway(back.into()),
            lab,
            &["0.0.0.0/0"],
            &[carried],
        );
        let nat = b.vpc_nat("nat", vpc, near);
        let all = "10.0.0.0/8".parse::<ipnet::IpNet>().unwrap();
        b.snat_to(nat, SnatSource::Net(all.into()), &["10.0.0.9"]);
        // Straight to the office from the host and the NAT gateway; everything that comes in goes to the NAT gateway.
        let table = b.table("near", vpc, RouteTableKind::Custom);
        b.attach(near, table);
        b.route(table, "172.16.0.0/12", NextHop::Vpn(out));
        let system = b.system_table(vpc);
        for net in ["172.16.0.0/12", "10.0.0.0/27"] {
            b.route(system, net, NextHop::Nat(nat));
        }
        let lab = at(b.typed()[lab].interface, "172.16.2.1");
        let said = all_three(b, &[tcp(at(host, "10.0.0.2"), lab, 22)]);
        assert_eq!(
            (said[0].delivered, said[0].reply),
            (true, comes_back),
            "{carried}"
        );
    }
}
