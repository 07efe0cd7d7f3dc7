//! Network ACLs, ALIBABA.md §6.

use super::Ctx;
use crate::network::{Acl, Match, Rule, RuleList, RuleRef, Vsw};
use bartizan_model::{AclEntry, AclId, AclList, Assumption, Fact, Use};
use bartizan_packet::{IpSet, ServiceSet};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::sync::Arc;

/// §6: DNS and metadata are always allowed (entries of type `service`).
fn service_ranges() -> IpSet {
    IpSet::from_nets(
        ["100.100.2.128/28", "100.100.2.112/28", "100.100.100.200/32"]
            .into_iter()
            .filter_map(|s| s.parse::<IpNet>().ok()),
    )
}

fn list(c: &mut Ctx<'_>, id: AclId, ingress: bool, l: &AclList) -> RuleList {
    let any = c.pool.service(&c.atoms, &ServiceSet::any());
    let end = RuleRef::AclEnd(id, ingress);
    let mut rules = vec![Rule::new(end, true, any, Match::Ips(Arc::new(service_ranges())))];
    match l {
        AclList::Entries(es) => {
            for (i, e) in es.iter().enumerate() {
                rules.extend(entry(
                    c,
                    e,
                    RuleRef::Acl(id, ingress, u32::try_from(i).unwrap_or(u32::MAX)),
                ));
            }
            RuleList {
                rules,
                // A-NACL-1.
                default_accept: c.reads(Assumption::Nacl1) == Use::Second,
                default_ref: end,
            }
        }
        // What the cloud does without entries is contested (§6): more when widening, less when narrowing.
        AclList::Unset | AclList::Unknown(_) => RuleList {
            rules,
            default_accept: c.widen(),
            default_ref: RuleRef::AclUnknown(id),
        },
    }
}

fn entry(c: &mut Ctx<'_>, e: &AclEntry, from: RuleRef) -> Option<Rule> {
    let accept = match e.accept {
        Fact::Known(a) => a,
        Fact::Unknown(_) => c.widen(),
    };
    let uncertain = c.takes_part(accept);
    if e.origin.maybe.is_some() && !uncertain {
        return None;
    }
    let services = match &e.services {
        Fact::Known(s) => s.clone(),
        Fact::Unknown(_) if uncertain => ServiceSet::any(),
        Fact::Unknown(_) => return None,
    };
    let peer = c.peer(&e.peer, accept)?;
    let services = c.pool.service(&c.atoms, &services);
    Some(Rule::new(from, accept, services, peer))
}

/// The ACLs that some vSwitch uses, sorted by id.
pub(super) fn compile(c: &mut Ctx<'_>, vswitches: &[Option<Vsw>]) -> Vec<Acl> {
    let t = c.t;
    let used: BTreeSet<AclId> = t
        .vswitches
        .iter()
        .zip(vswitches)
        .filter(|(_, v)| v.is_some())
        .filter_map(|(v, _)| v.acl.known().copied().flatten())
        .collect();
    let mut acls: Vec<Acl> = used
        .into_iter()
        .map(|id| Acl {
            id,
            ingress: list(c, id, true, &t[id].ingress),
            egress: list(c, id, false, &t[id].egress),
        })
        .collect();
    // A vSwitch whose binding is not known: it may be unfiltered (widening) or filtered by an ACL that drops
    // everything (narrowing). The latter is an ACL of its own, behind the real ones.
    if !c.widen()
        && let Some(id) = (!t.vswitches.is_empty()).then_some(AclId(u32::MAX))
    {
        let none = |ingress| RuleList {
            rules: Vec::new(),
            default_accept: false,
            default_ref: RuleRef::AclEnd(id, ingress),
        };
        acls.push(Acl {
            id,
            ingress: none(true),
            egress: none(false),
        });
    }
    acls
}

/// Binds the compiled ACLs to their vSwitches.
pub(super) fn bind(c: &Ctx<'_>, mut vswitches: Vec<Option<Vsw>>, acls: &[Acl]) -> Vec<Option<Vsw>> {
    let find = |id: AclId| {
        acls.iter()
            .position(|a| a.id == id)
            .and_then(|i| u32::try_from(i).ok())
    };
    for (v, m) in vswitches.iter_mut().zip(&c.t.vswitches) {
        let Some(v) = v else { continue };
        v.acl = match &m.acl {
            Fact::Known(None) => None,
            Fact::Known(Some(id)) => find(*id),
            Fact::Unknown(_) if c.widen() => None,
            Fact::Unknown(_) => find(AclId(u32::MAX)),
        };
    }
    vswitches
}
