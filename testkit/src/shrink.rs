//! Makes a failing network small.

use crate::universe::Query;
use bartizan_model::*;
use bartizan_oracle::Endpoint;

/// The parts of an inventory that can be taken out one at a time.
#[derive(Clone, Copy, Debug)]
enum Part {
    Rule(usize),
    Route(usize),
    Snat(usize),
    Dnat(usize),
    AclEntry(usize, Direction, usize),
    AclBinding(usize),
    ListEntry(usize, usize),
    Group(usize, usize),
    Public(usize, usize),
    Interface(usize),
    Gateway4(usize),
    UserCidr(usize, usize),
    Bandwidth(usize, usize),
    TrRoute(usize),
    Association(usize),
    Propagation(usize),
    Published(usize),
    RouteMap(usize),
    Admitted(usize, usize),
    Service(usize),
    Balancer(usize),
    Listener(usize, usize),
    Filter(usize, usize),
    VpnRoute(usize),
    Forward(usize, usize, usize),
    Policy(usize, usize),
    /// What a firewall between VPCs stands at.
    Boundary(usize, usize),
}

/// Takes parts out of a network for as long as `fails` stays true of what is left. Greedy: every part is
/// tried until none can go. Deterministic.
#[must_use]
pub fn shrink(
    inv: &Inventory,
    query: &Query,
    fails: &dyn Fn(&Inventory, &Query) -> bool,
) -> (Inventory, Query) {
    let (mut inv, mut query) = (inv.clone(), *query);
    loop {
        let mut smaller = false;
        for part in parts(&inv.typed) {
            // Parts are listed from the back, so taking one out leaves the places of the rest alone,
            // except for what refers to interfaces, which `without` checks.
            let Some((i, q)) = without(&inv, &query, part) else {
                continue;
            };
            if fails(&i, &q) {
                (inv, query, smaller) = (i, q, true);
            }
        }
        if !smaller {
            return (inv, query);
        }
    }
}

fn parts(t: &Typed) -> Vec<Part> {
    let mut out = Vec::new();
    out.extend((0..t.interfaces.len()).rev().map(Part::Interface));
    out.extend((0..t.data_services.len()).rev().map(Part::Service));
    for (d, s) in t.data_services.iter().enumerate() {
        out.extend((0..s.allow.len()).rev().map(|i| Part::Admitted(d, i)));
    }
    for (b, x) in t.balancers.iter().enumerate() {
        for (l, y) in x.listeners.iter().enumerate().rev() {
            out.push(Part::Listener(b, l));
            out.push(Part::Filter(b, l));
            out.extend((0..y.forwards.len()).rev().map(|f| Part::Forward(b, l, f)));
        }
    }
    for (f, x) in t.firewalls.iter().enumerate() {
        out.extend((0..x.rules.len()).rev().map(|r| Part::Policy(f, r)));
        if let FirewallPlace::Vpc(at) = &x.place {
            out.extend((0..at.len()).rev().map(|b| Part::Boundary(f, b)));
        }
    }
    out.extend((0..t.balancers.len()).rev().map(Part::Balancer));
    out.extend((0..t.route_maps.len()).rev().map(Part::RouteMap));
    out.extend((0..t.vpn_routes.len()).rev().map(Part::VpnRoute));
    out.extend((0..t.published_routes.len()).rev().map(Part::Published));
    out.extend((0..t.tr_propagations.len()).rev().map(Part::Propagation));
    out.extend((0..t.tr_associations.len()).rev().map(Part::Association));
    out.extend((0..t.tr_routes.len()).rev().map(Part::TrRoute));
    out.extend((0..t.vswitches.len()).map(Part::AclBinding));
    out.extend((0..t.sg_rules.len()).rev().map(Part::Rule));
    out.extend((0..t.route_entries.len()).rev().map(Part::Route));
    out.extend((0..t.snat_entries.len()).rev().map(Part::Snat));
    out.extend((0..t.dnat_entries.len()).rev().map(Part::Dnat));
    out.extend((0..t.ipv4_gateways.len()).rev().map(Part::Gateway4));
    for (v, x) in t.vpcs.iter().enumerate() {
        out.extend((0..x.user_cidrs.len()).rev().map(|c| Part::UserCidr(v, c)));
    }
    for (i, a) in t.acls.iter().enumerate() {
        for (d, l) in [(Direction::Ingress, &a.ingress), (Direction::Egress, &a.egress)] {
            if let AclList::Entries(es) = l {
                out.extend((0..es.len()).rev().map(|e| Part::AclEntry(i, d, e)));
            }
        }
    }
    for (i, p) in t.prefix_lists.iter().enumerate() {
        let n = p.entries.known().map_or(0, Vec::len);
        out.extend((0..n).rev().map(|e| Part::ListEntry(i, e)));
    }
    for (i, e) in t.interfaces.iter().enumerate() {
        let n = e.groups.known().map_or(0, Vec::len);
        out.extend((0..n).rev().map(|g| Part::Group(i, g)));
        out.extend((0..e.public.len()).rev().map(|p| Part::Public(i, p)));
        out.extend((0..e.addresses.len()).map(|a| Part::Bandwidth(i, a)));
    }
    out
}

fn take<T>(list: &mut Vec<T>, i: usize) -> Option<T> {
    (i < list.len()).then(|| list.remove(i))
}

/// The network without a part; `None` when the part cannot go.
fn without(inv: &Inventory, query: &Query, part: Part) -> Option<(Inventory, Query)> {
    let mut inv = inv.clone();
    let mut query = *query;
    let t = &mut inv.typed;
    match part {
        Part::Rule(i) => drop(take(&mut t.sg_rules, i)?),
        Part::VpnRoute(i) => drop(take(&mut t.vpn_routes, i)?),
        Part::TrRoute(i) => drop(take(&mut t.tr_routes, i)?),
        Part::Association(i) => drop(take(&mut t.tr_associations, i)?),
        Part::Propagation(i) => drop(take(&mut t.tr_propagations, i)?),
        Part::Published(i) => drop(take(&mut t.published_routes, i)?),
        Part::RouteMap(i) => drop(take(&mut t.route_maps, i)?),
        Part::Admitted(d, i) => drop(take(&mut t.data_services.get_mut(d)?.allow, i)?),
        Part::Service(d) => {
            let gone = take(&mut t.data_services, d)?.interface;
            query = without_interface(t, query, gone.index())?;
        }
        Part::Balancer(b) => {
            let gone = take(&mut t.balancers, b)?.fronts;
            for f in gone.into_iter().rev() {
                query = without_interface(t, query, f.index())?;
            }
        }
        Part::Policy(f, r) => drop(take(&mut t.firewalls.get_mut(f)?.rules, r)?),
        Part::Boundary(f, b) => match &mut t.firewalls.get_mut(f)?.place {
            FirewallPlace::Vpc(at) => drop(take(at, b)?),
            _ => return None,
        },
        Part::Listener(b, l) => drop(take(&mut t.balancers.get_mut(b)?.listeners, l)?),
        Part::Filter(b, l) => {
            let l = t.balancers.get_mut(b)?.listeners.get_mut(l)?;
            l.filter.known()?.as_ref()?;
            l.filter = Fact::Known(None);
        }
        Part::Forward(b, l, f) => {
            let l = t.balancers.get_mut(b)?.listeners.get_mut(l)?;
            take(&mut l.forwards, f)?;
        }
        Part::Route(i) => drop(take(&mut t.route_entries, i)?),
        Part::Snat(i) => drop(take(&mut t.snat_entries, i)?),
        Part::Dnat(i) => drop(take(&mut t.dnat_entries, i)?),
        Part::AclEntry(a, d, i) => {
            let a = t.acls.get_mut(a)?;
            let list = if d == Direction::Ingress {
                &mut a.ingress
            } else {
                &mut a.egress
            };
            let AclList::Entries(es) = list else { return None };
            take(es, i)?;
        }
        Part::AclBinding(v) => {
            let v = t.vswitches.get_mut(v)?;
            v.acl.known().copied().flatten()?;
            v.acl = Fact::Known(None);
        }
        Part::ListEntry(p, i) => match &mut t.prefix_lists.get_mut(p)?.entries {
            Fact::Known(es) => drop(take(es, i)?),
            Fact::Unknown(_) => return None,
        },
        Part::Group(i, g) => match &mut t.interfaces.get_mut(i)?.groups {
            Fact::Known(gs) if gs.len() > 1 => drop(take(gs, g)?),
            _ => return None,
        },
        Part::Public(i, p) => {
            let gone = take(&mut t.interfaces.get_mut(i)?.public, p)?;
            if let Some(e) = gone.eip {
                t.eips.get_mut(e.index())?.bound.clear();
            }
        }
        Part::UserCidr(v, c) => drop(take(&mut t.vpcs.get_mut(v)?.user_cidrs, c)?),
        Part::Gateway4(g) => {
            let g = t.ipv4_gateways.get_mut(g)?;
            if g.enabled == Fact::Known(false) {
                return None;
            }
            g.enabled = Fact::Known(false);
        }
        Part::Bandwidth(i, a) => {
            let a = t.interfaces.get_mut(i)?.addresses.get_mut(a)?;
            if a.ipv6_internet == Ipv6Internet::None {
                return None;
            }
            a.ipv6_internet = Ipv6Internet::None;
        }
        Part::Interface(i) => query = without_interface(t, query, i)?,
    }
    Some((inv, query))
}

/// Takes an interface out that nothing refers to, and moves the ids behind it.
fn without_interface(t: &mut Typed, query: Query, gone: usize) -> Option<Query> {
    if gone >= t.interfaces.len() {
        return None;
    }
    let gone = u32::try_from(gone).ok()?;
    let moved = |i: InterfaceId| match i.0.cmp(&gone) {
        std::cmp::Ordering::Less => Some(i),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(InterfaceId(i.0 - 1)),
    };
    let end = |e: Endpoint| match e {
        Endpoint::Address {
            interface,
            address,
            ip,
        } => Some(Endpoint::Address {
            interface: moved(interface)?,
            address,
            ip,
        }),
        Endpoint::Outside(_) => Some(e),
    };
    let query = Query {
        src: end(query.src)?,
        dst: end(query.dst)?,
        ..query
    };
    for r in &mut t.route_entries {
        for h in &mut r.next_hops {
            if let NextHop::Interface(i) = h {
                *i = moved(*i)?;
            }
        }
    }
    for d in &mut t.dnat_entries {
        if let DnatTarget::Interface(i, _) = &mut d.target {
            *i = moved(*i)?;
        }
    }
    for d in &mut t.data_services {
        d.interface = moved(d.interface)?;
    }
    for x in &mut t.inspectors {
        x.interface = moved(x.interface)?;
    }
    for s in &mut t.sites {
        s.interface = moved(s.interface)?;
    }
    for b in &mut t.balancers {
        for f in &mut b.fronts {
            *f = moved(*f)?;
        }
        for f in b.listeners.iter_mut().flat_map(|l| &mut l.forwards) {
            if let Backend::Interface(i) | Backend::Ipv6(i) | Backend::At(i, _) = &mut f.to {
                *i = moved(*i)?;
            }
        }
    }
    for h in &mut t.ha_vips {
        for m in &mut h.members {
            if let Fact::Known(i) = m {
                *i = moved(*i)?;
            }
        }
    }
    for e in &mut t.eips {
        e.bound
            .retain(|b| !matches!(b, EipTarget::Interface(i) if i.0 == gone));
        for b in &mut e.bound {
            if let EipTarget::Interface(i) = b {
                *i = moved(*i)?;
            }
        }
    }
    t.interfaces.remove(gone as usize);
    Some(query)
}
