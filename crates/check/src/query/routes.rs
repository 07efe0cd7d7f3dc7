//! Route tables as they are in effect: what every entry comes from, what never decides, where packets end.

use super::Frame;
use super::routes_pairs::Uneven;
use super::routes_walk::MOST_ENDS;
use bartizan_base::{Diagnostic, Span};
use bartizan_model::{
    Assumption, AttachmentId, Fact, InterfaceId, Readings, RouteTableId, RouteTableKind, SiteId, TrTableId,
    VpcId, VswitchId,
};
use bartizan_packet::IpSet;
use bartizan_reach::{CompileOptions, Far, Hop, Mode, Network, RouteRef, TrNext, TrRouteRef, TrWay, compile};
use ipnet::IpNet;
use std::cell::Cell;
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
    /// In this VPC, where it is known, which has the address.
    Delivered(Option<VpcId>),
    /// At a site, by one of its links.
    Site(SiteId),
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
    /// Whether all addresses that routes tell apart were, with every alternative.
    pub all_addresses: bool,
    /// Whether every end of every entry is told.
    pub all_ends: bool,
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
    /// Whether some entry leads to more places than are told.
    cut: Cell<bool>,
}

/// Ends of an entry that are told.
const TOLD: usize = 8;

/// Where an entry leads.
#[derive(Clone, Copy)]
pub(super) enum Next<'a> {
    /// The next hops of a route of a VPC, and where the route is from.
    Hops(&'a [Hop], RouteRef),
    /// An entry of a transit router's table.
    Way(&'a TrWay),
}

/// The first of some prefixes, and how many there are.
fn few(all: &[String]) -> String {
    match all.len() {
        0..=4 => all.join(", "),
        n => format!("{} and {} more", all[..3].join(", "), n - 3),
    }
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
        cut: Cell::new(false),
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
    let pairs = v.pairs();
    let mut uneven = pairs.uneven;
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
        all_pairs: !pairs.pairs_left,
        all_addresses: !pairs.addresses_left,
        all_ends: !v.cut.get(),
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
    pub(super) fn interface_name(&self, i: InterfaceId) -> String {
        self.f.inventory.typed[i].meta.origin.address.to_string()
    }
    pub(super) fn attachment_name(&self, a: AttachmentId) -> String {
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
            let next = Next::Hops(&r.hops, r.from);
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
            let (at, next) = (At::Router(id), Next::Way(w));
            rows.extend(self.row(at, &w.ips, region, next, (from, span), w.optional, &mut before));
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
        next: Next<'_>,
        (from, span): (String, Option<Span>),
        optional: bool,
        before: &mut Vec<(IpSet, String)>,
    ) -> Option<RouteRow> {
        let asked = region.map_or_else(|| ips.clone(), |r| r.intersect(ips));
        let nets = |s: &IpSet| {
            let all: Vec<String> = s.to_nets().iter().map(ToString::to_string).collect();
            few(&all)
        };
        let mut left = asked.clone();
        let mut by = Vec::new();
        for (s, name) in before.iter() {
            if s.intersects(&left) {
                left = left.subtract(s);
                by.push(name.clone());
            }
        }
        // What two routes of one prefix learned from two places do is up to the router: neither shadows the other. A static
        // one may shadow a learned one.
        let rival = match (at, &next) {
            (At::Router(table), Next::Way(w)) => asked.first().is_some_and(|ip| {
                let (ways, _) = self.net.transit.lookup(table, ip);
                ways.into_iter().any(|x| std::ptr::eq(x, *w)) && before.iter().any(|(s, _)| s == ips)
            }),
            _ => false,
        };
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
        // What this entry does with packets, and not what the table does: another entry may be as strong.
        let mut ends = BTreeSet::new();
        for ip in self.samples(decides) {
            self.by_entry(at, next, ip, &mut ends);
        }
        if ends.len() > TOLD || ends.len() >= MOST_ENDS {
            self.cut.set(true);
        }
        // The prefix as it is written, wherever the question is about less of it.
        let written: Vec<IpNet> = ips.to_nets();
        let about = written
            .iter()
            .filter(|n| region.is_none_or(|r| r.intersects(&IpSet::from(**n))));
        let about: Vec<String> = about.map(ToString::to_string).collect();
        Some(RouteRow {
            destination: few(&about),
            next: match next {
                Next::Hops(hops, _) => hops.iter().map(|h| self.hop_text(h)).collect(),
                Next::Way(w) => match w.next {
                    TrNext::Attachment(a) => vec![self.attachment_name(a)],
                    TrNext::Blackhole => vec!["blackhole".to_string()],
                },
            },
            from,
            span,
            state,
            ends: ends.into_iter().take(TOLD).collect(),
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
        let mut parts: Vec<IpSet> = std::iter::once(IpSet::public()).chain(blocks).collect();
        parts.retain(|p| p.intersects(set));
        if parts.len() > MOST {
            self.cut.set(true);
            parts.truncate(MOST);
        }
        let mut out: Vec<std::net::IpAddr> = parts.iter().filter_map(|p| p.intersect(set).first()).collect();
        if out.is_empty() {
            out.extend(set.first());
        }
        out.sort_unstable();
        out.dedup();
        out
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
