//! Resources of modules: how many there are, what they have, in which region they are.

use super::{Expansion, World, join, provider_name};
use crate::config::eval::{self, Fault, R, Scope, fault, instance};
use crate::config::source::Block;
use crate::config::value::{Instance, Key, V};
use bartizan_model::Unknown;
use hcl_edit::expr::Expression;
use std::collections::BTreeMap;
use std::sync::Arc;

impl World<'_> {
    /// How many instances a declared resource has.
    pub(crate) fn expansion(&self, module: usize, decl: usize) -> Result<Expansion, Fault> {
        let m = self.module(module)?;
        let Some(d) = m.config.decls.get(decl) else {
            return fault("a declaration is missing");
        };
        self.remembered(
            &self.expansions,
            (module, decl),
            || format!("the number of `{}.{}`", d.kind, d.name),
            || self.expand(&d.block, &self.scope(module)),
        )
    }

    /// A resource (all its instances) as a value; `None` when it is not declared.
    pub(crate) fn resource(
        &self,
        module: usize,
        data: bool,
        kind: &str,
        name: &str,
    ) -> Result<Option<V>, Fault> {
        let m = self.module(module)?;
        let Some(&decl) = m.config.by_name.get(&(data, kind.to_string(), name.to_string())) else {
            return Ok(None);
        };
        Ok(Some(match self.expansion(module, decl)? {
            Expansion::One => instance(module, decl, Key::None),
            Expansion::Count(n) => V::list((0..n).map(|i| instance(module, decl, Key::Index(i))).collect()),
            Expansion::Each(m) => V::map(
                m.keys()
                    .map(|k| (k.clone(), instance(module, decl, Key::Name(k.clone()))))
                    .collect(),
            ),
            Expansion::Unknown(_) => instance(module, decl, Key::Any),
        }))
    }

    /// The scope in which an instance's attributes are evaluated.
    pub(crate) fn instance_scope(&self, i: &Instance) -> Result<Scope, Fault> {
        let each = match (&i.key, self.expansion(i.module, i.decl)?) {
            (Key::Name(k), Expansion::Each(m)) => m.get(k).cloned(),
            _ => None,
        };
        Ok(Scope {
            key: i.key.clone(),
            each,
            ..self.scope(i.module)
        })
    }

    /// The full address of an instance.
    pub(crate) fn address(&self, i: &Instance) -> Arc<str> {
        let Ok(m) = self.module(i.module) else {
            return "?".into();
        };
        let Some(d) = m.config.decls.get(i.decl) else {
            return "?".into();
        };
        let data = if d.data { "data." } else { "" };
        join(&m.path, &format!("{data}{}.{}{}", d.kind, d.name, i.key.suffix())).into()
    }

    /// An attribute of an instance: as configured, or a reference where the cloud decides.
    pub(crate) fn attribute(&self, i: &Instance, name: &str) -> R {
        let m = self.module(i.module)?;
        let Some(d) = m.config.decls.get(i.decl) else {
            return fault("a declaration is missing");
        };
        let computed = || eval::reference(self.address(i), name);
        if d.block.attr(name).is_none() && !blocks_named(&d.block, name) {
            return Ok(computed());
        }
        self.remembered(
            &self.attributes,
            (i.clone(), name.to_string()),
            || format!("`{}.{name}`", self.address(i)),
            || {
                let s = self.instance_scope(i)?;
                let v = match d.block.attr(name) {
                    Some(e) => self.expr(e, &s)?,
                    None => self.blocks_value(&d.block, name, &s)?,
                };
                // What is set to null is left to the cloud, and so is what a resource there sets to the empty text.
                let cloud = !d.data && d.kind.starts_with("alicloud_");
                let open = v == V::Null || cloud && v == V::str("");
                Ok(if open { computed() } else { v })
            },
        )
    }

    /// Why the number of instances of a resource is unknown.
    pub(crate) fn how_many(&self, i: &Instance) -> Unknown {
        match self.expansion(i.module, i.decl) {
            Ok(Expansion::Unknown(u)) => u,
            _ => Unknown::new(format!("how many `{}` there are is unknown", self.address(i))),
        }
    }

    /// Whether an attribute of an instance is written as nested blocks.
    pub(crate) fn has_blocks(&self, i: &Instance, name: &str) -> bool {
        self.module(i.module).is_ok_and(|m| {
            m.config
                .decls
                .get(i.decl)
                .is_some_and(|d| blocks_named(&d.block, name))
        })
    }

    /// Every configured attribute of an instance, and its id.
    pub(crate) fn instance_attributes(&self, i: &Instance) -> Result<BTreeMap<Arc<str>, V>, Fault> {
        let m = self.module(i.module)?;
        let Some(d) = m.config.decls.get(i.decl) else {
            return fault("a declaration is missing");
        };
        let mut out = BTreeMap::new();
        out.insert(Arc::from("id"), eval::reference(self.address(i), "id"));
        for (name, _) in &d.block.attrs {
            if !matches!(name.as_str(), "count" | "for_each" | "provider" | "depends_on") {
                out.insert(Arc::from(name.as_str()), self.attribute(i, name)?);
            }
        }
        Ok(out)
    }

    /// The region of the provider configuration that a module sees under a name (`alicloud`, `alicloud.hz`).
    pub(crate) fn region(&self, module: usize, name: &str) -> R {
        self.remembered(
            &self.regions,
            (module, name.to_string()),
            || format!("provider `{name}`"),
            || {
                let m = self.module(module)?;
                let (kind, alias) = name.split_once('.').map_or((name, None), |(k, a)| (k, Some(a)));
                // What the caller passes wins over the module's own.
                if let Some((caller, call, _)) = &m.call
                    && let Some(e) = call.attr("providers")
                    && let Expression::Object(o) = &*e.expr
                {
                    for (k, v) in o.iter() {
                        let k = match k {
                            hcl_edit::expr::ObjectKey::Ident(i) => i.as_str().to_string(),
                            hcl_edit::expr::ObjectKey::Expression(e) => provider_name(e).unwrap_or_default(),
                        };
                        if k == name
                            && let Some(theirs) = provider_name(v.expr())
                        {
                            return self.region(*caller, &theirs);
                        }
                    }
                }
                for p in &m.config.providers {
                    if p.labels.first().is_none_or(|l| l != kind) {
                        continue;
                    }
                    let own = match p.attr("alias") {
                        Some(e) => self.expr(e, &self.scope(module))?.to_text(),
                        None => None,
                    };
                    if own.as_deref() == alias {
                        return match p.attr("region") {
                            Some(e) => self.expr(e, &self.scope(module)),
                            None => Ok(V::Null),
                        };
                    }
                }
                match (&m.call, alias) {
                    (Some((caller, _, _)), None) => self.region(*caller, name),
                    _ => Ok(V::Null),
                }
            },
        )
    }
}

fn blocks_named(b: &Block, name: &str) -> bool {
    b.blocks
        .iter()
        .any(|b| b.ident == name || (b.ident == "dynamic" && b.labels.first().is_some_and(|l| l == name)))
}
