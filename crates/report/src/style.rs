//! How a terminal is written to: colours, characters and width.

use bartizan_base::{Severity, Verdict};

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub color: bool,
    /// Whether to use characters beyond ASCII.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Style {
            color: false,
            unicode: true,
            width: 100,
        }
    }
}

/// The mark in front of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// A verdict.
    Of(Verdict),
    /// A claim that is not in force on the day.
    NotInForce,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color && !text.is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_string()
        }
    }
    /// Bold.
    #[must_use]
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }
    /// Less important.
    #[must_use]
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
    /// Good.
    #[must_use]
    pub fn green(self, text: &str) -> String {
        self.paint("32", text)
    }
    /// Bad.
    #[must_use]
    pub fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }
    /// Unclear.
    #[must_use]
    pub fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }
    /// A name worth finding again.
    #[must_use]
    pub fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }
    /// In the colour of a verdict.
    #[must_use]
    pub fn verdict(self, v: Verdict, text: &str) -> String {
        match v {
            Verdict::Holds => self.green(text),
            Verdict::Undecided => self.yellow(text),
            Verdict::Violated => self.red(text),
        }
    }
    /// In the colour of a severity.
    #[must_use]
    pub fn severity(self, s: Severity, text: &str) -> String {
        match s {
            Severity::Error => self.red(text),
            Severity::Warning => self.yellow(text),
            Severity::Note => self.cyan(text),
        }
    }
    /// One character (or one ASCII word of one character) for a mark, coloured.
    #[must_use]
    pub fn mark(self, m: Mark) -> String {
        match (m, self.unicode) {
            (Mark::Of(Verdict::Holds), true) => self.green("✓"),
            (Mark::Of(Verdict::Holds), false) => self.green("+"),
            (Mark::Of(Verdict::Violated), true) => self.red("✗"),
            (Mark::Of(Verdict::Violated), false) => self.red("x"),
            (Mark::Of(Verdict::Undecided), _) => self.yellow("?"),
            (Mark::NotInForce, true) => self.dim("–"),
            (Mark::NotInForce, false) => self.dim("-"),
        }
    }
    /// An arrow.
    #[must_use]
    pub fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }
    /// A separator between short items.
    #[must_use]
    pub fn dot(self) -> &'static str {
        if self.unicode { " · " } else { ", " }
    }
}

/// Text that came from a user, fit for a terminal: no control characters, so that a name in a file cannot
/// move the cursor or change colours; one line.
#[must_use]
pub(crate) fn clean(text: &str) -> String {
    let bidi = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.chars().any(|c| c.is_control() || bidi(c)) {
        return text.to_string();
    }
    text.chars()
        .map(|c| match c {
            '\n' | '\t' | '\r' => ' ',
            c if c.is_control() || bidi(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// `1 finding`, `2 findings`.
#[must_use]
pub(crate) fn count(n: usize, one: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {one}s")
    }
}

/// Breaks a text into lines of at most `width` characters at blanks; longer words stay whole.
#[must_use]
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    let mut len = 0;
    for word in text.split(' ') {
        let n = word.chars().count();
        if len > 0 && len + 1 + n > width {
            out.push(std::mem::take(&mut line));
            len = 0;
        }
        if len > 0 {
            line.push(' ');
            len += 1;
        }
        line.push_str(word);
        len += n;
    }
    out.push(line);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_users_never_reach_a_terminal() {
        assert_eq!(clean("a\x1b[2Jb\nc"), "a\u{fffd}[2Jb c");
        assert_eq!(clean("plain – text"), "plain – text");
    }

    #[test]
    fn wrapping_keeps_words_and_width() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaaaa b", 4), ["aaaaaaaaa", "b"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
