//! Whether every id of the typed layer names something.

use crate::*;

struct Checker<'a> {
    t: &'a Typed,
}

impl Checker<'_> {
    fn ok(&self, what: &str, i: u32, len: usize) -> Result<(), String> {
        if (i as usize) < len {
            Ok(())
        } else {
            Err(format!("{what} {i} of {len} does not exist"))
        }
    }
    fn fact<T: Copy>(&self, f: &Fact<T>, check: impl Fn(T) -> Result<(), String>) -> Result<(), String> {
        f.known().map_or(Ok(()), |v| check(*v))
    }
    fn vpc(&self, v: &Fact<VpcId>) -> Result<(), String> {
        self.fact(v, |v| self.ok("VPC", v.0, self.t.vpcs.len()))
    }
    fn vsw(&self, v: &Fact<VswitchId>) -> Result<(), String> {
        self.fact(v, |v| self.ok("vSwitch", v.0, self.t.vswitches.len()))
    }
    fn table(&self, v: &Fact<RouteTableId>) -> Result<(), String> {
        self.fact(v, |v| self.ok("route table", v.0, self.t.route_tables.len()))
    }
    fn nat(&self, v: &Fact<NatId>) -> Result<(), String> {
        self.fact(v, |v| self.ok("NAT gateway", v.0, self.t.nat_gateways.len()))
    }
    fn router(&self, v: RouterId) -> Result<(), String> {
        self.ok("transit router", v.0, self.t.transit_routers.len())
    }
    fn tr_table(&self, v: &Fact<TrTableId>) -> Result<(), String> {
        self.fact(v, |v| {
            self.ok("table of a transit router", v.0, self.t.tr_tables.len())
        })
    }
    fn attachment(&self, v: AttachmentId) -> Result<(), String> {
        self.ok("attachment", v.0, self.t.attachments.len())
    }
    fn router_interface(&self, v: RouterInterfaceId) -> Result<(), String> {
        self.ok("router interface", v.0, self.t.router_interfaces.len())
    }
    fn border(&self, v: BorderRouterId) -> Result<(), String> {
        self.ok("border router", v.0, self.t.border_routers.len())
    }
    fn connection(&self, v: VpnConnectionId) -> Result<(), String> {
        self.ok("VPN connection", v.0, self.t.vpn_connections.len())
    }
    fn vpn(&self, v: &Fact<VpnGatewayId>) -> Result<(), String> {
        self.fact(v, |v| self.ok("VPN gateway", v.0, self.t.vpn_gateways.len()))
    }
    fn site(&self, v: SiteId) -> Result<(), String> {
        self.ok("site", v.0, self.t.sites.len())
    }
    fn sg(&self, v: SecurityGroupId) -> Result<(), String> {
        self.ok("security group", v.0, self.t.security_groups.len())
    }
    fn eni(&self, v: InterfaceId) -> Result<(), String> {
        self.ok("interface", v.0, self.t.interfaces.len())
    }
    fn net(&self, n: &NetSpec) -> Result<(), String> {
        match n {
            NetSpec::Net(_) => Ok(()),
            NetSpec::PrefixList(p) => {
                self.fact(p, |p| self.ok("prefix list", p.0, self.t.prefix_lists.len()))
            }
        }
    }
    fn nat_ip(&self, n: &NatIp) -> Result<(), String> {
        match n {
            NatIp::Eip(e) => self.ok("EIP", e.0, self.t.eips.len()),
            _ => Ok(()),
        }
    }
}

impl Typed {
    /// Checks that every id names something. Linear.
    ///
    /// # Errors
    /// The first id that does not.
    pub fn check_ids(&self) -> Result<(), String> {
        let c = Checker { t: self };
        for v in &self.vpcs {
            c.ok("route table", v.system_table.0, self.route_tables.len())?;
        }
        for v in &self.vswitches {
            c.vpc(&v.vpc)?;
            c.table(&v.table)?;
            c.fact(&v.acl, |a| {
                a.map_or(Ok(()), |a| c.ok("network ACL", a.0, self.acls.len()))
            })?;
        }
        for t in &self.route_tables {
            c.vpc(&t.vpc)?;
        }
        for r in &self.route_entries {
            c.table(&r.table)?;
            c.net(&r.destination)?;
            for h in &r.next_hops {
                match h {
                    NextHop::Interface(i) => c.eni(*i)?,
                    NextHop::HaVip(h) => c.ok("HaVip", h.0, self.ha_vips.len())?,
                    NextHop::Nat(n) => c.ok("NAT gateway", n.0, self.nat_gateways.len())?,
                    NextHop::Ipv4Gateway(g) => c.ok("IPv4 gateway", g.0, self.ipv4_gateways.len())?,
                    NextHop::Ipv6Gateway(g) => c.ok("IPv6 gateway", g.0, self.ipv6_gateways.len())?,
                    NextHop::Peering(p) => c.ok("peering connection", p.0, self.peerings.len())?,
                    NextHop::Attachment(a) => c.attachment(*a)?,
                    NextHop::Vpn(g) => c.ok("VPN gateway", g.0, self.vpn_gateways.len())?,
                    NextHop::RouterInterface(i) => c.router_interface(*i)?,
                    NextHop::Unmodelled { .. } | NextHop::Unknown(_) => {}
                }
            }
        }
        for g in &self.security_groups {
            c.vpc(&g.vpc)?;
        }
        for r in &self.sg_rules {
            c.fact(&r.group, |g| c.sg(g))?;
            match &r.peer {
                Peer::Net(n) => c.net(n)?,
                Peer::Group(g) => c.sg(*g)?,
                Peer::ForeignGroup(_) | Peer::Unknown(_) => {}
            }
        }
        for a in &self.acls {
            c.vpc(&a.vpc)?;
            for l in [&a.ingress, &a.egress] {
                if let AclList::Entries(es) = l {
                    for e in es {
                        c.net(&e.peer)?;
                    }
                }
            }
        }
        for i in &self.interfaces {
            c.vsw(&i.vswitch)?;
            if let Some(n) = i.instance {
                c.ok("instance", n.0, self.instances.len())?;
            }
            for g in i.groups.known().into_iter().flatten() {
                c.sg(*g)?;
            }
            for p in &i.public {
                c.ok("address", p.private, i.addresses.len())?;
                if let Some(e) = p.eip {
                    c.ok("EIP", e.0, self.eips.len())?;
                }
            }
        }
        for e in &self.eips {
            for t in &e.bound {
                match t {
                    EipTarget::Interface(i) => c.eni(*i)?,
                    EipTarget::Nat(n) => c.ok("NAT gateway", n.0, self.nat_gateways.len())?,
                    EipTarget::HaVip(h) => c.ok("HaVip", h.0, self.ha_vips.len())?,
                    EipTarget::Unmodelled(_) | EipTarget::Unknown(_) => {}
                }
            }
        }
        for n in &self.nat_gateways {
            c.vpc(&n.vpc)?;
            if let Some(v) = &n.vswitch {
                c.vsw(v)?;
            }
        }
        for s in &self.snat_entries {
            c.nat(&s.nat)?;
            if let SnatSource::Vswitch(v) = &s.source {
                c.vsw(v)?;
            }
            for ip in &s.ips {
                c.nat_ip(ip)?;
            }
        }
        for d in &self.dnat_entries {
            c.nat(&d.nat)?;
            c.nat_ip(&d.external)?;
            if let DnatTarget::Interface(i, a) = d.target {
                c.eni(i)?;
                c.ok("address", a, self[i].addresses.len())?;
            }
        }
        for g in &self.ipv4_gateways {
            c.vpc(&g.vpc)?;
            if let Some(t) = &g.ingress_table {
                c.table(t)?;
            }
        }
        for g in &self.ipv6_gateways {
            c.vpc(&g.vpc)?;
        }
        for h in &self.ha_vips {
            c.vsw(&h.vswitch)?;
            for m in &h.members {
                c.fact(m, |i| c.eni(i))?;
            }
        }
        self.check_services(&c)?;
        self.check_balancers(&c)?;
        self.check_perimeter(&c)?;
        self.check_transit(&c)?;
        self.check_hybrid(&c)
    }

    fn check_hybrid(&self, c: &Checker<'_>) -> Result<(), String> {
        for s in &self.sites {
            c.vpc(&Fact::Known(s.vpc))?;
            c.eni(s.interface)?;
        }
        for p in &self.site_pairs {
            c.site(p.a)?;
            c.site(p.b)?;
        }
        for g in &self.vpn_gateways {
            c.vpc(&g.vpc)?;
            g.vswitch.iter().chain(&g.tunnels).try_for_each(|v| c.vsw(v))?;
        }
        for x in &self.vpn_connections {
            c.site(x.site)?;
            match &x.end {
                VpnEnd::Gateway(g) | VpnEnd::Clients(g) => c.vpn(g)?,
                VpnEnd::Attached => {}
            }
        }
        for r in &self.vpn_routes {
            r.gateway.iter().try_for_each(|g| c.vpn(g))?;
            c.fact(&r.next, |n| c.connection(n))?;
        }
        for b in &self.border_routers {
            c.site(b.site)?;
            c.table(&Fact::Known(b.table))?;
        }
        for i in &self.router_interfaces {
            match &i.at {
                RouterEnd::Vpc(v) => c.vpc(v)?,
                RouterEnd::Border(b) => c.fact(b, |b| c.border(b))?,
            }
            if let Fact::Known(Some(o)) = i.opposite {
                c.router_interface(o)?;
            }
        }
        Ok(())
    }

    fn check_services(&self, c: &Checker<'_>) -> Result<(), String> {
        for x in &self.inspectors {
            c.ok("interface", x.interface.0, self.interfaces.len())?;
        }
        for d in &self.data_services {
            c.eni(d.interface)?;
            for e in &d.allow {
                if let AllowPeer::Group(g) = e.peer {
                    c.sg(g)?;
                }
            }
        }
        Ok(())
    }

    fn check_balancers(&self, c: &Checker<'_>) -> Result<(), String> {
        for b in &self.balancers {
            b.fronts.iter().try_for_each(|i| c.eni(*i))?;
            for f in b.listeners.iter().flat_map(|l| &l.forwards) {
                match f.to {
                    Backend::Interface(i) | Backend::Ipv6(i) => c.eni(i)?,
                    Backend::At(i, n) => {
                        c.eni(i)?;
                        // What is down has no addresses.
                        let all = self[i].addresses.len();
                        if all > 0 {
                            c.ok("address of an interface", n, all)?;
                        }
                    }
                    Backend::Ip(_) | Backend::Unknown(_) => {}
                }
            }
        }
        for to in self.strays.iter().flat_map(|s| &s.to) {
            if let Backend::Interface(i) | Backend::Ipv6(i) = *to {
                c.eni(i)?;
            }
        }
        Ok(())
    }

    fn check_perimeter(&self, c: &Checker<'_>) -> Result<(), String> {
        let eip = |e: EipId| c.ok("EIP", e.0, self.eips.len());
        for f in &self.firewalls {
            match &f.place {
                FirewallPlace::Internet => {}
                FirewallPlace::Nat { nat, routes } => {
                    c.nat(nat)?;
                    routes.iter().try_for_each(|(t, _)| c.table(t))?;
                }
                FirewallPlace::Vpc(at) => at.iter().try_for_each(|b| match b {
                    Boundary::Route { table, .. } => c.table(table),
                    Boundary::Vpc { vpc, .. } => c.vpc(vpc),
                    Boundary::Router(r) => c.fact(r, |r| c.router(r)),
                    Boundary::Unknown(_) => Ok(()),
                })?,
            }
            for p in f.rules.iter().flat_map(|r| r.source.iter().chain(&r.destination)) {
                if let FirewallPeer::Eip(e) = p {
                    eip(*e)?;
                }
            }
        }
        let origins = self.proxies.iter().flat_map(|p| &p.origins);
        for o in origins.chain(self.shields.iter().map(|s| &s.of)) {
            match o {
                ProxyOrigin::Eip(e) => eip(*e)?,
                ProxyOrigin::Interface(i) => c.eni(*i)?,
                ProxyOrigin::Ip(_) | ProxyOrigin::Unknown(_) => {}
            }
        }
        Ok(())
    }

    fn check_transit(&self, c: &Checker<'_>) -> Result<(), String> {
        for p in &self.peerings {
            c.vpc(&p.requester)?;
            c.vpc(&p.accepter)?;
        }
        for r in &self.transit_routers {
            c.ok(
                "table of a transit router",
                r.system_table.0,
                self.tr_tables.len(),
            )?;
        }
        for t in &self.tr_tables {
            c.fact(&t.router, |r| c.router(r))?;
        }
        for a in &self.attachments {
            c.fact(&a.router, |r| c.router(r))?;
            match &a.to {
                Attached::Vpc(v) => c.vpc(v)?,
                Attached::Peer(r) => c.fact(r, |r| c.router(r))?,
                Attached::Border(b) => c.fact(b, |b| c.border(b))?,
                Attached::Vpn(v) => c.fact(v, |v| c.connection(v))?,
                Attached::Unmodelled(..) | Attached::Nothing => {}
            }
            a.vswitches.iter().try_for_each(|v| c.vsw(v))?;
        }
        for l in self.tr_associations.iter().chain(&self.tr_propagations) {
            c.fact(&l.attachment, |a| c.attachment(a))?;
            c.tr_table(&l.table)?;
        }
        for r in &self.tr_routes {
            c.tr_table(&r.table)?;
            c.net(&r.destination)?;
            if let TrHop::Attachment(a) = r.hop {
                c.attachment(a)?;
            }
        }
        for p in &self.published_routes {
            c.table(&p.table)?;
        }
        for m in &self.route_maps {
            if let Some(t) = &m.table {
                c.tr_table(t)?;
            }
            for (vpcs, _) in m.sources.iter().chain(&m.destinations) {
                vpcs.iter().try_for_each(|v| c.vpc(v))?;
            }
        }
        Ok(())
    }
}
