//! Compares an engine with the oracle on random networks.

use crate::describe::describe;
use crate::generate::{Features, random_inventory};
use crate::rng::Rng;
use crate::shrink::shrink;
use crate::universe::{Query, Universe};
use bartizan_model::{ASSUMPTIONS, Inventory, Readings};
use bartizan_oracle::{Options, Oracle};
use std::fmt;

/// What an engine says to a [`Query`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Whether the first packet arrives by some path.
    pub delivered: bool,
    /// Whether, of the paths by which it arrives, there is one whose reply gets back.
    pub reply: bool,
}

/// An engine that can be compared.
pub trait EngineUnderTest: Sync {
    /// One answer per query, in order, under decisions about contested semantics.
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer>;

    /// The same under the chosen readings of ALIBABA.md §20.
    fn check(&self, inv: &Inventory, queries: &[Query]) -> Vec<Answer> {
        self.under(inv, &Readings::chosen(), queries)
    }

    /// The readings of these under which it can be compared.
    fn able(&self, readings: Readings) -> Readings {
        readings
    }
}

/// Decisions about contested semantics: the chosen ones for every second network, else some of the others.
#[must_use]
pub fn random_readings(r: &mut Rng) -> Readings {
    let mut out = Readings::chosen();
    if r.chance(50) {
        return out;
    }
    for (i, a) in ASSUMPTIONS.iter().enumerate() {
        // The interpreter knows appliances that forward, and nothing of what is not modelled.
        let alone = a.id == "A-APPL-1" || a.id == "A-UNMODELLED";
        if a.readings.len() == 2 && !alone && r.chance(25) {
            out = out.with_second(i);
        }
    }
    out
}

/// The oracle as an engine: the reference.
pub struct OracleEngine;

impl EngineUnderTest for OracleEngine {
    fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
        let options = Options {
            readings: readings.clone(),
            ..Options::normative()
        };
        // An inventory that it cannot interpret has no answers, which a comparison reports.
        let Ok(o) = Oracle::new(inv, options) else {
            return Vec::new();
        };
        queries
            .iter()
            .map(|q| {
                let a = o.deliver(q.src, q.dst, q.proto, q.sport, q.dport);
                Answer {
                    delivered: a.delivered,
                    reply: a.reply,
                }
            })
            .collect()
    }
}

/// A packet about which engine and oracle differ.
#[derive(Clone, Debug)]
pub struct Disagreement {
    /// Which network of the run.
    pub index: u64,
    /// The packet, on the shrunk network.
    pub query: Query,
    /// The shrunk network.
    pub inventory: Inventory,
    /// What the oracle says there; `None` when it has no answer.
    pub oracle: Option<Answer>,
    /// What the engine says there; `None` when it has no answer.
    pub engine: Option<Answer>,
    /// The hops that the oracle follows.
    pub steps: Vec<String>,
    /// The second readings under which they differ.
    pub readings: Vec<String>,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "network {}: {}", self.index, self.query)?;
        writeln!(f, "oracle {:?}, engine {:?}", self.oracle, self.engine)?;
        if !self.readings.is_empty() {
            writeln!(f, "under {}", self.readings.join(", "))?;
        }
        for s in &self.steps {
            writeln!(f, "  oracle: {s}")?;
        }
        f.write_str(&describe(&self.inventory))
    }
}

/// The result of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Networks compared.
    pub networks: u64,
    /// Packets compared.
    pub packets: u64,
    /// Packets that arrive, according to the oracle.
    pub delivered: u64,
    /// Packets that arrive and whose reply gets back, according to the oracle.
    pub replied: u64,
    /// Packets about which the two differ.
    pub differing: u64,
    /// Networks with such a packet.
    pub networks_differing: u64,
    /// The first few of them, shrunk.
    pub disagreements: Vec<Disagreement>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} networks, {} packets ({} delivered, {} with a reply), {} disagreements in {} networks",
            self.networks,
            self.packets,
            self.delivered,
            self.replied,
            self.differing,
            self.networks_differing
        )?;
        self.disagreements.iter().try_for_each(|d| writeln!(f, "{d}"))
    }
}

/// How many disagreements are kept and shrunk.
const KEPT: usize = 10;
/// How many packets of one network are compared; smaller universes are compared whole.
const PACKETS: usize = 600;

/// Compares an engine with the oracle on `networks` random networks with every feature, on two threads. The
/// same seed gives the same networks, packets and report.
#[must_use]
pub fn verify(networks: u64, seed: u64, engine: &dyn EngineUnderTest) -> Report {
    verify_with(networks, seed, Features::all(), PACKETS, engine)
}

/// As [`verify`], with a choice of features and of the greatest number of packets per network.
#[must_use]
pub fn verify_with(
    networks: u64,
    seed: u64,
    features: Features,
    packets: usize,
    engine: &dyn EngineUnderTest,
) -> Report {
    const THREADS: u64 = 2;
    let work = |part: u64| {
        let mut report = Report::default();
        let mut found: Vec<(u64, Query)> = Vec::new();
        let mut index = part;
        while index < networks {
            compare(seed, index, features, packets, engine, &mut report, &mut found);
            index += THREADS;
        }
        (report, found)
    };
    let parts: Vec<_> = std::thread::scope(|s| {
        let handles: Vec<_> = (0..THREADS).map(|p| s.spawn(move || work(p))).collect();
        // A panic of the engine is a failure of the run and must not be hidden.
        handles
            .into_iter()
            .map(|h| h.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
            .collect()
    });
    let mut report = Report::default();
    let mut found = Vec::new();
    for (r, f) in parts {
        report.networks += r.networks;
        report.packets += r.packets;
        report.delivered += r.delivered;
        report.replied += r.replied;
        report.differing += r.differing;
        report.networks_differing += r.networks_differing;
        found.extend(f);
    }
    found.sort_unstable();
    let kept = found.into_iter().take(KEPT);
    report.disagreements = kept
        .map(|(i, q)| explain(seed, i, features, &q, engine))
        .collect();
    report
}

fn network(seed: u64, index: u64, features: Features) -> (Rng, Inventory) {
    let mut r = Rng::for_item(seed, index);
    let inv = random_inventory(&mut r, features);
    (r, inv)
}

/// Drawn apart from the network, so that networks do not depend on them.
fn readings_of(seed: u64, index: u64, features: Features, engine: &dyn EngineUnderTest) -> Readings {
    if !features.readings {
        return Readings::chosen();
    }
    let mut r = Rng::for_item(seed ^ 0x5EAD, index);
    engine.able(random_readings(&mut r))
}

fn compare(
    seed: u64,
    index: u64,
    features: Features,
    packets: usize,
    engine: &dyn EngineUnderTest,
    report: &mut Report,
    found: &mut Vec<(u64, Query)>,
) {
    let (mut r, inv) = network(seed, index, features);
    let queries = Universe::new(&inv).sample(&mut r, packets);
    let readings = readings_of(seed, index, features, engine);
    let truth = OracleEngine.under(&inv, &readings, &queries);
    let said = engine.under(&inv, &readings, &queries);
    report.networks += 1;
    report.packets += queries.len() as u64;
    report.delivered += truth.iter().filter(|a| a.delivered).count() as u64;
    report.replied += truth.iter().filter(|a| a.reply).count() as u64;
    let mut first = None;
    for (i, q) in queries.iter().enumerate() {
        // A missing answer differs from every answer, and from a missing one: nothing was compared.
        if truth.get(i).is_none() || truth.get(i) != said.get(i) {
            report.differing += 1;
            first = first.or(Some(*q));
        }
    }
    if let Some(q) = first {
        report.networks_differing += 1;
        if found.len() < KEPT {
            found.push((index, q));
        }
    }
}

fn explain(
    seed: u64,
    index: u64,
    features: Features,
    query: &Query,
    engine: &dyn EngineUnderTest,
) -> Disagreement {
    let (_, inv) = network(seed, index, features);
    let ask = |e: &dyn EngineUnderTest, i: &Inventory, r: &Readings, q: &Query| {
        e.under(i, r, &[*q]).first().copied()
    };
    let differs = |i: &Inventory, r: &Readings, q: &Query| {
        let truth = ask(&OracleEngine, i, r, q);
        truth.is_none() || truth != ask(engine, i, r, q)
    };
    let mut readings = readings_of(seed, index, features, engine);
    for i in 0..ASSUMPTIONS.len() {
        let less = readings.clone().with_first(i);
        if differs(&inv, &less, query) {
            readings = less;
        }
    }
    let (inventory, query) = shrink(&inv, query, &|i, q| differs(i, &readings, q));
    let (oracle, said) = (
        ask(&OracleEngine, &inventory, &readings, &query),
        ask(engine, &inventory, &readings, &query),
    );
    let seconds = readings
        .overrides()
        .into_iter()
        .zip(Readings::chosen().overrides());
    let seconds = seconds.filter(|(a, b)| a != b).map(|(a, _)| a).collect();
    let options = Options {
        explain: true,
        readings,
        ..Options::normative()
    };
    let mut steps = Vec::new();
    if let Ok(o) = Oracle::new(&inventory, options) {
        for p in o
            .deliver(query.src, query.dst, query.proto, query.sport, query.dport)
            .request_paths
        {
            steps.push(format!(
                "delivered {}, reply {}: {}",
                p.delivered,
                p.reply,
                p.steps.join("; ")
            ));
        }
    }
    Disagreement {
        index,
        query,
        inventory,
        oracle,
        engine: said,
        steps,
        readings: seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_model::Direction;

    #[test]
    fn the_generator_covers_both_verdicts() {
        let r = verify(400, 1, &OracleEngine);
        assert_eq!((r.networks, r.differing), (400, 0), "{r}");
        let percent = |n: u64| n * 100 / r.packets;
        assert!((5..=70).contains(&percent(r.delivered)), "{r}");
        assert!(r.replied < r.delivered, "{r}");
    }

    /// An engine with a planted fault: it takes rules for ordered by priority alone.
    struct Faulty;
    impl EngineUnderTest for Faulty {
        fn under(&self, inv: &Inventory, readings: &Readings, queries: &[Query]) -> Vec<Answer> {
            let mut inv = inv.clone();
            inv.typed.sg_rules.retain(|r| {
                r.direction.known() != Some(&Direction::Ingress) || r.priority.known() != Some(&100)
            });
            OracleEngine.under(&inv, readings, queries)
        }
    }

    #[test]
    fn a_fault_is_found_and_shrunk() {
        let r = verify(60, 3, &Faulty);
        assert!(r.differing > 0, "{r}");
        let d = &r.disagreements[0];
        assert_ne!(d.oracle, d.engine);
        assert!(d.inventory.typed.sg_rules.len() <= 4, "{d}");
        // Sites stay, because links name them.
        let t = &d.inventory.typed;
        assert!(t.interfaces.len() - t.sites.len() <= 4, "{d}");
    }

    #[test]
    fn a_run_depends_on_its_seed_only() {
        let text = |seed| verify(30, seed, &Faulty).to_string();
        assert_eq!(text(5), text(5));
        assert_ne!(text(5), text(6));
    }
}
