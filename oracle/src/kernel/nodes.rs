//! The namespaces of sites, VPN gateways, attached connections and border routers (`hybrid`).

use super::filter::{address, only_probes, stateless};
use super::hybrid::{At, Connection, Node, Way, link_mark};
use super::netns::Script;
use super::plan::{Pick, Plan, Res, unsupported};
use crate::hybrid::Beyond;
use ipnet::{IpNet, Ipv4Net};
use std::fmt::Write as _;

/// What is to be done in the namespace of a site: everything that comes is taken in, and the mark of what is sent says
/// by which link.
pub(crate) fn site(p: &Plan, site: usize) -> Script {
    let mut s = Script {
        forwards: true,
        takes_its_own: true,
        ..Script::default()
    };
    s.ip("link set dev lo up");
    s.ip("route add local 0.0.0.0/0 dev lo table main");
    for n in p.links_of(&[site]) {
        s.device(&format!("k{n}"));
        let (mark, table) = (link_mark(n), 100 + n);
        s.ip(format!("route add 0.0.0.0/0 dev k{n} table {table}"));
        s.ip(format!(
            "rule add pref 20 iif lo fwmark {mark:#x}/0xff0000 lookup {table}"
        ));
    }
    s.nft(format!("table inet t {{\n{}\n}}", only_probes()));
    s
}

/// Routes of one table, or of one per choice.
struct Tables<'a> {
    p: &'a Plan,
    s: Script,
    next: usize,
    pref: usize,
}

impl Tables<'_> {
    /// A rule, and the table that it leads to: per prefix the device, or nowhere.
    fn add<T: Copy + PartialEq>(
        &mut self,
        when: &str,
        routes: &[(IpNet, Pick<T>)],
        device: &dyn Fn(T) -> Option<String>,
    ) {
        if routes.is_empty() {
            return;
        }
        let choices = if routes.iter().any(|r| r.1.of.len() > 1) {
            self.p.choices()
        } else {
            1
        };
        for c in 0..choices {
            let table = self.next;
            self.next += 1;
            for (net, to) in routes {
                let way = self.p.picked(to, c).and_then(device);
                match way {
                    Some(dev) => self.s.ip(format!("route add {net} dev {dev} table {table}")),
                    None => self.s.ip(format!("route add unreachable {net} table {table}")),
                }
            }
            let which = match choices {
                1 => String::new(),
                _ => format!(" fwmark {:#x}/0xff00", c << 8),
            };
            for (six, families) in [(false, "ip"), (true, "ip6")] {
                if routes.iter().any(|r| r.0.addr().is_ipv6() == six) {
                    let line = format!("rule add pref {}{when}{which} lookup {table}", self.pref);
                    if families == "ip" {
                        self.s.ip(line);
                    } else {
                        self.s.ip6(line);
                    }
                }
            }
        }
        self.pref += 1;
    }

    /// What no rule has sent anywhere.
    fn end(&mut self) {
        self.s.ip("rule add pref 30000 unreachable");
        self.s.ip6("rule add pref 30000 unreachable");
    }
}

fn tables(p: &Plan) -> Tables<'_> {
    Tables {
        p,
        s: Script {
            forwards: true,
            ..Script::default()
        },
        next: 1000,
        pref: 100,
    }
}

/// 10: what a connection carries towards its site and from there, in a chain of its own each.
fn carries(c: &Connection, dev: &str, rules: &mut String) -> String {
    let mut s = String::new();
    for (chain, sources, destinations) in [("to", &c.local, &c.remote), ("from", &c.remote, &c.local)] {
        let _ = writeln!(s, "chain {chain}_{dev} {{");
        let v4 = |n: &&IpNet| n.addr().is_ipv4();
        for a in sources.iter().filter(v4) {
            for b in destinations.iter().filter(v4) {
                let _ = writeln!(s, "{} {} return", address("saddr", a), address("daddr", b));
            }
        }
        let _ = writeln!(s, "drop\n}}");
    }
    let _ = writeln!(rules, "iifname \"{dev}\" oifname \"{dev}\" drop");
    let _ = writeln!(rules, "iifname \"{dev}\" jump from_{dev}");
    let _ = writeln!(rules, "oifname \"{dev}\" jump to_{dev}");
    s
}

fn with_chains(chains: &str, ruleset: &str) -> String {
    ruleset.replacen("table inet t {\n", &format!("table inet t {{\n{chains}"), 1)
}

/// What is to be done in the namespace of a VPN gateway: `lan` leads to the VPC, `c0` and so on to sites.
fn gateway(p: &Plan, at: usize) -> Script {
    let g = &p.hybrid.gateways[at];
    let mut t = tables(p);
    t.s.device("lan");
    let here = p.hybrid.connections.iter().enumerate();
    let here = here.filter(|(_, c)| c.gateway == Some(at));
    let (mut chains, mut rules) = (String::new(), "meta nfproto ipv6 drop\n".to_string());
    let mut devices = Vec::new();
    for (n, c) in here {
        let dev = format!("c{n}");
        t.s.device(&dev);
        chains += &carries(c, &dev, &mut rules);
        devices.push(dev);
    }
    // 7, 11: what is for the VPC goes there from a connection, and nowhere from the VPC itself.
    let blocks = p.blocks_of(g.vpc);
    let lan = |n: &IpNet| (*n, Pick::one(()));
    let home: Vec<(IpNet, Pick<()>)> = blocks.iter().map(lan).collect();
    t.add("", &home, &|()| Some("lan".into()));
    let dev = |c: Option<usize>| c.map(|c| format!("c{c}"));
    t.add("", &g.pools, &dev);
    for (s, d, to) in &g.policy {
        let mut when = String::new();
        if s.prefix_len() > 0 {
            let _ = write!(when, " from {s}");
        }
        t.add(&when, &[(*d, to.clone())], &dev);
    }
    t.add("", &g.plain, &dev);
    t.add("", &g.learned, &dev);
    let all = [(IpNet::V4(Ipv4Net::default()), Pick::one(()))];
    for dev in devices {
        t.add(&format!(" iif {dev}"), &all, &|()| Some("lan".into()));
    }
    t.end();
    rules.push_str("iifname \"lan\" oifname \"lan\" drop\n");
    t.s.nft(with_chains(&chains, &stateless(p, &rules)));
    t.s
}

/// What is to be done in the namespace of a connection that is attached to a transit router.
fn attached(p: &Plan, at: usize) -> Res<Script> {
    let c = &p.hybrid.connections[at];
    let mut t = tables(p);
    let dev = format!("c{at}");
    t.s.device(&dev);
    // 13: routes of its own and what its site announces.
    let to = |n: &IpNet| (*n, Pick::one(()));
    let mut nets: Vec<IpNet> = c.routes.iter().chain(&c.learned).copied().collect();
    nets.sort_unstable();
    nets.dedup();
    let known: Vec<(IpNet, Pick<()>)> = nets.iter().map(to).collect();
    let all = [(IpNet::V4(Ipv4Net::default()), Pick::one(()))];
    let here = p.attachments.iter().enumerate();
    let here: Vec<usize> = here
        .filter(|(_, a)| a.beyond == Some(Beyond::Connection(at)))
        .map(|(n, _)| n)
        .collect();
    if here.len() > 1 {
        return unsupported("a connection is attached twice");
    }
    for a in here {
        let lan = format!("a{a}");
        t.s.device(&lan);
        t.add(&format!(" iif {lan}"), &known, &|()| Some(dev.clone()));
        t.add(&format!(" iif {dev}"), &all, &|()| Some(lan.clone()));
    }
    t.end();
    let mut rules = "meta nfproto ipv6 drop\n".to_string();
    let chains = carries(c, &dev, &mut rules);
    t.s.nft(with_chains(&chains, &stateless(p, &rules)));
    Ok(t.s)
}

/// What is to be done in the namespace of a border router: `port` leads to its site, `r0` and so on by router interfaces,
/// `a0` and so on to transit routers.
fn border(p: &Plan, at: usize) -> Script {
    let mut t = tables(p);
    let mut devices = vec!["port".to_string()];
    for (n, _) in p.hybrid.interfaces.iter().enumerate() {
        if p.interface_of(At::Border(at), n).is_some() {
            devices.push(format!("r{n}"));
        }
    }
    let here = p.attachments.iter().enumerate();
    let here = here.filter(|(_, a)| a.beyond == Some(Beyond::Border(at)));
    devices.extend(here.map(|(n, _)| format!("a{n}")));
    let mut rules = String::new();
    for dev in &devices {
        t.s.device(dev);
        let _ = writeln!(rules, "iifname \"{dev}\" oifname \"{dev}\" drop");
    }
    // What has passed a firewall has come over a router interface all the same.
    for (k, interface) in p.crossed_into(at) {
        t.s.device(&format!("g{k}"));
        let _ = writeln!(rules, "iifname \"g{k}\" oifname \"r{interface}\" drop");
    }
    t.add("", &p.hybrid.borders[at].routes, &|w| match w {
        Way::Port => Some("port".into()),
        Way::Interface(i) => Some(format!("r{i}")),
        Way::Attachment(a) => Some(format!("a{a}")),
        Way::Nowhere => None,
    });
    t.end();
    t.s.nft(stateless(p, &rules));
    t.s
}

/// What is to be done in the namespace of a node.
pub(crate) fn node(p: &Plan, n: Node) -> Res<Script> {
    match n {
        Node::Gateway(g) => Ok(gateway(p, g)),
        Node::Attached(c) => attached(p, c),
        Node::Border(b) => Ok(border(p, b)),
    }
}
