//! Certificates and exact sets through an SMT solver that knows nothing of this program: Z3, where it is installed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail the test")]

mod common;

use bartizan_model::{Direction, Fact, InterfaceId, Inventory, NetSpec, Peer};
use bartizan_packet::{IpSet, ServiceSet};
use bartizan_reach::{
    Certificate, Claim, CompileOptions, End, Inside, Mode, Point, Reason, SmtScript, certify_claim, compile,
    smt_certificate, smt_exact,
};
use bartizan_testkit::{Features, Rng, random_inventory, random_readings};
use common::{blur, certifiable, network};
use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};

fn has_z3() -> bool {
    let there = Command::new("z3")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("SKIPPED: `z3` is not installed, so no certificate is solved");
    }
    there
}

/// The answers to each script, one word per question.
fn solve(scripts: &[SmtScript]) -> Vec<Vec<String>> {
    let mut z3 = Command::new("z3")
        .args(["-smt2", "-in"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = z3.stdin.take().unwrap();
    let text: Vec<String> = scripts.iter().map(|s| format!("(reset)\n{}", s.text)).collect();
    let writer = std::thread::spawn(move || text.iter().try_for_each(|t| input.write_all(t.as_bytes())));
    let out = z3.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let said = String::from_utf8(out.stdout).unwrap();
    let mut lines = said.lines().map(str::to_string);
    let answers: Vec<Vec<String>> = scripts
        .iter()
        .map(|s| lines.by_ref().take(s.questions).collect())
        .collect();
    assert_eq!(lines.next(), None, "more answers than questions");
    answers
}

fn all_unsat(answers: &[String]) -> bool {
    !answers.is_empty() && answers.iter().all(|a| a == "unsat")
}

fn ends(inv: &Inventory) -> Vec<End> {
    let mut out: Vec<End> = vec![End {
        at: None,
        ips: IpSet::from_nets([
            "203.0.113.0/24".parse().unwrap(),
            "2001:db8:ffff::/48".parse().unwrap(),
        ]),
    }];
    for (i, e) in (0u32..).map(InterfaceId).zip(&inv.typed.interfaces) {
        for (n, a) in (0u32..).zip(&e.addresses) {
            let ips = match a.spec {
                bartizan_model::AddressSpec::Ip(ip) => IpSet::single(ip),
                bartizan_model::AddressSpec::Block(b) => IpSet::from(b),
                _ => continue,
            };
            out.push(End {
                at: Some((i, n)),
                ips,
            });
        }
    }
    out
}

/// Random claims of a network that have a certificate.
fn certified(inv: &Inventory, r: &mut Rng, tries: usize) -> Vec<(Claim, Certificate)> {
    let services: Vec<ServiceSet> = ["any", "tcp/22", "tcp/80-443", "udp/53", "icmp", "gre, tcp/1-1024"]
        .iter()
        .map(|s| s.parse().unwrap())
        .collect();
    let all = ends(inv);
    let mut out = Vec::new();
    for _ in 0..tries {
        let mut some = |n: usize| {
            (0..n)
                .map(|_| all[r.below(all.len())].clone())
                .collect::<Vec<_>>()
        };
        let (from, to) = (some(2), some(2));
        let claim = Claim {
            from,
            to,
            services: r.pick(&services).unwrap().clone(),
            readings: random_readings(&mut r.clone()),
        };
        // Ends of two families, or two ends outside, have nothing to say to each other, and nothing to prove.
        if let Ok(c) = certify_claim(inv, &claim)
            && !c.refutations.is_empty()
        {
            out.push((claim, c));
        }
    }
    out
}

/// At least 500 certificates of random networks, half of them with facts that are not known: a solver confirms all.
#[test]
fn a_solver_confirms_certificates() {
    if !has_z3() {
        return;
    }
    let (mut certificates, mut questions, mut layers) = (0, 0, 0);
    for k in 0..200 {
        let mut inv = certifiable(k);
        let mut r = Rng::new(k);
        if k % 2 == 1 {
            blur(&mut inv, &mut r);
        }
        let found = certified(&inv, &mut r, 30);
        let scripts: Vec<SmtScript> = found.iter().map(|(c, p)| smt_certificate(&inv, c, p)).collect();
        for ((claim, cert), (script, said)) in found.iter().zip(scripts.iter().zip(solve(&scripts))) {
            assert!(
                all_unsat(&said),
                "network {k}: {claim:#?}\n{cert:#?}\n{said:?}\n{}",
                script.text
            );
            questions += script.questions;
            layers += script.text.matches("nothing of this passes").count();
        }
        certificates += found.len();
    }
    eprintln!("{certificates} certificates, {questions} questions, {layers} of them about groups and ACLs");
    assert!(certificates >= 500 && layers >= 500, "{certificates} {layers}");
}

/// What the engine delivers between two addresses of a VPC is exactly what the solver says groups and ACLs let pass.
#[test]
fn a_solver_confirms_exact_sets() {
    if !has_z3() {
        return;
    }
    let mut features = Features::groups_only();
    features.acls = true;
    features.ipv6 = true;
    features.secondary = true;
    features.prefix_lists = true;
    features.services = true;
    let (mut sets, mut some) = (0, 0);
    for k in 0..160 {
        let inv = random_inventory(&mut Rng::new(0x5e7 + k), features);
        let readings = random_readings(&mut Rng::new(k));
        let opt = CompileOptions {
            readings: readings.clone(),
            ..CompileOptions::default()
        };
        let net = compile(&inv, Mode::Widen, &opt);
        let inside: Vec<(InterfaceId, u32, IpAddr)> = ends(&inv)
            .into_iter()
            .filter_map(|e| {
                let (i, a) = e.at?;
                Some((i, a, e.ips.to_nets().first()?.addr()))
            })
            .collect();
        let mut scripts = Vec::new();
        let mut r = Rng::new(k);
        for _ in 0..12 {
            let (a, b) = (*r.pick(&inside).unwrap(), *r.pick(&inside).unwrap());
            let at = |(iface, addr, ip)| Point::Inside(Inside { iface, addr, ip });
            if a.0 == b.0 || a.2.is_ipv4() != b.2.is_ipv4() {
                continue;
            }
            let passes = net.atoms.services(&net.flow(at(a), at(b)).delivered);
            if let Some(s) = smt_exact(&inv, &readings, a, b, &passes) {
                some += usize::from(!passes.is_empty() && !passes.is_any());
                scripts.push((a, b, passes, s));
            }
        }
        let texts: Vec<SmtScript> = scripts.iter().map(|s| s.3.clone()).collect();
        for ((a, b, passes, s), said) in scripts.iter().zip(solve(&texts)) {
            assert!(
                all_unsat(&said),
                "network {k}: {a:?} -> {b:?}: {passes}: {said:?}\n{}",
                s.text
            );
        }
        sets += texts.len();
    }
    eprintln!("{sets} exact sets, {some} of them neither empty nor everything");
    assert!(sets >= 200 && some >= 100, "{sets} {some}");
}

/// Altered certificates, and certificates of altered networks: the solver finds the packet.
#[test]
fn a_solver_refuses_what_is_wrong() {
    if !has_z3() {
        return;
    }
    let (mut dropped, mut opened) = (Vec::new(), Vec::new());
    for k in 200..280 {
        let inv = network(k);
        for (claim, cert) in certified(&inv, &mut Rng::new(k), 10) {
            // Without a refutation something is not covered, unless another one covers it as well.
            let mut less = cert.clone();
            less.refutations.pop();
            if less.refutations.len() + 1 == cert.refutations.len() && !claim.services.is_empty() {
                dropped.push(smt_certificate(&inv, &claim, &less));
            }
            let by_group = |r: &&bartizan_reach::Refutation| {
                r.reason == Reason::SgIngress && r.way != bartizan_reach::WayKind::Hairpin
            };
            if let Some(r) = cert.refutations.iter().find(by_group) {
                // A rule that lets everything in.
                let mut inv = inv.clone();
                let to = claim.to[r.to[0] as usize].at.unwrap().0;
                let group = inv.typed[to].groups.known().and_then(|g| g.first().copied());
                let served = inv.typed.data_services.iter().any(|d| d.interface == to);
                let rule = inv.typed.sg_rules.first().cloned();
                if let (Some(g), Some(mut rule), false) = (group, rule, served) {
                    let six = claim.to[r.to[0] as usize].ips.v4.is_empty();
                    rule.group = Fact::Known(g);
                    rule.direction = Fact::Known(Direction::Ingress);
                    rule.accept = Fact::Known(true);
                    rule.priority = Fact::Known(0);
                    rule.services = Fact::Known(ServiceSet::any());
                    let all = if six { "::/0" } else { "0.0.0.0/0" };
                    rule.peer = Peer::Net(NetSpec::Net(Fact::Known(all.parse().unwrap())));
                    inv.typed.sg_rules.push(rule);
                    opened.push(smt_certificate(&inv, &claim, &cert));
                }
            }
        }
    }
    let wrong = |scripts: &[SmtScript]| {
        let said = solve(scripts);
        said.iter().filter(|s| s.iter().any(|a| a == "sat")).count()
    };
    let (a, b) = (wrong(&dropped), wrong(&opened));
    eprintln!(
        "{a} of {} without a refutation, {b} of {} with an open group are refused",
        dropped.len(),
        opened.len()
    );
    assert_eq!(b, opened.len());
    assert!(a * 10 >= dropped.len() * 9, "{a} of {}", dropped.len());
    assert!(
        dropped.len() >= 50 && opened.len() >= 20,
        "{} {}",
        dropped.len(),
        opened.len()
    );
}
