//! The benchmark of single changes.

use crate::generate::{Rng, id, net};
use crate::run::{ByTag, peak_rss_mb, reset_peak};
use crate::{Spec, generate};
use bartizan_base::Sources;
use bartizan_check::{CheckOptions, Watch, verdicts};
use bartizan_lang::{Date, Intent};
use bartizan_model::*;
use bartizan_packet::ServiceSet;
use bartizan_reach::{Change, CompileOptions, Live, Mode, Partition, Reach, compile};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

/// What is changed, out of a thousand.
const MIX: [(&str, usize); 10] = [
    ("add-rule", 340),
    ("association", 4),
    ("propagation", 3),
    ("attachment", 3),
    ("remove-rule", 250),
    ("membership", 180),
    ("backend", 20),
    ("address", 100),
    ("add-route", 50),
    ("remove-route", 50),
];

struct Changes<'c> {
    g: Rng,
    services: Vec<ServiceSet>,
    /// Rules and routes that were there from the beginning stay.
    rules: usize,
    routes: usize,
    /// Addresses that somebody has or had.
    taken: BTreeSet<IpAddr>,
    /// Interfaces that are no fronts.
    interfaces: usize,
    /// The kind of change that is made, if one alone is.
    only: Option<&'c str>,
}

fn vpc_of(t: &Typed, i: InterfaceId) -> Option<VpcId> {
    t.vpc_of(t.interfaces.get(i.index())?)
}

impl Changes<'_> {
    fn next(&mut self, inv: &Inventory) -> Option<Change> {
        let t = &inv.typed;
        let mut n = self.g.below(1000);
        let kind = MIX.iter().find(|(_, share)| {
            let here = n < *share;
            n = n.saturating_sub(*share);
            here
        });
        let kind = self.only.or(kind.map(|k| k.0));
        let some = InterfaceId(id(self.g.below(self.interfaces)));
        match kind? {
            "add-rule" => self.rule(t),
            "remove-rule" => (t.sg_rules.len() > self.rules).then(|| {
                let n = self.g.below(t.sg_rules.len() - self.rules);
                Change::RemoveRule(id(self.rules + n))
            }),
            "association" => (!t.attachments.is_empty()).then(|| {
                let a = AttachmentId(id(self.g.below(t.attachments.len())));
                Change::Associate(a, Some(TrTableId(1 + id(self.g.below(3)))))
            }),
            "propagation" => (!t.attachments.is_empty()).then(|| {
                let a = AttachmentId(id(self.g.below(t.attachments.len())));
                let table = TrTableId(1 + id(self.g.below(3)));
                Change::Propagate(a, table, !t.tr_propagations.iter().any(|l| l.joins(a, table)))
            }),
            // One VPC at a time is detached.
            "attachment" => {
                let x = match t.attachments.iter().position(|x| x.to == Attached::Nothing) {
                    Some(x) => x,
                    None if t.attachments.is_empty() => return None,
                    None => self.g.below(t.attachments.len()),
                };
                // As it was: the attachments are in the order of the VPCs, each in the first two vSwitches.
                let vpc = VpcId(id(x));
                let zones = (0u32..).map(VswitchId).zip(&t.vswitches);
                let zones = zones
                    .filter(|(_, s)| s.vpc.known() == Some(&vpc))
                    .map(|s| s.0)
                    .take(2);
                let back = t.attachments[x].to == Attached::Nothing;
                Some(Change::Attach(
                    AttachmentId(id(x)),
                    back.then(|| (vpc, zones.collect())),
                ))
            }
            "membership" => {
                let mut groups = t.interfaces.get(some.index())?.groups.known()?.clone();
                if groups.len() > 1 && self.g.percent(50) {
                    groups.swap_remove(self.g.below(groups.len()));
                } else {
                    // Groups of one VPC lie beside each other.
                    let base = groups.first()?.0 / 400 * 400;
                    let last = t.security_groups.len().checked_sub(1)?;
                    groups.push(SecurityGroupId((base + id(self.g.below(400))).min(id(last))));
                }
                let here = |g: &SecurityGroupId| t[*g].vpc.known() == vpc_of(t, some).as_ref();
                groups.iter().all(here).then_some(Change::SetGroups(some, groups))
            }
            "backend" => {
                let b = BalancerId(id(self.g.below(t.balancers.len())));
                let listeners = &t.balancers.get(b.index())?.listeners;
                let l = self.g.below(listeners.len());
                let forwards = &listeners.get(l)?.forwards;
                if forwards.len() > 1 && self.g.percent(50) {
                    let n = self.g.below(forwards.len());
                    return Some(Change::RemoveBackend(b, id(l), id(n)));
                }
                let mut f = forwards.first()?.clone();
                let Backend::Interface(i) = f.to else { return None };
                if vpc_of(t, i) != vpc_of(t, some) {
                    return None;
                }
                f.to = Backend::Interface(some);
                Some(Change::AddBackend(b, id(l), Box::new(f)))
            }
            "address" => {
                let v = t.interfaces.get(some.index())?.vswitch.known()?;
                let ipnet::IpNet::V4(block) = *t[*v].cidr.known()? else {
                    return None;
                };
                let free = (0..20).find_map(|_| {
                    let host = u32::from(block.network()) + 2 + id(self.g.below(250));
                    let ip = IpAddr::V4(Ipv4Addr::from(host));
                    self.taken.insert(ip).then_some(ip)
                });
                free.map(|ip| Change::SetAddress(some, 0, ip))
            }
            "add-route" => {
                let vpc = vpc_of(t, some)?;
                let table = t[vpc].system_table;
                let IpAddr::V4(ip) = (match t.interfaces.get(some.index())?.addresses.first()?.spec {
                    AddressSpec::Ip(ip) => ip,
                    _ => return None,
                }) else {
                    return None;
                };
                // Interfaces of one VPC lie beside each other; one of each is an appliance.
                let other = InterfaceId(id(some.index() / 2000 * 2000));
                (vpc_of(t, other) == Some(vpc)).then(|| {
                    Change::AddRoute(RouteEntry {
                        origin: t[table].meta.origin.clone(),
                        table: Fact::Known(table),
                        destination: NetSpec::Net(Fact::Known(net(u32::from(ip), 32))),
                        next_hops: vec![NextHop::Interface(other)],
                    })
                })
            }
            "remove-route" => (t.route_entries.len() > self.routes).then(|| {
                let n = self.g.below(t.route_entries.len() - self.routes);
                Change::RemoveRoute(id(self.routes + n))
            }),
            _ => None,
        }
    }

    /// As the rules of the network: half of them name a group, half a narrow prefix of their VPC, or, where VPCs are
    /// joined, a twentieth of these one of another VPC.
    fn rule(&mut self, t: &Typed) -> Option<Change> {
        let like = &t.sg_rules[self.g.below(self.rules)];
        let mut r = like.clone();
        let group = SecurityGroupId(id(self.g.below(t.security_groups.len())));
        r.group = Fact::Known(group);
        r.services = Fact::Known(self.g.pick(&self.services).clone());
        let vpc = t[group].vpc.known()?.0;
        let joined = !t.attachments.is_empty() && self.g.percent(5);
        let named = if joined {
            id(self.g.below(t.vpcs.len()))
        } else {
            vpc
        };
        let base = 10 << 24 | named << 16;
        let first = group.0 / 400 * 400;
        r.peer = if self.g.percent(50) {
            let last = id(t.security_groups.len().checked_sub(1)?);
            Peer::Group(SecurityGroupId((first + id(self.g.below(400))).min(last)))
        } else {
            let host = base | id(self.g.below(10)) << 8 | id(self.g.below(256));
            Peer::Net(NetSpec::Net(Fact::Known(net(
                host,
                *self.g.pick(&[24, 26, 28, 30, 32]),
            ))))
        };
        r.priority = Fact::Known(1 + id(self.g.below(98)) as u8);
        Some(Change::AddRule(Box::new(r)))
    }
}

#[derive(Default)]
struct Times {
    ms: Vec<f64>,
    rebuilt_s: Vec<f64>,
    pairs: usize,
}

/// Seconds of processor time of this thread so far. A change is applied on one thread, and what else the machine does
/// in the meantime is not its cost.
fn thread_s() -> f64 {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID)
        .map_or(0.0, |t| t.tv_sec() as f64 + t.tv_nsec() as f64 / 1e9)
}

/// What is kept up to date: the matrix, or an intent.
enum Kept<'i> {
    Matrix(Box<Live>),
    Intent(Box<Watch<'i>>),
}

impl Kept<'_> {
    fn inventory(&self) -> &Inventory {
        match self {
            Kept::Matrix(live) => live.inventory(),
            Kept::Intent(watch) => watch.inventory(),
        }
    }
    /// Why it was built again, pairs that changed, clauses that were evaluated again.
    fn apply(&mut self, c: &Change) -> (Option<&'static str>, usize, usize) {
        match self {
            Kept::Matrix(live) => {
                let a = live.apply(c);
                (a.rebuilt, a.pairs.len(), 0)
            }
            Kept::Intent(watch) => {
                let r = watch.apply(c);
                (r.rebuilt, r.pairs, r.clauses.len())
            }
        }
    }
}

/// A zone for every tag, and what is forbidden between them.
fn intent(spec: &Spec, clauses: usize) -> Intent {
    let mut g = Rng::new(spec.seed ^ 0x1A7E_2715);
    let zones = spec.zones();
    let mut text = "edition 2027\n".to_string();
    for z in 0..zones {
        text.push_str(&format!("zone z{z} = tag zone=z{z}\n"));
    }
    for n in 0..clauses {
        let (a, b, port) = (g.below(zones), g.below(zones), 20 + g.below(6000));
        let clause = match n % 10 {
            0 => format!("only z{a} -> z{b} : tcp/{port}"),
            1 | 2 => format!("never z{a} -> z{b} : any"),
            3 => format!("never outside -> z{b} : tcp/{port}"),
            _ => format!("never z{a} -> z{b} : tcp/{port}-{}", port + 100),
        };
        text.push_str(&format!("{clause} because \"clause {n}\"\n"));
    }
    let mut sources = Sources::default();
    let file = sources.add("generated.btz", text);
    let (tree, _) = bartizan_lang::parse(file, &sources);
    bartizan_lang::resolve(&[tree], &sources).0
}

/// Applies changes one by one to a network of this size, for at most so many seconds; one line of JSON. With `clauses`
/// an intent of so many is kept evaluated. With `only` all changes are of one kind.
///
/// # Errors
/// If there is no such kind.
pub fn incremental(
    spec: &Spec,
    changes: usize,
    seconds: f64,
    clauses: usize,
    only: Option<&str>,
) -> Result<String, String> {
    if let Some(kind) = only.filter(|k| MIX.iter().all(|(name, _)| name != k)) {
        let all: Vec<&str> = MIX.iter().map(|(name, _)| *name).collect();
        return Err(format!("`{kind}` is none of {}", all.join(", ")));
    }
    let inv = generate(spec);
    let intent = intent(spec, clauses);
    let as_of: Date = "2027-01-01".parse().map_err(|e| format!("{e:?}"))?;
    let services = {
        let mut v: Vec<ServiceSet> = inv
            .typed
            .sg_rules
            .iter()
            .filter_map(|r| r.services.known().cloned())
            .collect();
        v.sort_unstable();
        v.dedup();
        v.retain(|s| !s.is_any());
        v
    };
    let taken = inv.typed.interfaces.iter().flat_map(|i| &i.addresses);
    let mut next = Changes {
        g: Rng::new(spec.seed ^ 0x00C4_A49E),
        services,
        rules: inv.typed.sg_rules.len(),
        routes: inv.typed.route_entries.len(),
        taken: taken
            .filter_map(|a| match a.spec {
                AddressSpec::Ip(ip) => Some(ip),
                _ => None,
            })
            .collect(),
        interfaces: inv
            .typed
            .interfaces
            .iter()
            .filter(|i| i.instance.is_some())
            .count(),
        only,
    };
    let part = ByTag::new(&inv, spec.zones());
    let enis = inv.typed.interfaces.len();
    reset_peak();
    let t0 = Instant::now();
    let mut live = match clauses {
        0 => {
            let options = CompileOptions::default();
            Kept::Matrix(Box::new(Live::new(inv, Mode::Widen, options, Box::new(part))))
        }
        _ => {
            let options = CheckOptions::default();
            Kept::Intent(Box::new(Watch::new(&inv, &intent, as_of, &options)))
        }
    };
    let build_s = t0.elapsed().as_secs_f64();
    let verdicts_now = |k: &Kept<'_>| -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        if let Kept::Intent(watch) = k {
            for (_, v) in watch.verdicts() {
                *all.entry(format!("{v:?}").to_lowercase()).or_default() += 1;
            }
        }
        all
    };
    let begins = verdicts_now(&live);
    let mut kinds: BTreeMap<&'static str, Times> = BTreeMap::new();
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut all, mut all_wall): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    let (mut done, mut evaluated) = (0, 0);
    while done < changes && begin.elapsed().as_secs_f64() < seconds {
        let Some(change) = next.next(live.inventory()) else {
            continue;
        };
        done += 1;
        let (t, cpu) = (Instant::now(), thread_s());
        let (rebuilt, pairs, clauses) = live.apply(&change);
        let (s, cpu) = (t.elapsed().as_secs_f64(), thread_s() - cpu);
        let k = kinds.entry(change.kind()).or_default();
        k.pairs += pairs;
        if rebuilt.is_none() {
            evaluated += clauses;
        }
        // A rebuild runs on many threads.
        match rebuilt {
            Some(why) => {
                *reasons.entry(why).or_default() += 1;
                k.rebuilt_s.push(s);
                all.push(s * 1000.0);
                all_wall.push(s * 1000.0);
            }
            None => {
                k.ms.push(cpu * 1000.0);
                all.push(cpu * 1000.0);
                all_wall.push(s * 1000.0);
            }
        }
    }
    let peak = peak_rss_mb();
    let t = Instant::now();
    let equal = match &live {
        Kept::Intent(watch) => {
            watch.verdicts() == verdicts(watch.inventory(), &intent, as_of, &CheckOptions::default())
        }
        Kept::Matrix(live) => {
            let part = ByTag::new(live.inventory(), spec.zones());
            let net = compile(live.inventory(), Mode::Widen, &CompileOptions::default());
            let mut r = Reach::new(net, &part);
            r.all_pairs();
            let blocks = id(part.blocks());
            let services = |r: &Reach, a, b| r.network().atoms.services(&r.delivered(a, b));
            let mut all = (0..blocks).flat_map(|a| (0..blocks).map(move |b| (a, b)));
            all.all(|(a, b)| services(live.reach(), a, b) == services(&r, a, b))
        }
    };
    let again_s = t.elapsed().as_secs_f64();
    let at = |v: &mut Vec<f64>, p: f64| {
        v.sort_by(f64::total_cmp);
        let n = ((v.len() as f64 * p).ceil() as usize).clamp(1, v.len().max(1)) - 1;
        v.get(n).copied().map(|x| (x * 10_000.0).round() / 10_000.0)
    };
    let kinds: BTreeMap<&str, serde_json::Value> = kinds
        .into_iter()
        .map(|(k, mut t)| {
            let v = serde_json::json!({
                "changes": t.ms.len() + t.rebuilt_s.len(), "pairs": t.pairs,
                "p50_ms": at(&mut t.ms, 0.5), "p99_ms": at(&mut t.ms, 0.99), "max_ms": at(&mut t.ms, 1.0),
                "rebuilt": t.rebuilt_s.len(), "rebuilt_s": at(&mut t.rebuilt_s, 0.5),
            });
            (k, v)
        })
        .collect();
    Ok(serde_json::json!({
        "enis": enis, "changes": done, "clauses": clauses, "evaluated": evaluated, "build_s": (build_s * 1000.0).round() / 1000.0,
        "p50_ms": at(&mut all, 0.5), "p99_ms": at(&mut all, 0.99), "max_ms": at(&mut all, 1.0),
        "wall_p99_ms": at(&mut all_wall, 0.99),
        "kinds": kinds, "reasons": reasons, "peak_rss_mb": peak.round(),
        "verdicts": begins, "equal": equal, "again_s": (again_s * 1000.0).round() / 1000.0,
    })
    .to_string())
}
