//! Compiles one list again after a change.

use super::{Ctx, Pool, balancers, groups, interfaces, routes, transit};
use crate::network::{GroupSet, Mode, Network, Relay, Route, Table};
use crate::transit::{AttachedNet, Far, TrNext, TrRouteRef, TrWay, Transit};
use bartizan_model::{
    AddressSpec, Assumption, Attached, Attachment, AttachmentId, BalancerId, InterfaceId, Inventory,
    RouteTableId, SecurityGroupId, TrTableId, VpcId, Vswitch, VswitchId,
};
use bartizan_packet::IpSet;
use ipnet::IpNet;
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::IpAddr;

/// What is kept between changes, so that a list costs what its own rules cost.
pub(crate) struct Again {
    by: groups::ByGroup,
    pool: Pool,
}

fn context<'a>(inv: &'a Inventory, mode: Mode, net: &'a Network, pool: Pool) -> Ctx<'a> {
    Ctx {
        t: &inv.typed,
        mode,
        readings: &net.readings,
        atoms: net.atoms.clone(),
        pool,
        gaps: Vec::new(),
    }
}

impl Again {
    pub(crate) fn new(inv: &Inventory, net: &Network) -> Self {
        let c = context(inv, net.mode, net, Pool::default());
        Again {
            by: groups::by_group(&c),
            pool: c.pool,
        }
    }

    /// The merged lists of a set of groups.
    pub(crate) fn merge(
        &mut self,
        inv: &Inventory,
        net: &Network,
        groups: &[SecurityGroupId],
        complete: bool,
    ) -> GroupSet {
        let mut c = context(inv, net.mode, net, std::mem::take(&mut self.pool));
        let set = groups::merge(&mut c, &self.by, groups, complete);
        self.pool = c.pool;
        set
    }

    /// A rule was added behind all others, or one is gone from its position: the lists of a set with its group have one more
    /// or one less, and the others stay where they are. Those of one priority and action may stand in another order than in
    /// lists that are merged.
    pub(crate) fn patch(&mut self, inv: &Inventory, net: &mut Network, set: u32, (rule, added): (u32, bool)) {
        let Some(slot) = net.group_sets.get_mut(set as usize) else {
            return;
        };
        if !added {
            groups::remove(slot, rule);
            return;
        }
        let mut lists = std::mem::take(slot);
        let mut c = context(inv, net.mode, net, std::mem::take(&mut self.pool));
        groups::add(&mut c, &self.by, &mut lists, rule);
        self.pool = c.pool;
        net.group_sets[set as usize] = lists;
    }

    /// What a front takes in.
    pub(crate) fn front(
        &mut self,
        inv: &Inventory,
        net: &Network,
        balancer: BalancerId,
        front: InterfaceId,
    ) -> Option<GroupSet> {
        let interface = inv.typed.interfaces.get(front.index())?;
        let mut c = context(inv, net.mode, net, std::mem::take(&mut self.pool));
        let set = balancers::lists(&mut c, &self.by, balancer, interface);
        self.pool = c.pool;
        Some(set)
    }

    /// A rule was added behind all others.
    pub(crate) fn added(&mut self, group: SecurityGroupId, rule: u32) {
        self.by.add(group, rule);
    }

    /// A rule is gone.
    pub(crate) fn removed(&mut self, group: SecurityGroupId, rule: u32) {
        self.by.remove(group, rule);
    }
}

/// One route table. What routers and gateways write into it is as it was.
pub(crate) fn table(inv: &Inventory, net: &Network, id: RouteTableId) -> Option<Table> {
    let mut c = context(inv, net.mode, net, Pool::default());
    let mut table = routes::table(&mut c, id)?;
    let before = net.tables.get(id.index())?;
    let written = |r: &&Route| crate::hybrid::propagated(r.from) && !r.ips.is_empty();
    let written = before.routes.iter().filter(written);
    table.routes.extend(written.cloned());
    routes::sort(&mut table, c.reads(Assumption::Route2));
    table.complete();
    Some(table)
}

/// The route tables of a VPC with what transit routers write into them; no links write anything.
pub(crate) fn tables_of(inv: &Inventory, net: &Network, vpc: VpcId) -> Vec<Table> {
    let mut c = context(inv, net.mode, net, Pool::default());
    let mut tables = routes::of_vpc(&mut c, vpc);
    transit::sync(
        &inv.typed,
        (&net.transit, &net.transit.tables),
        Some(vpc),
        &mut tables,
    );
    let wins = c.reads(Assumption::Route2);
    tables.retain(|t| inv.typed[t.id].vpc.known() == Some(&vpc));
    for t in &mut tables {
        routes::sort(t, wins);
        t.complete();
    }
    tables
}

/// The prefixes whose routes some routers have others of than before.
#[derive(Default)]
pub(crate) struct Prefixes {
    all: FxHashSet<(u8, IpSet)>,
    /// Between which first addresses they lie.
    span: Option<(Option<IpAddr>, Option<IpAddr>)>,
}

impl Prefixes {
    pub(crate) fn add(&mut self, length: u8, ips: IpSet) {
        let first = ips.first();
        let (low, high) = self.span.unwrap_or((first, first));
        self.span = Some((low.min(first), high.max(first)));
        self.all.insert((length, ips));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &(u8, IpSet)> {
        self.all.iter()
    }

    /// Whether one is among them. Most routes of a table are not, which is seen by where they begin.
    pub(crate) fn has(&self, length: u8, ips: &IpSet) -> bool {
        let first = ips.first();
        let near = |(low, high)| low <= first && first <= high;
        self.span.is_some_and(near) && self.all.contains(&(length, ips.clone()))
    }
}

/// Writes what routers say of some prefixes into the tables of VPCs; returns the VPCs of which all tables have to be made
/// again for it.
pub(crate) fn rewrite(inv: &Inventory, net: &mut Network, vpcs: &[VpcId], prefixes: &Prefixes) -> Vec<VpcId> {
    let t = &inv.typed;
    let wins = context(inv, net.mode, net, Pool::default()).reads(Assumption::Route2);
    let of = |ways: &Vec<TrWay>| -> Vec<TrWay> {
        let said = |w: &&TrWay| prefixes.has(w.length, &w.ips);
        ways.iter().filter(said).cloned().collect()
    };
    let ways: Vec<Vec<TrWay>> = net.transit.tables.iter().map(of).collect();
    let mut of_vpc: FxHashMap<VpcId, Vec<RouteTableId>> = FxHashMap::default();
    for table in &net.tables {
        if let Some(v) = t[table.id].vpc.known() {
            of_vpc.entry(*v).or_default().push(table.id);
        }
    }
    let mut left = Vec::new();
    for v in vpcs {
        let ids = of_vpc.get(v).map_or(&[][..], Vec::as_slice);
        let empty = |id: &RouteTableId| Table {
            id: *id,
            routes: Vec::new(),
            index: None,
        };
        let mut new: Vec<Table> = ids.iter().map(empty).collect();
        transit::sync(t, (&net.transit, &ways), Some(*v), &mut new);
        let mut whole = false;
        for n in &new {
            if let Some(table) = net.tables.get_mut(n.id.index()) {
                whole |= !routes::replace(table, prefixes, &n.routes, wins);
            }
        }
        if whole {
            left.push(*v);
        }
    }
    left
}

/// The transit routers after a change at an attachment.
pub(crate) struct Relearned {
    /// The routers, with nothing but what is new in their tables.
    pub(crate) transit: Transit,
    /// The tables that may be others.
    pub(crate) tables: Vec<TrTableId>,
    /// From which attachment they learn something else; `None` where any of their routes may be another one.
    from: Option<AttachmentId>,
}

impl Relearned {
    /// Whether a route that a table had is replaced.
    pub(crate) fn replaces(&self, table: TrTableId, w: &TrWay) -> bool {
        let learned = |a| w.from == TrRouteRef::Learned(a);
        self.tables.contains(&table) && self.from.is_none_or(learned)
    }

    /// The routes of a table before, which may be replaced, and those instead of them.
    pub(crate) fn instead<'w>(
        &'w self,
        before: &'w Transit,
        table: TrTableId,
    ) -> (impl Iterator<Item = &'w TrWay>, &'w [TrWay]) {
        let of = |t: &'w Transit| t.tables.get(table.index()).map_or(&[][..], Vec::as_slice);
        let gone = of(before).iter().filter(move |w| self.replaces(table, w));
        (gone, of(&self.transit))
    }

    /// All routes as they are then, with their tables.
    pub(crate) fn all<'w>(&'w self, before: &'w Transit) -> impl Iterator<Item = (TrTableId, &'w TrWay)> {
        let of = |t: &'w Transit| {
            let tables = (0u32..).map(TrTableId).zip(&t.tables);
            tables.flat_map(|(n, ways)| ways.iter().map(move |w| (n, w)))
        };
        let stay = of(before).filter(|(n, w)| !self.replaces(*n, w));
        stay.chain(of(&self.transit))
    }

    /// The routers that are there instead of those before. Who is joined stays as it was.
    pub(crate) fn put(mut self, transit: &mut Transit) {
        let new = std::mem::take(&mut self.transit.tables);
        let groups = std::mem::take(&mut transit.groups);
        let mut before = std::mem::take(&mut transit.tables);
        let indices = std::mem::take(&mut transit.indices);
        for (n, ways) in (0u32..).map(TrTableId).zip(new) {
            if let Some(table) = before.get_mut(n.index())
                && self.tables.contains(&n)
            {
                table.retain(|w| !self.replaces(n, w));
                table.extend(ways);
                transit::sort(table);
            }
        }
        *transit = Transit {
            groups,
            tables: before,
            indices,
            ..self.transit
        };
        self.tables.iter().for_each(|n| transit.complete(*n));
    }
}

/// The transit routers after a change at an attachment (and at a table, if it is that this one learns from it or no longer
/// does), where there are no links. `None` where not all is known of them, or where a table leads to what is not attached
/// to its router or forwards for it, which joins nothing.
pub(crate) fn routers(
    inv: &Inventory,
    net: &Network,
    (a, table): (AttachmentId, Option<TrTableId>),
) -> Option<Relearned> {
    let t = &inv.typed;
    // Routers learn from each other.
    let apart = !t.attachments.iter().any(|x| matches!(x.to, Attached::Peer(_)));
    let basic = t.attachments.get(a.index()).and_then(|x| x.router.known());
    let basic = basic.filter(|r| t[**r].basic).map(|r| t[*r].system_table);
    let learns = |n: &TrTableId| {
        let mut links = t.tr_propagations.iter();
        table == Some(*n) || basic == Some(*n) || table.is_none() && links.any(|l| l.joins(a, *n))
    };
    let all = (0u32..).map(TrTableId).take(t.tr_tables.len());
    let tables: Vec<TrTableId> = all.filter(|n| !apart || learns(n)).collect();
    let from = apart.then_some(a);
    let mut c = context(inv, net.mode, net, Pool::default());
    let transit = transit::again(&mut c, &net.vswitches, (&tables, from));
    // What a VPC advertises is asked of the one that is attached alone; none may be unknown.
    let unknown =
        |v: &Vswitch| v.cidr.known().is_none() || v.ipv6_cidr.as_ref().is_some_and(|f| f.known().is_none());
    let mut published = t.published_routes.iter();
    let known = c.gaps.is_empty()
        && !t.vswitches.iter().any(unknown)
        && published.all(|p| p.destination.known().is_some());
    let out = Relearned {
        transit,
        tables,
        from,
    };
    let own = |router: Option<u32>, a: AttachmentId| {
        let x = &t[a];
        let other = match &x.to {
            Attached::Peer(o) => o.known(),
            _ => None,
        };
        let mut ends = x.router.known().into_iter().chain(other);
        ends.any(|r| Some(r.0) == router)
    };
    // Nor does an association with a table of another router, which was that of a peer once.
    let foreign = |(a, x): (&Attachment, &AttachedNet)| {
        matches!(x.far, Far::Vpc(..))
            && x.tables
                .iter()
                .any(|(r, _)| a.router.known().map(|r| r.0) != Some(*r))
    };
    let foreign = t.attachments.iter().zip(&out.transit.attachments).any(foreign);
    let sound = !foreign
        && out.all(&net.transit).all(|(n, w)| match w.next {
            TrNext::Attachment(a) => own(out.transit.routers.get(n.index()).copied().flatten(), a),
            TrNext::Blackhole => true,
        });
    (sound && known).then_some(out)
}

/// The addresses of a vSwitch from which its balancers may send; `ifaces` are those in it.
pub(crate) fn free(
    inv: &Inventory,
    net: &Network,
    vswitch: VswitchId,
    ifaces: impl Iterator<Item = InterfaceId>,
) -> IpSet {
    let c = context(inv, net.mode, net, Pool::default());
    let taken = ifaces.flat_map(|i| {
        let addresses = inv.typed.interfaces.get(i.index()).into_iter();
        addresses.flat_map(|i| &i.addresses).filter_map(|a| match a.spec {
            AddressSpec::Ip(ip) => Some(IpNet::from(ip)),
            AddressSpec::Block(n) => Some(n),
            AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_) => None,
        })
    });
    let taken = IpSet::from_nets(taken);
    interfaces::pickable(&c, vswitch, false, &taken)
}

/// The same where nobody has an address.
pub(crate) fn all_free(inv: &Inventory, net: &Network, vswitch: VswitchId) -> IpSet {
    let c = context(inv, net.mode, net, Pool::default());
    interfaces::pickable(&c, vswitch, false, &IpSet::empty())
}

/// Everything that the fronts of a listener hand on.
pub(crate) fn relays(inv: &Inventory, net: &Network, of: (BalancerId, u32)) -> Vec<Relay> {
    let mut c = context(inv, net.mode, net, Pool::default());
    balancers::relays(&mut c, &net.ifaces, &net.vswitches, Some(of))
}
