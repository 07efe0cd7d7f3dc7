//! Peering, transit routers and CEN instances (ALIBABA.md §10).

use super::attrs::{Attrs, Blocks, items};
use super::hybrid::{as_border, as_connection};
use super::linker::{Entity, Found, Linker, next};
use super::prefix_list::spec;
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;
use std::sync::Arc;

const ATTACHMENT: &[super::Identity] = &[own("transit_router_attachment_id"), own("id")];

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_peer_connection",
            attributes: &[
                "id",
                "tags",
                "peer_connection_name",
                "vpc_id",
                "accepting_vpc_id",
                "accepting_ali_uid",
                "accepting_region_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, peering), (Stage::Fill, peering_ends)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_peer_connection_accepter",
            attributes: &["id", "instance_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, accepted)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router",
            attributes: &["id", "tags", "transit_router_name", "transit_router_id", "cen_id"],
        },
        aliases: &[],
        identities: &[own("transit_router_id"), own("id")],
        steps: &[(Stage::Declare, router)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_route_table",
            attributes: &[
                "id",
                "tags",
                "transit_router_route_table_name",
                "transit_router_route_table_id",
                "transit_router_id",
            ],
        },
        aliases: &[],
        identities: &[own("transit_router_route_table_id"), own("id")],
        steps: &[(Stage::Declare, table), (Stage::Fill, table_of)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_vpc_attachment",
            attributes: &[
                "id",
                "tags",
                "transit_router_vpc_attachment_name",
                "transit_router_attachment_name",
                "transit_router_attachment_id",
                "transit_router_id",
                "vpc_id",
                "zone_mappings",
                "zone_mappings.vswitch_id",
                "auto_publish_route_enabled",
                "route_table_association_enabled",
                "route_table_propagation_enabled",
                "options",
                "options.ipv6_support",
                "transit_router_vpc_attachment_options",
            ],
        },
        aliases: &[],
        identities: ATTACHMENT,
        steps: &[
            (Stage::Declare, attachment),
            (Stage::Fill, vpc_attachment),
            (Stage::Attach, by_flags),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_peer_attachment",
            attributes: &[
                "id",
                "tags",
                "transit_router_peer_attachment_name",
                "transit_router_attachment_name",
                "transit_router_attachment_id",
                "transit_router_id",
                "peer_transit_router_id",
                "auto_publish_route_enabled",
                "route_table_association_enabled",
                "route_table_propagation_enabled",
            ],
        },
        aliases: &[],
        identities: ATTACHMENT,
        steps: &[
            (Stage::Declare, attachment),
            (Stage::Fill, peer_attachment),
            (Stage::Attach, by_flags),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_vbr_attachment",
            attributes: &[
                "id",
                "tags",
                "transit_router_attachment_id",
                "transit_router_attachment_name",
                "transit_router_id",
                "vbr_id",
                "auto_publish_route_enabled",
                "route_table_association_enabled",
                "route_table_propagation_enabled",
            ],
        },
        aliases: &[],
        identities: ATTACHMENT,
        steps: &[
            (Stage::Declare, attachment),
            (Stage::Fill, vbr_attachment),
            (Stage::Attach, by_flags),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_vpn_attachment",
            attributes: &[
                "id",
                "tags",
                "transit_router_attachment_name",
                "transit_router_id",
                "vpn_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, attachment), (Stage::Fill, vpn_attachment)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_route_table_association",
            attributes: &["transit_router_attachment_id", "transit_router_route_table_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            let link = link(l, i, &a);
            l.typed.tr_associations.push(link);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_route_table_propagation",
            attributes: &["transit_router_attachment_id", "transit_router_route_table_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            let link = link(l, i, &a);
            l.typed.tr_propagations.push(link);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_route_entry",
            attributes: &[
                "transit_router_route_table_id",
                "transit_router_route_entry_destination_cidr_block",
                "transit_router_route_entry_next_hop_type",
                "transit_router_route_entry_next_hop_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, entry)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_prefix_list_association",
            attributes: &[
                "transit_router_table_id",
                "prefix_list_id",
                "next_hop",
                "next_hop_type",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, prefix_list)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_child_instance_route_entry_to_attachment",
            attributes: &[
                "child_instance_route_table_id",
                "destination_cidr_block",
                "transit_router_attachment_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, to_attachment)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_route_entry",
            attributes: &["instance_id", "route_table_id", "cidr_block"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, publish)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_instance_attachment",
            attributes: &[
                "id",
                "instance_id",
                "child_instance_id",
                "child_instance_type",
                "child_instance_region_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Declare, basic), (Stage::Fill, basic_fill)],
    },
    super::route_map::HANDLER,
];

fn unlinked() -> Unknown {
    Unknown::new("not linked")
}

pub(super) fn as_router(e: Entity) -> Option<RouterId> {
    if let Entity::Router(r) = e { Some(r) } else { None }
}
pub(super) fn as_attachment(e: Entity) -> Option<AttachmentId> {
    if let Entity::Attachment(a) = e {
        Some(a)
    } else {
        None
    }
}
pub(super) fn as_tr_table(e: Entity) -> Option<TrTableId> {
    if let Entity::TrTable(t) = e { Some(t) } else { None }
}
pub(super) fn as_vpc(e: Entity) -> Option<VpcId> {
    if let Entity::Vpc(v) = e { Some(v) } else { None }
}

fn peering(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["peer_connection_name"]);
    let id = PeeringId(next(l.typed.peerings.len()));
    l.typed.peerings.push(Peering {
        meta,
        requester: Fact::Unknown(unlinked()),
        accepter: Fact::Unknown(unlinked()),
    });
    l.declare(i, Entity::Peering(id));
}

fn peering_ends(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Peering(id))) = l.entity.get(i).copied() else {
        return;
    };
    let requester = l.vpc(i, &a);
    let accepter = l.link(i, &a, &["accepting_vpc_id"], "VPC", as_vpc);
    // §10.6: another account has to accept it. Whose account it is is seen by who makes the VPC there.
    let here = l.res.get(i).and_then(|r| r.provider.clone());
    let there = accepter.known().map(|v| l.typed[*v].meta.origin.address.clone());
    let there = there.and_then(|x| l.position(&x)).and_then(|n| l.res.get(n));
    let same = there.is_some_and(|r| r.provider == here);
    if let Some(n) = a.get("accepting_ali_uid").filter(|_| !same) {
        l.foreign_peerings.push((id, n.span));
    }
    let elsewhere = elsewhere(l, i, &a, &accepter);
    if let Some(p) = l.typed.peerings.get_mut(id.index()) {
        p.requester = requester;
        p.accepter = accepter;
        if let Some(u) = elsewhere {
            p.meta.origin.doubt(|| u);
        }
    }
}

/// §10.6: why a peering connection may not be there that names another region than that of the VPC at its end.
fn elsewhere(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, vpc: &Fact<VpcId>) -> Option<Unknown> {
    let node = a.get("accepting_region_id")?;
    let meta = &l.typed[*vpc.known()?].meta;
    let (home, name) = (meta.region.clone()?, meta.origin.address.clone());
    let said = l.text(node).known()?.clone();
    if said == home {
        return None;
    }
    let why = format!("`{name}` is in {home} and not in {said}");
    let help = "write the region of that VPC";
    Some(l.refuse(i, "accepting_region_id", node.span, &why, help))
}

/// The other account accepts a peering connection.
fn accepted(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let of = l.link(i, &a, &["instance_id"], "peering connection", |e| {
        if let Entity::Peering(p) = e { Some(p) } else { None }
    });
    let sure = l.origin(i, a.span).maybe.is_none();
    if let Fact::Known(p) = of
        && sure
    {
        l.foreign_peerings.retain(|(x, _)| *x != p);
    }
}

/// What another account has to accept may be accepted, and is not for certain.
pub(super) fn settle(l: &mut Linker<'_>) {
    for (id, span) in std::mem::take(&mut l.foreign_peerings) {
        if let Some(p) = l.typed.peerings.get_mut(id.index()) {
            let why = || Box::new(Unknown::at("nothing here accepts it for the other account", span));
            p.meta.origin.maybe.get_or_insert_with(why);
        }
    }
    // A route map is about one region. Of a router of Basic Edition, whose attachments are in several, and of one whose
    // region is not known, it is not certain that it is about all routes.
    let t = &mut l.typed;
    for m in t.route_maps.iter_mut().filter(|m| m.table.is_none()) {
        let Some(region) = m.region.known().cloned() else {
            continue;
        };
        let about = |r: &TransitRouter| match (&r.cen, m.cen.known()) {
            (Some(a), Some(b)) => a == b,
            _ => true,
        };
        let unsure = (0u32..).map(RouterId).zip(&t.transit_routers).any(|(id, r)| {
            let elsewhere = |x: &Attachment| x.meta.region.as_ref() != Some(&region);
            // Which CEN instance a router is of may not be known.
            r.cen.is_none()
                || about(r)
                    && match (r.basic, &r.meta.region) {
                        (true, _) => (t.attachments.iter())
                            .filter(|x| x.router.known().is_none_or(|k| *k == id))
                            .any(elsewhere),
                        (false, known) => known.is_none(),
                    }
        });
        if unsure {
            m.region = Fact::Unknown(Unknown::at(
                "whether the routes of this region are meant is not known",
                m.origin.span,
            ));
        }
    }
}

/// A CEN instance as a key: the address of its resource, or its id.
pub(super) fn cen(l: &mut Linker<'_>, node: &Node) -> Fact<Arc<str>> {
    match l.find(node) {
        Found::Resource(r) => match l.res.get(r) {
            Some(r) => Fact::Known(r.address.clone()),
            None => Fact::Unknown(unlinked()),
        },
        Found::Foreign(id) => {
            // A literal id of a CEN instance that is here is the same as a reference to it.
            let same = l.res.iter().find(|r| {
                &*r.kind == "alicloud_cen_instance"
                    && matches!(r.get("id").map(|n| &n.value), Some(Value::String(s)) if *s == id)
            });
            // Of those whose ids are not known each may be meant.
            let other = l.res.iter().any(|r| {
                &*r.kind == "alicloud_cen_instance"
                    && !r.data
                    && !matches!(r.get("id").map(|n| &n.value), Some(Value::String(_)))
            });
            match same {
                Some(r) => Fact::Known(r.address.clone()),
                None if other => {
                    let why = format!("`{id}` may be one of the CEN instances here, whose ids are not known");
                    Fact::Unknown(Unknown::at(why, node.span))
                }
                None => Fact::Known(id),
            }
        }
        Found::Unknown(u) => Fact::Unknown(u),
        Found::Entity(_) | Found::Unset => Fact::Unknown(Unknown::at("it is no CEN instance", node.span)),
    }
}

pub(super) fn new_router(l: &mut Linker<'_>, meta: Meta, cen: Option<Arc<str>>, basic: bool) -> RouterId {
    let id = RouterId(next(l.typed.transit_routers.len()));
    let system_table = TrTableId(next(l.typed.tr_tables.len()));
    l.typed.tr_tables.push(TrTable {
        meta: meta.clone(),
        router: Fact::Known(id),
        system: true,
    });
    l.typed.transit_routers.push(TransitRouter {
        meta,
        cen,
        basic,
        system_table,
        bandwidth: basic.then(Vec::new),
    });
    id
}

fn router(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["transit_router_name"]);
    let cen = a.get("cen_id").and_then(|n| cen(l, n).known().cloned());
    let id = new_router(l, meta, cen, false);
    l.declare(i, Entity::Router(id));
}

fn table(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["transit_router_route_table_name"]);
    let id = TrTableId(next(l.typed.tr_tables.len()));
    l.typed.tr_tables.push(TrTable {
        meta,
        router: Fact::Unknown(unlinked()),
        system: false,
    });
    l.declare(i, Entity::TrTable(id));
}

fn table_of(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::TrTable(id))) = l.entity.get(i).copied() else {
        return;
    };
    let router = l.link(i, &a, &["transit_router_id"], "transit router", as_router);
    if let Some(t) = l.typed.tr_tables.get_mut(id.index()) {
        t.router = router;
    }
}

pub(super) fn blank(meta: Meta) -> Attachment {
    Attachment {
        meta,
        router: Fact::Unknown(unlinked()),
        to: Attached::Vpc(Fact::Unknown(unlinked())),
        vswitches: Vec::new(),
        publishes: Fact::Known(false),
        ipv6: Fact::Known(true),
    }
}

pub(super) fn push(l: &mut Linker<'_>, i: usize, a: Attachment) {
    let id = AttachmentId(next(l.typed.attachments.len()));
    l.typed.attachments.push(a);
    l.declare(i, Entity::Attachment(id));
}

fn attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let names = [
        "transit_router_vpc_attachment_name",
        "transit_router_peer_attachment_name",
        "transit_router_attachment_name",
    ];
    let names: Vec<&'static str> = names.into_iter().filter(|n| a.declared(n)).collect();
    let meta = l.meta(i, &a, &names);
    push(l, i, blank(meta));
}

/// The attachment that a resource is.
pub(super) fn this(l: &Linker<'_>, i: usize) -> Option<AttachmentId> {
    l.entity.get(i).copied().flatten().and_then(as_attachment)
}

fn vpc_attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let router = l.link(i, &a, &["transit_router_id"], "transit router", as_router);
    let vpc = l.vpc(i, &a);
    let mut vswitches = Vec::new();
    match a.blocks("zone_mappings") {
        Blocks::List(all) => {
            for b in all {
                let v = l.vswitch(i, &b, &["vswitch_id"]);
                vswitches.push(v);
            }
        }
        Blocks::Unknown(u) => {
            l.unknown(i, "zone_mappings", &u);
            vswitches.push(Fact::Unknown(u));
        }
        Blocks::Absent => {
            let u = Unknown::at("no zone is set", a.span);
            l.unknown(i, "zone_mappings", &u);
            vswitches.push(Fact::Unknown(u));
        }
    }
    let publishes = l.flag(i, &a, "auto_publish_route_enabled", false);
    let ipv6 = match a.blocks("options") {
        // The same by its older name, a map.
        Blocks::Absent => match a.get("transit_router_vpc_attachment_options") {
            None => Fact::Known(false),
            Some(n) => match &n.value {
                Value::Map(m) => match m.get("ipv6Support").map(|v| (l.text(v), v.span)) {
                    None => Fact::Known(false),
                    Some((Fact::Known(t), _)) if t.eq_ignore_ascii_case("enable") => Fact::Known(true),
                    Some((Fact::Known(t), _)) if t.eq_ignore_ascii_case("disable") => Fact::Known(false),
                    Some((Fact::Known(t), span)) => Fact::Unknown(Unknown::at(
                        format!("`{t}` is neither `enable` nor `disable`"),
                        span,
                    )),
                    Some((Fact::Unknown(u), _)) => Fact::Unknown(u),
                },
                _ => {
                    let u = Unknown::at("the options are not known", n.span);
                    l.unknown(i, "transit_router_vpc_attachment_options", &u);
                    Fact::Unknown(u)
                }
            },
        },
        Blocks::Unknown(u) => {
            l.unknown(i, "options", &u);
            Fact::Unknown(u)
        }
        Blocks::List(all) => match all.first() {
            Some(b) => l.either(i, b, "ipv6_support", ("enable", "disable"), false),
            None => Fact::Known(false),
        },
    };
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.router = router;
        x.to = Attached::Vpc(vpc);
        x.vswitches = vswitches;
        x.publishes = publishes;
        x.ipv6 = ipv6;
    }
}

fn peer_attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let router = l.link(i, &a, &["transit_router_id"], "transit router", as_router);
    let peer = l.link(i, &a, &["peer_transit_router_id"], "transit router", as_router);
    let publishes = l.flag(i, &a, "auto_publish_route_enabled", false);
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.router = router;
        x.to = Attached::Peer(peer);
        x.publishes = publishes;
    }
}

/// A border router.
fn vbr_attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let router = l.link(i, &a, &["transit_router_id"], "transit router", as_router);
    let to = l.link(i, &a, &["vbr_id"], "border router", as_border);
    let publishes = l.flag(i, &a, "auto_publish_route_enabled", false);
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.router = router;
        x.to = Attached::Border(to);
        x.publishes = publishes;
    }
}

/// An IPsec connection, which carries IPv4 only.
fn vpn_attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let router = l.link(i, &a, &["transit_router_id"], "transit router", as_router);
    let to = l.link(i, &a, &["vpn_id"], "IPsec connection", as_connection);
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.router = router;
        x.to = Attached::Vpn(to);
        x.ipv6 = Fact::Known(false);
    }
}

/// The old way to say association and propagation: with the router's own table (§10.2).
fn by_flags(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    for association in [true, false] {
        let name = if association {
            "route_table_association_enabled"
        } else {
            "route_table_propagation_enabled"
        };
        let on = l.flag(i, &a, name, false);
        if on == Fact::Known(false) {
            continue;
        }
        let mut origin = l.origin(i, a.get(name).map_or(a.span, |n| n.span));
        if let Fact::Unknown(u) = on {
            origin.maybe = Some(Box::new(u));
        }
        let system = |r: RouterId, l: &Linker<'_>| l.typed[r].system_table;
        let table = match l.typed[id].router.clone() {
            Fact::Known(r) => Fact::Known(system(r, l)),
            Fact::Unknown(u) => Fact::Unknown(u),
        };
        let link = TrLink {
            origin,
            attachment: Fact::Known(id),
            table,
        };
        if association {
            l.typed.tr_associations.push(link);
        } else {
            l.typed.tr_propagations.push(link);
        }
    }
}

fn link(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> TrLink {
    TrLink {
        origin: l.origin(i, a.span),
        attachment: l.link(
            i,
            a,
            &["transit_router_attachment_id"],
            "attachment",
            as_attachment,
        ),
        table: l.link(
            i,
            a,
            &["transit_router_route_table_id"],
            "table of a transit router",
            as_tr_table,
        ),
    }
}

/// The attachment that a route names.
fn hop(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, kind: &'static str, target: &'static str) -> TrHop {
    match a.get(kind).map(|n| l.text(n)) {
        Some(Fact::Known(t)) if t.eq_ignore_ascii_case("blackhole") => return TrHop::Blackhole,
        Some(Fact::Unknown(u)) => {
            l.unknown(i, kind, &u);
            return TrHop::Unknown(u);
        }
        _ => {}
    }
    match l.link(i, a, &[target], "attachment", as_attachment) {
        Fact::Known(a) => TrHop::Attachment(a),
        Fact::Unknown(u) => TrHop::Unknown(u),
    }
}

fn entry(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let table = l.link(
        i,
        &a,
        &["transit_router_route_table_id"],
        "table of a transit router",
        as_tr_table,
    );
    let name = "transit_router_route_entry_destination_cidr_block";
    let destination = match a.get(name) {
        Some(n) => NetSpec::Net(l.net(i, name, n)),
        None => NetSpec::Net(Fact::Unknown(Unknown::at("no destination is set", a.span))),
    };
    let hop = hop(
        l,
        i,
        &a,
        "transit_router_route_entry_next_hop_type",
        "transit_router_route_entry_next_hop_id",
    );
    let origin = l.origin(i, a.span);
    l.typed.tr_routes.push(TrRoute {
        origin,
        table,
        destination,
        hop,
    });
}

fn prefix_list(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let table = l.link(
        i,
        &a,
        &["transit_router_table_id"],
        "table of a transit router",
        as_tr_table,
    );
    let destination = match a.get("prefix_list_id") {
        Some(n) => spec(l, i, "prefix_list_id", n),
        None => NetSpec::Net(Fact::Unknown(Unknown::at("no prefix list is set", a.span))),
    };
    let hop = hop(l, i, &a, "next_hop_type", "next_hop");
    let origin = l.origin(i, a.span);
    l.typed.tr_routes.push(TrRoute {
        origin,
        table,
        destination,
        hop,
    });
}

/// A route of a VPC to its attachment, by the way of the transit router.
fn to_attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let table = l.link(
        i,
        &a,
        &["child_instance_route_table_id"],
        "route table",
        super::linker::as_table,
    );
    let destination = match a.get("destination_cidr_block") {
        Some(n) => NetSpec::Net(l.net(i, "destination_cidr_block", n)),
        None => NetSpec::Net(Fact::Unknown(Unknown::at("no destination is set", a.span))),
    };
    let hop = match l.link(
        i,
        &a,
        &["transit_router_attachment_id"],
        "attachment",
        as_attachment,
    ) {
        Fact::Known(a) => NextHop::Attachment(a),
        Fact::Unknown(u) => NextHop::Unknown(u),
    };
    let origin = l.origin(i, a.span);
    l.typed.route_entries.push(RouteEntry {
        origin,
        table,
        destination,
        next_hops: vec![hop],
    });
}

fn publish(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let table = l.table(i, &a);
    let destination = match a.get("cidr_block") {
        Some(n) => l.net(i, "cidr_block", n),
        None => Fact::Unknown(Unknown::at("no block is set", a.span)),
    };
    let origin = l.origin(i, a.span);
    l.typed.published_routes.push(PublishedRoute {
        origin,
        table,
        destination,
    });
}

/// Basic Edition: everything that is attached to a CEN instance is in one table (§10.1).
fn basic(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &[]);
    push(l, i, blank(meta));
}

fn basic_fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let key = match a.get("instance_id") {
        Some(n) => cen(l, n),
        None => Fact::Unknown(Unknown::at("no CEN instance is set", a.span)),
    };
    let router = match key {
        Fact::Known(key) => {
            let found = (0u32..)
                .zip(&l.typed.transit_routers)
                .find(|(_, r)| r.basic && r.cen.as_ref() == Some(&key))
                .map(|(n, _)| RouterId(n));
            Fact::Known(match found {
                Some(r) => r,
                None => {
                    let mut meta = l.typed[id].meta.clone();
                    // It is in every region that something is attached in.
                    meta.region = None;
                    if let Some(r) = l.res.iter().position(|r| r.address == key) {
                        let span = l.res.get(r).map_or(a.span, |r| r.span);
                        meta.origin = l.origin(r, span);
                    }
                    new_router(l, meta, Some(key), true)
                }
            })
        }
        Fact::Unknown(u) => {
            l.unknown(i, "instance_id", &u);
            Fact::Unknown(u)
        }
    };
    let kind = match a.get("child_instance_type").map(|n| l.text(n)) {
        Some(Fact::Known(k)) => k,
        _ => "?".into(),
    };
    let to = if kind.eq_ignore_ascii_case("VBR") {
        Attached::Border(l.link(i, &a, &["child_instance_id"], "border router", as_border))
    } else if kind.eq_ignore_ascii_case("VPC") {
        Attached::Vpc(l.link(i, &a, &["child_instance_id"], "VPC", as_vpc))
    } else {
        l.refused.insert(
            i,
            format!("attaches {kind}, which is not modelled, to a CEN instance"),
        );
        Attached::Unmodelled(kind, "?".into())
    };
    let region = a.get("child_instance_region_id").map(|n| l.text(n));
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.router = router;
        x.to = to;
        x.publishes = Fact::Known(true);
        // The provider may be in another region than what it attaches.
        if let Some(region) = region {
            x.meta.region = region.known().cloned();
        }
    }
}

/// Ids of VPCs that a condition lists.
pub(super) fn vpcs(l: &mut Linker<'_>, i: usize, name: &'static str, node: &Node) -> Vec<Fact<VpcId>> {
    match items(node) {
        Ok(all) => all
            .into_iter()
            .map(|n| l.link_node(i, name, n, "VPC", as_vpc))
            .collect(),
        Err(u) => {
            l.unknown(i, name, &u);
            vec![Fact::Unknown(u)]
        }
    }
}
