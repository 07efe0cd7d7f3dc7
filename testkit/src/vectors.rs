//! The test vectors of ALIBABA.md §21 as Markdown files.
//!
//! A vector is prose, one `hcl` block with a Terraform configuration and one `probes` block. A probe is one
//! line, `SRC -> DST SERVICE : EXPECTATION`:
//!
//! - an end is the name of an instance or ENI (`a`), one of its private addresses, an address of a site, or `internet`
//!   and an address;
//! - a service is as in the intent language (`tcp/22`, `udp/53`, `icmp`); the port is the one delivered;
//! - an expectation is `allow` (arrives, and the reply gets back), `deny` (does not arrive),
//!   `delivered, reply dropped`, or `dead-reference` (does not arrive, and a rule names a group of another
//!   VPC).
//!
//! A block `sites` says what no configuration does of the network behind a border router, one line each: `NAME = NETS`,
//! or `NAME = NETS announces NETS` where it does not announce all of them. Such a site passes nothing on.
//!
//! A line `Assumptions: A-SG-3` names what the vector leans on (§20); every vector has one, `none` if so.

use crate::universe::Query;
use crate::verify::{Answer, EngineUnderTest};
use bartizan_base::Sources;
use bartizan_model::*;
use bartizan_oracle::Endpoint;
use bartizan_packet::{Proto, ServiceSet};
use bartizan_terraform::{FileSet, ReadOptions, read};
use ipnet::IpNet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// What a probe should find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It arrives and the reply gets back.
    Allow,
    /// It does not arrive.
    Deny,
    /// It arrives and the reply does not get back.
    ReplyDropped,
    /// It does not arrive, and a rule of one of the two ends names a group of another VPC (S13).
    DeadReference,
}

impl Expectation {
    /// The answer that meets it.
    #[must_use]
    pub fn answer(self) -> Answer {
        Answer {
            delivered: matches!(self, Expectation::Allow | Expectation::ReplyDropped),
            reply: self == Expectation::Allow,
        }
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Expectation::Allow => "allow",
            Expectation::Deny => "deny",
            Expectation::ReplyDropped => "delivered, reply dropped",
            Expectation::DeadReference => "dead-reference",
        })
    }
}

/// One end of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeEnd {
    /// The name of an instance or ENI.
    Name(String),
    /// A private address.
    Address(IpAddr),
    /// An address on the Internet.
    Internet(IpAddr),
}

/// One probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Line in the file, from 1.
    pub line: usize,
    /// Who begins.
    pub src: ProbeEnd,
    /// Who is meant.
    pub dst: ProbeEnd,
    /// Protocol.
    pub proto: Proto,
    /// Port as delivered, or ICMP type and code.
    pub dport: u16,
    /// What it should find.
    pub expected: Expectation,
}

/// What is behind a border router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteLine {
    /// The border router.
    pub name: String,
    /// The networks there.
    pub networks: Vec<IpNet>,
    /// What it announces.
    pub announces: Vec<IpNet>,
}

/// A test vector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vector {
    /// Its number in ALIBABA.md §21, `S1`; the name of the file.
    pub name: String,
    /// The first heading.
    pub title: String,
    /// Assumptions of ALIBABA.md §20 that it leans on.
    pub assumptions: Vec<String>,
    /// The configuration.
    pub hcl: String,
    /// The networks behind border routers.
    pub sites: Vec<SiteLine>,
    /// The probes.
    pub probes: Vec<Probe>,
}

/// Why a vector cannot be read or does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorError {
    /// The vector.
    pub vector: String,
    /// What is wrong, one line each.
    pub problems: Vec<String>,
}

impl fmt::Display for VectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problems
            .iter()
            .try_for_each(|p| writeln!(f, "{}: {p}", self.vector))
    }
}
impl std::error::Error for VectorError {}

/// Reads every vector of a directory, sorted by name.
///
/// # Errors
/// When the directory or a file cannot be read or is not a vector.
pub fn load_vectors(dir: &Path) -> Result<Vec<Vector>, VectorError> {
    let io = |e: std::io::Error| VectorError {
        vector: dir.display().to_string(),
        problems: vec![e.to_string()],
    };
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .map_err(io)?
        .map(|e| e.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(io)?;
    files.retain(|p| p.extension().is_some_and(|e| e == "md"));
    files.sort();
    let one = |p: &std::path::PathBuf| {
        let name = p
            .file_stem()
            .map(|s| s.to_string_lossy().into_owned())
            .unwrap_or_default();
        parse_vector(&name, &std::fs::read_to_string(p).map_err(io)?)
    };
    files.iter().map(one).collect()
}

/// Reads one vector from the text of its file.
///
/// # Errors
/// Every problem of the file, with its line.
pub fn parse_vector(name: &str, text: &str) -> Result<Vector, VectorError> {
    let mut v = Vector {
        name: name.to_string(),
        title: String::new(),
        assumptions: Vec::new(),
        hcl: String::new(),
        sites: Vec::new(),
        probes: Vec::new(),
    };
    let mut problems = Vec::new();
    let mut block: Option<&str> = None;
    let mut assumed = false;
    for (n, line) in text.lines().enumerate() {
        let n = n + 1;
        match (line.strip_prefix("```"), block) {
            (Some(_), Some(_)) => block = None,
            (Some(kind), None) => {
                let twice = (kind == "hcl" && !v.hcl.is_empty())
                    || (kind == "probes" && !v.probes.is_empty())
                    || (kind == "sites" && !v.sites.is_empty());
                if twice || !["hcl", "sites", "probes"].contains(&kind) {
                    problems.push(format!(
                        "line {n}: one `hcl` and one `probes` block are wanted, and a `sites` block where there are sites; this is `{kind}`"
                    ));
                }
                block = Some(kind);
            }
            (None, Some("hcl")) => {
                v.hcl.push_str(line);
                v.hcl.push('\n');
            }
            (None, Some("sites")) => match site(line) {
                Ok(s) => v.sites.push(s),
                Err(e) => problems.push(format!("line {n}: {e}")),
            },
            (None, Some(_)) => match probe(n, line) {
                Ok(p) => v.probes.extend(p),
                Err(e) => problems.push(format!("line {n}: {e}")),
            },
            (None, None) => {
                if let Some(title) = line.strip_prefix("# ") {
                    v.title = title.to_string();
                } else if let Some(ids) = line.strip_prefix("Assumptions: ") {
                    assumed = true;
                    let ids = ids.split(',').map(|s| s.trim().trim_end_matches('.').to_string());
                    v.assumptions = ids.filter(|s| s != "none").collect();
                }
            }
        }
    }
    for (missing, what) in [
        (v.title.is_empty(), "a heading"),
        (!assumed, "a line `Assumptions: ...`"),
        (v.hcl.is_empty(), "an `hcl` block"),
        (v.probes.is_empty(), "a `probes` block with a probe"),
        (block.is_some(), "the end of a block"),
    ] {
        if missing {
            problems.push(format!("{what} is missing"));
        }
    }
    if problems.is_empty() {
        Ok(v)
    } else {
        Err(VectorError {
            vector: name.to_string(),
            problems,
        })
    }
}

fn site(line: &str) -> Result<SiteLine, String> {
    let shape = || format!("`{line}` is not a site such as `hq = 172.16.0.0/16`");
    let (name, rest) = line.split_once('=').ok_or_else(shape)?;
    let nets = |text: &str| -> Result<Vec<IpNet>, String> {
        let all = text.split(',').map(|n| n.trim().parse().map_err(|_| shape()));
        all.collect()
    };
    let (networks, announces) = match rest.split_once(" announces ") {
        Some((all, some)) => (nets(all)?, nets(some)?),
        None => (nets(rest)?, nets(rest)?),
    };
    Ok(SiteLine {
        name: name.trim().to_string(),
        networks,
        announces,
    })
}

fn probe(n: usize, line: &str) -> Result<Option<Probe>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let shape = || format!("`{line}` is not a probe such as `a -> b tcp/22 : allow`");
    let (head, expected) = line.rsplit_once(" : ").ok_or_else(shape)?;
    let expected = match expected.trim() {
        "allow" => Expectation::Allow,
        "deny" => Expectation::Deny,
        "delivered, reply dropped" => Expectation::ReplyDropped,
        "dead-reference" => Expectation::DeadReference,
        e => return Err(format!("`{e}` is not an expectation")),
    };
    let (src, rest) = head.split_once("->").ok_or_else(shape)?;
    let (dst, service) = rest.trim().rsplit_once(' ').ok_or_else(shape)?;
    let service: ServiceSet = service.parse().map_err(|e| format!("{e}"))?;
    let (proto, dport) = service.first().ok_or_else(shape)?;
    Ok(Some(Probe {
        line: n,
        src: end(src)?,
        dst: end(dst)?,
        proto,
        dport,
        expected,
    }))
}

fn end(text: &str) -> Result<ProbeEnd, String> {
    let text = text.trim();
    if let Some(ip) = text.strip_prefix("internet ") {
        return ip
            .trim()
            .parse()
            .map(ProbeEnd::Internet)
            .map_err(|_| format!("`{ip}` is not an address"));
    }
    Ok(match text.parse() {
        Ok(ip) => ProbeEnd::Address(ip),
        Err(_) => ProbeEnd::Name(text.to_string()),
    })
}

impl Vector {
    fn error(&self, problems: Vec<String>) -> VectorError {
        VectorError {
            vector: self.name.clone(),
            problems,
        }
    }

    /// The inventory of the configuration, with what the cloud picks picked ([`ground`]).
    ///
    /// # Errors
    /// When the configuration has errors.
    pub fn inventory(&self) -> Result<Inventory, VectorError> {
        let mut sources = Sources::default();
        let mut files = FileSet::default();
        files.add(&mut sources, "main.tf", self.hcl.as_str());
        let inv = read(&files, &mut sources, &ReadOptions::default());
        let errors: Vec<String> = inv
            .diagnostics
            .iter()
            .filter(|d| d.severity == bartizan_base::Severity::Error)
            .map(|d| d.message.to_string())
            .collect();
        if !errors.is_empty() {
            return Err(self.error(errors));
        }
        let mut inv = ground(inv);
        for s in &self.sites {
            if !settle(&mut inv.typed, s) {
                return Err(self.error(vec![format!("`{}` is no border router", s.name)]));
            }
        }
        Ok(inv)
    }

    /// The query that a probe asks of an inventory of this vector.
    ///
    /// # Errors
    /// When an end does not name exactly one address.
    pub fn query(&self, inv: &Inventory, p: &Probe) -> Result<Query, VectorError> {
        let six = |e: &ProbeEnd| match e {
            ProbeEnd::Name(_) => false,
            ProbeEnd::Address(ip) | ProbeEnd::Internet(ip) => ip.is_ipv6(),
        };
        let v6 = p.proto == Proto::ICMPV6 || six(&p.src) || six(&p.dst);
        let find = |e: &ProbeEnd| {
            endpoint(inv, e, v6).map_err(|e| self.error(vec![format!("line {}: {e}", p.line)]))
        };
        let sport = if p.proto.has_ports() { 40000 } else { 0 };
        Ok(Query {
            src: find(&p.src)?,
            dst: find(&p.dst)?,
            proto: p.proto,
            sport,
            dport: p.dport,
        })
    }
}

/// Says what is behind a border router; whether there is one of this name.
fn settle(t: &mut Typed, s: &SiteLine) -> bool {
    let named = |b: &BorderRouter| b.meta.origin.address.rsplit('.').next() == Some(&*s.name);
    let Some(b) = t.border_routers.iter_mut().find(|b| named(b)) else {
        return false;
    };
    b.learned = Fact::Known(s.announces.clone());
    let site = b.site;
    t.set_networks(site, &s.networks);
    if let Some(s) = t.sites.get_mut(site.index()) {
        s.unknown = None;
        s.forwards = false.into();
        s.internet = false.into();
    }
    for other in (0u32..).take(t.sites.len()).map(SiteId).filter(|o| *o != site) {
        t.site_pairs.push(SitePair {
            a: site,
            b: other,
            forwards: false.into(),
        });
    }
    true
}

fn endpoint(inv: &Inventory, e: &ProbeEnd, v6: bool) -> Result<Endpoint, String> {
    if let ProbeEnd::Internet(ip) = e {
        return Ok(Endpoint::Outside(*ip));
    }
    let mut found = Vec::new();
    for (i, eni) in inv.typed.interfaces.iter().enumerate() {
        let named = |n: &String| eni.meta.origin.address.rsplit('.').next() == Some(n.as_str());
        for (a, address) in eni.addresses.iter().enumerate() {
            let (ip, hit) = match (&address.spec, e) {
                (AddressSpec::Ip(ip), ProbeEnd::Name(n)) => (*ip, named(n) && ip.is_ipv6() == v6),
                (AddressSpec::Ip(ip), ProbeEnd::Address(want)) => (*ip, ip == want),
                (AddressSpec::Block(n), ProbeEnd::Address(want)) => (*want, n.contains(want)),
                _ => continue,
            };
            // The first address of a name stands for it.
            let again = matches!(e, ProbeEnd::Name(_)) && !found.is_empty();
            if let (true, false, Ok(i), Ok(a)) = (hit, again, u32::try_from(i), u32::try_from(a)) {
                found.push(Endpoint::Address {
                    interface: InterfaceId(i),
                    address: a,
                    ip,
                });
            }
        }
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(format!("`{e:?}` is no interface or address of the configuration")),
        _ => Err(format!("`{e:?}` is ambiguous")),
    }
}

/// Asks an engine every probe of a vector.
///
/// # Errors
/// When the vector cannot be read or the engine answers otherwise than expected; every such probe is listed.
pub fn run(v: &Vector, engine: &dyn EngineUnderTest) -> Result<(), VectorError> {
    let inv = v.inventory()?;
    run_on(v, &inv, engine)
}

fn run_on(v: &Vector, inv: &Inventory, engine: &dyn EngineUnderTest) -> Result<(), VectorError> {
    let mut problems = Vec::new();
    let queries = v
        .probes
        .iter()
        .map(|p| v.query(inv, p))
        .collect::<Result<Vec<_>, _>>()?;
    let answers = engine.check(inv, &queries);
    for (i, (p, q)) in v.probes.iter().zip(&queries).enumerate() {
        let Some(a) = answers.get(i) else {
            problems.push(format!("line {}: the engine has no answer", p.line));
            continue;
        };
        let holds = match (p.expected, *a) {
            (
                Expectation::Allow,
                Answer {
                    delivered: true,
                    reply: true,
                },
            )
            | (
                Expectation::ReplyDropped,
                Answer {
                    delivered: true,
                    reply: false,
                },
            )
            | (Expectation::Deny, Answer { delivered: false, .. }) => true,
            (Expectation::DeadReference, Answer { delivered: false, .. }) => has_dead_reference(inv, q),
            _ => false,
        };
        if !holds {
            problems.push(format!(
                "line {}: {q}: expected {}, got {a:?}",
                p.line, p.expected
            ));
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(v.error(problems))
    }
}

/// ALIBABA.md §5.3: a rule of one of the ends' groups names a group of another VPC.
fn has_dead_reference(inv: &Inventory, q: &Query) -> bool {
    let t = &inv.typed;
    let groups: Vec<SecurityGroupId> = [q.src, q.dst]
        .iter()
        .filter_map(|e| match e {
            Endpoint::Address { interface, .. } => t[*interface].groups.known(),
            Endpoint::Outside(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    t.sg_rules.iter().any(|r| match (r.group.known(), &r.peer) {
        (Some(g), Peer::Group(peer)) => groups.contains(g) && t[*g].vpc != t[*peer].vpc,
        _ => false,
    })
}

/// Picks what the cloud would pick, so that an inventory read from a configuration can be interpreted:
/// unknown public addresses become 47.255.0.1 and so on, an unknown IPv6 block of a vSwitch the /64 of the
/// IPv6 addresses in it. Anything else that is unknown stays so.
#[must_use]
pub fn ground(mut inv: Inventory) -> Inventory {
    let mut next = 0;
    let mut fresh = || {
        next += 1;
        IpAddr::V4(Ipv4Addr::new(47, 255, 0, next))
    };
    let t = &mut inv.typed;
    for e in t.eips.iter_mut().filter(|e| e.ip.known().is_none()) {
        e.ip = fresh().into();
    }
    let eips: Vec<Fact<IpAddr>> = t.eips.iter().map(|e| e.ip.clone()).collect();
    for p in t
        .interfaces
        .iter_mut()
        .flat_map(|i| &mut i.public)
        .filter(|p| p.ip.known().is_none())
    {
        let of_eip = p.eip.and_then(|e| eips.get(e.index()).cloned());
        p.ip = of_eip.unwrap_or_else(|| fresh().into());
    }
    for (n, v) in t.vswitches.iter_mut().enumerate() {
        let here = |i: &&Interface| i.vswitch.known().is_some_and(|s| s.index() == n);
        let six = t
            .interfaces
            .iter()
            .filter(here)
            .flat_map(|i| &i.addresses)
            .find_map(|a| match a.spec {
                AddressSpec::Ip(IpAddr::V6(ip)) => ipnet::Ipv6Net::new(ip, 64).ok(),
                _ => None,
            });
        if let (Some(Fact::Unknown(_)), Some(net)) = (&v.ipv6_cidr, six) {
            v.ipv6_cidr = Some(IpNet::V6(net.trunc()).into());
        }
    }
    inv
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{GroupKind, InventoryBuilder};
    use crate::verify::OracleEngine;

    const TEXT: &str = "# S0: a title\n\nProse.\n\nAssumptions: A-SG-3, A-NACL-1.\n\n```hcl\nx = 1\n```\n\n\
        ```probes\n# a comment\na -> b tcp/22 : allow\ninternet 198.51.100.1 -> 10.0.1.10 udp/53 : deny\n\
        2001:db8::1 -> a icmpv6 : delivered, reply dropped\n```\n";

    #[test]
    fn a_vector_is_read() {
        let v = parse_vector("S0", TEXT).unwrap();
        assert_eq!(v.title, "S0: a title");
        assert_eq!(v.assumptions, ["A-SG-3", "A-NACL-1"]);
        assert_eq!(v.hcl, "x = 1\n");
        assert_eq!(v.probes.len(), 3);
        assert_eq!(v.probes[0].dst, ProbeEnd::Name("b".into()));
        assert_eq!((v.probes[1].proto, v.probes[1].dport), (Proto::UDP, 53));
        assert_eq!(v.probes[2].expected, Expectation::ReplyDropped);
        assert_eq!((v.probes[2].proto, v.probes[2].dport), (Proto::ICMPV6, 128 << 8));
    }

    #[test]
    fn a_line_of_a_site_is_read() {
        let nets = |all: &[&str]| -> Vec<IpNet> { all.iter().map(|n| n.parse().unwrap()).collect() };
        let both = site("hq = 172.16.0.0/16, 172.17.0.0/16").unwrap();
        assert_eq!(both.name, "hq");
        assert_eq!(both.networks, nets(&["172.16.0.0/16", "172.17.0.0/16"]));
        assert_eq!(both.announces, both.networks);
        let one = site("hq = 172.16.0.0/16, 172.17.0.0/16 announces 172.17.0.0/16").unwrap();
        assert_eq!(
            (one.networks, one.announces),
            (both.networks, nets(&["172.17.0.0/16"]))
        );
        assert!(site("hq : 172.16.0.0/16").is_err());
        assert!(site("hq = somewhere").is_err());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (from, to, why) in [
            (": allow", ": maybe", "line 13: `maybe` is not an expectation"),
            ("tcp/22", "tcp/x", "line 13: `x` is not a port"),
            ("->", "to", "line 13: `a to b tcp/22 : allow` is not a probe"),
            ("Assumptions", "Leans on", "a line `Assumptions: ...` is missing"),
            ("```hcl", "```text", "one `hcl` and one `probes` block are wanted"),
            ("# S0", "S0", "a heading is missing"),
        ] {
            let e = parse_vector("S0", &TEXT.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            assert!(e.contains(why), "{e}");
        }
    }

    /// The harness notices each way in which an answer can be wrong.
    #[test]
    fn a_wrong_answer_is_reported() {
        struct Says(Answer);
        impl EngineUnderTest for Says {
            fn under(&self, _: &Inventory, _: &Readings, q: &[Query]) -> Vec<Answer> {
                vec![self.0; q.len()]
            }
        }
        let mut b = InventoryBuilder::new();
        let vpc = b.vpc("main", "10.0.0.0/16");
        let v1 = b.vswitch("v1", vpc, "10.0.1.0/24");
        let g = b.sg("g", vpc, GroupKind::BasicAccept);
        b.eni("a", v1, &[g], "10.0.1.10");
        b.eni("b", v1, &[g], "10.0.1.11");
        let inv = b.build();
        let (yes, half) = (
            Answer {
                delivered: true,
                reply: true,
            },
            Answer {
                delivered: true,
                reply: false,
            },
        );
        let no = Answer {
            delivered: false,
            reply: false,
        };
        for (expected, right) in [("allow", yes), ("delivered, reply dropped", half), ("deny", no)] {
            let text = format!(
                "# S0\nAssumptions: none\n```hcl\n\n```\n```probes\na -> b tcp/22 : {expected}\n```\n"
            );
            let v = parse_vector("S0", &text).unwrap();
            for a in [yes, half, no] {
                assert_eq!(run_on(&v, &inv, &Says(a)).is_ok(), a == right, "{expected} {a:?}");
            }
            assert_eq!(run_on(&v, &inv, &OracleEngine).is_ok(), expected == "allow");
        }
        let text = "# S0\nAssumptions: none\n```hcl\n\n```\n```probes\na -> b tcp/22 : dead-reference\n```\n";
        let v = parse_vector("S0", text).unwrap();
        assert!(run_on(&v, &inv, &Says(no)).is_err(), "there is no reference");
    }
}
