//! Text to tokens, one at a time, so that a huge file costs no memory before the parser gives up on it.
//!
//! Newlines are not tokens: a token knows whether it is the first of its line, and the parser asks where it
//! matters. Comments are kept aside; a token knows how many of them stand before it.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A keyword, name, number, address, pattern or service: a run of [`is_word_char`].
    Word,
    /// A text in double quotes.
    Str,
    /// A text in double quotes that does not end on its line.
    OpenStr,
    Arrow,
    Colon,
    Comma,
    Semi,
    Eq,
    LBrace,
    RBrace,
    LParen,
    RParen,
    /// A character that begins no token.
    Unknown,
    Eof,
}

/// A token; it never spans lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) line: u32,
    pub(crate) column: u32,
    end_column: u32,
    /// First token of its line.
    pub(crate) first: bool,
    /// Number of comments before it in the file.
    pub(crate) comments: usize,
}

/// A comment with its `#`, trailing blanks removed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comment<'s> {
    pub(crate) text: &'s str,
    pub(crate) start: usize,
    pub(crate) line: u32,
}

/// Whether a character may stand in an unquoted word. `:` is not one of them: it separates the service.
pub(crate) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '*' | '?' | '/' | '@' | '+' | '%')
}

/// Whether a text can be written without quotes.
pub(crate) fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_word_char)
}

pub(crate) struct Lexer<'s> {
    text: &'s str,
    pos: usize,
    line: u32,
    column: u32,
    fresh: bool,
    pub(crate) comments: Vec<Comment<'s>>,
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(text: &'s str) -> Self {
        // A byte order mark is no part of the text, but it is a character to whoever counts columns.
        let (pos, column) = if text.starts_with('\u{feff}') {
            ('\u{feff}'.len_utf8(), 2)
        } else {
            (0, 1)
        };
        Lexer {
            text,
            pos,
            line: 1,
            column,
            fresh: true,
            comments: Vec::new(),
        }
    }

    fn rest(&self) -> &'s str {
        self.text.get(self.pos..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self, c: char) {
        self.pos += c.len_utf8();
        if c == '\n' {
            self.line = self.line.saturating_add(1);
            self.column = 1;
            self.fresh = true;
        } else {
            self.column = self.column.saturating_add(1);
        }
    }

    fn skip_blanks_and_comments(&mut self) {
        while let Some(c) = self.peek() {
            if c == '#' {
                let (start, line) = (self.pos, self.line);
                while let Some(c) = self.peek().filter(|&c| c != '\n') {
                    self.bump(c);
                }
                let text = self.text.get(start..self.pos).unwrap_or("").trim_end();
                self.comments.push(Comment { text, start, line });
            } else if c.is_whitespace() {
                self.bump(c);
            } else {
                break;
            }
        }
    }

    /// The next token; [`Kind::Eof`] again and again at the end.
    pub(crate) fn next(&mut self) -> Token {
        self.token(|l, c| match c {
            '{' => l.one(c, Kind::LBrace),
            '}' => l.one(c, Kind::RBrace),
            '(' => l.one(c, Kind::LParen),
            ')' => l.one(c, Kind::RParen),
            ',' => l.one(c, Kind::Comma),
            ';' => l.one(c, Kind::Semi),
            ':' => l.one(c, Kind::Colon),
            '=' => l.one(c, Kind::Eq),
            '"' => l.string(),
            '-' if l.rest().starts_with("->") => {
                l.bump('-');
                l.one('>', Kind::Arrow)
            }
            c if is_word_char(c) => {
                while let Some(c) = l.peek().filter(|&c| is_word_char(c)) {
                    if l.rest().starts_with("->") {
                        break;
                    }
                    l.bump(c);
                }
                Kind::Word
            }
            c => l.one(c, Kind::Unknown),
        })
    }

    /// The token after `previous`, read as an address: here `:` belongs to the word. One `:` at the end of
    /// it, or after an IPv4 address, is the separator of the service all the same.
    pub(crate) fn address_after(&mut self, previous: Token) -> Token {
        self.pos = previous.end;
        self.line = previous.line;
        self.column = previous.end_column;
        self.fresh = false;
        self.comments.truncate(previous.comments);
        self.token(|l, c| {
            if !(c == ':' || is_word_char(c)) {
                return l.one(c, Kind::Unknown);
            }
            let rest = l.rest();
            let len = rest
                .char_indices()
                .find(|&(i, c)| {
                    !(c == ':' || is_word_char(c)) || rest.get(i..).is_some_and(|r| r.starts_with("->"))
                })
                .map_or(rest.len(), |(i, _)| i);
            let mut word = rest.get(..len).unwrap_or("");
            if let Some((head, _)) = word.split_once(':')
                && head.contains('.')
            {
                word = head;
            } else if word.ends_with(':') && !word.ends_with("::") {
                word = word.strip_suffix(':').unwrap_or(word);
            }
            for c in word.chars() {
                l.bump(c);
            }
            if word.is_empty() {
                l.one(c, Kind::Colon)
            } else {
                Kind::Word
            }
        })
    }

    fn token(&mut self, read: impl FnOnce(&mut Self, char) -> Kind) -> Token {
        self.skip_blanks_and_comments();
        let (start, line, column, first) = (self.pos, self.line, self.column, self.fresh);
        self.fresh = false;
        let kind = match self.peek() {
            None => Kind::Eof,
            Some(c) => read(self, c),
        };
        Token {
            kind,
            start,
            end: self.pos,
            line,
            column,
            end_column: self.column,
            first: first || kind == Kind::Eof,
            comments: self.comments.len(),
        }
    }

    fn one(&mut self, c: char, kind: Kind) -> Kind {
        self.bump(c);
        kind
    }

    fn string(&mut self) -> Kind {
        self.bump('"');
        let mut escaped = false;
        while let Some(c) = self.peek() {
            if c == '\n' {
                return Kind::OpenStr;
            }
            self.bump(c);
            match c {
                '"' if !escaped => return Kind::Str,
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        Kind::OpenStr
    }
}

/// The value of a quoted text, given with its quotes; `None` with the offending escape for one that does not
/// exist.
pub(crate) fn unquote(raw: &str) -> Result<String, char> {
    let inner = raw.strip_prefix('"').unwrap_or(raw);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some(c @ ('"' | '\\')) => out.push(c),
            Some(c) => return Err(c),
            None => return Err('\\'),
        }
    }
    Ok(out)
}

/// A text in quotes, so that [`unquote`] gives it back.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(Kind, &str)> {
        let mut l = Lexer::new(text);
        let mut out = Vec::new();
        loop {
            let t = l.next();
            if t.kind == Kind::Eof {
                return out;
            }
            out.push((t.kind, &text[t.start..t.end]));
        }
    }

    #[test]
    fn arrows_end_words_and_dashes_do_not() {
        assert_eq!(
            words("li-wei->db:tcp/80-90"),
            vec![
                (Kind::Word, "li-wei"),
                (Kind::Arrow, "->"),
                (Kind::Word, "db"),
                (Kind::Colon, ":"),
                (Kind::Word, "tcp/80-90"),
            ]
        );
    }

    #[test]
    fn strings_end_at_their_quote_or_at_the_line() {
        assert_eq!(
            words(r#""a \" b" c"#),
            vec![(Kind::Str, r#""a \" b""#), (Kind::Word, "c")]
        );
        assert_eq!(words("\"open\nb")[0], (Kind::OpenStr, "\"open"));
        assert_eq!(words(r#""\\" x"#)[0], (Kind::Str, r#""\\""#));
    }

    #[test]
    fn addresses_keep_their_colons_but_not_the_separator() {
        for (text, want) in [
            ("host 2001:db8::1 -> x", "2001:db8::1"),
            ("host 2001:db8::1: ssh", "2001:db8::1"),
            ("host 10.0.0.1:ssh", "10.0.0.1"),
            ("host ::/0->x", "::/0"),
            ("host 2001:db8:: : x", "2001:db8::"),
        ] {
            let mut l = Lexer::new(text);
            let host = l.next();
            l.next();
            let t = l.address_after(host);
            assert_eq!(&text[t.start..t.end], want, "{text}");
        }
    }

    #[test]
    fn quote_and_unquote_are_inverse() {
        for s in ["", "a\"b\\c\n\t\r", "中文"] {
            assert_eq!(unquote(&quote(s)).as_deref(), Ok(s));
        }
        assert_eq!(unquote(r#""\q""#), Err('q'));
    }
}
