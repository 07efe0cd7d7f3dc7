//! Compiles one list again after a change.

use super::{Ctx, Pool, balancers, groups, interfaces, routes, transit};
use crate::network::{GroupSet, Mode, Network, Relay, Table};
use crate::transit::{TrNext, TrWay, Transit};
use bartizan_model::{
    AddressSpec, Assumption, Attached, AttachmentId, BalancerId, InterfaceId, Inventory, RouteTableId,
    SecurityGroupId, VpcId, VswitchId,
};
use bartizan_packet::IpSet;
use ipnet::IpNet;
use rustc_hash::{FxHashMap, FxHashSet};

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
    let written = before.routes.iter().filter(|r| crate::hybrid::propagated(r.from));
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
pub(crate) type Prefixes = FxHashSet<(u8, IpSet)>;

/// Writes what routers say of some prefixes into the tables of VPCs; returns the VPCs of which all tables have to be made
/// again for it.
pub(crate) fn rewrite(inv: &Inventory, net: &mut Network, vpcs: &[VpcId], prefixes: &Prefixes) -> Vec<VpcId> {
    let t = &inv.typed;
    let wins = context(inv, net.mode, net, Pool::default()).reads(Assumption::Route2);
    // Most routes begin elsewhere.
    let firsts = || prefixes.iter().map(|p| p.1.first());
    let (low, high) = (firsts().min().flatten(), firsts().max().flatten());
    let said = |length: u8, ips: &IpSet| {
        let first = ips.first();
        low <= first && first <= high && prefixes.contains(&(length, ips.clone()))
    };
    let of = |ways: &Vec<TrWay>| -> Vec<TrWay> {
        ways.iter().filter(|w| said(w.length, &w.ips)).cloned().collect()
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
                whole |= !routes::replace(table, |r| said(r.length, &r.ips), &n.routes, wins);
            }
        }
        if whole {
            left.push(*v);
        }
    }
    left
}

/// The transit routers with their tables, where there are no links; `None` where not all is known of them, or where a table
/// leads to what is not attached to its router, which joins nothing.
pub(crate) fn routers(inv: &Inventory, net: &Network) -> Option<Transit> {
    let mut c = context(inv, net.mode, net, Pool::default());
    let out = transit::again(&mut c, &net.vswitches);
    let own = |router: Option<u32>, a: AttachmentId| {
        let x = &inv.typed[a];
        let other = match &x.to {
            Attached::Peer(o) => o.known(),
            _ => None,
        };
        let mut ends = x.router.known().into_iter().chain(other);
        ends.any(|r| Some(r.0) == router)
    };
    let mut tables = out.tables.iter().zip(&out.routers);
    let sound = tables.all(|(ways, router)| {
        ways.iter().all(|w| match w.next {
            TrNext::Attachment(a) => own(*router, a),
            TrNext::Blackhole => true,
        })
    });
    (sound && c.gaps.is_empty()).then_some(out)
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
