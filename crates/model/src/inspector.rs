//! Endpoints of gateway load balancers (ALIBABA.md §9.6).

use crate::{Fact, InterfaceId, Meta};
use serde::{Deserialize, Serialize};

/// An endpoint through which routes lead to the appliances behind a gateway load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspector {
    /// Identity.
    pub meta: Meta,
    /// The interface that stands for it: without addresses and groups, as it is nobody's destination.
    pub interface: InterfaceId,
    /// Whether appliances are behind it.
    pub serves: Fact<bool>,
}
