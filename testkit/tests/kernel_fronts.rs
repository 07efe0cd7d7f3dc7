//! IPv6 addresses of load balancers (docs/decisions/024) in the Linux kernel, beside engine and interpreter.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail the test"
)]

use bartizan_model::{
    Assumption, Backend, BalancerId, BalancerKind, InterfaceId, Inventory, NextHop, Readings, VpcId,
    VswitchId,
};
use bartizan_oracle::Endpoint;
use bartizan_packet::{PortSet, Proto, ServiceSet};
use bartizan_testkit::{
    Answer, EngineUnderTest, Features, GroupKind, InventoryBuilder, Ipv6Access, OracleEngine, PointEngine,
    Query, Rng, Universe, compare_with_kernel_under, kernel_usable, rule, verify_kernel,
};

/// Whether the kernel can be asked here; says so if not.
fn usable() -> bool {
    match kernel_usable() {
        Ok(()) => true,
        Err(why) => {
            eprintln!("SKIPPED: {why}");
            false
        }
    }
}

fn port(p: u16) -> ServiceSet {
    ServiceSet::tcp(PortSet::single(p))
}

fn at(i: InterfaceId, address: u32, ip: &str) -> Endpoint {
    Endpoint::Address {
        interface: i,
        address,
        ip: ip.parse().unwrap(),
    }
}

fn outside(ip: &str) -> Endpoint {
    Endpoint::Outside(ip.parse().unwrap())
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

/// Asks engine, interpreter and kernel the same, and much else; what all of them say, as far as it is whole.
fn all_three(inv: &Inventory, readings: &Readings, of: &[Query]) -> Vec<(bool, bool)> {
    let said = PointEngine.under(inv, readings, of);
    assert_eq!(said, OracleEngine.under(inv, readings, of));
    for some in [of.to_vec(), Universe::new(inv).sample(&mut Rng::new(1), 200)] {
        let (seen, differing) = compare_with_kernel_under(inv, readings, &some, &PointEngine).unwrap();
        assert_eq!(differing, Vec::<String>::new());
        assert_eq!(seen, some.len());
    }
    said.iter().map(|a| (a.delivered, a.reply)).collect()
}

/// A VPC with one vSwitch, a group that lets in everything and a host with an IPv6 address.
struct Place {
    vpc: VpcId,
    vsw: VswitchId,
    host: InterfaceId,
}

fn place(b: &mut InventoryBuilder, n: usize) -> Place {
    let vpc = b.vpc(&format!("v{n}"), &format!("10.{n}.0.0/16"));
    let vsw = b.vswitch(&format!("v{n}"), vpc, &format!("10.{n}.0.0/24"));
    b.vswitch_ipv6(vsw, &format!("2001:db8:0:{n}::/64"));
    let group = b.sg(&format!("v{n}"), vpc, GroupKind::BasicDrop);
    for all in ["0.0.0.0/0", "::/0"] {
        b.rule(group, rule(&format!("in accept all -1/-1 from {all} prio 1")));
    }
    let host = b.eni(&format!("h{n}"), vsw, &[group], &format!("10.{n}.0.1"));
    b.ipv6(host, &format!("2001:db8:0:{n}::1"), Ipv6Access::Both);
    Place { vpc, vsw, host }
}

/// A balancer of two families that listens on port 80 and hands on to port 8080 of a host, over IPv4.
fn dual(b: &mut InventoryBuilder, kind: BalancerKind, p: &Place, n: usize) -> (BalancerId, InterfaceId) {
    let lb = b.balancer(&format!("lb{n}"), kind, &[(p.vsw, &format!("10.{n}.0.9"))], &[]);
    let front = b.typed()[lb].fronts[0];
    b.ipv6(front, &format!("2001:db8:0:{n}::9"), Ipv6Access::Both);
    let l = b.listener(lb, port(80));
    b.backend(lb, l, Backend::Interface(p.host), Some(port(8080)), true);
    (lb, front)
}

/// Decision 24, 7: an answer of a front leaves by the Internet where the request came from there, whatever the routes say,
/// and by the routes where it came by them. To a host the Internet needs the route back (§7.3).
#[test]
fn a_front_answers_by_the_way_that_the_request_came() {
    if !usable() {
        return;
    }
    for (there, back, host, front) in [
        (false, false, (true, true), (true, true)),
        (false, true, (false, false), (true, true)),
        (true, true, (true, true), (true, true)),
        (true, false, (true, false), (true, false)),
    ] {
        let mut b = InventoryBuilder::new();
        let (near, far) = (place(&mut b, 1), place(&mut b, 2));
        for (n, p) in [(1, &near), (2, &far)] {
            b.ipv6_gateway(&format!("gw{n}"), p.vpc);
        }
        let peering = b.peering("p", near.vpc, far.vpc);
        let (_, lb) = dual(&mut b, BalancerKind::Nlb, &far, 2);
        for (routed, p, to) in [(there, &near, 2), (back, &far, 1)] {
            if routed {
                let table = b.system_table(p.vpc);
                b.route(table, &format!("2001:db8:0:{to}::/64"), NextHop::Peering(peering));
            }
        }
        let client = at(near.host, 1, "2001:db8:0:1::1");
        let queries = [
            tcp(client, at(far.host, 1, "2001:db8:0:2::1"), 80),
            tcp(client, at(lb, 1, "2001:db8:0:2::9"), 80),
            // Through the balancer, to an address of the other family.
            tcp(client, at(far.host, 0, "10.2.0.1"), 8080),
        ];
        assert_eq!(
            all_three(&b.build(), &Readings::chosen(), &queries),
            [host, front, front],
            "{there} {back}"
        );
    }
}

/// Decision 24, 3, 8 and 11: a CLB of IPv6 is in no VPC. The Internet reaches it without a gateway, its own VPC over the
/// Internet only; its server sees some IPv4 address.
#[test]
fn a_clb_of_ipv6_is_reached_over_the_internet() {
    if !usable() {
        return;
    }
    for gateway in [true, false] {
        let mut b = InventoryBuilder::new();
        let p = place(&mut b, 1);
        let server = b.sg("server", p.vpc, GroupKind::BasicDrop);
        let server = b.eni("server", p.vsw, &[server], "10.1.0.2");
        if gateway {
            b.ipv6_gateway("gw", p.vpc);
        }
        let clb = b.detached_ipv6_balancer("clb", p.vsw, "2408:4000::80");
        let l = b.listener(clb, port(80));
        b.access_list(clb, l, true, &["2001:db8:0:1::/64", "2001:db8:aaaa::/48"]);
        b.backend(clb, l, Backend::Interface(server), Some(port(8080)), true);
        let front = b.typed()[clb].fronts[0];
        let (neighbour, front) = (at(p.host, 1, "2001:db8:0:1::1"), at(front, 0, "2408:4000::80"));
        let server = at(server, 0, "10.1.0.2");
        let queries = [
            tcp(outside("2001:db8:aaaa::5"), front, 80),
            tcp(outside("2001:db8:bbbb::5"), front, 80),
            tcp(outside("2001:db8:aaaa::5"), server, 8080),
            tcp(outside("198.51.100.1"), server, 8080),
            tcp(neighbour, front, 80),
            tcp(neighbour, server, 8080),
        ];
        let (yes, no, own) = ((true, true), (false, false), (gateway, gateway));
        assert_eq!(
            all_three(&b.build(), &Readings::chosen(), &queries),
            [yes, no, yes, no, own, own],
            "{gateway}"
        );
    }
}

/// A-LB-3, decision 24, 6: a white list of IPv4 prefixes turns IPv6 clients away, or judges IPv4 clients only. A black one
/// and one with an IPv6 entry are read in one way.
#[test]
fn both_readings_of_a_list_of_ipv4_prefixes_are_seen() {
    if !usable() {
        return;
    }
    for (white, cidrs, six) in [
        (true, ["203.0.113.0/24"].as_slice(), [false, true]),
        (false, ["203.0.113.0/24"].as_slice(), [true, true]),
        (
            true,
            ["203.0.113.0/24", "2001:db8:aaaa::/48"].as_slice(),
            [false, false],
        ),
    ] {
        let mut b = InventoryBuilder::new();
        let p = place(&mut b, 1);
        let (lb, front) = dual(&mut b, BalancerKind::Alb, &p, 1);
        b.static_ip(front, "47.0.0.9");
        b.access_list(lb, 0, white, cidrs);
        let inv = b.build();
        let server = at(p.host, 0, "10.1.0.1");
        let queries = [
            tcp(outside("2001:db8:bbbb::5"), server, 8080),
            tcp(outside("203.0.113.5"), server, 8080),
            tcp(outside("198.51.100.1"), server, 8080),
        ];
        for (second, six) in [(false, six[0]), (true, six[1])] {
            let readings = Readings::chosen().with(Assumption::Lb3, second);
            let said = all_three(&inv, &readings, &queries);
            let said: Vec<bool> = said.iter().map(|a| a.0 && a.1).collect();
            assert_eq!(said, [six, white, !white], "{white} {cidrs:?} {second}");
        }
    }
}

/// Decision 24, 10: an IPv6 address of the front's vSwitch stands for a client that is not passed on, or of the other
/// family, and that of an IPv6 client for itself.
#[test]
fn a_server_of_ipv6_sees_its_clients_of_ipv6() {
    if !usable() {
        return;
    }
    let office = "2001:db8:aaaa::/48";
    for (preserves, admitted, six, four) in [
        (true, office, true, false),
        (true, "2001:db8:0:1::/64", false, true),
        (false, "2001:db8:0:1::/64", true, true),
        (false, office, false, false),
    ] {
        let mut b = InventoryBuilder::new();
        let p = place(&mut b, 1);
        let back = b.vswitch("back", p.vpc, "10.1.1.0/24");
        b.vswitch_ipv6(back, "2001:db8:0:3::/64");
        let acl = [
            &format!("in accept tcp 8080/8080 from {admitted}"),
            "in drop all -1/-1 from ::/0",
            "out accept all -1/-1 to ::/0",
        ];
        let acl = b.acl("back", p.vpc, &acl.map(rule));
        b.bind_acl(back, acl);
        let group = b.sg("server", p.vpc, GroupKind::BasicDrop);
        let server = b.eni("server", back, &[group], "10.1.1.1");
        b.ipv6(server, "2001:db8:0:3::1", Ipv6Access::Private);
        let (lb, front) = dual(&mut b, BalancerKind::Nlb, &p, 1);
        b.static_ip(front, "47.0.0.9");
        b.backend(lb, 0, Backend::Ipv6(server), Some(port(8080)), preserves);
        let server = at(server, 1, "2001:db8:0:3::1");
        let queries = [
            tcp(outside("2001:db8:aaaa::5"), server, 8080),
            tcp(outside("198.51.100.1"), server, 8080),
        ];
        assert_eq!(
            all_three(&b.build(), &Readings::chosen(), &queries),
            [(six, six), (four, four)],
            "{preserves} {admitted}"
        );
    }
}

/// Knows nothing of what goes from one family to the other.
struct OneFamily;

impl EngineUnderTest for OneFamily {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let six = |e: &Endpoint| match e {
            Endpoint::Address { ip, .. } | Endpoint::Outside(ip) => ip.is_ipv6(),
        };
        let said = PointEngine.under(inv, readings, queries);
        let one = |(q, a): (&Query, Answer)| match six(&q.src) == six(&q.dst) {
            true => a,
            false => Answer::default(),
        };
        queries.iter().zip(said).map(one).collect()
    }
}

/// Random networks have enough of it that the comparison notices who does not know it.
#[test]
fn random_networks_go_from_one_family_to_the_other() {
    if !usable() {
        return;
    }
    let mut features = Features::all();
    for without in ["hybrid", "vpc-firewalls", "inspectors", "inner", "appliances"] {
        features = features.without(without).unwrap();
    }
    let found = (0..20).any(|i| {
        let r = verify_kernel(4, 900 + i, features, 150, &OneFamily).unwrap();
        r.differing > 0
    });
    assert!(found, "eighty networks show an engine of one family");
}
