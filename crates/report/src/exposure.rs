//! What is open to the Internet, as text, JSON and Markdown.

use crate::query::document;
use crate::style::{Style, clean, count};
use bartizan_base::Sources;
use bartizan_check::query::{Exposure, ExposureRow, Sure};
use serde_json::json;

fn word(s: Sure) -> &'static str {
    match s {
        Sure::Yes => "yes",
        Sure::No => "no",
        Sure::Unknown => "unknown",
    }
}

/// What protects a row, in words.
fn protection(r: &ExposureRow) -> Vec<String> {
    let mut out = Vec::new();
    match r.firewall {
        Sure::Yes => out.push("Cloud Firewall".to_string()),
        Sure::Unknown => out.push("Cloud Firewall, if the address is protected (A-CFW-1)".to_string()),
        Sure::No => {}
    }
    out.extend(r.proxies.iter().cloned());
    out.push(format!(
        "Anti-DDoS {}",
        if r.ddos == "origin" { "Origin" } else { "Basic" }
    ));
    out
}

fn bypass(r: &ExposureRow) -> Option<&'static str> {
    Some(match r.around? {
        Sure::Yes => "the origin can be reached around it",
        Sure::No => "nobody else reaches the origin",
        Sure::Unknown => "whether others reach the origin depends on what is not known",
    })
}

fn place(r: &ExposureRow) -> String {
    let at = if r.address.is_empty() {
        "an address that is not known yet"
    } else {
        &r.address
    };
    format!("{at} ({})", r.by)
}

/// For the terminal.
#[must_use]
pub fn pretty(x: &Exposure, style: Style) -> String {
    let mut out = format!("{} open to the Internet\n", count(x.rows.len(), "service"));
    let mut last = "";
    for r in &x.rows {
        if r.resource != last {
            out.push_str(&format!("\n{}\n", style.bold(&clean(&r.resource))));
            last = &r.resource;
        }
        let services = r.services.to_string();
        let head = if r.everybody {
            style.red(&services)
        } else {
            style.cyan(&services)
        };
        out.push_str(&format!("  {head}  at {}\n", clean(&place(r))));
        let sure = if r.certain {
            ""
        } else {
            " (what is not known decides)"
        };
        out.push_str(&format!("    from     {}{sure}\n", clean(&r.sources)));
        out.push_str(&format!("    behind   {}\n", clean(&protection(r).join(", "))));
        if let Some(text) = bypass(r) {
            let text = match r.around {
                Some(Sure::Yes) => style.red(text),
                Some(Sure::No) => style.green(text),
                _ => style.yellow(text),
            };
            out.push_str(&format!("    around   {text}\n"));
        }
        if !r.backends.is_empty() {
            out.push_str(&format!("    handed to {}\n", clean(&r.backends.join(", "))));
        }
    }
    for (address, n) in &x.loose {
        out.push_str(&format!(
            "\n{} has {} that no resource here is known to be\n",
            clean(address),
            count(*n, "origin")
        ));
    }
    out
}

/// For a page.
#[must_use]
pub fn markdown(x: &Exposure) -> String {
    let mut out =
        String::from("| service | address | answers | from | behind | around |\n|---|---|---|---|---|---|\n");
    for r in &x.rows {
        let cell = |s: &str| clean(s).replace('|', "\\|");
        out.push_str(&format!(
            "| {} | {} | `{}` | {} | {} | {} |\n",
            cell(&r.services.to_string()),
            cell(&place(r)),
            cell(&r.resource),
            cell(&r.sources),
            cell(&protection(r).join(", ")),
            r.around.map_or("", word)
        ));
    }
    out
}

/// For programs.
#[must_use]
pub fn json(x: &Exposure, sources: &Sources) -> String {
    let rows: Vec<_> = x
        .rows
        .iter()
        .map(|r| {
            let at = r.origin.as_ref().map(|o| sources.name(o.span.file));
            let line = r.origin.as_ref().map(|o| o.span.line);
            json!({
                "address": if r.address.is_empty() { None } else { Some(&r.address) },
                "by": r.by,
                "services": r.services.to_string(),
                "resource": r.resource,
                "backends": r.backends,
                "sources": r.sources,
                "prefixes": r.prefixes,
                "everybody": r.everybody,
                "certain": r.certain,
                "firewall": word(r.firewall),
                "proxies": r.proxies,
                "anti_ddos": r.ddos,
                "around": r.around.map(word),
                "file": at,
                "line": line,
            })
        })
        .collect();
    let loose: Vec<_> = x
        .loose
        .iter()
        .map(|(a, n)| json!({ "proxy": a, "unknown_origins": n }))
        .collect();
    document("exposure", json!({ "services": rows, "unknown_origins": loose }))
}
