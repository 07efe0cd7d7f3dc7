//! An independent packet-at-a-time interpreter of ALIBABA.md, for tests.
//!
//! [`Oracle`] answers one question: does the first packet of a flow, sent by one endpoint to reach another,
//! arrive by any possible path, and does the reply get back? It takes one concrete packet and follows it
//! hop by hop, exactly as the sections of ALIBABA.md describe; every function names its section. It knows
//! nothing of packet sets, atoms or proofs and shares no code with the engine, so that the two can be
//! compared. It works on inventories in which everything is known and says [`Unsupported`] otherwise.
//!
//! Cost: a few microseconds per packet; linear in rules, entries and routes.
//!
//! What is out of scope is listed in the README of this crate.

mod acl;
mod balancer;
mod firewall;
mod forward;
mod group;
mod hybrid;
mod inner;
mod internet;
#[cfg(target_os = "linux")]
pub mod kernel;
mod oracle;
mod rib;
mod route;
mod transit;
mod world;

pub use oracle::{Endpoint, GatewayRoutes, Options, Oracle, Outcome, Path, PublicProtocols, Trails};
pub use world::Unsupported;
