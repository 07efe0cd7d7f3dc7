//! The border of a VPC: ways out to the Internet and in from it, with the replies.

use super::{
    Branch, By, Crossed, End, Entry, Exit, ExitKind, Inside, MAX_APPLIANCES, Moving, Own, PeerView, Place,
    ReplyPort, Trail, is_service_ip,
};
use crate::network::{DnatIn, Hop, Mapped, Mode, Nat, Network, Vsw};
use bartizan_model::{EipId, InterfaceId, NatId, VpcId, VswitchId};
use bartizan_packet::{AtomSet, IpSet};
use std::net::IpAddr;
use std::sync::Arc;

impl Network {
    /// What the platform and the kind of address let through to the Internet at all.
    pub(crate) fn public_carrier(&self, dst: IpAddr, request: bool) -> AtomSet {
        let mut a = self.common.all.clone();
        if request && !self.says.smtp {
            // A-P25.
            a.subtract_with(&self.common.smtp);
        }
        if dst.is_ipv4() {
            // §7.4: a public IPv4 address carries TCP, UDP and ICMP only.
            a.intersect_with(&self.common.public_v4);
        }
        a
    }

    fn out_branches(
        &self,
        s: Inside,
        peer: PeerView<'_>,
        sessions: &[InterfaceId],
        translate: bool,
        ask: Option<ReplyPort>,
    ) -> Vec<Branch> {
        let dst = peer.ip;
        let Some((si, sa)) = self.addr_of(s) else {
            return Vec::new();
        };
        if s.ip.is_ipv4() != dst.is_ipv4() || s.ip.is_ipv6() && !sa.v6.outbound {
            return Vec::new();
        }
        let m = Moving {
            src: self.private_view(s),
            dst: peer,
            sessions,
            goal: None,
            sender: Some(s),
            translate,
            exempt: None,
            ask,
        };
        let mut out = Vec::new();
        self.leave(m, self.start(s), si, true, &mut out);
        out
    }

    /// Every way out to a public address `dst` (or to the service range), with the services that take it.
    /// When narrowing, branches that drop are listed too.
    pub(crate) fn exits<'p>(&self, s: Inside, to: impl Into<PeerView<'p>>, ask: ReplyPort) -> Vec<Exit> {
        self.exits_of(s, to.into(), ask, true)
    }

    pub(super) fn exits_of(&self, s: Inside, to: PeerView<'_>, ask: ReplyPort, translate: bool) -> Vec<Exit> {
        let dst = to.ip;
        let Some((si, sa)) = self.addr_of(s) else {
            return Vec::new();
        };
        let here = || Arc::new(IpSet::single(s.ip));
        if is_service_ip(dst) && si.site.is_some() {
            return Vec::new();
        }
        if is_service_ip(dst) {
            let mut atoms = self.sg(si, false, PeerView::public(dst));
            if let Some(v) = self.vsw(si.vswitch) {
                atoms.intersect_with(&self.acl(v, false, dst));
            }
            let kind = ExitKind::Service;
            return vec![Exit {
                kind,
                src: here(),
                eip: None,
                route: None,
                appliances: Vec::new(),
                crossed: Crossed::default(),
                atoms,
            }];
        }
        let carrier = self.public_carrier(dst, true);
        let mut out = Vec::new();
        for b in self.out_branches(s, to, &[], translate, Some(ask)) {
            let atoms = b.atoms.intersect(&carrier);
            let exit = |kind, src: Arc<IpSet>, eip| {
                let mut atoms = atoms.clone();
                if kind != ExitKind::Dropped {
                    self.filter_exit(s, kind, (&src, eip), dst, &b, &mut atoms);
                }
                Exit {
                    kind,
                    src,
                    eip,
                    route: b.route,
                    appliances: b.appliances.clone(),
                    crossed: b.crossed.clone(),
                    atoms,
                }
            };
            match b.end {
                // A public address that may not exist takes no packet for certain.
                End::Own if sa.own.is_empty() => out.push(exit(ExitKind::Dropped, here(), None)),
                End::Own => {
                    out.extend(
                        sa.own
                            .iter()
                            .enumerate()
                            .map(|(i, o)| exit(ExitKind::Own(i), o.ips.clone(), o.eip)),
                    );
                }
                End::V6 => out.push(exit(ExitKind::V6, here(), None)),
                End::Nat(n) => {
                    let found = self.snat_of(n, s, dst);
                    if found.is_empty() {
                        out.push(exit(ExitKind::Dropped, here(), None));
                    }
                    out.extend(
                        found
                            .into_iter()
                            .map(|(i, eip, ips)| exit(ExitKind::Snat(n, i), ips, eip)),
                    );
                }
                End::Translated(f, addr, i) if translate => {
                    let src = self.appliance_source(f, addr, i, dst);
                    out.push(exit(ExitKind::Appliance(addr, i), src, None));
                }
                End::Dropped | End::Arrived | End::Inner(_) | End::Translated(..) => {
                    out.push(exit(ExitKind::Dropped, here(), None));
                }
            }
        }
        for e in out.iter_mut().filter(|e| e.kind == ExitKind::Dropped) {
            e.atoms = self.common.none.clone();
        }
        if self.mode == Mode::Widen {
            out.retain(|e| !e.atoms.is_empty());
        }
        out
    }

    /// The address with which an appliance sends on what it translates: its own, or anybody's where a NAT
    /// gateway translates again.
    pub(crate) fn appliance_source(&self, f: InterfaceId, addr: u32, own: usize, dst: IpAddr) -> Arc<IpSet> {
        match self.iface(f).and_then(|f| f.addrs.get(addr as usize)) {
            Some(a) if dst.is_ipv6() => Arc::new(a.region.clone()),
            Some(a) if own < a.own.len() => a.own[own].ips.clone(),
            _ => Arc::new(self.outside_v4()),
        }
    }

    /// What firewalls leave of what takes an exit.
    fn filter_exit(
        &self,
        s: Inside,
        kind: ExitKind,
        (src, eip): (&IpSet, Option<EipId>),
        dst: IpAddr,
        b: &Branch,
        atoms: &mut AtomSet,
    ) {
        let crossed = !b.crossed.attachments.is_empty();
        if let ExitKind::Snat(n, _) = kind {
            for m in self.met_nat(s, n, dst, b.appliances.is_empty() && !crossed) {
                atoms.intersect_with(&self.passing(&m));
            }
        }
        if let Some(m) = self.met_outbound(s, src, eip, dst) {
            atoms.intersect_with(&self.passing(&m));
        }
    }

    fn outside_v4(&self) -> IpSet {
        IpSet {
            v4: self.outside.v4.clone(),
            ..IpSet::default()
        }
    }

    /// By which addresses an Internet NAT gateway lets out what an address sends: those of its IP mappings
    /// (docs/decisions/026), and those of SNAT entries where these may count in their place.
    pub(crate) fn snat_of(&self, n: NatId, s: Inside, dst: IpAddr) -> Vec<(By, Option<EipId>, Arc<IpSet>)> {
        let (Some(nat), Some((si, sa))) = (self.nats.get(n.index()), self.addr_of(s)) else {
            return Vec::new();
        };
        if !nat.exit.contains(dst) {
            return Vec::new();
        }
        let mut out = Vec::new();
        let mut certain = false;
        let here = |m: &Mapped| m.nat == n && m.to.is_none_or(|to| to == s.ip);
        for (i, m) in sa.mapped.iter().enumerate().filter(|(_, m)| here(m)) {
            // Only when narrowing: by which address packets leave is not known.
            if m.ips.is_empty() {
                return Vec::new();
            }
            certain |= !m.optional;
            out.push((By::Mapping(i), m.eip, m.ips.clone()));
        }
        if certain {
            return out;
        }
        let entries = self.snat_from(nat, Some(si.vswitch), s.ip);
        // What may have to go by an SNAT entry does not leave for certain where there is none.
        if entries.is_empty() && self.mode == Mode::Narrow {
            return Vec::new();
        }
        out.extend(entries.into_iter().map(|(i, eip, ips)| (By::Entry(i), eip, ips)));
        out
    }

    /// A-NAT-1: the entries with the longest source that covers it, and behind one that may not exist the next.
    /// The source belongs to a vSwitch, or to none.
    pub(crate) fn snat_from(
        &self,
        nat: &Nat,
        vswitch: Option<VswitchId>,
        src: IpAddr,
    ) -> Vec<(usize, Option<EipId>, Arc<IpSet>)> {
        let mut out = Vec::new();
        let mut certain: Option<u8> = None;
        // INVARIANT (SNAT order): the entries of a gateway are sorted, longest source first.
        for (i, e) in nat.snat.iter().enumerate() {
            if !self.says.any_snat && certain.is_some_and(|l| e.length < l) {
                break;
            }
            if e.sources.contains(src) && (e.vswitch.is_none() || e.vswitch == vswitch) {
                // Only when narrowing: by which address packets leave is not known.
                if e.ips.is_empty() {
                    return Vec::new();
                }
                if e.each.is_empty() {
                    out.push((i, None, e.ips.clone()));
                }
                out.extend(e.each.iter().map(|(eip, ips)| (i, *eip, ips.clone())));
                certain = certain.or((!e.optional).then_some(e.length));
            }
        }
        if certain.is_none() && self.mode == Mode::Narrow {
            out.clear();
        }
        out
    }

    /// Requests that leave through `e` towards `dst` whose replies come back in to the source.
    pub(crate) fn exit_replies<'p>(
        &self,
        s: Inside,
        to: impl Into<PeerView<'p>>,
        e: &Exit,
        ask: ReplyPort,
    ) -> AtomSet {
        let home = self.exit_home(s, to.into(), e);
        self.back(&home, ask).intersect(&e.atoms)
    }

    /// The branches of a reply to what left through `e` towards `to`.
    pub(super) fn exit_home(&self, s: Inside, to: PeerView<'_>, e: &Exit) -> Vec<Branch> {
        let entry = match e.kind {
            ExitKind::Own(i) => Entry::Own(i),
            ExitKind::Snat(n, _) => Entry::Back(Some(n)),
            ExitKind::Appliance(..) => Entry::Back(None),
            ExitKind::V6 => Entry::V6,
            ExitKind::Service => return self.service_home(s, to),
            ExitKind::Dropped => return Vec::new(),
        };
        let mut sessions = vec![s.iface];
        sessions.extend(&e.appliances);
        self.enter(s, to, entry, &sessions, None)
    }

    /// The same of the service range of the cloud, which no route is about.
    fn service_home(&self, s: Inside, to: PeerView<'_>) -> Vec<Branch> {
        let mut home = Vec::new();
        let Some((i, _)) = self.addr_of(s) else {
            return home;
        };
        let Some(v) = self.vsw(i.vswitch) else {
            return home;
        };
        let m = Moving {
            src: to,
            dst: self.private_view(s),
            sessions: &[s.iface],
            goal: Some(s.iface),
            sender: None,
            translate: false,
            exempt: None,
            ask: None,
        };
        let mut t = self.start(s);
        self.acl_in(&mut t, v, m);
        if self.keeps_no_state(i) {
            t.atoms.intersect_with(&self.sg(i, true, to));
        }
        let atoms = t.atoms.clone();
        self.end(t, End::Arrived, atoms, &mut home);
        home
    }

    /// The ways in to an address.
    pub(crate) fn doors(&self, d: Inside) -> Vec<Entry> {
        let Some((di, da)) = self.addr_of(d) else {
            return Vec::new();
        };
        if d.ip.is_ipv6() {
            // §7.3: gateway and bandwidth.
            let gateway = self
                .vpc_of(di)
                .and_then(|v| self.vpcs.get(v.index()))
                .is_some_and(|v| v.ipv6_gateway);
            // A-LB-2: a balancer may need no gateway.
            return if da.v6.inbound && (gateway || di.free_front()) {
                vec![Entry::V6]
            } else {
                Vec::new()
            };
        }
        (0..da.own.len())
            .map(Entry::Own)
            .chain(DnatIn::leading(&da.dnat, d.ip).map(Entry::Dnat))
            .collect()
    }

    /// The VPC and vSwitch of a NAT gateway that is not in the VPC of `v`.
    pub(crate) fn nat_elsewhere(&self, n: NatId, v: &Vsw) -> Option<(VpcId, Option<VswitchId>)> {
        let n = self.nats.get(n.index())?;
        n.vpc.filter(|w| *w != v.vpc).map(|w| (w, n.vswitch))
    }

    /// The tables that forward for a gateway in a vSwitch; the system table where the vSwitch is not known.
    pub(crate) fn tables_of(&self, vpc: VpcId, z: Option<VswitchId>) -> Vec<u32> {
        match z.and_then(|z| self.vsw(z)) {
            Some(v) => v.tables.clone(),
            None => self
                .vpcs
                .get(vpc.index())
                .map(|n| n.system_table)
                .into_iter()
                .collect(),
        }
    }

    /// The branches of a packet from a public source that enters towards `d`.
    pub(super) fn enter(
        &self,
        d: Inside,
        from: PeerView<'_>,
        e: Entry,
        sessions: &[InterfaceId],
        ask: Option<ReplyPort>,
    ) -> Vec<Branch> {
        let x = from.ip;
        let Some((di, da)) = self.addr_of(d) else {
            return Vec::new();
        };
        let Some(v) = self.vsw(di.vswitch) else {
            return Vec::new();
        };
        if d.ip.is_ipv4() != x.is_ipv4() {
            return Vec::new();
        }
        let m = Moving {
            src: from,
            dst: self.private_view(d),
            sessions,
            goal: Some(d.iface),
            sender: None,
            translate: false,
            exempt: None,
            ask,
        };
        let t = Trail {
            visited: Vec::new(),
            senders: 0,
            ..self.start(d)
        };
        let mut out = Vec::new();
        match e {
            // §15: the public side of a managed service needs neither route nor gateway.
            Entry::Own(_) if di.free_public() => self.reach(m, t, None, d.iface, &mut out),
            Entry::Dnat(i)
                if !self
                    .nats
                    .get(da.dnat[i].nat.index())
                    .is_some_and(|n| n.exit.contains(x)) =>
            {
                self.dropped(t, &mut out);
            }
            Entry::Back(Some(n)) if self.nat_elsewhere(n, v).is_some() => {
                // A reply from a NAT gateway of another VPC goes by the table of its own vSwitch.
                if let Some((vpc, z)) = self.nat_elsewhere(n, v) {
                    let tables = self.tables_of(vpc, z);
                    self.forward(m, &t, Place::Router(vpc, z), Own::No, &tables, &mut out);
                }
            }
            Entry::V6 if di.free_front() => self.reach(m, t, None, d.iface, &mut out),
            Entry::V6 if !self.routes_to(v, x, &Hop::Ipv6Gateway) => self.dropped(t, &mut out),
            Entry::Own(_) if self.controlled(v.vpc) || self.leads(v.vpc) => {
                // Where it is not known whether the gateway is active, both happen.
                if self.controlled(v.vpc) != self.leads(v.vpc) {
                    self.reach(m, t.clone(), None, d.iface, &mut out);
                }
                if !self.gateway_answers(v, x) {
                    self.dropped(t, &mut out);
                } else if let Some(table) = self
                    .vpcs
                    .get(v.vpc.index())
                    .and_then(|n| n.ingress_table)
                    .and_then(|t| self.tables.get(t as usize))
                {
                    // §3.6: the table of the IPv4 gateway may send the packet to an ENI first.
                    let mut decided = false;
                    for r in table.lookup(d.ip) {
                        decided |= !r.optional;
                        for h in &r.hops {
                            match h {
                                Hop::Local => self.reach(m, t.clone(), None, d.iface, &mut out),
                                Hop::Interface(i) => self.reach(m, t.clone(), None, *i, &mut out),
                                Hop::HaVip(h) => {
                                    for f in self.ha_vips.get(h.index()).map_or(&[][..], |v| v) {
                                        self.reach(m, t.clone(), None, *f, &mut out);
                                    }
                                }
                                _ => self.dropped(t.clone(), &mut out),
                            }
                        }
                    }
                    if !decided {
                        self.dropped(t, &mut out);
                    }
                } else {
                    self.reach(m, t, None, d.iface, &mut out);
                }
            }
            _ => self.reach(m, t, None, d.iface, &mut out),
        }
        out
    }

    /// Whether the tables of a vSwitch send `ip` straight to a gateway (§7.2, §7.3): by some branch when
    /// widening, by every branch when narrowing.
    pub(crate) fn routes_to(&self, v: &Vsw, ip: IpAddr, gateway: &Hop) -> bool {
        self.routes_by(v, ip, gateway, MAX_APPLIANCES)
    }

    /// The same by way of at most `more` interfaces that pass packets on as they are.
    fn routes_by(&self, v: &Vsw, ip: IpAddr, gateway: &Hop, more: usize) -> bool {
        let leads = |h: &Hop| {
            h == gateway
                || ip.is_ipv4() && self.passed_on(v, h, more, |w| self.routes_by(w, ip, gateway, more - 1))
        };
        let (mut any, mut all) = (false, true);
        for table in v.tables.iter().filter_map(|&t| self.tables.get(t as usize)) {
            let mut decided = false;
            for r in table.lookup(ip) {
                decided |= !r.optional;
                any |= r.hops.iter().any(leads);
                all &= r.hops.iter().all(leads);
            }
            all &= decided;
        }
        match self.mode {
            Mode::Widen => any,
            Mode::Narrow => any && all,
        }
    }

    /// Whether the vSwitch is open to what comes from `x` by the IPv4 gateway: it routes back to the gateway,
    /// or to an appliance that may do more than forward. With A-IGW-1 as `any` a route for anybody does.
    pub(crate) fn gateway_answers(&self, v: &Vsw, x: IpAddr) -> bool {
        self.routes_to(v, x, &Hop::Ipv4Gateway)
            || self.may_translate() && self.routes_to_appliance(v, x)
            || self.lets_anybody_in(v)
    }

    /// Whether the tables of a vSwitch let everybody in by the IPv4 gateway (A-IGW-1 as `any`).
    pub(crate) fn lets_anybody_in(&self, v: &Vsw) -> bool {
        self.says.any_gateway_route && self.has_gateway_route(v, MAX_APPLIANCES)
    }

    /// Whether the tables of a vSwitch have a route to the IPv4 gateway, for whatever destination.
    fn has_gateway_route(&self, v: &Vsw, more: usize) -> bool {
        let leads = |h: &Hop| match h {
            Hop::Ipv4Gateway => true,
            Hop::Interface(_) | Hop::HaVip(_) => {
                self.may_translate() || self.passed_on(v, h, more, |w| self.has_gateway_route(w, more - 1))
            }
            _ => false,
        };
        let mut tables = v.tables.iter().filter_map(|&t| self.tables.get(t as usize));
        match self.mode {
            Mode::Widen => tables.flat_map(|t| &t.routes).flat_map(|r| &r.hops).any(leads),
            Mode::Narrow => tables.all(|t| {
                t.routes
                    .iter()
                    .any(|r| !r.optional && !r.hops.is_empty() && r.hops.iter().all(leads))
            }),
        }
    }

    /// Whether a next hop of a vSwitch is an interface of its VPC that passes packets on to the gateway as if they were
    /// there themselves (docs/decisions/021, 6; A-IGW-2), in whose vSwitch something holds. Of the holders of a virtual IP
    /// any counts when widening, all have to when narrowing.
    fn passed_on(&self, v: &Vsw, h: &Hop, more: usize, then: impl Fn(&Vsw) -> bool) -> bool {
        let through = |i: &InterfaceId| {
            self.iface(*i)
                .filter(|f| f.forwards && (f.inspects || self.says.forwarded))
                .and_then(|f| self.vsw(f.vswitch))
                .is_some_and(|w| w.vpc == v.vpc && then(w))
        };
        match h {
            _ if more == 0 => false,
            Hop::Interface(i) => through(i),
            Hop::HaVip(h) => {
                let holders = self.ha_vips.get(h.index()).map_or(&[][..], |v| v);
                match self.mode {
                    Mode::Widen => holders.iter().any(through),
                    Mode::Narrow => !holders.is_empty() && holders.iter().all(through),
                }
            }
            _ => false,
        }
    }

    /// Whether an appliance is taken to do more than forward unchanged (A-APPL-1).
    pub(crate) fn may_translate(&self) -> bool {
        self.says.translate
    }

    /// Whether a vSwitch sends what is for an address to an interface.
    pub(crate) fn routes_to_appliance(&self, v: &Vsw, ip: IpAddr) -> bool {
        let tables = v.tables.iter().filter_map(|&t| self.tables.get(t as usize));
        tables
            .flat_map(|t| t.lookup(ip))
            .flat_map(|r| &r.hops)
            .any(|h| matches!(h, Hop::Interface(_) | Hop::HaVip(_)))
    }

    /// What an entry lets in by itself: the ports of a DNAT entry and the protocols of a public address.
    pub(crate) fn door_atoms(&self, d: Inside, e: Entry) -> AtomSet {
        let mut a = match (self.addr_of(d), e) {
            (Some((_, a)), Entry::Dnat(i)) => self.atoms.touching(&a.dnat[i].internal()),
            _ => self.common.all.clone(),
        };
        if e != Entry::V6 {
            a.intersect_with(&self.common.public_v4);
        }
        a
    }

    /// Services (as delivered) that come in through an entry from a public source `x`.
    pub(crate) fn arrive<'p>(&self, d: Inside, from: impl Into<PeerView<'p>>, e: Entry) -> AtomSet {
        let from: PeerView<'p> = from.into();
        let all = self.enter(d, from, e, &[], Some(ReplyPort::Ephemeral));
        let a = self.fold(all.into_iter().map(|b| b.atoms));
        let a = a.intersect(&self.door_atoms(d, e));
        match self.boundary_in(d, from.ip, e) {
            Some(b) => a.intersect(&b),
            None => a,
        }
    }

    /// As [`Network::arrive`], with those whose replies get back the same way (§8.5, R8).
    pub(crate) fn arrive_flow<'p>(
        &self,
        d: Inside,
        from: impl Into<PeerView<'p>>,
        e: Entry,
        ask: ReplyPort,
    ) -> (AtomSet, AtomSet) {
        let from: PeerView<'p> = from.into();
        let mut door = self.door_atoms(d, e);
        if let Some(b) = self.boundary_in(d, from.ip, e) {
            door.intersect_with(&b);
        }
        let branches = self.enter(d, from, e, &[], Some(ask));
        let works = self.fold(branches.iter().map(|b| {
            if b.atoms.is_empty() {
                return b.atoms.clone();
            }
            let back = self.answers(d, from, e, b);
            self.back(&back, ask).intersect(&b.atoms)
        }));
        let delivered = self.fold(branches.into_iter().map(|b| b.atoms));
        (delivered.intersect(&door), works.intersect(&door))
    }

    /// The branches of a reply to what came in through `e` by `b`; those that leave by another door are lost.
    pub(super) fn answers(&self, d: Inside, from: PeerView<'_>, e: Entry, b: &Branch) -> Vec<Branch> {
        let mut sessions = vec![d.iface];
        sessions.extend(&b.appliances);
        let same = |b: &Branch| match (e, b.end) {
            (Entry::Own(_), End::Own) | (Entry::V6, End::V6) => true,
            (Entry::Dnat(i), End::Nat(n)) => self.addr_of(d).is_some_and(|(_, a)| a.dnat[i].nat == n),
            _ => false,
        };
        // An egress-only IPv6 address may answer, a private one not.
        let mut back = self.out_branches(d, from, &sessions, false, None);
        for b in back.iter_mut().filter(|b| !same(b)) {
            b.atoms = self.common.none.clone();
        }
        back
    }
}
