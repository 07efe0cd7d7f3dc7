//! Networks in which most packets arrive: what stands between VPCs decides there, and engine, matrix and interpreter
//! agree.

use bartizan_model::{AttachmentId, Fact, FirewallPlace, Inventory, NatId, Readings};
use bartizan_testkit::{
    Answer, EngineUnderTest, Features, MatrixEngine, OracleEngine, PointEngine, Query, Rng, Universe,
    open_inventory,
};

/// The engine without something.
struct Without(&'static str);

fn take(what: &str, inv: &mut Inventory) {
    let t = &mut inv.typed;
    match what {
        "entries of VPC NAT gateways" => {
            let gateways = t.nat_gateways.clone();
            let inner = |n: &Fact<NatId>| {
                let n = n.known().and_then(|n| gateways.get(n.index()));
                n.is_some_and(|n| n.internet == Fact::Known(false))
            };
            t.snat_entries.retain(|e| !inner(&e.nat));
            t.dnat_entries.retain(|e| !inner(&e.nat));
        }
        "appliances" => t
            .inspectors
            .iter_mut()
            .for_each(|x| x.serves = Fact::Known(false)),
        "firewalls" => t.firewalls.retain(|f| !matches!(f.place, FirewallPlace::Vpc(_))),
        "what Express Connect routers learn" => {
            let (routers, attachments) = (t.transit_routers.clone(), t.attachments.clone());
            let own = |a: &Fact<AttachmentId>| {
                let a = a.known().and_then(|a| attachments.get(a.index()));
                let r = a.and_then(|a| routers.get(a.router.known()?.index()));
                r.is_some_and(|r| r.cen.as_ref() == Some(&r.meta.origin.address))
            };
            t.tr_propagations.retain(|l| !own(&l.attachment));
        }
        _ => unreachable!("{what}"),
    }
}

impl EngineUnderTest for Without {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let mut inv = inv.clone();
        take(self.0, &mut inv);
        PointEngine.under(&inv, readings, queries)
    }
}

#[test]
fn what_stands_between_vpcs_decides_in_open_networks() {
    let mut asked = 0;
    let mut delivered = 0;
    let mut missed = [
        ("entries of VPC NAT gateways", 0),
        ("appliances", 0),
        ("firewalls", 0),
        ("what Express Connect routers learn", 0),
    ];
    for k in 0..1200 {
        let mut r = Rng::for_item(2026, k);
        let inv = open_inventory(&mut r, Features::all());
        let queries = Universe::new(&inv).sample(&mut r, 60);
        let said = OracleEngine.check(&inv, &queries);
        assert_eq!(said, PointEngine.check(&inv, &queries), "network {k}");
        if k % 4 == 0 {
            assert_eq!(said, MatrixEngine.check(&inv, &queries), "network {k}");
            for (what, n) in &mut missed {
                let other = Without(what).check(&inv, &queries);
                *n += said.iter().zip(&other).filter(|(a, b)| a != b).count();
            }
        }
        asked += said.len();
        delivered += said.iter().filter(|a| a.delivered).count();
    }
    assert!(delivered * 4 > asked, "{delivered} of {asked} delivered");
    for (what, n) in missed {
        // A quarter of the questions is compared: at least one in a hundred of those.
        assert!(n * 400 > asked, "{n} of {asked} questions depend on {what}");
    }
}
