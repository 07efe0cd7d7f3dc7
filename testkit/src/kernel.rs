//! Compares an engine with the Linux kernel: the same random networks as [`crate::verify`], built as network
//! namespaces in which real packets are sent (`bartizan_oracle::kernel`).

use crate::describe::describe;
use crate::generate::{Features, open_inventory, random_inventory};
use crate::rng::Rng;
use crate::shrink::shrink;
use crate::tries::{Try, settle};
use crate::universe::{Query, Universe};
use crate::vectors::{Vector, run};
use crate::verify::{Answer, EngineUnderTest};
use bartizan_model::{Assumption, Inventory, Readings};
use bartizan_oracle::kernel::{KernelError, Network, Probe, Verdict, usable};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How long nothing has to be heard before a packet counts as lost.
const QUIET: Duration = Duration::from_millis(15);
/// The same where a packet was not heard that an engine says arrives: the machine may have been busy.
const SURE: Duration = Duration::from_millis(250);
/// How many times that for what is still not heard then.
const MORE: u32 = 5;
/// The same while a disagreement is shrunk: many networks are tried.
const FAIRLY_SURE: Duration = Duration::from_millis(80);
/// How many disagreements are kept and shrunk.
const KEPT: usize = 3;

/// A packet about which engine and kernel differ.
#[derive(Clone, Debug)]
pub struct KernelDisagreement {
    /// Which network of the run.
    pub index: u64,
    /// What was decided about contested semantics.
    pub readings: Readings,
    /// The packet, on the shrunk network.
    pub query: Query,
    /// The shrunk network.
    pub inventory: Inventory,
    /// What was seen in the kernel.
    pub kernel: Option<Answer>,
    /// What the engine says.
    pub engine: Option<Answer>,
}

/// The result of a comparison.
#[derive(Clone, Debug, Default)]
pub struct KernelReport {
    /// Networks built and compared.
    pub networks: u64,
    /// Networks that the kernel cannot be made to show, by reason.
    pub unsupported: BTreeMap<String, u64>,
    /// Questions asked of both.
    pub probes: u64,
    /// Questions that packets cannot show, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Packets sent, answers included.
    pub packets: u64,
    /// Questions whose packet arrived in the kernel.
    pub delivered: u64,
    /// Questions whose answer got back in the kernel.
    pub replied: u64,
    /// Questions that were put to a network built anew, as the first one had lost something the engine says arrives.
    pub anew: u64,
    /// Questions about which the two differ.
    pub differing: u64,
    /// The first few of them, shrunk.
    pub disagreements: Vec<KernelDisagreement>,
    /// What went wrong with the machine, if anything: the run ended there.
    pub failure: Option<String>,
}

impl fmt::Display for KernelReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} networks in the kernel, {} packets sent for {} questions ({} delivered, {} with a reply), {} asked again on a network built anew, {} disagreements",
            self.networks, self.packets, self.probes, self.delivered, self.replied, self.anew, self.differing
        )?;
        for (why, n) in &self.unsupported {
            writeln!(f, "  {n} networks not built: {why}")?;
        }
        for (why, n) in &self.skipped {
            writeln!(f, "  {n} questions not asked: {why}")?;
        }
        for d in &self.disagreements {
            writeln!(f, "network {}: {}", d.index, d.query)?;
            writeln!(f, "kernel {:?}, engine {:?}", d.kernel, d.engine)?;
            let chosen = Readings::chosen().overrides();
            for r in d.readings.overrides().iter().filter(|r| !chosen.contains(r)) {
                writeln!(f, "{r}")?;
            }
            f.write_str(&describe(&d.inventory))?;
        }
        match &self.failure {
            Some(e) => writeln!(f, "stopped: {e}"),
            None => Ok(()),
        }
    }
}

fn probe(q: &Query) -> Probe {
    Probe {
        src: q.src,
        dst: q.dst,
        proto: q.proto,
        sport: q.sport,
        dport: q.dport,
    }
}

/// What the kernel was seen to do.
struct Seen {
    /// What was seen of each query; `None` for one that could not be sent.
    answers: Vec<Option<Answer>>,
    /// Why some could not be sent.
    skipped: Vec<String>,
    /// Packets sent.
    packets: u64,
    /// How many queries were put to a network built anew.
    anew: u64,
}

/// Asks the kernel. What is not seen as `expected` is asked again with more patience, and once more of a network that
/// is built anew.
fn ask(
    (inv, readings): (&Inventory, &Readings),
    queries: &[Query],
    expected: &[Answer],
    patience: Duration,
) -> Result<Seen, KernelError> {
    let mut net = Network::under(inv, readings)?;
    let probes: Vec<Probe> = queries.iter().map(probe).collect();
    let mut skipped = Vec::new();
    let mut read = |verdicts: Vec<Verdict>| -> Vec<Option<Answer>> {
        let one = |v| match v {
            Verdict::Seen { delivered, reply } => Some(Answer { delivered, reply }),
            Verdict::Skipped(reason) => {
                skipped.push(reason);
                None
            }
        };
        verdicts.into_iter().map(one).collect()
    };
    let mut answers = read(net.ask(&probes, QUIET)?);
    let mut before = 0;
    let anew = settle(expected, &mut answers, |by, which| {
        let patience = match by {
            Try::Slower => patience,
            Try::Slowest | Try::Anew => patience * MORE,
        };
        if by == Try::Anew {
            before = net.packets();
            net = Network::under(inv, readings)?;
        }
        let some: Vec<Probe> = which.iter().map(|i| probes[*i]).collect();
        Ok(read(net.ask(&some, patience)?))
    })?;
    Ok(Seen {
        packets: before + net.packets(),
        answers,
        skipped,
        anew,
    })
}

/// What became of the vectors in the kernel.
#[derive(Clone, Debug, Default)]
pub struct KernelVectors {
    /// Vectors of which every probe that packets can show was sent and seen as expected, by name.
    pub shown: Vec<String>,
    /// Probes sent.
    pub probes: u64,
    /// Those of them that were put to a network built anew.
    pub anew: u64,
    /// Vectors, or probes of them, that packets cannot show, with the reason.
    pub skipped: Vec<(String, String)>,
    /// What was seen otherwise than expected.
    pub failures: Vec<String>,
}

impl fmt::Display for KernelVectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, failed) = (self.shown.len(), self.failures.len());
        writeln!(
            f,
            "{shown} vectors of ALIBABA.md §21 shown by {} probes in the kernel, {} asked again on a network built anew, {failed} failed",
            self.probes, self.anew
        )?;
        for (v, why) in &self.skipped {
            writeln!(f, "  {v} not shown: {why}")?;
        }
        self.failures.iter().try_for_each(|e| f.write_str(e))
    }
}

/// An engine that repeats what was seen.
struct Recorded(Vec<Answer>);

impl EngineUnderTest for Recorded {
    fn under(&self, _: &Inventory, _: &Readings, _: &[Query]) -> Vec<Answer> {
        self.0.clone()
    }
}

/// Asks the kernel every vector.
///
/// # Errors
/// When this machine cannot build networks, or a vector cannot be read.
pub fn vectors_in_kernel(vectors: &[Vector]) -> Result<KernelVectors, String> {
    usable()?;
    let mut out = KernelVectors::default();
    for v in vectors {
        let inv = v.inventory().map_err(|e| e.to_string())?;
        let queries = v.probes.iter().map(|p| v.query(&inv, p));
        let queries: Vec<Query> = queries.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
        let wanted: Vec<Answer> = v.probes.iter().map(|p| p.expected.answer()).collect();
        match ask((&inv, &Readings::chosen()), &queries, &wanted, SURE) {
            Err(KernelError::Unsupported(why)) => out.skipped.push((v.name.clone(), why)),
            Err(e @ KernelError::Machine(_)) => return Err(format!("{}: {e}", v.name)),
            Ok(Seen {
                answers,
                skipped,
                anew,
                ..
            }) => {
                let sent = answers.iter().flatten().count();
                out.probes += sent as u64;
                out.anew += anew;
                let skipped = skipped.into_iter().map(|w| (v.name.clone(), w));
                out.skipped.extend(skipped);
                // A probe that was not sent can neither fail nor pass.
                let seen = answers.iter().zip(&wanted).map(|(a, w)| a.unwrap_or(*w));
                match run(v, &Recorded(seen.collect())) {
                    Err(e) => out.failures.push(e.to_string()),
                    Ok(()) if sent > 0 => out.shown.push(v.name.clone()),
                    Ok(()) => {}
                }
            }
        }
    }
    Ok(out)
}

/// Asks kernel and engine the same about one network: how many packets were sent, and those about which the two differ.
///
/// # Errors
/// When the network cannot be built here.
pub fn compare_with_kernel(
    inv: &Inventory,
    queries: &[Query],
    engine: &dyn EngineUnderTest,
) -> Result<(usize, Vec<String>), String> {
    compare_with_kernel_under(inv, &Readings::chosen(), queries, engine)
}

/// The same where something is decided about contested semantics.
///
/// # Errors
/// When the network cannot be built here.
pub fn compare_with_kernel_under(
    inv: &Inventory,
    readings: &Readings,
    queries: &[Query],
    engine: &dyn EngineUnderTest,
) -> Result<(usize, Vec<String>), String> {
    let said = engine.under(inv, readings, queries);
    let seen = ask((inv, readings), queries, &said, SURE)
        .map_err(|e| e.to_string())?
        .answers;
    let pairs = || queries.iter().zip(seen.iter().zip(&said));
    let differing = pairs().filter_map(|(q, (k, e))| {
        let k = k.as_ref()?;
        (k != e).then(|| format!("{q}: kernel {k:?}, engine {e:?}"))
    });
    Ok((seen.iter().flatten().count(), differing.collect()))
}

/// Compares an engine with the kernel until `networks` random networks have been built, at most `packets`
/// questions each. The same seed gives the same networks and questions.
///
/// # Errors
/// When this machine cannot build networks: why.
pub fn verify_kernel(
    networks: u64,
    seed: u64,
    features: Features,
    packets: usize,
    engine: &dyn EngineUnderTest,
) -> Result<KernelReport, String> {
    verify_kernel_from(0, networks, seed, features, packets, engine)
}

/// The same from some network of the run on, so that one which was reported can be looked at alone.
///
/// # Errors
/// When this machine cannot build networks: why.
pub fn verify_kernel_from(
    first: u64,
    networks: u64,
    seed: u64,
    features: Features,
    packets: usize,
    engine: &dyn EngineUnderTest,
) -> Result<KernelReport, String> {
    usable()?;
    let mut report = KernelReport::default();
    let mut index = first;
    let last = first.saturating_add(networks.saturating_mul(10));
    // A network that cannot be built is no network of the count; most can.
    while report.networks < networks && index < last {
        let mut r = Rng::for_item(seed, index);
        // Every third one is such that most packets get to what stands between VPCs.
        let inv = match index % 3 {
            2 if features.joined => open_inventory(&mut r, features),
            _ => random_inventory(&mut r, features),
        };
        let queries = Universe::new(&inv).sample(&mut r, packets);
        // A-LB-3 and A-NAT-3 are those of which both readings are built.
        let second = features.dual && features.readings && index % 2 == 1;
        let out = features.nat && features.readings && index.is_multiple_of(5);
        let readings = Readings::chosen()
            .with(Assumption::Lb3, second)
            .with(Assumption::Nat3, out);
        let said = engine.under(&inv, &readings, &queries);
        match ask((&inv, &readings), &queries, &said, SURE) {
            Err(KernelError::Unsupported(why)) => *report.unsupported.entry(why).or_default() += 1,
            Err(e @ KernelError::Machine(_)) => {
                report.failure = Some(format!("network {index}: {e}"));
                break;
            }
            Ok(seen) => {
                report.networks += 1;
                report.packets += seen.packets;
                report.anew += seen.anew;
                seen.skipped
                    .into_iter()
                    .for_each(|w| *report.skipped.entry(w).or_default() += 1);
                let mut first = None;
                for (i, q) in queries.iter().enumerate() {
                    let Some(Some(a)) = seen.answers.get(i) else {
                        continue;
                    };
                    report.probes += 1;
                    report.delivered += u64::from(a.delivered);
                    report.replied += u64::from(a.reply);
                    if said.get(i) != Some(a) {
                        report.differing += 1;
                        first = first.or(Some(*q));
                    }
                }
                if let Some(q) = first.filter(|_| report.disagreements.len() < KEPT) {
                    report
                        .disagreements
                        .push(explain(index, (&inv, &readings), &q, engine));
                }
            }
        }
        index += 1;
    }
    Ok(report)
}

fn explain(
    index: u64,
    (inv, readings): (&Inventory, &Readings),
    q: &Query,
    engine: &dyn EngineUnderTest,
) -> KernelDisagreement {
    let both = |i: &Inventory, q: &Query| {
        let said = engine.under(i, readings, &[*q]);
        let kernel = ask((i, readings), &[*q], &said, FAIRLY_SURE)
            .ok()
            .and_then(|s| s.answers.first().copied().flatten());
        (kernel, said.first().copied())
    };
    let differs = |i: &Inventory, q: &Query| {
        let (kernel, said) = both(i, q);
        kernel.is_some() && kernel != said
    };
    let (inventory, query) = shrink(inv, q, &differs);
    let (kernel, engine) = both(&inventory, &query);
    KernelDisagreement {
        index,
        readings: readings.clone(),
        query,
        inventory,
        kernel,
        engine,
    }
}
