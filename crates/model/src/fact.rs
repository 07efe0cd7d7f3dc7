//! Values that may be unknown, with the reason.

use bartizan_base::Span;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Why a value is not known, and where that begins.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// One line, lower case: `var.office_cidr has no value`, `computed by the cloud`.
    pub why: Arc<str>,
    /// The place that makes it unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

impl Unknown {
    /// An unknown with a reason and no place.
    pub fn new(why: impl Into<Arc<str>>) -> Self {
        Unknown {
            why: why.into(),
            span: None,
        }
    }
    /// An unknown with a reason and the place that makes it unknown.
    pub fn at(why: impl Into<Arc<str>>, span: Span) -> Self {
        Unknown {
            why: why.into(),
            span: Some(span),
        }
    }
}

/// A value or the reason for not having it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fact<T> {
    /// The value.
    #[serde(rename = "k")]
    Known(T),
    /// It could be anything of its type.
    #[serde(rename = "u")]
    Unknown(Unknown),
}

impl<T> Fact<T> {
    /// The value, if known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Fact::Known(v) => Some(v),
            Fact::Unknown(_) => None,
        }
    }
    /// The reason, if unknown.
    pub fn unknown(&self) -> Option<&Unknown> {
        match self {
            Fact::Known(_) => None,
            Fact::Unknown(u) => Some(u),
        }
    }
    /// Applies `f` to a known value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Fact::Known(v) => Fact::Known(f(v)),
            Fact::Unknown(u) => Fact::Unknown(u),
        }
    }
    /// Borrows the value.
    pub fn as_ref(&self) -> Fact<&T> {
        match self {
            Fact::Known(v) => Fact::Known(v),
            Fact::Unknown(u) => Fact::Unknown(u.clone()),
        }
    }
}

impl<T> From<T> for Fact<T> {
    fn from(v: T) -> Self {
        Fact::Known(v)
    }
}
