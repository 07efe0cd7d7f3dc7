//! What the tables of transit routers hold, and what they write into the tables of VPCs (ALIBABA.md §10; the
//! numbers are those of docs/decisions/010).

use crate::hybrid::{Beyond, beyond};
use crate::world::{Hop, Rank, Res, RouteW, Unsupported, World, exists, known, nets};
use bartizan_model::{
    Attached, CidrMatch, Fact, NetSpec, NextHop, RouteMap, RouteTableKind, TrHop, TrLink, Typed, VpcId,
};
use ipnet::IpNet;

/// An attachment of a transit router.
pub(crate) struct AttachmentW {
    pub(crate) name: String,
    /// The VPC with the vSwitches in which the router hands over; `None` for another router and for a link.
    pub(crate) vpc: Option<(usize, Vec<usize>)>,
    /// The link to a site.
    pub(crate) beyond: Option<Beyond>,
    /// The table that forwards what comes from it, per router: (router, table).
    pub(crate) tables: Vec<(usize, usize)>,
    pub(crate) ipv6: bool,
}

/// Who a route was learned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    Static,
    Vpc(usize),
    /// What is behind a link (014, 13 and 18).
    Site,
    Peer,
}

/// A route of a transit router.
#[derive(Clone, Debug)]
pub(crate) struct TrRouteW {
    pub(crate) net: IpNet,
    /// The attachment; `None` is a blackhole.
    pub(crate) to: Option<usize>,
    pub(crate) from: From,
}

/// A table of a transit router.
pub(crate) struct TrTableW {
    pub(crate) name: String,
    pub(crate) router: usize,
    pub(crate) routes: Vec<TrRouteW>,
}

impl World {
    /// Reads routers, attachments and routes and writes what is published into the tables of the VPCs.
    pub(crate) fn transit(&mut self, t: &Typed) -> Res<()> {
        for table in &t.tr_tables {
            exists(&table.meta.origin)?;
            self.tr_tables.push(TrTableW {
                name: table.meta.origin.address.to_string(),
                router: known(&table.router, "the router of a table")?.index(),
                routes: Vec::new(),
            });
        }
        self.attachments(t)?;
        for l in &t.tr_associations {
            let (a, table) = ends(l)?;
            let router = self.tr_tables[table].router;
            self.attachments[a].tables.push((router, table));
        }
        for r in &t.tr_routes {
            exists(&r.origin)?;
            let table = known(&r.table, "the table of a route of a transit router")?.index();
            let to = match &r.hop {
                TrHop::Attachment(a) => Some(a.index()),
                TrHop::Blackhole => None,
                TrHop::Unknown(u) => {
                    return Err(Unsupported(format!("a next hop is not known ({})", u.why)));
                }
            };
            for net in nets(t, &r.destination)? {
                let from = From::Static;
                self.tr_tables[table].routes.push(TrRouteW { net, to, from });
            }
        }
        let mut learning: Vec<(usize, usize)> = Vec::new();
        for l in &t.tr_propagations {
            learning.push(ends(l)?);
        }
        // 9: with Basic Edition everything is learned by the one table.
        for (a, x) in t.attachments.iter().enumerate() {
            let r = &t[*known(&x.router, "the router of an attachment")?];
            if r.basic {
                learning.push((a, r.system_table.index()));
            }
        }
        learning.sort_unstable();
        learning.dedup();
        for &(a, table) in &learning {
            self.learn_vpc(t, a, table)?;
            self.learn_site(t, a, table)?;
        }
        for &(a, table) in &learning {
            self.learn_peer(t, a, table)?;
        }
        self.publish(t)
    }

    fn attachments(&mut self, t: &Typed) -> Res<()> {
        for a in &t.attachments {
            exists(&a.meta.origin)?;
            let router = *known(&a.router, "the router of an attachment")?;
            let vpc = match &a.to {
                Attached::Vpc(v) => {
                    let zones = a
                        .vswitches
                        .iter()
                        .map(|v| Ok(known(v, "a vSwitch of an attachment")?.index()));
                    Some((
                        known(v, "the VPC of an attachment")?.index(),
                        zones.collect::<Res<_>>()?,
                    ))
                }
                Attached::Peer(r) => {
                    known(r, "the router at the other end")?;
                    None
                }
                Attached::Border(_) | Attached::Vpn(_) | Attached::Nothing => None,
                Attached::Unmodelled(kind, _) => {
                    return Err(Unsupported(format!("{kind} is attached to a transit router")));
                }
            };
            let tables = if t[router].basic {
                vec![(router.index(), t[router].system_table.index())]
            } else {
                Vec::new()
            };
            self.attachments.push(AttachmentW {
                name: a.meta.origin.address.to_string(),
                vpc,
                beyond: beyond(&a.to)?,
                tables,
                ipv6: *known(&a.ipv6, "whether an attachment carries IPv6")?,
            });
        }
        Ok(())
    }

    /// 6: the blocks of the VPC's vSwitches, and published custom routes of its system table.
    fn learn_vpc(&mut self, t: &Typed, a: usize, table: usize) -> Res<()> {
        let Some((vpc, _)) = self.attachments[a].vpc else {
            return Ok(());
        };
        let id = VpcId(u32::try_from(vpc).unwrap_or(u32::MAX));
        let mut advertised: Vec<IpNet> = Vec::new();
        for v in t.vswitches.iter().filter(|v| v.vpc.known() == Some(&id)) {
            advertised.push(known(&v.cidr, "the block of a vSwitch")?.trunc());
            if let Some(c) = v.ipv6_cidr.as_ref().filter(|_| self.attachments[a].ipv6) {
                advertised.push(known(c, "the IPv6 block of a vSwitch")?.trunc());
            }
        }
        // 023, 2: an Express Connect router learns the blocks alone. It is in no CEN instance but its own.
        let router = &t[*known(&t.attachments[a].router, "the router of an attachment")?];
        for p in t.published_routes.iter().filter(|_| !router.is_express()) {
            exists(&p.origin)?;
            let here = *known(&p.table, "the table of a published route")? == t[id].system_table;
            let net = *known(&p.destination, "a published route")?;
            let entry = t.route_entries.iter().find(|e| {
                e.table.known() == Some(&t[id].system_table)
                    && e.destination == NetSpec::Net(Fact::Known(net))
            });
            if let Some(e) = entry.filter(|_| here)
                && e.next_hops.iter().all(may_be_published)
            {
                advertised.push(net.trunc());
            }
            // 014, 12: what a VPN gateway wrote there, unless a custom route beats it.
            let system = t[id].system_table;
            let takes = *known(&t[system].propagation, "whether a table takes propagated routes")?;
            let wrote = self.written(t, vpc)?.iter().any(|(n, _)| *n == net.trunc());
            if here && entry.is_none() && takes && wrote {
                advertised.push(net.trunc());
            }
        }
        for net in advertised {
            if permitted(t, true, table, net, Some(id), None)? {
                self.tr_tables[table].routes.push(TrRouteW {
                    net,
                    to: Some(a),
                    from: From::Vpc(vpc),
                });
            }
        }
        Ok(())
    }

    /// 014, 13 and 18: what the site behind a link announces, and the routes of the link.
    fn learn_site(&mut self, t: &Typed, a: usize, table: usize) -> Res<()> {
        let Some(b) = self.attachments[a].beyond else {
            return Ok(());
        };
        for net in self.announced(b) {
            let family = matches!(net, IpNet::V4(_)) || self.attachments[a].ipv6;
            if family && permitted(t, true, table, net, None, None)? {
                let (to, from) = (Some(a), From::Site);
                self.tr_tables[table].routes.push(TrRouteW { net, to, from });
            }
        }
        Ok(())
    }

    /// 6: the routes of the table that is associated with the attachment at the other router.
    fn learn_peer(&mut self, t: &Typed, a: usize, table: usize) -> Res<()> {
        if self.attachments[a].vpc.is_some()
            || self.attachments[a].beyond.is_some()
            || !*known(&t.attachments[a].publishes, "whether a peering publishes")?
        {
            return Ok(());
        }
        let here = self.tr_tables[table].router;
        let others: Vec<usize> = self.attachments[a]
            .tables
            .iter()
            .filter(|(r, _)| *r != here)
            .map(|(_, t)| *t)
            .collect();
        for other in others {
            for r in self.tr_tables[other].routes.clone() {
                // No third region (§10.6).
                if r.from == From::Peer || r.to == Some(a) {
                    continue;
                }
                let source = match r.from {
                    From::Vpc(v) => Some(VpcId(u32::try_from(v).unwrap_or(u32::MAX))),
                    _ => None,
                };
                if permitted(t, false, other, r.net, source, None)?
                    && permitted(t, true, table, r.net, source, None)?
                {
                    self.tr_tables[table].routes.push(TrRouteW {
                        net: r.net,
                        to: Some(a),
                        from: From::Peer,
                    });
                }
            }
        }
        Ok(())
    }

    /// 7: into every vSwitch table of the VPC that takes propagated routes.
    fn publish(&mut self, t: &Typed) -> Res<()> {
        for (a, x) in t.attachments.iter().enumerate() {
            let border = match self.attachments[a].beyond {
                Some(Beyond::Border(b)) => Some(b),
                _ => None,
            };
            let vpc = self.attachments[a].vpc.as_ref().map(|v| v.0);
            if vpc.is_none() && border.is_none() {
                continue;
            }
            let id = vpc.map(|v| VpcId(u32::try_from(v).unwrap_or(u32::MAX)));
            if !*known(&x.publishes, "whether an attachment publishes")? {
                continue;
            }
            let mut written: Vec<IpNet> = Vec::new();
            for (_, table) in &self.attachments[a].tables {
                for r in &self.tr_tables[*table].routes {
                    let source = match r.from {
                        From::Vpc(v) => Some(VpcId(u32::try_from(v).unwrap_or(u32::MAX))),
                        _ => None,
                    };
                    let back = r.to == Some(a) || r.to.is_none();
                    if !back && permitted(t, false, *table, r.net, source, id)? {
                        written.push(r.net);
                    }
                }
            }
            written.sort_unstable();
            written.dedup();
            if let Some(b) = border {
                self.hybrid.borders[b]
                    .published
                    .extend(written.iter().map(|n| (*n, a)));
                continue;
            }
            for (table, rt) in t.route_tables.iter().enumerate() {
                let takes = *known(&rt.propagation, "whether a table takes propagated routes")?;
                if rt.vpc.known() != id.as_ref() || rt.kind == RouteTableKind::Gateway || !takes {
                    continue;
                }
                let routes = written.iter().map(|net| RouteW {
                    net: *net,
                    hops: vec![Hop::Attachment(a)],
                    rank: Rank::Propagated,
                });
                self.tables[table].extend(routes);
            }
        }
        Ok(())
    }
}

fn ends(l: &TrLink) -> Res<(usize, usize)> {
    exists(&l.origin)?;
    let a = known(&l.attachment, "an attachment")?.index();
    Ok((a, known(&l.table, "a table of a transit router")?.index()))
}

/// §10.3: the next hops whose routes may be published.
fn may_be_published(h: &NextHop) -> bool {
    !matches!(
        h,
        NextHop::Peering(_)
            | NextHop::Attachment(_)
            | NextHop::RouterInterface(_)
            | NextHop::Unmodelled { .. }
    )
}

/// §10.5, 8: whether the route maps let a route into a table (`receives`) or out of it.
pub(crate) fn permitted(
    t: &Typed,
    receives: bool,
    table: usize,
    net: IpNet,
    from: Option<VpcId>,
    to: Option<VpcId>,
) -> Res<bool> {
    let mut maps: Vec<(u8, &RouteMap)> = Vec::new();
    for m in &t.route_maps {
        exists(&m.origin)?;
        if let Some(c) = m.unmodelled.first() {
            return Err(Unsupported(format!("a route map has the condition `{c}`")));
        }
        if *known(&m.receives, "the direction of a route map")? == receives {
            maps.push((*known(&m.priority, "the priority of a route map")?, m));
        }
    }
    maps.sort_by_key(|(p, _)| *p);
    let mut wanted = 0;
    for (priority, m) in maps {
        if priority < wanted || !fits(t, m, table, net, from, to)? {
            continue;
        }
        if !*known(&m.permit, "the result of a route map")? {
            return Ok(false);
        }
        match &m.next_priority {
            None => return Ok(true),
            Some(n) => wanted = *known(n, "the next priority of a route map")?,
        }
    }
    Ok(true)
}

fn fits(
    t: &Typed,
    m: &RouteMap,
    table: usize,
    net: IpNet,
    from: Option<VpcId>,
    to: Option<VpcId>,
) -> Res<bool> {
    let tr_table = &t.tr_tables[table];
    let here = match &m.table {
        Some(x) => known(x, "the table of a route map")?.index() == table,
        None => {
            let router = &t[*known(&tr_table.router, "the router of a table")?];
            let cen = known(&m.cen, "the CEN instance of a route map")?;
            let region = known(&m.region, "the region of a route map")?;
            tr_table.system
                && router.cen.as_ref().is_none_or(|c| c == cen)
                && router.meta.region.as_ref().is_none_or(|r| r == region)
        }
    };
    if !here {
        return Ok(false);
    }
    if let Some(prefixes) = &m.prefixes {
        let complete = *known(&m.match_mode, "the match mode of a route map")? == CidrMatch::Complete;
        let mut any = false;
        for p in prefixes {
            let p = known(p, "a prefix of a route map")?.trunc();
            any |= p == net || !complete && p.contains(&net);
        }
        if !any {
            return Ok(false);
        }
    }
    for (condition, vpc) in [(&m.sources, from), (&m.destinations, to)] {
        let Some((list, reverse)) = condition else {
            continue;
        };
        let mut listed = false;
        for v in list {
            listed |= Some(*known(v, "a VPC of a route map")?) == vpc;
        }
        if listed == *reverse {
            return Ok(false);
        }
    }
    Ok(true)
}
