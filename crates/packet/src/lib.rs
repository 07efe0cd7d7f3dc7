//! Exact sets of packets.
//!
//! A packet is (source address, destination address, source port, service), where the *service* is a
//! protocol with its destination port or its ICMP type and code. Each dimension has a canonical set type
//! ([`IpSet`], [`PortSet`], [`ServiceSet`]), so equality of sets is equality of values; [`PacketSet`] is a
//! union of boxes over the four dimensions. [`ServiceAtoms`] cuts the service dimension into the few
//! hundred classes that a network can tell apart, and [`AtomSet`] is a bit set over them.
//!
//! This crate knows nothing of clouds, rules or zones.
//!
//! ```
//! use bartizan_packet::ServiceSet;
//! let wide: ServiceSet = "tcp/8000-9000".parse().unwrap();
//! let meant: ServiceSet = "tcp/8080".parse().unwrap();
//! assert_eq!(wide.subtract(&meant).to_string(), "tcp/8000-8079, tcp/8081-9000");
//! ```
//!
//! Cost: every operation on the one-dimensional sets is linear in the number of intervals; operations on
//! [`PacketSet`] multiply the number of boxes and are for explanations, not for the engine's inner loop.

mod atoms;
mod interval;
mod ip_set;
mod packet;
mod packet_set;
mod service;

pub use atoms::{AtomSet, ServiceAtoms};
pub use interval::{Bound, IntervalSet};
pub use ip_set::IpSet;
pub use packet::{Packet, ParsePacketError};
pub use packet_set::{Cube, PacketSet};
pub use service::{ParseServiceError, Proto, ServiceSet};

/// A set of ports.
pub type PortSet = IntervalSet<u16>;
