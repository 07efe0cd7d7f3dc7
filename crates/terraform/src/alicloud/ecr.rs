//! Express Connect routers (ALIBABA.md §11; the numbers are those of docs/decisions/023).
//!
//! One becomes a router with two tables, so that engine and interpreter need to know nothing of it.

use super::attrs::{Attrs, items};
use super::hybrid::as_border;
use super::linker::{Entity, Linker, next};
use super::transit::{as_router, as_vpc, blank, new_router, push, this};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;
use ipnet::IpNet;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_express_connect_router_express_connect_router",
            attributes: &["id", "tags", "ecr_name"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, router)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_express_connect_router_vpc_association",
            attributes: &["id", "association_id", "ecr_id", "vpc_id", "allowed_prefixes"],
        },
        aliases: &[],
        identities: &[own("association_id"), own("id")],
        steps: &[
            (Stage::Declare, attachment),
            (Stage::Fill, vpc),
            (Stage::Bind, vpc_prefixes),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_express_connect_router_vbr_child_instance",
            attributes: &["id", "ecr_id", "child_instance_id", "child_instance_type"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Declare, attachment), (Stage::Fill, border)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_cen_transit_router_ecr_attachment",
            attributes: &[
                "id",
                "tags",
                "transit_router_ecr_attachment_name",
                "transit_router_id",
                "ecr_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, attachment),
            (Stage::Fill, transit),
            (Stage::Bind, regions),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_express_connect_router_tr_association",
            attributes: &[
                "id",
                "association_id",
                "ecr_id",
                "transit_router_id",
                "allowed_prefixes",
            ],
        },
        aliases: &[],
        identities: &[own("association_id"), own("id")],
        steps: &[(Stage::Bind, other_end)],
    },
];

/// 1. The first table is *cloud*, the other *port*. It is no part of any CEN instance.
fn router(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["ecr_name"]);
    let id = new_router(l, meta.clone(), Some(meta.origin.address.clone()), false);
    let mut port = meta;
    port.origin.address = format!("{} (port)", port.origin.address).into();
    l.typed.tr_tables.push(TrTable {
        meta: port,
        router: Fact::Known(id),
        system: false,
    });
    l.declare(i, Entity::Router(id));
}

/// The tables *cloud* and *port* of an ECR.
fn tables(l: &Linker<'_>, ecr: &Fact<RouterId>) -> [Fact<TrTableId>; 2] {
    let r = match ecr {
        Fact::Known(r) => *r,
        Fact::Unknown(u) => return [Fact::Unknown(u.clone()), Fact::Unknown(u.clone())],
    };
    let cloud = l.typed[r].system_table;
    let port = l
        .typed
        .tr_tables
        .iter()
        .position(|t| !t.system && t.router == Fact::Known(r));
    let port = match port {
        Some(n) => Fact::Known(TrTableId(next(n))),
        None => Fact::Unknown(Unknown::new("it is no Express Connect router")),
    };
    [Fact::Known(cloud), port]
}

fn attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let name = ["transit_router_ecr_attachment_name"];
    let name = if a.declared(name[0]) { &name[..] } else { &[] };
    let meta = l.meta(i, &a, name);
    push(l, i, blank(meta));
}

/// What forwards what comes from an attachment, and what learns from it.
fn join(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    id: AttachmentId,
    from: Fact<TrTableId>,
    into: Fact<TrTableId>,
) {
    let origin = l.origin(i, a.span);
    let link = |table| TrLink {
        origin: origin.clone(),
        attachment: Fact::Known(id),
        table,
    };
    l.typed.tr_associations.push(link(from));
    l.typed.tr_propagations.push(link(into));
}

/// A connection that is not understood is there and carries nothing for certain.
fn refuse(l: &mut Linker<'_>, i: usize, ids: &[AttachmentId], why: &str) {
    l.refused.insert(i, why.into());
    for id in ids {
        let Some(x) = l.typed.attachments.get_mut(id.index()) else {
            continue;
        };
        let u = Unknown::at(why, x.meta.origin.span);
        x.meta.origin.doubt(|| u.clone());
        let links = l.typed.tr_associations.iter_mut();
        let links = links.chain(&mut l.typed.tr_propagations);
        for t in links.filter(|t| t.attachment == Fact::Known(*id)) {
            t.origin.doubt(|| u.clone());
        }
    }
}

fn vpc(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let ecr = l.link(i, &a, &["ecr_id"], "Express Connect router", as_router);
    let vpc = l.link(i, &a, &["vpc_id"], "VPC", as_vpc);
    let [cloud, port] = tables(l, &ecr);
    join(l, i, &a, id, cloud, port);
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.router = ecr;
        x.to = Attached::Vpc(vpc);
        x.publishes = Fact::Known(true);
    }
}

fn border(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let ecr = l.link(i, &a, &["ecr_id"], "Express Connect router", as_router);
    let kind = a.get("child_instance_type").map(|n| l.text(n));
    let to = l.link(i, &a, &["child_instance_id"], "border router", as_border);
    let [cloud, port] = tables(l, &ecr);
    join(l, i, &a, id, port, cloud);
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.router = ecr;
        x.to = Attached::Border(to);
        x.publishes = Fact::Known(true);
    }
    if !matches!(&kind, Some(Fact::Known(k)) if k.eq_ignore_ascii_case("VBR")) {
        let why = "joins something else than a border router to an Express Connect router";
        refuse(l, i, &[id], why);
    }
}

/// 5. The end at the ECR; that at the transit router is written down by others.
fn transit(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let router = l.link(i, &a, &["transit_router_id"], "transit router", as_router);
    let ecr = l.link(i, &a, &["ecr_id"], "Express Connect router", as_router);
    let [cloud, port] = tables(l, &ecr);
    join(l, i, &a, id, cloud, port);
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.router = router;
        x.to = Attached::Peer(ecr);
        x.publishes = Fact::Known(true);
    }
}

/// 6.
fn regions(l: &mut Linker<'_>, i: usize, _: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let Fact::Known(router) = l.typed[id].router else {
        return;
    };
    let elsewhere = l.typed.attachments.iter().any(|a| match &a.to {
        Attached::Peer(Fact::Known(o)) => {
            (a.router == Fact::Known(router) || *o == router) && !l.typed[*o].is_express()
        }
        Attached::Peer(Fact::Unknown(_)) => true,
        _ => false,
    });
    if elsewhere {
        let why = "its transit router is joined to another one, and which routes go on to an Express Connect router is not modelled";
        refuse(l, i, &[id], why);
    }
}

/// 7: whether the prefixes that a site hears of cover some blocks; `None` where nothing is said.
fn covered<'b>(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    blocks: impl Iterator<Item = &'b Fact<IpNet>>,
) -> Option<bool> {
    let node = a.get("allowed_prefixes")?;
    let mut said: Vec<IpNet> = Vec::new();
    let Ok(all) = items(node) else {
        return Some(false);
    };
    if all.is_empty() {
        return None;
    }
    for n in all {
        match l.net(i, "allowed_prefixes", n) {
            Fact::Known(n) => said.push(n),
            Fact::Unknown(_) => return Some(false),
        }
    }
    let mut blocks = blocks;
    Some(blocks.all(|b| b.known().is_some_and(|b| said.iter().any(|n| n.contains(b)))))
}

const PREFIXES: &str = "`allowed_prefixes` leaves out a vSwitch block, and whether the site still sends packets for it is not modelled";

/// The vSwitch blocks of a VPC, or of all that are one.
fn blocks(l: &Linker<'_>, of: Option<VpcId>) -> Vec<Fact<IpNet>> {
    let sites: Vec<VpcId> = l.typed.sites.iter().map(|s| s.vpc).collect();
    let here = |v: &&Vswitch| match (v.vpc.known(), of) {
        (Some(v), Some(of)) => *v == of,
        (Some(v), None) => !sites.contains(v),
        (None, _) => true,
    };
    let mine = l.typed.vswitches.iter().filter(here);
    mine.flat_map(|v| std::iter::once(&v.cidr).chain(v.ipv6_cidr.as_ref()))
        .cloned()
        .collect()
}

/// 7 and 9, when the vSwitches are known.
fn vpc_prefixes(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let vpc = match &l.typed[id].to {
        Attached::Vpc(Fact::Known(v)) => Some(*v),
        _ => None,
    };
    let all = blocks(l, vpc);
    if covered(l, i, &a, all.iter()) == Some(false) {
        refuse(l, i, &[id], PREFIXES);
    }
    let mine = l.typed.vswitches.iter().filter(|v| v.vpc.known() == vpc.as_ref());
    let six = mine.clone().any(|v| v.ipv6_cidr.is_some());
    if let Some(x) = l.typed.attachments.get_mut(id.index()) {
        x.ipv6 = if six {
            Fact::Unknown(Unknown::at(
                "whether an Express Connect router carries IPv6 is not documented",
                a.span,
            ))
        } else {
            Fact::Known(false)
        };
    }
}

/// 5, 7: the same connection from the side of the ECR.
fn other_end(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let ecr = l.link(i, &a, &["ecr_id"], "Express Connect router", as_router);
    let router = l.link(i, &a, &["transit_router_id"], "transit router", as_router);
    let this = |x: &Attachment| {
        ecr.known().is_some()
            && router.known().is_some()
            && x.router == router
            && x.to == Attached::Peer(ecr.clone())
    };
    let all = (0u32..).map(AttachmentId).zip(&l.typed.attachments);
    let ids: Vec<AttachmentId> = all.filter(|(_, x)| this(x)).map(|(id, _)| id).collect();
    if ids.is_empty() {
        l.refused.insert(
            i,
            "no `alicloud_cen_transit_router_ecr_attachment` joins the transit router to it".into(),
        );
        return;
    }
    let all = blocks(l, None);
    if covered(l, i, &a, all.iter()) == Some(false) {
        refuse(l, i, &ids, PREFIXES);
    }
}
