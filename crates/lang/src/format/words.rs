//! Expressions, selectors and words as text on one line.

use crate::lexer::{is_bare, quote};
use crate::tree::{Expr, ExprKind, Qualifier, SelectorExpr, SelectorExprKind, Text, Waypoint};

pub(super) fn bare_or_quoted(text: &str) -> String {
    if is_bare(text) {
        text.to_string()
    } else {
        quote(text)
    }
}

pub(super) fn list(texts: &[Text]) -> String {
    let texts: Vec<&str> = texts.iter().map(|t| t.text.as_str()).collect();
    texts.join(", ")
}

pub(super) fn waypoint_text(w: &Waypoint) -> String {
    match w {
        Waypoint::Name(t) => t.text.clone(),
        Waypoint::Nat(t) => format!("nat {}", quote(&t.text)),
        Waypoint::Firewall(t) => format!("firewall {}", quote(&t.text)),
        Waypoint::Tf(t) => format!("tf {}", quote(&t.text)),
    }
}

/// A set of endpoints as it is written.
pub(crate) fn expr_text(e: &Expr) -> String {
    // Parentheses are needed only around `except` inside of `except`.
    let part = |e: &Expr| match &e.kind {
        ExprKind::Except { .. } => format!("({})", expr_text(e)),
        _ => expr_text(e),
    };
    match &e.kind {
        ExprKind::Name(t) => t.text.clone(),
        ExprKind::Env(t) => format!("env {}", t.text),
        ExprKind::Everything => "everything".to_string(),
        ExprKind::Outside => "outside".to_string(),
        ExprKind::Unzoned => "unzoned".to_string(),
        ExprKind::Cidr(t) => format!("cidr {}", t.text),
        ExprKind::Host(t) => format!("host {}", t.text),
        ExprKind::Set(items) => {
            let items: Vec<String> = items.iter().map(expr_text).collect();
            format!("{{{}}}", items.join(", "))
        }
        ExprKind::Except { base, minus } => {
            let mut out = part(base);
            for m in minus {
                out.push_str(" except ");
                out.push_str(&part(m));
            }
            out
        }
    }
}

/// How tightly a form binds; a looser one inside of it needs parentheses.
fn rank(s: &SelectorExpr) -> u8 {
    match &s.kind {
        SelectorExprKind::Except { .. } => 0,
        SelectorExprKind::Or(_) => 1,
        SelectorExprKind::And(_) => 2,
        SelectorExprKind::Term { .. } => 3,
        _ => 4,
    }
}

/// A selector as it is written.
pub(crate) fn selector_text(s: &SelectorExpr) -> String {
    let own = rank(s);
    let part = |e: &SelectorExpr| {
        if rank(e) <= own {
            format!("({})", selector_text(e))
        } else {
            selector_text(e)
        }
    };
    let joined = |items: &[SelectorExpr], by: &str| {
        let items: Vec<String> = items.iter().map(part).collect();
        items.join(by)
    };
    match &s.kind {
        SelectorExprKind::Everything => "everything".to_string(),
        SelectorExprKind::Outside => "outside".to_string(),
        SelectorExprKind::Tag(terms) => {
            let mut out = "tag".to_string();
            for t in terms {
                out.push_str(&format!(
                    " {}={}",
                    bare_or_quoted(&t.key.text),
                    tag_value(&t.value.text)
                ));
            }
            out
        }
        SelectorExprKind::Resource { of, glob: Some(g) } => format!("{} {}", of.word(), quote(&g.text)),
        SelectorExprKind::Resource { of, glob: None } => of.word().to_string(),
        SelectorExprKind::Name(t) => format!("name {}", quote(&t.text)),
        SelectorExprKind::Tf(t) => format!("tf {}", quote(&t.text)),
        SelectorExprKind::Cidr(t) => format!("cidr {}", t.text),
        SelectorExprKind::Host(t) => format!("host {}", t.text),
        SelectorExprKind::Term { parts, quals } => {
            let mut out = joined(parts, " ");
            for q in quals {
                match q {
                    Qualifier::In(env) => out.push_str(&format!(" in env {}", env.text)),
                    Qualifier::Via { link, name } => {
                        out.push_str(&format!(" via {} {}", link.word(), bare_or_quoted(&name.text)));
                    }
                }
            }
            out
        }
        SelectorExprKind::And(items) => joined(items, " and "),
        SelectorExprKind::Or(items) => joined(items, " or "),
        SelectorExprKind::Except { base, minus } => {
            let mut out = part(base);
            for m in minus {
                out.push_str(" except ");
                out.push_str(&part(m));
            }
            out
        }
    }
}

/// Patterns are quoted, so that they stand out.
fn tag_value(text: &str) -> String {
    if text.contains(['*', '?']) {
        quote(text)
    } else {
        bare_or_quoted(text)
    }
}
