//! A host with a DNAT entry for every port (ALIBABA.md §8.3, docs/decisions/026, A-NAT-3).
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use bartizan_base::Verdict::{Holds, Undecided, Violated};
use bartizan_model::{Assumption, Readings};
use common::expect;

/// `h1` has the address 47.1.1.9 for every port; the NAT gateway has 47.1.1.8 too.
const NET: &str = r#"
resource "alicloud_vpc" "a" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "a1" {
  vpc_id     = alicloud_vpc.a.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_vswitch" "a2" {
  vpc_id     = alicloud_vpc.a.id
  cidr_block = "10.0.2.0/24"
}
resource "alicloud_security_group" "open" {
  vpc_id              = alicloud_vpc.a.id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "in" {
  type              = "ingress"
  ip_protocol       = "all"
  port_range        = "-1/-1"
  security_group_id = alicloud_security_group.open.id
  cidr_ip           = "ADMITTED"
}
resource "alicloud_instance" "h1" {
  instance_name   = "h1"
  vswitch_id      = alicloud_vswitch.a1.id
  security_groups = [alicloud_security_group.open.id]
  private_ip      = "10.0.1.10"
}
resource "alicloud_instance" "h2" {
  instance_name   = "h2"
  vswitch_id      = alicloud_vswitch.a2.id
  security_groups = [alicloud_security_group.open.id]
  private_ip      = "10.0.2.10"
}
resource "alicloud_nat_gateway" "g" {
  vpc_id     = alicloud_vpc.a.id
  vswitch_id = alicloud_vswitch.a2.id
  nat_type   = "Enhanced"
}
resource "alicloud_eip_address" "mapped" {
  ip_address = "47.1.1.9"
}
resource "alicloud_eip_association" "mapped" {
  allocation_id = alicloud_eip_address.mapped.id
  instance_id   = alicloud_nat_gateway.g.id
}
resource "alicloud_eip_address" "snat" {
  ip_address = "47.1.1.8"
}
resource "alicloud_eip_association" "snat" {
  allocation_id = alicloud_eip_address.snat.id
  instance_id   = alicloud_nat_gateway.g.id
}
resource "alicloud_vpc_route_entry" "out" {
  route_table_id         = alicloud_vpc.a.route_table_id
  destination_cidr_block = "0.0.0.0/0"
  nexthop_type           = "NatGateway"
  nexthop_id             = alicloud_nat_gateway.g.id
}
resource "alicloud_forward_entry" "f" {
  forward_table_id = alicloud_nat_gateway.g.forward_table_ids
  external_ip      = alicloud_eip_address.mapped.ip_address
  external_port    = "any"
  ip_protocol      = "PROTOCOL"
  internal_ip      = "10.0.1.10"
  internal_port    = "any"
}
"#;

const SNAT: &str = r#"
resource "alicloud_snat_entry" "s" {
  snat_table_id     = alicloud_nat_gateway.g.snat_table_ids
  source_vswitch_id = alicloud_vswitch.a1.id
  snat_ip           = alicloud_eip_address.snat.ip_address
}
"#;

/// A database with a public address whose list admits one address.
const DB: &str = r#"
resource "alicloud_db_instance" "db" {
  instance_name      = "db"
  engine             = "MySQL"
  vswitch_id         = alicloud_vswitch.a2.id
  private_ip_address = "10.0.2.200"
  security_ips       = ["LISTED"]
}
resource "alicloud_db_connection" "c" {
  instance_id       = alicloud_db_instance.db.id
  connection_prefix = "x"
  port              = "3306"
}
"#;

const ZONES: &str = "zone h1 = ecs \"h1\"\nzone h2 = ecs \"h2\"\nzone inet = outside\n";

fn net(more: &str) -> String {
    NET.replace("ADMITTED", "0.0.0.0/0").replace("PROTOCOL", "any") + more
}

fn said(both: bool) -> Readings {
    Readings::default().with(Assumption::Nat3, both)
}

#[test]
fn without_an_snat_entry_it_may_leave_or_not() {
    let clauses =
        format!("{ZONES}never h1 -> inet : tcp/443\nmust h1 -> inet : tcp/443\nmust inet -> h1 : tcp/443\n");
    let r = expect(
        &net(""),
        &clauses,
        Readings::default(),
        &[Undecided, Undecided, Holds],
    );
    let text = format!("{:?}", r.clauses);
    assert!(
        text.contains("A-NAT-3=in` it holds") && text.contains("A-NAT-3=both` it is violated"),
        "{text}"
    );
    expect(&net(""), &clauses, said(false), &[Holds, Violated, Holds]);
    expect(&net(""), &clauses, said(true), &[Violated, Holds, Holds]);
    // A host that nothing is mapped to stays where it is, in either reading.
    for r in [said(false), said(true), Readings::default()] {
        expect(
            &net(""),
            &format!("{ZONES}never h2 -> inet : tcp/443\n"),
            r,
            &[Holds],
        );
    }
}

#[test]
fn an_entry_for_ports_is_no_way_out() {
    let net = NET
        .replace("ADMITTED", "0.0.0.0/0")
        .replace("PROTOCOL", "tcp")
        .replace("\"any\"", "\"80\"");
    let clauses = format!("{ZONES}never h1 -> inet : tcp/443\n");
    let r = expect(&net, &clauses, Readings::default(), &[Holds]);
    assert!(!format!("{r:?}").contains("A-NAT-3"));
}

// §8.2: with an SNAT entry beside it the question is by which address the far side sees it.
#[test]
fn the_far_side_sees_one_address_or_the_other() {
    for (listed, never, must) in [
        ("47.1.1.9", [Holds, Violated], [Violated, Holds]),
        ("47.1.1.8", [Violated, Holds], [Holds, Violated]),
    ] {
        let net = net(SNAT) + &DB.replace("LISTED", listed);
        let clauses =
            format!("{ZONES}zone db = rds \"db\"\nnever h1 -> db : tcp/3306\nmust h1 -> db : tcp/3306\n");
        expect(&net, &clauses, Readings::default(), &[Undecided, Undecided]);
        for both in [false, true] {
            let at = usize::from(both);
            expect(&net, &clauses, said(both), &[never[at], must[at]]);
        }
    }
    // Both addresses get somewhere: nothing is open then.
    let clauses =
        format!("{ZONES}must h1 -> inet : tcp/443\nh1 -> inet through tf \"alicloud_nat_gateway.g\"\n");
    expect(&net(SNAT), &clauses, Readings::default(), &[Holds, Holds]);
}

// A-NAT-1: no SNAT entry is asked where the mapping is the way out, however long its source.
#[test]
fn the_longest_snat_entry_does_not_beat_it() {
    let longest = SNAT.replace(
        "source_vswitch_id = alicloud_vswitch.a1.id",
        "source_cidr       = \"10.0.1.10/32\"",
    );
    let net = net(&longest) + &DB.replace("LISTED", "47.1.1.8");
    let clauses = format!("{ZONES}zone db = rds \"db\"\nnever h1 -> db : tcp/3306\n");
    for any in [false, true] {
        expect(&net, &clauses, said(true).with(Assumption::Nat1, any), &[Holds]);
    }
}

// A hairpin: out by the mapping, in by the EIP of the other.
#[test]
fn groups_on_the_far_side_see_the_mapped_address() {
    let eip = r#"
resource "alicloud_eip_address" "x" {
  ip_address = "47.2.2.2"
}
resource "alicloud_eip_association" "x" {
  allocation_id = alicloud_eip_address.x.id
  instance_id   = alicloud_instance.h2.id
}
"#;
    let net = NET.replace("ADMITTED", "47.1.1.9/32").replace("PROTOCOL", "any") + eip;
    let clauses = format!("{ZONES}never h1 -> h2 : tcp/22\nmust h1 -> h2 : tcp/22\n");
    expect(&net, &clauses, Readings::default(), &[Undecided, Undecided]);
    expect(&net, &clauses, said(false), &[Holds, Violated]);
    expect(&net, &clauses, said(true), &[Violated, Holds]);
}

// §8.3: it does not work for an instance with a public address of its own. §8.2: its EIP has to be bound to the gateway.
#[test]
fn what_does_not_let_in_does_not_let_out() {
    let own = r#"
resource "alicloud_eip_address" "x" {
  ip_address = "47.2.2.2"
}
resource "alicloud_eip_association" "x" {
  allocation_id = alicloud_eip_address.x.id
  instance_id   = alicloud_instance.h1.id
}
"#;
    let clauses = format!("{ZONES}zone db = rds \"db\"\nnever h1 -> db : tcp/3306\n");
    let listed = DB.replace("LISTED", "47.1.1.9");
    expect(&(net(own) + &listed), &clauses, said(true), &[Holds]);
    let unbound = net("").replacen(
        "alicloud_nat_gateway.g.id\n}\nresource \"alicloud_eip_address\" \"snat\"",
        "alicloud_instance.h2.id\n}\nresource \"alicloud_eip_address\" \"snat\"",
        1,
    );
    assert_ne!(unbound, net(""));
    let out = format!("{ZONES}never h1 -> inet : tcp/443\n");
    expect(&unbound, &out, said(true), &[Holds]);
    expect(&unbound, &out, Readings::default(), &[Holds]);
}

// What is not known of the entry neither lets out for certain nor takes SNAT away.
#[test]
fn an_entry_that_is_not_known_is_an_alternative() {
    let clauses = format!("{ZONES}never h1 -> inet : tcp/443\nmust h1 -> inet : tcp/443\n");
    let unknown = NET
        .replace("ADMITTED", "0.0.0.0/0")
        .replace("\"PROTOCOL\"", "var.p")
        + "variable \"p\" {}\n";
    expect(&unknown, &clauses, said(true), &[Undecided, Undecided]);
    let db = format!("{ZONES}zone db = rds \"db\"\nnever h1 -> db : tcp/3306\nmust h1 -> db : tcp/3306\n");
    for listed in ["47.1.1.8", "47.1.1.9"] {
        let net = format!("{unknown}{SNAT}") + &DB.replace("LISTED", listed);
        expect(&net, &db, said(true), &[Undecided, Undecided]);
    }
}

// §4.3, §8.3. An entry that leads to one address of a delegated block leads to no other one of it.
#[test]
fn an_entry_leads_to_one_address_of_a_block() {
    let text = NET
        .replace("ADMITTED", "0.0.0.0/0")
        .replace("10.0.1.10\"\n  internal_port", "10.0.1.37\"\n  internal_port")
        .replace("\"any\"", "\"80\"")
        .replace("PROTOCOL", "tcp");
    let text = format!(
        "{text}{}",
        r#"
resource "alicloud_network_interface" "pods" {
  vswitch_id         = alicloud_vswitch.a1.id
  security_group_ids = [alicloud_security_group.open.id]
  primary_ip_address = "10.0.1.20"
  ipv4_prefixes      = ["10.0.1.32/28"]
}
resource "alicloud_network_interface_attachment" "pods" {
  network_interface_id = alicloud_network_interface.pods.id
  instance_id          = alicloud_instance.h1.id
}
"#
    );
    let zones =
        "zone at = cidr 10.0.1.37/32\nzone first = cidr 10.0.1.32/32\nzone beside = cidr 10.0.1.38/31\n";
    let claims = "must outside -> at : tcp/80\nnever outside -> first : any\nnever outside -> beside : any\n";
    let intent = format!("{zones}{claims}");
    expect(&text, &intent, Readings::default(), &[Holds, Holds, Holds]);
    // Of an IP mapping the same is true on the way out.
    let text = text.replace("\"80\"", "\"any\"").replace("\"tcp\"", "\"any\"");
    let claims = "must outside -> at : tcp/80\nmust at -> outside : tcp/80\nnever first -> outside : any\nnever beside -> outside : any\n";
    expect(
        &text,
        &format!("{zones}{claims}"),
        said(true),
        &[Holds, Holds, Holds, Holds],
    );
}
