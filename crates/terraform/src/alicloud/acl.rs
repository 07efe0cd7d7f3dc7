//! Network ACLs (ALIBABA.md §6).

use super::attrs::{Attrs, Blocks};
use super::linker::{Entity, Linker, as_vswitch, next};
use super::prefix_list::spec;
use super::security_group::services;
use super::vswitch::{Binding, Bound};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_network_acl",
            attributes: &[
                "id",
                "tags",
                "network_acl_name",
                "name",
                "vpc_id",
                "source_network_acl_id",
                "ingress_acl_entries",
                "ingress_acl_entries.policy",
                "ingress_acl_entries.protocol",
                "ingress_acl_entries.port",
                "ingress_acl_entries.source_cidr_ip",
                "ingress_acl_entries.network_acl_entry_name",
                "egress_acl_entries",
                "egress_acl_entries.policy",
                "egress_acl_entries.protocol",
                "egress_acl_entries.port",
                "egress_acl_entries.destination_cidr_ip",
                "egress_acl_entries.network_acl_entry_name",
                "resources",
                "resources.resource_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, declare),
            (Stage::Fill, fill),
            (Stage::Attach, resources),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_network_acl_entries",
            attributes: &[
                "network_acl_id",
                "ingress",
                "ingress.policy",
                "ingress.protocol",
                "ingress.port",
                "ingress.source_cidr_ip",
                "ingress.name",
                "egress",
                "egress.policy",
                "egress.protocol",
                "egress.port",
                "egress.destination_cidr_ip",
                "egress.name",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, legacy_entries)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_network_acl_attachment",
            attributes: &["network_acl_id", "resources", "resources.resource_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, legacy_attachment)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_network_acl_attachment",
            attributes: &["network_acl_id", "resource_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, attachment)],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["network_acl_name", "name"]);
    let id = AclId(next(l.typed.acls.len()));
    let vpc = Fact::Unknown(Unknown::new("not linked"));
    l.typed.acls.push(NetworkAcl {
        meta,
        vpc,
        ingress: AclList::Unset,
        egress: AclList::Unset,
    });
    l.declare(i, Entity::Acl(id));
}

fn fill(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Acl(id))) = l.entity.get(i).copied() else {
        return;
    };
    let vpc = l.vpc(i, &a);
    let mut ingress = entries(
        l,
        i,
        &a,
        "ingress_acl_entries",
        "source_cidr_ip",
        "network_acl_entry_name",
    );
    let mut egress = entries(
        l,
        i,
        &a,
        "egress_acl_entries",
        "destination_cidr_ip",
        "network_acl_entry_name",
    );
    // The provider copies after it has written what is here, so the copy is in force.
    if let Some(n) = a.get("source_network_acl_id") {
        let u = Unknown::at("its entries are copied from another network ACL", n.span);
        l.unknown(i, "source_network_acl_id", &u);
        for list in [&mut ingress, &mut egress] {
            *list = AclList::Unknown(u.clone());
        }
    }
    if let Some(acl) = l.typed.acls.get_mut(id.index()) {
        acl.vpc = vpc;
        acl.ingress = ingress;
        acl.egress = egress;
    }
}

fn entries(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    blocks: &'static str,
    peer: &'static str,
    name: &'static str,
) -> AclList {
    match a.blocks(blocks) {
        Blocks::Absent => AclList::Unset,
        Blocks::Unknown(u) => {
            l.unknown(i, blocks, &u);
            AclList::Unknown(u)
        }
        Blocks::List(all) => AclList::Entries(
            all.iter()
                .map(|b| AclEntry {
                    origin: l.origin(i, b.span),
                    name: match b.get(name).map(|n| l.text(n)) {
                        Some(Fact::Known(t)) => Some(t),
                        _ => None,
                    },
                    accept: match b.get("policy") {
                        Some(_) => l.either(i, b, "policy", ("accept", "drop"), true),
                        None => Fact::Unknown(l.invalid(
                            i,
                            "policy",
                            b.span,
                            "no policy is set",
                            "write `accept` or `drop`",
                        )),
                    },
                    services: services(l, i, b, "protocol", "port"),
                    peer: match b.get(peer) {
                        Some(n) => spec(l, i, peer, n),
                        None => NetSpec::Net(Fact::Unknown(l.invalid(
                            i,
                            peer,
                            b.span,
                            "no address is set",
                            "write a prefix such as `10.0.0.0/8`",
                        ))),
                    },
                })
                .collect(),
        ),
    }
}

/// Entries in a resource of their own; they may stand beside inline ones only where those are not set (§19.7).
fn legacy_entries(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let ingress = entries(l, i, &a, "ingress", "source_cidr_ip", "name");
    let egress = entries(l, i, &a, "egress", "destination_cidr_ip", "name");
    let maybe = l.origin(i, a.span).maybe.map(|u| *u);
    let put = |old: &mut AclList, new: AclList| {
        if new == AclList::Unset {
            return;
        }
        *old = match (&*old, &maybe) {
            (_, Some(u)) => AclList::Unknown(u.clone()),
            (AclList::Unset, None) => new,
            // A state shows the entries on the ACL as well.
            (AclList::Entries(a), None) if same(a, &new) => return,
            _ => AclList::Unknown(Unknown::at("its entries are written in two places", a.span)),
        };
    };
    match link(l, i, &a) {
        Fact::Known(id) => {
            if let Some(acl) = l.typed.acls.get_mut(id.index()) {
                put(&mut acl.ingress, ingress);
                put(&mut acl.egress, egress);
            }
        }
        Fact::Unknown(u) => {
            for acl in &mut l.typed.acls {
                acl.ingress = AclList::Unknown(u.clone());
                acl.egress = AclList::Unknown(u.clone());
            }
        }
    }
}

/// Whether two lists decide alike, wherever they are written.
fn same(a: &[AclEntry], b: &AclList) -> bool {
    let AclList::Entries(b) = b else { return false };
    let surely = |e: &AclEntry| e.accept.known().is_some() && e.services.known().is_some();
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| surely(a) && (&a.accept, &a.services, &a.peer) == (&b.accept, &b.services, &b.peer))
}

fn link(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Fact<AclId> {
    l.link(i, a, &["network_acl_id"], "network ACL", |e| {
        if let Entity::Acl(x) = e { Some(x) } else { None }
    })
}

fn bind(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, acl: &Fact<AclId>, vsw: Fact<VswitchId>) {
    let vpc = acl
        .known()
        .and_then(|x| l.typed.acls.get(x.index()))
        .and_then(|x| x.vpc.known().copied());
    let maybe = l.origin(i, a.span).maybe.map(|u| *u);
    l.bindings.push(Binding {
        by: (i, "resource_id"),
        span: a.span,
        acl: true,
        vswitch: vsw,
        to: acl.clone().map(Bound::Acl),
        vpc,
        maybe,
    });
}

fn bind_all(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, acl: &Fact<AclId>) {
    match a.blocks("resources") {
        Blocks::Absent => {}
        // A plan shows the set as known only after apply when nothing is configured.
        Blocks::Unknown(u) => {
            l.unknown(i, "resources", &u);
            bind(l, i, a, acl, Fact::Unknown(u));
        }
        Blocks::List(all) => {
            for b in all {
                let vsw = l.vswitch_of(i, &b);
                bind(l, i, a, acl, vsw);
            }
        }
    }
}

impl Linker<'_> {
    fn vswitch_of(&mut self, i: usize, b: &Attrs<'_>) -> Fact<VswitchId> {
        match b.get("resource_id") {
            Some(n) => self.link_node(i, "resource_id", n, "vSwitch", as_vswitch),
            None => Fact::Unknown(Unknown::at("no vSwitch is set", b.span)),
        }
    }
}

fn resources(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(Some(Entity::Acl(id))) = l.entity.get(i).copied() else {
        return;
    };
    bind_all(l, i, &a, &Fact::Known(id));
}

fn legacy_attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let acl = link(l, i, &a);
    bind_all(l, i, &a, &acl);
}

fn attachment(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let acl = link(l, i, &a);
    let vsw = l.vswitch_of(i, &a);
    bind(l, i, &a, &acl, vsw);
}
