//! NAT gateways and their entries (ALIBABA.md §8).

use super::plan::{Pick, Plan, Res, certain, known, unsupported};
use bartizan_model::{DnatProtocol, DnatTarget, EipTarget, NatIp, PortMapping, SnatSource, Typed};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub(crate) struct Snat {
    pub(crate) source: IpNet,
    pub(crate) ips: Pick<IpAddr>,
    /// Only for what is from the VPC itself: it names a vSwitch.
    pub(crate) local: bool,
}

pub(crate) struct Dnat {
    pub(crate) external: IpAddr,
    pub(crate) protocol: DnatProtocol,
    pub(crate) ports: Option<PortMapping>,
    pub(crate) target: IpAddr,
}

pub(crate) struct Nat {
    pub(crate) vpc: usize,
    pub(crate) vswitch: Option<usize>,
    pub(crate) internet: bool,
    pub(crate) ips: BTreeSet<IpAddr>,
    /// IP mappings that are ways out (A-NAT-3), then SNAT entries, the longest source first.
    pub(crate) snat: Vec<Snat>,
    pub(crate) dnat: Vec<Dnat>,
}

impl Plan {
    pub(crate) fn translations(&mut self, t: &Typed) -> Res<()> {
        for (at, n) in t.nat_gateways.iter().enumerate() {
            certain(&n.meta.origin)?;
            let internet = *known(&n.internet, "the kind of a NAT gateway")?;
            let vpc = known(&n.vpc, "the VPC of a NAT gateway")?.index();
            let vswitch = match &n.vswitch {
                Some(v) => Some(known(v, "the vSwitch of a NAT gateway")?.index()),
                None => None,
            };
            if vswitch.is_none() && (!internet || self.vpcs[vpc].gateway4.is_some()) {
                return unsupported("the vSwitch of a NAT gateway is not set");
            }
            let bound = |e: &&bartizan_model::Eip| {
                let here = |b: &EipTarget| matches!(b, EipTarget::Nat(n) if n.index() == at);
                e.bound.iter().any(here)
            };
            let mut ips: BTreeSet<IpAddr> = t
                .eips
                .iter()
                .filter(bound)
                .filter_map(|e| e.ip.known().copied())
                .collect();
            for ip in &n.ips {
                let ip = *known(ip, "a NAT IP")?;
                self.owned.insert(ip);
                ips.insert(ip);
            }
            self.nats.push(Nat {
                vpc,
                vswitch,
                internet,
                ips,
                snat: Vec::new(),
                dnat: Vec::new(),
            });
        }
        let mut found: Vec<(usize, IpNet, Vec<IpAddr>, bool)> = Vec::new();
        for s in &t.snat_entries {
            certain(&s.origin)?;
            let nat = known(&s.nat, "the NAT gateway of an SNAT entry")?.index();
            let mut local = false;
            let source = match &s.source {
                SnatSource::Vswitch(v) => {
                    local = true;
                    self.vswitches[known(v, "the source of SNAT")?.index()].nets[0]
                }
                SnatSource::Net(n) => known(n, "the source of SNAT")?.trunc(),
            };
            let mut ips = Vec::new();
            for ip in &s.ips {
                ips.extend(self.nat_ip(t, nat, ip)?);
            }
            match found.iter_mut().find(|f| (f.0, f.1, f.3) == (nat, source, local)) {
                Some(f) => f.2.extend(ips),
                None => found.push((nat, source, ips, local)),
            }
        }
        // Of two that are equally long both are possible for what is from the vSwitch.
        for at in 0..found.len() {
            let (nat, source, _, local) = found[at];
            let twin =
                |f: &(usize, IpNet, Vec<IpAddr>, bool)| local && (f.0, f.1, f.3) == (nat, source, false);
            if let Some(more) = found.iter().find(|f| twin(f)).map(|f| f.2.clone()) {
                found[at].2.extend(more);
            }
        }
        found.sort_by_key(|f| (std::cmp::Reverse(f.1.prefix_len()), !f.3));
        for (nat, source, ips, local) in found {
            let ips = self.pick(ips);
            self.nats[nat].snat.push(Snat { source, ips, local });
        }
        for d in &t.dnat_entries {
            certain(&d.origin)?;
            let nat = known(&d.nat, "the NAT gateway of a DNAT entry")?.index();
            let target = match &d.target {
                DnatTarget::Ip(ip) => *ip,
                DnatTarget::Interface(i, a) => match self.enis[i.index()].addresses.get(*a as usize) {
                    Some(a) => a.net.addr(),
                    None => return unsupported("a DNAT entry names an address that does not exist"),
                },
                DnatTarget::Unknown(_) => return unsupported("the target of DNAT is not known"),
            };
            let protocol = *known(&d.protocol, "the protocol of DNAT")?;
            let ports = *known(&d.ports, "the ports of DNAT")?;
            if let Some(external) = self.nat_ip(t, nat, &d.external)? {
                self.nats[nat].dnat.push(Dnat {
                    external,
                    protocol,
                    ports,
                    target,
                });
            }
        }
        if self.mappings_let_out {
            for at in 0..self.nats.len() {
                self.map_out(at);
            }
        }
        self.nat_ips()
    }

    /// A-NAT-3 (026): what a host of the VPC without a public address sends leaves by its IP mappings, before any entry.
    fn map_out(&mut self, at: usize) {
        let n = &self.nats[at];
        let mut by: BTreeMap<IpAddr, Vec<IpAddr>> = BTreeMap::new();
        for d in n
            .dnat
            .iter()
            .filter(|d| n.internet && d.protocol == DnatProtocol::Any)
        {
            let host = self.enis.iter().any(|e| {
                e.vpc == n.vpc && e.public.is_empty() && e.addresses.iter().any(|a| a.net.contains(&d.target))
            });
            if host && n.ips.contains(&d.external) {
                by.entry(d.target).or_default().push(d.external);
            }
        }
        for (host, ips) in by {
            let (source, local) = (IpNet::from(host), true);
            let ips = self.pick(ips);
            self.nats[at].snat.insert(0, Snat { source, ips, local });
        }
    }

    /// The address that a NAT entry names, if the gateway has it.
    fn nat_ip(&mut self, t: &Typed, nat: usize, n: &NatIp) -> Res<Option<IpAddr>> {
        match n {
            NatIp::Eip(e) => {
                let ip = *known(&t[*e].ip, "the address of an EIP")?;
                Ok(self.nats[nat].ips.contains(&ip).then_some(ip))
            }
            NatIp::Ip(ip) => {
                self.owned.insert(*ip);
                self.nats[nat].ips.insert(*ip);
                Ok(Some(*ip))
            }
            NatIp::Unknown(_) => unsupported("the address of a NAT entry is not known"),
        }
    }
}
