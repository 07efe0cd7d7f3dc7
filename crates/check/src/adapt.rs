//! From the intent as written to a [`Plan`] over one inventory: selectors become sets.

use crate::doubt;
use crate::links;
use crate::plan::{Boundary, Claim, Clause, Expect, Mode, Plan, Statement, Test, Waypoint, Zone};
use crate::sets::Set;
use bartizan_base::Diagnostic;
use bartizan_lang::{
    self as lang, Date, Intent, Lang, LinkKind, ResourceKind, Selector, SelectorKind, SetExpr, Verb,
    WaypointRef, glob_match,
};
use bartizan_model::{
    Balancer, BalancerKind, DataService, DataServiceKind, Fact, Interface, InterfaceId, Inventory, Meta,
    Typed,
};
use bartizan_packet::IpSet;
use std::collections::BTreeMap;

/// Resolves an intent against an inventory as of a date.
///
/// Total: names were checked when the intent was resolved. Diagnostics say which selectors match nothing or
/// name things that this version does not know.
#[must_use]
pub fn plan(intent: &Intent, inv: &Inventory, as_of: Date) -> (Plan, Vec<Diagnostic>) {
    let mut diags = Vec::new();
    let r = Resolver {
        intent,
        t: &inv.typed,
        shaky: doubt::Shaky::of(&inv.typed),
        tagged: Tagged::of(&inv.typed),
    };
    let mut p = Plan::default();
    let outside = p.set(Set::Outside, "outside");
    p.outside = outside;
    let zone_sets: Vec<Set> = intent.zones.iter().map(|z| r.selector(&z.selector)).collect();
    let zone_doubts: Vec<Option<String>> = intent
        .zones
        .iter()
        .map(|z| doubt::of(&r, &z.selector, &format!("zone `{}`", z.name)))
        .collect();
    for ((z, set), doubt) in intent.zones.iter().zip(&zone_sets).zip(&zone_doubts) {
        let n = p.set(set.clone(), &z.name);
        if let Some(d) = doubt {
            p.doubts.insert(n, d.clone());
        }
        p.zones.push(Zone {
            name: z.name.clone(),
            set: n,
            overlaps: z
                .overlaps
                .iter()
                .map(|o| intent.zone_name(*o).to_string())
                .collect(),
            required: z.required,
            selector: z.name.clone(),
            span: z.span,
        });
    }
    let zoned = Set::Or(zone_sets.clone());
    let inside = Set::Except(Box::new(Set::Everything), Box::new(Set::Outside));
    p.unzoned = p.set(Set::Except(Box::new(inside), Box::new(zoned)), "unzoned");
    p.doubtful = intent
        .zones
        .iter()
        .flat_map(|z| doubt::interfaces(&r, &z.selector))
        .collect();
    if let Some(d) = zone_doubts.iter().flatten().next() {
        p.doubts.insert(p.unzoned, d.clone());
    }
    let cx = Names {
        r: &r,
        doubts: &zone_doubts,
        zones: &zone_sets,
        unzoned: p.sets[p.unzoned].clone(),
    };
    for b in &intent.boundaries {
        let governs = b
            .governs
            .iter()
            .map(|s| cx.put(&mut p, s, &intent.set_text(s)))
            .collect();
        let mode = match b.mode {
            lang::Mode::Observe => Mode::Observe,
            lang::Mode::Warn => Mode::Warn,
            lang::Mode::Enforce => Mode::Enforce,
        };
        p.boundaries.push(Boundary {
            name: b.name.clone(),
            governs,
            mode,
            span: b.span,
        });
    }
    for c in &intent.clauses {
        let claim = match c.kind {
            Verb::Allow => Claim::Allow,
            Verb::Must => Claim::Must,
            Verb::MustSome => Claim::MustSome,
            Verb::Only => Claim::Only,
            Verb::Never => Claim::Never,
            Verb::Through => Claim::Through,
            Verb::NotThrough => Claim::NotThrough,
        };
        let waypoint = c.waypoint.as_ref().map(|w| cx.waypoint(w, &mut p));
        if let Some(Waypoint::Unsupported(what)) = &waypoint {
            diags.push(
                Diagnostic::warning(
                    "INTENT018",
                    format!("`{what}` is nothing that packets are known to go through"),
                )
                .at(c.span, "undecided for that reason")
                .help("name a zone, a NAT gateway, a load balancer or a firewall of the inventory"),
            );
        }
        let in_doubt = match &c.waypoint {
            Some(WaypointRef::Zone(z)) => zone_doubts.get(z.index()).cloned().flatten(),
            Some(WaypointRef::Nat(_)) => doubt::nats(&r),
            Some(WaypointRef::Named(_)) => doubt::names(&r),
            Some(WaypointRef::Firewall(_)) => doubt::firewalls(&r),
            Some(WaypointRef::Tf(g)) => doubt::addresses(&r, g),
            _ => None,
        };
        if let Some(d) = in_doubt {
            p.waypoint_doubts.insert(p.clauses.len(), d);
        }
        let clause = Clause {
            id: c.id.clone(),
            text: c.text.clone(),
            sentence: lang::sentence(intent, c, Lang::En),
            claim,
            from: cx.put(&mut p, &c.from, &intent.set_text(&c.from)),
            to: cx.put(&mut p, &c.to, &intent.set_text(&c.to)),
            services: c.services.clone(),
            waypoint,
            boundary: c.boundary.map(lang::BoundaryId::index),
            exception: c
                .exception
                .and_then(|e| intent.exceptions.get(e.index()))
                .map(|e| e.id.clone()),
            active: intent.is_active(c, as_of),
            span: c.span,
        };
        p.clauses.push(clause);
    }
    for t in &intent.tests {
        let mut statements = Vec::new();
        for s in &t.statements {
            let allowed_by = s.as_of.map(|d| {
                let on = intent
                    .clauses
                    .iter()
                    .enumerate()
                    .filter(|(_, c)| intent.is_active(c, d));
                on.map(|(i, _)| i).collect()
            });
            statements.push(Statement {
                text: match s.down.as_slice() {
                    [] => s.text.clone(),
                    down => format!("with down {} {{ {} }}", crate::failure::text(down), s.text),
                },
                from: cx.put(&mut p, &s.from, &intent.set_text(&s.from)),
                to: cx.put(&mut p, &s.to, &intent.set_text(&s.to)),
                services: s.services.clone(),
                expect: match s.expect {
                    lang::Expect::Can => Expect::Can,
                    lang::Expect::Cannot => Expect::Cannot,
                },
                allowed_by,
                down: s.down.clone(),
                span: s.span,
            });
        }
        p.tests.push(Test {
            name: t.name.clone(),
            statements,
            span: t.span,
        });
    }
    (p, diags)
}

pub(crate) struct Resolver<'a> {
    pub(crate) intent: &'a Intent,
    pub(crate) t: &'a Typed,
    pub(crate) shaky: doubt::Shaky,
    tagged: Tagged<'a>,
}

struct Names<'a> {
    r: &'a Resolver<'a>,
    doubts: &'a [Option<String>],
    zones: &'a [Set],
    unzoned: Set,
}

impl Names<'_> {
    /// Adds the set of an expression to the plan, with the doubt about who is in it.
    fn put(&self, p: &mut Plan, s: &SetExpr, name: &str) -> usize {
        let n = p.set(self.set(s), name);
        if let Some(d) = self.doubt(s) {
            p.doubts.insert(n, d);
        }
        n
    }

    fn doubt(&self, s: &SetExpr) -> Option<String> {
        match s {
            SetExpr::Zone(z) => self.doubts.get(z.index()).cloned().flatten(),
            SetExpr::Env(e) => {
                let e = self.r.intent.envs.get(e.index())?;
                doubt::of(self.r, &e.selector, &format!("env `{}`", e.name))
            }
            SetExpr::Unzoned => self.doubts.iter().flatten().next().cloned(),
            SetExpr::Union(v) => v.iter().find_map(|s| self.doubt(s)),
            SetExpr::Except(a, b) => self.doubt(a).or_else(|| self.doubt(b)),
            SetExpr::Cidr(_) | SetExpr::Everything | SetExpr::Outside => None,
        }
    }

    fn set(&self, s: &SetExpr) -> Set {
        match s {
            SetExpr::Zone(z) => self.zones.get(z.index()).cloned().unwrap_or(Set::Nothing),
            SetExpr::Env(e) => self
                .r
                .intent
                .envs
                .get(e.index())
                .map_or(Set::Nothing, |e| self.r.selector(&e.selector)),
            SetExpr::Cidr(n) => Set::Ips(IpSet::from(*n)),
            SetExpr::Everything => Set::Everything,
            SetExpr::Outside => Set::Outside,
            SetExpr::Unzoned => self.unzoned.clone(),
            SetExpr::Union(v) => Set::Or(v.iter().map(|s| self.set(s)).collect()),
            SetExpr::Except(a, b) => Set::Except(Box::new(self.set(a)), Box::new(self.set(b))),
        }
    }

    fn waypoint(&self, w: &WaypointRef, p: &mut Plan) -> Waypoint {
        let nats = |f: &dyn Fn(&Meta) -> bool| -> Vec<u32> {
            let found = self
                .r
                .t
                .nat_gateways
                .iter()
                .enumerate()
                .filter(|(_, n)| f(&n.meta));
            found.filter_map(|(i, _)| u32::try_from(i).ok()).collect()
        };
        match w {
            WaypointRef::Zone(z) => {
                let set = self.zones.get(z.index()).cloned().unwrap_or(Set::Nothing);
                Waypoint::Set(p.set(set, self.r.intent.zone_name(*z)))
            }
            WaypointRef::Nat(g) => Waypoint::Nats(nats(&|m| named(m, g))),
            WaypointRef::Tf(g) => {
                let is = |m: &Meta| glob_match(g, &m.origin.address);
                // Ways are not told by these.
                if self.r.links().any(is) {
                    return Waypoint::Unsupported(g.clone());
                }
                let firewalls = (0u32..)
                    .zip(&self.r.t.firewalls)
                    .filter(|(_, f)| is(&f.meta))
                    .map(|(n, _)| n);
                let set = self.r.interfaces(|_, i| self.r.metas(i).any(is));
                let set = Waypoint::Set(p.set(set, g));
                let others = vec![
                    Waypoint::Nats(nats(&is)),
                    Waypoint::Firewalls(firewalls.collect()),
                ];
                any(others, set)
            }
            WaypointRef::Named(g) => {
                // The endpoint of a gateway load balancer is the interface that stands for it.
                let called = |_, i: &Interface| {
                    let kinds = [ResourceKind::Lb, ResourceKind::Endpoint];
                    self.r.metas(i).any(|m| named(m, g))
                        || kinds
                            .into_iter()
                            .any(|k| self.r.balancers(k, i).any(|b| named(&b.meta, g)))
                };
                let found = nats(&|m| named(m, g));
                match self.r.interfaces(called) {
                    Set::Interfaces(v) if v.is_empty() && found.is_empty() => {
                        Waypoint::Unsupported(g.clone())
                    }
                    set => {
                        let set = Waypoint::Set(p.set(set, g));
                        any(vec![Waypoint::Nats(found)], set)
                    }
                }
            }
            WaypointRef::Firewall(g) => {
                let all = (0u32..).zip(&self.r.t.firewalls);
                let found = all.filter(|(_, f)| named(&f.meta, g)).map(|(n, _)| n);
                Waypoint::Firewalls(found.collect())
            }
        }
    }
}

/// A set, or any of it and of those waypoints that are anything.
fn any(mut all: Vec<Waypoint>, set: Waypoint) -> Waypoint {
    all.retain(|w| !matches!(w, Waypoint::Nats(v) | Waypoint::Firewalls(v) if v.is_empty()));
    if all.is_empty() {
        return set;
    }
    all.push(set);
    Waypoint::Any(all)
}

/// Whether the display name matches, or the Terraform name of a resource that has none.
pub(crate) fn named(m: &Meta, glob: &str) -> bool {
    match &m.name {
        Some(Fact::Known(n)) => glob_match(glob, n),
        Some(Fact::Unknown(_)) => false,
        None => {
            let name = m
                .origin
                .address
                .rsplit('.')
                .next()
                .map(|n| n.split('[').next().unwrap_or(n));
            name.is_some_and(|n| glob_match(glob, n))
        }
    }
}

/// Whether a managed service is of a kind: `rds` is RDS and PolarDB.
fn answers(of: ResourceKind, kind: DataServiceKind) -> bool {
    match of {
        ResourceKind::Rds => matches!(kind, DataServiceKind::Rds | DataServiceKind::Polardb),
        ResourceKind::Redis => kind == DataServiceKind::Redis,
        ResourceKind::Managed => true,
        _ => false,
    }
}

/// Whether a balancer is of a kind: endpoints of PrivateLink are asked for apart.
fn balances(of: ResourceKind, kind: BalancerKind) -> bool {
    (of == ResourceKind::Endpoint) == (kind == BalancerKind::Endpoint)
}

fn members(all: impl Iterator<Item = InterfaceId>) -> Set {
    let mut all: Vec<InterfaceId> = all.collect();
    all.sort_unstable();
    all.dedup();
    Set::Interfaces(all)
}

/// Interfaces by the tags of them and of their instances, as far as these are known.
pub(crate) struct Tagged<'a>(BTreeMap<&'a str, BTreeMap<&'a str, Vec<InterfaceId>>>);

impl<'a> Tagged<'a> {
    fn of(t: &'a Typed) -> Self {
        let mut all: BTreeMap<&str, BTreeMap<&str, Vec<InterfaceId>>> = BTreeMap::new();
        for (n, i) in (0u32..).map(InterfaceId).zip(&t.interfaces) {
            let instance = i.instance.map(|x| &t[x].meta);
            let tags = std::iter::once(&i.meta)
                .chain(instance)
                .filter_map(|m| m.tags.known());
            for (k, v) in tags.flatten() {
                if let Fact::Known(v) = v {
                    all.entry(k).or_default().entry(v).or_default().push(n);
                }
            }
        }
        Tagged(all)
    }

    /// Those with a value that the pattern matches, sorted.
    fn matching(&self, key: &str, value: &str) -> Vec<InterfaceId> {
        let values = self.0.get(key).into_iter().flatten();
        let values = values.filter(|(v, _)| glob_match(value, v));
        let mut out: Vec<InterfaceId> = values.flat_map(|(_, all)| all).copied().collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

impl Resolver<'_> {
    /// What joins networks and is nothing that a way is told by.
    fn links(&self) -> impl Iterator<Item = &Meta> {
        let t = self.t;
        let routers = t.transit_routers.iter().map(|x| &x.meta);
        let gateways = t.vpn_gateways.iter().map(|x| &x.meta);
        routers
            .chain(gateways)
            .chain(t.peerings.iter().map(|x| &x.meta))
            .chain(t.attachments.iter().map(|x| &x.meta))
            .chain(t.vpn_connections.iter().map(|x| &x.meta))
            .chain(t.border_routers.iter().map(|x| &x.meta))
            .chain(t.router_interfaces.iter().map(|x| &x.meta))
            .chain(t.ipv4_gateways.iter().map(|x| &x.meta))
            .chain(t.ipv6_gateways.iter().map(|x| &x.meta))
    }

    fn interfaces(&self, f: impl Fn(InterfaceId, &Interface) -> bool) -> Set {
        let all = self.t.interfaces.iter().enumerate();
        let ids = all.map(|(n, i)| (InterfaceId(u32::try_from(n).unwrap_or(u32::MAX)), i));
        Set::Interfaces(ids.filter(|(id, i)| f(*id, i)).map(|(id, _)| id).collect())
    }

    /// The metas by which an interface is known: its own and its instance's.
    pub(crate) fn metas<'a>(&'a self, i: &'a Interface) -> impl Iterator<Item = &'a Meta> {
        std::iter::once(&i.meta).chain(i.instance.map(|n| &self.t[n].meta))
    }

    fn selector(&self, s: &Selector) -> Set {
        match &s.kind {
            SelectorKind::Everything => Set::Everything,
            SelectorKind::Outside => Set::Outside,
            SelectorKind::Tag { key, value } => Set::Interfaces(self.tagged.matching(key, value)),
            SelectorKind::Resource { of, glob } => {
                let glob = glob.as_deref().unwrap_or("*");
                self.resource(*of, glob)
            }
            SelectorKind::Name(g) => self.interfaces(|_, i| self.metas(i).any(|m| named(m, g))),
            SelectorKind::Tf(g) => {
                self.interfaces(|_, i| self.metas(i).any(|m| glob_match(g, &m.origin.address)))
            }
            SelectorKind::Cidr(n) => Set::Ips(IpSet::from(*n)),
            SelectorKind::In(e) => self
                .intent
                .envs
                .get(e.index())
                .map_or(Set::Nothing, |e| self.selector(&e.selector)),
            SelectorKind::Via { link, name } => self.via(*link, name),
            SelectorKind::All(v) => Set::And(v.iter().map(|s| self.selector(s)).collect()),
            SelectorKind::AnyOf(v) => Set::Or(v.iter().map(|s| self.selector(s)).collect()),
            SelectorKind::Except(a, v) => Set::Except(
                Box::new(self.selector(a)),
                Box::new(Set::Or(v.iter().map(|s| self.selector(s)).collect())),
            ),
        }
    }

    /// The addresses behind a link. One that is not in the inventory narrows nothing.
    fn via(&self, link: LinkKind, name: &str) -> Set {
        let (sites, networks) = links::behind(self.intent, self.t, link, name);
        if sites.is_empty() {
            return Set::Everything;
        }
        let set = self.interfaces(|i, _| sites.iter().any(|s| self.t[*s].interface == i));
        match networks {
            Some(n) => Set::And(vec![set, Set::Ips(IpSet::from_nets(n.iter().copied()))]),
            None => set,
        }
    }

    fn resource(&self, of: ResourceKind, glob: &str) -> Set {
        let t = self.t;
        match of {
            ResourceKind::Ecs => self.interfaces(|_, i| i.instance.is_some_and(|n| named(&t[n].meta, glob))),
            ResourceKind::Eni => self.interfaces(|_, i| named(&i.meta, glob)),
            ResourceKind::Vswitch => {
                self.interfaces(|_, i| i.vswitch.known().is_some_and(|v| named(&t[*v].meta, glob)))
            }
            ResourceKind::Vpc => self.interfaces(|_, i| {
                let vpc = i.vswitch.known().and_then(|v| t[*v].vpc.known());
                vpc.is_some_and(|v| named(&t[*v].meta, glob))
            }),
            ResourceKind::Sg => self.interfaces(|_, i| {
                i.groups
                    .known()
                    .is_some_and(|g| g.iter().any(|g| named(&t[*g].meta, glob)))
            }),
            ResourceKind::Rds | ResourceKind::Redis | ResourceKind::Managed => {
                let all = t
                    .data_services
                    .iter()
                    .filter(|d| answers(of, d.kind) && named(&d.meta, glob));
                members(all.map(|d| d.interface))
            }
            ResourceKind::Lb | ResourceKind::Endpoint => {
                let all = t
                    .balancers
                    .iter()
                    .filter(|b| balances(of, b.kind) && named(&b.meta, glob));
                members(all.flat_map(|b| b.fronts.iter().copied()))
            }
        }
    }

    /// The managed services of a kind that answer at an interface: `rds` is RDS and PolarDB.
    pub(crate) fn services<'a>(
        &'a self,
        of: ResourceKind,
        i: &'a Interface,
    ) -> impl Iterator<Item = &'a DataService> {
        let all = self.t.data_services.iter().filter(move |d| answers(of, d.kind));
        all.filter(move |d| std::ptr::eq(&self.t[d.interface], i))
    }

    /// The load balancers (or the endpoints of PrivateLink) of which an interface is a front.
    pub(crate) fn balancers<'a>(
        &'a self,
        of: ResourceKind,
        i: &'a Interface,
    ) -> impl Iterator<Item = &'a Balancer> {
        let front = move |f: &InterfaceId| std::ptr::eq(&self.t[*f], i);
        let all = self.t.balancers.iter().filter(move |b| balances(of, b.kind));
        all.filter(move |b| b.fronts.iter().any(front))
    }
}
