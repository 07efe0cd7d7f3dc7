//! Failures (docs/decisions/017): what is left when something is down, and what the intent says of it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict;
use bartizan_check::failure::{Thing, down, everything, find};
use bartizan_check::query::{Effect, Frame, failover};
use bartizan_check::{CheckOptions, CheckReport, check};
use bartizan_lang::{Down, DownKind, Intent};
use bartizan_model::{Assumption, InterfaceId, Inventory, NextHop, TrHop, VswitchId};
use bartizan_testkit::{
    EngineUnderTest, Features, MatrixEngine, OracleEngine, PointEngine, Rng, Universe, random_inventory,
};

/// Two VPCs on a transit router and one with two firewalls, in two zones each where it matters; NAT in the first.
/// The table of `a` learns the firewalls' announcement, and has a shorter route past them.
const NET: &str = r#"
locals {
  vpcs = { a = "10.1.0.0/16", b = "10.2.0.0/16", f = "10.3.0.0/16" }
  subnets = {
    a1 = { vpc = "a", cidr = "10.1.1.0/24", zone = "z-1" }
    a2 = { vpc = "a", cidr = "10.1.2.0/24", zone = "z-2" }
    b1 = { vpc = "b", cidr = "10.2.1.0/24", zone = "z-1" }
    f1 = { vpc = "f", cidr = "10.3.1.0/24", zone = "z-1" }
    ft = { vpc = "f", cidr = "10.3.2.0/24", zone = "z-1" }
  }
  hosts = {
    a-1  = { subnet = "a1", ip = "10.1.1.10" }
    a-2  = { subnet = "a2", ip = "10.1.2.10" }
    b-1  = { subnet = "b1", ip = "10.2.1.10" }
    fw-1 = { subnet = "f1", ip = "10.3.1.10" }
  }
}
resource "alicloud_vpc" "v" {
  for_each   = local.vpcs
  vpc_name   = each.key
  cidr_block = each.value
}
resource "alicloud_vswitch" "s" {
  for_each   = local.subnets
  vpc_id     = alicloud_vpc.v[each.value.vpc].id
  cidr_block = each.value.cidr
  zone_id    = each.value.zone
}
resource "alicloud_security_group" "g" {
  for_each = local.vpcs
  vpc_id   = alicloud_vpc.v[each.key].id
}
resource "alicloud_security_group_rule" "in" {
  for_each          = local.vpcs
  security_group_id = alicloud_security_group.g[each.key].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "80/80"
  cidr_ip           = "10.0.0.0/8"
}
resource "alicloud_instance" "h" {
  for_each          = local.hosts
  instance_name     = each.key
  vswitch_id        = alicloud_vswitch.s[each.value.subnet].id
  private_ip        = each.value.ip
  security_groups   = [alicloud_security_group.g[local.subnets[each.value.subnet].vpc].id]
  source_dest_check = each.key != "fw-1"
  tags              = { tier = substr(each.key, 0, 1) }
}
resource "alicloud_cen_instance" "c" {}
resource "alicloud_cen_transit_router" "r" {
  transit_router_name = "hub"
  cen_id              = alicloud_cen_instance.c.id
}
resource "alicloud_cen_transit_router_vpc_attachment" "t" {
  for_each                           = { a = "a1", b = "b1", f = "ft" }
  transit_router_vpc_attachment_name = "to-${each.key}"
  cen_id                             = alicloud_cen_instance.c.id
  transit_router_id                  = alicloud_cen_transit_router.r.transit_router_id
  vpc_id                             = alicloud_vpc.v[each.key].id
  auto_publish_route_enabled         = false
  zone_mappings {
    zone_id    = "z-1"
    vswitch_id = alicloud_vswitch.s[each.value].id
  }
}
resource "alicloud_cen_transit_router_route_table" "x" {
  for_each          = toset(["spokes", "hub"])
  transit_router_id = alicloud_cen_transit_router.r.transit_router_id
}
resource "alicloud_cen_transit_router_route_table_association" "x" {
  for_each                      = { a = "spokes", b = "spokes", f = "hub" }
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.x[each.value].transit_router_route_table_id
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.t[each.key].transit_router_attachment_id
}
resource "alicloud_cen_transit_router_route_table_propagation" "hub" {
  for_each                      = toset(["a", "b"])
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.x["hub"].transit_router_route_table_id
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.t[each.key].transit_router_attachment_id
}
resource "alicloud_cen_transit_router_route_table_propagation" "f" {
  transit_router_route_table_id = alicloud_cen_transit_router_route_table.x["spokes"].transit_router_route_table_id
  transit_router_attachment_id  = alicloud_cen_transit_router_vpc_attachment.t["f"].transit_router_attachment_id
}
resource "alicloud_cen_transit_router_route_entry" "return" {
  transit_router_route_table_id                     = alicloud_cen_transit_router_route_table.x["spokes"].transit_router_route_table_id
  transit_router_route_entry_destination_cidr_block = "10.1.0.0/16"
  transit_router_route_entry_next_hop_type          = "Attachment"
  transit_router_route_entry_next_hop_id            = alicloud_cen_transit_router_vpc_attachment.t["f"].transit_router_attachment_id
}
resource "alicloud_cen_transit_router_route_entry" "backup" {
  transit_router_route_table_id                     = alicloud_cen_transit_router_route_table.x["spokes"].transit_router_route_table_id
  transit_router_route_entry_destination_cidr_block = "10.0.0.0/8"
  transit_router_route_entry_next_hop_type          = "Attachment"
  transit_router_route_entry_next_hop_id            = alicloud_cen_transit_router_vpc_attachment.t["b"].transit_router_attachment_id
}
resource "alicloud_route_entry" "announced" {
  route_table_id        = alicloud_vpc.v["f"].route_table_id
  destination_cidrblock = "10.2.0.0/16"
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.h["fw-1"].id
}
resource "alicloud_route_entry" "back" {
  route_table_id        = alicloud_vpc.v["f"].route_table_id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "Instance"
  nexthop_id            = alicloud_instance.h["fw-1"].id
}
resource "alicloud_cen_route_entry" "announced" {
  instance_id    = alicloud_vpc.v["f"].id
  route_table_id = alicloud_vpc.v["f"].route_table_id
  cidr_block     = alicloud_route_entry.announced.destination_cidrblock
}
resource "alicloud_route_table" "f" {
  vpc_id = alicloud_vpc.v["f"].id
}
resource "alicloud_route_table_attachment" "f" {
  route_table_id = alicloud_route_table.f.id
  vswitch_id     = alicloud_vswitch.s["f1"].id
}
resource "alicloud_route_entry" "onward" {
  for_each              = toset(["10.1.0.0/16", "10.2.0.0/16"])
  route_table_id        = alicloud_route_table.f.id
  destination_cidrblock = each.value
  nexthop_type          = "Attachment"
  nexthop_id            = alicloud_cen_transit_router_vpc_attachment.t["f"].transit_router_attachment_id
}
resource "alicloud_route_entry" "spoke" {
  for_each              = toset(["a", "b"])
  route_table_id        = alicloud_vpc.v[each.key].route_table_id
  destination_cidrblock = "10.0.0.0/8"
  nexthop_type          = "Attachment"
  nexthop_id            = alicloud_cen_transit_router_vpc_attachment.t[each.key].transit_router_attachment_id
}
resource "alicloud_nat_gateway" "n" {
  nat_gateway_name = "egress"
  vpc_id           = alicloud_vpc.v["a"].id
  vswitch_id       = alicloud_vswitch.s["a2"].id
  nat_type         = "Enhanced"

  availability_mode = "SingleAZ"
}
resource "alicloud_eip_address" "n" {}
resource "alicloud_eip_association" "n" {
  allocation_id = alicloud_eip_address.n.id
  instance_id   = alicloud_nat_gateway.n.id
}
resource "alicloud_snat_entry" "n" {
  snat_table_id = alicloud_nat_gateway.n.snat_table_ids
  source_cidr   = "10.1.0.0/16"
  snat_ip       = alicloud_eip_address.n.ip_address
}
resource "alicloud_route_entry" "out" {
  route_table_id        = alicloud_vpc.v["a"].route_table_id
  destination_cidrblock = "0.0.0.0/0"
  nexthop_type          = "NatGateway"
  nexthop_id            = alicloud_nat_gateway.n.id
}
"#;

const ZONES: &str =
    "edition 2027\nzone a = tag tier=a\nzone b = tag tier=b\nzone fw = tag tier=f\nzone internet = outside\n";

fn read_both(net: &str, intent: &str) -> (Inventory, Intent) {
    common::read_both(net, &format!("{ZONES}{intent}"))
}

fn run(intent: &str) -> CheckReport {
    let (inv, intent) = read_both(NET, intent);
    check(&inv, &intent, common::today(), &CheckOptions::default())
}

/// The verdicts of the statements of the only test.
fn statements(body: &str) -> Vec<Verdict> {
    let r = run(&format!("test \"t\" {{\n{body}\n}}\n"));
    r.tests[0].statements.iter().map(|s| s.1).collect()
}

use Verdict::{Holds, Undecided, Violated};

#[test]
fn the_intact_network_goes_past_the_firewall() {
    let r = run("must a -> b : tcp/80\na -> b through fw\nmust a -> internet : tcp/443\n");
    let v: Vec<Verdict> = r.clauses.iter().map(|c| c.verdict).collect();
    assert_eq!(v, [Holds, Holds, Holds], "{:#?}", r.findings);
}

/// ALIBABA.md §10.2, §10.4; decision 17, 1: what was learned is withdrawn, and a shorter route takes over.
#[test]
fn an_attachment_that_is_down_withdraws_its_routes() {
    let v = statements(
        "a can reach b on tcp/80\nwith down tr to-f { a cannot reach b on tcp/80 }\n\
         with down tr to-b { a cannot reach b on any }\nwith down ecs fw-1 { a cannot reach b on any }",
    );
    // Without the firewall's attachment the backup carries it past the firewall; without the firewall alone the
    // announcement stays, and leads nowhere.
    assert_eq!(v, [Holds, Violated, Holds, Holds]);
    let r = run("test \"t\" {\n  with down tr to-f { a cannot reach b on tcp/80 }\n}\n");
    assert_eq!(r.verdict, Violated);
    let f = &r.findings[0];
    assert_eq!(f.code, "REACH005");
    assert!(f.notes.iter().any(|n| n == "with tr to-f down"), "{:?}", f.notes);
    let path: Vec<&str> = f
        .witness
        .as_ref()
        .unwrap()
        .path
        .iter()
        .map(|h| h.at.as_str())
        .collect();
    assert!(path.iter().all(|p| !p.contains("fw-1")), "{path:?}");
}

/// ALIBABA.md §8; decision 17, 4.
#[test]
fn a_nat_gateway_that_is_down_translates_nothing() {
    let v = statements(
        "a can reach internet on tcp/443\nwith down nat egress { a cannot reach internet on any }\n\
         with down nat egress, tr to-f { a cannot reach internet on any }",
    );
    assert_eq!(v, [Holds, Holds, Holds]);
}

/// ALIBABA.md §2, §8; decision 17, 8: a zone takes its endpoints, its NAT gateway and its zone mappings along.
#[test]
fn a_zone_takes_along_what_is_in_it() {
    let v = statements(
        "with down az z-2 { a can reach b on tcp/80 }\nwith down az z-2 { a cannot reach internet on any }\n\
         with down az z-1 { a can reach b on tcp/80 }\nwith down az z-1 { a can reach internet on tcp/443 }",
    );
    // One of `a` is left in either zone; of `b` nobody is left without z-1.
    assert_eq!(v, [Holds, Holds, Violated, Holds]);
}

/// ALIBABA.md §8; decision 17, 8: unless it is bound to its zone, a NAT gateway may go on from another.
#[test]
fn a_nat_gateway_in_a_failed_zone_is_down_only_where_that_is_known() {
    let body = "test \"t\" {\n  a can reach internet on tcp/443\n  with down az z-2 { a cannot reach internet on any }\n  \
                with down az z-2 { a can reach internet on tcp/443 }\n  with down nat egress { a cannot reach internet on any }\n}\n";
    let single = "availability_mode = \"SingleAZ\"";
    assert!(NET.contains(single));
    for (mode, expected) in [
        (single, [Holds, Holds, Violated, Holds]),
        (
            "availability_mode = \"CrossAZ\"",
            [Holds, Undecided, Undecided, Holds],
        ),
        ("", [Holds, Undecided, Undecided, Holds]),
    ] {
        let (inv, intent) = read_both(&NET.replace(single, mode), body);
        let r = check(&inv, &intent, common::today(), &CheckOptions::default());
        let said: Vec<_> = r.tests[0].statements.iter().map(|s| (s.1, &s.2)).collect();
        let v: Vec<Verdict> = said.iter().map(|s| s.0).collect();
        assert_eq!(v, expected, "{mode}: {said:#?}");
    }
}

#[test]
fn a_name_that_nothing_has_is_undecided_and_the_names_are_told() {
    let r = run("test \"t\" {\n  with down nat egres { a cannot reach internet on any }\n}\n");
    assert_eq!(r.tests[0].verdict, Undecided);
    assert_eq!(r.verdict, Undecided);
    let said = &r.tests[0].statements[0].2[0];
    assert!(
        said.contains("no `nat` is called `egres`; there are egress"),
        "{said}"
    );
    assert_eq!(r.findings.len(), 1, "{:#?}", r.findings);
}

/// Decision 17, 6: of several next hops those that are left are used, and a route with one alone stays and drops.
#[test]
fn next_hops_and_static_routes() {
    let (inv, _) = read_both(NET, "");
    let of = |kind, name: &str| {
        let d = Down {
            kind,
            name: name.to_string(),
        };
        find(&inv, &d).unwrap()
    };
    let left = down(&inv, &of(DownKind::Tr, "to-f"));
    assert!(left.typed.tr_routes.iter().any(|r| r.hop == TrHop::Blackhole));
    assert_eq!(left.typed.attachments.len(), inv.typed.attachments.len());
    let fw = of(DownKind::Ecs, "fw-1");
    let alone = down(&inv, &fw);
    assert_eq!(alone.typed.route_entries, inv.typed.route_entries);
    let mut two = inv.clone();
    let spare = inv
        .typed
        .interfaces
        .iter()
        .position(|i| i.meta.origin.address.contains("b-1"))
        .unwrap();
    let spare = NextHop::Interface(bartizan_model::InterfaceId(u32::try_from(spare).unwrap()));
    for r in &mut two.typed.route_entries {
        if matches!(r.next_hops[..], [NextHop::Interface(_)]) {
            r.next_hops.push(spare.clone());
        }
    }
    let left = down(&two, &fw);
    let hops = |inv: &Inventory| -> usize { inv.typed.route_entries.iter().map(|r| r.next_hops.len()).sum() };
    assert_eq!(hops(&left), hops(&inv));
    assert!(left.typed.check_ids().is_ok());
}

#[test]
fn failover_tells_what_leaks_what_breaks_and_what_is_bypassed() {
    let (inv, intent) = read_both(
        NET,
        "must a -> b : tcp/80\na -> b through fw\nmust a -> internet : tcp/443\nnever internet -> a : any\n",
    );
    let f = Frame::new(&inv, &intent, common::today());
    let mut steps = Vec::new();
    let r = failover(&f, common::today(), |done, all| steps.push((done, all)));
    assert_eq!(r.holding, (4, 4));
    assert_eq!(r.failures.len(), everything(&inv).len());
    assert_eq!(steps.len(), r.failures.len());
    let of = |name: &str| -> Vec<(Effect, &str)> {
        let f = r.failures.iter().find(|f| f.name.contains(name)).unwrap();
        f.affected.iter().map(|a| (a.effect, a.text.as_str())).collect()
    };
    assert_eq!(
        of("vpc_attachment.t[\"f\"]"),
        [
            (Effect::Bypassed, "a -> b through fw"),
            // The static way back to it is a blackhole now.
            (Effect::Breaks, "must a -> b : tcp/80"),
        ]
    );
    assert_eq!(
        of("nat_gateway.n"),
        [(Effect::Breaks, "must a -> internet : tcp/443")]
    );
    assert_eq!(of("h[\"fw-1\"]"), [(Effect::Breaks, "must a -> b : tcp/80")]);
    assert!(r.any(Effect::Bypassed) && !r.any(Effect::Leaks));
    // The path of the bypass, and where what carries it is written.
    let f = r.failures.iter().find(|f| f.name.contains("t[\"f\"]")).unwrap();
    assert!(!f.affected[0].path.is_empty() && f.affected[0].at.is_some());
}

/// What is left is an inventory like any other: engine and interpreter agree about it, whatever failed.
#[test]
fn engine_and_interpreter_agree_about_what_is_left() {
    let (mut failures, mut arriving) = (0, 0);
    for k in 0..120 {
        let mut r = Rng::for_item(17, k);
        let inv = random_inventory(&mut r, Features::all());
        let mut things = everything(&inv);
        things.extend(
            (0u32..)
                .map(VswitchId)
                .take(inv.typed.vswitches.len())
                .map(Thing::Vswitch),
        );
        let interfaces = (0u32..).map(InterfaceId).take(inv.typed.interfaces.len());
        things.extend(interfaces.map(Thing::Interface));
        for _ in 0..4 {
            let Some(thing) = r.pick(&things) else { continue };
            let left = down(&inv, std::slice::from_ref(thing));
            assert!(left.typed.check_ids().is_ok(), "network {k}: {thing:?}");
            let queries = Universe::new(&left).sample(&mut r, 80);
            let truth = OracleEngine.check(&left, &queries);
            assert_eq!(truth.len(), queries.len(), "network {k}: {thing:?}");
            assert_eq!(
                truth,
                PointEngine.check(&left, &queries),
                "network {k}: {thing:?}"
            );
            assert_eq!(
                truth,
                MatrixEngine.check(&left, &queries),
                "network {k}: {thing:?}"
            );
            failures += 1;
            arriving += truth.iter().filter(|a| a.delivered).count();
        }
    }
    assert!(failures > 400 && arriving > 1_000, "{failures} {arriving}");
}

// §9.6; decision 17, 6.
#[test]
fn the_endpoint_of_a_gateway_load_balancer_can_be_down() {
    let intent = "edition 2027\nzone a = ecs \"a\"\nzone internet = outside\nmust internet -> a : tcp/443\n\
                  test \"t\" {\n  internet can reach a on https\n  with down eni inspect { internet can reach a on https }\n  \
                  with down az cn-hangzhou-h { internet cannot reach a }\n}\n";
    let (inv, intent) = common::read_both(&common::vector("L11"), intent);
    let mut opt = CheckOptions::default();
    opt.readings = opt.readings.with(Assumption::Gwlb1, false);
    let r = check(&inv, &intent, common::today(), &opt);
    let got: Vec<Verdict> = r.tests[0].statements.iter().map(|s| s.1).collect();
    assert_eq!(
        got,
        [Verdict::Holds, Verdict::Violated, Verdict::Holds],
        "{:?}",
        r.findings
    );
    let frame = Frame::new(&inv, &intent, common::today()).under(&opt.readings);
    let f = failover(&frame, common::today(), |_, _| {});
    let broken = f.failures.iter().filter(|x| x.name.contains("endpoint.inspect"));
    assert!(
        broken
            .flat_map(|x| &x.affected)
            .any(|a| a.effect == Effect::Breaks)
    );
}

/// Two VPCs that a pair of router interfaces joins, and nothing else.
const PAIR: &str = r#"
locals { nets = { a = "10.1", b = "10.2" } }
resource "alicloud_vpc" "v" {
  for_each   = local.nets
  cidr_block = "${each.value}.0.0/16"
}
resource "alicloud_vswitch" "s" {
  for_each   = local.nets
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = "${each.value}.1.0/24"
  zone_id    = "z-${each.key}"
}
resource "alicloud_security_group" "g" {
  for_each = local.nets
  vpc_id   = alicloud_vpc.v[each.key].id
}
resource "alicloud_security_group_rule" "in" {
  for_each          = local.nets
  security_group_id = alicloud_security_group.g[each.key].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "80/80"
  cidr_ip           = "10.0.0.0/8"
}
resource "alicloud_instance" "h" {
  for_each        = local.nets
  instance_name   = each.key
  vswitch_id      = alicloud_vswitch.s[each.key].id
  private_ip      = "${each.value}.1.10"
  security_groups = [alicloud_security_group.g[each.key].id]
}
resource "alicloud_express_connect_router_interface" "r" {
  for_each           = { a = "InitiatingSide", b = "AcceptingSide" }
  opposite_region_id = "cn-hangzhou"
  role               = each.value
  router_id          = alicloud_vpc.v[each.key].router_id
  router_type        = "VRouter"
  spec               = "Large.1"
}
resource "alicloud_router_interface_connection" "c" {
  interface_id          = alicloud_express_connect_router_interface.r["a"].id
  opposite_interface_id = alicloud_express_connect_router_interface.r["b"].id
}
resource "alicloud_route_entry" "to" {
  for_each              = { a = "10.2.0.0/16", b = "10.1.0.0/16" }
  route_table_id        = alicloud_vpc.v[each.key].route_table_id
  destination_cidrblock = each.value
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_express_connect_router_interface.r[each.key].id
}
"#;

/// Decision 17, 12 (§10.6): a pair of router interfaces is a link, and down at both ends, whichever is named.
#[test]
fn a_pair_of_router_interfaces_can_be_down() {
    let intent =
        "edition 2027\nzone a = ecs \"a\"\nzone b = ecs \"b\"\nmust a -> b : tcp/80\ntest \"t\" {\n  \
                  a can reach b on tcp/80\n  \
                  with down tf \"alicloud_express_connect_router_interface.r[a]\" { a cannot reach b }\n  \
                  with down tf \"alicloud_express_connect_router_interface.r[b]\" { a cannot reach b }\n}\n"
            .replace("r[a]", "r?*a*")
            .replace("r[b]", "r?*b*");
    let (inv, intent) = common::read_both(PAIR, &intent);
    let r = check(&inv, &intent, common::today(), &CheckOptions::default());
    let got: Vec<_> = r.tests[0].statements.iter().map(|s| (s.1, &s.2)).collect();
    assert!(got.iter().all(|s| s.0 == Verdict::Holds), "{got:?}");
    let f = failover(
        &Frame::new(&inv, &intent, common::today()),
        common::today(),
        |_, _| {},
    );
    let links: Vec<_> = f
        .failures
        .iter()
        .filter(|x| x.kind == "router interface")
        .collect();
    assert_eq!(links.len(), 1, "{links:?}");
    assert_eq!(links[0].affected.len(), 1, "{links:?}");
    assert_eq!(links[0].affected[0].effect, Effect::Breaks);
    for thing in everything(&inv)
        .iter()
        .filter(|t| matches!(t, Thing::RouterInterface(_)))
    {
        let left = down(&inv, std::slice::from_ref(thing));
        assert!(left.typed.check_ids().is_ok());
        assert!(
            left.typed
                .router_interfaces
                .iter()
                .all(|i| i.opposite.known() == Some(&None))
        );
    }
}

/// Issue 3: every single link. What a network is joined by is among the things that `failover` takes down.
#[test]
fn failover_knows_every_kind_of_link() {
    let mut kinds: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
    for k in 0..400 {
        let mut r = Rng::for_item(31, k);
        let inv = random_inventory(&mut r, Features::all());
        let t = &inv.typed;
        let all = everything(&inv);
        let count = |f: &dyn Fn(&Thing) -> bool| all.iter().filter(|t| f(t)).count();
        assert_eq!(count(&|t| matches!(t, Thing::Attachment(_))), t.attachments.len());
        assert_eq!(count(&|t| matches!(t, Thing::Router(_))), t.transit_routers.len());
        assert_eq!(count(&|t| matches!(t, Thing::Peering(_))), t.peerings.len());
        assert_eq!(count(&|t| matches!(t, Thing::Nat(_))), t.nat_gateways.len());
        assert_eq!(count(&|t| matches!(t, Thing::Balancer(_))), t.balancers.len());
        assert_eq!(
            count(&|t| matches!(t, Thing::VpnGateway(_))),
            t.vpn_gateways.len()
        );
        assert_eq!(count(&|t| matches!(t, Thing::Vpn(_))), t.vpn_connections.len());
        assert_eq!(count(&|t| matches!(t, Thing::Border(_))), t.border_routers.len());
        assert_eq!(
            count(&|t| matches!(t, Thing::Ipv4Gateway(_))),
            t.ipv4_gateways.len()
        );
        assert_eq!(
            count(&|t| matches!(t, Thing::Ipv6Gateway(_))),
            t.ipv6_gateways.len()
        );
        let pairs = count(&|t| matches!(t, Thing::RouterInterface(_)));
        assert_eq!(pairs == 0, t.router_interfaces.is_empty(), "network {k}");
        assert!(pairs <= t.router_interfaces.len(), "network {k}");
        kinds.extend(all.iter().map(|t| t.kind(&inv)));
    }
    for kind in [
        "attachment",
        "transit router",
        "peering",
        "NAT gateway",
        "load balancer",
        "PrivateLink endpoint",
        "VPN gateway",
        "VPN connection",
        "border router",
        "router interface",
        "IPv4 gateway",
    ] {
        assert!(kinds.contains(kind), "no random network has a {kind}: {kinds:?}");
    }
}
