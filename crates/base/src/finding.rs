//! The one currency of every checker.

use crate::Label;
use serde::{Deserialize, Serialize};
use std::fmt;

/// How much a finding or diagnostic matters. Ordered: `Note < Warning < Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; never fails a run by default.
    Note,
    /// Probably wrong; fails a run only with `--fail-on warning`.
    Warning,
    /// Wrong.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// The answer to a claim. Undecided never counts as a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Proved.
    Holds,
    /// Could neither be proved nor refuted; the finding says why.
    Undecided,
    /// Refuted by a packet.
    Violated,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Holds => "holds",
            Verdict::Violated => "violated",
            Verdict::Undecided => "undecided",
        })
    }
}

/// One step of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The resource at which the step happens, as a Terraform address, or `internet`.
    pub at: String,
    /// The layer: `security group egress`, `network acl ingress`, `route`, `eip`, `nat`, ...
    pub layer: String,
    /// The rule, entry or default that decided, as text.
    pub rule: String,
    /// `accept`, `drop`, `forward`, `rewrite`, ...
    pub decision: String,
    /// Where the deciding rule is written.
    pub span: Option<crate::Span>,
}

/// The concrete packet of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessPacket {
    /// Name of the source: a zone and a resource, or `internet`.
    pub source: String,
    /// Source address as sent.
    pub source_ip: String,
    /// Name of the destination.
    pub destination: String,
    /// Destination address as delivered.
    pub destination_ip: String,
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `gre` or a protocol number.
    pub protocol: String,
    /// Source port where the protocol has ports.
    pub source_port: Option<u16>,
    /// Destination port where the protocol has ports.
    pub destination_port: Option<u16>,
}

/// One concrete packet with the steps it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The packet.
    pub packet: WitnessPacket,
    /// Steps of the request.
    pub path: Vec<Hop>,
    /// Steps of the reply.
    pub reply: Vec<Hop>,
}

/// Whether a fix can be applied without thought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixSafety {
    /// Machine-checked to lose no flow that the intent requires.
    Safe,
    /// May lose a required flow, or was not checked.
    Unsafe,
    /// Advice only.
    DisplayOnly,
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// One sentence.
    pub text: String,
    /// What applying it would break, one required flow per entry; empty when nothing.
    pub breaks: Vec<String>,
    /// Whether it was checked.
    pub safety: FixSafety,
}

/// One thing that a checker found. One finding per cause, never one per packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code, listed in [`crate::CODES`].
    pub code: &'static str,
    /// Kebab-case name of the code.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was decided.
    pub verdict: Verdict,
    /// One line, lower case, no full stop.
    pub message: String,
    /// Id of the clause or test it belongs to.
    pub clause: Option<String>,
    /// Ids of other clauses that the same cause breaks.
    pub also: Vec<String>,
    /// What it is about: a zone, a resource.
    pub subject: String,
    /// The packet that shows it.
    pub witness: Option<Witness>,
    /// Everything that is too much (or missing), as minimal boxes in words.
    pub excess: Vec<String>,
    /// Places, the first primary one is where to look.
    pub labels: Vec<Label>,
    /// The layers on the way with their decision, for the `layers` line.
    pub layers: Vec<(String, String)>,
    /// What to do.
    pub fix: Option<Fix>,
    /// Ids of contested semantics (ALIBABA.md §20) that the verdict leans on.
    pub assumptions: Vec<String>,
    /// More to know.
    pub notes: Vec<String>,
    /// Stable over runs and line shifts: a hash of code, clause and cause.
    pub fingerprint: String,
}

/// A stable fingerprint over the parts that identify a finding (FNV-1a, 128 bit, hex).
///
/// It is an identity, not a security measure: nothing is authenticated by it.
#[must_use]
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013B;
    let mut h: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for p in parts {
        for b in p.bytes().chain(std::iter::once(0)) {
            h ^= u128::from(b);
            h = h.wrapping_mul(PRIME);
        }
    }
    format!("{h:032x}")
}
