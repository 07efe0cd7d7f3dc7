//! Ways to and from the Internet that are not an endpoint with a public address (ALIBABA.md §7.5): buckets that anybody
//! may read, functions, gateways of the cloud, what clusters make by themselves.
//!
//! They are read from the resources as written. What is not modelled is listed as such: that it may be open is all that
//! can be said of it.

use super::exposure::Sure;
use bartizan_model::{Inventory, Node, Origin, Resource, Understanding, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Which way it opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Somebody on the Internet comes in.
    In,
    /// Something goes out to the Internet.
    Out,
}

/// A way to or from the Internet beside public addresses.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The resource.
    pub resource: String,
    /// Which way.
    pub way: Way,
    /// What is open, in words.
    pub what: String,
    /// Whether it is open for certain: [`Sure::Unknown`] for what is not known or not modelled.
    pub open: Sure,
    /// Where it is written.
    pub origin: Origin,
}

/// What a resource of a type means, and how it is found out.
enum Rule {
    /// It is there: it is open.
    There(Way, &'static str),
    /// It may be open: it is not modelled, or what it makes is in no configuration.
    Perhaps(Way, &'static str),
    /// By a switch: its name, whether it is on where it is not written (`None`: not documented).
    Switch(Way, &'static str, Option<bool>, &'static str),
    /// By a word: the argument, the word.
    Word(Way, &'static str, &'static str, &'static str),
    /// By anything but a word: the argument, the word that closes it.
    Not(Way, &'static str, &'static str, &'static str),
}

use Rule::{Not, Perhaps, Switch, There, Word};
use Way::{In, Out};

const FUNCTION: &str = "a function connects to the Internet by itself, past the VPC";
const BASTION: &str = "a bastion host answers at a public address of its own, which is not modelled";
const CLUSTER: &str =
    "balancers that Kubernetes makes for services and ingresses are in no configuration (A-CW)";
const ACCELERATOR: &str = "an accelerator leads to its endpoints, which is not modelled";
const GATEWAY: &str = "an API gateway answers for what is behind it, which is not modelled";
const ANYCAST: &str = "an anycast address leads to what it is bound to, which is not modelled";

const RULES: &[(&str, Rule)] = &[
    (
        "alicloud_ssl_vpn_server",
        There(In, "clients log in to an SSL-VPN"),
    ),
    (
        "alicloud_vpn_ipsec_server",
        There(In, "clients log in to an IPsec VPN"),
    ),
    (
        "alicloud_vpn_gateway",
        Not(
            In,
            "network_type",
            "private",
            "tunnels end at the address of a VPN gateway",
        ),
    ),
    (
        "alicloud_fcv3_function",
        Switch(Out, "internet_access", Some(true), FUNCTION),
    ),
    (
        "alicloud_fc_service",
        Switch(Out, "internet_access", Some(true), FUNCTION),
    ),
    (
        "alicloud_fcv3_trigger",
        Word(
            In,
            "trigger_type",
            "http",
            "a function answers requests at an address of the platform",
        ),
    ),
    (
        "alicloud_fc_trigger",
        Word(
            In,
            "type",
            "http",
            "a function answers requests at an address of the platform",
        ),
    ),
    (
        "alicloud_fcv3_custom_domain",
        There(In, "a function answers requests under a name of its own"),
    ),
    (
        "alicloud_fc_custom_domain",
        There(In, "a function answers requests under a name of its own"),
    ),
    (
        "alicloud_bastionhost_instance",
        Switch(In, "enable_public_access", None, BASTION),
    ),
    (
        "alicloud_yundun_bastionhost_instance",
        Switch(In, "enable_public_access", None, BASTION),
    ),
    ("alicloud_cs_kubernetes", Perhaps(In, CLUSTER)),
    ("alicloud_cs_managed_kubernetes", Perhaps(In, CLUSTER)),
    ("alicloud_cs_serverless_kubernetes", Perhaps(In, CLUSTER)),
    ("alicloud_cs_edge_kubernetes", Perhaps(In, CLUSTER)),
    ("alicloud_eipanycast_anycast_eip_address", Perhaps(In, ANYCAST)),
    (
        "alicloud_eipanycast_anycast_eip_address_attachment",
        Perhaps(In, ANYCAST),
    ),
    ("alicloud_ga_accelerator", Perhaps(In, ACCELERATOR)),
    ("alicloud_ga_basic_accelerator", Perhaps(In, ACCELERATOR)),
    ("alicloud_ga_endpoint_group", Perhaps(In, ACCELERATOR)),
    ("alicloud_ga_basic_endpoint", Perhaps(In, ACCELERATOR)),
    ("alicloud_api_gateway_instance", Perhaps(In, GATEWAY)),
    ("alicloud_api_gateway_vpc_access", Perhaps(In, GATEWAY)),
    ("alicloud_apig_gateway", Perhaps(In, GATEWAY)),
    ("alicloud_mse_gateway", Perhaps(In, GATEWAY)),
    (
        "alicloud_sae_load_balancer_internet",
        Perhaps(
            In,
            "an application gets a balancer with a public address, which is not modelled",
        ),
    ),
    ("alicloud_sae_ingress", Perhaps(In, GATEWAY)),
];

/// Balancers of which it is said here when they are not modelled.
const BALANCERS: [&str; 5] = [
    "alicloud_alb_load_balancer",
    "alicloud_nlb_load_balancer",
    "alicloud_slb_load_balancer",
    "alicloud_slb",
    "alicloud_gwlb_load_balancer",
];

const BUCKET: &str = "alicloud_oss_bucket";
const BUCKET_ACL: &str = "alicloud_oss_bucket_acl";
const BUCKET_POLICY: &str = "alicloud_oss_bucket_policy";
const BUCKET_BLOCK: &str = "alicloud_oss_bucket_public_access_block";
const ACCOUNT_BLOCK: &str = "alicloud_oss_account_public_access_block";

/// The types and arguments that are named here, for the comparison with the provider's schema.
#[must_use]
pub fn opening_names() -> Vec<(&'static str, Option<&'static str>)> {
    let mut out: Vec<_> = RULES
        .iter()
        .map(|(kind, rule)| match rule {
            There(..) | Perhaps(..) => (*kind, None),
            Switch(_, a, ..) | Word(_, a, ..) | Not(_, a, ..) => (*kind, Some(*a)),
        })
        .collect();
    out.extend(BALANCERS.map(|b| (b, None)));
    out.extend([
        (BUCKET, Some("acl")),
        (BUCKET, Some("policy")),
        (BUCKET, Some("bucket")),
        (BUCKET_ACL, Some("acl")),
        (BUCKET_ACL, Some("bucket")),
        (BUCKET_POLICY, Some("policy")),
        (BUCKET_POLICY, Some("bucket")),
        (BUCKET_BLOCK, Some("bucket")),
        (BUCKET_BLOCK, Some("block_public_access")),
        (ACCOUNT_BLOCK, Some("block_public_access")),
    ]);
    out
}

/// What is written: a text, nothing, or something that is not known.
enum Said<'r> {
    Text(&'r str),
    Nothing,
    Unknown,
}

fn said<'r>(r: &'r Resource, name: &str) -> Said<'r> {
    match r.get(name).map(|n| &n.value) {
        None | Some(Value::Null) => Said::Nothing,
        Some(Value::String(s)) if s.is_empty() => Said::Nothing,
        Some(Value::String(s) | Value::Number(s)) => Said::Text(s),
        Some(Value::Bool(b)) => Said::Text(if *b { "true" } else { "false" }),
        Some(_) => Said::Unknown,
    }
}

fn origin(r: &Resource, at: Option<&Node>) -> Origin {
    Origin {
        address: r.address.clone(),
        span: at.map_or(r.span, |n| n.span),
        maybe: r.maybe.clone().map(Box::new),
    }
}

/// Every way beside public addresses, in the order of the resources.
#[must_use]
pub(super) fn openings(inv: &Inventory) -> Vec<Opening> {
    let mut out = Vec::new();
    for r in inv.resources.iter().filter(|r| !r.data) {
        let rule = RULES.iter().find(|(kind, _)| *kind == &*r.kind);
        if let Some((_, rule)) = rule {
            out.extend(by_rule(r, rule));
        }
        if let Understanding::NotUnderstood(why) = &r.understanding
            && BALANCERS.contains(&&*r.kind)
        {
            out.push(Opening {
                resource: r.address.to_string(),
                way: In,
                what: format!("a load balancer that is not understood: {why}"),
                open: Sure::Unknown,
                origin: origin(r, None),
            });
        }
    }
    // One for each, whatever its servers get by it.
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    let strays = inv.typed.strays.iter();
    let strays = strays.filter(|s| seen.insert((&s.origin.address, &s.why.why)));
    out.extend(strays.map(|s| Opening {
        resource: s.origin.address.to_string(),
        way: In,
        what: format!("a load balancer that is not here may hand on: {}", s.why.why),
        open: Sure::Unknown,
        origin: s.origin.clone(),
    }));
    buckets(inv, &mut out);
    for o in &mut out {
        // What may not exist is not open for certain.
        if o.origin.maybe.is_some() {
            o.open = Sure::Unknown;
        }
    }
    out.sort_by(|a, b| (a.way, &a.resource, &a.what).cmp(&(b.way, &b.resource, &b.what)));
    out
}

fn by_rule(r: &Resource, rule: &Rule) -> Option<Opening> {
    let (way, what, open, at) = match rule {
        There(way, what) => (*way, *what, Sure::Yes, None),
        Perhaps(way, what) => (*way, *what, Sure::Unknown, None),
        Switch(way, name, usual, what) => {
            let open = match (said(r, name), usual) {
                (Said::Text("true"), _) | (Said::Nothing, Some(true)) => Sure::Yes,
                (Said::Text("false"), _) | (Said::Nothing, Some(false)) => return None,
                _ => Sure::Unknown,
            };
            (*way, *what, open, r.get(name))
        }
        Word(way, name, word, what) => {
            let open = match said(r, name) {
                Said::Text(t) if t.eq_ignore_ascii_case(word) => Sure::Yes,
                Said::Text(_) | Said::Nothing => return None,
                Said::Unknown => Sure::Unknown,
            };
            (*way, *what, open, r.get(name))
        }
        Not(way, name, word, what) => {
            let open = match said(r, name) {
                Said::Text(t) if t.eq_ignore_ascii_case(word) => return None,
                Said::Text(_) | Said::Nothing => Sure::Yes,
                Said::Unknown => Sure::Unknown,
            };
            (*way, *what, open, r.get(name))
        }
    };
    Some(Opening {
        resource: r.address.to_string(),
        way,
        what: what.to_string(),
        open,
        origin: origin(r, at.filter(|n| n.value != Value::Null)),
    })
}

/// The bucket that a value names: the resource if it is one of the inventory, else its name; `None` where it is not known.
fn bucket_of(inv: &Inventory, n: Option<&Node>) -> Option<String> {
    let by_name = |name: &str| {
        let mut all = inv.resources.iter().filter(|r| !r.data && &*r.kind == BUCKET);
        let same = |r: &&Resource| matches!(said(r, "bucket"), Said::Text(t) if t == name);
        all.find(same)
            .map_or_else(|| name.to_string(), |r| r.address.to_string())
    };
    match n.map(|n| &n.value) {
        Some(Value::Ref(r)) => Some(r.address.to_string()),
        Some(Value::String(s)) => Some(by_name(s)),
        _ => None,
    }
}

/// Buckets that anybody may use (§15.5): by their ACL or their policy, unless public access is blocked.
fn buckets(inv: &Inventory, out: &mut Vec<Opening>) {
    let of = |kind: &'static str| inv.resources.iter().filter(move |r| !r.data && &*r.kind == kind);
    let blocks = |r: &Resource| match said(r, "block_public_access") {
        _ if r.maybe.is_some() => Sure::Unknown,
        Said::Text("true") => Sure::Yes,
        Said::Unknown => Sure::Unknown,
        Said::Text(_) | Said::Nothing => Sure::No,
    };
    let worst = |a: Sure, b: Sure| match (a, b) {
        (Sure::Yes, _) | (_, Sure::Yes) => Sure::Yes,
        (Sure::Unknown, _) | (_, Sure::Unknown) => Sure::Unknown,
        _ => Sure::No,
    };
    let account = of(ACCOUNT_BLOCK).map(blocks).fold(Sure::No, worst);
    let mut blocked: BTreeMap<String, Sure> = BTreeMap::new();
    let mut somewhere = Sure::No;
    for r in of(BUCKET_BLOCK) {
        match (bucket_of(inv, r.get("bucket")), blocks(r)) {
            (Some(b), s) => {
                let old = blocked.entry(b).or_insert(Sure::No);
                *old = worst(*old, s);
            }
            // It may be a block of any of them.
            (None, Sure::No) => {}
            (None, _) => somewhere = Sure::Unknown,
        }
    }
    let mut add = |r: &Resource, name: &'static str, bucket: Option<String>, what: String, open: Sure| {
        let here = bucket.as_ref().and_then(|b| blocked.get(b)).copied();
        let closed = [account, somewhere, here.unwrap_or(Sure::No)]
            .into_iter()
            .fold(Sure::No, worst);
        let open = match closed {
            Sure::Yes => return,
            Sure::Unknown => Sure::Unknown,
            Sure::No => open,
        };
        out.push(Opening {
            resource: bucket.unwrap_or_else(|| r.address.to_string()),
            way: In,
            what,
            open,
            origin: origin(r, r.get(name)),
        });
    };
    for (kind, itself) in [(BUCKET, true), (BUCKET_ACL, false)] {
        for r in of(kind) {
            let bucket = if itself {
                Some(r.address.to_string())
            } else {
                bucket_of(inv, r.get("bucket"))
            };
            match said(r, "acl") {
                Said::Text("public-read") => {
                    add(r, "acl", bucket, "anybody may read the bucket".into(), Sure::Yes)
                }
                Said::Text("public-read-write") => {
                    add(
                        r,
                        "acl",
                        bucket,
                        "anybody may read and write the bucket".into(),
                        Sure::Yes,
                    );
                }
                // A plan knows the default of a bucket, which is private, after apply only.
                Said::Unknown if !itself => {
                    add(
                        r,
                        "acl",
                        bucket,
                        "whom the ACL of the bucket admits is not known".into(),
                        Sure::Unknown,
                    );
                }
                Said::Text(_) | Said::Nothing | Said::Unknown => {}
            }
        }
    }
    for (kind, itself) in [(BUCKET, true), (BUCKET_POLICY, false)] {
        for r in of(kind) {
            let bucket = if itself {
                Some(r.address.to_string())
            } else {
                bucket_of(inv, r.get("bucket"))
            };
            match said(r, "policy") {
                Said::Nothing => {}
                Said::Unknown => {
                    let what = "whom the policy of the bucket admits is not known".to_string();
                    add(r, "policy", bucket, what, Sure::Unknown);
                }
                Said::Text(t) => {
                    for (what, open) in anybody(t) {
                        add(r, "policy", bucket.clone(), what, open);
                    }
                }
            }
        }
    }
}

/// What a bucket policy lets anybody do.
fn anybody(text: &str) -> Vec<(String, Sure)> {
    let unreadable = || {
        vec![(
            "whom the policy of the bucket admits is not known".to_string(),
            Sure::Unknown,
        )]
    };
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(text) else {
        return unreadable();
    };
    // One statement may stand without a list.
    let list = |v: &serde_json::Value| match v {
        serde_json::Value::Array(a) => a.clone(),
        serde_json::Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let Some(statements) = policy.get("Statement") else {
        return unreadable();
    };
    let mut out = Vec::new();
    for s in list(statements) {
        let allows = s.get("Effect").and_then(serde_json::Value::as_str);
        if !allows.is_some_and(|e| e.eq_ignore_ascii_case("allow")) {
            continue;
        }
        let everybody = s.get("NotPrincipal").is_some()
            || s.get("Principal")
                .is_some_and(|p| list(p).iter().any(|p| p.as_str() == Some("*")));
        if !everybody {
            continue;
        }
        let actions: Vec<String> = s
            .get("Action")
            .map(list)
            .unwrap_or_default()
            .iter()
            .filter_map(|a| a.as_str().map(str::to_string))
            .collect();
        let what = if actions.is_empty() {
            "something".to_string()
        } else {
            actions.join(", ")
        };
        let conditions = s.get("Condition").and_then(serde_json::Value::as_object);
        if conditions.is_some_and(|c| !c.is_empty()) {
            out.push((
                format!("anybody who meets its conditions may {what}"),
                Sure::Unknown,
            ));
        } else {
            out.push((format!("anybody may {what}"), Sure::Yes));
        }
    }
    out
}
