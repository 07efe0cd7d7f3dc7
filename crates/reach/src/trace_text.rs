//! What rules, routes and entries say, in one line each.

use crate::network::{RouteRef, RuleRef};
use bartizan_model::{
    AclEntry, AclId, AclList, AllowEntry, AllowPeer, BalancerId, Direction, DnatProtocol, Fact, FirewallId,
    FirewallPeer, Inventory, NatIp, NetSpec, NextHop, Origin, Peer, SgRule,
};
use bartizan_packet::ServiceSet;

/// The action of a rule as a word.
fn verb(accept: &Fact<bool>) -> &'static str {
    match accept {
        Fact::Known(true) => "accept",
        Fact::Known(false) => "drop",
        Fact::Unknown(_) => "accept or drop (not known)",
    }
}

fn services(s: &Fact<ServiceSet>) -> String {
    s.known()
        .map_or_else(|| "services that are not known".to_string(), ToString::to_string)
}

/// Addresses that a rule names.
pub(crate) fn net_text(inv: &Inventory, n: &NetSpec) -> String {
    match n {
        NetSpec::Net(Fact::Known(n)) => n.to_string(),
        NetSpec::PrefixList(Fact::Known(p)) => {
            format!("prefix list `{}`", inv.typed[*p].meta.origin.address)
        }
        NetSpec::Net(Fact::Unknown(_)) | NetSpec::PrefixList(Fact::Unknown(_)) => {
            "addresses that are not known".to_string()
        }
    }
}

fn peer_text(inv: &Inventory, p: &Peer) -> String {
    match p {
        Peer::Net(n) => net_text(inv, n),
        Peer::Group(g) => format!("members of `{}`", inv.typed[*g].meta.origin.address),
        Peer::ForeignGroup(g) => format!("members of `{g}`, which is not in the inventory"),
        Peer::Unknown(_) => "a peer that is not known".to_string(),
    }
}

fn sg_text(inv: &Inventory, r: &SgRule) -> String {
    let side = match r.direction {
        Fact::Known(Direction::Egress) => "to",
        _ => "from",
    };
    let priority = match r.priority {
        Fact::Known(p) => format!("priority {p}"),
        Fact::Unknown(_) => "a priority that is not known".to_string(),
    };
    format!(
        "{} {} {side} {}, {priority}",
        verb(&r.accept),
        services(&r.services),
        peer_text(inv, &r.peer)
    )
}

fn acl_text(inv: &Inventory, e: &AclEntry, ingress: bool, position: u32) -> String {
    let side = if ingress { "from" } else { "to" };
    let what = format!(
        "{} {} {side} {}",
        verb(&e.accept),
        services(&e.services),
        net_text(inv, &e.peer)
    );
    format!("{what}, entry {}", position + 1)
}

/// An entry of a network ACL.
pub(crate) fn acl_entry(inv: &Inventory, id: AclId, ingress: bool, position: u32) -> Option<&AclEntry> {
    let acl = inv.typed.acls.get(id.index())?;
    match if ingress { &acl.ingress } else { &acl.egress } {
        AclList::Entries(es) => es.get(position as usize),
        AclList::Unset | AclList::Unknown(_) => None,
    }
}

fn balancer_text(inv: &Inventory, id: BalancerId, what: &str) -> (String, Option<Origin>) {
    let b = inv.typed.balancers.get(id.index());
    (
        format!("the {} {what}", b.map_or("load balancer", |b| b.kind.name())),
        b.map(|b| b.meta.origin.clone()),
    )
}

fn firewall_text(inv: &Inventory, id: FirewallId, n: u32) -> (String, Option<Origin>) {
    let f = inv.typed.firewalls.get(id.index());
    let Some(r) = f.and_then(|f| f.rules.get(n as usize)) else {
        return ("a policy that is not in the inventory".to_string(), None);
    };
    let verb = match r.pass {
        Fact::Known(true) => "pass",
        Fact::Known(false) => "drop",
        Fact::Unknown(_) => "pass or drop (not known)",
    };
    let side = |all: &[FirewallPeer]| {
        let mut v: Vec<String> = all.iter().take(3).map(|p| firewall_peer(inv, p)).collect();
        if all.len() > 3 {
            v.push(format!("{} more", all.len() - 3));
        }
        v.join(", ")
    };
    let order = match r.order {
        Fact::Known(o) => format!("order {o}"),
        Fact::Unknown(_) => "an order that is not known".to_string(),
    };
    let deep = if r.deep == Fact::Known(false) {
        ""
    } else {
        ", by application or domain"
    };
    (
        format!(
            "{verb} {} from {} to {}{deep}, {order}",
            services(&r.services),
            side(&r.source),
            side(&r.destination)
        ),
        Some(r.origin.clone()),
    )
}

fn firewall_peer(inv: &Inventory, p: &FirewallPeer) -> String {
    match p {
        FirewallPeer::Net(n) => n.to_string(),
        FirewallPeer::Eip(e) => nat_ip_text(inv, &NatIp::Eip(*e)),
        FirewallPeer::Elsewhere(t) => format!("`{t}`"),
        FirewallPeer::Unknown(_) => "addresses that are not known".to_string(),
    }
}

/// A rule in one line, as it is written, and where it is written. Defaults are named without their outcome,
/// which depends on the group type and the direction.
#[must_use]
pub fn describe(inv: &Inventory, rule: RuleRef) -> (String, Option<Origin>) {
    let t = &inv.typed;
    match rule {
        RuleRef::Sg(i) => match t.sg_rules.get(i as usize) {
            Some(r) => (sg_text(inv, r), Some(r.origin.clone())),
            None => ("a rule that is not in the inventory".to_string(), None),
        },
        RuleRef::Inner(g) => {
            let origin = t.security_groups.get(g.index()).map(|g| g.meta.origin.clone());
            let name = origin.as_ref().map(|o| o.address.to_string()).unwrap_or_default();
            (format!("intra-group policy Accept of `{name}`"), origin)
        }
        RuleRef::Default => ("default of the security group type".to_string(), None),
        RuleRef::UnknownGroup => (
            "a security group that is not known, which may hold any rule".to_string(),
            None,
        ),
        RuleRef::Acl(id, ingress, i) => match acl_entry(inv, id, ingress, i) {
            Some(e) => (acl_text(inv, e, ingress, i), Some(e.origin.clone())),
            None => ("an entry that is not in the inventory".to_string(), None),
        },
        RuleRef::AclEnd(id, _) => (
            "end of the network ACL".to_string(),
            t.acls.get(id.index()).map(|a| a.meta.origin.clone()),
        ),
        RuleRef::Allow(id, i) => {
            let d = t.data_services.get(id.index());
            match d.and_then(|d| d.allow.get(i as usize)) {
                Some(e) => (allow_text(inv, e), Some(e.origin.clone())),
                None => ("an entry that is not in the inventory".to_string(), None),
            }
        }
        RuleRef::AllowEnd(id) => {
            let d = t.data_services.get(id.index());
            let what = d.map_or("data service", |d| d.kind.name());
            (
                format!("the allow list of the {what} has no entry for it"),
                d.map(|d| d.meta.origin.clone()),
            )
        }
        RuleRef::NoClient(id) => {
            let d = t.data_services.get(id.index());
            let what = d.map_or("data service", |d| d.kind.name());
            (
                format!("the {what} opens no connections of its own"),
                d.map(|d| d.meta.origin.clone()),
            )
        }
        RuleRef::Listener(id, n) => {
            let l = t
                .balancers
                .get(id.index())
                .and_then(|b| b.listeners.get(n as usize));
            (
                format!(
                    "the access list of the listener on {} turns it away",
                    l.map_or_else(String::new, |l| services(&l.services))
                ),
                l.map(|l| l.origin.clone()),
            )
        }
        RuleRef::NotListening(id) => balancer_text(inv, id, "has no listener for it"),
        RuleRef::Listening(id) => balancer_text(inv, id, "takes it in"),
        RuleRef::BackendsOnly(id) => balancer_text(inv, id, "opens connections to its backends only"),
        RuleRef::Firewall(id, n) => firewall_text(inv, id, n),
        RuleRef::FirewallEnd(id) => (
            "no policy of the firewall matches, so it passes".to_string(),
            t.firewalls.get(id.index()).map(|f| f.meta.origin.clone()),
        ),
        RuleRef::Site => ("nothing in the cloud filters at a site".to_string(), None),
        RuleRef::AclUnknown(id) => (
            "entries of the network ACL that are not known".to_string(),
            t.acls.get(id.index()).map(|a| a.meta.origin.clone()),
        ),
    }
}

/// A route in one line, and where it is written.
#[must_use]
pub fn describe_route(inv: &Inventory, route: RouteRef) -> (String, Option<Origin>) {
    match route {
        RouteRef::Local => ("system route of the VPC's own vSwitches".to_string(), None),
        RouteRef::SystemIpv6 => ("::/0 to the IPv6 gateway, added by the system".to_string(), None),
        RouteRef::NatBlock(n) => {
            let origin = inv
                .typed
                .nat_gateways
                .get(n.index())
                .map(|n| n.meta.origin.clone());
            let name = origin.as_ref().map(|o| o.address.to_string()).unwrap_or_default();
            (
                format!("to a custom block of `{name}`, added by the system"),
                origin,
            )
        }
        RouteRef::Entry(i) => match inv.typed.route_entries.get(i as usize) {
            Some(e) => {
                let hops: Vec<String> = e.next_hops.iter().map(|h| hop_text(inv, h)).collect();
                (
                    format!("{} to {}", net_text(inv, &e.destination), hops.join(" or ")),
                    Some(e.origin.clone()),
                )
            }
            None => ("a route that is not in the inventory".to_string(), None),
        },
        RouteRef::Propagated(a) => {
            let origin = inv
                .typed
                .attachments
                .get(a.index())
                .map(|a| a.meta.origin.clone());
            let name = origin.as_ref().map(|o| o.address.to_string()).unwrap_or_default();
            (format!("written by the transit router through `{name}`"), origin)
        }
        RouteRef::Published(g) => {
            let origin = inv
                .typed
                .vpn_gateways
                .get(g.index())
                .map(|g| g.meta.origin.clone());
            let name = origin.as_ref().map(|o| o.address.to_string()).unwrap_or_default();
            (format!("written by the VPN gateway `{name}`"), origin)
        }
    }
}

fn allow_text(inv: &Inventory, e: &AllowEntry) -> String {
    match &e.peer {
        AllowPeer::Net(n) => format!("allow list: {n}"),
        AllowPeer::Group(g) => match inv.typed.security_groups.get(g.index()) {
            Some(g) => format!("allow list: members of `{}`", g.meta.origin.address),
            None => "allow list: members of a group".to_string(),
        },
        AllowPeer::ForeignGroup(id) => format!("allow list: members of `{id}`"),
        AllowPeer::Unknown(_) => "allow list: an entry that is not known".to_string(),
    }
}

fn hop_text(inv: &Inventory, h: &NextHop) -> String {
    let t = &inv.typed;
    match h {
        NextHop::Interface(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::HaVip(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::Nat(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::Ipv4Gateway(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::Ipv6Gateway(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::Peering(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::Attachment(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::Vpn(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::RouterInterface(i) => format!("`{}`", t[*i].meta.origin.address),
        NextHop::Unmodelled { kind, target } => format!("{kind} `{target}`, which is not modelled"),
        NextHop::Unknown(_) => "a next hop that is not known".to_string(),
    }
}

/// A public address that a NAT entry names.
pub(crate) fn nat_ip_text(inv: &Inventory, ip: &NatIp) -> String {
    match ip {
        NatIp::Eip(e) => {
            let e = &inv.typed[*e];
            match e.ip {
                Fact::Known(ip) => ip.to_string(),
                Fact::Unknown(_) => format!("the address of `{}`", e.meta.origin.address),
            }
        }
        NatIp::Ip(ip) => ip.to_string(),
        NatIp::Unknown(_) => "an address that is not known".to_string(),
    }
}

/// What a DNAT entry forwards: `tcp 80 of 1.2.3.4`.
pub(crate) fn dnat_text(inv: &Inventory, entry: u32) -> (String, Option<Origin>) {
    let Some(d) = inv.typed.dnat_entries.get(entry as usize) else {
        return ("a DNAT entry that is not in the inventory".to_string(), None);
    };
    let proto = match d.protocol {
        Fact::Known(DnatProtocol::Tcp) => "tcp",
        Fact::Known(DnatProtocol::Udp) => "udp",
        Fact::Known(DnatProtocol::Any) => "everything",
        Fact::Unknown(_) => "a protocol that is not known",
    };
    let range = |(l, h): (u16, u16)| if l == h { l.to_string() } else { format!("{l}-{h}") };
    let ports = match d.ports {
        Fact::Known(Some(m)) => format!("/{} to port {}", range(m.external), range(m.internal)),
        Fact::Known(None) | Fact::Unknown(_) => String::new(),
    };
    (
        format!("forward {proto}{ports} of {}", nat_ip_text(inv, &d.external)),
        Some(d.origin.clone()),
    )
}
