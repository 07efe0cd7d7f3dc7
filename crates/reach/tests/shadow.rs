//! Rules that can never decide: reported exactly where deleting them cannot matter.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod common;

use bartizan_model::{AclId, AclList, Fact, FirewallPlace, Inventory, Unknown};
use bartizan_packet::{PortSet, Proto, ServiceSet};
use bartizan_reach::{
    CompileOptions, Mode, Network, RuleRef, Shadow, ShadowKind, compile, dead_references, shadowed,
};
use bartizan_testkit::{
    Features, GroupKind, InventoryBuilder, Policy, Query, Rng, Universe, random_inventory, random_readings,
    rule,
};
use common::point;

fn group(rules: &[&str]) -> Inventory {
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("main", "10.0.0.0/16");
    b.prefix_list("office", &["10.1.0.0/25", "10.1.0.128/25"]);
    let g = b.sg("web", vpc, GroupKind::BasicDrop);
    b.sg("app", vpc, GroupKind::BasicDrop);
    for r in rules {
        b.rule(g, rule(r));
    }
    b.build()
}

fn found(rules: &[&str]) -> Vec<(u32, Vec<u32>, ShadowKind, bool)> {
    let number = |r: &RuleRef| match r {
        RuleRef::Sg(i) => *i,
        r => panic!("{r:?} is no rule of a group"),
    };
    let one = |s: &Shadow| {
        (
            number(&s.rule),
            s.by.iter().map(number).collect(),
            s.kind,
            s.contradicted,
        )
    };
    shadowed(&group(rules)).iter().map(one).collect()
}

use ShadowKind::{Duplicate, Shadowed};

#[test]
fn a_stronger_rule_over_the_same_peers_and_services_shadows() {
    let one = found(&[
        "in drop tcp 1/65535 from 10.0.0.0/8 prio 1",
        "in accept tcp 443/443 from 10.1.0.0/16 prio 2",
    ]);
    assert_eq!(one, [(1, vec![0], Shadowed, true)]);
    let agreeing = found(&[
        "in accept tcp 443/443 from 10.1.0.0/16 prio 2",
        "in accept all -1/-1 from 0.0.0.0/0 prio 1",
    ]);
    assert_eq!(agreeing, [(0, vec![1], Shadowed, false)]);
}

#[test]
fn a_union_shadows_and_names_no_more_rules_than_it_needs() {
    let union = found(&[
        "in drop tcp 1/100 from 10.0.0.0/8 prio 1",
        "in accept udp 1/100 from 10.0.0.0/8 prio 1",
        "in accept tcp 90/200 from 10.0.0.0/9 prio 1",
        "in accept tcp 90/200 from 10.128.0.0/9 prio 1",
        "in accept tcp 50/150 from 10.0.0.0/8 prio 5",
    ]);
    assert_eq!(union, [(4, vec![0, 2, 3], Shadowed, true)]);
    let gap = found(&[
        "in drop tcp 1/100 from 10.0.0.0/8 prio 1",
        "in accept tcp 102/200 from 10.0.0.0/8 prio 1",
        "in accept tcp 50/150 from 10.0.0.0/8 prio 5",
    ]);
    assert_eq!(gap, [], "tcp/101 is left to the last rule");
}

#[test]
fn drop_precedes_accept_at_one_priority_only() {
    let accept = "in accept tcp 22/22 from 10.0.0.0/8 prio 3";
    let drop = "in drop tcp 22/22 from 10.0.0.0/8 prio 3";
    assert_eq!(found(&[accept, drop]), [(0, vec![1], Shadowed, true)]);
    assert_eq!(
        found(&[accept, "in drop tcp 22/22 from 10.0.0.0/8 prio 4"]),
        [(1, vec![0], Shadowed, true)]
    );
}

#[test]
fn the_second_of_two_equal_rules_is_a_duplicate() {
    let r = "in accept tcp 22/22 from 10.0.0.0/8 prio 3";
    assert_eq!(found(&[r, r]), [(1, vec![0], Duplicate, false)]);
}

#[test]
fn directions_groups_and_families_are_apart() {
    assert_eq!(
        found(&[
            "out drop tcp 22/22 to 10.0.0.0/8 prio 1",
            "in accept tcp 22/22 from 10.0.0.0/8 prio 2"
        ]),
        []
    );
    // Members may have addresses of either family.
    let member = "in accept tcp 22/22 from sg:app prio 2";
    assert_eq!(found(&["in drop tcp 22/22 from 0.0.0.0/0 prio 1", member]), []);
    let both = [
        "in drop tcp 22/22 from 0.0.0.0/0 prio 1",
        "in drop tcp 22/22 from ::/0 prio 1",
        member,
    ];
    assert_eq!(found(&both), [(2, vec![0, 1], Shadowed, true)]);
    assert_eq!(found(&["in drop tcp 22/22 from sg:web prio 1", member]), []);
    assert_eq!(
        found(&["in drop tcp 22/22 from sg:app prio 1", member]),
        [(1, vec![0], Shadowed, true)]
    );
    assert_eq!(
        found(&[
            "in drop tcp 22/22 from sg:app prio 1",
            "in accept tcp 22/22 from 10.0.0.5/32 prio 2"
        ]),
        []
    );
}

#[test]
fn prefix_lists_count_by_their_addresses() {
    let list = "in drop tcp 22/22 from pl:office prio 1";
    assert_eq!(
        found(&[list, "in accept tcp 22/22 from 10.1.0.0/24 prio 2"]),
        [(1, vec![0], Shadowed, true)]
    );
    assert_eq!(found(&[list, "in accept tcp 22/22 from 10.1.0.0/23 prio 2"]), []);
}

#[test]
fn what_is_not_known_neither_shadows_nor_is_shadowed() {
    let rules = [
        "in drop tcp 22/22 from 10.0.0.0/8 prio 1",
        "in accept tcp 22/22 from 10.0.0.0/8 prio 2",
    ];
    assert_eq!(shadowed(&group(&rules)).len(), 1);
    for i in 0..2 {
        let mut inv = group(&rules);
        inv.typed.sg_rules[i].priority = Fact::Unknown(Unknown::new("test"));
        assert_eq!(shadowed(&inv), []);
        let mut inv = group(&rules);
        inv.typed.sg_rules[i].origin.maybe = Some(Box::new(Unknown::new("test")));
        assert_eq!(shadowed(&inv), []);
    }
}

#[test]
fn entries_of_an_acl_are_shadowed_by_those_before_them() {
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("main", "10.0.0.0/16");
    let acl = b.acl(
        "a",
        vpc,
        &[
            rule("in accept tcp 80/80 from 10.0.0.0/8"),
            rule("in drop all -1/-1 from 0.0.0.0/0"),
            rule("in accept tcp 443/443 from 10.0.0.0/8"),
            rule("out accept tcp 443/443 to 10.0.0.0/8"),
        ],
    );
    let s = shadowed(&b.build());
    assert_eq!(s.len(), 1);
    assert_eq!(
        (s[0].rule, &s[0].by),
        (RuleRef::Acl(acl, true, 2), &vec![RuleRef::Acl(acl, true, 1)])
    );
}

#[test]
fn a_group_of_another_vpc_is_a_dead_reference() {
    let mut b = InventoryBuilder::new();
    let (one, two) = (b.vpc("one", "10.0.0.0/16"), b.vpc("two", "10.1.0.0/16"));
    let g = b.sg("here", one, GroupKind::BasicDrop);
    b.sg("near", one, GroupKind::BasicDrop);
    let far = b.sg("far", two, GroupKind::BasicDrop);
    b.rule(g, rule("in accept tcp 22/22 from sg:near"))
        .rule(g, rule("in accept tcp 22/22 from sg:far"));
    let dead = dead_references(&b.build());
    assert_eq!(
        dead.iter().map(|d| (d.rule, d.names)).collect::<Vec<_>>(),
        [(1, far)]
    );
}

fn without(inv: &Inventory, r: RuleRef) -> Inventory {
    let mut inv = inv.clone();
    match r {
        RuleRef::Firewall(f, i) => {
            inv.typed.firewalls[f.index()].rules.remove(i as usize);
        }
        RuleRef::Sg(i) => {
            inv.typed.sg_rules.remove(i as usize);
        }
        RuleRef::Acl(AclId(a), ingress, i) => {
            let acl = &mut inv.typed.acls[a as usize];
            if let AclList::Entries(es) = if ingress {
                &mut acl.ingress
            } else {
                &mut acl.egress
            } {
                es.remove(i as usize);
            }
        }
        r => panic!("{r:?} cannot be deleted"),
    }
    inv
}

fn answer(net: &Network, q: &Query) -> (bool, bool) {
    let f = net.flow_from_port(point(q.src), point(q.dst), q.sport);
    let atom = net.atoms.atom_of(q.proto, q.dport);
    (f.delivered.contains(atom), f.works.contains(atom))
}

// Of a policy of `ANY` with ports one part may be shadowed and the other may not.
#[test]
fn a_policy_that_is_two_rules_is_not_shadowed_by_one() {
    let found = |apart: bool| {
        let mut b = InventoryBuilder::new();
        let f = b.firewall("edge", FirewallPlace::Internet, false);
        for order in [1, 2] {
            let p = Policy {
                inbound: true,
                order,
                pass: false,
                deep: false,
                source: &["0.0.0.0/0"],
                destination: &["0.0.0.0/0"],
            };
            b.policy(f, p, ServiceSet::tcp(PortSet::single(22)));
            if apart && order == 2 {
                b.policy(f, p, ServiceSet::protocol(Proto::ICMP));
            }
        }
        shadowed(&b.build()).len()
    };
    assert_eq!((found(false), found(true)), (1, 0));
}

// A rule is shadowed when deleting it changes nothing, whatever else is unknown.
#[test]
fn deleting_a_shadowed_rule_changes_nothing() {
    let (mut deleted, mut groups, mut acls, mut policies) = (0, 0, 0, 0);
    for k in 0..400 {
        let mut inv = random_inventory(&mut Rng::new(k * 77), Features::all());
        if k % 2 == 1 {
            let mut r = Rng::new(k);
            for x in &mut inv.typed.sg_rules {
                if r.chance(15) {
                    x.accept = Fact::Unknown(Unknown::new("test"));
                }
            }
        }
        let list = shadowed(&inv);
        if list.is_empty() {
            continue;
        }
        let queries = Universe::new(&inv).sample(&mut Rng::new(k), 300);
        // Under any decision; without one the two networks are bounds, and bounds may differ.
        let opt = CompileOptions {
            readings: random_readings(&mut Rng::new(k)),
            ..CompileOptions::default()
        };
        for mode in [Mode::Widen, Mode::Narrow] {
            let before = compile(&inv, mode, &opt);
            for s in &list {
                let after = compile(&without(&inv, s.rule), mode, &opt);
                for q in &queries {
                    assert_eq!(
                        answer(&before, q),
                        answer(&after, q),
                        "network {k}, {mode:?}: {s:?} matters to {q}"
                    );
                }
                deleted += 1;
                match s.rule {
                    RuleRef::Acl(..) => acls += 1,
                    RuleRef::Firewall(..) => policies += 1,
                    _ => groups += 1,
                }
            }
        }
    }
    assert!(
        groups > 100 && acls > 20 && policies > 20,
        "only {deleted} rules: {groups} of groups, {acls} of ACLs, {policies} of firewalls"
    );
}
