//! What is open to the Internet, as text, JSON and Markdown.

use crate::query::document;
use crate::style::{Style, clean, count};
use bartizan_base::Sources;
use bartizan_check::query::{Exposure, ExposurePlace, ExposureRow, Opening, OpeningWay, Sure};
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

/// Where it is reached: addresses that are not known yet are counted.
fn place(r: &ExposureRow) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut n = 0;
    while let Some(p) = r.places.get(n) {
        let same = |q: &&ExposurePlace| (&q.address, &q.by) == (&p.address, &p.by);
        let times = r.places[n..].iter().take_while(same).count();
        out.push(match (&*p.address, times) {
            ("", 1) => format!("an address that is not known yet ({})", p.by),
            ("", _) => format!("{times} addresses that are not known yet ({})", p.by),
            (a, _) => format!("{a} ({})", p.by),
        });
        n += times;
    }
    out.join(", ")
}

/// To whom a load balancer hands it on, and these in turn; names between quotes.
fn handed(r: &ExposureRow, quote: &str) -> String {
    let list = |all: &[String]| {
        let all: Vec<String> = all.iter().map(|b| format!("{quote}{b}{quote}")).collect();
        all.join(", ")
    };
    match r.behind.is_empty() {
        true => list(&r.backends),
        false => format!("{}, and from there to {}", list(&r.backends), list(&r.behind)),
    }
}

/// What is known of an opening, in words.
fn opening(o: &Opening) -> String {
    match o.open {
        Sure::Yes => o.what.clone(),
        _ => format!("perhaps: {}", o.what),
    }
}

fn direction(o: &Opening) -> &'static str {
    match o.way {
        OpeningWay::In => "in",
        OpeningWay::Out => "out",
    }
}

/// For the terminal.
#[must_use]
pub fn pretty(x: &Exposure, sources: &Sources, style: Style) -> String {
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
        if !r.listeners.is_empty() {
            out.push_str(&format!("    taken by {}\n", clean(&r.listeners.join(", "))));
        }
        if !r.backends.is_empty() {
            out.push_str(&format!("    handed to {}\n", clean(&handed(r, ""))));
        }
    }
    for (address, n) in &x.loose {
        out.push_str(&format!(
            "\n{} has {} that no resource here is known to be\n",
            clean(address),
            count(*n, "origin")
        ));
    }
    for (way, title) in [
        (OpeningWay::In, "Open in other ways"),
        (OpeningWay::Out, "Ways out to the Internet past the network"),
    ] {
        let here: Vec<&Opening> = x.openings.iter().filter(|o| o.way == way).collect();
        if here.is_empty() {
            continue;
        }
        out.push_str(&format!("\n{title}\n"));
        let mut last = "";
        for o in here {
            if o.resource != last {
                out.push_str(&format!("  {}\n", style.bold(&clean(&o.resource))));
                last = &o.resource;
            }
            let text = clean(&opening(o));
            let text = match o.open {
                Sure::Yes => style.red(&text),
                _ => style.yellow(&text),
            };
            let at = format!("{}:{}", sources.name(o.origin.span.file), o.origin.span.line);
            out.push_str(&format!("    {text}  ({})\n", clean(&at)));
        }
    }
    out
}

/// For a page.
#[must_use]
pub fn markdown(x: &Exposure, sources: &Sources) -> String {
    let mut out =
        String::from("| service | address | answers | from | behind | around |\n|---|---|---|---|---|---|\n");
    for r in &x.rows {
        let cell = |s: &str| clean(s).replace('|', "\\|");
        let answers = match r.backends.is_empty() {
            true => format!("`{}`", r.resource),
            false => format!("`{}`, handed to {}", r.resource, handed(r, "`")),
        };
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} |\n",
            cell(&r.services.to_string()),
            cell(&place(r)),
            cell(&answers),
            cell(&r.sources),
            cell(&protection(r).join(", ")),
            r.around.map_or("", word)
        ));
    }
    if !x.openings.is_empty() {
        out.push_str("\n| way | resource | what | at |\n|---|---|---|---|\n");
        for o in &x.openings {
            let cell = |s: &str| clean(s).replace('|', "\\|");
            out.push_str(&format!(
                "| {} | `{}` | {} | {}:{} |\n",
                direction(o),
                cell(&o.resource),
                cell(&opening(o)),
                cell(sources.name(o.origin.span.file)),
                o.origin.span.line
            ));
        }
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
            let place = |p: &ExposurePlace| {
                json!({
                    "address": if p.address.is_empty() { None } else { Some(&p.address) },
                    "by": p.by,
                    "file": p.origin.as_ref().map(|o| sources.name(o.span.file)),
                    "line": p.origin.as_ref().map(|o| o.span.line),
                })
            };
            let all: Vec<_> = r.places.iter().map(place).collect();
            // The first one stands for those who look for one.
            let first = all.first().cloned().unwrap_or_default();
            json!({
                "address": first["address"],
                "by": first["by"],
                "addresses": all,
                "listeners": r.listeners,
                "services": r.services.to_string(),
                "resource": r.resource,
                "backends": r.backends,
                "behind": r.behind,
                "sources": r.sources,
                "prefixes": r.prefixes,
                "everybody": r.everybody,
                "certain": r.certain,
                "firewall": word(r.firewall),
                "proxies": r.proxies,
                "anti_ddos": r.ddos,
                "around": r.around.map(word),
                "file": first["file"],
                "line": first["line"],
            })
        })
        .collect();
    let loose: Vec<_> = x
        .loose
        .iter()
        .map(|(a, n)| json!({ "proxy": a, "unknown_origins": n }))
        .collect();
    let openings: Vec<_> = x
        .openings
        .iter()
        .map(|o| {
            json!({
                "resource": o.resource,
                "way": direction(o),
                "what": o.what,
                "certain": o.open == Sure::Yes,
                "file": sources.name(o.origin.span.file),
                "line": o.origin.span.line,
            })
        })
        .collect();
    document(
        "exposure",
        json!({ "services": rows, "unknown_origins": loose, "openings": openings }),
    )
}
