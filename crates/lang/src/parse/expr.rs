//! Sets of endpoints and lists of services in clauses.

use super::{Parsed, Parser};
use crate::lexer::{Kind, Token};
use crate::tree::{Expr, ExprKind, Text};

/// Words that begin a selector, to explain that a selector belongs into a zone.
const SELECTOR_WORDS: &[&str] = &[
    "tag", "vpc", "vswitch", "sg", "ecs", "eni", "rds", "redis", "lb", "endpoint", "managed", "name", "tf",
];

impl Parser<'_> {
    /// `a except b except c`
    pub(super) fn expr(&mut self) -> Parsed<Expr> {
        let start = self.tok;
        let base = self.primary()?;
        let mut minus = Vec::new();
        while self.eat_word("except") || self.eat_word("but") {
            minus.push(self.primary()?);
        }
        if minus.is_empty() {
            return Some(base);
        }
        let kind = ExprKind::Except {
            base: Box::new(base),
            minus,
        };
        Some(Expr {
            kind,
            span: self.span_from(start),
        })
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let start = self.tok;
        let kind = match self.tok.kind {
            Kind::LParen => {
                self.bump();
                let mut inner = self.nested(Parser::expr)?;
                self.expect(Kind::RParen, "`)`")?;
                inner.span = self.span_from(start);
                return Some(inner);
            }
            Kind::LBrace => {
                self.bump();
                ExprKind::Set(self.nested(Parser::set)?)
            }
            Kind::Word => match self.word() {
                "everything" => self.keyword(ExprKind::Everything),
                "outside" => self.keyword(ExprKind::Outside),
                "unzoned" => self.keyword(ExprKind::Unzoned),
                "cidr" => ExprKind::Cidr(self.address("a prefix such as `10.0.0.0/8`")?),
                "host" => ExprKind::Host(self.address("an address such as `10.0.0.1`")?),
                "env" => {
                    self.bump();
                    ExprKind::Env(self.name("the name of an env")?)
                }
                "any" => {
                    let help = "the set of all endpoints is called `everything`".to_string();
                    return self.expected("a set of endpoints", Some(help));
                }
                w if SELECTOR_WORDS.contains(&w)
                    && (self.next.kind == Kind::Str || (w == "tag" && self.next.kind == Kind::Word)) =>
                {
                    let help = format!("declare a zone for it: `zone NAME = {w} ...`");
                    return self.expected("a set of endpoints", Some(help));
                }
                w if super::RESERVED.contains(&w) => {
                    return self.expected("a set of endpoints", None);
                }
                w if !super::is_name(w) => {
                    let help = if w.parse::<std::net::IpAddr>().is_ok() {
                        format!("write `host {w}`")
                    } else if w.parse::<ipnet::IpNet>().is_ok() {
                        format!("write `cidr {w}`")
                    } else {
                        "a set is a zone, an env, `{a, b}`, `cidr X`, `host X`, `everything`, `outside` or `unzoned`"
                            .to_string()
                    };
                    return self.expected("a set of endpoints", Some(help));
                }
                _ => ExprKind::Name(self.name("a set of endpoints")?),
            },
            _ => return self.expected("a set of endpoints", None),
        };
        Some(Expr {
            kind,
            span: self.span_from(start),
        })
    }

    fn keyword(&mut self, kind: ExprKind) -> ExprKind {
        self.bump();
        kind
    }

    fn set(&mut self) -> Parsed<Vec<Expr>> {
        let mut out = Vec::new();
        loop {
            out.push(self.expr()?);
            if self.eat(Kind::Comma) && !self.at(Kind::RBrace) {
                continue;
            }
            if self.eat(Kind::RBrace) {
                return Some(out);
            }
            return self.expected("`,` or `}`", None);
        }
    }

    /// The address after the keyword that is the current token.
    pub(super) fn address(&mut self, what: &str) -> Parsed<Text> {
        let keyword: Token = self.tok;
        self.next = self.lexer.address_after(keyword);
        self.bump();
        if !self.at(Kind::Word) || self.tok.first {
            return self.expected(what, None);
        }
        self.text(what)
    }

    /// `https, tcp/8080`, also in braces.
    pub(super) fn services(&mut self) -> Parsed<Vec<Text>> {
        let service = |p: &mut Self| -> Parsed<Text> {
            if p.at(Kind::Word) && (!super::RESERVED.contains(&p.word()) || p.at_word("any")) {
                return p.text("a service");
            }
            let help = "a service is a name such as `https`, or `tcp/443`, `udp/8000-8010`, `icmp`, `any`";
            p.expected("a service", Some(help.to_string()))
        };
        if self.eat(Kind::LBrace) {
            let out = self.list(service)?;
            self.expect(Kind::RBrace, "`}`")?;
            return Some(out);
        }
        self.list(service)
    }
}
