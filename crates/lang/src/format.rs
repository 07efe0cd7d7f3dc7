//! The one layout of an intent file.
//!
//! A line is a row of cells; neighbouring rows of the same kind are padded to common columns. Only comments,
//! single empty lines and the tree decide, so formatting twice changes nothing.

mod words;

use crate::lexer::quote;
use crate::parse::parse_text;
use crate::tree::{
    Block, BoundaryItem, ClauseDecl, ExceptionItem, File, Item, LinkOption, Mode, Stmt, TestItem, Verb,
    ZoneOption,
};
use bartizan_base::{Diagnostic, FileId};
use words::{bare_or_quoted, list, waypoint_text};
pub(crate) use words::{expr_text, selector_text};

/// Longer lines are broken where they can be.
const WIDTH: usize = 110;
/// Cells wider than this do not push the others to the right.
const MAX_COLUMN: usize = 48;

/// The text of a file in the canonical layout.
///
/// Comments and single empty lines stay. `format(format(x)) == format(x)`, and the tree of the result is the
/// tree of the source.
///
/// # Errors
/// The problems of a source that cannot be parsed; their spans are in file 0.
pub fn format(source: &str) -> Result<String, Vec<Diagnostic>> {
    let (file, diagnostics) = parse_text(FileId(0), source);
    if diagnostics.is_empty() {
        Ok(format_file(&file))
    } else {
        Err(diagnostics)
    }
}

/// The text of a tree in the canonical layout.
#[must_use]
pub fn format_file(file: &File) -> String {
    let mut p = Printer {
        out: String::new(),
        rows: Vec::new(),
        indent: 0,
    };
    p.block_items(&file.body, Printer::item);
    p.out
}

/// What rows may be aligned with each other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    /// With nothing.
    Alone,
    /// Zones and envs.
    Sets,
    /// Links and sites.
    Links,
    /// Services.
    Services,
    /// Clauses with a verb.
    Clauses,
}

struct Row {
    group: Group,
    cells: Vec<String>,
    /// The number of leading cells that are padded.
    aligned: usize,
    /// Goes to the next line when the row is too wide.
    because: Option<String>,
    trail: Option<String>,
}

struct Printer {
    out: String,
    rows: Vec<Row>,
    indent: usize,
}

fn width(s: &str) -> usize {
    s.chars().count()
}

impl Printer {
    fn raw(&mut self, text: &str, trail: Option<&str>) {
        self.flush();
        self.line(text, trail.map(|t| format!("  {t}")));
    }

    fn line(&mut self, text: &str, trail: Option<String>) {
        if !text.is_empty() {
            self.out.extend(std::iter::repeat_n(' ', self.indent));
            self.out.push_str(text);
            self.out.push_str(trail.as_deref().unwrap_or(""));
        }
        self.out.push('\n');
    }

    fn row(&mut self, row: Row) {
        if self
            .rows
            .last()
            .is_some_and(|r| r.group != row.group || row.group == Group::Alone)
        {
            self.flush();
        }
        self.rows.push(row);
    }

    /// Writes the rows that are waiting for their neighbours.
    fn flush(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        let columns = rows.iter().map(|r| r.aligned).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|i| {
                let cells = rows
                    .iter()
                    .filter(|r| i < r.aligned)
                    .filter_map(|r| r.cells.get(i));
                cells
                    .map(|c| width(c))
                    .filter(|&w| w <= MAX_COLUMN)
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut lines: Vec<(String, Option<String>, Option<String>)> = Vec::new();
        for r in rows {
            let mut text = String::new();
            let last = r.cells.len().saturating_sub(1);
            for (i, c) in r.cells.iter().enumerate() {
                text.push_str(c);
                if i < last {
                    let pad = if i < r.aligned {
                        widths.get(i).copied().unwrap_or(0)
                    } else {
                        0
                    };
                    text.extend(std::iter::repeat_n(' ', pad.saturating_sub(width(c)) + 1));
                }
            }
            lines.push((text, r.because, r.trail));
        }
        let fits = |t: &str, b: &str| self.indent + width(t) + 2 + width(b) <= WIDTH;
        let column = |texts: &mut dyn Iterator<Item = usize>| texts.filter(|&w| w <= 80).max().unwrap_or(0);
        let reasons = column(
            &mut lines
                .iter()
                .filter(|(t, b, _)| b.as_ref().is_some_and(|b| fits(t, b)))
                .map(|(t, ..)| width(t)),
        );
        for (text, because, _) in &mut lines {
            let Some(b) = because.take() else { continue };
            if fits(text, &b) {
                let pad = reasons.saturating_sub(width(text)) + 2;
                // Never past the margin only to be aligned.
                let pad = if self.indent + width(text) + pad + width(&b) > WIDTH {
                    2
                } else {
                    pad
                };
                text.extend(std::iter::repeat_n(' ', pad));
                text.push_str(&b);
            } else {
                *because = Some(b);
            }
        }
        let whole = |b: &Option<String>| b.is_none();
        let trails = column(
            &mut lines
                .iter()
                .filter(|(_, b, c)| c.is_some() && whole(b))
                .map(|(t, ..)| width(t)),
        );
        for (text, because, trail) in lines {
            if let Some(b) = because {
                self.line(&text, None);
                self.line(&format!("    {b}"), trail.map(|t| format!("  {t}")));
            } else {
                let pad = trails.saturating_sub(width(&text)) + 2;
                self.line(&text, trail.map(|t| format!("{}{t}", " ".repeat(pad))));
            }
        }
    }

    fn comments(&mut self, lines: &[String]) {
        for l in lines {
            self.raw(l, None);
        }
    }

    fn block_items<T>(&mut self, block: &Block<T>, mut write: impl FnMut(&mut Self, &Stmt<T>)) {
        for s in &block.items {
            self.comments(&s.lead);
            write(self, s);
        }
        self.comments(&block.tail);
        self.flush();
    }

    /// `head {`, the statements, `}`.
    fn braces<T>(
        &mut self,
        head: &str,
        block: &Block<T>,
        trail: Option<&str>,
        write: impl FnMut(&mut Self, &Stmt<T>),
    ) {
        if block.items.is_empty() && block.tail.is_empty() {
            self.raw(&format!("{head} {{ }}"), trail);
            return;
        }
        self.raw(&format!("{head} {{"), None);
        self.indent += 2;
        self.block_items(block, write);
        self.indent -= 2;
        self.raw("}", trail);
    }

    fn item(&mut self, s: &Stmt<Item>) {
        let trail = s.trail.as_deref();
        match &s.node {
            Item::Edition { year } => self.raw(&format!("edition {}", bare_or_quoted(&year.text)), trail),
            Item::Network { name } => self.raw(&format!("network {}", name.text), trail),
            Item::Include { path } => self.raw(&format!("include {}", quote(&path.text)), trail),
            Item::Zone(z) => {
                let mut text = format!("= {}", selector_text(&z.selector));
                if !z.options.is_empty() {
                    let options: Vec<String> = z
                        .options
                        .iter()
                        .map(|o| match o {
                            ZoneOption::Data(l) => format!("data {}", list(l)),
                            ZoneOption::Required => "required".to_string(),
                            ZoneOption::Overlaps(l) => format!("overlaps {}", list(l)),
                        })
                        .collect();
                    text.push_str(&format!("   {{ {} }}", options.join("   ")));
                }
                self.named(Group::Sets, "zone", &z.name.text, text, s.trail.clone());
            }
            Item::Env(e) => {
                let text = format!("= {}", selector_text(&e.selector));
                self.named(Group::Sets, "env", &e.name.text, text, s.trail.clone());
            }
            Item::Link(l) => {
                let mut text = format!("= {} {}", l.kind.word(), quote(&l.resource.text));
                if !l.options.is_empty() {
                    let options: Vec<String> = l
                        .options
                        .iter()
                        .map(|o| match o {
                            LinkOption::Networks(n) => format!("networks {}", list(n)),
                            LinkOption::Learned(n) => format!("learned {}", list(n)),
                            LinkOption::NoInternet => "internet none".to_string(),
                        })
                        .collect();
                    text.push_str(&format!("   {{ {} }}", options.join("   ")));
                }
                self.named(Group::Links, "link", &l.name.text, text, s.trail.clone());
            }
            Item::Site(d) => {
                let text = format!("= {}", list(&d.links));
                self.named(Group::Links, "site", &d.name.text, text, s.trail.clone());
            }
            Item::Apart { links } => self.raw(&format!("apart {}", list(links)), trail),
            Item::Service(d) => {
                let tls = if d.tls_required { " { tls required }" } else { "" };
                let text = format!("= {}{tls}", list(&d.services));
                self.named(Group::Services, "service", &d.name.text, text, s.trail.clone());
            }
            Item::Boundary(b) => {
                let mut head = format!("boundary {}", b.name.text);
                if !b.governs.is_empty() {
                    let governs: Vec<String> = b.governs.iter().map(expr_text).collect();
                    head.push_str(&format!(" governs {}", governs.join(", ")));
                }
                let mut fill = Fill::default();
                self.braces(&head, &b.body, trail, |p, s| p.boundary_item(s, &mut fill));
            }
            Item::Exception(e) => {
                let head = format!("exception {} in {}", e.id.text, e.boundary.text);
                let mut fill = Fill::default();
                self.braces(&head, &e.body, trail, |p, s| p.exception_item(s, &mut fill));
            }
            Item::Test(t) => {
                let head = format!("test {}", quote(&t.name.text));
                self.braces(&head, &t.body, trail, Printer::test_item);
            }
            Item::Clause(c) => self.clause(c, s.trail.clone()),
        }
    }

    fn named(&mut self, group: Group, keyword: &str, name: &str, text: String, trail: Option<String>) {
        let cells = vec![keyword.to_string(), name.to_string(), text];
        self.row(Row {
            group,
            cells,
            aligned: 2,
            because: None,
            trail,
        });
    }

    /// An attribute: on the line of the one before it, where there is room and no comment between.
    fn attribute<T>(&mut self, text: &str, s: &Stmt<T>, fill: &mut Fill) {
        let joins = fill.end == Some(self.out.len())
            && self.rows.is_empty()
            && s.lead.is_empty()
            && fill.width + 3 + width(text) <= WIDTH - 10;
        let trail = s.trail.as_deref();
        if joins {
            self.out.pop();
            self.out.push_str("   ");
            self.out.push_str(text);
            if let Some(t) = trail {
                self.out.push_str("  ");
                self.out.push_str(t);
            }
            self.out.push('\n');
            fill.width += 3 + width(text);
        } else {
            self.raw(text, trail);
            fill.width = self.indent + width(text);
        }
        fill.end = trail.is_none().then_some(self.out.len());
    }

    fn boundary_item(&mut self, s: &Stmt<BoundaryItem>, fill: &mut Fill) {
        let text = match &s.node {
            BoundaryItem::Owner(t) => format!("owner {}", bare_or_quoted(&t.text)),
            BoundaryItem::Review(d) => format!("review every {}d", d.days),
            BoundaryItem::Mode(m) => format!(
                "mode {}",
                match m {
                    Mode::Observe => "observe",
                    Mode::Warn => "warn",
                    Mode::Enforce => "enforce",
                }
            ),
            BoundaryItem::Expiry(d) => format!("expiry at most {}d", d.days),
            BoundaryItem::Approval(l) => {
                return self.raw(&format!("approval by {}", list(l)), s.trail.as_deref());
            }
            BoundaryItem::Clause(c) => return self.clause(c, s.trail.clone()),
        };
        self.attribute(&text, s, fill);
    }

    fn exception_item(&mut self, s: &Stmt<ExceptionItem>, fill: &mut Fill) {
        let text = match &s.node {
            ExceptionItem::Clause(c) => return self.clause(c, s.trail.clone()),
            ExceptionItem::Because(t) => format!("because {}", quote(&t.text)),
            ExceptionItem::Ticket(t) => format!("ticket {}", bare_or_quoted(&t.text)),
            ExceptionItem::Owner(t) => format!("owner {}", bare_or_quoted(&t.text)),
            ExceptionItem::Starts(t) => format!("starts {}", bare_or_quoted(&t.text)),
            ExceptionItem::Expires(t) => format!("expires {}", bare_or_quoted(&t.text)),
            ExceptionItem::Approved(l) => {
                let by: Vec<String> = l
                    .iter()
                    .map(|a| match &a.role {
                        Some(r) => format!("{} ({})", bare_or_quoted(&a.by.text), r.text),
                        None => bare_or_quoted(&a.by.text),
                    })
                    .collect();
                return self.raw(&format!("approved by {}", by.join(", ")), s.trail.as_deref());
            }
        };
        self.attribute(&text, s, fill);
    }

    fn clause(&mut self, c: &ClauseDecl, trail: Option<String>) {
        let sides = format!("{} -> {}", expr_text(&c.from), expr_text(&c.to));
        let services = (!c.services.is_empty()).then(|| format!(": {}", list(&c.services)));
        let because = c.because.as_ref().map(|b| format!("because {}", quote(&b.text)));
        let through = c.waypoint.as_ref().map(waypoint_text);
        let verb = match c.verb {
            Verb::Allow => "allow",
            Verb::Must => "must",
            Verb::MustSome => "must some",
            Verb::Only => "only",
            Verb::Never => "never",
            Verb::Through | Verb::NotThrough => {
                let word = if c.verb == Verb::Through {
                    "through"
                } else {
                    "not through"
                };
                let mut cells = vec![sides];
                cells.extend(services);
                cells.extend(through.map(|t| format!("{word} {t}")));
                return self.row(Row {
                    group: Group::Alone,
                    cells,
                    aligned: 0,
                    because,
                    trail,
                });
            }
        };
        let mut cells = vec![verb.to_string(), sides];
        cells.extend(services);
        cells.extend(through.map(|t| format!("through {t}")));
        self.row(Row {
            group: Group::Clauses,
            cells,
            aligned: 2,
            because,
            trail,
        });
    }

    fn test_item(&mut self, s: &Stmt<TestItem>) {
        let trail = s.trail.as_deref();
        let (head, body) = match &s.node {
            TestItem::Reach { .. } => {
                let cells = vec![expectation_text(&s.node)];
                let row = Row {
                    group: Group::Clauses,
                    cells,
                    aligned: 0,
                    because: None,
                    trail: s.trail.clone(),
                };
                return self.row(row);
            }
            TestItem::Down { targets, body } => {
                let t: Vec<String> = targets
                    .iter()
                    .map(|t| format!("{} {}", t.kind.word(), bare_or_quoted(&t.name.text)))
                    .collect();
                (format!("with down {}", t.join(", ")), body)
            }
            TestItem::AsOf { date, body } => (format!("as of {}", bare_or_quoted(&date.text)), body),
        };
        if let [only] = body.items.as_slice()
            && matches!(only.node, TestItem::Reach { .. })
            && only.lead.is_empty()
            && only.trail.is_none()
            && body.tail.is_empty()
        {
            let text = format!("{head} {{ {} }}", expectation_text(&only.node));
            if self.indent + width(&text) <= WIDTH {
                let row = Row {
                    group: Group::Clauses,
                    cells: vec![text],
                    aligned: 0,
                    because: None,
                    trail: s.trail.clone(),
                };
                return self.row(row);
            }
        }
        self.braces(&head, body, trail, Printer::test_item);
    }
}

/// Where the last attribute line ends, so that the next attribute may join it.
#[derive(Default)]
struct Fill {
    end: Option<usize>,
    width: usize,
}

/// An expectation on one line; empty for the other statements of a test.
pub(crate) fn expectation_text(item: &TestItem) -> String {
    let TestItem::Reach {
        from,
        expect,
        to,
        services,
    } = item
    else {
        return String::new();
    };
    let word = match expect {
        crate::tree::Expect::Can => "can",
        crate::tree::Expect::Cannot => "cannot",
    };
    let mut text = format!("{} {word} reach {}", expr_text(from), expr_text(to));
    if !services.is_empty() {
        text.push_str(&format!(" on {}", list(services)));
    }
    text
}

/// A clause on one line, without its reason.
pub(crate) fn clause_text(c: &ClauseDecl) -> String {
    let mut out = match c.verb {
        Verb::Through | Verb::NotThrough => String::new(),
        Verb::MustSome => "must some ".to_string(),
        v => format!("{} ", v.id()),
    };
    out.push_str(&format!("{} -> {}", expr_text(&c.from), expr_text(&c.to)));
    if !c.services.is_empty() {
        out.push_str(&format!(" : {}", list(&c.services)));
    }
    if let Some(w) = &c.waypoint {
        let word = if c.verb == Verb::NotThrough {
            "not through"
        } else {
            "through"
        };
        out.push_str(&format!(" {word} {}", waypoint_text(w)));
    }
    out
}
