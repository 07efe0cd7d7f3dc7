//! Routes of two ends seen together: replies that go another way than requests, or out to the Internet.

use super::routes::{At, EndKind, RouteEnd, View};
use super::routes_walk::MOST_ENDS;
use bartizan_model::{Fact, RouteTableId, SiteId, VpcId, VswitchId};
use bartizan_packet::IpSet;
use bartizan_reach::Hop;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What the routes between two ends do that those of one of them do not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uneven {
    /// Whose packets: vSwitches with the same tables.
    pub from: Vec<String>,
    /// To whom: vSwitches with the same tables, or a site.
    pub to: Vec<String>,
    /// `asymmetric` (the reply goes another way, or nowhere) or `leak` (packets for it leave to the Internet).
    pub effect: &'static str,
    /// An address for which it is so.
    pub address: IpAddr,
    /// What happens, in words.
    pub why: String,
}

/// vSwitches of one VPC with the same tables.
struct Group {
    vpc: VpcId,
    tables: Vec<u32>,
    vswitches: Vec<VswitchId>,
    /// Addresses that stand for its blocks.
    ips: Vec<IpAddr>,
    /// Whether there are more of them than are looked at.
    cut: bool,
}

/// What was found, and what was not looked at.
#[derive(Default)]
pub(super) struct Pairs {
    pub(super) uneven: Vec<Uneven>,
    /// There are more pairs of groups than are looked at.
    pub(super) pairs_left: bool,
    /// There are more addresses that routes tell apart, or more alternatives of one of them, than are looked at.
    pub(super) addresses_left: bool,
}

/// Pairs of groups that are looked at; a network with more says so.
const MOST: usize = 4096;
/// Addresses that stand for a group.
const SAMPLES: usize = 24;

impl View<'_> {
    /// Routes of two ends that do not fit together. Only what is the same whatever alternative a table takes is told.
    pub(super) fn pairs(&self) -> Pairs {
        let groups = self.groups();
        let mut out = Pairs::default();
        let mut looked = 0;
        for (n, a) in groups.iter().enumerate() {
            for b in groups[n + 1..].iter().filter(|b| self.net.joined(a.vpc, b.vpc)) {
                looked += 1;
                if looked > MOST {
                    out.pairs_left = true;
                    return out;
                }
                out.addresses_left |= a.cut || b.cut;
                let found = self.between(a, b, &mut out.addresses_left);
                out.uneven.extend(found);
            }
            let found = self.to_sites(a, &mut out.addresses_left);
            out.uneven.extend(found);
        }
        out
    }

    fn groups(&self) -> Vec<Group> {
        let t = &self.f.inventory.typed;
        let mut groups: Vec<Group> = Vec::new();
        // Where it is known who is there, vSwitches of nobody (those of NAT gateways and attachments) do not count.
        let ends = self.net.ifaces.iter().flatten();
        let used: BTreeSet<VswitchId> = ends.map(|f| f.vswitch).collect();
        let told = |vpc: VpcId| {
            let mut all = used
                .iter()
                .filter_map(|v| self.net.vswitches.get(v.index())?.as_ref());
            all.any(|n| n.vpc == vpc)
        };
        for (v, n) in (0u32..).map(VswitchId).zip(&self.net.vswitches) {
            let (Some(n), Fact::Known(block)) = (n, &t[v].cidr) else {
                continue;
            };
            if t.site_of_vpc(n.vpc).is_some() || !used.contains(&v) && told(n.vpc) {
                continue;
            }
            let at = groups.iter().position(|g| g.vpc == n.vpc && g.tables == n.tables);
            let at = at.unwrap_or_else(|| {
                groups.push(Group {
                    vpc: n.vpc,
                    tables: n.tables.clone(),
                    vswitches: Vec::new(),
                    ips: Vec::new(),
                    cut: false,
                });
                groups.len() - 1
            });
            let g = &mut groups[at];
            g.vswitches.push(v);
            let block = IpSet::from(*block);
            // Narrower routes tell addresses of the block apart.
            let tables = self.net.tables.iter().flat_map(|t| &t.routes).map(|r| &r.ips);
            let routers = self.net.transit.tables.iter().flatten().map(|w| &w.ips);
            let parts = tables
                .chain(routers)
                .filter(|s| s.intersects(&block) && !block.is_subset(s));
            let some = std::iter::once(block.first()).chain(parts.map(|s| s.intersect(&block).first()));
            g.ips.extend(some.flatten());
        }
        for g in &mut groups {
            g.ips.sort_unstable();
            g.ips.dedup();
            g.cut = g.ips.len() > SAMPLES;
            g.ips.truncate(SAMPLES);
        }
        groups
    }

    /// Every end of packets for an address; nothing where there are more than are told, which `left` notes.
    fn ends(&self, tables: &[u32], ip: IpAddr, left: &mut bool) -> BTreeSet<RouteEnd> {
        let mut ends = BTreeSet::new();
        for t in tables {
            let at = At::Vpc(RouteTableId(*t));
            self.follow(at, ip, &mut Vec::new(), &mut Vec::new(), &mut ends);
        }
        if ends.len() >= MOST_ENDS {
            *left = true;
            ends.clear();
        }
        ends
    }

    fn names(&self, g: &Group) -> Vec<String> {
        let t = &self.f.inventory.typed;
        g.vswitches
            .iter()
            .map(|v| t[*v].meta.origin.address.to_string())
            .collect()
    }

    /// For each end what packets pass on the way there that keeps account of them or is set to see them: appliances; and by
    /// which routers they go.
    fn passed(&self, ends: &BTreeSet<RouteEnd>) -> BTreeSet<BTreeSet<String>> {
        let t = &self.f.inventory.typed;
        let router = |name: &String| {
            let table = t.tr_tables.iter().find(|x| *x.meta.origin.address == **name)?;
            let router = table.router.known()?;
            Some(t[*router].meta.origin.address.to_string())
        };
        let attachment = |name: &String| t.attachments.iter().any(|a| *a.meta.origin.address == **name);
        let of = |e: &RouteEnd| {
            let path = e.path.iter().filter(|n| !attachment(n));
            path.map(|n| router(n).unwrap_or_else(|| n.clone())).collect()
        };
        ends.iter().map(of).collect()
    }

    fn between(&self, a: &Group, b: &Group, left: &mut bool) -> Option<Uneven> {
        let mut found: Option<Uneven> = None;
        for (x, y) in [(a, b), (b, a)] {
            let ways_back = x.ips.iter().map(|ip| (*ip, self.ends(&y.tables, *ip, left)));
            let backs: Vec<(IpAddr, BTreeSet<RouteEnd>)> = ways_back.collect();
            for to in &y.ips {
                let there = self.ends(&x.tables, *to, left);
                if !home(&there, y.vpc) {
                    continue;
                }
                for (back_to, back) in backs.iter().filter(|(i, _)| i.is_ipv4() == to.is_ipv4()) {
                    let uneven = |effect, address, (from, to): (&Group, &Group), why| Uneven {
                        from: self.names(from),
                        to: self.names(to),
                        effect,
                        address,
                        why,
                    };
                    if home(back, x.vpc) {
                        // Of several alternatives each has to be another one than any of the way back.
                        let (p, q) = (self.passed(&there), self.passed(back));
                        if let (Some(first), Some(last), true) = (p.first(), q.first(), p.is_disjoint(&q))
                            && found.is_none()
                        {
                            let why = format!("there {}, back {}", by(first), by(last));
                            found = Some(uneven("asymmetric", *to, (x, y), why));
                        }
                    } else if let Some(e) = back.first().filter(|_| back.len() == 1) {
                        // That replies are lost is worse than that they go another way.
                        let leak = gone(e);
                        let effect = if leak { "leak" } else { "asymmetric" };
                        if matches!(
                            e.kind,
                            EndKind::Out | EndKind::Site(_) | EndKind::Dropped | EndKind::Loop
                        ) {
                            let (ends, address) = match leak {
                                true => ((y, x), *back_to),
                                false => ((x, y), *to),
                            };
                            let why = match leak {
                                true => format!("{}, though its packets arrive", e.text),
                                false => format!("what gets there has no way back: {}", e.text),
                            };
                            return Some(uneven(effect, address, ends, why));
                        }
                    }
                }
            }
        }
        found
    }

    /// Packets for networks behind links that leave to the Internet, though the VPC is joined with the site.
    fn to_sites(&self, a: &Group, left: &mut bool) -> Vec<Uneven> {
        let t = &self.f.inventory.typed;
        let mut out = Vec::new();
        for (n, s) in (0u32..).zip(&t.sites) {
            if !self.net.joined(a.vpc, s.vpc) {
                continue;
            }
            for net in t.networks(SiteId(n)) {
                let ip = net.trunc().addr();
                let ends = self.ends(&a.tables, ip, left);
                let only = ends.first().filter(|e| ends.len() == 1 && gone(e));
                if let Some(e) = only.filter(|_| net.prefix_len() > 0 && self.sends_out(a)) {
                    out.push(Uneven {
                        from: self.names(a),
                        to: vec![s.meta.origin.address.to_string()],
                        effect: "leak",
                        address: ip,
                        why: e.text.clone(),
                    });
                }
            }
        }
        out
    }

    /// Whether a table leads anything to a link or a router: a VPC that means to go nowhere but to the Internet leaks nothing.
    fn sends_out(&self, a: &Group) -> bool {
        let link = |h: &Hop| {
            matches!(
                h,
                Hop::Attachment(_) | Hop::Peering(..) | Hop::Vpn(_) | Hop::RouterInterface(_)
            )
        };
        let tables = a.tables.iter().filter_map(|t| self.net.tables.get(*t as usize));
        let mut hops = tables.flat_map(|t| &t.routes).flat_map(|r| &r.hops);
        hops.any(link)
    }
}

/// Whether all of some ends are in a VPC.
fn home(ends: &BTreeSet<RouteEnd>, vpc: VpcId) -> bool {
    !ends.is_empty() && ends.iter().all(|e| e.kind == EndKind::Delivered(Some(vpc)))
}

/// Whether a packet leaves the cloud, and not to a site.
fn gone(e: &RouteEnd) -> bool {
    e.kind == EndKind::Out
}

fn by(passed: &BTreeSet<String>) -> String {
    match passed.is_empty() {
        true => "straight".to_string(),
        false => format!(
            "by {}",
            passed.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        ),
    }
}
