//! A network in a few lines of text, for reports.

use bartizan_model::*;
use std::fmt::Write;

/// One line per thing, in the order of the typed layer.
#[must_use]
pub(crate) fn describe(inv: &Inventory) -> String {
    let t = &inv.typed;
    let mut s = String::new();
    let name = |m: &Meta| m.origin.address.trim_start_matches("alicloud_").to_string();
    let mut line = |text: String| {
        let _ = writeln!(s, "  {text}");
    };
    for v in &t.vpcs {
        line(format!(
            "{} {:?} user {:?}",
            name(&v.meta),
            v.cidrs.iter().filter_map(Fact::known).collect::<Vec<_>>(),
            v.user_cidrs.iter().filter_map(Fact::known).collect::<Vec<_>>()
        ));
    }
    for v in &t.vswitches {
        let six = v.ipv6_cidr.as_ref().and_then(Fact::known);
        line(format!(
            "{} vpc {:?} {:?} {six:?} table {:?} acl {:?}",
            name(&v.meta),
            v.vpc.known().map(|v| v.0),
            v.cidr.known(),
            v.table.known().map(|t| t.0),
            v.acl.known().and_then(|a| a.map(|a| a.0))
        ));
    }
    for (i, table) in t.route_tables.iter().enumerate() {
        let vpc = table.vpc.known().map(|v| v.0);
        line(format!(
            "table {i} {:?} {} vpc {vpc:?}",
            table.kind,
            name(&table.meta)
        ));
    }
    for r in &t.route_entries {
        let table = r.table.known().map(|t| t.0);
        line(format!(
            "route in {table:?} {} -> {:?}",
            spec(t, &r.destination),
            r.next_hops
        ));
    }
    for (i, g) in t.security_groups.iter().enumerate() {
        let kind = if g.enterprise.known() == Some(&true) {
            "enterprise"
        } else {
            "basic"
        };
        let inner = g.inner_accept.known();
        line(format!(
            "group {i} {} vpc {:?} {kind} inner {inner:?}",
            name(&g.meta),
            g.vpc.known().map(|v| v.0)
        ));
    }
    for r in &t.sg_rules {
        let peer = match &r.peer {
            Peer::Net(n) => spec(t, n),
            p => format!("{p:?}"),
        };
        line(format!(
            "rule of group {:?}: {:?} {} {} {peer} prio {:?}",
            r.group.known().map(|g| g.0),
            r.direction.known(),
            policy(&r.accept),
            r.services.known().map(ToString::to_string).unwrap_or_default(),
            r.priority.known()
        ));
    }
    for (i, a) in t.acls.iter().enumerate() {
        for (d, l) in [("in", &a.ingress), ("out", &a.egress)] {
            let AclList::Entries(es) = l else { continue };
            line(format!("acl {i} {d}:"));
            for e in es {
                let services = e.services.known().map(ToString::to_string).unwrap_or_default();
                line(format!("  {} {services} {}", policy(&e.accept), spec(t, &e.peer)));
            }
        }
    }
    for (i, e) in t.interfaces.iter().enumerate() {
        let addresses: Vec<String> = e
            .addresses
            .iter()
            .map(|a| {
                let six = match a.ipv6_internet {
                    Ipv6Internet::None => "",
                    Ipv6Internet::Both(_) => " both",
                    Ipv6Internet::EgressOnly(_) => " egress-only",
                    Ipv6Internet::Unknown(_) => " unknown",
                };
                format!("{:?} {:?}{six}", a.spec, a.kind)
            })
            .collect();
        let public: Vec<String> = e
            .public
            .iter()
            .map(|p| format!("{:?} for {} {:?}", p.ip.known(), p.private, p.kind))
            .collect();
        line(format!(
            "interface {i} {} vswitch {:?} groups {:?} check {:?} [{}] public [{}]",
            name(&e.meta),
            e.vswitch.known().map(|v| v.0),
            e.groups
                .known()
                .map(|g| g.iter().map(|g| g.0).collect::<Vec<_>>()),
            e.source_dest_check.known(),
            addresses.join(", "),
            public.join(", ")
        ));
    }
    for (i, e) in t.eips.iter().enumerate() {
        line(format!("eip {i} {:?} {:?}", e.ip.known(), e.bound));
    }
    for (i, n) in t.nat_gateways.iter().enumerate() {
        let vsw = n.vswitch.as_ref().and_then(|v| v.known()).map(|v| v.0);
        line(format!(
            "nat {i} vpc {:?} vswitch {vsw:?} internet {:?} blocks {:?} ips {:?}",
            n.vpc.known().map(|v| v.0),
            n.internet.known(),
            n.blocks.iter().filter_map(|b| b.known()).collect::<Vec<_>>(),
            n.ips.iter().filter_map(|b| b.known()).collect::<Vec<_>>()
        ));
    }
    for (i, a) in t.attachments.iter().enumerate() {
        line(format!(
            "attachment {i} router {:?} {:?} zones {:?} publishes {:?}",
            a.router.known(),
            a.to,
            a.vswitches,
            a.publishes.known()
        ));
    }
    for l in &t.tr_associations {
        line(format!(
            "association {:?} {:?}",
            l.attachment.known(),
            l.table.known()
        ));
    }
    for l in &t.tr_propagations {
        line(format!(
            "propagation {:?} {:?}",
            l.attachment.known(),
            l.table.known()
        ));
    }
    for r in &t.tr_routes {
        line(format!(
            "tr route {:?} {} {:?}",
            r.table.known(),
            spec(t, &r.destination),
            r.hop
        ));
    }
    for s in &t.sites {
        line(format!(
            "site at {} vpc {} forwards {:?}",
            s.interface.0,
            s.vpc.0,
            s.forwards.known()
        ));
    }
    for p in &t.site_pairs {
        line(format!("  sites {} {} {:?}", p.a.0, p.b.0, p.forwards.known()));
    }
    for (i, g) in t.vpn_gateways.iter().enumerate() {
        let (vpc, zone) = (g.vpc.known(), g.vswitch.as_ref().and_then(Fact::known));
        line(format!(
            "vpn gateway {i} {vpc:?} {zone:?} propagates {:?}",
            g.propagates.known()
        ));
    }
    for (i, c) in t.vpn_connections.iter().enumerate() {
        let known = |all: &[Fact<ipnet::IpNet>]| {
            all.iter()
                .filter_map(Fact::known)
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        line(format!(
            "connection {i} {:?} site {} {:?} {:?} configures {:?} bgp {:?} {:?}",
            c.end,
            c.site.0,
            known(&c.local),
            known(&c.remote),
            c.configures.known(),
            c.bgp.known(),
            c.learned.known()
        ));
    }
    for r in &t.vpn_routes {
        line(format!(
            "vpn route {:?} {:?} {:?} -> {:?} active {:?} publishes {:?}",
            r.gateway,
            r.source,
            r.destination.known(),
            r.next.known(),
            r.active.known(),
            r.publishes.known()
        ));
    }
    for (i, b) in t.border_routers.iter().enumerate() {
        line(format!(
            "border router {i} site {} table {} learned {:?}",
            b.site.0,
            b.table.0,
            b.learned.known()
        ));
    }
    for (i, r) in t.router_interfaces.iter().enumerate() {
        line(format!(
            "router interface {i} {:?} opposite {:?}",
            r.at,
            r.opposite.known()
        ));
    }
    for d in &t.data_services {
        line(format!(
            "service at {} on {:?} admits {:?}",
            d.interface.0,
            d.services.known(),
            d.allow.iter().map(|e| &e.peer).collect::<Vec<_>>()
        ));
    }
    for b in &t.balancers {
        let fronts: Vec<u32> = b.fronts.iter().map(|f| f.0).collect();
        line(format!(
            "{} fronts {fronts:?} detached {}",
            name(&b.meta),
            b.detached
        ));
        for l in &b.listeners {
            let filter = l.filter.known().cloned().flatten();
            let filter = filter.map(|f| {
                let nets: Vec<_> = f.entries.iter().filter_map(|e| e.net.known().copied()).collect();
                (f.white.known().copied(), nets)
            });
            line(format!("  listens on {:?} filter {filter:?}", l.services.known()));
            for f in &l.forwards {
                line(format!(
                    "    to {:?} as {:?} preserves {:?}",
                    f.to,
                    f.services.known(),
                    f.preserves.known()
                ));
            }
        }
    }
    for f in &t.firewalls {
        line(format!(
            "{} at {:?} strict {:?}",
            name(&f.meta),
            f.place,
            f.strict.known()
        ));
        for r in &f.rules {
            line(format!(
                "  inbound {:?} order {:?} {} deep {:?} {} from {:?} to {:?}",
                r.inbound.known(),
                r.order.known(),
                policy(&r.pass),
                r.deep.known(),
                r.services.known().map(ToString::to_string).unwrap_or_default(),
                r.source,
                r.destination
            ));
        }
    }
    for e in &t.snat_entries {
        line(format!(
            "snat of nat {:?} {:?} {:?}",
            e.nat.known().map(|n| n.0),
            e.source,
            e.ips
        ));
    }
    for d in &t.dnat_entries {
        line(format!(
            "dnat of nat {:?} {:?} {:?} {:?} -> {:?}",
            d.nat.known().map(|n| n.0),
            d.external,
            d.protocol.known(),
            d.ports.known(),
            d.target
        ));
    }
    for (i, g) in t.ipv4_gateways.iter().enumerate() {
        let table = g.ingress_table.as_ref().and_then(|t| t.known()).map(|t| t.0);
        let (vpc, on) = (g.vpc.known().map(|v| v.0), g.enabled.known());
        line(format!(
            "ipv4 gateway {i} vpc {vpc:?} enabled {on:?} ingress table {table:?}"
        ));
    }
    for (i, g) in t.ipv6_gateways.iter().enumerate() {
        line(format!("ipv6 gateway {i} vpc {:?}", g.vpc.known().map(|v| v.0)));
    }
    for (i, h) in t.ha_vips.iter().enumerate() {
        line(format!("havip {i} {:?} {:?}", h.ip.known(), h.members));
    }
    s
}

fn policy(accept: &Fact<bool>) -> &'static str {
    match accept.known() {
        Some(true) => "accept",
        Some(false) => "drop",
        None => "?",
    }
}

fn spec(t: &Typed, n: &NetSpec) -> String {
    match n {
        NetSpec::Net(n) => n.known().map(ToString::to_string).unwrap_or_else(|| "?".into()),
        NetSpec::PrefixList(p) => {
            let entries = p.known().and_then(|p| t[*p].entries.known());
            format!(
                "list {:?}",
                entries.map(|e| e.iter().filter_map(Fact::known).collect::<Vec<_>>())
            )
        }
    }
}
