//! What all families share: finding what a value means and saying what is missing.

use super::attrs::{Attrs, items};
use super::{Identity, Role, parse};
use bartizan_base::{Diagnostic, Span};
use bartizan_model::*;
use ipnet::IpNet;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::mem::{Discriminant, discriminant};
use std::net::IpAddr;
use std::sync::Arc;

/// Something that other resources refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entity {
    Vpc(VpcId),
    Vswitch(VswitchId),
    Table(RouteTableId),
    Group(SecurityGroupId),
    PrefixList(PrefixListId),
    Acl(AclId),
    Instance(InstanceId),
    Interface(InterfaceId),
    Eip(EipId),
    Nat(NatId),
    Ipv4Gateway(Ipv4GatewayId),
    Ipv6Gateway(Ipv6GatewayId),
    HaVip(HaVipId),
    DataService(DataServiceId),
    Peering(PeeringId),
    Router(RouterId),
    TrTable(TrTableId),
    Attachment(AttachmentId),
    Vpn(VpnGatewayId),
    Connection(VpnConnectionId),
    Border(BorderRouterId),
    RouterInterface(RouterInterfaceId),
    Balancer(BalancerId),
    /// An endpoint of a gateway load balancer.
    Inspector(InspectorId),
    /// A gateway load balancer; its position among them.
    Gwlb(u32),
    /// A server group of gateway load balancers; its position among them.
    GwlbGroup(u32),
    /// A server group of load balancers; its position among them.
    ServerGroup(u32),
    /// An access list of listeners; its position among them.
    AccessList(u32),
    /// A listener that others refer to; its position among all.
    Listener(u32),
    /// An address book of Cloud Firewall; its position among them.
    Book(u32),
    /// A policy of Cloud Firewall; its position among all.
    Policy(u32),
    /// A firewall between VPCs; its position among them.
    VpcFirewall(u32),
    /// An endpoint service; its position among them.
    EndpointService(u32),
    /// A scaling group; its position among them.
    Pool(u32),
    /// A launch template; its position among them.
    Template(u32),
    /// A cluster; its position among them.
    Cluster(u32),
    /// An `alicloud_vpc_ipv6_address`; its position in the resources.
    Ipv6Address(usize),
}

/// What a value that names another resource turned out to be.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// Nothing is named.
    Unset,
    /// It is in the typed layer.
    Entity(Entity),
    /// A resource of the inventory that has no place in the typed layer.
    Resource(usize),
    /// A literal id that nothing in the inventory has.
    Foreign(Arc<str>),
    /// Not known.
    Unknown(Unknown),
}

/// How deep references may chain through attributes of other resources.
const MAX_CHASE: usize = 16;

/// The state of linking.
pub(super) struct Linker<'r> {
    pub(super) res: &'r [Resource],
    pub(super) typed: Typed,
    /// What each resource became.
    pub(super) entity: Vec<Option<Entity>>,
    /// The primary interface of each instance.
    pub(super) primary: Vec<Option<InterfaceId>>,
    /// IPv6 addresses of interfaces that come from an `alicloud_vpc_ipv6_address`: (interface, position) -> resource.
    pub(super) ipv6_from: BTreeMap<(u32, u32), usize>,
    /// Internet access of IPv6 addresses.
    pub(super) ipv6: super::ipv6::Ipv6Access,
    /// Route tables and network ACLs that vSwitches are bound to, as written.
    pub(super) bindings: Vec<super::vswitch::Binding>,
    /// Bindings of public addresses that could not be placed.
    pub(super) loose_eips: Vec<super::eip::Loose>,
    pub(super) eips_by_address: Vec<super::eip::ByAddress>,
    /// VPCs of which some table is not in the input.
    pub(super) strange_tables: std::collections::BTreeSet<VpcId>,
    /// Peering connections that another account has to accept.
    pub(super) foreign_peerings: Vec<(PeeringId, Span)>,
    /// Routes to an IPv4 gateway that is not in the input, with the table.
    pub(super) foreign_gateways: Vec<(Fact<RouteTableId>, Origin, Unknown)>,
    /// Server groups, access lists and listeners of load balancers.
    pub(super) balancers: super::balancer::State,
    /// Policies, address books and proxies of the perimeter.
    pub(super) perimeter: super::perimeter::State,
    /// Gateway load balancers.
    pub(super) gwlb: super::gwlb::State,
    /// Services and endpoints of PrivateLink.
    pub(super) private_link: super::private_link::State,
    /// Launch templates.
    pub(super) templates: Vec<super::compute::Template>,
    /// Clusters.
    pub(super) clusters: Vec<super::cluster::Cluster>,
    /// Sites behind VPN connections.
    pub(super) sites: super::hybrid::State,
    /// Where the address of a virtual IP is listed: positions of interfaces and of their addresses.
    pub(super) vip_on: BTreeMap<HaVipId, Vec<(InterfaceId, u32)>>,
    /// Attachments of virtual IPs that the cloud has: the resource, and whom it names.
    pub(super) vips_attached: BTreeMap<HaVipId, Vec<(usize, InterfaceId)>>,
    /// What a state shows of virtual IPs.
    pub(super) vips_shown: Vec<super::havip::Shown<'r>>,
    /// EIPs that somebody uses, as a state shows.
    pub(super) eips_in_use: Vec<(usize, super::eip::Loose)>,
    /// Parts of each resource that were not understood.
    pub(super) partly: Vec<Vec<String>>,
    /// A reason to call the resource as a whole not understood.
    pub(super) refused: BTreeMap<usize, String>,
    pub(super) diagnostics: Vec<Diagnostic>,
    identities: FxHashMap<&'static str, &'static [Identity]>,
    by_address: FxHashMap<&'r str, usize>,
    by_base: FxHashMap<&'r str, Vec<usize>>,
    ids: FxHashMap<Arc<str>, Entity>,
    /// Whether what is read is a directory, where nobody's id is known.
    pub(super) directory: bool,
    /// Kinds of which some are declared there: a literal id may be that of any of them.
    nameless: FxHashSet<Discriminant<Entity>>,
    causes: FxHashSet<(String, Option<Span>)>,
    by_ip: Option<FxHashMap<IpAddr, Vec<(InterfaceId, u32)>>>,
}

/// The address without the index of the last segment.
fn base(address: &str) -> &str {
    if address.ends_with(']') {
        // An index key may hold brackets; the index starts after the last dot that is outside of quotes.
        let mut quoted = false;
        let mut escaped = false;
        let mut open = None;
        for (i, c) in address.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                '[' if !quoted => open = Some(i),
                _ => {}
            }
        }
        open.and_then(|i| address.get(..i)).unwrap_or(address)
    } else {
        address
    }
}

impl<'r> Linker<'r> {
    pub(super) fn new(res: &'r [Resource], identities: FxHashMap<&'static str, &'static [Identity]>) -> Self {
        let mut by_address = FxHashMap::default();
        let mut by_base: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
        for (i, r) in res.iter().enumerate() {
            by_address.entry(&*r.address).or_insert(i);
            by_base.entry(base(&r.address)).or_default().push(i);
        }
        Linker {
            res,
            typed: Typed::default(),
            entity: vec![None; res.len()],
            primary: Vec::new(),
            ipv6_from: BTreeMap::new(),
            ipv6: super::ipv6::Ipv6Access::default(),
            bindings: Vec::new(),
            loose_eips: Vec::new(),
            eips_by_address: Vec::new(),
            strange_tables: std::collections::BTreeSet::new(),
            foreign_peerings: Vec::new(),
            foreign_gateways: Vec::new(),
            balancers: super::balancer::State::default(),
            perimeter: super::perimeter::State::default(),
            gwlb: super::gwlb::State::default(),
            private_link: super::private_link::State::default(),
            templates: Vec::new(),
            clusters: Vec::new(),
            sites: super::hybrid::State::default(),
            vip_on: BTreeMap::new(),
            vips_attached: BTreeMap::new(),
            vips_shown: Vec::new(),
            eips_in_use: Vec::new(),
            partly: vec![Vec::new(); res.len()],
            refused: BTreeMap::new(),
            diagnostics: Vec::new(),
            identities,
            by_address,
            by_base,
            ids: FxHashMap::default(),
            directory: false,
            nameless: FxHashSet::default(),
            causes: FxHashSet::default(),
            by_ip: None,
        }
    }

    /// Records what a resource is, so that references and literal ids find it.
    pub(super) fn declare(&mut self, i: usize, entity: Entity) {
        if let Some(slot) = self.entity.get_mut(i) {
            *slot = Some(entity);
        }
        let Some(r) = self.res.get(i) else { return };
        // What a plan has yet to make has none that anybody could have written.
        if self.directory {
            self.nameless.insert(discriminant(&entity));
        }
        for id in self.identities.get(&*r.kind).copied().unwrap_or_default() {
            if !id.literal {
                continue;
            }
            let Some(Value::String(s)) = r.get(id.attribute).map(|n| &n.value) else {
                continue;
            };
            for part in s.split(',').map(str::trim).filter(|p| !p.is_empty()) {
                if let Some(e) = self.play(entity, id.role) {
                    self.ids.entry(part.into()).or_insert(e);
                }
            }
        }
    }

    /// Why a literal id that nothing has may be that of something declared, of the kind of `like`, if it may.
    pub(super) fn may_be(&self, like: Entity, id: &str, span: Span) -> Option<Unknown> {
        let why = || format!("`{id}` may be the id of one that is declared here, as none of those is known");
        let some = self.nameless.contains(&discriminant(&like));
        some.then(|| Unknown::at(why(), span))
    }

    /// Registers the literal primary ENI ids of an instance once its primary interface is known.
    pub(super) fn declare_id(&mut self, id: &str, entity: Entity) {
        self.ids.entry(id.into()).or_insert(entity);
    }

    fn play(&self, entity: Entity, role: Role) -> Option<Entity> {
        match (role, entity) {
            (Role::Own, e) => Some(e),
            (Role::SystemTable, Entity::Border(b)) => Some(Entity::Table(self.typed[b].table)),
            (Role::SystemTable, Entity::Vpc(v)) => Some(Entity::Table(self.typed[v].system_table)),
            (Role::PrimaryInterface, Entity::Instance(n)) => self
                .primary
                .get(n.index())
                .copied()
                .flatten()
                .map(Entity::Interface),
            _ => None,
        }
    }

    pub(super) fn position(&self, address: &str) -> Option<usize> {
        if let Some(&i) = self.by_address.get(address) {
            return Some(i);
        }
        // A reference without an index to a resource with one instance, or with an index to a resource whose
        // number of instances is not known, means that instance.
        match self.by_base.get(base(address))?.as_slice() {
            [i] if base(address) == address
                || self.res.get(*i).is_some_and(|r| r.address.ends_with("[?]")) =>
            {
                Some(*i)
            }
            _ => None,
        }
    }

    /// What a value names.
    pub(super) fn find(&mut self, node: &Node) -> Found {
        self.find_at(node, 0)
    }

    fn find_at(&mut self, node: &Node, depth: usize) -> Found {
        match &node.value {
            Value::Null => Found::Unset,
            Value::String(s) if s.is_empty() => Found::Unset,
            Value::String(s) => self
                .ids
                .get(s)
                .map_or_else(|| Found::Foreign(s.clone()), |e| Found::Entity(*e)),
            Value::Unknown(u) => Found::Unknown(u.clone()),
            Value::Ref(r) => self.deref(r, node.span, depth),
            Value::List(l) if l.len() == 1 => l.first().map_or(Found::Unset, |n| self.find_at(n, depth)),
            Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => {
                Found::Unknown(Unknown::at("it is not the id of a resource", node.span))
            }
        }
    }

    fn deref(&mut self, r: &Reference, span: Span, depth: usize) -> Found {
        let what = format!("{}.{}", r.address, r.attribute);
        let Some(i) = self.position(&r.address) else {
            if r.address.starts_with("data.") || r.address.contains(".data.") {
                return Found::Unknown(Unknown::at(
                    format!("`{what}` is read from the cloud by a data source"),
                    span,
                ));
            }
            let why = format!("`{}` is not in the inventory", r.address);
            if self.causes.insert((why.clone(), Some(span))) {
                self.diagnostics.push(
                    Diagnostic::warning("INPUT004", why.clone())
                        .at(span, "named here")
                        .help("read the configuration that declares it too, or check its spelling"),
                );
            }
            return Found::Unknown(Unknown::at(why, span));
        };
        let Some(res) = self.res.get(i) else {
            return Found::Unset;
        };
        if let Some(e) = self.entity.get(i).copied().flatten() {
            let ids = self.identities.get(&*res.kind).copied().unwrap_or_default();
            let head = r.attribute.split(['.', '[']).next().unwrap_or("");
            if let Some(id) = ids.iter().find(|id| id.attribute == head) {
                return match self.play(e, id.role) {
                    Some(e) => Found::Entity(e),
                    None => Found::Unknown(Unknown::at(format!("`{what}` is not known"), span)),
                };
            }
        }
        match (lookup(res, &r.attribute), depth < MAX_CHASE) {
            (Some(n), true) => match &n.value {
                Value::Unknown(_) => {}
                _ if left_to_cloud(n) => {}
                _ => return self.find_at(n, depth + 1),
            },
            (Some(_), false) => {
                return Found::Unknown(Unknown::at(format!("`{what}` refers to itself"), span));
            }
            (None, _) => {}
        }
        if &*res.kind == "module" {
            return Found::Unknown(Unknown::at(
                format!("`{what}` comes from a module that is not loaded"),
                span,
            ));
        }
        if res.data {
            return Found::Unknown(Unknown::at(
                format!("`{what}` is read from the cloud by a data source"),
                span,
            ));
        }
        if &*r.attribute == "id" && self.entity.get(i).copied().flatten().is_none() {
            return Found::Resource(i);
        }
        Found::Unknown(Unknown::at(format!("`{what}` is decided by the cloud"), span))
    }

    /// Whether a value is an output of a module that is not loaded.
    pub(super) fn of_unloaded_module(&self, node: &Node) -> bool {
        match &node.value {
            Value::Ref(r) => self
                .position(&r.address)
                .and_then(|i| self.res.get(i))
                .is_some_and(|r| &*r.kind == "module"),
            Value::List(l) => l.len() == 1 && l.iter().all(|n| self.of_unloaded_module(n)),
            _ => false,
        }
    }

    /// A scalar as text, through references to attributes that are set.
    pub(super) fn text(&mut self, node: &Node) -> Fact<Arc<str>> {
        let mut node = node;
        for _ in 0..MAX_CHASE {
            match &node.value {
                Value::String(s) | Value::Number(s) => return Fact::Known(s.clone()),
                Value::Bool(b) => return Fact::Known(if *b { "true" } else { "false" }.into()),
                Value::Unknown(u) => return Fact::Unknown(u.clone()),
                Value::Null => return Fact::Unknown(Unknown::at("it is null", node.span)),
                Value::List(l) if l.len() == 1 => match l.first() {
                    Some(n) => node = n,
                    None => break,
                },
                Value::List(_) | Value::Map(_) => break,
                Value::Ref(r) => {
                    let next = self
                        .position(&r.address)
                        .and_then(|i| self.res.get(i))
                        .and_then(|x| lookup(x, &r.attribute));
                    match next {
                        Some(n) if !left_to_cloud(n) => node = n,
                        _ => {
                            let why = format!("`{}.{}` is decided by the cloud", r.address, r.attribute);
                            return Fact::Unknown(Unknown::at(why, node.span));
                        }
                    }
                }
            }
        }
        Fact::Unknown(Unknown::at("it is not a plain value", node.span))
    }

    /// Says that part of a resource is unknown: on the resource, and once per cause as a diagnostic.
    pub(super) fn unknown(&mut self, i: usize, attribute: &str, u: &Unknown) {
        let note = format!("`{attribute}`: {}", u.why);
        if let Some(p) = self.partly.get_mut(i)
            && !p.contains(&note)
        {
            p.push(note);
        }
        if !self.causes.insert((u.why.to_string(), u.span)) {
            return;
        }
        let Some(r) = self.res.get(i) else { return };
        self.diagnostics.push(
            Diagnostic::warning("INPUT002", format!("`{attribute}` of `{}` is unknown: {}", r.address, u.why))
                .at(u.span.unwrap_or(r.span), "not known here")
                .help(if crate::json::not_shown(&u.why) {
                    "give the directory that the plan was made from, `--config DIR`; until then claims that need it stay undecided"
                } else {
                    "give the value (a variable file, a plan, a state); until then claims that need it stay undecided"
                }),
        );
    }

    /// Says that a value is outside what Alibaba Cloud accepts.
    pub(super) fn invalid(
        &mut self,
        i: usize,
        attribute: &str,
        span: Span,
        why: &str,
        help: &str,
    ) -> Unknown {
        if let Some(r) = self.res.get(i) {
            self.diagnostics.push(
                Diagnostic::error(
                    "INPUT005",
                    format!("`{attribute}` of `{}` is not valid: {why}", r.address),
                )
                .at(span, why)
                .help(help),
            );
        }
        let note = format!("`{attribute}`: {why}");
        if let Some(p) = self.partly.get_mut(i)
            && !p.contains(&note)
        {
            p.push(note);
        }
        Unknown::at(why, span)
    }

    /// Says that the cloud refuses something beside what else is there; why it may not be there.
    pub(super) fn refuse(&mut self, i: usize, attribute: &str, span: Span, why: &str, help: &str) -> Unknown {
        if let Some(r) = self.res.get(i) {
            self.diagnostics.push(
                Diagnostic::warning("INPUT007", format!("the cloud refuses `{}`: {why}", r.address))
                    .at(span, format!("`{attribute}`"))
                    .help(help),
            );
        }
        self.note(i, format!("`{attribute}`: {why}"));
        super::refused::doubt(why, span)
    }

    /// Notes a part that is not understood, without a diagnostic of its own.
    pub(super) fn note(&mut self, i: usize, text: impl Into<String>) {
        if let Some(p) = self.partly.get_mut(i) {
            p.push(text.into());
        }
    }

    /// Text, parsed.
    pub(super) fn parsed<T>(
        &mut self,
        i: usize,
        attribute: &str,
        node: &Node,
        help: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Fact<T> {
        match self.text(node) {
            Fact::Known(s) => match parse(&s) {
                Ok(v) => Fact::Known(v),
                Err(why) => Fact::Unknown(self.invalid(i, attribute, node.span, &why, help)),
            },
            Fact::Unknown(u) => {
                self.unknown(i, attribute, &u);
                Fact::Unknown(u)
            }
        }
    }

    /// A prefix.
    pub(super) fn net(&mut self, i: usize, attribute: &str, node: &Node) -> Fact<IpNet> {
        self.parsed(
            i,
            attribute,
            node,
            "write a prefix such as `10.0.0.0/8` or one address",
            parse::net,
        )
    }

    /// A truth value; `default` when not set.
    pub(super) fn flag(&mut self, i: usize, a: &Attrs<'_>, name: &'static str, default: bool) -> Fact<bool> {
        match a.get(name) {
            None => Fact::Known(default),
            Some(n) => self.parsed(i, name, n, "write `true` or `false`", |s| {
                match s.to_ascii_lowercase().as_str() {
                    "true" => Ok(true),
                    "false" => Ok(false),
                    _ => Err(format!("`{s}` is neither `true` nor `false`")),
                }
            }),
        }
    }

    /// One of two words in any case: `Known(true)` for the first; `default` when not set.
    pub(super) fn either(
        &mut self,
        i: usize,
        a: &Attrs<'_>,
        name: &'static str,
        (yes, no): (&str, &str),
        default: bool,
    ) -> Fact<bool> {
        match a.get(name) {
            None => Fact::Known(default),
            Some(n) => self.parsed(i, name, n, &format!("write `{yes}` or `{no}`"), |s| {
                if s.eq_ignore_ascii_case(yes) {
                    Ok(true)
                } else if s.eq_ignore_ascii_case(no) {
                    Ok(false)
                } else {
                    Err(format!("`{s}` is neither `{yes}` nor `{no}`"))
                }
            }),
        }
    }

    /// A count; 0 when not set.
    pub(super) fn count(&mut self, i: usize, a: &Attrs<'_>, name: &'static str) -> Fact<u32> {
        match a.get(name) {
            None => Fact::Known(0),
            Some(n) => self.parsed(i, name, n, "write a whole number", |s| {
                s.parse()
                    .map_err(|_| format!("`{s}` is not a whole number that is 0 or more"))
            }),
        }
    }

    /// The resource that an attribute names, as one kind of id. `pick` says which entities fit.
    pub(super) fn link<T>(
        &mut self,
        i: usize,
        a: &Attrs<'_>,
        names: &[&'static str],
        what: &str,
        pick: impl Fn(Entity) -> Option<T>,
    ) -> Fact<T> {
        let Some((name, node)) = a.first(names) else {
            let why = format!("no {what} is set");
            let u = Unknown::at(why, a.span);
            self.unknown(i, names.first().copied().unwrap_or(what), &u);
            return Fact::Unknown(u);
        };
        self.link_node(i, name, node, what, pick)
    }

    /// As [`Linker::link`] for a value at hand.
    pub(super) fn link_node<T>(
        &mut self,
        i: usize,
        name: &str,
        node: &Node,
        what: &str,
        pick: impl Fn(Entity) -> Option<T>,
    ) -> Fact<T> {
        let found = self.find(node);
        let u = match found {
            Found::Entity(e) => match pick(e) {
                Some(v) => return Fact::Known(v),
                None => {
                    return Fact::Unknown(self.invalid(
                        i,
                        name,
                        node.span,
                        &format!("it is not the id of a {what}"),
                        &format!("name a {what}"),
                    ));
                }
            },
            Found::Resource(_) => {
                return Fact::Unknown(self.invalid(
                    i,
                    name,
                    node.span,
                    &format!("it is not the id of a {what}"),
                    &format!("name a {what}"),
                ));
            }
            Found::Foreign(id) => {
                self.dangling(i, name, &id, node.span, what);
                Unknown::at(format!("`{id}` is not in the inventory"), node.span)
            }
            Found::Unset => Unknown::at(format!("no {what} is set"), node.span),
            Found::Unknown(u) => u,
        };
        self.unknown(i, name, &u);
        Fact::Unknown(u)
    }

    /// Says once that a literal id is not in the inventory.
    pub(super) fn dangling(&mut self, i: usize, attribute: &str, id: &str, span: Span, what: &str) {
        let why = format!("`{id}` is not in the inventory");
        // The cause is said here, with what was looked for; `unknown` shall not say it again.
        let fresh = self.causes.insert((why.clone(), None));
        self.causes.insert((why.clone(), Some(span)));
        if fresh && let Some(r) = self.res.get(i) {
            self.diagnostics.push(
                Diagnostic::warning("INPUT004", format!("`{attribute}` of `{}` names the {what} `{id}`, which is not in the inventory", r.address))
                    .at(span, "named here")
                    .help(format!("read the configuration or state that has the {what} too; what depends on it stays unknown")),
            );
        }
    }

    pub(super) fn vpc(&mut self, i: usize, a: &Attrs<'_>) -> Fact<VpcId> {
        self.link(i, a, &["vpc_id"], "VPC", |e| {
            if let Entity::Vpc(v) = e { Some(v) } else { None }
        })
    }
    pub(super) fn vswitch(&mut self, i: usize, a: &Attrs<'_>, names: &[&'static str]) -> Fact<VswitchId> {
        self.link(i, a, names, "vSwitch", as_vswitch)
    }
    pub(super) fn table(&mut self, i: usize, a: &Attrs<'_>) -> Fact<RouteTableId> {
        self.link(i, a, &["route_table_id"], "route table", as_table)
    }

    /// The interface behind an instance or interface.
    pub(super) fn interface_of(&self, e: Entity) -> Option<InterfaceId> {
        match e {
            Entity::Interface(x) => Some(x),
            Entity::Instance(n) => self.primary.get(n.index()).copied().flatten(),
            // A balancer with one front has its address there.
            Entity::Balancer(b) => match self.typed[b].fronts.as_slice() {
                [one] => Some(*one),
                _ => None,
            },
            _ => None,
        }
    }

    /// Where a resource comes from.
    pub(super) fn origin(&self, i: usize, span: Span) -> Origin {
        let r = self.res.get(i);
        Origin {
            address: r.map_or_else(|| "?".into(), |r| r.address.clone()),
            span,
            maybe: r.and_then(|r| r.maybe.clone()).map(Box::new),
        }
    }

    /// Identity of a resource.
    pub(super) fn meta(&mut self, i: usize, a: &Attrs<'_>, names: &[&'static str]) -> Meta {
        let origin = self.origin(i, a.span);
        let id = match a.get("id").map(|n| &n.value) {
            Some(Value::String(s)) => Some(s.clone()),
            _ => None,
        };
        let name = a.first(names).map(|(_, n)| self.text(n));
        let tags = match if a.declared("tags") { a.get("tags") } else { None }.map(|n| &n.value) {
            None => Fact::Known(BTreeMap::new()),
            Some(Value::Map(m)) => Fact::Known(
                m.iter()
                    .filter(|(_, n)| n.value != Value::Null)
                    .map(|(k, n)| (k.clone(), self.text(n)))
                    .collect(),
            ),
            Some(Value::Unknown(u)) => Fact::Unknown(u.clone()),
            Some(_) => Fact::Unknown(Unknown::at("the tags are not a map", a.span)),
        };
        let region = self.res.get(i).and_then(|r| r.region.clone());
        Meta {
            origin,
            id,
            name,
            tags,
            region,
        }
    }

    /// Several links at once: (known, literal ids outside the inventory), or why the set is not known.
    pub(super) fn links<T>(
        &mut self,
        i: usize,
        name: &str,
        node: &Node,
        what: &str,
        pick: impl Fn(Entity) -> Option<T>,
    ) -> Result<(Vec<T>, Vec<Arc<str>>), Unknown> {
        let mut known = Vec::new();
        let mut foreign = Vec::new();
        let fail = |l: &mut Self, u: Unknown| {
            l.unknown(i, name, &u);
            u
        };
        for n in items(node).map_err(|u| fail(self, u))? {
            match self.find(n) {
                Found::Entity(e) => match pick(e) {
                    Some(v) => known.push(v),
                    None => {
                        return Err(self.invalid(
                            i,
                            name,
                            n.span,
                            &format!("it is not the id of a {what}"),
                            &format!("name a {what}"),
                        ));
                    }
                },
                Found::Foreign(id) => {
                    self.dangling(i, name, &id, n.span, what);
                    foreign.push(id);
                }
                Found::Unset => {}
                Found::Unknown(u) => return Err(fail(self, u)),
                Found::Resource(_) => {
                    return Err(self.invalid(
                        i,
                        name,
                        n.span,
                        &format!("it is not the id of a {what}"),
                        &format!("name a {what}"),
                    ));
                }
            }
        }
        Ok((known, foreign))
    }

    /// Known owners of an address. Valid once every interface has its addresses.
    pub(super) fn owners(&mut self, ip: IpAddr) -> Vec<(InterfaceId, u32)> {
        let typed = &self.typed;
        let map = self.by_ip.get_or_insert_with(|| {
            let mut map: FxHashMap<IpAddr, Vec<(InterfaceId, u32)>> = FxHashMap::default();
            for (x, iface) in (0u32..).zip(&typed.interfaces) {
                for (k, a) in (0u32..).zip(&iface.addresses) {
                    if let AddressSpec::Ip(ip) = a.spec {
                        map.entry(ip).or_default().push((InterfaceId(x), k));
                    }
                }
            }
            map
        });
        map.get(&ip).cloned().unwrap_or_default()
    }
}

pub(super) fn as_vswitch(e: Entity) -> Option<VswitchId> {
    if let Entity::Vswitch(v) = e { Some(v) } else { None }
}
pub(super) fn as_table(e: Entity) -> Option<RouteTableId> {
    if let Entity::Table(t) = e { Some(t) } else { None }
}
pub(super) fn as_group(e: Entity) -> Option<SecurityGroupId> {
    if let Entity::Group(g) = e { Some(g) } else { None }
}

/// Whether a value leaves an attribute to the cloud: null, and the empty text, which is how modules write "not given".
fn left_to_cloud(n: &Node) -> bool {
    match &n.value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        _ => false,
    }
}

/// The value at an attribute path such as `zone_mappings[0].vswitch_id`.
fn lookup<'r>(r: &'r Resource, path: &str) -> Option<&'r Node> {
    let mut parts = path
        .split(['.', '['])
        .map(|p| p.trim_end_matches(']').trim_matches('"'));
    let mut node = r.attributes.get(parts.next()?)?;
    for p in parts {
        node = match &node.value {
            Value::Map(m) => m.get(p)?,
            Value::List(l) => l.get(p.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(node)
}

/// The id of the next element of a table.
pub(super) fn next(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
