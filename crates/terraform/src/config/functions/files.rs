//! Files of the file set and templates.

use super::hash::hex;
use super::{Call, Function, f};
use crate::config::eval::{Fault, R, Scope, fault};
use crate::config::module::normal;
use crate::config::value::V;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Digest as _;
use std::rc::Rc;
use std::sync::Arc;

pub(super) const TABLE: &[Function] = &[
    f("basename", 1, 1, |c| {
        let p = c.a.text(0)?;
        let t = p.trim_end_matches('/');
        Ok(V::str(match t {
            "" if p.is_empty() => ".",
            "" => "/",
            t => t.rsplit('/').next().unwrap_or(t),
        }))
    }),
    f("dirname", 1, 1, |c| {
        let p = c.a.text(0)?;
        let dir = p.rsplit_once('/').map_or("", |(d, _)| d);
        let rooted = p.starts_with('/');
        let n = normal(dir);
        Ok(V::str(match (rooted, n.is_empty()) {
            (true, _) => format!("/{n}"),
            (false, true) => ".".to_string(),
            (false, false) => n,
        }))
    }),
    f("file", 1, 1, |c| with(c, |t| Ok(V::str(t)))),
    f("filebase64", 1, 1, |c| {
        with(c, |t| Ok(V::str(STANDARD.encode(t))))
    }),
    f("filebase64sha256", 1, 1, |c| {
        with(c, |t| Ok(V::str(STANDARD.encode(sha2::Sha256::digest(t)))))
    }),
    f("filebase64sha512", 1, 1, |c| {
        with(c, |t| Ok(V::str(STANDARD.encode(sha2::Sha512::digest(t)))))
    }),
    f("filemd5", 1, 1, |c| {
        with(c, |t| Ok(V::str(hex(&md5::Md5::digest(t)))))
    }),
    f("filesha1", 1, 1, |c| {
        with(c, |t| Ok(V::str(hex(&sha1::Sha1::digest(t)))))
    }),
    f("filesha256", 1, 1, |c| {
        with(c, |t| Ok(V::str(hex(&sha2::Sha256::digest(t)))))
    }),
    f("filesha512", 1, 1, |c| {
        with(c, |t| Ok(V::str(hex(&sha2::Sha512::digest(t)))))
    }),
    f("fileexists", 1, 1, |c| match read(c, &c.a.text(0)?) {
        Some(_) => Ok(V::Bool(true)),
        // Files that have nothing to do with Terraform are not loaded.
        None => Ok(V::unknown(format!(
            "whether file `{}` exists is not known here",
            c.a.text(0)?
        ))),
    }),
    f("fileset", 2, 2, |c| {
        let dir = normal(&c.a.text(0)?);
        let Ok(glob) = globset::GlobBuilder::new(&c.a.text(1)?)
            .literal_separator(true)
            .build()
        else {
            return fault("this is not a file pattern");
        };
        let glob = glob.compile_matcher();
        let prefix = if dir.is_empty() {
            String::new()
        } else {
            format!("{dir}/")
        };
        let mut out = Vec::new();
        for p in c.w.files.files.keys() {
            if let Some(rest) = p.strip_prefix(&prefix).filter(|r| glob.is_match(r)) {
                out.push(V::str(rest));
            }
        }
        if out.is_empty() {
            return Ok(V::unknown("the files of this pattern are not known here"));
        }
        Ok(V::set(out))
    }),
    f("templatefile", 2, 2, |c| {
        let path = c.a.text(0)?;
        match read(c, &path) {
            Some(t) => template(c, &t),
            None => missing(&path),
        }
    }),
    f("templatestring", 2, 2, |c| template(c, &c.a.text(0)?)),
];

fn read(c: &Call<'_, '_>, path: &str) -> Option<Arc<str>> {
    let id = c.w.files.files.get(&normal(path))?;
    c.w.sources.get(*id).map(|f| f.text.clone())
}

fn missing(path: &str) -> R {
    Ok(V::unknown(format!(
        "file `{path}` is not among the files that were read"
    )))
}

fn with(c: &Call<'_, '_>, make: fn(&str) -> R) -> R {
    let path = c.a.text(0)?;
    match read(c, &path) {
        Some(t) => make(&t),
        None => missing(&path),
    }
}

/// A template with variables of its own.
fn template(c: &Call<'_, '_>, text: &str) -> R {
    let vars = match c.a.at(1)? {
        V::Map(m) => m
            .iter()
            .map(|(k, v)| (k.to_string(), v.clone()))
            .collect::<Vec<_>>(),
        _ => return c.a.wrong(1, "map"),
    };
    if crate::config::source::too_deep(text) {
        return fault("the template nests too deeply");
    }
    let t: hcl_edit::template::Template = match text.parse() {
        Ok(t) => t,
        Err(_) => return fault("the template cannot be parsed"),
    };
    let scope = Scope {
        locals: Rc::new(vars),
        ..c.s.clone()
    };
    // Places in the template file are of no use in the file that calls it.
    c.w.template(&t, &scope).map_err(|f| Fault { span: None, ..f })
}
