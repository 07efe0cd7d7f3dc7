//! The engine: who can reach whom, exactly, with reasons.
//!
//! [`compile`] resolves an inventory for packets, towards more traffic or towards less where something is not
//! known ([`Mode`]). [`Network::flow`] answers for two points and all services at once; [`Reach`] answers for
//! every pair of blocks of a [`Partition`]. Both are exact: a prefix that cuts a set of endpoints splits it.
//!
//! Answers have reasons. [`trace`] tells one packet hop by hop with the deciding rule of every layer and all
//! blockers; [`certify`] says why something is not reachable as data that [`check_certificate`] verifies
//! without the engine; [`shadowed`] finds the rules that never decide anything.
//!
//! No input or output, no clock, no randomness; nothing of Terraform or of the intent language.

mod attribution;
mod certificate;
mod checker;
mod checker_facts;
mod compile;
mod cross;
mod crossings;
mod domain;
mod exposure;
mod firewall;
mod flow;
pub mod hybrid;
mod incremental;
mod lookup;
mod matrix;
mod network;
mod point;
mod public;
mod reach;
mod relayed;
mod rows;
mod shadow;
mod shadow_firewall;
mod smt;
mod trace;
mod trace_cross;
mod trace_hybrid;
mod trace_text;
mod trace_walk;
mod trace_ways;
mod transit;
pub use attribution::Used;
use bartizan_packet::PortSet;
pub use certificate::{
    Certificate, Claim, End, Reason, Refutation, Uncertified, WayKind, Witness, certify, certify_claim,
    claim_between,
};
pub use checker::{CheckError, check_certificate, check_witness};
pub use compile::{CompileOptions, compile};
pub use crossings::Crossing;
pub use domain::{Cell, Partition};
pub use exposure::{Exposed, Open, PublicDoor};
pub use firewall::{FireList, FireRule, FirewallNet, NatFirewall, Perimeter, Side};
pub use flow::Flow;
pub use incremental::{Affected, Change, Live, Standing};
pub use network::*;
pub use point::{Inside, Point, ReplyPort};
pub use reach::{Reach, Sizes, ip_of};
pub use shadow::{DeadReference, Shadow, ShadowKind, dead_references, shadowed};
pub use smt::{SmtScript, smt_certificate, smt_exact};
pub use trace::{DecidedBy, Decision, Layer, Step, Trace, TracedPacket, WayTrace, trace};
pub use trace_text::{describe, describe_route};
pub use transit::*;

/// Source ports that a client may use: replies must get back to all of them for `must` (ALIBABA.md §6,
/// A-EPHEMERAL).
#[must_use]
pub fn client_ports(reading: bartizan_model::Use) -> PortSet {
    match reading {
        bartizan_model::Use::Second => PortSet::range(32768, 61000),
        _ => PortSet::range(1024, 65535),
    }
}
