//! Answers to questions, as text and as JSON.

use crate::style::{Style, clean, count, wrap};
use crate::text;
use bartizan_base::Sources;
use bartizan_check::ZoneResult;
use bartizan_check::query::{Answer, Blast, By, Case, Change, Matrix, Source, Step, Way, Who, Why};
use serde_json::{Value, json};

pub(crate) fn document(kind: &str, mut v: Value) -> String {
    v["version"] = json!(crate::json::VERSION);
    v["question"] = json!(kind);
    serde_json::to_string_pretty(&v).unwrap_or_default() + "\n"
}

/// The answers' own word.
#[must_use]
pub fn answer(a: Answer) -> &'static str {
    match a {
        Answer::Works => "works",
        Answer::ReplyDropped => "reply-dropped",
        Answer::Unknown => "unknown",
        Answer::Blocked => "blocked",
    }
}

/// `why`: the answer, then one packet for each kind of answer, hop by hop.
#[must_use]
pub fn why(y: &Why, sources: &Sources, style: Style) -> String {
    let mut out = String::new();
    let ends = format!("{} {} {}", clean(&y.source), style.arrow(), clean(&y.destination));
    let several = y.cases.len() > 1;
    out.push_str(&format!(
        "{} on {}",
        style.bold(&ends),
        style.bold(&y.services.to_string())
    ));
    if several {
        out.push_str(": it depends on which endpoint or service\n");
    } else {
        out.push('\n');
    }
    for c in &y.cases {
        out.push('\n');
        case(c, y, sources, style, &mut out);
    }
    if !y.claims.is_empty() {
        out.push_str(&format!("\n{}\n", style.bold("the intent says")));
        for c in &y.claims {
            let id = style.dim(&clean(&c.id));
            let force = if c.in_force { "" } else { "  (not in force)" };
            out.push_str(&format!("  {}  {id}{force}\n", clean(&c.text)));
        }
    }
    if y.truncated {
        out.push_str("\nnot every pair of endpoints was looked at; ask about one resource for the rest\n");
    }
    out
}

fn case(c: &Case, y: &Why, sources: &Sources, style: Style, out: &mut String) {
    let (word, text) = match c.answer {
        Answer::Works => (style.green("YES"), "request and reply get through"),
        Answer::ReplyDropped => (
            style.red("HALF"),
            "the request gets through and the reply is dropped",
        ),
        Answer::Unknown => (style.yellow("UNKNOWN"), "it depends on a value that is not known"),
        Answer::Blocked => (style.red("NO"), "the request does not get through"),
    };
    let on = if c.services == y.services {
        String::new()
    } else {
        format!(" ({})", c.services)
    };
    out.push_str(&format!("{word}  {text}{on}\n"));
    let port = |ip: &str, p: Option<u16>| match (p, ip.contains(':')) {
        // What has a public address only, which is not known.
        (Some(p), _) if ip.is_empty() => format!("its public address:{p}"),
        (None, _) if ip.is_empty() => "its public address".to_string(),
        (Some(p), true) => format!("[{ip}]:{p}"),
        (Some(p), false) => format!("{ip}:{p}"),
        (None, _) => ip.to_string(),
    };
    out.push_str(&format!(
        "  packet  {} {} ({}) {} {} ({})\n",
        c.protocol,
        clean(&c.source.0),
        port(&c.source.1, c.ports.map(|p| p.0)),
        style.arrow(),
        clean(&c.destination.0),
        port(&c.destination.1, c.ports.map(|p| p.1)),
    ));
    if c.others > 0 {
        let n = count(c.others, "other kind");
        out.push_str(&format!(
            "  {}\n",
            style.dim(&format!("it stands for {n} of pairs with the same answer"))
        ));
    }
    // Of ways that differ in the zone or the front only the first is told whole.
    let mut told: Vec<(&Way, Vec<String>)> = Vec::new();
    for w in &c.ways {
        match told.iter_mut().find_map(|t| Some((apart(t.0, w)?, t))) {
            Some((other, (_, more))) => more.extend(other),
            None => told.push((w, Vec::new())),
        }
    }
    for (w, mut more) in told {
        way(w, sources, style, out);
        more.dedup();
        if !more.is_empty() {
            let text = format!("the same by {}", more.join(", "));
            for line in wrap(&clean(&text), style.width.saturating_sub(4)) {
                out.push_str(&format!("  {}\n", style.dim(&line)));
            }
        }
    }
    if !c.blocking.is_empty() {
        let n = c.blocking.len();
        let text = match n {
            1 => "1 independent layer blocks it".to_string(),
            n => format!("{n} independent layers block it"),
        };
        out.push_str(&format!("\n  {}: {}\n", style.bold(&text), c.blocking.join(", ")));
    }
    if let Some(x) = &c.change {
        change(x, style, out);
    }
    if let Some(why) = &c.no_change {
        let head = match c.answer {
            Answer::Works => "to close it, nothing is proposed",
            Answer::Unknown => "nothing is proposed",
            Answer::ReplyDropped | Answer::Blocked => "to open it, nothing is proposed",
        };
        out.push_str(&format!("\n  {}\n", style.bold(head)));
        for line in wrap(&clean(why), style.width.saturating_sub(4)) {
            out.push_str(&format!("    {line}\n"));
        }
    }
    if c.ways.is_empty() {
        out.push_str("  there is no way between them at all: no route, no public address, no translation\n");
    }
}

/// What would open or close it.
fn change(x: &Change, style: Style, out: &mut String) {
    let head = match (x.opens, x.steps.len()) {
        (true, 1) => "to open it, one change is enough".to_string(),
        (true, n) => format!("to open it, {n} changes are needed"),
        (false, _) if x.either => "to close it, either of these is enough".to_string(),
        (false, 1) => "to close it, one change is enough".to_string(),
        (false, n) => format!("to close it, these {n} changes together are enough"),
    };
    out.push_str(&format!("\n  {}\n", style.bold(&head)));
    for s in &x.steps {
        for (n, line) in wrap(&clean(s), style.width.saturating_sub(6)).iter().enumerate() {
            out.push_str(if n == 0 { "    - " } else { "      " });
            out.push_str(line);
            out.push('\n');
        }
    }
    let mut said = Vec::new();
    if !x.breaks.is_empty() {
        said.push(format!("it breaks {}", x.breaks.join(", ")));
    }
    if x.loses > 0 {
        said.push(format!(
            "{} that clauses allow would be lost",
            count(x.loses, "other flow")
        ));
    }
    let text = match (x.opens, said.is_empty()) {
        (_, false) => style.red(&clean(&said.join("; "))),
        (true, true) => style.green("no clause of the intent is against it"),
        (false, true) => style.green("nothing else that the intent requires or allows is lost"),
    };
    out.push_str(&format!("    {text}\n"));
}

/// Where a way is at other places than another one that is the same step by step; `None` where it is another way. What
/// comes to the same by the same places is said to be by its own.
fn apart(first: &Way, w: &Way) -> Option<Vec<String>> {
    if (&first.name, first.delivered, first.works) != (&w.name, w.delivered, w.works) {
        return None;
    }
    let mut places: Vec<String> = Vec::new();
    for (a, b) in [(&first.request, &w.request), (&first.reply, &w.reply)] {
        if a.len() != b.len() {
            return None;
        }
        for (x, y) in a.iter().zip(b) {
            let kind = |s: &Step| {
                let word = s.hop.decision.split(' ').next().unwrap_or_default().to_string();
                (s.hop.layer.clone(), word, s.open)
            };
            // Another place decides for the same reason; at the same place a translation may be to another address.
            let same = match x.hop.at == y.hop.at {
                true => x.hop.rule == y.hop.rule,
                false => kind(x) == kind(y) && x.hop.rule == y.hop.rule,
            };
            if kind(x) != kind(y) || !same {
                return None;
            }
            let other = match (x.hop.at == y.hop.at, x.hop.decision == y.hop.decision) {
                (true, true) => continue,
                (false, _) => format!("`{}`", y.hop.at),
                (true, false) => y
                    .hop
                    .decision
                    .split_once(' ')
                    .map_or_else(String::new, |d| d.1.to_string()),
            };
            if !places.contains(&other) {
                places.push(other);
            }
        }
    }
    if places.is_empty() {
        places.push("another address".to_string());
    }
    Some(places)
}

fn way(w: &Way, sources: &Sources, style: Style, out: &mut String) {
    let end = match (w.delivered, w.works) {
        (_, true) => style.green("works"),
        (true, false) => style.red("reply dropped"),
        _ => {
            let n = w.request.iter().filter(|s| !s.open).count();
            style.red(&format!("blocked by {}", count(n, "rule")))
        }
    };
    out.push_str(&format!(
        "\n  {} {}\n",
        style.bold(&format!("way {}:", clean(&w.name))),
        end
    ));
    for (title, steps) in [("request", &w.request), ("reply", &w.reply)] {
        if !steps.is_empty() {
            out.push_str(&format!("  {}\n", style.dim(title)));
            let hops: Vec<_> = steps.iter().map(|s| s.hop.clone()).collect();
            out.push_str(&text::hops(&hops, sources, style));
        }
    }
}

/// `why` as JSON.
#[must_use]
pub fn why_json(y: &Why, sources: &Sources) -> String {
    let step = |s: &Step| {
        let place = s
            .hop
            .span
            .map(|p| json!({"file": sources.name(p.file), "line": p.line, "column": p.column}));
        json!({"at": s.hop.at, "layer": s.hop.layer, "rule": s.hop.rule, "decision": s.hop.decision,
               "open": s.open, "location": place})
    };
    let way = |w: &Way| {
        json!({"name": w.name, "delivered": w.delivered, "works": w.works,
               "request": w.request.iter().map(step).collect::<Vec<_>>(),
               "reply": w.reply.iter().map(step).collect::<Vec<_>>()})
    };
    let cases: Vec<Value> = y
        .cases
        .iter()
        .map(|c| {
            json!({"answer": answer(c.answer), "source": c.source.0, "source_ip": c.source.1,
                   "destination": c.destination.0, "destination_ip": c.destination.1, "protocol": c.protocol,
                   "source_port": c.ports.map(|p| p.0), "destination_port": c.ports.map(|p| p.1),
                   "services": c.services.to_string(), "others": c.others,
                   "blocking": c.blocking,
                   "change": c.change.as_ref().map(|x| json!({
                       "opens": x.opens, "steps": x.steps, "either": x.either, "breaks": x.breaks, "loses": x.loses})),
                   "no_change": c.no_change,
                   "ways": c.ways.iter().map(way).collect::<Vec<_>>()})
        })
        .collect();
    let claims: Vec<Value> = y
        .claims
        .iter()
        .map(|c| json!({"id": c.id, "text": c.text, "opens": c.opens, "in_force": c.in_force}))
        .collect();
    document(
        "why",
        json!({"source": y.source, "destination": y.destination, "services": y.services.to_string(),
               "cases": cases, "clauses": claims, "truncated": y.truncated}),
    )
}

/// Sources with their services, as one line each.
fn sources_text(list: &[Source], style: Style, out: &mut String) {
    for s in list {
        let who = if s.resources.is_empty() {
            s.public.clone()
        } else {
            let shown = text::some(&s.resources, 6, "resources").join(", ");
            if s.resources.len() > 1 {
                format!("{}: {shown}", s.resources.len())
            } else {
                shown
            }
        };
        out.push_str(&format!(
            "{}  {}\n",
            style.bold(&clean(&s.zone)),
            style.cyan(&s.services.to_string())
        ));
        for l in wrap(&clean(&who), style.width.saturating_sub(4).max(40)) {
            out.push_str(&format!("    {l}\n"));
        }
    }
}

/// `who`: each group of sources with the services that it can reach.
#[must_use]
pub fn who(a: &Who, style: Style) -> String {
    let mut out = String::new();
    if a.sources.is_empty() {
        return format!("nobody can reach {}\n", clean(&a.destination));
    }
    out.push_str(&format!(
        "who can reach {}\n\n",
        style.bold(&clean(&a.destination))
    ));
    sources_text(&a.sources, style, &mut out);
    out
}

/// `who` as JSON.
#[must_use]
pub fn who_json(a: &Who) -> String {
    let list: Vec<Value> = a
        .sources
        .iter()
        .map(|s| {
            json!({"zone": s.zone, "resources": s.resources, "public": s.public, "prefixes": s.prefixes,
                   "services": s.services.to_string()})
        })
        .collect();
    document("who", json!({"destination": a.destination, "sources": list}))
}

/// `blast`: what falls, ring by ring.
#[must_use]
pub fn blast(b: &Blast, style: Style) -> String {
    let mut out = String::new();
    let n = b.start.len();
    let size = if n == 0 {
        String::new()
    } else {
        format!(" ({})", count(n, "resource"))
    };
    out.push_str(&format!("from {}{size}\n", style.bold(&clean(&b.source))));
    let mut depth = 0;
    for s in &b.steps {
        if s.depth != depth {
            depth = s.depth;
            let ring = b.steps.iter().filter(|x| x.depth == depth).count();
            out.push_str(&format!(
                "\n{}  {}\n",
                style.bold(&count(depth, "hop")),
                style.dim(&count(ring, "resource"))
            ));
        }
        let line = format!(
            "{} ({}) on {} from {}",
            clean(&s.resource),
            clean(&s.zone),
            s.services,
            clean(&s.via)
        );
        for (i, l) in wrap(&line, style.width.saturating_sub(6).max(40))
            .iter()
            .enumerate()
        {
            out.push_str(&format!("  {}{l}\n", if i == 0 { "" } else { "    " }));
        }
    }
    if b.steps.is_empty() {
        out.push_str("\nit reaches no resource of this network\n");
    }
    if !b.exits.is_empty() {
        out.push_str(&format!("\n{}\n", style.bold("ways out")));
        let mut ways: Vec<(String, Vec<String>)> = Vec::new();
        for e in &b.exits {
            let to = format!("{} on {}", clean(&e.to), e.services);
            match ways.iter_mut().find(|w| w.0 == to) {
                Some(w) => w.1.push(e.resource.clone()),
                None => ways.push((to, vec![e.resource.clone()])),
            }
        }
        for (to, from) in ways {
            let line = format!(
                "{} {} {to}",
                clean(&text::some(&from, 6, "resources").join(", ")),
                style.arrow()
            );
            for (i, l) in wrap(&line, style.width.saturating_sub(6).max(40))
                .iter()
                .enumerate()
            {
                out.push_str(&format!("  {}{l}\n", if i == 0 { "" } else { "    " }));
            }
        }
    }
    out.push_str(&format!("\n{} reached\n", count(b.steps.len(), "resource")));
    if b.truncated {
        out.push_str("not every pair of endpoints was looked at: there may be more\n");
    }
    out
}

/// `blast` as JSON.
#[must_use]
pub fn blast_json(b: &Blast) -> String {
    let steps: Vec<Value> = b
        .steps
        .iter()
        .map(|s| {
            json!({"resource": s.resource, "zone": s.zone, "depth": s.depth, "via": s.via,
                   "services": s.services.to_string()})
        })
        .collect();
    let exits: Vec<Value> = b
        .exits
        .iter()
        .map(|e| json!({"resource": e.resource, "to": e.to, "services": e.services.to_string()}))
        .collect();
    document(
        "blast",
        json!({"source": b.source, "start": b.start, "steps": steps, "exits": exits, "truncated": b.truncated}),
    )
}

/// Wider tables than this many columns are lists.
const MAX_COLUMNS: usize = 7;
/// Cells longer than this say how many.
const MAX_CELL: usize = 24;

/// `reach`: a table where it fits the terminal, else a list.
#[must_use]
pub fn matrix(m: &Matrix, style: Style) -> String {
    if m.entries.is_empty() {
        return "nobody can reach anybody here\n".to_string();
    }
    let used = |g: usize| m.entries.iter().any(|e| e.from == g || e.to == g);
    let shown: Vec<usize> = (0..m.groups.len()).filter(|&g| used(g)).collect();
    let columns: Vec<usize> = shown
        .iter()
        .copied()
        .filter(|&g| m.entries.iter().any(|e| e.to == g))
        .collect();
    let rows: Vec<usize> = shown
        .iter()
        .copied()
        .filter(|&g| m.entries.iter().any(|e| e.from == g))
        .collect();
    let mut out = String::new();
    if columns.len() <= MAX_COLUMNS {
        out.push_str(&table(m, &rows, &columns, style).unwrap_or_default());
    }
    if out.is_empty() {
        list(m, style, &mut out);
    } else if m.entries.iter().any(|e| cell_text(e).chars().count() > MAX_CELL) {
        out.push('\n');
        list(m, style, &mut out);
    }
    if m.entries.iter().any(|e| !e.certain) {
        out.push_str("\n? depends on a value that is not known\n");
    }
    out
}

fn cell_text(e: &bartizan_check::query::Entry) -> String {
    format!("{}{}", e.services, if e.certain { "" } else { " ?" })
}

fn table(m: &Matrix, rows: &[usize], columns: &[usize], style: Style) -> Option<String> {
    let short = |e: &bartizan_check::query::Entry| {
        let t = cell_text(e);
        if t.chars().count() <= MAX_CELL {
            return t;
        }
        let n = t.matches(", ").count() + 1;
        let first = t.split(", ").next().unwrap_or_default();
        format!("{first} +{}", n - 1)
    };
    let dash = if style.unicode { "·" } else { "." };
    let corner = format!("from {} to", if style.unicode { "↓" } else { "\\" });
    let mut lines = vec![
        std::iter::once(corner)
            .chain(columns.iter().map(|&c| clean(&m.groups[c].name)))
            .collect::<Vec<_>>(),
    ];
    for &r in rows {
        let cells = columns.iter().map(|&c| {
            let e = m.entries.iter().find(|e| e.from == r && e.to == c);
            e.map_or_else(|| dash.to_string(), short)
        });
        lines.push(std::iter::once(clean(&m.groups[r].name)).chain(cells).collect());
    }
    let width = |k: usize| lines.iter().map(|l| l[k].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=columns.len()).map(width).collect();
    if widths.iter().sum::<usize>() + 3 * columns.len() > style.width {
        return None;
    }
    let mut out = String::new();
    for (i, l) in lines.iter().enumerate() {
        let mut line = String::new();
        for (k, (cell, w)) in l.iter().zip(&widths).enumerate() {
            let text = if i == 0 || k == 0 {
                style.bold(cell)
            } else if cell == dash {
                style.dim(cell)
            } else {
                style.cyan(cell)
            };
            line.push_str(&text);
            if k + 1 < l.len() {
                line.push_str(&" ".repeat(w - cell.chars().count() + 3));
            }
        }
        out.push_str(&line);
        out.push('\n');
        if i == 0 {
            let total = widths.iter().sum::<usize>() + 3 * columns.len();
            out.push_str(&style.dim(&(if style.unicode { "─" } else { "-" }).repeat(total)));
            out.push('\n');
        }
    }
    Some(out)
}

fn list(m: &Matrix, style: Style, out: &mut String) {
    for (i, g) in m.groups.iter().enumerate() {
        let mine: Vec<_> = m.entries.iter().filter(|e| e.from == i).collect();
        if mine.is_empty() {
            continue;
        }
        out.push_str(&format!("{}\n", style.bold(&clean(&g.name))));
        for e in mine {
            let line = format!(
                "{} {}: {}",
                style.arrow(),
                clean(&m.groups[e.to].name),
                cell_text(e)
            );
            for (i, l) in wrap(&line, style.width.saturating_sub(8).max(40))
                .iter()
                .enumerate()
            {
                out.push_str(&format!("  {}{l}\n", if i == 0 { "" } else { "    " }));
            }
        }
    }
}

/// `reach` as JSON.
#[must_use]
pub fn matrix_json(m: &Matrix) -> String {
    let groups: Vec<Value> = m
        .groups
        .iter()
        .map(|g| json!({"name": g.name, "members": g.members}))
        .collect();
    let entries: Vec<Value> = m
        .entries
        .iter()
        .map(|e| {
            json!({"from": m.groups[e.from].name, "to": m.groups[e.to].name, "services": e.services.to_string(),
                   "certain": e.certain})
        })
        .collect();
    let by = if m.by == By::Zone { "zone" } else { "resource" };
    document("reach", json!({"by": by, "groups": groups, "entries": entries}))
}

/// `reach` as a Markdown table.
#[must_use]
pub fn matrix_markdown(m: &Matrix) -> String {
    let escape = |s: &str| clean(s).replace('|', "\\|");
    let mut out = String::from("| from | to | services |\n|---|---|---|\n");
    for e in &m.entries {
        let (a, b) = (&m.groups[e.from].name, &m.groups[e.to].name);
        out.push_str(&format!(
            "| `{}` | `{}` | {} |\n",
            escape(a),
            escape(b),
            cell_text(e)
        ));
    }
    out
}

/// `zones`: each zone with its members.
#[must_use]
pub fn zones(list: &[ZoneResult], style: Style) -> String {
    let mut out = String::new();
    for z in list {
        let governed = if z.governed { "governed" } else { "not governed" };
        let size = match (z.members.len(), z.public.is_empty()) {
            (0, false) => "addresses".to_string(),
            (n, _) => count(n, "resource"),
        };
        out.push_str(&format!(
            "{}  {}\n",
            style.bold(&clean(&z.name)),
            style.dim(&format!("{size}, {governed}"))
        ));
        if !z.public.is_empty() {
            out.push_str(&format!("    {}\n", clean(&z.public)));
        }
        for m in &z.members {
            out.push_str(&format!("    {}\n", clean(m)));
        }
    }
    if list.is_empty() {
        out.push_str("no zones\n");
    }
    out
}

/// `zones` as JSON.
#[must_use]
pub fn zones_json(list: &[ZoneResult]) -> String {
    let zones: Vec<Value> = list
        .iter()
        .map(|z| json!({"name": z.name, "members": z.members, "public": z.public, "governed": z.governed}))
        .collect();
    document("zones", json!({"zones": zones}))
}
