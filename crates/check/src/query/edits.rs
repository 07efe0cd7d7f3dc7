//! What would let a packet pass at one layer that drops it: for each blocker the changes of the network that are tried.
//!
//! Nothing here says that a change works: that is found out by tracing the packet again ([`super::unblock`]).

use bartizan_model::{
    AclEntry, AclId, AclList, AddressSpec, AllowEntry, AllowPeer, Attached, AttachmentId, BalancerId,
    DataServiceId, Direction, DnatProtocol, EipId, EipTarget, Fact, FilterEntry, FirewallId, Interface,
    InterfaceId, Inventory, Ipv4GatewayId, Ipv6GatewayId, NatId, NatIp, NetSpec, NextHop, Origin, Peer,
    PeeringId, RouteEntry, RouteTableId, RouterEnd, RouterInterfaceId, SecurityGroupId, SgRule, SnatEntry,
    SnatSource, TrHop, TrLink, TrTableId, Typed, VpcId, VpnGatewayId,
};
use bartizan_packet::{IpSet, PortSet, Proto, ServiceSet};
use bartizan_reach::{DecidedBy, Layer, RuleRef, Step};
use ipnet::IpNet;
use std::net::IpAddr;
use std::rc::Rc;

/// One change of a network. It finds what it changes by what that is, so that it can be made with or without others.
#[derive(Clone)]
pub(super) struct Edit {
    /// What is to be done.
    pub(super) text: String,
    apply: Rc<dyn Fn(&mut Typed)>,
}

impl Edit {
    fn new(text: String, apply: impl Fn(&mut Typed) + 'static) -> Self {
        Edit {
            text,
            apply: Rc::new(apply),
        }
    }

    /// Makes the change.
    pub(super) fn make(&self, t: &mut Typed) {
        (self.apply)(t);
    }
}

/// A packet as one layer sees it.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) proto: Proto,
    pub(super) port: u16,
    pub(super) reply: bool,
}

impl Seen {
    fn service(&self) -> ServiceSet {
        ServiceSet::one(self.proto, self.port)
    }
}

fn ids<T, I>(all: &[T], id: fn(u32) -> I) -> impl Iterator<Item = (I, &T)> {
    (0u32..).map(id).zip(all)
}

fn host(ip: IpAddr) -> IpNet {
    IpNet::from(ip)
}

/// What a route to an address is written for: the smallest block of a vSwitch or network behind a link in which it lies;
/// the address alone where there is none.
fn block_of(t: &Typed, ip: IpAddr) -> IpNet {
    let vswitches = t
        .vswitches
        .iter()
        .flat_map(|v| std::iter::once(&v.cidr).chain(v.ipv6_cidr.as_ref()));
    let sites = t.sites.iter().flat_map(|s| &t[s.interface].addresses);
    let sites = sites.filter_map(|a| match a.spec {
        AddressSpec::Block(n) => Some(n),
        _ => None,
    });
    let all = vswitches.filter_map(|n| n.known().copied()).chain(sites);
    let here = all.filter(|n| n.contains(&ip) && n.prefix_len() > 0);
    here.max_by_key(IpNet::prefix_len).unwrap_or_else(|| host(ip))
}

fn side(ingress: bool) -> (&'static str, &'static str) {
    if ingress {
        ("ingress", "from")
    } else {
        ("egress", "to")
    }
}

/// Every change that may let a packet pass where it is dropped; any one of them.
pub(super) fn edits(inv: &Inventory, s: &Step, p: Seen) -> Vec<Edit> {
    let t = &inv.typed;
    let Some(origin) = s
        .origin
        .clone()
        .or_else(|| t.vpcs.first().map(|v| v.meta.origin.clone()))
    else {
        return Vec::new();
    };
    let one = match s.layer {
        Layer::SecurityGroupEgress | Layer::SecurityGroupIngress => group(t, s, p, origin),
        Layer::AclEgress | Layer::AclIngress => acl(t, s, p, origin),
        Layer::AllowList => allow_list(t, s, p, origin),
        Layer::LoadBalancer => access_list(t, s, p, origin),
        Layer::CloudFirewall => firewall(t, s, p),
        Layer::Nat => snat(t, s, p, origin),
        Layer::Appliance => appliance(t, s),
        Layer::Route => return routes(t, s, p, &origin),
        Layer::TransitRouter => return transit(t, s, p, &origin),
        // A way that is not there is not opened by a rule.
        Layer::Eip
        | Layer::Dnat
        | Layer::Ipv4Gateway
        | Layer::Ipv6Gateway
        | Layer::Internet
        | Layer::Peering
        | Layer::VpnGateway
        | Layer::BorderRouter
        | Layer::RouterInterface
        | Layer::Site
        | Layer::Platform => None,
    };
    one.into_iter().collect()
}

fn group(t: &Typed, s: &Step, p: Seen, origin: Origin) -> Option<Edit> {
    let ingress = s.layer == Layer::SecurityGroupIngress;
    let one = p.service();
    match s.from {
        // No rule comes before a drop of the first priority: it has to give way.
        Some(DecidedBy::Rule(RuleRef::Sg(n))) => {
            let rule = t.sg_rules.get(n as usize)?;
            if rule.accept.known() == Some(&false) && rule.priority.known().is_none_or(|p| *p == 1) {
                return without(&rule.origin, &rule.services, &one, {
                    let rule = rule.clone();
                    move |t: &mut Typed, left: &ServiceSet| {
                        for r in t.sg_rules.iter_mut().filter(|r| **r == rule) {
                            r.services = Fact::Known(left.clone());
                        }
                    }
                });
            }
        }
        Some(DecidedBy::Rule(RuleRef::UnknownGroup)) => return None,
        _ => {}
    }
    let (_, iface) = ids(&t.interfaces, InterfaceId).find(|(_, i)| i.meta.origin.address == s.at)?;
    // The group that the fewest share.
    let members = |g: &SecurityGroupId| {
        let has = |i: &&Interface| i.groups.known().is_some_and(|gs| gs.contains(g));
        (t.interfaces.iter().filter(has).count(), *g)
    };
    let group = *iface.groups.known()?.iter().min_by_key(|g| members(g))?;
    let peer = host(if ingress { p.src } else { p.dst });
    let (word, dir) = side(ingress);
    let name = &t[group].meta.origin.address;
    let text = format!("add to `{name}` an {word} rule that accepts {one} {dir} {peer}");
    let rule = SgRule {
        origin,
        group: Fact::Known(group),
        direction: Fact::Known(if ingress {
            Direction::Ingress
        } else {
            Direction::Egress
        }),
        accept: Fact::Known(true),
        priority: Fact::Known(1),
        services: Fact::Known(one),
        peer: Peer::Net(NetSpec::Net(Fact::Known(peer))),
    };
    Some(Edit::new(text, move |t| t.sg_rules.push(rule.clone())))
}

/// A dropping rule that leaves one service out, or goes if it is about nothing else.
fn without(
    origin: &Origin,
    services: &Fact<ServiceSet>,
    one: &ServiceSet,
    apply: impl Fn(&mut Typed, &ServiceSet) + 'static,
) -> Option<Edit> {
    let left = services.known()?.subtract(one);
    let name = &origin.address;
    let text = if left.is_empty() {
        format!("delete `{name}`, or let it spare this packet")
    } else {
        format!("take {one} out of what `{name}` drops")
    };
    Some(Edit::new(text, move |t| apply(t, &left)))
}

fn acl(t: &Typed, s: &Step, p: Seen, origin: Origin) -> Option<Edit> {
    let v = t.vswitches.iter().find(|v| v.meta.origin.address == s.at)?;
    let id: AclId = v.acl.known().copied().flatten()?;
    let ingress = s.layer == Layer::AclIngress;
    let list = |t: &Typed| {
        let a = &t[id];
        matches!(if ingress { &a.ingress } else { &a.egress }, AclList::Entries(_))
    };
    if !list(t) {
        return None;
    }
    let peer = host(if ingress { p.src } else { p.dst });
    // The reply goes to the port of the client, which may be any of the ephemeral ones.
    let services = if p.reply && p.proto.has_ports() {
        let ports = PortSet::range(1024, u16::MAX);
        if p.proto == Proto::UDP {
            ServiceSet::udp(ports)
        } else {
            ServiceSet::tcp(ports)
        }
    } else {
        p.service()
    };
    let (word, dir) = side(ingress);
    let name = &t[id].meta.origin.address;
    let text = format!("put before the {word} entries of `{name}` one that accepts {services} {dir} {peer}");
    let entry = AclEntry {
        origin,
        name: None,
        accept: Fact::Known(true),
        services: Fact::Known(services),
        peer: NetSpec::Net(Fact::Known(peer)),
    };
    Some(Edit::new(text, move |t| {
        if let Some(a) = t.acls.get_mut(id.index())
            && let AclList::Entries(all) = if ingress { &mut a.ingress } else { &mut a.egress }
        {
            all.insert(0, entry.clone());
        }
    }))
}

fn allow_list(t: &Typed, s: &Step, p: Seen, origin: Origin) -> Option<Edit> {
    let of = |i: InterfaceId| t[i].meta.origin.address == s.at;
    let (id, d) = ids(&t.data_services, DataServiceId)
        .find(|(_, d)| of(d.interface) || d.meta.origin.address == s.at)?;
    if matches!(s.from, Some(DecidedBy::Rule(RuleRef::NoClient(_)))) {
        return None;
    }
    let text = format!("add {} to the allow list of `{}`", p.src, d.meta.origin.address);
    let entry = AllowEntry {
        origin,
        peer: AllowPeer::Net(host(p.src)),
    };
    Some(Edit::new(text, move |t| {
        if let Some(d) = t.data_services.get_mut(id.index()) {
            d.allow.push(entry.clone());
        }
    }))
}

/// The list of a listener that turns a client away.
fn access_list(t: &Typed, s: &Step, p: Seen, origin: Origin) -> Option<Edit> {
    let Some(DecidedBy::Rule(RuleRef::Listener(b, n))) = s.from else {
        return None;
    };
    let listener = t[b].listeners.get(n as usize)?;
    let filter = listener.filter.known()?.as_ref()?;
    let white = *filter.white.known()?;
    let name = listener.origin.address.clone();
    let client = p.src;
    let text = if white {
        format!("add {client} to the access list of `{name}`")
    } else {
        format!("take {client} out of the access list of `{name}`")
    };
    let entry = FilterEntry {
        origin,
        net: Fact::Known(host(client)),
    };
    Some(Edit::new(text, move |t| {
        let all = t.balancers.get_mut(BalancerId::index(b));
        let filter = all
            .and_then(|x| x.listeners.get_mut(n as usize))
            .and_then(|l| match &mut l.filter {
                Fact::Known(f) => f.as_mut(),
                Fact::Unknown(_) => None,
            });
        match filter {
            Some(f) if white => f.entries.push(entry.clone()),
            // What is left of a list without its only entry would let everybody in (A-LB-1): no more than is asked here.
            Some(f) => f
                .entries
                .retain(|e| e.net.known().is_none_or(|n| !n.contains(&client))),
            None => {}
        }
    }))
}

fn firewall(t: &Typed, s: &Step, p: Seen) -> Option<Edit> {
    let Some(DecidedBy::Rule(RuleRef::Firewall(f, n))) = s.from else {
        return None;
    };
    let rule = t[f].rules.get(n as usize)?;
    let old = rule.clone();
    without(
        &rule.origin,
        &rule.services,
        &p.service(),
        move |t: &mut Typed, left: &ServiceSet| {
            let all = t.firewalls.get_mut(FirewallId::index(f));
            for r in all.into_iter().flat_map(|f| &mut f.rules).filter(|r| **r == old) {
                r.services = Fact::Known(left.clone());
            }
        },
    )
}

fn snat(t: &Typed, s: &Step, p: Seen, origin: Origin) -> Option<Edit> {
    let (nat, g) = ids(&t.nat_gateways, NatId).find(|(_, g)| g.meta.origin.address == s.at)?;
    let bound = |e: &bartizan_model::Eip| e.bound.contains(&EipTarget::Nat(nat));
    // One that an entry for every port uses is taken (§8.3).
    let taken = |id: EipId, e: &bartizan_model::Eip| {
        t.dnat_entries.iter().any(|d| {
            let it = match &d.external {
                NatIp::Eip(x) => *x == id,
                NatIp::Ip(ip) => e.ip.known() == Some(ip),
                NatIp::Unknown(_) => false,
            };
            it && d.protocol.known().is_none_or(|p| *p == DnatProtocol::Any)
        })
    };
    let (eip, _) = ids(&t.eips, EipId).find(|(n, e)| bound(e) && !taken(*n, e))?;
    let source = host(p.src);
    let text = format!(
        "add to `{}` an SNAT entry for {source} to `{}`",
        g.meta.origin.address, t[eip].meta.origin.address
    );
    let entry = SnatEntry {
        origin,
        nat: Fact::Known(nat),
        source: SnatSource::Net(Fact::Known(source)),
        ips: vec![NatIp::Eip(eip)],
    };
    Some(Edit::new(text, move |t| t.snat_entries.push(entry.clone())))
}

fn appliance(t: &Typed, s: &Step) -> Option<Edit> {
    let (id, i) = ids(&t.interfaces, InterfaceId).find(|(_, i)| i.meta.origin.address == s.at)?;
    if i.source_dest_check == Fact::Known(Some(false)) {
        return None;
    }
    let text = format!("set `source_dest_check` of `{}` to false", s.at);
    Some(Edit::new(text, move |t| {
        if let Some(i) = t.interfaces.get_mut(id.index()) {
            i.source_dest_check = Fact::Known(Some(false));
        }
    }))
}

/// Where a route of a VPC may lead, with the name of it.
fn hops(t: &Typed, vpc: VpcId) -> Vec<(NextHop, Origin)> {
    let is = |f: &Fact<VpcId>| f.known() == Some(&vpc);
    let mut out: Vec<(NextHop, Origin)> = Vec::new();
    let mut add = |h: NextHop, m: &bartizan_model::Meta| out.push((h, m.origin.clone()));
    for (n, a) in ids(&t.attachments, AttachmentId) {
        if matches!(&a.to, Attached::Vpc(v) if is(v)) {
            add(NextHop::Attachment(n), &a.meta);
        }
    }
    for (n, x) in ids(&t.peerings, PeeringId).filter(|(_, x)| is(&x.requester) || is(&x.accepter)) {
        add(NextHop::Peering(n), &x.meta);
    }
    for (n, x) in ids(&t.router_interfaces, RouterInterfaceId) {
        if matches!(&x.at, RouterEnd::Vpc(v) if is(v)) {
            add(NextHop::RouterInterface(n), &x.meta);
        }
    }
    for (n, x) in ids(&t.vpn_gateways, VpnGatewayId).filter(|(_, x)| is(&x.vpc)) {
        add(NextHop::Vpn(n), &x.meta);
    }
    for (n, x) in ids(&t.nat_gateways, NatId).filter(|(_, x)| is(&x.vpc)) {
        add(NextHop::Nat(n), &x.meta);
    }
    for (n, x) in ids(&t.ipv4_gateways, Ipv4GatewayId).filter(|(_, x)| is(&x.vpc)) {
        add(NextHop::Ipv4Gateway(n), &x.meta);
    }
    for (n, x) in ids(&t.ipv6_gateways, Ipv6GatewayId).filter(|(_, x)| is(&x.vpc)) {
        add(NextHop::Ipv6Gateway(n), &x.meta);
    }
    out
}

/// A route of the VPC: what is written for exactly this destination leads elsewhere, or one is added. Before that what
/// a transit router would write by itself, were its attachment associated with a table.
fn routes(t: &Typed, s: &Step, p: Seen, origin: &Origin) -> Vec<Edit> {
    let at = |m: &bartizan_model::Meta| m.origin.address == s.at;
    let vswitch = t.vswitches.iter().find(|v| at(&v.meta)).or_else(|| {
        let i = t.interfaces.iter().find(|i| at(&i.meta))?;
        i.vswitch.known().map(|v| &t[*v])
    });
    let Some(v) = vswitch else { return Vec::new() };
    let (Some(table), Some(vpc)) = (v.table.known().copied(), v.vpc.known().copied()) else {
        return Vec::new();
    };
    let all = hops(t, vpc);
    let mut out = Vec::new();
    for (h, _) in &all {
        if let NextHop::Attachment(a) = h {
            out.extend(associations(t, *a, origin));
        }
    }
    // Everybody on the Internet, unless another route is for everybody.
    let every = if p.dst.is_ipv4() {
        IpNet::V4(ipnet::Ipv4Net::default())
    } else {
        IpNet::V6(ipnet::Ipv6Net::default())
    };
    let written = |net: IpNet| {
        t.route_entries.iter().find(move |r| {
            r.table.known() == Some(&table)
                && matches!(&r.destination, NetSpec::Net(Fact::Known(n)) if *n == net)
        })
    };
    let public = IpSet::public().contains(p.dst) && written(every).is_none();
    let to = if public { every } else { block_of(t, p.dst) };
    for (hop, name) in all {
        let hop = vec![hop];
        let name = name.address;
        match written(to) {
            Some(r) if r.next_hops == hop => {}
            Some(r) => {
                let text = format!("let `{}` lead to `{name}`", r.origin.address);
                let old = r.clone();
                out.push(Edit::new(text, move |t| {
                    for r in t.route_entries.iter_mut().filter(|r| **r == old) {
                        r.next_hops.clone_from(&hop);
                    }
                }));
            }
            None => out.push(route(t, table, to, hop, &name, origin)),
        }
    }
    out
}

fn route(t: &Typed, table: RouteTableId, to: IpNet, hop: Vec<NextHop>, name: &str, origin: &Origin) -> Edit {
    let r = &t[table];
    let system = r
        .vpc
        .known()
        .is_some_and(|v| t[*v].meta.origin.address == r.meta.origin.address);
    let kind = if system { "the system table of " } else { "" };
    let text = format!(
        "add to {kind}`{}` a route for {to} to `{name}`",
        r.meta.origin.address
    );
    let entry = RouteEntry {
        origin: origin.clone(),
        table: Fact::Known(table),
        destination: NetSpec::Net(Fact::Known(to)),
        next_hops: hop,
    };
    Edit::new(text, move |t| t.route_entries.push(entry.clone()))
}

fn at_table(t: &Typed, table: TrTableId) -> String {
    let name = &t[table].meta.origin.address;
    if t[table].system {
        format!("the default table of `{name}`")
    } else {
        format!("`{name}`")
    }
}

/// An attachment that no table forwards for, with each of those that might.
fn associations(t: &Typed, a: AttachmentId, origin: &Origin) -> Vec<Edit> {
    let of = |l: &TrLink| l.attachment.known().is_none_or(|x| *x == a);
    let Some(router) = t[a].router.known() else {
        return Vec::new();
    };
    if t.tr_associations.iter().any(of) {
        return Vec::new();
    }
    let tables = ids(&t.tr_tables, TrTableId).filter(|(_, x)| x.router.known() == Some(router));
    tables
        .map(|(table, _)| {
            let text = format!(
                "associate `{}` with {}",
                t[a].meta.origin.address,
                at_table(t, table)
            );
            let link = TrLink {
                origin: origin.clone(),
                attachment: Fact::Known(a),
                table: Fact::Known(table),
            };
            Edit::new(text, move |t| t.tr_associations.push(link.clone()))
        })
        .collect()
}

/// A transit router: the attachment has no table, the table has a blackhole, or it does not know the way.
fn transit(t: &Typed, s: &Step, p: Seen, origin: &Origin) -> Vec<Edit> {
    match s.from {
        Some(DecidedBy::TrRoute(n)) => {
            let Some(r) = t.tr_routes.get(n as usize) else {
                return Vec::new();
            };
            let old = r.clone();
            let text = format!("delete `{}`", r.origin.address);
            return vec![Edit::new(text, move |t| t.tr_routes.retain(|r| *r != old))];
        }
        Some(DecidedBy::Attachment(a)) => return associations(t, a, origin),
        _ => {}
    }
    let tables = || ids(&t.tr_tables, TrTableId);
    let Some((table, x)) = tables().find(|(_, x)| x.meta.origin.address == s.at) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    let mine = |f: &Fact<bartizan_model::RouterId>| f.known().is_some() && f.known() == x.router.known();
    let near =
        |a: &bartizan_model::Attachment| mine(&a.router) || matches!(&a.to, Attached::Peer(r) if mine(r));
    for (a, _) in ids(&t.attachments, AttachmentId).filter(|(_, a)| near(a)) {
        let name = &t[a].meta.origin.address;
        let link = TrLink {
            origin: origin.clone(),
            attachment: Fact::Known(a),
            table: Fact::Known(table),
        };
        let learns = |l: &TrLink| l.attachment == link.attachment && l.table == link.table;
        if !t.tr_propagations.iter().any(learns) {
            let text = format!("let {} learn the routes of `{name}`", at_table(t, table));
            let link = link.clone();
            out.push(Edit::new(text, move |t| t.tr_propagations.push(link.clone())));
        }
    }
    for (a, _) in ids(&t.attachments, AttachmentId).filter(|(_, a)| near(a)) {
        let name = &t[a].meta.origin.address;
        let to = block_of(t, p.dst);
        let text = format!(
            "add to {} a static route for {to} to `{name}`",
            at_table(t, table)
        );
        let r = bartizan_model::TrRoute {
            origin: origin.clone(),
            table: Fact::Known(table),
            destination: NetSpec::Net(Fact::Known(to)),
            hop: TrHop::Attachment(a),
        };
        out.push(Edit::new(text, move |t| t.tr_routes.push(r.clone())));
    }
    out
}
