//! Which workspace `terraform.workspace` is.
//!
//! HCP Terraform and its remote backend have workspaces of their own, and the configuration names them:
//!
//! - `cloud { workspaces { name = "prod" } }`: that one, wherever the operation runs.
//! - `cloud` with tags or a project: the one that is selected, which is never `default`.
//! - `backend "remote"`: in a local operation it is the selected one without the prefix (`default` with `name`), in a remote
//!   one the full name, and where operations run is set in HCP Terraform.
//!
//! Every other backend has `default` unless another one is selected.

use super::EvalOptions;
use super::source::{Block, Config};
use hcl_edit::expr::{Expression, ObjectKey};

/// Why it is not known.
const OF_A_PLAN: &str = "a plan does not say in which workspace it was made: give `--workspace`";
const SELECTED: &str = "which workspace of HCP Terraform is selected is not known: give `--workspace`";
const REMOTE: &str =
    "with `backend \"remote\"` it is another in local operations than in remote ones: give `--workspace`";

/// Where the state is, as far as it decides the workspace.
enum Home {
    /// With a name, or with what selects several.
    Cloud(Option<String>),
    Remote,
    Other,
}

/// The workspace, or why it is not known. `plan` says that it is that of a plan.
pub(crate) fn workspace(c: &Config, options: &EvalOptions, plan: bool) -> Result<String, &'static str> {
    if let Some(w) = &options.workspace {
        return Ok(w.clone());
    }
    let selected = options.selected.clone();
    // The last one counts: override files come last.
    match c.terraform.iter().filter_map(|b| home(b)).next_back() {
        Some(Home::Cloud(Some(name))) => Ok(name),
        Some(Home::Cloud(None)) => selected.ok_or(SELECTED),
        Some(Home::Remote) => Err(REMOTE),
        Some(Home::Other) | None if plan => selected.ok_or(OF_A_PLAN),
        Some(Home::Other) | None => Ok(selected.unwrap_or_else(|| "default".to_string())),
    }
}

/// What a `terraform` block says.
fn home(b: &Block) -> Option<Home> {
    if let Some(cloud) = b.blocks_of("cloud").next() {
        let named = cloud.blocks_of("workspaces").find_map(|w| w.attr("name"));
        return Some(Home::Cloud(named.and_then(|e| text(&e.expr))));
    }
    if let Some(backend) = b.blocks_of("backend").next() {
        let remote = backend.labels.first().is_some_and(|l| l == "remote");
        return Some(if remote { Home::Remote } else { Home::Other });
    }
    // In JSON blocks are arguments.
    if let Some(cloud) = b.attr("cloud") {
        let workspaces = members(&cloud.expr, "workspaces");
        let mut names = workspaces.into_iter().flat_map(|w| members(w, "name"));
        return Some(Home::Cloud(names.next().and_then(text)));
    }
    let backend = b.attr("backend")?;
    let remote = !members(&backend.expr, "remote").is_empty();
    Some(if remote { Home::Remote } else { Home::Other })
}

fn text(e: &Expression) -> Option<String> {
    match e {
        Expression::String(s) => Some(s.as_str().to_string()),
        _ => None,
    }
}

/// The members of that name of an object, or of the objects in a list.
fn members<'e>(e: &'e Expression, name: &str) -> Vec<&'e Expression> {
    match e {
        Expression::Array(all) => all.iter().flat_map(|e| members(e, name)).collect(),
        Expression::Object(o) => {
            let is = |k: &ObjectKey| match k {
                ObjectKey::Ident(i) => i.as_str() == name,
                ObjectKey::Expression(e) => text(e).is_some_and(|t| t == name),
            };
            let mine = o.iter().filter(|(k, _)| is(k));
            mine.map(|(_, v)| v.expr()).collect()
        }
        _ => Vec::new(),
    }
}
