//! What is at the ends of the routers: interfaces, the borders of VPCs, NAT gateways, the Internet
//! (ALIBABA.md §4, §7, §8).

use super::KernelError;
use super::balancer::front;
use super::filter::{ZONES, address, interface, only_probes};
use super::inspect;
use super::nat::Dnat;
use super::netns::Script;
use super::nodes::site;
use super::plan::{ELSEWHERE, Plan, unsupported};
use bartizan_model::DnatProtocol;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

/// How many ports of a shifted range are written out one by one.
const MOST_PORTS: u16 = 64;
/// The first of the tables of an interface with the HaVips that it holds, one per choice.
const HELD: usize = 800;

/// The table of a border for what comes from the VPC.
const LEAVES: usize = 10;

/// A private address per public one of a VPC.
fn public(p: &Plan, vpc: usize) -> Vec<(IpAddr, IpNet)> {
    let here = p.enis.iter().filter(|e| e.vpc == vpc);
    let all = here.flat_map(|e| {
        e.public
            .iter()
            .filter_map(|(ip, at)| Some((*ip, e.addresses.get(*at)?.net)))
    });
    let mut out: Vec<(IpAddr, IpNet)> = Vec::new();
    for (ip, net) in all {
        // An EIP of a HaVip is listed on every interface that may hold it.
        if !out.contains(&(ip, net)) {
            out.push((ip, net));
        }
    }
    out
}

/// An interface: its addresses on `eth0`, its groups, and forwarding unless the check forbids it (§4.1).
pub(crate) fn eni(p: &Plan, at: usize) -> Result<Script, KernelError> {
    let e = &p.enis[at];
    if e.front.is_some() {
        return front(p, at);
    }
    if let Some(n) = p.site_of(at) {
        return Ok(site(p, n));
    }
    if let Some(serves) = e.inspects {
        return Ok(inspect::endpoint(serves));
    }
    let mut s = Script {
        forwards: !e.checked && e.service.is_none(),
        ..Script::default()
    };
    s.ip("link set dev lo up");
    s.device("eth0");
    for c in 0..p.choices() {
        let held = |h: usize| p.picked(&p.ha_vips[h].holders, c) == Some(at);
        for a in e.addresses.iter().filter(|a| a.ha_vip.is_some_and(held)) {
            s.ip(format!("route add local {} dev lo table {}", a.net, HELD + c));
        }
        if e.addresses.iter().any(|a| a.ha_vip.is_some()) {
            let mark = format!("{:#x}/0xff00", c << 8);
            s.ip(format!("rule add pref 100 fwmark {mark} lookup {}", HELD + c));
        }
    }
    for a in e.addresses.iter().filter(|a| a.ha_vip.is_none()) {
        if a.net.prefix_len() == a.net.max_prefix_len() {
            let six = if a.net.addr().is_ipv6() { " nodad" } else { "" };
            s.ip(format!("address add {} dev eth0{six}", a.net));
        } else {
            s.ip(format!("route add local {} dev lo", a.net));
        }
    }
    s.ip("route add 0.0.0.0/0 dev eth0");
    s.ip("route add ::/0 dev eth0");
    s.nft(interface(p, at)?);
    Ok(s)
}

fn map(pairs: impl Iterator<Item = (String, String)>) -> String {
    let items: Vec<String> = pairs.map(|(k, v)| format!("{k} : {v}")).collect();
    items.join(", ")
}

/// The border of a VPC, between its router (`lan`) and the Internet (`net`): one-to-one translation of public
/// IPv4 addresses without state (§7.4), and the IPv6 gateway (§7.3).
pub(crate) fn border(p: &Plan, vpc: usize) -> Script {
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    s.device("lan");
    s.device("net");
    s.ip("route add 0.0.0.0/0 dev net");
    s.ip("route add ::/0 dev net");
    // What leaves, leaves: it comes back in over the Internet, past what stands there.
    for all in ["0.0.0.0/0", "::/0"] {
        s.ip(format!("route add {all} dev net table {LEAVES}"));
    }
    s.ip(format!("rule add pref 10 iif lan lookup {LEAVES}"));
    s.ip6(format!("rule add pref 10 iif lan lookup {LEAVES}"));
    let public = public(p, vpc);
    let mut inside = BTreeMap::new();
    for (ip, net) in &public {
        inside.entry(net.addr()).or_insert(*ip);
    }
    for private in inside.keys() {
        s.ip(format!("route add {private} dev lan"));
    }
    let nets = p.vswitches.iter().filter(|v| v.vpc == vpc).flat_map(|v| &v.nets);
    for net in nets.copied().chain(p.apart_ipv6(vpc)) {
        if net.addr().is_ipv6() {
            s.ip(format!("route add {net} dev lan"));
        }
    }
    let text = |a: &IpAddr, b: &IpAddr| (a.to_string(), b.to_string());
    let translation = if public.is_empty() {
        "meta nfproto ipv4 drop\n".to_string()
    } else {
        let sources: Vec<String> = inside.keys().map(ToString::to_string).collect();
        let targets: Vec<String> = public.iter().map(|(ip, _)| ip.to_string()).collect();
        let out = map(inside.iter().map(|(a, b)| text(a, b)));
        let inward = map(public.iter().map(|(ip, net)| text(ip, &net.addr())));
        format!(
            "iifname \"lan\" ip saddr != {{ {} }} drop
iifname \"net\" ip daddr != {{ {} }} drop
iifname \"lan\" ip saddr set ip saddr map {{ {out} }}
iifname \"net\" ip daddr set ip daddr map {{ {inward} }}
",
            sources.join(", "),
            targets.join(", ")
        )
    };
    let mut gateway = String::new();
    let has = p.vpcs[vpc].gateway6;
    if has {
        gateway.push_str("iifname \"net\" ct state established accept\n");
    }
    // 024, 7: a front needs no gateway.
    for e in p
        .enis
        .iter()
        .filter(|e| e.vpc == vpc && (has || e.front.is_some()))
    {
        for a in &e.addresses {
            if a.in6 {
                let _ = writeln!(gateway, "iifname \"net\" {} accept", address("daddr", &a.net));
            }
            if a.out6 {
                let _ = writeln!(gateway, "iifname \"lan\" {} accept", address("saddr", &a.net));
            }
        }
    }
    let quiet = only_probes();
    s.nft(format!(
        "table inet t {{
{quiet}
chain first {{
type filter hook prerouting priority -300; policy accept;
meta nfproto ipv4 notrack
{ZONES}
}}
chain translate {{
type filter hook prerouting priority -150; policy accept;
meta nfproto ipv4 meta l4proto != {{ 1, 6, 17 }} drop
{translation}}}
chain gateway {{
type filter hook forward priority 0; policy accept;
meta nfproto ipv4 accept
{gateway}drop
}}
}}"
    ));
    s
}

/// A rule per DNAT entry, or per port of one that shifts ports (§8.3).
pub(super) fn dnat(d: &Dnat) -> Result<Vec<String>, KernelError> {
    let to = format!("ip daddr {}", d.external);
    let protocols: &[&str] = match d.protocol {
        DnatProtocol::Tcp => &["tcp"],
        DnatProtocol::Udp => &["udp"],
        DnatProtocol::Any => &["tcp", "udp"],
    };
    let Some(m) = d.ports else {
        let proto = match d.protocol {
            DnatProtocol::Any => String::new(),
            _ => format!("meta l4proto {} ", protocols[0]),
        };
        return Ok(vec![format!("{to} {proto}dnat ip to {}", d.target)]);
    };
    let mut out = Vec::new();
    for proto in protocols {
        let ((l, h), (first, _)) = (m.external, m.internal);
        if l == first {
            out.push(format!("{to} {proto} dport {l}-{h} dnat ip to {}", d.target));
        } else if h.saturating_sub(l) >= MOST_PORTS {
            return unsupported(format!("a DNAT entry that shifts more than {MOST_PORTS} ports"));
        } else {
            for port in l..=h {
                let Some(inner) = first.checked_add(port - l) else {
                    break;
                };
                out.push(format!(
                    "{to} {proto} dport {port} dnat ip to {}:{inner}",
                    d.target
                ));
            }
        }
    }
    Ok(out)
}

/// A NAT gateway, between the router of its VPC (`lan`) and the Internet (`net`).
pub(crate) fn nat(p: &Plan, at: usize) -> Result<Script, KernelError> {
    let n = &p.nats[at];
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    s.ip("link set dev lo up");
    s.device("lan");
    s.device("net");
    s.ip("route add 0.0.0.0/0 dev net");
    // Of other VPCs too: a transit router may have brought the packet.
    let nets = p.vswitches.iter().flat_map(|v| v.nets.iter().copied());
    let inside: std::collections::BTreeSet<IpNet> = nets.chain(p.site_nets()).collect();
    for net in inside.iter().filter(|n| n.addr().is_ipv4()) {
        s.ip(format!("route add {net} dev lan"));
    }
    for ip in &n.ips {
        s.ip(format!("route add local {ip} dev lo"));
    }
    let mut inward = String::new();
    for d in &n.dnat {
        // §8.3: only towards an interface of the VPC that has no public address of its own.
        let serves = p.enis.iter().any(|e| {
            e.vpc == n.vpc && e.public.is_empty() && e.addresses.iter().any(|a| a.net.contains(&d.target))
        });
        if serves && n.ips.contains(&d.external) {
            for line in dnat(d)? {
                let _ = writeln!(inward, "{line}");
            }
        }
    }
    let mut out = String::new();
    for e in &n.snat {
        for c in 0..p.choices() {
            if let Some(ip) = p.picked(&e.ips, c) {
                let source = address("saddr", &e.source);
                let mut wanted = vec![c.to_string()];
                if !e.local {
                    wanted.push((c | ELSEWHERE).to_string());
                }
                let wanted = wanted.join(", ");
                let _ = writeln!(
                    out,
                    "iifname \"lan\" {source} ip dscp {{ {wanted} }} snat ip to {ip}"
                );
            }
        }
    }
    let quiet = only_probes();
    s.nft(format!(
        "table inet t {{
{quiet}
chain first {{
type filter hook prerouting priority -300; policy accept;
meta nfproto ipv6 drop
meta l4proto != {{ 1, 6, 17 }} drop
{ZONES}
}}
chain inward {{
type nat hook prerouting priority -100; policy accept;
{inward}}}
chain through {{
type filter hook forward priority 0; policy accept;
ct state invalid drop
iifname \"lan\" oifname \"lan\" ct status & dnat != dnat drop
iifname \"net\" oifname \"net\" drop
}}
chain outward {{
type nat hook postrouting priority 100; policy accept;
{out}iifname \"lan\" drop
}}
}}"
    ));
    Ok(s)
}

/// The Internet: every address that the inventory does not own is here. Its devices are `b0` and so on to the
/// borders of VPCs and `n0` and so on to NAT gateways.
pub(crate) fn internet(p: &Plan) -> Script {
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    s.ip("link set dev lo up");
    // In the main table: whatever is longer there is somebody's.
    s.ip("route add local 0.0.0.0/0 dev lo table main");
    s.ip("route add local ::/0 dev lo table main");
    let mut ways: BTreeMap<IpAddr, String> = BTreeMap::new();
    for v in (0..p.vpcs.len()).filter(|v| !p.vpcs[*v].site) {
        s.device(&format!("b{v}"));
        ways.extend(public(p, v).into_iter().map(|(ip, _)| (ip, format!("b{v}"))));
    }
    for (n, nat) in p.nats.iter().enumerate().filter(|(_, n)| n.internet) {
        s.device(&format!("n{n}"));
        ways.extend(nat.ips.iter().map(|ip| (*ip, format!("n{n}"))));
    }
    for ip in &p.owned {
        match ways.get(ip) {
            Some(dev) => s.ip(format!("route add {ip} dev {dev}")),
            None => s.ip(format!("route add blackhole {ip}")),
        }
    }
    for v in &p.vswitches {
        for net in v.nets.iter().filter(|n| n.addr().is_ipv6()) {
            s.ip(format!("route add {net} dev b{}", v.vpc));
        }
    }
    for v in 0..p.vpcs.len() {
        for net in p.apart_ipv6(v) {
            s.ip(format!("route add {net} dev b{v}"));
        }
    }
    s.nft(format!("table inet t {{\n{}\n}}", only_probes()));
    s
}
