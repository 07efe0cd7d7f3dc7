//! Managed data services and their allow lists (ALIBABA.md §15).

use super::attrs::{Attrs, Blocks, items};
use super::linker::{Entity, Linker, as_group, next};
use super::{Handler, Identity, Role, Stage, TypeSpec, eni, own, parse};
use bartizan_base::Span;
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

const ADDRESS: Identity = Identity {
    attribute: "private_ip_address",
    role: Role::Own,
    literal: false,
};

const fn polardb_endpoint(name: &'static str) -> Handler {
    Handler {
        spec: TypeSpec {
            name,
            attributes: &["db_cluster_id", "net_type", "port"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            endpoint(l, i, a);
            answers(l, i, &a, "db_cluster_id", &["port"]);
        })],
    }
}

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_db_instance",
            attributes: &[
                "id",
                "tags",
                "instance_name",
                "engine",
                "port",
                "vswitch_id",
                "private_ip_address",
                "security_ip_mode",
                "security_ips",
                "security_group_id",
                "security_group_ids",
                "template_id_list",
                "modify_mode",
                "babelfish_port",
                "babelfish_config",
                "babelfish_config.babelfish_enabled",
                "pg_bouncer_enabled",
            ],
        },
        aliases: &[],
        identities: &[own("id"), ADDRESS],
        steps: &[
            (Stage::Declare, |l, i, a| {
                declare(l, i, &a, DataServiceKind::Rds, "instance_name")
            }),
            (Stage::Fill, rds),
        ],
    },
    // A copy of an instance from its backups in another region.
    Handler {
        spec: TypeSpec {
            name: "alicloud_rds_ddr_instance",
            attributes: &[
                "id",
                "tags",
                "instance_name",
                "engine",
                "port",
                "vswitch_id",
                "private_ip_address",
                "security_ip_mode",
                "security_ips",
                "security_group_ids",
                "modify_mode",
            ],
        },
        aliases: &[],
        identities: &[own("id"), ADDRESS],
        steps: &[
            (Stage::Declare, |l, i, a| {
                declare(l, i, &a, DataServiceKind::Rds, "instance_name")
            }),
            (Stage::Fill, copy),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_db_readonly_instance",
            attributes: &[
                "id",
                "tags",
                "instance_name",
                "master_db_instance_id",
                "vswitch_id",
                "security_ips",
                "modify_mode",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| {
                declare(l, i, &a, DataServiceKind::Rds, "instance_name")
            }),
            (Stage::Attach, replica),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_db_connection",
            attributes: &["instance_id", "ip_address", "port", "babelfish_port"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            public(l, i, &a, "instance_id", Some("ip_address"));
            // Appendix A7: 3306 unless it says otherwise, whatever the port of the instance is.
            if a.get("port").is_none() {
                also(l, i, &a, "instance_id", &tcp(3306));
            }
            answers(l, i, &a, "instance_id", &["port", "babelfish_port"]);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_kvstore_instance",
            attributes: &[
                "id",
                "tags",
                "db_instance_name",
                "instance_name",
                "instance_type",
                "port",
                "private_connection_port",
                "private_ip",
                "vswitch_id",
                "security_ips",
                "security_group_id",
                "enable_public",
                "modify_mode",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| {
                declare(l, i, &a, DataServiceKind::Redis, "db_instance_name")
            }),
            (Stage::Fill, kvstore),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_kvstore_connection",
            attributes: &["instance_id", "port"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            public(l, i, &a, "instance_id", None);
            answers(l, i, &a, "instance_id", &["port"]);
        })],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_redis_tair_instance",
            attributes: &[
                "id",
                "tags",
                "tair_instance_name",
                "port",
                "vswitch_id",
                "security_ips",
                "security_group_id",
                "modify_mode",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| {
                declare(l, i, &a, DataServiceKind::Redis, "tair_instance_name")
            }),
            (Stage::Fill, tair),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_polardb_cluster",
            attributes: &[
                "id",
                "tags",
                "description",
                "db_type",
                "vswitch_id",
                "security_ips",
                "security_group_ids",
                "global_security_group_list",
                "db_cluster_ip_array",
                "db_cluster_ip_array.db_cluster_ip_array_name",
                "db_cluster_ip_array.security_ips",
                "db_cluster_ip_array.modify_mode",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| {
                declare(l, i, &a, DataServiceKind::Polardb, "description")
            }),
            (Stage::Fill, polardb),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_polardb_endpoint_address",
            attributes: &["db_cluster_id", "ip_address", "port"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| {
            public(l, i, &a, "db_cluster_id", Some("ip_address"));
            answers(l, i, &a, "db_cluster_id", &["port"]);
        })],
    },
    polardb_endpoint("alicloud_polardb_endpoint"),
    // The endpoints that every cluster has, of which these change the port.
    polardb_endpoint("alicloud_polardb_primary_endpoint"),
    polardb_endpoint("alicloud_polardb_cluster_endpoint"),
    Handler {
        spec: TypeSpec {
            name: "alicloud_mongodb_instance",
            attributes: &[
                "id",
                "tags",
                "name",
                "vswitch_id",
                "security_ip_list",
                "security_group_id",
                "global_security_group_list",
                "security_ip_groups",
                "security_ip_groups.security_ip_list",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| {
                declare(l, i, &a, DataServiceKind::Mongodb, "name")
            }),
            (Stage::Fill, mongodb),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_mongodb_public_network_address",
            attributes: &["db_instance_id"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Attach, |l, i, a| public(l, i, &a, "db_instance_id", None))],
    },
];

fn unlinked() -> Unknown {
    Unknown::new("not linked")
}

fn declare(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, kind: DataServiceKind, name: &'static str) {
    let meta = l.meta(i, a, &[name]);
    let mut interface = eni::blank(meta.clone(), None, true);
    interface.groups = Fact::Known(Vec::new());
    interface.source_dest_check = Fact::Known(Some(true));
    let interface = eni::push(l, interface);
    let id = DataServiceId(next(l.typed.data_services.len()));
    l.typed.data_services.push(DataService {
        meta,
        kind,
        interface,
        also: ServiceSet::default(),
        services: Fact::Unknown(unlinked()),
        allow: Vec::new(),
    });
    l.declare(i, Entity::DataService(id));
}

/// The service that a resource is.
pub(super) fn this(l: &Linker<'_>, i: usize) -> Option<DataServiceId> {
    match l.entity.get(i).copied() {
        Some(Some(Entity::DataService(id))) => Some(id),
        _ => None,
    }
}

/// Where it answers, and on what.
fn place(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, address: &[&'static str], services: Fact<ServiceSet>) {
    let Some(id) = this(l, i) else { return };
    let vswitch = l.vswitch(i, a, &["vswitch_id"]);
    let address = eni::primary(l, i, a, address);
    let Some(d) = l.typed.data_services.get_mut(id.index()) else {
        return;
    };
    d.services = services;
    if let Some(x) = l.typed.interfaces.get_mut(d.interface.index()) {
        x.vswitch = vswitch;
        x.addresses = vec![address];
    }
}

fn tcp(port: u16) -> ServiceSet {
    ServiceSet::tcp(PortSet::single(port))
}

/// The port that is set, or the usual one of the product (§15.4).
fn port(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    names: &[&'static str],
    usual: Fact<u16>,
) -> Fact<ServiceSet> {
    match a.first(names) {
        None => usual.map(tcp),
        Some((name, n)) => l
            .parsed(i, name, n, "write a port", |s| {
                s.parse::<u16>().map_err(|_| format!("`{s}` is not a port"))
            })
            .map(tcp),
    }
}

/// Addresses of an allow list: a set of texts, each of which may hold several.
pub(super) fn nets(l: &mut Linker<'_>, i: usize, name: &'static str, node: &Node, out: &mut Vec<AllowEntry>) {
    let origin = l.origin(i, node.span);
    let all = match items(node) {
        Ok(all) => all,
        Err(u) => {
            l.unknown(i, name, &u);
            let peer = AllowPeer::Unknown(u);
            return out.push(AllowEntry { origin, peer });
        }
    };
    for n in all {
        let origin = l.origin(i, n.span);
        let text = match l.text(n) {
            Fact::Known(t) => t,
            Fact::Unknown(u) => {
                l.unknown(i, name, &u);
                let peer = AllowPeer::Unknown(u);
                out.push(AllowEntry { origin, peer });
                continue;
            }
        };
        for part in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            // A percent sign alone is how the console writes everybody.
            let net = if part == "%" { "0.0.0.0/0" } else { part };
            let peer = match parse::net(net) {
                Ok(n) => AllowPeer::Net(n.trunc()),
                Err(why) => {
                    let help = "write an address or a prefix";
                    AllowPeer::Unknown(l.invalid(i, name, n.span, &why, help))
                }
            };
            let origin = origin.clone();
            out.push(AllowEntry { origin, peer });
        }
    }
}

/// Groups whose members may connect (§15.1).
pub(super) fn groups(
    l: &mut Linker<'_>,
    i: usize,
    name: &'static str,
    node: &Node,
    out: &mut Vec<AllowEntry>,
) {
    let origin = l.origin(i, node.span);
    let split: Vec<Node>;
    // Redis takes several as one text.
    let node = match &node.value {
        Value::String(s) if s.contains(',') => {
            split = s
                .split(',')
                .map(|p| Node {
                    value: Value::String(p.trim().into()),
                    span: node.span,
                })
                .collect();
            &Node {
                value: Value::List(split),
                span: node.span,
            }
        }
        _ => node,
    };
    let entry = |peer| AllowEntry {
        origin: origin.clone(),
        peer,
    };
    match l.links(i, name, node, "security group", as_group) {
        Ok((known, foreign)) => {
            out.extend(known.into_iter().map(|g| entry(AllowPeer::Group(g))));
            out.extend(foreign.into_iter().map(|f| entry(AllowPeer::ForeignGroup(f))));
        }
        Err(u) => out.push(entry(AllowPeer::Unknown(u))),
    }
}

fn set(l: &mut Linker<'_>, i: usize, allow: Vec<AllowEntry>) {
    if let Some(d) = this(l, i).and_then(|id| l.typed.data_services.get_mut(id.index())) {
        d.allow = allow;
    }
}

/// What a list holds that is not set, where no document says so.
pub(super) fn by_default(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    name: &'static str,
    out: &mut Vec<AllowEntry>,
) {
    let u = Unknown::at(
        "no allow list is set, and what the cloud puts there is not documented",
        a.span,
    );
    l.unknown(i, name, &u);
    let origin = l.origin(i, a.span);
    let peer = AllowPeer::Unknown(u);
    out.push(AllowEntry { origin, peer });
}

fn rds(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let mut allow = instance(l, i, &a, &["security_group_ids", "security_group_id"]);
    more_ports(l, i, &a);
    global(l, i, &a, "template_id_list", &mut allow);
    set(l, i, allow);
}

fn copy(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let allow = instance(l, i, &a, &["security_group_ids"]);
    set(l, i, allow);
}

/// Port, place and allow list, whose entries it returns.
fn instance(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, by: &[&'static str]) -> Vec<AllowEntry> {
    let usual = match a.get("engine").map(|n| l.text(n)) {
        Some(Fact::Known(e)) => match e.to_ascii_lowercase().as_str() {
            "mysql" | "mariadb" => Fact::Known(3306),
            "postgresql" => Fact::Known(5432),
            "sqlserver" => Fact::Known(1433),
            _ => Fact::Unknown(Unknown::at(format!("the port of `{e}` is not known"), a.span)),
        },
        Some(Fact::Unknown(u)) => Fact::Unknown(u),
        None => Fact::Unknown(Unknown::at("no engine is set", a.span)),
    };
    let services = port(l, i, a, &["port"], usual);
    place(l, i, a, &["private_ip_address"], services);
    // The default list holds 127.0.0.1 only: nobody.
    let mut allow = edited(l, i, a, "security_ips");
    // §15.2: in the safety mode a list is for one network, private or public, so that an entry of it counts for one
    // side of the database and not for certain for the other.
    let separate = match a.get("security_ip_mode").map(|n| (l.text(n), n.span)) {
        None => None,
        Some((Fact::Known(m), _)) if m.eq_ignore_ascii_case("normal") => None,
        Some((Fact::Known(_), span)) => {
            Some(Unknown::at("in this mode a list is for one network only", span))
        }
        Some((Fact::Unknown(u), _)) if crate::json::left_to_cloud(&u) => None,
        Some((Fact::Unknown(u), _)) => Some(u),
    };
    if let Some(u) = separate {
        for e in &mut allow {
            e.origin.doubt(|| u.clone());
        }
    }
    if let Some((name, n)) = a.first(by) {
        groups(l, i, name, n, &mut allow);
    }
    allow
}

/// The list that an instance is given: what it was changed to, or what its list was changed by.
pub(super) fn edited(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str) -> Vec<AllowEntry> {
    let mut allow = Vec::new();
    let Some(n) = a.get(name) else { return allow };
    let mode = a.get("modify_mode").map(|m| (l.text(m), m.span));
    match mode {
        None => nets(l, i, name, n, &mut allow),
        Some((Fact::Known(m), span)) => match m.to_ascii_lowercase().as_str() {
            "cover" | "0" => nets(l, i, name, n, &mut allow),
            "append" | "1" => {
                nets(l, i, name, n, &mut allow);
                let u = Unknown::at("entries are added to a list that is not here", span);
                anybody(l, i, "modify_mode", span, u, &mut allow);
            }
            // What is left when these are taken out is not known.
            _ => {
                let u = Unknown::at("entries are taken out of a list that is not here", span);
                anybody(l, i, "modify_mode", span, u, &mut allow);
            }
        },
        Some((Fact::Unknown(u), span)) => {
            nets(l, i, name, n, &mut allow);
            for e in &mut allow {
                e.origin.doubt(|| u.clone());
            }
            anybody(l, i, "modify_mode", span, u, &mut allow);
        }
    }
    allow
}

/// Ports that an RDS instance opens besides its own: Babelfish speaks the protocol of SQL Server, `PgBouncer` pools
/// connections.
fn more_ports(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) {
    let babelfish = match a.blocks("babelfish_config") {
        Blocks::Absent => false,
        Blocks::Unknown(_) => true,
        Blocks::List(all) => all
            .iter()
            .any(|b| l.flag(i, b, "babelfish_enabled", false) != Fact::Known(false)),
    };
    let mut also = ServiceSet::default();
    if babelfish || a.get("babelfish_port").is_some() {
        also = also.union(&listed(l, i, a, "babelfish_port", 1433));
    }
    if l.flag(i, a, "pg_bouncer_enabled", false) != Fact::Known(false) {
        also = also.union(&tcp(6432));
    }
    if let Some(d) = this(l, i).and_then(|id| l.typed.data_services.get_mut(id.index())) {
        d.also = also;
    }
}

/// A port that is written, or the usual one; every port where it is not known which.
fn listed(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str, usual: u16) -> ServiceSet {
    match port(l, i, a, &[name], Fact::Known(usual)) {
        Fact::Known(s) => s,
        Fact::Unknown(_) => ServiceSet::tcp(PortSet::full()),
    }
}

/// An endpoint of a service has ports of its own.
pub(super) fn answers(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, of: &'static str, ports: &[&'static str]) {
    let mut more = ServiceSet::default();
    for name in ports {
        if a.get(name).is_some() {
            more = more.union(&listed(l, i, a, name, 0));
        }
    }
    if !more.is_empty() {
        also(l, i, a, of, &more);
    }
}

/// What a service answers on besides, by one of its endpoints.
pub(super) fn also(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, of: &'static str, more: &ServiceSet) {
    let service = l.link(i, a, &[of], "data service", as_service);
    // A service in several vSwitches is several here.
    let address = service.known().map(|d| l.typed[*d].meta.origin.address.clone());
    for d in &mut l.typed.data_services {
        if address.as_ref().is_none_or(|a| *a == d.meta.origin.address) {
            d.also = d.also.union(more);
        }
    }
}

fn as_service(e: Entity) -> Option<DataServiceId> {
    if let Entity::DataService(d) = e {
        Some(d)
    } else {
        None
    }
}

/// A read-only instance has the port of its master, and its list unless it has one of its own.
fn replica(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let master = l.link(i, &a, &["master_db_instance_id"], "RDS instance", as_service);
    let mut also = ServiceSet::default();
    let (services, inherited) = match &master {
        Fact::Known(m) => {
            let m = &l.typed[*m];
            also = m.also.clone();
            (m.services.clone(), m.allow.clone())
        }
        Fact::Unknown(u) => {
            let origin = l.origin(i, a.span);
            let peer = AllowPeer::Unknown(u.clone());
            (Fact::Unknown(u.clone()), vec![AllowEntry { origin, peer }])
        }
    };
    place(l, i, &a, &[], services);
    let allow = match a.get("security_ips") {
        Some(_) => edited(l, i, &a, "security_ips"),
        None => inherited,
    };
    set(l, i, allow);
    if let Some(d) = this(l, i).and_then(|id| l.typed.data_services.get_mut(id.index())) {
        d.also = also;
    }
}

fn kvstore(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let redis = l.either(i, &a, "instance_type", ("Redis", "Memcache"), true);
    let usual = match redis {
        Fact::Known(true) => Fact::Known(6379),
        Fact::Known(false) => Fact::Unknown(Unknown::at("the port of Memcache is not known", a.span)),
        Fact::Unknown(u) => Fact::Unknown(u),
    };
    // `port` is what it was made with, the other what it was changed to.
    let services = port(l, i, &a, &["private_connection_port", "port"], usual);
    place(l, i, &a, &["private_ip"], services);
    redis_lists(l, i, &a);
    if a.get("enable_public").is_some() {
        match l.flag(i, &a, "enable_public", false) {
            Fact::Known(false) => {}
            Fact::Known(true) => expose(l, i, i, &a, None, None),
            Fact::Unknown(u) => expose(l, i, i, &a, None, Some(u)),
        }
    }
}

fn tair(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let services = port(l, i, &a, &["port"], Fact::Known(6379));
    place(l, i, &a, &[], services);
    redis_lists(l, i, &a);
}

fn redis_lists(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>) {
    // §15: without a list nobody may connect.
    let mut allow = edited(l, i, a, "security_ips");
    if let Some(n) = a.get("security_group_id") {
        groups(l, i, "security_group_id", n, &mut allow);
    }
    set(l, i, allow);
}

fn polardb(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let usual = match a.get("db_type").map(|n| l.text(n)) {
        Some(Fact::Known(t)) if t.eq_ignore_ascii_case("mysql") => Fact::Known(3306),
        Some(Fact::Unknown(u)) => Fact::Unknown(u),
        _ => Fact::Unknown(Unknown::at(
            "the port of this kind of cluster is not known",
            a.span,
        )),
    };
    place(l, i, &a, &[], usual.map(tcp));
    let mut allow = Vec::new();
    let mut written = false;
    if let Some(n) = a.get("security_ips") {
        written = true;
        nets(l, i, "security_ips", n, &mut allow);
    }
    match a.blocks("db_cluster_ip_array") {
        Blocks::Absent => {}
        Blocks::Unknown(u) => anybody(l, i, "db_cluster_ip_array", a.span, u, &mut allow),
        Blocks::List(all) => {
            for b in all {
                let name = b.get("db_cluster_ip_array_name").map(|n| l.text(n));
                written |= match name {
                    None => true,
                    Some(Fact::Known(t)) => t.eq_ignore_ascii_case("default"),
                    Some(Fact::Unknown(_)) => false,
                };
                allow.extend(edited(l, i, &b, "security_ips"));
            }
        }
    }
    // The list that every cluster has, if it is not written.
    if !written {
        by_default(l, i, &a, "security_ips", &mut allow);
    }
    if let Some(n) = a.get("security_group_ids") {
        groups(l, i, "security_group_ids", n, &mut allow);
    }
    global(l, i, &a, "global_security_group_list", &mut allow);
    set(l, i, allow);
}

fn mongodb(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    place(l, i, &a, &[], Fact::Known(tcp(3717)));
    let mut allow = Vec::new();
    match a.get("security_ip_list") {
        Some(n) => nets(l, i, "security_ip_list", n, &mut allow),
        None => by_default(l, i, &a, "security_ip_list", &mut allow),
    }
    if let Some(n) = a.get("security_group_id") {
        groups(l, i, "security_group_id", n, &mut allow);
    }
    match a.blocks("security_ip_groups") {
        Blocks::Absent => {}
        Blocks::Unknown(u) => anybody(l, i, "security_ip_groups", a.span, u, &mut allow),
        Blocks::List(all) => {
            for b in all {
                if let Some(n) = b.get("security_ip_list") {
                    nets(l, i, "security_ip_groups", n, &mut allow);
                }
            }
        }
    }
    global(l, i, &a, "global_security_group_list", &mut allow);
    set(l, i, allow);
}

/// An entry of which it is not known whom it admits.
pub(super) fn anybody(
    l: &mut Linker<'_>,
    i: usize,
    name: &'static str,
    span: Span,
    u: Unknown,
    out: &mut Vec<AllowEntry>,
) {
    l.unknown(i, name, &u);
    let origin = l.origin(i, span);
    let peer = AllowPeer::Unknown(u);
    out.push(AllowEntry { origin, peer });
}

/// Templates of allow lists are no resource that is read here.
fn global(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, name: &'static str, out: &mut Vec<AllowEntry>) {
    if let Some(n) = a.get(name) {
        let u = Unknown::at("what a shared list holds is not known", n.span);
        anybody(l, i, name, n.span, u, out);
    }
}

/// The resource of a public connection string (§15.4).
pub(super) fn public(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    of: &'static str,
    address: Option<&'static str>,
) {
    let service = l.link(i, a, &[of], "data service", as_service);
    let ip = address.and_then(|n| a.get(n)).map(|n| l.text(n));
    let ip = ip.and_then(|t| t.known().and_then(|t| parse::ip(t).ok()));
    match service {
        Fact::Known(d) => bind(l, i, a, d, ip, None),
        // It may be the public side of any of them.
        Fact::Unknown(u) => {
            for d in 0..l.typed.data_services.len() {
                bind(l, i, a, DataServiceId(next(d)), None, Some(u.clone()));
            }
        }
    }
}

/// A public endpoint of a cluster.
fn endpoint(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    match a.get("net_type").map(|n| l.text(n)) {
        Some(Fact::Known(t)) if t.eq_ignore_ascii_case("public") => public(l, i, &a, "db_cluster_id", None),
        Some(Fact::Unknown(u)) => {
            l.unknown(i, "net_type", &u);
            let all = match l.link(i, &a, &["db_cluster_id"], "data service", as_service) {
                Fact::Known(d) => vec![d],
                // It may be an endpoint of any of them.
                Fact::Unknown(_) => (0..l.typed.data_services.len())
                    .map(|d| DataServiceId(next(d)))
                    .collect(),
            };
            for d in all {
                bind(l, i, &a, d, None, Some(u.clone()));
            }
        }
        _ => {}
    }
}

fn expose(
    l: &mut Linker<'_>,
    i: usize,
    service: usize,
    a: &Attrs<'_>,
    ip: Option<std::net::IpAddr>,
    maybe: Option<Unknown>,
) {
    if let Some(d) = this(l, service) {
        bind(l, i, a, d, ip, maybe);
    }
}

pub(super) fn bind(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    service: DataServiceId,
    ip: Option<std::net::IpAddr>,
    maybe: Option<Unknown>,
) {
    let mut origin = l.origin(i, a.span);
    if let Some(u) = maybe {
        origin.maybe = Some(Box::new(u));
    }
    let ip = match ip {
        Some(ip) => Fact::Known(ip),
        None => Fact::Unknown(Unknown::at("the cloud picks the address", a.span)),
    };
    let Some(d) = l.typed.data_services.get(service.index()) else {
        return;
    };
    if let Some(x) = l.typed.interfaces.get_mut(d.interface.index()) {
        x.public.push(PublicAddress {
            origin,
            ip,
            eip: None,
            kind: PublicKind::StaticIp,
            private: 0,
        });
    }
}

/// What a service answers on for certain is nothing that it answers on besides.
pub(super) fn settle(l: &mut Linker<'_>) {
    for d in &mut l.typed.data_services {
        if let Fact::Known(s) = &d.services {
            d.also = d.also.subtract(s);
        }
    }
}

/// §15.1: a group on the list of a service admits its members by their public addresses too (documented for Redis; the others
/// may do the same). What the cloud looks up there is as it was when it looked, so it counts as possible and not as certain.
/// Only what has a public address itself is reached by one.
pub(super) fn settle_members(l: &mut Linker<'_>) {
    let t = &l.typed;
    let mut out: Vec<(usize, Vec<AllowEntry>)> = Vec::new();
    for (n, d) in t.data_services.iter().enumerate() {
        if t[d.interface].public.is_empty() {
            continue;
        }
        let mut more = Vec::new();
        for e in &d.allow {
            let AllowPeer::Group(g) = &e.peer else { continue };
            let mut origin = e.origin.clone();
            let why = "the group may admit its members by their public addresses";
            origin
                .maybe
                .get_or_insert_with(|| Box::new(Unknown::at(why, e.origin.span)));
            let members = t
                .interfaces
                .iter()
                .filter(|i| i.groups.known().is_none_or(|all| all.contains(g)));
            for p in members.flat_map(|i| &i.public) {
                let peer = match &p.ip {
                    Fact::Known(ip) => AllowPeer::Net(ipnet::IpNet::from(*ip)),
                    Fact::Unknown(u) => AllowPeer::Unknown(u.clone()),
                };
                more.push(AllowEntry {
                    origin: origin.clone(),
                    peer,
                });
            }
        }
        more.dedup();
        out.push((n, more));
    }
    for (n, more) in out {
        if let Some(d) = l.typed.data_services.get_mut(n) {
            d.allow.extend(more);
        }
    }
}
