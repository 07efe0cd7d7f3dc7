//! A matrix that is kept up to date is that of a rebuild, after every change of random sequences
//! (docs/decisions/019). `cargo xtask verify --incremental` runs the same for longer.

use bartizan_model::{
    Assumption, AttachmentId, Backend, BalancerId, BalancerKind, CidrMatch, Fact, FirewallPlace, Forward,
    InterfaceId, NextHop, Readings, RouteMap, RouteTableKind, SecurityGroupId, SnatSource, TrTableId, VpcId,
    VswitchId,
};
use bartizan_packet::{IpSet, PortSet, Proto, ServiceSet};
use bartizan_reach::{
    Change, CompileOptions, Inside, Live, Mode, Partition, Point, Reach, Standing, compile,
};
use bartizan_testkit::{Features, GroupKind, InventoryBuilder, Policy, rule, verify_incremental};
use std::net::IpAddr;

#[test]
fn every_change_equals_a_rebuild() {
    let r = verify_incremental(150, 20_261_126, Features::all(), 12);
    assert_eq!(r.differing, 0, "{r}");
    assert!(r.effective > 100, "the changes no longer do anything: {r}");
}

#[test]
fn what_stays_inside_a_vpc_is_not_built_again() {
    let r = verify_incremental(150, 7, Features::groups_only(), 12);
    assert_eq!(r.differing, 0, "{r}");
    let again: u64 = r.rebuilt.values().sum();
    assert!(again * 3 < r.changes, "{r}: {:?}", r.rebuilt);
    assert!(r.effective > 100, "{r}");
}

/// A group that lets everything in and out.
fn lets_all(b: &mut InventoryBuilder, g: SecurityGroupId) {
    b.rule(g, rule("in accept all -1/-1 from 0.0.0.0/0"));
    b.rule(g, rule("out accept all -1/-1 to 0.0.0.0/0"));
}

/// A VPC with one vSwitch, and a group in it that lets everything in and out.
fn open_vpc(b: &mut InventoryBuilder) -> (VpcId, VswitchId, SecurityGroupId) {
    let vpc = b.vpc("v", "10.0.0.0/16");
    let vsw = b.vswitch("s", vpc, "10.0.0.0/24");
    let g = b.sg("g", vpc, GroupKind::BasicAccept);
    lets_all(b, g);
    (vpc, vsw, g)
}

/// The n-th of some VPCs: with one vSwitch, and in it an interface that lets everything in and out.
fn open_host(b: &mut InventoryBuilder, n: u8) -> (VpcId, VswitchId, InterfaceId) {
    let vpc = b.vpc(&format!("v{n}"), &format!("10.{n}.0.0/16"));
    let vsw = b.vswitch(&format!("s{n}"), vpc, &format!("10.{n}.0.0/24"));
    let g = b.sg(&format!("g{n}"), vpc, GroupKind::BasicDrop);
    lets_all(b, g);
    (
        vpc,
        vsw,
        b.eni(&format!("i{n}"), vsw, &[g], &format!("10.{n}.0.5")),
    )
}

/// The first address of an interface.
fn at(iface: InterfaceId, ip: [u8; 4]) -> Point {
    Point::Inside(Inside {
        iface,
        addr: 0,
        ip: ip.into(),
    })
}

/// Everything of the inventory in one block.
struct One;

impl Partition for One {
    fn blocks(&self) -> usize {
        2
    }
    fn cuts(&self) -> &[IpSet] {
        &[]
    }
    fn block(&self, iface: Option<InterfaceId>, _: IpAddr) -> u32 {
        u32::from(iface.is_none())
    }
}

// §3, §4.1. Random sequences found this: what others send to an appliance arrives there by the route that leads through
// it, while what it sends itself would come back to it and is dropped.
#[test]
fn an_appliance_is_not_like_its_neighbours() {
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("v", "10.0.0.0/16");
    let vsw = b.vswitch("s", vpc, "10.0.0.0/24");
    let g = b.sg("g", vpc, GroupKind::BasicDrop);
    b.rule(g, rule("in accept tcp 80/80 from 0.0.0.0/0"));
    // The appliance comes first, so that it would stand for both.
    let appliance = b.eni("appliance", vsw, &[g], "10.0.0.5");
    b.eni("neighbour", vsw, &[g], "10.0.0.9");
    let table = b.system_table(vpc);
    b.route(table, "10.0.0.0/27", NextHop::Interface(appliance));
    b.source_dest_check(appliance, false);
    let inv = b.build();
    for mode in [Mode::Widen, Mode::Narrow] {
        let mut r = Reach::new(compile(&inv, mode, &CompileOptions::default()), &One);
        r.all_pairs();
        let tcp80 = r.network().atoms.atom_of(Proto::TCP, 80);
        assert!(r.delivered(0, 0).contains(tcp80), "{mode:?}");
        let mut live = Live::new(inv.clone(), mode, CompileOptions::default(), Box::new(One));
        assert_eq!(live.reach().delivered(0, 0), r.delivered(0, 0));
        // Taking the rule away closes it, and the pair is named.
        let affected = live.apply(&Change::RemoveRule(0));
        assert_eq!(affected.pairs, [(0, 0)]);
        assert!(live.reach().delivered(0, 0).is_empty());
    }
}

/// Interfaces one by one; what is outside is one more block.
struct Each(u32);

impl Partition for Each {
    fn blocks(&self) -> usize {
        self.0 as usize + 1
    }
    fn cuts(&self) -> &[IpSet] {
        &[]
    }
    fn block(&self, iface: Option<InterfaceId>, _: IpAddr) -> u32 {
        iface.map_or(self.0, |i| i.0)
    }
}

/// A `Live` after some changes delivers what is delivered when the inventory is built from nothing.
fn equals_a_rebuild(live: &Live, part: &Each, mode: Mode) {
    let net = compile(live.inventory(), mode, &CompileOptions::default());
    let mut again = Reach::new(net, part);
    again.all_pairs();
    let blocks = part.0 + 1;
    let services = |r: &Reach, a, b| r.network().atoms.services(&r.delivered(a, b));
    for (a, b) in (0..blocks).flat_map(|a| (0..blocks).map(move |b| (a, b))) {
        assert_eq!(
            services(live.reach(), a, b),
            services(&again, a, b),
            "{mode:?}, {a} to {b}"
        );
    }
}

// §4.3, §5. A delegated block is one cell as long as nothing that anybody filters by cuts it. The rules of a group that
// nobody is in cut nothing; when somebody joins it they do.
#[test]
fn a_group_that_nobody_was_in_cuts_a_delegated_block() {
    for cut in ["10.0.0.40/29", "10.0.0.32/29"] {
        let mut b = InventoryBuilder::new();
        let vpc = b.vpc("v", "10.0.0.0/16");
        let vsw = b.vswitch("s", vpc, "10.0.0.0/24");
        let g = b.sg("g", vpc, GroupKind::BasicDrop);
        let unused = b.sg("unused", vpc, GroupKind::BasicDrop);
        b.rule(g, rule("out accept all -1/-1 to 0.0.0.0/0"));
        b.rule(unused, rule(&format!("in accept tcp 80/80 from {cut}")));
        b.rule(unused, rule("in accept tcp 81/81 from 10.0.0.32/28"));
        let holder = b.eni("holder", vsw, &[g], "10.0.0.5");
        b.prefix(holder, "10.0.0.32/28");
        let joins = b.eni("joins", vsw, &[g], "10.0.0.9");
        let inv = b.build();
        for mode in [Mode::Widen, Mode::Narrow] {
            let part = Each(2);
            let options = CompileOptions::default();
            let mut live = Live::new(inv.clone(), mode, options, Box::new(Each(2)));
            let affected = live.apply(&Change::SetGroups(joins, vec![unused]));
            assert_eq!(affected.pairs, [(holder.0, joins.0)], "{mode:?}");
            equals_a_rebuild(&live, &part, mode);
            live.apply(&Change::SetGroups(joins, vec![g, unused]));
            equals_a_rebuild(&live, &part, mode);
        }
    }
}

// §9, §10. A regression: what travels between VPCs and what balancers hand on is not built again for what goes on at one
// end, and is equal to a rebuild all the same.
#[test]
fn joined_vpcs_and_balancers_are_kept_up_to_date() {
    let mut b = InventoryBuilder::new();
    let mut members = Vec::new();
    let router = b.router("hub", false);
    let table = b.tr_table("all", router);
    for n in 0..2 {
        let vpc = b.vpc(&format!("v{n}"), &format!("10.{n}.0.0/16"));
        let vsw = b.vswitch(&format!("s{n}"), vpc, &format!("10.{n}.0.0/24"));
        let g = b.sg(&format!("g{n}"), vpc, GroupKind::BasicDrop);
        let other = b.sg(&format!("other{n}"), vpc, GroupKind::BasicDrop);
        b.rule(g, rule("in accept tcp 80/80 from 10.0.0.0/8"));
        b.rule(
            other,
            rule(&format!("in accept tcp 80/80 from 10.{}.0.8/29", 1 - n)),
        );
        let a = b.eni(&format!("a{n}"), vsw, &[g], &format!("10.{n}.0.5"));
        let c = b.eni(&format!("c{n}"), vsw, &[g], &format!("10.{n}.0.9"));
        let attachment = b.attach_vpc(&format!("t{n}"), router, vpc, &[vsw], true);
        b.associate(attachment, table);
        b.propagate(attachment, table);
        members.push((vsw, g, other, a, c));
    }
    let [(vsw, _, other, backend, client), (_, _, _, far, _)] = members[..] else {
        panic!("two VPCs")
    };
    let front = b.balancer("lb", BalancerKind::Clb, &[(vsw, "10.0.0.200")], &[]);
    let l = b.listener(front, ServiceSet::tcp(PortSet::single(80)));
    b.backend(front, l, Backend::Interface(backend), None, false);
    let inv = b.build();
    let part = Each(5);
    let mut live = Live::new(inv, Mode::Widen, CompileOptions::default(), Box::new(Each(5)));
    assert_eq!(live.keeps(), (true, true));
    equals_a_rebuild(&live, &part, Mode::Widen);
    let free = |n: u8| IpAddr::from([10, 1, 0, n]);
    let forward = Forward {
        origin: live.inventory().typed[front].meta.origin.clone(),
        to: Backend::Interface(client),
        services: Fact::Known(None),
        preserves: Fact::Known(false),
    };
    for change in [
        Change::AddBackend(front, 0, Box::new(forward)),
        Change::RemoveBackend(front, 0, 0),
        Change::SetGroups(backend, vec![other]),
        Change::SetGroups(client, vec![other]),
        Change::SetAddress(far, 0, free(7)),
        Change::SetAddress(far, 0, free(8)),
        // Nobody has had one so high.
        Change::SetAddress(far, 0, free(77)),
        Change::RemoveRule(1),
        Change::RemoveRule(0),
    ] {
        let affected = live.apply(&change);
        assert_eq!(affected.rebuilt, None, "{change:?}");
        equals_a_rebuild(&live, &part, Mode::Widen);
    }
}

/// Three VPCs that are attached to one router; what balancers hand on, what leaves by the first VPC and a route through an
/// appliance are in the way of changes.
struct Attached {
    inv: bartizan_model::Inventory,
    tables: [TrTableId; 2],
    /// Of every VPC: itself, its vSwitch, its attachment and its two interfaces.
    all: Vec<(VpcId, VswitchId, AttachmentId, InterfaceId, InterfaceId)>,
}

fn three_attached() -> Attached {
    let mut b = InventoryBuilder::new();
    let router = b.router("hub", false);
    let tables = ["one", "two"].map(|n| b.tr_table(n, router));
    let mut all = Vec::new();
    for n in 0..3 {
        let vpc = b.vpc(&format!("v{n}"), &format!("10.{n}.0.0/16"));
        let vsw = b.vswitch(&format!("s{n}"), vpc, &format!("10.{n}.0.0/24"));
        let g = b.sg(&format!("g{n}"), vpc, GroupKind::BasicDrop);
        b.rule(g, rule("in accept tcp 80/80 from 10.0.0.0/8"));
        b.rule(g, rule("out accept tcp 80/80 to 10.0.0.0/8 prio 1"));
        b.rule(g, rule("out drop all -1/-1 to 0.0.0.0/0 prio 2"));
        let a = b.eni(&format!("a{n}"), vsw, &[g], &format!("10.{n}.0.5"));
        let c = b.eni(&format!("c{n}"), vsw, &[g], &format!("10.{n}.0.9"));
        let attachment = b.attach_vpc(&format!("t{n}"), router, vpc, &[vsw], true);
        b.associate(attachment, tables[0]);
        b.propagate(attachment, tables[0]);
        // The second table knows the first VPC alone.
        if n == 0 {
            b.propagate(attachment, tables[1]);
            let nat = b.nat("nat", vpc, vsw);
            b.snat_to(nat, SnatSource::Vswitch(vsw.into()), &["47.0.0.1"]);
            let own = b.system_table(vpc);
            b.route(own, "0.0.0.0/0", NextHop::Nat(nat));
        }
        all.push((vpc, vsw, attachment, a, c));
    }
    b.tr_route(tables[1], "0.0.0.0/0", Some(all[0].2));
    let front = b.balancer("lb", BalancerKind::Clb, &[(all[1].1, "10.1.0.200")], &[]);
    let l = b.listener(front, ServiceSet::tcp(PortSet::single(80)));
    b.backend(front, l, Backend::Interface(all[1].3), None, false);
    let own = b.system_table(all[2].0);
    b.source_dest_check(all[2].3, false);
    b.route(own, "10.2.0.9/32", NextHop::Interface(all[2].3));
    Attached {
        inv: b.build(),
        tables,
        all,
    }
}

// §10.2, §10.3. Another table, or none, forwards what comes from an attachment.
#[test]
fn an_attachment_goes_by_another_table() {
    for mode in [Mode::Widen, Mode::Narrow] {
        let Attached { inv, tables, all } = three_attached();
        let part = Each(7);
        let mut live = Live::new(inv, mode, CompileOptions::default(), Box::new(Each(7)));
        let (x, y) = (all[1].3, all[2].4);
        assert!(!live.reach().delivered(y.0, x.0).is_empty());
        let mut followed = 0;
        for (n, table) in [
            (2, Some(tables[1])),
            (1, None),
            (2, Some(tables[0])),
            (1, Some(tables[0])),
            (0, Some(tables[1])),
            (0, None),
            (0, Some(tables[0])),
            (1, Some(tables[1])),
        ] {
            let change = Change::Associate(all[n].2, table);
            let affected = live.apply(&change);
            followed += u32::from(affected.rebuilt.is_none());
            if mode == Mode::Widen {
                assert_eq!(affected.rebuilt, None, "{change:?}");
            }
            equals_a_rebuild(&live, &part, mode);
            live.apply(&Change::SetAddress(y, 0, IpAddr::from([10, 2, 0, 20 + n as u8])));
            equals_a_rebuild(&live, &part, mode);
        }
        assert!(followed > 0, "{mode:?}");
    }
}

// §10.2, §10.3. A table learns from an attachment or not, a VPC is detached and comes back: the tables of all VPCs that go
// by the table change, and who can reach whom.
#[test]
fn a_vpc_is_detached_and_comes_back() {
    let Attached { inv, tables, all } = three_attached();
    let part = Each(7);
    let mode = Mode::Widen;
    let options = CompileOptions::default();
    let mut live = Live::new(inv.clone(), mode, options.clone(), Box::new(Each(7)));
    let mut standing = Standing::new(inv, mode, options.clone(), Box::new(Each(7)));
    let (x, y, front) = (all[1].3, all[2].4, InterfaceId(6));
    let back = |n: usize| Change::Attach(all[n].2, Some((all[n].0, vec![all[n].1])));
    for (change, both, rebuilt) in [
        (Change::Propagate(all[1].2, tables[0], false), [true, false], None),
        (Change::Propagate(all[1].2, tables[0], false), [true, false], None),
        (Change::Propagate(all[1].2, tables[0], true), [true, true], None),
        (Change::Attach(all[2].2, None), [false, false], None),
        (Change::Attach(all[2].2, None), [false, false], None),
        (
            Change::Propagate(all[2].2, tables[0], false),
            [false, false],
            None,
        ),
        (back(2), [false, true], None),
        (Change::Propagate(all[2].2, tables[0], true), [true, true], None),
        (Change::Associate(all[2].2, Some(tables[1])), [true, true], None),
        // By the second table it goes to the first VPC and from there by the first table; so would everything public.
        (
            Change::Attach(all[0].2, None),
            [true, false],
            Some("the router leads to the Internet"),
        ),
        (Change::Propagate(all[1].2, tables[1], true), [true, true], None),
        (Change::Attach(AttachmentId(77), None), [true, true], None),
    ] {
        let affected = live.apply(&change);
        assert_eq!(affected.rebuilt, rebuilt, "{change:?}");
        equals_a_rebuild(&live, &part, mode);
        let now = [(x, y), (y, x)].map(|(a, b)| !live.reach().delivered(a.0, b.0).is_empty());
        assert_eq!(now, both, "{change:?}");
        assert_eq!(
            !live.reach().delivered(y.0, front.0).is_empty(),
            both[1],
            "{change:?}"
        );
        standing.apply(&change);
        let (p, q) = (at(x, [10, 1, 0, 5]), at(y, [10, 2, 0, 9]));
        let net = standing.reach().network();
        let now = [(p, q), (q, p)].map(|(a, b)| !net.flow(a, b).delivered.is_empty());
        assert_eq!(now, both, "{change:?}");
    }
}

// §10.3. What a table learns cuts a delegated block, of which a part is led elsewhere from then on.
#[test]
fn what_is_learned_may_cut_a_block() {
    let mut b = InventoryBuilder::new();
    let router = b.router("hub", false);
    let table = b.tr_table("all", router);
    let mut all = Vec::new();
    for n in 0..2 {
        let (vpc, vsw, i) = open_host(&mut b, n);
        let attachment = b.attach_vpc(&format!("t{n}"), router, vpc, &[vsw], true);
        b.associate(attachment, table);
        all.push((vpc, vsw, attachment, i));
    }
    b.prefix(all[1].3, "10.1.0.32/28");
    let own = b.system_table(all[1].0);
    b.route(own, "10.1.0.40/32", NextHop::Interface(all[1].3));
    b.publish_route(own, "10.1.0.40/32");
    let inv = b.build();
    let part = Each(2);
    let mut live = Live::new(inv, Mode::Widen, CompileOptions::default(), Box::new(Each(2)));
    equals_a_rebuild(&live, &part, Mode::Widen);
    for learns in [true, false] {
        let affected = live.apply(&Change::Propagate(all[1].2, table, learns));
        let why = "routes of the router cut an address that is not known";
        assert_eq!(affected.rebuilt, Some(why), "{learns}");
        equals_a_rebuild(&live, &part, Mode::Widen);
    }
}

// §3.3, §10. Random sequences found this: a route inside a vSwitch leads what is for the VPC itself to the router, which
// hands it over to another VPC, from where it comes back over a peering.
#[test]
fn a_vpc_may_send_to_itself_by_the_router() {
    let mut b = InventoryBuilder::new();
    let (there, here) = (b.vpc("there", "10.0.0.0/16"), b.vpc("here", "10.1.0.0/16"));
    let zone = b.vswitch("zone", there, "10.0.0.0/24");
    let (near, far) = (
        b.vswitch("near", here, "10.1.0.0/24"),
        b.vswitch("far", here, "10.1.1.0/24"),
    );
    let g = b.sg("g", here, GroupKind::BasicAccept);
    lets_all(&mut b, g);
    let other = b.sg("other", there, GroupKind::BasicAccept);
    b.eni("other", zone, &[other], "10.0.0.5");
    let (x, y) = (
        b.eni("x", near, &[g], "10.1.0.5"),
        b.eni("y", far, &[g], "10.1.1.5"),
    );
    let router = b.router("hub", false);
    let table = b.tr_table("table", router);
    let over = b.attach_vpc("over", router, there, &[zone], false);
    let out = b.attach_vpc("out", router, here, &[near], false);
    b.associate(out, table);
    b.tr_route(table, "10.1.0.0/16", Some(over));
    let back = b.peering("back", there, here);
    let own = b.system_table(there);
    b.route(own, "10.1.0.0/16", NextHop::Peering(back));
    let own = b.system_table(here);
    b.route(own, "10.1.1.0/28", NextHop::Attachment(out));
    let inv = b.build();
    let part = Each(3);
    let options = CompileOptions {
        readings: Readings::default().with(Assumption::Route1, false),
        ..CompileOptions::default()
    };
    for mode in [Mode::Widen, Mode::Narrow] {
        let mut live = Live::new(inv.clone(), mode, options.clone(), Box::new(Each(3)));
        assert!(!live.reach().delivered(x.0, y.0).is_empty(), "{mode:?}");
        for table in [None, Some(table)] {
            live.apply(&Change::Associate(out, table));
            let mut again = Reach::new(compile(live.inventory(), mode, &options), &part);
            again.all_pairs();
            let now = live.reach().delivered(x.0, y.0);
            assert_eq!(now, again.delivered(x.0, y.0), "{mode:?} {table:?}");
            assert_eq!(now.is_empty(), table.is_none(), "{mode:?} {table:?}");
        }
    }
}

// §10. Between the two vSwitches of a VPC through which others send lie the addresses of one of the others.
#[test]
fn others_may_lie_between_the_blocks_of_a_vpc_that_packets_come_through() {
    for appliance in [false, true] {
        let mut b = InventoryBuilder::new();
        let router = b.router("hub", false);
        let (before, behind) = (b.tr_table("before", router), b.tr_table("behind", router));
        let vpc = |b: &mut InventoryBuilder, name: &str, blocks: &[&str]| {
            let vpc = b.vpc(name, "10.0.0.0/8");
            let g = b.sg(name, vpc, GroupKind::BasicDrop);
            lets_all(b, g);
            let zones: Vec<VswitchId> = (0..)
                .zip(blocks)
                .map(|(n, c)| b.vswitch(&format!("{name}-{n}"), vpc, c))
                .collect();
            let attached = b.attach_vpc(name, router, vpc, &zones[..1], false);
            (vpc, g, zones, attached)
        };
        let through = vpc(&mut b, "through", &["10.0.0.0/24", "10.9.0.0/24"]);
        let there = vpc(&mut b, "there", &["10.3.0.0/24"]);
        let here = vpc(&mut b, "here", &["10.5.0.0/24"]);
        let x = b.eni("x", here.2[0], &[here.1], "10.5.0.5");
        let y = b.eni("y", there.2[0], &[there.1], "10.3.0.5");
        b.eni("near", through.2[0], &[through.1], "10.0.0.5");
        let stop = b.eni("stop", through.2[1], &[through.1], "10.9.0.5");
        b.source_dest_check(stop, false);
        let own = b.system_table(here.0);
        b.route(own, "10.3.0.0/24", NextHop::Attachment(here.3));
        let own = b.system_table(through.0);
        if appliance {
            b.route(own, "10.3.0.0/24", NextHop::Interface(stop));
            let out = b.table("out", through.0, RouteTableKind::Custom);
            b.attach(through.2[1], out);
            b.route(out, "10.3.0.0/24", NextHop::Attachment(through.3));
        } else {
            b.route(own, "10.3.0.0/24", NextHop::Attachment(through.3));
        }
        b.associate(here.3, before);
        b.tr_route(before, "10.3.0.0/24", Some(through.3));
        b.tr_route(behind, "10.3.0.0/24", Some(there.3));
        let inv = b.build();
        let part = Each(4);
        for mode in [Mode::Widen, Mode::Narrow] {
            let mut live = Live::new(inv.clone(), mode, CompileOptions::default(), Box::new(Each(4)));
            equals_a_rebuild(&live, &part, mode);
            let mut came = false;
            for table in [Some(behind), None, Some(behind)] {
                let affected = live.apply(&Change::Associate(through.3, table));
                assert_eq!(affected.rebuilt, None, "{appliance} {mode:?}");
                equals_a_rebuild(&live, &part, mode);
                let now = !live.reach().delivered(x.0, y.0).is_empty();
                came |= now;
                assert!(!now || table.is_some(), "{appliance} {mode:?}");
                assert_eq!(affected.pairs.contains(&(x.0, y.0)), came, "{appliance} {mode:?}");
            }
            assert!(came || appliance && mode == Mode::Narrow, "{appliance} {mode:?}");
        }
    }
}

// §10.2. Random sequences found this: what joined two routers is attached to a VPC instead, and a table of the other router
// is associated with it still. That joins nobody, as soon as nothing else does.
#[test]
fn a_table_of_another_router_joins_nobody() {
    let mut b = InventoryBuilder::new();
    let routers = ["near", "far"].map(|n| b.router(n, false));
    let tables = [0, 1].map(|n| b.tr_table(&format!("t{n}"), routers[n]));
    let [here, there] = [0, 1].map(|n| open_host(&mut b, n));
    let peer = b.attach_router("peer", routers[0], routers[1], true);
    b.associate(peer, tables[0]);
    b.associate(peer, tables[1]);
    let out = b.attach_vpc("out", routers[1], here.0, &[here.1], true);
    let to = b.attach_vpc("to", routers[1], there.0, &[there.1], true);
    b.propagate(to, tables[1]);
    b.associate(out, tables[1]);
    let inv = b.build();
    let part = Each(2);
    for mode in [Mode::Widen, Mode::Narrow] {
        let mut live = Live::new(inv.clone(), mode, CompileOptions::default(), Box::new(Each(2)));
        let mut standing = Standing::new(inv.clone(), mode, CompileOptions::default(), Box::new(Each(2)));
        for (change, comes) in [
            (Change::Attach(peer, Some((here.0, vec![here.1]))), true),
            (Change::Attach(out, None), false),
        ] {
            live.apply(&change);
            standing.apply(&change);
            equals_a_rebuild(&live, &part, mode);
            let (s, d) = (at(here.2, [10, 0, 0, 5]), at(there.2, [10, 1, 0, 5]));
            let flow = standing.reach().network().flow(s, d);
            // For certain nothing arrives by one of two attachments.
            let comes = comes && mode == Mode::Widen;
            assert_eq!(!flow.delivered.is_empty(), comes, "{mode:?} {change:?}");
        }
    }
}

// §10.7. A route map goes by the VPC that a route comes from, which is another one where another VPC with the same block
// is attached.
#[test]
fn another_vpc_with_the_same_block_is_attached() {
    let mut b = InventoryBuilder::new();
    let router = b.router("hub", false);
    let table = b.tr_table("all", router);
    let mut all = Vec::new();
    for (n, block) in [(0u8, "10.1.0.0/24"), (1, "10.1.0.0/24"), (2, "10.2.0.0/24")] {
        let vpc = b.vpc(&format!("v{n}"), "10.0.0.0/8");
        let vsw = b.vswitch(&format!("s{n}"), vpc, block);
        let g = b.sg(&format!("g{n}"), vpc, GroupKind::BasicDrop);
        lets_all(&mut b, g);
        let ip = block.replace("0/24", &format!("{}", 10 + n));
        let i = b.eni(&format!("i{n}"), vsw, &[g], &ip);
        all.push((vpc, vsw, i));
    }
    let [one, two, other] = [all[0], all[1], all[2]];
    // All three are joined from the beginning, so that nobody is a neighbour who was none.
    let a = b.attach_vpc("a", router, one.0, &[one.1], true);
    let c = b.attach_vpc("c", router, other.0, &[other.1], true);
    b.attach_vpc("d", router, two.0, &[two.1], false);
    for x in [a, c] {
        b.associate(x, table);
        b.propagate(x, table);
    }
    let mut inv = b.build();
    let origin = inv.typed.attachments[a.index()].meta.origin.clone();
    inv.typed.route_maps.push(RouteMap {
        origin,
        cen: Fact::Known("cen".into()),
        region: Fact::Known("cn-hangzhou".into()),
        table: Some(Fact::Known(table)),
        receives: false.into(),
        priority: Fact::Known(10),
        permit: false.into(),
        next_priority: None,
        prefixes: None,
        match_mode: Fact::Known(CidrMatch::Include),
        sources: Some((vec![one.0.into()], false)),
        destinations: None,
        unmodelled: Vec::new(),
    });
    let part = Each(3);
    let mode = Mode::Widen;
    let mut live = Live::new(inv.clone(), mode, CompileOptions::default(), Box::new(Each(3)));
    let mut standing = Standing::new(inv, mode, CompileOptions::default(), Box::new(Each(3)));
    equals_a_rebuild(&live, &part, mode);
    for (to, comes) in [(two, true), (one, false), (two, true)] {
        let change = Change::Attach(a, Some((to.0, vec![to.1])));
        live.apply(&change);
        standing.apply(&change);
        equals_a_rebuild(&live, &part, mode);
        let delivered = !live.reach().delivered(other.2.0, to.2.0).is_empty();
        assert_eq!(delivered, comes);
        let host = if to.0 == two.0 { 11 } else { 10 };
        let (s, d) = (at(other.2, [10, 2, 0, 12]), at(to.2, [10, 1, 0, host]));
        let flow = standing.reach().network().flow(s, d);
        assert_eq!(!flow.delivered.is_empty(), comes);
    }
}

// §13.1. Random sequences found this: a firewall knows the routes that it stands at by their positions, and the last
// route gets the position of one that is removed.
#[test]
fn a_firewall_stands_at_its_route_whatever_the_position() {
    let mut b = InventoryBuilder::new();
    let (vpc, vsw, g) = open_vpc(&mut b);
    let x = b.eni("x", vsw, &[g], "10.0.0.5");
    let appliance = b.eni("appliance", vsw, &[g], "10.0.0.6");
    let nat = b.nat("nat", vpc, vsw);
    let eip = b.nat_eip(nat, "47.0.0.3");
    b.snat(nat, SnatSource::Vswitch(vsw.into()), &[eip]);
    let table = b.system_table(vpc);
    b.route(table, "10.9.0.0/16", NextHop::Interface(appliance));
    b.route(table, "0.0.0.0/0", NextHop::Nat(nat));
    let every = "0.0.0.0/0".parse::<ipnet::IpNet>().unwrap();
    let place = FirewallPlace::Nat {
        nat: nat.into(),
        routes: vec![(table.into(), every.into())],
    };
    let before = b.firewall("nat", place, false);
    let all = ["0.0.0.0/0"].as_slice();
    let policy = Policy {
        inbound: false,
        order: 1,
        pass: false,
        deep: false,
        source: all,
        destination: all,
    };
    b.policy(before, policy, ServiceSet::any());
    let inv = b.build();
    let from = at(x, [10, 0, 0, 5]);
    let to = Point::Outside(IpAddr::from([203, 0, 113, 1]));
    for mode in [Mode::Widen, Mode::Narrow] {
        let options = CompileOptions::default();
        let mut standing = Standing::new(inv.clone(), mode, options.clone(), Box::new(Each(3)));
        let mut live = Live::new(inv.clone(), mode, options.clone(), Box::new(Each(3)));
        let flow = |r: &Reach| r.network().flow(from, to).delivered;
        assert!(flow(live.reach()).is_empty(), "{mode:?}");
        let change = Change::RemoveRoute(0);
        standing.apply(&change);
        live.apply(&change);
        assert!(flow(standing.reach()).is_empty(), "{mode:?}");
        assert!(flow(live.reach()).is_empty(), "{mode:?}");
    }
}

// §9.5: a network without a matrix follows the first backend of a listener, and where its balancer may send from then.
#[test]
fn a_first_backend_and_a_free_address_are_followed() {
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("v", "10.0.0.0/16");
    // Four addresses may be picked: the balancer's, two of hosts, and a free one.
    let (near, far) = (
        b.vswitch("near", vpc, "10.0.0.0/29"),
        b.vswitch("far", vpc, "10.0.1.0/24"),
    );
    let open = b.sg("open", vpc, GroupKind::BasicAccept);
    lets_all(&mut b, open);
    let picky = b.sg("picky", vpc, GroupKind::BasicAccept);
    b.rule(picky, rule("in drop all -1/-1 from 10.0.0.3/32"));
    b.rule(picky, rule("in accept all -1/-1 from 10.0.0.0/29"));
    let x = b.eni("x", near, &[picky], "10.0.0.2");
    let y = b.eni("y", near, &[open], "10.0.0.3");
    let client = b.eni("client", far, &[open], "10.0.1.5");
    let balancer = b.balancer("lb", BalancerKind::Alb, &[(near, "10.0.0.1")], &[]);
    let l = b.listener(balancer, ServiceSet::tcp(PortSet::single(80)));
    let mut with = b.clone();
    with.backend(balancer, l, Backend::Interface(x), None, false);
    let f = with.build().typed.balancers[0].listeners[0]
        .forwards
        .pop()
        .unwrap();
    let inv = b.build();
    let ends = (at(client, [10, 0, 1, 5]), at(x, [10, 0, 0, 2]));
    for mode in [Mode::Widen, Mode::Narrow] {
        let options = CompileOptions::default();
        let mut standing = Standing::new(inv.clone(), mode, options.clone(), Box::new(Each(3)));
        let mut inv = inv.clone();
        let mut seen = Vec::new();
        for change in [
            Change::AddBackend(BalancerId(0), 0, Box::new(f.clone())),
            Change::SetAddress(y, 0, IpAddr::from([10, 0, 0, 4])),
            Change::SetAddress(y, 0, IpAddr::from([10, 0, 0, 3])),
        ] {
            change.apply(&mut inv);
            assert_eq!(standing.apply(&change), None, "{change:?}");
            let net = compile(&inv, mode, &options);
            let is = standing.reach().network().flow(ends.0, ends.1);
            assert_eq!(is, net.flow(ends.0, ends.1), "{mode:?} {change:?}");
            seen.push(is.delivered.is_empty());
        }
        assert_eq!(seen, [false, true, false], "{mode:?}");
    }
}

// §3.6. Random sequences found this: what enters by an appliance goes on by the routes for private addresses, so such a
// route counts for what comes from the Internet.
#[test]
fn a_private_route_counts_for_what_enters_by_an_appliance() {
    let mut b = InventoryBuilder::new();
    let (vpc, vsw, g) = open_vpc(&mut b);
    let appliance = b.eni("appliance", vsw, &[g], "10.0.0.5");
    let open = b.eni("open", vsw, &[g], "10.0.0.9");
    b.source_dest_check(appliance, false);
    b.eip(open, 0, "47.0.0.9");
    let gateway = b.ipv4_gateway("gw", vpc, true);
    let entering = b.table("entering", vpc, RouteTableKind::Gateway);
    b.ingress_table(gateway, entering);
    b.route(entering, "10.0.0.0/24", NextHop::Interface(appliance));
    let table = b.system_table(vpc);
    b.route(table, "0.0.0.0/0", NextHop::Ipv4Gateway(gateway));
    // It leads the appliance back to itself.
    let mut with = b.clone();
    with.route(table, "10.0.0.8/30", NextHop::Interface(appliance));
    let route = with.build().typed.route_entries.pop().unwrap();
    let inv = b.build();
    let part = Each(2);
    let readings = Readings::default().with(Assumption::Route1, false);
    for mode in [Mode::Widen, Mode::Narrow] {
        let options = CompileOptions {
            readings: readings.clone(),
            ..CompileOptions::default()
        };
        let mut live = Live::new(inv.clone(), mode, options.clone(), Box::new(Each(2)));
        assert!(!live.reach().delivered(2, open.0).is_empty(), "{mode:?}");
        live.apply(&Change::AddRoute(route.clone()));
        let mut again = Reach::new(compile(live.inventory(), mode, &options), &part);
        again.all_pairs();
        assert_eq!(
            live.reach().delivered(2, open.0),
            again.delivered(2, open.0),
            "{mode:?}"
        );
        assert!(again.delivered(2, open.0).is_empty(), "{mode:?}");
    }
}

// §7.2, A-IGW-1. Random sequences found this: any route to the gateway may let everybody in, one for private addresses too.
#[test]
fn a_private_route_may_open_the_gateway() {
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("v", "10.0.0.0/16");
    let vsw = b.vswitch("s", vpc, "10.0.0.0/24");
    let g = b.sg("g", vpc, GroupKind::BasicAccept);
    b.rule(g, rule("in accept all -1/-1 from 0.0.0.0/0"));
    let open = b.eni("open", vsw, &[g], "10.0.0.9");
    b.eip(open, 0, "47.0.0.9");
    let gateway = b.ipv4_gateway("gw", vpc, true);
    let table = b.system_table(vpc);
    let mut with = b.clone();
    with.route(table, "10.9.0.0/24", NextHop::Ipv4Gateway(gateway));
    let route = with.build().typed.route_entries.pop().unwrap();
    let inv = b.build();
    let options = CompileOptions::default();
    let mut live = Live::new(inv, Mode::Widen, options, Box::new(Each(1)));
    assert!(live.reach().delivered(1, open.0).is_empty());
    live.apply(&Change::AddRoute(route));
    assert!(!live.reach().delivered(1, open.0).is_empty());
    live.apply(&Change::RemoveRoute(0));
    assert!(live.reach().delivered(1, open.0).is_empty());
}

// §7.1, §5. Behind a public address of its own nothing looks at the private one.
#[test]
fn the_private_address_behind_an_eip_is_followed() {
    let mut b = InventoryBuilder::new();
    let vpc = b.vpc("v", "10.0.0.0/16");
    let vsw = b.vswitch("s", vpc, "10.0.0.0/24");
    let g = b.sg("g", vpc, GroupKind::BasicDrop);
    b.rule(g, rule("in accept tcp 80/80 from 0.0.0.0/0"));
    b.rule(g, rule("in accept tcp 81/81 from 10.0.0.8/29"));
    let open = b.eni("open", vsw, &[g], "10.0.0.5");
    b.eip(open, 0, "47.0.0.9");
    b.eni("other", vsw, &[g], "10.0.0.20");
    let inv = b.build();
    let part = Each(2);
    for mode in [Mode::Widen, Mode::Narrow] {
        let mut live = Live::new(inv.clone(), mode, CompileOptions::default(), Box::new(Each(2)));
        for n in [9, 30, 5] {
            let affected = live.apply(&Change::SetAddress(open, 0, IpAddr::from([10, 0, 0, n])));
            assert_eq!(affected.rebuilt, None, "{mode:?}");
            equals_a_rebuild(&live, &part, mode);
        }
    }
}
