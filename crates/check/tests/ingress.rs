//! Appliances between an IPv4 gateway and a vSwitch (ALIBABA.md §3.6, §7.2; docs/decisions/018, item 27; A-IGW-2).
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use bartizan_base::Verdict::{Holds, Undecided, Violated};
use bartizan_model::{Assumption, Readings};
use common::{expect, vector};

const ZONES: &str = "zone a = ecs \"a\"\nzone inet = outside\n";

/// Appliances pass on unchanged; whether the gateway takes what they pass on is said or left open.
fn said(forwarded: Option<bool>) -> Readings {
    let r = Readings::default().with(Assumption::Appl1, false);
    match forwarded {
        Some(yes) => r.with(Assumption::Igw2, yes),
        None => r,
    }
}

#[test]
fn the_documented_deployment_is_contested() {
    let net = vector("R17");
    let clauses = format!(
        "{ZONES}never inet -> a : tcp/443\nmust inet -> a : tcp/443\nnever a -> inet : tcp/443\nmust a -> inet : tcp/443\n"
    );
    let r = expect(&net, &clauses, said(None), &[Undecided; 4]);
    let text = format!("{:?}", r.clauses);
    assert!(
        text.contains("A-IGW-2=own` it holds") && text.contains("A-IGW-2=forwarded` it is violated"),
        "{text}"
    );
    expect(&net, &clauses, Readings::default(), &[Undecided; 4]);
    expect(
        &net,
        &clauses,
        said(Some(false)),
        &[Holds, Violated, Holds, Violated],
    );
    expect(
        &net,
        &clauses,
        said(Some(true)),
        &[Violated, Holds, Violated, Holds],
    );
    let through = format!("{ZONES}inet -> a through fw\na -> inet through fw\n");
    expect(&net, &through, said(Some(true)), &[Holds, Holds]);
}

// §4.1: an interface with the source/destination check passes nothing on, and counts for nothing.
#[test]
fn an_interface_that_does_not_forward_is_no_way() {
    let net = vector("R17").replace("source_dest_check      = false", "source_dest_check      = true");
    let clauses = format!("{ZONES}never inet -> a : tcp/443\nnever a -> inet : tcp/443\n");
    for r in [said(None), said(Some(true))] {
        expect(&net, &clauses, r, &[Holds, Holds]);
    }
}

// Its own vSwitch has to lead to the gateway (§7.2).
#[test]
fn the_appliance_has_to_have_the_route() {
    let net = vector("R17");
    let net = net
        .split("resource \"alicloud_route_entry\" \"gateway\"")
        .next()
        .unwrap();
    let clauses = format!("{ZONES}never inet -> a : tcp/443\nnever a -> inet : tcp/443\n");
    for r in [said(None), said(Some(true))] {
        expect(net, &clauses, r, &[Holds, Holds]);
    }
}
