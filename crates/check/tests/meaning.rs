//! What clauses mean (docs/language.md, "Meaning"): small networks and intents with the verdict that each clause
//! has to have. Verdicts are never better than what is known: every unknown has a case here.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict;
use bartizan_check::{CheckOptions, CheckReport, check};
use bartizan_model::{Assumption, Readings};

/// Two tiers in one VPC; `a` may reach `b` on tcp/80 by group reference, nothing else is open.
const NET: &str = r#"
resource "alicloud_vpc" "v" {
  vpc_name   = "prod"
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "a" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_vswitch" "b" {
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.2.0/24"
}
resource "alicloud_security_group" "a" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group" "b" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_instance" "a" {
  count           = 2
  vswitch_id      = alicloud_vswitch.a.id
  private_ip      = "10.0.1.1${count.index}"
  security_groups = [alicloud_security_group.a.id]
  tags            = { tier = "a" }
}
resource "alicloud_instance" "b" {
  vswitch_id      = alicloud_vswitch.b.id
  private_ip      = "10.0.2.10"
  security_groups = [alicloud_security_group.b.id]
  tags            = { tier = "b" }
}
resource "alicloud_security_group_rule" "b_from_a" {
  security_group_id        = alicloud_security_group.b.id
  type                     = "ingress"
  ip_protocol              = "tcp"
  port_range               = "80/80"
  source_security_group_id = alicloud_security_group.a.id
}
"#;

const ZONES: &str = "edition 2027\nzone a = tag tier=a\nzone b = tag tier=b\nzone internet = outside\n";

fn run_with(net: &str, intent: &str, opt: &CheckOptions) -> CheckReport {
    let (inv, intent) = common::read_both(net, intent);
    check(&inv, &intent, "2026-11-23".parse().unwrap(), opt)
}

fn run(net: &str, clauses: &str) -> CheckReport {
    run_with(net, &format!("{ZONES}{clauses}"), &CheckOptions::default())
}

/// Verdict of each clause, in order, and the codes of the findings.
fn verdicts(r: &CheckReport) -> (Vec<Verdict>, Vec<&'static str>) {
    let of_clauses = r.clauses.iter().map(|c| c.verdict).collect();
    let codes = r
        .findings
        .iter()
        .map(|f| f.code)
        .filter(|c| c.starts_with("REACH"))
        .collect();
    (of_clauses, codes)
}

fn expect(net: &str, clauses: &str, want: &[Verdict], codes: &[&str]) {
    let r = run(net, clauses);
    let (got, found) = verdicts(&r);
    let said: Vec<_> = r.findings.iter().map(|f| (&f.message, &f.notes)).collect();
    assert_eq!(got, want, "{clauses}\n{said:#?}");
    assert_eq!(found, codes, "{clauses}\n{said:#?}");
}

use Verdict::{Holds, Undecided, Violated};

#[test]
fn never_must_and_only() {
    expect(NET, "never internet -> b : any\n", &[Holds], &[]);
    expect(NET, "never a -> b : tcp/80\n", &[Violated], &["REACH001"]);
    expect(NET, "never a -> b : tcp/81\n", &[Holds], &[]);
    expect(NET, "must a -> b : tcp/80\n", &[Holds], &[]);
    expect(NET, "must a -> b : tcp/80-81\n", &[Violated], &["REACH004"]);
    expect(NET, "must b -> a : tcp/80\n", &[Violated], &["REACH004"]);
    expect(NET, "only a -> b : tcp/80\n", &[Holds], &[]);
    expect(NET, "only internet -> b : tcp/80\n", &[Violated], &["REACH002"]);
}

/// LANGUAGE: `must` asks every pair, `must some` and `can reach` want one. Of nobody the first is not proved and the others are wrong.
#[test]
fn nothing_works_for_nobody() {
    for nobody in ["host 10.9.9.9", "tag tier=ghost", "cidr 10.9.9.0/24"] {
        for (claim, want, code) in [
            ("must a ->", Undecided, "REACH007"),
            ("must some a ->", Violated, "REACH004"),
            ("never a ->", Holds, ""),
        ] {
            let r = run(NET, &format!("zone nobody = {nobody}\n{claim} nobody : tcp/80\n"));
            assert_eq!(verdicts(&r).0, [want], "{claim} {nobody}");
            let codes: Vec<&str> = r
                .findings
                .iter()
                .map(|f| f.code)
                .filter(|c| c.starts_with("REACH"))
                .collect();
            assert_eq!(codes.concat(), code, "{claim} {nobody}");
        }
        let r = run(
            NET,
            &format!("zone nobody = {nobody}\ntest \"t\" {{\na can reach nobody on tcp/80\n}}\n"),
        );
        assert_eq!(r.tests[0].verdict, Violated, "{nobody}");
        assert!(r.findings.iter().any(|f| f.code == "REACH004"), "{nobody}");
        let r = run(
            NET,
            &format!("zone nobody = {nobody}\ntest \"t\" {{\na cannot reach nobody on tcp/80\n}}\n"),
        );
        assert_eq!(r.tests[0].verdict, Holds, "{nobody}");
    }
}

/// ALIBABA.md §2: in 100.64.0.0/10 the cloud answers, which is in no configuration.
#[test]
fn the_services_of_the_cloud_are_not_nobody() {
    for at in [
        "host 100.100.2.136",
        "cidr 100.64.0.0/10",
        "cidr 100.100.100.200/32",
    ] {
        let zone = format!("zone cloud = {at}\n");
        for claim in [
            "never a -> cloud : any",
            "never cloud -> a : any",
            "a -> cloud through b",
        ] {
            expect(NET, &format!("{zone}{claim}\n"), &[Undecided], &["REACH007"]);
        }
        expect(
            NET,
            &format!("{zone}only cloud -> b : tcp/80\n"),
            &[Violated],
            &["REACH002"],
        );
        let r = run(
            NET,
            &format!("{zone}test \"t\" {{\na cannot reach cloud on any\n}}\n"),
        );
        assert_eq!(r.tests[0].verdict, Undecided, "{at}");
    }
    // A wider block is about everybody else in it.
    expect(NET, "never a -> cidr 100.0.0.0/8 : any\n", &[Holds], &[]);
}

#[test]
fn must_is_about_every_pair_and_must_some_about_one() {
    let one = NET.replace(
        "source_security_group_id = alicloud_security_group.a.id",
        "cidr_ip = \"10.0.1.10/32\"",
    );
    expect(&one, "must a -> b : tcp/80\n", &[Violated], &["REACH004"]);
    expect(&one, "must some a -> b : tcp/80\n", &[Holds], &[]);
    expect(&one, "must some a -> b : tcp/81\n", &[Violated], &["REACH004"]);
}

#[test]
fn a_boundary_that_governs_closes_the_world() {
    let with = |clauses: &str| format!("boundary p governs a, b {{\n{clauses}}}\n");
    expect(NET, &with("allow a -> b : tcp/80\n"), &[Holds, Holds], &[]);
    expect(
        NET,
        &with("allow a -> b : tcp/79\n"),
        &[Holds, Violated],
        &["REACH003"],
    );
    // Without `governs` only what is written counts.
    expect(NET, "boundary p {\nallow a -> b : tcp/79\n}\n", &[Holds], &[]);
    // The excess is exact.
    let wide = NET.replace("80/80", "80/90");
    let r = run(&wide, &with("allow a -> b : tcp/85\n"));
    assert!(
        r.findings[0].message.contains("tcp/80-84, tcp/86-90"),
        "{}",
        r.findings[0].message
    );
}

#[test]
fn an_endpoint_in_no_zone_is_governed() {
    let more = format!(
        "{NET}\nresource \"alicloud_instance\" \"c\" {{\n  vswitch_id = alicloud_vswitch.a.id\n  private_ip = \"10.0.1.99\"\n  \
         security_groups = [alicloud_security_group.a.id]\n}}\n"
    );
    let r = run(&more, "boundary p governs a, b {\nallow a -> b : tcp/80\n}\n");
    assert_eq!(verdicts(&r).1, ["REACH006"]);
}

#[test]
fn observe_does_not_fail_and_warn_warns() {
    for (mode, verdict) in [("observe", Holds), ("warn", Holds), ("enforce", Violated)] {
        let r = run(NET, &format!("boundary p governs a, b {{\nmode {mode}\n}}\n"));
        assert_eq!(r.clauses.last().unwrap().verdict, Violated, "{mode}");
        assert_eq!(r.verdict, verdict, "{mode}");
    }
}

// A path that may exist is a finding of the claim that it would violate, with the verdict undecided; REACH007
// is for what is not modelled at all.

#[test]
fn an_unknown_peer_is_undecided_both_ways() {
    let net = format!("variable \"office\" {{ type = string }}\n{NET}").replace(
        "source_security_group_id = alicloud_security_group.a.id",
        "cidr_ip = var.office",
    );
    expect(&net, "never a -> b : tcp/80\n", &[Undecided], &["REACH001"]);
    expect(&net, "never a -> b : tcp/81\n", &[Holds], &[]);
    let r = run(&net, "must a -> b : tcp/80\n");
    assert_eq!(verdicts(&r).0, [Undecided]);
}

#[test]
fn an_unknown_group_port_policy_or_priority_is_undecided() {
    let rule = "source_security_group_id = alicloud_security_group.a.id";
    for (find, replace) in [
        (
            "security_group_id        = alicloud_security_group.b.id",
            "security_group_id = var.x",
        ),
        ("port_range               = \"80/80\"", "port_range = var.x"),
        ("ip_protocol              = \"tcp\"", "ip_protocol = var.x"),
        (
            rule,
            "source_security_group_id = alicloud_security_group.a.id\n  policy = var.x",
        ),
        ("type                     = \"ingress\"", "type = var.x"),
    ] {
        let net = format!("variable \"x\" {{}}\n{}", NET.replace(find, replace));
        assert_ne!(net, format!("variable \"x\" {{}}\n{NET}"), "{find}");
        let r = run(&net, "never a -> b : tcp/80\n");
        assert_eq!(verdicts(&r).0, [Undecided], "{replace}");
        let r = run(&net, "must a -> b : tcp/80\n");
        assert_ne!(verdicts(&r).0, [Holds], "{replace}");
    }
}

#[test]
fn a_rule_that_may_not_exist_is_undecided() {
    let net = format!("variable \"on\" {{ type = bool }}\n{NET}").replace(
        "resource \"alicloud_security_group_rule\" \"b_from_a\" {",
        "resource \"alicloud_security_group_rule\" \"b_from_a\" {\n  count = var.on ? 1 : 0",
    );
    expect(&net, "never a -> b : tcp/80\n", &[Undecided], &["REACH001"]);
    assert_eq!(verdicts(&run(&net, "must a -> b : tcp/80\n")).0, [Undecided]);
}

#[test]
fn unknown_members_of_a_group_are_undecided() {
    let net = format!("data \"alicloud_security_groups\" \"g\" {{}}\n{NET}").replace(
        "private_ip      = \"10.0.2.10\"\n  security_groups = [alicloud_security_group.b.id]",
        "private_ip      = \"10.0.2.10\"\n  security_groups = data.alicloud_security_groups.g.ids",
    );
    expect(&net, "never a -> b : tcp/443\n", &[Undecided], &["REACH001"]);
    assert_ne!(verdicts(&run(&net, "must a -> b : tcp/80\n")).0, [Holds]);
}

#[test]
fn what_is_not_modelled_makes_absence_undecided_where_it_touches() {
    let gwlb = format!(
        "{NET}\nresource \"alicloud_some_future_gateway\" \"l\" {{\n  vpc_id = alicloud_vpc.v.id\n}}\n"
    );
    expect(&gwlb, "never internet -> b : any\n", &[Undecided], &["REACH007"]);
    // What is there is there, whatever the load balancer does.
    expect(&gwlb, "must a -> b : tcp/80\n", &[Holds], &[]);
    expect(&gwlb, "never a -> b : tcp/80\n", &[Violated], &["REACH001"]);
    // The user may vouch for it.
    let r = run_with(
        &gwlb,
        &format!("{ZONES}never internet -> b : any\n"),
        &CheckOptions {
            readings: Readings::default().with(Assumption::Unmodelled, true),
        },
    );
    assert_eq!(verdicts(&r).0, [Holds]);
    assert!(
        r.clauses[0]
            .assumptions
            .iter()
            .any(|a| a == "A-UNMODELLED=harmless"),
        "{:?}",
        r.clauses[0].assumptions
    );
    // What packets show stays shown, also where the clause names nobody.
    let only = "only {cidr 10.9.0.0/16} -> b : tcp/80\n";
    expect(&gwlb, only, &[Violated], &["REACH002"]);
    // Nor is somebody nobody who may be what is not modelled.
    expect(
        &gwlb,
        "never internet -> {cidr 10.9.0.0/16} : any\n",
        &[Undecided],
        &["REACH007"],
    );
    // A module that is not there may do anything.
    let module = format!("{NET}\nmodule \"m\" {{ source = \"x/y/z\" }}\n");
    expect(
        &module,
        "never internet -> b : any\n",
        &[Undecided],
        &["REACH007"],
    );
    // What cannot carry packets changes nothing.
    let role = format!("{NET}\nresource \"alicloud_ram_role\" \"r\" {{ name = \"r\" }}\n");
    expect(&role, "never internet -> b : any\n", &[Holds], &[]);
}

#[test]
fn a_stateless_acl_that_drops_replies_breaks_must_and_not_never() {
    let acl = |port: &str| {
        format!(
            r#"{NET}
resource "alicloud_network_acl" "n" {{
  vpc_id = alicloud_vpc.v.id
  resources {{
    resource_id   = alicloud_vswitch.b.id
    resource_type = "VSwitch"
  }}
  ingress_acl_entries {{
    protocol       = "tcp"
    port           = "80/80"
    source_cidr_ip = "10.0.0.0/16"
    policy         = "accept"
  }}
  egress_acl_entries {{
    protocol            = "tcp"
    port                = "{port}"
    destination_cidr_ip = "10.0.0.0/16"
    policy              = "accept"
  }}
  egress_acl_entries {{
    protocol            = "all"
    port                = "-1/-1"
    destination_cidr_ip = "0.0.0.0/0"
    policy              = "drop"
  }}
}}
"#
        )
    };
    expect(&acl("1024/65535"), "must a -> b : tcp/80\n", &[Holds], &[]);
    expect(
        &acl("32768/60999"),
        "must a -> b : tcp/80\n",
        &[Violated],
        &["REACH008"],
    );
    // The request alone arrives, and that is what `never` forbids.
    expect(&acl("1/1"), "never a -> b : tcp/80\n", &[Violated], &["REACH001"]);
}

#[test]
fn the_date_decides_about_exceptions() {
    let with = |dates: &str| {
        format!(
            "boundary p governs a, b {{\n}}\nexception EX-1 in p {{\nallow a -> b : tcp/80\nbecause \"x\" ticket T owner o\n{dates}\n}}\n"
        )
    };
    expect(NET, &with("expires 2026-11-23"), &[Holds, Holds], &[]);
    let r = run(NET, &with("expires 2026-11-22"));
    assert_eq!(verdicts(&r).1, ["REACH003"]);
    assert!(
        r.findings[0].notes.iter().any(|n| n.contains("EX-1")),
        "{:?}",
        r.findings[0].notes
    );
    let r = run(NET, &with("starts 2026-11-24 expires 2026-12-24"));
    assert_eq!(verdicts(&r).1, ["REACH003"]);
}

#[test]
fn tests_are_checked_like_clauses() {
    let r = run(
        NET,
        "test \"t\" {\na can reach b on tcp/80\na cannot reach b on tcp/81\nhost 1.2.3.4 cannot reach a on any\n}\n",
    );
    assert_eq!(r.tests[0].verdict, Holds);
    let r = run(NET, "test \"t\" {\na cannot reach b on tcp/80\n}\n");
    assert_eq!(r.tests[0].verdict, Violated);
    assert_eq!(verdicts(&r).1, ["REACH005"]);
    // A failure of a link is not simulated by this version, and says so.
    let r = run(
        NET,
        "test \"t\" {\nwith down vpn \"x\" { a can reach b on tcp/80 }\n}\n",
    );
    assert_eq!(r.tests[0].verdict, Undecided);
}

#[test]
fn public_addresses_nat_and_through() {
    let net = format!(
        r#"{NET}
resource "alicloud_nat_gateway" "n" {{
  nat_gateway_name = "egress"
  vpc_id           = alicloud_vpc.v.id
}}
resource "alicloud_eip_address" "n" {{}}
resource "alicloud_eip_association" "n" {{
  allocation_id = alicloud_eip_address.n.id
  instance_id   = alicloud_nat_gateway.n.id
}}
resource "alicloud_snat_entry" "n" {{
  snat_table_id     = alicloud_nat_gateway.n.snat_table_ids
  source_vswitch_id = alicloud_vswitch.a.id
  snat_ip           = alicloud_eip_address.n.ip_address
}}
resource "alicloud_route_entry" "n" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.n.id
}}
"#
    );
    expect(&net, "must a -> internet : tcp/443\n", &[Holds], &[]);
    // Only `a` is translated.
    expect(&net, "never b -> internet : any\n", &[Holds], &[]);
    expect(&net, "a -> internet through nat \"egress\"\n", &[Holds], &[]);
    expect(
        &net,
        "a -> internet not through nat \"egress\"\n",
        &[Violated],
        &["REACH009"],
    );
    // A host with a public address of its own leaves by it, if A-EIP-1 is as documented.
    let eip = format!(
        r#"{net}
resource "alicloud_eip_address" "a" {{}}
resource "alicloud_eip_association" "a" {{
  allocation_id = alicloud_eip_address.a.id
  instance_id   = alicloud_instance.a[0].id
}}
"#
    );
    let clause = "a -> internet through nat \"egress\"\n";
    expect(&eip, clause, &[Undecided], &["REACH009"]);
    for (reading, want) in [("address", Violated), ("route", Holds)] {
        let mut opt = CheckOptions::default();
        opt.readings.decide(&format!("A-EIP-1={reading}")).unwrap();
        let r = run_with(&eip, &format!("{ZONES}{clause}"), &opt);
        assert_eq!(verdicts(&r).0, [want], "{:#?}", r.findings);
    }
    // Inbound: nothing is open on `a`, an EIP alone opens nothing.
    expect(&eip, "never internet -> a : any\n", &[Holds], &[]);
}

#[test]
fn hosts_whose_addresses_the_cloud_picks_are_two_hosts() {
    // Both in one vSwitch, neither with an address of its own in the configuration.
    let net = NET
        .replace("  private_ip      = \"10.0.1.1${count.index}\"\n", "")
        .replace("  private_ip      = \"10.0.2.10\"\n", "")
        .replace(
            "vswitch_id      = alicloud_vswitch.b.id",
            "vswitch_id      = alicloud_vswitch.a.id",
        );
    expect(&net, "never a -> b : tcp/80\n", &[Violated], &["REACH001"]);
    expect(&net, "must a -> b : tcp/80\n", &[Holds], &[]);
    let open = net.replace(
        "source_security_group_id = alicloud_security_group.a.id",
        "cidr_ip = \"0.0.0.0/0\"",
    );
    expect(&open, "never a -> b : tcp/80\n", &[Violated], &["REACH001"]);
    expect(&open, "boundary p governs b {\n}\n", &[Violated], &["REACH003"]);
}

#[test]
fn an_endpoint_whose_network_is_not_known_leaves_claims_undecided() {
    let net = format!(
        "data \"alicloud_vpcs\" \"d\" {{}}\n{}",
        NET.replace("alicloud_vpc.v.id", "data.alicloud_vpcs.d.ids[0]")
    );
    for clause in [
        "never a -> b : tcp/80\n",
        "never internet -> b : any\n",
        "must a -> b : tcp/80\n",
        "only a -> b : tcp/80\n",
    ] {
        let r = run(&net, clause);
        assert_eq!(verdicts(&r).0, [Undecided], "{clause}");
        assert_eq!(r.verdict, Undecided, "{clause}");
    }
    let r = run(&net, "boundary p governs a, b {\nallow a -> b : tcp/80\n}\n");
    assert_eq!(r.clauses.last().unwrap().verdict, Undecided);
    let r = run(&net, "test \"t\" {\na cannot reach b on any\n}\n");
    assert_eq!(r.tests[0].verdict, Undecided);
}

#[test]
fn who_may_be_in_a_zone_is_not_nobody() {
    let net = |tags: &str| {
        format!(
            "variable \"t\" {{}}\n{}",
            NET.replace("tags            = { tier = \"b\" }", tags)
        )
    };
    for tags in ["tags = var.t", "tags = { tier = var.t }"] {
        let r = run(&net(tags), "never a -> b : tcp/80\n");
        assert_eq!(verdicts(&r).0, [Undecided], "{tags}");
        let r = run(&net(tags), "must a -> b : tcp/80\n");
        assert_eq!(verdicts(&r).0, [Undecided], "{tags}");
        // Other zones are not in doubt.
        let r = run(&net(tags), "never internet -> a : any\n");
        assert_ne!(verdicts(&r).0, [Violated], "{tags}");
    }
    // Another tag that is unknown does not matter.
    expect(
        &net("tags = { tier = \"b\", owner = var.t }"),
        "never a -> b : tcp/81\n",
        &[Holds],
        &[],
    );
}

#[test]
fn what_is_not_known_of_a_third_party_is_not_held_against_anybody() {
    let net = format!(
        "variable \"t\" {{}}\n{}",
        NET.replace("tags            = { tier = \"a\" }", "tags = { tier = var.t }")
    );
    // The host may well be in `a`.
    expect(&net, "only a -> b : tcp/80\n", &[Undecided], &["REACH007"]);
    let r = run(&net, "boundary p governs a, b {\nallow a -> b : tcp/80\n}\n");
    assert_eq!(
        r.verdict,
        Undecided,
        "{:?}",
        r.findings.iter().map(|f| &f.message).collect::<Vec<_>>()
    );
    // What passes by nobody in doubt is still a violation.
    let open = net.replace(
        "source_security_group_id = alicloud_security_group.a.id",
        "cidr_ip = \"0.0.0.0/0\"",
    ) + "\nresource \"alicloud_eip_address\" \"e\" {}\nresource \"alicloud_eip_association\" \"e\" {\n  allocation_id = \
           alicloud_eip_address.e.id\n  instance_id = alicloud_instance.b.id\n}\n";
    let r = run(&open, "only a -> b : tcp/80\n");
    assert_eq!(verdicts(&r).0, [Violated]);
}

#[test]
fn an_unknown_waypoint_is_undecided() {
    let net = format!(
        "variable \"n\" {{}}\n{NET}\nresource \"alicloud_nat_gateway\" \"n\" {{\n  nat_gateway_name = var.n\n  vpc_id = alicloud_vpc.v.id\n}}\n"
    );
    expect(
        &net,
        "a -> b not through nat \"x\"\n",
        &[Undecided],
        &["REACH007"],
    );
    expect(&net, "a -> b through nat \"x\"\n", &[Undecided], &["REACH007"]);
}

#[test]
fn routes_that_end_and_waypoints_that_are_not_there_are_said() {
    let net = format!(
        "{}\nresource \"alicloud_route_entry\" \"r\" {{\n  route_table_id = alicloud_vpc.v.route_table_id\n  destination_cidrblock = \
         \"192.168.0.0/16\"\n  nexthop_type = \"Instance\"\n  nexthop_id = alicloud_instance.b.id\n}}\n",
        NET.replace(
            "  private_ip      = \"10.0.2.10\"",
            "  private_ip      = \"10.0.2.10\"\n  source_dest_check = true"
        )
    );
    let r = run(&net, "never internet -> b : any\n");
    assert!(
        r.findings.iter().any(|f| f.code == "ROUTE001"),
        "{:?}",
        r.findings.iter().map(|f| f.code).collect::<Vec<_>>()
    );
    assert_eq!(r.verdict, Holds);
    let r = run(NET, "a -> internet through nat \"egres\"\n");
    assert!(
        r.findings
            .iter()
            .any(|f| f.code == "INTENT009" && f.message.contains("waypoint"))
    );
}

/// A CLB in front of `b`, in its vSwitch, with a listener for clients.
const CLB: &str = r#"
resource "alicloud_slb_load_balancer" "l" {
  load_balancer_name = "front"
  address_type       = "intranet"
  vswitch_id         = alicloud_vswitch.b.id
  tags               = { tier = "lb" }
}
resource "alicloud_slb_listener" "web" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "http"
  frontend_port    = 443
  backend_port     = 9000
}
resource "alicloud_slb_backend_server" "b" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  backend_servers {
    server_id = alicloud_instance.b.id
    weight    = 100
  }
}
"#;

const LB: &str = "zone l = lb \"front\"\n";

// ALIBABA.md §9.5, decision 11 item 2: a balancer is an endpoint and a way.
#[test]
fn what_a_balancer_hands_on_is_a_flow_of_its_clients() {
    let net = format!("{NET}{CLB}");
    let with = |clauses: &str| format!("{LB}{clauses}");
    expect(&net, &with("must a -> l : tcp/443\n"), &[Holds], &[]);
    expect(&net, &with("never a -> l : tcp/80\n"), &[Holds], &[]);
    expect(
        &net,
        &with("never a -> b : tcp/9000\n"),
        &[Undecided],
        &["REACH001"],
    );
    expect(&net, &with("never a -> b : tcp/443\n"), &[Holds], &[]);
    expect(&net, &with("never l -> a : any\n"), &[Holds], &[]);
    // A-CLB-1: presence needs the group of the backend to accept, whoever the sender is.
    expect(
        &net,
        &with("must a -> b : tcp/9000\n"),
        &[Undecided],
        &["REACH004"],
    );
    let open = net.clone()
        + "resource \"alicloud_security_group_rule\" \"lb\" {\n  security_group_id = alicloud_security_group.b.id\n  type = \"ingress\"\n  \
           ip_protocol = \"tcp\"\n  port_range = \"9000/9000\"\n  cidr_ip = \"100.64.0.0/10\"\n}\n";
    expect(&open, &with("must a -> b : tcp/9000\n"), &[Holds], &[]);
    expect(
        &open,
        &with("never a -> b : tcp/9000\n"),
        &[Violated],
        &["REACH001"],
    );
    expect(&open, &with("must l -> b : tcp/9000\n"), &[Holds], &[]);
    // It is a way, and clauses may demand it.
    expect(&open, &with("a -> b : tcp/9000 through l\n"), &[Holds], &[]);
    expect(
        &open,
        &with("a -> b : tcp/9000 not through l\n"),
        &[Violated],
        &["REACH009"],
    );
}

/// A listener with a white list of the office and, by mistake, of everybody.
fn guarded(entries: &str) -> String {
    format!(
        r#"{NET}
resource "alicloud_slb_load_balancer" "l" {{
  load_balancer_name = "front"
  address_type       = "internet"
  address            = "47.1.1.1"
}}
resource "alicloud_slb_listener" "web" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "tcp"
  frontend_port    = 443
  backend_port     = 9000
  acl_status       = "on"
  acl_type         = "white"
  acl_ids          = [alicloud_slb_acl.office.id]
}}
resource "alicloud_slb_backend_server" "b" {{
  load_balancer_id = alicloud_slb_load_balancer.l.id
  backend_servers {{
    server_id = alicloud_instance.b.id
    weight    = 100
  }}
}}
resource "alicloud_slb_acl" "office" {{ name = "office" }}
{entries}
"#
    )
}

// The entry that is too wide is to blame, where it is written, and not the address of the balancer.
#[test]
fn a_wide_entry_of_an_access_list_is_the_culprit() {
    let entry = |name: &str, net: &str| {
        format!(
            "resource \"alicloud_slb_acl_entry_attachment\" \"{name}\" {{\n  acl_id = alicloud_slb_acl.office.id\n  entry  = \"{net}\"\n}}\n"
        )
    };
    let cause = |entries: &str, intent: &str| {
        let text = format!(
            "edition 2027\nzone l = lb \"front\"\nzone office = cidr 203.0.113.0/24\nzone world = outside except (cidr 203.0.113.0/24)\n{intent}"
        );
        let r = run_with(&guarded(entries), &text, &CheckOptions::default());
        let found: Vec<_> = r
            .findings
            .iter()
            .filter(|f| f.code.starts_with("REACH"))
            .collect();
        assert_eq!(found.len(), 1, "{found:?}");
        let at = found[0].labels[0].text.clone();
        (at, found[0].fix.clone().map(|f| f.text).unwrap_or_default())
    };
    let two = entry("office", "203.0.113.0/24") + &entry("wide", "0.0.0.0/0");
    let (at, fix) = cause(&two, "never world -> l : tcp/443\nmust office -> l : tcp/443\n");
    assert_eq!(at, "admits 0.0.0.0/0");
    assert_eq!(fix, "take it out of `alicloud_slb_acl_entry_attachment.wide`");
    // Without it the list would have no entries and admit everybody: it is to be narrowed.
    let one = entry("wide", "0.0.0.0/0");
    let (at, fix) = cause(&one, "never world -> l : tcp/443\nmust office -> l : tcp/443\n");
    assert_eq!(at, "admits 0.0.0.0/0");
    assert!(
        fix.starts_with("narrow what `alicloud_slb_acl_entry_attachment.wide` admits"),
        "{fix}"
    );
}

const LINK: &str = r#"
resource "alicloud_vpc" "p" { cidr_block = "10.0.0.0/16" }
resource "alicloud_vswitch" "p" {
  vpc_id     = alicloud_vpc.p.id
  cidr_block = "10.0.1.0/24"
}
resource "alicloud_security_group" "p" {
  vpc_id              = alicloud_vpc.p.id
  inner_access_policy = "Drop"
}
resource "alicloud_instance" "p" {
  vswitch_id      = alicloud_vswitch.p.id
  private_ip      = "10.0.1.20"
  security_groups = [alicloud_security_group.p.id]
  tags            = { tier = "p" }
}
resource "alicloud_slb_load_balancer" "p" {
  load_balancer_name = "service"
  address_type       = "intranet"
  vswitch_id         = alicloud_vswitch.p.id
  address            = "10.0.1.100"
}
resource "alicloud_slb_listener" "p" {
  load_balancer_id = alicloud_slb_load_balancer.p.id
  protocol         = "tcp"
  frontend_port    = 443
  backend_port     = 9000
}
resource "alicloud_slb_backend_server" "p" {
  load_balancer_id = alicloud_slb_load_balancer.p.id
  backend_servers {
    server_id = alicloud_instance.p.id
    weight    = 100
  }
}
resource "alicloud_privatelink_vpc_endpoint_service" "s" { auto_accept_connection = true }
resource "alicloud_privatelink_vpc_endpoint_service_resource" "s" {
  service_id    = alicloud_privatelink_vpc_endpoint_service.s.id
  resource_id   = alicloud_slb_load_balancer.p.id
  resource_type = "slb"
}
resource "alicloud_security_group" "door" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "door" {
  security_group_id        = alicloud_security_group.door.id
  type                     = "ingress"
  ip_protocol              = "tcp"
  port_range               = "443/443"
  source_security_group_id = alicloud_security_group.a.id
}
resource "alicloud_privatelink_vpc_endpoint" "e" {
  vpc_endpoint_name  = "door"
  vpc_id             = alicloud_vpc.v.id
  security_group_ids = [alicloud_security_group.door.id]
  service_id         = alicloud_privatelink_vpc_endpoint_service.s.id
}
resource "alicloud_privatelink_vpc_endpoint_zone" "e" {
  endpoint_id = alicloud_privatelink_vpc_endpoint.e.id
  vswitch_id  = alicloud_vswitch.b.id
  eni_ip      = "10.0.2.50"
}
"#;

// ALIBABA.md §9.7, decision 16 items 3, 5 and 7 (A-PL-1): possible from any address, certain if every address may.
#[test]
fn what_an_endpoint_hands_on_is_a_flow_of_its_clients() {
    let net = format!("{NET}{LINK}");
    let with = |clauses: &str| format!("zone door = endpoint \"door\"\nzone p = tag tier=p\n{clauses}");
    expect(&net, &with("must a -> door : tcp/443\n"), &[Holds], &[]);
    expect(&net, &with("never b -> door : any\n"), &[Holds], &[]);
    expect(&net, &with("never p -> {a, b, door} : any\n"), &[Holds], &[]);
    expect(
        &net,
        &with("never a -> p : tcp/9000\n"),
        &[Undecided],
        &["REACH001"],
    );
    let server = |cidr: &str| {
        net.clone()
            + "resource \"alicloud_security_group_rule\" \"p\" {\n  security_group_id = alicloud_security_group.p.id\n  type = \"ingress\"\n  \
               ip_protocol = \"tcp\"\n  port_range = \"9000/9000\"\n"
            + &format!("  cidr_ip = \"{cidr}\"\n}}\n")
    };
    expect(
        &server("10.0.0.0/8"),
        &with("must a -> p : tcp/9000\n"),
        &[Undecided],
        &["REACH004"],
    );
    let open = server("0.0.0.0/0");
    expect(&open, &with("must a -> p : tcp/9000\n"), &[Holds], &[]);
    expect(
        &open,
        &with("never a -> p : tcp/9000\n"),
        &[Violated],
        &["REACH001"],
    );
    expect(&open, &with("a -> p : tcp/9000 through door\n"), &[Holds], &[]);
}

// ALIBABA.md §9.1, A-LB-1: an access list without entries keeps nobody out.
#[test]
fn an_access_list_without_entries_keeps_nobody_out() {
    let list = |entries: &str| {
        let on = "acl_status = \"on\"\n  acl_type = \"white\"\n  acl_ids = [alicloud_slb_acl.x.id]\n  backend_port     = 9000";
        format!("{NET}{}", CLB.replace("backend_port     = 9000", on))
            + &format!("resource \"alicloud_slb_acl\" \"x\" {{\n  name = \"x\"\n{entries}}}\n")
    };
    let never = &format!("{LB}never a -> l : any\n");
    expect(&list(""), never, &[Violated], &["REACH001"]);
    let other = "  entry_list {\n    entry = \"10.9.0.0/16\"\n  }\n";
    expect(&list(other), never, &[Holds], &[]);
    let them = "  entry_list {\n    entry = \"10.0.1.0/24\"\n  }\n";
    expect(&list(them), never, &[Violated], &["REACH001"]);
    let unknown = "  entry_list {\n    entry = var.e\n  }\n";
    let net = format!("variable \"e\" {{}}\n{}", list(unknown));
    expect(&net, never, &[Undecided], &["REACH001"]);
}

#[test]
fn a_backend_that_is_not_known_makes_absence_undecided() {
    let net = format!(
        "variable \"s\" {{}}\n{NET}{}",
        CLB.replace("alicloud_instance.b.id", "var.s")
    );
    expect(
        &net,
        &format!("{LB}never a -> b : tcp/9000\n"),
        &[Undecided],
        &["REACH007"],
    );
    expect(&net, &format!("{LB}must a -> l : tcp/443\n"), &[Holds], &[]);
}

/// ALIBABA.md §6 and §20: an isolation that rests on the end of an ACL alone is undecided until the user decides
/// (A-NACL-1), and the report says what would.
#[test]
fn a_contested_reading_makes_claims_undecided_until_it_is_decided() {
    let acl = |last: &str| {
        format!(
            r#"{NET}
resource "alicloud_network_acl" "n" {{
  vpc_id = alicloud_vpc.v.id
  resources {{
    resource_id   = alicloud_vswitch.b.id
    resource_type = "VSwitch"
  }}
  ingress_acl_entries {{
    protocol       = "tcp"
    port           = "443/443"
    source_cidr_ip = "10.0.0.0/16"
    policy         = "accept"
  }}
  {last}
  egress_acl_entries {{
    protocol            = "all"
    port                = "-1/-1"
    destination_cidr_ip = "0.0.0.0/0"
    policy              = "accept"
  }}
}}
"#
        )
    };
    let open = acl("");
    let clause = format!("{ZONES}never a -> b : tcp/80\nmust a -> b : tcp/80\n");
    let under = |text: &str| {
        let mut opt = CheckOptions::default();
        opt.readings.decide(text).unwrap();
        run_with(&open, &clause, &opt)
    };
    let r = run_with(&open, &clause, &CheckOptions::default());
    assert_eq!(verdicts(&r).0, [Undecided, Undecided]);
    for c in &r.clauses {
        assert!(
            c.assumptions.iter().any(|a| a == "A-NACL-1"),
            "{:?}",
            c.assumptions
        );
        let said = c.reasons.iter().any(|r| r.contains("--assume A-NACL-1=deny"));
        assert!(said, "{:?}", c.reasons);
    }
    let r = under("A-NACL-1=deny");
    assert_eq!(verdicts(&r).0, [Holds, Violated]);
    assert!(r.clauses[0].assumptions.iter().any(|a| a == "A-NACL-1=deny"));
    assert_eq!(verdicts(&under("A-NACL-1=allow")).0, [Violated, Holds]);
    // Written out, nothing is left to read.
    let closed = acl(r#"ingress_acl_entries {
    protocol       = "all"
    port           = "-1/-1"
    source_cidr_ip = "0.0.0.0/0"
    policy         = "drop"
  }"#);
    let r = run_with(&closed, &clause, &CheckOptions::default());
    assert_eq!(verdicts(&r).0, [Holds, Violated]);
}

/// docs/decisions/018: every assumption that a verdict may name has a row in the register.
#[test]
fn what_verdicts_lean_on_is_in_the_register() {
    for id in bartizan_check::assumptions_of(&bartizan_model::Inventory::empty(
        bartizan_model::SourceKind::Snapshot,
    )) {
        assert!(bartizan_model::assumption_info(id).is_some(), "{id}");
    }
    let sources = [
        include_str!("../src/assumptions.rs"),
        include_str!("../../reach/src/trace_walk.rs"),
        include_str!("../../reach/src/trace_cross.rs"),
        include_str!("../../reach/src/trace_ways/exits.rs"),
        include_str!("../../reach/src/trace_ways/relay.rs"),
    ];
    let mut seen = 0;
    for text in sources {
        for id in text.split('"').filter(|t| t.starts_with("A-") && t.len() < 16) {
            assert!(
                bartizan_model::assumption_info(id).is_some(),
                "{id} is not in the register"
            );
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen}");
}

/// What a resource says beside its usual attributes decides as well, or leaves the claim open: none of these holds.
#[test]
fn what_is_written_of_a_resource_is_not_passed_over() {
    use Verdict::{Undecided, Violated};
    let rds = r#"
resource "alicloud_db_instance" "d" {
  instance_name = "d"
  engine        = "MySQL"
  vswitch_id    = alicloud_vswitch.b.id
  security_ips  = ["127.0.0.1"]
  MORE
}"#;
    let balanced = r#"
variable "unknown" {}
resource "alicloud_slb_load_balancer" "l" {
  load_balancer_name = "l"
  address_type       = "intranet"
  vswitch_id         = alicloud_vswitch.a.id
}
resource "alicloud_slb_listener" "l" {
  load_balancer_id = alicloud_slb_load_balancer.l.id
  protocol         = "tcp"
  frontend_port    = 80
  backend_port     = 80
}
resource "alicloud_security_group_rule" "b_from_all" {
  security_group_id = alicloud_security_group.b.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "80/80"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_slb_backend_server" "l" {
  load_balancer_id = BALANCER
  backend_servers {
    server_id = alicloud_instance.b.id
    weight    = WEIGHT
  }
}"#;
    let behind =
        |balancer: &str, weight: &str| balanced.replace("BALANCER", balancer).replace("WEIGHT", weight);
    let of = "alicloud_slb_load_balancer.l.id";
    let must = "zone l = lb \"l\"\nmust l -> b : tcp/80\n";
    let db = "zone db = rds \"d\"\nnever a -> db : any\n";
    let cases = [
        // §15: the union of all lists.
        (
            r#"resource "alicloud_mongodb_instance" "m" {
  name             = "m"
  engine_version   = "7.0"
  vswitch_id       = alicloud_vswitch.b.id
  security_ip_list = ["127.0.0.1"]
  security_ip_groups {
    security_ip_group_name = "app"
    security_ip_list       = "10.0.1.0/24"
  }
}"#
            .to_string(),
            "zone db = managed \"m\"\nnever a -> db : any\n",
            Violated,
        ),
        (rds.replace("MORE", "template_id_list = [123]"), db, Undecided),
        (
            rds.replace("MORE", "")
                + r#"
resource "alicloud_ess_scaling_group" "s" {
  scaling_group_name = "s"
  min_size           = 1
  max_size           = 2
  vswitch_ids        = [alicloud_vswitch.a.id]
  db_instance_ids    = [alicloud_db_instance.d.id]
}"#,
            db,
            Undecided,
        ),
        // §14: a cluster that makes a NAT gateway.
        (
            r#"resource "alicloud_cs_managed_kubernetes" "k" {
  name                 = "k"
  vswitch_ids          = [alicloud_vswitch.a.id]
  security_group_id    = alicloud_security_group.a.id
  slb_internet_enabled = false
  new_nat_gateway      = true
}"#
            .to_string(),
            "never a -> internet : any\n",
            Undecided,
        ),
        (
            r#"resource "alicloud_elasticsearch_instance" "e" {
  description       = "e"
  version           = "8.5.1_with_X-Pack"
  vswitch_id        = alicloud_vswitch.b.id
  private_whitelist = ["127.0.0.1"]
  kibana_whitelist  = ["0.0.0.0/0"]
}"#
            .to_string(),
            "zone db = managed \"e\"\nnever internet -> db : any\n",
            Undecided,
        ),
        // Decision 11, item 15.
        (behind(of, "var.unknown"), must, Undecided),
        (behind(of, "0"), must, Undecided),
        (behind("var.unknown", "100"), must, Undecided),
    ];
    for (more, clauses, expected) in cases {
        let r = run(&format!("{NET}\n{more}"), clauses);
        assert_eq!(verdicts(&r).0, [expected], "{more}\n{clauses}\n{:#?}", r.findings);
    }
    let r = run(&format!("{NET}\n{}", behind(of, "100")), must);
    assert_eq!(verdicts(&r).0, [Verdict::Holds], "{:#?}", r.findings);
}

// Arguments that open traffic beside what the resource says first (docs/verification.md, "Arguments that nobody read"): a
// claim shall not hold because they were passed over.
#[test]
fn what_a_service_opens_besides_is_not_passed_over() {
    let db = |more: &str| {
        format!(
            r#"{NET}
resource "alicloud_db_instance" "d" {{
  instance_name = "d"
  engine        = "PostgreSQL"
  vswitch_id    = alicloud_vswitch.b.id
  security_ips  = ["10.0.1.0/24", "203.0.113.0/24"]
  {more}
}}
"#
        )
    };
    let at = |port: u16| format!("zone d = rds \"d\"\nnever a -> d : tcp/{port}\n");
    let plain = db("");
    expect(&plain, &at(5432), &[Violated], &["REACH001"]);
    expect(&plain, &at(6432), &[Holds], &[]);
    expect(&plain, &at(3306), &[Holds], &[]);
    // The pool in front of it, and the port of its public endpoint.
    expect(
        &db("pg_bouncer_enabled = true"),
        &at(6432),
        &[Undecided],
        &["REACH001"],
    );
    let public = format!(
        "{plain}resource \"alicloud_db_connection\" \"c\" {{ instance_id = alicloud_db_instance.d.id }}\n"
    );
    let outside = "zone d = rds \"d\"\nzone office = cidr 203.0.113.0/24\nnever office -> d : tcp/3306\n";
    expect(&plain, outside, &[Holds], &[]);
    expect(&public, outside, &[Undecided], &["REACH001"]);
    // Entries that are added to a list that is not here: whom it admits is not known.
    let other = "zone d = rds \"d\"\nnever b -> d : tcp/5432\n";
    expect(&plain, other, &[Holds], &[]);
    expect(
        &db("modify_mode = \"Append\""),
        other,
        &[Undecided],
        &["REACH001"],
    );
}

// A resource with an argument that bears on packets and is not modelled makes claims about its VPC undecided.
#[test]
fn an_argument_that_is_watched_makes_claims_undecided() {
    let claim = "never a -> b : tcp/22\n";
    expect(NET, claim, &[Holds], &[]);
    let linked = NET.replace(
        "vpc_name   = \"prod\"",
        "vpc_name   = \"prod\"\n  classic_link_enabled = true",
    );
    expect(&linked, claim, &[Undecided], &["REACH007"]);
    let later = NET.replace(
        "vpc_name   = \"prod\"",
        "vpc_name   = \"prod\"\n  opens_everything = true",
    );
    expect(&later, claim, &[Undecided], &["REACH007"]);
}

// §8.2: who does not know by which address a packet leaves proves nothing by a shorter entry, whose address is known.
#[test]
fn an_unknown_snat_address_hides_no_shorter_entry() {
    let net = format!(
        r#"{NET}
variable "address" {{}}
resource "alicloud_nat_gateway" "n" {{
  vpc_id = alicloud_vpc.v.id
}}
resource "alicloud_eip_address" "n" {{
  ip_address = "47.0.0.9"
}}
resource "alicloud_eip_association" "n" {{
  allocation_id = alicloud_eip_address.n.id
  instance_id   = alicloud_nat_gateway.n.id
}}
resource "alicloud_snat_entry" "short" {{
  snat_table_id = alicloud_nat_gateway.n.snat_table_ids
  source_cidr   = "10.0.0.0/16"
  snat_ip       = alicloud_eip_address.n.ip_address
}}
resource "alicloud_route_entry" "n" {{
  route_table_id        = alicloud_vpc.v.route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.n.id
}}
"#
    );
    let must = "must a -> internet : tcp/443\n";
    expect(&net, must, &[Holds], &[]);
    let longer = |ip: &str| {
        format!(
            "{net}\nresource \"alicloud_snat_entry\" \"long\" {{\n  snat_table_id = alicloud_nat_gateway.n.snat_table_ids\n  \
             source_cidr   = \"10.0.1.0/24\"\n  snat_ip       = {ip}\n}}\n"
        )
    };
    let known = run(&longer("alicloud_eip_address.n.ip_address"), must);
    assert_eq!(known.clauses[0].verdict, Holds);
    let unknown = run(&longer("var.address"), must);
    assert_eq!(unknown.clauses[0].verdict, Undecided);
}

// §9.5, decision 11, item 20: a balancer sends to one address of a backend. `b` and `c` of the vector have two each.
#[test]
fn a_balancer_hands_on_to_one_address_of_a_backend() {
    let net = common::vector("L15");
    let intent = r#"edition 2027
zone internet = outside
zone b_first  = host 10.0.2.10
zone b_second = host 10.0.2.11
zone c_first  = host 10.0.2.20
zone c_second = host 10.0.2.21
zone d_block  = cidr 10.0.2.64/28
zone d_one    = host 10.0.2.70 { overlaps d_block }
must internet -> b_first : tcp/8080
must internet -> b_second : tcp/8080
must internet -> c_first : tcp/8080
must internet -> c_second : tcp/8080
must internet -> d_one : tcp/8080
never internet -> b_second : any
never internet -> c_first : any
never internet -> c_second : any
internet -> {b_first, c_second, d_one} through lb
"#;
    let (h, v) = (Verdict::Holds, Verdict::Violated);
    let said = Readings::default().with(Assumption::Clb1, false);
    let want = [h, v, v, h, h, h, h, v, h];
    common::expect(&net, intent, said.clone(), &want);
    // Where the address is not said, either may be the server.
    let open = net.replace("\"10.0.2.21\"\n  port", "var.unknown\n  port");
    assert_ne!(open, net);
    let open = format!("variable \"unknown\" {{}}\n{open}");
    let intent = "edition 2027\nzone internet = outside\nzone c_first = host 10.0.2.20\nzone c_second = host 10.0.2.21\n\
                  must internet -> c_first : tcp/8080\nnever internet -> c_second : any\n";
    let u = Verdict::Undecided;
    common::expect(&open, intent, said, &[u, u]);
}
