//! Who can reach whom, between blocks.

use crate::domain::{Cell, Domain, Partition, distinct, shared_cuts};
use crate::flow::{Cuts, Flow, representatives};
use crate::matrix::{Arrivals, Matrix};
use crate::network::Network;
use crate::point::{Inside, Point};
use crate::public;
use bartizan_model::{InterfaceId, VpcId};
use bartizan_packet::{AtomSet, IpSet};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The engine's answer over one [`Network`] and one [`Partition`] into blocks.
///
/// Built once; every method is a pure question. Blocks are numbered as the partition numbers them.
pub struct Reach {
    pub(crate) net: Network,
    pub(crate) blocks: usize,
    /// The blocks of the rows and columns that the matrix has while it is made: blocks, then fronts.
    slots: Vec<u32>,
    pub(crate) domains: Vec<Domain>,
    /// Elementary pieces of the public space by block.
    outside: BTreeMap<u32, IpSet>,
    /// Delivered services per ordered pair of blocks; filled by [`Reach::all_pairs`].
    pub(crate) matrix: Vec<u64>,
}

/// What one thread does for the matrix.
enum Job<'a> {
    /// The pairs of one VPC.
    Inside(&'a Domain),
    /// Those of two VPCs that something joins.
    Between((usize, usize)),
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
        Reach::with_cells(net, part, false)
    }

    /// As [`Reach::new`]; with `alone` every address is a cell of its own.
    pub(crate) fn with_cells(net: Network, part: &dyn Partition, alone: bool) -> Self {
        let mut by_vpc: BTreeMap<VpcId, Vec<InterfaceId>> = BTreeMap::new();
        for f in net.ifaces.iter().flatten() {
            if let Some(v) = net.vpc_of(f) {
                by_vpc.entry(v).or_default().push(f.id);
            }
        }
        let by_vpc: Vec<(VpcId, Vec<InterfaceId>)> = by_vpc.into_iter().collect();
        let shared = shared_cuts(&net, &by_vpc);
        let mut domains = by_vpc
            .par_iter()
            .map(|(v, ifaces)| Domain::new(&net, *v, ifaces, &shared, part, alone))
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
        self.build_rows();
        let mut m = self.unrelayed(true, true);
        crate::relayed::hand_on(self, &mut m);
        self.matrix = m.fold(&self.slots);
    }

    pub(crate) fn build_rows(&mut self) {
        let net = &self.net;
        self.domains.par_iter_mut().for_each(|d| d.build_rows(net));
    }

    /// What travels without the help of balancers; `inside` says whether with what stays inside one VPC, and `between`
    /// whether with what travels from VPC to VPC.
    pub(crate) fn unrelayed(&self, inside: bool, between: bool) -> Matrix {
        let w = self.net.atoms.words();
        let net = &self.net;
        let full = net.common.all.words().to_vec();
        let joint = between.then(|| crate::cross::Joint::new(&self.net, &self.domains));
        let own = self.domains.iter().filter(|_| inside);
        let mut jobs: Vec<Job<'_>> = own.map(Job::Inside).collect();
        jobs.extend(joint.iter().flat_map(|j| j.pairs()).map(Job::Between));
        // Each thread takes the next job; unions do not mind the order.
        let arrivals = Arrivals::new(self.blocks, self.slots.len(), w);
        let next = AtomicUsize::new(0);
        (0..rayon::current_num_threads().clamp(1, jobs.len().max(1)))
            .into_par_iter()
            .with_max_len(1)
            .for_each(|_| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match job {
                        Job::Inside(d) => d.pairs(net, &full, &arrivals),
                        Job::Between(p) => {
                            if let Some(joint) = &joint {
                                joint.pair(*p, &full, &arrivals);
                            }
                        }
                    }
                }
            });
        drop(joint);
        let mut m = Matrix::new(arrivals);
        for ((a, b), set) in self.public_pairs() {
            m.add(a, b, &set);
        }
        for ((a, b), set) in crate::point::inner::pairs(net, &self.domains) {
            m.add(a, b, &set);
        }
        m
    }

    /// Delivered services over the Internet: in, out, and out and in again.
    fn public_pairs(&self) -> Vec<((u32, u32), AtomSet)> {
        let net = &self.net;
        let cells = || self.domains.iter().flat_map(|d| &d.cells);
        let border = public::Border::new(net, cells());
        let doors = public::doors(&border, cells());
        let classes: Vec<(&Domain, &Vec<u32>)> = self
            .domains
            .iter()
            .flat_map(|d| d.classes.iter().map(move |c| (d, c)))
            .collect();
        classes
            .par_iter()
            .map(|(d, class)| {
                let cells: Vec<&Cell> = class.iter().map(|&c| &d.cells[c as usize]).collect();
                public::class(&border, &cells, &self.outside, &doors)
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

    /// The pieces of the public space of a block that the filters around one interface tell apart.
    pub(crate) fn outside_points(&self, block: u32, other: InterfaceId) -> Vec<Point> {
        let Some(region) = self.outside.get(&block) else {
            return Vec::new();
        };
        let cuts = self.net.cuts_around(&[other]);
        let all = representatives(region, &cuts).into_iter();
        all.map(Point::Outside).collect()
    }

    /// Ordered pairs of points of two blocks inside one VPC between which services of `atoms` are delivered as far as the
    /// lists of the two say; stops when `f` returns `false`. Not all that travels is found: not what balancers hand on,
    /// what leaves the VPC, and nothing before rows are built.
    ///
    /// Cost is linear in the cells, and a few numbers for each pair: what [`Reach::each_pair`] finds after asking for
    /// nearly everything is found here at once.
    pub fn neighbours(&self, from: u32, to: u32, atoms: &AtomSet, mut f: impl FnMut(Point, Point) -> bool) {
        let mut tmp = vec![0u64; atoms.words().len()];
        let (mut sources, mut targets) = (Vec::new(), Vec::new());
        for d in self.domains.iter().filter(|d| !d.lists.is_empty()) {
            sources.clear();
            targets.clear();
            for (n, c) in d.cells.iter().enumerate() {
                if c.block == from {
                    sources.push(n);
                }
                if c.block == to {
                    targets.push(n);
                }
            }
            for &s in &sources {
                for &t in &targets {
                    if !d.pair(&self.net, s, t, &mut tmp)
                        || tmp.iter().zip(atoms.words()).all(|(x, a)| x & a == 0)
                    {
                        continue;
                    }
                    if let Some((a, b)) = distinct(&d.cells[s], &d.cells[t])
                        && !f(Point::Inside(a), Point::Inside(b))
                    {
                        return;
                    }
                }
            }
        }
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
                if !self.net.may_meet(s, d) {
                    continue;
                }
                if !f(s, d, &self.net.flow(s, d)) {
                    return;
                }
            }
        }
    }
}

/// The address of a point.
#[must_use]
pub fn ip_of(p: Point) -> std::net::IpAddr {
    match p {
        Point::Inside(Inside { ip, .. }) | Point::Outside(ip) => ip,
    }
}
