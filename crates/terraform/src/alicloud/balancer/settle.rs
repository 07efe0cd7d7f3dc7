//! What is bound to what, once everything is read: servers and access lists of listeners, and what is bound to balancers
//! that are not here.

use super::super::linker::Linker;
use super::{Group, List, Loose, Pending, Server, State, Target, clb, one, reached, rules};
use bartizan_model::*;
use bartizan_packet::ServiceSet;

/// Puts servers and access lists into the listeners, and listeners into balancers.
pub(in super::super) fn settle(l: &mut Linker<'_>) {
    let mut state = std::mem::take(&mut l.balancers);
    strays(&mut l.typed, &state);
    for mut p in std::mem::take(&mut state.listeners) {
        let mut targets = std::mem::take(&mut p.targets);
        // Rules of CLB are bound by balancer and port.
        for (b, port, origin, target) in &state.rules {
            let same = match (b, &p.balancer) {
                (Fact::Known(a), Fact::Known(b)) => a == b,
                _ => true,
            };
            let hears = match (port, p.listener.services.known()) {
                (Fact::Known(port), Some(s)) => s.tcp.contains(*port),
                _ => true,
            };
            if same && hears {
                targets.push((origin.clone(), target.clone()));
            }
        }
        for (o, _) in &mut targets {
            if let Some((by, all)) = rules::left_nothing(&p.rules, &o.address) {
                let why = if all {
                    "another rule takes every request"
                } else {
                    "another rule may take every request that it is for"
                };
                let doubt = Unknown::at(why, by.origin.span);
                o.doubt(|| doubt);
            }
        }
        for (origin, t) in targets {
            let servers = match t {
                Target::Group(g) => state.groups.get(g).map(|g| (g.clone(), None)),
                Target::Own(port) => {
                    let mine = state.own.iter().filter(|(b, _)| match (b, &p.balancer) {
                        (Fact::Known(a), Fact::Known(b)) => a == b,
                        _ => true,
                    });
                    let group = Group {
                        servers: mine.map(|(_, s)| s.clone()).collect(),
                        by_address: Fact::Known(false),
                        dual: Fact::Known(false),
                        preserves: Fact::Known(true),
                        any_port: Fact::Known(false),
                        zonal: None,
                    };
                    Some((group, Some(port)))
                }
                Target::Unknown(u) => {
                    p.listener.forwards.push(Forward {
                        origin: origin.clone(),
                        to: Backend::Unknown(u.clone()),
                        services: Fact::Unknown(u.clone()),
                        preserves: Fact::Unknown(u),
                    });
                    None
                }
            };
            if let Some((group, port)) = servers {
                forwards(&l.typed, &mut p, &state.zonal, &origin, &group, port.as_ref());
            }
        }
        if let Some(u) = filter(&mut p, &state.lists)
            && let Some(i) = l.position(&p.listener.origin.address)
        {
            let modern = l.res.get(i).is_some_and(|r| r.kind.starts_with("alicloud_alb"));
            l.unknown(i, if modern { "acl_config" } else { "acl_ids" }, &u);
        }
        match p.balancer {
            Fact::Known(b) => {
                if let Some((_, u)) = state.idle.iter().find(|(x, _)| *x == b) {
                    let maybe = &mut p.listener.origin.maybe;
                    maybe.get_or_insert_with(|| Box::new(u.clone()));
                }
                if let Some(x) = l.typed.balancers.get_mut(b.index()) {
                    let at = x.listeners.len();
                    x.listeners.push(p.listener);
                    match p.sealed {
                        Fact::Known(false) => {}
                        Fact::Known(true) => l.private_link.sealed.push((b, at, None)),
                        Fact::Unknown(u) => l.private_link.sealed.push((b, at, Some(u))),
                    }
                }
            }
            // It may be a listener of any of them.
            Fact::Unknown(u) => {
                let mut listener = p.listener;
                listener.origin.maybe = Some(Box::new(u));
                for b in &mut l.typed.balancers {
                    b.listeners.push(listener.clone());
                }
            }
        }
    }
    clb::place(l);
}

/// What a server may get of whoever hands on to it; `None` for anything, where the listener says the port.
fn gets(s: &Server, group: Option<&Group>) -> Option<ServiceSet> {
    if group.is_some_and(|g| g.any_port != Fact::Known(false)) {
        return None;
    }
    let port = s.port.known().copied().flatten()?;
    Some(one(false, port).union(&one(true, port)))
}

/// Who may be reached, and on what.
type Exposed = (Vec<Backend>, Option<ServiceSet>);

/// Decision 11, item 16: what is bound to balancers, listeners and groups that are not here.
fn strays(t: &mut Typed, state: &State) {
    let mut all: Vec<(&Origin, Exposed, Unknown)> = Vec::new();
    let group = |t: &Typed, g: usize| -> Vec<Exposed> {
        let Some(g) = state.groups.get(g) else {
            return Vec::new();
        };
        let dual = g.dual != Fact::Known(false);
        let servers = g.servers.iter();
        servers
            .map(|s| (reached(t, s, dual).0, gets(s, Some(g))))
            .collect()
    };
    let target = |t: &Typed, x: &Target| match x {
        Target::Group(g) => group(t, *g),
        Target::Own(_) => Vec::new(),
        Target::Unknown(u) => vec![(vec![Backend::Unknown(u.clone())], None)],
    };
    for (origin, what, why) in &state.loose {
        let to = match what {
            Loose::Target(x) => target(t, x),
            Loose::Servers(to, services) => vec![(to.clone(), services.clone())],
        };
        all.extend(to.into_iter().map(|to| (origin, to, why.clone())));
    }
    for p in &state.listeners {
        if let Fact::Unknown(u) = &p.balancer {
            let to = p.targets.iter().flat_map(|(_, x)| target(t, x));
            all.extend(to.map(|to| (&p.listener.origin, to, u.clone())));
        }
    }
    for (b, s) in &state.own {
        if let Fact::Unknown(u) = b {
            all.push((&s.origin, (reached(t, s, false).0, None), u.clone()));
        }
    }
    // A rule of a CLB is there because its listener is.
    for (b, port, origin, x) in &state.rules {
        let heard = |p: &Pending| {
            p.balancer == *b
                && match (port, p.listener.services.known()) {
                    (Fact::Known(port), Some(s)) => s.tcp.contains(*port),
                    _ => true,
                }
        };
        let why = match b {
            Fact::Unknown(u) => u.clone(),
            Fact::Known(_) if state.listeners.iter().any(heard) => continue,
            Fact::Known(_) => Unknown::at("the listener of this rule is not in the inventory", origin.span),
        };
        let to = target(t, x).into_iter();
        all.extend(to.map(|to| (origin, to, why.clone())));
    }
    // One for all that is bound in one place to what gets the same.
    for (origin, (to, services), why) in all {
        let same =
            |s: &&mut Stray| s.origin.address == origin.address && s.services == services && s.why == why;
        match t.strays.iter_mut().rev().take(8).find(same) {
            _ if to.is_empty() => {}
            Some(s) => s.to.extend(to),
            None => t.strays.push(Stray {
                origin: origin.clone(),
                to,
                services,
                why,
            }),
        }
    }
}

/// What a listener hands on to the servers of a group.
fn forwards(
    t: &Typed,
    p: &mut Pending,
    zonal: &[(BalancerId, Unknown)],
    bound: &Origin,
    group: &Group,
    fixed: Option<&Fact<u16>>,
) {
    // With one front there is one zone, and its servers are all there are.
    let zonal = match p.balancer.known() {
        Some(b) if t[*b].fronts.len() < 2 => None,
        Some(b) => zonal
            .iter()
            .find(|(x, _)| x == b)
            .map(|(_, u)| u)
            .or(group.zonal.as_ref()),
        None => group.zonal.as_ref(),
    };
    for s in &group.servers {
        let mut origin = s.origin.clone();
        if origin.maybe.is_none() {
            origin.maybe = bound.maybe.clone().or_else(|| zonal.cloned().map(Box::new));
        }
        let services = match (&group.any_port, fixed, &s.port, &p.udp) {
            (Fact::Known(true), ..) => Fact::Known(None),
            (Fact::Unknown(u), ..) | (_, _, _, Fact::Unknown(u)) => Fact::Unknown(u.clone()),
            (_, Some(Fact::Known(port)), _, Fact::Known(udp)) => Fact::Known(Some(one(*udp, *port))),
            (_, Some(Fact::Unknown(u)), ..) | (_, None, Fact::Unknown(u), _) => Fact::Unknown(u.clone()),
            (_, None, Fact::Known(Some(port)), Fact::Known(udp)) => Fact::Known(Some(one(*udp, *port))),
            (_, None, Fact::Known(None), _) => {
                Fact::Unknown(Unknown::at("the port of the server is not set", s.origin.span))
            }
        };
        let preserves = match (&p.transparent, &group.by_address, &group.preserves) {
            (Fact::Known(false), ..) | (_, Fact::Known(true), _) => Fact::Known(false),
            (Fact::Known(true), Fact::Known(false), f) => f.clone(),
            (Fact::Unknown(u), ..) | (_, Fact::Unknown(u), _) => Fact::Unknown(u.clone()),
        };
        // A group that may take both is taken to.
        let (to, doubt) = reached(t, s, group.dual != Fact::Known(false));
        if let Some(u) = doubt {
            origin.doubt(|| u);
        }
        for to in to {
            p.listener.forwards.push(Forward {
                origin: origin.clone(),
                to,
                services: services.clone(),
                preserves: preserves.clone(),
            });
        }
    }
}

/// The access list of a listener; why it is not known what several of them do together.
fn filter(p: &mut Pending, lists: &[List]) -> Option<Unknown> {
    let bound = std::mem::take(&mut p.lists);
    let (_, white, _) = bound.first()?;
    let white = white.clone();
    let mut entries = Vec::new();
    let mut unknown = None;
    let mut hollow = None;
    for (list, w, origin) in &bound {
        let Fact::Known(n) = list else {
            unknown = unknown.or(list.unknown().cloned());
            continue;
        };
        if *w != white {
            unknown = Some(Unknown::at("its access lists are of two types", origin.span));
        }
        if let Some(u) = &origin.maybe {
            unknown = Some((**u).clone());
        }
        let Some(list) = lists.get(*n) else { continue };
        unknown = unknown.or_else(|| list.more.clone());
        entries.extend(list.entries.iter().cloned());
        if list.entries.iter().all(|e| e.origin.maybe.is_some()) {
            hollow = hollow.or(Some(origin.span));
        }
    }
    // A-LB-1 is about a list without entries; what such a list beside others means is not documented.
    let hollow = hollow.filter(|_| bound.len() > 1 && !entries.is_empty());
    let hollow = hollow.map(|at| {
        Unknown::at(
            "an access list without entries is bound beside others (A-LB-1)",
            at,
        )
    });
    unknown = unknown.or_else(|| hollow.clone());
    p.listener.filter = match unknown {
        Some(u) => Fact::Unknown(u),
        None => Fact::Known(Some(ListenerFilter { white, entries })),
    };
    hollow
}
