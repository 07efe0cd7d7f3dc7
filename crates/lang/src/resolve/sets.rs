//! Sets of endpoints, selectors, services and dates.

use super::{Name, Resolver};
use crate::date::Date;
use crate::intent::{EnvId, Selector, SelectorKind as K, SetExpr};
use crate::services::predefined_service;
use crate::tree::{Expr, ExprKind, Qualifier, SelectorExpr, SelectorExprKind as S, Text};
use bartizan_base::Diagnostic;
use bartizan_packet::ServiceSet;
use ipnet::IpNet;
use std::net::IpAddr;

impl Resolver<'_> {
    fn invalid(&mut self, message: String, t: &Text, help: &str) {
        self.report(
            Diagnostic::error("INTENT017", message)
                .at(t.span, "not valid")
                .help(help),
        );
    }

    pub(super) fn cidr(&mut self, t: &Text) -> Option<IpNet> {
        let Ok(net) = t.text.parse::<IpNet>() else {
            let help = if t.text.parse::<IpAddr>().is_ok() {
                format!("write `host {}` for one address", t.text)
            } else {
                "a prefix is an address and a length, such as `10.0.0.0/8` or `2001:db8::/32`".to_string()
            };
            self.invalid(format!("`{}` is not a prefix", t.text), t, &help);
            return None;
        };
        let trunc = net.trunc();
        if trunc != net {
            self.report(
                Diagnostic::warning(
                    "INTENT017",
                    format!("`{}` has bits set behind its length", t.text),
                )
                .at(t.span, format!("means `{trunc}`"))
                .help(format!(
                    "write `cidr {trunc}`, or `host {}` for one address",
                    net.addr()
                )),
            );
        }
        Some(trunc)
    }

    pub(super) fn host(&mut self, t: &Text) -> Option<IpNet> {
        let Ok(ip) = t.text.parse::<IpAddr>() else {
            let help = if t.text.parse::<IpNet>().is_ok() {
                format!("write `cidr {}` for a prefix", t.text)
            } else {
                "an address is `10.0.0.1` or `2001:db8::1`".to_string()
            };
            self.invalid(format!("`{}` is not an address", t.text), t, &help);
            return None;
        };
        Some(IpNet::from(ip))
    }

    pub(super) fn date(&mut self, t: &Text) -> Option<Date> {
        match t.text.parse() {
            Ok(d) => Some(d),
            Err(e) => {
                self.invalid(format!("{e}"), t, "write a day such as `2027-01-31`");
                None
            }
        }
    }

    /// A set of a clause, or `None` after reporting every name of it that is unknown.
    pub(super) fn set(&mut self, e: &Expr) -> Option<SetExpr> {
        match &e.kind {
            ExprKind::Name(t) => match self.names.get(t.text.as_str()).map(|(n, _)| *n) {
                Some(Name::Zone(z)) => {
                    if let Some(u) = self.intent.used.zones.get_mut(z.index()) {
                        *u = true;
                    }
                    Some(SetExpr::Zone(z))
                }
                Some(Name::Env(v)) => Some(SetExpr::Env(self.use_env(v))),
                None => {
                    self.unknown(
                        "zone or env",
                        t,
                        Self::set_names,
                        "declare it with `zone NAME = SELECTOR`",
                    );
                    None
                }
            },
            ExprKind::Env(t) => self.env_named(t, usize::MAX).map(SetExpr::Env),
            ExprKind::Everything => Some(SetExpr::Everything),
            ExprKind::Outside => Some(SetExpr::Outside),
            ExprKind::Unzoned => Some(SetExpr::Unzoned),
            ExprKind::Cidr(t) => self.cidr(t).map(SetExpr::Cidr),
            ExprKind::Host(t) => self.host(t).map(SetExpr::Cidr),
            ExprKind::Set(items) => self.union(items),
            ExprKind::Except { base, minus } => {
                let (base, minus) = (self.set(base), self.union(minus));
                Some(SetExpr::Except(Box::new(base?), Box::new(minus?)))
            }
        }
    }

    fn union(&mut self, items: &[Expr]) -> Option<SetExpr> {
        let items: Vec<Option<SetExpr>> = items.iter().map(|e| self.set(e)).collect();
        let mut items: Vec<SetExpr> = items.into_iter().collect::<Option<_>>()?;
        if items.len() == 1 {
            items.pop()
        } else {
            Some(SetExpr::Union(items))
        }
    }

    fn use_env(&mut self, id: EnvId) -> EnvId {
        if let Some(u) = self.intent.used.envs.get_mut(id.index()) {
            *u = true;
        }
        id
    }

    /// An env that is declared before the position `before` in the list of envs.
    fn env_named(&mut self, t: &Text, before: usize) -> Option<EnvId> {
        match self.names.get(t.text.as_str()).map(|(n, _)| *n) {
            Some(Name::Env(e)) if e.index() < before => Some(self.use_env(e)),
            Some(Name::Env(_)) => {
                let message = format!("env `{}` is not declared before this", t.text);
                let d = Diagnostic::error("INTENT002", message)
                    .at(t.span, "refers to itself or to a later env")
                    .help("an env is built from envs that are declared before it");
                self.report(d);
                None
            }
            _ => {
                self.unknown("env", t, Self::env_names, "declare it with `env NAME = SELECTOR`");
                None
            }
        }
    }

    /// A selector. What cannot be understood is reported and selects nothing.
    pub(super) fn selector(&mut self, e: &SelectorExpr, before: usize) -> Selector {
        let span = e.span;
        let make = |kind| Selector { kind, span };
        let many = |r: &mut Self, l: &[SelectorExpr]| -> Vec<Selector> {
            l.iter().map(|e| r.selector(e, before)).collect()
        };
        let nothing = || K::Except(Box::new(make(K::Everything)), vec![make(K::Everything)]);
        let kind = match &e.kind {
            S::Everything => K::Everything,
            S::Outside => K::Outside,
            S::Tag(terms) => {
                let mut all: Vec<Selector> = terms
                    .iter()
                    .map(|t| {
                        make(K::Tag {
                            key: t.key.text.clone(),
                            value: t.value.text.clone(),
                        })
                    })
                    .collect();
                match all.pop() {
                    Some(only) if all.is_empty() => only.kind,
                    Some(last) => {
                        all.push(last);
                        K::All(all)
                    }
                    None => nothing(),
                }
            }
            S::Resource { of, glob } => K::Resource {
                of: *of,
                glob: glob.as_ref().map(|g| g.text.clone()),
            },
            S::Name(t) => K::Name(t.text.clone()),
            S::Tf(t) => K::Tf(t.text.clone()),
            S::Cidr(t) => self.cidr(t).map_or_else(nothing, K::Cidr),
            S::Host(t) => self.host(t).map_or_else(nothing, K::Cidr),
            S::Term { parts, quals } => {
                let mut all = many(self, parts);
                for q in quals {
                    let kind = match q {
                        Qualifier::In(t) => self.env_named(t, before).map_or_else(nothing, K::In),
                        Qualifier::Via { link, name } => K::Via {
                            link: *link,
                            name: name.text.clone(),
                        },
                    };
                    all.push(make(kind));
                }
                K::All(all)
            }
            S::And(l) => K::All(many(self, l)),
            S::Or(l) => K::AnyOf(many(self, l)),
            S::Except { base, minus } => {
                let base = self.selector(base, before);
                K::Except(Box::new(base), many(self, minus))
            }
        };
        make(kind)
    }

    /// The union of services, and whether one of them has to be encrypted.
    pub(super) fn service_set(&mut self, list: &[Text]) -> (Option<ServiceSet>, bool) {
        let (mut out, mut tls, mut good) = (ServiceSet::empty(), false, true);
        for t in list {
            let declared = self.services.get(t.text.as_str()).map(|&(i, _)| i);
            if let Some(i) = declared
                && let Some(s) = self.intent.services.get(i)
            {
                out = out.union(&s.set);
                tls |= s.tls_required;
                if let Some(u) = self.intent.used.services.get_mut(i) {
                    *u = true;
                }
            } else if let Some(set) = predefined_service(&t.text) {
                out = out.union(&set);
            } else {
                good = false;
                match t.text.parse::<ServiceSet>() {
                    Ok(set) if t.text != "nothing" => {
                        out = out.union(&set);
                        good = true;
                    }
                    // `tcp/99999` is a bad literal; `htps` is an unknown name.
                    Err(e) if t.text.contains('/') => {
                        let help =
                            "a service is `tcp/443`, `udp/8000-8010`, `icmp/8`, `gre`, `proto-50` or `any`";
                        self.invalid(e.0, t, help);
                    }
                    _ => {
                        self.unknown(
                            "service",
                            t,
                            Self::service_names,
                            "declare it with `service NAME = tcp/443`",
                        );
                    }
                }
                if !good {
                    return (None, tls);
                }
            }
        }
        (good.then_some(out), tls)
    }
}
