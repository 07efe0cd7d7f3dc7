//! Network ACLs (ALIBABA.md §6).

use crate::group::Pkt;
use crate::world::World;
use bartizan_model::{Assumption, Direction};

impl World {
    /// §6: stateless, first match decides, the port is the destination port in both directions (or as 018, 6),
    /// no match is a deny (or as 018, 5). Returns what dropped the packet, if anything did.
    pub(crate) fn acl_drop(&self, vswitch: usize, direction: Direction, p: &Pkt) -> Option<String> {
        let acl = &self.acls[self.vswitches[vswitch].acl?];
        let (list, peer) = match direction {
            Direction::Ingress => (&acl.ingress, p.src.ip),
            Direction::Egress => (&acl.egress, p.dst.ip),
        };
        let source = direction == Direction::Ingress && p.proto.has_ports() && self.second(Assumption::Nacl2);
        let port = if source { p.sport } else { p.dport };
        let hit = list
            .iter()
            .position(|e| e.services.contains(p.proto, port) && e.nets.iter().any(|n| n.contains(&peer)));
        match hit {
            Some(i) if list[i].accept => None,
            Some(i) => Some(format!("entry {} of `{}` drops", i + 1, acl.name)),
            None if self.second(Assumption::Nacl1) => None,
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
