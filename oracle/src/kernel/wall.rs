//! Cloud Firewall (ALIBABA.md §13; the numbers are those of docs/decisions/015).
//!
//! A firewall is a namespace of its own in the cable that its boundary is: between the Internet and the border of a
//! VPC or a NAT gateway, and between a router and a NAT gateway. It keeps state, so replies pass. A connection from
//! one public address of the inventory to another passes two of them, outward first.

use super::KernelError;
use super::balancer::HANDED;
use super::filter::{ZONES, address, only_probes, services};
use super::netns::Script;
use super::plan::{ELSEWHERE, Plan, Res, certain, known, unsupported};
use bartizan_model::{FirewallPeer, FirewallPlace, FirewallRule, Typed};
use bartizan_packet::ServiceSet;
use ipnet::IpNet;
use std::fmt::Write as _;

/// Says that a route entry of a NAT firewall has led a packet to it. Nothing else that leaves by a NAT gateway has
/// come through a balancer, so the bits that tell stages are free.
const LED: &str = HANDED;

/// Where it stands.
enum Place {
    Internet,
    /// Before a NAT gateway, for tables and destinations.
    Nat(usize, Vec<(usize, IpNet)>),
    /// Between VPCs (`between`).
    Vpcs,
}

struct Policy {
    inbound: bool,
    pass: bool,
    source: Vec<IpNet>,
    destination: Vec<IpNet>,
    ipv6: bool,
    services: ServiceSet,
}

/// A firewall that is on.
pub(crate) struct Wall {
    place: Place,
    /// The smallest order first.
    policies: Vec<Policy>,
}

impl Plan {
    pub(crate) fn firewalls(&mut self, t: &Typed) -> Res<()> {
        for f in &t.firewalls {
            if !*known(&f.on, "whether a firewall is on")? {
                continue;
            }
            let place = match &f.place {
                FirewallPlace::Internet => Place::Internet,
                FirewallPlace::Nat { nat, routes } => {
                    certain(&f.meta.origin)?;
                    let nat = known(nat, "the gateway of a NAT firewall")?.index();
                    let led = routes.iter().map(|(table, net)| {
                        let table = known(table, "a table of a NAT firewall")?.index();
                        Ok((table, known(net, "a destination of a NAT firewall")?.trunc()))
                    });
                    if self.before(nat).is_some() {
                        return unsupported("two firewalls before one NAT gateway");
                    }
                    Place::Nat(nat, led.collect::<Res<_>>()?)
                }
                FirewallPlace::Vpc(at) => {
                    certain(&f.meta.origin)?;
                    self.stand(t, self.walls.len(), at)?;
                    Place::Vpcs
                }
            };
            // The mode is about policies by application alone.
            let deep = |r: &FirewallRule| r.deep.known() != Some(&false);
            let strict = f.rules.iter().any(deep) && *known(&f.strict, "the mode of a firewall")?;
            let mut policies: Vec<(u32, Policy)> = Vec::new();
            for r in &f.rules {
                certain(&r.origin)?;
                if *known(&r.active, "whether a policy takes part")? {
                    let order = *known(&r.order, "the order of a policy")?;
                    policies.extend(policy(t, r, strict)?.map(|p| (order, p)));
                }
            }
            // 2: the smallest order decides.
            policies.sort_by_key(|p| p.0);
            let policies = policies.into_iter().map(|p| p.1).collect();
            self.walls.push(Wall { place, policies });
        }
        Ok(())
    }

    /// Whether something stands between public addresses and the Internet.
    pub(crate) fn guarded(&self) -> bool {
        self.walls.iter().any(|w| matches!(w.place, Place::Internet))
    }

    /// The firewall before a NAT gateway, with what is led to it.
    fn before(&self, nat: usize) -> Option<(&Wall, &[(usize, IpNet)])> {
        self.walls.iter().find_map(|w| match &w.place {
            Place::Nat(n, led) if *n == nat => Some((w, led.as_slice())),
            _ => None,
        })
    }

    /// Whether a NAT gateway has a firewall before it.
    pub(crate) fn walled(&self, nat: usize) -> bool {
        self.before(nat).is_some()
    }
}

fn anybody(ipv6: bool) -> IpNet {
    if ipv6 {
        IpNet::V6(ipnet::Ipv6Net::default())
    } else {
        IpNet::V4(ipnet::Ipv4Net::default())
    }
}

/// A policy as far as it may decide something. 4: which application a packet belongs to is as free as the other things
/// that are tried: in loose mode one that nobody can identify passes where it meets the policy; in strict mode it may
/// be of the application that is accepted and of none that is dropped.
fn policy(t: &Typed, r: &FirewallRule, strict: bool) -> Res<Option<Policy>> {
    let deep = *known(&r.deep, "whether a policy names an application")?;
    let pass = *known(&r.pass, "the action of a policy")?;
    if deep && strict && !pass {
        return Ok(None);
    }
    let ipv6 = *known(&r.ipv6, "the family of a policy")?;
    let side = |peers: &[FirewallPeer]| {
        let mut nets = Vec::new();
        for p in peers {
            nets.push(match p {
                FirewallPeer::Net(n) => n.trunc(),
                FirewallPeer::Eip(e) => IpNet::from(*known(&t[*e].ip, "the address of an EIP")?),
                // 3: it may be about any address. What lets pass is there for all of them, what drops for none.
                FirewallPeer::Elsewhere(_) if pass || deep => anybody(ipv6),
                FirewallPeer::Elsewhere(_) => continue,
                FirewallPeer::Unknown(_) => return unsupported("a firewall policy for nobody knows whom"),
            });
        }
        nets.retain(|n| n.addr().is_ipv6() == ipv6);
        Ok(nets)
    };
    Ok(Some(Policy {
        inbound: *known(&r.inbound, "the direction of a policy")?,
        pass: pass || deep,
        source: side(&r.source)?,
        destination: side(&r.destination)?,
        ipv6,
        services: known(&r.services, "the services of a policy")?.clone(),
    }))
}

/// The rules of one direction: `return` for what passes; what meets none passes as well.
pub(super) fn list(w: &Wall, inbound: bool) -> Result<String, KernelError> {
    let mut s = String::new();
    for p in w.policies.iter().filter(|p| p.inbound == inbound) {
        let verdict = if p.pass { "return" } else { "drop" };
        // Types of ICMP of the other family cannot be met, nor be written.
        let other = if p.ipv6 { "icmp " } else { "icmpv6 " };
        let mut matches = services(&p.services)?;
        matches.retain(|m| !m.starts_with(other));
        for a in &p.source {
            for b in &p.destination {
                for m in &matches {
                    let (a, b) = (address("saddr", a), address("daddr", b));
                    let _ = writeln!(s, "{a} {b} {m} {verdict}");
                }
            }
        }
    }
    Ok(s)
}

/// Passes everything on between `lan` and `net`, as far as `rules` allow.
fn in_line(chains: &str, rules: &str, after: &str) -> Script {
    let mut s = Script {
        forwards: true,
        ..Script::default()
    };
    s.device("lan");
    s.device("net");
    for (from, to, table) in [("lan", "net", 10), ("net", "lan", 11)] {
        for all in ["0.0.0.0/0", "::/0"] {
            s.ip(format!("route add {all} dev {to} table {table}"));
        }
        let rule = format!("rule add pref {table} iif {from} lookup {table}");
        s.ip(&rule);
        s.ip6(&rule);
    }
    let quiet = only_probes();
    s.nft(format!(
        "table inet t {{
{quiet}
{chains}chain first {{
type filter hook prerouting priority -300; policy accept;
{ZONES}
}}
chain pass {{
type filter hook forward priority 0; policy accept;
ct state established accept
{rules}}}
chain after {{
type filter hook postrouting priority 200; policy accept;
{after}}}
}}"
    ));
    s
}

/// What is to be done in the namespace between public addresses (`lan`) and the Internet (`net`).
pub(crate) fn internet_boundary(p: &Plan) -> Result<Script, KernelError> {
    let (mut chains, mut rules) = (String::new(), String::new());
    // 9: the public address of a managed service is no asset of it.
    let spared = p.enis.iter().filter(|e| e.service.is_some());
    for (ip, _) in spared.flat_map(|e| &e.public) {
        let net = IpNet::from(*ip);
        let _ = writeln!(rules, "iifname \"lan\" {} accept", address("saddr", &net));
        let _ = writeln!(rules, "iifname \"net\" {} accept", address("daddr", &net));
    }
    let here = p.walls.iter().filter(|w| matches!(w.place, Place::Internet));
    for (n, w) in here.enumerate() {
        for (dev, inbound) in [("lan", false), ("net", true)] {
            let list = list(w, inbound)?;
            let _ = write!(chains, "chain {dev}_{n} {{\n{list}}}\n");
            let _ = writeln!(rules, "iifname \"{dev}\" jump {dev}_{n}");
        }
    }
    Ok(in_line(&chains, &rules, ""))
}

/// What is to be done in the namespace between the router of a VPC (`lan`) and one of its NAT gateways (`net`).
pub(crate) fn nat_boundary(p: &Plan, nat: usize) -> Result<Script, KernelError> {
    let Some((w, _)) = p.before(nat) else {
        return unsupported("a NAT gateway without firewall");
    };
    let chains = format!("chain policies {{\n{}}}\n", list(w, false)?);
    Ok(in_line(
        &chains,
        &format!("iifname \"lan\" ip ecn {LED} jump policies\n"),
        &format!("ip ecn {LED} ip ecn set not-ect\n"),
    ))
}

/// What longer routes of a table lead past the route for `net`; `None` where there is no such route.
fn past(p: &Plan, table: usize, net: &IpNet) -> Option<String> {
    let routes = &p.tables.get(table)?.routes;
    routes.iter().find(|r| r.net == *net)?;
    let longer = routes.iter().filter(|r| r.net != *net && net.contains(&r.net));
    Some(longer.map(|r| format!("ip daddr != {} ", r.net)).collect())
}

/// 13: notes on what the routes lead to the firewall of a NAT gateway; `n0` and so on are the devices to gateways. It
/// sees what an interface sends itself, and nothing that an appliance or a transit router has passed on.
pub(crate) fn led(p: &Plan, vpc: usize) -> String {
    let mut s = String::new();
    let nats = p.nats.iter().enumerate();
    for (n, _) in nats.filter(|(_, n)| n.vpc == vpc && n.internet) {
        for (table, net) in p.before(n).map(|b| b.1).unwrap_or_default() {
            let Some(longer) = past(p, *table, net) else {
                continue;
            };
            let of = |e: &super::plan::Eni| e.vpc == vpc && p.vswitches[e.vswitch].table == *table;
            for (i, e) in p.enis.iter().enumerate().filter(|(_, e)| of(e)) {
                for a in e.addresses.iter().filter(|a| a.net.addr().is_ipv4()) {
                    let own = match a.ha_vip {
                        None => format!("< {ELSEWHERE}"),
                        Some(h) => {
                            let held = |c: &usize| p.picked(&p.ha_vips[h].holders, *c) == Some(i);
                            let held: Vec<String> =
                                (0..p.choices()).filter(held).map(|c| c.to_string()).collect();
                            format!("{{ {} }}", held.join(", "))
                        }
                    };
                    let (from, to) = (address("saddr", &a.net), address("daddr", net));
                    let _ = writeln!(
                        s,
                        "iifname \"e{i}\" oifname \"n{n}\" {from} {to} {longer}ip dscp {own} ip ecn not-ect ip ecn set {LED}"
                    );
                }
            }
        }
    }
    s
}
