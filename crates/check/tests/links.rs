//! Links of the intent (docs/language.md, "Links"): what is behind them, what sites pass on, and what is undecided
//! until somebody says it (FEATURES S2.1, S2.12, S5.6, S5.8).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use bartizan_base::Verdict;
use bartizan_check::{CheckOptions, CheckReport, check};

/// Development with a VPN to the office, production with a line to the data centre; nothing in the cloud joins the two.
/// Everything is open in both.
const NET: &str = r#"
locals { blocks = { dev = "10.0.0.0/16", prod = "10.1.0.0/16" } }
resource "alicloud_vpc" "v" {
  for_each   = local.blocks
  vpc_name   = each.key
  cidr_block = each.value
}
resource "alicloud_vswitch" "v" {
  for_each   = local.blocks
  vpc_id     = alicloud_vpc.v[each.key].id
  cidr_block = each.value
}
resource "alicloud_security_group" "g" {
  for_each            = local.blocks
  vpc_id              = alicloud_vpc.v[each.key].id
  inner_access_policy = "Drop"
}
resource "alicloud_security_group_rule" "open" {
  for_each          = local.blocks
  security_group_id = alicloud_security_group.g[each.key].id
  type              = "ingress"
  ip_protocol       = "tcp"
  port_range        = "443/443"
  cidr_ip           = "0.0.0.0/0"
}
resource "alicloud_instance" "h" {
  for_each        = local.blocks
  instance_name   = each.key
  vswitch_id      = alicloud_vswitch.v[each.key].id
  private_ip      = cidrhost(each.value, 10)
  security_groups = [alicloud_security_group.g[each.key].id]
}
resource "alicloud_vpn_gateway" "g" {
  vpc_id     = alicloud_vpc.v["dev"].id
  vswitch_id = alicloud_vswitch.v["dev"].id
  bandwidth  = 10
}
resource "alicloud_vpn_customer_gateway" "hq" {
  customer_gateway_name = "hq"
  ip_address            = "203.0.113.1"
}
resource "alicloud_vpn_connection" "hq" {
  vpn_gateway_id      = alicloud_vpn_gateway.g.id
  customer_gateway_id = alicloud_vpn_customer_gateway.hq.id
  local_subnet        = ["10.0.0.0/16"]
  remote_subnet       = ["10.0.0.0/8"]
  auto_config_route   = false
}
resource "alicloud_vpn_route_entry" "hq" {
  vpn_gateway_id = alicloud_vpn_gateway.g.id
  next_hop       = alicloud_vpn_connection.hq.id
  route_dest     = "10.0.0.0/8"
  weight         = 100
  publish_vpc    = true
}
resource "alicloud_express_connect_virtual_border_router" "dc" {
  virtual_border_router_name = "dc-1"
  physical_connection_id     = "pc-1"
  vlan_id                    = 1
  local_gateway_ip           = "10.255.0.1"
  peer_gateway_ip            = "10.255.0.2"
  peering_subnet_mask        = "255.255.255.252"
}
resource "alicloud_router_interface" "v" {
  opposite_region = "cn-hangzhou"
  router_type     = "VRouter"
  router_id       = alicloud_vpc.v["prod"].router_id
  role            = "AcceptingSide"
}
resource "alicloud_router_interface" "b" {
  opposite_region = "cn-hangzhou"
  router_type     = "VBR"
  router_id       = alicloud_express_connect_virtual_border_router.dc.id
  role            = "InitiatingSide"
}
resource "alicloud_router_interface_connection" "c" {
  interface_id          = alicloud_router_interface.b.id
  opposite_interface_id = alicloud_router_interface.v.id
}
resource "alicloud_route_entry" "there" {
  route_table_id        = alicloud_vpc.v["prod"].route_table_id
  destination_cidrblock = "10.0.0.0/8"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_router_interface.v.id
}
resource "alicloud_route_entry" "back" {
  route_table_id        = alicloud_express_connect_virtual_border_router.dc.route_table_id
  destination_cidrblock = "10.1.0.0/16"
  nexthop_type          = "RouterInterface"
  nexthop_id            = alicloud_router_interface.b.id
}
"#;

const LINKS: &str = "link office = vpn \"hq\" { networks 10.200.0.0/16 }\n\
                     link line   = vbr \"dc-1\" { networks 10.50.0.0/16 }\n";
const ZONES: &str = "env dev = vpc \"dev\"\nenv prod = vpc \"prod\"\n\
                     zone hq = via vpn office\nzone centre = via vbr line\n";

fn run(net: &str, intent: &str) -> CheckReport {
    let (inv, intent) = common::read_both(net, intent);
    check(
        &inv,
        &intent,
        "2026-11-26".parse().unwrap(),
        &CheckOptions::default(),
    )
}

fn verdicts(r: &CheckReport) -> Vec<Verdict> {
    r.clauses.iter().map(|c| c.verdict).collect()
}

use Verdict::{Holds, Undecided, Violated};

// S2.1: dev -> on-premises -> prod.
#[test]
fn a_path_through_a_site_is_found_and_shown() {
    let never = "never env dev -> env prod : any because \"test code\"\n";
    let one = run(
        NET,
        &format!("{LINKS}site company = office, line\n{ZONES}{never}"),
    );
    assert_eq!(verdicts(&one), [Violated]);
    let findings: Vec<_> = one.findings.iter().filter(|f| f.code == "REACH001").collect();
    let [f] = findings.as_slice() else {
        panic!("{:#?}", one.findings)
    };
    let path = format!("{f:#?}");
    for hop in [
        "alicloud_vpn_connection.hq",
        "site company",
        "alicloud_express_connect_virtual_border_router.dc",
    ] {
        assert!(path.contains(hop), "{hop}: {path}");
    }
    let unsaid = run(NET, &format!("{LINKS}{ZONES}{never}"));
    assert_eq!(verdicts(&unsaid), [Undecided], "nobody said what the sites do");
    let apart = run(NET, &format!("{LINKS}apart office, line\n{ZONES}{never}"));
    assert_eq!(verdicts(&apart), [Holds]);
}

#[test]
fn links_say_what_is_behind_them() {
    let clauses = "must centre -> env prod : https because \"x\"\nmust hq -> env dev : https because \"x\"\n\
                   never hq -> env prod : any because \"x\"\nnever centre -> env dev : any because \"x\"\n";
    let r = run(NET, &format!("{LINKS}apart office, line\n{ZONES}{clauses}"));
    assert_eq!(verdicts(&r), [Holds; 4], "{:#?}", r.findings);
    assert!(r.clauses.iter().all(|c| format!("{c:?}").contains("A-LINK-1")));
}

// 014, 3: a border router whose site nobody names.
#[test]
fn what_nobody_says_is_undecided() {
    let r = run(
        NET,
        "env prod = vpc \"prod\"\nnever cidr 10.50.0.0/16 -> env prod : any because \"x\"\n",
    );
    assert_eq!(verdicts(&r), [Undecided]);
}

// S2.12: a default route that is learned is told about, and what it attracts is seen.
#[test]
fn a_learned_default_route_takes_packets_away() {
    let text = format!("{LINKS}apart office, line\n{ZONES}must env prod -> centre : https because \"x\"\n");
    assert_eq!(verdicts(&run(NET, &text)), [Holds]);
    let less = text.replace("10.50.0.0/16 }", "10.50.0.0/16   learned 10.51.0.0/16 }");
    assert_eq!(
        verdicts(&run(NET, &less)),
        [Violated],
        "no route to the networks is announced"
    );
}

#[test]
fn a_link_that_matches_nothing_is_told_about() {
    let r = run(
        NET,
        "link a = vpn \"nothing-*\" { networks 10.9.0.0/16 }\nenv dev = vpc \"dev\"\n",
    );
    assert!(
        r.diagnostics
            .iter()
            .any(|d| d.code == "INTENT009" && d.message.contains("`a`"))
    );
}

// 014: where routes lead packets for the Internet to a site, nothing is known of what becomes of them.
#[test]
fn backhaul_is_undecided_unless_the_link_excludes_it() {
    let net = NET
        .replace(
            "remote_subnet       = [\"10.0.0.0/8\"]",
            "remote_subnet       = [\"0.0.0.0/0\"]",
        )
        .replace(
            "route_dest     = \"10.0.0.0/8\"",
            "route_dest     = \"0.0.0.0/0\"",
        );
    let never = "never env dev -> outside : any because \"x\"\n";
    let r = run(&net, &format!("{LINKS}apart office, line\n{ZONES}{never}"));
    assert_eq!(verdicts(&r), [Undecided]);
    let none = LINKS.replace("/16 }", "/16   internet none }");
    let r = run(&net, &format!("{none}apart office, line\n{ZONES}{never}"));
    assert_eq!(verdicts(&r), [Holds]);
}

/// ALIBABA.md §11, §12; docs/decisions/017, 10 and 11: a link that is down carries nothing and announces nothing.
#[test]
fn a_link_that_is_down_carries_nothing() {
    let r = run(
        NET,
        &format!(
            "{LINKS}{ZONES}test \"t\" {{\n  dev can reach hq on tcp/443\n  prod can reach centre on tcp/443\n  \
             with down vpn hq {{ dev cannot reach hq on any }}\n  \
             with down vbr dc-1 {{ dev can reach hq on tcp/443 }}\n  \
             with down vbr dc-1 {{ prod cannot reach centre on any }}\n}}\n"
        ),
    );
    let said: Vec<_> = r.tests[0].statements.iter().map(|s| (s.1, &s.2)).collect();
    let v: Vec<Verdict> = said.iter().map(|s| s.0).collect();
    assert_eq!(v, [Verdict::Holds; 5], "{said:#?}");
}

/// ALIBABA.md §12: with two tunnels a VPN gateway hands over in either of two vSwitches. Where they differ nothing is
/// claimed, and where one of them is down the gateway is not certainly so (docs/decisions/017, 8).
#[test]
fn a_gateway_with_two_vswitches() {
    let link = "  disaster_recovery_vswitch_id = alicloud_vswitch.dr.id\n";
    let two = NET
        .replace("  bandwidth  = 10\n", &format!("  bandwidth  = 10\n{link}"))
        .replacen(
            "  vpc_id     = alicloud_vpc.v[each.key].id\n  cidr_block = each.value\n",
            "  vpc_id     = alicloud_vpc.v[each.key].id\n  cidr_block = cidrsubnet(each.value, 1, 0)\n",
            1,
        );
    let two = format!(
        r#"{two}
resource "alicloud_vswitch" "dr" {{
  vpc_id     = alicloud_vpc.v["dev"].id
  cidr_block = "10.0.200.0/24"
  zone_id    = "z-9"
}}
resource "alicloud_instance" "dr" {{
  instance_name   = "spare"
  vswitch_id      = alicloud_vswitch.dr.id
  private_ip      = "10.0.200.10"
  security_groups = [alicloud_security_group.g["dev"].id]
}}
"#
    );
    let table = r#"
resource "alicloud_route_table" "dr" {
  vpc_id = alicloud_vpc.v["dev"].id
}
resource "alicloud_route_table_attachment" "dr" {
  vswitch_id     = alicloud_vswitch.dr.id
  route_table_id = alicloud_route_table.dr.id
}
"#;
    let acl = r#"
resource "alicloud_network_acl" "dr" {
  vpc_id = alicloud_vpc.v["dev"].id
  resources {
    resource_id   = alicloud_vswitch.dr.id
    resource_type = "VSwitch"
  }
}
"#;
    let links = LINKS.replace("10.200.0.0/16", "10.200.0.0/16 internet none");
    let claims = format!(
        "{links}{ZONES}zone spare = ecs \"spare\"\nmust hq -> spare : tcp/443\nnever hq -> spare : tcp/80\n"
    );
    assert_eq!(verdicts(&run(&two, &claims)), [Holds, Holds]);
    for other in [table, acl] {
        let differ = format!("{two}{other}");
        assert_eq!(
            verdicts(&run(&differ, &claims)),
            [Undecided, Undecided],
            "{other}"
        );
        // The first alone is what it was.
        let one = verdicts(&run(&differ.replace(link, ""), &claims));
        assert_eq!(one[1], Holds, "{other}");
    }
    let tests = format!(
        "{links}{ZONES}zone spare = ecs \"spare\"\ntest \"t\" {{\n  hq can reach spare on tcp/443\n  \
         with down tf \"alicloud_vswitch.v[*dev*]\" {{ hq cannot reach spare on any }}\n  \
         with down az z-9 {{ hq can reach dev on tcp/443 }}\n}}\n"
    );
    for (net, expected) in [
        (two.clone(), [Holds, Undecided, Holds]),
        (two.replace(link, ""), [Holds, Holds, Holds]),
    ] {
        let r = run(&net, &tests);
        let said: Vec<_> = r.tests[0].statements.iter().map(|s| (s.1, &s.2)).collect();
        let v: Vec<Verdict> = said.iter().map(|s| s.0).collect();
        assert_eq!(v, expected, "{said:#?}");
    }
}

// A link that is misspelt narrows nothing, so that is said, with the name that was meant.
#[test]
fn a_link_that_is_nowhere_is_said_with_what_was_meant() {
    let with = |name: &str| {
        let text = format!("edition 2027\nlink office = vpn \"*\"\nzone z = via vpn {name}\n");
        let (inv, intent) = common::read_both(NET, &text);
        let (_, said) = bartizan_check::with_links(&inv, &intent);
        said.iter()
            .map(|d| format!("{} ({})", d.message, d.help.clone().unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    assert_eq!(with("office"), Vec::<String>::new());
    assert_eq!(
        with("ofice"),
        ["`via vpn ofice` matches nothing in this inventory (did you mean `office`?)"]
    );
    assert_eq!(
        with("elsewhere"),
        [
            "`via vpn elsewhere` matches nothing in this inventory (declare it: `link elsewhere = vpn \"PATTERN\"`)"
        ]
    );
}

/// ALIBABA.md §12; docs/decisions/017, 8: with both of its vSwitches a VPN gateway is down, whether they are alike or not.
#[test]
fn a_gateway_goes_with_both_of_its_vswitches() {
    let link = "  disaster_recovery_vswitch_id = alicloud_vswitch.w[\"dr\"].id\n";
    let net = NET
        .replace("  bandwidth  = 10\n", &format!("  bandwidth  = 10\n{link}"))
        .replacen(
            "  vpc_id     = alicloud_vpc.v[each.key].id\n  cidr_block = each.value\n",
            "  vpc_id     = alicloud_vpc.v[each.key].id\n  cidr_block = cidrsubnet(each.value, 1, 0)\n",
            1,
        );
    let net = format!(
        r#"{net}
resource "alicloud_vswitch" "w" {{
  for_each   = {{ dr = "10.0.200.0/24", rest = "10.0.201.0/24" }}
  vpc_id     = alicloud_vpc.v["dev"].id
  cidr_block = each.value
}}
resource "alicloud_instance" "rest" {{
  instance_name   = "rest"
  vswitch_id      = alicloud_vswitch.w["rest"].id
  private_ip      = "10.0.201.10"
  security_groups = [alicloud_security_group.g["dev"].id]
}}
"#
    );
    let acl = r#"
resource "alicloud_network_acl" "dr" {
  vpc_id = alicloud_vpc.v["dev"].id
  resources {
    resource_id   = alicloud_vswitch.w["dr"].id
    resource_type = "VSwitch"
  }
}
"#;
    let links = LINKS.replace("10.200.0.0/16", "10.200.0.0/16 internet none");
    let (first, second) = (
        "tf \"alicloud_vswitch.v[*dev*]\"",
        "tf \"alicloud_vswitch.w[*dr*]\"",
    );
    let tests = format!(
        "{links}{ZONES}zone rest = ecs \"rest\"\ntest \"t\" {{\n  \
         with down {first} {{ hq can reach rest on tcp/443 }}\n  \
         with down {second} {{ hq can reach rest on tcp/443 }}\n  \
         with down {first}, {second} {{ hq can reach rest on tcp/443 }}\n}}\n"
    );
    for (net, expected) in [
        (net.clone(), [Undecided, Holds, Violated]),
        // Where the two differ the gateway is not understood, and down all the same.
        (format!("{net}{acl}"), [Undecided; 3]),
    ] {
        let r = run(&net, &tests);
        let said: Vec<_> = r.tests[0].statements.iter().map(|s| (s.1, &s.2)).collect();
        let v: Vec<Verdict> = said.iter().map(|s| s.0).collect();
        assert_eq!(v, expected, "{said:#?}");
    }
}

/// ALIBABA.md §12: what comes in by a VPN gateway that may not exist does not come in for certain.
#[test]
fn a_gateway_that_may_not_exist_carries_nothing_for_certain() {
    let links = LINKS.replace("10.200.0.0/16", "10.200.0.0/16 internet none");
    let claims = format!("{links}{ZONES}must hq -> env dev : tcp/443\n");
    assert_eq!(verdicts(&run(NET, &claims)), [Holds]);
    let maybe = NET
        .replace(
            "resource \"alicloud_vpn_gateway\" \"g\" {\n",
            "variable \"vpn\" {}\nresource \"alicloud_vpn_gateway\" \"g\" {\n  count      = var.vpn ? 1 : 0\n",
        )
        .replace("alicloud_vpn_gateway.g.id", "alicloud_vpn_gateway.g[0].id");
    assert_eq!(verdicts(&run(&maybe, &claims)), [Undecided]);
}
