//! Firewalls between VPCs (ALIBABA.md §13.1), by engine, interpreter and trace; the numbers are those of
//! docs/decisions/022.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use bartizan_model::*;
use bartizan_oracle::{Endpoint, Options, Oracle};
use bartizan_packet::{IpSet, PortSet, Proto, ServiceSet};
use bartizan_reach::{CompileOptions, Inside, Mode, Partition, Point, Reach, compile};
use bartizan_testkit::{GroupKind, InventoryBuilder, Policy, rule};
use ipnet::IpNet;
use std::net::IpAddr;

/// Two VPCs with a host each, where everything is let in.
struct Net {
    b: InventoryBuilder,
    vpcs: [VpcId; 2],
    hosts: [InterfaceId; 2],
}

const HOSTS: [&str; 2] = ["10.1.0.10", "10.2.0.10"];

impl Net {
    fn new() -> Self {
        let mut b = InventoryBuilder::new();
        let mut make = |name: &str, block: &str, ip: &str| {
            let vpc = b.vpc(name, block);
            let vsw = b.vswitch(&format!("{name}-v"), vpc, block);
            let g = b.sg(&format!("{name}-g"), vpc, GroupKind::BasicDrop);
            b.rule(g, rule("in accept all -1/-1 from 0.0.0.0/0"));
            (vpc, b.eni(&format!("{name}-h"), vsw, &[g], ip))
        };
        let (a, x) = make("one", "10.1.0.0/16", HOSTS[0]);
        let (c, y) = make("two", "10.2.0.0/16", HOSTS[1]);
        Net {
            b,
            vpcs: [a, c],
            hosts: [x, y],
        }
    }

    fn table(&self, n: usize) -> RouteTableId {
        self.b.typed()[self.vpcs[n]].system_table
    }

    /// Router interfaces between the two, with a route on each side.
    fn interfaces(&mut self) -> (RouterInterfaceId, RouterInterfaceId) {
        let end = |v: VpcId| RouterEnd::Vpc(v.into());
        let (x, y) = self
            .b
            .router_interfaces("ri", end(self.vpcs[0]), end(self.vpcs[1]));
        let (a, c) = (self.table(0), self.table(1));
        self.b.route(a, "10.2.0.0/16", NextHop::RouterInterface(x));
        self.b.route(c, "10.1.0.0/16", NextHop::RouterInterface(y));
        (x, y)
    }

    /// A transit router between the two, with routes of this prefix in the VPCs and, where it is the default, in the
    /// router.
    fn router(&mut self, basic: bool, to: &str) -> RouterId {
        let r = self.b.router("tr", basic);
        let table = self.b.typed()[r].system_table;
        for n in 0..2 {
            let a = self.b.attach_vpc(&format!("a{n}"), r, self.vpcs[n], &[], false);
            let t = self.table(n);
            self.b.route(t, to, NextHop::Attachment(a));
            if !basic {
                self.b.associate(a, table);
                if to == "0.0.0.0/0" && n == 1 {
                    self.b.tr_route(table, to, Some(a));
                } else {
                    self.b.propagate(a, table);
                }
            }
        }
        r
    }

    /// A firewall that drops tcp/22 from the first VPC to the second.
    fn firewall(&mut self, at: Vec<Boundary>) -> FirewallId {
        let f = self.b.firewall("between", FirewallPlace::Vpc(at), true);
        let p = Policy {
            inbound: false,
            order: 1,
            pass: false,
            deep: false,
            source: &["10.1.0.0/16"],
            destination: &["10.2.0.0/16"],
        };
        self.b.policy(f, p, ServiceSet::tcp(PortSet::range(22, 22)));
        f
    }

    fn redirected(&mut self, n: usize, to: &str, hop: NextHop) -> Boundary {
        Boundary::Route {
            table: self.table(n).into(),
            destination: Fact::Known(to.parse().unwrap()),
            hop: Fact::Known(hop),
        }
    }

    /// Whether tcp/22 gets there, from the first to the second; with A-CFW-2 read so. Engine in both modes, interpreter
    /// and trace agree.
    fn ssh(&self, diverted: bool) -> bool {
        self.ask(0, 22, diverted)
    }

    fn ask(&self, from: usize, port: u16, diverted: bool) -> bool {
        let inv = self.b.clone().build();
        let readings = Readings::chosen().with(Assumption::Cfw2, !diverted);
        let oracle = Oracle::new(
            &inv,
            Options {
                readings: readings.clone(),
                ..Options::normative()
            },
        )
        .unwrap();
        let at = |n: usize| (self.hosts[n], HOSTS[n].parse().unwrap());
        let ((s, sip), (d, dip)) = (at(from), at(1 - from));
        let end = |interface, ip| Endpoint::Address {
            interface,
            address: 0,
            ip,
        };
        let o = oracle.deliver(end(s, sip), end(d, dip), Proto::TCP, 40_000, port);
        let point = |iface, ip| Point::Inside(Inside { iface, addr: 0, ip });
        for mode in [Mode::Widen, Mode::Narrow] {
            let options = CompileOptions {
                readings: readings.clone(),
                ..CompileOptions::default()
            };
            let net = compile(&inv, mode, &options);
            let f = net.flow_from_port(point(s, sip), point(d, dip), 40_000);
            let atom = net.atoms.atom_of(Proto::TCP, port);
            let e = (f.delivered.contains(atom), f.works.contains(atom));
            assert_eq!((o.delivered, o.reply), e, "interpreter and engine, {mode:?}");
            let t = bartizan_reach::trace(&net, &inv, point(s, sip), point(d, dip), Proto::TCP, 40_000, port);
            assert_eq!((t.delivered, t.works), e, "trace and engine, {mode:?}");
        }
        assert_eq!(o.delivered, o.reply, "replies pass");
        o.delivered
    }
}

// §13.1, 4: what the redirected route carries is judged, in the direction of the policy; replies pass.
#[test]
fn a_redirected_route_is_judged() {
    let mut n = Net::new();
    let (x, y) = n.interfaces();
    let both = vec![
        n.redirected(0, "10.2.0.0/16", NextHop::RouterInterface(x)),
        n.redirected(1, "10.1.0.0/16", NextHop::RouterInterface(y)),
    ];
    n.firewall(both);
    assert!(!n.ssh(true));
    assert!(n.ask(0, 443, true), "what no policy matches passes");
    assert!(n.ask(1, 22, true), "the policy is about the other direction");
}

// 4: another route of the same table, another prefix, another next hop are none of it.
#[test]
fn what_goes_by_another_route_is_not_judged() {
    let mut n = Net::new();
    let (x, y) = n.interfaces();
    let other = n.redirected(0, "10.2.0.0/17", NextHop::RouterInterface(x));
    let hop = n.redirected(0, "10.2.0.0/16", NextHop::RouterInterface(y));
    let table = n.redirected(1, "10.2.0.0/16", NextHop::RouterInterface(x));
    n.firewall(vec![other, hop, table]);
    assert!(n.ssh(true));
    let mut n = Net::new();
    let (x, _) = n.interfaces();
    let listed = n.redirected(0, "10.2.0.0/16", NextHop::RouterInterface(x));
    n.firewall(vec![listed]);
    assert!(!n.ssh(true));
    let t = n.table(0);
    n.b.route(t, "10.2.0.0/24", NextHop::RouterInterface(x));
    assert!(n.ssh(true), "a longer route that is not redirected");
}

// 4: a peering connection as well.
#[test]
fn a_redirected_route_to_a_peering_is_judged() {
    let mut n = Net::new();
    let p = n.b.peering("p", n.vpcs[0], n.vpcs[1]);
    let (a, c) = (n.table(0), n.table(1));
    n.b.route(a, "10.2.0.0/16", NextHop::Peering(p));
    n.b.route(c, "10.1.0.0/16", NextHop::Peering(p));
    assert!(n.ssh(true));
    let at = n.redirected(0, "10.2.0.0/16", NextHop::Peering(p));
    n.firewall(vec![at]);
    assert!(!n.ssh(true));
}

fn of_cen(vpc: VpcId, cen: &str) -> Boundary {
    Boundary::Vpc {
        vpc: vpc.into(),
        cen: Fact::Known(cen.into()),
    }
}

// 5: with Basic Edition what enters or leaves the VPC is judged, whichever end it is; another CEN instance is another.
#[test]
fn a_firewall_at_a_vpc_of_basic_edition() {
    for end in 0..2 {
        let mut n = Net::new();
        n.router(true, "10.0.0.0/8");
        let at = of_cen(n.vpcs[end], "cen");
        n.firewall(vec![at]);
        assert!(!n.ssh(true));
        assert!(!n.ssh(false), "no routing policy is needed");
        assert!(n.ask(1, 22, true));
    }
    let mut n = Net::new();
    n.router(true, "10.0.0.0/8");
    let at = of_cen(n.vpcs[0], "another");
    n.firewall(vec![at]);
    assert!(n.ssh(true));
}

// 5, 6: with Enterprise Edition it depends on routes that nobody sees (A-CFW-2).
#[test]
fn at_an_enterprise_router_it_depends() {
    let mut n = Net::new();
    let r = n.router(false, "10.0.0.0/8");
    n.firewall(vec![Boundary::Router(r.into())]);
    assert_eq!((n.ssh(true), n.ssh(false)), (false, true));
    let mut n = Net::new();
    n.router(false, "10.0.0.0/8");
    let at = of_cen(n.vpcs[1], "cen");
    n.firewall(vec![at]);
    assert_eq!((n.ssh(true), n.ssh(false)), (false, true));
}

// 7: what goes by a default route of the router is not protected.
#[test]
fn default_routes_are_not_led_through() {
    let mut n = Net::new();
    let r = n.router(false, "0.0.0.0/0");
    n.firewall(vec![Boundary::Router(r.into())]);
    assert!(n.ssh(true));
}

// 8: what is not known is not counted on, and may be everywhere.
#[test]
fn what_is_not_known_is_neither_certain_nor_excluded() {
    let mut n = Net::new();
    let (x, _) = n.interfaces();
    let known = n.redirected(0, "10.2.0.0/16", NextHop::RouterInterface(x));
    let unknown = || Unknown::new("for the test");
    let Boundary::Route {
        table,
        destination,
        hop,
    } = known.clone()
    else {
        unreachable!()
    };
    let lacking = [
        Boundary::Unknown(unknown()),
        Boundary::Route {
            table: Fact::Unknown(unknown()),
            destination: destination.clone(),
            hop: hop.clone(),
        },
        Boundary::Route {
            table: table.clone(),
            destination: Fact::Unknown(unknown()),
            hop: hop.clone(),
        },
        Boundary::Route {
            table,
            destination,
            hop: Fact::Unknown(unknown()),
        },
    ];
    let modes = |n: &Net, f: FirewallId, change: &dyn Fn(&mut Firewall)| {
        let mut inv = n.b.clone().build();
        change(&mut inv.typed.firewalls[f.index()]);
        [Mode::Widen, Mode::Narrow].map(|mode| {
            let net = compile(&inv, mode, &CompileOptions::default());
            let at = |i: usize| {
                Point::Inside(Inside {
                    iface: n.hosts[i],
                    addr: 0,
                    ip: HOSTS[i].parse().unwrap(),
                })
            };
            let f = net.flow(at(0), at(1));
            f.delivered.contains(net.atoms.atom_of(Proto::TCP, 22))
        })
    };
    for at in lacking {
        let mut n = n_clone(&n);
        let f = n.firewall(vec![at.clone()]);
        assert_eq!(modes(&n, f, &|_| {}), [true, false], "{at:?}");
    }
    let f = n.firewall(vec![known]);
    assert_eq!(modes(&n, f, &|_| {}), [false, false]);
    let maybe = |f: &mut Firewall| f.meta.origin.maybe = Some(Box::new(Unknown::new("for the test")));
    assert_eq!(modes(&n, f, &maybe), [true, false]);
    let on = |f: &mut Firewall| f.on = Fact::Unknown(Unknown::new("for the test"));
    assert_eq!(modes(&n, f, &on), [true, false]);
    let off = |f: &mut Firewall| f.on = false.into();
    assert_eq!(modes(&n, f, &off), [true, true]);
}

fn n_clone(n: &Net) -> Net {
    Net {
        b: n.b.clone(),
        vpcs: n.vpcs,
        hosts: n.hosts,
    }
}

// The firewall is a step of the path, where it stands, with the policy that decides.
#[test]
fn a_trace_shows_the_firewall_where_it_stands() {
    let mut n = Net::new();
    let r = n.router(false, "10.0.0.0/8");
    n.firewall(vec![Boundary::Router(r.into())]);
    let inv = n.b.clone().build();
    let options = CompileOptions {
        readings: common::readings(true).with(Assumption::Cfw2, false),
        ..CompileOptions::default()
    };
    let net = compile(&inv, Mode::Widen, &options);
    let at = |i: usize| {
        Point::Inside(Inside {
            iface: n.hosts[i],
            addr: 0,
            ip: HOSTS[i].parse().unwrap(),
        })
    };
    let t = bartizan_reach::trace(&net, &inv, at(0), at(1), Proto::TCP, 40_000, 22);
    let steps = &t.ways[0].request;
    let layers: Vec<_> = steps.iter().map(|s| (s.layer, s.open)).collect();
    use bartizan_reach::Layer;
    let place = layers.iter().position(|l| *l == (Layer::CloudFirewall, false));
    let behind = layers.iter().position(|l| l.0 == Layer::SecurityGroupIngress);
    assert!(place.is_some() && place < behind, "{layers:?}");
    let step = &steps[place.unwrap()];
    assert_eq!(step.assumptions, ["A-CFW-2"]);
    assert!(step.rule.contains("drop"), "{}", step.rule);
}

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

// §13.1, 8. A regression: of senders that a firewall between VPCs tells apart on their way to a NAT gateway of another VPC
// the matrix asked one, for all of their block.
#[test]
fn a_firewall_between_vpcs_tells_senders_to_the_internet_apart() {
    let mut b = InventoryBuilder::new();
    let inner = b.vpc("inner", "10.1.0.0/16");
    let edge = b.vpc("edge", "10.2.0.0/16");
    let vsw = b.vswitch("hosts", inner, "10.1.0.0/24");
    let zone = b.vswitch("zone", edge, "10.2.0.0/24");
    let g = b.sg("g", inner, GroupKind::BasicDrop);
    b.rule(g, rule("out accept all -1/-1 to 0.0.0.0/0"));
    let hosts = [10u8, 20].map(|n| b.eni(&format!("h{n}"), vsw, &[g], &format!("10.1.0.{n}")));
    let nat = b.nat("nat", edge, zone);
    b.snat_to(
        nat,
        SnatSource::Net("10.0.0.0/8".parse::<IpNet>().unwrap().into()),
        &["47.0.0.1"],
    );
    let r = b.router("tr", false);
    let table = b.typed()[r].system_table;
    let [x, y] = [(inner, vsw), (edge, zone)].map(|(v, z)| {
        let a = b.attach_vpc(&format!("a{}", v.0), r, v, &[z], false);
        b.associate(a, table);
        b.propagate(a, table);
        a
    });
    // Default routes are not led through.
    b.tr_route(table, "8.0.0.0/8", Some(y));
    let tables = [inner, edge].map(|v| b.typed()[v].system_table);
    b.route(tables[0], "8.0.0.0/8", NextHop::Attachment(x));
    b.route(tables[1], "0.0.0.0/0", NextHop::Nat(nat));
    let f = b.firewall(
        "between",
        FirewallPlace::Vpc(vec![Boundary::Router(r.into())]),
        true,
    );
    let inv = |b: &InventoryBuilder, source: &'static str| {
        let mut b = b.clone();
        let p = Policy {
            inbound: false,
            order: 1,
            pass: false,
            deep: false,
            source: &[source],
            destination: &["0.0.0.0/0"],
        };
        b.policy(f, p, ServiceSet::any());
        b.build()
    };
    for (source, passes) in [
        ("10.1.0.10/32", [false, true]),
        ("10.1.0.20/32", [true, false]),
        ("10.1.0.0/24", [false, false]),
    ] {
        let options = CompileOptions {
            readings: Readings::chosen().with(Assumption::Cfw2, false),
            ..CompileOptions::default()
        };
        let net = compile(&inv(&b, source), Mode::Widen, &options);
        let out = Point::Outside("8.8.8.8".parse().unwrap());
        let one = |(iface, n): (InterfaceId, u8)| {
            let ip = IpAddr::from([10, 1, 0, n]);
            let s = Point::Inside(Inside { iface, addr: 0, ip });
            !net.flow(s, out).delivered.is_empty()
        };
        assert_eq!([(hosts[0], 10), (hosts[1], 20)].map(one), passes, "{source}");
        let mut reach = Reach::new(net, &One);
        reach.all_pairs();
        assert_eq!(
            !reach.delivered(0, 1).is_empty(),
            passes.contains(&true),
            "{source}"
        );
    }
}
