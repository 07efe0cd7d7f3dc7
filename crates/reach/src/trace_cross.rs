//! The steps of a packet from one VPC into another; follows `point::cross` branch by branch.

use crate::firewall::Across;
use crate::hybrid::BorderSide;
use crate::point::{End, Own, Place};
use crate::trace::{DecidedBy, Decision, Layer, Step};
use crate::trace_walk::{Branch, Leg, Tracer, Trail};
use crate::transit::{Far, TrNext, TrRouteRef, TrWay};
use bartizan_model::{AttachmentId, InterfaceId, PeeringId, TrTableId, VpcId};
use std::sync::Arc;

impl Tracer<'_> {
    /// What the packet is at when routes are asked.
    pub(crate) fn place_at(&self, at: Place<'_>) -> Arc<str> {
        match at {
            Place::Iface(i) => self.vsw_at(i.vswitch),
            Place::Router(_, Some(z)) => self.vsw_at(z),
            Place::Router(v, None) => self.inv.typed[v].meta.origin.address.clone(),
        }
    }

    pub(crate) fn home(&self, m: Leg<'_>) -> Option<VpcId> {
        m.sender
            .and_then(|s| self.net.iface(s.iface))
            .and_then(|i| self.net.vpc_of(i))
    }

    /// The ACL on the way out of the vSwitch of a place, if one applies.
    pub(crate) fn acl_out(&self, at: Place<'_>, m: Leg<'_>) -> Option<Step> {
        match at {
            Place::Iface(i) if i.no_acl() => None,
            Place::Iface(i) => self.acl(i.vswitch, false, m),
            Place::Router(_, z) => {
                let s = self.acl(z.filter(|_| self.net.says.zone_acls)?, false, m)?;
                Some(Step {
                    assumptions: s.assumptions.iter().copied().chain(["A-TR-2"]).collect(),
                    ..s
                })
            }
        }
    }

    fn attachment(&self, a: AttachmentId, text: String, decision: Decision) -> Step {
        let origin = self.inv.typed[a].meta.origin.clone();
        Step {
            from: Some(DecidedBy::Attachment(a)),
            origin: Some(origin.clone()),
            ..self.step(origin.address, Layer::TransitRouter, text, decision)
        }
    }

    pub(crate) fn peer(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        at: Place<'_>,
        (p, far): (PeeringId, VpcId),
        to: InterfaceId,
        out: &mut Vec<Branch>,
    ) {
        t.extend(self.acl_out(at, m));
        let origin = self.inv.typed[p].meta.origin.clone();
        let text = format!("into `{}`", self.inv.typed[far].meta.origin.address);
        let s = self.step(origin.address.clone(), Layer::Peering, text, Decision::Forward);
        t.push(Step {
            origin: Some(origin),
            ..s
        });
        self.reach(m, t, Some(Place::Router(far, None)), to, out);
    }

    pub(crate) fn cross(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        at: Place<'_>,
        a: AttachmentId,
        out: &mut Vec<Branch>,
    ) {
        t.extend(self.acl_out(at, m));
        let stop = |why: &str| self.attachment(a, why.to_string(), Decision::Drop);
        let Some(net) = self.net.transit.attachments.get(a.index()) else {
            return self.end(t, End::Dropped, out);
        };
        if !matches!(net.far, Far::Vpc(v, _) if self.net.vpc_at(at) == Some(v)) {
            return self.dropped(t, stop("this attachment is not one of this VPC"), out);
        }
        if !net.ipv6 && m.dst.ip.is_ipv6() {
            return self.dropped(t, stop("this attachment does not carry IPv6"), out);
        }
        if net.tables.is_empty() {
            let why = "no table of the transit router is associated with this attachment";
            return self.dropped(t, stop(why), out);
        }
        for &(_, table) in &net.tables {
            self.across(m, t.clone(), a, table, out);
        }
    }

    fn at_table(&self, table: TrTableId, text: String, decision: Decision) -> Step {
        let origin = self.inv.typed[table].meta.origin.clone();
        Step {
            origin: Some(origin.clone()),
            ..self.step(origin.address, Layer::TransitRouter, text, decision)
        }
    }

    fn way(&self, table: TrTableId, w: &TrWay) -> Step {
        let t = &self.inv.typed;
        let (to, decision) = match w.next {
            TrNext::Blackhole => ("a blackhole".to_string(), Decision::Drop),
            TrNext::Attachment(a) => (format!("`{}`", t[a].meta.origin.address), Decision::Forward),
        };
        let nets = w.ips.to_nets();
        let what = nets
            .first()
            .map_or_else(|| "any".to_string(), ToString::to_string);
        match w.from {
            TrRouteRef::Static(i) => Step {
                origin: t.tr_routes.get(i as usize).map(|r| r.origin.clone()),
                from: Some(DecidedBy::TrRoute(i)),
                ..self.at_table(table, format!("static route {what} to {to}"), decision)
            },
            TrRouteRef::Learned(a) => Step {
                from: Some(DecidedBy::Attachment(a)),
                ..self.at_table(table, format!("learned route {what} to {to}"), decision)
            },
        }
    }

    pub(crate) fn across(
        &self,
        m: Leg<'_>,
        mut t: Trail,
        from: AttachmentId,
        table: TrTableId,
        out: &mut Vec<Branch>,
    ) {
        let stop = |why: String| self.at_table(table, why, Decision::Drop);
        if t.tables.contains(&table) {
            let why = "the packet has been in this table already: it loops";
            return self.dropped(t, stop(why.to_string()), out);
        }
        t.tables.push(table);
        let (ways, decided) = self.net.transit.lookup(table, m.dst.ip);
        let all = self.net.transit.tables.get(table.index());
        // Of equal prefixes the static one is in use.
        let contested = |w: &TrWay| {
            matches!(w.from, TrRouteRef::Static(_))
                && all.is_some_and(|all| all.iter().any(|o| o.from != w.from && o.ips == w.ips))
        };
        for w in ways {
            let mut s = self.way(table, w);
            if contested(w) {
                s.assumptions.push("A-TR-1");
            }
            match w.next {
                TrNext::Attachment(b) if b != from => {
                    let mut t = t.clone();
                    t.push(s);
                    let router = self.net.transit.routers.get(table.index()).copied().flatten();
                    let at = Across::Router(router.unwrap_or(u32::MAX), [from, b], w.length);
                    self.judge(m, &mut t, at);
                    if self.net.transit.narrow.contains(&(from, b)) {
                        let why = "whether there is bandwidth between the two regions is not known";
                        self.dropped(t.clone(), stop(why.to_string()), out);
                    }
                    self.hand_over(m, t, b, table, out);
                }
                TrNext::Attachment(_) => {
                    let mut t = t.clone();
                    t.push(s);
                    let why = "the route leads back to where the packet came from";
                    self.dropped(t, stop(why.to_string()), out);
                }
                TrNext::Blackhole => self.dropped(t.clone(), s, out),
            }
        }
        if !decided {
            self.dropped(t, stop(format!("no route to {}", m.dst.ip)), out);
        }
    }

    fn hand_over(&self, m: Leg<'_>, t: Trail, to: AttachmentId, table: TrTableId, out: &mut Vec<Branch>) {
        let stop = |why: &str| self.attachment(to, why.to_string(), Decision::Drop);
        let Some(net) = self.net.transit.attachments.get(to.index()) else {
            return self.end(t, End::Dropped, out);
        };
        if !net.ipv6 && m.dst.ip.is_ipv6() {
            return self.dropped(t, stop("this attachment does not carry IPv6"), out);
        }
        match &net.far {
            Far::Vpc(v, zones) if zones.is_empty() => {
                let system = self.net.vpcs.get(v.index()).map_or(u32::MAX, |n| n.system_table);
                self.forward(m, &t, Place::Router(*v, None), Own::No, &[system], out);
            }
            Far::Vpc(v, zones) => {
                for &z in zones {
                    match self.net.vsw(z) {
                        Some(zone) => {
                            self.forward(m, &t, Place::Router(*v, Some(z)), Own::No, &zone.tables, out);
                        }
                        None => self.end(t.clone(), End::Dropped, out),
                    }
                }
            }
            Far::Router => {
                let here = self.net.transit.routers.get(table.index()).copied().flatten();
                let others: Vec<TrTableId> = net
                    .tables
                    .iter()
                    .filter(|(r, _)| Some(*r) != here)
                    .map(|(_, t)| *t)
                    .collect();
                if others.is_empty() {
                    let why = "no table of the router at the other end is associated with this attachment";
                    return self.dropped(t, stop(why), out);
                }
                for next in others {
                    self.across(m, t.clone(), to, next, out);
                }
            }
            Far::Border(b) => self.at_border(m, t, *b, BorderSide::Attachment(to), out),
            Far::Connection(c) => self.to_attached(m, t, *c, out),
            Far::Unmodelled => self.dropped(t, stop("what is attached is not modelled"), out),
            Far::Nothing => self.dropped(t, stop("nothing is attached"), out),
        }
    }
}
