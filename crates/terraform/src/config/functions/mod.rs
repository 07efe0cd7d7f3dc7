//! Terraform's functions: all that `terraform metadata functions` lists.
//!
//! A function of something unknown is unknown, except where the result does not depend on it: the length
//! of a list of references is known, and so are its elements.

mod collection;
mod encoding;
mod files;
mod format;
mod hash;
mod net;
mod number;
mod text;
mod time;
mod yaml;

use super::eval::{MAX_TEXT, MAX_VALUE, R, Scope, fault};
use super::module::World;
use super::value::{Key, V, apart};
use bartizan_model::Unknown;
use std::sync::Arc;

/// Arguments of a call with Terraform's conversions.
pub(crate) struct Args {
    name: &'static str,
    all: Vec<V>,
}

type Get<T> = Result<T, super::eval::Fault>;

impl Args {
    fn len(&self) -> usize {
        self.all.len()
    }
    fn at(&self, i: usize) -> Get<&V> {
        match self.all.get(i) {
            Some(v) => Ok(v),
            None => fault(format!("`{}` needs more than {i} arguments", self.name)),
        }
    }
    fn wrong<T>(&self, i: usize, want: &str) -> Get<T> {
        let t = self.all.get(i).map_or("nothing", V::type_name);
        fault(format!(
            "argument {} of `{}` has to be a {want}, not a {t}",
            i + 1,
            self.name
        ))
    }
    fn text(&self, i: usize) -> Get<Arc<str>> {
        match self.at(i)?.to_text() {
            Some(t) => Ok(t),
            None => self.wrong(i, "string"),
        }
    }
    fn num(&self, i: usize) -> Get<f64> {
        match self.at(i)?.to_num() {
            Some(n) => Ok(n),
            None => self.wrong(i, "number"),
        }
    }
    /// A whole number.
    fn int(&self, i: usize) -> Get<i64> {
        let n = self.num(i)?;
        if n.fract() == 0.0 && n.abs() < 9e15 {
            Ok(n as i64)
        } else {
            self.wrong(i, "whole number")
        }
    }
    fn list(&self, i: usize) -> Get<&[V]> {
        match self.at(i)?.items() {
            Some(v) => Ok(v),
            None => self.wrong(i, "list"),
        }
    }
    fn map(&self, i: usize) -> Get<&std::collections::BTreeMap<Arc<str>, V>> {
        match self.at(i)? {
            V::Map(m) => Ok(m),
            _ => self.wrong(i, "map"),
        }
    }
    /// A list of strings.
    fn texts(&self, i: usize) -> Get<Vec<Arc<str>>> {
        let mut out = Vec::new();
        for v in self.list(i)? {
            match v.to_text() {
                Some(t) => out.push(t),
                None => return self.wrong(i, "list of strings"),
            }
        }
        Ok(out)
    }
}

/// Functions that look into collections without needing to know every element.
const PARTIAL: [&str; 34] = [
    "chunklist",
    "coalesce",
    "coalescelist",
    "compact",
    "concat",
    "contains",
    "distinct",
    "element",
    "ephemeralasnull",
    "flatten",
    "format",
    "formatlist",
    "index",
    "issensitive",
    "join",
    "keys",
    "length",
    "list",
    "lookup",
    "map",
    "matchkeys",
    "merge",
    "nonsensitive",
    "one",
    "reverse",
    "sensitive",
    "setintersection",
    "setproduct",
    "setsubtract",
    "setunion",
    "slice",
    "transpose",
    "values",
    "zipmap",
];
/// Functions that put all of their arguments into one value.
const GROWING: [&str; 13] = [
    "concat",
    "distinct",
    "flatten",
    "format",
    "formatlist",
    "join",
    "jsonencode",
    "list",
    "map",
    "merge",
    "setproduct",
    "setunion",
    "yamlencode",
];
const CONVERSIONS: [&str; 6] = ["tobool", "tolist", "tomap", "tonumber", "toset", "tostring"];

/// Functions of two arguments or more take nulls nowhere but here.
const NULLS: [&str; 12] = [
    "coalesce",
    "compact",
    "ephemeralasnull",
    "issensitive",
    "jsonencode",
    "nonsensitive",
    "sensitive",
    "tobool",
    "tolist",
    "tomap",
    "tonumber",
    "tostring",
];

pub(crate) fn call(w: &World<'_>, name: &str, args: Vec<V>, s: &Scope) -> R {
    // These have a value only when the plan is applied.
    let late = match name {
        "timestamp" | "plantimestamp" => Some("the time of the run"),
        "uuid" => Some("a random value"),
        "bcrypt" => Some("a salted hash"),
        "rsadecrypt" => Some("a secret"),
        "abspath" | "pathexpand" => Some("a path on the machine that applies"),
        _ => None,
    };
    if let Some(what) = late {
        return Ok(V::unknown(format!("`{name}` is {what}")));
    }
    let Some(f) = find(name) else {
        return fault(format!("there is no function `{name}`"));
    };
    if let Some(V::Instance(i)) = args
        .iter()
        .find(|v| matches!(v, V::Instance(i) if i.key == Key::Any))
    {
        return unknown(w.how_many(i));
    }
    // What arranges a set in an order that is not certain gives one that is not either: as good as a set.
    if let Some(u) = args.iter().find_map(V::unsorted) {
        match name {
            "tolist" | "reverse" | "compact" | "distinct" => {
                return Ok(args.into_iter().next().unwrap_or(V::Null));
            }
            "concat" if args.iter().all(|v| v.items().is_some()) => {
                let all = args.iter().filter_map(V::items).flatten().cloned();
                return Ok(V::set(all.collect()));
            }
            "length" if args.iter().filter_map(V::items).all(apart) => {}
            "toset" | "flatten" | "lookup" | "list" | "map" | "contains" | "setunion" | "setintersection"
            | "setsubtract" | "coalescelist" | "sensitive" | "nonsensitive" => {}
            _ => return unknown(u),
        }
    }
    // A NAT gateway has one table of each kind, whose id the attribute holds: `split(",", ...)[0]` is that id.
    if let ("split", [_, one @ V::Ref(r)]) = (name, args.as_slice())
        && matches!(&*r.attribute, "snat_table_ids" | "forward_table_ids")
    {
        return Ok(V::list(vec![one.clone()]));
    }
    if GROWING.contains(&f.name) {
        let mut left = MAX_VALUE;
        if !args.iter().all(|a| a.fits(&mut left)) {
            return Ok(w.too_large());
        }
    }
    let partial = PARTIAL.contains(&f.name);
    let conversion = CONVERSIONS.contains(&f.name);
    if !partial && !conversion {
        if let Some(u) = args.iter().find_map(V::deep_unknown) {
            return Ok(V::Unknown(u));
        }
    } else if partial
        && !matches!(
            f.name,
            "coalesce"
                | "join"
                | "format"
                | "lookup"
                | "sensitive"
                | "nonsensitive"
                | "ephemeralasnull"
                | "contains"
                | "list"
                | "map"
        )
    {
        if let Some(u) = args.iter().find_map(V::why_unknown) {
            return Ok(V::Unknown(u));
        }
    } else if conversion && let Some(V::Ref(_) | V::Unknown(_)) = args.first() {
        // The same value in another type.
        return Ok(args[0].clone());
    }
    let nullable = NULLS.contains(&f.name)
        || matches!(
            f.name,
            "toset"
                | "yamlencode"
                | "contains"
                | "lookup"
                | "merge"
                | "list"
                | "map"
                | "format"
                | "formatlist"
                | "concat"
                | "try"
                | "can"
                | "type"
                | "templatefile"
        );
    if !nullable && let Some(i) = args.iter().position(|v| *v == V::Null) {
        return fault(format!("argument {} of `{name}` must not be null", i + 1));
    }
    let args = Args {
        name: f.name,
        all: args,
    };
    if args.len() < f.least || args.len() > f.most {
        return fault(format!("`{name}` does not take {} arguments", args.len()));
    }
    (f.run)(&Call { w, s, a: &args })
}

/// A call in progress.
pub(crate) struct Call<'c, 'w> {
    w: &'c World<'w>,
    s: &'c Scope,
    a: &'c Args,
}

impl Call<'_, '_> {
    /// A text that will be that long, made where it is not too long.
    fn long(&self, len: usize, make: impl FnOnce() -> String) -> R {
        if len > MAX_TEXT {
            return Ok(self.w.too_large());
        }
        Ok(V::str(make()))
    }
}

pub(crate) struct Function {
    name: &'static str,
    least: usize,
    most: usize,
    run: fn(&Call<'_, '_>) -> R,
}

/// A line of a family's table.
const fn f(name: &'static str, least: usize, most: usize, run: fn(&Call<'_, '_>) -> R) -> Function {
    Function {
        name,
        least,
        most,
        run,
    }
}
/// Any number of arguments.
const MANY: usize = usize::MAX;

fn find(name: &str) -> Option<&'static Function> {
    let name = name.strip_prefix("core::").unwrap_or(name);
    [
        collection::TABLE,
        encoding::TABLE,
        files::TABLE,
        format::TABLE,
        hash::TABLE,
        net::TABLE,
        number::TABLE,
        text::TABLE,
        time::TABLE,
        yaml::TABLE,
    ]
    .into_iter()
    .flatten()
    .find(|f| f.name == name)
}

/// Every name that can be called, for the comparison with Terraform's own list.
#[cfg(test)]
pub(crate) fn known(name: &str) -> bool {
    matches!(
        name,
        "timestamp"
            | "plantimestamp"
            | "uuid"
            | "bcrypt"
            | "rsadecrypt"
            | "abspath"
            | "pathexpand"
            | "try"
            | "can"
    ) || find(name).is_some()
}

fn unknown(u: Unknown) -> R {
    Ok(V::Unknown(u))
}

fn strings(v: impl IntoIterator<Item = String>) -> V {
    V::list(v.into_iter().map(V::str).collect())
}

#[cfg(test)]
mod tests {
    /// What `terraform metadata functions` of 1.11 lists.
    const TERRAFORMS: &str = "abs abspath alltrue anytrue base64decode base64encode base64gzip base64sha256 \
        base64sha512 basename bcrypt can ceil chomp chunklist cidrhost cidrnetmask cidrsubnet cidrsubnets coalesce \
        coalescelist compact concat contains csvdecode dirname distinct element endswith ephemeralasnull file \
        filebase64 filebase64sha256 filebase64sha512 fileexists filemd5 fileset filesha1 filesha256 filesha512 \
        flatten floor format formatdate formatlist indent index issensitive join jsondecode jsonencode keys length \
        log lookup lower matchkeys max md5 merge min nonsensitive one parseint pathexpand plantimestamp pow range \
        regex regexall replace reverse rsadecrypt sensitive setintersection setproduct setsubtract setunion sha1 \
        sha256 sha512 signum slice sort split startswith strcontains strrev substr sum templatefile templatestring \
        textdecodebase64 textencodebase64 timeadd timecmp timestamp title tobool tolist tomap tonumber toset \
        tostring transpose trim trimprefix trimspace trimsuffix try upper urlencode uuid uuidv5 values yamldecode \
        yamlencode zipmap";

    #[test]
    fn every_function_of_terraform_is_known() {
        let names: Vec<&str> = TERRAFORMS.split_whitespace().collect();
        assert_eq!(names.len(), 118);
        let missing: Vec<&&str> = names.iter().filter(|n| !super::known(n)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
