//! The benchmark of single changes.

use crate::generate::{Rng, id, net};
use crate::run::{ByTag, peak_rss_mb, reset_peak};
use crate::{Spec, generate};
use bartizan_model::*;
use bartizan_packet::ServiceSet;
use bartizan_reach::{Change, CompileOptions, Live, Mode, Partition, Reach, compile};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

/// What is changed, out of a hundred; a change of an attachment is one in ten thousand.
const MIX: [(&str, usize); 6] = [
    ("add-rule", 35),
    ("remove-rule", 25),
    ("membership", 20),
    ("address", 10),
    ("add-route", 5),
    ("remove-route", 5),
];

struct Changes {
    g: Rng,
    services: Vec<ServiceSet>,
    /// Rules and routes that were there from the beginning stay.
    rules: usize,
    routes: usize,
    /// Addresses that somebody has or had.
    taken: BTreeSet<IpAddr>,
    /// Interfaces that are no fronts.
    interfaces: usize,
}

fn vpc_of(t: &Typed, i: InterfaceId) -> Option<VpcId> {
    let v = t.interfaces.get(i.index())?.vswitch.known()?;
    t[*v].vpc.known().copied()
}

impl Changes {
    fn next(&mut self, inv: &Inventory) -> Option<Change> {
        let t = &inv.typed;
        if !t.attachments.is_empty() && self.g.below(10_000) == 0 {
            let a = AttachmentId(id(self.g.below(t.attachments.len())));
            return Some(Change::Associate(a, Some(TrTableId(1 + id(self.g.below(3))))));
        }
        let mut n = self.g.below(100);
        let kind = MIX.iter().find(|(_, share)| {
            let here = n < *share;
            n = n.saturating_sub(*share);
            here
        });
        let some = InterfaceId(id(self.g.below(self.interfaces)));
        match kind?.0 {
            "add-rule" => self.rule(t),
            "remove-rule" => (t.sg_rules.len() > self.rules).then(|| {
                let n = self.g.below(t.sg_rules.len() - self.rules);
                Change::RemoveRule(id(self.rules + n))
            }),
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
            _ => (t.route_entries.len() > self.routes).then(|| {
                let n = self.g.below(t.route_entries.len() - self.routes);
                Change::RemoveRoute(id(self.routes + n))
            }),
        }
    }

    /// As the rules of the network: half of them name a group, half a narrow prefix of their VPC.
    fn rule(&mut self, t: &Typed) -> Option<Change> {
        let like = &t.sg_rules[self.g.below(self.rules)];
        let mut r = like.clone();
        let group = SecurityGroupId(id(self.g.below(t.security_groups.len())));
        r.group = Fact::Known(group);
        r.services = Fact::Known(self.g.pick(&self.services).clone());
        let vpc = t[group].vpc.known()?.0;
        let base = 10 << 24 | vpc << 16;
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

/// Applies changes one by one to a network of this size, for at most so many seconds; one line of JSON.
#[must_use]
pub fn incremental(spec: &Spec, changes: usize, seconds: f64) -> String {
    let inv = generate(spec);
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
    };
    let part = ByTag::new(&inv, spec.zones());
    let enis = inv.typed.interfaces.len();
    reset_peak();
    let t0 = Instant::now();
    let mut live = Live::new(inv, Mode::Widen, CompileOptions::default(), Box::new(part));
    let build_s = t0.elapsed().as_secs_f64();
    let mut kinds: BTreeMap<&'static str, Times> = BTreeMap::new();
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    let (mut all, mut all_wall): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    let mut done = 0;
    while done < changes && begin.elapsed().as_secs_f64() < seconds {
        let Some(change) = next.next(live.inventory()) else {
            continue;
        };
        done += 1;
        let (t, cpu) = (Instant::now(), thread_s());
        let affected = live.apply(&change);
        let (s, cpu) = (t.elapsed().as_secs_f64(), thread_s() - cpu);
        let k = kinds.entry(change.kind()).or_default();
        k.pairs += affected.pairs.len();
        // A rebuild runs on many threads.
        match affected.rebuilt {
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
    let (equal, again_s) = {
        let t = Instant::now();
        let inv = live.inventory();
        let part = ByTag::new(inv, spec.zones());
        let mut r = Reach::new(compile(inv, Mode::Widen, &CompileOptions::default()), &part);
        r.all_pairs();
        let s = t.elapsed().as_secs_f64();
        let blocks = id(part.blocks());
        let services = |r: &Reach, a, b| r.network().atoms.services(&r.delivered(a, b));
        let mut all = (0..blocks).flat_map(|a| (0..blocks).map(move |b| (a, b)));
        (
            all.all(|(a, b)| services(live.reach(), a, b) == services(&r, a, b)),
            s,
        )
    };
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
    serde_json::json!({
        "enis": enis, "changes": done, "build_s": (build_s * 1000.0).round() / 1000.0,
        "p50_ms": at(&mut all, 0.5), "p99_ms": at(&mut all, 0.99), "max_ms": at(&mut all, 1.0),
        "wall_p99_ms": at(&mut all_wall, 0.99),
        "kinds": kinds, "reasons": reasons, "peak_rss_mb": peak.round(),
        "equal": equal, "again_s": (again_s * 1000.0).round() / 1000.0,
    })
    .to_string()
}
