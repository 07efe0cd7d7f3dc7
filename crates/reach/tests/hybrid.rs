//! Links to other sites (ALIBABA.md §10.4, §11, §12), by engine and interpreter; the numbers are those of
//! docs/decisions/014.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use bartizan_model::*;
use bartizan_oracle::{Endpoint, Options, Oracle};
use bartizan_packet::Proto;
use bartizan_reach::{CompileOptions, Inside, Mode, Point, compile};
use bartizan_testkit::{GroupKind, InventoryBuilder, rule};
use std::net::IpAddr;

/// A VPC 10.0.0.0/16 with `a` at 10.0.0.1 in vSwitch 10.0.0.0/24, where everything is let in; a site 172.16.0.0/16.
struct Net {
    b: InventoryBuilder,
    vpc: VpcId,
    vsw: VswitchId,
    a: InterfaceId,
    site: SiteId,
}

fn open(b: &mut InventoryBuilder, vpc: VpcId, name: &str) -> SecurityGroupId {
    let g = b.sg(name, vpc, GroupKind::BasicDrop);
    b.rule(g, rule("in accept all -1/-1 from 0.0.0.0/0"));
    g
}

impl Net {
    fn new() -> Self {
        let mut b = InventoryBuilder::new();
        let vpc = b.vpc("main", "10.0.0.0/16");
        let vsw = b.vswitch("v", vpc, "10.0.0.0/24");
        let g = open(&mut b, vpc, "open");
        let a = b.eni("a", vsw, &[g], "10.0.0.1");
        let site = b.site("hq", &["172.16.0.0/16"]);
        Net { b, vpc, vsw, a, site }
    }

    /// Another VPC with one host.
    fn host(&mut self, name: &str, cidr: &str, block: &str, ip: &str) -> (VpcId, VswitchId, InterfaceId) {
        let vpc = self.b.vpc(name, cidr);
        let vsw = self.b.vswitch(&format!("{name}-v"), vpc, block);
        let g = open(&mut self.b, vpc, &format!("{name}-open"));
        let eni = self.b.eni(&format!("{name}-h"), vsw, &[g], ip);
        (vpc, vsw, eni)
    }

    fn table(&self) -> RouteTableId {
        self.b.typed()[self.vpc].system_table
    }

    fn at(&self, site: SiteId) -> InterfaceId {
        self.b.typed()[site].interface
    }

    /// A gateway with a connection that carries what is given; the VPC routes `to` to it.
    fn vpn(&mut self, local: &[&str], remote: &[&str], to: &str) -> (VpnGatewayId, VpnConnectionId) {
        let g = self.b.vpn_gateway("gw", self.vpc, Some(self.vsw));
        let c = self
            .b
            .vpn_connection("c", VpnEnd::Gateway(g.into()), self.site, local, remote);
        let table = self.table();
        self.b.route(table, to, NextHop::Vpn(g));
        (g, c)
    }

    /// Whether a request is delivered, and whether its reply gets back. Interpreter and engine have to agree.
    fn ask(&self, from: (InterfaceId, &str), to: (InterfaceId, &str)) -> (bool, bool) {
        let inv = self.b.clone().build();
        let oracle = Oracle::new(&inv, Options::normative()).unwrap();
        let net = compile(
            &inv,
            Mode::Widen,
            &CompileOptions {
                readings: common::readings(true),
                ..CompileOptions::default()
            },
        );
        let place = |(i, ip): (InterfaceId, &str)| {
            let ip: IpAddr = ip.parse().unwrap();
            let owns = |a: &Address| match a.spec {
                AddressSpec::Ip(x) => x == ip,
                AddressSpec::Block(n) => n.contains(&ip),
                _ => false,
            };
            let addr = inv.typed[i].addresses.iter().position(owns).unwrap();
            (i, u32::try_from(addr).unwrap(), ip)
        };
        let (s, d) = (place(from), place(to));
        let end = |(interface, address, ip)| Endpoint::Address {
            interface,
            address,
            ip,
        };
        let o = oracle.deliver(end(s), end(d), Proto::TCP, 40_000, 443);
        let point = |(iface, addr, ip)| Point::Inside(Inside { iface, addr, ip });
        let f = net.flow_from_port(point(s), point(d), 40_000);
        let atom = net.atoms.atom_of(Proto::TCP, 443);
        let e = (f.delivered.contains(atom), f.works.contains(atom));
        assert_eq!((o.delivered, o.reply), e, "interpreter and engine");
        let t = bartizan_reach::trace(&net, &inv, point(s), point(d), Proto::TCP, 40_000, 443);
        assert_eq!((t.delivered, t.works), e, "trace and engine");
        e
    }
}

const BOTH: (bool, bool) = (true, true);
const LOST: (bool, bool) = (true, false);
const NONE: (bool, bool) = (false, false);

// §12: VPC route -> VPN gateway -> destination route -> connection, and back.
#[test]
fn a_vpn_carries_what_routes_and_blocks_say() {
    let mut n = Net::new();
    let (g, c) = n.vpn(&["10.0.0.0/16"], &["172.16.0.0/16"], "172.16.0.0/12");
    let hq = n.at(n.site);
    // No route in the gateway yet; the way in needs none.
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), NONE);
    assert_eq!(n.ask((hq, "172.16.1.1"), (n.a, "10.0.0.1")), LOST);
    n.b.vpn_route(Some(g), None, "172.16.0.0/16", c, true, false);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), BOTH);
    assert_eq!(n.ask((hq, "172.16.1.1"), (n.a, "10.0.0.1")), BOTH);
}

// §12: phase-2 blocks limit what is carried, whatever the routes say.
#[test]
fn blocks_limit_what_a_connection_carries() {
    let mut n = Net::new();
    let (g, c) = n.vpn(&["10.0.0.0/16"], &["172.16.1.0/24"], "172.16.0.0/12");
    n.b.vpn_route(Some(g), None, "172.16.0.0/16", c, true, false);
    let hq = n.at(n.site);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), BOTH);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.2.1")), NONE);
    assert_eq!(n.ask((hq, "172.16.2.1"), (n.a, "10.0.0.1")), NONE);
}

// §12: policy routes beat longer destination routes, those BGP; weight 0 is the standby.
#[test]
fn policy_beats_destination_beats_bgp() {
    let mut n = Net::new();
    let (g, c) = n.vpn(&["0.0.0.0/0"], &["0.0.0.0/0"], "172.16.0.0/12");
    let other = n.b.site("dc", &["172.16.0.0/24"]);
    let d = n.b.vpn_connection(
        "d",
        VpnEnd::Gateway(g.into()),
        other,
        &["0.0.0.0/0"],
        &["0.0.0.0/0"],
    );
    n.b.vpn_bgp(d, &["172.16.0.0/24"]);
    let (hq, dc) = (n.at(n.site), n.at(other));
    let ask = |n: &Net| {
        (
            n.ask((n.a, "10.0.0.1"), (hq, "172.16.0.9")).0,
            n.ask((n.a, "10.0.0.1"), (dc, "172.16.0.9")).0,
        )
    };
    assert_eq!(ask(&n), (false, true), "BGP alone");
    n.b.vpn_route(Some(g), None, "172.16.0.0/16", c, false, false);
    assert_eq!(
        ask(&n),
        (true, false),
        "a destination route, though shorter and the only one a standby"
    );
    n.b.vpn_route(Some(g), None, "172.16.0.0/16", d, true, false);
    assert_eq!(ask(&n), (false, true), "an active one beats the standby");
    n.b.vpn_route(Some(g), Some("10.0.0.0/8"), "172.0.0.0/8", c, true, false);
    assert_eq!(ask(&n), (true, false), "a policy route beats all");
    n.b.vpn_route(Some(g), Some("10.1.0.0/16"), "172.16.0.0/24", d, true, false);
    assert_eq!(
        ask(&n),
        (true, false),
        "a policy route for other sources does not count"
    );
}

// §12: `publish_vpc` writes into the tables that take propagated routes, and a custom route beats it.
#[test]
fn published_routes_are_written_into_the_vpc() {
    let mut n = Net::new();
    let g = n.b.vpn_gateway("gw", n.vpc, Some(n.vsw));
    let c = n.b.vpn_connection(
        "c",
        VpnEnd::Gateway(g.into()),
        n.site,
        &["0.0.0.0/0"],
        &["0.0.0.0/0"],
    );
    n.b.vpn_route(Some(g), None, "172.16.0.0/16", c, true, true);
    let hq = n.at(n.site);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), BOTH);
    let table = n.table();
    n.b.takes_propagated(table, false);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), NONE);
}

// §12, 9: `auto_config_route` makes policy routes of the blocks, unless both are everything.
#[test]
fn connections_make_routes_of_their_blocks() {
    for (remote, works) in [("172.16.0.0/16", BOTH), ("0.0.0.0/0", NONE)] {
        let mut n = Net::new();
        let (_, c) = n.vpn(
            &[if works == BOTH { "10.0.0.0/16" } else { "0.0.0.0/0" }],
            &[remote],
            "172.16.0.0/12",
        );
        n.b.vpn_configures(c, true);
        let hq = n.at(n.site);
        assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), works);
    }
}

// §12: SSL-VPN: clients come from the pool and reach the local blocks.
#[test]
fn clients_come_from_their_pool() {
    let mut n = Net::new();
    let g = n.b.vpn_gateway("gw", n.vpc, Some(n.vsw));
    let pool = n.b.site("clients", &["192.168.100.0/24"]);
    n.b.vpn_connection(
        "ssl",
        VpnEnd::Clients(g.into()),
        pool,
        &["10.0.0.0/24"],
        &["192.168.100.0/24"],
    );
    let clients = n.at(pool);
    assert_eq!(
        n.ask((clients, "192.168.100.7"), (n.a, "10.0.0.1")),
        LOST,
        "no route back in the VPC"
    );
    let table = n.table();
    n.b.route(table, "192.168.100.0/24", NextHop::Vpn(g));
    assert_eq!(n.ask((clients, "192.168.100.7"), (n.a, "10.0.0.1")), BOTH);
}

fn border(
    n: &mut Net,
    vpc: VpcId,
    site: SiteId,
    name: &str,
) -> (BorderRouterId, RouterInterfaceId, RouterInterfaceId) {
    let learned: Vec<String> =
        n.b.typed()
            .networks(site)
            .iter()
            .map(ToString::to_string)
            .collect();
    let learned: Vec<&str> = learned.iter().map(String::as_str).collect();
    let b = n.b.border_router(name, site, &learned);
    let (ri, back) =
        n.b.router_interfaces(name, RouterEnd::Vpc(vpc.into()), RouterEnd::Border(b.into()));
    (b, ri, back)
}

// §11: VPC -> router interface -> border router -> site, and back by a route of the border router.
#[test]
fn a_border_router_needs_routes_in_both_directions() {
    let mut n = Net::new();
    let (vpc, site) = (n.vpc, n.site);
    let (b, ri, back) = border(&mut n, vpc, site, "vbr");
    let (table, own) = (n.table(), n.b.typed()[b].table);
    let dc = n.at(n.site);
    n.b.route(table, "172.16.0.0/16", NextHop::RouterInterface(ri));
    assert_eq!(n.ask((n.a, "10.0.0.1"), (dc, "172.16.1.1")), LOST);
    assert_eq!(n.ask((dc, "172.16.1.1"), (n.a, "10.0.0.1")), NONE);
    n.b.route(own, "10.0.0.0/16", NextHop::RouterInterface(back));
    assert_eq!(n.ask((n.a, "10.0.0.1"), (dc, "172.16.1.1")), BOTH);
    assert_eq!(n.ask((dc, "172.16.1.1"), (n.a, "10.0.0.1")), BOTH);
}

// §10.2, §10.3, §11: a transit router learns what the site announces and publishes to the border router.
#[test]
fn a_transit_router_learns_from_a_border_router() {
    for publishes in [true, false] {
        let mut n = Net::new();
        let r = n.b.router("tr", false);
        let table = n.b.typed()[r].system_table;
        let b = n.b.border_router("vbr", n.site, &["172.16.0.0/16"]);
        let v = n.b.attach_vpc("av", r, n.vpc, &[n.vsw], true);
        let x = n.b.attach_border("ab", r, b, publishes);
        for a in [v, x] {
            n.b.associate(a, table).propagate(a, table);
        }
        let dc = n.at(n.site);
        let (out, inward) = if publishes { (BOTH, BOTH) } else { (LOST, NONE) };
        assert_eq!(n.ask((n.a, "10.0.0.1"), (dc, "172.16.1.1")), out);
        assert_eq!(n.ask((dc, "172.16.1.1"), (n.a, "10.0.0.1")), inward);
    }
}

// §12: an IPsec connection at a transit router: its own routes decide.
#[test]
fn an_attached_connection_has_routes_of_its_own() {
    let mut n = Net::new();
    let r = n.b.router("tr", false);
    let table = n.b.typed()[r].system_table;
    let c =
        n.b.vpn_connection("c", VpnEnd::Attached, n.site, &["0.0.0.0/0"], &["0.0.0.0/0"]);
    let v = n.b.attach_vpc("av", r, n.vpc, &[n.vsw], true);
    let x = n.b.attach_vpn("ac", r, c);
    for a in [v, x] {
        n.b.associate(a, table).propagate(a, table);
    }
    let hq = n.at(n.site);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), NONE);
    n.b.vpn_route(None, None, "172.16.1.0/24", c, true, false);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), BOTH);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.2.1")), NONE);
}

/// `a` in development, another host in production; both reach one site, over a VPN and a border router.
fn hairpin(forwards: bool) -> (Net, InterfaceId) {
    let mut n = Net::new();
    let (prod, _, host) = n.host("prod", "10.1.0.0/16", "10.1.0.0/24", "10.1.0.1");
    let (g, c) = n.vpn(&["10.0.0.0/16"], &["10.0.0.0/8", "172.16.0.0/12"], "10.0.0.0/8");
    n.b.vpn_route(Some(g), None, "10.0.0.0/8", c, true, false);
    let site = n.site;
    let (b, ri, back) = border(&mut n, prod, site, "vbr");
    let (table, own) = (n.b.typed()[prod].system_table, n.b.typed()[b].table);
    n.b.route(table, "10.0.0.0/8", NextHop::RouterInterface(ri));
    n.b.route(own, "10.1.0.0/16", NextHop::RouterInterface(back));
    n.b.sites_forward(site, site, forwards);
    (n, host)
}

// §11, A-SITE-1: dev -> on-premises -> prod, there and back.
#[test]
fn a_site_joins_what_the_cloud_keeps_apart() {
    let (n, host) = hairpin(true);
    // The reply comes to the border router, which knows no way to 10.0.0.0/16.
    assert_eq!(n.ask((n.a, "10.0.0.1"), (host, "10.1.0.1")), LOST);
    let (mut n, host) = hairpin(true);
    let site = n.site;
    // The site announces the whole of 10.0.0.0/8 by another one.
    let b2 = n.b.border_router("vbr2", site, &["10.0.0.0/8"]);
    let prod =
        n.b.typed()
            .vpcs
            .iter()
            .position(|v| v.meta.origin.address.ends_with("prod"))
            .unwrap();
    let prod = VpcId(u32::try_from(prod).unwrap());
    let (ri, back) =
        n.b.router_interfaces("two", RouterEnd::Vpc(prod.into()), RouterEnd::Border(b2.into()));
    let (table, own) = (n.b.typed()[prod].system_table, n.b.typed()[b2].table);
    n.b.route(table, "10.0.0.0/16", NextHop::RouterInterface(ri));
    n.b.route(own, "10.1.0.0/16", NextHop::RouterInterface(back));
    assert_eq!(n.ask((n.a, "10.0.0.1"), (host, "10.1.0.1")), BOTH);
    let (n, host) = hairpin(false);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (host, "10.1.0.1")), NONE);
}

// A-SITE-1: where nobody said, absence counts with it and presence does not.
#[test]
fn what_a_site_does_is_not_known_unless_it_is_said() {
    let (n, host) = hairpin(true);
    let mut inv = n.b.clone().build();
    inv.typed.sites[0].forwards = Fact::Unknown(Unknown::new("not said"));
    let at = |i: InterfaceId, ip: &str| {
        Point::Inside(Inside {
            iface: i,
            addr: 0,
            ip: ip.parse().unwrap(),
        })
    };
    let flow = |mode| {
        let net = compile(&inv, mode, &CompileOptions::default());
        let f = net.flow(at(n.a, "10.0.0.1"), at(host, "10.1.0.1"));
        !f.delivered.is_empty()
    };
    assert!(flow(Mode::Widen));
    assert!(!flow(Mode::Narrow));
}

// 5: an address of a site is the site's, also where a VPC behind it has it too.
#[test]
fn overlapping_networks_belong_to_the_site() {
    let (mut n, host) = hairpin(true);
    let site = n.site;
    let mut nets = n.b.typed().networks(site);
    nets.push("10.1.0.0/24".parse().unwrap());
    n.b.set_site_networks(site, &nets);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (host, "10.1.0.1")), NONE);
    assert!(n.ask((n.a, "10.0.0.1"), (n.at(site), "10.1.0.1")).0);
}

// §10.6: router interfaces between two VPCs need routes on both sides.
#[test]
fn router_interfaces_join_two_vpcs() {
    let mut n = Net::new();
    let (far, _, host) = n.host("far", "10.1.0.0/16", "10.1.0.0/24", "10.1.0.1");
    let (x, y) =
        n.b.router_interfaces("ri", RouterEnd::Vpc(n.vpc.into()), RouterEnd::Vpc(far.into()));
    let (a, b) = (n.table(), n.b.typed()[far].system_table);
    n.b.route(a, "10.1.0.0/16", NextHop::RouterInterface(x));
    assert_eq!(n.ask((n.a, "10.0.0.1"), (host, "10.1.0.1")), LOST);
    n.b.route(b, "10.0.0.0/16", NextHop::RouterInterface(y));
    assert_eq!(n.ask((n.a, "10.0.0.1"), (host, "10.1.0.1")), BOTH);
}

// §11: where routes lead packets for the Internet to a site, nothing is known of what becomes of them.
#[test]
fn backhaul_to_the_internet_is_a_gap() {
    let mut n = Net::new();
    n.vpn(&["0.0.0.0/0"], &["0.0.0.0/0"], "0.0.0.0/0");
    let mut inv = n.b.clone().build();
    let gaps = |inv: &Inventory| compile(inv, Mode::Widen, &CompileOptions::default()).gaps.len();
    assert_eq!(gaps(&inv), 0, "the site is said not to lead there");
    inv.typed.sites[0].internet = Fact::Unknown(Unknown::new("not said"));
    assert!(gaps(&inv) > 0);
}

// §11, decision 023, 1 and 3: an Express Connect router carries packets between a border router and a VPC, writes routes
// into the VPC, and joins neither VPCs nor border routers with one another.
#[test]
fn an_express_connect_router_joins_border_routers_and_vpcs() {
    let mut n = Net::new();
    let (two, _, other) = n.host("two", "10.1.0.0/16", "10.1.0.0/24", "10.1.0.1");
    let branch = n.b.site("branch", &["172.17.0.0/16"]);
    let ecr = n.b.ecr("ecr");
    let vbr = n.b.border_router("vbr", n.site, &["172.16.0.0/16"]);
    let far = n.b.border_router("far", branch, &["172.17.0.0/16"]);
    n.b.ecr_border("b", ecr, vbr);
    n.b.ecr_border("f", ecr, far);
    let (hq, br) = (n.at(n.site), n.at(branch));
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), NONE);
    let vpc = n.vpc;
    n.b.ecr_vpc("v", ecr, vpc);
    n.b.ecr_vpc("w", ecr, two);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), BOTH);
    assert_eq!(n.ask((hq, "172.16.1.1"), (n.a, "10.0.0.1")), BOTH);
    assert_eq!(n.ask((br, "172.17.1.1"), (other, "10.1.0.1")), BOTH);
    assert_eq!(
        n.ask((n.a, "10.0.0.1"), (other, "10.1.0.1")),
        NONE,
        "not from VPC to VPC"
    );
    assert_eq!(
        n.ask((hq, "172.16.1.1"), (br, "172.17.1.1")),
        NONE,
        "not from border router to border router"
    );
    // Without propagation the VPC needs a route of its own.
    let table = n.table();
    n.b.takes_propagated(table, false);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), NONE);
    let own = AttachmentId(u32::try_from(n.b.typed().attachments.len() - 2).unwrap());
    n.b.route(table, "172.16.0.0/12", NextHop::Attachment(own));
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), BOTH);
}

// Decision 023, 2: an Express Connect router learns the blocks of a VPC, and nothing that is published to a CEN instance.
#[test]
fn an_express_connect_router_learns_no_published_routes() {
    for express in [true, false] {
        let mut n = Net::new();
        let (vpc, table) = (n.vpc, n.table());
        let branch = n.b.site("branch", &["10.1.0.0/24"]);
        let g = n.b.vpn_gateway("gw", vpc, Some(n.vsw));
        let end = VpnEnd::Gateway(g.into());
        let c =
            n.b.vpn_connection("c", end, branch, &["0.0.0.0/0"], &["0.0.0.0/0"]);
        n.b.vpn_route(Some(g), None, "10.1.0.0/24", c, true, false);
        n.b.route(table, "10.1.0.0/24", NextHop::Vpn(g));
        n.b.publish_route(table, "10.1.0.0/24");
        let vbr = n.b.border_router("vbr", n.site, &["172.16.0.0/16"]);
        if express {
            let ecr = n.b.ecr("ecr");
            n.b.ecr_border("b", ecr, vbr);
            n.b.ecr_vpc("v", ecr, vpc);
        } else {
            let tr = n.b.router("tr", false);
            let system = n.b.typed()[tr].system_table;
            let all = [
                n.b.attach_border("b", tr, vbr, true),
                n.b.attach_vpc("v", tr, vpc, &[], true),
            ];
            for a in all {
                n.b.associate(a, system);
                n.b.propagate(a, system);
            }
        }
        let (hq, br) = (n.at(n.site), n.at(branch));
        assert_eq!(n.ask((hq, "172.16.1.1"), (n.a, "10.0.0.1")), BOTH);
        assert_eq!(n.ask((n.a, "10.0.0.1"), (br, "10.1.0.5")), BOTH);
        assert_eq!(n.ask((hq, "172.16.1.1"), (br, "10.1.0.5")).0, !express);
    }
}

// Decision 023, 1, 2 and 5: by way of a transit router; its VPCs are not joined with those of the Express Connect router.
#[test]
fn an_express_connect_router_at_a_transit_router() {
    let mut n = Net::new();
    let (two, _, other) = n.host("two", "10.1.0.0/16", "10.1.0.0/24", "10.1.0.1");
    let ecr = n.b.ecr("ecr");
    let vbr = n.b.border_router("vbr", n.site, &["172.16.0.0/16"]);
    n.b.ecr_border("b", ecr, vbr);
    n.b.ecr_vpc("w", ecr, two);
    let tr = n.b.router("tr", false);
    let table = n.b.typed()[tr].system_table;
    let vpc = n.vpc;
    for a in [
        n.b.attach_vpc("v", tr, vpc, &[], true),
        n.b.ecr_transit("t", ecr, tr),
    ] {
        n.b.associate(a, table);
        n.b.propagate(a, table);
    }
    let hq = n.at(n.site);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (hq, "172.16.1.1")), BOTH);
    assert_eq!(n.ask((hq, "172.16.1.1"), (n.a, "10.0.0.1")), BOTH);
    assert_eq!(n.ask((hq, "172.16.1.1"), (other, "10.1.0.1")), BOTH);
    assert_eq!(n.ask((n.a, "10.0.0.1"), (other, "10.1.0.1")), NONE);
    assert_eq!(n.ask((other, "10.1.0.1"), (n.a, "10.0.0.1")), NONE);
}
