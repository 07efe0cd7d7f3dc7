//! What verdicts rest on besides flows: the same for every clause.

use crate::assumptions;
use crate::names;
use crate::plan::Plan;
use crate::unmodelled::{Unmodelled, unmodelled};
use crate::world::World;
use bartizan_model::{Assumption, Use};

/// What verdicts rest on besides flows.
pub(crate) struct Ground {
    pub(crate) open: Vec<Unmodelled>,
    pub(crate) harmless: bool,
    pub(crate) notes: Vec<String>,
    /// Why some endpoint is in no network, if one is.
    pub(crate) lost: Option<String>,
}

impl Ground {
    pub(crate) fn new(w: &World<'_>, plan: &Plan) -> Self {
        let open = unmodelled(w.inventory, &w.network().gaps);
        let mut notes = assumptions::of(w.inventory);
        // Where such routes do not take effect nothing is led elsewhere.
        let local = |u| u == Use::Second;
        if local(plan.readings.absence(Assumption::Route1))
            && local(plan.readings.presence(Assumption::Route1))
        {
            notes.retain(|id| *id != "A-LB-4");
        }
        let harmless = plan.readings.absence(Assumption::Unmodelled) == Use::Second;
        if harmless && !open.is_empty() {
            notes.push("A-UNMODELLED");
        }
        let notes = notes.iter().map(|id| plan.readings.label(id)).collect();
        let lost = w.lost();
        let lost = lost.first().map(|i| {
            let more = if lost.len() > 1 {
                format!(" and of {} more", lost.len() - 1)
            } else {
                String::new()
            };
            format!(
                "the network of `{}`{more} is not known: its vSwitch or the VPC of it",
                names::interface(w, *i)
            )
        });
        Ground {
            open,
            harmless,
            notes,
            lost,
        }
    }
}
