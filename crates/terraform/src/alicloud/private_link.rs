//! PrivateLink: endpoints and the services that they lead to (ALIBABA.md §9.7, docs/decisions/016).
//!
//! An endpoint becomes a balancer whose servers are the balancers of its service. What those listen on is known
//! when everything has been read, so that is put together at the end ([`settle`]).

use super::attrs::{Attrs, Blocks};
use super::linker::{Entity, Found, Linker, next};
use super::{Handler, Stage, TypeSpec, balancer, eni, gwlb, own};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_privatelink_vpc_endpoint_service",
            attributes: &[
                "id",
                "vpc_endpoint_service_name",
                "auto_accept_connection",
                "resource",
                "resource.resource_id",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("vpc_endpoint_service_name")],
        steps: &[
            (Stage::Declare, service),
            (Stage::Fill, accepting),
            (Stage::Attach, own_resources),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_privatelink_vpc_endpoint_service_resource",
            attributes: &["service_id", "resource_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, resource)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_privatelink_vpc_endpoint",
            attributes: &[
                "id",
                "tags",
                "vpc_endpoint_name",
                "endpoint_type",
                "address_ip_version",
                "security_group_ids",
                "service_id",
                "service_name",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, endpoint), (Stage::Fill, fill)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_privatelink_vpc_endpoint_zone",
            attributes: &["endpoint_id", "vswitch_id", "eni_ip"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, zone)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_privatelink_vpc_endpoint_connection",
            attributes: &["endpoint_id", "service_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, connection)],
    },
];

/// A service as its provider offers it.
struct Service {
    accepts: Fact<bool>,
    /// The balancers, and where each is offered.
    resources: Vec<(Origin, Result<BalancerId, Unknown>)>,
    /// The gateway load balancers, and where each is offered.
    gateways: Vec<(Origin, u32)>,
}

/// What an endpoint leads to.
enum Leads {
    /// A service of the inventory.
    To(usize),
    /// A service of somebody else.
    Elsewhere,
    /// A service that is not here, by its id or name.
    Named(std::sync::Arc<str>),
    /// A service that is not known, where none is here.
    Unsure(Unknown),
    Unknown(Unknown),
}

/// An endpoint of a gateway load balancer.
struct Inspecting {
    id: InspectorId,
    leads: Leads,
    /// How many zones it has.
    zones: usize,
}

struct Endpoint {
    balancer: BalancerId,
    groups: Fact<Vec<SecurityGroupId>>,
    foreign: Vec<std::sync::Arc<str>>,
    leads: Leads,
}

/// What is collected while reading.
#[derive(Default)]
pub(super) struct State {
    services: Vec<Service>,
    /// What is offered by services that are not here: the id of each, where it is known.
    foreign: Vec<(Option<std::sync::Arc<str>>, Service)>,
    endpoints: Vec<Endpoint>,
    inspectors: Vec<Inspecting>,
    /// Connections that are accepted: where it is written, the endpoint, the service.
    accepted: Vec<(Origin, Fact<Entity>)>,
    /// Listeners that PrivateLink does not reach, or of which that is not known.
    pub(super) sealed: Vec<(BalancerId, usize, Option<Unknown>)>,
}

fn as_service(e: Entity) -> Option<usize> {
    if let Entity::EndpointService(n) = e {
        Some(n as usize)
    } else {
        None
    }
}

/// The endpoints among the balancers.
fn as_endpoint(e: Entity) -> Option<BalancerId> {
    if let Entity::Balancer(b) = e {
        Some(b)
    } else {
        None
    }
}

/// Endpoints of both kinds.
fn as_either(e: Entity) -> Option<Entity> {
    matches!(e, Entity::Balancer(_) | Entity::Inspector(_)).then_some(e)
}

fn service(l: &mut Linker<'_>, i: usize, _: Attrs<'_>) {
    let n = next(l.private_link.services.len());
    l.private_link.services.push(Service {
        accepts: Fact::Known(false),
        resources: Vec::new(),
        gateways: Vec::new(),
    });
    l.declare(i, Entity::EndpointService(n));
}

fn accepting(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let accepts = l.flag(i, &a, "auto_accept_connection", false);
    let this = l.entity.get(i).copied().flatten().and_then(as_service);
    if let Some(s) = this.and_then(|n| l.private_link.services.get_mut(n)) {
        s.accepts = accepts;
    }
}

fn resource(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let service = l.link(i, &a, &["service_id"], "endpoint service", as_service);
    let named = match a.get("service_id").map(|n| l.find(n)) {
        Some(Found::Foreign(id)) => Some(id),
        _ => None,
    };
    offer(l, i, &a, service, named);
}

/// Resources that a service lists itself.
fn own_resources(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(this) = l.entity.get(i).copied().flatten().and_then(as_service) else {
        return;
    };
    match a.blocks("resource") {
        Blocks::Absent => {}
        Blocks::Unknown(u) => {
            l.unknown(i, "resource", &u);
            let origin = l.origin(i, a.span);
            if let Some(s) = l.private_link.services.get_mut(this) {
                s.resources.push((origin, Err(u)));
            }
        }
        Blocks::List(all) => {
            for b in all {
                offer(l, i, &b, Fact::Known(this), None);
            }
        }
    }
}

/// Something that a service offers; `named` is the id of one that is not here.
fn offer(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    service: Fact<usize>,
    named: Option<std::sync::Arc<str>>,
) {
    let origin = l.origin(i, a.span);
    if let Some(n) = a.get("resource_id")
        && let Found::Entity(Entity::Gwlb(g)) = l.find(n)
    {
        match service {
            Fact::Known(s) => {
                if let Some(s) = l.private_link.services.get_mut(s) {
                    s.gateways.push((origin, g));
                }
            }
            Fact::Unknown(u) => {
                for s in &mut l.private_link.services {
                    let mut origin = origin.clone();
                    origin.maybe = Some(Box::new(u.clone()));
                    s.gateways.push((origin, g));
                }
                foreign(l, named, &u).gateways.push((origin, g));
            }
        }
        return;
    }
    let offered = match a.get("resource_id") {
        None => Err(Unknown::at("no resource is set", a.span)),
        Some(n) => match l.find(n) {
            Found::Resource(r) => {
                let what = l.res.get(r).map_or_else(String::new, |r| r.address.to_string());
                Err(Unknown::at(format!("`{what}` is not modelled"), n.span))
            }
            _ => match l.link_node(i, "resource_id", n, "load balancer", as_endpoint) {
                Fact::Known(b) => Ok(b),
                Fact::Unknown(u) => Err(u),
            },
        },
    };
    if let Err(u) = &offered {
        l.unknown(i, "resource_id", u);
    }
    match service {
        Fact::Known(n) => {
            if let Some(s) = l.private_link.services.get_mut(n) {
                s.resources.push((origin, offered));
            }
        }
        // It may be a resource of any of them, and of one that is not here.
        Fact::Unknown(u) => {
            for s in &mut l.private_link.services {
                let mut origin = origin.clone();
                origin.maybe = Some(Box::new(u.clone()));
                s.resources.push((origin, offered.clone()));
            }
            foreign(l, named, &u).resources.push((origin, offered));
        }
    }
}

/// A service that is not here.
fn foreign<'l>(l: &'l mut Linker<'_>, named: Option<std::sync::Arc<str>>, why: &Unknown) -> &'l mut Service {
    let all = &mut l.private_link.foreign;
    let at = match all.iter().position(|(n, _)| *n == named) {
        Some(at) => at,
        None => {
            let u = Unknown {
                why: format!("whether the service accepts it is not known: {}", why.why).into(),
                span: why.span,
            };
            let (resources, gateways) = (Vec::new(), Vec::new());
            let accepts = Fact::Unknown(u);
            all.push((
                named,
                Service {
                    accepts,
                    resources,
                    gateways,
                },
            ));
            all.len() - 1
        }
    };
    &mut all[at].1
}

/// What an endpoint to a service that is not here may lead to: each with whether it is that service for certain.
fn offers<'s>(state: &'s State, name: &str) -> Vec<(bool, &'s Service)> {
    let here = |id: &str| name == id || name.strip_suffix(id).is_some_and(|r| r.ends_with('.'));
    let each = state.foreign.iter().filter_map(|(n, s)| match n {
        Some(n) => here(n).then_some((true, s)),
        None => Some((false, s)),
    });
    each.collect()
}

fn endpoint(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["vpc_endpoint_name"]);
    let kind = a.get("endpoint_type").map(|n| l.text(n));
    if matches!(kind, Some(Fact::Known(t)) if t.eq_ignore_ascii_case("GatewayLoadBalancer")) {
        let id = gwlb::inspector(l, i, meta);
        l.private_link.inspectors.push(Inspecting {
            id,
            leads: Leads::Elsewhere,
            zones: 0,
        });
        return;
    }
    let balancer = balancer::declare(l, i, meta, BalancerKind::Endpoint);
    l.private_link.endpoints.push(Endpoint {
        balancer,
        groups: Fact::Unknown(Unknown::new("not linked")),
        foreign: Vec::new(),
        leads: Leads::Elsewhere,
    });
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    if let Some(Some(Entity::Inspector(id))) = l.entity.get(i).copied() {
        let leads = leads(l, i, &a);
        let mut all = l.private_link.inspectors.iter_mut();
        if let Some(x) = all.find(|x| x.id == id) {
            x.leads = leads;
        }
        return;
    }
    let Some(id) = l.entity.get(i).copied().flatten().and_then(as_endpoint) else {
        return;
    };
    let is = |l: &mut Linker<'_>, name: &'static str, usual: &str| match a.get(name).map(|n| l.text(n)) {
        Some(Fact::Known(t)) => t.eq_ignore_ascii_case(usual),
        // What nobody has set is as usual.
        Some(Fact::Unknown(u)) => crate::json::left_to_cloud(&u),
        None => true,
    };
    if matches!(a.get("endpoint_type").map(|n| l.text(n)), Some(Fact::Unknown(_))) {
        let why = "of which type the endpoint is is not known";
        l.refused.insert(i, why.into());
    }
    if !is(l, "endpoint_type", "Interface") {
        let why = "an endpoint of this type is not modelled";
        l.refused.insert(i, why.into());
    }
    if !is(l, "address_ip_version", "IPv4") {
        let why = "an endpoint with IPv6 addresses is not modelled";
        l.refused.insert(i, why.into());
    }
    let (groups, foreign) = eni::groups(l, i, &a, &["security_group_ids"]);
    let leads = leads(l, i, &a);
    let mut all = l.private_link.endpoints.iter_mut();
    if let Some(e) = all.find(|e| e.balancer == id) {
        e.groups = groups;
        e.foreign = foreign;
        e.leads = leads;
    }
}

/// What an endpoint leads to.
fn leads(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Leads {
    match a.first(&["service_id", "service_name"]) {
        None => Leads::Unknown(Unknown::at("no service is set", a.span)),
        Some((name, n)) => match l.find(n) {
            Found::Entity(e) => match as_service(e) {
                Some(s) => Leads::To(s),
                None => Leads::Unknown(l.invalid(
                    i,
                    name,
                    n.span,
                    "it is not the id of an endpoint service",
                    "name an endpoint service",
                )),
            },
            Found::Foreign(id) => match l.may_be(Entity::EndpointService(0), &id, n.span) {
                Some(u) => {
                    l.note(i, format!("`{name}`: {}", u.why));
                    Leads::Unknown(u)
                }
                None => Leads::Named(id),
            },
            // What comes from outside of the input is none of its services, if it has none.
            Found::Unknown(u) if l.private_link.services.is_empty() => Leads::Unsure(u),
            Found::Unset | Found::Resource(_) if l.private_link.services.is_empty() => {
                Leads::Unsure(Unknown::at("the service is not known", n.span))
            }
            Found::Unknown(u) => {
                l.unknown(i, name, &u);
                Leads::Unknown(u)
            }
            Found::Unset | Found::Resource(_) => {
                Leads::Unknown(Unknown::at("the service is not known", n.span))
            }
        },
    }
}

/// A front in a vSwitch.
fn zone(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let endpoint = l.link(i, &a, &["endpoint_id"], "endpoint", as_either);
    let vswitch = l.vswitch(i, &a, &["vswitch_id"]);
    if let Fact::Known(Entity::Inspector(id)) = endpoint {
        return inspected_zone(l, i, &a, id, vswitch);
    }
    let endpoint = match endpoint {
        Fact::Known(e) => as_endpoint(e).map_or_else(
            || Fact::Unknown(Unknown::at("it is no endpoint", a.span)),
            Fact::Known,
        ),
        Fact::Unknown(u) => Fact::Unknown(u),
    };
    let address = eni::primary(l, i, &a, &["eni_ip"]);
    let Fact::Known(id) = endpoint else {
        let why = "the endpoint that this is a zone of is not known";
        l.refused.insert(i, why.into());
        return;
    };
    let mut all = l.private_link.endpoints.iter();
    let Some((groups, foreign)) = all
        .find(|e| e.balancer == id)
        .map(|e| (e.groups.clone(), e.foreign.clone()))
    else {
        let why = "it is not the id of an endpoint";
        l.invalid(i, "endpoint_id", a.span, why, "name an endpoint");
        return;
    };
    let maybe = l.origin(i, a.span).maybe;
    let front = balancer::front(l, id);
    if let Some(x) = l.typed.interfaces.get_mut(front.index()) {
        if x.meta.origin.maybe.is_none() {
            x.meta.origin.maybe = maybe;
        }
        x.vswitch = vswitch;
        x.addresses = vec![address];
        x.groups = groups;
        x.foreign_groups = foreign;
    }
}

/// The vSwitch of the endpoint of a gateway load balancer.
fn inspected_zone(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, id: InspectorId, vswitch: Fact<VswitchId>) {
    let maybe = l.origin(i, a.span).maybe;
    let mut all = l.private_link.inspectors.iter_mut();
    let Some(x) = all.find(|x| x.id == id) else { return };
    x.zones += 1;
    if x.zones > 1 {
        let why = "an endpoint of a gateway load balancer in several zones is not modelled";
        l.refused.insert(i, why.into());
    }
    let interface = l.typed[id].interface;
    if let Some(f) = l.typed.interfaces.get_mut(interface.index()) {
        f.vswitch = match maybe {
            Some(u) => Fact::Unknown(*u),
            None => vswitch,
        };
    }
}

fn connection(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let endpoint = l.link(i, &a, &["endpoint_id"], "endpoint", as_either);
    // The service is that of the endpoint; naming it makes the reference known.
    let _ = l.link(i, &a, &["service_id"], "endpoint service", as_service);
    let origin = l.origin(i, a.span);
    l.private_link.accepted.push((origin, endpoint));
}

/// Why it is not certain that an endpoint is connected to its service, if it is not (A-PL-2).
fn pending(state: &State, e: Entity, s: &Service, at: &Origin) -> Option<Unknown> {
    if s.accepts == Fact::Known(true) {
        return None;
    }
    let mine = state.accepted.iter().filter(|(_, x)| *x == Fact::Known(e));
    let mut why = s.accepts.unknown().cloned();
    for (origin, _) in mine {
        match &origin.maybe {
            None => return None,
            Some(u) => why = Some((**u).clone()),
        }
    }
    let nobody = || Unknown::at("nothing here accepts the connection", at.span);
    Some(why.unwrap_or_else(nobody))
}

/// Whether a service has a gateway load balancer that works.
fn served(l: &Linker<'_>, s: &Service, at: &Origin) -> Result<(), Unknown> {
    let none = Unknown::at("the service offers no gateway load balancer", at.span);
    let mut found = Err(none);
    for (origin, g) in &s.gateways {
        found = match &origin.maybe {
            Some(u) => Err((**u).clone()),
            None => l.gwlb.serves(*g),
        };
        if found.is_ok() {
            break;
        }
    }
    found
}

/// Gives every endpoint the listeners of the balancers behind it (items 2, 8 and 9).
pub(super) fn settle(l: &mut Linker<'_>) {
    let state = std::mem::take(&mut l.private_link);
    for x in &state.inspectors {
        let at = l.typed[x.id].meta.origin.clone();
        let serves = match &x.leads {
            Leads::Unknown(u) | Leads::Unsure(u) => Err(u.clone()),
            Leads::Named(name) => {
                let mut found = Err(Unknown::at("the service is somebody else's", at.span));
                for (certain, s) in offers(&state, name) {
                    let doubt = pending(&state, Entity::Inspector(x.id), s, &at);
                    if certain && found.is_err() {
                        found = doubt.map_or_else(|| served(l, s, &at), Err);
                    }
                }
                found
            }
            Leads::Elsewhere => Err(Unknown::at("the service is somebody else's", at.span)),
            Leads::To(s) => match state.services.get(*s) {
                None => Err(Unknown::at("the service is not known", at.span)),
                Some(s) => match pending(&state, Entity::Inspector(x.id), s, &at) {
                    Some(u) => Err(u),
                    None => served(l, s, &at),
                },
            },
        };
        if let Some(i) = l.typed.inspectors.get_mut(x.id.index()) {
            i.serves = match serves {
                Ok(()) => Fact::Known(true),
                Err(u) => Fact::Unknown(u),
            };
        }
    }
    for e in &state.endpoints {
        let at = l.typed[e.balancer].meta.origin.clone();
        let mut all = Vec::new();
        match &e.leads {
            Leads::To(s) => {
                let Some(s) = state.services.get(*s) else { continue };
                let doubt = pending(&state, Entity::Balancer(e.balancer), s, &at);
                for (origin, offered) in &s.resources {
                    all.extend(offered_by(&l.typed, &state, &at, doubt.as_ref(), origin, offered));
                }
            }
            Leads::Elsewhere => all.push(elsewhere(&at)),
            Leads::Named(name) => {
                all.push(elsewhere(&at));
                for (certain, s) in offers(&state, name) {
                    let mut doubt = pending(&state, Entity::Balancer(e.balancer), s, &at);
                    if !certain {
                        doubt = doubt.or_else(|| s.accepts.unknown().cloned());
                    }
                    for (origin, offered) in &s.resources {
                        all.extend(offered_by(&l.typed, &state, &at, doubt.as_ref(), origin, offered));
                    }
                }
            }
            Leads::Unsure(_) if state.foreign.is_empty() => all.push(elsewhere(&at)),
            Leads::Unknown(u) | Leads::Unsure(u) => all.push(blind(&at, at.clone(), u)),
        }
        if let Some(b) = l.typed.balancers.get_mut(e.balancer.index()) {
            b.listeners = all;
        }
    }
}

/// What an endpoint takes in for somebody else's service.
fn elsewhere(at: &Origin) -> Listener {
    Listener {
        origin: at.clone(),
        services: Fact::Known(ServiceSet {
            tcp: PortSet::full(),
            udp: PortSet::full(),
            ..ServiceSet::default()
        }),
        filter: Fact::Known(None),
        forwards: Vec::new(),
    }
}

/// A listener of which only is known that there may be one.
fn blind(at: &Origin, origin: Origin, u: &Unknown) -> Listener {
    Listener {
        origin: at.clone(),
        services: Fact::Unknown(u.clone()),
        filter: Fact::Known(None),
        forwards: vec![Forward {
            origin,
            to: Backend::Unknown(u.clone()),
            services: Fact::Known(None),
            preserves: Fact::Known(false),
        }],
    }
}

/// What an endpoint listens on for one resource of its service.
fn offered_by(
    t: &Typed,
    state: &State,
    at: &Origin,
    doubt: Option<&Unknown>,
    origin: &Origin,
    offered: &Result<BalancerId, Unknown>,
) -> Vec<Listener> {
    let b = match offered {
        Ok(b) => *b,
        Err(u) => return vec![blind(at, origin.clone(), u)],
    };
    let mut out = Vec::new();
    for (n, x) in t[b].listeners.iter().enumerate() {
        let sealed = state.sealed.iter().find(|(s, k, _)| (*s, *k) == (b, n));
        let unsure = match sealed {
            Some((_, _, None)) => continue,
            Some((_, _, Some(u))) => Some(u),
            None => None,
        };
        let mut here = at.clone();
        let certain = here.maybe.take();
        here.maybe = certain
            .or_else(|| doubt.or(unsure).cloned().map(Box::new))
            .or_else(|| x.origin.maybe.clone())
            .or_else(|| origin.maybe.clone());
        out.push(Listener {
            origin: here,
            services: x.services.clone(),
            filter: Fact::Known(None),
            forwards: t[b]
                .fronts
                .iter()
                .map(|f| Forward {
                    origin: origin.clone(),
                    to: Backend::Interface(*f),
                    services: Fact::Known(None),
                    preserves: Fact::Known(false),
                })
                .collect(),
        });
    }
    out
}
