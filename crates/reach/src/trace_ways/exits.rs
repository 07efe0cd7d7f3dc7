//! Ways out of a VPC to the Internet, those that fail among them, and the replies to what took them.

use crate::network::Iface;
use crate::point::{By, End, Entry, ExitKind, Inside, PeerView, is_service_ip};
use crate::trace::{DecidedBy, Decision, Layer, Step};
use crate::trace_text::{dnat_text, nat_ip_text};
use crate::trace_walk::{Branch, Leg, Tracer, Trail};
use bartizan_model::{EipId, InterfaceId, NatId, SnatSource};
use bartizan_packet::IpSet;
use std::net::IpAddr;
use std::sync::Arc;

/// One way out.
pub(crate) struct ExitPath {
    pub(crate) kind: ExitKind,
    /// The public address of the sender that it uses: index into `Addr::own`.
    pub(crate) own: Option<usize>,
    pub(super) src: Arc<IpSet>,
    pub(crate) steps: Vec<Step>,
    pub(crate) open: bool,
    pub(super) appliances: Vec<InterfaceId>,
    pub(super) name: String,
}

fn region(ips: &IpSet) -> String {
    match ips.to_nets().as_slice() {
        [n] if n.addr() == n.network() && n.prefix_len() == n.max_prefix_len() => n.addr().to_string(),
        _ => "a public address that is not known yet".to_string(),
    }
}

impl Tracer<'_> {
    pub(super) fn out_branches(
        &self,
        s: Inside,
        to: PeerView<'_>,
        sessions: &[InterfaceId],
        atom: usize,
        translate: bool,
    ) -> Vec<Branch> {
        let dst = to.ip;
        let Some((si, sa)) = self.net.addr_of(s).filter(|_| s.ip.is_ipv4() == dst.is_ipv4()) else {
            return Vec::new();
        };
        let leg = Leg {
            src: self.net.private_view(s),
            dst: to,
            sessions,
            goal: None,
            sender: Some(s),
            translate,
            exempt: None,
            atom,
            first: sessions.is_empty(),
        };
        let mut out = Vec::new();
        self.leave(leg, Trail::from(s.iface), si, true, &mut out);
        if s.ip.is_ipv6() && !sa.v6.outbound {
            let why = "no IPv6 Internet bandwidth for this address";
            for b in &mut out {
                b.steps
                    .push(self.step(self.iface_at(s.iface), Layer::Ipv6Gateway, why, Decision::Drop));
                b.open = false;
            }
        }
        out
    }

    /// Every way out towards `dst`, those that fail among them.
    pub(crate) fn exits<'p>(
        &self,
        s: Inside,
        to: impl Into<PeerView<'p>>,
        atom: usize,
        translate: bool,
    ) -> Vec<ExitPath> {
        let to: PeerView<'p> = to.into();
        let dst = to.ip;
        let Some((si, sa)) = self.net.addr_of(s) else {
            return Vec::new();
        };
        let here = || Arc::new(IpSet::single(s.ip));
        let at = self.iface_at(s.iface);
        if is_service_ip(dst) {
            let leg = Leg {
                translate: false,
                ..self.out_leg(s, dst, atom)
            };
            let mut t = Trail::from(s.iface);
            t.push(self.sg(si, false, leg));
            t.extend(self.acl(si.vswitch, false, leg));
            let why = "100.64.0.0/10 is always routed to the cloud's own services";
            t.push(self.step(at, Layer::Platform, why, Decision::Forward));
            let open = t.steps.iter().all(|s| s.open);
            let name = "to the cloud's own services".to_string();
            let (kind, src) = (ExitKind::Service, here());
            return vec![ExitPath {
                kind,
                own: None,
                src,
                steps: t.steps,
                open,
                appliances: Vec::new(),
                name,
            }];
        }
        let carried = self.net.public_carrier(dst, true).contains(atom);
        let mut out = Vec::new();
        for b in self.out_branches(s, to, &[], atom, translate) {
            let crossed = b.steps.iter().any(|s| s.layer == Layer::TransitRouter);
            let direct = b.appliances.is_empty() && !crossed;
            let mut push = |kind: ExitKind,
                            (src, eip): (Arc<IpSet>, Option<EipId>),
                            last: Option<Step>,
                            name: String| {
                let mut steps = b.steps.clone();
                if let ExitKind::Snat(n, _) = kind {
                    steps.extend(self.firewalls(&self.net.met_nat(s, n, dst, direct), atom));
                }
                steps.extend(last);
                if kind != ExitKind::Dropped {
                    let met = self.net.met_outbound(s, &src, eip, dst);
                    steps.extend(met.map(|m| self.firewall(&m, atom)));
                }
                if kind != ExitKind::Dropped && !carried {
                    steps.push(self.not_carried(atom, &at));
                }
                let open = steps.iter().all(|s| s.open) && b.open && kind != ExitKind::Dropped;
                let own = match kind {
                    ExitKind::Own(i) => Some(i),
                    _ => None,
                };
                let name = format!("{name}{}", self.through(&b.appliances));
                out.push(ExitPath {
                    kind,
                    own,
                    src,
                    steps,
                    open,
                    appliances: b.appliances.clone(),
                    name,
                });
            };
            match b.end {
                End::Own if sa.own.is_empty() => {
                    let why = "the public address may not exist";
                    let last = self.step(at.clone(), Layer::Eip, why, Decision::Drop);
                    push(
                        ExitKind::Dropped,
                        (here(), None),
                        Some(last),
                        "by a public address".to_string(),
                    );
                }
                End::Own => {
                    for (i, o) in sa.own.iter().enumerate() {
                        let last = self.public_step(s.iface, o.index, region(&o.ips));
                        let name = format!("by `{}`", last.at);
                        push(ExitKind::Own(i), (o.ips.clone(), o.eip), Some(last), name);
                    }
                }
                End::V6 => {
                    let last = self.step(
                        at.clone(),
                        Layer::Ipv6Gateway,
                        "IPv6 Internet bandwidth",
                        Decision::Accept,
                    );
                    push(
                        ExitKind::V6,
                        (here(), None),
                        Some(last),
                        "by the IPv6 gateway".to_string(),
                    );
                }
                End::Nat(n) => {
                    let found = self.net.snat_of(n, s, dst);
                    let gateway = &self.inv.typed[n].meta.origin;
                    let name = format!("by SNAT of `{}`", gateway.address);
                    if found.is_empty() {
                        push(
                            ExitKind::Dropped,
                            (here(), None),
                            Some(self.no_snat(n, si, s.ip, dst)),
                            name.clone(),
                        );
                    }
                    for (by, eip, ips) in found {
                        let (step, name) = match by {
                            By::Entry(i) => (self.snat_step(n, i, &ips), name.clone()),
                            By::Mapping(i) => (
                                self.mapping_step(n, s, i, &ips),
                                format!("by an IP mapping of `{}`", gateway.address),
                            ),
                        };
                        push(ExitKind::Snat(n, by), (ips, eip), Some(step), name);
                    }
                }
                End::Translated(f, addr, i) if translate => {
                    let src = self.net.appliance_source(f, addr, i, dst);
                    push(
                        ExitKind::Appliance(addr, i),
                        (src, None),
                        None,
                        "as the appliance".to_string(),
                    );
                }
                End::Dropped | End::Arrived | End::Inner(_) | End::Translated(..) => {
                    push(ExitKind::Dropped, (here(), None), None, "no way out".to_string());
                }
            }
        }
        out
    }

    fn out_leg(&self, s: Inside, dst: IpAddr, atom: usize) -> Leg<'_> {
        Leg {
            src: self.net.private_view(s),
            dst: PeerView::public(dst),
            sessions: &[],
            goal: None,
            sender: Some(s),
            translate: true,
            exempt: None,
            atom,
            first: true,
        }
    }

    pub(super) fn not_carried(&self, atom: usize, at: &Arc<str>) -> Step {
        let smtp = self.net.common.smtp.contains(atom);
        let why = if smtp {
            "the platform blocks tcp/25 to the Internet"
        } else {
            "a public IPv4 address carries TCP, UDP and ICMP only"
        };
        let assumptions = if smtp { vec!["A-P25"] } else { Vec::new() };
        Step {
            assumptions,
            ..self.step(at.clone(), Layer::Platform, why, Decision::Drop)
        }
    }

    /// A public address of an interface translates to `to`.
    pub(super) fn public_step(&self, i: InterfaceId, index: u32, to: String) -> Step {
        let iface = &self.inv.typed[i];
        let Some(p) = iface.public.get(index as usize) else {
            return self.step(
                self.iface_at(i),
                Layer::Eip,
                "public address",
                Decision::Rewrite(to),
            );
        };
        let at = p.eip.map_or_else(
            || self.iface_at(i),
            |e| self.inv.typed[e].meta.origin.address.clone(),
        );
        Step {
            origin: Some(p.origin.clone()),
            from: Some(DecidedBy::Public(i, index)),
            assumptions: if p.ip.known().is_none() {
                vec!["A-EIP-2"]
            } else {
                Vec::new()
            },
            ..self.step(
                at,
                Layer::Eip,
                "public address of the interface",
                Decision::Rewrite(to),
            )
        }
    }

    pub(super) fn snat_step(&self, n: NatId, i: usize, ips: &IpSet) -> Step {
        let at = self.inv.typed[n].meta.origin.address.clone();
        let entry = self
            .net
            .nats
            .get(n.index())
            .and_then(|n| n.snat.get(i))
            .map(|s| s.entry);
        let e = entry.and_then(|e| self.inv.typed.snat_entries.get(e as usize));
        let rule = e.map_or_else(
            || "SNAT".to_string(),
            |e| {
                let what = match &e.source {
                    SnatSource::Vswitch(v) => v
                        .known()
                        .map(|v| format!("`{}`", self.inv.typed[*v].meta.origin.address)),
                    SnatSource::Net(n) => n.known().map(ToString::to_string),
                };
                let to: Vec<String> = e.ips.iter().map(|ip| nat_ip_text(self.inv, ip)).collect();
                format!(
                    "SNAT of {} to {}",
                    what.as_deref().unwrap_or("unknown sources"),
                    to.join(" or ")
                )
            },
        );
        Step {
            origin: e.map(|e| e.origin.clone()),
            from: entry.map(DecidedBy::Snat),
            assumptions: vec!["A-NAT-1"],
            ..self.step(at, Layer::Nat, rule, Decision::Rewrite(region(ips)))
        }
    }

    /// What a host sends leaves by the address of its IP mapping (A-NAT-3).
    fn mapping_step(&self, n: NatId, s: Inside, i: usize, ips: &IpSet) -> Step {
        let at = self.inv.typed[n].meta.origin.address.clone();
        let mapped = self.net.addr_of(s).and_then(|(_, a)| a.mapped.get(i));
        let (rule, origin) = mapped.map_or_else(
            || ("IP mapping".to_string(), None),
            |m| {
                let (rule, origin) = dnat_text(self.inv, m.entry);
                (format!("IP mapping, {rule}"), origin)
            },
        );
        Step {
            origin,
            from: mapped.map(|m| DecidedBy::Dnat(m.entry)),
            assumptions: vec!["A-NAT-3"],
            ..self.step(at, Layer::Nat, rule, Decision::Rewrite(region(ips)))
        }
    }

    fn no_snat(&self, n: NatId, si: &Iface, src: IpAddr, dst: IpAddr) -> Step {
        let origin = self.inv.typed[n].meta.origin.clone();
        let exit = self.net.nats.get(n.index()).is_some_and(|n| n.exit.contains(dst));
        let vsw = &self.inv.typed[si.vswitch].meta.origin.address;
        let why = if exit {
            format!("no SNAT entry covers {src} in `{vsw}`")
        } else {
            format!("the NAT gateway's own vSwitch has no route to the IPv4 gateway for {dst}")
        };
        let s = self.step(origin.address.clone(), Layer::Nat, why, Decision::Drop);
        Step {
            origin: Some(origin),
            ..s
        }
    }

    /// The replies to what left by an exit: whether they get back, and how.
    pub(super) fn exit_replies<'p>(
        &self,
        s: Inside,
        to: impl Into<PeerView<'p>>,
        e: &ExitPath,
    ) -> (bool, Vec<Step>) {
        let to: PeerView<'p> = to.into();
        if !e.open {
            return (false, Vec::new());
        }
        let atom = self.reply_atom();
        let entry = match e.kind {
            ExitKind::Own(i) => Entry::Own(i),
            ExitKind::Snat(n, _) => Entry::Back(Some(n)),
            ExitKind::Appliance(..) => Entry::Back(None),
            ExitKind::V6 => Entry::V6,
            ExitKind::Service => {
                let Some((i, _)) = self.net.addr_of(s) else {
                    return (false, Vec::new());
                };
                let leg = Leg {
                    src: to,
                    dst: self.net.private_view(s),
                    sessions: &[s.iface],
                    goal: Some(s.iface),
                    sender: None,
                    translate: false,
                    exempt: None,
                    atom,
                    first: false,
                };
                let mut steps: Vec<Step> = self.acl(i.vswitch, true, leg).into_iter().collect();
                if self.net.keeps_no_state(i) {
                    steps.push(self.sg(i, true, leg));
                }
                return (steps.iter().all(|s| s.open), steps);
            }
            ExitKind::Dropped => return (false, Vec::new()),
        };
        let mut sessions = vec![s.iface];
        sessions.extend(&e.appliances);
        let back = self.enter(s, to, entry, &sessions, atom, Vec::new());
        let works = self.fold(back.iter().map(|b| b.open));
        (
            works,
            self.shown(back.into_iter().map(|b| (b.open, b.steps)).collect()),
        )
    }
}
