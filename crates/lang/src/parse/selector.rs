//! Selectors: what picks endpoints out of an inventory.

use super::{Parsed, Parser};
use crate::lexer::Kind;
use crate::tree::{LinkKind, Qualifier, ResourceKind, SelectorExpr, SelectorExprKind as S, TagTerm, Text};

/// Every word that begins a selector.
const WORDS: &[&str] = &[
    "tag",
    "vpc",
    "vswitch",
    "sg",
    "ecs",
    "eni",
    "rds",
    "redis",
    "lb",
    "endpoint",
    "managed",
    "cidr",
    "host",
    "name",
    "tf",
    "outside",
    "everything",
];

impl Parser<'_> {
    /// `a or b and c except d`: `and` binds tighter than `or`, `or` tighter than `except`.
    pub(super) fn selector(&mut self) -> Parsed<SelectorExpr> {
        let start = self.tok;
        let base = self.or_selector()?;
        let mut minus = Vec::new();
        while self.eat_word("except") || self.eat_word("but") {
            minus.push(self.or_selector()?);
        }
        if minus.is_empty() {
            return Some(base);
        }
        Some(SelectorExpr {
            kind: S::Except {
                base: Box::new(base),
                minus,
            },
            span: self.span_from(start),
        })
    }

    fn or_selector(&mut self) -> Parsed<SelectorExpr> {
        self.joined("or", Parser::and_selector, S::Or)
    }

    fn and_selector(&mut self) -> Parsed<SelectorExpr> {
        self.joined("and", Parser::term, S::And)
    }

    fn joined(
        &mut self,
        word: &str,
        part: fn(&mut Self) -> Parsed<SelectorExpr>,
        make: fn(Vec<SelectorExpr>) -> S,
    ) -> Parsed<SelectorExpr> {
        let start = self.tok;
        let first = part(self)?;
        if !self.at_word(word) {
            return Some(first);
        }
        let mut parts = vec![first];
        while self.eat_word(word) {
            parts.push(part(self)?);
        }
        Some(SelectorExpr {
            kind: make(parts),
            span: self.span_from(start),
        })
    }

    /// `ecs tag tier=db in env prod via vpn hq`
    fn term(&mut self) -> Parsed<SelectorExpr> {
        let start = self.tok;
        // `via vpn hq` alone is everything behind it.
        let first = if self.at_word("via") {
            SelectorExpr {
                kind: S::Everything,
                span: self.span_of(self.tok),
            }
        } else {
            self.atom()?
        };
        let mut parts = vec![first];
        while !self.tok.first && (self.at(Kind::LParen) || WORDS.contains(&self.word())) {
            parts.push(self.atom()?);
        }
        let mut quals = Vec::new();
        loop {
            if self.eat_word("in") {
                // `in env` alone would be an env called `env`, which cannot be declared.
                self.eat_word("env");
                quals.push(Qualifier::In(self.name("the name of an env")?));
            } else if self.eat_word("via") {
                let words: Vec<&str> = LinkKind::ALL.iter().map(|k| k.word()).collect();
                let Some(link) = LinkKind::from_word(self.word()) else {
                    let help = format!("a link is {}", super::in_words(&words));
                    return self.expected("a kind of link", Some(help));
                };
                self.bump();
                quals.push(Qualifier::Via {
                    link,
                    name: self.text("the name of the link")?,
                });
            } else {
                break;
            }
        }
        if quals.is_empty() && parts.len() == 1 {
            return parts.pop();
        }
        Some(SelectorExpr {
            kind: S::Term { parts, quals },
            span: self.span_from(start),
        })
    }

    fn atom(&mut self) -> Parsed<SelectorExpr> {
        let start = self.tok;
        if self.eat(Kind::LParen) {
            let mut inner = self.nested(Parser::selector)?;
            self.expect(Kind::RParen, "`)`")?;
            inner.span = self.span_from(start);
            return Some(inner);
        }
        let word = self.word();
        let kind = match word {
            "everything" => {
                self.bump();
                S::Everything
            }
            "outside" => {
                self.bump();
                S::Outside
            }
            "tag" => {
                self.bump();
                S::Tag(self.tags()?)
            }
            "name" => {
                self.bump();
                S::Name(self.glob()?)
            }
            "tf" => {
                self.bump();
                S::Tf(self.glob()?)
            }
            "cidr" => S::Cidr(self.address("a prefix such as `10.0.0.0/8`")?),
            "host" => S::Host(self.address("an address such as `10.0.0.1`")?),
            _ => match ResourceKind::from_word(word) {
                Some(of) => {
                    self.bump();
                    let bare = self.at(Kind::Word) && self.word().contains(['*', '?']);
                    let glob = if !self.tok.first && (self.at(Kind::Str) || bare) {
                        Some(self.glob()?)
                    } else {
                        None
                    };
                    S::Resource { of, glob }
                }
                None => return self.unknown_selector(),
            },
        };
        Some(SelectorExpr {
            kind,
            span: self.span_from(start),
        })
    }

    fn unknown_selector<T>(&mut self) -> Parsed<T> {
        let help = match crate::suggest::nearest(self.word(), WORDS.iter().copied()) {
            Some(w) if self.at(Kind::Word) => format!("did you mean `{w}`?"),
            _ => format!("a selector begins with {}", super::in_words(WORDS)),
        };
        self.expected("a selector", Some(help))
    }

    fn glob(&mut self) -> Parsed<Text> {
        if self.tok.first {
            return self.expected("a pattern such as `\"web-*\"`", None);
        }
        self.text("a pattern such as `\"web-*\"`")
    }

    fn tags(&mut self) -> Parsed<Vec<TagTerm>> {
        let mut out = Vec::new();
        loop {
            let key = self.text("a tag such as `tier=web`")?;
            self.expect(Kind::Eq, "`=` and the value of the tag")?;
            let value = self.text("the value of the tag")?;
            out.push(TagTerm { key, value });
            let more = matches!(self.tok.kind, Kind::Word | Kind::Str) && self.next.kind == Kind::Eq;
            if self.tok.first || !more {
                return Some(out);
            }
        }
    }
}
