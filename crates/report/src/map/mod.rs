//! The network as a picture: SVG, a page that works without a network, Graphviz, Mermaid, draw.io.
//!
//! The same input gives the same bytes: all positions are integers, and nothing depends on time or on a hash.

mod layout;
mod svg;
mod text;

pub use text::{dot, drawio, mermaid};

use bartizan_check::query::{MapFlow, MapWord, Picture};
use layout::Layout;

/// The picture as SVG.
#[must_use]
pub fn svg(p: &Picture) -> String {
    svg::draw(p, &Layout::new(p))
}

/// The picture with a table of its flows, as one HTML file without references.
#[must_use]
pub fn html(p: &Picture) -> String {
    let title = title(p);
    let mut rows = String::new();
    for f in &p.flows {
        let (from, to) = (&p.nodes[f.from].name, &p.nodes[f.to].name);
        let mut sure = String::new();
        if !f.certain {
            sure.push_str(" (depends on values that are not known)");
        }
        if !f.via.is_empty() {
            sure.push_str(&format!(", by way of {}", escape(&f.via.join(", "))));
        }
        rows.push_str(&format!(
            "<tr class=\"flow\" data-from=\"{}\" data-to=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">{}{sure}</td></tr>\n",
            f.from,
            f.to,
            escape(from),
            escape(to),
            escape(&f.services.to_string()),
            class(f),
            word(f)
        ));
    }
    let mut members = String::new();
    for (n, node) in p.nodes.iter().enumerate().filter(|(_, n)| !n.members.is_empty()) {
        members.push_str(&format!(
            "<details data-node=\"{n}\"><summary>{} <span>{}</span></summary><ul>{}</ul></details>\n",
            escape(&node.name),
            crate::style::count(node.members.len(), "resource"),
            node.members
                .iter()
                .map(|m| format!("<li>{}</li>", escape(m)))
                .collect::<String>()
        ));
    }
    format!(
        "<!doctype html>
<html lang=\"en\">
<head>
<meta charset=\"utf-8\">
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">
<title>{0}</title>
<style>{STYLE}</style>
</head>
<body>
<h1>{0}</h1>
<p class=\"sub\">{1}. Point at a zone or a row to see its flows alone; click to keep it.</p>
<div class=\"scroll\">{2}</div>
<h2>Flows</h2>
<p><input id=\"filter\" type=\"search\" placeholder=\"filter: a zone, a port, allowed\" aria-label=\"filter the flows\"></p>
<table><thead><tr><th>from</th><th>to</th><th>services</th><th>intent</th></tr></thead>
<tbody>
{rows}</tbody></table>
<h2>Members</h2>
{members}<script>{SCRIPT}</script>
</body>
</html>
",
        escape(&title),
        escape(&summary(p)),
        svg(p),
    )
}

const STYLE: &str = "
:root{color-scheme:light dark}
body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:2000px;padding:0 1rem;background:#fff;color:#1f2328}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}.sub{color:#59636e;margin:.2rem 0 1rem}
.scroll svg{max-width:100%;height:auto;min-width:960px;display:block}
.scroll{overflow:auto;border:1px solid #d1d9e0;border-radius:6px}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #d1d9e0;vertical-align:top}
td:nth-child(3){font-family:ui-monospace,monospace;font-size:12px}
tbody tr:hover{background:#f6f8fa}tr.off{display:none}
td.allowed{color:#1a7f37}td.against{color:#cf222e;font-weight:600}td.free{color:#59636e}
details summary{cursor:pointer}details span{color:#59636e}
input{font:inherit;padding:.3rem .5rem;width:22rem;max-width:100%}
svg.pick .edge,svg.pick .node{opacity:.12}svg.pick .edge.on,svg.pick .node.on{opacity:1}
@media (prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}.scroll{border-color:#30363d}th,td{border-color:#30363d}tbody tr:hover{background:#161b22}.sub,details span,td.free{color:#9198a1}td.allowed{color:#3fb950}td.against{color:#f85149}}
";

const SCRIPT: &str = "
(function(){
var svg=document.querySelector('svg'),edges=[].slice.call(svg.querySelectorAll('.edge')),nodes=[].slice.call(svg.querySelectorAll('.node')),kept=null;
function show(test){if(!test){svg.classList.remove('pick');return}
svg.classList.add('pick');var on={};
edges.forEach(function(e){var f=e.dataset.from,t=e.dataset.to,hit=test(f,t);e.classList.toggle('on',hit);if(hit){on[f]=1;on[t]=1}});
nodes.forEach(function(n){n.classList.toggle('on',!!on[n.dataset.node]||test(n.dataset.node,n.dataset.node))})}
function bind(el,test){el.addEventListener('mouseenter',function(){show(test)});
el.addEventListener('mouseleave',function(){show(kept)});
el.addEventListener('click',function(){kept=kept===test?null:test;show(kept)})}
nodes.forEach(function(n){var id=n.dataset.node;bind(n,function(f,t){return f===id||t===id})});
[].forEach.call(document.querySelectorAll('tr.flow'),function(r){bind(r,function(f,t){return f===r.dataset.from&&t===r.dataset.to})});
document.getElementById('filter').addEventListener('input',function(e){var q=e.target.value.toLowerCase();
[].forEach.call(document.querySelectorAll('tr.flow'),function(r){r.classList.toggle('off',r.textContent.toLowerCase().indexOf(q)<0)})});
})();
";

fn title(p: &Picture) -> String {
    if p.title.is_empty() {
        "Network".to_string()
    } else {
        p.title.clone()
    }
}

fn summary(p: &Picture) -> String {
    let against = p.flows.iter().filter(|f| f.word == MapWord::Against).count();
    let bad = match against {
        0 => String::new(),
        n => format!(", {n} of them against the intent"),
    };
    format!(
        "{} in {}, {}{bad}",
        crate::style::count(p.resources, "resource"),
        crate::style::count(p.lanes.len().saturating_sub(1), "VPC"),
        crate::style::count(p.flows.len(), "flow"),
    )
}

fn class(f: &MapFlow) -> &'static str {
    match f.word {
        MapWord::Allowed => "allowed",
        MapWord::Against => "against",
        MapWord::Free => "free",
    }
}

fn word(f: &MapFlow) -> &'static str {
    match f.word {
        MapWord::Allowed => "allowed",
        MapWord::Against => "no clause allows it",
        MapWord::Free => "not governed",
    }
}

/// Text for XML and HTML; what is no character of a line becomes U+FFFD.
fn escape(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for c in s.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// At most `max` characters.
fn short(s: &str, max: usize) -> String {
    if s.chars().count() <= max {
        return s.to_string();
    }
    let mut out: String = s.chars().take(max - 1).collect();
    out.push('…');
    out
}
