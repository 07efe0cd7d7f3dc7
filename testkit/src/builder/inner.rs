//! VPC NAT gateways.

use super::{InventoryBuilder, ip, net};
use bartizan_model::*;

impl InventoryBuilder {
    /// A VPC NAT gateway.
    pub fn vpc_nat(&mut self, name: &str, vpc: VpcId, vswitch: VswitchId) -> NatId {
        self.nat_gateway(name, vpc, vswitch, false)
    }

    /// A custom block of a VPC NAT gateway.
    pub fn nat_block(&mut self, nat: NatId, cidr: &str) -> &mut Self {
        self.t().nat_gateways[nat.index()].blocks.push(net(cidr).into());
        self
    }

    /// A NAT IP of a VPC NAT gateway.
    pub fn nat_ip(&mut self, nat: NatId, at: &str) -> &mut Self {
        self.t().nat_gateways[nat.index()].ips.push(ip(at).into());
        self
    }

    /// An SNAT entry to addresses as written.
    pub fn snat_to(&mut self, nat: NatId, source: SnatSource, ips: &[&str]) -> &mut Self {
        self.snat_entry(nat, source, ips.iter().map(|a| NatIp::Ip(ip(a))).collect())
    }

    /// A DNAT entry of an address as written.
    pub fn dnat_at(
        &mut self,
        nat: NatId,
        at: &str,
        protocol: DnatProtocol,
        ports: Option<PortMapping>,
        target: (InterfaceId, u32),
    ) -> &mut Self {
        self.dnat_entry(nat, NatIp::Ip(ip(at)), protocol, ports, target)
    }
}
