//! The network of ALIBABA.md §21: VPC 10.0.0.0/16, v1 10.0.1.0/24, v2 10.0.2.0/24.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a wrong text in a test is a bug of the test"
)]

use bartizan_model::*;
use bartizan_oracle::{Endpoint, Options, Oracle};
use bartizan_packet::ServiceSet;
use bartizan_testkit::{GroupKind, InventoryBuilder, rule};

pub(crate) struct Net {
    pub(crate) b: InventoryBuilder,
    pub(crate) vpc: VpcId,
    pub(crate) v1: VswitchId,
    pub(crate) v2: VswitchId,
}

impl Net {
    pub(crate) fn new() -> Self {
        let mut b = InventoryBuilder::new();
        let vpc = b.vpc("main", "10.0.0.0/16");
        let v1 = b.vswitch("v1", vpc, "10.0.1.0/24");
        let v2 = b.vswitch("v2", vpc, "10.0.2.0/24");
        Net { b, vpc, v1, v2 }
    }

    pub(crate) fn group(&mut self, name: &str, kind: GroupKind, rules: &[&str]) -> SecurityGroupId {
        let g = self.b.sg(name, self.vpc, kind);
        for r in rules {
            self.b.rule(g, rule(r));
        }
        g
    }

    /// A basic group that takes everything over IPv4.
    pub(crate) fn open(&mut self) -> SecurityGroupId {
        self.group(
            "open",
            GroupKind::BasicDrop,
            &["in accept all -1/-1 from 0.0.0.0/0"],
        )
    }

    /// A at 10.0.1.10 and B at 10.0.2.10.
    pub(crate) fn ab(&mut self, a: &[SecurityGroupId], b: &[SecurityGroupId]) -> (InterfaceId, InterfaceId) {
        (
            self.b.eni("a", self.v1, a, "10.0.1.10"),
            self.b.eni("b", self.v2, b, "10.0.2.10"),
        )
    }

    pub(crate) fn acl(&mut self, vsw: VswitchId, entries: &[&str]) {
        let entries: Vec<_> = entries.iter().map(|e| rule(e)).collect();
        let acl = self.b.acl("acl", self.vpc, &entries);
        self.b.bind_acl(vsw, acl);
    }

    /// A custom table on a vSwitch.
    pub(crate) fn table(&mut self, vsw: VswitchId) -> RouteTableId {
        let t = self.b.table("t", self.vpc, RouteTableKind::Custom);
        self.b.attach(vsw, t);
        t
    }

    pub(crate) fn system(&self) -> RouteTableId {
        self.b.system_table(self.vpc)
    }

    pub(crate) fn ask(&self) -> Ask {
        Ask::new(self.b.clone().build())
    }
}

pub(crate) struct Ask {
    inv: Inventory,
    oracle: Option<Oracle>,
}

/// An end in a test: an interface by name, optionally `name#position`, or `internet ADDRESS`.
fn end(inv: &Inventory, text: &str) -> Endpoint {
    if let Some(ip) = text.strip_prefix("internet ") {
        return Endpoint::Outside(ip.parse().unwrap());
    }
    let (name, at) = text.split_once('#').unwrap_or((text, "0"));
    let address: u32 = at.parse().unwrap();
    let named = |i: &Interface| i.meta.origin.address.rsplit('.').next() == Some(name);
    let i = inv.typed.interfaces.iter().position(named).unwrap();
    let ip = match &inv.typed.interfaces[i].addresses[address as usize].spec {
        AddressSpec::Ip(ip) => *ip,
        AddressSpec::Block(n) => n.addr(),
        other => panic!("{other:?}"),
    };
    Endpoint::Address {
        interface: InterfaceId(i as u32),
        address,
        ip,
    }
}

impl Ask {
    pub(crate) fn new(inv: Inventory) -> Self {
        Ask { inv, oracle: None }.load(Options::normative())
    }

    pub(crate) fn load(mut self, options: Options) -> Self {
        let options = Options {
            explain: true,
            ..options
        };
        self.oracle = Some(Oracle::new(&self.inv, options).unwrap());
        self
    }

    fn outcome(&self, probe: &str) -> (&'static str, String) {
        let (src, rest) = probe.split_once(" -> ").unwrap();
        let (dst, service) = rest.rsplit_once(' ').unwrap();
        let (proto, dport) = service.parse::<ServiceSet>().unwrap().first().unwrap();
        let sport = if proto.has_ports() { 40000 } else { 0 };
        let oracle = self.oracle.as_ref().unwrap();
        let o = oracle.deliver(end(&self.inv, src), end(&self.inv, dst), proto, sport, dport);
        let verdict = match (o.delivered, o.reply) {
            (false, _) => "deny",
            (true, false) => "reply dropped",
            (true, true) => "allow",
        };
        (verdict, format!("{:#?}", o.request_paths))
    }

    /// Asserts each probe, `a -> b tcp/22`, with its verdict: `allow`, `deny` or `reply dropped`.
    #[track_caller]
    pub(crate) fn check(&self, probes: &[(&str, &str)]) {
        for (probe, want) in probes {
            let (got, paths) = self.outcome(probe);
            assert_eq!(got, *want, "{probe}\n{paths}");
        }
    }

    /// Asserts that some step of some path of a probe says this.
    #[track_caller]
    pub(crate) fn says(&self, probe: &str, text: &str) {
        let (_, paths) = self.outcome(probe);
        assert!(paths.contains(text), "{probe} does not say `{text}`\n{paths}");
    }
}
