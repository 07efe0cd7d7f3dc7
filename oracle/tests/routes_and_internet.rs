//! ALIBABA.md §21, vectors R1-R11, and the finer points of §3, §7 and §8, written with the builder.

mod common;

use bartizan_model::*;
use bartizan_oracle::{GatewayRoutes, Options, Oracle, PublicProtocols};
use bartizan_testkit::{GroupKind, Ipv6Access, rule};
use common::Net;

#[test]
fn r1_local_routes_everywhere() {
    let mut n = Net::new();
    let o = n.open();
    n.ab(&[o], &[o]);
    n.table(n.v1);
    n.ask()
        .check(&[("a -> b tcp/22", "allow"), ("b -> a tcp/22", "allow")]);
}

#[test]
fn r2_r3_own_public_address() {
    let mut n = Net::new();
    let o = n.open();
    let (_, b) = n.ab(&[o], &[o]);
    n.b.static_ip(b, "47.0.0.2");
    n.ask().check(&[
        ("a -> internet 8.8.8.8 tcp/443", "deny"),
        ("internet 8.8.8.8 -> a tcp/443", "deny"),
        ("b -> internet 8.8.8.8 tcp/443", "allow"),
        ("b -> internet 8.8.8.8 tcp/25", "deny"),
        ("internet 8.8.8.8 -> b tcp/443", "allow"),
        // §7.4: TCP, UDP and ICMP only.
        ("internet 8.8.8.8 -> b gre", "deny"),
        ("b -> internet 8.8.8.8 gre", "deny"),
    ]);
    n.ask()
        .load(Options {
            public_protocols: PublicProtocols::All,
            ..Options::normative()
        })
        .check(&[("internet 8.8.8.8 -> b gre", "allow")]);
}

#[test]
fn a_eip_1_own_address_beats_the_default_route_only() {
    let mut n = Net::new();
    let o = n.open();
    let (a, _) = n.ab(&[o], &[o]);
    let f = n.b.eni("f", n.v2, &[o], "10.0.2.20");
    n.b.eip(a, 0, "47.0.0.1");
    let t = n.table(n.v1);
    n.b.route(t, "0.0.0.0/0", NextHop::Interface(f));
    n.ask().check(&[
        ("a -> internet 8.8.8.8 tcp/443", "allow"),
        ("internet 8.8.8.8 -> a tcp/443", "allow"),
    ]);
    n.b.route(t, "8.0.0.0/8", NextHop::Interface(f));
    n.ask().check(&[
        ("a -> internet 8.8.8.8 tcp/443", "deny"),
        ("internet 8.8.8.8 -> a tcp/443", "reply dropped"),
        ("internet 9.9.9.9 -> a tcp/443", "allow"),
    ]);
}

#[test]
fn r4_ipv4_gateway() {
    for (enabled, want) in [(true, "deny"), (false, "allow")] {
        let mut n = Net::new();
        let o = n.open();
        let (a, b) = n.ab(&[o], &[o]);
        n.b.eip(a, 0, "47.0.0.1").eip(b, 0, "47.0.0.2");
        let g = n.b.ipv4_gateway("gw", n.vpc, enabled);
        let t = n.table(n.v2);
        n.b.route(t, "0.0.0.0/0", NextHop::Ipv4Gateway(g));
        n.ask().check(&[
            ("a -> internet 8.8.8.8 tcp/443", want),
            ("internet 8.8.8.8 -> a tcp/443", want),
            ("b -> internet 8.8.8.8 tcp/443", "allow"),
            ("internet 8.8.8.8 -> b tcp/443", "allow"),
        ]);
    }
}

#[test]
fn gateway_route_table_sends_through_an_appliance() {
    for (check, want) in [(false, "allow"), (true, "deny")] {
        let mut n = Net::new();
        let o = n.open();
        let (a, _) = n.ab(&[o], &[o]);
        let f = n.b.eni("f", n.v2, &[o], "10.0.2.20");
        n.b.source_dest_check(f, check).eip(a, 0, "47.0.0.1");
        let g = n.b.ipv4_gateway("gw", n.vpc, true);
        n.b.route(n.system(), "0.0.0.0/0", NextHop::Ipv4Gateway(g));
        let t = n.b.table("gwt", n.vpc, RouteTableKind::Gateway);
        n.b.ingress_table(g, t)
            .route(t, "10.0.1.0/24", NextHop::Interface(f));
        n.ask().check(&[
            ("internet 8.8.8.8 -> a tcp/443", want),
            ("a -> internet 8.8.8.8 tcp/443", want_reply(check)),
        ]);
    }
}

/// The request of A leaves directly; its answer comes in through the appliance.
fn want_reply(check: bool) -> &'static str {
    if check { "reply dropped" } else { "allow" }
}

/// A firewall ENI between an address with an EIP and the IPv4 gateway.
#[test]
fn routes_to_gateways_through_appliances() {
    let mut n = Net::new();
    let o = n.open();
    let (a, _) = n.ab(&[o], &[o]);
    n.b.eip(a, 0, "47.0.0.1");
    let f = n.b.eni("f", n.v2, &[o], "10.0.2.20");
    let g = n.b.ipv4_gateway("gw", n.vpc, true);
    let (t1, t2) = (n.table(n.v1), n.table(n.v2));
    n.b.route(t1, "0.0.0.0/0", NextHop::Interface(f));
    n.b.route(t2, "0.0.0.0/0", NextHop::Ipv4Gateway(g));
    let probes = |v| {
        [
            ("a -> internet 8.8.8.8 tcp/443", v),
            ("internet 8.8.8.8 -> a tcp/443", v),
        ]
    };
    n.ask().check(&probes("deny"));
    let wide = Options {
        gateway_routes: GatewayRoutes::ThroughAppliances,
        ..Options::normative()
    };
    n.ask().load(wide.clone()).check(&probes("allow"));
    n.b.source_dest_check(f, true);
    n.ask().load(wide).check(&probes("deny"));
}

/// The answer of a server that is also the appliance of the gateway's ingress table passes the server again,
/// translated, as a packet that its group has not seen.
#[test]
fn a_session_knows_its_own_addresses_only() {
    for (rules, want) in [
        (&["in accept all -1/-1 from 47.0.0.1/32"][..], "reply dropped"),
        (&["in accept all -1/-1 from 47.0.0.0/24"], "allow"),
    ] {
        let mut n = Net::new();
        let closed = n.group("closed", GroupKind::BasicDrop, &[]);
        let server = n.group("server", GroupKind::BasicDrop, rules);
        let a = n.b.eni("a", n.v1, &[closed], "10.0.1.10");
        let b = n.b.eni("b", n.v1, &[server], "10.0.1.11");
        n.b.eip(a, 0, "47.0.0.1").eip(b, 0, "47.0.0.2");
        let g = n.b.ipv4_gateway("gw", n.vpc, true);
        n.b.route(n.system(), "0.0.0.0/0", NextHop::Ipv4Gateway(g));
        let t = n.b.table("gwt", n.vpc, RouteTableKind::Gateway);
        n.b.ingress_table(g, t)
            .route(t, "10.0.1.0/24", NextHop::Interface(b));
        n.ask().check(&[("a -> b tcp/80", want)]);
    }
}

fn nat(n: &mut Net) -> (NatId, EipId) {
    let nat = n.b.nat("nat", n.vpc, n.v2);
    (nat, n.b.nat_eip(nat, "47.0.0.20"))
}

#[test]
fn r5_r6_snat() {
    let mut n = Net::new();
    let o = n.open();
    n.ab(&[o], &[o]);
    let (nat, e) = nat(&mut n);
    n.b.snat(nat, SnatSource::Vswitch(n.v2.into()), &[e]);
    let system = n.system();
    n.b.route(system, "0.0.0.0/0", NextHop::Nat(nat));
    n.ask().check(&[
        ("a -> internet 8.8.8.8 tcp/443", "deny"),
        ("b -> internet 8.8.8.8 tcp/443", "allow"),
        ("internet 8.8.8.8 -> b tcp/443", "deny"),
    ]);
    n.b.snat(nat, SnatSource::Vswitch(n.v1.into()), &[e]);
    n.ask().check(&[("a -> internet 8.8.8.8 tcp/443", "allow")]);
    n.table(n.v1);
    n.ask().check(&[("a -> internet 8.8.8.8 tcp/443", "deny")]);
}

/// A-NAT-1, seen from a server that takes one of the two translated addresses.
#[test]
fn the_longest_snat_source_wins() {
    let mut n = Net::new();
    let o = n.open();
    let (nat, wide) = nat(&mut n);
    let narrow = n.b.nat_eip(nat, "47.0.0.21");
    n.b.snat(
        nat,
        SnatSource::Net("10.0.0.0/16".parse::<ipnet::IpNet>().unwrap().into()),
        &[wide],
    );
    n.b.snat(
        nat,
        SnatSource::Net("10.0.1.10/32".parse::<ipnet::IpNet>().unwrap().into()),
        &[narrow],
    );
    let system = n.system();
    n.b.route(system, "0.0.0.0/0", NextHop::Nat(nat));
    n.b.eni("a", n.v1, &[o], "10.0.1.10");
    n.b.eni("a2", n.v1, &[o], "10.0.1.11");
    let far = n.b.vpc("far", "10.9.0.0/16");
    let vf = n.b.vswitch("vf", far, "10.9.1.0/24");
    let gf = n.b.sg("gf", far, GroupKind::BasicDrop);
    n.b.rule(gf, rule("in accept tcp 443/443 from 47.0.0.21/32"));
    n.b.rule(gf, rule("in accept tcp 444/444 from 47.0.0.20/32"));
    let f = n.b.eni("f", vf, &[gf], "10.9.1.10");
    n.b.eip(f, 0, "47.0.0.9");
    n.ask().check(&[
        ("a -> f tcp/443", "allow"),
        ("a2 -> f tcp/443", "deny"),
        ("a -> f tcp/444", "deny"),
        ("a2 -> f tcp/444", "allow"),
    ]);
}

fn dnat(kind: DnatProtocol, ports: Option<PortMapping>, rules: &[&str]) -> (Net, NatId, InterfaceId) {
    let mut n = Net::new();
    let g = n.group("g", GroupKind::BasicDrop, rules);
    let a = n.b.eni("a", n.v1, &[g], "10.0.1.10");
    let (nat, e) = nat(&mut n);
    n.b.dnat(nat, e, kind, ports, (a, 0));
    let system = n.system();
    n.b.route(system, "0.0.0.0/0", NextHop::Nat(nat));
    (n, nat, a)
}

#[test]
fn r7_r8_dnat() {
    let ports = Some(PortMapping {
        external: (8080, 8081),
        internal: (80, 81),
    });
    let (mut n, _, a) = dnat(
        DnatProtocol::Tcp,
        ports,
        &["in accept all -1/-1 from 128.0.0.0/1"],
    );
    n.ask().check(&[
        ("internet 198.51.100.1 -> a tcp/80", "allow"),
        ("internet 198.51.100.1 -> a tcp/81", "allow"),
        ("internet 198.51.100.1 -> a tcp/82", "deny"),
        ("internet 198.51.100.1 -> a tcp/8080", "deny"),
        ("internet 198.51.100.1 -> a udp/80", "deny"),
        // The group sees the client.
        ("internet 8.8.8.8 -> a tcp/80", "deny"),
    ]);
    let o = n.open();
    let f = n.b.eni("f", n.v2, &[o], "10.0.2.20");
    let system = n.system();
    n.b.route(system, "203.0.113.0/24", NextHop::Interface(f));
    n.ask().check(&[
        ("internet 203.0.113.7 -> a tcp/80", "reply dropped"),
        ("internet 198.51.100.1 -> a tcp/80", "allow"),
    ]);
    // §8.3: an EIP on the target makes the entry dead, and is a way in of its own.
    n.b.eip(a, 0, "47.0.0.1");
    n.ask().check(&[("internet 198.51.100.1 -> a tcp/82", "allow")]);
    n.ask()
        .says("internet 198.51.100.1 -> a tcp/80", "sends to 47.0.0.1\"");
}

/// §8.3: an EIP anywhere on the target makes the entry dead.
#[test]
fn dnat_to_an_eni_with_an_eip_is_dead() {
    let mut n = Net::new();
    let o = n.open();
    let a = n.b.eni("a", n.v1, &[o], "10.0.1.10");
    let second = n.b.secondary_ip(a, "10.0.1.20");
    let (nat, e) = nat(&mut n);
    n.b.dnat(nat, e, DnatProtocol::Any, None, (a, second));
    let system = n.system();
    n.b.route(system, "0.0.0.0/0", NextHop::Nat(nat));
    n.ask().check(&[
        ("internet 8.8.8.8 -> a#1 tcp/80", "allow"),
        ("internet 8.8.8.8 -> a tcp/80", "deny"),
    ]);
    n.b.eip(a, 0, "47.0.0.1");
    n.ask().check(&[
        ("internet 8.8.8.8 -> a#1 tcp/80", "deny"),
        ("internet 8.8.8.8 -> a tcp/80", "allow"),
    ]);
}

/// §8.5: a reply that finds another way out is lost.
#[test]
fn a_reply_through_another_gateway_is_lost() {
    let mut n = Net::new();
    let o = n.open();
    let a = n.b.eni("a", n.v1, &[o], "10.0.1.10");
    n.b.eip(a, 0, "47.0.0.1");
    let (nat, e) = nat(&mut n);
    n.b.snat(nat, SnatSource::Vswitch(n.v1.into()), &[e]);
    let system = n.system();
    n.b.route(system, "9.0.0.0/8", NextHop::Nat(nat));
    n.ask().check(&[
        ("a -> internet 9.9.9.9 tcp/80", "allow"),
        ("internet 9.9.9.9 -> a tcp/80", "reply dropped"),
        ("internet 8.8.8.8 -> a tcp/80", "allow"),
    ]);
}

#[test]
fn r9_dnat_any() {
    let (n, ..) = dnat(
        DnatProtocol::Any,
        None,
        &["in accept tcp 1024/65535 from 0.0.0.0/0"],
    );
    n.ask().check(&[
        ("internet 198.51.100.1 -> a tcp/1024", "allow"),
        ("internet 198.51.100.1 -> a tcp/65535", "allow"),
        ("internet 198.51.100.1 -> a tcp/1023", "deny"),
    ]);
}

/// The client's own egress rules see the external port.
#[test]
fn a_hairpin_through_dnat() {
    let ports = Some(PortMapping {
        external: (8080, 8080),
        internal: (80, 80),
    });
    let (mut n, nat, _) = dnat(
        DnatProtocol::Tcp,
        ports,
        &["in accept tcp 80/80 from 47.0.0.20/32"],
    );
    let g = n.group(
        "client",
        GroupKind::BasicDrop,
        &["out drop tcp 80/80 to 0.0.0.0/0"],
    );
    n.b.eni("c", n.v2, &[g], "10.0.2.30");
    n.ask().check(&[("c -> a tcp/80", "deny")]);
    let e = EipId(0);
    n.b.snat(nat, SnatSource::Vswitch(n.v2.into()), &[e]);
    n.ask().check(&[("c -> a tcp/80", "allow")]);
    n.b.rule(g, rule("out drop tcp 8080/8080 to 47.0.0.20/32"));
    n.ask().check(&[("c -> a tcp/80", "deny")]);
}

#[test]
fn nat_behind_an_ipv4_gateway_wants_its_own_route() {
    let ports = Some(PortMapping {
        external: (80, 80),
        internal: (80, 80),
    });
    let (mut n, nat, _) = dnat(DnatProtocol::Tcp, ports, &["in accept all -1/-1 from 0.0.0.0/0"]);
    n.b.snat(nat, SnatSource::Vswitch(n.v1.into()), &[EipId(0)]);
    let g = n.b.ipv4_gateway("gw", n.vpc, true);
    n.ask().check(&[
        ("internet 8.8.8.8 -> a tcp/80", "deny"),
        ("a -> internet 8.8.8.8 tcp/443", "deny"),
    ]);
    let t = n.table(n.v2);
    n.b.route(t, "0.0.0.0/0", NextHop::Ipv4Gateway(g));
    n.ask().check(&[
        ("internet 8.8.8.8 -> a tcp/80", "allow"),
        ("a -> internet 8.8.8.8 tcp/443", "allow"),
    ]);
}

#[test]
fn r10_ipv6() {
    for (access, inward, outward) in [
        (Ipv6Access::Private, "deny", "deny"),
        (Ipv6Access::Both, "allow", "allow"),
        (Ipv6Access::EgressOnly, "deny", "allow"),
    ] {
        let mut n = Net::new();
        n.b.vswitch_ipv6(n.v1, "2001:db8:0:1::/64");
        let g = n.group("g", GroupKind::BasicDrop, &["in accept tcp 22/22 from ::/0"]);
        let a = n.b.eni("a", n.v1, &[g], "10.0.1.10");
        n.b.ipv6(a, "2001:db8:0:1::10", access);
        let without = [
            ("internet 2400::1 -> a#1 tcp/22", "deny"),
            ("a#1 -> internet 2400::1 tcp/443", "deny"),
        ];
        n.ask().check(&without);
        n.b.ipv6_gateway("gw", n.vpc);
        n.ask().check(&[
            ("internet 2400::1 -> a#1 tcp/22", inward),
            ("a#1 -> internet 2400::1 tcp/443", outward),
        ]);
        // A custom default route to an appliance that has no way on takes the Internet away.
        let o = n.open();
        let f = n.b.eni("f", n.v2, &[o], "10.0.2.20");
        let system = n.system();
        n.b.route(system, "::/0", NextHop::Interface(f));
        n.ask().check(&without);
        // One for other destinations does not.
        let mut n = Net { b: n.b.clone(), ..n };
        let t = n.table(n.v1);
        n.b.route(t, "2600::/16", NextHop::Interface(f));
        n.ask().check(&[
            ("internet 2400::1 -> a#1 tcp/22", inward),
            ("internet 2600::1 -> a#1 tcp/22", "deny"),
        ]);
    }
}

/// v1 reaches v2 through F in v3, which is on the system table.
fn appliance(rules: &[&str]) -> (Net, InterfaceId) {
    let mut n = Net::new();
    let o = n.open();
    n.ab(&[o], &[o]);
    let v3 = n.b.vswitch("v3", n.vpc, "10.0.3.0/24");
    let g = n.group("firewall", GroupKind::BasicDrop, rules);
    let f = n.b.eni("f", v3, &[g], "10.0.3.10");
    let t = n.table(n.v1);
    n.b.route(t, "10.0.2.0/24", NextHop::Interface(f));
    (n, f)
}

#[test]
fn r11_source_dest_check() {
    let (mut n, f) = appliance(&["in accept all -1/-1 from 0.0.0.0/0"]);
    n.ask()
        .check(&[("a -> b tcp/22", "allow"), ("f -> b tcp/22", "allow")]);
    n.b.source_dest_check(f, true);
    n.ask().check(&[
        ("a -> b tcp/22", "deny"),
        ("f -> b tcp/22", "allow"),
        ("b -> a tcp/22", "reply dropped"),
    ]);
}

#[test]
fn appliances_filter_both_ways() {
    let (n, _) = appliance(&[
        "in accept tcp 22/22 from 10.0.1.0/24",
        "out drop tcp 23/23 to 10.0.2.10/32",
    ]);
    n.ask().check(&[
        ("a -> b tcp/22", "allow"),
        ("a -> b tcp/80", "deny"),
        // The reply goes to A's port through F, which has not seen the request.
        ("b -> a tcp/22", "reply dropped"),
    ]);
    let (n, _) = appliance(&[
        "in accept all -1/-1 from 0.0.0.0/0",
        "out drop tcp 23/23 to 10.0.2.10/32",
    ]);
    n.ask().check(&[
        ("a -> b tcp/22", "allow"),
        ("a -> b tcp/23", "deny"),
        ("b -> a tcp/22", "allow"),
    ]);
}

#[test]
fn acls_apply_to_each_leg() {
    let (mut n, _) = appliance(&["in accept all -1/-1 from 0.0.0.0/0"]);
    let v3 = VswitchId(2);
    n.acl(
        v3,
        &[
            "in accept tcp 22/22 from 10.0.1.0/24",
            "out accept tcp 22/22 to 10.0.2.0/24",
        ],
    );
    n.ask()
        .check(&[("a -> b tcp/22", "allow"), ("a -> b tcp/23", "deny")]);
}

#[test]
fn loops_are_drops() {
    let mut n = Net::new();
    let o = n.open();
    n.ab(&[o], &[o]);
    // F is on the same table as A, so that it sends the packet back to itself.
    let f = n.b.eni("f", n.v1, &[o], "10.0.1.20");
    let system = n.system();
    n.b.route(system, "10.0.2.0/24", NextHop::Interface(f));
    n.ask().check(&[("a -> b tcp/22", "deny")]);
    n.ask().says("a -> b tcp/22", "loop at");
}

#[test]
fn ecmp_and_havip_are_any_member() {
    let mut n = Net::new();
    let (o, closed) = (n.open(), n.group("closed", GroupKind::BasicDrop, &[]));
    n.ab(&[o], &[o]);
    let v3 = n.b.vswitch("v3", n.vpc, "10.0.3.0/24");
    let f = n.b.eni("f", v3, &[closed], "10.0.3.10");
    let g = n.b.eni("g", v3, &[o], "10.0.3.11");
    let t = n.table(n.v1);
    n.b.route(t, "10.0.2.0/28", NextHop::Interface(f));
    n.ask().check(&[("a -> b tcp/22", "deny")]);
    let mut ecmp = Net { b: n.b.clone(), ..n };
    ecmp.b
        .route_ecmp(t, "10.0.2.8/29", &[NextHop::Interface(f), NextHop::Interface(g)]);
    ecmp.ask().check(&[("a -> b tcp/22", "allow")]);
    let h = n.b.ha_vip("h", v3, "10.0.3.100", &[f, g]);
    n.b.route(t, "10.0.2.8/29", NextHop::HaVip(h));
    // Through whichever member holds it; the address is delivered to the open one only.
    n.ask().check(&[
        ("a -> b tcp/22", "allow"),
        ("a -> g#1 tcp/22", "allow"),
        ("a -> f#1 tcp/22", "deny"),
    ]);
}

#[test]
fn binded_eips_bypass_acls_and_have_no_private_network() {
    let mut n = Net::new();
    let o = n.open();
    let (a, b) = n.ab(&[o], &[o]);
    let e = n.b.secondary_eni("e", b, n.v2, &[o], "10.0.2.30");
    n.b.eip_binded(e, "47.0.0.3").eip(b, 0, "47.0.0.2");
    n.acl(
        n.v2,
        &[
            "in drop all -1/-1 from 0.0.0.0/0",
            "out drop all -1/-1 to 0.0.0.0/0",
        ],
    );
    n.ask().check(&[
        ("internet 8.8.8.8 -> e tcp/22", "allow"),
        ("e -> internet 8.8.8.8 tcp/22", "allow"),
        ("internet 8.8.8.8 -> b tcp/22", "deny"),
        ("b -> e tcp/22", "deny"),
        ("a -> e tcp/22", "deny"),
    ]);
    n.b.eip(a, 0, "47.0.0.1");
    // Through the Internet.
    n.ask().check(&[("a -> e tcp/22", "allow")]);
}

#[test]
fn what_is_unknown_is_said() {
    let mut n = Net::new();
    let o = n.open();
    n.ab(&[o], &[o]);
    let no = |change: &dyn Fn(&mut Typed), why: &str| {
        let mut inv = n.b.clone().build();
        change(&mut inv.typed);
        let e = Oracle::new(&inv, Options::normative()).err().unwrap().to_string();
        assert!(e.contains(why), "{e}");
    };
    let u = || Unknown::new("var.x has no value");
    no(
        &|t| t.sg_rules[0].accept = Fact::Unknown(u()),
        "the policy of a rule is not known (var.x has no value)",
    );
    no(
        &|t| t.sg_rules[0].peer = Peer::ForeignGroup("sg-1".into()),
        "`sg-1`",
    );
    no(
        &|t| t.interfaces[0].addresses[0].spec = AddressSpec::AnyV4(u()),
        "an address of",
    );
    no(
        &|t| t.vswitches[0].meta.origin.maybe = Some(Box::new(u())),
        "whether `alicloud_vswitch.v1` exists",
    );
    no(&|t| t.interfaces[0].foreign_groups.push("sg-2".into()), "`sg-2`");
}
