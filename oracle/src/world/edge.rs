//! Interfaces with their addresses, and NAT gateways with their entries, as plain known values.

use super::{
    AddressW, DnatW, InterfaceW, NatW, PublicW, Res, ServiceW, SnatW, Unsupported, V6, World, exists, host,
    known,
};
use bartizan_model::{
    AddressKind, AddressSpec, AllowPeer, Assumption, DnatTarget, EipTarget, Ipv6Internet, NatIp, PublicKind,
    SnatSource, Typed,
};
use std::net::IpAddr;

impl World {
    /// Interfaces, their addresses and EIPs (§4, §7.4).
    pub(super) fn interfaces(&mut self, t: &Typed) -> Res<()> {
        for (i, e) in t.interfaces.iter().enumerate() {
            exists(&e.meta.origin)?;
            let name = e.meta.origin.address.to_string();
            let groups: Vec<usize> = known(&e.groups, "the groups of an interface")?
                .iter()
                .map(|g| g.index())
                .collect();
            if let Some(g) = e.foreign_groups.first() {
                return Err(Unsupported(format!(
                    "the rules of `{g}` are not in the inventory"
                )));
            }
            let service = service(t, i)?;
            let front = self.balancer_of(i).is_some();
            let inspector = t.inspectors.iter().find(|x| x.interface.index() == i);
            // 021, 4 and 5.
            let passes = match inspector {
                Some(x) => {
                    exists(&x.meta.origin)?;
                    let served = *known(&x.serves, "whether appliances are behind an endpoint")?;
                    Some(served && !self.second(Assumption::Gwlb1))
                }
                None => None,
            };
            let nobody = service.is_none() && !front && self.site_of(i).is_none() && inspector.is_none();
            if groups.is_empty() && nobody {
                return Err(Unsupported(format!("`{name}` has no security group")));
            }
            if groups
                .iter()
                .any(|g| self.groups[*g].enterprise != self.groups[groups[0]].enterprise)
            {
                return Err(Unsupported(format!("`{name}` mixes basic and enterprise groups")));
            }
            for &g in &groups {
                self.groups[g].members.push(i);
            }
            let mut addresses = Vec::new();
            for a in &e.addresses {
                let net = match &a.spec {
                    AddressSpec::Ip(ip) => host(*ip),
                    AddressSpec::Block(n) => n.trunc(),
                    AddressSpec::AnyV4(u) | AddressSpec::AnyV6(u) => {
                        return Err(Unsupported(format!(
                            "an address of `{name}` is not known ({})",
                            u.why
                        )));
                    }
                };
                let v6 = match &a.ipv6_internet {
                    Ipv6Internet::None => V6::Private,
                    Ipv6Internet::Both(o) => exists(o).map(|()| V6::Both)?,
                    Ipv6Internet::EgressOnly(o) => exists(o).map(|()| V6::EgressOnly)?,
                    Ipv6Internet::Unknown(u) => {
                        return Err(Unsupported(format!(
                            "IPv6 bandwidth of `{name}` is not known ({})",
                            u.why
                        )));
                    }
                };
                let primary = matches!(a.kind, AddressKind::Primary | AddressKind::Ipv6);
                addresses.push(AddressW { net, v6, primary });
            }
            let mut public = Vec::new();
            for p in &e.public {
                exists(&p.origin)?;
                let ip = *known(&p.ip, "a public address")?;
                self.owned.push(ip);
                public.push(PublicW {
                    ip,
                    private: p.private as usize,
                });
            }
            let vswitch = known(&e.vswitch, "the vSwitch of an interface")?.index();
            self.interfaces.push(InterfaceW {
                name,
                service,
                vpc: self.vswitches[vswitch].vpc,
                vswitch,
                groups,
                addresses,
                // 018, 16.
                source_dest_check: match passes {
                    Some(yes) => !yes,
                    None => known(&e.source_dest_check, "a source/destination check")?
                        .unwrap_or(self.second(Assumption::Sdc1)),
                },
                inspects: inspector.is_some(),
                public,
                // A balancer in no vSwitch has no private address.
                binded: self.detached(i) || e.public.iter().any(|p| p.kind == PublicKind::EipBinded),
            });
        }
        for h in &t.ha_vips {
            exists(&h.meta.origin)?;
            let members = h
                .members
                .iter()
                .map(|m| Ok(known(m, "a member of a HaVip")?.index()));
            self.ha_vips.push(members.collect::<Res<_>>()?);
        }
        for e in &t.eips {
            exists(&e.meta.origin)?;
            let ip = *known(&e.ip, "the address of an EIP")?;
            self.owned.push(ip);
            for b in &e.bound {
                match b {
                    // Listed on the interface itself.
                    EipTarget::Interface(_) | EipTarget::Nat(_) => {}
                    EipTarget::HaVip(h) => self.ha_vip_eip(t, h.index(), ip)?,
                    EipTarget::Unmodelled(_) => {}
                    EipTarget::Unknown(u) => {
                        return Err(Unsupported(format!(
                            "the binding of an EIP is not known ({})",
                            u.why
                        )));
                    }
                }
            }
        }
        Ok(())
    }

    /// An EIP on a HaVip is a public address of whichever member holds it (§3.5, §4.1).
    fn ha_vip_eip(&mut self, t: &Typed, h: usize, ip: IpAddr) -> Res<()> {
        let private = host(*known(&t.ha_vips[h].ip, "the address of a HaVip")?);
        for &m in &self.ha_vips[h] {
            let i = &mut self.interfaces[m];
            if let Some(at) = i.addresses.iter().position(|a| a.net == private)
                && !i.public.iter().any(|p| p.ip == ip)
            {
                i.public.push(PublicW { ip, private: at });
            }
        }
        Ok(())
    }

    /// NAT gateways and their entries (§8).
    pub(super) fn nats(&mut self, t: &Typed) -> Res<()> {
        for n in &t.nat_gateways {
            exists(&n.meta.origin)?;
            let vpc = known(&n.vpc, "the VPC of a NAT gateway")?.index();
            let vswitch = match &n.vswitch {
                Some(v) => Some(known(v, "the vSwitch of a NAT gateway")?.index()),
                None => None,
            };
            let name = n.meta.origin.address.to_string();
            let internet = *known(&n.internet, "the network type of a NAT gateway")?;
            if vswitch.is_none() && (self.vpcs[vpc].gateway4.is_some() || !internet) {
                return Err(Unsupported(format!("the vSwitch of `{name}` is not set")));
            }
            let ips = n.ips.iter().map(|i| Ok(*known(i, "a NAT IP")?));
            let ips = ips.collect::<Res<_>>()?;
            let blocks = n.blocks.iter().map(|b| Ok(known(b, "a NAT block")?.trunc()));
            let blocks = blocks.collect::<Res<_>>()?;
            self.nats.push(NatW {
                name,
                vpc,
                vswitch,
                internet,
                ips,
                blocks,
                snat: Vec::new(),
                dnat: Vec::new(),
            });
        }
        for s in &t.snat_entries {
            exists(&s.origin)?;
            let nat = known(&s.nat, "the NAT gateway of an SNAT entry")?.index();
            let (source, vswitch) = match &s.source {
                SnatSource::Vswitch(v) => {
                    let v = known(v, "the source of an SNAT entry")?.index();
                    (self.vswitches[v].cidr, Some(v))
                }
                SnatSource::Net(n) => (*known(n, "the source of an SNAT entry")?, None),
            };
            let mut ips = Vec::new();
            for ip in &s.ips {
                ips.extend(self.nat_ip(t, nat, ip)?);
            }
            self.nats[nat].ips.extend(&ips);
            self.nats[nat].snat.push(SnatW {
                source: source.trunc(),
                vswitch,
                ips,
            });
        }
        for d in &t.dnat_entries {
            exists(&d.origin)?;
            let nat = known(&d.nat, "the NAT gateway of a DNAT entry")?.index();
            let protocol = *known(&d.protocol, "the protocol of a DNAT entry")?;
            let ports = *known(&d.ports, "the ports of a DNAT entry")?;
            let target = match &d.target {
                DnatTarget::Ip(ip) => *ip,
                DnatTarget::Interface(i, a) => match self.interfaces[i.index()].addresses.get(*a as usize) {
                    Some(a) => a.net.addr(),
                    None => {
                        return Err(Unsupported(
                            "a DNAT entry names an address that does not exist".into(),
                        ));
                    }
                },
                DnatTarget::Unknown(u) => {
                    return Err(Unsupported(format!(
                        "the target of a DNAT entry is not known ({})",
                        u.why
                    )));
                }
            };
            if let Some(external) = self.nat_ip(t, nat, &d.external)? {
                self.nats[nat].ips.push(external);
                self.nats[nat].dnat.push(DnatW {
                    external,
                    protocol,
                    ports,
                    target,
                });
            }
        }
        Ok(())
    }

    /// The address that a NAT entry names, if it belongs to that NAT gateway.
    fn nat_ip(&mut self, t: &Typed, nat: usize, n: &NatIp) -> Res<Option<IpAddr>> {
        match n {
            NatIp::Eip(e) => {
                let eip = &t[*e];
                let here = |b: &EipTarget| matches!(b, EipTarget::Nat(n) if n.index() == nat);
                let ip = *known(&eip.ip, "the address of an EIP")?;
                Ok(eip.bound.iter().any(here).then_some(ip))
            }
            NatIp::Ip(ip) => {
                self.owned.push(*ip);
                Ok(Some(*ip))
            }
            NatIp::Unknown(u) => Err(Unsupported(format!(
                "the address of a NAT entry is not known ({})",
                u.why
            ))),
        }
    }
}

/// The allow list of the managed service that answers at an interface (§15).
fn service(t: &Typed, interface: usize) -> Res<Option<ServiceW>> {
    let Some(d) = t.data_services.iter().find(|d| d.interface.index() == interface) else {
        return Ok(None);
    };
    if !d.also.is_empty() {
        return Err(Unsupported(
            "a data service may answer on more ports than are certain".to_string(),
        ));
    }
    let mut s = ServiceW {
        services: known(&d.services, "the port of a data service")?.clone(),
        nets: Vec::new(),
        groups: Vec::new(),
    };
    for e in &d.allow {
        exists(&e.origin)?;
        match &e.peer {
            AllowPeer::Net(n) => s.nets.push(n.trunc()),
            AllowPeer::Group(g) => s.groups.push(g.index()),
            AllowPeer::ForeignGroup(g) => {
                return Err(Unsupported(format!(
                    "the members of `{g}` are not in the inventory"
                )));
            }
            AllowPeer::Unknown(u) => {
                return Err(Unsupported(format!(
                    "an entry of an allow list is not known ({})",
                    u.why
                )));
            }
        }
    }
    Ok(Some(s))
}
