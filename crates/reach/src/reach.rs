//! Who can reach whom, between blocks.

use crate::domain::{Cell, Domain, Partition, distinct};
use crate::flow::{Cuts, Flow, representatives};
use crate::network::{Mode, Network};
use crate::point::{Inside, Point};
use crate::public;
use bartizan_model::{InterfaceId, VpcId};
use bartizan_packet::{AtomSet, IpSet};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// The engine's answer over one [`Network`] and one [`Partition`] into blocks.
///
/// Built once; every method is a pure question. Blocks are numbered as the partition numbers them.
pub struct Reach {
    net: Network,
    blocks: usize,
    /// The blocks of the rows and columns that the matrix has while it is made: blocks, then fronts.
    slots: Vec<u32>,
    domains: Vec<Domain>,
    /// Elementary pieces of the public space by block.
    outside: BTreeMap<u32, IpSet>,
    /// Delivered services per ordered pair of blocks; filled by [`Reach::all_pairs`].
    matrix: Vec<u64>,
}

/// Sizes of a built engine, for benchmarks and the curious.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Service atoms.
    pub atoms: usize,
    /// Cells over all VPCs.
    pub cells: usize,
    /// Distinct rows over all VPCs.
    pub rows: usize,
    /// Distinct atom sets over all VPCs.
    pub sets: usize,
}

impl Reach {
    /// Groups the endpoints into cells. Linear in the addresses.
    #[must_use]
    pub fn new(net: Network, part: &dyn Partition) -> Self {
        let mut by_vpc: BTreeMap<VpcId, Vec<InterfaceId>> = BTreeMap::new();
        for f in net.ifaces.iter().flatten() {
            if let Some(v) = net.vpc_of(f) {
                by_vpc.entry(v).or_default().push(f.id);
            }
        }
        let by_vpc: Vec<(VpcId, Vec<InterfaceId>)> = by_vpc.into_iter().collect();
        let mut domains = by_vpc
            .par_iter()
            .map(|(v, ifaces)| Domain::new(&net, *v, ifaces, part))
            .collect::<Vec<_>>();
        let mut cuts = Cuts::default();
        part.cuts().iter().for_each(|c| cuts.add(c));
        cuts.finish();
        let mut outside: BTreeMap<u32, IpSet> = BTreeMap::new();
        let mut pieces: BTreeMap<u32, Vec<IpSet>> = BTreeMap::new();
        for piece in cuts.split(&net.outside) {
            if let Some(ip) = piece.first() {
                pieces.entry(part.block(None, ip)).or_default().push(piece);
            }
        }
        for (b, ps) in pieces {
            let v4 = bartizan_packet::IntervalSet::from_ranges(
                ps.iter().flat_map(|p| p.v4.ranges().iter().copied()),
            );
            let v6 = bartizan_packet::IntervalSet::from_ranges(
                ps.iter().flat_map(|p| p.v6.ranges().iter().copied()),
            );
            outside.insert(b, IpSet { v4, v6 });
        }
        let blocks = part.blocks();
        let slots = crate::relayed::slots(&net, blocks, &mut domains);
        Reach {
            net,
            blocks,
            slots,
            domains,
            outside,
            matrix: Vec::new(),
        }
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// Sizes of what was built.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let mut s = Sizes {
            atoms: self.net.atoms.len(),
            ..Sizes::default()
        };
        for d in &self.domains {
            let (c, r, t) = d.sizes();
            s.cells += c;
            s.rows += r;
            s.sets += t;
        }
        s
    }

    /// The public addresses of a block.
    #[must_use]
    pub fn outside_of(&self, block: u32) -> IpSet {
        self.outside.get(&block).cloned().unwrap_or_default()
    }

    /// The cells of a block.
    pub fn cells_of(&self, block: u32) -> impl Iterator<Item = &Cell> {
        self.domains
            .iter()
            .flat_map(|d| &d.cells)
            .filter(move |c| c.block == block)
    }

    /// Computes the delivered services of every ordered pair of blocks.
    ///
    /// Private paths are computed cell by cell for each VPC; paths over the Internet class by class.
    pub fn all_pairs(&mut self) {
        let w = self.net.atoms.words();
        let (net, blocks) = (&self.net, self.slots.len());
        let full = net.common.all.words().to_vec();
        let size = blocks * blocks * w;
        self.domains.par_iter_mut().for_each(|d| d.build_rows(net));
        let merge = |mut a: Vec<u64>, b: Vec<u64>| {
            if a.is_empty() {
                return b;
            }
            a.iter_mut().zip(&b).for_each(|(x, y)| *x |= y);
            a
        };
        let chunks = rayon::current_num_threads().max(1);
        let per = self.domains.len().div_ceil(chunks).max(1);
        let private = self
            .domains
            .par_chunks(per)
            .map(|ds| {
                let mut out = vec![0u64; size];
                for d in ds {
                    d.pairs(net, blocks, &full, &mut out);
                }
                out
            })
            .reduce(Vec::new, merge);
        self.matrix = if private.is_empty() {
            vec![0; size]
        } else {
            private
        };
        self.joined_pairs(&full);
        let public = self.public_pairs();
        for ((a, b), set) in public {
            let at = (a as usize * blocks + b as usize) * w;
            self.matrix[at..at + w]
                .iter_mut()
                .zip(set.words())
                .for_each(|(o, x)| *o |= x);
        }
        if self.slots.len() > self.blocks {
            let mut m = std::mem::take(&mut self.matrix);
            crate::relayed::hand_on(self, &mut m);
            self.matrix = crate::relayed::fold(&m, &self.slots, self.blocks, w);
        }
    }

    /// Delivered services between VPCs that something joins.
    fn joined_pairs(&mut self, full: &[u64]) {
        let (net, blocks, ds) = (&self.net, self.slots.len(), &self.domains);
        let pairs: Vec<(&Domain, &Domain)> = ds
            .iter()
            .flat_map(|a| ds.iter().map(move |b| (a, b)))
            .filter(|(a, b)| a.vpc != b.vpc && net.joined(a.vpc, b.vpc))
            .collect();
        let per = pairs.len().div_ceil(rayon::current_num_threads().max(1)).max(1);
        let size = self.matrix.len();
        let parts: Vec<Vec<u64>> = pairs
            .par_chunks(per)
            .map(|pairs| {
                let mut out = vec![0u64; size];
                for (a, b) in pairs {
                    crate::cross::pairs(net, a, b, blocks, full, &mut out);
                }
                out
            })
            .collect();
        for part in parts {
            self.matrix.iter_mut().zip(part).for_each(|(o, x)| *o |= x);
        }
    }

    /// Delivered services over the Internet: in, out, and out and in again.
    fn public_pairs(&self) -> Vec<((u32, u32), AtomSet)> {
        let net = &self.net;
        let doors = public::doors(net, self.domains.iter().flat_map(|d| &d.cells));
        let classes: Vec<(&Domain, &Vec<u32>)> = self
            .domains
            .iter()
            .flat_map(|d| d.classes.iter().map(move |c| (d, c)))
            .collect();
        classes
            .par_iter()
            .map(|(d, class)| {
                let cells: Vec<&Cell> = class.iter().map(|&c| &d.cells[c as usize]).collect();
                public::class(net, &cells, &self.outside, &doors)
            })
            .reduce(Vec::new, |mut a, b| {
                a.extend(b);
                a
            })
    }

    /// Services delivered from some endpoint of one block to some endpoint of another. Needs
    /// [`Reach::all_pairs`]; empty before.
    #[must_use]
    pub fn delivered(&self, from: u32, to: u32) -> AtomSet {
        let w = self.net.atoms.words();
        let at = (from as usize * self.blocks + to as usize) * w;
        self.matrix
            .get(at..at + w)
            .map_or_else(|| self.net.common.none.clone(), AtomSet::from_words)
    }

    pub(crate) fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// All cells.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.domains.iter().flat_map(|d| &d.cells)
    }

    /// The points of a block: one per cell, and one per piece of the public space that the filters around
    /// `other` tell apart.
    #[must_use]
    pub fn points(&self, block: u32, other: u32) -> Vec<(Point, Option<&Cell>)> {
        let mut out: Vec<(Point, Option<&Cell>)> = self
            .cells_of(block)
            .map(|c| (Point::Inside(c.rep), Some(c)))
            .collect();
        if let Some(region) = self.outside.get(&block) {
            let near: Vec<InterfaceId> = {
                let mut v: Vec<InterfaceId> = self.cells_of(other).map(|c| c.rep.iface).collect();
                v.sort_unstable();
                v.dedup();
                v
            };
            let cuts = self.net.cuts_around(&near);
            out.extend(
                representatives(region, &cuts)
                    .into_iter()
                    .map(|x| (Point::Outside(x), None)),
            );
        }
        out
    }

    /// Every ordered pair of points of two blocks that can be two ends of a flow, with what travels.
    ///
    /// Cost is the product of the two blocks' points; stops when `f` returns `false`.
    pub fn each_pair(&self, from: u32, to: u32, mut f: impl FnMut(Point, Point, &Flow) -> bool) {
        let sources = self.points(from, to);
        let targets = self.points(to, from);
        for (s, sc) in &sources {
            for (d, dc) in &targets {
                let (s, d) = match (sc, dc) {
                    (Some(a), Some(b)) => match distinct(a, b) {
                        Some((s, d)) => (Point::Inside(s), Point::Inside(d)),
                        None => continue,
                    },
                    _ => (*s, *d),
                };
                if ip_of(s).is_ipv4() != ip_of(d).is_ipv4() {
                    continue;
                }
                if !f(s, d, &self.net.flow(s, d)) {
                    return;
                }
            }
        }
    }

    /// Whether this is the network of everything that may happen.
    #[must_use]
    pub fn is_widened(&self) -> bool {
        self.net.mode == Mode::Widen
    }
}

/// The address of a point.
#[must_use]
pub fn ip_of(p: Point) -> std::net::IpAddr {
    match p {
        Point::Inside(Inside { ip, .. }) | Point::Outside(ip) => ip,
    }
}
