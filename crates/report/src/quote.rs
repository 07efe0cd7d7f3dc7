//! A message with the source that it is about.

use crate::style::{Style, clean};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use bartizan_base::{FileId, Label, Severity, Sources, Span};
use std::ops::Range;

/// What is shown above, inside and below the quoted source.
pub(crate) struct Message<'a> {
    pub(crate) severity: Severity,
    pub(crate) code: &'a str,
    pub(crate) text: &'a str,
    pub(crate) labels: &'a [Label],
    /// `name`, text: lines below the source.
    pub(crate) footers: &'a [(&'a str, String)],
}

/// Lines longer than this are not for people: a plan is one line of megabytes.
const MAX_QUOTED: usize = 20_000;

/// More labels than this in one file hide the first one.
const MAX_LABELS: usize = 6;

fn renderer(style: Style) -> Renderer {
    let r = if style.color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    // The library's Unicode frame is heavier than the text it frames; rustc's own is ASCII too.
    r.decor_style(DecorStyle::Ascii).term_width(style.width)
}

/// Renders a message; the result ends without a line break.
pub(crate) fn render(m: &Message<'_>, sources: &Sources, style: Style) -> String {
    let level = match m.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = clean(m.text);
    let mut group = level
        .primary_title(title.as_str())
        .id(m.code)
        .elements(Vec::<Snippet<'_, Annotation<'_>>>::new());
    for file in files(m.labels) {
        group = quoted(group, sources, file, m.labels);
    }
    let footers: Vec<(&str, String)> = m.footers.iter().map(|(k, t)| (*k, clean(t))).collect();
    if m.labels.is_empty() {
        // Without a place there is no frame that the lines below could hang from.
        let mut out = renderer(style).render(&[group]);
        for (name, text) in &footers {
            out.push_str(&format!("\n  = {}: {text}", style.bold(name)));
        }
        return out;
    }
    for (name, text) in &footers {
        let level = if *name == "help" { Level::HELP } else { Level::NOTE };
        group = group.element(level.with_name(*name).message(text.as_str()));
    }
    renderer(style).render(&[group])
}

/// The files of the labels: that of the primary label first, then in order of appearance.
fn files(labels: &[Label]) -> Vec<FileId> {
    let mut out: Vec<FileId> = Vec::new();
    let first = labels.iter().filter(|l| l.primary);
    for l in first.chain(labels.iter().filter(|l| !l.primary)) {
        if !out.contains(&l.span.file) {
            out.push(l.span.file);
        }
    }
    out
}

fn quoted<'a>(group: Group<'a>, sources: &'a Sources, file: FileId, labels: &'a [Label]) -> Group<'a> {
    let name = sources.name(file);
    let here: Vec<&Label> = labels.iter().filter(|l| l.span.file == file).collect();
    let text = sources.get(file).map_or("", |f| &*f.text);
    let mut marks: Vec<(Range<usize>, &Label)> = here
        .iter()
        .filter_map(|l| shown(text, l.span).map(|r| (r, *l)))
        .collect();
    marks.sort_by_key(|(_, l)| !l.primary);
    marks.truncate(MAX_LABELS);
    // Only the lines around the labels are handed on: the cost does not depend on the size of the file.
    let lo = marks.iter().map(|(r, _)| r.start).min().unwrap_or(0);
    let hi = marks.iter().map(|(r, _)| r.end).max().unwrap_or(0);
    let from = text[..lo].rfind('\n').map_or(0, |i| i + 1);
    let to = text[hi..].find('\n').map_or(text.len(), |i| hi + i);
    let long = text
        .get(from..to)
        .is_some_and(|t| t.lines().any(|l| l.len() > MAX_QUOTED));
    if marks.is_empty() || long {
        // A plan, a state or a snapshot: there is nothing to quote, only a place.
        let mut origin = Origin::path(name);
        if let Some(l) = here.iter().find(|l| l.span.line > 0) {
            origin = origin
                .line(l.span.line as usize)
                .char_column(l.span.column as usize);
        }
        let group = group.element(origin);
        return match here.iter().find(|l| !l.text.is_empty()) {
            Some(l) => group.element(Level::NOTE.with_name("note").message(clean(&l.text))),
            None => group,
        };
    }
    let line = text[..from].bytes().filter(|b| *b == b'\n').count() + 1;
    let mut snippet = Snippet::source(&text[from..to]).line_start(line).path(name);
    for (r, l) in marks {
        let kind = if l.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let a = kind.span(r.start - from..r.end - from);
        snippet = snippet.annotation(if l.text.is_empty() {
            a
        } else {
            a.label(clean(&l.text))
        });
    }
    group.element(snippet)
}

/// The part of a span that is worth showing: its first line, inside the text, on character borders. A block
/// of twenty lines is named by its head.
fn shown(text: &str, span: Span) -> Option<Range<usize>> {
    if span.line == 0 || text.is_empty() {
        return None;
    }
    let floor = |mut i: usize| {
        i = i.min(text.len());
        while !text.is_char_boundary(i) {
            i -= 1;
        }
        i
    };
    let start = floor(span.start as usize);
    let end = floor(span.end as usize).max(start);
    let first = text[start..end].find('\n').map_or(end, |i| start + i);
    let first = start + text[start..first].trim_end().len();
    Some(start..first)
}
