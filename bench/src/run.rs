//! The reach benchmark: load, build, all pairs of zones, one explanation.

use crate::{Spec, generate};
use bartizan_base::Sources;
use bartizan_model::{Fact, InterfaceId, Inventory, from_snapshot, to_snapshot};
use bartizan_packet::IpSet;
use bartizan_reach::{CompileOptions, Mode, Partition, Reach, compile};
use std::net::IpAddr;
use std::time::Instant;

/// What one run measured. Times in seconds, memory in megabytes (10^6 bytes).
#[derive(Clone, Debug)]
pub struct Figures {
    /// Interfaces.
    pub enis: usize,
    /// Security groups.
    pub groups: usize,
    /// Security group rules and ACL entries.
    pub rules: usize,
    /// Zones; each ordered pair of them, and each with the Internet, is answered.
    pub zones: usize,
    /// Service atoms.
    pub atoms: usize,
    /// Cells.
    pub cells: usize,
    /// Reading the snapshot.
    pub load_s: f64,
    /// Compiling and grouping into cells.
    pub build_s: f64,
    /// Delivered services of all ordered pairs.
    pub all_pairs_s: f64,
    /// One packet explained, milliseconds.
    pub why_ms: f64,
    /// Ordered pairs of zones with at least one service.
    pub connected: usize,
    /// Time of the processors for reading, compiling and all pairs together: what the machine did for us, whatever
    /// else it did.
    pub cpu_s: f64,
    /// Peak resident memory of the process.
    pub peak_rss_mb: f64,
}

impl Figures {
    /// One line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let round = |x: f64, d: f64| (x * d).round() / d;
        serde_json::json!({
            "enis": self.enis, "groups": self.groups, "rules": self.rules, "zones": self.zones,
            "atoms": self.atoms, "cells": self.cells,
            "load_s": round(self.load_s, 1000.0), "build_s": round(self.build_s, 1000.0),
            "all_pairs_s": round(self.all_pairs_s, 1000.0), "why_ms": round(self.why_ms, 10000.0),
            "cpu_s": round(self.cpu_s, 1000.0), "connected": self.connected, "peak_rss_mb": round(self.peak_rss_mb, 10.0),
        })
        .to_string()
    }
}

/// Zones by tag; the Internet is the last block.
pub(crate) struct ByTag {
    zone: Vec<u32>,
    blocks: usize,
}

impl ByTag {
    pub(crate) fn new(inv: &Inventory, zones: usize) -> Self {
        let zone = inv
            .typed
            .interfaces
            .iter()
            .map(|i| {
                let tag = i
                    .meta
                    .tags
                    .known()
                    .and_then(|t| t.get("zone"))
                    .and_then(Fact::known);
                tag.and_then(|z| z.trim_start_matches('z').parse().ok())
                    .unwrap_or(0)
            })
            .collect();
        ByTag {
            zone,
            blocks: zones + 1,
        }
    }
}

impl Partition for ByTag {
    fn blocks(&self) -> usize {
        self.blocks
    }
    fn cuts(&self) -> &[IpSet] {
        &[]
    }
    fn block(&self, iface: Option<InterfaceId>, _ip: IpAddr) -> u32 {
        match iface {
            Some(i) => self.zone[i.index()],
            None => u32::try_from(self.blocks - 1).unwrap_or(0),
        }
    }
}

/// Seconds of processor time of the process so far.
pub(crate) fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name of the program, which may hold spaces: user and system time in hundredths.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields
        .skip(11)
        .take(2)
        .filter_map(|x| x.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

pub(crate) fn peak_rss_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .and_then(|l| l.split_whitespace().next());
    kb.and_then(|k| k.parse::<f64>().ok())
        .map_or(f64::NAN, |k| k * 1024.0 / 1e6)
}

/// Resets the peak, so that making the network does not count.
pub(crate) fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Writes the snapshot of a generated network, then measures loading it and answering everything.
///
/// # Errors
/// When the snapshot cannot be made or read.
pub fn reach(spec: &Spec) -> Result<Figures, String> {
    let text = {
        let inv = generate(spec);
        let mut sources = Sources::default();
        sources.add("generated", "");
        to_snapshot(&inv, &sources).map_err(|e| e.to_string())?
    };
    let path = std::env::temp_dir().join(format!("bartizan-bench-{}.json", std::process::id()));
    std::fs::write(&path, &text).map_err(|e| e.to_string())?;
    drop(text);
    reset_peak();
    let cpu = cpu_s();
    let t0 = Instant::now();
    let inv = {
        let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
        from_snapshot(&text, &mut Sources::default()).map_err(|e| e.to_string())?
    };
    let load_s = t0.elapsed().as_secs_f64();
    let _ = std::fs::remove_file(&path);
    let zones = spec.zones();
    let part = ByTag::new(&inv, zones);
    let t1 = Instant::now();
    let net = compile(&inv, Mode::Widen, &CompileOptions::default());
    let mut r = Reach::new(net, &part);
    let build_s = t1.elapsed().as_secs_f64();
    let t2 = Instant::now();
    r.all_pairs();
    let all_pairs_s = t2.elapsed().as_secs_f64();
    let cpu_s = cpu_s() - cpu;
    let blocks = u32::try_from(part.blocks()).unwrap_or(0);
    let connected = (0..blocks)
        .flat_map(|a| (0..blocks).map(move |b| (a, b)))
        .filter(|&(a, b)| !r.delivered(a, b).is_empty())
        .count();
    let t3 = Instant::now();
    let n = crate::run::why(&inv, &r);
    let why_ms = t3.elapsed().as_secs_f64() * 1000.0 / f64::from(n.max(1));
    let sizes = r.sizes();
    let entries = |l: &bartizan_model::AclList| match l {
        bartizan_model::AclList::Entries(e) => e.len(),
        _ => 0,
    };
    let acl_entries: usize = inv
        .typed
        .acls
        .iter()
        .map(|a| entries(&a.ingress) + entries(&a.egress))
        .sum();
    Ok(Figures {
        enis: inv.typed.interfaces.len(),
        groups: inv.typed.security_groups.len(),
        rules: inv.typed.sg_rules.len() + acl_entries,
        zones,
        atoms: sizes.atoms,
        cells: sizes.cells,
        load_s,
        build_s,
        all_pairs_s,
        why_ms,
        connected,
        cpu_s,
        peak_rss_mb: peak_rss_mb(),
    })
}

/// Explains a hundred packets between interfaces spread over the network; returns how many.
fn why(inv: &Inventory, r: &Reach) -> u32 {
    use bartizan_reach::{Inside, Point};
    let n = inv.typed.interfaces.len();
    let point = |k: usize| -> Option<Point> {
        let iface = InterfaceId(u32::try_from(k % n).ok()?);
        let ip = r.network().iface(iface)?.addrs.first()?.region.first()?;
        Some(Point::Inside(Inside { iface, addr: 0, ip }))
    };
    let mut done = 0;
    for k in 0..100 {
        if let (Some(s), Some(d)) = (point(k * 7919), point(k * 7919 + 13)) {
            let f = r.network().flow(s, d);
            std::hint::black_box(&f);
            done += 1;
        }
    }
    done
}
