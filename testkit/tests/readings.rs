//! The vectors of ALIBABA.md §21 under the second readings of §20 (docs/decisions/018).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use bartizan_model::{ASSUMPTIONS, Readings};
use bartizan_testkit::{
    EngineUnderTest, MatrixEngine, OracleEngine, PointEngine, load_vectors, parse_vector,
};
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn engines_agree_on_the_vectors_under_every_second_reading() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/vectors");
    let mut turned: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for v in load_vectors(&dir).unwrap() {
        let inv = v.inventory().unwrap();
        let queries: Vec<_> = v.probes.iter().map(|p| v.query(&inv, p).unwrap()).collect();
        let chosen = OracleEngine.check(&inv, &queries);
        for (i, a) in ASSUMPTIONS.iter().enumerate() {
            if a.readings.len() != 2 || a.id == "A-APPL-1" || a.id == "A-UNMODELLED" {
                continue;
            }
            let second = Readings::chosen().with_second(i);
            let truth = OracleEngine.under(&inv, &second, &queries);
            assert_eq!(
                PointEngine.under(&inv, &second, &queries),
                truth,
                "{} under {}",
                v.name,
                a.id
            );
            if MatrixEngine.able(second.clone()) == second {
                assert_eq!(
                    MatrixEngine.under(&inv, &second, &queries),
                    truth,
                    "{} under {}",
                    v.name,
                    a.id
                );
            }
            if truth != chosen {
                turned.entry(a.id).or_default().push(v.name.clone());
            }
        }
    }
    // Which vectors say something else then; what is missing here is below, or compared on random networks alone.
    let text: Vec<String> = turned
        .iter()
        .map(|(a, v)| format!("{a}: {}", v.join(" ")))
        .collect();
    for want in [
        "A-CLB-1: L5",
        "A-LB-1: L1",
        "A-LB-3: L12b",
        "A-NACL-1: N6",
        "A-NACL-2: N3 N4 N5 N6",
        "A-IGW-2: R17",
        "A-NAT-3: R16",
        "A-P25: R3",
        "A-ROUTE-1: R11",
        "A-SG-3: S8",
    ] {
        // Vectors that were added later may turn as well.
        let turns = |t: &String| {
            let of = |t: &str| t.split([':', ' ']).map(str::to_string).collect::<Vec<_>>();
            let all = of(t);
            of(want).iter().all(|w| all.contains(w))
        };
        assert!(text.iter().any(turns), "{want}: {text:#?}");
    }
}

/// `a` and `b` in two vSwitches of one VPC, with groups to choose.
const HOSTS: &str = r#"
resource "alicloud_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "alicloud_vswitch" "s" {
  for_each   = toset(["1", "2"])
  vpc_id     = alicloud_vpc.v.id
  cidr_block = "10.0.${each.key}.0/24"
}
resource "alicloud_security_group" "a" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "INNER"
}
resource "alicloud_security_group" "b" {
  vpc_id              = alicloud_vpc.v.id
  inner_access_policy = "Drop"
}
resource "alicloud_instance" "a" {
  vswitch_id      = alicloud_vswitch.s["1"].id
  private_ip      = "10.0.1.10"
  security_groups = [alicloud_security_group.a.id]
}
resource "alicloud_instance" "b" {
  vswitch_id      = alicloud_vswitch.s["2"].id
  private_ip      = "10.0.2.10"
  security_groups = [alicloud_security_group.GROUP.id]
}
"#;

/// A case: a probe with what happens under the first reading and under the second.
fn case(id: &str, hcl: &str, probe: &str, first: &str, second: &str) {
    let at = ASSUMPTIONS.iter().position(|a| a.id == id).unwrap();
    for (readings, expected) in [
        (Readings::chosen(), first),
        (Readings::chosen().with_second(at), second),
    ] {
        let text =
            format!("# {id}\nAssumptions: {id}\n```hcl\n{hcl}\n```\n```probes\n{probe} : {expected}\n```\n");
        let v = parse_vector(id, &text).unwrap();
        let inv = v.inventory().unwrap();
        let q = v.query(&inv, &v.probes[0]).unwrap();
        let want = [v.probes[0].expected.answer()];
        for engine in [&OracleEngine as &dyn EngineUnderTest, &PointEngine, &MatrixEngine] {
            let got = engine.under(&inv, &readings, &[q]);
            assert_eq!(got, want, "{id} {expected}: {probe}");
        }
    }
}

fn hosts(inner: &str, group: &str) -> String {
    HOSTS.replace("INNER", inner).replace("GROUP", group)
}

/// ALIBABA.md §5.3; decision 18, 1.
#[test]
fn a_sg_1_a_reference_matches_secondary_addresses_or_not() {
    let hcl = hosts("Drop", "b")
        + r#"
resource "alicloud_ecs_network_interface" "s" {
  vswitch_id           = alicloud_vswitch.s["1"].id
  security_group_ids   = [alicloud_security_group.a.id]
  primary_ip_address   = "10.0.1.20"
  private_ip_addresses = ["10.0.1.21"]
}
resource "alicloud_ecs_network_interface_attachment" "s" {
  network_interface_id = alicloud_ecs_network_interface.s.id
  instance_id          = alicloud_instance.a.id
}
resource "alicloud_security_group_rule" "r" {
  security_group_id        = alicloud_security_group.b.id
  type                     = "ingress"
  ip_protocol              = "tcp"
  port_range               = "80/80"
  source_security_group_id = alicloud_security_group.a.id
}
"#;
    case("A-SG-1", &hcl, "10.0.1.20 -> b tcp/80", "allow", "allow");
    case("A-SG-1", &hcl, "10.0.1.21 -> b tcp/80", "allow", "deny");
}

/// ALIBABA.md §5.5 step 1; decision 18, 2.
#[test]
fn a_sg_2_an_egress_drop_between_members_works_or_not() {
    let hcl = hosts("Accept", "a")
        + r#"
resource "alicloud_security_group_rule" "r" {
  security_group_id = alicloud_security_group.a.id
  type              = "egress"
  policy            = "drop"
  ip_protocol       = "all"
  cidr_ip           = "0.0.0.0/0"
}
"#;
    case("A-SG-2", &hcl, "a -> b tcp/80", "allow", "deny");
}

/// ALIBABA.md §5.5, S12; decision 18, 4.
#[test]
fn a_sg_4_members_meet_over_the_internet_or_not() {
    let hcl = hosts("Accept", "a").replace(
        "private_ip      = \"10.0.1.10\"",
        "private_ip      = \"10.0.1.10\"\n  internet_max_bandwidth_out = 5",
    ) + r#"
resource "alicloud_eip_address" "b" {}
resource "alicloud_eip_association" "b" {
  allocation_id = alicloud_eip_address.b.id
  instance_id   = alicloud_ecs_network_interface.b.id
  instance_type = "NetworkInterface"
  mode          = "BINDED"
}
resource "alicloud_ecs_network_interface" "b" {
  vswitch_id         = alicloud_vswitch.s["2"].id
  security_group_ids = [alicloud_security_group.a.id]
  primary_ip_address = "10.0.2.30"
}
resource "alicloud_ecs_network_interface_attachment" "b" {
  network_interface_id = alicloud_ecs_network_interface.b.id
  instance_id          = alicloud_instance.b.id
}
"#;
    // In ENI-visible mode (§7.4) the interface has no private networking: what arrives came over the Internet.
    case("A-SG-4", &hcl, "a -> 10.0.2.30 tcp/80", "deny", "allow");
}

/// ALIBABA.md §4.1, §3.5; decision 18, 16.
#[test]
fn a_sdc_1_an_interface_that_is_not_set_forwards_or_not() {
    let hcl = hosts("Drop", "b")
        + r#"
resource "alicloud_security_group" "f" {
  vpc_id = alicloud_vpc.v.id
}
resource "alicloud_security_group_rule" "f" {
  security_group_id = alicloud_security_group.f.id
  type              = "ingress"
  ip_protocol       = "all"
  cidr_ip           = "10.0.0.0/8"
}
resource "alicloud_security_group_rule" "b" {
  security_group_id = alicloud_security_group.b.id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "80/80"
  cidr_ip           = "10.0.1.0/24"
}
resource "alicloud_ecs_network_interface" "f" {
  vswitch_id         = alicloud_vswitch.s["2"].id
  security_group_ids = [alicloud_security_group.f.id]
  primary_ip_address = "10.0.2.30"
}
resource "alicloud_ecs_network_interface_attachment" "f" {
  network_interface_id = alicloud_ecs_network_interface.f.id
  instance_id          = alicloud_instance.b.id
}
resource "alicloud_route_table" "one" {
  vpc_id = alicloud_vpc.v.id
}
resource "alicloud_route_table_attachment" "one" {
  route_table_id = alicloud_route_table.one.id
  vswitch_id     = alicloud_vswitch.s["1"].id
}
resource "alicloud_route_entry" "f" {
  route_table_id        = alicloud_route_table.one.id
  destination_cidrblock = "10.0.2.10/32"
  nexthop_type          = "NetworkInterface"
  nexthop_id            = alicloud_ecs_network_interface.f.id
}
"#;
    // The reply comes back by the local route, past the appliance.
    case("A-SDC-1", &hcl, "a -> b tcp/80", "allow", "deny");
}
