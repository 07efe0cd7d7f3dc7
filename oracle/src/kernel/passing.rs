//! What the prober does with packets on their way: at sites, which may pass them on by any of their links
//! (docs/decisions/014), and at balancers that change the protocol or the family of addresses.

use super::KernelError;
use super::hybrid::{link_mark, owns};
use super::packet::Pkt;
use super::plan::ELSEWHERE;
use super::probe::{Attempt, Range};
use std::net::IpAddr;

/// How many answers one packet may get by different ways through sites.
const MOST_ANSWERS: usize = 500;

impl Range<'_> {
    /// Sends a packet from a site by one of its links.
    pub(super) fn send_over(&self, link: usize, p: &Pkt) -> Result<(), KernelError> {
        let hybrid = &self.plan.hybrid;
        let at = hybrid.sites[hybrid.links[link].site].eni;
        self.stations[at].send_by(p, link_mark(link))
    }

    /// What becomes of a packet that comes to a site by a link: where it is at home, if anywhere. It may go on as well.
    pub(super) fn at_site(
        &self,
        link: usize,
        seen: &Pkt,
        ends: [usize; 2],
        a: &mut Attempt,
        more: &mut Vec<Attempt>,
        sent: &mut u64,
    ) -> Result<Option<usize>, KernelError> {
        let hybrid = &self.plan.hybrid;
        let site = hybrid.links[link].site;
        let here = &hybrid.sites[site];
        if owns(self.plan, site, seen.dst) {
            return Ok(Some(here.eni));
        }
        let others = here.ways.iter().filter(|s| **s != site);
        let homes = others.filter(|s| owns(self.plan, **s, seen.dst));
        let homes: Vec<usize> = homes.map(|s| hybrid.sites[*s].eni).collect();
        let meant = ends[usize::from(!seen.reply)];
        let home = homes.contains(&meant).then_some(meant);
        let further = Pkt {
            chain: a.packet.chain,
            // There are at most 32 choices, and what a site sends is from there.
            choice: seen.choice & (ELSEWHERE as u8 - 1),
            ..*seen
        };
        let ends_now = (seen.src, seen.dst);
        let crossed = if seen.reply {
            let before = usize::from(seen.trail)
                .checked_sub(1)
                .and_then(|n| a.trails.get(n));
            let before = before.filter(|t| t.0 == ends_now).map(|t| t.1.clone());
            let mut crossed = before.unwrap_or_default();
            crossed.push(link);
            crossed
        } else {
            // What a VPC NAT gateway has sent on is a packet of its own (020, 8).
            if a.seen != ends_now {
                a.seen = ends_now;
                a.crossed.clear();
            }
            a.crossed.push(link);
            a.crossed.clone()
        };
        let ways: Vec<usize> = self.plan.links_of(&here.ways);
        let ways: Vec<usize> = ways.into_iter().filter(|l| !crossed.contains(l)).collect();
        if seen.reply {
            for l in ways {
                let mut crossed = crossed.clone();
                crossed.push(l);
                match self.trail(a, ends_now, crossed) {
                    Some(trail) => {
                        self.send_over(l, &Pkt { trail, ..further })?;
                        *sent += 1;
                    }
                    None => a.cut = true,
                }
            }
            return Ok(home);
        }
        let said = a.script.get(a.step).copied();
        if said.is_none() {
            // The others are tried from the beginning, with numbers of their own. To be at home is a way as well: what
            // is taken in goes on as another packet, which may come back translated and is answered for itself.
            for other in ways.iter().skip(usize::from(home.is_none())) {
                let mut script = a.script.clone();
                script.push(*other);
                more.push(Attempt {
                    probe: a.probe,
                    packet: a.packet,
                    alike: a.alike,
                    delivered: false,
                    replied: false,
                    changed: Vec::new(),
                    script,
                    step: 0,
                    crossed: Vec::new(),
                    seen: (a.packet.src, a.packet.dst),
                    trails: Vec::new(),
                    cut: false,
                });
            }
            if home.is_some() {
                return Ok(home);
            }
        }
        let Some(l) = said.or(ways.first().copied()) else {
            return Ok(None);
        };
        if said.is_none() {
            a.script.push(l);
        }
        a.step += 1;
        a.crossed.push(l);
        self.send_over(l, &further)?;
        *sent += 1;
        Ok(None)
    }

    /// The number of an answer that has crossed some links.
    pub(super) fn trail(&self, a: &mut Attempt, ends: (IpAddr, IpAddr), crossed: Vec<usize>) -> Option<u16> {
        if a.trails.len() >= MOST_ANSWERS {
            return None;
        }
        a.trails.push((ends, crossed));
        u16::try_from(a.trails.len()).ok()
    }

    /// What a front does that changes the protocol or the family: it opens the connection to the backend, and answers the client
    /// when that is answered. Whether the packet was such a one.
    pub(super) fn change(&self, at: usize, seen: &Pkt, a: &mut Attempt) -> Result<bool, KernelError> {
        let chain = self.plan.chains.get(usize::from(a.packet.chain));
        let Some((chain, h)) = chain.and_then(|c| Some((c, c.changes_at(at)?))) else {
            return Ok(false);
        };
        let client = a.changed.iter().find(|(front, _)| *front == at).map(|c| c.1);
        let further = Pkt {
            chain: a.packet.chain,
            stage: 0,
            ..*seen
        };
        match (seen.reply, client) {
            (false, None)
                if seen.proto == h.takes && seen.dst.is_ipv6() == h.six && h.hears.contains(seen.dport) =>
            {
                a.changed.push((at, *seen));
                self.stations[at].send(&Pkt {
                    proto: h.sends,
                    src: h.source.unwrap_or(seen.src),
                    sport: h.source.and(chain.sport).unwrap_or(seen.sport),
                    dst: h.ip,
                    dport: h.port.unwrap_or(seen.dport),
                    ..further
                })?;
                Ok(true)
            }
            (true, Some(c)) if seen.proto == h.sends && seen.src == h.ip => {
                self.stations[at].send(&Pkt {
                    proto: h.takes,
                    src: c.dst,
                    sport: c.dport,
                    dst: c.src,
                    dport: c.sport,
                    ..further
                })?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
