//! The picture for other programs: Graphviz, Mermaid, draw.io.

use super::layout::Layout;
use super::{class, escape, short, title, word};
use bartizan_check::query::{MapKind, Picture};
use std::fmt::Write as _;

fn colour(kind: &str) -> &'static str {
    match kind {
        "allowed" => "#1a7f37",
        "against" => "#cf222e",
        _ => "#6e7781",
    }
}

fn lane_nodes(p: &Picture, lane: usize) -> impl Iterator<Item = usize> + '_ {
    (0..p.nodes.len()).filter(move |&i| p.nodes[i].lane == lane)
}

fn quoted(s: &str) -> String {
    let clean: String = s
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    format!("\"{}\"", clean.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Graphviz.
#[must_use]
pub fn dot(p: &Picture) -> String {
    let mut s = format!(
        "digraph network {{\n  label={};\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"monospace\", fontsize=10];\n",
        quoted(&title(p))
    );
    for (n, l) in p.lanes.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(s, "  subgraph cluster_{n} {{\n    label={};", quoted(&l.name));
        for i in lane_nodes(p, n) {
            let node = &p.nodes[i];
            let style = if node.kind == MapKind::Unzoned {
                ", style=dashed"
            } else {
                ""
            };
            let _ = writeln!(s, "    n{i} [label={}{style}];", quoted(&node.name));
        }
        s.push_str("  }\n");
    }
    for f in &p.flows {
        let style = match (f.certain, f.via.is_empty()) {
            (_, false) => ", style=dotted",
            (false, _) => ", style=dashed",
            (true, _) => "",
        };
        let _ = writeln!(
            s,
            "  n{} -> n{} [label={}, color={}{style}, tooltip={}];",
            f.from,
            f.to,
            quoted(&f.services.to_string()),
            quoted(colour(class(f))),
            quoted(word(f))
        );
    }
    s.push_str("}\n");
    s
}

/// Text inside of quotes of Mermaid.
fn entity(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        match c {
            '"' | '#' | '<' | '>' | '&' | ';' | '|' | '`' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Mermaid, as it is drawn in Markdown by many hosts of code.
#[must_use]
pub fn mermaid(p: &Picture) -> String {
    let mut s = "flowchart LR\n".to_string();
    for (n, l) in p.lanes.iter().enumerate() {
        if lane_nodes(p, n).next().is_none() {
            continue;
        }
        let _ = writeln!(s, "  subgraph lane{n}[\"{}\"]", entity(&l.name));
        for i in lane_nodes(p, n) {
            let node = &p.nodes[i];
            let size = match node.kind {
                MapKind::Outside => String::new(),
                _ => format!(" ({})", node.members.len()),
            };
            let _ = writeln!(s, "    n{i}[\"{}{size}\"]", entity(&node.name));
        }
        s.push_str("  end\n");
    }
    for f in &p.flows {
        let arrow = if f.certain { "-->" } else { "-.->" };
        let text = entity(&short(&f.services.to_string(), 60));
        let _ = writeln!(s, "  n{} {arrow}|\"{text}\"| n{}", f.from, f.to);
    }
    for (n, f) in p.flows.iter().enumerate() {
        let _ = writeln!(s, "  linkStyle {n} stroke:{}", colour(class(f)));
    }
    s
}

/// draw.io (diagrams.net), with the layout of the SVG.
#[must_use]
pub fn drawio(p: &Picture) -> String {
    let l = Layout::new(p);
    let mut s = format!(
        "<mxfile host=\"bartizan\"><diagram id=\"network\" name=\"{}\"><mxGraphModel grid=\"0\" page=\"0\"><root>\n<mxCell id=\"0\"/><mxCell id=\"1\" parent=\"0\"/>\n",
        escape(&title(p))
    );
    // A line break inside an attribute is a character reference, or it is read as a blank.
    let label = |text: &str| text.split('\n').map(escape).collect::<Vec<_>>().join("&#10;");
    let mut vertex = |id: &str, text: &str, style: &str, r: &super::layout::Rect| {
        let _ = writeln!(
            s,
            "<mxCell id=\"{id}\" value=\"{}\" style=\"{style}\" vertex=\"1\" parent=\"1\"><mxGeometry x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" as=\"geometry\"/></mxCell>",
            label(text),
            r.x,
            r.y,
            r.w,
            r.h
        );
    };
    for ((lane, r), head) in l.lanes.iter().zip(&l.heads) {
        let style = "rounded=1;arcSize=2;fillColor=#f6f8fa;strokeColor=#d1d9e0;align=left;verticalAlign=top;spacingLeft=12;spacingTop=8;";
        vertex(&format!("lane{lane}"), &head.join("\n"), style, r);
    }
    for (n, (j, (bar, _))) in p.joins.iter().zip(&l.joins).enumerate() {
        let style = "rounded=1;fillColor=#8250df;strokeColor=none;fontColor=#ffffff;horizontal=0;";
        vertex(&format!("join{n}"), &j.name, style, bar);
    }
    for (n, (node, b)) in p.nodes.iter().zip(&l.nodes).enumerate() {
        let style = match node.kind {
            MapKind::Outside => "rounded=1;fillColor=#ddf4ff;strokeColor=#0969da;",
            MapKind::Unzoned => "rounded=1;fillColor=#fff8c5;strokeColor=#9a6700;dashed=1;",
            _ => "rounded=1;fillColor=#ffffff;strokeColor=#8c959f;",
        };
        let text = format!("{}\n{}", node.name, b.lines.join("\n"));
        vertex(&format!("n{n}"), &text, style, &b.at);
    }
    for (n, f) in p.flows.iter().enumerate().filter(|(_, f)| f.from != f.to) {
        let dashed = if f.certain { "" } else { "dashed=1;" };
        let _ = writeln!(
            s,
            "<mxCell id=\"f{n}\" value=\"{}\" style=\"curved=1;strokeColor={};{dashed}fontSize=10;\" edge=\"1\" parent=\"1\" source=\"n{}\" target=\"n{}\"><mxGeometry relative=\"1\" as=\"geometry\"/></mxCell>",
            escape(&f.services.to_string()),
            colour(class(f)),
            f.from,
            f.to
        );
    }
    s.push_str("</root></mxGraphModel></diagram></mxfile>\n");
    s
}
