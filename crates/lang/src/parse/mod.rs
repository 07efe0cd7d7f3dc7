//! Recursive descent with recovery: every statement stands alone, so one error costs one statement.

mod expr;
mod items;
mod selector;
mod test_block;

use crate::lexer::{Kind, Lexer, Token, unquote};
use crate::suggest::nearest;
use crate::tree::{Block, File, Stmt, Text};
use bartizan_base::{Diagnostic, FileId, Sources, Span};

/// How deep parentheses, sets and blocks may nest.
pub(crate) const MAX_DEPTH: usize = 48;
/// After that many problems the rest of the file is not read.
const MAX_DIAGNOSTICS: usize = 100;

/// The words that begin a statement of a file.
pub(crate) const TOP: &[&str] = &[
    "edition",
    "network",
    "include",
    "zone",
    "env",
    "link",
    "site",
    "apart",
    "service",
    "boundary",
    "exception",
    "test",
];
/// The words that begin a clause.
pub(crate) const VERBS: &[&str] = &["allow", "must", "only", "never"];

/// Words that cannot be the name of a zone, an env or a service, because a reader could not tell.
pub(crate) const RESERVED: &[&str] = &[
    "edition",
    "network",
    "include",
    "zone",
    "env",
    "link",
    "site",
    "apart",
    "service",
    "boundary",
    "exception",
    "test",
    "allow",
    "must",
    "only",
    "never",
    "some",
    "governs",
    "owner",
    "review",
    "mode",
    "expiry",
    "approval",
    "because",
    "ticket",
    "starts",
    "expires",
    "approved",
    "everything",
    "outside",
    "unzoned",
    "cidr",
    "host",
    "except",
    "but",
    "and",
    "or",
    "not",
    "in",
    "via",
    "through",
    "can",
    "cannot",
    "reach",
    "on",
    "with",
    "as",
    "of",
    "any",
];

/// Reads a file of the table. Never fails: what cannot be read is told in the diagnostics, all of a file in
/// one run (at most 100), and left out of the tree. Cost: linear in the length of the file.
#[must_use]
pub fn parse(file: FileId, sources: &Sources) -> (File, Vec<Diagnostic>) {
    match sources.get(file) {
        Some(f) => parse_text(file, &f.text),
        None => (
            File {
                id: file,
                body: Block {
                    items: Vec::new(),
                    tail: Vec::new(),
                },
            },
            Vec::new(),
        ),
    }
}

/// Reads a text as the file `file`; see [`parse`].
#[must_use]
pub fn parse_text(file: FileId, text: &str) -> (File, Vec<Diagnostic>) {
    let mut p = Parser::new(file, text);
    let body = p.file();
    (File { id: file, body }, p.diagnostics)
}

/// `None` says that the problem has been reported.
type Parsed<T> = Option<T>;

struct Parser<'s> {
    file: FileId,
    text: &'s str,
    lexer: Lexer<'s>,
    /// The current token.
    tok: Token,
    /// The one after it.
    next: Token,
    /// The one before it.
    last: Option<Token>,
    /// Comments already given to a statement.
    comments_used: usize,
    depth: usize,
    /// Where it has been said that a block is not closed.
    unclosed_at: Option<usize>,
    diagnostics: Vec<Diagnostic>,
}

impl<'s> Parser<'s> {
    fn new(file: FileId, text: &'s str) -> Self {
        let mut lexer = Lexer::new(text);
        let tok = lexer.next();
        let next = lexer.next();
        Parser {
            file,
            text,
            lexer,
            tok,
            next,
            last: None,
            comments_used: 0,
            depth: 0,
            unclosed_at: None,
            diagnostics: Vec::new(),
        }
    }

    // ---- tokens

    fn bump(&mut self) {
        self.last = Some(self.tok);
        self.tok = self.next;
        self.next = self.lexer.next();
    }

    fn raw(&self, t: Token) -> &'s str {
        self.text.get(t.start..t.end).unwrap_or("")
    }

    fn span_of(&self, t: Token) -> Span {
        let at = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span {
            file: self.file,
            start: at(t.start),
            end: at(t.end),
            line: t.line,
            column: t.column,
        }
    }

    /// From `start` to the last token that was read.
    fn span_from(&self, start: Token) -> Span {
        let mut span = self.span_of(start);
        if let Some(last) = self.last {
            span.end = span.end.max(u32::try_from(last.end).unwrap_or(u32::MAX));
        }
        span
    }

    /// The current word, or `""`.
    fn word(&self) -> &'s str {
        if self.tok.kind == Kind::Word {
            self.raw(self.tok)
        } else {
            ""
        }
    }

    fn next_word(&self) -> &'s str {
        if self.next.kind == Kind::Word {
            self.raw(self.next)
        } else {
            ""
        }
    }

    fn at(&self, kind: Kind) -> bool {
        self.tok.kind == kind
    }

    fn at_word(&self, word: &str) -> bool {
        self.word() == word
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let yes = self.at(kind);
        if yes {
            self.bump();
        }
        yes
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let yes = self.at_word(word);
        if yes {
            self.bump();
        }
        yes
    }

    /// The current token as a message shows it.
    fn found(&self) -> String {
        match self.tok.kind {
            Kind::Eof => "the end of the file".to_string(),
            _ => {
                let raw = self.raw(self.tok);
                let short: String = raw.chars().take(40).flat_map(char::escape_debug).collect();
                format!(
                    "`{}{}`",
                    short.replace("\\\"", "\""),
                    if raw.chars().nth(40).is_some() { "..." } else { "" }
                )
            }
        }
    }

    // ---- problems

    /// Reports "expected `what`, found ..." at the current token.
    fn expected<T>(&mut self, what: &str, help: Option<String>) -> Parsed<T> {
        let span = self.span_of(self.tok);
        let mut d = if self.at(Kind::OpenStr) {
            Diagnostic::error("INTENT001", "a text has no closing quote on its line")
                .at(span, "begins here")
                .help("add `\"`; a line break inside of a text is written `\\n`")
        } else {
            Diagnostic::error("INTENT001", format!("expected {what}, found {}", self.found()))
                .at(span, format!("expected {what}"))
        };
        if d.help.is_none() {
            d.help = help;
        }
        self.report(d);
        None
    }

    fn report(&mut self, d: Diagnostic) {
        self.diagnostics.push(d);
    }

    fn gave_up(&self) -> bool {
        self.diagnostics.len() >= MAX_DIAGNOSTICS
    }

    fn expect(&mut self, kind: Kind, what: &str) -> Parsed<()> {
        if self.eat(kind) {
            Some(())
        } else {
            self.expected(what, None)
        }
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) {
            Some(())
        } else {
            self.expected(&format!("`{word}`"), None)
        }
    }

    fn too_deep<T>(&mut self) -> Parsed<T> {
        let d = Diagnostic::error("INTENT001", format!("nested deeper than {MAX_DEPTH} levels"))
            .at(self.span_of(self.tok), "too deep")
            .help("give the inner part a name of its own");
        self.report(d);
        None
    }

    /// Runs `f` one level deeper.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            return self.too_deep();
        }
        self.depth += 1;
        let r = f(self);
        self.depth -= 1;
        r
    }

    // ---- texts

    /// A word or a quoted text.
    fn text(&mut self, what: &str) -> Parsed<Text> {
        match self.tok.kind {
            Kind::Word => {
                let t = Text {
                    text: self.raw(self.tok).to_string(),
                    span: self.span_of(self.tok),
                };
                self.bump();
                Some(t)
            }
            Kind::Str => self.quoted(what),
            _ => self.expected(what, None),
        }
    }

    /// A quoted text.
    fn quoted(&mut self, what: &str) -> Parsed<Text> {
        if !self.at(Kind::Str) {
            return self.expected(what, Some("write it in double quotes".to_string()));
        }
        let span = self.span_of(self.tok);
        let text = match unquote(self.raw(self.tok)) {
            Ok(text) => text,
            Err(c) => {
                let d = Diagnostic::error("INTENT001", format!("`\\{}` is not an escape", c.escape_debug()))
                    .at(span, "in this text")
                    .help("escapes are `\\\"`, `\\\\`, `\\n`, `\\r` and `\\t`");
                self.report(d);
                self.bump();
                return None;
            }
        };
        self.bump();
        Some(Text { text, span })
    }

    /// A name that is being used: starts with a letter or `_`, goes on with letters, digits, `_`, `-`, `.`.
    fn name(&mut self, what: &str) -> Parsed<Text> {
        if !self.at(Kind::Word) {
            return self.expected(what, None);
        }
        let t = Text {
            text: self.raw(self.tok).to_string(),
            span: self.span_of(self.tok),
        };
        if !is_name(&t.text) {
            let help = "a name starts with a letter and goes on with letters, digits, `_`, `-` and `.`";
            return self.expected(what, Some(help.to_string()));
        }
        self.bump();
        Some(t)
    }

    /// A name that is being declared, so not a word of the language.
    fn new_name(&mut self, what: &str) -> Parsed<Text> {
        let t = self.name(what)?;
        if RESERVED.contains(&t.text.as_str()) {
            let d = Diagnostic::error(
                "INTENT017",
                format!("`{}` is a word of the language, not a name", t.text),
            )
            .at(t.span, "cannot be declared")
            .help(format!("choose another name, such as `{}-1`", t.text));
            self.report(d);
        }
        Some(t)
    }

    /// `item, item`, at least one; the list may go on after a line break that follows a comma.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut out = vec![item(self)?];
        while self.eat(Kind::Comma) {
            out.push(item(self)?);
        }
        Some(out)
    }

    // ---- comments

    /// The comments not yet used that stand before the current token, with empty lines between them.
    fn lead(&mut self, opening: bool) -> Vec<String> {
        let mut out = Vec::new();
        let mut line = self.last.map_or(0, |t| t.line);
        let taken = self
            .lexer
            .comments
            .get(self.comments_used..self.tok.comments)
            .unwrap_or(&[]);
        for c in taken {
            if c.line > line + 1 {
                out.push(String::new());
            }
            out.push(c.text.to_string());
            line = c.line;
        }
        // An empty line before the end of a block is not worth keeping.
        if self.tok.line > line + 1 && !matches!(self.tok.kind, Kind::RBrace | Kind::Eof) {
            out.push(String::new());
        }
        self.comments_used = self.tok.comments;
        if opening && out.first().is_some_and(String::is_empty) {
            out.remove(0);
        }
        out
    }

    /// The comments inside of a statement that has just been read, and the one at the end of its line.
    fn trail(&mut self) -> (Vec<String>, Option<String>) {
        let Some(last) = self.last else {
            return (Vec::new(), None);
        };
        let (mut inner, mut trail) = (Vec::new(), None);
        let pending = self
            .lexer
            .comments
            .get(self.comments_used..self.tok.comments)
            .unwrap_or(&[]);
        let mut used = 0;
        for c in pending {
            if c.start < last.end {
                inner.push(c.text.to_string());
            } else if c.line == last.line {
                trail = Some(c.text.to_string());
            } else {
                break;
            }
            used += 1;
        }
        self.comments_used += used;
        (inner, trail)
    }

    // ---- statements

    /// Reads one statement, its comments and its end; after a problem goes on behind it.
    /// `more` are the words that may begin the next statement on the same line.
    fn stmt<T>(
        &mut self,
        opening: bool,
        more: &[&str],
        read: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Option<Stmt<T>> {
        let mut lead = self.lead(opening);
        let start = self.tok;
        let node = read(self);
        let Some(node) = node else {
            self.recover(start);
            return None;
        };
        let span = self.span_from(start);
        let ended = match self.tok.kind {
            Kind::Semi | Kind::RBrace | Kind::Eof => true,
            _ => self.tok.first || more.contains(&self.word()),
        };
        if !ended {
            let help = "a statement ends at the end of its line or at `;`".to_string();
            let _: Parsed<()> = self.expected("the end of the statement", Some(help));
            self.recover(start);
            return Some(Stmt {
                lead,
                node,
                trail: None,
                span,
            });
        }
        while self.eat(Kind::Semi) {}
        let (inner, trail) = self.trail();
        lead.extend(inner);
        Some(Stmt {
            lead,
            node,
            trail,
            span,
        })
    }

    /// `{ statements }`.
    fn block<T>(&mut self, more: &[&str], mut read: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Block<T>> {
        let open = self.tok;
        self.expect(Kind::LBrace, "`{`")?;
        let mut items = Vec::new();
        let mut opening = true;
        loop {
            while self.eat(Kind::Semi) {}
            if self.gave_up() {
                return None;
            }
            if self.at(Kind::RBrace) {
                let tail = self.lead(items.is_empty());
                self.bump();
                return Some(Block { items, tail });
            }
            if self.at(Kind::Eof) || self.at_new_item() {
                let d = Diagnostic::error("INTENT001", "a block is never closed")
                    .at(self.span_of(open), "opened here")
                    .also(self.span_of(self.tok), "`}` is missing before this")
                    .help("add `}`");
                // The innermost block says it for those around it.
                if self.unclosed_at != Some(self.tok.start) {
                    self.unclosed_at = Some(self.tok.start);
                    self.report(d);
                }
                return Some(Block {
                    items,
                    tail: Vec::new(),
                });
            }
            items.extend(self.stmt(opening, more, &mut read));
            opening = false;
        }
    }

    /// Whether a statement of the file begins here, at the left margin: the sign that a `}` was forgotten.
    fn at_new_item(&self) -> bool {
        // A set may begin with `env prod` too.
        let after = self.text.get(self.next.end..).unwrap_or("");
        let declares = !self.at_word("env") || after.trim_start_matches([' ', '\t']).starts_with('=');
        self.tok.first && self.tok.column == 1 && TOP.contains(&self.word()) && declares
    }

    /// After a problem: to the next statement, over whole blocks, never past the end of the enclosing one.
    fn recover(&mut self, start: Token) {
        let mut open = 0usize;
        let mut moved = self.tok.start > start.start;
        loop {
            match self.tok.kind {
                Kind::Eof => return,
                Kind::LBrace => open += 1,
                Kind::RBrace if open == 0 => return,
                Kind::RBrace => open -= 1,
                Kind::Semi if open == 0 => {
                    self.bump();
                    break;
                }
                _ => {
                    if moved && ((open == 0 && self.tok.first) || self.at_new_item()) {
                        break;
                    }
                }
            }
            self.bump();
            moved = true;
        }
        // Comments of what was skipped belong to nobody.
        self.comments_used = self.comments_used.max(self.tok.comments);
    }

    fn file(&mut self) -> Block<crate::tree::Item> {
        let mut items = Vec::new();
        let mut opening = true;
        loop {
            while self.eat(Kind::Semi) {}
            if self.gave_up() {
                let d = Diagnostic::error("INTENT001", format!("more than {MAX_DIAGNOSTICS} problems"))
                    .at(self.span_of(self.tok), "the rest of the file was not read");
                self.report(d);
                return Block {
                    items,
                    tail: Vec::new(),
                };
            }
            if self.at(Kind::Eof) {
                let tail = self.lead(items.is_empty());
                return Block { items, tail };
            }
            if self.at(Kind::RBrace) {
                let d = Diagnostic::error("INTENT001", "`}` closes nothing")
                    .at(self.span_of(self.tok), "no block is open here")
                    .help("remove it");
                self.report(d);
                self.bump();
                continue;
            }
            items.extend(self.stmt(opening, &[], Parser::item));
            opening = false;
        }
    }

    /// Reports a word that begins no statement.
    fn unknown_statement<T>(&mut self, place: &str, words: &[&str]) -> Parsed<T> {
        let help = match nearest(self.word(), words.iter().copied()) {
            Some(w) if self.at(Kind::Word) => format!("did you mean `{w}`?"),
            _ => format!("{place} holds {}", in_words(words)),
        };
        let what = format!("a statement of {place}");
        self.expected(&what, Some(help))
    }
}

/// Whether a text can be a name.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn in_words(words: &[&str]) -> String {
    let mut out = String::new();
    for (i, w) in words.iter().enumerate() {
        if i > 0 {
            out.push_str(if i + 1 == words.len() { " or " } else { ", " });
        }
        out.push('`');
        out.push_str(w);
        out.push('`');
    }
    out
}
