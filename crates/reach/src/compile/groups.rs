//! Security groups, ALIBABA.md §5.

use super::Ctx;
use crate::network::{GroupSet, Match, Rule, RuleList, RuleRef, SOME_GROUP};
use bartizan_model::{
    AddressSpec, Assumption, Direction, Fact, Interface, Peer, SecurityGroupId, SgRule, Typed, Use,
};
use bartizan_packet::{IpSet, ServiceSet};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// Rules by group, and those whose group is not known.
#[derive(Default)]
pub(super) struct ByGroup {
    of: Vec<Vec<u32>>,
    unknown: Vec<u32>,
    /// Whether somebody may be in groups that are not known.
    open: bool,
}

impl ByGroup {
    /// A rule was added behind all others.
    pub(super) fn add(&mut self, group: SecurityGroupId, rule: u32) {
        if let Some(v) = self.of.get_mut(group.index()) {
            v.push(rule);
        }
    }
    /// A rule is gone.
    pub(super) fn remove(&mut self, group: SecurityGroupId, rule: u32) {
        if let Some(v) = self.of.get_mut(group.index()) {
            v.retain(|r| *r != rule);
        }
    }
}

/// Whether it may not be known in which groups somebody is: groups of an interface are not known, or one has an
/// address yet to be picked, which somebody of another VPC may have, and groups are told by addresses (§5.3).
pub(super) fn open(t: &Typed) -> bool {
    let picked = |i: &Interface| {
        let mut all = i.addresses.iter();
        all.any(|a| matches!(a.spec, AddressSpec::AnyV4(_)))
    };
    let joined = !t.peerings.is_empty()
        || !t.attachments.is_empty()
        || !t.router_interfaces.is_empty()
        || !t.vpn_gateways.is_empty();
    t.interfaces.iter().any(|i| i.groups.known().is_none()) || joined && t.interfaces.iter().any(picked)
}

pub(super) fn by_group(c: &Ctx<'_>) -> ByGroup {
    let mut of = vec![Vec::new(); c.t.security_groups.len()];
    let mut unknown = Vec::new();
    for (i, r) in c.t.sg_rules.iter().enumerate() {
        let i = u32::try_from(i).unwrap_or(u32::MAX);
        match r.group {
            Fact::Known(g) => of[g.index()].push(i),
            Fact::Unknown(_) => unknown.push(i),
        }
    }
    ByGroup {
        of,
        unknown,
        open: open(c.t),
    }
}

/// A rule ready for its place in the list.
struct Placed {
    priority: u8,
    rule: Rule,
    index: u32,
}

/// Resolves the unknowns of a rule by the mode. `certain` is false when even its group is not known.
fn place(c: &mut Ctx<'_>, index: u32, r: &SgRule, dir: Direction, certain: bool) -> Option<Placed> {
    let accept = match r.accept {
        Fact::Known(a) => a,
        Fact::Unknown(_) => c.widen(),
    };
    let direction_known = match r.direction {
        Fact::Known(d) if d != dir => return None,
        Fact::Known(_) => true,
        Fact::Unknown(_) => false,
    };
    if (!certain || !direction_known || r.origin.maybe.is_some()) && !c.takes_part(accept) {
        return None;
    }
    let uncertain = c.takes_part(accept);
    let services = match &r.services {
        Fact::Known(s) => s.clone(),
        Fact::Unknown(_) if uncertain => ServiceSet::any(),
        Fact::Unknown(_) => return None,
    };
    let peer = match &r.peer {
        Peer::Net(spec) => c.peer(spec, accept)?,
        // A-SG-1: where it is undecided an accept that takes part, and a drop that must, go as far as it may.
        Peer::Group(g) => match c.reads(Assumption::Sg1) {
            Use::First => Match::Group(*g),
            Use::Second => Match::Primary(*g),
            Use::Either if uncertain => Match::Group(*g),
            Use::Either => Match::Primary(*g),
        },
        Peer::ForeignGroup(_) | Peer::Unknown(_) => uncertain.then_some(Match::Any)?,
    };
    let priority = priority(c, r, accept);
    let services = c.pool.service(&c.atoms, &services);
    Some(Placed {
        priority,
        rule: Rule::new(RuleRef::Sg(index), accept, services, peer),
        index,
    })
}

/// The priority of a rule: where it is not known strongest if it takes part in full, weakest if it must not outweigh
/// anything.
fn priority(c: &Ctx<'_>, r: &SgRule, accept: bool) -> u8 {
    match r.priority {
        Fact::Known(p) => p,
        Fact::Unknown(_) if c.takes_part(accept) => 0,
        Fact::Unknown(_) => 101,
    }
}

/// What a rule stands for in a list. Whoever is in unknown groups may be in the one that it names.
fn with_unknown(c: &Ctx<'_>, by: &ByGroup, rule: Rule) -> impl Iterator<Item = Rule> {
    let named = matches!(rule.peer, Match::Group(_) | Match::Primary(_));
    let copy = (by.open && named && c.takes_part(rule.accept)).then(|| {
        let services = (rule.services.clone(), rule.atoms.clone());
        Rule::new(rule.from, rule.accept, services, Match::Group(SOME_GROUP))
    });
    std::iter::once(rule).chain(copy)
}

/// A rule of one of its groups was added, behind all others of the inventory, to the lists of a set that [`merge`] has made.
pub(super) fn add(c: &mut Ctx<'_>, by: &ByGroup, set: &mut GroupSet, index: u32) {
    let t = c.t;
    let Some(r) = t.sg_rules.get(index as usize) else {
        return;
    };
    for (dir, list) in [
        (Direction::Ingress, &mut set.ingress),
        (Direction::Egress, &mut set.egress),
    ] {
        let Some(p) = place(c, index, r, dir, true) else {
            continue;
        };
        let strength = |x: &Rule| match x.from {
            RuleRef::Sg(n) => t
                .sg_rules
                .get(n as usize)
                .map(|r| (priority(c, r, x.accept), x.accept)),
            // The policies of groups stand before their rules.
            _ => None,
        };
        let mine = Some((p.priority, p.rule.accept));
        let at = list.rules.partition_point(|x| strength(x) <= mine);
        list.rules.splice(at..at, with_unknown(c, by, p.rule));
    }
}

/// A rule is gone from the lists of a set.
pub(super) fn remove(set: &mut GroupSet, index: u32) {
    for list in [&mut set.ingress, &mut set.egress] {
        list.rules.retain(|r| r.from != RuleRef::Sg(index));
    }
}

/// The merged lists of a set of groups (ALIBABA.md §5.5).
///
/// `complete` is false when the interface is in groups that are not known: they may accept anything
/// (widening) or drop anything (narrowing), but they cannot undo the intra-group policy of a known group.
pub(super) fn merge(c: &mut Ctx<'_>, by: &ByGroup, groups: &[SecurityGroupId], complete: bool) -> GroupSet {
    let t = c.t;
    let known: Vec<SecurityGroupId> = groups.iter().copied().filter(|g| *g != SOME_GROUP).collect();
    let any = c.pool.service(&c.atoms, &ServiceSet::any());
    // A-SG-2: whether the inner policy comes before rules for egress.
    let early = match c.reads(Assumption::Sg2) {
        Use::First => true,
        Use::Second => false,
        Use::Either => c.widen(),
    };
    let stateless = c.reads(Assumption::Sg3) == Use::Second
        && (known
            .iter()
            .any(|g| t[*g].enterprise.known().copied().unwrap_or(!c.widen()))
            || !complete && !c.widen());
    // Rules lie far from each other: each is looked at once, for both directions.
    let (mut ingress, mut egress) = (Vec::new(), Vec::new());
    let of = known.iter().flat_map(|g| &by.of[g.index()]).map(|i| (*i, true));
    for (i, certain) in of.chain(by.unknown.iter().map(|i| (*i, false))) {
        let r = &t.sg_rules[i as usize];
        ingress.extend(place(c, i, r, Direction::Ingress, certain));
        egress.extend(place(c, i, r, Direction::Egress, certain));
    }
    let list = |dir: Direction, mut placed: Vec<Placed>| -> RuleList {
        let mut rules = Vec::with_capacity(placed.len() + known.len() + 2);
        let all = |from, accept, peer| Rule::new(from, accept, any.clone(), peer);
        if dir == Direction::Egress {
            // §5.7: the metadata service is never blocked.
            let metadata = IpSet::single(IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)));
            rules.push(all(RuleRef::Default, true, Match::Ips(Arc::new(metadata))));
        }
        // §5.5 step 1: precedes custom rules, basic groups only.
        for &g in known.iter().filter(|_| early || dir == Direction::Ingress) {
            let sg = &t[g];
            let basic = sg.enterprise.known().map_or(c.widen(), |e| !e);
            let inner = sg.inner_accept.known().copied().unwrap_or(c.widen());
            if basic && inner {
                rules.push(all(RuleRef::Inner(g), true, Match::Member(g)));
                if by.open && c.takes_part(true) {
                    rules.push(all(RuleRef::Inner(g), true, Match::Member(SOME_GROUP)));
                }
            }
        }
        if !complete {
            rules.push(all(RuleRef::UnknownGroup, c.widen(), Match::Any));
        }
        // §5.5 step 2: the rules of all groups, by priority, drop before accept.
        placed.sort_by_key(|p| (p.priority, p.rule.accept, p.index));
        for Placed { rule, .. } in placed {
            rules.extend(with_unknown(c, by, rule));
        }
        // §5.5 step 3.
        let default_accept = match dir {
            Direction::Ingress => false,
            Direction::Egress => {
                !known.is_empty()
                    && known
                        .iter()
                        .all(|g| t[*g].enterprise.known().map_or(c.widen(), |e| !e))
            }
        };
        RuleList {
            rules,
            default_accept,
            default_ref: RuleRef::Default,
        }
    };
    GroupSet {
        ingress: list(Direction::Ingress, ingress),
        egress: list(Direction::Egress, egress),
        groups: groups.to_vec(),
        stateless,
    }
}
