//! Where everything goes: a lane for the outside and for each VPC, and in it columns by distance from the outside.

use super::short;
use bartizan_check::query::{MapKind, Picture};

pub(super) const NODE_W: i32 = 176;
const COLUMN_GAP: i32 = 132;
const ROW_GAP: i32 = 18;
const PAD: i32 = 22;
pub(super) const HEAD_W: i32 = 210;
const JOIN_W: i32 = 30;
const MARGIN: i32 = 16;
/// Columns; what is further away shares the last one.
const MOST_COLUMNS: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Rect {
    fn meets(&self, o: &Rect) -> bool {
        self.x < o.x + o.w && o.x < self.x + self.w && self.y < o.y + o.h && o.y < self.y + self.h
    }
}

pub(super) struct NodeBox {
    pub(super) at: Rect,
    pub(super) lines: Vec<String>,
}

pub(super) struct EdgeLine {
    /// A cubic curve.
    pub(super) points: [(i32, i32); 4],
    pub(super) label: Rect,
    pub(super) text: String,
}

/// Where a bar meets a lane: from, height, to.
pub(super) type Tap = (i32, i32, i32);

pub(super) struct Layout {
    pub(super) width: i32,
    pub(super) height: i32,
    /// Lanes that are drawn, by position in the picture.
    pub(super) lanes: Vec<(usize, Rect)>,
    pub(super) heads: Vec<Vec<String>>,
    pub(super) nodes: Vec<NodeBox>,
    pub(super) edges: Vec<EdgeLine>,
    /// A bar for each join, and where it meets its lanes.
    pub(super) joins: Vec<(Rect, Vec<Tap>)>,
}

fn int(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX / 4)
}

/// The column of each node: the longest way from the outside, without going in circles.
fn columns(p: &Picture) -> Vec<usize> {
    let n = p.nodes.len();
    let mut next: Vec<Vec<usize>> = vec![Vec::new(); n];
    for f in p.flows.iter().filter(|f| f.from != f.to) {
        // Everything answers to the outside; that is no step away from it.
        if p.nodes[f.to].kind != MapKind::Outside {
            next[f.from].push(f.to);
        }
    }
    // Depth first, the outside first; an edge to a node that is being visited goes in a circle.
    let mut state = vec![0u8; n];
    let mut order = Vec::new();
    let mut back: Vec<(usize, usize)> = Vec::new();
    let mut starts: Vec<usize> = (0..n).filter(|&i| p.nodes[i].kind == MapKind::Outside).collect();
    starts.extend((0..n).filter(|&i| p.nodes[i].kind != MapKind::Outside));
    for s in starts {
        if state[s] != 0 {
            continue;
        }
        let mut stack = vec![(s, 0usize)];
        state[s] = 1;
        while let Some((v, k)) = stack.pop() {
            if let Some(&to) = next[v].get(k) {
                stack.push((v, k + 1));
                match state[to] {
                    0 => {
                        state[to] = 1;
                        stack.push((to, 0));
                    }
                    1 => back.push((v, to)),
                    _ => {}
                }
            } else {
                state[v] = 2;
                order.push(v);
            }
        }
    }
    let mut at: Vec<usize> = p
        .nodes
        .iter()
        .map(|n| usize::from(n.kind != MapKind::Outside))
        .collect();
    for &v in order.iter().rev() {
        for &to in next[v].iter().filter(|to| !back.contains(&(v, **to))) {
            at[to] = at[to].max((at[v] + 1).min(MOST_COLUMNS - 1));
        }
    }
    at
}

fn lines(p: &Picture, i: usize) -> Vec<String> {
    let n = &p.nodes[i];
    let mut out = Vec::new();
    match n.kind {
        MapKind::Outside => out.push("public addresses".to_string()),
        _ if n.members.len() == 1 => {
            let name = n.members[0].strip_prefix("alicloud_").unwrap_or(&n.members[0]);
            out.push(short(name, 26));
        }
        _ => out.push(crate::style::count(n.members.len(), "resource")),
    }
    if n.kind != MapKind::Vswitch && n.kind != MapKind::Vpc {
        out.extend(n.vswitches.iter().take(2).map(|v| short(v, 26)));
        if n.vswitches.len() > 2 {
            out.push(format!("and {} more vSwitches", n.vswitches.len() - 2));
        }
    }
    out
}

fn head(p: &Picture, lane: usize) -> Vec<String> {
    let l = &p.lanes[lane];
    let mut out = vec![short(&l.name, 28)];
    out.extend(l.blocks.iter().take(3).map(|b| short(b, 30)));
    out.extend(l.gateways.iter().take(6).map(|g| short(g, 30)));
    if l.gateways.len() > 6 {
        out.push(format!("and {} more", l.gateways.len() - 6));
    }
    out
}

impl Layout {
    pub(super) fn new(p: &Picture) -> Layout {
        let column = columns(p);
        let joins_w = int(p.joins.len()) * JOIN_W;
        let left = MARGIN + joins_w;
        let texts: Vec<Vec<String>> = (0..p.nodes.len()).map(|i| lines(p, i)).collect();
        let x_of = |c: usize| left + HEAD_W + PAD + int(c) * (NODE_W + COLUMN_GAP);
        let most = column.iter().copied().max().unwrap_or(0);
        let width = x_of(most) + NODE_W + PAD + MARGIN;
        let mut y = MARGIN;
        let mut boxes: Vec<Option<NodeBox>> = p.nodes.iter().map(|_| None).collect();
        let (mut lanes, mut heads) = (Vec::new(), Vec::new());
        for lane in 0..p.lanes.len() {
            let mine: Vec<usize> = (0..p.nodes.len()).filter(|&i| p.nodes[i].lane == lane).collect();
            if mine.is_empty() && lane == 0 {
                continue;
            }
            let text = head(p, lane);
            let mut height = 2 * PAD + 18 * int(text.len());
            for c in 0..=most {
                let mut at = y + PAD;
                for &i in mine.iter().filter(|&&i| column[i] == c) {
                    let h = 34 + 15 * int(texts[i].len());
                    boxes[i] = Some(NodeBox {
                        at: Rect {
                            x: x_of(c),
                            y: at,
                            w: NODE_W,
                            h,
                        },
                        lines: texts[i].clone(),
                    });
                    at += h + ROW_GAP;
                }
                height = height.max(at - ROW_GAP + PAD - y);
            }
            lanes.push((
                lane,
                Rect {
                    x: left,
                    y,
                    w: width - left - MARGIN,
                    h: height,
                },
            ));
            heads.push(text);
            y += height + 12;
        }
        let nodes: Vec<NodeBox> = boxes.into_iter().flatten().collect();
        let edges = edges(p, &column, &nodes);
        let mut joins = Vec::new();
        for (n, j) in p.joins.iter().enumerate() {
            let rows: Vec<&Rect> = lanes
                .iter()
                .filter(|(l, _)| j.lanes.contains(l))
                .map(|(_, r)| r)
                .collect();
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
                continue;
            };
            let x = MARGIN + int(n) * JOIN_W;
            let bar = Rect {
                x,
                y: first.y + 8,
                w: 20,
                h: last.y + last.h - first.y - 16,
            };
            let taps = rows.iter().map(|r| (x + 20, r.y + r.h / 2, r.x)).collect();
            joins.push((bar, taps));
        }
        // A line for the legend.
        let below = edges
            .iter()
            .flat_map(|e| e.points.iter().map(|p| p.1))
            .max()
            .unwrap_or(0);
        Layout {
            width,
            height: y.max(below) + 40,
            lanes,
            heads,
            nodes,
            edges,
            joins,
        }
    }
}

/// A side of a node with the lines that leave or enter there, spread over its height.
fn spread(node: &Rect, k: usize, of: usize) -> i32 {
    node.y + node.h * (int(k) + 1) / (int(of) + 1)
}

fn edges(p: &Picture, column: &[usize], nodes: &[NodeBox]) -> Vec<EdgeLine> {
    let drawn: Vec<usize> = (0..p.flows.len())
        .filter(|&i| p.flows[i].from != p.flows[i].to)
        .collect();
    let centre = |i: usize| nodes[i].at.y + nodes[i].at.h / 2;
    // Lines on one side of a node in the order of where they go, so that they cross less.
    let forward = |i: usize| column[p.flows[i].from] < column[p.flows[i].to];
    let position = |i: usize, source: bool| {
        let f = &p.flows[i];
        let me = if source { f.from } else { f.to };
        let side = |x: usize| {
            let g = &p.flows[x];
            forward(x) && (if source { g.from } else { g.to }) == me
        };
        let mut all: Vec<usize> = drawn.iter().copied().filter(|x| side(*x)).collect();
        all.sort_by_key(|x| {
            let g = &p.flows[*x];
            (centre(if source { g.to } else { g.from }), *x)
        });
        let at = all.iter().position(|x| *x == i).unwrap_or(0);
        (at, all.len())
    };
    let mut labels: Vec<Rect> = Vec::new();
    let mut out = Vec::new();
    for &i in &drawn {
        let f = &p.flows[i];
        let (a, b) = (&nodes[f.from].at, &nodes[f.to].at);
        let points = if forward(i) {
            let (k, of) = position(i, true);
            let (l, to) = position(i, false);
            let (x1, y1) = (a.x + a.w, spread(a, k, of));
            let (x2, y2) = (b.x, spread(b, l, to));
            let bend = ((x2 - x1) / 2).max(36);
            [(x1, y1), (x1 + bend, y1), (x2 - bend, y2), (x2, y2)]
        } else if column[f.from] == column[f.to] {
            let (x, bulge) = (a.x + a.w, 46 + 6 * (int(i) % 4));
            let (y1, y2) = (centre(f.from) + 6, centre(f.to) - 6);
            [(x, y1), (x + bulge, y1), (x + bulge, y2), (x, y2)]
        } else {
            let (x1, y1) = (a.x + a.w / 3, a.y + a.h);
            let (x2, y2) = (b.x + 2 * b.w / 3, b.y + b.h);
            let low = y1.max(y2) + 26 + 5 * (int(i) % 5);
            [(x1, y1), (x1, low), (x2, low), (x2, y2)]
        };
        let text = short(&f.services.to_string(), 24);
        let w = 12 + 13 * int(text.chars().count()) / 2;
        let label = place(&points, w, nodes, &labels);
        // What a balancer hands on is told by its two halves; its line has no label.
        if f.via.is_empty() {
            labels.push(label);
        }
        out.push(EdgeLine { points, label, text });
    }
    out
}

/// A point of a cubic curve; `t` in thousandths.
fn on_curve(p: &[(i32, i32); 4], t: i64) -> (i32, i32) {
    let u = 1000 - t;
    let c = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
    let axis = |get: fn(&(i32, i32)) -> i32| {
        let sum: i64 = p.iter().zip(c).map(|(q, c)| i64::from(get(q)) * c).sum();
        i32::try_from(sum / 1_000_000_000).unwrap_or(0)
    };
    (axis(|q| q.0), axis(|q| q.1))
}

/// A free place for a label along its line; the middle where there is none.
fn place(points: &[(i32, i32); 4], w: i32, nodes: &[NodeBox], labels: &[Rect]) -> Rect {
    let at = |t: i64| {
        let (x, y) = on_curve(points, t);
        Rect {
            x: x - w / 2,
            y: y - 8,
            w,
            h: 16,
        }
    };
    let free = |r: &Rect| !labels.iter().any(|l| l.meets(r)) && !nodes.iter().any(|n| n.at.meets(r));
    let tries = [500, 420, 580, 340, 660, 260, 740, 180, 820];
    tries.into_iter().map(at).find(free).unwrap_or_else(|| at(500))
}
