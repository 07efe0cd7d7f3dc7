//! Why something is not reachable, for a solver.

use super::{Frame, Subject};
use bartizan_base::Diagnostic;
use bartizan_packet::ServiceSet;
use bartizan_reach::{
    Claim, End, SmtScript, Uncertified, certify_claim, check_certificate, claim_between, smt_certificate,
};

/// Proves that nothing of some services is delivered from one subject to another, and writes the proof as SMT-LIB 2.
///
/// # Errors
/// `INTENT009` when one side has no endpoint; `PROOF001` when there is no certificate, because a packet arrives or
/// because it is stopped by something that certificates do not know.
pub fn certificate(
    f: &Frame<'_>,
    from: &Subject,
    to: &Subject,
    services: &ServiceSet,
) -> Result<SmtScript, Diagnostic> {
    let w = f.world(&[from, to], std::slice::from_ref(services));
    let n = f.plan.sets.len();
    let (sources, targets) = (f.inhabited(&w, n, from)?, f.inhabited(&w, n + 1, to)?);
    let none = |why: String| {
        Diagnostic::error(
            "PROOF001",
            format!(
                "there is no certificate that {services} from `{}` does not reach `{}`: {why}",
                from.name, to.name
            ),
        )
    };
    let mut claim = Claim {
        from: Vec::new(),
        to: Vec::new(),
        services: services.clone(),
        readings: f.plan.readings.clone(),
    };
    let add = |ends: &mut Vec<End>, more: Vec<End>| {
        for e in more {
            if !ends.contains(&e) {
                ends.push(e);
            }
        }
    };
    let want = w.may.network().atoms.touching(services);
    for (&a, &b) in sources.iter().flat_map(|a| targets.iter().map(move |b| (a, b))) {
        if w.may.delivered(a, b).intersects(&want) {
            return Err(none("a packet may arrive".into())
                .help("ask the same question without `--smt`: it shows the packet and its path"));
        }
        let c = claim_between(&w.may, a, b, services);
        add(&mut claim.from, c.from);
        add(&mut claim.to, c.to);
    }
    let beyond = |why: String| {
        none(why).help(
            "the engine does prove it; certificates know groups, ACLs, addresses and direct routes, not what lies behind \
             an appliance, a transit router or a load balancer. Ask without `--smt` for the explanation",
        )
    };
    let cert = certify_claim(f.inventory, &claim).map_err(|e| match e {
        Uncertified::Beyond(i, j, way, _) => {
            let name = |e: &End| match e.at {
                Some((i, _)) => format!("`{}`", f.inventory.typed[i].meta.origin.address),
                None => "the Internet".to_string(),
            };
            beyond(format!(
                "what stops packets from {} to {} ({way:?}) is beyond certificates",
                name(&claim.from[i as usize]),
                name(&claim.to[j as usize])
            ))
        }
        Uncertified::Unplaced(why) => beyond(why),
        Uncertified::Delivered(_) => none("a packet may arrive".into()),
    })?;
    check_certificate(f.inventory, &claim, &cert).map_err(|e| {
        none(format!(
            "the checker refuses the one that was found ({e}); please report this"
        ))
    })?;
    Ok(smt_certificate(f.inventory, &claim, &cert))
}
