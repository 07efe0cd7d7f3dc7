//! The picture as SVG.

use super::layout::{EdgeLine, HEAD_W, Layout, NODE_W};
use super::{class, escape, short, summary, title, word};
use bartizan_check::query::{MapFlow, MapKind, Picture};
use std::fmt::Write as _;

const STYLE: &str = "
.lane{fill:#f6f8fa;stroke:#d1d9e0}.head{fill:#eaeef2}.name{font-weight:600}
.box{fill:#fff;stroke:#8c959f}.box.outside{fill:#ddf4ff;stroke:#0969da}.box.unzoned{fill:#fff8c5;stroke:#9a6700;stroke-dasharray:4 3}
.dim{fill:#59636e}.edge path{fill:none;stroke-width:1.6}.edge rect{fill:#fff;fill-opacity:.92}
.allowed path{stroke:#1a7f37}.allowed text{fill:#1a7f37}.against path{stroke:#cf222e;stroke-width:2.4}.against text{fill:#cf222e;font-weight:600}
.free path{stroke:#6e7781}.free text{fill:#57606a}.maybe path{stroke-dasharray:6 4}
.via path{stroke-width:1;opacity:.3}.edge.via rect,.edge.via text{display:none}.edge.via.on path{opacity:1}
.join{fill:#8250df}.tap{stroke:#8250df;stroke-width:2}.jointext{fill:#fff;font-size:11px}
text{font:12px system-ui,sans-serif;fill:#1f2328}.small{font-size:11px}.port{font:10.5px ui-monospace,monospace}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.lane{fill:#161b22;stroke:#30363d}.head{fill:#21262d}.box{fill:#0d1117;stroke:#6e7681}.box.outside{fill:#0c2d6b;stroke:#388bfd}.box.unzoned{fill:#3b2e06}
text{fill:#e6edf3}.dim{fill:#9198a1}.edge rect{fill:#0d1117}.allowed path{stroke:#3fb950}.allowed text{fill:#3fb950}.against path{stroke:#f85149}.against text{fill:#f85149}.free text{fill:#9198a1}}
";

pub(super) fn draw(p: &Picture, l: &Layout) -> String {
    let mut s = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        s,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">
<title>{2}</title><desc>{3}</desc>
<style>{STYLE}</style>
<defs>{4}</defs>
<rect class=\"page\" width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>",
        l.width,
        l.height,
        escape(&title(p)),
        escape(&summary(p)),
        ["allowed", "against", "free"].map(marker).concat(),
    );
    for ((lane, r), head) in l.lanes.iter().zip(&l.heads) {
        let _ = writeln!(
            s,
            "<g class=\"lane-{lane}\"><rect class=\"lane\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\"/>\
             <rect class=\"head\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"6\"/>",
            r.x,
            r.y,
            r.w,
            r.h,
            r.x,
            r.y,
            HEAD_W - 10,
            r.h
        );
        for (n, line) in (0i32..).zip(head) {
            let kind = if n == 0 { "name" } else { "small dim" };
            let _ = writeln!(
                s,
                "<text class=\"{kind}\" x=\"{}\" y=\"{}\">{}</text>",
                r.x + 12,
                r.y + 26 + 18 * n,
                escape(line)
            );
        }
        s.push_str("</g>\n");
    }
    for (j, (bar, taps)) in p.joins.iter().zip(&l.joins) {
        for (x1, y, x2) in taps {
            let _ = writeln!(
                s,
                "<line class=\"tap\" x1=\"{x1}\" y1=\"{y}\" x2=\"{x2}\" y2=\"{y}\"/>"
            );
        }
        let (cx, cy) = (bar.x + bar.w / 2 + 4, bar.y + bar.h / 2);
        let room = usize::try_from(bar.h / 7).unwrap_or(0).max(4);
        let _ = writeln!(
            s,
            "<g><title>{0}</title><rect class=\"join\" x=\"{1}\" y=\"{2}\" width=\"{3}\" height=\"{4}\" rx=\"4\"/>\
             <text class=\"jointext\" text-anchor=\"middle\" transform=\"translate({cx} {cy}) rotate(-90)\">{5}</text></g>",
            escape(&j.name),
            bar.x,
            bar.y,
            bar.w,
            bar.h,
            escape(&short(&j.name, room))
        );
    }
    // Lines first and labels above all of them.
    let drawn: Vec<_> = p.flows.iter().filter(|f| f.from != f.to).zip(&l.edges).collect();
    for labels in [false, true] {
        for (f, e) in &drawn {
            if labels && !f.via.is_empty() {
                continue;
            }
            edge(p, f, e, labels, &mut s);
        }
    }
    for (n, (node, b)) in p.nodes.iter().zip(&l.nodes).enumerate() {
        let kind = match node.kind {
            MapKind::Outside => " outside",
            MapKind::Unzoned => " unzoned",
            _ => "",
        };
        let inner = p.flows.iter().find(|f| f.from == n && f.to == n);
        let own = inner.map_or(String::new(), |f| format!(" among themselves: {}", f.services));
        let _ = writeln!(
            s,
            "<g class=\"node\" data-node=\"{n}\"><title>{}{}</title>\
             <rect class=\"box{kind}\" x=\"{}\" y=\"{}\" width=\"{NODE_W}\" height=\"{}\" rx=\"6\"/>\
             <text class=\"name\" x=\"{}\" y=\"{}\">{}</text>",
            escape(&node.name),
            escape(&own),
            b.at.x,
            b.at.y,
            b.at.h,
            b.at.x + 12,
            b.at.y + 21,
            escape(&short(&node.name, 24))
        );
        for (k, line) in (0i32..).zip(&b.lines) {
            let _ = writeln!(
                s,
                "<text class=\"small dim\" x=\"{}\" y=\"{}\">{}</text>",
                b.at.x + 12,
                b.at.y + 37 + 15 * k,
                escape(line)
            );
        }
        s.push_str("</g>\n");
    }
    let y = l.height - 16;
    let mut x = 16;
    for (kind, text) in [
        ("allowed", "a clause allows it"),
        ("against", "no clause allows it"),
        ("free", "not governed"),
        ("free maybe", "depends on a value that is not known"),
        ("allowed via", "handed on by a load balancer"),
    ] {
        let _ = writeln!(
            s,
            "<g class=\"legend {kind}\"><path d=\"M{x} {0}h34\" fill=\"none\"/><text class=\"small\" x=\"{1}\" y=\"{y}\">{text}</text></g>",
            y - 4,
            x + 42
        );
        x += 70 + 6 * i32::try_from(text.len()).unwrap_or(0);
    }
    s.push_str("</svg>\n");
    s
}

/// The line of a flow, or its label.
fn edge(p: &Picture, f: &MapFlow, e: &EdgeLine, label: bool, s: &mut String) {
    let maybe = match (f.certain, f.via.is_empty()) {
        (_, false) => " via",
        (false, _) => " maybe",
        (true, _) => "",
    };
    let by = if f.via.is_empty() {
        String::new()
    } else {
        format!(", by way of {}", f.via.join(", "))
    };
    let kind = class(f);
    let drawn = if label {
        format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\"/>\
             <text class=\"port\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>",
            e.label.x,
            e.label.y,
            e.label.w,
            e.label.h,
            e.label.x + e.label.w / 2,
            e.label.y + 12,
            escape(&e.text)
        )
    } else {
        let [a, b, c, d] = e.points;
        format!(
            "<path d=\"M{} {}C{} {} {} {} {} {}\" marker-end=\"url(#{kind})\"/>",
            a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1
        )
    };
    // Writing to a string cannot fail.
    let _ = writeln!(
        s,
        "<g class=\"edge {kind}{maybe}\" data-from=\"{}\" data-to=\"{}\"><title>{} -&gt; {}: {} ({}{})</title>{drawn}</g>",
        f.from,
        f.to,
        escape(&p.nodes[f.from].name),
        escape(&p.nodes[f.to].name),
        escape(&f.services.to_string()),
        word(f),
        escape(&by)
    );
}

fn marker(kind: &str) -> String {
    format!(
        "<marker id=\"{kind}\" class=\"{kind}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\" markerUnits=\"userSpaceOnUse\"><path d=\"M0 0L8 4L0 8\" fill=\"none\"/></marker>"
    )
}
