//! Databases whose allow list another one replaces (`fresh_white_list_readins`, ALIBABA.md §15.6): what their own
//! configuration admits is not certain.

use bartizan_model::{Resource, Unknown, Value};

/// The argument that names them.
const NAMES: &str = "fresh_white_list_readins";

/// Types that are instances of RDS.
const RDS: [&str; 2] = ["alicloud_db_", "alicloud_rds_"];

/// Positions of the resources whose lists may be replaced, and why.
pub(super) fn doubts(resources: &[Resource]) -> Vec<(usize, Unknown)> {
    let rds = |r: &Resource| !r.data && RDS.iter().any(|k| r.kind.starts_with(k));
    let mut out = Vec::new();
    for r in resources.iter().filter(|r| rds(r)) {
        let Some(n) = r.get(NAMES) else { continue };
        let why = || {
            Unknown::at(
                format!("`{}` may replace its allow list (`{NAMES}`)", r.address),
                n.span,
            )
        };
        let one = [n.clone()];
        let all = match &n.value {
            Value::Null => continue,
            Value::List(all) => all.as_slice(),
            _ => &one,
        };
        for named in all {
            let meant = |other: &Resource| match &named.value {
                Value::Ref(to) => {
                    let (a, b): (&str, &str) = (&other.address, &to.address);
                    a == b || a.strip_prefix(b).is_some_and(|rest| rest.starts_with('['))
                }
                // Ids are not known in a directory.
                Value::String(id) => match other.get("id").map(|n| &n.value) {
                    Some(Value::String(own)) => own == id,
                    _ => true,
                },
                Value::Null => false,
                _ => true,
            };
            let others = resources
                .iter()
                .enumerate()
                .filter(|(_, o)| rds(o) && o.address != r.address);
            out.extend(others.filter(|(_, o)| meant(o)).map(|(i, _)| (i, why())));
        }
    }
    out
}
