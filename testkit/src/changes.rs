//! Random changes of a network, and the comparison of a matrix that is kept up to date with one that is built again.

use crate::describe::describe;
use crate::generate::{Features, random_inventory};
use crate::properties::undecided;
use crate::rng::Rng;
use crate::verify::random_readings;
use bartizan_model::*;
use bartizan_packet::{IpSet, PortSet, ServiceSet};
use bartizan_reach::{
    Affected, Change, CompileOptions, Live, Mode, Partition, Point, Reach, Standing, compile,
};
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// Interfaces by number, public addresses by halves.
struct Few {
    cut: IpSet,
}

impl Few {
    fn new() -> Self {
        let half: Option<IpNet> = "128.0.0.0/2".parse().ok();
        Few {
            cut: IpSet::from_nets(half),
        }
    }
}

const BLOCKS: u32 = 6;

impl Partition for Few {
    fn blocks(&self) -> usize {
        BLOCKS as usize
    }
    fn cuts(&self) -> &[IpSet] {
        std::slice::from_ref(&self.cut)
    }
    fn block(&self, iface: Option<InterfaceId>, ip: IpAddr) -> u32 {
        match iface {
            Some(i) => i.0 % 4,
            None if self.cut.contains(ip) => 4,
            None => 5,
        }
    }
}

fn id(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn pick<'a, T>(r: &mut Rng, v: &'a [T]) -> Option<&'a T> {
    (!v.is_empty()).then(|| &v[r.below(v.len())])
}

/// A prefix around an address that somebody has, or one that a rule names already.
fn prefix(r: &mut Rng, t: &Typed) -> Option<IpNet> {
    if r.chance(30) {
        let rule = pick(r, &t.sg_rules)?;
        if let Peer::Net(NetSpec::Net(Fact::Known(n))) = rule.peer {
            return Some(n);
        }
    }
    let i = pick(r, &t.interfaces)?;
    match pick(r, &i.addresses)?.spec {
        AddressSpec::Ip(ip) => {
            let most = if ip.is_ipv4() { 32 } else { 128 };
            let less = *pick(r, &[0, 0, 1, 2, 4, 8, 16])?;
            IpNet::new(ip, most - less).ok().map(|n| n.trunc())
        }
        AddressSpec::Block(n) => Some(n),
        _ => None,
    }
}

fn add_rule(r: &mut Rng, t: &Typed) -> Option<Change> {
    let mut rule = pick(r, &t.sg_rules)?.clone();
    let group = SecurityGroupId(id(r.below(t.security_groups.len().max(1))));
    let g = t.security_groups.get(group.index())?;
    rule.group = group.into();
    if r.chance(50) {
        rule.direction = (if r.chance(50) {
            Direction::Ingress
        } else {
            Direction::Egress
        })
        .into();
    }
    if r.chance(50) {
        rule.accept = r.chance(70).into();
    }
    rule.priority = (1 + u8::try_from(r.below(100)).unwrap_or(0)).into();
    rule.services = if r.chance(8) {
        ServiceSet::tcp(PortSet::single(1 + u16::try_from(r.below(9000)).unwrap_or(0))).into()
    } else {
        pick(r, &t.sg_rules)?.services.clone()
    };
    let near: Vec<SecurityGroupId> = (0..t.security_groups.len())
        .filter(|n| t.security_groups[*n].vpc == g.vpc)
        .map(|n| SecurityGroupId(id(n)))
        .collect();
    rule.peer = match r.below(10) {
        0..=4 if g.enterprise.known() == Some(&false) => Peer::Group(*pick(r, &near)?),
        5 => Peer::Net(NetSpec::Net("0.0.0.0/0".parse::<IpNet>().ok()?.into())),
        _ => Peer::Net(NetSpec::Net(prefix(r, t)?.into())),
    };
    Some(Change::AddRule(Box::new(rule)))
}

fn set_groups(r: &mut Rng, t: &Typed) -> Option<Change> {
    let n = r.below(t.interfaces.len().max(1));
    let i = t.interfaces.get(n).filter(|i| i.instance.is_some())?;
    let vpc = t.vpc_of(i)?;
    let now = i.groups.known()?;
    let kind = &t[*now.first()?].enterprise;
    let near: Vec<SecurityGroupId> = (0..t.security_groups.len())
        .map(|n| SecurityGroupId(id(n)))
        .filter(|g| t[*g].vpc.known() == Some(&vpc) && t[*g].enterprise == *kind)
        .collect();
    let mut groups = now.clone();
    if groups.len() > 1 && r.chance(50) {
        groups.swap_remove(r.below(groups.len()));
    } else {
        groups.push(*pick(r, &near)?);
    }
    Some(Change::SetGroups(InterfaceId(id(n)), groups))
}

fn set_address(r: &mut Rng, t: &Typed) -> Option<Change> {
    let n = r.below(t.interfaces.len().max(1));
    let i = t.interfaces.get(n)?;
    let at = r.below(i.addresses.len().max(1));
    let a = i.addresses.get(at)?;
    let (AddressSpec::Ip(IpAddr::V4(_)), AddressKind::Primary | AddressKind::Secondary) = (&a.spec, a.kind)
    else {
        return None;
    };
    let IpNet::V4(block) = *t[*i.vswitch.known()?].cidr.known()? else {
        return None;
    };
    let size = 1u32 << (32 - u32::from(block.prefix_len())).min(8);
    let ip = u32::from(block.network()) + id(r.below(size as usize));
    // The cloud gives an address of a VPC once.
    let taken = |other: &Interface| {
        let has = |a: &Address| matches!(a.spec, AddressSpec::Ip(IpAddr::V4(x)) if u32::from(x) == ip);
        t.vpc_of(other) == t.vpc_of(i) && other.addresses.iter().any(has)
    };
    if t.interfaces.iter().any(taken) {
        return None;
    }
    Some(Change::SetAddress(
        InterfaceId(id(n)),
        id(at),
        IpAddr::V4(ip.into()),
    ))
}

fn add_route(r: &mut Rng, t: &Typed) -> Option<Change> {
    let table = RouteTableId(id(r.below(t.route_tables.len().max(1))));
    let vpc = t.route_tables.get(table.index())?.vpc.known()?;
    let to = prefix(r, t)?;
    let taken =
        |e: &&RouteEntry| e.table == Fact::Known(table) && e.destination == NetSpec::Net(Fact::Known(to));
    if t.route_entries.iter().any(|e| taken(&e)) {
        return None;
    }
    let here: Vec<InterfaceId> = (0..t.interfaces.len())
        .filter(|n| t.vpc_of(&t.interfaces[*n]) == Some(*vpc))
        .map(|n| InterfaceId(id(n)))
        .collect();
    let hop = match pick(r, &t.route_entries) {
        Some(e) if r.chance(50) => pick(r, &e.next_hops)?.clone(),
        _ => NextHop::Interface(*pick(r, &here)?),
    };
    let origin = t.route_tables[table.index()].meta.origin.clone();
    Some(Change::AddRoute(RouteEntry {
        origin,
        table: table.into(),
        destination: NetSpec::Net(to.into()),
        next_hops: vec![hop],
    }))
}

/// A listener gets a backend like one of those that there are, or loses one.
fn backend(r: &mut Rng, t: &Typed) -> Option<Change> {
    let b = BalancerId(id(r.below(t.balancers.len().max(1))));
    let listeners = &t.balancers.get(b.index())?.listeners;
    let l = r.below(listeners.len().max(1));
    let forwards = &listeners.get(l)?.forwards;
    if r.chance(50) {
        return (!forwards.is_empty()).then(|| Change::RemoveBackend(b, id(l), id(r.below(forwards.len()))));
    }
    let like = t
        .balancers
        .iter()
        .flat_map(|b| &b.listeners)
        .flat_map(|l| &l.forwards);
    let like: Vec<&Forward> = like.collect();
    let mut f = (*pick(r, &like)?).clone();
    if r.chance(80) {
        f.to = Backend::Interface(InterfaceId(id(r.below(t.interfaces.len()))));
    }
    Some(Change::AddBackend(b, id(l), Box::new(f)))
}

/// Another table forwards for an attachment or learns from it, or something else is attached.
fn attachment(r: &mut Rng, t: &Typed) -> Option<Change> {
    let a = AttachmentId(id(r.below(t.attachments.len().max(1))));
    let x = t.attachments.get(a.index())?;
    // One of its router, most of the time.
    let tables = (0u32..).map(TrTableId).zip(&t.tr_tables);
    let any = r.chance(10);
    let mine: Vec<TrTableId> = tables
        .filter(|(_, of)| any || of.router == x.router)
        .map(|(n, _)| n)
        .collect();
    let table = pick(r, &mine).copied();
    match r.below(6) {
        0 | 1 => Some(Change::Associate(a, table.filter(|_| r.chance(80)))),
        2 => Some(Change::Propagate(a, table?, true)),
        // Most tables learn from few.
        3 => {
            let some: Vec<&TrLink> = t.tr_propagations.iter().collect();
            let l = pick(r, &some)?;
            Some(Change::Propagate(
                *l.attachment.known()?,
                *l.table.known()?,
                false,
            ))
        }
        _ if matches!(x.to, Attached::Vpc(Fact::Known(_))) && r.chance(80) => Some(Change::Attach(a, None)),
        // What was detached comes back, or another VPC is attached.
        _ => {
            let vpc = VpcId(id(r.below(t.vpcs.len().max(1))));
            t.vpcs.get(vpc.index())?;
            let mine = (0u32..).map(VswitchId).zip(&t.vswitches);
            let mine: Vec<VswitchId> = mine
                .filter(|(_, v)| v.vpc.known() == Some(&vpc))
                .map(|(n, _)| n)
                .collect();
            let basic = x.router.known().is_some_and(|r| t[*r].basic);
            let zones = pick(r, &mine).copied().filter(|_| !basic);
            Some(Change::Attach(a, Some((vpc, zones.into_iter().collect()))))
        }
    }
}

/// A random change of an inventory. The same generator state and inventory give the same change.
#[must_use]
pub fn random_change(r: &mut Rng, inv: &Inventory) -> Option<Change> {
    let t = &inv.typed;
    match r.below(24) {
        0..=5 => add_rule(r, t),
        6..=9 => (!t.sg_rules.is_empty()).then(|| Change::RemoveRule(id(r.below(t.sg_rules.len())))),
        10..=13 => set_groups(r, t),
        14 | 15 => set_address(r, t),
        16 => add_route(r, t),
        17 => (!t.route_entries.is_empty()).then(|| Change::RemoveRoute(id(r.below(t.route_entries.len())))),
        18 | 22 | 23 => attachment(r, t),
        19 | 20 => backend(r, t),
        _ => add_rule(r, t),
    }
}

/// Half of the sequences decide nothing about contested semantics, the others draw a decision about everything.
fn options(r: &mut Rng) -> CompileOptions {
    let readings = if r.chance(50) {
        undecided()
    } else {
        random_readings(r)
    };
    CompileOptions {
        readings,
        ..CompileOptions::default()
    }
}

/// The matrix as services, which do not depend on how finely atoms are cut.
fn services(r: &Reach) -> Vec<ServiceSet> {
    let pairs = (0..BLOCKS).flat_map(|a| (0..BLOCKS).map(move |b| (a, b)));
    pairs
        .map(|(a, b)| r.network().atoms.services(&r.delivered(a, b)))
        .collect()
}

/// What a comparison of many sequences found.
#[derive(Clone, Debug, Default)]
pub struct IncrementalReport {
    /// Sequences of changes, each on a random network.
    pub sequences: u64,
    /// Changes.
    pub changes: u64,
    /// Sequences on networks where what travels between VPCs is kept up to date, and where what balancers hand on is.
    pub between: u64,
    /// As `between` for balancers.
    pub balancers: u64,
    /// Changes after which some pair of blocks differed from before.
    pub effective: u64,
    /// Of these, those after which nothing was built again.
    pub local: u64,
    /// Changes that a network without a matrix followed.
    pub standing: u64,
    /// Changes after which everything was built again, by kind and reason.
    pub rebuilt: BTreeMap<(&'static str, &'static str), u64>,
    /// Changes by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Changes after which the matrix was not that of a rebuild, or the pairs named were not those that changed.
    pub differing: u64,
    /// The first few of them.
    pub examples: Vec<String>,
}

impl fmt::Display for IncrementalReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rebuilt: u64 = self.rebuilt.values().sum();
        writeln!(
            f,
            "{} sequences, {} changes ({} changed some pair, {} of them without building again; {rebuilt} built everything again), {} differ from a rebuild",
            self.sequences, self.changes, self.effective, self.local, self.differing
        )?;
        writeln!(
            f,
            "  kept up to date at the beginning: {} between VPCs, {} balancers; without a matrix {} changes were followed",
            self.between, self.balancers, self.standing
        )?;
        for (kind, n) in &self.kinds {
            let again: u64 = self
                .rebuilt
                .iter()
                .filter(|(k, _)| k.0 == *kind)
                .map(|(_, n)| n)
                .sum();
            writeln!(f, "  {kind}: {n}, built again {again}")?;
        }
        self.examples.iter().try_for_each(|e| writeln!(f, "{e}"))
    }
}

/// Whether a network is one of joined VPCs with balancers and little besides.
fn estate(index: u64) -> bool {
    index / 2 % 5 == 4
}

/// The features of one network: all of them in every fifth, because they meet each other there, and few of them in the
/// others, because most changes of a network with everything build everything again.
fn some_of(r: &mut Rng, index: u64, all: Features) -> Features {
    let turn = index / 2 % 5;
    if turn == 3 {
        return all;
    }
    const NAMES: [&str; 21] = [
        "vpcs",
        "acls",
        "routes",
        "appliances",
        "public",
        "binded",
        "nat",
        "gateways",
        "ipv6",
        "secondary",
        "ha-vips",
        "prefix-lists",
        "services",
        "balancers",
        "firewalls",
        "private-link",
        "joined",
        "hybrid",
        "inner",
        "inspectors",
        "vpc-firewalls",
    ];
    // Estates as most are: joined VPCs with balancers, and little besides.
    const ESTATE: [&str; 4] = ["vpcs", "acls", "balancers", "joined"];
    NAMES.iter().fold(all, |f, name| {
        let off = match turn {
            0 => 75,
            _ if estate(index) && ESTATE.contains(name) => 5,
            // Where one of these is everything is built again.
            _ if estate(index) && ["inner", "inspectors"].contains(name) => 100,
            _ if estate(index) => 85,
            _ => 50,
        };
        match r.chance(off) {
            true => f.without(name).unwrap_or(f),
            false => f,
        }
    })
}

/// What is delivered, and what works.
type Both = (ServiceSet, ServiceSet);

/// Flows of one step that are asked of a network without a matrix.
const ASKED: usize = 60;

/// Two ends between which a network says something else than another one, and what; not every pair is asked.
fn other_flow(r: &mut Rng, is: &Reach, should: &Reach) -> Option<(Point, Point, Both, Both)> {
    let points = |reach: &Reach| -> Vec<Point> {
        let mut all: Vec<Point> = (0..BLOCKS)
            .flat_map(|b| reach.points(b, (b + 1) % BLOCKS))
            .map(|p| p.0)
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    // Its cells are finer: all that the other one has are among them.
    let (mine, theirs) = (points(is), points(should));
    let inside = |p: &&Point| matches!(p, Point::Inside(_));
    if let Some(p) = theirs
        .iter()
        .filter(inside)
        .find(|p| mine.binary_search(p).is_err())
    {
        return Some((*p, *p, <_>::default(), <_>::default()));
    }
    if theirs.is_empty() {
        return None;
    }
    let all = theirs.len() * theirs.len();
    let asked = |n: usize| (theirs[n / theirs.len()], theirs[n % theirs.len()]);
    let some: Vec<(Point, Point)> = match all <= ASKED {
        true => (0..all).map(asked).collect(),
        false => (0..ASKED).map(|_| asked(r.below(all))).collect(),
    };
    let says = |reach: &Reach, (s, d)| {
        let net = reach.network();
        let f = net.flow(s, d);
        (net.atoms.services(&f.delivered), net.atoms.services(&f.works))
    };
    let ends = some
        .into_iter()
        .filter(|(s, d)| s != d && should.network().may_meet(*s, *d));
    let mut answers = ends.map(|(s, d)| (s, d, says(is, (s, d)), says(should, (s, d))));
    answers.find(|(_, _, a, b)| a != b)
}

/// One sequence of changes on one random network, in one mode.
fn sequence(seed: u64, index: u64, features: Features, length: usize, report: &mut IncrementalReport) {
    let mut r = Rng::for_item(seed, index);
    let mut features = some_of(&mut r, index, features);
    features.interleaved = estate(index) && (index / 10).is_multiple_of(2);
    let mut inv = random_inventory(&mut r, features);
    let mode = if index.is_multiple_of(2) {
        Mode::Widen
    } else {
        Mode::Narrow
    };
    let options = options(&mut r);
    let build = |inv| Live::new(inv, mode, options.clone(), Box::new(Few::new()));
    let mut live = build(inv);
    // Of these networks one is wanted whose VPCs have no addresses in common.
    for _ in 0..8 {
        if !estate(index) || live.keeps() == (true, true) {
            break;
        }
        inv = random_inventory(&mut r, features);
        live = build(inv);
    }
    // Which flows are asked changes nothing else that is drawn.
    let mut asks = Rng::for_item(seed ^ 0x57A9_D126, index);
    let mut standing = Standing::new(
        live.inventory().clone(),
        mode,
        options.clone(),
        Box::new(Few::new()),
    );
    let mut before = services(live.reach());
    report.sequences += 1;
    let (between, balancers) = live.keeps();
    report.between += u64::from(between);
    report.balancers += u64::from(balancers);
    let mut first = Reach::new(compile(live.inventory(), mode, &options), &Few::new());
    first.all_pairs();
    if before != services(&first) {
        report.differing += 1;
        report.examples.push(format!(
            "sequence {index}, {mode:?}: the beginning is not a matrix"
        ));
        return;
    }
    for step in 0..length {
        // Few other networks have attachments whose changes are followed.
        let change = match estate(index) && r.chance(35) {
            true => attachment(&mut r, &live.inventory().typed),
            false => random_change(&mut r, live.inventory()),
        };
        let Some(change) = change else {
            continue;
        };
        let Affected { pairs, rebuilt, .. } = live.apply(&change);
        let mut again = Reach::new(compile(live.inventory(), mode, &options), &Few::new());
        again.all_pairs();
        let (is, should) = (services(live.reach()), services(&again));
        let changed: Vec<(u32, u32)> = (0..BLOCKS)
            .flat_map(|a| (0..BLOCKS).map(move |b| (a, b)))
            .filter(|(a, b)| {
                let at = (a * BLOCKS + b) as usize;
                before[at] != is[at]
            })
            .collect();
        report.changes += 1;
        report.effective += u64::from(!changed.is_empty());
        report.local += u64::from(!changed.is_empty() && rebuilt.is_none());
        *report.kinds.entry(change.kind()).or_default() += 1;
        if let Some(why) = rebuilt {
            *report.rebuilt.entry((change.kind(), why)).or_default() += 1;
        }
        let alone = standing.apply(&change);
        report.standing += u64::from(alone.is_none());
        if let Some((s, d, is, should)) = other_flow(&mut asks, standing.reach(), &again) {
            report.differing += 1;
            report.examples.push(format!(
                "sequence {index}, step {step}, {mode:?}: {} without a matrix: {change:?}, rebuilt {alone:?}\n  {s:?} to {d:?}: {is:?}, and \
                 not {should:?}\n{}",
                change.kind(),
                describe(live.inventory()),
            ));
            return;
        }
        if is != should || changed != pairs {
            report.differing += 1;
            if report.examples.len() < 5 {
                let wrong: Vec<String> = (0..BLOCKS * BLOCKS)
                    .filter(|n| is[*n as usize] != should[*n as usize])
                    .map(|n| {
                        let (a, b, n) = (n / BLOCKS, n % BLOCKS, n as usize);
                        format!("  {a} to {b}: {:?}, and not {:?}\n", is[n], should[n])
                    })
                    .collect();
                report.examples.push(format!(
                    "sequence {index}, step {step}, {mode:?}: {} {}: {change:?}, rebuilt {rebuilt:?}\n{}{}",
                    change.kind(),
                    if is != should {
                        "differs from a rebuild"
                    } else {
                        "names other pairs than changed"
                    },
                    wrong.concat(),
                    describe(live.inventory()),
                ));
            }
            return;
        }
        before = is;
    }
}

/// Compares on `sequences` random networks, each with `length` changes one after another, on two threads; every
/// other one is narrowed.
#[must_use]
pub fn verify_incremental(sequences: u64, seed: u64, features: Features, length: usize) -> IncrementalReport {
    const THREADS: u64 = 2;
    let work = |part: u64| {
        let mut report = IncrementalReport::default();
        let mut index = part;
        while index < sequences {
            sequence(seed, index, features, length, &mut report);
            index += THREADS;
        }
        report
    };
    let parts: Vec<IncrementalReport> = std::thread::scope(|s| {
        let handles: Vec<_> = (0..THREADS).map(|p| s.spawn(move || work(p))).collect();
        // A panic of the engine is a failure of the run and must not be hidden.
        handles
            .into_iter()
            .map(|h| h.join().unwrap_or_else(|e| std::panic::resume_unwind(e)))
            .collect()
    });
    let mut all = IncrementalReport::default();
    for p in parts {
        all.sequences += p.sequences;
        all.changes += p.changes;
        all.effective += p.effective;
        all.local += p.local;
        all.standing += p.standing;
        all.between += p.between;
        all.balancers += p.balancers;
        all.differing += p.differing;
        all.examples.extend(p.examples);
        for (k, n) in p.rebuilt {
            *all.rebuilt.entry(k).or_default() += n;
        }
        for (k, n) in p.kinds {
            *all.kinds.entry(k).or_default() += n;
        }
    }
    all
}
