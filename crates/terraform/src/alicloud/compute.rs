//! Compute that makes its own interfaces: scaling groups, container groups, functions, and what clusters share with
//! them (ALIBABA.md §14, §19 item 13; docs/decisions/016, items 11 to 14).
//!
//! How many there will be and which addresses they get is decided later. Two interfaces in each vSwitch, at any
//! address of it, stand for all of them: what any two do to each other, these two do.

use super::attrs::{Attrs, Blocks, items};
use super::balancer::{self, Pool};
use super::linker::{Entity, Found, Linker, as_vswitch, next};
use super::{Handler, Stage, TypeSpec, eni, own};
use bartizan_model::*;
use std::sync::Arc;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_ecs_launch_template",
            attributes: &[
                "id",
                "security_group_id",
                "security_group_ids",
                "internet_max_bandwidth_out",
            ],
        },
        aliases: &["alicloud_launch_template"],
        identities: &[own("id")],
        steps: &[(Stage::Declare, template), (Stage::Own, fill_template)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ess_scaling_group",
            attributes: &[
                "id",
                "tags",
                "scaling_group_name",
                "vswitch_ids",
                "vswitch_id",
                "launch_template_id",
                "loadbalancer_ids",
                "db_instance_ids",
                "alb_server_group",
                "alb_server_group.alb_server_group_id",
                "alb_server_group.port",
                "alb_server_group.weight",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, scaling_group),
            (Stage::Own, |l, i, a| {
                let at = vswitches(l, i, &a, &["vswitch_ids", "vswitch_id"]);
                if let Some(p) = this(l, i) {
                    p.vswitches = at;
                }
                if a.get("db_instance_ids").is_some() {
                    let why = "it adds its members to the allow lists of databases (`db_instance_ids`)";
                    l.refused.insert(i, why.into());
                }
            }),
            (Stage::Attach, from_template),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ess_scaling_configuration",
            attributes: &[
                "id",
                "tags",
                "instance_name",
                "scaling_configuration_name",
                "scaling_group_id",
                "security_group_id",
                "security_group_ids",
                "internet_max_bandwidth_out",
                "network_interfaces",
                "network_interfaces.ipv6_address_count",
                "network_interfaces.instance_type",
                "network_interfaces.security_group_ids",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, configuration)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ess_eci_scaling_configuration",
            attributes: &["scaling_group_id", "security_group_id", "auto_create_eip"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, container_configuration)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ess_attachment",
            attributes: &["scaling_group_id", "instance_ids"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, more)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ess_alb_server_group_attachment",
            attributes: &["scaling_group_id", "alb_server_group_id", "port", "weight"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, |l, i, a| {
            let pool = l.link(i, &a, &["scaling_group_id"], "scaling group", as_pool);
            balancer::serve(l, i, &a, "alb_server_group_id", "port", pool);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ess_server_group_attachment",
            attributes: &["scaling_group_id", "server_group_id", "port", "weight"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, |l, i, a| {
            let pool = l.link(i, &a, &["scaling_group_id"], "scaling group", as_pool);
            balancer::serve(l, i, &a, "server_group_id", "port", pool);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ess_scalinggroup_vserver_groups",
            attributes: &[
                "scaling_group_id",
                "vserver_groups",
                "vserver_groups.vserver_attributes.vserver_group_id",
                "vserver_groups.vserver_attributes.port",
                "vserver_groups.vserver_attributes.weight",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, |l, i, a| {
            let pool = l.link(i, &a, &["scaling_group_id"], "scaling group", as_pool);
            if let Some(n) = a.get("vserver_groups") {
                balancer::serve_each(l, i, n, "vserver_attributes", &pool);
            }
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_eci_container_group",
            attributes: &[
                "id",
                "tags",
                "container_group_name",
                "vswitch_id",
                "security_group_id",
                "intranet_ip",
                "internet_ip",
                "auto_create_eip",
                "eip_instance_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Fill, container_group)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_fcv3_function",
            attributes: &[
                "id",
                "tags",
                "function_name",
                "internet_access",
                "vpc_config",
                "vpc_config.vswitch_ids",
                "vpc_config.security_group_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, |l, i, a| function(l, i, &a, "function_name"))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_fc_service",
            attributes: &[
                "id",
                "tags",
                "name",
                "internet_access",
                "vpc_config",
                "vpc_config.vswitch_ids",
                "vpc_config.security_group_id",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Fill, |l, i, a| function(l, i, &a, "name"))],
    },
];

/// Groups of an interface: those of the inventory, and those outside of it.
pub(super) type Groups = (Fact<Vec<SecurityGroupId>>, Vec<Arc<str>>);

/// What a launch template says of instances.
pub(super) struct Template {
    groups: Option<Groups>,
    bandwidth: Fact<u32>,
}

fn as_pool(e: Entity) -> Option<usize> {
    if let Entity::Pool(n) = e {
        Some(n as usize)
    } else {
        None
    }
}
fn as_template(e: Entity) -> Option<usize> {
    if let Entity::Template(n) = e {
        Some(n as usize)
    } else {
        None
    }
}

fn this<'l>(l: &'l mut Linker<'_>, i: usize) -> Option<&'l mut Pool> {
    let n = l.entity.get(i).copied().flatten().and_then(as_pool)?;
    l.balancers.pools.get_mut(n)
}

/// Every vSwitch that a list names, of whichever it may be.
pub(super) fn vswitches(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    names: &[&'static str],
) -> Vec<Fact<VswitchId>> {
    let Some((name, node)) = a.first(names) else {
        let u = Unknown::at("no vSwitch is set", a.span);
        l.unknown(i, names.first().copied().unwrap_or("vswitch_ids"), &u);
        return vec![Fact::Unknown(u)];
    };
    let all = match items(node) {
        Ok(all) => all,
        Err(u) => {
            l.unknown(i, name, &u);
            return vec![Fact::Unknown(u)];
        }
    };
    let mut out = Vec::new();
    for n in all {
        match &n.value {
            // A container group takes several as one text.
            Value::String(s) if s.contains(',') => {
                for part in s.split(',').map(str::trim).filter(|p| !p.is_empty()) {
                    let one = Node {
                        value: Value::String(part.into()),
                        span: n.span,
                    };
                    out.push(l.link_node(i, name, &one, "vSwitch", as_vswitch));
                }
            }
            _ => out.push(l.link_node(i, name, n, "vSwitch", as_vswitch)),
        }
    }
    out.dedup();
    out
}

/// An interface at any address of a vSwitch.
pub(super) fn anywhere(
    l: &mut Linker<'_>,
    meta: &Meta,
    instance: Option<InstanceId>,
    vswitch: &Fact<VswitchId>,
    (groups, foreign): &Groups,
) -> InterfaceId {
    let mut x = eni::blank(meta.clone(), instance, true);
    x.vswitch = vswitch.clone();
    x.groups = groups.clone();
    x.foreign_groups.clone_from(foreign);
    x.source_dest_check = Fact::Known(Some(true));
    x.addresses = vec![Address {
        spec: AddressSpec::AnyV4(Unknown::at("the cloud picks the address", meta.origin.span)),
        kind: AddressKind::Primary,
        ipv6_internet: Ipv6Internet::None,
    }];
    eni::push(l, x)
}

/// A public address that the cloud picks.
pub(super) fn public(l: &mut Linker<'_>, x: InterfaceId, mut origin: Origin, given: &Fact<bool>) {
    match given {
        Fact::Known(false) => return,
        Fact::Known(true) => {}
        Fact::Unknown(u) => origin.maybe = Some(Box::new(u.clone())),
    }
    let ip = Fact::Unknown(Unknown::at("the cloud picks the address", origin.span));
    if let Some(x) = l.typed.interfaces.get_mut(x.index()) {
        x.public.push(PublicAddress {
            origin,
            ip,
            eip: None,
            kind: PublicKind::StaticIp,
            private: 0,
        });
    }
}

/// Two instances in each vSwitch, for any number of them. `own` is what the instances are called themselves.
pub(super) fn instances(
    l: &mut Linker<'_>,
    meta: &Meta,
    own: &Meta,
    at: &[Fact<VswitchId>],
    groups: &Groups,
    given: &(Origin, Fact<bool>),
) -> Vec<InterfaceId> {
    let mut out = Vec::new();
    for v in at.iter().flat_map(|v| [v, v]) {
        let n = InstanceId(next(l.typed.instances.len()));
        l.typed.instances.push(Instance { meta: own.clone() });
        let x = anywhere(l, meta, Some(n), v, groups);
        l.primary.push(Some(x));
        public(l, x, given.0.clone(), &given.1);
        out.push(x);
    }
    out
}

/// Groups by one of several spellings; one text or a list.
pub(super) fn groups(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, names: &[&'static str]) -> Option<Groups> {
    a.first(names)?;
    Some(eni::groups(l, i, a, names))
}

fn bandwidth(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> (Origin, Fact<bool>) {
    let at = a.get("internet_max_bandwidth_out").map_or(a.span, |n| n.span);
    let some = l.count(i, a, "internet_max_bandwidth_out").map(|n| n > 0);
    (l.origin(i, at), some)
}

fn template(l: &mut Linker<'_>, i: usize, _: Attrs<'_>) {
    let n = next(l.templates.len());
    l.templates.push(Template {
        groups: None,
        bandwidth: Fact::Known(0),
    });
    l.declare(i, Entity::Template(n));
}

fn fill_template(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let groups = groups(l, i, &a, &["security_group_ids", "security_group_id"]);
    let bandwidth = l.count(i, &a, "internet_max_bandwidth_out");
    let this = l.entity.get(i).copied().flatten().and_then(as_template);
    if let Some(t) = this.and_then(|n| l.templates.get_mut(n)) {
        t.groups = groups;
        t.bandwidth = bandwidth;
    }
}

fn scaling_group(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["scaling_group_name"]);
    let n = next(l.balancers.pools.len());
    l.balancers.pools.push(Pool {
        meta,
        vswitches: Vec::new(),
        members: Vec::new(),
        more: None,
    });
    l.declare(i, Entity::Pool(n));
}

/// The scaling groups that a configuration may be one of.
fn pools(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) -> Vec<usize> {
    match l.link(i, a, &["scaling_group_id"], "scaling group", as_pool) {
        Fact::Known(n) => vec![n],
        Fact::Unknown(_) => {
            let why = "the scaling group that this is for is not known";
            l.refused.insert(i, why.into());
            Vec::new()
        }
    }
}

fn configuration(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let mut open = None;
    let cards = match a.blocks("network_interfaces") {
        Blocks::Absent => Vec::new(),
        Blocks::Unknown(u) => {
            l.unknown(i, "network_interfaces", &u);
            open = Some(u);
            let why = "what interfaces its members have is not known (`network_interfaces`)";
            l.refused.insert(i, why.into());
            Vec::new()
        }
        Blocks::List(all) => all,
    };
    if cards
        .iter()
        .any(|b| l.count(i, b, "ipv6_address_count") != Fact::Known(0))
    {
        let why = "members with IPv6 addresses (`network_interfaces.ipv6_address_count`) are not modelled";
        l.refused.insert(i, why.into());
    }
    let own = l.meta(i, &a, &["instance_name", "scaling_configuration_name"]);
    let mut first = groups(l, i, &a, &["security_group_ids", "security_group_id"]);
    // Groups of interfaces that are written one by one: the first interface, and more.
    let mut more: Vec<Groups> = Vec::new();
    for b in &cards {
        let Some(g) = groups(l, i, b, &["security_group_ids"]) else {
            continue;
        };
        let kind = b.get("instance_type").map(|n| l.text(n));
        match kind {
            Some(Fact::Known(k)) if k.eq_ignore_ascii_case("primary") => first = Some(g),
            _ => more.push(g),
        }
    }
    // The groups of the first interface may be written there.
    if let Some(u) = open {
        first = Some((Fact::Unknown(u), Vec::new()));
    }
    let groups = first.unwrap_or_else(|| {
        (
            Fact::Unknown(Unknown::at("no security group is set", a.span)),
            Vec::new(),
        )
    });
    let given = bandwidth(l, i, &a);
    for n in pools(l, i, &a) {
        let Some((meta, at)) = l
            .balancers
            .pools
            .get(n)
            .map(|p| (p.meta.clone(), p.vswitches.clone()))
        else {
            continue;
        };
        let made = instances(l, &meta, &own, &at, &groups, &given);
        for g in &more {
            for (v, x) in at.iter().flat_map(|v| [v, v]).zip(&made) {
                let instance = l.typed[*x].instance;
                let card = anywhere(l, &meta, instance, v, g);
                if let Some(c) = l.typed.interfaces.get_mut(card.index()) {
                    c.primary = false;
                }
            }
        }
        if let Some(p) = l.balancers.pools.get_mut(n) {
            p.members.extend(made);
        }
    }
}

fn container_configuration(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let groups = groups(l, i, &a, &["security_group_id"]).unwrap_or_else(|| {
        (
            Fact::Unknown(Unknown::at("no security group is set", a.span)),
            Vec::new(),
        )
    });
    let given = l.flag(i, &a, "auto_create_eip", false);
    let origin = l.origin(i, a.span);
    for n in pools(l, i, &a) {
        let Some((meta, at)) = l
            .balancers
            .pools
            .get(n)
            .map(|p| (p.meta.clone(), p.vswitches.clone()))
        else {
            continue;
        };
        for v in at.iter().flat_map(|v| [v, v]) {
            let x = anywhere(l, &meta, None, v, &groups);
            public(l, x, origin.clone(), &given);
            if let Some(p) = l.balancers.pools.get_mut(n) {
                p.members.push(x);
            }
        }
    }
}

/// Instances that are there already and join the group: for balancers they are servers like the others.
fn more(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let mut found = Vec::new();
    let mut more = None;
    if let Some(node) = a.get("instance_ids") {
        match items(node) {
            Ok(all) => {
                for n in all {
                    match l.find(n) {
                        Found::Entity(e) => found.extend(l.interface_of(e)),
                        Found::Foreign(id) => {
                            l.dangling(i, "instance_ids", &id, n.span, "instance");
                            more = Some(Unknown::at(format!("`{id}` is not in the inventory"), n.span));
                        }
                        Found::Unknown(u) => {
                            l.unknown(i, "instance_ids", &u);
                            more = Some(u);
                        }
                        Found::Unset | Found::Resource(_) => {}
                    }
                }
            }
            Err(u) => {
                l.unknown(i, "instance_ids", &u);
                more = Some(u);
            }
        }
    }
    for n in pools(l, i, &a) {
        if let Some(p) = l.balancers.pools.get_mut(n) {
            p.members.extend(&found);
            p.more = p.more.take().or_else(|| more.clone());
        }
    }
}

/// A group with a launch template makes its instances from that; then the servers it gives to balancers.
fn from_template(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    if let Some(n) = a.get("launch_template_id") {
        let found = l.link_node(i, "launch_template_id", n, "launch template", as_template);
        let (groups, given) = match &found {
            Fact::Known(t) => match l.templates.get(*t) {
                Some(t) => (t.groups.clone(), t.bandwidth.clone().map(|n| n > 0)),
                None => (None, Fact::Known(false)),
            },
            Fact::Unknown(u) => (
                Some((Fact::Unknown(u.clone()), Vec::new())),
                Fact::Unknown(u.clone()),
            ),
        };
        let groups = groups.unwrap_or_else(|| {
            (
                Fact::Unknown(Unknown::at("no security group is set", n.span)),
                Vec::new(),
            )
        });
        let origin = l.origin(i, n.span);
        if let Some((meta, at)) = this(l, i).map(|p| (p.meta.clone(), p.vswitches.clone())) {
            let made = instances(l, &meta, &meta, &at, &groups, &(origin, given));
            if let Some(p) = this(l, i) {
                p.members.extend(made);
            }
        }
    }
    let Some(pool) = l.entity.get(i).copied().flatten().and_then(as_pool) else {
        return;
    };
    balancer::serve_own(l, i, &a, "loadbalancer_ids", pool);
    match a.blocks("alb_server_group") {
        Blocks::Absent => {}
        Blocks::Unknown(u) => balancer::loose_pool(l, i, &a, "alb_server_group", pool, u),
        Blocks::List(all) => {
            for b in all {
                balancer::serve(l, i, &b, "alb_server_group_id", "port", Fact::Known(pool));
            }
        }
    }
}

fn container_group(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["container_group_name"]);
    let groups = groups(l, i, &a, &["security_group_id"]).unwrap_or_else(|| {
        (
            Fact::Unknown(Unknown::at("no security group is set", a.span)),
            Vec::new(),
        )
    });
    let given = l.flag(i, &a, "auto_create_eip", false);
    let origin = l.origin(i, a.span);
    for v in vswitches(l, i, &a, &["vswitch_id"]) {
        let x = anywhere(l, &meta, None, &v, &groups);
        if a.get("intranet_ip").is_some() {
            let address = eni::primary(l, i, &a, &["intranet_ip"]);
            if let Some(x) = l.typed.interfaces.get_mut(x.index()) {
                x.addresses = vec![address];
            }
        }
        public(l, x, origin.clone(), &given);
        if let Some(n) = a.get("eip_instance_id") {
            let eip = match l.find(n) {
                Found::Entity(Entity::Eip(e)) => Some(e),
                _ => None,
            };
            if let Some(e) = eip.and_then(|e| l.typed.eips.get_mut(e.index())) {
                e.bound.push(EipTarget::Interface(x));
            }
            let ip = match eip {
                Some(e) => l.typed[e].ip.clone(),
                None => Fact::Unknown(Unknown::at("the address is not known", n.span)),
            };
            let origin = l.origin(i, n.span);
            if let Some(x) = l.typed.interfaces.get_mut(x.index()) {
                x.public.push(PublicAddress {
                    origin,
                    ip,
                    eip,
                    kind: PublicKind::Eip,
                    private: 0,
                });
            }
        }
    }
}

/// A function is in a VPC by interfaces of its own; by itself it reaches the Internet without the VPC, unless that is
/// turned off.
fn function(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str) {
    let blocks = match a.blocks("vpc_config") {
        Blocks::Absent => return,
        Blocks::Unknown(u) => {
            l.unknown(i, "vpc_config", &u);
            l.refused.insert(i, "a function that may reach into a VPC".into());
            return;
        }
        Blocks::List(all) => all,
    };
    if l.flag(i, a, "internet_access", true) != Fact::Known(false) {
        l.refused.insert(
            i,
            "a function in a VPC with a way of its own to the Internet (`internet_access`)".into(),
        );
    }
    let meta = l.meta(i, a, &[name]);
    for b in blocks {
        let groups = groups(l, i, &b, &["security_group_id"]).unwrap_or_else(|| {
            (
                Fact::Unknown(Unknown::at("no security group is set", b.span)),
                Vec::new(),
            )
        });
        for v in vswitches(l, i, &b, &["vswitch_ids"]) {
            anywhere(l, &meta, None, &v, &groups);
            anywhere(l, &meta, None, &v, &groups);
        }
    }
}
