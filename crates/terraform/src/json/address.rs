//! Addresses in parts.

/// A module instance as a path of calls with their keys (`[0]`, `["a"]`, or nothing).
pub(super) type Path = Vec<(String, String)>;

/// An address in parts.
pub(super) struct Address {
    pub(super) module: Path,
    pub(super) resource: String,
    pub(super) key: String,
}

impl Address {
    /// The type of the resource.
    pub(super) fn kind(&self) -> &str {
        let name = self.resource.strip_prefix("data.").unwrap_or(&self.resource);
        name.split('.').next().unwrap_or(name)
    }
}

/// Splits `a.b[0].c["x.y"]` into `a`, `b`, `[0]`, `c`, `["x.y"]`.
pub(super) fn split(address: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut cur = String::new();
    let (mut quoted, mut escaped, mut bracket) = (false, false, false);
    for c in address.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '.' if !bracket => {
                if !cur.is_empty() {
                    out.push(std::mem::take(&mut cur));
                }
                continue;
            }
            '[' => {
                if !cur.is_empty() {
                    out.push(std::mem::take(&mut cur));
                }
                bracket = true;
            }
            ']' => bracket = false,
            _ => {}
        }
        cur.push(c);
    }
    if !cur.is_empty() {
        out.push(cur);
    }
    out
}

/// Parts of an attribute as a path.
pub(super) fn path(parts: &[String]) -> String {
    let mut out = String::new();
    for p in parts {
        if !out.is_empty() && !p.starts_with('[') {
            out.push('.');
        }
        out.push_str(p);
    }
    out
}

/// Takes an address apart.
pub(super) fn parse(address: &str) -> Address {
    let parts = split(address);
    let mut it = parts.into_iter().peekable();
    let mut module = Vec::new();
    while it.next_if(|p| p == "module").is_some() {
        let name = it.next().unwrap_or_default();
        let key = it.next_if(|p| p.starts_with('[')).unwrap_or_default();
        module.push((name, key));
    }
    let mut rest: Vec<String> = it.collect();
    let key = match rest.last() {
        Some(k) if k.starts_with('[') => rest.pop().unwrap_or_default(),
        _ => String::new(),
    };
    Address {
        module,
        resource: rest.join("."),
        key,
    }
}

/// The address of a resource without its index.
pub(super) fn joined(module: &[(String, String)], resource: &str) -> String {
    let mut out = String::new();
    for (name, key) in module {
        out.push_str(&format!("module.{name}{key}."));
    }
    out + resource
}
