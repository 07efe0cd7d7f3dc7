//! Route tables as they are in effect: what every entry comes from, what never decides, where packets end.

use super::Frame;
use super::routes_pairs::Uneven;
use bartizan_base::{Diagnostic, Span};
use bartizan_model::{
    Assumption, AttachmentId, Fact, InterfaceId, Readings, RouteTableId, RouteTableKind, TrTableId, VpcId,
    VswitchId,
};
use bartizan_packet::IpSet;
use bartizan_reach::{CompileOptions, Far, Hop, Mode, Network, RouteRef, TrNext, TrRouteRef, compile};
use ipnet::IpNet;
use std::collections::BTreeSet;

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteState {
    /// It decides for some addresses.
    Used,
    /// Stronger entries decide for all of its addresses: these.
    Shadowed(Vec<String>),
    /// Whether it exists or what it names is not known.
    Uncertain,
}

/// One entry of a table.
#[derive(Clone, Debug)]
pub struct RouteRow {
    /// Prefix, or prefixes of a prefix list.
    pub destination: String,
    /// Next hops; several are ECMP or alternatives.
    pub next: Vec<String>,
    /// Where it comes from: `system`, the resource, or the attachment that it was learned from.
    pub from: String,
    /// Where that is written.
    pub span: Option<Span>,
    /// Whether it decides.
    pub state: RouteState,
    /// Where a packet ends that it decides about: one for each possibility.
    pub ends: Vec<RouteEnd>,
}

/// Where a packet ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RouteEnd {
    /// The tables and appliances on the way.
    pub path: Vec<String>,
    /// How it ends.
    pub kind: EndKind,
    /// In words.
    pub text: String,
}

/// How a packet ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndKind {
    /// In the VPC that has the address.
    Delivered,
    /// On the Internet, by a gateway.
    Out,
    /// Nowhere.
    Dropped,
    /// It comes back to a table that it has been in.
    Loop,
    /// Behind something that is not modelled.
    Unknown,
}

/// A route table.
#[derive(Clone, Debug)]
pub struct TableRows {
    /// Terraform address.
    pub name: String,
    /// `system table`, `custom table`, `gateway table`, `transit router table`.
    pub kind: &'static str,
    /// The VPC or the transit router.
    pub of: String,
    /// vSwitches or attachments whose packets it decides about.
    pub users: Vec<String>,
    /// Entries, the strongest first.
    pub rows: Vec<RouteRow>,
}

/// Two VPCs that can meet and share addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// One VPC with the block.
    pub a: (String, IpNet),
    /// The other with the block.
    pub b: (String, IpNet),
    /// `ambiguous`, `hijack` or `harmless`.
    pub effect: &'static str,
    /// Why.
    pub why: String,
}

/// The answer to `routes`.
#[derive(Clone, Debug)]
pub struct Routes {
    /// The tables, those of VPCs first.
    pub tables: Vec<TableRows>,
    /// Blocks of VPCs that can meet.
    pub overlaps: Vec<Overlap>,
    /// What else the tables might say: contested readings that the user has decided nothing about.
    pub assumes: Vec<Assumption>,
    /// Routes of two ends that do not fit together.
    pub uneven: Vec<Uneven>,
    /// Whether all pairs of vSwitches were looked at for them.
    pub all_pairs: bool,
    /// What the question was cut down to.
    pub explained: Option<IpNet>,
}

/// A table, of a VPC or of a transit router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum At {
    Vpc(RouteTableId),
    Router(TrTableId),
}

pub(super) struct View<'a> {
    pub(super) f: &'a Frame<'a>,
    pub(super) net: Network,
}

fn num(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Readings that decide which entry of a table is the stronger one.
const ORDER: [Assumption; 3] = [Assumption::Route1, Assumption::Route2, Assumption::Tr1];

/// What the tables of a network decide for an address of each entry.
fn decided(net: &Network) -> impl PartialEq + use<> {
    // The order in which entries stand says nothing by itself.
    fn firsts<'s>(all: impl Iterator<Item = &'s IpSet>) -> BTreeSet<std::net::IpAddr> {
        all.filter_map(IpSet::first).collect()
    }
    let mut of_vpcs: Vec<Vec<Hop>> = Vec::new();
    for t in &net.tables {
        for ip in firsts(t.routes.iter().map(|r| &r.ips)) {
            of_vpcs.push(t.lookup(ip).flat_map(|r| r.hops.clone()).collect());
        }
    }
    let mut of_routers: Vec<(Vec<TrNext>, bool)> = Vec::new();
    for (n, t) in (0u32..).zip(&net.transit.tables) {
        for ip in firsts(t.iter().map(|w| &w.ips)) {
            let (ways, certain) = net.transit.lookup(TrTableId(n), ip);
            of_routers.push((ways.into_iter().map(|w| w.next).collect(), certain));
        }
    }
    (of_vpcs, of_routers)
}

/// Every route table, or those about one table, vSwitch or VPC, cut down to the addresses of `explain`.
///
/// # Errors
/// `INTENT002` when `only` names nothing that has a route table.
pub fn routes(f: &Frame<'_>, only: Option<&str>, explain: Option<IpNet>) -> Result<Routes, Diagnostic> {
    // A table has one order on paper: that of the chosen readings where the user has decided nothing.
    let mut readings = f.plan.readings.clone();
    for a in ORDER {
        if readings.decided(a).is_none() {
            readings = readings.with(a, false);
        }
    }
    let compiled = |readings: Readings| {
        let options = CompileOptions {
            readings,
            ..CompileOptions::default()
        };
        compile(f.inventory, Mode::Widen, &options)
    };
    let v = View {
        f,
        net: compiled(readings.clone()),
    };
    let chosen = decided(&v.net);
    let undecided = ORDER
        .into_iter()
        .filter(|a| f.plan.readings.decided(*a).is_none());
    let assumes: Vec<Assumption> = undecided
        .filter(|a| decided(&compiled(readings.clone().with(*a, true))) != chosen)
        .collect();
    let t = &f.inventory.typed;
    let region = explain.map(IpSet::from);
    let mut tables = Vec::new();
    let mut known = Vec::new();
    for (i, rt) in t.route_tables.iter().enumerate() {
        // The network that stands for a site forwards nothing; border routers come below.
        if rt.vpc.known().is_some_and(|v| t.site_of_vpc(*v).is_some()) {
            continue;
        }
        let table = v.vpc_table(RouteTableId(num(i)), region.as_ref());
        let vpc = rt.vpc.known().map(|v| &t[*v].meta);
        let names = [Some(&rt.meta), vpc].into_iter().flatten();
        let mut names: Vec<String> = names
            .flat_map(|m| {
                let shown = m.name.as_ref().and_then(Fact::known).map(ToString::to_string);
                [Some(m.origin.address.to_string()), shown]
            })
            .flatten()
            .collect();
        names.extend(table.users.iter().cloned());
        if only.is_none_or(|o| names.iter().any(|n| n == o)) {
            tables.push(table);
        }
        known.extend(names);
    }
    for i in 0..t.tr_tables.len() {
        let table = v.router_table(TrTableId(num(i)), region.as_ref());
        let hit = |o: &str| table.name == o || table.of == o || table.users.iter().any(|u| u == o);
        known.push(table.name.clone());
        if only.is_none_or(hit) {
            tables.push(table);
        }
    }
    for table in v.link_tables(region.as_ref()) {
        known.push(table.name.clone());
        if only.is_none_or(|o| table.name == o || table.of == o) {
            tables.push(table);
        }
    }
    if let (Some(o), true) = (only, tables.is_empty()) {
        let d = Diagnostic::error("INTENT002", format!("`{o}` has no route table in this network"));
        return Err(match super::nearest(o, &known) {
            Some(n) => d.help(format!("did you mean `{n}`?")),
            None => d.help("name a route table, vSwitch, VPC, transit router table or attachment by its Terraform address"),
        });
    }
    let (mut uneven, all_pairs) = v.uneven();
    if let Some(r) = &region {
        uneven.retain(|u| r.contains(u.address));
    }
    // Of one table what its users send and get.
    if only.is_some() {
        let users: BTreeSet<&String> = tables.iter().flat_map(|t| &t.users).collect();
        uneven.retain(|u| u.from.iter().chain(&u.to).any(|n| users.contains(n)));
    }
    Ok(Routes {
        tables,
        assumes,
        uneven,
        all_pairs,
        overlaps: v.overlaps().into_iter().chain(v.link_overlaps()).collect(),
        explained: explain,
    })
}

impl View<'_> {
    pub(super) fn vpc_name(&self, v: VpcId) -> String {
        self.f.inventory.typed[v].meta.origin.address.to_string()
    }
    fn vswitch_name(&self, v: VswitchId) -> String {
        self.f.inventory.typed[v].meta.origin.address.to_string()
    }
    fn interface_name(&self, i: InterfaceId) -> String {
        self.f.inventory.typed[i].meta.origin.address.to_string()
    }
    fn attachment_name(&self, a: AttachmentId) -> String {
        self.f.inventory.typed[a].meta.origin.address.to_string()
    }
    pub(super) fn table_name(&self, at: At) -> String {
        let t = &self.f.inventory.typed;
        match at {
            At::Vpc(r) => t[r].meta.origin.address.to_string(),
            At::Router(r) => t[r].meta.origin.address.to_string(),
        }
    }

    fn hop_text(&self, h: &Hop) -> String {
        let t = &self.f.inventory.typed;
        match h {
            Hop::Local => "local".to_string(),
            Hop::Interface(i) => self.interface_name(*i),
            Hop::HaVip(h) => t.ha_vips[h.index()].meta.origin.address.to_string(),
            Hop::Nat(n) => t[*n].meta.origin.address.to_string(),
            Hop::Ipv4Gateway => "the IPv4 gateway".to_string(),
            Hop::Ipv6Gateway => "the IPv6 gateway".to_string(),
            Hop::Peering(p, _) => t[*p].meta.origin.address.to_string(),
            Hop::Attachment(a) => self.attachment_name(*a),
            Hop::Vpn(g) => t[*g].meta.origin.address.to_string(),
            Hop::RouterInterface(i) => t[*i].meta.origin.address.to_string(),
            Hop::Unmodelled => "something that is not modelled".to_string(),
        }
    }

    fn vpc_table(&self, id: RouteTableId, region: Option<&IpSet>) -> TableRows {
        let t = &self.f.inventory.typed;
        let rt = &t[id];
        let mut rows = Vec::new();
        let mut before: Vec<(IpSet, String)> = Vec::new();
        for r in &self.net.tables[id.index()].routes {
            let (from, span) = match r.from {
                RouteRef::Local => ("system".to_string(), None),
                RouteRef::SystemIpv6 => ("system, by the IPv6 gateway".to_string(), None),
                RouteRef::NatBlock(n) => (
                    "system, perhaps, for a NAT block".to_string(),
                    Some(t[n].meta.origin.span),
                ),
                RouteRef::Entry(i) => {
                    let o = &t.route_entries[i as usize].origin;
                    (o.address.to_string(), Some(o.span))
                }
                RouteRef::Propagated(a) => (
                    format!("published by {}", self.attachment_name(a)),
                    Some(t[a].meta.origin.span),
                ),
                RouteRef::Published(g) => (
                    format!("published by {}", t[g].meta.origin.address),
                    Some(t[g].meta.origin.span),
                ),
            };
            let next = r.hops.iter().map(|h| self.hop_text(h)).collect();
            let at = At::Vpc(id);
            rows.extend(self.row(at, &r.ips, region, next, (from, span), r.optional, &mut before));
        }
        let users = (0u32..)
            .map(VswitchId)
            .zip(&self.net.vswitches)
            .filter_map(|(v, n)| {
                let n = n.as_ref()?;
                n.tables.contains(&id.0).then(|| self.vswitch_name(v))
            });
        TableRows {
            name: rt.meta.origin.address.to_string(),
            kind: match rt.kind {
                RouteTableKind::System => "system table",
                RouteTableKind::Custom => "custom table",
                RouteTableKind::Gateway => "gateway table",
                RouteTableKind::Border => "border router table",
            },
            of: rt
                .vpc
                .known()
                .map_or_else(|| "a VPC that is not known".to_string(), |v| self.vpc_name(*v)),
            users: users.collect(),
            rows,
        }
    }

    fn router_table(&self, id: TrTableId, region: Option<&IpSet>) -> TableRows {
        let t = &self.f.inventory.typed;
        let mut rows = Vec::new();
        let mut before: Vec<(IpSet, String)> = Vec::new();
        for w in &self.net.transit.tables[id.index()] {
            let (from, span) = match w.from {
                TrRouteRef::Static(i) => {
                    let o = &t.tr_routes[i as usize].origin;
                    (o.address.to_string(), Some(o.span))
                }
                TrRouteRef::Learned(a) => {
                    let far = match &self.net.transit.attachments[a.index()].far {
                        Far::Vpc(v, _) => self.vpc_name(*v),
                        _ => self.attachment_name(a),
                    };
                    (format!("learned from {far}"), None)
                }
            };
            let next = match w.next {
                TrNext::Attachment(a) => self.attachment_name(a),
                TrNext::Blackhole => "blackhole".to_string(),
            };
            let at = At::Router(id);
            rows.extend(self.row(
                at,
                &w.ips,
                region,
                vec![next],
                (from, span),
                w.optional,
                &mut before,
            ));
        }
        let users = (0u32..).zip(&self.net.transit.attachments);
        let users = users.filter(|(_, a)| a.tables.iter().any(|(_, x)| *x == id));
        TableRows {
            name: t[id].meta.origin.address.to_string(),
            kind: "transit router table",
            of: match &t[id].router {
                Fact::Known(r) => t[*r].meta.origin.address.to_string(),
                Fact::Unknown(_) => "a router that is not known".to_string(),
            },
            users: users
                .map(|(i, _)| self.attachment_name(AttachmentId(i)))
                .collect(),
            rows,
        }
    }

    /// One entry; `None` where the question is about other addresses.
    #[expect(clippy::too_many_arguments, reason = "the parts of one entry")]
    fn row(
        &self,
        at: At,
        ips: &IpSet,
        region: Option<&IpSet>,
        next: Vec<String>,
        (from, span): (String, Option<Span>),
        optional: bool,
        before: &mut Vec<(IpSet, String)>,
    ) -> Option<RouteRow> {
        let asked = region.map_or_else(|| ips.clone(), |r| r.intersect(ips));
        let nets = |s: &IpSet| {
            let all: Vec<String> = s.to_nets().iter().map(ToString::to_string).collect();
            match all.len() {
                0..=4 => all.join(", "),
                n => format!("{} and {} more", all[..3].join(", "), n - 3),
            }
        };
        let mut left = asked.clone();
        let mut by = Vec::new();
        for (s, name) in before.iter() {
            if s.intersects(&left) {
                left = left.subtract(s);
                by.push(name.clone());
            }
        }
        // What two routes of one prefix learned from two places do is up to the router: neither shadows the other.
        let rival = matches!(at, At::Router(_))
            && before.iter().any(|(s, _)| s == ips)
            && from.starts_with("learned");
        if !optional {
            before.push((ips.clone(), format!("{} ({from})", nets(ips))));
        }
        if asked.is_empty() {
            return None;
        }
        let decides = if rival { &asked } else { &left };
        let state = match (decides.first(), optional) {
            (None, _) => RouteState::Shadowed(by),
            (Some(_), true) => RouteState::Uncertain,
            (Some(_), false) => RouteState::Used,
        };
        let mut ends = BTreeSet::new();
        for ip in self.samples(decides) {
            self.follow(at, ip, &mut Vec::new(), &mut Vec::new(), &mut ends);
        }
        Some(RouteRow {
            destination: if region.is_some() { nets(&asked) } else { nets(ips) },
            next,
            from,
            span,
            state,
            ends: ends.into_iter().collect(),
        })
    }

    /// Addresses of a set that stand for it: one on the Internet, one of every vSwitch, and its first.
    fn samples(&self, set: &IpSet) -> Vec<std::net::IpAddr> {
        /// More vSwitches than this are not told apart.
        const MOST: usize = 64;
        let t = &self.f.inventory.typed;
        let blocks = t
            .vswitches
            .iter()
            .flat_map(|v| std::iter::once(&v.cidr).chain(&v.ipv6_cidr));
        let blocks = blocks.filter_map(|c| c.known()).map(|n| IpSet::from(*n));
        let mut parts: Vec<IpSet> = std::iter::once(IpSet::public())
            .chain(blocks)
            .take(MOST)
            .collect();
        parts.retain(|p| p.intersects(set));
        let mut out: Vec<std::net::IpAddr> = parts.iter().filter_map(|p| p.intersect(set).first()).collect();
        if out.is_empty() {
            out.extend(set.first());
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Follows a packet for `ip` from a table to wherever it may end. Bounded by the number of tables.
    pub(super) fn follow(
        &self,
        at: At,
        ip: std::net::IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        /// Alternatives that are told.
        const MOST_ENDS: usize = 8;
        let end = |ends: &mut BTreeSet<RouteEnd>, path: &[String], kind, text: String| {
            if ends.len() < MOST_ENDS {
                ends.insert(RouteEnd {
                    path: path.to_vec(),
                    kind,
                    text,
                });
            }
        };
        if seen.contains(&at) {
            let name = self.table_name(at);
            return end(
                ends,
                path,
                EndKind::Loop,
                format!("loops: it comes back to {name}"),
            );
        }
        seen.push(at);
        match at {
            At::Vpc(id) => {
                let t = &self.f.inventory.typed;
                let vpc = t[id].vpc.known().copied();
                let routes: Vec<_> = self.net.tables[id.index()].lookup(ip).collect();
                if routes.is_empty() {
                    let text = format!("dropped: no route in {}", self.table_name(at));
                    end(ends, path, EndKind::Dropped, text);
                }
                for h in routes.iter().flat_map(|r| &r.hops) {
                    self.step(h, vpc, at, ip, seen, path, ends);
                }
            }
            At::Router(id) => {
                let (ways, decided) = self.net.transit.lookup(id, ip);
                if !decided {
                    let text = format!("dropped: no route in {}", self.table_name(at));
                    end(ends, path, EndKind::Dropped, text);
                }
                for w in ways {
                    let TrNext::Attachment(a) = w.next else {
                        let text = format!("dropped: a blackhole of {}", self.table_name(at));
                        end(ends, path, EndKind::Dropped, text);
                        continue;
                    };
                    path.push(self.attachment_name(a));
                    self.hand_over(a, Some(id), ip, seen, path, ends);
                    path.pop();
                }
            }
        }
        seen.pop();
    }

    /// What is behind an attachment, seen from a table of the router (`from`).
    fn hand_over(
        &self,
        a: AttachmentId,
        from: Option<TrTableId>,
        ip: std::net::IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let far = &self.net.transit.attachments[a.index()];
        match &far.far {
            Far::Vpc(v, zones) => {
                let tables: BTreeSet<RouteTableId> = if zones.is_empty() {
                    BTreeSet::from([RouteTableId(self.net.vpcs[v.index()].system_table)])
                } else {
                    let all = zones
                        .iter()
                        .filter_map(|z| self.net.vswitches[z.index()].as_ref());
                    all.flat_map(|z| z.tables.iter().map(|t| RouteTableId(*t)))
                        .collect()
                };
                for t in tables {
                    self.follow(At::Vpc(t), ip, seen, path, ends);
                }
            }
            Far::Router => {
                let here = from.and_then(|t| self.net.transit.routers[t.index()]);
                for (r, t) in &far.tables {
                    if Some(*r) != here {
                        self.follow(At::Router(*t), ip, seen, path, ends);
                    }
                }
            }
            Far::Border(b) => self.at_border(*b, None, ip, seen, path, ends),
            Far::Connection(x) => self.at_site(*x, path, ends),
            Far::Nothing => {
                ends.insert(RouteEnd {
                    path: path.clone(),
                    kind: EndKind::Dropped,
                    text: "dropped: nothing is attached there".to_string(),
                });
            }
            Far::Unmodelled => {
                ends.insert(RouteEnd {
                    path: path.clone(),
                    kind: EndKind::Unknown,
                    text: "not known: what is attached there is not modelled".to_string(),
                });
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a walk")]
    fn step(
        &self,
        h: &Hop,
        vpc: Option<VpcId>,
        at: At,
        ip: std::net::IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let t = &self.f.inventory.typed;
        let mut end = |kind, text: String| {
            ends.insert(RouteEnd {
                path: path.clone(),
                kind,
                text,
            });
        };
        let here = |v: VpcId| format!("delivered in {}", self.vpc_name(v));
        match h {
            Hop::Local => end(
                EndKind::Delivered,
                vpc.map_or_else(|| "delivered".to_string(), here),
            ),
            Hop::Peering(_, v) => end(EndKind::Delivered, here(*v)),
            Hop::Nat(n) => {
                let own = self.net.nats[n.index()].vpc;
                let name = &t[*n].meta.origin.address;
                if own.is_some() && vpc.is_some() && own != vpc {
                    end(EndKind::Dropped, format!("dropped: {name} is in another VPC"));
                } else if self.net.nats[n.index()].inner.is_some() {
                    end(EndKind::Out, format!("translated by {name}"));
                } else if !self.net.nats[n.index()].internet {
                    end(
                        EndKind::Dropped,
                        format!("dropped: {name} does not lead to the Internet"),
                    );
                } else {
                    end(EndKind::Out, format!("out by {name}"));
                }
            }
            Hop::Ipv4Gateway => {
                let of = |g: &&bartizan_model::Ipv4Gateway| g.vpc.known().copied() == vpc;
                let active = t
                    .ipv4_gateways
                    .iter()
                    .filter(of)
                    .any(|g| g.enabled.known() != Some(&false));
                if active {
                    end(EndKind::Out, "out by the IPv4 gateway".to_string());
                } else {
                    end(
                        EndKind::Dropped,
                        "dropped: the IPv4 gateway is not activated".to_string(),
                    );
                }
            }
            Hop::Ipv6Gateway => end(EndKind::Out, "out by the IPv6 gateway".to_string()),
            Hop::Vpn(g) => self.by_gateway(*g, ip, path, ends),
            Hop::RouterInterface(i) => self.over(*i, ip, seen, path, ends),
            Hop::Unmodelled => end(
                EndKind::Unknown,
                "not known: the next hop is not modelled".to_string(),
            ),
            Hop::Interface(_) | Hop::HaVip(_) => {
                let members = match h {
                    Hop::Interface(i) => vec![*i],
                    Hop::HaVip(h) => self.net.ha_vips[h.index()].clone(),
                    _ => Vec::new(),
                };
                for i in members {
                    self.appliance(i, vpc, at, ip, seen, path, ends);
                }
            }
            Hop::Attachment(a) => {
                let far = &self.net.transit.attachments[a.index()];
                let name = self.attachment_name(*a);
                if !matches!(&far.far, Far::Vpc(v, _) if Some(*v) == vpc) {
                    return end(
                        EndKind::Dropped,
                        format!("dropped: {name} is not an attachment of this VPC"),
                    );
                }
                if far.tables.is_empty() {
                    return end(
                        EndKind::Dropped,
                        format!("dropped: no table of the router is associated with {name}"),
                    );
                }
                for (_, t) in &far.tables {
                    path.push(self.table_name(At::Router(*t)));
                    self.follow(At::Router(*t), ip, seen, path, ends);
                    path.pop();
                }
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step of a walk")]
    fn appliance(
        &self,
        i: InterfaceId,
        vpc: Option<VpcId>,
        _at: At,
        ip: std::net::IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let name = self.interface_name(i);
        let mut end = |kind, text: String| {
            ends.insert(RouteEnd {
                path: path.clone(),
                kind,
                text,
            });
        };
        let Some(f) = &self.net.ifaces[i.index()] else {
            return end(
                EndKind::Unknown,
                format!("not known: where {name} is, is not known"),
            );
        };
        let Some(v) = &self.net.vswitches[f.vswitch.index()] else {
            return end(
                EndKind::Unknown,
                format!("not known: the vSwitch of {name} is not known"),
            );
        };
        if vpc.is_some_and(|x| x != v.vpc) {
            return end(EndKind::Dropped, format!("dropped: {name} is in another VPC"));
        }
        if f.addrs.iter().any(|a| a.region.contains(ip)) {
            return end(EndKind::Delivered, format!("delivered to {name}"));
        }
        if !f.forwards {
            return end(
                EndKind::Dropped,
                format!("dropped: the source/destination check of {name} is on"),
            );
        }
        path.push(name);
        for t in &v.tables {
            self.follow(At::Vpc(RouteTableId(*t)), ip, seen, path, ends);
        }
        path.pop();
    }

    /// Blocks of vSwitches that overlap between VPCs that can meet, by what that does.
    fn overlaps(&self) -> Vec<Overlap> {
        let t = &self.f.inventory.typed;
        let mut blocks: Vec<(VpcId, IpNet)> = Vec::new();
        for v in &t.vswitches {
            if let (Fact::Known(vpc), Fact::Known(c)) = (&v.vpc, &v.cidr)
                && t.site_of_vpc(*vpc).is_none()
            {
                blocks.push((*vpc, c.trunc()));
            }
        }
        blocks.sort_unstable();
        blocks.dedup();
        let mut out = Vec::new();
        for (n, (a, x)) in blocks.iter().enumerate() {
            for (b, y) in &blocks[n + 1..] {
                if a == b || !self.net.joined(*a, *b) || !(x.contains(y) || y.contains(x)) {
                    continue;
                }
                let (effect, why) = self.effect((*a, x), (*b, y));
                out.push(Overlap {
                    a: (self.vpc_name(*a), *x),
                    b: (self.vpc_name(*b), *y),
                    effect,
                    why,
                });
            }
        }
        out
    }

    fn effect(&self, (a, x): (VpcId, &IpNet), (b, y): (VpcId, &IpNet)) -> (&'static str, String) {
        let both = if x.contains(y) { y } else { x };
        let region = IpSet::from(*both);
        for (n, ways) in self.net.transit.tables.iter().enumerate() {
            let to = |v: VpcId| {
                let far = |w: &&bartizan_reach::TrWay| match w.next {
                    TrNext::Attachment(a) => {
                        matches!(&self.net.transit.attachments[a.index()].far, Far::Vpc(f, _) if *f == v)
                    }
                    TrNext::Blackhole => false,
                };
                let near = |w: &&bartizan_reach::TrWay| w.length > 0 && w.ips.intersects(&region);
                ways.iter().filter(far).filter(near).map(|w| w.length).max()
            };
            let name = || self.table_name(At::Router(TrTableId(num(n))));
            match (to(a), to(b)) {
                (Some(l), Some(m)) if l == m => {
                    let why = format!(
                        "{} has a route of one length to each: which is used is not defined",
                        name()
                    );
                    return ("ambiguous", why);
                }
                (Some(l), Some(m)) => {
                    let (winner, loser) = if l > m { (a, b) } else { (b, a) };
                    let why = format!(
                        "in {} the longer route leads to {}, which takes these addresses from {}",
                        name(),
                        self.vpc_name(winner),
                        self.vpc_name(loser)
                    );
                    return ("hijack", why);
                }
                _ => {}
            }
        }
        (
            "harmless",
            "no table of a transit router has routes to both; each VPC's own local route decides at home"
                .to_string(),
        )
    }
}
