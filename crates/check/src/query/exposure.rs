//! Everything that is open to the Internet, what protects it, and what goes around that.

use super::openings::{Opening, openings};
use super::{Frame, Subject, public_text, resource};
use bartizan_base::Diagnostic;
use bartizan_model::{Balancer, Fact, Firewall, FirewallPlace, InterfaceId, Origin, Proxy, ProxyOrigin};
use bartizan_packet::{IpSet, ServiceSet};
use bartizan_reach::{Exposed, PublicDoor};

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// Certainly.
    Yes,
    /// Certainly not.
    No,
    /// It depends on what is not known.
    Unknown,
}

/// Where something is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposurePlace {
    /// The public address; empty where the cloud has yet to pick it.
    pub address: String,
    /// What owns it: an EIP, a DNAT entry, a load balancer, a public endpoint or the interface.
    pub by: String,
    /// Where the public address is bound.
    pub origin: Option<Origin>,
}

/// One public service, at the addresses where it is the same.
#[derive(Clone, Debug)]
pub struct ExposureRow {
    /// The public address; the fronts of one load balancer together.
    pub places: Vec<ExposurePlace>,
    /// The listeners that take it in, where it is a load balancer.
    pub listeners: Vec<String>,
    /// The services, as clients send them.
    pub services: ServiceSet,
    /// The resource that answers.
    pub resource: String,
    /// The backends, where a load balancer hands it on.
    pub backends: Vec<String>,
    /// Those to whom load balancers among the backends hand it on in turn.
    pub behind: Vec<String>,
    /// Everybody on the Internet who is let in, in words.
    pub sources: String,
    /// The same as prefixes.
    pub prefixes: Vec<String>,
    /// Whether every public address of the family is let in.
    pub everybody: bool,
    /// Whether it is open for certain.
    pub certain: bool,
    /// Whether Cloud Firewall filters it (A-CFW-1).
    pub firewall: Sure,
    /// WAF and Anti-DDoS Proxy that send to it.
    pub proxies: Vec<String>,
    /// Anti-DDoS: `basic` or `origin`.
    pub ddos: &'static str,
    /// Whether it can be reached around the proxies; `None` without proxies.
    pub around: Option<Sure>,
}

impl ExposureRow {
    /// Whether two rows differ by their address alone.
    fn like(&self, o: &ExposureRow) -> bool {
        let kind = |r: &ExposureRow| (r.everybody, r.certain, r.firewall, r.ddos, r.around);
        kind(self) == kind(o)
            && self.resource == o.resource
            && self.services == o.services
            && self.prefixes == o.prefixes
            && self.listeners == o.listeners
            && self.backends == o.backends
            && self.behind == o.behind
            && self.proxies == o.proxies
    }
}

/// The answer to `exposure`.
#[derive(Clone, Debug)]
pub struct Exposure {
    /// In the order of the resources.
    pub rows: Vec<ExposureRow>,
    /// Proxies whose origins are not all known: address and how many.
    pub loose: Vec<(String, usize)>,
    /// Ways to and from the Internet beside public addresses.
    pub openings: Vec<Opening>,
}

/// Lists every service that somebody on the Internet reaches. `back` are the addresses from which proxies send to
/// their origins, where they are known.
///
/// # Errors
/// `INTENT009` when `back` names something else than public addresses: nobody would send from there.
pub fn exposure(f: &Frame<'_>, back: Option<&Subject>) -> Result<Exposure, Diagnostic> {
    let subjects: Vec<&Subject> = back.into_iter().collect();
    let w = f.world(&subjects, &[]);
    let t = &f.inventory.typed;
    let known = back.map(addresses).transpose()?;
    let sure = w.sure.network().exposed();
    let inbound = |x: &Firewall| x.rules.iter().any(|r| r.inbound.known() != Some(&false));
    let present = t
        .firewalls
        .iter()
        .any(|x| x.place == FirewallPlace::Internet && inbound(x));
    let mut rows = Vec::new();
    let all = w.may.network().exposed();
    for e in &all {
        let same = counterpart(&sure, e);
        let proxies: Vec<&Proxy> = t
            .proxies
            .iter()
            .filter(|p| p.origins.iter().any(|o| is(o, e)))
            .collect();
        let shielded = t.shields.iter().any(|s| is(&s.of, e));
        for open in &e.open {
            let (services, sources) = (&open.services, &open.sources);
            let for_certain = |who: &IpSet| same.is_some_and(|s| covers(s, who, services));
            let family = if sources.v4.is_empty() {
                IpSet::all_v6()
            } else {
                IpSet::all_v4()
            };
            let everybody = w.network().outside.intersect(&family).is_subset(sources);
            let fronted: Vec<&&Proxy> = proxies
                .iter()
                .filter(|p| p.services.known().is_none_or(|s| s.intersects(services)))
                .collect();
            let around = (!fronted.is_empty()).then(|| match &known {
                Some(k) if sources.is_subset(k) => Sure::No,
                Some(k) if for_certain(&sources.subtract(k)) => Sure::Yes,
                Some(_) => Sure::Unknown,
                // No proxy sends from everywhere.
                None if everybody && for_certain(sources) => Sure::Yes,
                None => Sure::Unknown,
            });
            // Who does not reach this address may reach the origin by another one, or by a balancer before it.
            let around = around.map(|a| match besides(&all, &sure, e, (t, known.as_ref())) {
                _ if a == Sure::Yes => a,
                Sure::No => a,
                other => other,
            });
            let certain = for_certain(sources);
            let (by, origin) = owner(f, e);
            let address = e.public.first().filter(|ip| e.public == IpSet::single(*ip));
            let balancer = balancer(f, e.iface);
            rows.push(ExposureRow {
                places: vec![ExposurePlace {
                    address: address.map_or_else(String::new, |ip| ip.to_string()),
                    by,
                    origin,
                }],
                listeners: balancer.map_or_else(Vec::new, |b| listeners(b, services)),
                services: services.clone(),
                resource: resource(f.inventory, e.iface),
                backends: backends(f, &open.handed),
                behind: backends(f, &open.behind),
                sources: public_text(&w, sources),
                prefixes: sources.to_nets().iter().map(ToString::to_string).collect(),
                everybody,
                certain,
                // No policy is about it: it passes.
                firewall: match same {
                    _ if !present => Sure::No,
                    _ if e.filtered.intersects(services) => Sure::Yes,
                    Some(s) if !s.filtered.intersects(services) => Sure::No,
                    _ => Sure::Unknown,
                },
                proxies: fronted
                    .iter()
                    .map(|p| format!("{} {}", p.kind.name(), name(p)))
                    .collect(),
                ddos: if shielded { "origin" } else { "basic" },
                around,
            });
        }
    }
    rows.sort_by(|a, b| {
        let by = |r: &ExposureRow| r.places.first().map(|p| (p.by.clone(), p.address.clone()));
        (&a.resource, by(a), a.services.to_string()).cmp(&(&b.resource, by(b), b.services.to_string()))
    });
    // The fronts of one balancer are one entry.
    let mut merged: Vec<ExposureRow> = Vec::new();
    for r in rows {
        let fronts = !r.listeners.is_empty();
        match merged.iter_mut().find(|m| fronts && m.like(&r)) {
            Some(m) => m.places.extend(r.places),
            None => merged.push(r),
        }
    }
    let rows = merged;
    let loose = t.proxies.iter().filter_map(|p| {
        let n = p
            .origins
            .iter()
            .filter(|o| matches!(o, ProxyOrigin::Unknown(_)))
            .count();
        (n > 0).then(|| (p.meta.origin.address.to_string(), n))
    });
    Ok(Exposure {
        rows,
        loose: loose.collect(),
        openings: openings(f.inventory),
    })
}

/// The same opening in the network of what happens for certain.
fn counterpart<'a>(sure: &'a [Exposed], e: &Exposed) -> Option<&'a Exposed> {
    let same = |s: &&Exposed| (s.iface, s.addr, s.door) == (e.iface, e.addr, e.door);
    sure.iter().find(same)
}

/// Whether an opening is one for services and for all of some addresses.
fn covers(s: &Exposed, who: &IpSet, services: &ServiceSet) -> bool {
    let covers = s.open.iter().filter(|o| who.is_subset(&o.sources));
    let all = covers.fold(ServiceSet::empty(), |a, o| a.union(&o.services));
    services.is_subset(&all)
}

/// Whether somebody who is no proxy reaches an origin by another opening: another public address of it, or a balancer
/// that hands on to it. `known` are the addresses of the proxies.
fn besides(
    all: &[Exposed],
    sure: &[Exposed],
    e: &Exposed,
    (t, known): (&bartizan_model::Typed, Option<&IpSet>),
) -> Sure {
    let other = |x: &&Exposed| (x.iface, x.addr, x.door) != (e.iface, e.addr, e.door);
    // What stands behind a proxy itself is told for itself.
    let fronted = |x: &&Exposed| t.proxies.iter().any(|p| p.origins.iter().any(|o| is(o, x)));
    let mut found = Sure::No;
    for x in all.iter().filter(other).filter(|x| !fronted(x)) {
        for o in &x.open {
            let reaches = x.iface == e.iface || o.handed.contains(&e.iface) || o.behind.contains(&e.iface);
            let who = known.map_or_else(|| o.sources.clone(), |k| o.sources.subtract(k));
            if !reaches || who.is_empty() {
                continue;
            }
            let everybody = IpSet::all_v4().intersect(&IpSet::public());
            // No proxy sends from everywhere.
            let strangers = known.is_some() || everybody.is_subset(&o.sources);
            if strangers && counterpart(sure, x).is_some_and(|s| covers(s, &who, &o.services)) {
                return Sure::Yes;
            }
            found = Sure::Unknown;
        }
    }
    found
}

fn name(p: &Proxy) -> String {
    match &p.meta.name {
        Some(Fact::Known(n)) => n.to_string(),
        _ => p.meta.origin.address.to_string(),
    }
}

fn is(o: &ProxyOrigin, e: &Exposed) -> bool {
    match o {
        ProxyOrigin::Eip(x) => e.eip == Some(*x),
        ProxyOrigin::Ip(ip) => e.public == IpSet::single(*ip),
        ProxyOrigin::Interface(i) => e.iface == *i && matches!(e.door, PublicDoor::Own(_)),
        ProxyOrigin::Unknown(_) => false,
    }
}

/// The public addresses that a subject names.
fn addresses(back: &Subject) -> Result<IpSet, Diagnostic> {
    let named = back.set.named().intersect(&IpSet::public());
    let what = match (named.is_empty(), back.set.holds_interfaces()) {
        (false, false) => return Ok(named),
        (true, _) => "names no public addresses",
        (false, true) => "names endpoints of this network beside public addresses",
    };
    let d = Diagnostic::error("INTENT009", format!("`{}` {what}", back.name));
    Err(d.help(
        "WAF and Anti-DDoS Proxy send to their origins from public addresses of the cloud: name a prefix, or a zone \
         of prefixes such as `zone waf = cidr 203.0.113.0/24`",
    ))
}

fn backends(f: &Frame<'_>, all: &[InterfaceId]) -> Vec<String> {
    let mut out: Vec<String> = all.iter().map(|i| resource(f.inventory, *i)).collect();
    out.sort();
    out.dedup();
    out
}

/// The load balancer of which an interface is a front.
fn balancer<'a>(f: &Frame<'a>, i: InterfaceId) -> Option<&'a Balancer> {
    f.inventory.typed.balancers.iter().find(|b| b.fronts.contains(&i))
}

/// The listeners that may take services in.
fn listeners(b: &Balancer, services: &ServiceSet) -> Vec<String> {
    let hears = |l: &&bartizan_model::Listener| l.services.known().is_none_or(|s| s.intersects(services));
    let all = b.listeners.iter().filter(hears);
    let mut out: Vec<String> = all.map(|l| l.origin.address.to_string()).collect();
    out.sort();
    out.dedup();
    out
}

fn owner(f: &Frame<'_>, e: &Exposed) -> (String, Option<Origin>) {
    let t = &f.inventory.typed;
    let eip = e.eip.map(|x| t[x].meta.origin.address.to_string());
    match e.door {
        PublicDoor::Own(n) => {
            let p = t[e.iface].public.get(n as usize);
            let whose = |p: &bartizan_model::PublicAddress| {
                // A public endpoint is a resource of its own.
                if p.origin.address != t[e.iface].meta.origin.address {
                    return p.origin.address.to_string();
                }
                match balancer(f, e.iface) {
                    Some(_) => "address of the load balancer".to_string(),
                    None => "public address".to_string(),
                }
            };
            let by = eip.unwrap_or_else(|| p.map_or_else(|| "public address".to_string(), whose));
            (by, p.map(|p| p.origin.clone()))
        }
        PublicDoor::Dnat(n) => {
            let d = t.dnat_entries.get(n as usize);
            let by = d.map_or_else(String::new, |d| format!("DNAT {}", d.origin.address));
            (by, d.map(|d| d.origin.clone()))
        }
        PublicDoor::Ipv6 => {
            let by = match balancer(f, e.iface) {
                Some(_) => "IPv6 address of the load balancer",
                None => "IPv6 bandwidth",
            };
            (by.to_string(), Some(t[e.iface].meta.origin.clone()))
        }
    }
}
