//! Prefix lists (ALIBABA.md §5.4).

use super::attrs::{Attrs, Blocks};
use super::linker::{Entity, Found, Linker, next};
use super::{Handler, Stage, TypeSpec, own};
use bartizan_model::*;

pub(super) const HANDLERS: &[Handler] = &[
    Handler {
        spec: TypeSpec {
            name: "alicloud_ecs_prefix_list",
            attributes: &["id", "prefix_list_name", "entry", "entry.cidr"],
        },
        aliases: &[],
        identities: &[own("id")],
        steps: &[(Stage::Declare, |l, i, a| declare(l, i, &a, "entry"))],
    },
    Handler {
        spec: TypeSpec {
            name: "alicloud_vpc_prefix_list",
            attributes: &[
                "id",
                "tags",
                "prefix_list_name",
                "prefix_list_id",
                "entrys",
                "entrys.cidr",
            ],
        },
        aliases: &[],
        identities: &[own("id"), own("prefix_list_id")],
        steps: &[(Stage::Declare, |l, i, a| declare(l, i, &a, "entrys"))],
    },
];

fn declare(l: &mut Linker<'_>, i: usize, a: &Attrs<'_>, blocks: &'static str) {
    let meta = l.meta(i, a, &["prefix_list_name"]);
    let entries = match a.blocks(blocks) {
        Blocks::Absent => Fact::Known(Vec::new()),
        Blocks::Unknown(u) => {
            l.unknown(i, blocks, &u);
            Fact::Unknown(u)
        }
        Blocks::List(all) => Fact::Known(
            all.iter()
                .map(|b| match b.get("cidr") {
                    Some(n) => l.net(i, "cidr", n),
                    None => {
                        Fact::Unknown(l.invalid(i, blocks, b.span, "an entry has no `cidr`", "set `cidr`"))
                    }
                })
                .collect(),
        ),
    };
    let id = PrefixListId(next(l.typed.prefix_lists.len()));
    l.typed.prefix_lists.push(PrefixList { meta, entries });
    l.declare(i, Entity::PrefixList(id));
}

pub(super) fn as_list(e: Entity) -> Option<PrefixListId> {
    if let Entity::PrefixList(p) = e {
        Some(p)
    } else {
        None
    }
}

/// A destination or source that may be a prefix or a prefix list.
pub(super) fn spec(l: &mut Linker<'_>, i: usize, name: &str, node: &Node) -> NetSpec {
    if let Found::Entity(Entity::PrefixList(p)) = l.find(node) {
        return NetSpec::PrefixList(Fact::Known(p));
    }
    if matches!(&node.value, Value::String(s) if s.starts_with("pl-")) {
        return NetSpec::PrefixList(l.link_node(i, name, node, "prefix list", as_list));
    }
    NetSpec::Net(l.net(i, name, node))
}
