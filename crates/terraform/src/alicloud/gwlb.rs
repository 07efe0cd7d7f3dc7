//! Gateway load balancers and their endpoints (ALIBABA.md §9.6, docs/decisions/021).
//!
//! What a balancer does with packets is its appliances' business. What is read is whether there are any: balancer,
//! listener, group and servers.

use super::attrs::{Attrs, Blocks};
use super::linker::{Entity, Linker, next};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_gwlb_load_balancer",
            attributes: &["id"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, balancer)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_gwlb_server_group",
            attributes: &["id", "servers"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, group), (Stage::Fill, servers)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_gwlb_listener",
            attributes: &["load_balancer_id", "server_group_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, listener)],
    },
];

/// A gateway load balancer.
pub(super) struct Gwlb {
    origin: Origin,
    /// The server groups of its listeners, where each is written.
    groups: Vec<(Origin, Fact<u32>)>,
}

/// What is collected while reading.
#[derive(Default)]
pub(super) struct State {
    balancers: Vec<Gwlb>,
    /// Whether each group has servers.
    groups: Vec<(Origin, Fact<bool>)>,
}

impl State {
    /// Whether appliances are certainly behind a balancer; else why not.
    pub(super) fn serves(&self, gwlb: u32) -> Result<(), Unknown> {
        let nobody = || Unknown::new("no server of a gateway load balancer is known");
        let exists = |o: &Origin| match &o.maybe {
            None => Ok(()),
            Some(u) => Err((**u).clone()),
        };
        let b = self.balancers.get(gwlb as usize).ok_or_else(nobody)?;
        exists(&b.origin)?;
        let mut why = nobody();
        for (origin, group) in &b.groups {
            let said = exists(origin).and_then(|()| match group {
                Fact::Unknown(u) => Err(u.clone()),
                Fact::Known(g) => match self.groups.get(*g as usize) {
                    Some((o, Fact::Known(true))) => exists(o),
                    Some((_, Fact::Unknown(u))) => Err(u.clone()),
                    _ => Err(nobody()),
                },
            });
            match said {
                Ok(()) => return Ok(()),
                Err(u) => why = u,
            }
        }
        Err(why)
    }
}

fn balancer(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let origin = l.origin(i, a.span);
    let n = next(l.gwlb.balancers.len());
    l.gwlb.balancers.push(Gwlb {
        origin,
        groups: Vec::new(),
    });
    l.declare(i, Entity::Gwlb(n));
}

fn group(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let origin = l.origin(i, a.span);
    let n = next(l.gwlb.groups.len());
    l.gwlb.groups.push((origin, Fact::Known(false)));
    l.declare(i, Entity::GwlbGroup(n));
}

fn servers(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let some = match a.blocks("servers") {
        Blocks::Absent => Fact::Known(false),
        Blocks::Unknown(u) => {
            l.unknown(i, "servers", &u);
            Fact::Unknown(u)
        }
        Blocks::List(all) => Fact::Known(!all.is_empty()),
    };
    if let Some(Some(Entity::GwlbGroup(n))) = l.entity.get(i).copied()
        && let Some(g) = l.gwlb.groups.get_mut(n as usize)
    {
        g.1 = some;
    }
}

fn listener(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let to = l.link(
        i,
        &a,
        &["load_balancer_id"],
        "gateway load balancer",
        |e| match e {
            Entity::Gwlb(n) => Some(n),
            _ => None,
        },
    );
    let group = l.link(i, &a, &["server_group_id"], "server group", |e| match e {
        Entity::GwlbGroup(n) => Some(n),
        _ => None,
    });
    let origin = l.origin(i, a.span);
    if let Fact::Known(n) = to
        && let Some(b) = l.gwlb.balancers.get_mut(n as usize)
    {
        b.groups.push((origin, group));
    }
}

/// An endpoint: an interface without addresses and groups, in the vSwitch that its zone names.
pub(super) fn inspector(l: &mut Linker<'_>, i: usize, meta: Meta) -> InspectorId {
    let interface = InterfaceId(next(l.typed.interfaces.len()));
    l.typed.interfaces.push(Interface {
        meta: meta.clone(),
        instance: None,
        primary: false,
        vswitch: Fact::Unknown(Unknown::new("no zone of this endpoint is known")),
        groups: Fact::Known(Vec::new()),
        foreign_groups: Vec::new(),
        addresses: Vec::new(),
        source_dest_check: Fact::Known(Some(false)),
        public: Vec::new(),
    });
    let id = InspectorId(next(l.typed.inspectors.len()));
    l.typed.inspectors.push(Inspector {
        meta,
        interface,
        serves: Fact::Unknown(Unknown::new("not linked")),
    });
    l.declare(i, Entity::Inspector(id));
    id
}
