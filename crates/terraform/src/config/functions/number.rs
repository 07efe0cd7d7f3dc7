//! Numbers.

use super::{Call, Function, MANY, f};
use crate::config::eval::{R, fault};
use crate::config::value::V;

pub(super) const TABLE: &[Function] = &[
    f("abs", 1, 1, |c| Ok(V::Num(c.a.num(0)?.abs()))),
    f("ceil", 1, 1, |c| Ok(V::Num(c.a.num(0)?.ceil()))),
    f("floor", 1, 1, |c| Ok(V::Num(c.a.num(0)?.floor()))),
    f("log", 2, 2, |c| finite(c.a.num(0)?.ln() / c.a.num(1)?.ln())),
    f("pow", 2, 2, |c| finite(c.a.num(0)?.powf(c.a.num(1)?))),
    f("signum", 1, 1, |c| {
        let n = c.a.num(0)?;
        Ok(V::Num(if n == 0.0 { 0.0 } else { n.signum() }))
    }),
    f("max", 1, MANY, |c| fold(c, f64::max)),
    f("min", 1, MANY, |c| fold(c, f64::min)),
    f("sum", 1, 1, |c| {
        let mut t = 0.0;
        let items = c.a.list(0)?;
        if items.is_empty() {
            return fault("`sum` needs at least one element");
        }
        for v in items {
            match v.to_num() {
                Some(n) => t += n,
                None => return fault("`sum` needs numbers"),
            }
        }
        Ok(V::Num(t))
    }),
    f("parseint", 2, 2, |c| {
        let base = c.a.int(1)?;
        if !(2..=36).contains(&base) {
            return fault("the base of `parseint` has to be between 2 and 36");
        }
        match i128::from_str_radix(&c.a.text(0)?, base as u32) {
            Ok(n) => Ok(V::Num(n as f64)),
            Err(_) => fault(format!("`{}` is not a number in base {base}", c.a.text(0)?)),
        }
    }),
    f("range", 1, 3, |c| {
        let (from, to, step) = match c.a.len() {
            1 => (0.0, c.a.num(0)?, None),
            2 => (c.a.num(0)?, c.a.num(1)?, None),
            _ => (c.a.num(0)?, c.a.num(1)?, Some(c.a.num(2)?)),
        };
        let step = step.unwrap_or(if to < from { -1.0 } else { 1.0 });
        if step == 0.0 || (to - from) * step < 0.0 {
            return fault("the step of `range` leads away from its end");
        }
        let mut out = Vec::new();
        let mut n = from;
        while if step > 0.0 { n < to } else { n > to } {
            if out.len() >= 1024 {
                return fault("`range` gives at most 1024 numbers");
            }
            out.push(V::Num(n));
            n += step;
        }
        Ok(V::list(out))
    }),
];

fn finite(n: f64) -> R {
    if n.is_finite() {
        Ok(V::Num(n))
    } else {
        fault("the result is not a finite number")
    }
}

fn fold(c: &Call<'_, '_>, op: fn(f64, f64) -> f64) -> R {
    let mut best = c.a.num(0)?;
    for i in 1..c.a.len() {
        best = op(best, c.a.num(i)?);
    }
    Ok(V::Num(best))
}
