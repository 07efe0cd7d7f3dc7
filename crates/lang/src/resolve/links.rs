//! Links to other networks, sites, and what is apart.

use super::Resolver;
use crate::intent::{Link, LinkedSite};
use crate::tree::{Item, LinkDecl, LinkKind, LinkOption, Text};
use bartizan_base::{Diagnostic, Span};
use ipnet::IpNet;

impl<'t> Resolver<'t> {
    fn prefixes(&mut self, list: &[Text]) -> Vec<IpNet> {
        let mut out = Vec::new();
        for t in list {
            let parsed = match t.text.parse::<IpNet>() {
                Ok(n) => Some(n.trunc()),
                Err(_) => t.text.parse::<std::net::IpAddr>().ok().map(IpNet::from),
            };
            match parsed {
                Some(n) => out.push(n),
                None => self.report(
                    Diagnostic::error("INTENT017", format!("`{}` is not a prefix", t.text))
                        .at(t.span, "not a prefix")
                        .help("write a prefix such as `10.200.0.0/16`"),
                ),
            }
        }
        out
    }

    pub(super) fn link(&mut self, d: &'t LinkDecl, span: Span) {
        if let Some(&(_, first)) = self.links.get(d.name.text.as_str()) {
            self.duplicate("the link or site", &d.name.text, d.name.span, first);
            return;
        }
        if !matches!(d.kind, LinkKind::Vpn | LinkKind::Vbr) {
            self.report(
                Diagnostic::error(
                    "INTENT017",
                    format!(
                        "`{}` is not a kind of link that leads out of the cloud",
                        d.kind.word()
                    ),
                )
                .at(span, "declared here")
                .help("write `vpn` for VPN connections or `vbr` for border routers"),
            );
            return;
        }
        let mut link = Link {
            name: d.name.text.clone(),
            kind: d.kind,
            resource: d.resource.text.clone(),
            networks: Vec::new(),
            learned: None,
            no_internet: false,
            span,
            name_span: d.name.span,
        };
        for o in &d.options {
            match o {
                LinkOption::Networks(n) => link.networks.extend(self.prefixes(n)),
                LinkOption::Learned(n) => {
                    let nets = self.prefixes(n);
                    link.learned.get_or_insert_with(Vec::new).extend(nets);
                }
                LinkOption::NoInternet => link.no_internet = true,
            }
        }
        if let Some(n) = link.networks.iter().find(|n| n.prefix_len() == 0) {
            let d = Diagnostic::error(
                "INTENT017",
                format!("the networks of link `{}` cannot be `{n}`", link.name),
            )
            .at(span, "every address")
            .help("name the networks that are there; routes that are announced are `learned`");
            self.report(d);
            link.networks.clear();
        }
        self.links
            .insert(&d.name.text, (Some(self.intent.links.len()), d.name.span));
        self.intent.links.push(link);
    }

    fn linked(&mut self, list: &[Text]) -> Vec<usize> {
        let mut out = Vec::new();
        for t in list {
            match self.links.get(t.text.as_str()) {
                Some((Some(n), _)) => out.push(*n),
                _ => self.unknown(
                    "link",
                    t,
                    Self::link_names,
                    "declare it with `link NAME = vpn \"...\"`",
                ),
            }
        }
        out.sort_unstable();
        out.dedup();
        out
    }

    fn link_names(&self) -> Vec<&str> {
        let links = self.links.iter().filter(|(_, (n, _))| n.is_some());
        links.map(|(name, _)| *name).collect()
    }

    pub(super) fn link_sets(&mut self, item: &'t Item) {
        match item {
            Item::Site(d) => {
                if let Some(&(_, first)) = self.links.get(d.name.text.as_str()) {
                    self.duplicate("the link or site", &d.name.text, d.name.span, first);
                    return;
                }
                let links = self.linked(&d.links);
                let mut sites = self.intent.sites.iter();
                if let Some(other) = sites.find(|s| s.links.iter().any(|l| links.contains(l))) {
                    let d = Diagnostic::error(
                        "INTENT003",
                        format!(
                            "a link of site `{}` is in site `{}` already",
                            d.name.text, other.name
                        ),
                    )
                    .at(d.name.span, "declared here")
                    .help("a link leads to one site: put all links of it into one declaration");
                    self.report(d);
                    return;
                }
                self.links.insert(&d.name.text, (None, d.name.span));
                self.intent.sites.push(LinkedSite {
                    name: d.name.text.clone(),
                    links,
                    span: d.name.span,
                });
            }
            Item::Apart { links } => {
                let span = links.first().map(|t| t.span);
                let links = self.linked(links);
                let together = |s: &&LinkedSite| s.links.iter().filter(|l| links.contains(l)).count() > 1;
                if let (Some(LinkedSite { name, .. }), Some(span)) =
                    (self.intent.sites.iter().find(together), span)
                {
                    let d = Diagnostic::error(
                        "INTENT004",
                        format!("site `{name}` forwards between links that are said to be apart"),
                    )
                    .at(span, "said to be apart")
                    .help("remove one of the two statements");
                    self.report(d);
                    return;
                }
                self.intent.apart.push(links);
            }
            _ => {}
        }
    }
}
