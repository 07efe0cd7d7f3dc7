//! IP mappings of Internet NAT gateways as ways out (A-NAT-3, docs/decisions/026).

use super::Ctx;
use super::internet::{Spaces, eip_of, nat_ip, uncertain};
use crate::network::{Iface, Mapped, Vsw};
use bartizan_model::{Assumption, DnatEntry, DnatProtocol, DnatTarget, Fact, NatId, Use, VpcId};
use bartizan_packet::IpSet;
use std::sync::Arc;

/// An entry that is an IP mapping, or may be one.
struct Mapping<'a> {
    vpc: Option<VpcId>,
    to: &'a DnatTarget,
    out: Mapped,
}

fn mapping<'a>(c: &Ctx<'_>, d: &'a DnatEntry, entry: u32, spaces: &Spaces) -> Option<Mapping<'a>> {
    // A DNAT entry of a gateway that is not known is a gap.
    let nat: NatId = d.nat.known().copied()?;
    let (gateway, external) = (&c.t[nat], &d.external);
    let whole = match d.protocol {
        Fact::Known(p) => (p == DnatProtocol::Any).then_some(true)?,
        Fact::Unknown(_) => false,
    };
    let internet = match gateway.internet {
        Fact::Known(yes) => yes.then_some(true)?,
        Fact::Unknown(_) => false,
    };
    let loose = uncertain(c, nat, external);
    let ips = match nat_ip(c, nat, external, spaces) {
        Some(ips) if c.widen() || !loose => ips,
        // By which address packets leave is not known.
        _ if !c.widen() && loose => Arc::new(IpSet::empty()),
        _ => return None,
    };
    let there = d.origin.maybe.is_none() && gateway.meta.origin.maybe.is_none();
    let vpc: Option<VpcId> = gateway.vpc.known().copied();
    let certain = c.reads(Assumption::Nat3) == Use::Second && whole && internet && there && !loose;
    Some(Mapping {
        vpc,
        to: &d.target,
        out: Mapped {
            entry,
            nat,
            to: None,
            optional: !(certain && vpc.is_some()),
            eip: eip_of(external),
            ips,
        },
    })
}

/// Hangs IP mappings on the addresses that may leave by them.
pub(super) fn add(c: &Ctx<'_>, vswitches: &[Option<Vsw>], ifaces: &mut [Option<Iface>], spaces: &Spaces) {
    if c.reads(Assumption::Nat3) == Use::First {
        return;
    }
    for (entry, d) in (0u32..).zip(&c.t.dnat_entries) {
        let Some(m) = mapping(c, d, entry, spaces) else {
            continue;
        };
        for f in ifaces.iter_mut().flatten() {
            let home = vswitches[f.vswitch.index()].as_ref().map(|v| v.vpc);
            let public = &c.t[f.id].public;
            // §8.3: it does not work for an interface with a public address of its own.
            if m.vpc.is_some() && m.vpc != home || public.iter().any(|p| p.origin.maybe.is_none()) {
                continue;
            }
            for (n, a) in (0u32..).zip(&mut f.addrs) {
                let (certain, to) = match m.to {
                    DnatTarget::Interface(i, at) if (*i, *at) == (f.id, n) => (true, None),
                    DnatTarget::Interface(..) => continue,
                    DnatTarget::Ip(ip) if a.region.contains(*ip) => {
                        (!a.choice || a.region == IpSet::single(*ip), a.part(*ip))
                    }
                    DnatTarget::Ip(_) => continue,
                    DnatTarget::Unknown(_) => (false, None),
                };
                if !a.region.v4.is_empty() {
                    a.mapped.push(Mapped {
                        to,
                        optional: m.out.optional || !certain || !public.is_empty(),
                        ..m.out.clone()
                    });
                }
            }
        }
    }
}
