//! Changes of an inventory, and what they do to it.

use super::parts::associated_with;
use bartizan_model::{
    AddressKind, AddressSpec, Attached, Attachment, AttachmentId, BalancerId, Fact, Forward, InterfaceId,
    Inventory, RouteEntry, SecurityGroupId, SgRule, TrLink, TrTableId, VpcId, VswitchId,
};
use std::net::IpAddr;

/// One change of an inventory (docs/decisions/019).
#[derive(Clone, Debug)]
pub enum Change {
    /// A rule of a security group, behind all others in the table of rules.
    AddRule(Box<SgRule>),
    /// The rule at a position is gone; the last one takes its position.
    RemoveRule(u32),
    /// The groups of an interface.
    SetGroups(InterfaceId, Vec<SecurityGroupId>),
    /// A custom route, behind all others in the table of routes.
    AddRoute(RouteEntry),
    /// The custom route at a position is gone; the last one takes its position.
    RemoveRoute(u32),
    /// The private address at a position of an interface.
    SetAddress(InterfaceId, u32, IpAddr),
    /// A backend of a listener, by the balancer and the position of the listener, behind all others.
    AddBackend(BalancerId, u32, Box<Forward>),
    /// The backend at a position of a listener is gone; those behind it move up.
    RemoveBackend(BalancerId, u32, u32),
    /// The table of a transit router that forwards what comes from an attachment; `None` for no table.
    Associate(AttachmentId, Option<TrTableId>),
    /// Whether a table of a transit router learns the routes of an attachment.
    Propagate(AttachmentId, TrTableId, bool),
    /// The VPC that is attached, with the vSwitches that hold the interfaces of the router; `None` detaches what is.
    /// Associations, propagations and routes of the attachment stay, and count where something is attached.
    Attach(AttachmentId, Option<(VpcId, Vec<VswitchId>)>),
}

impl Change {
    /// What kind of change it is.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Change::AddRule(_) => "add-rule",
            Change::RemoveRule(_) => "remove-rule",
            Change::SetGroups(..) => "membership",
            Change::AddRoute(_) => "add-route",
            Change::RemoveRoute(_) => "remove-route",
            Change::SetAddress(..) => "address",
            Change::AddBackend(..) => "add-backend",
            Change::RemoveBackend(..) => "remove-backend",
            Change::Associate(..) => "association",
            Change::Propagate(..) => "propagation",
            Change::Attach(..) => "attachment",
        }
    }

    /// Changes an inventory. What names nothing that exists changes nothing.
    pub fn apply(&self, inv: &mut Inventory) {
        let t = &mut inv.typed;
        match self {
            Change::AddRule(r) => t.sg_rules.push((**r).clone()),
            Change::RemoveRule(i) => {
                if (*i as usize) < t.sg_rules.len() {
                    t.sg_rules.swap_remove(*i as usize);
                }
            }
            Change::SetGroups(i, groups) => {
                if let Some(i) = t.interfaces.get_mut(i.index()) {
                    let mut groups = groups.clone();
                    groups.sort_unstable();
                    groups.dedup();
                    i.groups = Fact::Known(groups);
                }
            }
            Change::AddRoute(r) => t.route_entries.push(r.clone()),
            Change::RemoveRoute(i) => {
                if (*i as usize) < t.route_entries.len() {
                    t.route_entries.swap_remove(*i as usize);
                }
            }
            Change::SetAddress(i, n, ip) => {
                let address = t
                    .interfaces
                    .get_mut(i.index())
                    .and_then(|i| i.addresses.get_mut(*n as usize));
                if let Some(a) = address {
                    a.spec = AddressSpec::Ip(*ip);
                }
            }
            Change::AddBackend(b, l, f) => {
                let b = t.balancers.get_mut(b.index());
                if let Some(l) = b.and_then(|b| b.listeners.get_mut(*l as usize)) {
                    l.forwards.push((**f).clone());
                }
            }
            Change::RemoveBackend(b, l, n) => {
                let b = t.balancers.get_mut(b.index());
                if let Some(l) = b.and_then(|b| b.listeners.get_mut(*l as usize))
                    && (*n as usize) < l.forwards.len()
                {
                    l.forwards.remove(*n as usize);
                }
            }
            Change::Associate(a, table) => {
                t.tr_associations.retain(|l| l.attachment.known() != Some(a));
                if let Some(table) = table {
                    t.tr_associations.extend(link(&t.attachments, *a, *table));
                }
            }
            Change::Propagate(a, table, learns) => {
                t.tr_propagations.retain(|l| !l.joins(*a, *table));
                if *learns {
                    t.tr_propagations.extend(link(&t.attachments, *a, *table));
                }
            }
            Change::Attach(a, to) => {
                if let Some(x) = t.attachments.get_mut(a.index()) {
                    let zones = to.iter().flat_map(|(_, zones)| zones);
                    x.vswitches = zones.map(|z| Fact::Known(*z)).collect();
                    x.to = match to {
                        Some((vpc, _)) => Attached::Vpc(Fact::Known(*vpc)),
                        None => Attached::Nothing,
                    };
                }
            }
        }
    }
}

/// What joins an attachment and a table, if the attachment is there.
fn link(all: &[Attachment], a: AttachmentId, table: TrTableId) -> Option<TrLink> {
    Some(TrLink {
        origin: all.get(a.index())?.meta.origin.clone(),
        attachment: Fact::Known(a),
        table: Fact::Known(table),
    })
}

/// A change that was made to an inventory, with what was there before.
pub(super) enum Step {
    /// A rule, its position, and whether it was added.
    Rule(Box<SgRule>, u32, bool),
    /// The groups of an interface.
    Groups(InterfaceId, Vec<SecurityGroupId>),
    /// An address of an interface: its position, the old and the new one.
    Address(InterfaceId, u32, IpAddr, IpAddr),
    /// A route was added or removed.
    Route(RouteEntry),
    /// A backend behind all others of a listener.
    BackendAdded(BalancerId, u32),
    /// A backend by its position.
    BackendRemoved((BalancerId, u32, u32), Forward),
    /// The tables that forward for an attachment.
    Associated(AttachmentId, Vec<TrLink>),
    /// What a table learns from an attachment, or what is attached; with the VPCs that are attached before or after if it is
    /// the latter, or the table if it is the former.
    Rewired((AttachmentId, Option<TrTableId>), Vec<VpcId>),
    /// What it names does not exist.
    Nothing,
    /// Not all is known of what was there.
    Unknown(&'static str),
}

impl Change {
    /// Makes the change to an inventory.
    pub(super) fn make(&self, inv: &mut Inventory) -> Step {
        let t = &inv.typed;
        let step = match self {
            Change::AddRule(r) => Step::Rule(r.clone(), super::small(t.sg_rules.len()), true),
            Change::RemoveRule(i) => match t.sg_rules.get(*i as usize) {
                Some(r) => Step::Rule(Box::new(r.clone()), *i, false),
                None => Step::Nothing,
            },
            Change::SetGroups(i, _) => match t.interfaces.get(i.index()).map(|i| &i.groups) {
                Some(Fact::Known(before)) => Step::Groups(*i, before.clone()),
                Some(Fact::Unknown(_)) => Step::Unknown("the groups of the interface were not known"),
                None => Step::Nothing,
            },
            Change::SetAddress(i, n, ip) => {
                let address = t.interfaces.get(i.index());
                match address.and_then(|x| x.addresses.get(*n as usize)) {
                    Some(a) => match (&a.spec, a.kind) {
                        (AddressSpec::Ip(old), AddressKind::Primary | AddressKind::Secondary) => {
                            Step::Address(*i, *n, *old, *ip)
                        }
                        _ => Step::Unknown("the address is not one that an interface has for itself"),
                    },
                    None => Step::Nothing,
                }
            }
            Change::AddRoute(r) => Step::Route(r.clone()),
            Change::RemoveRoute(i) => match t.route_entries.get(*i as usize) {
                Some(r) => Step::Route(r.clone()),
                None => Step::Nothing,
            },
            Change::AddBackend(b, l, _) => Step::BackendAdded(*b, *l),
            Change::RemoveBackend(b, l, n) => {
                let listener = t.balancers.get(b.index());
                let listener = listener.and_then(|b| b.listeners.get(*l as usize));
                match listener.and_then(|l| l.forwards.get(*n as usize)) {
                    Some(f) => Step::BackendRemoved((*b, *l, *n), f.clone()),
                    None => Step::Nothing,
                }
            }
            Change::Associate(a, _) => Step::Associated(*a, associated_with(inv, *a)),
            Change::Propagate(a, table, learns) => {
                match t.attachments.get(a.index()).is_none() || t.tr_tables.get(table.index()).is_none() {
                    true => Step::Nothing,
                    false if t.tr_propagations.iter().any(|l| l.joins(*a, *table)) == *learns => {
                        Step::Nothing
                    }
                    false => Step::Rewired((*a, Some(*table)), Vec::new()),
                }
            }
            Change::Attach(a, to) => match t.attachments.get(a.index()).map(|x| &x.to) {
                Some(Attached::Nothing) => Step::Rewired((*a, None), to.iter().map(|(v, _)| *v).collect()),
                Some(Attached::Vpc(Fact::Known(v))) => {
                    let mut vpcs: Vec<VpcId> = to.iter().map(|(v, _)| *v).chain([*v]).collect();
                    vpcs.dedup();
                    Step::Rewired((*a, None), vpcs)
                }
                Some(_) => Step::Unknown("what was attached is not a VPC, or not known"),
                None => Step::Nothing,
            },
        };
        self.apply(inv);
        step
    }
}
