//! From one VPC into another: peering and transit routers (docs/decisions/010).

use super::{Branch, Moving, Own, Place, Trail};
use crate::firewall::Across;
use crate::hybrid::BorderSide;
use crate::network::{Iface, Network};
use crate::transit::{Far, TrNext, TrRouteRef};
use bartizan_model::{AttachmentId, InterfaceId, TrTableId, VpcId};
use bartizan_packet::AtomSet;
use std::net::IpAddr;

impl Network {
    /// The VPC in which a place is.
    pub(crate) fn vpc_at(&self, at: Place<'_>) -> Option<VpcId> {
        match at {
            Place::Iface(i) => self.vpc_of(i),
            Place::Router(v, _) => Some(v),
        }
    }

    /// Whether packets with private addresses may get from one interface to the other at all.
    pub(crate) fn meet(&self, a: &Iface, b: &Iface) -> bool {
        match (self.vpc_of(a), self.vpc_of(b)) {
            (Some(a), Some(b)) => self.joined(a, b),
            _ => false,
        }
    }

    /// The VPC of the sender of a packet to the Internet.
    pub(super) fn vpc_of_sender(&self, m: Moving<'_>) -> Option<VpcId> {
        m.sender
            .and_then(|s| self.iface(s.iface))
            .and_then(|i| self.vpc_of(i))
    }

    /// The stateless filter on the way out of the vSwitch of a place.
    pub(crate) fn acl_out(&self, at: Place<'_>, dst: IpAddr) -> AtomSet {
        let vswitch = match at {
            Place::Iface(i) if i.no_acl() => None,
            Place::Iface(i) => Some(i.vswitch),
            // A-TR-2: contested, so isolation does not count on it and connectivity needs it.
            Place::Router(_, z) => z.filter(|_| self.says.zone_acls),
        };
        match vswitch.and_then(|v| self.vsw(v)) {
            Some(v) => self.acl(v, false, dst),
            None => self.common.all.clone(),
        }
    }

    /// Peering: delivers inside the VPC at the other end and nowhere else (§10.6).
    pub(super) fn peer(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        at: Place<'_>,
        far: VpcId,
        to: InterfaceId,
        out: &mut Vec<Branch>,
    ) {
        t.atoms.intersect_with(&self.acl_out(at, m.dst.ip));
        if t.atoms.is_empty() {
            return self.dropped(t, out);
        }
        self.reach(m, t, Some(Place::Router(far, None)), to, out);
    }

    /// To the transit router: the table that is associated with the attachment decides (§10.2).
    pub(super) fn cross(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        at: Place<'_>,
        a: AttachmentId,
        out: &mut Vec<Branch>,
    ) {
        let Some(net) = self.transit.attachments.get(a.index()) else {
            return self.dropped(t, out);
        };
        t.atoms.intersect_with(&self.acl_out(at, m.dst.ip));
        let here = matches!(net.far, Far::Vpc(v, _) if self.vpc_at(at) == Some(v));
        let family = net.ipv6 || m.dst.ip.is_ipv4();
        if !here || !family || t.atoms.is_empty() || net.tables.is_empty() {
            return self.dropped(t, out);
        }
        t.crossed.attachments.push(a);
        for &(_, table) in &net.tables {
            self.across(m, t.clone(), a, table, out);
        }
    }

    /// Inside the router: a table looks the packet up (§10.4).
    pub(super) fn across(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        from: AttachmentId,
        table: TrTableId,
        out: &mut Vec<Branch>,
    ) {
        if t.tables.contains(&table) {
            return self.dropped(t, out);
        }
        t.tables.push(table);
        let (ways, decided) = self.transit.lookup(table, m.dst.ip);
        for w in ways {
            let mut t = t.clone();
            if let TrRouteRef::Static(i) = w.from {
                t.crossed.statics.push(i);
            }
            match w.next {
                TrNext::Attachment(b) if b != from => {
                    let router = self.transit.routers.get(table.index()).copied().flatten();
                    let at = Across::Router(router.unwrap_or(u32::MAX), [from, b], w.length);
                    self.judge(m, &mut t, at);
                    // It may be dropped as well.
                    if self.transit.narrow.contains(&(from, b)) {
                        self.dropped(t.clone(), out);
                    }
                    self.hand_over(m, t, b, table, out);
                }
                TrNext::Attachment(_) | TrNext::Blackhole => self.dropped(t, out),
            }
        }
        if !decided {
            self.dropped(t, out);
        }
    }

    /// Out of the router by an attachment: into a VPC in any of its zones, or to the router at the other end.
    fn hand_over(
        &self,
        m: Moving<'_>,
        mut t: Trail,
        to: AttachmentId,
        table: TrTableId,
        out: &mut Vec<Branch>,
    ) {
        let Some(net) = self.transit.attachments.get(to.index()) else {
            return self.dropped(t, out);
        };
        if !net.ipv6 && m.dst.ip.is_ipv6() {
            return self.dropped(t, out);
        }
        t.crossed.attachments.push(to);
        match &net.far {
            Far::Vpc(v, zones) if zones.is_empty() => {
                let system = self.vpcs.get(v.index()).map_or(u32::MAX, |n| n.system_table);
                self.forward(m, &t, Place::Router(*v, None), Own::No, &[system], out);
            }
            Far::Vpc(v, zones) => {
                for &z in zones {
                    match self.vsw(z) {
                        Some(zone) => {
                            self.forward(m, &t, Place::Router(*v, Some(z)), Own::No, &zone.tables, out);
                        }
                        None => self.dropped(t.clone(), out),
                    }
                }
            }
            Far::Router => {
                let here = self.transit.routers.get(table.index()).copied().flatten();
                let mut others = net.tables.iter().filter(|(r, _)| Some(*r) != here).peekable();
                if others.peek().is_none() {
                    return self.dropped(t, out);
                }
                for &(_, next) in others {
                    self.across(m, t.clone(), to, next, out);
                }
            }
            Far::Border(b) => self.at_border(m, t, *b, BorderSide::Attachment(to), out),
            Far::Connection(c) => self.to_attached(m, t, *c, out),
            Far::Unmodelled | Far::Nothing => self.dropped(t, out),
        }
    }
}
