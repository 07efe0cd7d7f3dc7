//! Which contested semantics (ALIBABA.md §20) an inventory leans on.

use bartizan_model::{
    AclList, AddressSpec, Balancer, BalancerKind, DnatProtocol, Fact, InterfaceId, Inventory, NetSpec,
    NextHop, Peer, PublicKind, RouteEntry, Typed,
};

/// Whether a prefix lies inside a vSwitch.
fn inside(t: &Typed, n: &ipnet::IpNet) -> bool {
    let mut real = t
        .vswitches
        .iter()
        .filter(|s| s.vpc.known().is_none_or(|v| t.site_of_vpc(*v).is_none()));
    real.any(|s| s.cidr.known().is_some_and(|c| c.contains(n)))
}

/// Whether a custom route may lead what goes between a balancer and its servers inside their VPC elsewhere.
fn steered(t: &Typed, r: &RouteEntry) -> bool {
    let home = r.table.known().and_then(|x| t[*x].vpc.known());
    let near = |i: &InterfaceId| {
        let vpc = t[*i].vswitch.known().and_then(|v| t[*v].vpc.known());
        home.zip(vpc).is_none_or(|(a, b)| a == b)
    };
    let fronted = |b: &Balancer| !b.detached && b.kind != BalancerKind::Endpoint && b.fronts.iter().any(near);
    let inner = match &r.destination {
        NetSpec::Net(Fact::Known(n)) => inside(t, n),
        NetSpec::Net(Fact::Unknown(_)) | NetSpec::PrefixList(_) => true,
    };
    inner && t.balancers.iter().any(fronted)
}

/// Ids of the assumptions that matter for this inventory, sorted. Every verdict over it leans on them.
#[must_use]
pub fn of(inv: &Inventory) -> Vec<&'static str> {
    let t = &inv.typed;
    let mut v = vec!["A-CW"];
    if t.sg_rules.iter().any(|r| matches!(r.peer, Peer::Group(_))) {
        v.push("A-SG-1");
    }
    if t.security_groups
        .iter()
        .any(|g| g.inner_accept.known() != Some(&false) && g.enterprise.known() != Some(&true))
    {
        v.extend(["A-SG-2", "A-SG-4"]);
    }
    if t.security_groups
        .iter()
        .any(|g| g.enterprise.known() == Some(&true))
    {
        v.push("A-SG-3");
    }
    let bound: Vec<_> = t
        .vswitches
        .iter()
        .filter_map(|v| v.acl.known().copied().flatten())
        .map(|a| &t[a])
        .collect();
    if !bound.is_empty() {
        v.extend(["A-NACL-2", "A-EPHEMERAL"]);
        let closed = |l: &AclList| match l {
            AclList::Entries(es) => es.iter().rev().take(2).any(|e| {
                e.accept == Fact::Known(false)
                    && e.services
                        .known()
                        .is_some_and(bartizan_packet::ServiceSet::is_any)
                    && matches!(&e.peer, bartizan_model::NetSpec::Net(Fact::Known(n)) if n.prefix_len() == 0)
            }),
            AclList::Unset | AclList::Unknown(_) => false,
        };
        if bound.iter().any(|a| !closed(&a.ingress) || !closed(&a.egress)) {
            v.push("A-NACL-1");
        }
    }
    if t.route_entries
        .iter()
        .any(|r| matches!(&r.destination, NetSpec::Net(Fact::Known(n)) if inside(t, n)))
    {
        v.push("A-ROUTE-1");
    }
    if t.route_entries.iter().any(|r| steered(t, r)) {
        v.push("A-LB-4");
    }
    let public = t.interfaces.iter().any(|i| !i.public.is_empty());
    if public {
        v.push("A-EIP-1");
    }
    if t.eips.iter().any(|e| e.ip.known().is_none())
        || t.interfaces
            .iter()
            .any(|i| i.public.iter().any(|p| p.ip.known().is_none()))
    {
        v.push("A-EIP-2");
    }
    if t.interfaces
        .iter()
        .any(|i| i.public.iter().any(|p| p.kind == PublicKind::EipBinded))
    {
        v.push("A-EIP-3");
    }
    if t.snat_entries.len() > 1 {
        v.push("A-NAT-1");
    }
    let inner = || t.nat_gateways.iter().filter(|n| n.internet == Fact::Known(false));
    if inner().any(|n| !n.blocks.is_empty()) {
        v.push("A-NAT-2");
    }
    let outward =
        |n: &Fact<bartizan_model::NatId>| n.known().is_none_or(|n| t[*n].internet != Fact::Known(false));
    let whole = |p: &Fact<DnatProtocol>| p.known().is_none_or(|p| *p == DnatProtocol::Any);
    if t.dnat_entries
        .iter()
        .any(|d| whole(&d.protocol) && outward(&d.nat))
    {
        v.extend(["A-NAT-3", "A-P25"]);
    }
    if t.tr_tables.is_empty() && inner().next().is_some() && !bound.is_empty() {
        v.push("A-TR-2");
    }
    if public || !t.snat_entries.is_empty() {
        v.push("A-P25");
    }
    let appliances: Vec<_> = t
        .route_entries
        .iter()
        .flat_map(|r| &r.next_hops)
        .filter_map(|h| {
            if let NextHop::Interface(i) = h {
                Some(*i)
            } else {
                None
            }
        })
        .collect();
    if !appliances.is_empty() {
        v.push("A-APPL-1");
        if appliances
            .iter()
            .any(|i| t[*i].source_dest_check == Fact::Known(None))
        {
            v.push("A-SDC-1");
        }
    }
    if t.interfaces.iter().any(|i| {
        i.addresses
            .iter()
            .any(|a| matches!(a.spec, AddressSpec::AnyV4(_) | AddressSpec::AnyV6(_)))
    }) {
        v.push("A-ADDR-1");
    }
    if !t.inspectors.is_empty() {
        v.push("A-GWLB-1");
    }
    if !t.tr_tables.is_empty() {
        v.push("A-TR-1");
        if !bound.is_empty() {
            v.push("A-TR-2");
        }
        if t.attachments.iter().any(|a| a.publishes.known() != Some(&false)) {
            v.push("A-ROUTE-2");
        }
    }
    if !t.sites.is_empty() {
        v.extend(["A-SITE-1", "A-LINK-1"]);
        let writes = |r: &bartizan_model::VpnRoute| r.publishes.known() != Some(&false);
        if t.vpn_routes.iter().any(writes) {
            v.push("A-ROUTE-2");
        }
    }
    if !t.data_services.is_empty() {
        v.push("A-DB-1");
    }
    let listeners = || t.balancers.iter().flat_map(|b| &b.listeners);
    if listeners().any(|l| matches!(&l.filter, Fact::Known(Some(f)) if f.entries.is_empty())) {
        v.push("A-LB-1");
    }
    let six = |i: &bartizan_model::InterfaceId| {
        let addresses = &t[*i].addresses;
        addresses
            .iter()
            .any(|a| a.kind == bartizan_model::AddressKind::Ipv6)
    };
    let dual = || t.balancers.iter().filter(|b| b.fronts.iter().any(six));
    let lists = dual().flat_map(|b| &b.listeners).map(|l| &l.filter);
    let v4 = |e: &bartizan_model::FilterEntry| e.net.known().is_none_or(|n| n.addr().is_ipv4());
    let narrow = |f: &Fact<Option<bartizan_model::ListenerFilter>>| match f {
        Fact::Known(None) => false,
        Fact::Known(Some(f)) => !f.entries.is_empty() && f.entries.iter().all(v4),
        Fact::Unknown(_) => true,
    };
    if lists.into_iter().any(narrow) {
        v.push("A-LB-3");
    }
    let fronted = |kind| t.balancers.iter().any(|b| b.kind == kind);
    if fronted(BalancerKind::Clb) || fronted(BalancerKind::Nlb) {
        v.push("A-CLB-1");
    }
    if fronted(BalancerKind::Endpoint) {
        v.push("A-PL-1");
        if listeners().any(|l| l.origin.maybe.is_some()) {
            v.push("A-PL-2");
        }
    }
    let active = t.ipv4_gateways.iter().any(|g| g.enabled.known() != Some(&false));
    let some = |r: &RouteEntry| {
        let whole = matches!(&r.destination, NetSpec::Net(Fact::Known(n)) if n.prefix_len() == 0);
        !whole && r.next_hops.iter().any(|h| matches!(h, NextHop::Ipv4Gateway(_)))
    };
    if active && t.route_entries.iter().any(some) {
        v.push("A-IGW-1");
    }
    let on = |h: &NextHop| matches!(h, NextHop::Interface(_) | NextHop::HaVip(_));
    if active && t.route_entries.iter().flat_map(|r| &r.next_hops).any(on) {
        v.push("A-IGW-2");
    }
    if active && !t.balancers.is_empty() || dual().any(|b| !b.detached) {
        v.push("A-LB-2");
    }
    let guarded = |f: &&bartizan_model::Firewall| f.place == bartizan_model::FirewallPlace::Internet;
    if t.firewalls.iter().filter(guarded).any(|f| !f.rules.is_empty()) {
        v.push("A-CFW-1");
    }
    if t.firewalls
        .iter()
        .any(|f| t.diverts(&f.place) && !f.rules.is_empty())
    {
        v.push("A-CFW-2");
    }
    let mut policies = t.firewalls.iter().flat_map(|f| &f.rules);
    if policies.any(|r| r.deep.known() != Some(&false)) {
        v.push("A-FW-1");
    }
    v.sort_unstable();
    v.dedup();
    v
}
