//! Rules that can never decide anything.
//!
//! INVARIANT (shadows): a rule is reported only when rules that come before it *in every list that it can be
//! part of* match everything that it matches. Rules of one security group keep their order when the groups of
//! an interface are merged (ALIBABA.md §5.5), so deleting a reported rule changes no flow, whatever else is
//! unknown. Only rules all of whose facts are known take part.

use crate::network::RuleRef;
use bartizan_model::{
    AclId, AclList, Direction, Fact, Inventory, NetSpec, Peer, SecurityGroupId, SgRule, Typed,
};
use bartizan_packet::{IpSet, ServiceSet};
use ipnet::IpNet;

/// How a rule is superfluous.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ShadowKind {
    /// Stronger rules match everything that it matches.
    Shadowed,
    /// The same rule is written twice.
    Duplicate,
}

/// A rule that can never decide anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// The rule: [`RuleRef::Sg`], [`RuleRef::Acl`] or [`RuleRef::Firewall`].
    pub rule: RuleRef,
    /// The rules that decide in its place, strongest first; none of them can be left out.
    pub by: Vec<RuleRef>,
    /// How.
    pub kind: ShadowKind,
    /// Whether what it asks for does not happen: one of the deciding rules has the other action.
    pub contradicted: bool,
}

/// A rule that names a security group of another VPC, which matches nothing (ALIBABA.md §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadReference {
    /// Index into `Typed::sg_rules`.
    pub rule: u32,
    /// The group of the rule.
    pub group: SecurityGroupId,
    /// The group that it names.
    pub names: SecurityGroupId,
}

/// The other side of a known rule.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Side {
    /// A prefix, which most rules have and which is cheap to compare.
    Net(IpNet),
    Ips(IpSet),
    Group(SecurityGroupId),
}

impl Side {
    fn of(t: &Typed, n: &NetSpec) -> Option<Side> {
        match n {
            NetSpec::Net(n) => n.known().map(|n| Side::Net(n.trunc())),
            NetSpec::PrefixList(p) => {
                let es = t[*p.known()?].entries.known()?;
                let nets: Option<Vec<IpNet>> = es.iter().map(|e| e.known().copied()).collect();
                Some(Side::Ips(IpSet::from_nets(nets?)))
            }
        }
    }

    /// All that it may match. Which addresses a group has is left open: any of either family.
    fn space(&self) -> IpSet {
        match self {
            Side::Net(n) => IpSet::from(*n),
            Side::Ips(s) => s.clone(),
            Side::Group(_) => IpSet::full(),
        }
    }

    /// What it matches for certain of what `target` matches.
    fn covers(&self, target: &Side) -> Option<IpSet> {
        match (self, target) {
            (Side::Group(a), Side::Group(b)) => (a == b).then(IpSet::full),
            (Side::Group(_), _) => None,
            (Side::Net(a), Side::Net(b)) if !a.contains(b) && !b.contains(a) => None,
            _ => Some(self.space()),
        }
    }
}

/// A rule all of whose facts are known.
struct Known {
    from: RuleRef,
    accept: bool,
    /// Equal for rules whose order among each other makes no difference.
    rank: (u32, bool),
    services: ServiceSet,
    side: Side,
}

/// What is left of a box of peers and services after others have matched.
struct Left(Vec<(IpSet, ServiceSet)>);

impl Left {
    fn of(r: &Known) -> Self {
        Left(vec![(r.side.space(), r.services.clone())])
    }
    /// Takes away what `by` matches; says whether that was anything.
    fn take(&mut self, target: &Side, by: &Known) -> bool {
        let Some(ips) = by.side.covers(target) else {
            return false;
        };
        let mut out = Vec::with_capacity(self.0.len() + 1);
        let mut any = false;
        for (p, s) in self.0.drain(..) {
            let here = p.intersect(&ips);
            if here.is_empty() || !s.intersects(&by.services) {
                out.push((p, s));
                continue;
            }
            any = true;
            let rest = s.subtract(&by.services);
            let away = p.subtract(&ips);
            if !rest.is_empty() {
                out.push((here, rest));
            }
            if !away.is_empty() {
                out.push((away, s));
            }
        }
        self.0 = out;
        any
    }
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether `by` together match everything that `r` matches.
fn covered(r: &Known, by: &[&Known]) -> bool {
    let mut left = Left::of(r);
    by.iter().any(|b| {
        left.take(&r.side, b);
        left.is_empty()
    })
}

fn shadow_of(r: &Known, stronger: &[Known]) -> Option<Shadow> {
    // A rule that matches nothing at all is not shadowed by anything.
    if r.services.is_empty() || r.side.space().is_empty() {
        return None;
    }
    let near: Vec<&Known> = stronger
        .iter()
        .filter(|b| b.services.intersects(&r.services) && b.side.covers(&r.side).is_some())
        .collect();
    let found = |kind, by: Vec<&Known>| Shadow {
        rule: r.from,
        contradicted: by.iter().any(|b| b.accept != r.accept),
        by: by.into_iter().map(|b| b.from).collect(),
        kind,
    };
    let same = |b: &&&Known| {
        b.rank == r.rank && b.accept == r.accept && b.side == r.side && b.services == r.services
    };
    if let Some(b) = near.iter().find(same) {
        return Some(found(ShadowKind::Duplicate, vec![b]));
    }
    if let Some(b) = near.iter().find(|b| covered(r, &[b])) {
        return Some(found(ShadowKind::Shadowed, vec![b]));
    }
    let all = near.iter().fold(ServiceSet::empty(), |a, b| a.union(&b.services));
    if near.len() < 2 || !r.services.is_subset(&all) {
        return None;
    }
    let mut left = Left::of(r);
    let mut by: Vec<&Known> = Vec::new();
    for b in near {
        if left.take(&r.side, b) {
            by.push(b);
        }
        if left.is_empty() {
            break;
        }
    }
    if !left.is_empty() {
        return None;
    }
    // The strongest are kept where there is a choice.
    for i in (0..by.len()).rev() {
        let mut fewer = by.clone();
        fewer.remove(i);
        if covered(r, &fewer) {
            by = fewer;
        }
    }
    Some(found(ShadowKind::Shadowed, by))
}

/// Rules in order of strength: those that the ones before them cover.
fn shadows_in(list: &[Known], out: &mut Vec<Shadow>) {
    for (i, r) in list.iter().enumerate() {
        out.extend(shadow_of(r, &list[..i]));
    }
}

fn known_sg(t: &Typed, i: u32, r: &SgRule) -> Option<(SecurityGroupId, Direction, Known)> {
    if r.origin.maybe.is_some() {
        return None;
    }
    let side = match &r.peer {
        Peer::Net(n) => Side::of(t, n)?,
        Peer::Group(g) => Side::Group(*g),
        Peer::ForeignGroup(_) | Peer::Unknown(_) => return None,
    };
    let accept = *r.accept.known()?;
    let rank = (u32::from(*r.priority.known()?), accept);
    let services = r.services.known()?.clone();
    let k = Known {
        from: RuleRef::Sg(i),
        accept,
        rank,
        services,
        side,
    };
    Some((*r.group.known()?, *r.direction.known()?, k))
}

fn known_acl(t: &Typed, id: AclId, ingress: bool, l: &AclList) -> Vec<Known> {
    let AclList::Entries(es) = l else {
        return Vec::new();
    };
    let known = es.iter().enumerate().filter_map(|(i, e)| {
        if e.origin.maybe.is_some() {
            return None;
        }
        Some(Known {
            from: RuleRef::Acl(id, ingress, u32::try_from(i).ok()?),
            accept: *e.accept.known()?,
            rank: (0, false),
            services: e.services.known()?.clone(),
            side: Side::of(t, &e.peer)?,
        })
    });
    known.collect()
}

/// Every rule of a security group, entry of a network ACL and policy of a firewall that can never decide anything, by table and
/// index. Quadratic in the rules of one group and direction, linear in everything else.
#[must_use]
pub fn shadowed(inv: &Inventory) -> Vec<Shadow> {
    let t = &inv.typed;
    let mut lists: Vec<[Vec<Known>; 2]> = Vec::new();
    lists.resize_with(t.security_groups.len(), Default::default);
    for (i, r) in (0u32..).zip(&t.sg_rules) {
        if let Some((g, dir, k)) = known_sg(t, i, r) {
            lists[g.index()][usize::from(dir == Direction::Egress)].push(k);
        }
    }
    let mut out = Vec::new();
    for list in lists.iter_mut().flatten() {
        // Drop before accept at one priority; the sort is stable, so rules of one rank stay in table order.
        list.sort_by_key(|k| k.rank);
        shadows_in(list, &mut out);
    }
    for (i, a) in (0u32..).zip(&t.acls) {
        shadows_in(&known_acl(t, AclId(i), true, &a.ingress), &mut out);
        shadows_in(&known_acl(t, AclId(i), false, &a.egress), &mut out);
    }
    crate::shadow_firewall::shadowed(inv, &mut out);
    out.sort_by_key(|s| s.rule);
    out
}

/// Every security group rule whose peer is a group of another VPC.
#[must_use]
pub fn dead_references(inv: &Inventory) -> Vec<DeadReference> {
    let t = &inv.typed;
    let vpc = |g: SecurityGroupId| t[g].vpc.known();
    let dead = (0u32..)
        .zip(&t.sg_rules)
        .filter_map(|(rule, r)| match (&r.group, &r.peer) {
            (Fact::Known(group), Peer::Group(names)) => {
                let apart = vpc(*group).zip(vpc(*names)).is_some_and(|(a, b)| a != b);
                apart.then_some(DeadReference {
                    rule,
                    group: *group,
                    names: *names,
                })
            }
            _ => None,
        });
    dead.collect()
}
