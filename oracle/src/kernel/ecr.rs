//! Express Connect routers (ALIBABA.md §11; the numbers are those of docs/decisions/023).
//!
//! The typed layer writes one as a router with two tables, with associations and propagations, and engine and interpreter
//! know nothing else of it. Here one is a namespace of its own, made from what is joined to it alone: what comes from a
//! border router may go to a VPC or a transit router, what comes from those to a border router, and nothing else goes
//! anywhere. So it is that translation, too, which is compared.

use super::filter::stateless;
use super::netns::Script;
use super::plan::{Pick, Plan, Res, certain, known, unsupported};
use crate::rib::{From, permitted};
use crate::world::World;
use bartizan_model::{Attached, Typed, VpcId};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// An Express Connect router. What is joined to it is known by its attachments.
#[derive(Default)]
pub(crate) struct Ecr {
    router: usize,
    vpcs: Vec<(usize, usize)>,
    borders: Vec<(usize, usize)>,
    transits: Vec<(usize, usize)>,
    /// From VPCs and transit routers to border routers.
    outward: Vec<(IpNet, Pick<usize>)>,
    /// From border routers to VPCs and transit routers.
    inward: Vec<(IpNet, Pick<usize>)>,
}

impl Ecr {
    fn attachments(&self) -> impl Iterator<Item = usize> + '_ {
        let all = self.vpcs.iter().chain(&self.borders).chain(&self.transits);
        all.map(|(_, a)| *a)
    }
}

impl Plan {
    /// Which routers are Express Connect routers, and what is joined to them.
    pub(crate) fn join_express(&mut self, t: &Typed) -> Res<()> {
        for (n, r) in t.transit_routers.iter().enumerate() {
            // One is in no CEN instance but its own.
            if r.basic || r.cen.as_ref() != Some(&r.meta.origin.address) {
                continue;
            }
            certain(&r.meta.origin)?;
            let mut e = Ecr {
                router: n,
                ..Ecr::default()
            };
            for (i, a) in t.attachments.iter().enumerate() {
                let own = known(&a.router, "the router of an attachment")?.index();
                match &a.to {
                    Attached::Peer(far) => {
                        let far = known(far, "the router at the other end")?.index();
                        if own == n || far == n {
                            e.transits.push((if own == n { far } else { own }, i));
                        }
                    }
                    _ if own != n => {}
                    Attached::Nothing => {}
                    Attached::Vpc(v) => e.vpcs.push((known(v, "a VPC of a router")?.index(), i)),
                    Attached::Border(b) => {
                        e.borders.push((known(b, "a border router")?.index(), i));
                    }
                    Attached::Vpn(_) | Attached::Unmodelled(..) => {
                        return unsupported("an Express Connect router with a connection");
                    }
                }
            }
            self.ecrs.push(e);
        }
        Ok(())
    }

    /// 1, 2: where they forward to.
    pub(crate) fn express(&mut self, t: &Typed, w: &World) -> Res<()> {
        for n in 0..self.ecrs.len() {
            let e = &self.ecrs[n];
            let (mut outward, mut inward) = (BTreeMap::new(), BTreeMap::new());
            let note = |to: &mut BTreeMap<IpNet, Vec<usize>>, net: &IpNet, a: usize| {
                if net.addr().is_ipv4() {
                    to.entry(net.trunc()).or_default().push(a);
                }
            };
            for &(b, a) in &e.borders {
                for net in known(&t.border_routers[b].learned, "what a site announces")? {
                    note(&mut outward, net, a);
                }
            }
            for &(v, a) in &e.vpcs {
                for net in self.blocks_of(v) {
                    note(&mut inward, &net, a);
                }
            }
            for &(r, a) in &e.transits {
                let there = w.attachments[a].tables.iter().filter(|(of, _)| *of == r);
                for &(_, table) in there {
                    for x in &w.tr_tables[table].routes {
                        let of = match x.from {
                            From::Vpc(v) => Some(VpcId(u32::try_from(v).unwrap_or(u32::MAX))),
                            From::Static | From::Site | From::Peer => None,
                        };
                        // Nothing goes on that another router has said, nor back to who has said it.
                        let goes_on = x.from != From::Peer && x.to != Some(a);
                        let said = permitted(t, false, table, x.net, of, None)
                            .map_err(|e| super::KernelError::Unsupported(e.0))?;
                        if goes_on && said {
                            note(&mut inward, &x.net, a);
                        }
                    }
                }
            }
            let mut pick = |all: BTreeMap<IpNet, Vec<usize>>| {
                let all = all.into_iter();
                all.map(|(net, to)| (net, self.pick(to))).collect::<Vec<_>>()
            };
            let (outward, inward) = (pick(outward), pick(inward));
            let e = &mut self.ecrs[n];
            (e.outward, e.inward) = (outward, inward);
        }
        Ok(())
    }

    /// The Express Connect router that a router is.
    pub(crate) fn ecr(&self, router: usize) -> Option<&Ecr> {
        self.ecrs.iter().find(|e| e.router == router)
    }

    /// The one that a VPC, a border router or a transit router is joined to by an attachment.
    pub(crate) fn ecr_of(&self, attachment: usize) -> Option<&Ecr> {
        self.ecrs
            .iter()
            .find(|e| e.attachments().any(|a| a == attachment))
    }

    /// 3: what they write into the tables of a VPC, with the attachment that leads there.
    pub(crate) fn heard_by_vpc(&self, vpc: usize) -> Vec<(IpNet, usize)> {
        let joined = |e: &Ecr| e.vpcs.clone().into_iter().filter(|(v, _)| *v == vpc);
        let all = self.ecrs.iter().flat_map(|e| joined(e).map(move |(_, a)| (e, a)));
        all.flat_map(|(e, a)| e.outward.iter().map(move |(net, _)| (*net, a)))
            .collect()
    }

    /// The same of the table of a border router.
    pub(crate) fn heard_by_border(&self, border: usize) -> Vec<(IpNet, usize)> {
        let joined = |e: &Ecr| e.borders.clone().into_iter().filter(|(b, _)| *b == border);
        let all = self.ecrs.iter().flat_map(|e| joined(e).map(move |(_, a)| (e, a)));
        all.flat_map(|(e, a)| e.inward.iter().map(move |(net, _)| (*net, a)))
            .collect()
    }
}

/// What is to be done in its namespace.
pub(crate) fn router(p: &Plan, e: &Ecr) -> Script {
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    // 9: it is taken to carry IPv4 only.
    let mut keep = "meta nfproto ipv6 drop\n".to_string();
    for a in e.attachments() {
        s.device(&format!("a{a}"));
        let _ = writeln!(keep, "iifname \"a{a}\" oifname \"a{a}\" drop");
    }
    let clouds: Vec<usize> = e.vpcs.iter().chain(&e.transits).map(|x| x.1).collect();
    let ports: Vec<usize> = e.borders.iter().map(|x| x.1).collect();
    for (base, from, routes) in [(1000, clouds, &e.outward), (1100, ports, &e.inward)] {
        for c in 0..p.choices() {
            let table = base + c;
            for (net, to) in routes {
                match p.picked(to, c) {
                    Some(a) => s.ip(format!("route add {net} dev a{a} table {table}")),
                    None => s.ip(format!("route add unreachable {net} table {table}")),
                }
            }
            if routes.iter().all(|r| r.0.prefix_len() > 0) {
                s.ip(format!("route add unreachable 0.0.0.0/0 table {table}"));
            }
            for a in &from {
                let mark = format!("{:#x}/0xff00", c << 8);
                s.ip(format!("rule add pref 100 iif a{a} fwmark {mark} lookup {table}"));
            }
        }
    }
    s.nft(stateless(p, &keep));
    s
}
