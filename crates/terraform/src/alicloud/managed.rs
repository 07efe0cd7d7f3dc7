//! Managed services that follow the pattern of the databases (ALIBABA.md §15.6; docs/decisions/016, item 17).
//!
//! What tells them apart is where each writes the same few things, so there is one table of that and one reader.

use super::attrs::{Attrs, Blocks};
use super::compute::vswitches;
use super::data_service::{also, answers, anybody, bind, by_default, edited, groups, nets, public};
use super::linker::{Entity, Linker, next};
use super::{Handler, Stage, TypeSpec, eni, own};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

/// How a type says that it can be reached from the Internet.
enum Open {
    /// It cannot.
    Never,
    /// By a flag.
    Flag(&'static str),
    /// By a flag, and a part of it by another one, which the cloud decides where it is not set.
    Either(&'static str, &'static str),
    /// By a number above 0.
    Above0(&'static str),
    /// By a word, one of two, or by a number above 0.
    Word(&'static str, [&'static str; 2], &'static str),
}

/// Where a type writes what matters.
struct Shape {
    name: &'static str,
    /// One vSwitch or several.
    vswitches: &'static [&'static str],
    /// Ports; none where no document says so.
    ports: &'static [u16],
    /// Lists of addresses.
    lists: &'static [&'static str],
    /// Blocks that hold a list: the block, the attribute.
    blocks: &'static [(&'static str, &'static str)],
    /// Lists of groups.
    groups: &'static [&'static str],
    /// Lists of groups for another endpoint of the service.
    aside: &'static [&'static str],
    open: Open,
    /// What lets other VPCs in, past their routes.
    bound: Option<&'static str>,
}

const PLAIN: Shape = Shape {
    name: "name",
    vswitches: &["vswitch_id"],
    ports: &[],
    lists: &[],
    blocks: &[],
    groups: &[],
    aside: &[],
    open: Open::Never,
    bound: None,
};

macro_rules! handler {
    ($type:literal, $shape:expr, [$($attribute:literal),* $(,)?]) => {
        Handler {
            spec: TypeSpec { name: $type, attributes: &["id", $($attribute),*] },
            aliases: &[],
            identities: &[own("id")],
            steps: &[
                (Stage::Declare, |l, i, a| declare(l, i, &a, &$shape)),
                (Stage::Fill, |l, i, a| fill(l, i, &a, &$shape)),
            ],
        }
    };
}

pub(super) const HANDLERS: &[Handler] = &[
    handler!(
        "alicloud_gpdb_instance",
        Shape {
            name: "description",
            ports: &[5432],
            lists: &["security_ip_list"],
            blocks: &[("ip_whitelist", "security_ip_list")],
            ..PLAIN
        },
        [
            "tags",
            "description",
            "vswitch_id",
            "security_ip_list",
            "ip_whitelist",
            "ip_whitelist.security_ip_list",
        ]
    ),
    handler!(
        "alicloud_adb_db_cluster",
        Shape {
            name: "description",
            ports: &[3306],
            lists: &["security_ips"],
            ..PLAIN
        },
        ["tags", "description", "vswitch_id", "security_ips"]
    ),
    handler!(
        "alicloud_alikafka_instance",
        Shape {
            vswitches: &["vswitch_ids", "vswitch_id"],
            groups: &["security_group"],
            open: Open::Above0("eip_max"),
            ..PLAIN
        },
        [
            "tags",
            "name",
            "vswitch_ids",
            "vswitch_id",
            "security_group",
            "eip_max"
        ]
    ),
    handler!(
        "alicloud_amqp_instance",
        Shape {
            name: "instance_name",
            vswitches: &["vswitch_ids"],
            groups: &["security_group_id"],
            open: Open::Flag("support_eip"),
            ..PLAIN
        },
        [
            "tags",
            "instance_name",
            "vswitch_ids",
            "security_group_id",
            "support_eip"
        ]
    ),
    handler!(
        "alicloud_mse_cluster",
        Shape {
            name: "cluster_alias_name",
            lists: &["acl_entry_list"],
            open: Open::Word("net_type", ["pubnet", "both"], "pub_network_flow"),
            ..PLAIN
        },
        [
            "tags",
            "cluster_alias_name",
            "vswitch_id",
            "acl_entry_list",
            "net_type",
            "pub_network_flow"
        ]
    ),
    handler!(
        "alicloud_elasticsearch_instance",
        Shape {
            name: "description",
            ports: &[9200, 5601],
            lists: &[
                "private_whitelist",
                "public_whitelist",
                "kibana_whitelist",
                "kibana_private_whitelist"
            ],
            aside: &["kibana_private_security_group_id"],
            open: Open::Either("enable_public", "enable_kibana_public_network"),
            ..PLAIN
        },
        [
            "tags",
            "description",
            "vswitch_id",
            "private_whitelist",
            "public_whitelist",
            "kibana_whitelist",
            "kibana_private_whitelist",
            "kibana_private_security_group_id",
            "enable_public",
            "enable_kibana_public_network",
        ]
    ),
    handler!(
        "alicloud_click_house_db_cluster",
        Shape {
            name: "db_cluster_description",
            blocks: &[("db_cluster_access_white_list", "security_ip_list")],
            open: Open::Flag("allocate_public_connection"),
            ..PLAIN
        },
        [
            "db_cluster_description",
            "vswitch_id",
            "db_cluster_access_white_list",
            "db_cluster_access_white_list.security_ip_list",
            "allocate_public_connection",
        ]
    ),
    handler!(
        "alicloud_click_house_enterprise_db_cluster",
        Shape {
            name: "description",
            ..PLAIN
        },
        ["tags", "description", "vswitch_id"]
    ),
    handler!(
        "alicloud_lindorm_instance",
        Shape {
            name: "instance_name",
            lists: &["ip_white_list"],
            ..PLAIN
        },
        ["tags", "instance_name", "vswitch_id", "ip_white_list"]
    ),
    handler!(
        "alicloud_hbase_instance",
        Shape {
            lists: &["ip_white"],
            groups: &["security_groups"],
            ..PLAIN
        },
        ["tags", "name", "vswitch_id", "ip_white", "security_groups"]
    ),
    handler!(
        "alicloud_mongodb_sharding_instance",
        Shape {
            ports: &[3717],
            lists: &["security_ip_list", "global_security_group_list"],
            groups: &["security_group_id"],
            ..PLAIN
        },
        [
            "tags",
            "name",
            "vswitch_id",
            "security_ip_list",
            "global_security_group_list",
            "security_group_id",
        ]
    ),
    handler!(
        "alicloud_kms_instance",
        Shape {
            name: "instance_name",
            vswitches: &["vswitch_ids"],
            bound: Some("bind_vpcs"),
            ..PLAIN
        },
        ["tags", "instance_name", "vswitch_ids", "bind_vpcs"]
    ),
    handler!(
        "alicloud_drds_instance",
        Shape {
            name: "description",
            ports: &[3306],
            ..PLAIN
        },
        ["description", "vswitch_id"]
    ),
    handler!(
        "alicloud_drds_polardbx_instance",
        Shape {
            name: "primary_db_instance_name",
            ports: &[3306],
            ..PLAIN
        },
        ["primary_db_instance_name", "vswitch_id"]
    ),
    handler!(
        "alicloud_selectdb_db_instance",
        Shape {
            name: "db_instance_description",
            blocks: &[("desired_security_ip_lists", "security_ip_list")],
            open: Open::Flag("enable_public_network"),
            ..PLAIN
        },
        [
            "tags",
            "db_instance_description",
            "vswitch_id",
            "desired_security_ip_lists",
            "desired_security_ip_lists.security_ip_list",
            "enable_public_network",
        ]
    ),
    handler!(
        "alicloud_graph_database_db_instance",
        Shape {
            name: "db_instance_description",
            blocks: &[("db_instance_ip_array", "security_ips")],
            ..PLAIN
        },
        [
            "db_instance_description",
            "vswitch_id",
            "db_instance_ip_array",
            "db_instance_ip_array.security_ips",
        ]
    ),
    handler!(
        "alicloud_rds_clone_db_instance",
        Shape {
            name: "db_instance_description",
            lists: &["security_ips"],
            ..PLAIN
        },
        ["tags", "db_instance_description", "vswitch_id", "security_ips"]
    ),
    handler!(
        "alicloud_rds_upgrade_db_instance",
        Shape {
            name: "db_instance_description",
            lists: &["security_ips"],
            ..PLAIN
        },
        ["db_instance_description", "vswitch_id", "security_ips"]
    ),
    Handler {
        spec: TypeSpec {
            name: "alicloud_gpdb_connection",
            attributes: &["instance_id", "ip_address", "port"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            public(l, i, &a, "instance_id", Some("ip_address"));
            // As with databases: 3306 unless it says otherwise, whatever the port of the instance is.
            if a.get("port").is_none() {
                also(l, i, &a, "instance_id", &ServiceSet::tcp(PortSet::single(3306)));
            }
            answers(l, i, &a, "instance_id", &["port"]);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_adb_connection",
            attributes: &["db_cluster_id", "ip_address"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            public(l, i, &a, "db_cluster_id", Some("ip_address"))
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_lindorm_public_network",
            attributes: &["instance_id", "enable_public_network"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            // The resource turns it off as well as on.
            if l.count(i, &a, "enable_public_network") != Fact::Known(0)
                || a.get("enable_public_network").is_none()
            {
                public(l, i, &a, "instance_id", None);
            }
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_mongodb_sharding_network_public_address",
            attributes: &["db_instance_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| public(l, i, &a, "db_instance_id", None))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_mongodb_replica_set_role",
            attributes: &["db_instance_id", "connection_port"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, role)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_click_house_enterprise_db_cluster_public_endpoint",
            attributes: &["db_instance_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| public(l, i, &a, "db_instance_id", None))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_gpdb_db_instance_ip_array",
            attributes: &["db_instance_id", "security_ip_list", "modify_mode"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            let entries = edited(l, i, &a, "security_ip_list");
            joins(l, i, &a, "db_instance_id", entries);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_click_house_enterprise_db_cluster_security_ip",
            attributes: &["db_instance_id", "security_ip_list"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            let mut entries = Vec::new();
            if let Some(n) = a.get("security_ip_list") {
                nets(l, i, "security_ip_list", n, &mut entries);
            }
            joins(l, i, &a, "db_instance_id", entries);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_alikafka_instance_allowed_ip_attachment",
            attributes: &["instance_id", "allowed_ip", "allowed_type"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            let mut entries = Vec::new();
            let Some(n) = a.get("allowed_ip") else { return };
            nets(l, i, "allowed_ip", n, &mut entries);
            let inside =
                matches!(a.get("allowed_type").map(|t| l.text(t)), Some(Fact::Known(t)) if &*t == "vpc");
            for e in entries.iter_mut().filter(|_| !inside) {
                let other = Unknown::at("this list is for another endpoint of the service", n.span);
                e.origin.doubt(|| other);
            }
            joins(l, i, &a, "instance_id", entries);
        })],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, shape: &Shape) {
    named(l, i, a, shape.name);
}

/// A service that other resources refer to, with its display name in an attribute.
pub(super) fn named(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str) {
    let meta = l.meta(i, a, &[name]);
    let interface = interface(l, &meta);
    let id = push(l, meta, interface);
    l.declare(i, Entity::DataService(id));
}

fn interface(l: &mut Linker<'_>, meta: &Meta) -> InterfaceId {
    let mut x = eni::blank(meta.clone(), None, true);
    x.groups = Fact::Known(Vec::new());
    x.source_dest_check = Fact::Known(Some(true));
    x.addresses = vec![Address {
        spec: AddressSpec::AnyV4(Unknown::at("the cloud picks the address", meta.origin.span)),
        kind: AddressKind::Primary,
        ipv6_internet: Ipv6Internet::None,
    }];
    eni::push(l, x)
}

fn push(l: &mut Linker<'_>, meta: Meta, interface: InterfaceId) -> DataServiceId {
    let id = DataServiceId(next(l.typed.data_services.len()));
    l.typed.data_services.push(DataService {
        meta,
        kind: DataServiceKind::Other,
        interface,
        also: ServiceSet::default(),
        services: Fact::Unknown(Unknown::new("not linked")),
        allow: Vec::new(),
    });
    id
}

/// Who may connect. A list that is not written is not known; one that counts for another endpoint of the service
/// than the private one may count and cannot be relied on.
fn allowed(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, shape: &Shape) -> Vec<AllowEntry> {
    let mut allow = Vec::new();
    let mut written = false;
    for (n, &list) in shape.lists.iter().enumerate() {
        let Some(node) = a.get(list) else { continue };
        let from = allow.len();
        nets(l, i, list, node, &mut allow);
        written |= n == 0;
        for e in allow.iter_mut().skip(from).filter(|_| n > 0) {
            let other = Unknown::at("this list is for another endpoint of the service", node.span);
            e.origin.doubt(|| other);
        }
    }
    for &(block, list) in shape.blocks {
        match a.blocks(block) {
            Blocks::Absent => {}
            Blocks::Unknown(u) => {
                written = true;
                anybody(l, i, block, a.span, u, &mut allow);
            }
            Blocks::List(all) => {
                for b in all {
                    if let Some(node) = b.get(list) {
                        written = true;
                        nets(l, i, block, node, &mut allow);
                    }
                }
            }
        }
    }
    for &list in shape.groups {
        if let Some(node) = a.get(list) {
            groups(l, i, list, node, &mut allow);
        }
    }
    for &list in shape.aside {
        let Some(node) = a.get(list) else { continue };
        let from = allow.len();
        groups(l, i, list, node, &mut allow);
        for e in allow.iter_mut().skip(from) {
            let other = Unknown::at("this list is for another endpoint of the service", node.span);
            e.origin.doubt(|| other);
        }
    }
    if !written {
        let list = shape.lists.first().copied().unwrap_or("id");
        by_default(l, i, a, list, &mut allow);
    }
    allow
}

fn fill(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, shape: &Shape) {
    let Some(Some(Entity::DataService(id))) = l.entity.get(i).copied() else {
        return;
    };
    let services = if shape.ports.is_empty() {
        Fact::Unknown(Unknown::at("the ports of this service are not known", a.span))
    } else {
        Fact::Known(ServiceSet::tcp(PortSet::from_ranges(
            shape.ports.iter().map(|&p| (p, p)),
        )))
    };
    let allow = allowed(l, i, a, shape);
    let open = match shape.open {
        Open::Never => Fact::Known(false),
        Open::Flag(name) => l.flag(i, a, name, false),
        Open::Either(name, other) => match (l.flag(i, a, name, false), a.get(other)) {
            (Fact::Known(true), _) => Fact::Known(true),
            (open, Some(n)) if matches!(l.text(n), Fact::Known(t) if &*t == "false") => open,
            (_, n) => {
                let why = format!("`{other}` may open a part of it");
                Fact::Unknown(Unknown::at(why, n.map_or(a.span, |n| n.span)))
            }
        },
        Open::Above0(name) => l.count(i, a, name).map(|n| n > 0),
        Open::Word(name, words, flow) => match a.get(name).map(|n| l.text(n)) {
            Some(Fact::Known(t)) if words.iter().any(|w| t.eq_ignore_ascii_case(w)) => Fact::Known(true),
            Some(Fact::Known(_)) if a.get(flow).is_some() => l.count(i, a, flow).map(|n| n > 0),
            Some(Fact::Known(_)) => Fact::Known(false),
            Some(Fact::Unknown(u)) => {
                l.unknown(i, name, &u);
                Fact::Unknown(u)
            }
            None => Fact::Known(false),
        },
    };
    if let Some(name) = shape.bound.filter(|n| a.get(n).is_some()) {
        let why = format!("other VPCs are bound to it (`{name}`), and how they reach it is not modelled");
        l.refused.insert(i, why);
    }
    let at = vswitches(l, i, a, shape.vswitches);
    put(l, i, a, id, (&services, &allow, &open), &at);
}

/// Puts a service where it answers.
pub(super) fn put(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    id: DataServiceId,
    (services, allow, open): (&Fact<ServiceSet>, &[AllowEntry], &Fact<bool>),
    at: &[Fact<VswitchId>],
) {
    let meta = l.typed[id].meta.clone();
    // One for each vSwitch: which of them a client is in decides which ACLs it passes.
    for (n, vswitch) in at.iter().enumerate() {
        let d = if n == 0 {
            id
        } else {
            let x = interface(l, &meta);
            push(l, meta.clone(), x)
        };
        let x = l.typed[d].interface;
        if let Some(x) = l.typed.interfaces.get_mut(x.index()) {
            x.vswitch = vswitch.clone();
        }
        if let Some(d) = l.typed.data_services.get_mut(d.index()) {
            d.services = services.clone();
            d.allow = allow.to_vec();
        }
        match open {
            Fact::Known(false) => {}
            Fact::Known(true) => bind(l, i, a, d, None, None),
            Fact::Unknown(u) => bind(l, i, a, d, None, Some(u.clone())),
        }
    }
}

/// A list that is a resource of its own, for the service in all of its vSwitches.
fn joins(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, of: &'static str, entries: Vec<AllowEntry>) {
    let service = l.link(i, a, &[of], "data service", |e| {
        if let Entity::DataService(d) = e {
            Some(d)
        } else {
            None
        }
    });
    let Fact::Known(d) = service else {
        let why = "the service that this list is for is not known";
        l.refused.insert(i, why.into());
        return;
    };
    let address = l.typed[d].meta.origin.address.clone();
    for d in &mut l.typed.data_services {
        if d.meta.origin.address == address {
            d.allow.extend(entries.iter().cloned());
        }
    }
}

/// The port of a node of MongoDB is changed: then it is not certain which of the nodes answers on which.
fn role(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(n) = a.get("connection_port") else { return };
    let port = l.parsed(i, "connection_port", n, "write a port", |s| {
        s.parse::<u16>().map_err(|_| format!("`{s}` is not a port"))
    });
    let more = match port {
        Fact::Known(p) => ServiceSet::tcp(PortSet::single(p)),
        Fact::Unknown(_) => ServiceSet::tcp(PortSet::full()),
    };
    let of = l.link(i, &a, &["db_instance_id"], "data service", |e| {
        if let Entity::DataService(d) = e {
            Some(d)
        } else {
            None
        }
    });
    // A service in several vSwitches is several here.
    let address = of.known().map(|d| l.typed[*d].meta.origin.address.clone());
    for d in &mut l.typed.data_services {
        let meant = match &address {
            Some(a) => *a == d.meta.origin.address,
            None => d.kind == DataServiceKind::Mongodb,
        };
        if let (true, Fact::Known(old)) = (meant, &d.services)
            && *old != more
        {
            d.also = d.also.union(old).union(&more);
            d.services = Fact::Known(ServiceSet::default());
        }
    }
}
