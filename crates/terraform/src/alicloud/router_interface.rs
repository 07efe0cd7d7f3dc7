//! Router interfaces, in pairs between VPCs and border routers (ALIBABA.md §11).

use super::attrs::Attrs;
use super::hybrid::{as_border, named, unlinked};
use super::linker::{Entity, Found, Linker, next};
use super::transit::as_vpc;
use bartizan_model::*;

fn as_interface(e: Entity) -> Option<RouterInterfaceId> {
    if let Entity::RouterInterface(r) = e {
        Some(r)
    } else {
        None
    }
}

pub(super) fn interface(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let names = named(&a, &["router_interface_name", "name"]);
    let meta = l.meta(i, &a, &names);
    let id = RouterInterfaceId(next(l.typed.router_interfaces.len()));
    l.typed.router_interfaces.push(RouterInterface {
        meta,
        at: RouterEnd::Vpc(Fact::Unknown(unlinked())),
        opposite: Fact::Known(None),
    });
    l.declare(i, Entity::RouterInterface(id));
}

pub(super) fn interface_fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = l.entity.get(i).copied().flatten().and_then(as_interface) else {
        return;
    };
    let at = match l.either(i, &a, "router_type", ("VBR", "VRouter"), false) {
        Fact::Known(true) => RouterEnd::Border(l.link(i, &a, &["router_id"], "border router", as_border)),
        Fact::Known(false) => RouterEnd::Vpc(l.link(i, &a, &["router_id"], "VPC", as_vpc)),
        Fact::Unknown(u) => RouterEnd::Vpc(Fact::Unknown(u)),
    };
    if let Some(x) = l.typed.router_interfaces.get_mut(id.index()) {
        x.at = at;
    }
}

/// The other end as the interface itself names it.
pub(super) fn opposite(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = l.entity.get(i).copied().flatten().and_then(as_interface) else {
        return;
    };
    let far = if a.get("opposite_interface_id").is_some() {
        l.link(
            i,
            &a,
            &["opposite_interface_id"],
            "router interface",
            as_interface,
        )
        .map(Some)
    } else if a.declared("opposite_router_id") && a.get("opposite_router_id").is_some() {
        Fact::Unknown(Unknown::at(
            "it names the router at the other end and not its interface",
            a.span,
        ))
    } else {
        return;
    };
    if let Some(x) = l.typed.router_interfaces.get_mut(id.index())
        && x.opposite == Fact::Known(None)
    {
        x.opposite = far;
    }
}

pub(super) fn connect(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let ends = (
        l.link(i, &a, &["interface_id"], "router interface", as_interface),
        l.link(
            i,
            &a,
            &["opposite_interface_id"],
            "router interface",
            as_interface,
        ),
    );
    let maybe = l.origin(i, a.span).maybe.map(|u| *u);
    let far = |f: &Fact<RouterInterfaceId>| match (&maybe, f) {
        (Some(u), _) => Fact::Unknown(u.clone()),
        (None, Fact::Known(o)) => Fact::Known(Some(*o)),
        (None, Fact::Unknown(u)) => Fact::Unknown(u.clone()),
    };
    // One resource for each direction, or one for both.
    for (near, opposite) in [(&ends.0, far(&ends.1)), (&ends.1, far(&ends.0))] {
        if let Fact::Known(n) = near
            && let Some(x) = l.typed.router_interfaces.get_mut(n.index())
        {
            x.opposite = opposite;
        }
    }
}

/// A connection of which an end is not known may be that of any interface that has no other end.
pub(super) fn connect_any(l: &mut Linker<'_>, _: usize, a: Attrs<'_>) {
    for name in ["interface_id", "opposite_interface_id"] {
        let u = match a.get(name).map(|n| (l.find(n), n.span)) {
            Some((Found::Unknown(u), _)) => u,
            // Where every interface shows its id it is none of them.
            Some((Found::Foreign(id), at))
                if l.typed.router_interfaces.iter().any(|x| x.meta.id.is_none()) =>
            {
                Unknown::at(format!("`{id}` may be this router interface"), at)
            }
            _ => continue,
        };
        for x in &mut l.typed.router_interfaces {
            if x.opposite == Fact::Known(None) {
                x.opposite = Fact::Unknown(u.clone());
            }
        }
    }
}

/// What an interface that may not be in use connects is not known.
pub(super) fn settle(l: &mut Linker<'_>) {
    let all = (0u32..).map(RouterInterfaceId).zip(&l.typed.router_interfaces);
    let doubted: Vec<(RouterInterfaceId, Unknown)> = all
        .filter_map(|(id, x)| Some((id, (**x.meta.origin.maybe.as_ref()?).clone())))
        .collect();
    for (id, u) in doubted {
        for (n, x) in (0u32..).zip(&mut l.typed.router_interfaces) {
            let mine = RouterInterfaceId(n) == id && x.opposite != Fact::Known(None);
            if mine || x.opposite == Fact::Known(Some(id)) {
                x.opposite = Fact::Unknown(u.clone());
            }
        }
    }
}
