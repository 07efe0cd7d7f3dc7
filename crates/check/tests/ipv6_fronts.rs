//! IPv6 addresses of load balancers (ALIBABA.md §7.5, §9; decision 24): what clauses say of the networks of the vectors.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict;
use bartizan_check::CheckReport;
use bartizan_model::{Assumption, Readings};
use common::vector;

use Verdict::{Holds, Undecided, Violated};

const ZONES: &str = r#"edition 2027
zone b = ecs "b"
zone front = lb "lb"
zone internet = outside
zone six = cidr 2001:db8:aaaa::/48
zone others = cidr 2001:db8:bbbb::/48
"#;

#[track_caller]
fn expect(net: &str, clauses: &str, readings: Readings, want: &[Verdict]) -> CheckReport {
    common::expect(net, &format!("{ZONES}{clauses}"), readings, want)
}

// §9.2, §9.5: a server that has no IPv6 address is open to IPv6 clients by its ALB, and the finding shows both halves.
#[test]
fn an_ipv4_server_is_reached_by_ipv6() {
    let net = vector("L12");
    let r = expect(
        &net,
        "never six -> b : any\nnever others -> b : any\nsix -> b through front\n",
        Readings::default(),
        &[Violated, Holds, Holds],
    );
    let path = r.findings.iter().find_map(|f| f.witness.as_ref());
    let path = format!("{:?}", path.unwrap());
    assert!(
        path.contains("2001:db8:aaaa:") && path.contains("10.0.2.10:8080"),
        "{path}"
    );
}

// A-LB-2: whether it needs the IPv6 gateway is not documented, so a `must` without one is not certain.
#[test]
fn whether_a_balancer_needs_the_ipv6_gateway_has_to_be_said() {
    let gateway = "resource \"alicloud_vpc_ipv6_gateway\" \"gw\" {\n  vpc_id = alicloud_vpc.main.id\n}";
    let (with, clause) = (vector("L12"), "must six -> b : tcp/8080\n");
    let without = with.replace(gateway, "");
    assert_ne!(with, without);
    expect(&with, clause, Readings::default(), &[Holds]);
    let r = expect(&without, clause, Readings::default(), &[Undecided]);
    assert!(format!("{:?}", r.clauses).contains("A-LB-2"));
    let said = |second| Readings::default().with(Assumption::Lb2, second);
    expect(&without, clause, said(false), &[Holds]);
    expect(&without, clause, said(true), &[Violated]);
    expect(&without, "never six -> b : any\n", said(true), &[Holds]);
}

// A-LB-3.
#[test]
fn whom_a_list_of_ipv4_prefixes_turns_away_has_to_be_said() {
    let (net, clauses) = (vector("L12b"), "never six -> b : any\nmust six -> b : tcp/8080\n");
    let said = |second| Readings::default().with(Assumption::Lb3, second);
    let r = expect(&net, clauses, Readings::default(), &[Undecided, Undecided]);
    assert!(format!("{:?}", r.clauses).contains("A-LB-3"));
    expect(&net, clauses, said(false), &[Holds, Violated]);
    expect(&net, clauses, said(true), &[Violated, Holds]);
}

// §7.5, item 2: private unless it says `Internet`; what is not known leaves both undecided.
#[test]
fn a_private_ipv6_address_is_not_open() {
    let net = vector("L12");
    let clauses = "never six -> b : any\nmust six -> b : tcp/8080\n";
    let with = |text: &str| net.replace("ipv6_address_type     = \"Internet\"", text);
    expect(&with(""), clauses, Readings::default(), &[Holds, Violated]);
    let private = with("ipv6_address_type = \"Intranet\"");
    expect(&private, clauses, Readings::default(), &[Holds, Violated]);
    let unknown = format!("variable \"x\" {{}}\n{}", with("ipv6_address_type = var.x"));
    expect(&unknown, clauses, Readings::default(), &[Undecided, Undecided]);
}

// Item 14: a client on the Internet counts by IPv4 where the server has an IPv4 address.
#[test]
fn an_ipv6_front_alone_does_not_meet_a_must_of_everybody() {
    let net = vector("L14");
    expect(
        &net,
        "must internet -> b : tcp/8080\nnever internet -> b : any\nnever others -> b : any\n",
        Readings::default().with(Assumption::Clb1, false),
        &[Violated, Violated, Holds],
    );
}

// Item 11: from what address a CLB of IPv6 sends is not documented, so nothing that filters servers is relied on.
#[test]
fn the_source_of_an_ipv6_clb_is_anybody() {
    let net = vector("L14");
    let clause = "must six -> b : tcp/8080\n";
    let filtered = |second| Readings::default().with(Assumption::Clb1, second);
    // No rule admits anybody.
    expect(&net, clause, filtered(true), &[Violated]);
    expect(&net, clause, filtered(false), &[Holds]);
    let rule = |cidr: &str| {
        format!(
            r#"{net}
resource "alicloud_security_group_rule" "x" {{
  security_group_id = alicloud_security_group.server.id
  type              = "ingress"
  policy            = "accept"
  ip_protocol       = "tcp"
  port_range        = "8080/8080"
  priority          = 1
  cidr_ip           = "{cidr}"
}}
"#
        )
    };
    expect(&rule("0.0.0.0/0"), clause, filtered(true), &[Holds]);
    expect(&rule("100.64.0.0/10"), clause, filtered(true), &[Undecided]);
}

// Item 13: at which of its addresses a server serves may have to be said.
#[test]
fn a_server_of_two_families_may_serve_at_either() {
    let net = vector("L13");
    let zones = "zone c = ecs \"c\"\n";
    let clauses = format!("{zones}must six -> c : tcp/8080\nnever others -> c : any\n");
    let said = Readings::default().with(Assumption::Clb1, false);
    expect(&net, &clauses, said.clone(), &[Holds, Holds]);
    let unsaid = net.replace("  server_ip       = \"2001:db8:0:2::11\"\n", "");
    assert_ne!(net, unsaid);
    expect(&unsaid, &clauses, said, &[Undecided, Undecided]);
}

// §0: a must is about every pair, also of two families between which nothing stands that could turn one into the other.
#[test]
fn a_must_between_two_families_needs_a_balancer() {
    let net = vector("L12");
    let bare = net.replace(
        "\"alicloud_alb_listener\"",
        "\"alicloud_alb_listener_that_is_not\"",
    );
    let r = common::run(
        &bare,
        &format!("{ZONES}must six -> b : tcp/8080\n"),
        Readings::default(),
    );
    assert_ne!(r.clauses[0].verdict, Holds, "{:#?}", r.findings);
    expect(
        &net,
        "must b -> six : tcp/8080\n",
        Readings::default(),
        &[Violated],
    );
}

// Item 14: what a zone names of IPv6 has to find its way by IPv6, whatever its IPv4 addresses can do.
#[test]
fn what_a_zone_names_of_ipv6_is_asked_by_itself() {
    let net = vector("L12");
    let four = "zone four = cidr 198.51.100.0/24\n";
    let mixed = |six: &str| format!("{four}zone mixed = cidr {six}::/48 or cidr 203.0.113.0/24\n");
    let must = "must mixed -> b : tcp/8080\nmust {four, six} -> b : tcp/8080\nmust {four, others} -> b : tcp/8080\nmust internet -> b : tcp/8080\n";
    let readings = Readings::default;
    // The front drops what is not of 2001:db8:aaaa::/48; for everybody IPv4 decides.
    let text = mixed("2001:db8:cccc") + must;
    let r = expect(&net, &text, readings(), &[Violated, Holds, Violated, Holds]);
    assert!(format!("{:?}", r.findings).contains("2001:db8:cccc:"));
    let text = mixed("2001:db8:aaaa:1") + must;
    let text = text.replace("::/48", "::/64");
    expect(&net, &text, readings(), &[Holds, Holds, Violated, Holds]);
    // A part of everybody is not named, and what is named of IPv4 names no IPv6.
    let rest = "zone rest = outside except cidr 198.51.100.0/24\nmust rest -> b : tcp/8080\n";
    expect(&net, rest, readings(), &[Holds]);
    // Where nothing that leads to it has an IPv6 address, IPv4 is the way.
    let bare = net
        .replace("\"DualStack\"", "\"IPv4\"")
        .replace("  ipv6_address_type     = \"Internet\"\n", "");
    let bare = bare.replace("    ipv6_address     = \"2001:db8:0:1::80\"\n", "");
    let text = mixed("2001:db8:cccc") + must;
    expect(&bare, &text, readings(), &[Holds; 4]);
}

// Item 14: the same of those whom a host has to reach (§7.3: `a` has no IPv6 Internet bandwidth, `b` has).
#[test]
fn what_a_zone_names_of_ipv6_has_to_be_reached() {
    let eip = |host: &str, n: u8| {
        format!(
            r#"
resource "alicloud_eip_address" "{host}" {{
  ip_address = "47.98.0.{n}"
}}
resource "alicloud_eip_association" "{host}" {{
  allocation_id = alicloud_eip_address.{host}.id
  instance_id   = alicloud_instance.{host}.id
}}
"#
        )
    };
    let net = vector("R10") + &eip("a", 9) + &eip("b", 10);
    let clauses = "zone a = ecs \"a\"\nzone mixed = cidr 2001:db8:cccc::/48 or cidr 203.0.113.0/24\n\
                   must a -> mixed : https\nmust b -> mixed : https\nmust a -> internet : https\n";
    expect(&net, clauses, Readings::default(), &[Violated, Holds, Holds]);
}
