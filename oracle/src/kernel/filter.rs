//! Security groups and network ACLs as nftables chains (ALIBABA.md §5, §6).

use super::KernelError;
use super::balancer::HANDED;
use super::plan::{ELSEWHERE, Entry, Peer, Plan, Service, unsupported};
use bartizan_packet::{IntervalSet, PortSet, ServiceSet};
use ipnet::IpNet;
use std::fmt::Write as _;

/// The mark of packets that probes have sent, in its lowest byte; the next one is the choice. Whatever else a namespace sends of its own accord, such as
/// resets and ICMP errors, is dropped.
pub(crate) const PROBE_MARK: u32 = 7;

/// What no ACL filters (§6).
const SERVICES: [&str; 3] = ["100.100.2.128/28", "100.100.2.112/28", "100.100.100.200/32"];

/// The number of the probe is the zone of its sessions; see `packet`.
pub(crate) const ZONES: &str = "meta nfproto ipv4 ct zone set ip id\nmeta nfproto ipv6 ct zone set @nh,16,16";

/// Writes nothing but probes into the output hook.
pub(crate) fn only_probes() -> String {
    format!(
        "chain quiet {{\ntype filter hook output priority -400; policy accept;\n\
         meta mark & 0xff != {PROBE_MARK} drop\n}}"
    )
}

/// What is to be done with answers of probes, whatever a namespace knows of their sessions.
pub(crate) fn answers(verdict: &str) -> String {
    let mut s = String::new();
    for line in [
        "tcp flags & (syn | ack) == (syn | ack)",
        "meta l4proto 17 @th,128,8 1",
        "icmp type echo-reply",
        "icmpv6 type echo-reply",
        "meta l4proto 47 @th,96,8 1",
        "meta l4proto 50 @th,64,8 1",
    ] {
        let _ = writeln!(s, "{line} {verdict}");
    }
    s
}

/// A ruleset that keeps no state: `pass` are the rules for what is forwarded.
pub(crate) fn stateless(p: &Plan, pass: &str) -> String {
    let mut marks = Vec::new();
    for c in 0..p.choices() {
        for d in [c, c | ELSEWHERE] {
            marks.push(format!("{d} : {:#x}", c << 8));
        }
    }
    let marks = marks.join(", ");
    let quiet = only_probes();
    format!(
        "table inet t {{
{quiet}
chain first {{
type filter hook prerouting priority -300; policy accept;
notrack
meta nfproto ipv4 meta mark set ip dscp map {{ {marks} }}
meta nfproto ipv6 meta mark set ip6 dscp map {{ {marks} }}
}}
chain pass {{
type filter hook forward priority 0; policy accept;
{pass}}}
}}"
    )
}

/// A match on one address; empty for every address of its family, which has to be told then.
pub(crate) fn address(side: &str, net: &IpNet) -> String {
    let (family, name) = match net {
        IpNet::V4(_) => ("ip", "ipv4"),
        IpNet::V6(_) => ("ip6", "ipv6"),
    };
    if net.prefix_len() == 0 {
        format!("meta nfproto {name}")
    } else {
        format!("{family} {side} {net}")
    }
}

fn ranges<T: bartizan_packet::Bound>(set: &IntervalSet<T>) -> String {
    let parts: Vec<String> = set.ranges().iter().map(|(l, h)| format!("{l}-{h}")).collect();
    format!("{{ {} }}", parts.join(", "))
}

/// Matches that together are a set of services.
pub(crate) fn services(set: &ServiceSet) -> Result<Vec<String>, KernelError> {
    if set.is_any() {
        return Ok(vec![String::new()]);
    }
    let mut out = Vec::new();
    let mut ports = |name: &str, p: &PortSet| {
        if p.is_full() {
            out.push(format!("meta l4proto {name}"));
        } else if !p.is_empty() {
            out.push(format!("{name} dport {}", ranges(p)));
        }
    };
    ports("tcp", &set.tcp);
    ports("udp", &set.udp);
    for (name, number, types) in [("icmp", 1, &set.icmp), ("icmpv6", 58, &set.icmpv6)] {
        if types.is_full() {
            out.push(format!("meta l4proto {number}"));
            continue;
        }
        for &(l, h) in types.ranges() {
            // Whole types or one code: nothing else can be written in a configuration.
            match (l & 255, h & 255) {
                (0, 255) => out.push(format!("{name} type {}-{}", l >> 8, h >> 8)),
                (c, d) if c == d && l >> 8 == h >> 8 => {
                    out.push(format!("{name} type {} {name} code {c}", l >> 8));
                }
                _ => return unsupported("a rule for some codes of an ICMP type"),
            }
        }
    }
    if !set.other.is_empty() {
        out.push(format!("meta l4proto {}", ranges(&set.other)));
    }
    Ok(out)
}

/// Prefixes of the private addresses of a group's members in a VPC, of every kind (A-SG-1). Of a balancer also those
/// from which it sends as itself (decision 11, 11).
fn members(p: &Plan, group: usize, vpc: usize) -> Vec<IpNet> {
    let of = p
        .enis
        .iter()
        .filter(|e| e.vpc == vpc && e.groups.contains(&group));
    of.flat_map(|e| {
        let own = p.own(e).iter().map(|ip| IpNet::from(*ip));
        e.addresses.iter().map(|a| a.net).chain(own)
    })
    .collect()
}

/// The chain of one direction of an interface: returns what is accepted, drops the rest (§5.5).
fn group_chain(p: &Plan, at: usize, ingress: bool) -> Result<String, KernelError> {
    let eni = &p.enis[at];
    if let Some(service) = &eni.service {
        return allow_list(p, service, eni.vpc, ingress);
    }
    let rules = group_rules(p, at, ingress, "return")?;
    let name = if ingress { "group_in" } else { "group_out" };
    let basic = eni.groups.iter().all(|g| p.groups[*g].basic);
    let default = if basic && !ingress { "return" } else { "drop" };
    Ok(format!("chain {name} {{\n{rules}{default}\n}}"))
}

/// What policies and rules say of one direction of an interface, without the default (§5.5). `accept` is what is to
/// be done with what they accept.
pub(crate) fn group_rules(p: &Plan, at: usize, ingress: bool, accept: &str) -> Result<String, KernelError> {
    let eni = &p.enis[at];
    let side = if ingress { "saddr" } else { "daddr" };
    let mut s = String::new();
    let inner = |g: &&usize| p.groups[**g].basic && p.groups[**g].inner_accept;
    let open: Vec<usize> = eni.groups.iter().filter(inner).copied().collect();
    for peer in p
        .enis
        .iter()
        .filter(|e| e.vpc == eni.vpc && e.groups.iter().any(|g| open.contains(g)))
    {
        for a in &peer.addresses {
            let Some(h) = a.ha_vip else {
                // By interface and not by address (§5.5): a twin in another VPC is nobody.
                let family = if a.net.addr().is_ipv6() { "ip6" } else { "ip" };
                let near = format!("{family} dscp < {ELSEWHERE}");
                let _ = writeln!(s, "{} {near} {accept}", address(side, &a.net));
                continue;
            };
            // Of the members of a HaVip it is the holder that counts.
            for c in 0..p.choices() {
                let holder = p.picked(&p.ha_vips[h].holders, c);
                if holder.is_some_and(|i| std::ptr::eq(&p.enis[i], peer)) {
                    let _ = writeln!(s, "{} ip dscp {c} {accept}", address(side, &a.net));
                }
            }
        }
        for ip in p.own(peer) {
            let family = if ip.is_ipv6() { "ip6" } else { "ip" };
            let _ = writeln!(s, "{family} {side} {ip} {family} dscp < {ELSEWHERE} {accept}");
        }
    }
    for r in p
        .rules
        .iter()
        .filter(|r| r.ingress == ingress && eni.groups.contains(&r.group))
    {
        let nets = match &r.peer {
            Peer::Nets(n) => n.clone(),
            Peer::Members(g) => members(p, *g, eni.vpc),
        };
        let verdict = if r.accept { accept } else { "drop" };
        let services = services(&r.services)?;
        for (n, service) in nets.iter().flat_map(|n| services.iter().map(move |s| (n, s))) {
            let _ = writeln!(s, "{} {service} {verdict}", address(side, n));
        }
    }
    Ok(s)
}

/// The same of a managed service: whom the list admits on its own ports; it opens nothing itself (§15).
fn allow_list(p: &Plan, s: &Service, vpc: usize, ingress: bool) -> Result<String, KernelError> {
    if !ingress {
        return Ok("chain group_out {\ndrop\n}".into());
    }
    let mut nets = s.nets.clone();
    nets.extend(s.groups.iter().flat_map(|g| members(p, *g, vpc)));
    let services = services(&s.services)?;
    let mut out = "chain group_in {\n".to_string();
    for (n, service) in nets.iter().flat_map(|n| services.iter().map(move |s| (n, s))) {
        let _ = writeln!(out, "{} {service} return", address("saddr", n));
    }
    out.push_str("drop\n}");
    Ok(out)
}

/// The ruleset of an interface.
pub(crate) fn interface(p: &Plan, at: usize) -> Result<String, KernelError> {
    let (inward, outward) = (group_chain(p, at, true)?, group_chain(p, at, false)?);
    let quiet = only_probes();
    // A-CLB-1: the groups of a backend do not see what CLB and NLB hand on; an allow list does.
    let handed = if p.balancers.is_empty() || p.enis[at].service.is_some() {
        String::new()
    } else {
        let one = |family: &&str| format!("{family} ecn {HANDED} accept\n");
        p.families().iter().map(one).collect()
    };
    // The mark chooses the table with the HaVips that it holds.
    let choices: Vec<String> = (0..p.choices())
        .flat_map(|c| [c, c | ELSEWHERE].map(|d| format!("{d} : {:#x}", c << 8)))
        .collect();
    let choice = format!(
        "meta nfproto ipv4 meta mark set ip dscp map {{ {} }}\n",
        choices.join(", ")
    );
    // What an appliance passes on enters it and leaves it.
    Ok(format!(
        "table inet t {{
{inward}
{outward}
{quiet}
chain zone_in {{
type filter hook prerouting priority -300; policy accept;
{ZONES}
{choice}}}
chain zone_out {{
type filter hook output priority -300; policy accept;
{ZONES}
}}
chain inward {{
type filter hook input priority 0; policy accept;
ct state established accept
{handed}jump group_in
}}
chain outward {{
type filter hook output priority 0; policy accept;
ct state established accept
jump group_out
}}
chain through {{
type filter hook forward priority 0; policy accept;
ct state established accept
jump group_in
jump group_out
}}
}}"
    ))
}

fn acl_list(entries: &[Entry], side: &str) -> Result<String, KernelError> {
    let mut s = String::new();
    for net in SERVICES {
        let _ = writeln!(s, "ip {side} {net} return");
    }
    for e in entries {
        let verdict = if e.accept { "return" } else { "drop" };
        let services = services(&e.services)?;
        for (n, service) in e.nets.iter().flat_map(|n| services.iter().map(move |s| (n, s))) {
            let _ = writeln!(s, "{} {service} {verdict}", address(side, n));
        }
    }
    s.push_str("drop\n");
    Ok(s)
}

/// The chains of the ACLs of a VPC, and the rules that lead to them from the hook where packets are forwarded:
/// `e0` and so on are the legs of the interfaces (§6).
pub(crate) fn acls(p: &Plan, vpc: usize) -> Result<(String, String), KernelError> {
    let mut chains = String::new();
    let (mut pairs, mut out, mut inward) = (Vec::new(), Vec::new(), Vec::new());
    for (i, e) in p.enis.iter().enumerate().filter(|(_, e)| e.vpc == vpc) {
        // A balancer that is in no vSwitch only stands beside one.
        let mates = p.enis.iter().enumerate();
        let mates = mates.filter(|(_, o)| o.vswitch == e.vswitch && !o.detached && !e.detached);
        pairs.extend(mates.map(|(j, _)| format!("\"e{i}\" . \"e{j}\"")));
        // 020, 3: nor does what a VPC NAT gateway in the vSwitch takes in leave it.
        let nats = p.nats.iter().enumerate();
        let beside = nats.filter(|(_, n)| !n.internet && n.vswitch == Some(e.vswitch) && !e.detached);
        pairs.extend(beside.map(|(n, _)| format!("\"e{i}\" . \"n{n}\"")));
        // An EIP in ENI-visible mode is not filtered (§7.4), and there is nothing else then.
        // Nor is a managed service (§15.3).
        if let Some(a) = p.vswitches[e.vswitch]
            .acl
            .filter(|_| !e.visible && e.service.is_none() && !e.detached)
        {
            out.push(format!("\"e{i}\" : jump acl_out_{a}"));
            inward.push(format!("\"e{i}\" : jump acl_in_{a}"));
        }
    }
    let mut bound: Vec<usize> = p
        .vswitches
        .iter()
        .filter(|v| v.vpc == vpc)
        .filter_map(|v| v.acl)
        .collect();
    bound.sort_unstable();
    bound.dedup();
    for a in bound {
        let (i, o) = (&p.acls[a].ingress, &p.acls[a].egress);
        let (i, o) = (acl_list(i, "saddr")?, acl_list(o, "daddr")?);
        let _ = write!(
            chains,
            "chain acl_in_{a} {{\n{i}}}\nchain acl_out_{a} {{\n{o}}}\n"
        );
    }
    let mut rules = String::new();
    if !out.is_empty() {
        // Inside a vSwitch nothing is filtered.
        let _ = writeln!(rules, "iifname . oifname {{ {} }} accept", pairs.join(", "));
        let _ = writeln!(rules, "iifname vmap {{ {} }}", out.join(", "));
        let _ = writeln!(rules, "oifname vmap {{ {} }}", inward.join(", "));
    }
    Ok((chains, rules))
}
