//! What joins VPCs: peerings as cables between routers, transit routers as namespaces of their own
//! (ALIBABA.md §10, docs/decisions/010).
//!
//! What the tables hold is decided by the control plane, which no packet can show: association, propagation,
//! publication and route maps are taken from the interpreter (`rib`), and so are compared with the engine here as well.

use super::filter::stateless;
use super::netns::Script;
use super::plan::{Pick, Plan, Res, known, unsupported};
use crate::hybrid::Beyond;
use crate::rib::{From, TrRouteW};
use crate::world::{Hop as HopW, Rank, World};
use bartizan_model::Typed;
use ipnet::IpNet;

/// A VPC peering connection.
pub(crate) struct Peering {
    pub(crate) vpcs: [usize; 2],
}

/// An attachment of a transit router.
pub(crate) struct Attachment {
    /// The router that it belongs to; of a peering, both.
    pub(crate) routers: Vec<usize>,
    /// The VPC with the zone that is handed over in, if there are any.
    pub(crate) vpc: Option<(usize, Option<Pick<usize>>)>,
    /// (router, table) that it is associated with.
    pub(super) tables: Vec<(usize, usize)>,
    ipv6: bool,
    /// The link to a site that it is.
    pub(crate) beyond: Option<Beyond>,
}

/// A table of a transit router: per prefix where to; `None` is nowhere.
pub(crate) struct TrTable {
    pub(super) routes: Vec<(IpNet, Pick<Option<usize>>)>,
}

impl Plan {
    pub(crate) fn peerings(&mut self, t: &Typed) -> Res<()> {
        for p in &t.peerings {
            super::plan::certain(&p.meta.origin)?;
            let a = known(&p.requester, "an end of a peering")?.index();
            let b = known(&p.accepter, "an end of a peering")?.index();
            if a == b {
                return unsupported("a VPC is peered with itself");
            }
            self.peerings.push(Peering { vpcs: [a, b] });
        }
        Ok(())
    }

    /// Routers and what is attached to them.
    pub(crate) fn transit(&mut self, t: &Typed, w: &World) -> Res<()> {
        self.routers = t.transit_routers.len();
        for (x, a) in t.attachments.iter().zip(&w.attachments) {
            let own = known(&x.router, "the router of an attachment")?.index();
            let mut routers = vec![own];
            if let bartizan_model::Attached::Peer(far) = &x.to {
                routers.push(known(far, "the router at the other end")?.index());
            }
            let vpc = a.vpc.as_ref().map(|(v, zones)| {
                let zones = (!zones.is_empty()).then(|| self.pick(zones.clone()));
                (*v, zones)
            });
            for r in &routers {
                if a.tables.iter().filter(|(of, _)| of == r).count() > 1 {
                    return unsupported("an attachment is associated with several tables of one router");
                }
            }
            self.attachments.push(Attachment {
                routers,
                vpc,
                tables: a.tables.clone(),
                ipv6: a.ipv6,
                beyond: a.beyond,
            });
        }
        for table in &w.tr_tables {
            if self.ecr(table.router).is_some() {
                // It is made otherwise (`ecr`).
                self.tr_tables.push(TrTable { routes: Vec::new() });
                continue;
            }
            let mut prefixes: Vec<IpNet> = table.routes.iter().map(|r| r.net).collect();
            prefixes.sort_unstable();
            prefixes.dedup();
            let mut routes = Vec::new();
            for net in prefixes {
                let of = || table.routes.iter().filter(|r| r.net == net);
                let fixed = of().any(|r| r.from == From::Static);
                let stands = |r: &&TrRouteW| !fixed || r.from == From::Static;
                let to: Vec<Option<usize>> = of().filter(stands).map(|r| r.to).collect();
                let to = self.pick(to);
                routes.push((net, to));
            }
            self.tr_tables.push(TrTable { routes });
        }
        Ok(())
    }

    /// What is published into a table of a VPC: prefix and attachment.
    pub(crate) fn published(w: &World, table: usize) -> Vec<(IpNet, usize)> {
        let all = w.tables[table].iter().filter(|r| r.rank == Rank::Propagated);
        let attachment = |h: &HopW| match h {
            HopW::Attachment(a) => Some(*a),
            _ => None,
        };
        all.flat_map(|r| r.hops.iter().filter_map(attachment).map(|a| (r.net, a)))
            .collect()
    }
}

/// What is to be done in the namespace of a transit router. Its devices are `a0` and so on, one per attachment.
pub(crate) fn transit_router(p: &Plan, at: usize) -> Script {
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    let here: Vec<(usize, &Attachment)> = p
        .attachments
        .iter()
        .enumerate()
        .filter(|(_, a)| a.routers.contains(&at))
        .collect();
    let table = |t: usize, choice: usize| 1000 + t * 64 + choice;
    let mut keep = String::new();
    let crossings = p.crossed_in(at);
    let mut used: Vec<(usize, usize, Option<usize>)> = Vec::new();
    for (i, a) in &here {
        let dev = format!("a{i}");
        s.device(&dev);
        keep.push_str(&format!("iifname \"{dev}\" oifname \"{dev}\" drop\n"));
        if !a.ipv6 {
            keep.push_str(&format!("iifname \"{dev}\" meta nfproto ipv6 drop\n"));
            keep.push_str(&format!("oifname \"{dev}\" meta nfproto ipv6 drop\n"));
        }
        for (_, t) in a.tables.iter().filter(|(r, _)| *r == at) {
            // What firewalls judge depends on where a packet comes from, so each has the table for itself then.
            let (id, from) = match crossings.is_empty() {
                true => (*t, None),
                false => (p.tr_tables.len() + i, Some(*i)),
            };
            used.push((id, *t, from));
            for c in 0..p.choices() {
                let rule = format!(
                    "rule add pref 100 iif {dev} fwmark {:#x}/0xff00 lookup {}",
                    c << 8,
                    table(id, c)
                );
                s.ip(&rule);
                s.ip6(&rule);
            }
        }
    }
    for (k, to) in &crossings {
        s.device(&format!("x{k}"));
        s.device(&format!("y{k}"));
        let id = table(p.tr_tables.len() + p.attachments.len() + k, 0);
        for all in ["0.0.0.0/0", "::/0"] {
            s.ip(format!("route add {all} dev a{to} table {id}"));
        }
        let rule = format!("rule add pref 90 iif y{k} lookup {id}");
        s.ip(&rule);
        s.ip6(&rule);
    }
    used.sort_unstable();
    used.dedup();
    for (own, t, from) in used {
        for c in 0..p.choices() {
            let mut defaults = [true; 2];
            for (net, to) in &p.tr_tables[t].routes {
                if net.prefix_len() == 0 {
                    defaults[usize::from(net.addr().is_ipv6())] = false;
                }
                let id = table(own, c);
                let to = p.picked(to, c).flatten();
                // A default route leads past firewalls (022, 7).
                let ends = from.zip(to).filter(|_| net.prefix_len() > 0);
                let crossing = ends.and_then(|(from, to)| p.by_router(at, [from, to]));
                match (crossing, to) {
                    (Some(k), _) => s.ip(format!("route add {net} dev x{k} table {id}")),
                    (None, Some(a)) => s.ip(format!("route add {net} dev a{a} table {id}")),
                    (None, None) => s.ip(format!("route add unreachable {net} table {id}")),
                }
            }
            for (missing, all) in defaults.into_iter().zip(["0.0.0.0/0", "::/0"]) {
                if missing {
                    s.ip(format!("route add unreachable {all} table {}", table(own, c)));
                }
            }
        }
    }
    s.nft(stateless(p, &keep));
    s
}
