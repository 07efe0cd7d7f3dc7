//! Point engine and matrix on one large network: the same answers for endpoints drawn from all of it.

use crate::generate::{Rng, id};
use crate::{Spec, generate};
use bartizan_model::InterfaceId;
use bartizan_packet::IpSet;
use bartizan_reach::{CompileOptions, Inside, Mode, Partition, Point, Reach, compile};
use rustc_hash::FxHashMap;
use std::net::IpAddr;
use std::time::Instant;

/// The drawn interfaces one by one, all others together, the Internet.
struct Drawn {
    of: FxHashMap<InterfaceId, u32>,
}

impl Partition for Drawn {
    fn blocks(&self) -> usize {
        self.of.len() + 2
    }
    fn cuts(&self) -> &[IpSet] {
        &[]
    }
    fn block(&self, iface: Option<InterfaceId>, _: IpAddr) -> u32 {
        let n = id(self.of.len());
        match iface {
            Some(i) => self.of.get(&i).copied().unwrap_or(n),
            None => n + 1,
        }
    }
}

/// Draws interfaces, a third of them fronts of balancers or backends, and compares every ordered pair of them; one
/// line of JSON.
///
/// # Errors
/// When the two engines differ; names the first pair.
pub fn exact(spec: &Spec, sample: usize) -> Result<String, String> {
    let inv = generate(spec);
    let net = compile(&inv, Mode::Widen, &CompileOptions::default());
    let mut g = Rng::new(spec.seed ^ 0x00E8_AC70);
    let mut balanced: Vec<InterfaceId> = net.relays.iter().flat_map(|r| [r.front, r.to]).collect();
    balanced.sort_unstable();
    balanced.dedup();
    let mut of = FxHashMap::default();
    let all = inv.typed.interfaces.len();
    while of.len() < sample.min(all) {
        let i = if !balanced.is_empty() && g.percent(33) {
            *g.pick(&balanced)
        } else {
            InterfaceId(id(g.below(all)))
        };
        let n = id(of.len());
        of.entry(i).or_insert(n);
    }
    let part = Drawn { of };
    let mut r = Reach::new(net, &part);
    let t = Instant::now();
    r.all_pairs();
    let matrix_s = t.elapsed().as_secs_f64();
    let mut drawn: Vec<(InterfaceId, u32)> = part.of.iter().map(|(i, n)| (*i, *n)).collect();
    drawn.sort_unstable_by_key(|d| d.1);
    let point = |i: InterfaceId| {
        let ip = r.network().iface(i)?.addrs.first()?.region.first()?;
        Some(Point::Inside(Inside {
            iface: i,
            addr: 0,
            ip,
        }))
    };
    let t = Instant::now();
    let (mut pairs, mut connected) = (0, 0);
    for &(a, x) in &drawn {
        for &(b, y) in drawn.iter().filter(|d| d.0 != a) {
            let (Some(s), Some(d)) = (point(a), point(b)) else {
                continue;
            };
            let asked = r.network().flow(s, d).delivered;
            let said = r.delivered(x, y);
            pairs += 1;
            connected += usize::from(!asked.is_empty());
            if asked != said {
                return Err(format!(
                    "{} -> {}: the point engine delivers {}, the matrix {}",
                    inv.typed[a].meta.origin.address,
                    inv.typed[b].meta.origin.address,
                    r.network().atoms.services(&asked),
                    r.network().atoms.services(&said)
                ));
            }
        }
    }
    Ok(serde_json::json!({
        "enis": all, "drawn": drawn.len(), "pairs": pairs, "connected": connected, "differ": 0,
        "matrix_s": (matrix_s * 1000.0).round() / 1000.0,
        "points_s": (t.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
    })
    .to_string())
}
