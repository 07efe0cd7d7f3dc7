//! Load balancers.

use super::{InventoryBuilder, id, ip, meta, net, origin};
use bartizan_model::*;
use bartizan_packet::ServiceSet;

impl InventoryBuilder {
    /// A balancer with fronts at addresses of vSwitches.
    pub fn balancer(
        &mut self,
        name: &str,
        kind: BalancerKind,
        fronts: &[(VswitchId, &str)],
        groups: &[SecurityGroupId],
    ) -> BalancerId {
        let m = match kind {
            BalancerKind::Endpoint => meta("privatelink_vpc_endpoint", name),
            _ => meta(&format!("{}_load_balancer", kind.name().to_lowercase()), name),
        };
        let mut groups = groups.to_vec();
        groups.sort_unstable();
        let fronts = fronts.iter().map(|(vswitch, at)| {
            self.t().interfaces.push(Interface {
                meta: m.clone(),
                instance: None,
                primary: true,
                vswitch: (*vswitch).into(),
                groups: Fact::Known(groups.clone()),
                foreign_groups: Vec::new(),
                addresses: vec![Address {
                    spec: AddressSpec::Ip(ip(at)),
                    kind: AddressKind::Primary,
                    ipv6_internet: Ipv6Internet::None,
                }],
                source_dest_check: Fact::Known(Some(true)),
                public: Vec::new(),
            });
            InterfaceId(id(self.t().interfaces.len() - 1))
        });
        let fronts = fronts.collect();
        self.t().balancers.push(Balancer {
            meta: m,
            kind,
            fronts,
            detached: false,
            listeners: Vec::new(),
        });
        BalancerId(id(self.t().balancers.len() - 1))
    }

    /// A CLB that is in no vSwitch, with a public address; `beside` is a vSwitch of its backends.
    pub fn detached_balancer(&mut self, name: &str, beside: VswitchId, public: &str) -> BalancerId {
        let b = self.balancer(name, BalancerKind::Clb, &[(beside, public)], &[]);
        self.t().balancers[b.index()].detached = true;
        let front = self.typed()[b].fronts[0];
        self.static_ip(front, public);
        b
    }

    /// A CLB of IPv6: it is in no vSwitch and has a public IPv6 address alone.
    pub fn detached_ipv6_balancer(&mut self, name: &str, beside: VswitchId, public: &str) -> BalancerId {
        let b = self.balancer(name, BalancerKind::Clb, &[(beside, public)], &[]);
        self.t().balancers[b.index()].detached = true;
        let front = self.typed()[b].fronts[0];
        let i = &mut self.t().interfaces[front.index()];
        let here = i.meta.origin.clone();
        for a in &mut i.addresses {
            a.kind = AddressKind::Ipv6;
            a.ipv6_internet = Ipv6Internet::Both(here.clone());
        }
        b
    }

    /// An endpoint of PrivateLink for a service whose resource is a balancer, as it listens by now (016, items 1 and 2).
    pub fn endpoint(
        &mut self,
        name: &str,
        service: BalancerId,
        fronts: &[(VswitchId, &str)],
        groups: &[SecurityGroupId],
    ) -> BalancerId {
        let e = self.balancer(name, BalancerKind::Endpoint, fronts, groups);
        let offered = self.typed()[service].clone();
        for l in &offered.listeners {
            let n = self.listener(e, l.services.known().cloned().unwrap_or_default());
            for f in &offered.fronts {
                self.backend(e, n, Backend::Interface(*f), None, false);
            }
        }
        e
    }

    /// A listener without access list and backends.
    pub fn listener(&mut self, b: BalancerId, services: ServiceSet) -> usize {
        let b = &mut self.t().balancers[b.index()];
        b.listeners.push(Listener {
            origin: origin(format!("{}_listener", b.meta.origin.address)),
            services: Fact::Known(services),
            filter: Fact::Known(None),
            forwards: Vec::new(),
        });
        b.listeners.len() - 1
    }

    /// Turns the access list of a listener on.
    pub fn access_list(&mut self, b: BalancerId, listener: usize, white: bool, cidrs: &[&str]) -> &mut Self {
        let l = &mut self.t().balancers[b.index()].listeners[listener];
        let origin = l.origin.clone();
        l.filter = Fact::Known(Some(ListenerFilter {
            white: white.into(),
            entries: cidrs
                .iter()
                .map(|c| FilterEntry {
                    origin: origin.clone(),
                    net: Fact::Known(net(c)),
                })
                .collect(),
        }));
        self
    }

    /// A backend of a listener; without services for what was sent.
    pub fn backend(
        &mut self,
        b: BalancerId,
        listener: usize,
        to: Backend,
        services: Option<ServiceSet>,
        preserves: bool,
    ) -> &mut Self {
        let l = &mut self.t().balancers[b.index()].listeners[listener];
        let origin = l.origin.clone();
        l.forwards.push(Forward {
            origin,
            to,
            services: Fact::Known(services),
            preserves: preserves.into(),
        });
        self
    }
}
