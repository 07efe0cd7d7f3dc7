//! Managed services that write their vSwitches and lists in nested blocks, and file systems with their access groups
//! (ALIBABA.md §15.6; docs/decisions/016, item 17).

use super::attrs::Attrs;
use super::balancer::deep;
use super::compute::vswitches;
use super::data_service::{by_default, nets, this};
use super::linker::{Linker, as_vswitch};
use super::managed::{named, put};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;
use bartizan_packet::{PortSet, ServiceSet};

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_rocketmq_instance",
            attributes: &[
                "id",
                "tags",
                "instance_name",
                "network_info",
                "network_info.vpc_info.vswitch_id",
                "network_info.vpc_info.vswitches.vswitch_id",
                "network_info.internet_info.internet_spec",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| named(l, i, &a, "instance_name")),
            (Stage::Fill, |l, i, a| {
                let open = words(l, i, &a, "network_info", "internet_spec", "enable");
                nested(l, i, &a, "network_info", "vswitch_id", &open);
            }),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_hologram_instance",
            attributes: &[
                "id",
                "tags",
                "instance_name",
                "endpoints",
                "endpoints.type",
                "endpoints.vswitch_id",
            ],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| named(l, i, &a, "instance_name")),
            (Stage::Fill, |l, i, a| {
                let open = words(l, i, &a, "endpoints", "type", "internet");
                // Reached from every VPC of the region by the service network, whatever its routes say.
                if words(l, i, &a, "endpoints", "type", "intranet") != Fact::Known(false) {
                    let why = "it has an endpoint in the service network, or may have (`endpoints`)";
                    l.refused.insert(i, why.into());
                }
                nested(l, i, &a, "endpoints", "vswitch_id", &open);
            }),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_star_rocks_instance",
            attributes: &["id", "tags", "instance_name", "vswitches", "vswitches.vswitch_id"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| named(l, i, &a, "instance_name")),
            (Stage::Fill, |l, i, a| {
                nested(l, i, &a, "vswitches", "vswitch_id", &Fact::Known(false));
            }),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_milvus_instance",
            attributes: &["id", "tags", "instance_name", "vswitch_ids", "vswitch_ids.vsw_id"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| named(l, i, &a, "instance_name")),
            (Stage::Fill, |l, i, a| {
                nested(l, i, &a, "vswitch_ids", "vsw_id", &Fact::Known(false));
            }),
        ],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_nas_mount_target",
            attributes: &["id", "access_group_name", "vswitch_id"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[
            (Stage::Declare, |l, i, a| named(l, i, &a, "access_group_name")),
            (Stage::Fill, mount),
        ],
    },
    // Rules and the groups that they are in are found by the mount target, by name.
    Handler {
        spec: TypeSpec {
            name: ACCESS_GROUP,
            attributes: &["id", "access_group_name", "name"],
        },
        aliases: &[],
        identities: &[],
        steps: &[],
    },
    Handler {
        spec: TypeSpec {
            name: ACCESS_RULE,
            attributes: &["id", "access_group_name", "source_cidr_ip", "ipv6_source_cidr_ip"],
        },
        aliases: &[],
        identities: &[],
        steps: &[],
    },
];

const ACCESS_GROUP: &str = "alicloud_nas_access_group";
const ACCESS_RULE: &str = "alicloud_nas_access_rule";
/// The group that is there from the beginning and admits every address.
const EVERYBODY: &str = "DEFAULT_VPC_GROUP_NAME";

/// Whether a key has a word somewhere in a block.
fn words(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    block: &'static str,
    key: &str,
    word: &str,
) -> Fact<bool> {
    let Some(n) = a.get(block) else {
        return Fact::Known(false);
    };
    let mut found = Vec::new();
    if let Err(u) = deep(n, key, &mut found) {
        l.unknown(i, block, &u);
        return Fact::Unknown(u);
    }
    let mut unknown = None;
    for n in found {
        match l.text(n) {
            Fact::Known(t) if t.eq_ignore_ascii_case(word) => return Fact::Known(true),
            Fact::Known(_) => {}
            Fact::Unknown(u) => {
                l.unknown(i, block, &u);
                unknown = unknown.or(Some(u));
            }
        }
    }
    unknown.map_or(Fact::Known(false), Fact::Unknown)
}

/// A service in the vSwitches that a key names, at any depth of a block. Ports and lists are not shown.
fn nested(
    l: &mut Linker<'_>,
    i: usize,
    a: &Attrs<'_>,
    block: &'static str,
    key: &'static str,
    open: &Fact<bool>,
) {
    let Some(id) = this(l, i) else { return };
    let mut found = Vec::new();
    let all = match a.get(block) {
        Some(n) => deep(n, key, &mut found),
        None => Ok(()),
    };
    let mut at: Vec<Fact<VswitchId>> = match all {
        Ok(()) => found
            .into_iter()
            .filter(|n| !matches!(&n.value, Value::String(s) if s.is_empty()))
            .map(|n| l.link_node(i, key, n, "vSwitch", as_vswitch))
            .collect(),
        Err(u) => {
            l.unknown(i, block, &u);
            vec![Fact::Unknown(u)]
        }
    };
    if at.is_empty() {
        let u = Unknown::at("no vSwitch is set", a.span);
        l.unknown(i, block, &u);
        at.push(Fact::Unknown(u));
    }
    let mut once: Vec<Fact<VswitchId>> = Vec::new();
    for v in at {
        if !once.contains(&v) {
            once.push(v);
        }
    }
    let services = Fact::Unknown(Unknown::at("the ports of this service are not known", a.span));
    let mut allow = Vec::new();
    by_default(l, i, a, block, &mut allow);
    put(l, i, a, id, (&services, &allow, open), &once);
}

/// A mount target admits by the rules of its access group: any of them, whatever their priority, which decides what
/// may be done and not who may connect. A group without rules admits nobody.
fn mount(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(id) = this(l, i) else { return };
    let mut allow = Vec::new();
    match a.get("access_group_name").map(|n| (group_of(l, n), n)) {
        Some((Group::Named(g), n)) if &*g == EVERYBODY => allow.push(AllowEntry {
            origin: l.origin(i, n.span),
            peer: AllowPeer::Net(ipnet::IpNet::V4(ipnet::Ipv4Net::default())),
        }),
        Some((Group::Here(address, name), _)) => rules(l, &address, name.as_deref(), &mut allow),
        _ => by_default(l, i, &a, "access_group_name", &mut allow),
    }
    // NFS and SMB.
    let ports = [111, 445, 892, 2049].map(|p| (p, p));
    let services = Fact::Known(ServiceSet::tcp(PortSet::from_ranges(ports)));
    let at = vswitches(l, i, &a, &["vswitch_id"]);
    put(l, i, &a, id, (&services, &allow, &Fact::Known(false)), &at);
}

/// What names an access group.
enum Group {
    /// A group of the inventory: its address, and its name where that is known.
    Here(String, Option<String>),
    /// One that is not in the inventory.
    Named(String),
    Unknown,
}

fn group_of(l: &mut Linker<'_>, n: &Node) -> Group {
    let text = l.text(n).known().map(ToString::to_string);
    let named = |r: &Resource, t: &str| {
        let at = ["access_group_name", "name"].into_iter().find_map(|k| r.get(k));
        matches!(at.map(|n| &n.value), Some(Value::String(s)) if &**s == t)
    };
    let mut groups = l.res.iter().filter(|r| !r.data && &*r.kind == ACCESS_GROUP);
    match (&n.value, text) {
        (Value::Ref(r), text) if l.position(&r.address).is_some() => Group::Here(r.address.to_string(), text),
        (_, Some(t)) => match groups.find(|r| named(r, &t)) {
            Some(r) => Group::Here(r.address.to_string(), Some(t)),
            None => Group::Named(t),
        },
        _ => Group::Unknown,
    }
}

/// The rules of a group; one of which the group is not known may be its.
fn rules(l: &mut Linker<'_>, group: &str, name: Option<&str>, out: &mut Vec<AllowEntry>) {
    let all: Vec<usize> = (0..l.res.len())
        .filter(|&k| l.res.get(k).is_some_and(|r| !r.data && &*r.kind == ACCESS_RULE))
        .collect();
    for k in all {
        let Some(r) = l.res.get(k) else { continue };
        let mine = match r.get("access_group_name") {
            None => continue,
            Some(n) => match group_of(l, n) {
                Group::Here(g, _) if g == group => None,
                Group::Here(_, Some(t)) | Group::Named(t) if name == Some(t.as_str()) => None,
                Group::Here(..) | Group::Named(_) => continue,
                Group::Unknown => Some(Unknown::at("the group of this rule is not known", n.span)),
            },
        };
        for key in ["source_cidr_ip", "ipv6_source_cidr_ip"] {
            let Some(n) = r.get(key) else { continue };
            if matches!(&n.value, Value::String(s) if s.is_empty()) {
                continue;
            }
            let from = out.len();
            nets(l, k, key, n, out);
            for e in out.iter_mut().skip(from) {
                let doubt = mine.clone().or_else(|| r.maybe.clone());
                if let Some(u) = doubt {
                    e.origin.doubt(|| u);
                }
            }
        }
    }
}
