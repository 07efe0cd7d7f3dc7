//! Compiles one list again after a change.

use super::{Ctx, Pool, balancers, groups, interfaces, routes, transit};
use crate::network::{GroupSet, Mode, Network, Relay, Table};
use bartizan_model::{
    AddressSpec, Assumption, BalancerId, InterfaceId, Inventory, RouteTableId, SecurityGroupId, VpcId,
    VswitchId,
};
use bartizan_packet::IpSet;
use ipnet::IpNet;

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
    transit::sync(&inv.typed, &net.transit, Some(vpc), &mut tables);
    let wins = c.reads(Assumption::Route2);
    tables.retain(|t| inv.typed[t.id].vpc.known() == Some(&vpc));
    for t in &mut tables {
        routes::sort(t, wins);
        t.complete();
    }
    tables
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
