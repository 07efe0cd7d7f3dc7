//! The router of a VPC: routes per vSwitch, gateways, ACLs (ALIBABA.md §3, §6, §7).
//!
//! A packet is marked with the vSwitch that it comes from. Rules by mark try, in this order: every route that is
//! longer than /0, where a local route says "go on"; delivery inside the VPC; the default route for declared
//! private ranges; the public address of the sender (§7.1); the default route.

use super::KernelError;
use super::balancer::{BACK, HANDED, OPENED, any_of};
use super::filter::{acls, address, only_probes};
use super::netns::Script;
use super::origin::origin;
use super::plan::{ELSEWHERE, Hop, Plan};
use super::wall::led;
use ipnet::IpNet;
use std::fmt::Write as _;

/// Where a packet comes from that an IPv4 gateway with a table of its own lets in.
const GATEWAY: usize = 200;
/// Where a packet comes from that a transit router without zones hands over.
const SYSTEM: usize = 201;
/// Where a packet comes from that a NAT gateway sends back into the VPC; the first gateway of all.
const NAT: usize = 210;
/// The table that leads to the Internet as oneself.
const OWN: usize = 901;
/// The table of managed services: their public side needs no route and no gateway (§15).
const SERVED: usize = 902;
/// The same for IPv6 of fronts that are in no vSwitch.
const APART: usize = 903;
/// The table of a front, for what goes back to it.
const FRONT: usize = 2_000_000;
/// In a mark: the front that a packet goes back to (from 1), whether only where it would be delivered in the VPC
/// anyway, and whether it is on its way from a front to a backend.
const BACK_TO: u32 = 0xff << 16;
const WHEN_LOCAL: u32 = 1 << 24;
const FROM_FRONT: u32 = 1 << 25;
/// In a mark: the answer of a front to somebody on the Internet, over IPv6.
const OUTWARD: u32 = 1 << 26;
/// Destinations that are not on the Internet.
const PRIVATE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"];

/// Where a packet comes from: a vSwitch (from 1), the gateway, or something that delivers directly (0).
type From = usize;

fn mark(from: From, choice: usize) -> usize {
    from | choice << 8
}

fn long_table(table: usize, choice: usize) -> usize {
    1000 + table * 64 + choice * 2
}

fn default_table(table: usize, choice: usize) -> usize {
    long_table(table, choice) + 1
}

fn delivery_table(choice: usize) -> usize {
    910 + choice
}

struct Router<'a> {
    p: &'a Plan,
    vpc: usize,
    s: Script,
}

/// What is to be done in the router of a VPC. Its devices are `e0` and so on to interfaces, `n0` and so on to
/// NAT gateways and `wan` to the border.
pub(crate) fn router(p: &Plan, vpc: usize) -> Result<Script, KernelError> {
    let mut r = Router {
        p,
        vpc,
        s: Script {
            forwards: true,
            ..Script::default()
        },
    };
    r.s.device("wan");
    for (i, _) in r.enis() {
        r.s.device(&format!("e{i}"));
    }
    for (n, _) in r.nats().chain(r.inner()) {
        r.s.device(&format!("n{n}"));
    }
    for d in r.joins() {
        r.s.device(&d);
    }
    for k in p.crossed_from(vpc) {
        r.s.device(&format!("f{k}"));
    }
    r.delivery();
    r.fronts()?;
    r.tables();
    r.rules();
    r.ruleset()?;
    Ok(r.s)
}

impl<'a> Router<'a> {
    fn enis(&self) -> impl Iterator<Item = (usize, &'a super::plan::Eni)> + use<'a> {
        let vpc = self.vpc;
        self.p.enis.iter().enumerate().filter(move |(_, e)| e.vpc == vpc)
    }

    fn nats(&self) -> impl Iterator<Item = (usize, &'a super::nat::Nat)> + use<'a> {
        let vpc = self.vpc;
        self.p
            .nats
            .iter()
            .enumerate()
            .filter(move |(_, n)| n.vpc == vpc && n.internet)
    }

    /// The VPC NAT gateways.
    fn inner(&self) -> impl Iterator<Item = (usize, &'a super::nat::Nat)> + use<'a> {
        let vpc = self.vpc;
        let all = self.p.nats.iter().enumerate();
        all.filter(move |(_, n)| n.vpc == vpc && !n.internet)
    }

    /// The attachments of the VPC.
    fn attachments(&self) -> impl Iterator<Item = (usize, &'a Option<super::plan::Pick<usize>>)> + use<'a> {
        let vpc = self.vpc;
        let all = self.p.attachments.iter().enumerate();
        all.filter_map(move |(i, a)| a.vpc.as_ref().filter(|v| v.0 == vpc).map(|v| (i, &v.1)))
    }

    /// The peerings of the VPC.
    fn peerings(&self) -> impl Iterator<Item = usize> + use<'a> {
        let vpc = self.vpc;
        let all = self.p.peerings.iter().enumerate();
        all.filter(move |(_, p)| p.vpcs.contains(&vpc)).map(|(i, _)| i)
    }

    /// Devices that lead into other VPCs.
    fn joins(&self) -> Vec<String> {
        let peers = self.peerings().map(|p| format!("p{p}"));
        let crossed = self.p.crossed(self.vpc, true).into_iter();
        peers
            .chain(crossed.map(|k| format!("g{k}")))
            .chain(self.attachments().map(|(a, _)| format!("t{a}")))
            .chain(self.p.handing(self.vpc).into_iter().map(|(dev, _)| dev))
            .collect()
    }

    /// Who asks which table: the vSwitches, the gateway, transit routers and NAT gateways.
    fn askers(&self) -> Vec<(From, usize)> {
        let here = self.p.vswitches.iter().enumerate();
        let here = here.filter(|(_, v)| v.vpc == self.vpc);
        let mut out: Vec<(From, usize)> = here.map(|(i, v)| (i + 1, v.table)).collect();
        if let Some(Some(t)) = self.p.vpcs[self.vpc].gateway4 {
            out.push((GATEWAY, t));
        }
        let system = self.p.vpcs[self.vpc].system_table;
        let links = self.p.handing(self.vpc);
        if self.attachments().any(|(_, zones)| zones.is_none()) || links.iter().any(|l| l.1.is_none()) {
            out.push((SYSTEM, system));
        }
        for (n, nat) in self.nats() {
            out.push((NAT + n, nat.vswitch.map_or(system, |v| self.p.vswitches[v].table)));
        }
        out
    }

    /// Every address of the VPC to the interface that has it.
    fn delivery(&mut self) {
        for c in 0..self.p.choices() {
            let table = delivery_table(c);
            for (i, e) in self.enis() {
                for a in &e.addresses {
                    let holder = a
                        .ha_vip
                        .and_then(|h| self.p.picked(&self.p.ha_vips[h].holders, c));
                    if a.ha_vip.is_none() || holder == Some(i) {
                        self.s.ip(format!("route add {} dev e{i} table {table}", a.net));
                    }
                }
            }
            // Decision 20, 2: only what is in a vSwitch block is looked up there.
            for (n, nat) in self.inner() {
                for ip in &nat.ips {
                    self.s.ip(format!("route add {ip} dev n{n} table {table}"));
                }
            }
            self.s
                .ip(format!("route add unreachable 0.0.0.0/0 table {table}"));
            self.s.ip(format!("route add unreachable ::/0 table {table}"));
        }
        self.s.ip(format!("route add 0.0.0.0/0 dev wan table {OWN}"));
        for net in PRIVATE {
            self.s.ip(format!("route add throw {net} table {OWN}"));
        }
    }

    fn tables(&mut self) {
        let mut done = Vec::new();
        for (from, t) in self.askers() {
            if done.contains(&t) {
                continue;
            }
            done.push(t);
            let table = &self.p.tables[t];
            let choices = if table.varies() { self.p.choices() } else { 1 };
            for c in 0..choices {
                let (long, last) = (long_table(t, c), default_table(t, c));
                let mut default = [false; 2];
                for r in &table.routes {
                    let into = if r.net.prefix_len() > 0 {
                        long
                    } else {
                        default[usize::from(r.net.addr().is_ipv6())] = true;
                        last
                    };
                    let hop = self.p.picked(&r.hops, c).unwrap_or(Hop::Nowhere);
                    let crossing = self.p.by_route(t, &r.net, hop);
                    let hop = match hop {
                        Hop::Local => format!("throw {}", r.net),
                        Hop::Eni(i) => format!("{} dev e{i}", r.net),
                        // The gateway lets packets in; it does not send them out again.
                        Hop::Nat(_) | Hop::Gateway4 | Hop::Gateway6 | Hop::Vpn(_) | Hop::Interface(_)
                            if from == GATEWAY =>
                        {
                            format!("unreachable {}", r.net)
                        }
                        Hop::Peering(p) => format!("{} dev p{p}", r.net),
                        Hop::Attachment(a) => format!("{} dev t{a}", r.net),
                        Hop::Vpn(g) => format!("{} dev v{g}", r.net),
                        Hop::Interface(i) => format!("{} dev r{i}", r.net),
                        Hop::Nat(n) => format!("{} dev n{n}", r.net),
                        Hop::Gateway4 | Hop::Gateway6 => format!("{} dev wan", r.net),
                        Hop::Nowhere => format!("unreachable {}", r.net),
                    };
                    let hop = match crossing {
                        Some(k) if !hop.starts_with("unreachable") => format!("{} dev f{k}", r.net),
                        _ => hop,
                    };
                    self.s.ip(format!("route add {hop} table {into}"));
                }
                for (missing, all) in [(!default[0], "0.0.0.0/0"), (!default[1], "::/0")] {
                    if missing {
                        self.s.ip(format!("route add unreachable {all} table {last}"));
                    }
                }
            }
        }
    }

    /// One rule in both families.
    fn rule(&mut self, text: &str) {
        self.s.ip(format!("rule add {text}"));
        self.s.ip6(format!("rule add {text}"));
    }

    /// One in the family of an address.
    fn family_rule(&mut self, of: &IpNet, text: &str) {
        match of {
            IpNet::V4(_) => self.s.ip(format!("rule add {text}")),
            IpNet::V6(_) => self.s.ip6(format!("rule add {text}")),
        }
    }

    /// Rules that send what comes from `from` to a table of its choice.
    fn ask(&mut self, pref: usize, from: From, table: usize, to: &str, id: fn(usize, usize) -> usize) {
        if self.p.tables[table].varies() {
            for c in 0..self.p.choices() {
                let (m, id) = (mark(from, c), id(table, c));
                self.rule_to(to, &format!("pref {pref} fwmark {m}/0xffff{to} lookup {id}"));
            }
        } else {
            let id = id(table, 0);
            self.rule_to(to, &format!("pref {pref} fwmark {from}/0xff{to} lookup {id}"));
        }
    }

    fn rule_to(&mut self, to: &str, text: &str) {
        if to.is_empty() {
            self.rule(text);
        } else {
            self.s.ip(format!("rule add {text}"));
        }
    }

    fn rules(&mut self) {
        let askers = self.askers();
        let p = self.p;
        self.served();
        // Decision 11, 10: a balancer reaches backends of its VPC whatever the routes say.
        if self.enis().any(|(_, e)| e.front.is_some()) {
            self.deliver(40, Some((FROM_FRONT, FROM_FRONT)));
        }
        // A NAT gateway hands back directly what is for its own VPC.
        for (n, _) in self.nats() {
            self.deliver(90, Some(((NAT + n) as u32, 0xff)));
        }
        for &(from, table) in &askers {
            self.ask(100, from, table, "", long_table);
        }
        self.deliver(200, None);
        for net in &p.vpcs[self.vpc].user_nets {
            for &(from, table) in askers.iter().filter(|_| net.addr().is_ipv4()) {
                self.ask(300, from, table, &format!(" to {net}"), default_table);
            }
        }
        if p.vpcs[self.vpc].gateway4.is_none() {
            for (i, e) in self.enis() {
                for (_, at) in &e.public {
                    if let Some(a) = e.addresses.get(*at) {
                        self.s
                            .ip(format!("rule add pref 400 iif e{i} from {} lookup {OWN}", a.net));
                    }
                }
            }
        }
        for &(from, table) in &askers {
            self.ask(500, from, table, "", default_table);
        }
    }

    /// Rules that deliver what is for the VPC itself, of packets whose mark has some value under a mask.
    fn deliver(&mut self, pref: usize, only: Option<(u32, u32)>) {
        let p = self.p;
        let holders = p.enis.iter().flat_map(|e| &e.addresses);
        let holders = holders.filter(|a| a.ha_vip.is_some()).count() > 0;
        let vpc = self.vpc;
        let here = p.vswitches.iter().filter(|v| v.vpc == vpc);
        for net in here.flat_map(|v| &v.nets) {
            for c in 0..if holders { p.choices() } else { 1 } {
                let (value, mask) = only.unwrap_or_default();
                let (value, mask) = if holders {
                    // There are at most 32 choices.
                    (value | mark(0, c) as u32, mask | 0xff00)
                } else {
                    (value, mask)
                };
                let which = match mask {
                    0 => String::new(),
                    _ => format!(" fwmark {value:#x}/{mask:#x}"),
                };
                let table = delivery_table(c);
                self.family_rule(net, &format!("pref {pref} to {net}{which} lookup {table}"));
            }
        }
    }

    /// What goes back to a front is taken there: directly from a backend of the VPC, from elsewhere once the routes say
    /// that it is for the VPC. A balancer in no vSwitch is reached by its public address.
    fn fronts(&mut self) -> Result<(), KernelError> {
        let here = self.p.vswitches.iter().filter(|v| v.vpc == self.vpc);
        let nets: Vec<IpNet> = here.flat_map(|v| &v.nets).copied().collect();
        for (n, (i, e)) in self.enis().filter(|(_, e)| e.front.is_some()).enumerate() {
            let Some(mark) = u32::try_from(n + 1).ok().filter(|n| *n <= 0xff).map(|n| n << 16) else {
                return super::plan::unsupported("more than 255 fronts in a VPC");
            };
            let (all, table) = (BACK_TO | WHEN_LOCAL, FRONT + i);
            self.s.ip(format!("route add 0.0.0.0/0 dev e{i} table {table}"));
            self.s.ip(format!("route add ::/0 dev e{i} table {table}"));
            self.rule(&format!("pref 10 fwmark {mark:#x}/{all:#x} lookup {table}"));
            let later = mark | WHEN_LOCAL;
            for net in &nets {
                self.family_rule(
                    net,
                    &format!("pref 195 to {net} fwmark {later:#x}/{all:#x} lookup {table}"),
                );
            }
            for a in e.addresses.iter().filter(|_| e.detached) {
                let relayed = format!("{FROM_FRONT:#x}/{FROM_FRONT:#x}");
                for (pref, from) in [(196, "iif wan"), (41, &format!("fwmark {relayed}"))] {
                    let to = a.net;
                    self.family_rule(&to, &format!("pref {pref} {from} to {to} lookup {table}"));
                }
            }
        }
        Ok(())
    }

    /// Marks of what is between a front and a backend.
    fn relays(&self) -> String {
        let (mut direct, mut routed) = (String::new(), String::new());
        for (n, (i, e)) in self.enis().filter(|(_, e)| e.front.is_some()).enumerate() {
            let number = (n + 1) << 16;
            for family in self.p.families() {
                let _ = writeln!(
                    direct,
                    "iifname \"e{i}\" {family} ecn {{ {HANDED}, {OPENED} }} meta mark set meta mark | {FROM_FRONT:#x}"
                );
            }
            if self.p.has_family(i, true) {
                // What it answers to who has come by the Internet.
                let _ = writeln!(
                    direct,
                    "iifname \"e{i}\" ip6 ecn not-ect ip6 dscp < {ELSEWHERE} meta mark set meta mark | {OUTWARD:#x}"
                );
            }
            // Backends of the VPC answer to the front itself; what comes otherwise has been routed here.
            for (b, _) in self.enis() {
                let of = self
                    .p
                    .chains_with(|h| h.front == i && h.to == b && !self.p.is_link(h));
                if !of.is_empty() {
                    let of = any_of(&of);
                    for family in self.p.families() {
                        let _ = writeln!(
                            direct,
                            "iifname \"e{b}\" {family} ecn {BACK} {of} meta mark set meta mark | {number:#x}"
                        );
                    }
                }
            }
            let far = |b: usize| self.p.enis[b].vpc != self.vpc;
            let of = self
                .p
                .chains_with(|h| h.front == i && far(h.to) && !self.p.is_link(h));
            if !e.detached && !of.is_empty() {
                // There are at most 255 fronts.
                let later = number as u32 | WHEN_LOCAL;
                let of = any_of(&of);
                for family in self.p.families() {
                    let _ = writeln!(
                        routed,
                        "meta mark & {BACK_TO:#x} == 0 {family} ecn {BACK} {of} meta mark set meta mark | {later:#x}"
                    );
                }
            }
        }
        direct + &routed
    }

    /// What managed services send to the Internet goes there, whatever the routes say.
    fn served(&mut self) {
        let services: Vec<usize> = self.enis().filter(|(_, e)| e.managed()).map(|(i, _)| i).collect();
        if services.is_empty() {
            return;
        }
        self.s.ip(format!("route add 0.0.0.0/0 dev wan table {SERVED}"));
        for net in PRIVATE {
            self.s.ip(format!("route add throw {net} table {SERVED}"));
        }
        for i in services {
            self.s.ip(format!("rule add pref 50 iif e{i} lookup {SERVED}"));
        }
        // 024, 7 and 8: the same of the IPv6 addresses of fronts. Whoever is in the VPC has come to one in a vSwitch by the
        // VPC, and to one in no vSwitch by the Internet.
        let here = self.p.vswitches.iter().filter(|v| v.vpc == self.vpc);
        let nets: Vec<IpNet> = here.flat_map(|v| &v.nets).copied().collect();
        self.s.ip(format!("route add ::/0 dev wan table {SERVED}"));
        self.s.ip(format!("route add ::/0 dev wan table {APART}"));
        for net in nets.iter().filter(|n| n.addr().is_ipv6()) {
            self.s.ip(format!("route add throw {net} table {SERVED}"));
        }
        let all: Vec<(usize, bool)> = self
            .enis()
            .filter(|(i, _)| self.p.has_family(*i, true))
            .map(|(i, e)| (i, e.detached))
            .collect();
        for (i, detached) in all {
            let table = if detached { APART } else { SERVED };
            self.s.ip6(format!(
                "rule add pref 50 iif e{i} fwmark {OUTWARD:#x}/{OUTWARD:#x} lookup {table}"
            ));
        }
    }

    fn ruleset(&mut self) -> Result<(), KernelError> {
        let (chains, filters) = acls(self.p, self.vpc)?;
        let marks = self.marks();
        let relays = self.relays();
        let enis: Vec<usize> = self.enis().map(|(i, _)| i).collect();
        let [origin, elsewhere, home] = origin(self.p, &enis, &self.joins());
        let arrivals = self.arrivals();
        let departures = led(self.p, self.vpc) + &self.departures();
        let apart = self.apart();
        let quiet = only_probes();
        // Not one rule asks for the state of a session, so none is kept; `notrack` says so.
        self.s.nft(format!(
            "table inet t {{
{origin}{chains}chain filters {{
{filters}}}
{quiet}
chain stateless {{
type filter hook prerouting priority -300; policy accept;
notrack
}}
chain arrive {{
type filter hook prerouting priority -150; policy accept;
{elsewhere}{arrivals}{marks}{relays}{home}
}}
chain pass {{
type filter hook forward priority 0; policy accept;
{apart}{departures}jump filters
}}
}}"
        ));
        Ok(())
    }

    /// Marks packets with where they come from and the choice that they ask for.
    fn marks(&self) -> String {
        let served = self.served_addresses();
        let gateway = match self.p.vpcs[self.vpc].gateway4 {
            Some(Some(_)) => GATEWAY,
            _ => 0,
        };
        let mut from: Vec<(String, From)> = self
            .enis()
            .map(|(i, e)| (format!("e{i}"), e.vswitch + 1))
            .collect();
        from.extend(self.nats().map(|(n, _)| (format!("n{n}"), NAT + n)));
        // Decision 20, 7: handed over in its vSwitch.
        let zone = |n: &super::nat::Nat| n.vswitch.map_or(SYSTEM, |v| v + 1);
        from.extend(self.inner().map(|(n, nat)| (format!("n{n}"), zone(nat))));
        from.extend(self.peerings().map(|p| (format!("p{p}"), 0)));
        let crossed = self.p.crossed(self.vpc, true).into_iter();
        from.extend(crossed.map(|k| (format!("g{k}"), 0)));
        let zoned: Vec<_> = self.attachments().collect();
        let mut s = String::new();
        for (family, name, wan) in [("ip", "ipv4", gateway), ("ip6", "ipv6", 0)] {
            let mut items = Vec::new();
            for (dev, from) in from.iter().chain([&("wan".to_string(), wan)]) {
                for c in 0..self.p.choices() {
                    items.push(format!("\"{dev}\" . {c} : {}", mark(*from, c)));
                    items.push(format!("\"{dev}\" . {} : {}", c | ELSEWHERE, mark(*from, c)));
                }
            }
            for (a, zones) in &zoned {
                for c in 0..self.p.choices() {
                    let from = match zones {
                        Some(z) => self.p.picked(z, c).map_or(SYSTEM, |v| v + 1),
                        None => SYSTEM,
                    };
                    items.push(format!("\"t{a}\" . {} : {}", c | ELSEWHERE, mark(from, c)));
                }
            }
            let _ = writeln!(
                s,
                "meta nfproto {name} meta mark set iifname . {family} dscp map {{ {} }}",
                items.join(", ")
            );
        }
        for (dev, zone) in self.p.handing(self.vpc) {
            let from = zone.map_or(SYSTEM, |z| z + 1);
            for c in 0..self.p.choices() {
                for family in ["ip", "ip6"] {
                    let _ = writeln!(
                        s,
                        "iifname \"{dev}\" {family} dscp {{ {c}, {} }} meta mark set {}",
                        c | ELSEWHERE,
                        mark(from, c)
                    );
                }
            }
        }
        if !served.is_empty() {
            // No table of the gateway stands before a managed service.
            let _ = writeln!(
                s,
                "iifname \"wan\" ip daddr {{ {served} }} meta mark set meta mark & 0xff00"
            );
        }
        s
    }

    /// Sets the mark by the vSwitch that an address is in, and the choice.
    fn mark_of(&self, v6: bool) -> String {
        let family = if v6 { "ip6" } else { "ip" };
        let mut items = Vec::new();
        for (i, v) in self
            .p
            .vswitches
            .iter()
            .enumerate()
            .filter(|(_, v)| v.vpc == self.vpc)
        {
            let nets = v.nets.iter().filter(|n| n.addr().is_ipv6() == v6);
            items.extend(nets.map(|n| format!("{n} : {}", i + 1)));
        }
        if items.is_empty() {
            return String::new();
        }
        let mut s = format!(
            "iifname \"wan\" meta mark set {family} daddr map {{ {} }}\n",
            items.join(", ")
        );
        for c in 1..self.p.choices() {
            let _ = writeln!(
                s,
                "iifname \"wan\" {family} dscp {{ {c}, {} }} meta mark set meta mark | {:#x}",
                c | ELSEWHERE,
                mark(0, c)
            );
        }
        s
    }

    /// §7.2, §7.3: what the Internet sends needs a route back to the gateway that lets it in.
    fn arrivals(&self) -> String {
        let mut s = String::new();
        let active = self.p.vpcs[self.vpc].gateway4.is_some();
        for (v6, name, asks) in [(false, "ipv4", active), (true, "ipv6", true)] {
            let set = self.mark_of(v6);
            if asks && !set.is_empty() {
                let (family, served) = match v6 {
                    true => ("ip6", self.front_addresses()),
                    false => ("ip", self.served_addresses()),
                };
                let but = match served.as_str() {
                    "" => String::new(),
                    all => format!("{family} daddr != {{ {all} }} "),
                };
                s += &set;
                if !v6 {
                    s += &self.inspected();
                }
                let _ = writeln!(
                    s,
                    "iifname \"wan\" meta nfproto {name} {but}fib saddr . mark oifname != \"wan\" drop"
                );
            }
        }
        if active {
            for (n, nat) in self.nats() {
                let from = nat.vswitch.map_or(0, |v| v + 1);
                let _ = writeln!(s, "iifname \"n{n}\" meta mark set {from}");
                let _ = writeln!(s, "iifname \"n{n}\" fib saddr . mark oifname != \"wan\" drop");
            }
        }
        s
    }

    /// Decision 21, 6: a route to the gateway may lead there by inspectors.
    fn inspected(&self) -> String {
        let mut s = String::new();
        let all: Vec<_> = self.enis().filter(|(_, e)| e.inspects == Some(true)).collect();
        for _ in &all {
            for (i, e) in &all {
                for c in 0..self.p.choices() {
                    let (from, all) = (mark(e.vswitch + 1, c), c << 8);
                    let _ = writeln!(
                        s,
                        "iifname \"wan\" meta nfproto ipv4 meta mark & 0xff00 == {all:#x} fib saddr . mark oifname \"e{i}\" meta mark set {from:#x}"
                    );
                }
            }
        }
        s
    }

    /// Addresses of managed services, with commas.
    fn served_addresses(&self) -> String {
        let all = self.enis().filter(|(_, e)| e.managed());
        let nets = all.flat_map(|(_, e)| e.addresses.iter().filter(|a| a.net.addr().is_ipv4()));
        let nets: Vec<String> = nets.map(|a| a.net.addr().to_string()).collect();
        nets.join(", ")
    }

    /// IPv6 addresses of fronts, with commas (024, 7).
    fn front_addresses(&self) -> String {
        let all = self.enis().filter(|(_, e)| e.front.is_some());
        let nets = all.flat_map(|(_, e)| e.addresses.iter().filter(|a| a.net.addr().is_ipv6()));
        let nets: Vec<String> = nets.map(|a| a.net.addr().to_string()).collect();
        nets.join(", ")
    }

    /// What keeps packets from leaving the VPC.
    fn departures(&self) -> String {
        let mut s = String::new();
        // A-P25: the platform blocks new connections to tcp/25.
        let outer: Vec<String> = self.nats().map(|(n, _)| format!("\"n{n}\"")).collect();
        let outer = [vec!["\"wan\"".to_string()], outer].concat().join(", ");
        let _ = writeln!(
            s,
            "oifname {{ {outer} }} tcp dport 25 tcp flags & (syn | ack) == syn drop"
        );
        // §7.2: the gateway translates nothing, so a source needs a public address of its own.
        for (i, e) in self.enis() {
            for (_, at) in &e.public {
                if let Some(a) = e.addresses.get(*at) {
                    let source = address("saddr", &a.net);
                    let _ = writeln!(s, "iifname \"e{i}\" oifname \"wan\" {source} goto filters");
                }
            }
        }
        // Decision 21, 6: nor do inspectors.
        let senders = self.enis().flat_map(|(_, e)| {
            let own = e.public.iter().filter_map(|(_, at)| e.addresses.get(*at));
            own.map(|a| address("saddr", &a.net))
        });
        let senders: std::collections::BTreeSet<String> = senders.collect();
        for (i, _) in self.enis().filter(|(_, e)| e.inspects.is_some()) {
            for source in &senders {
                let _ = writeln!(
                    s,
                    "iifname \"e{i}\" oifname \"wan\" {source} ip dscp < {ELSEWHERE} goto filters"
                );
            }
        }
        let _ = writeln!(s, "oifname \"wan\" meta nfproto ipv4 drop");
        if self.p.families().len() > 1 {
            // A balancer reaches no backend over the Internet.
            let _ = writeln!(s, "oifname \"wan\" ip6 ecn {{ {HANDED}, {OPENED} }} drop");
        }
        if self.p.vpcs[self.vpc].gateway4.is_some() {
            for (n, nat) in self.nats() {
                let from = nat.vswitch.map_or(0, |v| v + 1);
                let _ = writeln!(s, "oifname \"n{n}\" meta mark set {from}");
                let _ = writeln!(s, "oifname \"n{n}\" fib daddr . mark oifname != \"wan\" drop");
            }
        }
        s
    }

    /// §7.4: an interface with an EIP in ENI-visible mode has no private networking.
    fn apart(&self) -> String {
        let mut s = String::new();
        for (i, _) in self.enis().filter(|(_, e)| e.visible) {
            let nets = self.p.vswitches.iter().flat_map(|v| v.nets.iter().copied());
            for net in nets.chain(self.p.site_nets()) {
                let inside = address("daddr", &net);
                let _ = writeln!(s, "iifname \"e{i}\" {inside} drop");
            }
            for dev in ["e*", "p*", "t*", "v*", "r*", "g*"] {
                let _ = writeln!(s, "oifname \"e{i}\" iifname \"{dev}\" drop");
            }
            for (n, _) in self.inner() {
                let _ = writeln!(s, "oifname \"e{i}\" iifname \"n{n}\" drop");
                let _ = writeln!(s, "iifname \"e{i}\" oifname \"n{n}\" drop");
            }
        }
        s
    }
}
