//! VPC NAT gateways (ALIBABA.md §8; the numbers are those of docs/decisions/020).
//!
//! One is a namespace on a single cable to the router of its VPC, which delivers its NAT IPs to it, and takes what comes
//! from it as handed over in its vSwitch. Translation and its way back are the kernel's.

use super::balancer::{HANDED, OPENED};
use super::edge::dnat;
use super::filter::{ZONES, address, answers, only_probes};
use super::netns::Script;
use super::plan::{ELSEWHERE, Plan, Res, unsupported};
use ipnet::IpNet;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

impl Plan {
    /// Everybody in a VPC has addresses of his own.
    pub(super) fn nat_ips(&self) -> Res<()> {
        let mut taken: BTreeSet<(usize, IpAddr)> = BTreeSet::new();
        for n in self.nats.iter().filter(|n| !n.internet) {
            for ip in &n.ips {
                let mut here = self.enis.iter().filter(|e| e.vpc == n.vpc);
                let somebody = here.any(|e| e.addresses.iter().any(|a| a.net.contains(ip)));
                if ip.is_ipv6() || somebody || !taken.insert((n.vpc, *ip)) {
                    return unsupported("a NAT IP that somebody else has, too");
                }
            }
        }
        Ok(())
    }

    /// Everything that is not the Internet.
    fn private(&self) -> BTreeSet<IpNet> {
        let nets = self.vswitches.iter().flat_map(|v| v.nets.iter().copied());
        let ips = self.nats.iter().filter(|n| !n.internet).flat_map(|n| &n.ips);
        let all = nets.chain(self.site_nets()).chain(ips.map(|ip| IpNet::from(*ip)));
        all.filter(|n| n.addr().is_ipv4()).collect()
    }
}

/// What is to be done in the namespace of a VPC NAT gateway: `lan` leads to the router of its VPC.
pub(crate) fn gateway(p: &Plan, at: usize) -> Res<Script> {
    let n = &p.nats[at];
    let Some(zone) = n.vswitch else {
        return unsupported("the vSwitch of a VPC NAT gateway is not set");
    };
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    s.device("lan");
    s.ip("route add 0.0.0.0/0 dev lan");
    let mut private = String::new();
    for net in p.private() {
        let _ = writeln!(private, "{} return", address("daddr", &net));
    }
    let mut inward = String::new();
    for d in n.dnat.iter().filter(|d| n.ips.contains(&d.external)) {
        // 7: whether or not the interface has a public address.
        let mut here = p.enis.iter().filter(|e| e.vpc == n.vpc);
        if here.any(|e| e.addresses.iter().any(|a| a.net.contains(&d.target))) {
            for line in dnat(d)? {
                let _ = writeln!(inward, "{line}");
            }
        }
    }
    // 4: what is for the gateway itself and no entry sends on.
    let mut own = String::new();
    for ip in &n.ips {
        let _ = writeln!(own, "ct status & dnat != dnat ip daddr {ip} drop");
    }
    // 5. A vSwitch covers what is from it, and NAT IPs in its block of a gateway in it.
    let (mut out, mut near) = (String::new(), String::new());
    for c in 0..p.choices() {
        for e in &n.snat {
            if let Some(ip) = p.picked(&e.ips, c) {
                let source = address("saddr", &e.source);
                let wanted = match e.local {
                    true => c.to_string(),
                    false => format!("{c}, {}", c | ELSEWHERE),
                };
                let _ = writeln!(out, "{source} ip dscp {{ {wanted} }} snat ip to {ip}");
            }
        }
        for ip in &n.ips {
            let (is, other) = match p.vswitches[zone].nets.iter().any(|n| n.contains(ip)) {
                true => (c, c | ELSEWHERE),
                false => (c | ELSEWHERE, c),
            };
            let _ = writeln!(
                near,
                "ct direction original ct status & snat == snat ip saddr {ip} ip dscp {other} ip dscp set {is}"
            );
        }
    }
    let (quiet, answers) = (only_probes(), answers("drop"));
    // 6: a request passes once. 10: an answer that belongs to nothing here is lost. What balancers send to their
    // backends passes no such gateway ("not modelled").
    s.nft(format!(
        "table inet t {{
set seen {{
typeof ip id
size 65535
flags dynamic
}}
{quiet}
chain private {{
{private}drop
}}
chain first {{
type filter hook prerouting priority -300; policy accept;
meta nfproto ipv6 drop
{ZONES}
}}
chain once {{
type filter hook prerouting priority -150; policy accept;
ip ecn {{ {HANDED}, {OPENED} }} drop
ct state established accept
{answers}ct state invalid drop
ip id @seen drop
add @seen {{ ip id }}
jump private
}}
chain inward {{
type nat hook prerouting priority -100; policy accept;
{inward}}}
chain through {{
type filter hook forward priority 0; policy accept;
ct state established accept
{own}}}
chain outward {{
type nat hook postrouting priority 100; policy accept;
ct status & dnat == dnat accept
{out}drop
}}
chain after {{
type filter hook postrouting priority 200; policy accept;
{near}}}
}}"
    ));
    Ok(s)
}
