//! A matrix that is kept up to date is that of a rebuild, after every change of random sequences
//! (docs/decisions/019). `cargo xtask verify --incremental` runs the same for longer.

use bartizan_model::{InterfaceId, NextHop};
use bartizan_packet::{IpSet, Proto};
use bartizan_reach::{Change, CompileOptions, Live, Mode, Partition, Reach, compile};
use bartizan_testkit::{Features, GroupKind, InventoryBuilder, rule, verify_incremental};
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
