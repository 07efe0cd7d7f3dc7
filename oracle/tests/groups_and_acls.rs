//! ALIBABA.md §21, vectors S1-S19 and N1-N6, written with the builder.

mod common;

use bartizan_testkit::{GroupKind, Ipv6Access, rule};
use common::{Ask, Net};

use GroupKind::{BasicAccept, BasicDrop, Enterprise};

#[test]
fn s1_to_s3_intra_group() {
    for (kind, rules, want) in [
        (BasicAccept, &[][..], "allow"),
        (
            BasicAccept,
            &["in drop all -1/-1 from 10.0.0.0/16 prio 1"],
            "allow",
        ),
        (BasicDrop, &[], "deny"),
        (Enterprise, &[], "deny"),
    ] {
        let mut n = Net::new();
        let g = n.group("g", kind, rules);
        n.ab(&[g], &[g]);
        n.ask().check(&[("a -> b tcp/22", want)]);
    }
}

#[test]
fn a_sg_2_intra_group_overrides_egress_drops() {
    let mut n = Net::new();
    let g = n.group("g", BasicAccept, &["out drop all -1/-1 to 0.0.0.0/0 prio 1"]);
    n.ab(&[g], &[g]);
    n.ask().check(&[
        ("a -> b tcp/22", "allow"),
        ("a -> internet 8.8.8.8 tcp/22", "deny"),
    ]);
    n.ask().says("a -> b tcp/22", "intra-group connectivity");
}

#[test]
fn s4_custom_accept_reopens() {
    let mut n = Net::new();
    let g = n.group("g", BasicDrop, &["in accept tcp 22/22 from 10.0.1.0/24"]);
    n.ab(&[g], &[g]);
    n.ask().check(&[
        ("a -> b tcp/22", "allow"),
        ("a -> b tcp/23", "deny"),
        ("b -> a tcp/22", "deny"),
    ]);
}

#[test]
fn s5_one_shared_accept_group() {
    let mut n = Net::new();
    let (g1, g2) = (n.group("g1", BasicDrop, &[]), n.group("g2", BasicAccept, &[]));
    n.ab(&[g1, g2], &[g1, g2]);
    n.ask()
        .check(&[("a -> b tcp/22", "allow"), ("a -> b icmp", "allow")]);
}

#[test]
fn s6_s7_defaults_per_kind() {
    let mut n = Net::new();
    let (g1, g2) = (n.group("g1", BasicAccept, &[]), n.group("g2", BasicAccept, &[]));
    n.ab(&[g1], &[g2]);
    n.ask().check(&[("a -> b tcp/22", "deny")]);
    n.ask().says(
        "a -> b tcp/22",
        "Egress of `alicloud_instance.a`: accepted by the default",
    );
    let mut n = Net::new();
    let g = n.group("g", Enterprise, &[]);
    n.ab(&[g], &[g]);
    n.ask().says(
        "a -> b tcp/22",
        "Egress of `alicloud_instance.a`: dropped by the default",
    );
}

/// §5.1: the attribute has no effect on an enterprise group.
#[test]
fn enterprise_groups_have_no_intra_group_connectivity() {
    let mut n = Net::new();
    let g = n.group("g", Enterprise, &[]);
    n.ab(&[g], &[g]);
    let mut inv = n.b.build();
    inv.typed.security_groups[0].inner_accept = true.into();
    Ask::new(inv).check(&[("a -> b tcp/22", "deny")]);
}

#[test]
fn s8_enterprise_is_stateful() {
    let mut n = Net::new();
    let rules = [
        "out accept all -1/-1 to 10.0.2.0/24",
        "in accept tcp 443/443 from 10.0.1.0/24",
    ];
    let g = n.group("g", Enterprise, &rules);
    n.ab(&[g], &[g]);
    n.ask().check(&[
        ("a -> b tcp/443", "allow"),
        ("a -> b tcp/80", "deny"),
        ("b -> a tcp/443", "deny"),
    ]);
}

#[test]
fn s9_s10_merge_and_tie() {
    for (priority, want) in [(10, "deny"), (9, "allow"), (11, "deny")] {
        let mut n = Net::new();
        let g = n.group("g", BasicDrop, &[]);
        let n1 = n.group("n1", BasicDrop, &[]);
        n.b.rule(
            n1,
            rule(&format!("in accept tcp 80/80 from 0.0.0.0/0 prio {priority}")),
        );
        let n2 = n.group("n2", BasicDrop, &["in drop tcp 80/80 from 0.0.0.0/0 prio 10"]);
        n.ab(&[g], &[n1, n2]);
        n.ask().check(&[("a -> b tcp/80", want)]);
    }
}

#[test]
fn s11_s18_priority_in_any_order() {
    let rules = [
        "in accept tcp 1/65535 from 10.0.1.0/24 prio 1",
        "in drop tcp 1/65535 from 10.0.1.10/32 prio 2",
        "in drop tcp 80/80 from 0.0.0.0/0 prio 1",
    ];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut n = Net::new();
        let g = n.group("g", BasicDrop, &[]);
        let m = n.group("m", BasicDrop, &order.map(|i| rules[i]));
        n.ab(&[g], &[m]);
        n.ask()
            .check(&[("a -> b tcp/22", "allow"), ("a -> b tcp/80", "deny")]);
    }
}

#[test]
fn s12_references_are_private() {
    let mut n = Net::new();
    let ga = n.group("ga", BasicDrop, &[]);
    let gb = n.group("gb", BasicDrop, &["in accept tcp 3306/3306 from sg:ga"]);
    let (a, b) = n.ab(&[ga], &[gb]);
    let second = n.b.secondary_ip(a, "10.0.1.20");
    let block = n.b.prefix(a, "10.0.1.32/28");
    assert_eq!((second, block), (1, 2));
    n.b.eip(a, 0, "47.0.0.1").eip(b, 0, "47.0.0.2");
    // Every private address of a member counts (A-SG-1).
    n.ask().check(&[
        ("a -> b tcp/3306", "allow"),
        ("a#1 -> b tcp/3306", "allow"),
        ("a#2 -> b tcp/3306", "allow"),
        ("a -> b tcp/3307", "deny"),
    ]);
    // The private path cut, the public one is left, and the reference does not match there.
    n.acl(
        n.v1,
        &[
            "in accept all -1/-1 from 0.0.0.0/0",
            "out drop all -1/-1 to 10.0.2.0/24",
            "out accept all -1/-1 to 0.0.0.0/0",
        ],
    );
    n.ask().check(&[("a -> b tcp/3306", "deny")]);
    n.b.rule(gb, rule("in accept tcp 3306/3306 from 47.0.0.1/32 prio 2"));
    n.ask().check(&[("a -> b tcp/3306", "allow")]);
}

#[test]
fn a_sg_4_intra_group_is_private() {
    let mut n = Net::new();
    let g = n.group("g", BasicAccept, &[]);
    let (a, b) = n.ab(&[g], &[g]);
    n.b.eip(a, 0, "47.0.0.1").eip(b, 0, "47.0.0.2");
    n.ask().check(&[("a -> b tcp/22", "allow")]);
    n.acl(
        n.v1,
        &[
            "in accept all -1/-1 from 0.0.0.0/0",
            "out drop all -1/-1 to 10.0.0.0/8",
            "out accept all -1/-1 to 0.0.0.0/0",
        ],
    );
    n.ask().check(&[("a -> b tcp/22", "deny")]);
}

/// It is the path that makes an address private, not its number.
#[test]
fn a_client_with_the_number_of_a_member_is_no_member() {
    let mut n = Net::new();
    let v3 = n.b.vswitch("v3", n.vpc, "198.51.100.0/24");
    let ga = n.group("ga", BasicDrop, &[]);
    let gb = n.group("gb", BasicDrop, &["in accept all -1/-1 from sg:ga"]);
    let (_, b) = n.ab(&[ga], &[gb]);
    n.b.eni("m", v3, &[ga], "198.51.100.1");
    n.b.eip(b, 0, "47.0.0.2");
    n.ask().check(&[
        ("m -> b tcp/22", "allow"),
        ("internet 198.51.100.1 -> b tcp/22", "deny"),
    ]);
}

#[test]
fn s13_references_stay_in_the_vpc() {
    let mut n = Net::new();
    let far = n.b.vpc("far", "10.0.0.0/16");
    let vf = n.b.vswitch("vf", far, "10.0.1.0/24");
    let gf = n.b.sg("gf", far, GroupKind::BasicAccept);
    // The same addresses in another VPC: a member of the foreign group has A's address.
    n.b.eni("f", vf, &[gf], "10.0.1.10");
    let ga = n.group("ga", BasicDrop, &[]);
    let gb = n.group("gb", BasicDrop, &["in accept all -1/-1 from sg:gf"]);
    n.ab(&[ga], &[gb]);
    n.ask().check(&[
        ("a -> b tcp/22", "deny"),
        ("f -> b tcp/22", "deny"),
        ("b -> f tcp/22", "deny"),
    ]);
}

#[test]
fn s14_host_bits() {
    let mut n = Net::new();
    let g = n.group("g", BasicDrop, &[]);
    let m = n.group("m", BasicDrop, &["in accept tcp 22/22 from 10.0.1.77/12"]);
    n.ab(&[g], &[m]);
    n.ask().check(&[("a -> b tcp/22", "allow")]);
}

#[test]
fn s15_egress() {
    let mut n = Net::new();
    let rules = [
        "out drop all -1/-1 to 0.0.0.0/0 prio 100",
        "out accept tcp 443/443 to 10.0.2.0/24 prio 1",
    ];
    let (g, o) = (n.group("g", BasicDrop, &rules), n.open());
    let (a, _) = n.ab(&[g], &[o]);
    n.b.eip(a, 0, "47.0.0.1");
    n.ask().check(&[
        ("a -> b tcp/443", "allow"),
        ("a -> b tcp/80", "deny"),
        ("a -> internet 198.51.100.1 tcp/443", "deny"),
    ]);
}

#[test]
fn s16_s17_families_are_apart() {
    let mut n = Net::new();
    n.b.vswitch_ipv6(n.v1, "2001:db8:0:1::/64")
        .vswitch_ipv6(n.v2, "2001:db8:0:2::/64");
    let g = n.group("g", BasicDrop, &[]);
    let m = n.group(
        "m",
        BasicDrop,
        &[
            "in accept icmp -1/-1 from 0.0.0.0/0",
            "in accept all -1/-1 from 0.0.0.0/0",
        ],
    );
    let (a, b) = n.ab(&[g], &[m]);
    n.b.ipv6(a, "2001:db8:0:1::10", Ipv6Access::Private);
    n.b.ipv6(b, "2001:db8:0:2::10", Ipv6Access::Private);
    n.ask().check(&[
        ("a -> b icmp", "allow"),
        ("a#1 -> b#1 icmpv6", "deny"),
        ("a#1 -> b#1 tcp/22", "deny"),
    ]);
    n.b.rule(m, rule("in accept icmpv6 -1/-1 from 2001:db8:0:1::/64"));
    n.ask()
        .check(&[("a#1 -> b#1 icmpv6", "allow"), ("a#1 -> b#1 tcp/22", "deny")]);
}

#[test]
fn s19_groups_are_per_eni() {
    let mut n = Net::new();
    let g = n.group("g", BasicDrop, &[]);
    let web = n.group("web", BasicDrop, &["in accept tcp 80/80 from 0.0.0.0/0"]);
    let ssh = n.group("ssh", BasicDrop, &["in accept tcp 22/22 from 0.0.0.0/0"]);
    let (_, b) = n.ab(&[g], &[web]);
    n.b.secondary_eni("b2", b, n.v2, &[ssh], "10.0.2.20");
    n.ask().check(&[
        ("a -> b tcp/80", "allow"),
        ("a -> b tcp/22", "deny"),
        ("a -> b2 tcp/22", "allow"),
        ("a -> b2 tcp/80", "deny"),
    ]);
}

const NONE: [&str; 2] = [
    "in drop all -1/-1 from 0.0.0.0/0",
    "out drop all -1/-1 to 0.0.0.0/0",
];

#[test]
fn n1_n2_same_vswitch() {
    let mut n = Net::new();
    let o = n.open();
    n.ab(&[o], &[o]);
    n.b.eni("a2", n.v1, &[o], "10.0.1.11");
    n.acl(n.v1, &NONE);
    n.ask().check(&[
        ("a -> a2 tcp/22", "allow"),
        ("b -> a tcp/22", "deny"),
        ("a -> b tcp/22", "deny"),
    ]);
}

#[test]
fn n3_n4_stateless() {
    for (reply, want) in [
        ("out accept tcp 443/443 to 10.0.1.0/24", "reply dropped"),
        ("out accept tcp 1024/65535 to 10.0.1.0/24", "allow"),
    ] {
        let mut n = Net::new();
        let o = n.open();
        n.ab(&[o], &[o]);
        n.acl(
            n.v2,
            &["in accept tcp 443/443 from 10.0.1.0/24", reply, NONE[0], NONE[1]],
        );
        n.ask()
            .check(&[("a -> b tcp/443", want), ("a -> b tcp/80", "deny")]);
    }
}

#[test]
fn n5_first_match() {
    let (drop, all) = (
        "in drop tcp 22/22 from 0.0.0.0/0",
        "in accept all -1/-1 from 0.0.0.0/0",
    );
    for (order, want) in [([drop, all], "deny"), ([all, drop], "allow")] {
        let mut n = Net::new();
        let o = n.open();
        n.ab(&[o], &[o]);
        n.acl(n.v1, &[order[0], order[1], "out accept all -1/-1 to 0.0.0.0/0"]);
        n.ask()
            .check(&[("b -> a tcp/22", want), ("b -> a tcp/23", "allow")]);
    }
}

#[test]
fn n6_the_end_is_a_deny() {
    let mut n = Net::new();
    let o = n.open();
    n.ab(&[o], &[o]);
    n.acl(
        n.v2,
        &[
            "in accept tcp 443/443 from 0.0.0.0/0",
            "out accept all -1/-1 to 0.0.0.0/0",
        ],
    );
    n.ask().check(&[
        ("a -> b tcp/443", "allow"),
        ("a -> b tcp/80", "deny"),
        ("b -> a tcp/80", "reply dropped"),
    ]);
}
