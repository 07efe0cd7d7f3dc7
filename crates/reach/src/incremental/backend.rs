//! A listener has one more backend, or one less (docs/decisions/019, 23).

use super::far;
use super::touch::Keys;
use super::{Inside, Live};
use bartizan_model::{Backend, BalancerId, Forward, InterfaceId};
use std::sync::Arc;

const WHOLE: &str = "what balancers hand on is found as a whole";

impl Live {
    /// A backend was added behind all others of a listener.
    pub(super) fn backend_added(&mut self, b: BalancerId, listener: u32) -> Inside {
        let Some((position, to)) = self.parts().last_backend((b, listener))? else {
            return Ok(Keys::default());
        };
        let cells = self.cells_at(to);
        let mut keys = Keys::default();
        for n in self.parts().relays_to((b, listener), position, to) {
            let r = &self.reach.net.relays[n as usize];
            let front = r.front;
            let rep = |&(k, c): &far::At| self.reach.domains[k].cells[c as usize].rep;
            let reached: Vec<far::At> = cells.iter().copied().filter(|c| r.reaches(rep(c))).collect();
            let fronts = self.fronts.as_mut().ok_or(WHOLE)?;
            if !fronts.add(&self.reach, front, (n, &reached)) {
                return Err(WHOLE);
            }
            self.reopened(front, &mut keys);
        }
        keys.blocks.extend(self.blocks_of(&cells));
        Ok(keys)
    }

    /// A backend was taken from a listener; those behind it have moved up.
    pub(super) fn backend_removed(
        &mut self,
        (b, listener, position): (BalancerId, u32, u32),
        f: &Forward,
    ) -> Inside {
        if self.fronts.is_none() && !self.reach.net.relays.is_empty() {
            return Err(WHOLE);
        }
        let mut keys = Keys::default();
        let nothing = Arc::new(self.reach.net.common.none.clone());
        let of = self.inv.typed.balancers.get(b.index()).map(|b| b.fronts.clone());
        for front in of.into_iter().flatten() {
            let relays = self
                .fronts
                .as_ref()
                .map(|f| f.relays_of(front))
                .unwrap_or_default();
            for n in relays {
                if !self.parts().vacate(n, (b, listener, position), &nothing) {
                    continue;
                }
                if let Some(fronts) = &mut self.fronts {
                    fronts.remove(front, n);
                }
                self.reopened(front, &mut keys);
            }
        }
        if let Backend::Interface(i) = f.to {
            keys.blocks.extend(self.blocks_of(&self.cells_at(i)));
        }
        Ok(keys)
    }

    fn cells_at(&self, i: InterfaceId) -> Vec<far::At> {
        let vpc = self.vpc_of(i).and_then(|v| self.kept_of(v));
        let k = vpc.into_iter();
        k.flat_map(|k| self.kept[k].cells_of(i).iter().map(move |c| (k, *c)))
            .collect()
    }

    fn blocks_of(&self, cells: &[far::At]) -> Vec<u32> {
        let block = |&(k, c): &far::At| self.reach.domains[k].cells[c as usize].block;
        cells.iter().map(block).collect()
    }

    /// A front hands on something else than before, to everybody.
    fn reopened(&self, front: InterfaceId, keys: &mut Keys) {
        let Some(fronts) = &self.fronts else { return };
        if let Some(front) = fronts.of(front).and_then(|f| fronts.all.get(f as usize)) {
            self.everybody(front, keys);
        }
    }
}
