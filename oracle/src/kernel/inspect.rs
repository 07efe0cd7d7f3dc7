//! Gateway load balancers (ALIBABA.md §9.6; the numbers are those of docs/decisions/021).
//!
//! The endpoint in a vSwitch is a namespace with a cable to the appliance behind it, which is another. What routes lead to
//! the endpoint goes to the appliance and comes back as it was: A-GWLB-1, `pass`. The router of the VPC sees it come from
//! the endpoint, in whose vSwitch it goes on.

use super::filter::only_probes;
use super::netns::Script;
use super::plan::{Hop, Plan, Res, unsupported};

impl Plan {
    /// Endpoints with something behind them.
    pub(crate) fn served(&self) -> impl Iterator<Item = (usize, &super::plan::Eni)> {
        let all = self.enis.iter().enumerate();
        all.filter(|(_, e)| e.inspects == Some(true))
    }

    /// 6: the IPv4 gateway takes what has come by inspectors alone. What an appliance of another kind has passed on
    /// before them looks the same.
    pub(crate) fn inspected(&self) -> Res<()> {
        for (v, x) in self.vpcs.iter().enumerate() {
            if x.gateway4.is_none() || !self.served().any(|(_, e)| e.vpc == v) {
                continue;
            }
            let hops = |t: usize| self.tables[t].routes.iter().flat_map(|r| &r.hops.of);
            let appliance = |h: &Hop| match h {
                Hop::Eni(i) => self.enis.get(*i),
                _ => None,
            };
            let inspects = |h: &Hop| appliance(h).is_some_and(|e| e.inspects == Some(true));
            // One that leads on to an inspector.
            let leads = |e: &super::plan::Eni| {
                let table = self.vswitches[e.vswitch].table;
                e.inspects.is_none() && !e.checked && hops(table).any(inspects)
            };
            let mut here = self.vswitches.iter().filter(|s| s.vpc == v);
            if here.any(|s| hops(s.table).filter_map(appliance).any(leads)) {
                return unsupported("an appliance of another kind beside an inspector and an IPv4 gateway");
            }
        }
        Ok(())
    }
}

fn between(a: &str, b: &str) -> Script {
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    s.device(a);
    if a != b {
        s.device(b);
    }
    for (n, (from, to)) in [(a, b), (b, a)].into_iter().enumerate() {
        if n == 0 || a != b {
            let table = 100 + n;
            s.ip(format!("route add 0.0.0.0/0 dev {to} table {table}"));
            s.ip(format!("rule add pref {table} iif {from} lookup {table}"));
        }
    }
    // 2: IPv6 drops.
    let quiet = only_probes();
    s.nft(format!(
        "table inet t {{
{quiet}
chain pass {{
type filter hook forward priority 0; policy accept;
meta nfproto ipv6 drop
}}
}}"
    ));
    s
}

/// What is to be done in the namespace of an endpoint: `eth0` leads to the router, `gwlb` to the appliance.
pub(crate) fn endpoint(serves: bool) -> Script {
    if serves {
        return between("eth0", "gwlb");
    }
    let mut s = Script::default();
    s.device("eth0");
    s
}

/// What is to be done in the namespace of an appliance.
pub(crate) fn appliance() -> Script {
    between("eth0", "eth0")
}
