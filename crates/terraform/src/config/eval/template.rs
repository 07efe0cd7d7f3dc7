//! Evaluating templates: strings with `${}` and `%{}` in them.

use super::{Fault, MAX_TEXT, R, Scope, fault, need_bool};
use crate::config::module::World;
use crate::config::value::V;
use bartizan_model::Unknown;
use hcl_edit::template::{Directive, Element, HeredocTemplate, Strip, Template};

impl World<'_> {
    pub(super) fn template_elements<'e>(&self, elements: impl Iterator<Item = &'e Element>, s: &Scope) -> R {
        let elements: Vec<&Element> = elements.collect();
        // `"${x}"` is x itself, whatever its type.
        if let [Element::Interpolation(i)] = elements.as_slice() {
            return self.eval(&i.expr, s);
        }
        // An address that the cloud picks, as a prefix of its own: what it is of is known.
        if let [Element::Interpolation(i), Element::Literal(t)] = elements.as_slice()
            && matches!(t.as_str(), "/32" | "/128")
            && let V::Ref(r) = self.eval(&i.expr, s)?
            && &*r.attribute == "ip_address"
        {
            return Ok(V::Ref(r));
        }
        let mut out = String::new();
        match self.render(&elements, s, &mut out)? {
            Some(u) => Ok(V::Unknown(u)),
            None => Ok(V::str(out)),
        }
    }

    pub(crate) fn template(&self, t: &Template, s: &Scope) -> R {
        self.template_elements(t.iter(), s)
    }

    pub(super) fn heredoc(&self, h: &HeredocTemplate, s: &Scope) -> R {
        let elements: Vec<&Element> = h.template.iter().collect();
        let mut out = String::new();
        Ok(match self.render(&elements, s, &mut out)? {
            Some(u) => V::Unknown(u),
            None => V::str(out),
        })
    }

    /// Writes a template; gives the reason when some part is unknown.
    fn render(&self, elements: &[&Element], s: &Scope, out: &mut String) -> Result<Option<Unknown>, Fault> {
        let strips = |e: &Element| -> (Strip, Strip) {
            match e {
                Element::Interpolation(i) => (i.strip, i.strip),
                Element::Directive(d) => match &**d {
                    Directive::If(d) => (d.if_expr.strip, d.endif_expr.strip),
                    Directive::For(d) => (d.for_expr.strip, d.endfor_expr.strip),
                },
                Element::Literal(_) => (Strip::None, Strip::None),
            }
        };
        let mut unknown = None;
        for (i, e) in elements.iter().enumerate() {
            if out.len() > MAX_TEXT {
                return Ok(self.too_large().why_unknown());
            }
            match e {
                Element::Literal(t) => {
                    let mut t: &str = t.as_str();
                    // `~` eats the white space beside it.
                    let after = i
                        .checked_sub(1)
                        .and_then(|i| elements.get(i))
                        .map(|e| strips(e).1);
                    let before = elements.get(i + 1).map(|e| strips(e).0);
                    if after.is_some_and(Strip::strip_end) {
                        t = t.trim_start();
                    }
                    if before.is_some_and(Strip::strip_start) {
                        t = t.trim_end();
                    }
                    out.push_str(t);
                }
                Element::Interpolation(i) => {
                    let v = self.eval(&i.expr, s)?;
                    match (v.why_unknown(), v.to_text()) {
                        (Some(u), _) => {
                            if matches!(v, V::Unknown(_)) {
                                self.doubt(&u);
                            }
                            unknown = unknown.or(Some(u));
                        }
                        (None, Some(t)) => out.push_str(&t),
                        (None, None) => {
                            return fault(format!("a {} cannot be part of a string", v.type_name()));
                        }
                    }
                }
                Element::Directive(d) => match &**d {
                    Directive::If(d) => {
                        let c = self.eval(&d.if_expr.cond_expr, s)?;
                        if let Some(u) = c.why_unknown() {
                            self.doubt(&u);
                            unknown = unknown.or(Some(u));
                            continue;
                        }
                        let branch = if need_bool(&c)? {
                            Some((
                                &d.if_expr.template,
                                d.if_expr.strip,
                                d.else_expr.as_ref().map_or(d.endif_expr.strip, |e| e.strip),
                            ))
                        } else {
                            d.else_expr
                                .as_ref()
                                .map(|e| (&e.template, e.strip, d.endif_expr.strip))
                        };
                        if let Some((t, open, close)) = branch {
                            let u = self.inner(t, open, close, s, out)?;
                            unknown = unknown.or(u);
                        }
                    }
                    Directive::For(d) => {
                        let c = self.eval(&d.for_expr.collection_expr, s)?;
                        match self.pairs(&c)? {
                            Err(u) => unknown = unknown.or(Some(u)),
                            Ok(pairs) => {
                                for (k, v) in pairs {
                                    let value = (d.for_expr.value_var.as_str().to_string(), v);
                                    let key =
                                        d.for_expr.key_var.as_ref().map(|n| (n.as_str().to_string(), k));
                                    let inner = s.with(key.into_iter().chain([value]));
                                    let t = &d.for_expr.template;
                                    let u =
                                        self.inner(t, d.for_expr.strip, d.endfor_expr.strip, &inner, out)?;
                                    unknown = unknown.or(u);
                                    if out.len() > MAX_TEXT {
                                        return Ok(self.too_large().why_unknown());
                                    }
                                }
                            }
                        }
                    }
                },
            }
        }
        Ok(unknown)
    }

    fn inner(
        &self,
        t: &Template,
        open: Strip,
        close: Strip,
        s: &Scope,
        out: &mut String,
    ) -> Result<Option<Unknown>, Fault> {
        let elements: Vec<&Element> = t.iter().collect();
        let mut text = String::new();
        let u = self.render(&elements, s, &mut text)?;
        let mut text = text.as_str();
        if open.strip_end() {
            text = text.trim_start();
        }
        if close.strip_start() {
            text = text.trim_end();
        }
        out.push_str(text);
        Ok(u)
    }
}
