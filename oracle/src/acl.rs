//! Network ACLs (ALIBABA.md §6).

use crate::group::Pkt;
use crate::world::{EntryW, World};
use bartizan_model::Direction;
use std::net::IpAddr;

impl World {
    /// §6: stateless, first match decides, the port is the destination port in both directions (A-NACL-2),
    /// no match is a deny (A-NACL-1). Returns what dropped the packet, if anything did.
    pub(crate) fn acl_drop(&self, vswitch: usize, direction: Direction, p: &Pkt) -> Option<String> {
        let acl = &self.acls[self.vswitches[vswitch].acl?];
        let (list, peer) = match direction {
            Direction::Ingress => (&acl.ingress, p.src.ip),
            Direction::Egress => (&acl.egress, p.dst.ip),
        };
        let hit = list.iter().position(|e| entry_matches(e, peer, p));
        match hit {
            Some(i) if list[i].accept => None,
            Some(i) => Some(format!("entry {} of `{}` drops", i + 1, acl.name)),
            None => Some(format!("no entry of `{}` matches", acl.name)),
        }
    }

    /// §6: what happens to a packet that goes from one vSwitch to another, or to or from the Internet
    /// (`None`). Traffic inside a vSwitch is not filtered.
    pub(crate) fn acl_crossing_drop(
        &self,
        from: Option<usize>,
        to: Option<usize>,
        p: &Pkt,
    ) -> Option<String> {
        if from == to {
            return None;
        }
        let out = from.and_then(|v| self.acl_drop(v, Direction::Egress, p));
        out.or_else(|| to.and_then(|v| self.acl_drop(v, Direction::Ingress, p)))
    }
}

fn entry_matches(e: &EntryW, peer: IpAddr, p: &Pkt) -> bool {
    e.services.contains(p.proto, p.dport) && e.nets.iter().any(|n| n.contains(&peer))
}
