//! What the cloud refuses though each resource by itself could be: a certain claim may not lean on it.
//!
//! Which of the parts is refused depends on which comes first, and nothing here says what an account has by now. So what
//! is said keeps its meaning and may not be there: claims of absence still take it into account.

use super::linker::Linker;
use bartizan_base::Span;
use bartizan_model::*;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

/// Something that the cloud refuses, as a user reads it.
struct Refusal {
    address: Arc<str>,
    span: Span,
    attribute: &'static str,
    why: String,
    help: &'static str,
}

impl Refusal {
    fn of(o: &Origin, attribute: &'static str, why: impl Into<String>, help: &'static str) -> Self {
        Refusal {
            address: o.address.clone(),
            span: o.span,
            attribute,
            why: why.into(),
            help,
        }
    }

    fn doubt(&self) -> Unknown {
        doubt(&self.why, self.span)
    }
}

/// Why something may not be there that the cloud refuses.
pub(super) fn doubt(why: &str, span: Span) -> Unknown {
    Unknown::at(format!("the cloud refuses it: {why}"), span)
}

/// What may not be there because the cloud refuses it.
fn doubted(o: &mut Origin, r: &Refusal) {
    o.doubt(|| r.doubt());
}

pub(super) fn settle(l: &mut Linker<'_>) {
    let mut said: Vec<Refusal> = Vec::new();
    let t = &mut l.typed;
    rules(t, &mut said);
    members(t, &mut said);
    servers(t, &mut said);
    mappings(t, &mut said);
    said.sort_by(|a, b| (&a.address, &a.why).cmp(&(&b.address, &b.why)));
    let mut seen: FxHashSet<(Arc<str>, String)> = FxHashSet::default();
    for r in said {
        if seen.insert((r.address.clone(), r.why.clone()))
            && let Some(i) = l.position(&r.address)
        {
            l.refuse(i, r.attribute, r.span, &r.why, r.help);
        }
    }
}

/// §5.1: enterprise groups know no groups as source or destination.
fn rules(t: &mut Typed, said: &mut Vec<Refusal>) {
    for r in &mut t.sg_rules {
        let enterprise = match r.group.known() {
            Some(g) => t.security_groups[g.index()].enterprise.known().copied(),
            None => continue,
        };
        let names = matches!(r.peer, Peer::Group(_) | Peer::ForeignGroup(_));
        if !names || enterprise == Some(false) {
            continue;
        }
        let refusal = Refusal::of(
            &r.origin,
            "source_security_group_id",
            "rules of enterprise groups cannot name a group",
            "name the addresses with `cidr_ip` or a prefix list, or make the group a basic one",
        );
        doubted(&mut r.origin, &refusal);
        // Of a group whose type is not known that has been said.
        if enterprise.is_some() {
            said.push(refusal);
        }
    }
}

/// §5.1: all groups of an interface are of one type. Those of a balancer are not (§9.3).
fn members(t: &mut Typed, said: &mut Vec<Refusal>) {
    let fronts: FxHashSet<InterfaceId> = t.balancers.iter().flat_map(|b| &b.fronts).copied().collect();
    for (id, i) in (0u32..).map(InterfaceId).zip(&mut t.interfaces) {
        let Fact::Known(groups) = &i.groups else { continue };
        let is = |kind: bool| {
            let mut types = groups.iter().map(|g| &t.security_groups[g.index()].enterprise);
            types.any(|e| e.known() == Some(&kind))
        };
        if fronts.contains(&id) || !(is(true) && is(false)) {
            continue;
        }
        let refusal = Refusal::of(
            &i.meta.origin,
            "security_groups",
            "it has basic and enterprise groups",
            "give it groups of one type",
        );
        i.groups = Fact::Unknown(refusal.doubt());
        said.push(refusal);
    }
}

/// §9.2, §9.3: servers that a group names as instances or interfaces are in the VPC of the balancer.
fn servers(t: &mut Typed, said: &mut Vec<Refusal>) {
    let fronts: FxHashSet<InterfaceId> = t.balancers.iter().flat_map(|b| &b.fronts).copied().collect();
    let mut balancers = std::mem::take(&mut t.balancers);
    for b in &mut balancers {
        let modern = matches!(b.kind, BalancerKind::Alb | BalancerKind::Nlb);
        let Some(vpc) = b.fronts.iter().find_map(|f| t.vpc_of(&t[*f])).filter(|_| modern) else {
            continue;
        };
        for f in b.listeners.iter_mut().flat_map(|l| &mut l.forwards) {
            let (Backend::Interface(to) | Backend::Ipv6(to) | Backend::At(to, _)) = f.to else {
                continue;
            };
            if fronts.contains(&to) || t.vpc_of(&t[to]).is_none_or(|v| v == vpc) {
                continue;
            }
            let refusal = Refusal::of(
                &f.origin,
                "servers",
                format!(
                    "`{}` is in another VPC than the load balancer",
                    t[to].meta.origin.address
                ),
                "name its address in a server group of the type `Ip`",
            );
            doubted(&mut f.origin, &refusal);
            said.push(refusal);
        }
    }
    t.balancers = balancers;
}

/// §8.3: the address of an entry for every port is in no other entry.
fn mappings(t: &mut Typed, said: &mut Vec<Refusal>) {
    /// An entry that uses an address of a gateway.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Used {
        Snat(usize),
        Dnat(usize),
    }
    let mut users: FxHashMap<(NatId, String), Vec<(Used, bool)>> = FxHashMap::default();
    let mut uses = |nat: &Fact<NatId>, ip: &NatIp, used: Used, whole: bool| {
        let key = match ip {
            NatIp::Unknown(_) => return,
            NatIp::Eip(e) => format!("{e:?}"),
            NatIp::Ip(ip) => ip.to_string(),
        };
        if let Some(nat) = nat.known() {
            users.entry((*nat, key)).or_default().push((used, whole));
        }
    };
    for (n, s) in t.snat_entries.iter().enumerate() {
        s.ips.iter().for_each(|ip| uses(&s.nat, ip, Used::Snat(n), false));
    }
    for (n, d) in t.dnat_entries.iter().enumerate() {
        let whole = d.protocol.known() == Some(&DnatProtocol::Any);
        uses(&d.nat, &d.external, Used::Dnat(n), whole);
    }
    let clash = users
        .into_values()
        .filter(|by| by.len() > 1 && by.iter().any(|(_, whole)| *whole));
    for (used, _) in clash.flatten() {
        let (origin, attribute) = match used {
            Used::Snat(n) => (&mut t.snat_entries[n].origin, "snat_ip"),
            Used::Dnat(n) => (&mut t.dnat_entries[n].origin, "external_ip"),
        };
        let why = "an entry forwards every port of the address, which cannot be used elsewhere then";
        let refusal = Refusal::of(origin, attribute, why, "use another EIP for one of the two");
        doubted(origin, &refusal);
        said.push(refusal);
    }
}
