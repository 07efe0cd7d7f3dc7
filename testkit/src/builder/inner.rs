//! VPC NAT gateways.

use super::{InventoryBuilder, ip, net, origin};
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
        let n = self.t().snat_entries.len();
        self.t().snat_entries.push(SnatEntry {
            origin: origin(format!("alicloud_snat_entry.s{n}")),
            nat: nat.into(),
            source,
            ips: ips.iter().map(|a| NatIp::Ip(ip(a))).collect(),
        });
        self
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
        let n = self.t().dnat_entries.len();
        self.t().dnat_entries.push(DnatEntry {
            origin: origin(format!("alicloud_forward_entry.d{n}")),
            nat: nat.into(),
            external: NatIp::Ip(ip(at)),
            protocol: protocol.into(),
            ports: ports.into(),
            target: DnatTarget::Interface(target.0, target.1),
        });
        self
    }
}
