//! Why a packet gets through, or what stops it.

use super::change::{Change, blocking, closing};
use super::unblock::{Wanted, opening};
use super::{Frame, Subject};
use crate::names;
use crate::plan::Claim as Kind;
use crate::world::World;
use bartizan_base::{Diagnostic, Hop};
use bartizan_packet::{AtomSet, ServiceSet};
use bartizan_reach::{Decision, Point, trace};

/// The answer for a pair of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// Request and reply get through.
    Works,
    /// The request gets through and the reply does not.
    ReplyDropped,
    /// It depends on a value that is not known.
    Unknown,
    /// The request does not get through.
    Blocked,
}

/// One step of a packet.
#[derive(Clone, Debug)]
pub struct Step {
    /// Where, which layer, which rule.
    pub hop: Hop,
    /// Whether the packet passes here, whatever happens elsewhere.
    pub open: bool,
}

/// One way of a packet.
#[derive(Clone, Debug)]
pub struct Way {
    /// What kind of way.
    pub name: String,
    /// The request; goes on behind what blocks it, so that every blocker is there.
    pub request: Vec<Step>,
    /// The reply.
    pub reply: Vec<Step>,
    /// Whether the request arrives.
    pub delivered: bool,
    /// Whether the reply gets back, too.
    pub works: bool,
}

/// One packet that stands for all pairs with the same answer.
#[derive(Clone, Debug)]
pub struct Case {
    /// The answer.
    pub answer: Answer,
    /// Name and address of the source.
    pub source: (String, String),
    /// Name and address of the destination.
    pub destination: (String, String),
    /// The packet's protocol.
    pub protocol: String,
    /// Its ports, where the protocol has ports.
    pub ports: Option<(u16, u16)>,
    /// The services that have this answer for this pair.
    pub services: ServiceSet,
    /// How many further pairs of kinds of endpoints have the same answer.
    pub others: usize,
    /// The ways, the most telling first.
    pub ways: Vec<Way>,
    /// The independent layers that block the way which the fewest block.
    pub blocking: Vec<String>,
    /// The smallest change that opens what is blocked or closes what is open, where one was found by trying.
    pub change: Option<Change>,
    /// Why there is none.
    pub no_change: Option<String>,
}

/// A clause that speaks about the packet.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its id.
    pub id: String,
    /// As written.
    pub text: String,
    /// Whether it opens (`allow`, `must`, `only`) or forbids.
    pub opens: bool,
    /// Whether it is in force.
    pub in_force: bool,
}

/// The answer to `why`.
#[derive(Clone, Debug)]
pub struct Why {
    /// The source, as asked.
    pub source: String,
    /// The destination, as asked.
    pub destination: String,
    /// The services asked about.
    pub services: ServiceSet,
    /// One case per kind of answer that occurs, in the order of [`Answer`]; more than one when pairs differ.
    pub cases: Vec<Case>,
    /// Clauses of the intent about this.
    pub claims: Vec<Claim>,
    /// Whether some pairs were left out to bound the effort.
    pub truncated: bool,
}

const CLIENT_PORT: u16 = 32768;
const MAX_PAIRS: usize = 100_000;

/// Explains packets of some services from one subject to another.
///
/// # Errors
/// When one side has no endpoint.
pub fn why(f: &Frame<'_>, from: &Subject, to: &Subject, services: &ServiceSet) -> Result<Why, Diagnostic> {
    let asked: Vec<ServiceSet> = std::iter::once(services.clone())
        .chain(f.plan.clauses.iter().map(|c| c.services.clone()))
        .collect();
    let w = f.world(&[from, to], &asked);
    let n = f.plan.sets.len();
    let (sources, targets) = (f.inhabited(&w, n, from)?, f.inhabited(&w, n + 1, to)?);
    let want = w.atoms(services);
    let mut found: Vec<(Answer, Point, Point, AtomSet, usize)> = Vec::new();
    let mut pairs = 0;
    for &a in &sources {
        for &b in &targets {
            w.may.each_pair(a, b, |s, d, flow| {
                pairs += 1;
                let sure = w.sure.network().flow(s, d);
                let got = flow.delivered.intersect(&want);
                let certain = sure.delivered.intersect(&want);
                let works = sure.works.intersect(&want);
                let back = flow.works.intersect(&want);
                let parts = [
                    (Answer::Works, works.clone()),
                    (Answer::ReplyDropped, certain.subtract(&back)),
                    (
                        Answer::Unknown,
                        got.subtract(&works).subtract(&certain.subtract(&back)),
                    ),
                    (Answer::Blocked, want.subtract(&got)),
                ];
                for (answer, atoms) in parts.into_iter().filter(|p| !p.1.is_empty()) {
                    match found.iter_mut().find(|x| x.0 == answer) {
                        Some(x) => x.4 += 1,
                        None => found.push((answer, s, d, atoms, 0)),
                    }
                }
                pairs < MAX_PAIRS
            });
        }
    }
    found.sort_by_key(|x| x.0);
    if found.is_empty() {
        return Err(Diagnostic::error("INTENT009", format!("no packet goes from `{}` to `{}`", from.name, to.name))
            .help("both ends are the same endpoint, both are outside of the network, or one is IPv4 and the other IPv6"));
    }
    let cases = found.into_iter().filter_map(|x| case(f, &w, x)).collect();
    Ok(Why {
        source: from.name.clone(),
        destination: to.name.clone(),
        services: services.clone(),
        cases,
        claims: claims(f, &w, &sources, &targets, &want),
        truncated: pairs >= MAX_PAIRS,
    })
}

fn case(f: &Frame<'_>, w: &World<'_>, x: (Answer, Point, Point, AtomSet, usize)) -> Option<Case> {
    let (answer, s, d, atoms, others) = x;
    let services = w.services(&atoms);
    let (proto, port) = services.first()?;
    let step = |s: &bartizan_reach::Step| Step {
        hop: Hop {
            at: s.at.to_string(),
            layer: s.layer.to_string(),
            rule: s.rule.clone(),
            decision: match &s.decision {
                Decision::Accept => "accept".to_string(),
                Decision::Drop => "drop".to_string(),
                Decision::Forward => "forward".to_string(),
                Decision::Rewrite(to) => format!("rewrite {to}"),
            },
            span: s.origin.as_ref().map(|o| o.span),
        },
        open: s.open,
    };
    let t = trace(w.network(), w.inventory, s, d, proto, CLIENT_PORT, port);
    let change = match answer {
        Answer::Works => closing(f, (s, d), &services),
        Answer::Blocked | Answer::ReplyDropped => {
            let packet = Wanted {
                from: s,
                to: d,
                proto,
                client_port: CLIENT_PORT,
                port,
                services: &services,
            };
            opening(f, &packet)
        }
        Answer::Unknown => Err("what it depends on has to be known first".to_string()),
    };
    let (change, no_change) = match change {
        Ok(c) => (Some(c), None),
        Err(why) => (None, Some(why)),
    };
    let ways = t
        .ways
        .iter()
        .map(|w| Way {
            name: w.name.clone(),
            request: w.request.iter().map(step).collect(),
            reply: w.reply.iter().map(step).collect(),
            delivered: w.delivered,
            works: w.works,
        })
        .collect();
    Some(Case {
        answer,
        source: names::point(w, &f.plan, s),
        destination: names::point(w, &f.plan, d),
        protocol: proto.to_string(),
        ports: proto.has_ports().then_some((CLIENT_PORT, port)),
        services,
        others,
        ways,
        blocking: if answer == Answer::Blocked {
            blocking(&t.ways)
        } else {
            Vec::new()
        },
        change,
        no_change,
    })
}

fn claims(f: &Frame<'_>, w: &World<'_>, from: &[u32], to: &[u32], want: &AtomSet) -> Vec<Claim> {
    let touches = |blocks: &[u32], set: usize| blocks.iter().any(|&b| w.in_set(b, set));
    f.plan
        .clauses
        .iter()
        .filter(|c| touches(from, c.from) && touches(to, c.to) && w.atoms(&c.services).intersects(want))
        .map(|c| Claim {
            id: c.id.clone(),
            text: c.text.clone(),
            opens: matches!(c.claim, Kind::Allow | Kind::Must | Kind::MustSome | Kind::Only),
            in_force: c.active,
        })
        .collect()
}
