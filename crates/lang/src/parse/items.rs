//! Statements of a file, of boundaries and of exceptions.

use super::{Parsed, Parser, TOP, VERBS, in_words};
use crate::lexer::Kind;
use crate::tree::{
    ApprovalDecl, BoundaryDecl, BoundaryItem, ClauseDecl, Days, EnvDecl, ExceptionDecl, ExceptionItem, Item,
    LinkDecl, LinkKind, LinkOption, Mode, ServiceDecl, SiteDecl, TestDecl, Text, Verb, Waypoint, ZoneDecl,
    ZoneOption,
};
use bartizan_base::Diagnostic;

const BOUNDARY: &[&str] = &[
    "owner", "review", "mode", "expiry", "approval", "allow", "must", "only", "never",
];
const EXCEPTION: &[&str] = &[
    "allow", "because", "ticket", "owner", "starts", "expires", "approved",
];
const ZONE: &[&str] = &["data", "required", "overlaps"];
const LINK: &[&str] = &["networks", "learned", "internet none"];

impl Parser<'_> {
    pub(super) fn item(&mut self) -> Parsed<Item> {
        let word = self.word();
        // A set may begin with `env prod -> ...`; everything else that begins with these words is a declaration.
        let clause = word == "env" && self.next.kind == Kind::Word && !self.env_declaration();
        match word {
            _ if clause => self.clause().map(Item::Clause),
            "edition" => {
                self.bump();
                let year = self.text("a year such as `2027`")?;
                Some(Item::Edition { year })
            }
            "network" => {
                self.bump();
                Some(Item::Network {
                    name: self.name("the name of the network")?,
                })
            }
            "include" => {
                self.bump();
                Some(Item::Include {
                    path: self.quoted("the path of a file")?,
                })
            }
            "zone" => self.zone().map(Item::Zone),
            "env" => self.env().map(Item::Env),
            "link" => self.link().map(Item::Link),
            "site" => self.site().map(Item::Site),
            "apart" => {
                self.bump();
                Some(Item::Apart {
                    links: self.list(|p| p.name("the name of a link"))?,
                })
            }
            "service" => self.service().map(Item::Service),
            "boundary" => self.boundary().map(Item::Boundary),
            "exception" => self.exception().map(Item::Exception),
            "test" => {
                self.bump();
                let name = self.quoted("the name of the test")?;
                let body = self.block(&[], Parser::test_item)?;
                Some(Item::Test(TestDecl { name, body }))
            }
            _ if self.at_clause() => self.clause().map(Item::Clause),
            _ => {
                let words: Vec<&str> = TOP.iter().chain(VERBS).copied().collect();
                self.unknown_statement("a file", &words)
            }
        }
    }

    /// Whether `env NAME` goes on as a declaration. The token after the name is out of sight, so its text is
    /// looked at: a declaration has `=` there.
    fn env_declaration(&self) -> bool {
        let rest = self.text.get(self.next.end..).unwrap_or("").trim_start();
        !(rest.starts_with("->") || rest.starts_with("except ") || rest.starts_with("but "))
    }

    /// Whether a clause begins here: a verb, or a set that an arrow or `except` follows.
    fn at_clause(&self) -> bool {
        match self.tok.kind {
            Kind::LBrace | Kind::LParen => true,
            Kind::Word => {
                let w = self.word();
                VERBS.contains(&w)
                    || self.next.kind == Kind::Arrow
                    || matches!(w, "cidr" | "host" | "env")
                    || (matches!(self.next_word(), "except" | "but") && !self.next.first)
            }
            _ => false,
        }
    }

    fn zone(&mut self) -> Parsed<ZoneDecl> {
        self.bump();
        let name = self.new_name("the name of the zone")?;
        self.expect(Kind::Eq, "`=` and a selector")?;
        let selector = self.selector()?;
        let options = self.options(Parser::zone_option)?;
        Some(ZoneDecl {
            name,
            selector,
            options,
        })
    }

    fn zone_option(&mut self) -> Parsed<ZoneOption> {
        match self.word() {
            "data" => {
                self.bump();
                Some(ZoneOption::Data(self.list(|p| p.name("a class of data"))?))
            }
            "required" => {
                self.bump();
                Some(ZoneOption::Required)
            }
            "overlaps" => {
                self.bump();
                Some(ZoneOption::Overlaps(self.list(|p| p.name("the name of a zone"))?))
            }
            _ => self.unknown_statement("a zone", ZONE),
        }
    }

    /// `{ options }` at the end of a declaration, or nothing.
    fn options<T>(&mut self, mut option: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut out = Vec::new();
        // On a line of its own `{a, b}` begins a clause.
        if self.tok.first || !self.eat(Kind::LBrace) {
            return Some(out);
        }
        loop {
            while self.eat(Kind::Semi) {}
            if self.eat(Kind::RBrace) {
                return Some(out);
            }
            let Some(o) = option(self) else {
                self.close();
                return None;
            };
            out.push(o);
        }
    }

    /// After a problem between braces: behind the one that closes them. Where it was forgotten, up to what is plainly
    /// another statement.
    fn close(&mut self) {
        let mut open = 0usize;
        loop {
            let clause = self.tok.first && self.tok.column == 1 && VERBS.contains(&self.word());
            match self.tok.kind {
                Kind::Eof => return,
                _ if clause || self.at_new_item() => return,
                Kind::LBrace => open += 1,
                Kind::RBrace if open == 0 => return self.bump(),
                Kind::RBrace => open -= 1,
                _ => {}
            }
            self.bump();
        }
    }

    fn env(&mut self) -> Parsed<EnvDecl> {
        self.bump();
        let name = self.new_name("the name of the env")?;
        self.expect(Kind::Eq, "`=` and a selector")?;
        Some(EnvDecl {
            name,
            selector: self.selector()?,
        })
    }

    fn link(&mut self) -> Parsed<LinkDecl> {
        self.bump();
        let name = self.new_name("the name of the link")?;
        self.expect(Kind::Eq, "`=` and a kind of link")?;
        let kinds: Vec<&str> = LinkKind::ALL.iter().map(|k| k.word()).collect();
        let Some(kind) = LinkKind::from_word(self.word()) else {
            let help = match crate::suggest::nearest(self.word(), kinds.iter().copied()) {
                Some(k) => format!("did you mean `{k}`?"),
                None => format!("a kind of link is {}", in_words(&kinds)),
            };
            return self.expected("a kind of link", Some(help));
        };
        self.bump();
        let resource = self.text("the name of its resource, a pattern")?;
        let options = self.options(Parser::link_option)?;
        Some(LinkDecl {
            name,
            kind,
            resource,
            options,
        })
    }

    fn link_option(&mut self) -> Parsed<LinkOption> {
        match self.word() {
            "networks" => Some(LinkOption::Networks(self.prefixes()?)),
            "learned" => Some(LinkOption::Learned(self.prefixes()?)),
            "internet" => {
                self.bump();
                if !self.eat_word("none") {
                    let help = "write `internet none`: nothing goes to the Internet by this link; without it that is not known";
                    return self.expected("`none`", Some(help.to_string()));
                }
                Some(LinkOption::NoInternet)
            }
            _ => self.unknown_statement("a link", LINK),
        }
    }

    /// `WORD prefix, prefix`; the prefixes may be of IPv6, whose `:` separates nothing here.
    fn prefixes(&mut self) -> Parsed<Vec<Text>> {
        let mut out = Vec::new();
        loop {
            // Behind the word, then behind each comma.
            if matches!(self.next.kind, Kind::Word | Kind::Colon) {
                self.next = self.lexer.address_after(self.tok);
            }
            self.bump();
            out.push(self.text("a prefix")?);
            if !self.at(Kind::Comma) {
                return Some(out);
            }
        }
    }

    fn site(&mut self) -> Parsed<SiteDecl> {
        self.bump();
        let name = self.new_name("the name of the site")?;
        self.expect(Kind::Eq, "`=` and links")?;
        Some(SiteDecl {
            name,
            links: self.list(|p| p.name("the name of a link"))?,
        })
    }

    fn service(&mut self) -> Parsed<ServiceDecl> {
        self.bump();
        let name = self.new_name("the name of the service")?;
        self.expect(Kind::Eq, "`=` and services such as `tcp/443`")?;
        let services = self.services()?;
        let tls = self.options(|p| {
            if !p.at_word("tls") {
                return p.unknown_statement("a service", &["tls required"]);
            }
            p.bump();
            p.expect_word("required")
        })?;
        Some(ServiceDecl {
            name,
            services,
            tls_required: !tls.is_empty(),
        })
    }

    fn boundary(&mut self) -> Parsed<BoundaryDecl> {
        self.bump();
        let name = self.new_name("the name of the boundary")?;
        let mut governs = Vec::new();
        if self.eat_word("governs") {
            match self.list(Parser::expr) {
                Some(list) => governs = list,
                // The clauses are worth reading even so: all problems of a file in one run.
                None => {
                    while !(self.at(Kind::LBrace) || self.at(Kind::Eof) || self.tok.first) {
                        self.bump();
                    }
                }
            }
        }
        if !self.at(Kind::LBrace) {
            return self.expected("`governs` or `{`", None);
        }
        let body = self.block(BOUNDARY, Parser::boundary_item)?;
        Some(BoundaryDecl { name, governs, body })
    }

    fn boundary_item(&mut self) -> Parsed<BoundaryItem> {
        if self.next.kind == Kind::Arrow {
            return self.clause().map(Box::new).map(BoundaryItem::Clause);
        }
        match self.word() {
            "owner" => {
                self.bump();
                Some(BoundaryItem::Owner(self.text("the owner")?))
            }
            "review" => {
                self.bump();
                self.expect_word("every")?;
                Some(BoundaryItem::Review(self.days()?))
            }
            "mode" => {
                self.bump();
                let mode = match self.word() {
                    "observe" => Mode::Observe,
                    "warn" => Mode::Warn,
                    "enforce" => Mode::Enforce,
                    _ => {
                        let modes = ["observe", "warn", "enforce"];
                        let help = match crate::suggest::nearest(self.word(), modes) {
                            Some(m) => format!("did you mean `{m}`?"),
                            None => format!("a mode is {}", in_words(&modes)),
                        };
                        return self.expected("a mode", Some(help));
                    }
                };
                self.bump();
                Some(BoundaryItem::Mode(mode))
            }
            "expiry" => {
                self.bump();
                self.expect_word("at")?;
                self.expect_word("most")?;
                Some(BoundaryItem::Expiry(self.days()?))
            }
            "approval" => {
                self.bump();
                self.expect_word("by")?;
                Some(BoundaryItem::Approval(self.list(|p| p.name("a role"))?))
            }
            _ if self.at_clause() => self.clause().map(Box::new).map(BoundaryItem::Clause),
            _ => self.unknown_statement("a boundary", BOUNDARY),
        }
    }

    fn days(&mut self) -> Parsed<Days> {
        let help = || Some("write a number of days, such as `90d`".to_string());
        let word = self.word();
        let Some(digits) = word.strip_suffix('d') else {
            return self.expected("a number of days", help());
        };
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        match digits.parse::<u32>() {
            Ok(days @ 1..=36_500) if plain && !digits.starts_with('0') => {
                let span = self.span_of(self.tok);
                self.bump();
                Some(Days { days, span })
            }
            _ => self.expected("a number of days from `1d` to `36500d`", help()),
        }
    }

    fn exception(&mut self) -> Parsed<ExceptionDecl> {
        self.bump();
        let id = self.name("the id of the exception")?;
        self.expect_word("in")?;
        let boundary = self.name("the name of a boundary")?;
        let body = self.block(EXCEPTION, Parser::exception_item)?;
        Some(ExceptionDecl { id, boundary, body })
    }

    fn exception_item(&mut self) -> Parsed<ExceptionItem> {
        let word = self.word();
        match word {
            // The reason is the exception's, also when it stands on the line of a clause.
            "allow" => self
                .clause_without_reason()
                .map(Box::new)
                .map(ExceptionItem::Clause),
            "because" => {
                self.bump();
                Some(ExceptionItem::Because(self.quoted("a reason")?))
            }
            "ticket" => {
                self.bump();
                Some(ExceptionItem::Ticket(self.text("a ticket")?))
            }
            "owner" => {
                self.bump();
                Some(ExceptionItem::Owner(self.text("the owner")?))
            }
            "starts" => {
                self.bump();
                Some(ExceptionItem::Starts(self.date()?))
            }
            "expires" => {
                self.bump();
                Some(ExceptionItem::Expires(self.date()?))
            }
            "approved" => {
                self.bump();
                self.expect_word("by")?;
                Some(ExceptionItem::Approved(self.list(|p| {
                    let by = p.text("who approved")?;
                    let role = if p.eat(Kind::LParen) {
                        let role = p.name("a role")?;
                        p.expect(Kind::RParen, "`)`")?;
                        Some(role)
                    } else {
                        None
                    };
                    Some(ApprovalDecl { by, role })
                })?))
            }
            _ if VERBS.contains(&word) || self.at_clause() => {
                let help = "an exception only widens: write `allow`, and put other clauses into a boundary";
                self.expected("`allow`", Some(help.to_string()))
            }
            _ => self.unknown_statement("an exception", EXCEPTION),
        }
    }

    /// A date; that it exists is checked with the names.
    pub(super) fn date(&mut self) -> Parsed<Text> {
        if !self.at(Kind::Word) || self.tok.first {
            return self.expected("a date such as `2027-01-31`", None);
        }
        self.text("a date such as `2027-01-31`")
    }

    /// Any clause, with its verb and its reason.
    pub(super) fn clause(&mut self) -> Parsed<ClauseDecl> {
        let mut clause = self.clause_without_reason()?;
        if self.eat_word("because") {
            clause.because = Some(self.quoted("a reason")?);
        }
        Some(clause)
    }

    fn clause_without_reason(&mut self) -> Parsed<ClauseDecl> {
        let start = self.tok;
        let verb = match self.word() {
            _ if self.next.kind == Kind::Arrow => None,
            "allow" => Some(Verb::Allow),
            "must" if self.next_word() == "some" => {
                self.bump();
                Some(Verb::MustSome)
            }
            "must" => Some(Verb::Must),
            "only" => Some(Verb::Only),
            "never" => Some(Verb::Never),
            _ => None,
        };
        if verb.is_some() {
            self.bump();
        }
        let from = self.expr()?;
        if !self.at(Kind::Arrow) {
            let raw = self.raw(self.tok);
            let help =
                matches!(raw, "→" | "-" | ">" | "=" | "to").then(|| "an arrow is written `->`".to_string());
            return self.expected("`->`", help);
        }
        self.bump();
        let to = self.expr()?;
        let services = if self.eat(Kind::Colon) {
            self.services()?
        } else {
            Vec::new()
        };
        let negated = self.at_word("not") && self.next_word() == "through";
        if negated {
            self.bump();
        }
        let waypoint = if self.eat_word("through") {
            Some(self.waypoint()?)
        } else {
            None
        };
        // `A -> B through M : https` reads as well as `A -> B : https through M`.
        let services = if waypoint.is_some() && services.is_empty() && self.eat(Kind::Colon) {
            self.services()?
        } else {
            services
        };
        let span = self.span_from(start);
        let verb = match (verb, &waypoint) {
            (None, Some(_)) => {
                if negated {
                    Verb::NotThrough
                } else {
                    Verb::Through
                }
            }
            (Some(v), None) => v,
            (None, None) => {
                let d = Diagnostic::error("INTENT001", "a clause does not say what it is")
                    .at(span, "allowed, required or forbidden?")
                    .help("begin it with `allow`, `must`, `only` or `never`, or add `through NAME`");
                self.report(d);
                return None;
            }
            (Some(v), Some(_)) => {
                let d = Diagnostic::error("INTENT001", format!("`{}` and `through` in one clause", v.id()))
                    .at(span, "says two things")
                    .help("write two clauses: one with the verb, and one `A -> B through M`");
                self.report(d);
                return None;
            }
        };
        if services.is_empty() && waypoint.is_none() {
            let d = Diagnostic::error("INTENT001", "a clause names no service")
                .at(span, "on which service?")
                .help("add `: https`, `: tcp/8080`, or `: any`");
            self.report(d);
            return None;
        }
        Some(ClauseDecl {
            verb,
            from,
            to,
            services,
            waypoint,
            because: None,
        })
    }

    fn waypoint(&mut self) -> Parsed<Waypoint> {
        let pattern = self.next.kind == Kind::Str && !self.next.first;
        match self.word() {
            "nat" if pattern => {
                self.bump();
                Some(Waypoint::Nat(self.quoted("a pattern")?))
            }
            "firewall" if pattern => {
                self.bump();
                Some(Waypoint::Firewall(self.quoted("a pattern")?))
            }
            "tf" if pattern => {
                self.bump();
                Some(Waypoint::Tf(self.quoted("a pattern")?))
            }
            _ => {
                let what =
                    "a zone, the name of an appliance, `nat \"...\"`, `firewall \"...\"` or `tf \"...\"`";
                Some(Waypoint::Name(self.name(what)?))
            }
        }
    }
}
