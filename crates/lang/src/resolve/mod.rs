//! Syntax trees to meaning: every name is looked up, every value is parsed, every clause gets its id.

mod bodies;
mod links;
mod sets;

use crate::intent::{Env, EnvId, Intent, Service, Used, Zone, ZoneId};
use crate::services::PREDEFINED_SERVICES;
use crate::suggest::nearest;
use crate::tree::{Block, File, Item, Stmt, Text, ZoneOption};
use bartizan_base::{Diagnostic, Sources, Span};
use std::collections::{BTreeMap, BTreeSet};

/// The editions of the language that this version reads.
pub const EDITIONS: &[&str] = &["2027"];

/// What all files say together. The names of all files are one space, so an includer cannot redefine what an
/// included file declares, and every clause of every file counts.
///
/// Statements that cannot be understood are told in the diagnostics and left out.
#[must_use]
pub fn resolve(files: &[File], sources: &Sources) -> (Intent, Vec<Diagnostic>) {
    let mut r = Resolver {
        intent: Intent::default(),
        diagnostics: Vec::new(),
        names: BTreeMap::new(),
        services: BTreeMap::new(),
        links: BTreeMap::new(),
        boundaries: BTreeMap::new(),
        ids: BTreeMap::new(),
        exceptions: BTreeMap::new(),
        tests: BTreeMap::new(),
    };
    let included = r.check_includes(files, sources);
    let items = || {
        files
            .iter()
            .zip(&included)
            .flat_map(|(f, &inc)| f.body.items.iter().map(move |s| (s, inc)))
    };
    r.declare(items().map(|(s, _)| s));
    for (s, inc) in items() {
        r.boundary(s, inc);
    }
    // Exceptions name boundaries of any file, so they come after all of them.
    for (s, inc) in items() {
        r.rest(s, inc);
    }
    (r.intent, r.diagnostics)
}

/// One file with the statements of all, in order, without the `include`s and repeated `edition`s.
#[must_use]
pub fn compose(files: &[File]) -> File {
    let mut items: Vec<Stmt<Item>> = Vec::new();
    let (mut edition, mut network) = (false, false);
    let mut tail = Vec::new();
    for f in files {
        for s in &f.body.items {
            let repeated = match &s.node {
                Item::Include { .. } => true,
                Item::Edition { .. } => std::mem::replace(&mut edition, true),
                Item::Network { .. } => std::mem::replace(&mut network, true),
                _ => false,
            };
            if !repeated {
                items.push(s.clone());
            }
        }
        tail.extend(f.body.tail.iter().cloned());
    }
    // An edition only counts at the top.
    items.sort_by_key(|s| !matches!(s.node, Item::Edition { .. }));
    if let Some(first) = items.first_mut() {
        let blank = first.lead.iter().take_while(|l| l.is_empty()).count();
        first.lead.drain(..blank);
    }
    let id = files.first().map_or(bartizan_base::FileId(0), |f| f.id);
    File {
        id,
        body: Block { items, tail },
    }
}

/// The path of an included file: `path` as written in the file `from`, made relative to what `from` is
/// relative to, with `.` and `..` folded. Nothing is looked up.
#[must_use]
pub fn include_path(from: &str, path: &str) -> String {
    let joined = match from.rsplit_once('/') {
        Some((dir, _)) if !path.starts_with('/') => format!("{dir}/{path}"),
        _ => path.to_string(),
    };
    let absolute = joined.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for p in joined.split('/') {
        match p {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            p => parts.push(p),
        }
    }
    format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"))
}

#[derive(Clone, Copy)]
enum Name {
    Zone(ZoneId),
    Env(EnvId),
}

struct Resolver<'t> {
    intent: Intent,
    diagnostics: Vec<Diagnostic>,
    /// Zones and envs: one name space, with the place of the name.
    names: BTreeMap<&'t str, (Name, Span)>,
    services: BTreeMap<&'t str, (usize, Span)>,
    /// Links and sites: one name space.
    links: BTreeMap<&'t str, (Option<usize>, Span)>,
    boundaries: BTreeMap<&'t str, (usize, Span)>,
    exceptions: BTreeMap<&'t str, Span>,
    tests: BTreeMap<&'t str, Span>,
    /// The last number given per `BOUNDARY/VERB`.
    ids: BTreeMap<String, u32>,
}

fn index(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl<'t> Resolver<'t> {
    fn report(&mut self, d: Diagnostic) {
        self.diagnostics.push(d);
    }

    fn duplicate(&mut self, what: &str, name: &str, again: Span, first: Span) {
        self.report(
            Diagnostic::error("INTENT003", format!("{what} `{name}` is declared twice"))
                .at(again, "declared again")
                .also(first, "first declared here")
                .help("rename or remove one of them; an included declaration cannot be replaced"),
        );
    }

    fn unknown(
        &mut self,
        what: &str,
        name: &Text,
        known: impl for<'a> FnOnce(&'a Self) -> Vec<&'a str>,
        otherwise: &str,
    ) {
        // A suggestion looks at every known name: not for the thousandth problem of a broken file.
        let near = if self.diagnostics.len() < 200 {
            nearest(&name.text, known(self)).map(str::to_string)
        } else {
            None
        };
        let help = match near {
            Some(n) => format!("did you mean `{n}`?"),
            None => otherwise.to_string(),
        };
        self.report(
            Diagnostic::error("INTENT002", format!("{what} `{}` is not declared", name.text))
                .at(name.span, "not declared")
                .help(help),
        );
    }

    /// Which files are included by another one.
    fn check_includes(&mut self, files: &[File], sources: &Sources) -> Vec<bool> {
        let paths: Vec<String> = files
            .iter()
            .map(|f| include_path("", sources.name(f.id)))
            .collect();
        let mut included = vec![false; files.len()];
        for f in files {
            for include in f.includes() {
                let path = include_path(sources.name(f.id), &include.text);
                let mut found = false;
                for (p, inc) in paths.iter().zip(&mut included) {
                    if *p == path {
                        *inc = true;
                        found = true;
                    }
                }
                if !found {
                    self.report(
                        Diagnostic::error(
                            "INTENT002",
                            format!("the included file `{path}` is not part of this run"),
                        )
                        .at(include.span, "included here")
                        .help("check the path; it is relative to the directory of this file"),
                    );
                }
            }
        }
        included
    }

    fn declare(&mut self, items: impl Iterator<Item = &'t Stmt<Item>> + Clone) {
        // Names first: an overlap or a clause may refer to what comes later.
        let (mut zones, mut envs) = (Vec::new(), Vec::new());
        for s in items.clone() {
            match &s.node {
                Item::Zone(z) => {
                    let id = Name::Zone(ZoneId(index(zones.len())));
                    if self.name(&z.name, id) {
                        zones.push((z, s.span));
                    }
                }
                Item::Env(e) => {
                    let id = Name::Env(EnvId(index(envs.len())));
                    if self.name(&e.name, id) {
                        envs.push((e, s.span));
                    }
                }
                Item::Link(l) => self.link(l, s.span),
                Item::Service(d) => self.service(d, s.span),
                Item::Edition { year } if !EDITIONS.contains(&year.text.as_str()) => {
                    let d = Diagnostic::error("INTENT017", format!("edition `{}` is not known", year.text))
                        .at(year.span, "not an edition of this version")
                        .help(format!(
                            "write `edition {}`, or use a newer version",
                            EDITIONS.join("` or `")
                        ));
                    self.report(d);
                }
                Item::Network { name } if self.intent.network.is_none() => {
                    self.intent.network = Some(name.text.clone());
                }
                _ => {}
            }
        }
        // Sites and what is apart name links of any file.
        for s in items.clone() {
            self.link_sets(&s.node);
        }
        self.intent.used = Used {
            zones: vec![false; zones.len()],
            envs: vec![false; envs.len()],
            services: vec![false; self.intent.services.len()],
        };
        // `service` marked nothing yet: services that others are built from count as used.
        let built: Vec<&str> = items
            .filter_map(|s| match &s.node {
                Item::Service(d) => Some(d.services.iter().map(|t| t.text.as_str())),
                _ => None,
            })
            .flatten()
            .collect();
        for name in built {
            if let Some(&(i, _)) = self.services.get(name)
                && let Some(u) = self.intent.used.services.get_mut(i)
            {
                *u = true;
            }
        }
        for (i, (e, span)) in envs.into_iter().enumerate() {
            let selector = self.selector(&e.selector, i);
            let (name, name_span) = (e.name.text.clone(), e.name.span);
            self.intent.envs.push(Env {
                name,
                selector,
                span,
                name_span,
            });
        }
        let mut overlaps: BTreeSet<(ZoneId, ZoneId)> = BTreeSet::new();
        for (i, (z, span)) in zones.into_iter().enumerate() {
            let selector = self.selector(&z.selector, usize::MAX);
            let mut zone = Zone {
                name: z.name.text.clone(),
                selector,
                data: Vec::new(),
                required: false,
                overlaps: Vec::new(),
                span,
                name_span: z.name.span,
            };
            for o in &z.options {
                match o {
                    ZoneOption::Data(l) => zone.data.extend(l.iter().map(|t| t.text.clone())),
                    ZoneOption::Required => zone.required = true,
                    ZoneOption::Overlaps(l) => {
                        for t in l {
                            let own = ZoneId(index(i));
                            if let Some(other) = self.zone_named(t)
                                && other != own
                            {
                                overlaps.insert((own, other));
                                overlaps.insert((other, own));
                            }
                        }
                    }
                }
            }
            self.intent.zones.push(zone);
        }
        for (a, b) in overlaps {
            if let Some(z) = self.intent.zones.get_mut(a.index()) {
                z.overlaps.push(b);
            }
        }
    }

    /// Takes a name for a zone or an env; `false` when it is taken.
    fn name(&mut self, name: &'t Text, id: Name) -> bool {
        if let Some(&(_, first)) = self.names.get(name.text.as_str()) {
            self.duplicate("the zone or env", &name.text, name.span, first);
            return false;
        }
        self.names.insert(&name.text, (id, name.span));
        true
    }

    fn zone_named(&mut self, t: &Text) -> Option<ZoneId> {
        if let Some((Name::Zone(z), _)) = self.names.get(t.text.as_str()) {
            return Some(*z);
        }
        self.unknown(
            "zone",
            t,
            Self::zone_names,
            "declare it with `zone NAME = SELECTOR`",
        );
        None
    }

    fn service(&mut self, d: &'t crate::tree::ServiceDecl, span: Span) {
        if let Some(&(_, first)) = self.services.get(d.name.text.as_str()) {
            self.duplicate("the service", &d.name.text, d.name.span, first);
            return;
        }
        let (set, tls) = self.service_set(&d.services);
        self.services
            .insert(&d.name.text, (self.intent.services.len(), d.name.span));
        self.intent.services.push(Service {
            name: d.name.text.clone(),
            set: set.unwrap_or_default(),
            tls_required: tls || d.tls_required,
            span,
            name_span: d.name.span,
        });
    }

    fn zone_names(&self) -> Vec<&str> {
        self.names
            .iter()
            .filter(|(_, (n, _))| matches!(n, Name::Zone(_)))
            .map(|(n, _)| *n)
            .collect()
    }

    fn env_names(&self) -> Vec<&str> {
        self.names
            .iter()
            .filter(|(_, (n, _))| matches!(n, Name::Env(_)))
            .map(|(n, _)| *n)
            .collect()
    }

    fn set_names(&self) -> Vec<&str> {
        self.names
            .keys()
            .copied()
            .chain(["everything", "outside", "unzoned"])
            .collect()
    }

    fn boundary_names(&self) -> Vec<&str> {
        self.boundaries.keys().copied().collect()
    }

    fn service_names(&self) -> Vec<&str> {
        self.services
            .keys()
            .copied()
            .chain(PREDEFINED_SERVICES.iter().map(|(n, _)| *n))
            .collect()
    }
}
