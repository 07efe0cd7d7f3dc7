//! Clauses, exceptions and tests as sentences that an auditor reads aloud.

mod chinese;
mod english;
mod links;

use crate::intent::{Clause, Exception, Intent, Test};

pub use links::link_sentences;

/// The language of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Chinese, simplified.
    Zh,
}

/// A clause as one full sentence.
#[must_use]
pub fn sentence(intent: &Intent, clause: &Clause, lang: Lang) -> String {
    match lang {
        Lang::En => english::clause(intent, clause),
        Lang::Zh => chinese::clause(intent, clause),
    }
}

/// An exception as one paragraph: what it allows, until when, why, who agreed.
#[must_use]
pub fn exception_sentence(intent: &Intent, exception: &Exception, lang: Lang) -> String {
    match lang {
        Lang::En => english::exception(intent, exception),
        Lang::Zh => chinese::exception(intent, exception),
    }
}

/// The expectations of a test, one sentence each, in order.
#[must_use]
pub fn test_sentences(intent: &Intent, test: &Test, lang: Lang) -> Vec<String> {
    test.statements
        .iter()
        .map(|s| match lang {
            Lang::En => english::expectation(intent, s),
            Lang::Zh => chinese::expectation(intent, s),
        })
        .collect()
}

/// The clauses of an exception, in order.
fn clauses_of<'i>(intent: &'i Intent, e: &'i Exception) -> impl Iterator<Item = &'i Clause> {
    e.clauses.iter().filter_map(|&i| intent.clauses.get(i))
}

/// The services as written, with their meaning where that is not the text itself.
fn services(c: &Clause, open: &str, close: &str, tls: &str) -> String {
    let meaning = c.services.to_string();
    let mut more = Vec::new();
    if meaning != c.service_text {
        more.push(meaning);
    }
    if c.tls_required {
        more.push(tls.to_string());
    }
    if more.is_empty() {
        c.service_text.clone()
    } else {
        format!("{}{open}{}{close}", c.service_text, more.join(", "))
    }
}
