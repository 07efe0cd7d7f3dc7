//! Source files and positions in them.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Index of a file in a [`Sources`] table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub u32);

/// A half-open byte range of one file, with the line and column of its start.
///
/// Line and column are one-based and count characters; they are kept beside the byte range because a
/// snapshot or a plan has positions without having the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// One-based line of `start`; 0 when the position is the file as a whole.
    pub line: u32,
    /// One-based column of `start`; 0 when the position is the file as a whole.
    pub column: u32,
}

impl Span {
    /// The file as a whole, for input that has no positions (a plan, a state, a snapshot).
    #[must_use]
    pub fn file(file: FileId) -> Self {
        Span {
            file,
            start: 0,
            end: 0,
            line: 0,
            column: 0,
        }
    }
}

/// One-based line and column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineCol {
    /// One-based line.
    pub line: u32,
    /// One-based column, in characters.
    pub column: u32,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as the user would type it.
    pub name: Arc<str>,
    /// The text; empty when the file is not quoted in messages (plans, states, snapshots).
    pub text: Arc<str>,
    line_starts: Vec<u32>,
}

/// All files of one run. Reading is done by the edge; this is only the table.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// Adds a file and returns its id.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> FileId {
        let text: Arc<str> = text.into();
        let mut line_starts = vec![0u32];
        for (i, b) in text.bytes().enumerate() {
            if b == b'\n' {
                line_starts.push(u32::try_from(i + 1).unwrap_or(u32::MAX));
            }
        }
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile {
            name: name.into(),
            text,
            line_starts,
        });
        id
    }

    /// The file behind an id.
    #[must_use]
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The name of a file, or `?` for an id of another table.
    #[must_use]
    pub fn name(&self, id: FileId) -> &str {
        self.get(id).map_or("?", |f| &f.name)
    }

    /// All files in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files
            .iter()
            .enumerate()
            .map(|(i, f)| (FileId(u32::try_from(i).unwrap_or(u32::MAX)), f))
    }

    /// Line and column of a byte offset. Offsets past the end give the end.
    #[must_use]
    pub fn line_col(&self, file: FileId, offset: u32) -> LineCol {
        let Some(f) = self.get(file) else {
            return LineCol { line: 0, column: 0 };
        };
        let line = f.line_starts.partition_point(|&s| s <= offset).max(1) - 1;
        let start = f.line_starts.get(line).copied().unwrap_or(0) as usize;
        let end = (offset as usize).min(f.text.len());
        let column = f.text.get(start..end).map_or(0, |s| s.chars().count());
        LineCol {
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    /// A span over a byte range of a file.
    #[must_use]
    pub fn span(&self, file: FileId, range: std::ops::Range<usize>) -> Span {
        let start = u32::try_from(range.start).unwrap_or(u32::MAX);
        let end = u32::try_from(range.end).unwrap_or(u32::MAX);
        let lc = self.line_col(file, start);
        Span {
            file,
            start,
            end,
            line: lc.line,
            column: lc.column,
        }
    }

    /// `name:line:column` for messages.
    #[must_use]
    pub fn place(&self, span: Span) -> String {
        if span.line == 0 {
            self.name(span.file).to_string()
        } else {
            format!("{}:{}:{}", self.name(span.file), span.line, span.column)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let mut s = Sources::default();
        let f = s.add("a.tf", "héllo\nworld\n");
        assert_eq!(s.line_col(f, 0), LineCol { line: 1, column: 1 });
        // `é` is two bytes and one column.
        assert_eq!(s.line_col(f, 3), LineCol { line: 1, column: 3 });
        assert_eq!(s.line_col(f, 7), LineCol { line: 2, column: 1 });
        assert_eq!(s.place(s.span(f, 7..12)), "a.tf:2:1");
    }
}
