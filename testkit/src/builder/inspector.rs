//! Endpoints of gateway load balancers.

use super::{InventoryBuilder, id, meta};
use bartizan_model::*;

impl InventoryBuilder {
    /// An endpoint of a gateway load balancer in a vSwitch, with appliances behind it.
    pub fn inspector(&mut self, name: &str, vswitch: VswitchId) -> InterfaceId {
        let m = meta("privatelink_vpc_endpoint", name);
        let interface = InterfaceId(id(self.t().interfaces.len()));
        self.t().interfaces.push(Interface {
            meta: m.clone(),
            instance: None,
            primary: false,
            vswitch: vswitch.into(),
            groups: Vec::new().into(),
            foreign_groups: Vec::new(),
            addresses: Vec::new(),
            source_dest_check: Some(false).into(),
            public: Vec::new(),
        });
        self.t().inspectors.push(Inspector {
            meta: m,
            interface,
            serves: true.into(),
        });
        interface
    }
}
