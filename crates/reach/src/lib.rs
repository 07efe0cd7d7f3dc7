//! The engine.
mod attribution;
mod certificate;
mod checker;
mod compile;
mod domain;
mod flow;
mod network;
mod point;
mod public;
mod reach;
mod rows;
mod shadow;
mod trace;
mod trace_text;
mod trace_walk;
mod trace_ways;
pub use attribution::{Crossing, Used};
use bartizan_packet::PortSet;
pub use certificate::{
    Certificate, Claim, End, Reason, Refutation, Uncertified, WayKind, Witness, certify, certify_claim, claim_between,
};
pub use checker::{CheckError, check_certificate, check_witness};
pub use compile::{CompileOptions, compile};
pub use domain::{Cell, Partition};
pub use flow::Flow;
pub use network::*;
pub use point::{Inside, Point, ReplyPort};
pub use reach::{Reach, Sizes, ip_of};
pub use shadow::{DeadReference, Shadow, ShadowKind, dead_references, shadowed};
pub use trace::{DecidedBy, Decision, Layer, Step, Trace, TracedPacket, WayTrace, trace};
pub use trace_text::{describe, describe_route};

/// Source ports that a client may use: replies must get back to all of them for `must` (ALIBABA.md §6).
#[must_use]
pub fn ephemeral_ports() -> PortSet {
    PortSet::range(1024, 65535)
}
