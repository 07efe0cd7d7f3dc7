//! Where packets end that an entry of a route table decides about.

use super::routes::{At, EndKind, Next, RouteEnd, View};
use bartizan_model::{AttachmentId, InterfaceId, NatId, RouteTableId, TrTableId, VpcId};
use bartizan_reach::{Far, Hop, RouteRef, TrNext, TrWay};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Alternatives that are followed.
pub(super) const MOST_ENDS: usize = 64;

/// One end more.
pub(super) fn put(ends: &mut BTreeSet<RouteEnd>, path: &[String], kind: EndKind, text: String) {
    if ends.len() < MOST_ENDS {
        ends.insert(RouteEnd {
            path: path.to_vec(),
            kind,
            text,
        });
    }
}

impl View<'_> {
    /// Follows a packet for `ip` by one entry of a table, whatever else the table has for it.
    pub(super) fn by_entry(&self, at: At, next: Next<'_>, ip: IpAddr, ends: &mut BTreeSet<RouteEnd>) {
        let (mut seen, mut path) = (vec![at], Vec::new());
        match (at, next) {
            (At::Vpc(id), Next::Hops(hops, from)) => {
                let vpc = self.f.inventory.typed[id].vpc.known().copied();
                for h in hops {
                    self.step((h, from), vpc, ip, &mut seen, &mut path, ends);
                }
            }
            (At::Router(id), Next::Way(w)) => self.by_way(id, w, ip, &mut seen, &mut path, ends),
            _ => {}
        }
    }

    /// Follows a packet for `ip` from a table to wherever it may end. Bounded by the number of tables.
    pub(super) fn follow(
        &self,
        at: At,
        ip: IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        if seen.contains(&at) {
            let name = self.table_name(at);
            return put(
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
                    put(ends, path, EndKind::Dropped, text);
                }
                for r in routes {
                    for h in &r.hops {
                        self.step((h, r.from), vpc, ip, seen, path, ends);
                    }
                }
            }
            At::Router(id) => {
                let (ways, decided) = self.net.transit.lookup(id, ip);
                if !decided {
                    let text = format!("dropped: no route in {}", self.table_name(at));
                    put(ends, path, EndKind::Dropped, text);
                }
                for w in ways {
                    self.by_way(id, w, ip, seen, path, ends);
                }
            }
        }
        seen.pop();
    }

    /// By an entry of a table of a router.
    fn by_way(
        &self,
        table: TrTableId,
        w: &TrWay,
        ip: IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let TrNext::Attachment(a) = w.next else {
            let text = format!("dropped: a blackhole of {}", self.table_name(At::Router(table)));
            return put(ends, path, EndKind::Dropped, text);
        };
        path.push(self.attachment_name(a));
        self.hand_over(a, Some(table), ip, seen, path, ends);
        path.pop();
    }

    /// What is behind an attachment, seen from a table of the router (`from`).
    fn hand_over(
        &self,
        a: AttachmentId,
        from: Option<TrTableId>,
        ip: IpAddr,
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
                let text = "dropped: nothing is attached there".to_string();
                put(ends, path, EndKind::Dropped, text);
            }
            Far::Unmodelled => {
                let text = "not known: what is attached there is not modelled".to_string();
                put(ends, path, EndKind::Unknown, text);
            }
        }
    }

    fn step(
        &self,
        (h, from): (&Hop, RouteRef),
        vpc: Option<VpcId>,
        ip: IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let t = &self.f.inventory.typed;
        let mut end = |kind, text: String| put(ends, path, kind, text);
        match h {
            Hop::Local => self.delivered(vpc, ip, path, ends),
            Hop::Peering(_, v) => self.delivered(Some(*v), ip, path, ends),
            Hop::Nat(n) => {
                let nat = &self.net.nats[n.index()];
                let name = &t[*n].meta.origin.address;
                if nat.vpc.is_some() && vpc.is_some() && nat.vpc != vpc {
                    end(EndKind::Dropped, format!("dropped: {name} is in another VPC"));
                } else if nat.inner.is_some() {
                    self.translated(*n, ip, path, ends);
                } else if !nat.internet {
                    end(
                        EndKind::Dropped,
                        format!("dropped: {name} does not lead to the Internet"),
                    );
                } else {
                    let past = self.filtered(*n, from);
                    end(EndKind::Out, format!("out by {name}{past}"));
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
            Hop::Interface(i) => self.appliance(*i, vpc, ip, seen, path, ends),
            Hop::HaVip(h) => {
                for i in &self.net.ha_vips[h.index()] {
                    self.appliance(*i, vpc, ip, seen, path, ends);
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

    fn appliance(
        &self,
        i: InterfaceId,
        vpc: Option<VpcId>,
        ip: IpAddr,
        seen: &mut Vec<At>,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let name = self.interface_name(i);
        let mut end = |kind, text: String| put(ends, path, kind, text);
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
            return end(EndKind::Delivered(Some(v.vpc)), format!("delivered to {name}"));
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

    /// In a VPC, by its local route or a peering: at an interface, or at a VPC NAT gateway that has the address (020, 2).
    fn delivered(
        &self,
        vpc: Option<VpcId>,
        ip: IpAddr,
        path: &mut Vec<String>,
        ends: &mut BTreeSet<RouteEnd>,
    ) {
        let Some(v) = vpc else {
            return put(ends, path, EndKind::Delivered(None), "delivered".to_string());
        };
        let holds = |n: &bartizan_reach::Nat| {
            n.inner
                .as_ref()
                .is_some_and(|x| x.vpc == v && x.held.contains(ip))
        };
        match (0u32..).zip(&self.net.nats).find(|(_, n)| holds(n)) {
            Some((n, _)) => self.translated(NatId(n), ip, path, ends),
            None => put(
                ends,
                path,
                EndKind::Delivered(vpc),
                format!("delivered in {}", self.vpc_name(v)),
            ),
        }
    }

    /// At a VPC NAT gateway (020, 4 to 8): what is for one of its addresses goes where an entry sends it; the rest goes on
    /// as a packet of its own by the table of its vSwitch.
    fn translated(&self, n: NatId, ip: IpAddr, path: &mut Vec<String>, ends: &mut BTreeSet<RouteEnd>) {
        let t = &self.f.inventory.typed;
        let (name, nat) = (t[n].meta.origin.address.to_string(), &self.net.nats[n.index()]);
        let Some(x) = &nat.inner else { return };
        if path.contains(&name) {
            let text = format!("dropped: it has passed {name} before");
            return put(ends, path, EndKind::Dropped, text);
        }
        if x.held.contains(ip) {
            let mut targets: Vec<String> = Vec::new();
            for i in self.net.ifaces.iter().flatten() {
                for a in &i.addrs {
                    if a.inner.iter().any(|d| d.nat == n && d.ips.contains(ip)) {
                        targets.push(self.interface_name(i.id));
                    }
                }
            }
            targets.sort_unstable();
            targets.dedup();
            return match targets.is_empty() {
                true => put(
                    ends,
                    path,
                    EndKind::Dropped,
                    format!("dropped: no entry of {name} sends on what is for {ip}"),
                ),
                false => put(
                    ends,
                    path,
                    EndKind::Delivered(Some(x.vpc)),
                    format!(
                        "sent on by {name} to {} in {}",
                        targets.join(" or "),
                        self.vpc_name(x.vpc)
                    ),
                ),
            };
        }
        if nat.snat.is_empty() {
            let text = format!("dropped: {name} has no SNAT entry");
            return put(ends, path, EndKind::Dropped, text);
        }
        path.push(name);
        let zone = self.net.vswitches[x.zone.index()].as_ref();
        for table in zone.iter().flat_map(|z| &z.tables) {
            self.follow(At::Vpc(RouteTableId(*table)), ip, &mut Vec::new(), path, ends);
        }
        path.pop();
    }

    /// The firewalls that what a route leads to a NAT gateway meets before it (decision 15, 13).
    fn filtered(&self, n: NatId, from: RouteRef) -> String {
        let t = &self.f.inventory.typed;
        let before = self.net.perimeter.nats.iter().filter(|(nats, routes, _)| {
            nats.contains(&n) && matches!(from, RouteRef::Entry(e) if routes.contains(&e))
        });
        let names: Vec<String> = before
            .map(|(_, _, f)| t[f.id].meta.origin.address.to_string())
            .collect();
        match names.is_empty() {
            true => String::new(),
            false => format!(", past the firewall {}", names.join(" and ")),
        }
    }
}
