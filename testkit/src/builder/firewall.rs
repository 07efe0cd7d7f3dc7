//! Firewalls at the perimeter.

use super::{InventoryBuilder, id, meta, net, origin};
use bartizan_model::*;
use bartizan_packet::ServiceSet;

/// A policy in short.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// For the Internet boundary: from the Internet.
    pub inbound: bool,
    /// Its place, smallest first.
    pub order: u32,
    /// Whether it lets pass.
    pub pass: bool,
    /// Whether it names an application.
    pub deep: bool,
    /// Prefixes; none stand for addresses that nobody knows.
    pub source: &'a [&'a str],
    /// Prefixes; none stand for addresses that nobody knows.
    pub destination: &'a [&'a str],
}

impl InventoryBuilder {
    /// A firewall without policies that is on.
    pub fn firewall(&mut self, name: &str, place: FirewallPlace, strict: bool) -> FirewallId {
        self.t().firewalls.push(Firewall {
            meta: meta("cloud_firewall_instance", name),
            place,
            on: true.into(),
            strict: strict.into(),
            rules: Vec::new(),
        });
        FirewallId(id(self.t().firewalls.len() - 1))
    }

    /// A policy; the family is that of its prefixes.
    pub fn policy(&mut self, f: FirewallId, p: Policy<'_>, services: ServiceSet) -> &mut Self {
        let side = |all: &[&str]| -> Vec<FirewallPeer> {
            if all.is_empty() {
                return vec![FirewallPeer::Elsewhere("example.com".into())];
            }
            all.iter().map(|c| FirewallPeer::Net(net(c))).collect()
        };
        let six = p.source.iter().chain(p.destination).any(|c| c.contains(':'));
        let rule = FirewallRule {
            origin: origin(format!("alicloud_cloud_firewall_control_policy.p{}", p.order)),
            inbound: p.inbound.into(),
            ipv6: six.into(),
            order: p.order.into(),
            pass: p.pass.into(),
            active: true.into(),
            source: side(p.source),
            destination: side(p.destination),
            services: Fact::Known(services),
            deep: p.deep.into(),
        };
        self.t().firewalls[f.index()].rules.push(rule);
        self
    }
}
