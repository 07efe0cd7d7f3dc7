//! The kernel as an oracle: an inventory as Linux network namespaces, and real packets in them.
//!
//! [`Network::build`] makes a namespace per interface with its addresses and its security groups as stateful
//! nftables chains, a router per VPC with a routing table per vSwitch and the network ACLs as rules without
//! state, a border per VPC (public addresses, IPv6 gateway), one per NAT gateway of either kind, per router, firewall
//! and inspecting appliance, and the Internet.
//! [`Network::ask`] sends each probe in every way in which it may reach its end, answers what arrives, and says
//! what has come out where. Longest prefixes, sessions, translation and their order are the kernel's.
//!
//! It reads the typed layer by itself: it shares no code with the engine, and with the interpreter beside it only
//! the tables of transit routers, which no packet decides (`joined`). It does share their *reading* of the
//! cloud's documents, and cannot notice where that is wrong.
//!
//! The namespaces have no names and end with the process. Nothing outside of them is touched; a probe never
//! leaves them. What cannot be built is [`KernelError::Unsupported`] with the reason, a packet that cannot be
//! sent [`Verdict::Skipped`].
//!
//! Where the cloud is free to choose (ECMP, the holder of a HaVip, one of several SNAT addresses), every
//! combination is tried, up to 32: the DSCP field of a packet says which one it asks for.
//!
//! Cost: about a tenth of a second per network, and some ten microseconds per packet.

mod balancer;
mod between;
mod dual;
mod ecr;
mod edge;
mod filter;
mod hybrid;
mod inner;
mod inspect;
mod joined;
mod link;
mod nat;
mod netns;
mod nodes;
mod origin;
mod packet;
mod passing;
mod plan;
mod probe;
mod router;
mod wall;

use crate::Endpoint;
use bartizan_model::{Inventory, Readings};
use bartizan_packet::Proto;
use hybrid::Plug;
use netns::{Cable, Netns, Script, lay, settle};
use plan::Plan;
use probe::{Range, Station, protocols};
use std::fmt;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KernelError {
    /// The inventory has something that cannot be built.
    Unsupported(String),
    /// The machine does not do what it should: a program failed, a right is missing.
    Machine(String),
}

impl fmt::Display for KernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KernelError::Unsupported(s) => write!(f, "the kernel cannot be made to show this: {s}"),
            KernelError::Machine(s) => f.write_str(s),
        }
    }
}
impl std::error::Error for KernelError {}

/// One question: what becomes of a first packet from `src` that is to reach `dst`?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Who begins.
    pub src: Endpoint,
    /// Who is meant.
    pub dst: Endpoint,
    /// Protocol.
    pub proto: Proto,
    /// Source port; 0 for protocols without ports.
    pub sport: u16,
    /// Destination port as delivered, or `type * 256 + code`.
    pub dport: u16,
}

/// What was seen of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was sent.
    Seen {
        /// Whether it came out where it should by some way.
        delivered: bool,
        /// Whether the answer to one that was delivered came back.
        reply: bool,
    },
    /// It was not sent, for this reason.
    Skipped(String),
}

/// Whether this machine can build networks.
///
/// # Errors
/// What is missing: a program, or the right to make network namespaces.
pub fn usable() -> Result<(), String> {
    for program in ["ip", "nft"] {
        let mut version = Command::new(program);
        version.arg("-V").stdout(Stdio::null()).stderr(Stdio::null());
        if !version.status().is_ok_and(|s| s.success()) {
            return Err(format!("`{program}` is not installed"));
        }
    }
    let trial = || {
        let ns = Netns::new()?;
        settle(&ns, true, false)?;
        let mut s = Script::default();
        s.ip("link set dev lo up");
        s.nft("table inet t {\nchain c {\ntype filter hook prerouting priority -300; policy accept;");
        s.nft(format!(
            "{}\nfib saddr . mark oifname \"x\" drop\n}}\n}}",
            filter::ZONES
        ));
        s.run(&ns)?;
        Station::open(&ns, &[(Proto::TCP, false)], &[]).map(drop)
    };
    trial().map_err(|e: KernelError| e.to_string())
}

/// An inventory as network namespaces. Dropping it removes them.
pub struct Network {
    plan: Plan,
    /// Interfaces, then the Internet.
    ends: Vec<Netns>,
    /// Routers, borders, NAT gateways: held so that they stay.
    _between: Vec<Netns>,
    sent: u64,
    /// The number of the last packet.
    last: u16,
}

impl Network {
    /// Builds the network.
    ///
    /// # Errors
    /// [`KernelError::Unsupported`] when it has something that cannot be built, [`KernelError::Machine`] when
    /// building fails.
    pub fn build(inv: &Inventory) -> Result<Network, KernelError> {
        Network::under(inv, &Readings::chosen())
    }

    /// The same where something is decided about contested semantics. Of A-LB-3 and A-NAT-3 both readings can be built, of
    /// everything else the first.
    ///
    /// # Errors
    /// As [`Network::build`].
    pub fn under(inv: &Inventory, readings: &Readings) -> Result<Network, KernelError> {
        let plan = Plan::new(inv, readings)?;
        let mut scripts = Vec::new();
        for i in 0..plan.enis.len() {
            scripts.push(edge::eni(&plan, i)?);
        }
        scripts.push(edge::internet(&plan));
        let ends = scripts.len();
        let mut names: Vec<(usize, usize, [String; 2])> = Vec::new();
        let internet = plan.enis.len();
        let mut routers = Vec::new();
        // What is between a public address and the Internet.
        let outward = |from: usize, name: String, scripts: &mut Vec<Script>| {
            if !plan.guarded() {
                return Ok(vec![(from, internet, ["net".to_string(), name])]);
            }
            let wall = scripts.len();
            scripts.push(wall::internet_boundary(&plan)?);
            Ok(vec![
                (from, wall, ["net".into(), "lan".into()]),
                (wall, internet, ["net".into(), name]),
            ])
        };
        for v in 0..plan.vpcs.len() {
            if plan.vpcs[v].site {
                routers.push(internet);
                continue;
            }
            let (router, border) = (scripts.len(), scripts.len() + 1);
            routers.push(router);
            scripts.push(router::router(&plan, v)?);
            scripts.push(edge::border(&plan, v));
            names.push((router, border, ["wan".into(), "lan".into()]));
            names.extend(outward(border, format!("b{v}"), &mut scripts)?);
            for (i, _) in plan.enis.iter().enumerate().filter(|(_, e)| e.vpc == v) {
                names.push((i, router, ["eth0".into(), format!("e{i}")]));
            }
            for (n, _) in plan.nats.iter().enumerate().filter(|(_, n)| n.vpc == v) {
                let nat = scripts.len();
                if !plan.nats[n].internet {
                    scripts.push(inner::gateway(&plan, n)?);
                    names.push((router, nat, [format!("n{n}"), "lan".into()]));
                    continue;
                }
                scripts.push(edge::nat(&plan, n)?);
                if plan.walled(n) {
                    let wall = scripts.len();
                    scripts.push(wall::nat_boundary(&plan, n)?);
                    names.push((router, wall, [format!("n{n}"), "lan".into()]));
                    names.push((wall, nat, ["net".into(), "lan".into()]));
                } else {
                    names.push((router, nat, [format!("n{n}"), "lan".into()]));
                }
                names.extend(outward(nat, format!("n{n}"), &mut scripts)?);
            }
        }
        let first = scripts.len();
        for at in 0..plan.routers {
            scripts.push(match plan.ecr(at) {
                Some(e) => ecr::router(&plan, e),
                None => joined::transit_router(&plan, at),
            });
        }
        for (n, [a, b]) in plan.links.iter().enumerate() {
            names.push((*a, *b, [format!("l{n}"), format!("l{n}")]));
        }
        for (n, p) in plan.peerings.iter().enumerate() {
            let [a, b] = p.vpcs.map(|v| routers[v]);
            names.push((a, b, [format!("p{n}"), format!("p{n}")]));
        }
        for (n, a) in plan.attachments.iter().enumerate() {
            let end = first + a.routers[0];
            match (&a.vpc, a.routers.get(1)) {
                (Some((v, _)), _) => names.push((routers[*v], end, [format!("t{n}"), format!("a{n}")])),
                _ if a.beyond.is_some() => {}
                (None, Some(far)) => names.push((end, first + far, [format!("a{n}"), format!("a{n}")])),
                (None, None) => return Err(KernelError::Unsupported("an attachment leads nowhere".into())),
            }
        }
        let mut nodes = Vec::new();
        for n in plan.nodes() {
            nodes.push((n, scripts.len()));
            scripts.push(nodes::node(&plan, n)?);
        }
        let (mut walls, mut appliances) = (Vec::new(), Vec::new());
        for w in plan.between() {
            walls.push((w, scripts.len()));
            scripts.push(between::wall(&plan, w)?);
        }
        for (i, _) in plan.served() {
            appliances.push((i, scripts.len()));
            scripts.push(inspect::appliance());
        }
        let find = |all: &[(usize, usize)], n: usize| all.iter().find(|x| x.0 == n).map(|x| x.1);
        for ends in plan.plugs() {
            let place = |p: &Plug| match p {
                Plug::Node(n) => nodes.iter().find(|x| x.0 == *n).map(|x| x.1),
                Plug::Vpc(v) => Some(routers[*v]),
                Plug::Eni(i) => Some(*i),
                Plug::Router(a) => plan.attachments[*a].routers.first().map(|r| first + r),
                Plug::Transit(r) => Some(first + r),
                Plug::Wall(w) => find(&walls, *w),
                Plug::Appliance(i) => find(&appliances, *i),
            };
            let [(a, x), (b, y)] = ends;
            if let (Some(a), Some(b)) = (place(&a), place(&b)) {
                names.push((a, b, [x, y]));
            }
        }
        let mut all = Vec::new();
        for s in &scripts {
            let ns = Netns::new()?;
            settle(&ns, s.forwards, s.takes_its_own)?;
            all.push(ns);
        }
        let cable = |(a, b, [x, y]): (usize, usize, [String; 2])| Cable {
            ends: [(&all[a], x), (&all[b], y)],
        };
        let cables: Vec<Cable<'_>> = names.into_iter().map(cable).collect();
        lay(&cables)?;
        for (s, ns) in scripts.iter().zip(&all) {
            s.run(ns)?;
        }
        let between = all.split_off(ends);
        Ok(Network {
            plan,
            ends: all,
            _between: between,
            sent: 0,
            last: 0,
        })
    }

    /// Sends probes and says what was seen, one verdict per probe. Everything has been heard when nothing was
    /// for as long as `quiet`; on a busy machine a longer silence makes sure.
    ///
    /// # Errors
    /// When sockets cannot be opened or packets cannot be sent.
    pub fn ask(&mut self, probes: &[Probe], quiet: Duration) -> Result<Vec<Verdict>, KernelError> {
        let protocols = protocols(&self.plan, probes);
        let mut stations = Vec::with_capacity(self.ends.len());
        for (i, ns) in self.ends.iter().enumerate() {
            let links = self.plan.site_of(i).map(|s| self.plan.links_of(&[s]));
            stations.push(Station::open(ns, &protocols, &links.unwrap_or_default())?);
        }
        let range = Range {
            plan: &self.plan,
            stations: &stations,
            quiet,
            before: self.last,
        };
        let (verdicts, sent, last) = range.ask(probes)?;
        self.last = last;
        self.sent += sent;
        Ok(verdicts)
    }

    /// How many packets have been sent, answers included.
    #[must_use]
    pub fn packets(&self) -> u64 {
        self.sent
    }
}
