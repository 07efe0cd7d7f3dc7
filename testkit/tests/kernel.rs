//! The comparison with the Linux kernel notices what it should. `cargo xtask verify --kernel` makes it large.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail the test"
)]

use bartizan_model::{
    Backend, BalancerKind, FirewallPlace, InterfaceId, Inventory, NextHop, Readings, RouteTableKind,
    RouterEnd, SnatSource, VpnEnd,
};
use bartizan_oracle::Endpoint;
use bartizan_packet::{PortSet, Proto, ServiceSet};
use bartizan_testkit::{
    Answer, EngineUnderTest, Features, GroupKind, InventoryBuilder, OracleEngine, PointEngine, Policy, Query,
    Rng, Universe, compare_with_kernel, kernel_usable, rule, verify_kernel,
};

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

/// Takes every firewall away.
struct NoFirewalls;

impl EngineUnderTest for NoFirewalls {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let mut inv = inv.clone();
        inv.typed.firewalls.clear();
        PointEngine.under(&inv, readings, queries)
    }
}

fn features() -> Features {
    // Most networks would have one of these, and they are not built.
    Features::all()
        .without("vpc-firewalls")
        .and_then(|f| f.without("inner")?.without("inspectors"))
        .unwrap()
}

#[test]
fn engine_interpreter_and_kernel_agree() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    for engine in [&PointEngine as &dyn EngineUnderTest, &OracleEngine] {
        let r = verify_kernel(10, 77, features(), 200, engine).unwrap();
        assert_eq!(
            (r.networks, r.differing, r.failure.as_deref()),
            (10, 0, None),
            "{r}"
        );
        assert!(r.delivered > 0 && r.replied > 0 && r.packets > r.probes, "{r}");
    }
}

#[test]
fn a_fault_of_an_engine_is_seen_in_the_kernel() {
    if let Err(why) = kernel_usable() {
        eprintln!("SKIPPED: {why}");
        return;
    }
    // Which networks show it depends on what else the generator makes: a few are enough, not always the same few.
    let r = (0..25)
        .map(|i| verify_kernel(4, 77 + i, features(), 200, &NoAcls).unwrap())
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
        ask(led, at(public, "10.0.0.1"), 22),
        ask(led, at(public, "10.0.0.1"), 80),
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
