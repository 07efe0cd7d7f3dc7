//! Links of an intent, put into the typed layer: what is behind VPN connections and border routers, and which
//! sites have ways to one another (docs/decisions/014). The engine sees plain data.

use crate::adapt::named;
use bartizan_base::Diagnostic;
use bartizan_lang::{Intent, Link, LinkKind, LinkedSite, Selector, SelectorKind};
use bartizan_model::{BorderRouterId, Fact, Inventory, SiteId, SitePair, Typed, VpnConnectionId, VpnEnd};
use ipnet::IpNet;
use std::collections::BTreeSet;

/// The connections and border routers that a pattern names: by their own name, by that of the customer gateway behind a
/// connection, or by that of its VPN gateway.
pub(crate) fn resources(
    t: &Typed,
    kind: LinkKind,
    pattern: &str,
) -> (Vec<VpnConnectionId>, Vec<BorderRouterId>) {
    let mut connections = Vec::new();
    let mut borders = Vec::new();
    match kind {
        LinkKind::Vpn => {
            for (n, c) in (0u32..).zip(&t.vpn_connections) {
                let gateway = match &c.end {
                    VpnEnd::Gateway(g) | VpnEnd::Clients(g) => g.known().map(|g| &t[*g].meta),
                    VpnEnd::Attached => None,
                };
                let metas = [&c.meta].into_iter().chain(&c.customers).chain(gateway);
                if metas.into_iter().any(|m| named(m, pattern)) {
                    connections.push(VpnConnectionId(n));
                }
            }
        }
        LinkKind::Vbr => {
            for (n, b) in (0u32..).zip(&t.border_routers) {
                if named(&b.meta, pattern) {
                    borders.push(BorderRouterId(n));
                }
            }
        }
        _ => {}
    }
    (connections, borders)
}

/// The sites behind a link: of the intent by its name, else of resources by theirs. With the networks that are behind
/// this link, where the intent says them.
pub(crate) fn behind<'i>(
    intent: &'i Intent,
    t: &Typed,
    kind: LinkKind,
    name: &str,
) -> (BTreeSet<SiteId>, Option<&'i [IpNet]>) {
    let declared = intent.links.iter().find(|l| l.kind == kind && l.name == name);
    let pattern = declared.map_or(name, |l| &l.resource);
    let (connections, borders) = resources(t, kind, pattern);
    let sites = connections
        .iter()
        .map(|c| t[*c].site)
        .chain(borders.iter().map(|b| t[*b].site))
        .collect();
    let networks = declared.map(|l| l.networks.as_slice()).filter(|n| !n.is_empty());
    (sites, networks)
}

fn at(l: &Link, message: String) -> Diagnostic {
    Diagnostic::warning("INTENT009", message)
        .at(l.name_span, "declared here")
        .help("check the pattern: it is matched with names of VPN connections, customer gateways and border routers")
}

/// The inventory with the links of an intent, and what is wrong with them. Doing it twice changes nothing.
#[must_use]
pub fn with_links(inv: &Inventory, intent: &Intent) -> (Inventory, Vec<Diagnostic>) {
    let mut out = inv.clone();
    let mut said = nowhere(intent, &inv.typed);
    if intent.links.is_empty() {
        return (out, said);
    }
    let t = &mut out.typed;
    let found: Vec<_> = intent
        .links
        .iter()
        .map(|l| resources(t, l.kind, &l.resource))
        .collect();
    for (l, (c, b)) in intent.links.iter().zip(&found) {
        if c.is_empty() && b.is_empty() {
            said.push(at(
                l,
                format!("link `{}` matches nothing in this inventory", l.name),
            ));
        }
    }
    // Links of one site first, then each of the others by itself.
    let mut groups: Vec<(Option<&LinkedSite>, Vec<usize>)> =
        intent.sites.iter().map(|s| (Some(s), s.links.clone())).collect();
    for n in 0..intent.links.len() {
        if !intent.sites.iter().any(|s| s.links.contains(&n)) {
            groups.push((None, vec![n]));
        }
    }
    for (name, links) in &groups {
        settle(t, intent, &found, *name, links);
    }
    for apart in &intent.apart {
        let sites: Vec<BTreeSet<SiteId>> = apart.iter().map(|n| sites_of(t, &found[*n])).collect();
        for (i, a) in sites.iter().enumerate() {
            for b in sites.iter().skip(i + 1) {
                for (a, b) in a.iter().flat_map(|a| b.iter().map(move |b| (*a, *b))) {
                    say(t, a, b, false);
                }
            }
        }
    }
    (out, said)
}

/// Selectors of links that are in no inventory: they narrow nothing, which nobody means.
fn nowhere(intent: &Intent, t: &Typed) -> Vec<Diagnostic> {
    fn walk<'s>(s: &'s Selector, out: &mut Vec<&'s Selector>) {
        match &s.kind {
            SelectorKind::Via { .. } => out.push(s),
            SelectorKind::All(v) | SelectorKind::AnyOf(v) => v.iter().for_each(|s| walk(s, out)),
            SelectorKind::Except(a, v) => {
                walk(a, out);
                v.iter().for_each(|s| walk(s, out));
            }
            _ => {}
        }
    }
    let mut all = Vec::new();
    let zones = intent.zones.iter().map(|z| &z.selector);
    for s in zones.chain(intent.envs.iter().map(|e| &e.selector)) {
        walk(s, &mut all);
    }
    let mut said = Vec::new();
    for s in all {
        let SelectorKind::Via { link, name } = &s.kind else {
            continue;
        };
        if !behind(intent, t, *link, name).0.is_empty() {
            continue;
        }
        let word = match link {
            LinkKind::Vpn => "vpn",
            LinkKind::Vbr => "vbr",
            _ => continue,
        };
        let metas = t.vpn_connections.iter().map(|c| &c.meta);
        let metas = metas.chain(t.border_routers.iter().map(|b| &b.meta));
        let declared = intent
            .links
            .iter()
            .filter(|l| l.kind == *link)
            .map(|l| l.name.clone());
        let mut known: Vec<String> = declared
            .chain(metas.filter_map(|m| m.name.as_ref()?.known().map(ToString::to_string)))
            .collect();
        known.sort();
        known.dedup();
        let text = format!("`via {word} {name}` matches nothing in this inventory");
        let d = Diagnostic::warning("INTENT009", text).at(s.span, "no such link");
        said.push(match crate::query::nearest(name, &known) {
            Some(n) => d.help(format!("did you mean `{n}`?")),
            None => d.help(format!("declare it: `link {name} = {word} \"PATTERN\"`")),
        });
    }
    said
}

type Found = (Vec<VpnConnectionId>, Vec<BorderRouterId>);

fn sites_of(t: &Typed, (c, b): &Found) -> BTreeSet<SiteId> {
    c.iter()
        .map(|c| t[*c].site)
        .chain(b.iter().map(|b| t[*b].site))
        .collect()
}

fn say(t: &mut Typed, a: SiteId, b: SiteId, forwards: bool) {
    if a == b {
        if let Some(s) = t.sites.get_mut(a.index()) {
            s.forwards = Fact::Known(forwards);
        }
        return;
    }
    let same = |p: &SitePair| (p.a, p.b) == (a, b) || (p.a, p.b) == (b, a);
    match t.site_pairs.iter_mut().find(|p| same(p)) {
        Some(p) => p.forwards = Fact::Known(forwards),
        None => t.site_pairs.push(SitePair {
            a,
            b,
            forwards: Fact::Known(forwards),
        }),
    }
}

/// Makes one site of some links and says what it is.
fn settle(t: &mut Typed, intent: &Intent, found: &[Found], name: Option<&LinkedSite>, links: &[usize]) {
    let sites: BTreeSet<SiteId> = links.iter().flat_map(|n| sites_of(t, &found[*n])).collect();
    let Some(site) = sites.iter().next().copied() else {
        return;
    };
    let vpc = t[site].vpc;
    // Networks that Terraform knows of count where the intent says none.
    let mut networks: BTreeSet<IpNet> = BTreeSet::new();
    let mut unknown = None;
    let mut quiet = true;
    for &n in links {
        let l = &intent.links[n];
        let (connections, borders) = &found[n];
        if connections.is_empty() && borders.is_empty() {
            continue;
        }
        quiet &= l.no_internet;
        if l.networks.is_empty() {
            for s in sites_of(t, &found[n]) {
                networks.extend(t.networks(s));
                unknown = unknown.or_else(|| t[s].unknown.clone());
            }
        }
        networks.extend(&l.networks);
        let learned = l
            .learned
            .clone()
            .or_else(|| (!l.networks.is_empty()).then(|| l.networks.clone()));
        for c in connections {
            let c = &mut t.vpn_connections[c.index()];
            c.site = site;
            if let Some(n) = learned.as_ref().filter(|_| c.bgp != Fact::Known(false)) {
                c.learned = Fact::Known(n.clone());
            }
        }
        for b in borders {
            let b = &mut t.border_routers[b.index()];
            b.site = site;
            let table = b.table;
            if let Some(n) = &learned {
                b.learned = Fact::Known(n.clone());
            }
            if let Some(rt) = t.route_tables.get_mut(table.index()) {
                rt.vpc = Fact::Known(vpc);
            }
        }
    }
    let networks: Vec<IpNet> = networks.into_iter().collect();
    t.set_networks(site, &networks);
    // Sites that nothing leads to any more have no addresses.
    for s in sites.iter().filter(|s| **s != site) {
        t.set_networks(*s, &[]);
        if let Some(s) = t.sites.get_mut(s.index()) {
            s.unknown = None;
        }
    }
    if let Some(s) = t.sites.get_mut(site.index()) {
        s.unknown = unknown;
        if quiet {
            s.internet = Fact::Known(false);
        }
    }
    if let Some(name) = name {
        say(t, site, site, true);
        let mut meta = t[site].meta.clone();
        meta.origin.address = format!("site {}", name.name).into();
        meta.origin.span = name.span;
        meta.id = None;
        meta.name = Some(Fact::Known(name.name.as_str().into()));
        t.name_site(site, &meta);
    }
}
