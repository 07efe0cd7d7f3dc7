//! Statements of tests.

use super::{Parsed, Parser};
use crate::lexer::Kind;
use crate::tree::{DownKind, DownTarget, Expect, TestItem};
use bartizan_base::Diagnostic;

impl Parser<'_> {
    pub(super) fn test_item(&mut self) -> Parsed<TestItem> {
        if self.at_word("with") && self.next_word() == "down" {
            self.bump();
            self.bump();
            let targets = self.list(Parser::down_target)?;
            let body = self.nested(|p| p.block(&[], Parser::test_item))?;
            return Some(TestItem::Down { targets, body });
        }
        if self.at_word("as") && self.next_word() == "of" {
            self.bump();
            self.bump();
            let date = self.date()?;
            let body = self.nested(|p| p.block(&[], Parser::test_item))?;
            return Some(TestItem::AsOf { date, body });
        }
        self.expectation()
    }

    fn down_target(&mut self) -> Parsed<DownTarget> {
        let words: Vec<&str> = DownKind::ALL.iter().map(|k| k.word()).collect();
        let Some(kind) = DownKind::from_word(self.word()) else {
            let help = match crate::suggest::nearest(self.word(), words.iter().copied()) {
                Some(w) if self.at(Kind::Word) => format!("did you mean `{w}`?"),
                _ => format!("what can be down is {}", super::in_words(&words)),
            };
            return self.expected("what is down", Some(help));
        };
        self.bump();
        Some(DownTarget {
            kind,
            name: self.text("its name")?,
        })
    }

    /// `A can reach B on S`
    fn expectation(&mut self) -> Parsed<TestItem> {
        let start = self.tok;
        let from = self.expr()?;
        let expect = match self.word() {
            "can" => Expect::Can,
            "cannot" => Expect::Cannot,
            _ => {
                let help = "an expectation is `A can reach B on SERVICE` or `A cannot reach B on SERVICE`";
                return self.expected("`can` or `cannot`", Some(help.to_string()));
            }
        };
        self.bump();
        // `can not` is what people type.
        let expect = if expect == Expect::Can && self.eat_word("not") {
            Expect::Cannot
        } else {
            expect
        };
        self.expect_word("reach")?;
        let to = self.expr()?;
        let services = if self.eat_word("on") {
            self.services()?
        } else {
            Vec::new()
        };
        if services.is_empty() && expect == Expect::Can {
            let d = Diagnostic::error("INTENT001", "an expectation names no service")
                .at(self.span_from(start), "on which service?")
                .help("add `on https`, `on tcp/8080`, or `on any`");
            self.report(d);
            return None;
        }
        Some(TestItem::Reach {
            from,
            expect,
            to,
            services,
        })
    }
}
