//! Ways through VPC NAT gateways and gateway load balancers (ALIBABA.md §8, §9.6; decisions 20 and 21): what clauses
//! say of the networks of the vectors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict;
use bartizan_check::CheckReport;
use bartizan_model::{Assumption, Readings};

use Verdict::{Holds, Undecided, Violated};
use common::vector;

const ZONES: &str = "edition 2027\nzone a = ecs \"a\"\nzone b = ecs \"b\"\nzone internet = outside\n";

#[track_caller]
fn expect(net: &str, clauses: &str, readings: Readings, want: &[Verdict]) -> CheckReport {
    common::expect(net, &format!("{ZONES}{clauses}"), readings, want)
}

// §8.1: what a VPC NAT gateway passes on is a flow of its clients.
#[test]
fn a_way_through_a_vpc_nat_gateway_is_a_flow() {
    let net = vector("R14");
    let r = expect(
        &net,
        "never a -> b : tcp/443\nmust a -> b : tcp/443\nnever b -> a : any\na -> b through nat \"one\"\na -> b not through nat \"one\"\n",
        Readings::default(),
        &[Violated, Holds, Holds, Holds, Violated],
    );
    // The witness shows the translation.
    let path = format!("{:?}", r.findings[0].witness);
    assert!(
        path.contains("alicloud_nat_gateway.one") && path.contains("10.1.9.20"),
        "{path}"
    );
}

// §8.5: the trap of the reply.
#[test]
fn a_reply_that_goes_past_the_gateway_is_lost() {
    let clause = "must a -> b : tcp/443\nnever a -> b : tcp/443\n";
    expect(&vector("R15"), clause, Readings::default(), &[Holds, Violated]);
    expect(
        &vector("R15b"),
        clause,
        Readings::default(),
        &[Violated, Violated],
    );
}

// A-NAT-2.
#[test]
fn whether_a_custom_block_is_routed_has_to_be_said() {
    let (net, clause) = (vector("R14b"), "must a -> b : tcp/443\n");
    let said = |second| Readings::default().with(Assumption::Nat2, second);
    let r = expect(&net, clause, Readings::default(), &[Undecided]);
    assert!(format!("{:?}", r.clauses).contains("A-NAT-2"));
    expect(&net, clause, said(false), &[Violated]);
    expect(&net, clause, said(true), &[Holds]);
}

// §8.1: what is not followed is undecided.
#[test]
fn packets_for_the_internet_that_it_passes_on_leave_claims_undecided() {
    let net = vector("R14").replace("\"10.2.0.0/16\"", "\"0.0.0.0/0\"");
    expect(
        &net,
        "never a -> internet : any\n",
        Readings::default(),
        &[Undecided],
    );
}

// §9.6, A-GWLB-1.
#[test]
fn what_appliances_let_through_is_not_known_unless_it_is_said() {
    let net = vector("L11");
    let clauses =
        "must internet -> a : tcp/443\nnever internet -> a : tcp/443\ninternet -> a through inspect\n";
    let r = expect(&net, clauses, Readings::default(), &[Undecided, Undecided, Holds]);
    assert!(format!("{:?}", r.clauses).contains("A-GWLB-1"));
    let said = |second| Readings::default().with(Assumption::Gwlb1, second);
    expect(&net, clauses, said(false), &[Holds, Violated, Holds]);
    expect(
        &net,
        "never internet -> a : tcp/443\nnever internet -> a : tcp/80\n",
        said(true),
        &[Holds, Holds],
    );
}

// §9.6: of which nothing is known.
#[test]
fn an_endpoint_without_servers_is_certain_for_nobody() {
    let net = vector("L11").replace("auto_accept_connection = true", "auto_accept_connection = false");
    let said = Readings::default().with(Assumption::Gwlb1, false);
    expect(&net, "must internet -> a : tcp/443\n", said, &[Undecided]);
}
