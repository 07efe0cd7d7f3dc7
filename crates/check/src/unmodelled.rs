//! What has a bearing on packets and is not modelled: which claims it makes undecided.
//!
//! A load balancer, a peering or a transit router can carry packets that the engine does not see. A claim of
//! absence about the networks it touches cannot be proved, and a claim of presence cannot be refuted.

use bartizan_model::{InterfaceId, Inventory, Node, Resource, Understanding, Value, VpcId};
use bartizan_packet::ServiceSet;
use bartizan_reach::Gap;
use std::collections::{BTreeMap, BTreeSet};

/// Something unmodelled, with the VPCs that it touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmodelled {
    /// Terraform address.
    pub address: String,
    /// Why it is not understood.
    pub why: String,
    /// Where it is written.
    pub span: bartizan_base::Span,
    /// The VPCs; empty when it may touch any.
    pub vpcs: BTreeSet<VpcId>,
    /// The interfaces that packets may reach by it, where it can do nothing else; empty where it can.
    pub to: Vec<InterfaceId>,
    /// All that they may be reached on by it, if that is known.
    pub services: Option<ServiceSet>,
    /// Whether it may also take away packets that are seen to travel.
    pub takes: bool,
}

/// Addresses and ids that a value refers to.
fn mentions<'a>(n: &'a Node, out: &mut Vec<&'a str>) {
    match &n.value {
        Value::Ref(r) => out.push(&r.address),
        Value::String(s) => out.push(s),
        Value::List(v) => v.iter().for_each(|n| mentions(n, out)),
        Value::Map(m) => m.values().for_each(|n| mentions(n, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Unknown(_) => {}
    }
}

/// Everything unmodelled, with what it touches directly or through other unmodelled resources.
#[must_use]
pub fn unmodelled(inv: &Inventory, gaps: &[Gap]) -> Vec<Unmodelled> {
    let t = &inv.typed;
    // What names a VPC: addresses and cloud ids of the resources inside it.
    let mut home: BTreeMap<&str, BTreeSet<VpcId>> = BTreeMap::new();
    for (i, v) in t.vpcs.iter().enumerate() {
        let id = VpcId(u32::try_from(i).unwrap_or(u32::MAX));
        for k in std::iter::once(&*v.meta.origin.address).chain(v.meta.id.as_deref()) {
            home.entry(k).or_default().insert(id);
        }
    }
    let metas = t
        .vswitches
        .iter()
        .map(|v| (&v.meta, v.vpc.known().copied()))
        .chain(
            t.security_groups
                .iter()
                .map(|g| (&g.meta, g.vpc.known().copied())),
        )
        .chain(t.route_tables.iter().map(|r| (&r.meta, r.vpc.known().copied())))
        .chain(t.interfaces.iter().map(|i| (&i.meta, t.vpc_of(i))));
    for (m, vpc) in metas {
        if let Some(vpc) = vpc {
            for k in std::iter::once(&*m.origin.address).chain(m.id.as_deref()) {
                home.entry(k).or_default().insert(vpc);
            }
        }
    }
    let open: Vec<&Resource> = inv
        .resources
        .iter()
        .filter(|r| matches!(r.understanding, Understanding::NotUnderstood(_)) && !r.data)
        .collect();
    // Components of unmodelled resources that mention one another share what they touch.
    let index: BTreeMap<&str, usize> = open.iter().enumerate().map(|(i, r)| (&*r.address, i)).collect();
    let mut root: Vec<usize> = (0..open.len()).collect();
    fn find(root: &mut [usize], mut i: usize) -> usize {
        while root[i] != i {
            root[i] = root[root[i]];
            i = root[i];
        }
        i
    }
    let mut touches: Vec<BTreeSet<VpcId>> = vec![BTreeSet::new(); open.len()];
    for (i, r) in open.iter().enumerate() {
        let mut m = Vec::new();
        r.attributes.values().for_each(|n| mentions(n, &mut m));
        for k in m {
            if let Some(v) = home.get(k) {
                touches[i].extend(v);
            }
            if let Some(&j) = index.get(k) {
                let (a, b) = (find(&mut root, i), find(&mut root, j));
                root[a] = b;
            }
        }
    }
    let mut shared: BTreeMap<usize, BTreeSet<VpcId>> = BTreeMap::new();
    for (i, touched) in touches.iter().enumerate() {
        let r = find(&mut root, i);
        shared.entry(r).or_default().extend(touched);
    }
    let mut out: Vec<Unmodelled> = open
        .iter()
        .enumerate()
        .map(|(i, r)| Unmodelled {
            address: r.address.to_string(),
            why: match &r.understanding {
                Understanding::NotUnderstood(w) => w.clone(),
                _ => String::new(),
            },
            span: r.span,
            vpcs: shared.get(&find(&mut root, i)).cloned().unwrap_or_default(),
            to: Vec::new(),
            services: None,
            takes: false,
        })
        .collect();
    out.extend(gaps.iter().map(|g| Unmodelled {
        address: g.address.to_string(),
        why: g.why.clone(),
        span: g.origin.span,
        vpcs: g.vpc.into_iter().collect(),
        to: g.to.clone(),
        services: g.services.clone(),
        takes: g.takes,
    }));
    out.sort_by(|a, b| a.address.cmp(&b.address).then_with(|| a.why.cmp(&b.why)));
    out.dedup();
    out
}
