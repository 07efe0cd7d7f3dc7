//! What joins VPCs, resolved for packets: transit routers with their tables, and which VPCs can meet at all.

use crate::lookup::{Index, candidates};
use crate::network::Network;
use bartizan_model::{AttachmentId, BorderRouterId, TrTableId, VpcId, VpnConnectionId, VswitchId};
use bartizan_packet::IpSet;
use rustc_hash::FxHashSet;
use std::net::IpAddr;

/// Where a route of a transit router leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrNext {
    /// To an attachment.
    Attachment(AttachmentId),
    /// Nowhere.
    Blackhole,
}

/// Where a route of a transit router comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrRouteRef {
    /// A static route: index into `Typed::tr_routes`.
    Static(u32),
    /// Learned from an attachment.
    Learned(AttachmentId),
}

/// A route of a transit router.
#[derive(Clone, Debug)]
pub struct TrWay {
    /// Destination.
    pub ips: IpSet,
    /// Prefix length; the longest wins, static before learned (A-TR-1).
    pub length: u8,
    /// Where it leads.
    pub next: TrNext,
    /// Where it comes from.
    pub from: TrRouteRef,
    /// Whether it is not known to exist: both outcomes are possible.
    pub optional: bool,
}

/// What is at the other end of an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Far {
    /// A VPC, with the vSwitches in which packets enter; none stands for its system table.
    Vpc(VpcId, Vec<VswitchId>),
    /// The table that forwards at the other router, seen from each of the two routers' tables.
    Router,
    /// A virtual border router.
    Border(BorderRouterId),
    /// An IPsec connection.
    Connection(VpnConnectionId),
    /// Nothing that is modelled.
    Unmodelled,
    /// Nothing.
    Nothing,
}

/// An attachment.
#[derive(Clone, Debug)]
pub struct AttachedNet {
    /// What is attached.
    pub far: Far,
    /// The tables that forward what comes from it, with their routers: one, or for a peering attachment one at
    /// each end.
    pub tables: Vec<(u32, TrTableId)>,
    /// Whether IPv6 passes.
    pub ipv6: bool,
}

/// Everything that joins VPCs.
#[derive(Clone, Debug, Default)]
pub struct Transit {
    /// Tables of routers, by [`TrTableId`]; strongest route first.
    pub tables: Vec<Vec<TrWay>>,
    /// Made when the tables are complete.
    pub(crate) indices: Vec<Option<Index>>,
    /// The router of each table.
    pub routers: Vec<Option<u32>>,
    /// Attachments, by [`AttachmentId`].
    pub attachments: Vec<AttachedNet>,
    /// For each VPC the number of the group of VPCs that anything joins.
    pub groups: Vec<u32>,
    /// Attachments between which there may be no bandwidth: regions of Basic Edition (ALIBABA.md §10.1).
    pub(crate) narrow: FxHashSet<(AttachmentId, AttachmentId)>,
    /// Whether of the routes of one prefix any may be in use, also a learned one beside a static one (A-TR-1).
    pub any_of_prefix: bool,
}

impl Transit {
    /// The tables are complete: from now on a lookup does not go through all of one.
    pub(crate) fn complete_all(&mut self) {
        self.indices = vec![None; self.tables.len()];
        let all = (0u32..).map(TrTableId).take(self.tables.len());
        all.for_each(|n| self.complete(n));
    }

    /// The same of one table that is another one.
    pub(crate) fn complete(&mut self, n: TrTableId) {
        if let (Some(index), Some(table)) = (self.indices.get_mut(n.index()), self.tables.get(n.index())) {
            *index = Index::new(table.iter().map(|w| &w.ips));
        }
    }

    /// The VPC that a route was learned from.
    pub(crate) fn source(&self, w: &TrWay) -> Option<VpcId> {
        match w.from {
            TrRouteRef::Learned(a) => match &self.attachments.get(a.index())?.far {
                Far::Vpc(v, _) => Some(*v),
                _ => None,
            },
            TrRouteRef::Static(_) => None,
        }
    }

    /// The routes of a table that may decide for `ip`: all of the longest prefix, static ones first and alone; after
    /// optional ones the next. Alternatives come with whether they end the search.
    pub fn lookup(&self, table: TrTableId, ip: IpAddr) -> (Vec<&TrWay>, bool) {
        let mut out: Vec<&TrWay> = Vec::new();
        let mut decided: Option<(u8, bool)> = None;
        let ways = self.tables.get(table.index()).map_or(&[][..], Vec::as_slice);
        let index = self.indices.get(table.index()).and_then(Option::as_ref);
        for w in candidates(ways, index, ip) {
            if !w.ips.contains(ip) {
                continue;
            }
            let is_static = matches!(w.from, TrRouteRef::Static(_));
            let rank = (w.length, is_static && !self.any_of_prefix);
            if decided.is_some_and(|d| d != rank) {
                break;
            }
            if !w.optional {
                decided = Some(rank);
            }
            out.push(w);
        }
        (out, decided.is_some())
    }
}

impl Network {
    /// Whether anything may join two VPCs, whatever the routes say.
    #[must_use]
    pub fn joined(&self, a: VpcId, b: VpcId) -> bool {
        a == b
            || match (
                self.transit.groups.get(a.index()),
                self.transit.groups.get(b.index()),
            ) {
                (Some(x), Some(y)) => x == y,
                _ => false,
            }
    }

    /// Whether anything joins a VPC with others.
    pub(crate) fn has_neighbours(&self, v: VpcId) -> bool {
        let Some(g) = self.transit.groups.get(v.index()) else {
            return false;
        };
        self.transit.groups.iter().filter(|x| *x == g).count() > 1
    }
}
