//! `through firewall "..."` and `not through firewall "..."` (decision 15).
//!
//! The network of what may happen counts a firewall only where it certainly stands, the one of what happens for
//! certain wherever it may stand. A path that the one leads around it and the other through it is in doubt.

use crate::evaluate::{Leak, Outcome, forbid, leaks};
use crate::world::World;
use bartizan_base::Verdict;
use bartizan_model::FirewallPlace;
use bartizan_packet::AtomSet;
use bartizan_reach::{Crossing, Network, Reach};

fn met(net: &Reach, s: bartizan_reach::Point, d: bartizan_reach::Point) -> Vec<Crossing> {
    net.network().crossings(s, d)
}

/// Evaluates a clause whose waypoint is a firewall; `list` are positions in `Typed::firewalls`.
pub(crate) fn evaluate(
    w: &World<'_>,
    list: &[u32],
    through: bool,
    from: &[u32],
    to: &[u32],
    atoms: &AtomSet,
) -> Outcome {
    let hit = |c: &Crossing| c.firewalls.iter().any(|f| list.contains(&f.0));
    let mut bad = Vec::new();
    let mut doubt = false;
    for l in leaks(w, from, to, atoms) {
        let mut x = w.network().atoms.none();
        w.may.each_pair(l.from, l.to, |s, d, f| {
            if f.delivered.intersects(&l.atoms) {
                for way in met(&w.may, s, d) {
                    if hit(&way) != through {
                        x.union_with(&way.delivered.intersect(&l.atoms));
                    } else if !through {
                        doubt |= may_cross(w, w.network(), list, &way);
                    }
                }
            }
            true
        });
        if !x.is_empty() {
            bad.push(Leak { atoms: x, ..l });
        }
    }
    if bad.is_empty() && !doubt {
        return forbid(w, bad);
    }
    let certain = !bad.is_empty() && (!through || bad.iter().any(|l| avoids_for_certain(w, l, &hit)));
    if certain {
        return forbid(w, bad);
    }
    Outcome {
        verdict: Verdict::Undecided,
        leaks: bad,
        misses: Vec::new(),
        reasons: vec![why(w, list)],
    }
}

/// What is not known of the firewalls.
fn why(w: &World<'_>, list: &[u32]) -> String {
    let t = &w.inventory.typed;
    let mut places = list
        .iter()
        .filter_map(|n| t.firewalls.get(*n as usize))
        .map(|f| &f.place);
    if places.clone().any(|p| t.diverts(p)) {
        return "which packets are led to a firewall at a transit router is not in Terraform; `--assume A-CFW-2=diverted` says that all are".to_string();
    }
    if places.all(|p| matches!(p, FirewallPlace::Vpc(_))) {
        return "whether the firewall judges every way depends on a value that is not known".to_string();
    }
    "whether Cloud Firewall protects a public address is not in Terraform; `--assume A-CFW-1=protected` says that every public address is".to_string()
}

/// Whether some packet of a leak goes around the firewall wherever that may stand.
fn avoids_for_certain(w: &World<'_>, leak: &Leak, hit: &dyn Fn(&Crossing) -> bool) -> bool {
    let mut found = false;
    let mut tried = 0;
    w.sure.each_pair(leak.from, leak.to, |s, d, f| {
        tried += 1;
        if f.delivered.intersects(&leak.atoms) {
            found |= met(&w.sure, s, d)
                .iter()
                .any(|c| !hit(c) && c.delivered.intersects(&leak.atoms));
        }
        // A bound on effort, as elsewhere: beyond it the claim stays undecided.
        !found && tried < 200_000
    });
    found
}

/// Whether a way that is not counted as crossing a firewall may cross one of the list.
fn may_cross(w: &World<'_>, net: &Network, list: &[u32], way: &Crossing) -> bool {
    list.iter().any(|n| {
        let Some(f) = w.inventory.typed.firewalls.get(*n as usize) else {
            return false;
        };
        f.on.known() != Some(&false)
            && match &f.place {
                FirewallPlace::Internet => {
                    let sure = w.sure.network().perimeter.internet.is_some();
                    way.internet && sure && net.perimeter.internet.is_none()
                }
                FirewallPlace::Nat { nat, .. } => match nat.known() {
                    Some(n) => way.nats.contains(n),
                    None => !way.nats.is_empty(),
                },
                FirewallPlace::Vpc(_) => !net.perimeter.stands_alike(&w.sure.network().perimeter, *n),
            }
    })
}
