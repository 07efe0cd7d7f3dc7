//! WAF in CNAME mode, Anti-DDoS Proxy and Anti-DDoS Origin (ALIBABA.md §13.3, §13.4).

use super::super::attrs::{Attrs, Blocks, items};
use super::super::linker::{Entity, Found, Linker};
use super::super::{Handler, Stage, TypeSpec, parse};
use super::{PendingProxy, Target};
use bartizan_model::*;
use bartizan_packet::{IpSet, PortSet, ServiceSet};
use std::net::IpAddr;

pub(crate) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_wafv3_domain",
            attributes: &[
                "id",
                "tags",
                "domain",
                "access_type",
                "listen",
                "listen.http_ports",
                "listen.https_ports",
                "redirect",
                "redirect.backends",
                "redirect.backup_backends",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, waf3)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_waf_domain",
            attributes: &[
                "id",
                "domain_name",
                "domain",
                "http_port",
                "https_port",
                "source_ips",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, waf2)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ddoscoo_domain_resource",
            attributes: &[
                "id",
                "domain",
                "real_servers",
                "proxy_types",
                "proxy_types.proxy_ports",
            ],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, ddos_domain)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ddoscoo_port",
            attributes: &["id", "frontend_port", "frontend_protocol", "real_servers"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, ddos_port)],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_ddosbgp_ip",
            attributes: &["ip"],
        },
        aliases: &[],
        identities: &[],
        steps: &[(Stage::Bind, shield)],
    },
];

/// The ports of lists of numbers; TCP.
fn numbers(l: &mut Linker<'_>, i: usize, lists: &[(&'static str, Option<&Node>)]) -> Fact<ServiceSet> {
    let mut set = PortSet::empty();
    for (name, n) in lists {
        let Some(n) = n else { continue };
        let all = match items(n) {
            Ok(all) => all,
            Err(u) => {
                l.unknown(i, name, &u);
                return Fact::Unknown(u);
            }
        };
        for n in all {
            match l.parsed(i, name, n, "write a port", |s| {
                s.trim()
                    .parse::<u16>()
                    .map_err(|_| format!("`{s}` is not a port"))
            }) {
                Fact::Known(p) => set = set.union(&PortSet::single(p)),
                Fact::Unknown(u) => return Fact::Unknown(u),
            }
        }
    }
    Fact::Known(ServiceSet::tcp(set))
}

/// Where a proxy sends. An origin with a private address makes the whole not understood.
fn targets(l: &mut Linker<'_>, i: usize, name: &'static str, node: Option<&Node>) -> Vec<Target> {
    let Some(node) = node else { return Vec::new() };
    let all = match items(node) {
        Ok(all) => all,
        Err(u) => {
            l.unknown(i, name, &u);
            return vec![Target::Done(ProxyOrigin::Unknown(u))];
        }
    };
    all.into_iter().map(|n| target(l, i, name, n)).collect()
}

fn target(l: &mut Linker<'_>, i: usize, name: &'static str, node: &Node) -> Target {
    let at = match &node.value {
        Value::Ref(r) => l
            .position(&r.address)
            .and_then(|p| l.entity.get(p).copied().flatten()),
        _ => None,
    };
    if let Some(e @ (Entity::Eip(_) | Entity::Balancer(_) | Entity::Instance(_) | Entity::Interface(_))) = at
    {
        return Target::Of(e);
    }
    if let Found::Entity(e @ Entity::Eip(_)) = l.find(node) {
        return Target::Of(e);
    }
    let u = match l.text(node) {
        Fact::Known(t) => match parse::ip(&t) {
            Ok(ip) if private(ip) => {
                l.refused.insert(
                    i,
                    format!("it sends to {ip}, a private address, by a way that is not modelled"),
                );
                Unknown::at("an origin with a private address", node.span)
            }
            Ok(ip) => return Target::Done(ProxyOrigin::Ip(ip)),
            Err(_) => Unknown::at(format!("the address of `{t}` is not known"), node.span),
        },
        Fact::Unknown(u) => u,
    };
    l.note(i, format!("`{name}`: {}", u.why));
    Target::Done(ProxyOrigin::Unknown(u))
}

fn private(ip: IpAddr) -> bool {
    !IpSet::public().contains(ip)
}

fn push(l: &mut Linker<'_>, meta: Meta, kind: ProxyKind, services: Fact<ServiceSet>, origins: Vec<Target>) {
    l.perimeter.proxies.push(PendingProxy {
        proxy: Proxy {
            meta,
            kind,
            services,
            origins: Vec::new(),
        },
        origins,
    });
}

fn waf3(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["domain"]);
    if let Some(Fact::Known(t)) = a.get("access_type").map(|n| l.text(n))
        && !t.eq_ignore_ascii_case("share")
    {
        l.refused
            .insert(i, format!("access type `{t}`: where it stands is not modelled"));
    }
    let services = match a.blocks("listen") {
        Blocks::List(all) => {
            let lists: Vec<_> = all
                .iter()
                .flat_map(|b| ["http_ports", "https_ports"].map(|name| (name, b.get(name))))
                .collect();
            numbers(l, i, &lists)
        }
        Blocks::Absent => Fact::Known(ServiceSet::empty()),
        Blocks::Unknown(u) => Fact::Unknown(u),
    };
    let origins = match a.blocks("redirect") {
        Blocks::List(all) => all
            .iter()
            .flat_map(|b| {
                let mut v = targets(l, i, "backends", b.get("backends"));
                v.extend(targets(l, i, "backup_backends", b.get("backup_backends")));
                v
            })
            .collect(),
        Blocks::Absent => Vec::new(),
        Blocks::Unknown(u) => vec![Target::Done(ProxyOrigin::Unknown(u))],
    };
    push(l, meta, ProxyKind::Waf, services, origins);
}

fn waf2(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["domain_name", "domain"]);
    let lists = ["http_port", "https_port"].map(|name| (name, a.get(name)));
    let services = numbers(l, i, &lists);
    let origins = targets(l, i, "source_ips", a.get("source_ips"));
    push(l, meta, ProxyKind::Waf, services, origins);
}

fn ddos_domain(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &["domain"]);
    let services = match a.blocks("proxy_types") {
        Blocks::List(all) => {
            let lists: Vec<_> = all
                .iter()
                .map(|b| ("proxy_ports", b.get("proxy_ports")))
                .collect();
            numbers(l, i, &lists)
        }
        Blocks::Absent => Fact::Known(ServiceSet::empty()),
        Blocks::Unknown(u) => Fact::Unknown(u),
    };
    let origins = targets(l, i, "real_servers", a.get("real_servers"));
    push(l, meta, ProxyKind::AntiDdos, services, origins);
}

fn ddos_port(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let meta = l.meta(i, &a, &[]);
    let udp = match a.get("frontend_protocol").map(|n| l.text(n)) {
        Some(Fact::Known(t)) => t.eq_ignore_ascii_case("udp"),
        _ => false,
    };
    let services = numbers(l, i, &[("frontend_port", a.get("frontend_port"))]);
    let services = services.map(|s| if udp { ServiceSet::udp(s.tcp) } else { s });
    let origins = targets(l, i, "real_servers", a.get("real_servers"));
    push(l, meta, ProxyKind::AntiDdos, services, origins);
}

fn shield(l: &mut Linker<'_>, i: usize, a: Attrs<'_>) {
    let Some(n) = a.get("ip") else { return };
    let of = target(l, i, "ip", n);
    let origin = l.origin(i, a.span);
    l.perimeter.shields.push((origin, of));
}
