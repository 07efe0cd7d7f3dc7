//! Who has sent a packet that comes into a VPC (ALIBABA.md §5.5).
//!
//! Who shares a group is told by interface and not by address. So what comes from other VPCs, from sites and from
//! routers gets a note that it is from elsewhere, whatever its source looks like: a twin in an overlapping VPC is
//! nobody. But what an interface of the VPC has sent itself is still of that one where routes lead it out and back, over
//! router interfaces or through a transit router.

use super::filter::answers;
use super::plan::{ELSEWHERE, Plan};
use std::fmt::Write as _;

/// Sets and chains, the rules that write the note, and those that take it off again. The note has to be there in between:
/// it chooses the table that a packet is looked up in.
///
/// What the interfaces of the VPC send is remembered by number and source. What an appliance passes on for somebody
/// elsewhere has the note already, and what was translated has another source. Answers are judged by their sessions and
/// keep the note.
pub(super) fn origin(p: &Plan, enis: &[usize], joins: &[String]) -> [String; 3] {
    if joins.is_empty() {
        return [const { String::new() }; 3];
    }
    let (mut sets, mut note, mut home) = (String::new(), answers("return"), answers("return"));
    let mut elsewhere = String::new();
    for (family, number) in [("ip", "ip id"), ("ip6", "ip6 flowlabel")] {
        let (set, key) = (format!("sent_{family}"), format!("{number} . {family} saddr"));
        let _ = writeln!(sets, "set {set} {{\ntypeof {key}\nsize 65535\nflags dynamic\n}}");
        let _ = writeln!(note, "{family} dscp < {ELSEWHERE} add @{set} {{ {key} }}");
        for c in 0..p.choices() {
            let away = c | ELSEWHERE;
            let _ = writeln!(home, "{family} dscp {away} {key} @{set} {family} dscp set {c}");
            for dev in joins {
                let _ = writeln!(
                    elsewhere,
                    "iifname \"{dev}\" {family} dscp {c} {family} dscp set {away}"
                );
            }
        }
    }
    let chains = format!("{sets}chain note {{\n{note}}}\nchain home {{\n{home}}}\n");
    let mut rules = String::new();
    for i in enis {
        let _ = writeln!(rules, "iifname \"e{i}\" jump note");
    }
    for dev in joins {
        let _ = writeln!(rules, "iifname \"{dev}\" jump home");
    }
    [chains, elsewhere, rules]
}
